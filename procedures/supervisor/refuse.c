/* Calls that reach for something outside the sandbox. The namespaces and the lack of rights hold
 * them already; here they are refused before they are tried, and told in the run as evidence. A
 * call that nobody knows is refused too. */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <linux/netlink.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>

#include "procedures/supervisor/core.h"

static void refuse(struct supervisor *s, struct task *t, const char *what, int code)
{
    observe_refusal(s, t, what);
    call_finish(t, code);
}

static void pass(struct task *t)
{
    task_resume(t, false);
}

static void new_socket(struct supervisor *s, struct task *t)
{
    char what[64];
    int family = (int)t->arguments[0], type = (int)t->arguments[1] & 0xf;
    bool inside = family == AF_UNIX || (family == AF_NETLINK && t->arguments[2] == NETLINK_ROUTE);
    if (family == AF_INET || family == AF_INET6)
        inside = type == SOCK_STREAM || type == SOCK_DGRAM;
    if (inside) {
        pass(t);
        return;
    }
    if (family == AF_NETLINK) {
        snprintf(what, sizeof what, "a netlink socket (protocol %d)", (int)t->arguments[2]);
        refuse(s, t, what, -EPROTONOSUPPORT);
    } else if (family == AF_INET || family == AF_INET6) {
        refuse(s, t, "a raw socket", -EPERM);
    } else {
        snprintf(what, sizeof what, "a socket of family %d", family);
        refuse(s, t, what, -EAFNOSUPPORT);
    }
}

/* Where a socket address leads: false if it stays inside (loopback, a file of the sandbox, an
 * abstract name). */
static bool leads_out(const struct sockaddr_storage *address, char *text, size_t size)
{
    char host[INET6_ADDRSTRLEN] = "?";
    if (address->ss_family == AF_INET) {
        const struct sockaddr_in *in = (const struct sockaddr_in *)address;
        if (ntohl(in->sin_addr.s_addr) >> 24 == 127 || in->sin_addr.s_addr == 0)
            return false;
        (void)inet_ntop(AF_INET, &in->sin_addr, host, sizeof host);
        snprintf(text, size, "a connection to %s:%d", host, ntohs(in->sin_port));
        return true;
    }
    if (address->ss_family == AF_INET6) {
        const struct sockaddr_in6 *in6 = (const struct sockaddr_in6 *)address;
        if (IN6_IS_ADDR_LOOPBACK(&in6->sin6_addr) || IN6_IS_ADDR_UNSPECIFIED(&in6->sin6_addr))
            return false;
        if (IN6_IS_ADDR_V4MAPPED(&in6->sin6_addr) &&
            (in6->sin6_addr.s6_addr[12] == 127 || in6->sin6_addr.s6_addr32[3] == 0))
            return false;
        (void)inet_ntop(AF_INET6, &in6->sin6_addr, host, sizeof host);
        snprintf(text, size, "a connection to [%s]:%d", host, ntohs(in6->sin6_port));
        return true;
    }
    return false;
}

static void reach(struct supervisor *s, struct task *t, uint64_t at, uint64_t len)
{
    struct sockaddr_storage address;
    char what[96];
    memset(&address, 0, sizeof address);
    if (at && len >= 2 && len <= sizeof address && task_read(t, at, &address, (size_t)len) &&
        leads_out(&address, what, sizeof what))
        refuse(s, t, what, -ENETUNREACH);
    else {
        ports_assign(s, t);
        task_resume(t, true); /* may wait for a backlog, or (a datagram) for room */
    }
}

bool refuse_message(struct supervisor *s, struct task *t)
{
    struct mmsghdr message;
    struct sockaddr_storage address;
    char what[96];
    bool many = t->number == SYS_sendmmsg;
    uint64_t n = many ? t->arguments[2] : 1;
    size_t size = many ? sizeof message : sizeof message.msg_hdr;
    for (uint64_t i = 0; i < n && i < 1024 /* UIO_MAXIOV */; i++) {
        if (!task_read(t, t->arguments[1] + i * size, &message, size))
            return false;
        uint64_t at = (uint64_t)(uintptr_t)message.msg_hdr.msg_name,
                 len = message.msg_hdr.msg_namelen;
        memset(&address, 0, sizeof address);
        if (at && len >= 2 && len <= sizeof address && task_read(t, at, &address, (size_t)len) &&
            leads_out(&address, what, sizeof what)) {
            refuse(s, t, what, -ENETUNREACH);
            return true;
        }
    }
    ports_assign(s, t);
    return false;
}

static void control_device(struct supervisor *s, struct task *t)
{
    char what[48];
    switch ((unsigned)t->arguments[1]) {
    case TIOCSTI:
        refuse(s, t, "typing into a terminal (TIOCSTI)", -EPERM);
        return;
    case 0x541c: /* TIOCLINUX */
    case TIOCCONS:
    case TIOCSETD:
        snprintf(what, sizeof what, "a terminal's control (ioctl 0x%x)", (unsigned)t->arguments[1]);
        refuse(s, t, what, -EPERM);
        return;
    case FICLONE:
    case FICLONERANGE:
        call_finish(t, -EOPNOTSUPP);
        return;
    case TIOCSPTLCK: /* the first thing that is done to a new one */
        s->terminals = true;
        pass(t);
        return;
    case 0x802c542a:
    case 0x402c542b:
    case 0x402c542c:
    case 0x402c542d: /* TCGETS2, TCSETS2 and its kin */
    case TIOCGPTPEER:
    case TIOCPKT:
    case TIOCSIG:
    case TIOCGETD:
    case TCSETS:
    case TCSETSW:
    case TCSETSF:
    case TCFLSH:
    case TCXONC:
    case TCSBRK:
    case TCSBRKP:
    case TIOCSPGRP:
    case TIOCSWINSZ:
    case TIOCGSID:
    case TIOCSCTTY:
    case TIOCNOTTY:
    case TIOCGPTN:
    case TIOCOUTQ:
    case TIOCEXCL:
    case TIOCNXCL:
    case FIOASYNC:
    case FS_IOC_GETFLAGS:
        pass(t);
        return;
    default:
        call_finish(t, -ENOTTY); /* devices there are none; what it asks is not for us */
    }
}

static void control_process(struct supervisor *s, struct task *t)
{
    switch (t->arguments[0]) {
    case PR_SET_SECCOMP:
        refuse(s, t, "a system call filter of its own (prctl)", -EINVAL);
        return;
    case PR_SET_PTRACER:
        call_finish(t, 0); /* nobody may trace anyway */
        return;
    case PR_CAP_AMBIENT:
    case PR_CAPBSET_DROP:
    case PR_SET_KEEPCAPS:
    case PR_SET_SECUREBITS:
    case PR_SET_CHILD_SUBREAPER:
    case PR_GET_CHILD_SUBREAPER:
    case PR_SET_THP_DISABLE:
        pass(t);
        return;
    default:
        call_finish(t, -EINVAL);
    }
}

struct refusal {
    long number;
    const char *what; /* NULL: its name */
    int code;
};

static const struct refusal refusals[] = {
    {SYS_ptrace, "tracing another process (ptrace)", -EPERM},
    {SYS_process_vm_readv, "reading another process's memory", -EPERM},
    {SYS_process_vm_writev, "writing another process's memory", -EPERM},
    {SYS_pidfd_getfd, "taking another process's descriptor", -EPERM},
    {SYS_kcmp, NULL, -EPERM},
    {SYS_process_madvise, NULL, -EPERM},
    {SYS_mount, "mounting", -EPERM},
    {SYS_umount2, "unmounting", -EPERM},
    {SYS_pivot_root, "another root (pivot_root)", -EPERM},
    {SYS_chroot, "another root (chroot)", -EPERM},
    {SYS_open_tree, "mounting (open_tree)", -EPERM},
    {SYS_move_mount, "mounting (move_mount)", -EPERM},
    {SYS_fsopen, "mounting (fsopen)", -EPERM},
    {SYS_fsconfig, "mounting (fsconfig)", -EPERM},
    {SYS_fsmount, "mounting (fsmount)", -EPERM},
    {SYS_fspick, "mounting (fspick)", -EPERM},
    {SYS_mount_setattr, "mounting (mount_setattr)", -EPERM},
    {SYS_unshare, "namespaces of its own (unshare)", -EPERM},
    {SYS_setns, "another namespace (setns)", -EPERM},
    {SYS_clone, "namespaces of its own (clone)", -EPERM},
    {SYS_keyctl, "the kernel's keyring (keyctl)", -EPERM},
    {SYS_add_key, "the kernel's keyring (add_key)", -EPERM},
    {SYS_request_key, "the kernel's keyring (request_key)", -EPERM},
    {SYS_bpf, "loading a program into the kernel (bpf)", -EPERM},
    {SYS_perf_event_open, "measuring the machine (perf_event_open)", -EPERM},
    {SYS_shmget, "the host's shared memory (shmget)", -EPERM},
    {SYS_shmat, "the host's shared memory (shmat)", -EPERM},
    {SYS_shmctl, "the host's shared memory (shmctl)", -EPERM},
    {SYS_shmdt, "the host's shared memory (shmdt)", -EPERM},
    {SYS_semget, "the host's semaphores (semget)", -EPERM},
    {SYS_semctl, "the host's semaphores (semctl)", -EPERM},
    {SYS_msgget, "the host's message queues (msgget)", -EPERM},
    {SYS_msgctl, "the host's message queues (msgctl)", -EPERM},
    {SYS_userfaultfd, "handling memory faults (userfaultfd)", -EPERM},
    {SYS_io_uring_setup, "an input-output ring (io_uring_setup)", -ENOSYS},
    {SYS_io_uring_enter, "an input-output ring (io_uring_enter)", -ENOSYS},
    {SYS_io_uring_register, "an input-output ring (io_uring_register)", -ENOSYS},
    {SYS_kexec_load, "another kernel (kexec_load)", -EPERM},
    {SYS_kexec_file_load, "another kernel (kexec_file_load)", -EPERM},
    {SYS_init_module, "a kernel module (init_module)", -EPERM},
    {SYS_finit_module, "a kernel module (finit_module)", -EPERM},
    {SYS_delete_module, "a kernel module (delete_module)", -EPERM},
    {SYS_reboot, "restarting the machine (reboot)", -EPERM},
    {SYS_swapon, "swap space (swapon)", -EPERM},
    {SYS_swapoff, "swap space (swapoff)", -EPERM},
    {SYS_settimeofday, "setting the clock (settimeofday)", -EPERM},
    {SYS_clock_settime, "setting the clock (clock_settime)", -EPERM},
    {SYS_adjtimex, "setting the clock (adjtimex)", -EPERM},
    {SYS_clock_adjtime, "setting the clock (clock_adjtime)", -EPERM},
    {SYS_sethostname, "another host name (sethostname)", -EPERM},
    {SYS_setdomainname, "another domain name (setdomainname)", -EPERM},
    {SYS_acct, "process accounting (acct)", -EPERM},
    {SYS_quotactl, "disk quotas (quotactl)", -EPERM},
    {SYS_syslog, "the kernel's log (syslog)", -EPERM},
    {SYS_iopl, "the machine's ports (iopl)", -EPERM},
    {SYS_ioperm, "the machine's ports (ioperm)", -EPERM},
    {SYS_seccomp, "a system call filter of its own (seccomp)", -EPERM},
    {SYS_open_by_handle_at, "a file by its handle (open_by_handle_at)", -EPERM},
    {SYS_name_to_handle_at, NULL, -EPERM},
    {SYS_fanotify_init, "watching the machine's files (fanotify)", -EPERM},
    {SYS_vhangup, NULL, -EPERM},
    {SYS_modify_ldt, NULL, -EPERM},
    {SYS_personality, "another kernel personality (personality)", -EPERM},
    {SYS_lookup_dcookie, NULL, -EPERM},
};

/* Asked for in passing by ordinary programs, which take "no" for an answer: not worth telling. */
static bool plain_no(long number)
{
    switch (number) {
    case SYS_clone3: /* hides its flags in memory; C libraries then use clone */
    case SYS_openat2:
    case SYS_landlock_create_ruleset:
    case SYS_landlock_add_rule:
    case SYS_landlock_restrict_self:
    case SYS_mbind:
    case SYS_get_mempolicy:
    case SYS_set_mempolicy:
    case SYS_sched_getattr:
    case SYS_sched_setattr:
    case SYS_sched_rr_get_interval:
    case SYS_getcpu:
    case SYS_io_setup:
    case SYS_io_destroy:
    case SYS_io_getevents:
    case SYS_io_submit:
    case SYS_io_cancel:
    case SYS_uselib:
    case SYS_sysfs:
    case SYS_ustat:
    case SYS_remap_file_pages:
    case SYS_mq_open:
    case 451:
    case 452:
    case 453:
    case 454:
    case 455:
    case 456: /* cachestat fchmodat2 map_shadow_stack futex_wake ... */
    case 457:
    case 458:
    case 462:
    case 463:
    case 464:
    case 465:
    case 466: /* statmount listmount mseal setxattrat ... */
    case SYS_memfd_secret:
    case SYS_pkey_alloc:
    case SYS_pkey_free:
    case SYS_pkey_mprotect:
        return true;
    default:
        return false;
    }
}

static void mknod_call(struct supervisor *s, struct task *t)
{
    uint64_t mode = t->number == SYS_mknod ? t->arguments[1] : t->arguments[2];
    if ((mode & 0170000) == 0060000 || (mode & 0170000) == 0020000) {
        refuse(s, t, "a device node (mknod)", -EPERM);
    } else {
        t->detour = DETOUR_STAMP;
        task_resume(t, true);
    }
}

bool refuse_call(struct supervisor *s, struct task *t)
{
    static const struct rlimit no_core = {0, 0};
    char name[32], what[80];
    switch (t->number) {
    case SYS_socket:
        new_socket(s, t);
        return true;
    case SYS_socketpair:
        refuse(s, t, "a pair of sockets that are not local", -EOPNOTSUPP);
        return true;
    case SYS_connect:
        reach(s, t, t->arguments[1], t->arguments[2]);
        return true;
    case SYS_sendto:
        reach(s, t, t->arguments[4], t->arguments[5]);
        return true;
    case SYS_ioctl:
        control_device(s, t);
        return true;
    case SYS_prctl:
        control_process(s, t);
        return true;
    case SYS_mknod:
    case SYS_mknodat:
        mknod_call(s, t);
        return true;
    case SYS_setrlimit:
        call_finish(t, 0);
        return true;
    case SYS_prlimit64: /* of core dumps: there are none, whatever is asked for */
        if (t->arguments[1] != RLIMIT_CORE)
            pass(t);
        else
            call_finish(t,
                        !t->arguments[3] || task_write(t, t->arguments[3], &no_core, sizeof no_core)
                            ? 0
                            : -EFAULT);
        return true;
    case SYS_mlockall:
    case SYS_munlockall:
        call_finish(t, 0);
        return true;
    default:
        break;
    }
    for (size_t i = 0; i < sizeof refusals / sizeof *refusals; i++)
        if (refusals[i].number == t->number) {
            refuse(s, t, refusals[i].what ? refusals[i].what : arch_call_name(t->number, name),
                   refusals[i].code);
            return true;
        }
    if (plain_no(t->number)) {
        call_finish(t, -ENOSYS);
        return true;
    }
    snprintf(what, sizeof what, "a system call that is not known here (%s)",
             arch_call_name(t->number, name));
    refuse(s, t, what, -ENOSYS);
    return true;
}
