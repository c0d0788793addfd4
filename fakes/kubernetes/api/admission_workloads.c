/* Workloads. Sources: pkg/apis/apps/validation, pkg/apis/batch/validation, and what the strategies
 * of pkg/registry forbid in an update. */
#include <stdlib.h>
#include <string.h>

#include "fakes/kubernetes/api/admission.h"
#include "fakes/kubernetes/api/patch.h"

/* ---- numbers or percentages ---- */

/* A count, or "25%". */
static void check_count(struct causes *causes, const char *path, const cJSON *value)
{
    if (cJSON_IsNumber(value) && value->valuedouble < 0)
        cause_invalid(causes, path, shown_value(causes, value),
                      "must be greater than or equal to 0");
    if (!cJSON_IsString(value))
        return;
    const char *text = value->valuestring;
    size_t digits = strspn(text, "0123456789");
    if (digits == 0 || strcmp(text + digits, "%") != 0)
        cause_invalid(causes, path, shown_text(causes, text),
                      "a valid percent string must be a numeric string followed by an ending '%%' "
                      "(e.g. '1%%',  or '93%%', regex used for validation is '[0-9]+%%')");
}

static bool is_zero(const cJSON *value)
{
    return value &&
           (cJSON_IsNumber(value) ? value->valuedouble == 0
                                  : cJSON_IsString(value) && strcmp(value->valuestring, "0%") == 0);
}

static void validate_rolling(struct causes *causes, const char *path, const cJSON *rolling)
{
    const cJSON *unavailable = json_at(rolling, "maxUnavailable");
    const cJSON *surge = json_at(rolling, "maxSurge");
    check_count(causes, path_at(causes, "%s.maxUnavailable", path), unavailable);
    check_count(causes, path_at(causes, "%s.maxSurge", path), surge);
    if (is_zero(unavailable) && is_zero(surge))
        cause_invalid(causes, path_at(causes, "%s.maxUnavailable", path),
                      cJSON_IsString(unavailable) ? "0%" : "0",
                      "may not be 0 when `maxSurge` is 0");
    if (cJSON_IsString(unavailable) && leading_int(unavailable->valuestring) > 100)
        cause_invalid(causes, path_at(causes, "%s.maxUnavailable", path),
                      shown_text(causes, unavailable->valuestring),
                      "must not be greater than 100%%");
}

/* ---- selector and template ---- */

static void validate_selector_and_template(struct causes *causes, const char *kind,
                                           const cJSON *spec)
{
    const cJSON *selector = json_at(spec, "selector"), *template = json_at(spec, "template");
    const cJSON *labels = json_at(template, "metadata", "labels");
    int n = cJSON_GetArraySize(json_at(selector, "matchLabels")) +
            cJSON_GetArraySize(json_at(selector, "matchExpressions"));
    if (!cJSON_IsObject(selector)) {
        cause_required(causes, "spec.selector", NULL);
    } else {
        validate_selector(causes, "spec.selector", selector);
        if (n == 0)
            cause_invalid(causes, "spec.selector", shown_selector(causes, selector),
                          "empty selector is invalid for %s", kind);
    }
    if (!n || (cJSON_IsObject(selector) &&
               !selector_matches(selector_of(causes->arena, selector), labels)))
        cause_invalid(causes, "spec.template.metadata.labels", shown_map(causes, labels),
                      "`selector` does not match template `labels`");
    validate_labels(causes, "spec.template.labels", labels);
}

static void validate_template(struct causes *causes, const cJSON *spec, bool may_restart_only)
{
    static const char *const always[] = {"Always", NULL};
    const cJSON *pods = json_at(spec, "template", "spec");
    validate_pod_spec(causes, "spec.template.spec", pods, json_at(spec, "volumeClaimTemplates"));
    if (may_restart_only)
        check_choice(causes, "spec.template.spec", pods, "restartPolicy", always);
    if (may_restart_only && json_at(pods, "activeDeadlineSeconds"))
        cause_forbidden(causes, "spec.template.spec.activeDeadlineSeconds",
                        "activeDeadlineSeconds in ReplicaSet is not Supported");
}

/* ---- kinds ---- */

static void validate_deployment(struct causes *causes, const cJSON *spec)
{
    static const char *const types[] = {"Recreate", "RollingUpdate", NULL};
    const cJSON *strategy = json_at(spec, "strategy");
    const char *type = json_text(strategy, "type");
    check_not_negative(causes, "spec", spec, "replicas");
    validate_selector_and_template(causes, "deployment", spec);
    validate_template(causes, spec, true);
    if (type && strcmp(type, "Recreate") == 0 && json_at(strategy, "rollingUpdate"))
        cause_forbidden(causes, "spec.strategy.rollingUpdate",
                        "may not be specified when strategy `type` is 'Recreate'");
    else if (type && strcmp(type, "RollingUpdate") == 0)
        validate_rolling(causes, "spec.strategy.rollingUpdate", json_at(strategy, "rollingUpdate"));
    else
        check_choice(causes, "spec.strategy", strategy, "type", types);
    check_not_negative(causes, "spec", spec, "minReadySeconds");
    check_not_negative(causes, "spec", spec, "revisionHistoryLimit");
    check_not_negative(causes, "spec", spec, "progressDeadlineSeconds");
    int64_t deadline = json_int(spec, "progressDeadlineSeconds", 600);
    if (deadline <= json_int(spec, "minReadySeconds", 0))
        cause_invalid(causes, "spec.progressDeadlineSeconds", shown_number(causes, deadline),
                      "must be greater than minReadySeconds");
}

static void validate_stateful_set(struct causes *causes, const cJSON *spec, const cJSON *old)
{
    static const char *const free_keys[] = {"replicas",
                                            "ordinals",
                                            "template",
                                            "updateStrategy",
                                            "revisionHistoryLimit",
                                            "persistentVolumeClaimRetentionPolicy",
                                            "minReadySeconds"};
    static const char *const policies[] = {"OrderedReady", "Parallel", NULL};
    static const char *const types[] = {"RollingUpdate", "OnDelete", NULL};
    check_not_negative(causes, "spec", spec, "replicas");
    validate_selector_and_template(causes, "statefulset", spec);
    validate_template(causes, spec, true);
    check_choice(causes, "spec", spec, "podManagementPolicy", policies);
    check_choice(causes, "spec.updateStrategy", json_at(spec, "updateStrategy"), "type", types);
    check_not_negative(causes, "spec.updateStrategy.rollingUpdate",
                       json_at(spec, "updateStrategy", "rollingUpdate"), "partition");
    if (!old)
        return;
    cJSON *is = cJSON_Duplicate(spec, true), *was = cJSON_Duplicate(json_at(old, "spec"), true);
    for (size_t i = 0; was && i < sizeof free_keys / sizeof *free_keys; i++) {
        cJSON_DeleteItemFromObjectCaseSensitive(is, free_keys[i]);
        cJSON_DeleteItemFromObjectCaseSensitive(was, free_keys[i]);
    }
    if (was && !json_equal(is, was))
        cause_forbidden(causes, "spec",
                        "updates to statefulset spec for fields other than 'replicas', "
                        "'ordinals', 'template', 'updateStrategy', 'revisionHistoryLimit', "
                        "'persistentVolumeClaimRetentionPolicy' and 'minReadySeconds' are "
                        "forbidden");
    cJSON_Delete(is);
    cJSON_Delete(was);
}

static void validate_daemon_set(struct causes *causes, const cJSON *spec)
{
    static const char *const types[] = {"RollingUpdate", "OnDelete", NULL};
    const cJSON *strategy = json_at(spec, "updateStrategy");
    validate_selector_and_template(causes, "daemonset", spec);
    validate_template(causes, spec, true);
    check_choice(causes, "spec.updateStrategy", strategy, "type", types);
    if (json_at(strategy, "rollingUpdate"))
        validate_rolling(causes, "spec.updateStrategy.rollingUpdate",
                         json_at(strategy, "rollingUpdate"));
    check_not_negative(causes, "spec", spec, "revisionHistoryLimit");
}

static void validate_job_spec(struct causes *causes, const char *path, const cJSON *spec)
{
    static const char *const numbers[] = {"parallelism", "completions", "activeDeadlineSeconds",
                                          "backoffLimit", "ttlSecondsAfterFinished"};
    const cJSON *pods = json_at(spec, "template", "spec");
    const char *restart = json_text(pods, "restartPolicy");
    const char *at = path_at(causes, "%s.template.spec", path);
    for (int i = 0; i < 5; i++)
        check_not_negative(causes, path, spec, numbers[i]);
    validate_pod_spec(causes, at, pods, NULL);
    if (restart && strcmp(restart, "OnFailure") != 0 && strcmp(restart, "Never") != 0) {
        static const char *const restarts[] = {"OnFailure", "Never", NULL};
        if (strcmp(restart, "Always") == 0)
            cause_required(causes, path_at(causes, "%s.restartPolicy", at),
                           "valid values: \"OnFailure\", \"Never\"");
        else
            cause_not_supported(causes, path_at(causes, "%s.restartPolicy", at), restart, restarts);
    }
}

static void validate_cron_job(struct causes *causes, const cJSON *spec)
{
    static const char *const policies[] = {"Allow", "Forbid", "Replace", NULL};
    const char *schedule = json_text(spec, "schedule");
    int fields = 0;
    struct str rest = str_of(schedule);
    while (rest.len)
        fields += str_cut(&rest, ' ').len > 0;
    if (!schedule || !*schedule)
        cause_required(causes, "spec.schedule", NULL);
    else if (*schedule != '@' && fields != 5)
        cause_invalid(causes, "spec.schedule", shown_text(causes, schedule),
                      "expected exactly 5 fields, found %d: [%s]", fields, schedule);
    check_choice(causes, "spec", spec, "concurrencyPolicy", policies);
    check_not_negative(causes, "spec", spec, "startingDeadlineSeconds");
    check_not_negative(causes, "spec", spec, "successfulJobsHistoryLimit");
    check_not_negative(causes, "spec", spec, "failedJobsHistoryLimit");
    validate_job_spec(causes, "spec.jobTemplate.spec", json_at(spec, "jobTemplate", "spec"));
}

/* ---- what stays as it is ---- */

static void check_immutable(struct causes *causes, const char *kind, const cJSON *json,
                            const cJSON *old)
{
    const cJSON *is = json_at(json, "spec"), *was = json_at(old, "spec");
    const cJSON *selector = json_at(is, "selector");
    if (strcmp(kind, "StatefulSet") == 0 || strcmp(kind, "CronJob") == 0)
        return;
    check_same(causes, "spec.selector", selector, json_at(was, "selector"),
               shown_selector(causes, selector));
    if (strcmp(kind, "Job") != 0)
        return;
    check_same(causes, "spec.completions", json_at(is, "completions"), json_at(was, "completions"),
               shown_value(causes, json_at(is, "completions")));
    check_same(causes, "spec.template", json_at(is, "template"), json_at(was, "template"),
               "core.PodTemplateSpec{...}");
}

void validate_workload(struct causes *causes, const struct kind *kind, const cJSON *json,
                       const cJSON *old)
{
    const cJSON *spec = json_at(json, "spec");
    const char *name = kind->name;
    if (strcmp(name, "Deployment") == 0)
        validate_deployment(causes, spec);
    else if (strcmp(name, "StatefulSet") == 0)
        validate_stateful_set(causes, spec, old);
    else if (strcmp(name, "DaemonSet") == 0)
        validate_daemon_set(causes, spec);
    else if (strcmp(name, "CronJob") == 0)
        validate_cron_job(causes, spec);
    else if (strcmp(name, "Job") == 0)
        validate_job_spec(causes, "spec", spec);
    else if (strcmp(name, "ReplicaSet") == 0) {
        check_not_negative(causes, "spec", spec, "replicas");
        validate_selector_and_template(causes, "replicaset", spec);
        validate_template(causes, spec, true);
    }
    if (old && strcmp(name, "ControllerRevision") != 0)
        check_immutable(causes, name, json, old);
}
