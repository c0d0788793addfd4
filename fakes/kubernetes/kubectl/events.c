/* kubectl events: k8s.io/kubectl pkg/cmd/events. */
#include <stdlib.h>
#include <string.h>

#include "fakes/kubernetes/kubectl/description.h"
#include "fakes/kubernetes/kubectl/kubectl.h"
#include "fakes/kubernetes/kubectl/printer.h"
#include "fakes/kubernetes/kubectl/tabwriter.h"

struct filter {
    const struct kind *kind; /* of --for; NULL: all */
    const char *name, *type; /* NULL: any */
};

/* False: a flag that is none, which has been said. */
static bool read_filter(struct kubectl *k, struct filter *ret)
{
    const char *about = options_value(&k->options, "for", NULL);
    const char *types = options_value(&k->options, "types", NULL);
    *ret = (struct filter){NULL, NULL, NULL};
    if (about) {
        struct str rest = str_of(about);
        const char *type = arena_str(k->arena, str_cut(&rest, '/'));
        if (!rest.len) {
            kubectl_error(k, "--for must be in resource/name form");
            return false;
        }
        ret->kind = cluster_resource(k->cluster, type);
        ret->name = arena_str(k->arena, rest);
        if (!ret->kind) {
            kubectl_error(k, "the server doesn't have a resource type \"%s\"", type);
            return false;
        }
    }
    if (types) {
        bool normal = strcasecmp(types, "Normal") == 0, warning = strcasecmp(types, "Warning") == 0;
        if (!normal && !warning && !strchr(types, ',')) {
            kubectl_error(k, "valid --types are Normal or Warning");
            return false;
        }
        ret->type = normal ? "Normal" : warning ? "Warning" : NULL;
    }
    return true;
}

static bool passes(const struct filter *filter, const cJSON *event)
{
    if (filter->type && strcmp(text_at("", event, "type"), filter->type) != 0)
        return false;
    return !filter->kind ||
           (strcmp(text_at("", event, "involvedObject", "kind"), filter->kind->name) == 0 &&
            strcmp(text_at("", event, "involvedObject", "name"), filter->name) == 0);
}

static void add_row(struct kubectl *k, const struct object *event, struct buf *text)
{
    const cJSON *about = json_at(event->json, "involvedObject");
    struct str message = str_trim(str_of(text_at("", event->json, "message")));
    buf_printf(text, "%s%s%s\t%s\t%s\t%s/%s\t%.*s\n", k->all_namespaces ? event->ns : "",
               k->all_namespaces ? "\t" : "", event_interval(k->cluster, k->arena, event->json),
               text_at("", event->json, "type"), text_at("", event->json, "reason"),
               text_at("", about, "kind"), text_at("", about, "name"), STR_ARG(message));
}

static int none(struct kubectl *k)
{
    if (k->all_namespaces)
        call_err(k->call, "No events found.\n");
    else
        call_err(k->call, "No events found in %s namespace.\n", k->ns);
    return 0;
}

static int events(struct kubectl *k)
{
    const struct kind *kind = cluster_kind(k->cluster, "Event", "v1");
    struct filter filter;
    struct buf *text = kubectl_buf(k), *out = kubectl_buf(k);
    struct tabwriter writer = {.arena = k->arena, .min_width = 6, .padding = 3};
    if (options_has(&k->options, "watch"))
        return kubectl_refuse(k, "events --watch");
    if (!read_filter(k, &filter))
        return 1;
    kubectl_request(k);
    struct object **list =
        cluster_list(k->cluster, k->arena, kind, k->all_namespaces ? NULL : k->ns, NULL, NULL);
    int n = 0;
    for (int i = 0; list[i]; i++) {
        if (passes(&filter, list[i]->json))
            list[n++] = list[i];
    }
    events_sort(list, n);
    if (n == 0)
        return none(k);
    if (!printer_is_table(k)) {
        struct printer printer;
        const cJSON **objects = ARENA_ARRAY(k->arena, const cJSON *, n);
        for (int i = 0; i < n; i++)
            objects[i] = list[i]->json;
        return printer_read(k, &printer) ? printer_print(&printer, printer_list(k, objects, n)) : 1;
    }
    if (!options_has(&k->options, "no-headers"))
        buf_printf(text, "%sLAST SEEN\tTYPE\tREASON\tOBJECT\tMESSAGE\n",
                   k->all_namespaces ? "NAMESPACE\t" : "");
    for (int i = 0; i < n; i++)
        add_row(k, list[i], text);
    tabwriter_flush(&writer, buf_text(text), out);
    call_write(k->call, 1, out->at, out->len);
    return 0;
}

const struct kubectl_command kubectl_events_commands[] = {
    {"events", "all-namespaces|A chunk-size= for= types= watch|w" KUBECTL_GET_PRINT_FLAGS, events},
    {NULL, NULL, NULL},
};
