#include "fakes/env.h"

#include <string.h>

#include "fakes/fake.h"
#include "sim/base/xalloc.h"

/* ---- files ---- */

void env_follow(struct env *env, const char **place, const char **path)
{
    for (int i = 0; i < env->n_mounts; i++) {
        const struct env_mount *mount = &env->mounts[i];
        size_t len = strlen(mount->target);
        if (strcmp(mount->place, *place) != 0 || strncmp(mount->target, *path, len) != 0 ||
            ((*path)[len] != '/' && (*path)[len] != '\0'))
            continue;
        *place = "";
        *path = arena_printf(&env->arena, "%s%s", mount->source, *path + len);
        return;
    }
}

void env_set_mounts(struct env *env, const char *place, const struct env_mount *mounts, int n)
{
    int kept = 0;
    for (int i = 0; i < env->n_mounts; i++) {
        if (strcmp(env->mounts[i].place, place) != 0)
            env->mounts[kept++] = env->mounts[i];
    }
    env->n_mounts = kept;
    for (int i = 0; i < n; i++) {
        XGROW(env->mounts, env->n_mounts, env->cap_mounts);
        env->mounts[env->n_mounts++] = (struct env_mount){
            .place = arena_strdup(&env->arena, place),
            .target = arena_strdup(&env->arena, mounts[i].target),
            .source = arena_strdup(&env->arena, mounts[i].source),
        };
    }
}

int env_write(struct env *env, const char *place, const char *path, struct str content, int mode)
{
    return env_write_old(env, place, path, content, mode, env_unix_ns(env));
}

int env_write_old(struct env *env, const char *place, const char *path, struct str content,
                  int mode, int64_t unix_ns)
{
    env_follow(env, &place, &path);
    return env->files->write(env->files_ctx, place, path, content.at, content.len, mode, unix_ns);
}

int env_append(struct env *env, const char *place, const char *path, struct str content)
{
    env_follow(env, &place, &path);
    return env->files->append(env->files_ctx, place, path, content.at, content.len);
}

int env_load(struct env *env, const char *place, const char *path, struct buf *buf)
{
    env_follow(env, &place, &path);
    return env->files->load(env->files_ctx, place, path, buf);
}

int env_unlink(struct env *env, const char *place, const char *path)
{
    env_follow(env, &place, &path);
    return env->files->unlink(env->files_ctx, place, path);
}

int env_mkdir(struct env *env, const char *place, const char *path)
{
    env_follow(env, &place, &path);
    return env->files->mkdir(env->files_ctx, place, path);
}

int env_list(struct env *env, const char *place, const char *path, struct buf *entries)
{
    env_follow(env, &place, &path);
    return env->files->list(env->files_ctx, place, path, entries);
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
