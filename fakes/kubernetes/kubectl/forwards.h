/* forwards: ports of this machine that a running `kubectl port-forward` leads to pods. */
#ifndef REHEARSE_FAKES_KUBERNETES_KUBECTL_FORWARDS_H
#define REHEARSE_FAKES_KUBERNETES_KUBECTL_FORWARDS_H

#include "fakes/kubernetes/cluster.h"

/* False: something else is forwarded from there. */
bool forward_begin(struct env *, int local_port, const struct object *pod, int port);
void forward_end(struct env *, int local_port);
/* ENV_NO_HOST where nothing is forwarded. */
enum env_answer forward_resolve(struct cluster *, int local_port, struct env_target *ret);

#endif
