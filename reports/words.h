/* words: how reports write durations, counts, instants and bytes of children, the same in every
 * format. */
#ifndef REHEARSE_REPORTS_WORDS_H
#define REHEARSE_REPORTS_WORDS_H

#include <stdint.h>

#include "sim/base/arena.h"
#include "sim/base/buf.h"

/* "0 s", "840 ms", "12.5 s", "7 min", "7 min 30 s", "2 h 5 min"; "-12 s" when negative; "never" for
 * NEVER. */
const char *words_duration(struct arena *, int64_t ns);
/* An instant since the start of the run: "00:12:34", or "00:12:34.250" off the whole second. */
const char *words_instant(struct arena *, int64_t ns);
/* RFC 3339 in UTC, to the second. */
const char *words_date(struct arena *, int64_t unix_ns);
const char *words_count(struct arena *, int64_t n); /* "12,345" */
int64_t words_ns(double seconds);                   /* rounded to the microsecond */

/* Seconds as an exact decimal number without trailing zeros: "12.5". The whole range, no floating
 * point. */
void words_seconds(struct buf *, int64_t ns);
/* A double as a short decimal that is the same everywhere: at most six decimals, no exponent. */
void words_number(struct buf *, double value);

/* A rule of lint and where it speaks, if that is another line than the finding's: "RB030: restart
 * takes up no new image", "RB023 at line 9: sleep in the place of a check". */
const char *words_rule(struct arena *, const char *rule, const char *title, int rule_line,
                       int line);

/* Length in bytes of the well-formed UTF-8 character at `at` (1 to 4), 0 if there is none. */
size_t words_utf8(const char *at, size_t len);
/* Bytes of a child as one printable line: control characters and malformed bytes as \n, \t, \x1b.
 * Escape sequences of a terminal never reach the reader's; those that only choose colours are left
 * out. Cut to at most max_chars characters, with "..." then. */
const char *words_line(struct arena *, struct str bytes, size_t max_chars);
/* The same for several lines; line feeds and tabs stay. */
void words_block(struct buf *, struct str bytes);
/* Number of characters (not bytes) of a well-formed text. */
size_t words_width(const char *text);

#endif
