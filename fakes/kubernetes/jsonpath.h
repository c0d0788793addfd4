/* jsonpath: kubectl's templates: "{range .items[*]}{.metadata.name}{'\n'}{end}".
 *
 * k8s.io/client-go util/jsonpath: fields, ['x','y'], [1:3:2], [-1], .., [*], filters ?(@.a=="b"),
 * unions, range, texts. A missing field prints nothing; an index out of bounds is an error.
 */
#ifndef REHEARSE_FAKES_KUBERNETES_JSONPATH_H
#define REHEARSE_FAKES_KUBERNETES_JSONPATH_H

#include <cjson/cJSON.h>
#include <stdbool.h>

#include "sim/base/arena.h"
#include "sim/base/buf.h"

/* NULL; or what is wrong, in kubectl's words ("error parsing jsonpath ..., ..." or "error executing
 * jsonpath ..."), in the arena. */
const char *jsonpath(struct arena *, const char *template, const cJSON *root, struct buf *out);
/* The relaxed form of --sort-by, custom-columns and wait: ".metadata.name", "metadata.name",
 * "{.a.b}" become "{.a.b}". NULL and *why if it is none. */
const char *jsonpath_relaxed(struct arena *, const char *typed, const char **why);
/* The values found, parted by `separator`; *ret_found (may be NULL): how many there are. */
const char *jsonpath_values(struct arena *, const char *template, const cJSON *root,
                            const char *separator, struct buf *out, int *ret_found);

#endif
