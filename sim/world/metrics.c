/* Metrics: what a monitoring system would scrape, every few seconds and not sooner.
 *
 * A name is either one of the world as a whole ("error_ratio", "health_ok", "components_unhealthy",
 * "postgres_up") or one of a service, with a selector: latency_p99_seconds{service="api"}. Every
 * metric that a trigger uses is sampled at each scrape and kept, so that triggers see what a
 * monitoring system sees and not more.
 */
#include "sim/world/metrics.h"

#include <assert.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sim/base/xalloc.h"

/* Of a hundred users who meet an error, one in twenty complains (assumed; set your own threshold on
 * it). */
#define COMPLAINTS_PER_BAD_REQUEST 0.0005

/* Of the shown series together, over the whole run; where it would be more, samples are further
 * apart. */
enum { SHOWN_MAX = 4000000 };

struct metrics {
    struct sampled **at;
    int n, cap;
    double requests, errors, late;               /* totals at the last scrape */
    double last_requests, last_errors, last_bad; /* during the last interval */
    double complaints;
    int64_t scrapes, shown_each; /* every so many scrapes the shown series get a sample */
    struct series **shown;       /* per service four, then one per store */
};

/* ---- present values of one service ---- */

static double memory_ratio(const struct service *service)
{
    double highest = 0;
    for (int i = 0; i < service->n_instances; i++) {
        const struct instance *instance = service->instances[i];
        const struct model_version *version = instance_model(instance);
        if (instance->state == INSTANCE_STOPPED || !version->memory_limit_bytes)
            continue;
        double ratio = instance->memory_bytes / (double)version->memory_limit_bytes;
        if (ratio > highest)
            highest = ratio;
    }
    return highest;
}

static double busiest(const struct service *service)
{
    double highest = 0;
    for (int v = 0; v < service->model->n_versions; v++)
        if (service->groups[v].utilisation > highest)
            highest = service->groups[v].utilisation;
    return highest < 1 ? highest : 1;
}

static double waiting(const struct service *service)
{
    double sum = 0;
    for (int v = 0; v < service->model->n_versions; v++)
        sum += service->groups[v].backlog > 0
                   ? service->groups[v].backlog
                   : service->groups[v].lambda * service->groups[v].wait_s;
    return sum;
}

static double memory_bytes(const struct service *service)
{
    double sum = 0;
    for (int i = 0; i < service->n_instances; i++)
        if (service->instances[i]->state != INSTANCE_STOPPED)
            sum += service->instances[i]->memory_bytes;
    return sum;
}

static bool answers(const struct service *service)
{
    return service->reachable && service_ready(service) > 0;
}

static double quantile(double mu, double sigma, double z)
{
    return exact_exp(mu + sigma * z);
}

static double service_quantile(const struct service *service, double share, double z)
{
    double value;
    if (requests_quantile(service, share, &value))
        return value;
    if (service->refused > 0) { /* the fastest answers are refusals */
        if (share <= service->refused)
            return 0.001;
        z = normal_quantile((share - service->refused) / (1 - service->refused));
    }
    return quantile(service->log_mu, service->log_sigma, z);
}
#define Z_95 1.6448536269514722
#define Z_99 2.3263478740408408

static const char *const service_metric_names[] = {
    "requests_total",
    "errors_total",
    "error_ratio",
    "success_ratio",
    "requests_per_second",
    "latency_seconds",
    "latency_p50_seconds",
    "latency_p95_seconds",
    "latency_p99_seconds",
    "ready_replicas",
    "replicas",
    "up",
    "memory_ratio",
    "memory_bytes",
    "cpu_ratio",
    "restarts_total",
    "queue_length",
    "health_ok",
    NULL,
};

bool service_metric(const struct service *service, const char *metric, double *ret)
{
    int i = 0;
    while (service_metric_names[i] && strcmp(service_metric_names[i], metric) != 0)
        i++;
    switch (i) {
    case 0:
        *ret = service->requests_total;
        return true;
    case 1:
        *ret = service->errors_total;
        return true;
    case 2:
        *ret = 1 - service->ok;
        return true;
    case 3:
        *ret = service->ok;
        return true;
    case 4:
        *ret = service->lambda;
        return true;
    case 5:
        *ret = service->latency_s;
        return true;
    case 6:
        *ret = service_quantile(service, 0.5, 0);
        return true;
    case 7:
        *ret = service_quantile(service, 0.95, Z_95);
        return true;
    case 8:
        *ret = service_quantile(service, 0.99, Z_99);
        return true;
    case 9:
        *ret = service_ready(service);
        return true;
    case 10:
        *ret = service->n_instances;
        return true;
    case 11:
        *ret = answers(service);
        return true;
    case 12:
        *ret = memory_ratio(service);
        return true;
    case 13:
        *ret = memory_bytes(service);
        return true;
    case 14:
        *ret = busiest(service);
        return true;
    case 15:
        *ret = (double)service->restarts_total;
        return true;
    case 16:
        *ret = waiting(service);
        return true;
    case 17:
        *ret = answers(service) && service->ok >= 0.5;
        return true;
    default:
        return false;
    }
}

/* ---- present values of the whole ---- */

/* Latency as users meet it: all sources together. */
static void overall_latency(const struct world *world, double *ret_mean, double *ret_mu,
                            double *ret_sigma)
{
    double rates = 0, mean = 0, square = 0;
    for (int i = 0; i < world->n_sources; i++) {
        const struct service *to = world->sources[i].to;
        double rate = source_rate(world, &world->sources[i]);
        rates += rate;
        mean += rate * to->latency_s;
        square += rate * (to->latency_variance + to->latency_s * to->latency_s);
    }
    if (rates > 0) {
        mean /= rates;
        square /= rates;
    }
    *ret_mean = mean;
    lognormal_fit(mean, square > mean * mean ? square - mean * mean : 0, ret_mu, ret_sigma);
}

static double overall_health(struct world *world)
{
    for (int i = 0; i < world->n_sources; i++)
        if (!service_probe(world->sources[i].to).ok)
            return 0;
    return 1;
}

static double unhealthy(const struct world *world)
{
    double count = 0;
    for (int i = 0; i < world->n_services; i++)
        count += !answers(&world->services[i]) || world->services[i].ok < 0.9;
    return count;
}

static double up_ratio(const struct world *world)
{
    double ready = 0, wanted = 0;
    for (int i = 0; i < world->n_services; i++) {
        int replicas = world->services[i].model->replicas, has = service_ready(&world->services[i]);
        wanted += replicas;
        ready += has < replicas ? has : replicas;
    }
    return wanted > 0 ? ready / wanted : 1;
}

static double restarts(const struct world *world)
{
    double sum = 0;
    for (int i = 0; i < world->n_services; i++)
        sum += (double)world->services[i].restarts_total;
    return sum;
}

static double highest(const struct world *world, double (*of)(const struct service *))
{
    double value = 0;
    for (int i = 0; i < world->n_services; i++)
        if (of(&world->services[i]) > value)
            value = of(&world->services[i]);
    return value;
}

static const char *const overall_names[] = {
    "error_ratio",
    "success_ratio",
    "http_requests_total",
    "http_errors_total",
    "requests_total",
    "errors_total",
    "latency_seconds",
    "latency_p50_seconds",
    "latency_p95_seconds",
    "latency_p99_seconds",
    "health_ok",
    "service_up_ratio",
    "service_restarts_total",
    "components_unhealthy",
    "incident_active",
    "incident_severity",
    "affected_users_ratio",
    "memory_ratio",
    "cpu_ratio",
    "user_complaints",
    "indicator",
    "requests_per_second",
    NULL,
};

static double overall(struct world *world, int which)
{
    const struct metrics *metrics = world->metrics;
    double mean, mu, sigma, interval_s = (double)world->model->metrics.every_ns * 1e-9;
    overall_latency(world, &mean, &mu, &sigma);
    double failed =
        metrics->last_requests > 0 ? metrics->last_errors / metrics->last_requests : NAN;
    switch (which) {
    case 0:
        return failed;
    case 1:
        return 1 - failed;
    case 2:
    case 4:
        return metrics->requests;
    case 3:
    case 5:
        return metrics->errors;
    case 6:
        return mean;
    case 7:
        return quantile(mu, sigma, 0);
    case 8:
        return quantile(mu, sigma, Z_95);
    case 9:
        return quantile(mu, sigma, Z_99);
    case 10:
        return overall_health(world);
    case 11:
        return up_ratio(world);
    case 12:
        return restarts(world);
    case 13:
        return unhealthy(world);
    case 14:
        return !world->judge.in_target;
    case 15:
        return world->judge.in_target ? NAN : (world->judge.down ? 0 : 1);
    case 16:
        return 1 - world->judge.ratio;
    case 17:
        return highest(world, memory_ratio);
    case 18:
        return highest(world, busiest);
    case 19:
        return metrics->complaints;
    case 20:
        return world->judge.ratio;
    case 21:
        return metrics->last_requests / interval_s;
    default:
        return NAN;
    }
}

static int name_index(const char *const *names, struct str name)
{
    for (int i = 0; names[i]; i++)
        if (str_is(name, names[i]))
            return i;
    return -1;
}

/* ---- what a trigger names ---- */

/* Splits name{service="x"}; false if it is malformed. */
static bool split_name(const char *text, struct str *ret_name, struct str *ret_service)
{
    struct str rest = str_of(text);
    *ret_service = (struct str){0};
    *ret_name = str_cut(&rest, '{');
    if (ret_name->len == strlen(text))
        return true;
    if (!str_ends(rest, "}"))
        return false;
    rest.len--;
    struct str label = str_trim(str_cut(&rest, '='));
    struct str value = str_trim(rest);
    if (value.len < 2 || value.at[0] != '"' || value.at[value.len - 1] != '"')
        return false;
    if (!str_is(label, "service") && !str_is(label, "job"))
        return false;
    *ret_service = (struct str){value.at + 1, value.len - 2};
    return true;
}

static const char *const baseline_suffixes[] = {"_hourly_baseline", "_baseline", NULL};

/* The metric behind "latency_seconds_baseline", or an empty slice. */
static struct str baseline_of(struct str name)
{
    for (int i = 0; baseline_suffixes[i]; i++)
        if (str_ends(name, baseline_suffixes[i]))
            return (struct str){name.at, name.len - strlen(baseline_suffixes[i])};
    return (struct str){0};
}

/* The service or store behind "postgres_up", or an empty slice. */
static struct str up_of(struct str name)
{
    return str_ends(name, "_up") ? (struct str){name.at, name.len - 3} : (struct str){0};
}

static bool has_service(const struct model *model, struct str name)
{
    for (int i = 0; i < model->n_services; i++)
        if (str_is(name, model->services[i].name))
            return true;
    return false;
}

static bool has_store(const struct model *model, struct str name)
{
    for (int i = 0; i < model->n_stores; i++)
        if (str_is(name, model->stores[i].name))
            return true;
    return false;
}

static int no_metric(struct str name, const char *const *names, const char *of, struct error *error)
{
    const char *near = str_nearest(name, names);
    if (near)
        return error_set(error, ERROR_INPUT, "no metric '%.*s'%s; did you mean '%s'?",
                         STR_ARG(name), of, near);
    return error_set(error, ERROR_INPUT,
                     "no metric '%.*s'%s; the README of procedures/drill lists them", STR_ARG(name),
                     of);
}

int metric_check(const struct model *model, const char *text, struct error *error)
{
    struct str name, service;
    if (!split_name(text, &name, &service))
        return error_set(
            error, ERROR_INPUT,
            "'%s' is no metric; a service's is written latency_p99_seconds{service=\"NAME\"}",
            text);
    struct str base = baseline_of(name), up = up_of(name);
    if (base.len)
        name = base;
    if (service.len && !has_service(model, service))
        return error_set(error, ERROR_INPUT, "no service '%.*s', of which '%s' would be",
                         STR_ARG(service), text);
    if (service.len)
        return name_index(service_metric_names, name) >= 0
                   ? 0
                   : no_metric(name, service_metric_names, " of a service", error);
    if (name_index(overall_names, name) >= 0 ||
        (up.len && (has_service(model, up) || has_store(model, up))))
        return 0;
    if (name_index(service_metric_names, name) >= 0)
        return error_set(error, ERROR_INPUT, "'%.*s' is a service's: write %.*s{service=\"NAME\"}",
                         STR_ARG(name), STR_ARG(name));
    return no_metric(name, overall_names, "", error);
}

static double present(struct world *world, struct sampled *sampled)
{
    double value = NAN;
    if (sampled->service)
        return service_metric(sampled->service, sampled->metric, &value) ? value : NAN;
    if (sampled->up_of)
        return answers(sampled->up_of);
    if (sampled->up_store)
        return store_in_service(sampled->up_store);
    return overall(world, sampled->overall);
}

static void resolve(struct world *world, struct sampled *sampled)
{
    struct str name, service;
    sampled->overall = -1;
    if (!split_name(sampled->name, &name, &service))
        return;
    struct str base = baseline_of(name);
    sampled->is_baseline = base.len > 0;
    sampled->scale = 1;
    if (str_ends(name, "_hourly_baseline")) /* a count for each interval becomes one for an hour */
        sampled->scale = (double)HOUR / (double)world->model->metrics.every_ns;
    if (base.len)
        name = base;
    sampled->metric = arena_str(&world->arena, name);
    if (service.len) {
        sampled->service = world_service(world, arena_str(&world->arena, service));
        return;
    }
    sampled->overall = name_index(overall_names, name);
    struct str up = up_of(name);
    if (sampled->overall < 0 && up.len) {
        const char *subject = arena_str(&world->arena, up);
        sampled->up_of = world_service(world, subject);
        sampled->up_store = world_store(world, subject);
    }
}

struct sampled *metric_watch(struct world *world, const char *name)
{
    struct metrics *metrics = world->metrics;
    for (int i = 0; i < metrics->n; i++)
        if (strcmp(metrics->at[i]->name, name) == 0)
            return metrics->at[i];
    XGROW(metrics->at, metrics->n, metrics->cap);
    struct sampled *sampled = ARENA_NEW(&world->arena, struct sampled);
    sampled->name = arena_strdup(&world->arena, name);
    sampled->series = record_series(world->record, "scraped", name, "");
    resolve(world, sampled);
    metrics->at[metrics->n++] = sampled;
    return sampled;
}

/* What is not there leaves a NaN, which ends the sample before it at once: Prometheus' marker of
 * staleness. */
static void sample(struct world *world, struct sampled *sampled)
{
    const struct service *of = sampled->service ? sampled->service : sampled->up_of;
    double value = metrics_are_blind(world, of) ? NAN : present(world, sampled);
    if (sampled->is_baseline) {
        /* the mean up to the change, frozen there */
        if (world->record->instants[T_CHANGE] == NEVER && value == value) {
            sampled->sum += value;
            sampled->count++;
        }
        value = sampled->count ? sampled->sum / sampled->count * sampled->scale : NAN;
    }
    if (world->on_scrape.call)
        value = world->on_scrape.call(world, sampled->name, value, world->on_scrape.ctx);
    series_add(sampled->series, world->now_ns, value);
}

int sampled_at(const struct sampled *sampled, int64_t at_ns)
{
    const struct series *series = sampled->series;
    int low = 0, high = series->n;
    while (low < high) {
        int middle = low + (high - low) / 2;
        if (series->at_ns[middle] <= at_ns)
            low = middle + 1;
        else
            high = middle;
    }
    return low - 1;
}

double sampled_value(const struct sampled *sampled, int64_t at_ns, int64_t lookback_ns)
{
    int i = sampled_at(sampled, at_ns);
    return i >= 0 && sampled->series->at_ns[i] > at_ns - lookback_ns ? sampled->series->value[i]
                                                                     : NAN;
}

/* ---- the scrape ---- */

static void record_series_of(struct world *world)
{
    static const struct {
        const char *name, *unit;
    } shown[] = {
        {"success_ratio", "ratio"},
        {"latency_p99_seconds", "seconds"},
        {"requests_per_second", "per_second"},
        {"ready_replicas", "count"},
    };
    struct metrics *metrics = world->metrics;
    int n = (int)(sizeof shown / sizeof *shown);
    if (!metrics->shown) {
        int64_t scrapes = (world_horizon(world) + HOUR) / world->model->metrics.every_ns + 1;
        metrics->shown_each = 1 + scrapes * (world->n_services * n + world->n_stores) / SHOWN_MAX;
        metrics->shown = xcalloc((size_t)world->n_services * (size_t)n + (size_t)world->n_stores,
                                 sizeof *metrics->shown);
        for (int i = 0; i < world->n_services; i++) {
            const char *labels =
                arena_printf(&world->arena, "service=%s", world->services[i].model->name);
            for (int j = 0; j < n; j++)
                metrics->shown[i * n + j] =
                    record_series(world->record, shown[j].name, labels, shown[j].unit);
        }
        for (int i = 0; i < world->n_stores; i++)
            metrics->shown[world->n_services * n + i] = record_series(
                world->record, "records",
                arena_printf(&world->arena, "store=%s", world->stores[i].model->name), "count");
    }
    if (metrics->scrapes++ % metrics->shown_each)
        return;
    for (int i = 0; i < world->n_services; i++)
        for (int j = 0; j < n; j++) {
            double value = NAN;
            service_metric(&world->services[i], shown[j].name, &value);
            series_add(metrics->shown[i * n + j], world->now_ns, value);
        }
    for (int i = 0; i < world->n_stores; i++) {
        const struct store *store = &world->stores[i];
        double count = 0;
        for (int j = 0; j < store->n_tracked; j++) {
            const struct idset *rows = dataset_rows(store->serving, store->tracked[j].name);
            count += rows ? (double)idset_count(rows) : 0;
        }
        series_add(metrics->shown[world->n_services * n + i], world->now_ns, count);
    }
}

static void scrape(struct world *world, void *ctx)
{
    (void)ctx;
    struct metrics *metrics = world->metrics;
    double requests = 0, errors = 0, late = 0;
    flow_refresh(world);
    requests_scraped(world);
    for (int i = 0; i < world->n_sources; i++) {
        requests += world->sources[i].requests_total;
        errors += world->sources[i].errors_total;
        late += world->sources[i].late_total;
    }
    metrics->last_requests = requests - metrics->requests;
    metrics->last_errors = errors - metrics->errors;
    double bad = metrics->last_errors + late - metrics->late;
    metrics->requests = requests;
    metrics->errors = errors;
    metrics->late = late;
    metrics->complaints = (double)stream_poisson(world_stream(world, "users", "complaints"),
                                                 bad * COMPLAINTS_PER_BAD_REQUEST);
    record_series_of(world);
    for (int i = 0; i < metrics->n; i++)
        sample(world, metrics->at[i]);
    world_schedule(world, world->now_ns + world->model->metrics.every_ns, PRIORITY_SCRAPE, scrape,
                   NULL);
}

void metrics_init(struct world *world)
{
    world->metrics = xcalloc(1, sizeof *world->metrics);
    world_schedule(world, world->model->metrics.every_ns, PRIORITY_SCRAPE, scrape, NULL);
}

void metrics_release(struct world *world)
{
    free(world->metrics->at);
    free(world->metrics->shown);
    free(world->metrics);
}
