#include "cli/keep.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "procedures/supervisor/real_clock.h"
#include "sim/base/doc.h"

const char *keep_path(const char *option, struct arena *arena)
{
    const char *state = getenv("XDG_STATE_HOME"), *home = getenv("HOME");
    if (option)
        return option;
    if (state && state[0] == '/') /* the XDG specification asks to ignore a relative one */
        return arena_printf(arena, "%s/rehearse/history.db", state);
    if (home && home[0] == '/')
        return arena_printf(arena, "%s/.local/state/rehearse/history.db", home);
    return NULL;
}

void keep_runs(const struct summary *summaries, int n, const char *option)
{
    struct arena arena = {0};
    struct error error = {""};
    struct history *history = NULL;
    if (n == 0 || (option && strcmp(option, "none") == 0))
        return;
    const char *path = keep_path(option, &arena);
    int code = path ? history_open(path, true, &history, &error)
                    : error_set(&error, ERROR_INPUT, "no home directory; give --history FILE");
    for (int i = 0; code == 0 && i < n; i++) {
        struct history_run run =
            history_run_of(&summaries[i], real_clock_unix_s(), "simulated", "");
        code = history_add(history, &run, summaries[i].findings, summaries[i].n_findings, NULL,
                           &error);
    }
    if (code)
        fprintf(stderr, "rehearse: not kept in the history: %s\n", error.text);
    history_close(history);
    arena_release(&arena);
}

int keep_time(const char *text, const char *option_name, int64_t *ret_s, struct error *error)
{
    int64_t unix_ns = 0;
    if (!text) {
        *ret_s = real_clock_unix_s();
        return 0;
    }
    if (!parse_day(str_of(text), &unix_ns))
        return error_set(error, ERROR_INPUT, "%s '%s' is no date, expected as in 2026-06-30",
                         option_name, text);
    *ret_s = unix_ns / SECOND;
    return 0;
}
