/* The node and the cluster: the greeting, health and what waits for it, settings, recovery. */
#include <string.h>

#include "fakes/elasticsearch/node.h"

static void greet(struct es_exchange *x)
{
    cJSON *json = cJSON_CreateObject();
    cJSON_AddStringToObject(json, "name", "node-1");
    cJSON_AddStringToObject(json, "cluster_name", "docker-cluster");
    cJSON_AddStringToObject(json, "cluster_uuid", es_uuid(x->arena, "docker-cluster"));
    cJSON *version = cJSON_AddObjectToObject(json, "version");
    if (x->node->opensearch)
        cJSON_AddStringToObject(version, "distribution", "opensearch");
    cJSON_AddStringToObject(version, "number", x->node->version);
    if (!x->node->opensearch)
        cJSON_AddStringToObject(version, "build_flavor", "default");
    cJSON_AddStringToObject(version, "build_type", x->node->opensearch ? "tar" : "docker");
    cJSON_AddFalseToObject(version, "build_snapshot");
    cJSON_AddStringToObject(version, "lucene_version", x->node->opensearch ? "9.7.0" : "9.8.0");
    cJSON_AddStringToObject(version, "minimum_wire_compatibility_version",
                            x->node->opensearch ? "7.10.0" : "7.17.0");
    cJSON_AddStringToObject(version, "minimum_index_compatibility_version", "7.0.0");
    cJSON_AddStringToObject(json, "tagline",
                            x->node->opensearch ? "The OpenSearch Project: https://opensearch.org/"
                                                : "You Know, for Search");
    es_answer(x, 200, json);
}

/* ---- health ---- */

static int level_of(const char *status)
{
    return strcmp(status, "green") == 0 ? 0 : strcmp(status, "yellow") == 0 ? 1 : 2;
}

/* How an index will stand at a later instant, as far as restores under way decide it. */
static int level_at(const struct es_index *index, int64_t at_ns)
{
    if (index->restoring && at_ns >= index->restore_ends_ns)
        return index->replicas > 0;
    return level_of(es_health_of(index));
}

struct health {
    int worst, primaries, active, initializing, unassigned;
};

static struct health health_at(const struct es_indices *all, int64_t at_ns)
{
    struct health h = {0};
    for (int i = 0; i < all->n; i++) {
        const struct es_index *index = all->at[i];
        int level = level_at(index, at_ns);
        bool restores = index->restoring && at_ns < index->restore_ends_ns;
        h.worst = level > h.worst ? level : h.worst;
        h.primaries += level < 2;
        h.initializing += restores;
        h.unassigned += (level == 2 && !restores) + index->replicas;
    }
    h.active = h.primaries;
    return h;
}

/* When the cluster will stand at least so, in ns from now; -1: not within the time. */
static int64_t wait_for(struct es_exchange *x, const struct es_indices *all, int wanted,
                        int64_t timeout_ns)
{
    int64_t now_ns = world_now(x->node->env->world), best_ns = -1;
    if (health_at(all, now_ns).worst <= wanted)
        return 0;
    for (int i = 0; i < all->n; i++) {
        int64_t at_ns = all->at[i]->restoring ? all->at[i]->restore_ends_ns : now_ns;
        if (health_at(all, at_ns).worst <= wanted && (best_ns < 0 || at_ns - now_ns < best_ns))
            best_ns = at_ns - now_ns;
    }
    return best_ns > timeout_ns ? -1 : best_ns;
}

static void add_indices(cJSON *json, const struct es_indices *all, int64_t at_ns)
{
    static const char *const names[] = {"green", "yellow", "red"};
    cJSON *indices = cJSON_AddObjectToObject(json, "indices");
    for (int i = 0; i < all->n; i++) {
        cJSON *one = cJSON_AddObjectToObject(indices, all->at[i]->name);
        struct health h = health_at(&(struct es_indices){.at = &all->at[i], .n = 1}, at_ns);
        cJSON_AddStringToObject(one, "status", names[h.worst]);
        cJSON_AddNumberToObject(one, "number_of_shards", all->at[i]->shards);
        cJSON_AddNumberToObject(one, "number_of_replicas", all->at[i]->replicas);
        cJSON_AddNumberToObject(one, "active_primary_shards", h.primaries);
        cJSON_AddNumberToObject(one, "active_shards", h.active);
        cJSON_AddNumberToObject(one, "relocating_shards", 0);
        cJSON_AddNumberToObject(one, "initializing_shards", h.initializing);
        cJSON_AddNumberToObject(one, "unassigned_shards", h.unassigned);
    }
}

static void cluster_health(struct es_exchange *x)
{
    static const char *const names[] = {"green", "yellow", "red"};
    struct es_indices all;
    int64_t timeout_ns = es_duration(x, "timeout", 30 * SECOND),
            now_ns = world_now(x->node->env->world);
    const char *wanted = es_parameter(x, "wait_for_status", NULL);
    if (!es_resolve(x, x->n_parts ? arena_str(x->arena, x->parts[0]) : "*", true, &all))
        return;
    if (wanted && strcmp(wanted, "green") != 0 && strcmp(wanted, "yellow") != 0 &&
        strcmp(wanted, "red") != 0) {
        es_error(x, 400, "illegal_argument_exception", "unknown cluster health status [%s]",
                 wanted);
        return;
    }
    int64_t after_ns = wanted ? wait_for(x, &all, level_of(wanted), timeout_ns) : 0;
    if (after_ns == 0 && es_flag(x, "wait_for_no_initializing_shards", false)) {
        for (int i = 0; i < all.n; i++) {
            int64_t left_ns = all.at[i]->restoring ? all.at[i]->restore_ends_ns - now_ns : 0;
            after_ns = left_ns > after_ns ? left_ns : after_ns;
        }
        after_ns = after_ns > timeout_ns ? -1 : after_ns;
    }
    bool timed_out = after_ns < 0;
    int64_t at_ns = now_ns + (timed_out ? timeout_ns : after_ns);
    struct health h = health_at(&all, at_ns);
    int total = h.active + h.initializing + h.unassigned;
    cJSON *json = cJSON_CreateObject();
    cJSON_AddStringToObject(json, "cluster_name", "docker-cluster");
    cJSON_AddStringToObject(json, "status", names[h.worst]);
    cJSON_AddBoolToObject(json, "timed_out", timed_out);
    cJSON_AddNumberToObject(json, "number_of_nodes", 1);
    cJSON_AddNumberToObject(json, "number_of_data_nodes", 1);
    if (x->node->opensearch) {
        cJSON_AddTrueToObject(json, "discovered_master");
        cJSON_AddTrueToObject(json, "discovered_cluster_manager");
    }
    cJSON_AddNumberToObject(json, "active_primary_shards", h.primaries);
    cJSON_AddNumberToObject(json, "active_shards", h.active);
    cJSON_AddNumberToObject(json, "relocating_shards", 0);
    cJSON_AddNumberToObject(json, "initializing_shards", h.initializing);
    cJSON_AddNumberToObject(json, "unassigned_shards", h.unassigned);
    cJSON_AddNumberToObject(json, "delayed_unassigned_shards", 0);
    cJSON_AddNumberToObject(json, "number_of_pending_tasks", 0);
    cJSON_AddNumberToObject(json, "number_of_in_flight_fetch", 0);
    cJSON_AddNumberToObject(json, "task_max_waiting_in_queue_millis", 0);
    cJSON_AddItemToObject(json, "active_shards_percent_as_number",
                          es_float(x->arena, total ? h.active * 100.0 / total : 100));
    if (strcmp(es_parameter(x, "level", "cluster"), "cluster") != 0)
        add_indices(json, &all, at_ns);
    x->response->latency_ns += at_ns - now_ns;
    es_answer(x, timed_out ? 408 : 200, json);
}

/* ---- settings ---- */

/* {"a": {"b": 1}} as "a.b": "1"; null takes a setting away. */
static void flatten(const cJSON *from, const char *prefix, cJSON *to, struct arena *arena)
{
    for (const cJSON *item = from->child; item; item = item->next) {
        const char *name = arena_printf(arena, "%s%s%s", prefix, *prefix ? "." : "", item->string);
        if (cJSON_IsObject(item)) {
            flatten(item, name, to, arena);
            continue;
        }
        cJSON_DeleteItemFromObjectCaseSensitive(to, name);
        if (cJSON_IsString(item))
            cJSON_AddStringToObject(to, name, item->valuestring);
        else if (!cJSON_IsNull(item))
            cJSON_AddItemToObject(to, name, cJSON_Duplicate(item, true));
    }
}

static void get_settings(struct es_exchange *x)
{
    es_answer(x, 200, cJSON_Duplicate(x->node->cluster_settings, true));
}

static void put_settings(struct es_exchange *x)
{
    static const char *const kinds[] = {"persistent", "transient"};
    cJSON *json = cJSON_CreateObject();
    if (!x->body) {
        cJSON_Delete(json);
        es_error(x, 400, "parse_exception", "request body is required");
        return;
    }
    cJSON_AddTrueToObject(json, "acknowledged");
    for (int i = 0; i < 2; i++) {
        const cJSON *given = cJSON_GetObjectItemCaseSensitive(x->body, kinds[i]);
        if (given)
            flatten(given, "",
                    cJSON_GetObjectItemCaseSensitive(x->node->cluster_settings, kinds[i]),
                    x->arena);
        cJSON_AddItemToObject(json, kinds[i],
                              given ? cJSON_Duplicate(given, true) : cJSON_CreateObject());
    }
    record_change(x->node->env->record, store_name(x->node->store), "cluster settings changed");
    es_answer(x, 200, json);
}

/* ---- recovery ---- */

static void recovery(struct es_exchange *x)
{
    struct es_indices all;
    cJSON *json = cJSON_CreateObject();
    int64_t now_ns = world_now(x->node->env->world);
    if (!es_resolve(x, x->n_parts ? arena_str(x->arena, x->parts[0]) : "*", true, &all)) {
        cJSON_Delete(json);
        return;
    }
    for (int i = 0; i < all.n; i++) {
        const struct es_index *index = all.at[i];
        const struct es_snapshot *from = index->restoring ? index->restoring : index->restored_from;
        if ((index->closed || index->corrupt) && !index->restoring)
            continue;
        int64_t whole_ns = index->restore_ends_ns - index->restore_began_ns;
        int64_t bytes =
            from ? index->restore_bytes : 225 + es_count(x->node, index) * ES_DOCUMENT_BYTES;
        int64_t done = index->restoring && whole_ns > 0
                           ? bytes / 1000 * ((now_ns - index->restore_began_ns) * 1000 / whole_ns)
                           : bytes;
        cJSON *shard = cJSON_CreateObject();
        cJSON_AddNumberToObject(shard, "id", 0);
        cJSON_AddStringToObject(shard, "type", from ? "SNAPSHOT" : "EXISTING_STORE");
        cJSON_AddStringToObject(shard, "stage", index->restoring ? "INDEX" : "DONE");
        cJSON_AddTrueToObject(shard, "primary");
        if (from) {
            cJSON *source = cJSON_AddObjectToObject(shard, "source");
            cJSON_AddStringToObject(source, "repository", from->repository);
            cJSON_AddStringToObject(source, "snapshot", from->name);
            cJSON_AddStringToObject(source, "index", index->restored_name);
        }
        cJSON *size = cJSON_AddObjectToObject(cJSON_AddObjectToObject(shard, "index"), "size");
        cJSON_AddNumberToObject(size, "total_in_bytes", (double)bytes);
        cJSON_AddNumberToObject(size, "recovered_in_bytes", (double)done);
        cJSON_AddStringToObject(size, "percent",
                                arena_printf(x->arena, "%lld.%lld%%",
                                             (long long)(bytes ? done * 100 / bytes : 100),
                                             (long long)(bytes ? done * 1000 / bytes % 10 : 0)));
        cJSON_AddItemToArray(
            cJSON_AddArrayToObject(cJSON_AddObjectToObject(json, index->name), "shards"), shard);
    }
    es_answer(x, 200, json);
}

const struct es_route es_cluster_routes[] = {
    {"GET", "", greet},
    {"GET", "_cluster/health", cluster_health},
    {"GET", "_cluster/health/{index}", cluster_health},
    {"GET", "_cluster/settings", get_settings},
    {"PUT", "_cluster/settings", put_settings},
    {"GET", "_recovery", recovery},
    {"GET", "{index}/_recovery", recovery},
    {NULL, NULL, NULL},
};
