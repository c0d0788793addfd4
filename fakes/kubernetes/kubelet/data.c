/* What stores keep in pods: where a database's contents lie, and what takes them along.
 *
 * A store's contents lie in every volume that the pods of its service have had while they ran
 * beside each other: a claim's, which stays; an emptyDir's, which goes with the pod; or the
 * container's own layer, which goes with the container, also when it only crashes. When the last of
 * them goes, the contents are gone. A pod that starts alone on another volume serves what lies
 * there.
 */
#include <stdlib.h>
#include <string.h>

#include "fakes/docker.h"
#include "fakes/kubernetes/kubelet/volumes.h"
#include "sim/base/xalloc.h"

enum volume_kind { VOLUME_LAYER, VOLUME_POD, VOLUME_STAYS };

struct lies_in {
    enum volume_kind kind;
    const char *key;  /* of the claim, pod or container */
    const char *what; /* for people */
};

/* Where a store's contents lie. */
struct home {
    struct store *store;
    const char **keys;
    int n, cap;
    struct shelf *shelves; /* what lies in volumes that nobody serves from now */
    int n_shelves, cap_shelves;
};
struct shelf {
    const char *key;
    struct dataset *contents;
};

static struct home *home_of(struct controllers *controllers, struct store *store)
{
    for (int i = 0; i < controllers->n_homes; i++) {
        if (controllers->homes[i].store == store)
            return &controllers->homes[i];
    }
    XGROW(controllers->homes, controllers->n_homes, controllers->cap_homes);
    struct home *home = &controllers->homes[controllers->n_homes++];
    *home = (struct home){.store = store};
    return home;
}

static int place_of(const struct home *home, const char *key)
{
    int i = 0;
    while (i < home->n && strcmp(home->keys[i], key) != 0)
        i++;
    return i;
}

static void add_key(struct home *home, const char *key)
{
    if (place_of(home, key) < home->n)
        return;
    XGROW(home->keys, home->n, home->cap);
    home->keys[home->n++] = key;
}

static bool take_key(struct home *home, const char *key)
{
    int at = place_of(home, key);
    if (at == home->n)
        return false;
    memmove(&home->keys[at], &home->keys[at + 1], (size_t)(--home->n - at) * sizeof *home->keys);
    return true;
}

/* ---- where a container keeps it ---- */

static bool is_in(const char *folder, const char *mount)
{
    size_t n = strlen(mount);
    while (n > 1 && mount[n - 1] == '/')
        n--;
    return strncmp(folder, mount, n) == 0 && (folder[n] == '\0' || folder[n] == '/');
}

/* The volume that is mounted at a store's folder, or, where that is not known, its claim's; NULL:
 * it is on none. */
static const cJSON *volume_at(const struct pod_container *container, const char *folder)
{
    const struct pod *pod = container->pod;
    const cJSON *mounts = json_at(container_spec(container), "volumeMounts"), *best = NULL;
    for (const cJSON *one = mounts ? mounts->child : NULL; one; one = one->next) {
        const char *path = json_text(one, "mountPath"), *name = json_text(one, "name");
        const cJSON *all = json_at(pod->object->json, "spec", "volumes");
        for (const cJSON *volume = all ? all->child : NULL; name && volume; volume = volume->next) {
            const char *its = json_text(volume, "name");
            if (!its || strcmp(its, name) != 0)
                continue;
            if (folder ? path && is_in(folder, path) : claim_of(pod, volume) != NULL)
                best = volume;
        }
    }
    return best;
}

static struct lies_in where(const struct pod_container *container, const struct store *store)
{
    const struct pod *pod = container->pod;
    struct arena *arena = cluster_arena(pod->controllers->cluster);
    const char *folder = docker_data_folder(store);
    const cJSON *volume = volume_at(container, folder);
    const struct object *claim = volume ? claim_of(pod, volume) : NULL;
    if (claim)
        return (struct lies_in){VOLUME_STAYS, arena_strdup(arena, uid_of(claim)),
                                arena_printf(arena, "claim %s", claim->name)};
    if (volume && json_at(volume, "emptyDir"))
        return (struct lies_in){VOLUME_POD, arena_strdup(arena, uid_of(pod->object)),
                                arena_printf(arena, "an emptyDir of pod %s", pod->object->name)};
    if (volume || !folder)
        return (struct lies_in){
            VOLUME_STAYS,
            arena_printf(arena, "node %s %s", pod->node, volume ? json_text(volume, "name") : ""),
            "a volume outside of the cluster"};
    return (struct lies_in){
        VOLUME_LAYER, arena_printf(arena, "%s %d", uid_of(pod->object), container->restarts),
        arena_printf(arena, "the container's own files in pod %s", pod->object->name)};
}

/* ---- shelves ---- */

static void put_away(struct home *home)
{
    for (int i = 0; i < home->n; i++) {
        XGROW(home->shelves, home->n_shelves, home->cap_shelves);
        home->shelves[home->n_shelves++] =
            (struct shelf){home->keys[i], dataset_copy(store_serving(home->store))};
    }
    home->n = 0;
}

/* What lies in that volume; NULL: nothing. The caller owns it. */
static struct dataset *take_down(struct home *home, const char *key)
{
    for (int i = 0; i < home->n_shelves; i++) {
        if (strcmp(home->shelves[i].key, key) != 0)
            continue;
        struct dataset *contents = home->shelves[i].contents;
        home->shelves[i] = home->shelves[--home->n_shelves];
        return contents;
    }
    return NULL;
}

/* ---- beginnings and ends ---- */

static struct store *next_store(const struct pod_container *container, int *at)
{
    struct world *world = container->pod->controllers->env->world;
    const char *service = service_name(instance_service(container->instance));
    while (*at < world_stores(world)) {
        struct store *store = world_store_at(world, (*at)++);
        const char *of = store_service(store);
        if (of && strcmp(of, service) == 0)
            return store;
    }
    return NULL;
}

/* Another pod of the same service that runs. */
static bool has_peers(const struct pod_container *container)
{
    struct service *service = instance_service(container->instance);
    for (int i = 0; i < service_instances(service); i++) {
        struct instance *other = service_instance(service, i);
        if (other != container->instance && instance_state(other) != INSTANCE_STOPPED)
            return true;
    }
    return false;
}

void data_begins(struct pod_container *container)
{
    struct controllers *controllers = container->pod->controllers;
    int at = 0;
    for (struct store *store; (store = next_store(container, &at));) {
        struct home *home = home_of(controllers, store);
        struct lies_in volume = where(container, store);
        bool known = place_of(home, volume.key) < home->n;
        bool lost_before = home->n == 0 && home->n_shelves == 0;
        if (known || has_peers(container) || controllers_before_run(controllers) || lost_before) {
            add_key(home, volume.key);
            continue;
        }
        put_away(home);
        struct dataset *there = take_down(home, volume.key);
        store_because(store, arena_printf(cluster_arena(controllers->cluster), "pod %s on %s",
                                          container->pod->object->name, volume.what));
        store_serve(store, there ? there : dataset_new());
        record_change(controllers->env->record, store_name(store), "is served from %s",
                      volume.what);
        add_key(home, volume.key);
    }
}

static void lose(struct controllers *controllers, struct home *home, const char *with)
{
    struct store *store = home->store;
    store_because(store, arena_printf(cluster_arena(controllers->cluster), "%s", with));
    store_serve(store, dataset_new());
    record_change(controllers->env->record, store_name(store), "its data went with %s", with);
}

void data_ends(struct pod_container *container, bool pod_gone)
{
    struct controllers *controllers = container->pod->controllers;
    int at = 0;
    for (struct store *store; (store = next_store(container, &at));) {
        struct home *home = home_of(controllers, store);
        struct lies_in volume = where(container, store);
        bool goes = volume.kind == VOLUME_LAYER || (volume.kind == VOLUME_POD && pod_gone);
        if (goes && take_key(home, volume.key) && home->n == 0)
            lose(controllers, home, volume.what);
    }
}

void data_destroyed(struct controllers *controllers, const struct object *claim)
{
    struct arena *arena = cluster_arena(controllers->cluster);
    for (int i = 0; i < controllers->n_homes; i++) {
        struct home *home = &controllers->homes[i];
        dataset_free(take_down(home, uid_of(claim)));
        if (take_key(home, uid_of(claim)) && home->n == 0)
            lose(controllers, home,
                 arena_printf(arena, "the volume of claim %s, deleted", claim->name));
    }
}

void data_release(struct controllers *controllers)
{
    for (int i = 0; i < controllers->n_homes; i++) {
        struct home *home = &controllers->homes[i];
        for (int k = 0; k < home->n_shelves; k++)
            dataset_free(home->shelves[k].contents);
        free(home->shelves);
        free(home->keys);
    }
    free(controllers->homes);
}
