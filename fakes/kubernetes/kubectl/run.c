/* kubectl run: a pod of its own, and with -i what its command says (k8s.io/kubectl pkg/cmd/run).
 *
 * An image that no service of the world is behind has no program of ours: the command of an
 * attached pod runs for real in the pod's files, as `exec` runs it, and its end is the container's.
 */
#include <inttypes.h>
#include <string.h>

#include "fakes/inside.h"
#include "fakes/kubernetes/kubectl/apply.h"
#include "fakes/kubernetes/kubectl/exec.h"
#include "fakes/kubernetes/kubectl/expose.h"

struct running {
    const char *name, *restart;
    enum dry_run dry_run;
    bool attach, interactive, remove;
    char **argv; /* NULL: what the image says */
};

/* ---- the pod ---- */

static bool put_env(struct kubectl *k, cJSON *container)
{
    cJSON *env = cJSON_CreateArray();
    json_set(container, "env", env);
    for (int i = 0; i < k->options.n_given; i++) {
        const char *word = k->options.given[i].value, *equals = strchr(word, '=');
        if (strcmp(k->options.given[i].name, "env") != 0)
            continue;
        if (!equals || equals == word) {
            kubectl_error(k, "invalid env: %s", word);
            return false;
        }
        cJSON *one = cJSON_CreateObject();
        json_set_text(one, "name", arena_printf(k->arena, "%.*s", (int)(equals - word), word));
        json_set_text(one, "value", equals + 1);
        cJSON_AddItemToArray(env, one);
    }
    if (!env->child)
        cJSON_DeleteItemFromObjectCaseSensitive(container, "env");
    return true;
}

static cJSON *words(char **argv)
{
    int n = 0;
    while (argv[n])
        n++;
    return cJSON_CreateStringArray((const char *const *)argv, n);
}

static bool fill_container(struct kubectl *k, const struct running *r, cJSON *container)
{
    int64_t port;
    json_set_text(container, "image", options_value(&k->options, "image", ""));
    json_set_text(container, "name", r->name);
    json_set(container, "resources", cJSON_CreateObject());
    if (r->argv && r->argv[0])
        json_set(container, options_has(&k->options, "command") ? "command" : "args",
                 words(r->argv));
    if (!put_env(k, container) || !kubectl_int_flag(k, "port", 0, &port))
        return false;
    if (port > 0) {
        cJSON *ports = cJSON_CreateArray(), *one = cJSON_CreateObject();
        json_set_int(one, "containerPort", port);
        cJSON_AddItemToArray(ports, one);
        json_set(container, "ports", ports);
    }
    if (r->interactive) {
        json_set(container, "stdin", cJSON_CreateTrue());
        json_set(container, "stdinOnce", cJSON_CreateTrue());
    }
    if (options_has(&k->options, "tty"))
        json_set(container, "tty", cJSON_CreateTrue());
    if (options_has(&k->options, "privileged"))
        json_set(json_child(container, "securityContext"), "privileged", cJSON_CreateTrue());
    const char *policy = options_value(&k->options, "image-pull-policy", "");
    if (*policy)
        json_set_text(container, "imagePullPolicy", policy);
    return true;
}

static bool fill(struct kubectl *k, const struct running *r, cJSON *pod)
{
    cJSON *metadata = json_child(pod, "metadata"), *spec = json_child(pod, "spec");
    cJSON *containers = cJSON_CreateArray(), *container = cJSON_CreateObject();
    const char *labels = options_value(&k->options, "labels", "");
    const char *annotations = options_value(&k->options, "annotations", "");
    json_set_text(pod, "apiVersion", "v1");
    json_set_text(pod, "kind", "Pod");
    json_set_text(metadata, "name", r->name);
    json_set(spec, "containers", containers);
    cJSON_AddItemToArray(containers, container);
    json_set_text(spec, "restartPolicy", r->restart);
    json_set_text(spec, "dnsPolicy", "ClusterFirst");
    if (!*labels)
        json_set_text(json_child(metadata, "labels"), "run", r->name);
    return fill_container(k, r, container) &&
           (!*labels || kubectl_put_labels(k, json_child(metadata, "labels"), labels)) &&
           (!*annotations ||
            kubectl_put_labels(k, json_child(metadata, "annotations"), annotations));
}

static cJSON *service_of(const struct running *r, const cJSON *pod, int64_t port)
{
    cJSON *json = cJSON_CreateObject(), *spec = json_child(json, "spec");
    cJSON *ports = cJSON_CreateArray(), *one = cJSON_CreateObject();
    json_set_text(json, "apiVersion", "v1");
    json_set_text(json, "kind", "Service");
    json_set_text(json_child(json, "metadata"), "name", r->name);
    json_set_int(one, "port", port);
    json_set_text(one, "protocol", "TCP");
    json_set_int(one, "targetPort", port);
    cJSON_AddItemToArray(ports, one);
    json_set(spec, "ports", ports);
    json_set(spec, "selector", cJSON_Duplicate(json_at(pod, "metadata", "labels"), true));
    return json;
}

/* ---- attached ---- */

static const char *phase_of(const struct object *pod)
{
    const char *phase = json_text(pod->json, "status", "phase");
    return phase ? phase : "Pending";
}

static bool is_over(const struct object *pod)
{
    return pod->gone || strcmp(phase_of(pod), "Succeeded") == 0 ||
           strcmp(phase_of(pod), "Failed") == 0;
}

/* 0 it runs or has run, 1 the time is up, 130 a signal. */
static int await_start(struct kubectl *k, const struct object *pod, const char *name,
                       int64_t timeout)
{
    int64_t until = call_now(k->call) + timeout;
    while (!is_over(pod) && !pod_container_running(pod, name)) {
        if (call_now(k->call) >= until)
            return kubectl_error(k, "timed out waiting for the condition");
        if (call_sleep(k->call, 500 * MILLISECOND))
            return 130;
    }
    return 0;
}

/* What its program writes, until it ends. */
static int show_log(struct kubectl *k, const struct object *pod, const char *name)
{
    int next = 0;
    for (;;) {
        bool last = is_over(pod) || !pod_container_running(pod, name);
        const struct log *log = pod->gone ? NULL : pod_log(pod, name, false);
        for (; log && next < log->n; next++)
            call_out(k->call, "%s\n", arena_strdup(k->arena, log->at[next].text));
        if (last)
            return 0;
        if (call_sleep(k->call, SECOND))
            return 130;
    }
}

/* Of a pod that is not started again: how its container ended. */
static int exit_of(struct kubectl *k, const struct object *pod)
{
    for (int i = 0; !is_over(pod) && i < 60; i++)
        if (call_sleep(k->call, SECOND))
            return 130;
    const cJSON *status = cJSON_GetArrayItem(json_at(pod->json, "status", "containerStatuses"), 0);
    const cJSON *ended = json_at(status, "state", "terminated");
    int code = (int)json_int(ended, "exitCode", 0);
    if (strcmp(phase_of(pod), "Failed") != 0)
        return 0;
    const char *reason = json_text(ended, "reason"), *message = json_text(ended, "message");
    call_err(k->call, "pod %s/%s terminated (%s)\n%s", pod->ns, pod->name,
             reason ? reason : "Error", message ? arena_printf(k->arena, "%s\n", message) : "");
    return code ? code : 1;
}

static int attached(struct kubectl *k, const struct running *r, struct object *pod)
{
    int64_t timeout;
    if (!kubectl_duration_flag(k, "pod-running-timeout", MINUTE, &timeout))
        return 1;
    if (r->interactive)
        kubectl_check_terminal(k);
    int status = await_start(k, pod, r->name, timeout);
    if (status)
        return status;
    if (r->interactive && !options_has(&k->options, "quiet") && !r->argv)
        call_err(k->call, "If you don't see a command prompt, try pressing enter.\n");
    if (r->argv && r->argv[0] && !pod_instance(pod, NULL) && pod_container_running(pod, r->name)) {
        status = kubectl_run_inside(k, pod, r->name, r->argv, r->interactive);
        if (status < 0)
            call_err(k->call, "%s: not found\n", r->argv[0]);
        pod_kill(pod, r->name, status < 0 ? 127 : status);
    } else if (show_log(k, pod, r->name) == 130) {
        return 130;
    }
    return strcmp(r->restart, "Always") == 0 ? 0 : exit_of(k, pod);
}

/* ---- the command ---- */

static bool read_command(struct kubectl *k, struct running *r)
{
    int64_t port;
    const char *image = options_value(&k->options, "image", NULL);
    r->interactive = options_has(&k->options, "stdin");
    r->attach = r->interactive || options_has(&k->options, "attach");
    r->remove = options_has(&k->options, "rm");
    r->restart = options_value(&k->options, "restart", "Always");
    r->argv = k->behind_dashes;
    if (!image) {
        kubectl_error(k, "required flag(s) \"image\" not set");
    } else if (k->n_args == 0) {
        kubectl_usage(k, "NAME is required for run");
    } else if (strpbrk(image, " \t") || !*image) {
        kubectl_error(k, "Invalid image name \"%s\": invalid reference format", image);
    } else if (r->remove && !r->attach) {
        kubectl_usage(k, "--rm should only be used for attached containers");
    } else if (strcmp(r->restart, "Always") != 0 && strcmp(r->restart, "Never") != 0 &&
               strcmp(r->restart, "OnFailure") != 0) {
        kubectl_usage(k, "invalid restart policy: %s", r->restart);
    } else if (options_has(&k->options, "expose") && !options_value(&k->options, "port", NULL)) {
        kubectl_usage(k, "--port must be set when exposing a service");
    } else if (options_value(&k->options, "overrides", NULL)) {
        kubectl_refuse(k, "kubectl run --overrides");
    } else if (kubectl_int_flag(k, "port", 0, &port) && kubectl_dry_run(k, &r->dry_run)) {
        if (r->attach && r->dry_run != DRY_RUN_NONE) {
            kubectl_usage(k, "--dry-run=[server|client] can't be used with attached containers "
                             "options (--attach, --stdin, or --tty)");
            return false;
        }
        r->name = k->args[0];
        if (!r->argv && k->n_args > 1) /* `kubectl run NAME --image=I CMD`, without dashes */
            r->argv = k->args + 1;
        return kubectl_can_print(k);
    }
    return false;
}

int kubectl_run_pod(struct kubectl *k)
{
    struct running r = {0};
    struct resources resources = {0};
    int64_t port = 0;
    if (!read_command(k, &r) || !kubectl_int_flag(k, "port", 0, &port))
        return 1;
    cJSON *json = kubectl_keep(k, cJSON_CreateObject());
    if (!fill(k, &r, json))
        return 1;
    if (options_has(&k->options, "expose"))
        kubectl_make(k, &resources, cluster_kind(k->cluster, "Service", "v1"),
                     service_of(&r, json, port), r.dry_run, "created");
    const struct kind *kind = cluster_kind(k->cluster, "Pod", "v1");
    if (!r.attach) {
        kubectl_make(k, &resources, kind, cJSON_Duplicate(json, true), r.dry_run, "created");
        return kubectl_finish(k, &resources);
    }
    struct api_error error = {0};
    struct object *pod =
        cluster_create(k->cluster, kind, k->ns, cJSON_Duplicate(json, true), false, &error);
    kubectl_request(k);
    if (!pod)
        return kubectl_server_error(k, &error, NULL);
    int status = attached(k, &r, pod);
    if (r.remove && !pod->gone) {
        cluster_delete(k->cluster, pod, -1, false);
        call_out(k->call, "pod \"%s\" deleted\n", r.name);
    }
    return status;
}
