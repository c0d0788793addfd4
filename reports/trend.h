/* trend: the last eight quarters of a history: each measure's median and spread, what got worse,
 * what is still open, and how long ago the last pass was. Quarters are calendar quarters in UTC. */
#ifndef REHEARSE_REPORTS_TREND_H
#define REHEARSE_REPORTS_TREND_H

#include "reports/history.h"

enum { QUARTERS = 8 };

/* Of the runs of one quarter that have a value. */
struct spread {
    int n; /* 0: no value, the rest means nothing */
    double min, median, p90, max;
};

struct quarter {
    int year, number; /* number: 1 to 4 */
    int runs, passed;
    struct spread score;
    struct spread measures[MEASURES];
};

struct trend {
    struct quarter quarters[QUARTERS]; /* oldest first, the last holds `now` */
    int runs;                          /* of all time */
    int64_t last_pass_s;               /* Unix time; INT64_MIN: never */
    const char **regressions;          /* one line each */
    int n_regressions;
    struct open_finding *open; /* oldest first */
    int n_open;
    int64_t now_s;
};

/* drill NULL: all drills. Everything lives in the arena. */
int trend_compute(struct trend *, struct history *, const char *drill, int64_t now_s,
                  struct arena *, struct error *);
void trend_text(const struct trend *, const char *drill, struct buf *); /* at most 80 columns */
void trend_json(const struct trend *, const char *drill, struct buf *); /* "rehearse.trend/1" */
/* The drill score per quarter with its range; returns the number of layout problems (0). */
int plot_trend(const struct trend *, const char *drill, double width, struct buf *svg);

/* The quarter of an instant. */
void quarter_of(int64_t unix_s, int *ret_year, int *ret_number);

#endif
