/* facts: what a playbook mentions. */
#ifndef REHEARSE_PROCEDURES_INIT_FACTS_H
#define REHEARSE_PROCEDURES_INIT_FACTS_H

#include "procedures/lint/internal.h"
#include "sim/base/buf.h"

struct fact_service {
    const char *name;
    const char *version;   /* that the playbook goes back to, if it names one */
    int line;              /* where it is first mentioned; 0: taken from a compose file */
    int port;              /* 0: unknown */
    int replicas;          /* 0: unknown */
    int uses;              /* how often it is acted on */
    bool compose;          /* a service of docker-compose */
    bool kubernetes;       /* a workload or service of Kubernetes */
    const char *kind;      /* "deployment", "statefulset", "daemonset"; NULL: not said */
    const char *ns;        /* its namespace; NULL: not said */
    bool given;            /* its manifest was given */
    bool unit;             /* of systemd */
    const char *image;     /* "repo/name", or NULL */
    const char *container; /* the name of its container, if the playbook uses one of its own */
    const char *engine;    /* a store's: "postgresql 15"; NULL for others */
};

struct fact_usage {
    const char *args; /* as a shell pattern: what is dynamic is "*" */
    int line;
};
enum { USAGES_MAX = 20 };

struct fact_command {
    const char *name; /* as written: "hal9-migrate", "./scripts/health_check.sh" */
    int line, uses;
    bool is_path;
    struct fact_usage usages[USAGES_MAX]; /* different ones, in order */
    int n_usages;
};

struct fact_trigger {
    int line;
    const char *text; /* as the playbook says it */
    const char *when; /* YAML, or NULL: not understood */
    bool automatic;
};

struct fact_target {
    const char *key;   /* "time_to_detect" ... as in the system file */
    const char *limit; /* "5m", or "0" */
    int line;
};

struct fact_backup {
    const char *path; /* of a dump that the playbook restores from, as it names it */
    bool custom;      /* pg_restore reads it */
    int line;
};

struct fact_asked {
    const char *path; /* "/health/ready" */
    const char *host; /* NULL: localhost */
    int port;
};

struct fact_file {
    /* absolute, that the playbook copies from; NULL: it has made that one itself */
    const char *path;
    const char *to; /* what it is copied over, or NULL */
    int line;
};

struct facts {
    struct arena *arena;
    const struct playbook *playbook;
    struct lint lint; /* every command, in order */
    struct fact_service *services;
    int n_services, cap_services;
    struct fact_command *commands; /* that nothing answers to yet */
    int n_commands, cap_commands;
    struct fact_trigger *triggers;
    int n_triggers, cap_triggers;
    struct fact_target *targets;
    int n_targets, cap_targets;
    struct fact_backup *backups;
    int n_backups, cap_backups;
    struct fact_file *files; /* that must be there before the playbook begins */
    int n_files, cap_files;
    const char **tables;
    int n_tables, cap_tables;
    const char *good_version, *bad_version;
    const char *cwd, *database, *user, *container;
    const char *compose_file;      /* that -f names, without its folder; NULL: none */
    bool default_compose;          /* compose is called without -f, too */
    bool uses_compose, checks_out; /* git checkout of a version */
    bool uses_cluster;             /* kubectl or helm */
    bool bare_client;              /* psql and the like are called here, and name no host */
    const char *ns, *release;      /* that it names first; or NULL */
    int *ports;                    /* of localhost, in the order of their first mention */
    int n_ports, cap_ports;
    struct fact_asked *asked; /* in the order of the text */
    int n_asked, cap_asked;
};

void facts_from_commands(struct facts *);
void facts_from_prose(struct facts *);
void facts_take_command(struct facts *, const struct use *); /* unless something answers to it */
void facts_take_urls(struct facts *, const struct use *);    /* of curl or wget */
/* An argument as it is written, with its variables replaced where the playbook sets them to plain
 * text or gives a default; unchanged where it does not. Of the arena. */
const char *facts_value(const struct facts *, const char *);
void facts_release(struct facts *);
struct fact_service *facts_service(struct facts *, struct str name,
                                   int line); /* found or added; NULL: no name */
/* The service that users talk to: the one most acted on that is no store. Adds one if there is
 * none. */
struct fact_service *facts_front(struct facts *);
/* The store, or NULL. */
struct fact_service *facts_store(struct facts *);

#endif
