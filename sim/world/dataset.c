#include "sim/world/dataset.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "sim/base/xalloc.h"

struct dataset *dataset_new(void)
{
    return xcalloc(1, sizeof(struct dataset));
}

static void contents_drop(struct contents *contents)
{
    if (--contents->shares > 0)
        return;
    idset_release(&contents->rows);
    idset_release(&contents->doubled);
    free(contents);
}

struct dataset *dataset_copy(const struct dataset *from)
{
    struct dataset *copy = dataset_new();
    copy->n = copy->cap = from->n;
    copy->tables = from->n ? xcalloc((size_t)from->n, sizeof *copy->tables) : NULL;
    for (int i = 0; i < from->n; i++) {
        copy->tables[i] = (struct table){xstrdup(from->tables[i].name), from->tables[i].contents};
        copy->tables[i].contents->shares++;
    }
    return copy;
}

void dataset_free(struct dataset *dataset)
{
    if (!dataset)
        return;
    for (int i = 0; i < dataset->n; i++) {
        free(dataset->tables[i].name);
        contents_drop(dataset->tables[i].contents);
    }
    free(dataset->tables);
    free(dataset);
}

/* Index of the table, or of the place where it belongs as -1 - place. */
static int find(const struct dataset *dataset, const char *name)
{
    int low = 0, high = dataset->n;
    while (low < high) {
        int middle = low + (high - low) / 2, order = strcmp(dataset->tables[middle].name, name);
        if (order == 0)
            return middle;
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return -1 - low;
}

bool dataset_has_table(const struct dataset *dataset, const char *table)
{
    return find(dataset, table) >= 0;
}

static void insert_table(struct dataset *dataset, const char *name, struct contents *contents)
{
    if (dataset->store)
        store_before_change(dataset->store);
    int place = -1 - find(dataset, name);
    assert(place >= 0);
    XGROW(dataset->tables, dataset->n, dataset->cap);
    memmove(dataset->tables + place + 1, dataset->tables + place,
            (size_t)(dataset->n - place) * sizeof *dataset->tables);
    dataset->tables[place] = (struct table){xstrdup(name), contents};
    dataset->n++;
    if (dataset->store)
        store_note_change(dataset->store);
}

void dataset_create_table(struct dataset *dataset, const char *table)
{
    if (find(dataset, table) >= 0)
        return;
    struct contents *contents = xcalloc(1, sizeof *contents);
    contents->shares = 1;
    insert_table(dataset, table, contents);
}

/* Takes the table out without touching its contents, which the caller owns then. */
static struct contents *take_table(struct dataset *dataset, int i)
{
    struct contents *contents = dataset->tables[i].contents;
    if (dataset->store)
        store_before_change(dataset->store);
    if (dataset->store)
        store_note_removal(dataset->store, dataset->tables[i].name, &contents->rows);
    free(dataset->tables[i].name);
    memmove(dataset->tables + i, dataset->tables + i + 1,
            (size_t)(dataset->n - i - 1) * sizeof *dataset->tables);
    dataset->n--;
    if (dataset->store)
        store_note_change(dataset->store);
    return contents;
}

void dataset_drop_table(struct dataset *dataset, const char *table)
{
    int i = find(dataset, table);
    if (i >= 0)
        contents_drop(take_table(dataset, i));
}

void dataset_rename_table(struct dataset *dataset, const char *from, const char *to)
{
    int i = find(dataset, from);
    if (i < 0 || strcmp(from, to) == 0)
        return;
    dataset_drop_table(dataset, to);
    insert_table(dataset, to, take_table(dataset, find(dataset, from)));
}

int dataset_tables(const struct dataset *dataset)
{
    return dataset->n;
}

const char *dataset_table(const struct dataset *dataset, int i)
{
    assert(i >= 0 && i < dataset->n);
    return dataset->tables[i].name;
}

const struct idset *dataset_rows(const struct dataset *dataset, const char *table)
{
    int i = find(dataset, table);
    return i < 0 ? NULL : &dataset->tables[i].contents->rows;
}

/* The contents of table i, not shared with anybody. */
static struct contents *own(struct dataset *dataset, int i)
{
    if (dataset->store)
        store_before_change(dataset->store);
    struct contents *old = dataset->tables[i].contents;
    if (old->shares == 1)
        return old;
    struct contents *copy = xcalloc(1, sizeof *copy);
    copy->shares = 1;
    copy->more = old->more;
    idset_copy(&copy->rows, &old->rows);
    idset_copy(&copy->doubled, &old->doubled);
    old->shares--;
    dataset->tables[i].contents = copy;
    return copy;
}

/* The part of `set` in [lo, hi). */
static struct idset part_of(const struct idset *set, int64_t lo, int64_t hi)
{
    struct interval range = {lo, hi};
    struct idset part = {0}, window = {.at = &range, .n = lo < hi};
    idset_copy(&part, &window);
    idset_intersect(&part, set);
    return part;
}

void dataset_insert(struct dataset *dataset, const char *table, int64_t lo, int64_t hi)
{
    int i = find(dataset, table);
    if (i < 0 || lo >= hi)
        return;
    struct contents *contents = own(dataset, i);
    if (contents->rows.n && contents->rows.at[contents->rows.n - 1].hi > lo) {
        struct idset again = part_of(&contents->rows, lo, hi);
        struct idset thrice = {0};
        idset_copy(&thrice, &again);
        idset_intersect(&thrice, &contents->doubled);
        contents->more += idset_count(&thrice);
        idset_union(&contents->doubled, &again);
        if (dataset->store)
            store_note_doubled(dataset->store, table, &again);
        idset_release(&thrice);
        idset_release(&again);
    }
    idset_add(&contents->rows, lo, hi);
}

void dataset_delete(struct dataset *dataset, const char *table, int64_t lo, int64_t hi)
{
    int i = find(dataset, table);
    if (i < 0 || lo >= hi)
        return;
    struct contents *contents = own(dataset, i);
    if (dataset->store) {
        struct idset gone = part_of(&contents->rows, lo, hi);
        store_note_removal(dataset->store, table, &gone);
        idset_release(&gone);
    }
    idset_remove(&contents->rows, lo, hi);
    idset_remove(&contents->doubled, lo, hi);
    if (!contents->doubled.n)
        contents->more = 0;
}

void dataset_insert_set(struct dataset *dataset, const char *table, const struct idset *set)
{
    for (int i = 0; i < set->n; i++)
        dataset_insert(dataset, table, set->at[i].lo, set->at[i].hi);
}

void dataset_delete_set(struct dataset *dataset, const char *table, const struct idset *set)
{
    int i = find(dataset, table);
    if (i < 0 || !set->n)
        return;
    struct contents *contents = own(dataset, i);
    if (dataset->store) {
        struct idset gone = {0};
        idset_copy(&gone, set);
        idset_intersect(&gone, &contents->rows);
        store_note_removal(dataset->store, table, &gone);
        idset_release(&gone);
    }
    idset_subtract(&contents->rows, set);
    idset_subtract(&contents->doubled, set);
    if (!contents->doubled.n)
        contents->more = 0;
}

const struct idset *dataset_doubled(const struct dataset *dataset, const char *table)
{
    int i = find(dataset, table);
    return i < 0 ? NULL : &dataset->tables[i].contents->doubled;
}

int64_t dataset_duplicates(const struct dataset *dataset, const char *table)
{
    int i = find(dataset, table);
    if (i < 0)
        return 0;
    const struct contents *contents = dataset->tables[i].contents;
    return idset_count(&contents->doubled) + contents->more;
}
