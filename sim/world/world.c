#include "sim/world/parts.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sim/base/xalloc.h"

/* ---- settings ---- */

static struct setting *find_setting(const struct settings *settings, const char *key)
{
    for (int i = 0; i < settings->n; i++)
        if (strcmp(settings->at[i].key, key) == 0)
            return &settings->at[i];
    return NULL;
}

const char *settings_get(const struct settings *settings, const char *key)
{
    const struct setting *found = find_setting(settings, key);
    return found ? found->value : NULL;
}

void settings_set(struct settings *settings, const char *key, const char *value)
{
    struct setting *found = find_setting(settings, key);
    if (!found) {
        XGROW(settings->at, settings->n, settings->cap);
        found = &settings->at[settings->n++];
        *found = (struct setting){.key = xstrdup(key)};
    }
    char *copy = value ? xstrdup(value) : NULL; /* before free: it may be the old value itself */
    free(found->value);
    found->value = copy;
}

void settings_copy(struct settings *to, const struct settings *from)
{
    settings_release(to);
    for (int i = 0; i < from->n; i++)
        settings_set(to, from->at[i].key, from->at[i].value);
}

void settings_release(struct settings *settings)
{
    for (int i = 0; i < settings->n; i++) {
        free(settings->at[i].key);
        free(settings->at[i].value);
    }
    free(settings->at);
    *settings = (struct settings){0};
}

const char *world_setting(const struct world *world, const char *key)
{
    return settings_get(&world->settings, key);
}

void world_set(struct world *world, const char *key, const char *value)
{
    const char *old = world_setting(world, key);
    if (old == value || (old && value && strcmp(old, value) == 0))
        return;
    if (value)
        record_change(world->record, key, "set to %s", value);
    else
        record_change(world->record, key, "unset");
    settings_set(&world->settings, key, value);
    world_mark(world, key, value ? hash_text(0, value) : 0);
    services_reconsider(world);
    judge_state_changed(world);
}

/* ---- clock ---- */

void world_mark(struct world *world, const char *what, uint64_t value)
{
    uint64_t hash = hash_text(world->fingerprint ^ hash_mix(value), what);
    world->fingerprint = hash_mix(hash ^ (uint64_t)world->now_ns);
    world->record->fingerprint = world->fingerprint;
}

int64_t world_now(const struct world *world)
{
    return world->now_ns;
}

uint64_t world_schedule(struct world *world, int64_t at_ns, enum priority priority, world_fn *fn,
                        void *ctx)
{
    return queue_push(&world->queue, at_ns, (int)priority, (queue_fn *)fn, ctx);
}

void world_post(struct world *world, int64_t at_ns, enum priority priority, world_fn *fn, void *ctx)
{
    queue_post(&world->queue, at_ns, (int)priority, (queue_fn *)fn, ctx);
}

uint64_t world_at(struct world *world, int64_t at_ns, world_fn *fn, void *ctx)
{
    if (at_ns < world->now_ns)
        at_ns = world->now_ns;
    return world_schedule(world, at_ns, PRIORITY_OTHER, fn, ctx);
}

bool world_cancel(struct world *world, uint64_t handle)
{
    return queue_cancel(&world->queue, handle);
}

static void start(struct world *world)
{
    world->started = true;
    services_start(world);
    backups_start(world);
    judge(world);
}

int64_t world_next(const struct world *world)
{
    /* looking drops cancelled events, which nobody can observe */
    return queue_next(&((struct world *)(uintptr_t)world)->queue);
}

void world_touch_outside(struct world *world)
{
    world->touched = true;
}

static void set_now(struct world *world, int64_t now_ns)
{
    world->now_ns = now_ns;
    world->record->now_ns = now_ns;
}

int64_t world_advance(struct world *world, int64_t to_ns)
{
    struct queued event;
    assert(to_ns >= world->now_ns && !world->running);
    world->touched = false;
    world->running = true;
    if (!world->started)
        start(world);
    while (!world->touched && queue_next(&world->queue) <= to_ns) {
        queue_pop(&world->queue, &event);
        set_now(world, event.at_ns);
        world->fingerprint = hash_mix(world->fingerprint + (uint64_t)event.at_ns + event.order);
        ((world_fn *)event.fn)(world, event.ctx);
        if (world->judge.due)
            judge(world);
    }
    world->running = false;
    world->record->fingerprint = world->fingerprint;
    if (!world->touched)
        set_now(world, to_ns);
    return world->now_ns;
}

/* ---- chance ---- */

struct stream *world_stream(struct world *world, const char *entity, const char *purpose)
{
    uint64_t name = hash_text(hash_text(0, entity), purpose);
    for (int i = 0; i < world->n_streams; i++)
        if (world->streams[i].name == name)
            return &world->streams[i].stream;
    XGROW(world->streams, world->n_streams, world->cap_streams);
    struct named_stream *named = &world->streams[world->n_streams++];
    named->name = name;
    stream_init(&named->stream, world->seed, 0, entity, purpose);
    return &named->stream;
}

double world_uniform(struct world *world, const char *entity, const char *purpose)
{
    return stream_uniform(world_stream(world, entity, purpose));
}

/* ---- life ---- */

struct world *world_new(const struct model *model, uint64_t seed, struct record *record)
{
    struct world *world = xcalloc(1, sizeof *world);
    world->model = model;
    world->record = record;
    world->seed = seed;
    queue_init(&world->queue);
    set_now(world, 0);
    record->instants[T_END] = NEVER;
    world_mark(world, "seed", seed);
    for (int i = 0; i < model->n_settings; i++)
        settings_set(&world->settings, model->settings[i].key, model->settings[i].value);
    services_init(world);
    stores_init(world);
    traffic_init(world);
    requests_init(world);
    judge_init(world);
    metrics_init(world);
    triggers_init(world);
    operator_init(world);
    changes_init(world);
    faults_init(world);
    backups_init(world);
    return world;
}

void world_free(struct world *world)
{
    if (!world)
        return;
    backups_release(world);
    faults_release(world);
    operator_release(world);
    triggers_release(world);
    metrics_release(world);
    requests_release(world);
    traffic_release(world);
    stores_release(world);
    services_release(world);
    settings_release(&world->settings);
    queue_release(&world->queue);
    free(world->streams);
    free(world->backup_watchers);
    free(world->expiry_watchers);
    free(world->deploy_watchers);
    free(world->instance_watchers);
    free(world->log_watchers);
    arena_release(&world->arena);
    free(world);
}

struct record *world_record(struct world *world)
{
    return world->record;
}

void world_finish(struct world *world)
{
    if (world->finished)
        return;
    world->finished = true;
    if (!world->started)
        start(world);
    world->record->instants[T_END] = world->now_ns;
    faults_finish(world);
    stores_finish(world);
    judge_finish(world);
    world->record->fingerprint = world->fingerprint;
}

/* ---- hooks ---- */

void world_on_deploy(struct world *world, deploy_fn *call, void *ctx)
{
    XGROW(world->deploy_watchers, world->n_deploy_watchers, world->cap_deploy_watchers);
    world->deploy_watchers[world->n_deploy_watchers].call = call;
    world->deploy_watchers[world->n_deploy_watchers++].ctx = ctx;
}

void world_deploy(struct world *world, struct service *service, const char *version)
{
    assert(service->world == world);
    service_deploy(service, version);
}

void world_on_migrate(struct world *world, migrate_fn *call, void *ctx)
{
    world->on_migrate.call = call;
    world->on_migrate.ctx = ctx;
}

void world_on_scrape(struct world *world, scrape_fn *call, void *ctx)
{
    world->on_scrape.call = call;
    world->on_scrape.ctx = ctx;
}

void world_watch_backups(struct world *world, backup_fn *call, void *ctx)
{
    XGROW(world->backup_watchers, world->n_backup_watchers, world->cap_backup_watchers);
    world->backup_watchers[world->n_backup_watchers].call = call;
    world->backup_watchers[world->n_backup_watchers++].ctx = ctx;
}

void world_watch_expiry(struct world *world, backup_gone_fn *call, void *ctx)
{
    XGROW(world->expiry_watchers, world->n_expiry_watchers, world->cap_expiry_watchers);
    world->expiry_watchers[world->n_expiry_watchers].call = call;
    world->expiry_watchers[world->n_expiry_watchers++].ctx = ctx;
}

void world_watch_instances(struct world *world, instance_fn *call, void *ctx)
{
    XGROW(world->instance_watchers, world->n_instance_watchers, world->cap_instance_watchers);
    world->instance_watchers[world->n_instance_watchers].call = call;
    world->instance_watchers[world->n_instance_watchers++].ctx = ctx;
}

void world_watch_logs(struct world *world, log_fn *call, void *ctx)
{
    XGROW(world->log_watchers, world->n_log_watchers, world->cap_log_watchers);
    world->log_watchers[world->n_log_watchers].call = call;
    world->log_watchers[world->n_log_watchers++].ctx = ctx;
}

void world_declare(struct world *world, const char *event, const char *subject)
{
    record_event(world->record, EVENT_WORLD, subject && *subject ? subject : event, "%s is seen",
                 event);
    world_mark(world, event, 2);
    triggers_event(world, event);
}

void world_message(struct world *world, const char *channel, const char *text)
{
    record_event(world->record, EVENT_MESSAGE, channel, "%s", text);
    world_mark(world, channel, hash_text(0, text));
}
