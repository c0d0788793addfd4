/* world: the simulated system and its clock.
 *
 * A discrete-event simulation over one clock (int64 ns since the start of the run). Events are
 * ordered by (time, priority, sequence). The world owns services and their instances, traffic,
 * stores (store.h), faults, metrics, triggers and the operator. Fakes change it through the
 * functions below, and only they do: a container, pod or unit is an *instance* of a *service*,
 * whatever tool started it.
 *
 * Everything is single-threaded. Names given to these functions are copied.
 */
#ifndef REHEARSE_WORLD_WORLD_H
#define REHEARSE_WORLD_WORLD_H

#include <stdbool.h>
#include <stdint.h>

#include "sim/record.h"

struct model; /* sim/world/model.h: what a system file and a drill declare, as plain data */
struct world;
struct service;
struct instance;

/* `model` and `record` outlive the world. */
struct world *world_new(const struct model *, uint64_t seed, struct record *);
void world_free(struct world *);
struct record *world_record(struct world *);

/* ---- clock ---- */

int64_t world_now(const struct world *);
/* Time of the next event, INT64_MAX if none. */
int64_t world_next(const struct world *);
/* Runs all events up to and including to_ns, and sets the clock to to_ns. Stops early (and returns
 * the time reached) after an event that called world_touch_outside(): somebody outside the world
 * may have to react. */
int64_t world_advance(struct world *, int64_t to_ns);
void world_touch_outside(struct world *);

typedef void world_fn(struct world *, void *ctx);
/* Calls fn(world, ctx) at at_ns (not before now). Returns a handle for world_cancel, never 0. */
uint64_t world_at(struct world *, int64_t at_ns, world_fn *fn, void *ctx);
bool world_cancel(struct world *, uint64_t handle); /* false: it ran already */

/* A draw from the stream named `purpose` of that entity; the same seed gives the same draws, and a
 * new stream elsewhere shifts nobody. In [0, 1). */
double world_uniform(struct world *, const char *entity, const char *purpose);

/* ---- the course of a run, for whoever drives it ---- */

/* Nothing runs before the first world_advance. Until then instances that are started are ready at
 * once: the system is as if it had been running for a long time. */

/* The operator has decided to roll back. */
bool world_decided(const struct world *);
/* Since when the good state and the indicator have held without a break; NEVER if they do not hold
 * now. */
int64_t world_stable_since(const struct world *);
/* Nothing is left to wait for: t_stable is reached, or the horizon. */
bool world_over(const struct world *);
int64_t world_horizon(const struct world *); /* t_change + horizon */
/* Before step n (from 1) of the procedure is found and typed. False: the operator has left;
 * somebody else goes on at the instant *ret_resume_ns, or nobody (NEVER). */
bool world_goes_on(struct world *, int n, int64_t *ret_resume_ns);
/* Step n starts now: faults that wait for it strike. */
void world_step(struct world *, int n);
/* Ends the run now: fills the record's instants that can only be known at the end, the ledger and
 * the end state. */
void world_finish(struct world *);

/* How long this operator takes to type or paste a command of that many bytes, and to read so many
 * lines. */
int64_t world_typing_ns(struct world *, size_t command_bytes);
int64_t world_reading_ns(struct world *, int lines);
int64_t world_patience_ns(const struct world *);

/* ---- hooks for fakes ---- */

/* A change deploys `version` of a service that a platform runs (`runs:`). Several may be set: each
 * is asked, in the order of setting, until one returns true. When none does, the world restarts the
 * instances by itself. */
typedef bool deploy_fn(struct world *, struct service *, const char *version, void *ctx);
void world_on_deploy(struct world *, deploy_fn *, void *ctx);
/* A change migrates the schema of a store; the store's schema number is set afterwards in any case.
 */
struct store;
typedef void migrate_fn(struct world *, struct store *, int64_t schema, void *ctx);
void world_on_migrate(struct world *, migrate_fn *, void *ctx);
/* A backup has been made at this instant (also, at the first world_advance, those that lie before
 * the start; their made_ns is negative). Whoever writes the file knows the format. Valid during the
 * call only, but for `config`. */
struct dataset;
struct doc;
struct backup {
    const char *name; /* of the schedule, in the system file */
    struct store *store;
    /* folder and file name by the declared pattern, without a suffix; "" undeclared */
    const char *path;
    const struct dataset *contents;
    int64_t schema;
    int64_t made_ns;
    int damage; /* enum damage of model.h: how the file must be wrong */
    int copy;   /* handle for store_forget_copy, when the file is destroyed; 0 if damaged */
    const struct doc *config; /* the schedule as the system file declares it */
};
typedef void backup_fn(struct world *, const struct backup *, void *ctx);
void world_watch_backups(struct world *, backup_fn *, void *ctx);
/* An old backup falls out of its schedule's `keep`: the file is to be removed. Called with the same
 * path as before. */
typedef void backup_gone_fn(struct world *, const char *path, void *ctx);
void world_watch_expiry(struct world *, backup_gone_fn *, void *ctx);

/* What a declared fault does to this command, asked once when it is run. */
struct command_fault {
    int how; /* enum command_how of model.h: 0 nothing, fail, hang, slow, lie (claims success, does
              * nothing), lose its reply (does it, then fails as if the connection broke) */
    int exit_status;
    int64_t delay_ns;    /* of a slow one */
    const char *message; /* for its stderr, or NULL */
};
struct command_fault world_command_fault(struct world *, const char *command_line);
/* The disk of that host (or store) is full: writes fail with ENOSPC. */
bool world_disk_full(const struct world *, const char *host);

/* ---- services and their instances ---- */

struct service *world_service(struct world *, const char *name); /* NULL: no such service */
const char *service_name(const struct service *);
/* Whether its requests call the other one, as the system file declares. */
bool service_calls(const struct service *, const struct service *other);
bool service_has_version(const struct service *, const char *version);
/* Instances that take traffic now. */
int service_ready(const struct service *);
int service_instances(const struct service *);
struct instance *service_instance(const struct service *, int i); /* in order of their making */
/* As the system file declares them. */
int world_services(const struct world *);
struct service *world_service_at(const struct world *, int i);
/* Declared number of replicas, and the version that runs at the start. */
int service_replicas(const struct service *);
const char *service_initial_version(const struct service *);
/* Where a platform runs it, as the system file says it (`runs:`); NULL: the world runs it by
 * itself. */
const struct doc *service_runs(const struct service *);
/* Deploys a version as a change of the scenario does: asks the platform that runs it. */
void world_deploy(struct world *, struct service *, const char *version);

enum instance_state {
    INSTANCE_STOPPED,  /* not running: never started, stopped, or ended */
    INSTANCE_STARTING, /* running, not ready yet */
    INSTANCE_READY,    /* running and taking traffic, if it is in rotation */
    INSTANCE_FAILING,  /* running, but not healthy: its health check fails */
};

/* Makes a stopped instance. `name` is how people see it (container or pod name). */
struct instance *instance_new(struct service *, const char *name, const char *version);
void instance_free(struct instance *); /* stops it first */
/* What it will run when it is started next; a running instance does not change. -1: no such
 * version. */
int instance_set_version(struct instance *, const char *version);
/* Environment or configuration that the instance reads when it starts (frozen then). NULL value
 * removes. */
void instance_set_setting(struct instance *, const char *key, const char *value);
void instance_start(struct instance *);
/* Ends it: at once if !graceful, else requests in flight are served first. exit_code as the
 * platform reports it. */
void instance_stop(struct instance *, bool graceful);
/* Takes it out of (or into) load balancing without stopping it. */
void instance_rotate(struct instance *, bool in_rotation);
bool instance_in_rotation(const struct instance *);
void instance_set_weight(struct instance *,
                         double weight); /* share of traffic relative to its peers, default 1 */

/* A setting as it was when the instance was started; NULL: not set. */
const char *instance_setting(const struct instance *, const char *key);
enum instance_state instance_state(const struct instance *);
const char *instance_version(const struct instance *); /* what runs now, or would */
const char *instance_name(const struct instance *);
struct service *instance_service(const struct instance *);
int instance_exit_code(const struct instance *); /* of its last end */
int64_t instance_started_ns(const struct instance *);
/* One line on why it is failing or ended ("schema 42 needed, postgres has 41"), "" if it is not. */
const char *instance_why(const struct instance *);

/* Called when an instance changes state by itself or by a command: became ready, failing, crashed.
 */
typedef void instance_fn(struct instance *, enum instance_state before, void *ctx);
void world_watch_instances(struct world *, instance_fn *, void *ctx);

/* Called with every log line an instance writes (errors of its requests, start-up, crash), for
 * `logs` commands and log files. Rate-limited by the world: at most a few lines a second per
 * instance. */
typedef void log_fn(struct instance *, const char *line, bool is_error, void *ctx);
void world_watch_logs(struct world *, log_fn *, void *ctx);

/* ---- settings: feature flags, configuration, weights, anything with a name and a value ---- */

/* Settings that versions and faults may depend on, and that the good state may ask for
 * ("flag.new_ui"). */
const char *world_setting(const struct world *, const char *key); /* NULL: never set */
void world_set(struct world *, const char *key, const char *value);

/* ---- what is going on, for probes, metrics and fakes ---- */

/* One request to a service now, as a client on the given side would see it (health checks, curl,
 * smoke tests). Draws from the service's present behaviour; changes nothing else. */
struct probe {
    bool reachable;     /* something listens there */
    bool ok;            /* answered without error */
    int64_t latency_ns; /* how long the answer took; of the time-out if there was none */
    const char *why;    /* what is wrong, "" if nothing is */
};
struct probe service_probe(struct service *);

/* The present value of a metric of the world as it would be scraped: "requests_total",
 * "errors_total", "latency_p99_seconds", "memory_ratio" ...; false if the service has no such
 * metric. */
bool service_metric(const struct service *, const char *metric, double *ret);

/* What monitoring takes for the value of a metric that a trigger watches (its name as the trigger
 * writes it), in the place of `value`, which is the world's: a recording, or a gap (NaN). Asked at
 * each scrape. */
typedef double scrape_fn(struct world *, const char *metric, double value, void *ctx);
void world_on_scrape(struct world *, scrape_fn *, void *ctx);

/* All metrics of a service in Prometheus' text format, named SERVICE_METRIC as an application names
 * its own; and those of all services, named service_METRIC{service="..."} as a monitoring system
 * keeps them. */
struct buf;
void service_exposition(const struct service *, struct buf *);
void world_exposition(const struct world *, struct buf *);

/* A declared event for event triggers and people ("data_corruption"), at this instant. */
void world_declare(struct world *, const char *event, const char *subject);

/* A message that somebody sent (mail, chat, pager, status page). */
void world_message(struct world *, const char *channel, const char *text);

#endif
