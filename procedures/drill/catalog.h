/* catalog: what there is to rehearse: systems, the playbooks of their drills, the procedures in
 * them, and which drill runs which. A procedure is a heading with commands below it; one that no
 * drill runs is in the catalog all the same. */
#ifndef REHEARSE_PROCEDURES_DRILL_CATALOG_H
#define REHEARSE_PROCEDURES_DRILL_CATALOG_H

#include "procedures/drill/find.h"

struct catalog_procedure {
    const char *heading; /* as --section takes it; "" the whole document */
    int line;            /* of the heading; 0 the whole document */
    const struct drill_head **drills;
    int n_drills; /* 0: nothing rehearses it */
};

struct catalog_playbook {
    const char *path;
    /* why it cannot be read, or NULL; then its drills stand under one procedure "" */
    const char *mistake;
    struct catalog_procedure *procedures; /* as in the document */
    int n_procedures, n_drills;
};

struct catalog_system {
    const char *name, *title;
    /* those with other drills than hardened ones (NAME-hardened) first */
    struct catalog_playbook *playbooks;
    int n_playbooks;
};

struct catalog {
    struct catalog_system *systems; /* in the order of their first drill */
    int n_systems;
    const struct drill_head **unreadable; /* drills with a mistake */
    int n_unreadable;
};

/* Everything is in the arena, or is the heads', which have to live as long. Playbooks are read from
 * disk, and only their headings and blocks; a section that a drill names and its playbook does not
 * have counts as a mistake of the playbook. */
void catalog_make(struct arena *, const struct drill_head *heads, int n, struct catalog *ret);

#endif
