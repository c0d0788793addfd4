/* JUnit XML: one test suite a drill; its gates, targets and steps are the test cases. An unknown is
 * an <error>, not <skipped>: continuous integration must stop on it.
 *
 * There is no one standard: what is written keeps both of the schemas that tools go by, Ant's
 * (junitreport) and that of Jenkins' xunit plug-in. Ant's is the strict one: no attributes of
 * <testsuites>, an instant without a zone, all of id, package, hostname, system-out and system-err.
 */
#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "reports/summary.h"
#include "reports/words.h"
#include "reports/xml.h"

struct counts {
    int tests, failures, errors;
};

/* How a step went, told in the words of a test. */
static bool step_failed(const struct summary *summary, const struct summary_step *step)
{
    for (int i = 0; i < summary->n_findings; i++) {
        const struct summary_finding *finding = &summary->findings[i];
        if (finding->step == step->n && finding->severity == SEVERITY_ERROR && !finding->waived)
            return true;
    }
    return false;
}

/* What continuous integration is told: a drill that came out as it expects is well, even where it
 * expects a failure. */
static enum outcome told(const struct summary *summary, enum outcome outcome, bool waived)
{
    bool as_expected = summary->compared && summary->n_problems == 0;
    return as_expected || (waived && outcome == OUTCOME_FAIL) ? OUTCOME_PASS : outcome;
}

static void count(struct counts *counts, enum outcome outcome)
{
    counts->tests++;
    counts->failures += outcome == OUTCOME_FAIL;
    counts->errors += outcome == OUTCOME_UNKNOWN;
}

/* As findings_waive() decides it. */
static bool gate_waived(const struct summary *summary, int gate)
{
    int n = 0, waived = 0;
    for (int i = 0; i < summary->n_findings; i++) {
        if (strcmp(summary->findings[i].id, gate_findings[gate]) == 0) {
            n++;
            waived += summary->findings[i].waived != NULL;
        }
    }
    return n > 0 && n == waived && gate != GATE_ESCAPED_COMMAND;
}

static struct counts count_all(const struct summary *summary)
{
    struct counts counts = {0};
    for (int i = 0; i < GATES; i++)
        count(&counts, told(summary, summary->gates[i], gate_waived(summary, i)));
    for (int i = 0; i < summary->n_targets; i++)
        count(&counts, told(summary, summary->targets[i].outcome, summary->targets[i].waived));
    for (int i = 0; i < summary->n_steps; i++)
        count(&counts,
              told(summary, step_failed(summary, &summary->steps[i]) ? OUTCOME_FAIL : OUTCOME_PASS,
                   false));
    if (summary->compared)
        count(&counts, summary->n_problems ? OUTCOME_FAIL : OUTCOME_PASS);
    return counts;
}

static void open_case(struct buf *buf, const struct summary *summary, const char *kind,
                      const char *name, double seconds)
{
    buf_puts(buf, "    <testcase classname=\"");
    xml_put(buf, summary->drill);
    buf_printf(buf, "\" name=\"%s ", kind);
    xml_put(buf, name);
    buf_puts(buf, "\" time=\"");
    words_number(buf, isfinite(seconds) && seconds > 0 ? seconds : 0);
    buf_putc(buf, '"');
}

/* Ends the case with what a reader needs when it is not a pass. */
static void close_case(struct buf *buf, enum outcome outcome, const char *message,
                       const char *details)
{
    if (outcome == OUTCOME_PASS) {
        buf_puts(buf, "/>\n");
        return;
    }
    const char *tag = outcome == OUTCOME_FAIL ? "failure" : "error";
    buf_printf(buf, ">\n      <%s message=\"", tag);
    xml_put(buf, message);
    buf_printf(buf, "\" type=\"%s\">", outcome == OUTCOME_FAIL ? "missed" : "unknown");
    xml_put(buf, details);
    buf_printf(buf, "</%s>\n    </testcase>\n", tag);
}

/* All findings of an id, one a line: the evidence behind a gate. */
static const char *details_of(const struct summary *summary, const char *id, int step,
                              struct arena *arena)
{
    struct buf text;
    buf_init(&text, 1 << 16);
    for (int i = 0; i < summary->n_findings; i++) {
        const struct summary_finding *finding = &summary->findings[i];
        if ((id && strcmp(finding->id, id) != 0) || (step && finding->step != step))
            continue;
        buf_printf(&text, "%s%s", text.len ? "\n" : "", finding->file);
        if (finding->line)
            buf_printf(&text, ":%d", finding->line);
        buf_printf(&text, ": %s: %s", finding->id, finding->message);
        if (*finding->evidence)
            buf_printf(&text, "\n%s", finding->evidence);
        if (finding->lint)
            buf_printf(&text, "\nlint %s",
                       words_rule(arena, finding->lint, finding->lint_title, finding->lint_line,
                                  finding->line));
    }
    buf_printf(&text, "%sreplay: %s", text.len ? "\n" : "", summary->replay);
    const char *details = arena_str(arena, buf_text(&text));
    buf_release(&text);
    return details;
}

static void put_gates(struct buf *buf, const struct summary *summary, struct arena *arena)
{
    for (int i = 0; i < GATES; i++) {
        enum outcome outcome = told(summary, summary->gates[i], gate_waived(summary, i));
        open_case(buf, summary, "gate", gate_names[i], 0);
        close_case(buf, outcome,
                   summary->gates[i] == OUTCOME_FAIL ? "the gate failed" : "could not be observed",
                   details_of(summary, gate_findings[i], 0, arena));
    }
}

static void put_targets(struct buf *buf, const struct summary *summary, struct arena *arena)
{
    for (int i = 0; i < summary->n_targets; i++) {
        const struct summary_target *target = &summary->targets[i];
        enum outcome outcome = told(summary, target->outcome, target->waived);
        struct buf message;
        buf_init(&message, 512);
        buf_printf(&message, "%s: ", measure_title(target->measure));
        if (isfinite(target->value))
            words_number(&message, target->value);
        else
            buf_puts(&message, outcome == OUTCOME_UNKNOWN ? "unknown" : "never");
        buf_printf(&message, ", target %s ", target->comparison);
        words_number(&message, target->limit);
        open_case(buf, summary, "target", measure_names[target->measure],
                  measure_is_count(target->measure) ? 0 : target->value);
        close_case(buf, outcome, message.at,
                   details_of(summary, target_finding(target->measure), 0, arena));
        buf_release(&message);
    }
}

static void put_steps(struct buf *buf, const struct summary *summary, struct arena *arena)
{
    for (int i = 0; i < summary->n_steps; i++) {
        const struct summary_step *step = &summary->steps[i];
        const char *name = arena_printf(arena, "%d %s:%d %s", step->n, step->file, step->line,
                                        words_line(arena, str_of(step->command), 80));
        open_case(buf, summary, "step", name, step->duration_s);
        bool failed = told(summary, step_failed(summary, step) ? OUTCOME_FAIL : OUTCOME_PASS,
                           false) == OUTCOME_FAIL;
        close_case(buf, failed ? OUTCOME_FAIL : OUTCOME_PASS,
                   "the step failed, or brought a gate or a target down",
                   failed ? details_of(summary, NULL, step->n, arena) : "");
    }
}

static void put_expectation(struct buf *buf, const struct summary *summary, struct arena *arena)
{
    if (!summary->compared)
        return;
    const char *all = "";
    for (int i = 0; i < summary->n_problems; i++)
        all = arena_printf(arena, "%s%s%s", all, i ? "\n" : "", summary->problems[i]);
    open_case(buf, summary, "drill", "comes out as expected", 0);
    close_case(buf, summary->n_problems ? OUTCOME_FAIL : OUTCOME_PASS,
               summary->n_problems ? summary->problems[0] : "",
               arena_printf(arena, "%s\nreplay: %s", all, summary->replay));
}

static void put_property(struct buf *buf, const char *name, const char *value)
{
    buf_printf(buf, "      <property name=\"%s\" value=\"", name);
    xml_put(buf, value);
    buf_puts(buf, "\"/>\n");
}

/* Up to the properties. The drill's start is in UTC; the schemas want it without the zone. */
static void open_suite(struct buf *buf, int id, const char *drill, struct counts counts,
                       double seconds, const char *start)
{
    buf_puts(buf, "  <testsuite name=\"");
    xml_put(buf, drill);
    buf_printf(buf,
               "\" package=\"rehearse\" id=\"%d\" hostname=\"simulated\" tests=\"%d\" "
               "failures=\"%d\" errors=\"%d\" "
               "skipped=\"0\" time=\"",
               id, counts.tests, counts.failures, counts.errors);
    words_number(buf, isfinite(seconds) ? seconds : 0);
    buf_printf(buf, "\" timestamp=\"%.19s\">\n    <properties>\n", start);
}

static void close_suite(struct buf *buf)
{
    buf_puts(buf, "    <system-out/>\n    <system-err/>\n  </testsuite>\n");
}

/* A drill that could not be run. */
static void put_failure(struct buf *buf, const struct summary *summary, int id)
{
    open_suite(buf, id, summary->drill, (struct counts){.tests = 1, .errors = 1}, 0,
               "1970-01-01T00:00:00");
    buf_puts(buf, "    </properties>\n");
    open_case(buf, summary, "drill", "can be run", 0);
    close_case(buf, OUTCOME_UNKNOWN, summary->failure, summary->failure);
    close_suite(buf);
}

static void put_suite(struct buf *buf, const struct summary *summary, int id)
{
    struct arena arena = {0};
    open_suite(buf, id, summary->drill, count_all(summary), summary->instants_s[T_END],
               summary->start);
    put_property(buf, "playbook", summary->playbook);
    put_property(buf, "section", summary->section);
    put_property(buf, "seed", arena_printf(&arena, "%" PRId64, summary->seed));
    put_property(buf, "fingerprint", summary->fingerprint);
    put_property(buf, "verdict", outcome_names[summary->outcome]);
    put_property(buf, "replay", summary->replay);
    buf_puts(buf, "    </properties>\n");
    put_gates(buf, summary, &arena);
    put_targets(buf, summary, &arena);
    put_steps(buf, summary, &arena);
    put_expectation(buf, summary, &arena);
    close_suite(buf);
    arena_release(&arena);
}

void summaries_junit(const struct summary *summaries, int n, struct buf *buf)
{
    buf_puts(buf, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites>\n");
    for (int i = 0; i < n; i++) {
        if (summaries[i].failure)
            put_failure(buf, &summaries[i], i);
        else
            put_suite(buf, &summaries[i], i);
    }
    buf_puts(buf, "</testsuites>\n");
}
