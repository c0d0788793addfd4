/* kubectl scale and autoscale (k8s.io/kubectl pkg/cmd/scale, pkg/scale, pkg/cmd/autoscale). */
#include <inttypes.h>
#include <string.h>

#include "fakes/kubernetes/kubectl/change.h"
#include "fakes/kubernetes/kubectl/expose.h"

/* Kinds that have a scale of their own. */
static bool is_scalable(struct cluster *cluster, const struct kind *kind)
{
    static const char *const names[] = {"Deployment", "ReplicaSet", "StatefulSet",
                                        "ReplicationController"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (!kind->custom && strcmp(kind->name, names[i]) == 0)
            return true;
    if (!kind->custom)
        return false;
    struct arena arena = {0};
    const struct object *definition =
        cluster_find_named(cluster, "CustomResourceDefinition", "", kind_qualified(&arena, kind));
    bool found = false;
    const cJSON *version, *versions = NULL;
    if (definition)
        versions = json_at(definition->json, "spec", "versions");
    cJSON_ArrayForEach(version, versions) if (json_at(version, "subresources", "scale")) found =
        true;
    arena_release(&arena);
    return found;
}

struct scaling {
    int64_t replicas, current, timeout_ns;
    const char *version; /* --resource-version */
    enum dry_run dry_run;
};

static int64_t replicas_of(const cJSON *json)
{
    return json_int(json_at(json, "spec"), "replicas", 1);
}

/* The preconditions: NULL, or what is wrong. */
static const char *unexpected(struct kubectl *k, const struct scaling *s, const cJSON *json)
{
    const char *version = json_text(json, "metadata", "resourceVersion");
    if (s->current >= 0 && replicas_of(json) != s->current)
        return arena_printf(k->arena, "Expected replicas to be %" PRId64 ", was %" PRId64,
                            s->current, replicas_of(json));
    if (*s->version && (!version || strcmp(version, s->version) != 0))
        return arena_printf(k->arena, "Expected resource version to be %s, was %s", s->version,
                            version ? version : "");
    return NULL;
}

/* Until as many pods are there as were asked for. 0, 1 the time is up, 130 a signal. */
static int wait_for_pods(struct kubectl *k, const struct scaling *s, const struct object *object)
{
    int64_t until = call_now(k->call) + s->timeout_ns;
    while (json_int(json_at(object->json, "status"), "replicas", 0) != s->replicas ||
           json_int(json_at(object->json, "status"), "observedGeneration", 0) <
               json_int(json_at(object->json, "metadata"), "generation", 0)) {
        if (call_now(k->call) >= until)
            return 1;
        if (call_sleep(k->call, SECOND))
            return 130;
    }
    return 0;
}

static int scale(struct kubectl *k, struct resources *resources, const struct scaling *s,
                 const struct resource *r)
{
    struct api_error error = {0};
    const cJSON *before = kubectl_copy(k, r->object->json);
    const char *patch =
        arena_printf(k->arena, "{\"spec\":{\"replicas\":%" PRId64 "}}", s->replicas);
    if (s->dry_run != DRY_RUN_CLIENT) {
        kubectl_request(k);
        const char *why = unexpected(k, s, r->object->json);
        if (why) {
            resources_complain(k, resources, "%s", why);
            return 0;
        }
        bool done = is_scalable(k->cluster, r->kind) && !r->object->gone;
        if (!done)
            api_fail(k->cluster, &error, 404, "NotFound",
                     "the server could not find the requested resource");
        else
            done = cluster_patch(k->cluster, r->object, PATCH_MERGE, patch,
                                 s->dry_run == DRY_RUN_SERVER, NULL, &error);
        if (!done) {
            resources_complain_server(k, resources, &error, NULL);
            return 0;
        }
        int waited = s->timeout_ns > 0 ? wait_for_pods(k, s, r->object) : 0;
        if (waited == 130)
            return 130;
        if (waited) {
            resources_complain(k, resources, "timed out waiting for \"%s\" to be synced", r->name);
            return 0;
        }
    }
    kubectl_print_done(k, r->kind, r->name, before, s->dry_run, "scaled");
    return 0;
}

/* "no objects passed to scale [deployments.apps "a" not found, ...]" */
static int nothing_to_scale(struct kubectl *k, const struct resources *resources)
{
    const char *text = "";
    for (int i = 0; i < resources->n_complaints; i++) {
        const struct complaint *one = &resources->complaints[i];
        const char *plain = one->server ? strstr(one->text, "): ") : NULL;
        text = arena_printf(k->arena, "%s%s%s", text, i ? ", " : "", plain ? plain + 3 : one->text);
    }
    bool several = resources->n_complaints > 1;
    return kubectl_error(k, "no objects passed to scale%s%s%s%s", *text ? " " : "",
                         several ? "[" : "", text, several ? "]" : "");
}

static int run_scale(struct kubectl *k)
{
    struct scaling s;
    struct resources resources;
    if (!options_value(&k->options, "replicas", NULL))
        return kubectl_error(k, "required flag(s) \"replicas\" not set");
    if (!kubectl_int_flag(k, "replicas", 0, &s.replicas) ||
        !kubectl_int_flag(k, "current-replicas", -1, &s.current) ||
        !kubectl_duration_flag(k, "timeout", 0, &s.timeout_ns) || !kubectl_can_print(k))
        return 1;
    s.version = options_value(&k->options, "resource-version", "");
    const char *cause = kubectl_change_cause(k);
    (void)cause; /* the scale has no annotations */
    if (s.replicas < 0)
        return kubectl_error(k, "The --replicas=COUNT flag is required, and COUNT must be greater "
                                "than or equal to 0");
    if (!kubectl_dry_run(k, &s.dry_run))
        return 1;
    int failed = kubectl_resources(k, 0, RESOURCES_FILES | RESOURCES_SELECT | RESOURCES_NEED_NAME,
                                   &resources);
    if (failed)
        return failed;
    int found = 0;
    for (int i = 0; i < resources.n; i++) {
        struct api_error error;
        if (resources.at[i].object) {
            found++;
            if (scale(k, &resources, &s, &resources.at[i]) == 130)
                return 1;
        } else {
            api_not_found(k->cluster, &error, resources.at[i].kind, resources.at[i].name);
            resources_complain_server(k, &resources, &error, NULL);
        }
    }
    return found ? kubectl_finish(k, &resources) : nothing_to_scale(k, &resources);
}

/* ---- autoscale ---- */

static cJSON *autoscaler(struct kubectl *k, const struct resource *r, const char *name,
                         int64_t least, int64_t most, int64_t percent)
{
    cJSON *json = cJSON_CreateObject(), *spec = json_child(json, "spec");
    cJSON *target = json_child(spec, "scaleTargetRef");
    json_set_text(json, "apiVersion", "autoscaling/v2");
    json_set_text(json, "kind", "HorizontalPodAutoscaler");
    json_set_text(json_child(json, "metadata"), "name", name);
    json_set_text(target, "apiVersion", kind_api_version(k->arena, r->kind));
    json_set_text(target, "kind", r->kind->name);
    json_set_text(target, "name", r->name);
    json_set_int(spec, "maxReplicas", most);
    if (least > 0)
        json_set_int(spec, "minReplicas", least);
    if (percent >= 0) {
        cJSON *metric = cJSON_CreateObject(), *metrics = cJSON_CreateArray();
        json_set_text(metric, "type", "Resource");
        json_set_text(json_child(metric, "resource"), "name", "cpu");
        cJSON *goal = json_child(json_child(metric, "resource"), "target");
        json_set_text(goal, "type", "Utilization");
        json_set_int(goal, "averageUtilization", percent);
        cJSON_AddItemToArray(metrics, metric);
        json_set(spec, "metrics", metrics);
    }
    return json;
}

static int run_autoscale(struct kubectl *k)
{
    int64_t most, least, percent;
    enum dry_run dry_run;
    struct resources resources;
    if (!options_value(&k->options, "max", NULL))
        return kubectl_error(k, "required flag(s) \"max\" not set");
    if (!kubectl_int_flag(k, "max", -1, &most) || !kubectl_int_flag(k, "min", -1, &least) ||
        !kubectl_int_flag(k, "cpu-percent", -1, &percent) || !kubectl_can_print(k) ||
        !kubectl_dry_run(k, &dry_run))
        return 1;
    kubectl_change_cause(k);
    if (most < 1)
        return kubectl_error(k, "--max=MAXPODS is required and must be at least 1, max: %" PRId64,
                             most);
    if (most < least)
        return kubectl_error(k,
                             "--max=MAXPODS must be larger or equal to --min=MINPODS, max: %" PRId64
                             ", min: %" PRId64,
                             most, least);
    int failed = kubectl_resources(k, 0, RESOURCES_FILES | RESOURCES_NEED_NAME, &resources);
    if (failed)
        return failed;
    for (int i = 0; i < resources.n; i++) {
        const struct resource *r = &resources.at[i];
        if (!is_scalable(k->cluster, r->kind)) {
            resources_complain(k, &resources,
                               "cannot autoscale a %s: could not find scale subresource for %s/%s, "
                               "Resource=%s in discovery information",
                               r->kind->name, r->kind->group, r->kind->version, r->kind->plural);
            continue;
        }
        cJSON *json =
            autoscaler(k, r, options_value(&k->options, "name", r->name), least, most, percent);
        kubectl_make(k, &resources,
                     cluster_kind(k->cluster, json_text(json, "kind"), "autoscaling/v2"), json,
                     dry_run, dry_run == DRY_RUN_CLIENT ? "created" : "autoscaled");
    }
    return kubectl_finish(k, &resources);
}

#define COMMON KUBECTL_FILE_FLAGS KUBECTL_DRY_RUN_FLAGS KUBECTL_PRINT_FLAGS KUBECTL_RECORD_FLAGS

const struct kubectl_command kubectl_scale_commands[] = {
    {"scale", "replicas= current-replicas= resource-version= timeout= all selector|l=" COMMON,
     run_scale},
    {"autoscale", "max= min= cpu-percent= name= save-config" COMMON, run_autoscale},
    {"expose",
     "port= target-port= type= protocol= name= selector= labels|l= external-ip= cluster-ip= "
     "load-balancer-ip= session-affinity= overrides= override-type= save-config" COMMON,
     kubectl_expose},
    {NULL, NULL, NULL},
};
