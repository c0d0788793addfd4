/* controllers: what the controller manager, the scheduler and the kubelets do, for their files
 * alone.
 *
 * Each controller is a function that brings one object nearer to what its spec says, as the real
 * one's sync does. A change of an object queues those concerned; they run a moment later, as an
 * event of the world, and each at most once for however many changes there were until then.
 */
#ifndef REHEARSE_FAKES_KUBERNETES_CONTROLLERS_CONTROLLERS_H
#define REHEARSE_FAKES_KUBERNETES_CONTROLLERS_CONTROLLERS_H

#include "fakes/kubernetes/cluster.h"

/* Between a change and those who act on it: a watch, a queue, a request. */
#define SOON_NS (20 * MILLISECOND)

struct controllers;
struct pod; /* kubelet.h */
typedef void sync_fn(struct controllers *, struct object *);

struct controllers {
    struct cluster *cluster;
    struct env *env;
    struct work **work; /* pending, in the order of queueing */
    int n_work, cap_work;
    int64_t n_names;   /* made up so far */
    struct pod **pods; /* all there ever were */
    int n_pods, cap_pods;
    struct home *homes; /* data.c */
    int n_homes, cap_homes;
    struct way *ways; /* routes.c */
    int n_ways, cap_ways;
};

struct controllers *controllers_of(struct cluster *);
/* Runs `sync` on the object in so many ns, or earlier if that is queued already. */
void controllers_later(struct controllers *, sync_fn *, struct object *, int64_t delay_ns);
bool controllers_before_run(const struct controllers *);
int64_t controllers_now(const struct controllers *);
/* How many pods the spec asks for under that key. No more than PODS_MOST are simulated: that more
 * were wanted is said in the run (not_simulated). */
enum { PODS_MOST = 500 };
int pods_wanted(struct controllers *, const struct object *, const char *key, int otherwise);

/* ---- one sync function a controller ---- */

sync_fn deployment_sync, replica_set_sync, stateful_set_sync, daemon_set_sync, job_sync,
    cron_job_sync, service_sync, ingress_sync, pod_sync, claim_sync, autoscaler_sync, budget_sync;

/* ---- objects ---- */

bool is_kind(const struct object *, const char *kind);
const char *uid_of(const struct object *);
bool is_being_deleted(const struct object *);
/* NULL: it has none of that name. */
const char *annotation_of(const struct object *, const char *name);
cJSON *spec_of(const struct object *);
/* The controller that owns it (ownerReferences), NULL: none. */
struct object *controller_of(struct controllers *, const struct object *);
bool is_controlled(const struct object *); /* by anybody, there or not */
bool is_controlled_by(const struct object *, const struct object *owner);
void set_controller(cJSON *json, struct arena *, const struct object *owner);
/* All objects of a kind in a namespace (NULL: all); NULL-terminated. */
struct object **objects_of(struct controllers *, struct arena *, const char *kind, const char *ns);
/* Those of a kind that `owner` controls; what matches its spec.selector and nobody controls is
 * adopted first, what it controls and does not match is let go. */
struct object **dependents_of(struct controllers *, struct arena *, const char *kind,
                              struct object *owner);
/* Makes an object; false: an event about `owner` says why not (reason FailedCreate). */
struct object *make_for(struct controllers *, struct object *owner, const char *kind,
                        const char *source, cJSON *json);
/* A pod's object from a template; its namespace and owner set. */
cJSON *pod_from_template(struct arena *, const cJSON *template, const struct object *owner);
/* Events of before the run are long forgotten. */
void tell(struct controllers *, const struct object *about, const char *type, const char *reason,
          const char *source, const char *format, ...) __attribute__((format(printf, 6, 7)));
/* Takes `status`; if it says something else than the present one, it takes its place. */
bool set_status(struct controllers *, struct object *, cJSON *status);
/* Five letters as names end in. */
const char *new_name_suffix(struct controllers *, struct arena *, const char *base);
/* Of a template or anything: the order of keys does not matter. In the letters of names. */
const char *json_hash(struct arena *, const cJSON *);
const char *now_stamp(struct controllers *, struct arena *);
/* NEVER: it is none. */
int64_t stamp_ns(struct controllers *, const char *stamp);
/* "25%" (also for NULL) or a number, of `whole`. */
int int_or_percent(const cJSON *value, int whole, bool round_up);
/* The condition of that type in an array, NULL: none. */
cJSON *condition_of(const cJSON *status, const char *type);

/* ---- pods, for those who make them ---- */

bool pod_is_active(const struct object *); /* neither ended nor being deleted */
bool pod_is_ready(const struct object *);
/* Ready for so many seconds; *ret_in_ns (may be NULL): when it will be, INT64_MAX if unknown. */
bool pod_is_available(struct controllers *, const struct object *, int64_t min_ready_s,
                      int64_t *ret_in_ns);
const char *pod_phase(const struct object *);

/* ---- parts of the kubelet and the scheduler ---- */

/* The node for a pod; NULL and *why: none fits now; NULL and no *why: its volumes are on the way.
 */
const char *schedule(struct controllers *, struct arena *, const struct object *pod,
                     const char **why);
/* The same if its claims were no matter; NULL: none. */
const char *schedule_without_claims(struct controllers *, struct arena *, const struct object *pod);
bool tolerates(const struct object *pod, const cJSON *taint);

/* ---- who stands behind a Service, and whom the world's traffic comes to ---- */

bool service_selects(struct arena *, const struct object *service, const struct object *pod);
/* Whether a pod that it selects gets connections: ready and not being deleted. */
bool service_serves(const struct object *service, const struct object *pod);
/* The port of the pod behind a Service's port; 0: the pod has none of that name. */
int64_t service_target_port(const cJSON *port, const struct object *pod);
/* Gives each instance the traffic that it should have now, and takes it from the others. */
void pods_rotate(struct controllers *);
/* Runs when everything is at rest before the run: how each service gets its traffic. */
void routes_learn(struct controllers *);
void routes_forget(struct controllers *);

#endif
