/* history: every run that was kept, in one SQLite file, so that a quarter can be compared with the
 * last eight.
 *
 * The file is in WAL mode and its schema is versioned (PRAGMA user_version); opening an older file
 * migrates it, a newer one is refused. Each run is one transaction: ten writers at once wait for
 * each other, and a writer that is killed leaves what was there before. Times in it are when a run
 * was made or a drill was held, given by the caller.
 */
#ifndef REHEARSE_REPORTS_HISTORY_H
#define REHEARSE_REPORTS_HISTORY_H

#include "reports/summary.h"

struct history;

/* Makes the file and its directory if `make`; ERROR_INPUT if it cannot be opened or is no history.
 */
int history_open(const char *path, bool make, struct history **ret, struct error *);
void history_close(struct history *);

struct history_run {
    int64_t id, at_s; /* at_s: Unix time */
    const char *kind; /* "simulated", or "held" by people */
    const char *drill, *system, *playbook, *section, *tier, *fingerprint, *replay;
    const char *people; /* who took part in a held drill, or "" */
    const char *inputs; /* "what<tab>value<line feed>" each: hashes, versions; "" if not known */
    int64_t seed;
    enum outcome outcome;
    double score, score_possible;
    double measures[MEASURES]; /* NaN: no value */
    char gates[GATES + 1];     /* 'p', 'f', 'u' each */
};

/* Whether the run ran what its drill names, and no other document (--playbook, --section). */
bool history_is_own(const struct history_run *);
/* A row of a summary, ready to be added; strings are the summary's. */
struct history_run history_run_of(const struct summary *, int64_t at_s, const char *kind,
                                  const char *people);
/* Adds the run with its findings; returns 0 and the new id, or ERROR_INPUT. */
int history_add(struct history *, const struct history_run *, const struct summary_finding *,
                int n_findings, int64_t *ret_id, struct error *);

/* Several changes at once: begin, adds, end; with a code other than 0 all of them are undone, and
 * it is returned. */
int history_begin(struct history *, struct error *);
int history_end(struct history *, int code, struct error *);
/* Within begin and end: adds the run unless one with its drill, time, seed and fingerprint is
 * there. */
int history_add_new(struct history *, const struct history_run *, const struct summary_finding *,
                    int n_findings, bool *ret_added, struct error *);

/* Within begin and end: takes out what people wrote down of the same drill at the same time, so
 * that it can be put right. */
int history_forget_held(struct history *, const struct history_run *, struct error *);

/* Calls fn for the newest `limit` runs (0: all) of the drill (NULL: of every drill), newest first.
 * Strings are valid during the call. */
typedef void history_fn(void *ctx, const struct history_run *);
int history_each(struct history *, const char *drill, int limit, history_fn *fn, void *ctx,
                 struct error *);

/* What a drill was rehearsed with: runs are compared with runs of the same procedure alone. A
 * document stays the same one when it is edited; an edit is seen in the runs' inputs. */
struct history_procedure {
    int64_t id; /* above 0 */
    const char *drill, *playbook, *section, *kind;
    int64_t own_s; /* newest run in which this was what the drill itself names; INT64_MIN: none */
    int runs, passed;
    int64_t last_s, last_pass_s; /* newest run; newest pass up to now_s, INT64_MIN: none */
};
/* All of them by drill, into the arena. */
int history_procedures(struct history *, int64_t now_s, struct arena *,
                       struct history_procedure **ret, int *ret_n, struct error *);
/* The inputs of the procedure's newest run before an instant, or "". */
int history_inputs(struct history *, int64_t procedure, int64_t before_s, struct arena *,
                   const char **ret, struct error *);

/* The few columns that trends are made of, without a string: a hundred thousand of them are read at
 * once. */
struct history_point {
    int64_t procedure, at_s;
    enum outcome outcome;
    double score, measures[MEASURES]; /* NaN: no value */
};
typedef void history_point_fn(void *ctx, const struct history_point *);
/* Every run of the procedure (0: of all) from from_s up to, not including, to_s; in no order. */
int history_points(struct history *, int64_t procedure, int64_t from_s, int64_t to_s,
                   history_point_fn *fn, void *ctx, struct error *);

struct open_finding {
    int64_t procedure;
    const char *drill, *id, *file, *message;
    enum severity severity;
    int64_t first_s, last_s; /* first seen without a run in between that had it not; last seen */
};
/* Errors and warnings that the newest run of their procedure still had; oldest first. Into the
 * arena. */
int history_open_findings(struct history *, struct arena *, struct open_finding **ret, int *ret_n,
                          struct error *);

/* The whole file as JSON Lines ("rehearse.history/1" each), oldest first; and back. Import adds
 * what is not there yet (same drill, time, seed, fingerprint) and says how many. */
int history_export(struct history *, struct buf *, struct error *);
int history_import(struct history *, const char *file, struct str text, int *ret_added,
                   struct error *);

#endif
