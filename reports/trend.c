#include "reports/trend.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "reports/json_writer.h"
#include "reports/lines.h"
#include "reports/words.h"
#include "sim/base/doc.h"
#include "sim/base/xalloc.h"

enum { DAY_S = 86400, COLUMN = 8, OPEN_SHOWN = 20 };

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

enum { SCORE = MEASURES, KINDS };

struct gathering {
    struct trend *trend;
    int64_t starts_s[QUARTERS + 1]; /* of each quarter, and the end of the last */
    struct values values[QUARTERS][KINDS];
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
    int i = QUARTERS - 1;
    while (i > 0 && point->at_s < gathering->starts_s[i])
        i--;
    struct quarter *quarter = &gathering->trend->quarters[i];
    quarter->runs++;
    quarter->passed += point->outcome == OUTCOME_PASS;
    for (int k = 0; k < MEASURES; k++)
        add_value(&gathering->values[i][k], point->measures[k]);
    add_value(&gathering->values[i][SCORE], point->score);
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

/* The newest two quarters that were drilled. */
static bool last_two(const struct trend *trend, const struct quarter **before,
                     const struct quarter **now)
{
    *before = *now = NULL;
    for (int i = QUARTERS - 1; i >= 0; i--) {
        const struct quarter *quarter = &trend->quarters[i];
        if (!quarter->runs)
            continue;
        if (!*now) {
            *now = quarter;
        } else {
            *before = quarter;
            return true;
        }
    }
    return false;
}

/* A value as people read it in this measure. */
static const char *value_words(enum measure measure, double value, struct arena *arena)
{
    struct measured measured = {.known = true, .value = value};
    return measure_words(measure, &measured, arena);
}

static void find_regressions(struct trend *trend, struct arena *arena)
{
    struct lines lines = {.arena = arena};
    const struct quarter *before, *now;
    if (!last_two(trend, &before, &now))
        return;
    if (now->score.n && before->score.n && now->score.median < before->score.median - 5)
        lines_add(&lines, "score: median %.0f, was %.0f in %d Q%d", now->score.median,
                  before->score.median, before->year, before->number);
    for (int i = 0; i < MEASURES; i++) {
        const struct spread *a = &before->measures[i], *b = &now->measures[i];
        if (i == MEASURE_CLAIM_ERROR || !a->n)
            continue;
        if (!b->n) {
            lines_add(&lines, "%s: never reached, was %s in %d Q%d", measure_title((enum measure)i),
                      value_words((enum measure)i, a->median, arena), before->year, before->number);
            continue;
        }
        bool worse = measure_is_count((enum measure)i)
                         ? b->median > a->median
                         : b->median > a->median * 1.1 && b->median > a->median + 5;
        if (worse)
            lines_add(&lines, "%s: median %s, was %s in %d Q%d", measure_title((enum measure)i),
                      value_words((enum measure)i, b->median, arena),
                      value_words((enum measure)i, a->median, arena), before->year, before->number);
    }
    if (now->passed * before->runs < before->passed * now->runs)
        lines_add(&lines, "passes: %d of %d, were %d of %d in %d Q%d", now->passed, now->runs,
                  before->passed, before->runs, before->year, before->number);
    trend->regressions = lines.at;
    trend->n_regressions = lines.n;
}

int trend_compute(struct trend *trend, struct history *history, const char *drill, int64_t now_s,
                  struct arena *arena, struct error *error)
{
    *trend = (struct trend){.now_s = now_s, .last_pass_s = INT64_MIN};
    struct gathering *gathering = xcalloc(1, sizeof *gathering);
    gathering->trend = trend;
    lay_out_quarters(gathering, now_s);
    int code = history_points(history, drill, gathering->starts_s[0], gathering->starts_s[QUARTERS],
                              gather, gathering, error);
    if (code == 0)
        code = history_totals(history, drill, now_s, &trend->runs, &trend->last_pass_s, error);
    if (code == 0)
        code = history_open_findings(history, drill, arena, &trend->open, &trend->n_open, error);
    for (int i = 0; i < QUARTERS; i++) {
        for (int k = 0; k < KINDS; k++) {
            struct spread *spread =
                k == SCORE ? &trend->quarters[i].score : &trend->quarters[i].measures[k];
            *spread = spread_of(&gathering->values[i][k]);
            free(gathering->values[i][k].at);
        }
    }
    free(gathering);
    find_regressions(trend, arena);
    return code;
}

/* ---- words ---- */

/* Short enough for a column: "63s", "4.3m", "2.1h", "1,820". */
static const char *short_value(enum measure measure, double value, struct arena *arena)
{
    if (measure_is_count(measure))
        return fabs(value) < 99999 ? words_count(arena, (int64_t)floor(value + 0.5))
                                   : arena_printf(arena, "%.1fM", value / 1e6);
    if (fabs(value) < 100)
        return arena_printf(arena, "%.0fs", value);
    if (fabs(value) < 6000)
        return arena_printf(arena, "%.1fm", value / 60);
    return arena_printf(arena, "%.1fh", value / 3600);
}

static void put_row(struct buf *buf, const struct trend *trend, const char *name, int kind,
                    struct arena *arena)
{
    buf_printf(buf, "  %-14s", name);
    for (int i = 0; i < QUARTERS; i++) {
        const struct quarter *quarter = &trend->quarters[i];
        const struct spread *spread = kind == SCORE ? &quarter->score : &quarter->measures[kind];
        const char *text = !spread->n      ? "-"
                           : kind == SCORE ? arena_printf(arena, "%.0f", spread->median)
                                           : short_value((enum measure)kind, spread->median, arena);
        buf_printf(buf, "%*s", COLUMN, text);
    }
    buf_putc(buf, '\n');
}

/* "3/4", or where that is too wide for its column "75%". */
static const char *passed_words(const struct quarter *quarter, struct arena *arena)
{
    if (!quarter->runs)
        return "-";
    const char *text = arena_printf(arena, "%d/%d", quarter->passed, quarter->runs);
    return strlen(text) < COLUMN
               ? text
               : arena_printf(arena, "%d%%", (int)(100LL * quarter->passed / quarter->runs));
}

static const char *days_words(const struct trend *trend, int64_t then_s, struct arena *arena)
{
    int64_t days = (trend->now_s - then_s) / DAY_S;
    return arena_printf(arena, "%" PRId64 " day%s", days, days == 1 ? "" : "s");
}

static int64_t mean_age_days(const struct trend *trend)
{
    int64_t sum_s = 0;
    for (int i = 0; i < trend->n_open; i++)
        sum_s += trend->now_s - trend->open[i].first_s;
    return trend->n_open ? sum_s / trend->n_open / DAY_S : 0;
}

void trend_text(const struct trend *trend, const char *drill, struct buf *buf)
{
    struct arena arena = {0};
    buf_printf(buf, "%s: %d run%s", drill ? drill : "all drills", trend->runs,
               trend->runs == 1 ? "" : "s");
    if (trend->last_pass_s == INT64_MIN)
        buf_puts(buf, ", never passed\n\n");
    else
        buf_printf(buf, ", last pass %s ago\n\n", days_words(trend, trend->last_pass_s, &arena));
    buf_printf(buf, "  %-14s", "Median of");
    for (int i = 0; i < QUARTERS; i++)
        buf_printf(buf, "%*s", COLUMN,
                   arena_printf(&arena, "%02d Q%d", trend->quarters[i].year % 100,
                                trend->quarters[i].number));
    buf_printf(buf, "\n  %-14s", "Passed");
    for (int i = 0; i < QUARTERS; i++)
        buf_printf(buf, "%*s", COLUMN, passed_words(&trend->quarters[i], &arena));
    buf_putc(buf, '\n');
    put_row(buf, trend, "Score", SCORE, &arena);
    for (int i = 0; i < MEASURES; i++)
        put_row(buf, trend, measure_title((enum measure)i), i, &arena);
    buf_puts(buf, trend->n_regressions ? "\n  Worse than in the quarter before:\n" : "");
    for (int i = 0; i < trend->n_regressions; i++)
        buf_printf(buf, "    %s\n", trend->regressions[i]);
    buf_printf(buf, "\n  Open findings: %d", trend->n_open);
    buf_puts(buf, trend->n_open ? arena_printf(&arena, ", of a mean age of %" PRId64 " days\n",
                                               mean_age_days(trend))
                                : "\n");
    for (int i = 0; i < trend->n_open && i < OPEN_SHOWN; i++) {
        const struct open_finding *open = &trend->open[i];
        buf_printf(buf, "    %-8s%s, %s: %s\n            %s\n", severity_names[open->severity],
                   open->id, days_words(trend, open->first_s, &arena), open->drill,
                   words_line(&arena, str_of(open->message), 66));
    }
    if (trend->n_open > OPEN_SHOWN)
        buf_printf(buf, "    and %d younger ones, in --format json\n", trend->n_open - OPEN_SHOWN);
    arena_release(&arena);
}

static void put_spread(struct json_writer *json, const char *key, const struct spread *spread)
{
    json_open_object(json, key);
    json_integer(json, "n", spread->n);
    json_number(json, "min", spread->n ? spread->min : NAN);
    json_number(json, "median", spread->n ? spread->median : NAN);
    json_number(json, "p90", spread->n ? spread->p90 : NAN);
    json_number(json, "max", spread->n ? spread->max : NAN);
    json_close_object(json);
}

void trend_json(const struct trend *trend, const char *drill, struct buf *buf)
{
    struct arena arena = {0};
    struct json_writer writer = {.buf = buf}, *json = &writer;
    json_open_object(json, NULL);
    json_string(json, "format", "rehearse.trend/1");
    json_string(json, "drill", drill);
    json_integer(json, "runs", trend->runs);
    if (trend->last_pass_s == INT64_MIN)
        json_null(json, "days_since_last_pass");
    else
        json_integer(json, "days_since_last_pass", (trend->now_s - trend->last_pass_s) / DAY_S);
    json_open_array(json, "quarters");
    for (int i = 0; i < QUARTERS; i++) {
        const struct quarter *quarter = &trend->quarters[i];
        json_open_object(json, NULL);
        json_string(json, "quarter",
                    arena_printf(&arena, "%d-Q%d", quarter->year, quarter->number));
        json_integer(json, "runs", quarter->runs);
        json_integer(json, "passed", quarter->passed);
        put_spread(json, "score", &quarter->score);
        for (int k = 0; k < MEASURES; k++)
            put_spread(json, measure_names[k], &quarter->measures[k]);
        json_close_object(json);
    }
    json_close_array(json);
    json_open_array(json, "regressions");
    for (int i = 0; i < trend->n_regressions; i++)
        json_string(json, NULL, trend->regressions[i]);
    json_close_array(json);
    json_integer(json, "open_findings_mean_age_days", mean_age_days(trend));
    json_open_array(json, "open_findings");
    for (int i = 0; i < trend->n_open; i++) {
        const struct open_finding *open = &trend->open[i];
        json_open_object(json, NULL);
        json_string(json, "drill", open->drill);
        json_string(json, "id", open->id);
        json_string(json, "severity", severity_names[open->severity]);
        json_string(json, "file", open->file);
        json_string(json, "message", open->message);
        json_integer(json, "age_days", (trend->now_s - open->first_s) / DAY_S);
        json_close_object(json);
    }
    json_close_array(json);
    json_close_object(json);
    arena_release(&arena);
}
