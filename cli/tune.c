/* rehearse tune: every threshold and duration of one trigger, on many simulated failures at once.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/arguments.h"
#include "cli/command.h"
#include "cli/formats.h"
#include "cli/progress.h"
#include "procedures/drill/run.h"
#include "reports/plot/plane.h"
#include "reports/report.h"
#include "sim/base/xalloc.h"
#include "sim/engine/branch.h"
#include "sim/engine/random.h"
#include "sim/engine/statistics.h"
#include "sim/tune/plane.h"

enum { RUNS_USUAL = 400, RUNS_MAX = 100000, TICKS_MAX = 7000, DURATIONS_MAX = 64 };

#define HORIZON_NS                                                                                 \
    (40 * MINUTE) /* after the change: a failure that is not seen by then is missed */

struct options {
    const char *drill, *trigger, *runs_text, *jobs_text, *budget_text, *plot;
    int64_t runs, jobs;
    double budget;
};

/* What one run leaves: the trigger's value at each of its ticks, up to a while after the onset. */
struct trace {
    int n, onset; /* -1: the failure was never felt, or there was nothing to see */
    int code;     /* of an error, 0 for none */
    double value[TICKS_MAX];
};

struct tuning {
    struct options options;
    struct drill *drill;
    const struct model_condition *leaf;
    int64_t tick_ns;
    bool above;
    struct tune_grid grid;
    double *thresholds;
    int ticks[DURATIONS_MAX];
    struct tune_cell *train, *fresh;
    int n_train, n_fresh, patience;
    int64_t first_seed; /* of the present batch */
    int32_t *first;
};

static int parse(int argc, char **argv, struct options *ret, struct error *error)
{
    const struct option_spec specs[] = {{"--runs", &ret->runs_text, NULL},
                                        {"-j", &ret->jobs_text, NULL},
                                        {"--false-alarms", &ret->budget_text, NULL},
                                        {"--plot", &ret->plot, NULL},
                                        {NULL, NULL, NULL}};
    const char *rest[2] = {NULL, NULL};
    int n = arguments_parse(argc, argv, specs, rest, 2, error);
    if (n < 0)
        return n;
    if (n != 2)
        return error_set(error, ERROR_INPUT,
                         "tune: which drill, and which of its triggers? give the drill's path and "
                         "the trigger's id");
    ret->drill = rest[0];
    ret->trigger = rest[1];
    ret->runs = RUNS_USUAL;
    ret->jobs = sysconf(_SC_NPROCESSORS_ONLN);
    ret->budget = 0.05;
    if (ret->runs_text &&
        (!str_int64(str_of(ret->runs_text), &ret->runs) || ret->runs < 2 || ret->runs > RUNS_MAX))
        return error_set(error, ERROR_INPUT, "--runs '%s' is no number from 2 to %d",
                         ret->runs_text, RUNS_MAX);
    if (ret->jobs_text &&
        (!str_int64(str_of(ret->jobs_text), &ret->jobs) || ret->jobs < 1 || ret->jobs > 64))
        return error_set(error, ERROR_INPUT, "-j '%s' is no number of jobs from 1 to 64",
                         ret->jobs_text);
    if (ret->budget_text) {
        char *end = NULL;
        double value = strtod(ret->budget_text, &end);
        if (!(value > 0 && value < 100) || strcmp(end, "%") != 0)
            return error_set(error, ERROR_INPUT,
                             "--false-alarms '%s' is no share of the runs such as 5%%",
                             ret->budget_text);
        ret->budget = value / 100;
    }
    if (ret->jobs < 1)
        ret->jobs = 1;
    return 0;
}

/* ---- what is tuned ---- */

static const struct model_trigger *find_trigger(const struct model *model, const char *id)
{
    for (int i = 0; i < model->triggers.n; i++)
        if (strcmp(model->triggers.at[i].id, id) == 0)
            return &model->triggers.at[i];
    return NULL;
}

static const char *nearest_id(const struct model *model, const char *id)
{
    const char *best = model->triggers.at[0].id;
    for (int i = 1; i < model->triggers.n; i++)
        if (str_distance(str_of(id), str_of(model->triggers.at[i].id), 64) <
            str_distance(str_of(id), str_of(best), 64))
            best = model->triggers.at[i].id;
    return best;
}

static int check_trigger(struct tuning *tuning, struct error *error)
{
    const struct model *model = &tuning->drill->model;
    const char *id = tuning->options.trigger;
    const struct model_trigger *trigger = find_trigger(model, id);
    if (!trigger && !model->triggers.n)
        return error_set(error, ERROR_INPUT, "%s: the system has no triggers",
                         tuning->options.drill);
    if (!trigger)
        return error_set(error, ERROR_INPUT, "%s: no trigger '%s'; did you mean '%s'?",
                         tuning->options.drill, id, nearest_id(model, id));
    const struct model_condition *leaf = &trigger->when;
    if (leaf->kind != CONDITION_METRIC || leaf->of_n)
        return error_set(
            error, ERROR_INPUT,
            "trigger '%s' is no metric against a threshold for a while: nothing to tune", id);
    tuning->leaf = leaf;
    tuning->tick_ns = leaf->every_ns ? leaf->every_ns : model->triggers.eval_ns;
    tuning->above = leaf->op == OP_GREATER || leaf->op == OP_AT_LEAST;
    return 0;
}

/* Ticks in a row that the trigger asks for as it is written. */
static int ticks_today(const struct tuning *tuning)
{
    const struct model_condition *leaf = tuning->leaf;
    if (leaf->consecutive)
        return leaf->consecutive;
    return leaf->for_ns ? (int)((leaf->for_ns + tuning->tick_ns - 1) / tuning->tick_ns) + 1 : 1;
}

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* From a tenth to ten times of today's threshold, in equal ratios; today's is one of them. An
 * equality has no scale. */
static void make_grid(struct tuning *tuning)
{
    enum { SIDE = 60 };
    const struct model_condition *leaf = tuning->leaf;
    bool scale = leaf->threshold > 0 && leaf->op != OP_EQUAL && leaf->op != OP_DIFFERENT;
    int n = 0;
    tuning->thresholds = xcalloc(2 * SIDE + 1, sizeof *tuning->thresholds);
    for (int i = scale ? -SIDE : 0; i <= (scale ? SIDE : 0); i++)
        tuning->thresholds[n++] =
            i == 0 ? leaf->threshold : leaf->threshold * exact_power(10, (double)i / SIDE);
    qsort(tuning->thresholds, (size_t)n, sizeof *tuning->thresholds, by_value);
    int today = ticks_today(tuning), d = 0;
    for (int ticks = 1; ticks <= 240 && d < DURATIONS_MAX - 1; ticks += 1 + ticks / 8) {
        if (d && tuning->ticks[d - 1] < today && today < ticks)
            tuning->ticks[d++] = today;
        tuning->ticks[d++] = ticks;
    }
    tuning->grid = (struct tune_grid){tuning->thresholds, n, tuning->ticks, d};
    size_t cells = (size_t)n * (size_t)d;
    tuning->train = xcalloc(cells, sizeof *tuning->train);
    tuning->fresh = xcalloc(cells, sizeof *tuning->fresh);
    tuning->first = xcalloc(cells, sizeof *tuning->first);
}

/* ---- runs ---- */

static const struct series *traced(const struct record *record)
{
    for (int i = 0; i < record->n_series; i++)
        if (strcmp(record->series[i]->name, "trigger_value") == 0)
            return record->series[i];
    return NULL;
}

/* In a copy of this process: one seed, in which nobody ever decides, so that the failure lasts. */
static void run_one(int i, void *ctx, void *result)
{
    const struct tuning *tuning = ctx;
    struct trace *trace = result;
    struct record *record = NULL;
    struct error error;
    trace->onset = -1;
    const struct run_options options = {
        .seed = (uint64_t)(tuning->first_seed + i + 1), .tier = TIER_AUTO, .replay = ""};
    trace->code = drill_run(tuning->drill, &options, &record, &error);
    if (trace->code) {
        fprintf(stderr, "rehearse: %s\n", error.text);
        return;
    }
    const struct series *series = traced(record);
    int64_t onset_ns = record->instants[T_IMPACT] != NEVER ? record->instants[T_IMPACT]
                                                           : record->instants[T_CHANGE];
    for (int k = 0; series && k < series->n && k < TICKS_MAX; k++) {
        double value = series->value[k];
        /* at least and at most: what is equal breaches too */
        if (tuning->leaf->op == OP_AT_LEAST)
            value = nextafter(value, INFINITY);
        else if (tuning->leaf->op == OP_AT_MOST)
            value = nextafter(value, -INFINITY);
        else if (tuning->leaf->op == OP_EQUAL)
            value = value == tuning->leaf->threshold ? tuning->leaf->threshold - 1 : NAN;
        else if (tuning->leaf->op == OP_DIFFERENT)
            value = value != tuning->leaf->threshold ? tuning->leaf->threshold - 1 : NAN;
        if (trace->onset < 0 && onset_ns != NEVER && series->at_ns[k] >= onset_ns)
            trace->onset = k;
        trace->value[trace->n++] = value;
    }
    record_free(record);
}

static int gather(struct tuning *tuning, struct error *error)
{
    enum { BATCH = 32 };
    struct trace *traces = xcalloc(BATCH, sizeof *traces);
    int16_t *codes = xcalloc(TICKS_MAX, sizeof *codes);
    int code = 0;
    progress_show(0, tuning->options.runs);
    for (int64_t from = 0; from < tuning->options.runs && !code; from += BATCH) {
        int n = (int)(tuning->options.runs - from < BATCH ? tuning->options.runs - from : BATCH);
        memset(traces, 0, BATCH * sizeof *traces);
        tuning->first_seed = from;
        int good = branch(n, (int)tuning->options.jobs, run_one, tuning, traces, sizeof *traces);
        for (int i = 0; i < n && !code; i++) {
            const struct trace *trace = &traces[i];
            if (good < n || trace->code)
                code = trace->code ? error_set(error, trace->code, "a run failed")
                                   : error_set(error, ERROR_INTERNAL, "a run died");
            if (code || trace->onset < 0)
                continue;
            int left = trace->n - trace->onset;
            tuning->patience = left > tuning->patience ? left : tuning->patience;
            tune_encode(&tuning->grid, trace->value, trace->n, tuning->above, codes);
            tune_first(&tuning->grid, codes, trace->n, tuning->first);
            bool train = (from + i) % 2 == 0;
            tune_add(&tuning->grid, tuning->first, trace->onset,
                     train ? tuning->train : tuning->fresh);
            tuning->n_train += train;
            tuning->n_fresh += !train;
        }
        progress_show(from + n, tuning->options.runs);
    }
    free(traces);
    free(codes);
    return code;
}

/* ---- what it says ---- */

static const char *comparison_of(const struct tuning *tuning)
{
    static const char *const words[] = {
        [OP_GREATER] = ">",  [OP_AT_LEAST] = ">=", [OP_LESS] = "<",
        [OP_AT_MOST] = "<=", [OP_EQUAL] = "==",    [OP_DIFFERENT] = "!="};
    return words[tuning->leaf->op];
}

/* How soon, of the runs without a false alarm; what is never detected has no delay, so it is said
 * what stands for it. */
static void show_delay(const struct tuning *tuning, const struct tune_cell *cell)
{
    double seconds = (double)tuning->tick_ns * 1e-9;
    if (!cell->detected)
        printf("   never detects\n");
    else if (!cell->missed)
        printf("   detects after %.0f s on average\n",
               tune_mean_delay(cell, tuning->patience) * seconds);
    else
        printf("   detects after %.0f s on average, a miss counted as %.0f s\n",
               tune_mean_delay(cell, tuning->patience) * seconds, tuning->patience * seconds);
}

static void show_rule(const struct tuning *tuning, const char *which, int at)
{
    const struct tune_grid *grid = &tuning->grid;
    int d = at / grid->n_thresholds, t = tune_index(grid, at % grid->n_thresholds, tuning->above);
    const struct tune_cell *cell = &tuning->fresh[at];
    double seconds = (double)tuning->tick_ns * 1e-9;
    int runs = tuning->n_fresh, caught = cell->detected + cell->missed;
    struct confidence_interval alarms = wilson_interval(cell->false_alarms, runs, 0.95);
    struct confidence_interval missed = wilson_interval(cell->missed, caught, 0.95);
    printf("%-9s %s %-9.4g %3d tick%s (for %.0f s)", which, comparison_of(tuning),
           grid->thresholds[t], grid->ticks[d], grid->ticks[d] == 1 ? "" : "s",
           (grid->ticks[d] - 1) * seconds);
    show_delay(tuning, cell);
    printf("          false alarms %.1f%% (%.1f to %.1f), missed %.1f%% (%.1f to %.1f)\n",
           100.0 * cell->false_alarms / (runs ? runs : 1), alarms.low * 100, alarms.high * 100,
           100.0 * cell->missed / (caught ? caught : 1), missed.low * 100, missed.high * 100);
}

static int cell_today(const struct tuning *tuning)
{
    const struct tune_grid *grid = &tuning->grid;
    int t = 0, d = 0;
    while (t < grid->n_thresholds - 1 && grid->thresholds[t] != tuning->leaf->threshold)
        t++;
    while (d < grid->n_durations - 1 && grid->ticks[d] < ticks_today(tuning))
        d++;
    return d * grid->n_thresholds + tune_index(grid, t, tuning->above);
}

static int draw(const struct tuning *tuning, int proposed, struct error *error)
{
    const struct plane_picture picture = {
        .drill = tuning->drill->name,
        .trigger = tuning->options.trigger,
        .metric = tuning->leaf->metric,
        .comparison = comparison_of(tuning),
        .grid = &tuning->grid,
        .above = tuning->above,
        .cells = tuning->train,
        .judged = tuning->fresh,
        .runs = tuning->n_train,
        .judged_runs = tuning->n_fresh,
        .patience = tuning->patience,
        .budget = tuning->options.budget,
        .tick_s = (double)tuning->tick_ns * 1e-9,
        .now = cell_today(tuning),
        .proposed = proposed,
    };
    struct buf svg;
    buf_init(&svg, REPORT_MAX);
    plot_plane(&picture, 900, &svg);
    int code = formats_write_picture(tuning->options.plot, &svg, error);
    buf_release(&svg);
    return code;
}

static int show(const struct tuning *tuning)
{
    const char *id = tuning->options.trigger;
    printf("%s: trigger %s (%s), every %.0f s\n", tuning->drill->name, id, tuning->leaf->metric,
           (double)tuning->tick_ns * 1e-9);
    printf("chosen on %d runs, judged on %d others; a run that fires before the failure is a false "
           "alarm\n\n",
           tuning->n_train, tuning->n_fresh);
    if (!tuning->n_train || !tuning->n_fresh) {
        printf("in no run was there a failure to detect\n");
        return EXIT_UNKNOWN;
    }
    show_rule(tuning, "today", cell_today(tuning));
    int chosen = tune_choose(&tuning->grid, tuning->train, tuning->n_train, tuning->options.budget,
                             tuning->patience);
    bool blind = chosen >= 0 && !tuning->train[chosen].detected;
    if (blind) /* the best of them is none */
        chosen = -1;
    struct error error = {""};
    int code = tuning->options.plot ? draw(tuning, chosen, &error) : 0;
    if (code)
        return arguments_fail(code, &error);
    if (blind) {
        printf("\nnone of these rules detects this failure: the trigger does not see it\n");
        return EXIT_UNKNOWN;
    }
    if (chosen < 0) {
        printf("\nno rule can be shown to stay under %.3g%% false alarms; without a single one "
               "that takes %d runs (--runs %d)\n",
               tuning->options.budget * 100, tune_runs_needed(tuning->options.budget),
               2 * tune_runs_needed(tuning->options.budget));
        return EXIT_UNKNOWN;
    }
    show_rule(tuning, "proposed", chosen);
    printf("\n\"Proposed\" is the fastest rule with false alarms in at most %.3g%% of the runs, "
           "with 95%% confidence.\n",
           tuning->options.budget * 100);
    return EXIT_PASS;
}

static void release(struct tuning *tuning)
{
    drill_free(tuning->drill);
    free(tuning->thresholds);
    free(tuning->train);
    free(tuning->fresh);
    free(tuning->first);
}

static int run(int argc, char **argv)
{
    struct tuning tuning = {.n_train = 0};
    struct error error = {""};
    int code = parse(argc, argv, &tuning.options, &error);
    if (!code)
        code = drill_load(tuning.options.drill, NULL, &tuning.drill, &error);
    if (!code)
        code = check_trigger(&tuning, &error);
    if (!code) {
        make_grid(&tuning);
        /* the failure is left alone: what a slower rule would have seen must be there to be seen */
        tuning.drill->model.triggers.traced = tuning.options.trigger;
        tuning.drill->model.operator.decide_at_ns = INT64_MAX / 4;
        tuning.drill->model.horizon_ns = HORIZON_NS;
        code = gather(&tuning, &error);
    }
    int status = code ? (code == ERROR_INPUT  ? EXIT_INPUT
                         : code == ERROR_SEAL ? EXIT_UNKNOWN
                                              : EXIT_BUG)
                      : show(&tuning);
    if (code)
        fprintf(stderr, "rehearse: %s\n", error.text);
    release(&tuning);
    return status;
}

const struct command command_tune = {
    .name = "tune",
    .usage = "DRILL TRIGGER [--runs N] [-j N] [--false-alarms SHARE] [--plot FILE]",
    .summary = "try every threshold and duration of a trigger on many simulated failures",
    .help = "Runs the drill's failure with many seeds, without anybody rolling back, and asks of "
            "every threshold from a\n"
            "tenth to ten times of today's, and of every duration, when it would have fired. Half "
            "of the runs choose\n"
            "the fastest rule that keeps the budget of false alarms; the other half say how good "
            "it and today's are.\n"
            "\n"
            "  --runs N              how many seeds (400)\n"
            "  --false-alarms SHARE  of the runs that may alarm before the failure (5%)\n"
            "  --plot FILE           draw the whole plane as SVG, or as PNG if the name ends in "
            ".png\n"
            "  -j N                  runs at the same time (as many as processors)\n"
            "\n"
            "Example: rehearse tune drills/shop.yaml errors\n",
    .run = run,
};
