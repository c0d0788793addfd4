/* The flow grain: what requests meet on average, solved anew whenever something changes.
 *
 * Every version of a service is one queue M/G/c: Erlang C for the chance to wait, scaled by (1 +
 * cv^2) / 2 (Lee and Longton 1959) for service times that are not exponential. A request holds its
 * server for its own work and for the calls it makes, so a slow dependency uses its callers up:
 * failures spread by themselves. Where more arrives than can be served, the queue grows second by
 * second to its limit and what comes then is refused. Latencies are sums of independent parts,
 * fitted by a lognormal of the same mean and variance (Fenton 1960).
 *
 * The indicator and all ratios are these expectations; only numbers of requests and records are
 * drawn.
 */
#include "sim/world/parts.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "sim/base/xalloc.h"

#define SOLVE_AGAIN_NS    (10 * SECOND) /* the daily shape moves slowly */
#define REFUSED_LATENCY_S 0.001         /* an answer of "connection refused" or of a full queue */
#define NEARLY_FULL       0.995 /* utilisation from which a queue is followed second by second */
static const double NORMAL_P99 = 2.3263478740408408;

double version_mean_s(const struct model_version *version, double *ret_variance)
{
    double typical = (double)version->p50_ns * 1e-9;
    if (version->shape != TIME_LOGNORMAL) {
        *ret_variance = version->shape == TIME_EXPONENTIAL ? typical * typical : 0;
        return typical;
    }
    double mu = exact_log(typical);
    double sigma = exact_log((double)version->p99_ns / (double)version->p50_ns) / NORMAL_P99;
    double mean = exact_exp(mu + sigma * sigma / 2);
    *ret_variance = mean * mean * (exact_exp(sigma * sigma) - 1);
    return mean;
}

void lognormal_fit(double mean, double variance, double *ret_mu, double *ret_sigma)
{
    if (mean < 1e-9)
        mean = 1e-9;
    double square = exact_log(1 + variance / (mean * mean));
    *ret_sigma = exact_sqrt(square);
    *ret_mu = exact_log(mean) - square / 2;
}

double lognormal_below(double mu, double sigma, double x)
{
    if (x <= 0)
        return 0;
    double z = exact_log(x) - mu;
    if (sigma < 1e-9)
        return z >= 0 ? 1 : 0;
    return normal_cdf(z / sigma);
}

/* Mean and variance of min(X, limit), X lognormal. */
static double lognormal_cut(double mu, double sigma, double limit, double *ret_variance)
{
    double mean = exact_exp(mu + sigma * sigma / 2);
    if (sigma < 1e-9) {
        *ret_variance = 0;
        return mean < limit ? mean : limit;
    }
    double z = (exact_log(limit) - mu) / sigma, above = normal_cdf(-z);
    double first = mean * normal_cdf(z - sigma) + limit * above;
    double second =
        mean * mean * exact_exp(sigma * sigma) * normal_cdf(z - 2 * sigma) + limit * limit * above;
    *ret_variance = second > first * first ? second - first * first : 0;
    return first;
}

/* Chance that a request waits in M/M/c, by the stable recursion of Erlang B. */
static double erlang_c(double load, double servers)
{
    double blocked = 1;
    int c = (int)servers;
    for (int i = 1; i <= c; i++) {
        blocked = load * blocked / (i + load * blocked);
        if (blocked < 1e-12 && (double)i > load)
            return 0;
    }
    double utilisation = load / servers;
    return blocked / (1 - utilisation * (1 - blocked));
}

/* ---- the calls of one service, one after the other ---- */

struct attempt {
    double failed, latency_s, variance; /* of one attempt */
};

static struct attempt attempt(const struct service *from, const struct call *call)
{
    const struct service *to = call->to;
    double timeout_s = (double)call->model->timeout_ns * 1e-9;
    if (service_cut_from(to, from))
        return (struct attempt){1, timeout_s, 0};
    if (!to->reachable)
        return (struct attempt){1, REFUSED_LATENCY_S, 0};
    struct attempt result = {.failed = 0};
    result.failed = 1 - to->ok * lognormal_below(to->log_mu, to->log_sigma, timeout_s);
    /* what is refused is refused at once; the latency of the service is that of what it serves */
    result.latency_s = lognormal_cut(to->log_mu, to->log_sigma, timeout_s, &result.variance);
    result.latency_s = (1 - to->refused) * result.latency_s + to->refused * REFUSED_LATENCY_S;
    return result;
}

/* 1 + x + x^2 + ... : so many are made when each goes on with chance x. */
static double chain(double x, double length)
{
    return x >= 1 ? length : (1 - exact_power(x, length)) / (1 - x);
}

/* What one call of a kind means for the request that makes it. */
struct calls {
    /* attempts made by a request that gets there, all calls of the kind together */
    double attempts;
    double latency_s, variance;
    double ok; /* chance that the request can go on behind them */
};

static struct calls calls_of(const struct service *from, const struct call *call)
{
    const struct model_call *model = call->model;
    struct attempt one = attempt(from, call);
    double attempts = chain(one.failed, model->retries + 1);
    double ok = 1 - exact_power(one.failed, model->retries + 1);
    /* a failed call that is needed ends the request: what would come behind is not made */
    double made = model->optional ? model->per_request : chain(ok, model->per_request);
    if (model->per_request < 1)
        made = model->per_request;
    return (struct calls){
        .attempts = made * attempts,
        .latency_s = made * attempts * one.latency_s,
        .variance = made * attempts * one.variance,
        .ok = model->optional ? 1 : exact_power(ok, model->per_request),
    };
}

/* ---- loads, callers first ---- */

static void spread_load(struct world *world)
{
    for (int i = 0; i < world->n_services; i++)
        world->services[i].lambda = world->services[i].callers = world->services[i].patience_s = 0;
    for (int i = 0; i < world->n_sources; i++)
        if (!world->sources[i].region_down) {
            world->sources[i].to->lambda += source_rate(world, &world->sources[i]);
            world->sources[i].to->callers = INFINITY; /* clients are as many as they like */
        }
    for (int i = 0; i < world->n_services; i++) {
        struct service *service = world->callers_first[i];
        double served = 0, servers = 0;
        for (int v = 0; v < service->model->n_versions; v++) {
            served += service->groups[v].share * (1 - service->groups[v].refused);
            servers +=
                (double)service->groups[v].instances * service->model->versions[v].concurrency;
        }
        /* half of the way to the new value: an overloaded caller and those it calls settle instead
         * of swinging */
        double wanted = served * service->lambda;
        service->served =
            served < 1 && service->served > 0 ? (service->served + wanted) / 2 : wanted;
        double reach = service->served;
        for (int j = 0; j < service->model->n_calls; j++) {
            const struct call *call = &service->calls[j];
            struct calls calls = calls_of(service, call);
            if (!service_cut_from(call->to, service))
                call->to->lambda += reach * calls.attempts;
            call->to->callers += servers;
            double patience_s = (double)call->model->timeout_ns * 1e-9;
            if (call->to->patience_s <= 0 || patience_s < call->to->patience_s)
                call->to->patience_s = patience_s;
            reach *= calls.ok;
        }
    }
}

/* ---- one service, those it calls being solved ---- */

void service_count(struct service *service)
{
    struct world *world = service->world;
    const struct model_service *model = service->model;
    double weights = 0;
    for (int v = 0; v < model->n_versions; v++) {
        service->groups[v].instances = 0;
        service->groups[v].share = 0;
        service->groups[v].slower = 0;
    }
    service->reachable = false;
    for (int i = 0; i < service->n_instances; i++) {
        const struct instance *instance = service->instances[i];
        if (!instance->in_rotation)
            continue;
        if (instance->state == INSTANCE_FAILING)
            service->reachable = true;
        if (instance->state != INSTANCE_READY)
            continue;
        const struct model_version *version = instance_model(instance);
        struct group *group = &service->groups[instance->version];
        /* what was started before the run is warm */
        bool cold = version->cold_factor > 1 && instance->started_ns > 0 &&
                    world->now_ns - instance->started_ns < version->cold_ns;
        if (cold && instance->started_ns + version->cold_ns > world->cold_until_ns)
            world->cold_until_ns = instance->started_ns + version->cold_ns;
        service->reachable = true;
        group->instances++;
        group->share += instance->weight;
        group->slower += cold ? version->cold_factor : 1;
        weights += instance->weight;
    }
    for (int v = 0; v < model->n_versions; v++) {
        struct group *group = &service->groups[v];
        if (weights > 0)
            group->share /= weights;
        if (group->instances)
            group->slower /= group->instances;
        else
            group->backlog = 0;
    }
    if (service->cut || service->region_down)
        service->reachable = false;
}

/* How long a request keeps its server, and whether what it calls lets it succeed. */
static double hold(const struct service *service, int v, struct group *group)
{
    const struct model_version *version = &service->model->versions[v];
    double variance, mean = version_mean_s(version, &variance), ok = 1;
    double slower = group->slower * service->slow_factor;
    mean = mean * slower + service->added_s;
    variance *= slower * slower;
    for (int j = 0; j < service->model->n_calls; j++) {
        struct calls calls = calls_of(service, &service->calls[j]);
        mean += ok * calls.latency_s;
        variance += ok * calls.variance;
        ok *= calls.ok;
    }
    group->hold_s = mean;
    group->hold_variance = variance;
    return ok;
}

/* Overload: what waits grows or shrinks by the second. */
static void follow_backlog(struct group *group, double capacity, double room, bool closed,
                           double passed_s)
{
    group->backlog += (group->lambda - capacity) * passed_s;
    group->refused = 0;
    if (group->backlog < 0)
        group->backlog = 0;
    if (group->backlog >= room) {
        group->backlog = room;
        if (group->lambda > capacity && !closed) /* callers that all wait send no more */
            group->refused = 1 - capacity / group->lambda;
    }
    group->wait_s = group->backlog / capacity;
    group->wait_variance = group->wait_s * group->wait_s * 0.01;
}

static void solve_group(const struct service *service, int v, double passed_s)
{
    struct group *group = &service->groups[v];
    if (!group->instances) {
        *group = (struct group){.slower = 1};
        return;
    }
    const struct model_version *version = &service->model->versions[v];
    double called_ok = hold(service, v, group);
    group->lambda = service->lambda * group->share;
    group->servers = (double)group->instances * version->concurrency;
    double capacity = group->servers / group->hold_s;
    double room = (double)group->instances * version->queue;
    /* no more can wait than callers have places to wait in, unless callers give up and leave theirs
     * behind */
    double others = service->callers * group->share - group->servers;
    bool closed = others < room && others / capacity < service->patience_s;
    if (closed)
        room = others > 0 ? others : 0;
    double load = group->lambda * group->hold_s;
    group->utilisation = load / group->servers;
    if (group->utilisation >= NEARLY_FULL || group->backlog > 0) {
        follow_backlog(group, capacity, room, closed, passed_s);
    } else {
        double waits = erlang_c(load, group->servers), spare = capacity - group->lambda;
        double squared = group->hold_variance / (group->hold_s * group->hold_s);
        double mean = spare > 0 ? (1 + squared) / 2 / spare : 0; /* of those who wait */
        group->wait_s = waits * mean;
        if (waits > 0 && mean > room / capacity / waits)
            mean = room / capacity / waits;
        group->wait_s = waits * mean;
        group->wait_variance = (2 * waits - waits * waits) * mean * mean;
        group->refused = 0;
    }
    group->latency_s = group->wait_s + group->hold_s;
    group->latency_variance = group->wait_variance + group->hold_variance;
    group->ok = called_ok * (1 - version->errors) * (1 - service->error_ratio) *
                (1 - group->refused) * (1 - service->writes[v].unwritten);
}

static void solve_service(struct service *service, double passed_s)
{
    double ok = 0, mean = 0, square = 0, shares = 0, refused = 0;
    service_count(service);
    for (int v = 0; v < service->model->n_versions; v++) {
        solve_group(service, v, passed_s);
        const struct group *group = &service->groups[v];
        double share = group->share * (1 - group->refused); /* of what is served */
        ok += group->share * group->ok;
        mean += share * group->latency_s;
        square += share * (group->latency_variance + group->latency_s * group->latency_s);
        shares += share;
        refused += group->share * group->refused;
    }
    if (shares > 0) {
        mean /= shares;
        square /= shares;
    }
    service->refused = refused;
    if (!service->reachable || shares <= 0) {
        ok = 0;
        mean = REFUSED_LATENCY_S;
        square = mean * mean;
    }
    service->ok = ok;
    service->latency_variance = square > mean * mean ? square - mean * mean : 0;
    lognormal_fit(mean, service->latency_variance, &service->log_mu, &service->log_sigma);
    service->latency_s = (1 - refused) * mean + refused * REFUSED_LATENCY_S;
}

static bool anything_waits(const struct world *world)
{
    for (int i = 0; i < world->n_services; i++)
        for (int v = 0; v < world->services[i].model->n_versions; v++)
            if (world->services[i].groups[v].backlog > 0 ||
                world->services[i].groups[v].utilisation >= NEARLY_FULL)
                return true;
    return false;
}

static void solve_source(struct world *world, struct source *source)
{
    const struct service *to = source->to;
    const struct model_traffic *model = source->model;
    double unwritten = 0;
    for (int j = 0; j < model->n_writes; j++)
        if (!source->accepted[j])
            unwritten += model->writes[j].ratio;
    if (unwritten > 1)
        unwritten = 1;
    double timeout_s = (double)model->timeout_ns * 1e-9;
    double in_time = lognormal_below(to->log_mu, to->log_sigma, timeout_s), soon = in_time;
    if (world->model->indicator.within_ns) {
        double within_s = (double)world->model->indicator.within_ns * 1e-9;
        if (within_s < timeout_s)
            soon = lognormal_below(to->log_mu, to->log_sigma, within_s);
    }
    bool gone = source->region_down || to->cut || to->region_down;
    source->unwritten = unwritten;
    source->ok = gone ? 0 : to->ok * in_time * (1 - unwritten);
    source->good = gone ? 0 : to->ok * soon * (1 - unwritten);
    source->timed_out = gone ? 0 : to->ok * (1 - in_time) * (1 - unwritten);
}

static void solve(struct world *world, double passed_s)
{
    world->flow_stale = false;
    world->flow_solved_ns = world->now_ns;
    /* twice: retries load those who are called, and their answers decide the retries */
    for (int round = 0; round < 2; round++) {
        spread_load(world);
        for (int i = world->n_services; i-- > 0;)
            solve_service(world->callers_first[i], round == 0 ? passed_s : 0);
    }
    for (int i = 0; i < world->n_sources; i++)
        solve_source(world, &world->sources[i]);
}

void flow_refresh(struct world *world)
{
    traffic_ask_stores(world);
    if (!world->flow_stale)
        return;
    if (world->model->grain == GRAIN_REQUEST)
        requests_recount(world);
    else
        solve(world, 0);
}

void flow_tick(struct world *world)
{
    bool due = world->now_ns - world->flow_solved_ns >= SOLVE_AGAIN_NS;
    bool waits = anything_waits(world);
    if (world->flow_stale || due || waits || world->cold_until_ns > world->now_ns)
        solve(world, waits ? (double)TICK_NS * 1e-9 : 0);
    for (int i = 0; i < world->n_services; i++) {
        struct service *service = &world->services[i];
        service->requests_total += service->lambda;
        service->errors_total += service->lambda * (1 - service->ok);
        service->latency_total_s += service->lambda * service->latency_s;
    }
}
