/* HAP: every row of the owner's decision matrix, watched and decided in the simulated world. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "procedures/drill/model_load.h"
#include "sim/record.h"
#include "sim/world/world.h"
#include "tests/coverage.h"
#include "tests/drill_expect.h"

static const char *const not_the_models[] = {"docker", "http", "git", "hosts", "assume", NULL};

/* What goes wrong ten minutes after the start, and what the row of the matrix says to do about it.
 */
static const struct row {
    const char *symptom, *severity, *faults, *trigger;
    bool rollback;
} rows[] = {
    {"High latency (>100ms added)", "Low", "{slow: orchestrator, by: 1, add: 180ms, at: 10m}",
     "hap.latency_added", false},
    {"Some false positives", "Low", "{event: false_positives, at: 10m}", "hap.false_positives",
     false},
    {"Redis connection issues", "Medium", "{cut: redis, at: 10m}", "hap.redis", false},
    {"Service crashes", "High", "{crash: orchestrator, at: 10m}", "hap.crash", true},
    {"Database overload", "High", "{event: db_overload, at: 10m}", "hap.db_overload", true},
    {"Complete service failure", "Critical", "{errors: orchestrator, ratio: 100%, at: 10m}",
     "hap.down", true},
};

struct fixture {
    struct arena arena;
    struct doc *system;
    struct model model;
    struct record *record;
    struct world *world;
};

static void begin(struct fixture *f, const char *faults)
{
    struct doc *drill = NULL;
    struct error error;
    *f = (struct fixture){0};
    model_defaults(&f->model);
    const char *text = arena_printf(
        &f->arena, "start: 2025-03-11T09:50:00Z\noperator: on_call\nfaults: [%s]\n", faults);
    if (doc_read_file(&f->arena, "procedures/hap/system.yaml", &f->system, &error) ||
        model_load_system(&f->arena, f->system, not_the_models, &f->model, &error) ||
        doc_read_text(&f->arena, "drill", str_of(text), &drill, &error) ||
        model_load_scenario(&f->arena, drill, &f->model, &error))
        fail_msg("%s", error.text);
    /* no platform here: the world makes the instances itself */
    for (int i = 0; i < f->model.n_services; i++)
        ((struct model_service *)(uintptr_t)&f->model.services[i])->runs = NULL;
    f->record = record_new();
    f->world = world_new(&f->model, 1, f->record);
}

static void end(struct fixture *f)
{
    world_free(f->world);
    record_free(f->record);
    arena_release(&f->arena);
}

static bool happened(const struct record *record, const char *subject, const char *text)
{
    for (int i = 0; i < record->n_events; i++)
        if (strcmp(record->events[i].subject, subject) == 0 && strstr(record->events[i].text, text))
            return true;
    return false;
}

static void test_every_row_of_the_matrix_is_reached(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct fixture f;
        const struct row *row = &rows[i];
        begin(&f, row->faults);
        while (world_now(f.world) < HOUR)
            world_advance(f.world, HOUR);
        if (f.record->instants[T_DETECT] == NEVER)
            fail_msg("%s: nobody saw it", row->symptom);
        if (!row->rollback &&
            !happened(f.record, row->trigger, "the decision rules say: no rollback"))
            fail_msg("%s: another row was taken", row->symptom);
        if (row->rollback &&
            !happened(f.record, "operator", arena_printf(&f.arena, "roll back, %s", row->severity)))
            fail_msg("%s: another row was taken", row->symptom);
        if (world_decided(f.world) != row->rollback)
            fail_msg("%s: the matrix says %s", row->symptom,
                     row->rollback ? "to roll back" : "not to roll back");
        end(&f);
    }
}

/* What a hardened edition may change: its triggers and rules stand in the place of the system's. */
static void test_a_drill_brings_its_own_triggers(void **state)
{
    (void)state;
    struct fixture f;
    begin(&f, "{errors: orchestrator, ratio: 10%, at: 10m}]\n"
              "decision: [{trigger: users, severity: High}]\n"
              "triggers: [{id: users, say: they see errors, when: {m: error_ratio, op: '>', thr: "
              "0.05, for: 1m}}");
    assert_int_equal(f.model.triggers.n, 1);
    assert_int_equal(f.model.n_rules, 1);
    while (world_now(f.world) < HOUR)
        world_advance(f.world, HOUR);
    assert_true(happened(f.record, "operator", "roll back, High"));
    end(&f);
}

/* The table above against the document: same symptoms, same order, "No" where nothing is rolled
 * back. */
static void test_rows_are_those_of_the_document(void **state)
{
    (void)state;
    struct buf text;
    buf_init(&text, 1 << 20);
    assert_int_equal(buf_read_file(&text, "procedures/hap/playbook.md"), 0);
    struct str rest = buf_text(&text);
    size_t i = 0;
    while (rest.len) {
        struct str line = str_cut(&rest, '\n');
        if (!str_starts(line, "| ") || str_starts(line, "| Symptom"))
            continue;
        assert_true(i < sizeof rows / sizeof *rows);
        str_cut(&line, '|');
        struct str symptom = str_trim(str_cut(&line, '|'));
        if (!str_is(symptom, rows[i].symptom))
            fail_msg("row %zu of the document is '%.*s'", i + 1, (int)symptom.len, symptom.at);
        assert_true(str_is(str_trim(str_cut(&line, '|')), rows[i].severity));
        str_cut(&line, '|'); /* action */
        assert_true(str_is(str_trim(str_cut(&line, '|')), "No") == !rows[i].rollback);
        i++;
    }
    assert_int_equal(i, sizeof rows / sizeof *rows);
    buf_release(&text);
}

/* Word for word: the cluster's triggers and rules are rows of the same matrix. */
static void test_the_cluster_is_watched_by_the_same_rows(void **state)
{
    (void)state;
    static const char *const parts[] = {"triggers", "decision"};
    struct arena arena = {0};
    struct doc *machine = NULL, *cluster = NULL;
    struct error error;
    if (doc_read_file(&arena, "procedures/hap/system.yaml", &machine, &error) ||
        doc_read_file(&arena, "procedures/hap/cluster.yaml", &cluster, &error))
        fail_msg("%s", error.text);
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
        const struct doc *rows_there = doc_get(cluster, parts[i]);
        assert_true(rows_there && rows_there->n > 0);
        for (const struct doc *row = rows_there->first; row; row = row->next) {
            bool found = false;
            for (const struct doc *ours = doc_get(machine, parts[i])->first; ours;
                 ours = ours->next)
                found |= docs_same(ours, row);
            if (!found)
                fail_msg("cluster.yaml:%d: no row of system.yaml", row->line);
        }
    }
    arena_release(&arena);
}

static void test_the_coverage_table_is_true(void **state)
{
    (void)state;
    const char *triggers[sizeof rows / sizeof *rows + 1] = {NULL};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        triggers[i] = rows[i].trigger;
    coverage_check("procedures/hap", triggers);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_row_of_the_matrix_is_reached),
        cmocka_unit_test(test_a_drill_brings_its_own_triggers),
        cmocka_unit_test(test_rows_are_those_of_the_document),
        cmocka_unit_test(test_the_cluster_is_watched_by_the_same_rows),
        cmocka_unit_test(test_the_coverage_table_is_true),
    };
    return cmocka_run_group_tests_name("hap", tests, NULL, NULL);
}
