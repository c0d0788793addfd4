/* What many runs say together, and its picture. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include <cmocka.h>

#include "reports/campaign.h"
#include "tests/golden.h"
#include "tests/record_samples.h"
#include "tests/trial.h"
#include "tests/workspace.h"

enum { RUNS = 200 };
static struct campaign_run runs[RUNS];
static struct campaign campaign = {"shop/undo", "The undo", "rehearse run drills/undo.yaml --seed",
                                   runs, RUNS};
static struct arena arena;

/* Rollbacks of 6 to 20 minutes with a long tail; the last ten never come back. */
static int fill(void **state)
{
    (void)state;
    struct record *record = sample_good();
    struct report report;
    report_init(&report, record);
    for (int i = 0; i < RUNS; i++) {
        int k = i * 7919 % RUNS;
        campaign_run_of(&runs[i], &report);
        runs[i].seed = (uint64_t)i + 1;
        runs[i].measures[MEASURE_ROLLBACK] =
            360 + 1.1 * k + (k > 150 ? (k - 150) * (k - 150) * 0.25 : 0);
        if (k >= RUNS - 10) {
            runs[i].measures[MEASURE_ROLLBACK] = NAN;
            runs[i].outcome = OUTCOME_FAIL;
            runs[i].gates[GATE_END_STATE] = OUTCOME_FAIL;
            runs[i].score = 40 + k - RUNS;
        }
        runs[i].met[MEASURE_ROLLBACK] =
            runs[i].measures[MEASURE_ROLLBACK] < 900 ? OUTCOME_PASS : OUTCOME_FAIL;
    }
    report_release(&report);
    record_free(record);
    return 0;
}

static int release(void **state)
{
    (void)state;
    arena_release(&arena);
    return 0;
}

static void a_run_is_kept_as_it_was_judged(void **state)
{
    (void)state;
    struct record *record = sample_bad();
    struct report report;
    struct campaign_run run;
    report_init(&report, record);
    campaign_run_of(&run, &report);
    assert_int_equal(run.seed, 7);
    assert_int_equal(run.outcome, OUTCOME_FAIL);
    assert_true(isnan(run.measures[MEASURE_ROLLBACK]));
    assert_int_equal(run.met[MEASURE_ROLLBACK], OUTCOME_FAIL);
    assert_true(fabs(run.limits[MEASURE_ROLLBACK] - 900) < 1e-9);
    assert_int_equal(run.gates[GATE_FALSE_SUCCESS], OUTCOME_FAIL);
    report_release(&report);
    record_free(record);
}

static void what_never_ended_stays_in_the_denominator(void **state)
{
    (void)state;
    struct distribution all = campaign_distribution(&campaign, MEASURE_ROLLBACK, &arena);
    assert_int_equal(all.n, RUNS - 10);
    assert_int_equal(all.never, 10);
    assert_int_equal(all.judged, RUNS);
    assert_true(all.met < RUNS - 10);
    assert_true(all.met_low < (double)all.met / RUNS && (double)all.met / RUNS < all.met_high);
    assert_true(all.mean_low < all.mean && all.mean < all.mean_high);
    for (int i = 1; i < all.n; i++)
        assert_true(all.values[i - 1] <= all.values[i]);
}

static void quantiles_are_by_nearest_rank(void **state)
{
    (void)state;
    double values[] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10};
    struct distribution ten = {.values = values, .n = 10};
    static const struct {
        double share, value;
    } cases[] = {{0, 1}, {0.1, 1}, {0.11, 2}, {0.5, 5}, {0.95, 10}, {0.9, 9}, {1, 10}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_true(fabs(distribution_rank(&ten, cases[i].share) - cases[i].value) < 1e-9);
    ten.never = 10;
    assert_true(fabs(distribution_rank(&ten, 0.5) - 10) < 1e-9);
    assert_true(isnan(distribution_rank(&ten, 0.51)));
    struct distribution none = {0};
    assert_true(isnan(distribution_rank(&none, 0.5)));
}

static void formats_are_as_kept(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        void (*write)(const struct campaign *, struct buf *);
    } formats[] = {{"campaign.txt", campaign_text},
                   {"campaign.json", campaign_json},
                   {"campaign.csv", campaign_csv}};
    struct buf buf;
    buf_init(&buf, 1 << 22);
    for (size_t i = 0; i < 3; i++) {
        buf_clear(&buf);
        formats[i].write(&campaign, &buf);
        golden_check(formats[i].name, buf_text(&buf));
    }
    buf_clear(&buf);
    assert_int_equal(plot_distribution(&campaign, MEASURE_ROLLBACK, 900, &buf), 0);
    golden_check("distribution.svg", buf_text(&buf));
    buf_release(&buf);
}

static void pictures_are_clean_whatever_the_values(void **state)
{
    (void)state;
    static const struct {
        int n;
        double first, step, limit;
    } cases[] = {{1, 60, 0, 900},       {1, 0, 0, 300},      {2, 5, 100000, 900},
                 {50, 300, 0, NAN},     {200, 1, 1, 50},     {200, 1, 0.001, 900},
                 {100, 899, 0.02, 900}, {150, 3600, 60, 300}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct campaign some = campaign;
        some.n = cases[i].n;
        struct campaign_run kept[RUNS];
        memcpy(kept, runs, sizeof kept);
        for (int k = 0; k < some.n; k++) {
            runs[k].measures[MEASURE_DOWNTIME] = cases[i].first + k * cases[i].step;
            runs[k].limits[MEASURE_DOWNTIME] = cases[i].limit;
        }
        for (double width = 420; width <= 900; width += 160) {
            struct buf svg;
            buf_init(&svg, 1 << 22);
            int problems = plot_distribution(&some, MEASURE_DOWNTIME, width, &svg);
            if (problems)
                fail_msg("case %zu at %.0f: %d problems", i, width, problems);
            buf_release(&svg);
        }
        memcpy(runs, kept, sizeof kept);
    }
    struct campaign none = campaign;
    none.n = 0;
    struct buf svg;
    buf_init(&svg, 1 << 22);
    assert_int_equal(plot_distribution(&none, MEASURE_ROLLBACK, 900, &svg), -1);
    campaign_text(&none, &svg);
    buf_release(&svg);
}

static int rehearse(const char *arguments, char *output, size_t size)
{
    const char *build = getenv("REHEARSE_BUILD");
    char command[1024];
    snprintf(command, sizeof command, "%s/rehearse %s 2>&1", build ? build : "build", arguments);
    FILE *pipe = popen(command, "r");
    assert_non_null(pipe);
    size_t n = 0;
    char line[4096];
    while (fgets(line, sizeof line, pipe)) { /* what a sanitizer says about itself is not ours */
        size_t length = strlen(line);
        if (strncmp(line, "==", 2) == 0 || n + length >= size)
            continue;
        memcpy(output + n, line, length);
        n += length;
    }
    output[n] = '\0';
    return WEXITSTATUS(pclose(pipe));
}

static void the_number_of_jobs_changes_nothing(void **state)
{
    (void)state;
    if (!trial_possible())
        skip();
    struct workspace workspace;
    char output[2][65536], arguments[512];
    workspace_init(&workspace, "tests/data/check");
    for (int i = 0; i < 2; i++) {
        snprintf(arguments, sizeof arguments,
                 "campaign %s/lies.yaml --runs 3 -j %d --format json --out %s/out", workspace.path,
                 i ? 3 : 1, workspace.path);
        int status = rehearse(arguments, output[i], sizeof output[i]);
        if (status != 1)
            fail_msg("exit %d: %s", status, output[i]);
    }
    assert_string_equal(output[0], output[1]);
    assert_non_null(strstr(output[0], "\"failed\": 3,"));
    workspace_release(&workspace);
}

static void mistakes_are_named(void **state)
{
    (void)state;
    static const struct {
        const char *arguments, *complaint;
    } cases[] = {{"campaign", "which drill?"},
                 {"campaign x --runs 0", "--runs '0'"},
                 {"campaign x -j 0", "-j '0'"},
                 {"campaign x --seed -1", "--seed '-1'"},
                 {"campaign /nonexistent.yaml", "/nonexistent.yaml"},
                 {"campaign a b", "one drill at a time"}};
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
        cmocka_unit_test(a_run_is_kept_as_it_was_judged),
        cmocka_unit_test(what_never_ended_stays_in_the_denominator),
        cmocka_unit_test(quantiles_are_by_nearest_rank),
        cmocka_unit_test(formats_are_as_kept),
        cmocka_unit_test(pictures_are_clean_whatever_the_values),
        cmocka_unit_test(the_number_of_jobs_changes_nothing),
        cmocka_unit_test(mistakes_are_named),
    };
    return cmocka_run_group_tests(tests, fill, release);
}
