/* revisions: the history of StatefulSets and DaemonSets, in ControllerRevisions.
 *
 * Follows k8s.io/kubernetes pkg/controller/history.
 */
#ifndef REHEARSE_FAKES_KUBERNETES_CONTROLLERS_REVISIONS_H
#define REHEARSE_FAKES_KUBERNETES_CONTROLLERS_REVISIONS_H

#include "fakes/kubernetes/controllers/controllers.h"

#define REVISION_LABEL "controller-revision-hash"

/* The revision of the present template: made, or, where an earlier one has the same template, that
 * one with a new number. NULL: it cannot be made. */
struct object *revision_now(struct controllers *, struct arena *, struct object *set);
/* By name; NULL: there is none. */
struct object *revision_named(struct controllers *, const struct object *set, const char *name);
/* The template it keeps. */
const cJSON *revision_template(const struct object *revision);
/* A pod's label: the name of its revision (StatefulSets), or only its hash (DaemonSets). "" none.
 */
const char *revision_of_pod(const struct object *pod);
/* Those beyond spec.revisionHistoryLimit that no pod has, oldest first, go. */
void revisions_clean_up(struct controllers *, struct arena *, struct object *set,
                        struct object *const *pods, const char *const *used);

#endif
