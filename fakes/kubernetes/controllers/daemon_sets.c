/* DaemonSets: one pod on each node that takes it.
 *
 * Follows k8s.io/kubernetes pkg/controller/daemon: daemon_controller.go, update.go.
 */
#include <inttypes.h>
#include <string.h>

#include "fakes/kubernetes/controllers/revisions.h"

#define SOURCE "daemonset-controller"

struct daemons {
    struct controllers *controllers;
    struct arena *arena;
    struct object *object;
    struct object **nodes, **pods;
    const char *revision;
};

/* What every daemon bears: a node that is cordoned, not ready, out of something. */
static void add_tolerations(cJSON *spec)
{
    static const char *const keys[] = {"not-ready",       "unreachable",  "disk-pressure",
                                       "memory-pressure", "pid-pressure", "unschedulable"};
    struct arena scratch = {0};
    cJSON *list = cJSON_GetObjectItemCaseSensitive(spec, "tolerations");
    if (!list)
        list = cJSON_AddArrayToObject(spec, "tolerations");
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
        cJSON *one = cJSON_CreateObject();
        json_set_text(one, "effect", i < 2 ? "NoExecute" : "NoSchedule");
        json_set_text(one, "key", arena_printf(&scratch, "node.kubernetes.io/%s", keys[i]));
        json_set_text(one, "operator", "Exists");
        cJSON_AddItemToArray(list, one);
    }
    arena_release(&scratch);
}

static cJSON *new_pod(const struct daemons *daemons)
{
    const cJSON *template = json_at(daemons->object->json, "spec", "template");
    cJSON *pod = pod_from_template(daemons->arena, template, daemons->object);
    add_tolerations(json_child(pod, "spec"));
    return pod;
}

static bool takes(const struct daemons *daemons, const struct object *node)
{
    cJSON *json = new_pod(daemons);
    const struct object pod = {.json = json, .ns = daemons->object->ns, .name = ""};
    const cJSON *taints = json_at(node->json, "spec", "taints");
    const cJSON *selector = json_at(json, "spec", "nodeSelector");
    bool fits = true;
    for (const cJSON *one = taints ? taints->child : NULL; one; one = one->next) {
        const char *effect = json_text(one, "effect");
        bool keeps_off = effect && strcmp(effect, "PreferNoSchedule") != 0;
        fits = fits && (!keeps_off || tolerates(&pod, one));
    }
    for (const cJSON *one = selector ? selector->child : NULL; one; one = one->next) {
        const char *has = json_text(node->json, "metadata", "labels", one->string);
        fits = fits && has && cJSON_IsString(one) && strcmp(has, one->valuestring) == 0;
    }
    cJSON_Delete(json);
    return fits;
}

static struct object *pod_on(const struct daemons *daemons, const struct object *node)
{
    struct object *found = NULL;
    for (int i = 0; daemons->pods[i]; i++) {
        const char *its = json_text(daemons->pods[i]->json, "spec", "nodeName");
        if (its && strcmp(its, node->name) == 0 && (!found || !is_being_deleted(daemons->pods[i])))
            found = daemons->pods[i];
    }
    return found;
}

static void make_pod(const struct daemons *daemons, const struct object *node)
{
    struct object *object = daemons->object;
    cJSON *pod = new_pod(daemons), *metadata = json_child(pod, "metadata");
    cJSON *labels = json_child(metadata, "labels");
    const char *name =
        arena_printf(daemons->arena, "%s-%s", object->name,
                     new_name_suffix(daemons->controllers, daemons->arena, object->name));
    int64_t generation = json_int(json_at(object->json, "metadata"), "generation", 1);
    json_set_text(metadata, "generateName", arena_printf(daemons->arena, "%s-", object->name));
    json_set_text(metadata, "name", name);
    json_set_text(labels, REVISION_LABEL, daemons->revision + strlen(object->name) + 1);
    json_set_text(labels, "pod-template-generation",
                  arena_printf(daemons->arena, "%" PRId64, generation));
    json_set_text(json_child(pod, "spec"), "nodeName", node->name);
    if (make_for(daemons->controllers, object, "pods", SOURCE, pod))
        tell(daemons->controllers, object, "Normal", "SuccessfulCreate", SOURCE, "Created pod: %s",
             name);
}

static bool is_new(const struct daemons *daemons, const struct object *pod)
{
    const char *hash = daemons->revision + strlen(daemons->object->name) + 1;
    return strcmp(revision_of_pod(pod), hash) == 0;
}

static void delete_pod(const struct daemons *daemons, struct object *pod)
{
    tell(daemons->controllers, daemons->object, "Normal", "SuccessfulDelete", SOURCE,
         "Deleted pod: %s", pod->name);
    cluster_delete(daemons->controllers->cluster, pod, -1, false);
}

/* Old pods that do not work go at once; others as long as not too many are missing. */
static void update(const struct daemons *daemons, int wanted)
{
    const cJSON *strategy = json_at(daemons->object->json, "spec", "updateStrategy");
    const char *type = json_text(strategy, "type");
    const cJSON *most = json_at(strategy, "rollingUpdate", "maxUnavailable");
    int missing = 0, may_miss = most ? int_or_percent(most, wanted, true) : 1;
    if (type && strcmp(type, "OnDelete") == 0)
        return;
    may_miss = may_miss < 1 ? 1 : may_miss;
    for (int i = 0; daemons->nodes[i]; i++) {
        struct object *pod = pod_on(daemons, daemons->nodes[i]);
        if (!pod || is_being_deleted(pod) || !pod_is_ready(pod))
            missing++;
        if (pod && !is_being_deleted(pod) && !pod_is_ready(pod) && !is_new(daemons, pod))
            delete_pod(daemons, pod);
    }
    for (int i = 0; daemons->nodes[i] && missing < may_miss; i++) {
        struct object *pod = pod_on(daemons, daemons->nodes[i]);
        if (pod && !is_being_deleted(pod) && !is_new(daemons, pod)) {
            delete_pod(daemons, pod);
            missing++;
        }
    }
}

static void report(const struct daemons *daemons, int wanted)
{
    cJSON *status = cJSON_CreateObject();
    int scheduled = 0, ready = 0, updated = 0, elsewhere = 0;
    for (int i = 0; daemons->nodes[i]; i++) {
        const struct object *pod = pod_on(daemons, daemons->nodes[i]);
        if (!pod || is_being_deleted(pod))
            continue;
        scheduled++;
        ready += pod_is_ready(pod);
        updated += is_new(daemons, pod);
    }
    json_set_int(status, "currentNumberScheduled", scheduled);
    json_set_int(status, "desiredNumberScheduled", wanted);
    if (ready)
        json_set_int(status, "numberAvailable", ready);
    json_set_int(status, "numberMisscheduled", elsewhere);
    json_set_int(status, "numberReady", ready);
    if (wanted > ready)
        json_set_int(status, "numberUnavailable", wanted - ready);
    json_set_int(status, "observedGeneration",
                 json_int(json_at(daemons->object->json, "metadata"), "generation", 1));
    if (updated)
        json_set_int(status, "updatedNumberScheduled", updated);
    set_status(daemons->controllers, daemons->object, status);
}

void daemon_set_sync(struct controllers *controllers, struct object *object)
{
    struct arena scratch = {0};
    struct daemons daemons = {.controllers = controllers, .arena = &scratch, .object = object};
    int wanted = 0;
    if (object->gone)
        return;
    const struct object *revision = revision_now(controllers, &scratch, object);
    daemons.revision = revision ? revision->name : object->name;
    daemons.nodes = objects_of(controllers, &scratch, "Node", NULL);
    daemons.pods = dependents_of(controllers, &scratch, "Pod", object);
    for (int i = 0; daemons.nodes[i]; i++) {
        struct object *pod = pod_on(&daemons, daemons.nodes[i]);
        bool takes_it = takes(&daemons, daemons.nodes[i]);
        const char *phase = pod ? pod_phase(pod) : "";
        if (takes_it)
            daemons.nodes[wanted++] = daemons.nodes[i];
        if (is_being_deleted(object))
            continue;
        if (takes_it && !pod)
            make_pod(&daemons, daemons.nodes[i]);
        else if (pod && !is_being_deleted(pod) && (!takes_it || strcmp(phase, "Failed") == 0))
            delete_pod(&daemons, pod);
    }
    daemons.nodes[wanted] = NULL;
    if (!is_being_deleted(object))
        update(&daemons, wanted);
    report(&daemons, wanted);
    const char *const used[] = {daemons.revision, NULL};
    revisions_clean_up(controllers, &scratch, object, daemons.pods, used);
    arena_release(&scratch);
}
