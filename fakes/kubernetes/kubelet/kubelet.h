/* kubelet: a pod's life on its node, for the kubelet's files alone: kubelet.c (the course of a
 * pod), containers.c (the course of a container), probes.c, pod_start.c (environment, volumes),
 * pod_status.c (what the API server is told).
 *
 * Follows k8s.io/kubernetes pkg/kubelet: kuberuntime, prober, status.
 */
#ifndef REHEARSE_FAKES_KUBERNETES_KUBELET_KUBELET_H
#define REHEARSE_FAKES_KUBERNETES_KUBELET_KUBELET_H

#include "fakes/kubernetes/controllers/controllers.h"
#include "fakes/kubernetes/kubelet/pods.h"

/* What a node needs for a pod's sandbox and network, and to make and start a container. */
#define SANDBOX_NS (600 * MILLISECOND)
#define CREATE_NS  (300 * MILLISECOND)
/* How soon the kubelet sees that a program has ended (PLEG relists once a second). */
#define RELIST_NS SECOND
/* How often a pod that cannot go on is tried again: backOffPeriod 10 s with up to half more. */
#define RESYNC_NS (12500 * MILLISECOND)
/* Crashes and failed pulls: MaxContainerBackOff, backOffPeriod. */
#define BACKOFF_FIRST_NS (10 * SECOND)
#define BACKOFF_LAST_NS  (300 * SECOND)
/* Between the end of the last container and the object's end: unmounting, the last status. */
#define CLEAN_UP_NS SECOND

enum probe_kind { PROBE_STARTUP, PROBE_READINESS, PROBE_LIVENESS, PROBES };
struct pod_probe {
    bool ok;         /* the verdict */
    bool last;       /* of the last time */
    int in_a_row;    /* how often that */
    int64_t next_ns; /* INT64_MAX: it rests, nothing would change */
};

enum container_phase { PHASE_WAITING, PHASE_RUNNING, PHASE_ENDED };
enum container_step {
    STEP_NEW,        /* nothing done yet */
    STEP_PULLING,    /* until due_ns */
    STEP_NOT_PULLED, /* looked at again at due_ns */
    STEP_PULLED,     /* can be made */
    STEP_CREATING,   /* until due_ns */
    STEP_RUNS,
    STEP_STOPPING, /* asked to end: until due_ns */
    STEP_ENDED,    /* the kubelet sees it at due_ns */
    STEP_BACK_OFF, /* started again at due_ns */
    STEP_DONE,     /* not started again */
};

struct ended {
    int64_t started_ns, finished_ns;
    int exit_code;
    const char *reason; /* "Error", "Completed", "OOMKilled" */
    const char *id;
};

struct pod_container {
    struct pod *pod;
    const char *name;
    bool init, sidecar; /* a sidecar: an init container that goes on running */
    enum container_step step;
    enum container_phase phase;
    int64_t due_ns;
    const char *reason, *message; /* of waiting */
    const char *reference;        /* image as it was started, or is being pulled */
    struct image_pull pull;
    bool has_image;
    struct image image;
    int64_t pull_backoff_ns, pull_failed_ns; /* how long it is not tried again since then */
    int64_t backoff_ns, backoff_since_ns;
    int restarts;
    bool again;     /* its next start is a restart */
    const char *id; /* of the container runtime */
    int64_t started_ns;
    int64_t term_ns;            /* when it gets SIGTERM; INT64_MAX: it has got it */
    int64_t kill_ns;            /* when SIGKILL */
    struct ended ended, before; /* its end, and that of its last life; reason NULL: none */
    int exit_code;              /* with which it will end, or has */
    const char *end_reason;
    struct instance *instance;
    char **env;
    struct pod_probe probes[PROBES];
    struct log log, previous;
    bool had_life; /* `previous` is one */
};

struct pod {
    struct controllers *controllers;
    struct object *object;
    int number;                       /* in the order of their making */
    struct pod_container *containers; /* init containers first, in the order of the spec */
    int n, n_init;
    const char *node, *ip;
    bool scheduled, prepared;   /* its volumes are there */
    bool failing_mount;         /* said already */
    int64_t sandbox_ns;         /* when its sandbox is there; INT64_MAX: not begun */
    int64_t ending_ns;          /* since when it is being ended; INT64_MAX: it is not */
    int64_t kill_ns;            /* when what still runs is killed */
    int64_t gone_ns;            /* when the object goes; INT64_MAX: not yet */
    bool evicted, over;         /* over: the node has forgotten it */
    double weight;              /* of its traffic, as last set; 0: never */
    struct pod_volume *volumes; /* pod_start.c */
    int n_volumes;
};

void kubelet_setup(struct controllers *);
void kubelet_release(struct controllers *);
/* A ConfigMap or Secret is another one: mounted files follow. */
void kubelet_config_changed(struct controllers *, const struct object *);
/* NULL: the kubelet does not know it (yet). */
struct pod *pod_of(const struct object *);

/* ---- containers.c ---- */

const cJSON *container_spec(const struct pod_container *);
/* Goes as far as it can go now; *next_ns becomes the earlier of itself and when it goes further. */
void container_go(struct pod_container *, int64_t *next_ns);
/* Asks it to end within the grace; its end comes later. */
void container_stop(struct pod_container *, int64_t grace_ns, const char *reason);
/* Its program has ended. */
void container_ended_with(struct pod_container *, int exit_code, const char *reason);
void container_forget(struct pod_container *);
const char *restart_policy_of(const struct pod_container *);

/* ---- programs.c: what is not an instance of a service of the world ---- */

/* How long until it ends by itself, and with which exit code; NEVER: it goes on. */
int64_t program_end(const struct pod_container *, int *ret_exit);
/* An init container that loops until a Service answers, by its command line, and none does yet. */
bool program_waits(const struct pod_container *);
/* Time that a preStop hook takes: the seconds of its sleep. */
int64_t program_pre_stop_ns(const struct pod_container *);
/* What it was for: the lines of the world command of its image. One that fails is its failure
 * (exit_code). */
void program_takes_effect(struct pod_container *);

/* ---- probes.c ---- */

void probes_start(struct pod_container *);
/* Probes that are due now; *next_ns as above. */
void probes_run(struct pod_container *, int64_t *next_ns);
/* Its program's state is another one: probes that rested look again. */
void probes_wake(struct pod_container *);
bool container_is_started(const struct pod_container *);
bool container_is_ready(const struct pod_container *);

/* ---- pod_start.c ---- */

/* NULL, or why the container cannot be made yet: *reason "CreateContainerConfigError". */
const char *container_environment(struct pod_container *, struct arena *, char ***ret_env,
                                  const char **reason);
/* A container has been started with that environment: whose values it has read. */
void container_reads_config(const struct pod_container *);

/* ---- volumes.c ---- */

/* Whether all volumes can be mounted; events say why not. */
bool pod_mount(struct pod *);
/* Its program reads the files of ConfigMaps and Secrets that are mounted: settings of the instance
 * by the names of the files. */
void container_reads_files(struct pod_container *);
void pod_unmount(struct pod *);
/* Files of ConfigMaps and Secrets that are mounted become what they are now. */
void pod_refresh_volumes(struct pod *);

/* ---- pod_status.c ---- */

void pod_report(struct pod *);
bool pod_is_over(const struct pod *); /* all have ended and none is started again */

/* ---- data.c: what stores keep in pods ---- */

/* The program of a service of the world starts in that container, or ends with it (`pod_gone`: with
 * all that lay in the pod). */
void data_begins(struct pod_container *);
void data_ends(struct pod_container *, bool pod_gone);
/* A claim's volume is deleted. */
void data_destroyed(struct controllers *, const struct object *claim);
void data_release(struct controllers *);

#endif
