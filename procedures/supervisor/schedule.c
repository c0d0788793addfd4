/* Who runs, and when the clock jumps. */
#include <errno.h>
#include <linux/sched.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "procedures/supervisor/core.h"
#include "procedures/supervisor/real_clock.h"

/* After Ctrl-C a person waits a little, then asks harder (SIGTERM), then kills. */
static const struct {
    int signal_number;
    int64_t patience_ns;
} presses[] = {{SIGINT, 2 * SECOND_NS}, {SIGTERM, 5 * SECOND_NS}, {SIGKILL, SECOND_NS}};

#define JUMP_MIN_NS (SECOND_NS / 1000) /* who sleeps shorter is busy all the same */

/* Real time between two looks at a task that should stop by itself, but may wait for something
 * unseen. */
#define PATIENCE_MIN_NS INT64_C(200000)
#define PATIENCE_MAX_NS INT64_C(12800000)

void schedule_end(struct supervisor *s, enum supervisor_end end)
{
    if (!s->over)
        s->result.end = end;
    s->over = true;
}

/* ---- output ---- */

static void drain_one(struct supervisor *s, int number, int fd)
{
    char bytes[65536];
    ssize_t n;
    while ((n = read(fd, bytes, sizeof bytes)) > 0) {
        s->output_bytes += n;
        s->owner.output(s->owner.ctx, number, bytes, (size_t)n);
        if (s->output_bytes > s->limits.output_bytes && !s->over) {
            observe_limit(s, "output", "the procedure wrote more output than the limit allows");
            schedule_end(s, END_LIMIT);
            return;
        }
    }
}

void schedule_drain(struct supervisor *s)
{
    if (s->drained)
        return;
    drain_one(s, 1, s->sandbox.output_fd);
    drain_one(s, 2, s->sandbox.error_fd);
    s->drained = true;
}

/* ---- what a stop means ---- */

/* A task waits in a call that does something as soon as it is woken, before we see it. */
static bool any_loose(const struct supervisor *s, const struct task *but)
{
    for (const struct task *t = s->tasks; t; t = t->next)
        if (t != but && t->state == TASK_RUNNING && t->loose)
            return true;
    return false;
}

/* A vfork child has its own memory, or is gone: its parent goes on, and will say so. */
static void release_parent(struct supervisor *s, pid_t child)
{
    for (struct task *t = s->tasks; t; t = t->next)
        if (t->state == TASK_VFORKED && t->vfork_child == child) {
            t->state = TASK_RUNNING;
            t->in_call = t->loose = false;
            t->quiet_epoch = 0;
        }
}

static void ended(struct supervisor *s, struct task *t, int status)
{
    release_parent(s, t->pid);
    s->epoch++;
    if (t->process && t->process->tasks > 1)
        s->kill_epoch++; /* perhaps it takes the other threads with it */
    if (t == s->init) {
        schedule_end(s, END_STOPPED);
    } else if (t == s->shell) {
        s->result.exit_status = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
        schedule_end(s, END_PROCEDURE);
    }
    task_remove(s, t);
}

static void forked(struct supervisor *s, struct task *t, int event)
{
    unsigned long message = 0;
    struct registers registers;
    if (ptrace(PTRACE_GETEVENTMSG, t->pid, 0, &message) || message == 0)
        return;
    struct task *child = task_find(s, (pid_t)message);
    bool thread = event == PTRACE_EVENT_CLONE && arch_get(t->pid, &registers) &&
                  (arch_argument(&registers, 0) & CLONE_THREAD);
    if (!child)
        child = task_add(s, (pid_t)message, NULL);
    child->process = thread ? t->process : process_add(s, child->pid, t->process);
    child->process->tasks++;
    if (t->invocation)
        puppet_forked(s, t, child);
    task_resume(t, t->in_call);
    if (event == PTRACE_EVENT_VFORK) {
        t->state = TASK_VFORKED;
        t->vfork_child = child->pid;
        t->quiet_epoch = s->kill_epoch; /* its child is alive, so it waits */
    }
    if (s->n_tasks > s->limits.tasks) {
        observe_limit(s, "tasks",
                      "more processes run at once than the limit allows (a fork bomb?)");
        schedule_end(s, END_LIMIT);
    }
}

/* A thread that starts another program takes the place of its process's first thread, which ends
 * untold. */
static struct task *take_over(struct supervisor *s, struct task *t)
{
    unsigned long before = 0;
    (void)ptrace(PTRACE_GETEVENTMSG, t->pid, 0, &before);
    struct task *other = before && (pid_t)before != t->pid ? task_find(s, (pid_t)before) : NULL;
    if (other) {
        bool holder = s->holder == other;
        task_remove(s, other);
        if (holder)
            s->holder = t;
    }
    return t;
}

static void stopped(struct supervisor *s, struct task *t, int signal_number)
{
    bool job_control = signal_number == SIGSTOP || signal_number == SIGTSTP ||
                       signal_number == SIGTTIN || signal_number == SIGTTOU;
    if (t->state == TASK_NEW) {
        task_hold(s, t, HELD_PLAIN);
    } else if (job_control) {
        (void)ptrace(PTRACE_LISTEN, t->pid, 0, 0);
        t->state = TASK_STOPPED;
        t->quiet_epoch = s->kill_epoch;
        s->epoch++;
        if (s->holder == t)
            s->holder = NULL;
    } else if (t == s->holder) {
        task_resume(t, false);
    } else {
        if (t->state == TASK_STOPPED)
            s->epoch++;
        task_hold(s, t, HELD_PLAIN);
    }
}

static void asked(struct supervisor *s, struct task *t)
{
    bool holder = t == s->holder,
         long_turn = s->busy_calls > CALLS_FREE && s->busy_calls % CALLS_TURN == 0;
    if (holder && !long_turn && !any_loose(s, t)) {
        call_enter(s, t);
        return;
    }
    s->round += long_turn; /* behind all others, for once: it may be for them that it goes round */
    task_hold(s, t, HELD_CALL);
    t->first = holder && !long_turn;
}

/* Reading the processor's counter is made to fail (sandbox/launch.c). */
static bool told_counter(struct supervisor *s, struct task *t)
{
    unsigned char code[3];
    if (!arch_get(t->pid, &t->registers) ||
        !task_read(t, arch_ip(&t->registers), code, sizeof code) ||
        !arch_answer_counter(&t->registers, code, (uint64_t)(clock_now(s) + BOOTED_NS)))
        return false;
    clock_spend(s, LOOK_NS);
    return arch_set(t->pid, &t->registers);
}

static void signalled(struct supervisor *s, struct task *t, int signal_number)
{
    if (signal_number == SIGSEGV && told_counter(s, t))
        signal_number = 0;
    t->signal_number = signal_number;
    if (signal_number && t->resume_deadline && task_signal_in(t, "SigCgt", signal_number))
        t->resume_deadline = 0; /* its handler runs: the sleep is over */
    if (t == s->holder)
        task_resume(t, false);
    else
        task_hold(s, t, HELD_PLAIN);
}

static void handle(struct supervisor *s, pid_t pid, int status)
{
    struct task *t = task_find(s, pid);
    s->result.stops++;
    if (WIFEXITED(status) || WIFSIGNALED(status)) {
        if (t)
            ended(s, t, status);
        return;
    }
    if (!t)
        t = task_add(s, pid, NULL); /* its parent's fork is told next */
    int signal_number = WSTOPSIG(status), event = status >> 16;
    switch (event) {
    case PTRACE_EVENT_SECCOMP:
        asked(s, t);
        break;
    case PTRACE_EVENT_FORK:
    case PTRACE_EVENT_VFORK:
    case PTRACE_EVENT_CLONE:
        forked(s, t, event);
        break;
    case PTRACE_EVENT_EXEC:
        t = take_over(s, t);
        release_parent(s, t->pid);
        program_started(s, t);
        task_resume(t, false);
        break;
    case PTRACE_EVENT_VFORK_DONE:
        task_hold(s, t, HELD_PLAIN);
        break;
    case PTRACE_EVENT_STOP:
        stopped(s, t, signal_number);
        break;
    default:
        if (signal_number != (SIGTRAP | 0x80))
            signalled(s, t, signal_number);
        else if (t == s->holder)
            call_leave(s, t);
        else
            task_hold(s, t, HELD_EXIT);
    }
}

/* ---- settling ---- */

/* It can be woken by nothing but a signal or the death of a child. */
static bool woken_by_signal_only(const struct task *t)
{
    if (!t->in_call)
        return false;
    return t->detour == DETOUR_SLEEP || t->detour == DETOUR_FEED || t->number == SYS_wait4 ||
           t->number == SYS_waitid || t->number == SYS_pause || t->number == SYS_rt_sigsuspend;
}

static bool quiet(struct supervisor *s, struct task *t)
{
    if (t->state == TASK_NEW)
        return false;
    if (t->quiet_epoch == (t->state == TASK_RUNNING ? s->epoch : s->kill_epoch))
        return true;
    if (t->state != TASK_RUNNING) { /* unless somebody killed or continued it meanwhile */
        char letter = task_letter(t);
        bool still = letter == 't' || letter == 'T' ||
                     (t->state == TASK_VFORKED && (letter == 'D' || letter == 'S'));
        if (still || (letter == 'Z' && t->process && t->process->tasks > 1))
            t->quiet_epoch = s->kill_epoch;
        return t->quiet_epoch == s->kill_epoch;
    }
    if (task_waits(t)) {
        bool signal_only = woken_by_signal_only(t);
        t->loose = !signal_only && !(t->in_call && t->detour == DETOUR_READY);
        if (signal_only)
            t->quiet_epoch = s->epoch;
        return true;
    }
    return t->process && t->process->tasks > 1 && task_letter(t) == 'Z';
}

static bool collect(struct supervisor *s)
{
    int status;
    pid_t pid;
    bool any = false;
    while (!s->over && (pid = waitpid(-1, &status, WNOHANG | __WALL)) > 0) {
        handle(s, pid, status);
        any = true;
    }
    return any;
}

/* Let go, and not into a call in which it is expected to sleep: its next stop comes of itself,
 * sooner or later. */
static bool will_tell(const struct task *t)
{
    if (t->state == TASK_NEW)
        return true;
    if (t->state != TASK_RUNNING || t->loose)
        return false;
    return !t->in_call || t->restore || t->detour == DETOUR_STAMP || t->detour == DETOUR_STAT ||
           t->detour == DETOUR_LINK || t->detour == DETOUR_WATCH || t->detour == DETOUR_KILL ||
           t->detour == DETOUR_TIMER || (t->detour == DETOUR_OTHER && t->number != SYS_wait4);
}

/* `told`: nobody told anything for a while, so look at those who would tell, too. */
static struct task *first_busy(struct supervisor *s, bool told)
{
    struct task *busy = NULL;
    for (struct task *t = s->tasks; t; t = t->next)
        if (!told && will_tell(t))
            return t;
    for (struct task *t = s->tasks; t && !busy; t = t->next)
        if (!quiet(s, t))
            busy = t;
    return busy;
}

/* Sleeps until a task stops (the kernel sends SIGCHLD), or for so long. */
static bool await_stop(int64_t at_most_ns)
{
    sigset_t child;
    struct timespec time = {at_most_ns / SECOND_NS, at_most_ns % SECOND_NS};
    sigemptyset(&child);
    sigaddset(&child, SIGCHLD);
    return sigtimedwait(&child, NULL, &time) == SIGCHLD;
}

/* Who computes without ever asking us anything is stopped after so much CPU time: nobody can tell
 * what it would do. */
static void check_cpu(struct supervisor *s, struct task *t)
{
    char command[400], message[512];
    if (!t->process)
        return;
    int64_t used = real_clock_used_ns(t->process->pid);
    if (t->cpu_base_ns == 0)
        t->cpu_base_ns = used;
    if (used - t->cpu_base_ns < s->limits.cpu_ns)
        return;
    task_command_line(t, command, sizeof command);
    snprintf(message, sizeof message,
             "'%s' goes round without end: it never waits and never asks for the time", command);
    observe_limit(s, "cpu", message);
    schedule_end(s, END_LIMIT);
}

/* Lets everything run that can, until every task is held or waits. All tasks and we are bound to
 * one processor. While a task is expected to stop by itself we sleep; one that was sent to sleep
 * gets the processor and is looked at. */
static void settle(struct supervisor *s)
{
    int64_t patience_ns = PATIENCE_MIN_NS;
    bool flushed = false;
    s->round++;
    for (int calm = 0; calm < 2 && !s->over;) {
        if (s->owner.stop && *s->owner.stop) {
            schedule_end(s, END_STOPPED);
            return;
        }
        if (collect(s)) {
            calm = 0;
            patience_ns = PATIENCE_MIN_NS;
            flushed = false;
            continue;
        }
        struct task *busy = first_busy(s, patience_ns > PATIENCE_MIN_NS);
        calm = busy ? 0 : calm + 1;
        if (calm == 2 && s->terminals && !flushed) {
            terminals_flush(s);
            flushed = true;
            calm = 0;
        }
        if (busy && will_tell(busy)) {
            if (!await_stop(patience_ns) && patience_ns < PATIENCE_MAX_NS)
                patience_ns *= 2;
            if (patience_ns >= PATIENCE_MAX_NS)
                check_cpu(s, busy);
        } else {
            sched_yield();
        }
    }
}

/* ---- turns ---- */

static struct task *choose(struct supervisor *s)
{
    struct task *best = NULL;
    for (struct task *t = s->tasks; t; t = t->next) {
        if (t->state != TASK_HELD)
            continue;
        if (t->first)
            return t;
        if (!best || t->round < best->round)
            best = t; /* the list is in the order of serials */
    }
    return best;
}

static void give_turn(struct supervisor *s, struct task *t)
{
    enum held_at at = t->held_at;
    s->holder = t;
    t->first = false;
    t->held_at = HELD_PLAIN;
    if (at == HELD_CALL)
        call_enter(s, t);
    else if (at == HELD_EXIT)
        call_leave(s, t);
    else
        task_resume(t, false);
}

/* ---- when everybody waits ---- */

static int64_t next_deadline(const struct supervisor *s)
{
    int64_t first = NO_DEADLINE;
    for (const struct task *t = s->tasks; t; t = t->next)
        if (t->state == TASK_RUNNING && !t->fired && t->deadline < first)
            first = t->deadline;
    return first;
}

/* Ends the wait of the first task whose time has come. One at a time, in the order of creation. */
static bool fire_one(struct supervisor *s, int64_t now)
{
    struct task *due = NULL;
    for (struct task *t = s->tasks; t; t = t->next)
        if (t->state == TASK_RUNNING && !t->fired && t->deadline <= now &&
            (!due || t->deadline < due->deadline))
            due = t;
    if (!due)
        return false;
    due->fired = true;
    due->quiet_epoch = 0;
    (void)ptrace(PTRACE_INTERRUPT, due->pid, 0, 0);
    return true;
}

/* Of those who wait for the time that it is now; others may be busy meanwhile. */
static bool fire_due(struct supervisor *s)
{
    int64_t now = clock_now(s);
    if (fire_one(s, now))
        return true;
    if (clock_next_timer(s) > now)
        return false;
    clock_fire_timers(s);
    return true;
}

static void press(struct supervisor *s)
{
    int n = (int)(sizeof presses / sizeof *presses);
    int stage = s->interrupts < n ? s->interrupts : n - 1;
    s->interrupts++;
    s->press_again_ns = clock_now(s) + presses[stage].patience_ns;
    s->epoch++;
    s->kill_epoch++;
    script_interrupt(s);
    for (struct task *t = s->tasks; t; t = t->next)
        if (t != s->init && t != s->shell && t->pid == t->process->pid)
            (void)kill(t->pid, presses[stage].signal_number);
}

/* Would a person press Ctrl-C now? Returns true if so; else when at the latest to ask again. */
static bool interrupt_wanted(struct supervisor *s, int64_t *ask_ns)
{
    char command[1024];
    *ask_ns = NO_DEADLINE;
    s->ask_at_ns = clock_now(s) + ASK_NS;
    if (!s->owner.interrupt || !s->shell || script_waiting(s))
        return false;
    if (s->interrupts > 0) {
        *ask_ns = s->press_again_ns;
        return clock_now(s) >= s->press_again_ns;
    }
    observe_foreground(s, command, sizeof command);
    return s->owner.interrupt(s->owner.ctx, command, ask_ns);
}

/* The tree is never idle, but time goes on: the end of it, and a person's patience, come all the
 * same. */
static void watch_clock(struct supervisor *s)
{
    int64_t now = clock_now(s), ask_ns;
    if (now >= s->limits.virtual_ns)
        schedule_end(s, END_HORIZON);
    else if (now >= s->ask_at_ns && interrupt_wanted(s, &ask_ns))
        press(s);
}

static void jump(struct supervisor *s)
{
    int64_t now = clock_now(s), ask_ns;
    if (!s->drained) { /* somebody may wait for room in a full pipe */
        schedule_drain(s);
        return;
    }
    if (fire_due(s))
        return;
    if (interrupt_wanted(s, &ask_ns)) {
        press(s);
        return;
    }
    int64_t to = next_deadline(s), timer = clock_next_timer(s);
    to = timer < to ? timer : to;
    if (to == NO_DEADLINE && !watches_files(s)) {
        if (!s->hang_told)
            observe_hang(s);
        s->hang_told = true;
        if (ask_ns == NO_DEADLINE) {
            schedule_end(s, END_HANG);
            return;
        }
    }
    to = ask_ns < to ? ask_ns : to;
    to = to > s->limits.virtual_ns ? s->limits.virtual_ns : to;
    if (to <= now)
        to = now + LOOK_NS; /* asked again for the past: time goes on all the same */
    s->busy_execs = 0;
    if (to - now >= JUMP_MIN_NS)
        s->busy_calls = 0;
    (void)s->owner.advance(s->owner.ctx, to);
}

void schedule_run(struct supervisor *s)
{
    while (!s->over) {
        settle(s);
        s->holder = NULL;
        if (s->over)
            break;
        watch_clock(s);
        if (!s->over && fire_due(s))
            continue;
        struct task *next = choose(s);
        if (next && !s->over)
            give_turn(s, next);
        else if (!s->over)
            jump(s);
    }
    s->drained = false;
    schedule_drain(s);
}

void schedule_kill_all(struct supervisor *s)
{
    int status;
    s->holder = NULL;
    for (;;) {
        bool any = false;
        for (struct task *t = s->tasks; t; t = t->next)
            if (t != s->init) {
                (void)kill(t->pid, SIGKILL);
                any = true;
            }
        if (!any)
            return;
        pid_t pid = waitpid(-1, &status, __WALL);
        if (pid < 0 && errno == EINTR)
            continue;
        if (pid < 0)
            return;
        struct task *t = task_find(s, pid);
        if (t && (WIFEXITED(status) || WIFSIGNALED(status)))
            task_remove(s, t);
        else if (!t && WIFSTOPPED(status))
            task_add(s, pid, NULL); /* just born: killed in the next round */
        else if (t && t == s->init && WIFSTOPPED(status) && s->init->state != TASK_PARKED)
            task_hold(s, t, HELD_PLAIN);
    }
}
