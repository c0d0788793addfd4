/* rehearse campaign: one drill with many seeds. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cli/arguments.h"
#include "cli/command.h"
#include "cli/formats.h"
#include "cli/progress.h"
#include "procedures/drill/run.h"
#include "reports/campaign.h"
#include "sim/base/xalloc.h"

enum { RUNS_USUAL = 100, RUNS_MAX = 1000000, JOBS_MAX = 64 };

struct options {
    const char *drill, *runs_text, *jobs_text, *seed_text, *out, *format;
    int64_t runs, jobs, seed;
};

static int parse(int argc, char **argv, struct options *ret, struct error *error)
{
    const struct option_spec specs[] = {
        {"--runs", &ret->runs_text, NULL}, {"-j", &ret->jobs_text, NULL},
        {"--seed", &ret->seed_text, NULL}, {"--out", &ret->out, NULL},
        {"--format", &ret->format, NULL},  {NULL, NULL, NULL}};
    const char *rest[1] = {NULL};
    int n = arguments_parse(argc, argv, specs, rest, 1, error);
    if (n < 0)
        return n;
    if (n != 1)
        return error_set(error, ERROR_INPUT, "campaign: %s",
                         n ? "one drill at a time" : "which drill? give the path of its file");
    *ret = (struct options){rest[0],  ret->runs_text, ret->jobs_text, ret->seed_text,
                            ret->out, ret->format,    RUNS_USUAL,     sysconf(_SC_NPROCESSORS_ONLN),
                            1};
    if (ret->runs_text &&
        (!str_int64(str_of(ret->runs_text), &ret->runs) || ret->runs < 1 || ret->runs > RUNS_MAX))
        return error_set(error, ERROR_INPUT, "--runs '%s' is no number from 1 to %d",
                         ret->runs_text, RUNS_MAX);
    if (ret->jobs_text && (!str_int64(str_of(ret->jobs_text), &ret->jobs) || ret->jobs < 1))
        return error_set(error, ERROR_INPUT, "-j '%s' is no number of jobs, expected 1 or more",
                         ret->jobs_text);
    if (ret->seed_text && (!str_int64(str_of(ret->seed_text), &ret->seed) || ret->seed < 0 ||
                           ret->seed >= INT64_C(1) << 52))
        return error_set(error, ERROR_INPUT, "--seed '%s' is no whole number from 0 to 2^52",
                         ret->seed_text);
    if (ret->format && strcmp(ret->format, "text") != 0 && strcmp(ret->format, "json") != 0)
        return error_set(error, ERROR_INPUT, "--format '%s' is not known: text or json",
                         ret->format);
    ret->jobs = ret->jobs < 1 ? 1 : ret->jobs > JOBS_MAX ? JOBS_MAX : ret->jobs;
    ret->jobs = ret->jobs > ret->runs ? ret->runs : ret->jobs;
    return 0;
}

/* ---- workers: each takes every jobs-th seed, and writes a row for each run into one pipe ---- */

static int run_seed(const struct drill *drill, uint64_t seed, int rows, struct error *error)
{
    struct record *record = NULL;
    struct report report;
    struct campaign_run row;
    int code =
        drill_run(drill, &(struct run_options){.seed = seed, .tier = TIER_AUTO, .replay = ""},
                  &record, error);
    if (code)
        return code;
    report_init(&report, record);
    campaign_run_of(&row, &report);
    report_release(&report);
    record_free(record);
    /* a row is smaller than PIPE_BUF: rows of several writers never mix */
    if (write(rows, &row, sizeof row) != (ssize_t)sizeof row)
        return error_set(error, ERROR_INTERNAL, "pipe: %s", strerror(errno));
    return 0;
}

static _Noreturn void work(const struct drill *drill, const struct options *options, int worker,
                           int rows, int complaints)
{
    struct error error = {""};
    int code = 0;
    for (int64_t i = worker; code == 0 && i < options->runs; i += options->jobs)
        code = run_seed(drill, (uint64_t)(options->seed + i), rows, &error);
    ssize_t ignored = code ? write(complaints, error.text, strlen(error.text)) : 0;
    (void)ignored;
    _exit(code == 0 ? 0 : code == ERROR_SEAL ? 3 : code == ERROR_INPUT ? 2 : 70);
}

/* All of the bytes, or fewer at the end of the pipe. */
static size_t read_all(int fd, void *at, size_t len)
{
    size_t got = 0;
    while (got < len) {
        ssize_t n = read(fd, (char *)at + got, len - got);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            break;
        got += (size_t)n;
    }
    return got;
}

static int reap(int n_workers)
{
    int code = 0;
    for (int i = 0; i < n_workers; i++) {
        int status;
        if (wait(&status) < 0)
            return ERROR_INTERNAL;
        if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
            continue;
        int mine = !WIFEXITED(status)         ? ERROR_INTERNAL
                   : WEXITSTATUS(status) == 2 ? ERROR_INPUT
                   : WEXITSTATUS(status) == 3 ? ERROR_SEAL
                                              : ERROR_INTERNAL;
        code = code == 0 || mine == ERROR_INTERNAL ? mine : code;
    }
    return code;
}

static int by_seed(const void *a, const void *b)
{
    const struct campaign_run *x = a, *y = b;
    return (x->seed > y->seed) - (x->seed < y->seed);
}

static int run_all(const struct drill *drill, const struct options *options,
                   struct campaign *campaign, struct error *error)
{
    int rows[2], complaints[2], started = 0;
    if (pipe(rows) < 0 || pipe(complaints) < 0)
        return error_set(error, ERROR_INTERNAL, "pipe: %s", strerror(errno));
    fflush(NULL);
    for (; started < options->jobs; started++) {
        pid_t pid = fork();
        if (pid == 0) {
            close(rows[0]);
            close(complaints[0]);
            work(drill, options, started, rows[1], complaints[1]);
        }
        if (pid < 0)
            break; /* too few processes: the rows that are missing tell */
    }
    close(rows[1]);
    close(complaints[1]);
    while (campaign->n < options->runs &&
           read_all(rows[0], &campaign->runs[campaign->n], sizeof *campaign->runs) ==
               sizeof *campaign->runs)
        progress_show(++campaign->n, options->runs);
    struct error said = {""};
    said.text[read_all(complaints[0], said.text, sizeof said.text - 1)] = '\0';
    close(rows[0]);
    close(complaints[0]);
    int code = reap(started);
    if (code)
        return error_set(error, code, "%s",
                         said.text[0] ? said.text : "a run ended without a result");
    if (campaign->n != options->runs)
        return error_set(error, ERROR_INTERNAL, "%lld runs are missing",
                         (long long)(options->runs - campaign->n));
    qsort(campaign->runs, (size_t)campaign->n, sizeof *campaign->runs, by_seed);
    return 0;
}

/* ---- results ---- */

static int write_files(const struct campaign *campaign, const char *out, struct error *error)
{
    struct arena arena = {0};
    struct buf buf;
    buf_init(&buf, REPORT_MAX);
    const char *path = arena_printf(&arena, "%s/campaign.json", out);
    int code = report_make_parents(path, error);
    campaign_json(campaign, &buf);
    if (code == 0)
        code = report_write_file(path, buf_text(&buf), error);
    buf_clear(&buf);
    campaign_csv(campaign, &buf);
    if (code == 0)
        code =
            report_write_file(arena_printf(&arena, "%s/campaign.csv", out), buf_text(&buf), error);
    for (int i = 0; i < MEASURES && code == 0; i++) {
        buf_clear(&buf);
        if (plot_distribution(campaign, (enum measure)i, 900, &buf) >= 0)
            code = report_write_file(arena_printf(&arena, "%s/%s.svg", out, measure_names[i]),
                                     buf_text(&buf), error);
    }
    buf_release(&buf);
    arena_release(&arena);
    return code;
}

static void print(const struct campaign *campaign, const struct options *options, const char *out)
{
    struct buf buf;
    buf_init(&buf, REPORT_MAX);
    bool json = options->format && strcmp(options->format, "json") == 0;
    if (json)
        campaign_json(campaign, &buf);
    else
        campaign_text(campaign, &buf);
    fwrite(buf.at, 1, buf.len, stdout);
    if (!json)
        printf("\ncampaign.json, campaign.csv and the distributions are in %s/\n", out);
    buf_release(&buf);
}

static int status_of(const struct campaign *campaign)
{
    int status = EXIT_PASS;
    for (int i = 0; i < campaign->n; i++) {
        if (campaign->runs[i].outcome == OUTCOME_FAIL)
            return EXIT_MISSED;
        if (campaign->runs[i].outcome == OUTCOME_UNKNOWN)
            status = EXIT_UNKNOWN;
    }
    return status;
}

static int run(int argc, char **argv)
{
    struct arena arena = {0};
    struct error error = {""};
    struct options options = {0};
    struct campaign campaign = {0};
    struct drill *drill = NULL;
    struct buf replay;
    buf_init(&replay, 64 * 1024);
    int code = parse(argc, argv, &options, &error);
    options.drill = arguments_path(&arena, options.drill);
    if (code == 0)
        code = drill_load(options.drill, &(struct drill_options){0}, &drill, &error);
    if (code == 0) {
        buf_puts(&replay, "rehearse run ");
        arguments_quote(&replay, options.drill);
        buf_puts(&replay, " --seed");
        campaign = (struct campaign){drill->name, drill->title, replay.at,
                                     xcalloc((size_t)options.runs, sizeof *campaign.runs), 0};
        code = run_all(drill, &options, &campaign, &error);
    }
    const char *out = options.out;
    if (code == 0 && !out)
        out = arena_printf(&arena, FORMATS_OUT "/%s", drill->name);
    if (code == 0)
        code = write_files(&campaign, out, &error);
    if (code == 0 && !options.out)
        code = formats_hide_out(&error);
    if (code == 0)
        print(&campaign, &options, out);
    int status = code == 0 ? status_of(&campaign) : arguments_fail(code, &error);
    free(campaign.runs);
    buf_release(&replay);
    drill_free(drill);
    arena_release(&arena);
    return status;
}

const struct command command_campaign = {
    .name = "campaign",
    .usage = "DRILL [--runs N] [-j N] [--seed FIRST] [--out DIR] [--format text|json]",
    .summary = "one drill with many seeds: how its measures are spread",
    .help =
        "  DRILL          a drill file\n"
        "  --runs N       how many seeds (default 100)\n"
        "  -j N           this many at once (default: one for each processor); changes no result\n"
        "  --seed FIRST   the first seed (default 1)\n"
        "  --format FORMAT what is printed: text (default), json\n"
        "  --out DIR      where campaign.json, campaign.csv and the plots go (default "
        "rehearse-out/DRILL/)\n"
        "\n"
        "exit: 0 every run passes, 1 some fail, 2 the input is wrong, 3 unknown or cannot be "
        "sealed\n",
    .run = run,
};
