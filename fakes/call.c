#include "fakes/call.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "fakes/env.h"

void call_write(struct call *call, int fd, const void *at, size_t len)
{
    const char *p = at;
    while (len > 0) {
        ssize_t n = call->ops->write(call, fd, p, len);
        if (n <= 0)
            return; /* a closed or full descriptor: real tools give up on the text, too */
        p += n;
        len -= (size_t)n;
    }
}

__attribute__((format(printf, 3, 0))) static void write_formatted(struct call *call, int fd,
                                                                  const char *format, va_list args)
{
    const char *text = arena_vprintf(call->arena, format, args);
    call_write(call, fd, text, strlen(text));
}

void call_out(struct call *call, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    write_formatted(call, 1, format, args);
    va_end(args);
}

void call_err(struct call *call, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    write_formatted(call, 2, format, args);
    va_end(args);
}

ssize_t call_read(struct call *call, int fd, void *at, size_t len)
{
    return call->ops->read(call, fd, at, len);
}

int call_read_all(struct call *call, int fd, struct buf *buf)
{
    char *block = arena_alloc(call->arena, 32768);
    ssize_t n;
    while ((n = call_read(call, fd, block, 32768)) > 0 && !buf->truncated)
        buf_add(buf, block, (size_t)n);
    return n < 0 ? (int)n : 0;
}

bool call_isatty(struct call *call, int fd)
{
    return call->ops->isatty(call, fd);
}

int call_load(struct call *call, const char *path, struct buf *buf)
{
    int fd = call->ops->open(call, path, O_RDONLY | O_CLOEXEC, 0);
    if (fd < 0)
        return fd;
    int code = call_read_all(call, fd, buf);
    call->ops->close(call, fd);
    return code;
}

static int save(struct call *call, const char *path, const char *at, size_t len, int flags,
                int mode)
{
    int fd = call->ops->open(call, path, O_WRONLY | O_CREAT | O_CLOEXEC | flags, mode);
    if (fd < 0)
        return fd;
    int code = 0;
    while (len > 0 && code == 0) {
        ssize_t n = call->ops->write(call, fd, at, len);
        if (n <= 0) {
            code = n < 0 ? (int)n : -EIO;
        } else {
            at += n;
            len -= (size_t)n;
        }
    }
    call->ops->close(call, fd);
    return code;
}

int call_save(struct call *call, const char *path, const void *at, size_t len, int mode)
{
    return save(call, path, at, len, O_TRUNC, mode);
}

int call_append(struct call *call, const char *path, const void *at, size_t len, int mode)
{
    return save(call, path, at, len, O_APPEND, mode);
}

int call_exists(struct call *call, const char *path)
{
    int mode = 0;
    int64_t size = 0;
    int code = call->ops->stat(call, path, &mode, &size);
    if (code == -ENOENT || code == -ENOTDIR)
        return 0;
    if (code < 0)
        return code;
    return (mode & 0170000) == 0040000 ? 2 : 1;
}

int call_unlink(struct call *call, const char *path)
{
    return call->ops->unlink(call, path);
}

int call_mkdir(struct call *call, const char *path, int mode)
{
    return call->ops->mkdir(call, path, mode);
}

static int by_bytes(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

int call_list(struct call *call, const char *path, char ***ret)
{
    struct buf names;
    buf_init(&names, 4 << 20);
    int code = call->ops->list(call, path, &names);
    if (code == 0) {
        int n = 0;
        for (size_t i = 0; i < names.len; i += strlen(names.at + i) + 1)
            n++;
        char **list = ARENA_ARRAY(call->arena, char *, n + 1);
        int k = 0;
        for (size_t i = 0; i < names.len; i += strlen(names.at + i) + 1) {
            const char *name = names.at + i;
            if (strcmp(name, ".") != 0 && strcmp(name, "..") != 0)
                list[k++] = arena_strdup(call->arena, name);
        }
        qsort(list, (size_t)k, sizeof *list, by_bytes);
        *ret = list;
    }
    buf_release(&names);
    return code;
}

int64_t call_now(struct call *call)
{
    return world_now(call->env->world);
}

int64_t call_unix_ns(struct call *call)
{
    return env_unix_ns(call->env);
}

bool call_sleep(struct call *call, int64_t ns)
{
    return ns > 0 && call->ops->sleep(call, ns);
}

void call_wake(struct call *call, int64_t at_ns)
{
    call->ops->wake(call, at_ns);
}

int call_run(struct call *call, char *const argv[])
{
    return call->ops->spawn(call, NULL, argv, NULL, NULL, NULL);
}

int call_capture(struct call *call, char *const argv[], struct buf *out)
{
    return call->ops->spawn(call, NULL, argv, NULL, NULL, out);
}

int call_exec(struct call *call, char *const argv[])
{
    return call->ops->exec(call, argv);
}

int call_run_in(struct call *call, const char *place, char *const argv[], char *const envp[],
                const char *cwd)
{
    return call->ops->spawn(call, place, argv, envp, cwd, NULL);
}

void call_defer(struct call *call, void (*undo)(void *), void *ctx)
{
    call->ops->defer(call, undo, ctx);
}

const char *call_getenv(struct call *call, const char *name)
{
    size_t n = strlen(name);
    for (char **e = call->envp; e && *e; e++) {
        if (strncmp(*e, name, n) == 0 && (*e)[n] == '=')
            return *e + n + 1;
    }
    return NULL;
}
