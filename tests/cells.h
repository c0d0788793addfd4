/* cells: the escape matrix. Each cell is an attempt that must fail inside, leave nothing outside,
 * and be told where it was made on purpose. */
#ifndef REHEARSE_TESTS_CELLS_H
#define REHEARSE_TESTS_CELLS_H

#include <stdbool.h>
#include <stddef.h>

#include "tests/trial.h"

/* `try` is a line of shell, or (perl) an expression, of which the error number is printed ("done"
 * if there is none). `out` is what must be printed; `told` what must be observed, NULL: no
 * escaped_command. */
struct cell {
    const char *name, *try, *out, *told;
};

void cells_try(const struct cell *, size_t n, bool perl);

/* A trial with perl, and a run of it whose texts end with NUL. */
void cells_begin(struct trial *);
void cells_run(struct trial *, const char *text);

/* Runs the tests as they are, and once more as an ordinary user if this is root. Returns how many
 * failed. */
int cells_as_both(int (*run)(void));

#endif
