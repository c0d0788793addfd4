/* The end of the run: what was acknowledged against what is there. */
#include "sim/world/parts.h"

#include <stdlib.h>
#include <string.h>

#include "sim/base/xalloc.h"

/* One command is one entry of the list, whatever the tables. */
static void add_blame(struct record *record, struct blame **list, int *n, const struct store *store,
                      const struct removal *removal, const char *table, const struct idset *rows)
{
    int64_t count = idset_count(rows);
    if (!count)
        return;
    int64_t oldest = store_row_time(store, table, rows->at[0].lo);
    int64_t newest = store_row_time(store, table, rows->at[rows->n - 1].hi - 1);
    const char *what = removal->what[0] ? removal->what : "removed";
    for (int i = 0; i < *n; i++) {
        struct blame *old = &(*list)[i];
        if (old->step != removal->step || strcmp(old->what, what) != 0)
            continue;
        old->records += count;
        if (oldest < old->oldest_ns)
            old->oldest_ns = oldest;
        if (newest > old->newest_ns)
            old->newest_ns = newest;
        return;
    }
    /* blame lists are short; they live in the record's arena like everything it shows */
    struct blame *longer = ARENA_ARRAY(&record->arena, struct blame, *n + 1);
    if (*n)
        memcpy(longer, *list, (size_t)*n * sizeof *longer);
    longer[(*n)++] = (struct blame){
        .step = removal->step,
        .what = arena_strdup(&record->arena, what),
        .at_ns = removal->at_ns,
        .records = count,
        .oldest_ns = oldest,
        .newest_ns = newest,
    };
    *list = longer;
}

/* Each record is blamed on what removed it, or doubled it, last: from the newest entry to the
 * oldest. What is left in `rows` nobody did. */
static void blame_last(struct record *record, struct blame **list, int *n,
                       const struct store *store, int table, bool doubled, struct idset *rows)
{
    for (int i = store->n_removals; i-- > 0 && rows->n;) {
        const struct removal *removal = &store->removals[i];
        if (removal->table != table || removal->doubled != doubled)
            continue;
        struct idset part = {0};
        idset_copy(&part, rows);
        idset_intersect(&part, &removal->rows);
        add_blame(record, list, n, store, removal, store->tracked[table].name, &part);
        idset_subtract(rows, &part);
        idset_release(&part);
    }
}

static void blame_lost(struct record *record, struct ledger_row *row, const struct store *store,
                       int table, struct idset *lost)
{
    const struct removal nobody = {.what = "never reached the contents that serve users"};
    blame_last(record, &row->blame, &row->n_blame, store, table, false, lost);
    add_blame(record, &row->blame, &row->n_blame, store, &nobody, store->tracked[table].name, lost);
}

static void blame_doubled(struct record *record, struct ledger_row *row, const struct store *store,
                          int table)
{
    const struct idset *doubled = dataset_doubled(store->serving, store->tracked[table].name);
    struct idset rows = {0};
    if (doubled)
        idset_copy(&rows, doubled);
    blame_last(record, &row->doubling, &row->n_doubling, store, table, true, &rows);
    idset_release(&rows);
}

static int64_t recoverable(const struct store *store, const char *table, const struct idset *lost)
{
    struct idset anywhere = {0};
    for (int i = 0; i < store->n_copies; i++) {
        const struct dataset *copy = store->copies[i].dataset;
        const struct idset *rows = copy ? dataset_rows(copy, table) : NULL;
        if (rows)
            idset_union(&anywhere, rows);
    }
    idset_intersect(&anywhere, lost);
    int64_t count = idset_count(&anywhere);
    idset_release(&anywhere);
    return count;
}

static void account(struct record *record, struct ledger_row *row, const struct store *store,
                    int table)
{
    const struct tracked *tracked = &store->tracked[table];
    const struct idset none = {0}, *rows = dataset_rows(store->serving, tracked->name);
    if (!rows)
        rows = &none;
    struct idset acknowledged = {0}, lost = {0}, kept = {0}, other = {0};
    idset_add(&acknowledged, 0, tracked->next);
    idset_copy(&other, rows);
    idset_subtract(&other, &acknowledged);
    row->unexpected += idset_count(&other);
    idset_subtract(&acknowledged, &tracked->indeterminate);
    row->acknowledged += idset_count(&acknowledged);
    row->indeterminate += idset_count(&tracked->indeterminate);
    row->duplicated += dataset_duplicates(store->serving, tracked->name);
    blame_doubled(record, row, store, table);

    idset_copy(&kept, &acknowledged);
    idset_intersect(&kept, rows);
    row->kept += idset_count(&kept);
    idset_intersect(&kept, &tracked->seen_missing);
    row->stale += idset_count(&kept);

    idset_copy(&lost, &acknowledged);
    idset_subtract(&lost, rows);
    row->lost += idset_count(&lost);
    row->recoverable += recoverable(store, tracked->name, &lost);
    blame_lost(record, row, store, table, &lost);

    idset_release(&acknowledged);
    idset_release(&lost);
    idset_release(&kept);
    idset_release(&other);
}

void stores_finish(struct world *world)
{
    struct record *record = world->record;
    for (int i = 0; i < world->n_stores; i++) {
        const struct store *store = &world->stores[i];
        XGROW(record->ledger, record->n_ledger, record->cap_ledger);
        struct ledger_row *row = &record->ledger[record->n_ledger++];
        *row = (struct ledger_row){
            .store = arena_strdup(&record->arena, store->model->name),
            .known = store_in_service(store),
        };
        for (int j = 0; j < store->n_tracked; j++)
            account(record, row, store, j);
        world_mark(world, row->store, (uint64_t)row->lost);
    }
}
