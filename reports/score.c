#include "reports/score.h"

#include <assert.h>
#include <math.h>
#include <string.h>

#include "reports/words.h"

const char *const outcome_names[] = {"pass", "fail", "unknown"};
const char *const result_names[] = {"met", "missed", "unknown"};

const char *const gate_findings[GATES] = {
    [GATE_RECORDS_LOST] = "data_loss",
    [GATE_RECORDS_DUPLICATED] = "data_duplicated",
    [GATE_RECORDS_UNEXPECTED] = "data_unexpected",
    [GATE_FALSE_SUCCESS] = "false_success",
    [GATE_END_STATE] = "wrong_end_state",
    [GATE_ESCAPED_COMMAND] = "escaped_command",
};

static const char *const measure_titles[MEASURES] = {
    [MEASURE_TIME_TO_DETECT] = "Time to detect",
    [MEASURE_TIME_TO_DECIDE] = "Time to decide",
    [MEASURE_ROLLBACK] = "Rollback",
    [MEASURE_TIME_TO_STABLE] = "Time to stable",
    [MEASURE_DOWNTIME] = "Downtime",
    [MEASURE_RECORDS_LOST] = "Records lost",
    [MEASURE_CLAIM_ERROR] = "Claim error",
};

const char *measure_title(enum measure measure)
{
    return measure_titles[measure];
}

bool measure_is_count(enum measure measure)
{
    return measure == MEASURE_RECORDS_LOST;
}

const char *target_finding(enum measure measure)
{
    if (measure == MEASURE_RECORDS_LOST)
        return "data_loss";
    if (measure == MEASURE_CLAIM_ERROR)
        return "false_success";
    return "target_missed";
}

const struct waiver *waiver_for(const struct record *record, const char *finding, const char *file,
                                int line)
{
    for (int i = 0; i < record->n_waivers; i++) {
        const struct waiver *waiver = &record->waivers[i];
        if (strcmp(waiver->finding, finding) != 0)
            continue;
        if (waiver->file && (!file || strcmp(waiver->file, file) != 0))
            continue;
        if (waiver->line && waiver->line != line)
            continue;
        if (record->identity.start_unix_ns < waiver->until_unix_ns)
            return waiver;
    }
    return NULL;
}

static bool was_observed(const struct record *record, const char *id)
{
    for (int i = 0; i < record->n_observations; i++) {
        if (strcmp(record->observations[i].id, id) == 0)
            return true;
    }
    return false;
}

/* ---- measures ---- */

/* From one instant to another. Unfinished, it has no value; that is unknown only if we could not
 * look. */
static struct measured span(const struct record *record, enum instant from, enum instant to,
                            bool blind)
{
    int64_t start = record->instants[from], end = record->instants[to];
    if (start == NEVER || end == NEVER)
        return (struct measured){.unobserved = blind};
    return (struct measured){.known = true, .value = (double)(end - start) / 1e9};
}

/* The part that is known is a lower bound of the whole. */
static struct measured records_lost(const struct record *record)
{
    struct measured lost = {.known = true};
    bool any_known = record->n_ledger == 0;
    for (int i = 0; i < record->n_ledger; i++) {
        if (record->ledger[i].known) {
            any_known = true;
            lost.value += (double)record->ledger[i].lost;
        } else {
            lost.at_least = true;
        }
    }
    if (!any_known || (lost.at_least && lost.value <= 0))
        return (struct measured){.unobserved = true};
    return lost;
}

/* When a budget of ours, or a person, cut the run short; NEVER: nothing did. */
static int64_t cut_at(const struct record *record)
{
    for (int i = 0; i < record->n_observations; i++) {
        const char *id = record->observations[i].id;
        if (strcmp(id, "limit") == 0 || strcmp(id, "stopped") == 0)
            return record->observations[i].at_ns;
    }
    return NEVER;
}

/* What the indicator's samples say was down before that instant; a sample holds until the next. */
static int64_t down_before(const struct record *record, int64_t at_ns)
{
    int64_t down = 0;
    for (int i = 0; i < record->n_series; i++) {
        const struct series *series = record->series[i];
        if (strcmp(series->name, "indicator") != 0 || *series->labels)
            continue;
        for (int k = 0; k + 1 < series->n && series->at_ns[k] < at_ns; k++) {
            int64_t until = series->at_ns[k + 1] < at_ns ? series->at_ns[k + 1] : at_ns;
            if (series->value[k] < record->identity.indicator_down_below)
                down += until - series->at_ns[k];
        }
    }
    return down < record->downtime_ns ? down : record->downtime_ns;
}

/* A procedure that we cut short may have ended it: then only what was down before is known, as a
 * lower bound. */
static struct measured downtime(const struct record *record)
{
    int64_t cut = cut_at(record);
    if (record->indicator_unseen)
        return (struct measured){.unobserved = true};
    if (cut == NEVER || record->downtime_ns == 0)
        return (struct measured){.known = true, .value = (double)record->downtime_ns / 1e9};
    return (struct measured){
        .known = true, .at_least = true, .value = (double)down_before(record, cut) / 1e9};
}

/* Somebody stopped the run before it was over: what has not gone wrong by then may still have. */
static bool is_unfinished(const struct record *record)
{
    return was_observed(record, "stopped") && record->instants[T_STABLE] == NEVER;
}

static void measure_all(struct verdict *verdict, const struct record *record)
{
    struct measured *m = verdict->measures;
    bool unseen = record->indicator_unseen;
    bool cut = cut_at(record) != NEVER, stopped = was_observed(record, "stopped");
    /* damage that the indicator never showed (data, a policy) is there from the change on */
    enum instant harm = record->instants[T_IMPACT] == NEVER && !unseen ? T_CHANGE : T_IMPACT;
    m[MEASURE_TIME_TO_DETECT] = span(record, harm, T_DETECT, unseen || stopped);
    m[MEASURE_TIME_TO_DECIDE] = span(record, T_DETECT, T_DECIDE, stopped);
    m[MEASURE_ROLLBACK] = span(record, T_DECIDE, T_RESTORE, unseen || cut);
    m[MEASURE_TIME_TO_STABLE] = span(record, T_RESTORE, T_STABLE, unseen || cut);
    m[MEASURE_CLAIM_ERROR] = span(record, T_RESTORE, T_CLAIM, unseen || cut);
    m[MEASURE_RECORDS_LOST] = records_lost(record);
    m[MEASURE_DOWNTIME] = downtime(record);
    for (int i = MEASURE_DOWNTIME; i <= MEASURE_RECORDS_LOST; i++) {
        if (is_unfinished(record) && !(m[i].known && m[i].value > 0))
            m[i] = (struct measured){.unobserved = true};
    }
    /* a decision that was never made was never made, whatever was cut short after it */
    if (record->instants[T_DECIDE] == NEVER)
        m[MEASURE_ROLLBACK].unobserved = unseen || stopped;
}

/* ---- targets ---- */

/* A count may reach its limit, a time must stay under it; a limit of zero can only be reached. */
static bool is_met(const struct target *target, double value)
{
    if (target->at_least)
        return value >= target->limit;
    if (measure_is_count(target->measure) || target->limit <= 0)
        return value <= target->limit;
    return value < target->limit;
}

static char rate(bool met, double margin, double limit)
{
    double size = fabs(limit);
    if (met)
        return margin >= size / 5 ? 'P' : 'S';
    return size > 0 && -margin <= size / 2 ? 'M' : 'U';
}

static double credit(bool met, double margin, double limit)
{
    double size = fabs(limit);
    if (met)
        return 1;
    if (!(size > 0) || -margin >= size)
        return 0;
    return 1 + margin / size;
}

static struct target_result judge(const struct target *target, const struct measured *measured)
{
    struct target_result result = {.target = target};
    if (!measured->known) {
        result.outcome = measured->unobserved ? OUTCOME_UNKNOWN : OUTCOME_FAIL;
        result.rating = measured->unobserved ? '?' : 'U';
    } else {
        result.margin =
            target->at_least ? measured->value - target->limit : target->limit - measured->value;
        bool met = is_met(target, measured->value);
        if (met && measured->at_least) { /* what could not be observed may still break it */
            result.outcome = OUTCOME_UNKNOWN;
            result.rating = '?';
            return result;
        }
        result.outcome = met ? OUTCOME_PASS : OUTCOME_FAIL;
        result.rating = rate(met, result.margin, target->limit);
        result.credit = credit(met, result.margin, target->limit);
    }
    return result;
}

/* ---- gates ---- */

static struct gate_result ledger_gate(const struct record *record, size_t count_offset,
                                      const char *verb, struct arena *arena)
{
    int64_t total = 0;
    const char *unread = NULL;
    for (int i = 0; i < record->n_ledger; i++) {
        const struct ledger_row *row = &record->ledger[i];
        if (!row->known) {
            unread = row->store;
            continue;
        }
        int64_t count;
        memcpy(&count, (const char *)row + count_offset, sizeof count);
        total += count;
    }
    if (total > 0)
        return (struct gate_result){OUTCOME_FAIL, false,
                                    arena_printf(arena, "%s record%s %s", words_count(arena, total),
                                                 total == 1 ? "" : "s", verb)};
    if (unread)
        return (struct gate_result){
            OUTCOME_UNKNOWN, false,
            arena_printf(arena, "store %s could not be read at the end", unread)};
    return (struct gate_result){OUTCOME_PASS, false, arena_printf(arena, "no record %s", verb)};
}

static struct gate_result false_success_gate(const struct record *record, struct arena *arena)
{
    int64_t claim = record->instants[T_CLAIM], restore = record->instants[T_RESTORE];
    if (claim == NEVER)
        return (struct gate_result){OUTCOME_PASS, false, "the procedure never claimed success"};
    if (restore != NEVER && claim >= restore)
        return (struct gate_result){OUTCOME_PASS, false, "success was claimed when it was true"};
    if (restore == NEVER && record->indicator_unseen)
        return (struct gate_result){OUTCOME_UNKNOWN, false,
                                    "nobody could see whether the claim was true"};
    const char *why = "success was claimed, and the good state was never reached";
    if (restore != NEVER)
        why = arena_printf(arena, "success was claimed %s before it was true",
                           words_duration(arena, restore - claim));
    return (struct gate_result){OUTCOME_FAIL, false, why};
}

static struct gate_result end_state_gate(const struct record *record, struct arena *arena)
{
    int wanted = 0, wrong = 0, unread = 0;
    const struct end_state *first_wrong = NULL, *first_unread = NULL;
    for (int i = 0; i < record->n_end_states; i++) {
        const struct end_state *state = &record->end_states[i];
        if (!state->wanted)
            continue;
        wanted++;
        if (!state->value) {
            if (!unread++)
                first_unread = state;
        } else if (!state->good) {
            if (!wrong++)
                first_wrong = state;
        }
    }
    if (wrong) {
        bool cut = cut_at(record) != NEVER;
        const char *more = wrong > 1 ? arena_printf(arena, " and %d more", wrong - 1) : "";
        return (struct gate_result){cut ? OUTCOME_UNKNOWN : OUTCOME_FAIL, false,
                                    arena_printf(arena, "%s %s is %s, wanted %s%s%s",
                                                 first_wrong->subject, first_wrong->property,
                                                 first_wrong->value, first_wrong->wanted, more,
                                                 cut ? ", but the run was cut short" : "")};
    }
    if (unread)
        return (struct gate_result){OUTCOME_UNKNOWN, false,
                                    arena_printf(arena, "%s %s could not be read",
                                                 first_unread->subject, first_unread->property)};
    if (!wanted)
        return (struct gate_result){OUTCOME_UNKNOWN, false, "the good state is not declared"};
    return (struct gate_result){OUTCOME_PASS, false, "the good state holds at the end"};
}

static struct gate_result escaped_gate(const struct record *record)
{
    if (was_observed(record, "escaped_command"))
        return (struct gate_result){OUTCOME_FAIL, false,
                                    "a command tried to reach outside the sandbox"};
    return (struct gate_result){OUTCOME_PASS, false, "nothing reached outside the sandbox"};
}

static void judge_gates(struct verdict *verdict, const struct record *record, struct arena *arena)
{
    struct gate_result *gates = verdict->gates;
    gates[GATE_RECORDS_LOST] =
        ledger_gate(record, offsetof(struct ledger_row, lost), "lost", arena);
    gates[GATE_RECORDS_DUPLICATED] =
        ledger_gate(record, offsetof(struct ledger_row, duplicated), "duplicated", arena);
    gates[GATE_RECORDS_UNEXPECTED] =
        ledger_gate(record, offsetof(struct ledger_row, unexpected), "unexpected", arena);
    gates[GATE_FALSE_SUCCESS] = false_success_gate(record, arena);
    gates[GATE_END_STATE] = end_state_gate(record, arena);
    gates[GATE_ESCAPED_COMMAND] = escaped_gate(record);
    for (int i = 0; i < GATES; i++) {
        if (is_unfinished(record) && gates[i].outcome == OUTCOME_PASS)
            gates[i] =
                (struct gate_result){OUTCOME_UNKNOWN, false, "the run was stopped before its end"};
    }
}

/* ---- the whole ---- */

static double one_decimal(double value)
{
    return floor(value * 10 + 0.5) / 10;
}

static void score_all(struct verdict *verdict)
{
    double sum = 0, possible = 0;
    for (int i = 0; i < verdict->n_targets; i++) {
        const struct target_result *target = &verdict->targets[i];
        sum += target->credit;
        possible += target->outcome == OUTCOME_UNKNOWN ? 1 : target->credit;
    }
    int n = verdict->n_targets;
    verdict->score = n ? one_decimal(100 * sum / n) : 100;
    verdict->score_possible = n ? one_decimal(100 * possible / n) : 100;
    for (int i = 0; i < GATES; i++) {
        if (verdict->gates[i].outcome != OUTCOME_FAIL)
            continue;
        verdict->score = fmin(verdict->score, 49);
        verdict->score_possible = fmin(verdict->score_possible, 49);
    }
}

static void count_outcome(struct verdict *verdict, enum outcome outcome, bool waived)
{
    if (waived)
        verdict->n_waived++;
    else if (outcome == OUTCOME_FAIL ||
             (outcome == OUTCOME_UNKNOWN && verdict->outcome == OUTCOME_PASS))
        verdict->outcome = outcome;
}

void verdict_conclude(struct verdict *verdict)
{
    verdict->outcome = OUTCOME_PASS;
    verdict->n_waived = 0;
    for (int i = 0; i < verdict->n_targets; i++)
        count_outcome(verdict, verdict->targets[i].outcome, verdict->targets[i].waived);
    for (int i = 0; i < GATES; i++)
        count_outcome(verdict, verdict->gates[i].outcome, verdict->gates[i].waived);
}

void verdict_compute(struct verdict *verdict, const struct record *record, struct arena *arena)
{
    *verdict = (struct verdict){.outcome = OUTCOME_PASS, .n_targets = record->n_targets};
    measure_all(verdict, record);
    judge_gates(verdict, record, arena);
    verdict->targets = ARENA_ARRAY(arena, struct target_result, record->n_targets + 1);
    for (int i = 0; i < record->n_targets; i++) {
        const struct target *target = &record->targets[i];
        assert(target->measure < MEASURES);
        verdict->targets[i] = judge(target, &verdict->measures[target->measure]);
    }
    verdict_conclude(verdict);
    score_all(verdict);
}

/* ---- words ---- */

const char *measure_words(enum measure measure, const struct measured *measured,
                          struct arena *arena)
{
    if (!measured->known)
        return measured->unobserved ? "unknown" : "never";
    const char *at_least = measured->at_least ? ">= " : "";
    if (measure_is_count(measure))
        return arena_printf(arena, "%s%s", at_least, words_count(arena, (int64_t)measured->value));
    return arena_printf(arena, "%s%s", at_least, words_duration(arena, words_ns(measured->value)));
}

const char *target_words(const struct target *target, struct arena *arena)
{
    if (measure_is_count(target->measure))
        return arena_printf(arena, "<= %s", words_count(arena, (int64_t)target->limit));
    const char *sign = target->at_least ? ">=" : target->limit <= 0 ? "<=" : "<";
    return arena_printf(arena, "%s %s", sign, words_duration(arena, words_ns(target->limit)));
}
