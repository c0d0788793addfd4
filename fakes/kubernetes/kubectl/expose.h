/* expose: `kubectl expose`, and what commands share that make an object of their flags. */
#ifndef REHEARSE_FAKES_KUBERNETES_KUBECTL_EXPOSE_H
#define REHEARSE_FAKES_KUBERNETES_KUBECTL_EXPOSE_H

#include "fakes/kubernetes/kubectl/output.h"

int kubectl_expose(struct kubectl *);

/* "a=b,c=d" as labels of a flag, put into an object. False: it is no such thing, and has been said.
 */
bool kubectl_put_labels(struct kubectl *, cJSON *into, const char *typed);
/* Makes the object (`json` is taken) in the command's namespace and says so, or complains. NULL:
 * it was not made (also with --dry-run=client). */
struct object *kubectl_make(struct kubectl *, struct resources *, const struct kind *, cJSON *json,
                            enum dry_run, const char *done);

#endif
