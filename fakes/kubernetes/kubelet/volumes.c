/* Volumes of pods: claims and where they are attached, files of ConfigMaps and Secrets.
 *
 * Follows k8s.io/kubernetes pkg/volume and pkg/controller/volume/attachdetach.
 */
#include "fakes/kubernetes/kubelet/volumes.h"

#include <stdlib.h>
#include <string.h>

#include "sim/base/base64.h"
#include "sim/base/xalloc.h"

/* ---- files ---- */

/* The files of a ConfigMap or Secret as a volume shows them: {file: text}. */
static void add_files(cJSON *files, const struct object *config, const cJSON *items)
{
    struct arena scratch = {0};
    static const char *const parts[] = {"data", "binaryData"};
    for (int k = 0; k < 2; k++) {
        const cJSON *data = json_at(config->json, parts[k]);
        bool encoded = k == 1 || is_kind(config, "Secret");
        for (const cJSON *one = data ? data->child : NULL; one; one = one->next) {
            const char *file = items ? NULL : one->string, *text = cJSON_GetStringValue(one);
            struct str bytes = str_of(text);
            for (const cJSON *item = items ? items->child : NULL; item; item = item->next) {
                const char *key = json_text(item, "key");
                if (key && strcmp(key, one->string) == 0)
                    file = json_text(item, "path");
            }
            if (file && encoded && !base64_decode(&scratch, str_of(text), &bytes))
                continue;
            if (file && bytes.at)
                json_set_text(files, file, bytes.at);
        }
    }
    arena_release(&scratch);
}

/* Calls what for each ConfigMap and Secret of a volume: {configMap: ..}, {secret: ..}, {projected:
 * {sources: [..]}}. */
typedef void config_fn(struct pod *, const cJSON *source, bool secret, const char *name, void *ctx);
static void each_config(struct pod *pod, const cJSON *volume, config_fn *what, void *ctx)
{
    const cJSON *sources = json_at(volume, "projected", "sources");
    const cJSON *config = json_at(volume, "configMap"), *secret = json_at(volume, "secret");
    if (config)
        what(pod, config, false, json_text(config, "name"), ctx);
    if (secret) {
        const char *name = json_text(secret, "secretName");
        what(pod, secret, true, name ? name : json_text(secret, "name"), ctx);
    }
    for (const cJSON *one = sources ? sources->child : NULL; one; one = one->next)
        each_config(pod, one, what, ctx);
}

static const struct object *named(struct pod *pod, bool secret, const char *name)
{
    return cluster_find_named(pod->controllers->cluster, secret ? "Secret" : "ConfigMap",
                              pod->object->ns, name ? name : "");
}

static void take_files(struct pod *pod, const cJSON *source, bool secret, const char *name,
                       void *files)
{
    const struct object *config = named(pod, secret, name);
    if (!config)
        return;
    add_files(files, config, json_at(source, "items"));
    cluster_config_read(pod->controllers->cluster, config, pod->object->name);
}

static void is_missing(struct pod *pod, const cJSON *source, bool secret, const char *name,
                       void *ret_missing)
{
    const char **missing = ret_missing;
    if (!named(pod, secret, name) && !cJSON_IsTrue(json_at(source, "optional")))
        *missing = arena_printf(cluster_arena(pod->controllers->cluster), "%s \"%s\" not found",
                                secret ? "secret" : "configmap", name ? name : "");
}

const cJSON *pod_volume_spec(const struct pod *pod, const char *name)
{
    const cJSON *all = json_at(pod->object->json, "spec", "volumes");
    for (const cJSON *one = all ? all->child : NULL; one; one = one->next) {
        const char *its = json_text(one, "name");
        if (its && strcmp(its, name) == 0)
            return one;
    }
    return NULL;
}

/* ---- claims ---- */

struct object *claim_of(const struct pod *pod, const cJSON *volume)
{
    const char *name = json_text(volume, "persistentVolumeClaim", "claimName");
    return name ? cluster_find_named(pod->controllers->cluster, "PersistentVolumeClaim",
                                     pod->object->ns, name)
                : NULL;
}

static bool is_exclusive(const struct object *claim)
{
    const cJSON *modes = json_at(claim->json, "spec", "accessModes");
    for (const cJSON *one = modes ? modes->child : NULL; one; one = one->next) {
        const char *mode = cJSON_GetStringValue(one);
        if (mode && (strcmp(mode, "ReadWriteMany") == 0 || strcmp(mode, "ReadOnlyMany") == 0))
            return false;
    }
    return true;
}

bool pod_uses_claim(const struct pod *pod, const struct object *claim)
{
    for (int i = 0; !pod->over && i < pod->n_volumes; i++) {
        if (pod->volumes[i].claim == claim)
            return true;
    }
    return false;
}

/* A pod on another node that has the volume; NULL: none. */
static const struct pod *attached_elsewhere(const struct pod *pod, const struct object *claim)
{
    struct controllers *controllers = pod->controllers;
    for (int i = 0; i < controllers->n_pods; i++) {
        const struct pod *other = controllers->pods[i];
        if (other != pod && other->prepared && pod_uses_claim(other, claim) &&
            strcmp(other->node, pod->node) != 0)
            return other;
    }
    return NULL;
}

static bool attach(struct pod *pod, const struct object *claim)
{
    const char *volume = json_text(claim->json, "spec", "volumeName");
    const struct pod *other = is_exclusive(claim) ? attached_elsewhere(pod, claim) : NULL;
    if (other && !pod->failing_mount) {
        bool same_ns = strcmp(other->object->ns, pod->object->ns) == 0;
        tell(pod->controllers, pod->object, "Warning", "FailedAttachVolume",
             "attachdetach-controller",
             same_ns ? "Multi-Attach error for volume \"%s\" Volume is already used by pod(s) %s"
                     : "Multi-Attach error for volume \"%s\" Volume is already used by %s",
             volume ? volume : "",
             same_ns ? other->object->name
                     : "1 pod(s) in different "
                       "namespaces");
        pod->failing_mount = true;
    }
    if (!other)
        tell(pod->controllers, pod->object, "Normal", "SuccessfulAttachVolume",
             "attachdetach-controller", "AttachVolume.Attach succeeded for volume \"%s\"",
             volume ? volume : "");
    return !other;
}

/* ---- mounting ---- */

static bool mount_one(struct pod *pod, const cJSON *spec, struct pod_volume *volume)
{
    const char *missing = NULL, *name = json_text(spec, "name");
    each_config(pod, spec, is_missing, &missing);
    if (missing) {
        tell(pod->controllers, pod->object, "Warning", "FailedMount", "kubelet",
             "MountVolume.SetUp failed for volume \"%s\" : %s", name, missing);
        return false;
    }
    volume->name = arena_strdup(cluster_arena(pod->controllers->cluster), name ? name : "");
    volume->claim = claim_of(pod, spec);
    if (volume->claim && !attach(pod, volume->claim))
        return false;
    volume->files = cJSON_CreateObject();
    each_config(pod, spec, take_files, volume->files);
    volume->first = cJSON_Duplicate(volume->files, true);
    return true;
}

bool pod_mount(struct pod *pod)
{
    const cJSON *all = json_at(pod->object->json, "spec", "volumes");
    pod_unmount(pod);
    pod->volumes = xcalloc((size_t)(all ? cJSON_GetArraySize(all) : 0) + 1, sizeof *pod->volumes);
    for (const cJSON *one = all ? all->child : NULL; one; one = one->next) {
        if (!mount_one(pod, one, &pod->volumes[pod->n_volumes++])) {
            pod_unmount(pod);
            return false;
        }
    }
    return true;
}

void pod_unmount(struct pod *pod)
{
    for (int i = 0; i < pod->n_volumes; i++) {
        cJSON_Delete(pod->volumes[i].files);
        cJSON_Delete(pod->volumes[i].first);
    }
    free(pod->volumes);
    pod->volumes = NULL;
    pod->n_volumes = 0;
}

/* ---- following changes ---- */

void pod_refresh_volumes(struct pod *pod)
{
    for (int i = 0; i < pod->n_volumes && !pod->over; i++) {
        struct pod_volume *volume = &pod->volumes[i];
        const cJSON *spec = pod_volume_spec(pod, volume->name);
        cJSON *files = cJSON_CreateObject();
        each_config(pod, spec, take_files, files);
        cJSON_Delete(volume->files);
        volume->files = files;
    }
}

static void refresh(struct controllers *controllers, struct object *object)
{
    (void)controllers;
    struct pod *pod = pod_of(object);
    if (pod && pod->prepared)
        pod_refresh_volumes(pod);
}

struct wanted {
    const struct object *config;
    bool found;
};

static void compare(struct pod *pod, const cJSON *source, bool secret, const char *name, void *ctx)
{
    struct wanted *wanted = ctx;
    (void)source;
    wanted->found = wanted->found || named(pod, secret, name) == wanted->config;
}

/* The kubelet looks once a minute after each pod, counted from the pod's start. */
void kubelet_config_changed(struct controllers *controllers, const struct object *config)
{
    for (int i = 0; i < controllers->n_pods; i++) {
        struct pod *pod = controllers->pods[i];
        const cJSON *all = json_at(pod->object->json, "spec", "volumes");
        struct wanted wanted = {config, false};
        if (pod->over || !pod->prepared)
            continue;
        for (const cJSON *one = all ? all->child : NULL; one; one = one->next)
            each_config(pod, one, compare, &wanted);
        int64_t age = controllers_now(controllers) - pod->object->created_ns + (i % 7) * 8 * SECOND;
        if (wanted.found)
            controllers_later(controllers, refresh, pod->object, MINUTE - age % MINUTE);
    }
}
