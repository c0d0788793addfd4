#include "fakes/http.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "fakes/fake.h"
#include "fakes/kubernetes/setup/setup_state.h"
#include "sim/base/xalloc.h"

struct listener {
    const char *host;
    int port;    /* 0: the name resolves, nothing listens */
    bool inside; /* the name resolves only on the inner network: in containers, not on the machine
                    itself */
    http_handler *handler;
    void *ctx;
    bool tls;
    int certificate; /* see http_tls() */
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
    listener.tls = listener.port == 443 || listener.port == 8443;
    listener.host = arena_strdup(&env->arena, canonical(listener.host));
    all->at[all->n++] = listener;
}

void http_serve(struct env *env, const char *host, int port, http_handler *handler, void *ctx)
{
    add(env, (struct listener){.host = host, .port = port, .handler = handler, .ctx = ctx});
}

void http_serve_inside(struct env *env, const char *host, int port, http_handler *handler,
                       void *ctx)
{
    add(env, (struct listener){
                 .host = host, .port = port, .inside = true, .handler = handler, .ctx = ctx});
}

void http_serve_service(struct env *env, const struct service *service, const char *name,
                        const char *host, const char *otherwise, int port, http_handler *handler,
                        void *ctx)
{
    bool in_pods = service && workload_declared(service_runs(service));
    if (host || !in_pods)
        http_serve(env, host ? host : otherwise, port, handler, ctx);
    http_serve_inside(env, name, port, handler, ctx);
}

void http_tls(struct env *env, const char *host, int port, bool tls, int certificate)
{
    struct listeners *all = listeners_of(env);
    for (int i = 0; i < all->n; i++) {
        if (all->at[i].port == port && strcasecmp(all->at[i].host, canonical(host)) == 0) {
            all->at[i].tls = tls;
            all->at[i].certificate = certificate;
        }
    }
}

void http_host(struct env *env, const char *host)
{
    add(env, (struct listener){.host = host});
}

static int vanish(struct env *env, const struct http_request *request,
                  struct http_response *response, void *ctx)
{
    (void)env;
    (void)request;
    (void)response;
    (void)ctx;
    return HTTP_UNREACHABLE;
}

void http_drop(struct env *env, const char *host, int port)
{
    http_serve(env, host, port, vanish, NULL);
}

void http_header(struct http_response *response, const char *name, const char *value)
{
    if (response->n_headers == (int)(sizeof response->headers / sizeof *response->headers))
        return;
    response->headers[response->n_headers++] = (struct http_header){
        arena_strdup(response->arena, name), arena_strdup(response->arena, value)};
}

const char *http_reason(int status)
{
    static const struct {
        int status;
        const char *reason;
    } reasons[] = {
        {100, "Continue"},
        {200, "OK"},
        {201, "Created"},
        {202, "Accepted"},
        {204, "No Content"},
        {206, "Partial Content"},
        {301, "Moved Permanently"},
        {302, "Found"},
        {303, "See Other"},
        {304, "Not Modified"},
        {307, "Temporary Redirect"},
        {308, "Permanent Redirect"},
        {400, "Bad Request"},
        {401, "Unauthorized"},
        {403, "Forbidden"},
        {404, "Not Found"},
        {405, "Method Not Allowed"},
        {406, "Not Acceptable"},
        {408, "Request Timeout"},
        {409, "Conflict"},
        {410, "Gone"},
        {415, "Unsupported Media Type"},
        {422, "Unprocessable Entity"},
        {429, "Too Many Requests"},
        {500, "Internal Server Error"},
        {501, "Not Implemented"},
        {502, "Bad Gateway"},
        {503, "Service Unavailable"},
        {504, "Gateway Timeout"},
    };
    for (size_t i = 0; i < sizeof reasons / sizeof *reasons; i++) {
        if (reasons[i].status == status)
            return reasons[i].reason;
    }
    return "";
}

static const char *header_in(const struct http_header *headers, int n, const char *name)
{
    for (int i = 0; i < n; i++) {
        if (strcasecmp(headers[i].name, name) == 0)
            return headers[i].value;
    }
    return NULL;
}

const char *http_response_header(const struct http_response *response, const char *name)
{
    return header_in(response->headers, response->n_headers, name);
}

const char *http_request_header(const struct http_request *request, const char *name)
{
    return header_in(request->headers, request->n_headers, name);
}

const char *http_basic(struct arena *arena, const char *credentials)
{
    static const char letters[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    size_t n = strlen(credentials), k = 0;
    char *out = arena_alloc(arena, n / 3 * 4 + 5);
    for (size_t i = 0; i < n; i += 3) {
        unsigned a = (unsigned char)credentials[i], b = (unsigned char)credentials[i + 1];
        unsigned c = i + 1 < n ? (unsigned char)credentials[i + 2] : 0;
        out[k++] = letters[a >> 2];
        out[k++] = letters[(a & 3) << 4 | b >> 4];
        out[k++] = i + 1 < n ? letters[(b & 15) << 2 | c >> 6] : '=';
        out[k++] = i + 2 < n ? letters[c & 63] : '=';
    }
    out[k] = '\0';
    return arena_printf(arena, "Basic %s", out);
}

const char *http_address(const char *host)
{
    if (strspn(host, "0123456789.") == strlen(host) || strchr(host, ':'))
        return host;
    return strcasecmp(host, "localhost") == 0 ? "127.0.0.1" : "10.0.0.10";
}

static int plain_to_tls(struct http_response *response)
{
    response->status = 400;
    http_header(response, "Content-Type", "text/html");
    buf_puts(
        &response->body,
        "<html>\r\n<head><title>400 The plain HTTP request was sent to HTTPS "
        "port</title></head>\r\n"
        "<body>\r\n<center><h1>400 Bad Request</h1></center>\r\n"
        "<center>The plain HTTP request was sent to HTTPS port</center>\r\n</body>\r\n</html>\r\n");
    return 0;
}

static int answer_by(struct env *env, const struct listener *listener,
                     const struct http_request *request, struct http_response *response)
{
    bool https = strcmp(request->scheme, "https") == 0;
    if (https == listener->tls && !(https && listener->certificate && !request->any_certificate))
        return listener->handler(env, request, response, listener->ctx);
    /* The program behind it is not reached; whether it is there at all comes first. */
    struct http_request nothing = *request;
    nothing.method = "HEAD";
    nothing.target = "/";
    nothing.body = (struct str){0};
    int failure = listener->handler(env, &nothing, response, listener->ctx);
    if (failure)
        return failure;
    buf_clear(&response->body);
    response->n_headers = 0;
    return !https ? plain_to_tls(response) : listener->tls ? listener->certificate : HTTP_TLS;
}

/* By a name that a platform gives. False: none does; *ret_inside: the inner network's names count.
 */
static bool fetch_named(struct env *env, const struct http_request *request,
                        struct http_response *response, int *ret, bool *ret_inside)
{
    struct env_target target;
    enum env_answer answer =
        env_resolve(env, request->place, request->host, request->port, &target);
    *ret_inside = request->place[0] && answer != ENV_NO_HOST;
    if (answer <= ENV_NO_HOST)
        return false;
    *ret = answer == ENV_REFUSED       ? HTTP_REFUSED
           : answer == ENV_UNREACHABLE ? HTTP_UNREACHABLE
           : target.service ? http_answer(env, target.service, target.port, request, response)
                            : HTTP_CLOSED;
    return true;
}

int http_fetch(struct env *env, const struct http_request *request, struct http_response *response)
{
    const struct listeners *all = listeners_of(env);
    const char *host = canonical(request->host);
    int failure;
    bool inside;
    if (fetch_named(env, request, response, &failure, &inside))
        return failure;
    bool known = strcasecmp(host, "localhost") == 0 || strspn(host, "0123456789.") == strlen(host);
    for (int i = all->n - 1; i >= 0; i--) {
        const struct listener *listener = &all->at[i];
        if (strcasecmp(listener->host, host) != 0 || (listener->inside && !inside))
            continue;
        known = true;
        if (listener->handler && listener->port == request->port)
            return answer_by(env, listener, request, response);
    }
    return known ? HTTP_REFUSED : HTTP_UNKNOWN_HOST;
}

/* ---- services of the world that speak HTTP ----
 *
 *   http:
 *     api: {port: 8080, health: /health, metrics: /metrics}      # key: a service
 *     # where the operator finds it: by default localhost; for what runs in pods nowhere, there
 *     # only what the cluster shows outside leads to it
 *     shop: {host: shop.example.test, port: 443, certificate: self_signed}   # or valid, expired
 *     cart: {port: 8081, healthy: '{"status":"healthy"}'}   # what it says while it is ready
 *     web: {host: www.example.test, port: 80, health: [/healthz, /readyz],
 *           paths: {/: {body: "..."}}}
 */
#define HEALTHY "{\"status\":\"ok\"}"

struct path_answer {
    const char *path, *body, *type;
    int status;
};

struct served {
    struct service *service;
    const char **health; /* NULL-terminated */
    const char *healthy; /* what it says there while it is ready */
    const char *metrics; /* or NULL */
    struct path_answer *paths;
    int n_paths;
};

/* What stands at the front of the instances: the best one takes the request, as a balancer would
 * arrange it. */
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

static void answer_health(const struct instance *instance, const char *healthy,
                          struct http_response *response)
{
    if (instance_state(instance) == INSTANCE_READY) {
        answer(response, 200, "application/json", healthy);
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
            answer_health(instance, served->healthy, response);
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

int http_answer(struct env *env, struct service *service, int port,
                const struct http_request *request, struct http_response *response)
{
    static const char *const health[] = {"/health", NULL};
    const struct listeners *all = listeners_of(env);
    const struct listener *best = NULL;
    for (int i = all->n - 1; i >= 0; i--) {
        const struct listener *listener = &all->at[i];
        bool its = listener->handler && listener->inside &&
                   strcmp(listener->host, service_name(service)) == 0;
        if (its && (!best || listener->port == port))
            best = listener;
    }
    struct served plain = {
        .service = service, .health = (const char **)(uintptr_t)health, .healthy = HEALTHY};
    return best ? best->handler(env, request, response, best->ctx)
                : serve_service(env, request, response, &plain);
}

static int load_health(struct env *env, const struct doc *node, struct served *served,
                       struct error *error)
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

static int load_paths(struct env *env, const struct doc *node, struct served *served,
                      struct error *error)
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
            (doc_only(item, keys, error) < 0 ||
             doc_int(doc_get(item, "status"), 100, 599, &status, error) < 0 ||
             doc_text(doc_get(item, "body"), &path->body, error) < 0 ||
             doc_text(doc_get(item, "type"), &path->type, error) < 0))
            return ERROR_INPUT;
        path->status = (int)status;
    }
    return 0;
}

static int load_service(struct env *env, const struct doc *node, struct error *error)
{
    static const char *const keys[] = {"host",  "port", "health",      "healthy", "metrics",
                                       "paths", "tls",  "certificate", NULL};
    static const char *const certificates[] = {"valid", "self_signed", "expired", NULL};
    struct service *service = world_service(env->world, node->key);
    struct served *served = ARENA_NEW(&env->arena, struct served);
    struct doc *port_node = NULL;
    const char *host = NULL;
    int64_t port = 0;
    int certificate = 0;
    served->healthy = HEALTHY;
    if (!service)
        return doc_error(node, error, "no service '%s' in `services`", node->key);
    if (doc_only(node, keys, error) < 0 || doc_need(node, "port", &port_node, error) < 0 ||
        doc_int(port_node, 1, 65535, &port, error) < 0 ||
        doc_text(doc_get(node, "host"), &host, error) < 0 ||
        doc_text(doc_get(node, "healthy"), &served->healthy, error) < 0 ||
        doc_text(doc_get(node, "metrics"), &served->metrics, error) < 0 ||
        load_health(env, doc_get(node, "health"), served, error) < 0 ||
        load_paths(env, doc_get(node, "paths"), served, error) < 0)
        return ERROR_INPUT;
    served->service = service;
    bool tls = port == 443 || port == 8443 || doc_get(node, "certificate");
    if (doc_bool(doc_get(node, "tls"), &tls, error) < 0 ||
        doc_choice(doc_get(node, "certificate"), certificates, &certificate, error) < 0)
        return ERROR_INPUT;
    static const int failures[] = {0, HTTP_SELF_SIGNED, HTTP_EXPIRED};
    http_serve_service(env, service, node->key, host, "localhost", (int)port, serve_service,
                       served);
    http_tls(env, host ? host : "localhost", (int)port, tls, failures[certificate]);
    http_tls(env, node->key, (int)port, tls, failures[certificate]);
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
