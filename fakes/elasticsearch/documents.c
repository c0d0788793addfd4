/* Documents one by one and in bulk. */
#include <string.h>

#include "fakes/elasticsearch/node.h"
#include "sim/base/xalloc.h"

static const char *part(const struct es_exchange *x, int i)
{
    return i < x->n_parts ? arena_str(x->arena, x->parts[i]) : "";
}

/* ---- what is there ---- */

/* Documents stand in order of identity: the first whose identity is not below. */
static int first_from(const struct es_index *index, int64_t identity)
{
    int low = 0, high = index->n_documents;
    while (low < high) {
        int middle = low + (high - low) / 2;
        if (index->documents[middle].identity < identity)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

struct es_document *es_find_document(struct es_index *index, int64_t identity)
{
    int i = first_from(index, identity);
    return i < index->n_documents && index->documents[i].identity == identity ? &index->documents[i]
                                                                              : NULL;
}

static struct es_document *add_document(struct es_index *index, int64_t identity, const char *id)
{
    XGROW(index->documents, index->n_documents, index->cap_documents);
    int at = first_from(index, identity);
    for (int i = index->n_documents++; i > at; i--)
        index->documents[i] = index->documents[i - 1];
    index->documents[at] = (struct es_document){.identity = identity, .id = xstrdup(id)};
    return &index->documents[at];
}

static bool is_there(struct es_exchange *x, const struct es_index *index, int64_t identity)
{
    const struct idset *rows = dataset_rows(store_serving(x->node->store), index->name);
    return rows && idset_has(rows, identity);
}

/* The k-th identity of a set; its place in it; -1: none. */
static int64_t kth(const struct idset *set, int64_t k)
{
    for (int i = 0; i < set->n; i++) {
        int64_t n = set->at[i].hi - set->at[i].lo;
        if (k < n)
            return set->at[i].lo + k;
        k -= n;
    }
    return -1;
}

static int64_t place_of(const struct idset *set, int64_t identity)
{
    int64_t before = 0;
    for (int i = 0; i < set->n; i++) {
        if (identity >= set->at[i].lo && identity < set->at[i].hi)
            return before + identity - set->at[i].lo;
        before += set->at[i].hi - set->at[i].lo;
    }
    return -1;
}

/* Where a copied document came from; false: it is none. */
static bool origin_of(const struct es_hit *hit, struct es_hit *ret)
{
    for (int i = 0; i < hit->index->n_copied; i++) {
        const struct es_copied *copied = &hit->index->copied[i];
        if (hit->identity < copied->first || hit->identity >= copied->first + copied->n)
            continue;
        struct es_index *from = (struct es_index *)(uintptr_t)copied->from;
        int64_t identity = kth(&copied->origin, hit->identity - copied->first);
        *ret = (struct es_hit){from, identity, es_find_document(from, identity)};
        return identity >= 0;
    }
    return false;
}

bool es_find_by_id(struct es_exchange *x, struct es_index *index, const char *id,
                   struct es_hit *ret)
{
    int64_t number = 0;
    bool numeric = str_int64(str_of(id), &number);
    for (int i = 0; i < index->n_documents; i++) {
        struct es_document *document = &index->documents[i];
        if (strcmp(document->id, id) == 0 && is_there(x, index, document->identity)) {
            *ret = (struct es_hit){index, document->identity, document};
            return true;
        }
    }
    for (int i = 0; i < index->n_copied; i++) {
        const struct es_copied *copied = &index->copied[i];
        struct es_index *from = (struct es_index *)(uintptr_t)copied->from;
        int64_t k =
            numeric && !es_find_document(from, number) ? place_of(&copied->origin, number) : -1;
        for (int d = 0; d < from->n_documents && k < 0; d++) {
            if (strcmp(from->documents[d].id, id) == 0)
                k = place_of(&copied->origin, from->documents[d].identity);
        }
        if (k >= 0 && is_there(x, index, copied->first + k) &&
            !es_find_document(index, copied->first + k)) {
            *ret = (struct es_hit){index, copied->first + k, NULL};
            return true;
        }
    }
    *ret = (struct es_hit){index, number, NULL};
    struct es_hit from;
    return numeric && is_there(x, index, number) && !es_find_document(index, number) &&
           !origin_of(ret, &from);
}

const char *es_id_of(struct es_exchange *x, const struct es_hit *hit)
{
    struct es_hit from;
    if (hit->document)
        return hit->document->id;
    if (origin_of(hit, &from))
        return es_id_of(x, &from);
    return arena_printf(x->arena, "%lld", (long long)hit->identity);
}

int64_t es_version_of(const struct es_hit *hit)
{
    return hit->document ? hit->document->version : 1;
}

cJSON *es_source_of(struct es_exchange *x, const struct es_hit *hit)
{
    struct es_hit from;
    if (hit->document)
        return cJSON_Duplicate(hit->document->source, true);
    if (origin_of(hit, &from))
        return es_source_of(x, &from);
    cJSON *source = cJSON_CreateObject();
    int64_t at_ns = store_row_time(x->node->store, hit->index->name, hit->identity);
    if (at_ns != NEVER)
        cJSON_AddStringToObject(source, "@timestamp", es_time(x->arena, x->node, at_ns));
    cJSON_AddNumberToObject(source, "id", (double)hit->identity);
    return source;
}

cJSON *es_field_of(struct es_exchange *x, const struct es_hit *hit, const char *path)
{
    cJSON *source = hit->document ? NULL : es_source_of(x, hit);
    const cJSON *at = hit->document ? hit->document->source : source;
    struct str rest = str_of(path);
    while (rest.len && at) {
        const cJSON *whole = cJSON_GetObjectItemCaseSensitive(at, rest.at); /* "a.b" as one key */
        struct str one = str_cut(&rest, '.');
        if (whole) {
            at = whole;
            break;
        }
        if (str_is(one, "keyword") && !rest.len && !cJSON_IsObject(at))
            break;
        at = cJSON_GetObjectItemCaseSensitive(at, arena_str(x->arena, one));
    }
    cJSON *found = at && at != source ? cJSON_Duplicate(at, true) : NULL;
    cJSON_Delete(source);
    return found;
}

/* ---- writing ---- */

int es_index_document(struct es_exchange *x, struct es_index *index, const char *id,
                      const cJSON *source, struct str text, bool create, const char **ret_id,
                      int64_t *ret_version, cJSON **ret_error)
{
    int status = 400;
    struct es_hit old = {0};
    struct dataset *serving = store_serving(x->node->store);
    if (!id)
        id = arena_printf(x->arena, "%.20s",
                          es_uuid(x->arena, arena_printf(x->arena, "document %lld",
                                                         (long long)x->node->next_id++)));
    *ret_id = id;
    if ((*ret_error = es_write_refused(index, &status)) != NULL)
        return status;
    bool there = es_find_by_id(x, index, id, &old);
    if (there && create) {
        *ret_error = es_error_json(
            "version_conflict_engine_exception",
            arena_printf(x->arena,
                         "[%s]: version conflict, document already exists (current version [%lld])",
                         id, (long long)es_version_of(&old)));
        cJSON_AddStringToObject(*ret_error, "index_uuid", es_uuid(x->arena, index->name));
        cJSON_AddStringToObject(*ret_error, "shard", "0");
        cJSON_AddStringToObject(*ret_error, "index", index->name);
        return 409;
    }
    if ((*ret_error = es_map_document(x, index, id, source, text)) != NULL)
        return 400;
    struct es_document *document = there ? es_find_document(index, old.identity) : NULL;
    if (!there) {
        int64_t identity = store_acknowledge(x->node->store, index->name, 1);
        if (!dataset_has_table(serving, index->name))
            dataset_create_table(serving, index->name);
        dataset_insert(serving, index->name, identity, identity + 1);
        document = add_document(index, identity, id);
    } else if (!document) { /* a record of traffic gets a source of its own */
        document = add_document(index, old.identity, id);
        document->version = 1;
    }
    cJSON_Delete(document->source);
    document->source = cJSON_Duplicate(source, true);
    *ret_version = ++document->version;
    return there ? 200 : 201;
}

void es_delete_document(struct es_exchange *x, const struct es_hit *hit)
{
    store_because(x->node->store,
                  arena_printf(x->arena, "%s %s", x->request->method, x->request->target));
    dataset_delete(store_serving(x->node->store), hit->index->name, hit->identity,
                   hit->identity + 1);
}

/* The index to write to: its own name, an alias, or a new one. NULL: none, and *ret_error says why.
 */
static struct es_index *writable(struct es_exchange *x, const char *name, cJSON **ret_error)
{
    struct es_index *index = es_find_index(x->node, str_of(name)), *marked = NULL;
    int n = 0;
    for (int i = 0; i < x->node->n_indices && !index; i++) {
        struct es_index *one = x->node->indices[i];
        const cJSON *alias =
            one->deleted ? NULL : cJSON_GetObjectItemCaseSensitive(one->aliases, name);
        const cJSON *write =
            alias ? cJSON_GetObjectItemCaseSensitive(alias, "is_write_index") : NULL;
        if (!alias)
            continue;
        n += !cJSON_IsFalse(write);
        if (cJSON_IsTrue(write) || (!marked && !cJSON_IsFalse(write)))
            marked = one;
        if (cJSON_IsTrue(write))
            n = -100;
    }
    if (index || (marked && (n == 1 || n < 0)))
        return index ? index : marked;
    if (n) {
        *ret_error = es_error_json("illegal_argument_exception",
                                   arena_printf(x->arena,
                                                "no write index is defined for alias [%s]. The "
                                                "write index may be explicitly disabled "
                                                "using is_write_index=false or the alias points to "
                                                "multiple indices without one being "
                                                "designated as a write index",
                                                name));
        return NULL;
    }
    index = es_add_index(x->node, name);
    if (!dataset_has_table(store_serving(x->node->store), name))
        dataset_create_table(store_serving(x->node->store), name);
    record_change(x->node->env->record, index->name, "index created");
    store_changed(x->node->store);
    return index;
}

static cJSON *result_json(struct es_exchange *x, const struct es_index *index, const char *id,
                          int64_t version, const char *result)
{
    cJSON *json = cJSON_CreateObject();
    (void)x;
    cJSON_AddStringToObject(json, "_index", index->name);
    cJSON_AddStringToObject(json, "_id", id);
    cJSON_AddNumberToObject(json, "_version", (double)version);
    cJSON_AddStringToObject(json, "result", result);
    cJSON_AddItemToObject(json, "_shards", es_shards(1 + index->replicas, 1));
    cJSON_AddNumberToObject(json, "_seq_no", (double)(index->n_documents + version - 2));
    cJSON_AddNumberToObject(json, "_primary_term", 1);
    return json;
}

static void answer_refused(struct es_exchange *x, int status, cJSON *error)
{
    cJSON *json = cJSON_CreateObject(), *outer = cJSON_AddObjectToObject(json, "error");
    cJSON_AddItemToArray(cJSON_AddArrayToObject(outer, "root_cause"), cJSON_Duplicate(error, true));
    cJSON_DeleteItemFromObject(cJSON_GetArrayItem(cJSON_GetObjectItem(outer, "root_cause"), 0),
                               "caused_by");
    for (cJSON *item = error->child; item; item = item->next)
        cJSON_AddItemToObject(outer, item->string, cJSON_Duplicate(item, true));
    cJSON_AddNumberToObject(json, "status", status);
    cJSON_Delete(error);
    es_answer(x, status, json);
}

static void put_as(struct es_exchange *x, bool create)
{
    const char *id = x->n_parts > 1 ? part(x, 1) : NULL;
    int64_t version = 0;
    cJSON *error = NULL;
    if (!x->body) {
        es_error(x, 400, "parse_exception", "request body is required");
        return;
    }
    struct es_index *index = writable(x, part(x, 0), &error);
    int status = index ? es_index_document(
                             x, index, id, x->body, x->request->body,
                             create || strcmp(es_parameter(x, "op_type", "index"), "create") == 0,
                             &id, &version, &error)
                       : 400;
    if (error) {
        answer_refused(x, status, error);
        return;
    }
    record_change(x->node->env->record, index->name, "document %s %s", id,
                  status == 201 ? "created" : "updated");
    es_answer(x, status, result_json(x, index, id, version, status == 201 ? "created" : "updated"));
}

static void put_document(struct es_exchange *x)
{
    put_as(x, false);
}

static void create_document(struct es_exchange *x)
{
    put_as(x, true);
}

/* The document that the path names; false: the answer is given. */
static bool named_document(struct es_exchange *x, struct es_hit *ret)
{
    struct es_indices all;
    if (!es_resolve(x, part(x, 0), true, &all))
        return false;
    if (!es_can_read(x, all.at[0]))
        return false;
    if (es_find_by_id(x, all.at[0], part(x, 1), ret))
        return true;
    ret->index = all.at[0];
    return false;
}

static void get_document(struct es_exchange *x)
{
    struct es_hit hit = {0};
    bool found = named_document(x, &hit);
    if (x->answered)
        return;
    cJSON *json = cJSON_CreateObject();
    cJSON_AddStringToObject(json, "_index", hit.index->name);
    cJSON_AddStringToObject(json, "_id", part(x, 1));
    if (found) {
        cJSON_AddNumberToObject(json, "_version", (double)es_version_of(&hit));
        cJSON_AddNumberToObject(json, "_seq_no", (double)hit.identity);
        cJSON_AddNumberToObject(json, "_primary_term", 1);
    }
    cJSON_AddBoolToObject(json, "found", found);
    if (found)
        cJSON_AddItemToObject(json, "_source", es_source_of(x, &hit));
    es_answer(x, found ? 200 : 404, json);
}

static void get_source(struct es_exchange *x)
{
    struct es_hit hit = {0};
    if (named_document(x, &hit))
        es_answer(x, 200, es_source_of(x, &hit));
    else
        es_error(x, 404, "resource_not_found_exception", "Document not found [%s]/[%s]", part(x, 0),
                 part(x, 1));
}

static void delete_document(struct es_exchange *x)
{
    struct es_hit hit = {0};
    int status = 400;
    bool found = named_document(x, &hit);
    if (x->answered)
        return;
    cJSON *refused = es_write_refused(hit.index, &status);
    if (refused) {
        answer_refused(x, status, refused);
        return;
    }
    if (found)
        es_delete_document(x, &hit);
    es_answer(x, found ? 200 : 404,
              result_json(x, hit.index, part(x, 1), es_version_of(&hit) + found,
                          found ? "deleted" : "not_found"));
}

/* The document after an update of "doc", "doc_as_upsert", "upsert"; NULL: *ret_error. Freed by the
 * caller. */
static cJSON *updated_source(struct es_exchange *x, struct es_index *index, const char *id,
                             const cJSON *body, int *ret_status, cJSON **ret_error)
{
    struct es_hit hit;
    const cJSON *doc = cJSON_GetObjectItemCaseSensitive(body, "doc"),
                *upsert = cJSON_GetObjectItemCaseSensitive(body, "upsert");
    bool there = es_find_by_id(x, index, id, &hit);
    *ret_status = 400;
    if (cJSON_GetObjectItemCaseSensitive(body, "script")) {
        record_observe(x->node->env->record, "not_simulated", x->request->target,
                       "elasticsearch: scripts are not simulated");
        *ret_error = es_error_json("not_simulated", "scripts are not simulated");
        return NULL;
    }
    if (!there && cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(body, "doc_as_upsert")))
        upsert = doc;
    if (!there && !upsert) {
        *ret_status = 404;
        *ret_error = es_error_json("document_missing_exception",
                                   arena_printf(x->arena, "[%s]: document missing", id));
        cJSON_AddStringToObject(*ret_error, "index_uuid", es_uuid(x->arena, index->name));
        cJSON_AddStringToObject(*ret_error, "shard", "0");
        cJSON_AddStringToObject(*ret_error, "index", index->name);
        return NULL;
    }
    if (!there)
        return cJSON_Duplicate(upsert, true);
    if (!doc) {
        *ret_error = es_error_json("action_request_validation_exception",
                                   "Validation Failed: 1: script or doc is missing;");
        return NULL;
    }
    cJSON *source = es_source_of(x, &hit);
    for (const cJSON *item = doc->child; item; item = item->next) {
        cJSON_DeleteItemFromObjectCaseSensitive(source, item->string);
        cJSON_AddItemToObject(source, item->string, cJSON_Duplicate(item, true));
    }
    return source;
}

static void update_document(struct es_exchange *x)
{
    const char *id = part(x, 1);
    cJSON *error = NULL;
    int64_t version = 0;
    int status = 400;
    struct es_index *index = writable(x, part(x, 0), &error);
    cJSON *source =
        index && x->body ? updated_source(x, index, id, x->body, &status, &error) : NULL;
    if (source)
        status =
            es_index_document(x, index, id, source, x->request->body, false, &id, &version, &error);
    cJSON_Delete(source);
    if (error)
        answer_refused(x, status, error);
    else if (!x->body)
        es_error(x, 400, "parse_exception", "request body is required");
    else
        es_answer(x, status,
                  result_json(x, index, id, version, status == 201 ? "created" : "updated"));
}

/* ---- in bulk ---- */

struct bulk {
    struct es_exchange *x;
    cJSON *items;
    int n, failed, line;
    const char *first_error;
};

static void add_item(struct bulk *b, const char *action, const char *index, const char *id,
                     int status, cJSON *result, cJSON *error)
{
    cJSON *item = cJSON_CreateObject(), *one = result ? result : cJSON_CreateObject();
    if (!result) {
        cJSON_AddStringToObject(one, "_index", index);
        cJSON_AddStringToObject(one, "_id", id ? id : "");
    }
    cJSON_AddNumberToObject(one, "status", status);
    if (error) {
        const cJSON *reason = cJSON_GetObjectItemCaseSensitive(error, "reason");
        if (b->failed++ == 0)
            b->first_error =
                cJSON_IsString(reason) ? arena_strdup(b->x->arena, reason->valuestring) : "";
        cJSON_AddItemToObject(one, "error", error);
    }
    cJSON_AddItemToObject(item, action, one);
    cJSON_AddItemToArray(b->items, item);
    b->n++;
}

static void bulk_delete(struct bulk *b, struct es_index *index, const char *id)
{
    struct es_hit hit = {0};
    int status = 400;
    cJSON *refused = es_write_refused(index, &status);
    bool found = !refused && es_find_by_id(b->x, index, id, &hit);
    if (found)
        es_delete_document(b->x, &hit);
    if (refused)
        add_item(b, "delete", index->name, id, status, NULL, refused);
    else
        add_item(
            b, "delete", index->name, id, found ? 200 : 404,
            result_json(b->x, index, id, es_version_of(&hit) + 1, found ? "deleted" : "not_found"),
            NULL);
}

static void bulk_write(struct bulk *b, const char *action, struct es_index *index, const char *id,
                       struct str text)
{
    struct es_exchange *x = b->x;
    cJSON *source = cJSON_ParseWithLength(text.at, text.len), *error = NULL, *whole = NULL;
    int64_t version = 0;
    int status = 400;
    if (!source || !cJSON_IsObject(source)) {
        error = es_error_json(
            x->node->opensearch ? "mapper_parsing_exception" : "document_parsing_exception",
            x->node->opensearch ? "failed to parse" : "[1:1] failed to parse: not an object");
    } else if (strcmp(action, "update") == 0) {
        whole = updated_source(x, index, id ? id : "", source, &status, &error);
    }
    if (!error)
        status = es_index_document(x, index, id, whole ? whole : source, text,
                                   strcmp(action, "create") == 0, &id, &version, &error);
    cJSON_Delete(source);
    cJSON_Delete(whole);
    add_item(b, action, index->name, id, status,
             error ? NULL
                   : result_json(x, index, id, version, status == 201 ? "created" : "updated"),
             error);
}

/* One action and its source. False: the whole request is refused. */
static bool bulk_action(struct bulk *b, struct str line, struct str *rest)
{
    struct es_exchange *x = b->x;
    cJSON *json = cJSON_ParseWithLength(line.at, line.len), *error = NULL;
    const cJSON *action = json ? json->child : NULL;
    bool known =
        action && (strcmp(action->string, "index") == 0 || strcmp(action->string, "create") == 0 ||
                   strcmp(action->string, "update") == 0 || strcmp(action->string, "delete") == 0);
    if (!cJSON_IsObject(json) || !known) {
        if (action && cJSON_IsObject(json))
            es_error(x, 400, "illegal_argument_exception",
                     "Malformed action/metadata line [%d], expected field [create], [delete], "
                     "[index] or [update] but found [%s]",
                     b->line, action->string);
        else
            es_error(x, 400, "illegal_argument_exception",
                     "Malformed action/metadata line [%d], expected START_OBJECT but found [%s]",
                     b->line, json ? "VALUE_STRING" : "null");
        cJSON_Delete(json);
        return false;
    }
    const cJSON *name = cJSON_GetObjectItemCaseSensitive(action, "_index"),
                *id = cJSON_GetObjectItemCaseSensitive(action, "_id");
    const char *kind = arena_strdup(x->arena, action->string);
    const char *target =
        cJSON_IsString(name) ? arena_strdup(x->arena, name->valuestring) : part(x, 0);
    const char *key = cJSON_IsString(id)   ? arena_strdup(x->arena, id->valuestring)
                      : cJSON_IsNumber(id) ? arena_printf(x->arena, "%.0f", id->valuedouble)
                                           : NULL;
    bool typed = cJSON_GetObjectItemCaseSensitive(action, "_type") != NULL;
    cJSON_Delete(json);
    if (typed) {
        es_error(x, 400, "illegal_argument_exception",
                 "Action/metadata line [%d] contains an unknown parameter [_type]", b->line);
        return false;
    }
    if (!*target) {
        es_error(x, 400, "action_request_validation_exception",
                 "Validation Failed: 1: index is missing;");
        return false;
    }
    bool deletes = strcmp(kind, "delete") == 0;
    struct str text = deletes ? (struct str){0} : str_cut(rest, '\n');
    b->line += !deletes;
    struct es_index *index = writable(x, target, &error);
    if (!index)
        add_item(b, kind, target, key, 400, NULL, error);
    else if (deletes)
        bulk_delete(b, index, key ? key : "");
    else
        bulk_write(b, kind, index, key, text);
    return true;
}

static void bulk(struct es_exchange *x)
{
    struct str rest = x->request->body;
    struct bulk b = {.x = x, .items = cJSON_CreateArray()};
    if (!rest.len)
        es_error(x, 400, "parse_exception", "request body is required");
    else if (rest.at[rest.len - 1] != '\n')
        es_error(x, 400, "illegal_argument_exception",
                 "The bulk request must be terminated by a newline [\\n]");
    store_because(x->node->store, arena_printf(x->arena, "POST %s", x->request->target));
    while (rest.len && !x->answered) {
        struct str line = str_trim(str_cut(&rest, '\n'));
        b.line++;
        if (line.len && !bulk_action(&b, line, &rest))
            break;
    }
    if (x->answered) {
        cJSON_Delete(b.items);
        return;
    }
    struct record *record = x->node->env->record;
    if (b.failed && record_step_current(record))
        record_observe(
            record, "silent_failure", b.first_error,
            "a bulk request was answered with 200 although %d of its %d actions were refused",
            b.failed, b.n);
    record_change(record, store_name(x->node->store), "bulk request: %d of %d actions done",
                  b.n - b.failed, b.n);
    cJSON *json = cJSON_CreateObject();
    cJSON_AddBoolToObject(json, "errors", b.failed > 0);
    int took_ms = b.n / 20 + 3;
    cJSON_AddNumberToObject(json, "took", took_ms);
    cJSON_AddItemToObject(json, "items", b.items);
    x->response->latency_ns += (int64_t)b.n * SECOND / 20000;
    es_answer(x, 200, json);
}

const struct es_route es_document_routes[] = {
    {"POST PUT", "_bulk", bulk},
    {"POST PUT", "{index}/_bulk", bulk},
    {"POST", "{index}/_doc", put_document},
    {"PUT POST", "{index}/_doc/{id}", put_document},
    {"GET", "{index}/_doc/{id}", get_document},
    {"DELETE", "{index}/_doc/{id}", delete_document},
    {"PUT POST", "{index}/_create/{id}", create_document},
    {"GET", "{index}/_source/{id}", get_source},
    {"POST", "{index}/_update/{id}", update_document},
    {NULL, NULL, NULL},
};
