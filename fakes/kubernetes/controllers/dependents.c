/* What all controllers do with objects: owners, dependents, status, names. */
#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "fakes/kubernetes/api/patch.h"
#include "fakes/kubernetes/controllers/controllers.h"
#include "sim/base/doc.h"
#include "sim/base/hash.h"

bool is_kind(const struct object *object, const char *kind)
{
    return !object->kind->custom && strcmp(object->kind->name, kind) == 0;
}

const char *uid_of(const struct object *object)
{
    const char *uid = json_text(object->json, "metadata", "uid");
    return uid ? uid : "";
}

bool is_being_deleted(const struct object *object)
{
    return object->gone || json_at(object->json, "metadata", "deletionTimestamp");
}

const char *annotation_of(const struct object *object, const char *name)
{
    return json_text(object->json, "metadata", "annotations", name);
}

cJSON *spec_of(const struct object *object)
{
    return json_child(object->json, "spec");
}

int pods_wanted(struct controllers *controllers, const struct object *object, const char *key,
                int otherwise)
{
    int64_t wanted = json_int(json_at(object->json, "spec"), key, otherwise);
    if (wanted <= PODS_MOST)
        return (int)wanted;
    record_observe(cluster_env(controllers->cluster)->record, "not_simulated", object->name,
                   "%s %s asks for %" PRId64 " pods: no more than %d of one object are simulated",
                   object->kind->name, object->name, wanted, PODS_MOST);
    return PODS_MOST;
}

/* ---- owners ---- */

static cJSON *controller_reference(const struct object *object)
{
    const cJSON *owners = json_at(object->json, "metadata", "ownerReferences");
    for (cJSON *one = owners ? owners->child : NULL; one; one = one->next) {
        if (cJSON_IsTrue(json_at(one, "controller")))
            return one;
    }
    return NULL;
}

bool is_controlled(const struct object *object)
{
    return controller_reference(object) != NULL;
}

bool is_controlled_by(const struct object *object, const struct object *owner)
{
    const cJSON *reference = controller_reference(object);
    const char *uid = json_text(reference, "uid");
    return uid && strcmp(uid, uid_of(owner)) == 0;
}

struct object *controller_of(struct controllers *controllers, const struct object *object)
{
    const cJSON *reference = controller_reference(object);
    const char *kind = json_text(reference, "kind"), *name = json_text(reference, "name");
    if (!kind || !name)
        return NULL;
    struct object *owner = cluster_find_named(controllers->cluster, kind, object->ns, name);
    return owner && is_controlled_by(object, owner) ? owner : NULL;
}

void set_controller(cJSON *json, struct arena *arena, const struct object *owner)
{
    cJSON *metadata = json_child(json, "metadata"), *reference = cJSON_CreateObject();
    cJSON *owners = cJSON_GetObjectItemCaseSensitive(metadata, "ownerReferences");
    if (!owners)
        owners = cJSON_AddArrayToObject(metadata, "ownerReferences");
    cJSON_AddStringToObject(reference, "apiVersion", kind_api_version(arena, owner->kind));
    cJSON_AddBoolToObject(reference, "blockOwnerDeletion", true);
    cJSON_AddBoolToObject(reference, "controller", true);
    cJSON_AddStringToObject(reference, "kind", owner->kind->name);
    cJSON_AddStringToObject(reference, "name", owner->name);
    cJSON_AddStringToObject(reference, "uid", uid_of(owner));
    cJSON_AddItemToArray(owners, reference);
}

struct object **objects_of(struct controllers *controllers, struct arena *arena, const char *kind,
                           const char *ns)
{
    struct cluster *cluster = controllers->cluster;
    for (int i = 0; i < cluster_kinds(cluster); i++) {
        const struct kind *one = cluster_kind_at(cluster, i);
        if (!one->custom && strcmp(one->name, kind) == 0)
            return cluster_list(cluster, arena, one, ns, NULL, NULL);
    }
    return ARENA_NEW(arena, struct object *);
}

struct object **dependents_of(struct controllers *controllers, struct arena *arena,
                              const char *kind, struct object *owner)
{
    struct object **all = objects_of(controllers, arena, kind, owner->ns);
    const struct selector *selector = selector_of(arena, json_at(owner->json, "spec", "selector"));
    int n = 0;
    for (int i = 0; all[i]; i++) {
        struct object *one = all[i];
        bool mine = is_controlled_by(one, owner);
        bool fits = selector_matches(selector, json_at(one->json, "metadata", "labels"));
        if (mine && !fits && !is_being_deleted(owner)) {
            cJSON_DeleteItemFromObjectCaseSensitive(json_child(one->json, "metadata"),
                                                    "ownerReferences");
            cluster_touched(controllers->cluster, one, false);
            continue;
        }
        if (!mine && fits && !is_controlled(one) && !is_being_deleted(one) &&
            !is_being_deleted(owner)) {
            set_controller(one->json, arena, owner);
            cluster_touched(controllers->cluster, one, false);
            mine = true;
        }
        if (mine)
            all[n++] = one;
    }
    all[n] = NULL;
    return all;
}

struct object *make_for(struct controllers *controllers, struct object *owner, const char *kind,
                        const char *source, cJSON *json)
{
    struct cluster *cluster = controllers->cluster;
    struct api_error error = {0};
    const struct kind *of = cluster_resource(cluster, kind);
    struct object *made = cluster_create(cluster, of, owner->ns, json, false, &error);
    if (!made)
        tell(controllers, owner, "Warning", "FailedCreate", source, "Error creating: %s",
             error.message);
    return made;
}

cJSON *pod_from_template(struct arena *arena, const cJSON *template, const struct object *owner)
{
    cJSON *pod = cJSON_CreateObject(), *metadata = json_child(pod, "metadata");
    static const char *const copied[] = {"labels", "annotations", "finalizers"};
    for (size_t i = 0; i < sizeof copied / sizeof *copied; i++) {
        const cJSON *value = json_at(template, "metadata", copied[i]);
        if (value && !cJSON_IsNull(value))
            json_set(metadata, copied[i], cJSON_Duplicate(value, true));
    }
    json_set(pod, "spec", cJSON_Duplicate(json_at(template, "spec"), true));
    set_controller(pod, arena, owner);
    return pod;
}

/* ---- what is said ---- */

void tell(struct controllers *controllers, const struct object *about, const char *type,
          const char *reason, const char *source, const char *format, ...)
{
    if (controllers_before_run(controllers))
        return;
    struct arena scratch = {0};
    va_list args;
    va_start(args, format);
    const char *text = arena_vprintf(&scratch, format, args);
    va_end(args);
    cluster_event(controllers->cluster, about, type, reason, source, "%s", text);
    arena_release(&scratch);
}

bool set_status(struct controllers *controllers, struct object *object, cJSON *status)
{
    if (json_equal(status, json_at(object->json, "status"))) {
        cJSON_Delete(status);
        return false;
    }
    json_set(object->json, "status", status);
    cluster_touched(controllers->cluster, object, false);
    return true;
}

cJSON *condition_of(const cJSON *status, const char *type)
{
    const cJSON *conditions = json_at(status, "conditions");
    for (cJSON *one = conditions ? conditions->child : NULL; one; one = one->next) {
        const char *name = json_text(one, "type");
        if (name && strcmp(name, type) == 0)
            return one;
    }
    return NULL;
}

/* ---- names, hashes, instants, numbers ---- */

static const char letters[] = "bcdfghjklmnpqrstvwxz2456789"; /* apimachinery util/rand */

const char *new_name_suffix(struct controllers *controllers, struct arena *arena, const char *base)
{
    const char *text = arena_printf(arena, "%s %" PRId64, base, ++controllers->n_names);
    const char *hash = hash_sha256(arena, str_of(text));
    char suffix[6] = "";
    for (int i = 0; i < 5; i++) {
        char pair[3] = {hash[2 * i], hash[2 * i + 1], 0};
        suffix[i] = letters[strtoul(pair, NULL, 16) % (sizeof letters - 1)];
    }
    return arena_strdup(arena, suffix);
}

static uint32_t hash_text(uint32_t hash, const char *text)
{
    for (; *text; text++)
        hash = (hash ^ (unsigned char)*text) * UINT32_C(16777619); /* FNV-1a */
    return hash;
}

static uint32_t hash_value(const cJSON *json)
{
    uint32_t hash = UINT32_C(2166136261);
    if (cJSON_IsObject(json)) {
        uint32_t sum = 17;
        for (const cJSON *one = json->child; one; one = one->next)
            sum += hash_text(hash_value(one), one->string) * UINT32_C(2654435761);
        return sum;
    }
    if (cJSON_IsArray(json)) {
        for (const cJSON *one = json->child; one; one = one->next)
            hash = (hash ^ hash_value(one)) * UINT32_C(16777619);
        return hash + 1;
    }
    char *text = cJSON_PrintUnformatted(json);
    hash = hash_text(hash, text ? text : "");
    cJSON_free(text);
    return hash;
}

const char *json_hash(struct arena *arena, const cJSON *json)
{
    char *text = arena_printf(arena, "%" PRIu32, hash_value(json));
    for (char *c = text; *c; c++)
        *c = letters[(unsigned char)*c % (sizeof letters - 1)];
    return text;
}

const char *now_stamp(struct controllers *controllers, struct arena *arena)
{
    struct cluster *cluster = controllers->cluster;
    int64_t back = controllers_before_run(controllers) ? 3 * DAY : 0;
    return cluster_stamp(cluster, arena, cluster_now(cluster) - back);
}

int64_t stamp_ns(struct controllers *controllers, const char *stamp)
{
    int64_t unix_ns;
    if (!stamp || !parse_time(str_of(stamp), &unix_ns))
        return NEVER;
    return unix_ns - controllers->env->start_unix_ns;
}

int int_or_percent(const cJSON *value, int whole, bool round_up)
{
    if (cJSON_IsNumber(value))
        return (int)value->valuedouble;
    const char *text = cJSON_GetStringValue(value);
    text = text ? text : "25%";
    int64_t product = (int64_t)leading_int(text) * whole;
    if (!strchr(text, '%'))
        return leading_int(text);
    return (int)(round_up ? (product + 99) / 100 : product / 100);
}

/* ---- pods, for those who make them ---- */

const char *pod_phase(const struct object *pod)
{
    const char *phase = json_text(pod->json, "status", "phase");
    return phase ? phase : "Pending";
}

static bool has_ended(const struct object *pod)
{
    const char *phase = pod_phase(pod);
    return strcmp(phase, "Succeeded") == 0 || strcmp(phase, "Failed") == 0;
}

bool pod_is_active(const struct object *pod)
{
    return !has_ended(pod) && !is_being_deleted(pod);
}

static const cJSON *ready_condition(const struct object *pod)
{
    const cJSON *condition = condition_of(json_at(pod->json, "status"), "Ready");
    const char *status = json_text(condition, "status");
    return status && strcmp(status, "True") == 0 ? condition : NULL;
}

bool pod_is_ready(const struct object *pod)
{
    return ready_condition(pod) != NULL;
}

bool pod_is_available(struct controllers *controllers, const struct object *pod,
                      int64_t min_ready_s, int64_t *ret_in_ns)
{
    const cJSON *condition = ready_condition(pod);
    if (ret_in_ns)
        *ret_in_ns = INT64_MAX;
    if (!condition)
        return false;
    if (min_ready_s == 0)
        return true;
    int64_t since = stamp_ns(controllers, json_text(condition, "lastTransitionTime"));
    int64_t left = since + min_ready_s * SECOND - controllers_now(controllers);
    if (left > 0 && ret_in_ns)
        *ret_in_ns = left;
    return left <= 0;
}
