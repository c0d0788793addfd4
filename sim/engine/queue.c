#include "sim/engine/queue.h"

#include <assert.h>
#include <stdlib.h>

#include "sim/base/xalloc.h"

void queue_init(struct queue *queue)
{
    *queue = (struct queue){.last_ns = INT64_MIN};
}

void queue_release(struct queue *queue)
{
    free(queue->at);
    free(queue->slots);
    *queue = (struct queue){0};
}

static bool before(const struct queued *a, const struct queued *b)
{
    return a->at_ns < b->at_ns || (a->at_ns == b->at_ns && a->order < b->order);
}

static void sift_up(struct queue *queue, size_t i)
{
    struct queued moving = queue->at[i];
    while (i > 0) {
        size_t parent = (i - 1) / 2;
        if (!before(&moving, &queue->at[parent]))
            break;
        queue->at[i] = queue->at[parent];
        i = parent;
    }
    queue->at[i] = moving;
}

static void sift_down(struct queue *queue, size_t i)
{
    struct queued moving = queue->at[i];
    for (;;) {
        size_t child = 2 * i + 1;
        if (child >= queue->n)
            break;
        if (child + 1 < queue->n && before(&queue->at[child + 1], &queue->at[child]))
            child++;
        if (!before(&queue->at[child], &moving))
            break;
        queue->at[i] = queue->at[child];
        i = child;
    }
    queue->at[i] = moving;
}

static uint32_t take_slot(struct queue *queue)
{
    if (queue->first_free) {
        uint32_t slot = queue->first_free - 1;
        queue->first_free = queue->slots[slot].next_free;
        return slot;
    }
    assert(queue->n_slots < UINT32_MAX / 2);
    XGROW(queue->slots, queue->n_slots, queue->cap_slots);
    queue->slots[queue->n_slots] = (struct queue_slot){.generation = 1};
    return queue->n_slots++;
}

static void give_slot(struct queue *queue, uint32_t slot)
{
    queue->slots[slot].generation++;
    queue->slots[slot].next_free = queue->first_free;
    queue->first_free = slot + 1;
}

static bool lives(const struct queue *queue, const struct queued *event)
{
    return queue->slots[event->slot].generation == event->generation;
}

uint64_t queue_push(struct queue *queue, int64_t at_ns, int priority, queue_fn *fn, void *ctx)
{
    assert(at_ns >= queue->last_ns && priority >= 0 && priority < 256);
    uint32_t slot = take_slot(queue);
    uint32_t generation = queue->slots[slot].generation;
    XGROW(queue->at, queue->n, queue->cap);
    queue->at[queue->n++] = (struct queued){
        .at_ns = at_ns,
        .order = (uint64_t)priority << 56 | queue->sequence++,
        .fn = fn,
        .ctx = ctx,
        .slot = slot,
        .generation = generation,
    };
    sift_up(queue, queue->n - 1);
    return (uint64_t)generation << 32 | (slot + 1);
}

static void sweep(struct queue *queue)
{
    size_t kept = 0;
    for (size_t i = 0; i < queue->n; i++)
        if (lives(queue, &queue->at[i]))
            queue->at[kept++] = queue->at[i];
    queue->n = kept;
    queue->dead = 0;
    for (size_t i = kept / 2; i-- > 0;)
        sift_down(queue, i);
}

bool queue_cancel(struct queue *queue, uint64_t handle)
{
    uint32_t slot = (uint32_t)handle - 1, generation = (uint32_t)(handle >> 32);
    if (handle == 0 || slot >= queue->n_slots || queue->slots[slot].generation != generation)
        return false;
    give_slot(queue, slot);
    queue->dead++;
    if (queue->dead > queue->n / 2 + 1024)
        sweep(queue);
    return true;
}

static void drop_first(struct queue *queue)
{
    queue->at[0] = queue->at[--queue->n];
    if (queue->n)
        sift_down(queue, 0);
}

static void drop_dead(struct queue *queue)
{
    while (queue->n && !lives(queue, &queue->at[0])) {
        drop_first(queue);
        queue->dead--;
    }
}

bool queue_pop(struct queue *queue, struct queued *ret)
{
    drop_dead(queue);
    if (!queue->n)
        return false;
    *ret = queue->at[0];
    drop_first(queue);
    give_slot(queue, ret->slot);
    queue->last_ns = ret->at_ns;
    return true;
}

int64_t queue_next(struct queue *queue)
{
    drop_dead(queue);
    return queue->n ? queue->at[0].at_ns : INT64_MAX;
}

size_t queue_count(const struct queue *queue)
{
    return queue->n - queue->dead;
}
