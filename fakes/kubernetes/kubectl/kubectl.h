/* kubectl: the client, version 1.32, on the cluster of this run.
 *
 * A command is a row in the table of its file (`kubectl_..._commands`), which kubectl.c lists:
 * words, flags of its own as in options.h, function. Flags that it does not know are refused in
 * pflag's words.
 */
#ifndef REHEARSE_FAKES_KUBERNETES_KUBECTL_KUBECTL_H
#define REHEARSE_FAKES_KUBERNETES_KUBECTL_KUBECTL_H

#include "fakes/call.h"
#include "fakes/kubernetes/cluster.h"
#include "fakes/options.h"

#define KUBECTL_VERSION "v1.32.5" /* the client's and the server's */

/* What a call costs (kubectl 1.32 on an idle machine: ../shared/reference: 28 to 40 ms, nearly all
 * of it its own start), and each request after the first. */
#define KUBECTL_START_NS   (40 * MILLISECOND)
#define KUBECTL_REQUEST_NS (5 * MILLISECOND)

struct kept;

struct kubectl {
    struct call *call;
    struct arena *arena;
    struct cluster *cluster;
    const struct kubectl_command *command;
    struct options options; /* of the command, with the global ones */
    char **args;            /* behind the command's words, NULL-terminated */
    int n_args;
    char **behind_dashes; /* what stands behind "--"; NULL: there is none */
    const char *ns;       /* of the context, or -n */
    bool ns_given, all_namespaces;
    void *own;         /* of the command itself, for the functions that it passes on */
    struct kept *kept; /* trees that end with the call: kubectl_keep */
};

struct kubectl_command {
    const char *words; /* "rollout status" */
    const char *flags; /* as options_parse; those of kubectl_flags[] are added */
    int (*run)(struct kubectl *);
};
/* One a file, each ending with a row of NULL words. */
extern const struct kubectl_command kubectl_get_commands[], kubectl_describe_commands[],
    kubectl_config_commands[], kubectl_top_commands[], kubectl_info_commands[],
    kubectl_events_commands[];
extern const struct kubectl_command kubectl_apply_commands[], kubectl_create_commands[],
    kubectl_delete_commands[], kubectl_label_commands[], kubectl_edit_commands[];
extern const struct kubectl_command kubectl_rollout_commands[], kubectl_set_commands[],
    kubectl_scale_commands[], kubectl_wait_commands[], kubectl_logs_commands[],
    kubectl_exec_commands[], kubectl_node_commands[];

/* One invocation: what the fake's `run` does. */
int kubectl_run(struct call *);

/* "error: TEXT" on stderr; returns 1. */
int kubectl_error(struct kubectl *, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* "Error from server (NotFound): MESSAGE" on stderr; with `what` (may be NULL) before the message:
 * "error when creating \"x.yaml\"". Returns 1. */
int kubectl_server_error(struct kubectl *, const struct api_error *, const char *what);
/* A usage error: the text, then "See 'kubectl X -h' for help and examples". Returns 1. */
int kubectl_usage(struct kubectl *, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* What the real one can and this one cannot: said on stderr and in the run (not_simulated). Returns
 * 1. */
int kubectl_refuse(struct kubectl *, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* One more request to the server. */
void kubectl_request(struct kubectl *);
/* A duration as Go reads it ("300s", "5m"; "0" and "-1s" too); false if it is none. */
bool kubectl_duration(const char *text, int64_t *ret_ns);
/* A flag's value as a whole number, or a duration in ns; `otherwise` if it was not given. False: it
 * is none, which has been said in pflag's words. */
bool kubectl_int_flag(struct kubectl *, const char *name, int64_t otherwise, int64_t *ret);
bool kubectl_duration_flag(struct kubectl *, const char *name, int64_t otherwise, int64_t *ret_ns);

/* ---- what a command line names (resources.c) ---- */

struct complaint {
    const char *text;  /* without "error: " */
    const char *among; /* the same as one of several; may be another for what is Invalid */
    bool server;       /* an answer of the server, which has a beginning of its own */
};

struct resource {
    const struct kind *kind;
    const char *ns, *name;
    struct object *object; /* NULL: not in the cluster */
    cJSON *json; /* as a file has it, its namespace filled in; NULL: named on the command line */
    const char *source; /* "STDIN", "base.yaml"; NULL */
};
struct resources {
    struct resource *at;
    int n;
    /* as typed: TYPE/NAME or a list, not one thing by name: how `get -o json` decides for a List */
    bool single;
    struct complaint *complaints; /* what could not be found or read: kubectl_finish says them */
    int n_complaints;
};
/* As the last step of a command: 0, or 1 after all errors of the resources have been said. */
int kubectl_finish(struct kubectl *, const struct resources *);
/* One error among several: kubectl goes on with the rest and says them all at its end. */
void resources_complain(struct kubectl *, struct resources *, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
void resources_complain_server(struct kubectl *, struct resources *, const struct api_error *,
                               const char *what);
enum resources_flags {
    RESOURCES_FILES = 1,     /* -f, -k, -R */
    RESOURCES_SELECT = 2,    /* -l, --field-selector, --all, and a type alone means all of it */
    RESOURCES_MISSING = 4,   /* what is not there is a resource without object, and no error */
    RESOURCES_NEED_NAME = 8, /* a type alone is an error ("resource name may not be empty") */
};
/* Takes args (from `first` on) and -f apart as cli-runtime's resource builder does: "TYPE NAME...",
 * "TYPE/NAME...", "TYPE,TYPE", "all". 0; or the exit status, when nothing can be done at all:
 * already said on stderr. Errors about single things become complaints.
 */
int kubectl_resources(struct kubectl *, int first, unsigned flags, struct resources *ret);
/* "deployment.apps/web" */
const char *resource_name(struct arena *, const struct resource *);

#endif
