/* A cluster: what the manifests that were given say (workloads, images, replicas, ports), or
 * manifests made up from what the playbook mentions. */
#include <ctype.h>
#include <string.h>
#include <strings.h>

#include "procedures/init/writer.h"
#include "sim/base/doc.h"

static const char *text_of(const struct doc *node)
{
    return node && node->kind == DOC_SCALAR ? node->text : NULL;
}

/* The image of the first container, and its tag as the version. */
static void take_image(struct fact_service *service, struct arena *arena, const struct doc *spec)
{
    const struct doc *containers =
        doc_get(doc_get(doc_get(spec, "template"), "spec"), "containers");
    const char *image = containers && containers->kind == DOC_SEQUENCE
                            ? text_of(doc_get(containers->first, "image"))
                            : NULL;
    const char *tag = image ? strrchr(image, ':') : NULL;
    if (!tag || strchr(tag, '/'))
        return;
    service->image = arena_str(arena, (struct str){image, (size_t)(tag - image)});
    if (isdigit((unsigned char)tag[1 + (tag[1] == 'v')]))
        service->version = tag + 1;
}

static const char *kind_key(const char *kind)
{
    return !strcmp(kind, "Deployment")    ? "deployment"
           : !strcmp(kind, "StatefulSet") ? "statefulset"
                                          : "daemonset";
}

static void take_workload(struct writer *writer, const char *kind, const char *name, const char *ns,
                          const struct doc *spec)
{
    struct fact_service *service = facts_service(&writer->facts, str_of(name), 0);
    int64_t replicas = 0;
    if (!service)
        return;
    service->kubernetes = service->given = true;
    service->kind = kind_key(kind);
    service->ns = ns;
    service->uses++;
    take_image(service, writer->arena, spec);
    if (doc_int(doc_get(spec, "replicas"), 1, 1000, &replicas, NULL) == 0 && replicas)
        service->replicas = (int)replicas;
}

/* The port of a Service belongs to the workload of that name, or that its selector calls so. */
static void take_port(struct writer *writer, const char *name, const struct doc *spec)
{
    const struct doc *ports = doc_get(spec, "ports");
    const char *app = text_of(doc_get(doc_get(spec, "selector"), "app"));
    int64_t port = 0;
    if (!ports || ports->kind != DOC_SEQUENCE || !ports->first ||
        doc_int(doc_get(ports->first, "port"), 1, 65535, &port, NULL) < 0)
        return;
    for (int i = 0; i < writer->facts.n_services; i++) {
        struct fact_service *service = &writer->facts.services[i];
        if (!service->port &&
            (!strcmp(service->name, name) || (app && !strcmp(service->name, app))))
            service->port = (int)port;
    }
}

static const char *name_of(const struct doc *object)
{
    return text_of(doc_get(doc_get(object, "metadata"), "name"));
}

static const char *ns_of(const struct doc *object)
{
    return text_of(doc_get(doc_get(object, "metadata"), "namespace"));
}

static void take_workloads(struct writer *writer, const struct doc *object, void *ctx)
{
    (void)ctx;
    const char *kind = text_of(doc_get(object, "kind")), *name = name_of(object);
    const struct doc *spec = doc_get(object, "spec");
    if (kind && name && spec &&
        (!strcmp(kind, "Deployment") || !strcmp(kind, "StatefulSet") || !strcmp(kind, "DaemonSet")))
        take_workload(writer, kind, name, ns_of(object), spec);
}

static void take_ports(struct writer *writer, const struct doc *object, void *ctx)
{
    (void)ctx;
    const char *kind = text_of(doc_get(object, "kind")), *name = name_of(object);
    const struct doc *spec = doc_get(object, "spec");
    if (kind && name && spec && !strcmp(kind, "Service"))
        take_port(writer, name, spec);
}

typedef void object_fn(struct writer *, const struct doc *object, void *ctx);

/* The object, or those of a List. */
static void each_object(struct writer *writer, const struct doc *object, object_fn *fn, void *ctx)
{
    const char *kind = text_of(doc_get(object, "kind"));
    const struct doc *items = doc_get(object, "items");
    if (kind && !strcmp(kind, "List") && items && items->kind == DOC_SEQUENCE)
        for (const struct doc *item = items->first; item; item = item->next)
            each_object(writer, item, fn, ctx);
    else
        fn(writer, object, ctx);
}

/* More than comments and blank lines? */
static bool has_content(struct str document)
{
    while (document.len) {
        struct str line = str_trim(str_cut(&document, '\n'));
        if (line.len && *line.at != '#')
            return true;
    }
    return false;
}

/* One file may hold many documents, between lines of "---"; the reader of documents wants one. */
static int each_document(struct writer *writer, object_fn *fn, void *ctx, struct error *error)
{
    struct str rest = str_of(writer->options->kubernetes), document = {rest.at, 0};
    while (rest.len || document.len) {
        struct str line = str_cut(&rest, '\n');
        bool marker = str_starts(line, "---"), end = !rest.len;
        if (!marker)
            document.len = (size_t)(line.at + line.len - document.at);
        if ((marker || end) && has_content(document)) {
            struct doc *root;
            if (doc_read_text(writer->arena, "manifest", document, &root, error) < 0)
                return ERROR_INPUT;
            each_object(writer, root, fn, ctx);
        }
        if (marker)
            document = (struct str){rest.at, 0};
        if (end)
            break;
    }
    return 0;
}

int init_take_kubernetes(struct writer *writer, struct error *error)
{
    if (!writer->options->kubernetes)
        return 0;
    int code = each_document(writer, take_workloads, NULL, error);
    return code ? code : each_document(writer, take_ports, NULL, error);
}

/* ---- what the manifests ask for and do not bring ---- */

enum { NEEDS_MAX = 64, KEYS_MAX = 32 };

/* Secrets and the like that pods do not start without; people keep them out of their manifests. */
struct need {
    const char *kind, *ns, *name;
    const char *keys[KEYS_MAX];
    int n_keys;
    bool brought;
};

struct needs {
    struct need at[NEEDS_MAX];
    int n;
    const char *ns; /* of the object that is being read */
};

static struct need *need_of(struct needs *needs, const char *kind, const char *ns, const char *name)
{
    for (int i = 0; i < needs->n; i++) {
        struct need *need = &needs->at[i];
        bool same_ns = need->ns == ns || (need->ns && ns && !strcmp(need->ns, ns));
        if (!strcmp(need->kind, kind) && same_ns && !strcmp(need->name, name))
            return need;
    }
    if (needs->n == NEEDS_MAX)
        return NULL;
    needs->at[needs->n] = (struct need){.kind = kind, .ns = ns, .name = name};
    return &needs->at[needs->n++];
}

/* One that is asked for; `key` may be NULL. */
static void add_need(struct needs *needs, const char *kind, const struct doc *name,
                     const struct doc *key)
{
    struct need *need = text_of(name) ? need_of(needs, kind, needs->ns, text_of(name)) : NULL;
    if (!need || !text_of(key) || need->n_keys == KEYS_MAX)
        return;
    for (int i = 0; i < need->n_keys; i++)
        if (!strcmp(need->keys[i], text_of(key)))
            return;
    need->keys[need->n_keys++] = text_of(key);
}

/* By the names that references have wherever they stand in a pod. */
static void find_needs(struct needs *needs, const struct doc *node)
{
    static const struct {
        const char *reference, *kind, *name;
    } references[] = {{"secretKeyRef", "Secret", "name"},
                      {"secretRef", "Secret", "name"},
                      {"secret", "Secret", "secretName"},
                      {"configMapKeyRef", "ConfigMap", "name"},
                      {"configMapRef", "ConfigMap", "name"},
                      {"configMap", "ConfigMap", "name"},
                      {"persistentVolumeClaim", "PersistentVolumeClaim", "claimName"}};
    for (const struct doc *child = node ? node->first : NULL; child; child = child->next) {
        bool optional = false;
        (void)doc_bool(doc_get(child, "optional"), &optional, NULL);
        for (size_t i = 0; child->key && i < sizeof references / sizeof *references; i++)
            if (!optional && !strcmp(child->key, references[i].reference))
                add_need(needs, references[i].kind, doc_get(child, references[i].name),
                         doc_get(child, "key"));
        if (child->key && !strcmp(child->key, "serviceAccountName") && text_of(child) &&
            strcmp(text_of(child), "default") != 0)
            add_need(needs, "ServiceAccount", child, NULL);
        find_needs(needs, child);
    }
}

static void note_needs(struct writer *writer, const struct doc *object, void *ctx)
{
    (void)writer;
    struct needs *needs = ctx;
    const char *kind = text_of(doc_get(object, "kind")), *name = name_of(object);
    needs->ns = ns_of(object);
    find_needs(needs, doc_get(object, "spec"));
    struct need *brought = kind && name ? need_of(needs, kind, needs->ns, name) : NULL;
    if (brought)
        brought->brought = true;
}

static int make_up_need(struct buf *out, const struct need *need)
{
    bool secret = !strcmp(need->kind, "Secret"),
         claim = !strcmp(need->kind, "PersistentVolumeClaim");
    if (need->brought)
        return 0;
    buf_printf(out, "---\napiVersion: v1\nkind: %s\nmetadata: {name: %s", need->kind, need->name);
    if (need->ns)
        buf_printf(out, ", namespace: %s", need->ns);
    buf_puts(out, "}\n");
    if (claim)
        buf_puts(out,
                 "spec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 10Gi}}}\n");
    else if (need->n_keys)
        buf_puts(out, secret ? "stringData:\n" : "data:\n");
    for (int i = 0; i < need->n_keys; i++)
        buf_printf(out, "  %s: made-up\n", need->keys[i]);
    return 1;
}

/* ---- the cluster ---- */

bool init_in_cluster(const struct writer *writer, const struct fact_service *service)
{
    bool given = writer->options->kubernetes != NULL;
    return writer->cluster && !init_in_compose(writer, service) && !service->unit &&
           (given ? service->kind != NULL : service->kubernetes || service == writer->front);
}

static const char *kind_of(const struct fact_service *service)
{
    return service->kind ? service->kind : service->engine ? "statefulset" : "deployment";
}

void init_write_runs_in_cluster(struct buf *out, const struct fact_service *service)
{
    buf_printf(out, "    runs: {%s: %s", kind_of(service), service->name);
    if (service->ns)
        buf_printf(out, ", namespace: %s", service->ns);
    buf_puts(out, "}\n");
}

static const char *image_of(const struct writer *writer, const struct fact_service *service)
{
    const char *version = init_version(writer, service);
    const char *name = service->image    ? service->image
                       : service->engine ? (*service->engine == 'p' ? "postgres" : "mysql")
                                         : arena_printf(writer->arena, "%s/%s",
                                                        writer->result->name, service->name);
    return arena_printf(writer->arena, "%s:%s", name, version);
}

static void make_up_workload(struct writer *writer, struct buf *out,
                             const struct fact_service *service)
{
    bool set = !strcmp(kind_of(service), "statefulset"), front = service == writer->front;
    int port = service->port ? service->port : service->engine ? 5432 : 8080;
    buf_printf(
        out, "---\napiVersion: apps/v1\nkind: %s\nmetadata: {name: %s, labels: {app: %s}}\nspec:\n",
        set ? "StatefulSet" : "Deployment", service->name, service->name);
    if (set)
        buf_printf(out, "  serviceName: %s\n", service->name);
    buf_printf(
        out,
        "  replicas: %d\n  selector: {matchLabels: {app: %s}}\n  template:\n    metadata: "
        "{labels: {app: %s}}\n    spec:\n      containers:\n      - name: %s\n        image: "
        "%s\n        ports: [{containerPort: %d}]\n",
        service->replicas ? service->replicas
        : front           ? 2
                          : 1,
        service->name, service->name, service->container ? service->container : service->name,
        image_of(writer, service), port);
    if (front)
        buf_printf(out, "        readinessProbe: {httpGet: {path: /health, port: %d}}\n", port);
    buf_printf(out,
               "---\napiVersion: v1\nkind: Service\nmetadata: {name: %s}\nspec: {selector: {app: "
               "%s}, ports: [{port: %d}]}\n",
               service->name, service->name, port);
}

/* Beside manifests that were given: what they ask for, and workloads that only the playbook knows.
 */
static void write_missing(struct writer *writer)
{
    struct needs *needs = ARENA_NEW(writer->arena, struct needs);
    struct error ignored;
    struct buf out;
    int n = 0;
    buf_init(&out, FILE_MAX);
    buf_puts(&out, "# Made up by rehearse init: your manifests or your playbook name these.\n");
    (void)each_document(writer, note_needs, needs, &ignored); /* they were read before */
    for (int i = 0; i < needs->n; i++)
        n += make_up_need(&out, &needs->at[i]);
    for (int i = 0; i < writer->facts.n_services; i++) {
        const struct fact_service *service = &writer->facts.services[i];
        if (init_in_cluster(writer, service) && !service->given) {
            make_up_workload(writer, &out, service);
            n++;
        }
    }
    if (n) {
        init_add_file(writer, "kubernetes/made-up.yaml", &out, 0644);
        init_add_todo(writer, "kubernetes/made-up.yaml: %d object%s that no manifest brings", n,
                      n == 1 ? "" : "s");
    } else {
        buf_release(&out);
    }
}

void init_write_cluster(struct writer *writer, struct buf *out)
{
    const char *ns = writer->facts.ns ? writer->facts.ns : writer->front->ns;
    const char *release = writer->facts.release;
    struct buf manifests;
    if (!writer->cluster)
        return;
    buf_puts(out, "kubernetes:   # the cluster that kubectl reaches\n");
    if (!release)
        buf_puts(out, "  manifests: kubernetes/   # what has been applied to it\n");
    if (ns)
        buf_printf(out, "  namespace: %s   # of the context\n", ns);
    if (release)
        buf_printf(out,
                   "  nodes: 3\nhelm:\n  %s:\n    revisions:   # oldest first: `helm history`\n"
                   "      - {chart: %s-0.1.0, manifests: kubernetes/}   # a guess\n",
                   release, release);
    else if (!ns)
        buf_puts(out, "  nodes: 3\n");
    buf_putc(out, '\n');
    buf_init(&manifests, FILE_MAX);
    if (writer->options->kubernetes) {
        buf_puts(&manifests, writer->options->kubernetes);
        write_missing(writer);
        if (!init_in_cluster(writer, writer->front))
            init_add_todo(writer,
                          "system.yaml: users ask '%s', and no manifest has a workload of that "
                          "name: say what runs it (services: runs)",
                          writer->front->name);
    } else {
        buf_puts(&manifests, "# A guess by rehearse init: put your own manifests here.\n");
        for (int i = 0; i < writer->facts.n_services; i++) {
            if (init_in_cluster(writer, &writer->facts.services[i]))
                make_up_workload(writer, &manifests, &writer->facts.services[i]);
        }
        init_add_todo(writer, "kubernetes/manifests.yaml: made up; put your own there");
    }
    init_add_file(writer, "kubernetes/manifests.yaml", &manifests, 0644);
    if (release)
        init_add_todo(writer, "system.yaml: earlier revisions of the release '%s' (helm)", release);
}
