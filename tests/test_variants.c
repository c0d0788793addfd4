/* What a version does may depend on the settings an instance has; and versions write records of
 * their own. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "procedures/drill/model_load.h"
#include "sim/world/store.h"
#include "sim/world/world.h"

static const char system_text[] = "format: rehearse.system/1\n"
                                  "name: flags\n"
                                  "indicator: {target: 99%}\n"
                                  "services:\n"
                                  "  api:\n"
                                  "    version: v2\n"
                                  "    versions:\n"
                                  "      v1: {errors: 0%}\n"
                                  "      v2:\n"
                                  "        errors: 20%\n"
                                  "        writes: {findings: 10%}\n"
                                  "        when: [{settings: {FEATURE: off}, like: v1}]\n"
                                  "stores:\n"
                                  "  db: {tables: {findings: 0}}\n"
                                  "traffic: {users: {to: api, rate: 100/s}}\n"
                                  "good_state: {api: {version: v2, settings: {FEATURE: off}}}\n";

struct fixture {
    struct arena arena;
    struct model model;
    struct record *record;
    struct world *world;
};

static void begin(struct fixture *f, const char *scenario)
{
    struct doc *system = NULL, *drill = NULL;
    struct error error;
    *f = (struct fixture){0};
    model_defaults(&f->model);
    if (doc_read_text(&f->arena, "system", str_of(system_text), &system, &error) ||
        model_load_system(&f->arena, system, NULL, &f->model, &error) ||
        doc_read_text(&f->arena, "drill", str_of(scenario), &drill, &error) ||
        model_load_scenario(&f->arena, drill, &f->model, &error))
        fail_msg("%s", error.text);
    f->record = record_new();
    f->world = world_new(&f->model, 1, f->record);
}

static void advance(struct fixture *f, int64_t to_ns)
{
    while (world_now(f->world) < to_ns)
        world_advance(f->world, to_ns);
}

static void end(struct fixture *f)
{
    world_free(f->world);
    record_free(f->record);
    arena_release(&f->arena);
}

static double errors_now(struct fixture *f)
{
    double ratio = -1;
    assert_true(service_metric(world_service(f->world, "api"), "error_ratio", &ratio));
    return ratio;
}

/* With 100 requests a second, a fifth of them failing, a tenth of the others writing: 480 records a
 * minute. */
static void test_version_writes_what_it_answers(void **state)
{
    (void)state;
    struct fixture f;
    begin(&f, "start: 2026-01-15T14:30:00Z\nchange: {at: 1h, set: {other: x}}\n");
    advance(&f, 10 * MINUTE);
    int64_t written = store_acknowledged(world_store(f.world, "db"), "findings");
    assert_in_range(written, 4500, 5100); /* 4800, give or take four standard deviations */
    assert_true(errors_now(&f) > 0.19 && errors_now(&f) < 0.21);
    end(&f);
}

/* The world's setting counts where the instance has none of its own, and it may change while it
 * runs. */
static void test_setting_of_the_world_changes_how_a_version_behaves(void **state)
{
    (void)state;
    struct fixture f;
    begin(&f, "start: 2026-01-15T14:30:00Z\nchange: {at: 1m, set: {FEATURE: off}}\n");
    advance(&f, 70 * SECOND);
    int64_t written = store_acknowledged(world_store(f.world, "db"), "findings");
    assert_true(errors_now(&f) < 1e-9);
    advance(&f, 10 * MINUTE);
    assert_int_equal(store_acknowledged(world_store(f.world, "db"), "findings"), written);
    assert_string_equal(instance_version(service_instance(world_service(f.world, "api"), 0)), "v2");
    end(&f);
}

/* A setting of its own is read when it starts, and not before. */
static void test_own_setting_waits_for_the_start(void **state)
{
    (void)state;
    struct fixture f;
    begin(&f, "start: 2026-01-15T14:30:00Z\nchange: {at: 1m, set: {other: x}}\n");
    advance(&f, 2 * MINUTE);
    struct instance *instance = service_instance(world_service(f.world, "api"), 0);
    instance_set_setting(instance, "FEATURE", "off");
    advance(&f, 3 * MINUTE);
    assert_true(errors_now(&f) > 0.19);
    instance_stop(instance, true);
    instance_start(instance);
    advance(&f, 4 * MINUTE);
    assert_true(errors_now(&f) < 1e-9);
    end(&f);
}

static const struct end_state *end_state(const struct record *record, const char *property)
{
    for (int i = 0; i < record->n_end_states; i++)
        if (strcmp(record->end_states[i].subject, "api") == 0 &&
            strcmp(record->end_states[i].property, property) == 0)
            return &record->end_states[i];
    fail_msg("no end state '%s'", property);
    return NULL;
}

/* The good state may ask what instances were started with; a drill may have a good state of its
 * own. */
static void test_good_state_asks_what_instances_were_started_with(void **state)
{
    (void)state;
    struct fixture f;
    begin(&f, "start: 2026-01-15T14:30:00Z\nchange: {at: 1m, set: {FEATURE: off}}\n");
    advance(&f, 2 * MINUTE);
    world_finish(f.world);
    assert_false(end_state(f.record, "FEATURE")->good);
    assert_string_equal(end_state(f.record, "FEATURE")->value, "not set");
    assert_string_equal(end_state(f.record, "version")->value, "v2");
    end(&f);

    begin(&f, "start: 2026-01-15T14:30:00Z\nchange: {at: 1m, set: {FEATURE: off}}\n"
              "good_state: {api: {settings: {FEATURE: on}}}\n");
    advance(&f, 2 * MINUTE);
    struct instance *instance = service_instance(world_service(f.world, "api"), 0);
    instance_set_setting(instance, "FEATURE", "on");
    instance_stop(instance, true);
    instance_start(instance);
    advance(&f, 3 * MINUTE);
    world_finish(f.world);
    assert_true(end_state(f.record, "FEATURE")->good);
    assert_true(errors_now(&f) > 0.19); /* its own setting goes before the world's */
    end(&f);
}

static void test_mistakes_are_told(void **state)
{
    (void)state;
    static const struct {
        const char *versions, *error;
    } cases[] = {
        {"v1: {when: [{like: v1}]}", "missing"},
        {"v1: {when: [{settings: {}}]}", "name at least one setting"},
        {"v1: {when: {settings: {A: b}}}", "expected a list"},
        {"v1: {writes: {orders: 5%}}", "no store has a table 'orders'"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct arena arena = {0};
        struct doc *system = NULL;
        struct model model;
        struct error error = {0};
        const char *text = arena_printf(
            &arena, "format: rehearse.system/1\nname: x\nservices: {api: {versions: {%s}}}\n",
            cases[i].versions);
        model_defaults(&model);
        assert_int_equal(doc_read_text(&arena, "system", str_of(text), &system, &error), 0);
        assert_int_not_equal(model_load_system(&arena, system, NULL, &model, &error), 0);
        if (!strstr(error.text, cases[i].error))
            fail_msg("'%s' does not say '%s'", error.text, cases[i].error);
        arena_release(&arena);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_version_writes_what_it_answers),
        cmocka_unit_test(test_setting_of_the_world_changes_how_a_version_behaves),
        cmocka_unit_test(test_own_setting_waits_for_the_start),
        cmocka_unit_test(test_good_state_asks_what_instances_were_started_with),
        cmocka_unit_test(test_mistakes_are_told),
    };
    return cmocka_run_group_tests_name("variants", tests, NULL, NULL);
}
