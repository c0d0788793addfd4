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
#include "fakes/prometheus/promql.h"
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
    "  prometheus: {port: 9090, config: /etc/prometheus/prometheus.yml}\n"
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
        (model_defaults(&f->model), model_load_system(&f->arena, doc, also, &f->model, &error)) <
            0) {
        print_error("%s\n", error.text);
        return -1;
    }
    f->model.start_unix_ns = INT64_C(1736949600) * SECOND;
    f->record = record_new();
    f->world = world_new(&f->model, 1, f->record);
    double_init(&f->d, f->world, f->record);
    for (int i = 0; all_fakes[i]; i++) {
        if (all_fakes[i]->setup &&
            all_fakes[i]->setup(&f->d.env, doc_get(doc, all_fakes[i]->name), &error) < 0) {
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
        {"curl -s http://prometheus:9090/-/reload", "Only POST or PUT requests allowed", 0},
        {"curl -s http://prometheus:9090/nope", "404 page not found\n", 0},
        {"curl -sf http://grafana:3000/api/health -o /dev/null -w %{http_code}", "200", 0},
        {"curl -sf http://grafana:3000/api/dashboards", "", 22},
        {"curl -s http://prometheus:9090/api/v1/query?query=up%7Bjob%3D%22api%22%7D",
         "{\"status\":\"success\",\"data\":{\"resultType\":\"vector\",\"result\":[{\"metric\":{\"__"
         "name__\":\"up\",\"instance\":\"api\","
         "\"job\":\"api\"},\"value\":[1736949900.006,\"1\"]}]}}",
         0},
        {"wget -qO- http://prometheus:9090/-/healthy", "Prometheus Server is Healthy.\n", 0},
        {"wget -q --spider http://prometheus:9090/nope", "", 8},
        {"wget -q -O /dev/null http://nosuch/", "", 4},
        {"wget -q -T 2 -t 1 http://localhost:9/", "", 4},
        {"wget", "", 1},
        {"wget --nope http://prometheus:9090/", "", 2},
        {"curl -s http://prometheus:9090/api/v1/query?query=up%7B",
         "{\"status\":\"error\",\"errorType\":\"bad_data\",\"error\":\"invalid parameter "
         "\\\"query\\\": 1:4: parse error: unexpected "
         "end of input inside braces\"}",
         0},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        int status = double_run(&f->d, rows[i].line);
        const char *out = double_out(&f->d);
        if (status != rows[i].status ||
            (strstr(rows[i].expected, "value") ? strncmp(out, rows[i].expected, 110)
                                               : strcmp(out, rows[i].expected)) != 0)
            fail_msg("%s\n--- got [%d]\n%s\n--- want [%d]\n%s", rows[i].line, status, out,
                     rows[i].status, rows[i].expected);
    }
}

static void test_words_of_wget(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(double_run(&f->d, "wget http://localhost:9/x"), 4);
    assert_string_equal(
        double_err(&f->d),
        "--2025-01-15 14:05:00--  http://localhost:9/x\n"
        "Resolving localhost (localhost)... 127.0.0.1\n"
        "Connecting to localhost (localhost)|127.0.0.1|:9... failed: Connection refused.\n");
    assert_int_equal(double_run(&f->d, "wget http://nosuch/x"), 4);
    assert_string_equal(double_err(&f->d),
                        "--2025-01-15 14:05:00--  http://nosuch/x\n"
                        "Resolving nosuch (nosuch)... failed: Name or service not known.\n"
                        "wget: unable to resolve host address 'nosuch'\n");
    assert_int_equal(double_run(&f->d, "wget -nv http://prometheus:9090/nope"), 8);
    assert_string_equal(
        double_err(&f->d),
        "http://prometheus:9090/nope:\n2025-01-15 14:05:00 ERROR 404: Not Found.\n");
    assert_int_equal(double_run(&f->d, "wget -q http://prometheus:9090/-/ready"), 0);
    assert_string_equal(double_content(&f->d, "", "/root/ready"), "Prometheus Server is Ready.\n");
}

/* The samples that the real server had: every 15 s for 5 minutes. */
static int make_series(struct arena *arena, struct prom_series *series)
{
    static const struct {
        const char *name, *labels[7];
        double every; /* value of the i-th sample: every * i, or by the kind */
        char kind; /* '*' linear, '1' always 1, 'd' 0 after the 15th, '%' i % 2, '3' 0.25 * (i % 3),
                      'r' 10 * i % 70 */
    } all[] = {
        {"up", {"instance", "a:80", "job", "a", NULL}, 1, '1'},
        {"up", {"instance", "b:80", "job", "b", NULL}, 1, 'd'},
        {"http_requests_total", {"code", "200", "instance", "a:80", "job", "a", NULL}, 30, '*'},
        {"http_requests_total", {"code", "500", "instance", "a:80", "job", "a", NULL}, 3, '*'},
        {"http_requests_total", {"code", "200", "instance", "b:80", "job", "b", NULL}, 15, '*'},
        {"busy", {"instance", "a:80", "job", "a", NULL}, 1, '%'},
        {"busy", {"instance", "b:80", "job", "b", NULL}, 1, '3'},
        {"reset_total", {"job", "a", NULL}, 1, 'r'},
        {"lat_bucket", {"job", "a", "le", "0.1", NULL}, 5, '*'},
        {"lat_bucket", {"job", "a", "le", "0.5", NULL}, 9, '*'},
        {"lat_bucket", {"job", "a", "le", "1", NULL}, 10, '*'},
        {"lat_bucket", {"job", "a", "le", "+Inf", NULL}, 11, '*'},
        {"build", {"job", "a", "version", "v1", NULL}, 1, '1'},
        {"build", {"job", "b", "version", "v2", NULL}, 1, '1'},
    };
    int n = sizeof all / sizeof *all;
    for (int k = 0; k < n; k++) {
        int64_t *at_ns = ARENA_ARRAY(arena, int64_t, 21);
        double *value = ARENA_ARRAY(arena, double, 21);
        for (int i = 0; i < 21; i++) {
            at_ns[i] = i * 15 * SECOND;
            value[i] = all[k].kind == '*'   ? all[k].every * i
                       : all[k].kind == '1' ? 1
                       : all[k].kind == 'd' ? i <= 15
                       : all[k].kind == '%' ? i % 2
                       : all[k].kind == '3' ? 0.25 * (i % 3)
                                            : i * 10 % 70;
        }
        series[k] = (struct prom_series){all[k].name, all[k].labels, at_ns, value, 21};
    }
    return n;
}

/* tests/data/prometheus/queries.txt: what Prometheus 2.42 (Debian 12) answered to /api/v1/query
 * over these samples. */
static void test_queries(void **state)
{
    (void)state;
    struct arena arena = {0};
    struct prom_series series[16];
    int n = make_series(&arena, series), wrong = 0, asked = 0;
    const int64_t start_unix_ns = INT64_C(1736949600) * SECOND;
    struct buf text;
    buf_init(&text, 1 << 20);
    assert_int_equal(buf_read_file(&text, "tests/data/prometheus/queries.txt"), 0);
    struct str rest = buf_text(&text);
    while (rest.len) {
        struct str line = str_cut(&rest, '\n'), want = str_cut(&rest, '\n');
        const char *query = arena_str(&arena, (struct str){line.at + 2, line.len - 2});
        struct prom_result r = prom_query(&arena, query, series, n, 300 * SECOND, start_unix_ns);
        struct buf got;
        buf_init(&got, 1 << 20);
        if (r.error) {
            buf_printf(&got, "{\"status\":\"error\",\"errorType\":\"%s\",\"error\":",
                       r.error_kind == PROM_BAD_DATA ? "bad_data" : "execution");
            prom_print_string(&got, r.error);
            buf_putc(&got, '}');
        } else {
            buf_puts(&got, "{\"status\":\"success\",\"data\":{");
            prom_print(&got, &r, 300 * SECOND, start_unix_ns);
            buf_puts(&got, "}}");
        }
        asked++;
        if (!str_eq(buf_text(&got), want) && r.error_kind != PROM_NOT_SIMULATED) {
            print_error("> %s\n got %.*s\nwant %.*s\n", query, (int)got.len, got.at, STR_ARG(want));
            wrong++;
        } else if (r.error_kind == PROM_NOT_SIMULATED && r.error &&
                   !strstr(" minute() hour(vector(1736949600)) day_of_week() ", query)) {
            print_error("> %s: %s\n", query, r.error);
            wrong++;
        }
        buf_release(&got);
    }
    buf_release(&text);
    arena_release(&arena);
    assert_true(asked > 180);
    assert_int_equal(wrong, 0);
}

/* Rules of a real configuration file; a reload that is refused leaves them as they were. */
static void test_rules_and_reload(void **state)
{
    struct fixture *f = *state;
    static const char good[] =
        "global: {evaluation_interval: 15s}\nrule_files: [rules.yml]\nscrape_configs: []\n";
    static const char rules[] = "groups:\n- name: g\n  rules:\n  - {alert: Traffic, expr: "
                                "requests_per_second > 1, for: 1m, labels: {severity: page}}\n"
                                "  - {alert: Long, expr: requests_per_second > 1, for: 1h}\n  - "
                                "{alert: Quiet, expr: up == 2}\n"
                                "  - {record: 'a:b', expr: sum(up)}\n";
    static const struct {
        const char *file, *content, *line, *expected;
    } rows[] = {
        {"/etc/prometheus/prometheus.yml", good, NULL, NULL},
        {"/etc/prometheus/rules.yml", rules,
         "curl -s -X POST -w %{http_code} http://prometheus:9090/-/reload", "200"},
        {NULL, NULL, "curl -s http://prometheus:9090/api/v1/rules",
         "{\"state\":\"firing\",\"name\":\"Traffic\",\"query\":\"requests_per_second \\u003e 1\","
         "\"duration\":60,\"keepFiringFor\":0,\"labels\":{\"severity\":\"page\"}"},
        {NULL, NULL, "curl -s http://prometheus:9090/api/v1/rules",
         "{\"state\":\"pending\",\"name\":\"Long\""},
        {NULL, NULL, "curl -s http://prometheus:9090/api/v1/rules",
         "{\"state\":\"inactive\",\"name\":\"Quiet\""},
        {NULL, NULL, "curl -s http://prometheus:9090/api/v1/rules",
         "{\"name\":\"a:b\",\"query\":\"sum(up)\",\"health\":\"ok\""},
        {NULL, NULL, "curl -s http://prometheus:9090/api/v1/alerts",
         "{\"labels\":{\"alertname\":\"Traffic\",\"instance\":\"api\",\"job\":\"api\","
         "\"severity\":\"page\"},\"annotations\":{},\"state\":\"firing\",\"activeAt\":\"2025-01-"
         "15T14:0"},
        {"/etc/prometheus/rules.yml", "groups:\n- name: g\n  rules:\n  - {alert: A, expr: up ==}\n",
         "curl -s -X POST -w %{http_code} http://prometheus:9090/-/reload",
         "failed to reload config: one or more errors occurred while applying the new "
         "configuration "
         "(--config.file=\"/etc/prometheus/prometheus.yml\")\n500"},
        {"/etc/prometheus/prometheus.yml", "globals: {}\n",
         "curl -s -X POST http://prometheus:9090/-/reload",
         "failed to reload config: couldn't load configuration "
         "(--config.file=\"/etc/prometheus/prometheus.yml\"): parsing YAML file "
         "/etc/prometheus/prometheus.yml: yaml: unmarshal errors:\n  line 1: field globals not "
         "found in type config.plain\n"},
        {"/etc/prometheus/prometheus.yml", "bad: [",
         "curl -s -X POST -w %{http_code} http://prometheus:9090/-/reload",
         "failed to reload config: couldn't load configuration"},
        {NULL, NULL, "curl -s http://prometheus:9090/api/v1/rules", "\"name\":\"Traffic\""},
        {NULL, NULL,
         "curl -s "
         "http://prometheus:9090/api/v1/"
         "query_range?query=1&start=1736949600&end=1736949660&step=30s",
         "{\"status\":\"success\",\"data\":{\"resultType\":\"matrix\",\"result\":[{\"metric\":{},"
         "\"values\":[[1736949600,\"1\"],[1736949630,\"1\"],"
         "[1736949660,\"1\"]]}]}}"},
        {NULL, NULL,
         "curl -s -g http://prometheus:9090/api/v1/query_range?query=up[5m]&start=1&end=2&step=1",
         "invalid expression type \\\"range vector\\\" for range query, must be Scalar or instant "
         "Vector"},
        {NULL, NULL,
         "curl -s http://prometheus:9090/api/v1/query_range?query=up&start=2&end=1&step=30",
         "invalid parameter \\\"end\\\": end timestamp must not be before start time"},
        {NULL, NULL, "curl -s http://prometheus:9090/api/v1/query?query=up&time=abc",
         "invalid parameter \\\"time\\\": Invalid time value for 'time': cannot parse \\\"abc\\\" "
         "to a valid timestamp"},
        {NULL, NULL, "curl -s -g http://prometheus:9090/api/v1/series?match[]=up",
         "{\"__name__\":\"up\",\"instance\":\"api\",\"job\":\"api\"}"},
        {NULL, NULL, "curl -s http://prometheus:9090/api/v1/label/job/values",
         "[\"api\",\"prometheus\"]"},
        {NULL, NULL, "curl -s http://prometheus:9090/api/v1/targets", "\"health\":\"up\""},
        {NULL, NULL, "curl -s http://prometheus:9090/api/v1/nope", "404 page not found\n"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        if (rows[i].file)
            assert_int_equal(env_write(&f->d.env, "", rows[i].file, str_of(rows[i].content), 0644),
                             0);
        if (!rows[i].line)
            continue;
        assert_int_equal(double_run(&f->d, rows[i].line), 0);
        if (!strstr(double_out(&f->d), rows[i].expected))
            fail_msg("%s\n--- got\n%s\n--- must hold\n%s", rows[i].line, double_out(&f->d),
                     rows[i].expected);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_health, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_words_of_wget, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_rules_and_reload, set_up, tear_down),
        cmocka_unit_test(test_queries),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
