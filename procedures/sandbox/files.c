#include "procedures/sandbox/files.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <stdint.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#define SECOND_NS INT64_C(1000000000)

static struct timespec timespec_of(int64_t unix_ns)
{
    int64_t seconds = unix_ns / SECOND_NS, rest = unix_ns % SECOND_NS;
    if (rest < 0) {
        seconds--;
        rest += SECOND_NS;
    }
    return (struct timespec){.tv_sec = seconds, .tv_nsec = rest};
}

int files_open(int root_fd, const char *path, int flags, int mode)
{
    struct open_how how = {.flags = (unsigned)(flags | O_CLOEXEC),
                           .mode = flags & O_CREAT ? (unsigned)mode : 0,
                           .resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS};
    return files_resolve(root_fd, path, &how);
}

/* The kernel gives up on ".." when anything anywhere was renamed or mounted meanwhile: that is
 * nobody's business here. */
int files_resolve(int from_fd, const char *path, struct open_how *how)
{
    long fd;
    int tries = 0;
    do
        fd = syscall(SYS_openat2, from_fd, path, how, sizeof *how);
    while (fd < 0 && (errno == EAGAIN || errno == EINTR) && ++tries < 10000);
    return fd < 0 ? -errno : (int)fd;
}

int files_set_mtime(int fd, int64_t mtime_unix_ns)
{
    if (mtime_unix_ns == FILES_KEEP_MTIME)
        return 0;
    struct timespec times[2] = {timespec_of(mtime_unix_ns), timespec_of(mtime_unix_ns)};
    return futimens(fd, times) ? -errno : 0;
}

/* Opens the folder that holds `path`, making what is missing, and copies the last component to
 * `base`. */
static int open_parent(int root_fd, const char *path, char *base, size_t size, int64_t mtime)
{
    char folder[PATH_MAX];
    size_t len = strlen(path);
    while (len > 1 && path[len - 1] == '/')
        len--;
    if (len == 0 || len >= sizeof folder)
        return -ENAMETOOLONG;
    memcpy(folder, path, len);
    folder[len] = '\0';
    char *slash = strrchr(folder, '/');
    const char *name = slash ? slash + 1 : folder;
    if (!*name || strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
        return -EINVAL;
    if (strlen(name) >= size)
        return -ENAMETOOLONG;
    memcpy(base, name, strlen(name) + 1);
    if (slash)
        slash[slash == folder ? 1 : 0] = '\0';
    const char *parent = slash ? folder : ".";
    int fd = files_open(root_fd, parent, O_PATH | O_DIRECTORY, 0);
    if (fd != -ENOENT)
        return fd;
    int failed = files_make_folder(root_fd, parent, 0755, mtime);
    return failed ? failed : files_open(root_fd, parent, O_PATH | O_DIRECTORY, 0);
}

/* The kernel stamped the folder with the host's time: put the simulation's there. */
static void stamp_folder(int parent_fd, int64_t mtime)
{
    if (mtime == FILES_KEEP_MTIME)
        return;
    struct timespec times[2] = {timespec_of(mtime), timespec_of(mtime)};
    (void)utimensat(parent_fd, ".", times, 0);
}

static int write_all(int fd, const char *at, size_t len)
{
    while (len > 0) {
        ssize_t n = write(fd, at, len);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return -errno;
        at += n;
        len -= (size_t)n;
    }
    return 0;
}

static int put(int root_fd, const char *path, const void *at, size_t len, int flags, int mode,
               int64_t mtime)
{
    int fd = files_open(root_fd, path, O_WRONLY | O_NONBLOCK | flags, 0);
    if (fd == -ENOENT) {
        char base[NAME_MAX + 1];
        int parent = open_parent(root_fd, path, base, sizeof base, mtime);
        if (parent < 0)
            return parent;
        close(parent);
        fd = files_open(root_fd, path, O_WRONLY | O_CREAT | O_NONBLOCK | flags, mode ? mode : 0644);
        if (fd < 0)
            return fd;
        (void)fchmod(fd, (mode_t)(mode ? mode : 0644));
        parent = open_parent(root_fd, path, base, sizeof base, mtime);
        if (parent >= 0) {
            stamp_folder(parent, mtime);
            close(parent);
        }
    } else if (fd >= 0 && mode && !(flags & O_APPEND)) {
        (void)fchmod(fd, (mode_t)mode);
    }
    if (fd < 0)
        return fd;
    int failed = write_all(fd, at, len);
    if (!failed)
        failed = files_set_mtime(fd, mtime);
    close(fd);
    return failed;
}

int files_write(int root_fd, const char *path, const void *at, size_t len, int mode,
                int64_t mtime_unix_ns)
{
    return put(root_fd, path, at, len, O_TRUNC, mode, mtime_unix_ns);
}

int files_append(int root_fd, const char *path, const void *at, size_t len, int64_t mtime_unix_ns)
{
    return put(root_fd, path, at, len, O_APPEND, 0644, mtime_unix_ns);
}

int files_load(int root_fd, const char *path, struct buf *buf)
{
    int fd = files_open(root_fd, path, O_RDONLY | O_NONBLOCK, 0);
    if (fd < 0)
        return fd;
    char piece[16384];
    ssize_t n;
    while ((n = read(fd, piece, sizeof piece)) > 0)
        buf_add(buf, piece, (size_t)n);
    int failed = n < 0 ? -errno : 0;
    close(fd);
    return failed;
}

int files_unlink(int root_fd, const char *path, int64_t mtime_unix_ns)
{
    char base[NAME_MAX + 1];
    int parent = files_open(root_fd, path, O_PATH | O_NOFOLLOW, 0);
    if (parent < 0)
        return parent;
    close(parent);
    parent = open_parent(root_fd, path, base, sizeof base, mtime_unix_ns);
    if (parent < 0)
        return parent;
    int failed = unlinkat(parent, base, 0) ? -errno : 0;
    if (failed == -EISDIR)
        failed = unlinkat(parent, base, AT_REMOVEDIR) ? -errno : 0;
    if (!failed)
        stamp_folder(parent, mtime_unix_ns);
    close(parent);
    return failed;
}

int files_list(int root_fd, const char *path, struct buf *entries)
{
    int fd = files_open(root_fd, path, O_RDONLY | O_DIRECTORY, 0);
    if (fd < 0)
        return fd;
    DIR *folder = fdopendir(fd);
    if (!folder) {
        int failed = -errno;
        close(fd);
        return failed;
    }
    for (const struct dirent *entry; (entry = readdir(folder));) {
        struct stat st;
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0 ||
            fstatat(dirfd(folder), entry->d_name, &st, AT_SYMLINK_NOFOLLOW))
            continue;
        buf_printf(entries, "%c%04o%s",
                   S_ISDIR(st.st_mode)   ? 'd'
                   : S_ISLNK(st.st_mode) ? 'l'
                                         : 'f',
                   (unsigned)st.st_mode & 07777, entry->d_name);
        buf_putc(entries, '\0');
    }
    closedir(folder);
    return 0;
}

int files_make_folder(int root_fd, const char *path, int mode, int64_t mtime_unix_ns)
{
    char base[NAME_MAX + 1];
    if (strcmp(path, "/") == 0 || strcmp(path, ".") == 0)
        return 0;
    int parent = open_parent(root_fd, path, base, sizeof base, mtime_unix_ns);
    if (parent < 0)
        return parent;
    int failed = mkdirat(parent, base, (mode_t)(mode ? mode : 0755)) ? -errno : 0;
    bool there = failed == -EEXIST;
    if (!failed) {
        (void)fchmodat(parent, base, (mode_t)(mode ? mode : 0755), 0);
        stamp_folder(parent, mtime_unix_ns);
    }
    close(parent);
    if (there) { /* fine if it is a folder, or a link that leads to one */
        failed = files_open(root_fd, path, O_PATH | O_DIRECTORY, 0);
        if (failed >= 0) {
            close(failed);
            failed = 0;
        }
    }
    if (!failed && mtime_unix_ns != FILES_KEEP_MTIME) {
        int fd = files_open(root_fd, path, O_PATH | O_DIRECTORY, 0);
        if (fd >= 0) {
            stamp_folder(fd, mtime_unix_ns);
            if (there && mode)
                (void)fchmodat(fd, ".", (mode_t)mode, 0);
            close(fd);
        }
    }
    return failed;
}

int files_make_link(int root_fd, const char *path, const char *to, int64_t mtime_unix_ns)
{
    char base[NAME_MAX + 1];
    int parent = open_parent(root_fd, path, base, sizeof base, mtime_unix_ns);
    if (parent < 0)
        return parent;
    int failed = symlinkat(to, parent, base) ? -errno : 0;
    if (!failed && mtime_unix_ns != FILES_KEEP_MTIME) {
        struct timespec times[2] = {timespec_of(mtime_unix_ns), timespec_of(mtime_unix_ns)};
        (void)utimensat(parent, base, times, AT_SYMLINK_NOFOLLOW);
        stamp_folder(parent, mtime_unix_ns);
    }
    close(parent);
    return failed;
}
