/* programs: which real programs a playbook finds in its private root.
 *
 * An allow-list: text and file tools that act only on files and descriptors. Whatever is not listed
 * here, not named by the drill, and no fake, does not exist for a playbook (exit 127), whatever the
 * host has installed.
 */
#ifndef REHEARSE_PROCEDURES_PROGRAMS_H
#define REHEARSE_PROCEDURES_PROGRAMS_H

#include <stdbool.h>
#include <stddef.h>

#include "sim/base/buf.h"

extern const char *const standard_programs[]; /* names, NULL-terminated */
extern const char
    *const library_folders[]; /* of the host, seen read-only at the same place; those that exist */
extern const char *const python_folders[]; /* python3's own libraries */

/* Where the host keeps a program: fills `path` and returns true if there is one. */
bool program_find(const char *name, char *path, size_t size);
/* The host's packages that they come from, as "bash 5.2.15-2, coreutils 9.1-1, ...", by dpkg's own
 * record of what is installed; nothing where there is none. */
void programs_versions(struct buf *);

#endif
