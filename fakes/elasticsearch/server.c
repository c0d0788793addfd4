/* One request: the route, the parameters, the body, and the form of answers. */
#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "fakes/elasticsearch/node.h"

/* ---- answers ---- */

/* JSON as Elasticsearch writes it with ?pretty: two blanks, " : ", "{ }" and "[ ]" for what is
 * empty. */
static void print_pretty(const cJSON *json, int depth, struct buf *out)
{
    bool object = cJSON_IsObject(json);
    if (!object && !cJSON_IsArray(json)) {
        char *text = cJSON_PrintUnformatted(json);
        buf_puts(out, text);
        cJSON_free(text);
        return;
    }
    if (!json->child) {
        buf_puts(out, object ? "{ }" : "[ ]");
        return;
    }
    buf_puts(out, object ? "{" : "[");
    for (const cJSON *child = json->child; child; child = child->next) {
        buf_printf(out, "\n%*s", depth * 2 + 2, "");
        if (object) {
            cJSON name = {.type = cJSON_String, .valuestring = child->string};
            char *text = cJSON_PrintUnformatted(&name);
            buf_printf(out, "%s : ", text);
            cJSON_free(text);
        }
        print_pretty(child, depth + 1, out);
        buf_puts(out, child->next ? "," : "");
    }
    buf_printf(out, "\n%*s%s", depth * 2, "", object ? "}" : "]");
}

static void set_headers(struct es_exchange *x, int status, const char *type)
{
    x->response->status = status;
    if (!x->node->opensearch)
        http_header(x->response, "X-elastic-product", "Elasticsearch");
    http_header(x->response, "content-type", type);
    x->answered = true;
}

void es_answer(struct es_exchange *x, int status, cJSON *json)
{
    if (!x->answered) {
        set_headers(x, status,
                    x->node->opensearch ? "application/json; charset=UTF-8" : "application/json");
        if (es_flag(x, "pretty", false)) {
            print_pretty(json, 0, &x->response->body);
            buf_putc(&x->response->body, '\n');
        } else {
            char *text = cJSON_PrintUnformatted(json);
            buf_puts(&x->response->body, text);
            cJSON_free(text);
        }
    }
    cJSON_Delete(json);
}

void es_answer_text(struct es_exchange *x, const char *type, struct str text)
{
    if (x->answered)
        return;
    set_headers(x, 200, type);
    buf_str(&x->response->body, text);
}

void es_acknowledge(struct es_exchange *x)
{
    cJSON *json = cJSON_CreateObject();
    cJSON_AddTrueToObject(json, "acknowledged");
    es_answer(x, 200, json);
}

cJSON *es_error_json(const char *type, const char *reason)
{
    cJSON *json = cJSON_CreateObject();
    cJSON_AddStringToObject(json, "type", type);
    cJSON_AddStringToObject(json, "reason", reason);
    return json;
}

/* The envelope around an error; takes it over. */
static cJSON *envelope(cJSON *error, int status)
{
    cJSON *json = cJSON_CreateObject(), *outer = cJSON_AddObjectToObject(json, "error");
    cJSON_AddItemToArray(cJSON_AddArrayToObject(outer, "root_cause"), cJSON_Duplicate(error, true));
    for (const cJSON *item = error->child; item; item = item->next)
        cJSON_AddItemToObject(outer, item->string, cJSON_Duplicate(item, true));
    cJSON_Delete(error);
    cJSON_AddNumberToObject(json, "status", status);
    return json;
}

void es_error(struct es_exchange *x, int status, const char *type, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    const char *reason = arena_vprintf(x->arena, format, args);
    va_end(args);
    es_answer(x, status, envelope(es_error_json(type, reason), status));
}

void es_no_such_index(struct es_exchange *x, const char *name)
{
    cJSON *error = es_error_json("index_not_found_exception",
                                 arena_printf(x->arena, "no such index [%s]", name));
    cJSON_AddStringToObject(error, "resource.type", "index_or_alias");
    cJSON_AddStringToObject(error, "resource.id", name);
    cJSON_AddStringToObject(error, "index_uuid", "_na_");
    cJSON_AddStringToObject(error, "index", name);
    es_answer(x, 404, envelope(error, 404));
}

void es_not_simulated(struct es_exchange *x, const char *what)
{
    record_observe(x->node->env->record, "not_simulated", x->request->target,
                   "elasticsearch: %s is not simulated", what);
    es_error(x, 501, "not_simulated", "%s is not simulated", what);
}

cJSON *es_shards(int total, int successful)
{
    cJSON *json = cJSON_CreateObject();
    cJSON_AddNumberToObject(json, "total", total);
    cJSON_AddNumberToObject(json, "successful", successful);
    cJSON_AddNumberToObject(json, "failed", 0);
    return json;
}

cJSON *es_float(struct arena *arena, double value)
{
    return cJSON_CreateRaw(arena_printf(arena, "%.1f", value));
}

/* ---- parameters ---- */

static const char *decoded(struct arena *arena, struct str text)
{
    char *out = arena_alloc(arena, text.len + 1);
    size_t n = 0;
    for (size_t i = 0; i < text.len; i++) {
        bool code = text.at[i] == '%' && i + 2 < text.len + 0 &&
                    isxdigit((unsigned char)text.at[i + 1]) &&
                    isxdigit((unsigned char)text.at[i + 2]);
        if (code) {
            const char *digits = "0123456789abcdef";
            long high = strchr(digits, tolower((unsigned char)text.at[i + 1])) - digits;
            long low = strchr(digits, tolower((unsigned char)text.at[i + 2])) - digits;
            out[n++] = (char)(high * 16 + low);
            i += 2;
        } else {
            out[n++] = text.at[i] == '+' ? ' ' : text.at[i];
        }
    }
    out[n] = '\0';
    return out;
}

const char *es_parameter(const struct es_exchange *x, const char *name, const char *otherwise)
{
    struct str rest = x->query;
    while (rest.len) {
        struct str value = str_cut(&rest, '&'), key = str_cut(&value, '=');
        if (str_is(key, name))
            return decoded(x->arena, value);
    }
    return otherwise;
}

bool es_has(const struct es_exchange *x, const char *name)
{
    return es_parameter(x, name, NULL) != NULL;
}

bool es_flag(const struct es_exchange *x, const char *name, bool otherwise)
{
    const char *value = es_parameter(x, name, NULL);
    return value ? strcmp(value, "false") != 0 : otherwise;
}

int64_t es_duration(const struct es_exchange *x, const char *name, int64_t otherwise_ns)
{
    const char *value = es_parameter(x, name, NULL);
    int64_t ns = otherwise_ns;
    if (value)
        parse_duration(str_of(value), &ns);
    return ns;
}

/* ---- names of indices ---- */

bool es_matches(const char *pattern, struct str name)
{
    size_t i = 0;
    for (; *pattern && *pattern != '*'; pattern++, i++) {
        if (i >= name.len || name.at[i] != *pattern)
            return false;
    }
    if (!*pattern)
        return i == name.len;
    for (; i <= name.len; i++) {
        if (es_matches(pattern + 1, (struct str){name.at + i, name.len - i}))
            return true;
    }
    return false;
}

static void resolve_one(struct es_node *node, const char *one, bool closed_too,
                        struct es_indices *ret, int *found)
{
    bool exclude = one[0] == '-' && ret->n, wild = strchr(one, '*') != NULL;
    const char *pattern = strcmp(one, "_all") == 0 || !*one ? "*" : exclude ? one + 1 : one;
    wild = wild || strcmp(pattern, "*") == 0;
    for (int i = 0; i < node->n_indices; i++) {
        struct es_index *index = node->indices[i];
        const char *alias = NULL;
        for (const cJSON *item = index->aliases->child; item && !alias; item = item->next)
            alias = es_matches(pattern, str_of(item->string)) ? item->string : NULL;
        if (index->deleted || !(alias || es_matches(pattern, str_of(index->name))))
            continue;
        ++*found;
        int at = 0;
        while (at < ret->n && ret->at[at] != index)
            at++;
        if (exclude && at < ret->n) {
            ret->n--;
            for (; at < ret->n; at++)
                ret->at[at] = ret->at[at + 1];
        } else if (!exclude && at == ret->n && (!wild || !index->closed || closed_too)) {
            ret->as[ret->n] = alias && !wild ? alias : NULL;
            ret->at[ret->n++] = index;
        }
    }
    *found += wild;
}

bool es_resolve(struct es_exchange *x, const char *expression, bool closed_too,
                struct es_indices *ret)
{
    struct str rest = str_of(expression);
    *ret =
        (struct es_indices){.at = ARENA_ARRAY(x->arena, struct es_index *, x->node->n_indices + 1),
                            .as = ARENA_ARRAY(x->arena, const char *, x->node->n_indices + 1)};
    do {
        const char *one = decoded(x->arena, str_trim(str_cut(&rest, ',')));
        int found = 0;
        resolve_one(x->node, one, closed_too, ret, &found);
        if (!found && !es_flag(x, "ignore_unavailable", false)) {
            es_no_such_index(x, one);
            return false;
        }
    } while (rest.len);
    return true;
}

/* ---- whether an index can be read and written ---- */

bool es_can_read(struct es_exchange *x, const struct es_index *index)
{
    if (index->closed && !index->restoring) {
        cJSON *error = es_error_json("index_closed_exception", "closed");
        cJSON_AddStringToObject(error, "index_uuid", es_uuid(x->arena, index->name));
        cJSON_AddStringToObject(error, "index", index->name);
        es_answer(x, 400, envelope(error, 400));
        return false;
    }
    if (es_is_set(index, "index.blocks.read")) {
        es_error(x, 403, "cluster_block_exception",
                 "index [%s] blocked by: [FORBIDDEN/7/index read (api)];", index->name);
        return false;
    }
    if (index->corrupt || index->restoring) {
        cJSON *json = cJSON_CreateObject(), *error = cJSON_AddObjectToObject(json, "error");
        cJSON_AddItemToArray(
            cJSON_AddArrayToObject(error, "root_cause"),
            es_error_json("no_shard_available_action_exception", "[node-1] no shard available"));
        cJSON_AddStringToObject(error, "type", "search_phase_execution_exception");
        cJSON_AddStringToObject(error, "reason", "all shards failed");
        cJSON_AddStringToObject(error, "phase", "query");
        cJSON_AddTrueToObject(error, "grouped");
        cJSON_AddItemToObject(error, "failed_shards", cJSON_CreateArray());
        cJSON_AddNumberToObject(json, "status", 503);
        es_answer(x, 503, json);
        return false;
    }
    return true;
}

cJSON *es_write_refused(const struct es_index *index, int *ret_status)
{
    static const struct {
        const char *setting, *words;
        int status;
    } blocks[] = {
        {"index.blocks.read_only", "FORBIDDEN/5/index read-only (api)", 403},
        {"index.blocks.write", "FORBIDDEN/8/index write (api)", 403},
        {"index.blocks.read_only_allow_delete",
         "TOO_MANY_REQUESTS/12/disk usage exceeded flood-stage watermark, index has "
         "read-only-allow-delete block",
         429},
    };
    char reason[256];
    for (size_t i = 0; i < sizeof blocks / sizeof *blocks; i++) {
        if (es_is_set(index, blocks[i].setting)) {
            *ret_status = blocks[i].status;
            snprintf(reason, sizeof reason, "index [%.60s] blocked by: [%s];", index->name,
                     blocks[i].words);
            return es_error_json("cluster_block_exception", reason);
        }
    }
    if (index->closed && !index->restoring) {
        *ret_status = 400;
        return es_error_json("index_closed_exception", "closed");
    }
    if (index->corrupt || index->restoring) {
        *ret_status = 503;
        snprintf(reason, sizeof reason, "[%.60s][0] primary shard is not active Timeout: [1m]",
                 index->name);
        return es_error_json("unavailable_shards_exception", reason);
    }
    return NULL;
}

/* ---- routes ---- */

/* Whether the path has the pattern's form; what stands for {...} is put into `parts`. */
static bool fits(const char *pattern, const char *path, struct es_exchange *x)
{
    struct str want = str_of(pattern), have = str_of(path);
    int n = 0;
    while (want.len && have.len) {
        struct str a = str_cut(&want, '/'), b = str_cut(&have, '/');
        if (a.at[0] == '{') {
            bool name = b.len && b.at[0] == '_' && !str_is(b, "_all") &&
                        (str_is(a, "{index}") || str_is(a, "{repository}"));
            if (name || n == ES_PARTS_MAX)
                return false;
            x->parts[n++] = b;
        } else if (!str_eq(a, b)) {
            return false;
        }
    }
    x->n_parts = n;
    return !want.len && !have.len;
}

static bool allows(const char *methods, const char *method)
{
    struct str rest = str_of(methods);
    while (rest.len) {
        if (str_is(str_cut(&rest, ' '), method))
            return true;
    }
    return false;
}

static const struct es_route *find_route(struct es_exchange *x, const char *method,
                                         const char **ret_allowed)
{
    static const struct es_route *const tables[] = {
        es_cluster_routes, es_cat_routes,      es_index_routes, es_document_routes,
        es_search_routes,  es_snapshot_routes, es_alias_routes, es_restore_routes};
    struct buf allowed;
    const struct es_route *found = NULL;
    buf_init(&allowed, 1 << 12);
    for (size_t t = 0; t < sizeof tables / sizeof *tables && !found; t++) {
        for (const struct es_route *route = tables[t]; route->handler && !found; route++) {
            if (!fits(route->pattern, x->path, x))
                continue;
            if (allows(route->methods, method))
                found = route;
            else
                buf_printf(&allowed, "%s%s", allowed.len ? " " : "", route->methods);
        }
    }
    *ret_allowed = arena_str(x->arena, buf_text(&allowed));
    buf_release(&allowed);
    return found;
}

static const char *commas(struct arena *arena, const char *words)
{
    char *text = arena_alloc(arena, strlen(words) * 2 + 1);
    size_t n = 0;
    for (; *words; words++) {
        if (*words == ' ')
            text[n++] = ',';
        text[n++] = *words;
    }
    text[n] = '\0';
    return text;
}

/* A body must say that it is JSON (RestController). False: the answer is given. */
static bool read_body(struct es_exchange *x, const struct es_route *route)
{
    const char *type = http_request_header(x->request, "Content-Type");
    struct str rest = str_of(type ? type : ""), plain = str_trim(str_cut(&rest, ';'));
    bool lines = strstr(route->pattern, "_bulk") != NULL;
    bool json = str_is(plain, "application/json") ||
                str_is(plain, "application/vnd.elasticsearch+json") ||
                str_is(plain, "application/x-ndjson");
    if (!x->request->body.len)
        return true;
    if (!json) {
        cJSON *error = cJSON_CreateObject();
        cJSON_AddStringToObject(
            error, "error",
            type ? arena_printf(x->arena, "Content-Type header [%s] is not supported", type)
                 : "Content-Type header is missing");
        cJSON_AddNumberToObject(error, "status", 406);
        es_answer(x, 406, error);
        return false;
    }
    if (lines)
        return true;
    const char *end = NULL;
    x->body = cJSON_ParseWithLengthOpts(x->request->body.at, x->request->body.len, &end, false);
    if (!x->body || !cJSON_IsObject(x->body)) {
        es_error(x, 400, "parse_exception", "Failed to parse content to map");
        return false;
    }
    return true;
}

/* An API that exists, of which nothing is simulated. */
static bool exists_elsewhere(const char *path)
{
    static const char *const names[] = {"_nodes",
                                        "_tasks",
                                        "_template",
                                        "_index_template",
                                        "_component_template",
                                        "_ilm",
                                        "_slm",
                                        "_ingest",
                                        "_mget",
                                        "_msearch",
                                        "_analyze",
                                        "_validate",
                                        "_rollover",
                                        "_shrink",
                                        "_split",
                                        "_clone",
                                        "_security",
                                        "_license",
                                        "_xpack",
                                        "_data_stream",
                                        "_resolve",
                                        "_field_caps",
                                        "_segments",
                                        "_rank_eval",
                                        "_sql",
                                        "_async_search",
                                        "_plugins",
                                        "_opendistro",
                                        "scroll",
                                        "_scripts",
                                        "_cluster",
                                        "_explain",
                                        "_termvectors",
                                        "_cat",
                                        "_ml",
                                        "_watcher",
                                        "_transform",
                                        "_freeze",
                                        "_unfreeze",
                                        "_shard_stores",
                                        "_remote",
                                        "_features",
                                        "_dangling",
                                        "_pit",
                                        "_snapshot",
                                        "_terms_enum",
                                        "_ccr",
                                        "_enrich",
                                        "_rollup",
                                        "_mapping",
                                        "_health_report",
                                        "_render",
                                        "_mtermvectors",
                                        NULL};
    struct str rest = str_of(path);
    while (rest.len) {
        struct str one = str_cut(&rest, '/');
        for (int i = 0; names[i]; i++) {
            if (str_is(one, names[i]))
                return true;
        }
    }
    return false;
}

static void answer_nowhere(struct es_exchange *x)
{
    if (exists_elsewhere(x->path)) {
        es_not_simulated(x, arena_printf(x->arena, "%s /%s", x->request->method, x->path));
    } else if (!strchr(x->path, '/') &&
               strcmp(x->request->method, "POST") != 0) { /* taken for the name of an index */
        cJSON *error = es_error_json(
            "invalid_index_name_exception",
            arena_printf(x->arena, "Invalid index name [%s], must not start with '_'.", x->path));
        cJSON_AddStringToObject(error, "index_uuid", "_na_");
        cJSON_AddStringToObject(error, "index", x->path);
        es_answer(x, 400, envelope(error, 400));
    } else {
        cJSON *error = cJSON_CreateObject();
        cJSON_AddStringToObject(error, "error",
                                arena_printf(x->arena,
                                             "no handler found for uri [%s] and method [%s]",
                                             x->request->target, x->request->method));
        es_answer(x, 400, error);
    }
}

int es_serve(struct env *env, const struct http_request *request, struct http_response *response,
             void *ctx)
{
    struct es_exchange x = {
        .node = ctx, .arena = response->arena, .request = request, .response = response};
    (void)env;
    if (!store_in_service(x.node->store))
        return HTTP_REFUSED;
    x.query = str_of(request->target);
    struct str path = str_cut(&x.query, '?');
    while (path.len && path.at[0] == '/')
        path = (struct str){path.at + 1, path.len - 1};
    while (path.len && path.at[path.len - 1] == '/')
        path.len--;
    x.path = decoded(x.arena, path);
    response->latency_ns = 5 * MILLISECOND;
    const char *allowed, *method = strcmp(request->method, "HEAD") == 0 ? "GET" : request->method;
    const struct es_route *route = find_route(&x, method, &allowed);
    if (route) {
        if (read_body(&x, route))
            route->handler(&x);
    } else if (allowed[0]) {
        cJSON *error = cJSON_CreateObject();
        cJSON_AddStringToObject(
            error, "error",
            arena_printf(x.arena,
                         "Incorrect HTTP method for uri [%s] and method [%s], allowed: [%s]",
                         request->target, request->method, commas(x.arena, allowed)));
        cJSON_AddNumberToObject(error, "status", 405);
        http_header(response, "Allow", commas(x.arena, allowed));
        es_answer(&x, 405, error);
    } else {
        answer_nowhere(&x);
    }
    cJSON_Delete(x.body);
    return 0;
}
