#include <stdlib.h>
#include <string.h>

#include "fakes/redis/redis.h"
#include "sim/base/xalloc.h"

static void free_key(struct redis_key *key)
{
    for (int i = 0; i < key->n; i++)
        free(key->items[i]);
    free(key->items);
    free(key->name);
    free(key);
}

void redis_free_keys(struct redis_key *keys)
{
    for (struct redis_key *next; keys; keys = next) {
        next = keys->next;
        free_key(keys);
    }
}

struct redis_key *redis_copy_keys(const struct redis_key *keys)
{
    struct redis_key *first = NULL, **end = &first;
    for (; keys; keys = keys->next) {
        struct redis_key *copy = xcalloc(1, sizeof *copy);
        *copy = (struct redis_key){.name = xstrdup(keys->name),
                                   .database = keys->database,
                                   .kind = keys->kind,
                                   .expires_ns = keys->expires_ns};
        for (int i = 0; i < keys->n; i++)
            redis_add(copy, keys->items[i], -1);
        *end = copy;
        end = &copy->next;
    }
    return first;
}

static struct redis_key **place_of(struct redis_server *server, int database, const char *name)
{
    struct redis_key **at = &server->keys;
    while (*at && ((*at)->database != database || strcmp((*at)->name, name) != 0))
        at = &(*at)->next;
    return at;
}

struct redis_key *redis_find(struct redis_server *server, int database, const char *name)
{
    struct redis_key **at = place_of(server, database, name), *key = *at;
    if (key && key->expires_ns <= world_now(server->env->world)) {
        *at = key->next;
        free_key(key);
        return NULL;
    }
    return key;
}

struct redis_key *redis_make(struct redis_server *server, int database, const char *name,
                             enum redis_kind kind)
{
    redis_remove(server, database, name);
    struct redis_key *key = xcalloc(1, sizeof *key);
    *key = (struct redis_key){
        .name = xstrdup(name), .database = database, .kind = kind, .expires_ns = INT64_MAX};
    *place_of(server, database, name) = key;
    return key;
}

bool redis_remove(struct redis_server *server, int database, const char *name)
{
    struct redis_key **at = place_of(server, database, name), *key = *at;
    if (!key)
        return false;
    bool there = key->expires_ns > world_now(server->env->world);
    *at = key->next;
    free_key(key);
    return there;
}

void redis_add(struct redis_key *key, const char *item, int at)
{
    XGROW(key->items, key->n, key->cap);
    if (at < 0)
        at = key->n;
    memmove(key->items + at + 1, key->items + at, sizeof *key->items * (size_t)(key->n - at));
    key->items[at] = xstrdup(item);
    key->n++;
}

void redis_cut(struct redis_key *key, int at, int n)
{
    for (int i = at; i < at + n; i++)
        free(key->items[i]);
    memmove(key->items + at, key->items + at + n, sizeof *key->items * (size_t)(key->n - at - n));
    key->n -= n;
}

int redis_index(const struct redis_key *key, const char *item, int step)
{
    for (int i = 0; key && i < key->n; i += step) {
        if (strcmp(key->items[i], item) == 0)
            return i;
    }
    return -1;
}

const struct idset *redis_records(struct redis_server *server, int database, const char *name)
{
    const struct idset *rows =
        database == 0 ? dataset_rows(store_serving(server->store), name) : NULL;
    return rows && rows->n ? rows : NULL;
}

bool redis_drop_records(struct redis_server *server, const char *name, const struct idset *which,
                        const char *why)
{
    const struct idset *rows = redis_records(server, 0, name);
    if (!rows)
        return false;
    struct idset copy = {0};
    idset_copy(&copy, which ? which : rows);
    store_because(server->store, why);
    dataset_delete_set(store_serving(server->store), name, &copy);
    record_change(server->env->record, store_name(server->store),
                  which ? "%s: %lld elements removed from the list"
                        : "list %s deleted (%lld elements)",
                  name, (long long)idset_count(&copy));
    idset_release(&copy);
    return true;
}

void redis_each(struct redis_server *server, int database,
                void (*f)(const char *, struct redis_key *, void *), void *ctx)
{
    const struct dataset *contents = store_serving(server->store);
    for (int i = 0; i < dataset_tables(contents); i++) {
        const char *name = dataset_table(contents, i);
        if (redis_records(server, database, name) && !redis_find(server, database, name))
            f(name, NULL, ctx);
    }
    int64_t now_ns = world_now(server->env->world);
    for (struct redis_key *key = server->keys; key; key = key->next) {
        if (key->database == database && key->expires_ns > now_ns)
            f(key->name, key, ctx);
    }
}

struct count {
    int64_t n, expiring;
};

static void count_one(const char *name, struct redis_key *key, void *ctx)
{
    struct count *count = ctx;
    (void)name;
    count->n++;
    count->expiring += key && key->expires_ns != INT64_MAX;
}

int64_t redis_count(struct redis_server *server, int database, int64_t *ret_expiring)
{
    struct count count = {0};
    redis_each(server, database, count_one, &count);
    if (ret_expiring)
        *ret_expiring = count.expiring;
    return count.n;
}

void redis_flush(struct redis_server *server, int database, const char *why)
{
    struct dataset *contents = store_serving(server->store);
    int64_t keys = 0;
    for (int i = 0; i < REDIS_DATABASES; i++)
        keys += database < 0 || i == database ? redis_count(server, i, NULL) : 0;
    for (int i = 0; database <= 0 && i < dataset_tables(contents); i++)
        redis_drop_records(server, dataset_table(contents, i), NULL, why);
    for (struct redis_key **at = &server->keys; *at;) {
        struct redis_key *key = *at;
        if (database >= 0 && key->database != database) {
            at = &key->next;
            continue;
        }
        *at = key->next;
        free_key(key);
    }
    record_change(server->env->record, store_name(server->store), "flushed, %lld keys",
                  (long long)keys);
}
