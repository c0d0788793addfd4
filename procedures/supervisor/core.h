/* core: what the parts of the supervisor share. Not for anyone else.
 *
 * Words. A *task* is a thread as the kernel counts them; a *process* is a group of tasks with one
 * memory. The *turn* is the right to run: at most one task has it, and keeps it until it waits or
 * ends. A *stop* is a ptrace stop. A task is *held* while it sits in a stop and waits for its turn;
 * held tasks are served in the order (round, serial), where a round is one settling of the whole
 * tree and a serial is the order of creation: both the same in every run, which pids and the order
 * of wait events are not.
 *
 * Invariant: whenever the world or a fake runs, or a turn is given, every task is held, or waits in
 * the kernel for something that only another task, a signal or the clock can bring.
 */
#ifndef REHEARSE_PROCEDURES_CORE_H
#define REHEARSE_PROCEDURES_CORE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "procedures/sandbox/launch.h"
#include "procedures/supervisor/arch.h"
#include "procedures/supervisor/supervisor.h"
#include "sim/base/buf.h"

#define NO_DEADLINE      INT64_MAX
#define TIMER_DESCRIPTOR 1000000
#define SECOND_NS        INT64_C(1000000000)
#define EXEC_NS          INT64_C(1000000) /* virtual cost of starting a program */
#define ASK_NS           SECOND_NS        /* at most so long without asking for an interruption */
#define BOOTED_NS        (1000 * SECOND_NS) /* the machine had been up for so long when the run began */
#define CALLS_FREE       20000         /* without anybody ever waiting, before they cost time */
#define CALLS_TURN       1000          /* then so many are a turn */
#define LOOK_NS          INT64_C(1000) /* of looking at the clock */

struct coroutine;
struct invocation;
struct supervisor;

enum task_state {
    TASK_NEW,     /* known from its parent's fork, its own first stop has not come yet */
    TASK_RUNNING, /* let go: computes, or waits in the kernel */
    TASK_HELD,    /* in a stop, waits for its turn */
    TASK_VFORKED, /* waits until its child has another memory */
    TASK_STOPPED, /* by SIGSTOP and the like */
    TASK_PARKED,  /* the first process, between runs */
};

/* What has to be done first when a held task gets its turn. */
enum held_at {
    HELD_PLAIN, /* nothing */
    HELD_CALL,  /* at the entry of a system call that was not looked at yet */
    HELD_EXIT,  /* at the exit of one */
};

/* How the call in which a task is was changed, to be undone at its exit. */
enum detour {
    DETOUR_NONE,
    DETOUR_SLEEP, /* nanosleep -> pause */
    DETOUR_READY, /* read, write ... -> poll for that descriptor, then the call itself */
    DETOUR_TIMED, /* poll, select, futex ... without their time-out */
    DETOUR_FEED,  /* bash's read of its script -> pause, while a person reads and types */
    DETOUR_OTHER, /* other arguments than the task gave, which its registers must hold again
                     afterwards */
    DETOUR_STAMP, /* a call that changes a file's time, at whose exit it gets the simulation's */
    DETOUR_KILL,  /* a signal was sent: everybody settles before the sender goes on */
    DETOUR_TIMER, /* timerfd_create -> eventfd */
    DETOUR_STAT,  /* statx and the like: times that only the kernel sets are replaced */
    DETOUR_LINK,  /* readlink: numbers of pipes and sockets are replaced */
    DETOUR_WATCH, /* any call -> one that puts the strict filter over the first, then the call
                     itself */
};

struct timer {
    int id;       /* -1: alarm and setitimer; from TIMER_DESCRIPTOR on: a descriptor (timerfd) */
    int event_fd; /* of that, ours; else -1 */
    bool armed;
    int signal_number;
    uint64_t value; /* sigev_value */
    int64_t deadline, interval_ns;
    struct timer *next;
};

struct process {
    pid_t pid;
    int tasks;
    int pidfd;
    bool shim;          /* runs the shim */
    bool watched;       /* its calls ask that run freely in well-known programs */
    bool to_be_watched; /* from its next call on */
    bool no_counter;    /* reading the processor's counter (rdtsc) asks */
    bool shell;         /* bash, dash, sh: whose "not found" messages mean what they say */
    const char *place;  /* "" or the container or host whose root it sees */
    int64_t started_ns;
    uint64_t stack;   /* at its first instruction: argc, argv, envp */
    char program[64]; /* last part of the path it was started from */
    struct timer *timers;
    struct process *next;
};

struct task {
    pid_t pid;
    int serial;
    struct process *process;
    enum task_state state;
    enum held_at held_at;
    bool first; /* held in the middle of its turn: goes on before all others */
    uint64_t round;
    int signal_number;    /* to be delivered when it goes on */
    pid_t vfork_child;    /* TASK_VFORKED: for whom it waits */
    bool restore;         /* its registers hold another path than it gave */
    bool in_call;         /* its next stop is the exit of a call */
    bool loose;           /* waits in a call that has effects as soon as it is woken */
    bool fired;           /* its deadline came, it was interrupted */
    uint64_t quiet_epoch; /* it was seen at rest, and only a death or a signal can wake it: see
                             supervisor.epoch */
    long number;          /* of the call that it made, as far as we were asked */
    long waits_in; /* number and first argument of the call in which it was last seen waiting */
    uint64_t waits_on;
    enum detour detour;
    uint64_t arguments[6]; /* as the task gave them */
    int64_t deadline;
    int64_t resume_deadline; /* of a sleep that was interrupted and may be taken up again; 0 none */
    unsigned char scratch_before[16];
    uint64_t scratch_at;
    unsigned char sets[3][128]; /* descriptor sets of a select, as given */
    int64_t looks;              /* at the clock, one after the other */
    int64_t cpu_base_ns;        /* its CPU time soon after it went on; 0 not looked yet */
    int stat_fd, syscall_fd;
    struct registers registers;
    struct invocation *invocation; /* of a puppet */
    struct task *next;
};

struct supervisor {
    struct sandbox_limits limits;
    struct sandbox sandbox;
    struct supervisor_owner owner;
    int64_t start_unix_ns;
    uint64_t random;
    char hostname[65];
    char *cwd;
    char **envp;
    char **places;
    char **programs; /* beyond the standard ones */
    char **commands; /* names of fakes */

    struct task *tasks; /* in the order of creation */
    struct process *processes;
    int n_tasks, next_serial;
    struct task *holder; /* who has the turn */
    struct task *init, *shell;
    uint64_t round;
    uint64_t epoch;      /* counts deaths and signals: what can end a wait for a child */
    uint64_t kill_epoch; /* counts signals sent on purpose: what can end a task in a stop */

    dev_t proc_device, root_device, terminal_device;
    ino_t *inodes; /* of pipes and the like, in the order in which they were first told of */
    int n_inodes, cap_inodes;
    int next_port;
    bool terminals; /* somebody made a pseudo-terminal */
    struct script *script;
    struct coroutine *idle_coroutines;
    int64_t output_bytes;
    bool drained;   /* nothing was written since the last drain */
    bool hang_told; /* since the last feed */

    int64_t busy_execs, busy_calls; /* since the clock last jumped on */
    int64_t ask_at_ns; /* when the owner wants to be asked about an interruption again */
    int interrupts;    /* how often the foreground was interrupted since the last feed */
    int64_t press_again_ns;

    bool over;
    struct supervisor_result result;
};

/* ---- task.c ---- */
struct task *task_find(struct supervisor *, pid_t);
struct task *task_add(struct supervisor *, pid_t, struct process *of);
struct process *process_add(struct supervisor *, pid_t, const struct process *like);
void task_remove(struct supervisor *, struct task *);
void task_hold(struct supervisor *, struct task *, enum held_at);
void task_resume(struct task *, bool stop_at_exit);
/* Does it wait in the kernel, off the processor? False: it computes, or that cannot be told yet. */
bool task_waits(struct task *);
char task_letter(struct task *); /* its state, as in /proc/PID/stat; '?' if it is gone */
void task_forget_proc(struct task *);
bool task_read(const struct task *, uint64_t from, void *to, size_t len);
size_t task_read_some(const struct task *t, uint64_t from, void *to,
                      size_t len); /* as much as there is */
bool task_write(const struct task *, uint64_t to, const void *from, size_t len);
/* The same to memory below its stack, which may have to grow for it. */
bool task_write_scratch(const struct task *, uint64_t to, const void *from, size_t len);
/* A text of the task, cut at size - 1. False: bad address. */
bool task_read_text(const struct task *, uint64_t from, char *to, size_t size);
/* Its descriptor, as one of ours; -1 on failure. The caller closes it. */
int task_descriptor(struct task *, int fd);
void task_command_line(const struct task *, char *text, size_t size);
bool task_signal_in(const struct task *, const char *set,
                    int signal_number); /* "SigCgt", "SigIgn" */

/* ---- clock.c ---- */
int64_t clock_now(struct supervisor *);
void clock_spend(struct supervisor *, int64_t ns);
int64_t clock_unix_ns(struct supervisor *);
/* Handles the call if it is about time; false: it is not. */
bool clock_call(struct supervisor *, struct task *);
int64_t clock_next_timer(struct supervisor *);
void clock_fire_timers(struct supervisor *);
/* The eventfd that stands for a timerfd is there. */
void clock_leave_timerfd(struct task *);
void clock_forget_timers(struct process *, bool all);
/* Puts the task to sleep until then. */
void clock_sleep(struct supervisor *, struct task *, enum detour, int64_t deadline);

/* ---- calls.c ---- */
/* A task that has the turn is at the entry (exit) of a call. Lets it go on in some way. */
void call_enter(struct supervisor *, struct task *);
void call_leave(struct supervisor *, struct task *);
void call_finish(struct task *, long result); /* answers without executing it */

/* The registers hold a call that is to be made now, by the task itself or by its puppeteer (who is
 * trusted). */
void call_dispatch(struct supervisor *, struct task *, bool trusted);
/* ---- stamp.c ---- */
/* At the exit of a call that changed a file or a folder: gives it the simulation's time. */
void stamp_leave(struct supervisor *, struct task *);
void stamp_leave_stat(struct supervisor *, struct task *);
void stamp_leave_link(struct supervisor *, struct task *);
/* utimensat: "now" is the simulation's. */
void stamp_times(struct supervisor *, struct task *);
/* ---- transfer.c ---- */
/* Calls that move bytes or wait for descriptors. False: the call is none of them. */
bool transfer_call(struct supervisor *, struct task *);
/* ---- refuse.c ---- */
/* Calls that reach for something outside the sandbox, and those that nobody knows. */
bool refuse_call(struct supervisor *, struct task *);
/* Messages with an address of their own. True: one leads out, the call is answered. */
bool refuse_message(struct supervisor *, struct task *);

/* ---- watch.c ---- */
/* Another program runs now: is it one whose calls must all ask? */
void watch_program(struct task *);
/* Puts the strict filter over the task where that is wanted; true: its call will be made again. */
bool watch_enter(struct task *);
/* The same for the processor's counter, at an execve and at the first call after it. */
bool watch_exec(const struct supervisor *, struct task *);
/* An open: reading this file would tell time or chance. True: its call will be made again. */
bool watch_open(struct task *);

/* ---- ports.c ---- */
/* Gives a socket that has no port yet the next one: the kernel would draw one. True: the call is
 * answered. */
bool ports_bind(struct supervisor *, struct task *);
void ports_assign(struct supervisor *, struct task *);

/* ---- paths.c: the tier without namespaces ---- */
/* Leads what a call names inside; true: the call is answered. */
bool paths_enter(struct supervisor *, struct task *);
void paths_leave(struct supervisor *, struct task *);
void paths_started(struct supervisor *, struct task *);
/* The real folder of a task's root. */
void paths_root(const struct supervisor *, const struct task *, char *text, size_t size);
/* Opens the folder in which a path of the task stands, and says under which name. -1: not in the
 * sandbox. */
int paths_open_folder(const struct supervisor *, const struct task *, int from, const char *path,
                      char *base, size_t size);

/* ---- neighbours.c: the tier without namespaces ---- */
/* Keeps calls off the host's processes and sockets; true: the call is answered. */
bool neighbours_enter(struct supervisor *, struct task *);

/* ---- observe.c ---- */
void observe_refusal(struct supervisor *, struct task *, const char *what);
void observe_written(struct supervisor *, struct task *, uint64_t at, size_t len);
void observe_hang(struct supervisor *);
void observe_limit(struct supervisor *, const char *evidence, const char *message);
/* The command that a person at the terminal sees running. */
void observe_foreground(struct supervisor *, char *text, size_t size);

/* ---- schedule.c ---- */
void schedule_run(struct supervisor *);
void schedule_kill_all(struct supervisor *);
void schedule_end(struct supervisor *, enum supervisor_end);
void schedule_drain(struct supervisor *);

/* ---- terminals.c ---- */
/* What was written to pseudo-terminals has arrived afterwards. */
void terminals_flush(struct supervisor *);

/* ---- program.c ---- */
/* A task is at the first instruction of another program. */
void program_started(struct supervisor *, struct task *);
/* Does any task watch files, which the world may change? */
bool watches_files(const struct supervisor *);

/* ---- procfs.c ---- */
struct iovec;
/* A read, of whatever kind, of a file of /proc (`fd` is ours): answers it if the file would tell of
 * the host. */
bool procfs_read(struct supervisor *, struct task *, int fd, struct iovec to, int64_t position);

/* ---- script.c ---- */
struct script *script_new(struct error *);
void script_free(struct script *);
void script_start(struct supervisor *, struct task *shell, const char *name);
/* The shell's process has started a program: bash, or (exec) another one. */
void script_attach(struct supervisor *, struct task *, uint64_t entry);
/* Calls of the shell about its script. False: the call is about something else. */
bool script_call(struct supervisor *, struct task *);
bool script_waiting(const struct supervisor *); /* for a person to read and type */
/* Makes bash give up the command line it is executing, as Ctrl-C at a terminal does. */
void script_interrupt(struct supervisor *);
const void *script_placeholder(size_t *size);

/* ---- puppet.c ---- */
/* A task is at its hypercall. */
void puppet_enter(struct supervisor *, struct task *);
void puppet_forked(struct supervisor *, struct task *parent, struct task *child);
/* The process of a puppet ended or became another program. */
void puppet_drop(struct supervisor *, struct task *);
void puppet_release(struct supervisor *);
/* Starts bash from the first process. */
void puppet_start_shell(struct supervisor *, const char *script_name);

/* ---- random.c ---- */
void random_fill(struct supervisor *, void *at, size_t len);

#endif
