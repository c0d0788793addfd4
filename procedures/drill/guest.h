/* guest: someone who stops the procedure before a line and looks around in its shell.
 *
 * What he types is fed to the same sealed bash in the place of the rest of the procedure: its
 * variables, its folder and the world are as the line would find them. The clock stands still while
 * he types and moves while his commands run. Nothing after it is measured, so the record of such a
 * run is for nobody's verdict.
 */
#ifndef REHEARSE_PROCEDURES_DRILL_GUEST_H
#define REHEARSE_PROCEDURES_DRILL_GUEST_H

#include "procedures/drill/paste.h"

struct guest {
    const char *file; /* as the procedure calls it, or the end of that behind a slash; NULL: before
                         the first line */
    int line;
    /* His next line without its newline; `prompt` is what the shell would say. False: he leaves. */
    bool (*ask)(void *ctx, const char *prompt, struct buf *ret);
    /* What his commands write, as it comes. */
    void (*show)(void *ctx, const void *at, size_t len);
    void *ctx;
    /* kept by the run */
    int at; /* the line of paste.lines before which he comes in */
    bool inside;
    int64_t since_ns; /* of the command that runs now */
};

/* Finds the line; one within a command means the whole command. ERROR_INPUT if the procedure has no
 * such line. */
int guest_find(struct guest *, const struct paste *, struct error *);
/* As paste_feed and paste_interrupt, once he is inside. He waits for a command as long as the
 * operator would, and looks at one that never ends for ten seconds. */
bool guest_feed(struct guest *, struct paste *, bool executed, int exit_status, struct feed *ret);
bool guest_interrupt(const struct guest *, const struct paste *, int64_t *ret_ask_ns);

#endif
