/* The times of files. The kernel stamps every change with the host's time; right after the call that made it we put the
 * simulation's there, before anybody can look. */
#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "procedures/sandbox/files.h"
#include "procedures/supervisor/core.h"

/* Calls that change the folder in which a name stands, and where they have the name. */
static const struct name_call {
    long number;
    signed char folder_argument; /* of a descriptor; -1: the working folder */
    signed char path_argument;
    bool makes; /* a new thing of that name, that has a time of its own */
    bool itself; /* it is the named thing that changed, not its folder */
} name_calls[] = {
    {SYS_open, -1, 0, false, false},     {SYS_creat, -1, 0, false, false},   {SYS_openat, 0, 1, false, false},
    {SYS_unlink, -1, 0, false, false},   {SYS_unlinkat, 0, 1, false, false}, {SYS_rmdir, -1, 0, false, false},
    {SYS_mkdir, -1, 0, true, false},     {SYS_mkdirat, 0, 1, true, false},   {SYS_mknod, -1, 0, true, false},
    {SYS_mknodat, 0, 1, true, false},    {SYS_symlink, -1, 1, true, false},  {SYS_symlinkat, 1, 2, true, false},
    {SYS_link, -1, 1, false, false},     {SYS_linkat, 2, 3, false, false},   {SYS_rename, -1, 0, false, false},
    {SYS_rename, -1, 1, false, false},   {SYS_renameat, 0, 1, false, false}, {SYS_renameat, 2, 3, false, false},
    {SYS_renameat2, 0, 1, false, false}, {SYS_renameat2, 2, 3, false, false}, {SYS_truncate, -1, 0, false, true},
    {SYS_utime, -1, 0, false, true},     {SYS_utimes, -1, 0, false, true},
};

/* Resolves as the task would, from outside: nothing leads out of the task's root. */
static int open_in(const struct task *t, const char *base, const char *path)
{
    char link[64];
    struct open_how how = {.flags = O_PATH | O_DIRECTORY | O_CLOEXEC, .resolve = RESOLVE_NO_MAGICLINKS};
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

/* The folder in which `path` stands; cuts the path at its last slash. Not following ".." or links out of the start: those
 * are tried again from the root. */
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
    struct timespec times[2] = {{now / SECOND_NS, now % SECOND_NS}, {now / SECOND_NS, now % SECOND_NS}};
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

/* A file that was just made has the time of its making, the host's; one that was opened again has not. */
static bool just_made(int fd)
{
    struct statx st;
    return statx(fd, "", AT_EMPTY_PATH, STATX_MTIME | STATX_BTIME, &st) == 0 &&
           st.stx_btime.tv_sec == st.stx_mtime.tv_sec && st.stx_btime.tv_nsec == st.stx_mtime.tv_nsec;
}

static bool truncates(const struct task *t)
{
    uint64_t flags = t->number == SYS_openat ? t->arguments[2] : t->number == SYS_open ? t->arguments[1] : O_TRUNC;
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

/* A change time cannot be set, only told: it is the time of the last modification, and so is the birth. */
void stamp_leave_stat(struct task *t)
{
    struct statx st;
    if (arch_result(&t->registers) < 0 || !task_read(t, t->arguments[4], &st, sizeof st))
        return;
    st.stx_ctime = st.stx_btime = st.stx_mtime;
    st.stx_dev_major = 0;
    st.stx_dev_minor = 42;
    (void)task_write(t, t->arguments[4], &st, sizeof st);
}
