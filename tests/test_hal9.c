/* HAL9: the owner's triggers and matrix row by row, what the owner's tool answers, and the coverage
 * of the document. Drills are compared with their expectations in test_systems.c. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "tests/coverage.h"
#include "tests/drill_expect.h"
#include "tests/workspace.h"

static bool happened(const struct record *record, const char *subject, const char *text)
{
    for (int i = 0; i < record->n_events; i++) {
        const struct event *event = &record->events[i];
        if ((!subject || strcmp(event->subject, subject) == 0) && strstr(event->text, text))
            return true;
    }
    return false;
}

/* Runs `commands` (lines of bash) in a world in which that went wrong five minutes after the start.
 */
static void fly(struct workspace *workspace, const char *faults, const char *commands,
                struct flown *flown)
{
    struct arena *arena = &workspace->arena;
    workspace_write(workspace, "other.md",
                    arena_printf(arena, "# Other\n\n```bash\n%s\n```\n", commands));
    workspace_write(workspace, "drills/other.yaml",
                    arena_printf(arena,
                                 "format: rehearse.drill/1\nsystem: ../system.yaml\n"
                                 "start: 2025-01-20T10:00:00Z\ncwd: /root\nhorizon: 40m\n"
                                 "operator: on_call\nfaults: [%s]\n"
                                 "procedure: {playbook: ../other.md, section: Other}\n",
                                 faults));
    flown_init(flown, workspace_path(workspace, "drills/other.yaml"), NULL);
}

/* ---- "When to Rollback" and the matrix ---- */

static const struct row {
    const char *faults, *trigger;
    const char *type;                /* "Rollback Type" of the matrix; NULL: it has no row */
    const char *authority;           /* who decides, as the matrix says */
    double earliest_min, latest_min; /* from detection to the decision */
} rows[] = {
    {"{at: 5m, errors: hal9, ratio: 0.5%}", "hal9.err", "Full", "any operator", 2, 9},
    {"{at: 5m, slow: hal9, by: 2}", "hal9.p99", "Full", "any operator", 5, 12},
    {"{at: 5m, slow: hal9, by: 1, add: 10ms}", "hal9.p50", NULL, NULL, 0, 20},
    {"{at: 5m, errors: hal9, ratio: 100%}", "hal9.health", NULL, NULL, 0, 20},
    {"{at: 5m, leak: hal9, grows: 2MiB}", "hal9.memory", NULL, NULL, 0, 20},
    {"{at: 5m, overload: users, by: 3}", "hal9.cpu", NULL, NULL, 0, 20},
    {"{at: 5m, event: complaints_spike}", "hal9.complaints", "Gradual", "the lead", 10, 16},
    {"{at: 5m, event: data_inconsistency}", "hal9.inconsistency", "Emergency and Restore",
     "lead and manager", 0, 6},
    {"{at: 5m, event: unexpected_behavior}", "hal9.unexpected", NULL, NULL, 0, 20},
    {"{at: 5m, event: performance_degradation}", "hal9.business", "Partial", "team consensus", 15,
     21},
    {"{at: 5m, event: team_consensus}", "hal9.consensus", NULL, NULL, 0, 20},
    {"{at: 5m, errors: hal9, ratio: 3%}", "hal9.err_emergency", "Emergency", "any operator", 0, 6},
    {"{at: 5m, slow: hal9, by: 2.7}", "hal9.p99_emergency", "Emergency", "any operator", 0, 6},
};

static void every_trigger_fires_and_is_decided_as_the_matrix_says(void **state)
{
    (void)state;
    struct workspace workspace;
    workspace_init(&workspace, "procedures/hal9");
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const struct row *row = &rows[i];
        struct flown flown;
        fly(&workspace, row->faults, "true", &flown);
        const struct record *record = flown.record;
        if (!happened(record, row->trigger, "fires"))
            fail_msg("%s: %s did not fire", row->faults, row->trigger);
        if (record->instants[T_DECIDE] == NEVER)
            fail_msg("%s: nobody decided", row->faults);
        double minutes = (double)(record->instants[T_DECIDE] - record->instants[T_DETECT]) / MINUTE;
        if (minutes < row->earliest_min || minutes > row->latest_min)
            fail_msg("%s: decided after %.1f minutes", row->faults, minutes);
        if (row->type && !happened(record, row->authority,
                                   arena_printf(&workspace.arena, "roll back, %s", row->type)))
            fail_msg("%s: not decided as %s by %s", row->faults, row->type, row->authority);
        flown_release(&flown);
    }
    workspace_release(&workspace);
}

/* ---- the owner's tool ---- */

/* What the document says that its commands show, and what they refuse. */
static void the_tool_answers_as_the_document_says(void **state)
{
    static const struct {
        const char *command, *text;
        int exit_status;
    } cases[] = {
        {"hal9-migrate traffic --verify", "Flat: 100%, Hierarchical: 0%", 0},
        {"hal9-migrate monitor --system hierarchical", "No active requests", 0},
        {"hal9-migrate migrate --phase canary --percentage 5", "Flat: 95%, Hierarchical: 5%", 0},
        {"hal9-migrate traffic --show-split", "Flat: 95%, Hierarchical: 5%", 0},
        {"hal9-migrate traffic --verify ", "Flat: 95%, Hierarchical: 5%", 1},
        {"hal9-migrate monitor --system hierarchical ", "Active: 5%", 1},
        {"hal9-migrate rollback --emergency", "asks for --force", 64},
        {"hal9-migrate rollback --emergency --force", "Rollback complete", 0},
        {"hal9-migrate status", "Phase: none", 0},
        {"hal9-migrate migrate --phase shadow", "Phase: shadow", 0},
        {"hal9-migrate feature disable shadow_mode", "shadow_mode: off", 0},
        {"hal9-migrate feature disable no_such", "there is no feature 'no_such'", 1},
        {"hal9-migrate status --alerts", "Phase: none", 0},
        {"hal9-migrate rollback --components no_such", "there is no component 'no_such'", 1},
        {"hal9-migrate state list-checkpoints", "", 0},
        {"hal9-migrate migrate --phase state-migration",
         "Checkpoint: pre-state-migration-20250120T1", 0},
        {"hal9-migrate state verify --deep", "Layout: 2, migration: running", 1},
        {"hal9-migrate state restore --checkpoint no_such", "there is no checkpoint 'no_such'", 1},
        {"hal9-migrate rollback --from-phase state-migration --restore-checkpoint",
         "Restored: pre-state-migration-20250120T1", 0},
        {"hal9-migrate state verify --deep ", "Layout: 1, migration: none", 0},
        {"hal9-migrate plan --conservative", "--output is missing", 64},
        {"hal9-migrate plan --conservative --output retry-plan.yaml", "Written: retry-plan.yaml",
         0},
        {"hal9-migrate analyze --failure --deep", "error rate: 0.0", 0},
        {"hal9-migrate reset --keep-learnings", "", 0},
        {"hal9-migrate rollback --from-phase canary --gradual", "'' is no duration", 64},
        {"hal9-migrate no-such", "there is no 'no-such'", 64},
    };
    (void)state;
    struct workspace workspace;
    struct flown flown;
    struct buf commands;
    workspace_init(&workspace, "procedures/hal9");
    buf_init(&commands, 1 << 16);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        buf_printf(&commands, "%s\n", cases[i].command);
    fly(&workspace, "{at: 5m, event: team_consensus}", commands.at, &flown);
    assert_int_equal(flown.record->n_steps, sizeof cases / sizeof *cases);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const struct step *step = &flown.record->steps[i];
        const char *out = step->out.at ? step->out.at : "", *err = step->err.at ? step->err.at : "";
        if (!strstr(out, cases[i].text) && !strstr(err, cases[i].text))
            fail_msg("'%s' says: %s%s", cases[i].command, out, err);
        if (step->exit_status != cases[i].exit_status)
            fail_msg("'%s' ends with %d", cases[i].command, step->exit_status);
    }
    flown_release(&flown);
    buf_release(&commands);
    workspace_release(&workspace);
}

/* ---- the owner's document ---- */

/* Variables that nothing sets are empty text: it is sent, and refused by nobody who would say so.
 */
static void nobody_is_told_why(void **state)
{
    (void)state;
    struct flown flown;
    flown_init(&flown, "procedures/hal9/drills/assess.yaml", NULL);
    bool sent = false;
    for (int i = 0; i < flown.record->n_events; i++) {
        const struct event *event = &flown.record->events[i];
        sent |= event->kind == EVENT_MESSAGE && str_ends(str_of(event->text), "Trigger: ");
    }
    assert_true(sent);
    flown_release(&flown);
    flown_init(&flown, "procedures/hal9/drills/post-rollback.yaml", NULL);
    const struct step *curl = flown_step(&flown, "curl -X PUT");
    assert_int_equal(curl->exit_status, 0);
    assert_string_equal(curl->out.at, "{\"error\":\"not found\"}");
    flown_release(&flown);
}

/* A placeholder that nobody binds stops the run before it starts, with its line in the document. */
static void the_checkpoint_must_have_a_name(void **state)
{
    (void)state;
    struct workspace workspace;
    struct error error = {""};
    struct drill *drill = NULL;
    workspace_init(&workspace, "procedures/hal9");
    workspace_replace(&workspace, "drills/state-migration-as-written.yaml",
                      "  bind: {TIMESTAMP: TIMESTAMP}\n", "");
    assert_int_equal(
        drill_load(workspace_path(&workspace, "drills/state-migration-as-written.yaml"), NULL,
                   &drill, &error),
        ERROR_INPUT);
    assert_non_null(strstr(error.text, "playbook.md:130"));
    workspace_release(&workspace);
}

static void the_coverage_table_is_true(void **state)
{
    (void)state;
    const char *triggers[sizeof rows / sizeof *rows + 1] = {NULL};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        triggers[i] = rows[i].trigger;
    coverage_check("procedures/hal9", triggers);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_trigger_fires_and_is_decided_as_the_matrix_says),
        cmocka_unit_test(the_tool_answers_as_the_document_says),
        cmocka_unit_test(nobody_is_told_why),
        cmocka_unit_test(the_checkpoint_must_have_a_name),
        cmocka_unit_test(the_coverage_table_is_true),
    };
    return cmocka_run_group_tests_name("hal9", tests, NULL, NULL);
}
