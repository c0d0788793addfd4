#include "reports/report.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "reports/plot/gantt.h"
#include "reports/plot/png.h"
#include "reports/plot/timeline.h"
#include "reports/summary.h"
#include "reports/words.h"

void report_init(struct report *report, const struct record *record)
{
    *report = (struct report){.record = record};
    verdict_compute(&report->verdict, record, &report->arena);
    findings_make(&report->findings, record, &report->verdict, &report->arena);
    findings_waive(&report->findings, &report->verdict);
}

void report_release(struct report *report)
{
    findings_release(&report->findings);
    arena_release(&report->arena);
}

int64_t report_degraded_ns(const struct record *record)
{
    for (int i = 0; i < record->n_series; i++) {
        const struct series *series = record->series[i];
        if (strcmp(series->name, "indicator") != 0 || *series->labels || series->n == 0)
            continue;
        int64_t sum = 0;
        for (int k = 0; k + 1 < series->n; k++) { /* a sample holds until the next */
            if (series->value[k] < record->identity.indicator_target)
                sum += series->at_ns[k + 1] - series->at_ns[k];
        }
        return sum;
    }
    return -1;
}

const char *report_requests(const struct record *record, struct arena *arena)
{
    double allowed = record->requests * (1 - record->identity.indicator_target);
    if (record->requests < 1)
        return "";
    const char *share =
        arena_printf(arena, "about %s of %s requests since the change were not served well",
                     words_count(arena, (int64_t)floor(record->requests_bad + 0.5)),
                     words_count(arena, (int64_t)floor(record->requests + 0.5)));
    if (allowed <= 0)
        return share;
    struct buf words;
    buf_init(&words, 256);
    buf_printf(&words, "%s: ", share);
    words_number(&words, floor(10 * record->requests_bad / allowed + 0.5) / 10);
    buf_puts(&words, " times what a target of ");
    words_number(&words, 100 * record->identity.indicator_target);
    buf_puts(&words, "% allows");
    share = arena_str(arena, buf_text(&words));
    buf_release(&words);
    return share;
}

int report_write_file(const char *path, struct str content, struct error *error)
{
    struct arena arena = {0};
    char *temporary = arena_printf(&arena, "%s.new", path);
    int code = 0;
    FILE *file = fopen(temporary, "wbe");
    if (!file) {
        code = error_set(error, ERROR_INPUT, "%s: cannot write: %s", path, strerror(errno));
        goto out;
    }
    bool bad = content.len && fwrite(content.at, 1, content.len, file) != content.len;
    int why = errno;
    if (fclose(file) != 0 && !bad) {
        bad = true;
        why = errno;
    }
    if (!bad && rename(temporary, path) != 0) {
        bad = true;
        why = errno;
    }
    if (bad) {
        unlink(temporary);
        code = error_set(error, ERROR_INPUT, "%s: cannot write: %s", path, strerror(why));
    }
out:
    arena_release(&arena);
    return code;
}

static int make_directory(const char *path, struct error *error)
{
    struct arena arena = {0};
    char *part = arena_strdup(&arena, path);
    int code = 0;
    for (char *at = part + 1; code == 0; at++) {
        if (*at != '/' && *at != '\0')
            continue;
        bool last = *at == '\0';
        *at = '\0';
        if (mkdir(part, 0777) != 0 && errno != EEXIST)
            code = error_set(error, ERROR_INPUT, "%s: cannot make the directory: %s", part,
                             strerror(errno));
        if (last)
            break;
        *at = '/';
    }
    arena_release(&arena);
    return code;
}

int report_make_parents(const char *path, struct error *error)
{
    const char *slash = strrchr(path, '/');
    if (!slash || slash == path)
        return 0;
    struct arena arena = {0};
    int code = make_directory(arena_str(&arena, (struct str){path, (size_t)(slash - path)}), error);
    arena_release(&arena);
    return code;
}

/* The formats for many runs, for this one. */
static void summarised(const struct report *report, struct buf *buf,
                       void (*write)(const struct summary *, int, struct buf *))
{
    struct arena arena = {0};
    struct summary summary;
    summary_of_report(&summary, &arena, report);
    write(&summary, 1, buf);
    arena_release(&arena);
}

static void junit(const struct report *report, struct buf *buf)
{
    summarised(report, buf, summaries_junit);
}

static void sarif(const struct report *report, struct buf *buf)
{
    summarised(report, buf, summaries_sarif);
}

static void csv(const struct report *report, struct buf *buf)
{
    summarised(report, buf, summaries_csv);
}

static void openmetrics(const struct report *report, struct buf *buf)
{
    summarised(report, buf, summaries_openmetrics);
}

static void as_png(const struct report *report, struct buf *buf,
                   void (*draw)(const struct report *, struct buf *))
{
    struct buf svg;
    buf_init(&svg, REPORT_MAX);
    draw(report, &svg);
    png_of_svg(buf_text(&svg), 2, buf);
    buf_release(&svg);
}

static void timeline_png(const struct report *report, struct buf *buf)
{
    as_png(report, buf, report_timeline);
}

static void gantt_png(const struct report *report, struct buf *buf)
{
    as_png(report, buf, report_gantt);
}

int report_write_all(const struct report *report, const char *out_dir, unsigned formats,
                     struct error *error)
{
    static const struct {
        unsigned bit;
        const char *name;
        void (*write)(const struct report *, struct buf *);
    } files[] = {
        {WRITE_JSON, "run.json", report_json},
        {WRITE_MARKDOWN, "report.md", report_markdown},
        {WRITE_TIMELINE, "timeline.svg", report_timeline},
        {WRITE_EVENTS, "events.jsonl", report_events},
        {WRITE_HTML, "report.html", report_html},
        {WRITE_STEPS, "steps.svg", report_gantt},
        {WRITE_INCIDENT, "incident.md", report_incident},
        {WRITE_JUNIT, "junit.xml", junit},
        {WRITE_SARIF, "findings.sarif", sarif},
        {WRITE_CSV, "measures.csv", csv},
        {WRITE_METRICS, "metrics.txt", openmetrics},
        {WRITE_PNG, "timeline.png", timeline_png},
        {WRITE_PNG, "steps.png", gantt_png},
    };
    if (!*out_dir)
        out_dir = ".";
    int code = make_directory(out_dir, error);
    struct arena arena = {0};
    struct buf buf;
    buf_init(&buf, REPORT_MAX);
    for (size_t i = 0; code == 0 && i < sizeof files / sizeof *files; i++) {
        if (!(formats & files[i].bit))
            continue;
        buf_clear(&buf);
        files[i].write(report, &buf);
        code = report_write_file(arena_printf(&arena, "%s/%s", out_dir, files[i].name),
                                 buf_text(&buf), error);
    }
    buf_release(&buf);
    arena_release(&arena);
    return code;
}
