/* Nodes: the machines that pods run on, as a kubelet reports them. */
#include <string.h>

#include "fakes/kubernetes/setup/setup_state.h"

enum { NODES_MAX = 100, PODS_A_NODE = 110, FIRST_ADDRESS = 11 };
#define KUBELET "v1.32.4"

struct node {
    const char *name;
    int index;
    const char *cpu, *memory; /* as the API has them: "4", "16384Mi" */
    const struct doc *labels, *taints;
};

static void add_condition(cJSON *list, const char *type, const char *status, const char *reason,
                          const char *message, const char *since)
{
    cJSON *condition = cJSON_CreateObject();
    json_set_text(condition, "type", type);
    json_set_text(condition, "status", status);
    json_set_text(condition, "lastHeartbeatTime", since);
    json_set_text(condition, "lastTransitionTime", since);
    json_set_text(condition, "reason", reason);
    json_set_text(condition, "message", message);
    cJSON_AddItemToArray(list, condition);
}

static void add_address(cJSON *list, const char *type, const char *address)
{
    cJSON *item = cJSON_CreateObject();
    json_set_text(item, "type", type);
    json_set_text(item, "address", address);
    cJSON_AddItemToArray(list, item);
}

static void set_resources(cJSON *to, const struct node *node)
{
    json_set_text(to, "cpu", node->cpu);
    json_set_text(to, "ephemeral-storage", "102350Mi");
    json_set_text(to, "memory", node->memory);
    json_set_text(to, "pods", "110");
}

static cJSON *status_of(struct setup *setup, const struct node *node)
{
    struct arena *arena = cluster_arena(setup->cluster);
    const char *since = cluster_stamp(setup->cluster, arena, -3 * DAY);
    cJSON *status = cJSON_CreateObject();
    set_resources(json_child(status, "capacity"), node);
    set_resources(json_child(status, "allocatable"), node);
    cJSON *conditions = cJSON_AddArrayToObject(status, "conditions");
    add_condition(conditions, "MemoryPressure", "False", "KubeletHasSufficientMemory",
                  "kubelet has sufficient memory available", since);
    add_condition(conditions, "DiskPressure", "False", "KubeletHasNoDiskPressure",
                  "kubelet has no disk pressure", since);
    add_condition(conditions, "PIDPressure", "False", "KubeletHasSufficientPID",
                  "kubelet has sufficient PID available", since);
    add_condition(conditions, "Ready", "True", "KubeletReady", "kubelet is posting ready status",
                  since);
    cJSON *addresses = cJSON_AddArrayToObject(status, "addresses");
    add_address(addresses, "InternalIP",
                arena_printf(arena, "10.0.0.%d", FIRST_ADDRESS + node->index));
    add_address(addresses, "Hostname", node->name);
    cJSON *info = json_child(status, "nodeInfo");
    json_set_text(info, "architecture", "amd64");
    json_set_text(info, "containerRuntimeVersion", "containerd://1.7.27");
    json_set_text(info, "kernelVersion", "6.1.0-33-amd64");
    json_set_text(info, "kubeProxyVersion", KUBELET);
    json_set_text(info, "kubeletVersion", KUBELET);
    json_set_text(info, "operatingSystem", "linux");
    json_set_text(info, "osImage", "Debian GNU/Linux 12 (bookworm)");
    return status;
}

static cJSON *object_of(struct setup *setup, const struct node *node)
{
    struct arena *arena = cluster_arena(setup->cluster);
    cJSON *json = cJSON_CreateObject();
    json_set_text(json_child(json, "metadata"), "name", node->name);
    cJSON *labels = json_child(json_child(json, "metadata"), "labels");
    json_set_text(labels, "beta.kubernetes.io/arch", "amd64");
    json_set_text(labels, "beta.kubernetes.io/os", "linux");
    json_set_text(labels, "kubernetes.io/arch", "amd64");
    json_set_text(labels, "kubernetes.io/hostname", node->name);
    json_set_text(labels, "kubernetes.io/os", "linux");
    for (const struct doc *item = node->labels ? node->labels->first : NULL; item;
         item = item->next)
        json_set_text(labels, item->key, item->text ? item->text : "");
    json_set_text(json_child(json, "spec"), "podCIDR",
                  arena_printf(arena, "10.244.%d.0/24", node->index));
    return json;
}

static int make(struct setup *setup, const struct doc *at, const struct node *node,
                struct error *error)
{
    const struct kind *kind = cluster_kind(setup->cluster, "Node", "v1");
    struct api_error why = {0};
    struct object *object =
        cluster_create(setup->cluster, kind, "", object_of(setup, node), false, &why);
    if (!object)
        return doc_error(at, error, "node '%s': %s", node->name, why.message);
    json_set(object->json, "status", status_of(setup, node));
    cluster_touched(setup->cluster, object, false);
    return 0;
}

/* "16GiB" as the API writes it. */
static int read_memory(struct setup *setup, const struct doc *size, const char **ret,
                       struct error *error)
{
    int64_t bytes = 0;
    if (!size)
        return 0;
    if (doc_size(size, &bytes, error))
        return ERROR_INPUT;
    static const char *const units[] = {"", "Ki", "Mi", "Gi", "Ti"};
    int unit = 0;
    for (; unit < 4 && bytes && bytes % 1024 == 0; unit++)
        bytes /= 1024;
    *ret = arena_printf(cluster_arena(setup->cluster), "%lld%s", (long long)bytes, units[unit]);
    return 0;
}

static int read_node(struct setup *setup, const struct doc *item, int index, struct error *error)
{
    static const char *const keys[] = {"cpu", "memory", "labels", NULL};
    struct node node = {.name = item->key, .index = index, .cpu = "4", .memory = "16000Mi"};
    if (!item->key) {
        if (doc_text(item, &node.name, error))
            return ERROR_INPUT;
        return make(setup, item, &node, error);
    }
    if (item->kind != DOC_NULL &&
        (doc_only(item, keys, error) || doc_text(doc_get(item, "cpu"), &node.cpu, error) ||
         read_memory(setup, doc_get(item, "memory"), &node.memory, error)))
        return ERROR_INPUT;
    node.labels = doc_get(item, "labels");
    if (node.labels && doc_want(node.labels, DOC_MAPPING, error))
        return ERROR_INPUT;
    return make(setup, item, &node, error);
}

int nodes_make(struct setup *setup, struct error *error)
{
    const struct doc *nodes = doc_get(setup->config, "nodes");
    int64_t n = 3;
    if (nodes && nodes->n > NODES_MAX)
        return doc_error(nodes, error, "%d nodes are more than %d", nodes->n, NODES_MAX);
    if (nodes && nodes->kind != DOC_SCALAR) {
        int index = 0;
        for (const struct doc *item = nodes->first; item; item = item->next) {
            if (read_node(setup, item, index++, error))
                return ERROR_INPUT;
        }
        return 0;
    }
    if (doc_int(nodes, 1, NODES_MAX, &n, error))
        return ERROR_INPUT;
    for (int i = 0; i < (int)n; i++) {
        struct node node = {.index = i, .cpu = "4", .memory = "16000Mi"};
        node.name = arena_printf(cluster_arena(setup->cluster), "node-%d", i + 1);
        if (make(setup, nodes ? nodes : setup->config, &node, error))
            return ERROR_INPUT;
    }
    return 0;
}
