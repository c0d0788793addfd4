/* The strategic merge patch: one document onto another, lists merged by the keys of their elements
 * (k8s.io/apimachinery pkg/util/strategicpatch; the tags are those of k8s.io/api). */
#include <stdlib.h>
#include <string.h>

#include "fakes/kubernetes/api/patch.h"
#include "fakes/kubernetes/api/patch_strategy.h"
#include "fakes/kubernetes/text/go_value.h"

static const struct strategy strategies[] = {
    {.parent = "metadata", .field = "finalizers", .merge = true},
    {.parent = "metadata", .field = "ownerReferences", .merge_key = "uid", .merge = true},
    /* pods and pod templates */
    {.parent = "spec", .field = "containers", .merge_key = "name", .merge = true},
    {.parent = "spec", .field = "initContainers", .merge_key = "name", .merge = true},
    {.parent = "spec", .field = "ephemeralContainers", .merge_key = "name", .merge = true},
    {.parent = "spec", .field = "volumes", .merge_key = "name", .merge = true, .retain_keys = true},
    {.parent = "spec", .field = "imagePullSecrets", .merge_key = "name", .merge = true},
    {.parent = "spec", .field = "hostAliases", .merge_key = "ip", .merge = true},
    {.parent = "spec",
     .field = "topologySpreadConstraints",
     .merge_key = "topologyKey",
     .merge = true},
    {.parent = "spec", .field = "schedulingGates", .merge_key = "name", .merge = true},
    {.parent = "spec",
     .field = "resourceClaims",
     .merge_key = "name",
     .merge = true,
     .retain_keys = true},
    {.parent = "containers", .field = "ports", .merge_key = "containerPort", .merge = true},
    {.parent = "containers", .field = "env", .merge_key = "name", .merge = true},
    {.parent = "containers", .field = "volumeMounts", .merge_key = "mountPath", .merge = true},
    {.parent = "containers", .field = "volumeDevices", .merge_key = "devicePath", .merge = true},
    {.parent = "status", .field = "podIPs", .merge_key = "ip", .merge = true},
    {.parent = "status", .field = "hostIPs", .merge_key = "ip", .merge = true},
    {.parent = "status", .field = "conditions", .merge_key = "type", .merge = true},
    /* the others */
    {.kind = "Service", .parent = "spec", .field = "ports", .merge_key = "port", .merge = true},
    {.kind = "Deployment", .parent = "spec", .field = "strategy", .retain_keys = true},
    {.kind = "PodDisruptionBudget", .parent = "spec", .field = "selector", .replace = true},
    {.kind = "ServiceAccount",
     .parent = "",
     .field = "secrets",
     .merge_key = "name",
     .merge = true},
    {.kind = "Node", .parent = "status", .field = "addresses", .merge_key = "type", .merge = true},
    {.kind = "Node", .parent = "spec", .field = "podCIDRs", .merge = true},
    {.kind = "MutatingWebhookConfiguration",
     .parent = "",
     .field = "webhooks",
     .merge_key = "name",
     .merge = true},
    {.kind = "ValidatingWebhookConfiguration",
     .parent = "",
     .field = "webhooks",
     .merge_key = "name",
     .merge = true},
};

const struct strategy *patch_strategy(const char *kind, const char *parent, const char *field)
{
    static const struct strategy none;
    if (strcmp(parent, "initContainers") == 0 || strcmp(parent, "ephemeralContainers") == 0)
        parent = "containers";
    for (size_t i = 0; i < sizeof(strategies) / sizeof(strategies[0]); i++) {
        const struct strategy *s = &strategies[i];
        if (strcmp(s->parent, parent) == 0 && strcmp(s->field, field) == 0 &&
            (!s->kind || (kind && strcmp(s->kind, kind) == 0)))
            return s;
    }
    return &none;
}

/* ---- lists ---- */

static const cJSON *identity(const cJSON *element, const char *merge_key)
{
    return merge_key ? cJSON_GetObjectItemCaseSensitive(element, merge_key) : element;
}

/* Where an element stands in a list, -1: nowhere. */
static int index_in(const cJSON *list, const cJSON *element, const char *merge_key)
{
    const cJSON *wanted = identity(element, merge_key), *other;
    int i = 0;
    cJSON_ArrayForEach(other, list)
    {
        const cJSON *id = identity(other, merge_key);
        if (wanted && id && json_equal(wanted, id))
            return i;
        i++;
    }
    return -1;
}

static const char *directive_of(const cJSON *element)
{
    return cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(element, PATCH_DIRECTIVE));
}

static bool deletes(const cJSON *element)
{
    const char *directive = directive_of(element);
    return directive && strcmp(directive, "delete") == 0;
}

void patch_sort(cJSON *list, const cJSON *order, const char *merge_key)
{
    cJSON *sorted = cJSON_CreateArray(), *deletions = cJSON_CreateArray(), *element;
    while ((element = cJSON_DetachItemFromArray(list, 0))) {
        if (deletes(element)) {
            cJSON_AddItemToArray(deletions, element);
            continue;
        }
        int at = index_in(order, element, merge_key), place = 0;
        const cJSON *other;
        cJSON_ArrayForEach(other, sorted)
        {
            if (at >= 0 && index_in(order, other, merge_key) > at)
                break;
            place++;
        }
        json_insert(sorted, place, element);
    }
    while ((element = cJSON_DetachItemFromArray(sorted, 0)))
        cJSON_AddItemToArray(list, element);
    while ((element = cJSON_DetachItemFromArray(deletions, 0)))
        cJSON_AddItemToArray(list, element);
    cJSON_Delete(sorted);
    cJSON_Delete(deletions);
}

static bool broken(struct merging *m, const char *why)
{
    m->why = why;
    return false;
}

static bool has_merge_keys(struct merging *m, const cJSON *list, const char *merge_key)
{
    const cJSON *element;
    cJSON_ArrayForEach(element, list) if (
        !cJSON_GetObjectItemCaseSensitive(
            element,
            merge_key)) return broken(m,
                                      arena_printf(
                                          m->arena,
                                          "map: %s does not contain declared merge key: %s",
                                          go_value_text(m->arena, element), merge_key));
    return true;
}

static bool same_type(const cJSON *a, const cJSON *b)
{
    return (a->type & 0xff) == (b->type & 0xff) || (cJSON_IsBool(a) && cJSON_IsBool(b));
}

/* Elements of both lists are of one type, and that is no list. */
static bool one_type(struct merging *m, const cJSON *a, const cJSON *b)
{
    const cJSON *lists[] = {a, b}, *first = NULL, *element;
    for (int i = 0; i < 2; i++)
        cJSON_ArrayForEach(element, lists[i])
        {
            first = first ? first : element;
            if (cJSON_IsArray(element))
                return broken(m, "lists of lists are not supported");
            if (!same_type(first, element))
                return broken(
                    m, arena_printf(m->arena, "list element types are not identical: [%s %s]",
                                    go_value_text(m->arena, a), go_value_text(m->arena, b)));
        }
    return true;
}

/* Puts `original` in order: what `order` names as it says, what it does not name (of the server
 * alone) where it stood among the rest before. */
static void reorder(cJSON *original, const cJSON *order, const cJSON *before, const char *merge_key)
{
    cJSON *named = cJSON_CreateArray(), *others = cJSON_CreateArray(), *element;
    while ((element = cJSON_DetachItemFromArray(original, 0)))
        cJSON_AddItemToArray(index_in(order, element, merge_key) >= 0 ? named : others, element);
    patch_sort(named, order, merge_key);
    patch_sort(others, before, merge_key);
    while (named->child || others->child) {
        bool other = !named->child;
        if (named->child && others->child) {
            int theirs = index_in(before, others->child, merge_key);
            int ours = index_in(before, named->child, merge_key);
            other = theirs >= 0 && ours >= 0 && theirs < ours;
        }
        cJSON_AddItemToArray(original, cJSON_DetachItemFromArray(other ? others : named, 0));
    }
    cJSON_Delete(named);
    cJSON_Delete(others);
}

static void remove_matching(cJSON *list, const cJSON *element, const char *merge_key)
{
    for (int at; (at = index_in(list, element, merge_key)) >= 0;)
        cJSON_DeleteItemFromArray(list, at);
}

static void clear(cJSON *container)
{
    cJSON_Delete(container->child);
    container->child = NULL;
}

/* What a patch brings into a document that has nothing there yet: without directives and nulls. */
static void drop_directives(cJSON *value)
{
    for (cJSON *child = value->child, *next; child; child = next) {
        next = child->next;
        bool member = cJSON_IsObject(value);
        if (member ? cJSON_IsNull(child) || child->string[0] == '$' : deletes(child))
            cJSON_Delete(cJSON_DetachItemViaPointer(value, child));
        else
            drop_directives(child);
    }
}

/* Carries out the elements of `patch` that are directives, and takes them out of it. */
static bool run_list_directives(struct merging *m, cJSON *original, cJSON *patch,
                                const char *merge_key)
{
    bool replace = false;
    for (cJSON *element = patch->child, *next; element; element = next) {
        next = element->next;
        if (!cJSON_GetObjectItemCaseSensitive(element, PATCH_DIRECTIVE))
            continue;
        const char *directive = directive_of(element);
        if (directive && strcmp(directive, "delete") == 0) {
            if (!identity(element, merge_key))
                return broken(m, arena_printf(m->arena,
                                              "map: %s does not contain declared merge key: %s",
                                              go_value_text(m->arena, element), merge_key));
            remove_matching(original, element, merge_key);
        } else if (directive && strcmp(directive, "replace") == 0) {
            replace = true;
        } else if (directive && strcmp(directive, "merge") == 0) {
            return broken(m, "merging lists cannot yet be specified in the patch");
        } else {
            return broken(m, arena_printf(m->arena, "unknown patch type %s in map %s",
                                          directive ? directive : "<nil>",
                                          go_value_text(m->arena, element)));
        }
        cJSON_Delete(cJSON_DetachItemViaPointer(patch, element));
    }
    if (!replace)
        return true;
    clear(original);
    while (patch->child)
        cJSON_AddItemToArray(original, cJSON_DetachItemFromArray(patch, 0));
    return true;
}

static bool merge_list_of_objects(struct merging *m, cJSON *original, cJSON *patch,
                                  const char *field, const char *merge_key)
{
    if (!merge_key)
        return broken(m, "cannot merge lists without merge key for type struct");
    if (!run_list_directives(m, original, patch, merge_key) || !has_merge_keys(m, patch, merge_key))
        return false;
    cJSON *order = cJSON_Duplicate(patch, true), *before = cJSON_Duplicate(original, true);
    bool ok = true;
    while (ok && patch->child) {
        cJSON *element = cJSON_DetachItemFromArray(patch, 0);
        int at = index_in(original, element, merge_key);
        if (at < 0) {
            if (m->onto_document)
                drop_directives(element);
            cJSON_AddItemToArray(original, element);
            continue;
        }
        ok = patch_merge_objects(m, cJSON_GetArrayItem(original, at), element, field);
        cJSON_Delete(element);
    }
    ok = ok && has_merge_keys(m, original, merge_key);
    if (ok)
        reorder(original, order, before, merge_key);
    cJSON_Delete(order);
    cJSON_Delete(before);
    return ok;
}

static void merge_list_of_values(cJSON *original, cJSON *patch)
{
    cJSON *order = cJSON_Duplicate(patch, true), *before = cJSON_Duplicate(original, true), *value;
    while ((value = cJSON_DetachItemFromArray(patch, 0))) {
        if (index_in(original, value, NULL) < 0)
            cJSON_AddItemToArray(original, value);
        else
            cJSON_Delete(value);
    }
    reorder(original, order, before, NULL);
    cJSON_Delete(order);
    cJSON_Delete(before);
}

static bool merge_lists(struct merging *m, cJSON *original, cJSON *patch, const char *field,
                        const struct strategy *strategy)
{
    const cJSON *sample = original->child ? original->child : patch->child;
    if (!one_type(m, original, patch))
        return false;
    if (cJSON_IsObject(sample))
        return merge_list_of_objects(m, original, patch, field, strategy->merge_key);
    if (sample)
        merge_list_of_values(original, patch);
    return true;
}

/* ---- directives in objects ---- */

static bool run_retain_keys(struct merging *m, cJSON *original, cJSON *patch)
{
    cJSON *keys = cJSON_DetachItemFromObjectCaseSensitive(patch, PATCH_RETAIN_KEYS);
    if (!keys)
        return true;
    if (!m->onto_document) {
        cJSON_DeleteItemFromObjectCaseSensitive(original, PATCH_RETAIN_KEYS);
        cJSON_AddItemToObject(original, PATCH_RETAIN_KEYS, keys);
        return true;
    }
    bool ok = cJSON_IsArray(keys);
    struct cJSON name = {.type = cJSON_String};
    for (const cJSON *member = patch->child; ok && member; member = member->next) {
        name.valuestring = member->string;
        ok = cJSON_IsNull(member) || member->string[0] == '$' || index_in(keys, &name, NULL) >= 0;
    }
    for (cJSON *member = original->child, *next; ok && member; member = next) {
        next = member->next;
        name.valuestring = member->string;
        if (index_in(keys, &name, NULL) < 0)
            cJSON_Delete(cJSON_DetachItemViaPointer(original, member));
    }
    cJSON_Delete(keys);
    return ok || broken(m, "invalid patch format of retainKeys");
}

/* Each element of `patch` stands in `order`, one behind the other. */
static bool follows_order(struct merging *m, const cJSON *patch, const cJSON *order,
                          const char *merge_key)
{
    int last = -1;
    const cJSON *element;
    if (!order->child)
        return true;
    cJSON_ArrayForEach(element, patch)
    {
        if (directive_of(element))
            continue;
        int at = index_in(order, element, merge_key);
        if (at <= last)
            return broken(m, arena_printf(m->arena,
                                          "The order in patch list:\n%s\n doesn't match "
                                          "$setElementOrder list:\n%s\n",
                                          go_value_text(m->arena, patch),
                                          go_value_text(m->arena, order)));
        last = at;
    }
    return true;
}

static bool set_element_order(struct merging *m, cJSON *original, cJSON *patch, const cJSON *order,
                              const char *parent)
{
    const char *field = order->string + strlen(PATCH_ELEMENT_ORDER);
    const struct strategy *strategy = patch_strategy(m->kind, parent, field);
    cJSON *list = cJSON_GetObjectItemCaseSensitive(original, field);
    cJSON *changes = cJSON_GetObjectItemCaseSensitive(patch, field);
    if (!cJSON_IsArray(order) || (list && !cJSON_IsArray(list)) ||
        (changes && !cJSON_IsArray(changes)))
        return broken(m, "invalid patch format of setElementOrder list");
    if (changes && !follows_order(m, changes, order, strategy->merge_key))
        return false;
    if (!list && !changes)
        return true;
    cJSON *before = list ? cJSON_Duplicate(list, true) : cJSON_CreateArray();
    bool ok = true;
    if (!list) {
        list = cJSON_DetachItemViaPointer(patch, changes);
        if (m->onto_document)
            drop_directives(list);
        cJSON_AddItemToObject(original, field, list);
    } else if (changes) {
        cJSON_DetachItemViaPointer(patch, changes);
        ok = strategy->merge ? merge_lists(m, list, changes, field, strategy)
                             : broken(m, "invalid patch format of setElementOrder list");
        cJSON_Delete(changes);
    }
    if (ok && strategy->merge_key)
        ok = has_merge_keys(m, list, strategy->merge_key);
    if (ok)
        reorder(list, order, before, strategy->merge_key);
    cJSON_Delete(before);
    return ok;
}

static bool starts_with(const char *text, const char *prefix)
{
    return strncmp(text, prefix, strlen(prefix)) == 0;
}

static bool run_element_orders(struct merging *m, cJSON *original, cJSON *patch, const char *parent)
{
    bool ok = true;
    for (cJSON *member = patch->child; ok && member;) {
        if (!starts_with(member->string, PATCH_ELEMENT_ORDER)) {
            member = member->next;
            continue;
        }
        cJSON *order = cJSON_DetachItemViaPointer(patch, member);
        ok = set_element_order(m, original, patch, order, parent);
        if (m->onto_document) {
            cJSON_Delete(order);
        } else {
            char *name = arena_strdup(m->arena, order->string);
            cJSON_DeleteItemFromObjectCaseSensitive(original, name);
            cJSON_AddItemToObject(original, name, order);
        }
        member = patch->child; /* the list itself may be gone too */
    }
    return ok;
}

/* "$patch" in an object: true if there is one, and then it is done. */
static bool run_object_directive(struct merging *m, cJSON *original, cJSON *patch)
{
    if (!cJSON_GetObjectItemCaseSensitive(patch, PATCH_DIRECTIVE))
        return false;
    const char *directive = directive_of(patch);
    bool replace = directive && strcmp(directive, "replace") == 0;
    if (!replace && !deletes(patch)) {
        m->why = arena_printf(m->arena, "unknown patch type %s in map %s",
                              directive ? directive : "<nil>", go_value_text(m->arena, patch));
        return true;
    }
    clear(original);
    cJSON_DeleteItemFromObjectCaseSensitive(patch, PATCH_DIRECTIVE);
    for (cJSON *member; replace && (member = patch->child);) {
        cJSON_DetachItemViaPointer(patch, member);
        char *name = arena_strdup(m->arena, member->string);
        cJSON_AddItemToObject(original, name, member);
    }
    return true;
}

/* ---- the merge ---- */

static bool merge_member(struct merging *m, cJSON *original, cJSON *value, const char *name,
                         const char *parent)
{
    bool removal = starts_with(name, PATCH_DELETE_PRIMITIVE) && m->onto_document;
    const char *field = removal ? name + strlen(PATCH_DELETE_PRIMITIVE) : name;
    cJSON *present = cJSON_GetObjectItemCaseSensitive(original, field);
    if (cJSON_IsNull(value)) {
        cJSON_DeleteItemFromObjectCaseSensitive(original, field);
        if (m->onto_document)
            cJSON_Delete(value);
        else
            cJSON_AddItemToObject(original, field, value);
        return true;
    }
    const struct strategy *strategy = patch_strategy(m->kind, parent, field);
    bool ok = true;
    if (removal) {
        const cJSON *element;
        cJSON_ArrayForEach(element, value) remove_matching(present, element, NULL);
    } else if (cJSON_IsObject(present) && cJSON_IsObject(value) && !strategy->replace) {
        ok = patch_merge_objects(m, present, value, field);
    } else if (cJSON_IsArray(present) && cJSON_IsArray(value) && strategy->merge) {
        ok = merge_lists(m, present, value, field, strategy);
    } else {
        if (m->onto_document)
            drop_directives(value);
        cJSON_DeleteItemFromObjectCaseSensitive(original, field);
        cJSON_AddItemToObject(original, field, value);
        return true;
    }
    cJSON_Delete(value);
    return ok;
}

bool patch_merge_objects(struct merging *m, cJSON *original, cJSON *patch, const char *parent)
{
    if (run_object_directive(m, original, patch))
        return !m->why;
    if (!run_retain_keys(m, original, patch) || !run_element_orders(m, original, patch, parent))
        return false;
    bool ok = true;
    while (ok && patch->child) {
        cJSON *value = cJSON_DetachItemViaPointer(patch, patch->child);
        ok = merge_member(m, original, value, arena_strdup(m->arena, value->string), parent);
    }
    return ok;
}

cJSON *patch_strategic(struct arena *arena, const cJSON *document, const cJSON *patch,
                       const char **why)
{
    if (!cJSON_IsObject(patch)) {
        *why = "invalid JSON document";
        return NULL;
    }
    struct merging m = {
        .arena = arena,
        .kind = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(document, "kind")),
        .onto_document = true,
    };
    cJSON *merged = cJSON_Duplicate(document, true), *changes = cJSON_Duplicate(patch, true);
    bool ok = patch_merge_objects(&m, merged, changes, "");
    cJSON_Delete(changes);
    if (ok)
        return merged;
    cJSON_Delete(merged);
    *why = m.why;
    return NULL;
}
