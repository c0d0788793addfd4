/* golden: compares bytes with a kept file. REHEARSE_UPDATE_GOLDEN=1 writes the file instead: then
 * read the diff. */
#ifndef REHEARSE_TESTS_GOLDEN_H
#define REHEARSE_TESTS_GOLDEN_H

#include "sim/base/str.h"

/* Fails the running cmocka test, naming the first line that differs. `name` is in tests/golden/. */
void golden_check(const char *name, struct str bytes);

#endif
