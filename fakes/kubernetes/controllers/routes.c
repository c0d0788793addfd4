/* Routes: to whom the world's traffic comes, through Ingresses and Services.
 *
 * How the traffic of a service of the world comes is learnt when the run begins, from what leads to
 * its pods then: rules of Ingresses, by host and path, if there are any; else Services, of which,
 * where several do, the one named like the service of the world counts, else those that are reached
 * from outside, else the one named like the workload, else all. Where none leads there, being ready
 * is enough. From then on whatever those rules, or the Services of those names, lead to gets it.
 *
 * A second Ingress of the same host and path with the annotations of a canary
 * (nginx.ingress.kubernetes.io/canary, canary-weight) takes its share.
 */
#include <stdlib.h>
#include <string.h>

#include "fakes/kubernetes/kubelet/kubelet.h"
#include "sim/base/xalloc.h"

#define CANARY        "nginx.ingress.kubernetes.io/canary"
#define CANARY_WEIGHT "nginx.ingress.kubernetes.io/canary-weight"
enum { SERVICES_MAX = 16 };

struct rule {
    const char *host, *path; /* "": any */
};

struct way {
    const struct service *service;
    const char *ns;
    const char **names; /* of Services, NULL-terminated */
    struct rule *rules; /* of Ingresses; if there are any, names do not count */
    int n_rules;
};

/* Which Services get it now, and how much of it each. */
struct shares {
    struct {
        const struct object *service;
        double share;
        int pods; /* that serve behind it */
    } at[SERVICES_MAX];
    int n;
};

static struct way *way_of(struct controllers *controllers, const struct service *service)
{
    for (int i = 0; i < controllers->n_ways; i++) {
        if (controllers->ways[i].service == service)
            return &controllers->ways[i];
    }
    return NULL;
}

/* ---- Ingresses ---- */

static bool is_canary(const struct object *ingress)
{
    const char *text = annotation_of(ingress, CANARY);
    return text && strcmp(text, "true") == 0;
}

typedef void backend_fn(const struct object *ingress, struct rule, const char *service, void *ctx);

static void each_backend(const struct object *ingress, backend_fn *what, void *ctx)
{
    const cJSON *rules = json_at(ingress->json, "spec", "rules");
    const char *otherwise = json_text(ingress->json, "spec", "defaultBackend", "service", "name");
    for (const cJSON *rule = rules ? rules->child : NULL; rule; rule = rule->next) {
        const char *host = json_text(rule, "host");
        const cJSON *paths = json_at(rule, "http", "paths");
        for (const cJSON *one = paths ? paths->child : NULL; one; one = one->next) {
            const char *path = json_text(one, "path");
            const char *service = json_text(one, "backend", "service", "name");
            if (service)
                what(ingress, (struct rule){host ? host : "", path ? path : ""}, service, ctx);
        }
    }
    if (otherwise)
        what(ingress, (struct rule){"", ""}, otherwise, ctx);
}

static bool same_rule(struct rule a, struct rule b)
{
    return strcmp(a.host, b.host) == 0 && strcmp(a.path, b.path) == 0;
}

/* ---- now ---- */

struct asked {
    struct rule rule;
    bool canary;
    const char *service; /* found */
    double weight;
};

static void find_backend(const struct object *ingress, struct rule rule, const char *service,
                         void *ctx)
{
    struct asked *asked = ctx;
    const char *weight = annotation_of(ingress, CANARY_WEIGHT);
    if (asked->service || asked->canary != is_canary(ingress) || !same_rule(rule, asked->rule))
        return;
    asked->service = service;
    asked->weight = weight ? (double)leading_int(weight) / 100 : 0;
}

static void add_share(struct controllers *controllers, const char *ns, const char *name,
                      double share, struct shares *ret)
{
    const struct object *service =
        name ? cluster_find_named(controllers->cluster, "Service", ns, name) : NULL;
    int i = 0;
    while (i < ret->n && ret->at[i].service != service)
        i++;
    if (!service || i == SERVICES_MAX)
        return;
    ret->at[i].service = service;
    ret->at[i].share += share;
    ret->n += i == ret->n;
}

static void ask_ingresses(struct controllers *controllers, struct arena *arena,
                          const struct way *way, struct shares *ret)
{
    struct object **all = objects_of(controllers, arena, "Ingress", way->ns);
    for (int i = 0; i < way->n_rules; i++) {
        struct asked main = {.rule = way->rules[i]}, canary = {way->rules[i], true, NULL, 0};
        for (int k = 0; all[k]; k++) {
            each_backend(all[k], find_backend, &main);
            each_backend(all[k], find_backend, &canary);
        }
        double less = canary.service && main.service ? canary.weight : 0;
        add_share(controllers, way->ns, main.service, 1 - less, ret);
        if (less > 0)
            add_share(controllers, way->ns, canary.service, less, ret);
    }
}

/* A Service leads to a pod on whose port nobody listens: that is nowhere. What a pod says of its
 * ports is taken for all that it has; one that says nothing may listen anywhere. */
static bool listens(const struct object *service, const struct object *pod)
{
    const cJSON *ports = json_at(service->json, "spec", "ports");
    int64_t port = ports && ports->child ? service_target_port(ports->child, pod) : 0;
    bool declared = false;
    const cJSON *all = json_at(pod->json, "spec", "containers");
    for (const cJSON *one = all ? all->child : NULL; one; one = one->next) {
        const cJSON *its = json_at(one, "ports");
        for (const cJSON *at = its ? its->child : NULL; at; at = at->next) {
            declared = true;
            if (json_int(at, "containerPort", 0) == port)
                return true;
        }
    }
    return !declared && port > 0;
}

static bool leads_to(struct arena *arena, const struct object *service, const struct object *pod)
{
    return service_selects(arena, service, pod) && service_serves(service, pod) &&
           listens(service, pod);
}

static void work_out(struct controllers *controllers, struct arena *arena, const struct way *way,
                     struct shares *ret)
{
    *ret = (struct shares){0};
    if (way->n_rules)
        ask_ingresses(controllers, arena, way, ret);
    for (int i = 0; !way->n_rules && way->names[i]; i++)
        add_share(controllers, way->ns, way->names[i], 1, ret);
    for (int i = 0; i < ret->n; i++) {
        for (int k = 0; k < controllers->n_pods; k++) {
            const struct pod *pod = controllers->pods[k];
            ret->at[i].pods += !pod->over && leads_to(arena, ret->at[i].service, pod->object);
        }
    }
}

/* What of its service's traffic comes to that pod: 0 none, else its weight beside the others. */
static double weight_of(struct arena *arena, const struct shares *shares, const struct object *pod)
{
    double weight = 0;
    for (int i = 0; i < shares->n; i++) {
        if (leads_to(arena, shares->at[i].service, pod))
            weight += shares->n == 1 ? 1 : shares->at[i].share / shares->at[i].pods;
    }
    return weight;
}

void pods_rotate(struct controllers *controllers)
{
    struct arena scratch = {0};
    struct shares shares;
    const struct way *last = NULL;
    for (int i = 0; i < controllers->n_pods; i++) {
        struct pod *pod = controllers->pods[i];
        struct instance *instance = pod->over ? NULL : pod_instance(pod->object, NULL);
        const struct way *way = instance ? way_of(controllers, instance_service(instance)) : NULL;
        if (!instance)
            continue;
        bool free = !way || (!way->n_rules && !way->names[0]);
        if (!free && way != last)
            work_out(controllers, &scratch, way, &shares);
        last = free ? last : way;
        double weight = free ? pod_is_ready(pod->object) && !is_being_deleted(pod->object)
                             : weight_of(&scratch, &shares, pod->object);
        if (weight > 0 && weight != pod->weight) {
            instance_set_weight(instance, weight);
            pod->weight = weight;
        }
        instance_rotate(instance, weight > 0);
    }
    arena_release(&scratch);
}

void ingress_sync(struct controllers *controllers, struct object *ingress)
{
    (void)ingress;
    pods_rotate(controllers);
}

/* ---- at the beginning ---- */

struct learning {
    struct controllers *controllers;
    const struct object *pod;
    struct way *way;
};

static void learn_rule(const struct object *ingress, struct rule rule, const char *name, void *ctx)
{
    struct learning *learning = ctx;
    struct arena *arena = cluster_arena(learning->controllers->cluster);
    struct way *way = learning->way;
    const struct object *service =
        cluster_find_named(learning->controllers->cluster, "Service", way->ns, name);
    if (is_canary(ingress) || !service || !service_selects(arena, service, learning->pod))
        return;
    struct rule *rules = ARENA_ARRAY(arena, struct rule, way->n_rules + 1);
    for (int i = 0; i < way->n_rules; i++)
        rules[i] = way->rules[i];
    rules[way->n_rules++] =
        (struct rule){arena_strdup(arena, rule.host), arena_strdup(arena, rule.path)};
    way->rules = rules;
}

/* The workload that a pod's name begins with. */
static const char *workload_name(struct controllers *controllers, const struct object *pod)
{
    const struct object *owner = controller_of(controllers, pod);
    const struct object *above = owner ? controller_of(controllers, owner) : NULL;
    return above ? above->name : owner ? owner->name : NULL;
}

static int rank(struct controllers *controllers, const struct object *service, const char *of_world,
                const struct object *pod)
{
    const char *type = json_text(service->json, "spec", "type");
    const char *workload = workload_name(controllers, pod);
    if (strcmp(service->name, of_world) == 0)
        return 3;
    if (type && (strcmp(type, "LoadBalancer") == 0 || strcmp(type, "NodePort") == 0))
        return 2;
    return workload && strcmp(service->name, workload) == 0;
}

static void learn(struct controllers *controllers, const struct object *pod,
                  struct service *of_world)
{
    struct arena *arena = cluster_arena(controllers->cluster);
    struct object **services = objects_of(controllers, arena, "Service", pod->ns);
    struct object **ingresses = objects_of(controllers, arena, "Ingress", pod->ns);
    int n = 0, best = 0;
    for (int i = 0; services[i]; i++) {
        if (!service_selects(arena, services[i], pod))
            continue;
        int its = rank(controllers, services[i], service_name(of_world), pod);
        n = its > best ? 0 : n;
        best = its > best ? its : best;
        if (its == best)
            services[n++] = services[i];
    }
    XGROW(controllers->ways, controllers->n_ways, controllers->cap_ways);
    struct way *way = &controllers->ways[controllers->n_ways++];
    *way = (struct way){of_world, pod->ns, ARENA_ARRAY(arena, const char *, n + 1), NULL, 0};
    for (int i = 0; i < n; i++)
        way->names[i] = services[i]->name;
    struct learning learning = {controllers, pod, way};
    for (; *ingresses; ingresses++)
        each_backend(*ingresses, learn_rule, &learning);
}

void routes_learn(struct controllers *controllers)
{
    if (!controllers_before_run(controllers))
        return;
    controllers->n_ways = 0;
    for (int i = 0; i < controllers->n_pods; i++) {
        const struct pod *pod = controllers->pods[i];
        struct instance *instance = pod->over ? NULL : pod_instance(pod->object, NULL);
        if (instance && pod_is_active(pod->object) &&
            !way_of(controllers, instance_service(instance)))
            learn(controllers, pod->object, instance_service(instance));
    }
    pods_rotate(controllers);
}

void routes_forget(struct controllers *controllers)
{
    free(controllers->ways);
}
