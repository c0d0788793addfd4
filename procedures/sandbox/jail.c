#include "procedures/sandbox/jail.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <linux/landlock.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "procedures/sandbox/files.h"
#include "procedures/sandbox/programs.h"

#define PREFIX "rehearse-jail-"

#define READ_FILE  LANDLOCK_ACCESS_FS_READ_FILE
#define READ_DIR   LANDLOCK_ACCESS_FS_READ_DIR
#define WRITE_FILE LANDLOCK_ACCESS_FS_WRITE_FILE
#define EXECUTE    LANDLOCK_ACCESS_FS_EXECUTE
#define TRUNCATE   (UINT64_C(1) << 14) /* LANDLOCK_ACCESS_FS_TRUNCATE, from version 3 */
#define IOCTL_DEV  (UINT64_C(1) << 15) /* LANDLOCK_ACCESS_FS_IOCTL_DEV, from version 5 */

/* struct landlock_ruleset_attr as of version 6: headers may be older than the kernel. No rule
 * allows any of `net` (binding and connecting TCP); `scoped`: abstract sockets and signals stay
 * among the tree. */
struct ruleset {
    uint64_t fs;
    uint64_t net;    /* from version 4 */
    uint64_t scoped; /* from version 6 */
};
#define RULESET_SIZE(version) ((version) >= 6 ? sizeof(struct ruleset) : (version) >= 4 ? 16u : 8u)

int jail_version(void)
{
    long version = syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);
    return version < 0 ? 0 : (int)version;
}

static uint64_t all_rights(int version)
{
    uint64_t rights = (UINT64_C(1) << 13) - 1;
    if (version >= 2)
        rights |= LANDLOCK_ACCESS_FS_REFER;
    if (version >= 3)
        rights |= TRUNCATE;
    if (version >= 5)
        rights |= IOCTL_DEV;
    return rights;
}

static int allow(int rules, const char *path, uint64_t rights)
{
    struct stat st;
    struct landlock_path_beneath_attr rule = {.allowed_access = rights};
    rule.parent_fd = open(path, O_PATH | O_CLOEXEC);
    if (rule.parent_fd < 0)
        return 0; /* not on this machine */
    if (fstat(rule.parent_fd, &st) == 0 && !S_ISDIR(st.st_mode))
        rule.allowed_access &=
            READ_FILE | WRITE_FILE | EXECUTE | TRUNCATE | IOCTL_DEV; /* what a file can have */
    int failed =
        syscall(SYS_landlock_add_rule, rules, LANDLOCK_RULE_PATH_BENEATH, &rule, 0) ? -errno : 0;
    close(rule.parent_fd);
    return failed;
}

int jail_enter(const struct root_plan *plan, const char *path)
{
    static const char *const devices[] = {"/dev/null",   "/dev/zero",    "/dev/full",
                                          "/dev/random", "/dev/urandom", "/dev/tty"};
    int version = jail_version(), failed = 0;
    uint64_t all = all_rights(version);
    struct ruleset set = {.fs = all, .net = 3, .scoped = 3};
    int rules = (int)syscall(SYS_landlock_create_ruleset, &set, RULESET_SIZE(version), 0);
    if (rules < 0)
        return -errno;
    for (const char *const *folder = library_folders; *folder && !failed; folder++)
        failed = allow(rules, *folder, READ_FILE | READ_DIR | EXECUTE);
    for (const char *const *folder = python_folders; *folder && !failed; folder++)
        failed = allow(rules, *folder, READ_FILE | READ_DIR);
    for (int i = 0; i < plan->n_programs && !failed; i++)
        failed = allow(rules, plan->programs[i].path, READ_FILE | EXECUTE);
    for (size_t i = 0; i < sizeof devices / sizeof *devices && !failed; i++)
        failed = allow(rules, devices[i], READ_FILE | WRITE_FILE | (version >= 3 ? TRUNCATE : 0));
    if (!failed)
        failed = allow(rules, "/proc", READ_FILE | READ_DIR);
    if (!failed)
        failed = allow(rules, "/etc/ld.so.cache", READ_FILE);
    if (!failed)
        failed = allow(rules, path, all);
    if (!failed &&
        (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) || syscall(SYS_landlock_restrict_self, rules, 0)))
        failed = -errno;
    close(rules);
    return failed;
}

/* ---- the folder ---- */

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *walk)
{
    (void)st, (void)walk;
    if (type == FTW_DNR || type == FTW_DP)
        (void)chmod(path, 0700);
    (void)remove(path);
    return 0;
}

static int open_up(const char *path, const struct stat *st, int type, struct FTW *walk)
{
    (void)walk;
    if (type == FTW_D || type == FTW_DNR)
        (void)chmod(path, st->st_mode | 0700);
    return 0;
}

void jail_remove(const char *path)
{
    if (!*path)
        return;
    (void)nftw(path, open_up, 16, FTW_PHYS);
    (void)nftw(path, remove_one, 16, FTW_PHYS | FTW_DEPTH);
}

static const char *folder_of_jails(void)
{
    struct statvfs st;
    const char *folder = getenv("TMPDIR");
    if (statvfs("/dev/shm", &st) == 0 && !(st.f_flag & (ST_NOEXEC | ST_RDONLY)) &&
        access("/dev/shm", W_OK) == 0)
        return "/dev/shm"; /* in memory */
    return folder && *folder == '/' ? folder : "/tmp";
}

/* Those whose harness is gone (its number stands in the name). */
static void remove_left(const char *where)
{
    char path[4096];
    DIR *folder = opendir(where);
    for (struct dirent *entry; folder && (entry = readdir(folder));) {
        if (strncmp(entry->d_name, PREFIX, strlen(PREFIX)) != 0)
            continue;
        long pid = strtol(entry->d_name + strlen(PREFIX), NULL, 10);
        if (pid > 0 && kill((pid_t)pid, 0) && errno == ESRCH) {
            snprintf(path, sizeof path, "%s/%.255s", where, entry->d_name);
            jail_remove(path);
        }
    }
    if (folder)
        closedir(folder);
}

int jail_make(const struct root_plan *plan, char *path, size_t size, char *what, size_t what_size)
{
    char name[4096], *real;
    const char *where = folder_of_jails();
    remove_left(where);
    snprintf(name, sizeof name, "%s/" PREFIX "%d-XXXXXX", where, (int)getpid());
    if (!mkdtemp(name) || !(real = realpath(name, NULL))) {
        snprintf(what, what_size, "make a folder in %s", where);
        return -errno;
    }
    snprintf(path, size, "%s", real);
    free(real);
    return root_fill(plan, path, what, what_size);
}
