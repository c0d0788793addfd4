/* kubectl patch and replace. Sources: k8s.io/kubectl pkg/cmd/patch/patch.go,
 * pkg/cmd/replace/replace.go. */
#include <errno.h>
#include <string.h>

#include "fakes/kubernetes/api/patch.h"
#include "fakes/kubernetes/kubectl/apply.h"
#include "fakes/kubernetes/kubectl/edit.h"
#include "fakes/kubernetes/text/go_value.h"
#include "fakes/kubernetes/text/manifest.h"

/* ---- patch ---- */

static const char *quoted(struct kubectl *k, const char *text)
{
    struct buf out;
    buf_init(&out, 1 << 20);
    go_quote(&out, text);
    const char *ret = arena_str(k->arena, buf_text(&out));
    buf_release(&out);
    return ret;
}

/* What is sent: text that begins with "{" as it is, whatever it holds; other text is YAML. NULL:
 * said. */
static const char *patch_text(struct kubectl *k)
{
    const char *typed = options_value(&k->options, "patch", "");
    const char *path = options_value(&k->options, "patch-file", "");
    struct buf *file = ARENA_NEW(k->arena, struct buf);
    struct manifest manifest;
    if (*typed && *path) {
        kubectl_error(k, "cannot specify --patch and --patch-file together");
        return NULL;
    }
    if (!*typed && !*path) {
        kubectl_error(k,
                      "must specify --patch or --patch-file containing the contents of the patch");
        return NULL;
    }
    if (*path) {
        buf_init(file, 4 << 20);
        int code = call_load(k->call, path, file);
        typed = code < 0 ? NULL : arena_str(k->arena, buf_text(file));
        buf_release(file);
        if (!typed) {
            kubectl_error(k, "unable to read patch file: open %s: %s", path,
                          code == -EACCES ? "permission denied" : "no such file or directory");
            return NULL;
        }
    }
    if (str_starts(str_trim(str_of(typed)), "{"))
        return typed;
    const char *why = manifest_read(k->arena, str_of(typed), &manifest);
    const char *text = manifest.n ? kubectl_json_text(k, manifest.documents[0]) : "null";
    manifest_release(&manifest);
    if (!why)
        return text;
    static const char prefix[] = "error converting YAML to JSON: ";
    if (!strncmp(why, prefix, sizeof prefix - 1))
        why += sizeof prefix - 1;
    kubectl_error(k, "unable to parse %s: %s", quoted(k, typed), why);
    return NULL;
}

struct patching {
    struct kubectl *k;
    struct resources resources;
    enum dry_run dry_run;
    enum patch_type type;
    const char *text, *cause;
    bool local;
};

/* Without the server: what is in the cluster, or in the file, changed here. */
static void patch_here(struct patching *p, const struct resource *r)
{
    struct kubectl *k = p->k;
    const char *why = NULL;
    const cJSON *before = p->local ? r->json : r->object->json;
    cJSON *patch = json_read(k->arena, p->text, &why), *after = NULL;
    if (!patch) {
        resources_complain(k, &p->resources, "%s", why);
        return;
    }
    kubectl_keep(k, patch);
    if (p->type == PATCH_STRATEGIC && r->kind->custom) {
        resources_complain(k, &p->resources,
                           "strategic merge patch is not supported for %s locally, try --type "
                           "merge",
                           r->kind->name);
        return;
    }
    after = p->type == PATCH_JSON    ? patch_json(k->arena, before, patch, &why)
            : p->type == PATCH_MERGE ? patch_merge(before, patch)
                                     : patch_strategic(k->arena, before, patch, &why);
    if (!after) {
        resources_complain(k, &p->resources, "%s", why);
        return;
    }
    kubectl_keep(k, after);
    kubectl_print_done(k, r->kind, r->name, after, p->dry_run,
                       json_equal(before, after) ? "patched (no change)" : "patched");
}

static void patch_one(struct patching *p, const struct resource *r)
{
    struct kubectl *k = p->k;
    struct api_error error = {0};
    const char *why;
    bool changed = false;
    if (!r->object && !p->local) {
        api_not_found(k->cluster, &error, r->kind, r->name);
        resources_complain_server(k, &p->resources, &error, NULL);
        return;
    }
    if (p->local || p->dry_run == DRY_RUN_CLIENT) {
        patch_here(p, r);
        return;
    }
    kubectl_request(k);
    cJSON *patch = p->type == PATCH_JSON ? NULL : json_read(k->arena, p->text, &why);
    if (patch && cJSON_IsObject(kubectl_keep(k, patch)) &&
        !(p->type == PATCH_STRATEGIC && r->kind->custom))
        kubectl_check_patch(k, VALIDATE_WARN, r->object, patch, p->type == PATCH_STRATEGIC, &error);
    if (!cluster_patch(k->cluster, r->object, p->type, p->text, p->dry_run == DRY_RUN_SERVER,
                       &changed, &error)) {
        resources_complain_server(k, &p->resources, &error, NULL);
        return;
    }
    if (p->cause && p->dry_run == DRY_RUN_NONE) { /* a patch of its own */
        cJSON *noted = kubectl_keep(k, cJSON_CreateObject());
        kubectl_set_cause(noted, p->cause);
        kubectl_request(k);
        cluster_patch(k->cluster, r->object, PATCH_MERGE, kubectl_json_text(k, noted), false, NULL,
                      &error);
    }
    kubectl_print_done(k, r->kind, r->name,
                       p->dry_run == DRY_RUN_SERVER ? cluster_tried(k->cluster) : r->object->json,
                       p->dry_run, changed ? "patched" : "patched (no change)");
}

static bool read_type(struct patching *p)
{
    static const struct {
        const char *name;
        enum patch_type type;
    } types[] = {{"json", PATCH_JSON}, {"merge", PATCH_MERGE}, {"strategic", PATCH_STRATEGIC}};
    const char *typed = options_value(&p->k->options, "type", "strategic");
    for (int i = 0; i < 3; i++) {
        if (strcmp(typed, types[i].name) != 0)
            continue;
        p->type = types[i].type;
        return true;
    }
    kubectl_error(p->k, "--type must be one of [json merge strategic], not \"%s\"", typed);
    return false;
}

int kubectl_patch(struct kubectl *k)
{
    struct patching *p = ARENA_NEW(k->arena, struct patching);
    p->k = k;
    p->local = options_has(&k->options, "local");
    p->cause = kubectl_change_cause(k);
    if (!kubectl_dry_run(k, &p->dry_run) || !kubectl_can_print(k))
        return 1;
    p->text = patch_text(k);
    if (!p->text || !read_type(p))
        return 1;
    if (options_value(&k->options, "subresource", NULL))
        return kubectl_refuse(k, "patch --subresource");
    int failed = kubectl_resources(k, 0, RESOURCES_FILES | RESOURCES_MISSING | RESOURCES_NEED_NAME,
                                   &p->resources);
    if (failed)
        return failed;
    for (int i = 0; i < p->resources.n; i++)
        patch_one(p, &p->resources.at[i]);
    return kubectl_finish(k, &p->resources);
}

/* ---- replace ---- */

struct replacing {
    struct kubectl *k;
    struct resources resources;
    enum dry_run dry_run;
    enum validation validation;
    enum cascade cascade;
    int64_t grace_s, timeout_ns;
};

static void replace_one(struct replacing *p, struct resource *r)
{
    struct kubectl *k = p->k;
    struct api_error error = {0};
    const char *what = kubectl_when(k, "replacing", r);
    const cJSON *shown = r->json;
    if (!*r->name) {
        resources_complain(k, &p->resources, "%s: resource name may not be empty", what);
        return;
    }
    if (options_has(&k->options, "save-config"))
        kubectl_annotate_applied(k, r->json);
    if (p->dry_run != DRY_RUN_CLIENT) {
        kubectl_request(k);
        r->object = cluster_find(k->cluster, r->kind, r->ns, r->name);
        if (!r->object)
            api_not_found(k->cluster, &error, r->kind, r->name);
        if (!r->object || !kubectl_check_fields(k, p->validation, r->kind, r->json, &error) ||
            !cluster_update(k->cluster, r->object, cJSON_Duplicate(r->json, true),
                            p->dry_run == DRY_RUN_SERVER, NULL, &error)) {
            resources_complain_server(k, &p->resources, &error, what);
            return;
        }
        shown = p->dry_run == DRY_RUN_SERVER ? cluster_tried(k->cluster) : r->object->json;
    }
    kubectl_print_done(k, r->kind, r->name, shown, p->dry_run, "replaced");
}

/* --force: all are deleted, then all are made. */
static int replace_by_force(struct replacing *p)
{
    struct kubectl *k = p->k;
    for (int i = 0; i < p->resources.n; i++) {
        struct resource *r = &p->resources.at[i];
        struct object *object = cluster_find(k->cluster, r->kind, r->ns, r->name);
        if (!object)
            continue;
        kubectl_request(k);
        call_out(k->call, "%s \"%s\" %sdeleted\n", kind_qualified_singular(k->arena, r->kind),
                 r->name, p->grace_s ? "" : "force ");
        int gone = kubectl_delete_and_wait(k, object, (int)p->grace_s, p->cascade, p->timeout_ns);
        if (gone != 1)
            return kubectl_error(k, "timed out waiting for the condition");
    }
    for (int i = 0; i < p->resources.n; i++) {
        struct resource *r = &p->resources.at[i];
        struct api_error error = {0};
        const struct object *object = NULL;
        kubectl_request(k);
        if (kubectl_check_fields(k, p->validation, r->kind, r->json, &error))
            object = cluster_create(k->cluster, r->kind, r->ns, cJSON_Duplicate(r->json, true),
                                    false, &error);
        if (object)
            kubectl_print_done(k, r->kind, r->name, object->json, DRY_RUN_NONE, "replaced");
        else
            resources_complain_server(k, &p->resources, &error, NULL);
    }
    return kubectl_finish(k, &p->resources);
}

int kubectl_replace(struct kubectl *k)
{
    struct replacing *p = ARENA_NEW(k->arena, struct replacing);
    bool force = options_has(&k->options, "force");
    p->k = k;
    if (!kubectl_cascade_flag(k, &p->cascade) ||
        !kubectl_int_flag(k, "grace-period", -1, &p->grace_s) ||
        !kubectl_duration_flag(k, "timeout", 0, &p->timeout_ns) ||
        !kubectl_dry_run(k, &p->dry_run) || !kubectl_can_print(k) ||
        !kubectl_validation(k, &p->validation))
        return 1;
    const char *wrong = NULL;
    if (p->grace_s >= 0 && !force)
        wrong = "--grace-period must have --force specified";
    else if (p->timeout_ns && !force)
        wrong = "--timeout must have --force specified";
    else if (!options_value(&k->options, "filename", NULL) &&
             !options_value(&k->options, "kustomize", NULL))
        wrong = "must specify one of -f and -k";
    else if (force && p->dry_run != DRY_RUN_NONE)
        wrong = "--dry-run can not be used when --force is set";
    if (wrong)
        return kubectl_error(k, "%s", wrong);
    if (options_value(&k->options, "raw", NULL) || options_value(&k->options, "subresource", NULL))
        return kubectl_refuse(k, "replace --raw and --subresource");
    int failed = kubectl_resources(k, 0, RESOURCES_FILES | RESOURCES_MISSING, &p->resources);
    if (failed)
        return failed;
    if (!p->resources.n && !p->resources.n_complaints)
        return kubectl_error(k, "no objects passed to replace");
    if (force)
        return replace_by_force(p);
    for (int i = 0; i < p->resources.n; i++)
        replace_one(p, &p->resources.at[i]);
    return kubectl_finish(k, &p->resources);
}
