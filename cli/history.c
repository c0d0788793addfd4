/* rehearse history: what was run and held, kept in one file. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/arguments.h"
#include "cli/command.h"
#include "cli/keep.h"
#include "reports/held.h"
#include "reports/words.h"
#include "sim/base/doc.h"

enum { REST_MAX = 256, LISTED = 20, TEXT_MAX = 1 << 30 };

struct arguments {
    const char *rest[REST_MAX]; /* [0]: what to do */
    int n;
    const char *history, *at, *limit;
    struct arena arena;
};

static int open_history(struct arguments *arguments, bool make, struct history **ret,
                        struct error *error)
{
    const char *path = keep_path(arguments->history, &arguments->arena);
    if (!path)
        return error_set(error, ERROR_INPUT, "no home directory; give --history FILE");
    return history_open(path, make, ret, error);
}

/* ---- add ---- */

static int keep(struct history *history, const struct history_run *run,
                const struct summary *summary, int *added, struct error *error)
{
    bool is_new = false;
    int code =
        history_add_new(history, run, summary->findings, summary->n_findings, &is_new, error);
    *added += is_new;
    return code;
}

static int add_run(struct arguments *arguments, struct history *history, const char *path,
                   int *added, struct error *error)
{
    struct summary summary;
    int64_t at_s;
    int code = keep_time(arguments->at, "--at", &at_s, error);
    if (code == 0)
        code = summary_read_file(&summary, &arguments->arena, path, error);
    if (code)
        return code;
    struct history_run run = history_run_of(&summary, at_s, "simulated", "");
    return keep(history, &run, &summary, added, error);
}

static int add_held(struct arguments *arguments, struct history *history, const char *path,
                    int *added, struct error *error)
{
    struct record *record = NULL;
    const char *people;
    int code = held_read(path, &record, &people, error);
    if (code)
        return code;
    struct report report;
    struct summary summary;
    report_init(&report, record);
    summary_of_report(&summary, &arguments->arena, &report);
    struct history_run run =
        history_run_of(&summary, record->identity.start_unix_ns / SECOND, "held", people);
    code =
        history_forget_held(history, &run, error); /* the file was put right, and is added again */
    if (code == 0)
        code = keep(history, &run, &summary, added, error);
    if (code == 0) {
        struct buf text;
        buf_init(&text, REPORT_MAX);
        report_text(&report, &text, false, arguments_columns());
        fputs(text.at, stdout);
        buf_release(&text);
    }
    report_release(&report);
    record_free(record);
    return code;
}

/* A drill that people held says so in its first lines; anything else must be the run.json of a run.
 */
static bool is_held(const char *path)
{
    struct buf head;
    buf_init(&head, 4096);
    bool held = !str_ends(str_of(path), ".json");
    if (buf_read_file(&head, path) == 0 && str_find(buf_text(&head), STR("rehearse.held/")) >= 0)
        held = true;
    buf_release(&head);
    return held;
}

static int add(struct arguments *arguments, struct error *error)
{
    struct history *history = NULL;
    int added = 0, code = 0;
    if (arguments->n < 2)
        return error_set(error, ERROR_INPUT,
                         "history add: which file? a run.json, or a held drill (rehearse.held/1)");
    code = open_history(arguments, true, &history, error);
    if (code == 0)
        code = history_begin(history, error);
    if (code == 0) { /* all of them or none */
        for (int i = 1; code == 0 && i < arguments->n; i++) {
            const char *path = arguments->rest[i];
            code = is_held(path) ? add_held(arguments, history, path, &added, error)
                                 : add_run(arguments, history, path, &added, error);
        }
        code = history_end(history, code, error);
    }
    history_close(history);
    if (code == 0)
        fprintf(stderr, "%d kept%s\n", added,
                added < arguments->n - 1 ? "; the others were there already" : "");
    return code;
}

/* ---- list ---- */

static void print_run(void *ctx, const struct history_run *run)
{
    struct arena arena = {0};
    int *n = ctx;
    struct buf score;
    buf_init(&score, 64);
    words_number(&score, isfinite(run->score) ? run->score : 0);
    const char *date = words_date(&arena, run->at_s * SECOND);
    if ((*n)++ == 0)
        printf("%-17s %-38s %-8s%6s  %s\n", "Date", "Drill", "Verdict", "Score", "Kind");
    printf("%.10s %.5s  %-38s %-8s%6s  %s\n", date, date + 11,
           words_line(&arena, str_of(run->drill), 200), outcome_names[run->outcome], score.at,
           words_line(&arena, str_of(*run->people ? run->people : run->kind), 60));
    if (!history_is_own(run)) /* tried with another document than the drill's own */
        printf("%-17s with %s\n", "",
               words_line(&arena,
                          str_of(*run->section
                                     ? arena_printf(&arena, "%s, '%s'", run->playbook, run->section)
                                     : run->playbook),
                          57));
    buf_release(&score);
    arena_release(&arena);
}

static int list(struct arguments *arguments, struct error *error)
{
    struct history *history = NULL;
    int64_t limit = LISTED;
    if (arguments->limit &&
        (!str_int64(str_of(arguments->limit), &limit) || limit < 0 || limit > 1000000))
        return error_set(error, ERROR_INPUT, "--limit '%s' is no number, expected 0 (all) or more",
                         arguments->limit);
    int code = open_history(arguments, false, &history, error);
    int n = 0;
    if (code == 0)
        code = history_each(history, arguments->n > 1 ? arguments->rest[1] : NULL, (int)limit,
                            print_run, &n, error);
    if (code == 0 && n == 0)
        puts("no run is kept yet");
    history_close(history);
    return code;
}

/* ---- export and import ---- */

static int export(struct arguments *arguments, struct error *error)
{
    struct history *history = NULL;
    struct buf text;
    buf_init(&text, TEXT_MAX);
    int code = open_history(arguments, false, &history, error);
    if (code == 0)
        code = history_export(history, &text, error);
    if (code == 0 && text.truncated)
        code = error_set(error, ERROR_INPUT,
                         "the history is larger than 1 GiB as text: copy the file itself");
    if (code == 0 && arguments->n > 1)
        code = report_write_file(arguments->rest[1], buf_text(&text), error);
    else if (code == 0)
        fwrite(text.at, 1, text.len, stdout);
    buf_release(&text);
    history_close(history);
    return code;
}

static int import(struct arguments *arguments, struct error *error)
{
    struct history *history = NULL;
    struct buf text;
    buf_init(&text, TEXT_MAX);
    if (arguments->n != 2)
        return error_set(error, ERROR_INPUT,
                         "history import: which file? one that 'rehearse history export' wrote");
    int added = 0, code = buf_read_file(&text, arguments->rest[1]);
    if (code < 0)
        code = error_set(error, ERROR_INPUT, "%s: cannot read: %s", arguments->rest[1],
                         strerror(-code));
    if (code == 0)
        code = open_history(arguments, true, &history, error);
    if (code == 0)
        code = history_import(history, arguments->rest[1], buf_text(&text), &added, error);
    if (code == 0)
        fprintf(stderr, "%d added\n", added);
    buf_release(&text);
    history_close(history);
    return code;
}

static int run(int argc, char **argv)
{
    static const struct {
        const char *name;
        int (*run)(struct arguments *, struct error *);
    } verbs[] = {{"list", list}, {"add", add}, {"export", export}, {"import", import}};
    struct arguments arguments = {0};
    const struct option_spec specs[] = {{"--history", &arguments.history, NULL},
                                        {"--at", &arguments.at, NULL},
                                        {"--limit", &arguments.limit, NULL},
                                        {NULL, NULL, NULL}};
    struct error error = {""};
    int n = arguments_parse(argc, argv, specs, arguments.rest, REST_MAX, &error),
        code = n < 0 ? n : 0;
    if (n > REST_MAX)
        code = error_set(&error, ERROR_INPUT, "history: more than %d files at once", REST_MAX);
    if (n == 0)
        arguments.rest[n++] = "list";
    arguments.n = n;
    for (size_t i = 0; code == 0; i++) {
        if (i == sizeof verbs / sizeof *verbs) {
            code = error_set(&error, ERROR_INPUT,
                             "history: '%s' is not known: list, add, export or import",
                             arguments.rest[0]);
        } else if (strcmp(arguments.rest[0], verbs[i].name) == 0) {
            code = verbs[i].run(&arguments, &error);
            break;
        }
    }
    arena_release(&arguments.arena);
    return code == 0 ? EXIT_PASS : arguments_fail(code, &error);
}

const struct command command_history = {
    .name = "history",
    .usage = "[list [DRILL] | add FILE... | export [FILE] | import FILE] [--history FILE] [--at "
             "DATE] [--limit N]",
    .summary = "the runs that were kept, and drills that people held",
    .help =
        "  list [DRILL]    the newest runs (this is the default)\n"
        "  add FILE...     keep a run.json, or a drill that people held (a rehearse.held/1 file)\n"
        "  export [FILE]   everything as JSON Lines\n"
        "  import FILE     what another history exported; what is there already is passed over\n"
        "  --history FILE  the file (default $XDG_STATE_HOME/rehearse/history.db)\n"
        "  --at DATE       when the runs were made (default now)\n"
        "  --limit N       how many to list (default 20, 0 all)\n"
        "\n"
        "A held drill is a few lines of YAML: when what happened, who was there, what was lost. "
        "reports/held.h shows one; added\n"
        "again it takes the place of what was written of it before. exit: 0; 2 the input is "
        "wrong\n",
    .run = run,
};
