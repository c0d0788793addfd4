/* Without namespaces: every path that a task gives is led into the folder that stands for its root,
 * every process that it names must be one of the tree. Landlock holds the tasks in whatever is done
 * here; this is what makes it look like "/".
 *
 * A path is resolved from outside by the kernel (openat2, RESOLVE_IN_ROOT), and the task gets the
 * real one in its place, in memory below its stack; its registers hold its own again when the call
 * is over. The programs, libraries, devices and files of /proc that the sandbox allows are those of
 * the host, at their own paths.
 */
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "procedures/sandbox/files.h"
#include "procedures/sandbox/programs.h"
#include "procedures/sandbox/root.h"
#include "procedures/supervisor/core.h"

enum { DEPTH_MAX = 8 }; /* of links that lead from the folder to the host's files */

/* Where a call has a path. `folder`: argument of its folder's descriptor, -1 the working folder.
 * `flags`: argument that may hold `nofollow`; -1: it follows links, -2: it does not. */
struct path_call {
    long number;
    signed char folder, path, flags;
    unsigned nofollow;
};

static const struct path_call calls[] = {
    {SYS_open, -1, 0, 1, O_NOFOLLOW | O_EXCL},
    {SYS_creat, -1, 0, -1, 0},
    {SYS_openat, 0, 1, 2, O_NOFOLLOW | O_EXCL},
    {SYS_stat, -1, 0, -1, 0},
    {SYS_lstat, -1, 0, -2, 0},
    {SYS_newfstatat, 0, 1, 3, AT_SYMLINK_NOFOLLOW},
    {SYS_statx, 0, 1, 2, AT_SYMLINK_NOFOLLOW},
    {SYS_access, -1, 0, -1, 0},
    {SYS_faccessat, 0, 1, -1, 0},
    {SYS_faccessat2, 0, 1, 3, AT_SYMLINK_NOFOLLOW},
    {SYS_readlink, -1, 0, -2, 0},
    {SYS_readlinkat, 0, 1, -2, 0},
    {SYS_execve, -1, 0, -1, 0},
    {SYS_execveat, 0, 1, 4, AT_SYMLINK_NOFOLLOW},
    {SYS_mkdir, -1, 0, -2, 0},
    {SYS_mkdirat, 0, 1, -2, 0},
    {SYS_mknod, -1, 0, -2, 0},
    {SYS_mknodat, 0, 1, -2, 0},
    {SYS_rmdir, -1, 0, -2, 0},
    {SYS_unlink, -1, 0, -2, 0},
    {SYS_unlinkat, 0, 1, -2, 0},
    {SYS_rename, -1, 0, -2, 0},
    {SYS_rename, -1, 1, -2, 0},
    {SYS_renameat, 0, 1, -2, 0},
    {SYS_renameat, 2, 3, -2, 0},
    {SYS_renameat2, 0, 1, -2, 0},
    {SYS_renameat2, 2, 3, -2, 0},
    {SYS_link, -1, 0, -2, 0},
    {SYS_link, -1, 1, -2, 0},
    {SYS_linkat, 0, 1, -2, 0},
    {SYS_linkat, 2, 3, -2, 0},
    {SYS_symlink, -1, 1, -2, 0},
    {SYS_symlinkat, 1, 2, -2, 0},
    {SYS_chmod, -1, 0, -1, 0},
    {SYS_fchmodat, 0, 1, -1, 0},
    {SYS_chown, -1, 0, -1, 0},
    {SYS_lchown, -1, 0, -2, 0},
    {SYS_fchownat, 0, 1, 4, AT_SYMLINK_NOFOLLOW},
    {SYS_truncate, -1, 0, -1, 0},
    {SYS_utime, -1, 0, -1, 0},
    {SYS_utimes, -1, 0, -1, 0},
    {SYS_futimesat, 0, 1, -1, 0},
    {SYS_utimensat, 0, 1, 3, AT_SYMLINK_NOFOLLOW},
    {SYS_statfs, -1, 0, -1, 0},
    {SYS_chdir, -1, 0, -1, 0},
    {SYS_getxattr, -1, 0, -1, 0},
    {SYS_lgetxattr, -1, 0, -2, 0},
    {SYS_setxattr, -1, 0, -1, 0},
    {SYS_lsetxattr, -1, 0, -2, 0},
    {SYS_listxattr, -1, 0, -1, 0},
    {SYS_llistxattr, -1, 0, -2, 0},
    {SYS_removexattr, -1, 0, -1, 0},
    {SYS_lremovexattr, -1, 0, -2, 0},
    {SYS_inotify_add_watch, -1, 1, 2, IN_DONT_FOLLOW},
    /* by descriptor alone */
    {SYS_fchmod, 0, -1, -1, 0},
    {SYS_fchown, 0, -1, -1, 0},
    {SYS_fsetxattr, 0, -1, -1, 0},
    {SYS_fremovexattr, 0, -1, -1, 0},
};

/* ---- from the host's paths to the task's ---- */

void paths_root(const struct supervisor *s, const struct task *t, char *text, size_t size)
{
    if (*t->process->place)
        snprintf(text, size, "%s" ROOT_PLACES "/%s", s->sandbox.jail, t->process->place);
    else
        snprintf(text, size, "%s", s->sandbox.jail);
}

/* Takes the root off the front, in place. */
static void strip(const char *root, char *path)
{
    size_t len = strlen(root);
    if (strncmp(path, root, len) != 0 || (path[len] != '/' && path[len] != '\0'))
        return;
    memmove(path, path + len, strlen(path + len) + 1);
    if (!*path)
        memcpy(path, "/", 2);
}

static bool read_link(const char *path, char *text, size_t size)
{
    ssize_t n = readlink(path, text, size - 1);
    if (n < 0)
        return false;
    text[n] = '\0';
    return true;
}

/* A folder of the task by its descriptor, or its working folder, as the task sees it. */
static bool folder_of(const struct supervisor *s, const struct task *t, int fd, char *text,
                      size_t size)
{
    char link[64], root[PATH_MAX];
    if (fd == AT_FDCWD)
        snprintf(link, sizeof link, "/proc/%d/cwd", (int)t->pid);
    else
        snprintf(link, sizeof link, "/proc/%d/fd/%d", (int)t->pid, fd);
    if (!read_link(link, text, size))
        return false;
    paths_root(s, t, root, sizeof root);
    strip(root, text);
    return true;
}

/* ---- from the task's paths to the host's ---- */

/* Without "." and doubled slashes, ".." taken off by name: good enough to tell what kind of path it
 * is. */
static void normalize(const char *path, char *out, size_t size)
{
    size_t len = 0;
    while (*path) {
        while (*path == '/')
            path++;
        size_t n = strcspn(path, "/");
        if (n == 2 && path[0] == '.' && path[1] == '.') {
            while (len > 0 && out[--len] != '/')
                continue;
        } else if (n > 0 && !(n == 1 && path[0] == '.') && len + n + 2 < size) {
            out[len++] = '/';
            memcpy(out + len, path, n);
            len += n;
        }
        path += n;
    }
    if (len == 0)
        out[len++] = '/';
    out[len] = '\0';
}

static bool below(const char *path, const char *folder)
{
    size_t len = strlen(folder);
    return strncmp(path, folder, len) == 0 && (path[len] == '/' || path[len] == '\0');
}

/* The host's own, at the same path: libraries, devices. Fills `real`. */
static bool of_host(const char *path, char *real, size_t size)
{
    static const char *const devices[] = {"/dev/null",       "/dev/zero",    "/dev/full",
                                          "/dev/random",     "/dev/urandom", "/dev/tty",
                                          "/etc/ld.so.cache"};
    static const struct {
        const char *name, *is;
    } streams[] = {{"/dev/fd", "/proc/self/fd"},
                   {"/dev/stdin", "/proc/self/fd/0"},
                   {"/dev/stdout", "/proc/self/fd/1"},
                   {"/dev/stderr", "/proc/self/fd/2"}};
    char usr[PATH_MAX + 8];
    snprintf(real, size, "%s", path);
    for (size_t i = 0; i < sizeof devices / sizeof *devices; i++)
        if (strcmp(path, devices[i]) == 0)
            return true;
    for (size_t i = 0; i < sizeof streams / sizeof *streams; i++)
        if (below(path, streams[i].name)) {
            snprintf(real, size, "%s%s", streams[i].is, path + strlen(streams[i].name));
            return true;
        }
    bool short_name = below(path, "/lib") || below(path, "/lib64");
    snprintf(usr, sizeof usr, "%s%s", short_name ? "/usr" : "", path);
    for (const char *const *folder = library_folders; *folder; folder++)
        if (below(usr, *folder))
            return true;
    for (const char *const *folder = python_folders; *folder; folder++)
        if (below(usr, *folder))
            return true;
    return false;
}

/* An allowed program of the host. */
static bool program_of_host(const struct supervisor *s, const char *path, char *real, size_t size)
{
    static const char *const folders[] = {"/usr/bin/", "/bin/", "/usr/sbin/", "/sbin/"};
    const char *name = NULL;
    for (size_t i = 0; i < sizeof folders / sizeof *folders && !name; i++)
        if (strncmp(path, folders[i], strlen(folders[i])) == 0)
            name = path + strlen(folders[i]);
    if (!name || strchr(name, '/'))
        return false;
    bool allowed = false;
    for (const char *const *p = standard_programs; *p && !allowed; p++)
        allowed = strcmp(*p, name) == 0;
    for (char **p = s->programs; p && *p && !allowed; p++)
        allowed = strcmp(*p, name) == 0;
    return allowed && program_find(name, real, size);
}

static bool real_path_of(int fd, char *real, size_t size)
{
    char link[64];
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    bool known = read_link(link, real, size);
    close(fd);
    return known;
}

/* The folder of a name that need not exist, and the name. */
static void resolve_parent(int root_fd, const char *root, const char *path, char *real, size_t size)
{
    char folder[PATH_MAX];
    struct open_how how = {.flags = O_PATH | O_DIRECTORY | O_CLOEXEC,
                           .resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS};
    snprintf(folder, sizeof folder, "%s", path);
    size_t len = strlen(folder);
    while (len > 1 && folder[len - 1] == '/')
        folder[--len] = '\0';
    char *slash = strrchr(folder, '/');
    char name[NAME_MAX + 1];
    snprintf(name, sizeof name, "%.255s", slash ? slash + 1 : folder);
    if (slash)
        slash[slash == folder ? 1 : 0] = '\0';
    int fd = files_resolve(root_fd, folder, &how);
    char parent[PATH_MAX];
    if (fd >= 0 && real_path_of(fd, parent, sizeof parent))
        snprintf(real, size, "%.3800s/%.255s", parent, name);
    else
        snprintf(real, size, "%.500s%.3500s", root, path); /* which is not there either */
}

static void translate(const struct supervisor *s, const struct task *t, const char *path,
                      bool follow, int depth, char *real, size_t size);

/* One name off the front of `rest` ("/NAME..."); false if there is none. */
static bool next_name(const char **rest, char *name, size_t size)
{
    if (**rest != '/')
        return false;
    size_t len = strcspn(*rest + 1, "/");
    snprintf(name, size, "%.*s", (int)len, *rest + 1);
    *rest += len + 1;
    return true;
}

static const struct task *task_numbered(const struct supervisor *s, const char *number)
{
    long pid = isdigit((unsigned char)*number) ? strtol(number, NULL, 10) : 0;
    for (const struct task *t = s->tasks; t; t = t->next)
        if (t->pid == pid && t != s->init)
            return t;
    return NULL;
}

/* Below /proc: only what is said of the tree's own processes. Their links to folders are taken
 * here: the kernel would follow them to the host's root, and Landlock does not hold what needs no
 * opening (chmod, stat, chdir). */
static void translate_proc(const struct supervisor *s, const struct task *t, const char *path,
                           bool follow, int depth, char *real, size_t size)
{
    char name[NAME_MAX + 1], base[96], folder[PATH_MAX], whole[PATH_MAX * 2];
    const char *rest = path + strlen("/proc"), *behind;
    const struct task *of = t;
    snprintf(real, size, "%s", path);
    if (!next_name(&rest, name, sizeof name))
        return;
    bool self = strcmp(name, "self") == 0, thread = strcmp(name, "thread-self") == 0;
    if ((self || thread) && !*rest && !follow)
        return;
    if (!self && !thread && !isdigit((unsigned char)*name))
        return;
    if (isdigit((unsigned char)*name))
        of = task_numbered(s, name);
    behind = rest;
    if (of && next_name(&behind, name, sizeof name) && strcmp(name, "task") == 0 &&
        next_name(&behind, name, sizeof name)) {
        of = task_numbered(s, name);
        thread = true;
        rest = behind;
    }
    snprintf(real, size, "/proc/0"); /* there is none such */
    if (!of || depth >= DEPTH_MAX)
        return;
    snprintf(base, sizeof base, thread ? "/proc/%d/task/%d" : "/proc/%d", (int)of->process->pid,
             (int)of->pid);
    snprintf(real, size, "%s%s", base, rest);
    behind = rest;
    if (!next_name(&behind, name, sizeof name))
        return;
    bool root = strcmp(name, "root") == 0, cwd = strcmp(name, "cwd") == 0,
         fd = strcmp(name, "fd") == 0;
    if (root)
        memcpy(folder, "", 1);
    else if (cwd && !folder_of(s, of, AT_FDCWD, folder, sizeof folder))
        return;
    else if (fd &&
             !(next_name(&behind, name, sizeof name) && *behind && isdigit((unsigned char)*name) &&
               folder_of(s, of, (int)strtol(name, NULL, 10), folder, sizeof folder) &&
               *folder == '/'))
        return;
    if (!(root || cwd || fd) || (!*behind && !follow))
        return;
    snprintf(whole, sizeof whole, "%s%s", folder, *behind || *folder ? behind : "/");
    translate(s, of, whole, follow, depth + 1, real, size);
}

/* The host's path for an absolute path of the task. */
static void translate(const struct supervisor *s, const struct task *t, const char *path,
                      bool follow, int depth, char *real, size_t size)
{
    char plain[PATH_MAX], root[PATH_MAX], target[PATH_MAX], next[PATH_MAX * 2];
    struct open_how how = {.flags = O_PATH | O_CLOEXEC | (follow ? 0u : (unsigned)O_NOFOLLOW),
                           .resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS};
    normalize(path, plain, sizeof plain);
    if (below(plain, "/proc")) {
        translate_proc(s, t, plain, follow, depth, real, size);
        return;
    }
    if (of_host(plain, real, size))
        return;
    paths_root(s, t, root, sizeof root);
    int root_fd = open(root, O_PATH | O_DIRECTORY | O_CLOEXEC);
    int fd = files_resolve(root_fd, path, &how);
    if (fd >= 0) {
        struct stat st;
        bool placeholder = fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_size == 0;
        (void)real_path_of(fd, real, size);
        close(root_fd);
        if (placeholder && program_of_host(s, plain, target, sizeof target))
            snprintf(real, size, "%s", target);
        return;
    }
    resolve_parent(root_fd, root, path, real, size);
    close(root_fd);
    if (follow && depth < DEPTH_MAX && read_link(real, target, sizeof target)) {
        /* A link that leads to nothing in the folder: to the host's files, or to a file that is to
         * be made. */
        char *slash = strrchr(plain, '/');
        *slash = '\0';
        snprintf(next, sizeof next, "%s%s%s", *target == '/' ? "" : plain,
                 *target == '/' ? "" : "/", target);
        translate(s, t, next, true, depth + 1, real, size);
    }
}

static bool follows(const struct task *t, const struct path_call *call)
{
    if (call->flags == -1)
        return true;
    return call->flags >= 0 && !(t->arguments[call->flags] & call->nofollow);
}

/* Changes what Landlock does not hold: owner, rights, times (and, before version 3, the length). */
static bool changes_attributes(long number)
{
    switch (number) {
    case SYS_chmod:
    case SYS_fchmod:
    case SYS_fchmodat:
    case SYS_chown:
    case SYS_fchown:
    case SYS_lchown:
    case SYS_fchownat:
    case SYS_utime:
    case SYS_utimes:
    case SYS_futimesat:
    case SYS_utimensat:
    case SYS_truncate:
    case SYS_setxattr:
    case SYS_lsetxattr:
    case SYS_fsetxattr:
    case SYS_removexattr:
    case SYS_lremovexattr:
    case SYS_fremovexattr:
        return true;
    default:
        return false;
    }
}

/* Is it the sandbox's own, or has it no name (a pipe)? What a descriptor leads to, as the host sees
 * it. */
static bool is_inside(const struct supervisor *s, const char *real)
{
    return *real != '/' || below(real, s->sandbox.jail) || strncmp(real, "/memfd:", 7) == 0;
}

/* Owner, rights, times of a file of the host: as on the read-only mounts of the other tier. */
static int may_change(const struct supervisor *s, const char *real, bool follow)
{
    char found[PATH_MAX];
    int fd = open(real, O_PATH | O_CLOEXEC | (follow ? 0 : O_NOFOLLOW));
    if (fd < 0)
        return -errno;
    return real_path_of(fd, found, sizeof found) && is_inside(s, found) ? 0 : -EROFS;
}

static int may_change_descriptor(const struct supervisor *s, const struct task *t, int fd)
{
    char link[64], found[PATH_MAX];
    snprintf(link, sizeof link, fd == AT_FDCWD ? "/proc/%d/cwd" : "/proc/%d/fd/%d", (int)t->pid,
             fd);
    return !read_link(link, found, sizeof found) || is_inside(s, found) ? 0 : -EROFS;
}

/* Leads one path of the call inside. Negative errno if that cannot be done. */
static int lead(struct supervisor *s, struct task *t, const struct path_call *call, int index)
{
    char path[PATH_MAX], whole[PATH_MAX * 2 + 2], root[PATH_MAX], real[PATH_MAX];
    int from = call->folder < 0 ? AT_FDCWD : (int)t->arguments[call->folder];
    bool named = call->path >= 0 && t->arguments[call->path] != 0;
    if (named && !task_read_text(t, t->arguments[call->path], path, sizeof path))
        return -EFAULT;
    if (!named || !*path) /* about a descriptor */
        return changes_attributes(t->number) ? may_change_descriptor(s, t, from) : 0;
    paths_root(s, t, root, sizeof root);
    if (*path == '/') {
        strip(root, path);
        snprintf(whole, sizeof whole, "%s", path);
    } else {
        if (!folder_of(s, t, from, whole, PATH_MAX))
            return 0; /* the kernel says what is wrong with it */
        size_t len = strlen(whole);
        snprintf(whole + len, sizeof whole - len, "/%s", path);
    }
    translate(s, t, whole, follows(t, call), 0, real, sizeof real);
    int refused = changes_attributes(t->number) ? may_change(s, real, follows(t, call)) : 0;
    if (refused)
        return refused;
    if (*path != '/') {
        char plain[PATH_MAX];
        normalize(whole, plain, sizeof plain);
        if (below(real, root) && strcmp(real + strlen(root), plain) == 0)
            return 0; /* there is no link in it: the kernel comes to the same by itself, and scripts
                         keep their names */
    }
    size_t len = strlen(path), real_len = strlen(real);
    if (len > 1 && path[len - 1] == '/' && real_len + 1 < sizeof real) /* it must be a folder */
        memcpy(real + real_len, "/", 2);
    uint64_t at = arch_scratch(&t->registers, (index ? PATH_MAX + 256 : 0) + strlen(real) + 1);
    if (!task_write_scratch(t, at, real, strlen(real) + 1))
        return -EFAULT;
    arch_set_argument(&t->registers, call->path, at);
    t->restore = true;
    return 0;
}

static bool tell_folder(struct supervisor *s, struct task *t)
{
    char text[PATH_MAX];
    if (t->number != SYS_getcwd)
        return false;
    if (!folder_of(s, t, AT_FDCWD, text, sizeof text)) {
        call_finish(t, -ENOENT);
    } else {
        size_t size = strlen(text) + 1;
        bool fits = size <= t->arguments[1];
        call_finish(t, !fits                                        ? -ERANGE
                       : task_write(t, t->arguments[0], text, size) ? (long)size
                                                                    : -EFAULT);
    }
    return true;
}

bool paths_enter(struct supervisor *s, struct task *t)
{
    int index = 0;
    if (neighbours_enter(s, t) || tell_folder(s, t))
        return true;
    for (size_t i = 0; i < sizeof calls / sizeof *calls; i++) {
        if (calls[i].number != t->number)
            continue;
        int failed = lead(s, t, &calls[i], index++);
        if (failed) {
            call_finish(t, failed);
            return true;
        }
    }
    if (t->restore)
        (void)arch_set(t->pid, &t->registers);
    return false;
}

/* What a link says is said without the folder. */
void paths_leave(struct supervisor *s, struct task *t)
{
    char text[PATH_MAX], root[PATH_MAX];
    long result = arch_result(&t->registers);
    if ((t->number != SYS_readlink && t->number != SYS_readlinkat) || result <= 0 ||
        result >= PATH_MAX)
        return;
    uint64_t at = t->arguments[t->number == SYS_readlink ? 1 : 2];
    if (!task_read(t, at, text, (size_t)result))
        return;
    text[result] = '\0';
    paths_root(s, t, root, sizeof root);
    strip(root, text);
    if (task_write(t, at, text, strlen(text)))
        arch_set_result(&t->registers, (long)strlen(text));
}

/* A script is started by its interpreter with its real path: take the folder off, in the words on
 * the stack. */
void paths_started(struct supervisor *s, struct task *t)
{
    char text[PATH_MAX], root[PATH_MAX];
    uint64_t words[65];
    size_t n = task_read_some(t, t->process->stack, words, sizeof words) / 8;
    paths_root(s, t, root, sizeof root);
    size_t len = strlen(root);
    for (size_t i = 1; i < n && i <= words[0]; i++)
        if (words[i] && task_read_text(t, words[i], text, sizeof text) &&
            strncmp(text, root, len) == 0 && text[len] == '/') {
            words[i] += len;
            (void)task_write(t, t->process->stack + i * 8, &words[i], 8);
        }
}

int paths_open_folder(const struct supervisor *s, const struct task *t, int from, const char *path,
                      char *base, size_t size)
{
    char whole[PATH_MAX * 2 + 2] = "", real[PATH_MAX];
    if (*path != '/' && !folder_of(s, t, from, whole, PATH_MAX))
        return -1;
    size_t len = strlen(whole);
    snprintf(whole + len, sizeof whole - len, "%s%s", *path == '/' ? "" : "/", path);
    translate(s, t, whole, false, 0, real, sizeof real);
    char *slash = strrchr(real, '/');
    if (!slash || !below(real, s->sandbox.jail))
        return -1;
    snprintf(base, size, "%s", slash + 1);
    *slash = '\0';
    return open(real, O_PATH | O_DIRECTORY | O_CLOEXEC);
}
