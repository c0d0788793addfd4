/* timeline: the run on one time axis: phases, events, the indicator, latency, replicas, writes,
 * steps. */
#ifndef REHEARSE_REPORTS_PLOT_TIMELINE_H
#define REHEARSE_REPORTS_PLOT_TIMELINE_H

#include "reports/report.h"

enum { PLOT_WIDE = 900, PLOT_NARROW = 420 };

void report_timeline(const struct report *, struct buf *svg); /* at PLOT_WIDE */
/* The same at any width from PLOT_NARROW; returns the number of layout problems left (0). */
int plot_timeline(const struct report *, double width, struct buf *svg);

#endif
