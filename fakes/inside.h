/* inside: a command in a container: a fake that its image has, a real program in its private root,
 * or nothing that it could find. */
#ifndef REHEARSE_FAKES_INSIDE_H
#define REHEARSE_FAKES_INSIDE_H

#include "fakes/call.h"
#include "fakes/visit.h"

struct inside {
    const char *place;        /* its private root */
    const char *like;         /* the place whose own commands it has too */
    bool has_root;            /* `place` is declared to the sandbox */
    const char *const *tools; /* fakes of its image, NULL-terminated */
    char **envp;
    const char *folder; /* working folder; NULL: the root */
    bool interactive;   /* it gets the client's stdin; else an empty one */
    /* Called when a real program goes in. */
    struct visit *(*enter)(struct call *, void *ctx);
    void *ctx;
};
enum { INSIDE_NOT_FOUND = -1 };
/* Its exit status; INSIDE_NOT_FOUND: there is no such program there. */
int inside_run(struct call *, const struct inside *, char **argv);

#endif
