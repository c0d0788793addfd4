/* The simulated services against queueing theory, and the two grains against each other.
 *
 * Means are taken over batches; a theoretical value must lie within 5 standard errors of the batch
 * means, which a right simulation misses about once in 200,000 checks (Student, 30 batches). Seeds
 * are fixed, so these tests do not flicker: the rate says how often a new seed or an unrelated
 * change of draws would raise a false alarm. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "sim/engine/statistics.h"
#include "tests/world_fixture.h"

/* What one service measures, by steps of 10 s (the window of its present values). */
struct measured {
    struct moments latency_s, in_system, ok;
    double p50_s, p99_s;
};

static void measure(const char *system, const char *scenario, const char *service, int64_t from_ns,
                    int64_t to_ns, struct measured *ret)
{
    enum { BATCHES = 30 };
    struct world_fixture f;
    *ret = (struct measured){0};
    world_fixture_begin(&f, system, scenario, 7);
    int64_t at_ns = from_ns, step_ns = (to_ns - from_ns) / BATCHES / (10 * SECOND) * (10 * SECOND);
    world_fixture_until(&f, from_ns);
    double quantiles = 0;
    for (int batch = 0; batch < BATCHES; batch++) {
        struct moments latency = {0}, jobs = {0}, ok = {0};
        for (int64_t end_ns = at_ns + step_ns; at_ns < end_ns;) {
            at_ns += 10 * SECOND;
            world_fixture_until(&f, at_ns);
            double l = world_fixture_metric(&f, service, "latency_seconds");
            double rate = world_fixture_metric(&f, service, "requests_per_second");
            moments_add(&latency, l * rate);
            moments_add(&jobs, rate);
            moments_add(&ok, world_fixture_metric(&f, service, "success_ratio"));
            ret->p50_s += world_fixture_metric(&f, service, "latency_p50_seconds");
            ret->p99_s += world_fixture_metric(&f, service, "latency_p99_seconds");
            quantiles++;
        }
        moments_add(&ret->latency_s, latency.mean / jobs.mean); /* each request weighs the same */
        moments_add(&ret->in_system, latency.mean);
        moments_add(&ret->ok, ok.mean);
    }
    ret->p50_s /= quantiles;
    ret->p99_s /= quantiles;
    world_fixture_end(&f);
}

static void assert_within(const char *what, const struct moments *batches, double want)
{
    double error = sqrt(moments_variance(batches) / (double)batches->n);
    if (fabs(batches->mean - want) > 5 * error)
        fail_msg("%s: %g +- %g, theory says %g", what, batches->mean, error, want);
    if (error > 0.05 * want)
        fail_msg("%s: %g +- %g is too vague to say anything", what, batches->mean, error);
}

static double erlang_c(double load, int servers)
{
    double blocked = 1;
    for (int i = 1; i <= servers; i++)
        blocked = load * blocked / (i + load * blocked);
    return blocked / (1 - load / servers * (1 - blocked));
}

#define ONE_STATION(grain, time, servers, rate)                                                    \
    "format: rehearse.system/1\ngrain: " grain "\n"                                                \
    "services: {s: {versions: {v: {time: " time ", concurrency: " servers ", queue: 100000}}}}\n"  \
    "traffic: {t: {to: s, rate: " rate ", timeout: 1h}}\n"

static void test_m_m_1(void **state)
{
    (void)state;
    struct measured m;
    measure(ONE_STATION("request", "{exponential: 10ms}", "1", "70/s"), "{}", "s", 10 * MINUTE,
            70 * MINUTE, &m);
    assert_within("M/M/1 time in system", &m.latency_s, 1 / (100.0 - 70));
    assert_within("M/M/1 number in system (Little)", &m.in_system, 0.7 / 0.3);
    /* its time in system is exponential */
    assert_true(fabs(m.p50_s - log(2) / 30) < 0.05 * log(2) / 30);
    assert_true(fabs(m.p99_s - log(100) / 30) < 0.10 * log(100) / 30);
}

static void test_m_m_c(void **state)
{
    (void)state;
    struct measured m;
    measure(ONE_STATION("request", "{exponential: 100ms}", "8", "68/s"), "{}", "s", 10 * MINUTE,
            70 * MINUTE, &m);
    double wait = erlang_c(6.8, 8) / (80 - 68);
    assert_within("M/M/8 time in system", &m.latency_s, 0.1 + wait);
}

/* Pollaczek and Khinchine, with a lognormal: p50 10 ms, p99 40 ms. */
static void test_m_g_1(void **state)
{
    (void)state;
    struct measured m;
    double sigma = log(4) / 2.3263478740408408, mean = 0.01 * exp(sigma * sigma / 2);
    double square = mean * mean * exp(sigma * sigma), rate = 50;
    measure(ONE_STATION("request", "{p50: 10ms, p99: 40ms}", "1", "50/s"), "{}", "s", 10 * MINUTE,
            70 * MINUTE, &m);
    assert_within("M/G/1 time in system", &m.latency_s,
                  mean + rate * square / 2 / (1 - rate * mean));
}

static void test_m_d_1(void **state)
{
    (void)state;
    struct measured m;
    measure(ONE_STATION("request", "{constant: 10ms}", "1", "80/s"), "{}", "s", 10 * MINUTE,
            70 * MINUTE, &m);
    assert_within("M/D/1 time in system", &m.latency_s, 0.01 + 0.8 * 0.01 / 2 / 0.2);
}

/* The flow grain is the formula itself for M/M/c, so it must agree to the last digits that the fit
 * leaves. */
static void test_flow_is_the_formula(void **state)
{
    (void)state;
    struct measured m;
    measure(ONE_STATION("flow", "{exponential: 100ms}", "8", "68/s"), "{}", "s", MINUTE, 6 * MINUTE,
            &m);
    assert_true(fabs(m.latency_s.mean - (0.1 + erlang_c(6.8, 8) / 12)) < 1e-9);
}

/* One instance that crashes on average every 10 minutes and needs 5 s of pause and 55 s of start (a
 * tenth more or less): up 10 of 11 minutes. Over 400 hours that is known to about 0.4%. */
static void test_availability(void **state)
{
    (void)state;
    struct world_fixture f;
    double up = 0, n = 0;
    world_fixture_begin(&f,
                        "format: rehearse.system/1\n"
                        "services: {s: {versions: {v: {crashes: 30m, start: 55s}}}}\n"
                        "traffic: {t: {to: s, rate: 1/s}}\n",
                        "{}", 3);
    for (int64_t at_ns = 10 * SECOND; at_ns < 400 * HOUR; at_ns += 10 * SECOND) {
        world_fixture_until(&f, at_ns);
        up += world_fixture_metric(&f, "s", "up");
        n++;
    }
    /* pauses double while it crashes again within ten minutes, so the time to repair is measured,
     * not assumed */
    double crashes = world_fixture_metric(&f, "s", "restarts_total"), down_s = (n - up) * 10;
    double mttr = down_s / crashes, availability = up / n;
    if (mttr < 58 || mttr > 66)
        fail_msg("mttr %g, availability %g, crashes %g", mttr, availability, crashes);
    /* crashes are a Poisson process: 5 standard errors of their number */
    assert_true(fabs(crashes - up * 10 / 1800) < 5 * sqrt(up * 10 / 1800));
    assert_true(fabs(availability - 1800 / (1800 + mttr)) < 5 * mttr / 1800 / sqrt(crashes));
    world_fixture_end(&f);
}

/* ---- the two grains ---- */

#define SHOP(grain)                                                                                \
    "format: rehearse.system/1\ngrain: " grain "\n"                                                \
    "indicator: {good: status < 500 within 1s}\n"                                                  \
    "services:\n"                                                                                  \
    "  api: {replicas: 2, versions: {v: {time: {p50: 12ms, p99: 80ms}, errors: 1%, concurrency: "  \
    "8, queue: 50}},\n"                                                                            \
    "        calls: {db: 2, cache: {times: 0.5, timeout: 50ms, retries: 1, optional: true}}}\n"    \
    "  db: {versions: {v: {time: {p50: 4ms, p99: 30ms}, concurrency: 6, queue: 100}}}\n"           \
    "  cache: {versions: {v: {time: {p50: 1ms, p99: 10ms}, concurrency: 4}}}\n"                    \
    "stores: {db: {tables: {t: {}}}}\n"

static const struct {
    const char *name, *traffic, *scenario;
    double ok_within, latency_within, p99_within; /* absolute, relative, relative */
} grains[] = {
    {"light", "traffic: {t: {to: api, rate: 50/s, writes: {t: 10%}}}\n", "{}", 0.005, 0.04, 0.15},
    {"busy", "traffic: {t: {to: api, rate: 250/s, writes: {t: 10%}}}\n", "{}", 0.005, 0.06, 0.20},
    {"half of the calls fail", "traffic: {t: {to: api, rate: 50/s, timeout: 2s}}\n",
     "faults: [{at: 1s, errors: db, ratio: 30%}]", 0.01, 0.10, 0.20},
    {"slow cache, given up", "traffic: {t: {to: api, rate: 50/s}}\n",
     "faults: [{at: 1s, slow: cache, add: 1s}]", 0.005, 0.06, 0.30},
    {"overload by half", "traffic: {t: {to: api, rate: 700/s}}\n", "{}", 0.08, 0.10, 0.20},
    {"db is cut off", "traffic: {t: {to: api, rate: 20/s, timeout: 1s}}\n",
     "faults: [{at: 1s, cut: db}]", 0.001, 0.10, 0.20},
};

static void test_grains_agree(void **state)
{
    (void)state;
    int wrong = 0;
    for (size_t i = 0; i < sizeof grains / sizeof *grains; i++) {
        struct measured flow, request;
        struct arena arena = {0};
        const char *system = arena_printf(&arena, "%s%s", SHOP("flow"), grains[i].traffic);
        measure(system, grains[i].scenario, "api", 2 * MINUTE, 12 * MINUTE, &flow);
        system = arena_printf(&arena, "%s%s", SHOP("request"), grains[i].traffic);
        measure(system, grains[i].scenario, "api", 2 * MINUTE, 12 * MINUTE, &request);
        double ok = fabs(flow.ok.mean - request.ok.mean);
        double latency = fabs(flow.latency_s.mean / request.latency_s.mean - 1),
               p99 = fabs(flow.p99_s / request.p99_s - 1);
        bool agree = ok <= grains[i].ok_within && latency <= grains[i].latency_within &&
                     p99 <= grains[i].p99_within;
        if (!agree) {
            print_error("%s: ok %.4f and %.4f, latency %.4f and %.4f (%.0f%%), p99 %.4f and %.4f "
                        "(%.0f%%)\n",
                        grains[i].name, flow.ok.mean, request.ok.mean, flow.latency_s.mean,
                        request.latency_s.mean, latency * 100, flow.p99_s, request.p99_s,
                        p99 * 100);
            wrong++;
        }
        arena_release(&arena);
    }
    assert_int_equal(wrong, 0);
}

/* What is written is the same at both grains but for chance: 5 standard deviations of a Poisson
 * number. */
static void test_grains_write_the_same(void **state)
{
    (void)state;
    double written[2];
    for (int i = 0; i < 2; i++) {
        struct world_fixture f;
        world_fixture_begin(
            &f,
            i ? SHOP("request") "traffic: {t: {to: api, rate: 100/s, writes: {t: 20%}}}\n"
              : SHOP("flow") "traffic: {t: {to: api, rate: 100/s, writes: {t: 20%}}}\n",
            "faults: [{at: 5m, crash: db}]", 1);
        world_fixture_until(&f, 10 * MINUTE);
        written[i] = (double)store_acknowledged(world_store(f.world, "db"), "t");
        world_finish(f.world);
        assert_int_equal(f.record->ledger[0].lost, 0);
        assert_int_equal(f.record->ledger[0].kept, (int64_t)written[i]);
        world_fixture_end(&f);
    }
    assert_true(fabs(written[0] - written[1]) < 5 * sqrt(written[0] + written[1]));
    assert_true(written[0] > 10000);
}

/* Requests whose client had given up when they were done are written, but nobody knows. */
static void test_lost_replies_are_indeterminate(void **state)
{
    (void)state;
    for (int i = 0; i < 2; i++) {
        struct world_fixture f;
        world_fixture_begin(&f,
                            i ? SHOP("request") "traffic: {t: {to: api, rate: 50/s, timeout: "
                                                "100ms, writes: {t: 100%}}}\n"
                              : SHOP("flow") "traffic: {t: {to: api, rate: 50/s, timeout: 100ms, "
                                             "writes: {t: 100%}}}\n",
                            "faults: [{at: 1m, slow: db, add: 200ms}]", 1);
        world_fixture_until(&f, 5 * MINUTE);
        world_finish(f.world);
        const struct ledger_row *row = &f.record->ledger[0];
        /* db can do 6 / 0.206 s of them, two a request: 14.6 requests a second for four minutes */
        if (row->indeterminate < 3200 || row->indeterminate > 3800)
            fail_msg("%d: indeterminate %d, acknowledged %d", i, (int)row->indeterminate,
                     (int)row->acknowledged);
        assert_int_equal(row->lost, 0);
        assert_int_equal(row->unexpected, 0);
        world_fixture_end(&f);
    }
}

static void test_request_grain_is_deterministic(void **state)
{
    (void)state;
    uint64_t first = 0;
    for (int i = 0; i < 2; i++) {
        struct world_fixture f;
        world_fixture_begin(
            &f,
            SHOP("request") "traffic: {t: {to: api, rate: 300/s, timeout: 1s, writes: {t: 10%}}}\n",
            "faults: [{at: 20s, crash: api, for: 1m}, {at: 30s, cut: cache, from: api, for: 20s}]",
            1);
        world_fixture_until(&f, 3 * MINUTE);
        world_finish(f.world);
        if (i)
            assert_true(first == f.record->fingerprint);
        first = f.record->fingerprint;
        world_fixture_end(&f);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_m_m_1),
        cmocka_unit_test(test_m_m_c),
        cmocka_unit_test(test_m_g_1),
        cmocka_unit_test(test_m_d_1),
        cmocka_unit_test(test_flow_is_the_formula),
        cmocka_unit_test(test_availability),
        cmocka_unit_test(test_grains_agree),
        cmocka_unit_test(test_grains_write_the_same),
        cmocka_unit_test(test_lost_replies_are_indeterminate),
        cmocka_unit_test(test_request_grain_is_deterministic),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
