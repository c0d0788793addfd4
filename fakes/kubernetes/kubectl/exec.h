/* exec: commands that go into pods; their table is in exec.c. */
#ifndef REHEARSE_FAKES_KUBERNETES_KUBECTL_EXEC_H
#define REHEARSE_FAKES_KUBERNETES_KUBECTL_EXEC_H

#include "fakes/kubernetes/kubectl/pods.h"

/* Says that -t cannot be had where stdin is no terminal. */
void kubectl_check_terminal(struct kubectl *);
/* What is said of a command that ended: its exit status. */
int kubectl_ended(struct kubectl *, int status);
/* What containerd says of a program that is not in the image: 1. */
int kubectl_not_found(struct kubectl *, const struct object *pod, const char *program);

int kubectl_cp(struct kubectl *);
int kubectl_run_pod(struct kubectl *);
int kubectl_port_forward(struct kubectl *);

#endif
