/* score: from what happened to what it is worth: measures, targets, gates, score, verdict.
 *
 * Computed from a finished record and nothing else. Three answers, never mixed: a thing holds
 * (pass, met), it does not (fail, missed), or it could not be observed (unknown). A fail outranks
 * an unknown, an unknown outranks a pass, and neither ever leaves the denominator. A phase
 * unfinished at the end of the run is not unknown: it failed, with no value.
 *
 * What counts as unknown, and nothing else does:
 *   - the indicator saw no request (record->indicator_unseen): impact, downtime, recovery;
 *   - a store could not be read at the end: its losses (losses elsewhere still fail);
 *   - a budget of ours, or a person, cut the run short (observations "limit", "stopped"): whatever
 *     was unfinished then, and what was down after it;
 *   - the good state is not declared, or a part of it could not be read: the end state.
 */
#ifndef REHEARSE_REPORTS_SCORE_H
#define REHEARSE_REPORTS_SCORE_H

#include "sim/record.h"

enum outcome { OUTCOME_PASS, OUTCOME_FAIL, OUTCOME_UNKNOWN };
extern const char *const outcome_names[]; /* "pass", "fail", "unknown" */
extern const char *const result_names[];  /* the same of a target: "met", "missed", "unknown" */

struct measured {
    bool known;      /* there is a value */
    bool unobserved; /* no value because it could not be observed; else it was never reached */
    bool at_least;   /* the value is a lower bound: another part could not be observed */
    double value;    /* seconds, or records */
};

struct target_result {
    const struct target *target;
    enum outcome outcome;
    double margin; /* to spare if positive; meaningful where the measure is known */
    char rating;   /* P, S, M, U of DESIGN.md; '?' unknown */
    double credit; /* 0 to 1, what it adds to the score; 0 unknown */
    bool waived;   /* missed, but the finding behind it is waived: out of the verdict */
};

struct gate_result {
    enum outcome outcome;
    bool waived;
    const char *why; /* one line, never NULL; in the arena of the caller */
};

struct verdict {
    enum outcome outcome;
    double score, score_possible; /* 0 to 100, with one decimal */
    struct measured measures[MEASURES];
    struct gate_result gates[GATES];
    struct target_result *targets; /* one for each of record->targets, in that order */
    int n_targets;
    int n_waived; /* gates and targets out of the verdict by a waiver */
};

/* Everything it points to lives in the arena or in the record. */
void verdict_compute(struct verdict *, const struct record *, struct arena *);
/* Sets the outcome again from gates and targets, after some were waived. */
void verdict_conclude(struct verdict *);

/* The waiver in force for a finding of that id at that place, or NULL. */
const struct waiver *waiver_for(const struct record *, const char *finding, const char *file,
                                int line);

/* The finding that speaks for a gate or for a missed target; a waiver of it waives them. */
extern const char *const gate_findings[GATES];
const char *target_finding(enum measure);

/* "< 5 min", ">= 0 s", "<= 0 records"; and a value of that measure, "never" or "unknown" included.
 */
const char *target_words(const struct target *, struct arena *);
const char *measure_words(enum measure, const struct measured *, struct arena *);
const char *measure_title(enum measure); /* for people: "Time to detect" */
bool measure_is_count(enum measure);     /* records rather than seconds */

#endif
