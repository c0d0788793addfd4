/* selector: label and field selectors: "app=web,tier in (a,b),!canary", "status.phase!=Running".
 *
 * Grammar and errors: k8s.io/apimachinery pkg/labels (Parse) and pkg/fields.
 */
#ifndef REHEARSE_FAKES_KUBERNETES_API_SELECTOR_H
#define REHEARSE_FAKES_KUBERNETES_API_SELECTOR_H

#include <cjson/cJSON.h>
#include <stdbool.h>

#include "sim/base/arena.h"

struct selector;

/* Both live in the arena. NULL and *why, in the real words, if the text cannot be read. */
struct selector *selector_labels(struct arena *, const char *text, const char **why);
struct selector *selector_fields(struct arena *, const char *text, const char **why);
/* Of an object's spec.selector: {matchLabels, matchExpressions}, or a Service's plain map. NULL
 * matches nothing. */
struct selector *selector_of(struct arena *, const cJSON *selector);
/* "app=web,tier in (a,b)": as kubectl prints it; "<none>" for an empty one. */
const char *selector_text(struct arena *, const cJSON *selector);

/* `labels` may be NULL: an object without labels. An empty selector matches everything. */
bool selector_matches(const struct selector *, const cJSON *labels);
/* Looks the fields up in the object ("metadata.name", "status.phase", "spec.nodeName",
 * "involvedObject.name" ...). */
bool selector_matches_fields(const struct selector *, const cJSON *object);
/* The first field that the API server does not select this kind by; NULL: all are known. */
const char *selector_unknown_field(const struct selector *, const char *kind);

/* What is wrong with a label's key (IsQualifiedName) or value (IsValidLabelValue), in the words of
 * pkg/util/validation, several parted by "; "; NULL: nothing. */
const char *label_key_wrong(struct arena *, const char *key);
const char *label_value_wrong(struct arena *, const char *value);

#endif
