/* jsonpath: kubectl's templates: "{range .items[*]}{.metadata.name}{'\n'}{end}".
 *
 * k8s.io/client-go util/jsonpath as of kubectl 1.32: fields, ['x','y'], [1:3:2], [-1], .., [*],
 * filters ?(@.a=="b"), unions, range, texts. A missing field prints nothing; an index out of bounds
 * is an error. Go walks a map in a random order; here it is the order of the keys.
 */
#ifndef REHEARSE_FAKES_KUBERNETES_TEXT_JSONPATH_H
#define REHEARSE_FAKES_KUBERNETES_TEXT_JSONPATH_H

#include <cjson/cJSON.h>
#include <stdbool.h>

#include "sim/base/arena.h"
#include "sim/base/buf.h"

/* NULL; or what is wrong, in kubectl's words ("error parsing jsonpath ..., ..." or "error executing
 * jsonpath ..."), in the arena. */
const char *jsonpath(struct arena *, const char *template, const cJSON *root, struct buf *out);
/* Whether the template can be read at all: NULL, or the error of jsonpath(). */
const char *jsonpath_check(struct arena *, const char *template);
enum jsonpath_flags {
    JSONPATH_STRICT = 1, /* --allow-missing-template-keys=false: "x is not found" */
    JSONPATH_JSON = 2,   /* -o jsonpath-as-json: each result a JSON array */
};
const char *jsonpath_print(struct arena *, const char *template, const cJSON *root, unsigned flags,
                           struct buf *out);
/* The relaxed form of --sort-by, custom-columns and wait: ".metadata.name", "metadata.name",
 * "{.a.b}" become "{.a.b}". NULL and *why if it is none. */
const char *jsonpath_relaxed(struct arena *, const char *typed, const char **why);
/* The values found, NULL-terminated; they live as long as the root and the arena. NULL and *why
 * (the bare words: "array index out of bounds: index 0, length 0") on a mistake. */
const cJSON **jsonpath_find(struct arena *, const char *template, const cJSON *root,
                            const char **why);
/* The same printed as fmt's %v ("map[a:1]"), parted by `separator`; *ret_found (may be NULL): how
 * many there are. NULL, or the bare words. */
const char *jsonpath_values(struct arena *, const char *template, const cJSON *root,
                            const char *separator, struct buf *out, int *ret_found);

#endif
