#include "reports/trend.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "reports/lines.h"
#include "reports/words.h"
#include "sim/base/doc.h"
#include "sim/base/xalloc.h"

enum { DAY_S = 86400 };

void quarter_of(int64_t unix_s, int *ret_year, int *ret_number)
{
    struct arena arena = {0};
    const char *date = words_date(&arena, unix_s * SECOND); /* YYYY-MM-... */
    int64_t year = 1970, month = 1;
    size_t digits = strcspn(date + 1, "-") + 1;
    str_int64((struct str){date, digits}, &year);
    str_int64((struct str){date + digits + 1, 2}, &month);
    *ret_year = (int)year;
    *ret_number = (int)(month - 1) / 3 + 1;
    arena_release(&arena);
}

/* ---- gathering ---- */

enum { SCORE = MEASURES, KINDS };

struct point {
    int quarter;
    bool passed;
    double values[KINDS];
};

/* The runs of one procedure. */
struct run_series {
    struct point *at;
    int n, cap;
};

struct gathering {
    struct trend *trend;
    int64_t starts_s[QUARTERS + 1]; /* of each quarter, and the end of the last */
    struct run_series *series;      /* one for each procedure of the trend */
    int *by_id;                     /* id of a procedure to its index, or -1 */
    int64_t n_ids;
};

/* Days from 1970-01-01 to the first day of a month (Howard Hinnant's algorithm). */
static int64_t month_start_s(int year, int month)
{
    int64_t y = month <= 2 ? year - 1 : year;
    int64_t era = (y >= 0 ? y : y - 399) / 400, yoe = y - era * 400;
    int64_t doy = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5;
    int64_t doe = yoe * 365 + yoe / 4 - yoe / 100 + doy;
    return (era * 146097 + doe - 719468) * DAY_S;
}

static void lay_out_quarters(struct gathering *gathering, int64_t now_s)
{
    int year, number;
    quarter_of(now_s, &year, &number);
    for (int i = QUARTERS; i >= 0; i--) {
        /* i == QUARTERS is the quarter after now's */
        int back = QUARTERS - 1 - i, index = year * 4 + number - 1 - back;
        gathering->starts_s[i] = month_start_s(index / 4, index % 4 * 3 + 1);
        if (i < QUARTERS) {
            gathering->trend->quarters[i].year = index / 4;
            gathering->trend->quarters[i].number = index % 4 + 1;
        }
    }
}

static void gather(void *ctx, const struct history_point *point)
{
    struct gathering *gathering = ctx;
    int index = point->procedure < gathering->n_ids ? gathering->by_id[point->procedure] : -1;
    if (index < 0)
        return;
    int i = QUARTERS - 1;
    while (i > 0 && point->at_s < gathering->starts_s[i])
        i--;
    struct run_series *series = &gathering->series[index];
    XGROW(series->at, series->n, series->cap);
    struct point *kept = &series->at[series->n++];
    *kept = (struct point){i, point->outcome == OUTCOME_PASS, {0}};
    memcpy(kept->values, point->measures, sizeof point->measures);
    kept->values[SCORE] = point->score;
}

/* ---- spreads ---- */

struct values {
    double *at;
    int n, cap;
};

static void add_value(struct values *values, double value)
{
    if (!isfinite(value))
        return;
    XGROW(values->at, values->n, values->cap);
    values->at[values->n++] = value;
}

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* The value that at least this share of the sorted values does not exceed (the nearest rank). */
static double rank(const struct values *values, double share)
{
    int i = (int)ceil(share * values->n) - 1;
    return values->at[i < 0 ? 0 : i];
}

static struct spread spread_of(struct values *values)
{
    if (!values->n)
        return (struct spread){0};
    qsort(values->at, (size_t)values->n, sizeof *values->at, by_value);
    int middle = values->n / 2;
    double median =
        values->n % 2 ? values->at[middle] : (values->at[middle - 1] + values->at[middle]) / 2;
    return (struct spread){values->n, values->at[0], median, rank(values, 0.9),
                           values->at[values->n - 1]};
}

static void count_runs(const struct run_series *series, struct quarter *quarters)
{
    for (int i = 0; i < series->n; i++) {
        quarters[series->at[i].quarter].runs++;
        quarters[series->at[i].quarter].passed += series->at[i].passed;
    }
}

/* The spreads of one quarter over these series taken together. */
static void summarise(const struct run_series *series, int n, int which, struct quarter *quarter)
{
    struct values values[KINDS] = {0};
    for (int i = 0; i < n; i++) {
        for (int k = 0; k < series[i].n; k++) {
            const struct point *point = &series[i].at[k];
            for (int kind = 0; point->quarter == which && kind < KINDS; kind++)
                add_value(&values[kind], point->values[kind]);
        }
    }
    for (int kind = 0; kind < KINDS; kind++) {
        *(kind == SCORE ? &quarter->score : &quarter->measures[kind]) = spread_of(&values[kind]);
        free(values[kind].at);
    }
}

/* ---- what got worse ---- */

/* A value as people read it in this measure. */
static const char *value_words(enum measure measure, double value, struct arena *arena)
{
    struct measured measured = {.known = true, .value = value};
    return measure_words(measure, &measured, arena);
}

/* The newest two quarters that were drilled. */
static bool last_two(const struct quarter *quarters, int *ret_before, int *ret_now)
{
    *ret_before = *ret_now = -1;
    for (int i = QUARTERS - 1; i >= 0; i--) {
        if (!quarters[i].runs)
            continue;
        if (*ret_now >= 0) {
            *ret_before = i;
            return true;
        }
        *ret_now = i;
    }
    return false;
}

static void compare(const struct quarter *before, const struct quarter *now, struct lines *lines)
{
    struct arena *arena = lines->arena;
    if (now->score.n && before->score.n && now->score.median < before->score.median - 5)
        lines_add(lines, "score: median %.0f, was %.0f in %d Q%d", now->score.median,
                  before->score.median, before->year, before->number);
    for (int i = 0; i < MEASURES; i++) {
        const struct spread *a = &before->measures[i], *b = &now->measures[i];
        enum measure measure = (enum measure)i;
        if (measure == MEASURE_CLAIM_ERROR || !a->n)
            continue;
        bool worse = measure_is_count(measure)
                         ? b->median > a->median
                         : b->median > a->median * 1.1 && b->median > a->median + 5;
        if (!b->n)
            lines_add(lines, "%s: never reached, was %s in %d Q%d", measure_title(measure),
                      value_words(measure, a->median, arena), before->year, before->number);
        else if (worse)
            lines_add(lines, "%s: median %s, was %s in %d Q%d", measure_title(measure),
                      value_words(measure, b->median, arena),
                      value_words(measure, a->median, arena), before->year, before->number);
    }
    if (now->passed * before->runs < before->passed * now->runs)
        lines_add(lines, "passes: %d of %d, were %d of %d in %d Q%d", now->passed, now->runs,
                  before->passed, before->runs, before->year, before->number);
}

/* The line of inputs that starts with what this one starts with, or the empty slice. */
static struct str same_input(const char *inputs, struct str line)
{
    struct str what = line, rest = str_of(inputs);
    what = str_cut(&what, '\t');
    while (rest.len) {
        struct str other = str_cut(&rest, '\n'), name = other;
        if (str_eq(str_cut(&name, '\t'), what))
            return other;
    }
    return (struct str){0};
}

/* "playbook, system": the inputs whose values differ; what is known of one side only says nothing.
 */
static const char *edited_words(const char *before, const char *now, struct arena *arena)
{
    const char *all = "";
    struct str rest = str_of(now);
    while (rest.len) {
        struct str line = str_cut(&rest, '\n'), old = same_input(before, line), what = line;
        if (!old.len || str_eq(old, line))
            continue;
        what = str_cut(&what, '\t');
        if (str_ends(what, " sha256"))
            what.len -= strlen(" sha256");
        all = arena_printf(arena, "%s%s%.*s", all, *all ? ", " : "", STR_ARG(what));
    }
    return all;
}

static int find_regression(struct trend *trend, struct history *history,
                           const struct gathering *gathering, int index, struct arena *arena,
                           struct error *error)
{
    struct quarter quarters[QUARTERS];
    struct lines lines = {.arena = arena};
    int before, now;
    const struct run_series *series = &gathering->series[index];
    memcpy(quarters, trend->quarters, sizeof quarters); /* years and numbers */
    count_runs(series, quarters);
    if (!last_two(quarters, &before, &now))
        return 0;
    summarise(series, 1, before, &quarters[before]);
    summarise(series, 1, now, &quarters[now]);
    compare(&quarters[before], &quarters[now], &lines);
    if (!lines.n)
        return 0;
    const char *then = "", *newest = "";
    const struct history_procedure *row = &trend->procedures[index].row;
    int code =
        history_inputs(history, row->id, gathering->starts_s[before + 1], arena, &then, error);
    if (code == 0)
        code =
            history_inputs(history, row->id, gathering->starts_s[now + 1], arena, &newest, error);
    trend->regressions[trend->n_regressions++] =
        (struct regression){row, lines.at, lines.n, edited_words(then, newest, arena)};
    return code;
}

/* ---- which runs ---- */

static bool is_asked_for(const struct history_procedure *row, const struct trend_choice *choice)
{
    return (!choice->drill || strcmp(row->drill, choice->drill) == 0) &&
           (!choice->playbook || summary_same_file(row->playbook, choice->playbook)) &&
           (!choice->section || strcmp(row->section, choice->section) == 0) &&
           (!choice->kind || strcmp(row->kind, choice->kind) == 0);
}

/* Whether a drill's trend starts with `a` and not with `b`: what it names itself today, before what
 * it was only tried with. */
static bool goes_before(const struct history_procedure *a, const struct history_procedure *b)
{
    return a->own_s != b->own_s ? a->own_s > b->own_s : a->last_s > b->last_s;
}

/* Leaves of each drill and kind the one that goes before the others; of one drill that is looked at
 * alone, what was simulated before what was held. Rows are sorted by drill. */
static void thin_out(struct trend *trend, bool alone)
{
    for (int i = 0; i < trend->n_procedures; i++) {
        struct trend_procedure *a = &trend->procedures[i];
        for (int k = i + 1; k < trend->n_procedures; k++) {
            struct trend_procedure *b = &trend->procedures[k];
            if (strcmp(a->row.drill, b->row.drill) != 0)
                break;
            bool same_kind = strcmp(a->row.kind, b->row.kind) == 0;
            if (!a->shown || !b->shown || !(same_kind || alone))
                continue;
            bool a_stays =
                same_kind ? !goes_before(&b->row, &a->row) : strcmp(a->row.kind, "simulated") == 0;
            *(a_stays ? &b->shown : &a->shown) = false;
        }
    }
}

static const char *document_words(const struct history_procedure *row, struct arena *arena)
{
    const char *section = *row->section ? arena_printf(arena, ", '%s'", row->section) : "";
    return arena_printf(arena, "%s%s, %s", *row->playbook ? row->playbook : "no playbook named",
                        section, row->kind);
}

/* Keeps what belongs to the drill, marks what is shown, adds up. */
static int choose(struct trend *trend, const struct trend_choice *choice, struct arena *arena,
                  struct error *error)
{
    int kept = 0, shown = 0, all = trend->n_procedures;
    for (int i = 0; i < all; i++) {
        struct trend_procedure *procedure = &trend->procedures[i];
        if (choice->drill && strcmp(procedure->row.drill, choice->drill) != 0)
            continue;
        procedure->shown = is_asked_for(&procedure->row, choice);
        trend->procedures[kept++] = *procedure;
    }
    trend->n_procedures = kept;
    if (!choice->playbook && !choice->section && !choice->kind)
        thin_out(trend, choice->drill != NULL);
    for (int i = 0; i < kept; i++) {
        const struct history_procedure *row = &trend->procedures[i].row;
        if (!trend->procedures[i].shown)
            continue;
        trend->runs += row->runs;
        trend->last_pass_s =
            row->last_pass_s > trend->last_pass_s ? row->last_pass_s : trend->last_pass_s;
        trend->document = shown++ || !trend->one_drill ? "" : document_words(row, arena);
    }
    if (all && !kept)
        return error_set(error, ERROR_INPUT,
                         "no run of drill '%s' is kept; 'rehearse history' lists what is",
                         choice->drill);
    if (all && !shown)
        return error_set(error, ERROR_INPUT,
                         "no run of that --playbook, --section or --kind is kept%s%s; 'rehearse "
                         "trend%s%s' lists what is",
                         choice->drill ? " of " : "", choice->drill ? choice->drill : "",
                         choice->drill ? " " : "", choice->drill ? choice->drill : "");
    return 0;
}

static int list_procedures(struct trend *trend, struct history *history, struct arena *arena,
                           struct error *error)
{
    struct history_procedure *rows;
    int code = history_procedures(history, trend->now_s, arena, &rows, &trend->n_procedures, error);
    trend->procedures = ARENA_ARRAY(arena, struct trend_procedure, trend->n_procedures + 1);
    for (int i = 0; code == 0 && i < trend->n_procedures; i++)
        trend->procedures[i].row = rows[i];
    return code;
}

/* Open findings of what is shown. */
static int list_open(struct trend *trend, const struct gathering *gathering,
                     struct history *history, struct arena *arena, struct error *error)
{
    int all, code = history_open_findings(history, arena, &trend->open, &all, error);
    for (int i = 0; code == 0 && i < all; i++) {
        int64_t id = trend->open[i].procedure;
        if (id < gathering->n_ids && gathering->by_id[id] >= 0)
            trend->open[trend->n_open++] = trend->open[i];
    }
    return code;
}

static void index_procedures(struct gathering *gathering)
{
    const struct trend *trend = gathering->trend;
    for (int i = 0; i < trend->n_procedures; i++) {
        if (trend->procedures[i].row.id >= gathering->n_ids)
            gathering->n_ids = trend->procedures[i].row.id + 1;
    }
    gathering->by_id = xcalloc((size_t)gathering->n_ids + 1, sizeof *gathering->by_id);
    for (int64_t i = 0; i < gathering->n_ids; i++)
        gathering->by_id[i] = -1;
    for (int i = 0; i < trend->n_procedures; i++) {
        if (trend->procedures[i].shown)
            gathering->by_id[trend->procedures[i].row.id] = i;
    }
    gathering->series = xcalloc((size_t)trend->n_procedures + 1, sizeof *gathering->series);
}

static int read_points(struct gathering *gathering, struct history *history, struct error *error)
{
    const struct trend *trend = gathering->trend;
    int shown = 0;
    int64_t one = 0;
    for (int i = 0; i < trend->n_procedures; i++) {
        shown += trend->procedures[i].shown;
        one = trend->procedures[i].shown ? trend->procedures[i].row.id : one;
    }
    return history_points(history, shown == 1 ? one : 0, gathering->starts_s[0],
                          gathering->starts_s[QUARTERS], gather, gathering, error);
}

int trend_compute(struct trend *trend, struct history *history, const struct trend_choice *choice,
                  int64_t now_s, struct arena *arena, struct error *error)
{
    struct gathering gathering = {.trend = trend};
    *trend = (struct trend){.now_s = now_s,
                            .last_pass_s = INT64_MIN,
                            .document = "",
                            .one_drill = choice->drill != NULL};
    trend->title = choice->drill      ? choice->drill
                   : choice->playbook ? choice->playbook
                                      : "all drills";
    lay_out_quarters(&gathering, now_s);
    int code = list_procedures(trend, history, arena, error);
    if (code == 0)
        code = choose(trend, choice, arena, error);
    if (code)
        return code;
    index_procedures(&gathering);
    trend->regressions = ARENA_ARRAY(arena, struct regression, trend->n_procedures + 1);
    code = read_points(&gathering, history, error);
    for (int i = 0; code == 0 && i < trend->n_procedures; i++)
        code = find_regression(trend, history, &gathering, i, arena, error);
    if (code == 0)
        code = list_open(trend, &gathering, history, arena, error);
    for (int i = 0; i < QUARTERS; i++)
        summarise(gathering.series, trend->n_procedures, i, &trend->quarters[i]);
    for (int i = 0; i < trend->n_procedures; i++) {
        count_runs(&gathering.series[i], trend->quarters);
        free(gathering.series[i].at);
    }
    free(gathering.series);
    free(gathering.by_id);
    return code;
}
