/* report.html: the whole report as one file with nothing from outside: pictures inline, light and dark, for screens of
 * any width and for paper, without a script. Numbers link to the evidence behind them. */
#include <inttypes.h>
#include <string.h>

#include "reports/explain.h"
#include "reports/html.h"
#include "reports/plot/gantt.h"
#include "reports/plot/timeline.h"
#include "reports/report.h"
#include "reports/words.h"
#include "reports/xml.h"
#include "sim/base/doc.h"

enum { OUTPUT_SHOWN = 4000, EVENTS_SHOWN = 2000 };

struct page {
    struct buf *buf;
    const struct report *report;
    const struct record *record;
    struct arena *arena;
};

const char html_style[] =
    ":root{color-scheme:light dark;--ink:#1f2933;--text:#3e4c59;--muted:#5b6874;--line:#d8dee4;--paper:#fff;"
    "--card:#f6f8fa;--good:#00694d;--bad:#a33100;--unsure:#7a5600;--link:#005a8c}\n"
    "@media(prefers-color-scheme:dark){:root{--ink:#eef2f5;--text:#cdd5dc;--muted:#9fabb6;--line:#3a444d;--paper:#14181c;"
    "--card:#1d2329;--good:#5fd0ac;--bad:#ff9d6b;--unsure:#f0c04c;--link:#7cc4f0}"
    "figure svg{filter:invert(.92) hue-rotate(180deg)}}\n"
    "*{box-sizing:border-box}\n"
    "body{margin:0 auto;padding:1.5rem;max-width:66rem;background:var(--paper);color:var(--text);"
    "font:16px/1.5 system-ui,Helvetica,Arial,'Liberation Sans',sans-serif;overflow-wrap:anywhere}\n"
    "h1,h2,h3{color:var(--ink);line-height:1.25}h1{font-size:1.6rem;margin:0}h2{font-size:1.25rem;margin:2.2rem 0 .7rem}"
    "h3{font-size:1rem;margin:0}\n"
    "a{color:var(--link)}code,pre{font-family:ui-monospace,'Liberation Mono',Menlo,monospace;font-size:.875em}\n"
    "pre{white-space:pre-wrap;background:var(--card);border:1px solid var(--line);border-radius:4px;padding:.6rem;margin:.5rem 0}\n"
    "nav ul{display:flex;flex-wrap:wrap;gap:.2rem 1rem;padding:0;list-style:none;font-size:.9rem}\n"
    ".verdict{display:flex;flex-wrap:wrap;gap:.5rem 1.5rem;align-items:baseline;border:1px solid var(--line);"
    "border-left:.5rem solid;border-radius:4px;background:var(--card);padding:1rem;margin:1rem 0}\n"
    ".verdict strong{font-size:1.6rem}.verdict p{margin:0;color:var(--text)}\n"
    ".pass{color:var(--good)}.fail{color:var(--bad)}.unknown{color:var(--unsure)}\n"
    ".error{color:var(--bad)}.warning{color:var(--unsure)}.note{color:var(--muted)}\n"
    "table{border-collapse:collapse;width:100%;font-size:.9rem}\n"
    "th,td{text-align:left;vertical-align:top;padding:.35rem .6rem .35rem 0;border-bottom:1px solid var(--line)}\n"
    "th{color:var(--muted);font-weight:600}td.number{font-variant-numeric:tabular-nums}\n"
    "figure{margin:1rem 0}figure svg{display:block;max-width:100%;height:auto}figure svg.narrow{display:none}\n"
    "article{border:1px solid var(--line);border-left:.3rem solid;border-radius:4px;padding:.7rem .9rem;margin:.7rem 0}\n"
    "article p,article pre{color:var(--text)}article p{margin:.3rem 0}summary{cursor:pointer;color:var(--text)}.place{color:var(--muted)}\n"
    ":target{outline:2px solid var(--link);outline-offset:2px}\n"
    "@media(max-width:640px){body{padding:1rem}figure svg.wide{display:none}figure svg.narrow{display:block}"
    "thead{position:absolute;width:1px;height:1px;overflow:hidden;clip-path:inset(50%)}"
    "table,tbody,tr,td{display:block}tr{border-bottom:1px solid var(--line);padding:.4rem 0}"
    "td{border:0;padding:.1rem 0}td:empty{display:none}td::before{content:attr(data-label) ': ';color:var(--muted)}}\n"
    "@media print{:root{color-scheme:light;--ink:#000;--text:#000;--muted:#444;--line:#999;--paper:#fff;--card:#fff;--link:#000}"
    "body{font-size:11px;max-width:none;padding:0}nav{display:none}article,figure,tr{break-inside:avoid}"
    "h2{break-after:avoid}figure svg{filter:none}}\n";

static void raw(struct page *page, const char *html)
{
    buf_puts(page->buf, html);
}

/* One line of any bytes. */
static void text(struct page *page, const char *z)
{
    xml_put(page->buf, words_line(page->arena, str_of(z ? z : ""), 2000));
}

static void heading(struct page *page, const char *id, const char *title)
{
    buf_printf(page->buf, "<section id=\"%s\" aria-labelledby=\"%s-h\">\n<h2 id=\"%s-h\">%s</h2>\n", id, id, id, title);
}

static void open_cell(struct page *page, const char *label, bool is_number)
{
    buf_printf(page->buf, "<td data-label=\"%s\"%s>", label, is_number ? " class=\"number\"" : "");
}

static void cell(struct page *page, const char *label, const char *z)
{
    open_cell(page, label, false);
    text(page, z);
    raw(page, "</td>");
}

static void open_table(struct page *page, const char *caption, const char *const *columns)
{
    buf_printf(page->buf, "<table aria-label=\"%s\">\n<thead><tr>", caption);
    for (; *columns; columns++)
        buf_printf(page->buf, "<th scope=\"col\">%s</th>", *columns);
    raw(page, "</tr></thead>\n<tbody>\n");
}

static void close_table(struct page *page)
{
    raw(page, "</tbody></table>\n");
}

static void link_step(struct page *page, int n)
{
    buf_printf(page->buf, "<a href=\"#step-%d\">step %d</a>", n, n);
}

/* ---- verdict, targets, gates ---- */

static void put_verdict(struct page *page)
{
    static const char *const words[] = {"PASS", "FAIL", "UNKNOWN"};
    const struct verdict *verdict = &page->report->verdict;
    int counts[3] = {0};
    for (int i = 0; i < page->report->findings.n; i++)
        counts[page->report->findings.at[i].severity]++;
    buf_printf(page->buf, "<div class=\"verdict %s\"><strong>%s</strong><p>score <b>", outcome_names[verdict->outcome],
               words[verdict->outcome]);
    words_number(page->buf, verdict->score);
    raw(page, "</b> of 100, possible ");
    words_number(page->buf, verdict->score_possible);
    buf_printf(page->buf, "</p><p><a href=\"#findings\">%d error%s, %d warning%s, %d note%s</a></p>", counts[0],
               counts[0] == 1 ? "" : "s", counts[1], counts[1] == 1 ? "" : "s", counts[2], counts[2] == 1 ? "" : "s");
    if (verdict->n_waived)
        buf_printf(page->buf, "<p><a href=\"#waived\">%d waived</a></p>", verdict->n_waived);
    raw(page, "</div>\n");
}

/* The instant that a measure ends with: its evidence in the timeline. */
static const char *evidence_of(enum measure measure)
{
    static const char *const anchors[MEASURES] = {"t_detect", "t_decide", "t_restore", "t_stable", "timeline", "impact", "t_claim"};
    return anchors[measure];
}

static void put_targets(struct page *page)
{
    static const char *const columns[] = {"Measure", "Target", "Actual", "Margin", "Rating", "Result", NULL};
    const struct verdict *verdict = &page->report->verdict;
    heading(page, "targets", "Targets");
    open_table(page, "Targets", columns);
    for (int i = 0; i < verdict->n_targets; i++) {
        const struct target_result *result = &verdict->targets[i];
        enum measure measure = result->target->measure;
        const struct measured *measured = &verdict->measures[measure];
        struct measured margin = {.known = measured->known, .value = result->margin};
        raw(page, "<tr>");
        cell(page, "Measure", measure_title(measure));
        cell(page, "Target", target_words(result->target, page->arena));
        open_cell(page, "Actual", true);
        buf_printf(page->buf, "<a href=\"#%s\">%s</a></td>", evidence_of(measure),
                   measure_words(measure, measured, page->arena));
        cell(page, "Margin", margin.known ? measure_words(measure, &margin, page->arena) : "-");
        cell(page, "Rating", (char[]){result->rating, '\0'});
        open_cell(page, "Result", false);
        buf_printf(page->buf, "<b class=\"%s\">%s</b>%s</td></tr>\n", outcome_names[result->outcome],
                   result_names[result->outcome], result->waived ? " (waived)" : "");
    }
    close_table(page);
    raw(page, "<p class=\"place\">P met with a fifth of the limit to spare, S met, M missed by up to half of the limit, "
              "U missed by more or never reached.</p>\n</section>\n");
}

static int first_finding(const struct page *page, const char *id)
{
    for (int i = 0; i < page->report->findings.n; i++) {
        if (strcmp(page->report->findings.at[i].id, id) == 0)
            return i + 1;
    }
    return 0;
}

static void put_gates(struct page *page)
{
    static const char *const columns[] = {"Gate", "Result", "Why", NULL};
    const struct verdict *verdict = &page->report->verdict;
    heading(page, "gates", "Gates");
    open_table(page, "Gates", columns);
    for (int i = 0; i < GATES; i++) {
        const struct gate_result *gate = &verdict->gates[i];
        int finding = gate->outcome == OUTCOME_FAIL ? first_finding(page, gate_findings[i]) : 0;
        raw(page, "<tr>");
        cell(page, "Gate", gate_names[i]);
        open_cell(page, "Result", false);
        buf_printf(page->buf, "<b class=\"%s\">%s</b>%s</td>", outcome_names[gate->outcome], outcome_names[gate->outcome],
                   gate->waived ? " (waived)" : "");
        open_cell(page, "Why", false);
        if (finding)
            buf_printf(page->buf, "<a href=\"#finding-%d\">", finding);
        text(page, gate->why);
        raw(page, finding ? "</a></td></tr>\n" : "</td></tr>\n");
    }
    close_table(page);
    const struct record *record = page->record;
    if (record->n_waivers)
        raw(page, "<h3 id=\"waived\">Waived</h3>\n<ul>\n");
    for (int i = 0; i < record->n_waivers; i++) {
        const struct waiver *waiver = &record->waivers[i];
        bool in_force = record->identity.start_unix_ns < waiver->until_unix_ns;
        raw(page, "<li>");
        text(page, waiver->finding);
        buf_printf(page->buf, " until %s%s: ", words_date(page->arena, waiver->until_unix_ns),
                   in_force ? "" : ", <b>no longer in force</b>");
        text(page, waiver->reason);
        raw(page, "</li>\n");
    }
    raw(page, record->n_waivers ? "</ul>\n</section>\n" : "</section>\n");
}

/* ---- findings ---- */

static void put_finding(struct page *page, const struct finding *finding, int n)
{
    const struct finding_kind *kind = finding_kind(finding->id);
    const char *severity = severity_names[finding->severity];
    buf_printf(page->buf, "<article id=\"finding-%d\" class=\"%s\">\n<h3><span class=\"%s\">%s</span> ", n, severity, severity,
               severity);
    text(page, finding->message);
    buf_printf(page->buf, "</h3>\n<p class=\"place\">%s, ", finding->id);
    text(page, finding->file);
    if (finding->line)
        buf_printf(page->buf, ":%d", finding->line);
    if (finding->step) {
        raw(page, ", ");
        link_step(page, finding->step);
    }
    raw(page, finding->waiver ? ", waived: " : "");
    text(page, finding->waiver ? finding->waiver->reason : "");
    raw(page, "</p>\n");
    if (*finding->evidence) {
        struct buf clean;
        buf_init(&clean, 1 << 16);
        words_block(&clean, str_of(finding->evidence));
        raw(page, "<pre>");
        xml_put_bytes(page->buf, buf_text(&clean));
        raw(page, "</pre>\n");
        buf_release(&clean);
    }
    if (kind) {
        buf_printf(page->buf, "<details><summary>Why it bites, and how to mend it%s%s</summary><p>", *kind->lint ? "; lint: " : "",
                   kind->lint);
        xml_put(page->buf, kind->why);
        raw(page, "</p><p>");
        xml_put(page->buf, kind->mend);
        raw(page, "</p></details>\n");
    }
    raw(page, "<p>Replay: <code>");
    text(page, finding->replay);
    raw(page, "</code></p>\n</article>\n");
}

static void put_findings(struct page *page)
{
    heading(page, "findings", "Findings");
    if (!page->report->findings.n)
        raw(page, "<p>None.</p>\n");
    for (int i = 0; i < page->report->findings.n; i++)
        put_finding(page, &page->report->findings.at[i], i + 1);
    raw(page, "</section>\n");
}

/* ---- impact ---- */

static void put_ledger_row(struct page *page, const struct ledger_row *row, const char *const *columns)
{
    const int64_t counts[] = {row->acknowledged, row->kept,       row->lost,  row->recoverable,
                              row->duplicated,   row->unexpected, row->stale, row->indeterminate};
    raw(page, "<tr>");
    cell(page, columns[0], row->store);
    for (int i = 0; i < 8; i++) {
        open_cell(page, columns[i + 1], true);
        raw(page, row->known ? words_count(page->arena, counts[i]) : "unknown");
        raw(page, "</td>");
    }
    raw(page, "</tr>\n");
}

static void put_impact(struct page *page)
{
    static const char *const columns[] = {"Store",      "Acknowledged", "Kept",  "Lost",          "Recoverable",
                                          "Duplicated", "Unexpected",   "Stale", "Indeterminate", NULL};
    const struct record *record = page->record;
    heading(page, "impact", "Impact");
    int64_t degraded = report_degraded_ns(record);
    buf_printf(page->buf, "<p>Down for %s in all%s.</p>\n",
               measure_words(MEASURE_DOWNTIME, &page->report->verdict.measures[MEASURE_DOWNTIME], page->arena),
               degraded < 0 ? ""
                            : arena_printf(page->arena, ", and under its target for about %s",
                                           words_duration(page->arena, degraded)));
    if (record->n_ledger) {
        open_table(page, "Records per store", columns);
        for (int i = 0; i < record->n_ledger; i++)
            put_ledger_row(page, &record->ledger[i], columns);
        close_table(page);
    }
    for (int i = 0; i < record->n_ledger; i++) {
        for (int k = 0; k < record->ledger[i].n_blame; k++) {
            const struct blame *blame = &record->ledger[i].blame[k];
            buf_printf(page->buf, "<p>%s records of ", words_count(page->arena, blame->records));
            text(page, record->ledger[i].store);
            buf_printf(page->buf, " were lost at %s", words_instant(page->arena, blame->at_ns));
            if (blame->step) {
                raw(page, " by ");
                link_step(page, blame->step);
            }
            raw(page, " (<code>");
            text(page, blame->what);
            buf_printf(page->buf, "</code>); the oldest was acknowledged at %s, the newest at %s: the store went back by %s.</p>\n",
                       words_instant(page->arena, blame->oldest_ns), words_instant(page->arena, blame->newest_ns),
                       words_duration(page->arena, blame->at_ns - blame->oldest_ns));
        }
    }
    raw(page, "</section>\n");
}

/* ---- pictures ---- */

/* The picture twice, for wide and narrow screens; the style shows one of them. */
static void put_figure(struct page *page, int (*plot)(const struct report *, double, struct buf *))
{
    static const struct {
        double width;
        const char *class;
    } sizes[] = {{PLOT_WIDE, "<svg class=\"wide\""}, {PLOT_NARROW, "<svg class=\"narrow\""}};
    raw(page, "<figure>\n");
    for (int i = 0; i < 2; i++) {
        struct buf svg;
        buf_init(&svg, REPORT_MAX);
        plot(page->report, sizes[i].width, &svg);
        raw(page, sizes[i].class);
        if (svg.len > 4)
            buf_add(page->buf, svg.at + 4, svg.len - 4); /* behind "<svg" */
        buf_release(&svg);
    }
    raw(page, "</figure>\n");
}

static void put_instants(struct page *page)
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
    open_table(page, "Instants", columns);
    for (int i = 0; i < INSTANTS; i++) {
        buf_printf(page->buf, "<tr id=\"%s\">", instant_names[i]);
        cell(page, "Instant", instant_names[i]);
        open_cell(page, "At", true);
        buf_printf(page->buf, "%s</td>", words_instant(page->arena, page->record->instants[i]));
        cell(page, "Meaning", meanings[i]);
        raw(page, "</tr>\n");
    }
    close_table(page);
}

static void put_events(struct page *page, unsigned kinds, const char *none)
{
    static const char *const columns[] = {"At", "What", "Detail", NULL};
    int n = 0;
    for (int i = 0; i < page->record->n_events; i++) {
        const struct event *event = &page->record->events[i];
        if (!(kinds >> event->kind & 1) || n >= EVENTS_SHOWN)
            continue;
        if (n++ == 0)
            open_table(page, "Events", columns);
        raw(page, "<tr>");
        open_cell(page, "At", true);
        buf_printf(page->buf, "%s</td>", words_instant(page->arena, event->at_ns));
        cell(page, "What", event->subject);
        cell(page, "Detail", event->text);
        raw(page, "</tr>\n");
    }
    if (n)
        close_table(page);
    else
        buf_printf(page->buf, "<p>%s</p>\n", none);
}

static void put_timeline(struct page *page)
{
    heading(page, "timeline", "Timeline");
    put_figure(page, plot_timeline);
    put_instants(page);
    raw(page, "<details><summary>Every change of the world</summary>\n");
    put_events(page, 1u << EVENT_CHANGE | 1u << EVENT_FAULT | 1u << EVENT_WORLD | 1u << EVENT_BACKUP, "Nothing changed.");
    raw(page, "</details>\n</section>\n");
}

/* ---- steps ---- */

static void put_output(struct page *page, const char *name, const struct buf *output)
{
    struct str bytes = buf_text(output);
    if (!bytes.len)
        return;
    bool cut = bytes.len > OUTPUT_SHOWN || output->truncated;
    if (bytes.len > OUTPUT_SHOWN)
        bytes.len = OUTPUT_SHOWN;
    struct buf clean;
    buf_init(&clean, 1 << 20);
    words_block(&clean, bytes);
    buf_printf(page->buf, "<details><summary>%s</summary><pre>", name);
    xml_put_bytes(page->buf, buf_text(&clean));
    raw(page, cut ? "\n[cut]</pre></details>" : "</pre></details>");
    buf_release(&clean);
}

static void put_step(struct page *page, const struct step *step)
{
    buf_printf(page->buf, "<tr id=\"step-%d\">", step->n);
    open_cell(page, "Step", true);
    buf_printf(page->buf, "%d</td>", step->n);
    open_cell(page, "Line", true);
    buf_printf(page->buf, "%d</td>", step->line);
    open_cell(page, "Command", false);
    raw(page, "<code>");
    text(page, step->command);
    raw(page, "</code>");
    put_output(page, "stdout", &step->out);
    put_output(page, "stderr", &step->err);
    raw(page, "</td>");
    open_cell(page, "Start", true);
    buf_printf(page->buf, "%s</td>", words_instant(page->arena, step->start_ns));
    cell(page, "Took", step->end_ns == NEVER ? "did not end" : words_duration(page->arena, step->end_ns - step->start_ns));
    open_cell(page, "Exit", true);
    bool failed = step->exit_status != 0 && !step->interrupted;
    buf_printf(page->buf, "<span class=\"%s\">%d%s</span></td>", failed ? "fail" : "", step->exit_status,
               step->interrupted ? " (interrupted)" : "");
    cell(page, "Claimed", step->claimed);
    open_cell(page, "Truly changed", false);
    for (int i = 0; i < step->n_changed; i++) {
        raw(page, i ? "<br>" : "");
        text(page, step->changed[i]);
    }
    raw(page, "</td></tr>\n");
}

static void put_steps(struct page *page)
{
    static const char *const columns[] = {"Step", "Line", "Command", "Start", "Took", "Exit", "Claimed", "Truly changed", NULL};
    heading(page, "steps", "Steps");
    if (!page->record->n_steps) {
        raw(page, "<p>No step of the procedure was run.</p>\n</section>\n");
        return;
    }
    put_figure(page, plot_gantt);
    open_table(page, "Steps", columns);
    for (int i = 0; i < page->record->n_steps; i++)
        put_step(page, &page->record->steps[i]);
    close_table(page);
    raw(page, "</section>\n");
}

/* ---- the rest ---- */

static void put_people(struct page *page)
{
    heading(page, "detection", "Detection and decision");
    put_events(page, 1u << EVENT_ALERT | 1u << EVENT_OPERATOR, "No trigger fired and nobody acted.");
    raw(page, "</section>\n");
    heading(page, "communication", "Communication");
    put_events(page, 1u << EVENT_MESSAGE, "No message went out.");
    raw(page, "</section>\n");
}

static void put_assumed(struct page *page)
{
    const struct record *record = page->record;
    int n = 0;
    heading(page, "assumed", "Assumed, and not simulated");
    raw(page, "<ul>\n");
    for (int i = 0; i < record->n_assumed; i++, n++) {
        raw(page, "<li>Assumed: ");
        text(page, record->assumed[i].what);
        raw(page, ", because ");
        text(page, record->assumed[i].why);
        raw(page, record->assumed[i].flips ? " <b>(the other answer would flip the verdict)</b></li>\n" : "</li>\n");
    }
    for (int i = 0; i < record->n_observations; i++) {
        if (strcmp(record->observations[i].id, "not_simulated") != 0)
            continue;
        raw(page, "<li>Not simulated: ");
        text(page, record->observations[i].message);
        raw(page, "</li>\n");
        n++;
    }
    raw(page, n ? "</ul>\n</section>\n" : "<li>Nothing.</li></ul>\n</section>\n");
}

static void put_fact(struct page *page, const char *what, const char *value)
{
    raw(page, "<tr>");
    cell(page, "What", what);
    cell(page, "Value", value && *value ? value : "-");
    raw(page, "</tr>\n");
}

static void put_provenance(struct page *page)
{
    static const char *const columns[] = {"What", "Value", NULL};
    const struct record *record = page->record;
    const struct run_identity *id = &record->identity;
    heading(page, "provenance", "Provenance and replay");
    raw(page, "<pre>");
    text(page, id->replay);
    raw(page, "</pre>\n");
    open_table(page, "Provenance", columns);
    put_fact(page, "System", id->system);
    put_fact(page, "Playbook", id->playbook);
    put_fact(page, "Section", id->section && *id->section ? id->section : "whole file");
    put_fact(page, "Start", words_date(page->arena, id->start_unix_ns));
    put_fact(page, "Seed", arena_printf(page->arena, "%" PRIu64, id->seed));
    put_fact(page, "Fingerprint", arena_printf(page->arena, "%016" PRIx64, record->fingerprint));
    put_fact(page, "Sealed by", id->tier);
    for (int i = 0; i < record->n_provenance; i++)
        put_fact(page, record->provenance[i].what, record->provenance[i].value);
    close_table(page);
    raw(page, "</section>\n");
}

static void put_head(struct page *page)
{
    const struct run_identity *id = &page->record->identity;
    const char *drill = id->drill ? id->drill : "";
    raw(page, "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
              "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<title>");
    text(page, drill);
    buf_printf(page->buf, ": %s</title>\n<style>\n%s</style>\n</head>\n<body>\n<header>\n<h1>",
               outcome_names[page->report->verdict.outcome], html_style);
    text(page, id->title && *id->title ? id->title : drill);
    raw(page, "</h1>\n<p>Rehearsal of drill <code>");
    text(page, drill);
    raw(page, "</code>, simulated in virtual time.</p>\n");
    put_verdict(page);
    raw(page, "<nav aria-label=\"Sections\"><ul>"
              "<li><a href=\"#targets\">Targets</a></li><li><a href=\"#gates\">Gates</a></li>"
              "<li><a href=\"#timeline\">Timeline</a></li><li><a href=\"#findings\">Findings</a></li>"
              "<li><a href=\"#impact\">Impact</a></li><li><a href=\"#steps\">Steps</a></li>"
              "<li><a href=\"#detection\">Detection</a></li><li><a href=\"#communication\">Communication</a></li>"
              "<li><a href=\"#assumed\">Assumed</a></li><li><a href=\"#provenance\">Provenance</a></li>"
              "</ul></nav>\n</header>\n<main>\n");
}

void report_html(const struct report *report, struct buf *buf)
{
    struct arena arena = {0};
    struct page at = {buf, report, report->record, &arena}, *page = &at;
    put_head(page);
    put_targets(page);
    put_gates(page);
    put_timeline(page);
    put_findings(page);
    put_impact(page);
    put_steps(page);
    put_people(page);
    put_assumed(page);
    put_provenance(page);
    raw(page, "</main>\n</body>\n</html>\n");
    arena_release(&arena);
}
