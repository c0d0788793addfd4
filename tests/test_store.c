/* Interval sets against a naive set, datasets, and the ledger's fates. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "sim/base/doc.h"
#include "sim/engine/random.h"
#include "sim/world/model.h"
#include "sim/world/store.h"

enum { WIDE = 200 };

static void assert_same(const struct idset *set, const bool *naive)
{
    int64_t count = 0;
    for (int i = 0; i < WIDE; i++) {
        count += naive[i];
        if (idset_has(set, i) != naive[i])
            fail_msg("id %d: %d, want %d", i, idset_has(set, i), naive[i]);
    }
    assert_int_equal(idset_count(set), count);
    for (int i = 0; i < set->n; i++) {
        assert_true(set->at[i].lo < set->at[i].hi);
        assert_true(i == 0 || set->at[i - 1].hi < set->at[i].lo); /* disjoint, sorted, merged */
    }
}

static void test_sets_behave_like_sets(void **state)
{
    (void)state;
    struct stream stream;
    stream_init(&stream, 1, 0, "test", "sets");
    struct idset a = {0}, b = {0};
    bool in_a[WIDE] = {false}, in_b[WIDE] = {false};
    for (int round = 0; round < 5000; round++) {
        int64_t lo = stream_below(&stream, WIDE),
                hi = lo + stream_below(&stream, 1 + (WIDE - lo) / 3 + 1);
        struct idset *set = stream_below(&stream, 2) ? &a : &b;
        bool *naive = set == &a ? in_a : in_b;
        int64_t what = stream_below(&stream, 20);
        for (int64_t i = lo; i < hi && what < 16; i++)
            naive[i] = what < 8;
        if (what < 8)
            idset_add(set, lo, hi);
        else if (what < 16)
            idset_remove(set, lo, hi);
        else if (what == 16)
            idset_union(&a, &b);
        else if (what == 17)
            idset_subtract(&a, &b);
        else if (what == 18)
            idset_intersect(&a, &b);
        else
            idset_copy(&b, &a);
        for (int i = 0; i < WIDE; i++) {
            bool x = in_a[i], y = in_b[i];
            in_a[i] = what == 16 ? x || y : what == 17 ? x && !y : what == 18 ? x && y : x;
            in_b[i] = what == 19 ? x : y;
        }
        assert_same(&a, in_a);
        assert_same(&b, in_b);
    }
    idset_release(&a);
    idset_release(&b);
}

static void test_copies_do_not_see_each_other(void **state)
{
    (void)state;
    struct dataset *one = dataset_new();
    dataset_create_table(one, "orders");
    dataset_create_table(one, "events");
    dataset_insert(one, "orders", 0, 100);
    struct dataset *two = dataset_copy(one);
    dataset_delete(two, "orders", 10, 20);
    dataset_insert(one, "orders", 100, 110);
    dataset_drop_table(two, "events");
    assert_int_equal(idset_count(dataset_rows(one, "orders")), 110);
    assert_int_equal(idset_count(dataset_rows(two, "orders")), 90);
    assert_int_equal(dataset_tables(one), 2);
    assert_string_equal(dataset_table(one, 0), "events");
    assert_int_equal(dataset_tables(two), 1);
    assert_null(dataset_rows(two, "events"));
    /* what is there already becomes a duplicate, twice over */
    dataset_insert(two, "orders", 95, 105);
    assert_int_equal(dataset_duplicates(two, "orders"), 5);
    dataset_insert(two, "orders", 95, 96);
    assert_int_equal(dataset_duplicates(two, "orders"), 6);
    dataset_rename_table(two, "orders", "old");
    assert_false(dataset_has_table(two, "orders"));
    assert_int_equal(idset_count(dataset_rows(two, "old")), 95);
    dataset_free(one);
    dataset_free(two);
}

/* ---- the ledger on a model made by hand: no traffic, a table of a hundred records ---- */

static const struct model_version version = {
    .name = "1", .p50_ns = MILLISECOND, .p99_ns = MILLISECOND, .concurrency = 1, .queue = 1};
static const struct model_service service = {
    .name = "db", .replicas = 1, .version = "1", .versions = &version, .n_versions = 1};
static struct model_table table = {.name = "t", .records = 100, .history_ns = 100 * SECOND};
static const struct model_store declared = {
    .name = "db", .engine = "x", .service = "db", .schema = 7, .tables = &table, .n_tables = 1};

static struct model small_model(void)
{
    struct model model = {
        .name = "small",
        .horizon_ns = HOUR,
        .stable_window_ns = MINUTE,
        .services = &service,
        .n_services = 1,
        .stores = &declared,
        .n_stores = 1,
        .metrics = {.every_ns = 15 * SECOND},
        .triggers = {.eval_ns = 15 * SECOND, .lookback_ns = MINUTE},
        .indicator = {.target = 0.9, .down_below = 0.5},
    };
    model_operator_profile("on_call", &model.operator);
    return model;
}

static void test_row_times(void **state)
{
    (void)state;
    struct model model = small_model();
    struct record *record = record_new();
    struct world *world = world_new(&model, 1, record);
    struct store *store = world_store(world, "db");
    /* a hundred records over a hundred seconds: one a second, the last just before the start */
    assert_int_equal(store_row_time(store, "t", 0), -99 * SECOND);
    assert_int_equal(store_row_time(store, "t", 99), 0);
    assert_int_equal(store_row_time(store, "t", 100), NEVER);
    struct interval rows = store_rows_between(store, "t", -50 * SECOND, -40 * SECOND);
    assert_int_equal(rows.lo, 49);
    assert_int_equal(rows.hi, 59);
    world_advance(world, 30 * SECOND);
    assert_int_equal(store_acknowledge(store, "t", 5), 100);
    dataset_insert(store_serving(store), "t", 100, 105);
    assert_int_equal(store_row_time(store, "t", 104), 30 * SECOND);
    assert_true(store_row_time(store, "t", 100) >= 30 * SECOND - 1);
    world_free(world);
    record_free(record);
}

static void test_fates(void **state)
{
    (void)state;
    struct model model = small_model();
    struct record *record = record_new();
    struct world *world = world_new(&model, 1, record);
    world_advance(world, SECOND);
    struct store *store = world_store(world, "db");
    struct dataset *copy = dataset_copy(store_serving(store));
    int handle = store_keep_copy(store, "a backup", copy);
    (void)handle;

    record->current_step = 1;
    store_because(store, "DELETE first");
    dataset_delete(store_serving(store), "t", 0, 30); /* 0..29 gone by step 1 */
    world_advance(world, 3 * SECOND);                 /* users look for them in vain */
    dataset_insert(store_serving(store), "t", 0, 10); /* 0..9 come back: stale */
    record->current_step = 2;
    store_because(store, "DELETE second");
    dataset_delete(store_serving(store), "t", 5, 40); /* 5..9 lost again, 30..39 lost: by step 2 */
    store_because(store, "INSERT");
    dataset_insert(store_serving(store), "t", 48, 52); /* 50 and 51 are doubled again below */
    store_because(store, "restore");
    record->current_step = 3;
    struct dataset *restored = dataset_copy(store_serving(store));
    dataset_insert(restored, "t", 50, 60);   /* twice */
    dataset_insert(restored, "t", 500, 503); /* never acknowledged */
    dataset_delete(restored, "t", 90, 100);  /* lost by what serves now */
    store_serve(store, restored);
    world_finish(world);

    const struct ledger_row *row = &record->ledger[0];
    assert_true(row->known);
    assert_int_equal(row->acknowledged, 100);
    assert_int_equal(row->lost, 35 + 10);
    assert_int_equal(row->kept, 55);
    assert_int_equal(row->recoverable, 45); /* all are in the backup */
    assert_int_equal(row->duplicated, 14);
    assert_int_equal(row->n_doubling, 2);
    assert_string_equal(row->doubling[0].what, "restore");
    assert_int_equal(row->doubling[0].step, 3);
    assert_int_equal(row->doubling[0].records, 8);
    assert_string_equal(row->doubling[1].what, "INSERT");
    assert_int_equal(row->doubling[1].step, 2);
    assert_int_equal(row->doubling[1].records, 4);
    assert_int_equal(row->unexpected, 3);
    assert_int_equal(row->stale, 5); /* 0..4: missing for a while, there at the end */
    assert_int_equal(row->n_blame, 3);
    assert_int_equal(row->blame[0].step, 3);
    assert_int_equal(row->blame[0].records, 10);
    assert_int_equal(row->blame[1].step, 2);
    assert_int_equal(row->blame[1].records, 15);
    assert_string_equal(row->blame[1].what, "DELETE second");
    assert_int_equal(row->blame[2].step, 1);
    assert_int_equal(row->blame[2].records, 20);
    assert_int_equal(row->blame[0].oldest_ns, -9 * SECOND);
    assert_int_equal(row->blame[0].newest_ns, 0);
    world_free(world);
    record_free(record);
}

static void test_points_in_time(void **state)
{
    (void)state;
    static const struct model_replica standby = {.name = "standby", .lag_ns = 8 * SECOND};
    struct model_store with_standby = declared;
    struct model model = small_model();
    with_standby.replicas = &standby;
    with_standby.n_replicas = 1;
    with_standby.archive_delay_ns = 60 * SECOND;
    model.stores = &with_standby;
    struct record *record = record_new();
    struct world *world = world_new(&model, 1, record);
    struct store *store = world_store(world, "db");
    for (int i = 1; i <= 10;
         i++) { /* ten records every ten seconds, the last ten of which are deleted at 55 s */
        world_advance(world, i * 10 * SECOND);
        store_acknowledge(store, "t", 10);
        dataset_insert(store_serving(store), "t", 90 + i * 10, 100 + i * 10);
        if (i == 5) {
            world_advance(world, 55 * SECOND);
            dataset_delete(store_serving(store), "t", 140, 150);
            dataset_create_table(store_serving(store), "other");
        }
    }
    static const struct {
        int64_t at_ns, rows;
    } cases[] = {{-50 * SECOND, 50}, {0, 100},           {15 * SECOND, 110}, {50 * SECOND, 150},
                 {54 * SECOND, 150}, {55 * SECOND, 140}, {100 * SECOND, 190}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct dataset *then = store_contents_at(store, cases[i].at_ns);
        assert_int_equal(idset_count(dataset_rows(then, "t")), cases[i].rows);
        assert_int_equal(dataset_has_table(then, "other"), cases[i].at_ns >= 55 * SECOND);
        dataset_free(then);
    }
    assert_int_equal(store_archived_until(store), 40 * SECOND);
    /* the replica is 8 s behind: what was written at 100 s is not there yet, and is lost when it is
     * promoted */
    store_because(store, "promote standby");
    store_serve(store, store_replica(store, "standby"));
    world_finish(world);
    assert_int_equal(record->ledger[0].lost, 10 + 10);
    assert_string_equal(record->ledger[0].blame[0].what, "promote standby");
    assert_int_equal(record->ledger[0].blame[0].records, 10);
    world_free(world);
    record_free(record);
}

static void test_recoverable_ends_with_the_copy(void **state)
{
    (void)state;
    struct model model = small_model();
    struct record *record = record_new();
    struct world *world = world_new(&model, 1, record);
    world_advance(world, SECOND);
    struct store *store = world_store(world, "db");
    int backup = store_keep_copy(store, "a backup", dataset_copy(store_serving(store)));
    int retired = store_serve(store, dataset_new());
    store_forget_copy(store, backup);
    store_forget_copy(store, retired);
    world_finish(world);
    assert_int_equal(record->ledger[0].lost, 100);
    assert_int_equal(record->ledger[0].recoverable, 0);
    world_free(world);
    record_free(record);
}

static void test_a_store_that_cannot_be_read_is_unknown(void **state)
{
    (void)state;
    struct model model = small_model();
    struct record *record = record_new();
    struct world *world = world_new(&model, 1, record);
    world_advance(world, SECOND);
    instance_stop(service_instance(world_service(world, "db"), 0), true);
    world_finish(world);
    assert_false(record->ledger[0].known);
    world_free(world);
    record_free(record);
}

/* Ten million records, two in a hundred damaged here and there, deleted, restored: exact and small.
 */
static void test_ten_million_records(void **state)
{
    (void)state;
    table.records = 10000000;
    struct model model = small_model();
    struct record *record = record_new();
    struct world *world = world_new(&model, 1, record);
    world_advance(world, SECOND);
    struct store *store = world_store(world, "db");
    struct dataset *backup = dataset_copy(store_serving(store));
    struct idset broken = {0};
    for (int64_t id = 0; id < 10000000; id += 50)
        idset_add(&broken, id, id + 1);
    store_because(store, "damage");
    dataset_delete_set(store_serving(store), "t", &broken);
    assert_int_equal(idset_count(dataset_rows(store_serving(store), "t")), 10000000 - 200000);
    dataset_delete(backup, "t", 9999000, 10000000);
    store_because(store, "restore");
    store_serve(store, backup);
    world_finish(world);
    assert_int_equal(record->ledger[0].lost, 1000);
    assert_int_equal(record->ledger[0].n_blame, 2); /* 20 of them were damaged before */
    idset_release(&broken);
    world_free(world);
    record_free(record);
    table.records = 100;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sets_behave_like_sets),
        cmocka_unit_test(test_copies_do_not_see_each_other),
        cmocka_unit_test(test_row_times),
        cmocka_unit_test(test_fates),
        cmocka_unit_test(test_points_in_time),
        cmocka_unit_test(test_recoverable_ends_with_the_copy),
        cmocka_unit_test(test_a_store_that_cannot_be_read_is_unknown),
        cmocka_unit_test(test_ten_million_records),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
