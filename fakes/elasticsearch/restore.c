/* The restore of a snapshot, in virtual time. */
#include <ctype.h>
#include <regex.h>
#include <string.h>

#include "fakes/elasticsearch/node.h"
#include "sim/base/xalloc.h"

static bool dataset_has(const void *contents, const char *name)
{
    return dataset_has_table(contents, name);
}

struct restore {
    struct es_node *node;
    struct es_index *index;
    int step; /* of the procedure, that asked for it: what it does is that step's doing */
};

/* Under its own name the index's contents become those of the snapshot. */
static void put_back(struct es_node *node, struct es_index *index, const struct idset *then)
{
    struct dataset *serving = store_serving(node->store);
    struct idset now = {0}, gone = {0}, back = {0};
    const struct idset *rows = dataset_rows(serving, index->name);
    if (rows)
        idset_copy(&now, rows);
    idset_copy(&gone, &now);
    idset_subtract(&gone, then);
    idset_copy(&back, then);
    idset_subtract(&back, &now);
    if (gone.n)
        dataset_delete_set(serving, index->name, &gone);
    if (back.n)
        dataset_insert_set(serving, index->name, &back);
    idset_release(&now);
    idset_release(&gone);
    idset_release(&back);
}

/* Under another name they are new records of that index. */
static void put_beside(struct es_node *node, struct es_index *index, const struct idset *then,
                       struct es_index *origin)
{
    struct dataset *serving = store_serving(node->store);
    const struct idset *rows = dataset_rows(serving, index->name);
    struct idset all = {0};
    int64_t n = idset_count(then);
    if (rows)
        idset_copy(&all, rows);
    if (all.n)
        dataset_delete_set(serving, index->name, &all);
    idset_release(&all);
    if (n == 0 || !origin)
        return;
    XGROW(index->copied, index->n_copied, index->cap_copied);
    struct es_copied *copied = &index->copied[index->n_copied++];
    *copied = (struct es_copied){
        .first = store_acknowledge(node->store, index->name, n), .n = n, .from = origin};
    idset_copy(&copied->origin, then);
    dataset_insert(serving, index->name, copied->first, copied->first + n);
}

static void restore_ends(struct world *world, void *ctx)
{
    (void)world;
    struct restore *restore = ctx;
    struct es_node *node = restore->node;
    struct es_index *index = restore->index;
    struct dataset *serving = store_serving(node->store);
    struct idset then = {0};
    const struct idset *old = dataset_rows(index->restoring->contents, index->restored_name);
    struct record *record = node->env->record;
    int now_in = record->current_step;
    if (old)
        idset_copy(&then, old);
    record->current_step = restore->step;
    store_because(node->store, arena_printf(&node->env->arena, "restore of %s from snapshot %s",
                                            index->name, index->restoring->name));
    if (!dataset_has_table(serving, index->name))
        dataset_create_table(serving, index->name);
    if (strcmp(index->name, index->restored_name) == 0) {
        put_back(node, index, &then);
    } else {
        struct es_index *origin = NULL;
        for (int i = 0; i < node->n_indices;
             i++) /* also one that is deleted: its sources are known */
            origin = strcmp(node->indices[i]->name, index->restored_name) == 0 ? node->indices[i]
                                                                               : origin;
        put_beside(node, index, &then, origin);
    }
    record_change(record, index->name, "restored from snapshot %s: %lld documents",
                  index->restoring->name, (long long)idset_count(&then));
    record->current_step = now_in;
    idset_release(&then);
    index->restored_from = index->restoring;
    index->restoring = NULL;
    index->closed = index->corrupt = false;
    store_changed(node->store);
}

struct wish {
    const char *from, *to; /* names in the snapshot and after it */
};

/* rename_pattern and rename_replacement, as Java's replaceAll: $1 is the first group. False: the
 * pattern is none. */
static bool renamed(struct es_exchange *x, const char *pattern, const char *replacement,
                    const char *name, const char **ret)
{
    regex_t regex;
    regmatch_t at[10];
    struct buf out;
    if (regcomp(&regex, pattern, REG_EXTENDED) != 0)
        return false;
    buf_init(&out, 4096);
    const char *p = name;
    int flags = 0;
    while (regexec(&regex, p, 10, at, flags) == 0) {
        buf_add(&out, p, (size_t)at[0].rm_so);
        for (const char *r = replacement; *r; r++) {
            if (*r == '$' && isdigit((unsigned char)r[1])) {
                int group = *++r - '0';
                if (at[group].rm_so >= 0)
                    buf_add(&out, p + at[group].rm_so, (size_t)(at[group].rm_eo - at[group].rm_so));
            } else {
                buf_putc(&out, *r);
            }
        }
        bool empty = at[0].rm_eo == at[0].rm_so;
        if (empty && p[at[0].rm_eo])
            buf_putc(&out, p[at[0].rm_eo]);
        p += at[0].rm_eo + (empty && p[at[0].rm_eo] ? 1 : 0);
        flags = REG_NOTBOL;
        if (!*p)
            break;
    }
    buf_puts(&out, p);
    *ret = arena_str(x->arena, buf_text(&out));
    buf_release(&out);
    regfree(&regex);
    return true;
}

static void begin_restore(struct es_exchange *x, struct es_snapshot *s, const struct wish *wish)
{
    struct es_node *node = x->node;
    struct world *world = node->env->world;
    const struct idset *rows = dataset_rows(s->contents, wish->from);
    const cJSON *was = cJSON_GetObjectItemCaseSensitive(s->indices, wish->from),
                *shards = cJSON_GetObjectItem(was, "shards");
    struct es_index *index = es_add_index(node, wish->to);
    struct restore *restore = ARENA_NEW(&node->env->arena, struct restore);
    *restore = (struct restore){node, index, node->env->record->current_step};
    if (was) {
        static const char *const parts[] = {"properties", "settings", "aliases"};
        cJSON **to[] = {&index->properties, &index->settings, &index->aliases};
        for (int i = 0; i < 3; i++) {
            cJSON_Delete(*to[i]);
            *to[i] = i == 2 && !es_flag_in(x->body, "include_aliases", true)
                         ? cJSON_CreateObject()
                         : cJSON_Duplicate(cJSON_GetObjectItem(was, parts[i]), true);
        }
        index->shards = (int)shards->valuedouble;
        index->replicas = (int)cJSON_GetObjectItem(was, "replicas")->valuedouble;
    }
    const cJSON *settings = cJSON_GetObjectItemCaseSensitive(x->body, "index_settings");
    const cJSON *replicas = cJSON_GetObjectItemCaseSensitive(settings, "index.number_of_replicas");
    if (cJSON_IsNumber(replicas))
        index->replicas = (int)replicas->valuedouble;
    index->restoring = s;
    index->restored_name = arena_strdup(&node->env->arena, wish->from);
    index->restore_bytes = 225 + (rows ? idset_count(rows) : 0) * ES_DOCUMENT_BYTES;
    index->restore_began_ns = world_now(world);
    index->restore_ends_ns = index->restore_began_ns + 2 * SECOND +
                             (index->restore_bytes - 225) * SECOND / ES_RESTORE_BYTES_PER_S;
    store_changed(node->store);
    record_change(node->env->record, index->name, "restore from snapshot %s begins", s->name);
    world_at(world, index->restore_ends_ns, restore_ends, restore);
}

/* Whether an index of the snapshot may be restored under that name. False: the answer is given. */
static bool may_restore(struct es_exchange *x, const struct es_snapshot *s, const struct wish *wish)
{
    const struct es_index *index = es_find_index(x->node, str_of(wish->to));
    const cJSON *was = cJSON_GetObjectItemCaseSensitive(s->indices, wish->from),
                *shards = cJSON_GetObjectItem(was, "shards");
    const char *uuid = es_uuid(x->arena, s->name);
    if (!index)
        return true;
    if (!index->closed || index->restoring) {
        es_error(x, 500, "snapshot_restore_exception",
                 "[%s:%s/%s] cannot restore index [%s] because an open index with same name "
                 "already exists in the cluster. Either close or "
                 "delete the existing index or restore the index under a different name by "
                 "providing a rename pattern and replacement name",
                 s->repository, s->name, uuid, wish->to);
        return false;
    }
    if (shards && (int)shards->valuedouble != index->shards) {
        es_error(x, 500, "snapshot_restore_exception",
                 "[%s:%s/%s] cannot restore index [%s] with [%d] shards from a snapshot of index "
                 "[%s] with [%d] shards",
                 s->repository, s->name, uuid, wish->to, index->shards, wish->from,
                 (int)shards->valuedouble);
        return false;
    }
    return true;
}

/* What the body asks for, or an answer that it cannot be. */
static struct wish *wishes_of(struct es_exchange *x, const struct es_snapshot *s, int *ret_n)
{
    static const char *const known[] = {"indices",
                                        "ignore_unavailable",
                                        "include_global_state",
                                        "include_aliases",
                                        "rename_pattern",
                                        "rename_replacement",
                                        "partial",
                                        "index_settings",
                                        "ignore_index_settings",
                                        "feature_states",
                                        "metadata",
                                        "expand_wildcards",
                                        "allow_no_indices",
                                        NULL};
    const cJSON *indices = cJSON_GetObjectItemCaseSensitive(x->body, "indices");
    const cJSON *pattern = cJSON_GetObjectItemCaseSensitive(x->body, "rename_pattern");
    const cJSON *replacement = cJSON_GetObjectItemCaseSensitive(x->body, "rename_replacement");
    struct wish *wishes = ARENA_ARRAY(x->arena, struct wish, dataset_tables(s->contents) + 1);
    *ret_n = 0;
    for (const cJSON *item = x->body ? x->body->child : NULL; item; item = item->next) {
        int i = 0;
        while (known[i] && strcmp(known[i], item->string) != 0)
            i++;
        if (!known[i]) {
            es_error(x, 400, "illegal_argument_exception", "Unknown parameter %s", item->string);
            return NULL;
        }
    }
    const char *missing = es_missing_name(x, indices, dataset_has, s->contents);
    if (missing && !es_flag_in(x->body, "ignore_unavailable", false)) {
        es_no_such_index(x, missing);
        return NULL;
    }
    for (int i = 0; i < dataset_tables(s->contents); i++) {
        struct wish wish = {dataset_table(s->contents, i), dataset_table(s->contents, i)};
        if (!es_among(x, indices, wish.from))
            continue;
        if (cJSON_IsString(pattern) && cJSON_IsString(replacement) &&
            !renamed(x, pattern->valuestring, replacement->valuestring, wish.from, &wish.to)) {
            es_error(x, 400, "illegal_argument_exception",
                     "rename_pattern is no regular expression: %s", pattern->valuestring);
            return NULL;
        }
        for (int k = 0; k < *ret_n; k++) {
            if (strcmp(wishes[k].to, wish.to) == 0) {
                es_error(x, 500, "snapshot_restore_exception",
                         "[%s:%s/%s] indices [%s] and [%s] are renamed into the same index [%s] "
                         "due to rename pattern",
                         s->repository, s->name, es_uuid(x->arena, s->name), wish.from,
                         wishes[k].from, wish.to);
                return NULL;
            }
        }
        wishes[(*ret_n)++] = wish;
    }
    return wishes;
}

static void restore(struct es_exchange *x)
{
    const struct es_repository *repository = es_repository_of(x);
    struct es_snapshot *s =
        repository ? es_find_snapshot(x->node, repository->name, arena_str(x->arena, x->parts[1]))
                   : NULL;
    int n = 0;
    if (!repository)
        return;
    if (!s) {
        es_error(x, 404, "snapshot_restore_exception", "[%s:%s] snapshot does not exist",
                 repository->name, arena_str(x->arena, x->parts[1]));
        return;
    }
    if (s->damaged) {
        es_error(x, 500, "snapshot_restore_exception",
                 "[%s:%s/%s] failed to read snapshot metadata", repository->name, s->name,
                 es_uuid(x->arena, s->name));
        return;
    }
    struct wish *wishes = wishes_of(x, s, &n);
    for (int i = 0; wishes && i < n; i++) {
        if (!may_restore(x, s, &wishes[i]))
            return;
    }
    if (!wishes)
        return;
    int64_t last_ns = world_now(x->node->env->world);
    for (int i = 0; i < n; i++) {
        begin_restore(x, s, &wishes[i]);
        int64_t ends_ns = es_find_index(x->node, str_of(wishes[i].to))->restore_ends_ns;
        last_ns = ends_ns > last_ns ? ends_ns : last_ns;
    }
    cJSON *json = cJSON_CreateObject();
    if (!es_flag(x, "wait_for_completion", false)) {
        cJSON_AddTrueToObject(json, "accepted");
        es_answer(x, 200, json);
        return;
    }
    x->response->latency_ns += last_ns - world_now(x->node->env->world);
    cJSON *one = cJSON_AddObjectToObject(json, "snapshot");
    cJSON_AddStringToObject(one, "snapshot", s->name);
    cJSON *list = cJSON_AddArrayToObject(one, "indices");
    for (int i = 0; i < n; i++)
        cJSON_AddItemToArray(list, cJSON_CreateString(wishes[i].to));
    cJSON *shards = cJSON_AddObjectToObject(one, "shards");
    cJSON_AddNumberToObject(shards, "total", n);
    cJSON_AddNumberToObject(shards, "failed", 0);
    cJSON_AddNumberToObject(shards, "successful", n);
    es_answer(x, 200, json);
}

const struct es_route es_restore_routes[] = {
    {"POST", "_snapshot/{repository}/{snapshot}/_restore", restore},
    {NULL, NULL, NULL},
};
