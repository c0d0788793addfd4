/* Names in env.h: who lives in a place, and what a host's name leads to. */
#include <string.h>

#include "fakes/env.h"

struct inhabitant {
    const char *place, *name;
    struct inhabitant *next;
};

static struct inhabitant *inhabitant_of(const struct env *env, const char *place)
{
    struct inhabitant *one = *env_slot((struct env *)(uintptr_t)env, "inhabitants");
    while (one && strcmp(one->place, place) != 0)
        one = one->next;
    return one;
}

void env_name_place(struct env *env, const char *place, const char *name)
{
    struct inhabitant *one = inhabitant_of(env, place);
    if (!one) {
        void **slot = env_slot(env, "inhabitants");
        one = ARENA_NEW(&env->arena, struct inhabitant);
        one->place = arena_strdup(&env->arena, place);
        one->next = *slot;
        *slot = one;
    }
    one->name = arena_strdup(&env->arena, name);
}

const char *env_place_name(const struct env *env, const char *place)
{
    const struct inhabitant *one = inhabitant_of(env, place);
    return one ? one->name : place;
}

bool env_place_is(const struct env *env, const char *place, const char *name)
{
    return strcmp(env_place_name(env, place), name) == 0;
}

struct resolver {
    env_resolve_fn *resolve;
    void *ctx;
};

void env_on_resolve(struct env *env, env_resolve_fn *resolve, void *ctx)
{
    struct resolver *resolver = ARENA_NEW(&env->arena, struct resolver);
    *resolver = (struct resolver){resolve, ctx};
    *env_slot(env, "resolver") = resolver;
}

enum env_answer env_resolve(struct env *env, const char *place, const char *host, int port,
                            struct env_target *ret)
{
    const struct resolver *resolver = *env_slot(env, "resolver");
    *ret = (struct env_target){0};
    return resolver ? resolver->resolve(env, place, host, port, ret, resolver->ctx) : ENV_ELSEWHERE;
}
