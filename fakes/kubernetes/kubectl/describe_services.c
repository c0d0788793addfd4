/* Services and what is behind and before them, configuration and rights, in words. */
#include <inttypes.h>
#include <string.h>

#include "fakes/kubernetes/kubectl/description.h"
#include "fakes/kubernetes/text/go_value.h"

enum { ENDPOINTS_MAX = 3 };

/* ---- endpoints ---- */

struct addresses {
    const char *text;
    int n;
};

static void add_address(struct arena *arena, struct addresses *a, const cJSON *endpoint,
                        const cJSON *port)
{
    const char *ip = cJSON_GetStringValue(cJSON_GetArrayItem(json_at(endpoint, "addresses"), 0));
    const cJSON *ready = json_at(endpoint, "conditions", "ready");
    if (!ip || cJSON_IsFalse(ready))
        return;
    if (a->n++ < ENDPOINTS_MAX)
        a->text = arena_printf(arena, "%s%s%s%s%s", a->text, *a->text ? "," : "", ip,
                               port ? ":" : "", port ? scalar(arena, json_at(port, "port")) : "");
}

/* Ready addresses of a Service's port, by its name ("" for one without). */
static const char *endpoints_text(struct describe *d, const char *ns, const char *service,
                                  const char *port_name)
{
    const struct kind *kind = cluster_kind(d->cluster, "EndpointSlice", "discovery.k8s.io/v1");
    struct object **slices = cluster_list(d->cluster, d->arena, kind, ns, NULL, NULL);
    struct addresses all = {"", 0};
    bool any = false;
    for (; *slices; slices++) {
        const cJSON *json = (*slices)->json, *endpoints = json_at(json, "endpoints");
        const cJSON *ports = json_at(json, "ports"), *port = ports ? ports->child : NULL;
        if (strcmp(text_at("", json, "metadata", "labels", "kubernetes.io/service-name"),
                   service) != 0)
            continue;
        any = true;
        do {
            bool wanted = !port || strcmp(text_at("", port, "name"), port_name) == 0;
            for (const cJSON *e = endpoints && wanted ? endpoints->child : NULL; e; e = e->next)
                add_address(d->arena, &all, e, port);
            port = port ? port->next : NULL;
        } while (port);
    }
    if (!any)
        return "<none>";
    if (all.n > ENDPOINTS_MAX)
        return arena_printf(d->arena, "%s + %d more...", all.text, all.n - ENDPOINTS_MAX);
    return all.text;
}

static void service_port(struct describe *d, const struct object *object, const cJSON *port)
{
    const char *name = text_at("<unset>", port, "name"), *protocol = text_at("", port, "protocol");
    line(d, 0, "Port:\t%s\t%" PRId64 "/%s", name, number_at(port, "port"), protocol);
    line(d, 0, "TargetPort:\t%s/%s", scalar(d->arena, json_at(port, "targetPort")), protocol);
    if (number_at(port, "nodePort"))
        line(d, 0, "NodePort:\t%s\t%" PRId64 "/%s", name, number_at(port, "nodePort"), protocol);
    line(d, 0, "Endpoints:\t%s",
         endpoints_text(d, object->ns, object->name, text_at("", port, "name")));
}

/* "TITLE:\tTEXT" where there is one. */
static void line_text(struct describe *d, const char *title, const char *text)
{
    if (text && *text)
        line(d, 0, "%s:\t%s", title, text);
}

static const char *balancer(struct arena *arena, const cJSON *object)
{
    const cJSON *list = json_at(object, "status", "loadBalancer", "ingress");
    const char *text = "";
    for (const cJSON *one = list ? list->child : NULL; one; one = one->next) {
        const char *mode = json_text(one, "ip") ? text_at("", one, "ipMode") : "";
        text = arena_printf(arena, "%s%s%s%s%s%s", text, *text ? ", " : "",
                            text_at(text_at("", one, "hostname"), one, "ip"), *mode ? " (" : "",
                            mode, *mode ? ")" : "");
    }
    return text;
}

static void service(struct describe *d, const struct object *object)
{
    const cJSON *spec = json_at(object->json, "spec"), *ports = json_at(spec, "ports");
    const cJSON *families = json_at(spec, "ipFamilies"), *ips = json_at(spec, "clusterIPs");
    line_names(d, object);
    lines_metadata(d, object);
    line(d, 0, "Selector:\t%s", selector_text(d->arena, json_at(spec, "selector")));
    line(d, 0, "Type:\t%s", text_at("", spec, "type"));
    line_text(d, "IP Family Policy", json_text(spec, "ipFamilyPolicy"));
    line(d, 0, "IP Families:\t%s",
         cJSON_GetArraySize(families) ? joined(d->arena, families, NULL, ",") : "<none>");
    line(d, 0, "IP:\t%s", text_at("", spec, "clusterIP"));
    line(d, 0, "IPs:\t%s", cJSON_GetArraySize(ips) ? joined(d->arena, ips, NULL, ",") : "<none>");
    line_text(d, "External IPs", joined(d->arena, json_at(spec, "externalIPs"), NULL, ","));
    line_text(d, "Desired LoadBalancer IP", json_text(spec, "loadBalancerIP"));
    line_text(d, "External Name", json_text(spec, "externalName"));
    line_text(d, "LoadBalancer Ingress", balancer(d->arena, object->json));
    for (const cJSON *port = ports ? ports->child : NULL; port; port = port->next)
        service_port(d, object, port);
    line(d, 0, "Session Affinity:\t%s", text_at("", spec, "sessionAffinity"));
    line_text(d, "External Traffic Policy", json_text(spec, "externalTrafficPolicy"));
    line_text(d, "Internal Traffic Policy", json_text(spec, "internalTrafficPolicy"));
    lines_events(d, object);
}

static void endpoints(struct describe *d, const struct object *object)
{
    const cJSON *subsets = json_at(object->json, "subsets");
    line_names(d, object);
    lines_metadata(d, object);
    line(d, 0, "Subsets:");
    for (const cJSON *one = subsets ? subsets->child : NULL; one; one = one->next) {
        const char *ready = joined(d->arena, json_at(one, "addresses"), "ip", ",");
        const char *others = joined(d->arena, json_at(one, "notReadyAddresses"), "ip", ",");
        const cJSON *ports = json_at(one, "ports");
        line(d, 1, "Addresses:\t%s", *ready ? ready : "<none>");
        line(d, 1, "NotReadyAddresses:\t%s", *others ? others : "<none>");
        if (cJSON_GetArraySize(ports)) {
            line(d, 1, "Ports:");
            line(d, 2, "Name\tPort\tProtocol");
            line(d, 2, "----\t----\t--------");
            for (const cJSON *port = ports->child; port; port = port->next)
                line(d, 2, "%s\t%" PRId64 "\t%s", text_at("<unset>", port, "name"),
                     number_at(port, "port"), text_at("", port, "protocol"));
        }
        line(d, 0, "%s", "");
    }
    lines_events(d, object);
}

static void slice(struct describe *d, const struct object *object)
{
    const cJSON *ports = json_at(object->json, "ports");
    const cJSON *list = json_at(object->json, "endpoints");
    line_names(d, object);
    lines_metadata(d, object);
    line(d, 0, "AddressType:\t%s", text_at("", object->json, "addressType"));
    line(d, 0, "Ports:%s", cJSON_GetArraySize(ports) ? "" : " <unset>");
    if (cJSON_GetArraySize(ports)) {
        line(d, 1, "Name\tPort\tProtocol");
        line(d, 1, "----\t----\t--------");
        for (const cJSON *port = ports->child; port; port = port->next)
            line(d, 1, "%s\t%" PRId64 "\t%s", text_at("<unset>", port, "name"),
                 number_at(port, "port"), text_at("", port, "protocol"));
    }
    line(d, 0, "Endpoints:%s", cJSON_GetArraySize(list) ? "" : " <none>");
    for (const cJSON *one = list ? list->child : NULL; one; one = one->next) {
        const cJSON *ready = json_at(one, "conditions", "ready");
        line(d, 1, "- Addresses:\t%s", joined(d->arena, json_at(one, "addresses"), NULL, ", "));
        line(d, 2, "Conditions:");
        line(d, 3, "Ready:\t%s", !ready ? "<unset>" : cJSON_IsTrue(ready) ? "true" : "false");
        line(d, 2, "Hostname:\t%s", text_at("<unset>", one, "hostname"));
        if (json_at(one, "targetRef"))
            line(d, 2, "TargetRef:\t%s/%s", text_at("", one, "targetRef", "kind"),
                 text_at("", one, "targetRef", "name"));
        line(d, 2, "NodeName:\t%s", text_at("<unset>", one, "nodeName"));
        line(d, 2, "Zone:\t%s", text_at("<unset>", one, "zone"));
    }
    lines_events(d, object);
}

/* ---- ingresses ---- */

static const char *backend(struct describe *d, const struct object *object, const cJSON *at)
{
    const cJSON *of = json_at(at, "service"), *kind_of = json_at(at, "resource");
    if (kind_of)
        return arena_printf(d->arena, "APIGroup: %s, Kind: %s, Name: %s",
                            text_at("<none>", kind_of, "apiGroup"), text_at("", kind_of, "kind"),
                            text_at("", kind_of, "name"));
    const char *name = text_at("", of, "name"), *port_name = text_at("", of, "port", "name");
    int64_t number = number_at(of, "port", "number");
    const char *shown = arena_printf(
        d->arena, "%s:%s", name, number ? arena_printf(d->arena, "%" PRId64, number) : port_name);
    struct object *found = cluster_find_named(d->cluster, "Service", object->ns, name);
    if (!found)
        return arena_printf(d->arena, "%s (<error: services \"%s\" not found>)", shown, name);
    const cJSON *ports = json_at(found->json, "spec", "ports");
    const char *named = "";
    for (const cJSON *one = ports ? ports->child : NULL; one; one = one->next) {
        if (number ? number_at(one, "port") == number
                   : strcmp(text_at("", one, "name"), port_name) == 0)
            named = text_at("", one, "name");
    }
    return arena_printf(d->arena, "%s (%s)", shown, endpoints_text(d, object->ns, name, named));
}

static void ingress(struct describe *d, const struct object *object)
{
    const cJSON *spec = json_at(object->json, "spec"), *rules = json_at(spec, "rules");
    const cJSON *tls = json_at(spec, "tls"), *otherwise = json_at(spec, "defaultBackend");
    const char *fallback = otherwise ? backend(d, object, otherwise) : "<default>";
    bool any = false;
    line(d, 0, "Name:\t%s", object->name);
    lines_labels(d, "Labels", json_at(object->json, "metadata", "labels"));
    line(d, 0, "Namespace:\t%s", object->ns);
    line(d, 0, "Address:\t%s", balancer(d->arena, object->json));
    line(d, 0, "Ingress Class:\t%s", text_at("<none>", spec, "ingressClassName"));
    line(d, 0, "Default backend:\t%s", fallback);
    if (cJSON_GetArraySize(tls))
        line(d, 0, "TLS:");
    for (const cJSON *one = tls ? tls->child : NULL; one; one = one->next) {
        const char *secret_name = text_at("", one, "secretName");
        line(d, 1, "%s %s",
             *secret_name ? arena_printf(d->arena, "%s terminates", secret_name) : "SNI routes",
             joined(d->arena, json_at(one, "hosts"), NULL, ","));
    }
    line(d, 0, "Rules:\n  Host\tPath\tBackends");
    line(d, 1, "----\t----\t--------");
    for (const cJSON *rule = rules ? rules->child : NULL; rule; rule = rule->next) {
        const cJSON *paths = json_at(rule, "http", "paths");
        if (!paths)
            continue;
        any = true;
        line(d, 1, "%s\t", text_at("*", rule, "host"));
        for (const cJSON *path = paths->child; path; path = path->next)
            line(d, 2, "\t%s \t%s", text_at("", path, "path"),
                 backend(d, object, json_at(path, "backend")));
    }
    if (!any)
        line(d, 1, "*\t*\t%s", fallback);
    lines_annotations(d, "Annotations", json_at(object->json, "metadata", "annotations"));
    lines_events(d, object);
}

/* ---- configuration ---- */

/* How many bytes base64 stands for. */
static size_t decoded_size(const char *text)
{
    size_t len = strlen(text), n = len / 4 * 3;
    if (len && text[len - 1] == '=')
        n -= text[len - 2] == '=' ? 2 : 1;
    return n;
}

static void config_map(struct describe *d, const struct object *object)
{
    const cJSON **data = go_value_children(d->arena, json_at(object->json, "data"));
    const cJSON **binary = go_value_children(d->arena, json_at(object->json, "binaryData"));
    line_names(d, object);
    lines_metadata(d, object);
    line(d, 0, "\nData\n====");
    for (; *data; data++)
        line(d, 0, "%s:\n----\n%s\n", (*data)->string,
             cJSON_IsString(*data) ? (*data)->valuestring : "");
    line(d, 0, "\nBinaryData\n====");
    for (; *binary; binary++) {
        size_t n = decoded_size(cJSON_IsString(*binary) ? (*binary)->valuestring : "");
        line(d, 0, "%s: %zu bytes", (*binary)->string, n);
    }
    line(d, 0, "%s", "");
    lines_events(d, object);
}

static void secret(struct describe *d, const struct object *object)
{
    const cJSON **data = go_value_children(d->arena, json_at(object->json, "data"));
    line_names(d, object);
    lines_metadata(d, object);
    line(d, 0, "\nType:\t%s", text_at("", object->json, "type"));
    line(d, 0, "\nData\n====");
    for (; *data; data++)
        line(d, 0, "%s:\t%zu bytes", (*data)->string,
             decoded_size(cJSON_IsString(*data) ? (*data)->valuestring : ""));
}

static void account(struct describe *d, const struct object *object)
{
    const cJSON *pull = json_at(object->json, "imagePullSecrets");
    const cJSON *mount = json_at(object->json, "secrets");
    line_names(d, object);
    lines_metadata(d, object);
    line(d, 0, "Image pull secrets:\t%s",
         cJSON_GetArraySize(pull) ? joined(d->arena, pull, "name", "\n                   \t")
                                  : "<none>");
    line(d, 0, "Mountable secrets: \t%s",
         cJSON_GetArraySize(mount) ? joined(d->arena, mount, "name", "\n                   \t")
                                   : "<none>");
    line(d, 0, "Tokens:            \t<none>");
    lines_events(d, object);
}

static void namespace_of(struct describe *d, const struct object *object)
{
    line_names(d, object);
    lines_metadata(d, object);
    line(d, 0, "Status:\t%s", text_at("", object->json, "status", "phase"));
    lines_quotas(d, object->name);
}

static void binding(struct describe *d, const struct object *object)
{
    const cJSON *subjects = json_at(object->json, "subjects");
    line(d, 0, "Name:\t%s", object->name);
    lines_metadata(d, object);
    line(d, 0, "Role:");
    line(d, 1, "Kind:\t%s", text_at("", object->json, "roleRef", "kind"));
    line(d, 1, "Name:\t%s", text_at("", object->json, "roleRef", "name"));
    line(d, 0, "Subjects:");
    line(d, 1, "Kind\tName\tNamespace");
    line(d, 1, "----\t----\t---------");
    for (const cJSON *one = subjects ? subjects->child : NULL; one; one = one->next)
        line(d, 1, "%s\t%s\t%s", text_at("", one, "kind"), text_at("", one, "name"),
             text_at("", one, "namespace"));
}

const struct describer describe_services[] = {
    {"Service", service},
    {"Endpoints", endpoints},
    {"EndpointSlice", slice},
    {"Ingress", ingress},
    {"ConfigMap", config_map},
    {"Secret", secret},
    {"ServiceAccount", account},
    {"Namespace", namespace_of},
    {"RoleBinding", binding},
    {"ClusterRoleBinding", binding},
    {NULL, NULL},
};
