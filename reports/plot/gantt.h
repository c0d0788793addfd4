/* gantt: the steps of the procedure as bars on one time axis, with what went wrong beside them. */
#ifndef REHEARSE_REPORTS_PLOT_GANTT_H
#define REHEARSE_REPORTS_PLOT_GANTT_H

#include "reports/report.h"

void report_gantt(const struct report *, struct buf *svg); /* 900 pixels wide */
/* The same at any width from 420; returns the number of layout problems left (0). */
int plot_gantt(const struct report *, double width, struct buf *svg);

#endif
