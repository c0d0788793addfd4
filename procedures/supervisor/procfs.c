/* What /proc tells of the machine and of time: the simulation's. Reads of these files are answered here; every other file
 * of /proc tells of the sandbox's own processes and is read as it is. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "procedures/supervisor/core.h"

#define BOOTED_NS (1000 * SECOND_NS)
#define TICK_NS   (SECOND_NS / 100)

enum { TEXT_MAX = 65536 };

static void tell_uptime(struct supervisor *s, struct buf *text)
{
    int64_t hundredths = (clock_now(s) + BOOTED_NS) / TICK_NS;
    buf_printf(text, "%lld.%02lld %lld.%02lld\n", (long long)(hundredths / 100), (long long)(hundredths % 100),
               (long long)(hundredths / 100), (long long)(hundredths % 100));
}

static void tell_load(struct supervisor *s, struct buf *text)
{
    buf_printf(text, "0.00 0.00 0.00 1/%d 1\n", s->n_tasks);
}

static void tell_stat(struct supervisor *s, struct buf *text)
{
    int64_t idle = (clock_now(s) + BOOTED_NS) / TICK_NS;
    buf_printf(text, "cpu  0 0 0 %lld 0 0 0 0 0 0\ncpu0 0 0 0 %lld 0 0 0 0 0 0\n", (long long)idle, (long long)idle);
    buf_printf(text, "intr 0\nctxt 0\nbtime %lld\nprocesses %d\nprocs_running 1\nprocs_blocked 0\n",
               (long long)((s->start_unix_ns - BOOTED_NS) / SECOND_NS), s->next_serial);
}

static void tell_memory(struct supervisor *s, struct buf *text)
{
    (void)s;
    buf_puts(text, "MemTotal:        8388608 kB\nMemFree:         4194304 kB\nMemAvailable:    6291456 kB\n"
                   "Buffers:          262144 kB\nCached:          2097152 kB\nSwapCached:            0 kB\n"
                   "SwapTotal:             0 kB\nSwapFree:              0 kB\nShmem:             65536 kB\n"
                   "Slab:             131072 kB\nSReclaimable:     131072 kB\n");
}

static void tell_processor(struct supervisor *s, struct buf *text)
{
    (void)s;
    buf_puts(text, "processor\t: 0\nvendor_id\t: rehearse\nmodel name\t: simulated processor\ncpu MHz\t\t: 1000.000\n"
                   "cpu cores\t: 1\n\n");
}

static void tell_version(struct supervisor *s, struct buf *text)
{
    (void)s;
    buf_puts(text, "Linux version 6.1.0-rehearse-amd64 (rehearse) #1 SMP PREEMPT_DYNAMIC\n");
}

static void tell_command_line(struct supervisor *s, struct buf *text)
{
    (void)s;
    buf_puts(text, "root=rehearse\n");
}

static void tell_mounts(struct supervisor *s, struct buf *text)
{
    (void)s;
    buf_puts(text, "rehearse / tmpfs rw,nosuid,noatime 0 0\nproc /proc proc rw,nosuid,nodev,noexec 0 0\n");
}

static void tell_mount_info(struct supervisor *s, struct buf *text)
{
    (void)s;
    buf_puts(text, "21 1 0:42 / / rw,nosuid,noatime - tmpfs rehearse rw\n"
                   "22 21 0:43 / /proc rw,nosuid,nodev,noexec - proc proc rw\n");
}

static const struct {
    const char *name; /* below /proc; in a process's folder if it starts with a slash */
    void (*tell)(struct supervisor *, struct buf *);
} files[] = {{"uptime", tell_uptime},       {"loadavg", tell_load},    {"stat", tell_stat},
             {"meminfo", tell_memory},      {"cpuinfo", tell_processor}, {"version", tell_version},
             {"cmdline", tell_command_line}, {"/mounts", tell_mounts},  {"/mountinfo", tell_mount_info}};

/* ---- files about one process: what was counted in real time is taken out ---- */

/* The process with that number inside the sandbox. */
static const struct process *process_inside(const struct supervisor *s, long pid)
{
    char path[64];
    for (const struct process *p = s->processes; p; p = p->next) {
        struct buf status;
        buf_init(&status, 8192);
        snprintf(path, sizeof path, "/proc/%d/status", (int)p->pid);
        const char *at = buf_read_file(&status, path) == 0 && status.at ? strstr(status.at, "\nNSpid:") : NULL;
        long inside = -1;
        for (const char *number = at ? at + 7 : NULL; number && *number == '\t';) {
            char *rest;
            inside = strtol(number, &rest, 10);
            number = rest;
        }
        buf_release(&status);
        if (inside == pid)
            return p;
    }
    return NULL;
}

static void patch_stat(struct supervisor *s, long pid, const struct buf *real, struct buf *text)
{
    const char *paren = real->at ? strrchr(real->at, ')') : NULL;
    const struct process *process = process_inside(s, pid);
    int64_t started = process ? process->started_ns : clock_now(s);
    if (!paren)
        return;
    buf_add(text, real->at, (size_t)(paren - real->at) + 1);
    struct str rest = {paren + 1, real->len - (size_t)(paren + 1 - real->at)};
    rest = str_trim(rest);
    for (int field = 3; rest.len > 0; field++) {
        struct str value = str_cut(&rest, ' ');
        if (field == 3 && str_is(value, "t")) /* held by us: to others it sleeps */
            value = STR("S");
        else if (field >= 10 && field <= 17) /* page faults and processor time */
            value = STR("0");
        if (field == 22)
            buf_printf(text, " %lld", (long long)((started + BOOTED_NS) / TICK_NS));
        else
            buf_printf(text, " %.*s", STR_ARG(value));
    }
    buf_putc(text, '\n');
}

static void patch_status(const struct buf *real, struct buf *text)
{
    struct str rest = buf_text(real);
    while (rest.len > 0) {
        struct str line = str_cut(&rest, '\n');
        if (str_starts(line, "State:\tt"))
            line = STR("State:\tS (sleeping)");
        else if (str_starts(line, "Vm") || str_starts(line, "Rss") ||
                 str_starts(line, "voluntary_ctxt") || str_starts(line, "nonvoluntary_ctxt"))
            line.len = (size_t)str_find(line, STR(":")) + 1;
        buf_str(text, line);
        if (line.len > 0 && line.at[line.len - 1] == ':')
            buf_puts(text, str_is(line, "VmLck:") || str_is(line, "VmPin:") || str_is(line, "VmSwap:") ? "\t       0 kB"
                           : str_starts(line, "Vm") || str_starts(line, "Rss")                     ? "\t    4096 kB"
                                                                                                   : "\t1");
        buf_putc(text, '\n');
    }
}

/* All of the file as the kernel has it. */
static void load(int fd, struct buf *real)
{
    char bytes[4096];
    ssize_t n;
    while ((n = pread(fd, bytes, sizeof bytes, (off_t)real->len)) > 0)
        buf_add(real, bytes, (size_t)n);
}

static bool compose(struct supervisor *s, int fd, const char *name, struct buf *text)
{
    char *rest;
    long pid = strtol(name, &rest, 10);
    bool own = rest != name && *rest == '/';
    for (size_t i = 0; i < sizeof files / sizeof *files; i++)
        if (strcmp(own ? rest : name, files[i].name) == 0) {
            files[i].tell(s, text);
            return true;
        }
    if (!own || (strcmp(rest, "/stat") != 0 && strcmp(rest, "/status") != 0))
        return false;
    struct buf real;
    buf_init(&real, TEXT_MAX);
    load(fd, &real);
    if (strcmp(rest, "/stat") == 0)
        patch_stat(s, pid, &real, text);
    else
        patch_status(&real, text);
    buf_release(&real);
    return true;
}

bool procfs_read(struct supervisor *s, struct task *t, int fd, const struct stat *st)
{
    char path[64], target[512];
    struct buf text;
    if (st->st_dev != s->proc_device)
        return false;
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    ssize_t n = readlink(path, target, sizeof target - 1);
    if (n <= 0)
        return false;
    target[n] = '\0';
    const char *name = strstr(target, "/proc/");
    if (!name)
        return false;
    buf_init(&text, TEXT_MAX);
    bool ours = compose(s, fd, name + 6, &text);
    if (ours) { /* the position is the file's own, so it is everybody's who shares it */
        off_t at = lseek(fd, 0, SEEK_CUR);
        size_t rest = at >= 0 && (size_t)at < text.len ? text.len - (size_t)at : 0;
        size_t len = rest < t->arguments[2] ? rest : (size_t)t->arguments[2];
        bool written = len == 0 || task_write(t, t->arguments[1], text.at + at, len);
        (void)lseek(fd, (off_t)len, SEEK_CUR);
        call_finish(t, written ? (long)len : -EFAULT);
    }
    buf_release(&text);
    return ours;
}
