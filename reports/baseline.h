/* baseline: the results of a set of drills, kept in a file, to tell what got worse since.
 *
 * The file ("rehearse.baseline/1", JSON) belongs in the repository beside the drills. Worse is: a
 * verdict, gate or target that no longer passes, a time that grew by more than a tenth and five
 * seconds, more records lost, and more findings of one kind in one file (errors and warnings; a
 * line that moves is nothing new). Waived findings do not count. A drill that runs another document
 * than it ran then (another file or section; an edit is no other document) is held to what it
 * passed, and not to the other document's times and findings.
 */
#ifndef REHEARSE_REPORTS_BASELINE_H
#define REHEARSE_REPORTS_BASELINE_H

#include "reports/summary.h"

struct baseline;

int baseline_read(const char *path, struct baseline **ret, struct error *);
void baseline_free(struct baseline *);
/* What got worse, one line each, into the arena; returns how many. A drill that the baseline does
 * not know is not worse. */
int baseline_compare(const struct baseline *, const struct summary *, struct arena *,
                     const char ***ret);
/* Drills in the baseline that are not among these: a lost drill is a lost pass. */
int baseline_missing(const struct baseline *, const struct summary *, int n, struct arena *,
                     const char ***ret);
/* The file's text. */
void baseline_write(const struct summary *, int n, struct buf *);

#endif
