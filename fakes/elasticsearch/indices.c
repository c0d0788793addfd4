/* Indices: create, delete, open, close, what they are, their settings and aliases. */
#include <ctype.h>
#include <string.h>

#include "fakes/elasticsearch/node.h"

static const char *part(const struct es_exchange *x, int i)
{
    return i < x->n_parts ? arena_str(x->arena, x->parts[i]) : "*";
}

/* ---- settings ---- */

static const char *setting_text(struct arena *arena, const cJSON *value)
{
    if (cJSON_IsString(value))
        return value->valuestring;
    if (cJSON_IsBool(value))
        return cJSON_IsTrue(value) ? "true" : "false";
    char *text = cJSON_PrintUnformatted(value);
    const char *copy = arena_strdup(arena, text);
    cJSON_free(text);
    return copy;
}

/* Settings by their full names ("index.number_of_replicas"), as texts; null stays null. */
static void flatten(const cJSON *from, const char *prefix, cJSON *to, struct arena *arena)
{
    for (const cJSON *item = from->child; item; item = item->next) {
        const char *name = arena_printf(arena, "%s%s%s", prefix, *prefix ? "." : "", item->string);
        if (cJSON_IsObject(item)) {
            flatten(item, name, to, arena);
            continue;
        }
        if (strncmp(name, "index.", 6) != 0)
            name = arena_printf(arena, "index.%s", name);
        cJSON_DeleteItemFromObjectCaseSensitive(to, name);
        if (cJSON_IsNull(item))
            cJSON_AddNullToObject(to, name);
        else
            cJSON_AddStringToObject(to, name, setting_text(arena, item));
    }
}

/* Takes settings over into an index. The reason why not, or NULL. */
static const char *apply_settings(struct es_exchange *x, struct es_index *index, const cJSON *flat,
                                  bool creating)
{
    static const char *const fixed[] = {"index.number_of_shards", "index.uuid",
                                        "index.creation_date", "index.codec", NULL};
    static const char *const closed_only[] = {"index.analysis", "index.similarity", NULL};
    for (const cJSON *item = flat->child; item && !creating; item = item->next) {
        for (int i = 0; fixed[i]; i++) {
            if (strcmp(item->string, fixed[i]) == 0 && strcmp(fixed[i], "index.codec") != 0)
                return arena_printf(
                    x->arena, "Can't update non dynamic settings [[%s]] for open indices [[%s/%s]]",
                    item->string, index->name, es_uuid(x->arena, index->name));
        }
        for (int i = 0; closed_only[i]; i++) {
            if (strncmp(item->string, closed_only[i], strlen(closed_only[i])) == 0 &&
                !index->closed)
                return arena_printf(
                    x->arena, "Can't update non dynamic settings [[%s]] for open indices [[%s/%s]]",
                    item->string, index->name, es_uuid(x->arena, index->name));
        }
    }
    for (const cJSON *item = flat->child; item; item = item->next) {
        int64_t number = 0;
        bool shards = strcmp(item->string, "index.number_of_shards") == 0,
             replicas = strcmp(item->string, "index.number_of_replicas") == 0;
        if (shards || replicas) {
            const char *value = cJSON_IsString(item) ? item->valuestring : "1";
            if (!str_int64(str_of(value), &number))
                return arena_printf(x->arena, "Failed to parse value [%s] for setting [%s]", value,
                                    item->string);
            if (number < (shards ? 1 : 0))
                return arena_printf(x->arena,
                                    "Failed to parse value [%s] for setting [%s] must be >= %d",
                                    value, item->string, shards);
            *(shards ? &index->shards : &index->replicas) = (int)number;
            continue;
        }
        cJSON_DeleteItemFromObjectCaseSensitive(index->settings, item->string);
        if (cJSON_IsString(item))
            cJSON_AddStringToObject(index->settings, item->string, item->valuestring);
    }
    return NULL;
}

/* Puts "index.a.b" where it belongs: {"index": {"a": {"b": ...}}}. */
static void nest(cJSON *to, const char *name, const char *value)
{
    struct str rest = str_of(name);
    char key[128];
    for (;;) {
        struct str one = str_cut(&rest, '.');
        if (one.len >= sizeof key)
            return;
        memcpy(key, one.at, one.len);
        key[one.len] = '\0';
        if (!rest.len)
            break;
        cJSON *child = cJSON_GetObjectItemCaseSensitive(to, key);
        to = child ? child : cJSON_AddObjectToObject(to, key);
    }
    cJSON_AddStringToObject(to, key, value);
}

static cJSON *settings_json(struct es_exchange *x, const struct es_index *index)
{
    cJSON *json = cJSON_CreateObject(), *flat = cJSON_CreateObject();
    bool flat_wanted = es_flag(x, "flat_settings", false);
    cJSON_AddStringToObject(flat, "index.number_of_shards",
                            arena_printf(x->arena, "%d", index->shards));
    for (const cJSON *item = index->settings->child; item; item = item->next)
        cJSON_AddStringToObject(flat, item->string, item->valuestring);
    cJSON_AddStringToObject(flat, "index.provided_name", index->name);
    cJSON_AddStringToObject(
        flat, "index.creation_date",
        arena_printf(x->arena, "%lld",
                     (long long)((x->node->env->start_unix_ns + index->created_ns) / MILLISECOND)));
    cJSON_AddStringToObject(flat, "index.number_of_replicas",
                            arena_printf(x->arena, "%d", index->replicas));
    cJSON_AddStringToObject(flat, "index.uuid", es_uuid(x->arena, index->name));
    cJSON_AddStringToObject(flat, "index.version.created",
                            x->node->opensearch ? "136327827" : "8500003");
    if (flat_wanted)
        return cJSON_Delete(json), flat;
    for (const cJSON *item = flat->child; item; item = item->next)
        nest(json, item->string, item->valuestring);
    cJSON_Delete(flat);
    return json;
}

static void get_settings(struct es_exchange *x)
{
    struct es_indices all;
    if (!es_resolve(x, part(x, 0), true, &all))
        return;
    cJSON *json = cJSON_CreateObject();
    for (int i = 0; i < all.n; i++)
        cJSON_AddItemToObject(cJSON_AddObjectToObject(json, all.at[i]->name), "settings",
                              settings_json(x, all.at[i]));
    es_answer(x, 200, json);
}

static bool only_unblocks(const cJSON *flat)
{
    for (const cJSON *item = flat->child; item; item = item->next) {
        if (strncmp(item->string, "index.blocks.", 13) != 0)
            return false;
    }
    return true;
}

static void put_settings(struct es_exchange *x)
{
    struct es_indices all;
    if (!es_resolve(x, part(x, 0), true, &all))
        return;
    if (!x->body) {
        es_error(x, 400, "parse_exception", "request body is required");
        return;
    }
    const cJSON *given = cJSON_GetObjectItemCaseSensitive(x->body, "settings");
    cJSON *flat = cJSON_CreateObject();
    flatten(given ? given : x->body, "", flat, x->arena);
    for (int i = 0; i < all.n && !x->answered; i++) {
        struct es_index *index = all.at[i];
        bool locked =
            es_is_set(index, "index.blocks.read_only") || es_is_set(index, "index.blocks.metadata");
        const char *why = NULL;
        if (locked && !only_unblocks(flat))
            es_error(x, 403, "cluster_block_exception", "index [%s] blocked by: [FORBIDDEN/%s];",
                     index->name,
                     es_is_set(index, "index.blocks.read_only") ? "5/index read-only (api)"
                                                                : "9/index metadata (api)");
        else if ((why = apply_settings(x, index, flat, false)) != NULL)
            es_error(x, 400, "illegal_argument_exception", "%s", why);
        else
            record_change(x->node->env->record, index->name, "index settings changed");
    }
    cJSON_Delete(flat);
    store_changed(x->node->store);
    es_acknowledge(x);
}

/* PUT INDEX/_block/write */
static void add_block(struct es_exchange *x)
{
    struct es_indices all;
    const char *block = part(x, 1);
    bool known = strcmp(block, "write") == 0 || strcmp(block, "read") == 0 ||
                 strcmp(block, "read_only") == 0 || strcmp(block, "metadata") == 0;
    if (!known) {
        es_error(x, 400, "illegal_argument_exception", "No block found with name %s", block);
        return;
    }
    if (!es_resolve(x, part(x, 0), true, &all))
        return;
    cJSON *json = cJSON_CreateObject();
    cJSON_AddTrueToObject(json, "acknowledged");
    cJSON_AddTrueToObject(json, "shards_acknowledged");
    cJSON *list = cJSON_AddArrayToObject(json, "indices");
    for (int i = 0; i < all.n; i++) {
        const char *name = arena_printf(x->arena, "index.blocks.%s", block);
        cJSON_DeleteItemFromObjectCaseSensitive(all.at[i]->settings, name);
        cJSON_AddStringToObject(all.at[i]->settings, name, "true");
        cJSON *one = cJSON_CreateObject();
        cJSON_AddStringToObject(one, "name", all.at[i]->name);
        cJSON_AddTrueToObject(one, "blocked");
        cJSON_AddItemToArray(list, one);
        record_change(x->node->env->record, all.at[i]->name, "index blocked: %s", block);
    }
    store_changed(x->node->store);
    es_answer(x, 200, json);
}

/* ---- create, delete, get ---- */

static const char *bad_name(struct arena *arena, const char *name)
{
    for (const char *p = name; *p; p++) {
        if (isupper((unsigned char)*p))
            return arena_printf(arena, "Invalid index name [%s], must be lowercase", name);
        if (strchr("\\/*?\"<>| ,#:", *p))
            return arena_printf(
                arena,
                "Invalid index name [%s], must not contain the following characters "
                "[' ','\"','*',',','/','<','>','?','\\','|']",
                name);
    }
    if (strchr("-+_", name[0]))
        return arena_printf(arena, "Invalid index name [%s], must not start with '_', '-', or '+'",
                            name);
    return strlen(name) > 255
               ? arena_printf(arena, "Invalid index name [%s], index name is too long", name)
               : NULL;
}

static cJSON *mapping_json(const struct es_index *index)
{
    cJSON *json = cJSON_CreateObject();
    if (strcmp(index->dynamic, "true") != 0)
        cJSON_AddStringToObject(json, "dynamic", index->dynamic);
    if (index->properties->child)
        cJSON_AddItemToObject(json, "properties", cJSON_Duplicate(index->properties, true));
    return json;
}

static void read_dynamic(struct es_exchange *x, struct es_index *index, const cJSON *mappings)
{
    const cJSON *dynamic = cJSON_GetObjectItemCaseSensitive(mappings, "dynamic");
    if (dynamic)
        index->dynamic = arena_strdup(&x->node->env->arena, setting_text(x->arena, dynamic));
}

static void create_index(struct es_exchange *x)
{
    const char *name = part(x, 0), *wrong = bad_name(x->arena, name), *why = NULL;
    if (wrong) {
        es_error(x, 400, "invalid_index_name_exception", "%s", wrong);
        return;
    }
    if (es_find_index(x->node, str_of(name))) {
        es_error(x, 400, "resource_already_exists_exception", "index [%s/%s] already exists", name,
                 es_uuid(x->arena, name));
        return;
    }
    struct es_index *index = es_add_index(x->node, name);
    struct dataset *serving = store_serving(x->node->store);
    const cJSON *settings = cJSON_GetObjectItemCaseSensitive(x->body, "settings");
    const cJSON *mappings = cJSON_GetObjectItemCaseSensitive(x->body, "mappings");
    const cJSON *aliases = cJSON_GetObjectItemCaseSensitive(x->body, "aliases");
    cJSON *flat = cJSON_CreateObject();
    if (settings)
        flatten(settings, "", flat, x->arena);
    why = apply_settings(x, index, flat, true);
    cJSON_Delete(flat);
    if (!why && mappings) {
        read_dynamic(x, index, mappings);
        const cJSON *properties = cJSON_GetObjectItemCaseSensitive(mappings, "properties");
        for (const cJSON *item = mappings->child; item && !why; item = item->next) {
            if (strcmp(item->string, "properties") != 0 && strcmp(item->string, "dynamic") != 0 &&
                item->string[0] != '_' && strcmp(item->string, "dynamic_templates") != 0 &&
                strcmp(item->string, "date_detection") != 0)
                why = arena_printf(x->arena,
                                   "Root mapping definition has unsupported parameters:  [%s : %s]",
                                   item->string, setting_text(x->arena, item));
        }
        if (!why && properties)
            why = es_merge_mapping(x->arena, index->properties, properties);
        if (why) {
            index->deleted = true;
            es_error(x, 400, "mapper_parsing_exception", "Failed to parse mapping: %s", why);
            return;
        }
    }
    if (why) {
        index->deleted = true;
        es_error(x, 400, "illegal_argument_exception", "%s", why);
        return;
    }
    for (const cJSON *alias = aliases ? aliases->child : NULL; alias; alias = alias->next)
        cJSON_AddItemToObject(index->aliases, alias->string, cJSON_Duplicate(alias, true));
    if (!dataset_has_table(serving, index->name))
        dataset_create_table(serving, index->name);
    record_change(x->node->env->record, index->name, "index created");
    store_changed(x->node->store);
    cJSON *json = cJSON_CreateObject();
    cJSON_AddTrueToObject(json, "acknowledged");
    cJSON_AddTrueToObject(json, "shards_acknowledged");
    cJSON_AddStringToObject(json, "index", index->name);
    es_answer(x, 200, json);
}

static void delete_index(struct es_exchange *x)
{
    struct es_indices all;
    const char *name = part(x, 0);
    if (!x->node->opensearch && (strchr(name, '*') || strcmp(name, "_all") == 0)) {
        es_error(x, 400, "illegal_argument_exception",
                 "Wildcard expressions or all indices are not allowed");
        return;
    }
    if (!es_resolve(x, name, true, &all))
        return;
    for (int i = 0; i < all.n; i++) {
        if (all.as[i]) {
            es_error(x, 400, "illegal_argument_exception",
                     "The provided expression [%s] matches an alias, specify the corresponding "
                     "concrete indices instead.",
                     all.as[i]);
            return;
        }
        if (es_is_set(all.at[i], "index.blocks.read_only") ||
            es_is_set(all.at[i], "index.blocks.metadata")) {
            es_error(x, 403, "cluster_block_exception", "index [%s] blocked by: [FORBIDDEN/%s];",
                     all.at[i]->name,
                     es_is_set(all.at[i], "index.blocks.read_only") ? "5/index read-only (api)"
                                                                    : "9/index metadata (api)");
            return;
        }
        if (all.at[i]->restoring) {
            es_error(x, 400, "illegal_argument_exception",
                     "Cannot delete indices that are being restored: [[%s/%s]]", all.at[i]->name,
                     es_uuid(x->arena, all.at[i]->name));
            return;
        }
    }
    for (int i = 0; i < all.n; i++)
        es_forget_index(x->node, all.at[i], arena_printf(x->arena, "DELETE /%s", name));
    es_acknowledge(x);
}

static void get_index(struct es_exchange *x)
{
    struct es_indices all;
    if (!es_resolve(x, part(x, 0), true, &all))
        return;
    cJSON *json = cJSON_CreateObject();
    for (int i = 0; i < all.n; i++) {
        cJSON *one = cJSON_AddObjectToObject(json, all.at[i]->name);
        cJSON_AddItemToObject(one, "aliases", cJSON_Duplicate(all.at[i]->aliases, true));
        cJSON_AddItemToObject(one, "mappings", mapping_json(all.at[i]));
        cJSON_AddItemToObject(one, "settings", settings_json(x, all.at[i]));
    }
    es_answer(x, 200, json);
}

/* ---- mappings ---- */

static void get_mapping(struct es_exchange *x)
{
    struct es_indices all;
    if (!es_resolve(x, part(x, 0), true, &all))
        return;
    cJSON *json = cJSON_CreateObject();
    for (int i = 0; i < all.n; i++)
        cJSON_AddItemToObject(cJSON_AddObjectToObject(json, all.at[i]->name), "mappings",
                              mapping_json(all.at[i]));
    es_answer(x, 200, json);
}

static void put_mapping(struct es_exchange *x)
{
    struct es_indices all;
    if (!es_resolve(x, part(x, 0), true, &all))
        return;
    const cJSON *properties = cJSON_GetObjectItemCaseSensitive(x->body, "properties");
    if (!x->body) {
        es_error(x, 400, "action_request_validation_exception",
                 "Validation Failed: 1: mapping source is empty;");
        return;
    }
    for (int i = 0; i < all.n && !x->answered; i++) {
        const char *why =
            properties ? es_merge_mapping(x->arena, all.at[i]->properties, properties) : NULL;
        if (why)
            es_error(x, 400, "illegal_argument_exception", "%s", why);
        else
            read_dynamic(x, all.at[i], x->body);
    }
    es_acknowledge(x);
}

/* ---- open, close, refresh ---- */

static void change_state(struct es_exchange *x, bool closed)
{
    struct es_indices all;
    if (!es_resolve(x, part(x, 0), true, &all))
        return;
    cJSON *json = cJSON_CreateObject();
    cJSON_AddTrueToObject(json, "acknowledged");
    cJSON_AddTrueToObject(json, "shards_acknowledged");
    cJSON *list = closed ? cJSON_AddObjectToObject(json, "indices") : NULL;
    for (int i = 0; i < all.n && closed; i++) {
        if (all.at[i]->restoring) {
            es_error(x, 400, "illegal_argument_exception",
                     "Cannot close indices that are being restored: [[%s/%s]]", all.at[i]->name,
                     es_uuid(x->arena, all.at[i]->name));
            cJSON_Delete(json);
            return;
        }
    }
    for (int i = 0; i < all.n; i++) {
        struct es_index *index = all.at[i];
        if (list)
            cJSON_AddTrueToObject(cJSON_AddObjectToObject(list, index->name), "closed");
        if (index->closed == closed || index->restoring)
            continue;
        index->closed = closed;
        record_change(x->node->env->record, index->name, closed ? "index closed" : "index opened");
    }
    store_changed(x->node->store);
    es_answer(x, 200, json);
}

static void close_index(struct es_exchange *x)
{
    change_state(x, true);
}

static void open_index(struct es_exchange *x)
{
    change_state(x, false);
}

/* _refresh, _flush, _forcemerge, _cache/clear: nothing that is simulated changes. */
static void on_shards(struct es_exchange *x)
{
    struct es_indices all;
    if (!es_resolve(x, part(x, 0), false, &all))
        return;
    int total = 0, good = 0;
    for (int i = 0; i < all.n; i++) {
        total += 1 + all.at[i]->replicas;
        good += !all.at[i]->corrupt && !all.at[i]->restoring;
    }
    cJSON *json = cJSON_CreateObject();
    cJSON_AddItemToObject(json, "_shards", es_shards(total, good));
    es_answer(x, 200, json);
}

static void index_stats(struct es_exchange *x)
{
    struct es_indices all;
    int64_t total = 0;
    if (!es_resolve(x, part(x, 0), false, &all))
        return;
    cJSON *json = cJSON_CreateObject();
    cJSON_AddItemToObject(json, "_shards", es_shards(all.n, all.n));
    cJSON *whole = cJSON_AddObjectToObject(json, "_all"),
          *indices = cJSON_AddObjectToObject(json, "indices");
    for (int i = 0; i < all.n; i++) {
        static const char *const parts[] = {"primaries", "total"};
        cJSON *one = cJSON_AddObjectToObject(indices, all.at[i]->name);
        int64_t n = es_count(x->node, all.at[i]);
        cJSON_AddStringToObject(one, "uuid", es_uuid(x->arena, all.at[i]->name));
        for (int k = 0; k < 2; k++) {
            cJSON *half = cJSON_AddObjectToObject(one, parts[k]);
            cJSON_AddNumberToObject(cJSON_AddObjectToObject(half, "docs"), "count", (double)n);
            cJSON_AddNumberToObject(cJSON_AddObjectToObject(half, "store"), "size_in_bytes",
                                    (double)(225 + n * ES_DOCUMENT_BYTES));
        }
        total += n;
    }
    cJSON_AddNumberToObject(
        cJSON_AddObjectToObject(cJSON_AddObjectToObject(whole, "primaries"), "docs"), "count",
        (double)total);
    es_answer(x, 200, json);
}

const struct es_route es_index_routes[] = {
    {"GET", "_settings", get_settings},
    {"PUT", "_settings", put_settings},
    {"GET", "_mapping", get_mapping},
    {"POST GET", "_refresh", on_shards},
    {"POST GET", "_flush", on_shards},
    {"POST", "_forcemerge", on_shards},
    {"POST", "_cache/clear", on_shards},
    {"GET", "_stats", index_stats},
    {"GET", "{index}", get_index},
    {"PUT", "{index}", create_index},
    {"DELETE", "{index}", delete_index},
    {"POST", "{index}/_close", close_index},
    {"POST", "{index}/_open", open_index},
    {"POST GET", "{index}/_refresh", on_shards},
    {"POST GET", "{index}/_flush", on_shards},
    {"POST", "{index}/_forcemerge", on_shards},
    {"POST", "{index}/_cache/clear", on_shards},
    {"GET", "{index}/_stats", index_stats},
    {"GET", "{index}/_settings", get_settings},
    {"PUT", "{index}/_settings", put_settings},
    {"PUT", "{index}/_block/{block}", add_block},
    {"GET", "{index}/_mapping", get_mapping},
    {"PUT POST", "{index}/_mapping", put_mapping},
    {NULL, NULL, NULL},
};
