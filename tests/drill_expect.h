/* drill_expect: runs drills of a folder and compares each with its `expect`. For the tests of a
 * system. */
#ifndef REHEARSE_TESTS_DRILL_EXPECT_H
#define REHEARSE_TESTS_DRILL_EXPECT_H

#include "procedures/drill/run.h"
#include "reports/report.h"

/* One drill that was run with seed 1, with what was found. */
struct flown {
    struct drill *drill;
    struct record *record;
    struct report report;
};

/* Loads and runs; fails the test with the error if that cannot be done, skips it where nothing can
 * be sealed. */
void flown_init(struct flown *, const char *path, const struct drill_options *);
void flown_release(struct flown *);

/* Appends one line for each part of `expect` that did not come true. */
void flown_compare(const struct flown *, struct buf *complaints);
/* The first step whose command starts so; fails the test if there is none. */
const struct step *flown_step(const struct flown *, const char *start);
const struct ledger_row *flown_ledger(const struct flown *, const char *store);
/* The value of one property of one subject at the end. */
const char *flown_end_state(const struct flown *, const char *subject, const char *property);

/* Paths of all *.yaml in a folder, sorted; NULL-terminated, in the arena. */
char **drill_paths(struct arena *, const char *folder);

/* Whether two parts of files say the same, in the same order; true for NULL and NULL. */
bool docs_same(const struct doc *, const struct doc *);

#endif
