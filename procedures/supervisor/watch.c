/* Which programs are watched more closely.
 *
 * Shells and text tools make some calls by the hundred (stat, reads of single bytes), so these run
 * freely: what they would tell of the host, such programs do not look at. Of any other program, and
 * of those that show just that, every such call asks. The same holds for a process from the moment
 * that it opens a file whose bytes tell time or chance. A second filter does it; the task installs
 * it itself, by a call that is put before the one it was about to make.
 *
 * Likewise only such programs are kept from the processor's counter (PR_SET_TSC): with it every
 * switch between the task and us writes a control register, which a virtual machine traps, and the
 * dynamic loader reads the counter eight times. It is set before the program is started, since its
 * first instruction may read it.
 */
#include <linux/filter.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "procedures/sandbox/filter.h"
#include "procedures/sandbox/programs.h"
#include "procedures/supervisor/core.h"

static bool shows_all(const char *program)
{
    static const char *const names[] = {"ls",    "dir",      "vdir",     "stat",  "find", "df",
                                        "nproc", "readlink", "realpath", "namei", "file", NULL};
    for (const char *const *name = standard_programs; *name; name++)
        if (strcmp(*name, program) == 0) {
            for (name = names; *name; name++)
                if (strcmp(*name, program) == 0)
                    return true;
            return false;
        }
    return true;
}

void watch_program(struct task *t)
{
    t->process->to_be_watched =
        !t->process->shim && !t->process->shell && shows_all(t->process->program);
}

/* Another call before the one that the task was about to make: prctl(what, a, b). */
static void put_before(struct task *t, int what, uint64_t a, uint64_t b)
{
    t->number = arch_number(&t->registers);
    for (int i = 0; i < 6; i++)
        t->arguments[i] = arch_argument(&t->registers, i);
    t->detour = DETOUR_WATCH;
    arch_set_number(&t->registers, SYS_prctl);
    arch_set_argument(&t->registers, 0, (uint64_t)what);
    arch_set_argument(&t->registers, 1, a);
    arch_set_argument(&t->registers, 2, b);
    arch_set_argument(&t->registers, 3, 0);
    arch_set_argument(&t->registers, 4, 0);
    (void)arch_set(t->pid, &t->registers);
    task_resume(t, true);
}

bool watch_enter(struct task *t)
{
    static struct sock_filter filter[FILTER_STRICT_MAX];
    static int length;
    struct {
        struct sock_fprog program;
        struct sock_filter filter[FILTER_STRICT_MAX];
    } block;
    if (!t->process->to_be_watched || t->process->watched)
        return false;
    t->process->watched = true;
    if (length == 0)
        length = filter_build_strict(filter);
    uint64_t at = arch_scratch(&t->registers, sizeof block);
    memset(&block, 0, sizeof block);
    block.program.len = (unsigned short)length;
    block.program.filter =
        (struct sock_filter *)(uintptr_t)(at + offsetof(__typeof__(block), filter));
    memcpy(block.filter, filter, sizeof filter);
    if (!task_write_scratch(t, at, &block, sizeof block))
        return false;
    put_before(t, PR_SET_SECCOMP, 2 /* SECCOMP_MODE_FILTER */, at);
    return true;
}

static bool is_fake(const struct supervisor *s, const char *program)
{
    for (char **name = s->commands; name && *name; name++)
        if (strcmp(*name, program) == 0)
            return true;
    return false;
}

bool watch_exec(const struct supervisor *s, struct task *t)
{
    static const char folder[] = "/usr/bin/";
    char path[256];
    long number = arch_number(&t->registers);
    if (number != SYS_execve && number != SYS_execveat) {
        if (!t->process->no_counter || t->process->to_be_watched || t->process->watched)
            return false;
        t->process->no_counter = false; /* a script, whose program turned out to be a shell */
        put_before(t, PR_SET_TSC, PR_TSC_ENABLE, 0);
        return true;
    }
    bool named = number == SYS_execve &&
                 task_read_text(t, arch_argument(&t->registers, 0), path, sizeof path);
    const char *name = !named                                          ? ""
                       : strncmp(path, folder, sizeof folder - 1) == 0 ? path + sizeof folder - 1
                       : strncmp(path, folder + 4, sizeof folder - 5) == 0
                           ? path + sizeof folder - 5
                           : "";
    bool no_counter = shows_all(name) && !is_fake(s, name);
    if (no_counter == t->process->no_counter)
        return false;
    t->process->no_counter = no_counter;
    put_before(t, PR_SET_TSC, no_counter ? PR_TSC_SIGSEGV : PR_TSC_ENABLE, 0);
    return true;
}

static bool tells(const char *path)
{
    return strncmp(path, "/proc", 5) == 0 || strncmp(path, "/dev/urandom", 12) == 0 ||
           strncmp(path, "/dev/random", 11) == 0;
}

bool watch_open(struct task *t)
{
    char path[256], link[64];
    if (t->process->watched ||
        !task_read_text(t, t->arguments[t->number == SYS_openat ? 1 : 0], path, sizeof path))
        return false;
    bool special = tells(path);
    if (*path != '/') {
        snprintf(link, sizeof link, "/proc/%d/cwd", (int)t->pid);
        ssize_t n = readlink(link, path, sizeof path - 1);
        path[n > 0 ? n : 0] = '\0';
        special = tells(path) || strcmp(path, "/dev") == 0;
    }
    t->process->to_be_watched = t->process->to_be_watched || special;
    return special && watch_enter(t);
}
