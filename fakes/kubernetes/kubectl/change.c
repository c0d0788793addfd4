/* Changes of objects that a command has read. */
#include "fakes/kubernetes/kubectl/change.h"

#include <string.h>

#include "fakes/kubernetes/api/patch.h"
#include "fakes/kubernetes/text/manifest.h"

cJSON *kubectl_pod_template(const struct kind *kind, cJSON *json)
{
    static const char *const with_template[] = {
        "Deployment", "ReplicaSet", "StatefulSet", "DaemonSet", "Job", "ReplicationController"};
    if (kind->custom)
        return NULL;
    if (strcmp(kind->name, "Pod") == 0)
        return json;
    if (strcmp(kind->name, "CronJob") == 0)
        return json_at(json, "spec", "jobTemplate", "spec", "template");
    for (size_t i = 0; i < sizeof with_template / sizeof *with_template; i++)
        if (strcmp(kind->name, with_template[i]) == 0)
            return json_at(json, "spec", "template");
    return NULL;
}

const char *kubectl_no_pods(struct kubectl *k, const struct kind *kind)
{
    return arena_printf(k->arena, "the object is not a pod or does not have a pod template: *%s.%s",
                        kind->custom ? "unstructured" : kind->version,
                        kind->custom ? "Unstructured" : kind->name);
}

bool kubectl_container_chosen(const char *name, const char *chosen)
{
    const char *star = strchr(chosen, '*');
    if (!star)
        return strcmp(name, chosen) == 0;
    struct str end = str_of(star + 1);
    size_t before = (size_t)(star - chosen);
    return strlen(name) >= before + end.len && strncmp(name, chosen, before) == 0 &&
           str_ends(str_of(name), star + 1);
}

bool kubectl_split_pairs(struct kubectl *k, const char *what, char ***ret_pairs, int *ret_n)
{
    int first = 0;
    for (; first < k->n_args; first++) {
        const char *arg = k->args[first];
        if ((strchr(arg, '=') && arg[0] != '=') ||
            (arg[0] && arg[strlen(arg) - 1] == '-' && arg[1]))
            break;
    }
    for (int i = first; i < k->n_args; i++) {
        const char *arg = k->args[i];
        if ((strchr(arg, '=') && arg[0] != '=') ||
            (arg[0] && arg[strlen(arg) - 1] == '-' && arg[1]))
            continue;
        kubectl_error(k, "all resources must be specified before %s changes: %s", what, arg);
        return false;
    }
    *ret_pairs = k->args + first;
    *ret_n = k->n_args - first;
    k->n_args = first;
    return true;
}

/* k8s.io/cli-runtime pkg/genericclioptions record_flags.go: the program, its arguments, then its
 * flags. */
const char *kubectl_change_cause(struct kubectl *k)
{
    bool given = false;
    const char *cause = arena_printf(k->arena, "kubectl %s", k->command->words);
    for (int i = 0; i < k->n_args; i++)
        cause = arena_printf(k->arena, "%s %s", cause, k->args[i]);
    for (int i = 0; i < k->options.n_given; i++) {
        const struct option *option = &k->options.given[i];
        given = given || strcmp(option->name, "record") == 0;
        cause = arena_printf(k->arena, "%s --%s=%s", cause, option->name, option->value);
    }
    if (given)
        call_err(k->call, "Flag --record has been deprecated, --record will be removed in the "
                          "future\n");
    return options_has(&k->options, "record") ? cause : NULL;
}

void kubectl_set_cause(cJSON *copy, const char *cause)
{
    if (cause)
        json_set_text(json_child(json_child(copy, "metadata"), "annotations"),
                      "kubernetes.io/change-cause", cause);
}

static const char *named(struct kubectl *k, const struct resource *resource, bool qualified)
{
    return qualified ? arena_printf(k->arena, "%s \"%s\"", kind_qualified(k->arena, resource->kind),
                                    resource->name)
                     : arena_printf(k->arena, "%s/%s", resource->kind->plural, resource->name);
}

/* The difference between both, as it is sent; "{}": none. */
static const char *difference(struct kubectl *k, const cJSON *before, const cJSON *after)
{
    struct buf text;
    buf_init(&text, 8 << 20);
    cJSON *patch = patch_three_way(k->arena, before, after, before, true);
    json_compact(&text, patch);
    cJSON_Delete(patch);
    const char *copy = arena_str(k->arena, buf_text(&text));
    buf_release(&text);
    return copy;
}

static void change_one(struct kubectl *k, struct resources *resources, struct resource *resource,
                       const struct kubectl_changes *changes)
{
    struct api_error error = {0};
    struct object *object = resource->object;
    if (!object) { /* of a file, and not in the cluster */
        api_not_found(k->cluster, &error, resource->kind, resource->name);
        resources_complain_server(k, resources, &error, NULL);
        return;
    }
    cJSON *before = kubectl_copy(k, object->json), *after = kubectl_copy(k, before);
    const char *wrong = changes->change(k, resource, after);
    if (wrong) {
        resources_complain(k, resources, "error: %s %s%s", named(k, resource, changes->qualified),
                           wrong, changes->qualified ? "" : "\n");
        return;
    }
    kubectl_set_cause(after, changes->cause);
    const char *patch = difference(k, before, after);
    if (strcmp(patch, "{}") == 0 && !changes->always) {
        if (changes->unchanged)
            resources_complain(k, resources, "failed to create patch for %s: %s", resource->name,
                               changes->unchanged);
        return;
    }
    if (changes->dry_run == DRY_RUN_CLIENT) {
        kubectl_print_done(k, resource->kind, resource->name, after, changes->dry_run,
                           changes->done);
        return;
    }
    kubectl_request(k);
    if (object->gone)
        api_not_found(k->cluster, &error, resource->kind, resource->name);
    else if (cluster_patch(k->cluster, object, PATCH_STRATEGIC, patch,
                           changes->dry_run == DRY_RUN_SERVER, NULL, &error)) {
        kubectl_print_done(
            k, resource->kind, resource->name,
            kubectl_copy(k, changes->dry_run == DRY_RUN_SERVER ? after : object->json),
            changes->dry_run, changes->done);
        return;
    }
    resources_complain(k, resources, "%s%s", changes->failed, error.message);
}

void kubectl_change_all(struct kubectl *k, struct resources *resources,
                        const struct kubectl_changes *changes)
{
    for (int i = 0; i < resources->n; i++)
        change_one(k, resources, &resources->at[i], changes);
}
