/* supervisor: runs an unmodified shell procedure in virtual time (ptrace and seccomp).
 *
 * At most one task of the tree runs; when all are idle the clock jumps to the next deadline, of a
 * task or of the world. The kernel does pipes, files, waits and signals; only time, who runs, and
 * chance are replaced. Commands whose program is the shim are answered by fakes (fakes/call.h), as
 * coroutines in this process.
 *
 * The procedure is pasted into one long-lived bash, line by line: whenever that bash asks for more
 * of its script, the command before it has ended, its status stands in bash's own
 * `last_command_exit_value` (read from outside, so that nothing is injected into the shell), and
 * `feed` gives the next line.
 */
#ifndef REHEARSE_PROCEDURES_SUPERVISOR_H
#define REHEARSE_PROCEDURES_SUPERVISOR_H

#include <stdbool.h>
#include <stdint.h>

#include "fakes/call.h"
#include "procedures/sandbox/sandbox.h"

/* The next piece of the procedure. */
struct feed {
    struct str text; /* one or more whole lines, with their newlines; valid until the next feed */
    int64_t wait_ns; /* virtual time before bash gets it: reading, typing. With no text: then feed
                        is asked again */
    int line; /* bash's line number (LINENO, messages) of the first of them; 0: bash counts on */
};

/* What the supervisor needs from whoever runs the drill. All run in the harness, never in the tree.
 */
struct supervisor_owner {
    void *ctx;
    int64_t (*now)(void *ctx);
    /* Runs the world up to to_ns; may stop earlier (returns the time reached) when something
     * outside it changed. */
    int64_t (*advance)(void *ctx, int64_t to_ns);
    int64_t (*next)(void *ctx); /* time of the world's next event, INT64_MAX for none */
    /* bash asks for more. `executed`: it ran a complete command since the last feed (false: it
     * wants the rest of an unfinished one), whose status was `exit_status`. Returns false at the
     * end of the procedure. */
    bool (*feed)(void *ctx, bool executed, int exit_status, struct feed *ret);
    /* Runs a fake; the return value is its exit status. Runs as a coroutine. */
    int (*command)(void *ctx, struct call *call);
    /* Bytes that the tree wrote to the procedure's stdout (1) or stderr (2), as they come. */
    void (*output)(void *ctx, int fd, const void *at, size_t len);
    /* Something that the record must know: id as in sim/record.h ("escaped_command", "limit",
     * "hang", "unknown_command", "not_simulated" ...). */
    void (*observe)(void *ctx, const char *id, const char *evidence, const char *message);
    /* Asked whenever the clock is about to jump: should a person interrupt (Ctrl-C) what runs in
     * the foreground now, and when at the latest must it be asked again (*ret_ask_ns; INT64_MAX
     * never)? `command` is the blocked foreground command line. */
    bool (*interrupt)(void *ctx, const char *command, int64_t *ret_ask_ns);
    struct env *env;          /* given to each call */
    const volatile int *stop; /* set from a signal handler: end the run (END_STOPPED); or NULL */
};

enum supervisor_end {
    END_PROCEDURE, /* bash ended (end of feed, exit, or set -e) */
    END_HANG,      /* every task is blocked for good: details were observed */
    END_LIMIT,     /* a limit was reached: details were observed */
    END_HORIZON,   /* virtual time is up */
    END_STOPPED,   /* the caller's stop flag (Ctrl-C) */
};

struct supervisor_result {
    enum supervisor_end end;
    int exit_status;                /* of the long-lived bash; -1 if it did not end by itself */
    int64_t stops, execs, commands; /* for the bench */
};

struct supervisor;

/* Makes the sandbox; nothing of the procedure runs yet. ERROR_SEAL if it cannot be sealed here. */
int supervisor_open(const struct sandbox_spec *, const struct supervisor_owner *,
                    struct supervisor **ret, struct error *);
enum tier supervisor_tier(const struct supervisor *);
/* Runs a procedure: bash is fed until the end. `script_name` is what bash calls its script in
 * messages. May be called several times, one after the other; files persist between them, processes
 * do not. */
int supervisor_run(struct supervisor *, const char *script_name, struct supervisor_result *ret,
                   struct error *);
void supervisor_close(struct supervisor *); /* kills what is left; NULL is fine */

/* Files of the sandbox, for env_files (fakes/env.h) and for looking at results. Paths are resolved
 * inside the root: no link leads out. Negative errno. `mtime` is the owner's now. */
int supervisor_write(struct supervisor *, const char *place, const char *path, const void *at,
                     size_t len, int mode);
int supervisor_append(struct supervisor *, const char *place, const char *path, const void *at,
                      size_t len);
int supervisor_load(struct supervisor *, const char *place, const char *path, struct buf *);
int supervisor_unlink(struct supervisor *, const char *place, const char *path);
int supervisor_mkdir(struct supervisor *, const char *place, const char *path);
int supervisor_list(struct supervisor *, const char *place, const char *path, struct buf *entries);

#endif
