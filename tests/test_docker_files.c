/* docker: files of containers, in the real sandbox: mounts, copies, and what a container made anew has lost. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "procedures/drill/run.h"
#include "reports/score.h"
#include "tests/trial.h"

static void fly(enum tier tier)
{
    struct drill *drill = NULL;
    struct record *record = NULL;
    struct error error = {""};
    struct verdict verdict;
    struct arena arena = {0};
    const struct run_options options = {.seed = 1, .tier = tier};
    if (drill_load("tests/data/docker/files/drill.yaml", NULL, &drill, &error) < 0)
        fail_msg("%s", error.text);
    if (drill_run(drill, &options, &record, &error) < 0)
        fail_msg("%s", error.text);
    verdict_compute(&verdict, record, &arena);
    if (record->procedure_exit != 0)
        fail_msg("the script ended with %d: %s", record->procedure_exit,
                 record->n_steps && record->steps[0].err.at ? record->steps[0].err.at : "");
    assert_int_equal(record->n_observations, 0);
    assert_int_equal(verdict.outcome, OUTCOME_PASS);
    record_free(record);
    drill_free(drill);
    arena_release(&arena);
}

static void test_namespaces(void **state)
{
    (void)state;
    if (!trial_possible())
        skip();
    fly(TIER_NAMESPACES);
}

static void test_landlock(void **state)
{
    (void)state;
    if (!trial_possible())
        skip();
    fly(TIER_LANDLOCK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_namespaces),
        cmocka_unit_test(test_landlock),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
