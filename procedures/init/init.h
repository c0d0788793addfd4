/* init: a first system and drill, written from what somebody's playbook says.
 *
 * What a document cannot say (rates, times, what scripts do) is guessed, marked as a guess, and
 * listed as an assumption. The result loads and runs as it is; every further minute spent on it
 * makes its verdict truer.
 */
#ifndef REHEARSE_PROCEDURES_INIT_H
#define REHEARSE_PROCEDURES_INIT_H

#include "procedures/playbook/playbook.h"

struct init_file {
    const char *path; /* relative to the folder that is made */
    struct str content;
    int mode;
};

struct init_result {
    const char *name; /* of the system */
    struct init_file *files;
    int n_files;
    const char **todo; /* what a person should look at next, a line each; NULL-terminated */
};

struct init_options {
    const char *playbook_path; /* as the drill will name it, relative to the drill's folder */
    /* text of a compose file whose services and images are taken over; or NULL */
    const char *compose;
    const char *kubernetes; /* text of manifests, likewise; or NULL */
    const char *section;    /* heading to rehearse, or NULL for the one that changes most */
};

/* Everything lives in the arena. An error if the playbook has no commands, or no such section. */
int init_from_playbook(struct arena *, const struct playbook *, const struct init_options *,
                       struct init_result *ret, struct error *);

#endif
