/* Prometheus and Grafana over HTTP, through curl: health, and queries over what was scraped. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "fakes/fake.h"
#include "fakes/promql.h"
#include "procedures/drill/model_load.h"
#include "tests/call_double.h"

static const char system_text[] =
    "format: rehearse.system/1\n"
    "name: t\n"
    "services:\n"
    "  api: {replicas: 2, versions: {v1: {time: {p50: 10ms, p99: 20ms}}}}\n"
    "  prometheus: {versions: {v1: {}}}\n"
    "traffic: {users: {to: api, rate: 10/s}}\n"
    "prometheus:\n"
    "  prometheus: {port: 9090}\n"
    "  grafana: {port: 3000}\n";

struct fixture {
    struct arena arena;
    struct model model;
    struct record *record;
    struct world *world;
    struct call_double d;
};

static const char *const also[] = {"prometheus", NULL};

static int set_up(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);
    struct error error = {.text = ""};
    struct doc *doc;
    if (doc_read_text(&f->arena, "system.yaml", str_of(system_text), &doc, &error) < 0 ||
        (model_defaults(&f->model), model_load_system(&f->arena, doc, also, &f->model, &error)) < 0) {
        print_error("%s\n", error.text);
        return -1;
    }
    f->model.start_unix_ns = INT64_C(1736949600) * SECOND;
    f->record = record_new();
    f->world = world_new(&f->model, 1, f->record);
    double_init(&f->d, f->world, f->record);
    for (int i = 0; all_fakes[i]; i++) {
        if (all_fakes[i]->setup && all_fakes[i]->setup(&f->d.env, doc_get(doc, all_fakes[i]->name), &error) < 0) {
            print_error("%s\n", error.text);
            return -1;
        }
    }
    world_advance(f->world, 300 * SECOND);
    *state = f;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;
    for (int i = 0; all_fakes[i]; i++) {
        if (all_fakes[i]->release)
            all_fakes[i]->release(&f->d.env);
    }
    double_release(&f->d);
    world_free(f->world);
    record_free(f->record);
    arena_release(&f->arena);
    free(f);
    return 0;
}

static void test_health(void **state)
{
    struct fixture *f = *state;
    static const struct {
        const char *line, *expected;
        int status;
    } rows[] = {
        {"curl -sf http://prometheus:9090/-/healthy", "Prometheus Server is Healthy.\n", 0},
        {"curl -sf -X POST http://prometheus:9090/-/reload", "", 0},
        {"curl -s http://prometheus:9090/-/reload", "Only POST or PUT requests allowed", 0},
        {"curl -s http://prometheus:9090/nope", "404 page not found\n", 0},
        {"curl -sf http://grafana:3000/api/health -o /dev/null -w %{http_code}", "200", 0},
        {"curl -sf http://grafana:3000/api/dashboards", "", 22},
        {"curl -s http://prometheus:9090/api/v1/query?query=up%7Bjob%3D%22api%22%7D",
         "{\"status\":\"success\",\"data\":{\"resultType\":\"vector\",\"result\":[{\"metric\":{\"__name__\":\"up\",\"instance\":\"api\","
         "\"job\":\"api\"},\"value\":[1736949900.006,\"1\"]}]}}", 0},
        {"wget -qO- http://prometheus:9090/-/healthy", "Prometheus Server is Healthy.\n", 0},
        {"wget -q --spider http://prometheus:9090/nope", "", 8},
        {"wget -q -O /dev/null http://nosuch/", "", 4},
        {"wget -q -T 2 -t 1 http://localhost:9/", "", 4},
        {"wget", "", 1},
        {"wget --nope http://prometheus:9090/", "", 2},
        {"curl -s http://prometheus:9090/api/v1/query?query=up%7B",
         "{\"status\":\"error\",\"errorType\":\"bad_data\",\"error\":\"invalid parameter \\\"query\\\": 1:4: parse error: expected "
         "label matching operator\"}", 0},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        int status = double_run(&f->d, rows[i].line);
        const char *out = double_out(&f->d);
        if (status != rows[i].status || (strstr(rows[i].expected, "value") ? strncmp(out, rows[i].expected, 110)
                                                                           : strcmp(out, rows[i].expected)) != 0)
            fail_msg("%s\n--- got [%d]\n%s\n--- want [%d]\n%s", rows[i].line, status, out, rows[i].status, rows[i].expected);
    }
}

static void test_words_of_wget(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(double_run(&f->d, "wget http://localhost:9/x"), 4);
    assert_string_equal(double_err(&f->d), "--2025-01-15 14:05:00--  http://localhost:9/x\n"
                                           "Resolving localhost (localhost)... 127.0.0.1\n"
                                           "Connecting to localhost (localhost)|127.0.0.1|:9... failed: Connection refused.\n");
    assert_int_equal(double_run(&f->d, "wget http://nosuch/x"), 4);
    assert_string_equal(double_err(&f->d), "--2025-01-15 14:05:00--  http://nosuch/x\n"
                                           "Resolving nosuch (nosuch)... failed: Name or service not known.\n"
                                           "wget: unable to resolve host address 'nosuch'\n");
    assert_int_equal(double_run(&f->d, "wget -nv http://prometheus:9090/nope"), 8);
    assert_string_equal(double_err(&f->d), "http://prometheus:9090/nope:\n2025-01-15 14:05:00 ERROR 404: Not Found.\n");
    assert_int_equal(double_run(&f->d, "wget -q http://prometheus:9090/-/ready"), 0);
    assert_string_equal(double_content(&f->d, "", "/root/ready"), "Prometheus Server is Ready.\n");
}

/* Values worked out by hand over two series, one sample every 15 s: a counter that grows by 30 each, and a gauge. */
static void test_queries(void **state)
{
    (void)state;
    struct arena arena = {0};
    int64_t at_ns[21];
    double a[21], b[21], gauge[21];
    for (int i = 0; i <= 20; i++) {
        at_ns[i] = i * 15 * SECOND;
        a[i] = 30.0 * i;
        b[i] = 15.0 * i;
        gauge[i] = i % 2;
    }
    static const char *const labels_a[] = {"job", "a", NULL}, *const labels_b[] = {"job", "b", NULL};
    struct prom_series series[] = {{"requests_total", labels_a, at_ns, a, 21}, {"requests_total", labels_b, at_ns, b, 21},
                                   {"busy", labels_a, at_ns, gauge, 21}};
    static const struct {
        const char *query;
        double value;
        int n; /* -1: a scalar */
    } rows[] = {
        {"1 + 2 * 3", 7, -1},
        {"requests_total{job=\"a\"}", 600, 1},
        {"requests_total{job=~\"a|b\"}", 600, 2},
        {"requests_total{job!=\"a\"}", 300, 1},
        {"requests_total{job=\"a\"} offset 1m", 480, 1},
        {"rate(requests_total{job=\"a\"}[1m])", 2, 1},
        {"increase(requests_total{job=\"a\"}[1m])", 120, 1},
        {"sum(rate(requests_total[1m]))", 3, 1},
        {"sum by (job) (requests_total)", 600, 2},
        {"max(requests_total) - min(requests_total)", 300, 1},
        {"avg_over_time(busy[1m])", 0.5, 1},
        {"count(requests_total)", 2, 1},
        {"requests_total > 400", 600, 1},
        {"requests_total > bool 400", 1, 2},
        {"requests_total / requests_total", 1, 2},
        {"absent(nothing)", 1, 1},
        {"nothing", 0, 0},
        {"scalar(busy) * 5", 0, -1},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct prom_result r = prom_query(&arena, rows[i].query, series, 3, 300 * SECOND);
        double value = r.is_scalar ? r.scalar : r.n ? r.samples[0].value : 0;
        if (r.error || r.is_scalar != (rows[i].n < 0) || (!r.is_scalar && r.n != rows[i].n) || value < rows[i].value - 1e-9 ||
            value > rows[i].value + 1e-9)
            fail_msg("%s: %s, %d of them, %g; want %d, %g", rows[i].query, r.error ? r.error : "no error", r.n, value, rows[i].n,
                     rows[i].value);
    }
    static const char *const wrong[] = {"", "sum(", "up{", "rate(up)", "1 > 2", "up[5m]", "foo(up)", "up and up", "topk(3, up)"};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        assert_non_null(prom_query(&arena, wrong[i], series, 3, 300 * SECOND).error);
    arena_release(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_health, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_words_of_wget, set_up, tear_down),
        cmocka_unit_test(test_queries),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
