#include "sim/world/parts.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "sim/base/xalloc.h"

struct service *world_service(struct world *world, const char *name)
{
    for (int i = 0; i < world->n_services; i++)
        if (strcmp(world->services[i].model->name, name) == 0)
            return &world->services[i];
    return NULL;
}

int world_services(const struct world *world)
{
    return world->n_services;
}

struct service *world_service_at(const struct world *world, int i)
{
    assert(i >= 0 && i < world->n_services);
    return &world->services[i];
}

bool service_calls(const struct service *service, const struct service *other)
{
    for (int i = 0; i < service->model->n_calls; i++) {
        if (service->calls[i].to == other)
            return true;
    }
    return false;
}

const char *service_name(const struct service *service)
{
    return service->model->name;
}

int service_replicas(const struct service *service)
{
    return service->model->replicas;
}

const char *service_initial_version(const struct service *service)
{
    return service->model->version;
}

const struct doc *service_runs(const struct service *service)
{
    return service->model->runs;
}

int service_ready(const struct service *service)
{
    int ready = 0;
    for (int i = 0; i < service->n_instances; i++)
        ready +=
            service->instances[i]->state == INSTANCE_READY && service->instances[i]->in_rotation;
    return ready;
}

int service_instances(const struct service *service)
{
    return service->n_instances;
}

struct instance *service_instance(const struct service *service, int i)
{
    assert(i >= 0 && i < service->n_instances);
    return service->instances[i];
}

/* ---- making them ---- */

/* Callers first: a service comes after everyone who calls it (the model has no cycles). */
static void place(struct service *service, bool *placed, struct service **order, int *n)
{
    if (placed[service->index])
        return;
    placed[service->index] = true;
    for (int i = 0; i < service->model->n_calls; i++)
        place(service->calls[i].to, placed, order, n);
    order[(*n)++] = service; /* callees first; turned round below */
}

static void order_services(struct world *world)
{
    int n = 0;
    bool *placed = xcalloc((size_t)world->n_services, sizeof *placed);
    world->callers_first = xcalloc((size_t)world->n_services, sizeof *world->callers_first);
    for (int i = 0; i < world->n_services; i++)
        place(&world->services[i], placed, world->callers_first, &n);
    for (int i = 0; i < n / 2; i++) {
        struct service *swap = world->callers_first[i];
        world->callers_first[i] = world->callers_first[n - 1 - i];
        world->callers_first[n - 1 - i] = swap;
    }
    free(placed);
}

static int initial_version(const struct model_service *model)
{
    for (int i = 0; i < model->n_versions; i++)
        if (model->version && strcmp(model->versions[i].name, model->version) == 0)
            return i;
    return 0;
}

void services_init(struct world *world)
{
    const struct model *model = world->model;
    world->n_services = model->n_services;
    world->services = xcalloc((size_t)model->n_services, sizeof *world->services);
    for (int i = 0; i < model->n_services; i++) {
        struct service *service = &world->services[i];
        service->world = world;
        service->model = &model->services[i];
        service->index = i;
        service->running_version = initial_version(service->model);
        service->slow_factor = 1;
        service->groups = xcalloc((size_t)service->model->n_versions, sizeof *service->groups);
        service->writes = xcalloc((size_t)service->model->n_versions, sizeof *service->writes);
        service->calls = xcalloc((size_t)service->model->n_calls, sizeof *service->calls);
    }
    for (int i = 0; i < model->n_services; i++) {
        struct service *service = &world->services[i];
        for (int j = 0; j < service->model->n_calls; j++) {
            service->calls[j].model = &service->model->calls[j];
            service->calls[j].to = world_service(world, service->model->calls[j].to);
            assert(service->calls[j].to);
        }
    }
    order_services(world);
    /* callees first, so that what needs another finds it there */
    for (int i = world->n_services; i-- > 0;) {
        struct service *service = world->callers_first[i];
        if (service->model->runs)
            continue;
        for (int j = 0; j < service->model->replicas; j++) {
            char *name = arena_printf(&world->arena, "%s-%d", service->model->name, j + 1);
            instance_new(service, name, NULL)->own = true;
        }
    }
}

/* At the start everything runs that the world runs itself; platforms have started theirs already.
 */
void services_start(struct world *world)
{
    world->started = false;
    for (int i = world->n_services; i-- > 0;) {
        struct service *service = world->callers_first[i];
        for (int j = 0; j < service->n_instances; j++)
            if (service->instances[j]->own)
                instance_start(service->instances[j]);
    }
    services_reconsider(world);
    world->started = true;
}

void services_release(struct world *world)
{
    for (int i = 0; i < world->n_services; i++) {
        struct service *service = &world->services[i];
        for (int j = 0; j < service->n_instances; j++) {
            settings_release(&service->instances[j]->settings);
            settings_release(&service->instances[j]->frozen);
            free(service->instances[j]->name);
            free(service->instances[j]);
        }
        free(service->instances);
        for (int v = 0; v < service->model->n_versions; v++) {
            free(service->writes[v].stores);
            free(service->writes[v].accepted);
        }
        free(service->writes);
        free(service->groups);
        free(service->calls);
    }
    free(world->services);
    free(world->callers_first);
}

/* ---- what a client sees ---- */

struct probe service_probe(struct service *service)
{
    struct world *world = service->world;
    struct probe probe = {.why = ""};
    flow_refresh(world);
    if (service->cut || service->region_down) {
        probe.latency_ns = 5 * SECOND;
        probe.why = "no answer: connection timed out";
        return probe;
    }
    const struct instance *listening = NULL;
    for (int i = 0; i < service->n_instances; i++) {
        const struct instance *instance = service->instances[i];
        bool better = instance->state == INSTANCE_READY ||
                      (instance->state == INSTANCE_FAILING && !listening);
        if (instance->in_rotation && better)
            listening = instance;
    }
    if (!listening) {
        probe.latency_ns = 1 * MILLISECOND;
        probe.why = "connection refused";
        return probe;
    }
    struct stream *stream = world_stream(world, service->model->name, "probe");
    double chance = stream_uniform(stream);
    double latency_s = stream_lognormal(stream, service->log_mu, service->log_sigma);
    probe.reachable = true;
    probe.latency_ns = latency_s < 3600 ? (int64_t)(latency_s * 1e9) : HOUR;
    probe.ok = listening->state == INSTANCE_READY && chance < service->ok;
    if (!probe.ok)
        probe.why = listening->state == INSTANCE_READY ? "answers with an error" : listening->why;
    return probe;
}
