/* setup: what the system file says of the cluster, and what follows from it: which services of the
 * world pods run, what images there are, in which places commands in pods run, who answers at a
 * Service's name.
 *
 *   services:
 *     web: {runs: {deployment: web, namespace: shop, container: web}}   # or statefulset, daemonset
 *   kubernetes:
 *     # as `kubectl apply -f` takes them, applied before the run; relative ones lie beside the
 *     # system file, absolute ones on the operator's machine
 *     manifests: [k8s/base.yaml, /opt/shop/k8s]
 *     context: prod                     # or a list, the first is the current one
 *     namespace: shop                   # of the context; default "default"
 *     nodes: [node-1, node-2]           # or {node-1: {cpu: 4, memory: 16GiB, labels: {..}}}
 *     images: {reg/web:1.0: v1, reg/report: {ends: 20s, exit: 1}}
 *     history: {web: [v0.8, v0.9]}      # earlier revisions of a workload, oldest first
 *     registry: {bandwidth: 40MB/s, latency: 400ms, missing: ["reg/web:0.9"]}
 *
 * The namespace of `runs:` is the context's unless it says otherwise, the container its pod's only
 * or first one.
 */
#ifndef REHEARSE_FAKES_KUBERNETES_SETUP_SETUP_H
#define REHEARSE_FAKES_KUBERNETES_SETUP_SETUP_H

#include "fakes/call.h"
#include "fakes/kubernetes/cluster.h"

/* ---- services of the world (workloads.c) ---- */

/* The service that this container of a pod is an instance of: the workload that owns the pod is
 * that of its `runs:`, or the image's repository is that of such a workload's. Never for pods of
 * Jobs. NULL: a plain program. `pod`: a Pod's object. */
struct service *pod_service(struct cluster *, const cJSON *pod, const cJSON *container);

/* ---- images (images.c) ---- */

struct image {
    const char *repository, *tag; /* "reg/web", "1.0" */
    const char *version;          /* of the service asked for; NULL: a plain program */
    int64_t size_bytes;
    int64_t ends_ns; /* a plain program that ends by itself: after this long; NEVER: it does not */
    int ends_exit;
    int64_t stop_ns; /* how long its program takes to end after SIGTERM; INT64_MAX: it ignores it */
    int stop_exit;   /* its exit code then */
    const char *const *tools; /* commands of ours that it holds (psql ...), NULL-terminated */
    const char *const *does;  /* what its program does to the world when it ends with 0 */
};
struct image_pull {
    const char *reason;  /* NULL: it comes; "ErrImagePull", "InvalidImageName" */
    const char *message; /* of a failure, as the kubelet shows it: "rpc error: code = ..." */
    int64_t takes_ns;    /* until it is there, or until it fails */
    struct image image;
};
/* What a pull by the kubelet comes to. `service` may be NULL: a plain program. */
void image_pull(struct cluster *, const char *reference, struct service *, struct image_pull *ret);
/* The image a node has under that name, whatever the registry says of it now; NULL: none. */
const struct image *image_on_node(struct cluster *, const char *node, const char *reference);
/* A pull has come to its end there. */
void image_arrived(struct cluster *, const char *node, const char *reference, const struct image *);
/* "web:v2", or what `images:` maps to that version. In the cluster's arena. */
const char *image_reference(struct cluster *, const char *repository, struct service *,
                            const char *version);

/* ---- places (places.c) ---- */

/* The private root in which commands of that container run (call_run_in). The first call takes one,
 * as its image has it; NULL: none is left. An instance of a service must be named like its pod. */
const char *pod_place(struct cluster *, const struct object *pod, const char *container);
/* The container has ended, or (NULL) all of the pod's: what was written in its root is lost. */
void pod_place_lost(struct cluster *, const struct object *pod, const char *container);
/* The pod in whose container this is; NULL: none. */
struct object *place_pod(struct cluster *, const char *place);

/* ---- names (names.c) ---- */

/* Whom a connection to a port of a Service leads to: one of its ready pods. */
enum env_answer service_resolve(struct cluster *, const struct object *service, int port,
                                struct env_target *ret);
/* The same for a port of one pod (port-forward); ENV_REFUSED if nothing listens there. */
enum env_answer pod_resolve(struct cluster *, const struct object *pod, int port,
                            struct env_target *ret);

#endif
