#include "fakes/http.h"

#include <stdlib.h>
#include <string.h>

#include "fakes/fake.h"
#include "sim/base/xalloc.h"

struct listener {
    const char *host;
    int port; /* 0: the name resolves, nothing listens */
    bool inside; /* the name resolves only on the inner network: in containers, not on the machine itself */
    http_handler *handler;
    void *ctx;
};

struct listeners {
    struct listener *at;
    int n, cap;
};

static const char *canonical(const char *host)
{
    if (strcmp(host, "127.0.0.1") == 0 || strcmp(host, "::1") == 0 || strcmp(host, "[::1]") == 0 ||
        strcmp(host, "0.0.0.0") == 0)
        return "localhost";
    return host;
}

static struct listeners *listeners_of(struct env *env)
{
    void **slot = env_slot(env, "http listeners");
    if (!*slot)
        *slot = ARENA_NEW(&env->arena, struct listeners);
    return *slot;
}

static void add(struct env *env, struct listener listener)
{
    struct listeners *all = listeners_of(env);
    if (all->n == all->cap) { /* in the env's arena, which nobody has to release piecewise */
        int cap = all->cap ? all->cap * 2 : 16;
        struct listener *grown = ARENA_ARRAY(&env->arena, struct listener, cap);
        if (all->n)
            memcpy(grown, all->at, (size_t)all->n * sizeof *grown);
        all->at = grown;
        all->cap = cap;
    }
    listener.host = arena_strdup(&env->arena, canonical(listener.host));
    all->at[all->n++] = listener;
}

void http_serve(struct env *env, const char *host, int port, http_handler *handler, void *ctx)
{
    add(env, (struct listener){.host = host, .port = port, .handler = handler, .ctx = ctx});
}

void http_serve_inside(struct env *env, const char *host, int port, http_handler *handler, void *ctx)
{
    add(env, (struct listener){host, port, true, handler, ctx});
}

void http_host(struct env *env, const char *host)
{
    add(env, (struct listener){.host = host});
}

void http_header(struct http_response *response, const char *name, const char *value)
{
    if (response->n_headers == (int)(sizeof response->headers / sizeof *response->headers))
        return;
    response->headers[response->n_headers++] = (struct http_header){
        arena_strdup(response->arena, name), arena_strdup(response->arena, value)};
}

int http_fetch(struct env *env, const struct http_request *request, struct http_response *response)
{
    const struct listeners *all = listeners_of(env);
    const char *host = canonical(request->host);
    bool known = strcmp(host, "localhost") == 0;
    for (int i = all->n - 1; i >= 0; i--) {
        const struct listener *listener = &all->at[i];
        if (strcmp(listener->host, host) != 0 || (listener->inside && !request->place[0]))
            continue;
        known = true;
        if (listener->handler && listener->port == request->port)
            return listener->handler(env, request, response, listener->ctx);
    }
    return known ? HTTP_REFUSED : HTTP_UNKNOWN_HOST;
}

/* ---- services of the world that speak HTTP ----
 *
 *   http:
 *     api: {port: 8080, health: /health, metrics: /metrics}      # key: a service
 *     web: {host: www.example.test, port: 80, health: [/healthz, /readyz], paths: {/: {body: "..."}}}
 */
struct path_answer {
    const char *path, *body, *type;
    int status;
};

struct served {
    struct service *service;
    const char **health; /* NULL-terminated */
    const char *metrics; /* or NULL */
    struct path_answer *paths;
    int n_paths;
};

/* What stands at the front of the instances: the best one takes the request, as a balancer would arrange it. */
static const struct instance *best_instance(const struct service *service)
{
    const struct instance *best = NULL;
    for (int i = 0; i < service_instances(service); i++) {
        const struct instance *one = service_instance(service, i);
        if (instance_state(one) == INSTANCE_READY)
            return one;
        if (instance_state(one) == INSTANCE_FAILING)
            best = one;
    }
    return best;
}

static void answer(struct http_response *response, int status, const char *type, const char *body)
{
    response->status = status;
    http_header(response, "Content-Type", type);
    buf_puts(&response->body, body);
}

static void answer_health(const struct instance *instance, struct http_response *response)
{
    if (instance_state(instance) == INSTANCE_READY) {
        answer(response, 200, "application/json", "{\"status\":\"ok\"}");
        return;
    }
    answer(response, 503, "application/json", "{\"status\":\"unhealthy\",\"reason\":\"");
    for (const char *p = instance_why(instance); *p; p++) {
        if (*p == '"' || *p == '\\')
            buf_putc(&response->body, '\\');
        buf_putc(&response->body, *p);
    }
    buf_puts(&response->body, "\"}");
}

static void answer_metrics(const struct service *service, struct http_response *response)
{
    answer(response, 200, "text/plain; version=0.0.4; charset=utf-8", "");
    service_exposition(service, &response->body);
}

static const struct path_answer *find_path(const struct served *served, struct str path)
{
    for (int i = 0; i < served->n_paths; i++) {
        if (str_is(path, served->paths[i].path))
            return &served->paths[i];
    }
    return NULL;
}

static int serve_service(struct env *env, const struct http_request *request,
                         struct http_response *response, void *ctx)
{
    (void)env;
    const struct served *served = ctx;
    const struct instance *instance = best_instance(served->service);
    if (!instance)
        return HTTP_REFUSED;
    struct probe probe = service_probe(served->service);
    if (!probe.reachable)
        return probe.latency_ns >= SECOND ? HTTP_UNREACHABLE : HTTP_REFUSED;
    response->latency_ns = probe.latency_ns;
    struct str rest = str_of(request->target), path = str_cut(&rest, '?');
    for (int i = 0; served->health[i]; i++) {
        if (str_is(path, served->health[i])) {
            answer_health(instance, response);
            return 0;
        }
    }
    if (served->metrics && str_is(path, served->metrics)) {
        answer_metrics(served->service, response);
        return 0;
    }
    const struct path_answer *known = find_path(served, path);
    if (!known)
        answer(response, 404, "application/json", "{\"error\":\"not found\"}");
    else if (!probe.ok)
        answer(response, 500, "application/json", "{\"error\":\"internal server error\"}");
    else
        answer(response, known->status, known->type, known->body);
    return 0;
}

static int load_health(struct env *env, const struct doc *node, struct served *served, struct error *error)
{
    int n = !node ? 1 : node->kind == DOC_SEQUENCE ? node->n : 1;
    served->health = ARENA_ARRAY(&env->arena, const char *, n + 1);
    served->health[0] = "/health";
    if (!node)
        return 0;
    if (node->kind != DOC_SEQUENCE)
        return doc_text(node, &served->health[0], error);
    for (const struct doc *item = node->first; item; item = item->next) {
        if (doc_text(item, &served->health[item->index], error) < 0)
            return ERROR_INPUT;
    }
    return 0;
}

static int load_paths(struct env *env, const struct doc *node, struct served *served, struct error *error)
{
    static const char *const keys[] = {"status", "body", "type", NULL};
    if (!node)
        return 0;
    if (doc_want(node, DOC_MAPPING, error) < 0)
        return ERROR_INPUT;
    served->paths = ARENA_ARRAY(&env->arena, struct path_answer, node->n);
    for (const struct doc *item = node->first; item; item = item->next) {
        struct path_answer *path = &served->paths[served->n_paths++];
        int64_t status = 200;
        *path = (struct path_answer){.path = item->key, .body = "{}", .type = "application/json"};
        if (item->kind != DOC_NULL &&
            (doc_only(item, keys, error) < 0 || doc_int(doc_get(item, "status"), 100, 599, &status, error) < 0 ||
             doc_text(doc_get(item, "body"), &path->body, error) < 0 ||
             doc_text(doc_get(item, "type"), &path->type, error) < 0))
            return ERROR_INPUT;
        path->status = (int)status;
    }
    return 0;
}

static int load_service(struct env *env, const struct doc *node, struct error *error)
{
    static const char *const keys[] = {"host", "port", "health", "metrics", "paths", NULL};
    struct service *service = world_service(env->world, node->key);
    struct served *served = ARENA_NEW(&env->arena, struct served);
    struct doc *port_node = NULL;
    const char *host = "localhost";
    int64_t port = 0;
    if (!service)
        return doc_error(node, error, "no service '%s' in `services`", node->key);
    if (doc_only(node, keys, error) < 0 || doc_need(node, "port", &port_node, error) < 0 ||
        doc_int(port_node, 1, 65535, &port, error) < 0 || doc_text(doc_get(node, "host"), &host, error) < 0 ||
        doc_text(doc_get(node, "metrics"), &served->metrics, error) < 0 ||
        load_health(env, doc_get(node, "health"), served, error) < 0 ||
        load_paths(env, doc_get(node, "paths"), served, error) < 0)
        return ERROR_INPUT;
    served->service = service;
    http_serve(env, host, (int)port, serve_service, served);
    http_serve_inside(env, node->key, (int)port, serve_service, served);
    return 0;
}

static int setup(struct env *env, const struct doc *config, struct error *error)
{
    if (config && doc_want(config, DOC_MAPPING, error) < 0)
        return ERROR_INPUT;
    for (const struct doc *node = config ? config->first : NULL; node; node = node->next) {
        if (load_service(env, node, error) < 0)
            return ERROR_INPUT;
    }
    return 0;
}

static const char *const no_commands[] = {NULL};
const struct fake fake_http = {.name = "http", .commands = no_commands, .setup = setup};
