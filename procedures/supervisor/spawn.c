/* Starting programs through a puppet: it vforks, and its child, which is a puppet too until it
 * execs, is prepared call by call. */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "procedures/sandbox/root.h"
#include "procedures/supervisor/puppet.h"

/* The buffer of a puppet that starts a program: a path to try, small things, and the words. */
#define PATH_AT    SHIM_BUFFER
#define SMALL_AT   (SHIM_BUFFER + 8192)
#define WORDS_AT   (SHIM_BUFFER + 16384)
#define WORDS_SIZE (SHIM_BUFFER_SIZE - 16384)

static long ask(struct invocation *inv, long number, uint64_t a, uint64_t b, uint64_t c)
{
    return puppet_request(inv, number, a, b, c, 0);
}

/* Lays out one NULL-terminated array of words behind *offset; its address in the puppet, 0 if there
 * is no room. */
static uint64_t lay_out(char *block, size_t size, size_t *offset, char *const *words)
{
    size_t n = 0;
    while (words && words[n])
        n++;
    size_t array = (*offset + 7) & ~(size_t)7, text = array + (n + 1) * 8;
    if (text > size)
        return 0;
    for (size_t i = 0; i < n; i++) {
        size_t len = strlen(words[i]) + 1;
        if (len > size - text)
            return 0;
        uint64_t at = WORDS_AT + text;
        memcpy(block + text, words[i], len);
        memcpy(block + array + i * 8, &at, 8);
        text += len;
    }
    memset(block + array + n * 8, 0, 8);
    *offset = text;
    return WORDS_AT + array;
}

struct words {
    uint64_t argv, envp;
};

static int put_words(struct invocation *inv, char *const argv[], char *const envp[],
                     struct words *ret)
{
    char *block = arena_alloc(inv->call.arena, WORDS_SIZE);
    size_t offset = 0;
    ret->argv = lay_out(block, WORDS_SIZE, &offset, argv);
    ret->envp = ret->argv ? lay_out(block, WORDS_SIZE, &offset, envp) : 0;
    if (!ret->envp)
        return -E2BIG;
    return task_write(inv->at, WORDS_AT, block, offset) ? 0 : -EFAULT;
}

static long try_path(struct invocation *inv, const char *path, const struct words *words)
{
    if (!task_write(inv->at, PATH_AT, path, strlen(path) + 1))
        return -EFAULT;
    return ask(inv, SYS_execve, PATH_AT, words->argv, words->envp);
}

static const char *path_of(char *const envp[])
{
    for (int i = 0; envp && envp[i]; i++)
        if (strncmp(envp[i], "PATH=", 5) == 0)
            return envp[i] + 5;
    return "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
}

/* execvp. Returns only in a puppet that is still one: negative errno; or, in its parent, what clone
 * returned. */
static long exec_search(struct invocation *inv, const char *name, char *const envp[],
                        const struct words *words, const struct task *self)
{
    char path[4096];
    if (strlen(name) >= 2048)
        return -ENAMETOOLONG;
    if (strchr(name, '/'))
        return try_path(inv, name, words);
    long result = -ENOENT, worst = -ENOENT;
    for (const char *rest = path_of(envp); *rest;
         rest += strcspn(rest, ":"), rest += *rest == ':') {
        int len = (int)strcspn(rest, ":");
        if (len > 2000)
            continue;
        snprintf(path, sizeof path, "%.*s%s%s", len, rest, len ? "/" : "", name);
        result = try_path(inv, path, words);
        if (inv->at != self)
            return result; /* it became another program, or died: this is its parent */
        if (result != -ENOENT && result != -ENOTDIR)
            worst = result;
    }
    return worst;
}

static const char *known_place(struct supervisor *s, const char *place)
{
    for (char **p = s->places; place && p && *p; p++)
        if (strcmp(*p, place) == 0)
            return *p;
    return NULL;
}

/* In the child: the root, folder and stdout that the program shall have. Negative errno. */
static long prepare_child(struct invocation *inv, const char *place, const char *cwd,
                          const int *capture_fd)
{
    char path[4096];
    struct task *child = inv->at;
    long failed = 0;
    if (place) {
        snprintf(path, sizeof path, ROOT_PLACES "/%s", place);
        if (!task_write(child, PATH_AT, path, strlen(path) + 1))
            return -EFAULT;
        if (inv->s->sandbox.tier != TIER_LANDLOCK) /* there its paths say where its root is */
            failed = ask(inv, SYS_chroot, PATH_AT, 0, 0);
        if (!failed)
            child->process->place = place;
    }
    if (!failed && (cwd || place)) {
        snprintf(path, sizeof path, "%s", cwd && *cwd ? cwd : "/");
        if (!task_write(child, PATH_AT, path, strlen(path) + 1))
            return -EFAULT;
        failed = ask(inv, SYS_chdir, PATH_AT, 0, 0);
    }
    if (!failed && capture_fd) {
        failed = ask(inv, SYS_dup3, (uint64_t)capture_fd[1], 1, 0);
        failed = failed < 0 ? failed : 0;
    }
    return failed;
}

static void collect_output(struct invocation *inv, const int *fds, struct buf *capture)
{
    char piece[32768];
    long n;
    (void)ask(inv, SYS_close, (uint64_t)fds[1], 0, 0);
    while ((n = ask(inv, SYS_read, (uint64_t)fds[0], SHIM_BUFFER, sizeof piece)) > 0)
        if (task_read(inv->at, SHIM_BUFFER, piece, (size_t)n))
            buf_add(capture, piece, (size_t)n);
    (void)ask(inv, SYS_close, (uint64_t)fds[0], 0, 0);
}

static int await(struct invocation *inv, long pid)
{
    int status = 0;
    long got;
    do
        got = puppet_request(inv, SYS_wait4, (uint64_t)pid, SMALL_AT, 0, 0);
    while (got == -EINTR);
    if (got < 0 || !task_read(inv->at, SMALL_AT, &status, sizeof status))
        return 127;
    return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

/* Makes the child and lets `inv->at` be it. Returns 0 in the child; else negative errno, in the
 * parent. */
static long split(struct invocation *inv)
{
    return ask(inv, SYS_clone, CLONE_VM | CLONE_VFORK | SIGCHLD, 0, 0);
}

int spawn_wait(struct invocation *inv, const char *place, char *const argv[], char *const envp[],
               const char *cwd, struct buf *capture)
{
    struct words words;
    struct supervisor *s = inv->s;
    const struct task *parent = inv->at;
    const char *to = place && *place ? known_place(s, place) : NULL;
    char *const *environment = envp ? envp : to ? (char *[]){NULL} : inv->call.envp;
    int fds[2] = {-1, -1};
    const char *here = inv->task->process->place;
    bool same = to && strcmp(to, here) == 0;
    if (!argv[0] || (place && *place && !to) ||
        (to && !same && *here)) /* from one place one reaches no other */
        return 127;
    int failed = put_words(inv, argv, environment, &words);
    if (!failed && capture) {
        failed = (int)ask(inv, SYS_pipe2, SMALL_AT, O_CLOEXEC, 0);
        if (!failed && !task_read(inv->at, SMALL_AT, fds, sizeof fds))
            failed = -EFAULT;
    }
    if (failed)
        return 126;
    long result = split(inv);
    if (inv->at != parent) {
        const struct task *child = inv->at;
        result = prepare_child(inv, same ? NULL : to, cwd, capture ? fds : NULL);
        if (result == 0)
            result = exec_search(inv, argv[0], environment, &words, child);
        while (inv->at == child) { /* no such program */
            bool missing = result == -ENOENT || result == -ENOTDIR;
            result = ask(inv, SYS_exit_group, missing ? 127 : 126, 0, 0);
        }
        result = inv->result;
    }
    if (capture)
        collect_output(inv, fds, capture);
    return result < 0 ? 126 : await(inv, result);
}

int spawn_become(struct invocation *inv, char *const argv[], char *const envp[])
{
    struct words words;
    if (!argv[0])
        return -EINVAL;
    int failed = put_words(inv, argv, envp, &words);
    return failed ? failed : (int)exec_search(inv, argv[0], envp, &words, inv->at);
}

void spawn_shell(struct invocation *inv)
{
    struct supervisor *s = inv->s;
    static const unsigned char default_action[32];
    struct words words;
    char *const argv[] = {(char[]){"bash"}, (char *)(uintptr_t)inv->script_name, NULL};
    const struct task *parent = inv->at;
    if (put_words(inv, argv, s->envp, &words))
        return;
    (void)split(inv);
    if (inv->at == parent)
        return;
    const struct task *child = inv->at;
    (void)ask(inv, SYS_setsid, 0, 0, 0);
    (void)task_write(inv->at, SMALL_AT, default_action, sizeof default_action);
    (void)puppet_request(inv, SYS_rt_sigaction, SIGCHLD, SMALL_AT, 0,
                         8); /* the first process ignores it */
    (void)prepare_child(inv, NULL, s->cwd, NULL);
    (void)try_path(inv, "/usr/bin/bash", &words);
    while (inv->at == child)
        (void)ask(inv, SYS_exit_group, 127, 0, 0);
}
