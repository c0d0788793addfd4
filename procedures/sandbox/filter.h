/* filter: the seccomp filter of every task in the sandbox.
 *
 * An allow-list: calls that only touch the caller's own memory and descriptors, never block on
 * another task, and do not tell time or chance, run at full speed. Every other call, known or
 * unknown, stops and asks the supervisor (SECCOMP_RET_TRACE); without a supervisor the kernel
 * answers ENOSYS. So a call nobody thought of is refused, not trusted.
 *
 * A task may not install filters of its own: a SECCOMP_RET_USER_NOTIF of its making would outrank
 * ours.
 */
#ifndef REHEARSE_PROCEDURES_FILTER_H
#define REHEARSE_PROCEDURES_FILTER_H

#include <linux/filter.h>
#include <stdbool.h>

enum { FILTER_MAX = 1024, FILTER_STRICT_MAX = 64 };

/* What the supervisor reads with PTRACE_GETEVENTMSG at a seccomp stop. */
enum filter_stop {
    FILTER_ASK = 0,     /* an ordinary call that the supervisor decides */
    FILTER_FOREIGN = 1, /* a 32-bit or x32 call: the number means something else */
};

#define FILTER_HYPERCALL 1000 /* the shim's call */
#define FILTER_SCRIPT_FD 255  /* where bash keeps its script */

/* Writes the program; returns its length. With `paths`, every call that names a file or a process
 * asks: where there are no namespaces the supervisor leads them inside. */
int filter_build(struct sock_filter program[FILTER_MAX], bool paths);
/* A second filter, put over the first in tasks whose programs are not known to look away: also the
 * calls ask that run freely because ordinary programs make them often and cannot tell time, chance
 * or the host by them. Returns its length. */
int filter_build_strict(struct sock_filter program[FILTER_STRICT_MAX]);
/* Binds the calling process and all its children to it, for good. Negative errno. */
int filter_install(struct sock_filter *program, int length);

#endif
