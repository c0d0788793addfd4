/* No allocation in the loop: once a world is in its stride, an hour of it asks for memory only
 * where what is kept grows (the record's series, by doubling), however many events there are.
 * malloc and friends are counted by standing in their place. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "sim/engine/queue.h"
#include "sim/engine/random.h"
#include "tests/world_fixture.h"

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__) || !defined(__GLIBC__)
#define COUNTED 0 /* somebody else stands there already */
static int64_t asked;
#else
#define COUNTED 1
static int64_t asked;
void *__libc_malloc(size_t);
void *__libc_calloc(size_t, size_t);
void *__libc_realloc(void *, size_t);

void *malloc(size_t size)
{
    asked++;
    return __libc_malloc(size);
}

void *calloc(size_t n, size_t size)
{
    asked++;
    return __libc_calloc(n, size);
}

void *realloc(void *old, size_t size)
{
    asked++;
    return __libc_realloc(old, size);
}
#endif

static int64_t now_ns;

static void nothing(void)
{
}

enum way { POSTS, CANCELS, BURSTS, WAYS };

static void hold(struct queue *queue, struct stream *stream, int rounds, enum way way)
{
    struct queued event;
    static uint64_t handles[64];
    for (int i = 0; i < rounds; i++) {
        assert_true(queue_pop(queue, &event));
        now_ns = event.at_ns;
        int64_t at_ns = now_ns + (int64_t)stream_exponential(stream, 1e9);
        if (way != CANCELS) {
            queue_post(queue, at_ns, 0, nothing, NULL);
            if (way == BURSTS && i % 100 == 0) { /* more at once than the near heap holds */
                for (int k = 0; k < 60; k++)
                    queue_post(queue, now_ns + stream_below(stream, 1000), 0, nothing, NULL);
                for (int k = 0; k < 60; k++)
                    assert_true(queue_pop(queue, &event));
            }
            continue;
        }
        if (queue_cancel(queue,
                         handles[i % 64])) /* a time-out that is not needed, and the next one */
            queue_push(queue, at_ns + 1, 0, nothing, NULL);
        handles[i % 64] = queue_push(queue, at_ns, 0, nothing, NULL);
    }
}

static void test_the_queue(void **state)
{
    (void)state;
    if (!COUNTED)
        skip();
    for (enum way way = POSTS; way < WAYS; way++) {
        struct queue queue;
        struct stream stream;
        queue_init(&queue);
        stream_init(&stream, 1, 0, "test", "allocations");
        for (int i = 0; i < 1000; i++)
            queue_post(&queue, stream_below(&stream, 1000000000), 0, nothing, NULL);
        hold(&queue, &stream, 2000000, way);
        int64_t before = asked;
        hold(&queue, &stream, 2000000, way);
        /* two million events: at most a few buckets, of the 65, that have never been so full as
         * when time passed a power of two */
        assert_in_range(asked - before, 0, 16);
        queue_release(&queue);
    }
}

/* An hour at 200 requests a second is 720,000 requests and some 3 million events at the one grain,
 * 3,600 ticks at the other. */
static void test_an_hour(void **state)
{
    (void)state;
    static const char *const grains[] = {"flow", "request"};
    if (!COUNTED)
        skip();
    for (int i = 0; i < 2; i++) {
        struct world_fixture f;
        struct arena arena = {0};
        world_fixture_begin(
            &f,
            arena_printf(
                &arena,
                "format: rehearse.system/1\ngrain: %s\n"
                "services:\n"
                "  front: {replicas: 2, versions: {v1: {errors: 0.1%%}}, calls: {api: 1, redis: "
                "{times: 1, timeout: 50ms, retries: 1}}}\n"
                "  api: {replicas: 2, versions: {v1: {}}, calls: {db: 1}}\n"
                "  db: {versions: {v: {time: {p50: 1ms, p99: 8ms}}}}\n"
                "  redis: {versions: {v: {time: {p50: 200us, p99: 1ms}}}}\n"
                "stores: {db: {tables: {events: {records: 500000}}}}\n"
                "traffic: {users: {to: front, rate: 200/s, writes: {events: 20%%}}}\n"
                "triggers: [{id: errors, when: {m: error_ratio, op: '>', thr: 0.05, for: 2m}}]\n",
                grains[i]),
            "{}", 1);
        world_fixture_until(&f, 20 * MINUTE);
        int64_t before = asked;
        world_fixture_until(&f, 80 * MINUTE);
        int64_t grew = asked - before;
        /* about twenty-five series and the marks of one table, each doubled twice or three times
         * from minute 20 to 80 */
        if (grew > 100)
            fail_msg("%s: memory was asked for %lld times in an hour", grains[i], (long long)grew);
        world_fixture_end(&f);
        arena_release(&arena);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_queue),
        cmocka_unit_test(test_an_hour),
    };
    return cmocka_run_group_tests_name("allocations", tests, NULL, NULL);
}
