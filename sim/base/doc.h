/* doc: the one reader for every file that a person writes (YAML 1.2 core, or JSON).
 *
 * Built on libyaml, so every error has file, line and column. Duplicate keys, anchors that nest
 * beyond a limit, documents over 4 MiB and second documents are refused. Everything lives in the
 * arena of the caller. Nodes know their parent, so that an error can say `file:line: /pointer:
 * what`.
 *
 * Readers below return 0, or ERROR_INPUT with `error` filled. A missing optional node is NULL; the
 * readers take NULL and leave *ret untouched, so a default is set by assigning before the call:
 *     int64_t every_ns = 6 * HOUR;
 *     doc_duration(doc_get(node, "every"), &every_ns, error)
 */
#ifndef REHEARSE_BASE_DOC_H
#define REHEARSE_BASE_DOC_H

#include <stdbool.h>
#include <stdint.h>

#include "sim/base/arena.h"
#include "sim/base/error.h"

#define NANOSECOND  INT64_C(1)
#define MICROSECOND (1000 * NANOSECOND)
#define MILLISECOND (1000 * MICROSECOND)
#define SECOND      (1000 * MILLISECOND)
#define MINUTE      (60 * SECOND)
#define HOUR        (60 * MINUTE)
#define DAY         (24 * HOUR)

enum doc_kind { DOC_NULL, DOC_SCALAR, DOC_SEQUENCE, DOC_MAPPING };

struct doc {
    enum doc_kind kind;
    bool quoted;      /* scalar written with quotes or as a block: always text, never a number */
    const char *text; /* scalar; NUL-terminated */
    const char *key;  /* in a mapping: the key of this node; else NULL */
    const char *file; /* as given by the user */
    int line, column; /* of the value, from 1 */
    int key_line;     /* in a mapping: of the key */
    int n;            /* number of children */
    int index;        /* place among the siblings, from 0 */
    struct doc *parent, *first, *next;
};

/* Reads a whole file; on success *ret is the root. */
int doc_read_file(struct arena *, const char *path, struct doc **ret, struct error *);
/* The same on text in memory; `file` is used in messages. */
int doc_read_text(struct arena *, const char *file, struct str text, struct doc **ret,
                  struct error *);

/* The child with that key, or NULL (also when `node` is NULL or no mapping). */
struct doc *doc_get(const struct doc *node, const char *key);

/* Refuses a mapping with any other key than these (NULL-terminated); names the nearest known one.
 */
int doc_only(const struct doc *node, const char *const *keys, struct error *);
int doc_want(const struct doc *node, enum doc_kind kind,
             struct error *); /* NULL node is an error */
/* The child, which must be there: an error that names the key otherwise. */
int doc_need(const struct doc *node, const char *key, struct doc **ret, struct error *);

int doc_text(const struct doc *, const char **ret, struct error *); /* any scalar, as written */
int doc_bool(const struct doc *, bool *ret, struct error *);        /* true, false */
int doc_int(const struct doc *, int64_t lo, int64_t hi, int64_t *ret, struct error *);
int doc_number(const struct doc *, double lo, double hi, double *ret, struct error *);
int doc_duration(const struct doc *, int64_t *ret_ns,
                 struct error *); /* 15m, 1h30m, 250ms, 0; not negative */
int doc_size(const struct doc *, int64_t *ret_bytes, struct error *); /* 512MiB, 2GB, 100 */
int doc_ratio(const struct doc *, double *ret, struct error *);      /* 99.5% or 0.995, in [0, 1] */
int doc_rate(const struct doc *, double *ret_per_s, struct error *); /* 120/s, 30/m, 5/h */
int doc_time(const struct doc *, int64_t *ret_unix_ns, struct error *); /* RFC 3339, with zone */
int doc_day(const struct doc *, int64_t *ret_unix_ns,
            struct error *); /* the same, or 2026-06-30: its first instant in UTC */
/* One of the words (NULL-terminated); *ret is its index. */
int doc_choice(const struct doc *, const char *const *words, int *ret, struct error *);

/* Parsers on bare text, for command-line options and fakes; false and *ret untouched if malformed.
 */
bool parse_duration(struct str, int64_t *ret_ns);
bool parse_size(struct str, int64_t *ret_bytes);
bool parse_time(struct str, int64_t *ret_unix_ns);
bool parse_day(struct str, int64_t *ret_unix_ns); /* as doc_day */

/* An error about that node: "file:line: /pointer: ...". Returns ERROR_INPUT. */
int doc_error(const struct doc *, struct error *, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

#endif
