#include "procedures/sandbox/root.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/mount.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "procedures/sandbox/files.h"
#include "procedures/sandbox/programs.h"

/* Where the new root is put together before it becomes "/"; any folder of the host that always
 * exists. */
#define WORKSHOP "/tmp"

struct builder {
    const struct root_plan *plan;
    const char *base; /* "" when it has become "/", else the folder that stands for it */
    char *what;
    size_t size;
};

static int failed_at(struct builder *b, const char *step, const char *subject)
{
    int code = -errno;
    snprintf(b->what, b->size, "%s %s", step, subject);
    return code;
}

static bool is_folder(const char *path)
{
    struct stat st;
    return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

/* mkdir -p of a path relative to the working folder. */
static void make_folders(const char *path)
{
    char part[PATH_MAX];
    size_t len = strlen(path);
    if (len >= sizeof part)
        return;
    memcpy(part, path, len + 1);
    for (char *at = part + 1; *at; at++)
        if (*at == '/') {
            *at = '\0';
            mkdir(part, 0755);
            *at = '/';
        }
    mkdir(part, 0755);
}

static int bind_to(struct builder *b, const char *source, const char *target, bool folder)
{
    if (folder) {
        make_folders(target);
    } else {
        int fd = open(target, O_WRONLY | O_CREAT | O_CLOEXEC, 0755);
        if (fd >= 0)
            close(fd);
    }
    if (mount(source, target, NULL, MS_BIND | (folder ? MS_REC : 0), NULL))
        return failed_at(b, "bind", source);
    return 0;
}

static int bind_libraries(struct builder *b)
{
    for (const char *const *folder = library_folders; *folder; folder++) {
        int failed = is_folder(*folder) ? bind_to(b, *folder, *folder + 1, true) : 0;
        if (failed)
            return failed;
    }
    return 0;
}

/* Interpreters bring their own library tree. */
static int bind_extra_libraries(struct builder *b)
{
    static const char *const perl[] = {"/usr/share/perl", "/usr/share/perl5", NULL};
    const char *const *programs = b->plan->spec->programs;
    for (int i = 0; programs && programs[i]; i++) {
        const char *const *folders = strncmp(programs[i], "python3", 7) == 0 ? python_folders
                                     : strcmp(programs[i], "perl") == 0      ? perl
                                                                             : NULL;
        for (; folders && *folders; folders++) {
            int failed = is_folder(*folders) ? bind_to(b, *folders, *folders + 1, true) : 0;
            if (failed)
                return failed;
        }
    }
    return 0;
}

static int bind_programs(struct builder *b)
{
    char target[96];
    for (int i = 0; i < b->plan->n_programs; i++) {
        const struct program *program = &b->plan->programs[i];
        snprintf(target, sizeof target, "usr/bin/%s", program->name);
        int failed = bind_to(b, program->path, target, false);
        if (failed)
            return failed;
    }
    return 0;
}

/* Binds are read-only; only the root itself stays writable. */
static int seal_binds(struct builder *b)
{
    struct mount_attr seal = {.attr_set = MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID};
    struct mount_attr open_root = {.attr_clr = MOUNT_ATTR_RDONLY};
    if (syscall(SYS_mount_setattr, AT_FDCWD, ".", AT_RECURSIVE, &seal, sizeof seal))
        return failed_at(b, "make", "binds read-only");
    if (syscall(SYS_mount_setattr, AT_FDCWD, ".", 0, &open_root, sizeof open_root))
        return failed_at(b, "make", "root writable");
    return 0;
}

static int bind_devices(struct builder *b)
{
    static const char *const devices[] = {
        "/dev/null",   "/dev/zero",    "/dev/full",
        "/dev/random", "/dev/urandom", "/dev/tty"}; /* nobody has one: opening it says so */
    for (size_t i = 0; i < sizeof devices / sizeof *devices; i++) {
        int failed = bind_to(b, devices[i], devices[i] + 1, false);
        if (failed)
            return failed;
    }
    return 0;
}

static const char *const skeleton[] = {
    "usr",       "usr/bin", "usr/sbin", "usr/lib", "usr/local", "usr/local/bin", "usr/local/sbin",
    "usr/share", "etc",     "dev",      "dev/shm", "dev/pts",   "proc",          "tmp",
    "var",       "var/log", "var/tmp",  "var/lib", "opt",       "srv",           "home",
    "root",      "run",     "mnt",      ".",       NULL};

static const struct {
    const char *name, *to;
} links[] = {{"bin", "usr/bin"},
             {"sbin", "usr/sbin"},
             {"lib", "usr/lib"},
             {"lib64", "usr/lib64"},
             {"dev/ptmx", "pts/ptmx"},
             {"dev/fd", "/proc/self/fd"},
             {"dev/stdin", "/proc/self/fd/0"},
             {"dev/stdout", "/proc/self/fd/1"},
             {"dev/stderr", "/proc/self/fd/2"},
             {"etc/mtab", "/proc/self/mounts"},
             {"var/run", "/run"}};

static void make_skeleton(void)
{
    for (const char *const *folder = skeleton; *folder; folder++)
        mkdir(*folder, 0755);
    chmod("tmp", 01777);
    chmod("var/tmp", 01777);
    chmod("dev/shm", 01777);
    chmod("root", 0700);
    for (size_t i = 0; i < sizeof links / sizeof *links; i++)
        (void)!symlink(links[i].to, links[i].name);
}

static int make_root(struct builder *b)
{
    const struct sandbox_spec *spec = b->plan->spec;
    char options[96];
    snprintf(options, sizeof options, "mode=0755,size=%lld,nr_inodes=262144",
             (long long)spec->limits.disk_bytes);
    if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL))
        return failed_at(b, "make", "mounts private");
    if (mount("rehearse", WORKSHOP, "tmpfs", MS_NOSUID | MS_NOATIME, options))
        return failed_at(b, "mount", "private root");
    if (chdir(WORKSHOP))
        return failed_at(b, "enter", "private root");
    make_skeleton();
    int failed = bind_libraries(b);
    if (!failed)
        failed = bind_extra_libraries(b);
    if (!failed)
        failed = bind_programs(b);
    if (!failed)
        failed = bind_devices(b);
    /* Pseudo-terminals of its own; where the kernel does not give them there are none. */
    (void)mount("devpts", "dev/pts", "devpts", MS_NOSUID | MS_NOEXEC,
                "newinstance,ptmxmode=0666,mode=0620,max=64");
    if (!failed && access("/etc/ld.so.cache", R_OK) == 0)
        failed = bind_to(b, "/etc/ld.so.cache", "etc/ld.so.cache", false);
    if (!failed &&
        mount("proc", "proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC | MS_RDONLY, NULL))
        failed = failed_at(b, "mount", "proc");
    return failed ? failed : seal_binds(b);
}

/* Each place shares the programs, libraries, devices and processes of the root, and nothing else.
 */
static int make_place(struct builder *b, const char *place)
{
    static const char *const shared[] = {"usr", "dev", "proc"};
    char path[PATH_MAX], here[PATH_MAX];
    snprintf(here, sizeof here, ".%s/%s", ROOT_PLACES, place);
    make_folders(here);
    if (chdir(here))
        return failed_at(b, "enter", place);
    make_skeleton();
    for (size_t i = 0; i < sizeof shared / sizeof *shared; i++) {
        snprintf(path, sizeof path, WORKSHOP "/%s", shared[i]);
        if (mount(path, shared[i], NULL, MS_BIND | MS_REC, NULL))
            return failed_at(b, "bind into", place);
    }
    if (access("/etc/ld.so.cache", R_OK) == 0 &&
        bind_to(b, "/etc/ld.so.cache", "etc/ld.so.cache", false))
        return failed_at(b, "bind into", place);
    return chdir(WORKSHOP) ? failed_at(b, "leave", place) : 0;
}

static int enter_root(struct builder *b)
{
    if (mkdir(".old", 0700) || syscall(SYS_pivot_root, ".", ".old"))
        return failed_at(b, "enter", "private root");
    if (chdir("/") || umount2("/.old", MNT_DETACH) || rmdir("/.old"))
        return failed_at(b, "leave", "the host's root");
    return 0;
}

static int raise_loopback(struct builder *b)
{
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    struct ifreq request;
    memset(&request, 0, sizeof request);
    memcpy(request.ifr_name, "lo", 3);
    request.ifr_flags = IFF_UP | IFF_RUNNING;
    int failed =
        fd < 0 || ioctl(fd, SIOCSIFFLAGS, &request) ? failed_at(b, "raise", "loopback") : 0;
    if (fd >= 0)
        close(fd);
    return failed;
}

static int put(struct builder *b, int root, const char *path, const void *at, size_t len, int mode)
{
    int failed = files_write(root, path, at, len, mode, b->plan->spec->start_unix_ns);
    if (failed) {
        errno = -failed;
        return failed_at(b, "write", path);
    }
    return 0;
}

static int put_text(struct builder *b, int root, const char *path, const char *text)
{
    return put(b, root, path, text, strlen(text), 0644);
}

/* The few system files without which ordinary tools do not know who and where they are. */
static int write_etc(struct builder *b, int root, const char *hostname)
{
    const struct sandbox_spec *spec = b->plan->spec;
    char text[8192];
    bool self =
        *b->base && geteuid() != 0; /* its files are the user's own, who goes by the name of root */
    snprintf(text, sizeof text, "root:x:%u:%u:root:/root:/bin/bash\n", geteuid(), getegid());
    int n = (int)strlen(text) * self;
    snprintf(text + n, sizeof text - (size_t)n,
             "root:x:0:0:root:/root:/bin/bash\nnobody:x:65534:65534:nobody:/:/usr/sbin/nologin\n");
    int failed = put_text(b, root, "/etc/passwd", text);
    snprintf(text, sizeof text, "root:x:%u:\n", getegid());
    n = (int)strlen(text) * self;
    snprintf(text + n, sizeof text - (size_t)n,
             "root:x:0:\nadm:x:4:\nstaff:x:50:\nnogroup:x:65534:\n");
    if (!failed)
        failed = put_text(b, root, "/etc/group", text);
    if (!failed)
        failed =
            put_text(b, root, "/etc/nsswitch.conf", "passwd: files\ngroup: files\nhosts: files\n");
    n = snprintf(text, sizeof text, "%s\n", hostname);
    if (!failed && n > 0)
        failed = put(b, root, "/etc/hostname", text, (size_t)n, 0644);
    n = snprintf(text, sizeof text, "127.0.0.1\tlocalhost %s\n::1\tlocalhost\n", hostname);
    for (int i = 0; spec->hosts && spec->hosts[i] && n > 0 && (size_t)n < sizeof text; i++)
        n += snprintf(text + n, sizeof text - (size_t)n, "%s\n", spec->hosts[i]);
    if (!failed && n > 0)
        failed = put(b, root, "/etc/hosts", text,
                     (size_t)n < sizeof text ? (size_t)n : sizeof text - 1, 0644);
    return failed;
}

static int write_shims(struct builder *b, int root)
{
    const struct root_plan *plan = b->plan;
    char path[PATH_MAX];
    for (int i = 0; plan->spec->commands && plan->spec->commands[i]; i++) {
        snprintf(path, sizeof path, "/usr/bin/%s", plan->spec->commands[i]);
        int failed = put(b, root, path, plan->shim, plan->shim_size, 0755);
        if (failed)
            return failed;
    }
    for (int i = 0; plan->spec->command_paths && plan->spec->command_paths[i]; i++) {
        int failed = put(b, root, plan->spec->command_paths[i], plan->shim, plan->shim_size, 0755);
        if (failed)
            return failed;
    }
    return 0;
}

static int write_file(struct builder *b, int root, const struct sandbox_file *file)
{
    int failed;
    if (file->is_dir)
        failed = files_make_folder(root, file->path, file->mode, file->mtime_unix_ns);
    else if (file->link)
        failed = files_make_link(root, file->path, file->link, file->mtime_unix_ns);
    else
        failed = files_write(root, file->path, file->content.at, file->content.len, file->mode,
                             file->mtime_unix_ns);
    if (failed) {
        errno = -failed;
        return failed_at(b, "write", file->path);
    }
    return 0;
}

/* The scenario's files of one place. */
static int write_files(struct builder *b, int root, const char *place)
{
    const struct sandbox_spec *spec = b->plan->spec;
    for (int i = 0; i < spec->n_files; i++) {
        const struct sandbox_file *file = &spec->files[i];
        if (strcmp(file->place ? file->place : "", place) != 0)
            continue;
        int failed = write_file(b, root, file);
        if (failed)
            return failed;
    }
    return 0;
}

/* The kernel stamped the skeleton with the host's time. */
static void stamp_skeleton(struct builder *b, int root)
{
    for (const char *const *folder = skeleton; *folder; folder++) {
        int fd = files_open(root, *folder, O_RDONLY | O_DIRECTORY, 0);
        if (fd >= 0) {
            files_set_mtime(fd, b->plan->spec->start_unix_ns);
            close(fd);
        }
    }
    int64_t start = b->plan->spec->start_unix_ns;
    struct timespec now = {start / 1000000000, start % 1000000000}, times[2] = {now, now};
    for (size_t i = 0; i < sizeof links / sizeof *links; i++)
        (void)utimensat(root, links[i].name, times, AT_SYMLINK_NOFOLLOW);
}

/* Where programs cannot be bound, empty files show that they are there (supervisor/paths.c leads to
 * the host's). */
static int write_placeholders(struct builder *b, int root)
{
    char path[PATH_MAX];
    int failed = 0;
    for (int i = 0; i < b->plan->n_programs && !failed; i++) {
        snprintf(path, sizeof path, "/usr/bin/%s", b->plan->programs[i].name);
        failed = put(b, root, path, "", 0, 0755);
    }
    return failed;
}

static int fill_root(struct builder *b, const char *place)
{
    const struct sandbox_spec *spec = b->plan->spec;
    char path[PATH_MAX];
    snprintf(path, sizeof path, "%s" ROOT_PLACES "/%s", b->base, place);
    if (!*place)
        snprintf(path, sizeof path, "%s/", b->base);
    int root = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (root < 0)
        return failed_at(b, "open", path);
    stamp_skeleton(b, root);
    int failed = write_etc(b, root, *place ? place : spec->hostname ? spec->hostname : "ops");
    if (!failed && (!*place || *b->base)) /* places share /usr, where it can be bound */
        failed = write_shims(b, root);
    if (!failed && *b->base)
        failed = write_placeholders(b, root);
    if (!failed)
        failed = write_files(b, root, place);
    if (!failed && !*place && spec->cwd)
        failed = files_make_folder(root, spec->cwd, 0, FILES_KEEP_MTIME);
    close(root);
    return failed;
}

static int fill_hidden(struct builder *b)
{
    char path[PATH_MAX];
    snprintf(path, sizeof path, "%s/", b->base);
    int root = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
    int failed = put(b, root, ROOT_SHIM, b->plan->shim, b->plan->shim_size, 0755);
    if (!failed)
        failed = put(b, root, ROOT_SCRIPT, b->plan->script, b->plan->script_size, 0644);
    snprintf(path, sizeof path, "%s" ROOT_HIDDEN, b->base);
    if (!failed && chmod(path, 0711))
        failed = failed_at(b, "hide", ROOT_HIDDEN);
    int places = files_open(root, ROOT_PLACES, O_RDONLY | O_DIRECTORY, 0);
    if (places >= 0) {
        files_set_mtime(places, b->plan->spec->start_unix_ns);
        close(places);
    }
    close(root);
    return failed;
}

static int fill(struct builder *b)
{
    const struct sandbox_spec *spec = b->plan->spec;
    int failed = fill_hidden(b);
    if (!failed)
        failed = fill_root(b, "");
    for (int i = 0; !failed && spec->places && spec->places[i]; i++)
        failed = fill_root(b, spec->places[i]);
    return failed;
}

int root_build(const struct root_plan *plan, char *what, size_t size)
{
    struct builder builder = {plan, "", what, size}, *b = &builder;
    const struct sandbox_spec *spec = plan->spec;
    umask(022);
    int failed = make_root(b);
    for (int i = 0; !failed && spec->places && spec->places[i]; i++)
        failed = make_place(b, spec->places[i]);
    if (!failed)
        failed = enter_root(b);
    if (!failed)
        failed = raise_loopback(b);
    const char *hostname = spec->hostname ? spec->hostname : "ops";
    if (!failed && sethostname(hostname, strlen(hostname)))
        failed = failed_at(b, "set", "host name");
    return failed ? failed : fill(b);
}

int root_fill(const struct root_plan *plan, const char *folder, char *what, size_t size)
{
    struct builder builder = {plan, folder, what, size}, *b = &builder;
    char before[PATH_MAX], path[PATH_MAX];
    int failed = 0;
    mode_t mask = umask(022);
    if (!getcwd(before, sizeof before) || chdir(folder))
        return failed_at(b, "enter", folder);
    make_skeleton();
    for (int i = 0; !failed && plan->spec->places && plan->spec->places[i]; i++) {
        snprintf(path, sizeof path, ".%s/%s", ROOT_PLACES, plan->spec->places[i]);
        make_folders(path);
        failed = chdir(path) ? failed_at(b, "enter", path) : 0;
        make_skeleton();
        if (chdir(folder))
            failed = failed_at(b, "enter", folder);
    }
    if (!failed)
        failed = fill(b);
    if (chdir(before) && !failed)
        failed = failed_at(b, "return to", before);
    (void)umask(mask);
    return failed;
}
