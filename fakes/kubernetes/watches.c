/* Changes as those who watch see them. They are kept only while somebody watches. */
#include <string.h>

#include "fakes/call.h"
#include "fakes/kubernetes/store.h"
#include "sim/base/xalloc.h"

void watches_note(struct cluster *cluster, const struct object *object, enum change_type type)
{
    if (!cluster->n_watchers)
        return;
    XGROW(cluster->changes, cluster->n_changes, cluster->cap_changes);
    cluster->changes[cluster->n_changes++] = (struct change){
        .version = cluster->version,
        .type = type,
        .kind = object->kind,
        .ns = object->ns,
        .name = object->name,
        .json = cJSON_Duplicate(object->json, true),
    };
}

void cluster_watch_begin(struct cluster *cluster)
{
    cluster->n_watchers++;
}

void cluster_watch_end(struct cluster *cluster)
{
    if (--cluster->n_watchers > 0)
        return;
    for (int i = 0; i < cluster->n_changes; i++)
        cJSON_Delete((cJSON *)(uintptr_t)cluster->changes[i].json);
    cluster->n_changes = 0;
}

const struct change *cluster_next_change(struct cluster *cluster, int64_t version,
                                         const struct kind *kind, const char *ns, const char *name)
{
    int first = cluster->n_changes;
    while (first > 0 && cluster->changes[first - 1].version > version)
        first--;
    for (int i = first; i < cluster->n_changes; i++) {
        const struct change *change = &cluster->changes[i];
        if ((!kind || change->kind == kind) && (!ns || strcmp(change->ns, ns) == 0) &&
            (!name || strcmp(change->name, name) == 0))
            return change;
    }
    return NULL;
}

/* ---- waiting ---- */

/* A call that has waited: it sleeps until something changes, not through every grain of its time.
 */
struct waiter {
    struct cluster *cluster;
    struct call *call;
    int64_t from_ns; /* asleep since, if `asleep` */
    bool asleep;
    struct waiter *next;
};

static void leave(void *ctx)
{
    struct waiter *waiter = ctx, **at = &waiter->cluster->waiters;
    while (*at != waiter)
        at = &(*at)->next;
    *at = waiter->next;
}

static struct waiter *waiter_of(struct call *call, struct cluster *cluster)
{
    struct waiter *waiter = cluster->waiters;
    while (waiter && waiter->call != call)
        waiter = waiter->next;
    if (waiter)
        return waiter;
    waiter = ARENA_NEW(call->arena, struct waiter);
    *waiter = (struct waiter){.cluster = cluster, .call = call, .next = cluster->waiters};
    cluster->waiters = waiter;
    call_defer(call, leave, waiter);
    return waiter;
}

void watches_wake(struct cluster *cluster)
{
    int64_t now = cluster_now(cluster);
    for (struct waiter *waiter = cluster->waiters; waiter; waiter = waiter->next) {
        if (!waiter->asleep)
            continue;
        int64_t into = (now - waiter->from_ns) % WATCH_GRAIN_NS;
        waiter->asleep = false;
        call_wake(waiter->call, into ? now + WATCH_GRAIN_NS - into : now);
        world_touch_outside(cluster->env->world);
    }
}

int cluster_await(struct call *call, struct cluster *cluster, int64_t version, int64_t until_ns)
{
    struct waiter *waiter = waiter_of(call, cluster);
    while (cluster->version <= version) {
        waiter->from_ns = call_now(call);
        if (waiter->from_ns >= until_ns)
            return 0;
        waiter->asleep = true;
        bool cut = call_sleep(call, until_ns - waiter->from_ns);
        waiter->asleep = false;
        if (cut)
            return -1;
    }
    return 1;
}
