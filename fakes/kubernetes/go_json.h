/* go_json: JSON as Go's encoding/json reads and prints it, where people see its words. */
#ifndef REHEARSE_FAKES_KUBERNETES_GO_JSON_H
#define REHEARSE_FAKES_KUBERNETES_GO_JSON_H

#include <cjson/cJSON.h>

#include "sim/base/arena.h"

/* NULL if the text is one JSON value; else what encoding/json says: "invalid character 'b' looking
 * for beginning of object key string", "unexpected end of JSON input". Source: Go, encoding/json
 * scanner.go. */
const char *go_json_error(struct arena *, const char *text);
/* A value as fmt prints it with %+v: map[a:map[b:true]], [1 2], <nil>. */
const char *go_json_print(struct arena *, const cJSON *);

#endif
