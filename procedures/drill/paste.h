/* paste: the operator at the keyboard: gives the procedure to bash line by line, and keeps the
 * steps.
 *
 * A step starts when bash gets its first line and ends when bash asks for the next one. Blank lines
 * and comments between commands are read by a person, not pasted. Output is noted in the step that
 * runs, and searched for claims of success. Never-ending monitors are interrupted as a person
 * would.
 *
 * A person's shell says "syntax error" and takes the next line; ours is not interactive and would
 * end there. So a line that bash cannot read by itself is given as the argument of eval, which
 * fails with the same words and status 2.
 */
#ifndef REHEARSE_PROCEDURES_DRILL_PASTE_H
#define REHEARSE_PROCEDURES_DRILL_PASTE_H

#include "fakes/call.h"
#include "procedures/drill/drill.h"
#include "procedures/supervisor/supervisor.h"
#include "sim/record.h"

/* One line to paste, or (with no text) one to read. */
struct paste_line {
    const char *file;
    int line;
    int block; /* index into the playbook's */
    struct str text;
    int64_t reading_ns;
    bool unreadable; /* bash refuses this line: it is given through eval, so that the shell lives on
                      */
};

struct guest;

struct paste {
    const struct drill *drill;
    struct record *record;
    struct env *env;
    struct guest *guest; /* who stops it on the way (guest.h), or NULL */
    bool script;         /* the change script is fed, not the procedure: no steps */
    struct str script_rest;
    struct buf script_output;
    struct arena arena;
    struct paste_line *lines; /* of the procedure, SQL wrapped for the command that takes it */
    int n_lines, cap_lines;
    int next;               /* line of the procedure that is fed next */
    int again;              /* the block that was run again, or -1 */
    bool prepared;          /* bound variables are exported */
    bool waited;            /* the wait before that line is over */
    bool open;              /* a step is running */
    bool complete;          /* every line was fed */
    const char *stopped_by; /* why the rest was not pasted, or NULL */
    struct buf text;        /* the line being fed */
    struct buf command;     /* all lines of the step */
    struct buf line[3];     /* unfinished line of output on 1 and 2 */
};

void paste_init(struct paste *, const struct drill *, struct record *, struct env *);
void paste_release(struct paste *);
/* What is fed next: a script of the scenario, or the procedure. */
void paste_script(struct paste *, const char *script);
const char *paste_script_output(const struct paste *);
void paste_procedure(struct paste *);
/* The shell ended with that status: closes a step that was running. */
void paste_end(struct paste *, int exit_status);

/* As in struct supervisor_owner. */
bool paste_feed(struct paste *, bool executed, int exit_status, struct feed *ret);
void paste_output(struct paste *, int fd, const void *at, size_t len);
bool paste_interrupt(struct paste *, const char *command, int64_t *ret_ask_ns);
/* Whether bash gives up at this line, whatever stands around it; not at one that only wants more
 * lines. */
bool paste_is_unreadable(struct arena *, struct str line);
/* The line as bash gets it, with its newline, into paste->text. */
void paste_put(struct paste *, const struct paste_line *);
/* Runs the fake of a call, or makes it misbehave when a fault says so; `line` is its command line.
 */
int paste_command(struct paste *, struct call *, const char *line);

#endif
