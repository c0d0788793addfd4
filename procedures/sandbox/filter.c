#include "procedures/sandbox/filter.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/futex.h>
#include <linux/sched.h>
#include <linux/seccomp.h>
#include <linux/stat.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Runs freely, whatever its arguments. */
static const int allowed[] = {
    /* memory */
    SYS_brk, SYS_mmap, SYS_munmap, SYS_mprotect, SYS_mremap, SYS_madvise, SYS_mincore, SYS_mlock,
    SYS_munlock, SYS_mlock2, SYS_msync, SYS_membarrier, SYS_memfd_create,
    /* descriptors */
    SYS_close, SYS_close_range, SYS_dup, SYS_dup3, SYS_pipe2, SYS_pread64, SYS_preadv, SYS_fstat,
    SYS_getdents64, SYS_fadvise64, SYS_readahead, SYS_eventfd2, SYS_epoll_create1, SYS_epoll_ctl,
    SYS_inotify_init1, SYS_inotify_rm_watch, SYS_signalfd4, SYS_fchdir, SYS_fstatfs, SYS_fgetxattr,
    SYS_flistxattr,
#ifdef __x86_64__
    SYS_dup2, SYS_pipe, SYS_getdents, SYS_eventfd, SYS_epoll_create, SYS_inotify_init, SYS_signalfd,
#endif
    /* who am I */
    SYS_getpid, SYS_getppid, SYS_gettid, SYS_getuid, SYS_geteuid, SYS_getgid, SYS_getegid,
    SYS_getresuid, SYS_getresgid, SYS_getgroups, SYS_getpgid, SYS_getsid, SYS_setpgid, SYS_setsid,
    SYS_setuid, SYS_setgid, SYS_setreuid, SYS_setregid, SYS_setresuid, SYS_setresgid, SYS_setfsuid,
    SYS_setfsgid, SYS_setgroups, SYS_capget, SYS_capset, SYS_umask, SYS_getpriority, SYS_getrlimit,
    SYS_sched_getaffinity, SYS_sched_getparam, SYS_sched_getscheduler, SYS_sched_get_priority_max,
    SYS_sched_get_priority_min,
#ifdef __x86_64__
    SYS_getpgrp, SYS_arch_prctl,
#endif
    /* processes and signals of one's own */
    SYS_exit, SYS_exit_group, SYS_rt_sigaction, SYS_rt_sigprocmask, SYS_rt_sigreturn,
    SYS_rt_sigpending, SYS_sigaltstack, SYS_restart_syscall, SYS_set_tid_address,
    SYS_set_robust_list, SYS_get_robust_list, SYS_rseq,
#ifdef __x86_64__
    SYS_fork, SYS_vfork,
#endif
    /* sockets, once made (socket and connect ask) */
    SYS_getsockname, SYS_getpeername, SYS_getsockopt, SYS_listen, SYS_shutdown};

/* Name files or processes: run freely where there are no others to be named. */
static const int allowed_names[] = {
    SYS_newfstatat, SYS_readlinkat,  SYS_faccessat,  SYS_faccessat2,
    SYS_statfs,     SYS_getcwd,      SYS_chdir,      SYS_getxattr,
    SYS_lgetxattr,  SYS_listxattr,   SYS_llistxattr, SYS_inotify_add_watch,
    SYS_pidfd_open, SYS_setpriority,
#ifdef __x86_64__
    SYS_stat,       SYS_lstat,       SYS_readlink,   SYS_access,
#endif
};

static const uint32_t allowed_ioctls[] = {TCGETS,  TIOCGWINSZ, TIOCGPGRP, FIONREAD,
                                          FIOCLEX, FIONCLEX,   FIONBIO};
static const uint32_t allowed_fcntls[] = {F_DUPFD,      F_DUPFD_CLOEXEC, F_GETFD,
                                          F_SETFD,      F_GETFL,         F_SETFL,
                                          F_GETPIPE_SZ, F_GET_SEALS,     F_ADD_SEALS};
static const uint32_t allowed_prctls[] = {PR_SET_NAME,         PR_GET_NAME,
                                          PR_GET_DUMPABLE,     PR_SET_DUMPABLE,
                                          PR_SET_PDEATHSIG,    PR_GET_PDEATHSIG,
                                          PR_GET_NO_NEW_PRIVS, PR_SET_NO_NEW_PRIVS,
                                          PR_CAPBSET_READ,     PR_GET_KEEPCAPS,
                                          PR_GET_SECUREBITS,   PR_GET_TIMERSLACK,
                                          PR_SET_TIMERSLACK,   PR_GET_CHILD_SUBREAPER,
                                          PR_SET_VMA};

struct writer {
    struct sock_filter *at;
    int n;
};

static void emit(struct writer *w, uint16_t code, uint8_t yes, uint8_t no, uint32_t k)
{
    assert(w->n < FILTER_MAX);
    w->at[w->n++] = (struct sock_filter){code, yes, no, k};
}

static void load(struct writer *w, size_t offset)
{
    emit(w, BPF_LD | BPF_W | BPF_ABS, 0, 0, (uint32_t)offset);
}

static void load_argument(struct writer *w,
                          int index) /* its lower half: all that we look at are ints */
{
    load(w, offsetof(struct seccomp_data, args) + (size_t)index * 8);
}

static void give(struct writer *w, uint32_t action)
{
    emit(w, BPF_RET | BPF_K, 0, 0, action);
}

static void ask(struct writer *w)
{
    give(w, SECCOMP_RET_TRACE | FILTER_ASK);
}

/* "If the number is not `nr`, jump over what follows": returns where to patch the distance. */
static int begin(struct writer *w, int nr)
{
    emit(w, BPF_JMP | BPF_JEQ | BPF_K, 0, 0, (uint32_t)nr);
    return w->n - 1;
}

static void end(struct writer *w, int begun)
{
    int distance = w->n - begun - 1;
    assert(distance < 256);
    w->at[begun].jf = (uint8_t)distance;
}

/* `nr` runs freely if argument `index` is one of these values. */
static void allow_values(struct writer *w, int nr, int index, const uint32_t *values, size_t n)
{
    int begun = begin(w, nr);
    load_argument(w, index);
    for (size_t i = 0; i < n; i++) {
        emit(w, BPF_JMP | BPF_JEQ | BPF_K, 0, 1, values[i]);
        give(w, SECCOMP_RET_ALLOW);
    }
    ask(w);
    end(w, begun);
}

/* `nr` runs freely unless argument `index` is this value. */
static void forbid_value(struct writer *w, int nr, int index, uint32_t value)
{
    int begun = begin(w, nr);
    load_argument(w, index);
    emit(w, BPF_JMP | BPF_JEQ | BPF_K, 1, 0, value);
    give(w, SECCOMP_RET_ALLOW);
    ask(w);
    end(w, begun);
}

/* `nr` runs freely if none of the `bad` bits is set in argument `index`, and (if any) one of
 * `needed`. */
static void allow_bits(struct writer *w, int nr, int index, uint32_t bad, uint32_t needed)
{
    int begun = begin(w, nr);
    load_argument(w, index);
    emit(w, BPF_JMP | BPF_JSET | BPF_K, needed ? 2 : 1, 0, bad);
    if (needed)
        emit(w, BPF_JMP | BPF_JSET | BPF_K, 0, 1, needed);
    give(w, SECCOMP_RET_ALLOW);
    ask(w);
    end(w, begun);
}

/* Opening to look is free; opening to write or make changes files, and a plain O_RDONLY may be a
 * fifo that waits, or bash with its script. Libraries, folders and such are opened with one of the
 * flags below. */
static void allow_opens(struct writer *w)
{
    uint32_t bad = O_WRONLY | O_RDWR | O_CREAT | O_TRUNC | (O_TMPFILE & ~O_DIRECTORY);
    uint32_t needed = O_CLOEXEC | O_DIRECTORY | O_NONBLOCK | O_PATH;
    allow_bits(w, SYS_openat, 2, bad, needed);
#ifdef __x86_64__
    allow_bits(w, SYS_open, 1, bad, needed);
#endif
}

static void allow_all(struct writer *w, const int *numbers, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        emit(w, BPF_JMP | BPF_JEQ | BPF_K, 0, 1, (uint32_t)numbers[i]);
        give(w, SECCOMP_RET_ALLOW);
    }
}

/* One byte at a time is how shells read from pipes, their stdin. There is only one way for such a
 * read to end, so it may wait unseen (supervisor: a loose task). */
static void allow_bytes(struct writer *w)
{
    int begun = begin(w, SYS_read);
    load_argument(w, 2);
    emit(w, BPF_JMP | BPF_JEQ | BPF_K, 0, 3, 1);
    load_argument(w, 0);
    emit(w, BPF_JMP | BPF_JEQ | BPF_K, 0, 1, 0);
    give(w, SECCOMP_RET_ALLOW);
    ask(w);
    end(w, begun);
}

static void allow_by_argument(struct writer *w, bool paths)
{
    static const uint32_t wakes[] = {FUTEX_WAKE, FUTEX_WAKE | FUTEX_PRIVATE_FLAG};
    static const uint32_t unix_only[] = {1 /* AF_UNIX */};
    static const uint32_t query[] = {UINT32_MAX};
    if (!paths) {
        allow_opens(w);
        forbid_value(w, SYS_prlimit64, 1, RLIMIT_CORE);
        allow_bits(w, SYS_statx, 3, STATX_CTIME | STATX_BTIME, 0);
    }
    allow_values(w, SYS_ioctl, 1, allowed_ioctls, sizeof allowed_ioctls / sizeof *allowed_ioctls);
    allow_values(w, SYS_fcntl, 1, allowed_fcntls, sizeof allowed_fcntls / sizeof *allowed_fcntls);
    allow_values(w, SYS_prctl, 0, allowed_prctls, sizeof allowed_prctls / sizeof *allowed_prctls);
    allow_values(w, SYS_futex, 1, wakes, 2);
    if (!paths)
        allow_values(w, SYS_socketpair, 0, unix_only, 1);
    allow_values(w, SYS_personality, 0, query, 1);
    forbid_value(w, SYS_setrlimit, 0, RLIMIT_CORE);
    /* New namespaces, and children that the supervisor would not see. clone3 hides its flags:
     * refused. */
    allow_bits(w, SYS_clone, 0,
               CLONE_NEWNS | CLONE_NEWCGROUP | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWUSER |
                   CLONE_NEWPID | CLONE_NEWNET | CLONE_UNTRACED | CLONE_PTRACE,
               0);
    allow_bytes(w);
    forbid_value(w, SYS_lseek, 0,
                 FILTER_SCRIPT_FD); /* bash on its script, which is not what it seems */
}

int filter_build(struct sock_filter program[FILTER_MAX], bool paths)
{
    struct writer writer = {program, 0}, *w = &writer;
    load(w, offsetof(struct seccomp_data, arch));
    emit(w, BPF_JMP | BPF_JEQ | BPF_K, 1, 0, AUDIT_ARCH_X86_64);
    give(w, SECCOMP_RET_TRACE | FILTER_FOREIGN);
    load(w, offsetof(struct seccomp_data, nr));
    emit(w, BPF_JMP | BPF_JSET | BPF_K, 0, 1, 0x40000000 /* x32 */);
    give(w, SECCOMP_RET_TRACE | FILTER_FOREIGN);
    allow_by_argument(w, paths);
    allow_all(w, allowed, sizeof allowed / sizeof *allowed);
    if (!paths)
        allow_all(w, allowed_names, sizeof allowed_names / sizeof *allowed_names);
    ask(w);
    return w->n;
}

int filter_build_strict(struct sock_filter program[FILTER_STRICT_MAX])
{
    static const int asks[] = {
        SYS_read,  SYS_pread64, SYS_preadv,  SYS_fstat,      SYS_newfstatat,
        SYS_statx, SYS_statfs,  SYS_fstatfs, SYS_readlinkat, SYS_sched_getaffinity,
#ifdef __x86_64__
        SYS_stat,  SYS_lstat,   SYS_readlink
#endif
    };
    struct writer writer = {program, 0}, *w = &writer;
    load(w, offsetof(struct seccomp_data, arch));
    emit(w, BPF_JMP | BPF_JEQ | BPF_K, 1, 0, AUDIT_ARCH_X86_64);
    give(w, SECCOMP_RET_ALLOW); /* the first filter's affair */
    load(w, offsetof(struct seccomp_data, nr));
    for (size_t i = 0; i < sizeof asks / sizeof *asks; i++) {
        emit(w, BPF_JMP | BPF_JEQ | BPF_K, 0, 1, (uint32_t)asks[i]);
        ask(w);
    }
    give(w, SECCOMP_RET_ALLOW);
    return w->n;
}

int filter_install(struct sock_filter *program, int length)
{
    struct sock_fprog argument = {(unsigned short)length, program};
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
        return -errno;
    return prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &argument, 0, 0) ? -errno : 0;
}
