/* HP_TI: every drill against its expectation, mutations that must show, the decision criteria row by row, and the
 * owner's document.
 *
 * Expectations stand in the drills, with the source that each follows from; here is only what a drill cannot say. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "sim/base/doc.h"
#include "tests/drill_expect.h"
#include "tests/workspace.h"

static void every_drill_has_its_verdict(void **state)
{
    (void)state;
    struct arena arena = {0};
    struct buf complaints;
    buf_init(&complaints, 1 << 20);
    char **paths = drill_paths(&arena, "procedures/hp_ti/drills");
    int n = 0;
    for (; paths[n]; n++) {
        struct flown flown;
        flown_init(&flown, paths[n], NULL);
        flown_compare(&flown, &complaints);
        flown_release(&flown);
    }
    assert_true(n >= 20);
    if (complaints.len)
        fail_msg("\n%s", complaints.at);
    buf_release(&complaints);
    arena_release(&arena);
}

/* ---- what a hardened edition may change ---- */

static bool same(const struct doc *a, const struct doc *b)
{
    if (!a || !b)
        return a == b;
    if (a->kind != b->kind || a->n != b->n || (a->key == NULL) != (b->key == NULL) ||
        (a->key && strcmp(a->key, b->key) != 0) || (a->kind == DOC_SCALAR && strcmp(a->text, b->text) != 0))
        return false;
    const struct doc *x = a->first, *y = b->first;
    for (; x && y; x = x->next, y = y->next) {
        if (!same(x, y))
            return false;
    }
    return true;
}

static const struct doc *read_drill(struct arena *arena, const char *path)
{
    struct doc *doc = NULL;
    struct error error = {""};
    if (doc_read_file(arena, path, &doc, &error) < 0)
        fail_msg("%s", error.text);
    return doc;
}

/* Procedure, triggers and operator; never the world, what goes wrong, the targets or what is good. */
static void a_hardened_edition_has_the_same_world(void **state)
{
    static const char *const same_keys[] = {"system", "start",   "cwd",        "change", "faults",
                                            "suppose", "targets", "good_state", "horizon", "stable_for"};
    (void)state;
    struct arena arena = {0};
    char **paths = drill_paths(&arena, "procedures/hp_ti/drills");
    int n_hardened = 0;
    for (int i = 0; paths[i]; i++) {
        const char *at = strstr(paths[i], "-hardened.yaml");
        if (!at)
            continue;
        const struct doc *hardened = read_drill(&arena, paths[i]);
        const struct doc *first =
            read_drill(&arena, arena_printf(&arena, "%.*s.yaml", (int)(at - paths[i]), paths[i]));
        for (size_t k = 0; k < sizeof same_keys / sizeof *same_keys; k++) {
            if (!same(doc_get(first, same_keys[k]), doc_get(hardened, same_keys[k])))
                fail_msg("%s: '%s' is not that of the first edition", paths[i], same_keys[k]);
        }
        assert_string_equal(doc_get(doc_get(hardened, "expect"), "verdict")->text, "pass");
        assert_string_equal(doc_get(doc_get(hardened, "procedure"), "playbook")->text, "../hardened.md");
        n_hardened++;
    }
    assert_true(n_hardened >= 18);
    arena_release(&arena);
}

/* Two have none: no wording brings back what the only copy of an index held. */
static void whatever_fails_has_a_hardened_edition(void **state)
{
    (void)state;
    struct arena arena = {0};
    char **paths = drill_paths(&arena, "procedures/hp_ti/drills");
    for (int i = 0; paths[i]; i++) {
        const struct doc *doc = read_drill(&arena, paths[i]);
        bool fails = strcmp(doc_get(doc_get(doc, "expect"), "verdict")->text, "fail") == 0;
        if (!fails || strstr(paths[i], "/elasticsearch-index.yaml") ||
            strstr(paths[i], "/elasticsearch-snapshot-missing.yaml"))
            continue;
        size_t n = strlen(paths[i]) - strlen(".yaml");
        const char *hardened = arena_printf(&arena, "%.*s-hardened.yaml", (int)n, paths[i]);
        bool found = false;
        for (int k = 0; paths[k]; k++)
            found |= strcmp(paths[k], hardened) == 0;
        if (!found)
            fail_msg("no %s", hardened);
        assert_non_null(doc_get(doc_get(doc, "expect"), "because"));
    }
    arena_release(&arena);
}

/* ---- a drill as it is after one change of its files ---- */

static void fly(struct workspace *workspace, const char *drill, struct flown *flown)
{
    flown_init(flown, workspace_path(workspace, drill), NULL);
}

static enum outcome gate(const struct flown *flown, enum gate which)
{
    return flown->report.verdict.gates[which].outcome;
}

/* `up` instead of `restart` is all that the configuration section lacks. */
static void up_reads_the_configuration(void **state)
{
    (void)state;
    struct workspace workspace;
    struct flown flown;
    workspace_init(&workspace, "procedures/hp_ti");
    workspace_replace(&workspace, "playbook.md", "# Restart services to apply\ndocker-compose restart\n",
                      "docker-compose up -d\n");
    fly(&workspace, "drills/partial-configuration.yaml", &flown);
    assert_int_equal(gate(&flown, GATE_END_STATE), OUTCOME_PASS);
    assert_int_equal(gate(&flown, GATE_RECORDS_LOST), OUTCOME_PASS);
    flown_release(&flown);
    workspace_release(&workspace);
}

/* Services that are stopped first hold no connection: the restore goes through, and loses what a restore loses. */
static void stopped_services_let_the_database_go(void **state)
{
    (void)state;
    struct workspace workspace;
    struct flown flown;
    workspace_init(&workspace, "procedures/hp_ti");
    fly(&workspace, "drills/partial-database.yaml", &flown);
    const struct step *restore = flown_step(&flown, "./deployment/scripts/restore.sh");
    assert_int_not_equal(restore->exit_status, 0);
    assert_non_null(strstr(restore->err.at, "is being accessed by other users"));
    assert_int_equal(flown_ledger(&flown, "postgres")->lost, 0);
    assert_string_equal(flown_end_state(&flown, "postgres", "schema"), "43");
    flown_release(&flown);
    workspace_replace(&workspace, "playbook.md", "# Restore database from backup\n",
                      "docker-compose stop honeypot pipeline\n");
    fly(&workspace, "drills/partial-database.yaml", &flown);
    assert_int_equal(flown_step(&flown, "./deployment/scripts/restore.sh")->exit_status, 0);
    assert_true(flown_ledger(&flown, "postgres")->lost > 0);
    assert_string_equal(flown_end_state(&flown, "postgres", "schema"), "42");
    flown_release(&flown);
    workspace_release(&workspace);
}

/* Without the line that moves the tag, the single-service rollback brings v1.2.3 back. */
static void the_tag_decides_which_image_starts(void **state)
{
    (void)state;
    struct workspace workspace;
    struct flown flown;
    workspace_init(&workspace, "procedures/hp_ti");
    workspace_replace(&workspace, "playbook.md",
                      "docker pull hp_ti/honeypot:v1.2.2  # Previous version\n"
                      "docker tag hp_ti/honeypot:v1.2.2 hp_ti/honeypot:latest\n",
                      "docker pull hp_ti/honeypot:v1.2.2  # Previous version\n");
    fly(&workspace, "drills/partial-single-service.yaml", &flown);
    assert_string_equal(flown_end_state(&flown, "honeypot", "version"), "v1.2.3");
    assert_int_equal(gate(&flown, GATE_END_STATE), OUTCOME_FAIL);
    assert_int_equal(flown.report.verdict.outcome, OUTCOME_FAIL);
    flown_release(&flown);
    workspace_release(&workspace);
}

/* The hardened edition passes because of its lines, not because of its heading. */
static void without_its_lines_the_hardened_edition_fails(void **state)
{
    static const struct {
        const char *from, *to, *subject, *property, *value;
    } cases[] = {
        {" && docker tag $image:v1.2.2 $image:latest\n", "\n", "honeypot", "version", "v1.2.3"},
        {"ALTER TABLE honeypot_events DROP COLUMN IF EXISTS severity;\n",
         "ALTER TABLE honeypot_events DROP COLUMN severities;\n", "postgres", "schema", "43"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct workspace workspace;
        struct flown flown;
        workspace_init(&workspace, "procedures/hp_ti");
        workspace_replace(&workspace, "hardened.md", cases[i].from, cases[i].to);
        fly(&workspace, "drills/manual-rollback-hardened.yaml", &flown);
        assert_int_equal(flown.report.verdict.outcome, OUTCOME_FAIL);
        assert_string_equal(flown_end_state(&flown, cases[i].subject, cases[i].property), cases[i].value);
        assert_int_equal(gate(&flown, GATE_FALSE_SUCCESS), OUTCOME_PASS); /* and it does not say otherwise */
        flown_release(&flown);
        workspace_release(&workspace);
    }
}

/* Started before the restore, the services race with it: seconds decide which of two bad ends it is. */
static void a_restore_after_the_start_is_a_race(void **state)
{
    (void)state;
    struct workspace workspace;
    struct flown flown;
    workspace_init(&workspace, "procedures/hp_ti");
    fly(&workspace, "drills/rollback-script-fails.yaml", &flown);
    assert_int_equal(flown_step(&flown, "./deployment/scripts/restore.sh")->exit_status, 0);
    assert_true(flown_ledger(&flown, "postgres")->lost > 0);
    flown_release(&flown);
    workspace_replace(&workspace, "system.yaml", "start: 8s", "start: 1s");
    fly(&workspace, "drills/rollback-script-fails.yaml", &flown);
    const struct step *restore = flown_step(&flown, "./deployment/scripts/restore.sh");
    assert_int_not_equal(restore->exit_status, 0);
    assert_non_null(strstr(restore->err.at, "is being accessed by other users"));
    assert_int_equal(flown_ledger(&flown, "postgres")->lost, 0);
    assert_string_equal(flown_end_state(&flown, "honeypot", "version"), "v1.2.3");
    flown_release(&flown);
    workspace_release(&workspace);
}

/* What each first edition says on the way, in the real tools' words. */
static void the_tools_say_why(void **state)
{
    static const struct {
        const char *drill, *step, *text;
        int exit_status; /* -1: any but 0 */
    } cases[] = {
        {"point-in-time", "docker exec hp_ti_postgres pg_basebackup", "role \"root\" does not exist", 1},
        {"database-rollback-fails", "zcat", "database \"hp_ti_user\" does not exist", 2},
        {"docker-image", "docker rmi hp_ti/honeypot:v1.2.3", "Untagged: hp_ti/honeypot:v1.2.3", 0},
        {"docker-image", "docker-compose logs honeypot --tail=100", "No such service: --tail=100", 1},
    };
    (void)state;
    struct arena arena = {0};
    struct flown flown = {0};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        if (i == 0 || strcmp(cases[i].drill, cases[i - 1].drill) != 0) {
            if (i)
                flown_release(&flown);
            flown_init(&flown, arena_printf(&arena, "procedures/hp_ti/drills/%s.yaml", cases[i].drill), NULL);
        }
        const struct step *step = flown_step(&flown, cases[i].step);
        const char *out = step->out.at ? step->out.at : "", *err = step->err.at ? step->err.at : "";
        if (!strstr(out, cases[i].text) && !strstr(err, cases[i].text))
            fail_msg("%s: '%s' says: %s%s", cases[i].drill, cases[i].step, out, err);
        if (cases[i].exit_status >= 0)
            assert_int_equal(step->exit_status, cases[i].exit_status);
        else
            assert_int_not_equal(step->exit_status, 0);
    }
    flown_release(&flown);
    arena_release(&arena);
}

/* ---- the decision criteria and the matrix ---- */

static bool happened(const struct record *record, enum event_kind kind, const char *subject, const char *text)
{
    for (int i = 0; i < record->n_events; i++) {
        const struct event *event = &record->events[i];
        if (event->kind == kind && (!subject || strcmp(event->subject, subject) == 0) && strstr(event->text, text))
            return true;
    }
    return false;
}

static void write_criteria_drill(struct workspace *workspace, const char *faults)
{
    workspace_write(workspace, "nothing.md", "# Nothing\n\n```bash\ntrue\n```\n");
    struct buf text;
    buf_init(&text, 4096);
    buf_printf(&text,
               "format: rehearse.drill/1\nsystem: ../system.yaml\nstart: 2025-01-15T14:25:00Z\ncwd: /opt/hp_ti\n"
               "faults: [%s]\nhorizon: 90m\noperator: on_call\n"
               "procedure: {playbook: ../nothing.md, section: Nothing}\n",
               faults);
    workspace_write(workspace, "drills/criteria.yaml", text.at);
    buf_release(&text);
}

/* "When to Rollback", "When NOT to Rollback", and the four rows of the matrix. */
static void every_row_of_the_criteria_is_reached(void **state)
{
    static const struct {
        const char *faults, *trigger;
        bool decides, waits;
        const char *severity;
        double latest_min; /* from detection to decision */
    } rows[] = {
        {"{at: 5m, event: critical_bug}", "hpti.critical_bug", true, false, NULL, 30},
        {"{at: 5m, errors: honeypot, ratio: 30%}", "hpti.errors", true, false, NULL, 30},
        {"{at: 5m, cut: honeypot}", "hpti.health", true, false, NULL, 30},
        {"{at: 5m, slow: honeypot, by: 3}", "hpti.perf20", true, false, NULL, 30},
        {"{at: 5m, event: data_integrity}", "hpti.integrity", true, false, NULL, 30},
        {"{at: 5m, event: security_vulnerability}", "hpti.security", true, false, NULL, 30},
        {"{at: 5m, cut: postgres}", "hpti.cascade", true, false, NULL, 30},
        {"{at: 5m, errors: honeypot, ratio: 3%}", "hpti.unrecovered", true, true, NULL, 60},
        {"{at: 5m, event: functional_bug}, {at: 5m, event: cosmetic_only}", "hpti.not.cosmetic", true, true, NULL, 60},
        {"{at: 5m, event: invalid_config}, {at: 5m, event: config_only}", "hpti.not.config", true, true, NULL, 60},
        {"{at: 5m, event: app_crash}, {at: 5m, event: restart_would_do}", "hpti.not.single", true, true, NULL, 60},
        {"{at: 5m, event: slow_queries}, {at: 5m, event: performance_tunable}", "hpti.not.tunable", true, true, NULL, 60},
        {"{at: 5m, errors: honeypot, ratio: 3%}", "hpti.not.lt5pct", true, true, NULL, 60},
        {"{at: 5m, event: severity_p0}", "hpti.p0", true, false, "P0", 10},
        {"{at: 5m, event: severity_p1}", "hpti.p1", true, false, "P1", 45},
        {"{at: 5m, event: severity_p2}", "hpti.p2", true, false, "P2", 75},
        {"{at: 5m, event: severity_p3}", "hpti.p3", false, false, NULL, 0},
    };
    (void)state;
    struct workspace workspace;
    workspace_init(&workspace, "procedures/hp_ti");
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct flown flown;
        write_criteria_drill(&workspace, rows[i].faults);
        fly(&workspace, "drills/criteria.yaml", &flown);
        const struct record *record = flown.record;
        if (!happened(record, EVENT_ALERT, rows[i].trigger, "fires"))
            fail_msg("%s: %s did not fire", rows[i].faults, rows[i].trigger);
        bool decided = record->instants[T_DECIDE] != NEVER;
        if (decided != rows[i].decides)
            fail_msg("%s: decided: %d", rows[i].faults, decided);
        if (happened(record, EVENT_OPERATOR, NULL, "a reason not to roll back holds") != rows[i].waits)
            fail_msg("%s: waits: %d", rows[i].faults, !rows[i].waits);
        if (rows[i].severity)
            assert_true(happened(record, EVENT_OPERATOR, NULL, rows[i].severity));
        if (decided) {
            double minutes = (double)(record->instants[T_DECIDE] - record->instants[T_DETECT]) / MINUTE;
            if (minutes > rows[i].latest_min)
                fail_msg("%s: decided after %.1f minutes", rows[i].faults, minutes);
            /* the matrix lets P1 and P2 wait for a fix; the document's own table asks for a decision within ten minutes */
            bool graded_late = rows[i].severity && strcmp(rows[i].severity, "P0") != 0;
            if (graded_late)
                assert_true(minutes > 10);
        }
        flown_release(&flown);
    }
    workspace_release(&workspace);
}

/* ---- the owner's document ---- */

static void the_copy_is_the_owners_document(void **state)
{
    (void)state;
    struct arena arena = {0};
    const char *path = owners_playbook(&arena, "hp_ti.md");
    if (!path) {
        arena_release(&arena);
        print_message("no owners' documents beside the repository\n");
        skip();
    }
    struct buf ours, theirs;
    buf_init(&ours, 1 << 20);
    buf_init(&theirs, 1 << 20);
    assert_int_equal(buf_read_file(&ours, "procedures/hp_ti/playbook.md"), 0);
    assert_int_equal(buf_read_file(&theirs, path), 0);
    assert_int_equal(ours.len, theirs.len);
    assert_memory_equal(ours.at, theirs.at, ours.len);
    buf_release(&ours);
    buf_release(&theirs);
    arena_release(&arena);
}

/* Every drill of the first edition takes the same lines from the owner's file; three of them are run on it. */
static void the_owners_document_section_by_section(void **state)
{
    (void)state;
    struct arena arena = {0};
    const char *path = owners_playbook(&arena, "hp_ti.md");
    if (!path) {
        arena_release(&arena);
        print_message("no owners' documents beside the repository\n");
        skip();
    }
    struct buf complaints;
    buf_init(&complaints, 1 << 20);
    char **paths = drill_paths(&arena, "procedures/hp_ti/drills");
    struct drill_options options = {.playbook = path};
    for (int i = 0; paths[i]; i++) {
        if (strstr(paths[i], "-hardened"))
            continue;
        struct drill *ours = NULL, *theirs = NULL;
        struct error error = {""};
        if (drill_load(paths[i], NULL, &ours, &error) < 0 || drill_load(paths[i], &options, &theirs, &error) < 0)
            fail_msg("%s", error.text);
        assert_int_equal(ours->procedure.n_lines, theirs->procedure.n_lines);
        for (int k = 0; k < theirs->procedure.n_lines; k++) {
            const struct procedure_line *line = &theirs->procedure.lines[k];
            assert_string_equal(line->file, path);
            assert_int_equal(line->line, ours->procedure.lines[k].line);
            assert_true(str_eq(line->text, ours->procedure.lines[k].text));
        }
        drill_free(ours);
        drill_free(theirs);
        if (!strstr(paths[i], "/database-rollback-fails.yaml") && !strstr(paths[i], "/elasticsearch-index.yaml") &&
            !strstr(paths[i], "/application-code.yaml"))
            continue;
        struct flown flown;
        flown_init(&flown, paths[i], &options);
        flown_compare(&flown, &complaints);
        assert_true(flown.record->n_steps > 0);
        assert_string_equal(flown.record->steps[0].file, path);
        flown_release(&flown);
    }
    if (complaints.len)
        fail_msg("\n%s", complaints.at);
    buf_release(&complaints);
    arena_release(&arena);
}

/* A placeholder that nobody binds stops the run before it starts, with its line in the document. */
static void placeholders_must_be_bound(void **state)
{
    static const struct {
        const char *drill, *bind, *place;
    } cases[] = {
        {"drills/rollback-script-fails.yaml", "\"v[previous-version]\": v1.2.2, ", "playbook.md:500"},
        {"drills/database-rollback-fails.yaml", "  bind: {\"[timestamp]\": \"20250115_143000\"}\n", "playbook.md:515"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct workspace workspace;
        struct error error = {""};
        struct drill *drill = NULL;
        workspace_init(&workspace, "procedures/hp_ti");
        workspace_replace(&workspace, cases[i].drill, cases[i].bind, "");
        assert_int_equal(drill_load(workspace_path(&workspace, cases[i].drill), NULL, &drill, &error), ERROR_INPUT);
        assert_null(drill);
        if (!strstr(error.text, cases[i].place))
            fail_msg("no %s in: %s", cases[i].place, error.text);
        workspace_release(&workspace);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_drill_has_its_verdict),
        cmocka_unit_test(a_hardened_edition_has_the_same_world),
        cmocka_unit_test(whatever_fails_has_a_hardened_edition),
        cmocka_unit_test(up_reads_the_configuration),
        cmocka_unit_test(stopped_services_let_the_database_go),
        cmocka_unit_test(the_tag_decides_which_image_starts),
        cmocka_unit_test(without_its_lines_the_hardened_edition_fails),
        cmocka_unit_test(a_restore_after_the_start_is_a_race),
        cmocka_unit_test(the_tools_say_why),
        cmocka_unit_test(every_row_of_the_criteria_is_reached),
        cmocka_unit_test(the_copy_is_the_owners_document),
        cmocka_unit_test(the_owners_document_section_by_section),
        cmocka_unit_test(placeholders_must_be_bound),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
