/* Names: whom a Service's name leads to inside pods, and a NodePort, a load balancer's address or
 * an Ingress' host outside.
 *
 * As kube-proxy has it: a port of a Service without a ready endpoint refuses the connection, one
 * that the Service does not have never answers. A cluster's DNS: NAME, NAME.NAMESPACE,
 * NAME.NAMESPACE.svc, NAME.NAMESPACE.svc.cluster.local; and POD.NAME of a headless one.
 */
#include <string.h>
#include <strings.h>

#include "fakes/kubernetes/kubectl/forwards.h"
#include "fakes/kubernetes/kubelet/pods.h"
#include "fakes/kubernetes/setup/setup_state.h"

/* ---- from a Service to a pod ---- */

static bool takes_traffic(const struct object *pod)
{
    const cJSON *conditions = json_at(pod->json, "status", "conditions");
    for (const cJSON *one = conditions ? conditions->child : NULL; one; one = one->next) {
        const char *type = json_text(one, "type"), *status = json_text(one, "status");
        if (type && status && strcmp(type, "Ready") == 0)
            return strcmp(status, "True") == 0 &&
                   !json_at(pod->json, "metadata", "deletionTimestamp");
    }
    return false;
}

/* The port a pod listens on for a Service's targetPort; 0: it has none of that name. */
static int target_of(const struct object *pod, const cJSON *service_port)
{
    const cJSON *target = cJSON_GetObjectItemCaseSensitive(service_port, "targetPort");
    const cJSON *containers = json_at(pod->json, "spec", "containers");
    if (!cJSON_IsString(target))
        return cJSON_IsNumber(target) ? target->valueint : (int)json_int(service_port, "port", 0);
    for (const cJSON *one = containers ? containers->child : NULL; one; one = one->next) {
        const cJSON *ports = cJSON_GetObjectItemCaseSensitive(one, "ports");
        for (const cJSON *port = ports ? ports->child : NULL; port; port = port->next) {
            const char *name = json_text(port, "name");
            if (name && strcmp(name, target->valuestring) == 0)
                return (int)json_int(port, "containerPort", 0);
        }
    }
    return 0;
}

/* Whether a container listens there: as far as the manifest says on which ports they do. */
static const char *listener_of(const struct object *pod, int port)
{
    const cJSON *containers = json_at(pod->json, "spec", "containers");
    const char *silent = NULL;
    for (const cJSON *one = containers ? containers->child : NULL; one; one = one->next) {
        const cJSON *ports = cJSON_GetObjectItemCaseSensitive(one, "ports");
        if (cJSON_GetArraySize(ports) == 0 && !silent)
            silent = json_text(one, "name");
        for (const cJSON *at = ports ? ports->child : NULL; at; at = at->next) {
            if (json_int(at, "containerPort", 0) == port)
                return json_text(one, "name");
        }
    }
    return silent;
}

enum env_answer pod_resolve(struct cluster *cluster, const struct object *pod, int port,
                            struct env_target *ret)
{
    const char *container = listener_of(pod, port);
    (void)cluster;
    if (!container || !pod_container_running(pod, container))
        return ENV_REFUSED;
    struct instance *instance = pod_instance(pod, container);
    *ret = (struct env_target){
        .service = instance ? instance_service(instance) : NULL,
        .instance = instance,
        .port = port,
    };
    return ENV_ANSWERS;
}

static const cJSON *port_of(const struct object *service, int number, bool node_port)
{
    const cJSON *ports = json_at(service->json, "spec", "ports");
    for (const cJSON *port = ports ? ports->child : NULL; port; port = port->next) {
        if (json_int(port, node_port ? "nodePort" : "port", 0) == number)
            return port;
    }
    return NULL;
}

/* Ready pods take turns by the clock: a balancer without memory of its own. */
static enum env_answer resolve_port(struct cluster *cluster, const struct object *service,
                                    const cJSON *port, struct env_target *ret)
{
    struct arena scratch = {0};
    enum env_answer answer = ENV_REFUSED;
    const cJSON *selector = json_at(service->json, "spec", "selector");
    struct object **pods = selector
                               ? cluster_list(cluster, &scratch, cluster_kind(cluster, "Pod", "v1"),
                                              service->ns, selector_of(&scratch, selector), NULL)
                               : NULL;
    for (; pods && *pods && answer != ENV_ANSWERS; pods++) {
        int target = takes_traffic(*pods) ? target_of(*pods, port) : 0;
        if (target)
            answer = pod_resolve(cluster, *pods, target, ret);
    }
    arena_release(&scratch);
    return answer;
}

enum env_answer service_resolve(struct cluster *cluster, const struct object *service, int port,
                                struct env_target *ret)
{
    const cJSON *at = port_of(service, port, false);
    return at ? resolve_port(cluster, service, at, ret) : ENV_UNREACHABLE;
}

/* ---- names inside ---- */

static bool is_headless(const struct object *service)
{
    const char *address = json_text(service->json, "spec", "clusterIP");
    return address && strcmp(address, "None") == 0;
}

/* "", ".svc", ".svc.cluster.local" behind the namespace. */
static bool is_zone(struct str rest)
{
    return !rest.len || str_is(rest, "svc") || str_is(rest, "svc.cluster.local") ||
           str_is(rest, "svc.cluster.local.");
}

static struct object *service_named(struct cluster *cluster, struct str host, const char *ns)
{
    struct arena scratch = {0};
    const char *name = arena_str(&scratch, str_cut(&host, '.'));
    const char *space = host.len ? arena_str(&scratch, str_cut(&host, '.')) : ns;
    struct object *found =
        is_zone(host) ? cluster_find_named(cluster, "Service", space, name) : NULL;
    arena_release(&scratch);
    return found;
}

static enum env_answer resolve_inside(struct cluster *cluster, const char *ns, const char *host,
                                      int port, struct env_target *ret)
{
    struct arena scratch = {0};
    struct object *service = service_named(cluster, str_of(host), ns);
    enum env_answer answer = ENV_NO_HOST;
    struct str behind = str_of(host), first = str_cut(&behind, '.');
    struct object *headless = service || !behind.len ? NULL : service_named(cluster, behind, ns);
    if (service && is_headless(service)) {
        const cJSON *ports = json_at(service->json, "spec", "ports");
        cJSON *any = cJSON_CreateObject(); /* no proxy: every port of the pod itself */
        json_set_int(any, "port", port);
        answer = resolve_port(
            cluster, service,
            ports && port_of(service, port, false) ? port_of(service, port, false) : any, ret);
        cJSON_Delete(any);
    } else if (service) {
        answer = service_resolve(cluster, service, port, ret);
    } else if (headless && is_headless(headless)) {
        const struct object *pod =
            cluster_find_named(cluster, "Pod", headless->ns, arena_str(&scratch, first));
        if (pod)
            answer = pod_resolve(cluster, pod, port, ret);
    }
    arena_release(&scratch);
    return answer;
}

static struct object *service_with_address(struct cluster *cluster, struct arena *arena,
                                           const char *host)
{
    struct object **all =
        cluster_list(cluster, arena, cluster_kind(cluster, "Service", "v1"), NULL, NULL, NULL);
    for (; *all; all++) {
        const char *address = json_text((*all)->json, "spec", "clusterIP");
        if (address && strcmp(address, host) == 0)
            return *all;
    }
    return NULL;
}

static struct object *pod_with_address(struct cluster *cluster, struct arena *arena,
                                       const char *host)
{
    struct object **all =
        cluster_list(cluster, arena, cluster_kind(cluster, "Pod", "v1"), NULL, NULL, NULL);
    for (; *all; all++) {
        const char *address = json_text((*all)->json, "status", "podIP");
        if (address && strcmp(address, host) == 0)
            return *all;
    }
    return NULL;
}

static enum env_answer resolve_address(struct cluster *cluster, const char *host, int port,
                                       struct env_target *ret)
{
    struct arena scratch = {0};
    enum env_answer answer = ENV_NO_HOST;
    const struct object *service = service_with_address(cluster, &scratch, host);
    const struct object *pod = service ? NULL : pod_with_address(cluster, &scratch, host);
    if (service)
        answer = service_resolve(cluster, service, port, ret);
    else if (pod)
        answer = pod_resolve(cluster, pod, port, ret);
    arena_release(&scratch);
    return answer;
}

/* ---- names outside ---- */

static bool is_node(struct cluster *cluster, struct arena *arena, const char *host)
{
    struct object **nodes =
        cluster_list(cluster, arena, cluster_kind(cluster, "Node", "v1"), NULL, NULL, NULL);
    for (; *nodes; nodes++) {
        const cJSON *list = json_at((*nodes)->json, "status", "addresses");
        if (strcasecmp((*nodes)->name, host) == 0)
            return true;
        for (const cJSON *one = list ? list->child : NULL; one; one = one->next) {
            const char *address = json_text(one, "address");
            if (address && strcasecmp(address, host) == 0)
                return true;
        }
    }
    return false;
}

static bool balances(const struct object *object, const char *host)
{
    const cJSON *list = json_at(object->json, "status", "loadBalancer", "ingress");
    for (const cJSON *one = list ? list->child : NULL; one; one = one->next) {
        const char *ip = json_text(one, "ip"), *name = json_text(one, "hostname");
        if ((ip && strcmp(ip, host) == 0) || (name && strcasecmp(name, host) == 0))
            return true;
    }
    return false;
}

static enum env_answer resolve_service_outside(struct cluster *cluster, struct arena *arena,
                                               const char *host, int port, struct env_target *ret)
{
    bool node = is_node(cluster, arena, host);
    struct object **all =
        cluster_list(cluster, arena, cluster_kind(cluster, "Service", "v1"), NULL, NULL, NULL);
    for (; *all; all++) {
        const cJSON *at = node ? port_of(*all, port, true) : NULL;
        if (at)
            return resolve_port(cluster, *all, at, ret);
        if (balances(*all, host))
            return service_resolve(cluster, *all, port, ret);
    }
    return node ? ENV_REFUSED : ENV_NO_HOST;
}

/* The backend of an Ingress' rule for that host; the path is not looked at here: the first one. */
static enum env_answer resolve_ingress(struct cluster *cluster, struct arena *arena,
                                       const char *host, int port, struct env_target *ret)
{
    struct object **all = cluster_list(
        cluster, arena, cluster_kind(cluster, "Ingress", "networking.k8s.io/v1"), NULL, NULL, NULL);
    for (; *all && (port == 80 || port == 443); all++) {
        const cJSON *rules = json_at((*all)->json, "spec", "rules");
        for (const cJSON *rule = rules ? rules->child : NULL; rule; rule = rule->next) {
            const char *name = json_text(rule, "host");
            const cJSON *path = cJSON_GetArrayItem(json_at(rule, "http", "paths"), 0);
            const char *backend = json_text(path, "backend", "service", "name");
            if (!name || strcasecmp(name, host) != 0 || !backend)
                continue;
            const struct object *service =
                cluster_find_named(cluster, "Service", (*all)->ns, backend);
            const cJSON *number = json_at(path, "backend", "service", "port", "number");
            const cJSON *at = !service ? NULL
                              : number
                                  ? port_of(service, number->valueint, false)
                                  : cJSON_GetArrayItem(json_at(service->json, "spec", "ports"), 0);
            return at ? resolve_port(cluster, service, at, ret) : ENV_REFUSED;
        }
    }
    return ENV_NO_HOST;
}

enum env_answer names_resolve(struct env *env, const char *place, const char *host, int port,
                              struct env_target *ret, void *ctx)
{
    struct cluster *cluster = ctx;
    const struct object *pod = *place ? place_pod(cluster, place) : NULL;
    struct arena scratch = {0};
    (void)env;
    enum env_answer answer = ENV_NO_HOST;
    bool local = strcasecmp(host, "localhost") == 0 || strncmp(host, "127.", 4) == 0;
    if (!*place && local)
        answer = forward_resolve(cluster, port, ret);
    if (pod && !local)
        answer = resolve_inside(cluster, pod->ns, host, port, ret);
    else if (pod)
        answer = pod_resolve(cluster, pod, port, ret);
    if (pod && answer == ENV_NO_HOST)
        answer = resolve_address(cluster, host, port, ret);
    if (answer == ENV_NO_HOST)
        answer = resolve_service_outside(cluster, &scratch, host, port, ret);
    if (answer == ENV_NO_HOST)
        answer = resolve_ingress(cluster, &scratch, host, port, ret);
    arena_release(&scratch);
    return answer == ENV_NO_HOST && !pod ? ENV_ELSEWHERE : answer;
}
