/* rehearse check: its table and exit status by hand, and the command itself on a drill that is
 * found out. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "reports/check.h"
#include "tests/golden.h"
#include "tests/json_schema.h"
#include "tests/record_samples.h"
#include "tests/sarif_check.h"
#include "tests/trial.h"
#include "tests/workspace.h"

static struct arena arena;
static struct summary good, bad;

static void summarise(struct record *record, struct summary *ret)
{
    struct report report;
    report_init(&report, record);
    summary_of_report(ret, &arena, &report);
    report_release(&report);
    record_free(record);
}

static int set_up(void **state)
{
    (void)state;
    summarise(sample_good(), &good);
    summarise(sample_bad(), &bad);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    arena_release(&arena);
    return 0;
}

static void the_exit_status_says_the_worst(void **state)
{
    (void)state;
    struct summary unknown = good;
    unknown.outcome = OUTCOME_UNKNOWN;
    const char *line = "verdict is unknown, expected pass";
    struct check_row well = {.path = "a", .summary = good, .has_summary = true};
    struct check_row otherwise = {
        .path = "b", .summary = bad, .has_summary = true, .unexpected = &line, .n_unexpected = 1};
    struct check_row worse = {
        .path = "c", .summary = good, .has_summary = true, .worse = &line, .n_worse = 1};
    struct check_row over = {.path = "d", .summary = good, .has_summary = true, .n_over = 1};
    struct check_row unseen = {.path = "e",
                               .summary = unknown,
                               .has_summary = true,
                               .unexpected = &line,
                               .n_unexpected = 1};
    struct check_row broken = {.path = "f", .failure = "no", .failure_code = ERROR_INPUT};
    struct check_row unsealed = {.path = "g", .failure = "no", .failure_code = ERROR_SEAL};
    struct check_row crashed = {.path = "h", .failure = "no", .failure_code = ERROR_INTERNAL};
    struct {
        struct check_row rows[2];
        int n_missing, status;
    } cases[] = {
        {{well, well}, 0, 0},       {{well, well}, 1, 1},        {{well, otherwise}, 0, 1},
        {{worse, well}, 0, 1},      {{over, well}, 0, 1},        {{unseen, well}, 0, 3},
        {{unseen, worse}, 0, 1},    {{broken, otherwise}, 0, 2}, {{unsealed, well}, 0, 3},
        {{unsealed, broken}, 0, 2}, {{broken, crashed}, 0, 70},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct check check = {
            .rows = cases[i].rows, .n = 2, .missing = &line, .n_missing = cases[i].n_missing};
        assert_int_equal(check_status(&check), cases[i].status);
    }
}

static void expected_and_waived_findings_do_not_count(void **state)
{
    (void)state;
    struct expectation expect = {0};
    assert_int_equal(check_count_over(&bad, &expect, SEVERITY_ERROR), 10);
    assert_int_equal(check_count_over(&bad, &expect, SEVERITY_NOTE), 12);
    const char *expected[] = {"target_missed", "data_loss"};
    expect.findings = expected;
    expect.n_findings = 2;
    assert_int_equal(check_count_over(&bad, &expect, SEVERITY_ERROR), 4);
    bad.findings[0].waived = "known";
    assert_int_equal(check_count_over(&bad, &expect, SEVERITY_ERROR), 3);
    bad.findings[0].waived = NULL;
}

static void the_table_is_as_kept(void **state)
{
    (void)state;
    const char *unexpected[] = {"verdict is fail, expected pass", "finding hang is missing"};
    const char *worse[] = {"rollback_s went from 4 min 20 s to 7 min"};
    const char *missing[] = {"drill shop/old is in the baseline and was not run"};
    struct check_row rows[] = {
        {.path = "drills/undo.yaml", .summary = good, .has_summary = true},
        {.path = "drills/restore.yaml",
         .summary = bad,
         .has_summary = true,
         .unexpected = unexpected,
         .n_unexpected = 2,
         .worse = worse,
         .n_worse = 1,
         .n_over = 3},
        {.path = "drills/x.yaml",
         .failure = "drills/x.yaml:3: /cwd: is missing",
         .failure_code = ERROR_INPUT},
    };
    struct check check = {.rows = rows, .n = 3, .missing = missing, .n_missing = 1};
    struct buf buf;
    buf_init(&buf, 1 << 20);
    check_text(&check, &buf, false);
    golden_check("check.txt", buf_text(&buf));
    buf_clear(&buf);
    check_json(&check, &buf);
    golden_check("check.json", buf_text(&buf));
    buf_clear(&buf);
    check_html(&check, &buf);
    golden_check("check.html", buf_text(&buf));
    assert_non_null(strstr(buf.at, "<a href=\"shop/undo/report.html\">"));
    buf_release(&buf);
}

static void junit_fails_only_for_what_came_otherwise(void **state)
{
    (void)state;
    const char *problem = "verdict is fail, expected pass";
    struct summary as_expected = bad, otherwise = bad;
    struct buf buf;
    buf_init(&buf, 1 << 20);
    as_expected.compared = otherwise.compared = true;
    otherwise.problems = &problem;
    otherwise.n_problems = 1;
    summaries_junit(&as_expected, 1, &buf);
    assert_null(strstr(buf.at, "<failure"));
    assert_non_null(strstr(buf.at, "name=\"drill comes out as expected\" time=\"0\"/>"));
    buf_clear(&buf);
    summaries_junit(&otherwise, 1, &buf);
    assert_non_null(strstr(buf.at, "<failure message=\"verdict is fail, expected pass\""));
    assert_non_null(strstr(buf.at, "name=\"gate records_lost\" time=\"0\">"));
    buf_release(&buf);
}

/* ---- the command ---- */

static int rehearse(const char *arguments, char *output, size_t size)
{
    const char *build = getenv("REHEARSE_BUILD");
    char command[1024];
    snprintf(command, sizeof command, "%s/rehearse %s 2>&1", build ? build : "build", arguments);
    FILE *pipe = popen(command, "r");
    assert_non_null(pipe);
    size_t n = fread(output, 1, size - 1, pipe);
    output[n] = '\0';
    return WEXITSTATUS(pclose(pipe));
}

static void a_lie_is_found_out_and_expected(void **state)
{
    (void)state;
    if (!trial_possible())
        skip();
    struct workspace workspace;
    workspace_init(&workspace, "tests/data/check");
    char output[8192], arguments[700];
    const char *at = workspace.path;
    snprintf(arguments, sizeof arguments,
             "check %s --out %s/out --junit %s/out/j.xml --sarif %s/out/s.sarif --csv %s/out/m.csv "
             "--metrics %s/out/m.txt --write-baseline %s/out/base.json -j 2",
             at, at, at, at, at, at, at);
    int status = rehearse(arguments, output, sizeof output);
    if (status != 0)
        fail_msg("exit %d: %s", status, output);
    assert_non_null(strstr(output, "1 drill: 1 as expected, 0 not"));
    struct buf file;
    buf_init(&file, 16 << 20);
    assert_int_equal(buf_read_file(&file, workspace_path(&workspace, "out/index.html")), 0);
    assert_non_null(strstr(file.at, "<a href=\"shop/lies/report.html\">"));
    buf_clear(&file);
    assert_int_equal(buf_read_file(&file, workspace_path(&workspace, "out/shop/lies/run.json")), 0);
    const char *complaint = json_schema_check("reports/run.schema.json", file.at);
    if (complaint)
        fail_msg("%s", complaint);
    buf_clear(&file);
    assert_int_equal(buf_read_file(&file, workspace_path(&workspace, "out/s.sarif")), 0);
    assert_null(sarif_check(file.at));
    /* `at` is absolute: nothing that is kept says where on this machine it is */
    static const char *const kept[] = {"out/shop/lies/run.json", "out/s.sarif", "out/j.xml",
                                       "out/base.json", "out/shop/lies/report.html"};
    for (size_t i = 0; i < sizeof kept / sizeof *kept; i++) {
        buf_clear(&file);
        assert_int_equal(buf_read_file(&file, workspace_path(&workspace, kept[i])), 0);
        for (const char *found = file.at; (found = strstr(found, at)); found++)
            if (found[-1] != '.') /* "../../tmp/..." is as seen from here */
                fail_msg("%s: %.120s", kept[i], found);
    }
    buf_release(&file);
    /* the same again is not worse; a step more that fails is */
    snprintf(arguments, sizeof arguments, "check %s --out %s/out --baseline %s/out/base.json", at,
             at, at);
    assert_int_equal(rehearse(arguments, output, sizeof output), 0);
    workspace_replace(&workspace, "playbook.md", "sleep 60", "sleep 60\ncat /nowhere");
    assert_int_equal(rehearse(arguments, output, sizeof output), 1);
    assert_non_null(strstr(output, "worse: 1 new finding silent_failure in "));
    /* a drill that expects the other thing */
    workspace_replace(&workspace, "lies.yaml", "verdict: fail", "verdict: pass");
    snprintf(arguments, sizeof arguments, "check %s --out %s/out --format json", at, at);
    assert_int_equal(rehearse(arguments, output, sizeof output), 1);
    assert_non_null(strstr(output, "\"verdict is fail, expected pass\""));
    workspace_release(&workspace);
}

static void a_broken_drill_stops_no_other(void **state)
{
    (void)state;
    if (!trial_possible())
        skip();
    struct workspace workspace;
    workspace_init(&workspace, "tests/data/check");
    char output[8192], arguments[512];
    snprintf(arguments, sizeof arguments,
             "list /nonexistent; cd %s && cp lies.yaml b.yml && cp lies.yaml key.yaml && cp "
             "lies.yaml playbook.yaml && "
             "sed -i s/cwd:/cdw:/ key.yaml && sed -i s/playbook.md/nowhere.md/ playbook.yaml && "
             "printf 'format: rehearse.drill/1\\na: [\\n' > open.yaml",
             workspace.path);
    rehearse(arguments, output, sizeof output);
    snprintf(arguments, sizeof arguments,
             "check %s -j2 --history none --out %s/out --junit %s/out/j.xml", workspace.path,
             workspace.path, workspace.path);
    assert_int_equal(rehearse(arguments, output, sizeof output), 2);
    static const char *const told[] = {"ok   shop/b ",
                                       "ok   shop/lies ",
                                       "/key.yaml:5: /cdw: unknown key; did you mean 'cwd'?",
                                       "/nowhere.md: cannot read the playbook",
                                       "/open.yaml:",
                                       "5 drills: 2 as expected, 3 not"};
    for (size_t i = 0; i < sizeof told / sizeof *told; i++) {
        if (!strstr(output, told[i]))
            fail_msg("'%s' is not in: %s", told[i], output);
    }
    struct buf file;
    buf_init(&file, 16 << 20);
    assert_int_equal(buf_read_file(&file, workspace_path(&workspace, "out/j.xml")), 0);
    int errors = 0;
    for (const char *at = strstr(file.at, "<error "); at; at = strstr(at + 1, "<error "))
        errors++;
    assert_int_equal(errors, 3);
    buf_release(&file);
    workspace_release(&workspace);
}

static void a_waiver_holds_until_its_day(void **state)
{
    (void)state;
    if (!trial_possible())
        skip();
    struct workspace workspace;
    workspace_init(&workspace, "tests/data/check");
    workspace_replace(&workspace, "lies.yaml", "expect:",
                      "waive: [{finding: data_loss, until: 2026-06-30, reason: the store is mended "
                      "in June}]\nexpect:");
    char output[8192], arguments[512];
    snprintf(arguments, sizeof arguments, "check %s --history none --out %s/out --today 2026-06-29",
             workspace.path, workspace.path);
    assert_int_equal(rehearse(arguments, output, sizeof output), 0);
    snprintf(arguments, sizeof arguments,
             "check %s --history none --out %s/out --today 2026-06-30 --junit %s/out/j.xml",
             workspace.path, workspace.path, workspace.path);
    assert_int_equal(rehearse(arguments, output, sizeof output), 1);
    assert_non_null(strstr(output, "the waiver of data_loss ended on 2026-06-30"));
    struct buf file;
    buf_init(&file, 16 << 20);
    assert_int_equal(buf_read_file(&file, workspace_path(&workspace, "out/j.xml")), 0);
    assert_non_null(
        strstr(file.at, "<failure message=\"the waiver of data_loss ended on 2026-06-30"));
    buf_release(&file);
    snprintf(arguments, sizeof arguments, "check %s --history none --out %s/out --today soon",
             workspace.path, workspace.path);
    assert_int_equal(rehearse(arguments, output, sizeof output), 2);
    workspace_release(&workspace);
}

static void one_run_leaves_the_same_files(void **state)
{
    (void)state;
    if (!trial_possible())
        skip();
    struct workspace workspace;
    workspace_init(&workspace, "tests/data/check");
    char output[16384], arguments[700];
    const char *at = workspace.path;
    snprintf(arguments, sizeof arguments,
             "run %s/lies.yaml --history none --out %s/out --junit %s/out/a/j.xml --sarif "
             "%s/out/s.sarif "
             "--csv %s/out/m.csv --metrics %s/out/m.txt --png",
             at, at, at, at, at, at);
    assert_int_equal(rehearse(arguments, output, sizeof output), 1);
    static const char *const files[] = {"report.html", "report.md",    "run.json",  "events.jsonl",
                                        "incident.md", "timeline.svg", "steps.svg", "timeline.png",
                                        "steps.png",   "a/j.xml",      "s.sarif",   "m.csv",
                                        "m.txt"};
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        snprintf(arguments, sizeof arguments, "out/%s", files[i]);
        assert_int_equal(access(workspace_path(&workspace, arguments), R_OK), 0);
    }
    workspace_release(&workspace);
}

/* What cannot be written is no pass, whichever stream or file it was for. */
static void a_result_that_cannot_be_written_is_no_pass(void **state)
{
    (void)state;
    if (!trial_possible())
        skip();
    struct workspace workspace;
    workspace_init(&workspace, "tests/data/check");
    char output[8192], arguments[512];
    snprintf(arguments, sizeof arguments,
             "check %s --history none --out %s/out 2>%s/told >/dev/full; status=$?; "
             "cat %s/told; exit $status; :",
             workspace.path, workspace.path, workspace.path, workspace.path);
    assert_int_equal(rehearse(arguments, output, sizeof output), 2);
    assert_non_null(strstr(output, "standard output: cannot be written"));
    snprintf(arguments, sizeof arguments,
             "check %s --history none --out %s/out --junit /dev/full/j.xml", workspace.path,
             workspace.path);
    assert_int_equal(rehearse(arguments, output, sizeof output), 2);
    assert_non_null(strstr(output, "/dev/full"));
    snprintf(arguments, sizeof arguments, "check %s --history none --out %s/lies.yaml/out",
             workspace.path, workspace.path);
    assert_int_equal(rehearse(arguments, output, sizeof output), 2);
    workspace_release(&workspace);
}

/* Ten drills, one at a time, stopped after the first moments: nobody goes on behind our back, and
 * the exit says unknown. */
static void a_check_can_be_stopped(void **state)
{
    (void)state;
    if (!trial_possible())
        skip();
    struct workspace workspace;
    workspace_init(&workspace, "tests/data/check");
    char output[8192], arguments[512], command[700];
    snprintf(arguments, sizeof arguments,
             "list /nonexistent; cd %s; rm -rf out; for i in 1 2 3 4 5 6 7 8 9; do cp lies.yaml "
             "lies$i.yaml; done",
             workspace.path);
    for (int i = 0; i < 2; i++) {
        rehearse(arguments, output, sizeof output); /* nothing is left of the last one */
        snprintf(command, sizeof command,
                 "check %s -j1 --history none --out %s/out 2>%s/told & pid=$!; "
                 "while ! [ -e %s/out/shop ]; do sleep 0.01; done; kill -%s $pid; wait $pid; "
                 "status=$?; cat %s/told; exit $status; :",
                 workspace.path, workspace.path, workspace.path, workspace.path, i ? "TERM" : "INT",
                 workspace.path);
        int status = rehearse(command, output, sizeof output);
        if (status != 3)
            fail_msg("exit %d: %s", status, output);
        assert_non_null(strstr(output, "stopped from outside after "));
        assert_int_equal(access(workspace_path(&workspace, "out/index.html"), F_OK), -1);
    }
    workspace_release(&workspace);
}

static void mistakes_are_named(void **state)
{
    (void)state;
    static const struct {
        const char *arguments, *complaint;
    } cases[] = {
        {"check tests/golden", "no drill here"},
        {"check /nonexistent", "/nonexistent"},
        {"check --fail-on bad", "--fail-on 'bad' is not known: error, warning or note"},
        {"check -j none", "-j 'none'"},
        {"check --baseline a --write-baseline b", "choose one"},
        {"check --format xml", "text or json"},
        {"check --sarf x", "--sarif"},
    };
    char output[4096];
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        assert_int_equal(rehearse(cases[i].arguments, output, sizeof output), 2);
        if (!strstr(output, cases[i].complaint))
            fail_msg("'%s' says nothing of '%s'", output, cases[i].complaint);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_exit_status_says_the_worst),
        cmocka_unit_test(expected_and_waived_findings_do_not_count),
        cmocka_unit_test(the_table_is_as_kept),
        cmocka_unit_test(junit_fails_only_for_what_came_otherwise),
        cmocka_unit_test(a_lie_is_found_out_and_expected),
        cmocka_unit_test(a_broken_drill_stops_no_other),
        cmocka_unit_test(a_waiver_holds_until_its_day),
        cmocka_unit_test(one_run_leaves_the_same_files),
        cmocka_unit_test(a_result_that_cannot_be_written_is_no_pass),
        cmocka_unit_test(a_check_can_be_stopped),
        cmocka_unit_test(mistakes_are_named),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
