/* System and drill files: what is read, and how mistakes are answered. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "procedures/drill/model_load.h"
#include "sim/base/buf.h"

static int load_both(struct arena *arena, const char *system_text, const char *drill_text,
                     struct model *model, struct error *error)
{
    struct doc *system = NULL, *drill = NULL;
    model_defaults(model);
    int code = doc_read_text(arena, "system.yaml", str_of(system_text), &system, error);
    if (!code)
        code = model_load_system(arena, system, NULL, model, error);
    if (!code && drill_text)
        code = doc_read_text(arena, "drill.yaml", str_of(drill_text), &drill, error);
    if (!code && drill_text)
        code = model_load_scenario(arena, drill, model, error);
    return code;
}

static void test_the_shop(void **state)
{
    (void)state;
    struct arena arena = {0};
    struct doc *root = NULL;
    struct model model;
    struct error error;
    model_defaults(&model);
    assert_int_equal(doc_read_file(&arena, "tests/data/shop/system.yaml", &root, &error), 0);
    if (model_load_system(&arena, root, NULL, &model, &error))
        fail_msg("%s", error.text);
    assert_int_equal(model.n_services, 3);
    const struct model_service *api = model_service(&model, "api");
    const struct model_version *bad = model_version(api, "v4.18");
    assert_int_equal(bad->p50_ns, 12 * MILLISECOND); /* like v4.17 */
    assert_int_equal(bad->p99_ns, 900 * MILLISECOND);
    assert_int_equal(bad->start_ns, 8 * SECOND);
    assert_int_equal(bad->n_needs, 1);
    assert_string_equal(bad->needs[0].subject, "postgres");
    assert_int_equal(bad->needs[0].schema, 42);
    assert_true(bad->needs[0].at_least);
    assert_string_equal(api->version, "v4.17");
    assert_string_equal(model_store(&model, "postgres")->service, "postgres");
    assert_string_equal(model.traffic[0].writes[0].store, "postgres");
    assert_true(model.indicator.target == 0.99 && model.indicator.within_ns == SECOND);
    assert_int_equal(model.triggers.n, 2);
    assert_int_equal(model.n_good, 5); /* version, replicas, schema, in service, setting */
    arena_release(&arena);
}

#define SERVICES "services: {api: {versions: {v1: {}, v2: {}}}, db: {}}\n"
#define SYSTEM                                                                                     \
    "format: rehearse.system/1\n" SERVICES "stores: {db: {schema: 1, tables: {orders: {}}}}\n"

#define TRIGGER(when) "triggers: [{id: x, when: " when "}]"

static const struct {
    const char *system, *drill, *want;
} mistakes[] = {
    {"services: {}", NULL, "system.yaml:1: key 'format' is missing"},
    {"format: rehearse.system/2\nservices: {}", NULL, "system.yaml:1: /format: "},
    {SYSTEM "trafic: {}", NULL, "system.yaml:4: /trafic: unknown key"},
    {"format: rehearse.system/1\nservices: {a: {calls: {b: 1}}, b: {calls: {a: 1}}}", NULL,
     "circle"},
    {"format: rehearse.system/1\nservices: {a: {calls: {a: 1}}}", NULL, "circle"},
    {"format: rehearse.system/1\nservices: {a: {replicas: -1}}", NULL,
     "system.yaml:2: /services/a/replicas:"},
    {"format: rehearse.system/1\nservices: {api: {calls: {postgers: 1}}, postgres: {}}", NULL,
     "no service 'postgers'; did you mean 'postgres'?"},
    {SYSTEM "traffic: {t: {to: api, rate: 99999999999/s}}", NULL, "a rate is at most"},
    {SYSTEM "traffic: {t: {to: api, rate: 5000000/s}, u: {to: api, rate: 6000000/s}}", NULL,
     "requests a second is more than"},
    {SYSTEM "traffic: {t: {to: api, rate: 1e400/s}}", NULL, "system.yaml:4: /traffic/t/rate:"},
    {SYSTEM "traffic: {t: {to: api, rate: 1/s, writes: {ordres: 5%}}}", NULL,
     "no store has a table 'ordres'"},
    {SYSTEM "good_state: {api: v3}", NULL, "service 'api' has no version 'v3'"},
    {SYSTEM "good_state: {apo: v1}", NULL, "no service 'apo'; did you mean 'api'?"},
    {SYSTEM "backups: {b: {store: db}}", NULL, "a backup needs 'every' or 'at'"},
    {SYSTEM "backups: {b: {store: dbx, every: 1h}}", NULL, "no store 'dbx'"},
    {SYSTEM "indicator: {target: 150%}", NULL, "system.yaml:4: /indicator/target:"},
    {SYSTEM "indicator: {good: fast}", NULL, "expected \"status < 500\""},
    {SYSTEM "indicator: {target: 40%}", NULL, "'down_below' must not be above 'target'"},
    {SYSTEM "triggers: [{id: x, when: {m: errr, op: '>', thr: 1}}]", NULL, "no metric 'errr'"},
    {SYSTEM "triggers: [{id: x, when: {m: error_ratio, op: '>', thr: 1, for: 1m, n: 3}}]", NULL,
     "only one of for, n and mn"},
    {SYSTEM "triggers: [{id: x, when: {event: a}}, {id: x, when: {event: b}}]", NULL,
     "a second trigger"},
    {SYSTEM, "change: {at: 1m, deploy: {api: v9}}", "service 'api' has no version 'v9'"},
    {SYSTEM, "change: {at: 1m, deploy: {app: v1}}", "no service 'app'"},
    {SYSTEM, "change: {at: 1m, migrate: {db: x}}", "drill.yaml:1: /change/migrate/db:"},
    {SYSTEM, "change: {at: 1m}", "a change needs one of deploy, migrate, set, run"},
    {SYSTEM, "change: {deploy: {api: v2}}", "key 'at' is missing"},
    {SYSTEM, "change: {at: 99999999999999h, deploy: {api: v2}}", "drill.yaml:1: /change/at:"},
    {SYSTEM, "faults: [{at: 1m, table: orders, corrupt: 200%}]",
     "drill.yaml:1: /faults/0/corrupt:"},
    {SYSTEM, "faults: [{at: 1m, table: nothing, corrupt: 2%}]", "no store has a table 'nothing'"},
    {SYSTEM, "faults: [{at: 1m, slow: nobody, by: 2}]", "no service 'nobody'"},
    {SYSTEM, "faults: [{at: 1m, slow: apu, by: 2}]",
     "drill.yaml:1: /faults/0/slow: no service 'apu'; did you mean 'api'?"},
    /* what could never show */
    {SYSTEM, "faults: [{at: 1m, slow: api}]", "drill.yaml:1: /faults/0: slow by how much?"},
    {SYSTEM, "faults: [{at: 1m, errors: api, ratio: 0%}]",
     "drill.yaml:1: /faults/0/ratio: 0% of it is nothing"},
    {SYSTEM, "faults: [{at: 1m, crash: api, share: 0}]",
     "drill.yaml:1: /faults/0/share: 0% of it is nothing"},
    {SYSTEM, "faults: [{at: 1m, crash: api, chance: 0%}]",
     "drill.yaml:1: /faults/0/chance: 0% of it is nothing"},
    {SYSTEM, "faults: [{at: 1m, table: orders, corrupt: 0%}]",
     "drill.yaml:1: /faults/0/corrupt: 0% of it is nothing"},
    {SYSTEM, "faults: [{at: 1m, crash: api, for: 0s}]",
     "drill.yaml:1: /faults/0/for: a fault that lasts no time is none"},
    {SYSTEM, "faults: [{at: 1m, event: x, for: 1m}]",
     "drill.yaml:1: /faults/0/for: this happens at once"},
    {SYSTEM, "faults: [{at: 1m, event: ''}]", "drill.yaml:1: /faults/0/event: what is seen?"},
    {SYSTEM, "faults: [{at: 1m, at_step: 2, crash: api}]",
     "drill.yaml:1: /faults/0/at_step: a fault strikes at a time or at a step"},
    {SYSTEM, "faults: [{at: 1m, cut: db, from: api}]",
     "drill.yaml:1: /faults/0/from: service 'api' does not call 'db'"},
    {SYSTEM, "faults: [{at: 1m, leak: api, grows: 1MiB}]",
     "drill.yaml:1: /faults/0/leak: no version of it has a limit"},
    {SYSTEM, "faults: [{at: 1m, slow: api, by: 2, region: eu}]",
     "drill.yaml:1: /faults/0/region: 'api' is where it is"},
    {SYSTEM, "faults: [{at: 1m, slow: all, by: 2, region: eu}]",
     "drill.yaml:1: /faults/0/region: no service or traffic is in"},
    {SYSTEM, "faults: [{at: 1m, region: mars}]",
     "drill.yaml:1: /faults/0/region: no service or traffic is in region 'mars'"},
    {SYSTEM "backups: {b: {store: db, every: 1h}}", "faults: [{at: 1m, backup: b, damage: none}]",
     "/faults/0/damage: expected one of corrupt,"},
    {SYSTEM, "faults: [{command: x, does: fine}]", "drill.yaml:1: /faults/0/does: "},
    {SYSTEM, "faults: [{command: '', does: hang}]",
     "drill.yaml:1: /faults/0/command: expected a command line"},
    {SYSTEM, "faults: [{command: x, does: slow}]",
     "drill.yaml:1: /faults/0: slow by how much? give add: 30s"},
    {SYSTEM, "faults: [{command: x, does: hang, exit: 3}]",
     "drill.yaml:1: /faults/0/exit: means nothing for a command that does: hang"},
    {SYSTEM, "faults: [{command: x, does: fail, add: 3s}]",
     "drill.yaml:1: /faults/0/add: means nothing for a command that does: fail"},
    {SYSTEM, "change: {at: 10m, set: {x: y}}\nfaults: [{at: 130m, crash: api}]",
     "drill.yaml:2: /faults/0/at: the run is over then: it ends at 130m"},
    {SYSTEM, "change: [{at: 10m, set: {x: y}}, {at: 3h, set: {x: z}}]",
     "drill.yaml:1: /change/1/at: the run is over then"},
    {SYSTEM, "change: {at: 1m, deploy: {api: v2}, canary: 0%}",
     "drill.yaml:1: /change/canary: 0% of it is nothing"},
    {SYSTEM, "change: {at: 1m, deploy: {api: v2}, canary: 100%}",
     "drill.yaml:1: /change/canary: a canary for everybody"},
    {SYSTEM, "stable_for: 2h",
     "drill.yaml:1: /stable_for: the run ends before anything can be stable"},
    {SYSTEM, "horizon: 5m", "drill.yaml:1: /horizon: the run ends before anything can be stable"},
    {SYSTEM, "horizon: 1s", "drill.yaml:1: /horizon: a run goes on for at least 1m"},
    {SYSTEM, "{change: {at: 10m, set: {x: y}}, operator: {decide_at: 9m}}",
     "drill.yaml:1: /operator/decide_at: a decision falls behind the change"},
    {SYSTEM, "{change: {at: 10m, set: {x: y}}, operator: {decide_at: 131m}}",
     "/operator/decide_at: a decision falls behind the change and before the end of the run (10m "
     "to 130m)"},
    {SYSTEM, "operator: {handover: 5m}", "drill.yaml:1: /operator/handover: who hands over?"},
    {SYSTEM, "operator: {stops_after: 2, handover: 0s}",
     "drill.yaml:1: /operator/handover: a handover takes time"},
    /* triggers that could never be what their author means */
    {SYSTEM TRIGGER("{m: eror_ratio, op: '>', thr: 1}"), NULL,
     "system.yaml:4: /triggers/0/when/m: no metric 'eror_ratio'; did you mean 'error_ratio'?"},
    {SYSTEM TRIGGER("{m: queue_length, op: '>', thr: 1}"), NULL,
     "'queue_length' is a service's: write queue_length{service=\"NAME\"}"},
    {SYSTEM TRIGGER("{m: 'latency_p999_seconds{service=\"api\"}', op: '>', thr: 1}"), NULL,
     "no metric 'latency_p999_seconds' of a service; did you mean 'latency_p99_seconds'?"},
    {SYSTEM TRIGGER("{m: 'up{service=\"apu\"}', op: '>', thr: 1}"), NULL,
     "no service 'apu', of which"},
    {SYSTEM TRIGGER("{m: 'up{pod=\"api\"}', op: '>', thr: 1}"), NULL,
     "is no metric; a service's is written"},
    {SYSTEM TRIGGER("{m: error_ratio, op: '>', thr: 5%}"), NULL,
     "/triggers/0/when/thr: expected a number, found '5%'; write 0.05"},
    {SYSTEM TRIGGER("{m: error_ratio, op: '>', thr: 1, win: 5m}"), NULL,
     "/triggers/0/when/win: a window of what?"},
    {SYSTEM TRIGGER("{m: error_ratio, op: '>', thr: 1, agg: avg, win: 5s}"), NULL,
     "/triggers/0/when/win: a window shorter than the scrape interval of 15s"},
    {SYSTEM TRIGGER("{m: http_errors_total, op: '>', thr: 1, den: http_requests_total}"), NULL,
     "/triggers/0/when/den: only agg: ratio"},
    {SYSTEM TRIGGER("{m: error_ratio, op: '>', thr: 1, clear: 2}"), NULL,
     "/triggers/0/when/clear: the level at which it clears must not be beyond"},
    {SYSTEM TRIGGER("{m: error_ratio, op: '==', thr: 1, clear: 0}"), NULL,
     "/triggers/0/when/clear: only what is above or below"},
    {SYSTEM TRIGGER("{m: error_ratio, op: '>', thr: 1, base: {m: error_ratio, as: none}}"), NULL,
     "/triggers/0/when/base/as: expected one of x, pct, add"},
    {SYSTEM TRIGGER("{burn: {err: errors_total, req: requests_total, slo: 99%, pairs: []}}"), NULL,
     "/triggers/0/when/burn/pairs: expected at least one pair"},
    {SYSTEM TRIGGER(
         "{burn: {err: errors_total, req: requests_total, slo: 99%, pairs: [[1, 5m, 1h]]}}"),
     NULL, "/triggers/0/when/burn/pairs/0: expected [factor, long window, short window]"},
    {SYSTEM TRIGGER(
         "{burn: {err: errors_total, req: requests_total, slo: 100%, pairs: [[1, 1h, 5m]]}}"),
     NULL, "/triggers/0/when/burn/slo: an objective of 100%"},
    {SYSTEM TRIGGER("{event: ''}"), NULL, "/triggers/0/when/event: what is seen?"},
    {SYSTEM TRIGGER("{event: x}") "\ndecision: [{trigger: a.b}]", NULL,
     "system.yaml:5: /decision/0/trigger: no trigger has the id or the act 'a.b'"},
    {SYSTEM TRIGGER("{event: x}"), "decision: [{trigger: xx}]",
     "drill.yaml:1: /decision/0/trigger: no trigger has the id or the act 'xx'; did you mean 'x'?"},
    {SYSTEM "triggers: {lookback: 10s, triggers: []}", NULL,
     "/triggers/lookback: a sample must count at least until the next one"},
    {SYSTEM "metrics: {every: 10m}", NULL,
     "system.yaml:4: /metrics: a sample must count at least until the next one"},
    /* versions and stores */
    {"format: rehearse.system/1\nservices: {a: {versions: {v: {needs: {up: [b]}}}}, b: {versions: "
     "{v: {needs: {up: [a]}}}}}",
     NULL, "system.yaml:2: /services: services stand in a circle: 'b' needs 'a'"},
    {"format: rehearse.system/1\nservices: {a: {versions: {v: {needs: {up: a}}}}}", NULL,
     "'a' needs 'a'"},
    {"format: rehearse.system/1\nservices: {a: {versions: {v: {memory: {start: 2GiB, limit: "
     "1GiB}}}}}",
     NULL, "/services/a/versions/v/memory: 'start' must be below 'limit'"},
    {"format: rehearse.system/1\nservices: {a: {versions: {v: {cold: {slower: 3}}}}}", NULL,
     "/services/a/versions/v/cold: cold for how long"},
    {"format: rehearse.system/1\nservices: {a: {versions: {v: {time: {p99: 1ms}}}}}", NULL,
     "/services/a/versions/v/time: p99 must not be below p50, which is 10ms"},
    {SYSTEM "backups: {b: {store: db, every: 1h, file: x%Q}}", NULL,
     "/backups/b/file: in 'x%Q' only %Y %m %d"},
    {"name: ''\n" SYSTEM, NULL, "system.yaml:1: /name: what is it called?"},
    {SYSTEM, "faults: [{slow: api}]", "when? give 'at'"},
    {SYSTEM, "faults: [{at: 1m, explode: api}]", "what kind of fault?"},
    {SYSTEM, "faults: [{at: 1m, slow: api, ratio: 3}]", "/faults/0/ratio: unknown key"},
    {SYSTEM, "faults: [{at: 1m, backup: b}]", "no backup 'b'"},
    {SYSTEM, "faults: [{command: x, does: explode}]", "/faults/0/does:"},
    {SYSTEM "grain: request\ntraffic: {t: {to: api, rate: 9000/s}}",
     "faults: [{at: 1m, overload: t, by: 1000}]",
     "drill.yaml:1: /faults: up to 9e+06 requests a second are too many"},
    {SYSTEM "backups: {b: {store: db, every: 1s}}", NULL, "a backup every 1s is too often"},
    {SYSTEM, "horizon: 31d", "drill.yaml:1: /horizon: a run"},
    {SYSTEM, "operator: nobody", "drill.yaml:1: /operator:"},
    {SYSTEM, "operator: {ack: {p50: 5m, p95: 1m}}", "p95 must not be below p50"},
};

static void test_mistakes_are_answered_in_one_line(void **state)
{
    (void)state;
    int wrong = 0;
    for (size_t i = 0; i < sizeof mistakes / sizeof *mistakes; i++) {
        struct arena arena = {0};
        struct model model;
        struct error error = {""};
        int code = load_both(&arena, mistakes[i].system, mistakes[i].drill, &model, &error);
        if (code != ERROR_INPUT || !strstr(error.text, mistakes[i].want) ||
            strchr(error.text, '\n')) {
            print_error("case %zu: got: %d %s\n  want: %s\n", i, code, error.text,
                        mistakes[i].want);
            wrong++;
        }
        arena_release(&arena);
    }
    assert_int_equal(wrong, 0);
}

static void test_every_fault_is_read(void **state)
{
    (void)state;
    struct arena arena = {0};
    struct model model;
    struct error error;
    const char *system = "format: rehearse.system/1\n"
                         "services: {api: {region: eu, versions: {v1: {memory: {limit: 1GiB}}, v2: "
                         "{}}, calls: {db: 1}}, db: {}}\n"
                         "stores: {db: {schema: 1, tables: {orders: {}}}}\n"
                         "backups: {b: {store: db, every: 1h}}\n"
                         "traffic: {t: {to: api, rate: 5/s}}\n";
    const char *drill = "faults:\n"
                        "- {at: 1m, table: orders, corrupt: 2%}\n"
                        "- {at: 1m, slow: api, by: 10, add: 200ms, for: 5m, chance: 50%}\n"
                        "- {at: 1m, cut: db, from: api}\n"
                        "- {at: 1m, errors: api, ratio: 30%}\n"
                        "- {at_step: 2, crash: api, share: 50%}\n"
                        "- {at: 1m, leak: api, grows: 5MiB}\n"
                        "- {at: 1m, overload: all, by: 5}\n"
                        "- {at: 1m, disk_full: db}\n"
                        "- {at: 1m, region: eu}\n"
                        "- {at: 1m, set: {flag.x: on}}\n"
                        "- {at: 1m, backup: b, damage: truncated, existing: true}\n"
                        "- {at: 1m, event: data_corruption}\n"
                        "- {command: 'docker pull *', does: fail, exit: 7, times: 1}\n"
                        "- {at: 1m, deploy: {api: v2}}\n"
                        "- {at: 1m, blind: all}\n"
                        "- {at: 1m, errors: all, region: eu, ratio: 50%}\n";
    if (load_both(&arena, system, drill, &model, &error))
        fail_msg("%s", error.text);
    static const enum fault_kind kinds[] = {
        FAULT_CORRUPT, FAULT_SLOW,     FAULT_CUT,       FAULT_ERRORS, FAULT_CRASH,
        FAULT_LEAK,    FAULT_OVERLOAD, FAULT_DISK_FULL, FAULT_REGION, FAULT_SET,
        FAULT_BACKUP,  FAULT_EVENT,    FAULT_COMMAND,   FAULT_DEPLOY, FAULT_BLIND,
    };
    assert_int_equal(model.n_faults, FAULT_KINDS + 1);
    for (int i = 0; i < FAULT_KINDS; i++)
        assert_int_equal(model.faults[i].kind, kinds[i]);
    assert_string_equal(model.faults[0].target, "db");
    assert_int_equal(model.faults[4].at_step, 2);
    assert_int_equal(model.faults[12].exit_status, 7);
    assert_null(model.faults[6].target);
    assert_null(model.faults[15].target);
    assert_string_equal(model.faults[15].region, "eu");
    arena_release(&arena);
}

/* The n-th block of YAML in the page for newcomers. */
static struct str block_of(struct str page, int n)
{
    for (;;) {
        ptrdiff_t from = str_find(page, STR("```yaml\n"));
        if (from < 0)
            fail_msg("no such block in the page");
        page = (struct str){page.at + from + 8, page.len - (size_t)from - 8};
        ptrdiff_t to = str_find(page, STR("```"));
        if (n-- == 0)
            return (struct str){page.at, (size_t)to};
    }
}

static void test_the_page_for_newcomers(void **state)
{
    (void)state;
    struct arena arena = {0};
    struct model model;
    struct error error;
    struct buf page;
    buf_init(&page, 1 << 20);
    assert_int_equal(buf_read_file(&page, "procedures/drill/README.md"), 0);
    struct str text = buf_text(&page);
    if (load_both(&arena, arena_str(&arena, block_of(text, 0)),
                  arena_str(&arena, block_of(text, 1)), &model, &error))
        fail_msg("the first example: %s", error.text);
    const char *whole = arena_printf(
        &arena, "format: rehearse.system/1\n%.*s  postgres: {}\n  redis: {}\n%.*s%.*s",
        STR_ARG(block_of(text, 2)), STR_ARG(block_of(text, 3)), STR_ARG(block_of(text, 4)));
    if (load_both(&arena, whole, NULL, &model, &error))
        fail_msg("the long example: %s", error.text);
    assert_int_equal(model.n_services, 3);
    assert_int_equal(model.n_backups, 2);
    buf_release(&page);
    arena_release(&arena);
}

/* All trigger statements of five real playbooks. */
static void test_real_statements_load(void **state)
{
    (void)state;
    struct buf text;
    buf_init(&text, 1 << 20);
    assert_int_equal(buf_read_file(&text, "tests/data/triggers/statements.ndjson"), 0);
    struct str rest = buf_text(&text);
    int n = 0;
    while (rest.len) {
        struct arena arena = {0};
        struct str line = str_cut(&rest, '\n');
        struct doc *root = NULL;
        struct model_trigger trigger;
        struct error error;
        if (str_trim(line).len == 0)
            continue;
        int code = doc_read_text(&arena, "statements", line, &root, &error);
        if (!code)
            code = model_load_trigger(&arena, root, NULL, &trigger, &error);
        if (code)
            fail_msg("%.*s: %s", STR_ARG(line), error.text);
        n++;
        arena_release(&arena);
    }
    assert_int_equal(n, 72);
    buf_release(&text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_shop),
        cmocka_unit_test(test_mistakes_are_answered_in_one_line),
        cmocka_unit_test(test_every_fault_is_read),
        cmocka_unit_test(test_the_page_for_newcomers),
        cmocka_unit_test(test_real_statements_load),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
