/* The times of files. The kernel stamps every change with the host's time; right after the call
 * that made it we put the simulation's there, before anybody can look. */
#include <fcntl.h>
#include <limits.h>
#include <linux/magic.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "procedures/sandbox/files.h"
#include "procedures/supervisor/core.h"
#include "sim/base/xalloc.h"

enum {
    ROOT_MINOR = 42,
    PROC_MINOR = 43
}; /* of the devices, as in /proc/self/mountinfo (procfs.c) */

/* Calls that change the folder in which a name stands, and where they have the name. */
static const struct name_call {
    long number;
    signed char folder_argument; /* of a descriptor; -1: the working folder */
    signed char path_argument;
    bool makes;  /* a new thing of that name, that has a time of its own */
    bool itself; /* it is the named thing that changed, not its folder */
} name_calls[] = {
    {SYS_open, -1, 0, false, false},     {SYS_creat, -1, 0, false, false},
    {SYS_openat, 0, 1, false, false},    {SYS_unlink, -1, 0, false, false},
    {SYS_unlinkat, 0, 1, false, false},  {SYS_rmdir, -1, 0, false, false},
    {SYS_mkdir, -1, 0, true, false},     {SYS_mkdirat, 0, 1, true, false},
    {SYS_mknod, -1, 0, true, false},     {SYS_mknodat, 0, 1, true, false},
    {SYS_symlink, -1, 1, true, false},   {SYS_symlinkat, 1, 2, true, false},
    {SYS_link, -1, 1, false, false},     {SYS_linkat, 2, 3, false, false},
    {SYS_rename, -1, 0, false, false},   {SYS_rename, -1, 1, false, false},
    {SYS_renameat, 0, 1, false, false},  {SYS_renameat, 2, 3, false, false},
    {SYS_renameat2, 0, 1, false, false}, {SYS_renameat2, 2, 3, false, false},
    {SYS_truncate, -1, 0, false, true},  {SYS_utime, -1, 0, false, true},
    {SYS_utimes, -1, 0, false, true},
};

/* Resolves as the task would, from outside: nothing leads out of the task's root. */
static int open_in(const struct task *t, const char *base, const char *path)
{
    char link[64];
    struct open_how how = {.flags = O_PATH | O_DIRECTORY | O_CLOEXEC,
                           .resolve = RESOLVE_NO_MAGICLINKS};
    snprintf(link, sizeof link, "/proc/%d/%s", (int)t->pid, base);
    int from = open(link, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (from < 0 || !*path)
        return from;
    how.resolve |= *path == '/' ? RESOLVE_IN_ROOT : RESOLVE_BENEATH;
    int fd = files_resolve(from, path, &how);
    close(from);
    return fd;
}

/* The working folder's path inside the task's root; "" if that cannot be told. */
static void working_folder(const struct task *t, char *text, size_t size)
{
    char link[64], root[PATH_MAX];
    snprintf(link, sizeof link, "/proc/%d/root", (int)t->pid);
    ssize_t n = readlink(link, root, sizeof root - 1);
    root[n > 0 ? n : 0] = '\0';
    snprintf(link, sizeof link, "/proc/%d/cwd", (int)t->pid);
    ssize_t m = readlink(link, text, size - 1);
    text[m > 0 ? m : 0] = '\0';
    if (n > 1 && strncmp(text, root, (size_t)n) == 0)
        memmove(text, text + n, strlen(text + n) + 1);
}

/* The folder in which `path` stands; cuts the path at its last slash. Not following ".." or links
 * out of the start: those are tried again from the root. */
static int open_folder(const struct task *t, int from, char *path, const char **base)
{
    char start[32] = "cwd", whole[PATH_MAX * 2 + 2];
    char *slash = strrchr(path, '/');
    *base = slash ? slash + 1 : path;
    if (slash)
        *slash = '\0';
    if (slash == path)
        return open_in(t, "root", "");
    if (slash && *path == '/')
        return open_in(t, "root", path);
    if (from != AT_FDCWD)
        snprintf(start, sizeof start, "fd/%d", from);
    int fd = open_in(t, start, slash ? path : "");
    if (fd >= 0 || from != AT_FDCWD)
        return fd;
    char folder[PATH_MAX];
    working_folder(t, folder, sizeof folder);
    snprintf(whole, sizeof whole, "%s/%s", folder, path);
    return open_in(t, "root", whole);
}

static void stamp_name(struct supervisor *s, struct task *t, const struct name_call *call)
{
    char path[PATH_MAX];
    const char *base;
    int64_t now = clock_unix_ns(s);
    struct timespec times[2] = {{now / SECOND_NS, now % SECOND_NS},
                                {now / SECOND_NS, now % SECOND_NS}};
    int from = call->folder_argument < 0 ? AT_FDCWD : (int)t->arguments[call->folder_argument];
    if (!task_read_text(t, t->arguments[call->path_argument], path, sizeof path))
        return;
    size_t len = strlen(path);
    while (len > 1 && path[len - 1] == '/')
        path[--len] = '\0';
    char name[NAME_MAX + 1];
    int folder = -1;
    if (s->sandbox.tier == TIER_LANDLOCK) {
        folder = paths_open_folder(s, t, from, path, name, sizeof name);
        base = name;
    } else {
        folder = open_folder(t, from, path, &base);
    }
    if (folder < 0)
        return;
    if ((call->makes || call->itself) && strcmp(base, "..") != 0)
        (void)utimensat(folder, base, times, AT_SYMLINK_NOFOLLOW);
    if (!call->itself)
        (void)utimensat(folder, ".", times, 0);
    close(folder);
}

static void stamp_names(struct supervisor *s, struct task *t)
{
    bool set = (t->number == SYS_utime || t->number == SYS_utimes) && t->arguments[1];
    for (size_t i = 0; i < sizeof name_calls / sizeof *name_calls; i++)
        if (name_calls[i].number == t->number && !set)
            stamp_name(s, t, &name_calls[i]);
}

/* ---- by descriptor ---- */

static bool opens(long number)
{
    return number == SYS_open || number == SYS_creat || number == SYS_openat;
}

/* Which descriptor a call changed, given its result; -1: it changed a name. */
static int changed_descriptor(const struct task *t, long result)
{
    if (opens(t->number))
        return (int)result;
    switch (t->number) {
    case SYS_copy_file_range:
    case SYS_splice:
        return (int)t->arguments[2];
    case SYS_write:
    case SYS_writev:
    case SYS_pwrite64:
    case SYS_pwritev:
    case SYS_ftruncate:
    case SYS_fallocate:
    case SYS_sendfile:
        return (int)t->arguments[0];
    default:
        return -1;
    }
}

/* A file that was just made has the time of its making, the host's; one that was opened again has
 * not. */
static bool just_made(int fd)
{
    struct statx st;
    return statx(fd, "", AT_EMPTY_PATH, STATX_MTIME | STATX_BTIME, &st) == 0 &&
           st.stx_btime.tv_sec == st.stx_mtime.tv_sec &&
           st.stx_btime.tv_nsec == st.stx_mtime.tv_nsec;
}

static bool truncates(const struct task *t)
{
    uint64_t flags = t->number == SYS_openat ? t->arguments[2]
                     : t->number == SYS_open ? t->arguments[1]
                                             : O_TRUNC;
    return (flags & O_TRUNC) != 0;
}

void stamp_leave(struct supervisor *s, struct task *t)
{
    long result = arch_result(&t->registers);
    struct stat st;
    if (result < 0)
        return;
    int number = changed_descriptor(t, result);
    if (number < 0) {
        stamp_names(s, t);
        return;
    }
    int fd = task_descriptor(t, number);
    if (fd < 0)
        return;
    bool regular = fstat(fd, &st) == 0 && S_ISREG(st.st_mode);
    bool made = regular && opens(t->number) && just_made(fd);
    if (made)
        stamp_names(s, t);
    if (made || (regular && (!opens(t->number) || truncates(t))))
        (void)files_set_mtime(fd, clock_unix_ns(s));
    close(fd);
}

/* "Now" is the simulation's. */
void stamp_times(struct supervisor *s, struct task *t)
{
    struct timespec times[2] = {{0, UTIME_NOW}, {0, UTIME_NOW}};
    int64_t now = clock_unix_ns(s);
    if (t->arguments[2] && !task_read(t, t->arguments[2], times, sizeof times)) {
        task_resume(t, false);
        return;
    }
    for (int i = 0; i < 2; i++)
        if (times[i].tv_nsec == UTIME_NOW)
            times[i] = (struct timespec){now / SECOND_NS, now % SECOND_NS};
    uint64_t at = arch_scratch(&t->registers, sizeof times);
    if (!task_write_scratch(t, at, times, sizeof times)) {
        task_resume(t, false);
        return;
    }
    t->detour = DETOUR_OTHER;
    arch_set_argument(&t->registers, 2, at);
    (void)arch_set(t->pid, &t->registers);
    task_resume(t, true);
}

/* ---- what is told of a file ---- */

/* A number for an inode that the kernel counts over all of the host: of a pipe, a socket, a
 * process's file. */
static ino_t number_of(struct supervisor *s, ino_t inode)
{
    int n = 0;
    while (n < s->n_inodes && s->inodes[n] != inode)
        n++;
    if (n == s->n_inodes) {
        XGROW(s->inodes, s->n_inodes, s->cap_inodes);
        s->inodes[s->n_inodes++] = inode;
    }
    return 1000 + (ino_t)n;
}

/* A change time cannot be set, only told: it is the time of the last modification, and so is the
 * birth. Of what the kernel makes itself (processes, devices, pipes) all times are the start's. */
static void tell_statx(struct supervisor *s, struct task *t, uint64_t at)
{
    struct statx st;
    if (!task_read(t, at, &st, sizeof st))
        return;
    dev_t device = makedev(st.stx_dev_major, st.stx_dev_minor);
    bool process = device == s->proc_device,
         terminal = device == s->terminal_device && device != s->root_device;
    bool pipe = S_ISFIFO(st.stx_mode) || S_ISSOCK(st.stx_mode);
    if (process || terminal || S_ISCHR(st.stx_mode) || (pipe && device != s->root_device)) {
        st.stx_mtime = (struct statx_timestamp){.tv_sec = s->start_unix_ns / SECOND_NS};
        st.stx_atime = st.stx_mtime;
        if (process && st.stx_ino == 1)
            st.stx_nlink = 9;
        else if (process || pipe)
            st.stx_ino = number_of(s, st.stx_ino);
    }
    if (s->sandbox.tier == TIER_LANDLOCK || device != s->root_device)
        st.stx_atime = st.stx_mtime; /* the host keeps times of access */
    st.stx_ctime = st.stx_btime = st.stx_mtime;
    st.stx_dev_major = 0;
    st.stx_dev_minor = process ? PROC_MINOR : ROOT_MINOR;
    (void)task_write(t, at, &st, sizeof st);
}

static void tell_stat(struct supervisor *s, struct task *t, uint64_t at)
{
    struct stat st;
    if (!task_read(t, at, &st, sizeof st))
        return;
    bool process = st.st_dev == s->proc_device, pipe = S_ISFIFO(st.st_mode) || S_ISSOCK(st.st_mode);
    bool terminal = st.st_dev == s->terminal_device && st.st_dev != s->root_device;
    if (process || terminal || S_ISCHR(st.st_mode) || (pipe && st.st_dev != s->root_device)) {
        st.st_atim = st.st_mtim = (struct timespec){s->start_unix_ns / SECOND_NS, 0};
        if (process && st.st_ino == 1)
            st.st_nlink = 9;
        else if (process || pipe)
            st.st_ino = number_of(s, st.st_ino);
    }
    if (s->sandbox.tier == TIER_LANDLOCK || st.st_dev != s->root_device)
        st.st_atim = st.st_mtim;
    st.st_ctim = st.st_mtim;
    st.st_dev = makedev(0, process ? PROC_MINOR : ROOT_MINOR);
    (void)task_write(t, at, &st, sizeof st);
}

/* The host's file systems, of which some files are bound, are none of a playbook's. */
static void tell_statfs(struct supervisor *s, struct task *t, uint64_t at)
{
    struct statfs st;
    if (!task_read(t, at, &st, sizeof st) || st.f_type == PROC_SUPER_MAGIC)
        return;
    if (s->sandbox.tier == TIER_NAMESPACES && st.f_type == TMPFS_MAGIC)
        return;
    fsblkcnt_t blocks = (fsblkcnt_t)(s->limits.disk_bytes / 4096);
    struct statfs told = {.f_type = TMPFS_MAGIC,
                          .f_bsize = 4096,
                          .f_frsize = 4096,
                          .f_blocks = blocks,
                          .f_bfree = blocks,
                          .f_bavail = blocks,
                          .f_files = 262144,
                          .f_ffree = 262144,
                          .f_namelen = 255};
    (void)task_write(t, at, &told, sizeof told);
}

void stamp_leave_stat(struct supervisor *s, struct task *t)
{
    if (arch_result(&t->registers) < 0)
        return;
    switch (t->number) {
    case SYS_statx:
        tell_statx(s, t, t->arguments[4]);
        break;
    case SYS_newfstatat:
        tell_stat(s, t, t->arguments[2]);
        break;
    case SYS_statfs:
    case SYS_fstatfs:
        tell_statfs(s, t, t->arguments[1]);
        break;
    default:
        tell_stat(s, t, t->arguments[1]);
    }
}

/* "pipe:[NUMBER]" and the like, by which /proc/PID/fd shows what has no name. */
void stamp_leave_link(struct supervisor *s, struct task *t)
{
    char text[64], told[64];
    long result = arch_result(&t->registers);
    uint64_t at = t->arguments[t->number == SYS_readlink ? 1 : 2];
    if (result <= 0 || result >= (long)sizeof text || !task_read(t, at, text, (size_t)result))
        return;
    text[result] = '\0';
    const char *bracket = strchr(text, '[');
    bool known = strncmp(text, "pipe:[", 6) == 0 || strncmp(text, "socket:[", 8) == 0;
    if (!known || !bracket)
        return;
    ino_t inode = strtoull(bracket + 1, NULL, 10);
    int len = snprintf(told, sizeof told, "%.*s[%llu]", (int)(bracket - text), text,
                       (unsigned long long)number_of(s, inode));
    if (len > result)
        return;
    if (task_write(t, at, told, (size_t)len)) {
        arch_set_result(&t->registers, len);
        (void)arch_set(t->pid, &t->registers);
    }
}
