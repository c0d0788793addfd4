/* queue: what is going to happen, in a total order, as fast with a million events as with ten.
 *
 * Events are ordered by (time, priority, sequence): earlier first; at one instant the smaller
 * priority first; among equals, first in first out. Never by a pointer. Time only moves forward:
 * pushing before the time of the last popped event is a bug.
 *
 * Three places, all popped by the smallest of their heads:
 *  - `near`, a small binary heap of everything before `limit`;
 *  - `instant`, a sorted run of many events at one time (mass ties), popped from its front;
 *  - `buckets`, everything at or behind `limit`, unsorted, by the highest bit in which its time
 *    differs from `base` (a radix heap: Ahuja, Mehlhorn, Orlin and Tarjan 1990). Every event moves
 *    to lower buckets only.
 *
 * When near runs empty, the lowest bucket is taken: into near if it is small, else spread around
 * its minimum. When near grows beyond its size, its later part goes back to the buckets; what is
 * equal in time stays together.
 *
 * Cancelled events stay until they are met or swept (when the dead outnumber the living), so
 * cancelling is cheap and memory stays within twice what lives.
 */
#ifndef REHEARSE_ENGINE_QUEUE_H
#define REHEARSE_ENGINE_QUEUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What to call, opaque to the queue: its owner casts it back to the type that it pushed. */
typedef void queue_fn(void);

struct queued {
    int64_t at_ns;
    uint64_t order; /* priority in the top 8 bits, sequence below */
    queue_fn *fn;
    void *ctx;
    uint32_t slot, generation; /* of its handle; slot 0: it has none */
};
_Static_assert(sizeof(struct queued) <= 40, "an event takes at most 40 bytes");

struct queue_slot {
    uint32_t generation, next_free;
};
struct queue_run {
    struct queued *at;
    size_t n, cap;
    bool ties; /* of a bucket: all are at one time, in order */
};
enum { QUEUE_BUCKETS = 65 };

struct queue {
    struct queue_run near;    /* heap */
    size_t near_max;          /* size at which its later part is moved out; below near.cap always */
    struct queue_run instant; /* sorted by order; at[instant_first] is next */
    size_t instant_first;
    struct queue_run buckets[QUEUE_BUCKETS];
    uint64_t occupied; /* bit k: bucket k + 1 has events (bucket 0 only while refilling) */
    uint64_t base;     /* as a key, see queue.c */
    int64_t limit_ns;  /* UNLIMITED: everything is in near or the instant */
    struct queue_slot *slots;
    uint32_t n_slots, cap_slots, first_free;
    size_t count, dead; /* events held, and those among them that were cancelled */
    uint64_t sequence;
    int64_t last_ns; /* time of the last event popped */
};

void queue_init(struct queue *);
void queue_release(struct queue *);
/* Returns a handle, never 0. priority in [0, 255]. */
uint64_t queue_push(struct queue *, int64_t at_ns, int priority, queue_fn *, void *ctx);
/* The same for an event that nobody will cancel. */
void queue_post(struct queue *, int64_t at_ns, int priority, queue_fn *, void *ctx);
/* False: it ran already, or was cancelled before. */
bool queue_cancel(struct queue *, uint64_t handle);
/* Takes the first event out; false if there is none. */
bool queue_pop(struct queue *, struct queued *ret);
/* Time of the first event; INT64_MAX if there is none. */
int64_t queue_next(struct queue *);
static inline size_t queue_count(const struct queue *queue) /* living events */
{
    return queue->count - queue->dead;
}

#endif
