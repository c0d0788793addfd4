/* set: the parts of `kubectl set`; its table is in set.c. */
#ifndef REHEARSE_FAKES_KUBERNETES_KUBECTL_SET_H
#define REHEARSE_FAKES_KUBERNETES_KUBECTL_SET_H

#include "fakes/kubernetes/kubectl/change.h"

int kubectl_set_env(struct kubectl *);

#endif
