/* run.json: the whole run as one versioned document; its schema is reports/run.schema.json. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "reports/json_writer.h"
#include "reports/report.h"
#include "reports/words.h"

/* Bytes of each stream of each step that are shown; the rest is cut, and the text says so. */
enum { OUTPUT_SHOWN = 8 * 1024 };

static const char *const event_kind_names[EVENT_KINDS] = {
    [EVENT_CHANGE] = "change",     [EVENT_FAULT] = "fault",   [EVENT_ALERT] = "alert",
    [EVENT_OPERATOR] = "operator", [EVENT_STEP] = "step",     [EVENT_COMMAND] = "command",
    [EVENT_WORLD] = "world",       [EVENT_BACKUP] = "backup", [EVENT_MESSAGE] = "message",
};

static void put_provenance(struct json_writer *json, const struct record *record,
                           struct arena *arena)
{
    const struct run_identity *id = &record->identity;
    json_open_object(json, "provenance");
    json_string(json, "title", id->title);
    json_string(json, "system", id->system);
    json_string(json, "playbook", id->playbook);
    json_string(json, "section", id->section);
    json_string(json, "start", words_date(arena, id->start_unix_ns));
    json_seconds(json, "horizon_s", id->horizon_ns);
    json_seconds(json, "stable_window_s", id->stable_window_ns);
    json_number(json, "indicator_target", id->indicator_target);
    json_number(json, "indicator_down_below", id->indicator_down_below);
    json_string(json, "replay", id->replay);
    json_open_array(json, "inputs");
    for (int i = 0; i < record->n_provenance; i++) {
        json_open_object(json, NULL);
        json_string(json, "what", record->provenance[i].what);
        json_string(json, "value", record->provenance[i].value);
        json_close_object(json);
    }
    json_close_array(json);
    json_close_object(json);
}

static void put_measure(struct json_writer *json, enum measure measure,
                        const struct measured *measured)
{
    if (!measured->known)
        json_null(json, measure_names[measure]);
    else if (measure_is_count(measure))
        json_integer(json, measure_names[measure], (int64_t)measured->value);
    else
        json_number(json, measure_names[measure], measured->value);
}

static void put_verdict(struct json_writer *json, const struct report *report)
{
    const struct verdict *verdict = &report->verdict;
    json_string(json, "verdict", outcome_names[verdict->outcome]);
    json_number(json, "score", verdict->score);
    json_number(json, "score_possible", verdict->score_possible);
    json_open_object(json, "gates");
    for (int i = 0; i < GATES; i++)
        json_string(json, gate_names[i], outcome_names[verdict->gates[i].outcome]);
    json_close_object(json);
    json_open_object(json, "measures");
    for (int i = 0; i < MEASURES; i++)
        put_measure(json, (enum measure)i, &verdict->measures[i]);
    json_close_object(json);
}

static void put_targets(struct json_writer *json, const struct verdict *verdict)
{
    json_open_array(json, "targets");
    for (int i = 0; i < verdict->n_targets; i++) {
        const struct target_result *result = &verdict->targets[i];
        const struct measured *measured = &verdict->measures[result->target->measure];
        const char *rating = (char[]){result->rating, '\0'};
        json_open_object(json, NULL);
        json_string(json, "measure", measure_names[result->target->measure]);
        json_string(json, "comparison",
                    result->target->at_least                    ? ">="
                    : measure_is_count(result->target->measure) ? "<="
                                                                : "<");
        json_number(json, "limit", result->target->limit);
        if (measured->known)
            json_number(json, "value", measured->value);
        else
            json_null(json, "value");
        json_string(json, "result", result_names[result->outcome]);
        if (measured->known)
            json_number(json, "margin", result->margin);
        else
            json_null(json, "margin");
        json_string(json, "rating", result->rating == '?' ? NULL : rating);
        json_bool(json, "waived", result->waived);
        json_close_object(json);
    }
    json_close_array(json);
}

static void put_blame(struct json_writer *json, const struct record *record,
                      const struct blame *blame)
{
    const struct step *step =
        blame->step >= 1 && blame->step <= record->n_steps ? &record->steps[blame->step - 1] : NULL;
    json_open_object(json, NULL);
    if (step) {
        json_integer(json, "step", step->n);
        json_string(json, "file", step->file);
        json_integer(json, "line", step->line);
    } else {
        json_null(json, "step");
        json_null(json, "file");
        json_null(json, "line");
    }
    json_string(json, "what", blame->what);
    json_seconds(json, "at_s", blame->at_ns);
    json_integer(json, "records", blame->records);
    json_seconds(json, "oldest_s", blame->oldest_ns);
    json_seconds(json, "newest_s", blame->newest_ns);
    json_close_object(json);
}

static void put_ledger(struct json_writer *json, const struct record *record)
{
    json_open_object(json, "ledger");
    for (int i = 0; i < record->n_ledger; i++) {
        const struct ledger_row *row = &record->ledger[i];
        const struct {
            const char *name;
            int64_t count;
        } counts[] = {{"acknowledged", row->acknowledged},
                      {"kept", row->kept},
                      {"lost", row->lost},
                      {"recoverable", row->recoverable},
                      {"duplicated", row->duplicated},
                      {"unexpected", row->unexpected},
                      {"stale", row->stale},
                      {"indeterminate", row->indeterminate}};
        json_open_object(json, row->store);
        json_bool(json, "known", row->known);
        for (size_t k = 0; k < sizeof counts / sizeof *counts; k++) {
            if (row->known)
                json_integer(json, counts[k].name, counts[k].count);
            else
                json_null(json, counts[k].name);
        }
        json_open_array(json, "blame");
        for (int k = 0; k < row->n_blame; k++)
            put_blame(json, record, &row->blame[k]);
        json_close_array(json);
        if (row->n_doubling) {
            json_open_array(json, "doubling");
            for (int k = 0; k < row->n_doubling; k++)
                put_blame(json, record, &row->doubling[k]);
            json_close_array(json);
        }
        json_close_object(json);
    }
    json_close_object(json);
}

static void put_output(struct json_writer *json, const char *key, const struct buf *output,
                       struct arena *arena)
{
    struct str bytes = buf_text(output);
    if (bytes.len <= OUTPUT_SHOWN && !output->truncated) {
        json_bytes(json, key, bytes);
        return;
    }
    size_t shown = bytes.len < OUTPUT_SHOWN ? bytes.len : OUTPUT_SHOWN;
    while (shown > 0 && ((unsigned char)bytes.at[shown] & 0xC0) == 0x80 && shown < bytes.len)
        shown--; /* not through the middle of a character */
    char *text = arena_printf(arena, "%*s\n[cut: the first %zu of %zu%s bytes]\n", (int)shown, "",
                              shown, bytes.len, output->truncated ? " or more" : "");
    memcpy(text, bytes.at, shown);
    json_bytes(json, key, (struct str){text, shown + strlen(text + shown)});
}

static void put_steps(struct json_writer *json, const struct record *record, struct arena *arena)
{
    json_open_array(json, "steps");
    for (int i = 0; i < record->n_steps; i++) {
        const struct step *step = &record->steps[i];
        json_open_object(json, NULL);
        json_integer(json, "n", step->n);
        json_string(json, "file", step->file);
        json_integer(json, "line", step->line);
        json_string(json, "command", step->command);
        json_seconds(json, "start_s", step->start_ns);
        json_seconds(json, "duration_s",
                     step->end_ns == NEVER ? NEVER : step->end_ns - step->start_ns);
        if (step->exit_status < 0)
            json_null(json, "exit");
        else
            json_integer(json, "exit", step->exit_status);
        json_bool(json, "interrupted", step->interrupted);
        put_output(json, "stdout", &step->out, arena);
        put_output(json, "stderr", &step->err, arena);
        json_string(json, "claimed", step->claimed);
        json_open_array(json, "changed");
        for (int k = 0; k < step->n_changed; k++)
            json_string(json, NULL, step->changed[k]);
        json_close_array(json);
        json_close_object(json);
    }
    json_close_array(json);
}

static void put_findings(struct json_writer *json, const struct report *report)
{
    json_open_array(json, "findings");
    for (int i = 0; i < report->findings.n; i++) {
        const struct finding *finding = &report->findings.at[i];
        json_open_object(json, NULL);
        json_string(json, "id", finding->id);
        json_string(json, "severity", severity_names[finding->severity]);
        json_string(json, "file", finding->file);
        json_integer(json, "line", finding->line);
        if (finding->step)
            json_integer(json, "step", finding->step);
        else
            json_null(json, "step");
        json_string(json, "message", finding->message);
        json_string(json, "evidence", finding->evidence);
        json_string(json, "replay", finding->replay);
        if (finding->lint) {
            json_string(json, "lint", finding->lint->rule);
            json_string(json, "lint_title", finding->lint->title);
            json_integer(json, "lint_line", finding->lint->line);
        }
        if (finding->waiver)
            json_string(json, "waived", finding->waiver->reason);
        json_close_object(json);
    }
    json_close_array(json);
}

static void put_event(struct json_writer *json, const struct event *event)
{
    json_open_object(json, NULL);
    json_seconds(json, "at_s", event->at_ns);
    json_string(json, "kind", event_kind_names[event->kind]);
    if (event->step)
        json_integer(json, "step", event->step);
    else
        json_null(json, "step");
    json_string(json, "subject", event->subject);
    json_string(json, "text", event->text);
    json_close_object(json);
}

static void put_timeline(struct json_writer *json, const struct record *record)
{
    json_open_array(json, "timeline");
    for (int i = 0; i < record->n_events; i++)
        put_event(json, &record->events[i]);
    json_close_array(json);
}

/* A count of replicas is a number; a version stays text even if it looks like one. */
static bool is_count(const char *property, const char *value, int64_t *ret)
{
    return (strncmp(property, "ready", 5) == 0 || strncmp(property, "replicas", 8) == 0) &&
           str_int64(str_of(value), ret);
}

/* The end state, grouped by subject in the order of first mention. */
static void put_world(struct json_writer *json, const struct record *record)
{
    json_open_object(json, "world");
    for (int i = 0; i < record->n_end_states; i++) {
        const char *subject = record->end_states[i].subject;
        bool seen = false;
        for (int k = 0; k < i && !seen; k++)
            seen = strcmp(record->end_states[k].subject, subject) == 0;
        if (seen)
            continue;
        json_open_object(json, subject);
        for (int k = i; k < record->n_end_states; k++) {
            const struct end_state *state = &record->end_states[k];
            int64_t count;
            if (strcmp(state->subject, subject) != 0)
                continue;
            if (state->value && is_count(state->property, state->value, &count))
                json_integer(json, state->property, count);
            else
                json_string(json, state->property, state->value);
        }
        json_close_object(json);
    }
    json_close_object(json);
}

static void put_assumed(struct json_writer *json, const struct record *record)
{
    json_open_array(json, "assumed");
    for (int i = 0; i < record->n_assumed; i++) {
        json_open_object(json, NULL);
        json_string(json, "what", record->assumed[i].what);
        json_string(json, "why", record->assumed[i].why);
        json_bool(json, "flips", record->assumed[i].flips);
        json_close_object(json);
    }
    json_close_array(json);
}

void report_json(const struct report *report, struct buf *buf)
{
    const struct record *record = report->record;
    struct arena arena = {0};
    struct json_writer writer = {.buf = buf}, *json = &writer;
    json_open_object(json, NULL);
    json_string(json, "format", "rehearse.run/1");
    json_string(json, "drill", record->identity.drill);
    json_integer(json, "seed", (int64_t)record->identity.seed);
    json_string(json, "fingerprint", arena_printf(&arena, "%016" PRIx64, record->fingerprint));
    json_string(json, "tier", record->identity.tier);
    put_provenance(json, record, &arena);
    put_verdict(json, report);
    put_targets(json, &report->verdict);
    json_open_object(json, "instants");
    for (int i = 0; i < INSTANTS; i++)
        json_seconds(json, instant_names[i], record->instants[i]);
    json_close_object(json);
    put_ledger(json, record);
    put_steps(json, record, &arena);
    put_findings(json, report);
    put_timeline(json, record);
    put_assumed(json, record);
    put_world(json, record);
    json_close_object(json);
    arena_release(&arena);
}

void report_events(const struct report *report, struct buf *buf)
{
    const struct record *record = report->record;
    for (int i = 0; i < record->n_events; i++) {
        struct json_writer json = {.buf = buf, .compact = true};
        put_event(&json, &record->events[i]);
    }
}
