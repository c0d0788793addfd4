/* go_value: a JSON value in the words of Go, as kubectl and the API server print it.
 *
 * encoding/json's numbers, unmarshalled by Kubernetes: whole ones are int64, others float64. Maps
 * come in the order of their keys, as fmt and encoding/json print them.
 */
#ifndef REHEARSE_FAKES_KUBERNETES_TEXT_GO_VALUE_H
#define REHEARSE_FAKES_KUBERNETES_TEXT_GO_VALUE_H

#include <cjson/cJSON.h>
#include <stdbool.h>

#include "sim/base/arena.h"
#include "sim/base/buf.h"

/* fmt's %v: map[a:1 b:[x y]], <nil>. NULL is <nil>. */
void go_value_print(struct buf *, const cJSON *);
const char *go_value_text(struct arena *, const cJSON *); /* the same, in the arena */
/* fmt's %#v: map[string]interface {}{"a":1}. */
void go_value_syntax(struct buf *, const cJSON *);
/* %T: "map[string]interface {}", "[]interface {}", "string", "int64", "float64", "bool". */
const char *go_value_type(const cJSON *);
bool go_value_is_int(const cJSON *);
/* The fewest digits that give the number back, with an exponent as fmt's %v has one (from 10^6 on,
 * below 10^-4) or, `json`, as encoding/json (from 10^21 on, below 10^-6: e-7). */
void go_float(struct buf *, double number, bool json);
/* Bytes of the UTF-8 sequence at the start of a text; 0: it is none (utf8.DecodeRune). */
size_t go_rune_size(const char *);
/* strconv.Quote, %q. */
void go_quote(struct buf *, const char *text);
/* The children of an object in the order of their keys, of a list in their own; NULL-terminated. */
const cJSON **go_value_children(struct arena *, const cJSON *);

#endif
