/* rehearse list: the systems, their procedures and drills. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/command.h"
#include "cli/arguments.h"
#include "procedures/drill/find.h"

static void print_heads(const struct drill_head *heads, int n)
{
    for (int i = 0; i < n; i++) {
        if (i == 0 || strcmp(heads[i - 1].system, heads[i].system) != 0)
            printf("%s%s: %s\n", i ? "\n" : "", heads[i].system, heads[i].system_title);
        printf("  %s\n      %s%s%s\n", heads[i].path, heads[i].section[0] ? heads[i].section : heads[i].playbook,
               heads[i].expects[0] ? "; expected to " : "",
               strcmp(heads[i].expects, "unknown") == 0 ? "stay unknown" : heads[i].expects);
    }
    printf("%s%d drill%s\n", n ? "\n" : "", n, n == 1 ? "" : "s");
}

static int run(int argc, char **argv)
{
    static const struct option_spec specs[] = {{NULL, NULL, NULL}};
    enum { PATHS_MAX = 64 };
    const char *paths[PATHS_MAX] = {"."};
    struct error error = {""};
    struct arena arena = {0};
    struct drill_head *heads = NULL;
    int n = 0, cap = 0;
    int n_paths = arguments_parse(argc, argv, specs, paths, PATHS_MAX, &error);
    int code = n_paths < 0 ? n_paths : 0;
    for (int i = 0; i < (n_paths > 0 ? n_paths : 1) && i < PATHS_MAX && code == 0; i++)
        code = drill_find(&arena, paths[i], &heads, &n, &cap, &error);
    int status = EXIT_PASS;
    if (code == 0)
        print_heads(heads, n);
    else
        status = arguments_fail(code, &error);
    free(heads);
    arena_release(&arena);
    return status;
}

const struct command command_list = {
    .name = "list",
    .usage = "[PATH...]",
    .summary = "the systems, their procedures and drills",
    .help = "  PATH   a drill file, or a folder that is searched for them (default: the current one)\n",
    .run = run,
};
