/* The request grain by the second: instances that come and go, what is seen of each service, the
 * indicator. */
#include "sim/world/request.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "sim/base/xalloc.h"

/* ---- instances come and go ---- */

void requests_died(struct service *service, int version)
{
    struct world *world = service->world;
    if (!service->station)
        return;
    struct line *line = &service->station->lines[version];
    int instances = service->groups[version].instances;
    int due = instances > 0 ? line->serving / instances : 0;
    for (int i = 0; i < due; i++)
        request_kill(world, line->working[0]);
}

void requests_recount(struct world *world)
{
    world->flow_stale = false;
    for (int i = 0; i < world->n_services; i++) {
        struct service *service = &world->services[i];
        service_count(service);
        for (int v = 0; v < service->model->n_versions; v++) {
            const struct model_version *version = &service->model->versions[v];
            struct line *line = &service->station->lines[v];
            int servers = service->groups[v].instances * version->concurrency;
            if (servers > line->servers) {
                size_t most = (size_t)(servers > line->serving ? servers : line->serving);
                line->working = xrealloc(line->working, most * sizeof *line->working);
            }
            line->servers = servers;
            line->room = service->groups[v].instances * version->queue;
            if (!servers)
                line_turn_away(world, line);
            line_serve(world, line);
        }
    }
}

/* ---- once a second ---- */

static void present(struct world *world, struct service *service)
{
    struct station *station = service->station;
    struct second sum = {0};
    for (int i = 0; i < WINDOW; i++) {
        const struct second *second = &station->seconds[i];
        sum.n += second->n;
        sum.ok += second->ok;
        sum.arrived += second->arrived;
        sum.latency_s += second->latency_s;
        sum.square += second->square;
    }
    int64_t seconds = world->now_ns / TICK_NS < WINDOW ? world->now_ns / TICK_NS : WINDOW;
    service->lambda = (double)sum.arrived / (double)(seconds > 0 ? seconds : 1);
    if (sum.n) {
        double n = (double)sum.n, mean = sum.latency_s / n, square = sum.square / n;
        service->ok = (double)sum.ok / n;
        service->latency_s = mean;
        service->latency_variance = square > mean * mean ? square - mean * mean : 0;
        lognormal_fit(mean, service->latency_variance, &service->log_mu, &service->log_sigma);
    } else if (!service->reachable) {
        service->ok = 0;
    } else if (sum.arrived) {
        service->ok = 0; /* they come and nobody is answered */
    } else if (service->log_mu == 0) {
        service->ok = 1;
        lognormal_fit(version_mean_s(&service->model->versions[0], &service->latency_variance), 0,
                      &service->log_mu, &service->log_sigma);
    }
    for (int v = 0; v < service->model->n_versions; v++) {
        struct group *group = &service->groups[v];
        const struct line *line = &station->lines[v];
        group->lambda = service->lambda * group->share;
        group->servers = line->servers;
        group->utilisation = line->servers ? (double)line->serving / line->servers : 0;
        group->backlog = line->queued;
        group->ok = service->ok;
        group->latency_s = service->latency_s;
    }
}

double requests_tick(struct world *world)
{
    struct requests *requests = world->requests;
    int64_t n = 0, good = 0;
    if (world->flow_stale || world->cold_until_ns > world->now_ns)
        requests_recount(world);
    for (int i = 0; i < world->n_sources; i++)
        world->sources[i].rate_per_s = source_rate(world, &world->sources[i]);
    for (int i = 0; i < world->n_services; i++)
        present(world, &world->services[i]);
    for (int i = 0; i < WINDOW; i++) {
        n += requests->seconds[i].n;
        good += requests->seconds[i].good;
    }
    if (n)
        requests->ratio = (double)good / (double)n;
    requests->at = (requests->at + 1) % WINDOW;
    requests->seconds[requests->at].n = requests->seconds[requests->at].good = 0;
    for (int i = 0; i < world->n_services; i++)
        world->services[i].station->seconds[requests->at] = (struct second){0};
    return requests->ratio;
}

void requests_scraped(struct world *world)
{
    for (int i = 0; world->requests && i < world->n_services; i++) {
        struct station *station = world->services[i].station;
        station->last = station->now;
        memset(&station->now, 0, sizeof station->now);
    }
}

bool requests_quantile(const struct service *service, double share, double *ret_s)
{
    if (!service->station || !service->station->last.n)
        return false;
    *ret_s = (double)histogram_quantile(&service->station->last, share) * 1e-9;
    return true;
}

/* ---- life ---- */

static void patience_init(struct world *world, struct patience *patience, int64_t timeout_ns)
{
    *patience = (struct patience){.world = world, .timeout_ns = timeout_ns};
}

static void station_init(struct world *world, struct service *service)
{
    const struct model_service *model = service->model;
    struct station *station = service->station = xcalloc(1, sizeof *station);
    station->lines = xcalloc((size_t)model->n_versions, sizeof *station->lines);
    station->patiences = xcalloc((size_t)model->n_calls, sizeof *station->patiences);
    station->mu = xcalloc((size_t)model->n_versions, sizeof *station->mu);
    station->sigma = xcalloc((size_t)model->n_versions, sizeof *station->sigma);
    for (int i = 0; i < model->n_calls; i++)
        patience_init(world, &station->patiences[i], model->calls[i].timeout_ns);
    for (int v = 0; v < model->n_versions; v++) {
        double variance, mean = version_mean_s(&model->versions[v], &variance);
        lognormal_fit(mean, variance, &station->mu[v], &station->sigma[v]);
    }
    stream_init(&station->work, world->seed, 0, model->name, "work");
    stream_init(&station->errors, world->seed, 0, model->name, "errors");
    stream_init(&station->route, world->seed, 0, model->name, "route");
    stream_init(&station->writes, world->seed, 0, model->name, "writes");
    stream_init(&station->fraction, world->seed, 0, model->name, "fraction");
}

void requests_init(struct world *world)
{
    if (world->model->grain != GRAIN_REQUEST)
        return;
    struct requests *requests = world->requests = xcalloc(1, sizeof *requests);
    requests->ratio = 1;
    requests->clients = xcalloc((size_t)world->n_sources, sizeof *requests->clients);
    requests->writes = xcalloc((size_t)world->n_sources, sizeof *requests->writes);
    for (int i = 0; i < world->n_services; i++)
        station_init(world, &world->services[i]);
    for (int i = 0; i < world->n_sources; i++) {
        struct source *source = &world->sources[i];
        assert(source->model->n_writes <= WRITES_MAX);
        patience_init(world, &requests->clients[i], source->model->timeout_ns);
        stream_init(&requests->writes[i], world->seed, 0, source->model->name, "writes");
        source->rate_per_s = source_rate(world, source);
        world_post(world, 1, PRIORITY_OTHER, request_arrive, source);
    }
}

void requests_release(struct world *world)
{
    struct requests *requests = world->requests;
    if (!requests)
        return;
    for (int i = 0; i < world->n_services; i++) {
        struct station *station = world->services[i].station;
        for (int v = 0; v < world->services[i].model->n_versions; v++)
            free(station->lines[v].working);
        free(station->lines);
        free(station->patiences);
        free(station->mu);
        free(station->sigma);
        free(station);
    }
    for (int i = 0; i < requests->n_chunks; i++)
        free(requests->chunks[i]);
    free(requests->chunks);
    free(requests->clients);
    free(requests->writes);
    free(requests);
}
