/* output: what a command that changes something says of it, and its --dry-run.
 *
 * k8s.io/cli-runtime pkg/genericclioptions print_flags.go, pkg/printers/name.go; k8s.io/kubectl
 * pkg/cmd/util helpers.go.
 */
#ifndef REHEARSE_FAKES_KUBERNETES_KUBECTL_OUTPUT_H
#define REHEARSE_FAKES_KUBERNETES_KUBECTL_OUTPUT_H

#include "fakes/kubernetes/kubectl/kubectl.h"

/* Flags of all commands that print what they changed; those that take files; --dry-run. */
#define KUBECTL_PRINT_FLAGS                                                                        \
    " output|o= template= show-managed-fields allow-missing-template-keys field-manager="
#define KUBECTL_FILE_FLAGS    " filename|f= kustomize|k= recursive|R"
#define KUBECTL_DRY_RUN_FLAGS " dry-run=?"

/* A copy that lives as long as the call. */
cJSON *kubectl_copy(struct kubectl *, const cJSON *);

enum dry_run {
    DRY_RUN_NONE,
    DRY_RUN_CLIENT, /* nothing is sent */
    DRY_RUN_SERVER, /* everything but keeping it */
};
/* False: not one of the three, which has been said. */
bool kubectl_dry_run(struct kubectl *, enum dry_run *ret);

/* False: -o is no format that such a command has, which has been said. Call it before anything is
 * changed. */
bool kubectl_can_print(struct kubectl *);
/* "deployment.apps/web scaled (dry run)" on stdout; with -o the object itself, or what a template
 * makes of it. `what` "" : the name alone. Returns the exit status. */
int kubectl_print_done(struct kubectl *, const struct kind *, const char *name, const cJSON *json,
                       enum dry_run, const char *what);

#endif
