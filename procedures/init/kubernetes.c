/* Taking over what Kubernetes manifests say: workloads, images, replicas, ports. */
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

static void take_workload(struct writer *writer, const char *name, const struct doc *spec)
{
    struct fact_service *service = facts_service(&writer->facts, str_of(name), 0);
    int64_t replicas = 0;
    if (!service)
        return;
    service->kubernetes = true;
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
        take_workload(writer, name, spec);
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
