/* Measures, targets, ratings, gates, score and verdict, at every edge. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "reports/findings.h"
#include "sim/base/doc.h"
#include "tests/record_samples.h"

static struct arena arena;

static struct verdict judge(const struct record *record)
{
    struct verdict verdict;
    struct findings findings;
    verdict_compute(&verdict, record, &arena);
    findings_make(&findings, record, &verdict, &arena);
    findings_waive(&findings, &verdict);
    findings_release(&findings);
    return verdict;
}

static int release_arena(void **state)
{
    (void)state;
    arena_release(&arena);
    return 0;
}

static bool near(double a, double b)
{
    return fabs(a - b) < 1e-9;
}

static void a_good_run_passes(void **state)
{
    (void)state;
    struct record *record = sample_good();
    struct verdict verdict = judge(record);
    assert_int_equal(verdict.outcome, OUTCOME_PASS);
    assert_true(near(verdict.score, 100));
    assert_true(near(verdict.score_possible, 100));
    assert_true(near(verdict.measures[MEASURE_TIME_TO_DETECT].value, 63.5));
    assert_true(near(verdict.measures[MEASURE_TIME_TO_DECIDE].value, 134.5));
    assert_true(near(verdict.measures[MEASURE_ROLLBACK].value, 260));
    assert_true(near(verdict.measures[MEASURE_TIME_TO_STABLE].value, 300));
    assert_true(near(verdict.measures[MEASURE_DOWNTIME].value, 120));
    assert_true(near(verdict.measures[MEASURE_CLAIM_ERROR].value, 90));
    record_free(record);
}

/* Lost records need not show in the indicator: then it is from the change on that somebody has to
 * see it. */
static void harm_without_impact_counts_from_the_change(void **state)
{
    (void)state;
    struct record *record = sample_good();
    record->instants[T_CHANGE] = 600 * SECOND;
    record->instants[T_IMPACT] = NEVER;
    record->instants[T_DETECT] = 720 * SECOND;
    struct verdict verdict = judge(record);
    assert_true(verdict.measures[MEASURE_TIME_TO_DETECT].known);
    assert_true(near(verdict.measures[MEASURE_TIME_TO_DETECT].value, 120));
    record_free(record);
}

static void one_target_is_rated_by_its_margin(void **state)
{
    (void)state;
    static const struct {
        double limit, value; /* seconds */
        bool at_least;
        enum outcome outcome;
        char rating;
        double score;
    } cases[] = {
        {300, 240, false, OUTCOME_PASS, 'P', 100}, /* exactly a fifth to spare */
        {300, 240.5, false, OUTCOME_PASS, 'S', 100},
        {300, 299.9, false, OUTCOME_PASS, 'S', 100},
        {300, 300, false, OUTCOME_FAIL, 'M',
         100}, /* at the limit is not under it, and costs nothing yet */
        {300, 450, false, OUTCOME_FAIL, 'M', 50}, /* exactly half of the limit over */
        {300, 450.5, false, OUTCOME_FAIL, 'U', 49.8},
        {300, 600, false, OUTCOME_FAIL, 'U', 0},
        {300, 9000, false, OUTCOME_FAIL, 'U', 0},
        {0, 0, false, OUTCOME_PASS, 'P', 100}, /* no downtime at all was asked for and had */
        {0, 0.5, false, OUTCOME_FAIL, 'U', 0},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct record *record = sample_good();
        record->n_targets = 0;
        sample_target(record, MEASURE_DOWNTIME, cases[i].limit, cases[i].at_least);
        record->downtime_ns = (int64_t)(cases[i].value * 1e9);
        struct verdict verdict = judge(record);
        assert_int_equal(verdict.targets[0].outcome, cases[i].outcome);
        assert_int_equal(verdict.targets[0].rating, cases[i].rating);
        assert_true(near(verdict.score, cases[i].score));
        assert_int_equal(verdict.outcome, cases[i].outcome);
        record_free(record);
    }
}

static void records_may_reach_their_limit(void **state)
{
    (void)state;
    static const struct {
        double limit;
        int64_t lost;
        enum outcome outcome;
        char rating;
    } cases[] = {{0, 0, OUTCOME_PASS, 'P'},   {0, 1, OUTCOME_FAIL, 'U'},
                 {10, 8, OUTCOME_PASS, 'P'},  {10, 10, OUTCOME_PASS, 'S'},
                 {10, 15, OUTCOME_FAIL, 'M'}, {10, 16, OUTCOME_FAIL, 'U'}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct record *record = sample_empty();
        record->n_targets = 0;
        sample_target(record, MEASURE_RECORDS_LOST, cases[i].limit, false);
        sample_store(record, "postgres", 100, cases[i].lost);
        struct verdict verdict = judge(record);
        assert_int_equal(verdict.targets[0].outcome, cases[i].outcome);
        assert_int_equal(verdict.targets[0].rating, cases[i].rating);
        /* the gate asks for none, whatever the target allows */
        assert_int_equal(verdict.gates[GATE_RECORDS_LOST].outcome,
                         cases[i].lost ? OUTCOME_FAIL : OUTCOME_PASS);
        record_free(record);
    }
}

static void an_unfinished_phase_fails_without_a_value(void **state)
{
    (void)state;
    struct record *record = sample_empty();
    sample_state(record, "api", "version", "v4.17", "v4.17");
    struct verdict verdict = judge(record);
    static const enum measure unfinished[] = {MEASURE_TIME_TO_DETECT, MEASURE_TIME_TO_DECIDE,
                                              MEASURE_ROLLBACK, MEASURE_TIME_TO_STABLE,
                                              MEASURE_CLAIM_ERROR};
    for (size_t i = 0; i < sizeof unfinished / sizeof *unfinished; i++) {
        assert_false(verdict.measures[unfinished[i]].known);
        assert_false(verdict.measures[unfinished[i]].unobserved);
    }
    assert_int_equal(verdict.outcome, OUTCOME_FAIL);
    assert_int_equal(verdict.targets[0].rating, 'U');
    assert_true(near(verdict.score, 28.6)); /* no downtime, no loss: 2 of 7 */
    record_free(record);
}

static void a_claim_is_judged_against_the_truth(void **state)
{
    (void)state;
    static const struct {
        int64_t claim_s, restore_s; /* -1: never */
        enum outcome gate, target;
    } cases[] = {
        {1000, 1000, OUTCOME_PASS, OUTCOME_PASS}, {1000, 900, OUTCOME_PASS, OUTCOME_PASS},
        {1000, 1001, OUTCOME_FAIL, OUTCOME_FAIL}, {1000, -1, OUTCOME_FAIL, OUTCOME_FAIL},
        {-1, 900, OUTCOME_PASS, OUTCOME_FAIL},    {-1, -1, OUTCOME_PASS, OUTCOME_FAIL},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct record *record = sample_good();
        record->instants[T_CLAIM] = cases[i].claim_s < 0 ? NEVER : cases[i].claim_s * SECOND;
        record->instants[T_RESTORE] = cases[i].restore_s < 0 ? NEVER : cases[i].restore_s * SECOND;
        struct verdict verdict = judge(record);
        assert_int_equal(verdict.gates[GATE_FALSE_SUCCESS].outcome, cases[i].gate);
        assert_int_equal(verdict.targets[6].outcome, cases[i].target);
        record_free(record);
    }
}

static void a_failed_gate_caps_the_score(void **state)
{
    (void)state;
    struct record *record = sample_good();
    record->ledger[0].unexpected = 3;
    struct verdict verdict = judge(record);
    assert_int_equal(verdict.gates[GATE_RECORDS_UNEXPECTED].outcome, OUTCOME_FAIL);
    assert_int_equal(verdict.outcome, OUTCOME_FAIL);
    assert_true(near(verdict.score, 49));
    assert_true(near(verdict.score_possible, 49));
    record_free(record);
}

static void an_escape_fails_and_nothing_waives_it(void **state)
{
    (void)state;
    struct record *record = sample_good();
    record_observe(record, "escaped_command", "connect 10.0.0.1:5432",
                   "psql tried to reach 10.0.0.1");
    record_waive(record, &(struct waiver){"escaped_command", NULL, 0, INT64_MAX, "we know"});
    struct verdict verdict = judge(record);
    assert_int_equal(verdict.gates[GATE_ESCAPED_COMMAND].outcome, OUTCOME_FAIL);
    assert_false(verdict.gates[GATE_ESCAPED_COMMAND].waived);
    assert_int_equal(verdict.outcome, OUTCOME_FAIL);
    record_free(record);
}

static void what_was_not_seen_is_unknown(void **state)
{
    (void)state;
    struct record *record = sample_good();
    record->indicator_unseen = true;
    record->instants[T_IMPACT] = record->instants[T_RESTORE] = record->instants[T_STABLE] = NEVER;
    struct verdict verdict = judge(record);
    assert_int_equal(verdict.targets[MEASURE_TIME_TO_DETECT].outcome, OUTCOME_UNKNOWN);
    assert_int_equal(verdict.targets[MEASURE_ROLLBACK].outcome, OUTCOME_UNKNOWN);
    assert_int_equal(verdict.targets[MEASURE_DOWNTIME].outcome, OUTCOME_UNKNOWN);
    assert_int_equal(verdict.gates[GATE_FALSE_SUCCESS].outcome, OUTCOME_UNKNOWN);
    assert_int_equal(verdict.outcome, OUTCOME_UNKNOWN);
    assert_true(
        near(verdict.score, 28.6)); /* decided in time and nothing lost; five of seven unknown */
    assert_true(near(verdict.score_possible, 100));
    record->downtime_ns = 0;
    record->end_states[0].good = false;
    verdict = judge(record);
    assert_int_equal(verdict.outcome, OUTCOME_FAIL); /* a fail outranks an unknown */
    record_free(record);
}

static void an_unread_store_hides_losses_but_excuses_none(void **state)
{
    (void)state;
    struct record *record = sample_good();
    sample_store(record, "redis", 10, 0)->known = false;
    struct verdict verdict = judge(record);
    assert_int_equal(verdict.gates[GATE_RECORDS_LOST].outcome, OUTCOME_UNKNOWN);
    assert_int_equal(verdict.targets[MEASURE_RECORDS_LOST].outcome, OUTCOME_UNKNOWN);
    assert_false(verdict.measures[MEASURE_RECORDS_LOST].known);
    assert_int_equal(verdict.outcome, OUTCOME_UNKNOWN);
    record->ledger[0].lost = 4;
    verdict = judge(record);
    assert_int_equal(verdict.gates[GATE_RECORDS_LOST].outcome, OUTCOME_FAIL);
    assert_int_equal(verdict.targets[MEASURE_RECORDS_LOST].outcome, OUTCOME_FAIL);
    assert_true(verdict.measures[MEASURE_RECORDS_LOST].at_least);
    assert_true(near(verdict.measures[MEASURE_RECORDS_LOST].value, 4));
    /* a lower bound under the limit proves nothing */
    record->targets[MEASURE_RECORDS_LOST].limit = 10;
    verdict = judge(record);
    assert_int_equal(verdict.targets[MEASURE_RECORDS_LOST].outcome, OUTCOME_UNKNOWN);
    record_free(record);
}

static void a_procedure_that_we_cut_short_is_unknown(void **state)
{
    (void)state;
    struct record *record = sample_good();
    record->instants[T_CLAIM] = record->instants[T_RESTORE] = record->instants[T_STABLE] = NEVER;
    sample_state(record, "web", "version", "v2.1", "v2.2");
    record_observe(record, "limit", "10 s of processor time",
                   "the procedure used up its processor time");
    struct verdict verdict = judge(record);
    assert_int_equal(verdict.gates[GATE_END_STATE].outcome, OUTCOME_UNKNOWN);
    assert_int_equal(verdict.targets[MEASURE_ROLLBACK].outcome, OUTCOME_UNKNOWN);
    assert_int_equal(verdict.outcome, OUTCOME_UNKNOWN);
    /* what was down before the cut is a lower bound, and may be too much already */
    record->observations[0].at_ns = 1085 * SECOND;
    record->downtime_ns = 3600 * SECOND;
    verdict = judge(record);
    assert_true(verdict.measures[MEASURE_DOWNTIME].at_least);
    assert_true(verdict.measures[MEASURE_DOWNTIME].value > 300 &&
                verdict.measures[MEASURE_DOWNTIME].value < 450);
    assert_int_equal(verdict.targets[MEASURE_DOWNTIME].outcome, OUTCOME_FAIL);
    record->observations[0].at_ns = 900 * SECOND;
    verdict = judge(record);
    assert_int_equal(verdict.targets[MEASURE_DOWNTIME].outcome, OUTCOME_UNKNOWN);
    assert_int_equal(verdict.outcome, OUTCOME_UNKNOWN);
    record->instants[T_DECIDE] = NEVER; /* but nobody kept them from deciding */
    verdict = judge(record);
    assert_int_equal(verdict.targets[MEASURE_ROLLBACK].outcome, OUTCOME_FAIL);
    record_free(record);
}

static void a_run_that_a_person_stopped_is_unknown(void **state)
{
    (void)state;
    struct record *record = sample_empty();
    sample_state(record, "api", "version", "v4.18", "v4.17");
    record_observe(record, "stopped", "", "the run was stopped from outside");
    struct verdict verdict = judge(record);
    for (int i = 0; i < verdict.n_targets; i++)
        assert_int_not_equal(verdict.targets[i].outcome, OUTCOME_FAIL);
    assert_int_equal(verdict.outcome, OUTCOME_UNKNOWN);
    record_free(record);
}

/* What has not gone wrong by then may still have: nothing passes that a later second could have
 * taken back. */
static void nothing_passes_in_a_run_that_was_stopped(void **state)
{
    (void)state;
    struct record *record = sample_empty();
    record_observe(record, "stopped", "", "the run was stopped from outside");
    struct verdict verdict = judge(record);
    for (int i = 0; i < GATES; i++)
        assert_int_equal(verdict.gates[i].outcome, OUTCOME_UNKNOWN);
    for (int i = 0; i < verdict.n_targets; i++)
        assert_int_equal(verdict.targets[i].outcome, OUTCOME_UNKNOWN);
    assert_true(verdict.score < 0.01 && verdict.score_possible > 99.9);
    record_free(record);
    /* what went wrong did, and what was over was over */
    record = sample_bad();
    record_observe(record, "stopped", "", "the run was stopped from outside");
    assert_int_equal(judge(record).gates[GATE_RECORDS_LOST].outcome, OUTCOME_FAIL);
    record_free(record);
    record = sample_good();
    record->downtime_ns = 0; /* else it is known as a lower bound only */
    record_observe(record, "stopped", "", "the run was stopped from outside");
    verdict = judge(record);
    for (int i = 0; i < GATES; i++)
        assert_int_equal(verdict.gates[i].outcome, OUTCOME_PASS);
    for (int i = 0; i < verdict.n_targets; i++)
        assert_int_equal(verdict.targets[i].outcome, OUTCOME_PASS);
    record_free(record);
}

static void the_end_state_must_be_declared_and_read(void **state)
{
    (void)state;
    struct record *record = sample_good();
    record->n_end_states = 0;
    assert_int_equal(judge(record).gates[GATE_END_STATE].outcome, OUTCOME_UNKNOWN);
    sample_state(record, "api", "version", NULL, "v4.17");
    assert_int_equal(judge(record).gates[GATE_END_STATE].outcome, OUTCOME_UNKNOWN);
    sample_state(record, "api", "flag", "on", NULL); /* nobody asks */
    sample_state(record, "api", "ready", "2", "3");
    struct verdict verdict = judge(record);
    assert_int_equal(verdict.gates[GATE_END_STATE].outcome, OUTCOME_FAIL);
    assert_string_equal(verdict.gates[GATE_END_STATE].why, "api ready is 2, wanted 3");
    record_free(record);
}

static void a_waiver_holds_until_its_date(void **state)
{
    (void)state;
    struct record *record = sample_good();
    record->ledger[0].lost = 2;
    int64_t start = record->identity.start_unix_ns;
    record_waive(record, &(struct waiver){"data_loss", NULL, 0, start, "too late"});
    assert_int_equal(judge(record).outcome, OUTCOME_FAIL);
    record_waive(record,
                 &(struct waiver){"data_loss", "playbook.md", 33, start + DAY, "elsewhere"});
    assert_int_equal(judge(record).outcome, OUTCOME_FAIL); /* a place does not excuse the whole */
    record_waive(record,
                 &(struct waiver){"data_loss", NULL, 0, start + 1, "accepted by the owner"});
    struct verdict verdict = judge(record);
    assert_int_equal(verdict.outcome, OUTCOME_PASS);
    assert_int_equal(verdict.n_waived, 2);                                    /* gate and target */
    assert_int_equal(verdict.gates[GATE_RECORDS_LOST].outcome, OUTCOME_FAIL); /* still said */
    record_free(record);
}

static void a_system_without_stores_lost_nothing(void **state)
{
    (void)state;
    struct record *record = sample_empty();
    struct verdict verdict = judge(record);
    assert_int_equal(verdict.gates[GATE_RECORDS_LOST].outcome, OUTCOME_PASS);
    assert_true(verdict.measures[MEASURE_RECORDS_LOST].known);
    record_free(record);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(a_good_run_passes, release_arena),
        cmocka_unit_test_teardown(harm_without_impact_counts_from_the_change, release_arena),
        cmocka_unit_test_teardown(one_target_is_rated_by_its_margin, release_arena),
        cmocka_unit_test_teardown(records_may_reach_their_limit, release_arena),
        cmocka_unit_test_teardown(an_unfinished_phase_fails_without_a_value, release_arena),
        cmocka_unit_test_teardown(a_claim_is_judged_against_the_truth, release_arena),
        cmocka_unit_test_teardown(a_failed_gate_caps_the_score, release_arena),
        cmocka_unit_test_teardown(an_escape_fails_and_nothing_waives_it, release_arena),
        cmocka_unit_test_teardown(what_was_not_seen_is_unknown, release_arena),
        cmocka_unit_test_teardown(an_unread_store_hides_losses_but_excuses_none, release_arena),
        cmocka_unit_test_teardown(a_procedure_that_we_cut_short_is_unknown, release_arena),
        cmocka_unit_test_teardown(a_run_that_a_person_stopped_is_unknown, release_arena),
        cmocka_unit_test_teardown(nothing_passes_in_a_run_that_was_stopped, release_arena),
        cmocka_unit_test_teardown(the_end_state_must_be_declared_and_read, release_arena),
        cmocka_unit_test_teardown(a_waiver_holds_until_its_date, release_arena),
        cmocka_unit_test_teardown(a_system_without_stores_lost_nothing, release_arena),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
