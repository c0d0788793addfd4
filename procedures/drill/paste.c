#include "procedures/drill/paste.h"

#include <stdlib.h>
#include <string.h>

#include "fakes/fake.h"
#include "fakes/git_repo.h"
#include "procedures/drill/guest.h"
#include "procedures/drill/monitor.h"
#include "procedures/shell/shell.h"
#include "sim/base/doc.h"
#include "sim/base/xalloc.h"
#include "sim/world/model.h"

enum { LINE_MAX_BYTES = 1 << 20, SCRIPT_OUTPUT_MAX = 16 * 1024, CLAIM_LINE_MAX = 4096 };

static void add_line(struct paste *paste, const struct procedure_line *from, int line,
                     struct str text)
{
    XGROW(paste->lines, paste->n_lines, paste->cap_lines);
    paste->lines[paste->n_lines++] = (struct paste_line){
        .file = from->file,
        .line = line,
        .block = from->block,
        .text = text,
        .reading_ns = line == from->line ? from->reading_ns : 0,
    };
}

bool paste_is_unreadable(struct arena *arena, struct str line)
{
    struct shell_script script;
    shell_parse(arena, line, 1, &script);
    return script.n_mistakes > 0 && strstr(script.mistakes[0].text, "found '") != NULL;
}

/* Lines in which the parser of the whole block stumbles, and that are wrong by themselves too. */
static void mark_unreadable(struct paste *paste, int first)
{
    struct buf text;
    struct shell_script script;
    buf_init(&text, LINE_MAX_BYTES);
    for (int i = first; i < paste->n_lines; i++) {
        buf_str(&text, paste->lines[i].text);
        buf_putc(&text, '\n');
    }
    shell_parse(&paste->arena, str_of(arena_str(&paste->arena, buf_text(&text))), 0, &script);
    for (int i = 0; i < script.n_mistakes; i++) {
        int at = first + script.mistakes[i].line;
        if (at < paste->n_lines && strstr(script.mistakes[i].text, "found '"))
            paste->lines[at].unreadable = paste_is_unreadable(&paste->arena, paste->lines[at].text);
    }
    buf_release(&text);
}

/* A block of SQL becomes the here-document of the command that the drill names for it. */
static void compile(struct paste *paste)
{
    const struct procedure *procedure = &paste->drill->procedure;
    int start = 0;
    for (int i = 0; i < procedure->n_lines; i++) {
        const struct procedure_line *line = &procedure->lines[i];
        bool sql = line->kind == BLOCK_SQL;
        bool first = sql && (i == 0 || procedure->lines[i - 1].block != line->block);
        bool last =
            sql && (i + 1 == procedure->n_lines || procedure->lines[i + 1].block != line->block);
        if (first)
            add_line(paste, line, line->line,
                     str_of(arena_printf(&paste->arena, "%s <<'SQL'", paste->drill->sql_command)));
        add_line(paste, line, line->line, line->text);
        if (last)
            add_line(paste, line, line->line, STR("SQL"));
        if (line->kind == BLOCK_SHELL && (i == 0 || procedure->lines[i - 1].block != line->block))
            start = paste->n_lines - 1;
        if (line->kind == BLOCK_SHELL &&
            (i + 1 == procedure->n_lines || procedure->lines[i + 1].block != line->block))
            mark_unreadable(paste, start);
    }
}

void paste_init(struct paste *paste, const struct drill *drill, struct record *record,
                struct env *env)
{
    *paste = (struct paste){.drill = drill, .record = record, .env = env, .again = -1};
    buf_init(&paste->text, LINE_MAX_BYTES);
    buf_init(&paste->command, LINE_MAX_BYTES);
    buf_init(&paste->script_output, SCRIPT_OUTPUT_MAX);
    for (int fd = 0; fd < 3; fd++)
        buf_init(&paste->line[fd], CLAIM_LINE_MAX);
    compile(paste);
}

void paste_release(struct paste *paste)
{
    free(paste->lines);
    buf_release(&paste->text);
    buf_release(&paste->command);
    buf_release(&paste->script_output);
    for (int fd = 0; fd < 3; fd++)
        buf_release(&paste->line[fd]);
    arena_release(&paste->arena);
}

void paste_script(struct paste *paste, const char *script)
{
    paste->script = true;
    paste->script_rest = str_of(script);
    buf_clear(&paste->script_output);
}

const char *paste_script_output(const struct paste *paste)
{
    return paste->script_output.at ? paste->script_output.at : "";
}

void paste_procedure(struct paste *paste)
{
    paste->script = false;
    paste->next = 0;
    paste->waited = false;
    git_repo_look(paste->env);
}

static bool feed_script(struct paste *paste, struct feed *ret)
{
    if (paste->script_rest.len == 0)
        return false;
    buf_clear(&paste->text);
    buf_str(&paste->text, str_cut(&paste->script_rest, '\n'));
    buf_putc(&paste->text, '\n');
    *ret = (struct feed){.text = buf_text(&paste->text)};
    return true;
}

static bool is_read_not_run(struct str line)
{
    line = str_trim(line);
    return line.len == 0 || line.at[0] == '#';
}

/* The last line of the text that the step is about: its command's, or its script's. */
static int last_line_of(const struct paste *paste, const struct step *step)
{
    const struct procedure *procedure = &paste->drill->procedure;
    struct str text = str_of(step->command);
    int last = step->line;
    for (int i = 0; i < procedure->n_scripts; i++) {
        if (procedure->scripts[i].line == step->line)
            text = str_trim(procedure->scripts[i].text);
    }
    for (size_t i = 0; i < text.len; i++)
        last += text.at[i] == '\n';
    return last;
}

static void end_step(struct paste *paste, int exit_status)
{
    struct step *step = record_step_current(paste->record);
    if (paste->open && step) {
        step->command = arena_str(&paste->record->arena, buf_text(&paste->command));
        step->last_line = last_line_of(paste, step);
        git_repo_look(paste->env);
        if (exit_status >= 0)
            record_step_end(paste->record, step, exit_status);
        else
            record_step_cut(paste->record);
    }
    paste->open = false;
    for (int fd = 1; fd <= 2; fd++)
        buf_clear(&paste->line[fd]);
}

void paste_end(struct paste *paste, int exit_status)
{
    end_step(paste, exit_status);
}

/* The text as one word of the shell, behind `prefix`. */
static void add_quoted(struct buf *out, const char *prefix, struct str text)
{
    buf_printf(out, "%s'", prefix);
    for (size_t i = 0; i < text.len; i++)
        buf_puts(out, text.at[i] == '\'' ? "'\\''" : (char[]){text.at[i], '\0'});
    buf_putc(out, '\'');
}

void paste_put(struct paste *paste, const struct paste_line *line)
{
    buf_clear(&paste->text);
    if (line->unreadable)
        add_quoted(&paste->text, "eval ", line->text);
    else
        buf_str(&paste->text, line->text);
    buf_putc(&paste->text, '\n');
}

static void give(struct paste *paste, const struct paste_line *line, struct feed *ret)
{
    paste_put(paste, line);
    if (paste->command.len)
        buf_putc(&paste->command, '\n');
    buf_str(&paste->command, line->text);
    *ret = (struct feed){.text = buf_text(&paste->text), .line = line->line};
    paste->next++;
    paste->waited = false;
}

/* Bound variables are set before the first step, as the operator would. */
static bool feed_variables(struct paste *paste, struct feed *ret)
{
    const struct procedure *procedure = &paste->drill->procedure;
    if (paste->prepared || procedure->n_variables == 0)
        return false;
    paste->prepared = true;
    buf_clear(&paste->text);
    for (int i = 0; i < procedure->n_variables; i++) {
        buf_printf(&paste->text, "export %s=", procedure->variables[i].name);
        add_quoted(&paste->text, "", str_of(procedure->variables[i].value));
        buf_putc(&paste->text, '\n');
    }
    *ret = (struct feed){.text = buf_text(&paste->text)};
    return true;
}

/* Before a step: reads what stands before it, finds and pastes the command. False: the operator has
 * left for good. */
static bool wait_for_operator(struct paste *paste, struct feed *ret)
{
    int64_t reading_ns = 0, resume_ns = NEVER;
    while (paste->next < paste->n_lines && is_read_not_run(paste->lines[paste->next].text)) {
        reading_ns += paste->lines[paste->next].reading_ns;
        if (str_trim(paste->lines[paste->next].text).len)
            reading_ns += world_reading_ns(paste->env->world, 1);
        paste->next++;
    }
    paste->complete = paste->next == paste->n_lines;
    if (paste->complete)
        return false;
    const struct paste_line *line = &paste->lines[paste->next];
    int64_t wait_ns =
        reading_ns + line->reading_ns + world_typing_ns(paste->env->world, line->text.len);
    if (!world_goes_on(paste->env->world, paste->record->n_steps + 1, &resume_ns)) {
        if (resume_ns == NEVER) {
            paste->stopped_by = "the operator stopped halfway and nobody took over";
            return false;
        }
        wait_ns += resume_ns - paste->record->now_ns;
    }
    paste->waited = true;
    *ret = (struct feed){.wait_ns = wait_ns > 0 ? wait_ns : 1};
    return true;
}

/* A step failed. True: its block is run again from the top; false: it has been, or the drill says
 * to stop. */
static bool starts_over(struct paste *paste, struct step *step)
{
    int block = paste->lines[paste->next - 1].block, first = paste->next - 1;
    if (paste->drill->on_error == ON_ERROR_STOP || paste->again == block) {
        paste->stopped_by = "a step failed, and the drill says to stop then";
        return false;
    }
    while (first > 0 && paste->lines[first - 1].block == block)
        first--;
    record_event(paste->record, EVENT_OPERATOR, "again",
                 "step %d failed: runs its block again from line %d", step->n,
                 paste->lines[first].line);
    step->seen_to_fail = true;
    paste->again = block;
    paste->next = first;
    paste->waited = false;
    return true;
}

bool paste_feed(struct paste *paste, bool executed, int exit_status, struct feed *ret)
{
    if (paste->script)
        return feed_script(paste, ret);
    if (paste->guest && paste->guest->inside)
        return guest_feed(paste->guest, paste, executed, exit_status, ret);
    if (paste->open && executed) {
        struct step *step = record_step_current(paste->record);
        end_step(paste, exit_status);
        if (exit_status != 0 && step && !step->interrupted &&
            paste->drill->on_error != ON_ERROR_CONTINUE && !starts_over(paste, step))
            return false;
    }
    if (paste->open) { /* bash wants the rest of a command */
        paste->complete = paste->next == paste->n_lines;
        if (paste->complete)
            return false;
        give(paste, &paste->lines[paste->next], ret);
        return true;
    }
    if (feed_variables(paste, ret))
        return true;
    if (!paste->waited) /* the clock first, so that the step starts when bash gets it */
        return wait_for_operator(paste, ret);
    if (paste->guest && paste->next >= paste->guest->at)
        return guest_feed(paste->guest, paste, executed, exit_status, ret);
    const struct paste_line *line = &paste->lines[paste->next];
    buf_clear(&paste->command);
    const struct step *step = record_step_begin(paste->record, line->file, line->line,
                                                arena_str(&paste->arena, line->text));
    world_step(paste->env->world, step->n);
    paste->open = true;
    give(paste, line, ret);
    return true;
}

/* ---- output ---- */

static void look_for_claim(struct paste *paste, struct step *step, const char *line)
{
    if (step->claimed)
        return;
    for (int i = 0; i < paste->drill->n_claims; i++) {
        if (regexec(&paste->drill->claims[i].regex, line, 0, NULL, 0) != 0)
            continue;
        step->claimed = arena_strdup(&paste->record->arena, line);
        step->claimed_ns = paste->record->now_ns;
        if (paste->record->instants[T_CLAIM] == NEVER)
            paste->record->instants[T_CLAIM] = paste->record->now_ns;
        record_event(paste->record, EVENT_OPERATOR, "claim", "the procedure says: %s", line);
        return;
    }
}

void paste_output(struct paste *paste, int fd, const void *at, size_t len)
{
    if (paste->script) {
        buf_add(&paste->script_output, at, len);
        return;
    }
    if (paste->guest && paste->guest->inside) {
        paste->guest->show(paste->guest->ctx, at, len);
        return;
    }
    struct step *step = record_step_current(paste->record);
    if (!step || fd < 1 || fd > 2)
        return;
    buf_add(fd == 1 ? &step->out : &step->err, at, len);
    struct str rest = {at, len};
    struct buf *line = &paste->line[fd];
    while (rest.len) {
        bool whole = memchr(rest.at, '\n', rest.len) != NULL;
        buf_str(line, str_cut(&rest, '\n'));
        if (whole) {
            look_for_claim(paste, step, line->at);
            buf_clear(line);
        }
    }
}

/* ---- monitors ---- */

enum { ASK_EVERY_S = 5 };

static void stop_watching(struct paste *paste, const char *why)
{
    struct str line = buf_text(&paste->command);
    struct str first = str_cut(&line, '\n');
    record_event(paste->record, EVENT_OPERATOR, "monitor", "stops watching: %s", why);
    record_observe(
        paste->record, "never_ending", arena_str(&paste->record->arena, buf_text(&paste->command)),
        "'%.*s' does not end by itself: a person has to interrupt it before the next command runs",
        (int)(first.len < 80 ? first.len : 80), first.at);
}

bool paste_interrupt(struct paste *paste, const char *command, int64_t *ret_ask_ns)
{
    (void)command;
    *ret_ask_ns = INT64_MAX;
    if (paste->guest && paste->guest->inside)
        return guest_interrupt(paste->guest, paste, ret_ask_ns);
    struct step *step = record_step_current(paste->record);
    if (paste->script || !step || !monitor_never_ends(buf_text(&paste->command)))
        return false;
    int64_t now_ns = paste->record->now_ns;
    int64_t patience_ends_ns = step->start_ns + world_patience_ns(paste->env->world);
    int64_t stable_since_ns = world_stable_since(paste->env->world);
    int64_t seen_ns = stable_since_ns != NEVER && stable_since_ns > step->start_ns ? stable_since_ns
                                                                                   : step->start_ns;
    int64_t content_ns =
        stable_since_ns == NEVER ? INT64_MAX : seen_ns + paste->drill->watch_until_ns;
    if (now_ns >= content_ns || now_ns >= patience_ends_ns) {
        if (!step->interrupted)
            stop_watching(paste, now_ns >= content_ns ? "the system has been stable for long enough"
                                                      : "patience is at its end");
        step->interrupted = true;
        return true;
    }
    int64_t ask_ns = content_ns < patience_ends_ns ? content_ns : patience_ends_ns;
    if (stable_since_ns == NEVER && now_ns + ASK_EVERY_S * SECOND < ask_ns)
        ask_ns = now_ns + ASK_EVERY_S * SECOND;
    *ret_ask_ns = ask_ns;
    return false;
}

/* ---- fakes ---- */

static ssize_t say_nothing(struct call *call, int fd, const void *at, size_t len)
{
    return fd == 1 || fd == 2 ? (ssize_t)len : call->impl_ops->write(call, fd, at, len);
}

static int lose_reply(const struct fake *fake, struct call *call, const struct command_fault *fault)
{
    struct call_ops quiet = *call->ops;
    const struct call_ops *loud = call->ops;
    quiet.write = say_nothing;
    call->impl_ops = loud;
    call->ops = &quiet;
    fake->run(call);
    call->ops = loud;
    call_err(call, "%s\n",
             fault->message ? fault->message : "error: connection lost before a reply came");
    return fault->exit_status;
}

int paste_command(struct paste *paste, struct call *call, const char *line)
{
    const struct fake *fake = env_fake_for(paste->env, call->place, call->argv[0]);
    if (!fake) {
        record_observe(paste->record, "unknown_command", call->argv[0],
                       "'%s' has no fake here: declare it in the system file", call->argv[0]);
        call_err(call, "bash: %s: command not found\n", call->argv[0]);
        return 127;
    }
    struct command_fault fault = world_command_fault(paste->env->world, line);
    switch (fault.how) {
    case COMMAND_FAIL:
        if (fault.message)
            call_err(call, "%s\n", fault.message);
        return fault.exit_status;
    case COMMAND_HANG:
        while (!call_sleep(call, 365 * DAY))
            ;
        return 130;
    case COMMAND_SLOW:
        if (call_sleep(call, fault.delay_ns))
            return 130;
        return fake->run(call);
    case COMMAND_LIE:
        if (fault.message)
            call_out(call, "%s\n", fault.message);
        return 0;
    case COMMAND_LOSE_REPLY:
        return lose_reply(fake, call, &fault);
    default:
        return fake->run(call);
    }
}
