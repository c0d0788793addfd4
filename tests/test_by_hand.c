/* Small worlds whose numbers can be worked out on paper, each with its sum beside it. Work takes
 * constant times and people wait constant times, so that nothing but the arithmetic is left; the
 * flow grain gives expectations, so that most are exact. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "tests/world_fixture.h"

static void near(const char *what, double got, double want, double within)
{
    if (!(fabs(got - want) <= within))
        fail_msg("%s: %.9g, by hand %.9g (within %g)", what, got, want, within);
}

static double metric(struct world_fixture *f, const char *service, const char *name)
{
    return world_fixture_metric(f, service, name);
}

/* 20 ms of work and one call of 5 ms make 25 ms; 200 ms more make 225 ms, which is late for an
 * indicator of 100 ms. The db is slow from 10:07 to 20:07: so long is the system down, 600 s.
 * Scrapes and ticks come every 15 s: the first to see it is 10:15, and a trigger that asks for one
 * minute fires at the fifth tick in a row, 11:15, 68 s after the impact. 10 s to be told, 20 s to
 * acknowledge and 30 s to decide make 12:15. */
static void test_detection(void **state)
{
    (void)state;
    struct world_fixture f;
    world_fixture_begin(
        &f,
        "format: rehearse.system/1\n"
        "indicator: {good: status < 500 within 100ms, target: 99%, down_below: 50%}\n"
        "services: {api: {versions: {v1: {time: {constant: 20ms}}}, calls: {db: 1}},\n"
        "  db: {versions: {v1: {time: {constant: 5ms}}}}}\n"
        "traffic: {users: {to: api, rate: 10/s}}\n"
        "triggers: [{id: slow, when: {m: latency_seconds, op: '>', thr: 0.1, for: 1m}}]\n",
        "{faults: [{at: 607s, slow: db, add: 200ms, for: 10m}], operator: {notify: 10s, ack: 20s, "
        "decide: 30s}}",
        1);
    world_fixture_until(&f, 10 * MINUTE);
    near("latency before", metric(&f, "api", "latency_seconds"), 0.025, 1e-6);
    world_fixture_until(&f, 15 * MINUTE);
    near("latency", metric(&f, "api", "latency_seconds"), 0.225, 1e-6);
    near("indicator", world_fixture_indicator(&f), 0, 1e-9);
    world_fixture_until(&f, 30 * MINUTE);
    const int64_t *t = f.record->instants;
    assert_int_equal(t[T_CHANGE], 607 * SECOND);
    assert_int_equal(t[T_IMPACT], 607 * SECOND);
    assert_int_equal(t[T_DETECT], 675 * SECOND);
    assert_int_equal(t[T_ACK], 705 * SECOND);
    assert_int_equal(t[T_DECIDE], 735 * SECOND);
    assert_int_equal(t[T_MITIGATE], 1207 * SECOND);
    assert_int_equal(t[T_RESTORE], 1207 * SECOND);
    assert_int_equal(t[T_STABLE], 1507 * SECOND);
    assert_int_equal(f.record->downtime_ns, 600 * SECOND);
    world_fixture_end(&f);
}

/* Three instances do one request at a time in 100 ms: 30 a second for 25 that come. At 10:00 one
 * ends: 20 for 25. So 5 more wait every second: 50 after ten seconds, each waiting 50 / 20 = 2.5 s.
 * Two queues of 50 are full after 20 s; from then on one in five is refused, and who is not waits
 * 100 / 20 = 5 s. The third is back after 5 s of pause and 30 s of start (a tenth more or less): at
 * 10:40 at the latest. Then 30 serve 25, and the queue of 100 shrinks by 5 a second: empty 20 s
 * later. */
static void test_a_queue_that_fills(void **state)
{
    (void)state;
    struct world_fixture f;
    world_fixture_begin(&f,
                        "format: rehearse.system/1\n"
                        "services: {api: {replicas: 3, versions: {v1: {time: {constant: 100ms}, "
                        "start: 30s, concurrency: 1, queue: 50}}}}\n"
                        "traffic: {users: {to: api, rate: 25/s, timeout: 30s}}\n",
                        "faults: [{at: 10m, crash: api, share: 33%}]", 1);
    world_fixture_until(&f, 10 * MINUTE - SECOND);
    near("utilisation", metric(&f, "api", "cpu_ratio"), 25.0 / 30, 1e-9);
    assert_true(metric(&f, "api", "ready_replicas") == 3);
    world_fixture_until(&f, 10 * MINUTE + 10 * SECOND);
    assert_true(metric(&f, "api", "ready_replicas") == 2);
    near("waiting after 10 s", metric(&f, "api", "queue_length"), 50, 6);
    near("latency after 10 s", metric(&f, "api", "latency_seconds"),
         0.1 + metric(&f, "api", "queue_length") / 20, 1e-6);
    assert_true(metric(&f, "api", "error_ratio") < 1e-9);
    world_fixture_until(&f, 10 * MINUTE + 30 * SECOND);
    near("waiting after 30 s", metric(&f, "api", "queue_length"), 100, 1e-9);
    near("refused", metric(&f, "api", "error_ratio"), 0.2, 1e-9);
    /* refusals take a millisecond and are answers too */
    near("latency after 30 s", metric(&f, "api", "latency_seconds"), 0.8 * 5.1 + 0.2 * 0.001, 1e-6);
    world_fixture_until(&f, 10 * MINUTE + 61 * SECOND);
    near("waiting after a minute", metric(&f, "api", "queue_length"), 0, 2);
    assert_true(metric(&f, "api", "error_ratio") < 1e-9);
    world_fixture_end(&f);
}

/* A db that fails every other time, and two more attempts: 1 + 1/2 + 1/4 attempts a call, and 7 in
 * 8 calls come through. With two calls a request, the second is made for those whose first came
 * through: (1 + 7/8) x 7/4 attempts, 49 in 64 requests succeed. */
static void test_retries_amplify(void **state)
{
    (void)state;
    struct world_fixture f;
    static const char *const system =
        "format: rehearse.system/1\n"
        "services: {api: {versions: {v1: {time: {constant: 1ms}}}, calls: {db: {times: %s, "
        "retries: 2}}},\n"
        "  db: {versions: {v1: {time: {constant: 1ms}, concurrency: 1000}}}}\n"
        "traffic: {users: {to: api, rate: 40/s}}\n";
    static const struct {
        const char *times;
        double attempts, ok;
    } cases[] = {
        {"1", 1.75, 7.0 / 8}, {"2", (1 + 7.0 / 8) * 1.75, 49.0 / 64}, {"0.5", 0.5 * 1.75, 0}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char text[1000];
        snprintf(text, sizeof text, system, cases[i].times);
        world_fixture_begin(&f, text, "faults: [{at: 1m, errors: db, ratio: 50%}]", 1);
        world_fixture_until(&f, 2 * MINUTE);
        near("attempts", metric(&f, "db", "requests_per_second"), 40 * cases[i].attempts, 1e-6);
        if (cases[i].ok > 0)
            near("success", metric(&f, "api", "success_ratio"), cases[i].ok, 1e-9);
        world_fixture_end(&f);
    }
}

/* A tenth of the users meet 110 ms, the rest 10 ms: 20 ms on average; 40% of that tenth fail: 4% of
 * all. */
static void test_canary(void **state)
{
    (void)state;
    struct world_fixture f;
    world_fixture_begin(
        &f,
        "format: rehearse.system/1\n"
        "services: {api: {replicas: 4, versions: {v1: {time: {constant: 10ms}},\n"
        "  v2: {time: {constant: 110ms}, errors: 40%, writes: {hints: 50%}}}}}\n"
        "traffic: {users: {to: api, rate: 100/s}}\nstores: {db: {tables: {hints: {}}}}\n",
        "change: {at: 1m, deploy: {api: v2}, canary: 10%}", 1);
    world_fixture_until(&f, MINUTE);
    int64_t before = store_acknowledged(world_store(f.world, "db"), "hints");
    assert_int_equal(before, 0); /* only the new version writes them */
    world_fixture_until(&f, 11 * MINUTE);
    near("latency", metric(&f, "api", "latency_seconds"), 0.02, 1e-6);
    near("errors", metric(&f, "api", "error_ratio"), 0.04, 1e-9);
    /* 10 a second, 60% of them without error, half of these write: 3 a second; the canary starts
     * for about 5 s. 600 s of it, and five standard deviations of a Poisson number */
    near("hints", (double)store_acknowledged(world_store(f.world, "db"), "hints"), 3 * 595,
         5 * sqrt(3 * 595));
    world_fixture_end(&f);
}

/* 1 MiB for 1024 requests: 100 requests a second fill the 100 MiB to the limit in 1024 s. */
static void test_memory_by_request(void **state)
{
    (void)state;
    struct world_fixture f;
    world_fixture_begin(&f,
                        "format: rehearse.system/1\n"
                        "services: {api: {versions: {v1: {time: {constant: 10ms},\n"
                        "  memory: {start: 100MiB, limit: 200MiB, per_request: 1KiB}}}}}\n"
                        "traffic: {users: {to: api, rate: 100/s}}\n",
                        "{}", 1);
    world_fixture_until(&f, 512 * SECOND);
    near("memory half way", metric(&f, "api", "memory_ratio"), 0.75, 0.001);
    world_fixture_until(&f, 1100 * SECOND);
    near("killed", (double)world_fixture_event(&f, "api-1", "ended with exit code 137") / 1e9, 1024,
         1.5);
    assert_true(metric(&f, "api", "restarts_total") == 1);
    near("memory of the next", metric(&f, "api", "memory_ratio"), 0.5, 0.05);
    world_fixture_end(&f);
}

/* Four instances with 10 places each, 200 ms of work, 100 requests a second: 20 of 40 places are
 * taken. With one out of rotation 20 of 30, with one that is stopped besides 20 of 20. */
static void test_balancing_over_the_ready(void **state)
{
    (void)state;
    struct world_fixture f;
    world_fixture_begin(&f,
                        "format: rehearse.system/1\n"
                        "services: {api: {replicas: 4, versions: {v1: {time: {constant: 200ms}, "
                        "concurrency: 10, start: 10s}}}}\n"
                        "traffic: {users: {to: api, rate: 100/s}}\n",
                        "{}", 1);
    struct service *api = world_service(f.world, "api");
    world_fixture_until(&f, MINUTE);
    near("all four", metric(&f, "api", "cpu_ratio"), 0.5, 1e-9);
    instance_rotate(service_instance(api, 0), false);
    world_fixture_until(&f, 2 * MINUTE);
    near("three", metric(&f, "api", "cpu_ratio"), 2.0 / 3, 1e-9);
    instance_stop(service_instance(api, 1), true);
    world_fixture_until(&f, 2 * MINUTE + 2 * SECOND);
    near("two", metric(&f, "api", "cpu_ratio"), 1, 1e-9);
    /* one that starts takes nothing until it is ready: 10 s, a tenth more or less */
    instance_start(service_instance(api, 1));
    world_fixture_until(&f, 2 * MINUTE + 10 * SECOND);
    assert_int_equal(service_ready(api), 2);
    world_fixture_until(&f, 2 * MINUTE + 14 * SECOND);
    assert_int_equal(service_ready(api), 3);
    world_fixture_end(&f);
}

/* The old version needs schema 41. A migration to 42 breaks it at once; going back to 41 mends it
 * at once. Nothing is lost by either, but what could not be written meanwhile was never
 * acknowledged. */
static void test_migration_forward_and_back(void **state)
{
    (void)state;
    struct world_fixture f;
    world_fixture_begin(&f,
                        "format: rehearse.system/1\n"
                        "services: {api: {versions: {v1: {needs: {schema: 41}}, v2: {needs: "
                        "{schema: '>= 42'}}}, calls: {db: 1}}, db: {}}\n"
                        "traffic: {users: {to: api, rate: 10/s, writes: {orders: 100%}}}\n"
                        "stores: {db: {schema: 41, tables: {orders: {records: 1000}}}}\n"
                        "good_state: {api: v1, db: {schema: 41}}\n",
                        "{change: {at: 10m, migrate: {db: 42}}, operator: {decide_at: 12m}}", 1);
    struct store *db = world_store(f.world, "db");
    world_fixture_until(&f, 10 * MINUTE + 2 * SECOND);
    int64_t broken = store_acknowledged(db, "orders");
    near("orders until then", (double)broken, 1000 + 6000, 5 * sqrt(6000));
    near("errors", metric(&f, "api", "error_ratio"), 1, 1e-9);
    world_fixture_until(&f, 15 * MINUTE);
    assert_int_equal(store_acknowledged(db, "orders"), broken);
    store_set_schema(db, 41);
    world_fixture_until(&f, 15 * MINUTE + 2 * SECOND);
    near("errors after", metric(&f, "api", "error_ratio"), 0, 1e-9);
    world_fixture_until(&f, 25 * MINUTE);
    const int64_t *t = f.record->instants;
    assert_int_equal(t[T_IMPACT], 10 * MINUTE);
    assert_int_equal(t[T_RESTORE], 15 * MINUTE);
    assert_int_equal(t[T_STABLE], 20 * MINUTE);
    assert_int_equal(f.record->downtime_ns, 5 * MINUTE);
    world_finish(f.world);
    assert_int_equal(f.record->ledger[0].lost, 0);
    near("orders at the end", (double)f.record->ledger[0].kept, 1000 + 6000 + 6000,
         5 * sqrt(12000));
    world_fixture_end(&f);
}

/* 10 records a second. A copy of 10:00 put back at 25:00 lacks those of 900 s; the log, archived up
 * to a minute ago, brings back all but the last 60 s; a replica 5 s behind lacks those of 5 s. To
 * the record, against the acknowledgements; and near what the rate says, within five standard
 * deviations. */
static void test_what_a_restore_loses(void **state)
{
    (void)state;
    static const struct {
        const char *how;
        int seconds;
    } ways[] = {{"backup", 900}, {"point in time", 60}, {"replica", 5}, {"nothing", 0}};
    for (size_t i = 0; i < sizeof ways / sizeof *ways; i++) {
        struct world_fixture f;
        world_fixture_begin(&f,
                            "format: rehearse.system/1\n"
                            "services: {api: {calls: {db: 1}}, db: {}}\n"
                            "traffic: {users: {to: api, rate: 10/s, writes: {orders: 100%}}}\n"
                            "stores: {db: {tables: {orders: {records: 5000}}, archive: {delay: "
                            "60s}, replicas: {standby: {lag: 5s}}}}\n",
                            "change: {at: 1m, set: {x: y}}", 1);
        struct store *db = world_store(f.world, "db");
        world_fixture_until(&f, 10 * MINUTE);
        struct dataset *copy = dataset_copy(store_serving(db));
        world_fixture_until(&f, 25 * MINUTE);
        int64_t since_ns = 25 * MINUTE - ways[i].seconds * SECOND;
        struct interval later = store_rows_between(db, "orders", since_ns + 1, INT64_MAX);
        f.record->current_step = 4;
        store_because(db, ways[i].how);
        if (i == 0)
            store_serve(db, copy);
        else
            dataset_free(copy);
        if (i == 1) {
            assert_int_equal(store_archived_until(db), since_ns);
            store_serve(db, store_contents_at(db, store_archived_until(db)));
        } else if (i == 2) {
            store_serve(db, store_replica(db, "standby"));
        }
        world_fixture_until(&f, 26 * MINUTE);
        world_finish(f.world);
        const struct ledger_row *row = &f.record->ledger[0];
        assert_int_equal(row->lost, later.hi - later.lo);
        assert_int_equal(row->kept, row->acknowledged - row->lost);
        near(ways[i].how, (double)row->lost, 10.0 * ways[i].seconds,
             5 * sqrt(10.0 * ways[i].seconds));
        assert_int_equal(row->n_blame, ways[i].seconds ? 1 : 0);
        if (row->n_blame) {
            assert_int_equal(row->blame[0].step, 4);
            assert_string_equal(row->blame[0].what, ways[i].how);
            assert_true(row->blame[0].oldest_ns > since_ns &&
                        row->blame[0].newest_ns <= 25 * MINUTE);
        }
        assert_int_equal(row->duplicated + row->unexpected + row->indeterminate, 0);
        world_fixture_end(&f);
    }
}

/* front waits for api, api for db, each with two places. db takes 2 s: api does one request a
 * second, front too, of ten that come. What fails at the bottom fails all the way up, and a service
 * beside them does not notice. */
static void test_a_cascade(void **state)
{
    (void)state;
    struct world_fixture f;
    world_fixture_begin(
        &f,
        "format: rehearse.system/1\n"
        "indicator: {good: status < 500 within 5s}\n"
        "services:\n"
        "  front: {versions: {v: {time: {constant: 1ms}, concurrency: 2, queue: 2}}, calls: {api: "
        "{timeout: 60s}}}\n"
        "  api: {versions: {v: {time: {constant: 1ms}, concurrency: 2, queue: 2}}, calls: {db: "
        "{timeout: 60s}}}\n"
        "  db: {versions: {v: {time: {constant: 1ms}, concurrency: 100}}}\n"
        "  other: {versions: {v: {time: {constant: 1ms}}}}\n"
        "traffic: {users: {to: front, rate: 10/s}, jobs: {to: other, rate: 10/s}}\n"
        "triggers: [{id: cascade, when: {m: components_unhealthy, op: '>=', thr: 1}}]\n",
        "faults: [{at: 10m, slow: db, add: 2s}]", 1);
    world_fixture_until(&f, 10 * MINUTE - SECOND);
    near("front before", metric(&f, "front", "success_ratio"), 1, 1e-9);
    world_fixture_until(&f, 15 * MINUTE);
    near("front", metric(&f, "front", "success_ratio"), 2 / 2.003 / 10, 0.01);
    near("db", metric(&f, "db", "requests_per_second"), 2 / 2.003, 0.02);
    near("other", metric(&f, "other", "success_ratio"), 1, 1e-9);
    near("indicator", world_fixture_indicator(&f), (1 + 0.1) / 2, 0.01);
    assert_int_equal(world_fixture_event(&f, "front", "saturated") != NEVER, 1);
    assert_int_equal(world_fixture_event(&f, "other", "saturated"), NEVER);
    assert_true(world_fixture_event(&f, "cascade", "fires") > 10 * MINUTE);
    world_fixture_end(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_detection),
        cmocka_unit_test(test_a_queue_that_fills),
        cmocka_unit_test(test_retries_amplify),
        cmocka_unit_test(test_canary),
        cmocka_unit_test(test_memory_by_request),
        cmocka_unit_test(test_balancing_over_the_ready),
        cmocka_unit_test(test_migration_forward_and_back),
        cmocka_unit_test(test_what_a_restore_loses),
        cmocka_unit_test(test_a_cascade),
    };
    return cmocka_run_group_tests_name("by hand", tests, NULL, NULL);
}
