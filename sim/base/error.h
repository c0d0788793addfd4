/* error: a user's mistake, said once at the top.
 *
 * Text: no capital, no full stop, what failed first, subject quoted, and what to do about it:
 *   "drills/x.yaml:12: /procedure/section: no heading 'Foo' in playbook.md; did you mean 'Food'?"
 * A function that takes a struct error returns 0 or a negative code, and fills it on failure.
 */
#ifndef REHEARSE_BASE_ERROR_H
#define REHEARSE_BASE_ERROR_H

struct error {
    char text[1024];
};

/* What kind of failure the negative code is; the command line turns it into an exit status. */
enum {
    ERROR_INPUT = -2,    /* the user's input is wrong: exit 2 */
    ERROR_SEAL = -3,     /* cannot be sealed here: exit 3 */
    ERROR_INTERNAL = -70 /* a bug of ours: exit 70 */
};

/* Fills `error` (may be NULL) and returns `code`. */
int error_set(struct error *error, int code, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* Puts "prefix: " before what is there already; returns `code`. */
int error_wrap(struct error *error, int code, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

#endif
