/* The scheduler: which node a pod runs on.
 *
 * Follows k8s.io/kubernetes pkg/scheduler: the filters NodeUnschedulable, NodeName,
 * TaintToleration, NodeAffinity (nodeSelector, required terms), NodeResourcesFit, VolumeBinding,
 * InterPodAffinity (required anti-affinity by hostname); of what passes, the node with the fewest
 * pods. Wording of 1.32.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "fakes/kubernetes/controllers/controllers.h"

/* ---- quantities ---- */

/* "500m", "2", "512Mi", "1G": in thousandths. */
static int64_t quantity(const cJSON *value)
{
    if (cJSON_IsNumber(value))
        return (int64_t)(value->valuedouble * 1000);
    const char *text = cJSON_GetStringValue(value);
    if (!text)
        return 0;
    char *end;
    double number = strtod(text, &end);
    static const struct {
        const char *suffix;
        double factor;
    } suffixes[] = {{"m", 1e-3},      {"k", 1e3},           {"M", 1e6},
                    {"G", 1e9},       {"T", 1e12},          {"Ki", 1024.0},
                    {"Mi", 1048576.}, {"Gi", 1073741824.0}, {"Ti", 1099511627776.0}};
    for (size_t i = 0; i < sizeof suffixes / sizeof *suffixes; i++) {
        if (strcmp(end, suffixes[i].suffix) == 0)
            number *= suffixes[i].factor;
    }
    return (int64_t)(number * 1000 + 0.5);
}

static int64_t request_of(const struct object *pod, const char *what)
{
    int64_t sum = 0;
    const cJSON *all = json_at(pod->json, "spec", "containers");
    for (const cJSON *one = all ? all->child : NULL; one; one = one->next) {
        const cJSON *asked = json_at(one, "resources", "requests", what);
        sum += quantity(asked ? asked : json_at(one, "resources", "limits", what));
    }
    return sum;
}

/* ---- filters ---- */

bool tolerates(const struct object *pod, const cJSON *taint)
{
    const char *key = json_text(taint, "key"), *value = json_text(taint, "value");
    const char *effect = json_text(taint, "effect");
    const cJSON *all = json_at(pod->json, "spec", "tolerations");
    for (const cJSON *one = all ? all->child : NULL; one; one = one->next) {
        const char *its_key = json_text(one, "key"), *its_value = json_text(one, "value");
        const char *its_effect = json_text(one, "effect"), *how = json_text(one, "operator");
        if (its_effect && *its_effect && effect && strcmp(its_effect, effect) != 0)
            continue;
        if (its_key && *its_key && key && strcmp(its_key, key) != 0)
            continue;
        if (how && strcmp(how, "Exists") == 0)
            return true;
        if (its_key && strcmp(its_value ? its_value : "", value ? value : "") == 0)
            return true;
    }
    return false;
}

static const cJSON *bad_taint(const struct object *pod, const struct object *node)
{
    const cJSON *taints = json_at(node->json, "spec", "taints");
    for (const cJSON *one = taints ? taints->child : NULL; one; one = one->next) {
        const char *effect = json_text(one, "effect");
        bool keeps_off = effect && strcmp(effect, "PreferNoSchedule") != 0;
        if (keeps_off && !tolerates(pod, one))
            return one;
    }
    return NULL;
}

static bool has_labels(const struct object *node, const cJSON *wanted)
{
    for (const cJSON *one = wanted ? wanted->child : NULL; one; one = one->next) {
        const char *has = json_text(node->json, "metadata", "labels", one->string);
        if (!has || !cJSON_IsString(one) || strcmp(has, one->valuestring) != 0)
            return false;
    }
    return true;
}

/* A term's matchExpressions read as a label selector's do. */
static bool any_term_fits(struct arena *arena, const cJSON *terms, const struct object *node)
{
    for (const cJSON *one = terms->child; one; one = one->next) {
        if (selector_matches(selector_of(arena, one), json_at(node->json, "metadata", "labels")))
            return true;
    }
    return false;
}

static bool affinity_fits(struct arena *arena, const struct object *pod, const struct object *node)
{
    const cJSON *terms =
        json_at(pod->json, "spec", "affinity", "nodeAffinity",
                "requiredDuringSchedulingIgnoredDuringExecution", "nodeSelectorTerms");
    return !terms || any_term_fits(arena, terms, node);
}

static bool here(const struct object *pod, const struct object *node)
{
    const char *its = json_text(pod->json, "spec", "nodeName");
    return its && strcmp(its, node->name) == 0 && pod_is_active(pod);
}

static bool kept_apart(struct arena *arena, struct object *const *pods, const struct object *pod,
                       const struct object *node)
{
    const cJSON *terms = json_at(pod->json, "spec", "affinity", "podAntiAffinity",
                                 "requiredDuringSchedulingIgnoredDuringExecution");
    for (const cJSON *one = terms ? terms->child : NULL; one; one = one->next) {
        const char *key = json_text(one, "topologyKey");
        const struct selector *selector = selector_of(arena, json_at(one, "labelSelector"));
        if (!key || strcmp(key, "kubernetes.io/hostname") != 0)
            continue;
        for (int i = 0; pods[i]; i++) {
            if (pods[i] != pod && strcmp(pods[i]->ns, pod->ns) == 0 && here(pods[i], node) &&
                selector_matches(selector, json_at(pods[i]->json, "metadata", "labels")))
                return true;
        }
    }
    return false;
}

static bool has_room(struct object *const *pods, const struct object *pod,
                     const struct object *node, const char *what)
{
    const cJSON *capacity = json_at(node->json, "status", "allocatable", what);
    int64_t asked = request_of(pod, what), used = 0;
    for (int i = 0; pods[i]; i++) {
        if (here(pods[i], node))
            used += request_of(pods[i], what);
    }
    return !capacity || asked == 0 || used + asked <= quantity(capacity);
}

/* A volume that lies on one node (local disks). */
static bool volume_is_elsewhere(struct controllers *controllers, struct arena *arena,
                                const struct object *pod, const struct object *node)
{
    const cJSON *all = json_at(pod->json, "spec", "volumes");
    for (const cJSON *one = all ? all->child : NULL; one; one = one->next) {
        const char *name = json_text(one, "persistentVolumeClaim", "claimName");
        const struct object *claim =
            name ? cluster_find_named(controllers->cluster, "PersistentVolumeClaim", pod->ns, name)
                 : NULL;
        const char *volume = claim ? json_text(claim->json, "spec", "volumeName") : NULL;
        const struct object *lies =
            volume ? cluster_find_named(controllers->cluster, "PersistentVolume", "", volume)
                   : NULL;
        const cJSON *terms =
            lies ? json_at(lies->json, "spec", "nodeAffinity", "required", "nodeSelectorTerms")
                 : NULL;
        if (terms && !any_term_fits(arena, terms, node))
            return true;
    }
    return false;
}

static const char *objection(struct controllers *controllers, struct arena *arena,
                             struct object *const *pods, const struct object *pod,
                             const struct object *node)
{
    const cJSON *taint = bad_taint(pod, node);
    if (cJSON_IsTrue(json_at(node->json, "spec", "unschedulable")))
        return "node(s) were unschedulable";
    if (taint) {
        const char *key = json_text(taint, "key"), *value = json_text(taint, "value");
        return arena_printf(arena, "node(s) had untolerated taint {%s: %s}", key ? key : "",
                            value ? value : "");
    }
    if (!has_labels(node, json_at(pod->json, "spec", "nodeSelector")) ||
        !affinity_fits(arena, pod, node))
        return "node(s) didn't match Pod's node affinity/selector";
    if (!has_room(pods, pod, node, "cpu"))
        return "Insufficient cpu";
    if (!has_room(pods, pod, node, "memory"))
        return "Insufficient memory";
    if (volume_is_elsewhere(controllers, arena, pod, node))
        return "node(s) had volume node affinity conflict";
    if (kept_apart(arena, pods, pod, node))
        return "node(s) didn't match pod anti-affinity rules";
    return NULL;
}

static const char on_the_way[] = "";

/* Its class binds it when a pod wants it. */
static bool waits_for_pods(struct controllers *controllers, const struct object *claim)
{
    const char *name = json_text(claim->json, "spec", "storageClassName");
    const struct object *class =
        name ? cluster_find_named(controllers->cluster, "StorageClass", "", name) : NULL;
    const char *mode = class ? json_text(class->json, "volumeBindingMode") : NULL;
    return mode && strcmp(mode, "WaitForFirstConsumer") == 0;
}

/* NULL, or why its claims keep it from any node. */
static const char *claims_objection(struct controllers *controllers, struct arena *arena,
                                    const struct object *pod)
{
    const cJSON *all = json_at(pod->json, "spec", "volumes");
    for (const cJSON *one = all ? all->child : NULL; one; one = one->next) {
        const char *name = json_text(one, "persistentVolumeClaim", "claimName");
        const struct object *claim =
            name ? cluster_find_named(controllers->cluster, "PersistentVolumeClaim", pod->ns, name)
                 : NULL;
        const char *phase = claim ? json_text(claim->json, "status", "phase") : NULL;
        if (name && !claim)
            return arena_printf(arena, "persistentvolumeclaim \"%s\" not found", name);
        if (claim && is_being_deleted(claim))
            return arena_printf(arena, "persistentvolumeclaim \"%s\" is being deleted", name);
        if (claim && (!phase || strcmp(phase, "Bound") != 0))
            return waits_for_pods(controllers, claim)
                       ? on_the_way
                       : "pod has unbound immediate PersistentVolumeClaims";
    }
    return NULL;
}

/* ---- choosing ---- */

struct tally {
    const char *why;
    int n;
};

static void add(struct tally *tallies, int *n, const char *why)
{
    int i = 0;
    while (i < *n && strcmp(tallies[i].why, why) != 0)
        i++;
    tallies[i].why = why;
    tallies[i].n++;
    *n += i == *n;
}

static const char *summary(struct arena *arena, struct tally *tallies, int n, int nodes)
{
    const char *text = arena_printf(arena, "0/%d nodes are available: ", nodes);
    bool room = false;
    for (int i = 0; i < n; i++) { /* the server sorts the lines as texts */
        for (int k = i + 1; k < n; k++) {
            const char *a = arena_printf(arena, "%d %s", tallies[i].n, tallies[i].why);
            const char *b = arena_printf(arena, "%d %s", tallies[k].n, tallies[k].why);
            if (strcmp(a, b) > 0) {
                struct tally swapped = tallies[i];
                tallies[i] = tallies[k];
                tallies[k] = swapped;
            }
        }
        text = arena_printf(arena, "%s%s%d %s", text, i ? ", " : "", tallies[i].n, tallies[i].why);
        room = room || strncmp(tallies[i].why, "Insufficient", 12) == 0;
    }
    return arena_printf(arena, "%s. preemption: 0/%d nodes are available: %d %s", text, nodes,
                        nodes,
                        room ? "No preemption victims found for incoming pod."
                             : "Preemption is not helpful for scheduling.");
}

/* The best node, whatever becomes of its claims; NULL: none, and the tallies say why. */
static const char *best_node(struct controllers *controllers, struct arena *arena,
                             const struct object *pod, struct object *const *nodes,
                             struct tally *tallies, int *n_tallies)
{
    struct object **pods = objects_of(controllers, arena, "Pod", NULL);
    const char *best = NULL;
    int fewest = INT32_MAX;
    for (int i = 0; nodes[i]; i++) {
        const char *no = objection(controllers, arena, pods, pod, nodes[i]);
        int load = 0;
        if (no) {
            add(tallies, n_tallies, no);
            continue;
        }
        for (int k = 0; pods[k]; k++)
            load += here(pods[k], nodes[i]);
        if (load < fewest) {
            fewest = load;
            best = nodes[i]->name;
        }
    }
    return best;
}

static struct object **all_nodes(struct controllers *controllers, struct arena *arena, int *ret_n)
{
    struct object **nodes = objects_of(controllers, arena, "Node", NULL);
    for (*ret_n = 0; nodes[*ret_n];)
        ++*ret_n;
    return nodes;
}

const char *schedule_without_claims(struct controllers *controllers, struct arena *arena,
                                    const struct object *pod)
{
    int n, n_tallies = 0;
    struct object **nodes = all_nodes(controllers, arena, &n);
    struct tally *tallies = ARENA_ARRAY(arena, struct tally, n + 1);
    return best_node(controllers, arena, pod, nodes, tallies, &n_tallies);
}

const char *schedule(struct controllers *controllers, struct arena *arena, const struct object *pod,
                     const char **why)
{
    int n, n_tallies = 0;
    struct object **nodes = all_nodes(controllers, arena, &n);
    const char *claims = claims_objection(controllers, arena, pod);
    struct tally *tallies = ARENA_ARRAY(arena, struct tally, n + 1);
    const char *best =
        claims ? NULL : best_node(controllers, arena, pod, nodes, tallies, &n_tallies);
    if (claims == on_the_way)
        *why = NULL;
    else if (claims)
        *why = arena_printf(arena,
                            "0/%d nodes are available: %s. preemption: 0/%d nodes are available: "
                            "%d Preemption is not helpful for scheduling.",
                            n, claims, n, n);
    else if (n == 0)
        *why = "no nodes available to schedule pods";
    else
        *why = best ? NULL : summary(arena, tallies, n_tallies, n);
    return best;
}
