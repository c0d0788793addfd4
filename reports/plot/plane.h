/* plane: every threshold and duration of one trigger as a map: how soon each rule detects, where it
 * alarms too often, where the trigger stands now and where it might. */
#ifndef REHEARSE_REPORTS_PLOT_PLANE_H
#define REHEARSE_REPORTS_PLOT_PLANE_H

#include "sim/base/buf.h"
#include "sim/tune/plane.h"

struct plane_picture {
    const char *drill, *trigger, *metric, *comparison; /* comparison: ">", "<=" ... */
    const struct tune_grid *grid;
    bool above;                      /* as the cells were encoded */
    const struct tune_cell *cells;   /* of the runs that chose: they are the colours */
    const struct tune_cell *judged;  /* of other runs: they are what is said of the two rules */
    int runs, judged_runs, patience; /* patience in ticks: what a miss counts as */
    double budget, tick_s;
    int now, proposed; /* index of a cell; proposed -1: no rule keeps the budget */
};

/* Returns the number of layout problems (0). */
int plot_plane(const struct plane_picture *, double width, struct buf *svg);

#endif
