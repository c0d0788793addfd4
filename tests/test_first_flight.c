/* A real playbook from end to end: the database scenario of the honeypot system, its mutations, and
 * exactness.
 *
 * Expectations come from how the real tools behave (the drill's `because` names the sources), not
 * from our output. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "procedures/drill/run.h"
#include "reports/report.h"
#include "reports/score.h"
#include "tests/trial.h"
#include "tests/workspace.h"

#define SECTION "Scenario 2: Database Migration Issues"

struct flight {
    struct workspace workspace;
    struct drill *drill;
    struct record *record;
    struct verdict verdict;
};

static void set_up(struct flight *flight)
{
    *flight = (struct flight){0};
    workspace_init(&flight->workspace, "procedures/hp_ti");
}

static void tear_down(struct flight *flight)
{
    record_free(flight->record);
    drill_free(flight->drill);
    workspace_release(&flight->workspace);
}

static void fly_drill(struct flight *flight, const char *drill, const struct drill_options *options,
                      uint64_t seed)
{
    struct error error = {""};
    record_free(flight->record);
    drill_free(flight->drill);
    flight->record = NULL;
    flight->drill = NULL;
    if (drill_load(workspace_path(&flight->workspace, drill), options, &flight->drill, &error) < 0)
        fail_msg("%s", error.text);
    struct run_options run = {.seed = seed};
    if (drill_run(flight->drill, &run, &flight->record, &error) < 0)
        fail_msg("%s", error.text);
    verdict_compute(&flight->verdict, flight->record, &flight->workspace.arena);
}

static void fly(struct flight *flight)
{
    fly_drill(flight, "drills/database-migration.yaml", NULL, 1);
}

static const struct step *step_at(const struct flight *flight, const char *start)
{
    for (int i = 0; i < flight->record->n_steps; i++) {
        if (strncmp(flight->record->steps[i].command, start, strlen(start)) == 0)
            return &flight->record->steps[i];
    }
    fail_msg("no step '%s'", start);
    return NULL;
}

static const struct ledger_row *ledger_of(const struct flight *flight, const char *store)
{
    for (int i = 0; i < flight->record->n_ledger; i++) {
        if (strcmp(flight->record->ledger[i].store, store) == 0)
            return &flight->record->ledger[i];
    }
    fail_msg("no ledger of '%s'", store);
    return NULL;
}

static void the_restore_loses_what_came_after_the_backup(void **state)
{
    (void)state;
    if (!trial_possible())
        skip();
    struct flight flight;
    set_up(&flight);
    fly(&flight);
    assert_int_equal(flight.verdict.outcome, OUTCOME_FAIL);
    assert_int_equal(flight.verdict.gates[GATE_RECORDS_LOST].outcome, OUTCOME_FAIL);
    assert_int_equal(flight.verdict.gates[GATE_END_STATE].outcome, OUTCOME_FAIL);
    assert_int_equal(flight.verdict.gates[GATE_RECORDS_DUPLICATED].outcome, OUTCOME_PASS);
    assert_int_equal(flight.verdict.gates[GATE_ESCAPED_COMMAND].outcome, OUTCOME_PASS);
    const struct ledger_row *postgres = ledger_of(&flight, "postgres");
    assert_true(postgres->lost > 0);
    assert_int_equal(postgres->acknowledged, postgres->kept + postgres->lost);
    /* the blame: the restore, and nothing acknowledged before 14:30 (five minutes into the run) */
    assert_true(postgres->n_blame >= 1);
    const struct step *restore = step_at(&flight, "./deployment/scripts/restore.sh");
    int64_t blamed = 0;
    for (int i = 0; i < postgres->n_blame; i++) {
        assert_int_equal(postgres->blame[i].step, restore->n);
        assert_true(postgres->blame[i].oldest_ns >= 5 * MINUTE);
        blamed += postgres->blame[i].records;
    }
    assert_int_equal(blamed, postgres->lost);
    assert_int_equal(restore->exit_status, 0);
    tear_down(&flight);
}

static void what_ran_is_told(void **state)
{
    (void)state;
    if (!trial_possible() || access("/var/lib/dpkg/status", R_OK))
        skip();
    struct flight flight;
    set_up(&flight);
    fly(&flight);
    const char *programs = NULL;
    for (int i = 0; i < flight.record->n_provenance; i++)
        if (strcmp(flight.record->provenance[i].what, "programs") == 0)
            programs = flight.record->provenance[i].value;
    assert_non_null(programs);
    assert_non_null(strstr(programs, "bash 5."));
    assert_non_null(strstr(programs, ", coreutils "));
    tear_down(&flight);
}

static void the_old_image_does_not_come_back(void **state)
{
    (void)state;
    if (!trial_possible())
        skip();
    struct flight flight;
    set_up(&flight);
    fly(&flight);
    bool seen = false;
    for (int i = 0; i < flight.record->n_end_states; i++) {
        const struct end_state *end = &flight.record->end_states[i];
        if (strcmp(end->subject, "honeypot") == 0 && strcmp(end->property, "version") == 0) {
            seen = true;
            assert_string_equal(end->value, "v1.2.3");
            assert_string_equal(end->wanted, "v1.2.2");
        }
    }
    assert_true(seen);
    /* git did check out the tag, and the health check at the end said what is true */
    assert_int_equal(step_at(&flight, "git checkout")->exit_status, 0);
    assert_int_equal(step_at(&flight, "./deployment/scripts/health_check.sh")->exit_status, 1);
    tear_down(&flight);
}

static void the_hardened_edition_passes(void **state)
{
    (void)state;
    if (!trial_possible())
        skip();
    struct flight flight;
    set_up(&flight);
    fly_drill(&flight, "drills/database-migration-hardened.yaml", NULL, 1);
    assert_int_equal(flight.verdict.outcome, OUTCOME_PASS);
    assert_int_equal(ledger_of(&flight, "postgres")->lost, 0);
    assert_true(ledger_of(&flight, "postgres")->acknowledged > 1000);
    tear_down(&flight);
}

static void without_its_drop_the_restore_changes_nothing(void **state)
{
    (void)state;
    if (!trial_possible())
        skip();
    struct flight flight;
    set_up(&flight);
    /* CREATE DATABASE then meets the old one: ERROR: database "hp_ti_db" already exists, and set -e
     * ends it */
    workspace_replace(&flight.workspace, "repo/v1.2.2/deployment/scripts/restore.sh",
                      "    psql_admin \"DROP DATABASE IF EXISTS hp_ti_db\"\n", "");
    fly(&flight);
    const struct step *restore = step_at(&flight, "./deployment/scripts/restore.sh");
    assert_int_not_equal(restore->exit_status, 0);
    assert_non_null(strstr(restore->err.at, "already exists"));
    assert_int_equal(ledger_of(&flight, "postgres")->lost, 0);
    assert_int_equal(flight.verdict.gates[GATE_RECORDS_LOST].outcome, OUTCOME_PASS);
    assert_int_equal(flight.verdict.outcome,
                     OUTCOME_FAIL); /* still on the wrong schema and release */
    tear_down(&flight);
}

static void a_backup_that_moved_is_not_found(void **state)
{
    (void)state;
    if (!trial_possible())
        skip();
    struct flight flight;
    set_up(&flight);
    workspace_replace(&flight.workspace, "system.yaml", "to: /var/backups/hp_ti/database",
                      "to: /srv/backups/database");
    fly(&flight);
    const struct step *restore = step_at(&flight, "./deployment/scripts/restore.sh");
    assert_int_equal(restore->exit_status, 1);
    assert_non_null(strstr(restore->out.at, "no database backup"));
    assert_int_equal(ledger_of(&flight, "postgres")->lost, 0);
    assert_int_equal(flight.verdict.outcome, OUTCOME_FAIL);
    tear_down(&flight);
}

static void a_migration_that_works_leaves_nothing_to_roll_back(void **state)
{
    (void)state;
    if (!trial_possible())
        skip();
    struct flight flight;
    set_up(&flight);
    workspace_replace(&flight.workspace, "system.yaml", "errors: 35%", "errors: 0.1%");
    fly(&flight);
    /* the deployment itself restarts both services: a dip of seconds, which nobody decides on */
    assert_true(flight.record->downtime_ns < 30 * SECOND);
    assert_true(flight.record->instants[T_DETECT] == NEVER);
    assert_true(flight.record->instants[T_DECIDE] == NEVER);
    assert_int_equal(flight.record->n_steps, 0);
    assert_int_equal(ledger_of(&flight, "postgres")->lost, 0);
    tear_down(&flight);
}

static void same_seed_same_bytes(void **state)
{
    (void)state;
    if (!trial_possible())
        skip();
    struct flight flight;
    set_up(&flight);
    struct buf runs[3];
    static const uint64_t seeds[3] = {7, 7, 8};
    for (int i = 0; i < 3; i++) {
        buf_init(&runs[i], 64 << 20);
        fly_drill(&flight, "drills/database-migration.yaml", NULL, seeds[i]);
        struct report report;
        report_init(&report, flight.record);
        report_json(&report, &runs[i]);
        report_release(&report);
    }
    assert_int_equal(runs[0].len, runs[1].len);
    assert_memory_equal(runs[0].at, runs[1].at, runs[0].len);
    assert_true(runs[0].len != runs[2].len || memcmp(runs[0].at, runs[2].at, runs[0].len) != 0);
    for (int i = 0; i < 3; i++)
        buf_release(&runs[i]);
    tear_down(&flight);
}

/* The owner's document as it stands: same verdict, lines of that document. */
static void the_owners_document(void **state)
{
    (void)state;
    struct flight flight;
    set_up(&flight);
    const char *playbook = owners_playbook(&flight.workspace.arena, "hp_ti.md");
    if (!playbook || !trial_possible()) {
        workspace_release(&flight.workspace);
        print_message("no owners' documents beside the repository\n");
        skip();
    }
    struct drill_options options = {.playbook = playbook, .section = SECTION};
    fly_drill(&flight, "drills/database-migration.yaml", &options, 1);
    assert_int_equal(flight.verdict.outcome, OUTCOME_FAIL);
    const struct step *restore = step_at(&flight, "./deployment/scripts/restore.sh");
    assert_int_equal(restore->line, 170);
    assert_string_equal(restore->file, playbook);
    assert_int_equal(step_at(&flight, "ls -lh")->line, 159);
    assert_int_equal(step_at(&flight, "git checkout")->line, 178);
    tear_down(&flight);
}

static void wrong_input_is_one_clear_line(void **state)
{
    (void)state;
    struct flight flight;
    set_up(&flight);
    struct workspace *workspace = &flight.workspace;
    struct error error = {""};
    struct drill *drill = NULL;
    const char *path = workspace_path(workspace, "drills/database-migration.yaml");
    assert_int_equal(drill_load("no/such.yaml", NULL, &drill, &error), ERROR_INPUT);
    assert_non_null(strstr(error.text, "no/such.yaml"));
    struct drill_options section = {.section = "Scenario 2: Database Migration Isues"};
    assert_int_equal(drill_load(path, &section, &drill, &error), ERROR_INPUT);
    assert_non_null(strstr(error.text, "Scenario 2: Database Migration Issues"));
    workspace_replace(workspace, "drills/database-migration.yaml", "cwd: /opt/hp_ti",
                      "cdw: /opt/hp_ti");
    assert_int_equal(drill_load(path, NULL, &drill, &error), ERROR_INPUT);
    assert_non_null(strstr(error.text, "database-migration.yaml:6"));
    assert_non_null(strstr(error.text, "cwd"));
    assert_null(drill);
    workspace_release(workspace);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_restore_loses_what_came_after_the_backup),
        cmocka_unit_test(what_ran_is_told),
        cmocka_unit_test(the_old_image_does_not_come_back),
        cmocka_unit_test(the_hardened_edition_passes),
        cmocka_unit_test(without_its_drop_the_restore_changes_nothing),
        cmocka_unit_test(a_backup_that_moved_is_not_found),
        cmocka_unit_test(a_migration_that_works_leaves_nothing_to_roll_back),
        cmocka_unit_test(same_seed_same_bytes),
        cmocka_unit_test(the_owners_document),
        cmocka_unit_test(wrong_input_is_one_clear_line),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
