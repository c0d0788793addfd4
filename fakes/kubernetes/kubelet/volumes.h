/* volumes: what is mounted into a pod, for the kubelet's files and data.c. */
#ifndef REHEARSE_FAKES_KUBERNETES_KUBELET_VOLUMES_H
#define REHEARSE_FAKES_KUBERNETES_KUBELET_VOLUMES_H

#include "fakes/kubernetes/kubelet/kubelet.h"

struct pod_volume {
    const char *name;
    struct object *claim; /* NULL: it is none of a claim's */
    cJSON *files;         /* {path: text} of ConfigMaps and Secrets, as they are mounted now */
    cJSON *first;         /* as they were at first: single files (subPath) do not follow */
};

/* A volume of the pod's spec; NULL: none of that name. */
const cJSON *pod_volume_spec(const struct pod *, const char *name);
/* The claim behind a volume of the pod's spec; NULL: none. */
struct object *claim_of(const struct pod *, const cJSON *volume);
bool pod_uses_claim(const struct pod *, const struct object *claim);

#endif
