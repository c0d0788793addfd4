/* Each rule of lint has a twin: the finding of a run in which the mistake bites. Here the mistakes
 * are made for real, on a small shop under docker-compose: lint names the rule at a line, and the
 * run one of its twins at that line. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "procedures/lint/lint.h"
#include "sim/base/buf.h"
#include "tests/drill_expect.h"
#include "tests/workspace.h"

/* What brings the old version back, so that only the mistake is seen. */
#define BACK "sed -i s/v2/v1/ .env\ndocker-compose up -d"

/* Lines of the shell are counted from 1. `why` is how the tool behaves. */
static const struct mistake {
    const char *rule;
    int line;
    const char *shell, *why;
} mistakes[] = {
    {"RB001", 1, "curl -s http://localhost:8080/health && echo 'Rollback completed'",
     "curl ends with 0 on HTTP 500"},
    {"RB004", 1, "docker-compose restart website || true\n" BACK, "there is no such service"},
    {"RB010", 1, "docker exec shop-web sh -c 'export FEATURE=off'\n" BACK,
     "the variable dies with that shell"},
    {"RB012", 1, "docker exec shop-db psql -U shop -d shop -c 'DROP TABLE orders'",
     "the table is gone"},
    {"RB017", 3, "docker-compose stop web\ndocker-compose start web\necho Rollback completed",
     "start takes the same image"},
    {"RB026", 1, "ln -s a(b) c\n" BACK, "bash refuses the line and takes the next"},
    {"RB028", 1, "watch -n 5 date\n" BACK, "watch runs until somebody interrupts it"},
    {"RB029", 3, "ls\n\n# Change docker-compose.yml to the old tag\n\ndocker-compose up -d",
     "a comment changes no file"},
    {"RB030", 2, "sed -i s/v2/v1/ .env\ndocker-compose restart web",
     "restart does not read .env again"},
    {"RB032", 2, "docker pull shop/web:v1\ndocker-compose up -d web",
     ".env still names the other tag"},
    {"RB036", 1, "git reset --hard v1\n" BACK, "there is no such commit here"},
    {"RB043", 1, "SELECT 1;\n" BACK, "SELECT is no command"},
    {"RB002", 3, BACK "\nuntil curl -sf --max-time 2 http://localhost:8080/none; do sleep 5; done",
     "nothing ever answers there"},
    {"RB003", 1,
     "#!/bin/bash\ndocker-compose restart website\nsed -i s/v2/v1/ .env\ndocker-compose up -d\n"
     "echo 'Rollback completed'",
     "the script goes on and ends well"},
    {"RB005", 2,
     "v=$(docker volume ls -q -f name=none)\ndocker volume rm $v\n" BACK
     "\necho 'Rollback completed'",
     "docker volume rm wants at least one name"},
    {"RB011", 1,
     "docker exec -i shop-db psql -U shop -d shop <<E\nDROP TABLE nothing;\nSELECT 1;\nE\n" BACK
     "\necho 'Rollback completed'",
     "psql goes on after the error and ends with 0"},
    {"RB014", 2,
     "docker exec shop-db pg_dump --clean -U shop shop > d.sql; sleep 60\ndocker exec -i shop-db "
     "psql -v ON_ERROR_STOP=1 -U shop -d shop < d.sql\n" BACK,
     "what was written in that minute is gone"},
    {"RB019", 1,
     "bash <<E\ndocker-compose restart website\ntrue\nE\n" BACK "\necho 'Rollback completed'",
     "the status is that of true"},
    {"RB021", 1, "docker exec -it shop-db psql -U shop -d shop -c 'SELECT 1'\n" BACK,
     "the input device is not a TTY"},
    {"RB023", 5,
     "#!/bin/bash\nset -e\nsed -i s/v2/v1/ .env\ndocker-compose up -d\nsleep 1\n"
     "echo 'Rollback completed'",
     "the service takes three seconds to start"},
    {"RB033", 1,
     "docker exec shop-db psql -U shop -d postgres -c 'DROP DATABASE shop'\n" BACK
     "\necho 'Rollback completed'",
     "the service is connected to it"},
    {"RB034", 2,
     "docker exec shop-db pg_dump -Fc -U shop shop > d.dump\ndocker exec -i shop-db pg_restore -U "
     "shop -d shop < d.dump\n" BACK "\necho 'Rollback completed'",
     "the tables are there"},
    {"RB035", 3,
     "#!/bin/bash\nset -e\ndocker-compose ps | grep -i error\nsed -i s/v2/v1/ .env\n"
     "docker-compose up -d",
     "grep finds no error, and set -e ends the script"},
    {"RB038", 1, "docker-compose up -d web:v1", "no such service: web:v1"},
    {"RB046", 2,
     "docker exec shop-db pg_dump -Fc -U shop shop > d.dump\ndocker exec -i shop-db psql -v "
     "ON_ERROR_STOP=1 -U shop -d shop < d.dump\n" BACK,
     "psql says that it is a custom-format dump"},
    {"RB044", 2, BACK "\n# Or\ndocker-compose up -d --force-recreate", "only one of them is meant"},
};

static bool lint_says(const char *document, const struct mistake *mistake, struct buf *said)
{
    struct arena arena = {0};
    struct playbook playbook;
    struct lint_result result;
    struct error error;
    bool found = false;
    assert_int_equal(playbook_parse(&arena, "playbook.md", str_of(document), &playbook, &error), 0);
    lint_playbook(&arena, &playbook, &result);
    for (int i = 0; i < result.n_findings; i++) {
        found |= strcmp(result.findings[i].rule->id, mistake->rule) == 0 &&
                 result.findings[i].line >= mistake->line + 2 &&
                 result.findings[i].line <= mistake->line + 3;
        buf_printf(said, " %s@%d", result.findings[i].rule->id, result.findings[i].line - 2);
    }
    arena_release(&arena);
    return found;
}

/* Is one of the rule's twins among the findings, at that line? */
static bool run_says(const struct flown *flown, const struct mistake *mistake, struct buf *said)
{
    const struct lint_rule *rule = lint_rule(mistake->rule);
    int line = strncmp(mistake->shell, "#!", 2) ? mistake->line : 1; /* a script is one step */
    bool found = false;
    for (int i = 0; i < flown->report.findings.n; i++) {
        const struct finding *at = &flown->report.findings.at[i];
        struct str twins = str_of(rule->twins);
        while (twins.len)
            found |= str_is(str_cut(&twins, ' '), at->id) && at->line >= line + 2 &&
                     at->line <= line + 3;
        buf_printf(said, " %s@%d", at->id, at->line - 2);
    }
    return found;
}

static void each_mistake_bites(void **state)
{
    struct workspace workspace;
    struct buf said, text;
    int wrong = 0;
    (void)state;
    workspace_init(&workspace, "tests/data/twins");
    buf_init(&said, 1 << 16);
    buf_init(&text, 1 << 16);
    for (size_t i = 0; i < sizeof mistakes / sizeof *mistakes; i++) {
        const struct mistake *mistake = &mistakes[i];
        struct flown flown;
        bool linted, ran;
        buf_clear(&said);
        buf_clear(&text);
        buf_printf(&text, "# Roll back\n```bash\n%s\n```\n", mistake->shell);
        workspace_write(&workspace, "playbook.md", text.at);
        linted = lint_says(text.at, mistake, &said);
        buf_puts(&said, "; run:");
        flown_init(&flown, workspace_path(&workspace, "drill.yaml"),
                   &(struct drill_options){NULL, NULL});
        ran = run_says(&flown, mistake, &said);
        flown_release(&flown);
        if (linted && ran)
            continue;
        wrong++;
        print_error("%s at %d (%s) is not seen by %s\n  lint:%s\n", mistake->rule, mistake->line,
                    mistake->why, linted ? "the run" : "lint", said.at);
    }
    buf_release(&said);
    buf_release(&text);
    workspace_release(&workspace);
    assert_int_equal(wrong, 0);
}

/* Blanks stop the run before it begins, at the line that lint names. */
static void each_blank_is_refused(void **state)
{
    static const struct {
        const char *rule, *document, *place;
    } blanks[] = {
        {"RB025", "# Roll back\n```bash\ndocker-compose up -d <service>\n```\n", "playbook.md:3:"},
        {"RB025", "# Roll back\n```bash\n\ndocker tag shop/web:$GOOD x\n```\n", "playbook.md:4:"},
        {"RB020",
         "# Before\n```bash\nGOOD=v1\n```\n# Roll back\n```bash\ndocker tag shop/web:$GOOD "
         "x\n```\n",
         "playbook.md:7:"},
    };
    struct workspace workspace;
    (void)state;
    workspace_init(&workspace, "tests/data/twins");
    for (size_t i = 0; i < sizeof blanks / sizeof *blanks; i++) {
        struct mistake mistake = {blanks[i].rule, atoi(strchr(blanks[i].place, ':') + 1) - 2, "",
                                  ""};
        struct drill_options options = {.section = "Roll back"};
        struct drill *drill = NULL;
        struct error error = {""};
        struct buf said;
        buf_init(&said, 4096);
        workspace_write(&workspace, "playbook.md", blanks[i].document);
        if (!lint_says(blanks[i].document, &mistake, &said))
            fail_msg("%s: lint says%s", blanks[i].document, said.at);
        assert_true(drill_load(workspace_path(&workspace, "drill.yaml"), &options, &drill, &error) <
                    0);
        if (!strstr(error.text, blanks[i].place))
            fail_msg("'%s' is not in: %s", blanks[i].place, error.text);
        buf_release(&said);
    }
    workspace_release(&workspace);
}

/* The same shop without a mistake: neither lint nor the run complains, but for what nobody was
 * told. */
static void what_is_right_is_left_alone(void **state)
{
    static const char text[] = "# Roll back\n```bash\nsed -i s/v2/v1/ .env\ndocker-compose up -d\n"
                               "timeout 300 bash -c 'until curl -sf --max-time 2 -o /dev/null "
                               "http://localhost:8080/health; "
                               "do sleep 2; done' && echo 'Rollback completed'\n```\n";
    struct workspace workspace;
    struct flown flown;
    struct mistake none = {"RB001", 0, "", ""};
    struct buf said;
    (void)state;
    workspace_init(&workspace, "tests/data/twins");
    buf_init(&said, 1 << 16);
    buf_puts(&said, "");
    workspace_write(&workspace, "playbook.md", text);
    assert_false(lint_says(text, &none, &said));
    flown_init(&flown, workspace_path(&workspace, "drill.yaml"),
               &(struct drill_options){NULL, NULL});
    for (int i = 0; i < flown.report.findings.n; i++)
        if (strcmp(flown.report.findings.at[i].id, "missing_communication") !=
            0) /* nobody is told in so short a playbook */
            buf_printf(&said, " %s", flown.report.findings.at[i].id);
    flown_release(&flown);
    workspace_release(&workspace);
    assert_string_equal(said.at, "");
    buf_release(&said);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_mistake_bites),
        cmocka_unit_test(each_blank_is_refused),
        cmocka_unit_test(what_is_right_is_left_alone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
