/* find: drill files below folders, in the order of their paths. */
#ifndef REHEARSE_PROCEDURES_DRILL_FIND_H
#define REHEARSE_PROCEDURES_DRILL_FIND_H

#include "sim/base/doc.h"

/* What stands at the head of a drill file, read without loading the rest. */
struct drill_head {
    const char *path;
    const char *name;   /* SYSTEM/FILE as a run calls it */
    const char *system; /* name of its system */
    const char *system_title;
    const char *title;   /* "" if it has none */
    const char *section; /* "" the whole playbook */
    const char *playbook;
    const char *expects; /* "pass", "fail", "unknown"; "" it does not say */
    const char *mistake; /* why the head cannot be read, or NULL; then the name is the path, and the
                            rest is "" */
};

/* All drills at or below `path` (a file or a folder); hidden folders, build and rehearse-out are
 * passed over. Heads are added to *heads (grown with XGROW; free() it), strings are in the arena. A
 * drill with a mistake is among them and says so, for the others are no worse for it; files of
 * other formats are none of ours. An error is a path that is not there. */
int drill_find(struct arena *, const char *path, struct drill_head **heads, int *n, int *cap,
               struct error *);

#endif
