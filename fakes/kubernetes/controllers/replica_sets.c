/* ReplicaSets: as many pods as they shall have.
 *
 * Follows k8s.io/kubernetes pkg/controller/replicaset and controller_utils.go (which pods go
 * first).
 */
#include <string.h>

#include "fakes/kubernetes/controllers/rollouts.h"

#define SOURCE   "replicaset-controller"
#define RETRY_NS (10 * SECOND)

static bool make_pod(struct controllers *controllers, struct arena *arena, struct object *set)
{
    cJSON *pod = pod_from_template(arena, json_at(set->json, "spec", "template"), set);
    json_set_text(json_child(pod, "metadata"), "generateName",
                  arena_printf(arena, "%s-", set->name));
    json_set_text(
        json_child(pod, "metadata"), "name",
        arena_printf(arena, "%s-%s", set->name, new_name_suffix(controllers, arena, set->name)));
    struct object *made = make_for(controllers, set, "pods", SOURCE, pod);
    if (made)
        tell(controllers, set, "Normal", "SuccessfulCreate", SOURCE, "Created pod: %s", made->name);
    return made != NULL;
}

/* ---- which go first ---- */

static int phase_rank(const struct object *pod)
{
    const char *phase = pod_phase(pod);
    return strcmp(phase, "Pending") == 0 ? 0 : strcmp(phase, "Unknown") == 0 ? 1 : 2;
}

static int64_t restarts_of(const struct object *pod)
{
    int64_t most = 0;
    const cJSON *all = json_at(pod->json, "status", "containerStatuses");
    for (const cJSON *one = all ? all->child : NULL; one; one = one->next) {
        int64_t restarts = json_int(one, "restartCount", 0);
        most = restarts > most ? restarts : most;
    }
    return most;
}

static int64_t cost_of(const struct object *pod)
{
    const char *cost = annotation_of(pod, "controller.kubernetes.io/pod-deletion-cost");
    return cost ? leading_int(cost) : 0;
}

/* How many pods of this list stand on its node: crowded nodes give first. */
static int neighbours(struct object *const *pods, const struct object *pod)
{
    int n = 0;
    const char *node = json_text(pod->json, "spec", "nodeName");
    for (; *pods; pods++) {
        const char *theirs = json_text((*pods)->json, "spec", "nodeName");
        n += node && theirs && strcmp(node, theirs) == 0;
    }
    return n;
}

/* Below 0: a goes before b (ActivePodsWithRanks). */
static int64_t order(struct object *const *all, const struct object *a, const struct object *b)
{
    bool a_node = json_text(a->json, "spec", "nodeName"),
         b_node = json_text(b->json, "spec", "nodeName");
    if (a_node != b_node)
        return a_node ? 1 : -1;
    if (phase_rank(a) != phase_rank(b))
        return phase_rank(a) - phase_rank(b);
    if (pod_is_ready(a) != pod_is_ready(b))
        return pod_is_ready(a) ? 1 : -1;
    if (cost_of(a) != cost_of(b))
        return cost_of(a) < cost_of(b) ? -1 : 1;
    if (neighbours(all, a) != neighbours(all, b))
        return neighbours(all, b) - neighbours(all, a);
    if (restarts_of(a) != restarts_of(b))
        return restarts_of(b) - restarts_of(a);
    if (a->created_ns != b->created_ns)
        return a->created_ns > b->created_ns ? -1 : 1;
    return strcmp(a->name, b->name);
}

static void delete_some(struct controllers *controllers, struct arena *arena, struct object *set,
                        struct object *const *all, int n, int less)
{
    struct object **pods = ARENA_ARRAY(arena, struct object *, n + 1);
    memcpy(pods, all, (size_t)n * sizeof *pods);
    for (int i = 1; i < n; i++) {
        struct object *pod = pods[i];
        int k = i;
        for (; k > 0 && order(all, pod, pods[k - 1]) < 0; k--)
            pods[k] = pods[k - 1];
        pods[k] = pod;
    }
    for (int i = 0; i < less && i < n; i++) {
        cluster_delete(controllers->cluster, pods[i], -1, false);
        tell(controllers, set, "Normal", "SuccessfulDelete", SOURCE, "Deleted pod: %s",
             pods[i]->name);
    }
}

/* ---- status ---- */

static void report(struct controllers *controllers, struct arena *arena, struct object *set,
                   struct object **pods, bool failed)
{
    cJSON *status = cJSON_CreateObject();
    int64_t min_ready_s = json_int(spec_of(set), "minReadySeconds", 0), next_ns = INT64_MAX;
    int n = 0, ready = 0, available = 0;
    for (; *pods; pods++, n++) {
        int64_t in_ns;
        ready += pod_is_ready(*pods);
        available += pod_is_available(controllers, *pods, min_ready_s, &in_ns);
        next_ns = in_ns < next_ns ? in_ns : next_ns;
    }
    if (available)
        json_set_int(status, "availableReplicas", available);
    if (n)
        json_set_int(status, "fullyLabeledReplicas", n);
    json_set_int(status, "observedGeneration",
                 json_int(json_at(set->json, "metadata"), "generation", 1));
    if (ready)
        json_set_int(status, "readyReplicas", ready);
    json_set_int(status, "replicas", n);
    if (failed) {
        cJSON *condition = cJSON_CreateObject();
        const cJSON *before = condition_of(json_at(set->json, "status"), "ReplicaFailure");
        const char *since = json_text(before, "lastTransitionTime");
        json_set_text(condition, "lastTransitionTime",
                      since ? since : now_stamp(controllers, arena));
        json_set_text(condition, "message", "the API server refused to create a pod");
        json_set_text(condition, "reason", "FailedCreate");
        json_set_text(condition, "status", "True");
        json_set_text(condition, "type", "ReplicaFailure");
        cJSON_AddItemToArray(cJSON_AddArrayToObject(status, "conditions"), condition);
    }
    if (failed) /* tried again: what was in the way may have gone */
        next_ns = next_ns < RETRY_NS ? next_ns : RETRY_NS;
    set_status(controllers, set, status);
    if (next_ns != INT64_MAX)
        controllers_later(controllers, replica_set_sync, set, next_ns);
}

void replica_set_sync(struct controllers *controllers, struct object *set)
{
    struct arena scratch = {0};
    if (set->gone)
        return;
    struct object **pods = dependents_of(controllers, &scratch, "Pod", set);
    int n = 0, want = pods_wanted(controllers, set, "replicas", 1);
    for (int i = 0; pods[i]; i++) {
        if (pod_is_active(pods[i]))
            pods[n++] = pods[i];
    }
    pods[n] = NULL;
    bool failed = false;
    if (!is_being_deleted(set)) {
        for (int i = n; i < want && !failed; i++)
            failed = !make_pod(controllers, &scratch, set);
        if (n > want)
            delete_some(controllers, &scratch, set, pods, n, n - want);
    }
    report(controllers, &scratch, set, pods, failed);
    arena_release(&scratch);
}
