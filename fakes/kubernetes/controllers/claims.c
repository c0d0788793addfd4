/* PersistentVolumeClaims: bound to a volume that fits, or to a new one.
 *
 * Follows k8s.io/kubernetes pkg/controller/volume/persistentvolume and pvcprotection.
 */
#include <string.h>

#include "fakes/kubernetes/kubelet/kubelet.h"

#define SOURCE       "persistentvolume-controller"
#define PROTECTION   "kubernetes.io/pvc-protection"
#define PROVISION_NS (2 * SECOND)

static const char *phase_of(const struct object *object)
{
    const char *phase = json_text(object->json, "status", "phase");
    return phase ? phase : "";
}

/* ---- classes ---- */

static bool is_default(const struct object *class)
{
    const char *text = annotation_of(class, "storageclass.kubernetes.io/is-default-class");
    return text && strcmp(text, "true") == 0;
}

/* The class of a claim. A cluster without any class object has one that provides everything. */
static struct object *class_of(struct controllers *controllers, struct arena *arena,
                               const struct object *claim, const char **ret_name)
{
    const char *name = json_text(claim->json, "spec", "storageClassName");
    struct object **all = objects_of(controllers, arena, "StorageClass", NULL);
    bool any = all[0] != NULL;
    *ret_name = name ? name : any ? NULL : "standard";
    for (; *all; all++) {
        if (name ? strcmp(name, (*all)->name) == 0 : is_default(*all)) {
            *ret_name = (*all)->name;
            return *all;
        }
    }
    return NULL;
}

static bool any_class(struct controllers *controllers, struct arena *arena)
{
    return objects_of(controllers, arena, "StorageClass", NULL)[0] != NULL;
}

/* ---- binding ---- */

static cJSON *reference_to(const struct object *claim)
{
    cJSON *reference = cJSON_CreateObject();
    json_set_text(reference, "apiVersion", "v1");
    json_set_text(reference, "kind", "PersistentVolumeClaim");
    json_set_text(reference, "name", claim->name);
    json_set_text(reference, "namespace", claim->ns);
    json_set_text(reference, "uid", uid_of(claim));
    return reference;
}

static void bind(struct controllers *controllers, struct object *claim, struct object *volume)
{
    cJSON *spec = spec_of(claim), *status = json_child(claim->json, "status");
    cJSON *notes = json_child(json_child(claim->json, "metadata"), "annotations");
    json_set_text(notes, "pv.kubernetes.io/bind-completed", "yes");
    json_set_text(notes, "pv.kubernetes.io/bound-by-controller", "yes");
    json_set_text(spec, "volumeName", volume->name);
    json_set(status, "accessModes",
             cJSON_Duplicate(json_at(volume->json, "spec", "accessModes"), true));
    json_set(status, "capacity", cJSON_Duplicate(json_at(volume->json, "spec", "capacity"), true));
    json_set_text(status, "phase", "Bound");
    cluster_touched(controllers->cluster, claim, false);
    json_set(spec_of(volume), "claimRef", reference_to(claim));
    json_set_text(json_child(volume->json, "status"), "phase", "Bound");
    cluster_touched(controllers->cluster, volume, false);
}

/* A pod that has it among its volumes; NULL: none. */
static const struct object *user_of(struct controllers *controllers, struct arena *arena,
                                    const struct object *claim)
{
    struct object **pods = objects_of(controllers, arena, "Pod", claim->ns);
    for (; *pods; pods++) {
        const cJSON *volumes = json_at((*pods)->json, "spec", "volumes");
        for (const cJSON *one = volumes ? volumes->child : NULL; one; one = one->next) {
            const char *name = json_text(one, "persistentVolumeClaim", "claimName");
            const char *phase = pod_phase(*pods);
            bool over = strcmp(phase, "Succeeded") == 0 || strcmp(phase, "Failed") == 0;
            if (name && !over && strcmp(name, claim->name) == 0)
                return *pods;
        }
    }
    return NULL;
}

/* Provisioners of disks of one node. */
static bool is_local(const struct object *class)
{
    static const char *const local[] = {"rancher.io/local-path", "docker.io/hostpath",
                                        "k8s.io/minikube-hostpath", "kubernetes.io/no-provisioner"};
    const char *provisioner = class ? json_text(class->json, "provisioner") : NULL;
    for (size_t i = 0; provisioner && i < sizeof local / sizeof *local; i++) {
        if (strcmp(provisioner, local[i]) == 0)
            return true;
    }
    return false;
}

/* {required: {nodeSelectorTerms: [{matchExpressions: [{key: hostname, operator: In, values: [NODE]
 * }]}]}} */
static cJSON *affinity_to(const char *node)
{
    cJSON *affinity = cJSON_CreateObject(), *term = cJSON_CreateObject();
    cJSON *expression = cJSON_CreateObject();
    json_set_text(expression, "key", "kubernetes.io/hostname");
    json_set_text(expression, "operator", "In");
    cJSON_AddItemToArray(cJSON_AddArrayToObject(expression, "values"), cJSON_CreateString(node));
    cJSON_AddItemToArray(cJSON_AddArrayToObject(term, "matchExpressions"), expression);
    cJSON *terms = cJSON_AddArrayToObject(json_child(affinity, "required"), "nodeSelectorTerms");
    cJSON_AddItemToArray(terms, term);
    return affinity;
}

static struct object *provision(struct controllers *controllers, struct arena *arena,
                                struct object *claim, const struct object *class,
                                const char *class_name)
{
    struct cluster *cluster = controllers->cluster;
    cJSON *json = cJSON_CreateObject(), *spec = json_child(json, "spec");
    const char *policy = class ? json_text(class->json, "reclaimPolicy") : NULL;
    const char *name = arena_printf(arena, "pvc-%s", uid_of(claim));
    const cJSON *asked = json_at(claim->json, "spec", "resources", "requests");
    json_set_text(json_child(json, "metadata"), "name", name);
    json_set(spec, "accessModes",
             cJSON_Duplicate(json_at(claim->json, "spec", "accessModes"), true));
    json_set(spec, "capacity", asked ? cJSON_Duplicate(asked, true) : cJSON_CreateObject());
    json_set(spec, "claimRef", reference_to(claim));
    const struct object *user = is_local(class) ? user_of(controllers, arena, claim) : NULL;
    const char *node = user ? schedule_without_claims(controllers, arena, user) : NULL;
    const char *driver = class ? json_text(class->json, "provisioner") : NULL;
    if (node) {
        json_set_text(json_child(spec, "hostPath"), "path",
                      arena_printf(arena, "/var/local/%s", name));
        json_set(spec, "nodeAffinity", affinity_to(node));
    } else {
        json_set_text(json_child(spec, "csi"), "driver", driver ? driver : "csi.example.com");
        json_set_text(json_child(spec, "csi"), "volumeHandle", name);
    }
    json_set_text(spec, "persistentVolumeReclaimPolicy", policy ? policy : "Delete");
    json_set_text(spec, "storageClassName", class_name);
    json_set_text(spec, "volumeMode", "Filesystem");
    struct api_error error = {0};
    struct object *volume = cluster_create(cluster, cluster_kind(cluster, "PersistentVolume", "v1"),
                                           "", json, false, &error);
    if (volume && !json_text(claim->json, "spec", "storageClassName"))
        json_set_text(spec_of(claim), "storageClassName", class_name);
    return volume;
}

static bool fits(const struct object *volume, const struct object *claim)
{
    const char *wanted = json_text(claim->json, "spec", "volumeName");
    const char *class = json_text(claim->json, "spec", "storageClassName");
    const char *its = json_text(volume->json, "spec", "storageClassName");
    const char *reserved = json_text(volume->json, "spec", "claimRef", "name");
    if (wanted && *wanted)
        return strcmp(volume->name, wanted) == 0;
    if (strcmp(phase_of(volume), "Bound") == 0 || strcmp(phase_of(volume), "Released") == 0)
        return false;
    return strcmp(class ? class : "", its ? its : "") == 0 &&
           (!reserved || strcmp(reserved, claim->name) == 0);
}

static struct object *existing(struct controllers *controllers, struct arena *arena,
                               const struct object *claim)
{
    struct object **all = objects_of(controllers, arena, "PersistentVolume", NULL);
    for (; *all; all++) {
        if (fits(*all, claim))
            return *all;
    }
    return NULL;
}

static void find_volume(struct controllers *controllers, struct arena *arena, struct object *claim)
{
    const char *class_name;
    struct object *volume = existing(controllers, arena, claim);
    struct object *class = class_of(controllers, arena, claim, &class_name);
    const char *mode = class ? json_text(class->json, "volumeBindingMode") : NULL;
    int64_t age = controllers_now(controllers) - claim->created_ns;
    if (volume) {
        bind(controllers, claim, volume);
        return;
    }
    if (!class_name || !*class_name) {
        tell(controllers, claim, "Normal", "FailedBinding", SOURCE,
             "no persistent volumes available for this claim and no storage class is set");
        return;
    }
    if (!class && any_class(controllers, arena)) {
        tell(controllers, claim, "Warning", "ProvisioningFailed", SOURCE,
             "storageclass.storage.k8s.io \"%s\" not found", class_name);
        return;
    }
    if (mode && strcmp(mode, "WaitForFirstConsumer") == 0 && !user_of(controllers, arena, claim)) {
        tell(controllers, claim, "Normal", "WaitForFirstConsumer", SOURCE,
             "waiting for first consumer to be created before binding");
        return;
    }
    if (!controllers_before_run(controllers) && age < PROVISION_NS) {
        controllers_later(controllers, claim_sync, claim, PROVISION_NS - age);
        return;
    }
    volume = provision(controllers, arena, claim, class, class_name);
    if (!volume)
        return;
    const char *driver = class ? json_text(class->json, "provisioner") : NULL;
    tell(controllers, claim, "Normal", "ProvisioningSucceeded", driver ? driver : "csi.example.com",
         "Successfully provisioned volume %s", volume->name);
    bind(controllers, claim, volume);
}

/* ---- the end ---- */

static void reclaim(struct controllers *controllers, const struct object *claim)
{
    const char *name = json_text(claim->json, "spec", "volumeName");
    struct object *volume =
        name ? cluster_find_named(controllers->cluster, "PersistentVolume", "", name) : NULL;
    const char *policy =
        volume ? json_text(volume->json, "spec", "persistentVolumeReclaimPolicy") : NULL;
    if (!volume)
        return;
    if (policy && strcmp(policy, "Retain") == 0) {
        json_set_text(json_child(volume->json, "status"), "phase", "Released");
        cluster_touched(controllers->cluster, volume, false);
        return;
    }
    data_destroyed(controllers, claim);
    cluster_remove(controllers->cluster, volume);
}

static void protect(struct controllers *controllers, struct object *claim)
{
    cJSON *metadata = json_child(claim->json, "metadata");
    cJSON *finalizers = cJSON_GetObjectItemCaseSensitive(metadata, "finalizers");
    if (finalizers)
        return;
    finalizers = cJSON_AddArrayToObject(metadata, "finalizers");
    cJSON_AddItemToArray(finalizers, cJSON_CreateString(PROTECTION));
    if (!*phase_of(claim))
        json_set_text(json_child(claim->json, "status"), "phase", "Pending");
    cluster_touched(controllers->cluster, claim, false);
}

void claim_sync(struct controllers *controllers, struct object *claim)
{
    struct arena scratch = {0};
    if (claim->gone) {
        reclaim(controllers, claim);
    } else if (is_being_deleted(claim)) {
        if (!user_of(controllers, &scratch, claim))
            cluster_remove(controllers->cluster, claim);
    } else {
        protect(controllers, claim);
        if (strcmp(phase_of(claim), "Bound") != 0)
            find_volume(controllers, &scratch, claim);
    }
    arena_release(&scratch);
}
