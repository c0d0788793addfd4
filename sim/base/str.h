/* str: a slice of bytes that somebody else owns.
 *
 * Parsers hand out slices of their input; a slice is valid as long as the text it points into.
 * It need not end in a NUL. A zeroed str is the empty slice.
 */
#ifndef REHEARSE_BASE_STR_H
#define REHEARSE_BASE_STR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct str {
    const char *at;
    size_t len;
};

#define STR(literal) ((struct str){(literal), sizeof(literal) - 1})
/* For printf: printf("%.*s", STR_ARG(s)). */
#define STR_ARG(s) (int)(s).len, (s).at

struct str str_of(const char *z); /* NULL gives the empty slice */
bool str_eq(struct str a, struct str b);
bool str_is(struct str a, const char *z);
bool str_starts(struct str a, const char *prefix);
bool str_ends(struct str a, const char *suffix);
/* The slice without blanks (space, tab, CR, LF) at both ends. */
struct str str_trim(struct str a);
/* Cuts the text up to (not including) the first `c` off `*rest` and returns it; without a `c`, all
 * of it.
 * `*rest` then starts behind the `c`. Loop: while (rest.len) line = str_cut(&rest, '\n'). */
struct str str_cut(struct str *rest, char c);
/* Index of `needle` in `hay`, or -1. */
ptrdiff_t str_find(struct str hay, struct str needle);
/* Byte order, shorter first on a common prefix: a total order for sorting. */
int str_compare(struct str a, struct str b);
/* The whole slice as a decimal number; false (and *ret untouched) if it is anything else or
 * overflows. */
bool str_int64(struct str a, int64_t *ret);
/* The number at the start of a text, blanks and a sign before it allowed, whatever follows; 0 if
 * there is none. Clamped to the range of int: what tools do with "80/tcp" or "10s". */
int leading_int(const char *z);
/* Number of single-character edits between two short texts (Levenshtein), capped at `limit`. */
size_t str_distance(struct str a, struct str b, size_t limit);
/* The one of the words (NULL-terminated) that somebody who typed this may have meant, or NULL. */
const char *str_nearest(struct str typed, const char *const *words);

#endif
