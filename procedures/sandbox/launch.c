#include "procedures/sandbox/launch.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/capability.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/fsuid.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "procedures/sandbox/filter.h"
#include "procedures/sandbox/jail.h"
#include "procedures/sandbox/programs.h"
#include "procedures/sandbox/root.h"
#include "sim/base/xalloc.h"

#define NAMESPACES                                                                                 \
    (CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWUTS)
#define TRACE_OPTIONS                                                                              \
    (PTRACE_O_TRACEFORK | PTRACE_O_TRACEVFORK | PTRACE_O_TRACECLONE | PTRACE_O_TRACEEXEC |         \
     PTRACE_O_TRACEVFORKDONE | PTRACE_O_TRACESECCOMP | PTRACE_O_TRACESYSGOOD | PTRACE_O_EXITKILL)

/* When we are root, uid 0 inside is none of the host's users: what it owns outside is nothing, and
 * what the kernel gives to uid 0 (files under /proc/sys) is not given to it. */
#define FOREIGN_UID_BASE 2046820352u
#define FOREIGN_UIDS     65536u

/* What a playbook that runs as root may need on its own files and processes. All of it counts only
 * inside the user namespace. SYS_CHROOT is how a puppet enters a place; a playbook's own chroot is
 * refused. */
#define CAPABILITY(name) (UINT64_C(1) << (name))
#define CAPABILITIES                                                                               \
    (CAPABILITY(CAP_CHOWN) | CAPABILITY(CAP_DAC_OVERRIDE) | CAPABILITY(CAP_FOWNER) |               \
     CAPABILITY(CAP_FSETID) | CAPABILITY(CAP_KILL) | CAPABILITY(CAP_SETUID) |                      \
     CAPABILITY(CAP_SETGID) | CAPABILITY(CAP_SYS_CHROOT))

/* Not where they would count outside, too. */
#define JAIL_NOT                                                                                   \
    (CAPABILITY(CAP_KILL) | CAPABILITY(CAP_SETUID) | CAPABILITY(CAP_SETGID) |                      \
     CAPABILITY(CAP_SYS_CHROOT))

/* What child and harness tell each other while the sandbox is made. */
struct report {
    int code; /* 0, or negative errno */
    char what[240];
};

struct child {
    struct root_plan plan;
    struct sock_filter filter[FILTER_MAX];
    int filter_length;
    int control;              /* socket to the harness */
    int input, output, error; /* ends that become 0, 1, 2 */
    const char *jail;         /* landlock: the folder; else NULL */
};

/* ---- in the child: kernel calls only ---- */

static void set_limit(int resource, int64_t value)
{
    struct rlimit limit = {(rlim_t)value, (rlim_t)value};
    (void)setrlimit((__rlimit_resource_t)resource, &limit);
}

/* The same on every machine, where it allows as much: `ulimit -a` shows them. */
static void level_limit(int resource, rlim_t value)
{
    struct rlimit limit;
    if (getrlimit((__rlimit_resource_t)resource, &limit) == 0 && limit.rlim_max >= value)
        set_limit(resource, (int64_t)value);
}

static void set_limits(const struct sandbox_limits *limits)
{
    level_limit(RLIMIT_NPROC, 4096);
    level_limit(RLIMIT_SIGPENDING, 4096);
    level_limit(RLIMIT_NICE, 0);
    level_limit(RLIMIT_RTPRIO, 0);
    int files = limits->open_files < 512 ? 512 : limits->open_files;
    set_limit(RLIMIT_NOFILE, files);
    set_limit(RLIMIT_CORE,
              1); /* not 0: with 0 a crash still starts the host's core dump helper (core(5)) */
    set_limit(RLIMIT_MEMLOCK, 1 << 20);
    set_limit(RLIMIT_MSGQUEUE, 0);
    if (limits->memory_bytes > 0)
        set_limit(RLIMIT_AS, limits->memory_bytes);
    struct rlimit stack = {8 << 20, RLIM_INFINITY};
    (void)setrlimit(RLIMIT_STACK, &stack);
}

static int drop_capabilities(bool jail)
{
    for (int capability = 0; capability < 64; capability++)
        if (!(CAPABILITIES & CAPABILITY(capability)) ||
            (jail && (JAIL_NOT & CAPABILITY(capability))))
            (void)prctl(PR_CAPBSET_DROP, capability, 0, 0, 0);
    struct __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
    struct __user_cap_data_struct data[2];
    memset(data, 0, sizeof data);
    data[0].effective = data[0].permitted =
        (uint32_t)(jail && geteuid() != 0 ? 0 : CAPABILITIES & ~(jail ? JAIL_NOT : 0));
    return syscall(SYS_capset, &header, data) ? -errno : 0;
}

static void reset_signals(void)
{
    sigset_t none;
    sigemptyset(&none);
    for (int number = 1; number < NSIG; number++)
        if (number != SIGKILL && number != SIGSTOP)
            (void)signal(number, number == SIGCHLD ? SIG_IGN : SIG_DFL);
    (void)sigprocmask(SIG_SETMASK, &none, NULL);
}

static int become_root(void)
{
    /* Not glibc's functions: those would ask the harness's other threads, which are not here, to
     * join in. */
    if (syscall(SYS_setresgid, 0, 0, 0) || syscall(SYS_setresuid, 0, 0, 0))
        return -errno;
    (void)syscall(SYS_setgroups, 0, NULL); /* refused to an ordinary user, who keeps his own */
    return prctl(PR_SET_PDEATHSIG, SIGKILL) ? -errno : 0;
}

static void send_report(int control, const struct report *report, int fd)
{
    struct iovec part = {(void *)(uintptr_t)report, sizeof *report};
    union {
        char bytes[CMSG_SPACE(sizeof(int))];
        struct cmsghdr align;
    } aid;
    struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1};
    if (fd >= 0) {
        memset(&aid, 0, sizeof aid);
        message.msg_control = aid.bytes;
        message.msg_controllen = sizeof aid.bytes;
        struct cmsghdr *header = CMSG_FIRSTHDR(&message);
        header->cmsg_level = SOL_SOCKET;
        header->cmsg_type = SCM_RIGHTS;
        header->cmsg_len = CMSG_LEN(sizeof(int));
        memcpy(CMSG_DATA(header), &fd, sizeof fd);
    }
    (void)!sendmsg(control, &message, MSG_NOSIGNAL);
}

static void fail(int control, int code, const char *what)
{
    struct report report = {.code = code};
    snprintf(report.what, sizeof report.what, "%s", what);
    send_report(control, &report, -1);
    _exit(125);
}

static void await_byte(int control)
{
    char byte;
    ssize_t n;
    while ((n = read(control, &byte, 1)) < 0 && errno == EINTR)
        continue;
    if (n != 1)
        _exit(125); /* the harness is gone */
}

/* Descriptors 0 to 2 are the procedure's; nothing else of the harness is passed on. */
static void keep_descriptors(const struct child *child, int *control)
{
    int high = fcntl(*control, F_DUPFD_CLOEXEC, 100);
    int ends[3] = {fcntl(child->input, F_DUPFD, 10), fcntl(child->output, F_DUPFD, 10),
                   fcntl(child->error, F_DUPFD, 10)};
    for (int i = 0; i < 3; i++)
        (void)dup2(ends[i], i);
    *control = dup2(high, 3);
    (void)fcntl(3, F_SETFD, FD_CLOEXEC);
    (void)syscall(SYS_close_range, 4, ~0u, 0);
}

/* Namespaces: builds the private root. */
static void enter_namespaces(struct child *child, struct report *report)
{
    report->code = become_root();
    if (report->code)
        fail(child->control, report->code, "become root of the private root");
    report->code = root_build(&child->plan, report->what, sizeof report->what);
    if (report->code)
        fail(child->control, report->code, report->what);
}

/* Landlock: the root is there already; what is bound by it cannot be undone. */
static void enter_jail(struct child *child, struct report *report)
{
    if (prctl(PR_SET_PDEATHSIG, SIGKILL) || chdir(child->jail))
        fail(child->control, -errno, "enter the folder");
    set_limit(RLIMIT_FSIZE, child->plan.spec->limits.disk_bytes);
    report->code = jail_enter(&child->plan, child->jail);
    if (report->code)
        fail(child->control, report->code, "bind the processes to their folder (Landlock)");
}

__attribute__((noreturn)) static void run_child(struct child *child)
{
    struct report report = {.code = 0};
    char shim[600];
    int control = child->control;
    snprintf(shim, sizeof shim, "%s" ROOT_SHIM, child->jail ? child->jail : "");
    await_byte(control); /* the user map is written */
    if (child->jail)
        enter_jail(child, &report);
    else
        enter_namespaces(child, &report);
    set_limits(&child->plan.spec->limits);
    (void)personality(ADDR_NO_RANDOMIZE);
    reset_signals();
    report.code = drop_capabilities(child->jail != NULL);
    if (report.code)
        fail(control, report.code, "drop capabilities");
    (void)prctl(PR_SET_DUMPABLE, 1);
    int root = open(child->jail ? child->jail : "/", O_PATH | O_DIRECTORY | O_CLOEXEC);
    send_report(control, &report, root);
    keep_descriptors(child, &control);
    await_byte(control); /* the harness traces us */
    (void)setsid();
    int failed = filter_install(child->filter, child->filter_length);
    if (failed)
        fail(control, failed, "install the system call filter");
    char *const argv[] = {(char[]){"init"}, NULL}, *const envp[] = {NULL};
    execve(shim, argv, envp);
    fail(control, -errno, "start the first process");
    _exit(125);
}

/* ---- in the harness ---- */

static int write_text(pid_t pid, const char *file, const char *text)
{
    char path[64];
    snprintf(path, sizeof path, "/proc/%d/%s", (int)pid, file);
    int fd = open(path, O_WRONLY | O_CLOEXEC);
    if (fd < 0)
        return -errno;
    ssize_t n = write(fd, text, strlen(text));
    int code = n < 0 ? -errno : 0;
    close(fd);
    return code;
}

static int map_users(pid_t pid, uid_t owner, gid_t group)
{
    char uids[64], gids[64];
    bool foreign = owner == FOREIGN_UID_BASE;
    unsigned count = foreign ? FOREIGN_UIDS : 1;
    snprintf(uids, sizeof uids, "0 %u %u", owner, count);
    snprintf(gids, sizeof gids, "0 %u %u", foreign ? FOREIGN_UID_BASE : group, count);
    int failed = foreign ? 0 : write_text(pid, "setgroups", "deny");
    if (!failed)
        failed = write_text(pid, "uid_map", uids);
    return failed ? failed : write_text(pid, "gid_map", gids);
}

static int receive_report(int control, struct report *report, int *fd)
{
    struct iovec part = {report, sizeof *report};
    union {
        char bytes[CMSG_SPACE(sizeof(int))];
        struct cmsghdr align;
    } aid;
    struct msghdr message = {.msg_iov = &part,
                             .msg_iovlen = 1,
                             .msg_control = aid.bytes,
                             .msg_controllen = sizeof aid.bytes};
    ssize_t n;
    while ((n = recvmsg(control, &message, MSG_CMSG_CLOEXEC)) < 0 && errno == EINTR)
        continue;
    if (n != (ssize_t)sizeof *report)
        return -EPIPE;
    struct cmsghdr *header = CMSG_FIRSTHDR(&message);
    if (header && header->cmsg_type == SCM_RIGHTS)
        memcpy(fd, CMSG_DATA(header), sizeof *fd);
    return 0;
}

static void find_programs(struct root_plan *plan)
{
    const char *const *extra = plan->spec->programs;
    int n = 0, cap = 0;
    struct program *found = NULL;
    for (int list = 0; list < 2; list++) {
        const char *const *names = list ? extra : standard_programs;
        for (int i = 0; names && names[i]; i++) {
            bool fake = false;
            for (int k = 0; plan->spec->commands && plan->spec->commands[k] && !fake; k++)
                fake = strcmp(plan->spec->commands[k], names[i]) == 0;
            XGROW(found, n, cap);
            if (!fake && strlen(names[i]) < sizeof found[n].name &&
                program_find(names[i], found[n].path, sizeof found[n].path)) {
                snprintf(found[n].name, sizeof found[n].name, "%s", names[i]);
                n++;
            }
        }
    }
    plan->programs = found;
    plan->n_programs = n;
}

static int open_ends(struct sandbox *sandbox, struct child *child, int *control)
{
    int in[2], out[2], err[2], pair[2];
    if (pipe2(in, O_CLOEXEC) || pipe2(out, O_CLOEXEC) || pipe2(err, O_CLOEXEC) ||
        socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair))
        return -errno;
    (void)fcntl(out[1], F_SETPIPE_SZ, 1 << 20);
    (void)fcntl(out[0], F_SETFL, O_NONBLOCK);
    (void)fcntl(err[0], F_SETFL, O_NONBLOCK);
    *sandbox =
        (struct sandbox){.root_fd = -1, .input_fd = in[1], .output_fd = out[0], .error_fd = err[0]};
    child->input = in[0];
    child->output = out[1];
    child->error = err[1];
    child->control = pair[1];
    *control = pair[0];
    return 0;
}

static void close_child_ends(const struct child *child)
{
    close(child->input);
    close(child->output);
    close(child->error);
    close(child->control);
}

/* The tracee is at its exec of the shim: the first stop that it reports. */
static int await_shim(pid_t pid)
{
    int status;
    for (;;) {
        pid_t got = waitpid(pid, &status, __WALL);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return -errno;
        if (WIFEXITED(status) || WIFSIGNALED(status))
            return -ECHILD;
        if (status >> 16 == PTRACE_EVENT_EXEC)
            return 0;
        int signal_number = status >> 16 ? 0 : WSTOPSIG(status);
        if (ptrace(PTRACE_CONT, pid, 0, signal_number))
            return -errno;
    }
}

static int bring_up(struct sandbox *sandbox, int control, struct report *report)
{
    gid_t group = getgid();
    bool jail = sandbox->tier == TIER_LANDLOCK;
    sandbox->owner = geteuid() == 0 && !jail ? FOREIGN_UID_BASE : geteuid();
    int failed = jail ? 0 : map_users(sandbox->init, sandbox->owner, group);
    if (failed) {
        snprintf(report->what, sizeof report->what, "map users");
        return failed;
    }
    if (write(control, "m", 1) != 1)
        return -errno;
    failed = receive_report(control, report, &sandbox->root_fd);
    if (failed || report->code)
        return failed ? failed : report->code;
    if (ptrace(PTRACE_SEIZE, sandbox->init, 0, TRACE_OPTIONS)) {
        snprintf(report->what, sizeof report->what, "trace the first process (ptrace)");
        return -errno;
    }
    if (write(control, "g", 1) != 1)
        return -errno;
    failed = await_shim(sandbox->init);
    if (failed && receive_report(control, report, &sandbox->root_fd) == 0 && report->code)
        return report->code;
    return failed;
}

static int refuse(struct error *error, const struct report *report, int code)
{
    const char *advice = "";
    if (code == -EPERM || code == -EACCES || code == -ENOSPC)
        advice = "; run as root, or allow user namespaces, mounts and ptrace here "
                 "(Docker: --privileged; sysctl kernel.unprivileged_userns_clone, "
                 "user.max_user_namespaces, "
                 "kernel.apparmor_restrict_unprivileged_userns)";
    return error_set(error, ERROR_SEAL, "cannot seal the sandbox: %s: %s%s",
                     *report->what ? report->what : "private namespaces", strerror(-code), advice);
}

static void prepare(struct child *child, const struct sandbox_spec *spec,
                    const struct sandbox_parts *parts, enum tier tier)
{
    child->plan = (struct root_plan){.spec = spec,
                                     .shim = parts->shim,
                                     .shim_size = parts->shim_size,
                                     .script = parts->script,
                                     .script_size = parts->script_size};
    find_programs(&child->plan);
    child->filter_length = filter_build(child->filter, tier == TIER_LANDLOCK);
}

static long start_child(struct child *child, struct sandbox *sandbox, int control)
{
    cpu_set_t all, one;
    (void)sched_getaffinity(0, sizeof all, &all);
    sandbox->cpu = sched_getcpu();
    CPU_ZERO(&one);
    CPU_SET((size_t)(sandbox->cpu < 0 ? 0 : sandbox->cpu), &one);
    (void)sched_setaffinity(0, sizeof one, &one); /* the child inherits it */
    long pid =
        syscall(SYS_clone, (sandbox->tier == TIER_LANDLOCK ? 0 : NAMESPACES) | SIGCHLD, 0, 0, 0, 0);
    if (pid == 0) {
        close(control);
        run_child(child);
    }
    int code = errno;
    (void)sched_setaffinity(0, sizeof all, &all);
    return pid < 0 ? -code : pid;
}

static int launch_tier(const struct sandbox_spec *spec, const struct sandbox_parts *parts,
                       enum tier tier, struct sandbox *ret, struct report *report)
{
    struct child *child = xcalloc(1, sizeof *child);
    struct sandbox sandbox = {.root_fd = -1};
    int control = -1, code = open_ends(&sandbox, child, &control);
    if (code) {
        free(child);
        return code;
    }
    sandbox.tier = tier;
    prepare(child, spec, parts, tier);
    if (tier == TIER_LANDLOCK) {
        code = jail_version() > 0 ? 0 : -ENOSYS;
        if (code)
            snprintf(report->what, sizeof report->what, "Landlock");
        else
            code = jail_make(&child->plan, sandbox.jail, sizeof sandbox.jail, report->what,
                             sizeof report->what);
        child->jail = sandbox.jail;
    }
    long pid = code ? code : start_child(child, &sandbox, control);
    sandbox.init = pid > 0 ? (pid_t)pid : 0;
    close_child_ends(child);
    code = pid < 0 ? (int)pid : bring_up(&sandbox, control, report);
    close(control);
    free((void *)(uintptr_t)child->plan.programs);
    free(child);
    if (code)
        sandbox_end(&sandbox);
    else
        *ret = sandbox;
    return code;
}

/* A process that ignores the end of its children (it may have been started so) is not told of it.
 */
static void hear_children(void)
{
    struct sigaction action;
    if (sigaction(SIGCHLD, NULL, &action) == 0 && action.sa_handler == SIG_IGN)
        (void)signal(SIGCHLD, SIG_DFL);
}

/* The best first; when none can be had, what the best one lacks is what is said. */
int sandbox_launch(const struct sandbox_spec *spec, const struct sandbox_parts *parts,
                   struct sandbox *ret, struct error *error)
{
    struct report namespaces = {.code = 0}, landlock = {.code = 0};
    int code = -EINVAL;
    hear_children();
    if (spec->tier == TIER_AUTO || spec->tier == TIER_NAMESPACES)
        code = launch_tier(spec, parts, TIER_NAMESPACES, ret, &namespaces);
    if (code == 0)
        return 0;
    if (spec->tier == TIER_NAMESPACES)
        return refuse(error, &namespaces, code);
    int other = spec->tier == TIER_AUTO || spec->tier == TIER_LANDLOCK
                    ? launch_tier(spec, parts, TIER_LANDLOCK, ret, &landlock)
                    : -EINVAL;
    if (other == 0)
        return 0;
    return spec->tier == TIER_AUTO ? refuse(error, &namespaces, code)
                                   : refuse(error, &landlock, other);
}

enum tier sandbox_probe(struct error *why)
{
    static const struct sandbox_parts parts = {
        .shim = "#!/usr/bin/true\n", .script = "\n", .shim_size = 16, .script_size = 1};
    struct sandbox_spec spec = {.hostname = "probe", .limits = sandbox_default_limits};
    struct sandbox sandbox;
    if (sandbox_launch(&spec, &parts, &sandbox, why))
        return TIER_AUTO;
    enum tier tier = sandbox.tier;
    sandbox_end(&sandbox);
    return tier;
}

void sandbox_end(struct sandbox *sandbox)
{
    if (sandbox->init > 0) {
        int status;
        (void)kill(sandbox->init, SIGKILL);
        for (;;) { /* stops that were under way come first */
            pid_t got = waitpid(sandbox->init, &status, __WALL);
            if ((got < 0 && errno != EINTR) ||
                (got > 0 && (WIFEXITED(status) || WIFSIGNALED(status))))
                break;
        }
    }
    int fds[] = {sandbox->root_fd, sandbox->input_fd, sandbox->output_fd, sandbox->error_fd};
    for (int i = 0; i < 4; i++)
        if (fds[i] > 0)
            close(fds[i]);
    jail_remove(sandbox->jail);
    *sandbox = (struct sandbox){.root_fd = -1};
}

uid_t sandbox_enter_owner(const struct sandbox *sandbox)
{
    if (sandbox->owner == geteuid())
        return 0;
    struct __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
    struct __user_cap_data_struct data[2];
    bool known = syscall(SYS_capget, &header, data) == 0;
    uid_t before = (uid_t)setfsuid(sandbox->owner);
    (void)setfsgid(sandbox->owner);
    if (known) /* leaving uid 0 took the rights over files away: take them back */
        (void)syscall(SYS_capset, &header, data);
    return before;
}

void sandbox_leave_owner(const struct sandbox *sandbox, uid_t before)
{
    if (sandbox->owner == geteuid())
        return;
    (void)setfsuid(before);
    (void)setfsgid(getegid());
}
