/* tables: an object as a row of the API server's table: what `kubectl get` shows.
 *
 * Columns and cells: kubernetes 1.32 pkg/printers/internalversion/printers.go. A heading that
 * begins with "+" is shown with -o wide alone.
 */
#ifndef REHEARSE_FAKES_KUBERNETES_KUBECTL_TABLES_H
#define REHEARSE_FAKES_KUBERNETES_KUBECTL_TABLES_H

#include "fakes/kubernetes/cluster.h"

enum { CELLS_MAX = 24 };

struct row {
    struct cluster *cluster;
    struct arena *arena;
    const char *cells[CELLS_MAX]; /* those of wide columns too */
    int n;
};

/* "NAME|READY|+IP", in the arena. */
const char *table_columns(struct cluster *, struct arena *, const struct kind *);
/* Fills row->cells; cluster and arena are given. */
void table_row(struct row *, const struct kind *, const cJSON *object);

/* ---- for the files of rows ---- */

struct table {
    const char *kind, *columns;
    void (*fill)(struct row *, const cJSON *object);
};
/* Each ends with a row of NULL kind. */
extern const struct table tables_workloads[], tables_others[], tables_storage[];

void cell(struct row *, const char *format, ...) __attribute__((format(printf, 2, 3)));
void cell_name(struct row *, const cJSON *object);
void cell_age(struct row *, const cJSON *object);
/* CONTAINERS and IMAGES of a pod's spec. */
void cells_containers(struct row *, const cJSON *pod_spec);
/* The number at a path, 0 if there is none. */
#define number_at(json, ...) number_at_path((json), (const char *const[]){__VA_ARGS__, NULL})
int64_t number_at_path(const cJSON *, const char *const *path);
/* The text at a path, `otherwise` if there is none or it is empty. */
#define text_at(otherwise, json, ...)                                                              \
    text_at_path((otherwise), (json), (const char *const[]){__VA_ARGS__, NULL})
const char *text_at_path(const char *otherwise, const cJSON *, const char *const *path);
/* The texts of a list, or one field of its objects, joined; "" for none. */
const char *joined(struct arena *, const cJSON *list, const char *field, const char *separator);
/* A condition of status.conditions; NULL: not there. */
const cJSON *object_condition(const cJSON *object, const char *type);
bool condition_true(const cJSON *object, const char *type);
/* Containers of a pod that are ready, as READY counts them, how many there are, and the STATUS. */
const char *pod_status(struct arena *, const cJSON *pod, int *ret_ready, int *ret_total,
                       int64_t *ret_restarts, const char **ret_last_restart);

/* "control-plane,etcd"; "<none>". */
const char *node_roles(struct arena *, const cJSON *node);
/* "RWO,ROX". */
const char *access_modes(struct arena *, const cJSON *modes);

#endif
