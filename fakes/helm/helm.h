/* helm: Helm 3 on the cluster of this run.
 *
 * A release's revisions are what Helm itself keeps: Secrets "sh.helm.release.v1.NAME.vN" in its
 * namespace, which kubectl sees and can delete. Charts are not rendered: what a revision consists
 * of is declared, or follows from the one before by `sets:`.
 *
 *   helm:
 *     web:                              # a release
 *       namespace: shop                 # the context's, unless it says otherwise
 *       revisions:                      # oldest first; they have been there for days
 *         - {chart: web-1.3.0, app_version: "1.3", manifests: helm/v1.yaml, values: {image: {tag:
 * v1}}}
 *         - {chart: web-1.4.0, manifests: helm/v2.yaml, status: failed}
 *       notes: "Visit http://shop.example.test"
 *       charts:                         # what `helm upgrade web CHART` may be given
 *         ./chart: {chart: web-1.5.0, manifests: helm/next.yaml}
 *       sets: {image.tag: deployment/web tag, replicaCount: deployment/web spec.replicas}
 *
 * Manifests are found as those of `kubernetes:` are. Wording: helm 3.17.
 */
#ifndef REHEARSE_FAKES_HELM_HELM_H
#define REHEARSE_FAKES_HELM_HELM_H

#include "fakes/call.h"
#include "fakes/kubernetes/cluster.h"
#include "fakes/options.h"

#define HELM_START_NS    (90 * MILLISECOND) /* of the program; nearly all of a call's time */
#define HELM_POLL_NS     (2 * SECOND)       /* how often --wait looks */
#define HELM_HISTORY_MAX 10

/* ---- releases (releases.c) ---- */

struct release {
    const char *name, *ns;
    int64_t version;
    const char *status;      /* "deployed" */
    const char *description; /* "Upgrade complete" */
    int64_t first_ns, last_ns;
    const char *chart, *chart_version, *app_version; /* "web", "1.4.0", "1.4" */
    const char *config;                              /* user-supplied values, as JSON */
    const char *manifest, *notes;
};
/* The revisions there are, by namespace, name and version; NULL for any. NULL-terminated. */
struct release **releases_of(struct cluster *, struct arena *, const char *ns, const char *name);
/* The newest of a name, and the one that is deployed; NULL: none. */
struct release *release_last(struct cluster *, struct arena *, const char *ns, const char *name);
struct release *release_deployed(struct cluster *, struct arena *, const char *ns,
                                 const char *name);
struct release *release_at(struct cluster *, struct arena *, const char *ns, const char *name,
                           int64_t version);
/* Writes it down, new or changed. `max` above 0: older ones than that many are forgotten. False:
 * the server refuses. */
bool release_keep(struct cluster *, const struct release *, int max, struct api_error *);
void release_forget(struct cluster *, const struct release *);
/* Each deployed one of that name becomes superseded. */
void releases_supersede(struct cluster *, struct arena *, const char *ns, const char *name);
/* "web-1.4.0" */
const char *release_chart(struct arena *, const struct release *);

/* ---- carrying out (update.c, wait.c) ---- */

struct update {
    const char *original, *target; /* manifests */
    const char *release, *ns;
    bool force;    /* replace what is there instead of patching it */
    bool adopting; /* an upgrade, which refuses what is there and not its own */
    /* of --cleanup-on-fail: what was made, in the arena */
    struct object **made;
    int n_made;
};
/* Makes the cluster hold the target. NULL, or why it does not (some of it may be done). */
const char *helm_update(struct cluster *, struct arena *, struct update *);
/* Deletes what the manifest names; what is to be kept is named in *ret_kept. */
void helm_delete(struct cluster *, struct arena *, const char *manifest, const char *ns,
                 const char **ret_kept);
/* Waits until all is ready, as --wait does. NULL, or "context deadline exceeded". */
const char *helm_wait(struct call *, struct cluster *, const char *manifest, const char *ns,
                      int64_t timeout_ns, bool jobs);

/* ---- declared releases (declared.c) ---- */

struct setup;
/* Before the run: makes the revisions that the system file declares. */
int helm_declare(struct setup *, const struct doc *helm, struct error *);
/* A change of the scenario deploys an image to a workload (container NULL: its first): if it is of
 * a release, a new revision of that. False: it is of none. */
bool helm_deploy(struct cluster *, const struct object *workload, const char *container,
                 const char *image);
struct upgrade {
    const char *chart, *version; /* as typed; --version or NULL */
    const char *values;          /* what the command line gives, as JSON */
    bool given;                  /* it gives any */
    bool reuse, reset;           /* --reuse-values, --reset-values */
};
/* The chart, manifest and values that an upgrade of `last` (NULL: an installation) comes to, into
 * *next. NULL; or what has to be declared for that. */
const char *helm_render(struct cluster *, struct arena *, const char *name,
                        const struct release *last, const struct upgrade *, struct release *next);

/* ---- the client (client.c) ---- */

struct helm {
    struct call *call;
    struct arena *arena;
    struct cluster *cluster;
    struct options options;
    char **args;
    int n_args;
    const char *ns, *words;
};
struct helm_command {
    const char *words; /* "get values" */
    const char *usage; /* "helm get values RELEASE_NAME [flags]" */
    const char *flags;
    int least, most; /* arguments */
    int (*run)(struct helm *);
};
/* Each ends with a row of NULL words. */
extern const struct helm_command helm_show_commands[], helm_change_commands[];
/* "Error: TEXT"; returns 1. */
int helm_error(struct helm *, const char *format, ...) __attribute__((format(printf, 2, 3)));
int helm_refuse(struct helm *, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* What `status`, `upgrade` and `install` print of a release. */
void helm_print_status(struct helm *, const struct release *, bool description);
/* --timeout, 5m by default; false after having said why not. */
bool helm_timeout(struct helm *, int64_t *ret_ns);

#endif
