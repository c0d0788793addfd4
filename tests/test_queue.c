/* The fast queue against a plain heap: the same events in the same order, over increments of every
 * shape, mass ties, priorities, zero delays and cancel storms. What is compared is a rolling
 * signature of everything popped. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "sim/base/xalloc.h"
#include "sim/engine/queue.h"
#include "sim/engine/random.h"
#include "tests/reference_queue.h"

typedef int64_t increment_fn(struct stream *);

static int64_t exponential(struct stream *s)
{
    return (int64_t)stream_exponential(s, 1e9);
}
static int64_t constant(struct stream *s)
{
    (void)s;
    return 1000;
}
static int64_t uniform(struct stream *s)
{
    return stream_below(s, 2000000);
}
static int64_t bimodal(struct stream *s)
{
    return stream_below(s, 10) ? stream_below(s, 100) : 1000000 + stream_below(s, 100);
}
static int64_t pareto(struct stream *s)
{
    return (int64_t)(1000 / exact_power(1 - stream_uniform(s), 1 / 1.1)) % (INT64_C(1) << 50);
}
static int64_t few(struct stream *s)
{
    return stream_below(s, 4);
}
static int64_t mixture(struct stream *s)
{
    return stream_below(s, 2) ? 1 : 1000000000;
}
static int64_t zeros(struct stream *s)
{
    return stream_below(s, 3) ? 0 : 5;
}
static int64_t rare_zeros(struct stream *s)
{
    return stream_below(s, 50) ? (int64_t)stream_exponential(s, 1e6) : 0;
}

static const struct {
    const char *name;
    increment_fn *draw;
} shapes[] = {
    {"exponential", exponential}, {"constant", constant}, {"uniform", uniform},
    {"bimodal", bimodal},         {"pareto", pareto},     {"few", few},
    {"mixture", mixture},         {"zeros", zeros},       {"rare zeros", rare_zeros},
};

static void nothing(void)
{
}

static uint64_t sign(uint64_t signature, int64_t at_ns, uint64_t tag)
{
    return hash_mix(signature ^ hash_mix((uint64_t)at_ns) ^ tag);
}

static void hold(const char *name, increment_fn *draw, int pending, int rounds, int priorities)
{
    struct queue queue;
    struct reference_queue reference = {0};
    struct stream stream;
    uint64_t got = 0, want = 0, tag = 1;
    queue_init(&queue);
    stream_init(&stream, 1, (uint64_t)pending, name, "hold");
    for (int i = 0; i < pending + rounds; i++) {
        int64_t now_ns = 0;
        if (i >= pending) {
            struct queued event;
            assert_true(queue_next(&queue) == reference.at[0].at_ns);
            assert_true(queue_pop(&queue, &event));
            struct reference_event expected = reference_pop(&reference);
            got = sign(got, event.at_ns, (uint64_t)(uintptr_t)event.ctx);
            want = sign(want, expected.at_ns, expected.tag);
            if (got != want)
                fail_msg("%s, %d pending: event %d differs", name, pending, i - pending);
            now_ns = event.at_ns;
        }
        int64_t at_ns = now_ns + draw(&stream);
        int priority = priorities > 1 ? (int)stream_below(&stream, priorities) : 7;
        if (i % 2)
            queue_post(&queue, at_ns, priority, nothing, (void *)(uintptr_t)tag);
        else
            queue_push(&queue, at_ns, priority, nothing, (void *)(uintptr_t)tag);
        reference_push(&reference, at_ns, priority, tag++);
    }
    assert_int_equal(queue_count(&queue), reference.n);
    queue_release(&queue);
    reference_release(&reference);
}

static void test_same_order_as_a_heap(void **state)
{
    (void)state;
    static const int sizes[] = {1, 10, 47, 49, 100, 1000, 20000};
    for (size_t k = 0; k < sizeof shapes / sizeof *shapes; k++)
        for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
            hold(shapes[k].name, shapes[k].draw, sizes[i], 15000, 1);
            hold(shapes[k].name, shapes[k].draw, sizes[i], 15000, 3);
        }
}

/* Bursts and droughts: the queue grows, empties wholly, and grows again, as do its limit and base.
 */
static void test_filling_and_emptying(void **state)
{
    (void)state;
    for (size_t k = 0; k < sizeof shapes / sizeof *shapes; k++) {
        struct queue queue;
        struct reference_queue reference = {0};
        struct stream stream;
        uint64_t tag = 1;
        int64_t now_ns = 0;
        queue_init(&queue);
        stream_init(&stream, 2, 0, shapes[k].name, "bursts");
        for (int round = 0; round < 300; round++) {
            int64_t more = stream_below(&stream, 400), fewer = stream_below(&stream, 450);
            for (int64_t i = 0; i < more; i++) {
                int64_t at_ns =
                    now_ns + shapes[k].draw(&stream) * (1 + stream_below(&stream, 1000));
                queue_push(&queue, at_ns, 0, nothing, (void *)(uintptr_t)tag);
                reference_push(&reference, at_ns, 0, tag++);
            }
            for (int64_t i = 0; i < fewer && reference.n; i++) {
                struct queued event;
                struct reference_event expected = reference_pop(&reference);
                assert_true(queue_pop(&queue, &event));
                assert_true(event.at_ns == expected.at_ns && (uintptr_t)event.ctx == expected.tag);
                now_ns = event.at_ns;
            }
        }
        queue_release(&queue);
        reference_release(&reference);
    }
}

static void test_cancel_storms(void **state)
{
    (void)state;
    enum { LIVE = 3000 };
    for (size_t k = 0; k < sizeof shapes / sizeof *shapes; k++) {
        struct queue queue;
        struct reference_queue reference = {0};
        struct stream stream;
        static uint64_t handles[LIVE], tags[LIVE];
        uint64_t tag = 1;
        int64_t now_ns = 0;
        queue_init(&queue);
        stream_init(&stream, 3, 0, shapes[k].name, "storm");
        for (int i = 0; i < 30000; i++) {
            int64_t at = i < LIVE ? i : stream_below(&stream, LIVE);
            if (i >= LIVE && queue_cancel(&queue, handles[at]))
                reference_cancel(&reference, tags[at]);
            int64_t at_ns = now_ns + shapes[k].draw(&stream);
            handles[at] = queue_push(&queue, at_ns, 0, nothing, (void *)(uintptr_t)tag);
            tags[at] = tag;
            reference_push(&reference, at_ns, 0, tag++);
            assert_int_equal(queue_count(&queue), reference.n);
            if (i >= LIVE && i % 3 == 0) {
                struct queued event;
                struct reference_event expected = reference_pop(&reference);
                assert_true(queue_pop(&queue, &event));
                assert_true(event.at_ns == expected.at_ns && (uintptr_t)event.ctx == expected.tag);
                now_ns = event.at_ns;
            }
        }
        assert_true(queue.count <= 2 * (queue_count(&queue) + 1024)); /* the dead do not pile up */
        queue_release(&queue);
        reference_release(&reference);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_same_order_as_a_heap),
        cmocka_unit_test(test_filling_and_emptying),
        cmocka_unit_test(test_cancel_storms),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
