/* fake: a backend and the commands that reach it, behaving like the real ones, inside the
 * simulation.
 *
 * One file a fake, ending in one exported `const struct fake`. Adding a fake touches that file and
 * the table in fakes/fakes.c. A fake knows tools, never one of the rehearsed systems.
 */
#ifndef REHEARSE_FAKES_FAKE_H
#define REHEARSE_FAKES_FAKE_H

#include "fakes/call.h"
#include "fakes/env.h"
#include "sim/base/doc.h"

struct fake {
    const char *name; /* also the key of its configuration in system.yaml */
    /* The names under which it is found in PATH (and at /usr/bin, /usr/local/bin ...),
     * NULL-terminated. */
    const char *const *commands;
    /* Reads its part of the system file (`config` may be NULL: defaults) and makes its state. 0 or
     * ERROR_INPUT. */
    int (*setup)(struct env *, const struct doc *config, struct error *);
    /* One invocation; returns the exit status. argv[0] says under which name. */
    int (*run)(struct call *);
    void (*release)(struct env *);
};

/* All fakes, NULL-terminated, in a fixed order (setup runs in it, release backwards). */
extern const struct fake *const all_fakes[];
/* The fake that answers to a command name, or NULL. */
const struct fake *fake_for(const char *command);

#endif
