/* The request grain: every request is events. The same queues as in flow.c, one for each version of
 * a service with as many servers as its instances work on at once, but nothing is expected or
 * fitted: work is drawn, waiting happens.
 *
 * A request does its own work, then its calls one after the other, holding its server all the
 * while. A caller that gives up leaves its request behind as an orphan, which is worked on in vain.
 * Time-outs of one kind all have the same length, so their deadlines are in order: a list and one
 * event for its head serve any number of them.
 *
 * Nothing is allocated while it runs, beyond a pool that grows to the largest number ever under
 * way, which queues and REQUESTS_MAX bound.
 */
#include "sim/world/request.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "sim/base/xalloc.h"

#define REFUSED_NS (1 * MILLISECOND)

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
            store_write_unknown(source->stores[i], source->model->writes[i].table, 1,
                                world->now_ns);
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
    request->event =
        world_schedule(world, world->now_ns + work_ns, PRIORITY_OTHER, work_done, request);
}

void line_serve(struct world *world, struct line *line)
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
    line_serve(world, line);
}

static void refuse_now(struct world *world, void *ctx)
{
    struct request *request = ctx;
    request->event = 0;
    finish(world, request, false);
}

static void refuse(struct world *world, struct request *request)
{
    request->event =
        world_schedule(world, world->now_ns + REFUSED_NS, PRIORITY_OTHER, refuse_now, request);
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
    if (service->cut || service->region_down ||
        (from && world->n_partial_cuts && service_cut_from(service, from)))
        return; /* lost on the way: the caller waits in vain */
    service->station->seconds[world->requests->at].arrived++;
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

void request_arrive(struct world *world, void *ctx)
{
    struct source *source = ctx;
    double rate = source->rate_per_s;
    /* where nobody comes, somebody looks again in a second */
    double wait_s = rate > 0 ? stream_exponential(&source->stream, 1 / rate) : 1;
    bool again = rate > 0 && wait_s < 10;
    world_post(world, world->now_ns + (int64_t)((again ? wait_s : 1) * 1e9), PRIORITY_OTHER,
               request_arrive, source);
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

/* ---- ends that nobody wanted ---- */

void request_kill(struct world *world, struct request *request)
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

void line_turn_away(struct world *world, struct line *line)
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
