/* arena: memory that is given back all at once.
 *
 * One arena a phase (drill, run, step). Nothing in a longer-lived arena points into a shorter one.
 * A zeroed struct arena is an empty arena, ready for use. All memory is zeroed. Never fails
 * (xalloc).
 */
#ifndef REHEARSE_BASE_ARENA_H
#define REHEARSE_BASE_ARENA_H

#include <stdarg.h>
#include <stddef.h>

#include "sim/base/str.h"

struct arena_chunk;

struct arena {
    struct arena_chunk *chunks;
};

void arena_release(struct arena *);
void *arena_alloc(struct arena *, size_t size); /* zeroed, aligned for any type */
#define ARENA_NEW(arena, type)      ((type *)arena_alloc((arena), sizeof(type)))
#define ARENA_ARRAY(arena, type, n) ((type *)arena_alloc((arena), sizeof(type) * (size_t)(n)))
char *arena_strdup(struct arena *, const char *z);
char *arena_str(struct arena *, struct str s); /* as a NUL-terminated copy */
char *arena_printf(struct arena *, const char *format, ...) __attribute__((format(printf, 2, 3)));
char *arena_vprintf(struct arena *, const char *format, va_list)
    __attribute__((format(printf, 2, 0)));

#endif
