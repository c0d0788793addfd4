/* Instances: what starts, becomes ready, fails, crashes and stops. */
#include "sim/world/parts.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sim/base/xalloc.h"

enum {
    EXIT_ERROR = 1,
    EXIT_KILLED = 137, /* 128 + SIGKILL */
};
#define RESTART_FIRST_NS (5 * SECOND)
#define RESTART_LAST_NS  (5 * MINUTE)
#define RESTART_RESET_NS (10 * MINUTE) /* after so long without a crash the pauses begin anew */
#define LOG_PAUSE_NS     (1 * SECOND)

const struct model_version *instance_model(const struct instance *instance)
{
    return &instance->service->model->versions[instance->version];
}

static int version_index(const struct service *service, const char *version)
{
    for (int i = 0; i < service->model->n_versions; i++)
        if (strcmp(service->model->versions[i].name, version) == 0)
            return i;
    return -1;
}

bool service_has_version(const struct service *service, const char *version)
{
    return version_index(service, version) >= 0;
}

/* Its own settings, frozen at its start, go before the world's. */
static const char *setting_of(const struct instance *instance, const char *key)
{
    const char *own = settings_get(&instance->frozen, key);
    return own ? own : world_setting(instance->service->world, key);
}

/* How a version behaves may depend on settings: the first entry of its name whose `when` holds,
 * else the plain one. */
static int version_as_set(const struct instance *instance, int index)
{
    const struct model_service *model = instance->service->model;
    const char *name = model->versions[index].name;
    for (int i = 0; i < model->n_versions; i++) {
        const struct model_version *version = &model->versions[i];
        bool holds = version->n_when > 0 && strcmp(version->name, name) == 0;
        for (int k = 0; holds && k < version->n_when; k++) {
            const char *has = setting_of(instance, version->when[k].key);
            holds = has && strcmp(has, version->when[k].value) == 0;
        }
        if (holds)
            return i;
    }
    return version_index(instance->service, name);
}

const char *instance_setting(const struct instance *instance, const char *key)
{
    return settings_get(&instance->frozen, key);
}

bool instance_started_with(const struct instance *instance, const char *key, const char *value)
{
    const char *has = instance_setting(instance, key);
    return has && strcmp(has, value) == 0;
}

/* ---- telling others ---- */

void instance_log(struct instance *instance, bool is_error, const char *format, ...)
{
    struct world *world = instance->service->world;
    if (!world->started)
        return;
    char line[400];
    va_list args;
    va_start(args, format);
    vsnprintf(line, sizeof line, format, args);
    va_end(args);
    instance->logged_ns = world->now_ns;
    for (int i = 0; i < world->n_log_watchers; i++)
        world->log_watchers[i].call(instance, line, is_error, world->log_watchers[i].ctx);
}

static void become(struct instance *instance, enum instance_state state, const char *why)
{
    struct world *world = instance->service->world;
    enum instance_state before = instance->state;
    snprintf(instance->why, sizeof instance->why, "%s", why);
    instance->state = state;
    if (before == state)
        return;
    world->flow_stale = true;
    judge_state_changed(world);
    if (!world->started)
        return;
    world_mark(world, instance->name, (uint64_t)state);
    for (int i = 0; i < world->n_instance_watchers; i++)
        world->instance_watchers[i].call(instance, before, world->instance_watchers[i].ctx);
}

/* ---- needs ---- */

static bool schema_unmet(struct world *world, const struct model_need *need, char *why, size_t size)
{
    const struct store *store = world_store(world, need->subject);
    int64_t has = store ? store->schema : 0;
    if (store && (need->at_least ? has >= need->schema : has == need->schema))
        return false;
    snprintf(why, size, "schema %lld%s needed, %s has %lld", (long long)need->schema,
             need->at_least ? " or later" : "", need->subject, (long long)has);
    return true;
}

static bool setting_unmet(const struct instance *instance, const struct model_need *need, char *why,
                          size_t size)
{
    const char *has = setting_of(instance, need->subject);
    if (has && strcmp(has, need->value) == 0)
        return false;
    snprintf(why, size, "%s must be %s, is %s", need->subject, need->value, has ? has : "not set");
    return true;
}

static bool any_unmet(const struct instance *instance, char *why, size_t size)
{
    struct world *world = instance->service->world;
    const struct model_version *version = instance_model(instance);
    for (int i = 0; i < version->n_needs; i++) {
        const struct model_need *need = &version->needs[i];
        if (need->kind == NEED_SCHEMA && schema_unmet(world, need, why, size))
            return true;
        if (need->kind == NEED_SETTING && setting_unmet(instance, need, why, size))
            return true;
        if (need->kind == NEED_UP) {
            const struct service *up = world_service(world, need->subject);
            if (!up || service_ready(up) == 0 || service_cut_from(up, instance->service)) {
                snprintf(why, size, "%s is not there", need->subject);
                return true;
            }
        }
    }
    return false;
}

bool instance_unmet(const struct instance *instance, char *why, size_t size)
{
    const char *says = instance_model(instance)->says;
    if (!any_unmet(instance, why, size))
        return false;
    if (says)
        snprintf(why, size, "%s", says);
    return true;
}

static bool reconsider(struct instance *instance)
{
    if (instance->state != INSTANCE_READY && instance->state != INSTANCE_FAILING)
        return false;
    instance->version = version_as_set(instance, instance->version);
    char why[sizeof instance->why] = "";
    enum instance_state state =
        instance_unmet(instance, why, sizeof why) ? INSTANCE_FAILING : INSTANCE_READY;
    if (state == instance->state) {
        memcpy(instance->why, why, sizeof why); /* it may be failing for another reason by now */
        return false;
    }
    become(instance, state, why);
    struct world *world = instance->service->world;
    if (world->started) {
        record_event(world->record, EVENT_WORLD, instance->name, "%s%s%s",
                     state == INSTANCE_READY ? "healthy again" : "failing", *why ? ": " : "", why);
        instance_log(instance, state == INSTANCE_FAILING, "%s",
                     state == INSTANCE_READY ? "INFO recovered" : why);
    }
    return true;
}

void services_reconsider(struct world *world)
{
    world->flow_stale = true;
    if (world->reconsidering)
        return; /* the loop below is running further up and sees this change too */
    world->reconsidering = true;
    bool changed = true;
    /* needs for each other settle in at most as many rounds as there are services */
    for (int round = 0; changed && round <= world->n_services; round++) {
        changed = false;
        for (int i = 0; i < world->n_services; i++)
            for (int j = 0; j < world->services[i].n_instances; j++)
                changed |= reconsider(world->services[i].instances[j]);
    }
    world->reconsidering = false;
}

/* ---- life ---- */

static void set_exit(struct instance *instance, int exit_code)
{
    struct world *world = instance->service->world;
    if (instance->pending)
        world_cancel(world, instance->pending);
    if (instance->doom)
        world_cancel(world, instance->doom);
    instance->pending = instance->doom = 0;
    instance->exit_code = exit_code;
}

static void restart_own(struct world *world, void *ctx)
{
    struct instance *instance = ctx;
    (void)world;
    instance->pending = 0;
    instance->restarts++;
    instance_start(instance);
}

void instance_crash(struct instance *instance, int exit_code, const char *why)
{
    struct world *world = instance->service->world;
    if (instance->state == INSTANCE_STOPPED)
        return;
    char copy[sizeof instance->why]; /* `why` may be the instance's own */
    snprintf(copy, sizeof copy, "%s", why);
    set_exit(instance, exit_code);
    requests_died(instance->service, instance->version);
    if (world->now_ns - instance->started_ns >= RESTART_RESET_NS)
        instance->restarts = 0;
    instance->crashed = true;
    instance_log(instance, true, "FATAL %s", copy);
    record_event(world->record, EVENT_WORLD, instance->name, "ended with exit code %d: %s",
                 exit_code, copy);
    become(instance, INSTANCE_STOPPED, copy);
    services_reconsider(world);
    if (instance->own && instance->state == INSTANCE_STOPPED) {
        int64_t pause_ns = RESTART_FIRST_NS;
        for (int i = 0; i < instance->restarts && pause_ns < RESTART_LAST_NS; i++)
            pause_ns *= 2;
        if (pause_ns > RESTART_LAST_NS)
            pause_ns = RESTART_LAST_NS;
        instance->pending = world_schedule(world, world->now_ns + pause_ns, PRIORITY_INSTANCE,
                                           restart_own, instance);
    }
}

/* It crashes by itself, sooner or later: times between crashes are exponential. */
static void crash_by_itself(struct world *world, void *ctx)
{
    struct instance *instance = ctx;
    (void)world;
    instance->doom = 0;
    if (instance->state == INSTANCE_READY || instance->state == INSTANCE_FAILING)
        instance_crash(instance, EXIT_ERROR, "crashed");
}

static void draw_doom(struct instance *instance)
{
    struct world *world = instance->service->world;
    const struct model_version *version = instance_model(instance);
    if (instance->doom)
        world_cancel(world, instance->doom);
    instance->doom = 0;
    if (!version->crashes_ns)
        return;
    struct stream *stream = world_stream(world, instance->name, "crashes");
    double wait_ns = stream_exponential(stream, (double)version->crashes_ns);
    if (wait_ns < 1e18)
        instance->doom = world_schedule(world, world->now_ns + (int64_t)wait_ns, PRIORITY_INSTANCE,
                                        crash_by_itself, instance);
}

static void settle(struct instance *instance)
{
    struct world *world = instance->service->world;
    const struct model_version *version = instance_model(instance);
    char why[sizeof instance->why] = "";
    bool unmet = instance_unmet(instance, why, sizeof why);
    if (unmet && version->unmet == UNMET_CRASH && world->started) {
        instance_crash(instance, EXIT_ERROR, why);
        return;
    }
    become(instance, unmet ? INSTANCE_FAILING : INSTANCE_READY, why);
    draw_doom(instance);
    if (world->started) {
        record_event(world->record, EVENT_WORLD, instance->name, "%s, version %s%s%s",
                     unmet ? "failing" : "ready", version->name, unmet ? ": " : "", why);
        instance_log(instance, unmet, "%s%s", unmet ? "ERROR " : "INFO ready", why);
    }
    services_reconsider(world);
}

static void started_up(struct world *world, void *ctx)
{
    struct instance *instance = ctx;
    (void)world;
    instance->pending = 0;
    settle(instance);
}

static void begin(struct instance *instance)
{
    struct world *world = instance->service->world;
    settings_copy(&instance->frozen, &instance->settings);
    instance->version = version_as_set(instance, instance->next_version);
    instance->started_ns = world->now_ns;
    instance->exit_code = 0;
    instance->memory_bytes = (double)instance_model(instance)->memory_bytes;
}

void instance_start(struct instance *instance)
{
    struct world *world = instance->service->world;
    if (instance->state != INSTANCE_STOPPED)
        return;
    if (instance->pending)
        world_cancel(world, instance->pending);
    instance->pending = 0;
    instance->service->restarts_total +=
        instance->crashed; /* whoever starts it: the world or a platform */
    instance->crashed = false;
    begin(instance);
    if (!world->started) {
        settle(instance);
        return;
    }
    const struct model_version *version = instance_model(instance);
    become(instance, INSTANCE_STARTING, "");
    record_change(world->record, instance->name, "started, version %s", version->name);
    instance_log(instance, false, "INFO starting %s %s", instance->service->model->name,
                 version->name);
    /* a tenth more or less: no two starts take the same time */
    double jitter = 0.9 + 0.2 * world_uniform(world, instance->service->model->name, "start-up");
    int64_t wait_ns = (int64_t)((double)version->start_ns * jitter);
    instance->pending =
        world_schedule(world, world->now_ns + wait_ns, PRIORITY_INSTANCE, started_up, instance);
}

void instance_stop(struct instance *instance, bool graceful)
{
    struct world *world = instance->service->world;
    if (instance->state == INSTANCE_STOPPED) {
        set_exit(instance, instance->exit_code); /* no restart is wanted any more */
        return;
    }
    set_exit(instance, graceful ? 0 : EXIT_KILLED);
    if (!graceful)
        requests_died(instance->service, instance->version);
    instance_log(instance, false, "INFO stopping");
    record_change(world->record, instance->name, "stopped");
    become(instance, INSTANCE_STOPPED, "");
    services_reconsider(world);
}

struct instance *instance_new(struct service *service, const char *name, const char *version)
{
    struct instance *instance = xcalloc(1, sizeof *instance);
    int index = version ? version_index(service, version) : -1;
    instance->service = service;
    instance->name = xstrdup(name);
    instance->version = instance->next_version = index >= 0 ? index : service->running_version;
    instance->in_rotation = true;
    instance->weight = 1;
    instance->started_ns = NEVER;
    instance->logged_ns = NEVER;
    XGROW(service->instances, service->n_instances, service->cap_instances);
    service->instances[service->n_instances++] = instance;
    return instance;
}

void instance_free(struct instance *instance)
{
    if (!instance)
        return;
    struct service *service = instance->service;
    instance_stop(instance, false);
    int i = 0;
    while (service->instances[i] != instance)
        i++;
    memmove(service->instances + i, service->instances + i + 1,
            (size_t)(service->n_instances - i - 1) * sizeof *service->instances);
    service->n_instances--;
    judge_state_changed(service->world);
    settings_release(&instance->settings);
    settings_release(&instance->frozen);
    free(instance->name);
    free(instance);
}

/* ---- what others set and ask ---- */

int instance_set_version(struct instance *instance, const char *version)
{
    int index = version_index(instance->service, version);
    if (index < 0)
        return -1;
    instance->next_version = index;
    if (instance->state == INSTANCE_STOPPED) {
        instance->version = index;
        judge_state_changed(instance->service->world);
    }
    return 0;
}

void instance_set_setting(struct instance *instance, const char *key, const char *value)
{
    settings_set(&instance->settings, key, value);
}

bool instance_in_rotation(const struct instance *instance)
{
    return instance->in_rotation;
}

void instance_rotate(struct instance *instance, bool in_rotation)
{
    if (instance->in_rotation == in_rotation)
        return;
    struct world *world = instance->service->world;
    instance->in_rotation = in_rotation;
    world->flow_stale = true;
    judge_state_changed(world);
    services_reconsider(world);
}

void instance_set_weight(struct instance *instance, double weight)
{
    instance->weight = weight > 0 ? weight : 0;
    instance->service->world->flow_stale = true;
}

enum instance_state instance_state(const struct instance *instance)
{
    return instance->state;
}

const char *instance_version(const struct instance *instance)
{
    return instance_model(instance)->name;
}

const char *instance_name(const struct instance *instance)
{
    return instance->name;
}

struct service *instance_service(const struct instance *instance)
{
    return instance->service;
}

int instance_exit_code(const struct instance *instance)
{
    return instance->exit_code;
}

int64_t instance_started_ns(const struct instance *instance)
{
    return instance->started_ns;
}

const char *instance_why(const struct instance *instance)
{
    return instance->why;
}

/* ---- deployment of what the world runs itself ---- */

/* The new version has started beside the old one and takes its place. */
static void switch_version(struct world *world, void *ctx)
{
    struct instance *instance = ctx;
    instance->pending = 0;
    if (instance->state == INSTANCE_STOPPED)
        become(instance, INSTANCE_STARTING, "");
    begin(instance);
    judge_state_changed(world);
    world->flow_stale = true;
    settle(instance);
}

void service_deploy(struct service *service, const char *version)
{
    struct world *world = service->world;
    int index = version_index(service, version);
    assert(index >= 0);
    service->running_version = index;
    record_change(world->record, service->model->name, "version %s is deployed", version);
    world_mark(world, service->model->name, (uint64_t)index);
    for (int i = 0; i < world->n_deploy_watchers; i++) {
        if (world->deploy_watchers[i].call(world, service, version, world->deploy_watchers[i].ctx))
            return;
    }
    int64_t start_ns = service->model->versions[index].start_ns;
    for (int i = 0; i < service->n_instances; i++) {
        struct instance *instance = service->instances[i];
        instance->next_version = index;
        instance->restarts = 0;
        if (instance->pending)
            world_cancel(world, instance->pending);
        instance->pending = world_schedule(world, world->now_ns + (i + 1) * start_ns,
                                           PRIORITY_INSTANCE, switch_version, instance);
    }
}

void service_canary(struct service *service, const char *version, double share)
{
    struct world *world = service->world;
    int beside = service_ready(service);
    struct instance *canary = instance_new(
        service, arena_printf(&world->arena, "%s-canary", service->model->name), version);
    canary->own = true;
    instance_set_weight(canary, share < 1 ? share / (1 - share) * (beside ? beside : 1) : 1);
    record_change(world->record, service->model->name, "version %s gets %g%% of the traffic",
                  version, share * 100);
    instance_start(canary);
}

/* ---- once a second ---- */

static void tick_memory(struct instance *instance, double requests)
{
    const struct model_version *version = instance_model(instance);
    if (!version->memory_bytes && instance->service->leak_per_s <= 0)
        return;
    instance->memory_bytes += version->memory_per_s + instance->service->leak_per_s +
                              version->memory_per_request * requests;
    if (version->memory_limit_bytes && instance->memory_bytes > (double)version->memory_limit_bytes)
        instance_crash(instance, EXIT_KILLED, "out of memory: killed");
}

static void tick_log(struct instance *instance, const struct group *group)
{
    struct world *world = instance->service->world;
    if (instance->logged_ns != NEVER && world->now_ns - instance->logged_ns < LOG_PAUSE_NS)
        return;
    if (instance->state == INSTANCE_FAILING) {
        instance_log(instance, true, "ERROR %s", instance->why);
        return;
    }
    if (group->ok >= 0.99 || group->lambda <= 0)
        return;
    for (int i = 0; i < instance->service->model->n_calls; i++) {
        const struct call *call = &instance->service->calls[i];
        if (!call->to->reachable || service_cut_from(call->to, instance->service)) {
            instance_log(instance, true, "ERROR request failed: %s is not reachable",
                         call->model->to);
            return;
        }
    }
    instance_log(instance, true,
                 group->refused > 0.01 ? "ERROR request refused: too many are waiting"
                                       : "ERROR request failed");
}

/* Says once when everything that could work works and more waits, and once when it is over. */
static void tick_saturation(struct service *service)
{
    struct world *world = service->world;
    bool waits = false, full = false;
    for (int v = 0; v < service->model->n_versions; v++) {
        waits =
            waits || (service->groups[v].utilisation >= 0.995 && service->groups[v].backlog > 0);
        full = full || service->groups[v].utilisation >= 0.95;
    }
    if (waits && !service->saturated)
        record_event(world->record, EVENT_WORLD, service->model->name,
                     "saturated: all places to work are taken");
    if (!full && service->saturated)
        record_event(world->record, EVENT_WORLD, service->model->name, "no longer saturated");
    service->saturated = waits || (full && service->saturated);
}

void services_tick(struct world *world)
{
    for (int i = 0; i < world->n_services; i++) {
        struct service *service = &world->services[i];
        tick_saturation(service);
        for (int j = 0; j < service->n_instances; j++) {
            struct instance *instance = service->instances[j];
            if (instance->state != INSTANCE_READY && instance->state != INSTANCE_FAILING)
                continue;
            const struct group *group = &service->groups[instance->version];
            if (world->n_log_watchers)
                tick_log(instance, group);
            tick_memory(instance, group->instances ? group->lambda / group->instances : 0);
        }
    }
}
