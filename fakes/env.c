#include "fakes/env.h"

#include <string.h>

#include "sim/base/xalloc.h"

int env_write(struct env *env, const char *place, const char *path, struct str content, int mode)
{
    return env->files->write(env->files_ctx, place, path, content.at, content.len, mode);
}

int env_append(struct env *env, const char *place, const char *path, struct str content)
{
    return env->files->append(env->files_ctx, place, path, content.at, content.len);
}

int env_load(struct env *env, const char *place, const char *path, struct buf *buf)
{
    return env->files->load(env->files_ctx, place, path, buf);
}

int env_unlink(struct env *env, const char *place, const char *path)
{
    return env->files->unlink(env->files_ctx, place, path);
}

void **env_slot(struct env *env, const char *fake)
{
    for (int i = 0; i < env->n_slots; i++) {
        if (strcmp(env->slots[i]->fake, fake) == 0)
            return &env->slots[i]->state;
    }
    XGROW(env->slots, env->n_slots, env->cap_slots);
    struct env_slot *slot = ARENA_NEW(&env->arena, struct env_slot);
    slot->fake = arena_strdup(&env->arena, fake);
    env->slots[env->n_slots++] = slot;
    return &slot->state;
}

int64_t env_unix_ns(const struct env *env)
{
    return env->start_unix_ns + world_now(env->world);
}
