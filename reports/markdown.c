/* report.md: the whole report for people who read it in a repository or paste it into a review. */
#include <inttypes.h>
#include <string.h>

#include "reports/explain.h"
#include "reports/report.h"
#include "reports/words.h"
#include "sim/base/doc.h"

struct page {
    struct buf *buf;
    const struct report *report;
    struct arena *arena;
};

/* Text that Markdown must take as it is, also inside a table. */
static void put_text(struct page *page, const char *text)
{
    const char *line = words_line(page->arena, str_of(text ? text : ""), 2000);
    for (; *line; line++) {
        if (strchr("\\`*_[]<>#|~&", *line))
            buf_putc(page->buf, '\\');
        buf_putc(page->buf, *line);
    }
}

/* A code span around any text: the fence is longer than any run of backquotes inside. */
static void put_code(struct page *page, const char *text)
{
    const char *line = words_line(page->arena, str_of(text), 300);
    size_t longest = 0, run = 0;
    for (const char *at = line; *at; at++) {
        run = *at == '`' ? run + 1 : 0;
        longest = run > longest ? run : longest;
    }
    const char *space = longest || !*line ? " " : "";
    for (size_t i = 0; i <= longest; i++)
        buf_putc(page->buf, '`');
    buf_puts(page->buf, space);
    for (const char *at = line; *at; at++) {
        if (*at == '|') /* ends a table cell even in code */
            buf_putc(page->buf, '\\');
        buf_putc(page->buf, *at);
    }
    buf_puts(page->buf, space);
    for (size_t i = 0; i <= longest; i++)
        buf_putc(page->buf, '`');
}

static const char *instant(struct page *page, int64_t ns)
{
    return words_instant(page->arena, ns);
}

static void put_verdict(struct page *page)
{
    static const char *const words[] = {"PASS", "FAIL", "UNKNOWN"};
    const struct verdict *verdict = &page->report->verdict;
    buf_printf(page->buf, "**%s**, score ", words[verdict->outcome]);
    words_number(page->buf, verdict->score);
    buf_puts(page->buf, " of 100 (possible: ");
    words_number(page->buf, verdict->score_possible);
    buf_puts(page->buf, ")");
    if (verdict->n_waived)
        buf_printf(page->buf, ", %d waived", verdict->n_waived);
    buf_puts(page->buf, "\n\n| Gate | Result | Why |\n|---|---|---|\n");
    for (int i = 0; i < GATES; i++) {
        const struct gate_result *gate = &verdict->gates[i];
        buf_printf(page->buf, "| %s | %s%s | ", gate_names[i], outcome_names[gate->outcome],
                   gate->waived ? ", waived" : "");
        put_text(page, gate->why);
        buf_puts(page->buf, " |\n");
    }
}

static void put_targets(struct page *page)
{
    const struct verdict *verdict = &page->report->verdict;
    buf_puts(page->buf, "\n## Targets\n\n| Measure | Target | Actual | Margin | Rating | Result "
                        "|\n|---|---|---|---|---|---|\n");
    for (int i = 0; i < verdict->n_targets; i++) {
        const struct target_result *result = &verdict->targets[i];
        enum measure measure = result->target->measure;
        const struct measured *measured = &verdict->measures[measure];
        struct measured margin = {.known = measured->known, .value = result->margin};
        buf_printf(page->buf, "| %s | ", measure_title(measure));
        put_text(page, target_words(result->target, page->arena));
        buf_printf(page->buf, " | %s | %s | %c | %s%s |\n",
                   measure_words(measure, measured, page->arena),
                   margin.known ? measure_words(measure, &margin, page->arena) : "-",
                   result->rating, result_names[result->outcome], result->waived ? ", waived" : "");
    }
    buf_puts(page->buf, "\nRating: P met with a fifth of the limit to spare, S met, M missed by up "
                        "to half of the limit, "
                        "U missed by more or never reached.\n");
}

static void put_waivers(struct page *page)
{
    const struct record *record = page->report->record;
    if (!record->n_waivers)
        return;
    buf_puts(page->buf, "\n### Waived\n\n");
    for (int i = 0; i < record->n_waivers; i++) {
        const struct waiver *waiver = &record->waivers[i];
        bool in_force = record->identity.start_unix_ns < waiver->until_unix_ns;
        buf_printf(page->buf, "- %s until %s%s: ", waiver->finding,
                   words_date(page->arena, waiver->until_unix_ns),
                   in_force ? "" : " (**no longer in force**)");
        put_text(page, waiver->reason);
        buf_putc(page->buf, '\n');
    }
}

static void put_blame(struct page *page, const struct ledger_row *row)
{
    for (int i = 0; i < row->n_blame; i++) {
        const struct blame *blame = &row->blame[i];
        buf_printf(page->buf, "- %s: %s records lost at %s ", row->store,
                   words_count(page->arena, blame->records), instant(page, blame->at_ns));
        if (blame->step)
            buf_printf(page->buf, "by [step %d](#step-%d) ", blame->step, blame->step);
        put_code(page, blame->what);
        buf_printf(page->buf, ", acknowledged between %s and %s: the store went back by %s\n",
                   instant(page, blame->oldest_ns), instant(page, blame->newest_ns),
                   words_duration(page->arena, blame->at_ns - blame->oldest_ns));
    }
}

static void put_impact(struct page *page)
{
    const struct record *record = page->report->record;
    const struct verdict *verdict = &page->report->verdict;
    buf_puts(page->buf, "\n## Impact\n\n");
    int64_t degraded = report_degraded_ns(record);
    const struct measured *down = &verdict->measures[MEASURE_DOWNTIME];
    buf_printf(page->buf, "%s%s.\n",
               down->known ? arena_printf(page->arena, "Down for %s in all",
                                          measure_words(MEASURE_DOWNTIME, down, page->arena))
                           : "For how long it was down is unknown",
               degraded < 0 ? ""
                            : arena_printf(page->arena, ", and under its target for about %s",
                                           words_duration(page->arena, degraded)));
    const char *requests = report_requests(record, page->arena);
    if (*requests)
        buf_printf(page->buf, "\nIn numbers, %s.\n", requests);
    if (!record->n_ledger)
        return;
    buf_puts(page->buf, "\n| Store | Acknowledged | Kept | Lost | Recoverable | Duplicated | "
                        "Unexpected | Stale | Indeterminate |\n"
                        "|---|---:|---:|---:|---:|---:|---:|---:|---:|\n");
    for (int i = 0; i < record->n_ledger; i++) {
        const struct ledger_row *row = &record->ledger[i];
        const int64_t counts[] = {row->acknowledged, row->kept,         row->lost,
                                  row->recoverable,  row->duplicated,   row->unexpected,
                                  row->stale,        row->indeterminate};
        buf_puts(page->buf, "| ");
        put_text(page, row->store);
        for (size_t k = 0; k < sizeof counts / sizeof *counts; k++)
            buf_printf(page->buf, " | %s",
                       row->known ? words_count(page->arena, counts[k]) : "unknown");
        buf_puts(page->buf, " |\n");
    }
    buf_putc(page->buf, '\n');
    for (int i = 0; i < record->n_ledger; i++)
        put_blame(page, &record->ledger[i]);
}

static void put_timeline(struct page *page)
{
    static const char *const titles[INSTANTS] = {"Bad change takes effect",
                                                 "Users affected",
                                                 "Detected",
                                                 "Acknowledged",
                                                 "Decided to roll back",
                                                 "Success claimed",
                                                 "Users well",
                                                 "Good state back",
                                                 "Stable",
                                                 "End of the run"};
    const struct record *record = page->report->record;
    buf_puts(page->buf,
             "\n## Timeline\n\n![Timeline](timeline.svg)\n\n| Instant | At | |\n|---|---|---|\n");
    for (int i = 0; i < INSTANTS; i++)
        buf_printf(page->buf, "| %s | %s | %s |\n", instant_names[i],
                   instant(page, record->instants[i]), titles[i]);
    buf_puts(page->buf, "\n| At | What | |\n|---|---|---|\n");
    for (int i = 0; i < record->n_events; i++) {
        const struct event *event = &record->events[i];
        if (event->kind == EVENT_COMMAND || event->kind == EVENT_STEP)
            continue; /* the step table has them */
        buf_printf(page->buf, "| %s | ", instant(page, event->at_ns));
        put_text(page, event->subject);
        buf_puts(page->buf, " | ");
        put_text(page, event->text);
        buf_puts(page->buf, " |\n");
    }
}

static const char *step_word(const struct step *step)
{
    if (step->interrupted)
        return "interrupted";
    if (step->end_ns == NEVER)
        return "did not end";
    return step->exit_status == 0 ? "ok" : "failed";
}

static void put_steps(struct page *page)
{
    const struct record *record = page->report->record;
    buf_puts(
        page->buf,
        "\n## Steps\n\n| Step | Line | Command | Start | Took | Exit | Claimed | Truly changed |\n"
        "|---:|---:|---|---|---|---|---|---|\n");
    for (int i = 0; i < record->n_steps; i++) {
        const struct step *step = &record->steps[i];
        buf_printf(page->buf, "| <a id=\"step-%d\"></a>%d | %d | ", step->n, step->n, step->line);
        put_code(page, words_line(page->arena, str_of(step->command), 120));
        buf_printf(page->buf, " | %s | %s | %d (%s) | ", instant(page, step->start_ns),
                   step->end_ns == NEVER
                       ? "-"
                       : words_duration(page->arena, step->end_ns - step->start_ns),
                   step->exit_status, step_word(step));
        put_text(page, step->claimed);
        buf_puts(page->buf, " | ");
        for (int k = 0; k < step->n_changed; k++) {
            buf_puts(page->buf, k ? "; " : "");
            put_text(page, step->changed[k]);
        }
        buf_puts(page->buf, " |\n");
    }
}

static void put_quoted_block(struct page *page, const char *text)
{
    struct buf clean;
    buf_init(&clean, 1 << 16);
    words_block(&clean, str_of(text));
    struct str rest = buf_text(&clean);
    buf_putc(page->buf, '\n');
    while (rest.len) {
        struct str line = str_cut(&rest, '\n');
        buf_printf(page->buf, "      %.*s\n", STR_ARG(line));
    }
    buf_release(&clean);
}

static void put_findings(struct page *page)
{
    const struct findings *findings = &page->report->findings;
    buf_puts(page->buf, "\n## Findings\n\n");
    if (!findings->n)
        buf_puts(page->buf, "None.\n");
    for (int i = 0; i < findings->n; i++) {
        const struct finding *finding = &findings->at[i];
        const struct finding_kind *kind = finding_kind(finding->id);
        buf_printf(page->buf, "- **%s** `%s` ", severity_names[finding->severity], finding->id);
        put_text(page, finding->file);
        if (finding->line)
            buf_printf(page->buf, ":%d", finding->line);
        if (finding->step)
            buf_printf(page->buf, " ([step %d](#step-%d))", finding->step, finding->step);
        buf_puts(page->buf, finding->waiver ? " *waived*\n  " : "\n  ");
        put_text(page, finding->message);
        buf_putc(page->buf, '\n');
        if (*finding->evidence)
            put_quoted_block(page, finding->evidence);
        if (kind)
            buf_printf(page->buf, "\n  To mend it: %s\n", kind->mend);
        if (finding->lint)
            buf_printf(page->buf, "\n  Lint says it without a run: %s\n",
                       words_rule(page->arena, finding->lint->rule, finding->lint->title,
                                  finding->lint->line, finding->line));
    }
}

static void put_events_of(struct page *page, const char *title, enum event_kind a,
                          enum event_kind b, const char *none)
{
    const struct record *record = page->report->record;
    bool any = false;
    buf_printf(page->buf, "\n## %s\n\n", title);
    for (int i = 0; i < record->n_events; i++) {
        const struct event *event = &record->events[i];
        if (event->kind != a && event->kind != b)
            continue;
        any = true;
        buf_printf(page->buf, "- %s ", instant(page, event->at_ns));
        put_text(page, event->subject);
        buf_puts(page->buf, ": ");
        put_text(page, event->text);
        buf_putc(page->buf, '\n');
    }
    if (!any)
        buf_printf(page->buf, "%s\n", none);
}

static void put_assumed(struct page *page)
{
    const struct record *record = page->report->record;
    buf_puts(page->buf, "\n## Assumed, and not simulated\n\n");
    for (int i = 0; i < record->n_assumed; i++) {
        const struct assumption *assumed = &record->assumed[i];
        buf_puts(page->buf, "- Assumed: ");
        put_text(page, assumed->what);
        buf_puts(page->buf, ", because ");
        put_text(page, assumed->why);
        buf_puts(page->buf,
                 assumed->flips ? " (**the other answer would flip the verdict**)\n" : "\n");
    }
    bool any = record->n_assumed > 0;
    for (int i = 0; i < record->n_observations; i++) {
        const struct observation *seen = &record->observations[i];
        if (strcmp(seen->id, "not_simulated") != 0)
            continue;
        any = true;
        buf_puts(page->buf, "- Not simulated: ");
        put_text(page, seen->message);
        buf_putc(page->buf, '\n');
    }
    if (!any)
        buf_puts(page->buf,
                 "Nothing was assumed, and everything that the procedure used is simulated.\n");
}

static void put_provenance(struct page *page)
{
    const struct record *record = page->report->record;
    const struct run_identity *id = &record->identity;
    buf_puts(page->buf, "\n## Provenance and replay\n\n| | |\n|---|---|\n| Playbook | ");
    put_text(page, id->playbook);
    buf_puts(page->buf, " |\n| Section | ");
    put_text(page, id->section && *id->section ? id->section : "whole file");
    buf_printf(page->buf,
               " |\n| Start | %s |\n| Seed | %" PRIu64 " |\n| Fingerprint | %016" PRIx64
               " |\n| Sealed by | %s |\n",
               words_date(page->arena, id->start_unix_ns), id->seed, record->fingerprint,
               id->tier ? id->tier : "-");
    for (int i = 0; i < record->n_provenance; i++) {
        buf_puts(page->buf, "| ");
        put_text(page, record->provenance[i].what);
        buf_puts(page->buf, " | ");
        put_text(page, record->provenance[i].value);
        buf_puts(page->buf, " |\n");
    }
    if (id->replay) {
        buf_puts(page->buf, "\nReplay, in the folder from which it was run: ");
        put_code(page, id->replay);
        buf_putc(page->buf, '\n');
    }
}

void report_markdown(const struct report *report, struct buf *buf)
{
    struct arena arena = {0};
    struct page at = {buf, report, &arena}, *page = &at;
    buf_puts(buf, "# ");
    put_text(page, report->record->identity.drill);
    const struct run_identity *id = &report->record->identity;
    if (id->title && *id->title && id->drill && strcmp(id->title, id->drill) != 0) {
        buf_puts(buf, ": ");
        put_text(page, report->record->identity.title);
    }
    buf_puts(buf, "\n\n");
    put_verdict(page);
    put_targets(page);
    put_waivers(page);
    put_findings(page);
    put_impact(page);
    put_timeline(page);
    put_steps(page);
    put_events_of(page, "Detection and decision", EVENT_ALERT, EVENT_OPERATOR,
                  "No trigger fired and nobody acted.");
    put_events_of(page, "Communication", EVENT_MESSAGE, EVENT_MESSAGE, "No message went out.");
    put_assumed(page);
    put_provenance(page);
    arena_release(&arena);
}
