/* rehearse run: one rehearsal of one drill. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/arguments.h"
#include "cli/command.h"
#include "cli/formats.h"
#include "cli/keep.h"
#include "cli/shell.h"
#include "procedures/drill/run.h"
#include "reports/report.h"

static volatile sig_atomic_t interrupted;

static void on_interrupt(int signal_number)
{
    (void)signal_number;
    interrupted = 1;
}

struct run_arguments {
    const char *drill, *playbook, *section, *out, *format, *seed, *tier, *history, *until;
    struct formats formats;
    bool no_color, png, shell;
};

static enum tier tier_of(const char *name)
{
    if (name && strcmp(name, "namespaces") == 0)
        return TIER_NAMESPACES;
    if (name && strcmp(name, "landlock") == 0)
        return TIER_LANDLOCK;
    return TIER_AUTO;
}

static int parse(int argc, char **argv, struct run_arguments *ret, struct run_options *options,
                 struct drill_options *load, struct error *error)
{
    const struct option_spec specs[] = {
        {"--seed", &ret->seed, NULL},
        {"--playbook", &ret->playbook, NULL},
        {"--section", &ret->section, NULL},
        {"--out", &ret->out, NULL},
        {"--format", &ret->format, NULL},
        {"--tier", &ret->tier, NULL},
        {"--history", &ret->history, NULL},
        {"--until", &ret->until, NULL},
        {"--shell", NULL, &ret->shell},
        FORMATS_OPTIONS(&ret->formats),
        {"--no-color", NULL, &ret->no_color},
        {"--png", NULL, &ret->png},
        {NULL, NULL, NULL},
    };
    const char *rest[2] = {NULL};
    int n = arguments_parse(argc, argv, specs, rest, 2, error);
    if (n < 0)
        return n;
    if (n != 1)
        return error_set(error, ERROR_INPUT, "run: %s; see 'rehearse help run'",
                         n == 0 ? "which drill? give the path of its file" : "one drill at a time");
    ret->drill = rest[0];
    int64_t seed = 1;
    if (ret->seed && (!str_int64(str_of(ret->seed), &seed) || seed < 0 || seed >= INT64_C(1) << 53))
        return error_set(error, ERROR_INPUT, "--seed '%s' is no whole number from 0 to 2^53 - 1",
                         ret->seed);
    if (ret->tier && strcmp(ret->tier, "auto") != 0 && tier_of(ret->tier) == TIER_AUTO)
        return error_set(error, ERROR_INPUT,
                         "--tier '%s' is not known: auto, namespaces or landlock", ret->tier);
    if (ret->until && !ret->shell)
        return error_set(error, ERROR_INPUT,
                         "--until stops before a line to look around there: add --shell");
    if (!ret->format)
        ret->format = "text";
    if (strcmp(ret->format, "text") != 0 && strcmp(ret->format, "json") != 0 &&
        strcmp(ret->format, "markdown") != 0)
        return error_set(error, ERROR_INPUT, "--format '%s' is not known: text, json or markdown",
                         ret->format);
    options->seed = (uint64_t)seed;
    options->tier = tier_of(ret->tier);
    options->stop = &interrupted;
    load->playbook = ret->playbook;
    load->section = ret->section;
    return 0;
}

/* The command that repeats this run, quoted for a shell. */
static char *replay_command(struct arena *arena, const struct run_arguments *arguments,
                            uint64_t seed)
{
    struct buf line;
    buf_init(&line, 64 * 1024);
    buf_puts(&line, "rehearse run ");
    arguments_quote(&line, arguments->drill);
    if (arguments->playbook) {
        buf_puts(&line, " --playbook ");
        arguments_quote(&line, arguments->playbook);
    }
    if (arguments->section) {
        buf_puts(&line, " --section ");
        arguments_quote(&line, arguments->section);
    }
    if (tier_of(arguments->tier) != TIER_AUTO) /* only on request: it is not what the drill says */
        buf_printf(&line, " --tier %s", arguments->tier);
    buf_printf(&line, " --seed %llu", (unsigned long long)seed);
    char *text = arena_str(arena, buf_text(&line));
    buf_release(&line);
    return text;
}

static void print(const struct report *report, const struct run_arguments *arguments)
{
    struct buf out;
    buf_init(&out, REPORT_MAX);
    bool color = arguments_color(arguments->no_color);
    if (strcmp(arguments->format, "json") == 0)
        report_json(report, &out);
    else if (strcmp(arguments->format, "markdown") == 0)
        report_markdown(report, &out);
    else
        report_text(report, &out, color, arguments_columns());
    fwrite(out.at, 1, out.len, stdout);
    buf_release(&out);
}

/* Judges the run, writes its files, prints it. Returns the exit status. */
static int tell(const struct drill *drill, const struct record *record,
                const struct run_arguments *arguments, struct error *error)
{
    struct report report;
    report_init(&report, record);
    const char *out = arguments->out ? arguments->out
                                     : arena_printf(&report.arena, FORMATS_OUT "/%s", drill->name);
    int code =
        report_write_all(&report, out, WRITE_USUAL | (arguments->png ? WRITE_PNG : 0u), error);
    if (code == 0 && !arguments->out)
        code = formats_hide_out(error);
    struct summary summary;
    summary_of_report(&summary, &report.arena, &report);
    if (code == 0)
        code = formats_write(&arguments->formats, &summary, 1, &summary, 1, error);
    if (code == 0) { /* kept first: a reader who goes away takes nothing with him */
        keep_runs(&summary, 1, arguments->history);
        print(&report, arguments);
        if (strcmp(arguments->format, "text") == 0)
            printf("\nreport.html, report.md, run.json and the pictures are in %s/\n", out);
    }
    int status =
        code == 0 ? arguments_status_of(report.verdict.outcome) : arguments_fail(code, error);
    report_release(&report);
    return status;
}

static int run(int argc, char **argv)
{
    struct arena arena = {0};
    struct error error = {""};
    struct run_arguments arguments = {0};
    struct run_options options = {0};
    struct drill_options load = {0};
    struct drill *drill = NULL;
    struct record *record = NULL;
    struct guest guest = {0};
    int status = EXIT_PASS;
    int code = parse(argc, argv, &arguments, &options, &load, &error);
    load.playbook = arguments.playbook = arguments_path(&arena, arguments.playbook);
    arguments.drill = arguments_path(&arena, arguments.drill);
    if (code == 0)
        code = shell_parse_until(arguments.until, &arena, &guest, &error);
    if (code == 0)
        code = drill_load(arguments.drill, &load, &drill, &error);
    if (code == 0) {
        options.replay = replay_command(&arena, &arguments, options.seed);
        struct sigaction action = {.sa_handler = on_interrupt};
        sigaction(SIGINT, &action, NULL);
        sigaction(SIGTERM, &action, NULL);
        code = arguments.shell ? shell_look(drill, &options, &guest, &error)
                               : drill_run(drill, &options, &record, &error);
    }
    if (code < 0)
        status = arguments_fail(code, &error);
    else
        status = arguments.shell ? (code ? EXIT_UNKNOWN : EXIT_PASS)
                                 : tell(drill, record, &arguments, &error);
    record_free(record);
    drill_free(drill);
    arena_release(&arena);
    return status;
}

const struct command command_run = {
    .name = "run",
    .usage = "DRILL [--seed N] [--playbook FILE] [--section HEADING] [--out DIR]\n"
             "                    [--format text|json|markdown] [--tier auto|namespaces|landlock]\n"
             "                    [--history FILE|none] [--png] [--no-color]\n"
             "                    [--junit FILE] [--sarif FILE] [--csv FILE] [--metrics FILE]\n"
             "                    [--shell [--until FILE:LINE]]",
    .summary = "rehearse one drill and report what is true",
    .help =
        "  DRILL              a drill file, e.g. drills/shop.yaml\n"
        "  --seed N           the run's random seed (default 1); the same seed gives the same "
        "bytes\n"
        "  --playbook FILE    rehearse this document in the place of the drill's own\n"
        "  --section HEADING  the procedure under this heading\n"
        "  --out DIR          where reports go (default rehearse-out/DRILL/)\n"
        "  --format FORMAT    what is printed: text (default), json, markdown\n"
        "  --png              the pictures as PNG too\n"
        "  --junit FILE       JUnit XML; --sarif FILE: SARIF 2.1.0; --csv FILE: the measures; "
        "--metrics FILE: OpenMetrics text\n"
        "  --history FILE     where the run is kept (default $XDG_STATE_HOME/rehearse/history.db); "
        "none: nowhere\n"
        "  --shell            look around in the sealed shell instead: it takes its commands from "
        "you, not from the playbook\n"
        "  --until FILE:LINE  ... and is opened before this line of the procedure (default its "
        "first)\n"
        "  --tier TIER        how the playbook is sealed off; auto takes the best that works here\n"
        "\n"
        "DIR gets report.html, report.md, run.json (all that is known, reports/run.schema.json), "
        "events.jsonl (one event a line),\n"
        "incident.md (as a team files it), timeline.svg and steps.svg.\n"
        "exit: 0 pass, 1 a target or gate was missed, 2 the input is wrong, 3 unknown or cannot be "
        "sealed\n",
    .run = run,
};
