/* The difference between documents as a patch: what `kubectl apply` sends (k8s.io/apimachinery
 * pkg/util/strategicpatch and jsonmergepatch). */
#include <stdlib.h>
#include <string.h>

#include "fakes/kubernetes/api/patch.h"
#include "fakes/kubernetes/api/patch_strategy.h"
#include "sim/base/xalloc.h"

struct diff {
    struct arena *arena;
    const char *kind;
    bool strategic;
    bool deletions; /* what is gone; otherwise what is other or new */
};

static cJSON *diff_objects(const struct diff *, const cJSON *original, const cJSON *modified,
                           const char *parent, bool retain_keys);

static void put(cJSON *patch, const char *name, const cJSON *value)
{
    cJSON_AddItemToObject(patch, name, cJSON_Duplicate(value, true));
}

static bool same_type(const cJSON *a, const cJSON *b)
{
    return (a->type & 0xff) == (b->type & 0xff) || (cJSON_IsBool(a) && cJSON_IsBool(b));
}

/* ---- lists ---- */

static const cJSON *find(const cJSON *list, const cJSON *element, const char *merge_key)
{
    const cJSON *wanted = element, *other;
    if (merge_key && !(wanted = cJSON_GetObjectItemCaseSensitive(element, merge_key)))
        return NULL;
    cJSON_ArrayForEach(
        other,
        list) if (json_equal(wanted, merge_key ? cJSON_GetObjectItemCaseSensitive(other, merge_key)
                                               : other)) return other;
    return NULL;
}

static bool keyed(const cJSON *list, const char *merge_key)
{
    const cJSON *element;
    cJSON_ArrayForEach(
        element, list) if (!cJSON_GetObjectItemCaseSensitive(element, merge_key)) return false;
    return true;
}

static cJSON *with_key_only(const cJSON *element, const char *merge_key)
{
    cJSON *copy = cJSON_CreateObject();
    put(copy, merge_key, cJSON_GetObjectItemCaseSensitive(element, merge_key));
    return copy;
}

static bool same_order(const cJSON *a, const cJSON *b, const char *merge_key)
{
    if (cJSON_GetArraySize(a) != cJSON_GetArraySize(b))
        return false;
    for (a = a->child, b = b->child; a; a = a->next, b = b->next)
        if (!json_equal(cJSON_GetObjectItemCaseSensitive(a, merge_key),
                        cJSON_GetObjectItemCaseSensitive(b, merge_key)))
            return false;
    return true;
}

static cJSON *changed_elements(const struct diff *d, const cJSON *original, const cJSON *modified,
                               const char *field, const struct strategy *strategy)
{
    const char *merge_key = strategy->merge_key;
    cJSON *changes = cJSON_CreateArray();
    const cJSON *element;
    cJSON_ArrayForEach(element, modified)
    {
        const cJSON *before = find(original, element, merge_key);
        if (!before) {
            if (!d->deletions)
                cJSON_AddItemToArray(changes, cJSON_Duplicate(element, true));
            continue;
        }
        cJSON *change = diff_objects(d, before, element, field, strategy->retain_keys);
        if (!change->child) {
            cJSON_Delete(change);
            continue;
        }
        cJSON_DeleteItemFromObjectCaseSensitive(change, merge_key);
        put(change, merge_key, cJSON_GetObjectItemCaseSensitive(element, merge_key));
        cJSON_AddItemToArray(changes, change);
    }
    cJSON_ArrayForEach(element, original)
    {
        if (!d->deletions || find(modified, element, merge_key))
            continue;
        cJSON *deletion = with_key_only(element, merge_key);
        cJSON_AddStringToObject(deletion, PATCH_DIRECTIVE, "delete");
        cJSON_AddItemToArray(changes, deletion);
    }
    return changes;
}

static void put_if_any(cJSON *patch, const char *name, cJSON *list)
{
    if (list->child)
        cJSON_AddItemToObject(patch, name, list);
    else
        cJSON_Delete(list);
}

static void diff_list_of_objects(const struct diff *d, const cJSON *original, const cJSON *modified,
                                 const struct strategy *strategy, cJSON *patch)
{
    const char *field = modified->string, *merge_key = strategy->merge_key;
    cJSON *changes = changed_elements(d, original, modified, field, strategy);
    bool ordered = !d->deletions && !same_order(original, modified, merge_key);
    if (changes->child || ordered) {
        cJSON *order = cJSON_CreateArray();
        const cJSON *element;
        cJSON_ArrayForEach(element, modified)
            cJSON_AddItemToArray(order, with_key_only(element, merge_key));
        put_if_any(patch, arena_printf(d->arena, PATCH_ELEMENT_ORDER "%s", field), order);
    }
    put_if_any(patch, field, changes);
}

static void diff_list_of_values(const struct diff *d, const cJSON *original, const cJSON *modified,
                                cJSON *patch)
{
    const char *field = modified->string;
    const cJSON *from = d->deletions ? original : modified;
    const cJSON *than = d->deletions ? modified : original, *value;
    cJSON *values = cJSON_CreateArray();
    cJSON_ArrayForEach(value, from) if (!find(than, value, NULL) && !find(values, value, NULL))
        cJSON_AddItemToArray(values, cJSON_Duplicate(value, true));
    if (values->child || (!d->deletions && !json_equal(original, modified)))
        put_if_any(patch, arena_printf(d->arena, PATCH_ELEMENT_ORDER "%s", field),
                   cJSON_Duplicate(modified, true));
    put_if_any(patch,
               d->deletions ? arena_printf(d->arena, PATCH_DELETE_PRIMITIVE "%s", field) : field,
               values);
}

static void diff_lists(const struct diff *d, const cJSON *original, const cJSON *modified,
                       const struct strategy *strategy, cJSON *patch)
{
    bool merged = d->strategic && strategy->merge;
    bool objects = cJSON_IsObject(modified->child) || cJSON_IsObject(original->child);
    /* Elements without their key cannot be told apart: as a whole, and the server will see. */
    if (merged && objects)
        merged = strategy->merge_key && keyed(original, strategy->merge_key) &&
                 keyed(modified, strategy->merge_key);
    if (!merged) {
        if (!d->deletions && !json_equal(original, modified))
            put(patch, modified->string, modified);
    } else if (!original->child) {
        if (modified->child && !d->deletions)
            put(patch, modified->string, modified);
    } else if (objects) {
        diff_list_of_objects(d, original, modified, strategy, patch);
    } else {
        diff_list_of_values(d, original, modified, patch);
    }
}

/* ---- objects ---- */

static void diff_member(const struct diff *d, const cJSON *before, const cJSON *member,
                        const char *parent, cJSON *patch)
{
    const char *name = member->string;
    const struct strategy *strategy = patch_strategy(d->kind, parent, name);
    if (!before || !same_type(before, member)) {
        if (!d->deletions)
            put(patch, name, member);
    } else if (cJSON_IsObject(member) && !(d->strategic && strategy->replace)) {
        cJSON *change = diff_objects(d, before, member, name, strategy->retain_keys);
        put_if_any(patch, name, change);
    } else if (cJSON_IsArray(member)) {
        diff_lists(d, before, member, strategy, patch);
    } else if (!d->deletions && !json_equal(before, member)) {
        put(patch, name, member);
    }
}

static int by_text(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* All keys of an object that is one of several alternatives, sorted. */
static cJSON *keys_to_retain(const cJSON *modified)
{
    int n = 0;
    const char **names = xcalloc((size_t)cJSON_GetArraySize(modified) + 1, sizeof(*names));
    const cJSON *member;
    cJSON_ArrayForEach(member, modified) if (!cJSON_IsNull(member)) names[n++] = member->string;
    qsort(names, (size_t)n, sizeof(*names), by_text);
    cJSON *keys = cJSON_CreateStringArray(names, n);
    free(names);
    return keys;
}

static cJSON *diff_objects(const struct diff *d, const cJSON *original, const cJSON *modified,
                           const char *parent, bool retain_keys)
{
    cJSON *patch = cJSON_CreateObject();
    bool fewer = false;
    const cJSON *member;
    cJSON_ArrayForEach(member, modified) diff_member(
        d, cJSON_GetObjectItemCaseSensitive(original, member->string), member, parent, patch);
    cJSON_ArrayForEach(member, original)
    {
        if (cJSON_GetObjectItemCaseSensitive(modified, member->string))
            continue;
        fewer = fewer || !cJSON_IsNull(member);
        if (d->deletions)
            cJSON_AddNullToObject(patch, member->string);
    }
    if (d->strategic && retain_keys && (patch->child || fewer))
        put_if_any(patch, PATCH_RETAIN_KEYS, keys_to_retain(modified));
    return patch;
}

/* Members of one patch into another; nulls stay nulls. */
static void add_merge_patch(cJSON *patch, cJSON *more)
{
    while (more->child) {
        cJSON *value = cJSON_DetachItemViaPointer(more, more->child);
        cJSON *present = cJSON_GetObjectItemCaseSensitive(patch, value->string);
        if (cJSON_IsObject(present) && cJSON_IsObject(value)) {
            add_merge_patch(present, value);
            cJSON_Delete(value);
            continue;
        }
        char *name = xstrdup(value->string);
        cJSON_DeleteItemFromObjectCaseSensitive(patch, name);
        cJSON_AddItemToObject(patch, name, value);
        free(name);
    }
}

cJSON *patch_three_way(struct arena *arena, const cJSON *original, const cJSON *modified,
                       const cJSON *current, bool strategic)
{
    const char *kind = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(modified, "kind"));
    struct diff other = {arena, kind, strategic, false}, gone = {arena, kind, strategic, true};
    cJSON *changes = diff_objects(&other, current, modified, "", false);
    cJSON *patch =
        original ? diff_objects(&gone, original, modified, "", false) : cJSON_CreateObject();
    if (strategic) {
        /* Both were made here of the same lists: they fit. */
        struct merging m = {.arena = arena, .kind = kind};
        patch_merge_objects(&m, patch, changes, "");
    } else {
        add_merge_patch(patch, changes);
    }
    cJSON_Delete(changes);
    return patch;
}
