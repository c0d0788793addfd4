#include "sim/world/store.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "sim/base/xalloc.h"

void idset_release(struct idset *set)
{
    free(set->at);
    *set = (struct idset){0};
}

static void reserve(struct idset *set, int n)
{
    if (n <= set->cap)
        return;
    int cap = set->cap ? set->cap : 4;
    while (cap < n)
        cap = cap > INT32_MAX / 2 ? INT32_MAX : cap * 2;
    set->at = xrealloc(set->at, (size_t)cap * sizeof *set->at);
    set->cap = cap;
}

void idset_copy(struct idset *to, const struct idset *from)
{
    if (to == from)
        return;
    reserve(to, from->n);
    if (from->n)
        memcpy(to->at, from->at, (size_t)from->n * sizeof *from->at);
    to->n = from->n;
}

/* Index of the first interval that ends at or behind `id` (its hi >= id). */
static int first_reaching(const struct idset *set, int64_t id)
{
    int low = 0, high = set->n;
    while (low < high) {
        int middle = low + (high - low) / 2;
        if (set->at[middle].hi < id)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* Puts `by` in the place of the intervals [from, to). */
static void splice(struct idset *set, int from, int to, const struct interval *by, int n)
{
    reserve(set, set->n - (to - from) + n);
    memmove(set->at + from + n, set->at + to, (size_t)(set->n - to) * sizeof *set->at);
    if (n)
        memcpy(set->at + from, by, (size_t)n * sizeof *by);
    set->n += n - (to - from);
}

void idset_add(struct idset *set, int64_t lo, int64_t hi)
{
    if (lo >= hi)
        return;
    if (set->n && set->at[set->n - 1].hi == lo) { /* the usual case: the next ones */
        set->at[set->n - 1].hi = hi;
        return;
    }
    int from = first_reaching(set, lo), to = from;
    struct interval whole = {lo, hi};
    while (to < set->n && set->at[to].lo <= hi) {
        if (set->at[to].lo < whole.lo)
            whole.lo = set->at[to].lo;
        if (set->at[to].hi > whole.hi)
            whole.hi = set->at[to].hi;
        to++;
    }
    splice(set, from, to, &whole, 1);
}

void idset_remove(struct idset *set, int64_t lo, int64_t hi)
{
    if (lo >= hi)
        return;
    int from = first_reaching(set, lo), to = from, n = 0;
    if (from < set->n && set->at[from].hi == lo)
        to = ++from;
    struct interval rest[2];
    while (to < set->n && set->at[to].lo < hi) {
        struct interval old = set->at[to++];
        if (old.lo < lo)
            rest[n++] = (struct interval){old.lo, lo};
        if (old.hi > hi)
            rest[n++] = (struct interval){hi, old.hi};
    }
    if (to > from)
        splice(set, from, to, rest, n);
}

bool idset_has(const struct idset *set, int64_t id)
{
    int i = first_reaching(set, id + 1);
    return i < set->n && set->at[i].lo <= id;
}

int64_t idset_count(const struct idset *set)
{
    int64_t count = 0;
    for (int i = 0; i < set->n; i++)
        count += set->at[i].hi - set->at[i].lo;
    return count;
}

/* Appends to a set under construction; intervals come in order of lo. */
static void append(struct idset *set, int64_t lo, int64_t hi)
{
    if (lo >= hi)
        return;
    if (set->n && set->at[set->n - 1].hi >= lo) {
        if (set->at[set->n - 1].hi < hi)
            set->at[set->n - 1].hi = hi;
        return;
    }
    reserve(set, set->n + 1);
    set->at[set->n++] = (struct interval){lo, hi};
}

static void replace(struct idset *set, struct idset *by)
{
    free(set->at);
    *set = *by;
}

void idset_union(struct idset *to, const struct idset *with)
{
    if (!with->n)
        return;
    if (!to->n || to->at[to->n - 1].hi <= with->at[0].lo) {
        for (int i = 0; i < with->n; i++)
            append(to, with->at[i].lo, with->at[i].hi);
        return;
    }
    struct idset result = {0};
    int i = 0, j = 0;
    while (i < to->n || j < with->n) {
        bool first = j >= with->n || (i < to->n && to->at[i].lo <= with->at[j].lo);
        struct interval next = first ? to->at[i++] : with->at[j++];
        append(&result, next.lo, next.hi);
    }
    replace(to, &result);
}

void idset_subtract(struct idset *from, const struct idset *what)
{
    if (!from->n || !what->n)
        return;
    struct idset result = {0};
    int j = 0;
    for (int i = 0; i < from->n; i++) {
        int64_t lo = from->at[i].lo, hi = from->at[i].hi;
        while (j < what->n && what->at[j].hi <= lo)
            j++;
        int k = j;
        while (k < what->n && what->at[k].lo < hi) {
            append(&result, lo, what->at[k].lo);
            lo = what->at[k].hi;
            if (lo >= hi)
                break;
            k++;
        }
        append(&result, lo, hi);
        j = k;
    }
    replace(from, &result);
}

void idset_intersect(struct idset *to, const struct idset *with)
{
    struct idset result = {0};
    int i = 0, j = 0;
    while (i < to->n && j < with->n) {
        struct interval a = to->at[i], b = with->at[j];
        int64_t lo = a.lo > b.lo ? a.lo : b.lo, hi = a.hi < b.hi ? a.hi : b.hi;
        append(&result, lo, hi);
        if (a.hi < b.hi)
            i++;
        else
            j++;
    }
    replace(to, &result);
}
