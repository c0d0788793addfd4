/* Workloads: which services of the world run in which Deployment, StatefulSet or DaemonSet. */
#include <string.h>

#include "fakes/docker.h"
#include "fakes/helm/helm.h"
#include "fakes/kubernetes/api/patch.h"
#include "fakes/kubernetes/setup/setup_state.h"
#include "sim/base/xalloc.h"

static const char *const kind_keys[] = {"deployment", "statefulset", "daemonset", NULL};
static const char *const kinds[] = {"Deployment", "StatefulSet", "DaemonSet"};

/* ---- reading ---- */

/* Whether `runs:` speaks of Kubernetes; the index of its kind, or -1. */
static int kind_of(const struct doc *runs)
{
    for (int i = 0; kind_keys[i]; i++) {
        if (doc_get(runs, kind_keys[i]))
            return i;
    }
    return -1;
}

bool workload_declared(const struct doc *runs)
{
    return kind_of(runs) >= 0;
}

static int load_one(struct setup *setup, struct service *service, struct error *error)
{
    static const char *const keys[] = {"deployment", "statefulset", "daemonset",
                                       "namespace",  "container",   NULL};
    const struct doc *runs = service_runs(service);
    int kind = kind_of(runs);
    if (kind < 0)
        return 0;
    XGROW(setup->workloads, setup->n_workloads, setup->cap_workloads);
    struct workload *workload = &setup->workloads[setup->n_workloads++];
    *workload = (struct workload){.kind = kinds[kind], .ns = setup->ns, .doc = runs};
    workload->service = service;
    if (doc_only(runs, keys, error) ||
        doc_text(doc_get(runs, kind_keys[kind]), &workload->name, error) ||
        doc_text(doc_get(runs, "namespace"), &workload->ns, error) ||
        doc_text(doc_get(runs, "container"), &workload->container, error))
        return ERROR_INPUT;
    for (int i = 0; kind_keys[i]; i++) {
        if (i != kind && doc_get(runs, kind_keys[i]))
            return doc_error(runs, error, "a service runs in one workload: either %s or %s",
                             kind_keys[kind], kind_keys[i]);
    }
    const struct workload *other = workload_of(setup, workload->kind, workload->ns, workload->name);
    if (other != workload && (!other->container || !workload->container ||
                              strcmp(other->container, workload->container) == 0))
        return doc_error(runs, error, "'%s' runs in %s '%s' already; give each its `container:`",
                         service_name(other->service), workload->kind, workload->name);
    return 0;
}

int workloads_load(struct setup *setup, struct error *error)
{
    struct world *world = cluster_env(setup->cluster)->world;
    for (int i = 0; i < world_services(world); i++) {
        if (load_one(setup, world_service_at(world, i), error))
            return ERROR_INPUT;
    }
    return 0;
}

const struct workload *workload_of(const struct setup *setup, const char *kind, const char *ns,
                                   const char *name)
{
    for (int i = 0; i < setup->n_workloads; i++) {
        const struct workload *workload = &setup->workloads[i];
        if (strcmp(workload->kind, kind) == 0 && strcmp(workload->ns, ns) == 0 &&
            strcmp(workload->name, name) == 0)
            return workload;
    }
    return NULL;
}

static cJSON *container_named(const cJSON *containers, const char *name)
{
    if (!name)
        return cJSON_GetArrayItem(containers, 0);
    for (cJSON *item = containers ? containers->child : NULL; item; item = item->next) {
        const char *has = json_text(item, "name");
        if (has && strcmp(has, name) == 0)
            return item;
    }
    return NULL;
}

cJSON *workload_container(const struct workload *workload, const cJSON *object)
{
    return container_named(json_at(object, "spec", "template", "spec", "containers"),
                           workload->container);
}

static const char *names_of_kind(struct setup *setup, struct arena *arena,
                                 const struct workload *workload)
{
    struct buf names;
    buf_init(&names, 400);
    struct object **all =
        cluster_list(setup->cluster, arena, cluster_kind(setup->cluster, workload->kind, "apps/v1"),
                     NULL, NULL, NULL);
    for (int i = 0; all[i]; i++)
        buf_printf(&names, "%s%s/%s", i ? ", " : "; there is ", all[i]->ns, all[i]->name);
    const char *text = arena_str(arena, buf_text(&names));
    buf_release(&names);
    return text;
}

/* The tag that the manifest names, where it is no version of the service, is the version that runs
 * at the start. */
static void take_tag(struct setup *setup, struct workload *workload, const char *image)
{
    struct arena *arena = cluster_arena(setup->cluster);
    const char *tag, *initial = service_initial_version(workload->service);
    if (docker_reference(arena, image, &workload->repository, &tag))
        return;
    workload->plain_numbers = initial[0] == 'v' && strcmp(tag, initial + 1) == 0;
    if (!image_same_version(arena, workload->service, tag))
        workload->initial_tag = tag;
}

void workloads_meet(struct setup *setup, const char *kind, const char *ns, const cJSON *object)
{
    for (int i = 0; i < setup->n_workloads; i++) {
        struct workload *workload = &setup->workloads[i];
        const char *name = json_text(object, "metadata", "name");
        if (strcmp(workload->kind, kind) != 0 || strcmp(workload->ns, ns) != 0 || !name ||
            strcmp(workload->name, name) != 0)
            continue;
        const cJSON *container = workload_container(workload, object);
        const char *image = container ? json_text(container, "image") : NULL;
        if (image)
            take_tag(setup, workload, image);
    }
}

int workloads_check(struct setup *setup, struct error *error)
{
    struct arena scratch = {0};
    int code = 0;
    for (int i = 0; i < setup->n_workloads && !code; i++) {
        struct workload *workload = &setup->workloads[i];
        const struct object *object =
            cluster_find_named(setup->cluster, workload->kind, workload->ns, workload->name);
        if (!object)
            code = doc_error(workload->doc, error,
                             "no %s '%s' in namespace '%s'%s; add its manifest under "
                             "`kubernetes: manifests:`",
                             workload->kind, workload->name, workload->ns,
                             names_of_kind(setup, &scratch, workload));
        else if (!workload_container(workload, object->json))
            code = doc_error(workload->doc, error, "no container '%s' in the pods of %s '%s'",
                             workload->container ? workload->container : "", workload->kind,
                             workload->name);
    }
    arena_release(&scratch);
    return code;
}

/* ---- whose pod is it ---- */

/* The object that `json` belongs to as its controller; NULL: to none. */
static const cJSON *controller_of(const cJSON *json)
{
    const cJSON *owners = json_at(json, "metadata", "ownerReferences");
    for (const cJSON *owner = owners ? owners->child : NULL; owner; owner = owner->next) {
        if (cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(owner, "controller")))
            return owner;
    }
    return NULL;
}

void workload_behind(struct cluster *cluster, const cJSON *pod, const char **ret_kind,
                     const char **ret_name)
{
    const cJSON *owner = controller_of(pod);
    const char *ns = json_text(pod, "metadata", "namespace");
    *ret_kind = owner ? json_text(owner, "kind") : NULL;
    *ret_name = owner ? json_text(owner, "name") : NULL;
    if (!*ret_kind || !*ret_name || strcmp(*ret_kind, "ReplicaSet") != 0)
        return;
    const struct object *set = cluster_find_named(cluster, "ReplicaSet", ns ? ns : "", *ret_name);
    const cJSON *above = set ? controller_of(set->json) : NULL;
    if (above) {
        *ret_kind = json_text(above, "kind");
        *ret_name = json_text(above, "name");
    }
}

static bool same_program(const cJSON *a, const cJSON *b)
{
    static const char *const keys[] = {"command", "args"};
    for (int i = 0; i < 2; i++) {
        const cJSON *x = cJSON_GetObjectItemCaseSensitive(a, keys[i]);
        const cJSON *y = cJSON_GetObjectItemCaseSensitive(b, keys[i]);
        if ((x || y) && (!x || !y || !json_equal(x, y)))
            return false;
    }
    return true;
}

/* The service whose image it is, run as that service's own workload runs it: a canary, a pod of
 * `kubectl run`. */
static struct service *service_of_image(struct setup *setup, const cJSON *container)
{
    struct arena scratch = {0};
    const char *image = json_text(container, "image"), *repository, *tag;
    struct service *found = NULL;
    if (!image || docker_reference(&scratch, image, &repository, &tag))
        image = NULL;
    for (int i = 0; image && !found && i < setup->n_workloads; i++) {
        const struct workload *workload = &setup->workloads[i];
        const struct object *object =
            cluster_find_named(setup->cluster, workload->kind, workload->ns, workload->name);
        if (!workload->repository || strcmp(workload->repository, repository) != 0)
            continue;
        if (!object || same_program(container, workload_container(workload, object->json)))
            found = workload->service;
    }
    arena_release(&scratch);
    return found;
}

struct service *pod_service(struct cluster *cluster, const cJSON *pod, const cJSON *container)
{
    struct setup *setup = setup_of(cluster_env(cluster));
    const char *kind, *name, *ns = json_text(pod, "metadata", "namespace");
    const char *restart = json_text(pod, "spec", "restartPolicy");
    const char *called = json_text(container, "name");
    workload_behind(cluster, pod, &kind, &name);
    bool owned = false;
    for (int i = 0; kind && name && i < setup->n_workloads; i++) {
        const struct workload *workload = &setup->workloads[i];
        if (strcmp(workload->kind, kind) != 0 || strcmp(workload->ns, ns ? ns : "") != 0 ||
            strcmp(workload->name, name) != 0)
            continue;
        owned = true;
        const cJSON *its = container_named(json_at(pod, "spec", "containers"), workload->container);
        const char *its_name = its ? json_text(its, "name") : NULL;
        if (its_name && called && strcmp(its_name, called) == 0)
            return workload->service;
    }
    if (owned || (kind && strcmp(kind, "Job") == 0) || (restart && strcmp(restart, "Always") != 0))
        return NULL;
    return service_of_image(setup, container);
}

/* ---- the change of the scenario ---- */

bool workloads_deploy(struct world *world, struct service *service, const char *version, void *ctx)
{
    struct setup *setup = ctx;
    struct arena *arena = cluster_arena(setup->cluster);
    bool done = false;
    for (int i = 0; i < setup->n_workloads; i++) {
        const struct workload *workload = &setup->workloads[i];
        struct object *object =
            cluster_find_named(setup->cluster, workload->kind, workload->ns, workload->name);
        struct api_error refused = {0};
        if (workload->service != service || !object)
            continue;
        const char *image = image_reference(setup->cluster, workload->repository, service, version);
        done = true;
        if (helm_deploy(setup->cluster, object, workload->container, image))
            continue;
        cJSON *next = cJSON_Duplicate(object->json, true);
        cJSON *container = workload_container(workload, next);
        if (container)
            json_set_text(container, "image", image);
        if (!cluster_update(setup->cluster, object, next, false, NULL, &refused))
            record_observe(
                world_record(world), "not_simulated", workload->name, "%s is not deployed: %s",
                arena_printf(arena, "%s %s", service_name(service), version), refused.message);
        done = true;
    }
    if (done && cluster_before_run(setup->cluster))
        controllers_settle(setup->cluster);
    return done;
}
