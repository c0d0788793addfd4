/* rehearse list: the systems, their procedures and drills, and the last verdict of each. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/arguments.h"
#include "cli/command.h"
#include "cli/keep.h"
#include "procedures/drill/find.h"

static void note_last(void *ctx, const struct history_run *run)
{
    char *text = ctx;
    snprintf(text, 64, "; last: %s, score %.4g", outcome_names[run->outcome], run->score);
}

/* "; last: fail, score 42.9", or "" where no history knows the drill. */
static void last_verdict(struct history *history, const char *drill, char text[64])
{
    text[0] = '\0';
    if (history)
        (void)history_each(history, drill, 1, note_last, text, NULL);
}

static void print_heads(const struct drill_head *heads, int n, struct history *history)
{
    char last[64];
    for (int i = 0; i < n; i++) {
        if (heads[i].mistake) {
            printf("%s%s\n      cannot be read: %s\n", i ? "\n" : "", heads[i].path, heads[i].mistake);
            continue;
        }
        if (i == 0 || strcmp(heads[i - 1].system, heads[i].system) != 0)
            printf("%s%s: %s\n", i ? "\n" : "", heads[i].system, heads[i].system_title);
        last_verdict(history, heads[i].name, last);
        printf("  %s\n      %s%s%s%s\n", heads[i].path,
               heads[i].section[0] ? heads[i].section : heads[i].playbook, heads[i].expects[0] ? "; expected to " : "",
               strcmp(heads[i].expects, "unknown") == 0 ? "stay unknown" : heads[i].expects, last);
    }
    printf("%s%d drill%s\n", n ? "\n" : "", n, n == 1 ? "" : "s");
}

static struct history *open_history(const char *option, struct arena *arena)
{
    struct history *history = NULL;
    const char *path = option && strcmp(option, "none") == 0 ? NULL : keep_path(option, arena);
    if (path && history_open(path, false, &history, NULL) < 0)
        return NULL; /* nothing was kept yet */
    return history;
}

static int run(int argc, char **argv)
{
    enum { PATHS_MAX = 64 };
    const char *paths[PATHS_MAX] = {"."}, *history_option = NULL;
    const struct option_spec specs[] = {{"--history", &history_option, NULL}, {NULL, NULL, NULL}};
    struct error error = {""};
    struct arena arena = {0};
    struct drill_head *heads = NULL;
    int n = 0, cap = 0;
    int n_paths = arguments_parse(argc, argv, specs, paths, PATHS_MAX, &error);
    int code = n_paths < 0 ? n_paths : 0;
    for (int i = 0; i < (n_paths > 0 ? n_paths : 1) && i < PATHS_MAX && code == 0; i++)
        code = drill_find(&arena, paths[i], &heads, &n, &cap, &error);
    int status = EXIT_PASS;
    if (code == 0) {
        struct history *history = open_history(history_option, &arena);
        print_heads(heads, n, history);
        if (history)
            history_close(history);
    } else {
        status = arguments_fail(code, &error);
    }
    free(heads);
    arena_release(&arena);
    return status;
}

const struct command command_list = {
    .name = "list",
    .usage = "[PATH...] [--history FILE|none]",
    .summary = "the systems, their procedures and drills, and the last verdict of each",
    .help = "  PATH             a drill file, or a folder that is searched for them (default: the current one)\n"
            "  --history FILE   where the last verdicts are looked up; none: nowhere\n",
    .run = run,
};
