/* pods: what the kubelet knows of a pod beside its object: its programs, files, logs.
 *
 * A container whose image runs a service of the world is an instance of it; any other runs as a
 * plain program. What a container starts with is fixed when it starts: environment (also from
 * ConfigMaps and Secrets), image, command. All pointers are good until the pod is gone.
 */
#ifndef REHEARSE_FAKES_KUBERNETES_KUBELET_PODS_H
#define REHEARSE_FAKES_KUBERNETES_KUBELET_PODS_H

#include "fakes/call.h"
#include "fakes/kubernetes/setup/setup.h"
#include "fakes/visit.h"

/* ---- containers ---- */

struct log_line {
    int64_t at_ns;
    char *text;
    bool is_error;
};
struct log {
    struct log_line *at; /* oldest first */
    int n, cap;
};

/* What the container has written since it was started; `previous`: in its life before. NULL: there
 * is no such container, or it had no life before. */
const struct log *pod_log(const struct object *pod, const char *container, bool previous);
/* A line more, as its program would write it. */
void pod_write_log(struct object *pod, const char *container, const char *text, bool is_error);
bool pod_container_running(const struct object *pod, const char *container);
/* NULL: not pulled yet, or no such container. */
const struct image *pod_image(const struct object *pod, const char *container);
/* The instance of the world that runs in it, NULL: none. The first of its containers that has one;
 * `container` NULL: any. */
struct instance *pod_instance(const struct object *pod, const char *container);
/* The environment its processes have, NULL-terminated "NAME=value": PATH, HOSTNAME, HOME, the
 * Services' variables and what the container was started with. NULL: it does not run. */
char *const *pod_environment(const struct object *pod, const char *container);
/* A process goes into a container (whose place is pod_place() of setup.h): until visit_end() the
 * folders that are mounted there hold what they hold now; what it changes in them is brought back.
 * NULL: it has no place. */
struct visit *pod_enter(struct call *, struct object *pod, const char *container);

/* Ends its containers' programs at once, as a crash would (kill 1 in `exec`). */
void pod_kill(struct object *pod, const char *container, int exit_code);

#endif
