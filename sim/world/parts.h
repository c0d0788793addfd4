/* parts: the inside of a world, for the files of this folder only.
 *
 * Order of what happens at one instant (the priorities below): the tick of traffic, which is about
 * the second that ends; then what begins here: changes and faults, instances, anything by world_at;
 * then backups, the scrape of metrics, triggers, the operator, and last the judgement of the
 * instants. Latencies inside the flow model are doubles in seconds; everything else is int64 ns.
 */
#ifndef REHEARSE_WORLD_PARTS_H
#define REHEARSE_WORLD_PARTS_H

#include "sim/base/arena.h"
#include "sim/base/doc.h"
#include "sim/engine/queue.h"
#include "sim/engine/random.h"
#include "sim/record.h"
#include "sim/world/dataset.h"
#include "sim/world/model.h"
#include "sim/world/store.h"
#include "sim/world/world.h"

enum priority {
    PRIORITY_TICK = 0,
    PRIORITY_CHANGE = 10,
    PRIORITY_FAULT = 20,
    PRIORITY_INSTANCE = 30,
    PRIORITY_OTHER = 50,
    PRIORITY_BACKUP = 105, /* all that was acknowledged until then is in it */
    PRIORITY_SCRAPE = 110,
    PRIORITY_TRIGGER = 120,
    PRIORITY_OPERATOR = 130,
};

#define TICK_NS SECOND

/* ---- settings ---- */

struct setting {
    char *key, *value; /* value NULL: removed */
};
struct settings {
    struct setting *at;
    int n, cap;
};
const char *settings_get(const struct settings *, const char *key);
void settings_set(struct settings *, const char *key, const char *value);
void settings_copy(struct settings *to, const struct settings *from);
void settings_release(struct settings *);

/* ---- services ---- */

struct instance {
    struct service *service;
    char *name;
    int version;      /* index of what runs, or ran last */
    int next_version; /* of what runs when it is started next */
    struct settings settings, frozen;
    enum instance_state state;
    bool in_rotation, own; /* own: made and restarted by the world */
    double weight;
    int64_t started_ns, logged_ns;
    int exit_code, restarts;
    bool crashed; /* and not started since */
    double memory_bytes;
    uint64_t pending; /* handle of becoming ready, of a restart */
    uint64_t doom;    /* of its next crash */
    char why[200];
};

/* The instances of one version, as one queue with so many servers. */
struct group {
    int instances;
    double share;  /* of the service's requests */
    double slower; /* factor on its own work while instances are cold */
    double lambda; /* requests a second that arrive */
    double servers;
    double hold_s, hold_variance; /* how long one request keeps a server */
    double utilisation;
    double wait_s, wait_variance;
    double backlog; /* requests that wait, while it is overloaded */
    double refused; /* ratio turned away because the queue is full */
    double ok;      /* ratio answered without error */
    double latency_s, latency_variance;
};

struct call {
    struct service *to;
    const struct model_call *model;
};

/* Where the writes of one version go, and whether each would succeed now. */
struct version_writes {
    struct store **stores;
    bool *accepted;
    double unwritten; /* ratio of requests that fail because a write of theirs would */
};

struct service {
    struct world *world;
    const struct model_service *model;
    int index;
    struct call *calls;
    struct instance **instances;
    int n_instances, cap_instances;
    int running_version; /* that a change deploys on instances of the world's own */

    /* by faults, recomputed when one strikes or ends */
    double slow_factor, added_s, error_ratio, leak_per_s;
    int cut; /* number of faults that cut it off from everybody */
    bool region_down;

    /* the flow */
    struct group *groups;          /* one for each version */
    struct version_writes *writes; /* likewise */
    double lambda;                 /* requests a second that arrive, retries included */
    bool reachable, saturated;
    double served;           /* of them, those that it works on */
    double callers;          /* places in which callers can wait for it; infinite for clients */
    double patience_s;       /* the shortest time-out among callers */
    double refused;          /* ratio turned away at once */
    double ok;               /* ratio answered without error */
    double latency_s;        /* mean of all */
    double latency_variance; /* of what is not refused, as log_mu and log_sigma */
    double requests_total, errors_total, latency_total_s;
    double log_mu, log_sigma; /* of the fitted lognormal of its latency */
    int64_t restarts_total;
    struct station *station; /* request grain only */
};

const struct model_version *instance_model(const struct instance *);
/* The first need of its version that is not met now, said in one line; false if all are met. */
bool instance_unmet(const struct instance *, char *why, size_t size);
bool instance_started_with(const struct instance *, const char *key, const char *value);
/* Looks again at all instances after something that versions may need has changed. */
void services_reconsider(struct world *);
void services_init(struct world *);
void services_start(struct world *);
void services_release(struct world *);
void services_tick(struct world *); /* memory, leaks, logs of errors */
void service_deploy(struct service *, const char *version);
/* Beside what runs, one instance of that version gets that share of the traffic. */
void service_canary(struct service *, const char *version, double share);
void instance_crash(struct instance *, int exit_code, const char *why);
void instance_log(struct instance *, bool is_error, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
bool service_cut_from(const struct service *to, const struct service *from);

/* ---- traffic ---- */

struct source {
    const struct model_traffic *model;
    struct service *to;
    struct store **stores; /* of its writes */
    bool *accepted;        /* whether each write would succeed now */
    struct stream stream;
    double factor;     /* by overload faults */
    double rate_per_s; /* now; of the present second */
    bool region_down;
    double good, ok, timed_out; /* ratios of its requests now */
    double unwritten;           /* ratio whose record is not accepted now */
    double requests_total, good_total, errors_total, late_total;
};
void traffic_init(struct world *);
void traffic_release(struct world *);
/* Asks every store whether it takes what traffic would write. */
void traffic_ask_stores(struct world *);
void flow_tick(struct world *);
void flow_refresh(struct world *); /* takes note of what has changed since the last tick */
/* Counts the instances of each version that take traffic, and their shares. */
void service_count(struct service *);
void requests_init(struct world *);
void requests_release(struct world *);
void requests_recount(struct world *);
double requests_tick(struct world *); /* returns the indicator */
/* The metrics have been scraped: a new interval begins. */
void requests_scraped(struct world *);
/* A quantile of the latencies of the last interval; false: none was seen, or flow grain. */
bool requests_quantile(const struct service *, double share, double *ret_s);
/* An instance of that version has died with what it was working on. */
void requests_died(struct service *, int version);
double source_rate(const struct world *, const struct source *);
/* Fits a lognormal to mean and variance (seconds). */
void lognormal_fit(double mean, double variance, double *ret_mu, double *ret_sigma);
double lognormal_below(double mu, double sigma, double x); /* P(X <= x) */
double version_mean_s(const struct model_version *, double *ret_variance);

/* ---- stores ---- */

struct mark {
    int64_t at_ns, id; /* all identities below id were acknowledged before at_ns */
};
struct tracked {
    char *name;
    int64_t next; /* the next identity */
    struct idset indeterminate;
    struct idset seen_missing; /* that users could have looked for in vain */
    struct mark *marks;
    int n_marks, cap_marks;
};
/* Rows that a command removed, or put there although they were. */
struct removal {
    int64_t at_ns;
    int step;
    const char *what;
    int table; /* index into tracked */
    bool doubled;
    struct idset rows;
};
struct past {
    int64_t at_ns;
    struct dataset *dataset;
};
struct kept_copy {
    const char *what;
    struct dataset *dataset; /* NULL: forgotten */
};
struct store {
    struct world *world;
    const struct model_store *model;
    struct service *service;
    struct dataset *serving;
    int64_t schema;
    struct tracked *tracked;
    int n_tracked, cap_tracked;
    struct removal *removals;
    int n_removals, cap_removals;
    struct kept_copy *copies;
    int n_copies, cap_copies;
    char *because;
    store_accepts_fn *accepts;
    void *accepts_ctx;
    bool removed; /* since the last look for missing records */
    bool writing; /* traffic is: no change that a snapshot must be taken before */
    /* the contents just before each change but for what traffic wrote, oldest first */
    struct past *pasts;
    int n_pasts, cap_pasts;
    int64_t past_intervals; /* held by them, at most */
    int64_t past_from_ns;   /* earlier ones were let go */
    bool disk_full;
};
void stores_init(struct world *);
void stores_release(struct world *);
void stores_tick(struct world *);
void stores_finish(struct world *);
/* Whether a write to that table would succeed now. */
bool store_takes(struct store *, const char *table);
/* n records acknowledged during the interval up to now; they are in the contents that serve. */
void store_write(struct store *, const char *table, int64_t n, int64_t since_ns);
/* n records written whose writers do not know it. */
void store_write_unknown(struct store *, const char *table, int64_t n, int64_t since_ns);
void store_corrupt(struct store *, const char *table, double ratio, const char *what);

/* ---- backups ---- */

void backups_init(struct world *);
void backups_start(struct world *);
void backups_release(struct world *);
/* The last backup of that schedule turns out to be damaged; its file is written again, wrong. */
void backups_damage(struct world *, const char *name, enum damage);

/* ---- changes and faults ---- */

struct fault {
    const struct model_fault *model;
    bool active, ended;
    bool met;     /* a command fault: some command fitted */
    int times;    /* a command fault: how often it struck */
    char *before; /* FAULT_SET: the value to put back */
    bool had_before;
    struct stream stream;
};
void changes_init(struct world *);
void change_by_fault(struct world *);
void faults_init(struct world *);
void faults_finish(struct world *);
void faults_release(struct world *);
enum damage fault_backup_damage(struct world *, const char *name);
/* Monitoring sees nothing of that service (NULL: of the whole). */
bool metrics_are_blind(const struct world *, const struct service *);
bool region_is_down(const struct world *, const char *region);

/* ---- metrics, triggers, operator ---- */

void metrics_init(struct world *);
void metrics_release(struct world *);

void triggers_init(struct world *);
void triggers_release(struct world *);
void triggers_event(struct world *, const char *event);
/* The i-th trigger if it fires now and is no guard, else NULL; i below the model's number of
 * triggers. */
const struct model_trigger *triggers_firing(const struct world *, int i);
/* The id of a guard that fires now (a reason not to roll back), or NULL. */
const char *triggers_guard(const struct world *);

void operator_init(struct world *);
void operator_release(struct world *);
/* A trigger fires (the first time since it was silent). */
void operator_alert(struct world *, const struct model_trigger *);
void operator_impact(struct world *); /* users notice: the indicator fell under its target, or an
                                         event was declared */

/* ---- judgement ---- */

void judge_init(struct world *);
void judge_state_changed(struct world *); /* something that the good state may ask for */
void judge_indicator(struct world *, double ratio,
                     double requests); /* once a tick, with how many there were in it */
void judge(struct world *);            /* after every event */
void judge_finish(struct world *);

struct judge {
    bool stale; /* the good state must be looked at again */
    bool due;   /* that, or a second has passed: the instants must be looked at again */
    bool good_state, in_target, down;
    int64_t state_changed_ns, good_since_ns, target_since_ns;
    double ratio; /* of the last second */
    int samples;  /* of the series */
    double sampled;
    int64_t sampled_ns;
};

/* ---- the world ---- */

struct named_stream {
    uint64_t name; /* hash */
    struct stream stream;
};
#define HOOK(name, fn)                                                                             \
    struct {                                                                                       \
        fn *call;                                                                                  \
        void *ctx;                                                                                 \
    } name
/* Several watchers of one kind: name##_watchers, called in the order in which they came. */
#define WATCHERS(name, fn)                                                                         \
    struct {                                                                                       \
        fn *call;                                                                                  \
        void *ctx;                                                                                 \
    } * name##_watchers;                                                                           \
    int n_##name##_watchers, cap_##name##_watchers

struct world {
    const struct model *model;
    struct record *record;
    struct arena arena;
    uint64_t seed;
    int64_t now_ns;
    struct queue queue;
    uint64_t fingerprint;
    bool touched, started, finished, running, reconsidering;
    struct named_stream *streams;
    int n_streams, cap_streams;
    struct settings settings;
    struct service *services;
    struct service **callers_first; /* every caller before whom it calls */
    int n_services;
    struct source *sources;
    int n_sources;
    bool flow_stale; /* the flow must be solved again */
    int64_t flow_solved_ns, cold_until_ns;
    struct store *stores;
    int n_stores;
    struct fault *faults;
    int n_faults, n_partial_cuts;
    int64_t planned_change_ns;
    struct judge judge;
    struct requests *requests;
    struct backups *backups;
    struct metrics *metrics;
    struct triggers *triggers;
    struct operator* operator;
    HOOK(on_migrate, migrate_fn);
    HOOK(on_scrape, scrape_fn);
    WATCHERS(deploy, deploy_fn);
    WATCHERS(backup, backup_fn);
    WATCHERS(expiry, backup_gone_fn);
    WATCHERS(instance, instance_fn);
    WATCHERS(log, log_fn);
    struct series *indicator_series;
};

uint64_t world_schedule(struct world *, int64_t at_ns, enum priority, world_fn *fn, void *ctx);
/* The same for what nobody will cancel. */
void world_post(struct world *, int64_t at_ns, enum priority, world_fn *fn, void *ctx);
/* Something happened that must be in the fingerprint. */
void world_mark(struct world *, const char *what, uint64_t value);
struct stream *world_stream(struct world *, const char *entity, const char *purpose);

#endif
