#include "fakes/kubernetes/controllers/revisions.h"

#include <string.h>

#include "fakes/kubernetes/api/patch.h"

#define HASH_LABEL "controller.kubernetes.io/hash"

const cJSON *revision_template(const struct object *revision)
{
    return json_at(revision->json, "data", "spec", "template");
}

const char *revision_of_pod(const struct object *pod)
{
    const char *name = json_text(pod->json, "metadata", "labels", REVISION_LABEL);
    return name ? name : "";
}

struct object *revision_named(struct controllers *controllers, const struct object *set,
                              const char *name)
{
    return name ? cluster_find_named(controllers->cluster, "ControllerRevision", set->ns, name)
                : NULL;
}

static int64_t number_of(const struct object *revision)
{
    return json_int(revision->json, "revision", 0);
}

/* Those of a set, the lowest number first. */
static struct object **all_of(struct controllers *controllers, struct arena *arena,
                              const struct object *set, int *ret_n)
{
    struct object **all = objects_of(controllers, arena, "ControllerRevision", set->ns);
    int n = 0;
    for (int i = 0; all[i]; i++) {
        struct object *one = all[i];
        if (!is_controlled_by(one, set))
            continue;
        int k = n++;
        for (; k > 0 && number_of(one) < number_of(all[k - 1]); k--)
            all[k] = all[k - 1];
        all[k] = one;
    }
    *ret_n = n;
    return all;
}

static cJSON *data_of(const struct object *set)
{
    cJSON *data = cJSON_CreateObject();
    cJSON *template = cJSON_Duplicate(json_at(set->json, "spec", "template"), true);
    json_set_text(template, "$patch", "replace");
    json_set(json_child(data, "spec"), "template", template);
    return data;
}

static struct object *make(struct controllers *controllers, struct arena *arena, struct object *set,
                           cJSON *data, int64_t number)
{
    cJSON *json = cJSON_CreateObject(), *metadata = json_child(json, "metadata");
    const char *hash = json_hash(arena, data);
    const cJSON *labels = json_at(set->json, "spec", "selector", "matchLabels");
    const cJSON *notes = json_at(set->json, "metadata", "annotations");
    json_set_text(metadata, "name", arena_printf(arena, "%s-%s", set->name, hash));
    json_set(metadata, "labels", labels ? cJSON_Duplicate(labels, true) : cJSON_CreateObject());
    json_set_text(json_child(metadata, "labels"), HASH_LABEL, hash);
    if (notes)
        json_set(metadata, "annotations", cJSON_Duplicate(notes, true));
    set_controller(json, arena, set);
    json_set(json, "data", data);
    json_set_int(json, "revision", number);
    struct api_error error = {0};
    struct cluster *cluster = controllers->cluster;
    return cluster_create(cluster, cluster_kind(cluster, "ControllerRevision", "apps/v1"), set->ns,
                          json, false, &error);
}

struct object *revision_now(struct controllers *controllers, struct arena *arena,
                            struct object *set)
{
    int n;
    struct object **all = all_of(controllers, arena, set, &n);
    cJSON *data = data_of(set);
    int64_t last = n ? number_of(all[n - 1]) : 0;
    for (int i = n - 1; i >= 0; i--) {
        if (!json_equal(data, json_at(all[i]->json, "data")))
            continue;
        if (number_of(all[i]) < last) {
            json_set_int(all[i]->json, "revision", last + 1);
            cluster_touched(controllers->cluster, all[i], false);
        }
        cJSON_Delete(data);
        return all[i];
    }
    return make(controllers, arena, set, data, last + 1);
}

static bool is_used(const struct object *revision, struct object *const *pods,
                    const char *const *used)
{
    for (; *used; used++) {
        if (strcmp(*used, revision->name) == 0)
            return true;
    }
    const char *hash = json_text(revision->json, "metadata", "labels", HASH_LABEL);
    for (; *pods; pods++) {
        const char *its = revision_of_pod(*pods);
        if (strcmp(its, revision->name) == 0 || (hash && strcmp(its, hash) == 0))
            return true;
    }
    return false;
}

void revisions_clean_up(struct controllers *controllers, struct arena *arena, struct object *set,
                        struct object *const *pods, const char *const *used)
{
    int n, idle = 0;
    int64_t limit = json_int(spec_of(set), "revisionHistoryLimit", 10);
    struct object **all = all_of(controllers, arena, set, &n);
    for (int i = 0; i < n; i++)
        idle += !is_used(all[i], pods, used);
    for (int i = 0; i < n && idle > limit; i++) {
        if (is_used(all[i], pods, used))
            continue;
        cluster_delete(controllers->cluster, all[i], 0, false);
        idle--;
    }
}
