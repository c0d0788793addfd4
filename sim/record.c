#include "sim/record.h"

#include <stdlib.h>
#include <string.h>

#include "sim/base/xalloc.h"

const char *const gate_names[GATES] = {
    [GATE_RECORDS_LOST] = "records_lost",
    [GATE_RECORDS_DUPLICATED] = "records_duplicated",
    [GATE_RECORDS_UNEXPECTED] = "records_unexpected",
    [GATE_FALSE_SUCCESS] = "false_success",
    [GATE_END_STATE] = "end_state",
    [GATE_ESCAPED_COMMAND] = "escaped_command",
};

const char *const measure_names[MEASURES] = {
    [MEASURE_TIME_TO_DETECT] = "time_to_detect_s",
    [MEASURE_TIME_TO_DECIDE] = "time_to_decide_s",
    [MEASURE_ROLLBACK] = "rollback_s",
    [MEASURE_TIME_TO_STABLE] = "time_to_stable_s",
    [MEASURE_DOWNTIME] = "downtime_s",
    [MEASURE_RECORDS_LOST] = "records_lost",
    [MEASURE_CLAIM_ERROR] = "claim_error_s",
};

const char *const instant_names[INSTANTS] = {
    [T_CHANGE] = "t_change",     [T_IMPACT] = "t_impact",   [T_DETECT] = "t_detect",
    [T_ACK] = "t_ack",           [T_DECIDE] = "t_decide",   [T_CLAIM] = "t_claim",
    [T_MITIGATE] = "t_mitigate", [T_RESTORE] = "t_restore", [T_STABLE] = "t_stable",
    [T_END] = "t_end",
};

struct record *record_new(void)
{
    struct record *record = xcalloc(1, sizeof *record);
    for (int i = 0; i < INSTANTS; i++)
        record->instants[i] = NEVER;
    return record;
}

void record_free(struct record *record)
{
    if (!record)
        return;
    for (int i = 0; i < record->n_steps; i++) {
        buf_release(&record->steps[i].out);
        buf_release(&record->steps[i].err);
        free(record->steps[i].changed);
    }
    for (int i = 0; i < record->n_series; i++) {
        free(record->series[i]->at_ns);
        free(record->series[i]->value);
    }
    free(record->targets);
    free(record->events);
    free(record->observations);
    free(record->static_notes);
    free(record->steps);
    free(record->series);
    free(record->ledger);
    free(record->assumed);
    free(record->provenance);
    free(record->end_states);
    free(record->waivers);
    arena_release(&record->arena);
    free(record);
}

static void add_event(struct record *record, enum event_kind kind, const char *subject,
                      const char *text)
{
    XGROW(record->events, record->n_events, record->cap_events);
    record->events[record->n_events++] = (struct event){
        .at_ns = record->now_ns,
        .kind = kind,
        .step = record->current_step,
        .subject = arena_strdup(&record->arena, subject),
        .text = text,
    };
}

void record_event(struct record *record, enum event_kind kind, const char *subject,
                  const char *format, ...)
{
    va_list args;
    va_start(args, format);
    add_event(record, kind, subject, arena_vprintf(&record->arena, format, args));
    va_end(args);
}

void record_change(struct record *record, const char *subject, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    const char *text = arena_vprintf(&record->arena, format, args);
    va_end(args);
    add_event(record, EVENT_WORLD, subject, text);
    record_credit(record, record->current_step, subject, text);
}

void record_credit(struct record *record, int step_n, const char *subject, const char *text)
{
    if (step_n < 1 || step_n > record->n_steps)
        return;
    struct step *step = &record->steps[step_n - 1];
    XGROW(step->changed, step->n_changed, step->cap_changed);
    step->changed[step->n_changed++] = arena_printf(&record->arena, "%s: %s", subject, text);
}

void record_observe(struct record *record, const char *id, const char *evidence, const char *format,
                    ...)
{
    va_list args;
    va_start(args, format);
    const char *message = arena_vprintf(&record->arena, format, args);
    va_end(args);
    for (int i = 0; i < record->n_observations; i++) {
        const struct observation *old = &record->observations[i];
        if (old->step == record->current_step && strcmp(old->id, id) == 0 &&
            strcmp(old->message, message) == 0)
            return;
    }
    XGROW(record->observations, record->n_observations, record->cap_observations);
    record->observations[record->n_observations++] = (struct observation){
        .id = arena_strdup(&record->arena, id),
        .at_ns = record->now_ns,
        .step = record->current_step,
        .message = message,
        .evidence = arena_strdup(&record->arena, evidence ? evidence : ""),
    };
}

void record_static_note(struct record *record, const struct static_note *note)
{
    struct arena *arena = &record->arena;
    XGROW(record->static_notes, record->n_static_notes, record->cap_static_notes);
    record->static_notes[record->n_static_notes++] = (struct static_note){
        .rule = arena_strdup(arena, note->rule),
        .title = arena_strdup(arena, note->title),
        .shows_as = arena_strdup(arena, note->shows_as),
        .file = arena_strdup(arena, note->file),
        .line = note->line,
    };
}

struct step *record_step_begin(struct record *record, const char *file, int line,
                               const char *command)
{
    XGROW(record->steps, record->n_steps, record->cap_steps);
    struct step *step = &record->steps[record->n_steps++];
    int last_line = line;
    for (const char *at = command; *at; at++)
        last_line += *at == '\n';
    *step = (struct step){
        .n = record->n_steps,
        .file = arena_strdup(&record->arena, file),
        .line = line,
        .last_line = last_line,
        .command = arena_strdup(&record->arena, command),
        .start_ns = record->now_ns,
        .end_ns = NEVER,
        .exit_status = -1,
        .claimed_ns = NEVER,
    };
    buf_init(&step->out, RECORD_OUTPUT_MAX);
    buf_init(&step->err, RECORD_OUTPUT_MAX);
    record->current_step = step->n;
    add_event(record, EVENT_STEP, step->file,
              arena_printf(&record->arena, "%d: %s", step->line, step->command));
    return step;
}

void record_step_end(struct record *record, struct step *step, int exit_status)
{
    step->end_ns = record->now_ns;
    step->exit_status = exit_status;
    record->current_step = 0;
}

void record_step_cut(struct record *record)
{
    record->current_step = 0;
}

int record_act_for(struct record *record, int step)
{
    int before = record->current_step;
    record->current_step = step;
    return before;
}

struct step *record_step_current(struct record *record)
{
    return record->current_step > 0 ? &record->steps[record->current_step - 1] : NULL;
}

struct series *record_series(struct record *record, const char *name, const char *labels,
                             const char *unit)
{
    for (int i = 0; i < record->n_series; i++) {
        struct series *old = record->series[i];
        if (strcmp(old->name, name) == 0 && strcmp(old->labels, labels) == 0)
            return old;
    }
    XGROW(record->series, record->n_series, record->cap_series);
    struct series *series = ARENA_NEW(&record->arena, struct series);
    series->name = arena_strdup(&record->arena, name);
    series->labels = arena_strdup(&record->arena, labels);
    series->unit = arena_strdup(&record->arena, unit);
    record->series[record->n_series++] = series;
    return series;
}

void series_add(struct series *series, int64_t at_ns, double value)
{
    if (series->n == series->cap) {
        series->cap = series->cap ? series->cap * 2 : 64;
        series->at_ns = xrealloc(series->at_ns, (size_t)series->cap * sizeof *series->at_ns);
        series->value = xrealloc(series->value, (size_t)series->cap * sizeof *series->value);
    }
    series->at_ns[series->n] = at_ns;
    series->value[series->n++] = value;
}

void record_assume(struct record *record, const char *what, const char *why, bool flips)
{
    XGROW(record->assumed, record->n_assumed, record->cap_assumed);
    record->assumed[record->n_assumed++] = (struct assumption){
        .what = arena_strdup(&record->arena, what),
        .why = arena_strdup(&record->arena, why),
        .flips = flips,
    };
}

void record_provenance(struct record *record, const char *what, const char *value)
{
    XGROW(record->provenance, record->n_provenance, record->cap_provenance);
    record->provenance[record->n_provenance++] = (struct provenance){
        .what = arena_strdup(&record->arena, what),
        .value = arena_strdup(&record->arena, value),
    };
}

void record_waive(struct record *record, const struct waiver *waiver)
{
    XGROW(record->waivers, record->n_waivers, record->cap_waivers);
    struct waiver *copy = &record->waivers[record->n_waivers++];
    *copy = *waiver;
    copy->finding = arena_strdup(&record->arena, waiver->finding);
    copy->file = waiver->file ? arena_strdup(&record->arena, waiver->file) : NULL;
    copy->reason = arena_strdup(&record->arena, waiver->reason ? waiver->reason : "");
}
