/* A trend in words and as JSON. */
#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "reports/json_writer.h"
#include "reports/trend.h"
#include "reports/words.h"

enum { SCORE = MEASURES, DAY_S = 86400, COLUMN = 8, SHOWN = 20 };

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

static void put_regressions(struct buf *buf, const struct trend *trend, struct arena *arena)
{
    if (trend->n_regressions)
        buf_puts(buf, "\n  Worse than in the quarter before:\n");
    for (int i = 0; i < trend->n_regressions && i < SHOWN; i++) {
        const struct regression *regression = &trend->regressions[i];
        bool named = !*trend->document;
        if (named)
            buf_printf(buf, "    %s, %s\n",
                       words_line(arena, str_of(regression->procedure->drill), 60),
                       regression->procedure->kind);
        for (int k = 0; k < regression->n_lines; k++)
            buf_printf(buf, "    %s%s\n", named ? "  " : "", regression->lines[k]);
        if (*regression->edited)
            buf_printf(buf, "    %schanged since then: %s\n", named ? "  " : "",
                       regression->edited);
    }
    if (trend->n_regressions > SHOWN)
        buf_printf(buf, "    and %d more, in --format json\n", trend->n_regressions - SHOWN);
}

static void put_open(struct buf *buf, const struct trend *trend, struct arena *arena)
{
    buf_printf(buf, "\n  Open findings: %d", trend->n_open);
    buf_puts(buf, trend->n_open ? arena_printf(arena, ", of a mean age of %" PRId64 " days\n",
                                               mean_age_days(trend))
                                : "\n");
    for (int i = 0; i < trend->n_open && i < SHOWN; i++) {
        const struct open_finding *open = &trend->open[i];
        const char *head = arena_printf(arena, "    %-8s%s, %s: ", severity_names[open->severity],
                                        open->id, days_words(trend, open->first_s, arena));
        buf_printf(buf, "%s%s\n            %s\n", head,
                   words_line(arena, str_of(open->drill), 80 - strlen(head)),
                   words_line(arena, str_of(open->message), 66));
    }
    if (trend->n_open > SHOWN)
        buf_printf(buf, "    and %d younger ones, in --format json\n", trend->n_open - SHOWN);
}

/* The document in two lines: its file and kind, and what was seen of it. */
static void put_other(struct buf *buf, const struct trend *trend,
                      const struct history_procedure *row, struct arena *arena)
{
    const char *section = *row->section ? arena_printf(arena, ", '%s'", row->section) : "";
    buf_printf(buf, "    %s\n",
               words_line(arena,
                          str_of(arena_printf(arena, "%s%s",
                                              *row->playbook ? row->playbook : "no playbook named",
                                              section)),
                          74));
    buf_printf(buf, "      %s, %d run%s, %d passed, the last %s ago\n", row->kind, row->runs,
               row->runs == 1 ? "" : "s", row->passed, days_words(trend, row->last_s, arena));
}

/* What is kept and not in the table: of one drill each, of all drills their number. */
static void put_others(struct buf *buf, const struct trend *trend, struct arena *arena)
{
    int others = 0, runs = 0;
    for (int i = 0; i < trend->n_procedures; i++) {
        others += !trend->procedures[i].shown;
        runs += trend->procedures[i].shown ? 0 : trend->procedures[i].row.runs;
    }
    if (!others)
        return;
    if (!trend->one_drill) {
        buf_printf(buf,
                   "\n  Not counted: %d run%s of other documents than the drills name now; "
                   "they show\n  with a drill's name or --playbook FILE\n",
                   runs, runs == 1 ? "" : "s");
        return;
    }
    buf_puts(buf, "\n  Also kept of this drill; --playbook, --section and --kind choose:\n");
    for (int i = 0, n = 0; i < trend->n_procedures && n < SHOWN; i++) {
        if (!trend->procedures[i].shown) {
            put_other(buf, trend, &trend->procedures[i].row, arena);
            n++;
        }
    }
    if (others > SHOWN)
        buf_printf(buf, "    and %d more, in --format json\n", others - SHOWN);
}

void trend_text(const struct trend *trend, struct buf *buf)
{
    struct arena arena = {0};
    buf_printf(buf, "%s: %d run%s", trend->title, trend->runs, trend->runs == 1 ? "" : "s");
    if (trend->last_pass_s == INT64_MIN)
        buf_puts(buf, ", never passed\n");
    else
        buf_printf(buf, ", last pass %s ago\n", days_words(trend, trend->last_pass_s, &arena));
    if (*trend->document)
        buf_printf(buf, "%s\n", words_line(&arena, str_of(trend->document), 80));
    buf_printf(buf, "\n  %-14s", "Median of");
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
    put_regressions(buf, trend, &arena);
    put_open(buf, trend, &arena);
    put_others(buf, trend, &arena);
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

static void put_procedure(struct json_writer *json, const struct history_procedure *row)
{
    json_string(json, "drill", row->drill);
    json_string(json, "playbook", row->playbook);
    json_string(json, "section", row->section);
    json_string(json, "kind", row->kind);
}

static void put_days_since(struct json_writer *json, const char *key, const struct trend *trend,
                           int64_t then_s)
{
    if (then_s == INT64_MIN)
        json_null(json, key);
    else
        json_integer(json, key, (trend->now_s - then_s) / DAY_S);
}

static void put_procedures(struct json_writer *json, const struct trend *trend)
{
    json_open_array(json, "procedures");
    for (int i = 0; i < trend->n_procedures; i++) {
        const struct history_procedure *row = &trend->procedures[i].row;
        json_open_object(json, NULL);
        put_procedure(json, row);
        json_bool(json, "shown", trend->procedures[i].shown);
        json_integer(json, "runs", row->runs);
        json_integer(json, "passed", row->passed);
        put_days_since(json, "days_since_last_run", trend, row->last_s);
        put_days_since(json, "days_since_last_pass", trend, row->last_pass_s);
        json_close_object(json);
    }
    json_close_array(json);
    json_open_array(json, "regressions");
    for (int i = 0; i < trend->n_regressions; i++) {
        json_open_object(json, NULL);
        put_procedure(json, trend->regressions[i].procedure);
        json_open_array(json, "what");
        for (int k = 0; k < trend->regressions[i].n_lines; k++)
            json_string(json, NULL, trend->regressions[i].lines[k]);
        json_close_array(json);
        json_string(json, "changed", trend->regressions[i].edited);
        json_close_object(json);
    }
    json_close_array(json);
}

void trend_json(const struct trend *trend, struct buf *buf)
{
    struct arena arena = {0};
    struct json_writer writer = {.buf = buf}, *json = &writer;
    json_open_object(json, NULL);
    json_string(json, "format", "rehearse.trend/1");
    json_string(json, "drill", trend->one_drill ? trend->title : NULL);
    json_integer(json, "runs", trend->runs);
    put_days_since(json, "days_since_last_pass", trend, trend->last_pass_s);
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
    put_procedures(json, trend);
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
