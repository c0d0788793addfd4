/* The store: objects in order, made and kept; the words of errors; JSON by path. */
#include "fakes/kubernetes/cluster.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "fakes/kubernetes/store.h"
#include "sim/base/hash.h"
#include "sim/base/xalloc.h"

enum { FIRST_VERSION = 1000 };

struct cluster *cluster_of(struct env *env)
{
    return *env_slot(env, "kubernetes");
}

struct cluster *cluster_new(struct env *env)
{
    struct cluster *cluster = xcalloc(1, sizeof *cluster);
    cluster->env = env;
    cluster->version = FIRST_VERSION;
    cluster->contexts.current = -1;
    *env_slot(env, "kubernetes") = cluster;
    return cluster;
}

static void free_object(struct object *object)
{
    cJSON_Delete(object->json);
    free(object);
}

void cluster_free(struct cluster *cluster)
{
    if (!cluster)
        return;
    for (int i = 0; i < cluster->n_objects; i++)
        free_object(cluster->objects[i]);
    for (int i = 0; i < cluster->n_gone; i++)
        free_object(cluster->gone[i]);
    cluster->n_watchers = 1;
    cluster_watch_end(cluster);
    cJSON_Delete(cluster->tried);
    free(cluster->changes);
    free(cluster->unread);
    free(cluster->objects);
    free(cluster->gone);
    free(cluster->custom);
    *env_slot(cluster->env, "kubernetes") = NULL;
    free(cluster);
}

struct env *cluster_env(const struct cluster *cluster)
{
    return cluster->env;
}

struct arena *cluster_arena(struct cluster *cluster)
{
    return &cluster->env->arena;
}

int64_t cluster_now(const struct cluster *cluster)
{
    return world_now(cluster->env->world);
}

int64_t cluster_version(const struct cluster *cluster)
{
    return cluster->version;
}

struct contexts *cluster_contexts(struct cluster *cluster)
{
    return &cluster->contexts;
}

bool cluster_before_run(const struct cluster *cluster)
{
    return !cluster->running;
}

void cluster_run_begins(struct cluster *cluster)
{
    cluster->running = true;
}

const char *cluster_stamp(struct cluster *cluster, struct arena *arena, int64_t at_ns)
{
    char text[64];
    struct tm tm;
    int64_t unix_ns = cluster->env->start_unix_ns + at_ns;
    time_t seconds = (time_t)(unix_ns / SECOND - (unix_ns % SECOND < 0));
    gmtime_r(&seconds, &tm);
    strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &tm);
    return arena_strdup(arena, text);
}

/* ---- errors ---- */

bool api_fail(struct cluster *cluster, struct api_error *error, int code, const char *reason,
              const char *format, ...)
{
    va_list args;
    va_start(args, format);
    *error =
        (struct api_error){code, reason, arena_vprintf(cluster_arena(cluster), format, args), NULL};
    va_end(args);
    return false;
}

bool api_not_found(struct cluster *cluster, struct api_error *error, const struct kind *kind,
                   const char *name)
{
    return api_fail(cluster, error, 404, "NotFound", "%s \"%s\" not found",
                    kind_qualified(cluster_arena(cluster), kind), name);
}

/* ---- the order of objects ---- */

static int compare(const struct cluster *cluster, const struct object *object, int kind,
                   const char *ns, const char *name)
{
    int order = kinds_place(cluster, object->kind) - kind;
    if (!order)
        order = strcmp(object->ns, ns);
    return order ? order : strcmp(object->name, name);
}

bool store_search(const struct cluster *cluster, const struct kind *kind, const char *ns,
                  const char *name, int *ret_at)
{
    int lo = 0, hi = cluster->n_objects, place = kinds_place(cluster, kind);
    while (lo < hi) {
        int middle = lo + (hi - lo) / 2;
        int order = compare(cluster, cluster->objects[middle], place, ns, name);
        if (order == 0) {
            *ret_at = middle;
            return true;
        }
        if (order < 0)
            lo = middle + 1;
        else
            hi = middle;
    }
    *ret_at = lo;
    return false;
}

void store_insert(struct cluster *cluster, struct object *object)
{
    int at;
    (void)store_search(cluster, object->kind, object->ns, object->name, &at);
    XGROW(cluster->objects, cluster->n_objects, cluster->cap_objects);
    memmove(&cluster->objects[at + 1], &cluster->objects[at],
            (size_t)(cluster->n_objects - at) * sizeof(struct object *));
    cluster->objects[at] = object;
    cluster->n_objects++;
}

void store_take_out(struct cluster *cluster, struct object *object)
{
    int at;
    if (object->gone || !store_search(cluster, object->kind, object->ns, object->name, &at))
        return;
    memmove(&cluster->objects[at], &cluster->objects[at + 1],
            (size_t)(--cluster->n_objects - at) * sizeof(struct object *));
    object->gone = true;
    XGROW(cluster->gone, cluster->n_gone, cluster->cap_gone);
    cluster->gone[cluster->n_gone++] = object;
}

struct object *cluster_find(struct cluster *cluster, const struct kind *kind, const char *ns,
                            const char *name)
{
    int at;
    bool there = store_search(cluster, kind, kind->namespaced ? ns : "", name, &at);
    return there ? cluster->objects[at] : NULL;
}

struct object *cluster_find_named(struct cluster *cluster, const char *kind, const char *ns,
                                  const char *name)
{
    for (int i = 0; i < cluster_kinds(cluster); i++) {
        const struct kind *one = cluster_kind_at(cluster, i);
        if (!one->custom && strcmp(one->name, kind) == 0)
            return cluster_find(cluster, one, ns, name);
    }
    return NULL;
}

struct object **cluster_list(struct cluster *cluster, struct arena *arena, const struct kind *kind,
                             const char *ns, const struct selector *labels,
                             const struct selector *fields)
{
    int first, n = 0;
    (void)store_search(cluster, kind, "", "", &first);
    struct object **list = ARENA_ARRAY(arena, struct object *, cluster->n_objects - first + 1);
    for (int i = first; i < cluster->n_objects && cluster->objects[i]->kind == kind; i++) {
        struct object *object = cluster->objects[i];
        if (ns && kind->namespaced && strcmp(object->ns, ns) != 0)
            continue;
        if (labels && !selector_matches(labels, json_at(object->json, "metadata", "labels")))
            continue;
        if (!fields || selector_matches_fields(fields, object->json))
            list[n++] = object;
    }
    return list;
}

/* ---- JSON ---- */

cJSON *json_at_path(const cJSON *json, const char *const *path)
{
    while (json && *path)
        json = cJSON_GetObjectItemCaseSensitive(json, *path++);
    return (cJSON *)(uintptr_t)json;
}

const char *json_text_path(const cJSON *json, const char *const *path)
{
    return cJSON_GetStringValue(json_at_path(json, path));
}

int64_t json_int(const cJSON *object, const char *key, int64_t otherwise)
{
    const cJSON *value = cJSON_GetObjectItemCaseSensitive(object, key);
    return cJSON_IsNumber(value) ? (int64_t)value->valuedouble : otherwise;
}

void json_set(cJSON *object, const char *key, cJSON *value)
{
    if (cJSON_HasObjectItem(object, key) && cJSON_GetObjectItemCaseSensitive(object, key))
        cJSON_ReplaceItemInObjectCaseSensitive(object, key, value);
    else
        cJSON_AddItemToObject(object, key, value);
}

void json_set_text(cJSON *object, const char *key, const char *value)
{
    json_set(object, key, cJSON_CreateString(value));
}

void json_set_int(cJSON *object, const char *key, int64_t value)
{
    json_set(object, key, cJSON_CreateNumber((double)value));
}

cJSON *json_child(cJSON *object, const char *key)
{
    cJSON *child = cJSON_GetObjectItemCaseSensitive(object, key);
    if (!cJSON_IsObject(child)) {
        json_set(object, key, cJSON_CreateObject());
        child = cJSON_GetObjectItemCaseSensitive(object, key);
    }
    return child;
}
