/* Documents: /v1/data. */
#include <string.h>

#include "fakes/opa/opa.h"

cJSON *opa_json_of(const struct doc *node)
{
    if (node->kind == DOC_MAPPING || node->kind == DOC_SEQUENCE) {
        cJSON *all = node->kind == DOC_MAPPING ? cJSON_CreateObject() : cJSON_CreateArray();
        for (const struct doc *child = node->first; child; child = child->next) {
            if (node->kind == DOC_MAPPING)
                cJSON_AddItemToObject(all, child->key, opa_json_of(child));
            else
                cJSON_AddItemToArray(all, opa_json_of(child));
        }
        return all;
    }
    if (node->kind == DOC_NULL)
        return cJSON_CreateNull();
    cJSON *plain = node->quoted ? NULL : cJSON_ParseWithOpts(node->text, NULL, true);
    return plain ? plain : cJSON_CreateString(node->text);
}

/* Cuts the next part of a path; empty parts are skipped. */
bool opa_next_part(struct str *rest, char *part, size_t size)
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

cJSON *opa_data_at(cJSON *data, struct str path)
{
    char part[256];
    while (data && opa_next_part(&path, part, sizeof part))
        data = cJSON_IsArray(data) ? cJSON_GetArrayItem(data, leading_int(part))
                                   : cJSON_GetObjectItemCaseSensitive(data, part);
    return data;
}

/* The object that holds the last part of the path, made where it is missing; NULL if something else
 * is in the way. */
cJSON *opa_holder_of(cJSON *data, struct str path, char *last, size_t size)
{
    char part[256];
    last[0] = '\0';
    while (data && opa_next_part(&path, part, sizeof part)) {
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
            if (same && (path.len == n || path.at[n] == '/') &&
                (package.len == n || package.at[n] == '.'))
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
            const struct module *module = opa_find_module(opa, str_of(by->key));
            const char *as = module ? opa_known_as(module) : NULL;
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
            opa_send_error(response, 400, "invalid_parameter",
                           "body contains malformed input document");
            return;
        }
        input = cJSON_GetObjectItemCaseSensitive(body, "input") ? cJSON_CreateTrue() : NULL;
        cJSON_Delete(body);
    }
    const struct doc *declared = declared_answer(opa, path);
    cJSON *base = opa_data_at(opa->data, path);
    if (declared)
        cJSON_AddItemToObject(result, "result", opa_json_of(declared));
    else if (base)
        cJSON_AddItemToObject(result, "result", cJSON_Duplicate(base, true));
    else if (is_virtual(opa, path))
        record_observe(
            opa->env->record, "not_simulated", request->target,
            "OPA would evaluate a policy for /v1/data/%.*s; no answer is declared for it",
            STR_ARG(path));
    if (is_post && !input) {
        cJSON *warning = cJSON_AddObjectToObject(result, "warning");
        cJSON_AddStringToObject(warning, "code", "api_usage_warning");
        cJSON_AddStringToObject(warning, "message", "'input' key missing from the request");
    }
    cJSON_Delete(input);
    opa_send_json(response, 200, result);
}

static void put_data(struct opa *opa, const struct http_request *request, struct str path,
                     struct http_response *response)
{
    char last[256];
    cJSON *value = cJSON_ParseWithLength(request->body.at, request->body.len);
    if (!value) {
        opa_send_error(response, 400, "invalid_parameter",
                       request->body.len ? "invalid character" : "EOF");
        return;
    }
    cJSON *holder = opa_holder_of(opa->data, path, last, sizeof last);
    if (!holder) {
        cJSON_Delete(value);
        opa_send_not_found(response, "storage_not_found_error: document does not exist");
        return;
    }
    record_change(opa->env->record, service_name(opa->service), "data /%.*s written",
                  STR_ARG(path));
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
    if (!path.len || !opa_data_at(opa->data, path)) {
        opa_send_not_found(response,
                           arena_printf(response->arena,
                                        "storage_not_found_error: /%.*s: document does not exist",
                                        STR_ARG(path)));
        return;
    }
    cJSON *holder = opa_holder_of(opa->data, path, last, sizeof last);
    if (holder)
        cJSON_DeleteItemFromObjectCaseSensitive(holder, last);
    record_change(opa->env->record, service_name(opa->service), "data /%.*s deleted",
                  STR_ARG(path));
    response->status = 204;
}

/* "/a/b" of a JSON pointer below the path of the request. */
static const char *joined(struct arena *arena, struct str path, const char *pointer)
{
    char *text = arena_printf(arena, "%.*s%s%s", STR_ARG(path),
                              pointer[0] == '/' || !pointer[0] ? "" : "/", pointer);
    size_t n = 0;
    for (size_t i = 0; text[i]; i++) {
        bool code = text[i] == '~' && (text[i + 1] == '0' || text[i + 1] == '1');
        text[n++] = code ? (text[++i] == '0' ? '~' : '/') : text[i];
    }
    text[n] = '\0';
    return text;
}

/* One operation of a JSON Patch on `data`; false: the path is not there. */
static bool patch_one(cJSON *data, const char *op, struct str path, const cJSON *value)
{
    char last[256];
    bool adds = strcmp(op, "add") == 0;
    if (!adds && !opa_data_at(data, path))
        return false;
    ptrdiff_t slash = -1;
    for (size_t i = 0; i < path.len; i++)
        slash = path.at[i] == '/' ? (ptrdiff_t)i : slash;
    struct str above = {path.at, slash < 0 ? 0 : (size_t)slash};
    cJSON *holder = opa_data_at(data, above);
    if (!holder || (!cJSON_IsObject(holder) && !cJSON_IsArray(holder)))
        return false;
    struct str name =
        slash < 0 ? path : (struct str){path.at + slash + 1, path.len - (size_t)slash - 1};
    if (name.len == 0 || name.len >= sizeof last)
        return false;
    memcpy(last, name.at, name.len);
    last[name.len] = '\0';
    if (cJSON_IsArray(holder)) {
        int at = strcmp(last, "-") == 0 ? cJSON_GetArraySize(holder) : leading_int(last);
        if (at < 0 || at > cJSON_GetArraySize(holder))
            return false;
        if (!adds)
            cJSON_DeleteItemFromArray(holder, at);
        if (strcmp(op, "remove") != 0)
            cJSON_InsertItemInArray(holder, at, cJSON_Duplicate(value, true));
        return true;
    }
    cJSON_DeleteItemFromObjectCaseSensitive(holder, last);
    if (strcmp(op, "remove") != 0)
        cJSON_AddItemToObject(holder, last, cJSON_Duplicate(value, true));
    return true;
}

/* All operations or none, as OPA's transaction. */
static void patch_data(struct opa *opa, const struct http_request *request, struct str path,
                       struct http_response *response)
{
    cJSON *patch = cJSON_ParseWithLength(request->body.at, request->body.len);
    cJSON *data = cJSON_Duplicate(opa->data, true);
    if (!cJSON_IsArray(patch))
        opa_send_error(response, 400, "invalid_parameter",
                       request->body.len
                           ? "json: cannot unmarshal into Go value of type []types.PatchV1"
                           : "EOF");
    for (const cJSON *item = cJSON_IsArray(patch) ? patch->child : NULL; item && !response->status;
         item = item->next) {
        const cJSON *op = cJSON_GetObjectItemCaseSensitive(item, "op"),
                    *at = cJSON_GetObjectItemCaseSensitive(item, "path");
        const cJSON *value = cJSON_GetObjectItemCaseSensitive(item, "value");
        const char *kind = cJSON_IsString(op) ? op->valuestring : "";
        const char *where =
            joined(response->arena, path, cJSON_IsString(at) ? at->valuestring : "");
        struct str to = str_of(where);
        while (to.len && to.at[0] == '/')
            to = (struct str){to.at + 1, to.len - 1};
        bool removes = strcmp(kind, "remove") == 0;
        if (!removes && strcmp(kind, "add") != 0 && strcmp(kind, "replace") != 0)
            opa_send_error(response, 400, "invalid_parameter",
                           arena_printf(response->arena, "bad patch operation: %s", kind));
        else if (!removes && !value)
            opa_send_error(response, 400, "invalid_parameter", "patch value is missing");
        else if (!patch_one(data, kind, to, value))
            opa_send_not_found(
                response, arena_printf(response->arena,
                                       "storage_not_found_error: /%.*s: document does not exist",
                                       STR_ARG(to)));
    }
    cJSON_Delete(patch);
    if (response->status) {
        cJSON_Delete(data);
        return;
    }
    cJSON_Delete(opa->data);
    opa->data = data;
    record_change(opa->env->record, service_name(opa->service), "data /%.*s patched",
                  STR_ARG(path));
    response->status = 204;
}

void opa_answer_data(struct opa *opa, const struct http_request *request, struct str path,
                     struct http_response *response)
{
    bool is_post = strcmp(request->method, "POST") == 0;
    if (is_post || strcmp(request->method, "GET") == 0)
        answer_query(opa, request, path, response, is_post);
    else if (strcmp(request->method, "PUT") != 0 && strcmp(request->method, "DELETE") != 0 &&
             strcmp(request->method, "PATCH") != 0)
        response->status = 405;
    else if (opa_refuse_owned(opa, path, response))
        return;
    else if (strcmp(request->method, "PUT") == 0)
        put_data(opa, request, path, response);
    else if (strcmp(request->method, "DELETE") == 0)
        delete_data(opa, path, response);
    else
        patch_data(opa, request, path, response);
}
