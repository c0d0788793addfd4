/* What the API server knows by name. Source: `kubectl api-resources` of Kubernetes 1.32. */
#include <string.h>
#include <strings.h>

#include "fakes/kubernetes/store.h"
#include "sim/base/xalloc.h"

#define CORE(name, plural, singular, short, namespaced, all, generations)                          \
    {                                                                                              \
        name, plural, singular, short, "", "v1", namespaced, false, all, generations               \
    }
#define GROUP(name, plural, singular, short, group, version, namespaced, all, generations)         \
    {                                                                                              \
        name, plural, singular, short, group, version, namespaced, false, all, generations         \
    }

static const struct kind built_in[] = {
    CORE("ConfigMap", "configmaps", "configmap", "cm", true, false, false),
    CORE("Endpoints", "endpoints", "endpoints", "ep", true, false, false),
    CORE("Event", "events", "event", "ev", true, false, false),
    CORE("LimitRange", "limitranges", "limitrange", "limits", true, false, false),
    CORE("Namespace", "namespaces", "namespace", "ns", false, false, false),
    CORE("Node", "nodes", "node", "no", false, false, false),
    CORE("PersistentVolumeClaim", "persistentvolumeclaims", "persistentvolumeclaim", "pvc", true,
         false, false),
    CORE("PersistentVolume", "persistentvolumes", "persistentvolume", "pv", false, false, false),
    CORE("Pod", "pods", "pod", "po", true, true, false),
    CORE("ReplicationController", "replicationcontrollers", "replicationcontroller", "rc", true,
         true, true),
    CORE("ResourceQuota", "resourcequotas", "resourcequota", "quota", true, false, false),
    CORE("Secret", "secrets", "secret", "", true, false, false),
    CORE("ServiceAccount", "serviceaccounts", "serviceaccount", "sa", true, false, false),
    CORE("Service", "services", "service", "svc", true, true, false),
    GROUP("CustomResourceDefinition", "customresourcedefinitions", "customresourcedefinition",
          "crd crds", "apiextensions.k8s.io", "v1", false, false, true),
    GROUP("ControllerRevision", "controllerrevisions", "controllerrevision", "", "apps", "v1", true,
          false, false),
    GROUP("DaemonSet", "daemonsets", "daemonset", "ds", "apps", "v1", true, true, true),
    GROUP("Deployment", "deployments", "deployment", "deploy", "apps", "v1", true, true, true),
    GROUP("ReplicaSet", "replicasets", "replicaset", "rs", "apps", "v1", true, true, true),
    GROUP("StatefulSet", "statefulsets", "statefulset", "sts", "apps", "v1", true, true, true),
    GROUP("HorizontalPodAutoscaler", "horizontalpodautoscalers", "horizontalpodautoscaler", "hpa",
          "autoscaling", "v2", true, true, false),
    GROUP("CronJob", "cronjobs", "cronjob", "cj", "batch", "v1", true, true, true),
    GROUP("Job", "jobs", "job", "", "batch", "v1", true, true, true),
    GROUP("EndpointSlice", "endpointslices", "endpointslice", "", "discovery.k8s.io", "v1", true,
          false, true),
    GROUP("Ingress", "ingresses", "ingress", "ing", "networking.k8s.io", "v1", true, false, true),
    GROUP("NetworkPolicy", "networkpolicies", "networkpolicy", "netpol", "networking.k8s.io", "v1",
          true, false, true),
    GROUP("PodDisruptionBudget", "poddisruptionbudgets", "poddisruptionbudget", "pdb", "policy",
          "v1", true, false, true),
    GROUP("ClusterRoleBinding", "clusterrolebindings", "clusterrolebinding", "",
          "rbac.authorization.k8s.io", "v1", false, false, false),
    GROUP("ClusterRole", "clusterroles", "clusterrole", "", "rbac.authorization.k8s.io", "v1",
          false, false, false),
    GROUP("RoleBinding", "rolebindings", "rolebinding", "", "rbac.authorization.k8s.io", "v1", true,
          false, false),
    GROUP("Role", "roles", "role", "", "rbac.authorization.k8s.io", "v1", true, false, false),
    GROUP("PriorityClass", "priorityclasses", "priorityclass", "pc", "scheduling.k8s.io", "v1",
          false, false, true),
    GROUP("StorageClass", "storageclasses", "storageclass", "sc", "storage.k8s.io", "v1", false,
          false, false),
};

enum { N_BUILT_IN = sizeof built_in / sizeof *built_in };

int cluster_kinds(const struct cluster *cluster)
{
    return N_BUILT_IN + cluster->n_custom;
}

const struct kind *cluster_kind_at(const struct cluster *cluster, int i)
{
    return i < N_BUILT_IN ? &built_in[i] : cluster->custom[i - N_BUILT_IN];
}

int kinds_place(const struct cluster *cluster, const struct kind *kind)
{
    int i = 0;
    if (!kind->custom)
        return (int)(kind - built_in);
    while (i < cluster->n_custom && cluster->custom[i] != kind)
        i++;
    return N_BUILT_IN + i;
}

const char *kind_api_version(struct arena *arena, const struct kind *kind)
{
    return *kind->group ? arena_printf(arena, "%s/%s", kind->group, kind->version) : kind->version;
}

const char *kind_qualified(struct arena *arena, const struct kind *kind)
{
    return *kind->group ? arena_printf(arena, "%s.%s", kind->plural, kind->group) : kind->plural;
}

const char *kind_qualified_singular(struct arena *arena, const struct kind *kind)
{
    return *kind->group ? arena_printf(arena, "%s.%s", kind->singular, kind->group)
                        : kind->singular;
}

const struct kind *cluster_kind(const struct cluster *cluster, const char *name,
                                const char *api_version)
{
    struct str version = str_of(api_version), group = {"", 0};
    if (memchr(version.at, '/', version.len))
        group = str_cut(&version, '/');
    for (int i = 0; i < cluster_kinds(cluster); i++) {
        const struct kind *kind = cluster_kind_at(cluster, i);
        if (strcmp(kind->name, name) == 0 && str_is(group, kind->group) &&
            str_is(version, kind->version))
            return kind;
    }
    return NULL;
}

static bool is_word(const char *words, struct str word)
{
    struct str rest = str_of(words);
    while (rest.len) {
        struct str one = str_cut(&rest, ' ');
        if (one.len == word.len && strncasecmp(one.at, word.at, one.len) == 0)
            return true;
    }
    return false;
}

const struct kind *cluster_resource(const struct cluster *cluster, const char *typed)
{
    struct str qualifier = str_of(typed), name = str_cut(&qualifier, '.');
    if (!name.len)
        return NULL;
    for (int i = 0; i < cluster_kinds(cluster); i++) {
        const struct kind *kind = cluster_kind_at(cluster, i);
        bool named = is_word(kind->plural, name) || is_word(kind->singular, name) ||
                     is_word(kind->short_names, name) || is_word(kind->name, name);
        struct str group = qualifier; /* "apps", "v1.apps", or the beginning of a group */
        if (named && group.len && str_starts(group, kind->version) &&
            (group.len == strlen(kind->version) || group.at[strlen(kind->version)] == '.'))
            (void)str_cut(&group, '.');
        if (named && (!group.len || str_is(group, kind->group)))
            return kind;
    }
    return NULL;
}

/* ---- custom resources ---- */

static const char *joined(struct cluster *cluster, const cJSON *list)
{
    const char *text = "";
    for (const cJSON *item = list ? list->child : NULL; item; item = item->next)
        if (cJSON_IsString(item))
            text = arena_printf(cluster_arena(cluster), "%s%s%s", text, *text ? " " : "",
                                item->valuestring);
    return text;
}

static const char *stored_version(const cJSON *definition)
{
    const cJSON *versions = json_at(definition, "spec", "versions");
    for (const cJSON *version = versions ? versions->child : NULL; version; version = version->next)
        if (cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(version, "storage")))
            return json_text(version, "name");
    return NULL;
}

void kinds_define(struct cluster *cluster, const cJSON *definition)
{
    struct arena *arena = cluster_arena(cluster);
    const cJSON *names = json_at(definition, "spec", "names");
    const char *name = json_text(names, "kind"), *plural = json_text(names, "plural");
    const char *group = json_text(definition, "spec", "group");
    const char *version = stored_version(definition);
    const char *scope = json_text(definition, "spec", "scope");
    const char *singular = json_text(names, "singular");
    if (!name || !plural || !group || !version)
        return;
    kinds_forget(cluster, definition);
    struct kind *kind = ARENA_NEW(arena, struct kind);
    char *lower = arena_strdup(arena, name);
    for (char *c = lower; *c; c++)
        if (*c >= 'A' && *c <= 'Z')
            *c = (char)(*c + 'a' - 'A');
    *kind = (struct kind){
        .name = arena_strdup(arena, name),
        .plural = arena_strdup(arena, plural),
        .singular = singular ? arena_strdup(arena, singular) : lower,
        .short_names = joined(cluster, cJSON_GetObjectItemCaseSensitive(names, "shortNames")),
        .group = arena_strdup(arena, group),
        .version = arena_strdup(arena, version),
        .namespaced = !scope || strcmp(scope, "Namespaced") == 0,
        .custom = true,
        .generations = true,
    };
    XGROW(cluster->custom, cluster->n_custom, cluster->cap_custom);
    cluster->custom[cluster->n_custom++] = kind;
}

void kinds_forget(struct cluster *cluster, const cJSON *definition)
{
    const char *group = json_text(definition, "spec", "group");
    const char *plural = json_text(definition, "spec", "names", "plural");
    for (int i = 0; group && plural && i < cluster->n_custom; i++) {
        if (strcmp(cluster->custom[i]->group, group) != 0 ||
            strcmp(cluster->custom[i]->plural, plural) != 0)
            continue;
        memmove(&cluster->custom[i], &cluster->custom[i + 1],
                (size_t)(--cluster->n_custom - i) * sizeof *cluster->custom);
        i--;
    }
}
