/* Traffic: who sends requests, how many, and what they write. Shared by both grains; the tick of
 * the world is here. */
#include "sim/world/parts.h"

#include <stdlib.h>
#include <string.h>

#include "sim/base/xalloc.h"

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

void traffic_ask_stores(struct world *world)
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

/* ---- once a second ---- */

static void draw(struct world *world, struct source *source)
{
    const struct model_traffic *model = source->model;
    int64_t n =
        stream_poisson(&source->stream, source_rate(world, source) * (double)TICK_NS * 1e-9);
    int64_t ok = stream_binomial(&source->stream, n, source->ok);
    int64_t good =
        source->ok > 0 ? stream_binomial(&source->stream, ok, source->good / source->ok) : 0;
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
                                stream_binomial(&source->stream, timed_out, model->writes[j].ratio),
                                since_ns);
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
            struct stream *stream =
                world_stream(world, service->model->name, version->writes[j].table);
            store_write(writes->stores[j], version->writes[j].table,
                        stream_poisson(stream, answered * (ratio < 1 ? ratio : 1)),
                        world->now_ns - TICK_NS);
        }
    }
}

static double indicator(const struct world *world, double *ret_all)
{
    double all = 0, good = 0;
    for (int i = 0; i < world->n_sources; i++) {
        double rate = source_rate(world, &world->sources[i]);
        all += rate;
        good += rate * world->sources[i].good;
    }
    *ret_all = all;
    return all > 0 ? good / all : 1;
}

static void tick(struct world *world, void *ctx)
{
    (void)ctx;
    double ratio, all;
    traffic_ask_stores(world);
    if (world->model->grain == GRAIN_REQUEST) {
        ratio = requests_tick(world);
        (void)indicator(world, &all);
    } else {
        flow_tick(world);
        for (int i = 0; i < world->n_sources; i++)
            draw(world, &world->sources[i]);
        for (int i = 0; i < world->n_services; i++)
            draw_versions(world, &world->services[i]);
        ratio = indicator(world, &all);
    }
    services_tick(world);
    judge_indicator(world, ratio, all * ((double)TICK_NS / SECOND));
    stores_tick(world);
    world_post(world, world->now_ns + TICK_NS, PRIORITY_TICK, tick, NULL);
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

void traffic_init(struct world *world)
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

void traffic_release(struct world *world)
{
    for (int i = 0; i < world->n_sources; i++) {
        free(world->sources[i].stores);
        free(world->sources[i].accepted);
    }
    free(world->sources);
}
