/* Networks and volumes of the engine. */
#include <string.h>

#include "fakes/docker.h"
#include "sim/base/xalloc.h"

static const char *const *copy_labels(struct arena *arena, const char *const *labels)
{
    int n = 0;
    while (labels && labels[n])
        n++;
    const char **copy = ARENA_ARRAY(arena, const char *, n + 1);
    for (int i = 0; i < n; i++)
        copy[i] = arena_strdup(arena, labels[i]);
    return copy;
}

struct docker_network *docker_network(struct docker *docker, const char *name)
{
    size_t len = strlen(name);
    for (int i = 0; i < docker->n_networks; i++) {
        struct docker_network *network = &docker->networks[i];
        if (strcmp(network->name, name) == 0 || (len >= 12 && strncmp(network->id, name, len) == 0))
            return network;
    }
    return NULL;
}

struct docker_network *docker_network_new(struct docker *docker, const char *name,
                                          const char *const *labels)
{
    struct arena *arena = docker_arena(docker);
    XGROW(docker->networks, docker->n_networks, docker->cap_networks);
    struct docker_network *network = &docker->networks[docker->n_networks++];
    *network = (struct docker_network){
        .name = arena_strdup(arena, name),
        .driver = "bridge",
        .labels = copy_labels(arena, labels),
        .created_ns = docker_now(docker),
    };
    docker->n_ids++;
    docker_hex(arena_printf(arena, "network %lld %s", (long long)docker->n_ids, name), network->id);
    return network;
}

bool docker_network_remove(struct docker *docker, const char *name)
{
    struct docker_network *network = docker_network(docker, name);
    if (!network)
        return false;
    record_change(docker->env->record, name, "the network is removed");
    int at = (int)(network - docker->networks);
    docker->n_networks--;
    memmove(network, network + 1, (size_t)(docker->n_networks - at) * sizeof *network);
    return true;
}

struct container *docker_network_user(struct docker *docker, const char *name)
{
    for (int i = 0; i < docker->n_containers; i++) {
        struct container *container = docker->containers[i];
        if (container->removed || !container_running(container))
            continue;
        for (const char *const *at = container->spec.networks; at && *at; at++) {
            if (strcmp(*at, name) == 0)
                return container;
        }
    }
    return NULL;
}

struct docker_volume *docker_volume(struct docker *docker, const char *name)
{
    for (int i = 0; i < docker->n_volumes; i++) {
        if (strcmp(docker->volumes[i].name, name) == 0)
            return &docker->volumes[i];
    }
    return NULL;
}

struct docker_volume *docker_volume_new(struct docker *docker, const char *name,
                                        const char *const *labels)
{
    struct arena *arena = docker_arena(docker);
    XGROW(docker->volumes, docker->n_volumes, docker->cap_volumes);
    struct docker_volume *volume = &docker->volumes[docker->n_volumes++];
    *volume = (struct docker_volume){
        .name = arena_strdup(arena, name),
        .labels = copy_labels(arena, labels),
        .created_ns = docker_now(docker),
    };
    return volume;
}

/* The stores that the program of the volume's container served from it are empty from now on. */
static void lose_data(struct docker *docker, const struct docker_volume *volume)
{
    struct world *world = docker->env->world;
    const struct doc *stores = doc_get(docker->system, "stores");
    for (const struct doc *node = stores ? stores->first : NULL; node && volume->service;
         node = node->next) {
        struct store *store = world_store(world, node->key);
        const char *service = store ? store_service(store) : NULL;
        if (!service || strcmp(service, volume->service) != 0)
            continue;
        store_because(store,
                      arena_printf(docker_arena(docker), "docker volume rm %s", volume->name));
        store_serve(store, dataset_new());
        record_change(docker->env->record, node->key, "the volume with its data is gone: %s",
                      volume->name);
    }
}

bool docker_volume_remove(struct docker *docker, const char *name)
{
    struct docker_volume *volume = docker_volume(docker, name);
    if (!volume)
        return false;
    lose_data(docker, volume);
    if (docker->set_up)
        env_remove_tree(docker->env, "", docker_volume_folder(docker_arena(docker), volume->name));
    record_change(docker->env->record, name, "the volume is removed");
    int at = (int)(volume - docker->volumes);
    docker->n_volumes--;
    memmove(volume, volume + 1, (size_t)(docker->n_volumes - at) * sizeof *volume);
    return true;
}

struct container *docker_volume_user(struct docker *docker, const char *name)
{
    for (int i = 0; i < docker->n_containers; i++) {
        struct container *container = docker->containers[i];
        for (int k = 0; !container->removed && k < container->spec.n_mounts; k++) {
            const char *volume = container->spec.mounts[k].volume;
            if (volume && strcmp(volume, name) == 0)
                return container;
        }
    }
    return NULL;
}
