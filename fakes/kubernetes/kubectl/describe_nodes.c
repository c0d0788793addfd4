/* Nodes and volumes in words. */
#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "fakes/kubernetes/api/quantity.h"
#include "fakes/kubernetes/kubectl/ages.h"
#include "fakes/kubernetes/kubectl/description.h"
#include "fakes/kubernetes/text/go_value.h"

/* ---- nodes ---- */

static void quantities(struct describe *d, const char *title, const cJSON *list)
{
    const cJSON **all = go_value_children(d->arena, list);
    if (*all)
        line(d, 0, "%s:", title);
    for (; *all; all++)
        line(d, 1, "%s:\t%s", (*all)->string, scalar(d->arena, *all));
}

static void taints(struct describe *d, const cJSON *list)
{
    line(d, 0, "Taints:\t%s", cJSON_GetArraySize(list) ? "" : "<none>");
    for (const cJSON *one = list ? list->child : NULL; one; one = one->next) {
        const char *value = text_at("", one, "value");
        const char *text = arena_printf(d->arena, "%s%s%s:%s", text_at("", one, "key"),
                                        *value ? "=" : "", value, text_at("", one, "effect"));
        if (one == list->child) { /* on the heading's line */
            d->text->len--;
            buf_printf(d->text, "%s\n", text);
        } else {
            line(d, 0, "\t%s", text);
        }
    }
}

static void node_conditions(struct describe *d, const cJSON *list)
{
    if (cJSON_GetArraySize(list) == 0)
        return;
    line(d, 0,
         "Conditions:\n  Type\tStatus\tLastHeartbeatTime\tLastTransitionTime\tReason\tMessage");
    line(d, 1, "----\t------\t-----------------\t------------------\t------\t-------");
    for (const cJSON *one = list->child; one; one = one->next)
        line(d, 1, "%s \t%s \t%s \t%s \t%s \t%s", text_at("", one, "type"),
             text_at("", one, "status"), stamp_of(d, one, "lastHeartbeatTime"),
             stamp_of(d, one, "lastTransitionTime"), text_at("", one, "reason"),
             text_at("", one, "message"));
}

enum { CPU, MEMORY, STORAGE, N_RESOURCES };
static const char *const resource_names[N_RESOURCES] = {"cpu", "memory", "ephemeral-storage"};

struct amounts {
    double requests[N_RESOURCES], limits[N_RESOURCES];
};

static double amount(const cJSON *list, const char *name)
{
    const cJSON *value = cJSON_GetObjectItemCaseSensitive(list, name);
    double number = cJSON_IsNumber(value) ? value->valuedouble : 0;
    if (cJSON_IsString(value) && !quantity_read(value->valuestring, &number))
        return 0;
    return number;
}

static void add_containers(struct amounts *sum, const cJSON *pod)
{
    const cJSON *list = json_at(pod, "spec", "containers");
    for (const cJSON *one = list ? list->child : NULL; one; one = one->next) {
        for (int i = 0; i < N_RESOURCES; i++) {
            sum->requests[i] += amount(json_at(one, "resources", "requests"), resource_names[i]);
            sum->limits[i] += amount(json_at(one, "resources", "limits"), resource_names[i]);
        }
    }
}

/* "250m", "1", "128Mi": as a sum of such is printed. */
static const char *amount_text(struct arena *arena, double value, int resource)
{
    static const char *const units[] = {"", "Ki", "Mi", "Gi", "Ti"};
    int unit = 0;
    if (resource == CPU) {
        int64_t milli = (int64_t)ceil(value * 1000 - 1e-6);
        return milli % 1000 ? arena_printf(arena, "%" PRId64 "m", milli)
                            : arena_printf(arena, "%" PRId64, milli / 1000);
    }
    while (value != 0 && unit < 4 && fmod(value, 1024) == 0) {
        value /= 1024;
        unit++;
    }
    return arena_printf(arena, "%.0f%s", value, units[unit]);
}

/* "100m (5%)" of what the node can give. */
static const char *share(struct describe *d, const cJSON *allocatable, double value, int resource)
{
    double all = amount(allocatable, resource_names[resource]);
    return arena_printf(d->arena, "%s (%d%%)", amount_text(d->arena, value, resource),
                        all > 0 ? (int)(value / all * 100) : 0);
}

static void node_pods(struct describe *d, const struct object *object)
{
    const struct kind *kind = cluster_kind(d->cluster, "Pod", "v1");
    struct object **pods = cluster_list(d->cluster, d->arena, kind, NULL, NULL, NULL);
    const cJSON *allocatable = json_at(object->json, "status", "allocatable");
    struct amounts sum = {{0}, {0}};
    int n = 0;
    allocatable = allocatable ? allocatable : json_at(object->json, "status", "capacity");
    for (int i = 0; pods[i]; i++) {
        const char *phase = text_at("", pods[i]->json, "status", "phase");
        if (strcmp(text_at("", pods[i]->json, "spec", "nodeName"), object->name) == 0 &&
            strcmp(phase, "Succeeded") != 0 && strcmp(phase, "Failed") != 0)
            pods[n++] = pods[i];
    }
    line(d, 0, "Non-terminated Pods:\t(%d in total)", n);
    line(d, 1, "Namespace\tName\t\tCPU Requests\tCPU Limits\tMemory Requests\tMemory Limits\tAge");
    line(d, 1, "---------\t----\t\t------------\t----------\t---------------\t-------------\t---");
    for (int i = 0; i < n; i++) {
        struct amounts one = {{0}, {0}};
        add_containers(&one, pods[i]->json);
        add_containers(&sum, pods[i]->json);
        line(d, 1, "%s\t%s\t\t%s\t%s\t%s\t%s\t%s", pods[i]->ns, pods[i]->name,
             share(d, allocatable, one.requests[CPU], CPU),
             share(d, allocatable, one.limits[CPU], CPU),
             share(d, allocatable, one.requests[MEMORY], MEMORY),
             share(d, allocatable, one.limits[MEMORY], MEMORY),
             stamp_age(d->cluster, d->arena,
                       json_text(pods[i]->json, "metadata", "creationTimestamp")));
    }
    line(d, 0,
         "Allocated resources:\n  (Total limits may be over 100 percent, i.e., "
         "overcommitted.)");
    line(d, 1, "Resource\tRequests\tLimits");
    line(d, 1, "--------\t--------\t------");
    for (int i = 0; i < N_RESOURCES; i++)
        line(d, 1, "%s\t%s\t%s", resource_names[i], share(d, allocatable, sum.requests[i], i),
             share(d, allocatable, sum.limits[i], i));
}

static void node(struct describe *d, const struct object *object)
{
    static const char *const info[][2] = {
        {"Machine ID", "machineID"},
        {"System UUID", "systemUUID"},
        {"Boot ID", "bootID"},
        {"Kernel Version", "kernelVersion"},
        {"OS Image", "osImage"},
        {"Operating System", "operatingSystem"},
        {"Architecture", "architecture"},
        {"Container Runtime Version", "containerRuntimeVersion"},
        {"Kubelet Version", "kubeletVersion"},
        {"Kube-Proxy Version", "kubeProxyVersion"},
    };
    const cJSON *spec = json_at(object->json, "spec"), *status = json_at(object->json, "status");
    const cJSON *addresses = json_at(status, "addresses");
    line(d, 0, "Name:\t%s", object->name);
    line(d, 0, "Roles:\t%s", node_roles(d->arena, object->json));
    lines_metadata(d, object);
    line(d, 0, "CreationTimestamp:\t%s",
         stamp_of(d, json_at(object->json, "metadata"), "creationTimestamp"));
    taints(d, json_at(spec, "taints"));
    line(d, 0, "Unschedulable:\t%s",
         cJSON_IsTrue(json_at(spec, "unschedulable")) ? "true" : "false");
    line(d, 0, "Lease:\tFailed to get lease: leases.coordination.k8s.io \"%s\" not found",
         object->name);
    node_conditions(d, json_at(status, "conditions"));
    line(d, 0, "Addresses:");
    for (const cJSON *one = addresses ? addresses->child : NULL; one; one = one->next)
        line(d, 1, "%s:\t%s", text_at("", one, "type"), text_at("", one, "address"));
    quantities(d, "Capacity", json_at(status, "capacity"));
    quantities(d, "Allocatable", json_at(status, "allocatable"));
    line(d, 0, "System Info:");
    for (size_t i = 0; i < sizeof info / sizeof *info; i++)
        line(d, 1, "%s:\t%s", info[i][0], text_at("", status, "nodeInfo", info[i][1]));
    if (*text_at("", spec, "podCIDR"))
        line(d, 0, "PodCIDR:\t%s", text_at("", spec, "podCIDR"));
    if (cJSON_GetArraySize(json_at(spec, "podCIDRs")))
        line(d, 0, "PodCIDRs:\t%s", joined(d->arena, json_at(spec, "podCIDRs"), NULL, ","));
    node_pods(d, object);
    lines_events(d, object);
}

/* ---- volumes ---- */

static const char *phase_of(struct describe *d, const cJSON *object)
{
    const char *deleted = json_text(object, "metadata", "deletionTimestamp");
    return deleted ? arena_printf(d->arena, "Terminating (lasts %s)",
                                  stamp_age(d->cluster, d->arena, deleted))
                   : text_at("", object, "status", "phase");
}

static void finalizers(struct describe *d, const struct object *object)
{
    line(d, 0, "Finalizers:\t[%s]",
         joined(d->arena, json_at(object->json, "metadata", "finalizers"), NULL, " "));
}

/* Pods that mount a claim, a line for each. */
static void used_by(struct describe *d, const struct object *object)
{
    const struct kind *kind = cluster_kind(d->cluster, "Pod", "v1");
    struct object **pods = cluster_list(d->cluster, d->arena, kind, object->ns, NULL, NULL);
    bool any = false;
    for (; *pods; pods++) {
        const cJSON *volumes = json_at((*pods)->json, "spec", "volumes");
        for (const cJSON *one = volumes ? volumes->child : NULL; one; one = one->next) {
            if (strcmp(text_at("", one, "persistentVolumeClaim", "claimName"), object->name) != 0)
                continue;
            line(d, 0, "%s\t%s", any ? "" : "Used By:", (*pods)->name);
            any = true;
        }
    }
    if (!any)
        line(d, 0, "Used By:\t<none>");
}

static void claim(struct describe *d, const struct object *object)
{
    const cJSON *spec = json_at(object->json, "spec"), *status = json_at(object->json, "status");
    const char *bound = text_at("", spec, "volumeName");
    line_names(d, object);
    line(d, 0, "StorageClass:\t%s", text_at("", spec, "storageClassName"));
    line(d, 0, "Status:\t%s", phase_of(d, object->json));
    line(d, 0, "Volume:\t%s", bound);
    lines_metadata(d, object);
    finalizers(d, object);
    line(d, 0, "Capacity:\t%s", *bound ? text_at("0", status, "capacity", "storage") : "");
    line(d, 0, "Access Modes:\t%s",
         *bound ? access_modes(d->arena, json_at(status, "accessModes")) : "");
    if (json_text(spec, "volumeMode"))
        line(d, 0, "VolumeMode:\t%s", json_text(spec, "volumeMode"));
    used_by(d, object);
    lines_events(d, object);
}

static void volume_source(struct describe *d, const cJSON *spec)
{
    const cJSON *host = json_at(spec, "hostPath"), *csi = json_at(spec, "csi");
    const cJSON *nfs = json_at(spec, "nfs"), *local = json_at(spec, "local");
    line(d, 0, "Source:");
    if (host) {
        line(d, 2, "Type:\tHostPath (bare host directory volume)");
        line(d, 2, "Path:\t%s", text_at("", host, "path"));
        line(d, 2, "HostPathType:\t%s", text_at("", host, "type"));
    } else if (csi) {
        line(d, 2, "Type:\tCSI (a Container Storage Interface (CSI) volume source)");
        line(d, 2, "Driver:\t%s", text_at("", csi, "driver"));
        line(d, 2, "FSType:\t%s", text_at("", csi, "fsType"));
        line(d, 2, "VolumeHandle:\t%s", text_at("", csi, "volumeHandle"));
        line(d, 2, "ReadOnly:\t%s", cJSON_IsTrue(json_at(csi, "readOnly")) ? "true" : "false");
        lines_labels(d, "    VolumeAttributes", json_at(csi, "volumeAttributes"));
    } else if (nfs) {
        line(d, 2, "Type:\tNFS (an NFS mount that lasts the lifetime of a pod)");
        line(d, 2, "Server:\t%s", text_at("", nfs, "server"));
        line(d, 2, "Path:\t%s", text_at("", nfs, "path"));
        line(d, 2, "ReadOnly:\t%s", cJSON_IsTrue(json_at(nfs, "readOnly")) ? "true" : "false");
    } else if (local) {
        line(d, 2, "Type:\tLocalVolume (a persistent volume backed by local storage on a node)");
        line(d, 2, "Path:\t%s", text_at("", local, "path"));
    } else {
        line(d, 1, "<unknown>");
    }
}

static void volume(struct describe *d, const struct object *object)
{
    const cJSON *spec = json_at(object->json, "spec"), *of = json_at(spec, "claimRef");
    line(d, 0, "Name:\t%s", object->name);
    lines_metadata(d, object);
    finalizers(d, object);
    line(d, 0, "StorageClass:\t%s", text_at("", spec, "storageClassName"));
    line(d, 0, "Status:\t%s", phase_of(d, object->json));
    line(d, 0, "Claim:\t%s%s%s", text_at("", of, "namespace"), of ? "/" : "",
         text_at("", of, "name"));
    line(d, 0, "Reclaim Policy:\t%s", text_at("", spec, "persistentVolumeReclaimPolicy"));
    line(d, 0, "Access Modes:\t%s", access_modes(d->arena, json_at(spec, "accessModes")));
    if (json_text(spec, "volumeMode"))
        line(d, 0, "VolumeMode:\t%s", json_text(spec, "volumeMode"));
    line(d, 0, "Capacity:\t%s", text_at("0", spec, "capacity", "storage"));
    line(d, 0, "Node Affinity:\t<none>");
    line(d, 0, "Message:\t%s", text_at("", object->json, "status", "message"));
    volume_source(d, spec);
    lines_events(d, object);
}

const struct describer describe_nodes[] = {
    {"Node", node},
    {"PersistentVolumeClaim", claim},
    {"PersistentVolume", volume},
    {NULL, NULL},
};
