#include "reports/lines.h"

#include <string.h>

void lines_add(struct lines *lines, const char *format, ...)
{
    if (lines->n == lines->cap) {
        const char **old = lines->at;
        lines->cap = lines->cap ? 2 * lines->cap : 8;
        lines->at = ARENA_ARRAY(lines->arena, const char *, lines->cap);
        if (lines->n)
            memcpy(lines->at, old, (size_t)lines->n * sizeof *old);
    }
    va_list args;
    va_start(args, format);
    lines->at[lines->n++] = arena_vprintf(lines->arena, format, args);
    va_end(args);
}
