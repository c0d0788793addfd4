/* Rows of pods and of what runs them. */
#include <inttypes.h>
#include <string.h>

#include "fakes/kubernetes/kubectl/ages.h"
#include "fakes/kubernetes/kubectl/tables.h"

/* ---- pods ---- */

struct containers {
    struct arena *arena;
    const char *reason; /* the STATUS */
    int ready;
    int64_t restarts, sidecar_restarts;
    const char *last_restart, *last_sidecar_restart; /* time stamps; they compare as texts */
};

static const char *later(const char *a, const char *b)
{
    return !a || (b && strcmp(b, a) > 0) ? b : a;
}

/* "Error", or "Signal:9", "ExitCode:3" where the runtime gave no reason. */
static const char *terminated_reason(struct arena *arena, const cJSON *terminated)
{
    const char *reason = text_at(NULL, terminated, "reason");
    int64_t signal = number_at(terminated, "signal");
    if (reason)
        return reason;
    return signal ? arena_printf(arena, "Signal:%" PRId64, signal)
                  : arena_printf(arena, "ExitCode:%" PRId64, number_at(terminated, "exitCode"));
}

static bool is_sidecar(const cJSON *pod, const char *container)
{
    const cJSON *list = json_at(pod, "spec", "initContainers");
    for (const cJSON *one = list ? list->child : NULL; one; one = one->next) {
        if (strcmp(text_at("", one, "name"), container) == 0)
            return strcmp(text_at("", one, "restartPolicy"), "Always") == 0;
    }
    return false;
}

/* Goes through the init containers; true: one of them has not come to its end yet. */
static bool initializing(struct containers *c, const cJSON *pod)
{
    const cJSON *statuses = json_at(pod, "status", "initContainerStatuses");
    int i = 0;
    for (const cJSON *one = statuses ? statuses->child : NULL; one; one = one->next, i++) {
        const cJSON *terminated = json_at(one, "state", "terminated");
        const char *waiting = text_at("", one, "state", "waiting", "reason");
        const char *ended = json_text(one, "lastState", "terminated", "finishedAt");
        bool sidecar = is_sidecar(pod, text_at("", one, "name"));
        c->restarts += number_at(one, "restartCount");
        c->last_restart = later(c->last_restart, ended);
        if (sidecar) {
            c->sidecar_restarts += number_at(one, "restartCount");
            c->last_sidecar_restart = later(c->last_sidecar_restart, ended);
        }
        if (terminated && number_at(terminated, "exitCode") == 0)
            continue;
        if (sidecar && cJSON_IsTrue(json_at(one, "started"))) {
            c->ready += cJSON_IsTrue(json_at(one, "ready"));
            continue;
        }
        if (terminated)
            c->reason = arena_printf(c->arena, "Init:%s", terminated_reason(c->arena, terminated));
        else if (*waiting && strcmp(waiting, "PodInitializing") != 0)
            c->reason = arena_printf(c->arena, "Init:%s", waiting);
        else
            c->reason = arena_printf(c->arena, "Init:%d/%d", i,
                                     cJSON_GetArraySize(json_at(pod, "spec", "initContainers")));
        return true;
    }
    return false;
}

static void running(struct containers *c, const cJSON *pod)
{
    const cJSON *statuses = json_at(pod, "status", "containerStatuses");
    bool any_runs = false;
    c->restarts = c->sidecar_restarts;
    c->last_restart = c->last_sidecar_restart;
    for (int i = cJSON_GetArraySize(statuses) - 1; i >= 0; i--) {
        const cJSON *one = cJSON_GetArrayItem(statuses, i);
        const cJSON *terminated = json_at(one, "state", "terminated");
        const char *waiting = text_at("", one, "state", "waiting", "reason");
        c->restarts += number_at(one, "restartCount");
        c->last_restart =
            later(c->last_restart, json_text(one, "lastState", "terminated", "finishedAt"));
        if (*waiting) {
            c->reason = waiting;
        } else if (terminated) {
            c->reason = terminated_reason(c->arena, terminated);
        } else if (cJSON_IsTrue(json_at(one, "ready")) && json_at(one, "state", "running")) {
            any_runs = true;
            c->ready++;
        }
    }
    if (any_runs && strcmp(c->reason, "Completed") == 0)
        c->reason = condition_true(pod, "Ready") ? "Running" : "NotReady";
}

const char *pod_status(struct arena *arena, const cJSON *pod, int *ret_ready, int *ret_total,
                       int64_t *ret_restarts, const char **ret_last_restart)
{
    const char *phase = text_at("", pod, "status", "phase");
    struct containers c = {.arena = arena, .reason = text_at(phase, pod, "status", "reason")};
    const cJSON *scheduled = object_condition(pod, "PodScheduled");
    const cJSON *inits = json_at(pod, "spec", "initContainers");
    *ret_total = cJSON_GetArraySize(json_at(pod, "spec", "containers"));
    for (const cJSON *one = inits ? inits->child : NULL; one; one = one->next)
        *ret_total += strcmp(text_at("", one, "restartPolicy"), "Always") == 0;
    if (strcmp(text_at("", scheduled, "reason"), "SchedulingGated") == 0)
        c.reason = "SchedulingGated";
    if (!initializing(&c, pod) || condition_true(pod, "Initialized"))
        running(&c, pod);
    bool terminal = strcmp(phase, "Succeeded") == 0 || strcmp(phase, "Failed") == 0;
    if (json_at(pod, "metadata", "deletionTimestamp")) {
        if (strcmp(text_at("", pod, "status", "reason"), "NodeLost") == 0)
            c.reason = "Unknown";
        else if (!terminal)
            c.reason = "Terminating";
    }
    *ret_ready = c.ready;
    *ret_restarts = c.restarts;
    *ret_last_restart = c.last_restart;
    return c.reason;
}

static void readiness_gates(struct row *row, const cJSON *pod)
{
    const cJSON *gates = json_at(pod, "spec", "readinessGates");
    int n = cJSON_GetArraySize(gates), met = 0;
    for (const cJSON *gate = gates ? gates->child : NULL; gate; gate = gate->next)
        met += condition_true(pod, text_at("", gate, "conditionType"));
    if (n == 0)
        cell(row, "<none>");
    else
        cell(row, "%d/%d", met, n);
}

static void pod(struct row *row, const cJSON *object)
{
    int ready, total;
    int64_t restarts;
    const char *last;
    const char *status = pod_status(row->arena, object, &ready, &total, &restarts, &last);
    cell_name(row, object);
    cell(row, "%d/%d", ready, total);
    cell(row, "%s", status);
    if (restarts && last)
        cell(row, "%" PRId64 " (%s ago)", restarts, stamp_age(row->cluster, row->arena, last));
    else
        cell(row, "%" PRId64, restarts);
    cell_age(row, object);
    cell(row, "%s", text_at("<none>", object, "status", "podIP"));
    cell(row, "%s", text_at("<none>", object, "spec", "nodeName"));
    cell(row, "%s", text_at("<none>", object, "status", "nominatedNodeName"));
    readiness_gates(row, object);
}

/* ---- controllers ---- */

static void wide_template(struct row *row, const cJSON *object, bool selector)
{
    cells_containers(row, json_at(object, "spec", "template", "spec"));
    if (selector)
        cell(row, "%s", selector_text(row->arena, json_at(object, "spec", "selector")));
}

static void deployment(struct row *row, const cJSON *object)
{
    cell_name(row, object);
    cell(row, "%" PRId64 "/%" PRId64, number_at(object, "status", "readyReplicas"),
         number_at(object, "spec", "replicas"));
    cell(row, "%" PRId64, number_at(object, "status", "updatedReplicas"));
    cell(row, "%" PRId64, number_at(object, "status", "availableReplicas"));
    cell_age(row, object);
    wide_template(row, object, true);
}

static void replica_set(struct row *row, const cJSON *object)
{
    cell_name(row, object);
    cell(row, "%" PRId64, number_at(object, "spec", "replicas"));
    cell(row, "%" PRId64, number_at(object, "status", "replicas"));
    cell(row, "%" PRId64, number_at(object, "status", "readyReplicas"));
    cell_age(row, object);
    wide_template(row, object, true);
}

static void stateful_set(struct row *row, const cJSON *object)
{
    cell_name(row, object);
    cell(row, "%" PRId64 "/%" PRId64, number_at(object, "status", "readyReplicas"),
         number_at(object, "spec", "replicas"));
    cell_age(row, object);
    wide_template(row, object, false);
}

static void daemon_set(struct row *row, const cJSON *object)
{
    static const char *const numbers[] = {"desiredNumberScheduled", "currentNumberScheduled",
                                          "numberReady", "updatedNumberScheduled",
                                          "numberAvailable"};
    cell_name(row, object);
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
        cell(row, "%" PRId64, number_at(object, "status", numbers[i]));
    cell(row, "%s",
         selector_text(row->arena, json_at(object, "spec", "template", "spec", "nodeSelector")));
    cell_age(row, object);
    wide_template(row, object, true);
}

/* ---- jobs ---- */

static const char *job_status(const cJSON *object)
{
    if (condition_true(object, "Complete"))
        return "Complete";
    if (condition_true(object, "Failed"))
        return "Failed";
    if (json_at(object, "metadata", "deletionTimestamp"))
        return "Terminating";
    if (condition_true(object, "Suspended"))
        return "Suspended";
    return condition_true(object, "FailureTarget") ? "FailureTarget" : "Running";
}

static void job(struct row *row, const cJSON *object)
{
    int64_t started, ended, succeeded = number_at(object, "status", "succeeded");
    int64_t parallelism = number_at(object, "spec", "parallelism");
    cell_name(row, object);
    cell(row, "%s", job_status(object));
    if (cJSON_IsNumber(json_at(object, "spec", "completions")))
        cell(row, "%" PRId64 "/%" PRId64, succeeded, number_at(object, "spec", "completions"));
    else if (parallelism > 1)
        cell(row, "%" PRId64 "/1 of %" PRId64, succeeded, parallelism);
    else
        cell(row, "%" PRId64 "/1", succeeded);
    if (!stamp_read(row->cluster, json_text(object, "status", "startTime"), &started)) {
        cell(row, "%s", "");
    } else {
        if (!stamp_read(row->cluster, json_text(object, "status", "completionTime"), &ended))
            ended = cluster_now(row->cluster);
        cell(row, "%s", human_duration(row->arena, ended - started));
    }
    cell_age(row, object);
    wide_template(row, object, true);
}

static void cron_job(struct row *row, const cJSON *object)
{
    const cJSON *suspend = json_at(object, "spec", "suspend");
    const char *last = json_text(object, "status", "lastScheduleTime");
    const cJSON *job_spec = json_at(object, "spec", "jobTemplate", "spec");
    cell_name(row, object);
    cell(row, "%s", text_at("", object, "spec", "schedule"));
    cell(row, "%s", text_at("<none>", object, "spec", "timeZone"));
    cell(row, "%s", !suspend ? "<unset>" : cJSON_IsTrue(suspend) ? "True" : "False");
    cell(row, "%d", cJSON_GetArraySize(json_at(object, "status", "active")));
    cell(row, "%s", last ? stamp_age(row->cluster, row->arena, last) : "<none>");
    cell_age(row, object);
    cells_containers(row, json_at(job_spec, "template", "spec"));
    cell(row, "%s", selector_text(row->arena, json_at(job_spec, "selector")));
}

#define TEMPLATE "|+CONTAINERS|+IMAGES"

const struct table tables_workloads[] = {
    {"Pod", "NAME|READY|STATUS|RESTARTS|AGE|+IP|+NODE|+NOMINATED NODE|+READINESS GATES", pod},
    {"Deployment", "NAME|READY|UP-TO-DATE|AVAILABLE|AGE" TEMPLATE "|+SELECTOR", deployment},
    {"ReplicaSet", "NAME|DESIRED|CURRENT|READY|AGE" TEMPLATE "|+SELECTOR", replica_set},
    {"ReplicationController", "NAME|DESIRED|CURRENT|READY|AGE" TEMPLATE "|+SELECTOR", replica_set},
    {"StatefulSet", "NAME|READY|AGE" TEMPLATE, stateful_set},
    {"DaemonSet",
     "NAME|DESIRED|CURRENT|READY|UP-TO-DATE|AVAILABLE|NODE SELECTOR|AGE" TEMPLATE "|+SELECTOR",
     daemon_set},
    {"Job", "NAME|STATUS|COMPLETIONS|DURATION|AGE" TEMPLATE "|+SELECTOR", job},
    {"CronJob", "NAME|SCHEDULE|TIMEZONE|SUSPEND|ACTIVE|LAST SCHEDULE|AGE" TEMPLATE "|+SELECTOR",
     cron_job},
    {NULL, NULL, NULL},
};
