/* json_writer: writes one JSON document into a buffer, indented, with the same bytes for the same
 * calls.
 *
 * Call order makes the structure: json_open_object, then for each member a json_..., with its key;
 * in an array the key is NULL. Strings may be any bytes: what is not UTF-8 becomes U+FFFD, so the
 * result always parses.
 */
#ifndef REHEARSE_REPORTS_JSON_WRITER_H
#define REHEARSE_REPORTS_JSON_WRITER_H

#include <stdbool.h>
#include <stdint.h>

#include "sim/base/buf.h"

struct json_writer {
    struct buf *buf;
    int depth;
    bool compact;       /* on one line, for JSON Lines */
    uint64_t not_empty; /* bit per depth */
};

void json_open_object(struct json_writer *, const char *key);
void json_close_object(struct json_writer *);
void json_open_array(struct json_writer *, const char *key);
void json_close_array(struct json_writer *);
void json_string(struct json_writer *, const char *key, const char *text); /* NULL writes null */
void json_bytes(struct json_writer *, const char *key, struct str bytes);
void json_integer(struct json_writer *, const char *key, int64_t value);
void json_number(struct json_writer *, const char *key, double value); /* NaN writes null */
void json_seconds(struct json_writer *, const char *key, int64_t ns); /* exact; NEVER writes null */
void json_bool(struct json_writer *, const char *key, bool value);
void json_null(struct json_writer *, const char *key);

/* The bytes as a JSON string, quotes included. */
void json_quote(struct buf *, struct str bytes);

#endif
