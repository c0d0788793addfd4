/* report: one run, judged, and written in every format.
 *
 * A struct report is computed once from a finished record (which must outlive it); each format is
 * one function from it to bytes in a buffer. Same record, same bytes: no clock, no locale, no host.
 */
#ifndef REHEARSE_REPORTS_REPORT_H
#define REHEARSE_REPORTS_REPORT_H

#include "reports/findings.h"
#include "reports/score.h"
#include "sim/base/error.h"

struct report {
    const struct record *record;
    struct verdict verdict;
    struct findings findings;
    struct arena arena;
};

void report_init(struct report *, const struct record *);
void report_release(struct report *);

/* About how long the indicator was under its target, from its samples; -1 if there are none. */
int64_t report_degraded_ns(const struct record *);

/* "about 4,310 of 96,000 requests since the change were not served well: 4.5 times what a target of
 * 99% allows", or "" where there were none. */
const char *report_requests(const struct record *, struct arena *);

enum { REPORT_MAX = 256 << 20 }; /* bytes of the largest file that a format may write */

void report_json(const struct report *, struct buf *);   /* run.json, "rehearse.run/1" */
void report_events(const struct report *, struct buf *); /* JSON Lines, one event each */
/* The scorecard: tables from 80 columns on; in fewer, a few lines for each of their rows. */
enum { REPORT_COLUMNS = 80, REPORT_COLUMNS_MIN = 40 };
void report_text(const struct report *, struct buf *, bool color, int columns);
void report_markdown(const struct report *, struct buf *);
void report_html(const struct report *, struct buf *); /* self-contained */
void report_incident(const struct report *,
                     struct buf *); /* Markdown, as teams file it after a rollback */

/* The files that a run leaves. */
enum {
    WRITE_JSON = 1u << 0,     /* run.json */
    WRITE_MARKDOWN = 1u << 1, /* report.md */
    WRITE_TIMELINE = 1u << 2, /* timeline.svg */
    WRITE_EVENTS = 1u << 3,   /* events.jsonl */
    WRITE_HTML = 1u << 4,     /* report.html */
    WRITE_STEPS = 1u << 5,    /* steps.svg */
    WRITE_INCIDENT = 1u << 6, /* incident.md */
    WRITE_JUNIT = 1u << 7,    /* junit.xml */
    WRITE_SARIF = 1u << 8,    /* findings.sarif */
    WRITE_CSV = 1u << 9,      /* measures.csv */
    WRITE_METRICS = 1u << 10, /* metrics.txt, OpenMetrics */
    WRITE_PNG = 1u << 11,     /* timeline.png, steps.png: at twice the size, for sharp screens */
    WRITE_USUAL = WRITE_JSON | WRITE_MARKDOWN | WRITE_TIMELINE | WRITE_HTML | WRITE_STEPS |
                  WRITE_EVENTS | WRITE_INCIDENT,
    WRITE_EVERYTHING = 0xFFFF
};

/* Writes the chosen files into a directory, which is made with its parents. Each file appears whole
 * or not at all. ERROR_INPUT if the directory cannot be written. */
int report_write_all(const struct report *, const char *out_dir, unsigned formats, struct error *);

/* Makes the directories above a file. */
int report_make_parents(const char *path, struct error *);
/* Writes one file, whole or not at all: through a temporary name beside it. */
int report_write_file(const char *path, struct str content, struct error *);

#endif
