/* The long-lived bash and its script, which does not exist: every read of it is answered with what
 * the owner feeds.
 *
 * bash asks for more exactly when it has executed all it has read. What it did meanwhile stands in
 * two of its own variables (bash is linked so that its loadable builtins can see them):
 * current_command_number is one higher for each complete command that it started to execute,
 * last_command_exit_value is $?.
 *
 * To bash the script is an ordinary seekable file: it reads it in blocks, and seeks back before it
 * starts a program if it has read more than it has executed. So what was fed is kept, with a
 * position in it.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "procedures/sandbox/filter.h"
#include "procedures/sandbox/programs.h"
#include "procedures/sandbox/root.h"
#include "procedures/supervisor/core.h"
#include "procedures/supervisor/elf.h"
#include "sim/base/xalloc.h"

enum variable { COMMAND_NUMBER, EXIT_VALUE, LINE_NUMBER, INTERACTIVE, INTERRUPT_STATE, VARIABLES };
static const char *const variable_names[VARIABLES] = {"current_command_number",
                                                      "last_command_exit_value", "line_number",
                                                      "interactive", "interrupt_state"};

struct script {
    uint64_t variables[VARIABLES]; /* before relocation */
    uint64_t entry;
    uint64_t base; /* load address of the present bash */
    bool attached;
    bool opened, ended;
    char name[256];
    struct buf text; /* all that was fed */
    size_t position; /* of bash in it */
    int commands;    /* its command number at the last feed */
    bool waiting;    /* the next piece is there, but is not typed yet */
    size_t typed;    /* what bash may read of the text */
    int line;        /* of the piece that is not typed yet */
    int64_t ready_ns;
    bool interrupting;
};

struct script *script_new(struct error *error)
{
    char path[128];
    struct elf_symbol symbols[VARIABLES];
    struct script *script = xcalloc(1, sizeof *script);
    for (int i = 0; i < VARIABLES; i++)
        symbols[i] = (struct elf_symbol){variable_names[i], 0};
    if (!program_find("bash", path, sizeof path)) {
        error_set(error, ERROR_SEAL, "there is no bash on this machine: install it");
        goto fail;
    }
    if (elf_symbols(path, symbols, VARIABLES, &script->entry, error))
        goto fail;
    for (int i = 0; i < VARIABLES; i++) {
        script->variables[i] = symbols[i].at;
        if (!symbols[i].at) {
            error_set(error, ERROR_SEAL,
                      "'%s' does not export '%s', without which its commands cannot be followed: "
                      "use the bash of a common distribution (linked with -rdynamic)",
                      path, variable_names[i]);
            goto fail;
        }
    }
    buf_init(&script->text, 16 << 20);
    return script;
fail:
    free(script);
    return NULL;
}

void script_free(struct script *script)
{
    if (!script)
        return;
    buf_release(&script->text);
    free(script);
}

/* bash takes the size of its read buffer from the file's; and looks whether its first line is text.
 */
const void *script_placeholder(size_t *size)
{
    static char text[16384];
    memset(text, '\n', sizeof text);
    text[0] = '#';
    *size = sizeof text;
    return text;
}

void script_start(struct supervisor *s, struct task *shell, const char *name)
{
    struct script *script = s->script;
    s->shell = shell;
    script->attached = script->opened = script->ended = script->waiting = script->interrupting =
        false;
    script->position = script->typed = 0;
    script->line = 0;
    script->commands = -1;
    buf_clear(&script->text);
    memset(script->name, 0, sizeof script->name);
    strncpy(script->name, name, sizeof script->name - 1);
}

static int get(struct supervisor *s, enum variable v)
{
    int value = 0;
    (void)task_read(s->shell, s->script->base + s->script->variables[v], &value, sizeof value);
    return value;
}

static void set(struct supervisor *s, enum variable v, int value)
{
    (void)task_write(s->shell, s->script->base + s->script->variables[v], &value, sizeof value);
}

void script_attach(struct supervisor *s, struct task *t, uint64_t entry)
{
    struct script *script = s->script;
    script->attached = strcmp(t->process->program, "bash") == 0 && !script->attached;
    script->base = entry - script->entry;
}

bool script_waiting(const struct supervisor *s)
{
    return s->script->waiting || !s->script->opened;
}

/* Asks the owner for the next piece. False: there is none. */
static bool next_piece(struct supervisor *s)
{
    struct script *script = s->script;
    struct feed feed = {.text = {NULL, 0}};
    if (script->interrupting) {
        set(s, INTERACTIVE, 0);
        set(s, INTERRUPT_STATE, 0);
        script->interrupting = false;
    }
    s->interrupts = 0;
    s->hang_told = false;
    s->busy_execs = s->busy_calls = 0;
    s->ask_at_ns = clock_now(s) + ASK_NS;
    schedule_drain(s);
    int commands = get(s, COMMAND_NUMBER);
    bool executed = script->commands >= 0 && commands != script->commands;
    script->commands = commands;
    if (!s->owner.feed(s->owner.ctx, executed, get(s, EXIT_VALUE), &feed))
        return false;
    buf_str(&script->text, feed.text);
    script->line = feed.line;
    script->ready_ns = clock_now(s) + feed.wait_ns;
    script->waiting = true;
    return true;
}

static void hand_out(struct supervisor *s, struct task *t)
{
    struct script *script = s->script;
    size_t n = script->typed - script->position;
    n = n < t->arguments[2] ? n : (size_t)t->arguments[2];
    if (!task_write(t, t->arguments[1], script->text.at + script->position, n)) {
        call_finish(t, -EFAULT);
        return;
    }
    script->position += n;
    call_finish(t, (long)n);
}

static void read_script(struct supervisor *s, struct task *t)
{
    struct script *script = s->script;
    while (script->position == script->typed && !script->ended) {
        if (!script->waiting && !next_piece(s)) {
            script->ended = true;
            break;
        }
        if (clock_now(s) < script->ready_ns) {
            clock_sleep(s, t, DETOUR_FEED, script->ready_ns);
            return;
        }
        script->waiting = false;
        if (script->text.len > script->typed && script->line > 0)
            set(s, LINE_NUMBER, script->line);
        script->typed = script->text.len; /* nothing in it: it was only a wait, ask again */
    }
    hand_out(s, t);
}

static void seek_script(struct supervisor *s, struct task *t)
{
    struct script *script = s->script;
    int64_t to = (int64_t)t->arguments[1];
    if ((int)t->arguments[2] == SEEK_CUR)
        to += (int64_t)script->position;
    else if ((int)t->arguments[2] == SEEK_END)
        to += (int64_t)script->typed;
    if (to < 0 || to > (int64_t)script->typed) {
        call_finish(t, -EINVAL);
        return;
    }
    script->position = (size_t)to;
    call_finish(t, to);
}

/* bash opens its script by the name that it shows in messages; the file is elsewhere. */
static bool open_script(struct supervisor *s, struct task *t)
{
    char path[256], hidden[600];
    snprintf(hidden, sizeof hidden, "%s" ROOT_SCRIPT, s->sandbox.jail);
    if (!task_read_text(t, t->arguments[1], path, sizeof path) ||
        strcmp(path, s->script->name) != 0)
        return false;
    uint64_t at = arch_scratch(&t->registers, sizeof hidden);
    if (!task_write_scratch(t, at, hidden, strlen(hidden) + 1))
        return false;
    arch_set_argument(&t->registers, 1, at);
    (void)arch_set(t->pid, &t->registers);
    s->script->opened = true;
    t->detour = DETOUR_OTHER;
    task_resume(t, true);
    return true;
}

bool script_call(struct supervisor *s, struct task *t)
{
    struct script *script = s->script;
    if (!script->attached)
        return false;
    if (t->number == SYS_openat && !script->opened)
        return open_script(s, t);
    bool mine = script->opened && t->arguments[0] == FILTER_SCRIPT_FD;
    if (mine && t->number == SYS_read)
        read_script(s, t);
    else if (mine && t->number == SYS_lseek)
        seek_script(s, t);
    else
        return false;
    return true;
}

/* An interactive bash would be told by SIGINT to give up what it does and ask for the next command;
 * this one would end. So it is told that it is interactive and that SIGINT came, until it asks. */
void script_interrupt(struct supervisor *s)
{
    struct script *script = s->script;
    if (!s->shell || !script->attached || !script->opened)
        return;
    set(s, INTERACTIVE, 1);
    set(s, INTERRUPT_STATE, 1);
    script->interrupting = true;
}
