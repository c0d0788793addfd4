/* edit: commands of the table in edit.c that have files of their own. */
#ifndef REHEARSE_FAKES_KUBERNETES_KUBECTL_EDIT_H
#define REHEARSE_FAKES_KUBERNETES_KUBECTL_EDIT_H

#include "fakes/kubernetes/kubectl/kubectl.h"

int kubectl_patch(struct kubectl *);   /* patch.c */
int kubectl_replace(struct kubectl *); /* patch.c */
int kubectl_diff(struct kubectl *);    /* diff.c */

#endif
