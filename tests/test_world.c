/* The world at flow grain, from YAML to the instants and the ledger. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "procedures/drill/model_load.h"
#include "sim/world/store.h"
#include "sim/world/world.h"
#include "tests/world_fixture.h"

struct fixture {
    struct arena arena;
    struct model model;
    struct record *record;
    struct world *world;
    struct error error;
};

static void load(struct fixture *f, const char *extra)
{
    struct doc *system = NULL, *drill = NULL;
    *f = (struct fixture){0};
    model_defaults(&f->model);
    int code = doc_read_file(&f->arena, "tests/data/shop/system.yaml", &system, &f->error);
    if (!code)
        code = model_load_system(&f->arena, system, NULL, &f->model, &f->error);
    if (!code)
        code = extra ? doc_read_text(&f->arena, "drill", str_of(extra), &drill, &f->error)
                     : doc_read_file(&f->arena, "tests/data/shop/drill.yaml", &drill, &f->error);
    if (!code)
        code = model_load_scenario(&f->arena, drill, &f->model, &f->error);
    if (code)
        fail_msg("%s", f->error.text);
    f->record = record_new();
}

static void begin(struct fixture *f, const char *extra, uint64_t seed)
{
    load(f, extra);
    f->world = world_new(&f->model, seed, f->record);
}

static void end(struct fixture *f)
{
    world_free(f->world);
    record_free(f->record);
    arena_release(&f->arena);
}

static int64_t advance(struct fixture *f, int64_t to_ns)
{
    int64_t now = world_now(f->world);
    while (now < to_ns)
        now = world_advance(f->world, to_ns);
    return now;
}

/* What a perfect procedure would do: every instance back on the good version. */
static void roll_back(struct world *world, const char *service, const char *version)
{
    struct service *api = world_service(world, service);
    for (int i = 0; i < service_instances(api); i++) {
        struct instance *instance = service_instance(api, i);
        instance_stop(instance, true);
        instance_set_version(instance, version);
        instance_start(instance);
    }
}

static const struct ledger_row *row_of(const struct record *record, const char *store)
{
    for (int i = 0; i < record->n_ledger; i++)
        if (strcmp(record->ledger[i].store, store) == 0)
            return &record->ledger[i];
    return NULL;
}

static void test_a_quiet_hour(void **state)
{
    (void)state;
    struct fixture f;
    begin(&f, "{start: 2026-01-15T14:30:00Z, change: {at: 2h, set: {x: y}}}", 1);
    advance(&f, HOUR);
    assert_int_equal(service_ready(world_service(f.world, "api")), 3);
    world_finish(f.world);
    const struct ledger_row *row = row_of(f.record, "postgres");
    assert_true(row->known);
    assert_int_equal(row->lost, 0);
    assert_int_equal(row->duplicated + row->unexpected + row->stale + row->indeterminate, 0);
    /* 120/s, at 15:00 1.6 times as many, 5% of them write: about 34,500 in this hour */
    assert_in_range(row->acknowledged, 250000 + 33000, 250000 + 36000);
    assert_int_equal(row->kept, row->acknowledged);
    assert_int_equal(f.record->downtime_ns, 0);
    assert_int_equal(f.record->instants[T_IMPACT], NEVER);
    end(&f);
}

static void test_bad_version_is_detected_and_rolled_back(void **state)
{
    (void)state;
    struct fixture f;
    begin(&f, NULL, 1);
    int64_t *t = f.record->instants;
    while (!world_decided(f.world) && world_now(f.world) < HOUR)
        world_advance(f.world, HOUR);
    /* v4.18 needs schema 42: it starts, fails, and takes the place of the good one, instance by
     * instance */
    assert_int_equal(t[T_CHANGE], 10 * MINUTE);
    assert_in_range(t[T_IMPACT], 10 * MINUTE, 11 * MINUTE);
    assert_true(t[T_DETECT] > t[T_IMPACT] && t[T_DETECT] < t[T_IMPACT] + 4 * MINUTE);
    /* the drill fixes the acknowledgement and the decision; being notified is drawn */
    assert_true(t[T_ACK] >= t[T_DETECT] + 2 * MINUTE);
    assert_int_equal(t[T_DECIDE], t[T_ACK] + 3 * MINUTE);
    assert_int_equal(world_now(f.world), t[T_DECIDE]);

    roll_back(f.world, "api", "v4.17");
    while (!world_over(f.world))
        world_advance(f.world, world_horizon(f.world));
    world_finish(f.world);
    assert_in_range(t[T_RESTORE] - t[T_DECIDE], 5 * SECOND, 10 * SECOND);
    assert_int_equal(t[T_STABLE], t[T_RESTORE] + 5 * MINUTE);
    /* all three instances were failing from the third start of 8 s on */
    assert_in_range(f.record->downtime_ns, t[T_RESTORE] - t[T_CHANGE] - 30 * SECOND,
                    t[T_RESTORE] - t[T_CHANGE]);
    const struct ledger_row *row = row_of(f.record, "postgres");
    assert_int_equal(row->acknowledged, row->kept + row->lost);
    /* 2% of what was there at minute 12 is damaged, blamed on no step */
    assert_in_range(row->lost, 4500, 6500);
    assert_int_equal(row->n_blame, 1);
    assert_int_equal(row->blame[0].step, 0);
    assert_string_equal(row->blame[0].what, "fault: 2% of orders damaged");
    assert_int_equal(row->blame[0].records, row->lost);
    end(&f);
}

static uint64_t fingerprint_of(uint64_t seed)
{
    struct fixture f;
    begin(&f, NULL, seed);
    advance(&f, 40 * MINUTE);
    world_finish(f.world);
    uint64_t fingerprint = f.record->fingerprint;
    end(&f);
    return fingerprint;
}

static void test_same_seed_same_run(void **state)
{
    (void)state;
    assert_true(fingerprint_of(1) == fingerprint_of(1));
    assert_true(fingerprint_of(1) != fingerprint_of(2));
}

static void test_restore_loses_what_came_after_the_backup(void **state)
{
    (void)state;
    struct fixture f;
    begin(&f, "{change: {at: 10m, deploy: {api: v4.18}, migrate: {postgres: 42}}}", 1);
    advance(&f, 5 * MINUTE);
    struct store *store = world_store(f.world, "postgres");
    struct dataset *backup = dataset_copy(store_serving(store));
    int64_t until = store_acknowledged(store, "orders");
    advance(&f, 20 * MINUTE);
    int64_t last = store_acknowledged(store, "orders");
    assert_true(last > until);

    f.record->current_step = 3;
    store_because(store, "psql: DROP DATABASE shop");
    dataset_drop_table(store_serving(store), "orders");
    advance(&f, 21 * MINUTE);
    f.record->current_step = 4;
    store_because(store, "pg_restore");
    store_serve(store, backup);
    world_finish(f.world);

    const struct ledger_row *row = row_of(f.record, "postgres");
    assert_int_equal(row->acknowledged, last); /* without the table nothing could be written */
    assert_int_equal(row->lost, last - until);
    assert_int_equal(row->kept, until);
    assert_int_equal(row->recoverable, 0);
    assert_int_equal(row->n_blame, 1);
    assert_int_equal(row->blame[0].step, 3);
    assert_string_equal(row->blame[0].what, "psql: DROP DATABASE shop");
    assert_true(row->blame[0].oldest_ns >= 4 * MINUTE && row->blame[0].newest_ns <= 20 * MINUTE);
    end(&f);
}

static int made, past;
static void count_backup(struct world *world, const struct backup *backup, void *ctx)
{
    (void)world;
    made++;
    past += backup->made_ns < 0;
    if (made == 4) /* the last before the start: two hours from now, less six */
        snprintf(ctx, 200, "%s", backup->path);
}

static void test_backups_are_handed_to_whoever_writes_files(void **state)
{
    (void)state;
    struct fixture f;
    char path[200] = "";
    made = past = 0;
    begin(&f, NULL, 1);
    world_watch_backups(f.world, count_backup, path);
    advance(&f, SECOND);
    assert_int_equal(made, 4);
    assert_int_equal(past, 4);
    assert_string_equal(path, "/var/backups/shop/shop_20260115_103000");
    advance(&f, 2 * HOUR);
    assert_int_equal(made, 5);
    end(&f);
}

static void count_records(struct world *world, const struct backup *backup, void *ctx)
{
    (void)world;
    *(int64_t *)ctx = idset_count(dataset_rows(backup->contents, "orders"));
}

/* At the same instant the writes of the second that ends come first: a dump holds all that was
 * acknowledged by then. */
static void test_a_backup_holds_what_was_acknowledged_by_then(void **state)
{
    (void)state;
    struct world_fixture f;
    int64_t in_backup = 0;
    world_fixture_begin(&f,
                        "format: rehearse.system/1\nname: small\nservices: {api: {}}\n"
                        "traffic: {shoppers: {to: api, rate: 50/s, writes: {orders: 100%}}}\n"
                        "stores: {postgres: {engine: postgresql 15, tables: {orders: {}}}}\n"
                        "backups: {hourly: {store: postgres, every: 1h, first: 5m}}\n",
                        "start: 2025-01-15T14:25:00Z\nchange: {at: 50m, set: {x: y}}\n", 1);
    world_watch_backups(f.world, count_records, &in_backup);
    world_fixture_until(&f, 5 * MINUTE);
    assert_true(in_backup > 0);
    assert_int_equal(in_backup, store_acknowledged(world_store(f.world, "postgres"), "orders"));
    world_fixture_end(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_quiet_hour),
        cmocka_unit_test(test_bad_version_is_detected_and_rolled_back),
        cmocka_unit_test(test_same_seed_same_run),
        cmocka_unit_test(test_restore_loses_what_came_after_the_backup),
        cmocka_unit_test(test_backups_are_handed_to_whoever_writes_files),
        cmocka_unit_test(test_a_backup_holds_what_was_acknowledged_by_then),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
