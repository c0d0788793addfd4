/* rollout: the parts of `kubectl rollout`; its table is in rollout.c. */
#ifndef REHEARSE_FAKES_KUBERNETES_KUBECTL_ROLLOUT_H
#define REHEARSE_FAKES_KUBERNETES_KUBECTL_ROLLOUT_H

#include "fakes/kubernetes/kubectl/change.h"

int kubectl_rollout_status(struct kubectl *);
int kubectl_rollout_history(struct kubectl *);
int kubectl_rollout_undo(struct kubectl *);

/* A revision of a workload: a ReplicaSet, or a ControllerRevision. */
struct revision {
    int64_t number;
    const struct object *object;
    cJSON *template; /* of the pods then, with its label pod-template-hash */
};
/* Those of a Deployment, StatefulSet or DaemonSet, by number; NULL-object-terminated, in the call's
 * arena. */
struct revision *rollout_revisions(struct kubectl *, const struct object *workload, int *ret_n);
/* Whether the resource is there and has revisions; else that is a complaint, in which `who` and
 * `what` name the part of kubectl that has no use for it. */
bool rollout_is_kept(struct kubectl *, struct resources *, const struct resource *, const char *who,
                     const char *what);

#endif
