/* held: a drill that people held by hand, written down in a small file, made into a record like
 * that of a simulated run: the same measures, targets, gates and score follow from it.
 *
 *   format: rehearse.held/1
 *   drill: shop/database
 *   start: 2026-04-14T14:00:00Z          all times below count from here
 *   people: [facilitator, two on-call engineers]
 *   instants: {change: 10m, impact: 11m, detect: 14m, ack: 15m, decide: 19m,
 *              claim: 31m, restore: 30m, stable: 36m}
 *   downtime: 3m
 *   records_lost: {postgres: 0}          or unknown
 *   end_state: good                      or wrong, or unknown
 *   actions: [{at: 16m, who: on-call, did: paged the database team}]
 *   observed: [{finding: manual_edit, message: the flag was set by hand, line: 40}]
 *   targets: {rollback: 20m}             otherwise the usual ones
 *
 * An instant that is left out was never reached.
 */
#ifndef REHEARSE_REPORTS_HELD_H
#define REHEARSE_REPORTS_HELD_H

#include "sim/base/error.h"
#include "sim/record.h"

/* *ret is freed with record_free; *ret_people lives in its arena. */
int held_read(const char *path, struct record **ret, const char **ret_people, struct error *);

#endif
