/* Hyperpage: the owner's triggers and matrix row by row, and the coverage of the document. Drills
 * are compared with their expectations in test_systems.c. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "tests/coverage.h"
#include "tests/drill_expect.h"
#include "tests/workspace.h"

/* What goes wrong ten minutes after the start, who sees it, and how soon ("for 5+ minutes"). */
static const struct row {
    const char *faults, *trigger, *severity;
    int64_t after_ns, before_ns;
} rows[] = {
    {"{at: 10m, errors: hyperpage, ratio: 100%}", "hyp.health", "High", 1 * MINUTE, 2 * MINUTE},
    {"{at: 10m, errors: hyperpage, ratio: 30%}", "hyp.err", "High", 5 * MINUTE, 6 * MINUTE},
    {"{at: 10m, cut: postgres}", "hyp.pg", "High", 2 * MINUTE, 3 * MINUTE},
    {"{at: 10m, slow: hyperpage, by: 1, add: 8s}", "hyp.slow", "High", 10 * MINUTE, 12 * MINUTE},
    {"{at: 10m, event: functionality_broken}", "hyp.business", "High", 0, MINUTE},
    {"{at: 10m, event: security_breach}", "hyp.security", "Critical", 0, MINUTE},
    {"{at: 10m, event: data_corruption}", "hyp.corruption", "Critical", 0, MINUTE},
    {"{at: 10m, event: performance_degradation}", "hyp.impact", "High", 0, MINUTE},
    {"{at: 10m, event: maintenance_window}", "hyp.maintenance", "Medium", 0, MINUTE},
};

/* When that was first said of that subject; NEVER. */
static int64_t said_at(const struct record *record, const char *subject, const char *text)
{
    for (int i = 0; i < record->n_events; i++) {
        const struct event *event = &record->events[i];
        if (strcmp(event->subject, subject) == 0 && strstr(event->text, text))
            return event->at_ns;
    }
    return NEVER;
}

static void every_trigger_fires_in_its_time(void **state)
{
    (void)state;
    struct workspace workspace;
    workspace_init(&workspace, "procedures/hyperpage");
    workspace_write(&workspace, "other.md", "# Other\n\n```bash\ntrue\n```\n");
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const struct row *row = &rows[i];
        struct flown flown;
        workspace_write(&workspace, "drills/other.yaml",
                        arena_printf(&workspace.arena,
                                     "format: rehearse.drill/1\nsystem: ../cluster.yaml\n"
                                     "start: 2025-06-02T11:00:00Z\ncwd: /root\nhorizon: 40m\n"
                                     "operator: on_call\nfaults: [%s]\n"
                                     "procedure: {playbook: ../other.md, section: Other}\n",
                                     row->faults));
        flown_init(&flown, workspace_path(&workspace, "drills/other.yaml"), NULL);
        int64_t fires = said_at(flown.record, row->trigger, "fires");
        if (fires == NEVER)
            fail_msg("%s: %s did not fire", row->faults, row->trigger);
        if (fires < 10 * MINUTE + row->after_ns || fires > 10 * MINUTE + row->before_ns)
            fail_msg("%s: %s fired at %lld s", row->faults, row->trigger,
                     (long long)(fires / SECOND));
        if (said_at(flown.record, "operator",
                    arena_printf(&workspace.arena, "roll back, %s", row->severity)) == NEVER)
            fail_msg("%s: not decided as %s", row->faults, row->severity);
        flown_release(&flown);
    }
    workspace_release(&workspace);
}

static void the_coverage_table_is_true(void **state)
{
    (void)state;
    const char *triggers[sizeof rows / sizeof *rows + 1] = {NULL};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        triggers[i] = rows[i].trigger;
    coverage_check("procedures/hyperpage", triggers);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_trigger_fires_in_its_time),
        cmocka_unit_test(the_coverage_table_is_true),
    };
    return cmocka_run_group_tests_name("hyperpage", tests, NULL, NULL);
}
