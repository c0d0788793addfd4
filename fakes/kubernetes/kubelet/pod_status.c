/* What the kubelet tells the API server of a pod.
 *
 * Follows k8s.io/kubernetes pkg/kubelet/kubelet_pods.go (getPhase, convertToAPIContainerStatuses)
 * and pkg/kubelet/status/generate.go.
 */
#include <string.h>

#include "fakes/docker.h"
#include "fakes/kubernetes/kubelet/kubelet.h"
#include "sim/base/hash.h"

static const char *stamp(const struct pod *pod, int64_t at_ns)
{
    struct cluster *cluster = pod->controllers->cluster;
    return cluster_stamp(cluster, cluster_arena(cluster), at_ns);
}

/* ---- containers ---- */

static cJSON *terminated(const struct pod *pod, const struct ended *ended)
{
    cJSON *json = cJSON_CreateObject();
    struct arena scratch = {0};
    json_set_text(json, "containerID", arena_printf(&scratch, "containerd://%s", ended->id));
    json_set_int(json, "exitCode", ended->exit_code);
    json_set_text(json, "finishedAt", stamp(pod, ended->finished_ns));
    json_set_text(json, "reason", ended->reason);
    json_set_text(json, "startedAt", stamp(pod, ended->started_ns));
    arena_release(&scratch);
    return json;
}

static cJSON *state_of(const struct pod_container *container)
{
    cJSON *state = cJSON_CreateObject();
    const struct pod *pod = container->pod;
    if (container->phase == PHASE_RUNNING) {
        json_set_text(json_child(state, "running"), "startedAt", stamp(pod, container->started_ns));
    } else if (container->phase == PHASE_ENDED) {
        json_set(state, "terminated", terminated(pod, &container->ended));
    } else {
        cJSON *waiting = json_child(state, "waiting");
        if (container->message)
            json_set_text(waiting, "message", container->message);
        json_set_text(waiting, "reason", container->reason);
    }
    return state;
}

/* By its digest, as a registry would name it. */
static const char *image_id(struct arena *arena, const struct image *image)
{
    const char *full = docker_full_name(arena, image->repository, image->tag);
    const char *hash = hash_sha256(arena, str_of(full));
    return arena_printf(arena, "%.*s@sha256:%s", (int)(strrchr(full, ':') - full), full, hash);
}

static cJSON *status_of_container(const struct pod_container *container)
{
    cJSON *json = cJSON_CreateObject();
    struct arena scratch = {0};
    const struct ended *last =
        container->phase == PHASE_ENDED ? &container->before : &container->ended;
    const char *image = json_text(container_spec(container), "image");
    const struct image *has = container->has_image ? &container->image : NULL;
    if (container->id)
        json_set_text(json, "containerID",
                      arena_printf(&scratch, "containerd://%s", container->id));
    json_set_text(json, "image",
                  has     ? docker_full_name(&scratch, has->repository, has->tag)
                  : image ? image
                          : "");
    json_set_text(json, "imageID", has ? image_id(&scratch, has) : "");
    json_set(json, "lastState", cJSON_CreateObject());
    if (last->reason)
        json_set(json_child(json, "lastState"), "terminated", terminated(container->pod, last));
    json_set_text(json, "name", container->name);
    bool ready = container->init && !container->sidecar
                     ? container->step == STEP_DONE && container->exit_code == 0
                     : container_is_ready(container);
    cJSON_AddBoolToObject(json, "ready", ready);
    json_set_int(json, "restartCount", container->restarts);
    cJSON_AddBoolToObject(json, "started",
                          container->phase == PHASE_RUNNING && container_is_started(container));
    json_set(json, "state", state_of(container));
    arena_release(&scratch);
    return json;
}

/* ---- the pod ---- */

static bool will_restart(const struct pod_container *container)
{
    const char *policy = restart_policy_of(container);
    return strcmp(policy, "Always") == 0 ||
           (strcmp(policy, "OnFailure") == 0 && container->exit_code != 0);
}

bool pod_is_over(const struct pod *pod)
{
    for (int i = pod->n_init; i < pod->n; i++) {
        if (pod->containers[i].phase != PHASE_ENDED || will_restart(&pod->containers[i]))
            return false;
    }
    return pod->n > pod->n_init;
}

static bool initialized(const struct pod *pod)
{
    for (int i = 0; i < pod->n_init; i++) {
        const struct pod_container *container = &pod->containers[i];
        bool ended = container->phase == PHASE_ENDED && container->exit_code == 0;
        if (!(container->sidecar ? container_is_started(container) : ended))
            return false;
    }
    return true;
}

static const char *phase_of(const struct pod *pod)
{
    bool all_started = true, failed = false;
    for (int i = 0; i < pod->n_init; i++) {
        const struct pod_container *container = &pod->containers[i];
        if (container->phase == PHASE_ENDED && container->exit_code != 0 &&
            strcmp(restart_policy_of(container), "Never") == 0)
            return "Failed";
    }
    if (pod->evicted)
        return "Failed";
    for (int i = pod->n_init; i < pod->n; i++) {
        const struct pod_container *container = &pod->containers[i];
        bool ran = container->phase != PHASE_WAITING || container->ended.reason;
        all_started = all_started && ran;
        failed = failed || (container->phase == PHASE_ENDED && container->exit_code != 0);
    }
    if (pod_is_over(pod))
        return failed ? "Failed" : "Succeeded";
    return initialized(pod) && all_started && pod->scheduled ? "Running" : "Pending";
}

static const char *unready_message(const struct pod *pod, struct arena *arena)
{
    const char *names = "";
    for (int i = pod->n_init; i < pod->n; i++) {
        if (!container_is_ready(&pod->containers[i]))
            names =
                arena_printf(arena, "%s%s%s", names, *names ? " " : "", pod->containers[i].name);
    }
    return arena_printf(arena, "containers with unready status: [%s]", names);
}

static const char *incomplete_message(const struct pod *pod, struct arena *arena)
{
    const char *names = "";
    for (int i = 0; i < pod->n_init; i++) {
        const struct pod_container *container = &pod->containers[i];
        if (container->phase != PHASE_ENDED || container->exit_code != 0)
            names = arena_printf(arena, "%s%s%s", names, *names ? " " : "", container->name);
    }
    return arena_printf(arena, "containers with incomplete status: [%s]", names);
}

static void condition(const struct pod *pod, cJSON *conditions, const char *type, bool holds,
                      const char *reason, const char *message)
{
    struct arena scratch = {0};
    const cJSON *before = condition_of(json_at(pod->object->json, "status"), type);
    const char *was = json_text(before, "status"), *status = holds ? "True" : "False";
    const char *since =
        was && strcmp(was, status) == 0 ? json_text(before, "lastTransitionTime") : NULL;
    cJSON *json = cJSON_CreateObject();
    cJSON_AddNullToObject(json, "lastProbeTime");
    json_set_text(json, "lastTransitionTime",
                  since ? since : now_stamp(pod->controllers, &scratch));
    if (!holds && message)
        json_set_text(json, "message", message);
    if (reason && (!holds || strcmp(reason, "PodCompleted") == 0))
        json_set_text(json, "reason", reason);
    json_set_text(json, "status", status);
    json_set_text(json, "type", type);
    cJSON_AddItemToArray(conditions, json);
    arena_release(&scratch);
}

/* Endpoints lose a pod when it is being deleted, but it may well be ready still. */
static bool ready(const struct pod *pod)
{
    bool all = initialized(pod);
    for (int i = pod->n_init; i < pod->n; i++)
        all = all && container_is_ready(&pod->containers[i]);
    return all;
}

static cJSON *conditions_of(const struct pod *pod, struct arena *arena, const char *phase)
{
    cJSON *conditions = cJSON_CreateArray();
    bool over = strcmp(phase, "Succeeded") == 0, failed = strcmp(phase, "Failed") == 0;
    const char *reason = over ? "PodCompleted" : failed ? "PodFailed" : "ContainersNotReady";
    const char *message = over || failed ? NULL : unready_message(pod, arena);
    bool sandbox = pod->sandbox_ns <= controllers_now(pod->controllers) && !over && !failed;
    condition(pod, conditions, "PodReadyToStartContainers", sandbox, NULL, NULL);
    condition(pod, conditions, "Initialized", initialized(pod) || over,
              over ? "PodCompleted" : "ContainersNotInitialized", incomplete_message(pod, arena));
    condition(pod, conditions, "Ready", ready(pod), reason, message);
    condition(pod, conditions, "ContainersReady", ready(pod), reason, message);
    condition(pod, conditions, "PodScheduled", true, NULL, NULL);
    return conditions;
}

static bool has_resources(const cJSON *list, const char *kind, const char *what)
{
    return json_text(list, "resources", kind, what) ||
           cJSON_IsNumber(json_at(list, "resources", kind, what));
}

static const char *quality_of(const struct pod *pod)
{
    bool any = false, guaranteed = true;
    static const char *const whats[] = {"cpu", "memory"};
    for (int i = 0; i < pod->n; i++) {
        const cJSON *spec = container_spec(&pod->containers[i]);
        for (int k = 0; k < 2; k++) {
            const cJSON *limit = json_at(spec, "resources", "limits", whats[k]);
            const cJSON *request = json_at(spec, "resources", "requests", whats[k]);
            any = any || has_resources(spec, "limits", whats[k]) ||
                  has_resources(spec, "requests", whats[k]);
            guaranteed = guaranteed && limit && (!request || cJSON_Compare(limit, request, true));
        }
    }
    return !any ? "BestEffort" : guaranteed ? "Guaranteed" : "Burstable";
}

static void add_addresses(const struct pod *pod, cJSON *status, struct arena *arena)
{
    const struct object *node =
        cluster_find_named(pod->controllers->cluster, "Node", "", pod->node);
    const cJSON *addresses = node ? json_at(node->json, "status", "addresses") : NULL;
    const char *host = json_text(addresses ? addresses->child : NULL, "address");
    (void)arena;
    if (host) {
        json_set_text(status, "hostIP", host);
        cJSON *one = cJSON_CreateObject();
        json_set_text(one, "ip", host);
        cJSON_AddItemToArray(cJSON_AddArrayToObject(status, "hostIPs"), one);
    }
    if (pod->sandbox_ns <= controllers_now(pod->controllers)) {
        json_set_text(status, "podIP", pod->ip);
        cJSON *one = cJSON_CreateObject();
        json_set_text(one, "ip", pod->ip);
        cJSON_AddItemToArray(cJSON_AddArrayToObject(status, "podIPs"), one);
    }
}

void pod_report(struct pod *pod)
{
    struct arena scratch = {0};
    const char *phase = phase_of(pod);
    cJSON *status = cJSON_CreateObject(), *containers = cJSON_CreateArray();
    if (!pod->scheduled) {
        cJSON_Delete(status);
        cJSON_Delete(containers);
        return;
    }
    json_set(status, "conditions", conditions_of(pod, &scratch, phase));
    for (int i = pod->n_init; i < pod->n; i++)
        cJSON_AddItemToArray(containers, status_of_container(&pod->containers[i]));
    json_set(status, "containerStatuses", containers);
    if (pod->n_init > 0) {
        cJSON *init = cJSON_AddArrayToObject(status, "initContainerStatuses");
        for (int i = 0; i < pod->n_init; i++)
            cJSON_AddItemToArray(init, status_of_container(&pod->containers[i]));
    }
    add_addresses(pod, status, &scratch);
    json_set_text(status, "phase", phase);
    json_set_text(status, "qosClass", quality_of(pod));
    const char *since = json_text(pod->object->json, "status", "startTime");
    json_set_text(status, "startTime", since ? since : now_stamp(pod->controllers, &scratch));
    set_status(pod->controllers, pod->object, status);
    arena_release(&scratch);
}
