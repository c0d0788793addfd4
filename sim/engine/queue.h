/* queue: what is going to happen, in a total order.
 *
 * Events are ordered by (time, priority, sequence): earlier first; at one instant the smaller priority first;
 * among equals, first in first out. Never by a pointer. Time only moves forward: pushing before the time of the
 * last popped event is a bug. Cancelled events stay until they are met or swept (when the dead outnumber the
 * living), so cancelling is cheap and memory stays within twice what lives.
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
    uint32_t slot, generation; /* of its handle */
};
_Static_assert(sizeof(struct queued) <= 40, "an event takes at most 40 bytes");

struct queue_slot {
    uint32_t generation, next_free;
};

struct queue {
    struct queued *at; /* binary heap */
    size_t n, cap;
    struct queue_slot *slots;
    uint32_t n_slots, cap_slots, first_free; /* index + 1; 0: none */
    size_t dead;
    uint64_t sequence;
    int64_t last_ns; /* time of the last event popped */
};

void queue_init(struct queue *);
void queue_release(struct queue *);
/* Returns a handle, never 0. priority in [0, 255]. */
uint64_t queue_push(struct queue *, int64_t at_ns, int priority, queue_fn *, void *ctx);
/* False: it ran already, or was cancelled before. */
bool queue_cancel(struct queue *, uint64_t handle);
/* Takes the first event out; false if there is none. */
bool queue_pop(struct queue *, struct queued *ret);
/* Time of the first event; INT64_MAX if there is none. */
int64_t queue_next(struct queue *);
size_t queue_count(const struct queue *); /* living events */

#endif
