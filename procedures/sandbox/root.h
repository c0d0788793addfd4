/* root: builds the private root from inside the new namespaces.
 *
 * Runs in the child, between clone and exec: it calls the kernel and nothing else (no allocation,
 * no stdio), since the harness may have had other threads. On failure it says which step failed,
 * and the sandbox is not started.
 */
#ifndef REHEARSE_PROCEDURES_ROOT_H
#define REHEARSE_PROCEDURES_ROOT_H

#include <stddef.h>

#include "procedures/sandbox/sandbox.h"

struct program {
    char path[128]; /* on the host */
    char name[64];
};

/* All that the child needs, prepared by the harness before the clone. */
struct root_plan {
    const struct sandbox_spec *spec;
    const struct program *programs;
    int n_programs;
    const void *shim; /* the ELF file that stands under every fake command's name */
    size_t shim_size;
    const void *script; /* placeholder of the procedure's script (supervisor/script.h) */
    size_t script_size;
    const char *account; /* /etc/passwd line of the operator, without uid 0's */
};

#define ROOT_HIDDEN "/.rehearse" /* shim and script; a folder of the root that nobody may list */
#define ROOT_SHIM   ROOT_HIDDEN "/shim"
#define ROOT_SCRIPT ROOT_HIDDEN "/script"
#define ROOT_PLACES "/.places" /* one root per container or host */

/* Ends with the private root as "/" and nothing else reachable. Returns 0, or negative errno and
 * what failed. */
int root_build(const struct root_plan *, char *what, size_t size);
/* The same content below a folder of the host, without what is bound: for the tier that has no
 * namespaces. */
int root_fill(const struct root_plan *, const char *folder, char *what, size_t size);

#endif
