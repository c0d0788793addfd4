/* bench_engine: the event queue alone. Prints ratios, which noise moves little, beside times.
 *   bench_engine              hold, mass ties, cancelling
 *   bench_engine mm1 N        N customers of an M/M/1 queue, for counting instructions */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "sim/base/xalloc.h"
#include "sim/engine/queue.h"
#include "sim/engine/random.h"

static double seconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

static void nothing(void)
{
}

enum shape { EXPONENTIAL, CONSTANT, FEW };

static int64_t increment(struct stream *stream, enum shape shape)
{
    switch (shape) {
    case EXPONENTIAL:
        return (int64_t)stream_exponential(stream, 1e9);
    case CONSTANT:
        return 1000;
    case FEW:
        return stream_below(stream, 4);
    }
    return 0;
}

/* Nanoseconds for taking the first event out and putting another in, with so many pending; best of
 * five. */
static double hold_ns(int pending, enum shape shape)
{
    enum { ROUNDS = 1000000 };
    double best = 1e9;
    for (int repeat = 0; repeat < 5; repeat++) {
        struct queue queue;
        struct queued event;
        struct stream stream;
        queue_init(&queue);
        stream_init(&stream, 1, 0, "bench", "hold");
        for (int i = 0; i < pending; i++)
            queue_post(&queue, increment(&stream, shape), 0, nothing, NULL);
        for (int i = 0; i < pending; i++) { /* so that it is in its stride */
            queue_pop(&queue, &event);
            queue_post(&queue, event.at_ns + increment(&stream, shape), 0, nothing, NULL);
        }
        double start = seconds();
        for (int i = 0; i < ROUNDS; i++) {
            queue_pop(&queue, &event);
            queue_post(&queue, event.at_ns + increment(&stream, shape), 0, nothing, NULL);
        }
        double took = (seconds() - start) * 1e9 / ROUNDS;
        best = took < best ? took : best;
        queue_release(&queue);
    }
    return best;
}

static double draw_ns(void)
{
    struct stream stream;
    int64_t sum = 0;
    stream_init(&stream, 1, 0, "bench", "draw");
    double start = seconds();
    for (int i = 0; i < 1000000; i++)
        sum += increment(&stream, EXPONENTIAL);
    double took = (seconds() - start) * 1e3;
    return sum ? took : 0;
}

static double cancel_ns(int live)
{
    enum { ROUNDS = 1000000 };
    struct queue queue;
    struct stream stream;
    uint64_t *handles = xcalloc((size_t)live, sizeof *handles);
    queue_init(&queue);
    stream_init(&stream, 1, 0, "bench", "cancel");
    for (int i = 0; i < live; i++)
        handles[i] = queue_push(&queue, stream_below(&stream, 1000000000), 0, nothing, NULL);
    double start = seconds();
    for (int i = 0; i < ROUNDS; i++) {
        int at = (int)(stream_bits(&stream) % (uint64_t)live);
        queue_cancel(&queue, handles[at]);
        handles[at] = queue_push(&queue, stream_below(&stream, 1000000000), 0, nothing, NULL);
    }
    double took = (seconds() - start) * 1e9 / ROUNDS;
    queue_release(&queue);
    free(handles);
    return took;
}

/* ---- M/M/1: a customer is one arrival and one departure ---- */

struct station {
    struct queue queue;
    struct stream arrivals, services;
    int64_t now_ns, in_system, left, served;
};
typedef void station_fn(struct station *);

static void depart(struct station *station)
{
    station->served++;
    if (--station->in_system)
        queue_post(&station->queue,
                   station->now_ns + (int64_t)stream_exponential(&station->services, 0.9e9), 0,
                   (queue_fn *)depart, station);
}

static void arrive(struct station *station)
{
    if (--station->left)
        queue_post(&station->queue,
                   station->now_ns + (int64_t)stream_exponential(&station->arrivals, 1e9), 0,
                   (queue_fn *)arrive, station);
    if (station->in_system++ == 0)
        queue_post(&station->queue,
                   station->now_ns + (int64_t)stream_exponential(&station->services, 0.9e9), 0,
                   (queue_fn *)depart, station);
}

static void mm1(int64_t customers)
{
    struct station station = {.left = customers};
    struct queued event;
    queue_init(&station.queue);
    stream_init(&station.arrivals, 1, 0, "station", "arrivals");
    stream_init(&station.services, 1, 0, "station", "services");
    queue_post(&station.queue, 0, 0, (queue_fn *)arrive, &station);
    while (queue_pop(&station.queue, &event)) {
        station.now_ns = event.at_ns;
        ((station_fn *)event.fn)(event.ctx);
    }
    if (station.served != customers)
        exit(1);
    queue_release(&station.queue);
}

int main(int argc, char **argv)
{
    if (argc == 3 && strcmp(argv[1], "mm1") == 0) {
        mm1(strtoll(argv[2], NULL, 10));
        return 0;
    }
    static const int sizes[] = {10, 1000, 100000, 1000000};
    double exponential[4], drawing = draw_ns();
    printf("event: %zu bytes (at most 40)\n", sizeof(struct queued));
    printf("hold, of which %.0f ns are the draw\n", drawing);
    printf("%10s %14s %10s %10s\n", "pending", "exponential", "constant", "few");
    double worst = 0;
    for (int i = 0; i < 4; i++) {
        exponential[i] = hold_ns(sizes[i], EXPONENTIAL);
        double constant = hold_ns(sizes[i], CONSTANT), few = hold_ns(sizes[i], FEW);
        double ties = constant > few ? constant : few;
        worst = ties / exponential[i] > worst ? ties / exponential[i] : worst;
        printf("%10d %11.1f ns %7.1f ns %7.1f ns\n", sizes[i], exponential[i], constant, few);
    }
    printf("hold at 1M over hold at 10: %.2f (at most 4)\n", exponential[3] / exponential[0]);
    printf("mass ties over exponential, worst: %.2f (at most 2)\n", worst);
    for (int live = 1000; live <= 1000000; live *= 10)
        printf("cancel and push again, %7d live: %.1f ns\n", live, cancel_ns(live));
    double start = seconds();
    mm1(1000000);
    printf("M/M/1 at 0.9: %.1f million customers a second\n", 1 / (seconds() - start));
    return 0;
}
