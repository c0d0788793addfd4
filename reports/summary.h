/* summary: what other commands need of a run, read back from its run.json.
 *
 * `check` compares summaries, history keeps them, and JUnit, SARIF, CSV and OpenMetrics are written
 * from them, whether there is one run or a hundred. Everything lives in the arena given.
 */
#ifndef REHEARSE_REPORTS_SUMMARY_H
#define REHEARSE_REPORTS_SUMMARY_H

#include "reports/report.h"

struct summary_target {
    enum measure measure;
    const char *comparison;      /* "<", "<=", ">=" */
    double limit, value, margin; /* value and margin NaN where there is none */
    enum outcome outcome;
    const char *rating; /* "P", "S", "M", "U", or "" */
    bool waived;
};

struct summary_finding {
    const char *id, *file, *message, *evidence, *replay;
    enum severity severity;
    int line, step;                /* 0: none */
    const char *lint, *lint_title; /* the rule of lint that sees the same; NULL: none */
    int lint_line;
    const char *waived; /* the reason, or NULL */
};

struct summary_step {
    int n, line;
    const char *file, *command, *claimed; /* claimed: "" if nothing was */
    double start_s, duration_s;           /* NaN: it did not end */
    int exit_status;                      /* -1 unknown */
    bool interrupted;
    int n_changed;
};

struct summary {
    const char *drill, *title, *system, *playbook, *section, *start, *replay, *tier, *fingerprint;
    const char *inputs; /* "what<tab>value<line feed>" each: hashes and versions */
    int64_t seed;
    enum outcome outcome;
    double score, score_possible;
    enum outcome gates[GATES];
    double measures[MEASURES];   /* NaN: no value */
    double instants_s[INSTANTS]; /* NaN: never */
    struct summary_target *targets;
    int n_targets;
    struct summary_finding *findings;
    int n_findings;
    struct summary_step *steps;
    int n_steps;
    bool compared; /* with what its drill expects: then JUnit fails only for what came otherwise */
    const char **problems; /* what came otherwise, or got worse */
    int n_problems;
    const char *failure; /* why there was no run: then only `drill` is set besides; JUnit only */
};

/* From the text of a run.json; ERROR_INPUT, naming `file`, if it is not one. */
int summary_parse(struct summary *, struct arena *, const char *file, const char *text,
                  struct error *);
int summary_read_file(struct summary *, struct arena *, const char *path, struct error *);
void summary_of_report(struct summary *, struct arena *, const struct report *);

/* Whether two names of files, each as seen from some folder, can be of one: "playbook.md" and
 * "docs/playbook.md". */
bool summary_same_file(const char *a, const char *b);

/* For continuous integration and dashboards: any number of runs in one document. */
void summaries_junit(const struct summary *, int n,
                     struct buf *); /* JUnit XML, as Jenkins and GitLab read it */
void summaries_sarif(const struct summary *, int n, struct buf *); /* SARIF 2.1.0 */
void summaries_csv(const struct summary *, int n, struct buf *);   /* one row a measure, RFC 4180 */
void summaries_openmetrics(const struct summary *, int n, struct buf *); /* OpenMetrics 1.0 */

#endif
