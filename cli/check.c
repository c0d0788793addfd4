/* rehearse check: every drill at once, against what each expects and a baseline. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cli/arguments.h"
#include "cli/command.h"
#include "cli/formats.h"
#include "cli/keep.h"
#include "cli/progress.h"
#include "procedures/drill/find.h"
#include "procedures/drill/run.h"
#include "reports/baseline.h"
#include "reports/check.h"
#include "reports/lines.h"
#include "sim/base/xalloc.h"

/* Asked to stop, by Ctrl-C or by whoever runs us: what runs is stopped and nothing more is started.
 */
static volatile sig_atomic_t interrupted;

static void on_interrupt(int signal_number)
{
    (void)signal_number;
    interrupted = 1;
}

enum { PATHS_MAX = 256, JOBS_MAX = 64 };

struct arguments {
    const char *paths[PATHS_MAX];
    int n_paths;
    struct formats formats;
    const char *jobs_text, *baseline, *write_baseline, *fail_on, *format, *out, *history, *today;
    bool no_color;
    int64_t today_s; /* Unix time by which waivers are judged */
    int jobs;
    int severity; /* enum severity, or -1 */
};

/* One drill in the works: it runs in a process of its own, which leaves its files and says on a
 * pipe why it could not. */
struct worker {
    pid_t pid; /* 0: free */
    int row, complaints;
};

struct checking {
    struct arguments *arguments;
    struct arena arena;
    struct drill_head *heads;
    int n_heads, cap_heads;
    struct expectation *expectations;
    struct check check;
    struct worker workers[JOBS_MAX];
    int n_done;
};

/* ---- arguments ---- */

static int choose_severity(const char *word, int *ret, struct error *error)
{
    *ret = -1;
    for (int i = 0; word && i < 3; i++) {
        if (strcmp(word, severity_names[i]) == 0)
            *ret = i;
    }
    return word && *ret < 0 ? error_set(error, ERROR_INPUT,
                                        "--fail-on '%s' is not known: error, warning or note", word)
                            : 0;
}

static int choose_jobs(const char *text, int *ret, struct error *error)
{
    int64_t jobs = sysconf(_SC_NPROCESSORS_ONLN);
    if (text && (!str_int64(str_of(text), &jobs) || jobs < 1))
        return error_set(error, ERROR_INPUT, "-j '%s' is no number of jobs, expected 1 or more",
                         text);
    *ret = jobs < 1 ? 1 : jobs > JOBS_MAX ? JOBS_MAX : (int)jobs;
    return 0;
}

static int parse(int argc, char **argv, struct arguments *ret, struct error *error)
{
    const struct option_spec specs[] = {
        {"-j", &ret->jobs_text, NULL},
        {"--baseline", &ret->baseline, NULL},
        {"--format", &ret->format, NULL},
        {"--write-baseline", &ret->write_baseline, NULL},
        {"--fail-on", &ret->fail_on, NULL},
        {"--out", &ret->out, NULL},
        {"--history", &ret->history, NULL},
        {"--today", &ret->today, NULL},
        {"--no-color", NULL, &ret->no_color},
        FORMATS_OPTIONS(&ret->formats),
        {NULL, NULL, NULL},
    };
    int n = arguments_parse(argc, argv, specs, ret->paths, PATHS_MAX, error);
    if (n < 0)
        return n;
    if (n > PATHS_MAX)
        return error_set(error, ERROR_INPUT, "check: more than %d paths; give a folder", PATHS_MAX);
    if (n == 0)
        ret->paths[n++] = ".";
    ret->n_paths = n;
    if (!ret->out)
        ret->out = FORMATS_OUT;
    if (ret->baseline && ret->write_baseline)
        return error_set(error, ERROR_INPUT,
                         "check: --baseline compares, --write-baseline replaces; choose one");
    if (ret->format && strcmp(ret->format, "text") != 0 && strcmp(ret->format, "json") != 0)
        return error_set(error, ERROR_INPUT, "--format '%s' is not known: text or json",
                         ret->format);
    int code = choose_severity(ret->fail_on, &ret->severity, error);
    if (code == 0)
        code = keep_time(ret->today, "--today", &ret->today_s, error);
    return code ? code : choose_jobs(ret->jobs_text, &ret->jobs, error);
}

/* ---- one drill, in its own process ---- */

static const char *folder_of(struct checking *checking, int row)
{
    return arena_printf(&checking->arena, "%s/%s", checking->arguments->out,
                        checking->heads[row].name);
}

static int rehearse(const char *path, const char *folder, struct error *error)
{
    struct drill *drill = NULL;
    struct record *record = NULL;
    struct buf replay;
    buf_init(&replay, 64 * 1024);
    buf_puts(&replay, "rehearse run ");
    arguments_quote(&replay, path);
    buf_puts(&replay, " --seed 1");
    struct run_options options = {
        .seed = 1, .tier = TIER_AUTO, .replay = replay.at, .stop = &interrupted};
    int code = drill_load(path, &(struct drill_options){0}, &drill, error);
    if (code == 0)
        code = drill_run(drill, &options, &record, error);
    if (code == 0) {
        struct report report;
        report_init(&report, record);
        code = report_write_all(&report, folder, WRITE_USUAL, error);
        report_release(&report);
    }
    record_free(record);
    drill_free(drill);
    buf_release(&replay);
    return code;
}

static _Noreturn void work(const char *path, const char *folder, int complaints)
{
    struct error error = {""};
    int code = rehearse(path, folder, &error);
    ssize_t ignored = code ? write(complaints, error.text, strlen(error.text)) : 0;
    (void)ignored;
    _exit(code == 0 ? 0 : code == ERROR_SEAL ? 3 : code == ERROR_INPUT ? 2 : 70);
}

static int start_worker(struct checking *checking, int row, struct error *error)
{
    struct worker *worker = checking->workers;
    while (worker->pid)
        worker++;
    int pipes[2];
    const char *folder = folder_of(checking, row);
    /* a result of an earlier check must not pass for one of this */
    unlink(arena_printf(&checking->arena, "%s/run.json", folder));
    if (pipe(pipes) < 0)
        return error_set(error, ERROR_INTERNAL, "pipe: %s", strerror(errno));
    fflush(NULL);
    pid_t pid = fork();
    if (pid == 0) {
        close(pipes[0]);
        work(checking->heads[row].path, folder, pipes[1]);
    }
    close(pipes[1]);
    if (pid < 0) {
        close(pipes[0]);
        return error_set(error, ERROR_INTERNAL, "fork: %s", strerror(errno));
    }
    *worker = (struct worker){pid, row, pipes[0]};
    return 0;
}

static int code_of_status(int status)
{
    if (!WIFEXITED(status))
        return ERROR_INTERNAL;
    switch (WEXITSTATUS(status)) {
    case 0:
        return 0;
    case 2:
        return ERROR_INPUT;
    case 3:
        return ERROR_SEAL;
    default:
        return ERROR_INTERNAL;
    }
}

static void finish_row(struct checking *checking, struct worker *worker, int status)
{
    struct check_row *row = &checking->check.rows[worker->row];
    struct error error = {""};
    ssize_t n = read(worker->complaints, error.text, sizeof error.text - 1);
    error.text[n > 0 ? n : 0] = '\0';
    close(worker->complaints);
    row->failure_code = code_of_status(status);
    if (row->failure_code == 0)
        row->failure_code = summary_read_file(
            &row->summary, &checking->arena,
            arena_printf(&checking->arena, "%s/run.json", folder_of(checking, worker->row)),
            &error);
    row->has_summary = row->failure_code == 0;
    if (!row->has_summary)
        row->failure =
            error.text[0]
                ? arena_strdup(&checking->arena, error.text)
                : arena_printf(&checking->arena, "ended without a result (wait status %d)", status);
    worker->pid = 0;
}

static int wait_for_one(struct checking *checking, struct error *error)
{
    int status;
    pid_t pid = wait(&status);
    if (pid < 0 && errno == EINTR) {
        for (int i = 0; interrupted && i < JOBS_MAX; i++) {
            if (checking->workers[i].pid) /* it ends its run and tidies up behind it */
                kill(checking->workers[i].pid, SIGTERM);
        }
        return 0;
    }
    if (pid < 0)
        return error_set(error, ERROR_INTERNAL, "wait: %s", strerror(errno));
    for (int i = 0; i < JOBS_MAX; i++) {
        if (checking->workers[i].pid == pid) {
            finish_row(checking, &checking->workers[i], status);
            checking->n_done++;
        }
    }
    progress_show(checking->n_done, checking->n_heads);
    return 0;
}

static int run_all(struct checking *checking, struct error *error)
{
    int started = 0, code = 0;
    struct sigaction action = {.sa_handler = on_interrupt};
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
    progress_show(checking->n_done, checking->n_heads);
    while (code == 0 && checking->n_done < (interrupted ? started : checking->n_heads)) {
        if (interrupted || started == checking->n_heads ||
            started - checking->n_done == checking->arguments->jobs) {
            code = wait_for_one(checking, error);
        } else if (checking->check.rows[started]
                       .failure) { /* a mistake in its file: the others run all the same */
            started++;
            checking->n_done++;
        } else {
            code = start_worker(checking, started++, error);
        }
    }
    if (code == 0 && interrupted)
        code = error_set(error, ERROR_SEAL,
                         "check: stopped from outside after %d of %d drills; nothing was written",
                         checking->n_done, checking->n_heads);
    return code;
}

/* ---- before and after ---- */

static int find_drills(struct checking *checking, struct error *error)
{
    int code = 0;
    for (int i = 0; code == 0 && i < checking->arguments->n_paths; i++)
        code = drill_find(&checking->arena,
                          arguments_path(&checking->arena, checking->arguments->paths[i]),
                          &checking->heads, &checking->n_heads, &checking->cap_heads, error);
    if (code == 0 && checking->n_heads == 0)
        code = error_set(error, ERROR_INPUT,
                         "%s: no drill here (a YAML file with 'format: rehearse.drill/1')",
                         checking->arguments->paths[0]);
    for (int i = 0; code == 0 && i < checking->n_heads; i++) {
        for (int k = 0; k < i; k++) {
            if (strcmp(checking->heads[i].path, checking->heads[k].path) == 0)
                return error_set(error, ERROR_INPUT, "%s: is named twice", checking->heads[i].path);
            if (strcmp(checking->heads[i].name, checking->heads[k].name) == 0)
                return error_set(
                    error, ERROR_INPUT, "%s: is called %s, as %s is; rename one of them",
                    checking->heads[i].path, checking->heads[i].name, checking->heads[k].path);
        }
    }
    return code;
}

static int read_expectation(struct checking *checking, int i, struct error *error)
{
    struct doc *doc;
    struct check_row *row = &checking->check.rows[i];
    int code = doc_read_file(&checking->arena, row->path, &doc, error);
    if (code == 0)
        code = expectation_read(&checking->expectations[i], doc_get(doc, "expect"),
                                &checking->arena, error);
    if (code == 0)
        row->n_lapsed = waivers_lapsed(doc_get(doc, "waive"), checking->arguments->today_s * SECOND,
                                       &checking->arena, &row->lapsed);
    return code;
}

/* A mistake in a drill or in its expectation is found before anything runs; it stops no other. */
static void read_expectations(struct checking *checking)
{
    checking->expectations = ARENA_ARRAY(&checking->arena, struct expectation, checking->n_heads);
    checking->check.rows = ARENA_ARRAY(&checking->arena, struct check_row, checking->n_heads);
    checking->check.n = checking->n_heads;
    for (int i = 0; i < checking->n_heads; i++) {
        struct check_row *row = &checking->check.rows[i];
        struct error error = {""};
        row->path = checking->heads[i].path;
        row->failure = checking->heads[i].mistake;
        if (!row->failure && read_expectation(checking, i, &error))
            row->failure = arena_strdup(&checking->arena, error.text);
        row->failure_code = row->failure ? ERROR_INPUT : 0;
    }
}

static void compare_row(struct checking *checking, int i, const struct baseline *baseline)
{
    struct check_row *row = &checking->check.rows[i];
    if (!row->has_summary)
        return;
    struct lines all = {.arena = &checking->arena};
    row->n_unexpected = expectation_compare(&checking->expectations[i], &row->summary,
                                            &checking->arena, &row->unexpected);
    if (baseline)
        row->n_worse = baseline_compare(baseline, &row->summary, &checking->arena, &row->worse);
    if (checking->arguments->severity >= 0)
        row->n_over = check_count_over(&row->summary, &checking->expectations[i],
                                       (enum severity)checking->arguments->severity);
    for (int k = 0; k < row->n_unexpected; k++)
        lines_add(&all, "%s", row->unexpected[k]);
    for (int k = 0; k < row->n_lapsed; k++)
        lines_add(&all, "%s", row->lapsed[k]);
    for (int k = 0; k < row->n_worse; k++)
        lines_add(&all, "worse: %s", row->worse[k]);
    if (row->n_over)
        lines_add(&all, "%d findings at or over '%s' that are not expected", row->n_over,
                  checking->arguments->fail_on);
    row->summary.compared = true;
    row->summary.problems = all.at;
    row->summary.n_problems = all.n;
}

/* Those that have a result, for the formats of many runs. */
static struct summary *summaries_of(struct checking *checking, int *ret_n)
{
    struct summary *summaries = ARENA_ARRAY(&checking->arena, struct summary, checking->n_heads);
    *ret_n = 0;
    for (int i = 0; i < checking->n_heads; i++) {
        if (checking->check.rows[i].has_summary)
            summaries[(*ret_n)++] = checking->check.rows[i].summary;
    }
    return summaries;
}

/* Those without a result too: each of them is an error that stops continuous integration. */
static const struct summary *summaries_with_failures(struct checking *checking)
{
    struct summary *summaries = ARENA_ARRAY(&checking->arena, struct summary, checking->n_heads);
    for (int i = 0; i < checking->n_heads; i++) {
        const struct check_row *row = &checking->check.rows[i];
        summaries[i] = row->has_summary
                           ? row->summary
                           : (struct summary){.drill = row->path, .failure = row->failure};
    }
    return summaries;
}

static int compare_all(struct checking *checking, struct error *error)
{
    struct baseline *baseline = NULL;
    int code = 0, n;
    if (checking->arguments->baseline)
        code = baseline_read(checking->arguments->baseline, &baseline, error);
    if (code)
        return code;
    for (int i = 0; i < checking->n_heads; i++)
        compare_row(checking, i, baseline);
    const struct summary *summaries = summaries_of(checking, &n);
    if (baseline)
        checking->check.n_missing =
            baseline_missing(baseline, summaries, n, &checking->arena, &checking->check.missing);
    baseline_free(baseline);
    return 0;
}

static int write_files(struct checking *checking, struct error *error)
{
    const struct arguments *arguments = checking->arguments;
    int n;
    const struct summary *summaries = summaries_of(checking, &n);
    struct buf buf;
    buf_init(&buf, REPORT_MAX);
    check_html(&checking->check, &buf);
    int code = formats_write_file(arena_printf(&checking->arena, "%s/index.html", arguments->out),
                                  &buf, error);
    if (code == 0 && strcmp(arguments->out, FORMATS_OUT) == 0)
        code = formats_hide_out(error);
    if (code == 0)
        code = formats_write(&arguments->formats, summaries, n, summaries_with_failures(checking),
                             checking->n_heads, error);
    if (code == 0 && arguments->write_baseline) {
        buf_clear(&buf);
        baseline_write(summaries, n, &buf);
        code = formats_write_file(arguments->write_baseline, &buf, error);
    }
    buf_release(&buf);
    return code;
}

static void print(const struct checking *checking)
{
    struct buf out;
    buf_init(&out, REPORT_MAX);
    bool color = arguments_color(checking->arguments->no_color);
    if (checking->arguments->format && strcmp(checking->arguments->format, "json") == 0)
        check_json(&checking->check, &out);
    else
        check_text(&checking->check, &out, color);
    fwrite(out.at, 1, out.len, stdout);
    buf_release(&out);
}

static int run(int argc, char **argv)
{
    struct arguments arguments = {0};
    struct checking checking = {.arguments = &arguments};
    struct error error = {""};
    int code = parse(argc, argv, &arguments, &error);
    if (code == 0)
        code = find_drills(&checking, &error);
    if (code == 0) {
        read_expectations(&checking);
        code = run_all(&checking, &error);
    }
    if (code == 0)
        code = compare_all(&checking, &error);
    if (code == 0)
        code = write_files(&checking, &error);
    if (code == 0) {
        int n;
        const struct summary *summaries = summaries_of(&checking, &n);
        keep_runs(summaries, n, arguments.history);
        print(&checking);
    }
    int status = code == 0 ? check_status(&checking.check) : arguments_fail(code, &error);
    free(checking.heads);
    arena_release(&checking.arena);
    return status;
}

const struct command command_check = {
    .name = "check",
    .usage = "[PATH...] [-j N] [--junit FILE] [--sarif FILE] [--csv FILE] [--metrics FILE]\n"
             "                      [--baseline FILE | --write-baseline FILE] [--fail-on "
             "error|warning|note]\n"
             "                      [--format text|json] [--out DIR] [--history FILE|none] "
             "[--today DATE]\n"
             "                      [--no-color]",
    .summary = "run every drill and compare with what it expects",
    .help =
        "  PATH                   drill files, or folders that are searched for them (default: the "
        "current one)\n"
        "  -j N                   this many at once (default: one for each processor)\n"
        "  --junit FILE           JUnit XML: a test suite for each drill\n"
        "  --sarif FILE           SARIF 2.1.0: findings at their lines\n"
        "  --csv FILE             all measures, one row each\n"
        "  --metrics FILE         OpenMetrics text for dashboards\n"
        "  --baseline FILE        what got worse since that file was written fails: slower, new "
        "findings, lost passes\n"
        "  --write-baseline FILE  keep these results as the baseline\n"
        "  --fail-on SEVERITY     findings at least this bad fail, unless expected by the drill or "
        "waived\n"
        "  --today DATE           the day by which a drill's waivers are judged (default today)\n"
        "  --history FILE|none    where the runs are kept (default "
        "$XDG_STATE_HOME/rehearse/history.db)\n"
        "  --out DIR              where each drill's reports go, and index.html that leads to them "
        "(default rehearse-out)\n"
        "\n"
        "A drill that states no 'expect' is expected to pass. One whose waiver has run out is not "
        "as expected. A drill with a\n"
        "mistake in its files is reported and stops no other.\n"
        "exit: 0 all as expected, 1 not, 2 the input is wrong, 3 unknown or cannot be sealed\n",
    .run = run,
};
