/* What Helm does to the cluster: from one manifest to the next by three-way patches. Source: helm
 * pkg/kube/client.go (Update), pkg/action/validate.go, pkg/releaseutil/kind_sorter.go. */
#include <stdlib.h>
#include <string.h>

#include "fakes/helm/helm.h"
#include "fakes/kubernetes/api/patch.h"
#include "fakes/kubernetes/text/manifest.h"

/* One object of a manifest. */
struct part {
    const struct kind *kind;
    const char *ns, *name;
    cJSON *json; /* belongs to the manifest */
    int place;   /* in the manifest */
};

struct parts {
    struct manifest manifest;
    struct part *at; /* in the arena */
    int n;
};

/* In which order kinds are installed; what is not listed comes last. */
static int order_of(const char *kind)
{
    static const char *const order[] = {"Namespace",
                                        "NetworkPolicy",
                                        "ResourceQuota",
                                        "LimitRange",
                                        "PodDisruptionBudget",
                                        "ServiceAccount",
                                        "Secret",
                                        "ConfigMap",
                                        "StorageClass",
                                        "PersistentVolume",
                                        "PersistentVolumeClaim",
                                        "CustomResourceDefinition",
                                        "ClusterRole",
                                        "ClusterRoleBinding",
                                        "Role",
                                        "RoleBinding",
                                        "Service",
                                        "DaemonSet",
                                        "Pod",
                                        "ReplicationController",
                                        "ReplicaSet",
                                        "Deployment",
                                        "HorizontalPodAutoscaler",
                                        "StatefulSet",
                                        "Job",
                                        "CronJob",
                                        "Ingress",
                                        NULL};
    int i = 0;
    while (order[i] && strcmp(order[i], kind) != 0)
        i++;
    return i;
}

static int by_order(const void *a, const void *b)
{
    const struct part *x = a, *y = b;
    int difference = order_of(x->kind->name) - order_of(y->kind->name);
    return difference ? difference : x->place - y->place;
}

/* NULL, or why the manifest cannot be built. */
static const char *read_parts(struct cluster *cluster, struct arena *arena, const char *text,
                              const char *ns, struct parts *ret)
{
    *ret = (struct parts){0};
    const char *why = manifest_read(arena, str_of(text), &ret->manifest);
    if (why)
        return arena_printf(arena, "error parsing : %s", why);
    ret->at = ARENA_ARRAY(arena, struct part, ret->manifest.n + 1);
    for (int i = 0; i < ret->manifest.n; i++) {
        cJSON *json = ret->manifest.documents[i];
        const char *name = json_text(json, "metadata", "name");
        const char *own = json_text(json, "metadata", "namespace");
        const char *kind_name = json_text(json, "kind"), *version = json_text(json, "apiVersion");
        const struct kind *kind =
            kind_name && version ? cluster_kind(cluster, kind_name, version) : NULL;
        if (!kind)
            return arena_printf(arena,
                                "resource mapping not found for name: \"%s\" namespace: \"%s\" "
                                "from \"\": no matches for kind \"%s\" in version \"%s\"\n"
                                "ensure CRDs are installed first",
                                name ? name : "", own ? own : "", kind_name ? kind_name : "",
                                version ? version : "");
        ret->at[ret->n++] = (struct part){
            .kind = kind,
            .ns = !kind->namespaced ? ""
                  : own && *own     ? own
                                    : ns,
            .name = name ? name : "",
            .json = json,
            .place = i,
        };
    }
    qsort(ret->at, (size_t)ret->n, sizeof *ret->at, by_order);
    return NULL;
}

static void release_parts(void *parts)
{
    manifest_release(&((struct parts *)parts)->manifest);
}

static const struct part *part_like(const struct parts *parts, const struct part *part)
{
    for (int i = 0; i < parts->n; i++) {
        const struct part *one = &parts->at[i];
        if (one->kind == part->kind && strcmp(one->ns, part->ns) == 0 &&
            strcmp(one->name, part->name) == 0)
            return one;
    }
    return NULL;
}

static const char *note(const cJSON *json, const char *map, const char *key)
{
    return json_text(json_at(json, "metadata", map), key);
}

static bool is(const char *text, const char *wanted)
{
    return text && strcmp(text, wanted) == 0;
}

static void set_owner(cJSON *json, const struct update *update)
{
    cJSON *metadata = json_child(json, "metadata");
    json_set_text(json_child(metadata, "labels"), "app.kubernetes.io/managed-by", "Helm");
    json_set_text(json_child(metadata, "annotations"), "meta.helm.sh/release-name",
                  update->release);
    json_set_text(json_child(metadata, "annotations"), "meta.helm.sh/release-namespace",
                  update->ns);
}

/* What is wrong with the ownership of an object that is there already; NULL: it is this release's.
 */
static const char *foreign(struct arena *arena, const struct object *object,
                           const struct update *update)
{
    static const struct {
        const char *map, *word, *key;
    } marks[] = {{"labels", "label", "app.kubernetes.io/managed-by"},
                 {"annotations", "annotation", "meta.helm.sh/release-name"},
                 {"annotations", "annotation", "meta.helm.sh/release-namespace"}};
    const char *wanted[] = {"Helm", update->release, update->ns};
    const char *list = NULL;
    for (int i = 0; i < 3; i++) {
        const char *has = note(object->json, marks[i].map, marks[i].key);
        if (is(has, wanted[i]))
            continue;
        const char *one =
            has ? arena_printf(arena,
                               "%s validation error: key \"%s\" must equal \"%s\": current value "
                               "is \"%s\"",
                               marks[i].word, marks[i].key, wanted[i], has)
                : arena_printf(arena,
                               "%s validation error: missing key \"%s\": must be set to \"%s\"",
                               marks[i].word, marks[i].key, wanted[i]);
        list = list ? arena_printf(arena, "%s; %s", list, one) : one;
    }
    return list;
}

/* An upgrade makes nothing that is there already and somebody else's. */
static const char *check_conflicts(struct cluster *cluster, struct arena *arena,
                                   const struct update *update, const struct parts *original,
                                   const struct parts *target)
{
    for (int i = 0; update->adopting && i < target->n; i++) {
        const struct part *part = &target->at[i];
        const struct object *there = cluster_find(cluster, part->kind, part->ns, part->name);
        const char *why =
            there && !part_like(original, part) ? foreign(arena, there, update) : NULL;
        if (why)
            return arena_printf(arena,
                                "Unable to continue with update: %s \"%s\" in namespace \"%s\" "
                                "exists and cannot be imported into the current release: invalid "
                                "ownership metadata; %s",
                                part->kind->name, part->name, part->ns, why);
    }
    return NULL;
}

/* ---- one object ---- */

static const char *make(struct cluster *cluster, struct arena *arena, struct update *update,
                        const struct part *part)
{
    struct api_error error = {0};
    struct object *object = cluster_create(cluster, part->kind, part->ns,
                                           cJSON_Duplicate(part->json, true), false, &error);
    if (!object)
        return arena_printf(arena, "failed to create resource: %s", error.message);
    struct object **grown = ARENA_ARRAY(arena, struct object *, update->n_made + 1);
    for (int i = 0; i < update->n_made; i++)
        grown[i] = update->made[i];
    grown[update->n_made++] = object;
    update->made = grown;
    return NULL;
}

static const char *change(struct cluster *cluster, struct arena *arena, const struct update *update,
                          const struct part *part, const struct part *original,
                          struct object *object)
{
    struct api_error error = {0};
    if (update->force) {
        bool fine =
            cluster_update(cluster, object, cJSON_Duplicate(part->json, true), false, NULL, &error);
        return fine ? NULL : arena_printf(arena, "failed to replace object: %s", error.message);
    }
    bool custom = part->kind->custom;
    cJSON *patch = patch_three_way(arena, original ? original->json : object->json, part->json,
                                   object->json, !custom);
    bool fine = true;
    if (patch && patch->child) {
        struct buf text;
        buf_init(&text, 8 << 20);
        json_compact(&text, patch);
        fine = cluster_patch(cluster, object, custom ? PATCH_MERGE : PATCH_STRATEGIC, text.at,
                             false, NULL, &error);
        buf_release(&text);
    }
    cJSON_Delete(patch);
    return fine ? NULL
                : arena_printf(arena, "cannot patch \"%s\" with kind %s: %s", part->name,
                               part->kind->name, error.message);
}

static const char *bring(struct cluster *cluster, struct arena *arena, struct update *update,
                         const struct parts *original, const struct part *part)
{
    struct object *object = cluster_find(cluster, part->kind, part->ns, part->name);
    const struct part *before = part_like(original, part);
    set_owner(part->json, update);
    if (!object)
        return make(cluster, arena, update, part);
    if (!before && !update->adopting)
        return arena_printf(arena, "no %s with the name \"%s\" found", part->kind->name,
                            part->name);
    return change(cluster, arena, update, part, before, object);
}

static bool is_kept(const cJSON *json)
{
    return is(note(json, "annotations", "helm.sh/resource-policy"), "keep");
}

const char *helm_update(struct cluster *cluster, struct arena *arena, struct update *update)
{
    struct parts original, target = {0};
    const char *why = read_parts(cluster, arena, update->original, update->ns, &original);
    if (why)
        why = arena_printf(arena,
                           "unable to build kubernetes objects from current release "
                           "manifest: %s",
                           why);
    if (!why) {
        why = read_parts(cluster, arena, update->target, update->ns, &target);
        if (why)
            why = arena_printf(
                arena, "unable to build kubernetes objects from new release manifest: %s", why);
    }
    if (!why)
        why = check_conflicts(cluster, arena, update, &original, &target);
    for (int i = 0; i < target.n && !why; i++)
        why = bring(cluster, arena, update, &original, &target.at[i]);
    for (int i = 0; i < original.n && !why; i++) {
        const struct part *part = &original.at[i];
        struct object *object = cluster_find(cluster, part->kind, part->ns, part->name);
        if (object && !part_like(&target, part) && !is_kept(object->json))
            cluster_delete(cluster, object, -1, false);
    }
    release_parts(&target);
    release_parts(&original);
    return why;
}

void helm_delete(struct cluster *cluster, struct arena *arena, const char *manifest, const char *ns,
                 const char **ret_kept)
{
    struct parts parts;
    *ret_kept = "";
    if (!read_parts(cluster, arena, manifest, ns, &parts)) {
        for (int i = parts.n - 1; i >= 0; i--) {
            const struct part *part = &parts.at[i];
            struct object *object = cluster_find(cluster, part->kind, part->ns, part->name);
            if (is_kept(part->json))
                *ret_kept =
                    arena_printf(arena, "%s[%s] %s\n", *ret_kept, part->kind->name, part->name);
            else if (object)
                cluster_delete(cluster, object, -1, false);
        }
    }
    release_parts(&parts);
}
