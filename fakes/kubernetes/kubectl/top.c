/* kubectl top: what the metrics server has measured (k8s.io/kubectl pkg/cmd/top, pkg/metricsutil).
 *
 * The world knows the processor time and the memory of its services; a plain program takes a little
 * of both. A pod has no sample before its second scrape.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "fakes/kubernetes/api/quantity.h"
#include "fakes/kubernetes/kubectl/ages.h"
#include "fakes/kubernetes/kubectl/kubectl.h"
#include "fakes/kubernetes/kubectl/printer.h"
#include "fakes/kubernetes/kubectl/tables.h"
#include "fakes/kubernetes/kubectl/tabwriter.h"
#include "fakes/kubernetes/kubelet/pods.h"
#include "sim/world/world.h"

#define FIRST_SAMPLE_NS (30 * SECOND) /* two scrapes of 15 s */
#define IDLE_CORES      0.004
#define IDLE_BYTES      (96.0 * 1024 * 1024)
/* What runs on a node beside pods: kubelet, container runtime, system. */
#define NODE_CORES 0.1
#define NODE_BYTES (600.0 * 1024 * 1024)

struct usage {
    double cores, bytes;
};

static struct usage container_usage(const struct object *pod, const char *container)
{
    struct instance *instance = pod_instance(pod, container);
    struct usage usage = {IDLE_CORES, IDLE_BYTES};
    double value;
    if (instance && service_metric(instance_service(instance), "cpu_ratio", &value))
        usage.cores = value;
    if (instance && service_metric(instance_service(instance), "memory_bytes", &value) && value > 0)
        usage.bytes = value;
    return usage;
}

static struct usage pod_usage(const struct object *pod)
{
    const cJSON *list = json_at(pod->json, "spec", "containers");
    struct usage sum = {0, 0};
    for (const cJSON *one = list ? list->child : NULL; one; one = one->next) {
        struct usage part = container_usage(pod, text_at("", one, "name"));
        sum.cores += part.cores;
        sum.bytes += part.bytes;
    }
    return sum;
}

static bool measured(struct kubectl *k, const struct object *pod)
{
    int64_t started;
    return strcmp(text_at("", pod->json, "status", "phase"), "Running") == 0 &&
           stamp_read(k->cluster, json_text(pod->json, "status", "startTime"), &started) &&
           cluster_now(k->cluster) - started >= FIRST_SAMPLE_NS;
}

static void add_usage(struct buf *text, struct usage usage)
{
    buf_printf(text, "%" PRId64 "m\t%" PRId64 "Mi\t", (int64_t)(usage.cores * 1000 + 0.999999),
               (int64_t)(usage.bytes / (1024 * 1024)));
}

static void flush(struct kubectl *k, struct buf *text)
{
    struct buf *out = kubectl_buf(k);
    struct tabwriter writer = {.arena = k->arena, .min_width = 6, .padding = 3};
    tabwriter_flush(&writer, buf_text(text), out);
    call_write(k->call, 1, out->at, out->len);
}

/* By the heaviest first; without --sort-by by namespace and name, as they come. */
struct entry {
    struct object *object;
    struct usage usage;
    double weight;
    int at;
};

static int by_weight(const void *a, const void *b)
{
    const struct entry *x = a, *y = b;
    if (x->weight != y->weight)
        return x->weight > y->weight ? -1 : 1;
    return x->at - y->at;
}

/* False: a --sort-by that is none, which has been said. */
static bool sort(struct kubectl *k, struct entry *entries, size_t n)
{
    const char *by = options_value(&k->options, "sort-by", "");
    bool memory = strcmp(by, "memory") == 0;
    if (*by && !memory && strcmp(by, "cpu") != 0) {
        kubectl_error(k, "--sort-by accepts only cpu or memory");
        return false;
    }
    for (size_t i = 0; i < n; i++) {
        entries[i].at = (int)i;
        entries[i].weight = !*by ? 0 : memory ? entries[i].usage.bytes : entries[i].usage.cores;
    }
    qsort(entries, n, sizeof *entries, by_weight);
    return true;
}

/* Whatever of its names the command was called by. */
static int usage(struct kubectl *k, const char *what)
{
    call_err(k->call,
             "error: %s [NAME | -l label]\nSee 'kubectl top %s -h' for help and examples\n", what,
             what);
    return 1;
}

/* ---- pods ---- */

static void pod_rows(struct kubectl *k, const struct entry *entry, struct buf *text)
{
    const cJSON *list = json_at(entry->object->json, "spec", "containers");
    const char *ns = k->all_namespaces ? arena_printf(k->arena, "%s\t", entry->object->ns) : "";
    if (!options_has(&k->options, "containers")) {
        buf_printf(text, "%s%s\t", ns, entry->object->name);
        add_usage(text, entry->usage);
        buf_putc(text, '\n');
        return;
    }
    for (const cJSON *one = list ? list->child : NULL; one; one = one->next) {
        const char *name = text_at("", one, "name");
        buf_printf(text, "%s%s\t%s\t", ns, entry->object->name, name);
        add_usage(text, container_usage(entry->object, name));
        buf_putc(text, '\n');
    }
}

static void sum_rows(struct kubectl *k, const struct entry *entries, size_t n, struct buf *text)
{
    const char *before = arena_printf(k->arena, "\t%s%s", k->all_namespaces ? "\t" : "",
                                      options_has(&k->options, "containers") ? "\t" : "");
    struct usage sum = {0, 0};
    for (size_t i = 0; i < n; i++) {
        sum.cores += entries[i].usage.cores;
        sum.bytes += entries[i].usage.bytes;
    }
    buf_printf(text, "%s________\t________\t\n%s", before, before);
    add_usage(text, sum);
    buf_putc(text, '\n');
}

static int not_found(struct kubectl *k, const char *name)
{
    struct api_error error;
    api_fail(k->cluster, &error, 404, "NotFound", "podmetrics.metrics.k8s.io \"%s/%s\" not found",
             k->ns, name);
    return kubectl_server_error(k, &error, NULL);
}

static int top_pods(struct kubectl *k)
{
    const struct kind *kind = cluster_kind(k->cluster, "Pod", "v1");
    const char *labels = options_value(&k->options, "selector", ""), *why = NULL;
    const char *fields = options_value(&k->options, "field-selector", "");
    const struct selector *by_label = *labels ? selector_labels(k->arena, labels, &why) : NULL;
    const struct selector *by_field = *fields ? selector_fields(k->arena, fields, &why) : NULL;
    struct buf *text = kubectl_buf(k);
    if (k->n_args > 1)
        return usage(k, "pod");
    if (k->n_args == 1 && (*labels || *fields))
        return kubectl_error(k, "only one of NAME or selector can be provided");
    if (why)
        return kubectl_error(k, "%s", why);
    kubectl_request(k);
    kubectl_request(k);
    struct object **pods = cluster_list(k->cluster, k->arena, kind,
                                        k->all_namespaces ? NULL : k->ns, by_label, by_field);
    size_t n = 0, there = 0;
    for (; pods[there]; there++)
        ;
    struct entry *entries = ARENA_ARRAY(k->arena, struct entry, there + 1);
    for (; *pods; pods++) {
        if ((k->n_args == 0 || strcmp((*pods)->name, k->args[0]) == 0) && measured(k, *pods))
            entries[n++] = (struct entry){.object = *pods, .usage = pod_usage(*pods)};
    }
    if (!sort(k, entries, n))
        return 1;
    if (n == 0 && k->n_args == 1)
        return not_found(k, k->args[0]);
    if (n == 0 && there > 0)
        return kubectl_error(k, "metrics not available yet");
    if (n == 0) {
        if (k->all_namespaces)
            call_err(k->call, "No resources found\n");
        else
            call_err(k->call, "No resources found in %s namespace.\n", k->ns);
        return 0;
    }
    if (!options_has(&k->options, "no-headers"))
        buf_printf(text, "%s%s\tCPU(cores)\tMEMORY(bytes)\t\n",
                   k->all_namespaces ? "NAMESPACE\t" : "",
                   options_has(&k->options, "containers") ? "POD\tNAME" : "NAME");
    for (size_t i = 0; i < n; i++)
        pod_rows(k, &entries[i], text);
    if (options_has(&k->options, "sum"))
        sum_rows(k, entries, n, text);
    flush(k, text);
    return 0;
}

/* ---- nodes ---- */

static struct usage node_usage(struct kubectl *k, const struct object *node)
{
    const struct kind *kind = cluster_kind(k->cluster, "Pod", "v1");
    struct object **pods = cluster_list(k->cluster, k->arena, kind, NULL, NULL, NULL);
    struct usage sum = {NODE_CORES, NODE_BYTES};
    for (; *pods; pods++) {
        if (strcmp(text_at("", (*pods)->json, "spec", "nodeName"), node->name) != 0 ||
            !measured(k, *pods))
            continue;
        struct usage part = pod_usage(*pods);
        sum.cores += part.cores;
        sum.bytes += part.bytes;
    }
    return sum;
}

static double allocatable(const struct object *node, const char *resource)
{
    double value = 0;
    quantity_read(text_at("0", node->json, "status", "allocatable", resource), &value);
    return value;
}

static int percent(double part, double whole)
{
    return whole > 0 ? (int)(part / whole * 100) : 0;
}

static int top_nodes(struct kubectl *k)
{
    const struct kind *kind = cluster_kind(k->cluster, "Node", "v1");
    const char *labels = options_value(&k->options, "selector", ""), *why = NULL;
    const struct selector *by_label = *labels ? selector_labels(k->arena, labels, &why) : NULL;
    struct buf *text = kubectl_buf(k);
    if (k->n_args > 1)
        return usage(k, "node");
    if (k->n_args == 1 && *labels)
        return kubectl_error(k, "only one of NAME or --selector can be provided");
    if (why)
        return kubectl_error(k, "%s", why);
    kubectl_request(k);
    kubectl_request(k);
    struct object **nodes = cluster_list(k->cluster, k->arena, kind, NULL, by_label, NULL);
    size_t n = 0, there = 0;
    for (; nodes[there]; there++)
        ;
    struct entry *entries = ARENA_ARRAY(k->arena, struct entry, there + 1);
    for (; *nodes; nodes++) {
        if (k->n_args == 0 || strcmp((*nodes)->name, k->args[0]) == 0)
            entries[n++] = (struct entry){.object = *nodes, .usage = node_usage(k, *nodes)};
    }
    if (!sort(k, entries, n))
        return 1;
    if (n == 0 && k->n_args == 1) {
        struct api_error error;
        api_fail(k->cluster, &error, 404, "NotFound", "nodes \"%s\" not found", k->args[0]);
        return kubectl_server_error(k, &error, NULL);
    }
    if (n == 0)
        return kubectl_error(k, "metrics not available yet");
    if (!options_has(&k->options, "no-headers"))
        buf_puts(text, "NAME\tCPU(cores)\tCPU(%)\tMEMORY(bytes)\tMEMORY(%)\t\n");
    for (size_t i = 0; i < n; i++) {
        const struct entry *one = &entries[i];
        buf_printf(text, "%s\t%" PRId64 "m\t%d%%\t%" PRId64 "Mi\t%d%%\t\n", one->object->name,
                   (int64_t)(one->usage.cores * 1000 + 0.999999),
                   percent(one->usage.cores, allocatable(one->object, "cpu")),
                   (int64_t)(one->usage.bytes / (1024 * 1024)),
                   percent(one->usage.bytes, allocatable(one->object, "memory")));
    }
    flush(k, text);
    return 0;
}

#define POD_FLAGS                                                                                  \
    "all-namespaces|A containers field-selector= no-headers selector|l= show-swap sort-by= sum "   \
    "use-protocol-buffers"
#define NODE_FLAGS "no-headers selector|l= show-capacity show-swap sort-by= use-protocol-buffers"

const struct kubectl_command kubectl_top_commands[] = {
    {"top pods", POD_FLAGS, top_pods},
    {"top pod", POD_FLAGS, top_pods},
    {"top po", POD_FLAGS, top_pods},
    {"top nodes", NODE_FLAGS, top_nodes},
    {"top node", NODE_FLAGS, top_nodes},
    {"top no", NODE_FLAGS, top_nodes},
    {NULL, NULL, NULL},
};
