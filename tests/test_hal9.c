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

/* ---- the owner's document ---- */

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
        cmocka_unit_test(the_coverage_table_is_true),
    };
    return cmocka_run_group_tests_name("hal9", tests, NULL, NULL);
}
