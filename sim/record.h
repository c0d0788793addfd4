/* record: everything that happened in one run, and the only thing that reports read.
 *
 * The world, the fakes and the supervisor write into it while the run goes on; afterwards it is
 * read-only. All instants are int64 nanoseconds since the start of the run; NEVER stands for an
 * instant that was not reached. All strings live in the record's arena. Nothing in it depends on
 * the host: no wall-clock time, no host path, no pointer order. Lists are in the order in which
 * things happened.
 */
#ifndef REHEARSE_RECORD_H
#define REHEARSE_RECORD_H

#include <stdbool.h>
#include <stdint.h>

#include "sim/base/arena.h"
#include "sim/base/buf.h"

#define NEVER INT64_MIN

/* What happened, for the timeline. */
enum event_kind {
    EVENT_CHANGE,   /* the bad change, or part of it, takes effect */
    EVENT_FAULT,    /* a declared fault strikes or ends */
    EVENT_ALERT,    /* a trigger fires or clears */
    EVENT_OPERATOR, /* a person or the automation acts: acknowledges, decides, reads, waits, stops;
                       the procedure claims success */
    EVENT_STEP,     /* a step of the procedure starts */
    EVENT_COMMAND,  /* a fake command was run (text: the command line) */
    EVENT_WORLD,   /* the world changed: version, replica, schema, store in service, flag, config */
    EVENT_BACKUP,  /* a backup was taken or failed */
    EVENT_MESSAGE, /* a communication: announcement, notification, page */
    EVENT_KINDS
};

struct event {
    int64_t at_ns;
    enum event_kind kind;
    int step;            /* the step during which it happened, from 1; 0 outside the procedure */
    const char *subject; /* service, store, trigger, fault ... it is about; never NULL */
    const char *text;    /* one line; never NULL */
};

/* An observation made during the run that may become a finding. Its kind is the finding's stable
 * id. */
struct observation {
    /* one of the ids in reports/explain.c, e.g. "unknown_command", "hang"; "limit" says * that a
     * budget of ours cut the procedure short: what is unfinished is unknown */
    const char *id;
    int64_t at_ns;
    int step;         /* 0: none */
    const char *file; /* where in the playbook; NULL: where the step is */
    int line;
    const char *message;  /* one line, in words for the owner of the playbook */
    const char *evidence; /* what was seen, verbatim where possible; may be "" */
};

/* What could be said of a line of the playbook without running it. A finding there for which it is
 * the cause names it. */
struct static_note {
    const char *rule; /* "RB030" */
    const char *title;
    /* ids of the findings for which it is the cause, "no_op wrong_end_state" */
    const char *shows_as;
    const char *file;
    int line;
};

/* One command of the procedure as it was really executed. */
struct step {
    int n;                    /* from 1 */
    const char *file;         /* the playbook, as the user named it */
    int line, last_line;      /* of the command's text, or of the script's that it starts */
    const char *command;      /* as executed (placeholders bound) */
    int64_t start_ns, end_ns; /* end_ns is NEVER for a step that did not end */
    int exit_status;          /* as bash would have it in $?; -1 unknown */
    bool interrupted;         /* ended by the operator (a monitor), not by itself */
    bool seen_to_fail;        /* the operator saw it fail, and ran its block again */
    struct buf out, err;      /* bytes of the tree's stdout and stderr, cut at RECORD_OUTPUT_MAX */
    const char *claimed;      /* the output line that claimed success, or NULL */
    int64_t claimed_ns;
    const char **changed; /* what truly changed in the world because of it */
    int n_changed, cap_changed;
};
enum { RECORD_OUTPUT_MAX = 64 * 1024 };

/* One metric's samples, equally meaningful for plots and tuning. Names that the timeline draws:
 * "indicator" (ratio; labels "" for the whole system), "latency_p99_seconds", "ready_replicas"
 * (service=X), "records" (count; store=X). "scraped" is what monitoring saw of a metric that a
 * trigger watches, scrape by scrape, its name as the trigger writes it being the label. */
struct series {
    const char *name;   /* e.g. "indicator", "latency_p99_seconds" */
    const char *labels; /* e.g. "service=honeypot", or "" */
    const char *unit;   /* "ratio", "seconds", "per_second", "count", "bytes" */
    int n, cap;
    int64_t *at_ns;
    double *value; /* NaN: no sample (a gap) */
};

struct blame {
    int step;         /* 0: not by a step of the procedure */
    const char *what; /* the command or event that removed them, or put them there once more */
    int64_t at_ns;
    int64_t records;
    int64_t oldest_ns, newest_ns; /* acknowledgement times of the oldest and newest of them */
};

/* The fate of every write to one store, in Jepsen's words. */
struct ledger_row {
    const char *store;
    int64_t acknowledged, kept, lost, recoverable, duplicated, unexpected, stale, indeterminate;
    bool known; /* false: the store could not be read at the end; counts then mean nothing */
    struct blame *blame; /* for what is lost */
    int n_blame;
    struct blame *doubling; /* for what is there more than once */
    int n_doubling;
};

struct assumption {
    const char *what, *why;
    bool flips; /* the other plausible answer would change the verdict */
};

enum gate {
    GATE_RECORDS_LOST,
    GATE_RECORDS_DUPLICATED,
    GATE_RECORDS_UNEXPECTED,
    GATE_FALSE_SUCCESS,
    GATE_END_STATE,
    GATE_ESCAPED_COMMAND,
    GATES
};
extern const char *const gate_names[GATES];

enum measure {
    MEASURE_TIME_TO_DETECT,
    MEASURE_TIME_TO_DECIDE,
    MEASURE_ROLLBACK,
    MEASURE_TIME_TO_STABLE,
    MEASURE_DOWNTIME,
    MEASURE_RECORDS_LOST,
    MEASURE_CLAIM_ERROR,
    MEASURES
};
extern const char *const measure_names[MEASURES]; /* the JSON keys: time_to_detect_s, ... */

enum instant {
    T_CHANGE,
    T_IMPACT,
    T_DETECT,
    T_ACK,
    T_DECIDE,
    T_CLAIM,
    T_MITIGATE,
    T_RESTORE,
    T_STABLE,
    T_END, /* end of the run */
    INSTANTS
};
extern const char *const instant_names[INSTANTS]; /* the JSON keys: t_change, ... */

struct target {
    enum measure measure;
    double limit;  /* seconds, or records */
    bool at_least; /* the value must be >= limit (claim error); else < limit, or <= 0 records */
};

struct provenance {
    const char *what, *value; /* e.g. "playbook sha256", "bash version"; in a fixed order */
};

/* The state of one thing at the end, and what the good state asks of it. */
struct end_state {
    const char *subject, *property, *value,
        *wanted; /* wanted: NULL where the good state is silent */
    bool good;
    /* what keeps it from being good, in one line, where the world knows; else NULL */
    const char *why;
};

/* A finding that the drill accepts until a date: it then stays out of the verdict, and reports say
 * so. */
struct waiver {
    const char *finding;   /* its stable id */
    const char *file;      /* only there; NULL: anywhere */
    int line;              /* only there; 0: anywhere in the file */
    int64_t until_unix_ns; /* in force for runs whose `start` is before this */
    const char *reason;
};

/* Fixed at the start of the run. */
struct run_identity {
    const char *drill; /* name, e.g. "shop/database" */
    const char *title; /* one line for people */
    const char *system;
    const char *playbook; /* as the user named it; file of the steps */
    const char *section;  /* heading, or "" for the whole file */
    const char *tier;     /* "namespaces", "landlock" */
    const char *replay;   /* the command that replays this run exactly */
    uint64_t seed;
    int64_t start_unix_ns; /* the drill's `start` */
    int64_t horizon_ns;
    int64_t stable_window_ns;
    double indicator_target, indicator_down_below; /* ratios */
};

struct record {
    struct arena arena;
    struct run_identity identity;
    int64_t now_ns;   /* kept by the world: the time of what is recorded now */
    int current_step; /* kept by the session: 0 outside the procedure */
    int64_t instants[INSTANTS];
    int64_t downtime_ns;
    double requests, requests_bad; /* from the change on, by the rate of the traffic and the
                                      indicator of each second */
    bool indicator_unseen; /* no request ever told the indicator: what hangs on it is unknown */
    bool procedure_ended;  /* false: stopped by a limit, a hang, or the operator */
    int procedure_exit;
    const char *stopped_by; /* why the procedure was stopped, or NULL */
    uint64_t fingerprint;

    struct target *targets;
    int n_targets, cap_targets;
    struct event *events;
    int n_events, cap_events;
    struct observation *observations;
    int n_observations, cap_observations;
    struct static_note *static_notes;
    int n_static_notes, cap_static_notes;
    struct step *steps;
    int n_steps, cap_steps;
    struct series **series;
    int n_series, cap_series;
    struct ledger_row *ledger;
    int n_ledger, cap_ledger;
    struct assumption *assumed;
    int n_assumed, cap_assumed;
    struct provenance *provenance;
    int n_provenance, cap_provenance;
    struct end_state *end_states;
    int n_end_states, cap_end_states;
    struct waiver *waivers;
    int n_waivers, cap_waivers;
};

struct record *record_new(void);
void record_free(struct record *);

void record_event(struct record *, enum event_kind, const char *subject, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
/* The same, and the change is noted in `changed` of the current step, if there is one. */
void record_change(struct record *, const char *subject, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* Notes in `changed` of an earlier step (from 1) what has only now come of it: a configuration that
 * somebody reads at last. */
void record_credit(struct record *, int step, const char *subject, const char *text);
/* Notes something that may become a finding; identical (id, step, message) is kept once. */
void record_observe(struct record *, const char *id, const char *evidence, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
void record_static_note(struct record *, const struct static_note *); /* copies the strings */
struct step *record_step_begin(struct record *, const char *file, int line, const char *command);
void record_step_end(struct record *, struct step *, int exit_status);
void record_step_cut(struct record *); /* the procedure is over, and this step has not ended: its
                                          end_ns stays NEVER */
struct step *record_step_current(struct record *); /* NULL outside the procedure */
/* What happens from now on is an effect of that step (0: of none), whichever runs: a controller
 * that goes on with what was asked of it earlier. Returns what to put back by a second call, before
 * the event is over. */
int record_act_for(struct record *, int step);
/* The series with that name and labels, made on first use. */
struct series *record_series(struct record *, const char *name, const char *labels,
                             const char *unit);
void series_add(struct series *, int64_t at_ns, double value);
void record_assume(struct record *, const char *what, const char *why, bool flips);
void record_provenance(struct record *, const char *what, const char *value);
void record_waive(struct record *, const struct waiver *); /* copies all of it */

#endif
