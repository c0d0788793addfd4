/* visit: a process goes into a container, and comes out.
 *
 * Mounted folders are files of the machine: whoever goes through env_*() finds them there
 * (env_set_mounts). A process in the container cannot: for it they are copied in when it enters,
 * and what it changed is copied back when it leaves.
 */
#ifndef REHEARSE_FAKES_VISIT_H
#define REHEARSE_FAKES_VISIT_H

#include "fakes/call.h"
#include "fakes/env.h"

struct visit;
struct visit_mount {
    const char *source, *target; /* folder (or file) of the machine; where the place has it */
    bool read_only;
};
/* The mounts must live as long as the call. Ends with the call at the latest, also when its client
 * is killed. */
struct visit *visit_begin(struct call *, const char *place, const struct visit_mount *, int n);
void visit_end(struct visit *);

#endif
