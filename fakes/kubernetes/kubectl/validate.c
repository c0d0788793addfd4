/* Flags and checks of the commands that send objects. Wording: k8s.io/kubectl pkg/cmd/util
 * helpers.go; k8s.io/apiserver pkg/endpoints/handlers (patch.go, create.go). */
#include <stdlib.h>
#include <string.h>

#include "fakes/kubernetes/api/patch.h"
#include "fakes/kubernetes/kubectl/apply.h"
#include "fakes/kubernetes/text/go_value.h"
#include "fakes/kubernetes/text/manifest.h"

struct kept {
    cJSON *json;
    struct kept *next;
};

static void delete_kept(void *k)
{
    for (struct kept *at = ((struct kubectl *)k)->kept; at; at = at->next)
        cJSON_Delete(at->json);
}

cJSON *kubectl_keep(struct kubectl *k, cJSON *json)
{
    struct kept *kept = ARENA_NEW(k->arena, struct kept);
    if (!k->kept)
        call_defer(k->call, delete_kept, k);
    *kept = (struct kept){json, k->kept};
    k->kept = kept;
    return json;
}

const char *kubectl_json_text(struct kubectl *k, const cJSON *json)
{
    struct buf text;
    buf_init(&text, 8 << 20);
    json_compact(&text, json);
    const char *ret = arena_str(k->arena, buf_text(&text));
    buf_release(&text);
    return ret;
}

/* ---- flags ---- */

bool kubectl_cascade_flag(struct kubectl *k, enum cascade *ret)
{
    static const char *const names[] = {"background", "foreground", "orphan"};
    const char *typed = options_value(&k->options, "cascade", "background");
    if (!strcmp(typed, "true") || !strcmp(typed, "false")) {
        *ret = *typed == 't' ? CASCADE_BACKGROUND : CASCADE_ORPHAN;
        call_err(k->call,
                 "warning: --cascade=%s is deprecated (boolean value) and can be replaced with "
                 "--cascade=%s.\n",
                 typed, names[*ret]);
        return true;
    }
    for (int i = 0; i < 3; i++) {
        if (strcmp(typed, names[i]) != 0)
            continue;
        *ret = (enum cascade)i;
        return true;
    }
    kubectl_error(k,
                  "invalid cascade value (%s). Must be \"background\", \"foreground\", or "
                  "\"orphan\"",
                  typed);
    return false;
}

bool kubectl_validation(struct kubectl *k, enum validation *ret)
{
    static const struct {
        const char *typed;
        enum validation means;
    } words[] = {{"strict", VALIDATE_STRICT},
                 {"true", VALIDATE_STRICT},
                 {"warn", VALIDATE_WARN},
                 {"ignore", VALIDATE_IGNORE},
                 {"false", VALIDATE_IGNORE}};
    const char *typed = options_value(&k->options, "validate", "strict");
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        if (strcmp(typed, words[i].typed) != 0)
            continue;
        *ret = words[i].means;
        return true;
    }
    kubectl_error(
        k,
        "invalid - validate option \"%s\"; must be one of: strict (or true), warn, ignore "
        "(or false)",
        typed);
    return false;
}

/* ---- fields that the server does not know ---- */

static void warn(struct kubectl *k, const char *unknown)
{
    struct str rest = str_of(unknown);
    while (rest.len) {
        struct str one = str_trim(str_cut(&rest, ','));
        call_err(k->call, "Warning: %.*s\n", STR_ARG(one));
    }
}

bool kubectl_check_fields(struct kubectl *k, enum validation validation, const struct kind *kind,
                          const cJSON *json, struct api_error *error)
{
    const char *unknown =
        validation == VALIDATE_IGNORE ? NULL : admission_unknown_fields(k->arena, kind, json);
    if (!unknown || admission_wrong_type(k->cluster, kind, json, false))
        return true; /* a wrong type is an error of its own, and comes first */
    if (validation == VALIDATE_WARN) {
        warn(k, unknown);
        return true;
    }
    return api_fail(k->cluster, error, 400, "BadRequest",
                    "%s in version \"%s\" cannot be handled as a %s: strict decoding error: %s",
                    kind->name, kind->version, kind->name, unknown);
}

bool kubectl_check_patch(struct kubectl *k, enum validation validation, const struct object *object,
                         const cJSON *patch, bool strategic, struct api_error *error)
{
    const char *why = NULL, *unknown = NULL;
    if (validation == VALIDATE_IGNORE)
        return true;
    cJSON *result = strategic ? patch_strategic(k->arena, object->json, patch, &why)
                              : patch_merge(object->json, patch);
    if (result && !admission_wrong_type(k->cluster, object->kind, result, strategic))
        unknown = admission_unknown_fields(k->arena, object->kind, result);
    const char *text = unknown && !strategic ? kubectl_json_text(k, result) : NULL;
    cJSON_Delete(result);
    if (!unknown)
        return true;
    if (validation == VALIDATE_WARN) {
        warn(k, unknown);
        return true;
    }
    return api_fail(k->cluster, error, 422, "Invalid",
                    " \"\" is invalid: patch: Invalid value: \"%s\": strict decoding error: %s",
                    text ? text : go_value_text(k->arena, patch), unknown);
}

/* ---- what apply leaves in an object ---- */

void kubectl_annotate_applied(struct kubectl *k, cJSON *json)
{
    cJSON *annotations = json_child(json_child(json, "metadata"), "annotations");
    cJSON_DeleteItemFromObjectCaseSensitive(annotations, KUBECTL_LAST_APPLIED);
    json_set_text(annotations, KUBECTL_LAST_APPLIED,
                  arena_printf(k->arena, "%s\n", kubectl_json_text(k, json)));
}

const char *kubectl_when(struct kubectl *k, const char *doing, const struct resource *resource)
{
    return arena_printf(k->arena, "error when %s \"%s\"", doing, resource->source);
}

const char *kubectl_resource_info(struct kubectl *k, const struct resource *resource)
{
    const struct kind *kind = resource->kind;
    return arena_printf(k->arena,
                        "Resource: \"%s/%s, Resource=%s\", GroupVersionKind: \"%s/%s, "
                        "Kind=%s\"\nName: \"%s\", Namespace: \"%s\"",
                        kind->group, kind->version, kind->plural, kind->group, kind->version,
                        kind->name, resource->name, resource->ns);
}
