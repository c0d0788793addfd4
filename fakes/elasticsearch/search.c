/* _search, _count, and what is done by query: delete, update, reindex. */
#include <stdlib.h>
#include <string.h>

#include "fakes/elasticsearch/node.h"
#include "sim/base/xalloc.h"

static const char *target(const struct es_exchange *x)
{
    return x->n_parts ? arena_str(x->arena, x->parts[0]) : "*";
}

static const cJSON *query_of(const struct es_exchange *x)
{
    return cJSON_GetObjectItemCaseSensitive(x->body, "query");
}

/* The indices that can be searched. A closed one that was named is refused; a red one is left out,
 * unless it is the only one (allow_partial_search_results). False: the answer is given. */
static bool searchable(struct es_exchange *x, struct es_indices *all, int *ret_shards,
                       int *ret_failed)
{
    *ret_shards = *ret_failed = 0;
    if (!es_resolve(x, target(x), false, all))
        return false;
    int n = 0;
    for (int i = 0; i < all->n; i++) {
        struct es_index *index = all->at[i];
        bool red = index->corrupt || index->restoring;
        *ret_shards += index->shards;
        *ret_failed += red ? index->shards : 0;
        if (red && all->n > 1)
            continue;
        if (!es_can_read(x, index))
            return false;
        all->at[n++] = index;
    }
    if (n == 0 && all->n)
        return es_can_read(x, all->at[0]);
    all->n = n;
    return true;
}

static void add_shards(cJSON *json, int shards, int failed)
{
    cJSON *one = cJSON_AddObjectToObject(json, "_shards");
    cJSON_AddNumberToObject(one, "total", shards);
    cJSON_AddNumberToObject(one, "successful", shards - failed);
    cJSON_AddNumberToObject(one, "skipped", 0);
    cJSON_AddNumberToObject(one, "failed", failed);
}

static void count(struct es_exchange *x)
{
    struct es_indices all;
    int shards, failed;
    for (const cJSON *item = x->body ? x->body->child : NULL; item; item = item->next) {
        if (strcmp(item->string, "query") != 0) {
            es_error(x, 400, "parsing_exception", "request does not support [%s]", item->string);
            return;
        }
    }
    if (!searchable(x, &all, &shards, &failed) || !es_check_query(x, query_of(x)))
        return;
    int64_t n = es_count_query(x, &all, query_of(x));
    cJSON *json = cJSON_CreateObject();
    cJSON_AddNumberToObject(json, "count", (double)n);
    add_shards(json, shards, failed);
    es_answer(x, 200, json);
}

/* ---- search ---- */

struct found {
    struct es_hit hit;
    cJSON *key; /* what it is sorted by; NULL: nothing */
};

struct search {
    int64_t from, size, total, limit; /* limit: how many are kept, -1 all (they are sorted) */
    const char *sort;
    bool down;
    struct found *found;
    int n, cap;
};

static bool keep(struct es_exchange *x, const struct es_hit *hit, void *ctx)
{
    struct search *s = ctx;
    s->total++;
    if (s->limit >= 0 && s->n >= s->limit)
        return true;
    XGROW(s->found, s->n, s->cap);
    s->found[s->n++] = (struct found){*hit, s->sort ? es_field_of(x, hit, s->sort) : NULL};
    return true;
}

static int compare_keys(const cJSON *a, const cJSON *b)
{
    if (!a || !b)
        return (a == NULL) - (b == NULL);
    if (cJSON_IsNumber(a) && cJSON_IsNumber(b))
        return (a->valuedouble > b->valuedouble) - (a->valuedouble < b->valuedouble);
    return strcmp(cJSON_IsString(a) ? a->valuestring : "", cJSON_IsString(b) ? b->valuestring : "");
}

static int by_key(const void *a, const void *b, void *ctx)
{
    const struct found *one = a, *other = b;
    const struct search *s = ctx;
    int order = compare_keys(one->key, other->key);
    if (order)
        return s->down && one->key && other->key ? -order : order;
    order = strcmp(one->hit.index->name, other->hit.index->name);
    return order ? order
                 : (one->hit.identity > other->hit.identity) -
                       (one->hit.identity < other->hit.identity);
}

/* "sort": "field", ["field"], [{"field": "desc"}], [{"field": {"order": "desc"}}];
 * ?sort=field:desc. One key. */
static bool read_sort(struct es_exchange *x, struct search *s)
{
    const cJSON *sort = cJSON_GetObjectItemCaseSensitive(x->body, "sort"), *order = NULL;
    const char *parameter = es_parameter(x, "sort", NULL);
    if (cJSON_IsArray(sort) && cJSON_GetArraySize(sort) > 1) {
        es_not_simulated(x, "sorting by more than one key");
        return false;
    }
    if (cJSON_IsArray(sort))
        sort = sort->child;
    if (parameter) {
        struct str rest = str_of(parameter), name = str_cut(&rest, ':');
        s->sort = arena_str(x->arena, name);
        s->down = str_is(rest, "desc");
    } else if (cJSON_IsString(sort)) {
        s->sort = sort->valuestring;
    } else if (cJSON_IsObject(sort) && sort->child) {
        s->sort = sort->child->string;
        order = cJSON_IsObject(sort->child) ? cJSON_GetObjectItemCaseSensitive(sort->child, "order")
                                            : sort->child;
        s->down = cJSON_IsString(order) && strcmp(order->valuestring, "desc") == 0;
    }
    if (s->sort && (strcmp(s->sort, "_score") == 0 || strcmp(s->sort, "_doc") == 0))
        s->sort = NULL;
    return true;
}

static bool can_sort(struct es_exchange *x, const struct es_indices *all, const char *field)
{
    for (int i = 0; i < all->n; i++) {
        const char *type = es_type_of(all->at[i], field);
        if (type && strcmp(type, "text") != 0)
            continue;
        if (type)
            es_error(x, 400, "illegal_argument_exception",
                     "Text fields are not optimised for operations that require per-document field "
                     "data like aggregations and sorting, so these "
                     "operations are disabled by default. Please use a keyword field instead. "
                     "Alternatively, set fielddata=true on [%s] in order "
                     "to load field data by uninverting the inverted index. Note that this can use "
                     "significant memory.",
                     field);
        else
            es_error(x, 400, "query_shard_exception",
                     "No mapping found for [%s] in order to sort on", field);
        return false;
    }
    return true;
}

/* What of the source is shown: "_source": false, "a", ["a", "b*"]. Takes the source over. */
static cJSON *shown_source(struct es_exchange *x, cJSON *source)
{
    const cJSON *wanted = cJSON_GetObjectItemCaseSensitive(x->body, "_source");
    if (!wanted || cJSON_IsTrue(wanted) || cJSON_IsObject(wanted))
        return source;
    for (cJSON *item = source->child, *next; item; item = next) {
        bool found = false;
        next = item->next;
        for (const cJSON *one = cJSON_IsArray(wanted) ? wanted->child : wanted; one;
             one = cJSON_IsArray(wanted) ? one->next : NULL)
            found |= cJSON_IsString(one) && es_matches(one->valuestring, str_of(item->string));
        if (!found)
            cJSON_Delete(cJSON_DetachItemViaPointer(source, item));
    }
    return source;
}

static void answer_search(struct es_exchange *x, const struct search *s, int shards, int failed)
{
    const cJSON *track = cJSON_GetObjectItemCaseSensitive(x->body, "track_total_hits");
    bool exact = cJSON_IsTrue(track) ||
                 (es_has(x, "track_total_hits") && es_flag(x, "track_total_hits", true));
    cJSON *json = cJSON_CreateObject(), *outer = NULL;
    int64_t took_ms = 3 + s->total / 200000;
    cJSON_AddNumberToObject(json, "took", (double)took_ms);
    cJSON_AddFalseToObject(json, "timed_out");
    add_shards(json, shards, failed);
    outer = cJSON_AddObjectToObject(json, "hits");
    if (!cJSON_IsFalse(track)) {
        cJSON *total = cJSON_AddObjectToObject(outer, "total");
        bool cut = !exact && s->total > ES_WINDOW;
        cJSON_AddNumberToObject(total, "value", (double)(cut ? ES_WINDOW : s->total));
        cJSON_AddStringToObject(total, "relation", cut ? "gte" : "eq");
    }
    bool scored = s->n > s->from && s->size > 0 && !s->sort;
    cJSON_AddItemToObject(outer, "max_score", scored ? es_float(x->arena, 1) : cJSON_CreateNull());
    cJSON *hits = cJSON_AddArrayToObject(outer, "hits");
    for (int64_t i = s->from; i < s->n && i < s->from + s->size; i++) {
        const struct found *found = &s->found[i];
        const cJSON *source = cJSON_GetObjectItemCaseSensitive(x->body, "_source");
        cJSON *hit = cJSON_CreateObject();
        cJSON_AddStringToObject(hit, "_index", found->hit.index->name);
        cJSON_AddStringToObject(hit, "_id", es_id_of(x, &found->hit));
        cJSON_AddItemToObject(hit, "_score", s->sort ? cJSON_CreateNull() : es_float(x->arena, 1));
        if (!cJSON_IsFalse(source) && strcmp(es_parameter(x, "_source", "true"), "false") != 0)
            cJSON_AddItemToObject(hit, "_source", shown_source(x, es_source_of(x, &found->hit)));
        if (s->sort)
            cJSON_AddItemToArray(cJSON_AddArrayToObject(hit, "sort"),
                                 found->key ? cJSON_Duplicate(found->key, true)
                                            : cJSON_CreateNull());
        cJSON_AddItemToArray(hits, hit);
    }
    es_answer(x, 200, json);
}

static int64_t number_in(struct es_exchange *x, const char *name, int64_t otherwise)
{
    const cJSON *value = cJSON_GetObjectItemCaseSensitive(x->body, name);
    int64_t n = cJSON_IsNumber(value) ? (int64_t)value->valuedouble : otherwise;
    str_int64(str_of(es_parameter(x, name, "")), &n);
    return n;
}

static void search(struct es_exchange *x)
{
    static const char *const known[] = {
        "query",   "size",    "from",         "sort", "_source", "track_total_hits",
        "timeout", "version", "track_scores", NULL};
    struct es_indices all;
    struct search s = {.from = number_in(x, "from", 0), .size = number_in(x, "size", 10)};
    int shards, failed;
    for (const cJSON *item = x->body ? x->body->child : NULL; item; item = item->next) {
        int i = 0;
        while (known[i] && strcmp(known[i], item->string) != 0)
            i++;
        if (!known[i]) {
            es_not_simulated(x, arena_printf(x->arena, "[%s] of a search", item->string));
            return;
        }
    }
    if (!searchable(x, &all, &shards, &failed) || !read_sort(x, &s) ||
        !es_check_query(x, query_of(x)))
        return;
    if (s.size < 0 || s.from < 0) {
        es_error(x, 400, "illegal_argument_exception",
                 "[%s] parameter cannot be negative, found [%lld]", s.size < 0 ? "size" : "from",
                 (long long)(s.size < 0 ? s.size : s.from));
        return;
    }
    if (s.size + s.from > ES_WINDOW) {
        es_error(x, 400, "illegal_argument_exception",
                 "Result window is too large, from + size must be less than or equal to: [10000] "
                 "but was [%lld]. See the scroll api for a more "
                 "efficient way to request large data sets. This limit can be set by changing the "
                 "[index.max_result_window] index level setting.",
                 (long long)(s.size + s.from));
        return;
    }
    if (s.sort && !can_sort(x, &all, s.sort))
        return;
    s.limit = s.sort ? -1 : s.from + s.size;
    es_each(x, &all, query_of(x), keep, &s);
    if (s.sort && s.n)
        qsort_r(s.found, (size_t)s.n, sizeof *s.found, by_key, &s);
    answer_search(x, &s, shards, failed);
    for (int i = 0; i < s.n; i++)
        cJSON_Delete(s.found[i].key);
    free(s.found);
}

/* ---- by query ---- */

static cJSON *report(struct es_exchange *x, int64_t total, int64_t updated, int64_t created,
                     int64_t deleted)
{
    cJSON *json = cJSON_CreateObject();
    int64_t took_ms = 20 + total / 20, batches = (total + 999) / 1000;
    cJSON_AddNumberToObject(json, "took", (double)took_ms);
    cJSON_AddFalseToObject(json, "timed_out");
    cJSON_AddNumberToObject(json, "total", (double)total);
    if (updated >= 0)
        cJSON_AddNumberToObject(json, "updated", (double)updated);
    if (created >= 0)
        cJSON_AddNumberToObject(json, "created", (double)created);
    cJSON_AddNumberToObject(json, "deleted", (double)deleted);
    cJSON_AddNumberToObject(json, "batches", (double)batches);
    cJSON_AddNumberToObject(json, "version_conflicts", 0);
    cJSON_AddNumberToObject(json, "noops", 0);
    cJSON *retries = cJSON_AddObjectToObject(json, "retries");
    cJSON_AddNumberToObject(retries, "bulk", 0);
    cJSON_AddNumberToObject(retries, "search", 0);
    cJSON_AddNumberToObject(json, "throttled_millis", 0);
    cJSON_AddItemToObject(json, "requests_per_second", es_float(x->arena, -1));
    cJSON_AddNumberToObject(json, "throttled_until_millis", 0);
    cJSON_AddArrayToObject(json, "failures");
    x->response->latency_ns += total * SECOND / 20000;
    return json;
}

/* wait_for_completion=false: the work goes on as a task. Here it is done at once. */
static void answer_report(struct es_exchange *x, cJSON *json)
{
    if (es_flag(x, "wait_for_completion", true)) {
        es_answer(x, 200, json);
        return;
    }
    cJSON_Delete(json);
    json = cJSON_CreateObject();
    cJSON_AddStringToObject(json, "task",
                            arena_printf(x->arena, "%s:%lld", es_uuid(x->arena, "node-1"),
                                         (long long)(4711 + x->node->next_id++)));
    es_answer(x, 200, json);
}

/* The indices to change, all of which must take writes; false: the answer is given. */
static bool changeable(struct es_exchange *x, struct es_indices *all)
{
    int shards, failed, status = 400;
    if (!searchable(x, all, &shards, &failed) || !es_check_query(x, query_of(x)))
        return false;
    for (int i = 0; i < all->n; i++) {
        cJSON *refused = es_write_refused(all->at[i], &status);
        if (!refused)
            continue;
        es_error(x, status, cJSON_GetObjectItem(refused, "type")->valuestring, "%s",
                 cJSON_GetObjectItem(refused, "reason")->valuestring);
        cJSON_Delete(refused);
        return false;
    }
    return true;
}

struct gathered {
    struct idset ids;
    int64_t n;
};

static bool gather(struct es_exchange *x, const struct es_hit *hit, void *ctx)
{
    struct gathered *g = ctx;
    (void)x;
    idset_add(&g->ids, hit->identity, hit->identity + 1);
    g->n++;
    return true;
}

/* The identities of one index that the query finds. */
static struct gathered gather_from(struct es_exchange *x, struct es_index *index,
                                   const cJSON *query)
{
    struct gathered g = {{0}, 0};
    struct es_indices one = {.at = &index, .n = 1};
    const struct idset *rows = dataset_rows(store_serving(x->node->store), index->name);
    bool everything = !query || (query->child && strcmp(query->child->string, "match_all") == 0);
    if (everything && rows && !es_has(x, "q")) {
        idset_copy(&g.ids, rows);
        g.n = idset_count(rows);
    } else {
        es_each(x, &one, query, gather, &g);
    }
    return g;
}

static void delete_by_query(struct es_exchange *x)
{
    struct es_indices all;
    int64_t total = 0;
    if (!query_of(x) && !es_has(x, "q")) {
        es_error(x, 400, "action_request_validation_exception",
                 "Validation Failed: 1: query is missing;");
        return;
    }
    if (!changeable(x, &all))
        return;
    store_because(x->node->store, arena_printf(x->arena, "POST %s", x->request->target));
    for (int i = 0; i < all.n && !x->answered; i++) {
        struct gathered g = gather_from(x, all.at[i], query_of(x));
        if (g.n) {
            dataset_delete_set(store_serving(x->node->store), all.at[i]->name, &g.ids);
            record_change(x->node->env->record, all.at[i]->name, "%lld documents deleted by query",
                          (long long)g.n);
        }
        total += g.n;
        idset_release(&g.ids);
    }
    answer_report(x, report(x, total, -1, -1, total));
}

static void update_by_query(struct es_exchange *x)
{
    struct es_indices all;
    if (cJSON_GetObjectItemCaseSensitive(x->body, "script")) {
        es_not_simulated(x, "a script");
        return;
    }
    if (!changeable(x, &all))
        return;
    int64_t total =
        es_count_query(x, &all, query_of(x)); /* without a script, each is written again as it is */
    answer_report(x, report(x, total, total, -1, 0));
}

/* ---- reindex ---- */

struct reindex {
    struct es_index *from, *to;
    int64_t total, created, updated;
    cJSON *failures;
};

/* Documents with a source of their own go over one by one. */
static void copy_documents(struct es_exchange *x, struct reindex *r, struct idset *ids, bool create)
{
    for (int i = 0; i < r->from->n_documents; i++) {
        struct es_document *document = &r->from->documents[i];
        const char *id = document->id;
        int64_t version = 0;
        cJSON *error = NULL;
        if (!idset_has(ids, document->identity))
            continue;
        idset_remove(ids, document->identity, document->identity + 1);
        char *text = cJSON_PrintUnformatted(document->source);
        int status = es_index_document(x, r->to, id, document->source, str_of(text), create, &id,
                                       &version, &error);
        cJSON_free(text);
        r->created += status == 201;
        r->updated += status == 200;
        if (error) {
            cJSON *failure = cJSON_CreateObject();
            cJSON_AddStringToObject(failure, "index", r->to->name);
            cJSON_AddStringToObject(failure, "id", id);
            cJSON_AddItemToObject(failure, "cause", error);
            cJSON_AddNumberToObject(failure, "status", status);
            cJSON_AddItemToArray(r->failures, failure);
        }
    }
}

/* Records of traffic go over as a whole: they have one form. */
static void copy_records(struct es_exchange *x, struct reindex *r, struct idset *ids)
{
    struct dataset *serving = store_serving(x->node->store);
    for (int i = 0; i < r->to->n_copied;
         i++) { /* those that were copied before are written again */
        const struct es_copied *old = &r->to->copied[i];
        if (old->from != r->from)
            continue;
        struct idset again = {0};
        idset_copy(&again, ids);
        idset_intersect(&again, &old->origin);
        r->updated += idset_count(&again);
        idset_subtract(ids, &again);
        idset_release(&again);
    }
    int64_t n = idset_count(ids);
    if (n == 0)
        return;
    struct es_hit sample = {r->from, ids->at[0].lo, NULL};
    cJSON *source = es_source_of(x, &sample),
          *error = es_map_document(x, r->to, "0", source, str_of(""));
    cJSON_Delete(source);
    if (error) {
        cJSON *failure = cJSON_CreateObject();
        cJSON_AddStringToObject(failure, "index", r->to->name);
        cJSON_AddStringToObject(failure, "id", es_id_of(x, &sample));
        cJSON_AddItemToObject(failure, "cause", error);
        cJSON_AddNumberToObject(failure, "status", 400);
        cJSON_AddItemToArray(r->failures, failure);
        return;
    }
    XGROW(r->to->copied, r->to->n_copied, r->to->cap_copied);
    struct es_copied *copied = &r->to->copied[r->to->n_copied++];
    *copied = (struct es_copied){
        .first = store_acknowledge(x->node->store, r->to->name, n), .n = n, .from = r->from};
    idset_copy(&copied->origin, ids);
    dataset_insert(serving, r->to->name, copied->first, copied->first + n);
    r->created += n;
}

static void reindex(struct es_exchange *x)
{
    const cJSON *source = cJSON_GetObjectItemCaseSensitive(x->body, "source"),
                *dest = cJSON_GetObjectItemCaseSensitive(x->body, "dest");
    const cJSON *from = cJSON_GetObjectItemCaseSensitive(source, "index"),
                *to = cJSON_GetObjectItemCaseSensitive(dest, "index");
    const cJSON *query = cJSON_GetObjectItemCaseSensitive(source, "query"),
                *kind = cJSON_GetObjectItemCaseSensitive(dest, "op_type");
    struct es_indices sources;
    int status = 400;
    if (cJSON_GetObjectItemCaseSensitive(x->body, "script") ||
        cJSON_GetObjectItemCaseSensitive(source, "remote") ||
        cJSON_GetObjectItemCaseSensitive(dest, "pipeline")) {
        es_not_simulated(x, "a script, a pipeline or a remote source of _reindex");
        return;
    }
    if (!cJSON_IsString(from) || !cJSON_IsString(to)) {
        if (cJSON_IsArray(from))
            es_not_simulated(x, "_reindex from several indices");
        else
            es_error(x, 400, "action_request_validation_exception", "Validation Failed: 1: %s;",
                     cJSON_IsString(from)
                         ? "index is missing"
                         : "use _all if you really want to copy from all existing indexes");
        return;
    }
    if (!es_resolve(x, from->valuestring, false, &sources))
        return;
    for (int i = 0; i < sources.n; i++) {
        if (strcmp(sources.at[i]->name, to->valuestring) == 0) {
            es_error(
                x, 400, "action_request_validation_exception",
                "Validation Failed: 1: reindex cannot write into an index its reading from [%s];",
                to->valuestring);
            return;
        }
        if (!es_can_read(x, sources.at[i]))
            return;
    }
    if (!es_check_query(x, query))
        return;
    struct es_index *target_index = es_find_index(x->node, str_of(to->valuestring));
    if (!target_index) {
        for (int i = 0; i < x->node->n_indices && !target_index; i++) { /* an alias */
            if (!x->node->indices[i]->deleted &&
                cJSON_GetObjectItemCaseSensitive(x->node->indices[i]->aliases, to->valuestring))
                target_index = x->node->indices[i];
        }
    }
    if (!target_index) {
        target_index = es_add_index(x->node, to->valuestring);
        if (!dataset_has_table(store_serving(x->node->store), target_index->name))
            dataset_create_table(store_serving(x->node->store), target_index->name);
    }
    cJSON *refused = es_write_refused(target_index, &status);
    if (refused) {
        es_error(x, status, cJSON_GetObjectItem(refused, "type")->valuestring, "%s",
                 cJSON_GetObjectItem(refused, "reason")->valuestring);
        cJSON_Delete(refused);
        return;
    }
    struct reindex r = {.to = target_index, .failures = cJSON_CreateArray()};
    store_because(x->node->store, "POST /_reindex");
    for (int i = 0; i < sources.n && !x->answered; i++) {
        struct gathered g = gather_from(x, sources.at[i], query);
        r.from = sources.at[i];
        r.total += g.n;
        copy_documents(x, &r, &g.ids,
                       cJSON_IsString(kind) && strcmp(kind->valuestring, "create") == 0);
        copy_records(x, &r, &g.ids);
        idset_release(&g.ids);
    }
    record_change(x->node->env->record, target_index->name, "%lld documents copied by _reindex",
                  (long long)(r.created + r.updated));
    cJSON *json = report(x, r.total, r.updated, r.created, 0);
    bool failed = r.failures->child != NULL;
    cJSON_ReplaceItemInObject(json, "failures", r.failures);
    if (failed)
        es_answer(x, 400, json);
    else
        answer_report(x, json);
}

const struct es_route es_search_routes[] = {
    {"GET POST", "_search", search},
    {"GET POST", "{index}/_search", search},
    {"GET POST", "_count", count},
    {"GET POST", "{index}/_count", count},
    {"POST", "{index}/_delete_by_query", delete_by_query},
    {"POST", "{index}/_update_by_query", update_by_query},
    {"POST", "_reindex", reindex},
    {NULL, NULL, NULL},
};
