/* Kinds of findings that a run must really produce: the shop of the twins, one playbook for each
 * kind, and the finding at its line, with evidence that an owner can look at and the command that
 * shows it again. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "sim/base/buf.h"
#include "tests/drill_expect.h"
#include "tests/workspace.h"

#define BACK "sed -i s/v2/v1/ .env\ndocker-compose up -d"

/* Lines of the shell are counted from 1; 0: it is about the whole. `evidence` is a part of it. */
static const struct kind {
    const char *id;
    int line;
    const char *shell, *evidence, *why;
} kinds[] = {
    {"false_success", 1, "echo 'Rollback completed'", "web version is v2, wanted v1",
     "nothing was done"},
    {"silent_failure", 1, "docker-compose restart website\n" BACK "\necho 'Rollback completed'",
     "No such service: website", "restart names a service that is not there"},
    {"failed_step", 1, "docker-compose restart website\n" BACK "\necho bye; false",
     "No such service: website", "the same, and nobody claims success"},
    {"no_op", 1, "docker-compose up -d\n" BACK, "exit status 0", "it is up already"},
    {"data_loss", 1, "docker exec shop-db psql -U shop -d shop -c 'TRUNCATE orders'\n" BACK, "",
     "acknowledged orders are gone"},
    {"data_unexpected", 0,
     "docker exec shop-db psql -U shop -d shop -c \"INSERT INTO orders SELECT 99999999\"\n" BACK,
     "", "no user wrote that row"},
    {"hang", 1, "mkfifo /tmp/p; cat /tmp/p", "cat", "nobody ever writes into that pipe"},
    {"never_ending", 1, "watch date\n" BACK, "watch date", "watch ends when a person ends it"},
    {"placeholder", 2, ". ./.env\ndocker tag shop/web:v1 shop/web:$GOOD\n" BACK, "",
     "the file that is sourced does not set it"},
    {"alternatives", 2, BACK "\n# Or\ndocker-compose restart", "", "the second way is not run"},
    {"manual_edit", 2, "\n# Edit docker-compose.yml: the old tag\n\n" BACK, "", "nobody edits it"},
    {"no_commands", -2, "# 1. Go back to v1", "", "a comment is all there is"},
    {"unknown_command", 1, "rollbackctl web v1\n" BACK, "rollbackctl", "no such program"},
    {"late_communication", 4, BACK "\nsleep 1200\nworld message chat 'web is back'", "web is back",
     "twenty minutes after it was known"},
    {"missing_communication", 0, BACK, "", "nobody was told"},
    {"wrong_end_state", 1, "docker-compose stop web", "stopped", "it stays down"},
    {"target_missed", 0, "sleep 1000\n" BACK, "the longest step of this phase: 'sleep 1000'",
     "the target is 15 minutes"},
    {"store_unreadable", 0, BACK "\ndocker-compose stop db", "", "the database is stopped"},
};

static const struct finding *find(const struct flown *flown, const struct kind *kind)
{
    for (int i = 0; i < flown->report.findings.n; i++) {
        const struct finding *at = &flown->report.findings.at[i];
        int line = kind->line ? kind->line + 2 : at->line;
        if (!strcmp(at->id, kind->id) && (at->line == line || at->line == line + 1))
            return at;
    }
    return NULL;
}

static void each_kind_is_produced(void **state)
{
    struct workspace workspace;
    int wrong = 0;
    (void)state;
    workspace_init(&workspace, "tests/data/twins");
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        const struct kind *kind = &kinds[i];
        const struct finding *finding;
        struct flown flown;
        struct buf text;
        buf_init(&text, 1 << 16);
        buf_printf(&text, "# Roll back\n```bash\n%s\n```\n", kind->shell);
        workspace_write(&workspace, "playbook.md", text.at);
        flown_init(&flown, workspace_path(&workspace, "drill.yaml"),
                   &(struct drill_options){NULL, NULL});
        finding = find(&flown, kind);
        if (!finding || !strstr(finding->evidence, kind->evidence) || !*finding->message ||
            !*finding->replay) {
            wrong++;
            print_error("%s at %d (%s): %s\n", kind->id, kind->line, kind->why,
                        finding ? finding->evidence : "not there; but");
            for (int k = 0; !finding && k < flown.report.findings.n; k++)
                print_error("  %s@%d %s\n", flown.report.findings.at[k].id,
                            flown.report.findings.at[k].line - 2,
                            flown.report.findings.at[k].message);
        }
        flown_release(&flown);
        buf_release(&text);
    }
    workspace_release(&workspace);
    assert_int_equal(wrong, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(each_kind_is_produced)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
