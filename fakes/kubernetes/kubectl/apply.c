/* kubectl apply. Sources: k8s.io/kubectl pkg/cmd/apply (apply.go, patcher.go), pkg/util/apply.go.
 */
#include "fakes/kubernetes/kubectl/apply.h"

#include <string.h>

#include "fakes/kubernetes/api/patch.h"
#include "fakes/kubernetes/text/manifest.h"

enum { PATCH_RETRIES = 5 };

struct apply {
    struct kubectl *k;
    struct resources resources;
    enum dry_run dry_run;
    enum validation validation;
    enum cascade cascade;
    bool force, server_side, prints_objects;
    int64_t grace_s;
    int64_t timeout_ns;
    const char *manager, *cause;
    cJSON *printed; /* with -o: what is printed at the end */
};

/* One object is done. */
static void done(struct apply *a, const struct resource *r, const cJSON *json, const char *what)
{
    if (a->prints_objects)
        cJSON_AddItemToArray(a->printed, cJSON_Duplicate(json, true));
    else
        kubectl_print_done(a->k, r->kind, json_text(json, "metadata", "name"), json, a->dry_run,
                           what);
}

/* A field with the value null is one that is to be removed: nothing, for an object that is made. */
static void prune_nulls(cJSON *json)
{
    for (cJSON *at = json->child, *next; at; at = next) {
        next = at->next;
        if (cJSON_IsNull(at) && cJSON_IsObject(json))
            cJSON_Delete(cJSON_DetachItemViaPointer(json, at));
        else
            prune_nulls(at);
    }
}

static void fail(struct apply *a, const struct resource *r, const char *doing,
                 const struct api_error *error)
{
    resources_complain_server(a->k, &a->resources, error, kubectl_when(a->k, doing, r));
}

static void create(struct apply *a, const struct resource *r, cJSON *modified, const char *what)
{
    struct kubectl *k = a->k;
    struct api_error error = {0};
    const cJSON *json = modified;
    prune_nulls(modified);
    if (a->dry_run != DRY_RUN_CLIENT) {
        kubectl_request(k);
        if (!kubectl_check_fields(k, a->validation, r->kind, modified, &error)) {
            fail(a, r, "creating", &error);
            return;
        }
        const struct object *object =
            cluster_create(k->cluster, r->kind, r->ns, cJSON_Duplicate(modified, true),
                           a->dry_run == DRY_RUN_SERVER, &error);
        if (!object) {
            fail(a, r, "creating", &error);
            return;
        }
        json = object->json;
    }
    done(a, r, json, what);
}

/* --force: what cannot be patched is deleted and made again; if that cannot be, what was there is.
 */
static void replace(struct apply *a, const struct resource *r, const cJSON *modified)
{
    struct kubectl *k = a->k;
    struct api_error error = {0};
    cJSON *before = kubectl_keep(k, cJSON_Duplicate(r->object->json, true));
    if (kubectl_delete_and_wait(k, r->object, (int)a->grace_s, a->cascade, a->timeout_ns) != 1) {
        resources_complain(k, &a->resources, "%s: timed out waiting for the condition",
                           kubectl_when(k, "applying patch", r));
        return;
    }
    kubectl_request(k);
    const struct object *object =
        cluster_create(k->cluster, r->kind, r->ns, cJSON_Duplicate(modified, true), false, &error);
    if (object) {
        done(a, r, object->json, "configured");
        return;
    }
    struct api_error ignored = {0};
    fail(a, r, "applying patch", &error);
    cluster_create(k->cluster, r->kind, r->ns, cJSON_Duplicate(before, true), false, &ignored);
}

static void fail_patch(struct apply *a, const struct resource *r, const char *patch,
                       const struct api_error *error)
{
    struct kubectl *k = a->k;
    resources_complain_server(
        k, &a->resources, error,
        arena_printf(k->arena,
                     "error when applying patch:\n%s\nto:\n%s\nfor: \"%s\": error when patching "
                     "\"%s\"",
                     patch, kubectl_resource_info(k, r), r->source, r->source));
}

/* The configuration that was applied last; NULL: none. */
static cJSON *original_of(struct kubectl *k, const struct object *object)
{
    const char *why,
        *text = json_text(object->json, "metadata", "annotations", KUBECTL_LAST_APPLIED);
    cJSON *original = text ? json_read(k->arena, text, &why) : NULL;
    return original ? kubectl_keep(k, original) : NULL;
}

/* A conflict is tried again, five times: in vain, if it is the file that names an old
 * resourceVersion. */
static bool send(struct apply *a, struct object *object, const cJSON *patch, const char *text,
                 struct api_error *error)
{
    struct kubectl *k = a->k;
    bool strategic = !object->kind->custom;
    for (int i = 0;; i++) {
        kubectl_request(k);
        if (kubectl_check_patch(k, a->validation, object, patch, strategic, error) &&
            cluster_patch(k->cluster, object, strategic ? PATCH_STRATEGIC : PATCH_MERGE, text,
                          a->dry_run == DRY_RUN_SERVER, NULL, error))
            return true;
        if (error->code != 409 || i == PATCH_RETRIES)
            return false;
        if (i > 0)
            call_sleep(k->call, SECOND);
        kubectl_request(k);
    }
}

static void patch(struct apply *a, struct resource *r, const cJSON *modified)
{
    struct kubectl *k = a->k;
    struct object *object = r->object;
    struct api_error error = {0};
    bool strategic = !r->kind->custom;
    cJSON *original = original_of(k, object);
    if (!json_text(object->json, "metadata", "annotations", KUBECTL_LAST_APPLIED))
        call_err(
            k->call,
            "Warning: resource %s/%s is missing the %s annotation which is required by kubectl "
            "apply. kubectl apply should only be used on resources created declaratively by "
            "either kubectl create --save-config or kubectl apply. The missing annotation will "
            "be patched automatically.\n",
            r->kind->plural, r->name, KUBECTL_LAST_APPLIED);
    cJSON *sent =
        kubectl_keep(k, patch_three_way(k->arena, original, modified, object->json, strategic));
    if (!sent->child) {
        done(a, r, object->json, "unchanged");
        return;
    }
    const char *text = kubectl_json_text(k, sent);
    if (!send(a, object, sent, text, &error)) {
        if (a->force && (error.code == 409 || error.code == 422))
            replace(a, r, modified);
        else
            fail_patch(a, r, text, &error);
        return;
    }
    if (json_at(object->json, "metadata", "deletionTimestamp"))
        call_err(k->call,
                 "Warning: Detected changes to resource %s which is currently being deleted.\n",
                 r->name);
    done(a, r, a->dry_run == DRY_RUN_SERVER ? cluster_tried(k->cluster) : object->json,
         "configured");
}

/* ---- server-side ---- */

/* What a field manager applied last, of which the API server knows the fields alone. */
struct applied {
    const char *uid, *manager;
    const char *json; /* in the run's arena */
    struct applied *next;
};

static struct applied *applied_by(struct apply *a, const struct object *object)
{
    void **slot = env_slot(a->k->call->env, "kubernetes server-side apply");
    const char *uid = json_text(object->json, "metadata", "uid");
    for (struct applied *at = *slot; at; at = at->next)
        if (!strcmp(at->uid, uid) && !strcmp(at->manager, a->manager))
            return at;
    struct arena *arena = cluster_arena(a->k->cluster);
    struct applied *applied = ARENA_NEW(arena, struct applied);
    applied->uid = arena_strdup(arena, uid);
    applied->manager = arena_strdup(arena, a->manager);
    applied->next = *slot;
    *slot = applied;
    return applied;
}

static void remember(struct apply *a, const struct object *object, const cJSON *json)
{
    if (a->dry_run == DRY_RUN_NONE)
        applied_by(a, object)->json =
            arena_strdup(cluster_arena(a->k->cluster), kubectl_json_text(a->k, json));
}

/* Fields that the manager applied before and no longer does go away, all others of the object stay;
 * of which manager they are is not kept, so that there is no conflict. */
static void apply_server_side(struct apply *a, struct resource *r)
{
    struct kubectl *k = a->k;
    struct api_error error = {0};
    const char *what = "serverside-applied", *why;
    bool strategic = !r->kind->custom;
    kubectl_request(k);
    if (!r->object) {
        if (!kubectl_check_fields(k, a->validation, r->kind, r->json, &error)) {
            resources_complain_server(k, &a->resources, &error, NULL);
            return;
        }
        const struct object *object =
            cluster_create(k->cluster, r->kind, r->ns, cJSON_Duplicate(r->json, true),
                           a->dry_run == DRY_RUN_SERVER, &error);
        if (!object) {
            resources_complain_server(k, &a->resources, &error, NULL);
            return;
        }
        remember(a, object, r->json);
        done(a, r, object->json, what);
        return;
    }
    record_observe(k->call->env->record, "not_simulated", k->call->argv[0],
                   "kubectl: conflicts of field managers in server-side apply are not simulated");
    const char *before = applied_by(a, r->object)->json;
    cJSON *original =
        before ? kubectl_keep(k, json_read(k->arena, before, &why)) : original_of(k, r->object);
    cJSON *modified = kubectl_keep(k, cJSON_Duplicate(r->json, true));
    if (json_text(r->object->json, "metadata", "annotations", KUBECTL_LAST_APPLIED))
        kubectl_annotate_applied(k, modified);
    cJSON *sent =
        kubectl_keep(k, patch_three_way(k->arena, original, modified, r->object->json, strategic));
    if (!kubectl_check_patch(k, a->validation, r->object, sent, strategic, &error) ||
        !cluster_patch(k->cluster, r->object, strategic ? PATCH_STRATEGIC : PATCH_MERGE,
                       kubectl_json_text(k, sent), a->dry_run == DRY_RUN_SERVER, NULL, &error)) {
        resources_complain_server(k, &a->resources, &error, NULL);
        return;
    }
    remember(a, r->object, r->json);
    done(a, r, a->dry_run == DRY_RUN_SERVER ? cluster_tried(k->cluster) : r->object->json, what);
}

/* ---- the command ---- */

static void apply_one(struct apply *a, struct resource *r)
{
    struct kubectl *k = a->k;
    const char *prefix = json_text(r->json, "metadata", "generateName");
    if (!*r->name && prefix && *prefix) {
        resources_complain(k, &a->resources, "from %s: cannot use generate name with apply",
                           prefix);
        return;
    }
    if (!*r->name) {
        resources_complain(k, &a->resources,
                           "error when retrieving current configuration of:\n%s\nfrom server for: "
                           "\"%s\": resource name may not be empty",
                           kubectl_resource_info(k, r), r->source);
        return;
    }
    kubectl_request(k);
    r->object = cluster_find(k->cluster, r->kind, r->ns, r->name);
    kubectl_set_cause(r->json, a->cause);
    if (a->server_side) {
        apply_server_side(a, r);
        return;
    }
    cJSON *modified = kubectl_keep(k, cJSON_Duplicate(r->json, true));
    kubectl_annotate_applied(k, modified);
    if (!r->object)
        create(a, r, modified, "created");
    else if (a->dry_run == DRY_RUN_CLIENT)
        done(a, r, r->object->json, "configured");
    else
        patch(a, r, modified);
}

/* Several objects are printed as one list. */
static int print_objects(struct apply *a)
{
    struct kubectl *k = a->k;
    cJSON *printed = a->printed;
    if (!a->prints_objects || !printed->child)
        return 0;
    if (cJSON_GetArraySize(printed) == 1) {
        const cJSON *json = printed->child;
        const struct kind *kind =
            cluster_kind(k->cluster, json_text(json, "kind"), json_text(json, "apiVersion"));
        return kubectl_print_done(k, kind, json_text(json, "metadata", "name"), json, a->dry_run,
                                  "applied");
    }
    cJSON *list = kubectl_keep(k, cJSON_CreateObject());
    json_set_text(list, "apiVersion", "v1");
    json_set(list, "items", cJSON_Duplicate(printed, true));
    json_set_text(list, "kind", "List");
    json_set(list, "metadata", cJSON_CreateObject());
    return kubectl_print_done(k, a->resources.at[0].kind, "", list, a->dry_run, "applied");
}

static bool flags_agree(struct apply *a)
{
    struct kubectl *k = a->k;
    const struct options *options = &k->options;
    const char *wrong = NULL;
    if (a->server_side && a->dry_run == DRY_RUN_CLIENT)
        wrong = "--dry-run=client doesn't work with --server-side (did you mean --dry-run=server "
                "instead?)";
    else if (options_has(options, "force-conflicts") && !a->server_side)
        wrong = "--force-conflicts only works with --server-side";
    else if (a->force && a->server_side)
        wrong = "--force cannot be used with --server-side";
    else if (a->force && a->dry_run == DRY_RUN_SERVER)
        wrong = "--dry-run=server cannot be used with --force";
    else if (options_has(options, "prune") && !options_has(options, "all") &&
             !*options_value(options, "selector", ""))
        wrong = "all resources selected for prune without explicitly passing --all. To prune all "
                "resources, pass the --all flag. If you did not mean to prune all resources, "
                "specify a label selector";
    if (wrong)
        kubectl_error(k, "%s", wrong);
    return !wrong;
}

static const char *not_simulated(const struct options *options)
{
    if (options_has(options, "prune"))
        return "apply --prune";
    if (!strcmp(options_value(options, "overwrite", "true"), "false"))
        return "apply --overwrite=false";
    return options_value(options, "subresource", NULL) ? "apply --subresource" : NULL;
}

static int run_apply(struct kubectl *k)
{
    struct apply *a = ARENA_NEW(k->arena, struct apply);
    const char *format = options_value(&k->options, "output", "");
    a->k = k;
    a->force = options_has(&k->options, "force");
    a->server_side = options_has(&k->options, "server-side");
    a->manager = options_value(&k->options, "field-manager", "kubectl");
    a->cause = kubectl_change_cause(k);
    a->prints_objects = *format && strcmp(format, "name") != 0;
    if (k->n_args)
        return kubectl_usage(k, "Unexpected args: [%s]", k->args[0]);
    if (!kubectl_int_flag(k, "grace-period", -1, &a->grace_s) ||
        !kubectl_duration_flag(k, "timeout", 0, &a->timeout_ns) ||
        !kubectl_dry_run(k, &a->dry_run) || !kubectl_can_print(k) ||
        !kubectl_validation(k, &a->validation) || !kubectl_cascade_flag(k, &a->cascade))
        return 1;
    if (!options_value(&k->options, "filename", NULL) &&
        !options_value(&k->options, "kustomize", NULL))
        return kubectl_error(k, "must specify one of -f and -k");
    if (!flags_agree(a))
        return 1;
    if (not_simulated(&k->options))
        return kubectl_refuse(k, "%s", not_simulated(&k->options));
    int failed = kubectl_resources(k, 0, RESOURCES_FILES | RESOURCES_MISSING, &a->resources);
    if (failed)
        return failed;
    if (!a->resources.n && !a->resources.n_complaints)
        return kubectl_error(k, "no objects passed to apply");
    a->printed = kubectl_keep(k, cJSON_CreateArray());
    for (int i = 0; i < a->resources.n; i++)
        apply_one(a, &a->resources.at[i]);
    failed = print_objects(a);
    return kubectl_finish(k, &a->resources) | failed;
}

/* ---- what was applied last ---- */

static int run_view(struct kubectl *k)
{
    struct resources resources;
    const char *format = options_value(&k->options, "output", "yaml"), *why;
    if (strcmp(format, "yaml") != 0 && strcmp(format, "json") != 0)
        return kubectl_usage(k,
                             "Unexpected -o output mode: %s, the flag 'output' must be one of "
                             "yaml|json",
                             format);
    int failed = kubectl_resources(k, 0, RESOURCES_FILES | RESOURCES_SELECT, &resources);
    if (failed)
        return failed;
    for (int i = 0; i < resources.n; i++) {
        const struct object *object = resources.at[i].object;
        const char *applied =
            object ? json_text(object->json, "metadata", "annotations", KUBECTL_LAST_APPLIED)
                   : NULL;
        cJSON *json = applied ? json_read(k->arena, applied, &why) : NULL;
        if (!json)
            continue;
        kubectl_keep(k, json);
        struct buf text;
        buf_init(&text, 1 << 20);
        (*format == 'y' ? yaml_write : json_write_narrow)(&text, json);
        const char *shown = arena_str(k->arena, buf_text(&text));
        buf_release(&text);
        call_out(k->call, "%s", shown);
    }
    return kubectl_finish(k, &resources);
}

static int run_set(struct kubectl *k)
{
    struct resources resources;
    enum dry_run dry_run;
    if (!kubectl_dry_run(k, &dry_run) || !kubectl_can_print(k))
        return 1;
    int failed = kubectl_resources(k, 0, RESOURCES_FILES, &resources);
    for (int i = 0; !failed && i < resources.n; i++) {
        struct resource *r = &resources.at[i];
        struct api_error error = {0};
        if (!r->object) {
            api_not_found(k->cluster, &error, r->kind, r->name);
            return kubectl_server_error(k, &error, NULL);
        }
        if (!json_text(r->object->json, "metadata", "annotations", KUBECTL_LAST_APPLIED) &&
            !options_has(&k->options, "create-annotation"))
            return kubectl_error(k,
                                 "no last-applied-configuration annotation found on resource: %s, "
                                 "to create the annotation, run the command with "
                                 "--create-annotation",
                                 r->name);
        cJSON *sent = kubectl_keep(k, cJSON_CreateObject());
        json_set_text(json_child(json_child(sent, "metadata"), "annotations"), KUBECTL_LAST_APPLIED,
                      arena_printf(k->arena, "%s\n", kubectl_json_text(k, r->json)));
        kubectl_request(k);
        if (dry_run != DRY_RUN_CLIENT &&
            !cluster_patch(k->cluster, r->object, PATCH_MERGE, kubectl_json_text(k, sent),
                           dry_run == DRY_RUN_SERVER, NULL, &error))
            return kubectl_server_error(k, &error, NULL);
        kubectl_print_done(k, r->kind, r->name, r->object->json, dry_run, "configured");
    }
    return failed ? failed : kubectl_finish(k, &resources);
}

static int run_edit_applied(struct kubectl *k)
{
    return kubectl_refuse(k, "apply edit-last-applied");
}

#define APPLY_FLAGS                                                                                \
    "all cascade=? force force-conflicts grace-period= openapi-patch overwrite prune "             \
    "prune-allowlist= selector|l= server-side subresource= timeout= validate=? wait"

const struct kubectl_command kubectl_apply_commands[] = {
    {"apply",
     APPLY_FLAGS KUBECTL_RECORD_FLAGS KUBECTL_PRINT_FLAGS KUBECTL_FILE_FLAGS KUBECTL_DRY_RUN_FLAGS,
     run_apply},
    {"apply view-last-applied", "all output|o= selector|l=" KUBECTL_FILE_FLAGS, run_view},
    {"apply set-last-applied",
     "create-annotation" KUBECTL_PRINT_FLAGS KUBECTL_FILE_FLAGS KUBECTL_DRY_RUN_FLAGS, run_set},
    {"apply edit-last-applied", KUBECTL_PRINT_FLAGS KUBECTL_FILE_FLAGS, run_edit_applied},
    {NULL, NULL, NULL},
};
