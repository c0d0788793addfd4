/* plane: one trigger at every threshold and every duration at once.
 *
 * A trigger "value > T for n ticks in a row" first fires, or how often, is asked for all T of a
 * grid and all n of another. Comparing with a threshold commutes with min and max (stack filters:
 * Wendt, Coyle and Gallagher 1986), so the signal is replaced once by the number of thresholds
 * below it, minima over n ticks are built by doubling, and each plane is filled in one pass,
 * whatever the number of thresholds.
 */
#ifndef REHEARSE_TUNE_PLANE_H
#define REHEARSE_TUNE_PLANE_H

#include <stdbool.h>
#include <stdint.h>

enum { TUNE_THRESHOLDS_MAX = 32000, TUNE_DURATIONS_MAX = 1000 };

struct tune_grid {
    const double *thresholds; /* ascending, no two equal */
    int n_thresholds;
    const int *ticks; /* durations in ticks in a row, ascending, from 1 */
    int n_durations;
};

/* codes[k]: how many thresholds the value breaches. `above`: a breach is value > T, else value < T.
 * NaN breaches none. */
void tune_encode(const struct tune_grid *, const double *values, int n, bool above, int16_t *codes);

/* first[d * n_thresholds + t]: the first tick at which the trigger with threshold t has breached
 * for ticks[d] ticks in a row; -1: never. With above == false in the encoding, t counts from the
 * highest threshold (see tune_index). */
void tune_first(const struct tune_grid *, const int16_t *codes, int n, int32_t *first);
/* episodes[d * n_thresholds + t]: how often it begins to fire. */
void tune_episodes(const struct tune_grid *, const int16_t *codes, int n, int32_t *episodes);
/* The place of threshold t in a row of these planes. */
static inline int tune_index(const struct tune_grid *grid, int t, bool above)
{
    return above ? t : grid->n_thresholds - 1 - t;
}

/* ---- many runs ---- */

/* What happens in n runs at one cell of the plane. A run whose first firing lies before its onset
 * is a false alarm. */
struct tune_cell {
    int32_t false_alarms, detected, missed;
    int64_t delay_ticks; /* sum over the detected */
};
/* Adds one run: `onset` is the tick at which what is to be detected begins. */
void tune_add(const struct tune_grid *, const int32_t *first, int onset, struct tune_cell *cells);

/* Whether a cell's rate of false alarms is, with 95% confidence (one-sided Wilson bound), at most
 * `budget`. */
bool tune_keeps(const struct tune_cell *, int runs, double budget);
/* The cell with the smallest mean delay (a miss counts as `patience` ticks) among those that
 * keep the budget. Of equal ones the one in the middle of its widest plateau of thresholds. -1: no
 * cell can be shown to keep the budget with so few runs. */
int tune_choose(const struct tune_grid *, const struct tune_cell *cells, int runs, double budget,
                int patience);
double tune_mean_delay(const struct tune_cell *, int patience); /* of runs without a false alarm */
/* How many runs without any false alarm it takes to show that budget. */
int tune_runs_needed(double budget);

#endif
