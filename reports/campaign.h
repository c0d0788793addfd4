/* campaign: one drill, many seeds: how often it passes, and how each measure is spread.
 *
 * Runs are in the order of their seeds, whoever ran them in whatever order: the same seeds give the
 * same bytes. A run in which a measure was never reached counts against the target and stays in the
 * denominator.
 */
#ifndef REHEARSE_REPORTS_CAMPAIGN_H
#define REHEARSE_REPORTS_CAMPAIGN_H

#include "reports/report.h"

/* What is kept of one run: plain data that can go through a pipe. */
struct campaign_run {
    uint64_t seed;
    int32_t outcome;                  /* enum outcome */
    int32_t gates[GATES];             /* enum outcome */
    int32_t met[MEASURES];            /* enum outcome of its target; -1: no target */
    double limits[MEASURES];          /* of its target; NaN: none */
    double score, measures[MEASURES]; /* NaN: no value */
    uint64_t fingerprint;
};

struct campaign {
    const char *drill, *title;
    const char *replay; /* of a run, without its seed: "rehearse run x.yaml --seed" */
    struct campaign_run *runs;
    int n;
};

void campaign_run_of(struct campaign_run *, const struct report *);
void campaign_text(const struct campaign *, struct buf *); /* at most 80 columns */
void campaign_json(const struct campaign *, struct buf *); /* "rehearse.campaign/1" */
void campaign_csv(const struct campaign *, struct buf *);  /* one row a run */
/* Cumulative share and histogram of one measure in time, with its target. Returns the number of
 * layout problems (0), or -1 if no run has a value. */
int plot_distribution(const struct campaign *, enum measure, double width, struct buf *svg);

/* The sorted values of a measure, and what they say. */
struct distribution {
    double *values;                   /* sorted; in the arena */
    int n, never;                     /* with and without a value */
    double mean, mean_low, mean_high; /* with its 95% interval (Student); equal below two values */
    int met, judged;                  /* runs that met the target; runs with a target */
    double met_low, met_high;         /* share, 95% interval (Wilson) */
    double limit;                     /* NaN: no target */
};
struct distribution campaign_distribution(const struct campaign *, enum measure, struct arena *);
/* The time by which this share of all runs had got there (nearest rank); NaN if not that many ever
 * did. */
double distribution_rank(const struct distribution *, double share);

#endif
