/* expect: what a drill expects of its own run, and the findings that it waives, read from the drill file.
 *
 *   expect:
 *     verdict: fail                     pass | fail | unknown
 *     gates: {records_lost: fail}       any of the gates: pass | fail | unknown
 *     targets: {rollback_s: met}        any of the measures: met | missed | unknown
 *     findings: [data_loss]             each must be there
 *     absent: [hang]                    none of these may be there
 *     because: why it must come out like this
 *   waive:
 *     - {finding: no_op, until: 2026-06-30, reason: the flag moves in May, file: playbook.md, line: 12}
 *
 * A drill that expects nothing expects to pass. A waiver holds for runs whose `start` is before its date: no real clock
 * decides.
 */
#ifndef REHEARSE_REPORTS_EXPECT_H
#define REHEARSE_REPORTS_EXPECT_H

#include "reports/summary.h"
#include "sim/base/doc.h"

struct expectation {
    bool stated;               /* false: the drill has no `expect` */
    int verdict;               /* enum outcome, or -1 */
    int gates[GATES];          /* enum outcome, or -1 */
    int targets[MEASURES];     /* enum outcome, or -1 */
    const char **findings, **absent;
    int n_findings, n_absent;
    const char *because;       /* or NULL */
};

/* node: the drill's `expect`, NULL if there is none. */
int expectation_read(struct expectation *, const struct doc *node, struct arena *, struct error *);
/* What came out otherwise, one line each, into the arena; returns how many. */
int expectation_compare(const struct expectation *, const struct summary *, struct arena *, const char ***ret);

/* node: the drill's `waive`, NULL if there is none. With a NULL record it is only checked. */
int waivers_read(struct record *, const struct doc *node, struct error *);

#endif
