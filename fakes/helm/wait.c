/* --wait: when Helm holds a release for ready. Source: helm pkg/kube/ready.go. A Deployment counts
 * as ready with maxUnavailable pods fewer than it should have. */
#include <string.h>

#include "fakes/helm/helm.h"
#include "fakes/kubernetes/text/manifest.h"
#include "sim/base/str.h"

/* "25%" of n, rounded down, or a number. */
static int64_t share(const cJSON *value, int64_t of)
{
    if (cJSON_IsString(value))
        return leading_int(value->valuestring) * of / 100;
    return cJSON_IsNumber(value) ? (int64_t)value->valuedouble : 0;
}

static bool observed(const struct object *object)
{
    return json_int(json_at(object->json, "status"), "observedGeneration", 0) >=
           json_int(json_at(object->json, "metadata"), "generation", 0);
}

/* The ReplicaSet of the present template: the one of the Deployment's revision. */
static const struct object *new_replica_set(struct cluster *cluster, struct arena *arena,
                                            const struct object *deployment)
{
    static const char revision[] = "deployment.kubernetes.io/revision";
    const char *wanted = json_text(json_at(deployment->json, "metadata", "annotations"), revision);
    struct object **all = cluster_list(
        cluster, arena, cluster_kind(cluster, "ReplicaSet", "apps/v1"), deployment->ns, NULL, NULL);
    for (; *all && wanted; all++) {
        const cJSON *owner =
            cJSON_GetArrayItem(json_at((*all)->json, "metadata", "ownerReferences"), 0);
        const char *name = json_text(owner, "name");
        const char *has = json_text(json_at((*all)->json, "metadata", "annotations"), revision);
        if (name && strcmp(name, deployment->name) == 0 && has && strcmp(has, wanted) == 0)
            return *all;
    }
    return NULL;
}

static bool deployment_ready(struct cluster *cluster, struct arena *arena,
                             const struct object *object)
{
    const cJSON *spec = json_at(object->json, "spec");
    int64_t wanted = json_int(spec, "replicas", 1);
    const cJSON *loss = json_at(spec, "strategy", "rollingUpdate", "maxUnavailable");
    const struct object *set = new_replica_set(cluster, arena, object);
    if (cJSON_IsTrue(json_at(spec, "paused")))
        return true;
    int64_t unavailable = share(loss, wanted);
    return set && observed(object) &&
           json_int(json_at(set->json, "status"), "readyReplicas", 0) >= wanted - unavailable;
}

static bool stateful_set_ready(const struct object *object)
{
    const cJSON *spec = json_at(object->json, "spec"), *status = json_at(object->json, "status");
    int64_t wanted = json_int(spec, "replicas", 1);
    const char *type = json_text(spec, "updateStrategy", "type");
    int64_t partition = json_int(json_at(spec, "updateStrategy", "rollingUpdate"), "partition", 0);
    const char *current = json_text(status, "currentRevision");
    const char *update = json_text(status, "updateRevision");
    if (!observed(object))
        return false;
    if (type && strcmp(type, "RollingUpdate") != 0)
        return true;
    return json_int(status, "updatedReplicas", 0) >= wanted - partition &&
           json_int(status, "readyReplicas", 0) == wanted &&
           (partition > 0 || (current && update && strcmp(current, update) == 0));
}

static bool daemon_set_ready(const struct object *object)
{
    const cJSON *spec = json_at(object->json, "spec"), *status = json_at(object->json, "status");
    int64_t wanted = json_int(status, "desiredNumberScheduled", 0);
    const cJSON *loss = json_at(spec, "updateStrategy", "rollingUpdate", "maxUnavailable");
    int64_t unavailable = share(loss, wanted);
    return observed(object) && json_int(status, "updatedNumberScheduled", 0) == wanted &&
           json_int(status, "numberReady", 0) >= wanted - unavailable;
}

static bool has_condition(const struct object *object, const char *type)
{
    const cJSON *list = json_at(object->json, "status", "conditions");
    for (const cJSON *one = list ? list->child : NULL; one; one = one->next) {
        const char *its = json_text(one, "type"), *status = json_text(one, "status");
        if (its && strcmp(its, type) == 0)
            return status && strcmp(status, "True") == 0;
    }
    return false;
}

static bool service_ready_for_helm(const struct object *object)
{
    const char *type = json_text(object->json, "spec", "type");
    return !type || strcmp(type, "LoadBalancer") != 0 ||
           cJSON_GetArraySize(json_at(object->json, "status", "loadBalancer", "ingress")) > 0;
}

static bool is_ready(struct cluster *cluster, struct arena *arena, const struct object *object,
                     bool jobs)
{
    const char *kind = object->kind->name, *phase = json_text(object->json, "status", "phase");
    if (strcmp(kind, "Deployment") == 0)
        return deployment_ready(cluster, arena, object);
    if (strcmp(kind, "StatefulSet") == 0)
        return stateful_set_ready(object);
    if (strcmp(kind, "DaemonSet") == 0)
        return daemon_set_ready(object);
    if (strcmp(kind, "Pod") == 0)
        return has_condition(object, "Ready");
    if (strcmp(kind, "PersistentVolumeClaim") == 0)
        return phase && strcmp(phase, "Bound") == 0;
    if (strcmp(kind, "Service") == 0)
        return service_ready_for_helm(object);
    if (strcmp(kind, "Job") == 0 && jobs)
        return has_condition(object, "Complete");
    return true;
}

static bool all_ready(struct cluster *cluster, const char *manifest, const char *ns, bool jobs)
{
    struct arena scratch = {0};
    struct manifest read = {0};
    bool ready = !manifest_read(&scratch, str_of(manifest), &read);
    for (int i = 0; i < read.n && ready; i++) {
        const cJSON *json = read.documents[i];
        const char *kind_name = json_text(json, "kind"), *version = json_text(json, "apiVersion");
        const struct kind *kind =
            kind_name && version ? cluster_kind(cluster, kind_name, version) : NULL;
        const char *own = json_text(json, "metadata", "namespace");
        const char *name = json_text(json, "metadata", "name");
        const struct object *object =
            kind && name ? cluster_find(cluster, kind, own && *own ? own : ns, name) : NULL;
        ready = object && is_ready(cluster, &scratch, object, jobs);
    }
    manifest_release(&read);
    arena_release(&scratch);
    return ready;
}

const char *helm_wait(struct call *call, struct cluster *cluster, const char *manifest,
                      const char *ns, int64_t timeout_ns, bool jobs)
{
    int64_t until_ns = call_now(call) + timeout_ns;
    while (!all_ready(cluster, manifest, ns, jobs)) {
        int64_t left_ns = until_ns - call_now(call);
        if (left_ns <= 0)
            return "context deadline exceeded";
        if (call_sleep(call, left_ns < HELM_POLL_NS ? left_ns : HELM_POLL_NS))
            return "context canceled";
    }
    return NULL;
}
