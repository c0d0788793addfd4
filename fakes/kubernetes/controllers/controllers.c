/* Who acts on what: the queue, and the collector of what has lost its owner. */
#include "fakes/kubernetes/controllers/controllers.h"

#include <stdlib.h>
#include <string.h>

#include "fakes/kubernetes/kubelet/kubelet.h"
#include "sim/base/xalloc.h"

enum { SETTLE_MAX = 200000 }; /* a cluster that does not come to rest by then is a bug of ours */

struct controllers *controllers_of(struct cluster *cluster)
{
    return *env_slot(cluster_env(cluster), "kubernetes controllers");
}

bool controllers_before_run(const struct controllers *controllers)
{
    return cluster_before_run(controllers->cluster);
}

int64_t controllers_now(const struct controllers *controllers)
{
    return cluster_now(controllers->cluster);
}

/* ---- the queue ---- */

struct work {
    struct controllers *controllers;
    sync_fn *sync;
    struct object *object;
    int64_t due_ns;
    uint64_t event; /* 0: before the run, waits for controllers_settle */
};

static void take_out(struct controllers *controllers, const struct work *work)
{
    int i = 0;
    while (controllers->work[i] != work)
        i++;
    memmove(&controllers->work[i], &controllers->work[i + 1],
            (size_t)(--controllers->n_work - i) * sizeof(struct work *));
}

static void run_work(struct work *work)
{
    struct work now = *work;
    take_out(work->controllers, work);
    free(work);
    int before = cluster_act_for(now.controllers->cluster, now.object);
    now.sync(now.controllers, now.object);
    cluster_act_done(now.controllers->cluster, before);
}

static void work_due(struct world *world, void *ctx)
{
    (void)world;
    run_work(ctx);
}

void controllers_later(struct controllers *controllers, sync_fn *sync, struct object *object,
                       int64_t delay_ns)
{
    struct world *world = controllers->env->world;
    int64_t due_ns = controllers_now(controllers) + delay_ns;
    for (int i = 0; i < controllers->n_work; i++) {
        struct work *same = controllers->work[i];
        if (same->object != object || same->sync != sync)
            continue;
        if (same->due_ns <= due_ns)
            return;
        if (same->event)
            world_cancel(world, same->event);
        take_out(controllers, same);
        free(same);
        break;
    }
    struct work *work = xcalloc(1, sizeof *work);
    *work = (struct work){controllers, sync, object, due_ns, 0};
    if (!controllers_before_run(controllers) || delay_ns > SOON_NS)
        work->event = world_at(world, due_ns, work_due, work);
    XGROW(controllers->work, controllers->n_work, controllers->cap_work);
    controllers->work[controllers->n_work++] = work;
}

static struct work *waiting(const struct controllers *controllers)
{
    for (int i = 0; i < controllers->n_work; i++) {
        if (!controllers->work[i]->event)
            return controllers->work[i];
    }
    return NULL;
}

void controllers_settle(struct cluster *cluster)
{
    struct controllers *controllers = controllers_of(cluster);
    struct work *work;
    for (int i = 0; i < SETTLE_MAX && (work = waiting(controllers)); i++)
        run_work(work);
    routes_learn(controllers);
}

void controllers_setup(struct cluster *cluster)
{
    struct controllers *controllers = xcalloc(1, sizeof *controllers);
    controllers->cluster = cluster;
    controllers->env = cluster_env(cluster);
    *env_slot(controllers->env, "kubernetes controllers") = controllers;
    kubelet_setup(controllers);
}

void controllers_release(struct cluster *cluster)
{
    struct controllers *controllers = controllers_of(cluster);
    if (!controllers)
        return;
    kubelet_release(controllers);
    routes_forget(controllers);
    for (int i = 0; i < controllers->n_work; i++) {
        if (controllers->work[i]->event)
            world_cancel(controllers->env->world, controllers->work[i]->event);
        free(controllers->work[i]);
    }
    free(controllers->work);
    *env_slot(controllers->env, "kubernetes controllers") = NULL;
    free(controllers);
}

/* ---- whom a change concerns ---- */

static sync_fn *controller_for(const struct object *object)
{
    static const struct {
        const char *kind;
        sync_fn *sync;
    } controllers[] = {
        {"Deployment", deployment_sync},
        {"ReplicaSet", replica_set_sync},
        {"StatefulSet", stateful_set_sync},
        {"DaemonSet", daemon_set_sync},
        {"Job", job_sync},
        {"CronJob", cron_job_sync},
        {"Service", service_sync},
        {"Pod", pod_sync},
        {"PersistentVolumeClaim", claim_sync},
        {"HorizontalPodAutoscaler", autoscaler_sync},
        {"PodDisruptionBudget", budget_sync},
    };
    for (size_t i = 0; i < sizeof controllers / sizeof *controllers; i++) {
        if (is_kind(object, controllers[i].kind))
            return controllers[i].sync;
    }
    return NULL;
}

static void soon(struct controllers *controllers, struct object *object)
{
    sync_fn *sync = object ? controller_for(object) : NULL;
    if (sync)
        controllers_later(controllers, sync, object, SOON_NS);
}

static void all_soon(struct controllers *controllers, const char *kind, const char *ns)
{
    struct arena scratch = {0};
    for (struct object **one = objects_of(controllers, &scratch, kind, ns); *one; one++)
        soon(controllers, *one);
    arena_release(&scratch);
}

/* Who may adopt it. */
static void orphan_appeared(struct controllers *controllers, const struct object *object)
{
    if (is_kind(object, "ReplicaSet")) {
        all_soon(controllers, "Deployment", object->ns);
        return;
    }
    static const char *const kinds[] = {"ReplicaSet", "StatefulSet", "DaemonSet", "Job"};
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        all_soon(controllers, kinds[i], object->ns);
}

/* What waits for room, a claim, a node: pods without one. */
static void reschedule(struct controllers *controllers)
{
    struct arena scratch = {0};
    for (struct object **pod = objects_of(controllers, &scratch, "Pod", NULL); *pod; pod++) {
        if (!json_text(spec_of(*pod), "nodeName"))
            soon(controllers, *pod);
    }
    arena_release(&scratch);
}

/* ---- what has lost its owner, or its namespace ---- */

static void collect(struct controllers *controllers, const struct object *owner)
{
    struct arena scratch = {0};
    struct cluster *cluster = controllers->cluster;
    const char *uid = uid_of(owner);
    for (int k = 0; k < cluster_kinds(cluster); k++) {
        struct object **all =
            cluster_list(cluster, &scratch, cluster_kind_at(cluster, k), NULL, NULL, NULL);
        for (; *all; all++) {
            const cJSON *owners = json_at((*all)->json, "metadata", "ownerReferences");
            const char *first = json_text(owners ? owners->child : NULL, "uid");
            if (cJSON_GetArraySize(owners) == 1 && first && strcmp(first, uid) == 0)
                cluster_delete(cluster, *all, -1, false);
        }
    }
    arena_release(&scratch);
}

static void owner_gone(struct controllers *controllers, struct object *owner)
{
    collect(controllers, owner);
}

static void namespace_ends(struct controllers *controllers, struct object *space)
{
    struct arena scratch = {0};
    struct cluster *cluster = controllers->cluster;
    bool empty = true;
    for (int k = 0; k < cluster_kinds(cluster) && !space->gone; k++) {
        const struct kind *kind = cluster_kind_at(cluster, k);
        if (!kind->namespaced)
            continue;
        struct object **all = cluster_list(cluster, &scratch, kind, space->name, NULL, NULL);
        for (; *all; all++) {
            if (!is_being_deleted(*all))
                cluster_delete(cluster, *all, -1, false);
            empty = empty && (*all)->gone;
        }
    }
    arena_release(&scratch);
    if (space->gone)
        return;
    if (empty)
        cluster_remove(cluster, space);
    else
        controllers_later(controllers, namespace_ends, space, SECOND);
}

/* Kinds that somebody acts on in reality and nobody here. */
static void say_if_unattended(struct controllers *controllers, const struct object *object)
{
    static const char *const kinds[] = {"ReplicationController", "NetworkPolicy", "ResourceQuota"};
    bool unattended = object->kind->custom;
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        unattended = unattended || is_kind(object, kinds[i]);
    if (!unattended || controllers_before_run(controllers))
        return;
    struct arena scratch = {0};
    record_observe(controllers->env->record, "not_simulated",
                   arena_printf(&scratch, "%s/%s", object->kind->singular, object->name),
                   "the %s '%s' is kept in the cluster, and nothing acts on it", object->kind->name,
                   object->name);
    arena_release(&scratch);
}

void controllers_notice(struct cluster *cluster, const struct object *about, enum change_type type)
{
    struct controllers *controllers = controllers_of(cluster);
    if (!controllers || is_kind(about, "Event"))
        return;
    struct object *object = (struct object *)(uintptr_t)about; /* the same, to act on */
    soon(controllers, object);
    say_if_unattended(controllers, object);
    if (type == CHANGE_DELETED)
        controllers_later(controllers, owner_gone, object, SOON_NS);
    if (is_kind(object, "Pod") || is_kind(object, "ReplicaSet") || is_kind(object, "Job")) {
        struct object *owner = controller_of(controllers, object);
        if (owner)
            soon(controllers, owner);
        else if (type != CHANGE_DELETED && !is_controlled(object))
            orphan_appeared(controllers, object);
    }
    if (is_kind(object, "Pod")) {
        all_soon(controllers, "Service", object->ns);
        all_soon(controllers, "PodDisruptionBudget", object->ns);
        all_soon(controllers, "PersistentVolumeClaim", object->ns);
        if (type == CHANGE_DELETED)
            reschedule(controllers);
    }
    if (is_kind(object, "Ingress"))
        controllers_later(controllers, ingress_sync, object, SOON_NS);
    if (is_kind(object, "Node") || is_kind(object, "PersistentVolumeClaim"))
        reschedule(controllers);
    if (is_kind(object, "Node"))
        all_soon(controllers, "DaemonSet", NULL);
    if (is_kind(object, "StorageClass") || is_kind(object, "PersistentVolume"))
        all_soon(controllers, "PersistentVolumeClaim", NULL);
    if (is_kind(object, "ConfigMap") || is_kind(object, "Secret"))
        kubelet_config_changed(controllers, object);
    if (is_kind(object, "Namespace") && type != CHANGE_DELETED && is_being_deleted(object))
        controllers_later(controllers, namespace_ends, object, SOON_NS);
}
