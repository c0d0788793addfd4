/* Modules: what is loaded, what the world sees of it, /v1/policies. */
#include <ctype.h>
#include <string.h>

#include "fakes/opa/opa.h"

struct module *opa_find_module(const struct opa *opa, struct str id)
{
    for (struct module *module = opa->modules; module; module = module->next) {
        if (str_is(id, module->id))
            return module;
    }
    return NULL;
}

struct module *opa_add_module(struct opa *opa, const char *id)
{
    struct module *module = ARENA_NEW(&opa->env->arena, struct module), **last = &opa->modules;
    while (*last && strcmp((*last)->id, id) < 0) /* listed by id */
        last = &(*last)->next;
    module->id = id;
    buf_init(&module->text, OPA_MODULE_MAX);
    module->next = *last;
    *last = module;
    return module;
}

const char *opa_known_as(const struct module *module)
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
    world_set(opa->env->world, arena_printf(&opa->env->arena, "opa.%s", module->id),
              opa_known_as(module));
}

void opa_load(struct opa *opa, struct module *module, struct str text)
{
    buf_clear(&module->text);
    buf_str(&module->text, text);
    module->loaded = true;
    tell_world(opa, module);
}

void opa_unload(struct opa *opa, struct module *module)
{
    buf_clear(&module->text);
    module->loaded = false;
    tell_world(opa, module);
}

/* What OPA's parser would say about the text, as far as can be told without one; NULL: nothing. */
const char *opa_parse_problem(struct str text, int *ret_row)
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

const char *opa_package_of(struct arena *arena, struct str text)
{
    while (text.len) {
        struct str line = str_trim(str_cut(&text, '\n'));
        if (!str_starts(line, "package "))
            continue;
        char *path = arena_str(arena, str_trim((struct str){line.at + 8, line.len - 8}));
        for (char *p = path; *p; p++)
            *p = *p == '.' ? '/' : *p;
        return path;
    }
    return "";
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
    struct module *module = opa_find_module(opa, id);
    int row = 1;
    const char *problem = opa_parse_problem(request->body, &row);
    if (problem && strcmp(problem, "empty module") == 0) {
        opa_send_error(response, 400, "invalid_parameter", problem);
        return;
    }
    if (problem) {
        opa_send_module_error(response, arena_str(arena, id), problem, row);
        return;
    }
    if (opa_refuse_owned(opa, str_of(opa_package_of(response->arena, request->body)), response))
        return;
    if (!module)
        module = opa_add_module(opa, arena_str(arena, id));
    if (!module->loaded || !str_eq(buf_text(&module->text), request->body))
        record_change(opa->env->record, service_name(opa->service), "policy %s loaded", module->id);
    opa_load(opa, module, request->body);
    opa_send_text(response, 200, "{}\n");
}

void opa_answer_policies(struct opa *opa, const struct http_request *request, struct str id,
                         struct http_response *response)
{
    struct arena *arena = response->arena;
    struct module *module = opa_find_module(opa, id);
    bool get = strcmp(request->method, "GET") == 0;
    if (!id.len && get) {
        cJSON *all = cJSON_CreateObject(), *list = cJSON_AddArrayToObject(all, "result");
        for (module = opa->modules; module; module = module->next) {
            if (module->loaded)
                cJSON_AddItemToArray(list, describe(module));
        }
        opa_send_json(response, 200, all);
    } else if (id.len && strcmp(request->method, "PUT") == 0) {
        put_module(opa, request, id, response);
    } else if (!id.len || (!get && strcmp(request->method, "DELETE") != 0)) {
        response->status = 405;
    } else if (!module || !module->loaded) {
        opa_send_not_found(
            response,
            arena_printf(arena, "storage_not_found_error: policy id \"%.*s\"", STR_ARG(id)));
    } else if (get) {
        cJSON *one = cJSON_CreateObject();
        cJSON_AddItemToObject(one, "result", describe(module));
        opa_send_json(response, 200, one);
    } else {
        record_change(opa->env->record, service_name(opa->service), "policy %s deleted",
                      module->id);
        opa_unload(opa, module);
        opa_send_text(response, 200, "{}\n");
    }
}
