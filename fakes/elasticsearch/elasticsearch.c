/* elasticsearch: the REST API of a single node behind every store whose engine starts with
 * "elasticsearch" or "opensearch".
 *
 * Of the store's mapping it reads
 *   host, port     where it is reached (default localhost:9200; in containers also by the name of
 *                  its service)
 *   repository     name of its snapshot repository; each backup schedule of the store writes
 *                  snapshots into it, named by the schedule's `file`
 *
 * A setting "elasticsearch.INDEX" = "corrupt" of the scenario makes an index corrupt. Wording and
 * status codes: Elasticsearch 8.11, its REST API reference and source.
 */
#include <stdlib.h>
#include <string.h>

#include "fakes/elasticsearch/node.h"
#include "fakes/fake.h"
#include "sim/base/xalloc.h"

static struct es_node *nodes_of(struct env *env)
{
    return *env_slot(env, "elasticsearch");
}

/* ---- indices ---- */

struct es_index *es_find_index(struct es_node *node, struct str name)
{
    for (int i = 0; i < node->n_indices; i++) {
        if (str_is(name, node->indices[i]->name))
            return node->indices[i]->deleted ? NULL : node->indices[i];
    }
    return NULL;
}

static void forget_form(struct es_index *index)
{
    cJSON_Delete(index->properties);
    cJSON_Delete(index->settings);
    cJSON_Delete(index->aliases);
    index->properties = index->settings = index->aliases = NULL;
}

static void free_index(struct es_index *index)
{
    forget_form(index);
    for (int i = 0; i < index->n_documents; i++) {
        cJSON_Delete(index->documents[i].source);
        free(index->documents[i].id);
    }
    for (int i = 0; i < index->n_copied; i++)
        idset_release(&index->copied[i].origin);
    free(index->documents);
    free(index->copied);
}

struct es_index *es_add_index(struct es_node *node, const char *name)
{
    struct es_index *index = NULL;
    int at = 0;
    for (int i = 0; i < node->n_indices; i++) {
        if (strcmp(node->indices[i]->name, name) == 0)
            index = node->indices[i];
        at += strcmp(node->indices[i]->name, name) < 0;
    }
    if (index && !index->deleted)
        return index;
    if (!index) {
        XGROW(node->indices, node->n_indices, node->cap_indices);
        index = ARENA_NEW(&node->env->arena, struct es_index);
        for (int i = node->n_indices++; i > at; i--)
            node->indices[i] = node->indices[i - 1];
        node->indices[at] = index;
        index->name = arena_strdup(&node->env->arena, name);
    }
    forget_form(index); /* sources stay: a restore may bring their identities back */
    index->deleted = index->closed = index->corrupt = false;
    index->restoring = index->restored_from = NULL;
    index->restore_ends_ns = 0;
    index->properties = cJSON_CreateObject();
    index->settings = cJSON_CreateObject();
    index->aliases = cJSON_CreateObject();
    index->dynamic = "true";
    index->shards = index->replicas = 1;
    index->created_ns = world_now(node->env->world);
    return index;
}

void es_forget_index(struct es_node *node, struct es_index *index, const char *because)
{
    struct dataset *serving = store_serving(node->store);
    struct idset all = {0};
    const struct idset *rows = dataset_rows(serving, index->name);
    if (rows)
        idset_copy(&all, rows);
    store_because(node->store, because);
    if (all.n)
        dataset_delete_set(serving, index->name, &all);
    idset_release(&all);
    index->deleted = true;
    record_change(node->env->record, index->name, "index deleted");
    store_changed(node->store);
}

int64_t es_count(struct es_node *node, const struct es_index *index)
{
    const struct idset *rows = dataset_rows(store_serving(node->store), index->name);
    return rows ? idset_count(rows) : 0;
}

/* One node holds no replica beside its primary: an index that asks for one is yellow. */
const char *es_health_of(const struct es_index *index)
{
    return index->corrupt || index->restoring ? "red" : index->replicas > 0 ? "yellow" : "green";
}

bool es_is_set(const struct es_index *index, const char *setting)
{
    const cJSON *value = cJSON_GetObjectItemCaseSensitive(index->settings, setting);
    return cJSON_IsString(value) && strcmp(value->valuestring, "true") == 0;
}

const char *es_uuid(struct arena *arena, const char *name)
{
    static const char letters[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    uint64_t h = UINT64_C(1469598103934665603);
    char *uuid = arena_alloc(arena, 23);
    for (int i = 0; i < 22; i++) {
        for (const char *p = name; *p; p++)
            h = (h ^ (uint64_t)(unsigned char)*p) * UINT64_C(1099511628211);
        h = (h ^ (uint64_t)i) * UINT64_C(1099511628211);
        uuid[i] = letters[h >> 58];
    }
    uuid[22] = '\0';
    return uuid;
}

/* ---- in the world ---- */

static bool accepts(struct store *store, const char *table, const char **why, void *ctx)
{
    (void)store;
    const struct es_index *index = es_find_index(ctx, str_of(table));
    int status = 0;
    cJSON *refused = index ? es_write_refused(index, &status) : NULL;
    bool ok = index && !refused;
    if (!index)
        *why = "index_not_found_exception";
    else if (refused)
        *why = status == 403 || status == 429 ? "cluster_block_exception"
               : index->closed                ? "index_closed_exception"
                                              : "all shards failed";
    cJSON_Delete(refused);
    return ok;
}

static void backup_made(struct world *world, const struct backup *backup, void *ctx)
{
    (void)world;
    for (struct es_node *node = nodes_of(ctx); node; node = node->next) {
        if (node->store != backup->store || !node->repositories || backup->damage == DAMAGE_MISSING)
            continue;
        const char *name = strrchr(backup->path, '/');
        es_add_snapshot(node, node->repositories->name, name ? name + 1 : backup->path,
                        dataset_copy(backup->contents), backup->damage != DAMAGE_NONE,
                        backup->made_ns);
    }
}

/* Its only shard can be read by nobody: what it holds is gone unless a snapshot brings it back. */
static void corrupt_index(struct es_node *node, struct es_index *index)
{
    struct dataset *serving = store_serving(node->store);
    const struct idset *rows = dataset_rows(serving, index->name);
    struct record *record = node->env->record;
    struct idset all = {0};
    int now_in = record->current_step;
    index->corrupt = true;
    if (rows)
        idset_copy(&all, rows);
    record->current_step = 0; /* no command did it */
    store_because(node->store, arena_printf(&node->env->arena, "corruption of the only shard of %s",
                                            index->name));
    if (all.n)
        dataset_delete_set(serving, index->name, &all);
    record->current_step = now_in;
    idset_release(&all);
    store_changed(node->store);
}

static void read_settings(struct world *world, void *ctx)
{
    struct es_node *node = ctx;
    for (int i = 0; i < node->n_indices; i++) {
        struct es_index *index = node->indices[i];
        const char *value =
            world_setting(world, arena_printf(&node->env->arena, "elasticsearch.%s", index->name));
        if (value && strcmp(value, "corrupt") == 0 && !index->corrupt && !index->deleted &&
            index->restore_ends_ns == 0)
            corrupt_index(node, index);
    }
}

static void every_second(struct world *world, void *ctx)
{
    read_settings(world, ctx);
    world_at(world, world_now(world) + SECOND, every_second, ctx);
}

/* What traffic writes has these fields. */
static void map_traffic(struct es_index *index)
{
    static const char *const fields[][2] = {{"@timestamp", "date"}, {"id", "long"}};
    for (size_t i = 0; i < 2; i++)
        cJSON_AddStringToObject(cJSON_AddObjectToObject(index->properties, fields[i][0]), "type",
                                fields[i][1]);
}

/* ---- set-up ---- */

static int add_node(struct env *env, struct store *store, struct error *error)
{
    const struct doc *config = store_config(store);
    const char *host = NULL, *repository = NULL;
    int64_t port = 9200;
    struct es_node *node = xcalloc(1, sizeof *node);
    node->next = nodes_of(env);
    *env_slot(env, "elasticsearch") = node;
    node->env = env;
    node->store = store;
    node->opensearch = strncmp(store_engine(store), "opensearch", 10) == 0;
    node->version = node->opensearch ? "2.11.0" : "8.11.1";
    node->service = store_service(store) ? world_service(env->world, store_service(store)) : NULL;
    node->cluster_settings = cJSON_CreateObject();
    cJSON_AddObjectToObject(node->cluster_settings, "persistent");
    cJSON_AddObjectToObject(node->cluster_settings, "transient");
    if (doc_text(doc_get(config, "host"), &host, error) < 0 ||
        doc_int(doc_get(config, "port"), 1, 65535, &port, error) < 0 ||
        doc_text(doc_get(config, "repository"), &repository, error) < 0)
        return ERROR_INPUT;
    if (repository) {
        node->repositories = ARENA_NEW(&env->arena, struct es_repository);
        node->repositories->name = repository;
        node->repositories->body =
            cJSON_Parse("{\"type\":\"fs\",\"settings\":{\"location\":\"/backups\"}}");
    }
    const struct dataset *contents = store_serving(store);
    for (int i = 0; i < dataset_tables(contents); i++) {
        struct es_index *index = es_add_index(node, dataset_table(contents, i));
        index->replicas = 0;
        map_traffic(index);
    }
    store_set_engine(store, accepts, node);
    if (node->service)
        http_serve_service(env, node->service, service_name(node->service), host, "localhost",
                           (int)port, es_serve, node);
    else
        http_serve(env, host ? host : "localhost", (int)port, es_serve, node);
    if (node->n_indices)
        world_at(env->world, 0, every_second, node);
    return 0;
}

static int setup(struct env *env, const struct doc *config, struct error *error)
{
    (void)config;
    for (int i = 0; env->world && i < world_stores(env->world); i++) {
        struct store *store = world_store_at(env->world, i);
        bool ours = strncmp(store_engine(store), "elasticsearch", 13) == 0 ||
                    strncmp(store_engine(store), "opensearch", 10) == 0;
        if (ours && add_node(env, store, error) < 0)
            return ERROR_INPUT;
    }
    if (nodes_of(env))
        world_watch_backups(env->world, backup_made, env);
    return 0;
}

static void release(struct env *env)
{
    for (struct es_node *node = nodes_of(env), *next; node; node = next) {
        next = node->next;
        for (int i = 0; i < node->n_snapshots; i++)
            es_free_snapshot(node->snapshots[i]);
        for (int i = 0; i < node->n_indices; i++)
            free_index(node->indices[i]);
        for (struct es_repository *repository = node->repositories; repository;
             repository = repository->next)
            cJSON_Delete(repository->body);
        cJSON_Delete(node->cluster_settings);
        free(node->snapshots);
        free(node->indices);
        free(node);
    }
    *env_slot(env, "elasticsearch") = NULL;
}

static const char *const no_commands[] = {NULL};
const struct fake fake_elasticsearch = {
    .name = "elasticsearch",
    .commands = no_commands,
    .setup = setup,
    .release = release,
};
