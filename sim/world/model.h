/* model: what a system file and a drill's scenario declare, as plain data.
 *
 * Filled by procedures/drill/model_load.c from YAML (or by a test by hand) and never changed
 * afterwards. All of it lives in the loader's arena and outlives the world. Things refer to each
 * other by name, as the files do; the loader has checked that every name exists, and model_check()
 * says so again for models made by hand. Durations in ns, rates per second, sizes in bytes, ratios
 * in [0, 1]. A zeroed field is the default stated here.
 */
#ifndef REHEARSE_WORLD_MODEL_H
#define REHEARSE_WORLD_MODEL_H

#include <stdbool.h>
#include <stdint.h>

#include "sim/base/error.h"

struct doc; /* sim/base/doc.h: parts that belong to a fake are handed on unread */

/* Limits of every model: a world is refused beyond them, so that nothing grows without bound. */
enum {
    MODEL_SERVICES_MAX = 1000,
    MODEL_REPLICAS_MAX = 10000,
    MODEL_CONCURRENCY_MAX = 100000,
    MODEL_QUEUE_MAX = 10000000,
    MODEL_FAULTS_MAX = 10000,
};
#define MODEL_RATE_MAX         1e7  /* requests a second, all sources together */
#define MODEL_REQUEST_RATE_MAX 2e5  /* the same at the request grain, overload included */
#define MODEL_RECORDS_MAX      1e12 /* records that one table may start with */

/* ---- services ---- */

enum need_kind {
    NEED_SCHEMA,  /* store `subject` has schema `schema` (or later, if at_least) */
    NEED_SETTING, /* setting `subject` has the text `value` (the instance's own first, then the
                     world's) */
    NEED_UP,      /* service `subject` has a ready instance */
};
struct model_need {
    enum need_kind kind;
    const char *subject, *value;
    int64_t schema;
    bool at_least;
};

/* What an instance does while a need of its version is not met. */
enum unmet {
    UNMET_FAIL,  /* runs, its health check fails, it answers errors */
    UNMET_CRASH, /* ends with exit code 1 soon after its start */
};

struct model_setting {
    const char *key, *value; /* a NULL value unsets */
};

/* Of the requests it takes part in, `ratio` write one record there. */
struct model_write {
    const char *store, *table;
    double ratio;
};

enum time_shape {
    TIME_LOGNORMAL,   /* through p50 and p99 */
    TIME_EXPONENTIAL, /* of mean p50_ns */
    TIME_CONSTANT,    /* always p50_ns */
};

struct model_version {
    const char *name;
    /* not empty: so behaves the version of this name, further up, in an instance * that has all of
     * these (its own settings first, then the world's) */
    const struct model_setting *when;
    int n_when;
    const struct model_write *writes; /* of the requests it answers without error */
    int n_writes;
    enum time_shape shape;
    int64_t p50_ns, p99_ns;     /* time of its own work on a request; default 10 ms, 50 ms */
    double errors;              /* ratio of requests answered with an error for no other reason */
    int64_t start_ns;           /* from start to ready; default 5 s */
    int concurrency;            /* requests one instance works on at once; default 64 */
    int queue;                  /* requests waiting per instance, more are refused; default 1000 */
    int64_t memory_bytes;       /* after the start; 0: memory is not modelled */
    int64_t memory_limit_bytes; /* at which it is killed (exit code 137) */
    double memory_per_s;        /* growth, bytes a second */
    double memory_per_request;  /* growth, bytes a request */
    /* mean time between crashes of one instance; 0: it does not crash by itself */
    int64_t crashes_ns;
    int64_t cold_ns;    /* for so long after its start ... */
    double cold_factor; /* ... its work takes so many times longer; 0 or 1: no */
    const struct model_need *needs;
    int n_needs;
    enum unmet unmet;
    /* what it says about a need that is not met, in its log; NULL: what the need is */
    const char *says;
};

struct model_call {
    const char *to;     /* service */
    double per_request; /* calls made, one after the other, for one request; default 1 */
    int64_t timeout_ns; /* of one attempt; default 5 s */
    int retries;        /* further attempts after one that failed */
    bool optional;      /* a failed call does not fail the request */
};

struct model_service {
    const char *name;
    int replicas;           /* default 1 */
    const char *version;    /* that runs at the start; default: the good state's, else the first */
    const struct doc *runs; /* where a platform runs it (for the fake of that platform), or NULL:
                             * the world makes and restarts its instances by itself */
    const char *region;     /* or NULL */
    const struct model_version *versions;
    int n_versions;
    const struct model_call *calls;
    int n_calls;
};

/* ---- traffic ---- */

struct model_traffic {
    const char *name;
    const char *to;     /* service */
    double rate_per_s;  /* mean over a day */
    bool daily;         /* sine over 24 h: 1.6 times the mean at 15:00, 0.4 times at 03:00 (UTC) */
    int64_t timeout_ns; /* after which the client gives up; default 30 s */
    const char *region; /* or NULL */
    const struct model_write *writes;
    int n_writes;
};

/* ---- stores and backups ---- */

struct model_table {
    const char *name;
    int64_t records;    /* that exist when the run starts */
    int64_t history_ns; /* acknowledged evenly over so long before the start; default 30 d */
};
/* A copy that follows a store, so much behind. */
struct model_replica {
    const char *name;
    int64_t lag_ns;
};
struct model_store {
    const char *name;
    const char *engine;  /* "postgresql 15" */
    const char *service; /* that serves it, or NULL: always in service */
    int64_t schema;      /* at the start */
    const struct model_table *tables;
    int n_tables;
    /* write-ahead log is archived up to so long ago; 0: it is not archived */
    int64_t archive_delay_ns;
    const struct model_replica *replicas;
    int n_replicas;
    const struct doc *config; /* the whole mapping, for the fake of that engine */
};

struct model_backup {
    const char *name, *store;
    int64_t every_ns;     /* 0: only at the instants in at_ns */
    int64_t phase_ns;     /* the first one after the start, when `every` is given; default `every`
                           * before and     after the start: one is due at 0 exactly */
    const int64_t *at_ns; /* instants, negative before the start of the run */
    int n_at;
    const char *to;   /* folder, or "" */
    const char *file; /* name with %Y %m %d %H %M %S, in UTC; default "NAME_%Y%m%d_%H%M%S" */
    int keep;         /* how many are kept; default 7. Older ones are deleted. */
    int before_start; /* how many of `every` exist when the run starts; default `keep` */
    const struct doc *config; /* the whole mapping, for the fake that writes the file */
};

/* ---- what is good ---- */

struct model_indicator {
    int64_t within_ns; /* a good answer comes within this; 0: however late */
    double target;     /* default 0.99 */
    double down_below; /* default 0.5 */
};

enum good_kind {
    GOOD_VERSION,  /* every running instance of service `subject` runs version `value` */
    GOOD_REPLICAS, /* at least `number` ready instances of service `subject` */
    GOOD_SCHEMA,   /* store `subject` has schema `number` */
    GOOD_SERVING,  /* store `subject` is in service */
    GOOD_SETTING,  /* setting `subject` has the text `value` */
    GOOD_STARTED,  /* every running instance of service `subject` was started with setting `key` at
                      `value` */
};
struct model_good {
    enum good_kind kind;
    const char *subject, *value, *key;
    int64_t number;
};

/* ---- metrics, triggers, decision ---- */

struct model_metrics {
    int64_t every_ns; /* scrape interval; default 15 s */
};

enum condition_kind {
    CONDITION_METRIC,
    CONDITION_EVENT,
    CONDITION_ALL,
    CONDITION_ANY,
    CONDITION_BURN
};
enum aggregate { AGG_LAST, AGG_AVG, AGG_MIN, AGG_MAX, AGG_SUM, AGG_INC, AGG_RATE, AGG_RATIO };
enum comparison { OP_GREATER, OP_AT_LEAST, OP_LESS, OP_AT_MOST, OP_EQUAL, OP_DIFFERENT };
enum baseline_kind { BASE_NONE, BASE_TIMES, BASE_PERCENT, BASE_ADD };
enum missing { MISS_PROM, MISS_BAD, MISS_GOOD, MISS_HOLD };
enum scope { SCOPE_ALWAYS, SCOPE_POST_DEPLOY, SCOPE_POST_MITIGATION, SCOPE_CANARY };

struct model_burn {
    double factor;
    int64_t long_ns, short_ns;
};
struct model_condition {
    enum condition_kind kind;
    const struct model_condition *parts; /* of all and any */
    int n_parts;
    const char *metric; /* name{label="value"}, of a metric; the name of an event */
    enum aggregate aggregate;
    const char *denominator; /* of a ratio; the requests of a burn rate */
    int64_t window_ns;
    enum baseline_kind baseline;
    const char *baseline_metric; /* NULL: the metric itself */
    int64_t baseline_window_ns, baseline_offset_ns;
    enum comparison op;
    double threshold;
    int64_t for_ns;
    int consecutive;  /* n: so many in a row; 0: not asked */
    int m, of_n;      /* m of the last n; 0: not asked */
    int64_t every_ns; /* of its probes; 0: the file's eval */
    int64_t keep_ns, cooldown_ns, delay_ns;
    double clear; /* level at which it clears; NaN: the threshold */
    enum missing missing;
    enum scope scope;
    double slo; /* of a burn rate */
    const struct model_burn *burns;
    int n_burns;
};

enum trigger_mode { MODE_AUTO, MODE_MANUAL, MODE_GUARD, MODE_ADVISE };
struct model_trigger {
    const char *id, *say, *act, *source;
    enum trigger_mode mode;
    int64_t deadline_ns;
    struct model_condition when;
};
struct model_triggers {
    int64_t eval_ns;     /* default 15 s */
    int64_t lookback_ns; /* how long a sample counts as the present value; default 5 m */
    const struct model_trigger *at;
    int n;
    const char *traced; /* id of a trigger whose values are left in the record, tick by tick
                           ("trigger_value"), or NULL */
};

/* A time that a person takes. */
enum delay_shape {
    DELAY_LOGNORMAL,   /* through its median and 95th percentile; constant when they are equal */
    DELAY_EXPONENTIAL, /* of mean p50_ns */
    DELAY_UNIFORM,     /* between p50_ns and p95_ns */
};
struct model_delay {
    int64_t p50_ns, p95_ns;
    enum delay_shape shape;
};
enum operator_delay {
    DELAY_NOTICE,     /* from impact until a person notices, where no alert fires */
    DELAY_NOTIFY,     /* from the alert until it reaches somebody */
    DELAY_ACK,        /* until that person acknowledges */
    DELAY_DECIDE,     /* from acknowledgement to the decision to roll back */
    DELAY_TYPE,       /* to type or paste one command */
    DELAY_READ,       /* to read what it said, or a line of prose */
    DELAY_PATIENCE,   /* how long a never-ending command is watched; one draw for the whole run */
    DELAY_HESITATION, /* how long a guard may hold the decision back */
    DELAY_HANDOVER,   /* after somebody has left, until somebody else goes on; 0: nobody does */
    DELAYS
};
extern const char *const operator_delay_names[DELAYS];

struct model_operator {
    const char *profile; /* "automation", "on_call", "team" */
    struct model_delay delay[DELAYS];
    int64_t decide_at_ns; /* the decision falls at this instant, whatever is seen; 0: no */
    int stops_after_step; /* leaves in the middle of the procedure; 0: no */
};
/* The defaults of a named profile; false if there is none. Their sources are in operator.c. */
bool model_operator_profile(const char *name, struct model_operator *ret);

/* One row of the owner's decision matrix: what must hold so that the decision may be taken. */
struct model_rule {
    const char *trigger;         /* id or act of a trigger, "*" for any */
    const char *severity;        /* "P0", for the record */
    const char *authority;       /* who decides */
    struct model_delay response; /* how long that takes, instead of the profile's `decide` */
    bool rollback;               /* false: this row says not to roll back */
};

/* ---- the scenario: what goes wrong ---- */

struct model_pair {
    const char *name, *value;
};
struct model_change {
    int64_t at_ns;
    const struct model_pair *deploys; /* service, version */
    int n_deploys;
    const struct model_pair *migrates; /* store, schema (a number) */
    int n_migrates;
    const struct model_setting *sets;
    int n_sets;
    double canary;   /* share of the traffic that the deployed versions get, on an instance of their
                        own; 0: all */
    const char *run; /* shell text for the drill to run as the change, or NULL */
};

enum fault_kind {
    FAULT_CORRUPT,   /* table `table` of store `target`: `ratio` of its records are damaged */
    FAULT_SLOW,      /* service `target` takes `factor` times as long, and `add_ns` more */
    FAULT_CUT,       /* nobody (or only `from`) reaches service `target` */
    FAULT_ERRORS,    /* service `target` answers `ratio` of its requests with errors */
    FAULT_CRASH,     /* all instances of `target` (or `ratio` of them) end; again and again while it
                        lasts */
    FAULT_LEAK,      /* instances of `target` grow by `bytes_per_s` */
    FAULT_OVERLOAD,  /* traffic `target` (NULL: all) is `factor` times as much */
    FAULT_DISK_FULL, /* host or store `target` cannot write */
    FAULT_REGION,    /* region `target` is gone: its services and its traffic */
    FAULT_SET,       /* setting `target` becomes `value`; at its end it becomes what it was */
    FAULT_BACKUP,  /* backups named `target` made from now on (and the last one, if `existing`) are
                      damaged */
    FAULT_EVENT,   /* somebody sees and says `target`: an event for triggers */
    FAULT_COMMAND, /* a command that matches `pattern` misbehaves: see `how` */
    FAULT_BLIND,   /* nothing is scraped of service `target` (NULL: of anything) */
    FAULT_DEPLOY,  /* service `target` becomes version `value` (a deployment nobody asked for) */
    FAULT_KINDS
};
extern const char *const fault_kind_names[FAULT_KINDS];

enum damage { DAMAGE_NONE, DAMAGE_CORRUPT, DAMAGE_TRUNCATED, DAMAGE_EMPTY, DAMAGE_MISSING };
extern const char *const damage_names[];

enum command_how {
    COMMAND_FINE,
    COMMAND_FAIL,
    COMMAND_HANG,
    COMMAND_SLOW,
    COMMAND_LIE,
    COMMAND_LOSE_REPLY
};
extern const char *const command_how_names[];

struct model_fault {
    enum fault_kind kind;
    int64_t at_ns;      /* when it strikes; a command fault: from when on */
    int at_step;        /* instead: when this step of the procedure starts; 0: no */
    int64_t for_ns;     /* for so long; 0: to the end */
    double probability; /* that it strikes at all (a command: at each match); 0 stands for 1 */
    const char *target, *table, *from, *value;
    const char *region; /* of slow, cut, errors, crash, leak, overload, blind: only what is there;
                         * or NULL. A NULL `target` then stands for all of it */
    double ratio, factor, bytes_per_s;
    int64_t add_ns;
    enum damage damage;
    bool existing;
    const char *pattern; /* of a command line, as a shell glob on the whole line */
    enum command_how how;
    int exit_status;     /* of a failing command; default 1 */
    const char *message; /* on its stderr, or NULL */
    int times;           /* how often a command misbehaves; 0: always */
};

/* ---- all of it ---- */

enum grain { GRAIN_FLOW, GRAIN_REQUEST };

struct model {
    const char *name;
    int64_t start_unix_ns;    /* the drill's `start` */
    int64_t horizon_ns;       /* after the change; default 2 h */
    int64_t stable_window_ns; /* default 5 min */
    enum grain grain;
    struct model_indicator indicator;
    struct model_metrics metrics;
    const struct model_service *services;
    int n_services;
    const struct model_traffic *traffic;
    int n_traffic;
    const struct model_store *stores;
    int n_stores;
    const struct model_backup *backups;
    int n_backups;
    const struct model_setting *settings;
    int n_settings;
    const struct model_good *good;
    int n_good;
    struct model_triggers triggers;
    const struct model_rule *rules;
    int n_rules;
    struct model_operator operator;
    const struct model_change *changes;
    int n_changes;
    const struct model_fault *faults;
    int n_faults;
};

const struct model_service *model_service(const struct model *, const char *name);
const struct model_version *model_version(const struct model_service *, const char *name);
const struct model_store *model_store(const struct model *, const char *name);
const struct model_traffic *model_traffic(const struct model *, const char *name);
const struct model_backup *model_backup(const struct model *, const char *name);
bool model_has_region(const struct model *, const char *name);

/* Whether the world has such a metric: "error_ratio", "latency_p99_seconds{service=\"api\"}",
 * "postgres_up" ... Else an error that names the nearest one. */
int metric_check(const struct model *, const char *name, struct error *);

/* The first thing that is wrong with it (an unknown name, a cycle of calls, a number out of its
 * limits), or 0. */
int model_check(const struct model *, struct error *);

#endif
