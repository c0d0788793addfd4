/* Calls that move bytes between tasks. A task that would have to wait for bytes, or for room, waits
 * in poll() first and makes its call when it has the turn: what it gets does not depend on when the
 * kernel woke it. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/uio.h>
#include <unistd.h>

#include "procedures/supervisor/core.h"

static void wait_ready(struct task *t, short events)
{
    struct pollfd wanted = {.fd = (int)t->arguments[0], .events = events};
    t->scratch_at = arch_scratch(&t->registers, sizeof wanted);
    t->detour = DETOUR_READY;
    if (!task_read(t, t->scratch_at, t->scratch_before, sizeof wanted))
        memset(t->scratch_before, 0, sizeof wanted); /* not grown so far yet */
    if (!task_write_scratch(t, t->scratch_at, &wanted, sizeof wanted)) {
        t->detour = DETOUR_NONE; /* no stack below: then it waits in the call itself */
        task_resume(t, true);
        return;
    }
    arch_set_number(&t->registers, SYS_poll);
    arch_set_argument(&t->registers, 0, t->scratch_at);
    arch_set_argument(&t->registers, 1, 1);
    arch_set_argument(&t->registers, 2, (uint64_t)-1);
    (void)arch_set(t->pid, &t->registers);
    task_resume(t, true);
}

static bool ready(int fd, short events)
{
    struct pollfd asked = {.fd = fd, .events = events};
    return poll(&asked, 1, 0) != 0; /* errors and hang-ups count: the call will say */
}

static bool never_waits(struct task *t, int fd)
{
    uint64_t flags = 0;
    if (t->number == SYS_recvfrom || t->number == SYS_sendto)
        flags = t->arguments[3];
    else if (t->number == SYS_recvmsg || t->number == SYS_sendmsg)
        flags = t->arguments[2];
    return (flags & MSG_DONTWAIT) || (fcntl(fd, F_GETFL) & O_NONBLOCK);
}

/* /dev/random and /dev/urandom: the sandbox's own chance. */
static bool is_chance(const struct stat *st)
{
    return S_ISCHR(st->st_mode) && major(st->st_rdev) == 1 &&
           (minor(st->st_rdev) == 8 || minor(st->st_rdev) == 9);
}

static bool has_vector(long number)
{
    return number == SYS_readv || number == SYS_preadv || number == SYS_preadv2;
}

static bool has_position(long number)
{
    return number == SYS_pread64 || number == SYS_preadv || number == SYS_preadv2;
}

/* The buffer of a read; of a vector, the first that has room: a read may be short. */
static struct iovec first_buffer(const struct task *t)
{
    struct iovec buffer = {(void *)(uintptr_t)t->arguments[1], (size_t)t->arguments[2]};
    for (uint64_t i = 0, at = t->arguments[1]; has_vector(t->number); i++, at += sizeof buffer) {
        bool more = i < t->arguments[2] && task_read(t, at, &buffer, sizeof buffer);
        if (!more)
            return (struct iovec){NULL, 0};
        if (buffer.iov_len > 0)
            break;
    }
    return buffer;
}

static void give_chance(struct supervisor *s, struct task *t)
{
    unsigned char bytes[4096];
    struct iovec to = first_buffer(t);
    size_t len = to.iov_len > 1 << 20 ? 1 << 20 : to.iov_len;
    for (size_t done = 0; done < len; done += sizeof bytes) {
        size_t piece = len - done < sizeof bytes ? len - done : sizeof bytes;
        random_fill(s, bytes, piece);
        if (!task_write(t, (uint64_t)(uintptr_t)to.iov_base + done, bytes, piece)) {
            call_finish(t, -EFAULT);
            return;
        }
    }
    call_finish(t, (long)len);
}

/* Reads of what is told here and not by the kernel. True: answered. */
static bool input_told(struct supervisor *s, struct task *t, int fd, const struct stat *st)
{
    bool vector = has_vector(t->number), position = has_position(t->number);
    if (!vector && !position && t->number != SYS_read)
        return false;
    if (is_chance(st))
        give_chance(s, t);
    else if (!S_ISREG(st->st_mode) || st->st_dev != s->proc_device)
        return false;
    else
        return procfs_read(s, t, fd, first_buffer(t), position ? (int64_t)t->arguments[3] : -1);
    return true;
}

/* Bytes that go from file to file without coming by here: the caller copies them itself, then. */
static bool told_source(struct supervisor *s, struct task *t, int number)
{
    struct stat st;
    int fd = task_descriptor(t, number);
    bool told = fd >= 0 && fstat(fd, &st) == 0 &&
                (is_chance(&st) || (S_ISREG(st.st_mode) && st.st_dev == s->proc_device));
    if (fd >= 0)
        close(fd);
    return told;
}

static void input(struct supervisor *s, struct task *t)
{
    struct stat st;
    int fd = task_descriptor(t, (int)t->arguments[0]);
    if (fd < 0) {
        task_resume(t, false); /* the call will say what is wrong */
        return;
    }
    bool known = fstat(fd, &st) == 0;
    if (known && input_told(s, t, fd, &st))
        ; /* answered */
    else if ((known && S_ISREG(st.st_mode)) || has_position(t->number) || ready(fd, POLLIN) ||
             never_waits(t, fd))
        task_resume(t, false);
    else
        wait_ready(t, POLLIN);
    close(fd);
}

static void output(struct supervisor *s, struct task *t)
{
    struct stat st;
    if (t->arguments[0] == 2 && t->number == SYS_write)
        observe_written(s, t, t->arguments[1], (size_t)t->arguments[2]);
    int fd = task_descriptor(t, (int)t->arguments[0]);
    if (fd < 0) {
        task_resume(t, false);
        return;
    }
    bool regular = fstat(fd, &st) == 0 && S_ISREG(st.st_mode);
    if (regular) {
        t->detour = DETOUR_STAMP;
        task_resume(t, true);
    } else {
        schedule_drain(s); /* what was written before, to either of the two, comes before this */
        s->drained = false;
        if (ready(fd, POLLOUT) || never_waits(t, fd))
            task_resume(t, false);
        else
            wait_ready(t, POLLOUT);
    }
    close(fd);
}

bool transfer_call(struct supervisor *s, struct task *t)
{
    switch (t->number) {
    case SYS_read:
    case SYS_readv:
    case SYS_pread64:
    case SYS_preadv:
    case SYS_preadv2:
    case SYS_recvfrom:
    case SYS_recvmsg:
    case SYS_recvmmsg:
    case SYS_accept:
    case SYS_accept4:
        input(s, t);
        return true;
    case SYS_write:
    case SYS_writev:
        output(s, t);
        return true;
    case SYS_sendmsg:
    case SYS_sendmmsg:
        if (!refuse_message(s, t))
            output(s, t);
        return true;
    case SYS_copy_file_range:
    case SYS_sendfile:
    case SYS_splice:
        if (told_source(s, t, (int)t->arguments[t->number == SYS_sendfile ? 1 : 0])) {
            call_finish(t, -EINVAL);
            return true;
        }
        t->detour = DETOUR_STAMP;
        task_resume(t, true);
        return true;
    default:
        return false;
    }
}
