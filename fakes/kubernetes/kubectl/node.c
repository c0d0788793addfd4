/* kubectl cordon, uncordon, drain, taint (k8s.io/kubectl pkg/cmd/drain, pkg/drain, pkg/cmd/taint).
 */
#include <inttypes.h>
#include <string.h>

#include "fakes/kubernetes/kubectl/change.h"
#include "fakes/kubernetes/kubectl/pods.h"

/* ---- which nodes ---- */

/* -1: go on. */
static int read_nodes(struct kubectl *k, struct resources *ret)
{
    const char *word = k->command->words;
    const char *selector = options_value(&k->options, "selector", "");
    if (k->n_args == 0 && !*selector)
        return kubectl_usage(k, "USAGE: %s NODE [flags]", word);
    if (k->n_args > 0 && *selector)
        return kubectl_usage(k, "cannot specify both a node name and a --selector option");
    char **args = ARENA_ARRAY(k->arena, char *, k->n_args + 2);
    args[0] = arena_strdup(k->arena, "nodes");
    for (int i = 0; i < k->n_args; i++)
        args[i + 1] = k->args[i];
    k->args = args;
    k->n_args++;
    int failed = kubectl_resources(k, 0, RESOURCES_SELECT, ret);
    if (failed)
        return failed;
    return ret->n_complaints ? kubectl_finish(k, ret) : -1;
}

/* ---- cordon ---- */

static bool is_cordoned(const struct object *node)
{
    return cJSON_IsTrue(json_at(node->json, "spec", "unschedulable"));
}

/* False: refused by the server, a complaint. */
static bool cordon(struct kubectl *k, struct resources *nodes, const struct resource *r, bool on,
                   enum dry_run dry_run)
{
    const char *word = on ? "cordoned" : "uncordoned";
    struct api_error error = {0};
    bool already = is_cordoned(r->object) == on;
    kubectl_request(k);
    if (!already && dry_run == DRY_RUN_NONE &&
        !cluster_patch(k->cluster, r->object, PATCH_STRATEGIC,
                       on ? "{\"spec\":{\"unschedulable\":true}}"
                          : "{\"spec\":{\"unschedulable\":null}}",
                       false, NULL, &error)) {
        resources_complain(k, nodes, "unable to %s node \"%s\": %s", on ? "cordon" : "uncordon",
                           r->name, error.message);
        return false;
    }
    kubectl_print_done(k, r->kind, r->name, kubectl_copy(k, r->object->json), dry_run,
                       already ? arena_printf(k->arena, "already %s", word) : word);
    return true;
}

static int cordon_all(struct kubectl *k, bool on)
{
    struct resources nodes;
    enum dry_run dry_run;
    if (!kubectl_dry_run(k, &dry_run))
        return 1;
    int failed = read_nodes(k, &nodes);
    if (failed >= 0)
        return failed;
    for (int i = 0; i < nodes.n; i++)
        cordon(k, &nodes, &nodes.at[i], on, dry_run);
    return kubectl_finish(k, &nodes);
}

static int run_cordon(struct kubectl *k)
{
    return cordon_all(k, true);
}

static int run_uncordon(struct kubectl *k)
{
    return cordon_all(k, false);
}

/* ---- drain ---- */

struct draining {
    bool force, ignore_daemons, delete_local;
    int64_t grace_s, timeout_ns;
    enum dry_run dry_run;
    struct selector *pods;
};

/* Why pods stand in the way: what is said if they may not be touched, and if they may. */
enum obstacle { OBSTACLE_DAEMON, OBSTACLE_LOCAL, OBSTACLE_ALONE, N_OBSTACLES };
static const char *const obstacle_fatal[] = {
    "DaemonSet-managed Pods (use --ignore-daemonsets to ignore)",
    "Pods with local storage (use --delete-emptydir-data to override)",
    "Pods that declare no controller (use --force to override)",
};
static const char *const obstacle_warning[] = {
    "ignoring DaemonSet-managed Pods",
    "deleting Pods with local storage",
    "deleting Pods that declare no controller",
};

static const char *controller_kind(const struct object *pod)
{
    const cJSON *one;
    cJSON_ArrayForEach(
        one,
        json_at(
            pod->json, "metadata",
            "ownerReferences")) if (cJSON_IsTrue(json_at(one,
                                                         "controller"))) return json_text(one,
                                                                                          "kind");
    return NULL;
}

static bool is_finished(const struct object *pod)
{
    const char *phase = json_text(pod->json, "status", "phase");
    return phase && (strcmp(phase, "Succeeded") == 0 || strcmp(phase, "Failed") == 0);
}

static bool has_local_storage(const struct object *pod)
{
    const cJSON *one;
    cJSON_ArrayForEach(
        one, json_at(pod->json, "spec", "volumes")) if (json_at(one, "emptyDir")) return true;
    return false;
}

static void add_name(struct kubectl *k, const char **list, const struct object *pod)
{
    *list = arena_printf(k->arena, "%s%s%s/%s", *list, **list ? ", " : "", pod->ns, pod->name);
}

/* The pods to be evicted, NULL-terminated; NULL and *why: some may not be. */
static struct object **pods_to_evict(struct kubectl *k, const struct draining *d, const char *node,
                                     bool warn, const char **why)
{
    const char *fatal[N_OBSTACLES] = {"", "", ""}, *warned[N_OBSTACLES] = {"", "", ""};
    bool allowed[] = {d->ignore_daemons, d->delete_local, d->force};
    struct object **all = cluster_list(k->cluster, k->arena, cluster_kind(k->cluster, "Pod", "v1"),
                                       NULL, d->pods, NULL);
    int n = 0;
    for (int i = 0; all[i]; i++) {
        const char *at = json_text(all[i]->json, "spec", "nodeName");
        const char *kind = controller_kind(all[i]);
        bool daemon = kind && strcmp(kind, "DaemonSet") == 0;
        if (!at || strcmp(at, node) != 0)
            continue;
        bool in_the_way[] = {daemon && !is_finished(all[i]),
                             has_local_storage(all[i]) && !is_finished(all[i]),
                             !kind && !is_finished(all[i])};
        for (int o = 0; o < N_OBSTACLES; o++)
            if (in_the_way[o] && (o == OBSTACLE_DAEMON || !daemon))
                add_name(k, allowed[o] ? &warned[o] : &fatal[o], all[i]);
        if (!daemon)
            all[n++] = all[i];
    }
    all[n] = NULL;
    const char *warnings = "", *problems = "";
    int n_problems = 0;
    for (int o = 0; o < N_OBSTACLES; o++) {
        if (*warned[o])
            warnings = arena_printf(k->arena, "%s%s%s: %s", warnings, *warnings ? "; " : "",
                                    obstacle_warning[o], warned[o]);
        if (*fatal[o])
            problems = arena_printf(k->arena, "%s%scannot delete %s: %s", problems,
                                    n_problems++ ? ", " : "", obstacle_fatal[o], fatal[o]);
    }
    if (n_problems) {
        *why = n_problems > 1 ? arena_printf(k->arena, "[%s]", problems) : problems;
        return NULL;
    }
    if (*warnings && warn)
        call_err(k->call, "Warning: %s\n", warnings);
    return all;
}

/* Whether a PodDisruptionBudget lets this pod go now. */
static bool may_go(struct kubectl *k, const struct object *pod)
{
    const struct kind *kind = cluster_kind(k->cluster, "PodDisruptionBudget", "policy/v1");
    struct object **budgets = cluster_list(k->cluster, k->arena, kind, pod->ns, NULL, NULL);
    for (; *budgets; budgets++) {
        const struct selector *selector =
            selector_of(k->arena, json_at((*budgets)->json, "spec", "selector"));
        if (selector && selector_matches(selector, json_at(pod->json, "metadata", "labels")) &&
            json_int(json_at((*budgets)->json, "status"), "disruptionsAllowed", 0) <= 0)
            return false;
    }
    return true;
}

/* Evicts what may go, and says so of what is gone. NULL, or why not all went. */
static const char *evict(struct kubectl *k, const struct draining *d, struct object **pods)
{
    int n = 0, left;
    while (pods[n])
        n++;
    enum { WAITS, SENT, GONE } *state = arena_alloc(k->arena, (size_t)(n + 1) * sizeof *state);
    int64_t until = d->timeout_ns > 0 ? call_now(k->call) + d->timeout_ns : INT64_MAX;
    int64_t again = 0;
    for (int i = 0; i < n; i++)
        call_out(k->call, "evicting pod %s/%s%s\n", pods[i]->ns, pods[i]->name,
                 d->dry_run == DRY_RUN_CLIENT   ? " (dry run)"
                 : d->dry_run == DRY_RUN_SERVER ? " (server dry run)"
                                                : "");
    if (d->dry_run != DRY_RUN_NONE)
        return NULL;
    do {
        left = 0;
        bool retry = call_now(k->call) >= again;
        for (int i = 0; i < n; i++) {
            struct object *pod = pods[i];
            if (state[i] == WAITS && retry) {
                kubectl_request(k);
                if (pod->gone || may_go(k, pod)) {
                    if (!pod->gone)
                        cluster_delete(k->cluster, pod, (int)d->grace_s, false);
                    state[i] = SENT;
                } else {
                    call_err(k->call,
                             "error when evicting pods/\"%s\" -n \"%s\" (will retry after 5s): "
                             "Cannot evict pod as it would violate the pod's disruption budget.\n",
                             pod->name, pod->ns);
                }
            }
            if (state[i] == SENT && pod->gone) {
                kubectl_print_done(k, pod->kind, pod->name, pod->json, DRY_RUN_NONE, "evicted");
                state[i] = GONE;
            }
            left += state[i] != GONE;
        }
        if (retry)
            again = call_now(k->call) + 5 * SECOND;
        if (left && call_now(k->call) >= until)
            return arena_printf(k->arena, "global timeout reached: %s",
                                options_value(&k->options, "timeout", ""));
        if (left && call_sleep(k->call, SECOND))
            return "interrupted";
    } while (left);
    return NULL;
}

static const char *drain(struct kubectl *k, const struct draining *d, const char *node)
{
    const char *why = NULL, *none = NULL;
    kubectl_request(k);
    struct object **pods = pods_to_evict(k, d, node, true, &why);
    if (!pods)
        return why;
    why = evict(k, d, pods);
    if (!why)
        return NULL;
    call_err(k->call, "There are pending pods in node \"%s\" when an error occurred: %s\n", node,
             why);
    struct object **pending = pods_to_evict(k, d, node, false, &none);
    for (; pending && *pending; pending++)
        call_err(k->call, "pod/%s\n", (*pending)->name);
    return why;
}

static int run_drain(struct kubectl *k)
{
    struct resources nodes;
    struct draining d = {.force = options_has(&k->options, "force"),
                         .ignore_daemons = options_has(&k->options, "ignore-daemonsets"),
                         .delete_local = options_has(&k->options, "delete-emptydir-data") ||
                                         options_has(&k->options, "delete-local-data")};
    const char *why = NULL, *pods = options_value(&k->options, "pod-selector", "");
    if (!kubectl_dry_run(k, &d.dry_run) || !kubectl_int_flag(k, "grace-period", -1, &d.grace_s) ||
        !kubectl_duration_flag(k, "timeout", 0, &d.timeout_ns))
        return 1;
    if (*pods && !(d.pods = selector_labels(k->arena, pods, &why)))
        return kubectl_error(k, "%s", why);
    int failed = read_nodes(k, &nodes);
    if (failed >= 0)
        return failed;
    const char *remaining = "";
    for (int i = 0; i < nodes.n; i++)
        if (!cordon(k, &nodes, &nodes.at[i], true, d.dry_run))
            return kubectl_finish(k, &nodes);
    for (int i = 0; i < nodes.n; i++) {
        const struct resource *r = &nodes.at[i];
        why = drain(k, &d, r->name);
        if (!why) {
            kubectl_print_done(k, r->kind, r->name, kubectl_copy(k, r->object->json), d.dry_run,
                               "drained");
            continue;
        }
        call_err(k->call,
                 "error: unable to drain node \"%s\" due to error: %s, continuing command...\n",
                 r->name, why);
        remaining = arena_printf(k->arena, "%s %s\n", remaining, r->name);
        resources_complain(k, &nodes, "%s", why);
    }
    if (*remaining)
        call_err(k->call, "There are pending nodes to be drained:\n%s", remaining);
    return kubectl_finish(k, &nodes);
}

const struct kubectl_command kubectl_node_commands[] = {
    {"cordon", "selector|l=" KUBECTL_DRY_RUN_FLAGS, run_cordon},
    {"uncordon", "selector|l=" KUBECTL_DRY_RUN_FLAGS, run_uncordon},
    {"drain",
     "force ignore-daemonsets delete-emptydir-data delete-local-data disable-eviction "
     "grace-period= timeout= selector|l= pod-selector= chunk-size= "
     "skip-wait-for-delete-timeout=" KUBECTL_DRY_RUN_FLAGS,
     run_drain},
    {NULL, NULL, NULL},
};
