#include "sim/engine/branch.h"

#include <assert.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "sim/base/xalloc.h"

struct child {
    pid_t pid;
    int fd; /* its result comes out here */
};

static bool write_all(int fd, const char *at, size_t size)
{
    while (size > 0) {
        ssize_t n = write(fd, at, size);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return false;
        at += n;
        size -= (size_t)n;
    }
    return true;
}

static bool read_all(int fd, char *at, size_t size)
{
    while (size > 0) {
        ssize_t n = read(fd, at, size);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return false;
        at += n;
        size -= (size_t)n;
    }
    return true;
}

static struct child begin(int i, branch_fn *future, void *ctx, size_t size)
{
    int fds[2];
    struct child child = {-1, -1};
    if (pipe(fds))
        return child;
    fflush(NULL); /* or what is in the buffers would be written twice */
    child.pid = fork();
    if (child.pid == 0) {
        void *result = xcalloc(1, size);
        close(fds[0]);
        future(i, ctx, result);
        _exit(write_all(fds[1], result, size) ? 0 : 1);
    }
    close(fds[1]);
    if (child.pid < 0)
        close(fds[0]);
    else
        child.fd = fds[0];
    return child;
}

static bool finish(struct child *child, char *result, size_t size)
{
    if (child->pid < 0)
        return false;
    bool whole = read_all(child->fd, result, size);
    int status = 0;
    close(child->fd);
    while (waitpid(child->pid, &status, 0) < 0 && errno == EINTR)
        ;
    if (!whole)
        memset(result, 0, size);
    return whole;
}

int branch(int n, int at_once, branch_fn *future, void *ctx, void *results, size_t size)
{
    assert(size > 0 &&
           size <= BRANCH_RESULT_MAX); /* less than a pipe holds: nobody waits for the reader */
    if (at_once < 1)
        at_once = 1;
    struct child *children = xcalloc((size_t)at_once, sizeof *children);
    int begun = 0, finished = 0, good = 0;
    while (finished < n) {
        while (begun < n && begun - finished < at_once) {
            children[begun % at_once] = begin(begun, future, ctx, size);
            begun++;
        }
        good +=
            finish(&children[finished % at_once], (char *)results + (size_t)finished * size, size);
        finished++;
    }
    free(children);
    return good;
}
