/* What the run must tell: what was refused, which command does not exist, who waits for what for
 * ever. */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "procedures/supervisor/core.h"
#include "sim/base/str.h"

static void tell(struct supervisor *s, const char *id, const char *evidence, const char *message)
{
    if (s->owner.observe)
        s->owner.observe(s->owner.ctx, id, evidence, message);
}

void observe_refusal(struct supervisor *s, struct task *t, const char *what)
{
    char command[512], message[768];
    task_command_line(t, command, sizeof command);
    snprintf(message, sizeof message, "'%.400s' reached for %s; it was refused", command, what);
    tell(s, "escaped_command", what, message);
}

void observe_limit(struct supervisor *s, const char *evidence, const char *message)
{
    tell(s, "limit", evidence, message);
}

/* "NAME: line N: WORD: command not found" (bash), "NAME: N: WORD: not found" (dash). */
static struct str missing_command(struct str line)
{
    struct str none = {NULL, 0};
    static const char *const ends[] = {": command not found", ": not found"};
    for (size_t i = 0; i < 2; i++) {
        if (!str_ends(line, ends[i]))
            continue;
        line.len -= strlen(ends[i]);
        size_t at = line.len;
        while (at > 1 && !(line.at[at - 1] == ' ' && line.at[at - 2] == ':'))
            at--;
        return at > 1 ? (struct str){line.at + at, line.len - at} : none;
    }
    return none;
}

static void missing(struct supervisor *s, struct str word)
{
    char name[256], message[512];
    if (word.len == 0 || word.len >= sizeof name)
        return;
    snprintf(name, sizeof name, "%.*s", STR_ARG(word));
    snprintf(message, sizeof message,
             "command '%s' does not exist in the rehearsal (exit 127): declare it as a fake or a "
             "program",
             name);
    tell(s, "unknown_command", name, message);
}

/* A program that says so has met one of the sandbox's limits. */
static void met_limit(struct supervisor *s, struct str line)
{
    static const struct {
        const char *says, *evidence, *message;
    } limits[] = {
        {"No space left on device", "disk",
         "the rehearsal's disk is full: its size is a limit of the sandbox"},
        {"Too many open files", "open_files",
         "a process has more files open than the limit of the sandbox allows"},
        {"Cannot allocate memory", "memory",
         "a process wants more memory than the limit of the sandbox allows"},
        {"annot allocate", "memory",
         "a process wants more memory than the limit of the sandbox allows"},
        {"memory exhausted", "memory",
         "a process wants more memory than the limit of the sandbox allows"},
    };
    for (size_t i = 0; i < sizeof limits / sizeof *limits; i++)
        if (str_find(line, str_of(limits[i].says)) >= 0) {
            observe_limit(s, limits[i].evidence, limits[i].message);
            return;
        }
}

void observe_written(struct supervisor *s, struct task *t, uint64_t at, size_t len)
{
    char text[1024];
    if (len == 0 || len >= sizeof text || !task_read(t, at, text, len))
        return;
    struct str rest = {text, len};
    while (rest.len > 0) {
        struct str line = str_trim(str_cut(&rest, '\n'));
        if (t->process->shell)
            missing(s, missing_command(line));
        if (!t->process->shim)
            met_limit(s, line);
    }
}

/* What the procedure itself is, and what merely carries it, is not what a person sees running. */
static bool in_foreground(const struct supervisor *s, const struct task *t)
{
    return t != s->init && t != s->shell && t->pid == t->process->pid;
}

void observe_foreground(struct supervisor *s, char *text, size_t size)
{
    for (const struct task *t = s->tasks; t; t = t->next)
        if (in_foreground(s, t) && !task_signal_in(t, "SigIgn", SIGINT)) {
            task_command_line(t, text, size);
            return;
        }
    if (s->shell)
        task_command_line(s->shell, text, size);
    else
        snprintf(text, size, "(nothing)");
}

/* ---- hangs ---- */

/* A detour shows what it stands for; a call that nobody asked about shows itself. */
static long waiting_number(const struct task *t)
{
    return t->in_call ? t->number : t->waits_in;
}

static int waiting_descriptor(const struct task *t)
{
    return (int)(t->in_call ? t->arguments[0] : t->waits_on);
}

static bool reads_terminal(const struct supervisor *s, const struct task *t)
{
    struct pipe_id {
        char link[64];
    } mine, theirs;
    char path[64];
    memset(&mine, 0, sizeof mine);
    memset(&theirs, 0, sizeof theirs);
    snprintf(path, sizeof path, "/proc/self/fd/%d", s->sandbox.input_fd);
    (void)!readlink(path, mine.link, sizeof mine.link - 1);
    snprintf(path, sizeof path, "/proc/%d/fd/%d", (int)t->pid, waiting_descriptor(t));
    (void)!readlink(path, theirs.link, sizeof theirs.link - 1);
    return *mine.link && strcmp(mine.link, theirs.link) == 0;
}

static void describe_wait(struct supervisor *s, struct task *t, char *text, size_t size)
{
    long number = waiting_number(t);
    char name[32], link[1024] = "", path[64];
    ssize_t n;
    size_t jail;
    if (t->state == TASK_STOPPED) {
        snprintf(text, size, "stopped by a signal; nobody continues it");
        return;
    }
    switch (number) {
    case SYS_read:
    case SYS_readv:
    case SYS_recvfrom:
    case SYS_recvmsg:
    case SYS_accept:
    case SYS_accept4:
    case SYS_write:
    case SYS_writev:
        if (reads_terminal(s, t)) {
            snprintf(text, size, "waits for input: nobody types here");
            return;
        }
        snprintf(path, sizeof path, "/proc/%d/fd/%d", (int)t->pid, waiting_descriptor(t));
        n = readlink(path, link, sizeof link - 1);
        link[n > 0 ? n : 0] = '\0';
        if (strchr(link, '[')) /* "pipe:[NUMBER]": the number is the host's */
            link[strcspn(link, ":[")] = '\0';
        jail = strlen(s->sandbox.jail);
        if (jail > 0 && strncmp(link, s->sandbox.jail, jail) == 0)
            memmove(link, link + jail, strlen(link + jail) + 1);
        if (strncmp(link, "/dev/pts/", 9) == 0 && number != SYS_write && number != SYS_writev)
            snprintf(text, size, "waits for input at its terminal (%s)", link);
        else
            snprintf(text, size, "waits to %s descriptor %d (%s)",
                     number == SYS_write || number == SYS_writev ? "write to" : "read from",
                     waiting_descriptor(t), *link ? link : "?");
        return;
    case SYS_wait4:
    case SYS_waitid:
        snprintf(text, size, "waits for a child process");
        return;
    case SYS_futex:
        snprintf(text, size, "waits for another thread");
        return;
    case SYS_flock:
    case SYS_fcntl:
        snprintf(text, size, "waits for a file lock");
        return;
    case SYS_open:
    case SYS_openat:
        snprintf(text, size, "waits for the other end of a fifo");
        return;
    case SYS_pause:
    case SYS_rt_sigsuspend:
    case SYS_rt_sigtimedwait:
        snprintf(text, size, "waits for a signal");
        return;
    default:
        snprintf(text, size, "waits in %s", arch_call_name(number, name));
    }
}

void observe_hang(struct supervisor *s)
{
    struct buf evidence;
    char command[512], wait[512], message[768];
    bool input = false;
    buf_init(&evidence, 16384);
    for (struct task *t = s->tasks; t; t = t->next) {
        if (t == s->init)
            continue;
        task_command_line(t, command, sizeof command);
        describe_wait(s, t, wait, sizeof wait);
        input = input || strstr(wait, "waits for input");
        buf_printf(&evidence, "%s%s: %s", evidence.len ? "\n" : "", command, wait);
    }
    observe_foreground(s, command, sizeof command);
    snprintf(message, sizeof message,
             input ? "'%.500s' waits for input that never comes"
                   : "'%.500s' never ends: every process waits for another one",
             command);
    tell(s, "hang", evidence.len ? evidence.at : "", message);
    buf_release(&evidence);
}
