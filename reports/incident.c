/* incident.md: the report that a team files after a rollback, in the shape that playbooks ask for:
 * a summary with from, to, reason, duration, issues and status, and a table of metrics with target
 * and actual. */
#include <string.h>

#include "reports/report.h"
#include "reports/words.h"

static const char *actual(const struct report *report, enum measure measure, struct arena *arena)
{
    return measure_words(measure, &report->verdict.measures[measure], arena);
}

static void put_metric(struct buf *buf, const struct report *report, const char *name,
                       enum measure measure, struct arena *arena)
{
    const char *target = "none", *mark = "";
    for (int i = 0; i < report->verdict.n_targets; i++) {
        const struct target_result *result = &report->verdict.targets[i];
        if (result->target->measure != measure)
            continue;
        target = target_words(result->target, arena);
        mark = result->outcome == OUTCOME_FAIL ? " (missed)" : "";
    }
    bool records = measure_is_count(measure);
    buf_printf(buf, "| %s | %s%s | %s%s%s |\n", name, target, records ? " records" : "",
               actual(report, measure, arena),
               records && report->verdict.measures[measure].known ? " records" : "", mark);
}

/* "api v4.18, web flag off" of what was wanted, or of what there was at the end; numbers of
 * replicas are no release. */
static const char *state_words(const struct report *report, bool wanted, struct arena *arena)
{
    const char *list = "";
    for (int i = 0; i < report->record->n_end_states; i++) {
        const struct end_state *state = &report->record->end_states[i];
        const char *value = wanted ? state->wanted : state->value;
        bool is_version = strcmp(state->property, "version") == 0;
        if (!value || !state->wanted || strncmp(state->property, "ready", 5) == 0)
            continue;
        list = arena_printf(arena, "%s%s%s%s%s %s", list, *list ? ", " : "", state->subject,
                            is_version ? "" : " ", is_version ? "" : state->property, value);
    }
    return *list ? list : "not recorded";
}

static void put_events(struct buf *buf, const struct record *record, unsigned kinds,
                       const char *none, struct arena *arena)
{
    int n = 0;
    for (int i = 0; i < record->n_events; i++) {
        const struct event *event = &record->events[i];
        if (!(kinds >> event->kind & 1))
            continue;
        buf_printf(buf, "- %s %s: %s\n", words_instant(arena, event->at_ns),
                   words_line(arena, str_of(event->subject), 80),
                   words_line(arena, str_of(event->text), 200));
        n++;
    }
    if (!n)
        buf_printf(buf, "%s\n", none);
}

void report_incident(const struct report *report, struct buf *buf)
{
    const struct record *record = report->record;
    struct arena arena = {0};
    bool stable = record->instants[T_STABLE] != NEVER;
    buf_puts(buf, "# Rollback Summary\n\n");
    buf_printf(buf, "- Date: %s (simulated; drill %s)\n",
               words_date(&arena, record->identity.start_unix_ns),
               record->identity.drill ? record->identity.drill : "");
    if (record->instants[T_RESTORE] != NEVER) {
        buf_printf(buf, "- Rolled back to: %s\n", state_words(report, true, &arena));
        buf_printf(buf, "- Duration: %s from the decision to the good state\n",
                   actual(report, MEASURE_ROLLBACK, &arena));
    } else {
        bool unknown = strcmp(actual(report, MEASURE_ROLLBACK, &arena), "unknown") == 0;
        buf_printf(buf, "- %s: wanted %s; at the end %s\n",
                   unknown ? "Whether it was rolled back is unknown" : "Not rolled back",
                   state_words(report, true, &arena), state_words(report, false, &arena));
        buf_printf(buf, "- Duration: %s\n",
                   unknown ? "unknown" : "the good state was not reached before the end");
    }
    const char *requests = report_requests(record, &arena);
    buf_printf(buf, "- User impact: %s%s%s\n",
               report->verdict.measures[MEASURE_DOWNTIME].known
                   ? arena_printf(&arena, "down for %s", actual(report, MEASURE_DOWNTIME, &arena))
                   : "for how long it was down is unknown",
               *requests ? "; " : "", requests);
    buf_printf(buf, "- System status: %s\n", stable ? "Stable" : "Unstable");
    buf_puts(buf, "\n## Reason\n\n");
    put_events(buf, record, 1u << EVENT_CHANGE | 1u << EVENT_FAULT | 1u << EVENT_ALERT,
               "Nothing was recorded.", &arena);
    buf_puts(buf, "\n## Metrics\n\n| Metric | Target | Actual |\n|---|---|---|\n");
    put_metric(buf, report, "Detection Time", MEASURE_TIME_TO_DETECT, &arena);
    put_metric(buf, report, "Decision Time", MEASURE_TIME_TO_DECIDE, &arena);
    put_metric(buf, report, "Rollback Duration", MEASURE_ROLLBACK, &arena);
    put_metric(buf, report, "Time to Stability", MEASURE_TIME_TO_STABLE, &arena);
    put_metric(buf, report, "Data Loss", MEASURE_RECORDS_LOST, &arena);
    put_metric(buf, report, "Downtime", MEASURE_DOWNTIME, &arena);
    buf_puts(buf, "\n## Issues encountered\n\n");
    int n = 0;
    for (int i = 0; i < report->findings.n; i++) {
        const struct finding *finding = &report->findings.at[i];
        if (finding->severity == SEVERITY_NOTE)
            continue;
        buf_printf(buf, "- %s: %s", severity_names[finding->severity],
                   words_line(&arena, str_of(finding->message), 400));
        if (finding->line)
            buf_printf(buf, " (%s:%d)", finding->file, finding->line);
        buf_putc(buf, '\n');
        n++;
    }
    if (!n)
        buf_puts(buf, "None.\n");
    buf_puts(buf, "\n## Communication\n\n");
    put_events(buf, record, 1u << EVENT_MESSAGE, "No message went out.", &arena);
    arena_release(&arena);
}
