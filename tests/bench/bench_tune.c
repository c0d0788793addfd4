/* bench_tune: the whole threshold x duration plane in one pass, against a loop over the rules that
 * stops at the first firing. */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "sim/base/xalloc.h"
#include "sim/engine/random.h"
#include "sim/tune/plane.h"

enum { THRESHOLDS = 250, DURATIONS = 31, TICKS = 3600, TRACES = 40 };

static double seconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

/* Bursty noise with a failure from tick 1800 on. */
static void trace(struct stream *stream, double *values)
{
    double level = 0;
    for (int k = 0; k < TICKS; k++) {
        level = 0.95 * level + stream_normal(stream);
        values[k] = 20 + level + (k >= 1800 ? 6 + 0.002 * (k - 1800) : 0);
    }
}

static int naive_first(const double *values, double threshold, int ticks)
{
    int row = 0;
    for (int k = 0; k < TICKS; k++) {
        row = values[k] > threshold ? row + 1 : 0;
        if (row >= ticks)
            return k;
    }
    return -1;
}

static int naive_episodes(const double *values, double threshold, int ticks)
{
    int row = 0, episodes = 0;
    for (int k = 0; k < TICKS; k++) {
        row = values[k] > threshold ? row + 1 : 0;
        episodes += row == ticks;
    }
    return episodes;
}

int main(void)
{
    double thresholds[THRESHOLDS];
    int ticks[DURATIONS], last = 0;
    for (int t = 0; t < THRESHOLDS; t++)
        thresholds[t] = 10 + 0.1 * t;
    for (int d = 0; d < DURATIONS; d++)
        ticks[d] = last += 1 + last / 5;
    struct tune_grid grid = {thresholds, THRESHOLDS, ticks, DURATIONS};
    double *values = xcalloc((size_t)TRACES * TICKS, sizeof *values);
    int16_t *codes = xcalloc(TICKS, sizeof *codes);
    int32_t *first = xcalloc(THRESHOLDS * DURATIONS, sizeof *first),
            *episodes = xcalloc(THRESHOLDS * DURATIONS, sizeof *first);
    struct stream stream;
    stream_init(&stream, 1, 0, "bench", "tune");
    for (int i = 0; i < TRACES; i++)
        trace(&stream, values + (size_t)i * TICKS);

    double fast_first = 1e9, fast_episodes = 1e9;
    for (int repeat = 0; repeat < 5; repeat++) {
        double start = seconds();
        for (int i = 0; i < TRACES; i++) {
            tune_encode(&grid, values + (size_t)i * TICKS, TICKS, true, codes);
            tune_first(&grid, codes, TICKS, first);
        }
        double middle = seconds();
        for (int i = 0; i < TRACES; i++) {
            tune_encode(&grid, values + (size_t)i * TICKS, TICKS, true, codes);
            tune_episodes(&grid, codes, TICKS, episodes);
        }
        double end = seconds();
        fast_first = middle - start < fast_first ? middle - start : fast_first;
        fast_episodes = end - middle < fast_episodes ? end - middle : fast_episodes;
    }
    /* the loop on the last trace only, and every cell compared */
    const double *one = values + (size_t)(TRACES - 1) * TICKS;
    int wrong = 0;
    double start = seconds();
    for (int d = 0; d < DURATIONS; d++)
        for (int t = 0; t < THRESHOLDS; t++)
            wrong += naive_first(one, thresholds[t], ticks[d]) != first[d * THRESHOLDS + t];
    double middle = seconds();
    for (int d = 0; d < DURATIONS; d++)
        for (int t = 0; t < THRESHOLDS; t++)
            wrong += naive_episodes(one, thresholds[t], ticks[d]) != episodes[d * THRESHOLDS + t];
    double end = seconds();
    printf("%d thresholds x %d durations, %d ticks; cells that differ from the loop: %d\n",
           THRESHOLDS, DURATIONS, TICKS, wrong);
    printf("first firing: %.0f us a trace, %.0f times the loop (at least 100)\n",
           fast_first / TRACES * 1e6, (middle - start) / (fast_first / TRACES));
    printf("episodes: %.0f us a trace, %.0f times the loop (at least 100)\n",
           fast_episodes / TRACES * 1e6, (end - middle) / (fast_episodes / TRACES));
    free(values);
    free(codes);
    free(first);
    free(episodes);
    return wrong != 0;
}
