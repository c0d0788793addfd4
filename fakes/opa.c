/* opa: the Open Policy Agent's REST API, as `opa run --server` answers it.
 *
 *   opa:
 *     opa:                                             # the service of the world that it is
 *       host: opa-service                              # default: localhost; containers reach it by the service's name
 *       port: 8181
 *       modules:
 *         authz:                                       # id, as in /v1/policies/authz
 *           known: {original: files/old.rego, strict: files/new.rego}   # beside the system file
 *           start: original                            # loaded at every start; none: the id is unknown then
 *           watch: /srv/policies/authz.rego            # started with --watch on this file of the operator's machine
 *       answers: {shop/allow: {authz: {original: true, strict: false}}} # /v1/data/shop/allow by what authz is
 *       data: {limits: {max: 5}}
 *
 * What is loaded is a setting of the world, "opa.ID": the known name whose text it has, else "other"; versions of services
 * and the good state can ask for it. Modules and data put through the API live in memory: a restart forgets them. Rego
 * is not evaluated: decisions are answered from `answers`, and any other path into a package is noted as not simulated.
 *
 * Answers as in OPA 1.0: its REST API page, and server/server.go, for undefined documents (200 and no result), the warning
 * about a missing input, and the texts of errors.
 */
#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <cjson/cJSON.h>

#include "fakes/fake.h"
#include "fakes/http.h"
#include "sim/base/xalloc.h"
#include "sim/record.h"
#include "sim/base/str.h"

#define WATCH_EVERY_NS SECOND
enum { MODULE_MAX = 1 << 20 };

struct known_text {
    const char *name;
    struct str text;
};

struct module {
    const char *id;
    struct buf text; /* what is loaded */
    bool loaded;
    const char *start, *watch;
    const struct known_text *known;
    int n_known;
    struct module *next;
};

struct answer {
    const char *path;
    const struct doc *by; /* module id: {known name: value} */
    struct answer *next;
};

struct opa {
    struct env *env;
    struct service *service;
    struct module *modules;
    struct answer *answers;
    const struct doc *first_data;
    cJSON *data;
    struct opa *next;
};

/* ---- modules, and what the world sees of them ---- */

static struct module *find_module(const struct opa *opa, struct str id)
{
    for (struct module *module = opa->modules; module; module = module->next) {
        if (str_is(id, module->id))
            return module;
    }
    return NULL;
}

static struct module *add_module(struct opa *opa, const char *id)
{
    struct module *module = ARENA_NEW(&opa->env->arena, struct module), **last = &opa->modules;
    while (*last && strcmp((*last)->id, id) < 0) /* listed by id */
        last = &(*last)->next;
    module->id = id;
    buf_init(&module->text, MODULE_MAX);
    module->next = *last;
    *last = module;
    return module;
}

static const char *known_as(const struct module *module)
{
    if (!module->loaded)
        return NULL;
    for (int i = 0; i < module->n_known; i++) {
        if (str_eq(module->known[i].text, buf_text(&module->text)))
            return module->known[i].name;
    }
    return "other";
}

static void tell_world(struct opa *opa, const struct module *module)
{
    world_set(opa->env->world, arena_printf(&opa->env->arena, "opa.%s", module->id), known_as(module));
}

static void load(struct opa *opa, struct module *module, struct str text)
{
    buf_clear(&module->text);
    buf_str(&module->text, text);
    module->loaded = true;
    tell_world(opa, module);
}

static void unload(struct opa *opa, struct module *module)
{
    buf_clear(&module->text);
    module->loaded = false;
    tell_world(opa, module);
}

/* ---- documents ---- */

static cJSON *json_of(const struct doc *node)
{
    if (node->kind == DOC_MAPPING || node->kind == DOC_SEQUENCE) {
        cJSON *all = node->kind == DOC_MAPPING ? cJSON_CreateObject() : cJSON_CreateArray();
        for (const struct doc *child = node->first; child; child = child->next) {
            if (node->kind == DOC_MAPPING)
                cJSON_AddItemToObject(all, child->key, json_of(child));
            else
                cJSON_AddItemToArray(all, json_of(child));
        }
        return all;
    }
    if (node->kind == DOC_NULL)
        return cJSON_CreateNull();
    cJSON *plain = node->quoted ? NULL : cJSON_ParseWithOpts(node->text, NULL, true);
    return plain ? plain : cJSON_CreateString(node->text);
}

static void start_anew(struct opa *opa)
{
    cJSON_Delete(opa->data);
    opa->data = opa->first_data ? json_of(opa->first_data) : cJSON_CreateObject();
    for (struct module *module = opa->modules; module; module = module->next) {
        bool found = false;
        for (int i = 0; module->start && i < module->n_known; i++) {
            if (strcmp(module->known[i].name, module->start) == 0) {
                load(opa, module, module->known[i].text);
                found = true;
            }
        }
        if (!found)
            unload(opa, module);
    }
}

/* Cuts the next part of a path; empty parts are skipped. */
static bool next_part(struct str *rest, char *part, size_t size)
{
    while (rest->len) {
        struct str one = str_cut(rest, '/');
        if (one.len && one.len < size) {
            memcpy(part, one.at, one.len);
            part[one.len] = '\0';
            return true;
        }
    }
    return false;
}

static cJSON *data_at(cJSON *data, struct str path)
{
    char part[256];
    while (data && next_part(&path, part, sizeof part))
        data = cJSON_IsArray(data) ? cJSON_GetArrayItem(data, leading_int(part))
                                   : cJSON_GetObjectItemCaseSensitive(data, part);
    return data;
}

/* The object that holds the last part of the path, made where it is missing; NULL if something else is in the way. */
static cJSON *holder_of(cJSON *data, struct str path, char *last, size_t size)
{
    char part[256];
    last[0] = '\0';
    while (data && next_part(&path, part, sizeof part)) {
        if (last[0]) {
            cJSON *child = cJSON_GetObjectItemCaseSensitive(data, last);
            if (!child && cJSON_IsObject(data))
                child = cJSON_AddObjectToObject(data, last);
            data = child;
        }
        memcpy(last, part, size);
    }
    return cJSON_IsObject(data) ? data : NULL;
}

/* ---- answers ---- */

static void send_text(struct http_response *response, int status, const char *text)
{
    response->status = status;
    http_header(response, "Content-Type", "application/json");
    buf_puts(&response->body, text);
}

static void send_json(struct http_response *response, int status, cJSON *json)
{
    char *text = cJSON_PrintUnformatted(json);
    send_text(response, status, text);
    buf_putc(&response->body, '\n');
    cJSON_free(text);
    cJSON_Delete(json);
}

static void send_error(struct http_response *response, int status, const char *code, const char *message)
{
    response->status = status;
    http_header(response, "Content-Type", "application/json");
    cJSON *quoted = cJSON_CreateString(message);
    char *text = cJSON_PrintUnformatted(quoted);
    buf_printf(&response->body, "{\n  \"code\": \"%s\",\n  \"message\": %s\n}\n", code, text);
    cJSON_free(text);
    cJSON_Delete(quoted);
}

static void send_module_error(struct http_response *response, const char *id, const char *message, int row)
{
    response->status = 400;
    http_header(response, "Content-Type", "application/json");
    buf_printf(&response->body,
               "{\n  \"code\": \"invalid_parameter\",\n"
               "  \"message\": \"error(s) occurred while compiling module(s)\",\n"
               "  \"errors\": [\n    {\n      \"code\": \"rego_parse_error\",\n      \"message\": \"%s\",\n"
               "      \"location\": {\n        \"file\": \"%s\",\n        \"row\": %d,\n        \"col\": 1\n      }\n"
               "    }\n  ]\n}\n",
               message, id, row);
}

static void send_not_found(struct http_response *response, const char *what)
{
    send_error(response, 404, "resource_not_found", what);
}

/* What OPA's parser would say about the text, as far as can be told without one; NULL: nothing. */
static const char *parse_problem(struct str text, int *ret_row)
{
    struct str rest = text;
    int braces = 0;
    bool has_package = false;
    *ret_row = 1;
    for (size_t i = 0; i < text.len; i++) {
        unsigned char c = (unsigned char)text.at[i];
        if (c < ' ' && !isspace(c))
            return "illegal token"; /* an archive, an image: no text */
    }
    for (int row = 1; rest.len; row++) {
        struct str line = str_trim(str_cut(&rest, '\n'));
        if (!line.len || line.at[0] == '#')
            continue;
        if (!has_package) {
            *ret_row = row;
            if (!str_starts(line, "package "))
                return "package expected";
            has_package = true;
        }
        for (size_t i = 0; i < line.len && line.at[i] != '#'; i++)
            braces += line.at[i] == '{' ? 1 : line.at[i] == '}' ? -1 : 0;
        *ret_row = row;
    }
    if (!has_package)
        return "empty module";
    return braces > 0 ? "unexpected eof token" : braces < 0 ? "unexpected } token" : NULL;
}

static cJSON *describe(const struct module *module)
{
    cJSON *json = cJSON_CreateObject();
    cJSON_AddStringToObject(json, "id", module->id);
    cJSON_AddStringToObject(json, "raw", module->text.at ? module->text.at : "");
    cJSON_AddNullToObject(json, "ast");
    return json;
}

static void put_module(struct opa *opa, const struct http_request *request, struct str id,
                       struct http_response *response)
{
    struct arena *arena = &opa->env->arena;
    struct module *module = find_module(opa, id);
    int row = 1;
    const char *problem = parse_problem(request->body, &row);
    if (problem && strcmp(problem, "empty module") == 0) {
        send_error(response, 400, "invalid_parameter", problem);
        return;
    }
    if (problem) {
        send_module_error(response, arena_str(arena, id), problem, row);
        return;
    }
    if (!module)
        module = add_module(opa, arena_str(arena, id));
    if (!module->loaded || !str_eq(buf_text(&module->text), request->body))
        record_change(opa->env->record, service_name(opa->service), "policy %s loaded", module->id);
    load(opa, module, request->body);
    send_text(response, 200, "{}\n");
}

static void answer_policies(struct opa *opa, const struct http_request *request, struct str id,
                            struct http_response *response)
{
    struct arena *arena = response->arena;
    struct module *module = find_module(opa, id);
    bool get = strcmp(request->method, "GET") == 0;
    if (!id.len && get) {
        cJSON *all = cJSON_CreateObject(), *list = cJSON_AddArrayToObject(all, "result");
        for (module = opa->modules; module; module = module->next) {
            if (module->loaded)
                cJSON_AddItemToArray(list, describe(module));
        }
        send_json(response, 200, all);
    } else if (id.len && strcmp(request->method, "PUT") == 0) {
        put_module(opa, request, id, response);
    } else if (!id.len || (!get && strcmp(request->method, "DELETE") != 0)) {
        response->status = 405;
    } else if (!module || !module->loaded) {
        send_not_found(response, arena_printf(arena, "storage_not_found_error: policy id \"%.*s\"", STR_ARG(id)));
    } else if (get) {
        cJSON *one = cJSON_CreateObject();
        cJSON_AddItemToObject(one, "result", describe(module));
        send_json(response, 200, one);
    } else {
        record_change(opa->env->record, service_name(opa->service), "policy %s deleted", module->id);
        unload(opa, module);
        send_text(response, 200, "{}\n");
    }
}

/* Does a loaded module define something at or below that path? */
static bool is_virtual(const struct opa *opa, struct str path)
{
    for (const struct module *module = opa->modules; module; module = module->next) {
        struct str rest = module->loaded ? buf_text(&module->text) : (struct str){"", 0};
        while (rest.len) {
            struct str line = str_trim(str_cut(&rest, '\n'));
            if (!str_starts(line, "package "))
                continue;
            struct str package = str_trim((struct str){line.at + 8, line.len - 8});
            size_t n = package.len < path.len ? package.len : path.len;
            bool same = n > 0;
            for (size_t i = 0; i < n && same; i++)
                same = package.at[i] == path.at[i] || (package.at[i] == '.' && path.at[i] == '/');
            if (same && (path.len == n || path.at[n] == '/') && (package.len == n || package.at[n] == '.'))
                return true;
        }
    }
    return false;
}

static const struct doc *declared_answer(const struct opa *opa, struct str path)
{
    for (const struct answer *answer = opa->answers; answer; answer = answer->next) {
        if (!str_is(path, answer->path))
            continue;
        for (const struct doc *by = answer->by->first; by; by = by->next) {
            const struct module *module = find_module(opa, str_of(by->key));
            const char *as = module ? known_as(module) : NULL;
            if (as && doc_get(by, as))
                return doc_get(by, as);
        }
    }
    return NULL;
}

static void answer_query(struct opa *opa, const struct http_request *request, struct str path,
                         struct http_response *response, bool is_post)
{
    cJSON *input = NULL, *result = cJSON_CreateObject();
    if (is_post && request->body.len) {
        cJSON *body = cJSON_ParseWithLength(request->body.at, request->body.len);
        if (!body) {
            cJSON_Delete(result);
            send_error(response, 400, "invalid_parameter", "body contains malformed input document");
            return;
        }
        input = cJSON_GetObjectItemCaseSensitive(body, "input") ? cJSON_CreateTrue() : NULL;
        cJSON_Delete(body);
    }
    const struct doc *declared = declared_answer(opa, path);
    cJSON *base = data_at(opa->data, path);
    if (declared)
        cJSON_AddItemToObject(result, "result", json_of(declared));
    else if (base)
        cJSON_AddItemToObject(result, "result", cJSON_Duplicate(base, true));
    else if (is_virtual(opa, path))
        record_observe(opa->env->record, "not_simulated", request->target,
                       "OPA would evaluate a policy for /v1/data/%.*s; no answer is declared for it", STR_ARG(path));
    if (is_post && !input) {
        cJSON *warning = cJSON_AddObjectToObject(result, "warning");
        cJSON_AddStringToObject(warning, "code", "api_usage_warning");
        cJSON_AddStringToObject(warning, "message", "'input' key missing from the request");
    }
    cJSON_Delete(input);
    send_json(response, 200, result);
}

static void put_data(struct opa *opa, const struct http_request *request, struct str path,
                     struct http_response *response)
{
    char last[256];
    cJSON *value = cJSON_ParseWithLength(request->body.at, request->body.len);
    if (!value) {
        send_error(response, 400, "invalid_parameter", request->body.len ? "invalid character" : "EOF");
        return;
    }
    cJSON *holder = holder_of(opa->data, path, last, sizeof last);
    if (!holder) {
        cJSON_Delete(value);
        send_not_found(response, "storage_not_found_error: document does not exist");
        return;
    }
    record_change(opa->env->record, service_name(opa->service), "data /%.*s written", STR_ARG(path));
    if (!last[0]) {
        cJSON_Delete(opa->data);
        opa->data = value;
    } else {
        cJSON_DeleteItemFromObjectCaseSensitive(holder, last);
        cJSON_AddItemToObject(holder, last, value);
    }
    response->status = 204;
}

static void delete_data(struct opa *opa, struct str path, struct http_response *response)
{
    char last[256];
    if (!path.len || !data_at(opa->data, path)) {
        send_not_found(response, arena_printf(response->arena, "storage_not_found_error: /%.*s: document does not exist",
                                              STR_ARG(path)));
        return;
    }
    cJSON *holder = holder_of(opa->data, path, last, sizeof last);
    if (holder)
        cJSON_DeleteItemFromObjectCaseSensitive(holder, last);
    record_change(opa->env->record, service_name(opa->service), "data /%.*s deleted", STR_ARG(path));
    response->status = 204;
}

static void answer_data(struct opa *opa, const struct http_request *request, struct str path,
                        struct http_response *response)
{
    bool is_post = strcmp(request->method, "POST") == 0;
    if (is_post || strcmp(request->method, "GET") == 0)
        answer_query(opa, request, path, response, is_post);
    else if (strcmp(request->method, "PUT") == 0)
        put_data(opa, request, path, response);
    else if (strcmp(request->method, "DELETE") == 0)
        delete_data(opa, path, response);
    else if (strcmp(request->method, "PATCH") == 0)
        record_observe(opa->env->record, "not_simulated", request->target, "OPA's PATCH of data is not simulated");
    else
        response->status = 405;
}

static bool below(struct str path, const char *prefix, struct str *ret_rest)
{
    size_t n = strlen(prefix);
    if (!str_starts(path, prefix) || (path.len > n && path.at[n] != '/'))
        return false;
    *ret_rest = path.len > n ? (struct str){path.at + n + 1, path.len - n - 1} : (struct str){"", 0};
    return true;
}

static int serve(struct env *env, const struct http_request *request, struct http_response *response, void *ctx)
{
    (void)env;
    struct opa *opa = ctx;
    struct probe probe = service_probe(opa->service);
    if (!probe.reachable)
        return probe.latency_ns >= SECOND ? HTTP_UNREACHABLE : HTTP_REFUSED;
    response->latency_ns = probe.latency_ns;
    struct str rest = str_of(request->target), path = str_cut(&rest, '?'), under;
    if (below(path, "/v1/policies", &under))
        answer_policies(opa, request, under, response);
    else if (below(path, "/v1/data", &under))
        answer_data(opa, request, under, response);
    else if (str_is(path, "/health"))
        send_text(response, 200, "{}\n");
    else if (str_is(path, "/v1/config") || str_is(path, "/v1/status"))
        send_text(response, 200, "{\"result\":{}}\n");
    else {
        response->status = 404;
        http_header(response, "Content-Type", "text/plain; charset=utf-8");
        buf_puts(&response->body, "404 page not found\n");
    }
    return 0;
}

/* ---- in the world ---- */

static void look_at_files(struct world *world, void *ctx)
{
    struct opa *opa = ctx;
    for (struct module *module = opa->modules; module; module = module->next) {
        if (!module->watch)
            continue;
        struct buf text;
        int row;
        buf_init(&text, MODULE_MAX);
        bool there = env_load(opa->env, "", module->watch, &text) == 0;
        if (there && !str_eq(buf_text(&text), buf_text(&module->text)) && !parse_problem(buf_text(&text), &row))
            load(opa, module, buf_text(&text));
        buf_release(&text);
    }
    world_at(world, world_now(world) + WATCH_EVERY_NS, look_at_files, opa);
}

static void instance_changed(struct instance *instance, enum instance_state before, void *ctx)
{
    struct opa *opa = ctx;
    if (instance_service(instance) == opa->service && before == INSTANCE_STOPPED &&
        instance_state(instance) != INSTANCE_STOPPED)
        start_anew(opa);
}

/* ---- the system file ---- */

static int read_beside(struct arena *arena, const struct doc *node, struct str *ret, struct error *error)
{
    const char *name = NULL;
    if (doc_text(node, &name, error) < 0)
        return ERROR_INPUT;
    const char *slash = strrchr(node->file, '/');
    if (slash && name[0] != '/')
        name = arena_printf(arena, "%.*s/%s", (int)(slash - node->file), node->file, name);
    struct buf text;
    buf_init(&text, MODULE_MAX);
    int code = buf_read_file(&text, name);
    if (code == 0)
        *ret = (struct str){arena_str(arena, buf_text(&text)), text.len};
    buf_release(&text);
    return code == 0 ? 0 : doc_error(node, error, "cannot read '%s': %s", name, strerror(-code));
}

static int load_module(struct opa *opa, const struct doc *node, struct error *error)
{
    static const char *const keys[] = {"known", "start", "watch", NULL};
    struct arena *arena = &opa->env->arena;
    struct module *module = add_module(opa, node->key);
    struct doc *known = NULL;
    int row;
    if (doc_only(node, keys, error) < 0 || doc_need(node, "known", &known, error) < 0 ||
        doc_want(known, DOC_MAPPING, error) < 0 || doc_text(doc_get(node, "start"), &module->start, error) < 0 ||
        doc_text(doc_get(node, "watch"), &module->watch, error) < 0)
        return ERROR_INPUT;
    struct known_text *texts = ARENA_ARRAY(arena, struct known_text, known->n + 1);
    module->known = texts;
    for (const struct doc *child = known->first; child; child = child->next) {
        struct known_text *text = &texts[module->n_known++];
        text->name = child->key;
        if (read_beside(arena, child, &text->text, error) < 0)
            return ERROR_INPUT;
        const char *problem = parse_problem(text->text, &row);
        if (problem)
            return doc_error(child, error, "'%s' is no Rego module: %s (line %d)", child->text, problem, row);
    }
    if (module->start && !doc_get(known, module->start))
        return doc_error(doc_get(node, "start"), error, "'%s' is not among 'known'", module->start);
    return 0;
}

static int load_answers(struct opa *opa, const struct doc *node, struct error *error)
{
    if (!node)
        return 0;
    if (doc_want(node, DOC_MAPPING, error) < 0)
        return ERROR_INPUT;
    for (const struct doc *child = node->first; child; child = child->next) {
        if (doc_want(child, DOC_MAPPING, error) < 0)
            return ERROR_INPUT;
        struct answer *answer = ARENA_NEW(&opa->env->arena, struct answer);
        *answer = (struct answer){.path = child->key, .by = child, .next = opa->answers};
        opa->answers = answer;
    }
    return 0;
}

static int load_server(struct env *env, const struct doc *node, struct error *error)
{
    static const char *const keys[] = {"host", "port", "modules", "answers", "data", NULL};
    struct opa *opa = ARENA_NEW(&env->arena, struct opa), **slot = (struct opa **)env_slot(env, "opa");
    const char *host = "localhost";
    int64_t port = 8181;
    opa->env = env;
    opa->next = *slot;
    *slot = opa;
    opa->service = world_service(env->world, node->key);
    if (!opa->service)
        return doc_error(node, error, "no service '%s' in `services`", node->key);
    if (node->kind != DOC_NULL && doc_only(node, keys, error) < 0)
        return ERROR_INPUT;
    if (doc_text(doc_get(node, "host"), &host, error) < 0 ||
        doc_int(doc_get(node, "port"), 1, 65535, &port, error) < 0 ||
        load_answers(opa, doc_get(node, "answers"), error) < 0)
        return ERROR_INPUT;
    opa->first_data = doc_get(node, "data");
    bool watches = false;
    const struct doc *modules = doc_get(node, "modules");
    if (modules && doc_want(modules, DOC_MAPPING, error) < 0)
        return ERROR_INPUT;
    for (const struct doc *child = modules ? modules->first : NULL; child; child = child->next) {
        if (load_module(opa, child, error) < 0)
            return ERROR_INPUT;
        watches |= doc_get(child, "watch") != NULL;
    }
    start_anew(opa);
    world_watch_instances(env->world, instance_changed, opa);
    if (watches)
        world_at(env->world, WATCH_EVERY_NS, look_at_files, opa);
    http_serve(env, host, (int)port, serve, opa);
    http_serve_inside(env, node->key, (int)port, serve, opa);
    return 0;
}

static int setup(struct env *env, const struct doc *config, struct error *error)
{
    if (config && doc_want(config, DOC_MAPPING, error) < 0)
        return ERROR_INPUT;
    for (const struct doc *node = config ? config->first : NULL; node; node = node->next) {
        if (load_server(env, node, error) < 0)
            return ERROR_INPUT;
    }
    return 0;
}

static void release(struct env *env)
{
    struct opa **slot = (struct opa **)env_slot(env, "opa");
    for (struct opa *opa = *slot; opa; opa = opa->next) {
        cJSON_Delete(opa->data);
        for (struct module *module = opa->modules; module; module = module->next)
            buf_release(&module->text);
    }
    *slot = NULL;
}

static const char *const no_commands[] = {NULL};
const struct fake fake_opa = {.name = "opa", .commands = no_commands, .setup = setup, .release = release};
