/* get: what the files of `kubectl get` share: one invocation, its tables, its order. */
#ifndef REHEARSE_FAKES_KUBERNETES_KUBECTL_GET_H
#define REHEARSE_FAKES_KUBERNETES_KUBECTL_GET_H

#include "fakes/kubernetes/kubectl/printer.h"

struct get {
    struct kubectl *k;
    struct printer printer;
    const char *sort_by; /* relaxed: "{.metadata.name}"; NULL: not asked for */
    bool fatal;          /* what it sorts by cannot be sorted: the client ends there */
    bool show_kind, show_labels, show_event;
    struct str label_columns; /* "app,tier" */
    struct tabwriter writer;
    const struct kind *last; /* whose table is being printed; NULL: none yet */
    bool wrote;              /* anything, since the last headings */
};

/* Rows of one kind, with headings where they begin. `event`: ADDED ..., for
 * --output-watch-events. */
void get_table(struct get *, const struct kind *, const cJSON *const *objects, int n,
               const char *event);
/* Puts objects in the order of get->sort_by. NULL, or what is wrong. */
const char *get_sort(struct get *, const cJSON **objects, int n, bool table);
/* -w: prints what is there, then what changes, until a signal ends it or the server does. */
int get_watch(struct get *, const struct resources *);

#endif
