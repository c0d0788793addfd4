/* trend: the last eight quarters of a history: each measure's median and spread, what got worse,
 * what is still open, and how long ago the last pass was. Quarters are calendar quarters in UTC.
 *
 * What got worse is said of one procedure (a drill with one document, simulated or held): its
 * newest quarter against the one before in which it was run. Another document is another series.
 */
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

/* Which runs; NULL: not asked for. With a drill alone, the runs of what it names itself today,
 * simulated if it ever was; with nothing, the same of every drill, and those that people held. */
struct trend_choice {
    const char *drill, *playbook, *section, *kind;
};

struct trend_procedure {
    struct history_procedure row;
    bool shown; /* its runs are in the quarters */
};

/* A procedure whose newest quarter is worse than the one before. */
struct regression {
    const struct history_procedure *procedure;
    const char **lines; /* "score: median 60, was 90 in 2025 Q3" */
    int n_lines;
    const char *edited; /* which of its inputs changed in between: "playbook, system", or "" */
};

struct trend {
    const char *title, *document; /* "shop/undo"; "playbook.md, 'Undo', simulated", "" if several */
    bool one_drill;
    struct quarter quarters[QUARTERS];  /* oldest first, the last holds `now`; of what is shown */
    int runs;                           /* of all time, of what is shown */
    int64_t last_pass_s;                /* Unix time; INT64_MIN: never */
    struct trend_procedure *procedures; /* of the drill, or of all drills */
    int n_procedures;
    struct regression *regressions;
    int n_regressions;
    struct open_finding *open; /* oldest first */
    int n_open;
    int64_t now_s;
};

/* ERROR_INPUT if runs are kept, and none is of this choice. Everything lives in the arena. */
int trend_compute(struct trend *, struct history *, const struct trend_choice *, int64_t now_s,
                  struct arena *, struct error *);
void trend_text(const struct trend *, struct buf *); /* at most 80 columns */
void trend_json(const struct trend *, struct buf *); /* "rehearse.trend/1" */
/* The drill score per quarter with its range; returns the number of layout problems (0). */
int plot_trend(const struct trend *, double width, struct buf *svg);

/* The quarter of an instant. */
void quarter_of(int64_t unix_s, int *ret_year, int *ret_number);

#endif
