/* pods: which pod, and which of its containers, a command means (k8s.io/kubectl
 * pkg/polymorphichelpers, pkg/util/podutils, pkg/cmd/util/podcmd). */
#ifndef REHEARSE_FAKES_KUBERNETES_KUBECTL_PODS_H
#define REHEARSE_FAKES_KUBERNETES_KUBECTL_PODS_H

#include "fakes/kubernetes/kubectl/output.h"
#include "fakes/kubernetes/kubelet/pods.h"

/* What a workload or Service selects its pods by; NULL: its kind has no pods. */
struct selector *kubectl_pods_selector(struct kubectl *, const struct object *);
enum pod_order {
    PODS_FOR_LOGS, /* the one that has been ready for the longest time first */
    PODS_ACTIVE,   /* the same, but restarts count against it */
};
/* The pods it selects, best first, NULL-terminated. */
struct object **kubectl_pods_of(struct kubectl *, const struct selector *, const char *ns,
                                enum pod_order);
/* "POD" or "TYPE/NAME": the object itself, its kind a pod or not. NULL and *ret_exit: it has been
 * said why not; `logs` words a missing one in its own way. */
struct object *kubectl_pod_or_owner(struct kubectl *, const char *typed, bool logs, int *ret_exit);
/* The pod of it to attach to (exec, cp, port-forward): waits for one for up to
 * --pod-running-timeout. NULL and *ret_exit. */
struct object *kubectl_pod_to_attach(struct kubectl *, const char *typed, int *ret_exit);

/* The container that is meant if none is given: that of the annotation, or the first; of several it
 * is said which (not with `quiet`). */
const char *kubectl_default_container(struct kubectl *, const struct object *pod, bool quiet);
bool kubectl_has_container(const struct object *pod, const char *container);
/* NULL, or why no process can be started in it now ("error: " and all). */
const char *kubectl_cannot_enter(struct kubectl *, const struct object *pod, const char *container);

/* Runs a command in a container with its environment: its exit status, 127 and -1 as inside_run. */
int kubectl_run_inside(struct kubectl *, struct object *pod, const char *container, char **argv,
                       bool interactive);

#endif
