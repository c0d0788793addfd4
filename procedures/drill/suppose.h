/* suppose: a drill's variant of its system: "what if this assumption were otherwise". */
#ifndef REHEARSE_PROCEDURES_SUPPOSE_H
#define REHEARSE_PROCEDURES_SUPPOSE_H

#include "sim/base/arena.h"
#include "sim/base/doc.h"

/* Lays `over` (a mapping) over `base` (another): mappings in both are merged, key by key; anything
 * else in `over` takes the place of what was there, and null takes it away. `over` itself stays as
 * it is; what is copied lives in the arena. */
int suppose(struct arena *, struct doc *base, const struct doc *over, struct error *);

#endif
