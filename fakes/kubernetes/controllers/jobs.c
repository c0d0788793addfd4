/* Jobs: pods that run to their end; CronJobs: Jobs at their times.
 *
 * Follows k8s.io/kubernetes pkg/controller/job and pkg/controller/cronjob.
 */
#include <inttypes.h>
#include <string.h>

#include "fakes/host.h"
#include "fakes/kubernetes/controllers/controllers.h"

#define SOURCE        "job-controller"
#define CRON_SOURCE   "cronjob-controller"
#define BACKOFF_NS    (10 * SECOND)
#define BACKOFF_MAX   (10 * MINUTE)
#define UID_LABEL     "batch.kubernetes.io/controller-uid"
#define JOB_LABEL     "batch.kubernetes.io/job-name"
#define SCHEDULED_FOR "batch.kubernetes.io/cronjob-scheduled-timestamp"

struct job {
    struct controllers *controllers;
    struct arena *arena;
    struct object *object, **pods;
    int active, ready, succeeded, failed;
    cJSON *status;
};

static bool holds(const struct object *job, const char *type)
{
    const char *status = json_text(condition_of(json_at(job->json, "status"), type), "status");
    return status && strcmp(status, "True") == 0;
}

static bool is_finished(const struct object *job)
{
    return holds(job, "Complete") || holds(job, "Failed");
}

static void condition(struct job *job, const char *type, const char *reason, const char *message)
{
    cJSON *conditions = cJSON_GetObjectItemCaseSensitive(job->status, "conditions");
    const char *now = now_stamp(job->controllers, job->arena);
    cJSON *one = cJSON_CreateObject();
    json_set_text(one, "lastProbeTime", now);
    json_set_text(one, "lastTransitionTime", now);
    json_set_text(one, "message", message);
    json_set_text(one, "reason", reason);
    json_set_text(one, "status", "True");
    json_set_text(one, "type", type);
    if (!conditions)
        conditions = cJSON_AddArrayToObject(job->status, "conditions");
    cJSON_AddItemToArray(conditions, one);
}

/* The API server gives a Job the labels by which it knows its pods. */
static void label(struct job *job)
{
    cJSON *spec = spec_of(job->object);
    cJSON *metadata = json_child(json_child(spec, "template"), "metadata");
    cJSON *labels = json_child(metadata, "labels");
    if (json_text(labels, UID_LABEL))
        return;
    json_set_text(labels, UID_LABEL, uid_of(job->object));
    json_set_text(labels, JOB_LABEL, job->object->name);
    json_set_text(labels, "controller-uid", uid_of(job->object));
    json_set_text(labels, "job-name", job->object->name);
    json_set_text(json_child(json_child(spec, "selector"), "matchLabels"), UID_LABEL,
                  uid_of(job->object));
    cluster_touched(job->controllers->cluster, job->object, false);
}

static int64_t restarts_of(const struct object *pod)
{
    int64_t sum = 0;
    const cJSON *all = json_at(pod->json, "status", "containerStatuses");
    for (const cJSON *one = all ? all->child : NULL; one; one = one->next)
        sum += json_int(one, "restartCount", 0);
    return sum;
}

static void count(struct job *job, int64_t *ret_restarts)
{
    for (int i = 0; job->pods[i]; i++) {
        const struct object *pod = job->pods[i];
        const char *phase = pod_phase(pod);
        job->active += pod_is_active(pod);
        job->ready += pod_is_active(pod) && pod_is_ready(pod);
        job->succeeded += strcmp(phase, "Succeeded") == 0;
        job->failed += strcmp(phase, "Failed") == 0;
        *ret_restarts += restarts_of(pod);
    }
}

static void make_pod(struct job *job)
{
    struct object *object = job->object;
    cJSON *pod = pod_from_template(job->arena, json_at(object->json, "spec", "template"), object);
    cJSON *metadata = json_child(pod, "metadata");
    const char *name = arena_printf(job->arena, "%s-%s", object->name,
                                    new_name_suffix(job->controllers, job->arena, object->name));
    json_set_text(metadata, "generateName", arena_printf(job->arena, "%s-", object->name));
    json_set_text(metadata, "name", name);
    if (make_for(job->controllers, object, "pods", SOURCE, pod))
        tell(job->controllers, object, "Normal", "SuccessfulCreate", SOURCE, "Created pod: %s",
             name);
}

static void delete_active(struct job *job, int keep)
{
    for (int i = 0; job->pods[i]; i++) {
        if (pod_is_active(job->pods[i]) && keep-- <= 0) {
            tell(job->controllers, job->object, "Normal", "SuccessfulDelete", SOURCE,
                 "Deleted pod: %s", job->pods[i]->name);
            cluster_delete(job->controllers->cluster, job->pods[i], -1, false);
        }
    }
}

static void fail(struct job *job, const char *reason, const char *message)
{
    delete_active(job, 0);
    condition(job, "FailureTarget", reason, message);
    condition(job, "Failed", reason, message);
    tell(job->controllers, job->object, "Warning", reason, SOURCE, "%s", message);
}

static void complete(struct job *job)
{
    static const char message[] = "Reached expected number of succeeded pods";
    condition(job, "SuccessCriteriaMet", "CompletionsReached", message);
    condition(job, "Complete", "CompletionsReached", message);
    json_set_text(job->status, "completionTime", now_stamp(job->controllers, job->arena));
    tell(job->controllers, job->object, "Normal", "Completed", SOURCE, "Job completed");
}

/* A pod in the place of one that failed comes later each time. */
static int64_t wait_ns(const struct job *job)
{
    int64_t last = NEVER, pause = BACKOFF_NS;
    for (int i = 0; job->pods[i]; i++) {
        const cJSON *all = json_at(job->pods[i]->json, "status", "containerStatuses");
        const char *at = json_text(all ? all->child : NULL, "state", "terminated", "finishedAt");
        int64_t ended = stamp_ns(job->controllers, at);
        last = ended > last ? ended : last;
    }
    for (int i = 1; i < job->failed && pause < BACKOFF_MAX; i++)
        pause *= 2;
    if (job->failed == 0 || last == NEVER)
        return 0;
    int64_t left = last + pause - controllers_now(job->controllers);
    return left > 0 ? left : 0;
}

static void manage(struct job *job)
{
    const cJSON *spec = json_at(job->object->json, "spec");
    bool counted = json_at(spec, "completions");
    int64_t parallel = pods_wanted(job->controllers, job->object, "parallelism", 1);
    int64_t wanted = json_int(spec, "completions", 1) - job->succeeded;
    if (!counted)
        wanted = job->succeeded > 0 ? 0 : parallel;
    wanted = wanted < parallel ? wanted : parallel;
    if (job->active > wanted) {
        delete_active(job, (int)wanted);
        return;
    }
    int64_t pause = wait_ns(job);
    if (pause > 0 && job->active < wanted) {
        controllers_later(job->controllers, job_sync, job->object, pause);
        return;
    }
    for (int i = job->active; i < wanted; i++)
        make_pod(job);
}

static bool is_complete(const struct job *job)
{
    const cJSON *spec = json_at(job->object->json, "spec");
    if (json_at(spec, "completions"))
        return job->succeeded >= json_int(spec, "completions", 1);
    return job->succeeded > 0 && job->active == 0;
}

static bool too_late(struct job *job)
{
    int64_t limit_s = json_int(spec_of(job->object), "activeDeadlineSeconds", -1);
    int64_t since = stamp_ns(job->controllers, json_text(job->status, "startTime"));
    if (limit_s < 0 || since == NEVER)
        return false;
    int64_t left = since + limit_s * SECOND - controllers_now(job->controllers);
    if (left > 0)
        controllers_later(job->controllers, job_sync, job->object, left);
    return left <= 0;
}

static void numbers(struct job *job)
{
    static const char *const keys[] = {"active", "ready", "succeeded", "failed"};
    const int values[] = {job->active, job->ready, job->succeeded, job->failed};
    bool ready_always = true; /* also when it is none */
    for (int i = 0; i < 4; i++) {
        cJSON_DeleteItemFromObjectCaseSensitive(job->status, keys[i]);
        if (values[i] || (i == 1 && ready_always))
            json_set_int(job->status, keys[i], values[i]);
    }
    json_set_int(job->status, "terminating", 0);
    json_set(job->status, "uncountedTerminatedPods", cJSON_CreateObject());
}

/* After ttlSecondsAfterFinished a Job goes. */
static void expire(struct controllers *controllers, struct object *object)
{
    int64_t ttl_s = json_int(spec_of(object), "ttlSecondsAfterFinished", -1);
    const cJSON *done = condition_of(json_at(object->json, "status"),
                                     holds(object, "Complete") ? "Complete" : "Failed");
    int64_t since = stamp_ns(controllers, json_text(done, "lastTransitionTime"));
    if (ttl_s < 0 || since == NEVER)
        return;
    int64_t left = since + ttl_s * SECOND - controllers_now(controllers);
    if (left > 0)
        controllers_later(controllers, job_sync, object, left);
    else
        cluster_delete(controllers->cluster, object, -1, false);
}

static void look(struct job *job)
{
    const cJSON *spec = json_at(job->object->json, "spec");
    int64_t restarts = 0;
    count(job, &restarts);
    bool suspended = cJSON_IsTrue(json_at(spec, "suspend"));
    if (!json_text(job->status, "startTime") && !suspended)
        json_set_text(job->status, "startTime", now_stamp(job->controllers, job->arena));
    if (is_complete(job))
        complete(job);
    else if (job->failed + restarts > json_int(spec, "backoffLimit", 6))
        fail(job, "BackoffLimitExceeded", "Job has reached the specified backoff limit");
    else if (too_late(job))
        fail(job, "DeadlineExceeded", "Job was active longer than specified deadline");
    else if (suspended)
        delete_active(job, 0);
    else
        manage(job);
}

void job_sync(struct controllers *controllers, struct object *object)
{
    struct arena scratch = {0};
    struct job job = {.controllers = controllers, .arena = &scratch, .object = object};
    if (object->gone)
        return;
    if (is_finished(object)) {
        expire(controllers, object);
        return;
    }
    label(&job);
    job.pods = dependents_of(controllers, &scratch, "Pod", object);
    job.status = cJSON_Duplicate(json_child(object->json, "status"), true);
    if (!is_being_deleted(object))
        look(&job);
    numbers(&job);
    set_status(controllers, object, job.status);
    arena_release(&scratch);
}

/* ---- CronJobs ---- */

static void make_job(struct controllers *controllers, struct arena *arena, struct object *cron,
                     int64_t unix_ns)
{
    const cJSON *template = json_at(cron->json, "spec", "jobTemplate");
    cJSON *job = cJSON_CreateObject(), *metadata = json_child(job, "metadata");
    static const char *const copied[] = {"labels", "annotations"};
    for (int i = 0; i < 2; i++) {
        const cJSON *value = json_at(template, "metadata", copied[i]);
        if (value)
            json_set(metadata, copied[i], cJSON_Duplicate(value, true));
    }
    const char *stamp =
        cluster_stamp(controllers->cluster, arena, unix_ns - controllers->env->start_unix_ns);
    json_set_text(metadata, "name",
                  arena_printf(arena, "%s-%" PRId64, cron->name, unix_ns / MINUTE));
    json_set_text(json_child(metadata, "annotations"), SCHEDULED_FOR, stamp);
    json_set(job, "spec", cJSON_Duplicate(json_at(template, "spec"), true));
    set_controller(job, arena, cron);
    struct object *made = make_for(controllers, cron, "jobs", CRON_SOURCE, job);
    if (!made)
        return;
    tell(controllers, cron, "Normal", "SuccessfulCreate", CRON_SOURCE, "Created job %s",
         made->name);
    cJSON *status = cJSON_Duplicate(json_child(cron->json, "status"), true);
    json_set_text(status, "lastScheduleTime", stamp);
    set_status(controllers, cron, status);
}

/* Finished Jobs beyond the limits go, the oldest first. */
static void clean_up(struct controllers *controllers, struct arena *arena, struct object *cron)
{
    static const char *const types[] = {"Complete", "Failed"};
    static const char *const keys[] = {"successfulJobsHistoryLimit", "failedJobsHistoryLimit"};
    for (int k = 0; k < 2; k++) {
        struct object **jobs = objects_of(controllers, arena, "Job", cron->ns);
        int64_t n = 0, limit = json_int(spec_of(cron), keys[k], k == 0 ? 3 : 1);
        for (int i = 0; jobs[i]; i++)
            n += is_controlled_by(jobs[i], cron) && holds(jobs[i], types[k]);
        for (int i = 0; jobs[i] && n > limit; i++) { /* their names are in the order of time */
            if (!is_controlled_by(jobs[i], cron) || !holds(jobs[i], types[k]))
                continue;
            cluster_delete(controllers->cluster, jobs[i], -1, false);
            n--;
        }
    }
}

static int running(struct controllers *controllers, struct arena *arena, struct object *cron,
                   bool end_them)
{
    struct object **jobs = objects_of(controllers, arena, "Job", cron->ns);
    int n = 0;
    for (; *jobs; jobs++) {
        if (!is_controlled_by(*jobs, cron) || is_finished(*jobs) || is_being_deleted(*jobs))
            continue;
        n++;
        if (end_them)
            cluster_delete(controllers->cluster, *jobs, -1, false);
    }
    return n;
}

static void report_active(struct controllers *controllers, struct arena *arena, struct object *cron)
{
    struct object **jobs = objects_of(controllers, arena, "Job", cron->ns);
    cJSON *status = cJSON_Duplicate(json_child(cron->json, "status"), true);
    cJSON *active = cJSON_CreateArray();
    for (; *jobs; jobs++) {
        if (!is_controlled_by(*jobs, cron) || is_finished(*jobs))
            continue;
        cJSON *one = cJSON_CreateObject();
        json_set_text(one, "apiVersion", "batch/v1");
        json_set_text(one, "kind", "Job");
        json_set_text(one, "name", (*jobs)->name);
        json_set_text(one, "namespace", (*jobs)->ns);
        json_set_text(one, "uid", uid_of(*jobs));
        cJSON_AddItemToArray(active, one);
    }
    cJSON_DeleteItemFromObjectCaseSensitive(status, "active");
    if (cJSON_GetArraySize(active) > 0)
        json_set(status, "active", active);
    else
        cJSON_Delete(active);
    set_status(controllers, cron, status);
}

void cron_job_sync(struct controllers *controllers, struct object *cron)
{
    struct arena scratch = {0};
    const char *schedule = json_text(cron->json, "spec", "schedule");
    if (is_being_deleted(cron) || controllers_before_run(controllers) || !schedule) {
        if (!cron->gone && schedule) /* its first time comes when the run has begun */
            controllers_later(controllers, cron_job_sync, cron, MINUTE);
        return;
    }
    const char *policy = json_text(cron->json, "spec", "concurrencyPolicy");
    int64_t now = env_unix_ns(controllers->env);
    int64_t due = host_cron_next(schedule, now - MINUTE);
    const char *last = json_text(cron->json, "status", "lastScheduleTime");
    int64_t last_unix =
        last ? stamp_ns(controllers, last) + controllers->env->start_unix_ns : NEVER;
    bool suspended = cJSON_IsTrue(json_at(cron->json, "spec", "suspend"));
    bool is_due = due != NEVER && due <= now && due != last_unix && !suspended;
    bool forbid = policy && strcmp(policy, "Forbid") == 0;
    bool replace = policy && strcmp(policy, "Replace") == 0;
    if (is_due && !(forbid && running(controllers, &scratch, cron, false) > 0)) {
        if (replace)
            running(controllers, &scratch, cron, true);
        make_job(controllers, &scratch, cron, due);
    }
    clean_up(controllers, &scratch, cron);
    report_active(controllers, &scratch, cron);
    int64_t next = host_cron_next(schedule, now);
    controllers_later(controllers, cron_job_sync, cron, next == NEVER ? DAY : next - now + SOON_NS);
    arena_release(&scratch);
}
