/* reference_queue: the simplest queue with the same order, a plain binary heap, to compare the fast
 * one with. */
#ifndef REHEARSE_TESTS_REFERENCE_QUEUE_H
#define REHEARSE_TESTS_REFERENCE_QUEUE_H

#include <stddef.h>
#include <stdint.h>

struct reference_event {
    int64_t at_ns;
    uint64_t order, tag;
};
struct reference_queue {
    struct reference_event *at;
    size_t n, cap;
    uint64_t sequence;
};
void reference_push(struct reference_queue *, int64_t at_ns, int priority, uint64_t tag);
struct reference_event reference_pop(struct reference_queue *);
/* Takes out the event with that tag, by looking at all of them. */
void reference_cancel(struct reference_queue *, uint64_t tag);
void reference_release(struct reference_queue *);

#endif
