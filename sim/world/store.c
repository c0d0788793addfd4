#include "sim/world/parts.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "sim/base/xalloc.h"

static struct tracked *find_tracked(const struct store *store, const char *table)
{
    for (int i = 0; i < store->n_tracked; i++)
        if (strcmp(store->tracked[i].name, table) == 0)
            return &store->tracked[i];
    return NULL;
}

static struct tracked *track(struct store *store, const char *table)
{
    struct tracked *tracked = find_tracked(store, table);
    if (tracked)
        return tracked;
    XGROW(store->tracked, store->n_tracked, store->cap_tracked);
    tracked = &store->tracked[store->n_tracked++];
    *tracked = (struct tracked){.name = arena_strdup(&store->world->arena, table)};
    return tracked;
}

/* Times are exact as long as there are few marks; then to a tenth of a second. */
enum { MARKS_EXACT = 65536 };
#define MARK_STEP_NS (100 * MILLISECOND)

static void add_mark(struct tracked *tracked, int64_t at_ns)
{
    struct mark *last = tracked->n_marks ? &tracked->marks[tracked->n_marks - 1] : NULL;
    bool close = tracked->n_marks > MARKS_EXACT && at_ns - last[-1].at_ns < MARK_STEP_NS;
    if (last && (last->at_ns == at_ns || close)) {
        *last = (struct mark){at_ns, tracked->next};
        return;
    }
    XGROW(tracked->marks, tracked->n_marks, tracked->cap_marks);
    tracked->marks[tracked->n_marks++] = (struct mark){at_ns, tracked->next};
}

void stores_init(struct world *world)
{
    const struct model *model = world->model;
    world->n_stores = model->n_stores;
    world->stores = xcalloc((size_t)model->n_stores, sizeof *world->stores);
    for (int i = 0; i < model->n_stores; i++) {
        struct store *store = &world->stores[i];
        store->world = world;
        store->model = &model->stores[i];
        store->service = store->model->service ? world_service(world, store->model->service) : NULL;
        store->serving = dataset_new();
        store->schema = store->model->schema;
        store->because = xstrdup("");
        for (int j = 0; j < store->model->n_tables; j++) {
            const struct model_table *table = &store->model->tables[j];
            struct tracked *tracked = track(store, table->name);
            dataset_create_table(store->serving, table->name);
            int64_t history_ns = table->history_ns ? table->history_ns : 30 * DAY;
            add_mark(tracked, -history_ns);
            tracked->next = table->records;
            dataset_insert(store->serving, table->name, 0, table->records);
            add_mark(tracked, 0);
        }
        store->serving->store = store;
        store->past_from_ns = INT64_MIN;
    }
}

void stores_release(struct world *world)
{
    for (int i = 0; i < world->n_stores; i++) {
        struct store *store = &world->stores[i];
        store->serving->store = NULL;
        dataset_free(store->serving);
        for (int j = 0; j < store->n_tracked; j++) {
            idset_release(&store->tracked[j].indeterminate);
            idset_release(&store->tracked[j].seen_missing);
            free(store->tracked[j].marks);
        }
        for (int j = 0; j < store->n_removals; j++)
            idset_release(&store->removals[j].rows);
        for (int j = 0; j < store->n_copies; j++)
            dataset_free(store->copies[j].dataset);
        for (int j = 0; j < store->n_pasts; j++)
            dataset_free(store->pasts[j].dataset);
        free(store->pasts);
        free(store->tracked);
        free(store->removals);
        free(store->copies);
        free(store->because);
    }
    free(world->stores);
}

struct store *world_store(struct world *world, const char *name)
{
    for (int i = 0; i < world->n_stores; i++)
        if (strcmp(world->stores[i].model->name, name) == 0)
            return &world->stores[i];
    return NULL;
}

int world_stores(const struct world *world)
{
    return world->n_stores;
}

struct store *world_store_at(const struct world *world, int i)
{
    return &world->stores[i];
}

const struct doc *store_config(const struct store *store)
{
    return store->model->config;
}

const char *store_name(const struct store *store)
{
    return store->model->name;
}

const char *store_engine(const struct store *store)
{
    return store->model->engine ? store->model->engine : "";
}

const char *store_service(const struct store *store)
{
    return store->service ? store->service->model->name : NULL;
}

void store_set_service(struct store *store, const char *service)
{
    store->service = service ? world_service(store->world, service) : NULL;
    store_note_change(store);
}

struct dataset *store_serving(struct store *store)
{
    return store->serving;
}

void store_because(struct store *store, const char *what)
{
    free(store->because);
    store->because = xstrdup(what ? what : "");
}

/* ---- what leaves ---- */

/* Many small removals by one command make one entry of the journal. */
static struct removal *removal_for(struct store *store, int table, bool doubled)
{
    struct world *world = store->world;
    if (store->n_removals) {
        struct removal *last = &store->removals[store->n_removals - 1];
        if (last->table == table && last->doubled == doubled &&
            last->step == world->record->current_step && last->at_ns == world->now_ns &&
            strcmp(last->what, store->because) == 0)
            return last;
    }
    XGROW(store->removals, store->n_removals, store->cap_removals);
    struct removal *removal = &store->removals[store->n_removals++];
    *removal = (struct removal){
        .at_ns = world->now_ns,
        .step = world->record->current_step,
        .what = arena_strdup(&world->arena, store->because),
        .table = table,
        .doubled = doubled,
    };
    return removal;
}

void store_note_removal(struct store *store, const char *table, const struct idset *rows)
{
    struct tracked *tracked = find_tracked(store, table);
    if (!tracked || !rows || !rows->n)
        return;
    struct removal *removal = removal_for(store, (int)(tracked - store->tracked), false);
    idset_union(&removal->rows, rows);
    store->removed = true;
    world_mark(store->world, store->model->name, (uint64_t)idset_count(rows));
}

void store_note_doubled(struct store *store, const char *table, const struct idset *rows)
{
    struct tracked *tracked = find_tracked(store, table);
    if (!tracked || !rows || !rows->n)
        return;
    idset_union(&removal_for(store, (int)(tracked - store->tracked), true)->rows, rows);
}

void store_note_change(struct store *store)
{
    store->world->flow_stale = true;
}

void store_changed(struct store *store)
{
    store->world->flow_stale = true;
}

/* ---- what was there before ---- */

enum { PASTS_MAX = 256, PAST_INTERVALS_MAX = 4000000 };

static int64_t intervals_of(const struct dataset *dataset)
{
    int64_t sum = 1;
    for (int i = 0; i < dataset->n; i++)
        sum += dataset->tables[i].contents->rows.n;
    return sum;
}

/* The oldest ones go when they become too many, or hold too much. */
static void forget_pasts(struct store *store)
{
    while (store->n_pasts &&
           (store->n_pasts > PASTS_MAX || store->past_intervals > PAST_INTERVALS_MAX)) {
        store->past_intervals -= intervals_of(store->pasts[0].dataset);
        store->past_from_ns = store->pasts[0].at_ns;
        dataset_free(store->pasts[0].dataset);
        store->n_pasts--;
        memmove(store->pasts, store->pasts + 1, (size_t)store->n_pasts * sizeof *store->pasts);
    }
}

void store_before_change(struct store *store)
{
    int64_t now_ns = store->world->now_ns;
    if (store->writing || (store->n_pasts && store->pasts[store->n_pasts - 1].at_ns == now_ns))
        return;
    XGROW(store->pasts, store->n_pasts, store->cap_pasts);
    store->pasts[store->n_pasts++] = (struct past){now_ns, dataset_copy(store->serving)};
    store->past_intervals += intervals_of(store->serving);
    forget_pasts(store);
}

struct dataset *store_contents_at(struct store *store, int64_t at_ns)
{
    if (at_ns < store->past_from_ns)
        return NULL;
    int i = 0;
    while (i < store->n_pasts && store->pasts[i].at_ns <= at_ns)
        i++;
    struct dataset *then =
        dataset_copy(i < store->n_pasts ? store->pasts[i].dataset : store->serving);
    for (int j = 0; j < store->n_tracked; j++) {
        const char *table = store->tracked[j].name;
        struct interval later = store_rows_between(store, table, at_ns + 1, INT64_MAX);
        dataset_delete(then, table, later.lo, later.hi);
    }
    return then;
}

struct dataset *store_replica(struct store *store, const char *name)
{
    for (int i = 0; i < store->model->n_replicas; i++)
        if (strcmp(store->model->replicas[i].name, name) == 0)
            return store_contents_at(store,
                                     store->world->now_ns - store->model->replicas[i].lag_ns);
    return NULL;
}

int64_t store_archived_until(const struct store *store)
{
    int64_t delay_ns = store->model->archive_delay_ns;
    return delay_ns ? store->world->now_ns - delay_ns : NEVER;
}

static int keep(struct store *store, const char *what, struct dataset *dataset)
{
    XGROW(store->copies, store->n_copies, store->cap_copies);
    store->copies[store->n_copies++] =
        (struct kept_copy){arena_strdup(&store->world->arena, what), dataset};
    return store->n_copies;
}

int store_serve(struct store *store, struct dataset *contents)
{
    struct dataset *old = store->serving;
    assert(contents != old);
    store_before_change(store);
    for (int i = 0; i < store->n_tracked; i++) {
        const char *table = store->tracked[i].name;
        const struct idset *before = dataset_rows(old, table),
                           *after = dataset_rows(contents, table);
        struct idset gone = {0};
        if (before)
            idset_copy(&gone, before);
        if (after)
            idset_subtract(&gone, after);
        store_note_removal(store, table, &gone);
        idset_release(&gone);
        struct idset twice = {0};
        if (after)
            idset_copy(&twice, dataset_doubled(contents, table));
        if (before)
            idset_subtract(&twice, dataset_doubled(old, table));
        store_note_doubled(store, table, &twice);
        idset_release(&twice);
    }
    old->store = NULL;
    contents->store = store;
    store->serving = contents;
    store_note_change(store);
    world_mark(store->world, store->model->name, 1);
    return keep(store, "retired contents", old);
}

int store_keep_copy(struct store *store, const char *what, struct dataset *copy)
{
    return keep(store, what, copy);
}

void store_forget_copy(struct store *store, int handle)
{
    if (handle < 1 || handle > store->n_copies)
        return;
    dataset_free(store->copies[handle - 1].dataset);
    store->copies[handle - 1].dataset = NULL;
}

void store_corrupt(struct store *store, const char *table, double ratio, const char *what)
{
    const struct idset *rows = dataset_rows(store->serving, table);
    if (!rows || !rows->n)
        return;
    /* pages of neighbouring records break, not single ones; at most a hundred thousand of them are
     * looked at */
    int64_t page = 1 + idset_count(rows) / 100000;
    struct stream *stream = world_stream(store->world, store->model->name, "corruption");
    struct idset broken = {0};
    for (int i = 0; i < rows->n; i++)
        for (int64_t lo = rows->at[i].lo; lo < rows->at[i].hi; lo += page) {
            int64_t hi = lo + page < rows->at[i].hi ? lo + page : rows->at[i].hi;
            if (stream_uniform(stream) < ratio)
                idset_add(&broken, lo, hi);
        }
    store_because(store, what);
    dataset_delete_set(store->serving, table, &broken);
    idset_release(&broken);
}

/* ---- what comes ---- */

int64_t store_acknowledge(struct store *store, const char *table, int64_t n)
{
    struct tracked *tracked = track(store, table);
    int64_t first = tracked->next;
    assert(n >= 0 && n <= (int64_t)1e15);
    /* they belong to this instant, not to the time since the last mark */
    if (tracked->n_marks == 0 ||
        tracked->marks[tracked->n_marks - 1].at_ns < store->world->now_ns - 1)
        add_mark(tracked, store->world->now_ns - 1);
    tracked->next += n;
    add_mark(tracked, store->world->now_ns);
    return first;
}

static int64_t write_rows(struct store *store, const char *table, int64_t n, int64_t since_ns)
{
    struct tracked *tracked = track(store, table);
    int64_t first = tracked->next;
    if (tracked->n_marks == 0 || tracked->marks[tracked->n_marks - 1].at_ns < since_ns)
        add_mark(tracked, since_ns);
    tracked->next += n;
    add_mark(tracked, store->world->now_ns);
    store->writing = true;
    dataset_insert(store->serving, table, first, first + n);
    store->writing = false;
    return first;
}

void store_write(struct store *store, const char *table, int64_t n, int64_t since_ns)
{
    if (n > 0)
        write_rows(store, table, n, since_ns);
}

void store_write_unknown(struct store *store, const char *table, int64_t n, int64_t since_ns)
{
    if (n <= 0)
        return;
    int64_t first = write_rows(store, table, n, since_ns);
    idset_add(&track(store, table)->indeterminate, first, first + n);
}

int64_t store_acknowledged(const struct store *store, const char *table)
{
    const struct tracked *tracked = find_tracked(store, table);
    return tracked ? tracked->next - idset_count(&tracked->indeterminate) : 0;
}

int64_t store_row_time(const struct store *store, const char *table, int64_t id)
{
    const struct tracked *tracked = find_tracked(store, table);
    if (!tracked || id < 0 || id >= tracked->next)
        return NEVER;
    int low = 0, high = tracked->n_marks - 1; /* the first mark whose id is above */
    while (low < high) {
        int middle = low + (high - low) / 2;
        if (tracked->marks[middle].id <= id)
            low = middle + 1;
        else
            high = middle;
    }
    const struct mark *to = &tracked->marks[low];
    if (low == 0)
        return to->at_ns;
    const struct mark *from = to - 1;
    /* evenly between the two marks, at the end of its share */
    __extension__ typedef __int128 wide;
    wide share = (wide)(to->at_ns - from->at_ns) * (id + 1 - from->id);
    return from->at_ns + (int64_t)(share / (to->id - from->id));
}

/* The first identity acknowledged at or after that time. */
static int64_t first_at(const struct store *store, const struct tracked *tracked, int64_t at_ns)
{
    int64_t low = 0, high = tracked->next;
    while (low < high) {
        int64_t middle = low + (high - low) / 2;
        if (store_row_time(store, tracked->name, middle) < at_ns)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

struct interval store_rows_between(const struct store *store, const char *table, int64_t from_ns,
                                   int64_t to_ns)
{
    const struct tracked *tracked = find_tracked(store, table);
    if (!tracked || to_ns <= from_ns)
        return (struct interval){0, 0};
    return (struct interval){first_at(store, tracked, from_ns), first_at(store, tracked, to_ns)};
}

/* ---- schema, and whether it can be written ---- */

int64_t store_schema(const struct store *store)
{
    return store->schema;
}

void store_set_schema(struct store *store, int64_t version)
{
    if (version == store->schema)
        return;
    record_change(store->world->record, store->model->name, "schema %lld, was %lld",
                  (long long)version, (long long)store->schema);
    store->schema = version;
    world_mark(store->world, store->model->name, (uint64_t)version);
    services_reconsider(store->world);
    judge_state_changed(store->world);
}

void store_set_engine(struct store *store, store_accepts_fn *accepts, void *ctx)
{
    store->accepts = accepts;
    store->accepts_ctx = ctx;
}

bool store_in_service(const struct store *store)
{
    const struct service *service = store->service;
    return !service || (service_ready(service) > 0 && !service->cut && !service->region_down);
}

bool store_takes(struct store *store, const char *table)
{
    const char *why = "";
    if (store->disk_full || !store_in_service(store))
        return false;
    if (store->accepts)
        return store->accepts(store, table, &why, store->accepts_ctx);
    return dataset_has_table(store->serving, table);
}

/* Identities that were acknowledged: all that were given, but for those whose writers do not know.
 */
static void acknowledged_rows(const struct tracked *tracked, struct idset *ret)
{
    idset_add(ret, 0, tracked->next);
    idset_subtract(ret, &tracked->indeterminate);
}

/* Notes what users look for in vain now: stale reads, should it come back. */
void stores_tick(struct world *world)
{
    for (int i = 0; i < world->n_stores; i++) {
        struct store *store = &world->stores[i];
        if (!store->removed || world->judge.down || !store_in_service(store))
            continue;
        for (int j = 0; j < store->n_tracked; j++) {
            struct tracked *tracked = &store->tracked[j];
            struct idset missing = {0};
            acknowledged_rows(tracked, &missing);
            const struct idset *rows = dataset_rows(store->serving, tracked->name);
            if (rows)
                idset_subtract(&missing, rows);
            idset_union(&tracked->seen_missing, &missing);
            idset_release(&missing);
        }
        store->removed = false;
    }
}
