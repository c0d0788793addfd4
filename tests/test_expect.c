/* What a drill expects and waives, and what got worse than a baseline. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "reports/baseline.h"
#include "reports/expect.h"
#include "tests/record_samples.h"

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

/* All lines joined by "; ". */
static const char *joined(const char **lines, int n)
{
    const char *all = "";
    for (int i = 0; i < n; i++)
        all = arena_printf(&arena, "%s%s%s", all, i ? "; " : "", lines[i]);
    return all;
}

static const char *compare(const char *yaml, const struct summary *summary)
{
    struct doc *doc = NULL;
    struct error error = {""};
    struct expectation expect;
    const char **lines;
    if (*yaml && doc_read_text(&arena, "drill.yaml", str_of(yaml), &doc, &error) != 0)
        fail_msg("%s", error.text);
    if (expectation_read(&expect, doc_get(doc, "expect"), &arena, &error) != 0)
        return arena_strdup(&arena, error.text);
    int n = expectation_compare(&expect, summary, &arena, &lines);
    return joined(lines, n);
}

static void what_was_expected_came(void **state)
{
    (void)state;
    assert_string_equal(compare("", &good), "");
    assert_string_equal(
        compare(
            "expect: {verdict: fail, gates: {records_lost: fail, records_unexpected: pass}, "
            "targets: {rollback_s: missed}, findings: [data_loss, silent_failure], absent: [hang], "
            "because: a restore goes back in time}",
            &bad),
        "");
}

static void what_came_otherwise_is_said(void **state)
{
    (void)state;
    assert_string_equal(compare("", &bad),
                        "verdict is fail, expected pass (the drill states no 'expect')");
    assert_string_equal(compare("expect: {verdict: fail}", &good),
                        "verdict is pass, expected fail");
    assert_string_equal(compare("expect: {gates: {end_state: unknown}}", &bad),
                        "gate end_state is fail, expected unknown");
    assert_string_equal(compare("expect: {targets: {downtime_s: missed}}", &good),
                        "target downtime_s is met, expected missed");
    assert_string_equal(compare("expect: {findings: [hang], absent: [data_loss]}", &bad),
                        "finding hang is missing; finding data_loss is there, expected none");
}

static void mistakes_in_expect_are_named(void **state)
{
    (void)state;
    assert_string_equal(compare("expect: {findings: [dataloss]}", &good),
                        "drill.yaml:1: /expect/findings/0: no finding has the id 'dataloss'; did "
                        "you mean 'data_loss'?");
    assert_non_null(
        strstr(compare("expect: {verdict: failed}", &good), "drill.yaml:1: /expect/verdict: "));
    assert_non_null(
        strstr(compare("expect: {gates: {lost: fail}}", &good), "drill.yaml:1: /expect/gates"));
    assert_non_null(strstr(compare("expect: [fail]", &good), "drill.yaml:1: /expect: "));
}

static struct baseline *baseline_of(const struct summary *summaries, int n)
{
    char path[] = "/tmp/rehearse-baseline-XXXXXX";
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    close(fd);
    struct buf buf;
    struct baseline *baseline;
    struct error error = {""};
    buf_init(&buf, 1 << 20);
    baseline_write(summaries, n, &buf);
    assert_int_equal(report_write_file(path, buf_text(&buf), &error), 0);
    buf_release(&buf);
    assert_int_equal(baseline_read(path, &baseline, &error), 0);
    unlink(path);
    return baseline;
}

static const char *worse(const struct summary *before, const struct summary *now)
{
    const char **lines;
    struct baseline *baseline = baseline_of(before, 1);
    int n = baseline_compare(baseline, now, &arena, &lines);
    const char *all = joined(lines, n);
    baseline_free(baseline);
    return all;
}

static void the_same_is_not_worse(void **state)
{
    (void)state;
    assert_string_equal(worse(&good, &good), "");
    assert_string_equal(worse(&bad, &bad), "");
    struct summary renamed = good;
    renamed.drill = "shop/new";
    assert_string_equal(worse(&bad, &renamed), "");
}

static void slower_is_worse_beyond_a_tenth(void **state)
{
    (void)state;
    struct summary now = good; /* rollback took 260 s */
    now.measures[MEASURE_ROLLBACK] = 286;
    assert_string_equal(worse(&good, &now), "");
    now.measures[MEASURE_ROLLBACK] = 287;
    assert_string_equal(worse(&good, &now), "rollback_s went from 4 min 20 s to 4 min 47 s");
    now.measures[MEASURE_ROLLBACK] = NAN;
    assert_string_equal(worse(&good, &now), "rollback_s was 4 min 20 s and has no value now");
    assert_string_equal(worse(&now, &good), ""); /* better */
    now = good;
    now.measures[MEASURE_RECORDS_LOST] = 1;
    assert_string_equal(worse(&good, &now), "records_lost went from 0 to 1");
}

static void lost_passes_and_new_findings_are_worse(void **state)
{
    (void)state;
    struct summary now = good;
    now.outcome = OUTCOME_FAIL;
    now.gates[GATE_END_STATE] = OUTCOME_UNKNOWN;
    now.targets = ARENA_ARRAY(&arena, struct summary_target, now.n_targets);
    memcpy(now.targets, good.targets, (size_t)now.n_targets * sizeof *now.targets);
    now.targets[0].outcome = OUTCOME_FAIL;
    assert_string_equal(worse(&good, &now),
                        "the verdict was pass and is fail; gate end_state was pass and is unknown; "
                        "target time_to_detect_s was met and is missed");
    struct summary_finding findings[] = {
        {"no_op", "playbook.md", "'x' changed nothing", "", "", SEVERITY_WARNING, 12, 1, NULL, NULL,
         0, NULL},
        {"no_op", "playbook.md", "'y' changed nothing", "", "", SEVERITY_WARNING, 14, 2, NULL, NULL,
         0, NULL},
        {"hang", "playbook.md", "a note", "", "", SEVERITY_NOTE, 15, 3, NULL, NULL, 0, NULL},
        {"hang", "playbook.md", "waived", "", "", SEVERITY_ERROR, 15, 3, NULL, NULL, 0, "known"},
    };
    struct summary before = good;
    before.findings = findings;
    before.n_findings = 1;
    now = good;
    now.findings = findings;
    now.n_findings = 4;
    assert_string_equal(worse(&before, &now),
                        "1 new finding no_op in playbook.md: 'x' changed nothing");
    findings[0].line = 99; /* moving is nothing new */
    now.n_findings = 1;
    assert_string_equal(worse(&before, &now), "");
}

static void a_lost_drill_is_missing(void **state)
{
    (void)state;
    struct summary both[] = {good, bad};
    struct baseline *baseline = baseline_of(both, 2);
    const char **lines;
    int n = baseline_missing(baseline, &good, 1, &arena, &lines);
    assert_string_equal(joined(lines, n), "drill shop/restore is in the baseline and was not run");
    assert_int_equal(baseline_missing(baseline, both, 2, &arena, &lines), 0);
    baseline_free(baseline);
}

/* Times and findings of one document say nothing of another; a lost pass is lost with either. */
static void another_document_is_held_to_what_was_passed(void **state)
{
    (void)state;
    struct summary now = good;
    now.playbook = "docs/playbook.md"; /* the same file, seen from elsewhere */
    now.measures[MEASURE_ROLLBACK] = 1000;
    assert_string_equal(worse(&good, &now), "rollback_s went from 4 min 20 s to 16 min 40 s");
    now.playbook = "hardened.md";
    assert_string_equal(worse(&good, &now), "");
    now.outcome = OUTCOME_FAIL;
    assert_string_equal(worse(&good, &now),
                        "the verdict was pass and is fail; it ran playbook.md, 'Database goes "
                        "wrong' then, and runs hardened.md, 'Database goes wrong' now");
}

static void what_is_no_baseline_is_refused(void **state)
{
    (void)state;
    struct baseline *baseline;
    struct error error = {""};
    assert_int_equal(baseline_read("/nonexistent/b.json", &baseline, &error), ERROR_INPUT);
    assert_non_null(strstr(error.text, "--write-baseline"));
    assert_int_equal(baseline_read("reports/run.schema.json", &baseline, &error), ERROR_INPUT);
    assert_null(baseline);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_expected_came),
        cmocka_unit_test(what_came_otherwise_is_said),
        cmocka_unit_test(mistakes_in_expect_are_named),
        cmocka_unit_test(the_same_is_not_worse),
        cmocka_unit_test(slower_is_worse_beyond_a_tenth),
        cmocka_unit_test(lost_passes_and_new_findings_are_worse),
        cmocka_unit_test(a_lost_drill_is_missing),
        cmocka_unit_test(another_document_is_held_to_what_was_passed),
        cmocka_unit_test(what_is_no_baseline_is_refused),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
