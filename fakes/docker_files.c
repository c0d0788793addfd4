/* What a container finds in its root: the image's files, and the folders that are mounted into it
 * (visit.h). A place of the sandbox is the root of one container at a time. */
#include <string.h>

#include "fakes/docker_command.h"

const char *docker_mount_source(struct arena *arena, const struct docker_mount *mount)
{
    return mount->volume ? docker_volume_folder(arena, mount->volume) : mount->source;
}

const char *docker_volume_folder(struct arena *arena, const char *volume)
{
    return arena_printf(arena, "/var/lib/docker/volumes/%s/_data", volume);
}

bool docker_has_root(const struct container *container)
{
    const struct env *env = container->docker->env;
    for (int i = 0; i < env->n_places; i++) {
        if (strcmp(env->places[i], container->place) == 0)
            return true;
    }
    return false;
}

const char *docker_spare_place(struct docker *docker)
{
    static const char *const places[] = {DOCKER_SPARE_PLACES, NULL};
    for (int i = 0; places[i]; i++) {
        bool free = true;
        for (int k = 0; k < docker->n_containers && free; k++)
            free = docker->containers[k]->removed ||
                   strcmp(docker->containers[k]->place, places[i]) != 0;
        if (free)
            return places[i];
    }
    return NULL;
}

/* Whether another container that runs has the same root. */
static bool shared(const struct container *container)
{
    const struct docker *docker = container->docker;
    for (int i = 0; i < docker->n_containers; i++) {
        const struct container *other = docker->containers[i];
        if (other != container && !other->removed && container_running(other) &&
            strcmp(other->place, container->place) == 0)
            return true;
    }
    return false;
}

void docker_root_made(struct container *container)
{
    struct docker *docker = container->docker;
    struct arena *arena = docker_arena(docker);
    int n = container->spec.n_mounts;
    struct env_mount *mounts = ARENA_ARRAY(arena, struct env_mount, n + 1);
    for (int i = 0; i < n; i++) {
        const struct docker_mount *mount = &container->spec.mounts[i];
        mounts[i] = (struct env_mount){
            .target = mount->target,
            .source = docker_mount_source(arena, mount),
        };
    }
    if (!docker->set_up || !docker_has_root(container)) {
        env_set_mounts(docker->env, container->place, mounts, n);
    } else if (!shared(container)) {
        const char *like = container->spec.like ? container->spec.like : container->place;
        docker->env->files->reset(docker->env->files_ctx, container->place, like);
        env_set_mounts(docker->env, container->place, mounts, n);
    }
}

struct visit *docker_enter(struct call *call, struct container *container)
{
    int n = container->spec.n_mounts;
    struct visit_mount *mounts = ARENA_ARRAY(call->arena, struct visit_mount, n + 1);
    for (int i = 0; i < n; i++) {
        const struct docker_mount *mount = &container->spec.mounts[i];
        mounts[i] = (struct visit_mount){docker_mount_source(call->arena, mount), mount->target,
                                         mount->read_only};
    }
    return visit_begin(call, container->place, mounts, n);
}
