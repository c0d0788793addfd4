/* bench_world: the simulated world. Prints wall times (best of some) beside their limits.
 *   bench_world          all of it
 *   bench_world flow     one hour at that grain, for a profiler; likewise request
 *   bench_world ledger   only the ledger of ten million records, to see its memory */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

#include "procedures/drill/model_load.h"
#include "sim/world/store.h"
#include "sim/world/world.h"

static double seconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

#define FIVE_SERVICES                                                                              \
    "format: rehearse.system/1\n"                                                                  \
    "indicator: {good: status < 500 within 2s, target: 99%, down_below: 50%}\n"                    \
    "services:\n"                                                                                  \
    "  front: {replicas: 2, versions: {v1: {time: {p50: 5ms, p99: 40ms}, errors: 0.1%}}, calls: "  \
    "{pipeline: 1, redis: 1}}\n"                                                                   \
    "  pipeline: {replicas: 2, versions: {v1: {time: {p50: 3ms, p99: 20ms}}}, calls: {postgres: "  \
    "1, elasticsearch: 0.2}}\n"                                                                    \
    "  postgres: {versions: {'15': {time: {p50: 1ms, p99: 8ms}, concurrency: 100}}}\n"             \
    "  redis: {versions: {'7': {time: {p50: 200us, p99: 1ms}}}}\n"                                 \
    "  elasticsearch: {versions: {'8': {time: {p50: 4ms, p99: 30ms}}}}\n"                          \
    "stores: {postgres: {schema: 41, tables: {events: {records: 500000}}}}\n"                      \
    "backups: {hourly: {store: postgres, every: 1h}}\n"                                            \
    "traffic: {probes: {to: front, rate: 200/s, writes: {events: 20%}}}\n"                         \
    "triggers:\n"                                                                                  \
    "- {id: errors, when: {m: error_ratio, op: '>', thr: 0.05, for: 2m}}\n"                        \
    "- {id: health, when: {m: health_ok, op: ==, thr: 0, n: 3, every: 30s}}\n"                     \
    "good_state: {front: v1}\n"

static void load(struct arena *arena, const char *system, const char *scenario, struct model *model)
{
    struct doc *root = NULL;
    struct error error;
    model_defaults(model);
    if (doc_read_text(arena, "bench", str_of(system), &root, &error) ||
        model_load_system(arena, root, NULL, model, &error) ||
        doc_read_text(arena, "bench", str_of(scenario), &root, &error) ||
        model_load_scenario(arena, root, model, &error)) {
        fprintf(stderr, "%s\n", error.text);
        exit(1);
    }
}

static double hour_s(const char *system, int repeats)
{
    double best = 1e9;
    struct arena arena = {0};
    struct model model;
    load(&arena, system,
         "{start: 2026-01-15T14:00:00Z, faults: [{at: 20m, errors: front, ratio: 30%, for: 10m}]}",
         &model);
    for (int i = 0; i < repeats; i++) {
        struct record *record = record_new();
        double start = seconds();
        struct world *world = world_new(&model, 1, record);
        while (world_now(world) < HOUR)
            world_advance(world, HOUR);
        world_finish(world);
        double took = seconds() - start;
        best = took < best ? took : best;
        world_free(world);
        record_free(record);
    }
    arena_release(&arena);
    return best;
}

static double load_large_s(void)
{
    struct buf text;
    buf_init(&text, 1 << 20);
    buf_puts(&text, "format: rehearse.system/1\nservices:\n");
    for (int i = 0; i < 100; i++)
        buf_printf(&text,
                   "  s%d: {replicas: 3, versions: {v1: {time: {p50: 5ms, p99: 40ms}, errors: "
                   "0.1%%}, v2: {like: v1}}%s%d%s}\n",
                   i, i < 99 ? ", calls: {s" : ", version: v", i < 99 ? i + 1 : 1,
                   i < 99 ? ": 1}" : "");
    buf_puts(&text, "stores:\n");
    for (int i = 0; i < 20; i++)
        buf_printf(&text,
                   "  d%d: {service: s%d, schema: 4, tables: {t%d: {records: 1000}, u%d: {}}}\n", i,
                   i + 50, i, i);
    double best = 1e9;
    for (int i = 0; i < 20; i++) {
        struct arena arena = {0};
        struct model model;
        double start = seconds();
        load(&arena, text.at, "{}", &model);
        struct record *record = record_new();
        struct world *world = world_new(&model, 1, record);
        double took = seconds() - start;
        best = took < best ? took : best;
        world_free(world);
        record_free(record);
        arena_release(&arena);
    }
    buf_release(&text);
    return best;
}

/* Ten million records; one in fifty damaged by itself; a thousand small deletions; a restore; every
 * fate exact. */
static void ledger(void)
{
    struct arena arena = {0};
    struct model model;
    load(&arena,
         "format: rehearse.system/1\nservices: {db: {}}\nstores: {db: {tables: {t: {records: "
         "10000000}}}}\n",
         "{}", &model);
    struct record *record = record_new();
    double start = seconds();
    struct world *world = world_new(&model, 1, record);
    world_advance(world, SECOND);
    struct store *store = world_store(world, "db");
    struct dataset *backup = dataset_copy(store_serving(store));
    struct idset broken = {0};
    for (int64_t id = 0; id < 10000000; id += 50)
        idset_add(&broken, id, id + 1);
    store_because(store, "damage");
    dataset_delete_set(store_serving(store), "t", &broken);
    for (int64_t i = 0; i < 1000; i++) {
        record->current_step = (int)i + 1;
        dataset_delete(store_serving(store), "t", i * 9973, i * 9973 + 100);
    }
    dataset_delete(backup, "t", 9999000, 10000000);
    store_because(store, "restore");
    store_serve(store, backup);
    world_finish(world);
    double took = seconds() - start;
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    printf(
        "ledger of 10 million records: %lld lost, exact: %s; %.0f ms, %ld MB at most (under 200)\n",
        (long long)record->ledger[0].lost, record->ledger[0].lost == 1000 ? "yes" : "NO",
        took * 1e3, usage.ru_maxrss / 1024);
    idset_release(&broken);
    world_free(world);
    record_free(record);
    arena_release(&arena);
}

int main(int argc, char **argv)
{
    if (argc == 2 && strcmp(argv[1], "ledger") == 0) {
        ledger();
        return 0;
    }
    if (argc == 2 && (strcmp(argv[1], "flow") == 0 || strcmp(argv[1], "request") == 0)) {
        hour_s(argv[1][0] == 'f' ? FIVE_SERVICES : FIVE_SERVICES "grain: request\n", 1);
        return 0;
    }
    ledger(); /* first: the memory figure is the process's highest */
    printf("an hour of five services, flow grain: %.2f ms (under 5)\n",
           hour_s(FIVE_SERVICES, 20) * 1e3);
    printf("the same at request grain, 200 requests/s: %.0f ms (under 500)\n",
           hour_s(FIVE_SERVICES "grain: request\n", 3) * 1e3);
    printf("a world of 100 services and 20 stores loads in %.2f ms (under 20)\n",
           load_large_s() * 1e3);
    return 0;
}
