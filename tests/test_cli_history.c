/* rehearse history and rehearse trend, as a person or a script calls them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include <cmocka.h>

#include "reports/report.h"
#include "tests/record_samples.h"

static char dir[64], output[16384];

static int make_dir(void **state)
{
    (void)state;
    snprintf(dir, sizeof dir, "/tmp/rehearse-cli-XXXXXX");
    return mkdtemp(dir) ? 0 : -1;
}

static int remove_dir(void **state)
{
    (void)state;
    char command[96];
    snprintf(command, sizeof command, "rm -rf %s", dir);
    return system(command);
}

/* Runs in the temporary folder, with its own state folder; both streams together. */
static int rehearse(const char *arguments)
{
    const char *build = getenv("REHEARSE_BUILD");
    char command[1024];
    snprintf(command, sizeof command, "XDG_STATE_HOME=%s/state \"$(realpath %s)\"/rehearse %s 2>&1",
             dir, build ? build : "build", arguments);
    FILE *pipe = popen(command, "r");
    assert_non_null(pipe);
    size_t n = fread(output, 1, sizeof output - 1, pipe);
    output[n] = '\0';
    return WEXITSTATUS(pclose(pipe));
}

static void rehearse_ok(const char *format, ...) __attribute__((format(printf, 1, 2)));

static void rehearse_ok(const char *format, ...)
{
    char arguments[512];
    va_list args;
    va_start(args, format);
    vsnprintf(arguments, sizeof arguments, format, args);
    va_end(args);
    int status = rehearse(arguments);
    if (status != 0)
        fail_msg("'%s' ended with %d: %s", arguments, status, output);
}

static void write_run(const char *name, struct record *record)
{
    char path[128];
    struct report report;
    struct buf json;
    report_init(&report, record);
    buf_init(&json, REPORT_MAX);
    report_json(&report, &json);
    snprintf(path, sizeof path, "%s/%s", dir, name);
    assert_int_equal(report_write_file(path, buf_text(&json), NULL), 0);
    buf_release(&json);
    report_release(&report);
    record_free(record);
}

static void runs_are_added_listed_and_trended(void **state)
{
    (void)state;
    write_run("good.json", sample_good());
    write_run("bad.json", sample_bad());
    rehearse_ok("history add %s/good.json --at 2025-11-03", dir);
    rehearse_ok("history add %s/good.json %s/bad.json --at 2026-02-03T10:20:00Z", dir, dir);
    rehearse_ok("history");
    assert_string_equal(
        output,
        "Date              Drill                                  Verdict  Score  Kind\n"
        "2026-02-03 10:20  shop/restore                           fail      23.3  simulated\n"
        "2026-02-03 10:20  shop/undo                              pass       100  simulated\n"
        "2025-11-03 00:00  shop/undo                              pass       100  simulated\n");
    rehearse_ok("history list shop/undo --limit 1");
    assert_string_equal(
        strchr(output, '\n'),
        "\n2026-02-03 10:20  shop/undo                              pass       100  simulated\n");
    rehearse_ok("trend --now 2026-02-05 --plot %s/plots/trend.svg", dir);
    assert_non_null(strstr(output, "all drills: 3 runs, last pass 1 day ago"));
    assert_null(strstr(output, "Worse than")); /* another drill failed */
    rehearse_ok("trend shop/undo --now 2026-02-05 --format json");
    assert_non_null(strstr(output, "\"runs\": 2,"));
    char path[128];
    struct buf svg;
    buf_init(&svg, 1 << 20);
    snprintf(path, sizeof path, "%s/plots/trend.svg", dir);
    assert_int_equal(buf_read_file(&svg, path), 0);
    buf_release(&svg);
}

/* What was tried with --playbook is seen, and stands in no line of the drill's own document. */
static void a_try_with_another_document_is_seen(void **state)
{
    (void)state;
    struct record *tried = sample_bad(), *own = sample_good();
    tried->identity.drill = "shop/undo";
    tried->identity.playbook = "first.md";
    for (int i = 0; i < tried->n_provenance; i++)
        tried->provenance[i].value = "another content";
    tried->identity.replay = "rehearse run drills/undo.yaml --playbook first.md --seed 1";
    write_run("good.json", own);
    write_run("tried.json", tried);
    rehearse_ok("history add %s/good.json --at 2025-11-03", dir);
    rehearse_ok("history add %s/tried.json --at 2026-02-03", dir);
    rehearse_ok("history");
    assert_non_null(strstr(output, "simulated\n                  with first.md, 'Database goes "
                                   "wrong'\n2025-11-03"));
    rehearse_ok("trend shop/undo --now 2026-02-05");
    assert_non_null(strstr(output, "shop/undo: 1 run, last pass 94 days ago"));
    assert_non_null(strstr(output, "    first.md, 'Database goes wrong'\n      simulated, 1 run, 0 "
                                   "passed, the last 2 days ago"));
    assert_null(strstr(output, "Worse than"));
    rehearse_ok("trend --now 2026-02-05");
    assert_non_null(strstr(output, "all drills: 1 run"));
    assert_non_null(strstr(output, "Not counted: 1 run of other documents"));
    rehearse_ok("trend shop/undo --playbook first.md --now 2026-02-05");
    assert_non_null(strstr(output, "shop/undo: 1 run, never passed\nfirst.md,"));
}

static void a_held_drill_counts(void **state)
{
    (void)state;
    char path[128];
    snprintf(path, sizeof path, "%s/held.yaml", dir);
    assert_int_equal(
        report_write_file(
            path,
            STR("format: rehearse.held/1\ndrill: shop/undo\nstart: 2026-01-10T09:00:00Z\n"
                "people: [a facilitator, two engineers]\n"
                "instants: {change: 1m, impact: 2m, detect: 4m, decide: 8m, restore: 20m, "
                "claim: 21m, stable: 26m}\nrecords_lost: 0\nend_state: good\n"),
            NULL),
        0);
    rehearse_ok("history add %s/held.yaml", dir);
    assert_non_null(strstr(output, "PASS   score 100"));
    rehearse_ok("history list");
    assert_non_null(strstr(output, "2026-01-10 09:00  shop/undo"));
    assert_non_null(strstr(output, "a facilitator, two engineers"));
    /* put right and added again: it stands for itself, not beside what was wrong */
    rehearse_ok("history add %s/held.yaml", dir);
    rehearse_ok("history list --limit 0");
    const char *first = strstr(output, "2026-01-10 09:00  shop/undo");
    assert_non_null(first);
    assert_null(strstr(first + 1, "2026-01-10 09:00  shop/undo"));
    /* one bad file among good ones: nothing is kept of any */
    char arguments[256];
    write_run("good.json", sample_good());
    snprintf(arguments, sizeof arguments,
             "history add --at 2020-01-01 %s/good.json %s/nowhere.yaml", dir, dir);
    assert_int_equal(rehearse(arguments), 2);
    rehearse_ok("history list --limit 0");
    assert_null(strstr(output, "2020-01-01"));
}

static void an_export_is_imported_once(void **state)
{
    (void)state;
    write_run("good.json", sample_good());
    rehearse_ok("history add %s/good.json --at 2025-11-03", dir);
    rehearse_ok("history export %s/all.jsonl", dir);
    rehearse_ok("history import %s/all.jsonl --history %s/other.db", dir, dir);
    assert_string_equal(output, "1 added\n");
    rehearse_ok("history import %s/all.jsonl --history %s/other.db", dir, dir);
    assert_string_equal(output, "0 added\n");
}

static void mistakes_are_named(void **state)
{
    (void)state;
    static const struct {
        const char *arguments, *complaint;
    } cases[] = {
        {"history", "no history there yet: 'rehearse run'"},
        {"history frob", "'frob' is not known: list, add, export or import"},
        {"history add", "which file?"},
        {"history add /nonexistent.json", "/nonexistent.json: cannot read"},
        {"history add Makefile", "Makefile:"},
        {"history list --limit few", "--limit 'few'"},
        {"trend --now soon --history x", "--now 'soon' is no date"},
        {"trend a b", "one drill at a time"},
        {"trend --kind real", "--kind 'real' is not known: simulated or held"},
        {"trend --format xml", "text or json"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        assert_int_equal(rehearse(cases[i].arguments), 2);
        if (!strstr(output, cases[i].complaint))
            fail_msg("'%s' says nothing of '%s'", output, cases[i].complaint);
    }
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, make_dir, remove_dir)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(runs_are_added_listed_and_trended),
        TEST(a_try_with_another_document_is_seen),
        TEST(a_held_drill_counts),
        TEST(an_export_is_imported_once),
        TEST(mistakes_are_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
