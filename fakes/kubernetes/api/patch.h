/* patch: the three patches of the API server, and the difference that `kubectl apply` sends.
 *
 * JSON patch: RFC 6902 (add, remove, replace, move, copy, test) as evanphx/json-patch 4 words its
 * errors. Merge patch: RFC 7386. Strategic merge patch: k8s.io/apimachinery
 * pkg/util/strategicpatch, with the merge keys of the built-in kinds (containers by name, env by
 * name, ports by containerPort or port, volumes by name, ...), $patch, $setElementOrder,
 * $deleteFromPrimitiveList, $retainKeys.
 */
#ifndef REHEARSE_FAKES_KUBERNETES_API_PATCH_H
#define REHEARSE_FAKES_KUBERNETES_API_PATCH_H

#include <cjson/cJSON.h>
#include <stdbool.h>

#include "sim/base/arena.h"

/* Each returns the patched document, which the caller owns, or NULL and *why (in the arena).
 * patch_json: a patch that is no list cannot be decoded at all (400, *why is the message); what
 * does not apply is a 422 whose message the API server keeps to itself. */
cJSON *patch_json(struct arena *, const cJSON *document, const cJSON *patch, const char **why);
cJSON *patch_merge(const cJSON *document, const cJSON *patch);
cJSON *patch_strategic(struct arena *, const cJSON *document, const cJSON *patch, const char **why);

/* What three-way apply sends: fields of `modified` that differ from `current`, and nulls (or
 * $patch: delete) for what `original` had and `modified` has no longer; `original` NULL: nothing
 * was applied before. `strategic`: false gives a merge patch (custom resources). With the same
 * `original` and `current` it is the two-way difference that `kubectl set` and `edit` send. Empty
 * object: nothing to do. Owned by the caller. */
cJSON *patch_three_way(struct arena *, const cJSON *original, const cJSON *modified,
                       const cJSON *current, bool strategic);

/* Deep equality; object keys in any order, numbers by value. */
bool json_equal(const cJSON *, const cJSON *);
/* Puts an element before the one that stands at `at` now (at the end, if none does).
 * cJSON_InsertItemInArray cannot: in 1.7.15, as Debian patched it, it inserts at the front only. */
void json_insert(cJSON *list, int at, cJSON *element);

#endif
