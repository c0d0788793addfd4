/* kube: a cluster for tests of the Kubernetes fake, and transcripts of what happens in it. */
#ifndef REHEARSE_TESTS_KUBE_H
#define REHEARSE_TESTS_KUBE_H

#include "fakes/kubernetes/cluster.h"
#include "fakes/kubernetes/kubelet/pods.h"
#include "tests/machine.h"

struct kube {
    struct machine m;
    struct cluster *cluster;
    char text[65536]; /* the transcript so far */
};

/* `manifest` is the file /k8s/base.yaml of that system. Its namespace is "shop". */
void kube_begin(struct kube *, const char *system, const char *manifest);
/* Must be there. */
struct object *kube_find(struct kube *, const char *kind, const char *name);
/* A strategic merge patch; must be accepted. */
void kube_patch(struct kube *, const char *kind, const char *name, const char *text);
void kube_pass(struct kube *, int64_t seconds);
int kube_count(struct kube *, const char *kind, const char *version);
int kube_number(const struct object *, const char *key); /* of its status */
/* Of a Deployment: the reason of a condition, and its revision. */
const char *kube_reason_of(struct kube *, const char *name, const char *type);
const char *kube_revision(struct kube *, const char *name);
/* Lets time pass and writes down, twice a second, each new state of a Deployment and of the world's
 * service of that name; or of all pods. */
void kube_watch(struct kube *, const char *name, int64_t seconds);
void kube_watch_pods(struct kube *, int64_t seconds);
/* The transcript must be that; a new one begins. */
void kube_expect(struct kube *, const char *wanted);

#endif
