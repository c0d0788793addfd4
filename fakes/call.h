/* call: one invocation of a fake command, as the fake sees it.
 *
 * A fake is an ordinary C function that runs as a coroutine: it is written straight down, as the
 * real program would be, and the functions below are its system calls. They act *inside* the
 * sandboxed process whose command line this is (with its descriptors, its working folder, its
 * rights), so that a fake can reach nothing that the playbook could not. Virtual time passes only
 * in them; between two of them a fake runs in no time at all and may read and change the world
 * freely.
 *
 * A process can be killed while its fake is inside one of these functions. The coroutine is then
 * abandoned: nothing behind the call runs. So hold no memory of your own across a call: use `arena`
 * (released with the call), or register a clean-up with call_defer.
 */
#ifndef REHEARSE_FAKES_CALL_H
#define REHEARSE_FAKES_CALL_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "sim/base/arena.h"
#include "sim/base/buf.h"
#include "sim/world/world.h"

struct env; /* fakes/env.h */

struct call {
    int argc;
    char **argv;         /* NULL-terminated; argv[0] as typed */
    char **envp;         /* the process's environment, NULL-terminated */
    const char *cwd;     /* working folder of the process */
    struct env *env;     /* the machine room of this run */
    struct arena *arena; /* lives as long as the call */
    /* "" on the operator's machine, else the container, pod or host it runs in */
    const char *place;
    void *impl; /* of whoever carries the call out: the supervisor, or a test double */
    const struct call_ops *ops;
    /* of whoever put ops of its own before the real ones; else NULL */
    const struct call_ops *impl_ops;
};

/* Output. Bytes go to the process's descriptor; a reader that went away ends the process by
 * SIGPIPE, as usual. */
void call_write(struct call *, int fd, const void *at, size_t len);
void call_out(struct call *, const char *format, ...) __attribute__((format(printf, 2, 3)));
void call_err(struct call *, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Reads from the process's descriptor (0: stdin), waiting as long as it takes. 0 at the end,
 * negative errno. */
ssize_t call_read(struct call *, int fd, void *at, size_t len);
/* All of stdin until its end; cut at buf->max. 0 or negative errno. */
int call_read_all(struct call *, int fd, struct buf *);
bool call_isatty(struct call *, int fd);

/* Files, by path as the process would see them (relative to its cwd). Negative errno on failure. */
int call_load(struct call *, const char *path, struct buf *); /* whole file */
int call_save(struct call *, const char *path, const void *at, size_t len, int mode); /* replace */
int call_append(struct call *, const char *path, const void *at, size_t len, int mode);
int call_exists(struct call *,
                const char *path); /* 0 no, 1 file or other, 2 folder; negative errno */
int call_unlink(struct call *, const char *path);
int call_mkdir(struct call *, const char *path, int mode);
/* Names in a folder, sorted by bytes, without . and ..; NULL-terminated, in the call's arena. */
int call_list(struct call *, const char *path, char ***ret);

/* Time. */
int64_t call_now(struct call *);     /* virtual ns since the start of the run */
int64_t call_unix_ns(struct call *); /* the same as wall-clock time in the simulation */
/* Waits; returns true if a signal that the process would act on (SIGINT, SIGTERM) cut it short. */
bool call_sleep(struct call *, int64_t ns);
/* Has another call, which is in call_sleep, wake at that time (not before now) if it would sleep
 * longer. From within an event of the world, world_touch_outside() must go with it. */
void call_wake(struct call *, int64_t at_ns);

/* Other programs, real or fake, started by this process, with its descriptors. The exit status as a
 * shell would show it (128 + signal); 127 if there is no such command. */
int call_run(struct call *, char *const argv[]);
/* The same with stdout captured (stderr goes through). */
int call_capture(struct call *, char *const argv[], struct buf *out);
/* Becomes another program (sudo, nohup, env). Returns only on failure: negative errno. */
int call_exec(struct call *, char *const argv[]);
/* Runs a program in the private root of a container or other host: a real shell there, or a fake
 * that the place has. `place` must be declared to the sandbox. cwd and envp may be NULL (root,
 * empty). */
int call_run_in(struct call *, const char *place, char *const argv[], char *const envp[],
                const char *cwd);

/* Runs `undo(ctx)` when the call ends in whatever way, last registered first. */
void call_defer(struct call *, void (*undo)(void *), void *ctx);
const char *call_getenv(struct call *, const char *name); /* NULL: not set */

/* How a call is carried out. The supervisor does it in the sandboxed process through the shim;
 * tests do it in memory (tests/call_double.h). All are primitive; everything above is built on them
 * in call.c. */
struct call_ops {
    /* One real system call inside the process. Pointer arguments are given as buffers: */
    ssize_t (*write)(struct call *, int fd, const void *at, size_t len);
    ssize_t (*read)(struct call *, int fd, void *at, size_t len);
    int (*open)(struct call *, const char *path, int flags, int mode);
    int (*close)(struct call *, int fd);
    int (*stat)(struct call *, const char *path, int *ret_mode,
                int64_t *ret_size); /* follows links */
    int (*unlink)(struct call *, const char *path);
    int (*mkdir)(struct call *, const char *path, int mode);
    int (*list)(struct call *, const char *path,
                struct buf *names); /* each NUL-terminated, any order */
    bool (*isatty)(struct call *, int fd);
    bool (*sleep)(struct call *, int64_t ns);
    void (*wake)(struct call *, int64_t at_ns);
    int (*spawn)(struct call *, const char *place, char *const argv[], char *const envp[],
                 const char *cwd, struct buf *capture); /* waits; exit status */
    int (*exec)(struct call *, char *const argv[]);
    void (*defer)(struct call *, void (*undo)(void *), void *ctx);
};

#endif
