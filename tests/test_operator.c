/* The operator: how long people take, who decides, who leaves, and what a cold cache, a flag or a
 * region costs. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/world_fixture.h"

#define SYSTEM                                                                                     \
    "format: rehearse.system/1\n"                                                                  \
    "indicator: {good: status < 500, target: 99%, down_below: 50%}\n"                              \
    "services: {api: {versions: {v1: {}, v2: {errors: 30%}, v3: {errors: 5%}}}}\n"                 \
    "traffic: {users: {to: api, rate: 100/s}}\n"                                                   \
    "good_state: {api: v1}\n"
#define ALARM "triggers: [{id: errors, mode: auto, when: {m: error_ratio, op: '>', thr: 0.1}}]\n"

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* The instants of one seed, in seconds after the change. */
static void instants(const char *system, const char *operator, uint64_t seed, double *ret)
{
    struct world_fixture f;
    struct arena arena = {0};
    const char *scenario =
        arena_printf(&arena, "{change: {at: 1m, deploy: {api: v2}}, operator: %s}", operator);
    world_fixture_begin(&f, system, scenario, seed);
    while (!world_decided(f.world) && world_now(f.world) < 6 * HOUR)
        world_advance(f.world, 6 * HOUR);
    for (int i = 0; i < INSTANTS; i++)
        ret[i] =
            f.record->instants[i] == NEVER ? NAN : (double)(f.record->instants[i] - MINUTE) / 1e9;
    world_fixture_end(&f);
    arena_release(&arena);
}

enum { SEEDS = 400 };

/* The k-th smallest of 400 draws: the median must lie between the 150th and the 250th (5 standard
 * errors), the 95th percentile between the 358th and the 401st. */
static void check_quantiles(const char *what, double *x, double p50, double p95)
{
    qsort(x, SEEDS, sizeof *x, by_value);
    if (!(x[150] <= p50 && p50 <= x[250] && x[358] <= p95 && p95 <= x[SEEDS - 1]))
        fail_msg("%s: median %g, want %g; 95%% %g, want %g", what, x[200], p50, x[380], p95);
}

static void test_people_take_their_time(void **state)
{
    (void)state;
    static double ack[SEEDS], decide[SEEDS], other[SEEDS];
    for (int i = 0; i < SEEDS; i++) {
        double t[INSTANTS];
        instants(SYSTEM ALARM, "{profile: on_call, notify: 0s}", (uint64_t)i + 1, t);
        ack[i] = t[T_ACK] - t[T_DETECT];
        decide[i] = t[T_DECIDE] - t[T_ACK];
    }
    check_quantiles("acknowledging", ack, 120, 300);
    check_quantiles("deciding", decide, 240, 600);
    for (int i = 0; i < SEEDS; i++) {
        double t[INSTANTS];
        instants(
            SYSTEM ALARM,
            "{profile: on_call, notify: 0s, ack: {uniform: [1m, 3m]}, decide: {exponential: 5m}}",
            (uint64_t)i + 1, t);
        ack[i] = t[T_ACK] - t[T_DETECT];
        other[i] = t[T_DECIDE] - t[T_ACK];
    }
    check_quantiles("uniform", ack, 120, 174);
    assert_true(ack[0] >= 60 && ack[SEEDS - 1] <= 180);
    check_quantiles("exponential", other, 300 * log(2), 300 * log(20));
}

static void test_a_person_notices(void **state)
{
    (void)state;
    double t[INSTANTS];
    instants(SYSTEM, "{profile: team, notice: 7m, notify: 0s, ack: 1m, decide: 2m}", 1, t);
    /* the impact is seen at the end of its first second */
    assert_true(fabs(t[T_DETECT] - (t[T_IMPACT] + 1 + 420)) < 1e-6);
    assert_true(fabs(t[T_ACK] - t[T_DETECT] - 60) < 1e-6 &&
                fabs(t[T_DECIDE] - t[T_ACK] - 120) < 1e-6);
}

static void test_automation_does_not_wait(void **state)
{
    (void)state;
    double t[INSTANTS];
    instants(SYSTEM ALARM, "automation", 1, t);
    assert_true(t[T_DETECT] > 0 && t[T_DECIDE] == t[T_DETECT] && t[T_ACK] == t[T_DETECT]);
    instants(SYSTEM, "automation", 1, t); /* without an alarm it is blind: a person has to notice */
    assert_true(t[T_DETECT] > 60);
}

static void test_a_set_decision(void **state)
{
    (void)state;
    double t[INSTANTS];
    instants(SYSTEM, "{decide_at: 5m, notice: 10m}", 1, t);
    assert_true(t[T_DECIDE] == 240 && t[T_DETECT] == 240 && t[T_ACK] == 240);
    instants(SYSTEM, "{decide_at: 8m, notice: 1m, notify: 0s, ack: 1m}", 1, t);
    assert_true(t[T_DECIDE] == 420 && t[T_DETECT] < 70 && t[T_ACK] == t[T_DETECT] + 60);
}

static void test_leaving_in_the_middle(void **state)
{
    (void)state;
    struct world_fixture f;
    int64_t resume_ns = 0;
    world_fixture_begin(&f, SYSTEM, "operator: {stops_after: 2, handover: 12m}", 1);
    world_fixture_until(&f, 20 * MINUTE);
    assert_true(world_goes_on(f.world, 1, &resume_ns));
    assert_true(world_goes_on(f.world, 2, &resume_ns));
    assert_false(world_goes_on(f.world, 3, &resume_ns));
    assert_int_equal(resume_ns, 32 * MINUTE);
    assert_true(world_goes_on(f.world, 3, &resume_ns)); /* the next person goes on to the end */
    assert_true(world_goes_on(f.world, 4, &resume_ns));
    world_fixture_end(&f);
    static double gone[SEEDS], watching[SEEDS];
    for (int i = 0; i < SEEDS; i++) {
        world_fixture_begin(&f, SYSTEM,
                            "operator: {stops_after: 1, handover: {p50: 10m, p95: 25m}, patience: "
                            "{uniform: [2m, 6m]}}",
                            (uint64_t)i + 1);
        assert_false(world_goes_on(f.world, 2, &resume_ns));
        gone[i] = (double)resume_ns * 1e-9;
        watching[i] = (double)world_patience_ns(f.world) * 1e-9;
        assert_int_equal(world_patience_ns(f.world),
                         world_patience_ns(f.world)); /* the same person all the while */
        world_fixture_end(&f);
    }
    check_quantiles("handing over", gone, 600, 1500);
    check_quantiles("watching", watching, 240, 348);
    world_fixture_begin(&f, SYSTEM, "operator: {stops_after: 1}", 1);
    assert_false(world_goes_on(f.world, 2, &resume_ns));
    assert_int_equal(resume_ns, NEVER);
    world_fixture_end(&f);
}

static void test_typing_and_reading(void **state)
{
    (void)state;
    struct world_fixture f;
    static double typing[SEEDS];
    world_fixture_begin(&f, SYSTEM, "operator: {profile: on_call, read: 3s, patience: 4m}", 1);
    for (int i = 0; i < SEEDS; i++)
        typing[i] = (double)world_typing_ns(f.world, 30) * 1e-9;
    check_quantiles("typing", typing, 5, 12);
    assert_int_equal(world_typing_ns(f.world, 0), 0);
    assert_int_equal(world_reading_ns(f.world, 10), 30 * SECOND);
    assert_int_equal(world_patience_ns(f.world), 4 * MINUTE);
    world_fixture_end(&f);
}

/* ---- instants under a relapse, and things that versions may depend on ---- */

static void test_a_relapse_takes_the_mitigation_back(void **state)
{
    (void)state;
    struct world_fixture f;
    world_fixture_begin(&f, SYSTEM,
                        "{change: {at: 1m, set: {x: y}}, stable_for: 5m, operator: {decide_at: 2m},"
                        " faults: [{at: 1m, errors: api, ratio: 30%, for: 4m}, {at: 7m, errors: "
                        "api, ratio: 30%, for: 2m}]}",
                        1);
    world_fixture_until(&f, 30 * MINUTE);
    int64_t *t = f.record->instants;
    assert_int_equal(t[T_IMPACT], MINUTE);
    assert_int_equal(t[T_RESTORE], 5 * MINUTE);  /* the first time that all was good again */
    assert_int_equal(t[T_MITIGATE], 9 * MINUTE); /* but it did not last */
    assert_int_equal(t[T_STABLE], 14 * MINUTE);
    assert_int_equal(f.record->downtime_ns, 0); /* 70% is not down */
    /* 100 requests a second from the change on; 30% of them in six minutes were not served well */
    assert_true(fabs(f.record->requests - 100.0 * (double)(world_now(f.world) / SECOND - 60)) <=
                100);
    assert_true(fabs(f.record->requests_bad - 0.3 * 100 * 360) < 0.01 * 0.3 * 100 * 360);
    assert_true(world_over(f.world));
    world_fixture_end(&f);
}

static void test_cold_after_a_start(void **state)
{
    (void)state;
    struct world_fixture f;
    world_fixture_begin(&f,
                        "format: rehearse.system/1\n"
                        "services: {api: {versions: {v: {time: {constant: 20ms}, start: 5s, cold: "
                        "{for: 60s, slower: 4}}}}}\n"
                        "traffic: {users: {to: api, rate: 10/s}}\n",
                        "faults: [{at: 1m, crash: api}]", 1);
    world_fixture_until(&f, 59 * SECOND);
    assert_true(fabs(world_fixture_metric(&f, "api", "latency_seconds") - 0.02) < 1e-6);
    world_fixture_until(&f, 90 * SECOND);
    assert_true(fabs(world_fixture_metric(&f, "api", "latency_seconds") - 0.08) < 1e-6);
    world_fixture_until(&f, 140 * SECOND);
    assert_true(fabs(world_fixture_metric(&f, "api", "latency_seconds") - 0.02) < 1e-6);
    world_fixture_end(&f);
}

static void test_daily_shape(void **state)
{
    (void)state;
    struct world_fixture f;
    double low = 1e9, high = 0, sum = 0;
    world_fixture_begin(&f,
                        "format: rehearse.system/1\nservices: {api: {}}\n"
                        "traffic: {users: {to: api, rate: 100/s, daily: true}}\n",
                        "{start: 2026-01-15T00:00:00Z}", 1);
    for (int hour = 1; hour <= 24; hour++) {
        world_fixture_until(&f, hour * HOUR);
        double rate = world_fixture_metric(&f, "api", "requests_per_second");
        low = rate < low ? rate : low;
        high = rate > high ? rate : high;
        sum += rate;
        if (hour == 3)
            assert_true(fabs(rate - 40) < 0.1);
        if (hour == 15)
            assert_true(fabs(rate - 160) < 0.1);
    }
    assert_true(low > 39.9 && high < 160.1 && fabs(sum / 24 - 100) < 0.5);
    world_fixture_end(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_people_take_their_time),
        cmocka_unit_test(test_a_person_notices),
        cmocka_unit_test(test_automation_does_not_wait),
        cmocka_unit_test(test_a_set_decision),
        cmocka_unit_test(test_leaving_in_the_middle),
        cmocka_unit_test(test_typing_and_reading),
        cmocka_unit_test(test_a_relapse_takes_the_mitigation_back),
        cmocka_unit_test(test_cold_after_a_start),
        cmocka_unit_test(test_daily_shape),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
