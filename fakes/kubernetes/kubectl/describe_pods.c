/* Pods and templates of pods in words. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "fakes/kubernetes/kubectl/ages.h"
#include "fakes/kubernetes/kubectl/description.h"
#include "fakes/kubernetes/text/go_value.h"

/* What is being described: a template's lines stand a blank further in, and have no status. */
struct place {
    struct describe *d;
    const char *title_indent, *name_indent;
    const cJSON *pod; /* for env of its own fields; NULL: a template */
};

/* ---- a container ---- */

static const char *ports(struct arena *arena, const cJSON *container, const char *field)
{
    const cJSON *list = json_at(container, "ports");
    const char *text = "";
    for (const cJSON *one = list ? list->child : NULL; one; one = one->next)
        text = arena_printf(arena, "%s%s%" PRId64 "/%s", text, *text ? ", " : "",
                            number_at(one, field), text_at("", one, "protocol"));
    return text;
}

static void line_ports(struct describe *d, const char *title, const char *text)
{
    line(d, 2, "%sPort%s:\t%s", title, strchr(text, ',') ? "s" : "", *text ? text : "<none>");
}

static void words(struct describe *d, const char *title, const cJSON *list)
{
    if (cJSON_GetArraySize(list) == 0)
        return;
    line(d, 2, "%s:", title);
    for (const cJSON *one = list->child; one; one = one->next) {
        struct str rest = str_of(cJSON_GetStringValue(one));
        do {
            struct str word = str_cut(&rest, '\n');
            line(d, 3, "%.*s", STR_ARG(word));
        } while (rest.len);
    }
}

static void state(struct describe *d, const char *title, const cJSON *status)
{
    const cJSON *running = json_at(status, "running"), *waiting = json_at(status, "waiting");
    const cJSON *terminated = json_at(status, "terminated");
    const char *reason = text_at("", terminated ? terminated : waiting, "reason");
    line(d, 2, "%s:\t%s", title, running ? "Running" : terminated ? "Terminated" : "Waiting");
    if (running) {
        line(d, 3, "Started:\t%s", stamp_of(d, running, "startedAt"));
        return;
    }
    if (*reason)
        line(d, 3, "Reason:\t%s", reason);
    if (!terminated)
        return;
    if (*text_at("", terminated, "message"))
        line(d, 3, "Message:\t%s", text_at("", terminated, "message"));
    line(d, 3, "Exit Code:\t%" PRId64, number_at(terminated, "exitCode"));
    if (number_at(terminated, "signal") > 0)
        line(d, 3, "Signal:\t%" PRId64, number_at(terminated, "signal"));
    line(d, 3, "Started:\t%s", stamp_of(d, terminated, "startedAt"));
    line(d, 3, "Finished:\t%s", stamp_of(d, terminated, "finishedAt"));
}

static void resources(struct describe *d, const char *title, const cJSON *list)
{
    const cJSON **all = go_value_children(d->arena, list);
    if (*all)
        line(d, 2, "%s:", title);
    for (; *all; all++)
        line(d, 3, "%s:\t%s", (*all)->string, scalar(d->arena, *all));
}

static const char *probe_action(struct arena *arena, const cJSON *probe)
{
    const cJSON *http = json_at(probe, "httpGet"), *exec = json_at(probe, "exec", "command");
    const cJSON *tcp = json_at(probe, "tcpSocket"), *grpc = json_at(probe, "grpc");
    if (exec)
        return arena_printf(arena, "exec [%s]", joined(arena, exec, NULL, " "));
    if (http) {
        char *scheme = arena_strdup(arena, text_at("", http, "scheme"));
        for (char *c = scheme; *c; c++)
            *c = (char)(*c >= 'A' && *c <= 'Z' ? *c + 'a' - 'A' : *c);
        const char *path = text_at("", http, "path");
        return arena_printf(arena, "http-get %s%s//%s:%s%s%s", scheme, *scheme ? ":" : "",
                            text_at("", http, "host"), scalar(arena, json_at(http, "port")),
                            *path && *path != '/' ? "/" : "", path);
    }
    if (tcp)
        return arena_printf(arena, "tcp-socket %s:%s", text_at("", tcp, "host"),
                            scalar(arena, json_at(tcp, "port")));
    if (grpc)
        return arena_printf(arena, "grpc <pod>:%s %s", scalar(arena, json_at(grpc, "port")),
                            text_at("", grpc, "service"));
    return "unknown";
}

static void probe(struct describe *d, const char *title, const cJSON *probe)
{
    if (probe)
        line(d, 2,
             "%s:\t%s delay=%" PRId64 "s timeout=%" PRId64 "s period=%" PRId64 "s #success=%" PRId64
             " #failure=%" PRId64,
             title, probe_action(d->arena, probe), number_at(probe, "initialDelaySeconds"),
             number_at(probe, "timeoutSeconds"), number_at(probe, "periodSeconds"),
             number_at(probe, "successThreshold"), number_at(probe, "failureThreshold"));
}

static const char *optional(const cJSON *reference)
{
    return cJSON_IsTrue(json_at(reference, "optional")) ? "true" : "false";
}

static void env_from(struct describe *d, const cJSON *list)
{
    if (cJSON_GetArraySize(list) == 0)
        return;
    line(d, 2, "Environment Variables from:");
    for (const cJSON *one = list->child; one; one = one->next) {
        const cJSON *map = json_at(one, "configMapRef"), *secret = json_at(one, "secretRef");
        const cJSON *from = map ? map : secret;
        const char *prefix = text_at("", one, "prefix");
        line(d, 3, "%s\t%s%s%s%s\tOptional: %s", text_at("", from, "name"),
             map ? "ConfigMap" : "Secret", *prefix ? " with prefix '" : "", prefix,
             *prefix ? "'" : "", optional(from));
    }
}

/* What a pod's own field is, for `valueFrom: fieldRef`: kubectl knows those of its metadata alone.
 */
static const char *own_field(struct arena *arena, const cJSON *pod, const char *path)
{
    struct str rest = str_of(path);
    if (!str_starts(rest, "metadata."))
        return "";
    const cJSON *at = pod;
    while (at && rest.len)
        at = cJSON_GetObjectItemCaseSensitive(at, arena_str(arena, str_cut(&rest, '.')));
    return scalar(arena, at);
}

static void env_value(struct place *p, const cJSON *variable)
{
    struct describe *d = p->d;
    const char *name = text_at("", variable, "name");
    struct str rest = str_of(text_at("", variable, "value"));
    struct str first = str_cut(&rest, '\n');
    line(d, 3, "%s:\t%.*s", name, STR_ARG(first));
    while (rest.len) {
        first = str_cut(&rest, '\n');
        line(d, 3, "\t%.*s", STR_ARG(first));
    }
}

static void env(struct place *p, const cJSON *list)
{
    struct describe *d = p->d;
    line(d, 2, "Environment:%s", cJSON_GetArraySize(list) ? "" : "\t<none>");
    for (const cJSON *one = list ? list->child : NULL; one; one = one->next) {
        const cJSON *from = json_at(one, "valueFrom");
        const cJSON *field = json_at(from, "fieldRef"),
                    *resource = json_at(from, "resourceFieldRef");
        const cJSON *secret = json_at(from, "secretKeyRef"),
                    *map = json_at(from, "configMapKeyRef");
        const char *name = text_at("", one, "name");
        if (field)
            line(d, 3, "%s:\t%s (%s:%s)", name,
                 p->pod ? own_field(d->arena, p->pod, text_at("", field, "fieldPath")) : "",
                 text_at("v1", field, "apiVersion"), text_at("", field, "fieldPath"));
        else if (resource)
            line(d, 3, "%s:\t%s (%s)", name, "node allocatable", text_at("", resource, "resource"));
        else if (secret)
            line(d, 3, "%s:\t<set to the key '%s' in secret '%s'>\tOptional: %s", name,
                 text_at("", secret, "key"), text_at("", secret, "name"), optional(secret));
        else if (map)
            line(d, 3, "%s:\t<set to the key '%s' of config map '%s'>\tOptional: %s", name,
                 text_at("", map, "key"), text_at("", map, "name"), optional(map));
        else if (!from)
            env_value(p, one);
    }
}

static int by_mount_path(const void *a, const void *b)
{
    return strcmp(text_at("", *(const cJSON *const *)a, "mountPath"),
                  text_at("", *(const cJSON *const *)b, "mountPath"));
}

static void mounts(struct describe *d, const cJSON *list)
{
    const cJSON **all = go_value_children(d->arena, list);
    size_t n = (size_t)cJSON_GetArraySize(list);
    qsort(all, n, sizeof *all, by_mount_path);
    line(d, 2, "Mounts:%s", n ? "" : "\t<none>");
    for (size_t i = 0; i < n; i++) {
        const char *sub_path = text_at("", all[i], "subPath");
        line(d, 3, "%s from %s (%s%s%s%s)", text_at("", all[i], "mountPath"),
             text_at("", all[i], "name"), cJSON_IsTrue(json_at(all[i], "readOnly")) ? "ro" : "rw",
             *sub_path ? ",path=\"" : "", sub_path, *sub_path ? "\"" : "");
    }
}

static const cJSON *status_of(const cJSON *statuses, const char *name)
{
    for (const cJSON *one = statuses ? statuses->child : NULL; one; one = one->next) {
        if (strcmp(text_at("", one, "name"), name) == 0)
            return one;
    }
    return NULL;
}

static void container(struct place *p, const cJSON *one, const cJSON *status)
{
    struct describe *d = p->d;
    line(d, 1, "%s%s:", p->name_indent, text_at("", one, "name"));
    if (status)
        line(d, 2, "Container ID:\t%s", text_at("", status, "containerID"));
    line(d, 2, "Image:\t%s", text_at("", one, "image"));
    if (status)
        line(d, 2, "Image ID:\t%s", text_at("", status, "imageID"));
    line_ports(d, "", ports(d->arena, one, "containerPort"));
    line_ports(d, "Host ", ports(d->arena, one, "hostPort"));
    words(d, "Command", json_at(one, "command"));
    words(d, "Args", json_at(one, "args"));
    if (status) {
        state(d, "State", json_at(status, "state"));
        if (json_at(status, "lastState", "terminated"))
            state(d, "Last State", json_at(status, "lastState"));
        line(d, 2, "Ready:\t%s", true_or_false(json_at(status, "ready")));
        line(d, 2, "Restart Count:\t%" PRId64, number_at(status, "restartCount"));
    }
    resources(d, "Limits", json_at(one, "resources", "limits"));
    resources(d, "Requests", json_at(one, "resources", "requests"));
    probe(d, "Liveness", json_at(one, "livenessProbe"));
    probe(d, "Readiness", json_at(one, "readinessProbe"));
    probe(d, "Startup", json_at(one, "startupProbe"));
    env_from(d, json_at(one, "envFrom"));
    env(p, json_at(one, "env"));
    mounts(d, json_at(one, "volumeMounts"));
}

static void containers(struct place *p, const char *title, const cJSON *list, const cJSON *statuses)
{
    line(p->d, 0, "%s%s:%s", p->title_indent, title, cJSON_GetArraySize(list) ? "" : " <none>");
    for (const cJSON *one = list ? list->child : NULL; one; one = one->next)
        container(p, one, status_of(statuses, text_at("", one, "name")));
}

/* ---- volumes ---- */

static void projected(struct describe *d, const cJSON *sources)
{
    line(d, 2, "Type:\tProjected (a volume that contains injected data from multiple sources)");
    for (const cJSON *one = sources ? sources->child : NULL; one; one = one->next) {
        const cJSON *secret = json_at(one, "secret"), *map = json_at(one, "configMap");
        const cJSON *token = json_at(one, "serviceAccountToken");
        if (secret) {
            line(d, 2, "SecretName:\t%s", text_at("", secret, "name"));
            line(d, 2, "Optional:\t%s", optional(secret));
        } else if (map) {
            line(d, 2, "ConfigMapName:\t%s", text_at("", map, "name"));
            line(d, 2, "Optional:\t%s", optional(map));
        } else if (token) {
            line(d, 2, "TokenExpirationSeconds:\t%" PRId64, number_at(token, "expirationSeconds"));
        } else if (json_at(one, "downwardAPI")) {
            line(d, 2, "DownwardAPI:\ttrue");
        }
    }
}

static void volume(struct describe *d, const cJSON *one)
{
    const cJSON *host = json_at(one, "hostPath"), *empty = json_at(one, "emptyDir");
    const cJSON *secret = json_at(one, "secret"), *map = json_at(one, "configMap");
    const cJSON *claim = json_at(one, "persistentVolumeClaim"), *nfs = json_at(one, "nfs");
    if (host) {
        line(d, 2, "Type:\tHostPath (bare host directory volume)");
        line(d, 2, "Path:\t%s", text_at("", host, "path"));
        line(d, 2, "HostPathType:\t%s", text_at("", host, "type"));
    } else if (empty) {
        line(d, 2, "Type:\tEmptyDir (a temporary directory that shares a pod's lifetime)");
        line(d, 2, "Medium:\t%s", text_at("", empty, "medium"));
        line(d, 2, "SizeLimit:\t%s", text_at("<unset>", empty, "sizeLimit"));
    } else if (secret) {
        line(d, 2, "Type:\tSecret (a volume populated by a Secret)");
        line(d, 2, "SecretName:\t%s", text_at("", secret, "secretName"));
        line(d, 2, "Optional:\t%s", optional(secret));
    } else if (map) {
        line(d, 2, "Type:\tConfigMap (a volume populated by a ConfigMap)");
        line(d, 2, "Name:\t%s", text_at("", map, "name"));
        line(d, 2, "Optional:\t%s", optional(map));
    } else if (claim) {
        line(d, 2,
             "Type:\tPersistentVolumeClaim (a reference to a PersistentVolumeClaim in the same "
             "namespace)");
        line(d, 2, "ClaimName:\t%s", text_at("", claim, "claimName"));
        line(d, 2, "ReadOnly:\t%s", cJSON_IsTrue(json_at(claim, "readOnly")) ? "true" : "false");
    } else if (nfs) {
        line(d, 2, "Type:\tNFS (an NFS mount that lasts the lifetime of a pod)");
        line(d, 2, "Server:\t%s", text_at("", nfs, "server"));
        line(d, 2, "Path:\t%s", text_at("", nfs, "path"));
        line(d, 2, "ReadOnly:\t%s", cJSON_IsTrue(json_at(nfs, "readOnly")) ? "true" : "false");
    } else if (json_at(one, "projected")) {
        projected(d, json_at(one, "projected", "sources"));
    } else {
        line(d, 1, "<unknown>");
    }
}

static void volumes(struct place *p, const cJSON *list)
{
    struct describe *d = p->d;
    line(d, 0, "%sVolumes:%s", p->title_indent, cJSON_GetArraySize(list) ? "" : "\t<none>");
    for (const cJSON *one = list ? list->child : NULL; one; one = one->next) {
        line(d, 1, "%s%s:", p->name_indent, text_at("", one, "name"));
        volume(d, one);
    }
}

/* ---- the whole ---- */

void lines_template(struct describe *d, const cJSON *template)
{
    struct place p = {.d = d, .title_indent = "  ", .name_indent = " "};
    const cJSON *spec = json_at(template, "spec");
    const cJSON *annotations = json_at(template, "metadata", "annotations");
    const char *account = text_at("", spec, "serviceAccountName");
    const char *priority = text_at("", spec, "priorityClassName");
    line(d, 0, "Pod Template:");
    lines_labels(d, "  Labels", json_at(template, "metadata", "labels"));
    if (cJSON_GetArraySize(annotations))
        lines_annotations(d, "  Annotations", annotations);
    if (*account)
        line(d, 1, "Service Account:\t%s", account);
    if (cJSON_GetArraySize(json_at(spec, "initContainers")))
        containers(&p, "Init Containers", json_at(spec, "initContainers"), NULL);
    containers(&p, "Containers", json_at(spec, "containers"), NULL);
    volumes(&p, json_at(spec, "volumes"));
    if (*priority)
        line(d, 1, "Priority Class Name:\t%s", priority);
    lines_labels(d, "  Node-Selectors", json_at(spec, "nodeSelector"));
    lines_tolerations(d, "  Tolerations", json_at(spec, "tolerations"));
}

void describe_pod_template(struct arena *arena, const cJSON *template, struct buf *out)
{
    struct describe d = {.arena = arena, .text = out};
    lines_template(&d, template);
}

static void pod_status_lines(struct describe *d, const cJSON *pod)
{
    const char *phase = text_at("", pod, "status", "phase");
    const char *deleted = json_text(pod, "metadata", "deletionTimestamp");
    bool ended = strcmp(phase, "Failed") == 0 || strcmp(phase, "Succeeded") == 0;
    const cJSON *ips = json_at(pod, "status", "podIPs");
    if (deleted && !ended) {
        line(d, 0, "Status:\tTerminating (lasts %s)", stamp_age(d->cluster, d->arena, deleted));
        line(d, 0, "Termination Grace Period:\t%" PRId64 "s",
             number_at(pod, "metadata", "deletionGracePeriodSeconds"));
    } else {
        line(d, 0, "Status:\t%s", phase);
    }
    if (*text_at("", pod, "status", "reason"))
        line(d, 0, "Reason:\t%s", text_at("", pod, "status", "reason"));
    if (*text_at("", pod, "status", "message"))
        line(d, 0, "Message:\t%s", text_at("", pod, "status", "message"));
    line(d, 0, "IP:\t%s", text_at("", pod, "status", "podIP"));
    line(d, 0, "IPs:%s", cJSON_GetArraySize(ips) ? "" : "\t<none>");
    for (const cJSON *one = ips ? ips->child : NULL; one; one = one->next)
        line(d, 1, "IP:\t%s", text_at("", one, "ip"));
}

static void conditions(struct describe *d, const cJSON *pod)
{
    const cJSON *gates = json_at(pod, "spec", "readinessGates");
    const cJSON *list = json_at(pod, "status", "conditions");
    if (cJSON_GetArraySize(gates)) {
        line(d, 0, "Readiness Gates:\n  Type\tStatus");
        for (const cJSON *one = gates->child; one; one = one->next) {
            const char *type = text_at("", one, "conditionType");
            line(d, 1, "%s \t%s ", type, text_at("<none>", object_condition(pod, type), "status"));
        }
    }
    if (cJSON_GetArraySize(list) == 0)
        return;
    line(d, 0, "Conditions:\n  Type\tStatus");
    for (const cJSON *one = list->child; one; one = one->next)
        line(d, 1, "%s \t%s ", text_at("", one, "type"), text_at("", one, "status"));
}

void describe_pod(struct describe *d, const struct object *object)
{
    const cJSON *pod = object->json, *spec = json_at(pod, "spec"), *status = json_at(pod, "status");
    struct place p = {.d = d, .title_indent = "", .name_indent = "", .pod = pod};
    const char *controller = controlled_by(d->arena, object);
    const char *node = text_at("", spec, "nodeName");
    line_names(d, object);
    if (cJSON_IsNumber(json_at(spec, "priority")))
        line(d, 0, "Priority:\t%" PRId64, number_at(spec, "priority"));
    if (*text_at("", spec, "priorityClassName"))
        line(d, 0, "Priority Class Name:\t%s", text_at("", spec, "priorityClassName"));
    if (*text_at("", spec, "serviceAccountName"))
        line(d, 0, "Service Account:\t%s", text_at("", spec, "serviceAccountName"));
    line(d, 0, "Node:\t%s%s%s", *node ? node : "<none>", *node ? "/" : "",
         *node ? text_at("", status, "hostIP") : "");
    if (json_text(status, "startTime"))
        line(d, 0, "Start Time:\t%s", stamp_of(d, status, "startTime"));
    lines_metadata(d, object);
    pod_status_lines(d, pod);
    if (controller)
        line(d, 0, "Controlled By:\t%s", controller);
    if (*text_at("", status, "nominatedNodeName"))
        line(d, 0, "NominatedNodeName:\t%s", text_at("", status, "nominatedNodeName"));
    if (cJSON_GetArraySize(json_at(spec, "initContainers")))
        containers(&p, "Init Containers", json_at(spec, "initContainers"),
                   json_at(status, "initContainerStatuses"));
    containers(&p, "Containers", json_at(spec, "containers"), json_at(status, "containerStatuses"));
    conditions(d, pod);
    volumes(&p, json_at(spec, "volumes"));
    line(d, 0, "QoS Class:\t%s", text_at("", status, "qosClass"));
    lines_labels(d, "Node-Selectors", json_at(spec, "nodeSelector"));
    lines_tolerations(d, "Tolerations", json_at(spec, "tolerations"));
    lines_events(d, object);
}
