/* The bad change: deployments, migrations and settings at their instants. */
#include "sim/world/parts.h"

#include <assert.h>
#include <stdlib.h>

static void take_effect(struct world *world)
{
    int64_t *change = &world->record->instants[T_CHANGE];
    if (*change == NEVER)
        *change = world->now_ns;
}

static void migrate(struct world *world, const struct model_pair *pair)
{
    int64_t schema = 0;
    struct store *store = world_store(world, pair->name);
    bool number = str_int64(str_of(pair->value), &schema);
    assert(store && number);
    record_change(world->record, pair->name, "migration to schema %lld", (long long)schema);
    if (world->on_migrate.call)
        world->on_migrate.call(world, store, schema, world->on_migrate.ctx);
    store_set_schema(store, schema);
}

static void strike(struct world *world, void *ctx)
{
    const struct model_change *change = ctx;
    take_effect(world);
    for (int i = 0; i < change->n_sets; i++) {
        record_event(world->record, EVENT_CHANGE, change->sets[i].key, "set to %s",
                     change->sets[i].value ? change->sets[i].value : "nothing");
        world_set(world, change->sets[i].key, change->sets[i].value);
    }
    for (int i = 0; i < change->n_migrates; i++) {
        record_event(world->record, EVENT_CHANGE, change->migrates[i].name, "migrated to schema %s",
                     change->migrates[i].value);
        migrate(world, &change->migrates[i]);
    }
    for (int i = 0; i < change->n_deploys; i++) {
        record_event(world->record, EVENT_CHANGE, change->deploys[i].name, "version %s deployed",
                     change->deploys[i].value);
        struct service *service = world_service(world, change->deploys[i].name);
        if (change->canary > 0)
            service_canary(service, change->deploys[i].value, change->canary);
        else
            service_deploy(service, change->deploys[i].value);
    }
    if (change->run)
        world_touch_outside(world); /* whoever drives the run has to run it now */
}

void changes_init(struct world *world)
{
    const struct model *model = world->model;
    world->planned_change_ns = INT64_MAX;
    for (int i = 0; i < model->n_changes; i++) {
        int64_t at_ns = model->changes[i].at_ns;
        if (at_ns < world->planned_change_ns)
            world->planned_change_ns = at_ns;
        world_schedule(world, at_ns, PRIORITY_CHANGE, strike,
                       (void *)(uintptr_t)&model->changes[i]);
    }
    for (int i = 0; i < model->n_faults && model->n_changes == 0; i++)
        if (model->faults[i].kind != FAULT_COMMAND && !model->faults[i].at_step &&
            model->faults[i].at_ns < world->planned_change_ns)
            world->planned_change_ns = model->faults[i].at_ns;
    if (world->planned_change_ns == INT64_MAX)
        world->planned_change_ns = 0;
}

/* Where nothing is changed on purpose, the first fault is the change. */
void change_by_fault(struct world *world)
{
    if (world->model->n_changes == 0)
        take_effect(world);
}
