/* kubectl_rollout: the parts of `kubectl rollout`; its table is in kubectl_rollout.c. */
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
bool rollout_has_revisions(const struct kind *);
/* "error retrieving history for \"Service\", ..." of a kind that has none. */
const char *rollout_not_for(struct kubectl *, const struct kind *, const char *what,
                            const char *retrieving);

#endif
