/* values: a release's values, and what they change in its manifest. */
#ifndef REHEARSE_FAKES_HELM_VALUES_H
#define REHEARSE_FAKES_HELM_VALUES_H

#include <cjson/cJSON.h>

#include "sim/base/arena.h"
#include "sim/base/doc.h"

/* One --set: "a.b=c,d=e" into `values`; `text`: --set-string. NULL, or what helm says of it. */
const char *values_set(struct arena *, cJSON *values, const char *given, bool text);
/* `over` into `values`: objects are merged, a null takes away, all else replaces. */
void values_merge(cJSON *values, const cJSON *over);
cJSON *values_of_doc(const struct doc *);
/* Carries a value out in the documents of a manifest (a list), as `sets:` says it
 * ("deployment/web spec.replicas"). False: there is no such object. */
bool values_apply(struct arena *, cJSON *documents, const char *what, const cJSON *value);
/* What is wrong with a line of `sets:`; NULL: nothing. */
const char *values_mistake(struct arena *, const char *what);

#endif
