/* The flow grain: what requests meet on average, solved anew whenever something changes.
 *
 * Every version of a service is one queue M/G/c: Erlang C for the chance to wait, scaled by (1 + cv^2) / 2
 * (Lee and Longton 1959) for service times that are not exponential. A request holds its server for its own work and for
 * the calls it makes, so a slow dependency uses its callers up: failures spread by themselves. Where more arrives than can
 * be served, the queue grows second by second to its limit and what comes then is refused. Latencies are sums of
 * independent parts, fitted by a lognormal of the same mean and variance (Fenton 1960).
 *
 * The indicator and all ratios are these expectations; only numbers of requests and records are drawn.
 */
#include "sim/world/parts.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "sim/base/xalloc.h"

#define SOLVE_AGAIN_NS    (10 * SECOND) /* the daily shape moves slowly */
#define REFUSED_LATENCY_S 0.001         /* an answer of "connection refused" or of a full queue */
#define NEARLY_FULL       0.995         /* utilisation from which a queue is followed second by second */
static const double NORMAL_P99 = 2.3263478740408408;

double version_mean_s(const struct model_version *version, double *ret_variance)
{
    double mu = exact_log((double)version->p50_ns * 1e-9);
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
    double second = mean * mean * exact_exp(sigma * sigma) * normal_cdf(z - 2 * sigma) + limit * limit * above;
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

/* ---- one call from one service to another ---- */

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
    result.latency_s = lognormal_cut(to->log_mu, to->log_sigma, timeout_s, &result.variance);
    return result;
}

static double attempts_made(double failed, int retries)
{
    double sum = 0, still = 1;
    for (int i = 0; i <= retries; i++) {
        sum += still;
        still *= failed;
    }
    return sum;
}

static double all_failed(double failed, int retries)
{
    double product = 1;
    for (int i = 0; i <= retries; i++)
        product *= failed;
    return product;
}

/* ---- loads, callers first ---- */

double source_rate(const struct world *world, const struct source *source)
{
    double rate = source->model->rate_per_s * source->factor;
    if (source->model->daily) {
        int64_t of_day_ns = (world->model->start_unix_ns + world->now_ns) % DAY;
        /* highest at 15:00, lowest at 03:00 */
        rate *= 1 + 0.6 * exact_sine_turn((double)(of_day_ns - 9 * HOUR) / (double)DAY);
    }
    return rate;
}

static void spread_load(struct world *world)
{
    for (int i = 0; i < world->n_services; i++)
        world->services[i].lambda = 0;
    for (int i = 0; i < world->n_sources; i++)
        if (!world->sources[i].region_down)
            world->sources[i].to->lambda += source_rate(world, &world->sources[i]);
    for (int i = 0; i < world->n_services; i++) {
        struct service *service = world->callers_first[i];
        double served = 0;
        for (int v = 0; v < service->model->n_versions; v++)
            served += service->groups[v].share * (1 - service->groups[v].refused);
        served *= service->lambda;
        for (int j = 0; j < service->model->n_calls; j++) {
            const struct call *call = &service->calls[j];
            if (service_cut_from(call->to, service))
                continue;
            double failed = attempt(service, call).failed;
            call->to->lambda += served * call->model->per_request * attempts_made(failed, call->model->retries);
        }
    }
}

/* ---- one service, those it calls being solved ---- */

static void count_instances(struct service *service)
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
        bool cold = version->cold_factor > 1 && world->started &&
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
        const struct call *call = &service->calls[j];
        struct attempt one = attempt(service, call);
        int retries = call->model->retries;
        double made = attempts_made(one.failed, retries) * call->model->per_request;
        mean += made * one.latency_s;
        variance += made * one.variance;
        if (!call->model->optional)
            ok *= exact_power(1 - all_failed(one.failed, retries), call->model->per_request);
    }
    group->hold_s = mean;
    group->hold_variance = variance;
    return ok;
}

/* Overload: what waits grows or shrinks by the second. */
static void follow_backlog(struct group *group, double capacity, double room, double passed_s)
{
    group->backlog += (group->lambda - capacity) * passed_s;
    group->refused = 0;
    if (group->backlog < 0)
        group->backlog = 0;
    if (group->backlog >= room) {
        group->backlog = room;
        if (group->lambda > capacity)
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
    double load = group->lambda * group->hold_s;
    group->utilisation = load / group->servers;
    if (group->utilisation >= NEARLY_FULL || group->backlog > 0) {
        follow_backlog(group, capacity, room, passed_s);
    } else {
        double waits = erlang_c(load, group->servers), spare = capacity - group->lambda;
        double squared = group->hold_variance / (group->hold_s * group->hold_s);
        double mean = spare > 0 ? (1 + squared) / 2 / spare : 0; /* of those who wait */
        group->wait_s = waits * mean;
        group->wait_variance = (2 * waits - waits * waits) * mean * mean;
        group->refused = 0;
    }
    group->latency_s = group->wait_s + group->hold_s;
    group->latency_variance = group->wait_variance + group->hold_variance;
    group->ok = called_ok * (1 - version->errors) * (1 - service->error_ratio) * (1 - group->refused) *
                (1 - service->writes[v].unwritten);
}

static void solve_service(struct service *service, double passed_s)
{
    double ok = 0, mean = 0, square = 0, shares = 0;
    count_instances(service);
    for (int v = 0; v < service->model->n_versions; v++) {
        solve_group(service, v, passed_s);
        const struct group *group = &service->groups[v];
        ok += group->share * group->ok;
        mean += group->share * group->latency_s;
        square += group->share * (group->latency_variance + group->latency_s * group->latency_s);
        shares += group->share;
    }
    if (!service->reachable || shares <= 0) {
        ok = 0;
        mean = REFUSED_LATENCY_S;
        square = mean * mean;
    }
    service->ok = ok;
    service->latency_s = mean;
    service->latency_variance = square > mean * mean ? square - mean * mean : 0;
    lognormal_fit(service->latency_s, service->latency_variance, &service->log_mu, &service->log_sigma);
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

static void ask_for_version(struct world *world, struct service *service, int v)
{
    const struct model_version *version = &service->model->versions[v];
    struct version_writes *writes = &service->writes[v];
    writes->unwritten = 0;
    for (int j = 0; j < version->n_writes; j++) {
        bool accepted = store_takes(writes->stores[j], version->writes[j].table);
        if (accepted != writes->accepted[j])
            world->flow_stale = true;
        writes->accepted[j] = accepted;
        writes->unwritten += accepted ? 0 : version->writes[j].ratio;
    }
    if (writes->unwritten > 1)
        writes->unwritten = 1;
}

static void ask_stores(struct world *world)
{
    for (int i = 0; i < world->n_services; i++)
        for (int v = 0; v < world->services[i].model->n_versions; v++)
            ask_for_version(world, &world->services[i], v);
    for (int i = 0; i < world->n_sources; i++) {
        struct source *source = &world->sources[i];
        for (int j = 0; j < source->model->n_writes; j++) {
            bool accepted = store_takes(source->stores[j], source->model->writes[j].table);
            if (accepted != source->accepted[j])
                world->flow_stale = true;
            source->accepted[j] = accepted;
        }
    }
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
    ask_stores(world);
    if (world->flow_stale)
        solve(world, 0);
}

/* ---- once a second ---- */

static void draw(struct world *world, struct source *source)
{
    const struct model_traffic *model = source->model;
    int64_t n = stream_poisson(&source->stream, source_rate(world, source) * (double)TICK_NS * 1e-9);
    int64_t ok = stream_binomial(&source->stream, n, source->ok);
    int64_t good = source->ok > 0 ? stream_binomial(&source->stream, ok, source->good / source->ok) : 0;
    int64_t timed_out = 0;
    if (source->timed_out > 0 && source->ok < 1)
        timed_out = stream_binomial(&source->stream, n - ok, source->timed_out / (1 - source->ok));
    source->requests_total += (double)n;
    source->good_total += (double)good;
    source->errors_total += (double)(n - ok);
    source->late_total += (double)(ok - good);
    for (int j = 0; j < model->n_writes; j++) {
        if (!source->accepted[j])
            continue;
        /* a request that came through wrote nothing that was not accepted */
        double ratio = source->unwritten < 1 ? model->writes[j].ratio / (1 - source->unwritten) : 0;
        int64_t since_ns = world->now_ns - TICK_NS;
        store_write(source->stores[j], model->writes[j].table,
                    stream_binomial(&source->stream, ok, ratio < 1 ? ratio : 1), since_ns);
        if (timed_out)
            store_write_unknown(source->stores[j], model->writes[j].table,
                                stream_binomial(&source->stream, timed_out, model->writes[j].ratio), since_ns);
    }
}

/* What versions write by themselves, whoever asked them. */
static void draw_versions(struct world *world, struct service *service)
{
    for (int v = 0; v < service->model->n_versions; v++) {
        const struct model_version *version = &service->model->versions[v];
        const struct group *group = &service->groups[v];
        struct version_writes *writes = &service->writes[v];
        double answered = group->lambda * group->ok * (double)TICK_NS * 1e-9;
        for (int j = 0; j < version->n_writes; j++) {
            if (!writes->accepted[j] || writes->unwritten >= 1 || answered <= 0)
                continue;
            /* a request that came through wrote nothing that was not accepted */
            double ratio = version->writes[j].ratio / (1 - writes->unwritten);
            struct stream *stream = world_stream(world, service->model->name, version->writes[j].table);
            store_write(writes->stores[j], version->writes[j].table,
                        stream_poisson(stream, answered * (ratio < 1 ? ratio : 1)), world->now_ns - TICK_NS);
        }
    }
}

static double indicator(const struct world *world)
{
    double all = 0, good = 0;
    for (int i = 0; i < world->n_sources; i++) {
        double rate = source_rate(world, &world->sources[i]);
        all += rate;
        good += rate * world->sources[i].good;
    }
    return all > 0 ? good / all : 1;
}

static void tick(struct world *world, void *ctx)
{
    (void)ctx;
    ask_stores(world);
    bool due = world->now_ns - world->flow_solved_ns >= SOLVE_AGAIN_NS;
    bool waits = anything_waits(world);
    if (world->flow_stale || due || waits || world->cold_until_ns > world->now_ns)
        solve(world, waits ? (double)TICK_NS * 1e-9 : 0);
    for (int i = 0; i < world->n_sources; i++)
        draw(world, &world->sources[i]);
    for (int i = 0; i < world->n_services; i++) {
        struct service *service = &world->services[i];
        draw_versions(world, service);
        service->requests_total += service->lambda;
        service->errors_total += service->lambda * (1 - service->ok);
        service->latency_total_s += service->lambda * service->latency_s;
    }
    services_tick(world);
    judge_indicator(world, indicator(world));
    stores_tick(world);
    world_schedule(world, world->now_ns + TICK_NS, PRIORITY_TICK, tick, NULL);
}

static void find_stores(struct world *world, struct service *service)
{
    for (int v = 0; v < service->model->n_versions; v++) {
        const struct model_version *version = &service->model->versions[v];
        struct version_writes *writes = &service->writes[v];
        writes->stores = xcalloc((size_t)version->n_writes + 1, sizeof *writes->stores);
        writes->accepted = xcalloc((size_t)version->n_writes + 1, sizeof *writes->accepted);
        for (int j = 0; j < version->n_writes; j++)
            writes->stores[j] = world_store(world, version->writes[j].store);
    }
}

void flow_init(struct world *world)
{
    const struct model *model = world->model;
    for (int i = 0; i < world->n_services; i++)
        find_stores(world, &world->services[i]);
    world->n_sources = model->n_traffic;
    world->sources = xcalloc((size_t)model->n_traffic, sizeof *world->sources);
    for (int i = 0; i < model->n_traffic; i++) {
        struct source *source = &world->sources[i];
        source->model = &model->traffic[i];
        source->to = world_service(world, source->model->to);
        source->factor = 1;
        source->stores = xcalloc((size_t)source->model->n_writes, sizeof *source->stores);
        source->accepted = xcalloc((size_t)source->model->n_writes, sizeof *source->accepted);
        for (int j = 0; j < source->model->n_writes; j++)
            source->stores[j] = world_store(world, source->model->writes[j].store);
        stream_init(&source->stream, world->seed, 0, source->model->name, "requests");
    }
    world->flow_stale = true;
    world_schedule(world, TICK_NS, PRIORITY_TICK, tick, NULL);
}

void flow_release(struct world *world)
{
    for (int i = 0; i < world->n_sources; i++) {
        free(world->sources[i].stores);
        free(world->sources[i].accepted);
    }
    free(world->sources);
}
