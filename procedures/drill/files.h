/* files: the host folders and files that a system declares, read into memory. */
#ifndef REHEARSE_PROCEDURES_DRILL_FILES_H
#define REHEARSE_PROCEDURES_DRILL_FILES_H

#include "procedures/drill/drill.h"

/* Reads all of `folder` (of the host's disk), below which paths are those in the sandbox, into
 * drill->files. Symbolic links and special files are refused; so is more than 64 MiB. `at` is where
 * the user named it. */
int drill_read_folder(struct drill *, const char *folder, const char *place, const char *below,
                      const struct doc *at, struct error *);
/* `name` as a path relative to the folder of `file`, without "x/../"; in the arena, or `name`
 * itself. */
const char *path_beside(struct arena *, const char *file, const char *name);
/* The same, relative to the file that `at` stands in; in the drill's arena. */
const char *drill_path(struct drill *, const struct doc *at, const char *name);
/* "a/b/first.yaml" is called "first"; in the arena. */
const char *path_stem(struct arena *, const char *path);
/* Whether a file of that name may hold what a person writes for us: YAML or JSON. */
bool path_is_document(const char *path);

#endif
