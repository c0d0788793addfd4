/* StatefulSets: pods with names of their own, one after the other.
 *
 * Follows k8s.io/kubernetes pkg/controller/statefulset/stateful_set_control.go.
 */
#include <string.h>

#include "fakes/kubernetes/controllers/revisions.h"

#define SOURCE "statefulset-controller"

struct set {
    struct controllers *controllers;
    struct arena *arena;
    struct object *object;
    struct object **pods;    /* all it controls, NULL-terminated */
    struct object **ordered; /* by ordinal, NULL: none */
    int want, first;         /* replicas, spec.ordinals.start */
    int partition;
    bool in_order, rolls;
    const char *current, *update; /* names of revisions */
    int current_replicas;
};

static int ordinal_of(const struct set *set, const struct object *pod)
{
    size_t n = strlen(set->object->name);
    if (strncmp(pod->name, set->object->name, n) != 0 || pod->name[n] != '-')
        return -1;
    return leading_int(pod->name + n + 1);
}

static bool is_running_and_ready(const struct object *pod)
{
    return strcmp(pod_phase(pod), "Running") == 0 && pod_is_ready(pod);
}

static bool is_healthy(const struct object *pod)
{
    return is_running_and_ready(pod) && !is_being_deleted(pod);
}

/* ---- making ---- */

/* Whether a pod that is made now gets the old revision. */
static bool wants_current(const struct set *set, int ordinal)
{
    if (!set->rolls)
        return true;
    return set->partition > 0 ? ordinal < set->partition
                              : ordinal < set->first + set->current_replicas;
}

static void make_claims(const struct set *set, cJSON *pod, int ordinal)
{
    struct cluster *cluster = set->controllers->cluster;
    const cJSON *templates = json_at(set->object->json, "spec", "volumeClaimTemplates");
    cJSON *spec = json_child(pod, "spec");
    for (const cJSON *one = templates ? templates->child : NULL; one; one = one->next) {
        const char *of = json_text(one, "metadata", "name");
        const char *name =
            arena_printf(set->arena, "%s-%s-%d", of ? of : "", set->object->name, ordinal);
        cJSON *volumes = cJSON_GetObjectItemCaseSensitive(spec, "volumes");
        cJSON *volume = cJSON_CreateObject();
        json_set_text(json_child(volume, "persistentVolumeClaim"), "claimName", name);
        json_set_text(volume, "name", of ? of : "");
        if (!volumes)
            volumes = cJSON_AddArrayToObject(spec, "volumes");
        cJSON_AddItemToArray(volumes, volume);
        if (cluster_find_named(cluster, "PersistentVolumeClaim", set->object->ns, name))
            continue;
        cJSON *claim = cJSON_Duplicate(one, true), *metadata = json_child(claim, "metadata");
        const cJSON *labels = json_at(set->object->json, "spec", "selector", "matchLabels");
        cJSON_DeleteItemFromObjectCaseSensitive(claim, "status");
        json_set_text(metadata, "name", name);
        cJSON *its_labels = json_child(metadata, "labels");
        for (const cJSON *label = labels ? labels->child : NULL; label; label = label->next)
            json_set_text(its_labels, label->string, label->valuestring);
        if (make_for(set->controllers, set->object, "persistentvolumeclaims", SOURCE, claim))
            tell(set->controllers, set->object, "Normal", "SuccessfulCreate", SOURCE,
                 "create Claim %s Pod %s-%d in StatefulSet %s success", name, set->object->name,
                 ordinal, set->object->name);
    }
}

static void make_pod(const struct set *set, int ordinal)
{
    const char *revision = wants_current(set, ordinal) ? set->current : set->update;
    const struct object *kept = revision_named(set->controllers, set->object, revision);
    const cJSON *template =
        kept ? revision_template(kept) : json_at(set->object->json, "spec", "template");
    cJSON *pod = pod_from_template(set->arena, template, set->object);
    const char *name = arena_printf(set->arena, "%s-%d", set->object->name, ordinal);
    const char *service = json_text(set->object->json, "spec", "serviceName");
    cJSON *metadata = json_child(pod, "metadata"), *labels = json_child(metadata, "labels");
    json_set_text(metadata, "generateName", arena_printf(set->arena, "%s-", set->object->name));
    json_set_text(metadata, "name", name);
    json_set_text(labels, "apps.kubernetes.io/pod-index", arena_printf(set->arena, "%d", ordinal));
    json_set_text(labels, REVISION_LABEL, revision);
    json_set_text(labels, "statefulset.kubernetes.io/pod-name", name);
    json_set_text(json_child(pod, "spec"), "hostname", name);
    if (service && *service)
        json_set_text(json_child(pod, "spec"), "subdomain", service);
    make_claims(set, pod, ordinal);
    if (make_for(set->controllers, set->object, "pods", SOURCE, pod))
        tell(set->controllers, set->object, "Normal", "SuccessfulCreate", SOURCE,
             "create Pod %s in StatefulSet %s successful", name, set->object->name);
}

static void delete_pod(const struct set *set, struct object *pod)
{
    tell(set->controllers, set->object, "Normal", "SuccessfulDelete", SOURCE,
         "delete Pod %s in StatefulSet %s successful", pod->name, set->object->name);
    cluster_delete(set->controllers->cluster, pod, -1, false);
}

/* ---- one look ---- */

/* False: it waits for something, and does nothing else until then. */
static bool fill(struct set *set)
{
    for (int i = 0; i < set->want; i++) {
        struct object *pod = set->ordered[i];
        const char *phase = pod ? pod_phase(pod) : "";
        bool ended = strcmp(phase, "Failed") == 0 || strcmp(phase, "Succeeded") == 0;
        if (pod && ended && !is_being_deleted(pod)) {
            delete_pod(set, pod);
            if (set->in_order)
                return false;
            continue;
        }
        if (!pod) {
            make_pod(set, set->first + i);
            if (set->in_order)
                return false;
            continue;
        }
        if (set->in_order && (is_being_deleted(pod) || !is_running_and_ready(pod)))
            return false;
    }
    return true;
}

/* The first, from below, that is not well. */
static const struct object *first_unhealthy(const struct set *set)
{
    const struct object *first = NULL;
    for (int i = 0; set->pods[i]; i++) {
        const struct object *pod = set->pods[i];
        if (!is_healthy(pod) && (!first || ordinal_of(set, pod) < ordinal_of(set, first)))
            first = pod;
    }
    return first;
}

/* Pods above the wanted number, the highest first. */
static bool shrink(struct set *set)
{
    for (;;) {
        struct object *highest = NULL;
        bool waits = false;
        for (int i = 0; set->pods[i]; i++) {
            struct object *pod = set->pods[i];
            if (pod->gone || ordinal_of(set, pod) < set->first + set->want)
                continue;
            waits = waits || is_being_deleted(pod);
            if (!is_being_deleted(pod) &&
                (!highest || ordinal_of(set, pod) > ordinal_of(set, highest)))
                highest = pod;
        }
        if (!highest)
            return !waits || !set->in_order;
        if (set->in_order && waits)
            return false;
        if (set->in_order && !is_running_and_ready(highest) && highest != first_unhealthy(set))
            return false;
        delete_pod(set, highest);
        if (set->in_order)
            return false;
    }
}

/* One after the other from above, each when the one before is well again. */
static void update(struct set *set)
{
    if (!set->rolls)
        return;
    for (int i = set->want - 1; i >= 0 && set->first + i >= set->partition; i--) {
        struct object *pod = set->ordered[i];
        if (!pod)
            return;
        if (strcmp(revision_of_pod(pod), set->update) != 0 && !is_being_deleted(pod)) {
            delete_pod(set, pod);
            return;
        }
        if (!is_healthy(pod))
            return;
    }
}

static void report(struct set *set)
{
    struct controllers *controllers = set->controllers;
    cJSON *status = cJSON_CreateObject();
    int64_t min_ready_s = json_int(spec_of(set->object), "minReadySeconds", 0);
    int64_t next_ns = INT64_MAX, in_ns;
    int n = 0, ready = 0, available = 0, current = 0, updated = 0;
    for (int i = 0; set->pods[i]; i++) {
        const struct object *pod = set->pods[i];
        bool live = !is_being_deleted(pod);
        n += !pod->gone;
        ready += is_running_and_ready(pod) && !pod->gone;
        available += pod_is_available(controllers, pod, min_ready_s, &in_ns) && !pod->gone;
        next_ns = in_ns < next_ns ? in_ns : next_ns;
        current += live && strcmp(revision_of_pod(pod), set->current) == 0;
        updated += live && strcmp(revision_of_pod(pod), set->update) == 0;
    }
    if (set->rolls && updated == set->want && n == set->want && ready == set->want) {
        current = updated;
        set->current = set->update;
    }
    json_set_int(status, "availableReplicas", available);
    json_set_int(status, "collisionCount", 0);
    if (current)
        json_set_int(status, "currentReplicas", current);
    json_set_text(status, "currentRevision", set->current);
    json_set_int(status, "observedGeneration",
                 json_int(json_at(set->object->json, "metadata"), "generation", 1));
    if (ready)
        json_set_int(status, "readyReplicas", ready);
    json_set_int(status, "replicas", n);
    json_set_text(status, "updateRevision", set->update);
    if (updated)
        json_set_int(status, "updatedReplicas", updated);
    set_status(controllers, set->object, status);
    if (next_ns != INT64_MAX)
        controllers_later(controllers, stateful_set_sync, set->object, next_ns);
}

static bool load(struct set *set)
{
    struct object *object = set->object;
    const cJSON *spec = json_at(object->json, "spec");
    const char *policy = json_text(spec, "podManagementPolicy");
    const char *type = json_text(spec, "updateStrategy", "type");
    const cJSON *status = json_at(object->json, "status");
    struct object *now = revision_now(set->controllers, set->arena, object);
    const char *current = json_text(status, "currentRevision");
    set->want = pods_wanted(set->controllers, set->object, "replicas", 1);
    set->first = (int)json_int(json_at(spec, "ordinals"), "start", 0);
    set->partition =
        (int)json_int(json_at(spec, "updateStrategy", "rollingUpdate"), "partition", 0);
    set->in_order = !policy || strcmp(policy, "Parallel") != 0;
    set->rolls = !type || strcmp(type, "OnDelete") != 0;
    set->current_replicas = (int)json_int(status, "currentReplicas", 0);
    if (!now)
        return false;
    set->update = now->name;
    current = revision_named(set->controllers, object, current) ? current : now->name;
    set->current = arena_strdup(set->arena, current);
    set->pods = dependents_of(set->controllers, set->arena, "Pod", object);
    set->ordered = ARENA_ARRAY(set->arena, struct object *, set->want + 1);
    for (int i = 0; set->pods[i]; i++) {
        int ordinal = ordinal_of(set, set->pods[i]) - set->first;
        if (ordinal >= 0 && ordinal < set->want)
            set->ordered[ordinal] = set->pods[i];
    }
    return true;
}

void stateful_set_sync(struct controllers *controllers, struct object *object)
{
    struct arena scratch = {0};
    struct set set = {.controllers = controllers, .arena = &scratch, .object = object};
    if (object->gone)
        return;
    if (load(&set)) {
        if (!is_being_deleted(object) && fill(&set) && shrink(&set))
            update(&set);
        report(&set);
        const char *const used[] = {set.current, set.update, NULL};
        revisions_clean_up(controllers, &scratch, object, set.pods, used);
    }
    arena_release(&scratch);
}
