/* severity: how bad a finding is in its run.
 *
 * An error is what a gate or a target fell by, a warning what it would in another run, the rest is
 * a note. Which gates and targets a kind of finding can bring down is written in explain.c; of a
 * step, what it cannot have brought down is taken out: a command that only looks, after which the
 * procedure went on, breaks no state, and what came after the good state did not delay it.
 */
#ifndef REHEARSE_REPORTS_SEVERITY_H
#define REHEARSE_REPORTS_SEVERITY_H

#include "reports/findings.h"

/* step: of the record, counted from 1; 0: none. */
enum severity severity_of(const struct record *, const struct verdict *, const char *id, int step);

#endif
