/* What the parts of a strategic merge patch share: how a field is merged, and the merge itself. */
#ifndef REHEARSE_FAKES_KUBERNETES_API_PATCH_STRATEGY_H
#define REHEARSE_FAKES_KUBERNETES_API_PATCH_STRATEGY_H

#include <cjson/cJSON.h>
#include <stdbool.h>

#include "sim/base/arena.h"

#define PATCH_DIRECTIVE        "$patch"
#define PATCH_RETAIN_KEYS      "$retainKeys"
#define PATCH_ELEMENT_ORDER    "$setElementOrder/"
#define PATCH_DELETE_PRIMITIVE "$deleteFromPrimitiveList/"

/* How a field is patched (the patchStrategy and patchMergeKey tags of k8s.io/api). A list that is
 * not merged is replaced. */
struct strategy {
    const char *kind;   /* only in objects of this kind; NULL: in all */
    const char *parent; /* the field that holds the object (or the list of objects) it is in */
    const char *field;
    const char *merge_key; /* of a merged list of objects; NULL: of plain values, or no list */
    bool merge;            /* a list: merged */
    bool retain_keys;      /* an object, or each of the list: one of several alternatives */
    bool replace;          /* an object: replaced as a whole */
};
/* Never NULL: what has no tag has the zero strategy. `parent` "" at the root. */
const struct strategy *patch_strategy(const char *kind, const char *parent, const char *field);

struct merging {
    struct arena *arena;
    const char *kind;
    /* A patch onto a document: directives act and nulls delete. Otherwise one patch onto another:
     * both are kept for the server. */
    bool onto_document;
    const char *why; /* once something is wrong */
};
/* Merges `patch` into `original`, both objects of the caller, `patch` is used up (not freed). False
 * and m->why if it cannot be. */
bool patch_merge_objects(struct merging *, cJSON *original, cJSON *patch, const char *parent);

/* Sorts a list by where the elements stand in `order`; those of `$patch: delete` go last. Elements
 * are the same if their merge keys (NULL: they themselves) are equal. */
void patch_sort(cJSON *list, const cJSON *order, const char *merge_key);

#endif
