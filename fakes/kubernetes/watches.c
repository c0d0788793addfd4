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

int cluster_await(struct call *call, struct cluster *cluster, int64_t version, int64_t until_ns)
{
    while (cluster->version <= version) {
        int64_t left = until_ns - call_now(call);
        if (left <= 0)
            return 0;
        if (call_sleep(call, left < WATCH_GRAIN_NS ? left : WATCH_GRAIN_NS))
            return -1;
    }
    return 1;
}
