/* run: one execution of a drill with one seed, from the healthy start to the end of the record. */
#ifndef REHEARSE_PROCEDURES_RUN_H
#define REHEARSE_PROCEDURES_RUN_H

#include <signal.h>

#include "procedures/drill/drill.h"
#include "procedures/drill/guest.h"
#include "sim/record.h"

struct run_options {
    uint64_t seed; /* below 2^53 */
    enum tier tier;
    const char *replay; /* the command that replays this run; NULL: made from drill and seed */
    const volatile sig_atomic_t
        *stop;           /* set by Ctrl-C: the run ends cleanly with what was measured; or NULL */
    struct guest *guest; /* stops the procedure before a line and looks around (guest.h), or NULL */
};

/* Fills *ret on success (free with record_free). ERROR_SEAL if nothing can be run sealed here. The
 * verdict is not an error: it is in the record. */
int drill_run(const struct drill *, const struct run_options *, struct record **ret,
              struct error *);

#endif
