/* report.html: the whole report as one file with nothing from outside: pictures inline, light and
 * dark, for screens of any width and for paper, without a script. Numbers link to the evidence
 * behind them. */
#include <inttypes.h>
#include <string.h>

#include "reports/explain.h"
#include "reports/html.h"
#include "reports/plot/timeline.h"
#include "reports/words.h"
#include "reports/xml.h"
#include "sim/base/doc.h"

enum { EVENTS_SHOWN = 2000, EVIDENCE_SHOWN = 8000 };

/* ---- verdict, targets, gates ---- */

static void put_verdict(struct html_page *page)
{
    static const char *const words[] = {"PASS", "FAIL", "UNKNOWN"};
    const struct verdict *verdict = &page->report->verdict;
    int counts[3] = {0};
    for (int i = 0; i < page->report->findings.n; i++)
        counts[page->report->findings.at[i].severity]++;
    buf_printf(page->buf, "<div class=\"verdict %s\"><strong>%s</strong><p>score <b>",
               outcome_names[verdict->outcome], words[verdict->outcome]);
    words_number(page->buf, verdict->score);
    html_raw(page, "</b> of 100");
    if (verdict->score_possible > verdict->score) {
        html_raw(page, ", up to ");
        words_number(page->buf, verdict->score_possible);
        html_raw(page, " were the unknown known");
    }
    buf_printf(page->buf,
               "</p><p><a href=\"#findings\">%d error%s, %d warning%s, %d note%s</a></p>",
               counts[0], counts[0] == 1 ? "" : "s", counts[1], counts[1] == 1 ? "" : "s",
               counts[2], counts[2] == 1 ? "" : "s");
    if (verdict->n_waived)
        buf_printf(page->buf, "<p><a href=\"#waived\">%d waived</a></p>", verdict->n_waived);
    html_raw(page, "</div>\n");
}

/* The instant that a measure ends with: its evidence in the timeline. */
static const char *evidence_of(enum measure measure)
{
    static const char *const anchors[MEASURES] = {"t_detect", "t_decide", "t_restore", "t_stable",
                                                  "timeline", "impact",   "t_claim"};
    return anchors[measure];
}

static void put_outcome(struct html_page *page, enum outcome outcome, const char *word, bool waived)
{
    html_open_cell(page, "Result", true);
    buf_printf(page->buf, "<b class=\"%s\">%s</b>%s", outcome_names[outcome], word,
               waived ? " (waived)" : "");
    html_close_cell(page);
}

static void put_targets(struct html_page *page)
{
    static const char *const columns[] = {"Measure", "Target", "Actual", "Margin",
                                          "Rating",  "Result", NULL};
    const struct verdict *verdict = &page->report->verdict;
    html_heading(page, "targets", "Targets");
    html_open_table(page, "Targets", columns);
    for (int i = 0; i < verdict->n_targets; i++) {
        const struct target_result *result = &verdict->targets[i];
        enum measure measure = result->target->measure;
        const struct measured *measured = &verdict->measures[measure];
        struct measured margin = {.known = measured->known, .value = result->margin};
        html_open_row(page, NULL);
        html_cell(page, "Measure", measure_title(measure));
        html_number_cell(page, "Target", target_words(result->target, page->arena));
        html_open_cell(page, "Actual", true);
        buf_printf(page->buf, "<a href=\"#%s\">%s</a>", evidence_of(measure),
                   measure_words(measure, measured, page->arena));
        html_close_cell(page);
        html_number_cell(page, "Margin",
                         margin.known ? measure_words(measure, &margin, page->arena) : "-");
        html_number_cell(page, "Rating", (char[]){result->rating, '\0'});
        put_outcome(page, result->outcome, result_names[result->outcome], result->waived);
        html_close_row(page);
    }
    html_close_table(page);
    html_raw(page, "<p class=\"place\">P met with a fifth of the limit to spare, S met, M missed "
                   "by up to half of the limit, "
                   "U missed by more or never reached.</p>\n</section>\n");
}

static int first_finding(const struct html_page *page, const char *id)
{
    for (int i = 0; i < page->report->findings.n; i++) {
        if (strcmp(page->report->findings.at[i].id, id) == 0)
            return i + 1;
    }
    return 0;
}

static void put_gates(struct html_page *page)
{
    static const char *const columns[] = {"Gate", "Result", "Why", NULL};
    const struct verdict *verdict = &page->report->verdict;
    html_heading(page, "gates", "Gates");
    html_open_table(page, "Gates", columns);
    for (int i = 0; i < GATES; i++) {
        const struct gate_result *gate = &verdict->gates[i];
        int finding = gate->outcome == OUTCOME_FAIL ? first_finding(page, gate_findings[i]) : 0;
        html_open_row(page, NULL);
        html_cell(page, "Gate", gate_names[i]);
        put_outcome(page, gate->outcome, outcome_names[gate->outcome], gate->waived);
        html_open_cell(page, "Why", false);
        if (finding)
            buf_printf(page->buf, "<a href=\"#finding-%d\">", finding);
        html_text(page, gate->why);
        html_raw(page, finding ? "</a>" : "");
        html_close_cell(page);
        html_close_row(page);
    }
    html_close_table(page);
    const struct record *record = page->record;
    if (record->n_waivers)
        html_raw(page, "<h3 id=\"waived\">Waived</h3>\n<ul>\n");
    for (int i = 0; i < record->n_waivers; i++) {
        const struct waiver *waiver = &record->waivers[i];
        bool in_force = record->identity.start_unix_ns < waiver->until_unix_ns;
        html_raw(page, "<li>");
        html_text(page, waiver->finding);
        buf_printf(page->buf, " until %.10s%s: ", words_date(page->arena, waiver->until_unix_ns),
                   in_force ? "" : ", <b>no longer in force</b>");
        html_text(page, waiver->reason);
        html_raw(page, "</li>\n");
    }
    html_raw(page, record->n_waivers ? "</ul>\n</section>\n" : "</section>\n");
}

/* ---- findings ---- */

static void put_finding(struct html_page *page, const struct finding *finding, int n)
{
    const struct finding_kind *kind = finding_kind(finding->id);
    const char *severity = severity_names[finding->severity];
    buf_printf(page->buf,
               "<article id=\"finding-%d\" class=\"%s\">\n<h3><span class=\"%s\">%s</span> ", n,
               severity, severity, severity);
    html_text(page, finding->message);
    buf_printf(page->buf, "</h3>\n<p class=\"place\">%s, ", finding->id);
    html_text(page, finding->file);
    if (finding->line)
        buf_printf(page->buf, ":%d", finding->line);
    if (finding->step) {
        html_raw(page, ", ");
        html_link_step(page, finding->step);
    }
    if (kind)
        buf_printf(page->buf, ", <a href=\"#about-%s\">why it bites and how to mend it</a>",
                   kind->id);
    if (finding->lint) {
        html_raw(page, ", lint ");
        html_text(page, words_rule(page->arena, finding->lint->rule, finding->lint->title,
                                   finding->lint->line, finding->line));
    }
    html_raw(page, finding->waiver ? ", waived: " : "");
    html_text(page, finding->waiver ? finding->waiver->reason : "");
    html_raw(page, "</p>\n");
    if (*finding->evidence) {
        html_raw(page, "<pre>");
        html_block(page, str_of(finding->evidence), EVIDENCE_SHOWN);
        html_raw(page, "</pre>\n");
    }
    html_raw(page, "<p>Replay: <code>");
    html_text(page, finding->replay);
    html_raw(page, "</code></p>\n</article>\n");
}

/* Each kind that was found, once: what all its findings have in common. */
static void put_kinds(struct html_page *page)
{
    html_raw(page, "<h3 id=\"about\">Why they bite, and how to mend them</h3>\n<dl>\n");
    for (const struct finding_kind *kind = finding_kinds; kind->id; kind++) {
        if (!first_finding(page, kind->id))
            continue;
        buf_printf(page->buf, "<dt id=\"about-%s\"><code>%s</code>: %s</dt>\n<dd><p>", kind->id,
                   kind->id, kind->title);
        xml_put(page->buf, kind->why);
        html_raw(page, "</p><p>");
        xml_put(page->buf, kind->mend);
        html_raw(page, "</p></dd>\n");
    }
    html_raw(page, "</dl>\n");
}

static void put_findings(struct html_page *page)
{
    html_heading(page, "findings", "Findings");
    if (!page->report->findings.n)
        html_raw(page, "<p>None.</p>\n");
    for (int i = 0; i < page->report->findings.n; i++)
        put_finding(page, &page->report->findings.at[i], i + 1);
    if (page->report->findings.n)
        put_kinds(page);
    html_raw(page, "</section>\n");
}

/* ---- impact ---- */

static void put_ledger_row(struct html_page *page, const struct ledger_row *row,
                           const char *const *columns)
{
    const int64_t counts[] = {row->acknowledged, row->kept,       row->lost,  row->recoverable,
                              row->duplicated,   row->unexpected, row->stale, row->indeterminate};
    int lost = row->lost > 0 ? first_finding(page, "data_loss") : 0;
    html_open_row(page, NULL);
    html_cell(page, columns[0], row->store);
    for (int i = 0; i < 8; i++) {
        html_open_cell(page, columns[i + 1], true);
        if (i == 2 && lost)
            buf_printf(page->buf, "<a href=\"#finding-%d\">%s</a>", lost,
                       words_count(page->arena, counts[i]));
        else
            html_raw(page, row->known ? words_count(page->arena, counts[i]) : "unknown");
        html_close_cell(page);
    }
    html_close_row(page);
}

static void put_impact(struct html_page *page)
{
    static const char *const columns[] = {
        "Store",      "Acknowledged", "Kept",  "Lost",          "Recoverable",
        "Duplicated", "Unexpected",   "Stale", "Indeterminate", NULL};
    const struct record *record = page->record;
    html_heading(page, "impact", "Impact");
    int64_t degraded = report_degraded_ns(record);
    const struct measured *down = &page->report->verdict.measures[MEASURE_DOWNTIME];
    buf_printf(page->buf, "<p>%s%s.</p>\n",
               down->known ? arena_printf(page->arena, "Down for %s in all",
                                          measure_words(MEASURE_DOWNTIME, down, page->arena))
                           : "For how long it was down is unknown",
               degraded < 0 ? ""
                            : arena_printf(page->arena, ", and under its target for about %s",
                                           words_duration(page->arena, degraded)));
    const char *requests = report_requests(record, page->arena);
    if (*requests)
        buf_printf(page->buf, "<p>In numbers, %s.</p>\n", requests);
    if (record->n_ledger) {
        html_open_table(page, "Records per store", columns);
        for (int i = 0; i < record->n_ledger; i++)
            put_ledger_row(page, &record->ledger[i], columns);
        html_close_table(page);
    }
    for (int i = 0; i < record->n_ledger; i++) {
        for (int k = 0; k < record->ledger[i].n_blame; k++) {
            const struct blame *blame = &record->ledger[i].blame[k];
            buf_printf(page->buf, "<p>%s records of ", words_count(page->arena, blame->records));
            html_text(page, record->ledger[i].store);
            buf_printf(page->buf, " were lost at %s", words_instant(page->arena, blame->at_ns));
            if (blame->step) {
                html_raw(page, " by ");
                html_link_step(page, blame->step);
            }
            html_raw(page, " (<code>");
            html_text(page, blame->what);
            buf_printf(page->buf,
                       "</code>); the oldest was acknowledged at %s, the newest at %s: the store "
                       "went back by %s.</p>\n",
                       words_instant(page->arena, blame->oldest_ns),
                       words_instant(page->arena, blame->newest_ns),
                       words_duration(page->arena, blame->at_ns - blame->oldest_ns));
        }
    }
    html_raw(page, "</section>\n");
}

/* ---- timeline ---- */

static void put_instants(struct html_page *page)
{
    static const char *const columns[] = {"Instant", "At", "Meaning", NULL};
    static const char *const meanings[INSTANTS] = {
        "the bad change takes effect",
        "first second with the indicator under its target",
        "first true alert for this fault",
        "a responder acknowledged",
        "the decision to roll back",
        "the playbook first claimed success",
        "the indicator is back over its target",
        "first instant with the good state and the indicator back",
        "end of the first uninterrupted window in which both held",
        "end of the run",
    };
    html_open_table(page, "Instants", columns);
    for (int i = 0; i < INSTANTS; i++) {
        html_open_row(page, instant_names[i]);
        html_number_cell(page, "Instant", instant_names[i]);
        html_number_cell(page, "At", words_instant(page->arena, page->record->instants[i]));
        html_cell(page, NULL, meanings[i]);
        html_close_row(page);
    }
    html_close_table(page);
}

static void put_event(struct html_page *page, const struct event *event, int log_line)
{
    html_open_row(page, NULL);
    html_number_cell(page, "At", words_instant(page->arena, event->at_ns));
    html_cell(page, "What", event->subject);
    html_open_cell(page, NULL, false);
    html_text(page, event->text);
    if (event->step) {
        html_raw(page, " (");
        html_link_step(page, event->step);
        html_raw(page, ")");
    }
    html_close_cell(page);
    html_number_cell(page, "Line of events.jsonl", arena_printf(page->arena, "%d", log_line));
    html_close_row(page);
}

static void put_events(struct html_page *page, unsigned kinds, const char *none)
{
    static const char *const columns[] = {"At", "What", "Detail", "Log", NULL};
    int n = 0;
    for (int i = 0; i < page->record->n_events; i++) {
        const struct event *event = &page->record->events[i];
        if (!(kinds >> event->kind & 1))
            continue;
        if (n++ == 0)
            html_open_table(page, "Events", columns);
        if (n <= EVENTS_SHOWN)
            put_event(page, event, i + 1);
    }
    if (n)
        html_close_table(page);
    if (n > EVENTS_SHOWN)
        buf_printf(page->buf, "<p>and %d more, in events.jsonl</p>\n", n - EVENTS_SHOWN);
    if (!n)
        buf_printf(page->buf, "<p>%s</p>\n", none);
}

static void put_timeline(struct html_page *page)
{
    html_heading(page, "timeline", "Timeline");
    html_figure(page, plot_timeline);
    put_instants(page);
    html_raw(page, "<details><summary>Every change of the world</summary>\n");
    put_events(page,
               1u << EVENT_CHANGE | 1u << EVENT_FAULT | 1u << EVENT_WORLD | 1u << EVENT_BACKUP,
               "Nothing changed.");
    html_raw(page, "</details>\n</section>\n");
}

/* ---- the rest ---- */

static void put_people(struct html_page *page)
{
    html_heading(page, "detection", "Detection and decision");
    put_events(page, 1u << EVENT_ALERT | 1u << EVENT_OPERATOR,
               "No trigger fired and nobody acted.");
    html_raw(page, "</section>\n");
    html_heading(page, "communication", "Communication");
    put_events(page, 1u << EVENT_MESSAGE, "No message went out.");
    html_raw(page, "</section>\n");
}

static void put_assumed(struct html_page *page)
{
    const struct record *record = page->record;
    int n = 0;
    html_heading(page, "assumed", "Assumed, and not simulated");
    html_raw(page, "<ul>\n");
    for (int i = 0; i < record->n_assumed; i++, n++) {
        html_raw(page, "<li>Assumed: ");
        html_text(page, record->assumed[i].what);
        html_raw(page, ", because ");
        html_text(page, record->assumed[i].why);
        html_raw(page, record->assumed[i].flips
                           ? " <b>(the other answer would flip the verdict)</b></li>\n"
                           : "</li>\n");
    }
    for (int i = 0; i < record->n_observations; i++) {
        if (strcmp(record->observations[i].id, "not_simulated") != 0)
            continue;
        html_raw(page, "<li>Not simulated: ");
        html_text(page, record->observations[i].message);
        html_raw(page, "</li>\n");
        n++;
    }
    html_raw(page, n ? "</ul>\n</section>\n" : "<li>Nothing.</li></ul>\n</section>\n");
}

static void put_fact(struct html_page *page, const char *what, const char *value)
{
    html_open_row(page, NULL);
    html_cell(page, "What", what);
    html_cell(page, NULL, value && *value ? value : "-");
    html_close_row(page);
}

static void put_provenance(struct html_page *page)
{
    static const char *const columns[] = {"What", "Value", NULL};
    const struct record *record = page->record;
    const struct run_identity *id = &record->identity;
    html_heading(page, "provenance", "Provenance and replay");
    if (id->replay && *id->replay) {
        html_raw(page, "<p>The same run again, in the folder from which it was run:</p>\n<pre>");
        html_text(page, id->replay);
        html_raw(page, "</pre>\n");
    }
    html_open_table(page, "Provenance", columns);
    put_fact(page, "System", id->system);
    put_fact(page, "Playbook", id->playbook);
    put_fact(page, "Section", id->section && *id->section ? id->section : "whole file");
    put_fact(page, "Start", words_date(page->arena, id->start_unix_ns));
    put_fact(page, "Seed", arena_printf(page->arena, "%" PRIu64, id->seed));
    put_fact(page, "Fingerprint", arena_printf(page->arena, "%016" PRIx64, record->fingerprint));
    put_fact(page, "Sealed by", id->tier);
    for (int i = 0; i < record->n_provenance; i++)
        put_fact(page, record->provenance[i].what, record->provenance[i].value);
    html_close_table(page);
    html_raw(page, "</section>\n");
}

static void put_head(struct html_page *page)
{
    const struct run_identity *id = &page->record->identity;
    const char *drill = id->drill ? id->drill : "";
    html_raw(page,
             "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
             "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<title>");
    html_text(page, drill);
    buf_printf(page->buf, ": %s</title>\n<style>\n%s</style>\n</head>\n<body>\n<header>\n<h1>",
               outcome_names[page->report->verdict.outcome], html_style);
    html_text(page, id->title && *id->title ? id->title : drill);
    html_raw(page, "</h1>\n<p>Rehearsal of drill <code>");
    html_text(page, drill);
    html_raw(page, "</code>, simulated in virtual time.</p>\n");
    put_verdict(page);
    html_raw(
        page,
        "<nav aria-label=\"Sections\"><ul>"
        "<li><a href=\"#targets\">Targets</a></li><li><a href=\"#gates\">Gates</a></li>"
        "<li><a href=\"#timeline\">Timeline</a></li><li><a href=\"#findings\">Findings</a></li>"
        "<li><a href=\"#impact\">Impact</a></li><li><a href=\"#steps\">Steps</a></li>"
        "<li><a href=\"#detection\">Detection</a></li><li><a "
        "href=\"#communication\">Communication</a></li>"
        "<li><a href=\"#assumed\">Assumed</a></li><li><a href=\"#provenance\">Provenance</a></li>"
        "</ul></nav>\n</header>\n<main>\n");
}

void report_html(const struct report *report, struct buf *buf)
{
    struct arena arena = {0};
    struct html_page at = {.buf = buf, .report = report, .record = report->record, .arena = &arena},
                     *page = &at;
    put_head(page);
    put_targets(page);
    put_gates(page);
    put_timeline(page);
    put_findings(page);
    put_impact(page);
    html_steps(page);
    put_people(page);
    put_assumed(page);
    put_provenance(page);
    html_raw(page, "</main>\n</body>\n</html>\n");
    arena_release(&arena);
}
