/* The servers, and what survives their end. */
#include <stdlib.h>
#include <string.h>

#include "fakes/redis/redis.h"
#include "sim/base/xalloc.h"

struct redis_server *redis_servers(struct env *env)
{
    return *env_slot(env, "redis");
}

int64_t redis_acknowledged(struct redis_server *server)
{
    const struct dataset *contents = store_serving(server->store);
    int64_t n = 0;
    for (int i = 0; i < dataset_tables(contents); i++)
        n += store_acknowledged(server->store, dataset_table(contents, i));
    return n;
}

void redis_save(struct redis_server *server)
{
    dataset_free(server->saved);
    server->saved = dataset_copy(store_serving(server->store));
    server->saved_ns = world_now(server->env->world);
    server->saved_acknowledged = redis_acknowledged(server);
    server->changes = 0;
    redis_free_keys(server->saved_keys);
    server->saved_keys = redis_copy_keys(server->keys);
}

/* save 3600 1 300 100 60 10000: looked at once a minute. */
static void save_when_due(struct world *world, void *ctx)
{
    struct redis_server *server = ctx;
    int64_t age_ns = world_now(world) - server->saved_ns;
    int64_t changes = redis_acknowledged(server) - server->saved_acknowledged + server->changes;
    if (server->persistence == PERSIST_RDB &&
        ((age_ns >= 60 * SECOND && changes >= 10000) ||
         (age_ns >= 300 * SECOND && changes >= 100) || (age_ns >= 3600 * SECOND && changes >= 1)))
        redis_save(server);
    world_at(world, world_now(world) + MINUTE, save_when_due, server);
}

/* It holds what the last save held, not more and not less; the ledger hears of the difference. */
static void load_saved(struct redis_server *server)
{
    struct dataset *contents = store_serving(server->store);
    store_because(server->store, "redis-server started from its last save");
    for (int i = 0; i < dataset_tables(contents); i++) {
        const char *table = dataset_table(contents, i);
        const struct idset *kept = server->saved ? dataset_rows(server->saved, table) : NULL;
        struct idset gone = {0}, back = {0};
        idset_copy(&gone, dataset_rows(contents, table));
        if (kept) {
            idset_copy(&back, kept);
            idset_subtract(&back, dataset_rows(contents, table));
            idset_subtract(&gone, kept);
        }
        if (gone.n)
            dataset_delete_set(contents, table, &gone);
        if (back.n)
            dataset_insert_set(contents, table, &back);
        idset_release(&gone);
        idset_release(&back);
    }
    redis_free_keys(server->keys);
    server->keys = redis_copy_keys(server->saved_keys);
    server->changes = 0;
}

static void instance_changed(struct instance *instance, enum instance_state before, void *ctx)
{
    struct env *env = ctx;
    enum instance_state now = instance_state(instance);
    for (struct redis_server *s = redis_servers(env); s; s = s->next) {
        if (s->service != instance_service(instance))
            continue;
        if (now == INSTANCE_STOPPED && before != INSTANCE_STOPPED) {
            bool killed = instance_exit_code(instance) != 0;
            if (!killed && !s->without_saving && s->persistence == PERSIST_RDB)
                redis_save(s);
            s->lost_at_end = s->persistence == PERSIST_NONE ||
                             ((killed || s->without_saving) && s->persistence == PERSIST_RDB);
            s->without_saving = false;
        } else if (now == INSTANCE_STARTING) {
            if (s->lost_at_end)
                load_saved(s);
            s->lost_at_end = false;
            redis_read_settings(s);
        }
    }
}

/* ---- setup ---- */

static int add_server(struct env *env, struct store *store, struct error *error)
{
    static const char *const words[] = {"rdb", "aof", "none", NULL};
    const struct doc *config = store_config(store);
    int64_t port = 6379;
    int persistence = PERSIST_RDB;
    struct redis_server *server = xcalloc(1, sizeof *server);
    server->next = redis_servers(env);
    *env_slot(env, "redis") = server;
    server->env = env;
    server->store = store;
    server->service = store_service(store) ? world_service(env->world, store_service(store)) : NULL;
    if (doc_text(doc_get(config, "host"), &server->host, error) < 0 ||
        doc_text(doc_get(config, "password"), &server->password, error) < 0 ||
        doc_text(doc_get(config, "config"), &server->config, error) < 0 ||
        doc_int(doc_get(config, "port"), 1, 65535, &port, error) < 0 ||
        doc_choice(doc_get(config, "persistence"), words, &persistence, error) < 0)
        return ERROR_INPUT;
    if (doc_get(config, "port") && !server->host)
        server->host = "localhost";
    server->port = (int)port;
    server->persistence = server->declared = (enum redis_persistence)persistence;
    redis_read_settings(server);
    redis_save(server);
    world_at(env->world, MINUTE, save_when_due, server);
    return 0;
}

static int setup(struct env *env, const struct doc *config, struct error *error)
{
    (void)config;
    for (int i = 0; env->world && i < world_stores(env->world); i++) {
        struct store *store = world_store_at(env->world, i);
        if (strncmp(store_engine(store), "redis", 5) == 0 && add_server(env, store, error) < 0)
            return ERROR_INPUT;
    }
    if (redis_servers(env))
        world_watch_instances(env->world, instance_changed, env);
    return 0;
}

static void release(struct env *env)
{
    for (struct redis_server *s = redis_servers(env), *next; s; s = next) {
        next = s->next;
        redis_free_keys(s->keys);
        redis_free_keys(s->saved_keys);
        dataset_free(s->saved);
        arena_release(&s->arena);
        free(s);
    }
    *env_slot(env, "redis") = NULL;
}

static const char *const commands[] = {"redis-cli", NULL};
const struct fake fake_redis = {
    .name = "redis",
    .commands = commands,
    .setup = setup,
    .run = redis_cli,
    .release = release,
};
