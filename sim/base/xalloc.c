#include "sim/base/xalloc.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void *or_die(void *memory)
{
    if (!memory) {
        fputs("rehearse: out of memory\n", stderr);
        exit(70);
    }
    return memory;
}

void *xmalloc(size_t size)
{
    return or_die(malloc(size ? size : 1));
}

void *xcalloc(size_t n, size_t size)
{
    return or_die(calloc(n ? n : 1, size ? size : 1));
}

void *xrealloc(void *old, size_t size)
{
    return or_die(realloc(old, size ? size : 1));
}

char *xstrdup(const char *z)
{
    size_t n = strlen(z) + 1;
    return memcpy(xmalloc(n), z, n);
}
