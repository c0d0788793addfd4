/* CSV for spreadsheets and OpenMetrics for dashboards: the measures of any number of runs. */
#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "reports/summary.h"
#include "reports/words.h"

/* A field as RFC 4180 wants it. A leading = + - @ is what spreadsheets run as a formula: it is
 * quoted away. */
static void put_field(struct buf *buf, const char *text)
{
    bool formula = *text && strchr("=+-@", *text);
    if (!formula && !strpbrk(text, ",\"\r\n")) {
        buf_puts(buf, text);
        return;
    }
    buf_puts(buf, formula ? "\"'" : "\"");
    for (; *text; text++) {
        if (*text == '"')
            buf_putc(buf, '"');
        buf_putc(buf, *text);
    }
    buf_putc(buf, '"');
}

static void put_value(struct buf *buf, double value)
{
    buf_putc(buf, ',');
    if (isfinite(value))
        words_number(buf, value);
}

static const struct summary_target *target_of(const struct summary *summary, enum measure measure)
{
    for (int i = 0; i < summary->n_targets; i++) {
        if (summary->targets[i].measure == measure)
            return &summary->targets[i];
    }
    return NULL;
}

void summaries_csv(const struct summary *summaries, int n, struct buf *buf)
{
    buf_puts(
        buf,
        "drill,seed,verdict,score,measure,unit,value,comparison,limit,margin,rating,result\r\n");
    for (int i = 0; i < n; i++) {
        const struct summary *summary = &summaries[i];
        for (int k = 0; k < MEASURES; k++) {
            const struct summary_target *target = target_of(summary, (enum measure)k);
            put_field(buf, summary->drill);
            buf_printf(buf, ",%" PRId64 ",%s", summary->seed, outcome_names[summary->outcome]);
            put_value(buf, summary->score);
            buf_printf(buf, ",%s,%s", measure_names[k],
                       measure_is_count((enum measure)k) ? "records" : "s");
            put_value(buf, summary->measures[k]);
            buf_printf(buf, ",%s", target ? target->comparison : "");
            put_value(buf, target ? target->limit : NAN);
            put_value(buf, target ? target->margin : NAN);
            buf_printf(buf, ",%s,%s\r\n", target ? target->rating : "",
                       target ? result_names[target->outcome] : "");
        }
    }
}

/* A label's value: backslash, quote and line feed are escaped, nothing else may be there. */
static void put_label(struct buf *buf, const char *text)
{
    for (; *text; text++) {
        if (*text == '\\' || *text == '"')
            buf_printf(buf, "\\%c", *text);
        else if (*text == '\n')
            buf_puts(buf, "\\n");
        else
            buf_putc(buf, *text);
    }
}

static void put_sample(struct buf *buf, const char *name, const struct summary *summary,
                       const char *label, const char *value_of_label, double value)
{
    if (!isfinite(value))
        return; /* absent is how a metric says that there is no value */
    buf_printf(buf, "%s{drill=\"", name);
    put_label(buf, summary->drill);
    buf_printf(buf, "\",seed=\"%" PRId64, summary->seed);
    if (label)
        buf_printf(buf, "\",%s=\"%s", label, value_of_label);
    buf_puts(buf, "\"} ");
    words_number(buf, value);
    buf_putc(buf, '\n');
}

static void put_family(struct buf *buf, const char *name, const char *unit, const char *help)
{
    buf_printf(buf, "# TYPE %s gauge\n", name);
    if (unit)
        buf_printf(buf, "# UNIT %s %s\n", name, unit);
    buf_printf(buf, "# HELP %s %s\n", name, help);
}

static void put_outcomes(struct buf *buf, const struct summary *summaries, int n)
{
    put_family(buf, "rehearse_verdict", NULL, "1 for the verdict of the last run of the drill.");
    for (int i = 0; i < n; i++) {
        for (int k = 0; k < 3; k++)
            put_sample(buf, "rehearse_verdict", &summaries[i], "verdict", outcome_names[k],
                       (int)summaries[i].outcome == k);
    }
    put_family(buf, "rehearse_gate_passed", NULL,
               "1 if the gate passed, 0 if it failed; absent if unknown.");
    for (int i = 0; i < n; i++) {
        for (int k = 0; k < GATES; k++)
            put_sample(buf, "rehearse_gate_passed", &summaries[i], "gate", gate_names[k],
                       summaries[i].gates[k] == OUTCOME_UNKNOWN
                           ? NAN
                           : summaries[i].gates[k] == OUTCOME_PASS);
    }
}

/* "rollback_s" says "rollback": the unit is in the metric's name. */
static const char *bare_name(struct arena *arena, enum measure measure)
{
    const char *name = measure_names[measure];
    size_t len = strlen(name);
    return measure_is_count(measure) ? name : arena_str(arena, (struct str){name, len - 2});
}

void summaries_openmetrics(const struct summary *summaries, int n, struct buf *buf)
{
    struct arena arena = {0};
    put_family(buf, "rehearse_score", NULL, "Score of the last run of the drill, 0 to 100.");
    for (int i = 0; i < n; i++)
        put_sample(buf, "rehearse_score", &summaries[i], NULL, NULL, summaries[i].score);
    put_outcomes(buf, summaries, n);
    put_family(buf, "rehearse_measure_seconds", "seconds",
               "Measured time; absent if it was never reached.");
    for (int i = 0; i < n; i++) {
        for (int k = 0; k < MEASURES; k++) {
            if (!measure_is_count((enum measure)k))
                put_sample(buf, "rehearse_measure_seconds", &summaries[i], "measure",
                           bare_name(&arena, (enum measure)k), summaries[i].measures[k]);
        }
    }
    put_family(buf, "rehearse_records_lost", NULL, "Acknowledged records that are gone.");
    for (int i = 0; i < n; i++)
        put_sample(buf, "rehearse_records_lost", &summaries[i], NULL, NULL,
                   summaries[i].measures[MEASURE_RECORDS_LOST]);
    put_family(buf, "rehearse_findings", NULL, "Findings by severity, waived ones left out.");
    for (int i = 0; i < n; i++) {
        for (int k = 0; k < 3; k++) {
            int found = 0;
            for (int f = 0; f < summaries[i].n_findings; f++)
                found +=
                    (int)summaries[i].findings[f].severity == k && !summaries[i].findings[f].waived;
            put_sample(buf, "rehearse_findings", &summaries[i], "severity", severity_names[k],
                       found);
        }
    }
    buf_puts(buf, "# EOF\n");
    arena_release(&arena);
}
