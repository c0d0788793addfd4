/* create: what the create commands of one kind have in common; each makes an object out of
 * its flags. */
#ifndef REHEARSE_FAKES_KUBERNETES_KUBECTL_CREATE_H
#define REHEARSE_FAKES_KUBERNETES_KUBECTL_CREATE_H

#include "fakes/kubernetes/kubectl/apply.h"

#define KUBECTL_CREATE_FLAGS                                                                       \
    " append-hash save-config validate=?" KUBECTL_PRINT_FLAGS KUBECTL_DRY_RUN_FLAGS

/* The one NAME of "create configmap NAME", from argument `first` on; NULL: said. */
const char *kubectl_create_name(struct kubectl *, int first);
/* An object of the kind with its name (and, if -n was given, namespace) from JSON text; lives as
 * long as the call. */
cJSON *kubectl_new_object(struct kubectl *, const char *kind, const char *name, const char *json);
/* Sends it and says so. `failing`: what stands before an error of the server ("failed to create
 * configmap: "); NULL: it is passed on as it is. Returns the exit status. */
int kubectl_create_object(struct kubectl *, cJSON *json, const char *failing);

/* create_data.c, create_workload.c */
int kubectl_create_configmap(struct kubectl *);
int kubectl_create_secret(struct kubectl *);
int kubectl_create_deployment(struct kubectl *);
int kubectl_create_job(struct kubectl *);
int kubectl_create_cronjob(struct kubectl *);
int kubectl_create_namespace(struct kubectl *);
int kubectl_create_serviceaccount(struct kubectl *);
int kubectl_create_service(struct kubectl *);

#endif
