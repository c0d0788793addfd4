#include "fakes/env.h"

#include <string.h>

#include "fakes/fake.h"
#include "sim/base/xalloc.h"

int env_write(struct env *env, const char *place, const char *path, struct str content, int mode)
{
    return env_write_old(env, place, path, content, mode, env_unix_ns(env));
}

int env_write_old(struct env *env, const char *place, const char *path, struct str content, int mode,
                  int64_t unix_ns)
{
    return env->files->write(env->files_ctx, place, path, content.at, content.len, mode, unix_ns);
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

void env_add_place(struct env *env, const char *place)
{
    for (int i = 0; i < env->n_places; i++) {
        if (strcmp(env->places[i], place) == 0)
            return;
    }
    XGROW(env->places, env->n_places + 1, env->cap_places);
    env->places[env->n_places++] = arena_strdup(&env->arena, place);
    env->places[env->n_places] = NULL;
}

void env_add_command(struct env *env, const char *name, const char *place, const struct fake *fake)
{
    XGROW(env->commands, env->n_commands, env->cap_commands);
    env->commands[env->n_commands++] = (struct env_command){
        .name = arena_strdup(&env->arena, name),
        .place = place ? arena_strdup(&env->arena, place) : NULL,
        .fake = fake,
    };
}

const struct fake *env_fake_for(const struct env *env, const char *place, const char *argv0)
{
    const char *base = strrchr(argv0, '/');
    base = base ? base + 1 : argv0;
    for (int i = 0; i < env->n_commands; i++) {
        const struct env_command *command = &env->commands[i];
        if (command->place && strcmp(command->place, place) != 0)
            continue;
        if (strcmp(command->name, command->name[0] == '/' ? argv0 : base) == 0)
            return command->fake;
    }
    return fake_for(argv0);
}
