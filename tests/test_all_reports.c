/* Every drill of the repository is run, and what its report says is held to what the words mean:
 * an error is what a gate or a target fell by, and what fell has an error; every finding has a
 * place that is there. */
#include <dirent.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <cmocka.h>

#include "reports/explain.h"
#include "reports/summary.h"
#include "tests/sarif_check.h"
#include "tests/trial.h"

static char dir[64];
static struct arena arena;
static struct summary *runs;
static int n_runs, cap_runs;

static char *read_text(const char *path)
{
    struct buf text;
    buf_init(&text, REPORT_MAX);
    assert_int_equal(buf_read_file(&text, path), 0);
    char *copy = arena_str(&arena, buf_text(&text));
    buf_release(&text);
    return copy;
}

/* Reads every run.json below a folder. */
static void collect(const char *folder)
{
    DIR *at = opendir(folder);
    assert_non_null(at);
    for (struct dirent *entry; (entry = readdir(at));) {
        const char *path = arena_printf(&arena, "%s/%s", folder, entry->d_name);
        struct stat status;
        if (entry->d_name[0] == '.' || stat(path, &status) != 0)
            continue;
        if (S_ISDIR(status.st_mode))
            collect(path);
        if (strcmp(entry->d_name, "run.json") != 0)
            continue;
        struct error error = {""};
        if (n_runs == cap_runs) {
            struct summary *old = runs;
            cap_runs = cap_runs ? 2 * cap_runs : 64;
            runs = ARENA_ARRAY(&arena, struct summary, cap_runs);
            if (n_runs)
                memcpy(runs, old, (size_t)n_runs * sizeof *runs);
        }
        if (summary_read_file(&runs[n_runs++], &arena, path, &error) != 0)
            fail_msg("%s", error.text);
    }
    closedir(at);
}

static int set_up(void **state)
{
    (void)state;
    const char *build = getenv("REHEARSE_BUILD");
    snprintf(dir, sizeof dir, "/tmp/rehearse-all-XXXXXX");
    if (!mkdtemp(dir))
        return -1;
    if (!trial_possible())
        return 0;
    int status = system(arena_printf(
        &arena,
        "%s/rehearse check procedures --history none --out %s/out --sarif %s/all.sarif >/dev/null "
        "2>&1",
        build ? build : "build", dir, dir));
    assert_true(WEXITSTATUS(status) <= 1); /* what is not as expected is for others to say */
    collect(arena_printf(&arena, "%s/out", dir));
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    int status = system(arena_printf(&arena, "rm -rf %s", dir));
    arena_release(&arena);
    return status;
}

/* ---- what fell ---- */

static bool target_missed(const struct summary *run, int measure)
{
    for (int i = 0; i < run->n_targets; i++)
        if ((int)run->targets[i].measure == measure && run->targets[i].outcome == OUTCOME_FAIL)
            return true;
    return false;
}

static bool can_fell(const struct finding_kind *kind, const struct summary *run)
{
    for (int i = 0; i < GATES; i++)
        if ((kind->gates >> i & 1) && run->gates[i] == OUTCOME_FAIL)
            return true;
    for (int i = 0; i < MEASURES; i++) {
        bool its = (kind->measures >> i & 1) || strcmp(kind->id, "target_missed") == 0;
        if (its && target_missed(run, i))
            return true;
    }
    return false;
}

static void an_error_is_what_something_fell_by(void **state)
{
    (void)state;
    if (!trial_possible())
        skip();
    int errors = 0;
    assert_true(n_runs > 60);
    for (int i = 0; i < n_runs; i++) {
        const struct summary *run = &runs[i];
        for (int k = 0; k < run->n_findings; k++) {
            const struct summary_finding *finding = &run->findings[k];
            const struct finding_kind *kind = finding_kind(finding->id);
            if (!kind)
                fail_msg("%s: no kind %s", run->drill, finding->id);
            if (finding->severity == SEVERITY_NOTE && kind->severity == SEVERITY_ERROR)
                fail_msg("%s: %s is a note", run->drill, finding->id);
            if (finding->severity != SEVERITY_ERROR)
                continue;
            errors++;
            if (run->outcome == OUTCOME_PASS && !finding->waived)
                fail_msg("%s passed, with an error %s", run->drill, finding->id);
            /* a step that changed nothing is one where it names what is wrong at the end */
            bool named = strcmp(finding->id, "no_op") == 0 && strstr(finding->evidence, "wanted") &&
                         run->gates[GATE_END_STATE] == OUTCOME_FAIL;
            if (!can_fell(kind, run) && !named)
                fail_msg("%s: nothing fell by the error %s: %s", run->drill, finding->id,
                         finding->message);
        }
    }
    assert_true(errors > 100);
}

/* Whether an error says so: of its kind, or for a target by name. */
static bool is_told(const struct summary *run, int gate, int measure)
{
    for (int i = 0; i < run->n_findings; i++) {
        const struct summary_finding *finding = &run->findings[i];
        const struct finding_kind *kind = finding_kind(finding->id);
        if (finding->severity != SEVERITY_ERROR)
            continue;
        if (gate >= 0 && (kind->gates >> gate & 1))
            return true;
        if (measure >= 0 && (kind->measures >> measure & 1))
            return true;
        if (measure >= 0 && strcmp(finding->id, "target_missed") == 0 &&
            (strncmp(finding->message, measure_title((enum measure)measure),
                     strlen(measure_title((enum measure)measure))) == 0 ||
             measure == MEASURE_CLAIM_ERROR))
            return true;
    }
    return false;
}

static void what_fell_has_an_error(void **state)
{
    (void)state;
    if (!trial_possible())
        skip();
    for (int i = 0; i < n_runs; i++) {
        const struct summary *run = &runs[i];
        for (int gate = 0; gate < GATES; gate++)
            if (run->gates[gate] == OUTCOME_FAIL && !is_told(run, gate, -1))
                fail_msg("%s: no error says why gate %s fell", run->drill, gate_names[gate]);
        for (int measure = 0; measure < MEASURES; measure++)
            if (target_missed(run, measure) && !is_told(run, -1, measure))
                fail_msg("%s: no error says why target %s was missed", run->drill,
                         measure_names[measure]);
    }
}

/* ---- what a finding is made of ---- */

static int lines_of(const char *path)
{
    int n = 0;
    for (const char *at = read_text(path); *at; at++)
        n += *at == '\n' || !at[1];
    return n;
}

static void a_finding_has_a_place_and_a_proof(void **state)
{
    (void)state;
    if (!trial_possible())
        skip();
    for (int i = 0; i < n_runs; i++) {
        const struct summary *run = &runs[i];
        for (int k = 0; k < run->n_findings; k++) {
            const struct summary_finding *finding = &run->findings[k];
            const char *what = arena_printf(&arena, "%s, %s", run->drill, finding->id);
            struct stat status;
            if (stat(finding->file, &status) != 0)
                fail_msg("%s: there is no file '%s'", what, finding->file);
            if (finding->line < 0 || finding->line > lines_of(finding->file))
                fail_msg("%s: %s has no line %d", what, finding->file, finding->line);
            if (finding->step < 0 || finding->step > run->n_steps)
                fail_msg("%s: there is no step %d", what, finding->step);
            if (finding->severity == SEVERITY_ERROR && !*finding->evidence && finding->step)
                fail_msg("%s: an error without evidence: %s", what, finding->message);
            if (!*finding->message || strchr(finding->message, '\n'))
                fail_msg("%s: a message is one line: '%s'", what, finding->message);
            if (strcmp(finding->replay, run->replay) != 0)
                fail_msg("%s: its replay is another run's", what);
        }
    }
}

static void code_scanning_takes_them_all(void **state)
{
    (void)state;
    if (!trial_possible())
        skip();
    const char *complaint = sarif_check(read_text(arena_printf(&arena, "%s/all.sarif", dir)));
    if (complaint)
        fail_msg("%s", complaint);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_error_is_what_something_fell_by),
        cmocka_unit_test(what_fell_has_an_error),
        cmocka_unit_test(a_finding_has_a_place_and_a_proof),
        cmocka_unit_test(code_scanning_takes_them_all),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
