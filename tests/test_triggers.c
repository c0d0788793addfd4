/* Triggers to the tick: when each way of insisting fires and clears, and the statements of real
 * playbooks. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "procedures/drill/model_load.h"
#include "sim/base/buf.h"
#include "tests/world_fixture.h"

/* 200 of 250 requests a second go to api: errors of 30% there affect 24% of all. */
#define SYSTEM                                                                                     \
    "format: rehearse.system/1\n"                                                                  \
    "indicator: {good: status < 500 within 1s, target: 99%, down_below: 50%}\n"                    \
    "services: {api: {replicas: 2, versions: {v1: {time: 10ms}, v2: {like: v1, errors: 30%}}, "    \
    "calls: {db: 1}},\n"                                                                           \
    "  batch: {}, db: {}}\n"                                                                       \
    "traffic: {users: {to: api, rate: 200/s}, jobs: {to: batch, rate: 50/s}}\n"                    \
    "stores: {store: {service: db, tables: {t: {}}}}\n"                                            \
    "good_state: {api: v1}\n"

/* Samples and ticks are every 15 s; both see what began at their instant. Who is affected is known
 * of the second that has ended: from 10:00 to 15:00, exactly. */
#define ERRORS "faults: [{at: 599s, errors: api, ratio: 30%, for: 5m}]"

static const struct {
    const char *when, *scenario;
    int fires_s, clears_s; /* 0: never */
} cases[] = {
    {"{m: affected_users_ratio, op: '>', thr: 0.1}", ERRORS, 600, 900},
    {"{m: affected_users_ratio, op: '>', thr: 0.25}", ERRORS, 0, 0},
    /* for D is ceil(D / E) + 1 ticks in a row: 9 for 2 m, 10 for 2 m 10 s, 21 for 5 m: one too many
     */
    {"{m: affected_users_ratio, op: '>', thr: 0.1, for: 2m}", ERRORS, 720, 900},
    {"{m: affected_users_ratio, op: '>', thr: 0.1, for: 130s}", ERRORS, 735, 900},
    {"{m: affected_users_ratio, op: '>', thr: 0.1, for: 285s}", ERRORS, 885, 900},
    {"{m: affected_users_ratio, op: '>', thr: 0.1, for: 5m}", ERRORS, 0, 0},
    {"{m: affected_users_ratio, op: '>', thr: 0.1, n: 3, every: 30s}", ERRORS, 660, 900},
    {"{m: affected_users_ratio, op: '>', thr: 0.1, n: 3, every: 20s}", ERRORS, 640, 900},
    {"{m: affected_users_ratio, op: '>', thr: 0.1, mn: [3, 5]}", ERRORS, 630, 930},
    {"{m: affected_users_ratio, op: '>', thr: 0.1, keep: 2m}", ERRORS, 600, 1020},
    {"{m: affected_users_ratio, op: '>', thr: 0.1, clear: -1}", ERRORS, 600, 0},
    {"{m: affected_users_ratio, op: '>', thr: 0.1, delay: 50s}", ERRORS, 660, 900},
    /* eight samples in two minutes: five of 0.24 among them are over 0.12 on average, four are not
     */
    {"{m: affected_users_ratio, agg: avg, win: 2m, op: '>', thr: 0.121}", ERRORS, 660, 945},
    {"{m: affected_users_ratio, agg: max, win: 2m, op: '>', thr: 0.1}", ERRORS, 600, 1005},
    {"{m: affected_users_ratio, agg: min, win: 2m, op: '>', thr: 0.1}", ERRORS, 705, 900},
    {"{m: 'ready_replicas{service=\"api\"}', op: '<', thr: 2}",
     "faults: [{at: 10m, crash: api, share: 50%}]", 600, 615},
    {"{m: service_restarts_total, agg: inc, win: 5m, op: '>', thr: 0}",
     "faults: [{at: 10m, crash: api, share: 50%}]", 615, 915},
    {"{m: latency_seconds, op: '>', thr: 2, base: {m: latency_seconds_baseline, as: x}}",
     "faults: [{at: 10m, slow: db, add: 300ms, for: 5m}]", 600, 900},
    {"{m: latency_seconds, op: '>', thr: 0.2, base: {m: latency_seconds_baseline, as: pct}}",
     "faults: [{at: 10m, slow: db, add: 300ms, for: 5m}]", 600, 900},
    {"{m: latency_seconds, op: '>', thr: 0.1, base: {win: 5m, off: 5m, as: add}}",
     "faults: [{at: 10m, slow: db, add: 300ms, for: 5m}]", 600, 900},
    {"{m: incident_severity, op: '==', thr: 1, miss: bad}", "faults: [{at: 10m, event: x}]", 15, 0},
    {"{m: incident_severity, op: '==', thr: 1, miss: good}", ERRORS, 600, 900},
    {"{m: incident_severity, op: '==', thr: 1, miss: hold}", ERRORS, 600,
     0}, /* then there is nothing to see */
    {"{m: health_ok, op: '==', thr: 1, scope: post_deploy}", "faults: [{at: 10m, event: x}]", 600,
     0},
    {"{m: db_up, op: '==', thr: 0}", "faults: [{at: 10m, cut: db, for: 5m}]", 600, 900},
    {"{m: store_up, op: '==', thr: 0}", "faults: [{at: 10m, cut: db, for: 5m}]", 600, 900},
    {"{event: data_corruption}", "faults: [{at: 10m, event: data_corruption}]", 600, 0},
    {"{event: data_corruption, for: 10m}", "faults: [{at: 10m, event: data_corruption}]", 1200, 0},
    {"{event: data_corruption}", "faults: [{at: 10m, event: something_else}]", 0, 0},
    {"{any: [{event: a}, {event: b}]}", "faults: [{at: 10m, event: c}, {at: 11m, event: b}]", 660,
     0},
    {"{all: [{m: affected_users_ratio, op: '>', thr: 0.1, for: 1m}, {m: db_up, op: '==', thr: 1}]}",
     ERRORS, 660, 900},
    /* seen at the instant of a tick, which comes after it and reads the sample of that instant */
    {"{all: [{m: affected_users_ratio, op: '>', thr: 0.1}, {event: e}]}",
     "faults: [{at: 599s, errors: api, ratio: 30%, for: 5m}, {at: 10m, event: e}]", 600, 900},
    {"{all: [{m: affected_users_ratio, op: '>', thr: 0.1}, {event: e}]}",
     "faults: [{at: 599s, errors: api, ratio: 30%, for: 5m}, {at: 661s, event: e}]", 661, 900},
    {"{all: [{m: affected_users_ratio, op: '>', thr: 0.1}, {m: db_up, op: '==', thr: 0}]}", ERRORS,
     0, 0},
};

static int seconds(int64_t at_ns)
{
    return at_ns == NEVER ? 0 : (int)(at_ns / SECOND);
}

static void test_to_the_tick(void **state)
{
    (void)state;
    int wrong = 0;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct world_fixture f;
        struct arena arena = {0};
        const char *system = arena_printf(&arena, "%striggers: [{id: t, say: s, when: %s}]\n",
                                          SYSTEM, cases[i].when);
        world_fixture_begin(&f, system, cases[i].scenario, 1);
        world_fixture_until(&f, 30 * MINUTE);
        int fires = seconds(world_fixture_event(&f, "t", "fires"));
        int clears = seconds(world_fixture_event(&f, "t", "clears"));
        if (fires != cases[i].fires_s || clears != cases[i].clears_s) {
            print_error("%s: fires at %d, clears at %d; want %d and %d\n", cases[i].when, fires,
                        clears, cases[i].fires_s, cases[i].clears_s);
            wrong++;
        }
        world_fixture_end(&f);
        arena_release(&arena);
    }
    assert_int_equal(wrong, 0);
}

static int firings(const struct world_fixture *f, const char *id)
{
    int n = 0;
    for (int i = 0; i < f->record->n_events; i++)
        n += strcmp(f->record->events[i].subject, id) == 0 &&
             strncmp(f->record->events[i].text, "fires", 5) == 0;
    return n;
}

#define FLAPPING                                                                                   \
    "faults: [{at: 10m, errors: api, ratio: 30%, for: 1m}, {at: 13m, errors: api, ratio: 30%, "    \
    "for: 1m},"                                                                                    \
    " {at: 20m, errors: api, ratio: 30%, for: 1m}]"

static void test_cooldown_merges_firings(void **state)
{
    (void)state;
    struct world_fixture f;
    world_fixture_begin(
        &f,
        SYSTEM
        "triggers: [{id: with, when: {m: affected_users_ratio, op: '>', thr: 0.1, cooldown: 5m}},"
        " {id: without, when: {m: affected_users_ratio, op: '>', thr: 0.1}}]\n",
        FLAPPING, 1);
    world_fixture_until(&f, 30 * MINUTE);
    assert_int_equal(firings(&f, "without"), 3);
    assert_int_equal(firings(&f, "with"), 2);
    world_fixture_end(&f);
}

/* Counters are drawn, so these are held to a range: five minutes of 24% errors after quiet. */
static void test_ratios_and_burn_rates(void **state)
{
    (void)state;
    struct world_fixture f;
    world_fixture_begin(
        &f,
        SYSTEM
        "triggers:\n"
        "- {id: ratio, when: {m: http_errors_total, den: http_requests_total, agg: ratio, win: 5m, "
        "op: '>', thr: 0.06}}\n"
        "- {id: burn, when: {burn: {err: http_errors_total, req: http_requests_total, slo: 99%,"
        " pairs: [[6, 10m, 1m]]}}}\n"
        "- {id: never, when: {burn: {err: http_errors_total, req: http_requests_total, slo: 99%,"
        " pairs: [[30, 10m, 1m]]}}}\n",
        "faults: [{at: 12m, errors: api, ratio: 30%, for: 5m}]", 1);
    world_fixture_until(&f, 30 * MINUTE);
    /* 0.24 x / 300 > 0.06 from x = 75 s on, seen at the tick behind it */
    assert_in_range(world_fixture_event(&f, "ratio", "fires"), 12 * MINUTE + 75 * SECOND,
                    12 * MINUTE + 90 * SECOND);
    /* the long window needs 6% of ten minutes: 150 s of 24% */
    assert_in_range(world_fixture_event(&f, "burn", "fires"), 12 * MINUTE + 150 * SECOND,
                    12 * MINUTE + 180 * SECOND);
    assert_int_equal(firings(&f, "never"), 0);
    world_fixture_end(&f);
}

static void test_false_alarms_do_not_detect(void **state)
{
    (void)state;
    struct world_fixture f;
    world_fixture_begin(&f, SYSTEM "triggers: [{id: early, when: {m: db_up, op: '==', thr: 1}}]\n",
                        "{change: {at: 10m, deploy: {api: v2}}, operator: {notice: 20m}}", 1);
    world_fixture_until(&f, 40 * MINUTE);
    assert_int_equal(f.record->instants[T_CHANGE], 10 * MINUTE);
    /* the alarm fired long before; a person notices twenty minutes after the impact */
    assert_int_equal(f.record->instants[T_DETECT],
                     f.record->instants[T_IMPACT] + SECOND + 20 * MINUTE);
    world_fixture_end(&f);
}

static void test_a_guard_holds_the_decision(void **state)
{
    (void)state;
    struct world_fixture f;
    world_fixture_begin(
        &f,
        SYSTEM "triggers:\n"
               "- {id: errors, mode: auto, when: {m: affected_users_ratio, op: '>', thr: 0.1}}\n"
               "- {id: tunable, mode: guard, when: {event: tunable}}\n",
        "{change: {at: 10m, deploy: {api: v2}}, faults: [{at: 5m, event: tunable}],"
        " operator: {profile: automation, hesitation: 7m}}",
        1);
    world_fixture_until(&f, 30 * MINUTE);
    int64_t *t = f.record->instants;
    assert_int_equal(world_fixture_event(&f, "tunable", "a reason not to roll back"), t[T_ACK]);
    assert_int_equal(t[T_DECIDE], t[T_DETECT] + 7 * MINUTE);
    world_fixture_end(&f);
}

static void test_decision_rules(void **state)
{
    (void)state;
    struct world_fixture f;
    world_fixture_begin(
        &f,
        SYSTEM
        "triggers: [{id: errors, mode: auto, when: {m: affected_users_ratio, op: '>', thr: 0.1}}]\n"
        "decision: [{trigger: errors, severity: P1, authority: team lead, response: 30m}]\n",
        "{change: {at: 10m, deploy: {api: v2}}, operator: {notify: 0s, ack: 1m}}", 1);
    world_fixture_until(&f, 50 * MINUTE);
    int64_t *t = f.record->instants;
    assert_int_equal(t[T_ACK], t[T_DETECT] + MINUTE);
    assert_int_equal(t[T_DECIDE], t[T_ACK] + 30 * MINUTE);
    assert_int_equal(world_fixture_event(&f, "team lead", "decides to roll back, P1"), t[T_DECIDE]);
    world_fixture_end(&f);

    world_fixture_begin(
        &f,
        SYSTEM
        "triggers: [{id: errors, mode: auto, when: {m: affected_users_ratio, op: '>', thr: 0.1}}]\n"
        "decision: [{trigger: errors, rollback: false}]\n",
        "{change: {at: 10m, deploy: {api: v2}}, operator: {notify: 0s, ack: 1m}}", 1);
    world_fixture_until(&f, 50 * MINUTE);
    assert_int_equal(f.record->instants[T_DECIDE], NEVER);
    world_fixture_end(&f);
}

/* A row that says not to roll back is about its own alarm: another one that fires beside it is
 * looked at too. */
static void test_every_alarm_is_looked_at(void **state)
{
    (void)state;
    struct world_fixture f;
    static const char *const system =
        SYSTEM "triggers:\n"
               "- {id: slow, mode: auto, when: {m: affected_users_ratio, op: '>', thr: 0.1}}\n"
               "- {id: errors, mode: auto, when: {m: error_ratio, op: '>', thr: 0.1, for: 30s}}\n"
               "decision:\n"
               "- {trigger: slow, severity: P3, rollback: false}\n"
               "- {trigger: errors, severity: P1, authority: team lead, response: 5m}\n";
    /* while the first alarm is being acknowledged, the second begins to fire */
    world_fixture_begin(
        &f, system, "{change: {at: 10m, deploy: {api: v2}}, operator: {notify: 0s, ack: 1m}}", 1);
    world_fixture_until(&f, 40 * MINUTE);
    int64_t *t = f.record->instants;
    assert_int_equal(t[T_ACK], t[T_DETECT] + MINUTE);
    assert_int_equal(t[T_DECIDE], t[T_ACK] + 5 * MINUTE);
    assert_int_equal(world_fixture_event(&f, "team lead", "decides to roll back, P1"), t[T_DECIDE]);
    world_fixture_end(&f);
    /* acknowledged before the second: nothing is done then, and the second is heard as an alarm of
     * its own */
    world_fixture_begin(
        &f, system, "{change: {at: 10m, deploy: {api: v2}}, operator: {notify: 0s, ack: 1s}}", 1);
    world_fixture_until(&f, 40 * MINUTE);
    int64_t second_ns = world_fixture_event(&f, "errors", "fires");
    assert_int_equal(world_fixture_event(&f, "slow", "the decision rules say: no rollback"),
                     f.record->instants[T_ACK]);
    assert_int_equal(f.record->instants[T_DECIDE], second_ns + SECOND + 5 * MINUTE);
    world_fixture_end(&f);
}

/* ---- the statements of five playbooks ---- */

static const char *const rich_system =
    "format: rehearse.system/1\n"
    "indicator: {good: status < 500 within 1s, target: 99%, down_below: 50%}\n"
    "services:\n"
    "  api: {versions: {v1: {time: {p50: 3ms, p99: 8ms}, concurrency: 100, queue: 100000,\n"
    "        memory: {start: 800MiB, limit: 1GiB}}}, calls: {postgres: {times: 1, timeout: 120s}, "
    "redis: 1}}\n"
    "  postgres: {versions: {v: {time: {p50: 1ms, p99: 3ms}, concurrency: 10000}}}\n"
    "  redis: {versions: {v: {time: {p50: 200us, p99: 1ms}}}}\n"
    "traffic: {users: {to: api, rate: 50/s, timeout: 300s, writes: {t: 5%}}}\n"
    "stores: {db: {service: postgres, tables: {t: {}}}}\n";

static const char *const rough_times[] = {
    "faults: [{at: 10m, crash: postgres, for: 45m}, {at: 10m, crash: redis, for: 45m}, {at: 10m, "
    "crash: api, for: 45m}]",
    "faults: [{at: 10m, slow: postgres, add: 40s, for: 45m}]",
    "faults: [{at: 10m, leak: api, grows: 256KiB, for: 45m}]",
    "faults: [{at: 10m, overload: all, by: 1000, for: 45m}]",
    "faults: [{at: 10m, errors: api, ratio: 30%, for: 45m}]",
    "faults: [{at: 10m, cut: redis, for: 45m}]",
};

/* All statements as one list of triggers. */
static char *statements(struct arena *arena)
{
    struct buf text, list;
    buf_init(&text, 1 << 20);
    buf_init(&list, 1 << 20);
    assert_int_equal(buf_read_file(&text, "tests/data/triggers/statements.ndjson"), 0);
    struct str rest = buf_text(&text);
    buf_puts(&list, rich_system);
    buf_puts(&list, "triggers:\n");
    while (rest.len) {
        struct str line = str_trim(str_cut(&rest, '\n'));
        if (line.len)
            buf_printf(&list, "- %.*s\n", STR_ARG(line));
    }
    char *result = arena_str(arena, buf_text(&list));
    buf_release(&text);
    buf_release(&list);
    return result;
}

static bool is_event(const struct model_condition *condition)
{
    bool event = condition->kind == CONDITION_EVENT;
    for (int i = 0; i < condition->n_parts; i++)
        event = event || is_event(&condition->parts[i]);
    return event;
}

static void declare_all(struct world *world, const struct model_condition *condition)
{
    if (condition->kind == CONDITION_EVENT)
        world_declare(world, condition->metric, "");
    for (int i = 0; i < condition->n_parts; i++)
        declare_all(world, &condition->parts[i]);
}

static void test_statements_fire_where_they_must(void **state)
{
    (void)state;
    enum { ROUGH = sizeof rough_times / sizeof *rough_times, ALL = 72 };
    struct arena arena = {0};
    const char *system = statements(&arena);
    struct world_fixture f;
    bool fired[ALL] = {false};
    int silent = 0, noisy = 0;
    for (int k = 0; k < ROUGH; k++) {
        world_fixture_begin(&f, system, rough_times[k], 1);
        assert_int_equal(f.model.triggers.n, ALL);
        f.record->n_steps = 0;
        world_fixture_until(&f, 12 * MINUTE);
        /* post_mitigation counts from the first step on */
        record_step_end(f.record, record_step_begin(f.record, "p", 1, "true"), 0);
        world_fixture_until(&f, 54 * MINUTE);
        for (int i = 0; i < ALL; i++)
            fired[i] = fired[i] || firings(&f, f.model.triggers.at[i].id) > 0;
        world_fixture_end(&f);
    }
    world_fixture_begin(&f, system, "faults: [{at: 10m, event: nothing_known}]", 1);
    world_fixture_until(&f, 40 * MINUTE);
    for (int i = 0; i < ALL; i++) {
        const struct model_trigger *trigger = &f.model.triggers.at[i];
        /* the one that is a reason to hold back when few users are affected is true in quiet times
         */
        bool quiet = strcmp(trigger->id, "hpti.not.lt5pct") == 0;
        if (is_event(&trigger->when) ? fired[i] : !fired[i]) {
            print_error("%s: %s\n", trigger->id,
                        fired[i] ? "fires without its event" : "never fires");
            silent++;
        }
        if ((firings(&f, trigger->id) > 0) != quiet) {
            print_error("%s is wrong about a quiet hour\n", trigger->id);
            noisy++;
        }
    }
    for (int i = 0; i < ALL; i++)
        declare_all(f.world, &f.model.triggers.at[i].when);
    world_fixture_until(&f, 60 * MINUTE);
    for (int i = 0; i < ALL; i++)
        if (is_event(&f.model.triggers.at[i].when))
            assert_true(firings(&f, f.model.triggers.at[i].id) == 1);
    assert_int_equal(silent + noisy, 0);
    world_fixture_end(&f);
    arena_release(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_to_the_tick),
        cmocka_unit_test(test_cooldown_merges_firings),
        cmocka_unit_test(test_ratios_and_burn_rates),
        cmocka_unit_test(test_false_alarms_do_not_detect),
        cmocka_unit_test(test_a_guard_holds_the_decision),
        cmocka_unit_test(test_decision_rules),
        cmocka_unit_test(test_every_alarm_is_looked_at),
        cmocka_unit_test(test_statements_fire_where_they_must),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
