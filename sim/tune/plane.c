#include "sim/tune/plane.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "sim/base/xalloc.h"
#include "sim/engine/statistics.h"

/* Loops over samples that a compiler turns into vector instructions when asked to. */
#if defined(__GNUC__) && !defined(__clang__)
#define VECTOR_LOOP __attribute__((optimize("O3")))
#else
#define VECTOR_LOOP
#endif

/* ---- encoding: a table over the leading bits of the value says where to begin looking ---- */

enum { TABLE_SIZE = 8192 };

struct encoder {
    const double *thresholds;
    int n, shift;
    uint64_t base;
    int16_t below[TABLE_SIZE + 1]; /* thresholds whose image falls into an earlier place */
};

/* An unsigned number of the same order as the double (no NaN). */
static inline uint64_t image(double value)
{
    uint64_t bits;
    value += 0.0; /* -0 becomes 0 */
    memcpy(&bits, &value, sizeof bits);
    return bits >> 63 ? ~bits : bits | UINT64_C(1) << 63;
}

static void encoder_init(struct encoder *encoder, const struct tune_grid *grid)
{
    encoder->thresholds = grid->thresholds;
    encoder->n = grid->n_thresholds;
    encoder->base = image(grid->thresholds[0]);
    uint64_t span = image(grid->thresholds[grid->n_thresholds - 1]) - encoder->base;
    encoder->shift = 0;
    while (span >> encoder->shift >= TABLE_SIZE)
        encoder->shift++;
    int t = 0;
    for (int place = 0; place <= TABLE_SIZE; place++) {
        while (t < encoder->n &&
               (image(encoder->thresholds[t]) - encoder->base) >> encoder->shift < (uint64_t)place)
            t++;
        encoder->below[place] = (int16_t)t;
    }
}

/* The first threshold that may not be below the value. */
static inline int begin_at(const struct encoder *encoder, double value)
{
    uint64_t key = image(value);
    if (key <= encoder->base)
        return 0;
    uint64_t place = (key - encoder->base) >> encoder->shift;
    return place >= TABLE_SIZE ? encoder->below[TABLE_SIZE] : encoder->below[place];
}

static inline int below(const struct encoder *encoder, double value)
{
    int t = begin_at(encoder, value);
    while (t < encoder->n && encoder->thresholds[t] < value)
        t++;
    return t;
}

static inline int beyond(const struct encoder *encoder, double value)
{
    int t = begin_at(encoder, value);
    while (t < encoder->n && encoder->thresholds[t] <= value)
        t++;
    return encoder->n - t;
}

void tune_encode(const struct tune_grid *grid, const double *values, int n, bool above,
                 int16_t *codes)
{
    struct encoder encoder;
    assert(grid->n_thresholds > 0 && grid->n_thresholds <= TUNE_THRESHOLDS_MAX);
    encoder_init(&encoder, grid);
    for (int k = 0; k < n; k++) {
        double value = values[k];
        int code = value != value ? 0 : above ? below(&encoder, value) : beyond(&encoder, value);
        codes[k] = (int16_t)code;
    }
}

/* ---- durations by doubling ---- */

/* codes[k] becomes the smallest of the last n codes, having been that of the last `have` <= n <= 2
 * have. */
VECTOR_LOOP static void erode(int16_t *restrict codes, int16_t *restrict spare, int n_codes,
                              int have, int n)
{
    int shift = n - have;
    if (shift == 0)
        return;
    memcpy(spare, codes, (size_t)n_codes * sizeof *codes);
    const int16_t *restrict earlier = spare;
    int16_t *restrict later = codes + shift;
    for (int k = 0; k < n_codes - shift; k++) /* one vector minimum */
        later[k] = later[k] < earlier[k] ? later[k] : earlier[k];
    int silent = n - 1 < n_codes ? n - 1 : n_codes; /* too early for so many ticks */
    memset(codes, 0, (size_t)silent * sizeof *codes);
}

struct erosion {
    int16_t *codes, *spare;
    int n, have;
};

static void erosion_init(struct erosion *erosion, const int16_t *codes, int n)
{
    erosion->codes = xcalloc((size_t)n + 1, sizeof *codes);
    erosion->spare = xcalloc((size_t)n + 1, sizeof *codes);
    memcpy(erosion->codes, codes, (size_t)n * sizeof *codes);
    erosion->n = n;
    erosion->have = 1;
}

static void erosion_to(struct erosion *erosion, int ticks)
{
    while (erosion->have < ticks) {
        int next = ticks < 2 * erosion->have ? ticks : 2 * erosion->have;
        erode(erosion->codes, erosion->spare, erosion->n, erosion->have, next);
        erosion->have = next;
    }
}

static void erosion_release(struct erosion *erosion)
{
    free(erosion->codes);
    free(erosion->spare);
}

/* ---- first firing: only the records of a running maximum matter ---- */

enum { BLOCK = 256 };

VECTOR_LOOP static int16_t highest_of(const int16_t *codes, int n)
{
    int16_t highest = 0;
    for (int k = 0; k < n; k++)
        highest = codes[k] > highest ? codes[k] : highest;
    return highest;
}

static void first_of_row(const int16_t *codes, int n, int n_thresholds, int32_t *first)
{
    int record = 0;
    for (int from = 0; from < n && record < n_thresholds; from += BLOCK) {
        int to = from + BLOCK < n ? from + BLOCK : n;
        if (highest_of(codes + from, to - from) <= record)
            continue;
        for (int k = from; k < to; k++)
            while (record < codes[k])
                first[record++] = k;
    }
    while (record < n_thresholds)
        first[record++] = -1;
}

void tune_first(const struct tune_grid *grid, const int16_t *codes, int n, int32_t *first)
{
    struct erosion erosion;
    erosion_init(&erosion, codes, n);
    for (int d = 0; d < grid->n_durations; d++) {
        erosion_to(&erosion, grid->ticks[d]);
        first_of_row(erosion.codes, n, grid->n_thresholds, first + (int64_t)d * grid->n_thresholds);
    }
    erosion_release(&erosion);
}

/* ---- episodes: a stack of runs that are still open ---- */

struct open_run {
    int16_t code;
    int32_t start;
};

/* A run of codes in (low, high] that was `length` ticks long is one episode for each of these
 * thresholds and every duration that is not longer. Noted as a corner of a two-dimensional
 * difference. */
static void note_run(const struct tune_grid *grid, int32_t *difference, int low, int high,
                     int length)
{
    int fits = 0, last = grid->n_durations; /* durations that fit into the run */
    while (fits < last) {
        int middle = (fits + last) / 2;
        if (grid->ticks[middle] <= length)
            fits = middle + 1;
        else
            last = middle;
    }
    if (!fits)
        return;
    int32_t *row = difference + (int64_t)(fits - 1) * (grid->n_thresholds + 1);
    row[low]++;
    row[high]--;
}

void tune_episodes(const struct tune_grid *grid, const int16_t *codes, int n, int32_t *episodes)
{
    int width = grid->n_thresholds + 1;
    struct open_run *stack = xcalloc((size_t)grid->n_thresholds + 1, sizeof *stack);
    int32_t *difference = xcalloc((size_t)width * (size_t)grid->n_durations, sizeof *difference);
    int open = 0;
    for (int k = 0; k <= n; k++) {
        int16_t code = k < n ? codes[k] : 0;
        int32_t start = k;
        while (open &&
               stack[open - 1].code > code) { /* it ends for the thresholds above this code */
            int under = open > 1 && stack[open - 2].code > code ? stack[open - 2].code : code;
            start = stack[open - 1].start;
            note_run(grid, difference, under, stack[open - 1].code, k - start);
            open--;
        }
        if (code && (!open || stack[open - 1].code < code))
            stack[open++] = (struct open_run){code, start};
    }
    /* sum along the thresholds, then towards the shorter durations */
    for (int d = grid->n_durations - 1; d >= 0; d--) {
        int32_t sum = 0;
        for (int t = 0; t < grid->n_thresholds; t++) {
            sum += difference[(int64_t)d * width + t];
            int32_t longer =
                d + 1 < grid->n_durations ? episodes[(int64_t)(d + 1) * grid->n_thresholds + t] : 0;
            episodes[(int64_t)d * grid->n_thresholds + t] = sum + longer;
        }
    }
    free(stack);
    free(difference);
}

/* ---- many runs ---- */

void tune_add(const struct tune_grid *grid, const int32_t *first, int onset,
              struct tune_cell *cells)
{
    int64_t n = (int64_t)grid->n_thresholds * grid->n_durations;
    for (int64_t i = 0; i < n; i++) {
        if (first[i] < 0) {
            cells[i].missed++;
        } else if (first[i] < onset) {
            cells[i].false_alarms++;
        } else {
            cells[i].detected++;
            cells[i].delay_ticks += first[i] - onset;
        }
    }
}

double tune_mean_delay(const struct tune_cell *cell, int patience)
{
    int64_t runs = (int64_t)cell->detected + cell->missed;
    if (!runs)
        return patience;
    return ((double)cell->delay_ticks + (double)cell->missed * patience) / (double)runs;
}

/* One-sided at 95%: the upper end of the two-sided interval at 90%. */
static double most_false_alarms(const struct tune_cell *cell, int runs)
{
    return wilson_interval(cell->false_alarms, runs, 0.9).high;
}

bool tune_keeps(const struct tune_cell *cell, int runs, double budget)
{
    return most_false_alarms(cell, runs) <= budget;
}

int tune_runs_needed(double budget)
{
    int runs = 1;
    const struct tune_cell none = {0};
    while (runs < 1000000 && !tune_keeps(&none, runs, budget))
        runs += 1 + runs / 100;
    return runs;
}

static bool same_cell(const struct tune_cell *a, const struct tune_cell *b)
{
    return a->false_alarms == b->false_alarms && a->detected == b->detected &&
           a->missed == b->missed && a->delay_ticks == b->delay_ticks;
}

/* How many thresholds on either side can be missed without changing anything: the smaller of the
 * two. */
static int plateau(const struct tune_grid *grid, const struct tune_cell *row, int t)
{
    int margin = 0;
    while (t - margin - 1 >= 0 && t + margin + 1 < grid->n_thresholds &&
           same_cell(&row[t - margin - 1], &row[t]) && same_cell(&row[t + margin + 1], &row[t]))
        margin++;
    return margin;
}

int tune_choose(const struct tune_grid *grid, const struct tune_cell *cells, int runs,
                double budget, int patience)
{
    int best = -1, best_margin = -1;
    double best_delay = 0;
    for (int d = 0; d < grid->n_durations; d++) {
        const struct tune_cell *row = cells + (int64_t)d * grid->n_thresholds;
        for (int t = 0; t < grid->n_thresholds; t++) {
            double delay = tune_mean_delay(&row[t], patience);
            if ((best >= 0 && delay > best_delay) || !tune_keeps(&row[t], runs, budget))
                continue;
            int margin = plateau(grid, row, t);
            if (best >= 0 && delay >= best_delay && margin <= best_margin)
                continue;
            best = d * grid->n_thresholds + t;
            best_delay = delay;
            best_margin = margin;
        }
    }
    return best;
}
