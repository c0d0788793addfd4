/* The course of a pod: scheduled, its volumes, its sandbox, its containers, its end.
 *
 * Follows k8s.io/kubernetes pkg/kubelet/kubelet.go (SyncPod) and kuberuntime_manager.go; the
 * instants are of a quiet node.
 */
#include "fakes/kubernetes/kubelet/kubelet.h"

#include <stdlib.h>
#include <string.h>

#include "sim/base/xalloc.h"

struct pod *pod_of(const struct object *object)
{
    return is_kind(object, "Pod") ? object->extra : NULL;
}

static int64_t now_of(const struct pod *pod)
{
    return controllers_now(pod->controllers);
}

static int64_t after(const struct pod *pod, int64_t ns)
{
    return now_of(pod) + (controllers_before_run(pod->controllers) ? 0 : ns);
}

/* ---- making ---- */

static int count(const cJSON *list)
{
    return list ? cJSON_GetArraySize(list) : 0;
}

static void add_containers(struct pod *pod, const char *list, bool init)
{
    struct arena *arena = cluster_arena(pod->controllers->cluster);
    const cJSON *all = json_at(pod->object->json, "spec", list);
    for (const cJSON *one = all ? all->child : NULL; one; one = one->next) {
        const char *name = json_text(one, "name"), *policy = json_text(one, "restartPolicy");
        struct pod_container *container = &pod->containers[pod->n++];
        *container = (struct pod_container){
            .pod = pod,
            .name = arena_strdup(arena, name ? name : ""),
            .init = init,
            .sidecar = init && policy && strcmp(policy, "Always") == 0,
            .reason = count(json_at(pod->object->json, "spec", "initContainers")) > 0
                          ? "PodInitializing"
                          : "ContainerCreating",
            .due_ns = INT64_MAX,
            .kill_ns = INT64_MAX,
            .term_ns = INT64_MAX,
        };
    }
}

static struct pod *pod_new(struct controllers *controllers, struct object *object)
{
    struct pod *pod = xcalloc(1, sizeof *pod);
    int n = count(json_at(object->json, "spec", "initContainers")) +
            count(json_at(object->json, "spec", "containers"));
    *pod = (struct pod){
        .controllers = controllers,
        .object = object,
        .number = controllers->n_pods,
        .containers = xcalloc((size_t)n + 1, sizeof *pod->containers),
        .sandbox_ns = INT64_MAX,
        .ending_ns = INT64_MAX,
        .kill_ns = INT64_MAX,
        .gone_ns = INT64_MAX,
    };
    add_containers(pod, "initContainers", true);
    pod->n_init = pod->n;
    add_containers(pod, "containers", false);
    object->extra = pod;
    XGROW(controllers->pods, controllers->n_pods, controllers->cap_pods);
    controllers->pods[controllers->n_pods++] = pod;
    return pod;
}

/* ---- its node ---- */

/* PodScheduled false, with the scheduler's words. */
static void unschedulable(struct pod *pod, const char *why)
{
    cJSON *status = json_child(pod->object->json, "status");
    const char *before = json_text(condition_of(status, "PodScheduled"), "message");
    if (before && strcmp(before, why) == 0)
        return;
    struct arena scratch = {0};
    cJSON *changed = cJSON_Duplicate(status, true), *condition = cJSON_CreateObject();
    cJSON_AddNullToObject(condition, "lastProbeTime");
    json_set_text(condition, "lastTransitionTime", now_stamp(pod->controllers, &scratch));
    json_set_text(condition, "message", why);
    json_set_text(condition, "reason", "Unschedulable");
    json_set_text(condition, "status", "False");
    json_set_text(condition, "type", "PodScheduled");
    json_set_text(changed, "phase", "Pending");
    json_set(changed, "conditions", cJSON_CreateArray());
    cJSON_AddItemToArray(cJSON_GetObjectItemCaseSensitive(changed, "conditions"), condition);
    arena_release(&scratch);
    tell(pod->controllers, pod->object, "Warning", "FailedScheduling", "default-scheduler", "%s",
         why);
    set_status(pod->controllers, pod->object, changed);
}

static int node_number(struct controllers *controllers, const char *name)
{
    struct arena scratch = {0};
    struct object **all = objects_of(controllers, &scratch, "Node", NULL);
    int n = 0;
    while (all[n] && strcmp(all[n]->name, name) != 0)
        n++;
    arena_release(&scratch);
    return n;
}

static bool find_node(struct pod *pod)
{
    struct arena scratch = {0};
    struct controllers *controllers = pod->controllers;
    const char *given = json_text(pod->object->json, "spec", "nodeName"), *why = NULL;
    const char *node = given ? given : schedule(controllers, &scratch, pod->object, &why);
    if (!node) {
        if (why)
            unschedulable(pod, why);
        arena_release(&scratch);
        return false;
    }
    pod->node = arena_strdup(cluster_arena(controllers->cluster), node);
    pod->scheduled = true;
    pod->sandbox_ns = INT64_MAX;
    pod->ip = arena_printf(cluster_arena(controllers->cluster), "10.244.%d.%d",
                           node_number(controllers, node), 2 + pod->number % 250);
    if (!given) {
        json_set_text(spec_of(pod->object), "nodeName", node);
        tell(controllers, pod->object, "Normal", "Scheduled", "default-scheduler",
             "Successfully assigned %s/%s to %s", pod->object->ns, pod->object->name, node);
    }
    arena_release(&scratch);
    return true;
}

/* ---- running ---- */

static bool is_through(const struct pod_container *container)
{
    if (container->sidecar)
        return container_is_started(container);
    return container->step == STEP_DONE && container->exit_code == 0;
}

static void run(struct pod *pod, int64_t *next_ns)
{
    if (!pod->prepared && !(pod->prepared = pod_mount(pod))) {
        *next_ns = now_of(pod) + RESYNC_NS;
        return;
    }
    if (pod->sandbox_ns == INT64_MAX)
        pod->sandbox_ns = after(pod, SANDBOX_NS);
    if (pod->sandbox_ns > now_of(pod)) {
        *next_ns = pod->sandbox_ns;
        return;
    }
    for (int i = 0; i < pod->n_init; i++) {
        container_go(&pod->containers[i], next_ns);
        if (!is_through(&pod->containers[i]))
            return;
    }
    for (int i = pod->n_init; i < pod->n; i++)
        container_go(&pod->containers[i], next_ns);
    if (!pod_is_over(pod))
        return;
    for (int i = 0; i < pod->n_init; i++) /* sidecars go last */
        container_stop(&pod->containers[i], 30 * SECOND, "Stopping container");
}

/* ---- ending ---- */

static void forget(struct pod *pod)
{
    if (pod->over)
        return;
    pod->over = true;
    for (int i = 0; i < pod->n; i++)
        container_forget(&pod->containers[i]);
    pod_unmount(pod);
    if (!controllers_before_run(pod->controllers)) {
        struct arena scratch = {0};
        env_remove_tree(pod->controllers->env, "",
                        arena_printf(&scratch, "/var/lib/kubelet/pods/%s", uid_of(pod->object)));
        arena_release(&scratch);
    }
    pod_place_lost(pod->controllers->cluster, pod->object, NULL);
}

static void end(struct pod *pod, int64_t *next_ns)
{
    struct arena *arena = cluster_arena(pod->controllers->cluster);
    const cJSON *metadata = json_at(pod->object->json, "metadata");
    int64_t grace_ns = json_int(metadata, "deletionGracePeriodSeconds", 30) * SECOND;
    int64_t now = now_of(pod);
    bool first = pod->ending_ns == INT64_MAX;
    pod->ending_ns = first ? now : pod->ending_ns;
    if (first || pod->ending_ns + grace_ns < pod->kill_ns) {
        pod->kill_ns = pod->ending_ns + grace_ns;
        for (int i = 0; i < pod->n; i++) {
            struct pod_container *container = &pod->containers[i];
            int64_t left = pod->kill_ns > now ? pod->kill_ns - now : 0;
            container_stop(container, left,
                           arena_printf(arena, "Stopping container %s", container->name));
        }
    }
    bool all = true;
    for (int i = 0; i < pod->n; i++) {
        container_go(&pod->containers[i], next_ns);
        all = all && pod->containers[i].step == STEP_DONE;
    }
    if (!all)
        return;
    if (pod->gone_ns == INT64_MAX)
        pod->gone_ns = pod->scheduled ? now + CLEAN_UP_NS : now;
    if (pod->gone_ns > now) {
        *next_ns = pod->gone_ns;
        return;
    }
    forget(pod);
    if (count(json_at(metadata, "finalizers")) == 0)
        cluster_remove(pod->controllers->cluster, pod->object);
}

void pod_sync(struct controllers *controllers, struct object *object)
{
    struct pod *pod = pod_of(object);
    int64_t next_ns = INT64_MAX;
    if (!pod && object->gone)
        return;
    if (!pod)
        pod = pod_new(controllers, object);
    if (object->gone) {
        forget(pod);
        return;
    }
    if (is_being_deleted(object)) {
        end(pod, &next_ns);
    } else if (!pod->over) {
        if (!pod->scheduled && !find_node(pod))
            return;
        run(pod, &next_ns);
    }
    if (object->gone)
        return;
    pod_report(pod);
    pods_rotate(controllers);
    if (next_ns != INT64_MAX)
        controllers_later(controllers, pod_sync, object,
                          next_ns > now_of(pod) ? next_ns - now_of(pod) : 0);
}

/* ---- following the world ---- */

static struct pod_container *owner_of(const struct controllers *controllers,
                                      const struct instance *instance)
{
    for (int i = controllers->n_pods - 1; i >= 0; i--) {
        struct pod *pod = controllers->pods[i];
        for (int k = 0; k < pod->n; k++) {
            if (pod->containers[k].instance == instance)
                return &pod->containers[k];
        }
    }
    return NULL;
}

static void instance_changed(struct instance *instance, enum instance_state before, void *ctx)
{
    struct controllers *controllers = ctx;
    struct pod_container *container = owner_of(controllers, instance);
    if (!container || container->step != STEP_RUNS)
        return;
    if (instance_state(instance) == INSTANCE_STOPPED && before != INSTANCE_STOPPED) {
        bool memory = strstr(instance_why(instance), "out of memory") != NULL;
        container_ended_with(container, instance_exit_code(instance), memory ? "OOMKilled" : NULL);
    } else {
        probes_wake(container);
    }
    controllers_later(controllers, pod_sync, container->pod->object, SOON_NS);
}

static void instance_logged(struct instance *instance, const char *line, bool is_error, void *ctx)
{
    const struct pod_container *container = owner_of(ctx, instance);
    if (container)
        pod_write_log(container->pod->object, container->name, line, is_error);
}

void kubelet_setup(struct controllers *controllers)
{
    world_watch_instances(controllers->env->world, instance_changed, controllers);
    world_watch_logs(controllers->env->world, instance_logged, controllers);
}

void kubelet_release(struct controllers *controllers)
{
    for (int i = 0; i < controllers->n_pods; i++) {
        struct pod *pod = controllers->pods[i];
        for (int k = 0; k < pod->n; k++) {
            pod->containers[k].instance = NULL; /* the world's, which is released with it */
            container_forget(&pod->containers[k]);
        }
        pod_unmount(pod);
        free(pod->containers);
        free(pod);
    }
    free(controllers->pods);
    data_release(controllers);
}

/* ---- for commands (pods.h) ---- */

static struct pod_container *find(const struct object *object, const char *name)
{
    struct pod *pod = pod_of(object);
    for (int i = 0; pod && i < pod->n; i++) {
        if (strcmp(pod->containers[i].name, name) == 0)
            return &pod->containers[i];
    }
    return NULL;
}

const struct log *pod_log(const struct object *pod, const char *name, bool previous)
{
    struct pod_container *container = find(pod, name);
    if (!container || (previous && !container->had_life))
        return NULL;
    return previous ? &container->previous : &container->log;
}

void pod_write_log(struct object *pod, const char *name, const char *text, bool is_error)
{
    enum { LINES_MAX = 20000 };
    struct pod_container *container = find(pod, name);
    if (!container)
        return;
    struct log *log = &container->log;
    if (log->n == LINES_MAX) { /* as when the node rotates it: the first half goes */
        int half = LINES_MAX / 2;
        for (int i = 0; i < half; i++)
            free(log->at[i].text);
        memmove(log->at, log->at + half, (size_t)half * sizeof *log->at);
        log->n = half;
    }
    XGROW(log->at, log->n, log->cap);
    log->at[log->n++] = (struct log_line){now_of(container->pod), xstrdup(text), is_error};
}

bool pod_container_running(const struct object *pod, const char *name)
{
    struct pod_container *container = find(pod, name);
    return container && container->phase == PHASE_RUNNING;
}

const struct image *pod_image(const struct object *pod, const char *name)
{
    struct pod_container *container = find(pod, name);
    return container && container->has_image ? &container->image : NULL;
}

struct instance *pod_instance(const struct object *object, const char *name)
{
    struct pod *pod = pod_of(object);
    for (int i = 0; pod && i < pod->n; i++) {
        struct pod_container *container = &pod->containers[i];
        if (container->instance && (!name || strcmp(container->name, name) == 0))
            return container->instance;
    }
    return NULL;
}

char *const *pod_environment(const struct object *pod, const char *name)
{
    struct pod_container *container = find(pod, name);
    return container && container->phase == PHASE_RUNNING ? container->env : NULL;
}

void pod_kill(struct object *object, const char *name, int exit_code)
{
    struct pod_container *container = find(object, name);
    if (!container)
        return;
    container_ended_with(container, exit_code, NULL);
    controllers_later(container->pod->controllers, pod_sync, object, SOON_NS);
}
