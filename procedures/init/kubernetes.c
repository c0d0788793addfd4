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
    service->kubernetes = true;
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

static void take_object(struct writer *writer, const struct doc *object, bool ports)
{
    const char *kind = text_of(doc_get(object, "kind"));
    const char *name = text_of(doc_get(doc_get(object, "metadata"), "name"));
    const struct doc *spec = doc_get(object, "spec"), *items = doc_get(object, "items");
    if (kind && !strcmp(kind, "List") && items && items->kind == DOC_SEQUENCE)
        for (const struct doc *item = items->first; item; item = item->next)
            take_object(writer, item, ports);
    if (!kind || !name || !spec)
        return;
    if (!ports &&
        (!strcmp(kind, "Deployment") || !strcmp(kind, "StatefulSet") || !strcmp(kind, "DaemonSet")))
        take_workload(writer, kind, name,
                      text_of(doc_get(doc_get(object, "metadata"), "namespace")), spec);
    else if (ports && !strcmp(kind, "Service"))
        take_port(writer, name, spec);
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
static int each_document(struct writer *writer, bool ports, struct error *error)
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
            take_object(writer, root, ports);
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
    return each_document(writer, false, error) < 0 ? ERROR_INPUT
                                                   : each_document(writer, true, error);
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
        service->name, service->name, service->name, image_of(writer, service), port);
    if (front)
        buf_printf(out, "        readinessProbe: {httpGet: {path: /health, port: %d}}\n", port);
    buf_printf(out,
               "---\napiVersion: v1\nkind: Service\nmetadata: {name: %s}\nspec: {selector: {app: "
               "%s}, ports: [{port: %d}]}\n",
               service->name, service->name, port);
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
