#include "sim/base/buf.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "sim/base/xalloc.h"

void buf_init(struct buf *buf, size_t max)
{
    assert(max > 0);
    *buf = (struct buf){.max = max};
}

void buf_release(struct buf *buf)
{
    if (!buf)
        return;
    free(buf->at);
    *buf = (struct buf){.max = buf->max};
}

void buf_clear(struct buf *buf)
{
    buf->len = 0;
    buf->truncated = false;
    if (buf->at)
        buf->at[0] = '\0';
}

static void reserve(struct buf *buf, size_t more)
{
    size_t need = buf->len + more + 1;
    if (need <= buf->cap)
        return;
    size_t cap = buf->cap ? buf->cap : 64;
    while (cap < need)
        cap *= 2;
    buf->at = xrealloc(buf->at, cap);
    buf->cap = cap;
}

void buf_add(struct buf *buf, const void *at, size_t len)
{
    assert(buf->max > 0);
    if (len > buf->max - buf->len) {
        len = buf->max - buf->len;
        buf->truncated = true;
    }
    reserve(buf, len);
    if (len)
        memcpy(buf->at + buf->len, at, len);
    buf->len += len;
    buf->at[buf->len] = '\0';
}

void buf_puts(struct buf *buf, const char *z)
{
    buf_add(buf, z, strlen(z));
}

void buf_putc(struct buf *buf, char c)
{
    buf_add(buf, &c, 1);
}

void buf_str(struct buf *buf, struct str s)
{
    buf_add(buf, s.at, s.len);
}

void buf_vprintf(struct buf *buf, const char *format, va_list args)
{
    char small[256];
    va_list again;
    va_copy(again, args);
    int n = vsnprintf(small, sizeof small, format, args);
    assert(n >= 0);
    if ((size_t)n < sizeof small) {
        buf_add(buf, small, (size_t)n);
    } else {
        char *large = xmalloc((size_t)n + 1);
        vsnprintf(large, (size_t)n + 1, format, again);
        buf_add(buf, large, (size_t)n);
        free(large);
    }
    va_end(again);
}

void buf_printf(struct buf *buf, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    buf_vprintf(buf, format, args);
    va_end(args);
}

struct str buf_text(const struct buf *buf)
{
    return (struct str){buf->at ? buf->at : "", buf->len};
}

int buf_read_file(struct buf *buf, const char *path)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return -errno;
    char block[16384];
    ssize_t n;
    while ((n = read(fd, block, sizeof block)) > 0 && !buf->truncated)
        buf_add(buf, block, (size_t)n);
    int code = n < 0 ? -errno : 0;
    close(fd);
    return code;
}
