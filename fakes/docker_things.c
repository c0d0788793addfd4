/* Networks and volumes of the engine. */
#include <string.h>

#include "fakes/docker.h"
#include "sim/base/xalloc.h"

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
        .labels = docker_copy_words(arena, labels),
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
        .labels = docker_copy_words(arena, labels),
        .created_ns = docker_now(docker),
    };
    return volume;
}

/* The next store behind `*at` that a program of this service serves; NULL at the end. */
static struct store *next_store(struct docker *docker, const char *service, int *at)
{
    struct world *world = docker->env->world;
    while (*at < world_stores(world)) {
        struct store *store = world_store_at(world, (*at)++);
        if (service && store_service(store) && strcmp(store_service(store), service) == 0)
            return store;
    }
    return NULL;
}

/* The stores that the program of the volume's container served from it are empty from now on. */
static void lose_data(struct docker *docker, const struct docker_volume *volume)
{
    int at = 0;
    for (struct store *store; (store = next_store(docker, volume->service, &at));) {
        store_because(store,
                      arena_printf(docker_arena(docker), "docker volume rm %s", volume->name));
        store_serve(store, dataset_new());
        record_change(docker->env->record, store_name(store),
                      "the volume with its data is gone: %s", volume->name);
    }
}

/* Where the official images keep their data, and whether they declare a volume there: then a
 * container without one of its own gets an anonymous volume, which stays on the disk when the
 * container goes, and is nobody's. */
static const struct data_folder {
    const char *engine, *folder;
    bool declared;
} data_folders[] = {
    {"postgresql", "/var/lib/postgresql/data", true},
    {"redis", "/data", true},
    {"elasticsearch", "/usr/share/elasticsearch/data", false},
    {"opensearch", "/usr/share/opensearch/data", false},
    {"mysql", "/var/lib/mysql", true},
    {"mariadb", "/var/lib/mysql", true},
    {"mongodb", "/data/db", true},
};

static const struct data_folder *data_folder_of(const struct store *store)
{
    for (size_t i = 0; i < sizeof data_folders / sizeof *data_folders; i++) {
        if (strncmp(store_engine(store), data_folders[i].engine, strlen(data_folders[i].engine)) ==
            0)
            return &data_folders[i];
    }
    return NULL;
}

const char *docker_data_folder(const struct store *store)
{
    const struct data_folder *data = data_folder_of(store);
    return data ? data->folder : NULL;
}

static bool is_mounted(const struct container *container, const char *folder)
{
    for (int i = 0; i < container->spec.n_mounts; i++) {
        const char *target = container->spec.mounts[i].target;
        size_t n = strlen(target);
        if (strncmp(folder, target, n) == 0 && (folder[n] == '\0' || folder[n] == '/'))
            return true;
    }
    return false;
}

void docker_lose_layer(const struct container *container)
{
    struct docker *docker = container->docker;
    const char *one_off = container_label(container, "com.docker.compose.oneoff");
    if (!docker->set_up || container->spec.remove_at_end ||
        (one_off && strcmp(one_off, "True") == 0))
        return;
    int at = 0;
    for (struct store *store; (store = next_store(docker, container->image->service, &at));) {
        const struct data_folder *data = data_folder_of(store);
        if (!data || is_mounted(container, data->folder) ||
            (data->declared && container->hands_over))
            continue;
        if (data->declared)
            store_keep_copy(store, "an anonymous volume that no container uses",
                            dataset_copy(store_serving(store)));
        store_because(store, arena_printf(docker_arena(docker), "removal of %s with the data in it",
                                          container->name));
        store_serve(store, dataset_new());
        record_change(docker->env->record, store_name(store),
                      "its data went with %s: %s is on no volume of its own", container->name,
                      data->folder);
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
