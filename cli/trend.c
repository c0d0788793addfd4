/* rehearse trend: eight quarters, what got worse, what is still open. */
#include <stdio.h>
#include <string.h>

#include "cli/arguments.h"
#include "cli/command.h"
#include "cli/formats.h"
#include "cli/keep.h"
#include "reports/trend.h"

static int show(struct history *history, const struct trend_choice *choice, int64_t now_s,
                const char *format, const char *plot, struct error *error)
{
    struct arena arena = {0};
    struct trend trend;
    struct buf out;
    buf_init(&out, REPORT_MAX);
    int code = trend_compute(&trend, history, choice, now_s, &arena, error);
    if (code == 0 && format && strcmp(format, "json") == 0)
        trend_json(&trend, &out);
    else if (code == 0)
        trend_text(&trend, &out);
    if (code == 0)
        fwrite(out.at, 1, out.len, stdout);
    buf_clear(&out);
    if (code == 0 && plot) {
        plot_trend(&trend, 900, &out);
        code = formats_write_picture(plot, &out, error);
    }
    buf_release(&out);
    arena_release(&arena);
    return code;
}

static int run(int argc, char **argv)
{
    const char *history_file = NULL, *now = NULL, *format = NULL, *plot = NULL, *rest[1] = {NULL};
    struct trend_choice choice = {0};
    const struct option_spec specs[] = {{"--playbook", &choice.playbook, NULL},
                                        {"--section", &choice.section, NULL},
                                        {"--kind", &choice.kind, NULL},
                                        {"--history", &history_file, NULL},
                                        {"--now", &now, NULL},
                                        {"--format", &format, NULL},
                                        {"--plot", &plot, NULL},
                                        {NULL, NULL, NULL}};
    struct arena arena = {0};
    struct error error = {""};
    struct history *history = NULL;
    int64_t now_s = 0;
    int n = arguments_parse(argc, argv, specs, rest, 1, &error), code = n < 0 ? n : 0;
    if (n > 1)
        code = error_set(&error, ERROR_INPUT, "trend: one drill at a time, or none for all");
    if (code == 0 && format && strcmp(format, "text") != 0 && strcmp(format, "json") != 0)
        code = error_set(&error, ERROR_INPUT, "--format '%s' is not known: text or json", format);
    if (code == 0 && choice.kind && strcmp(choice.kind, "simulated") != 0 &&
        strcmp(choice.kind, "held") != 0)
        code = error_set(&error, ERROR_INPUT, "--kind '%s' is not known: simulated or held",
                         choice.kind);
    choice.drill = rest[0];
    if (code == 0)
        code = keep_time(now, "--now", &now_s, &error);
    const char *path = keep_path(history_file, &arena);
    if (code == 0 && !path)
        code = error_set(&error, ERROR_INPUT, "no home directory; give --history FILE");
    if (code == 0)
        code = history_open(path, false, &history, &error);
    if (code == 0)
        code = show(history, &choice, now_s, format, plot, &error);
    history_close(history);
    arena_release(&arena);
    return code == 0 ? EXIT_PASS : arguments_fail(code, &error);
}

const struct command command_trend = {
    .name = "trend",
    .usage = "[DRILL] [--playbook FILE] [--section HEADING] [--kind simulated|held] [--now DATE]\n"
             "                      [--format text|json] [--plot FILE] [--history FILE]",
    .summary = "eight quarters of the history: medians, regressions, open findings",
    .help =
        "  DRILL           only this one, e.g. shop/database (default: all)\n"
        "  --playbook FILE, --section HEADING, --kind simulated|held\n"
        "                  only runs of this document (default: of the one that the drill names "
        "itself)\n"
        "  --history FILE  the file (default $XDG_STATE_HOME/rehearse/history.db)\n"
        "  --now DATE      look back from this day (default today)\n"
        "  --format FORMAT what is printed: text (default), json\n"
        "  --plot FILE     draw the score per quarter as SVG, or as PNG if the name ends in .png\n"
        "\n"
        "Runs are compared with runs of the same document alone. What else a drill was tried with "
        "is "
        "listed below its table.\n"
        "exit: 0; 2 the input is wrong\n",
    .run = run,
};
