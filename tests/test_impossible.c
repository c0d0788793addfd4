/* Targets that the triggers make impossible. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "procedures/drill/impossible.h"
#include "sim/base/doc.h"
#include "tests/record_samples.h"

static const struct model_condition fast = {.for_ns = 60 * SECOND}, slow = {.for_ns = 10 * MINUTE};

static void the_least_delay_follows_the_condition(void **state)
{
    (void)state;
    const struct model_condition both[] = {fast, slow};
    const struct {
        struct model_condition when;
        int64_t least_s;
    } cases[] = {
        {{.threshold = 5}, 0},
        {{.for_ns = 5 * MINUTE}, 300},
        {{.consecutive = 3}, 30},
        {{.consecutive = 3, .every_ns = 60 * SECOND}, 120},
        {{.m = 4, .of_n = 5}, 45},
        {{.kind = CONDITION_ALL, .parts = both, .n_parts = 2}, 600},
        {{.kind = CONDITION_ANY, .parts = both, .n_parts = 2}, 60},
        {{.kind = CONDITION_ANY, .parts = both, .n_parts = 2, .for_ns = 30 * SECOND}, 90},
        {{.kind = CONDITION_EVENT, .delay_ns = 7 * SECOND}, 7},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct model_trigger trigger = {.id = "t", .when = cases[i].when};
        assert_int_equal(trigger_least_ns(&trigger, 15 * SECOND), cases[i].least_s * SECOND);
    }
}

static int observed(struct record *record, const char *trigger)
{
    int n = 0;
    for (int i = 0; i < record->n_observations; i++)
        n += strcmp(record->observations[i].id, "impossible_target") == 0 &&
             strstr(record->observations[i].message, trigger) != NULL;
    return n;
}

static void the_trigger_that_detected_is_judged(void **state)
{
    (void)state;
    const struct model_trigger triggers[] = {{.id = "fast", .when = fast},
                                             {.id = "slow", .when = slow}};
    struct model model = {.triggers = {.eval_ns = 15 * SECOND, .at = triggers, .n = 2}};
    for (int i = 0; i < 2; i++) {
        struct record *record = sample_empty();
        record->now_ns = record->instants[T_DETECT] = 700 * SECOND;
        record_event(record, EVENT_ALERT, triggers[i].id, "fires: too many errors");
        impossible_observe(&model, record);
        assert_int_equal(observed(record, "'slow'"), i);
        assert_int_equal(observed(record, "'fast'"), 0);
        record_free(record);
    }
}

static void where_nothing_detected_the_fastest_is_judged(void **state)
{
    (void)state;
    const struct model_trigger triggers[] = {{.id = "slow", .when = slow},
                                             {.id = "guard", .mode = MODE_GUARD, .when = fast}};
    struct model model = {.triggers = {.eval_ns = 15 * SECOND, .at = triggers, .n = 2}};
    struct record *record = sample_empty();
    impossible_observe(&model, record);
    assert_int_equal(observed(record, "'slow'"), 1);
    record_free(record);
    record = sample_empty();
    record->targets[0].limit = 601; /* just possible */
    impossible_observe(&model, record);
    assert_int_equal(record->n_observations, 0);
    model.triggers.n = 0;
    impossible_observe(&model, record);
    assert_int_equal(record->n_observations, 0);
    record_free(record);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_least_delay_follows_the_condition),
        cmocka_unit_test(the_trigger_that_detected_is_judged),
        cmocka_unit_test(where_nothing_detected_the_fastest_is_judged),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
