/* monitor: commands that watch something and never end by themselves. */
#ifndef REHEARSE_PROCEDURES_DRILL_MONITOR_H
#define REHEARSE_PROCEDURES_DRILL_MONITOR_H

#include <stdbool.h>

#include "sim/base/str.h"

/* Does this command line (one step of a procedure) watch for ever: `watch ...`, `tail -f`, `...
 * logs -f`, `journalctl -f`, `kubectl get -w`, `top`, `docker stats` without --no-stream? */
bool monitor_never_ends(struct str command);

#endif
