/* Judgement: when the system was good, and the instants that follow from it. */
#include "sim/world/parts.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sim/base/xalloc.h"

#define SERIES_EVERY_NS (10 * SECOND)
#define SERIES_STEP     0.002 /* a change of the indicator that is recorded at once */

void judge_init(struct world *world)
{
    world->judge = (struct judge){.stale = true, .due = true, .in_target = true, .ratio = 1};
    world->indicator_series = record_series(world->record, "indicator", "", "ratio");
}

/* ---- the good state ---- */

static int running_with_version(const struct service *service, const char *version, int *ret_other)
{
    int with = 0;
    *ret_other = 0;
    for (int i = 0; i < service->n_instances; i++) {
        const struct instance *instance = service->instances[i];
        if (instance->state == INSTANCE_STOPPED)
            continue;
        if (strcmp(instance_version(instance), version) == 0)
            with++;
        else
            (*ret_other)++;
    }
    return with;
}

static bool all_started_with(const struct service *service, const struct model_good *good)
{
    int running = 0;
    for (int i = 0; i < service->n_instances; i++) {
        if (service->instances[i]->state == INSTANCE_STOPPED)
            continue;
        running++;
        if (!instance_started_with(service->instances[i], good->key, good->value))
            return false;
    }
    return running > 0;
}

static bool holds(struct world *world, const struct model_good *good)
{
    int other;
    switch (good->kind) {
    case GOOD_VERSION:
        return running_with_version(world_service(world, good->subject), good->value, &other) > 0 &&
               other == 0;
    case GOOD_REPLICAS:
        return service_ready(world_service(world, good->subject)) >= good->number;
    case GOOD_SCHEMA:
        return world_store(world, good->subject)->schema == good->number;
    case GOOD_SERVING:
        return store_in_service(world_store(world, good->subject));
    case GOOD_SETTING: {
        const char *value = world_setting(world, good->subject);
        return value && strcmp(value, good->value) == 0;
    }
    case GOOD_STARTED:
        return all_started_with(world_service(world, good->subject), good);
    }
    return false;
}

static const char *good_name(const struct model_good *good)
{
    static const char *const names[] = {
        [GOOD_VERSION] = "version", [GOOD_REPLICAS] = "ready replicas",
        [GOOD_SCHEMA] = "schema",   [GOOD_SERVING] = "in service",
        [GOOD_SETTING] = "setting", [GOOD_STARTED] = "setting",
    };
    return names[good->kind];
}

/* The first wish that does not hold, or NULL. */
static const struct model_good *first_missing(struct world *world)
{
    for (int i = 0; i < world->model->n_good; i++)
        if (!holds(world, &world->model->good[i]))
            return &world->model->good[i];
    return NULL;
}

void judge_state_changed(struct world *world)
{
    world->judge.stale = world->judge.due = true;
    world->judge.state_changed_ns = world->now_ns;
}

static void look_at_state(struct world *world)
{
    struct judge *judge = &world->judge;
    if (!judge->stale)
        return;
    judge->stale = false;
    const struct model_good *missing = first_missing(world);
    bool good = !missing;
    if (good == judge->good_state)
        return;
    judge->good_state = good;
    judge->good_since_ns = judge->state_changed_ns;
    world_mark(world, "good state", good);
    if (world->record->instants[T_CHANGE] == NEVER)
        return;
    if (good)
        record_event(world->record, EVENT_WORLD, "system", "the good state is reached");
    else
        record_event(world->record, EVENT_WORLD, "system", "the good state is left: %s of %s",
                     good_name(missing), missing->subject);
}

/* ---- instants ---- */

static int64_t later(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

static void follow_instants(struct world *world)
{
    struct judge *judge = &world->judge;
    int64_t *instants = world->record->instants;
    if (instants[T_CHANGE] == NEVER || instants[T_DECIDE] == NEVER)
        return;
    if (!judge->good_state || !judge->in_target)
        return;
    int64_t since_ns =
        later(later(judge->good_since_ns, judge->target_since_ns), instants[T_DECIDE]);
    if (instants[T_RESTORE] == NEVER) {
        instants[T_RESTORE] = since_ns;
        record_event(world->record, EVENT_WORLD, "system",
                     "restored: good state and indicator hold");
    }
    if (instants[T_STABLE] == NEVER && world->now_ns - since_ns >= world->model->stable_window_ns) {
        instants[T_STABLE] = since_ns + world->model->stable_window_ns;
        record_event(world->record, EVENT_WORLD, "system", "stable");
    }
}

void judge(struct world *world)
{
    if (!world->started)
        return;
    world->judge.due = false;
    look_at_state(world);
    follow_instants(world);
}

static void add_sample(struct world *world, double ratio)
{
    struct judge *judge = &world->judge;
    double moved = ratio - judge->sampled;
    if (judge->samples && (moved < 0 ? -moved : moved) < SERIES_STEP &&
        world->now_ns - judge->sampled_ns < SERIES_EVERY_NS)
        return;
    series_add(world->indicator_series, world->now_ns, ratio);
    judge->samples++;
    judge->sampled = ratio;
    judge->sampled_ns = world->now_ns;
}

/* `ratio` is that of the second that ends now, and of so many requests. */
void judge_indicator(struct world *world, double ratio, double requests)
{
    struct judge *judge = &world->judge;
    const struct model_indicator *wanted = &world->model->indicator;
    int64_t *instants = world->record->instants, second_ns = world->now_ns - TICK_NS;
    bool in_target = ratio >= wanted->target;
    add_sample(world, ratio);
    judge->due = true;
    judge->ratio = ratio;
    judge->down = ratio < wanted->down_below;
    if (in_target != judge->in_target) {
        judge->in_target = in_target;
        judge->target_since_ns = second_ns;
        world_mark(world, "indicator", in_target);
        record_event(world->record, EVENT_WORLD, "indicator", "%s its target: %.2f%%",
                     in_target ? "back over" : "under", ratio * 100);
    }
    if (instants[T_CHANGE] == NEVER)
        return;
    if (judge->down)
        world->record->downtime_ns += TICK_NS;
    world->record->requests += requests;
    world->record->requests_bad += requests * (1 - ratio);
    if (!in_target && instants[T_IMPACT] == NEVER) {
        instants[T_IMPACT] = later(second_ns, instants[T_CHANGE]);
        operator_impact(world);
    }
    /* until it is stable, a relapse takes the mitigation back */
    if (instants[T_IMPACT] != NEVER && instants[T_STABLE] == NEVER) {
        if (!in_target)
            instants[T_MITIGATE] = NEVER;
        else if (instants[T_MITIGATE] == NEVER)
            instants[T_MITIGATE] = later(second_ns, instants[T_IMPACT]);
    }
}

/* ---- what drives a run asks ---- */

bool world_decided(const struct world *world)
{
    return world->record->instants[T_DECIDE] != NEVER;
}

int64_t world_stable_since(const struct world *world)
{
    const struct judge *judge = &world->judge;
    if (judge->stale || !judge->good_state || !judge->in_target)
        return NEVER; /* what has just changed is judged at the next event, a second away at most */
    return later(judge->good_since_ns, judge->target_since_ns);
}

int64_t world_horizon(const struct world *world)
{
    int64_t change_ns = world->record->instants[T_CHANGE];
    if (change_ns == NEVER)
        change_ns = world->planned_change_ns;
    return change_ns + world->model->horizon_ns;
}

bool world_over(const struct world *world)
{
    return world->record->instants[T_STABLE] != NEVER || world->now_ns >= world_horizon(world);
}

/* ---- the end ---- */

static void add_end_state(struct record *record, const char *subject, const char *property,
                          const char *value, const char *wanted, bool good)
{
    XGROW(record->end_states, record->n_end_states, record->cap_end_states);
    record->end_states[record->n_end_states++] = (struct end_state){
        .subject = arena_strdup(&record->arena, subject),
        .property = property,
        .value = arena_strdup(&record->arena, value),
        .wanted = wanted ? arena_strdup(&record->arena, wanted) : NULL,
        .good = good,
    };
}

static const struct model_good *wish(const struct world *world, enum good_kind kind,
                                     const char *subject)
{
    for (int i = 0; i < world->model->n_good; i++)
        if (world->model->good[i].kind == kind &&
            strcmp(world->model->good[i].subject, subject) == 0)
            return &world->model->good[i];
    return NULL;
}

/* The versions that run, each once: "v1.2.2" or "v1.2.2, v1.2.3"; "none". */
static const char *versions_running(struct arena *arena, const struct service *service)
{
    const char *text = "";
    for (int v = 0; v < service->model->n_versions; v++) {
        int other;
        const char *name = service->model->versions[v].name;
        if (service->model->versions[v].n_when)
            continue; /* stands under the plain version of its name */
        if (running_with_version(service, name, &other) > 0)
            text = *text ? arena_printf(arena, "%s, %s", text, name) : name;
    }
    return *text ? text : "none";
}

/* What the first instance that is not ready says of itself. */
static const char *why_not_ready(struct record *record, const struct service *service)
{
    for (int i = 0; i < service->n_instances; i++) {
        const struct instance *instance = service->instances[i];
        if (instance->state != INSTANCE_READY && *instance_why(instance))
            return arena_printf(&record->arena, "%s: %s", instance_name(instance),
                                instance_why(instance));
    }
    return service->n_instances ? NULL : "there is no instance of it";
}

static void end_of_service(struct world *world, const struct service *service)
{
    struct record *record = world->record;
    const char *name = service->model->name;
    const struct model_good *version = wish(world, GOOD_VERSION, name);
    const struct model_good *replicas = wish(world, GOOD_REPLICAS, name);
    add_end_state(record, name, "version", versions_running(&record->arena, service),
                  version ? version->value : NULL, !version || holds(world, version));
    const char *ready = arena_printf(&record->arena, "%d", service_ready(service));
    const char *wanted =
        replicas ? arena_printf(&record->arena, "%lld", (long long)replicas->number) : NULL;
    bool good = !replicas || holds(world, replicas);
    add_end_state(record, name, "ready replicas", ready, wanted, good);
    if (!good)
        record->end_states[record->n_end_states - 1].why = why_not_ready(record, service);
}

/* What the running instances were started with, each value once: "true", or "false, true"; "none"
 * runs. */
static const char *values_started_with(struct arena *arena, const struct service *service,
                                       const char *key)
{
    const char *text = "", *last = NULL;
    for (int i = 0; i < service->n_instances; i++) {
        const struct instance *instance = service->instances[i];
        const char *value = settings_get(&instance->frozen, key);
        if (instance->state == INSTANCE_STOPPED)
            continue;
        value = value ? value : "not set";
        if (!last || strcmp(last, value) != 0)
            text = *text ? arena_printf(arena, "%s, %s", text, value) : value;
        last = value;
    }
    return *text ? text : "none";
}

static void end_of_store(struct world *world, const struct store *store)
{
    struct record *record = world->record;
    const char *name = store->model->name;
    const struct model_good *schema = wish(world, GOOD_SCHEMA, name);
    const struct model_good *serving = wish(world, GOOD_SERVING, name);
    const char *value = arena_printf(&record->arena, "%lld", (long long)store->schema);
    const char *wanted =
        schema ? arena_printf(&record->arena, "%lld", (long long)schema->number) : NULL;
    if (schema || store->model->schema)
        add_end_state(record, name, "schema", value, wanted, !schema || holds(world, schema));
    add_end_state(record, name, "in service", store_in_service(store) ? "yes" : "no",
                  serving ? "yes" : NULL, !serving || holds(world, serving));
}

void judge_finish(struct world *world)
{
    judge(world);
    for (int i = 0; i < world->n_services; i++)
        end_of_service(world, &world->services[i]);
    for (int i = 0; i < world->n_stores; i++)
        end_of_store(world, &world->stores[i]);
    for (int i = 0; i < world->model->n_good; i++) {
        const struct model_good *good = &world->model->good[i];
        const char *value = good->kind == GOOD_SETTING ? world_setting(world, good->subject) : NULL;
        struct arena *arena = &world->record->arena;
        if (good->kind == GOOD_STARTED)
            add_end_state(
                world->record, good->subject, arena_strdup(arena, good->key),
                values_started_with(arena, world_service(world, good->subject), good->key),
                good->value, holds(world, good));
        if (good->kind == GOOD_SETTING)
            add_end_state(world->record, good->subject, "setting", value ? value : "not set",
                          good->value, holds(world, good));
    }
    double requests = 0;
    for (int i = 0; i < world->n_sources; i++)
        requests += world->sources[i].requests_total;
    world->record->indicator_unseen = requests <= 0;
}
