/* compose: a Compose project as its file says it, and what is made of it.
 *
 * A project is read anew by every command from the real files (the sandbox's, or at set-up those of
 * the system): file, override, .env and env_files, with variables replaced. All of it lives in the
 * arena given. What runs is asked of the engine (docker.h) by label: project and service.
 */
#ifndef REHEARSE_FAKES_COMPOSE_H
#define REHEARSE_FAKES_COMPOSE_H

#include "fakes/call.h"
#include "fakes/docker.h"

/* The two tools word things differently, name containers differently and compare differently. */
enum compose_edition { COMPOSE_V1, COMPOSE_V2 };

/* Where files and variables come from: a call's process, or the system's files at set-up. */
struct compose_source {
    void *ctx;
    int (*load)(void *ctx, const char *path, struct buf *); /* 0 or negative errno */
    const char *(*variable)(void *ctx, const char *name);   /* NULL: not set */
};

struct compose_dependency {
    const char *service;
    enum { NEED_STARTED, NEED_HEALTHY, NEED_COMPLETED } condition;
    bool optional; /* required: false */
};

struct compose_service {
    const char *name;
    const char *image; /* as written; NULL: built under a name of the project's */
    const char *build; /* folder; NULL: not built */
    const char *container_name;
    const char *const *command; /* NULL: the image's */
    const char *const *env;     /* NAME=value, sorted, NULL-terminated */
    const struct docker_port *ports;
    int n_ports;
    const struct docker_mount *mounts;
    int n_mounts;
    const char *const *networks; /* full names, NULL-terminated */
    const struct compose_dependency *needs;
    int n_needs;
    struct docker_health_check health;
    enum restart_policy restart;
    int restart_max;
    int64_t stop_grace_ns;
    int scale;
    bool profiled; /* has profiles, none of which is active: started only when named */
    const char *hostname, *user, *folder;
    const char *content;   /* canonical text of all that it says, for the comparison */
    const struct doc *doc; /* variables replaced */
};

struct compose_project {
    enum compose_edition edition;
    const char *name, *folder;
    const char *file;         /* of the first file, as the tool names it in messages */
    const char *config_files; /* absolute, comma-separated: the label */
    /* in the order of their names (v1 sorts by dependency later) */
    struct compose_service *services;
    int n_services;
    const char *const *volumes;   /* full names of the named volumes, NULL-terminated */
    const char *const *externals; /* full names of volumes that must exist */
    const char *const *networks;  /* full names */
    const char *const *unset;     /* variables that were read and not set */
    const char *const *profiles;  /* that are active */
    struct arena *arena;
    const struct doc *doc;
    const char *version; /* of the file, or NULL */
};

struct compose_request {
    enum compose_edition edition;
    const char *const *files;   /* -f, NULL-terminated; NULL or empty: found in the folder */
    const char *project;        /* -p, or NULL */
    const char *folder;         /* where to look */
    const char *project_folder; /* --project-directory, or NULL */
    const char *env_file;       /* --env-file, or NULL */
    const char *const
        *profiles; /* --profile, NULL-terminated, or NULL; COMPOSE_PROFILES is read besides */
};

/* Reads the project. 0; or 1 and the tool's own error text (without "ERROR: "). */
int compose_load(struct arena *, const struct compose_source *, const struct compose_request *,
                 struct compose_project *ret, const char **error);
/* Replaces $A, ${A:-b} ... in a text: 0, or 1 and *why. *unset gets the name of a variable without
 * value (or stays). */
int compose_expand(struct arena *, const char *text,
                   const char *(*variable)(void *ctx, const char *name), void *ctx,
                   const char **ret, const char **unset, const char **why);

struct compose_service *compose_find(const struct compose_project *, const char *service);
const char *compose_image(const struct compose_project *, const struct compose_service *);
/* Services in the order in which they start, needed ones first; `names` NULL or empty: all without
 * profiles. NULL-terminated. */
struct compose_service **compose_order(const struct compose_project *, char *const *names,
                                       bool with_needed);
/* All services as lists of them show them, with and without profiles. NULL-terminated. */
struct compose_service **compose_sorted(const struct compose_project *);
const char *compose_container_name(const struct compose_project *, const struct compose_service *,
                                   int number);
/* What is compared to decide whether a container is still as the file says. */
const char *compose_hash(struct docker *, const struct compose_project *,
                         const struct compose_service *);
/* What its container number n is made from. */
struct container_spec compose_spec(struct docker *, const struct compose_project *,
                                   const struct compose_service *, int number);
/* Its containers (running or not, no one-off ones), by number; NULL-terminated. service NULL: of
 * all services. */
struct container **compose_containers(struct docker *, const struct compose_project *,
                                      const char *service);
/* Networks and volumes that are missing; each made is given to `made` (may be NULL). */
typedef void compose_made_fn(void *ctx, const char *kind, const char *name, const char *full_name);
void compose_make_things(struct docker *, const struct compose_project *, compose_made_fn *made,
                         void *ctx);

/* ---- between the files of this fake ---- */

/* `path` as seen from `folder`: absolute, without "./" and "../" at the front. */
const char *compose_path(struct arena *, const char *folder, const char *path);
/* The services of a document in which variables are replaced already. 0, or 1 and the error text.
 */
int compose_read_services(struct compose_project *, const struct compose_source *,
                          const struct doc *root, const char **error);
/* NAME=value lines of an env file, appended to `words` (NULL-terminated, `cap` long). 0 or negative
 * errno. */
int compose_env_file(struct arena *, const struct compose_source *, const char *path,
                     const char **words, int cap);
/* A document as canonical text: keys sorted, one line. */
void compose_canonical(const struct doc *, struct buf *);

/* How the files of a project are put together (compose_merge.c). `read` gives another file's
 * document, or an error. */
struct compose_parts {
    struct arena *arena;
    enum compose_edition edition;
    void *ctx;
    const char *(*read)(void *ctx, const char *path, struct doc **ret);
};
void compose_merge_keys(struct arena *, struct doc *); /* resolves "<<" */
void compose_merge(struct arena *, struct doc *into,
                   struct doc *from); /* an override; `from` is used up */
/* Both: NULL, or the tool's error. `path` of the file that `root` was read from. */
const char *compose_extend(const struct compose_parts *, struct doc *root, const char *path);
const char *compose_include(const struct compose_parts *, struct doc *root, const char *path,
                            int depth);

/* The commands: argv behind "docker-compose", or behind "docker compose". */
int compose_run(struct call *, enum compose_edition, char **argv);

#endif
