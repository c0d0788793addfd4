/* What runs pods, in words. */
#include <inttypes.h>
#include <string.h>

#include "fakes/kubernetes/kubectl/ages.h"
#include "fakes/kubernetes/kubectl/description.h"

static const char *selector_of_spec(struct describe *d, const struct object *object)
{
    return selector_text(d->arena, json_at(object->json, "spec", "selector"));
}

/* Pods that the object controls, by phase. */
static void pods_status(struct describe *d, const struct object *object)
{
    const struct kind *kind = cluster_kind(d->cluster, "Pod", "v1");
    struct selector *selector = selector_of(d->arena, json_at(object->json, "spec", "selector"));
    struct object **pods = cluster_list(d->cluster, d->arena, kind, object->ns, selector, NULL);
    const char *uid = text_at("", object->json, "metadata", "uid");
    int running = 0, waiting = 0, succeeded = 0, failed = 0;
    for (; selector && *pods; pods++) {
        const cJSON *owners = json_at((*pods)->json, "metadata", "ownerReferences");
        bool owned = false;
        for (const cJSON *one = owners ? owners->child : NULL; one && !owned; one = one->next)
            owned = cJSON_IsTrue(json_at(one, "controller")) &&
                    strcmp(text_at("", one, "uid"), uid) == 0;
        const char *phase = text_at("", (*pods)->json, "status", "phase");
        running += owned && strcmp(phase, "Running") == 0;
        waiting += owned && strcmp(phase, "Pending") == 0;
        succeeded += owned && strcmp(phase, "Succeeded") == 0;
        failed += owned && strcmp(phase, "Failed") == 0;
    }
    line(d, 0, "Pods Status:\t%d Running / %d Waiting / %d Succeeded / %d Failed", running, waiting,
         succeeded, failed);
}

static void conditions(struct describe *d, const struct object *object)
{
    const cJSON *list = json_at(object->json, "status", "conditions");
    if (cJSON_GetArraySize(list) == 0)
        return;
    line(d, 0, "Conditions:\n  Type\tStatus\tReason");
    line(d, 1, "----\t------\t------");
    for (const cJSON *one = list->child; one; one = one->next)
        line(d, 1, "%s \t%s\t%s", text_at("", one, "type"), text_at("", one, "status"),
             text_at("", one, "reason"));
}

/* ---- deployments ---- */

/* A template without the hash that the controller adds to its copies. */
static bool same_template(const cJSON *a, const cJSON *b)
{
    cJSON *left = cJSON_Duplicate(a, true), *right = cJSON_Duplicate(b, true);
    cJSON_DeleteItemFromObjectCaseSensitive(json_at(left, "metadata", "labels"),
                                            "pod-template-hash");
    cJSON_DeleteItemFromObjectCaseSensitive(json_at(right, "metadata", "labels"),
                                            "pod-template-hash");
    bool same = cJSON_Compare(left, right, true);
    cJSON_Delete(left);
    cJSON_Delete(right);
    return same;
}

static bool is_owner(const struct object *owner, const struct object *object)
{
    const cJSON *owners = json_at(object->json, "metadata", "ownerReferences");
    const char *uid = text_at("", owner->json, "metadata", "uid");
    for (const cJSON *one = owners ? owners->child : NULL; one; one = one->next) {
        if (cJSON_IsTrue(json_at(one, "controller")) && strcmp(text_at("", one, "uid"), uid) == 0)
            return true;
    }
    return false;
}

static const char *replica_set_text(struct arena *arena, const char *before,
                                    const struct object *set)
{
    return arena_printf(arena, "%s%s%s (%" PRId64 "/%" PRId64 " replicas created)", before,
                        *before ? ", " : "", set->name, number_at(set->json, "status", "replicas"),
                        number_at(set->json, "spec", "replicas"));
}

static void replica_sets(struct describe *d, const struct object *object)
{
    const struct kind *kind = cluster_kind(d->cluster, "ReplicaSet", "apps/v1");
    struct object **sets = cluster_list(d->cluster, d->arena, kind, object->ns, NULL, NULL);
    const char *old = "", *new = "";
    for (; *sets; sets++) {
        if (!is_owner(object, *sets))
            continue;
        if (!*new &&same_template(json_at(object->json, "spec", "template"),
                                  json_at((*sets)->json, "spec", "template")))
            new = replica_set_text(d->arena, "", *sets);
        else
            old = replica_set_text(d->arena, old, *sets);
    }
    line(d, 0, "OldReplicaSets:\t%s", *old ? old : "<none>");
    line(d, 0, "NewReplicaSet:\t%s", *new ? new : "<none>");
}

static void deployment(struct describe *d, const struct object *object)
{
    const cJSON *spec = json_at(object->json, "spec"), *status = json_at(object->json, "status");
    const cJSON *rolling = json_at(spec, "strategy", "rollingUpdate");
    line_names(d, object);
    line(d, 0, "CreationTimestamp:\t%s",
         stamp_of(d, json_at(object->json, "metadata"), "creationTimestamp"));
    lines_metadata(d, object);
    line(d, 0, "Selector:\t%s", selector_of_spec(d, object));
    line(d, 0,
         "Replicas:\t%" PRId64 " desired | %" PRId64 " updated | %" PRId64 " total | %" PRId64
         " available | %" PRId64 " unavailable",
         number_at(spec, "replicas"), number_at(status, "updatedReplicas"),
         number_at(status, "replicas"), number_at(status, "availableReplicas"),
         number_at(status, "unavailableReplicas"));
    line(d, 0, "StrategyType:\t%s", text_at("", spec, "strategy", "type"));
    line(d, 0, "MinReadySeconds:\t%" PRId64, number_at(spec, "minReadySeconds"));
    if (rolling)
        line(d, 0, "RollingUpdateStrategy:\t%s max unavailable, %s max surge",
             scalar(d->arena, json_at(rolling, "maxUnavailable")),
             scalar(d->arena, json_at(rolling, "maxSurge")));
    lines_template(d, json_at(spec, "template"));
    conditions(d, object);
    replica_sets(d, object);
    lines_events(d, object);
}

/* ---- the others that keep pods running ---- */

static void replica_set(struct describe *d, const struct object *object)
{
    const char *controller = controlled_by(d->arena, object);
    line_names(d, object);
    line(d, 0, "Selector:\t%s", selector_of_spec(d, object));
    lines_metadata(d, object);
    if (controller)
        line(d, 0, "Controlled By:\t%s", controller);
    line(d, 0, "Replicas:\t%" PRId64 " current / %" PRId64 " desired",
         number_at(object->json, "status", "replicas"),
         number_at(object->json, "spec", "replicas"));
    pods_status(d, object);
    lines_template(d, json_at(object->json, "spec", "template"));
    conditions(d, object);
    lines_events(d, object);
}

static void claim_templates(struct describe *d, const cJSON *list)
{
    line(d, 0, "Volume Claims:%s", cJSON_GetArraySize(list) ? "" : "\t<none>");
    for (const cJSON *one = list ? list->child : NULL; one; one = one->next) {
        line(d, 1, "Name:\t%s", text_at("", one, "metadata", "name"));
        line(d, 1, "StorageClass:\t%s", text_at("", one, "spec", "storageClassName"));
        lines_labels(d, "  Labels", json_at(one, "metadata", "labels"));
        lines_labels(d, "  Annotations", json_at(one, "metadata", "annotations"));
        line(d, 1, "Capacity:\t%s",
             text_at("<default>", one, "spec", "resources", "requests", "storage"));
        line(d, 1, "Access Modes:\t[%s]",
             joined(d->arena, json_at(one, "spec", "accessModes"), NULL, " "));
    }
}

static void stateful_set(struct describe *d, const struct object *object)
{
    const cJSON *spec = json_at(object->json, "spec");
    const cJSON *partition = json_at(spec, "updateStrategy", "rollingUpdate", "partition");
    line_names(d, object);
    line(d, 0, "CreationTimestamp:\t%s",
         stamp_of(d, json_at(object->json, "metadata"), "creationTimestamp"));
    line(d, 0, "Selector:\t%s", selector_of_spec(d, object));
    lines_metadata(d, object);
    line(d, 0, "Replicas:\t%" PRId64 " desired | %" PRId64 " total", number_at(spec, "replicas"),
         number_at(object->json, "status", "replicas"));
    line(d, 0, "Update Strategy:\t%s", text_at("", spec, "updateStrategy", "type"));
    if (cJSON_IsNumber(partition))
        line(d, 1, "Partition:\t%d", partition->valueint);
    pods_status(d, object);
    lines_template(d, json_at(spec, "template"));
    claim_templates(d, json_at(spec, "volumeClaimTemplates"));
    lines_events(d, object);
}

static void daemon_set(struct describe *d, const struct object *object)
{
    const cJSON *status = json_at(object->json, "status");
    line(d, 0, "Name:\t%s", object->name);
    line(d, 0, "Selector:\t%s", selector_of_spec(d, object));
    line(
        d, 0, "Node-Selector:\t%s",
        selector_text(d->arena, json_at(object->json, "spec", "template", "spec", "nodeSelector")));
    lines_metadata(d, object);
    line(d, 0, "Desired Number of Nodes Scheduled: %" PRId64,
         number_at(status, "desiredNumberScheduled"));
    line(d, 0, "Current Number of Nodes Scheduled: %" PRId64,
         number_at(status, "currentNumberScheduled"));
    line(d, 0, "Number of Nodes Scheduled with Up-to-date Pods: %" PRId64,
         number_at(status, "updatedNumberScheduled"));
    line(d, 0, "Number of Nodes Scheduled with Available Pods: %" PRId64,
         number_at(status, "numberAvailable"));
    line(d, 0, "Number of Nodes Misscheduled: %" PRId64, number_at(status, "numberMisscheduled"));
    pods_status(d, object);
    lines_template(d, json_at(object->json, "spec", "template"));
    lines_events(d, object);
}

/* ---- jobs ---- */

/* "TITLE:\tN", `unset` where there is no such number: NULL leaves the line out. */
static void line_number(struct describe *d, const char *title, const cJSON *number,
                        const char *unit, const char *unset)
{
    if (cJSON_IsNumber(number))
        line(d, 0, "%s:\t%d%s", title, number->valueint, unit);
    else if (unset)
        line(d, 0, "%s:\t%s", title, unset);
}

static void job(struct describe *d, const struct object *object)
{
    const cJSON *spec = json_at(object->json, "spec"), *status = json_at(object->json, "status");
    const char *controller = controlled_by(d->arena, object);
    const cJSON *ready = json_at(status, "ready"), *suspend = json_at(spec, "suspend");
    int64_t start, end;
    line_names(d, object);
    line(d, 0, "Selector:\t%s", selector_of_spec(d, object));
    lines_metadata(d, object);
    if (controller)
        line(d, 0, "Controlled By:\t%s", controller);
    line_number(d, "Parallelism", json_at(spec, "parallelism"), "", NULL);
    line_number(d, "Completions", json_at(spec, "completions"), "", "<unset>");
    if (json_text(spec, "completionMode"))
        line(d, 0, "Completion Mode:\t%s", json_text(spec, "completionMode"));
    if (suspend)
        line(d, 0, "Suspend:\t%s", cJSON_IsTrue(suspend) ? "true" : "false");
    line_number(d, "Backoff Limit", json_at(spec, "backoffLimit"), "", NULL);
    line_number(d, "TTL Seconds After Finished", json_at(spec, "ttlSecondsAfterFinished"), "",
                NULL);
    if (json_text(status, "startTime"))
        line(d, 0, "Start Time:\t%s", stamp_of(d, status, "startTime"));
    if (json_text(status, "completionTime"))
        line(d, 0, "Completed At:\t%s", stamp_of(d, status, "completionTime"));
    if (stamp_read(d->cluster, json_text(status, "startTime"), &start) &&
        stamp_read(d->cluster, json_text(status, "completionTime"), &end))
        line(d, 0, "Duration:\t%s", human_duration(d->arena, end - start));
    line_number(d, "Active Deadline Seconds", json_at(spec, "activeDeadlineSeconds"), "s", NULL);
    line(d, 0, "Pods Statuses:\t%" PRId64 " Active%s / %" PRId64 " Succeeded / %" PRId64 " Failed",
         number_at(status, "active"),
         ready ? arena_printf(d->arena, " (%d Ready)", ready->valueint) : "",
         number_at(status, "succeeded"), number_at(status, "failed"));
    lines_template(d, json_at(spec, "template"));
    lines_events(d, object);
}

static void cron_job(struct describe *d, const struct object *object)
{
    const cJSON *spec = json_at(object->json, "spec"), *status = json_at(object->json, "status");
    const cJSON *of_job = json_at(spec, "jobTemplate", "spec");
    const cJSON *suspend = json_at(spec, "suspend"), *active = json_at(status, "active");
    line_names(d, object);
    lines_metadata(d, object);
    line(d, 0, "Schedule:\t%s", text_at("", spec, "schedule"));
    line(d, 0, "Concurrency Policy:\t%s", text_at("", spec, "concurrencyPolicy"));
    line(d, 0, "Suspend:\t%s", suspend ? true_or_false(suspend) : "<unset>");
    line_number(d, "Successful Job History Limit", json_at(spec, "successfulJobsHistoryLimit"), "",
                "<unset>");
    line_number(d, "Failed Job History Limit", json_at(spec, "failedJobsHistoryLimit"), "",
                "<unset>");
    line_number(d, "Starting Deadline Seconds", json_at(spec, "startingDeadlineSeconds"), "s",
                "<unset>");
    line(d, 0, "Selector:\t%s",
         json_at(of_job, "selector") ? selector_text(d->arena, json_at(of_job, "selector"))
                                     : "<unset>");
    line_number(d, "Parallelism", json_at(of_job, "parallelism"), "", "<unset>");
    line_number(d, "Completions", json_at(of_job, "completions"), "", "<unset>");
    line_number(d, "Active Deadline Seconds", json_at(of_job, "activeDeadlineSeconds"), "s", NULL);
    lines_template(d, json_at(of_job, "template"));
    line(d, 0, "Last Schedule Time:\t%s",
         json_text(status, "lastScheduleTime") ? stamp_of(d, status, "lastScheduleTime")
                                               : "<unset>");
    line(d, 0, "Active Jobs:\t%s",
         cJSON_GetArraySize(active) ? joined(d->arena, active, "name", ", ") : "<none>");
    lines_events(d, object);
}

/* ---- autoscalers ---- */

/* One metric of a resource of pods; others by their type alone. */
static void metric(struct describe *d, const cJSON *spec, const cJSON *status)
{
    const cJSON *target = json_at(spec, "resource", "target");
    const cJSON *current = json_at(status, "resource", "current");
    const char *value = json_text(target, "averageValue");
    const cJSON *used = json_at(current, "averageUtilization");
    const cJSON *wanted = json_at(target, "averageUtilization");
    if (!target) {
        line(d, 1, "<unknown metric type \"%s\">", text_at("", spec, "type"));
        return;
    }
    const char *name = text_at("", spec, "resource", "name");
    if (value) {
        line(d, 1, "resource %s on pods:\t%s / %s", name,
             text_at("<unknown>", current, "averageValue"), value);
        return;
    }
    line(d, 1, "resource %s on pods  (as a percentage of request):\t%s / %s", name,
         cJSON_IsNumber(used) ? arena_printf(d->arena, "%d%% (%s)", used->valueint,
                                             text_at("0", current, "averageValue"))
                              : "<unknown>",
         cJSON_IsNumber(wanted) ? arena_printf(d->arena, "%d%%", wanted->valueint) : "<auto>");
}

static void autoscaler(struct describe *d, const struct object *object)
{
    const cJSON *spec = json_at(object->json, "spec"), *status = json_at(object->json, "status");
    const cJSON *conditions_list = json_at(status, "conditions");
    const char *kind = text_at("", spec, "scaleTargetRef", "kind");
    int i = 0;
    line_names(d, object);
    lines_metadata(d, object);
    line(d, 0, "CreationTimestamp:\t%s",
         stamp_of(d, json_at(object->json, "metadata"), "creationTimestamp"));
    line(d, 0, "Reference:\t%s/%s", kind, text_at("", spec, "scaleTargetRef", "name"));
    line(d, 0, "Metrics:\t( current / target )");
    const cJSON *metrics = json_at(spec, "metrics");
    for (const cJSON *one = metrics ? metrics->child : NULL; one; one = one->next)
        metric(d, one, cJSON_GetArrayItem(json_at(status, "currentMetrics"), i++));
    line_number(d, "Min replicas", json_at(spec, "minReplicas"), "", "<unset>");
    line(d, 0, "Max replicas:\t%" PRId64, number_at(spec, "maxReplicas"));
    line(d, 0, "%s pods:\t%" PRId64 " current / %" PRId64 " desired", kind,
         number_at(status, "currentReplicas"), number_at(status, "desiredReplicas"));
    if (cJSON_GetArraySize(conditions_list)) {
        line(d, 0, "Conditions:");
        line(d, 1, "Type\tStatus\tReason\tMessage");
        line(d, 1, "----\t------\t------\t-------");
        for (const cJSON *one = conditions_list->child; one; one = one->next)
            line(d, 1, "%s\t%s\t%s\t%s", text_at("", one, "type"), text_at("", one, "status"),
                 text_at("", one, "reason"), text_at("", one, "message"));
    }
    lines_events(d, object);
}

const struct describer describe_workloads[] = {
    {"Pod", describe_pod},
    {"Deployment", deployment},
    {"ReplicaSet", replica_set},
    {"ReplicationController", replica_set},
    {"StatefulSet", stateful_set},
    {"DaemonSet", daemon_set},
    {"Job", job},
    {"CronJob", cron_job},
    {"HorizontalPodAutoscaler", autoscaler},
    {NULL, NULL},
};
