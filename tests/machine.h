/* machine: an operator's machine for tests of fakes: a world from YAML text, files, and the fakes
 * set up on it. */
#ifndef REHEARSE_TESTS_MACHINE_H
#define REHEARSE_TESTS_MACHINE_H

#include "sim/world/model.h"
#include "tests/call_double.h"

struct machine {
    struct call_double d; /* d.call.cwd is "/opt/shop" */
    struct arena arena;
    struct model model;
    struct record *record;
    struct world *world;
};

/* A file of the operator's machine, before set-up. */
struct machine_file {
    const char *path, *content;
};

/* `system`: text of a system file ("format:" is put before it); `drill` may be NULL; `files` end in
 * a NULL path. Runs every fake's setup; a mistake fails the test. The clock is at the start. */
void machine_init(struct machine *, const char *system, const char *drill,
                  const struct machine_file *files);
void machine_release(struct machine *);
void machine_advance(struct machine *, int64_t to_ns);
/* Runs a command line: the exit status must be as given. */
void machine_expect(struct machine *, const char *command, int status, const char *out,
                    const char *err);
/* The same, where the output must hold these texts (NULL: not looked at). */
void machine_holds(struct machine *, const char *command, int status, const char *in_out,
                   const char *in_err);

#endif
