/* prometheus: Prometheus and Grafana as health checks see them.
 *
 *   prometheus:
 *     prometheus: {host: prometheus, port: 9090, every: 15s, reload: true,
 *                  config: /etc/prometheus/prometheus.yml}
 *     grafana: {kind: grafana, host: grafana, port: 3000}
 *
 * Each key may be a service of the world: then it answers while an instance of that service is
 * ready, else always. Without a host its name is the key; what runs in pods has none outside.
 * Prometheus scrapes every metric of every service of the world while it runs,
 * as `METRIC{job="SERVICE", instance="SERVICE"}`, and answers /-/healthy, /-/ready, /-/reload,
 * /metrics and what of /api/v1 is listed in prometheus_answer(). Its rules are those of the files
 * that `config` names, a file of the operator's machine, read again at a reload. Grafana answers
 * /api/health.
 */
#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fakes/fake.h"
#include "fakes/http.h"
#include "fakes/prometheus/promql.h"
#include "fakes/prometheus/rules.h"
#include "sim/base/xalloc.h"

static const char *const metrics[] = {
    "up",
    "requests_total",
    "errors_total",
    "error_ratio",
    "requests_per_second",
    "latency_seconds",
    "latency_p50_seconds",
    "latency_p95_seconds",
    "latency_p99_seconds",
    "ready_replicas",
    "memory_bytes",
    "memory_ratio",
    "cpu_ratio",
    "restarts_total",
    "queue_length",
};
enum { N_METRICS = sizeof metrics / sizeof *metrics };

struct history {
    double *value; /* as many as there were scrapes */
};

struct monitor {
    struct env *env;
    const char *name;
    struct service *service; /* NULL: always there */
    bool grafana, reload;
    int64_t every_ns;
    int64_t *at_ns;
    int n, cap;
    struct history *histories; /* service * N_METRICS + metric */
    const char *config;        /* its configuration file; NULL: none */
    const struct prom_rules *rules;
    struct monitor *next;
};

static bool runs(const struct monitor *m)
{
    return !m->service || service_ready(m->service) > 0;
}

static void scrape(struct world *world, void *ctx)
{
    struct monitor *m = ctx;
    world_at(world, world_now(world) + m->every_ns, scrape, m);
    if (!runs(m))
        return;
    int n_services = world_services(world);
    if (m->n == m->cap) {
        m->cap = m->cap ? m->cap * 2 : 64;
        m->at_ns = xrealloc(m->at_ns, sizeof *m->at_ns * (size_t)m->cap);
        for (int i = 0; i < n_services * N_METRICS; i++)
            m->histories[i].value =
                xrealloc(m->histories[i].value, sizeof(double) * (size_t)m->cap);
    }
    for (int i = 0; i < n_services; i++) {
        for (int k = 0; k < N_METRICS; k++) {
            double value;
            if (!service_metric(world_service_at(world, i), metrics[k], &value))
                value = NAN;
            m->histories[i * N_METRICS + k].value[m->n] = value;
        }
    }
    m->at_ns[m->n++] = world_now(world);
}

/* The file is there once the machine is up. A broken one would keep the real Prometheus from
 * starting; here it has no rules. */
static void start(struct world *world, void *ctx)
{
    struct monitor *m = ctx;
    if (m->config)
        prom_load_rules(m->env, m->config, &m->rules);
    scrape(world, m);
}

/* ---- answers ---- */

static int text_answer(struct http_response *response, int status, const char *type,
                       const char *text)
{
    response->status = status;
    response->latency_ns = 3 * MILLISECOND;
    http_header(response, "Content-Type", type);
    buf_puts(&response->body, text);
    return 0;
}

/* The value of a query parameter, decoded; "" if it is not there. From the target, or a form in the
 * body. */
static const char *parameter(struct arena *arena, const struct http_request *request,
                             const char *name)
{
    const char *query = strchr(request->target, '?');
    struct str sources[2] = {query ? str_of(query + 1) : (struct str){0}, request->body};
    for (int i = 0; i < 2; i++) {
        while (sources[i].len) {
            struct str value = str_cut(&sources[i], '&'), key = str_cut(&value, '=');
            if (!str_is(key, name))
                continue;
            char *text = arena_alloc(arena, value.len + 1);
            size_t n = 0;
            for (size_t k = 0; k < value.len; k++) {
                char c = value.at[k];
                if (c == '%' && k + 2 < value.len) {
                    char hex[3] = {value.at[k + 1], value.at[k + 2], '\0'};
                    c = (char)strtol(hex, NULL, 16);
                    k += 2;
                } else if (c == '+') {
                    c = ' ';
                }
                text[n++] = c;
            }
            text[n] = '\0';
            return text;
        }
    }
    return "";
}

/* ---- queries ---- */

/* All that was scraped, as series. */
static struct prom_series *all_series(struct monitor *m, struct arena *arena, int *ret_n)
{
    struct world *world = m->env->world;
    int n_services = world_services(world), n = 0;
    struct prom_series *series = ARENA_ARRAY(arena, struct prom_series, n_services * N_METRICS + 1);
    for (int i = 0; i < n_services; i++) {
        const char **labels = ARENA_ARRAY(arena, const char *, 5);
        labels[0] = "instance";
        labels[1] = labels[3] = service_name(world_service_at(world, i));
        labels[2] = "job";
        labels[4] = NULL;
        for (int k = 0; k < N_METRICS; k++)
            series[n++] = (struct prom_series){metrics[k], (const char *const *)labels, m->at_ns,
                                               m->histories[i * N_METRICS + k].value, m->n};
    }
    *ret_n = n;
    return series;
}

static int api_error(struct http_response *response, int status, const char *type, const char *text)
{
    text_answer(response, status, "application/json", "");
    buf_printf(&response->body, "{\"status\":\"error\",\"errorType\":\"%s\",\"error\":", type);
    prom_print_string(&response->body, text);
    buf_putc(&response->body, '}');
    return 0;
}

static int answer_result(struct monitor *m, const struct http_request *request,
                         struct http_response *response, const struct prom_result *r,
                         int64_t now_ns)
{
    if (r->error && r->error_kind == PROM_NOT_SIMULATED)
        record_observe(m->env->record, "not_simulated", request->target,
                       "the simulated Prometheus does not know this query: %s", r->error);
    if (r->error)
        return api_error(response, r->error_kind == PROM_BAD_DATA ? 400 : 422,
                         r->error_kind == PROM_BAD_DATA ? "bad_data" : "execution", r->error);
    text_answer(response, 200, "application/json", "{\"status\":\"success\",\"data\":{");
    response->latency_ns = 5 * MILLISECOND;
    prom_print(&response->body, r, now_ns, m->env->start_unix_ns);
    buf_puts(&response->body, "}}");
    return 0;
}

/* Seconds since 1970, or RFC 3339: as time of the simulation. */
static bool instant(const struct monitor *m, const char *text, int64_t *ret_ns)
{
    char *end;
    double seconds = strtod(text, &end);
    int64_t ns = 0;
    if (end != text && !*end && seconds > -1e10 && seconds < 1e10) {
        *ret_ns = (int64_t)(seconds * 1000) * MILLISECOND - m->env->start_unix_ns;
        return true;
    }
    if (!parse_time(str_of(text), &ns))
        return false;
    *ret_ns = ns - m->env->start_unix_ns;
    return true;
}

static int query_answer(struct monitor *m, const struct http_request *request,
                        struct http_response *response)
{
    struct arena arena = {0};
    int n, code;
    int64_t now_ns = world_now(m->env->world);
    const char *query = parameter(&arena, request, "query"),
               *time = parameter(&arena, request, "time");
    if (*time && !instant(m, time, &now_ns)) {
        code = api_error(response, 400, "bad_data",
                         arena_printf(&arena,
                                      "invalid parameter \"time\": Invalid time value for 'time': "
                                      "cannot parse \"%s\" to a valid timestamp",
                                      time));
    } else {
        const struct prom_series *series = all_series(m, &arena, &n);
        struct prom_result r = prom_query(&arena, query, series, n, now_ns, m->env->start_unix_ns);
        code = answer_result(m, request, response, &r, now_ns);
    }
    arena_release(&arena);
    return code;
}

static int range_answer(struct monitor *m, const struct http_request *request,
                        struct http_response *response)
{
    static const char *const names[] = {"start", "end"};
    struct arena arena = {0};
    int n, code = 0;
    int64_t at_ns[2] = {0, 0}, step_ns = 0;
    const char *wrong = NULL, *step = parameter(&arena, request, "step");
    for (int i = 0; i < 2 && !wrong; i++) {
        const char *text = parameter(&arena, request, names[i]);
        if (!instant(m, text, &at_ns[i]))
            wrong = arena_printf(
                &arena, "invalid parameter \"%s\": cannot parse \"%s\" to a valid timestamp",
                names[i], text);
    }
    char *end;
    double seconds = strtod(step, &end);
    bool number = end != step && !*end && seconds > -1e9 && seconds < 1e9;
    if (!wrong && at_ns[1] < at_ns[0])
        wrong = "invalid parameter \"end\": end timestamp must not be before start time";
    if (number)
        step_ns = (int64_t)(seconds * 1000) * MILLISECOND;
    else if (!wrong && !parse_duration(str_of(step), &step_ns))
        wrong = arena_printf(
            &arena, "invalid parameter \"step\": cannot parse \"%s\" to a valid duration", step);
    if (!wrong && step_ns <= 0)
        wrong = "invalid parameter \"step\": zero or negative query resolution step widths are not "
                "accepted. Try a positive integer";
    if (!wrong && (at_ns[1] - at_ns[0]) / step_ns > 11000)
        wrong = "exceeded maximum resolution of 11,000 points per timeseries. Try decreasing the "
                "query resolution (?step=XX)";
    if (wrong) {
        code = api_error(response, 400, "bad_data", wrong);
    } else {
        const struct prom_series *series = all_series(m, &arena, &n);
        struct prom_result r =
            prom_query_range(&arena, parameter(&arena, request, "query"), series, n, at_ns[0],
                             at_ns[1], step_ns, m->env->start_unix_ns);
        code = answer_result(m, request, response, &r, at_ns[1]);
    }
    arena_release(&arena);
    return code;
}

/* /api/v1/series?match[]=...: the labels of what a selector finds. */
static int series_answer(struct monitor *m, const struct http_request *request,
                         struct http_response *response)
{
    struct arena arena = {0};
    int n;
    const char *match = parameter(&arena, request, "match[]");
    if (!*match) {
        arena_release(&arena);
        return api_error(response, 400, "bad_data", "no match[] parameter provided");
    }
    const struct prom_series *series = all_series(m, &arena, &n);
    struct prom_result r =
        prom_query(&arena, match, series, n, world_now(m->env->world), m->env->start_unix_ns);
    int code = 0;
    if (r.error) {
        code = answer_result(m, request, response, &r, 0);
    } else {
        text_answer(response, 200, "application/json", "{\"status\":\"success\",\"data\":[");
        for (int i = 0; i < r.n && r.type == PROM_VECTOR; i++) {
            buf_puts(&response->body, i ? "," : "");
            prom_print_labels(&response->body, (const char *const *)r.samples[i].labels);
        }
        buf_puts(&response->body, "]}");
    }
    arena_release(&arena);
    return code;
}

static int label_values_answer(struct monitor *m, struct str name, struct http_response *response)
{
    struct world *world = m->env->world;
    text_answer(response, 200, "application/json", "{\"status\":\"success\",\"data\":[");
    bool by_service = str_is(name, "job") || str_is(name, "instance");
    int n = by_service ? world_services(world) : str_is(name, "__name__") ? N_METRICS : 0;
    for (int i = 0; i < n; i++) {
        buf_puts(&response->body, i ? "," : "");
        prom_print_string(&response->body,
                          by_service ? service_name(world_service_at(world, i)) : metrics[i]);
    }
    buf_puts(&response->body, "]}");
    return 0;
}

static int targets_answer(struct monitor *m, struct http_response *response)
{
    struct world *world = m->env->world;
    struct arena arena = {0};
    struct buf *out = &response->body;
    text_answer(response, 200, "application/json",
                "{\"status\":\"success\",\"data\":{\"activeTargets\":[");
    for (int i = 0; i < world_services(world); i++) {
        const char *name = service_name(world_service_at(world, i));
        bool up = service_ready(world_service_at(world, i)) > 0;
        buf_printf(out,
                   "%s{\"discoveredLabels\":{\"__address__\":\"%s\",\"__metrics_path__\":\"/"
                   "metrics\",\"__scheme__\":\"http\",\"job\":\"%s\"},"
                   "\"labels\":{\"instance\":\"%s\",\"job\":\"%s\"},\"scrapePool\":\"%s\","
                   "\"scrapeUrl\":\"http://%s/metrics\",\"lastError\":",
                   i ? "," : "", name, name, name, name, name, name);
        prom_print_string(
            out,
            up ? ""
               : arena_printf(&arena,
                              "Get \"http://%s/metrics\": dial tcp: connect: connection refused",
                              name));
        buf_printf(out, ",\"health\":\"%s\",\"scrapeInterval\":\"%llds\"}", up ? "up" : "down",
                   (long long)(m->every_ns / SECOND));
    }
    buf_puts(out, "],\"droppedTargets\":[]}}");
    arena_release(&arena);
    return 0;
}

/* ---- configuration ---- */

static int reload_answer(struct monitor *m, struct http_response *response)
{
    const char *type = "text/plain; charset=utf-8",
               *why = m->config ? prom_load_rules(m->env, m->config, &m->rules) : NULL;
    if (!why) {
        record_change(m->env->record, m->name, "configuration reloaded");
        return text_answer(response, 200, type, "");
    }
    struct buf text;
    buf_init(&text, 1 << 16);
    buf_printf(&text, "failed to reload config: %s\n", why);
    text_answer(response, 500, type, arena_str(response->arena, buf_text(&text)));
    buf_release(&text);
    return 0;
}

static int rules_answer(struct monitor *m, struct http_response *response, bool only_alerts)
{
    struct arena arena = {0};
    int n;
    const struct prom_series *series = all_series(m, &arena, &n);
    text_answer(response, 200, "application/json", "{\"status\":\"success\",\"data\":");
    prom_print_rules(&response->body, &arena, m->rules, series, n, world_now(m->env->world),
                     m->env->start_unix_ns, only_alerts);
    buf_putc(&response->body, '}');
    arena_release(&arena);
    return 0;
}

static int prometheus_answer(struct monitor *m, const struct http_request *request,
                             struct http_response *response)
{
    const char *type = "text/plain; charset=utf-8";
    struct str rest = str_of(request->target), path = str_cut(&rest, '?');
    bool posts = strcmp(request->method, "POST") == 0 || strcmp(request->method, "PUT") == 0;
    if (str_is(path, "/-/healthy"))
        return text_answer(response, 200, type, "Prometheus Server is Healthy.\n");
    if (str_is(path, "/-/ready"))
        return text_answer(response, 200, type, "Prometheus Server is Ready.\n");
    if (str_is(path, "/-/reload") || str_is(path, "/-/quit")) {
        if (!m->reload)
            return text_answer(response, 403, type, "Lifecycle API is not enabled.");
        if (!posts)
            return text_answer(response, 405, type, "Only POST or PUT requests allowed");
        if (str_is(path, "/-/quit")) {
            record_observe(m->env->record, "not_simulated", request->target,
                           "the simulated Prometheus does not quit");
            return text_answer(response, 501, type, "not simulated\n");
        }
        return reload_answer(m, response);
    }
    if (str_is(path, "/metrics")) {
        text_answer(response, 200, "text/plain; version=0.0.4; charset=utf-8", "");
        buf_printf(
            &response->body,
            "# HELP prometheus_build_info A metric with a constant '1' value labeled by version.\n"
            "# TYPE prometheus_build_info gauge\nprometheus_build_info{version=\"2.48.1\"} 1\n"
            "# TYPE prometheus_target_scrapes_total counter\nprometheus_target_scrapes_total %d\n",
            m->n);
        return 0;
    }
    if (str_is(path, "/api/v1/query"))
        return query_answer(m, request, response);
    if (str_is(path, "/api/v1/targets"))
        return targets_answer(m, response);
    if (str_is(path, "/api/v1/query_range"))
        return range_answer(m, request, response);
    if (str_is(path, "/api/v1/alerts") || str_is(path, "/api/v1/rules"))
        return rules_answer(m, response, str_is(path, "/api/v1/alerts"));
    if (str_is(path, "/api/v1/series"))
        return series_answer(m, request, response);
    if (str_is(path, "/api/v1/labels"))
        return text_answer(response, 200, "application/json",
                           "{\"status\":\"success\",\"data\":[\"__name__\",\"instance\",\"job\"]}");
    if (str_starts(path, "/api/v1/label/") && str_ends(path, "/values"))
        return label_values_answer(m, (struct str){path.at + 14, path.len - 21}, response);
    if (str_is(path, "/api/v1/status/buildinfo"))
        return text_answer(response, 200, "application/json",
                           "{\"status\":\"success\",\"data\":{\"version\":\"2.48.1\",\"revision\":"
                           "\"63894216648f0d6be310c9d16fb48293c45c9310\","
                           "\"branch\":\"HEAD\",\"buildUser\":\"root@71f108ff5632\",\"buildDate\":"
                           "\"20231208-23:33:22\",\"goVersion\":\"go1.21.5\"}}");
    if (str_is(path, "/api/v1/alertmanagers"))
        return text_answer(response, 200, "application/json",
                           "{\"status\":\"success\",\"data\":{\"activeAlertmanagers\":[],"
                           "\"droppedAlertmanagers\":[]}}");
    if (str_starts(path, "/api/v1/status/") || str_is(path, "/api/v1/metadata") ||
        str_is(path, "/api/v1/query_exemplars") || str_starts(path, "/api/v1/admin/") ||
        str_is(path, "/api/v1/targets/metadata") || str_starts(path, "/api/v1/write") ||
        str_starts(path, "/api/v1/read") || str_starts(path, "/api/v1/format_query")) {
        record_observe(m->env->record, "not_simulated", request->target,
                       "the simulated Prometheus does not know %.*s", STR_ARG(path));
        return text_answer(response, 501, type, "not simulated\n");
    }
    if (str_is(path, "/")) {
        http_header(response, "Location", "/graph");
        return text_answer(response, 302, "text/html; charset=utf-8",
                           "<a href=\"/graph\">Found</a>.\n\n");
    }
    return text_answer(response, 404, type, "404 page not found\n");
}

static int grafana_answer(const struct http_request *request, struct http_response *response)
{
    struct str rest = str_of(request->target), path = str_cut(&rest, '?');
    if (str_is(path, "/api/health"))
        return text_answer(response, 200, "application/json; charset=UTF-8",
                           "{\n  \"commit\": \"161e3cac5075540918e3a39004f2364ad104d5bb\",\n  "
                           "\"database\": \"ok\",\n"
                           "  \"version\": \"10.2.2\"\n}");
    if (str_starts(path, "/api/"))
        return text_answer(response, 401, "application/json; charset=UTF-8",
                           "{\"message\":\"Unauthorized\",\"messageId\":\"auth.unauthorized\","
                           "\"statusCode\":401,\"traceID\":\"\"}");
    http_header(response, "Location", "/login");
    return text_answer(response, 302, "text/html; charset=utf-8",
                       "<a href=\"/login\">Found</a>.\n\n");
}

static int serve(struct env *env, const struct http_request *request,
                 struct http_response *response, void *ctx)
{
    (void)env;
    struct monitor *m = ctx;
    if (!runs(m))
        return HTTP_REFUSED;
    return m->grafana ? grafana_answer(request, response) : prometheus_answer(m, request, response);
}

/* ---- set-up ---- */

static int load_one(struct env *env, const struct doc *node, struct error *error)
{
    static const char *const keys[] = {"kind", "host", "port", "every", "reload", "config", NULL};
    static const char *const kinds[] = {"prometheus", "grafana", NULL};
    int kind = strcmp(node->key, "grafana") == 0;
    const char *host = NULL;
    if (node->kind != DOC_NULL && doc_only(node, keys, error) < 0)
        return ERROR_INPUT;
    if (doc_choice(doc_get(node, "kind"), kinds, &kind, error) < 0)
        return ERROR_INPUT;
    int64_t port = kind ? 3000 : 9090;
    struct monitor *m = ARENA_NEW(&env->arena, struct monitor),
                   **slot = (struct monitor **)(void *)env_slot(env, "prometheus");
    *m = (struct monitor){.env = env,
                          .name = node->key,
                          .grafana = kind == 1,
                          .reload = true,
                          .every_ns = 15 * SECOND};
    if (doc_text(doc_get(node, "host"), &host, error) < 0 ||
        doc_int(doc_get(node, "port"), 1, 65535, &port, error) < 0 ||
        doc_duration(doc_get(node, "every"), &m->every_ns, error) < 0 ||
        doc_bool(doc_get(node, "reload"), &m->reload, error) < 0 ||
        doc_text(doc_get(node, "config"), &m->config, error) < 0)
        return ERROR_INPUT;
    if (m->every_ns < SECOND)
        return doc_error(doc_get(node, "every"), error, "scrapes are at least 1s apart");
    m->service = world_service(env->world, node->key);
    m->next = *slot;
    *slot = m;
    http_serve_service(env, m->service, node->key, host, node->key, (int)port, serve, m);
    if (!m->grafana) {
        m->histories =
            xcalloc((size_t)world_services(env->world) * N_METRICS, sizeof *m->histories);
        world_at(env->world, 0, start, m);
    }
    return 0;
}

static int setup(struct env *env, const struct doc *config, struct error *error)
{
    if (config && doc_want(config, DOC_MAPPING, error) < 0)
        return ERROR_INPUT;
    for (const struct doc *node = config && env->world ? config->first : NULL; node;
         node = node->next) {
        if (load_one(env, node, error) < 0)
            return ERROR_INPUT;
    }
    return 0;
}

static void release(struct env *env)
{
    for (struct monitor *m = *env_slot(env, "prometheus"); m; m = m->next) {
        for (int i = 0; m->histories && i < world_services(env->world) * N_METRICS; i++)
            free(m->histories[i].value);
        free(m->histories);
        free(m->at_ns);
    }
    *env_slot(env, "prometheus") = NULL;
}

static const char *const no_commands[] = {NULL};

const struct fake fake_prometheus = {
    .name = "prometheus", .commands = no_commands, .setup = setup, .release = release};
