/* The system calls that stop: what each needs so that time, order and chance are ours. */
#include <errno.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "fakes/env.h"
#include "procedures/sandbox/filter.h"
#include "procedures/supervisor/core.h"

/* What the kernel returns at a call's exit stop when a signal is pending; it decides afterwards, by
 * the signal's disposition, whether the program sees EINTR or the call is made again
 * (include/linux/errno.h). */
enum {
    RESTART_UNLESS_HANDLED =
        -512,                  /* ERESTARTSYS: again, with SA_RESTART even if there is a handler */
    RESTART_NO_HANDLER = -514, /* ERESTARTNOHAND */
    RESTART_BLOCK = -516,      /* ERESTART_RESTARTBLOCK */
};

static bool interrupted(long result)
{
    return result == -EINTR || (result <= -512 && result >= -516);
}

void call_finish(struct task *t, long result)
{
    arch_skip(&t->registers, result);
    (void)arch_set(t->pid, &t->registers);
    task_resume(t, false);
}

static void pass(struct task *t)
{
    task_resume(t, false);
}

static void wait_in_kernel(struct task *t)
{
    t->detour = DETOUR_NONE;
    task_resume(t, true);
}

/* ---- waiting with a time-out ---- */

/* The time-out argument is replaced by "for ever", and the deadline is ours. */
static void wait_timed(struct supervisor *s, struct task *t, int index, uint64_t for_ever,
                       int64_t ns)
{
    int64_t now = clock_now(s);
    t->detour = DETOUR_TIMED;
    t->fired = false;
    t->deadline = t->resume_deadline           ? t->resume_deadline
                  : ns > NO_DEADLINE / 2 - now ? NO_DEADLINE / 2
                                               : now + ns;
    t->resume_deadline = 0;
    arch_set_argument(&t->registers, index, for_ever);
    (void)arch_set(t->pid, &t->registers);
    task_resume(t, true);
}

static void wait_milliseconds(struct supervisor *s, struct task *t, int index)
{
    int ms = (int)t->arguments[index];
    if (ms == 0)
        pass(t);
    else if (ms < 0)
        wait_in_kernel(t);
    else
        wait_timed(s, t, index, (uint64_t)-1, ms * INT64_C(1000000));
}

static void wait_timespec(struct supervisor *s, struct task *t, int index)
{
    struct timespec wanted;
    if (t->arguments[index] == 0) {
        wait_in_kernel(t);
        return;
    }
    if (!task_read(t, t->arguments[index], &wanted, sizeof wanted)) {
        pass(t);
        return;
    }
    if (t->number == SYS_select)
        wanted.tv_nsec *= 1000; /* it was a struct timeval */
    if (wanted.tv_sec == 0 && wanted.tv_nsec == 0)
        pass(t);
    else
        wait_timed(s, t, index, 0,
                   wanted.tv_sec > INT64_MAX / SECOND_NS / 4
                       ? INT64_MAX / 4
                       : wanted.tv_sec * SECOND_NS + wanted.tv_nsec);
}

static void futex(struct supervisor *s, struct task *t)
{
    int operation = (int)t->arguments[1], command = operation & FUTEX_CMD_MASK;
    struct timespec wanted;
    switch (command) {
    case FUTEX_WAIT:
    case FUTEX_WAIT_BITSET:
    case FUTEX_LOCK_PI:
    case FUTEX_LOCK_PI2:
    case FUTEX_WAIT_REQUEUE_PI:
        break;
    default:
        pass(t);
        return;
    }
    if (t->arguments[3] == 0 || !task_read(t, t->arguments[3], &wanted, sizeof wanted)) {
        wait_in_kernel(t);
        return;
    }
    int64_t ns = wanted.tv_sec > INT64_MAX / SECOND_NS / 4
                     ? INT64_MAX / 4
                     : wanted.tv_sec * SECOND_NS + wanted.tv_nsec;
    if (command != FUTEX_WAIT) { /* absolute */
        bool real = (operation & FUTEX_CLOCK_REALTIME) || command == FUTEX_LOCK_PI;
        ns -= real ? clock_unix_ns(s) : clock_now(s) + 1000 * SECOND_NS;
    }
    wait_timed(s, t, 3, 0, ns < 0 ? 0 : ns);
}

/* The number of bytes of one descriptor set of a select. */
static size_t set_size(const struct task *t)
{
    uint64_t n = t->arguments[0] > 1024 ? 1024 : t->arguments[0];
    return (size_t)((n + 63) / 64 * 8);
}

static long timed_out(struct task *t)
{
    static const unsigned char none[128];
    switch (t->number) {
    case SYS_select:
    case SYS_pselect6:
        for (int i = 1; i <= 3; i++)
            if (t->arguments[i])
                (void)task_write(t, t->arguments[i], none, set_size(t));
        return 0;
    case SYS_futex:
        return -ETIMEDOUT;
    case SYS_rt_sigtimedwait:
    case SYS_semtimedop:
        return -EAGAIN;
    default:
        return 0;
    }
}

static const struct rusage no_usage;

static void restore_arguments(struct task *t)
{
    for (int i = 0; i < 6; i++)
        arch_set_argument(&t->registers, i, t->arguments[i]);
}

/* A signal cut a wait short: if it has no handler the call will be made again, and must end when it
 * would have. */
static void remember_deadline(struct task *t)
{
    t->resume_deadline = t->deadline;
    arch_set_result(&t->registers, RESTART_NO_HANDLER);
    arch_set_number(&t->registers, t->number);
}

static void leave_timed(struct task *t)
{
    long result = arch_result(&t->registers);
    restore_arguments(t);
    if (interrupted(result) && t->fired)
        arch_set_result(&t->registers, timed_out(t));
    else if (interrupted(result))
        remember_deadline(t);
}

static void leave_sleep(struct supervisor *s, struct task *t)
{
    if (t->number == FILTER_HYPERCALL) { /* a puppet: its puppeteer looks at the clock */
        arch_again(&t->registers, FILTER_HYPERCALL);
        return;
    }
    if (t->fired) {
        arch_set_result(&t->registers, 0);
        return;
    }
    bool plain = t->number == SYS_nanosleep;
    uint64_t rest_at = plain ? t->arguments[1] : t->arguments[3];
    int64_t rest = t->deadline - clock_now(s);
    struct timespec left = {rest / SECOND_NS, rest % SECOND_NS};
    if (rest_at && rest > 0 && (plain || !(t->arguments[1] & TIMER_ABSTIME)))
        (void)task_write(t, rest_at, &left, sizeof left);
    remember_deadline(t);
}

static void leave_ready(struct task *t)
{
    long result = arch_result(&t->registers);
    (void)task_write(t, t->scratch_at, t->scratch_before, 8);
    restore_arguments(t);
    if (interrupted(result)) { /* as the call itself would have been */
        arch_set_result(&t->registers, RESTART_UNLESS_HANDLED);
        arch_set_number(&t->registers, t->number);
    } else {
        arch_again(&t->registers, t->number);
    }
}

/* ---- the rest ---- */

static void tell_name(struct supervisor *s, struct task *t)
{
    struct utsname name = {.sysname = "Linux",
                           .release = "6.1.0-rehearse-amd64",
                           .version = "#1 SMP PREEMPT_DYNAMIC",
                           .machine = "x86_64"};
    const char *place = t->process->place;
    const char *lives = *place && s->owner.env ? env_place_name(s->owner.env, place) : place;
    snprintf(name.nodename, sizeof name.nodename, "%s",
             *lives   ? lives
             : *place ? place
                      : s->hostname);
    memcpy(name.domainname, "(none)", 7);
    call_finish(t, task_write(t, t->arguments[0], &name, sizeof name) ? 0 : -EFAULT);
}

static void tell_chance(struct supervisor *s, struct task *t)
{
    unsigned char bytes[4096];
    size_t len = t->arguments[1] > 1 << 20 ? 1 << 20 : (size_t)t->arguments[1];
    for (size_t done = 0; done < len;) {
        size_t piece = len - done < sizeof bytes ? len - done : sizeof bytes;
        random_fill(s, bytes, piece);
        if (!task_write(t, t->arguments[0] + done, bytes, piece)) {
            call_finish(t, -EFAULT);
            return;
        }
        done += piece;
    }
    call_finish(t, (long)len);
}

/* There is one, with the number 0. */
static void tell_processors(struct task *t)
{
    static const uint64_t first = 1;
    bool fits = t->arguments[1] >= sizeof first;
    call_finish(t, !fits                                                  ? -EINVAL
                   : task_write(t, t->arguments[2], &first, sizeof first) ? (long)sizeof first
                                                                          : -EFAULT);
}

/* It waits for another task without saying so: give the turn away. */
static void yield(struct supervisor *s, struct task *t)
{
    arch_skip(&t->registers, 0);
    (void)arch_set(t->pid, &t->registers);
    s->round++;
    task_hold(s, t, HELD_PLAIN);
}

/* What a child used is nothing; the kernel is not asked for it. */
static void wait_child(struct task *t)
{
    if (t->arguments[3]) {
        t->detour = DETOUR_OTHER;
        arch_set_argument(&t->registers, 3, 0);
        (void)arch_set(t->pid, &t->registers);
        task_resume(t, true);
    } else if (t->arguments[2] & WNOHANG) {
        pass(t);
    } else {
        wait_in_kernel(t);
    }
}

static bool process_call(struct supervisor *s, struct task *t)
{
    switch (t->number) {
    case SYS_wait4:
        wait_child(t);
        return true;
    case SYS_waitid:
        if (t->arguments[3] & WNOHANG)
            pass(t);
        else
            wait_in_kernel(t);
        return true;
    case SYS_pause:
    case SYS_rt_sigsuspend:
    case SYS_flock:
    case SYS_fcntl:
        wait_in_kernel(t);
        return true;
    case SYS_kill:
    case SYS_tkill:
    case SYS_tgkill:
    case SYS_rt_sigqueueinfo:
    case SYS_rt_tgsigqueueinfo:
    case SYS_pidfd_send_signal:
        t->detour = DETOUR_KILL;
        task_resume(t, true);
        return true;
    case SYS_futex:
        futex(s, t);
        return true;
    case SYS_shmget:
    case SYS_shmat:
    case SYS_shmctl:
    case SYS_shmdt:
    case SYS_semget:
    case SYS_semctl:
    case SYS_msgget:
    case SYS_msgctl:
        if (s->sandbox.tier == TIER_LANDLOCK)
            return false; /* the host's */
        pass(t);
        return true;
    case SYS_semop:
    case SYS_msgsnd:
    case SYS_msgrcv:
        wait_in_kernel(t); /* of what one has, and without namespaces nobody has one */
        return true;
    case SYS_sched_yield:
        yield(s, t);
        return true;
    case SYS_uname:
        tell_name(s, t);
        return true;
    case SYS_getrandom:
        tell_chance(s, t);
        return true;
    case SYS_sched_getaffinity:
        tell_processors(t);
        return true;
    default:
        return false;
    }
}

static bool waiting_call(struct supervisor *s, struct task *t)
{
    switch (t->number) {
    case SYS_poll:
        wait_milliseconds(s, t, 2);
        return true;
    case SYS_epoll_wait:
    case SYS_epoll_pwait:
        wait_milliseconds(s, t, 3);
        return true;
    case SYS_ppoll:
    case SYS_rt_sigtimedwait:
        wait_timespec(s, t, 2);
        return true;
    case SYS_epoll_pwait2:
    case SYS_semtimedop:
        wait_timespec(s, t, 3);
        return true;
    case SYS_select:
    case SYS_pselect6:
        wait_timespec(s, t, 4);
        return true;
    default:
        return false;
    }
}

static bool file_call(struct supervisor *s, struct task *t)
{
    switch (t->number) {
    case SYS_openat:
    case SYS_open:
    case SYS_creat: {
        uint64_t flags = t->number == SYS_openat ? t->arguments[2]
                         : t->number == SYS_open ? t->arguments[1]
                                                 : O_CREAT;
        t->detour = DETOUR_STAMP;
        task_resume(t, (flags & (O_CREAT | O_TRUNC)) != 0);
        return true;
    }
    case SYS_ftruncate:
    case SYS_fallocate:
    case SYS_pwrite64:
    case SYS_pwritev:
    case SYS_pwritev2:
        t->detour = DETOUR_STAMP;
        task_resume(t, true);
        return true;
    case SYS_utimensat:
        stamp_times(s, t);
        return true;
    case SYS_statx:
    case SYS_newfstatat:
    case SYS_fstat:
    case SYS_stat:
    case SYS_lstat:
    case SYS_statfs:
    case SYS_fstatfs:
        t->detour = DETOUR_STAT;
        task_resume(t, true);
        return true;
    case SYS_unlink:
    case SYS_unlinkat:
    case SYS_rename:
    case SYS_renameat:
    case SYS_renameat2:
    case SYS_mkdir:
    case SYS_mkdirat:
    case SYS_rmdir:
    case SYS_link:
    case SYS_linkat:
    case SYS_symlink:
    case SYS_symlinkat:
    case SYS_truncate:
    case SYS_utime:
    case SYS_utimes:
        t->detour = DETOUR_STAMP;
        task_resume(t, true);
        return true;
    case SYS_readlink:
    case SYS_readlinkat:
        t->detour = DETOUR_LINK;
        task_resume(t, true);
        return true;
    case SYS_sync:
    case SYS_syncfs: /* the disk is memory; the host's are none of ours */
        call_finish(t, 0);
        return true;
    case SYS_bind:
        if (!ports_bind(s, t))
            pass(t);
        return true;
    case SYS_chown:
    case SYS_fchown:
    case SYS_lchown:
    case SYS_fchownat:
        if (s->sandbox.owner ==
            geteuid()) /* an ordinary user has one user to give: everything stays root's */
            call_finish(t, 0);
        else
            pass(t);
        return true;
    /* Change what others can see, so they happen in somebody's turn; nothing more. */
    case SYS_chmod:
    case SYS_fchmod:
    case SYS_fchmodat:
    case SYS_futimesat:
    case SYS_setxattr:
    case SYS_lsetxattr:
    case SYS_fsetxattr:
    case SYS_removexattr:
    case SYS_lremovexattr:
    case SYS_fremovexattr:
    case SYS_fsync:
    case SYS_fdatasync:
    case SYS_sync_file_range:
    case SYS_lseek:
    case SYS_tee:
    case SYS_vmsplice:
    case SYS_setsockopt:
    case SYS_faccessat:
    case SYS_faccessat2:
    case SYS_chdir:
    case SYS_getxattr:
    case SYS_lgetxattr:
    case SYS_listxattr:
    case SYS_llistxattr:
    case SYS_execve:
    case SYS_inotify_add_watch:
    case SYS_pidfd_open:
    case SYS_setpriority:
    case SYS_access:
    case SYS_execveat:
    case SYS_sched_setaffinity:
    case SYS_sched_setscheduler:
    case SYS_sched_setparam:
    case SYS_ioprio_set:
    case SYS_ioprio_get:
        pass(t);
        return true;
    default:
        return false;
    }
}

void call_dispatch(struct supervisor *s, struct task *t, bool trusted)
{
    t->number = arch_number(&t->registers);
    for (int i = 0; i < 6; i++)
        t->arguments[i] = arch_argument(&t->registers, i);
    t->detour = DETOUR_NONE;
    t->deadline = NO_DEADLINE;
    if (t == s->shell && script_call(s, t))
        return;
    if ((t->number == SYS_openat || t->number == SYS_open) && !trusted && watch_open(t))
        return;
    if (s->sandbox.tier == TIER_LANDLOCK && paths_enter(s, t))
        return;
    if (t->number != SYS_clock_gettime && t->number != SYS_gettimeofday && t->number != SYS_time)
        t->looks = 0;
    if (transfer_call(s, t) || clock_call(s, t) || process_call(s, t) || waiting_call(s, t) ||
        file_call(s, t))
        return;
    if (trusted || !refuse_call(s, t))
        pass(t);
}

/* Calls in a row, without anybody ever waiting, are a loop that may have no end. So that it comes
 * to the end of virtual time in bounded real time they cost more and more: 50,000 of them a sixth
 * of a second, 100,000 a minute, 200,000 two hours. */
static void spend_call(struct supervisor *s)
{
    int64_t more = (s->busy_calls++ - CALLS_FREE) / 1000;
    more = more > 1000 ? 1000 : more;
    if (more > 0)
        clock_spend(s, more * more * more * more * more / 800);
}

void call_enter(struct supervisor *s, struct task *t)
{
    unsigned long stop = FILTER_FOREIGN;
    if (!arch_get(t->pid, &t->registers) || ptrace(PTRACE_GETEVENTMSG, t->pid, 0, &stop))
        return; /* killed: its end will be told */
    if (stop == FILTER_FOREIGN) {
        observe_refusal(s, t, "a 32-bit system call");
        call_finish(t, -ENOSYS);
    } else if (arch_number(&t->registers) == FILTER_HYPERCALL) {
        puppet_enter(s, t);
    } else if (!watch_enter(t) && !watch_exec(s, t)) {
        spend_call(s);
        call_dispatch(s, t, false);
    }
}

void call_leave(struct supervisor *s, struct task *t)
{
    enum detour detour = t->detour;
    t->in_call = false;
    t->detour = DETOUR_NONE;
    if (t->restore && arch_get(t->pid, &t->registers)) {
        t->restore = false;
        restore_arguments(t);
        paths_leave(s, t);
        (void)arch_set(t->pid, &t->registers);
    }
    if (detour == DETOUR_NONE || !arch_get(t->pid, &t->registers)) {
        task_resume(t, false);
        return;
    }
    switch (detour) {
    case DETOUR_SLEEP:
        leave_sleep(s, t);
        break;
    case DETOUR_READY:
        leave_ready(t);
        break;
    case DETOUR_TIMED:
        leave_timed(t);
        break;
    case DETOUR_FEED: /* a signal, or the time has come: bash reads again */
        if (t->fired) {
            restore_arguments(t);
            arch_again(&t->registers, t->number);
        } else {
            arch_set_result(&t->registers, RESTART_UNLESS_HANDLED);
            arch_set_number(&t->registers, t->number);
        }
        break;
    case DETOUR_OTHER:
        restore_arguments(t);
        if (t->number == SYS_wait4 && arch_result(&t->registers) > 0)
            (void)task_write(t, t->arguments[3], &no_usage, sizeof no_usage);
        if (interrupted(arch_result(&t->registers)))
            arch_set_number(&t->registers, t->number);
        break;
    case DETOUR_STAMP:
        stamp_leave(s, t);
        break;
    case DETOUR_TIMER:
        clock_leave_timerfd(t);
        break;
    case DETOUR_STAT:
        stamp_leave_stat(s, t);
        break;
    case DETOUR_LINK:
        stamp_leave_link(s, t);
        break;
    case DETOUR_WATCH:
        restore_arguments(t);
        arch_again(&t->registers, t->number);
        break;
    case DETOUR_KILL:
        s->epoch++;
        s->kill_epoch++;
        break;
    case DETOUR_NONE:
        break;
    }
    t->deadline = NO_DEADLINE;
    if (detour != DETOUR_STAMP && detour != DETOUR_STAT && detour != DETOUR_LINK &&
        detour != DETOUR_KILL)
        (void)arch_set(t->pid, &t->registers);
    if (detour == DETOUR_KILL) { /* whoever was hit reacts before the sender goes on */
        task_hold(s, t, HELD_PLAIN);
        t->first = true;
        return;
    }
    task_resume(t, false);
}
