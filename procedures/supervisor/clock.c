/* Virtual time as the tasks see it: clocks, sleeps and timers. The owner's world keeps the time
 * itself. */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/sysinfo.h>
#include <sys/time.h>
#include <sys/times.h>
#include <time.h>
#include <unistd.h>

#include "procedures/supervisor/core.h"
#include "sim/base/xalloc.h"

/* A loop that does nothing but look at the clock gets to the end of its wait in bounded real time:
 * from the hundredth look on, each costs a bit more. */
#define LOOKS_FREE  100
#define LOOK_MAX_NS (10 * INT64_C(1000000))

int64_t clock_now(struct supervisor *s)
{
    return s->owner.now(s->owner.ctx);
}

int64_t clock_unix_ns(struct supervisor *s)
{
    return s->start_unix_ns + clock_now(s);
}

void clock_spend(struct supervisor *s, int64_t ns)
{
    (void)s->owner.advance(s->owner.ctx, clock_now(s) + ns);
}

static int64_t from_timespec(struct timespec t)
{
    if (t.tv_sec > INT64_MAX / SECOND_NS / 4)
        return INT64_MAX / 4;
    return t.tv_sec * SECOND_NS + t.tv_nsec;
}

static struct timespec to_timespec(int64_t ns)
{
    return (struct timespec){ns / SECOND_NS, ns % SECOND_NS};
}

/* `ns` from now, without overflow. */
static int64_t after(struct supervisor *s, int64_t ns)
{
    int64_t now = clock_now(s);
    return ns > NO_DEADLINE / 2 - now ? NO_DEADLINE / 2 : now + (ns < 0 ? 0 : ns);
}

static bool counts_from_boot(int clock)
{
    return clock == CLOCK_MONOTONIC || clock == CLOCK_MONOTONIC_RAW ||
           clock == CLOCK_MONOTONIC_COARSE || clock == CLOCK_BOOTTIME;
}

static int64_t read_clock(struct supervisor *s, int clock)
{
    if (clock < 0 || clock == CLOCK_PROCESS_CPUTIME_ID || clock == CLOCK_THREAD_CPUTIME_ID)
        return 1000000;
    return counts_from_boot(clock) ? clock_now(s) + BOOTED_NS : clock_unix_ns(s);
}

static void look(struct supervisor *s, struct task *t)
{
    int64_t cost = LOOK_NS;
    if (++t->looks > LOOKS_FREE) {
        int64_t more = (t->looks - LOOKS_FREE) * LOOK_NS;
        cost += more < LOOK_MAX_NS ? more : LOOK_MAX_NS;
    }
    clock_spend(s, cost);
}

void clock_sleep(struct supervisor *s, struct task *t, enum detour detour, int64_t deadline)
{
    (void)s;
    t->detour = detour;
    t->deadline = deadline;
    t->fired = false;
    arch_set_number(&t->registers, SYS_pause);
    (void)arch_set(t->pid, &t->registers);
    task_resume(t, true);
}

static void enter_sleep(struct supervisor *s, struct task *t)
{
    struct timespec wanted;
    bool plain = t->number == SYS_nanosleep;
    uint64_t from = plain ? t->arguments[0] : t->arguments[2];
    if (!task_read(t, from, &wanted, sizeof wanted)) {
        call_finish(t, -EFAULT);
        return;
    }
    if (wanted.tv_nsec < 0 || wanted.tv_nsec >= SECOND_NS || wanted.tv_sec < 0) {
        call_finish(t, -EINVAL);
        return;
    }
    int64_t ns = from_timespec(wanted);
    if (!plain && (t->arguments[1] & TIMER_ABSTIME))
        ns -= read_clock(s, (int)t->arguments[0]);
    int64_t deadline = t->resume_deadline ? t->resume_deadline : after(s, ns);
    t->resume_deadline = 0;
    clock_sleep(s, t, DETOUR_SLEEP, deadline);
}

/* ---- timers ---- */

static struct timer *timer_of(struct process *p, int id, bool make)
{
    for (struct timer *timer = p->timers; timer; timer = timer->next)
        if (timer->id == id)
            return timer;
    if (!make)
        return NULL;
    struct timer *timer = xcalloc(1, sizeof *timer);
    timer->id = id;
    timer->event_fd = -1;
    timer->signal_number = SIGALRM;
    timer->next = p->timers;
    p->timers = timer;
    return timer;
}

void clock_forget_timers(struct process *p, bool all)
{
    for (struct timer **at = &p->timers; *at;) {
        struct timer *timer = *at;
        /* exec keeps alarm and setitimer, and descriptors (which may close themselves: that does
         * not matter) */
        if (all || (timer->id >= 0 && timer->id < TIMER_DESCRIPTOR)) {
            *at = timer->next;
            if (timer->event_fd >= 0)
                close(timer->event_fd);
            free(timer);
        } else {
            at = &timer->next;
        }
    }
}

static int64_t remaining(struct supervisor *s, const struct timer *timer)
{
    int64_t left = timer && timer->armed ? timer->deadline - clock_now(s) : 0;
    return left > 0 ? left : 0;
}

static void arm(struct supervisor *s, struct timer *timer, int64_t value_ns, int64_t interval_ns)
{
    timer->armed = value_ns > 0;
    timer->deadline = after(s, value_ns);
    timer->interval_ns = interval_ns;
}

static void set_alarm(struct supervisor *s, struct task *t)
{
    struct timer *timer = timer_of(t->process, -1, true);
    int64_t left = remaining(s, timer);
    arm(s, timer, (int64_t)(t->arguments[0] & 0xffffffff) * SECOND_NS, 0);
    call_finish(t, (long)((left + SECOND_NS - 1) / SECOND_NS));
}

static int64_t from_timeval(struct timeval t)
{
    return from_timespec((struct timespec){t.tv_sec, t.tv_usec * 1000});
}

static void interval_timer(struct supervisor *s, struct task *t)
{
    struct timer *timer = timer_of(t->process, -1, true);
    bool set = t->number == SYS_setitimer;
    uint64_t old_at = set ? t->arguments[2] : t->arguments[1];
    if (t->arguments[0] != ITIMER_REAL) { /* counts CPU time, which is nothing here */
        call_finish(t, 0);
        return;
    }
    int64_t left = remaining(s, timer);
    struct itimerval now = {{timer->interval_ns / SECOND_NS, timer->interval_ns % SECOND_NS / 1000},
                            {left / SECOND_NS, left % SECOND_NS / 1000}};
    struct itimerval wanted = {{0, 0}, {0, 0}};
    if (set && t->arguments[1] && !task_read(t, t->arguments[1], &wanted, sizeof wanted)) {
        call_finish(t, -EFAULT);
        return;
    }
    if (set)
        arm(s, timer, from_timeval(wanted.it_value), from_timeval(wanted.it_interval));
    if (old_at)
        (void)task_write(t, old_at, &now, sizeof now);
    call_finish(t, 0);
}

static void create_timer(struct task *t)
{
    struct sigevent event = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGALRM};
    if (t->arguments[1] && !task_read(t, t->arguments[1], &event, sizeof event)) {
        call_finish(t, -EFAULT);
        return;
    }
    int id = 0;
    for (const struct timer *timer = t->process->timers; timer; timer = timer->next)
        if (timer->id >= id)
            id = timer->id + 1;
    struct timer *timer = timer_of(t->process, id, true);
    timer->signal_number = event.sigev_notify == SIGEV_NONE ? 0 : event.sigev_signo;
    timer->value = (uint64_t)(uintptr_t)event.sigev_value.sival_ptr;
    (void)task_write(t, t->arguments[2], &id, sizeof id);
    call_finish(t, 0);
}

/* The time from now; an absolute one is on the real-time clock if it is in our era, else counted
 * from the boot. */
static int64_t until(struct supervisor *s, int64_t value, bool absolute)
{
    int64_t since_boot = clock_now(s) + BOOTED_NS, era = s->start_unix_ns / 2;
    if (value == 0 || !absolute)
        return value;
    value -= value > era ? clock_unix_ns(s) : since_boot;
    return value > 0 ? value : 1;
}

static void posix_timer(struct supervisor *s, struct task *t)
{
    struct timer *timer = timer_of(t->process, (int)t->arguments[0], false);
    struct itimerspec wanted;
    int64_t left = remaining(s, timer);
    if (!timer) {
        call_finish(t, -EINVAL);
        return;
    }
    struct itimerspec now = {to_timespec(timer->interval_ns), to_timespec(left)};
    uint64_t old_at = t->number == SYS_timer_settime ? t->arguments[3] : t->arguments[1];
    if (t->number == SYS_timer_settime) {
        if (!task_read(t, t->arguments[2], &wanted, sizeof wanted)) {
            call_finish(t, -EFAULT);
            return;
        }
        arm(s, timer,
            until(s, from_timespec(wanted.it_value), (t->arguments[1] & TIMER_ABSTIME) != 0),
            from_timespec(wanted.it_interval));
    }
    if (old_at)
        (void)task_write(t, old_at, &now, sizeof now);
    call_finish(t, 0);
}

/* ---- timerfd: an eventfd to which we write ---- */

static void create_timerfd(struct task *t)
{
    t->detour = DETOUR_TIMER;
    arch_set_number(&t->registers, SYS_eventfd2);
    arch_set_argument(&t->registers, 0, 0);
    arch_set_argument(&t->registers, 1,
                      t->arguments[1]); /* TFD_CLOEXEC and TFD_NONBLOCK are EFD_'s */
    (void)arch_set(t->pid, &t->registers);
    task_resume(t, true);
}

void clock_leave_timerfd(struct task *t)
{
    int fd = (int)arch_result(&t->registers);
    for (int i = 0; i < 6; i++)
        arch_set_argument(&t->registers, i, t->arguments[i]);
    if (fd < 0)
        return;
    struct timer *timer = timer_of(t->process, TIMER_DESCRIPTOR + fd, true);
    if (timer->event_fd >= 0)
        close(timer->event_fd);
    timer->event_fd = task_descriptor(t, fd);
    timer->armed = false;
}

/* A child uses its parent's descriptor: then it is found by its number. */
static struct timer *timerfd_of(struct supervisor *s, struct task *t, int fd)
{
    struct timer *timer = timer_of(t->process, TIMER_DESCRIPTOR + fd, false);
    for (struct process *p = s->processes; p && !timer; p = p->next)
        timer = timer_of(p, TIMER_DESCRIPTOR + fd, false);
    return timer;
}

static void timerfd(struct supervisor *s, struct task *t)
{
    bool set = t->number == SYS_timerfd_settime;
    struct timer *timer = timerfd_of(s, t, (int)t->arguments[0]);
    struct itimerspec wanted;
    uint64_t old_at = set ? t->arguments[3] : t->arguments[1], count;
    if (!timer) {
        call_finish(t, -EINVAL);
        return;
    }
    int64_t left = remaining(s, timer);
    struct itimerspec now = {to_timespec(timer->interval_ns), to_timespec(left)};
    if (set) {
        if (!task_read(t, t->arguments[2], &wanted, sizeof wanted)) {
            call_finish(t, -EFAULT);
            return;
        }
        struct pollfd waiting = {.fd = timer->event_fd, .events = POLLIN};
        while (poll(&waiting, 1, 0) > 0 && read(timer->event_fd, &count, sizeof count) > 0)
            continue; /* what has run out before is forgotten */
        arm(s, timer,
            until(s, from_timespec(wanted.it_value), (t->arguments[1] & TIMER_ABSTIME) != 0),
            from_timespec(wanted.it_interval));
    }
    if (old_at)
        (void)task_write(t, old_at, &now, sizeof now);
    call_finish(t, 0);
}

static void delete_timer(struct task *t)
{
    for (struct timer **at = &t->process->timers; *at; at = &(*at)->next)
        if ((*at)->id == (int)t->arguments[0]) {
            struct timer *timer = *at;
            *at = timer->next;
            free(timer);
            call_finish(t, 0);
            return;
        }
    call_finish(t, -EINVAL);
}

int64_t clock_next_timer(struct supervisor *s)
{
    int64_t first = NO_DEADLINE;
    for (struct process *p = s->processes; p; p = p->next)
        for (struct timer *timer = p->timers; timer; timer = timer->next)
            if (timer->armed && timer->deadline < first)
                first = timer->deadline;
    return first;
}

/* timer_create's signals say that they come from a timer: flock -w looks. */
static void send(struct process *p, const struct timer *timer)
{
    siginfo_t info;
    uint64_t once = 1;
    if (timer->id >= TIMER_DESCRIPTOR) {
        (void)!write(timer->event_fd, &once, sizeof once);
        return;
    }
    memset(&info, 0, sizeof info);
    info.si_signo = timer->signal_number;
    info.si_code = SI_TIMER;
    info.si_value.sival_ptr = (void *)(uintptr_t)timer->value;
    if (timer->signal_number <= 0)
        return;
    if (timer->id < 0 || syscall(SYS_rt_sigqueueinfo, p->pid, timer->signal_number, &info))
        (void)kill(p->pid, timer->signal_number);
}

/* In the order of creation of the processes, so that two timers of one instant always fire alike.
 */
void clock_fire_timers(struct supervisor *s)
{
    int64_t now = clock_now(s);
    for (struct task *t = s->tasks; t; t = t->next) {
        if (t->pid != t->process->pid)
            continue;
        for (struct timer *timer = t->process->timers; timer; timer = timer->next)
            if (timer->armed && timer->deadline <= now) {
                timer->armed = timer->interval_ns > 0;
                timer->deadline = now + timer->interval_ns;
                s->epoch++;
                s->kill_epoch++;
                send(t->process, timer);
            }
    }
}

/* ---- looking at the clock ---- */

static void give(struct task *t, uint64_t at, const void *value, size_t size, long result)
{
    if (at && !task_write(t, at, value, size))
        result = -EFAULT;
    call_finish(t, result);
}

static void tell_time(struct supervisor *s, struct task *t)
{
    struct timespec spec;
    struct timeval val;
    struct timezone utc = {0, 0};
    time_t seconds;
    look(s, t);
    switch (t->number) {
    case SYS_clock_gettime:
        spec = to_timespec(read_clock(s, (int)t->arguments[0]));
        give(t, t->arguments[1], &spec, sizeof spec, 0);
        break;
    case SYS_gettimeofday:
        spec = to_timespec(clock_unix_ns(s));
        val = (struct timeval){spec.tv_sec, spec.tv_nsec / 1000};
        if (t->arguments[1])
            (void)task_write(t, t->arguments[1], &utc, sizeof utc);
        give(t, t->arguments[0], &val, sizeof val, 0);
        break;
    default:
        seconds = clock_unix_ns(s) / SECOND_NS;
        give(t, t->arguments[0], &seconds, sizeof seconds, seconds);
        break;
    }
}

static void tell_machine(struct supervisor *s, struct task *t)
{
    struct sysinfo info;
    memset(&info, 0, sizeof info);
    info.uptime = (clock_now(s) + BOOTED_NS) / SECOND_NS;
    info.totalram = UINT64_C(8) << 30;
    info.freeram = UINT64_C(4) << 30;
    info.procs = (unsigned short)s->n_tasks;
    info.mem_unit = 1;
    give(t, t->arguments[0], &info, sizeof info, 0);
}

bool clock_call(struct supervisor *s, struct task *t)
{
    static const struct timespec resolution = {0, 1};
    static const struct rusage nothing;
    static const struct tms no_times;
    switch (t->number) {
    case SYS_clock_gettime:
    case SYS_gettimeofday:
    case SYS_time:
        tell_time(s, t);
        return true;
    case SYS_clock_getres:
        give(t, t->arguments[1], &resolution, sizeof resolution, 0);
        return true;
    case SYS_getrusage:
        give(t, t->arguments[1], &nothing, sizeof nothing, 0);
        return true;
    case SYS_times:
        give(t, t->arguments[0], &no_times, sizeof no_times, (clock_now(s) + BOOTED_NS) / 10000000);
        return true;
    case SYS_sysinfo:
        tell_machine(s, t);
        return true;
    case SYS_nanosleep:
    case SYS_clock_nanosleep:
        enter_sleep(s, t);
        return true;
    case SYS_alarm:
        set_alarm(s, t);
        return true;
    case SYS_setitimer:
    case SYS_getitimer:
        interval_timer(s, t);
        return true;
    case SYS_timer_create:
        create_timer(t);
        return true;
    case SYS_timer_settime:
    case SYS_timer_gettime:
        posix_timer(s, t);
        return true;
    case SYS_timer_getoverrun:
        call_finish(t, 0);
        return true;
    case SYS_timer_delete:
        delete_timer(t);
        return true;
    case SYS_timerfd_create:
        create_timerfd(t);
        return true;
    case SYS_timerfd_settime:
    case SYS_timerfd_gettime:
        timerfd(s, t);
        return true;
    default:
        return false;
    }
}
