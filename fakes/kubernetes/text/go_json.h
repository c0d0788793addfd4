/* go_json: JSON as Go's encoding/json reads it, where people see its words. */
#ifndef REHEARSE_FAKES_KUBERNETES_TEXT_GO_JSON_H
#define REHEARSE_FAKES_KUBERNETES_TEXT_GO_JSON_H

#include <stddef.h>

#include "sim/base/arena.h"

/* NULL if the text is one JSON value; else what encoding/json says: "invalid character 'b' looking
 * for beginning of object key string", "unexpected end of JSON input". Source: Go, encoding/json
 * scanner.go. */
const char *go_json_error(struct arena *, const char *text);
/* The same of the first value alone, whatever stands behind it: *ret_len is where it ends, or the
 * index of the byte that is wrong. */
const char *go_json_first(struct arena *, const char *text, size_t *ret_len);

#endif
