/* rehearse list: what there is to rehearse, what is not rehearsed, and what came out last. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include <cjson/cJSON.h>
#include <cmocka.h>

#include "procedures/drill/find.h"
#include "reports/history.h"
#include "tests/workspace.h"

enum { OUTPUT = 1 << 16 };

/* Runs `rehearse list FOLDER ARGUMENTS`; the exit status comes back. */
static int list(struct workspace *workspace, const char *arguments, char output[OUTPUT])
{
    const char *build = getenv("REHEARSE_BUILD");
    char here[4096];
    assert_non_null(realpath(build ? build : "build", here));
    const char *command = arena_printf(&workspace->arena, "cd %s && %s/rehearse list %s 2>&1",
                                       workspace->path, here, arguments);
    FILE *pipe = popen(command, "r");
    assert_non_null(pipe);
    output[fread(output, 1, OUTPUT - 1, pipe)] = '\0';
    return WEXITSTATUS(pclose(pipe));
}

static void write_drill(struct workspace *workspace, const char *name, const char *procedure,
                        const char *more)
{
    workspace_write(
        workspace, name,
        arena_printf(
            &workspace->arena,
            "format: rehearse.drill/1\nsystem: system.yaml\nstart: 2026-01-15T14:30:00Z\ncwd: /\n"
            "change: {at: 1m, set: {x: y}}\nprocedure: {%s}\n%s",
            procedure, more));
}

static void set_up(struct workspace *workspace)
{
    workspace_init(workspace, NULL);
    workspace_write(workspace, "system.yaml",
                    "format: rehearse.system/1\nname: shop\ntitle: a shop\nservices: {web: {}}\n");
    workspace_write(workspace, "playbook.md",
                    "# Shop\n\n## Back\n\n```bash\ntrue\n```\n\n## Words\n\nNothing to run.\n\n## "
                    "Both\n\n#### Here\n\n```bash\ntrue\n```\n\n"
                    "#### There\n\n**Steps**:\n\n```bash\ntrue\n```\n");
    write_drill(workspace, "back.yaml", "playbook: playbook.md, section: Back",
                "expect: {verdict: fail, because: it is so}\n");
    write_drill(workspace, "here.yaml", "playbook: playbook.md, section: Here", "");
}

static void systems_procedures_and_drills(void **state)
{
    (void)state;
    struct workspace workspace;
    char output[OUTPUT];
    set_up(&workspace);
    write_drill(&workspace, "back-hardened.yaml", "playbook: hardened.md",
                "expect: {verdict: pass, because: it is so}\n");
    workspace_write(&workspace, "hardened.md", "```bash\ntrue\n```\n");
    assert_int_equal(list(&workspace, "--history none", output), 0);
    assert_string_equal(
        output, "shop: a shop\n"
                "                                                          expected last run\n"
                "playbook.md\n"
                "  Back\n"
                "    back.yaml                                             fail     -\n"
                "  Both > Here\n"
                "    here.yaml                                             -        -\n"
                "  without a drill\n"
                "    Both > There (line 21)\n"
                "hardened.md\n"
                "  the whole document\n"
                "    back-hardened.yaml                                    pass     -\n"
                "\n"
                "3 drills; 1 procedure without one\n");
    workspace_release(&workspace);
}

static void the_last_verdict(void **state)
{
    (void)state;
    struct workspace workspace;
    struct history *history = NULL;
    struct error error = {""};
    char output[OUTPUT];
    set_up(&workspace);
    if (history_open(workspace_path(&workspace, "h.db"), true, &history, &error) < 0)
        fail_msg("%s", error.text);
    for (int i = 0; i < 2; i++) {
        struct history_run run = {.at_s = 1760000000 + i,
                                  .kind = "simulated",
                                  .drill = "shop/back",
                                  .system = "shop",
                                  .playbook = "",
                                  .section = "",
                                  .tier = "",
                                  .fingerprint = i ? "b" : "a",
                                  .replay = "",
                                  .people = "",
                                  .outcome = i ? OUTCOME_FAIL : OUTCOME_PASS,
                                  .score = i ? 42.857 : 100,
                                  .gates = "pppppp"};
        int64_t id;
        if (history_add(history, &run, NULL, 0, &id, &error) < 0)
            fail_msg("%s", error.text);
    }
    history_close(history);
    assert_int_equal(list(&workspace, "--history h.db", output), 0);
    assert_non_null(strstr(
        output, "    back.yaml                                             fail     fail 42.9\n"));
    assert_int_equal(list(&workspace, "--history h.db --format json", output), 0);
    cJSON *json = cJSON_Parse(output);
    assert_non_null(json);
    assert_string_equal(cJSON_GetObjectItem(json, "format")->valuestring, "rehearse.list/1");
    const cJSON *playbook = cJSON_GetArrayItem(
        cJSON_GetObjectItem(cJSON_GetArrayItem(cJSON_GetObjectItem(json, "systems"), 0),
                            "playbooks"),
        0);
    const cJSON *procedures = cJSON_GetObjectItem(playbook, "procedures");
    assert_int_equal(cJSON_GetArraySize(procedures), 3);
    const cJSON *drill =
        cJSON_GetArrayItem(cJSON_GetObjectItem(cJSON_GetArrayItem(procedures, 0), "drills"), 0);
    assert_string_equal(cJSON_GetObjectItem(drill, "path")->valuestring, "back.yaml");
    const cJSON *last = cJSON_GetObjectItem(drill, "last");
    assert_string_equal(cJSON_GetObjectItem(last, "at")->valuestring, "2025-10-09T08:53:21Z");
    assert_string_equal(cJSON_GetObjectItem(last, "verdict")->valuestring, "fail");
    assert_int_equal(
        cJSON_GetArraySize(cJSON_GetObjectItem(cJSON_GetArrayItem(procedures, 2), "drills")), 0);
    assert_int_equal(cJSON_GetObjectItem(cJSON_GetArrayItem(procedures, 2), "line")->valueint, 21);
    cJSON_Delete(json);
    workspace_release(&workspace);
}

/* One mistake hides nothing else. */
static void mistakes_are_told(void **state)
{
    (void)state;
    struct workspace workspace;
    char output[OUTPUT];
    set_up(&workspace);
    write_drill(&workspace, "gone.yaml", "playbook: gone.md", "");
    write_drill(&workspace, "lost.yaml", "playbook: playbook.md, section: Forward", "");
    workspace_write(&workspace, "broken.yaml", "format: rehearse.drill/1\nsystem: nowhere.yaml\n");
    assert_int_equal(list(&workspace, "--history none", output), 0);
    assert_non_null(strstr(output, "    back.yaml "));
    assert_non_null(strstr(output, "    lost.yaml "));
    assert_non_null(strstr(output, "no heading 'Forward' in"));
    assert_non_null(strstr(output, "gone.md"));
    assert_non_null(strstr(output, "broken.yaml cannot be read: "));
    assert_non_null(strstr(output, "5 drills"));
    assert_int_equal(list(&workspace, "--format yaml", output), 2);
    assert_non_null(strstr(output, "--format 'yaml' is not known: text or json"));
    workspace_release(&workspace);
}

/* The columns of a terminal, with the long names of this repository. */
static void eighty_columns(void **state)
{
    (void)state;
    const char *build = getenv("REHEARSE_BUILD");
    char command[400], line[4096];
    snprintf(command, sizeof command, "%s/rehearse list procedures --history none",
             build ? build : "build");
    FILE *pipe = popen(command, "r");
    assert_non_null(pipe);
    int n = 0;
    for (; fgets(line, sizeof line, pipe); n++) {
        if (strlen(line) > 81)
            fail_msg("%zu columns: %s", strlen(line) - 1, line);
    }
    assert_int_equal(pclose(pipe), 0);
    assert_true(n > 100);
}

/* A schema says which formats there are, and is none of them. */
static void a_schema_is_no_drill(void **state)
{
    (void)state;
    struct arena arena = {0};
    struct drill_head *heads = NULL;
    struct error error = {""};
    int n = 0, cap = 0;
    assert_int_equal(drill_find(&arena, "procedures/drill", &heads, &n, &cap, &error), 0);
    assert_int_equal(n, 0);
    free(heads);
    arena_release(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(systems_procedures_and_drills),
        cmocka_unit_test(the_last_verdict),
        cmocka_unit_test(mistakes_are_told),
        cmocka_unit_test(eighty_columns),
        cmocka_unit_test(a_schema_is_no_drill),
    };
    return cmocka_run_group_tests_name("list", tests, NULL, NULL);
}
