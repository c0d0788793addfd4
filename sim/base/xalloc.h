/* xalloc: allocation that cannot fail. Out of memory ends the process with exit 70 and a line on
 * stderr, so that no caller has an out-of-memory branch. Memory from xcalloc is zeroed. */
#ifndef REHEARSE_BASE_XALLOC_H
#define REHEARSE_BASE_XALLOC_H

#include <stddef.h>

void *xmalloc(size_t size);
void *xcalloc(size_t n, size_t size);
void *xrealloc(void *old, size_t size);
char *xstrdup(const char *z);

/* Makes room for one more element in a doubling array: XGROW(list.at, list.n, list.cap). */
#define XGROW(at, n, cap)                                                                          \
    do {                                                                                           \
        if ((n) >= (cap)) {                                                                        \
            (cap) = (cap) ? (cap)*2 : 8;                                                           \
            (at) = xrealloc((at), (size_t)(cap) * sizeof *(at));                                   \
        }                                                                                          \
    } while (0)

#endif
