/* change: what the commands share that change an object in place (rollout, set, scale).
 *
 * They read an object, change a copy of it and send the difference as a strategic merge patch
 * (k8s.io/kubectl pkg/cmd/set/helper.go, CalculatePatches).
 */
#ifndef REHEARSE_FAKES_KUBERNETES_KUBECTL_CHANGE_H
#define REHEARSE_FAKES_KUBERNETES_KUBECTL_CHANGE_H

#include "fakes/kubernetes/kubectl/output.h"

/* The pod template of a workload, or the pod itself: what holds "metadata" and "spec" of pods.
 * NULL: the kind has none. */
cJSON *kubectl_pod_template(const struct kind *, cJSON *json);

/* The cause that --record notes in the object, in kubernetes.io/change-cause; says that the flag is
 * deprecated. NULL: it was not given. Once a call, before anything else is printed. */
const char *kubectl_change_cause(struct kubectl *);
#define KUBECTL_RECORD_FLAGS " record"
/* Notes it in an object; NULL: does nothing. */
void kubectl_set_cause(cJSON *json, const char *cause);

/* Changes `copy` as the command wants it: NULL, or what is wrong. */
typedef const char *kubectl_changer(struct kubectl *, const struct resource *, cJSON *copy);

struct kubectl_changes {
    kubectl_changer *change;
    const char *done; /* "restarted" */
    bool qualified;   /* its words stand behind `deployments.apps "web" `, not "deployments/web " */
    const char
        *unchanged;     /* why nothing was different, if that is an error; NULL: nothing is said */
    const char *failed; /* before the server's words: "failed to patch: " */
    const char *cause;  /* of --record; may be NULL */
    bool always;        /* said also if nothing is different */
    enum dry_run dry_run;
};
/* The words of a changer for a kind without pods. */
const char *kubectl_no_pods(struct kubectl *, const struct kind *);
/* Whether a container is among those of -c: "*" all, "web*", "*web". */
bool kubectl_container_chosen(const char *name, const char *chosen);

/* Takes the arguments apart: "TYPE NAME... KEY=VALUE... KEY-" (pkg/cmd/util, GetResourcesAndPairs).
 * The pairs are *ret_pairs; false: a resource stands behind a pair, which has been said.
 * Only the others are left in k->args. `what`: "image". */
bool kubectl_split_pairs(struct kubectl *, const char *what, char ***ret_pairs, int *ret_n);
/* Of every resource; errors become complaints. */
void kubectl_change_all(struct kubectl *, struct resources *, const struct kubectl_changes *);

#endif
