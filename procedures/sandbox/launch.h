/* launch: a running sandbox, before anything of the playbook runs in it.
 *
 * Its first process (pid 1 inside) is a stopped tracee of the calling process: the shim, which does
 * nothing but what the supervisor puts into its registers. All other processes come from it. When
 * the harness dies, in whatever way, the kernel kills pid 1 (PTRACE_O_EXITKILL, PDEATHSIG) and with
 * it the pid namespace, and with that the mounts.
 */
#ifndef REHEARSE_PROCEDURES_LAUNCH_H
#define REHEARSE_PROCEDURES_LAUNCH_H

#include <sys/types.h>

#include "procedures/sandbox/sandbox.h"

/* Files of the supervisor's own, that the root must hold. */
struct sandbox_parts {
    const void *shim, *script;
    size_t shim_size, script_size;
};

struct sandbox {
    enum tier tier;
    pid_t init;    /* stopped at the exec event of the shim */
    int root_fd;   /* O_PATH of "/" inside */
    int input_fd;  /* write end of everybody's stdin: nobody ever types */
    int output_fd; /* read ends of stdout and stderr, non-blocking */
    int error_fd;
    int cpu;        /* the processor that all tasks are bound to */
    uid_t owner;    /* uid 0 inside, as the host sees it */
    char jail[512]; /* landlock: the folder that is the root; else "" */
};

int sandbox_launch(const struct sandbox_spec *, const struct sandbox_parts *, struct sandbox *ret,
                   struct error *);
/* Kills pid 1 and waits for it; closes what is open. A zeroed sandbox is fine. */
void sandbox_end(struct sandbox *);

/* While the calling thread makes files in the root from outside, it must be their owner. Returns
 * what leave needs. */
uid_t sandbox_enter_owner(const struct sandbox *);
void sandbox_leave_owner(const struct sandbox *, uid_t before);

#endif
