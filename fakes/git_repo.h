/* git_repo: the git repositories of a system, made before the run and handed to the sandbox as
 * files.
 *
 *   git:
 *     /opt/shop:                        # the working copy on the operator's machine
 *       origin: /srv/git/shop.git       # a bare repository on the same machine; remote "origin"
 *       # folders beside this file; each lies over the one before it
 *       tags: {v1.1: repo/v1.1, v1.2: repo/v1.2}
 *       branch: main                    # at the last tag
 *       checkout: v1.1                  # what is checked out at the start; default: the first
 *       protected: true                 # origin refuses forced pushes to the branch
 *
 * Real git works on them in the sandbox. Authors and times are fixed, so that every hash is the
 * same in each run.
 */
#ifndef REHEARSE_FAKES_GIT_REPO_H
#define REHEARSE_FAKES_GIT_REPO_H

#include "fakes/call.h"
#include "fakes/env.h"

/* A release was deployed: working copies that have a tag of that name are put on it, as a
 * deployment would. */
void git_repo_deployed(struct env *, const char *tag);
/* To be called before the procedure and at the end of each of its steps: notes it as a finding of
 * the step when a branch comes back to where a step before had taken it from. */
void git_repo_look(struct env *);
/* The release that a folder of the process holds: what its file VERSION says, else the tag that its
 * repository is on; NULL: neither. In the call's arena. */
const char *git_repo_version(struct call *, const char *folder);

#endif
