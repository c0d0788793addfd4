/* impossible: targets that no run can meet, because the trigger that has to see the failure waits
 * longer than they allow. */
#ifndef REHEARSE_PROCEDURES_DRILL_IMPOSSIBLE_H
#define REHEARSE_PROCEDURES_DRILL_IMPOSSIBLE_H

#include "sim/record.h"
#include "sim/world/model.h"

/* The least time from the first bad sample to the alert, however bad the failure is. */
int64_t trigger_least_ns(const struct model_trigger *, int64_t eval_ns);
/* After the run: observes `impossible_target` if the trigger that detected the failure cannot be
 * faster than the target for the time to detect, or, where nothing detected it, if no trigger that
 * raises an alarm can. */
void impossible_observe(const struct model *, struct record *);

#endif
