/* What is said of a rollout: status and conditions.
 *
 * Follows k8s.io/kubernetes pkg/controller/deployment: progress.go, sync.go (calculateStatus).
 */
#include "fakes/kubernetes/controllers/rollouts.h"

#include <inttypes.h>
#include <string.h>

/* ---- conditions ---- */

static void put_condition(struct rollout *rollout, const char *type, const char *status,
                          const char *reason, const char *message, const char *transition)
{
    cJSON *conditions = cJSON_GetObjectItemCaseSensitive(rollout->status, "conditions");
    const cJSON *before = condition_of(rollout->status, type);
    const char *now = now_stamp(rollout->controllers, rollout->arena);
    const char *was = json_text(before, "status");
    if (!transition && was && strcmp(was, status) == 0)
        transition = json_text(before, "lastTransitionTime");
    cJSON *condition = cJSON_CreateObject();
    json_set_text(condition, "lastTransitionTime", transition ? transition : now);
    json_set_text(condition, "lastUpdateTime", now);
    json_set_text(condition, "message", message);
    json_set_text(condition, "reason", reason);
    json_set_text(condition, "status", status);
    json_set_text(condition, "type", type);
    if (!conditions)
        conditions = cJSON_AddArrayToObject(rollout->status, "conditions");
    if (before)
        cJSON_Delete(cJSON_DetachItemViaPointer(conditions, (cJSON *)(uintptr_t)before));
    cJSON_AddItemToArray(conditions, condition);
}

void rollout_condition(struct rollout *rollout, const char *type, const char *status,
                       const char *reason, const char *message)
{
    const cJSON *before = condition_of(rollout->status, type);
    const char *was = json_text(before, "status"), *why = json_text(before, "reason");
    if (was && why && strcmp(was, status) == 0 && strcmp(why, reason) == 0)
        return;
    put_condition(rollout, type, status, reason, message, NULL);
}

static const char *progress_reason(const cJSON *status)
{
    const char *reason = json_text(condition_of(status, "Progressing"), "reason");
    return reason ? reason : "";
}

static int64_t deadline_s(const struct rollout *rollout)
{
    return json_int(json_at(rollout->deployment->json, "spec"), "progressDeadlineSeconds",
                    INT32_MAX);
}

void rollout_paused(struct rollout *rollout, bool paused)
{
    const char *reason = progress_reason(rollout->status);
    if (strcmp(reason, "ProgressDeadlineExceeded") == 0)
        return;
    if (paused && strcmp(reason, "DeploymentPaused") != 0)
        rollout_condition(rollout, "Progressing", "Unknown", "DeploymentPaused",
                          "Deployment is paused");
    else if (!paused && strcmp(reason, "DeploymentPaused") == 0)
        rollout_condition(rollout, "Progressing", "Unknown", "DeploymentResumed",
                          "Deployment is resumed");
}

/* ---- numbers ---- */

static int pods_of(const struct object *set)
{
    return status_of(set, "replicas");
}

static int ready_of(const struct object *set)
{
    return status_of(set, "readyReplicas");
}

static int available_of(const struct object *set)
{
    return status_of(set, "availableReplicas");
}

static void number(cJSON *status, const char *key, int value)
{
    if (value > 0)
        json_set_int(status, key, value);
    else
        cJSON_DeleteItemFromObjectCaseSensitive(status, key);
}

static void count(struct rollout *rollout)
{
    cJSON *status = rollout->status;
    const cJSON *metadata = json_at(rollout->deployment->json, "metadata");
    int available = rollout_sum(rollout, available_of);
    json_set_int(status, "observedGeneration", json_int(metadata, "generation", 1));
    number(status, "replicas", rollout_sum(rollout, pods_of));
    number(status, "updatedReplicas", rollout->fresh ? pods_of(rollout->fresh) : 0);
    number(status, "readyReplicas", rollout_sum(rollout, ready_of));
    number(status, "availableReplicas", available);
    number(status, "unavailableReplicas", rollout_sum(rollout, replicas_of) - available);
    if (available >= rollout->want - rollout_max_unavailable(rollout))
        rollout_condition(rollout, "Available", "True", "MinimumReplicasAvailable",
                          "Deployment has minimum availability.");
    else
        rollout_condition(rollout, "Available", "False", "MinimumReplicasUnavailable",
                          "Deployment does not have minimum availability.");
}

static bool complete(const struct rollout *rollout, const cJSON *status)
{
    const cJSON *metadata = json_at(rollout->deployment->json, "metadata");
    return json_int(status, "updatedReplicas", 0) == rollout->want &&
           json_int(status, "replicas", 0) == rollout->want &&
           json_int(status, "availableReplicas", 0) == rollout->want &&
           json_int(status, "observedGeneration", 0) >= json_int(metadata, "generation", 1);
}

bool rollout_complete(const struct rollout *rollout)
{
    return complete(rollout, json_at(rollout->deployment->json, "status"));
}

/* ---- progress ---- */

static bool progressing(const struct rollout *rollout)
{
    const cJSON *before = json_at(rollout->deployment->json, "status"), *now = rollout->status;
    int64_t updated = json_int(now, "updatedReplicas", 0),
            updated_before = json_int(before, "updatedReplicas", 0);
    int64_t old = json_int(now, "replicas", 0) - updated,
            old_before = json_int(before, "replicas", 0) - updated_before;
    return updated > updated_before || old < old_before ||
           json_int(now, "readyReplicas", 0) > json_int(before, "readyReplicas", 0) ||
           json_int(now, "availableReplicas", 0) > json_int(before, "availableReplicas", 0);
}

static int64_t deadline_ns(const struct rollout *rollout)
{
    const cJSON *condition = condition_of(rollout->status, "Progressing");
    int64_t since = stamp_ns(rollout->controllers, json_text(condition, "lastUpdateTime"));
    return since == NEVER ? INT64_MAX : since + deadline_s(rollout) * SECOND;
}

static bool timed_out(const struct rollout *rollout)
{
    const char *reason = progress_reason(rollout->status);
    if (strcmp(reason, "NewReplicaSetAvailable") == 0)
        return false;
    return strcmp(reason, "ProgressDeadlineExceeded") == 0 ||
           deadline_ns(rollout) < controllers_now(rollout->controllers);
}

static const char *about(const struct rollout *rollout, const char *what)
{
    return rollout->fresh
               ? arena_printf(rollout->arena, "ReplicaSet \"%s\" %s", rollout->fresh->name, what)
               : arena_printf(rollout->arena, "Deployment \"%s\" %s", rollout->deployment->name,
                              what);
}

static void judge_progress(struct rollout *rollout)
{
    const cJSON *current =
        condition_of(json_at(rollout->deployment->json, "status"), "Progressing");
    const char *reason = json_text(current, "reason");
    bool settled = json_int(rollout->status, "replicas", 0) ==
                       json_int(rollout->status, "updatedReplicas", 0) &&
                   reason && strcmp(reason, "NewReplicaSetAvailable") == 0;
    if (settled)
        return;
    if (complete(rollout, rollout->status)) {
        rollout_condition(rollout, "Progressing", "True", "NewReplicaSetAvailable",
                          about(rollout, "has successfully progressed."));
    } else if (progressing(rollout)) {
        const char *was = json_text(current, "status");
        const char *transition = was && strcmp(was, "True") == 0
                                     ? json_text(current, "lastTransitionTime")
                                     : now_stamp(rollout->controllers, rollout->arena);
        put_condition(rollout, "Progressing", "True", "ReplicaSetUpdated",
                      about(rollout, "is progressing."), transition);
    } else if (timed_out(rollout)) {
        rollout_condition(rollout, "Progressing", "False", "ProgressDeadlineExceeded",
                          about(rollout, "has timed out progressing."));
    }
}

/* A rollout that is stuck moves nothing that would wake the controller: it looks at the deadline.
 */
static void look_again(struct rollout *rollout)
{
    if (deadline_s(rollout) == INT32_MAX || complete(rollout, rollout->status) ||
        strcmp(progress_reason(rollout->status), "ProgressDeadlineExceeded") == 0)
        return;
    int64_t deadline = deadline_ns(rollout), now = controllers_now(rollout->controllers);
    if (deadline == INT64_MAX)
        return;
    int64_t wait_ns = deadline - now + SECOND;
    controllers_later(rollout->controllers, deployment_sync, rollout->deployment,
                      wait_ns < SECOND ? SECOND : wait_ns);
}

static void carry_failure(struct rollout *rollout)
{
    const cJSON *failure = NULL;
    for (int i = -1; i < rollout->n_old && !failure; i++) {
        const struct object *set = i < 0 ? rollout->fresh : rollout->old[i];
        failure = set ? condition_of(json_at(set->json, "status"), "ReplicaFailure") : NULL;
    }
    cJSON *conditions = cJSON_GetObjectItemCaseSensitive(rollout->status, "conditions");
    cJSON *before = condition_of(rollout->status, "ReplicaFailure");
    if (failure)
        rollout_condition(rollout, "ReplicaFailure", "True", json_text(failure, "reason"),
                          json_text(failure, "message"));
    else if (before)
        cJSON_Delete(cJSON_DetachItemViaPointer(conditions, before));
}

void rollout_report(struct rollout *rollout, bool progress)
{
    struct object *deployment = rollout->deployment;
    count(rollout);
    if (progress && deadline_s(rollout) != INT32_MAX)
        judge_progress(rollout);
    carry_failure(rollout);
    look_again(rollout);
    if (!set_status(rollout->controllers, deployment, rollout->status) && rollout->touched)
        cluster_touched(rollout->controllers->cluster, deployment, false);
    rollout->status = NULL;
}
