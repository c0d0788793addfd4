/* JSON patches, merge patches, and equality of documents. */
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "fakes/kubernetes/api/patch.h"

/* ---- documents ---- */

bool json_equal(const cJSON *a, const cJSON *b)
{
    if (!a || !b)
        return a == b;
    return cJSON_Compare(a, b, true);
}

void json_insert(cJSON *list, int at, cJSON *element)
{
    cJSON *behind = cJSON_CreateArray(), *moved;
    while ((moved = cJSON_DetachItemFromArray(list, at)))
        cJSON_AddItemToArray(behind, moved);
    cJSON_AddItemToArray(list, element);
    while ((moved = cJSON_DetachItemFromArray(behind, 0)))
        cJSON_AddItemToArray(list, moved);
    cJSON_Delete(behind);
}

/* ---- merge patch ---- */

static void merge_into(cJSON *document, const cJSON *patch);

/* A value of a patch for what is not there yet: nulls in its objects only ever delete. */
static cJSON *without_nulls(const cJSON *value)
{
    if (!cJSON_IsObject(value))
        return cJSON_Duplicate(value, true);
    cJSON *object = cJSON_CreateObject();
    merge_into(object, value);
    return object;
}

static void merge_into(cJSON *document, const cJSON *patch)
{
    const cJSON *member;
    cJSON_ArrayForEach(member, patch)
    {
        cJSON *present = cJSON_GetObjectItemCaseSensitive(document, member->string);
        if (cJSON_IsNull(member)) {
            cJSON_DeleteItemFromObjectCaseSensitive(document, member->string);
        } else if (cJSON_IsObject(member) && cJSON_IsObject(present)) {
            merge_into(present, member);
        } else {
            cJSON_DeleteItemFromObjectCaseSensitive(document, member->string);
            cJSON_AddItemToObject(document, member->string, without_nulls(member));
        }
    }
}

cJSON *patch_merge(const cJSON *document, const cJSON *patch)
{
    if (!cJSON_IsObject(patch))
        return cJSON_Duplicate(patch, true);
    cJSON *merged =
        cJSON_IsObject(document) ? cJSON_Duplicate(document, true) : cJSON_CreateObject();
    merge_into(merged, patch);
    return merged;
}

/* ---- JSON patch ---- */

struct pointer {
    cJSON *container; /* that the last part of the path is in; NULL: there is none */
    char *key;
};

/* "~1" is "/", "~0" is "~" (RFC 6901). In place. */
static void decode_part(char *part)
{
    char *to = part;
    for (const char *from = part; *from; from++) {
        if (from[0] == '~' && (from[1] == '0' || from[1] == '1'))
            *to++ = *++from == '1' ? '/' : '~';
        else
            *to++ = *from;
    }
    *to = '\0';
}

/* The element of a list that a key names; NULL and *why. `length`: how many there may be. */
static bool list_index(struct arena *arena, const char *key, int length, int *ret, const char **why)
{
    char *end;
    errno = 0;
    long at = strtol(key, &end, 10);
    if (*end || end == key || errno || at > INT_MAX || at < INT_MIN) {
        *why = arena_printf(arena, "strconv.Atoi: parsing \"%s\": invalid syntax", key);
        return false;
    }
    if (at >= length || at < -length) {
        *why = arena_printf(arena, "Unable to access invalid index: %ld: invalid index referenced",
                            at);
        return false;
    }
    *ret = (int)(at < 0 ? at + length : at);
    return true;
}

static cJSON *get(struct arena *arena, cJSON *container, const char *key, const char **why)
{
    if (cJSON_IsArray(container)) {
        int at = 0;
        if (!list_index(arena, key, cJSON_GetArraySize(container), &at, why))
            return NULL;
        return cJSON_GetArrayItem(container, at);
    }
    cJSON *found = cJSON_GetObjectItemCaseSensitive(container, key);
    if (!found)
        *why = arena_printf(arena, "unable to get nonexistent key: %s: missing value", key);
    return found;
}

static struct pointer locate(struct arena *arena, cJSON *document, const char *path)
{
    struct pointer none = {NULL, NULL}, at = {document, NULL};
    char *rest = arena_strdup(arena, path);
    if (!strchr(rest, '/'))
        return none;
    strsep(&rest, "/"); /* before the first slash: nothing */
    for (char *part; (part = strsep(&rest, "/"));) {
        const char *ignored;
        decode_part(part);
        if (!rest) {
            at.key = part;
            return at;
        }
        at.container = get(arena, at.container, part, &ignored);
        if (!cJSON_IsObject(at.container) && !cJSON_IsArray(at.container))
            return none;
    }
    return none;
}

/* `value` is taken in any case. */
static bool add_at(struct arena *arena, struct pointer at, cJSON *value, const char **why)
{
    int index = 0;
    if (cJSON_IsObject(at.container)) {
        cJSON_DeleteItemFromObjectCaseSensitive(at.container, at.key);
        cJSON_AddItemToObject(at.container, at.key, value);
        return true;
    }
    if (strcmp(at.key, "-") == 0) {
        cJSON_AddItemToArray(at.container, value);
        return true;
    }
    if (!list_index(arena, at.key, cJSON_GetArraySize(at.container) + 1, &index, why)) {
        if (strncmp(*why, "strconv", 7) == 0)
            *why =
                arena_printf(arena, "value was not a proper array index: '%s': %s", at.key, *why);
        cJSON_Delete(value);
        return false;
    }
    json_insert(at.container, index, value);
    return true;
}

static bool remove_at(struct arena *arena, struct pointer at, const char **why)
{
    cJSON *item = get(arena, at.container, at.key, why);
    if (!item) {
        if (cJSON_IsObject(at.container))
            *why =
                arena_printf(arena, "Unable to remove nonexistent key: %s: missing value", at.key);
        return false;
    }
    cJSON_Delete(cJSON_DetachItemViaPointer(at.container, item));
    return true;
}

struct operation {
    struct arena *arena;
    cJSON *document;
    const char *name, *path, *from;
    const cJSON *value; /* NULL: none is given */
    const char *why;
};

static bool failed(struct operation *op, const char *text)
{
    op->why = text;
    return false;
}

static cJSON *value_of(const struct operation *op)
{
    return op->value ? cJSON_Duplicate(op->value, true) : cJSON_CreateNull();
}

static bool run_add(struct operation *op)
{
    struct pointer at = locate(op->arena, op->document, op->path);
    const char *why = "";
    if (!at.container)
        return failed(op, arena_printf(op->arena,
                                       "add operation does not apply: doc is missing path: \"%s\": "
                                       "missing value",
                                       op->path));
    if (add_at(op->arena, at, value_of(op), &why))
        return true;
    return failed(op, arena_printf(op->arena, "error in add for path: '%s': %s", op->path, why));
}

static bool run_remove(struct operation *op)
{
    struct pointer at = locate(op->arena, op->document, op->path);
    const char *why = "";
    if (!at.container)
        return failed(op,
                      arena_printf(op->arena,
                                   "remove operation does not apply: doc is missing path: \"%s\": "
                                   "missing value",
                                   op->path));
    if (remove_at(op->arena, at, &why))
        return true;
    return failed(op, arena_printf(op->arena, "error in remove for path: '%s': %s", op->path, why));
}

static bool run_replace(struct operation *op)
{
    struct pointer at = locate(op->arena, op->document, op->path);
    const char *why;
    cJSON *present = at.container ? get(op->arena, at.container, at.key, &why) : NULL;
    if (!present)
        return failed(op, arena_printf(op->arena,
                                       "replace operation does not apply: doc is missing %s: %s: "
                                       "missing value",
                                       at.container ? "key" : "path", op->path));
    cJSON *value = value_of(op);
    if (cJSON_IsObject(at.container))
        cJSON_ReplaceItemInObjectCaseSensitive(at.container, at.key, value);
    else
        cJSON_ReplaceItemViaPointer(at.container, present, value);
    return true;
}

static bool run_test(struct operation *op)
{
    struct pointer at = locate(op->arena, op->document, op->path);
    const char *why = "";
    if (!at.container)
        return failed(op, arena_printf(op->arena,
                                       "test operation does not apply: is missing path: %s: "
                                       "missing value",
                                       op->path));
    const cJSON *present = get(op->arena, at.container, at.key, &why);
    if (!present && cJSON_IsArray(at.container))
        return failed(op,
                      arena_printf(op->arena, "error in test for path: '%s': %s", op->path, why));
    if (present ? json_equal(present, op->value) : cJSON_IsNull(op->value))
        return true;
    return failed(op, arena_printf(op->arena, "testing value %s failed: test failed", op->path));
}

static bool run_move_or_copy(struct operation *op)
{
    bool move = strcmp(op->name, "move") == 0;
    struct pointer from = locate(op->arena, op->document, op->from);
    const char *why = "";
    if (!from.container)
        return failed(op, arena_printf(op->arena,
                                       "%s operation does not apply: doc is missing from path: %s: "
                                       "missing value",
                                       op->name, op->from));
    cJSON *item = get(op->arena, from.container, from.key, &why);
    if (!item)
        return failed(
            op, move ? arena_printf(op->arena, "error in move for path: '%s': %s", from.key, why)
                     : arena_printf(op->arena, "error in copy for from: '%s': %s", op->from, why));
    cJSON *value =
        move ? cJSON_DetachItemViaPointer(from.container, item) : cJSON_Duplicate(item, true);
    struct pointer to = locate(op->arena, op->document, op->path);
    if (!to.container) {
        cJSON_Delete(value);
        return failed(op, arena_printf(op->arena,
                                       "%s operation does not apply: doc is missing destination "
                                       "path: %s: missing value",
                                       op->name, op->path));
    }
    if (add_at(op->arena, to, value, &why))
        return true;
    return failed(op,
                  move ? arena_printf(op->arena, "error in move for path: '%s': %s", op->path, why)
                       : arena_printf(op->arena, "error while adding value during copy: %s", why));
}

static const struct {
    const char *name;
    bool (*run)(struct operation *);
    bool needs_from;
} operations[] = {
    {"add", run_add, false},   {"remove", run_remove, false},    {"replace", run_replace, false},
    {"test", run_test, false}, {"move", run_move_or_copy, true}, {"copy", run_move_or_copy, true},
};

static bool run_operation(struct operation *op, const cJSON *step)
{
    const char *name = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(step, "op"));
    op->name = name ? name : "unknown";
    op->path = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(step, "path"));
    op->from = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(step, "from"));
    op->value = cJSON_GetObjectItemCaseSensitive(step, "value");
    for (size_t i = 0; i < sizeof(operations) / sizeof(operations[0]); i++) {
        if (strcmp(op->name, operations[i].name) != 0)
            continue;
        if (operations[i].needs_from && !op->from)
            return failed(op, arena_printf(op->arena,
                                           "%s operation failed to decode from: operation, missing "
                                           "from field: missing value",
                                           name));
        if (!op->path)
            return failed(
                op,
                arena_printf(op->arena, "%s operation failed to decode path: missing value", name));
        return operations[i].run(op);
    }
    return failed(op, arena_printf(op->arena, "Unexpected kind: %s", op->name));
}

static const char *go_kind(const cJSON *json)
{
    return cJSON_IsObject(json)   ? "object"
           : cJSON_IsArray(json)  ? "array"
           : cJSON_IsString(json) ? "string"
           : cJSON_IsNumber(json) ? "number"
           : cJSON_IsBool(json)   ? "bool"
                                  : "null";
}

cJSON *patch_json(struct arena *arena, const cJSON *document, const cJSON *patch, const char **why)
{
    if (!cJSON_IsArray(patch)) {
        *why =
            arena_printf(arena, "json: cannot unmarshal %s into Go value of type jsonpatch.Patch",
                         go_kind(patch));
        return NULL;
    }
    struct operation op = {.arena = arena, .document = cJSON_Duplicate(document, true)};
    const cJSON *step;
    cJSON_ArrayForEach(step, patch)
    {
        if (run_operation(&op, step))
            continue;
        *why = op.why;
        cJSON_Delete(op.document);
        return NULL;
    }
    return op.document;
}
