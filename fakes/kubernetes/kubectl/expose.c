/* kubectl expose: a Service for the pods of something (k8s.io/kubectl pkg/cmd/expose). */
#include "fakes/kubernetes/kubectl/expose.h"

#include <string.h>

#include "fakes/kubernetes/kubectl/apply.h"
#include "fakes/kubernetes/kubectl/change.h"

struct object *kubectl_make(struct kubectl *k, struct resources *resources, const struct kind *kind,
                            cJSON *json, enum dry_run dry_run, const char *done)
{
    struct api_error error = {0};
    cJSON *copy = kubectl_keep(k, json);
    const char *name = json_text(copy, "metadata", "name");
    if (dry_run == DRY_RUN_CLIENT) { /* as the client's own types are written */
        json_set(json_child(copy, "metadata"), "creationTimestamp", cJSON_CreateNull());
        if (strcmp(kind->name, "Service") == 0)
            json_child(json_child(copy, "status"), "loadBalancer");
        else if (strcmp(kind->name, "Pod") == 0)
            json_child(copy, "status");
        kubectl_print_done(k, kind, name, copy, dry_run, done);
        return NULL;
    }
    kubectl_request(k);
    struct object *object = cluster_create(k->cluster, kind, k->ns, cJSON_Duplicate(copy, true),
                                           dry_run == DRY_RUN_SERVER, &error);
    if (!object) {
        resources_complain_server(k, resources, &error, NULL);
        return NULL;
    }
    kubectl_print_done(k, kind, name, kubectl_copy(k, object->json), dry_run, done);
    return object;
}

/* Labels of the pods of something; NULL: it has none, or cannot be told by labels alone. */
static const cJSON *pods_labels(const struct kind *kind, const cJSON *json)
{
    if (strcmp(kind->name, "Service") == 0 || strcmp(kind->name, "ReplicationController") == 0)
        return json_at(json, "spec", "selector");
    if (strcmp(kind->name, "Pod") == 0)
        return json_at(json, "metadata", "labels");
    return json_at(json, "spec", "selector", "matchLabels");
}

static bool can_expose(const struct kind *kind)
{
    static const char *const names[] = {"Pod", "Service", "ReplicationController", "Deployment",
                                        "ReplicaSet"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (strcmp(kind->name, names[i]) == 0)
            return true;
    return false;
}

/* A number as a number, a name as a name. */
static cJSON *port_value(const char *text)
{
    int64_t number;
    return str_int64(str_of(text), &number) ? cJSON_CreateNumber((double)number)
                                            : cJSON_CreateString(text);
}

static void add_port(cJSON *ports, const char *port, const char *target, const char *protocol,
                     const char *name)
{
    cJSON *one = cJSON_CreateObject();
    if (name)
        json_set_text(one, "name", name);
    json_set(one, "port", port_value(port));
    json_set_text(one, "protocol", protocol);
    json_set(one, "targetPort", port_value(target));
    cJSON_AddItemToArray(ports, one);
}

/* Those of --port, else those that the containers (or the Service) have. */
static cJSON *ports_of(struct kubectl *k, const struct kind *kind, cJSON *json)
{
    struct str typed = str_of(options_value(&k->options, "port", ""));
    const char *target = options_value(&k->options, "target-port", NULL);
    const char *protocol = options_value(&k->options, "protocol", NULL);
    cJSON *ports = cJSON_CreateArray();
    bool several = typed.len && memchr(typed.at, ',', typed.len);
    for (int i = 1; typed.len; i++) {
        const char *port = arena_str(k->arena, str_cut(&typed, ','));
        add_port(ports, port, target ? target : port, protocol ? protocol : "TCP",
                 several ? arena_printf(k->arena, "port-%d", i) : NULL);
    }
    if (ports->child)
        return ports;
    cJSON *template = kubectl_pod_template(kind, json);
    cJSON *lists = template ? json_at(template, "spec", "containers") : json_at(json, "spec");
    const char *const list = "ports", *const number = template ? "containerPort" : "port";
    int n = 0;
    for (cJSON *one = template ? lists->child : lists; one; one = template ? one->next : NULL)
        n += cJSON_GetArraySize(json_at(one, list));
    int i = 0;
    for (cJSON *one = template ? lists->child : lists; one; one = template ? one->next : NULL) {
        const cJSON *port;
        cJSON_ArrayForEach(port, json_at(one, list))
        {
            const char *its = arena_printf(k->arena, "%d", (int)json_int(port, number, 0));
            const char *how = json_text(port, "protocol");
            add_port(ports, its, target ? target : its,
                     protocol ? protocol
                     : how    ? how
                              : "TCP",
                     n > 1 ? arena_printf(k->arena, "port-%d", ++i) : NULL);
        }
    }
    return ports;
}

bool kubectl_put_labels(struct kubectl *k, cJSON *into, const char *typed)
{
    struct str rest = str_of(typed);
    while (rest.len) {
        struct str value = str_cut(&rest, ',');
        const char *word = arena_str(k->arena, value);
        const char *key = arena_str(k->arena, str_cut(&value, '='));
        if (!strchr(word, '=')) {
            kubectl_error(k, "unexpected label spec: %s", word);
            return false;
        }
        json_set_text(into, key, arena_str(k->arena, value));
    }
    return true;
}

static void put_text(struct kubectl *k, cJSON *spec, const char *flag, const char *key)
{
    const char *typed = options_value(&k->options, flag, "");
    if (*typed)
        json_set_text(spec, key, typed);
}

static bool fill(struct kubectl *k, const struct resource *r, cJSON *service)
{
    cJSON *source = kubectl_copy(k, r->object->json);
    cJSON *metadata = json_child(service, "metadata"), *spec = json_child(service, "spec");
    const char *labels = options_value(&k->options, "labels", NULL);
    const char *selector = options_value(&k->options, "selector", NULL);
    const char *address = options_value(&k->options, "external-ip", NULL);
    json_set_text(service, "apiVersion", "v1");
    json_set_text(service, "kind", "Service");
    json_set_text(metadata, "name", options_value(&k->options, "name", r->name));
    if (labels ? !kubectl_put_labels(k, json_child(metadata, "labels"), labels) : false)
        return false;
    if (!labels && json_at(source, "metadata", "labels"))
        json_set(metadata, "labels", cJSON_Duplicate(json_at(source, "metadata", "labels"), true));
    json_set(spec, "ports", ports_of(k, r->kind, source));
    if (!json_at(spec, "ports")->child) {
        kubectl_error(k, "couldn't find port via --port flag or introspection");
        return false;
    }
    if (selector ? !kubectl_put_labels(k, json_child(spec, "selector"), selector) : false)
        return false;
    if (!selector)
        json_set(spec, "selector", cJSON_Duplicate(pods_labels(r->kind, source), true));
    put_text(k, spec, "type", "type");
    put_text(k, spec, "cluster-ip", "clusterIP");
    put_text(k, spec, "load-balancer-ip", "loadBalancerIP");
    put_text(k, spec, "session-affinity", "sessionAffinity");
    if (address)
        json_set(spec, "externalIPs", cJSON_CreateStringArray(&address, 1));
    return true;
}

int kubectl_expose(struct kubectl *k)
{
    struct resources resources;
    enum dry_run dry_run;
    if (!kubectl_can_print(k) || !kubectl_dry_run(k, &dry_run))
        return 1;
    kubectl_change_cause(k);
    if (options_value(&k->options, "overrides", NULL))
        return kubectl_refuse(k, "kubectl expose --overrides");
    int failed = kubectl_resources(k, 0, RESOURCES_FILES | RESOURCES_NEED_NAME, &resources);
    if (failed)
        return failed;
    for (int i = 0; i < resources.n; i++) {
        const struct resource *r = &resources.at[i];
        if (!can_expose(r->kind)) {
            resources_complain(k, &resources, "cannot expose a %s%s%s", r->kind->name,
                               *r->kind->group ? "." : "", r->kind->group);
            continue;
        }
        if (!r->object)
            continue;
        if (!options_value(&k->options, "selector", NULL) &&
            !cJSON_GetArraySize(pods_labels(r->kind, r->object->json))) {
            resources_complain(k, &resources,
                               "couldn't retrieve selectors via --selector flag or introspection: "
                               "the %s has no labels and cannot be exposed",
                               r->kind->singular);
            continue;
        }
        cJSON *service = kubectl_keep(k, cJSON_CreateObject());
        if (!fill(k, r, service))
            return 1;
        kubectl_make(k, &resources, cluster_kind(k->cluster, "Service", "v1"),
                     cJSON_Duplicate(service, true), dry_run, "exposed");
    }
    return kubectl_finish(k, &resources);
}
