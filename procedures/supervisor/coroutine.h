/* coroutine: a function with a stack of its own, that can wait in the middle.
 *
 * One thread only. Stacks are kept for the next one (coroutine_release_pool). A coroutine that was
 * never resumed to its end may be dropped at any time: nothing behind its last yield runs.
 */
#ifndef REHEARSE_PROCEDURES_COROUTINE_H
#define REHEARSE_PROCEDURES_COROUTINE_H

#include <stdbool.h>

struct coroutine;

struct coroutine *coroutine_new(struct coroutine **pool, void (*body)(void *), void *ctx);
/* Runs it until it yields or ends; false if it has ended. */
bool coroutine_resume(struct coroutine *);
/* Called in the coroutine: back to whoever resumed it. */
void coroutine_yield(struct coroutine *);
/* Gives its stack back to the pool. NULL is fine. */
void coroutine_drop(struct coroutine **pool, struct coroutine *);
void coroutine_release_pool(struct coroutine **pool);

#endif
