/* Every kind of fault, and what it looks like from outside: in the metrics, the indicator, the
 * ledger. All of it at both grains: what is an expectation at the flow grain is counted at the
 * request grain, hence the second, wider limits: five standard errors of the ten seconds that a
 * present value is taken from. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "tests/world_fixture.h"

static const char *const system_text =
    "format: rehearse.system/1\n"
    "indicator: {good: status < 500 within 1s, target: 99%, down_below: 50%}\n"
    "services:\n"
    "  api:\n"
    "    replicas: 2\n"
    "    versions:\n"
    "      v1: {time: {p50: 10ms, p99: 40ms}, start: 4s, concurrency: 16, queue: 100,\n"
    "           memory: {start: 100MiB, limit: 200MiB}}\n"
    "      v2: {like: v1, errors: 40%}\n"
    "    calls: {db: 1, cache: {times: 1, timeout: 100ms, optional: true}}\n"
    "  batch: {region: eu, versions: {v1: {time: 5ms}}}\n"
    "  db: {versions: {'15': {time: {p50: 2ms, p99: 10ms}, concurrency: 50}}}\n"
    "  cache: {versions: {'7': {time: {p50: 300us, p99: 1ms}}}}\n"
    "traffic:\n"
    "  users: {to: api, rate: 200/s, timeout: 2s, writes: {orders: 10%}}\n"
    "  jobs: {to: batch, region: eu, rate: 50/s}\n"
    "stores: {db: {schema: 1, tables: {orders: {records: 100000}}}}\n"
    "backups: {hourly: {store: db, every: 1h, first: 30m, to: /b}}\n"
    "settings: {flag: 'off'}\n"
    "good_state: {api: v1}\n";

static bool every_request; /* the grain */

static double at_grain(double flow, double request)
{
    return every_request ? request : flow;
}

static void begin(struct world_fixture *f, const char *system, const char *scenario, uint64_t seed)
{
    struct arena arena = {0};
    world_fixture_begin(
        f, arena_printf(&arena, "%sgrain: %s\n", system, every_request ? "request" : "flow"),
        scenario, seed);
    arena_release(&arena);
}

/* Runs the fault at minute 10 for five minutes, and hands over in the middle of it. */
static void during(struct world_fixture *f, const char *faults)
{
    begin(f, system_text, faults, 1);
    world_fixture_until(f, 9 * MINUTE);
    assert_true(world_fixture_indicator(f) > 0.999);
    world_fixture_until(f, 12 * MINUTE);
}

/* After its end everything is as before. */
static void recovers(struct world_fixture *f)
{
    world_fixture_until(f, 25 * MINUTE);
    assert_true(world_fixture_indicator(f) > 0.999);
    assert_int_equal(f->record->instants[T_CHANGE], 10 * MINUTE);
    world_fixture_end(f);
}

static void test_slow(void **state)
{
    (void)state;
    struct world_fixture f;
    during(&f, "faults: [{at: 10m, slow: db, add: 300ms, for: 5m}]");
    assert_true(world_fixture_metric(&f, "db", "latency_p50_seconds") > 0.3);
    assert_true(world_fixture_metric(&f, "api", "latency_p50_seconds") > 0.3);
    assert_true(world_fixture_metric(&f, "cache", "latency_p50_seconds") < 0.002);
    recovers(&f);
}

/* A request holds its instance while it waits: 200 requests/s of 1.3 s each need 260 places, there
 * are 32. */
static void test_a_slow_dependency_fills_its_callers(void **state)
{
    (void)state;
    struct world_fixture f;
    during(&f, "faults: [{at: 10m, slow: db, add: 1300ms, for: 5m}]");
    assert_true(world_fixture_metric(&f, "api", "cpu_ratio") >= 0.99);
    assert_true(world_fixture_metric(&f, "api", "queue_length") > 100);
    assert_true(world_fixture_indicator(&f) < 0.5);
    /* what comes through is what 32 places can do: 32 / 1.31 s of 200/s */
    double success = world_fixture_metric(&f, "api", "success_ratio");
    assert_true(fabs(success - 32 / 1.315 / 200) < at_grain(0.01, 0.03));
    recovers(&f);
}

static void test_cut(void **state)
{
    (void)state;
    struct world_fixture f;
    during(&f, "faults: [{at: 10m, cut: db, for: 5m}]");
    assert_true(world_fixture_metric(&f, "api", "success_ratio") < 0.01);
    assert_true(world_fixture_metric(&f, "db", "requests_per_second") == 0);
    struct probe probe = service_probe(world_service(f.world, "db"));
    assert_false(probe.reachable);
    assert_string_equal(probe.why, "no answer: connection timed out");
    recovers(&f);
}

static void test_cut_from_one_caller(void **state)
{
    (void)state;
    struct world_fixture f;
    during(&f, "faults: [{at: 10m, cut: cache, from: api, for: 5m}]");
    assert_true(world_fixture_metric(&f, "api", "success_ratio") > 0.99);      /* optional */
    assert_true(world_fixture_metric(&f, "api", "latency_p50_seconds") > 0.1); /* but waited for */
    assert_true(service_probe(world_service(f.world, "cache")).reachable);
    recovers(&f);
}

static void test_errors(void **state)
{
    (void)state;
    struct world_fixture f;
    during(&f, "faults: [{at: 10m, errors: api, ratio: 30%, for: 5m}]");
    assert_true(fabs(world_fixture_metric(&f, "api", "error_ratio") - 0.3) < at_grain(0.001, 0.06));
    assert_true(fabs(world_fixture_indicator(&f) - (1 - 0.3 * 200 / 250)) < at_grain(0.01, 0.05));
    recovers(&f);
}

static void test_crash(void **state)
{
    (void)state;
    struct world_fixture f;
    during(&f, "faults: [{at: 10m, crash: api, share: 50%, for: 5m}]");
    assert_true(world_fixture_metric(&f, "api", "restarts_total") >= 2);
    assert_int_equal(world_fixture_event(&f, "api-1", "ended with exit code 1"), 10 * MINUTE);
    assert_int_equal(world_fixture_event(&f, "api-2", "ended"), NEVER);
    recovers(&f);
}

static void test_leak(void **state)
{
    (void)state;
    struct world_fixture f;
    during(&f, "faults: [{at: 10m, leak: api, grows: 2MiB, for: 5m}]");
    /* 100 MiB to go at 2 MiB a second */
    int64_t killed_ns = world_fixture_event(&f, "api-1", "ended with exit code 137: out of memory");
    assert_in_range(killed_ns, 10 * MINUTE + 49 * SECOND, 10 * MINUTE + 52 * SECOND);
    assert_true(world_fixture_metric(&f, "api", "restarts_total") >= 2);
    recovers(&f);
}

static void test_overload(void **state)
{
    (void)state;
    struct world_fixture f;
    during(&f, "faults: [{at: 10m, overload: users, by: 20, for: 5m}]");
    assert_true(fabs(world_fixture_metric(&f, "api", "requests_per_second") - 4000) <
                at_grain(1, 100));
    assert_true(world_fixture_metric(&f, "api", "cpu_ratio") >= 0.99);
    assert_true(world_fixture_metric(&f, "batch", "success_ratio") > 0.999);
    assert_true(world_fixture_indicator(&f) < 0.9);
    assert_in_range(world_fixture_event(&f, "api", "saturated"), 10 * MINUTE,
                    10 * MINUTE + 3 * SECOND);
    assert_int_equal(world_fixture_event(&f, "batch", "saturated"), NEVER);
    recovers(&f);
}

static void test_disk_full(void **state)
{
    (void)state;
    struct world_fixture f;
    during(&f, "faults: [{at: 10m, disk_full: db, for: 5m}]");
    assert_true(world_disk_full(f.world, "db"));
    struct store *store = world_store(f.world, "db");
    int64_t before = store_acknowledged(store, "orders");
    world_fixture_until(&f, 13 * MINUTE);
    assert_int_equal(store_acknowledged(store, "orders"), before);
    assert_true(fabs(world_fixture_indicator(&f) - (1 - 0.1 * 200 / 250)) <
                at_grain(0.01, 0.03)); /* only writers fail */
    recovers(&f);
}

static void test_region(void **state)
{
    (void)state;
    struct world_fixture f;
    during(&f, "faults: [{at: 10m, region: eu, for: 5m}]");
    assert_true(fabs(world_fixture_indicator(&f) - 200.0 / 250) < at_grain(0.01, 0.04));
    assert_true(world_fixture_metric(&f, "api", "success_ratio") > 0.999);
    recovers(&f);
}

/* All that is in a region, services and traffic, and nothing else. */
static void test_a_fault_of_a_region(void **state)
{
    (void)state;
    struct world_fixture f;
    during(&f, "faults: [{at: 10m, errors: all, region: eu, ratio: 30%, for: 5m}, {at: 10m, slow: "
               "all, region: eu, add: 100ms, for: 5m}]");
    assert_true(fabs(world_fixture_metric(&f, "batch", "error_ratio") - 0.3) <
                at_grain(0.001, 0.06));
    assert_true(world_fixture_metric(&f, "batch", "latency_p50_seconds") > 0.1);
    assert_true(world_fixture_metric(&f, "api", "error_ratio") < 0.001);
    assert_true(world_fixture_metric(&f, "api", "latency_p50_seconds") < 0.05);
    recovers(&f);
    during(&f, "faults: [{at: 10m, overload: all, region: eu, by: 3, for: 5m}, {at: 10m, crash: "
               "all, region: eu}]");
    assert_true(fabs(world_fixture_metric(&f, "batch", "requests_per_second") - 150) <
                at_grain(0.01, 20));
    assert_true(fabs(world_fixture_metric(&f, "api", "requests_per_second") - 200) <
                at_grain(0.01, 23));
    assert_int_equal(world_fixture_event(&f, "batch-1", "ended with exit code 1"), 10 * MINUTE);
    assert_int_equal(world_fixture_event(&f, "api-1", "ended"), NEVER);
    recovers(&f);
    during(&f, "faults: [{at: 10m, cut: all, region: eu, for: 5m}]");
    assert_true(fabs(world_fixture_indicator(&f) - 200.0 / 250) < at_grain(0.01, 0.04));
    recovers(&f);
}

static void test_set(void **state)
{
    (void)state;
    struct world_fixture f;
    during(&f, "faults: [{at: 10m, set: {flag: 'on'}, for: 5m}]");
    assert_string_equal(world_setting(f.world, "flag"), "on");
    world_fixture_until(&f, 16 * MINUTE);
    assert_string_equal(world_setting(f.world, "flag"), "off");
    recovers(&f);
}

static void test_corrupt(void **state)
{
    (void)state;
    struct world_fixture f;
    during(&f, "faults: [{at: 10m, table: orders, corrupt: 10%}]");
    world_finish(f.world);
    const struct ledger_row *row = &f.record->ledger[0];
    assert_in_range(row->lost, 9000, 13500); /* of 100,000 and those of ten minutes at 20/s */
    assert_int_equal(row->blame[0].at_ns, 10 * MINUTE);
    recovers(&f);
}

static void test_deploy(void **state)
{
    (void)state;
    struct world_fixture f;
    during(&f, "faults: [{at: 10m, deploy: {api: v2}}]");
    assert_true(fabs(world_fixture_metric(&f, "api", "error_ratio") - 0.4) < at_grain(0.001, 0.06));
    world_fixture_end(&f);
}

static void test_event(void **state)
{
    (void)state;
    struct world_fixture f;
    during(&f, "faults: [{at: 10m, event: data_corruption, about: orders}]");
    assert_int_equal(world_fixture_event(&f, "orders", "data_corruption is seen"), 10 * MINUTE);
    recovers(&f);
}

static int damage_seen;
static void see_backup(struct world *world, const struct backup *backup, void *ctx)
{
    (void)world, (void)ctx;
    if (backup->made_ns > 0)
        damage_seen = backup->damage;
}

static void test_backup(void **state)
{
    (void)state;
    struct world_fixture f;
    begin(&f, system_text, "faults: [{at: 10m, backup: hourly, damage: truncated}]", 1);
    world_watch_backups(f.world, see_backup, NULL);
    damage_seen = -1;
    world_fixture_until(&f, 31 * MINUTE);
    assert_int_equal(damage_seen, DAMAGE_TRUNCATED);
    recovers(&f);
}

static void test_command(void **state)
{
    (void)state;
    struct world_fixture f;
    during(&f, "faults:\n"
               "- {at: 10m, command: 'docker pull *', does: fail, exit: 7, message: no route to "
               "host, times: 2}\n"
               "- {at: 20m, command: '*restore*', does: lie, for: 5m}\n"
               "- {at: 30m, event: x}\n"); /* so that t_change is later than all of this */
    struct command_fault fault = world_command_fault(f.world, "docker pull shop:v1");
    assert_int_equal(fault.how, COMMAND_FAIL);
    assert_int_equal(fault.exit_status, 7);
    assert_string_equal(fault.message, "no route to host");
    assert_int_equal(world_command_fault(f.world, "docker push shop:v1").how, COMMAND_FINE);
    assert_int_equal(world_command_fault(f.world, "docker pull shop:v2").how, COMMAND_FAIL);
    assert_int_equal(world_command_fault(f.world, "docker pull shop:v2").how,
                     COMMAND_FINE);                                                   /* twice */
    assert_int_equal(world_command_fault(f.world, "./restore.sh").how, COMMAND_FINE); /* not yet */
    world_fixture_until(&f, 21 * MINUTE);
    assert_int_equal(world_command_fault(f.world, "./restore.sh").how, COMMAND_LIE);
    world_fixture_until(&f, 25 * MINUTE); /* for five minutes */
    assert_int_equal(world_command_fault(f.world, "./restore.sh").how, COMMAND_FINE);
    world_fixture_end(&f);
    /* what waited in vain is told at the end */
    during(&f, "faults: [{at: 10m, event: x}, {command: 'dokcer *', does: fail}, {at_step: 9, "
               "crash: api}]");
    world_finish(f.world);
    assert_true(world_fixture_event(&f, "command", "never struck: no command was 'dokcer *'") !=
                NEVER);
    assert_true(world_fixture_event(&f, "crash", "never struck: step 9 was not reached") != NEVER);
    world_fixture_end(&f);
}

static void test_at_a_step(void **state)
{
    (void)state;
    struct world_fixture f;
    during(&f, "faults: [{at: 10m, event: x}, {at_step: 2, errors: api, ratio: 50%, for: 1m}]");
    assert_true(world_fixture_metric(&f, "api", "error_ratio") < 0.01);
    world_step(f.world, 1);
    world_fixture_until(&f, 12 * MINUTE + 5 * SECOND);
    assert_true(world_fixture_metric(&f, "api", "error_ratio") < 0.01);
    world_step(f.world, 2);
    world_fixture_until(&f, 12 * MINUTE + 25 * SECOND);
    assert_true(fabs(world_fixture_metric(&f, "api", "error_ratio") - 0.5) < at_grain(0.001, 0.06));
    recovers(&f);
}

static void test_blind(void **state)
{
    (void)state;
    struct world_fixture f;
    char system[4000];
    snprintf(system, sizeof system,
             "%striggers: [{id: prom, when: {m: indicator, op: '>', thr: 0.5}},"
             " {id: bad, when: {m: indicator, op: '<', thr: 0.5, miss: bad, for: 1m}}]\n",
             system_text);
    begin(&f, system, "faults: [{at: 10m, blind: all, for: 5m}]", 1);
    world_fixture_until(&f, 30 * MINUTE);
    assert_int_equal(world_fixture_event(&f, "prom", "clears"), 10 * MINUTE);
    assert_int_equal(world_fixture_event(&f, "bad", "fires"), 11 * MINUTE);
    assert_int_equal(world_fixture_event(&f, "bad", "clears"), 15 * MINUTE);
    world_fixture_end(&f);
}

/* A tenth of the traffic goes to the canary, and nothing else changes. */
static void test_canary(void **state)
{
    (void)state;
    struct world_fixture f;
    begin(&f, system_text, "change: {at: 10m, deploy: {api: v2}, canary: 10%}", 1);
    world_fixture_until(&f, 12 * MINUTE);
    assert_true(fabs(world_fixture_metric(&f, "api", "error_ratio") - 0.1 * 0.4) <
                at_grain(0.001, 0.02));
    assert_int_equal(service_ready(world_service(f.world, "api")), 3);
    world_fixture_end(&f);
}

static void test_metrics_as_text(void **state)
{
    (void)state;
    struct world_fixture f;
    struct buf text;
    buf_init(&text, 1 << 16);
    during(&f, "faults: [{at: 10m, errors: api, ratio: 30%}]");
    service_exposition(world_service(f.world, "api"), &text);
    world_exposition(f.world, &text);
    struct str rest = buf_text(&text);
    bool typed = false;
    while (rest.len) { /* every sample has a type before it, one value, and a clean name */
        struct str line = str_cut(&rest, '\n'), name = line, value;
        if (str_starts(line, "#")) {
            typed = str_starts(line, "# TYPE ");
            continue;
        }
        assert_true(typed);
        name = str_cut(&line, ' ');
        value = line;
        assert_true(name.len > 0 && value.len > 0 && str_find(value, STR(" ")) < 0);
        for (size_t i = 0; i < name.len && name.at[i] != '{'; i++)
            assert_true(name.at[i] == '_' || (name.at[i] >= 'a' && name.at[i] <= 'z') ||
                        (name.at[i] >= '0' && name.at[i] <= '9'));
    }
    assert_non_null(strstr(text.at, "# TYPE api_requests_total counter\napi_requests_total 1"));
    assert_non_null(strstr(text.at, "api_request_duration_seconds{quantile=\"0.99\"} 0.0"));
    assert_non_null(strstr(text.at, "service_ready_replicas{service=\"api\"} 2\n"));
    buf_release(&text);
    world_fixture_end(&f);
}

/* A bad configuration: what the version needs is no longer so. A flag that changes what a version
 * does. */
static void test_bad_config_and_flag(void **state)
{
    (void)state;
    struct world_fixture f;
    static const char *const with_settings =
        "format: rehearse.system/1\n"
        "services: {api: {versions: {v: {needs: {settings: {mode: fast}}, when: [{settings: {flag: "
        "'on'}, errors: 25%}]}}}}\n"
        "traffic: {t: {to: api, rate: 10/s}}\nsettings: {mode: fast, flag: 'off'}\n";
    begin(&f, with_settings,
          "change: [{at: 1m, set: {flag: 'on'}}, {at: 2m, set: {flag: 'off', mode: slow}}]", 1);
    world_fixture_until(&f, 59 * SECOND);
    assert_true(world_fixture_metric(&f, "api", "error_ratio") < 0.001);
    world_fixture_until(&f, 90 * SECOND);
    assert_true(fabs(world_fixture_metric(&f, "api", "error_ratio") - 0.25) <
                at_grain(0.001, 0.22));
    world_fixture_until(&f, 150 * SECOND);
    assert_true(world_fixture_metric(&f, "api", "error_ratio") > 0.999);
    struct instance *api = service_instance(world_service(f.world, "api"), 0);
    assert_int_equal(instance_state(api), INSTANCE_FAILING);
    assert_string_equal(instance_why(api), "mode must be fast, is slow");
    world_set(f.world, "mode", "fast");
    assert_int_equal(instance_state(api), INSTANCE_READY);
    world_fixture_end(&f);
}

/* A fault with a chance strikes in about that share of the seeds: 5 standard errors of 0.3 in 200.
 */
static void test_chance(void **state)
{
    (void)state;
    int struck = 0;
    for (uint64_t seed = 1; seed <= 200; seed++) {
        struct world_fixture f;
        begin(&f, system_text, "faults: [{at: 10s, event: x, chance: 30%}]", seed);
        world_fixture_until(&f, 11 * SECOND);
        struck += world_fixture_event(&f, "x", "x is seen") != NEVER;
        world_fixture_end(&f);
    }
    assert_in_range(struck, 60 - 33, 60 + 33);
}

/* A world that saturates says so, and neither hangs nor grows. */
static void test_saturation_is_bounded(void **state)
{
    (void)state;
    struct world_fixture f;
    begin(&f, system_text,
          every_request ? "faults: [{at: 1m, overload: users, by: 200}]"
                        : "faults: [{at: 1m, overload: users, by: 10000}]",
          1);
    world_fixture_until(&f, every_request ? 90 * SECOND : HOUR);
    assert_true(world_fixture_metric(&f, "api", "queue_length") <= 200);
    assert_true(world_fixture_metric(&f, "api", "success_ratio") < at_grain(0.01, 0.1));
    world_fixture_end(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_slow),
        cmocka_unit_test(test_a_slow_dependency_fills_its_callers),
        cmocka_unit_test(test_cut),
        cmocka_unit_test(test_cut_from_one_caller),
        cmocka_unit_test(test_errors),
        cmocka_unit_test(test_crash),
        cmocka_unit_test(test_leak),
        cmocka_unit_test(test_overload),
        cmocka_unit_test(test_disk_full),
        cmocka_unit_test(test_region),
        cmocka_unit_test(test_a_fault_of_a_region),
        cmocka_unit_test(test_set),
        cmocka_unit_test(test_corrupt),
        cmocka_unit_test(test_deploy),
        cmocka_unit_test(test_event),
        cmocka_unit_test(test_backup),
        cmocka_unit_test(test_command),
        cmocka_unit_test(test_blind),
        cmocka_unit_test(test_canary),
        cmocka_unit_test(test_metrics_as_text),
        cmocka_unit_test(test_bad_config_and_flag),
        cmocka_unit_test(test_at_a_step),
        cmocka_unit_test(test_chance),
        cmocka_unit_test(test_saturation_is_bounded),
    };
    int failed = cmocka_run_group_tests_name("faults, flow grain", tests, NULL, NULL);
    every_request = true;
    return failed + cmocka_run_group_tests_name("faults, request grain", tests, NULL, NULL);
}
