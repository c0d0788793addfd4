/* rollouts: one look of the Deployment controller at one Deployment: deployments.c acts, rollouts.c
 * says what there is to say about it. */
#ifndef REHEARSE_FAKES_KUBERNETES_CONTROLLERS_ROLLOUTS_H
#define REHEARSE_FAKES_KUBERNETES_CONTROLLERS_ROLLOUTS_H

#include "fakes/kubernetes/controllers/controllers.h"

#define REVISION         "deployment.kubernetes.io/revision"
#define REVISION_HISTORY "deployment.kubernetes.io/revision-history"
#define DESIRED_REPLICAS "deployment.kubernetes.io/desired-replicas"
#define MAX_REPLICAS     "deployment.kubernetes.io/max-replicas"

struct rollout {
    struct controllers *controllers;
    struct arena *arena;
    struct object *deployment;
    struct object *fresh; /* the ReplicaSet of the present template; NULL: there is none yet */
    struct object **old;  /* the others, oldest first */
    int n_old;
    int want;      /* replicas */
    cJSON *status; /* being worked out; owned until rollout_report */
    bool touched;  /* an annotation of the Deployment has changed */
};

int replicas_of(const struct object *); /* spec.replicas */
int status_of(const struct object *, const char *key);
int64_t revision_of(const struct object *);
int rollout_sum(const struct rollout *, int (*number)(const struct object *));
int rollout_max_unavailable(const struct rollout *);

/* util.SetDeploymentCondition: nothing changes if status and reason are the same. */
void rollout_condition(struct rollout *, const char *type, const char *status, const char *reason,
                       const char *message);
/* Since when it is paused, or resumed, in the condition Progressing. */
void rollout_paused(struct rollout *, bool paused);
/* By the status as last reported. */
bool rollout_complete(const struct rollout *);
/* Reports the status; `progress`: also whether the rollout gets on, and looks again when its
 * deadline is over. */
void rollout_report(struct rollout *, bool progress);

#endif
