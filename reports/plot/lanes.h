/* lanes: labels of events above a time axis, each on a leader, so that no label covers another and
 * no leader cuts through a label. */
#ifndef REHEARSE_REPORTS_PLOT_LANES_H
#define REHEARSE_REPORTS_PLOT_LANES_H

#include <stdbool.h>
#include <stdint.h>

struct mark {
    int64_t at_ns;
    const char *text, *label; /* whole; as shown */
    double x, width;          /* pixels: of the leader; of the label */
    int lane;                 /* from 0, the lowest */
    bool flipped;             /* the label stands left of its leader */
};

/* Gives every mark (sorted by x) a lane; labels that would pass `right` are flipped. Returns the
 * number of lanes. */
int lanes_assign(struct mark *, int n, double right);

#endif
