/* axis: from values to pixels, with ticks that people like to read. */
#ifndef REHEARSE_REPORTS_PLOT_AXIS_H
#define REHEARSE_REPORTS_PLOT_AXIS_H

#include <stdbool.h>

#include "sim/base/arena.h"

struct axis {
    double lo, hi; /* values; a flat range is widened by axis_make */
    double p0, p1; /* pixels */
};

struct tick {
    double value;
    const char *label;
};

enum { TICKS_MAX = 32 };

struct axis axis_make(double lo, double hi, double p0, double p1);
double axis_at(const struct axis *, double value);
/* About `want` round values (1, 2, 2.5, 5 times a power of ten) inside the axis; returns how many.
 */
int axis_ticks(const struct axis *, int want, const char *suffix, struct arena *,
               struct tick ret[TICKS_MAX]);
/* The same for times in seconds: steps of 1, 2, 5, 10, 15, 30 s, min, h. Labels as 0, 30 s, 5 min,
 * 1 h 30. */
int axis_time_ticks(const struct axis *, int want, struct arena *, struct tick ret[TICKS_MAX]);
/* The smallest round value at or above this one: a good end for an axis from zero. */
double axis_round_up(double value);

#endif
