/* puppet: the shim's side of a fake command, moved from here.
 *
 * An invocation is one process that runs the shim, with the coroutine in which the fake runs.
 * puppet_request() is the coroutine's only way to wait: it puts one system call into the process
 * and returns its result.
 */
#ifndef REHEARSE_PROCEDURES_PUPPET_H
#define REHEARSE_PROCEDURES_PUPPET_H

#include "procedures/supervisor/core.h"
#include "procedures/supervisor/coroutine.h"
#include "sim/base/arena.h"

struct undo {
    void (*run)(void *);
    void *ctx;
    struct undo *next;
};

struct invocation {
    struct supervisor *s;
    struct task *task;  /* whose command line it is */
    struct task *child; /* its vfork child, until that becomes another program */
    struct task *at;    /* which of the two is at its hypercall now */
    struct coroutine *coroutine;
    struct arena arena;
    struct undo *undo;
    struct call call;
    const char *script_name; /* the first process starts bash with it; else NULL */
    long result;             /* of the last request */
    long number;             /* the request */
    uint64_t arguments[6];
    int64_t until_ns; /* REQUEST_SLEEP */
};

/* Not system calls: */
#define REQUEST_SLEEP (-1)
#define REQUEST_PARK  (-2)

long puppet_request(struct invocation *, long number, uint64_t a, uint64_t b, uint64_t c,
                    uint64_t d);
extern const struct call_ops puppet_ops;

/* ---- spawn.c ---- */
/* Starts a program as a child of the puppet and waits for it: its exit status as a shell would show
 * it. */
int spawn_wait(struct invocation *, const char *place, char *const argv[], char *const envp[],
               const char *cwd, struct buf *capture);
int spawn_become(struct invocation *, char *const argv[], char *const envp[]);
/* Starts bash as a child of the first process, which does not wait for it. */
void spawn_shell(struct invocation *);

#endif
