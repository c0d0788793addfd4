/* What setup.c and the files beside it (images.c, workloads.c, places.c, manifests.c, names.c) keep
 * for a run. */
#ifndef REHEARSE_FAKES_KUBERNETES_SETUP_SETUP_STATE_H
#define REHEARSE_FAKES_KUBERNETES_SETUP_SETUP_STATE_H

#include "fakes/kubernetes/setup/setup.h"

/* A service of the world that says `runs: {deployment: ...}`. */
struct workload {
    struct service *service;
    const char *kind, *ns, *name; /* "Deployment" */
    const char *container;        /* NULL: the first */
    const char *repository;       /* of its image at the start */
    const char *initial_tag; /* that the manifest names, if it is no version: the initial one's */
    bool plain_numbers;      /* its tags are the versions without their "v" */
    const struct doc *doc;   /* `runs` */
};

struct node_image {
    const char *node, *reference;
    struct image image;
};

/* A root for commands in containers. */
struct place {
    const char *name, *like;         /* `like`: whose first files it begins with */
    const char *ns, *owner;          /* of the workload whose pods it is for; "": any */
    const char *pod_uid, *container; /* whose it is now; NULL: nobody's */
    struct object *pod;
};

struct setup {
    struct cluster *cluster;
    const struct doc *config;
    const char *ns; /* of the context */
    struct workload *workloads;
    int n_workloads, cap_workloads;
    struct node_image *node_images;
    int n_node_images, cap_node_images;
    struct place *places;
    int n_places, cap_places;
    double bandwidth_bytes_per_s;
    int64_t latency_ns;
    bool unreachable;
};

/* NULL: the system file has no `kubernetes:`. */
struct setup *setup_of(struct env *);

/* ---- workloads.c ---- */

int workloads_load(struct setup *, struct error *);
/* Whether `runs:` speaks of Kubernetes. */
bool workload_declared(const struct doc *runs);
/* A manifest, before it is applied: which image a workload of ours has. */
void workloads_meet(struct setup *, const char *kind, const char *ns, const cJSON *object);
/* Once all are applied: whether each workload is there. */
int workloads_check(struct setup *, struct error *);
/* NULL: that object is none of them. */
const struct workload *workload_of(const struct setup *, const char *kind, const char *ns,
                                   const char *name);
/* Kind and name of what keeps a pod alive: its Deployment rather than its ReplicaSet. NULL:
 * nothing. */
void workload_behind(struct cluster *, const cJSON *pod, const char **ret_kind,
                     const char **ret_name);
/* The container of a workload's template; NULL: there is none. */
cJSON *workload_container(const struct workload *, const cJSON *object);
/* The change of the scenario: deploys a version of a service that runs in here. */
bool workloads_deploy(struct world *, struct service *, const char *version, void *setup);

/* ---- images.c ---- */

int images_load(struct setup *, struct error *);
/* The version of that name, with or without a "v" before its number (tag 1.0 is version v1.0);
 * NULL. */
const char *image_same_version(struct arena *, const struct service *, const char *tag);

/* ---- manifests.c ---- */

int manifests_apply(struct setup *, struct error *);
/* The text of the files that `manifests:` names, each under a line that says from which template of
 * that chart it is. */
int manifests_text(struct setup *, const struct doc *list, const char *chart, struct buf *out,
                   struct error *);
/* Makes a namespace that is not there yet; -1: it cannot be called so. */
int manifest_namespace(struct setup *, const char *ns);
/* The label of an object that `kubectl apply` made: the annotation with what it was given. */
void manifest_applied(cJSON *object);

/* ---- nodes.c ---- */

int nodes_make(struct setup *, struct error *);

/* ---- places.c ---- */

void places_declare(struct setup *);

/* ---- names.c ---- */

env_resolve_fn names_resolve; /* its ctx is the cluster */

#endif
