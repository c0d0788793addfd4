/* blame: which step of the procedure it was. */
#ifndef REHEARSE_REPORTS_BLAME_H
#define REHEARSE_REPORTS_BLAME_H

#include "sim/record.h"

/* The step that took most of the time between these instants (`to` may be NEVER); 0: none. */
int blame_longest(const struct record *, int64_t from_ns, int64_t to_ns);
/* What the last step did to it that changed it at all: "hp_ti_web: started, version v2" for web,
 * and which step that was. NULL: no step changed it. */
const char *blame_last_change(const struct record *, const char *subject, int *ret_step);
/* The step in which the longest outage (indicator below `down_below`) began, and when it began and
 * ended; 0: it began before or outside of the procedure, or there was none. */
int blame_outage(const struct record *, int64_t *ret_from_ns, int64_t *ret_to_ns);

#endif
