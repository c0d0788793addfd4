/* Services: which pods stand behind them, in Endpoints and EndpointSlices.
 *
 * Follows k8s.io/kubernetes pkg/controller/endpoint and endpointslice.
 */
#include <stdlib.h>
#include <string.h>

#include "fakes/kubernetes/kubelet/kubelet.h"
#include "sim/base/xalloc.h"

#define MANAGED_BY "endpointslice-controller.k8s.io"

/* ---- which pods ---- */

bool service_selects(struct arena *arena, const struct object *service, const struct object *pod)
{
    const cJSON *selector = json_at(service->json, "spec", "selector");
    if (service->gone || strcmp(service->ns, pod->ns) != 0 || !selector || !selector->child)
        return false;
    return selector_matches(selector_of(arena, selector), json_at(pod->json, "metadata", "labels"));
}

/* The port of the pod behind a Service's port; 0: the pod has none of that name. */
int64_t service_target_port(const cJSON *port, const struct object *pod)
{
    const cJSON *target = json_at(port, "targetPort");
    const char *name = cJSON_GetStringValue(target);
    if (!target)
        return json_int(port, "port", 0);
    if (!name)
        return (int64_t)target->valuedouble;
    const cJSON *all = json_at(pod->json, "spec", "containers");
    for (const cJSON *one = all ? all->child : NULL; one; one = one->next) {
        const cJSON *ports = json_at(one, "ports");
        for (const cJSON *its = ports ? ports->child : NULL; its; its = its->next) {
            const char *its_name = json_text(its, "name");
            if (its_name && strcmp(its_name, name) == 0)
                return json_int(its, "containerPort", 0);
        }
    }
    return 0;
}

static const char *ip_of(const struct object *pod)
{
    return json_text(pod->json, "status", "podIP");
}

static bool has_address(const struct object *pod)
{
    const char *phase = pod_phase(pod);
    return ip_of(pod) && strcmp(phase, "Succeeded") != 0 && strcmp(phase, "Failed") != 0;
}

bool service_serves(const struct object *service, const struct object *pod)
{
    bool ready_or_not = cJSON_IsTrue(json_at(service->json, "spec", "publishNotReadyAddresses"));
    return (pod_is_ready(pod) && !is_being_deleted(pod)) || ready_or_not;
}

/* ---- Endpoints and EndpointSlices ---- */

static cJSON *target_of(const struct object *pod)
{
    cJSON *target = cJSON_CreateObject();
    json_set_text(target, "kind", "Pod");
    json_set_text(target, "name", pod->name);
    json_set_text(target, "namespace", pod->ns);
    json_set_text(target, "uid", uid_of(pod));
    return target;
}

static cJSON *address_of(const struct object *pod)
{
    cJSON *address = cJSON_CreateObject();
    json_set_text(address, "ip", ip_of(pod));
    json_set_text(address, "nodeName", json_text(pod->json, "spec", "nodeName"));
    json_set(address, "targetRef", target_of(pod));
    return address;
}

/* In a slice a port without a name is named "". */
static cJSON *ports_of(const struct object *service, const struct object *pod, bool of_slice)
{
    cJSON *ports = cJSON_CreateArray();
    const cJSON *all = json_at(service->json, "spec", "ports");
    for (const cJSON *one = all ? all->child : NULL; one; one = one->next) {
        cJSON *port = cJSON_CreateObject();
        const char *name = json_text(one, "name"), *protocol = json_text(one, "protocol");
        if (name || of_slice)
            json_set_text(port, "name", name ? name : "");
        json_set_int(port, "port", service_target_port(one, pod));
        json_set_text(port, "protocol", protocol ? protocol : "TCP");
        if (service_target_port(one, pod) > 0)
            cJSON_AddItemToArray(ports, port);
        else
            cJSON_Delete(port);
    }
    return ports;
}

static cJSON *subsets_of(const struct object *service, struct object *const *pods)
{
    cJSON *subsets = cJSON_CreateArray(), *subset = cJSON_CreateObject();
    cJSON *ready = cJSON_CreateArray(), *unready = cJSON_CreateArray();
    for (int i = 0; pods[i]; i++)
        cJSON_AddItemToArray(service_serves(service, pods[i]) ? ready : unready,
                             address_of(pods[i]));
    bool any = pods[0] != NULL;
    if (cJSON_GetArraySize(ready) > 0)
        json_set(subset, "addresses", ready);
    else
        cJSON_Delete(ready);
    if (cJSON_GetArraySize(unready) > 0)
        json_set(subset, "notReadyAddresses", unready);
    else
        cJSON_Delete(unready);
    if (any) {
        json_set(subset, "ports", ports_of(service, pods[0], false));
        cJSON_AddItemToArray(subsets, subset);
    } else {
        cJSON_Delete(subset);
    }
    return subsets;
}

static cJSON *endpoints_of_slice(const struct object *service, struct object *const *pods)
{
    cJSON *endpoints = cJSON_CreateArray();
    for (int i = 0; pods[i]; i++) {
        cJSON *endpoint = cJSON_CreateObject(), *conditions = json_child(endpoint, "conditions");
        cJSON *addresses = cJSON_AddArrayToObject(endpoint, "addresses");
        cJSON_AddItemToArray(addresses, cJSON_CreateString(ip_of(pods[i])));
        cJSON_AddBoolToObject(conditions, "ready", service_serves(service, pods[i]));
        cJSON_AddBoolToObject(conditions, "serving", pod_is_ready(pods[i]));
        cJSON_AddBoolToObject(conditions, "terminating", is_being_deleted(pods[i]));
        json_set_text(endpoint, "nodeName", json_text(pods[i]->json, "spec", "nodeName"));
        json_set(endpoint, "targetRef", target_of(pods[i]));
        cJSON_AddItemToArray(endpoints, endpoint);
    }
    return endpoints;
}

/* Puts `value` into the object of that kind and name, making it if need be. */
static void keep(struct controllers *controllers, const struct object *service, const char *kind,
                 const char *name, const char *key, cJSON *value, cJSON *ports)
{
    struct cluster *cluster = controllers->cluster;
    struct arena *arena = cluster_arena(cluster);
    struct object *object = cluster_find_named(cluster, kind, service->ns, name);
    bool slice = ports != NULL;
    if (object) {
        bool same = cJSON_Compare(value, json_at(object->json, key), true) &&
                    (!slice || cJSON_Compare(ports, json_at(object->json, "ports"), true));
        if (same) {
            cJSON_Delete(value);
            cJSON_Delete(ports);
            return;
        }
        json_set(object->json, key, value);
        if (slice)
            json_set(object->json, "ports", ports);
        cluster_touched(cluster, object, false);
        return;
    }
    cJSON *json = cJSON_CreateObject(), *metadata = json_child(json, "metadata");
    const cJSON *labels = json_at(service->json, "metadata", "labels");
    json_set_text(metadata, "name", name);
    json_set(metadata, "labels", labels ? cJSON_Duplicate(labels, true) : cJSON_CreateObject());
    if (slice) {
        cJSON *own = json_child(metadata, "labels");
        json_set_text(own, "endpointslice.kubernetes.io/managed-by", MANAGED_BY);
        json_set_text(own, "kubernetes.io/service-name", service->name);
        json_set_text(json, "addressType", "IPv4");
        json_set(json, "ports", ports);
        set_controller(json, arena, service);
    }
    json_set(json, key, value);
    struct api_error error = {0};
    for (int i = 0; i < cluster_kinds(cluster); i++) {
        const struct kind *one = cluster_kind_at(cluster, i);
        if (!one->custom && strcmp(one->name, kind) == 0) {
            cluster_create(cluster, one, service->ns, json, false, &error);
            return;
        }
    }
    cJSON_Delete(json);
}

static void update_endpoints(struct controllers *controllers, struct arena *arena,
                             struct object *service)
{
    struct object **pods = objects_of(controllers, arena, "Pod", service->ns);
    const cJSON *selector = json_at(service->json, "spec", "selector");
    int n = 0, n_slice = 0;
    if (!selector || !selector->child)
        return; /* Endpoints made by hand stay as they are */
    for (int i = 0; pods[i]; i++)
        n += service_selects(arena, service, pods[i]);
    struct object **all = ARENA_ARRAY(arena, struct object *, n + 1);
    struct object **live = ARENA_ARRAY(arena, struct object *, n + 1);
    n = 0;
    for (int i = 0; pods[i]; i++) {
        if (!service_selects(arena, service, pods[i]) || !has_address(pods[i]))
            continue;
        int k = n_slice++; /* by address, as a text: endpoints.RepackSubsets */
        for (; k > 0 && strcmp(ip_of(pods[i]), ip_of(all[k - 1])) < 0; k--)
            all[k] = all[k - 1];
        all[k] = pods[i];
    }
    for (int i = 0; i < n_slice; i++) {
        if (!is_being_deleted(all[i]))
            live[n++] = all[i];
    }
    keep(controllers, service, "Endpoints", service->name, "subsets", subsets_of(service, live),
         NULL);
    keep(controllers, service, "EndpointSlice",
         arena_printf(arena, "%s-%s", service->name,
                      json_hash(arena, json_at(service->json, "metadata", "uid"))),
         "endpoints", endpoints_of_slice(service, all),
         n_slice ? ports_of(service, all[0], true) : cJSON_CreateArray());
}

void service_sync(struct controllers *controllers, struct object *service)
{
    struct arena scratch = {0};
    if (!service->gone) {
        update_endpoints(controllers, &scratch, service);
    } else {
        struct object *endpoints =
            cluster_find_named(controllers->cluster, "Endpoints", service->ns, service->name);
        if (endpoints)
            cluster_remove(controllers->cluster, endpoints);
    }
    pods_rotate(controllers);
    arena_release(&scratch);
}
