/* declared: what a drill says about itself that goes straight into the record: targets,
 * assumptions, waivers. */
#ifndef REHEARSE_PROCEDURES_DRILL_DECLARED_H
#define REHEARSE_PROCEDURES_DRILL_DECLARED_H

#include "sim/base/doc.h"
#include "sim/record.h"

struct declared {
    struct target targets[MEASURES];
    int n_targets;
    struct assumption *assumed;
    int n_assumed;
    struct waiver *waivers;
    int n_waivers;
};

/* Targets: the defaults, then the system's, then the drill's own. Assumptions: the system's, then
 * the drill's. */
int declared_load(struct arena *, const struct doc *system, const struct doc *drill,
                  struct declared *ret, struct error *);
void declared_note(const struct declared *, struct record *);

#endif
