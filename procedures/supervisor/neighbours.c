/* Without namespaces the host's processes and sockets are within reach of a system call: whoever is
 * named must be one of the tree, and there are no sockets by name. Landlock holds part of this
 * (signals and abstract sockets from version 6 on, TCP from 4 on); where the kernel is older, this
 * is what holds it. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "procedures/supervisor/core.h"

enum { FOR_PROCESS = 1, FOR_GROUP = 2 }; /* ioprio_set; setpriority counts from 0 */

static bool is_ours(const struct supervisor *s, long pid)
{
    for (const struct task *t = s->tasks; t; t = t->next)
        if (t->pid == pid && t != s->init)
            return true;
    return false;
}

static bool group_is_ours(const struct supervisor *s, pid_t group)
{
    for (const struct process *p = s->processes; p; p = p->next)
        if (p->pid != s->sandbox.init && getpgid(p->pid) == group)
            return true;
    return false;
}

static void signal_all(struct supervisor *s, struct task *t)
{
    for (struct process *p = s->processes; p; p = p->next)
        if (p != t->process && p->pid != s->sandbox.init)
            (void)kill(p->pid, (int)t->arguments[1]);
    s->epoch++;
    s->kill_epoch++;
    call_finish(t, 0);
}

/* Whom a descriptor's owner would be told of with a signal of the task's choice. */
static bool owner_is_ours(const struct supervisor *s, const struct task *t)
{
    struct f_owner_ex owner = {F_OWNER_PID, (int)t->arguments[2]};
    if ((int)t->arguments[1] == F_SETOWN_EX && !task_read(t, t->arguments[2], &owner, sizeof owner))
        return true; /* the kernel says what is wrong with it */
    if ((int)t->arguments[1] == F_SETOWN && owner.pid < 0)
        owner = (struct f_owner_ex){F_OWNER_PGRP, -owner.pid};
    return owner.pid == 0 ||
           (owner.type == F_OWNER_PGRP ? group_is_ours(s, owner.pid) : is_ours(s, owner.pid));
}

static bool rank_is_ours(const struct supervisor *s, const struct task *t)
{
    int kind = (int)t->arguments[0] + (t->number == SYS_setpriority), who = (int)t->arguments[1];
    return kind == FOR_PROCESS ? who == 0 || is_ours(s, who)
                               : kind == FOR_GROUP && (who == 0 || group_is_ours(s, who));
}

/* True: the call is answered. */
static bool check_process(struct supervisor *s, struct task *t)
{
    long pid = (int)t->arguments[0];
    int code = -ESRCH;
    bool good = true;
    switch (t->number) {
    case SYS_kill:
        if (pid == -1) {
            signal_all(s, t);
            return true;
        }
        good = pid == 0 || (pid > 0 ? is_ours(s, pid) : group_is_ours(s, (pid_t)-pid));
        break;
    case SYS_tkill:
    case SYS_tgkill:
    case SYS_rt_sigqueueinfo:
    case SYS_rt_tgsigqueueinfo:
    case SYS_pidfd_open:
        good = is_ours(s, pid);
        break;
    case SYS_prlimit64:
    case SYS_sched_setaffinity:
    case SYS_sched_setscheduler:
    case SYS_sched_setparam:
        good = pid == 0 || is_ours(s, pid);
        break;
    case SYS_setpriority:
    case SYS_ioprio_set:
        good = rank_is_ours(s, t);
        code = -EPERM;
        break;
    case SYS_fcntl:
        switch ((int)t->arguments[1]) {
        case F_SETOWN:
        case F_SETOWN_EX:
            good = owner_is_ours(s, t);
            break;
        case F_SETLEASE: /* others who open a file of the host would wait for it */
        case F_NOTIFY:
            good = false;
            code = -EACCES;
            break;
        default:
            break;
        }
        break;
    default:
        break;
    }
    if (!good)
        call_finish(t, code);
    return !good;
}

/* Nobody listens at a file of the sandbox: that is not had without namespaces. (C libraries ask for
 * a name service in passing, and take no for an answer.) An abstract name would be the host's. */
static void local_socket(struct supervisor *s, struct task *t)
{
    char address[128] = "";
    size_t len =
        t->arguments[2] < sizeof address - 1 ? (size_t)t->arguments[2] : sizeof address - 1;
    if (len > 3 && task_read(t, t->arguments[1], address, len) && address[2] != '\0' &&
        t->number == SYS_connect) {
        call_finish(t, -ENOENT);
        return;
    }
    observe_refusal(s, t, "a local socket by its name");
    call_finish(t, t->number == SYS_connect ? -ECONNREFUSED : -EACCES);
}

/* Datagrams may name their receiver one by one (sendmsg), also those of a pair. */
static void new_socket(struct supervisor *s, struct task *t)
{
    int type = (int)t->arguments[1] & 0xf;
    if ((int)t->arguments[0] != AF_UNIX) {
        observe_refusal(s, t, "a network socket, of which there are none without namespaces");
        call_finish(t, -EAFNOSUPPORT);
    } else if (type != SOCK_STREAM && type != SOCK_SEQPACKET) {
        observe_refusal(s, t,
                        "a local socket for datagrams, of which there are none without namespaces");
        call_finish(t, -EPROTONOSUPPORT);
    } else {
        task_resume(t, false);
    }
}

static bool check_socket(struct supervisor *s, struct task *t)
{
    switch (t->number) {
    case SYS_socket:
    case SYS_socketpair:
        new_socket(s, t);
        return true;
    case SYS_connect:
    case SYS_bind:
        local_socket(s, t);
        return true;
    case SYS_sendto:
        if (!t->arguments[4])
            return false;
        call_finish(t, -EACCES);
        return true;
    default:
        return false;
    }
}

bool neighbours_enter(struct supervisor *s, struct task *t)
{
    return check_process(s, t) || check_socket(s, t);
}
