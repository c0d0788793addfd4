/* expect: what a drill expects of its own run, read from the drill file.
 *
 *   expect:
 *     verdict: fail                     pass | fail | unknown
 *     gates: {records_lost: fail}       any of the gates: pass | fail | unknown
 *     targets: {rollback_s: met}        any of the measures: met | missed | unknown
 *     findings: [data_loss]             each must be there
 *     absent: [hang]                    none of these may be there
 *     because: why it must come out like this
 *
 * A drill that expects nothing expects to pass.
 */
#ifndef REHEARSE_REPORTS_EXPECT_H
#define REHEARSE_REPORTS_EXPECT_H

#include "reports/summary.h"
#include "sim/base/doc.h"

struct expectation {
    bool stated;           /* false: the drill has no `expect` */
    int verdict;           /* enum outcome, or -1 */
    int gates[GATES];      /* enum outcome, or -1 */
    int targets[MEASURES]; /* enum outcome, or -1 */
    const char **findings, **absent;
    int n_findings, n_absent;
    const char *because; /* or NULL */
};

/* node: the drill's `expect`, NULL if there is none. */
int expectation_read(struct expectation *, const struct doc *node, struct arena *, struct error *);
/* What came out otherwise, one line each, into the arena; returns how many. */
int expectation_compare(const struct expectation *, const struct summary *, struct arena *,
                        const char ***ret);
/* A drill's `waive` counts in its runs until the drill's own start: a run knows no other day. Here
 * the day is today: one line for each waiver whose date has come by then, so that it is renewed or
 * the matter mended. `waive` may be NULL. */
int waivers_lapsed(const struct doc *waive, int64_t today_unix_ns, struct arena *,
                   const char ***ret);

#endif
