/* kubectl rollout: pause, resume, restart, undo (k8s.io/kubectl pkg/polymorphichelpers rollback.go,
 * objectpauser.go, objectresumer.go, objectrestarter.go). */
#include "fakes/kubernetes/kubectl/rollout.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "fakes/kubernetes/api/patch.h"
#include "fakes/kubernetes/kubectl/description.h"

/* ---- revisions ---- */

static bool has_revisions(const struct kind *kind)
{
    return strcmp(kind->group, "apps") == 0 &&
           (strcmp(kind->name, "Deployment") == 0 || strcmp(kind->name, "StatefulSet") == 0 ||
            strcmp(kind->name, "DaemonSet") == 0);
}

static bool owned_by(const struct object *object, const struct object *owner)
{
    const char *uid = json_text(owner->json, "metadata", "uid");
    const cJSON *one;
    cJSON_ArrayForEach(one, json_at(object->json, "metadata", "ownerReferences"))
    {
        const char *its = json_text(one, "uid");
        if (its && uid && strcmp(its, uid) == 0 &&
            cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(one, "controller")))
            return true;
    }
    return false;
}

static int by_number(const void *a, const void *b)
{
    const struct revision *x = a, *y = b;
    return x->number < y->number ? -1 : x->number > y->number;
}

struct revision *rollout_revisions(struct kubectl *k, const struct object *workload, int *ret_n)
{
    bool deployment = strcmp(workload->kind->name, "Deployment") == 0;
    const struct kind *kind =
        cluster_kind(k->cluster, deployment ? "ReplicaSet" : "ControllerRevision", "apps/v1");
    struct object **all = cluster_list(k->cluster, k->arena, kind, workload->ns, NULL, NULL);
    int count = 0, n = 0;
    while (all[count])
        count++;
    struct revision *revisions = ARENA_ARRAY(k->arena, struct revision, count + 1);
    for (int i = 0; i < count; i++) {
        if (!owned_by(all[i], workload))
            continue;
        struct revision *one = &revisions[n];
        const char *number =
            json_text(all[i]->json, "metadata", "annotations", "deployment.kubernetes.io/revision");
        one->object = all[i];
        if (deployment && (!number || !str_int64(str_of(number), &one->number)))
            continue;
        if (!deployment)
            one->number = json_int(all[i]->json, "revision", 0);
        const cJSON *template = deployment ? json_at(all[i]->json, "spec", "template")
                                           : json_at(all[i]->json, "data", "spec", "template");
        one->template = kubectl_copy(k, template);
        cJSON_DeleteItemFromObjectCaseSensitive(one->template, "$patch");
        n++;
    }
    qsort(revisions, (size_t)n, sizeof *revisions, by_number);
    *ret_n = n;
    return revisions;
}

/* "error retrieving history for \"Service\", ..." of a kind that has none. */
static const char *not_for(struct kubectl *k, const struct kind *kind, const char *what,
                           const char *retrieving)
{
    static const char *const known[] = {"ReplicaSet", "ReplicationController", "Job", "Pod",
                                        "CronJob"};
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (strcmp(kind->name, known[i]) == 0)
            return arena_printf(k->arena, "no %s has been implemented for \"%s%s%s\"", what,
                                kind->name, *kind->group ? "." : "", kind->group);
    return arena_printf(
        k->arena, "error retrieving %s for \"%s%s%s\", no visitor method exists for {%s %s}",
        retrieving, kind->name, *kind->group ? "." : "", kind->group, kind->group, kind->name);
}

/* ---- undo ---- */

/* What a Deployment keeps of its own when it takes a revision's annotations. */
static bool stays(const char *annotation)
{
    static const char *const names[] = {
        "kubectl.kubernetes.io/last-applied-configuration",
        "deployment.kubernetes.io/revision",
        "deployment.kubernetes.io/revision-history",
        "deployment.kubernetes.io/desired-replicas",
        "deployment.kubernetes.io/max-replicas",
        "deprecated.deployment.rollback.to",
    };
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (strcmp(annotation, names[i]) == 0)
            return true;
    return false;
}

static void without_hash(cJSON *template)
{
    cJSON *labels = json_at(template, "metadata", "labels");
    cJSON_DeleteItemFromObjectCaseSensitive(labels, "pod-template-hash");
    if (labels && !labels->child)
        cJSON_DeleteItemFromObjectCaseSensitive(json_at(template, "metadata"), "labels");
}

static void add_operation(cJSON *patch, const char *path, cJSON *value)
{
    cJSON *operation = cJSON_CreateObject();
    cJSON_AddStringToObject(operation, "op", "replace");
    cJSON_AddStringToObject(operation, "path", path);
    cJSON_AddItemToObject(operation, "value", value);
    cJSON_AddItemToArray(patch, operation);
}

static cJSON *undo_patch(struct kubectl *k, const struct object *workload,
                         const struct revision *revision)
{
    if (strcmp(workload->kind->name, "Deployment") != 0)
        return kubectl_copy(k, json_at(revision->object->json, "data"));
    cJSON *patch = cJSON_CreateArray(), *annotations = cJSON_CreateObject();
    const cJSON *one;
    cJSON_ArrayForEach(one,
                       json_at(workload->json, "metadata", "annotations")) if (stays(one->string))
        cJSON_AddItemToObject(annotations, one->string, cJSON_Duplicate(one, true));
    cJSON_ArrayForEach(
        one, json_at(revision->object->json, "metadata", "annotations")) if (!stays(one->string))
        cJSON_AddItemToObject(annotations, one->string, cJSON_Duplicate(one, true));
    add_operation(patch, "/spec/template", cJSON_Duplicate(revision->template, true));
    add_operation(patch, "/metadata/annotations", annotations);
    cJSON *copy = kubectl_copy(k, patch);
    cJSON_Delete(patch);
    return copy;
}

/* The revision to go back to: `number`, or with 0 the one before the last. NULL: *why. */
static const struct revision *choose(struct kubectl *k, const struct object *workload,
                                     const struct revision *revisions, int n, int64_t number,
                                     const char **why)
{
    bool deployment = strcmp(workload->kind->name, "Deployment") == 0;
    if (number == 0 && n >= 2)
        return &revisions[n - 2];
    for (int i = 0; i < n && number > 0; i++)
        if (revisions[i].number == number)
            return &revisions[i];
    if (number)
        *why = arena_printf(k->arena, "unable to find specified revision %" PRId64 " in history",
                            number);
    else if (deployment)
        *why = arena_printf(k->arena, "no rollout history found for deployment \"%s\"",
                            workload->name);
    else
        *why = "no last revision to roll back to";
    return NULL;
}

static bool paused(const cJSON *json)
{
    return cJSON_IsTrue(json_at(json, "spec", "paused"));
}

static const char *described(struct kubectl *k, const cJSON *template)
{
    struct buf text;
    buf_init(&text, 1 << 20);
    describe_pod_template(k->arena, template, &text);
    const char *copy = arena_str(k->arena, buf_text(&text));
    buf_release(&text);
    return copy;
}

struct undoing {
    struct resources *resources;
    int64_t to;
    enum dry_run dry_run;
};

/* What was done, or NULL and a complaint. */
static const char *undo(struct kubectl *k, const struct undoing *u, struct object *workload)
{
    int n;
    const char *why = NULL;
    struct api_error error = {0};
    kubectl_request(k);
    struct revision *revisions = rollout_revisions(k, workload, &n);
    const struct revision *revision = choose(k, workload, revisions, n, u->to, &why);
    if (!why && u->dry_run == DRY_RUN_CLIENT)
        return described(k, revision->template);
    if (!why && paused(workload->json))
        why = "you cannot rollback a paused deployment; resume it first with 'kubectl rollout "
              "resume' and try again";
    if (why) {
        resources_complain(k, u->resources, "%s", why);
        return NULL;
    }
    cJSON *now = kubectl_copy(k, json_at(workload->json, "spec", "template"));
    without_hash(now);
    without_hash(revision->template);
    if (json_equal(now, revision->template))
        return arena_printf(
            k->arena, "skipped rollback (current template already matches revision %" PRId64 ")",
            u->to);
    char *text = cJSON_PrintUnformatted(undo_patch(k, workload, revision));
    const char *patch = arena_strdup(k->arena, text);
    cJSON_free(text);
    kubectl_request(k);
    enum patch_type type =
        strcmp(workload->kind->name, "Deployment") == 0 ? PATCH_JSON : PATCH_STRATEGIC;
    if (cluster_patch(k->cluster, workload, type, patch, u->dry_run == DRY_RUN_SERVER, NULL,
                      &error))
        return "rolled back";
    resources_complain(k, u->resources, "failed restoring revision %" PRId64 ": %s", u->to,
                       error.message);
    return NULL;
}

bool rollout_is_kept(struct kubectl *k, struct resources *resources, const struct resource *r,
                     const char *who, const char *what)
{
    struct api_error error;
    if (!has_revisions(r->kind)) {
        resources_complain(k, resources, "%s", not_for(k, r->kind, who, what));
        return false;
    }
    if (r->object && !r->object->gone)
        return true;
    api_not_found(k->cluster, &error, r->kind, r->name);
    resources_complain_server(k, resources, &error, NULL);
    return false;
}

int kubectl_rollout_undo(struct kubectl *k)
{
    struct resources resources;
    struct undoing u = {.resources = &resources};
    if (!kubectl_int_flag(k, "to-revision", 0, &u.to) || !kubectl_dry_run(k, &u.dry_run) ||
        !kubectl_can_print(k))
        return 1;
    if (k->n_args == 0 && !options_value(&k->options, "filename", NULL))
        return kubectl_error(k, "required resource not specified");
    int failed = kubectl_resources(k, 0, RESOURCES_FILES | RESOURCES_SELECT, &resources);
    if (failed)
        return failed;
    for (int i = 0; i < resources.n; i++) {
        const struct resource *r = &resources.at[i];
        if (rollout_is_kept(k, &resources, r, "rollbacker", "rollbacker")) {
            const cJSON *before = kubectl_copy(k, r->object->json);
            const char *done = undo(k, &u, r->object);
            if (done)
                kubectl_print_done(k, r->kind, r->name, before, u.dry_run, done);
        }
    }
    return kubectl_finish(k, &resources);
}

/* ---- pause, resume, restart ---- */

static const char *pause(struct kubectl *k, const struct resource *resource, cJSON *copy)
{
    (void)k;
    if (strcmp(resource->kind->name, "Deployment") != 0)
        return "pausing is not supported";
    if (paused(copy))
        return "is already paused";
    json_set(json_child(copy, "spec"), "paused", cJSON_CreateTrue());
    return NULL;
}

static const char *resume(struct kubectl *k, const struct resource *resource, cJSON *copy)
{
    (void)k;
    if (strcmp(resource->kind->name, "Deployment") != 0)
        return "resuming is not supported";
    if (!paused(copy))
        return "is not paused";
    cJSON_DeleteItemFromObjectCaseSensitive(json_child(copy, "spec"), "paused");
    return NULL;
}

/* The time is the client's, in whole seconds: twice in one second is no change. */
static const char *restart(struct kubectl *k, const struct resource *resource, cJSON *copy)
{
    if (!has_revisions(resource->kind))
        return "restarting is not supported";
    if (paused(copy))
        return "can't restart paused deployment (run rollout resume first)";
    cJSON *metadata = json_child(kubectl_pod_template(resource->kind, copy), "metadata");
    json_set_text(json_child(metadata, "annotations"), "kubectl.kubernetes.io/restartedAt",
                  cluster_stamp(k->cluster, k->arena, call_now(k->call)));
    return NULL;
}

static int change(struct kubectl *k, kubectl_changer *changer, const char *done,
                  const char *unchanged)
{
    struct resources resources;
    if (!kubectl_can_print(k))
        return 1;
    if (k->n_args == 0 && !options_value(&k->options, "filename", NULL))
        return kubectl_error(k, "required resource not specified");
    int failed = kubectl_resources(k, 0, RESOURCES_FILES | RESOURCES_SELECT, &resources);
    if (failed)
        return failed;
    if (resources.n == 0 && resources.n_complaints == 0)
        call_err(k->call, "No resources found in %s namespace.\n", k->ns);
    kubectl_change_all(k, &resources,
                       &(struct kubectl_changes){.change = changer,
                                                 .done = done,
                                                 .qualified = true,
                                                 .unchanged = unchanged,
                                                 .failed = "failed to patch: "});
    return kubectl_finish(k, &resources);
}

static int run_pause(struct kubectl *k)
{
    return change(k, pause, "paused", NULL);
}

static int run_resume(struct kubectl *k)
{
    return change(k, resume, "resumed", NULL);
}

static int run_restart(struct kubectl *k)
{
    return change(k, restart, "restarted",
                  "if restart has already been triggered within the past second, please wait "
                  "before attempting to trigger another");
}

#define COMMON KUBECTL_FILE_FLAGS " selector|l="

const struct kubectl_command kubectl_rollout_commands[] = {
    {"rollout status", "revision= timeout= watch|w" COMMON, kubectl_rollout_status},
    {"rollout history", "revision=" COMMON KUBECTL_PRINT_FLAGS, kubectl_rollout_history},
    {"rollout undo", "to-revision=" COMMON KUBECTL_DRY_RUN_FLAGS KUBECTL_PRINT_FLAGS,
     kubectl_rollout_undo},
    {"rollout pause", COMMON KUBECTL_PRINT_FLAGS, run_pause},
    {"rollout resume", COMMON KUBECTL_PRINT_FLAGS, run_resume},
    {"rollout restart", COMMON KUBECTL_PRINT_FLAGS, run_restart},
    {NULL, NULL, NULL},
};
