/* workspace: a private copy of a folder of the repository, in which a test may change files. */
#ifndef REHEARSE_TESTS_WORKSPACE_H
#define REHEARSE_TESTS_WORKSPACE_H

#include "sim/base/arena.h"

struct workspace {
    struct arena arena;
    const char *path; /* of the copy */
};

/* Copies `folder` (relative to the repository's root; NULL: nothing) below a new temporary folder.
 * Fails the test on errors. */
void workspace_init(struct workspace *, const char *folder);
void workspace_release(struct workspace *); /* removes the copy */
/* Path of a file in the copy; lives as long as the workspace. */
const char *workspace_path(struct workspace *, const char *name);
/* Replaces the only occurrence of `from` in a file; fails the test if there is not exactly one. */
void workspace_replace(struct workspace *, const char *name, const char *from, const char *to);
void workspace_write(struct workspace *, const char *name, const char *text);

/* The folder with the owners' documents beside the repository; NULL where it is absent. */
const char *owners_playbook(struct arena *, const char *name);

#endif
