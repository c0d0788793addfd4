/* panel: one strip of a timeline: the series of one metric, its axis, and its limits. */
#ifndef REHEARSE_REPORTS_PLOT_PANEL_H
#define REHEARSE_REPORTS_PLOT_PANEL_H

#include "reports/plot/axis.h"
#include "reports/plot/canvas.h"
#include "sim/record.h"

enum { PANELS = 4, PANEL_SERIES = 4 };

struct panel {
    const char *title;
    const char *suffix; /* of the ticks: "%", " ms" */
    double scale;       /* from the series' unit to the ticks' */
    const struct series *series[PANEL_SERIES];
    const char *names[PANEL_SERIES]; /* "" when there is only one */
    int n_series, n_hidden;
    bool steps;                /* values hold until the next sample */
    bool whole;                /* a count: no tick between whole numbers */
    bool zero_is_gap;          /* nothing was measured: a latency of nothing at all */
    bool is_ratio;             /* from 0 to 100%, with the indicator's limits */
    bool relative;             /* drawn is the change since the left edge: a store is never empty */
    double base[PANEL_SERIES]; /* what is taken off a relative series, in the ticks' unit */
    double lo, hi;             /* of the axis, in the ticks' unit */
    struct {
        double value;
        const char *label;
    } limits[2];
    int n_limits;
    bool narrow;
    struct rect box; /* set by the layout */
};

/* The panels that this record has data for; then, once the time that is shown is known, their axes.
 */
int panels_choose(const struct record *, struct panel ret[PANELS], bool narrow, struct arena *);
void panel_fit(struct panel *, const struct axis *time);
void panel_draw_frame(struct canvas *, const struct panel *, const struct axis *time,
                      struct arena *);
void panel_draw_series(struct canvas *, const struct panel *, const struct axis *time,
                       struct arena *);

#endif
