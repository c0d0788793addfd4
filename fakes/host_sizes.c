/* df, free, ps, pgrep, top, uptime: the machine in numbers. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "fakes/docker.h"
#include "fakes/host.h"

/* ---- df ---- */

/* As df -h and free -h: one decimal below ten, rounded up, powers of 1024. */
static const char *human(struct arena *arena, int64_t bytes, const char *const *units, bool up)
{
    int i = 0;
    double value = (double)bytes;
    while (value >= 1024 && units[i + 1]) {
        value /= 1024;
        i++;
    }
    if (i == 0)
        return arena_printf(arena, "%" PRId64 "%s", bytes, units[0]);
    int64_t tenths = (int64_t)(value * 10 + (up ? 0.999999 : 0.5));
    if (tenths < 100)
        return arena_printf(arena, "%" PRId64 ".%" PRId64 "%s", tenths / 10, tenths % 10, units[i]);
    return arena_printf(arena, "%" PRId64 "%s", (int64_t)(value + (up ? 0.999999 : 0.5)), units[i]);
}

struct df_row {
    const char *device, *type, *size, *used, *avail, *percent, *mount;
};

static struct df_row df_row(struct call *call, const struct disk *disk,
                            const struct options *options)
{
    static const char *const units[] = {"", "K", "M", "G", "T", NULL};
    struct arena *arena = call->arena;
    bool full = world_disk_full(call->env->world, call->place[0] ? call->place : host_name(call));
    int64_t used = (int64_t)((full ? 1.0 : disk->used) * (double)disk->size_bytes);
    int64_t avail = (disk->size_bytes - used) / 100 * 95; /* five in a hundred are kept for root */
    int64_t percent = used + avail > 0 ? (used * 100 + used + avail - 1) / (used + avail) : 0;
    struct df_row row = {.device = disk->device, .type = "ext4", .mount = disk->mount};
    row.percent = arena_printf(arena, "%" PRId64 "%%", percent);
    if (options_has(options, "human-readable")) {
        row.size = human(arena, disk->size_bytes, units, true);
        row.used = human(arena, used, units, true);
        row.avail = human(arena, avail, units, true);
    } else {
        int64_t block = options_has(options, "m") ? 1 << 20 : 1024;
        row.size = arena_printf(arena, "%" PRId64, (disk->size_bytes + block - 1) / block);
        row.used = arena_printf(arena, "%" PRId64, (used + block - 1) / block);
        row.avail = arena_printf(arena, "%" PRId64, avail / block);
    }
    return row;
}

static int width(const struct df_row *rows, int n, size_t offset, int least)
{
    for (int i = 0; i < n; i++) {
        const char *text = *(const char *const *)((const char *)&rows[i] + offset);
        int len = (int)strlen(text);
        least = len > least ? len : least;
    }
    return least;
}
#define WIDTH(field, least) width(rows, n, offsetof(struct df_row, field), least)

/* The disk that a path lies on: the longest mount point that begins it. */
static const struct disk *disk_of(struct host *host, const char *path)
{
    const struct disk *best = NULL;
    size_t best_len = 0;
    for (int i = 0; i < host->n_disks; i++) {
        size_t len = strlen(host->disks[i].mount);
        if (strncmp(path, host->disks[i].mount, len) == 0 &&
            (len == 1 || path[len] == '/' || path[len] == '\0') && len >= best_len) {
            best = &host->disks[i];
            best_len = len;
        }
    }
    return best;
}

int host_df(struct call *call)
{
    struct host *host = host_of(call->env);
    struct options options;
    options_parse(call->arena, OPTIONS_GETOPT,
                  "human-readable|h all|a print-type|T portability|P si|H inodes|i k|k m|m total "
                  "local|l type|t= "
                  "exclude-type|x= output= sync help version",
                  true, call->argv, &options);
    if (options.error) {
        call_err(call, "df: %s\nTry 'df --help' for more information.\n", options.error);
        return 1;
    }
    struct df_row *rows =
        ARENA_ARRAY(call->arena, struct df_row, host->n_disks + options.n_args + 1);
    int n = 0, status = 0;
    for (int i = 0; i < host->n_disks && !options.args[0]; i++)
        rows[n++] = df_row(call, &host->disks[i], &options);
    for (char **path = options.args; *path; path++) {
        const char *full =
            (*path)[0] == '/' ? *path : arena_printf(call->arena, "%s/%s", call->cwd, *path);
        const struct disk *disk = call_exists(call, *path) > 0 ? disk_of(host, full) : NULL;
        if (disk) {
            rows[n++] = df_row(call, disk, &options);
        } else {
            call_err(call, "df: %s: No such file or directory\n", *path);
            status = 1;
        }
    }
    if (n == 0)
        return status;
    bool tells_human = options_has(&options, "human-readable"),
         type = options_has(&options, "print-type");
    const char *size = tells_human                  ? "Size"
                       : options_has(&options, "m") ? "1M-blocks"
                                                    : "1K-blocks";
    const char *avail = tells_human ? "Avail" : "Available";
    int device_width = WIDTH(device, 14), size_width = WIDTH(size, tells_human ? 5 : 9);
    int used_width = WIDTH(used, 5), avail_width = WIDTH(avail, tells_human ? 5 : 9);
    call_out(call, "%-*s %s%*s %*s %*s Use%% Mounted on\n", device_width, "Filesystem",
             type ? "Type " : "", size_width, size, used_width, "Used", avail_width, avail);
    for (int i = 0; i < n; i++)
        call_out(call, "%-*s %s%*s %*s %*s %4s %s\n", device_width, rows[i].device,
                 type ? "ext4 " : "", size_width, rows[i].size, used_width, rows[i].used,
                 avail_width, rows[i].avail, rows[i].percent, rows[i].mount);
    return status;
}

/* ---- free ---- */

/* What the world's services use, where that is modelled, above what a machine uses anyhow. */
static int64_t memory_used(struct host *host)
{
    int64_t used = host->memory_bytes / 5;
    for (int i = 0; i < world_services(host->env->world); i++) {
        struct service *service = world_service_at(host->env->world, i);
        double bytes;
        if (service_metric(service, "memory_bytes", &bytes) && bytes > 0)
            used += (int64_t)bytes;
    }
    return used < host->memory_bytes * 97 / 100 ? used : host->memory_bytes * 97 / 100;
}

static const char *amount(struct call *call, const struct options *options, int64_t bytes)
{
    static const char *const units[] = {"B", "Ki", "Mi", "Gi", "Ti", NULL};
    if (options_has(options, "human"))
        return human(call->arena, bytes, units, false);
    int shift = options_has(options, "bytes")  ? 0
                : options_has(options, "mebi") ? 20
                : options_has(options, "gibi") ? 30
                                               : 10;
    return arena_printf(call->arena, "%" PRId64, bytes >> shift);
}

int host_free(struct call *call)
{
    struct host *host = host_of(call->env);
    struct options options;
    options_parse(call->arena, OPTIONS_GETOPT,
                  "human|h bytes|b kibi|k mebi|m gibi|g wide|w total|t si count|c= seconds|s= "
                  "lohi|l help version|V",
                  true, call->argv, &options);
    if (options.error) {
        call_err(call, "free: %s\n", options.error);
        return 1;
    }
    int64_t total = host->memory_bytes, used = memory_used(host), cache = (total - used) * 2 / 5;
    int64_t unused = total - used - cache, swap = INT64_C(2) << 30;
    call_out(call,
             "               total        used        free      shared  buff/cache   available\n");
    call_out(call, "Mem:     %11s %11s %11s %11s %11s %11s\n", amount(call, &options, total),
             amount(call, &options, used), amount(call, &options, unused),
             amount(call, &options, INT64_C(12) << 20), amount(call, &options, cache),
             amount(call, &options, total - used));
    call_out(call, "Swap:    %11s %11s %11s\n", amount(call, &options, swap),
             amount(call, &options, 0), amount(call, &options, swap));
    return 0;
}

/* ---- processes ---- */

struct process {
    int pid, parent;
    const char *user, *command;
    double cpu, memory;
};

static int list_processes(struct call *call, struct process **ret)
{
    struct host *host = host_of(call->env);
    struct docker *docker = docker_of(call->env);
    struct process *list = ARENA_ARRAY(call->arena, struct process,
                                       host->n_units + (docker ? docker->n_containers : 0) + 4);
    int n = 0;
    list[n++] = (struct process){1, 0, "root", "/sbin/init", 0.0, 0.1};
    for (int i = 0; i < host->n_units; i++) {
        const struct unit *unit = host->units[i];
        if (unit->state != UNIT_ACTIVE)
            continue;
        const char *command =
            strcmp(unit->name, "docker") == 0
                ? "/usr/bin/dockerd -H fd:// --containerd=/run/containerd/containerd.sock"
            : strcmp(unit->name, "ssh") == 0  ? "sshd: /usr/sbin/sshd -D"
            : strcmp(unit->name, "cron") == 0 ? "/usr/sbin/cron -f"
            : strcmp(unit->name, "nginx") == 0
                ? "nginx: master process /usr/sbin/nginx -g daemon on; master_process on;"
                : unit->name;
        list[n++] = (struct process){unit->pid, 1, "root", command, 0.2, 0.6};
    }
    for (int i = 0; docker && i < docker->n_containers; i++) {
        const struct container *container = docker->containers[i];
        const char *const *words =
            container->spec.command ? container->spec.command : container->image->command;
        double cpu = 0.01;
        const char *text = "";
        if (container->removed || container->state != CONTAINER_RUNNING)
            continue;
        for (; *words; words++)
            text = arena_printf(call->arena, "%s%s%s", text, text[0] ? " " : "", *words);
        if (container->instance)
            service_metric(instance_service(container->instance), "cpu_ratio", &cpu);
        list[n++] = (struct process){2400 + 31 * i, 1, "root", text, cpu * 100, 1.4};
    }
    *ret = list;
    return n;
}

static const char *clock_text(struct call *call)
{
    int64_t seconds = call_unix_ns(call) / SECOND % 86400;
    return arena_printf(call->arena, "%02d:%02d:%02d", (int)(seconds / 3600),
                        (int)(seconds / 60 % 60), (int)(seconds % 60));
}

int host_ps(struct call *call)
{
    struct process *list;
    int n = list_processes(call, &list);
    const char *slash = strrchr(call->argv[0], '/');
    if (strcmp(slash ? slash + 1 : call->argv[0], "pgrep") == 0) {
        struct options options;
        options_parse(call->arena, OPTIONS_GETOPT,
                      "full|f list-name|l list-full|a exact|x count|c newest|n oldest|o", true,
                      call->argv, &options);
        if (options.error || !options.args[0]) {
            call_err(call, "pgrep: %s\n",
                     options.error ? options.error : "no matching criteria specified");
            return 2;
        }
        int hits = 0;
        for (int i = 0; i < n; i++) {
            if (!strstr(list[i].command, options.args[0]))
                continue;
            hits++;
            if (options_has(&options, "list-full"))
                call_out(call, "%d %s\n", list[i].pid, list[i].command);
            else if (!options_has(&options, "count"))
                call_out(call, "%d\n", list[i].pid);
        }
        if (options_has(&options, "count"))
            call_out(call, "%d\n", hits);
        return hits ? 0 : 1;
    }
    const char *how = call->argv[1] ? call->argv[1] : "";
    bool full = strstr(how, "f") && how[0] == '-', bsd = how[0] && how[0] != '-';
    call_out(call,
             bsd ? "USER         PID %%CPU %%MEM    VSZ   RSS TTY      STAT START   TIME COMMAND\n"
             : full ? "UID          PID    PPID  C STIME TTY          TIME CMD\n"
                    : "    PID TTY          TIME CMD\n");
    for (int i = 0; i < n; i++) {
        const struct process *p = &list[i];
        if (bsd)
            call_out(call, "%-8s %7d %4.1f %4.1f %6d %5d ?        Ssl  Jan01   0:12 %s\n", p->user,
                     p->pid, p->cpu, p->memory, 712340, 98304, p->command);
        else if (full)
            call_out(call, "%-8s %7d %7d  0 Jan01 ?        00:00:12 %s\n", p->user, p->pid,
                     p->parent, p->command);
        else
            call_out(call, "%7d ?        00:00:12 %.15s\n", p->pid, p->command);
    }
    return 0;
}

static const char *load(struct call *call)
{
    struct host *host = host_of(call->env);
    double busy = 0.12, cpu;
    for (int i = 0; i < world_services(host->env->world); i++) {
        if (service_metric(world_service_at(host->env->world, i), "cpu_ratio", &cpu))
            busy += cpu;
    }
    return arena_printf(call->arena, "%.2f, %.2f, %.2f", busy, busy, busy);
}

int host_uptime(struct call *call)
{
    call_out(call, " %s up 12 days,  3:00,  1 user,  load average: %s\n", clock_text(call),
             load(call));
    return 0;
}

int host_top(struct call *call)
{
    struct host *host = host_of(call->env);
    struct options options;
    int64_t rounds = -1;
    double delay_s = 3;
    options_parse(call->arena, OPTIONS_GETOPT,
                  "batch|b iterations|n= delay|d= pid|p= user|u= o= w|w c|c H|H i|i", true,
                  call->argv, &options);
    if (options.error || !options_number(&options, "iterations", -1, &rounds)) {
        call_err(call, "top: %s\n", options.error ? options.error : "bad iterations argument");
        return 1;
    }
    if (!options_has(&options, "batch") && !call_isatty(call, 1)) {
        call_err(call, "top: failed tty get\n");
        return 1;
    }
    delay_s = strtod(options_value(&options, "delay", "3"), NULL);
    for (int64_t round = 0; rounds < 0 || round < rounds; round++) {
        struct process *list;
        if (round && call_sleep(call, (int64_t)(delay_s * 1e9) + 1))
            return 130;
        int n = list_processes(call, &list);
        double total = (double)host->memory_bytes / (1 << 20),
               used = (double)memory_used(host) / (1 << 20);
        call_out(call, "top - %s up 12 days,  3:00,  1 user,  load average: %s\n", clock_text(call),
                 load(call));
        call_out(call, "Tasks: %3d total,   1 running, %3d sleeping,   0 stopped,   0 zombie\n", n,
                 n - 1);
        call_out(
            call,
            "%%Cpu(s):  3.1 us,  1.2 sy,  0.0 ni, 95.5 id,  0.1 wa,  0.0 hi,  0.1 si,  0.0 st\n");
        call_out(call, "MiB Mem : %8.1f total, %8.1f free, %8.1f used, %8.1f buff/cache\n", total,
                 (total - used) * 0.6, used, (total - used) * 0.4);
        call_out(call, "MiB Swap: %8.1f total, %8.1f free, %8.1f used. %8.1f avail Mem\n\n", 2048.0,
                 2048.0, 0.0, total - used);
        call_out(
            call,
            "    PID USER      PR  NI    VIRT    RES    SHR S  %%CPU  %%MEM     TIME+ COMMAND\n");
        for (int i = 0; i < n; i++)
            call_out(call, "%7d %-9s 20   0  712340  98304  28672 S %5.1f %5.1f   0:12.00 %.15s\n",
                     list[i].pid, list[i].user, list[i].cpu, list[i].memory, list[i].command);
        call_out(call, "\n");
    }
    return 0;
}
