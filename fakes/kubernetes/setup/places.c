/* Places: the private roots in which commands in containers run.
 *
 * They are made before the run; pods come and go. So each workload has a few, which its containers
 * take when the first command goes in and give back when they are gone.
 */
#include <string.h>

#include "fakes/fake.h"
#include "fakes/kubernetes/setup/setup_state.h"
#include "sim/base/xalloc.h"

enum { PLACES_A_WORKLOAD = 3, PLACES_MAX = 24, SPARE_PLACES = 2 };

static void declare(struct setup *setup, const char *ns, const char *owner, const char *name,
                    const char *like)
{
    XGROW(setup->places, setup->n_places, setup->cap_places);
    setup->places[setup->n_places++] =
        (struct place){.name = name, .like = like, .ns = ns, .owner = owner};
    env_add_place(cluster_env(setup->cluster), name);
}

static void declare_for(struct setup *setup, const struct object *object)
{
    struct arena *arena = cluster_arena(setup->cluster);
    const cJSON *template = json_at(object->json, "spec", "template", "spec", "containers");
    int containers = cJSON_GetArraySize(template);
    int64_t n = json_int(json_at(object->json, "spec"), "replicas", 1) + 1;
    n = n > PLACES_A_WORKLOAD ? PLACES_A_WORKLOAD : n;
    for (int i = 0; i < n * containers && setup->n_places < PLACES_MAX - SPARE_PLACES; i++)
        declare(setup, object->ns, object->name,
                arena_printf(arena, "pod.%s.%s.%d", object->ns, object->name, i), object->name);
}

void places_declare(struct setup *setup)
{
    static const char *const kinds[] = {"StatefulSet", "Deployment", "DaemonSet"};
    struct arena *arena = cluster_arena(setup->cluster);
    for (int k = 0; k < 3; k++) {
        struct object **all =
            cluster_list(setup->cluster, arena, cluster_kind(setup->cluster, kinds[k], "apps/v1"),
                         NULL, NULL, NULL);
        for (int i = 0; all[i]; i++)
            declare_for(setup, all[i]);
    }
    for (int i = 0; i < SPARE_PLACES; i++)
        declare(setup, "", "", arena_printf(arena, "pod.%d", i), "");
}

static const char *uid_of(const struct object *pod)
{
    const char *uid = json_text(pod->json, "metadata", "uid");
    return uid ? uid : "";
}

static bool is_theirs(const struct place *place, const struct object *pod, const char *container)
{
    return place->pod_uid && strcmp(place->pod_uid, uid_of(pod)) == 0 &&
           (!container || strcmp(place->container, container) == 0);
}

/* A place that nobody has: the workload's own go first. */
static struct place *free_place(struct setup *setup, const struct object *pod, const char *owner)
{
    struct place *any = NULL;
    for (int i = 0; i < setup->n_places; i++) {
        struct place *place = &setup->places[i];
        if (place->pod_uid && place->pod && !place->pod->gone)
            continue;
        if (strcmp(place->ns, pod->ns) == 0 && owner && strcmp(place->owner, owner) == 0)
            return place;
        if (!*place->owner && !any)
            any = place;
    }
    return any;
}

const char *pod_place(struct cluster *cluster, const struct object *pod, const char *container)
{
    struct setup *setup = setup_of(cluster_env(cluster));
    struct arena *arena = cluster_arena(cluster);
    struct env *env = cluster_env(cluster);
    for (int i = 0; i < setup->n_places; i++) {
        if (is_theirs(&setup->places[i], pod, container))
            return setup->places[i].name;
    }
    const char *kind, *owner;
    workload_behind(cluster, pod->json, &kind, &owner);
    struct place *place = free_place(setup, pod, owner);
    if (!place)
        return NULL;
    place->pod_uid = arena_strdup(arena, uid_of(pod));
    place->container = arena_strdup(arena, container);
    place->pod = (struct object *)(uintptr_t)pod;
    env_name_place(env, place->name, pod->name);
    if (env->files && env->files->reset && !cluster_before_run(cluster))
        env->files->reset(env->files_ctx, place->name, owner ? owner : "-");
    if (env->files && env->files->write) {
        const char *name = arena_printf(arena, "%s\n", pod->name);
        env->files->write(env->files_ctx, place->name, "/etc/hostname", name, strlen(name), 0644,
                          env_unix_ns(env));
    }
    return place->name;
}

void pod_place_lost(struct cluster *cluster, const struct object *pod, const char *container)
{
    struct setup *setup = setup_of(cluster_env(cluster));
    for (int i = 0; i < setup->n_places; i++) {
        struct place *place = &setup->places[i];
        if (!is_theirs(place, pod, container))
            continue;
        env_name_place(cluster_env(cluster), place->name, "");
        place->pod_uid = NULL;
        place->pod = NULL;
    }
}

struct object *place_pod(struct cluster *cluster, const char *name)
{
    struct setup *setup = setup_of(cluster_env(cluster));
    for (int i = 0; i < setup->n_places; i++) {
        if (setup->places[i].pod_uid && strcmp(setup->places[i].name, name) == 0)
            return setup->places[i].pod;
    }
    return NULL;
}
