#include "reports/campaign.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "reports/json_writer.h"
#include "reports/words.h"
#include "sim/engine/statistics.h"

enum { WORST_SHOWN = 3 };

void campaign_run_of(struct campaign_run *run, const struct report *report)
{
    const struct verdict *verdict = &report->verdict;
    *run = (struct campaign_run){.seed = report->record->identity.seed,
                                 .outcome = (int32_t)verdict->outcome,
                                 .score = verdict->score,
                                 .fingerprint = report->record->fingerprint};
    for (int i = 0; i < GATES; i++)
        run->gates[i] = (int32_t)verdict->gates[i].outcome;
    for (int i = 0; i < MEASURES; i++) {
        run->measures[i] = verdict->measures[i].known ? verdict->measures[i].value : NAN;
        run->met[i] = -1;
        run->limits[i] = NAN;
    }
    for (int i = 0; i < verdict->n_targets; i++) {
        run->met[verdict->targets[i].target->measure] = (int32_t)verdict->targets[i].outcome;
        run->limits[verdict->targets[i].target->measure] = verdict->targets[i].target->limit;
    }
}

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

struct distribution campaign_distribution(const struct campaign *campaign, enum measure measure,
                                          struct arena *arena)
{
    struct distribution all = {.values = ARENA_ARRAY(arena, double, campaign->n + 1), .limit = NAN};
    struct moments moments = {0};
    for (int i = 0; i < campaign->n; i++) {
        const struct campaign_run *run = &campaign->runs[i];
        all.judged += run->met[measure] >= 0;
        all.met += run->met[measure] == OUTCOME_PASS;
        if (isfinite(run->limits[measure]))
            all.limit = run->limits[measure];
        if (!isfinite(run->measures[measure])) {
            all.never++;
            continue;
        }
        all.values[all.n++] = run->measures[measure];
        moments_add(&moments, run->measures[measure]);
    }
    if (all.n)
        qsort(all.values, (size_t)all.n, sizeof *all.values, by_value);
    all.mean = all.mean_low = all.mean_high = moments.mean;
    if (all.n >= 2) {
        struct confidence_interval interval = student_interval(&moments, 0.95);
        all.mean_low = interval.low;
        all.mean_high = interval.high;
    }
    struct confidence_interval share = wilson_interval(all.met, all.judged, 0.95);
    all.met_low = share.low;
    all.met_high = share.high;
    return all;
}

double distribution_rank(const struct distribution *distribution, double share)
{
    int i = (int)ceil(share * (distribution->n + distribution->never) - 1e-9) - 1;
    if (i < 0)
        i = 0;
    return i < distribution->n ? distribution->values[i] : NAN;
}

static int count_outcome(const struct campaign *campaign, enum outcome outcome)
{
    int n = 0;
    for (int i = 0; i < campaign->n; i++)
        n += campaign->runs[i].outcome == (int32_t)outcome;
    return n;
}

/* ---- text ---- */

static const char *value_words(enum measure measure, double value, struct arena *arena)
{
    struct measured measured = {.known = isfinite(value), .value = value};
    return measure_words(measure, &measured, arena); /* "never" without a value */
}

static void put_measure(struct buf *buf, const struct campaign *campaign, enum measure measure,
                        struct arena *arena)
{
    struct distribution all = campaign_distribution(campaign, measure, arena);
    const char *met = all.judged ? arena_printf(arena, "%d/%d", all.met, all.judged) : "-";
    buf_printf(buf, "  %-15s%12s%13s%13s%13s%10s\n", measure_title(measure),
               value_words(measure, distribution_rank(&all, 0.5), arena),
               value_words(measure, distribution_rank(&all, 0.95), arena),
               value_words(measure, distribution_rank(&all, 1), arena),
               all.never && all.n ? arena_printf(arena, "%d never", all.never) : "", met);
}

static int by_score(const void *a, const void *b)
{
    const struct campaign_run *x = *(const struct campaign_run *const *)a,
                              *y = *(const struct campaign_run *const *)b;
    if (x->score < y->score || x->score > y->score)
        return x->score < y->score ? -1 : 1;
    return (x->seed > y->seed) - (x->seed < y->seed);
}

/* The runs with the lowest scores: what to look at first. */
static const struct campaign_run **worst_runs(const struct campaign *campaign, struct arena *arena)
{
    const struct campaign_run **order =
        ARENA_ARRAY(arena, const struct campaign_run *, campaign->n + 1);
    for (int i = 0; i < campaign->n; i++)
        order[i] = &campaign->runs[i];
    if (campaign->n)
        qsort(order, (size_t)campaign->n, sizeof *order, by_score);
    return order;
}

void campaign_text(const struct campaign *campaign, struct buf *buf)
{
    struct arena arena = {0};
    int passed = count_outcome(campaign, OUTCOME_PASS),
        unknown = count_outcome(campaign, OUTCOME_UNKNOWN);
    struct confidence_interval share = wilson_interval(passed, campaign->n, 0.95);
    buf_printf(buf, "%s: %d of %d runs pass", words_line(&arena, str_of(campaign->drill), 200),
               passed, campaign->n);
    if (campaign->n)
        buf_printf(buf, " (95%% interval %.0f%% to %.0f%%)", share.low * 100, share.high * 100);
    buf_puts(buf, unknown ? arena_printf(&arena, ", %d unknown\n\n", unknown) : "\n\n");
    buf_printf(buf, "  %-15s%12s%13s%13s%13s%10s\n", "Measure", "Median", "P95", "Max", "", "Met");
    for (int i = 0; i < MEASURES; i++)
        put_measure(buf, campaign, (enum measure)i, &arena);
    buf_puts(buf, "\n  Gates failed:");
    int any = 0;
    for (int i = 0; i < GATES; i++) {
        int failed = 0;
        for (int k = 0; k < campaign->n; k++)
            failed += campaign->runs[k].gates[i] == OUTCOME_FAIL;
        if (failed)
            buf_printf(buf, "%s %s in %d", any++ ? "," : "", gate_names[i], failed);
    }
    buf_puts(buf, any ? "\n" : " none\n");
    const struct campaign_run **worst = worst_runs(campaign, &arena);
    for (int i = 0; i < campaign->n && i < WORST_SHOWN && worst[i]->outcome != OUTCOME_PASS; i++)
        buf_printf(buf, "%s    score %3.0f   %s %" PRIu64 "\n", i == 0 ? "  Worst runs:\n" : "",
                   worst[i]->score, campaign->replay, worst[i]->seed);
    arena_release(&arena);
}

/* ---- JSON and CSV ---- */

static void put_distribution(struct json_writer *json, const struct campaign *campaign,
                             enum measure measure, struct arena *arena)
{
    struct distribution all = campaign_distribution(campaign, measure, arena);
    json_open_object(json, measure_names[measure]);
    json_integer(json, "n", all.n);
    json_integer(json, "never", all.never);
    json_number(json, "min", distribution_rank(&all, 0));
    json_number(json, "median", distribution_rank(&all, 0.5));
    json_number(json, "p90", distribution_rank(&all, 0.9));
    json_number(json, "p95", distribution_rank(&all, 0.95));
    json_number(json, "max", distribution_rank(&all, 1));
    json_number(json, "mean", all.n ? all.mean : NAN);
    json_number(json, "mean_low", all.n ? all.mean_low : NAN);
    json_number(json, "mean_high", all.n ? all.mean_high : NAN);
    json_number(json, "limit", all.limit);
    json_integer(json, "met", all.met);
    json_integer(json, "judged", all.judged);
    json_number(json, "met_low", all.judged ? all.met_low : NAN);
    json_number(json, "met_high", all.judged ? all.met_high : NAN);
    json_close_object(json);
}

static void put_run(struct json_writer *json, const struct campaign_run *run, struct arena *arena)
{
    json_open_object(json, NULL);
    json_integer(json, "seed", (int64_t)run->seed);
    json_string(json, "fingerprint", arena_printf(arena, "%016" PRIx64, run->fingerprint));
    json_string(json, "verdict", outcome_names[run->outcome]);
    json_number(json, "score", run->score);
    for (int i = 0; i < MEASURES; i++)
        json_number(json, measure_names[i], run->measures[i]);
    json_close_object(json);
}

void campaign_json(const struct campaign *campaign, struct buf *buf)
{
    struct arena arena = {0};
    struct json_writer writer = {.buf = buf}, *json = &writer;
    int passed = count_outcome(campaign, OUTCOME_PASS);
    struct confidence_interval share = wilson_interval(passed, campaign->n, 0.95);
    json_open_object(json, NULL);
    json_string(json, "format", "rehearse.campaign/1");
    json_string(json, "drill", campaign->drill);
    json_integer(json, "runs", campaign->n);
    json_integer(json, "passed", passed);
    json_integer(json, "failed", count_outcome(campaign, OUTCOME_FAIL));
    json_integer(json, "unknown", count_outcome(campaign, OUTCOME_UNKNOWN));
    json_number(json, "passed_low", campaign->n ? share.low : NAN);
    json_number(json, "passed_high", campaign->n ? share.high : NAN);
    json_open_object(json, "measures");
    for (int i = 0; i < MEASURES; i++)
        put_distribution(json, campaign, (enum measure)i, &arena);
    json_close_object(json);
    json_open_object(json, "gates_failed");
    for (int i = 0; i < GATES; i++) {
        int failed = 0;
        for (int k = 0; k < campaign->n; k++)
            failed += campaign->runs[k].gates[i] == OUTCOME_FAIL;
        json_integer(json, gate_names[i], failed);
    }
    json_close_object(json);
    json_string(json, "replay", campaign->replay);
    json_open_array(json, "by_seed");
    for (int i = 0; i < campaign->n; i++)
        put_run(json, &campaign->runs[i], &arena);
    json_close_array(json);
    json_close_object(json);
    arena_release(&arena);
}

void campaign_csv(const struct campaign *campaign, struct buf *buf)
{
    buf_puts(buf, "seed,verdict,score");
    for (int i = 0; i < MEASURES; i++)
        buf_printf(buf, ",%s", measure_names[i]);
    buf_puts(buf, "\r\n");
    for (int i = 0; i < campaign->n; i++) {
        const struct campaign_run *run = &campaign->runs[i];
        buf_printf(buf, "%" PRIu64 ",%s,", run->seed, outcome_names[run->outcome]);
        words_number(buf, run->score);
        for (int k = 0; k < MEASURES; k++) {
            buf_putc(buf, ',');
            if (isfinite(run->measures[k]))
                words_number(buf, run->measures[k]);
        }
        buf_puts(buf, "\r\n");
    }
}
