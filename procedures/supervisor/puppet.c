#include "procedures/supervisor/puppet.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "procedures/sandbox/filter.h"
#include "sim/base/xalloc.h"

enum { WORDS_MAX = 65536 };
#define STACK_READ_MAX (2 << 20)

long puppet_request(struct invocation *inv, long number, uint64_t a, uint64_t b, uint64_t c,
                    uint64_t d)
{
    inv->number = number;
    inv->arguments[0] = a;
    inv->arguments[1] = b;
    inv->arguments[2] = c;
    inv->arguments[3] = d;
    inv->arguments[4] = inv->arguments[5] = 0;
    coroutine_yield(inv->coroutine);
    /* More bytes than were asked for: somebody wrote into the puppet. */
    bool counts = number == SYS_read || number == SYS_write || number == SYS_getdents64;
    return counts && inv->result > (long)c ? -EIO : inv->result;
}

/* Puts a text into the puppet's buffer. Negative errno. */
static int put_path(struct invocation *inv, const char *path)
{
    size_t len = strlen(path) + 1;
    if (len > 4096)
        return -ENAMETOOLONG;
    return task_write(inv->at, SHIM_BUFFER, path, len) ? 0 : -EFAULT;
}

/* ---- the operations of a call ---- */

static struct invocation *of(struct call *call)
{
    return call->impl;
}

static ssize_t op_write(struct call *call, int fd, const void *at, size_t len)
{
    struct invocation *inv = of(call);
    size_t done = 0;
    while (done < len) {
        size_t piece = len - done < SHIM_BUFFER_SIZE ? len - done : SHIM_BUFFER_SIZE;
        if (!task_write(inv->at, SHIM_BUFFER, (const char *)at + done, piece))
            return -EFAULT;
        long n = puppet_request(inv, SYS_write, (uint64_t)fd, SHIM_BUFFER, piece, 0);
        if (n < 0)
            return n;
        done += (size_t)n;
    }
    return (ssize_t)done;
}

static ssize_t op_read(struct call *call, int fd, void *at, size_t len)
{
    struct invocation *inv = of(call);
    size_t piece = len < SHIM_BUFFER_SIZE ? len : SHIM_BUFFER_SIZE;
    long n = puppet_request(inv, SYS_read, (uint64_t)fd, SHIM_BUFFER, piece, 0);
    if (n > 0 && !task_read(inv->at, SHIM_BUFFER, at, (size_t)n))
        return -EFAULT;
    return n;
}

static int op_open(struct call *call, const char *path, int flags, int mode)
{
    struct invocation *inv = of(call);
    int failed = put_path(inv, path);
    return failed ? failed
                  : (int)puppet_request(inv, SYS_openat, (uint64_t)AT_FDCWD, SHIM_BUFFER,
                                        (uint64_t)flags, (uint64_t)mode);
}

static int op_close(struct call *call, int fd)
{
    return (int)puppet_request(of(call), SYS_close, (uint64_t)fd, 0, 0, 0);
}

static int op_stat(struct call *call, const char *path, int *ret_mode, int64_t *ret_size)
{
    struct invocation *inv = of(call);
    struct stat st;
    int failed = put_path(inv, path);
    if (!failed)
        failed = (int)puppet_request(inv, SYS_newfstatat, (uint64_t)AT_FDCWD, SHIM_BUFFER,
                                     SHIM_BUFFER + 8192, 0);
    if (failed)
        return failed;
    if (!task_read(inv->at, SHIM_BUFFER + 8192, &st, sizeof st))
        return -EFAULT;
    if (ret_mode)
        *ret_mode = (int)st.st_mode;
    if (ret_size)
        *ret_size = st.st_size;
    return 0;
}

static int op_unlink(struct call *call, const char *path)
{
    struct invocation *inv = of(call);
    int failed = put_path(inv, path);
    return failed ? failed
                  : (int)puppet_request(inv, SYS_unlinkat, (uint64_t)AT_FDCWD, SHIM_BUFFER, 0, 0);
}

static int op_mkdir(struct call *call, const char *path, int mode)
{
    struct invocation *inv = of(call);
    int failed = put_path(inv, path);
    return failed ? failed
                  : (int)puppet_request(inv, SYS_mkdirat, (uint64_t)AT_FDCWD, SHIM_BUFFER,
                                        (uint64_t)mode, 0);
}

static void add_names(const char *entries, size_t len, struct buf *names)
{
    for (size_t at = 0; at + 19 < len;) {
        unsigned short size;
        memcpy(&size, entries + at + 16, sizeof size); /* d_reclen of struct linux_dirent64 */
        const char *name = entries + at + 19;
        if (size < 20 || at + size > len)
            return;
        buf_add(names, name, strnlen(name, (size_t)size - 19));
        buf_putc(names, '\0');
        at += size;
    }
}

static int op_list(struct call *call, const char *path, struct buf *names)
{
    struct invocation *inv = of(call);
    char entries[16384];
    int fd = op_open(call, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0);
    if (fd < 0)
        return fd;
    long n;
    while ((n = puppet_request(inv, SYS_getdents64, (uint64_t)fd, SHIM_BUFFER, sizeof entries, 0)) >
           0) {
        if (!task_read(inv->at, SHIM_BUFFER, entries, (size_t)n)) {
            n = -EFAULT;
            break;
        }
        add_names(entries, (size_t)n, names);
    }
    (void)op_close(call, fd);
    return (int)n;
}

static bool op_isatty(struct call *call, int fd)
{
    return puppet_request(of(call), SYS_ioctl, (uint64_t)fd, TCGETS, SHIM_BUFFER, 0) == 0;
}

static bool op_sleep(struct call *call, int64_t ns)
{
    struct invocation *inv = of(call);
    int64_t now = clock_now(inv->s);
    inv->until_ns = ns > NO_DEADLINE / 2 - now ? NO_DEADLINE / 2 : now + ns;
    while (clock_now(inv->s) < inv->until_ns) /* a signal without effect wakes it early */
        (void)puppet_request(inv, REQUEST_SLEEP, 0, 0, 0, 0);
    return false; /* a signal that the process would act on has ended it */
}

static void op_wake(struct call *call, int64_t at_ns)
{
    struct invocation *inv = of(call);
    if (at_ns >= inv->until_ns)
        return;
    inv->until_ns = at_ns;
    if (inv->at->detour == DETOUR_SLEEP && inv->at->deadline > at_ns)
        inv->at->deadline = at_ns;
}

static int op_spawn(struct call *call, const char *place, char *const argv[], char *const envp[],
                    const char *cwd, struct buf *capture)
{
    return spawn_wait(of(call), place, argv, envp, cwd, capture);
}

static int op_exec(struct call *call, char *const argv[])
{
    return spawn_become(of(call), argv, call->envp);
}

static void op_defer(struct call *call, void (*run)(void *), void *ctx)
{
    struct invocation *inv = of(call);
    struct undo *undo = ARENA_NEW(&inv->arena, struct undo);
    *undo = (struct undo){run, ctx, inv->undo};
    inv->undo = undo;
}

const struct call_ops puppet_ops = {
    .write = op_write,
    .read = op_read,
    .open = op_open,
    .close = op_close,
    .stat = op_stat,
    .unlink = op_unlink,
    .mkdir = op_mkdir,
    .list = op_list,
    .isatty = op_isatty,
    .sleep = op_sleep,
    .wake = op_wake,
    .spawn = op_spawn,
    .exec = op_exec,
    .defer = op_defer,
};

/* ---- an invocation from its beginning to its end ---- */

struct stack {
    uint64_t from;
    char *at;
    size_t len;
};

/* A text that lies in the stack that was read; NULL if it is not all there. */
static char *text_in(const struct stack *stack, uint64_t at)
{
    if (at < stack->from || at >= stack->from + stack->len)
        return NULL;
    char *text = stack->at + (at - stack->from);
    return memchr(text, '\0', stack->len - (size_t)(at - stack->from)) ? text : NULL;
}

/* The words of a NULL-terminated array that starts at word *index of the stack; *index moves behind
 * it. */
static char **words(struct arena *arena, const struct stack *stack, size_t *index, int *n)
{
    const uint64_t *word = (const uint64_t *)(const void *)stack->at;
    size_t first = *index, last = stack->len / 8;
    size_t end = first;
    while (end < last && word[end] && end - first < WORDS_MAX)
        end++;
    char **list = ARENA_ARRAY(arena, char *, end - first + 1);
    *n = 0;
    for (size_t i = first; i < end; i++) {
        char *text = text_in(stack, word[i]);
        if (text)
            list[(*n)++] = text;
    }
    *index = end + 1;
    return list;
}

/* What the kernel put onto the stack of a new program: argc, argv, envp and their texts. */
static void read_command_line(struct invocation *inv)
{
    struct call *call = &inv->call;
    struct stack stack = {.from = inv->task->process->stack};
    int n_env = 0;
    for (size_t size = 16384; size <= STACK_READ_MAX; size *= 4) {
        stack.at = arena_alloc(&inv->arena, size);
        stack.len = task_read_some(inv->task, stack.from, stack.at, size);
        if (stack.len < size)
            break; /* that was all of it */
    }
    size_t index = 1;
    call->argv = words(&inv->arena, &stack, &index, &call->argc);
    call->envp = words(&inv->arena, &stack, &index, &n_env);
}

static void run_undo(struct invocation *inv)
{
    while (inv->undo) {
        struct undo *undo = inv->undo;
        inv->undo = undo->next;
        undo->run(undo->ctx);
    }
}

static void run_command(void *ctx)
{
    struct invocation *inv = ctx;
    char cwd[4096] = "/";
    if (inv->script_name) {
        spawn_shell(inv);
        (void)puppet_request(inv, REQUEST_PARK, 0, 0, 0, 0);
        return; /* never: it is dropped while it is parked */
    }
    inv->s->result.commands++;
    read_command_line(inv);
    if (puppet_request(inv, SYS_getcwd, SHIM_BUFFER, sizeof cwd, 0, 0) > 0)
        (void)task_read_text(inv->at, SHIM_BUFFER, cwd, sizeof cwd);
    inv->call.cwd = arena_strdup(&inv->arena, cwd);
    inv->call.place = inv->task->process->place;
    int status = inv->call.argc > 0 ? inv->s->owner.command(inv->s->owner.ctx, &inv->call) : 127;
    run_undo(inv);
    for (;;)
        (void)puppet_request(inv, SYS_exit_group, (uint64_t)(status & 255), 0, 0, 0);
}

static struct invocation *begin(struct supervisor *s, struct task *t)
{
    struct invocation *inv = xcalloc(1, sizeof *inv);
    inv->s = s;
    inv->task = t;
    inv->call =
        (struct call){.env = s->owner.env, .arena = &inv->arena, .impl = inv, .ops = &puppet_ops};
    inv->coroutine = coroutine_new(&s->idle_coroutines, run_command, inv);
    t->invocation = inv;
    return inv;
}

static void carry_out(struct supervisor *s, struct task *t, const struct invocation *inv)
{
    if (inv->number == REQUEST_PARK) {
        t->state = TASK_PARKED;
        puppet_drop(s, t);
        return;
    }
    if (inv->number == REQUEST_SLEEP) {
        t->number = FILTER_HYPERCALL;
        clock_sleep(s, t, DETOUR_SLEEP, inv->until_ns);
        return;
    }
    arch_set_number(&t->registers, inv->number);
    for (int i = 0; i < 6; i++)
        arch_set_argument(&t->registers, i, inv->arguments[i]);
    (void)arch_set(t->pid, &t->registers);
    if (inv->number == SYS_chroot) /* a playbook may not, a puppet enters a place */
        task_resume(t, false);
    else
        call_dispatch(s, t, true);
}

void puppet_enter(struct supervisor *s, struct task *t)
{
    if (!t->process->shim) {
        observe_refusal(s, t, "the rehearsal's own system call");
        call_finish(t, -ENOSYS);
        return;
    }
    struct invocation *inv = t->invocation ? t->invocation : begin(s, t);
    inv->at = t;
    inv->result = (long)arch_argument(&t->registers, 0);
    (void)coroutine_resume(inv->coroutine);
    carry_out(s, t, inv);
}

void puppet_forked(struct supervisor *s, struct task *parent, struct task *child)
{
    struct invocation *inv = parent->invocation;
    child->invocation = inv;
    child->process->shim = true;
    inv->child = child;
    if (inv->script_name)
        script_start(s, child, inv->script_name);
}

void puppet_drop(struct supervisor *s, struct task *t)
{
    struct invocation *inv = t->invocation;
    t->invocation = NULL;
    if (!inv)
        return;
    if (inv->child == t) { /* its puppeteer goes on with the parent */
        inv->child = NULL;
        return;
    }
    if (inv->child)
        inv->child->invocation = NULL;
    run_undo(inv);
    coroutine_drop(&s->idle_coroutines, inv->coroutine);
    arena_release(&inv->arena);
    free(inv);
}

void puppet_release(struct supervisor *s)
{
    coroutine_release_pool(&s->idle_coroutines);
}

void puppet_start_shell(struct supervisor *s, const char *script_name)
{
    if (s->init->invocation) /* the last run ended before it had parked */
        puppet_drop(s, s->init);
    begin(s, s->init)->script_name = script_name;
    if (s->init->state == TASK_PARKED)
        task_hold(s, s->init, HELD_CALL);
}
