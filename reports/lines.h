/* lines: a growing list of lines of text in an arena. */
#ifndef REHEARSE_REPORTS_LINES_H
#define REHEARSE_REPORTS_LINES_H

#include "sim/base/arena.h"

struct lines {
    struct arena *arena;
    const char **at;
    int n, cap;
};

void lines_add(struct lines *, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
