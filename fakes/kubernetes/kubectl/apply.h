/* apply: what apply, create, replace, patch, edit and diff have in common. */
#ifndef REHEARSE_FAKES_KUBERNETES_KUBECTL_APPLY_H
#define REHEARSE_FAKES_KUBERNETES_KUBECTL_APPLY_H

#include "fakes/kubernetes/api/admission.h"
#include "fakes/kubernetes/kubectl/change.h"
#include "fakes/kubernetes/kubectl/kubectl.h"

#define KUBECTL_LAST_APPLIED "kubectl.kubernetes.io/last-applied-configuration"

/* A tree that lives as long as the call. */
cJSON *kubectl_keep(struct kubectl *, cJSON *);
/* As one line of JSON, in the call's arena. */
const char *kubectl_json_text(struct kubectl *, const cJSON *);

enum cascade { CASCADE_BACKGROUND, CASCADE_FOREGROUND, CASCADE_ORPHAN };
bool kubectl_cascade_flag(struct kubectl *, enum cascade *ret);

/* --validate: what the server does about fields that it does not know (fieldValidation). */
enum validation { VALIDATE_IGNORE, VALIDATE_WARN, VALIDATE_STRICT };
bool kubectl_validation(struct kubectl *, enum validation *ret);
/* An object that is to be made or replaced. False: refused, *error. */
bool kubectl_check_fields(struct kubectl *, enum validation, const struct kind *, const cJSON *,
                          struct api_error *error);
/* A strategic merge or merge patch of an object. */
bool kubectl_check_patch(struct kubectl *, enum validation, const struct object *,
                         const cJSON *patch, bool strategic, struct api_error *error);

/* Puts the object as it is into its own annotation: what the next apply compares with. */
void kubectl_annotate_applied(struct kubectl *, cJSON *json);
/* "error when creating \"base.yaml\"". */
const char *kubectl_when(struct kubectl *, const char *doing, const struct resource *);
/* `Resource: "apps/v1, Resource=deployments", GroupVersionKind: ...`, in two lines. */
const char *kubectl_resource_info(struct kubectl *, const struct resource *);

/* Deletes, and waits until it is gone (`timeout_ns` 0: a week). 1 gone, 0 not in time, -1 a signal.
 */
int kubectl_delete_and_wait(struct kubectl *, struct object *, int grace_s, enum cascade,
                            int64_t timeout_ns);
/* Waits for that alone. */
int kubectl_wait_gone(struct kubectl *, const struct object *, int64_t timeout_ns);

#endif
