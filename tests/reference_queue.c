#include "tests/reference_queue.h"

#include <stdlib.h>

#include "sim/base/xalloc.h"

static int before(struct reference_event a, struct reference_event b)
{
    return a.at_ns < b.at_ns || (a.at_ns == b.at_ns && a.order < b.order);
}

static void swap(struct reference_queue *queue, size_t i, size_t j)
{
    struct reference_event event = queue->at[i];
    queue->at[i] = queue->at[j];
    queue->at[j] = event;
}

static void up(struct reference_queue *queue, size_t i)
{
    for (; i && before(queue->at[i], queue->at[(i - 1) / 2]); i = (i - 1) / 2)
        swap(queue, i, (i - 1) / 2);
}

static void down(struct reference_queue *queue, size_t i)
{
    for (;;) {
        size_t least = i;
        for (size_t child = 2 * i + 1; child <= 2 * i + 2 && child < queue->n; child++)
            if (before(queue->at[child], queue->at[least]))
                least = child;
        if (least == i)
            return;
        swap(queue, i, least);
        i = least;
    }
}

void reference_push(struct reference_queue *queue, int64_t at_ns, int priority, uint64_t tag)
{
    XGROW(queue->at, queue->n, queue->cap);
    uint64_t order = (uint64_t)priority << 56 | queue->sequence++;
    queue->at[queue->n] = (struct reference_event){at_ns, order, tag};
    up(queue, queue->n++);
}

static void remove_at(struct reference_queue *queue, size_t i)
{
    queue->at[i] = queue->at[--queue->n];
    if (i < queue->n) {
        up(queue, i);
        down(queue, i);
    }
}

struct reference_event reference_pop(struct reference_queue *queue)
{
    struct reference_event first = queue->at[0];
    remove_at(queue, 0);
    return first;
}

void reference_cancel(struct reference_queue *queue, uint64_t tag)
{
    size_t i = 0;
    while (queue->at[i].tag != tag)
        i++;
    remove_at(queue, i);
}

void reference_release(struct reference_queue *queue)
{
    free(queue->at);
}
