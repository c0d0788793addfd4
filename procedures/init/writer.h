/* What init.c and compose.c share while they write. */
#ifndef REHEARSE_PROCEDURES_INIT_WRITER_H
#define REHEARSE_PROCEDURES_INIT_WRITER_H

#include "procedures/init/facts.h"
#include "procedures/init/init.h"
#include "sim/base/buf.h"

enum { FILE_MAX = 1 << 20 };

struct writer {
    struct arena *arena;
    struct facts facts;
    const struct init_options *options;
    struct init_result *result;
    int cap_files, n_todo, cap_todo;
    const char *cwd, *good, *bad;
    struct fact_service *front, *store;
    bool compose, git; /* a project of docker-compose is made; its folder is a git repository */
    bool cluster;      /* of Kubernetes */
    const char *compose_file;
    /* the folder of ours with what is in cwd: "host/opt/shop" or "repo/v1.2" */
    const char *content;
    int heading; /* of the section to rehearse, -1: the whole document */
};

/* Takes the content over: releases the buffer. */
void init_add_file(struct writer *, const char *path, struct buf *content, int mode);
void init_add_todo(struct writer *, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* The version that a service has at the start. */
const char *init_version(const struct writer *, const struct fact_service *);

/* A scalar that reads back as this text: plain where that is safe. */
void init_add_scalar(struct buf *, const char *text);

/* The file that says which version a unit starts: one that the playbook copies over, called like
 * the unit. Or NULL. */
const char *init_version_file(const struct writer *, const struct fact_service *);

/* ---- kubernetes.c ---- */
int init_take_kubernetes(struct writer *, struct error *);
bool init_in_cluster(const struct writer *, const struct fact_service *);
void init_write_runs_in_cluster(struct buf *out, const struct fact_service *);
/* The cluster's part of system.yaml, and its manifests. */
void init_write_cluster(struct writer *, struct buf *out);

/* ---- system.c, drill.c ---- */
void init_write_system(struct writer *);
void init_write_drill(struct writer *);
int init_busiest_heading(const struct facts *); /* the heading under which most is changed, or -1 */

/* ---- compose.c ---- */

/* Takes over the services, images and ports of the compose file that was given. */
int init_take_compose(struct writer *, struct error *);
void init_choose_platform(struct writer *);
bool init_in_compose(const struct writer *, const struct fact_service *);
void init_write_platform(struct writer *, struct buf *out); /* its part of system.yaml */
void init_write_compose(struct writer *);                   /* its files */
const char *init_deploy_command(struct writer *);           /* that brings the bad version */

#endif
