/* Which lines of output claim that the rollback is done, where the drill names no patterns of its
 * own. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "procedures/drill/drill.h"
#include "tests/workspace.h"

static const struct {
    const char *line;
    bool claims;
} lines[] = {
    {"Rollback complete", true},
    {"ROLLBACK COMPLETED: Wed Jan 15 14:52:20 UTC 2025", true},
    {"[2025-01-15 14:52:20] Rollback to v1.2.2 completed", true},
    {"Recovery successful!", true},
    {"deployment rolled back successfully", true},
    {"Successfully rolled back to 1.8.0", true},
    {"Completed the v2.0.1 rollback", true},
    {"ROLLBACK INITIATED: Application code issues", false},
    {"Rolling back from v1.2.3 to v1.2.2", false},
    {"Rollback started. Migration done", false},
    {"Stopping hp_ti_honeypot ... done", false},
    {"All health checks passed", false},
    {"rollback incomplete", false},
    {"Performing complete system rollback to 20260115", false},
};

static void test_default_claims(void **state)
{
    (void)state;
    struct workspace workspace;
    struct error error = {""};
    struct drill *drill = NULL;
    workspace_init(&workspace, "tests/data");
    workspace_write(&workspace, "playbook.md", "# Do it\n\n```bash\ntrue\n```\n");
    workspace_write(&workspace, "system.yaml",
                    "format: rehearse.system/1\nname: small\nservices: {web: {}}\n");
    workspace_write(
        &workspace, "drill.yaml",
        "format: rehearse.drill/1\nsystem: system.yaml\nstart: 2025-01-15T14:25:00Z\ncwd: /\n"
        "change: {at: 1m, set: {x: y}}\nprocedure: {playbook: playbook.md}\n");
    if (drill_load(workspace_path(&workspace, "drill.yaml"), NULL, &drill, &error) < 0)
        fail_msg("%s", error.text);
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
        bool claims = false;
        for (int k = 0; k < drill->n_claims; k++)
            claims |= regexec(&drill->claims[k].regex, lines[i].line, 0, NULL, 0) == 0;
        if (claims != lines[i].claims)
            fail_msg("'%s': %s", lines[i].line, claims ? "is no claim" : "is a claim");
    }
    drill_free(drill);
    workspace_release(&workspace);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_default_claims)};
    return cmocka_run_group_tests_name("claims", tests, NULL, NULL);
}
