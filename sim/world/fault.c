/* Faults: what breaks, when, and for how long. */
#include "sim/world/parts.h"

#include <assert.h>
#include <fnmatch.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sim/base/xalloc.h"

const char *const fault_kind_names[FAULT_KINDS] = {
    [FAULT_CORRUPT] = "corrupt",   [FAULT_SLOW] = "slow",           [FAULT_CUT] = "cut",
    [FAULT_ERRORS] = "errors",     [FAULT_CRASH] = "crash",         [FAULT_LEAK] = "leak",
    [FAULT_OVERLOAD] = "overload", [FAULT_DISK_FULL] = "disk_full", [FAULT_REGION] = "region",
    [FAULT_SET] = "set",           [FAULT_BACKUP] = "backup",       [FAULT_EVENT] = "event",
    [FAULT_COMMAND] = "command",   [FAULT_DEPLOY] = "deploy",       [FAULT_BLIND] = "blind",
};
const char *const damage_names[] = {
    [DAMAGE_NONE] = "none",   [DAMAGE_CORRUPT] = "corrupt", [DAMAGE_TRUNCATED] = "truncated",
    [DAMAGE_EMPTY] = "empty", [DAMAGE_MISSING] = "missing", NULL,
};
const char *const command_how_names[] = {
    [COMMAND_FINE] = "fine",
    [COMMAND_FAIL] = "fail",
    [COMMAND_HANG] = "hang",
    [COMMAND_SLOW] = "slow",
    [COMMAND_LIE] = "lie",
    [COMMAND_LOSE_REPLY] = "lose_reply",
    NULL,
};

#define CRASH_AGAIN_NS (10 * SECOND)

static bool is_active(const struct fault *fault, enum fault_kind kind)
{
    return fault->active && fault->model->kind == kind;
}

static bool targets(const struct fault *fault, const char *name)
{
    return fault->model->target && strcmp(fault->model->target, name) == 0;
}

static bool is_there(const struct fault *fault, const char *region)
{
    return !fault->model->region || (region && strcmp(fault->model->region, region) == 0);
}

/* Whether that fault is about this service: by its name, as one of all, as one of a region. */
static bool is_about(const struct fault *fault, const struct model_service *service)
{
    return (!fault->model->target || targets(fault, service->name)) &&
           is_there(fault, service->region);
}

bool service_cut_from(const struct service *to, const struct service *from)
{
    const struct world *world = to->world;
    if (to->cut || to->region_down)
        return true;
    if (!world->n_partial_cuts)
        return false;
    for (int i = 0; i < world->n_faults; i++) {
        const struct fault *fault = &world->faults[i];
        if (is_active(fault, FAULT_CUT) && fault->model->from && is_about(fault, to->model) &&
            strcmp(fault->model->from, from->model->name) == 0)
            return true;
    }
    return false;
}

bool region_is_down(const struct world *world, const char *region)
{
    for (int i = 0; region && i < world->n_faults; i++)
        if (is_active(&world->faults[i], FAULT_REGION) && targets(&world->faults[i], region))
            return true;
    return false;
}

bool world_disk_full(const struct world *world, const char *host)
{
    for (int i = 0; i < world->n_faults; i++)
        if (is_active(&world->faults[i], FAULT_DISK_FULL) && targets(&world->faults[i], host))
            return true;
    return false;
}

bool metrics_are_blind(const struct world *world, const struct service *service)
{
    for (int i = 0; i < world->n_faults; i++) {
        const struct fault *fault = &world->faults[i];
        if (!is_active(fault, FAULT_BLIND))
            continue;
        if (service ? is_about(fault, service->model)
                    : !fault->model->target && !fault->model->region)
            return true;
    }
    return false;
}

enum damage fault_backup_damage(struct world *world, const char *name)
{
    for (int i = 0; i < world->n_faults; i++)
        if (is_active(&world->faults[i], FAULT_BACKUP) && targets(&world->faults[i], name))
            return world->faults[i].model->damage;
    return DAMAGE_NONE;
}

/* ---- what the active faults together do to each service and source ---- */

static void apply_to_service(struct service *service)
{
    const struct world *world = service->world;
    service->slow_factor = 1;
    service->added_s = service->error_ratio = service->leak_per_s = 0;
    service->cut = 0;
    service->region_down = region_is_down(world, service->model->region);
    for (int i = 0; i < world->n_faults; i++) {
        const struct fault *fault = &world->faults[i];
        const struct model_fault *model = fault->model;
        if (!fault->active || !is_about(fault, service->model))
            continue;
        if (model->kind == FAULT_SLOW) {
            service->slow_factor *= model->factor > 0 ? model->factor : 1;
            service->added_s += (double)model->add_ns * 1e-9;
        } else if (model->kind == FAULT_ERRORS) {
            service->error_ratio = 1 - (1 - service->error_ratio) * (1 - model->ratio);
        } else if (model->kind == FAULT_LEAK) {
            service->leak_per_s += model->bytes_per_s;
        } else if (model->kind == FAULT_CUT && !model->from) {
            service->cut++;
        }
    }
}

static void apply_to_source(struct world *world, struct source *source)
{
    source->factor = 1;
    source->region_down = region_is_down(world, source->model->region);
    for (int i = 0; i < world->n_faults; i++) {
        const struct fault *fault = &world->faults[i];
        if (is_active(fault, FAULT_OVERLOAD) &&
            (!fault->model->target || targets(fault, source->model->name)) &&
            is_there(fault, source->model->region))
            source->factor *= fault->model->factor;
    }
}

static void apply_all(struct world *world)
{
    world->n_partial_cuts = 0;
    for (int i = 0; i < world->n_faults; i++)
        world->n_partial_cuts +=
            is_active(&world->faults[i], FAULT_CUT) && world->faults[i].model->from;
    for (int i = 0; i < world->n_services; i++)
        apply_to_service(&world->services[i]);
    for (int i = 0; i < world->n_sources; i++)
        apply_to_source(world, &world->sources[i]);
    for (int i = 0; i < world->n_stores; i++)
        world->stores[i].disk_full = world_disk_full(world, world->stores[i].model->name);
    services_reconsider(world);
}

/* ---- striking and ending ---- */

static void crash_instances(struct world *world, const struct fault *fault)
{
    double ratio = fault->model->ratio > 0 ? fault->model->ratio : 1;
    for (int s = 0; s < world->n_services; s++) {
        struct service *service = &world->services[s];
        if (!is_about(fault, service->model))
            continue;
        int due = (int)(service->n_instances * ratio + 0.999999);
        for (int i = 0; i < service->n_instances && i < due; i++)
            if (service->instances[i]->state != INSTANCE_STOPPED)
                instance_crash(service->instances[i], 1, "crashed");
    }
}

static void crash_again(struct world *world, void *ctx)
{
    struct fault *fault = ctx;
    if (!fault->active)
        return;
    crash_instances(world, fault);
    world_schedule(world, world->now_ns + CRASH_AGAIN_NS, PRIORITY_FAULT, crash_again, fault);
}

static void set_setting(struct world *world, struct fault *fault)
{
    const char *before = world_setting(world, fault->model->target);
    free(fault->before);
    fault->before = before ? xstrdup(before) : NULL;
    world_set(world, fault->model->target, fault->model->value);
}

static void say(struct world *world, const struct model_fault *model)
{
    const char *subject = model->target   ? model->target
                          : model->region ? model->region
                                          : "everything";
    const char *kind = fault_kind_names[model->kind];
    switch (model->kind) {
    case FAULT_CORRUPT:
        record_event(world->record, EVENT_FAULT, subject, "%g%% of the records of %s are damaged",
                     model->ratio * 100, model->table);
        return;
    case FAULT_SLOW:
        record_event(world->record, EVENT_FAULT, subject, "slow: %g times, %g ms more",
                     model->factor > 0 ? model->factor : 1, (double)model->add_ns * 1e-6);
        return;
    case FAULT_CUT:
        record_event(world->record, EVENT_FAULT, subject, "cut off from %s",
                     model->from ? model->from : "everybody");
        return;
    case FAULT_ERRORS:
        record_event(world->record, EVENT_FAULT, subject, "answers %g%% with errors",
                     model->ratio * 100);
        return;
    case FAULT_OVERLOAD:
        record_event(world->record, EVENT_FAULT, subject, "%g times the traffic", model->factor);
        return;
    case FAULT_BACKUP:
        record_event(world->record, EVENT_FAULT, subject, "backups are %s",
                     damage_names[model->damage]);
        return;
    default:
        record_event(world->record, EVENT_FAULT, subject, "%s%s%s", kind, model->value ? " " : "",
                     model->value ? model->value : "");
    }
}

static void end(struct world *world, void *ctx)
{
    struct fault *fault = ctx;
    if (!fault->active)
        return;
    fault->active = false;
    fault->ended = true;
    if (fault->model->kind == FAULT_COMMAND)
        return;
    const char *subject = fault->model->target   ? fault->model->target
                          : fault->model->region ? fault->model->region
                                                 : fault_kind_names[fault->model->kind];
    record_event(world->record, EVENT_FAULT, subject, "%s has ended",
                 fault_kind_names[fault->model->kind]);
    if (fault->model->kind == FAULT_SET)
        world_set(world, fault->model->target, fault->before);
    apply_all(world);
}

static void strike(struct world *world, void *ctx)
{
    struct fault *fault = ctx;
    const struct model_fault *model = fault->model;
    if (fault->active || fault->ended)
        return;
    if (model->probability > 0 && model->probability < 1 && model->kind != FAULT_COMMAND &&
        stream_uniform(&fault->stream) >= model->probability) {
        fault->ended = true;
        return;
    }
    fault->active = true;
    if (model->for_ns)
        world_schedule(world, world->now_ns + model->for_ns, PRIORITY_FAULT, end, fault);
    if (model->kind == FAULT_COMMAND)
        return; /* it is told when a command meets it */
    change_by_fault(world);
    say(world, model);
    world_mark(world, fault_kind_names[model->kind], 1);
    if (model->kind == FAULT_CORRUPT)
        store_corrupt(world_store(world, model->target), model->table, model->ratio,
                      arena_printf(&world->arena, "fault: %g%% of %s damaged", model->ratio * 100,
                                   model->table));
    else if (model->kind == FAULT_CRASH && model->for_ns)
        crash_again(world, fault);
    else if (model->kind == FAULT_CRASH)
        crash_instances(world, fault);
    else if (model->kind == FAULT_SET)
        set_setting(world, fault);
    else if (model->kind == FAULT_EVENT)
        world_declare(world, model->target, model->value);
    else if (model->kind == FAULT_DEPLOY)
        service_deploy(world_service(world, model->target), model->value);
    else if (model->kind == FAULT_BACKUP && model->existing)
        backups_damage(world, model->target, model->damage);
    apply_all(world);
}

void world_step(struct world *world, int step)
{
    for (int i = 0; i < world->n_faults; i++)
        if (world->faults[i].model->at_step == step && step > 0)
            strike(world, &world->faults[i]);
}

void faults_init(struct world *world)
{
    const struct model *model = world->model;
    world->n_faults = model->n_faults;
    world->faults = xcalloc((size_t)model->n_faults, sizeof *world->faults);
    for (int i = 0; i < model->n_faults; i++) {
        struct fault *fault = &world->faults[i];
        fault->model = &model->faults[i];
        stream_init(&fault->stream, world->seed, 0, arena_printf(&world->arena, "fault %d", i),
                    "chance");
        if (!fault->model->at_step)
            world_schedule(world, fault->model->at_ns, PRIORITY_FAULT, strike, fault);
    }
}

/* A fault that waited in vain is told: a pattern that fits nothing, or a step that never came,
 * would look like a strong drill. */
void faults_finish(struct world *world)
{
    for (int i = 0; i < world->n_faults; i++) {
        const struct fault *fault = &world->faults[i];
        const struct model_fault *model = fault->model;
        if (!fault->active && !fault->ended && model->at_step)
            record_event(world->record, EVENT_FAULT, fault_kind_names[model->kind],
                         "never struck: step %d was not reached", model->at_step);
        else if (model->kind == FAULT_COMMAND && !fault->met)
            record_event(world->record, EVENT_FAULT, fault_kind_names[model->kind],
                         "never struck: no command was '%s'", model->pattern);
    }
}

void faults_release(struct world *world)
{
    for (int i = 0; i < world->n_faults; i++)
        free(world->faults[i].before);
    free(world->faults);
}

/* ---- commands ---- */

struct command_fault world_command_fault(struct world *world, const char *command_line)
{
    for (int i = 0; i < world->n_faults; i++) {
        struct fault *fault = &world->faults[i];
        const struct model_fault *model = fault->model;
        if (!is_active(fault, FAULT_COMMAND) || (model->times && fault->times >= model->times))
            continue;
        if (fnmatch(model->pattern, command_line, 0) != 0)
            continue;
        fault->met = true;
        if (model->probability > 0 && model->probability < 1 &&
            stream_uniform(&fault->stream) >= model->probability)
            continue;
        fault->times++;
        record_event(world->record, EVENT_FAULT, command_how_names[model->how], "%s", command_line);
        world_mark(world, command_line, (uint64_t)model->how);
        return (struct command_fault){
            .how = (int)model->how,
            .exit_status = model->exit_status ? model->exit_status : 1,
            .delay_ns = model->add_ns,
            .message = model->message,
        };
    }
    return (struct command_fault){0};
}
