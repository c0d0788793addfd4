/* report: one run, judged, and written in every format.
 *
 * A struct report is computed once from a finished record (which must outlive it); each format is one
 * function from it to bytes in a buffer. Same record, same bytes: no clock, no locale, no host.
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

enum { REPORT_MAX = 256 << 20 }; /* bytes of the largest file that a format may write */

void report_json(const struct report *, struct buf *);     /* run.json, "rehearse.run/1" */
void report_events(const struct report *, struct buf *);   /* JSON Lines, one event each */
void report_text(const struct report *, struct buf *, bool color); /* the scorecard, 80 columns */
void report_markdown(const struct report *, struct buf *);

/* The files that a run leaves. */
enum {
    WRITE_JSON = 1u << 0,     /* run.json */
    WRITE_MARKDOWN = 1u << 1, /* report.md */
    WRITE_TIMELINE = 1u << 2, /* timeline.svg */
    WRITE_EVENTS = 1u << 3,   /* events.jsonl */
    WRITE_USUAL = WRITE_JSON | WRITE_MARKDOWN | WRITE_TIMELINE,
    WRITE_EVERYTHING = 0xFFFF
};

/* Writes the chosen files into a directory, which is made with its parents. Each file appears whole or not at
 * all. ERROR_INPUT if the directory cannot be written. */
int report_write_all(const struct report *, const char *out_dir, unsigned formats, struct error *);

/* Writes one file, whole or not at all: through a temporary name beside it. */
int report_write_file(const char *path, struct str content, struct error *);

#endif
