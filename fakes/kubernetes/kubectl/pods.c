/* Pods of workloads, the best first; containers; commands in them. */
#include "fakes/kubernetes/kubectl/pods.h"

#include <stdlib.h>
#include <string.h>

#include "fakes/inside.h"
#include "fakes/kubernetes/setup/setup_state.h"

struct selector *kubectl_pods_selector(struct kubectl *k, const struct object *object)
{
    static const char *const names[] = {
        "Deployment", "ReplicaSet", "StatefulSet", "DaemonSet", "ReplicationController",
        "Job",        "Service"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (!object->kind->custom && strcmp(object->kind->name, names[i]) == 0)
            return selector_of(k->arena, json_at(object->json, "spec", "selector"));
    return NULL;
}

/* ---- the order ---- */

static int phase_rank(const struct object *pod)
{
    const char *phase = json_text(pod->json, "status", "phase");
    return !phase ? 2 : strcmp(phase, "Running") == 0 ? 0 : strcmp(phase, "Unknown") == 0 ? 1 : 2;
}

/* Since when it is ready; NULL: it is not. */
static const char *ready_since(const struct object *pod)
{
    const cJSON *one;
    cJSON_ArrayForEach(one, json_at(pod->json, "status", "conditions"))
    {
        const char *type = json_text(one, "type"), *status = json_text(one, "status");
        const char *since = json_text(one, "lastTransitionTime");
        if (type && status && strcmp(type, "Ready") == 0 && strcmp(status, "True") == 0)
            return since ? since : "";
    }
    return NULL;
}

static int64_t restarts(const struct object *pod)
{
    int64_t most = 0;
    const cJSON *one;
    cJSON_ArrayForEach(one, json_at(pod->json, "status", "containerStatuses"))
    {
        int64_t its = json_int(one, "restartCount", 0);
        most = its > most ? its : most;
    }
    return most;
}

/* ByLogging, and ActivePods backwards: they differ in what they make of restarts. */
static int compare(const struct object *a, const struct object *b, enum pod_order order)
{
    bool node_a = json_text(a->json, "spec", "nodeName") != NULL;
    bool node_b = json_text(b->json, "spec", "nodeName") != NULL;
    const char *ready_a = ready_since(a), *ready_b = ready_since(b);
    if (node_a != node_b)
        return node_a ? -1 : 1;
    if (phase_rank(a) != phase_rank(b))
        return phase_rank(a) - phase_rank(b);
    if (!ready_a != !ready_b)
        return ready_a ? -1 : 1;
    int earlier = ready_a && ready_b ? strcmp(ready_a, ready_b) : 0;
    if (earlier)
        return earlier;
    if (restarts(a) != restarts(b))
        return (restarts(a) > restarts(b)) == (order == PODS_FOR_LOGS) ? -1 : 1;
    return a->created_ns < b->created_ns ? -1 : a->created_ns > b->created_ns;
}

struct object **kubectl_pods_of(struct kubectl *k, const struct selector *selector, const char *ns,
                                enum pod_order order)
{
    const struct kind *kind = cluster_kind(k->cluster, "Pod", "v1");
    struct object **pods = cluster_list(k->cluster, k->arena, kind, ns, selector, NULL);
    for (int i = 1; pods[0] && pods[i]; i++) { /* stable, as Go's is for so few */
        struct object *one = pods[i];
        int at = i;
        for (; at > 0 && compare(one, pods[at - 1], order) < 0; at--)
            pods[at] = pods[at - 1];
        pods[at] = one;
    }
    return pods;
}

/* ---- what is named ---- */

struct object *kubectl_pod_or_owner(struct kubectl *k, const char *typed, bool logs, int *ret_exit)
{
    struct str name = str_of(typed);
    bool pair = strchr(typed, '/') != NULL;
    const char *type = pair ? arena_str(k->arena, str_cut(&name, '/')) : "pods";
    const char *rest = arena_str(k->arena, name);
    struct api_error error;
    *ret_exit = 1;
    if (strchr(rest, '/')) {
        kubectl_error(k, "arguments in resource/name form may not have more than one slash");
        return NULL;
    }
    const struct kind *kind = cluster_resource(k->cluster, type);
    if (!kind) {
        kubectl_error(k, "the server doesn't have a resource type \"%s\"", type);
        return NULL;
    }
    kubectl_request(k);
    struct object *object = cluster_find(k->cluster, kind, k->ns, rest);
    if (object)
        return object;
    api_not_found(k->cluster, &error, kind, rest);
    if (logs)
        kubectl_error(k, "error from server (NotFound): %s in namespace \"%s\"", error.message,
                      k->ns);
    else
        kubectl_server_error(k, &error, NULL);
    return NULL;
}

static bool is_pod(const struct object *object)
{
    return strcmp(object->kind->name, "Pod") == 0 && !object->kind->custom;
}

struct object *kubectl_pod_to_attach(struct kubectl *k, const char *typed, int *ret_exit)
{
    int64_t timeout;
    *ret_exit = 1;
    if (!kubectl_duration_flag(k, "pod-running-timeout", MINUTE, &timeout))
        return NULL;
    struct object *object = kubectl_pod_or_owner(k, typed, false, ret_exit);
    if (!object || is_pod(object))
        return object;
    const struct selector *selector = kubectl_pods_selector(k, object);
    if (!selector) {
        kubectl_error(k, "cannot attach to *%s.%s: selector for *%s.%s not implemented",
                      object->kind->version, object->kind->name, object->kind->version,
                      object->kind->name);
        return NULL;
    }
    int64_t until = call_now(k->call) + timeout;
    kubectl_request(k);
    for (;;) {
        struct object **pods = kubectl_pods_of(k, selector, object->ns, PODS_ACTIVE);
        if (pods[0])
            return pods[0];
        if (call_now(k->call) >= until) {
            kubectl_error(k, "timed out waiting for the condition");
            return NULL;
        }
        if (call_sleep(k->call, SECOND)) {
            *ret_exit = 130;
            return NULL;
        }
    }
}

/* ---- containers ---- */

static const char *const container_lists[] = {"containers", "initContainers",
                                              "ephemeralContainers"};

bool kubectl_has_container(const struct object *pod, const char *container)
{
    for (int i = 0; i < 3; i++) {
        const cJSON *one;
        cJSON_ArrayForEach(one, json_at(pod->json, "spec", container_lists[i]))
        {
            const char *name = json_text(one, "name");
            if (name && strcmp(name, container) == 0)
                return true;
        }
    }
    return false;
}

const char *kubectl_default_container(struct kubectl *k, const struct object *pod, bool quiet)
{
    static const char *const notes[] = {"", " (init)", " (ephem)"};
    const char *chosen =
        json_text(pod->json, "metadata", "annotations", "kubectl.kubernetes.io/default-container");
    if (chosen && kubectl_has_container(pod, chosen))
        return arena_strdup(k->arena, chosen);
    const char *all = "";
    int n = 0;
    for (int i = 0; i < 3; i++) {
        const cJSON *one;
        cJSON_ArrayForEach(one, json_at(pod->json, "spec", container_lists[i])) all = arena_printf(
            k->arena, "%s%s%s%s", all, n++ ? ", " : "", json_text(one, "name"), notes[i]);
    }
    const cJSON *containers = json_at(pod->json, "spec", "containers");
    const char *first = arena_strdup(k->arena, json_text(containers->child, "name"));
    if (n > 1 && !quiet)
        call_err(k->call, "Defaulted container \"%s\" out of: %s\n", first, all);
    return first;
}

const char *kubectl_cannot_enter(struct kubectl *k, const struct object *pod, const char *container)
{
    const char *phase = json_text(pod->json, "status", "phase");
    if (phase && (strcmp(phase, "Succeeded") == 0 || strcmp(phase, "Failed") == 0))
        return arena_printf(k->arena,
                            "error: cannot exec into a container in a completed pod; current phase "
                            "is %s",
                            phase);
    if (!json_text(pod->json, "spec", "nodeName"))
        return arena_printf(k->arena,
                            "Error from server (BadRequest): pod %s does not have a host assigned",
                            pod->name);
    if (!kubectl_has_container(pod, container))
        return arena_printf(k->arena,
                            "Error from server (BadRequest): container %s is not valid for pod %s",
                            container, pod->name);
    if (pod->gone || !pod_container_running(pod, container))
        return arena_printf(k->arena,
                            "error: Internal error occurred: unable to upgrade connection: "
                            "container not found (\"%s\")",
                            container);
    return NULL;
}

struct entry {
    struct object *pod;
    const char *container;
};

static struct visit *enter(struct call *call, void *ctx)
{
    const struct entry *entry = ctx;
    return pod_enter(call, entry->pod, entry->container);
}

static const char *folder_of(const struct object *pod, const char *container)
{
    const cJSON *one;
    cJSON_ArrayForEach(one, json_at(pod->json, "spec",
                                    "containers")) if (strcmp(json_text(one, "name"), container) ==
                                                       0) return json_text(one, "workingDir");
    return NULL;
}

int kubectl_run_inside(struct kubectl *k, struct object *pod, const char *container, char **argv,
                       bool interactive)
{
    static const char *const no_tools[] = {NULL};
    struct entry *entry = ARENA_NEW(k->arena, struct entry);
    const struct image *image = pod_image(pod, container);
    const char *kind, *owner = NULL, *place = pod_place(k->cluster, pod, container);
    *entry = (struct entry){pod, container};
    if (!place)
        return kubectl_refuse(k, "a command in more pods at once than have files of their own");
    workload_behind(k->cluster, pod->json, &kind, &owner);
    int n = 0;
    char *const *env = pod_environment(pod, container);
    while (env[n])
        n++;
    char **envp = ARENA_ARRAY(k->arena, char *, n + 1);
    for (int i = 0; i < n; i++)
        envp[i] = arena_strdup(k->arena, env[i]);
    struct inside inside = {
        .place = place,
        .like = owner ? owner : place,
        .has_root = true,
        .tools = image && image->tools ? image->tools : no_tools,
        .envp = envp,
        .folder = folder_of(pod, container),
        .interactive = interactive,
        .enter = enter,
        .ctx = entry,
    };
    return inside_run(k->call, &inside, argv);
}
