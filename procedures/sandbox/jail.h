/* jail: the private root where there are no namespaces: a temporary folder, to which Landlock binds
 * all tasks.
 *
 * Absolute paths are led into it by the supervisor (supervisor/paths.c), which is convenience; that
 * nothing else can be reached is Landlock's work, and no mistake in a path can change it. The
 * folder is removed when the sandbox ends; one that a killed harness left is removed by the next
 * start.
 */
#ifndef REHEARSE_PROCEDURES_JAIL_H
#define REHEARSE_PROCEDURES_JAIL_H

#include "procedures/sandbox/root.h"

/* Makes and fills the folder. 0 or negative errno, and what failed. `path` gets its real path. */
int jail_make(const struct root_plan *, char *path, size_t size, char *what, size_t what_size);
/* In the child: binds it. Reads: libraries, /proc; starts: the programs; everything: the folder.
 * Negative errno. */
int jail_enter(const struct root_plan *, const char *path);
void jail_remove(const char *path);
/* Does this kernel have Landlock? */
int jail_version(void);

#endif
