#include "sim/engine/queue.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "sim/base/xalloc.h"

#define UNLIMITED INT64_MAX

enum {
    NEAR_MAX = 48,  /* events in near before its later part moves out */
    NEAR_KEEP = 16, /* how many then stay; also how large a bucket may be to move in whole */
};

void queue_init(struct queue *queue)
{
    *queue = (struct queue){
        .last_ns = INT64_MIN,
        .near = {.at = xcalloc(2 * NEAR_MAX, sizeof(struct queued)), .cap = 2 * NEAR_MAX},
        .near_max = NEAR_MAX,
        .limit_ns = UNLIMITED,
        .n_slots = 1, /* slot 0 stands for "no handle" */
        .cap_slots = 16,
        .slots = xcalloc(16, sizeof(struct queue_slot)),
    };
}

void queue_release(struct queue *queue)
{
    free(queue->near.at);
    free(queue->instant.at);
    for (int i = 0; i < QUEUE_BUCKETS; i++)
        free(queue->buckets[i].at);
    free(queue->slots);
    *queue = (struct queue){0};
}

/* Times as unsigned numbers of the same order, and back. */
static inline uint64_t key_of(int64_t at_ns)
{
    return (uint64_t)at_ns ^ (UINT64_C(1) << 63);
}

static inline int64_t time_of(uint64_t key)
{
    return (int64_t)(key ^ (UINT64_C(1) << 63));
}

static inline bool before(const struct queued *a, const struct queued *b)
{
    return a->at_ns < b->at_ns || (a->at_ns == b->at_ns && a->order < b->order);
}

/* Bucket 0 is empty but for refilling, and has what the last instant left: memory that is warm, and
 * that need not be asked for again whenever mass ties move on to another bucket. */
__attribute__((noinline)) static void grow(struct queue *queue, struct queue_run *run)
{
    struct queue_run *spare = &queue->buckets[0];
    if (run != spare && !spare->n && spare->cap > run->cap) {
        struct queue_run swap = *spare;
        if (run->n)
            memcpy(swap.at, run->at, run->n * sizeof *run->at);
        *spare = (struct queue_run){.at = run->at, .cap = run->cap};
        run->at = swap.at;
        run->cap = swap.cap;
        return;
    }
    XGROW(run->at, run->n, run->cap);
}

static inline void run_add(struct queue *queue, struct queue_run *run, const struct queued *event)
{
    if (run->n == run->cap)
        grow(queue, run);
    const struct queued *last = run->at + run->n - (run->n > 0);
    run->ties = !run->n || (run->ties && last->at_ns == event->at_ns && last->order < event->order);
    run->at[run->n++] = *event;
}

/* ---- near: a binary heap ---- */

/* Makes room for an event of that key where it belongs; the caller fills it in. */
static inline struct queued *near_open(struct queue *queue, int64_t at_ns, uint64_t order)
{
    struct queue_run *near = &queue->near;
    struct queued *at = near->at;
    size_t i = near->n++;
    while (i > 0) {
        const struct queued *parent = &at[(i - 1) / 2];
        if (parent->at_ns < at_ns || (parent->at_ns == at_ns && parent->order < order))
            break;
        at[i] = *parent;
        i = (i - 1) / 2;
    }
    return &at[i];
}

static inline void near_add(struct queue *queue, const struct queued *event)
{
    if (queue->near.n == queue->near.cap)
        grow(queue, &queue->near);
    *near_open(queue, event->at_ns, event->order) = *event;
}

/* Out of line, as all rare ways below: the usual way then needs few registers. */
__attribute__((noinline)) static void sift_down(struct queued *at, size_t n)
{
    const struct queued moving = at[n];
    size_t i = 0, child;
    while ((child = 2 * i + 1) < n) {
        child += child + 1 < n && before(&at[child + 1], &at[child]);
        if (!before(&at[child], &moving))
            break;
        at[i] = at[child];
        i = child;
    }
    at[i] = moving;
}

static inline void near_drop(struct queue *queue)
{
    size_t n = --queue->near.n;
    if (n <= 1)
        queue->near.at[0] = queue->near.at[n];
    else
        sift_down(queue->near.at, n);
}

/* Heap sort: in place, for qsort() asks for memory when it has more than a kilobyte to sort. */
static void settle(struct queued *at, size_t i, size_t n)
{
    const struct queued moving = at[i];
    size_t child;
    while ((child = 2 * i + 1) < n) {
        child += child + 1 < n && before(&at[child], &at[child + 1]);
        if (!before(&moving, &at[child]))
            break;
        at[i] = at[child];
        i = child;
    }
    at[i] = moving;
}

static void sort_events(struct queued *at, size_t n)
{
    for (size_t i = n / 2; i-- > 0;)
        settle(at, i, n);
    for (size_t end = n; end-- > 1;) {
        const struct queued last = at[0];
        at[0] = at[end];
        at[end] = last;
        settle(at, 0, end);
    }
}

/* ---- buckets ---- */

/* 0 for the base's own time, else 1 + the highest bit that differs. */
static inline int bucket_of(const struct queue *queue, uint64_t key)
{
    uint64_t differs = key ^ queue->base;
    return differs ? 64 - __builtin_clzll(differs) : 0;
}

static inline void bucket_add(struct queue *queue, const struct queued *event)
{
    int k = bucket_of(queue, key_of(event->at_ns));
    run_add(queue, &queue->buckets[k], event);
    if (k)
        queue->occupied |= UINT64_C(1) << (k - 1);
}

/* A base that is not above any event: events in lower buckets than the bit in which the two bases
 * differ are then all in that one. */
static void lower_base(struct queue *queue, uint64_t base)
{
    if (base >= queue->base)
        return;
    int k = 64 - __builtin_clzll(base ^ queue->base);
    queue->base = base;
    for (int i = 0; i < k; i++) {
        struct queue_run *from = &queue->buckets[i];
        for (size_t j = 0; j < from->n; j++)
            run_add(queue, &queue->buckets[k], &from->at[j]);
        if (from->n)
            queue->occupied |= UINT64_C(1) << (k - 1);
        from->n = 0;
        if (i)
            queue->occupied &= ~(UINT64_C(1) << (i - 1));
    }
}

static void set_near_max(struct queue *queue, size_t near_max)
{
    struct queue_run *near = &queue->near;
    queue->near_max = near_max;
    if (near->cap <= near_max) {
        near->cap = near_max + 1;
        near->at = xrealloc(near->at, near->cap * sizeof *near->at);
    }
}

/* The first n of near, sorted and at one time, become the instant or go on behind it; false: they
 * belong among what is there. */
static bool take_ties(struct queue *queue, size_t n)
{
    struct queue_run *near = &queue->near, *instant = &queue->instant;
    const struct queued *last = instant->n ? &instant->at[instant->n - 1] : NULL;
    if (last && (last->at_ns != near->at[0].at_ns || last->order > near->at[0].order))
        return false;
    if (!last)
        queue->instant_first = 0;
    int64_t at_ns = near->at[0].at_ns;
    for (size_t i = 0; i < n; i++)
        run_add(queue, instant, &near->at[i]);
    near->n -= n;
    memmove(near->at, near->at + n, near->n * sizeof *near->at);
    if (queue->limit_ns == UNLIMITED) {
        queue->limit_ns = at_ns + 1;
        queue->base = key_of(queue->limit_ns);
    }
    return true;
}

/* The later part of near goes to the buckets, mass ties at its head to the instant. What is equal
 * in time stays together: where it can go nowhere, near may grow. */
__attribute__((noinline)) static void spill(struct queue *queue)
{
    struct queue_run *near = &queue->near;
    sort_events(near->at, near->n); /* sorted is a heap too */
    size_t keep = NEAR_KEEP;
    while (keep > 0 && near->at[keep - 1].at_ns == near->at[keep].at_ns)
        keep--;
    if (keep == 0) { /* the first instant is longer than that: cut behind it */
        keep = NEAR_KEEP;
        while (keep < near->n && near->at[keep].at_ns == near->at[0].at_ns)
            keep++;
        keep = take_ties(queue, keep) ? 0 : keep;
    }
    if (keep < near->n) {
        int64_t limit_ns = near->at[keep].at_ns;
        if (queue->limit_ns == UNLIMITED)
            queue->base = key_of(limit_ns);
        else
            lower_base(queue, key_of(limit_ns));
        queue->limit_ns = limit_ns;
        for (size_t i = keep; i < near->n; i++)
            bucket_add(queue, &near->at[i]);
        near->n = keep;
    }
    set_near_max(queue, near->n < NEAR_MAX ? near->n + NEAR_MAX : near->n * 2);
}

/* ---- the next ones ---- */

/* All events at the base's own time. Many of them become the instant, unless there is one already.
 */
static void take_base(struct queue *queue)
{
    struct queue_run *zero = &queue->buckets[0];
    queue->limit_ns = time_of(queue->base) + 1;
    if (zero->n <= NEAR_MAX || queue->instant.n) {
        for (size_t i = 0; i < zero->n; i++)
            near_add(queue, &zero->at[i]);
        zero->n = 0;
        return;
    }
    struct queue_run swap = queue->instant;
    queue->instant = *zero;
    *zero = swap;
    queue->instant_first = 0;
    if (!queue->instant.ties)
        sort_events(queue->instant.at, queue->instant.n);
}

/* Spreads a bucket around its minimum, into lower ones. */
static void spread(struct queue *queue, struct queue_run *run)
{
    int64_t least_ns = run->at[0].at_ns;
    for (size_t i = 1; i < run->n && !run->ties; i++)
        if (run->at[i].at_ns < least_ns)
            least_ns = run->at[i].at_ns;
    queue->limit_ns = least_ns;
    queue->base = key_of(least_ns);
    if (run->ties) { /* all of it is at the base's own time, and moves as it is */
        struct queue_run swap = queue->buckets[0];
        queue->buckets[0] = *run;
        *run = swap;
        return;
    }
    size_t n = run->n;
    run->n = 0;
    for (size_t i = 0; i < n; i++)
        bucket_add(queue, &run->at[i]); /* never to this one again */
}

/* near is empty: brings the first events of the buckets there, or to the instant. */
static void refill(struct queue *queue)
{
    while (!queue->near.n) {
        if (queue->buckets[0].n) {
            take_base(queue);
            break;
        }
        if (!queue->occupied) {
            queue->limit_ns = UNLIMITED;
            break;
        }
        int k = __builtin_ctzll(queue->occupied) + 1;
        struct queue_run *run = &queue->buckets[k];
        queue->occupied &= queue->occupied - 1;
        if (run->n > NEAR_KEEP) {
            spread(queue, run);
            continue;
        }
        for (size_t i = 0; i < run->n; i++)
            near_add(queue, &run->at[i]);
        run->n = 0;
        /* the bucket's range ends where the bit above it changes */
        uint64_t end = k == 64 ? 0 : ((queue->base >> k) + 1) << k;
        queue->limit_ns = end ? time_of(end) : UNLIMITED - 1;
    }
    set_near_max(queue, queue->near.n < NEAR_MAX ? NEAR_MAX : queue->near.n * 2);
}

static inline bool lives(const struct queue *queue, const struct queued *event)
{
    return !event->slot || queue->slots[event->slot].generation == event->generation;
}

static inline void drop(struct queue *queue, const struct queued *first)
{
    queue->count--;
    if (first == queue->near.at) {
        near_drop(queue);
    } else if (++queue->instant_first == queue->instant.n) {
        queue->instant.n = 0;
    }
}

/* The first event, wherever it is; NULL if there is none. */
static const struct queued *first_of(struct queue *queue)
{
    for (;;) {
        const struct queued *instant =
            queue->instant.n ? &queue->instant.at[queue->instant_first] : NULL;
        if (!queue->near.n && queue->limit_ns != UNLIMITED &&
            (!instant || instant->at_ns >= queue->limit_ns)) {
            refill(queue);
            continue;
        }
        const struct queued *first = queue->near.n ? queue->near.at : instant;
        if (first && instant && first != instant && before(instant, first))
            first = instant;
        if (!first || lives(queue, first))
            return first;
        queue->dead--;
        drop(queue, first);
    }
}

/* ---- handles ---- */

static inline uint32_t take_slot(struct queue *queue)
{
    uint32_t slot = queue->first_free;
    if (slot) {
        queue->first_free = queue->slots[slot].next_free;
        return slot;
    }
    assert(queue->n_slots < UINT32_MAX / 2);
    XGROW(queue->slots, queue->n_slots, queue->cap_slots);
    queue->slots[queue->n_slots] = (struct queue_slot){.generation = 1};
    return queue->n_slots++;
}

static inline void give_slot(struct queue *queue, uint32_t slot)
{
    queue->slots[slot].generation++;
    queue->slots[slot].next_free = queue->first_free;
    queue->first_free = slot;
}

__attribute__((noinline)) static void add_far(struct queue *queue, const struct queued *event)
{
    bucket_add(queue, event);
}

static inline void add(struct queue *queue, int64_t at_ns, int priority, queue_fn *fn, void *ctx,
                       uint32_t slot, uint32_t generation)
{
    assert(at_ns >= queue->last_ns && at_ns < UNLIMITED - 1 && (unsigned)priority < 256);
    uint64_t order = (uint64_t)(unsigned)priority << 56 | queue->sequence++;
    queue->count++;
    if (at_ns >= queue->limit_ns) {
        add_far(queue, &(struct queued){at_ns, order, fn, ctx, slot, generation});
        return;
    }
    struct queued *event = near_open(queue, at_ns, order);
    event->at_ns = at_ns;
    event->order = order;
    event->fn = fn;
    event->ctx = ctx;
    event->slot = slot;
    event->generation = generation;
    if (__builtin_expect(queue->near.n > queue->near_max, 0))
        spill(queue);
}

uint64_t queue_push(struct queue *queue, int64_t at_ns, int priority, queue_fn *fn, void *ctx)
{
    uint32_t slot = take_slot(queue), generation = queue->slots[slot].generation;
    add(queue, at_ns, priority, fn, ctx, slot, generation);
    return (uint64_t)generation << 32 | slot;
}

void queue_post(struct queue *queue, int64_t at_ns, int priority, queue_fn *fn, void *ctx)
{
    add(queue, at_ns, priority, fn, ctx, 0, 0);
}

__attribute__((noinline)) static bool pop_any(struct queue *queue, struct queued *ret)
{
    const struct queued *first = first_of(queue);
    if (!first)
        return false;
    *ret = *first;
    drop(queue, first);
    if (ret->slot)
        give_slot(queue, ret->slot);
    queue->last_ns = ret->at_ns;
    return true;
}

bool queue_pop(struct queue *queue, struct queued *ret)
{
    const struct queued *first = queue->near.at;
    if (!queue->near.n || queue->instant.n || first->slot)
        return pop_any(queue, ret);
    *ret = *first; /* the usual case: it is in near, and nobody can have cancelled it */
    queue->count--;
    queue->last_ns = first->at_ns;
    near_drop(queue);
    return true;
}

int64_t queue_next(struct queue *queue)
{
    const struct queued *first = first_of(queue);
    return first ? first->at_ns : INT64_MAX;
}

/* ---- cancelling ---- */

static size_t sweep_run(const struct queue *queue, struct queue_run *run, size_t from)
{
    size_t kept = 0;
    for (size_t i = from; i < run->n; i++)
        if (lives(queue, &run->at[i]))
            run->at[kept++] = run->at[i];
    return run->n = kept;
}

static void sweep(struct queue *queue)
{
    queue->count = sweep_run(queue, &queue->near, 0);
    sort_events(queue->near.at, queue->near.n);
    queue->count += sweep_run(queue, &queue->instant, queue->instant_first);
    queue->instant_first = 0;
    for (int k = 0; k < QUEUE_BUCKETS; k++) {
        size_t n = sweep_run(queue, &queue->buckets[k], 0);
        queue->count += n;
        if (k && !n)
            queue->occupied &= ~(UINT64_C(1) << (k - 1));
    }
    queue->dead = 0;
}

bool queue_cancel(struct queue *queue, uint64_t handle)
{
    uint32_t slot = (uint32_t)handle, generation = (uint32_t)(handle >> 32);
    if (slot == 0 || slot >= queue->n_slots || queue->slots[slot].generation != generation)
        return false;
    give_slot(queue, slot);
    queue->dead++;
    if (queue->dead > queue->count / 2 + 1024)
        sweep(queue);
    return true;
}
