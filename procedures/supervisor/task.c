#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include "procedures/supervisor/core.h"
#include "sim/base/xalloc.h"

struct task *task_find(struct supervisor *s, pid_t pid)
{
    for (struct task *t = s->tasks; t; t = t->next)
        if (t->pid == pid)
            return t;
    return NULL;
}

struct process *process_add(struct supervisor *s, pid_t pid, const struct process *like)
{
    struct process *p = xcalloc(1, sizeof *p);
    p->pid = pid;
    p->pidfd = -1;
    p->place = "";
    p->started_ns = clock_now(s);
    if (like) {
        p->place = like->place;
        p->shell = like->shell;
        p->watched = like->watched;
        p->to_be_watched = like->to_be_watched;
        p->no_counter = like->no_counter;
        memcpy(p->program, like->program, sizeof p->program);
    }
    p->next = s->processes;
    s->processes = p;
    return p;
}

struct task *task_add(struct supervisor *s, pid_t pid, struct process *of)
{
    struct task *t = xcalloc(1, sizeof *t), **end = &s->tasks;
    t->pid = pid;
    t->serial = s->next_serial++;
    t->process = of;
    t->state = TASK_NEW;
    t->deadline = NO_DEADLINE;
    t->stat_fd = t->syscall_fd = -1;
    if (of)
        of->tasks++;
    while (*end)
        end = &(*end)->next;
    *end = t;
    s->n_tasks++;
    return t;
}

static void process_remove(struct supervisor *s, struct process *p)
{
    for (struct process **at = &s->processes; *at; at = &(*at)->next)
        if (*at == p) {
            *at = p->next;
            break;
        }
    clock_forget_timers(p, true);
    if (p->pidfd >= 0)
        close(p->pidfd);
    free(p);
}

void task_forget_proc(struct task *t)
{
    if (t->stat_fd >= 0)
        close(t->stat_fd);
    if (t->syscall_fd >= 0)
        close(t->syscall_fd);
    t->stat_fd = t->syscall_fd = -1;
}

void task_remove(struct supervisor *s, struct task *t)
{
    for (struct task **at = &s->tasks; *at; at = &(*at)->next)
        if (*at == t) {
            *at = t->next;
            break;
        }
    s->n_tasks--;
    if (s->holder == t)
        s->holder = NULL;
    if (s->shell == t)
        s->shell = NULL;
    if (s->init == t)
        s->init = NULL;
    if (t->invocation)
        puppet_drop(s, t);
    task_forget_proc(t);
    if (t->process && --t->process->tasks == 0)
        process_remove(s, t->process);
    free(t);
}

void task_hold(struct supervisor *s, struct task *t, enum held_at at)
{
    t->state = TASK_HELD;
    t->quiet_epoch = s->kill_epoch;
    t->held_at = at;
    t->round = s->round;
    t->loose = false;
}

void task_resume(struct task *t, bool stop_at_exit)
{
    int number = t->signal_number;
    stop_at_exit = stop_at_exit || t->restore;
    t->signal_number = 0;
    t->state = TASK_RUNNING;
    t->in_call = stop_at_exit;
    t->quiet_epoch = 0;
    t->cpu_base_ns = 0;
    (void)ptrace(stop_at_exit ? PTRACE_SYSCALL : PTRACE_CONT, t->pid, 0, number);
}

/* Reads a /proc file of the task anew, through a descriptor that is kept. */
static ssize_t read_proc(const struct task *t, const char *file, int *fd, char *text, size_t size)
{
    if (*fd < 0) {
        char path[64];
        snprintf(path, sizeof path, "/proc/%d/%s", (int)t->pid, file);
        *fd = open(path, O_RDONLY | O_CLOEXEC);
        if (*fd < 0)
            return -1;
    }
    ssize_t n = pread(*fd, text, size - 1, 0);
    if (n >= 0)
        text[n] = '\0';
    return n;
}

char task_letter(struct task *t)
{
    char text[512];
    ssize_t n = read_proc(t, "stat", &t->stat_fd, text, sizeof text);
    const char *paren = n > 0 ? strrchr(text, ')') : NULL;
    return paren && paren[1] == ' ' ? paren[2] : '?';
}

static bool expected_wait(const struct task *t)
{
    long number = t->detour == DETOUR_SLEEP || t->detour == DETOUR_FEED ? SYS_pause
                  : t->detour == DETOUR_READY                           ? SYS_poll
                                                                        : t->number;
    return t->waits_in == number &&
           (number == SYS_wait4 || number == SYS_waitid || number == SYS_pause ||
            number == SYS_poll || number == SYS_rt_sigsuspend);
}

/* The state letter in /proc/PID/stat is not enough: a task says S before it has looked whether it
 * must wait. The kernel fills /proc/PID/syscall only when the task is off the processor for good
 * ("running" else). */
bool task_waits(struct task *t)
{
    char text[512];
    ssize_t n = read_proc(t, "syscall", &t->syscall_fd, text, sizeof text);
    if (n <= 0 || text[0] == 'r')
        return false;
    char *rest;
    t->waits_in = strtol(text, &rest, 10);
    t->waits_on = strtoull(rest, NULL, 16);
    if (t->in_call && expected_wait(t))
        return true; /* where it was sent to wait it sleeps as it should, or its next stop is about
                        to be told */
    return task_letter(t) == 'S';
}

bool task_read(const struct task *t, uint64_t from, void *to, size_t len)
{
    struct iovec here = {to, len}, there = {(void *)(uintptr_t)from, len};
    return process_vm_readv(t->pid, &here, 1, &there, 1, 0) == (ssize_t)len;
}

size_t task_read_some(const struct task *t, uint64_t from, void *to, size_t len)
{
    struct iovec here = {to, len}, there = {(void *)(uintptr_t)from, len};
    ssize_t n = process_vm_readv(t->pid, &here, 1, &there, 1, 0);
    return n > 0 ? (size_t)n : 0;
}

bool task_write(const struct task *t, uint64_t to, const void *from, size_t len)
{
    struct iovec here = {(void *)(uintptr_t)from, len}, there = {(void *)(uintptr_t)to, len};
    return process_vm_writev(t->pid, &here, 1, &there, 1, 0) == (ssize_t)len;
}

bool task_write_scratch(const struct task *t, uint64_t to, const void *from, size_t len)
{
    if (task_write(t, to, from, len))
        return true;
    if (ptrace(PTRACE_POKEDATA, t->pid, to & ~UINT64_C(7),
               0)) /* this way of writing lets a stack grow */
        return false;
    return task_write(t, to, from, len);
}

bool task_read_text(const struct task *t, uint64_t from, char *to, size_t size)
{
    for (size_t done = 0; done + 1 < size;) {
        size_t piece = 256 - (from + done) % 256; /* never over a page's end */
        if (piece > size - 1 - done)
            piece = size - 1 - done;
        if (!task_read(t, from + done, to + done, piece))
            return false;
        if (memchr(to + done, '\0', piece))
            return true;
        done += piece;
    }
    to[size - 1] = '\0';
    return true;
}

int task_descriptor(struct task *t, int fd)
{
    if (t->process->pidfd < 0)
        t->process->pidfd = (int)syscall(SYS_pidfd_open, t->process->pid, 0);
    if (t->process->pidfd < 0)
        return -1;
    return (int)syscall(SYS_pidfd_getfd, t->process->pidfd, fd, 0);
}

void task_command_line(const struct task *t, char *text, size_t size)
{
    int fd = -1;
    ssize_t n = read_proc(t, "cmdline", &fd, text, size);
    if (fd >= 0)
        close(fd);
    if (n <= 0) {
        snprintf(text, size, "%s",
                 t->process && *t->process->program ? t->process->program : "(ending)");
        return;
    }
    while (n > 0 && text[n - 1] == '\0')
        n--;
    for (ssize_t i = 0; i < n; i++)
        if ((unsigned char)text[i] < ' ')
            text[i] = ' ';
    text[n] = '\0';
}

bool task_signal_in(const struct task *t, const char *set, int signal_number)
{
    char text[4096], key[16];
    int fd = -1;
    ssize_t n = read_proc(t, "status", &fd, text, sizeof text);
    if (fd >= 0)
        close(fd);
    snprintf(key, sizeof key, "\n%s:", set);
    const char *at = n > 0 ? strstr(text, key) : NULL;
    if (!at)
        return false;
    uint64_t bits = strtoull(at + strlen(key), NULL, 16);
    return bits >> (signal_number - 1) & 1;
}
