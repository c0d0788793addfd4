/* The form of answers, and which request is whose. */
#include <string.h>

#include "fakes/opa/opa.h"

void opa_send_text(struct http_response *response, int status, const char *text)
{
    response->status = status;
    http_header(response, "Content-Type", "application/json");
    buf_puts(&response->body, text);
}

void opa_send_json(struct http_response *response, int status, cJSON *json)
{
    char *text = cJSON_PrintUnformatted(json);
    opa_send_text(response, status, text);
    buf_putc(&response->body, '\n');
    cJSON_free(text);
    cJSON_Delete(json);
}

void opa_send_error(struct http_response *response, int status, const char *code,
                    const char *message)
{
    response->status = status;
    http_header(response, "Content-Type", "application/json");
    cJSON *quoted = cJSON_CreateString(message);
    char *text = cJSON_PrintUnformatted(quoted);
    buf_printf(&response->body, "{\n  \"code\": \"%s\",\n  \"message\": %s\n}\n", code, text);
    cJSON_free(text);
    cJSON_Delete(quoted);
}

void opa_send_module_error(struct http_response *response, const char *id, const char *message,
                           int row)
{
    response->status = 400;
    http_header(response, "Content-Type", "application/json");
    buf_printf(&response->body,
               "{\n  \"code\": \"invalid_parameter\",\n"
               "  \"message\": \"error(s) occurred while compiling module(s)\",\n"
               "  \"errors\": [\n    {\n      \"code\": \"rego_parse_error\",\n      \"message\": "
               "\"%s\",\n"
               "      \"location\": {\n        \"file\": \"%s\",\n        \"row\": %d,\n        "
               "\"col\": 1\n      }\n"
               "    }\n  ]\n}\n",
               message, id, row);
}

void opa_send_not_found(struct http_response *response, const char *what)
{
    opa_send_error(response, 404, "resource_not_found", what);
}

bool opa_refuse_owned(struct opa *opa, struct str path, struct http_response *response)
{
    const struct opa_bundle *owner = opa_owner(opa, path);
    if (owner)
        opa_send_error(response, 400, "invalid_parameter",
                       arena_printf(response->arena, "path %.*s is owned by bundle \"%s\"",
                                    STR_ARG(path), owner->name));
    return owner != NULL;
}

/* ?bundles asks whether each has been activated. */
static void answer_health(struct opa *opa, struct str query, struct http_response *response)
{
    bool asked = false, ready = true;
    while (query.len) {
        struct str value = str_cut(&query, '&'), key = str_cut(&value, '=');
        asked |= (str_is(key, "bundles") || str_is(key, "bundle")) && !str_is(value, "false");
    }
    for (const struct opa_bundle *bundle = opa->bundles; bundle; bundle = bundle->next)
        ready &= bundle->active;
    if (asked && !ready)
        opa_send_text(response, 500, "{\"error\":\"one or more bundles are not activated\"}\n");
    else
        opa_send_text(response, 200, "{}\n");
}

static void not_simulated(struct opa *opa, const struct http_request *request,
                          struct http_response *response)
{
    record_observe(opa->env->record, "not_simulated", request->target,
                   "OPA's %s %s is not simulated", request->method, request->target);
    opa_send_error(response, 501, "not_simulated", "not simulated");
}

static bool below(struct str path, const char *prefix, struct str *ret_rest)
{
    size_t n = strlen(prefix);
    if (!str_starts(path, prefix) || (path.len > n && path.at[n] != '/'))
        return false;
    *ret_rest =
        path.len > n ? (struct str){path.at + n + 1, path.len - n - 1} : (struct str){"", 0};
    return true;
}

int opa_serve(struct env *env, const struct http_request *request, struct http_response *response,
              void *ctx)
{
    (void)env;
    struct opa *opa = ctx;
    struct probe probe = service_probe(opa->service);
    if (!probe.reachable)
        return probe.latency_ns >= SECOND ? HTTP_UNREACHABLE : HTTP_REFUSED;
    response->latency_ns = probe.latency_ns;
    struct str rest = str_of(request->target), path = str_cut(&rest, '?'), under;
    if (below(path, "/v1/policies", &under))
        opa_answer_policies(opa, request, under, response);
    else if (below(path, "/v1/data", &under))
        opa_answer_data(opa, request, under, response);
    else if (str_is(path, "/health"))
        answer_health(opa, rest, response);
    else if (str_is(path, "/v1/config"))
        opa_send_text(response, 200, "{\"result\":{}}\n");
    else if (str_is(path, "/v1/status")) {
        cJSON *all = cJSON_CreateObject(), *result = cJSON_AddObjectToObject(all, "result");
        cJSON_AddItemToObject(result, "bundles", opa_bundle_status(opa));
        opa_send_json(response, 200, all);
    } else if (str_is(path, "/v1/query") || str_starts(path, "/v1/compile") ||
               str_starts(path, "/v0/data") || str_is(path, "/metrics") ||
               str_starts(path, "/health/"))
        not_simulated(opa, request, response);
    else if (str_is(path, "/") &&
             strcmp(request->method, "POST") == 0) /* the default decision, which nobody defined */
        opa_send_error(response, 404, "undefined_document", "document missing: data.system.main");
    else if (str_is(path, "/")) {
        response->status = 200;
        http_header(response, "Content-Type", "text/html; charset=utf-8");
        buf_puts(&response->body, "<html><title>Open Policy Agent</title></html>\n");
    } else {
        response->status = 404;
        http_header(response, "Content-Type", "text/plain; charset=utf-8");
        buf_puts(&response->body, "404 page not found\n");
    }
    return 0;
}
