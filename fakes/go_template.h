/* go_template: the part of Go's text/template that people write behind --format, on a JSON value.
 *
 * Fields, variables, pipelines, if, with, range, else, trimming, and the functions of docker's and
 * kubectl's templates: json, lower, upper, title, join, split, index, len, print(f|ln), eq, ne, lt,
 * le, gt, ge, and, or, not, truncate, pad. A method with an argument (.Label "x") looks the
 * argument up in the object behind the field.
 */
#ifndef REHEARSE_FAKES_GO_TEMPLATE_H
#define REHEARSE_FAKES_GO_TEMPLATE_H

#include <cjson/cJSON.h>
#include <stdbool.h>

#include "sim/base/arena.h"
#include "sim/base/buf.h"

/* Appends the text that the template makes of `dot`. NULL, or what is wrong, in Go's words (in the
 * arena); `strict`: a missing key is an error, else "<no value>". */
const char *go_template(struct arena *, const char *text, const cJSON *dot, bool strict,
                        struct buf *out);
/* Whether the template can be read at all: NULL, or the error. */
const char *go_template_check(struct arena *, const char *text);

#endif
