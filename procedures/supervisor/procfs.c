/* What /proc tells of the machine and of time: the simulation's. Of the files that are not about
 * one process only those listed here can be read. Those about one are the kernel's, less what it
 * counted in real time or over the whole host. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

#include "procedures/supervisor/core.h"

#define TICK_NS (SECOND_NS / 100)

enum { TEXT_MAX = 65536 };

static void tell_uptime(struct supervisor *s, struct buf *text)
{
    int64_t hundredths = (clock_now(s) + BOOTED_NS) / TICK_NS;
    buf_printf(text, "%lld.%02lld %lld.%02lld\n", (long long)(hundredths / 100),
               (long long)(hundredths % 100), (long long)(hundredths / 100),
               (long long)(hundredths % 100));
}

static void tell_load(struct supervisor *s, struct buf *text)
{
    buf_printf(text, "0.00 0.00 0.00 1/%d 1\n", s->n_tasks);
}

static void tell_stat(struct supervisor *s, struct buf *text)
{
    int64_t idle = (clock_now(s) + BOOTED_NS) / TICK_NS;
    buf_printf(text, "cpu  0 0 0 %lld 0 0 0 0 0 0\ncpu0 0 0 0 %lld 0 0 0 0 0 0\n", (long long)idle,
               (long long)idle);
    buf_printf(text, "intr 0\nctxt 0\nbtime %lld\nprocesses %d\nprocs_running 1\nprocs_blocked 0\n",
               (long long)((s->start_unix_ns - BOOTED_NS) / SECOND_NS), s->next_serial);
}

static void tell_memory(struct supervisor *s, struct buf *text)
{
    (void)s;
    buf_puts(
        text,
        "MemTotal:        8388608 kB\nMemFree:         4194304 kB\nMemAvailable:    6291456 kB\n"
        "Buffers:          262144 kB\nCached:          2097152 kB\nSwapCached:            0 kB\n"
        "SwapTotal:             0 kB\nSwapFree:              0 kB\nShmem:             65536 kB\n"
        "Slab:             131072 kB\nSReclaimable:     131072 kB\n");
}

static void tell_processor(struct supervisor *s, struct buf *text)
{
    (void)s;
    buf_puts(text, "processor\t: 0\nvendor_id\t: rehearse\nmodel name\t: simulated processor\ncpu "
                   "MHz\t\t: 1000.000\n"
                   "cpu cores\t: 1\n\n");
}

/* Drawn anew for each read, as the kernel does for each opening. */
static void tell_uuid(struct supervisor *s, struct buf *text)
{
    unsigned char b[16];
    random_fill(s, b, sizeof b);
    b[6] = (unsigned char)((b[6] & 0x0f) | 0x40); /* version 4, RFC 4122 */
    b[8] = (unsigned char)((b[8] & 0x3f) | 0x80);
    for (int i = 0; i < 16; i++)
        buf_printf(text, "%s%02x", i == 4 || i == 6 || i == 8 || i == 10 ? "-" : "", b[i]);
    buf_putc(text, '\n');
}

static void tell_host_name(struct supervisor *s, struct buf *text)
{
    buf_printf(text, "%s\n", s->hostname);
}

#define PRESSURE                                                                                   \
    "some avg10=0.00 avg60=0.00 avg300=0.00 total=0\nfull avg10=0.00 avg60=0.00 avg300=0.00 "      \
    "total=0\n"

/* Below /proc; in a process's folder if it starts with a slash. Constants are those of a plain
 * Debian machine. */
static const struct {
    const char *name;
    void (*tell)(struct supervisor *, struct buf *);
    const char *text;
} files[] = {
    {"uptime", tell_uptime, NULL},
    {"loadavg", tell_load, NULL},
    {"stat", tell_stat, NULL},
    {"meminfo", tell_memory, NULL},
    {"cpuinfo", tell_processor, NULL},
    {"version", NULL, "Linux version 6.1.0-rehearse-amd64 (rehearse) #1 SMP PREEMPT_DYNAMIC\n"},
    {"cmdline", NULL, "root=rehearse\n"},
    {"filesystems", NULL, "nodev\tproc\nnodev\ttmpfs\n"},
    {"swaps", NULL, "Filename\t\t\t\tType\t\tSize\t\tUsed\t\tPriority\n"},
    {"partitions", NULL, "major minor  #blocks  name\n\n"},
    {"cgroups", NULL, "#subsys_name\thierarchy\tnum_cgroups\tenabled\n"},
    {"vmstat", NULL, "pgpgin 0\npgpgout 0\npswpin 0\npswpout 0\n"},
    {"diskstats", NULL, ""},
    {"locks", NULL, ""},
    {"modules", NULL, ""},
    {"pressure/cpu", NULL, PRESSURE},
    {"pressure/io", NULL, PRESSURE},
    {"pressure/memory", NULL, PRESSURE},
    {"sys/kernel/random/uuid", tell_uuid, NULL},
    {"sys/kernel/random/boot_id", NULL, "5f3a9c1e-0b7d-4c62-9e58-1d2a6b84f07c\n"},
    {"sys/kernel/random/entropy_avail", NULL, "256\n"},
    {"sys/kernel/random/poolsize", NULL, "256\n"},
    {"sys/kernel/hostname", tell_host_name, NULL},
    {"sys/kernel/domainname", NULL, "(none)\n"},
    {"sys/kernel/ostype", NULL, "Linux\n"},
    {"sys/kernel/osrelease", NULL, "6.1.0-rehearse-amd64\n"},
    {"sys/kernel/version", NULL, "#1 SMP PREEMPT_DYNAMIC\n"},
    {"sys/kernel/pid_max", NULL, "32768\n"},
    {"sys/kernel/threads-max", NULL, "63000\n"},
    {"sys/kernel/cap_last_cap", NULL, "40\n"},
    {"sys/kernel/ngroups_max", NULL, "65536\n"},
    {"sys/kernel/overflowuid", NULL, "65534\n"},
    {"sys/kernel/overflowgid", NULL, "65534\n"},
    {"sys/kernel/core_pattern", NULL, "core\n"},
    {"sys/kernel/panic", NULL, "0\n"},
    {"sys/kernel/shmmax", NULL, "18446744073692774399\n"},
    {"sys/kernel/shmall", NULL, "18446744073692774399\n"},
    {"sys/kernel/sem", NULL, "32000\t1024000000\t500\t32000\n"},
    {"sys/kernel/msgmax", NULL, "8192\n"},
    {"sys/kernel/seccomp/actions_avail", NULL,
     "kill_process kill_thread trap errno user_notif trace log allow\n"},
    {"sys/vm/overcommit_memory", NULL, "0\n"},
    {"sys/vm/overcommit_ratio", NULL, "50\n"},
    {"sys/vm/swappiness", NULL, "60\n"},
    {"sys/vm/max_map_count", NULL, "65530\n"},
    {"sys/vm/dirty_ratio", NULL, "20\n"},
    {"sys/vm/dirty_background_ratio", NULL, "10\n"},
    {"sys/vm/nr_hugepages", NULL, "0\n"},
    {"sys/vm/drop_caches", NULL, "0\n"},
    {"sys/vm/min_free_kbytes", NULL, "11469\n"},
    {"sys/fs/file-max", NULL, "9223372036854775807\n"},
    {"sys/fs/file-nr", NULL, "512\t0\t9223372036854775807\n"},
    {"sys/fs/nr_open", NULL, "1048576\n"},
    {"sys/fs/pipe-max-size", NULL, "1048576\n"},
    {"sys/fs/inotify/max_user_watches", NULL, "65536\n"},
    {"sys/fs/inotify/max_user_instances", NULL, "128\n"},
    {"sys/net/core/somaxconn", NULL, "4096\n"},
    {"sys/net/ipv4/ip_forward", NULL, "0\n"},
    {"sys/net/ipv4/ip_local_port_range", NULL, "32768\t60999\n"},
    {"sys/net/ipv4/tcp_fin_timeout", NULL, "60\n"},
    {"sys/net/ipv4/tcp_keepalive_time", NULL, "7200\n"},
    {"sys/net/ipv4/tcp_syncookies", NULL, "1\n"},
    {"sys/net/ipv4/tcp_max_syn_backlog", NULL, "512\n"},
    {"sys/net/ipv6/conf/all/disable_ipv6", NULL, "0\n"},
    {"/mounts", NULL,
     "rehearse / tmpfs rw,nosuid,noatime 0 0\nproc /proc proc rw,nosuid,nodev,noexec 0 0\n"},
    {"/mountinfo", NULL,
     "21 1 0:42 / / rw,nosuid,noatime - tmpfs rehearse rw\n22 21 0:43 / /proc "
     "rw,nosuid,nodev,noexec - proc proc rw\n"},
    {"/mountstats", NULL,
     "device rehearse mounted on / with fstype tmpfs\ndevice proc mounted on /proc with fstype "
     "proc\n"},
    {"/cgroup", NULL, "0::/\n"},
    {"/cpuset", NULL, "/\n"},
    {"/statm", NULL, "1024 1024 512 64 0 256 0\n"},
    {"/oom_score", NULL, "0\n"},
    {"/oom_score_adj", NULL, "0\n"},
    {"/oom_adj", NULL, "0\n"},
    {"/loginuid", NULL, "4294967295"},
    {"/sessionid", NULL, "4294967295"},
    {"/autogroup", NULL, "/autogroup-1 nice 0\n"},
    {"/io", NULL,
     "rchar: 0\nwchar: 0\nsyscr: 0\nsyscw: 0\nread_bytes: 0\nwrite_bytes: "
     "0\ncancelled_write_bytes: 0\n"},
    {"/schedstat", NULL, "0 0 0\n"},
    {"/wchan", NULL, "0"},
    {"/personality", NULL, "00000000\n"},
};

/* Of one process, as the kernel has it. Whatever else there is counts something real. */
static const char *const kernel_files[] = {
    "/cmdline",      "/comm",    "/environ", "/limits",    "/maps",     "/mem",
    "/auxv",         "/uid_map", "/gid_map", "/setgroups", "/children", "/coredump_filter",
    "/timerslack_ns"};

/* Of the sandbox's own network, where it has one. */
static const char *const network_files[] = {"/net/dev", "/net/route", "/net/arp", "/net/if_inet6",
                                            "/net/igmp"};

/* ---- files about one process: what was counted in real time is taken out ---- */

/* The process with that number inside the sandbox. */
static const struct process *process_inside(const struct supervisor *s, long pid)
{
    char path[64];
    for (const struct process *p = s->processes; p; p = p->next) {
        struct buf status;
        buf_init(&status, 8192);
        snprintf(path, sizeof path, "/proc/%d/status", (int)p->pid);
        const char *at =
            buf_read_file(&status, path) == 0 && status.at ? strstr(status.at, "\nNSpid:") : NULL;
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
        else if ((field >= 10 && field <= 17) || field == 39 ||
                 field == 42) /* faults, processor time; processor; waits */
            value = STR("0");
        else if (field == 24) /* resident pages */
            value = STR("1024");
        if (field == 22)
            buf_printf(text, " %lld", (long long)((started + BOOTED_NS) / TICK_NS));
        else
            buf_printf(text, " %.*s", STR_ARG(value));
    }
    buf_putc(text, '\n');
}

static void patch_status(const struct buf *real, struct buf *text)
{
    static const struct {
        const char *starts, *told;
    } fixed[] = {
        {"State:\tt", "State:\tS (sleeping)"}, /* held by us: to others it sleeps */
        {"TracerPid:", "TracerPid:\t0"},       {"SigQ:", "SigQ:\t0/4096"}, {"Speculation", ""},
        {"SpeculationIndirectBranch", ""},     {"x86_Thread", ""}};
    struct str rest = buf_text(real);
    while (rest.len > 0) {
        struct str line = str_cut(&rest, '\n');
        for (size_t i = 0; i < sizeof fixed / sizeof *fixed; i++)
            if (str_starts(line, fixed[i].starts))
                line = str_of(fixed[i].told);
        if (str_starts(line, "Cpus_allowed") || str_starts(line, "Mems_allowed"))
            line = STR("");
        if (line.len == 0)
            continue;
        else if (str_starts(line, "Vm") || str_starts(line, "Rss") ||
                 str_starts(line, "voluntary_ctxt") || str_starts(line, "nonvoluntary_ctxt"))
            line.len = (size_t)str_find(line, STR(":")) + 1;
        buf_str(text, line);
        if (line.len > 0 && line.at[line.len - 1] == ':')
            buf_puts(text,
                     str_is(line, "VmLck:") || str_is(line, "VmPin:") || str_is(line, "VmSwap:")
                         ? "\t       0 kB"
                     : str_starts(line, "Vm") || str_starts(line, "Rss") ? "\t    4096 kB"
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

/* The part of a process's name that says which file it is: "/stat" of "12/stat" and
 * "12/task/13/stat"; NULL: it is not about a process. */
static const char *file_of_process(const char *name, long *pid)
{
    char *rest;
    *pid = strtol(name, &rest, 10);
    if (rest == name || *rest != '/')
        return NULL;
    if (strncmp(rest, "/task/", 6) == 0 && strchr(rest + 6, '/')) {
        *pid = strtol(rest + 6, NULL, 10);
        return strchr(rest + 6, '/');
    }
    return rest;
}

/* Zero, negative errno, or 1: the kernel's own text is told. */
static int compose(struct supervisor *s, int fd, const char *name, struct buf *text)
{
    long pid;
    const char *of_process = file_of_process(name, &pid), *wanted = of_process ? of_process : name;
    for (size_t i = 0; i < sizeof files / sizeof *files; i++)
        if (strcmp(wanted, files[i].name) == 0) {
            if (files[i].tell)
                files[i].tell(s, text);
            else
                buf_puts(text, files[i].text);
            return 0;
        }
    if (!of_process)
        return -EACCES;
    bool stat = strcmp(of_process, "/stat") == 0, status = strcmp(of_process, "/status") == 0;
    if (stat || status) {
        struct buf real;
        buf_init(&real, TEXT_MAX);
        load(fd, &real);
        if (stat)
            patch_stat(s, pid, &real, text);
        else
            patch_status(&real, text);
        buf_release(&real);
        return 0;
    }
    for (size_t i = 0; i < sizeof kernel_files / sizeof *kernel_files; i++)
        if (strcmp(of_process, kernel_files[i]) == 0)
            return 1;
    for (size_t i = 0; i < sizeof network_files / sizeof *network_files; i++)
        if (strcmp(of_process, network_files[i]) == 0)
            return s->sandbox.tier == TIER_LANDLOCK ? -EACCES : 1;
    return -EACCES;
}

/* Hands out a part of the text. At its own position if `position` is negative: that is the file's,
 * so everybody's who shares it. */
static long hand_out(struct task *t, int fd, const struct buf *text, struct iovec to,
                     int64_t position)
{
    off_t at = position < 0 ? lseek(fd, 0, SEEK_CUR) : position;
    size_t rest = at >= 0 && (size_t)at < text->len ? text->len - (size_t)at : 0;
    size_t len = rest < to.iov_len ? rest : to.iov_len;
    if (len > 0 && !task_write(t, (uint64_t)(uintptr_t)to.iov_base, text->at + at, len))
        return -EFAULT;
    if (position < 0)
        (void)lseek(fd, (off_t)len, SEEK_CUR);
    return (long)len;
}

bool procfs_read(struct supervisor *s, struct task *t, int fd, struct iovec to, int64_t position)
{
    char path[64], target[512];
    struct buf text;
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    ssize_t n = readlink(path, target, sizeof target - 1);
    target[n > 0 ? n : 0] = '\0';
    const char *name = strstr(target, "/proc/");
    if (!name)
        return false;
    buf_init(&text, TEXT_MAX);
    int code = compose(s, fd, name + 6, &text);
    if (code <= 0)
        call_finish(t, code ? code : hand_out(t, fd, &text, to, position));
    buf_release(&text);
    return code <= 0;
}
