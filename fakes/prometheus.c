/* prometheus: Prometheus and Grafana as health checks see them.
 *
 *   prometheus:
 *     prometheus: {host: prometheus, port: 9090, every: 15s, reload: true}
 *     grafana: {kind: grafana, host: grafana, port: 3000}
 *
 * Each key may be a service of the world: then it answers while an instance of that service is ready, else always.
 * Prometheus scrapes every metric of every service of the world while it runs, as `METRIC{job="SERVICE", instance="SERVICE"}`,
 * and answers /-/healthy, /-/ready, /-/reload, /metrics, /api/v1/query, /api/v1/targets, /api/v1/alerts. Grafana answers
 * /api/health.
 */
#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fakes/fake.h"
#include "fakes/http.h"
#include "fakes/promql.h"
#include "sim/base/xalloc.h"

static const char *const metrics[] = {
    "up", "requests_total", "errors_total", "error_ratio", "requests_per_second", "latency_seconds",
    "latency_p50_seconds", "latency_p95_seconds", "latency_p99_seconds", "ready_replicas", "memory_bytes", "memory_ratio",
    "cpu_ratio", "restarts_total", "queue_length",
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
            m->histories[i].value = xrealloc(m->histories[i].value, sizeof(double) * (size_t)m->cap);
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

/* ---- answers ---- */

static int text_answer(struct http_response *response, int status, const char *type, const char *text)
{
    response->status = status;
    response->latency_ns = 3 * MILLISECOND;
    http_header(response, "Content-Type", type);
    buf_puts(&response->body, text);
    return 0;
}

static void json_string(struct buf *out, const char *text)
{
    buf_putc(out, '"');
    for (; *text; text++) {
        if (*text == '"' || *text == '\\')
            buf_putc(out, '\\');
        buf_putc(out, *text);
    }
    buf_putc(out, '"');
}

static void json_number(struct buf *out, double x)
{
    if (isnan(x))
        buf_puts(out, "\"NaN\"");
    else if (isinf(x))
        buf_puts(out, x > 0 ? "\"+Inf\"" : "\"-Inf\"");
    else {
        char text[40];
        int digits = 1;
        do
            snprintf(text, sizeof text, "%.*g", digits, x);
        while (digits++ < 17 && (strtod(text, NULL) < x || strtod(text, NULL) > x));
        buf_printf(out, "\"%s\"", text);
    }
}

/* The value of a query parameter, decoded; "" if it is not there. From the target, or a form in the body. */
static const char *parameter(struct arena *arena, const struct http_request *request, const char *name)
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

static int query_answer(struct monitor *m, const struct http_request *request, struct http_response *response)
{
    struct env *env = m->env;
    struct arena arena = {0};
    int n_services = world_services(env->world), n = 0;
    struct prom_series *series = ARENA_ARRAY(&arena, struct prom_series, n_services * N_METRICS + 1);
    for (int i = 0; i < n_services; i++) {
        const char **labels = ARENA_ARRAY(&arena, const char *, 5);
        labels[0] = "instance";
        labels[1] = labels[3] = service_name(world_service_at(env->world, i));
        labels[2] = "job";
        for (int k = 0; k < N_METRICS; k++)
            series[n++] = (struct prom_series){metrics[k], (const char *const *)labels, m->at_ns,
                                               m->histories[i * N_METRICS + k].value, m->n};
    }
    struct prom_result result = prom_query(&arena, parameter(&arena, request, "query"), series, n, world_now(env->world));
    struct buf *out = &response->body;
    response->status = result.error ? (result.not_simulated ? 422 : 400) : 200;
    response->latency_ns = 5 * MILLISECOND;
    http_header(response, "Content-Type", "application/json");
    if (result.error) {
        if (result.not_simulated)
            record_observe(env->record, "not_simulated", request->target, "the simulated Prometheus does not know this query: %s",
                           result.error);
        buf_printf(out, "{\"status\":\"error\",\"errorType\":\"%s\",\"error\":", result.not_simulated ? "execution" : "bad_data");
        json_string(out, result.error);
        buf_putc(out, '}');
        arena_release(&arena);
        return 0;
    }
    int64_t unix_ms = env_unix_ns(env) / 1000000;
    const char *at = arena_printf(&arena, "%lld.%03lld", (long long)(unix_ms / 1000), (long long)(unix_ms % 1000));
    buf_printf(out, "{\"status\":\"success\",\"data\":{\"resultType\":\"%s\",\"result\":[", result.is_scalar ? "scalar" : "vector");
    if (result.is_scalar) {
        buf_printf(out, "%s,", at);
        json_number(out, result.scalar);
    }
    for (int i = 0; i < result.n; i++) {
        buf_printf(out, "%s{\"metric\":{", i ? "," : "");
        bool any = result.samples[i].name != NULL;
        if (any)
            buf_printf(out, "\"__name__\":\"%s\"", result.samples[i].name);
        for (int k = 0; result.samples[i].labels[k]; k += 2) {
            buf_printf(out, "%s\"%s\":\"%s\"", any ? "," : "", result.samples[i].labels[k], result.samples[i].labels[k + 1]);
            any = true;
        }
        buf_printf(out, "},\"value\":[%s,", at);
        json_number(out, result.samples[i].value);
        buf_puts(out, "]}");
    }
    buf_puts(out, "]}}");
    arena_release(&arena);
    return 0;
}

static int targets_answer(struct monitor *m, struct http_response *response)
{
    struct world *world = m->env->world;
    struct buf *out = &response->body;
    text_answer(response, 200, "application/json", "{\"status\":\"success\",\"data\":{\"activeTargets\":[");
    for (int i = 0; i < world_services(world); i++) {
        struct service *service = world_service_at(world, i);
        buf_printf(out, "%s{\"labels\":{\"instance\":\"%s\",\"job\":\"%s\"},\"scrapePool\":\"%s\",\"health\":\"%s\"}", i ? "," : "",
                   service_name(service), service_name(service), service_name(service),
                   service_ready(service) > 0 ? "up" : "down");
    }
    buf_puts(out, "],\"droppedTargets\":[]}}");
    return 0;
}

static int prometheus_answer(struct monitor *m, const struct http_request *request, struct http_response *response)
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
        return posts ? text_answer(response, 200, type, "")
                     : text_answer(response, 405, type, "Only POST or PUT requests allowed");
    }
    if (str_is(path, "/metrics")) {
        text_answer(response, 200, "text/plain; version=0.0.4; charset=utf-8", "");
        buf_printf(&response->body, "# HELP prometheus_build_info A metric with a constant '1' value labeled by version.\n"
                                    "# TYPE prometheus_build_info gauge\nprometheus_build_info{version=\"2.48.1\"} 1\n"
                                    "# TYPE prometheus_target_scrapes_total counter\nprometheus_target_scrapes_total %d\n",
                   m->n);
        return 0;
    }
    if (str_is(path, "/api/v1/query"))
        return query_answer(m, request, response);
    if (str_is(path, "/api/v1/targets"))
        return targets_answer(m, response);
    if (str_is(path, "/api/v1/alerts"))
        return text_answer(response, 200, "application/json", "{\"status\":\"success\",\"data\":{\"alerts\":[]}}");
    if (str_starts(path, "/api/v1/")) {
        record_observe(m->env->record, "not_simulated", request->target, "the simulated Prometheus does not know %.*s",
                       STR_ARG(path));
        return text_answer(response, 501, type, "not simulated\n");
    }
    return text_answer(response, 404, type, "404 page not found\n");
}

static int grafana_answer(const struct http_request *request, struct http_response *response)
{
    struct str rest = str_of(request->target), path = str_cut(&rest, '?');
    if (str_is(path, "/api/health"))
        return text_answer(response, 200, "application/json; charset=UTF-8",
                           "{\n  \"commit\": \"161e3cac5075540918e3a39004f2364ad104d5bb\",\n  \"database\": \"ok\",\n"
                           "  \"version\": \"10.2.2\"\n}");
    if (str_starts(path, "/api/"))
        return text_answer(response, 401, "application/json; charset=UTF-8",
                           "{\"message\":\"Unauthorized\",\"messageId\":\"auth.unauthorized\",\"statusCode\":401,\"traceID\":\"\"}");
    http_header(response, "Location", "/login");
    return text_answer(response, 302, "text/html; charset=utf-8", "<a href=\"/login\">Found</a>.\n\n");
}

static int serve(struct env *env, const struct http_request *request, struct http_response *response, void *ctx)
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
    static const char *const keys[] = {"kind", "host", "port", "every", "reload", NULL};
    static const char *const kinds[] = {"prometheus", "grafana", NULL};
    int kind = strcmp(node->key, "grafana") == 0;
    const char *host = node->key;
    if (node->kind != DOC_NULL && doc_only(node, keys, error) < 0)
        return ERROR_INPUT;
    if (doc_choice(doc_get(node, "kind"), kinds, &kind, error) < 0)
        return ERROR_INPUT;
    int64_t port = kind ? 3000 : 9090;
    struct monitor *m = ARENA_NEW(&env->arena, struct monitor), **slot = (struct monitor **)(void *)env_slot(env, "prometheus");
    *m = (struct monitor){.env = env, .name = node->key, .grafana = kind == 1, .reload = true, .every_ns = 15 * SECOND};
    if (doc_text(doc_get(node, "host"), &host, error) < 0 || doc_int(doc_get(node, "port"), 1, 65535, &port, error) < 0 ||
        doc_duration(doc_get(node, "every"), &m->every_ns, error) < 0 || doc_bool(doc_get(node, "reload"), &m->reload, error) < 0)
        return ERROR_INPUT;
    if (m->every_ns < SECOND)
        return doc_error(doc_get(node, "every"), error, "scrapes are at least 1s apart");
    m->service = world_service(env->world, node->key);
    m->next = *slot;
    *slot = m;
    http_serve(env, host, (int)port, serve, m);
    if (strcmp(host, node->key) != 0)
        http_serve_inside(env, node->key, (int)port, serve, m);
    if (!m->grafana) {
        m->histories = xcalloc((size_t)world_services(env->world) * N_METRICS, sizeof *m->histories);
        world_at(env->world, 0, scrape, m);
    }
    return 0;
}

static int setup(struct env *env, const struct doc *config, struct error *error)
{
    if (config && doc_want(config, DOC_MAPPING, error) < 0)
        return ERROR_INPUT;
    for (const struct doc *node = config && env->world ? config->first : NULL; node; node = node->next) {
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

const struct fake fake_prometheus = {.name = "prometheus", .commands = no_commands, .setup = setup, .release = release};
