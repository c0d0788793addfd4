/* Looking around in the sealed shell, before a line of the procedure: `rehearse run DRILL --until
 * FILE:LINE --shell`. */
#include "cli/shell.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/command.h"
#include "reports/words.h"

/* What children wrote is shown when they have written it all: in virtual time nothing is slow. */
struct terminal {
    struct buf pending;
    bool person; /* types at a terminal: he is asked, and told where he is */
    bool greeted;
};

static void show_pending(struct terminal *terminal)
{
    struct buf clean;
    buf_init(&clean, 8 << 20);
    words_block(&clean, buf_text(&terminal->pending));
    if (clean.len)
        fwrite(clean.at, 1, clean.len, stdout);
    if (terminal->pending.truncated)
        fputs("\n[cut]\n", stdout);
    fflush(stdout);
    buf_release(&clean);
    buf_clear(&terminal->pending);
}

static void show(void *ctx, const void *at, size_t len)
{
    buf_add(&((struct terminal *)ctx)->pending, at, len);
}

static bool ask(void *ctx, const char *prompt, struct buf *ret)
{
    struct terminal *terminal = ctx;
    char *line = NULL;
    size_t size = 0;
    show_pending(terminal);
    if (terminal->person && !terminal->greeted)
        fputs("The sealed shell, before that line. Commands take virtual time, typing takes none; "
              "exit or Ctrl-D leaves.\n",
              stderr);
    terminal->greeted = true;
    if (terminal->person)
        fputs(prompt, stderr);
    ssize_t n = getline(&line, &size, stdin);
    bool stays = n >= 0 && !ferror(stdin);
    if (stays)
        buf_add(ret, line, (size_t)n - (n > 0 && line[n - 1] == '\n'));
    else if (terminal->person)
        fputc('\n', stderr);
    free(line);
    return stays;
}

int shell_parse_until(const char *until, struct arena *arena, struct guest *ret,
                      struct error *error)
{
    const char *colon = until ? strrchr(until, ':') : NULL;
    int64_t line = 0;
    if (!until)
        return 0;
    if (!colon || colon == until || !str_int64(str_of(colon + 1), &line) || line < 1 ||
        line > 100000000)
        return error_set(error, ERROR_INPUT,
                         "--until '%s': expected FILE:LINE, as in playbook.md:170", until);
    ret->file = arena_str(arena, (struct str){until, (size_t)(colon - until)});
    ret->line = (int)line;
    return 0;
}

int shell_look(const struct drill *drill, struct run_options *options, struct guest *guest,
               struct error *error)
{
    struct terminal terminal = {.person = isatty(STDIN_FILENO)};
    struct record *record = NULL;
    buf_init(&terminal.pending, 4 << 20);
    guest->ask = ask;
    guest->show = show;
    guest->ctx = &terminal;
    options->guest = guest;
    int code = drill_run(drill, options, &record, error);
    show_pending(&terminal);
    buf_release(&terminal.pending);
    guest->ctx = NULL; /* he goes with this function */
    if (code == 0 && !terminal.greeted) {
        fprintf(stderr, "rehearse: that line was never reached: %s\n",
                record->instants[T_DECIDE] == NEVER ? "nobody decided to roll back"
                : record->stopped_by                ? record->stopped_by
                                                    : "the procedure had ended before it");
        code = 1;
    }
    record_free(record);
    return code;
}
