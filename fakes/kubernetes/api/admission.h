/* admission: what happens to an object before the API server keeps it: decoding, defaults,
 * validation. The verbs call admission() and admission_wrong_type() of cluster.h.
 */
#ifndef REHEARSE_FAKES_KUBERNETES_API_ADMISSION_H
#define REHEARSE_FAKES_KUBERNETES_API_ADMISSION_H

#include "fakes/kubernetes/cluster.h"

/* ---- admission_decode.c ---- */

/* Fields that the API does not have, as strict decoding names them: `unknown field "spec.foo",
 * unknown field "spec.bar"`. NULL: none. A client that asks for strict decoding (create, apply,
 * replace) is refused: 400, "... cannot be handled as a Deployment: strict decoding error: TEXT";
 * to others (patch, edit, set) each is a warning. */
const char *admission_unknown_fields(struct arena *, const struct kind *, const cJSON *json);
/* Takes them out, as decoding does. */
void admission_prune(struct arena *, const struct kind *, cJSON *json);
bool admission_is_quantity(const char *text);

/* ---- admission_defaults.c ---- */

void admission_defaults(struct cluster *, const struct kind *, cJSON *json, const cJSON *old);

/* ---- validation ---- */

/* What is wrong with an object, one cause after another, as k8s.io/apimachinery
 * pkg/util/validation/field has it. */
struct causes {
    struct arena *arena;
    const char **at; /* NULL-terminated; in the arena */
    int n, cap;
};
void cause_required(struct causes *, const char *path, const char *detail);
/* `value` as Go prints it: shown_text(), shown_number(), shown_map() ... */
void cause_invalid(struct causes *, const char *path, const char *value, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
void cause_forbidden(struct causes *, const char *path, const char *detail);
void cause_duplicate(struct causes *, const char *path, const char *value);
void cause_not_found(struct causes *, const char *path, const char *value);
/* `supported`: NULL-terminated, in the order of the real message. */
void cause_not_supported(struct causes *, const char *path, const char *value,
                         const char *const *supported);
/* "spec.containers[0].name": formatted in the causes' arena. */
const char *path_at(struct causes *, const char *format, ...) __attribute__((format(printf, 2, 3)));
const char *shown_text(struct causes *, const char *);
const char *shown_number(struct causes *, int64_t);
const char *shown_value(struct causes *, const cJSON *);    /* of text or a number; else "null" */
const char *shown_map(struct causes *, const cJSON *);      /* map[string]string{"a":"b"} */
const char *shown_selector(struct causes *, const cJSON *); /* v1.LabelSelector{...} */
/* The checks that many fields share. */
void check_not_negative(struct causes *, const char *path, const cJSON *object, const char *key);
void check_choice(struct causes *, const char *path, const cJSON *object, const char *key,
                  const char *const *supported);
void check_same(struct causes *, const char *path, const cJSON *is, const cJSON *was,
                const char *shown); /* "field is immutable" */
/* A port's number; 0 counts as missing. */
void check_port(struct causes *, const char *path, const cJSON *number);

/* ---- admission_names.c: k8s.io/apimachinery pkg/util/validation ---- */

/* Each returns NULL, or what is wrong with it. */
const char *name_dns_subdomain(const char *);
const char *name_dns_label(const char *);
const char *name_dns_1035_label(const char *);
const char *name_qualified(struct arena *, const char *); /* of a label, an annotation */
const char *name_label_value(const char *);
const char *name_env(const char *);
const char *name_port(const char *);
const char *name_config_key(const char *);
const char *name_path_segment(struct arena *, const char *); /* of roles */

void validate_metadata(struct causes *, const struct kind *, const cJSON *json, const cJSON *old);
void validate_labels(struct causes *, const char *path, const cJSON *labels);
void validate_selector(struct causes *, const char *path, const cJSON *selector);

/* ---- admission_pods.c ---- */

/* `claims`: a StatefulSet's volumeClaimTemplates, whose volumes come later; or NULL. */
void validate_pod_spec(struct causes *, const char *path, const cJSON *spec, const cJSON *claims);
/* Whether what a running pod may not change is another. */
void validate_pod_update(struct causes *, const cJSON *json, const cJSON *old);

/* ---- admission_workloads.c, admission_others.c ---- */

/* Deployment, ReplicaSet, StatefulSet, DaemonSet, Job, CronJob. `old` NULL: it is new. */
void validate_workload(struct causes *, const struct kind *, const cJSON *json, const cJSON *old);
/* All the others. */
void validate_other(struct causes *, const struct kind *, const cJSON *json, const cJSON *old);

#endif
