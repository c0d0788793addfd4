/* A playbook that works, broken in one place: each mistake changes the verdict or the findings as the tools behave. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include <cmocka.h>

#include "reports/summary.h"
#include "tests/trial.h"
#include "tests/workspace.h"

#define TAG    "docker tag hp_ti/honeypot:v1.2.2 hp_ti/honeypot:latest\n"
#define UP     "docker-compose up -d --no-deps honeypot pipeline\n"
#define FETCH  "git fetch --quiet origin\ngit checkout --quiet tags/v1.2.2\ndocker pull --quiet hp_ti/honeypot:v1.2.2\n"
#define VERIFY "./deployment/scripts/health_check.sh --post-deploy &&\n    ./tests/smoke_tests.sh &&\n    echo"
#define STRICT " -v ON_ERROR_STOP=1 --single-transaction"

struct edit {
    const char *from, *to;
};

static const struct mutation {
    const char *name;
    struct edit edits[3];      /* in the section that the drill runs */
    enum outcome outcome;
    const char *expected[3];   /* findings */
    const char *absent[3];
    const char *why;
} mutations[] = {
    {.name = "none", .outcome = OUTCOME_PASS, .absent = {"wrong_end_state", "false_success", "no_op"}, .why = "it works"},
    {.name = "a step removed",
     .edits = {{FETCH, "# fetched\n" FETCH}, {TAG "docker tag hp_ti/pipeline", "docker tag hp_ti/pipeline"}},
     .outcome = OUTCOME_FAIL,
     .expected = {"wrong_end_state"},
     .absent = {"false_success"},
     .why = "latest still means the bad image, and the health check sees it"},
    {.name = "a step and the verification removed",
     .edits = {{TAG "docker tag hp_ti/pipeline", "docker tag hp_ti/pipeline"}, {VERIFY, "echo"}},
     .outcome = OUTCOME_FAIL,
     .expected = {"wrong_end_state", "false_success"},
     .why = "nothing looks before it says done"},
    {.name = "a flag dropped",
     .edits = {{"docker exec -i hp_ti_postgres", "docker exec hp_ti_postgres"}},
     .outcome = OUTCOME_FAIL,
     .expected = {"wrong_end_state", "no_op"},
     .absent = {"false_success"},
     .why = "docker exec without -i attaches no standard input: psql reads nothing and ends with 0"},
    {.name = "two steps swapped",
     .edits = {{"services; the stores keep running\n" UP, "services; the stores keep running\n"},
               {"# 2. Fetch the previous release", UP "# 2. Fetch the previous release"}},
     .outcome = OUTCOME_FAIL,
     .expected = {"wrong_end_state", "no_op"},
     .why = "docker-compose up changes nothing before the tag has moved"},
    {.name = "a name mistyped, and nothing to stop on errors",
     .edits = {{"DROP CONSTRAINT payload_is_short", "DROP CONSTRAINT payload_is_shrt"}, {STRICT, ""}, {VERIFY, "echo"}},
     .outcome = OUTCOME_PASS,
     .expected = {"silent_failure"},
     .why = "psql goes on after an error and ends with 0"},
};

/* Only the drill's own section is changed: the document has the same commands elsewhere. */
static void edit_section(struct workspace *workspace, const struct edit *edits)
{
    struct buf text;
    buf_init(&text, 1 << 20);
    assert_int_equal(buf_read_file(&text, workspace_path(workspace, "hardened.md")), 0);
    const char *start = strstr(text.at, "## Scenario 2"), *end = strstr(start + 1, "\n## ");
    assert_non_null(start);
    struct str section = {start, end ? (size_t)(end - start) : strlen(start)};
    char *now = arena_str(&workspace->arena, section);
    for (int i = 0; i < 3 && edits[i].from; i++) {
        char *at = strstr(now, edits[i].from);
        if (!at)
            fail_msg("the playbook has no '%s' any more", edits[i].from);
        now = arena_printf(&workspace->arena, "%.*s%s%s", (int)(at - now), now, edits[i].to, at + strlen(edits[i].from));
    }
    workspace_write(workspace, "hardened.md",
                    arena_printf(&workspace->arena, "%.*s%s%s", (int)(start - text.at), text.at, now, end ? end : ""));
    buf_release(&text);
}

static void run_drill(struct workspace *workspace, struct summary *ret)
{
    char command[1024], output[4096];
    const char *build = getenv("REHEARSE_BUILD");
    struct error error = {""};
    snprintf(command, sizeof command, "%s/rehearse run %s/drills/database-migration-hardened.yaml --history none --out %s/out 2>&1",
             build ? build : "build", workspace->path, workspace->path);
    FILE *pipe = popen(command, "r");
    assert_non_null(pipe);
    output[fread(output, 1, sizeof output - 1, pipe)] = '\0';
    pclose(pipe);
    if (summary_read_file(ret, &workspace->arena, workspace_path(workspace, "out/run.json"), &error) != 0)
        fail_msg("%s\n%s", error.text, output);
}

static bool has(const struct summary *summary, const char *id)
{
    for (int i = 0; i < summary->n_findings; i++) {
        if (strcmp(summary->findings[i].id, id) == 0)
            return true;
    }
    return false;
}

static void each_mistake_is_seen(void **state)
{
    (void)state;
    if (!trial_possible())
        skip();
    for (size_t i = 0; i < sizeof mutations / sizeof *mutations; i++) {
        const struct mutation *mutation = &mutations[i];
        struct workspace workspace;
        struct summary summary;
        workspace_init(&workspace, "procedures/hp_ti");
        edit_section(&workspace, mutation->edits);
        run_drill(&workspace, &summary);
        if (summary.outcome != mutation->outcome)
            fail_msg("%s: %s, expected %s: %s", mutation->name, outcome_names[summary.outcome], outcome_names[mutation->outcome],
                     mutation->why);
        for (int k = 0; k < 3 && mutation->expected[k]; k++) {
            if (!has(&summary, mutation->expected[k]))
                fail_msg("%s: no %s: %s", mutation->name, mutation->expected[k], mutation->why);
        }
        for (int k = 0; k < 3 && mutation->absent[k]; k++) {
            if (has(&summary, mutation->absent[k]))
                fail_msg("%s: %s, but %s", mutation->name, mutation->absent[k], mutation->why);
        }
        workspace_release(&workspace);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(each_mistake_is_seen)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
