#include "procedures/supervisor/supervisor.h"

#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "procedures/sandbox/files.h"
#include "procedures/sandbox/root.h"
#include "procedures/supervisor/core.h"
#include "procedures/supervisor/puppet.h"
#include "sim/base/xalloc.h"

static char **copy_list(char *const *list)
{
    size_t n = 0;
    while (list && list[n])
        n++;
    char **copy = xcalloc(n + 1, sizeof *copy);
    for (size_t i = 0; i < n; i++)
        copy[i] = xstrdup(list[i]);
    return copy;
}

static void free_list(char **list)
{
    for (char **at = list; at && *at; at++)
        free(*at);
    free(list);
}

static void adopt_first_process(struct supervisor *s)
{
    struct process *process = process_add(s, s->sandbox.init, NULL);
    s->init = task_add(s, s->sandbox.init, process);
    task_hold(s, s->init, HELD_PLAIN);
    s->init->state = TASK_HELD;
    process->shim = true;
    snprintf(process->program, sizeof process->program, "init");
}

int supervisor_open(const struct sandbox_spec *spec, const struct supervisor_owner *owner,
                    struct supervisor **ret, struct error *error)
{
    struct supervisor *s = xcalloc(1, sizeof *s);
    struct sandbox_parts parts;
    s->sandbox.root_fd = -1;
    s->limits = spec->limits.tasks ? spec->limits : sandbox_default_limits;
    s->owner = *owner;
    s->start_unix_ns = spec->start_unix_ns;
    s->random = spec->seed;
    s->epoch = s->kill_epoch = 1;
    s->cwd = xstrdup(spec->cwd ? spec->cwd : "/");
    s->envp = copy_list(spec->envp);
    s->places = copy_list((char *const *)(uintptr_t)spec->places);
    s->programs = copy_list((char *const *)(uintptr_t)spec->programs);
    s->commands = copy_list((char *const *)(uintptr_t)spec->commands);
    snprintf(s->hostname, sizeof s->hostname, "%s", spec->hostname ? spec->hostname : "ops");
    s->script = script_new(error);
    int failed = s->script ? 0 : ERROR_SEAL;
    if (!failed) {
        struct sandbox_spec filled = *spec;
        filled.limits = s->limits;
        parts.shim = arch_shim(&parts.shim_size);
        parts.script = script_placeholder(&parts.script_size);
        failed = sandbox_launch(&filled, &parts, &s->sandbox, error);
    }
    if (failed) {
        supervisor_close(s);
        return failed;
    }
    struct stat st;
    bool jail = s->sandbox.tier == TIER_LANDLOCK;
    int proc = jail ? open("/proc", O_PATH | O_CLOEXEC)
                    : files_open(s->sandbox.root_fd, "/proc", O_PATH, 0);
    if (proc >= 0 && fstat(proc, &st) == 0)
        s->proc_device = st.st_dev;
    if (fstat(s->sandbox.root_fd, &st) == 0)
        s->root_device = s->terminal_device = st.st_dev;
    int terminals = jail ? -1 : files_open(s->sandbox.root_fd, "/dev/pts", O_PATH, 0);
    if (terminals >= 0 && fstat(terminals, &st) == 0)
        s->terminal_device = st.st_dev;
    if (terminals >= 0)
        close(terminals);
    if (proc >= 0)
        close(proc);
    adopt_first_process(s);
    *ret = s;
    return 0;
}

enum tier supervisor_tier(const struct supervisor *s)
{
    return s->sandbox.tier;
}

int supervisor_run(struct supervisor *s, const char *script_name, struct supervisor_result *ret,
                   struct error *error)
{
    cpu_set_t before, one;
    sigset_t child, mask;
    if (!s->init)
        return error_set(error, ERROR_INTERNAL, "the sandbox has ended");
    (void)sched_getaffinity(0, sizeof before, &before);
    CPU_ZERO(&one);
    CPU_SET((size_t)(s->sandbox.cpu < 0 ? 0 : s->sandbox.cpu), &one);
    (void)sched_setaffinity(0, sizeof one, &one);
    sigemptyset(&child);
    sigaddset(&child, SIGCHLD);
    (void)sigprocmask(SIG_BLOCK, &child, &mask); /* schedule.c waits for it */
    s->over = false;
    s->result = (struct supervisor_result){.end = END_PROCEDURE, .exit_status = -1};
    s->ask_at_ns = clock_now(s) + ASK_NS;
    s->interrupts = 0;
    s->busy_execs = s->busy_calls = 0;
    s->output_bytes = 0;
    s->hang_told = false;
    s->drained = true;
    puppet_start_shell(s, script_name);
    schedule_run(s);
    schedule_kill_all(s);
    s->drained = false;
    schedule_drain(s);
    (void)sched_setaffinity(0, sizeof before, &before);
    while (sigtimedwait(&child, NULL, &(struct timespec){0, 0}) == SIGCHLD)
        continue;
    (void)sigprocmask(SIG_SETMASK, &mask, NULL);
    *ret = s->result;
    return 0;
}

void supervisor_close(struct supervisor *s)
{
    if (!s)
        return;
    schedule_kill_all(s);
    sandbox_end(&s->sandbox);
    while (s->tasks)
        task_remove(s, s->tasks);
    puppet_release(s);
    script_free(s->script);
    free_list(s->envp);
    free_list(s->places);
    free_list(s->programs);
    free_list(s->commands);
    free(s->inodes);
    free(s->cwd);
    free(s);
}

/* ---- files ---- */

/* The root folder of a place; the caller closes it unless it is the sandbox's own. */
static int open_place(struct supervisor *s, const char *place)
{
    char path[4096];
    if (!place || !*place)
        return s->sandbox.root_fd;
    snprintf(path, sizeof path, ROOT_PLACES "/%s", place);
    return files_open(s->sandbox.root_fd, path, O_PATH, 0);
}

static int with_place(struct supervisor *s, const char *place, uid_t *before)
{
    int root = open_place(s, place);
    if (root >= 0)
        *before = sandbox_enter_owner(&s->sandbox);
    return root;
}

static int done(struct supervisor *s, int root, uid_t before, int result)
{
    sandbox_leave_owner(&s->sandbox, before);
    if (root != s->sandbox.root_fd)
        close(root);
    return result;
}

int supervisor_write(struct supervisor *s, const char *place, const char *path, const void *at,
                     size_t len, int mode)
{
    uid_t before;
    int root = with_place(s, place, &before);
    return root < 0
               ? root
               : done(s, root, before, files_write(root, path, at, len, mode, clock_unix_ns(s)));
}

int supervisor_append(struct supervisor *s, const char *place, const char *path, const void *at,
                      size_t len)
{
    uid_t before;
    int root = with_place(s, place, &before);
    return root < 0 ? root
                    : done(s, root, before, files_append(root, path, at, len, clock_unix_ns(s)));
}

int supervisor_load(struct supervisor *s, const char *place, const char *path, struct buf *buf)
{
    uid_t before;
    int root = with_place(s, place, &before);
    return root < 0 ? root : done(s, root, before, files_load(root, path, buf));
}

int supervisor_unlink(struct supervisor *s, const char *place, const char *path)
{
    uid_t before;
    int root = with_place(s, place, &before);
    return root < 0 ? root : done(s, root, before, files_unlink(root, path, clock_unix_ns(s)));
}

int supervisor_mkdir(struct supervisor *s, const char *place, const char *path)
{
    uid_t before;
    int root = with_place(s, place, &before);
    return root < 0 ? root
                    : done(s, root, before, files_make_folder(root, path, 0, clock_unix_ns(s)));
}

int supervisor_list(struct supervisor *s, const char *place, const char *path, struct buf *entries)
{
    uid_t before;
    int root = with_place(s, place, &before);
    return root < 0 ? root : done(s, root, before, files_list(root, path, entries));
}
