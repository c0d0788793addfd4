/* branch: many futures of one present.
 *
 * What a world is, with everything that hangs on it, is the memory of this process, so a snapshot
 * of it is a copy of the process: fork, which copies nothing until it is written. Each future runs
 * in such a copy from the same instant and leaves a result of fixed size; the present goes on
 * untouched. For "what if we rolled back now?": branch a world at one instant and let every future
 * do something else.
 */
#ifndef REHEARSE_ENGINE_BRANCH_H
#define REHEARSE_ENGINE_BRANCH_H

#include <stddef.h>

/* Runs in a copy: fills `result` (zeroed before). Nothing else that it does is seen by the present.
 */
typedef void branch_fn(int i, void *ctx, void *result);

/* Runs future(0) ... future(n - 1), at most `at_once` at the same time, and puts their results into
 * results[i * size], in their order. size <= BRANCH_RESULT_MAX. The number of futures that left a
 * result; that of one that died is zeroed. */
enum { BRANCH_RESULT_MAX = 60000 };
int branch(int n, int at_once, branch_fn *future, void *ctx, void *results, size_t size);

#endif
