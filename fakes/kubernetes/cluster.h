/* cluster: the API server's store and its rules: kinds, objects, verbs, watches.
 *
 * One cluster a run, in the env's slot "kubernetes". Objects are JSON trees (cJSON) as the API
 * server would give them back: defaulted, with metadata.uid, resourceVersion, creationTimestamp,
 * and generation where the kind has one. The functions here change the cluster at once and in no
 * virtual time; commands do the waiting (KUBECTL_*_NS), controllers act by events of the world.
 *
 * Who changes an object says so through a verb, or, being a controller, edits object->json in place
 * and calls cluster_touched(). Wording of errors: the API server's (k8s.io/apimachinery
 * pkg/api/errors, and pkg/util/validation/field).
 */
#ifndef REHEARSE_FAKES_KUBERNETES_CLUSTER_H
#define REHEARSE_FAKES_KUBERNETES_CLUSTER_H

#include <cjson/cJSON.h>

#include "fakes/env.h"
#include "fakes/kubernetes/api/selector.h"
#include "sim/base/doc.h"

struct cluster;
struct object;

/* ---- kinds (kinds.c) ---- */

struct kind {
    const char *name;        /* "Deployment" */
    const char *plural;      /* "deployments" */
    const char *singular;    /* "deployment" */
    const char *short_names; /* parted by blanks: "deploy"; "" none */
    const char *group;       /* "apps"; "" the core group */
    const char *version;     /* "v1" */
    bool namespaced;
    bool custom;      /* defined by a CustomResourceDefinition */
    bool in_all;      /* part of `kubectl get all` */
    bool generations; /* metadata.generation counts changes of its spec */
};
/* Built-in kinds in the order of discovery, then custom ones in the order of their definition. */
int cluster_kinds(const struct cluster *);
const struct kind *cluster_kind_at(const struct cluster *, int i);
/* By kind and apiVersion ("apps/v1"), exactly. NULL: "no matches for kind". */
const struct kind *cluster_kind(const struct cluster *, const char *name, const char *api_version);
/* As people type it: plural, singular, short name or kind, in any case, with or without ".group" or
 * ".version.group". NULL: the server has no such resource. */
const struct kind *cluster_resource(const struct cluster *, const char *typed);
/* "apps/v1", "v1". */
const char *kind_api_version(struct arena *, const struct kind *);
/* "deployments.apps", "pods": how errors and -o name say it ("deployment.apps" with the singular).
 */
const char *kind_qualified(struct arena *, const struct kind *);
const char *kind_qualified_singular(struct arena *, const struct kind *);

/* ---- objects ---- */

struct object {
    const struct kind *kind;
    const char *ns; /* "" for what has no namespace */
    const char *name;
    cJSON *json; /* owned */
    int64_t created_ns;
    int64_t version; /* its resourceVersion */
    int step;    /* of the procedure: in which it was last asked to change, or its owner; 0 none */
    bool gone;   /* removed; stays until release, so that nothing dangles */
    void *extra; /* of the controller that owns the kind: a pod's running program */
};

/* What went wrong, as the API server answers it; code 0: nothing. */
struct api_error {
    int code;            /* 404 */
    const char *reason;  /* "NotFound" */
    const char *message; /* in the cluster's arena */
    /* of an Invalid one, each thing that is wrong ("spec.replicas: Invalid value: -1: must be
     * ..."), NULL-terminated; may be NULL */
    const char *const *causes;
};
/* All return false, so that `return api_...` reads well. */
bool api_fail(struct cluster *, struct api_error *, int code, const char *reason,
              const char *format, ...) __attribute__((format(printf, 5, 6)));
bool api_not_found(struct cluster *, struct api_error *, const struct kind *, const char *name);

/* The cluster of this run; NULL if the system file has no `kubernetes:`. */
struct cluster *cluster_of(struct env *);
struct env *cluster_env(const struct cluster *);
struct arena *cluster_arena(struct cluster *); /* of the run */
int64_t cluster_now(const struct cluster *);   /* ns since the start of the run */
/* RFC 3339 in UTC with seconds, as creationTimestamp. */
const char *cluster_stamp(struct cluster *, struct arena *, int64_t at_ns);
/* The system is being set up: what is made now has been running for a long time. */
bool cluster_before_run(const struct cluster *);

struct object *cluster_find(struct cluster *, const struct kind *, const char *ns,
                            const char *name);
struct object *cluster_find_named(struct cluster *, const char *kind, const char *ns,
                                  const char *name); /* built-in kinds by kind */
/* Objects of a kind in the order of etcd (namespace, name), NULL-terminated, in the arena. `ns`
 * NULL: all namespaces; selectors may be NULL. */
struct object **cluster_list(struct cluster *, struct arena *, const struct kind *, const char *ns,
                             const struct selector *labels, const struct selector *fields);

/* Makes the cluster of this run, empty but for its built-in kinds; its setup fills it. */
struct cluster *cluster_new(struct env *);
void cluster_free(struct cluster *);
/* The system is set up: what is made from now on is new. */
void cluster_run_begins(struct cluster *);

/* What ~/.kube/config says. All contexts reach the one cluster there is. */
struct context {
    const char *name, *cluster, *user, *server;
    const char *ns; /* "" the default */
};
struct contexts {
    struct context *at; /* in the cluster's arena */
    int n;
    int current; /* -1: none */
};
struct contexts *cluster_contexts(struct cluster *);

/* ---- verbs, as the API server carries them out ---- */

/* Makes an object. `json` is taken in any case; its namespace is `ns` for namespaced kinds, its
 * name may come from generateName. NULL and the error on failure (AlreadyExists, Invalid,
 * BadRequest, NotFound for a namespace that is not there). `dry_run`: everything but keeping it;
 * the object returned is in nobody's list and lives in the arena of the run. */
struct object *cluster_create(struct cluster *, const struct kind *, const char *ns, cJSON *json,
                              bool dry_run, struct api_error *);
/* Replaces an object's content by `json` (taken): status stays unless the kind has none; a
 * resourceVersion in it that is not the present one is a Conflict. *ret_changed (may be NULL):
 * whether anything was different. */
bool cluster_update(struct cluster *, struct object *, cJSON *json, bool dry_run, bool *ret_changed,
                    struct api_error *);
enum patch_type { PATCH_STRATEGIC, PATCH_MERGE, PATCH_JSON };
/* `patch` as sent. Strategic merge patches of custom resources are refused (415). */
bool cluster_patch(struct cluster *, struct object *, enum patch_type, const char *patch,
                   bool dry_run, bool *ret_changed, struct api_error *);
/* The object as the last update or patch with `dry_run` (or without a difference) would have left
 * it, until the next one. */
const cJSON *cluster_tried(const struct cluster *);
/* Begins the end of an object: what has finalizers or, a pod, a grace period goes later.
 * `grace_s` -1: the object's own. Dependents by ownerReferences follow (background) or stay
 * (`orphan`). */
void cluster_delete(struct cluster *, struct object *, int grace_s, bool orphan);
/* Takes it out of the store now: the end of a deletion. For controllers. */
void cluster_remove(struct cluster *, struct object *);
/* A controller has changed object->json in place: a new resourceVersion, and watchers and
 * controllers hear of it. `spec`: its spec is another one (a new generation). */
void cluster_touched(struct cluster *, struct object *, bool spec);
/* Until the second call, with what the first returned, whatever happens is an effect of the step
 * that asked for this object: what controllers do around their work for it. */
int cluster_act_for(struct cluster *, const struct object *);
void cluster_act_done(struct cluster *, int before);
/* A container has read a ConfigMap or Secret, at its start or in a folder: the step that changed it
 * last has had an effect. For the kubelet. */
void cluster_config_read(struct cluster *, const struct object *config, const char *by);
/* Writes an Event about an object; the same once more raises its count. */
void cluster_event(struct cluster *, const struct object *about, const char *type /* Normal */,
                   const char *reason, const char *source /* kubelet */, const char *format, ...)
    __attribute__((format(printf, 6, 7)));

/* ---- validation and defaults (admission.c): run by the verbs ---- */

/* Fills defaults into `json` (as pkg/apis/.../defaults.go) and refuses what the API server refuses:
 * wrong types (400, "cannot be handled as a Deployment: json: cannot unmarshal ..."), missing or
 * bad values and immutable fields (422, "Deployment.apps \"web\" is invalid: ..."). `old`: what it
 * replaces, or NULL. */
bool admission(struct cluster *, const struct kind *, cJSON *json, const cJSON *old,
               struct api_error *);

/* The first value of a wrong type in `json`, in the words of Go's JSON decoder ("json: cannot
 * unmarshal number into Go struct field ConfigMap.data of type string") or, `converter`, of the
 * unstructured converter that patches go through ("unrecognized type: string"). NULL: none. */
const char *admission_wrong_type(struct cluster *, const struct kind *, const cJSON *json,
                                 bool converter);

/* ---- watches ---- */

enum change_type { CHANGE_ADDED, CHANGE_MODIFIED, CHANGE_DELETED };
struct change {
    int64_t version;
    enum change_type type;
    const struct kind *kind;
    const char *ns, *name;
    const cJSON *json; /* as it was then */
};
/* Between these two every change is kept. Register the end with call_defer. */
void cluster_watch_begin(struct cluster *);
void cluster_watch_end(struct cluster *);
int64_t cluster_version(const struct cluster *);
/* The next change after `version` of that kind (NULL: any) and namespace and name (NULL: any);
 * NULL: none yet. */
const struct change *cluster_next_change(struct cluster *, int64_t version, const struct kind *,
                                         const char *ns, const char *name);
/* Waits for the next change of anything after `version`, at most until `until_ns`. 1 there is one,
 * 0 the time is up, -1 a signal. Notices a change at most WATCH_GRAIN_NS late. */
#define WATCH_GRAIN_NS (100 * MILLISECOND)
struct call;
int cluster_await(struct call *, struct cluster *, int64_t version, int64_t until_ns);

/* ---- controllers (controllers.c and the files it names) ---- */

/* Something happened to this object: whoever is concerned acts, a moment later. Called by the
 * verbs. */
void controllers_notice(struct cluster *, const struct object *, enum change_type);
/* Before the run: brings everything to rest at once, with pods that have been running for days. */
void controllers_settle(struct cluster *);
void controllers_setup(struct cluster *);
void controllers_release(struct cluster *);

/* ---- help with JSON ---- */

/* The value at a path of object keys ("spec", "template", NULL), NULL if it is not there. */
#define json_at(json, ...) json_at_path((json), (const char *const[]){__VA_ARGS__, NULL})
cJSON *json_at_path(const cJSON *, const char *const *path);
#define json_text(json, ...)                                                                       \
    json_text_path((json), (const char *const[]){__VA_ARGS__, NULL}) /* NULL: not there, no text   \
                                                                      */
const char *json_text_path(const cJSON *, const char *const *path);
/* A whole number; `otherwise` if it is not there. */
int64_t json_int(const cJSON *object, const char *key, int64_t otherwise);
/* Sets a key, in the place of what was there; the value is taken. */
void json_set(cJSON *object, const char *key, cJSON *value);
void json_set_text(cJSON *object, const char *key, const char *value);
void json_set_int(cJSON *object, const char *key, int64_t value);
/* The child object of that name, made if it is not there. */
cJSON *json_child(cJSON *object, const char *key);

#endif
