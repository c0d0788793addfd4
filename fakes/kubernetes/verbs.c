/* What the API server does with a request. Order of the steps and wording: k8s.io/apiserver
 * pkg/registry/generic/registry/store.go and pkg/endpoints/handlers. */
#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "fakes/kubernetes/api/patch.h"
#include "fakes/kubernetes/store.h"
#include "fakes/kubernetes/text/go_json.h"
#include "fakes/kubernetes/text/go_value.h"
#include "sim/base/hash.h"
#include "sim/base/xalloc.h"

/* ---- what a run's record says of it ---- */

static bool is_configuration(const struct object *object)
{
    return strcmp(object->kind->name, "ConfigMap") == 0 ||
           strcmp(object->kind->name, "Secret") == 0;
}

/* A change that somebody asked for. One of a configuration changes nothing in the running system
 * until a container reads it. */
static void note(struct cluster *cluster, const struct object *object, const char *what)
{
    static const char *const not_asked_for[] = {"Event",         "ReplicaSet",         "Endpoints",
                                                "EndpointSlice", "ControllerRevision", NULL};
    struct record *record = cluster->env->record;
    for (int i = 0; not_asked_for[i]; i++)
        if (strcmp(object->kind->name, not_asked_for[i]) == 0)
            return;
    if (!cluster->running)
        return;
    const char *subject =
        arena_printf(cluster_arena(cluster), "%s/%s", object->kind->singular, object->name);
    if (!is_configuration(object)) {
        record_change(record, subject, "%s", what);
        return;
    }
    const struct step *step = record_step_current(record);
    record_event(record, EVENT_WORLD, subject, "%s; who runs keeps what it has read", what);
    if (!step)
        return;
    XGROW(cluster->unread, cluster->n_unread, cluster->cap_unread);
    cluster->unread[cluster->n_unread++] = (struct unread){object, step->n};
}

int cluster_act_for(struct cluster *cluster, const struct object *object)
{
    return record_act_for(cluster->env->record, object->step);
}

void cluster_act_done(struct cluster *cluster, int before)
{
    (void)record_act_for(cluster->env->record, before);
}

/* Who asks now is who its consequences go back to. */
static void ask(struct cluster *cluster, struct object *object)
{
    const struct step *step = record_step_current(cluster->env->record);
    object->step = step ? step->n : 0;
}

void cluster_config_read(struct cluster *cluster, const struct object *config, const char *by)
{
    int kept = 0;
    struct arena *arena = cluster_arena(cluster);
    for (int i = 0; i < cluster->n_unread; i++) {
        const struct unread *one = &cluster->unread[i];
        if (one->config != config) {
            cluster->unread[kept++] = *one;
            continue;
        }
        record_credit(cluster->env->record, one->step,
                      arena_printf(arena, "%s/%s", config->kind->singular, config->name),
                      arena_printf(arena, "read by %s", by));
    }
    cluster->n_unread = kept;
}

/* ---- making ---- */

static const char *new_uid(struct cluster *cluster)
{
    struct arena *arena = cluster_arena(cluster);
    const char *text = arena_printf(arena, "uid %" PRId64, ++cluster->n_uids);
    const char *h = hash_sha256(arena, str_of(text));
    return arena_printf(arena, "%.8s-%.4s-4%.3s-a%.3s-%.12s", h, h + 8, h + 12, h + 16, h + 20);
}

/* Five letters behind a generateName: k8s.io/apiserver names.SimpleNameGenerator. */
static const char *new_suffix(struct cluster *cluster, const char *base)
{
    static const char letters[] = "bcdfghjklmnpqrstvwxz2456789";
    struct arena *arena = cluster_arena(cluster);
    const char *text = arena_printf(arena, "%s %" PRId64, base, ++cluster->n_uids);
    const char *h = hash_sha256(arena, str_of(text));
    char suffix[6] = "";
    for (int i = 0; i < 5; i++) {
        char pair[3] = {h[2 * i], h[2 * i + 1], 0};
        suffix[i] = letters[strtoul(pair, NULL, 16) % (sizeof letters - 1)];
    }
    return arena_strdup(arena, suffix);
}

static void stamp(struct cluster *cluster, struct object *object)
{
    cJSON *metadata = json_child(object->json, "metadata");
    object->version = ++cluster->version;
    watches_wake(cluster);
    json_set(metadata, "resourceVersion",
             cJSON_CreateString(arena_printf(cluster_arena(cluster), "%" PRId64, object->version)));
}

static bool name_it(struct cluster *cluster, const struct kind *kind, const char *ns, cJSON *json,
                    struct api_error *error)
{
    cJSON *metadata = json_child(json, "metadata");
    const char *given_ns = json_text(metadata, "namespace");
    const char *prefix = json_text(metadata, "generateName");
    if (kind->namespaced && given_ns && *given_ns && strcmp(given_ns, ns) != 0)
        return api_fail(cluster, error, 400, "BadRequest",
                        "the namespace of the provided object does not match the namespace sent on "
                        "the request");
    if (kind->namespaced)
        json_set_text(metadata, "namespace", ns);
    else
        cJSON_DeleteItemFromObjectCaseSensitive(metadata, "namespace");
    if (!json_text(metadata, "name") && prefix)
        json_set_text(
            metadata, "name",
            arena_printf(cluster_arena(cluster), "%s%s", prefix, new_suffix(cluster, prefix)));
    return true;
}

/* Maps and lists that Go leaves out where they are empty (omitempty). Types are right already. */
static void drop_empty(const struct kind *kind, cJSON *json)
{
    static const char *const of_metadata[] = {"labels", "annotations", "finalizers",
                                              "ownerReferences", NULL};
    static const char *const of_data[] = {"data", "binaryData", "stringData", NULL};
    cJSON *metadata = json_child(json, "metadata");
    bool data = strcmp(kind->name, "ConfigMap") == 0 || strcmp(kind->name, "Secret") == 0;
    for (int i = 0; of_metadata[i]; i++)
        if (!cJSON_GetArraySize(json_at(metadata, of_metadata[i])))
            cJSON_DeleteItemFromObjectCaseSensitive(metadata, of_metadata[i]);
    for (int i = 0; data && of_data[i]; i++)
        if (!cJSON_GetArraySize(json_at(json, of_data[i])))
            cJSON_DeleteItemFromObjectCaseSensitive(json, of_data[i]);
}

static bool may_create(struct cluster *cluster, const struct kind *kind, const char *ns,
                       cJSON *json, struct api_error *error)
{
    if (!name_it(cluster, kind, ns, json, error))
        return false;
    const char *wrong = admission_wrong_type(cluster, kind, json, false);
    if (wrong)
        return api_fail(cluster, error, 400, "BadRequest",
                        "%s in version \"%s\" cannot be handled as a %s: %s", kind->name,
                        kind->version, kind->name, wrong);
    drop_empty(kind, json);
    if (kind->namespaced && !cluster_find_named(cluster, "Namespace", "", ns))
        return api_fail(cluster, error, 404, "NotFound", "namespaces \"%s\" not found", ns);
    if (!admission(cluster, kind, json, NULL, error))
        return false;
    const char *name = json_text(json, "metadata", "name");
    if (cluster_find(cluster, kind, ns, name))
        return api_fail(cluster, error, 409, "AlreadyExists", "%s \"%s\" already exists",
                        kind_qualified(cluster_arena(cluster), kind), name);
    const struct object *space = cluster_find_named(cluster, "Namespace", "", ns);
    if (kind->namespaced && json_at(space->json, "metadata", "deletionTimestamp"))
        return api_fail(cluster, error, 403, "Forbidden",
                        "%s \"%s\" is forbidden: unable to create new content in namespace %s "
                        "because it is being terminated",
                        kind_qualified(cluster_arena(cluster), kind), name, ns);
    return true;
}

struct object *cluster_create(struct cluster *cluster, const struct kind *kind, const char *ns,
                              cJSON *json, bool dry_run, struct api_error *error)
{
    struct arena *arena = cluster_arena(cluster);
    ns = kind->namespaced ? ns : "";
    json_set_text(json, "apiVersion", kind_api_version(arena, kind));
    json_set_text(json, "kind", kind->name);
    if (!kind->custom && strcmp(kind->name, "Pod") != 0)
        cJSON_DeleteItemFromObjectCaseSensitive(json, "status");
    if (!may_create(cluster, kind, ns, json, error)) {
        cJSON_Delete(json);
        return NULL;
    }
    cJSON *metadata = json_child(json, "metadata");
    struct object *object = xcalloc(1, sizeof *object);
    object->kind = kind;
    object->ns = arena_strdup(arena, ns);
    object->name = arena_strdup(arena, json_text(metadata, "name"));
    object->json = json;
    object->created_ns = cluster_now(cluster) - (cluster->running ? 0 : 3 * DAY);
    json_set_text(metadata, "uid", new_uid(cluster));
    json_set_text(metadata, "creationTimestamp", cluster_stamp(cluster, arena, object->created_ns));
    cJSON_DeleteItemFromObjectCaseSensitive(metadata, "resourceVersion");
    if (kind->generations)
        json_set_int(metadata, "generation", 1);
    if (dry_run) {
        object->gone = true;
        XGROW(cluster->gone, cluster->n_gone, cluster->cap_gone);
        cluster->gone[cluster->n_gone++] = object;
        return object;
    }
    stamp(cluster, object);
    ask(cluster, object);
    store_insert(cluster, object);
    if (strcmp(kind->name, "CustomResourceDefinition") == 0)
        kinds_define(cluster, json);
    if (strcmp(kind->name, "Pod") != 0 || !json_at(json, "metadata", "ownerReferences"))
        note(cluster, object, "created"); /* not what a controller makes */
    watches_note(cluster, object, CHANGE_ADDED);
    controllers_notice(cluster, object, CHANGE_ADDED);
    return object;
}

/* ---- changing ---- */

static void keep(cJSON *into, const cJSON *from, const char *key)
{
    const cJSON *value = cJSON_GetObjectItemCaseSensitive(from, key);
    if (value)
        json_set(into, key, cJSON_Duplicate(value, true));
    else
        cJSON_DeleteItemFromObjectCaseSensitive(into, key);
}

/* What a client cannot change, whatever it sends. */
static void keep_systems_fields(const struct kind *kind, cJSON *json, const cJSON *old)
{
    static const char *const fields[] = {"name",
                                         "namespace",
                                         "uid",
                                         "generation",
                                         "creationTimestamp",
                                         "deletionTimestamp",
                                         "deletionGracePeriodSeconds"};
    const cJSON *was = cJSON_GetObjectItemCaseSensitive(old, "metadata");
    cJSON *metadata = json_child(json, "metadata");
    for (size_t i = 0; i < sizeof fields / sizeof *fields; i++)
        keep(metadata, was, fields[i]);
    keep(metadata, was, "resourceVersion");
    keep(json, old, "apiVersion");
    keep(json, old, "kind");
    if (!kind->custom)
        keep(json, old, "status");
}

/* Deployments count changed annotations too: pkg/registry/apps/deployment/strategy.go. */
static bool another_generation(const struct kind *kind, const cJSON *json, const cJSON *old)
{
    return kind->generations && (!json_equal(json_at(json, "spec"), json_at(old, "spec")) ||
                                 (strcmp(kind->name, "Deployment") == 0 &&
                                  !json_equal(json_at(json, "metadata", "annotations"),
                                              json_at(old, "metadata", "annotations"))));
}

/* `json` has passed: takes its place. */
static void put_in_place(struct cluster *cluster, struct object *object, cJSON *json, bool dry_run,
                         bool *ret_changed)
{
    bool changed = !json_equal(json, object->json);
    bool generation = another_generation(object->kind, json, object->json);
    if (ret_changed)
        *ret_changed = changed;
    if (!changed || dry_run) {
        if (generation)
            json_set_int(json_child(json, "metadata"), "generation",
                         json_int(json_at(json, "metadata"), "generation", 0) + 1);
        cJSON_Delete(cluster->tried);
        cluster->tried = json;
        return;
    }
    cJSON_Delete(object->json);
    object->json = json;
    if (strcmp(object->kind->name, "CustomResourceDefinition") == 0)
        kinds_define(cluster, json);
    ask(cluster, object);
    note(cluster, object, "changed");
    cluster_touched(cluster, object, generation);
}

static bool replace(struct cluster *cluster, struct object *object, cJSON *json, bool dry_run,
                    bool *ret_changed, struct api_error *error)
{
    keep_systems_fields(object->kind, json, object->json);
    drop_empty(object->kind, json);
    if (!admission(cluster, object->kind, json, object->json, error)) {
        cJSON_Delete(json);
        return false;
    }
    put_in_place(cluster, object, json, dry_run, ret_changed);
    return true;
}

const cJSON *cluster_tried(const struct cluster *cluster)
{
    return cluster->tried;
}

/* A resourceVersion that somebody sends must be the present one: optimistic locking. */
static bool same_version(struct cluster *cluster, const struct object *object, const cJSON *json,
                         struct api_error *error)
{
    const char *version = json_text(json, "metadata", "resourceVersion");
    if (!version || !*version ||
        strcmp(version, json_text(object->json, "metadata", "resourceVersion")) == 0)
        return true;
    return api_fail(cluster, error, 409, "Conflict",
                    "Operation cannot be fulfilled on %s \"%s\": the object has been modified; "
                    "please apply your changes to the latest version and try again",
                    kind_qualified(cluster_arena(cluster), object->kind), object->name);
}

/* It is of an object that was there before, under the same name. */
static bool another_uid(const struct object *object, const cJSON *json)
{
    const char *uid = json_text(json, "metadata", "uid");
    return uid && *uid && strcmp(uid, json_text(object->json, "metadata", "uid")) != 0;
}

bool cluster_update(struct cluster *cluster, struct object *object, cJSON *json, bool dry_run,
                    bool *ret_changed, struct api_error *error)
{
    struct arena *arena = cluster_arena(cluster);
    const struct kind *kind = object->kind;
    const char *wrong = admission_wrong_type(cluster, kind, json, false);
    if (wrong) {
        cJSON_Delete(json);
        return api_fail(cluster, error, 400, "BadRequest",
                        "%s in version \"%s\" cannot be handled as a %s: %s", kind->name,
                        kind->version, kind->name, wrong);
    }
    if (!same_version(cluster, object, json, error)) {
        cJSON_Delete(json);
        return false;
    }
    if (another_uid(object, json)) {
        const char *uid = arena_strdup(arena, json_text(json, "metadata", "uid"));
        cJSON_Delete(json);
        return api_fail(
            cluster, error, 409, "Conflict",
            "Operation cannot be fulfilled on %s \"%s\": StorageError: invalid object, "
            "Code: 4, Key: /registry/%s/%s%s%s, ResourceVersion: 0, AdditionalErrorMsg: "
            "Precondition failed: UID in precondition: %s, UID in object meta: %s",
            kind_qualified(arena, kind), object->name, kind->plural, object->ns,
            *object->ns ? "/" : "", object->name, uid, json_text(object->json, "metadata", "uid"));
    }
    return replace(cluster, object, json, dry_run, ret_changed, error);
}

static bool invalid_patch(struct cluster *cluster, struct api_error *error, const char *value,
                          const char *why)
{
    return api_fail(cluster, error, 422, "Invalid",
                    " \"\" is invalid: patch: Invalid value: \"%s\": %s", value, why);
}

/* The document after the patch, or NULL and the error. */
static cJSON *patched(struct cluster *cluster, const struct object *object, enum patch_type type,
                      const cJSON *patch, struct api_error *error)
{
    struct arena *arena = cluster_arena(cluster);
    const char *why = NULL;
    cJSON *result = NULL;
    if (type == PATCH_JSON)
        result = patch_json(arena, object->json, patch, &why);
    else if (type == PATCH_MERGE)
        result = patch_merge(object->json, patch);
    else
        result = patch_strategic(arena, object->json, patch, &why);
    if (!result) {
        if (type == PATCH_JSON)
            api_fail(cluster, error, 422, "Invalid",
                     "the server rejected our request due to an error in our request");
        else
            api_fail(cluster, error, 400, "BadRequest", "%s", why);
        return NULL;
    }
    const char *wrong =
        admission_wrong_type(cluster, object->kind, result, type == PATCH_STRATEGIC);
    if (!wrong)
        return result;
    if (type == PATCH_STRATEGIC) {
        invalid_patch(cluster, error, go_value_text(arena, patch), wrong);
    } else {
        char *text = cJSON_PrintUnformatted(result);
        invalid_patch(cluster, error, text, wrong);
        cJSON_free(text);
    }
    cJSON_Delete(result);
    return NULL;
}

bool cluster_patch(struct cluster *cluster, struct object *object, enum patch_type type,
                   const char *text, bool dry_run, bool *ret_changed, struct api_error *error)
{
    struct arena *arena = cluster_arena(cluster);
    if (type == PATCH_STRATEGIC && object->kind->custom)
        return api_fail(cluster, error, 415, "UnsupportedMediaType",
                        "the body of the request was in an unknown format - accepted media types "
                        "include: application/json-patch+json, application/merge-patch+json, "
                        "application/apply-patch+yaml");
    const char *syntax = go_json_error(arena, text);
    if (syntax)
        return api_fail(cluster, error, 400, "BadRequest", "%s", syntax);
    cJSON *patch = cJSON_Parse(text);
    cJSON *result = patched(cluster, object, type, patch, error);
    cJSON_Delete(patch);
    if (result && another_uid(object, result))
        api_fail(
            cluster, error, 422, "Invalid",
            "%s%s%s \"%s\" is invalid: metadata.uid: Invalid value: \"%s\": field is immutable",
            object->kind->name, *object->kind->group ? "." : "", object->kind->group, object->name,
            json_text(result, "metadata", "uid"));
    else if (result && same_version(cluster, object, result, error))
        return replace(cluster, object, result, dry_run, ret_changed, error);
    cJSON_Delete(result);
    return false;
}

void cluster_touched(struct cluster *cluster, struct object *object, bool spec)
{
    if (object->gone)
        return;
    if (spec)
        ask(cluster, object);
    if (spec && object->kind->generations) {
        cJSON *metadata = json_child(object->json, "metadata");
        json_set_int(metadata, "generation", json_int(metadata, "generation", 0) + 1);
    }
    stamp(cluster, object);
    watches_note(cluster, object, CHANGE_MODIFIED);
    controllers_notice(cluster, object, CHANGE_MODIFIED);
}

/* ---- deleting ---- */

void cluster_remove(struct cluster *cluster, struct object *object)
{
    if (object->gone)
        return;
    store_take_out(cluster, object);
    stamp(cluster, object);
    watches_note(cluster, object, CHANGE_DELETED);
    if (strcmp(object->kind->name, "CustomResourceDefinition") == 0)
        kinds_forget(cluster, object->json);
    controllers_notice(cluster, object, CHANGE_DELETED);
}

static void orphan_dependents(struct cluster *cluster, const struct object *owner)
{
    const char *uid = json_text(owner->json, "metadata", "uid");
    for (int i = 0; i < cluster->n_objects; i++) {
        cJSON *owners = json_at(cluster->objects[i]->json, "metadata", "ownerReferences");
        for (cJSON *one = owners ? owners->child : NULL, *next; one; one = next) {
            const char *whose = json_text(one, "uid");
            next = one->next;
            if (whose && uid && strcmp(whose, uid) == 0)
                cJSON_Delete(cJSON_DetachItemViaPointer(owners, one));
        }
    }
}

void cluster_delete(struct cluster *cluster, struct object *object, int grace_s, bool orphan)
{
    cJSON *metadata = json_child(object->json, "metadata");
    bool is_pod = strcmp(object->kind->name, "Pod") == 0;
    bool is_namespace = strcmp(object->kind->name, "Namespace") == 0;
    ask(cluster, object);
    note(cluster, object, "deleted");
    const cJSON *finalizers = cJSON_GetObjectItemCaseSensitive(metadata, "finalizers");
    if (orphan)
        orphan_dependents(cluster, object);
    if (grace_s < 0)
        grace_s = is_pod ? (int)json_int(json_at(object->json, "spec"),
                                         "terminationGracePeriodSeconds", 30)
                         : 0;
    if ((!is_pod || grace_s == 0) && !is_namespace && cJSON_GetArraySize(finalizers) == 0) {
        cluster_remove(cluster, object);
        return;
    }
    bool sooner = json_int(metadata, "deletionGracePeriodSeconds", INT32_MAX) > grace_s;
    if (json_at(metadata, "deletionTimestamp") && !sooner)
        return;
    json_set_text(
        metadata, "deletionTimestamp",
        cluster_stamp(cluster, cluster_arena(cluster), cluster_now(cluster) + grace_s * SECOND));
    json_set_int(metadata, "deletionGracePeriodSeconds", grace_s);
    if (is_namespace)
        json_set_text(json_child(object->json, "status"), "phase", "Terminating");
    cluster_touched(cluster, object, object->kind->generations);
}

/* ---- events ---- */

/* An event's `extra` is its message, so that one need not look into every one of them. */
static struct object *same_event(const struct cluster *cluster, const struct object *about,
                                 const char *ns, const char *reason, const char *message)
{
    const struct kind *kind = cluster_kind(cluster, "Event", "v1");
    const char *uid = json_text(about->json, "metadata", "uid");
    struct arena scratch = {0};
    const char *begin = arena_printf(&scratch, "%s.", about->name);
    struct object *found = NULL;
    int at;
    (void)store_search(cluster, kind, ns, begin, &at);
    for (; !found && uid && at < cluster->n_objects; at++) {
        struct object *event = cluster->objects[at];
        if (event->kind != kind || strcmp(event->ns, ns) != 0 ||
            strncmp(event->name, begin, strlen(begin)) != 0)
            break;
        if (!event->extra || strcmp(event->extra, message) != 0)
            continue;
        const char *whose = json_text(event->json, "involvedObject", "uid");
        const char *why = json_text(event->json, "reason");
        if (whose && strcmp(whose, uid) == 0 && why && strcmp(why, reason) == 0)
            found = event;
    }
    arena_release(&scratch);
    return found;
}

void cluster_event(struct cluster *cluster, const struct object *about, const char *type,
                   const char *reason, const char *source, const char *format, ...)
{
    struct arena *arena = cluster_arena(cluster);
    va_list args;
    va_start(args, format);
    char *message = arena_vprintf(arena, format, args);
    va_end(args);
    const char *ns = *about->ns ? about->ns : "default";
    const char *now = cluster_stamp(cluster, arena, cluster_now(cluster));
    struct object *event = same_event(cluster, about, ns, reason, message);
    if (event) {
        json_set_int(event->json, "count", json_int(event->json, "count", 1) + 1);
        json_set_text(event->json, "lastTimestamp", now);
        cluster_touched(cluster, event, false);
        return;
    }
    cJSON *json = cJSON_CreateObject(), *involved = json_child(json, "involvedObject");
    const char *name = arena_printf(arena, "%s.%016" PRIx64, about->name,
                                    (uint64_t)(cluster->env->start_unix_ns + cluster_now(cluster)) +
                                        (uint64_t)cluster->n_uids);
    json_set_text(json_child(json, "metadata"), "name", name);
    json_set_text(involved, "kind", about->kind->name);
    json_set_text(involved, "apiVersion", kind_api_version(arena, about->kind));
    json_set_text(involved, "name", about->name);
    if (*about->ns)
        json_set_text(involved, "namespace", about->ns);
    keep(involved, json_at(about->json, "metadata"), "uid");
    keep(involved, json_at(about->json, "metadata"), "resourceVersion");
    json_set_text(json, "type", type);
    json_set_text(json, "reason", reason);
    json_set_text(json, "message", message);
    json_set_text(json_child(json, "source"), "component", source);
    json_set_text(json, "firstTimestamp", now);
    json_set_text(json, "lastTimestamp", now);
    json_set_int(json, "count", 1);
    struct api_error error = {0};
    event = cluster_create(cluster, cluster_kind(cluster, "Event", "v1"), ns, json, false, &error);
    if (event)
        event->extra = message;
}
