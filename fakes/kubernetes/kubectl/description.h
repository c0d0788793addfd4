/* describe: an object in words, as `kubectl describe` puts it.
 *
 * Source: k8s.io/kubectl pkg/describe describe.go of 1.32; held against the real one on the same
 * objects. Text is collected with tabs between its columns and aligned at the end.
 */
#ifndef REHEARSE_FAKES_KUBERNETES_KUBECTL_DESCRIPTION_H
#define REHEARSE_FAKES_KUBERNETES_KUBECTL_DESCRIPTION_H

#include "fakes/kubernetes/cluster.h"
#include "fakes/kubernetes/kubectl/tables.h"
#include "sim/base/buf.h"

struct describe {
    struct cluster *cluster;
    struct arena *arena;
    struct buf *text;
    bool events; /* --show-events */
};

/* All of an object, aligned, at the end of `out`. */
void describe_object(struct describe *, const struct object *, struct buf *out);
/* "Pod Template:\n  Labels:\tapp=web\n ...": fields parted by tabs, which `rollout history
 * --revision` leaves as they are. */
void describe_pod_template(struct arena *, const cJSON *template, struct buf *out);

/* ---- for the files of kinds ---- */

struct describer {
    const char *kind;
    void (*describe)(struct describe *, const struct object *);
};
/* Each ends with a row of NULL kind. */
extern const struct describer describe_workloads[], describe_services[], describe_nodes[],
    describe_policy[];
void describe_pod(struct describe *, const struct object *);
void lines_template(struct describe *, const cJSON *template);
/* Whatever has no describer of its own, custom resources first of all. */
void describe_generic(struct describe *, const struct object *);

/* A line, two blanks for each level. */
void line(struct describe *, int level, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* "Name:\tweb" and "Namespace:\tshop", the latter for what has one. */
void line_names(struct describe *, const struct object *);
/* "Labels:\ta=b", a line for each; `title` with the blanks before it. */
void lines_labels(struct describe *, const char *title, const cJSON *labels);
void lines_annotations(struct describe *, const char *title, const cJSON *annotations);
/* Labels and annotations of an object. */
void lines_metadata(struct describe *, const struct object *);
void lines_tolerations(struct describe *, const char *title, const cJSON *tolerations);
void lines_events(struct describe *, const struct object *);
/* "5m (x3 over 12m)". */
const char *event_interval(struct cluster *, struct arena *, const cJSON *event);
/* In the order in which they were seen last. */
void events_sort(struct object **, int n);
/* The quotas and limits that hold in a namespace. */
void lines_quotas(struct describe *, const char *ns);
/* "True" "False". */
const char *true_or_false(const cJSON *);
/* "Deployment/web": who controls it; NULL: nobody. */
const char *controlled_by(struct arena *, const struct object *);
const char *stamp_of(struct describe *, const cJSON *json, const char *key);
/* A number or text ("25%", "8080"); "" for neither. */
const char *scalar(struct arena *, const cJSON *value);

#endif
