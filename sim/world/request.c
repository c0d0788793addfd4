/* The request grain: every request is events. The same queues as in flow.c, one for each version of a service with as many
 * servers as its instances work on at once, but nothing is expected or fitted: work is drawn, waiting happens.
 *
 * A request does its own work, then its calls one after the other, holding its server all the while. A caller that gives
 * up leaves its request behind as an orphan, which is worked on in vain. Time-outs of one kind all have the same
 * length, so their deadlines are in order: a list and one event for its head serve any number of them.
 *
 * Nothing is allocated while it runs, beyond a pool that grows to the largest number ever under way, which queues and
 * REQUESTS_MAX bound.
 */
#include "sim/world/parts.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "sim/base/xalloc.h"
#include "sim/engine/statistics.h"

enum {
    REQUESTS_MAX = 4000000, /* under way at once; beyond, new ones are refused */
    WRITES_MAX = 64,        /* tables that one request may write to */
    WINDOW = 10,            /* seconds of which the present ratios and latencies are taken */
    POOL_CHUNK = 1024,
};
#define REFUSED_NS (1 * MILLISECOND)

struct request {
    struct request *next, *before; /* in its time-out list; `next` also in the pool */
    struct request *behind;        /* in the queue of its group */
    struct request *parent, *child;
    struct service *service;
    struct source *source; /* of one that a client sent; NULL: a call */
    struct patience *patience;
    int64_t started_ns, deadline_ns;
    uint64_t event; /* pending: its work, or a quick refusal */
    int version, call, left, attempt;
    bool queued, serving, orphan, listed;
};

/* All requests that wait with the same time-out. */
struct patience {
    struct world *world;
    int64_t timeout_ns;
    struct request *first, *last;
    bool armed;
};

struct line {
    struct request *first, *last;
    int queued, serving, servers, room;
    struct request **working; /* those being served, for when an instance dies */
};

struct second {
    int64_t n, ok, arrived;
    double latency_s, square;
};

struct station {
    struct line *lines; /* one for each version */
    struct patience *patiences; /* one for each call */
    struct stream work, errors, route, fraction, writes;
    struct second seconds[WINDOW];
    struct histogram now, last; /* latencies since the last scrape, and of the interval before */
    double *mu, *sigma; /* of each version's work */
};

struct requests {
    struct request *pool;
    void **chunks;
    int n_chunks, cap_chunks;
    int64_t under_way;
    struct patience *clients; /* one for each source */
    struct stream *writes;    /* likewise */
    struct { int64_t n, good; } seconds[WINDOW];
    int at; /* the current second of all windows */
    double ratio;
};

static void submit(struct world *world, struct request *request);
static void answered(struct world *world, struct request *parent, bool ok);

/* ---- the pool ---- */

static struct request *take(struct world *world, struct service *service)
{
    struct requests *requests = world->requests;
    if (!requests->pool) {
        struct request *chunk = xcalloc(POOL_CHUNK, sizeof *chunk);
        XGROW(requests->chunks, requests->n_chunks, requests->cap_chunks);
        requests->chunks[requests->n_chunks++] = chunk;
        for (int i = 0; i < POOL_CHUNK; i++) {
            chunk[i].next = requests->pool;
            requests->pool = &chunk[i];
        }
    }
    struct request *request = requests->pool;
    requests->pool = request->next;
    *request = (struct request){.service = service, .started_ns = world->now_ns};
    requests->under_way++;
    return request;
}

static void give_back(struct world *world, struct request *request)
{
    request->next = world->requests->pool;
    world->requests->pool = request;
    world->requests->under_way--;
}

/* ---- patience ---- */

static void give_up(struct world *world, void *ctx);

static void wait_for(struct world *world, struct request *request, struct patience *patience)
{
    request->patience = patience;
    request->deadline_ns = world->now_ns + patience->timeout_ns;
    request->before = patience->last;
    request->next = NULL;
    request->listed = true;
    if (patience->last)
        patience->last->next = request;
    else
        patience->first = request;
    patience->last = request;
    if (!patience->armed) {
        patience->armed = true;
        world_post(world, request->deadline_ns, PRIORITY_OTHER, give_up, patience);
    }
}

static void stop_waiting(struct request *request)
{
    struct patience *patience = request->patience;
    if (!request->listed)
        return;
    request->listed = false;
    if (request->before)
        request->before->next = request->next;
    else
        patience->first = request->next;
    if (request->next)
        request->next->before = request->before;
    else
        patience->last = request->before;
}

/* ---- what a client gets ---- */

static bool writes_accepted(struct world *world, struct source *source, bool *wrote)
{
    struct stream *stream = &world->requests->writes[source - world->sources];
    bool accepted = true;
    for (int i = 0; i < source->model->n_writes; i++) {
        wrote[i] = stream_uniform(stream) < source->model->writes[i].ratio;
        accepted = accepted && (!wrote[i] || source->accepted[i]);
    }
    return accepted;
}

/* A client's request ends. `orphan`: the client has given up before, and was counted then. */
static void client_answer(struct world *world, struct request *request, bool ok)
{
    struct source *source = request->source;
    struct requests *requests = world->requests;
    bool wrote[WRITES_MAX];
    if (ok)
        ok = writes_accepted(world, source, wrote);
    for (int i = 0; ok && i < source->model->n_writes; i++) {
        if (!wrote[i])
            continue;
        if (request->orphan)
            store_write_unknown(source->stores[i], source->model->writes[i].table, 1, world->now_ns);
        else
            store_write(source->stores[i], source->model->writes[i].table, 1, world->now_ns);
    }
    if (request->orphan)
        return;
    int64_t within_ns = world->model->indicator.within_ns;
    bool good = ok && (!within_ns || world->now_ns - request->started_ns <= within_ns);
    source->requests_total++;
    source->good_total += good;
    source->errors_total += !ok;
    source->late_total += ok && !good;
    requests->seconds[requests->at].n++;
    requests->seconds[requests->at].good += good;
}

/* ---- serving ---- */

static void remember(struct world *world, const struct request *request, bool ok)
{
    struct service *service = request->service;
    struct second *second = &service->station->seconds[world->requests->at];
    double latency_s = (double)(world->now_ns - request->started_ns) * 1e-9;
    second->n++;
    second->ok += ok;
    second->latency_s += latency_s;
    second->square += latency_s * latency_s;
    service->requests_total++;
    service->errors_total += !ok;
    service->latency_total_s += latency_s;
    histogram_add(&service->station->now, world->now_ns - request->started_ns, 1);
}

static void finish(struct world *world, struct request *request, bool ok)
{
    struct request *parent = request->parent;
    stop_waiting(request);
    remember(world, request, ok);
    if (request->source)
        client_answer(world, request, ok);
    give_back(world, request);
    if (parent) {
        parent->child = NULL;
        answered(world, parent, ok);
    }
}

static void work_done(struct world *world, void *ctx);

static double work_s(struct service *service, int version)
{
    const struct model_version *model = &service->model->versions[version];
    struct station *station = service->station;
    double typical = (double)model->p50_ns * 1e-9, work = typical;
    if (model->shape == TIME_EXPONENTIAL)
        work = stream_exponential(&station->work, typical);
    else if (model->shape == TIME_LOGNORMAL)
        work = stream_lognormal(&station->work, station->mu[version], station->sigma[version]);
    return work * service->groups[version].slower * service->slow_factor + service->added_s;
}

static void serve(struct world *world, struct request *request)
{
    struct line *line = &request->service->station->lines[request->version];
    double work = work_s(request->service, request->version);
    int64_t work_ns = work < 1e6 ? (int64_t)(work * 1e9) : (int64_t)1e15;
    line->working[line->serving++] = request;
    request->serving = true;
    request->event = world_schedule(world, world->now_ns + work_ns, PRIORITY_OTHER, work_done, request);
}

static void serve_next(struct world *world, struct line *line)
{
    while (line->serving < line->servers && line->first) {
        struct request *request = line->first;
        line->first = request->behind;
        if (!line->first)
            line->last = NULL;
        line->queued--;
        request->queued = false;
        serve(world, request);
    }
}

static void leave_server(struct request *request)
{
    struct line *line = &request->service->station->lines[request->version];
    int i = line->serving - 1;
    while (line->working[i] != request)
        i--;
    line->working[i] = line->working[--line->serving];
    request->serving = false;
}

static void complete(struct world *world, struct request *request, bool ok)
{
    struct service *service = request->service;
    struct line *line = &service->station->lines[request->version];
    leave_server(request);
    finish(world, request, ok);
    serve_next(world, line);
}

static void refuse_now(struct world *world, void *ctx)
{
    struct request *request = ctx;
    request->event = 0;
    finish(world, request, false);
}

static void refuse(struct world *world, struct request *request)
{
    request->event = world_schedule(world, world->now_ns + REFUSED_NS, PRIORITY_OTHER, refuse_now, request);
}

/* ---- calls ---- */

static void call_again(struct world *world, struct request *parent)
{
    struct service *service = parent->service;
    const struct call *call = &service->calls[parent->call];
    struct request *child = take(world, call->to);
    child->parent = parent;
    parent->child = child;
    wait_for(world, child, &service->station->patiences[parent->call]);
    submit(world, child);
}

static bool own_luck(struct service *service, int version)
{
    double ratio = 1 - (1 - service->model->versions[version].errors) * (1 - service->error_ratio);
    return ratio <= 0 || stream_uniform(&service->station->errors) >= ratio;
}

/* What its version writes by itself; false: it could not. */
static bool own_writes(struct world *world, struct service *service, int v)
{
    const struct model_version *version = &service->model->versions[v];
    const struct version_writes *writes = &service->writes[v];
    bool wrote[WRITES_MAX];
    for (int i = 0; i < version->n_writes; i++) {
        wrote[i] = stream_uniform(&service->station->writes) < version->writes[i].ratio;
        if (wrote[i] && !writes->accepted[i])
            return false;
    }
    for (int i = 0; i < version->n_writes; i++)
        if (wrote[i])
            store_write(writes->stores[i], version->writes[i].table, 1, world->now_ns);
    return true;
}

/* The next call, or the end. `left` counts the calls of the present kind; -1: not drawn yet. */
static void go_on(struct world *world, struct request *request)
{
    struct service *service = request->service;
    for (; request->call < service->model->n_calls; request->call++, request->left = -1) {
        if (request->left < 0) {
            double wanted = service->model->calls[request->call].per_request;
            request->left = (int)wanted;
            double rest = wanted - request->left;
            request->left += rest > 0 && stream_uniform(&service->station->fraction) < rest;
        }
        if (request->left > 0) {
            call_again(world, request);
            return;
        }
    }
    complete(world, request,
             own_luck(service, request->version) && own_writes(world, service, request->version));
}

static void work_done(struct world *world, void *ctx)
{
    struct request *request = ctx;
    request->event = 0;
    request->left = -1;
    go_on(world, request);
}

static void answered(struct world *world, struct request *parent, bool ok)
{
    const struct model_call *call = &parent->service->model->calls[parent->call];
    if (!ok && parent->attempt < call->retries) {
        parent->attempt++;
        call_again(world, parent);
        return;
    }
    parent->attempt = 0;
    if (!ok && !call->optional) {
        complete(world, parent, false);
        return;
    }
    parent->left--;
    go_on(world, parent);
}

static void give_up(struct world *world, void *ctx)
{
    struct patience *patience = ctx;
    while (patience->first && patience->first->deadline_ns <= world->now_ns) {
        struct request *request = patience->first, *parent = request->parent;
        stop_waiting(request);
        if (request->source) {
            client_answer(world, request, false);
            request->orphan = true;
        } else {
            request->parent = NULL;
            parent->child = NULL;
        }
        if (!request->queued && !request->serving && !request->event)
            give_back(world, request); /* it never arrived anywhere */
        if (parent)
            answered(world, parent, false);
    }
    patience->armed = patience->first != NULL;
    if (patience->armed)
        world_post(world, patience->first->deadline_ns, PRIORITY_OTHER, give_up, patience);
}

/* ---- arriving ---- */

static int route(struct service *service)
{
    int last = -1;
    double u = -1;
    for (int v = 0; v < service->model->n_versions; v++) {
        double share = service->groups[v].share;
        if (!service->groups[v].instances || share <= 0)
            continue;
        if (share >= 1)
            return v; /* the usual case: one version, nothing to draw */
        if (u < 0)
            u = stream_uniform(&service->station->route);
        last = v;
        if (u < share)
            return v;
        u -= share;
    }
    return last;
}

static void submit(struct world *world, struct request *request)
{
    struct service *service = request->service;
    const struct service *from = request->parent ? request->parent->service : NULL;
    service->station->seconds[world->requests->at].arrived++;
    if (service->cut || service->region_down || (from && world->n_partial_cuts && service_cut_from(service, from)))
        return; /* lost on the way: the caller waits in vain */
    int version = route(service);
    if (version < 0 || world->requests->under_way > REQUESTS_MAX) {
        refuse(world, request);
        return;
    }
    struct line *line = &service->station->lines[version];
    request->version = version;
    if (line->serving < line->servers) {
        serve(world, request);
    } else if (line->queued < line->room) {
        request->behind = NULL;
        request->queued = true;
        if (line->last)
            line->last->behind = request;
        else
            line->first = request;
        line->last = request;
        line->queued++;
    } else {
        refuse(world, request);
    }
}

static void arrive(struct world *world, void *ctx)
{
    struct source *source = ctx;
    double rate = source->rate_per_s;
    /* where nobody comes, somebody looks again in a second */
    double wait_s = rate > 0 ? stream_exponential(&source->stream, 1 / rate) : 1;
    bool again = rate > 0 && wait_s < 10;
    world_post(world, world->now_ns + (int64_t)((again ? wait_s : 1) * 1e9), PRIORITY_OTHER, arrive, source);
    if (!again || !world->started)
        return;
    if (world->flow_stale)
        flow_refresh(world);
    struct request *request = take(world, source->to);
    request->source = source;
    wait_for(world, request, &world->requests->clients[source - world->sources]);
    if (source->region_down)
        return; /* its users reach nobody */
    submit(world, request);
}

/* ---- instances come and go ---- */

static void kill_request(struct world *world, struct request *request)
{
    if (request->event)
        world_cancel(world, request->event);
    request->event = 0;
    if (request->child) { /* goes on without anybody waiting for it */
        struct request *child = request->child;
        stop_waiting(child);
        child->parent = NULL;
        request->child = NULL;
        if (!child->queued && !child->serving && !child->event)
            give_back(world, child);
    }
    leave_server(request);
    refuse(world, request);
}

void requests_died(struct service *service, int version)
{
    struct world *world = service->world;
    if (!service->station)
        return;
    struct line *line = &service->station->lines[version];
    int instances = service->groups[version].instances;
    int due = instances > 0 ? line->serving / instances : 0;
    for (int i = 0; i < due; i++)
        kill_request(world, line->working[0]);
}

static void turn_queue_away(struct world *world, struct line *line)
{
    while (line->first) {
        struct request *request = line->first;
        line->first = request->behind;
        request->queued = false;
        refuse(world, request);
    }
    line->last = NULL;
    line->queued = 0;
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
                turn_queue_away(world, line);
            serve_next(world, line);
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
        lognormal_fit(version_mean_s(&service->model->versions[0], &service->latency_variance), 0, &service->log_mu,
                      &service->log_sigma);
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
        world_post(world, 1, PRIORITY_OTHER, arrive, source);
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
