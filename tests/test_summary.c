/* What is read back from run.json, and the formats for other tools. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "reports/summary.h"
#include "reports/xml.h"
#include "sim/base/doc.h"
#include "tests/golden.h"
#include "tests/json_schema.h"
#include "tests/record_samples.h"
#include "tests/sarif_check.h"

static struct arena arena;
static struct summary summaries[3];

static int read_samples(void **state)
{
    (void)state;
    struct record *(*const samples[])(void) = {sample_good, sample_bad, sample_empty};
    for (int i = 0; i < 3; i++) {
        struct record *record = samples[i]();
        struct report report;
        report_init(&report, record);
        summary_of_report(&summaries[i], &arena, &report);
        report_release(&report);
        record_free(record);
    }
    return 0;
}

static int release(void **state)
{
    (void)state;
    arena_release(&arena);
    return 0;
}

static void a_summary_says_what_the_report_said(void **state)
{
    (void)state;
    const struct summary *bad = &summaries[1];
    assert_string_equal(bad->drill, "shop/restore");
    assert_string_equal(bad->start, "2026-01-15T14:30:00Z");
    assert_int_equal(bad->seed, 7);
    assert_string_equal(bad->fingerprint, "00c0ffee12345678");
    assert_int_equal(bad->outcome, OUTCOME_FAIL);
    assert_true(fabs(bad->score - 23.3) < 1e-9);
    assert_int_equal(bad->gates[GATE_RECORDS_LOST], OUTCOME_FAIL);
    assert_true(isnan(bad->measures[MEASURE_ROLLBACK]));
    assert_true(fabs(bad->measures[MEASURE_RECORDS_LOST] - 1820) < 1e-9);
    assert_true(isnan(bad->instants_s[T_RESTORE]));
    assert_int_equal(bad->n_targets, 7);
    assert_int_equal(bad->n_steps, 5);
    assert_int_equal(bad->steps[4].exit_status, 130);
    assert_true(bad->steps[4].interrupted);
    assert_string_equal(bad->findings[0].id, "silent_failure");
    assert_int_equal(bad->findings[0].line, 31);
    assert_null(bad->findings[0].waived);
    assert_true(isnan(bad->targets[2].value));
}

static void what_is_no_run_is_refused(void **state)
{
    (void)state;
    static const struct {
        const char *text, *complaint;
    } cases[] = {
        {"", "x.json: no JSON, expected the run.json of a run"},
        {"[1]", "x.json: /format: expected \"rehearse.run/1\""},
        {"{\"format\": \"rehearse.run/2\"}", "x.json: /format: expected \"rehearse.run/1\""},
        {"{\"format\": \"rehearse.run/1\"}",
         "x.json: /drill: no text, expected as in rehearse.run/1"},
        {"{\"format\": \"rehearse.run/1\", \"drill\": 5}",
         "x.json: /drill: no text, expected as in rehearse.run/1"},
        {"{\"format\": \"rehearse.run/1\", \"drill\": \"\", \"fingerprint\": \"\", \"tier\": \"\", "
         "\"seed\": null}",
         "x.json: /seed: no whole number below 2^53, expected as in rehearse.run/1"}, /* found by
                                                                                         fuzzing */
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct summary summary;
        struct error error = {""};
        assert_int_equal(summary_parse(&summary, &arena, "x.json", cases[i].text, &error),
                         ERROR_INPUT);
        assert_string_equal(error.text, cases[i].complaint);
    }
    struct summary summary;
    struct error error = {""};
    assert_int_equal(summary_read_file(&summary, &arena, "/nonexistent", &error), ERROR_INPUT);
}

static void check_golden(const char *name, void (*write)(const struct summary *, int, struct buf *))
{
    struct buf buf;
    buf_init(&buf, REPORT_MAX);
    write(summaries, 3, &buf);
    golden_check(name, buf_text(&buf));
    buf_release(&buf);
}

static void formats_are_as_kept(void **state)
{
    (void)state;
    check_golden("summaries.junit.xml", summaries_junit);
    check_golden("summaries.sarif", summaries_sarif);
    check_golden("summaries.csv", summaries_csv);
    check_golden("summaries.metrics.txt", summaries_openmetrics);
}

static void sarif_keeps_its_schema(void **state)
{
    (void)state;
    struct buf buf;
    buf_init(&buf, REPORT_MAX);
    summaries_sarif(summaries, 3, &buf);
    const char *complaint = sarif_check(buf.at);
    if (complaint)
        fail_msg("%s", complaint);
    buf_clear(&buf);
    summaries_sarif(NULL, 0, &buf); /* no run at all is a valid log too */
    assert_null(sarif_check(buf.at));
    buf_release(&buf);
}

/* The check can fail: each line is what a log may not say. */
static void what_is_no_sarif_is_seen(void **state)
{
    (void)state;
    static const struct {
        const char *rule, *result, *complaint;
    } cases[] = {
        {"'id': 'a'", "'ruleId': 'a', 'ruleIndex': 0", NULL},
        {"'id': 'a'", "'ruleId': 'a', 'ruleIndex': 1", "/results/0: no rule has its ruleIndex"},
        {"'id': 'a'", "'ruleId': 'b', 'ruleIndex': 0",
         "/results/0: the rule at its ruleIndex has another id"},
        {"'id': 'a'", "'ruleId': 'a', 'ruleIndex': 0, 'level': 'fatal'",
         "/runs/0/results/0/level: is not in enum"},
        {"'id': 'a'", "'ruleId': 'a', 'ruleIndex': 0, 'severity': 'error'",
         "/runs/0/results/0/severity: is not allowed "},
        {"'id': 'a'",
         "'ruleId': 'a', 'ruleIndex': 0, 'locations': [{'physicalLocation': {'artifactLocation': "
         "{'uri': 'a b.md'}}}]",
         "/runs/0/results/0/locations/0/physicalLocation/artifactLocation/uri: is no "
         "uri-reference"},
        {"'id': 'a'",
         "'ruleId': 'a', 'ruleIndex': 0, 'locations': [{'physicalLocation': {'artifactLocation': "
         "{'uri': 'c:d.md'}, 'region': {'startLine': 0}}}]",
         "/runs/0/results/0/locations/0/physicalLocation/region/startLine: is under minimum"},
        {"'id': 'a'",
         "'ruleId': 'a', 'ruleIndex': 0, 'locations': [{'physicalLocation': {'artifactLocation': "
         "{'uri': 'd.md'}, 'region': {'startLine': 3, 'endLine': 2}}}]",
         "/results/0: its region ends before it starts"},
        {"'id': 'a'",
         "'ruleId': 'a', 'ruleIndex': 0, 'locations': [{'physicalLocation': {'artifactLocation': "
         "{'uri': 'd.md'}, 'region': {'startColumn': 2}}}]",
         "/runs/0/results/0/locations/0/physicalLocation/region: misses startLine"},
        {"'id': 'a'", "'ruleId': 'a', 'ruleIndex': 0, 'partialFingerprints': {'x/1': 7}",
         "/runs/0/results/0/partialFingerprints/x/1: has not the type"},
        {"'id': 'a'", "'ruleId': 'a', 'ruleIndex': 0, 'suppressions': [{'status': 'accepted'}]",
         "/runs/0/results/0/suppressions/0: misses kind"},
        {"'id': 'a', 'helpUri': 'docs/a.md'", "'ruleId': 'a', 'ruleIndex': 0",
         "/runs/0/tool/driver/rules/0/helpUri: is no uri"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char *text = arena_printf(
            &arena,
            "{'$schema': 'https://example.org/sarif.json', 'version': '2.1.0', 'runs': [{'tool': "
            "{'driver': {'name': 'x', 'rules': [{%s, 'shortDescription': {'text': 'a'}, "
            "'fullDescription': {'text': 'a'}, 'help': {'text': 'a'}}]}}, 'results': [{%s, "
            "'message': {'text': 'a'}}]}]}",
            cases[i].rule, cases[i].result);
        for (char *at = text; *at; at++)
            *at = *at == '\'' ? '"' : *at;
        const char *complaint = sarif_check(text);
        if (!complaint != !cases[i].complaint ||
            (complaint && strcmp(complaint, cases[i].complaint) != 0))
            fail_msg("case %zu: %s", i, complaint ? complaint : "taken");
    }
}

/* Counts a word in the text. */
static int count_of(const char *text, const char *word)
{
    int n = 0;
    for (const char *at = strstr(text, word); at; at = strstr(at + 1, word))
        n++;
    return n;
}

/* The sum of an attribute over all suites. */
static int sum_of(const char *text, const char *attribute)
{
    int sum = 0;
    for (const char *at = strstr(text, attribute); at; at = strstr(at + 1, attribute))
        sum += (int)strtol(at + strlen(attribute), NULL, 10);
    return sum;
}

static void junit_counts_what_it_holds(void **state)
{
    (void)state;
    struct buf buf;
    buf_init(&buf, REPORT_MAX);
    summaries_junit(summaries, 3, &buf);
    assert_int_equal(sum_of(buf.at, " tests=\""), count_of(buf.at, "<testcase "));
    assert_int_equal(sum_of(buf.at, " failures=\""), count_of(buf.at, "<failure "));
    assert_int_equal(sum_of(buf.at, " errors=\""), count_of(buf.at, "<error "));
    assert_true(count_of(buf.at, "<error ") > 0); /* an unknown stops continuous integration */
    buf_release(&buf);
}

static void junit_keeps_the_schemas_in_use(void **state)
{
    (void)state;
    if (system("command -v xmllint >/dev/null 2>&1") != 0) {
        print_message("no xmllint here\n");
        skip();
    }
    struct summary all[4] = {summaries[0],
                             summaries[1],
                             summaries[2],
                             {.drill = "drills/<x>.yaml", .failure = "x.yaml:3: /cwd: \"?\""}};
    for (int n = 0; n <= 4; n += 4) { /* none at all is a document too */
        struct buf buf;
        buf_init(&buf, REPORT_MAX);
        summaries_junit(all, n, &buf);
        FILE *lint = popen("xmllint --noout --nonet --schema tests/junit.xsd - 2>&1", "w");
        assert_non_null(lint);
        assert_int_equal(fwrite(buf.at, 1, buf.len, lint), buf.len);
        assert_int_equal(pclose(lint), 0);
        buf_release(&buf);
    }
}

static void a_drill_that_cannot_run_is_an_error_in_junit(void **state)
{
    (void)state;
    struct summary broken = {.drill = "drills/x.yaml",
                             .failure = "drills/x.yaml:3: /cwd: is missing"};
    struct buf buf;
    buf_init(&buf, REPORT_MAX);
    summaries_junit(&broken, 1, &buf);
    assert_non_null(strstr(buf.at, "tests=\"1\" failures=\"0\" errors=\"1\""));
    assert_non_null(strstr(buf.at, "<error message=\"drills/x.yaml:3: /cwd: is missing\""));
    buf_release(&buf);
}

/* Code scanning takes a finding for the same one by its fingerprint: a measure that moves a little
 * must not make a new one. */
static void a_fingerprint_outlives_numbers(void **state)
{
    (void)state;
    static const char *const messages[2] = {
        "Downtime took 1 h 50 min, target < 5 min; 1,200 of v1.2.3",
        "Downtime took 2 min 10 s, target < 5 min; 7 of v1.2.3"};
    struct summary_finding findings[2];
    char *lines[2];
    for (int i = 0; i < 2; i++) {
        findings[i] = summaries[1].findings[0];
        findings[i].message = messages[i];
        findings[i].line = 10 + i;
        struct summary one = summaries[1];
        one.findings = &findings[i];
        one.n_findings = 1;
        struct buf buf;
        buf_init(&buf, REPORT_MAX);
        summaries_sarif(&one, 1, &buf);
        const char *at = strstr(buf.at, "\"rehearse/1\"");
        assert_non_null(at);
        lines[i] = arena_str(&arena, (struct str){at, strcspn(at, "\n")});
        buf_release(&buf);
    }
    assert_string_equal(lines[0], lines[1]);
    assert_non_null(strstr(lines[0], "Downtime took #, target < #; # of v#"));
}

/* The rules of OpenMetrics 1.0 for what is written here: a family's TYPE, UNIT and HELP come once
 * and before its samples, its samples stand together, no series comes twice, a unit ends the name,
 * and # EOF ends the text. */
static void openmetrics_keeps_its_rules(void **state)
{
    (void)state;
    struct buf buf;
    buf_init(&buf, REPORT_MAX);
    summaries_openmetrics(summaries, 3, &buf);
    assert_true(str_ends(buf_text(&buf), "\n# EOF\n"));
    struct str rest = {buf.at, buf.len - strlen("# EOF\n")}, family = {"", 0};
    int n = 0;
    while (rest.len) {
        struct str line = str_cut(&rest, '\n');
        char needle[512];
        if (str_starts(line, "# TYPE ")) {
            struct str words = {line.at + 7, line.len - 7};
            family = str_cut(&words, ' ');
            assert_true(str_is(words, "gauge"));
            snprintf(needle, sizeof needle, "# TYPE %.*s ", STR_ARG(family));
            assert_int_equal(count_of(buf.at, needle), 1);
        } else if (str_starts(line, "# UNIT ")) {
            struct str words = {line.at + 7, line.len - 7};
            assert_true(str_eq(str_cut(&words, ' '), family));
            snprintf(needle, sizeof needle, "_%.*s", STR_ARG(words));
            assert_true(str_ends(family, needle));
        } else if (!str_starts(line, "# HELP ")) {
            struct str name = str_cut(&line, '{');
            assert_true(str_eq(name, family));
            struct str labels = str_cut(&line, '}');
            snprintf(needle, sizeof needle, "\n%.*s{%.*s} ", STR_ARG(name), STR_ARG(labels));
            assert_int_equal(count_of(buf.at, needle), 1);
            char *end, value[64];
            snprintf(value, sizeof value, "%.*s", (int)(line.len - 1), line.at + 1);
            (void)strtod(value, &end);
            assert_true(*value && !*end);
            n++;
        }
    }
    assert_true(n > 30);
    buf_release(&buf);
}

static void a_waived_gate_is_no_failure_in_junit(void **state)
{
    (void)state;
    struct record *record = sample_good();
    record->ledger[0].lost = 2;
    record_waive(record, &(struct waiver){"data_loss", NULL, 0, INT64_MAX, "accepted"});
    struct report report;
    struct summary summary;
    report_init(&report, record);
    summary_of_report(&summary, &arena, &report);
    struct buf buf;
    buf_init(&buf, REPORT_MAX);
    summaries_junit(&summary, 1, &buf);
    assert_int_equal(count_of(buf.at, "<failure "), 0);
    buf_clear(&buf);
    summaries_sarif(&summary, 1, &buf);
    assert_int_equal(count_of(buf.at, "\"justification\": \"accepted\""), 1);
    buf_release(&buf);
    report_release(&report);
    record_free(record);
}

static void xml_holds_any_bytes(void **state)
{
    (void)state;
    struct buf buf;
    buf_init(&buf, 4096);
    xml_put(&buf, "<a href=\"x\">&'\x01\xff\xC2\x85\xEF\xBF\xBF\t\xC3\xA9");
    assert_string_equal(buf.at, "&lt;a "
                                "href=&quot;x&quot;&gt;&amp;&#39;"
                                "\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD\t\xC3\xA9");
    buf_release(&buf);
}

static void csv_fields_are_quoted_and_run_no_formula(void **state)
{
    (void)state;
    struct summary summary = summaries[0];
    summary.drill = "=cmd|'x',\"y\"";
    struct buf buf;
    buf_init(&buf, REPORT_MAX);
    summaries_csv(&summary, 1, &buf);
    assert_non_null(strstr(
        buf.at,
        "\r\n\"'=cmd|'x',\"\"y\"\"\",7,pass,100,time_to_detect_s,s,63.5,<,300,236.5,P,met\r\n"));
    buf_release(&buf);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_summary_says_what_the_report_said),
        cmocka_unit_test(what_is_no_run_is_refused),
        cmocka_unit_test(formats_are_as_kept),
        cmocka_unit_test(sarif_keeps_its_schema),
        cmocka_unit_test(what_is_no_sarif_is_seen),
        cmocka_unit_test(junit_counts_what_it_holds),
        cmocka_unit_test(junit_keeps_the_schemas_in_use),
        cmocka_unit_test(a_drill_that_cannot_run_is_an_error_in_junit),
        cmocka_unit_test(a_fingerprint_outlives_numbers),
        cmocka_unit_test(openmetrics_keeps_its_rules),
        cmocka_unit_test(a_waived_gate_is_no_failure_in_junit),
        cmocka_unit_test(xml_holds_any_bytes),
        cmocka_unit_test(csv_fields_are_quoted_and_run_no_formula),
    };
    return cmocka_run_group_tests(tests, read_samples, release);
}
