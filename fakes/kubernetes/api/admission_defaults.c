/* Defaults: what the API server fills in. Sources: pkg/apis/{apps,batch,core,autoscaling,rbac}/v1/
 * defaults.go; for what pods get besides, the admission plugins ServiceAccount, Priority and
 * DefaultTolerationSeconds, DefaultStorageClass for claims, and the allocators of Services. */
#include <stdlib.h>
#include <string.h>

#include <openssl/evp.h>

#include "fakes/docker.h"
#include "fakes/kubernetes/api/admission.h"
#include "sim/base/hash.h"

static bool has(const cJSON *object, const char *key)
{
    const cJSON *value = cJSON_GetObjectItemCaseSensitive(object, key);
    return value && !cJSON_IsNull(value);
}

static void text_default(cJSON *object, const char *key, const char *value)
{
    const char *set = json_text(object, key);
    if (!has(object, key) || (set && !*set))
        json_set_text(object, key, value);
}

static void number_default(cJSON *object, const char *key, int64_t value)
{
    if (!has(object, key))
        json_set_int(object, key, value);
}

static void bool_default(cJSON *object, const char *key, bool value)
{
    if (!has(object, key))
        json_set(object, key, cJSON_CreateBool(value));
}

/* ---- pods ---- */

static void default_probe(cJSON *container, const char *key)
{
    static const struct {
        const char *key;
        int value;
    } values[] = {{"timeoutSeconds", 1},
                  {"periodSeconds", 10},
                  {"successThreshold", 1},
                  {"failureThreshold", 3}};
    cJSON *probe = cJSON_GetObjectItemCaseSensitive(container, key);
    if (!cJSON_IsObject(probe))
        return;
    for (size_t i = 0; i < sizeof values / sizeof *values; i++) {
        if (json_int(probe, values[i].key, 0) == 0)
            json_set_int(probe, values[i].key, values[i].value);
    }
    cJSON *get = cJSON_GetObjectItemCaseSensitive(probe, "httpGet");
    if (get) {
        text_default(get, "path", "/");
        text_default(get, "scheme", "HTTP");
    }
    cJSON *grpc = cJSON_GetObjectItemCaseSensitive(probe, "grpc");
    if (grpc && !has(grpc, "service"))
        json_set_text(grpc, "service", "");
}

static void default_container(struct arena *arena, cJSON *container)
{
    static const char *const probes[] = {"livenessProbe", "readinessProbe", "startupProbe"};
    const char *image = json_text(container, "image"), *repository, *tag = "";
    if (image && docker_reference(arena, image, &repository, &tag))
        tag = "";
    text_default(container, "imagePullPolicy",
                 strcmp(tag, "latest") == 0 ? "Always" : "IfNotPresent");
    json_child(container, "resources");
    text_default(container, "terminationMessagePath", "/dev/termination-log");
    text_default(container, "terminationMessagePolicy", "File");
    for (int i = 0; i < 3; i++)
        default_probe(container, probes[i]);
    for (cJSON *port = json_at(container, "ports") ? json_at(container, "ports")->child : NULL;
         port; port = port->next)
        text_default(port, "protocol", "TCP");
    for (cJSON *env = json_at(container, "env") ? json_at(container, "env")->child : NULL; env;
         env = env->next) {
        cJSON *field = json_at(env, "valueFrom", "fieldRef");
        if (field)
            text_default(field, "apiVersion", "v1");
    }
}

static void default_volume(cJSON *volume)
{
    static const char *const with_mode[] = {"secret", "configMap", "downwardAPI", "projected"};
    if (cJSON_GetArraySize(volume) == 1 && has(volume, "name"))
        json_child(volume, "emptyDir");
    for (int i = 0; i < 4; i++) {
        cJSON *source = cJSON_GetObjectItemCaseSensitive(volume, with_mode[i]);
        if (source)
            number_default(source, "defaultMode", 0644);
    }
    cJSON *path = cJSON_GetObjectItemCaseSensitive(volume, "hostPath");
    if (path && !has(path, "type"))
        json_set_text(path, "type", "");
}

static void default_pod_spec(struct arena *arena, cJSON *spec)
{
    static const char *const lists[] = {"containers", "initContainers"};
    if (!cJSON_IsObject(spec))
        return;
    text_default(spec, "dnsPolicy", "ClusterFirst");
    text_default(spec, "restartPolicy", "Always");
    json_child(spec, "securityContext");
    number_default(spec, "terminationGracePeriodSeconds", 30);
    text_default(spec, "schedulerName", "default-scheduler");
    const char *account = json_text(spec, "serviceAccountName");
    if (account && *account) /* the older name follows */
        json_set_text(spec, "serviceAccount", account);
    for (int i = 0; i < 2; i++) {
        cJSON *list = cJSON_GetObjectItemCaseSensitive(spec, lists[i]);
        for (cJSON *container = cJSON_IsArray(list) ? list->child : NULL; container;
             container = container->next)
            default_container(arena, container);
    }
    cJSON *volumes = cJSON_GetObjectItemCaseSensitive(spec, "volumes");
    for (cJSON *volume = cJSON_IsArray(volumes) ? volumes->child : NULL; volume;
         volume = volume->next)
        default_volume(volume);
}

static void default_template(struct arena *arena, cJSON *template)
{
    if (!cJSON_IsObject(template))
        return;
    cJSON *metadata = json_child(template, "metadata");
    if (!cJSON_GetObjectItemCaseSensitive(metadata, "creationTimestamp"))
        cJSON_AddNullToObject(metadata, "creationTimestamp");
    default_pod_spec(arena, cJSON_GetObjectItemCaseSensitive(template, "spec"));
}

static void default_requests(cJSON *containers)
{
    for (cJSON *container = containers ? containers->child : NULL; container;
         container = container->next) {
        const cJSON *limits = json_at(container, "resources", "limits");
        for (const cJSON *limit = limits ? limits->child : NULL; limit; limit = limit->next) {
            cJSON *requests = json_child(json_child(container, "resources"), "requests");
            if (!has(requests, limit->string))
                json_set(requests, limit->string, cJSON_Duplicate(limit, true));
        }
    }
}

static void tolerate(cJSON *spec, const char *key)
{
    cJSON *list = cJSON_GetObjectItemCaseSensitive(spec, "tolerations");
    if (!list)
        list = cJSON_AddArrayToObject(spec, "tolerations");
    for (const cJSON *one = list->child; one; one = one->next) {
        const char *its = json_text(one, "key");
        if (!its || strcmp(its, key) == 0)
            return;
    }
    cJSON *toleration = cJSON_CreateObject();
    json_set_text(toleration, "effect", "NoExecute");
    json_set_text(toleration, "key", key);
    json_set_text(toleration, "operator", "Exists");
    json_set_int(toleration, "tolerationSeconds", 300);
    cJSON_AddItemToArray(list, toleration);
}

/* Every container limits what it requests: Guaranteed; none says anything: BestEffort. */
static const char *quality_of_service(const cJSON *spec)
{
    bool any = false, all = true;
    const cJSON *containers = json_at(spec, "containers");
    for (const cJSON *one = containers ? containers->child : NULL; one; one = one->next) {
        static const char *const names[] = {"cpu", "memory"};
        any = any || cJSON_GetArraySize(json_at(one, "resources", "limits")) ||
              cJSON_GetArraySize(json_at(one, "resources", "requests"));
        for (int i = 0; i < 2; i++) {
            const char *limit = json_text(json_at(one, "resources", "limits"), names[i]);
            const char *request = json_text(json_at(one, "resources", "requests"), names[i]);
            all = all && limit && request && strcmp(limit, request) == 0;
        }
    }
    return !any ? "BestEffort" : all ? "Guaranteed" : "Burstable";
}

static void default_pod(struct arena *arena, cJSON *json)
{
    cJSON *spec = cJSON_GetObjectItemCaseSensitive(json, "spec");
    if (!cJSON_IsObject(spec))
        return;
    default_pod_spec(arena, spec);
    default_requests(json_at(spec, "containers"));
    default_requests(json_at(spec, "initContainers"));
    bool_default(spec, "enableServiceLinks", true);
    text_default(spec, "serviceAccountName", "default");
    text_default(spec, "serviceAccount", json_text(spec, "serviceAccountName"));
    number_default(spec, "priority", 0);
    text_default(spec, "preemptionPolicy", "PreemptLowerPriority");
    tolerate(spec, "node.kubernetes.io/not-ready");
    tolerate(spec, "node.kubernetes.io/unreachable");
    cJSON *status = json_child(json, "status");
    text_default(status, "phase", "Pending");
    text_default(status, "qosClass", quality_of_service(spec));
}

/* ---- workloads ---- */

static void default_percentages(cJSON *strategy, const char *unavailable, const char *surge)
{
    if (strcmp(json_text(strategy, "type"), "RollingUpdate") != 0)
        return;
    cJSON *rolling = json_child(strategy, "rollingUpdate");
    if (!has(rolling, "maxUnavailable"))
        json_set(rolling, "maxUnavailable",
                 strcmp(unavailable, "1") == 0 ? cJSON_CreateNumber(1)
                                               : cJSON_CreateString(unavailable));
    if (!has(rolling, "maxSurge"))
        json_set(rolling, "maxSurge",
                 strcmp(surge, "0") == 0 ? cJSON_CreateNumber(0) : cJSON_CreateString(surge));
}

static void default_deployment(cJSON *spec)
{
    number_default(spec, "replicas", 1);
    cJSON *strategy = json_child(spec, "strategy");
    text_default(strategy, "type", "RollingUpdate");
    if (json_text(strategy, "type"))
        default_percentages(strategy, "25%", "25%");
    number_default(spec, "revisionHistoryLimit", 10);
    number_default(spec, "progressDeadlineSeconds", 600);
}

static void default_claim_spec(cJSON *spec)
{
    if (cJSON_IsObject(spec))
        text_default(spec, "volumeMode", "Filesystem");
}

static void default_stateful_set(cJSON *spec)
{
    text_default(spec, "podManagementPolicy", "OrderedReady");
    cJSON *strategy = json_child(spec, "updateStrategy");
    text_default(strategy, "type", "RollingUpdate");
    if (strcmp(json_text(strategy, "type"), "RollingUpdate") == 0)
        number_default(json_child(strategy, "rollingUpdate"), "partition", 0);
    cJSON *policy = json_child(spec, "persistentVolumeClaimRetentionPolicy");
    text_default(policy, "whenDeleted", "Retain");
    text_default(policy, "whenScaled", "Retain");
    number_default(spec, "replicas", 1);
    number_default(spec, "revisionHistoryLimit", 10);
    if (!has(spec, "serviceName"))
        json_set_text(spec, "serviceName", "");
    cJSON *claims = cJSON_GetObjectItemCaseSensitive(spec, "volumeClaimTemplates");
    for (cJSON *claim = cJSON_IsArray(claims) ? claims->child : NULL; claim; claim = claim->next) {
        text_default(claim, "apiVersion", "v1");
        text_default(claim, "kind", "PersistentVolumeClaim");
        cJSON *metadata = json_child(claim, "metadata");
        if (!cJSON_GetObjectItemCaseSensitive(metadata, "creationTimestamp"))
            cJSON_AddNullToObject(metadata, "creationTimestamp");
        default_claim_spec(cJSON_GetObjectItemCaseSensitive(claim, "spec"));
        text_default(json_child(claim, "status"), "phase", "Pending");
    }
}

static void default_daemon_set(cJSON *spec)
{
    cJSON *strategy = json_child(spec, "updateStrategy");
    text_default(strategy, "type", "RollingUpdate");
    default_percentages(strategy, "1", "0");
    number_default(spec, "revisionHistoryLimit", 10);
}

static void default_job(cJSON *spec)
{
    if (!has(spec, "completions") && !has(spec, "parallelism"))
        json_set_int(spec, "completions", 1);
    number_default(spec, "parallelism", 1);
    number_default(spec, "backoffLimit", 6);
    text_default(spec, "completionMode", "NonIndexed");
    bool_default(spec, "suspend", false);
    bool_default(spec, "manualSelector", false);
    text_default(spec, "podReplacementPolicy", "TerminatingOrFailed");
}

static void default_cron_job(struct arena *arena, cJSON *spec)
{
    text_default(spec, "concurrencyPolicy", "Allow");
    bool_default(spec, "suspend", false);
    number_default(spec, "successfulJobsHistoryLimit", 3);
    number_default(spec, "failedJobsHistoryLimit", 1);
    cJSON *template = json_child(spec, "jobTemplate");
    cJSON *metadata = json_child(template, "metadata");
    if (!cJSON_GetObjectItemCaseSensitive(metadata, "creationTimestamp"))
        cJSON_AddNullToObject(metadata, "creationTimestamp");
    default_template(arena, json_at(template, "spec", "template"));
}

static void default_workload(struct cluster *cluster, const char *kind, cJSON *json)
{
    struct arena *arena = cluster_arena(cluster);
    cJSON *spec = cJSON_GetObjectItemCaseSensitive(json, "spec");
    if (!cJSON_IsObject(spec))
        return;
    if (strcmp(kind, "Deployment") == 0)
        default_deployment(spec);
    else if (strcmp(kind, "StatefulSet") == 0)
        default_stateful_set(spec);
    else if (strcmp(kind, "DaemonSet") == 0)
        default_daemon_set(spec);
    else if (strcmp(kind, "ReplicaSet") == 0)
        number_default(spec, "replicas", 1);
    else if (strcmp(kind, "Job") == 0)
        default_job(spec);
    else if (strcmp(kind, "CronJob") == 0)
        default_cron_job(arena, spec);
    default_template(arena, cJSON_GetObjectItemCaseSensitive(spec, "template"));
}

/* ---- Services ---- */

static unsigned hash_of(struct arena *arena, const char *text)
{
    const char *hash = hash_sha256(arena, str_of(text));
    char digits[9] = "";
    memcpy(digits, hash, 8);
    return (unsigned)strtoul(digits, NULL, 16);
}

static bool taken(struct cluster *cluster, const char *address, int node_port)
{
    struct arena scratch = {0};
    struct object **all =
        cluster_list(cluster, &scratch, cluster_kind(cluster, "Service", "v1"), NULL, NULL, NULL);
    bool found = false;
    for (; *all && !found; all++) {
        const char *its = json_text((*all)->json, "spec", "clusterIP");
        const cJSON *ports = json_at((*all)->json, "spec", "ports");
        found = address && its && strcmp(its, address) == 0;
        for (const cJSON *port = node_port && ports ? ports->child : NULL; port; port = port->next)
            found = found || json_int(port, "nodePort", 0) == node_port;
    }
    arena_release(&scratch);
    return found;
}

static void allocate_address(struct cluster *cluster, cJSON *json, cJSON *spec)
{
    struct arena *arena = cluster_arena(cluster);
    const char *ns = json_text(json, "metadata", "namespace");
    const char *name = json_text(json, "metadata", "name"), *address = NULL;
    unsigned hash = hash_of(arena, arena_printf(arena, "service %s/%s", ns ? ns : "", name));
    for (unsigned i = 0; !address || taken(cluster, address, 0); i++)
        address = arena_printf(arena, "10.%u.%u.%u", 96 + (hash + i) % 16, (hash >> 8) % 256,
                               2 + (hash >> 16) % 250);
    json_set_text(spec, "clusterIP", address);
}

static const cJSON *same_port(const cJSON *old, const cJSON *port)
{
    const cJSON *ports = json_at(old, "spec", "ports");
    for (const cJSON *one = ports ? ports->child : NULL; one; one = one->next) {
        if (json_int(one, "port", 0) == json_int(port, "port", -1))
            return one;
    }
    return NULL;
}

static void allocate_node_port(struct cluster *cluster, const cJSON *json, const cJSON *old,
                               cJSON *port)
{
    struct arena *arena = cluster_arena(cluster);
    const cJSON *before = same_port(old, port);
    const char *name = json_text(json, "metadata", "name");
    int64_t number = before ? json_int(before, "nodePort", 0) : 0;
    unsigned hash = hash_of(arena, arena_printf(arena, "node port %s %d", name ? name : "",
                                                (int)json_int(port, "port", 0)));
    for (unsigned i = 0; number == 0 || (!before && taken(cluster, NULL, (int)number)); i++)
        number = 30000 + (hash + i) % 2768;
    json_set_int(port, "nodePort", number);
}

static void default_service(struct cluster *cluster, cJSON *json, const cJSON *old)
{
    cJSON *spec = cJSON_GetObjectItemCaseSensitive(json, "spec");
    if (!cJSON_IsObject(spec))
        return;
    text_default(spec, "sessionAffinity", "None");
    text_default(spec, "type", "ClusterIP");
    const char *type = json_text(spec, "type");
    bool outside = strcmp(type, "NodePort") == 0 || strcmp(type, "LoadBalancer") == 0;
    bool named = strcmp(type, "ExternalName") == 0;
    const char *address = json_text(old, "spec", "clusterIP");
    if (!named && !json_text(spec, "clusterIP") && address)
        json_set_text(spec, "clusterIP", address);
    const char *given = json_text(spec, "clusterIP");
    if (!named && (!given || !*given))
        allocate_address(cluster, json, spec);
    if (!named) {
        cJSON *list = cJSON_CreateArray(), *families = cJSON_CreateArray();
        cJSON_AddItemToArray(list, cJSON_CreateString(json_text(spec, "clusterIP")));
        json_set(spec, "clusterIPs", list);
        cJSON_AddItemToArray(families, cJSON_CreateString("IPv4"));
        json_set(spec, "ipFamilies", families);
        text_default(spec, "ipFamilyPolicy", "SingleStack");
        text_default(spec, "internalTrafficPolicy", "Cluster");
    }
    if (outside)
        text_default(spec, "externalTrafficPolicy", "Cluster");
    if (strcmp(type, "LoadBalancer") == 0)
        bool_default(spec, "allocateLoadBalancerNodePorts", true);
    cJSON *ports = cJSON_GetObjectItemCaseSensitive(spec, "ports");
    for (cJSON *port = cJSON_IsArray(ports) ? ports->child : NULL; port; port = port->next) {
        text_default(port, "protocol", "TCP");
        if (!has(port, "targetPort"))
            json_set_int(port, "targetPort", json_int(port, "port", 0));
        if (outside && json_int(port, "nodePort", 0) == 0)
            allocate_node_port(cluster, json, old, port);
        else if (!outside && old && json_int(port, "nodePort", 0) &&
                 json_int(same_port(old, port), "nodePort", 0) == json_int(port, "nodePort", 0))
            cJSON_DeleteItemFromObjectCaseSensitive(port, "nodePort"); /* of its former type */
    }
    json_child(json_child(json, "status"), "loadBalancer");
}

/* ---- the others ---- */

static const char *base64(struct arena *arena, const char *text)
{
    unsigned char *out = arena_alloc(arena, 4 * ((strlen(text) + 2) / 3) + 1);
    EVP_EncodeBlock(out, (const unsigned char *)text, (int)strlen(text));
    return (const char *)out;
}

static void default_secret(struct arena *arena, cJSON *json)
{
    text_default(json, "type", "Opaque");
    cJSON *plain = cJSON_GetObjectItemCaseSensitive(json, "stringData");
    for (const cJSON *item = cJSON_IsObject(plain) ? plain->child : NULL; item; item = item->next)
        json_set_text(json_child(json, "data"), item->string,
                      base64(arena, item->valuestring ? item->valuestring : ""));
    cJSON_DeleteItemFromObjectCaseSensitive(json, "stringData");
}

static void default_namespace(cJSON *json)
{
    const char *name = json_text(json, "metadata", "name");
    if (name)
        json_set_text(json_child(json_child(json, "metadata"), "labels"),
                      "kubernetes.io/metadata.name", name);
    cJSON *spec = json_child(json, "spec");
    if (!has(spec, "finalizers")) {
        cJSON *list = cJSON_AddArrayToObject(spec, "finalizers");
        cJSON_AddItemToArray(list, cJSON_CreateString("kubernetes"));
    }
    text_default(json_child(json, "status"), "phase", "Active");
}

static void default_claim(struct cluster *cluster, cJSON *json, const cJSON *old)
{
    struct arena scratch = {0};
    cJSON *spec = cJSON_GetObjectItemCaseSensitive(json, "spec");
    if (!cJSON_IsObject(spec))
        return;
    default_claim_spec(spec);
    text_default(json_child(json, "status"), "phase", "Pending");
    struct object **classes =
        cluster_list(cluster, &scratch, cluster_kind(cluster, "StorageClass", "storage.k8s.io/v1"),
                     NULL, NULL, NULL);
    for (; !old && *classes && !has(spec, "storageClassName"); classes++) {
        const char *marked = json_text(json_at((*classes)->json, "metadata", "annotations"),
                                       "storageclass.kubernetes.io/is-default-class");
        if (marked && strcmp(marked, "true") == 0)
            json_set_text(spec, "storageClassName", (*classes)->name);
    }
    arena_release(&scratch);
}

static void default_autoscaler(cJSON *spec)
{
    if (!cJSON_IsObject(spec))
        return;
    number_default(spec, "minReplicas", 1);
    if (cJSON_GetArraySize(cJSON_GetObjectItemCaseSensitive(spec, "metrics")) > 0)
        return;
    cJSON *metric = cJSON_CreateObject(), *resource = json_child(metric, "resource");
    json_set_text(metric, "type", "Resource");
    json_set_text(resource, "name", "cpu");
    json_set_text(json_child(resource, "target"), "type", "Utilization");
    json_set_int(json_child(resource, "target"), "averageUtilization", 80);
    json_set(spec, "metrics", cJSON_CreateArray());
    cJSON_AddItemToArray(cJSON_GetObjectItemCaseSensitive(spec, "metrics"), metric);
}

static void default_binding(cJSON *json)
{
    static const char group[] = "rbac.authorization.k8s.io";
    cJSON *role = cJSON_GetObjectItemCaseSensitive(json, "roleRef");
    cJSON *subjects = cJSON_GetObjectItemCaseSensitive(json, "subjects");
    if (cJSON_IsObject(role))
        text_default(role, "apiGroup", group);
    for (cJSON *one = cJSON_IsArray(subjects) ? subjects->child : NULL; one; one = one->next) {
        const char *kind = json_text(one, "kind");
        if (kind && (strcmp(kind, "User") == 0 || strcmp(kind, "Group") == 0))
            text_default(one, "apiGroup", group);
    }
}

static void default_storage_class(cJSON *json)
{
    text_default(json, "reclaimPolicy", "Delete");
    text_default(json, "volumeBindingMode", "Immediate");
}

void admission_defaults(struct cluster *cluster, const struct kind *kind, cJSON *json,
                        const cJSON *old)
{
    struct arena *arena = cluster_arena(cluster);
    const char *name = kind->name;
    if (kind->custom)
        return;
    if (strcmp(kind->group, "apps") == 0 || strcmp(kind->group, "batch") == 0)
        default_workload(cluster, name, json);
    else if (strcmp(name, "Pod") == 0)
        default_pod(arena, json);
    else if (strcmp(name, "Service") == 0)
        default_service(cluster, json, old);
    else if (strcmp(name, "Secret") == 0)
        default_secret(arena, json);
    else if (strcmp(name, "Namespace") == 0)
        default_namespace(json);
    else if (strcmp(name, "PersistentVolumeClaim") == 0)
        default_claim(cluster, json, old);
    else if (strcmp(name, "HorizontalPodAutoscaler") == 0)
        default_autoscaler(cJSON_GetObjectItemCaseSensitive(json, "spec"));
    else if (strcmp(name, "RoleBinding") == 0 || strcmp(name, "ClusterRoleBinding") == 0)
        default_binding(json);
    else if (strcmp(name, "StorageClass") == 0)
        default_storage_class(json);
}
