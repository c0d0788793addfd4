#include "reports/findings.h"

#include <stdlib.h>
#include <string.h>

#include "reports/blame.h"
#include "reports/command_line.h"
#include "reports/severity.h"
#include "reports/words.h"
#include "sim/base/doc.h"
#include "sim/base/xalloc.h"

enum { EVIDENCE_LINES = 4, EVIDENCE_WIDTH = 200 };

const char *const severity_names[] = {"error", "warning", "note"};

struct maker {
    struct findings *list;
    const struct record *record;
    const struct verdict *verdict;
    struct arena *arena;
};

static bool gate_failed(const struct verdict *verdict, enum gate gate)
{
    return verdict->gates[gate].outcome == OUTCOME_FAIL;
}

/* ---- the list ---- */

static const struct step *step_at(const struct record *record, int n)
{
    return n >= 1 && n <= record->n_steps ? &record->steps[n - 1] : NULL;
}

/* Adds a finding about a step (0: none); its place is the step's unless file is given. */
static struct finding *add(struct maker *maker, const char *id, int step, const char *file,
                           int line, const char *message)
{
    const struct record *record = maker->record;
    const struct step *where = step_at(record, step);
    struct findings *list = maker->list;
    XGROW(list->at, list->n, list->cap);
    struct finding *finding = &list->at[list->n++];
    *finding = (struct finding){
        .id = id,
        .severity = severity_of(record, maker->verdict, id, step),
        .file = file    ? file
                : where ? where->file
                        : record->identity.playbook,
        .line = file    ? line
                : where ? where->line
                        : 0,
        .step = step,
        .at_ns = where ? where->start_ns : NEVER,
        .message = message,
        .evidence = "",
        .replay = record->identity.replay ? record->identity.replay : "",
        .measure = -1,
    };
    if (!finding->file)
        finding->file = "";
    finding->waiver = waiver_for(record, id, finding->file, finding->line);
    return finding;
}

static int by_place(const void *a, const void *b)
{
    const struct finding *x = a, *y = b;
    if (x->severity != y->severity)
        return x->severity < y->severity ? -1 : 1;
    if ((x->line > 0) != (y->line > 0)) /* what has a line comes before what is about the whole */
        return x->line > 0 ? -1 : 1;
    int order = strcmp(x->file, y->file);
    if (order == 0)
        order = (x->line > y->line) - (x->line < y->line);
    if (order == 0)
        order = (x->step > y->step) - (x->step < y->step);
    if (order == 0)
        order = strcmp(x->id, y->id);
    if (order == 0)
        order = strcmp(x->message, y->message);
    return order ? order : strcmp(x->evidence, y->evidence);
}

/* ---- what steps say ---- */

static struct str tail_lines(struct str text, int n)
{
    while (text.len && (text.at[text.len - 1] == '\n' || text.at[text.len - 1] == '\r'))
        text.len--;
    size_t start = text.len;
    while (start > 0 && !(text.at[start - 1] == '\n' && --n == 0))
        start--;
    return (struct str){text.at + start, text.len - start};
}

static const char *as_evidence(struct arena *arena, struct str text)
{
    struct buf buf;
    buf_init(&buf, 4096);
    struct str rest = tail_lines(text, EVIDENCE_LINES);
    while (rest.len) {
        if (buf.len)
            buf_putc(&buf, '\n');
        buf_puts(&buf, words_line(arena, str_cut(&rest, '\n'), EVIDENCE_WIDTH));
    }
    const char *evidence = arena_str(arena, buf_text(&buf));
    buf_release(&buf);
    return evidence;
}

static const char *exit_evidence(struct arena *arena, const struct step *step)
{
    struct str said = buf_text(step->err.len ? &step->err : &step->out);
    const char *output = as_evidence(arena, said);
    return arena_printf(arena, "exit status %d%s%s", step->exit_status, *output ? "\n" : "",
                        output);
}

static const char *short_command(struct arena *arena, const struct step *step)
{
    return words_line(arena, str_of(step->command), 60);
}

/* A step that starts a script is about more lines than its command has. */
static bool is_script(const struct step *step)
{
    int last = step->line;
    for (const char *at = step->command; *at; at++)
        last += *at == '\n';
    return step->last_line > last;
}

/* What a command did not tell by its own status, the step it was part of did: "curl ... | jq -e".
 * Of a script nobody knows for which of its commands it failed. */
static bool was_noticed(const struct record *record, const struct observation *seen)
{
    const struct step *step = step_at(record, seen->step);
    return strcmp(seen->id, "silent_failure") == 0 && step && step->exit_status > 0 &&
           !is_script(step);
}

static bool observed_at(const struct record *record, const char *id, int step)
{
    for (int i = 0; i < record->n_observations; i++) {
        const struct observation *seen = &record->observations[i];
        if (was_noticed(record, seen))
            continue;
        if ((step == 0 || seen->step == step) && strcmp(seen->id, id) == 0)
            return true;
    }
    return false;
}

/* A failed step whose cause is already a finding of its own needs no second one. */
static bool cause_is_known(const struct record *record, int step)
{
    return observed_at(record, "unknown_command", step) || observed_at(record, "hang", step) ||
           observed_at(record, "silent_failure", step) || observed_at(record, "limit", step) ||
           observed_at(record, "placeholder", step);
}

static void judge_failure(struct maker *maker, const struct step *step)
{
    const struct record *record = maker->record;
    bool failed = step->exit_status > 0 &&
                  !(step->exit_status == 1 && command_answers_by_status(step->command));
    struct str told = step->exit_status == 0 && !command_shows_logs(step->command)
                          ? first_error_line(buf_text(&step->err))
                          : (struct str){0};
    if ((!failed && !told.len) || step->interrupted || step->seen_to_fail ||
        cause_is_known(record, step->n))
        return;
    int64_t claim = record->instants[T_CLAIM];
    bool claimed_after = claim != NEVER && step->end_ns != NEVER && claim >= step->end_ns;
    const char *command = short_command(maker->arena, step);
    bool went_on = step->n < record->n_steps || record->procedure_exit == 0;
    if (!failed && !claimed_after)
        return; /* nobody was told anything wrong */
    const char *id = claimed_after ? "silent_failure" : "failed_step";
    const char *message =
        failed
            ? arena_printf(maker->arena, "'%s' failed with exit status %d and the procedure %s%s",
                           command, step->exit_status, went_on ? "went on" : "ended with it",
                           claimed_after ? "; later it claimed success" : "")
            : arena_printf(
                  maker->arena,
                  "'%s' wrote an error and ended with exit status 0; later success was claimed",
                  command);
    struct finding *finding = add(maker, id, step->n, NULL, 0, message);
    finding->evidence = failed ? exit_evidence(maker->arena, step)
                               : arena_printf(maker->arena, "exit status 0\n%s",
                                              words_line(maker->arena, told, EVIDENCE_WIDTH));
}

/* "UPDATE 0" and "DELETE 0" are psql's way to say that a statement matched nothing. */
static bool says_no_row(const struct step *step)
{
    struct str rest = buf_text(&step->out);
    while (rest.len) {
        struct str line = str_trim(str_cut(&rest, '\n'));
        if (str_is(line, "UPDATE 0") || str_is(line, "DELETE 0"))
            return true;
    }
    return false;
}

/* The part of the end state that is wrong and that the command names, or NULL. */
static const struct end_state *wrong_and_named(const struct record *record, const char *command)
{
    for (int i = 0; i < record->n_end_states; i++) {
        const struct end_state *state = &record->end_states[i];
        if (state->wanted && state->value && !state->good &&
            str_find(str_of(command), str_of(state->subject)) >= 0)
            return state;
    }
    return NULL;
}

static void judge_effect(struct maker *maker, const struct step *step)
{
    if (step->exit_status != 0 || step->interrupted || step->end_ns == NEVER ||
        step->n_changed > 0 || first_error_line(buf_text(&step->err)).len ||
        observed_at(maker->record, "not_simulated", step->n))
        return;
    bool no_row = says_no_row(step);
    bool no_input = !step->out.len && !step->err.len && command_feeds_sql(step->command);
    if (!no_row && !no_input && !command_means_change(step->command))
        return;
    const char *how = no_row     ? "matched no row and changed nothing"
                      : no_input ? "said nothing and changed nothing: its SQL did not reach it"
                                 : "ended well and changed nothing in the running system";
    struct finding *finding =
        add(maker, "no_op", step->n, NULL, 0,
            arena_printf(maker->arena, "'%s' %s", short_command(maker->arena, step), how));
    if (no_row &&
        !gate_failed(maker->verdict, GATE_END_STATE)) /* well-made SQL runs twice without harm */
        finding->severity = SEVERITY_NOTE;
    finding->evidence = exit_evidence(maker->arena, step);
    const struct end_state *wrong = wrong_and_named(maker->record, step->command);
    if (wrong && gate_failed(maker->verdict, GATE_END_STATE)) {
        finding->severity = SEVERITY_ERROR;
        finding->evidence =
            arena_printf(maker->arena, "%s\nat the end %s %s is %s, wanted %s", finding->evidence,
                         wrong->subject, wrong->property, wrong->value, wrong->wanted);
    }
}

static void judge_steps(struct maker *maker)
{
    for (int i = 0; i < maker->record->n_steps; i++) {
        const struct step *step = &maker->record->steps[i];
        judge_failure(maker, step);
        judge_effect(maker, step);
        bool stuck = step->end_ns == NEVER && i == maker->record->n_steps - 1;
        if (stuck && !observed_at(maker->record, "hang", 0) &&
            !observed_at(maker->record, "limit", 0) &&
            !observed_at(maker->record, "never_ending", step->n)) {
            struct finding *finding =
                add(maker, "hang", step->n, NULL, 0,
                    arena_printf(maker->arena, "'%s' did not end before the run did",
                                 short_command(maker->arena, step)));
            finding->evidence = maker->record->stopped_by ? maker->record->stopped_by : "";
        }
    }
}

/* ---- what the claim, the ledger and the end state say ---- */

static int claim_step(const struct record *record)
{
    int64_t claim = record->instants[T_CLAIM];
    for (int i = 0; i < record->n_steps; i++) {
        if (record->steps[i].claimed && record->steps[i].claimed_ns == claim)
            return record->steps[i].n;
    }
    return record->n_steps; /* the end of the procedure was the claim */
}

static const char *what_is_wrong(struct maker *maker)
{
    struct buf buf;
    buf_init(&buf, 4096);
    const struct record *record = maker->record;
    for (int i = 0; i < record->n_end_states; i++) {
        const struct end_state *state = &record->end_states[i];
        if (state->wanted && state->value && !state->good)
            buf_printf(&buf, "%s%s %s is %s, wanted %s", buf.len ? "\n" : "", state->subject,
                       state->property, state->value, state->wanted);
    }
    const char *text = arena_str(maker->arena, buf_text(&buf));
    buf_release(&buf);
    return text;
}

static void judge_claim(struct maker *maker)
{
    const struct record *record = maker->record;
    if (!gate_failed(maker->verdict, GATE_FALSE_SUCCESS))
        return;
    int n = claim_step(record);
    const struct step *step = step_at(record, n);
    int64_t restore = record->instants[T_RESTORE], claim = record->instants[T_CLAIM];
    const char *said = step && step->claimed
                           ? arena_printf(maker->arena, "the playbook says \"%s\" at %s",
                                          words_line(maker->arena, str_of(step->claimed), 80),
                                          words_instant(maker->arena, claim))
                           : arena_printf(maker->arena, "the procedure ends without an error at %s",
                                          words_instant(maker->arena, claim));
    const char *truth = restore == NEVER
                            ? "but the good state was never reached"
                            : arena_printf(maker->arena, "but the good state came %s later",
                                           words_duration(maker->arena, restore - claim));
    struct finding *finding =
        add(maker, "false_success", n, NULL, 0, arena_printf(maker->arena, "%s, %s", said, truth));
    finding->at_ns = claim;
    const char *wrong = what_is_wrong(maker);
    finding->evidence = *wrong ? wrong : truth + 4; /* without "but " */
}

static void judge_losses(struct maker *maker, const struct ledger_row *row)
{
    struct arena *arena = maker->arena;
    int64_t blamed = 0;
    for (int i = 0; i < row->n_blame; i++) {
        const struct blame *blame = &row->blame[i];
        const char *outside =
            blame->step ? "" : " before or outside of the procedure, and no step brought them back";
        blamed += blame->records;
        struct finding *finding =
            add(maker, "data_loss", blame->step, NULL, 0,
                arena_printf(arena, "'%s' lost %s acknowledged record%s of %s%s",
                             words_line(arena, str_of(blame->what), 60),
                             words_count(arena, blame->records), blame->records == 1 ? "" : "s",
                             row->store, outside));
        finding->at_ns = blame->at_ns;
        finding->evidence =
            arena_printf(arena,
                         "removed at %s; the oldest was acknowledged at %s, the newest at %s; %s "
                         "of the store's %s lost "
                         "records can be recovered from a copy",
                         words_instant(arena, blame->at_ns), words_instant(arena, blame->oldest_ns),
                         words_instant(arena, blame->newest_ns),
                         words_count(arena, row->recoverable), words_count(arena, row->lost));
    }
    if (row->lost > blamed)
        add(maker, "data_loss", 0, NULL, 0,
            arena_printf(arena, "%s acknowledged record%s of %s %s gone, and no step is to blame",
                         words_count(arena, row->lost - blamed), row->lost - blamed == 1 ? "" : "s",
                         row->store, row->lost - blamed == 1 ? "is" : "are"));
}

static void judge_duplicates(struct maker *maker, const struct ledger_row *row)
{
    struct arena *arena = maker->arena;
    for (int i = 0; i < row->n_doubling; i++) {
        const struct blame *blame = &row->doubling[i];
        struct finding *finding =
            add(maker, "data_duplicated", blame->step, NULL, 0,
                arena_printf(arena, "'%s' put %s record%s into %s that %s there",
                             words_line(arena, str_of(blame->what), 60),
                             words_count(arena, blame->records), blame->records == 1 ? "" : "s",
                             row->store, blame->records == 1 ? "was" : "were"));
        finding->at_ns = blame->at_ns;
        finding->evidence = arena_printf(arena, "at %s; at the end %s holds %s too many",
                                         words_instant(arena, blame->at_ns), row->store,
                                         words_count(arena, row->duplicated));
    }
    if (!row->n_doubling)
        add(maker, "data_duplicated", 0, NULL, 0,
            arena_printf(arena, "store %s holds %s records more than once", row->store,
                         words_count(arena, row->duplicated)));
}

static void judge_ledger(struct maker *maker)
{
    struct arena *arena = maker->arena;
    for (int i = 0; i < maker->record->n_ledger; i++) {
        const struct ledger_row *row = &maker->record->ledger[i];
        if (!row->known) {
            add(maker, "store_unreadable", 0, NULL, 0,
                arena_printf(arena,
                             "store %s could not be read at the end: what it holds is unknown",
                             row->store));
            continue;
        }
        if (row->lost)
            judge_losses(maker, row);
        if (row->duplicated)
            judge_duplicates(maker, row);
        if (row->unexpected)
            add(maker, "data_unexpected", 0, NULL, 0,
                arena_printf(arena, "store %s holds %s records that should not be there",
                             row->store, words_count(arena, row->unexpected)));
    }
}

static void judge_end_state(struct maker *maker)
{
    const struct record *record = maker->record;
    for (int i = 0; i < record->n_end_states; i++) {
        const struct end_state *state = &record->end_states[i];
        if (!state->wanted || !state->value || state->good)
            continue;
        int step = 0;
        const char *change = blame_last_change(record, state->subject, &step);
        struct finding *finding =
            add(maker, "wrong_end_state", step, NULL, 0,
                arena_printf(maker->arena, "at the end %s %s is %s, wanted %s%s%s", state->subject,
                             state->property, state->value, state->wanted, state->why ? ": " : "",
                             state->why ? state->why : ""));
        finding->explained = state->why != NULL;
        finding->evidence =
            change ? arena_printf(maker->arena, "the last that was done to it: %s", change)
            : record->n_steps ? "no step of the procedure changed it"
                              : "";
        if (!gate_failed(maker->verdict, GATE_END_STATE)) /* cut short: nobody knows */
            finding->severity = SEVERITY_WARNING;
    }
}

/* ---- targets and communication ---- */

/* A claim that came too early is a false success, and told as one; one that never came is a missed
 * target. */
static bool gate_claims_falsely(const struct verdict *verdict, enum measure measure)
{
    return measure == MEASURE_CLAIM_ERROR && gate_failed(verdict, GATE_FALSE_SUCCESS);
}

static const char *missed_words(struct maker *maker, const struct target_result *result)
{
    enum measure measure = result->target->measure;
    const struct measured *measured = &maker->verdict->measures[measure];
    const char *limit = target_words(result->target, maker->arena);
    if (measured->known)
        return arena_printf(maker->arena, "%s took %s, target %s", measure_title(measure),
                            measure_words(measure, measured, maker->arena), limit);
    if (measure == MEASURE_CLAIM_ERROR)
        return "the procedure never said that it was done";
    return arena_printf(maker->arena, "%s: not reached before the run ended, target %s",
                        measure_title(measure), limit);
}

/* Between which instants the measure lies, and for a phase that never ended what was still wrong.
 */
static const char *missed_evidence(struct maker *maker, enum measure measure)
{
    static const struct {
        enum measure measure;
        enum instant from, to;
        const char *began, *ended;
    } phases[] = {
        {MEASURE_TIME_TO_DETECT, T_IMPACT, T_DETECT, "users were affected", "it was detected"},
        {MEASURE_TIME_TO_DECIDE, T_DETECT, T_DECIDE, "it was detected",
         "it was decided to roll back"},
        {MEASURE_ROLLBACK, T_DECIDE, T_RESTORE, "it was decided to roll back",
         "the good state was reached"},
        {MEASURE_TIME_TO_STABLE, T_RESTORE, T_STABLE, "the good state was reached",
         "it had stayed so"},
    };
    const int64_t *instants = maker->record->instants;
    for (size_t i = 0; i < sizeof phases / sizeof *phases; i++) {
        int64_t from = instants[phases[i].from], to = instants[phases[i].to];
        if (phases[i].measure != measure)
            continue;
        if (from != NEVER && to != NEVER)
            return arena_printf(maker->arena, "%s at %s, %s at %s", phases[i].began,
                                words_instant(maker->arena, from), phases[i].ended,
                                words_instant(maker->arena, to));
        return what_is_wrong(maker);
    }
    return "";
}

static void judge_targets(struct maker *maker)
{
    const struct record *record = maker->record;
    struct arena *arena = maker->arena;
    for (int i = 0; i < maker->verdict->n_targets; i++) {
        const struct target_result *result = &maker->verdict->targets[i];
        enum measure measure = result->target->measure;
        bool told = measure == MEASURE_RECORDS_LOST || gate_claims_falsely(maker->verdict, measure);
        if (result->outcome != OUTCOME_FAIL || told)
            continue;
        int64_t from = NEVER, to = NEVER;
        int step = 0;
        if (measure == MEASURE_ROLLBACK &&
            record->instants[T_RESTORE] != NEVER) /* else no step is to blame for it */
            step = blame_longest(record, record->instants[T_DECIDE], record->instants[T_RESTORE]);
        else if (measure == MEASURE_DOWNTIME)
            step = blame_outage(record, &from, &to);
        struct finding *finding =
            add(maker, "target_missed", step, NULL, 0, missed_words(maker, result));
        finding->measure = (int)measure;
        finding->evidence = missed_evidence(maker, measure);
        if (step && from != NEVER)
            finding->evidence =
                arena_printf(arena, "down from %s to %s, since '%s'", words_instant(arena, from),
                             words_instant(arena, to), short_command(arena, step_at(record, step)));
        else if (step)
            finding->evidence =
                arena_printf(arena, "%s\nthe longest step of this phase: '%s'", finding->evidence,
                             short_command(arena, step_at(record, step)));
    }
}

/* A person noticed what no trigger saw. The world says so at the very instant of detection. */
static void judge_detection(struct maker *maker)
{
    const struct record *record = maker->record;
    for (int i = 0; i < record->n_events; i++) {
        const struct event *event = &record->events[i];
        if (event->kind != EVENT_OPERATOR || event->at_ns != record->instants[T_DETECT] ||
            strncmp(event->text, "notices", 7) != 0)
            continue;
        int64_t impact = record->instants[T_IMPACT];
        struct finding *finding =
            add(maker, "no_alert", 0, NULL, 0,
                impact == NEVER
                    ? "no trigger fired: a person noticed"
                    : arena_printf(maker->arena, "no trigger fired: a person noticed after %s",
                                   words_duration(maker->arena, event->at_ns - impact)));
        finding->at_ns = event->at_ns;
        return;
    }
}

/* A message within this time after detection is in time, where the drill asks for nothing else. */
static const int64_t communication_due_ns = 15 * MINUTE;

static void judge_communication(struct maker *maker)
{
    const struct record *record = maker->record;
    int64_t detect = record->instants[T_DETECT];
    if (detect == NEVER || observed_at(record, "missing_communication", 0) ||
        observed_at(record, "late_communication", 0))
        return;
    for (int i = 0; i < record->n_events; i++) {
        const struct event *event = &record->events[i];
        if (event->kind != EVENT_MESSAGE)
            continue;
        if (event->at_ns - detect <= communication_due_ns)
            return;
        struct finding *finding =
            add(maker, "late_communication", event->step, NULL, 0,
                arena_printf(maker->arena, "the first message went out %s after detection",
                             words_duration(maker->arena, event->at_ns - detect)));
        finding->at_ns = event->at_ns;
        finding->evidence = arena_printf(maker->arena, "%s: %s", event->subject, event->text);
        return;
    }
    add(maker, "missing_communication", 0, NULL, 0,
        "no message went out between detection and the end of the run");
}

static void take_over_observations(struct maker *maker)
{
    for (int i = 0; i < maker->record->n_observations; i++) {
        const struct observation *seen = &maker->record->observations[i];
        if (was_noticed(maker->record, seen))
            continue;
        struct finding *finding =
            add(maker, seen->id, seen->step, seen->file, seen->line, seen->message);
        finding->at_ns = seen->at_ns;
        finding->evidence = seen->evidence ? seen->evidence : "";
    }
}

/* ---- the rule that could have said it before ---- */

static bool lists(const char *words, const char *word)
{
    struct str rest = str_of(words);
    while (rest.len)
        if (str_is(str_cut(&rest, ' '), word))
            return true;
    return false;
}

static bool sees(const struct static_note *note, const struct finding *finding)
{
    return lists(note->shows_as, finding->id) && strcmp(note->file, finding->file) == 0;
}

/* The first rule between these lines that shows as the finding. */
static const struct static_note *rule_between(const struct record *record,
                                              const struct finding *finding, int first, int last)
{
    for (int i = 0; i < record->n_static_notes; i++) {
        const struct static_note *note = &record->static_notes[i];
        if (note->line >= first && note->line <= last && sees(note, finding))
            return note;
    }
    return NULL;
}

/* A claim is wrong because of what was left out before it: the nearest rule that says so, about a
 * step that was run. */
static const struct static_note *rule_before(const struct record *record,
                                             const struct finding *finding)
{
    for (int i = finding->step - 1; i >= 1; i--) {
        const struct step *step = step_at(record, i);
        const struct static_note *note = rule_between(record, finding, step->line, step->last_line);
        if (note && strcmp(step->file, finding->file) == 0)
            return note;
    }
    return NULL;
}

static void point_to_lint(struct maker *maker)
{
    const struct record *record = maker->record;
    for (int i = 0; i < maker->list->n; i++) {
        struct finding *finding = &maker->list->at[i];
        const struct step *step = step_at(record, finding->step);
        int last = step && step->line == finding->line ? step->last_line : finding->line;
        if (!finding->line || finding->explained)
            continue;
        finding->lint = rule_between(record, finding, finding->line, last);
        if (!finding->lint && strcmp(finding->id, "false_success") == 0)
            finding->lint = rule_before(record, finding);
    }
}

void findings_make(struct findings *list, const struct record *record,
                   const struct verdict *verdict, struct arena *arena)
{
    *list = (struct findings){0};
    struct maker maker = {list, record, verdict, arena};
    take_over_observations(&maker);
    judge_steps(&maker);
    judge_claim(&maker);
    judge_ledger(&maker);
    judge_end_state(&maker);
    judge_targets(&maker);
    judge_detection(&maker);
    judge_communication(&maker);
    point_to_lint(&maker);
    if (list->n)
        qsort(list->at, (size_t)list->n, sizeof *list->at, by_place);
}

/* Whether there are findings of that id (and, if not -1, of that measure), and all of them are
 * waived. */
static bool all_waived(const struct findings *list, const char *id, int measure)
{
    int n = 0;
    for (int i = 0; i < list->n; i++) {
        const struct finding *finding = &list->at[i];
        if (strcmp(finding->id, id) != 0 || (measure >= 0 && finding->measure != measure))
            continue;
        if (!finding->waiver)
            return false;
        n++;
    }
    return n > 0;
}

void findings_waive(const struct findings *list, struct verdict *verdict)
{
    for (int i = 0; i < GATES; i++) {
        struct gate_result *gate = &verdict->gates[i];
        gate->waived = gate->outcome == OUTCOME_FAIL && i != GATE_ESCAPED_COMMAND &&
                       all_waived(list, gate_findings[i], -1);
    }
    for (int i = 0; i < verdict->n_targets; i++) {
        struct target_result *target = &verdict->targets[i];
        enum measure measure = target->target->measure;
        bool by_measure = all_waived(list, "target_missed", (int)measure);
        bool by_gate = (measure == MEASURE_RECORDS_LOST && all_waived(list, "data_loss", -1)) ||
                       (measure == MEASURE_CLAIM_ERROR && all_waived(list, "false_success", -1));
        target->waived = target->outcome == OUTCOME_FAIL && (by_measure || by_gate);
    }
    verdict_conclude(verdict);
}

void findings_release(struct findings *list)
{
    free(list->at);
    *list = (struct findings){0};
}
