/* store: what a cluster is made of, for cluster.c, verbs.c, kinds.c and watches.c alone. */
#ifndef REHEARSE_FAKES_KUBERNETES_STORE_H
#define REHEARSE_FAKES_KUBERNETES_STORE_H

#include "fakes/kubernetes/cluster.h"

struct unread {
    const struct object *config;
    int step; /* that changed it */
};

struct cluster {
    struct env *env;
    struct kind **custom;
    int n_custom, cap_custom;
    struct object **objects; /* in the order of kinds, namespaces, names */
    int n_objects, cap_objects;
    struct object **gone; /* kept until release */
    int n_gone, cap_gone;
    int64_t version; /* the last resourceVersion given */
    int64_t n_uids;
    bool running; /* cluster_run_begins */
    struct contexts contexts;
    cJSON *tried;          /* what the last dry run would have left */
    struct unread *unread; /* changed configuration that no container has read yet */
    int n_unread, cap_unread;
    struct change *changes; /* while somebody watches */
    int n_changes, cap_changes, n_watchers;
    struct waiter *waiters; /* calls in cluster_await, or that have been: watches.c */
};

/* Where an object is among `objects`, or would be: true if it is there. */
bool store_search(const struct cluster *, const struct kind *, const char *ns, const char *name,
                  int *ret_at);
void store_insert(struct cluster *, struct object *);
void store_take_out(struct cluster *, struct object *);
/* Of a kind among cluster_kind_at()'s. */
int kinds_place(const struct cluster *, const struct kind *);
/* A CustomResourceDefinition has come, or goes: its kind is known, or no longer. */
void kinds_define(struct cluster *, const cJSON *definition);
void kinds_forget(struct cluster *, const cJSON *definition);
/* Writes down a change for whoever watches. */
void watches_note(struct cluster *, const struct object *, enum change_type);
/* There is a new version: calls in cluster_await notice at their next grain. */
void watches_wake(struct cluster *);

#endif
