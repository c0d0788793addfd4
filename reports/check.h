/* check: the results of many drills against what each expects and a baseline, as a table or as
 * JSON. */
#ifndef REHEARSE_REPORTS_CHECK_H
#define REHEARSE_REPORTS_CHECK_H

#include "reports/expect.h"

/* One drill of a check. */
struct check_row {
    const char *path;       /* of the drill file */
    const char *failure;    /* why there is no result, or NULL */
    int failure_code;       /* ERROR_INPUT, ERROR_SEAL ... */
    struct summary summary; /* if there is one; its problems are the lines below */
    bool has_summary;
    const char **unexpected; /* came out otherwise than the drill expects */
    int n_unexpected;
    const char **lapsed; /* waivers whose date has come */
    int n_lapsed;
    const char **worse; /* than in the baseline */
    int n_worse;
    int n_over; /* findings at or over --fail-on that the drill does not expect */
};

struct check {
    struct check_row *rows;
    int n;
    const char **missing; /* drills of the baseline that were not run */
    int n_missing;
};

/* Findings at least as bad as this that are neither waived nor expected. */
int check_count_over(const struct summary *, const struct expectation *, enum severity at_least);
/* Whether anything of the row is not as it should be. */
bool check_row_is_well(const struct check_row *);
/* 0 all well; 1 not as expected, worse, or over the severity; 2 input; 3 unknown or cannot be
 * sealed; 70 a bug of ours. */
int check_status(const struct check *);
void check_text(const struct check *, struct buf *,
                bool color); /* at most 80 columns where names allow */
void check_html(const struct check *,
                struct buf *); /* a page that leads to each drill's report.html */
void check_json(const struct check *, struct buf *); /* "rehearse.check/1" */

#endif
