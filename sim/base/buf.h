/* buf: a growing byte buffer with a hard maximum.
 *
 * Always NUL-terminated once anything was added. What does not fit under `max` is cut and
 * `truncated` is set: a buffer never grows without bound and never fails.
 */
#ifndef REHEARSE_BASE_BUF_H
#define REHEARSE_BASE_BUF_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>

#include "sim/base/str.h"

struct buf {
    char *at;
    size_t len, cap, max;
    bool truncated;
};

void buf_init(struct buf *, size_t max); /* max > 0, in bytes */
void buf_release(struct buf *);
void buf_clear(struct buf *); /* empty again, memory kept */
void buf_add(struct buf *, const void *at, size_t len);
void buf_puts(struct buf *, const char *z);
void buf_putc(struct buf *, char c);
void buf_str(struct buf *, struct str s);
void buf_printf(struct buf *, const char *format, ...) __attribute__((format(printf, 2, 3)));
void buf_vprintf(struct buf *, const char *format, va_list) __attribute__((format(printf, 2, 0)));
struct str buf_text(const struct buf *);
/* All of a file of the host (not of the sandbox); negative errno on failure. Cuts at max. */
int buf_read_file(struct buf *, const char *path);

#endif
