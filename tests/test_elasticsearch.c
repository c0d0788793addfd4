/* Elasticsearch over curl: indices, snapshots and the rules of a restore, from the 8.11 reference. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "procedures/drill/model_load.h"
#include "tests/call_double.h"

extern const struct fake fake_elasticsearch;

static const char system_text[] =
    "format: rehearse.system/1\n"
    "name: t\n"
    "services:\n"
    "  app: {versions: {v1: {}}, calls: {search: 1}}\n"
    "  search: {versions: {'8.11.1': {}}}\n"
    "traffic: {users: {to: app, rate: 10/s, writes: {es.logs-1: 100%}}}\n"
    "stores:\n"
    "  es: {engine: elasticsearch 8, service: search, repository: nightly, tables: {logs-1: {records: 100000}, logs-2: {}}}\n"
    "backups:\n"
    "  daily: {store: es, every: 1h, first: 1m, to: /backups, file: 'snapshot_%H%M', keep: 3}\n";

struct fixture {
    struct arena arena;
    struct model model;
    struct record *record;
    struct world *world;
    struct call_double d;
};

static int set_up(void **state)
{
    static struct fixture f;
    struct doc *doc = NULL;
    struct error error = {""};
    f = (struct fixture){0};
    model_defaults(&f.model);
    if (doc_read_text(&f.arena, "system.yaml", str_of(system_text), &doc, &error) < 0 ||
        model_load_system(&f.arena, doc, NULL, &f.model, &error) < 0)
        fail_msg("%s", error.text);
    f.record = record_new();
    f.model.start_unix_ns = INT64_C(1736949600) * SECOND; /* 14:00 UTC */
    f.world = world_new(&f.model, 1, f.record);
    double_init(&f.d, f.world, f.record);
    if (fake_elasticsearch.setup(&f.d.env, NULL, &error) < 0)
        fail_msg("%s", error.text);
    world_advance(f.world, 2 * MINUTE); /* a snapshot was made at 14:01 */
    *state = &f;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;
    fake_elasticsearch.release(&f->d.env);
    double_release(&f->d);
    world_free(f->world);
    record_free(f->record);
    arena_release(&f->arena);
    return 0;
}

static const char *ask(struct fixture *f, const char *method, const char *path, const char *body)
{
    const char *url = arena_printf(&f->d.arena, "localhost:9200%s", path);
    char *argv[] = {"curl", "-s", "-X", (char *)(uintptr_t)method, (char *)(uintptr_t)url, "-d", (char *)(uintptr_t)body,
                    NULL};
    if (!body)
        argv[5] = NULL;
    assert_int_equal(double_run_argv(&f->d, argv), 0);
    return double_out(&f->d);
}

static int64_t documents(struct fixture *f)
{
    return idset_count(dataset_rows(store_serving(world_store(f->world, "es")), "logs-1"));
}

static void looking_around(void **state)
{
    struct fixture *f = *state;
    assert_non_null(strstr(ask(f, "GET", "/_cluster/health", NULL), "\"status\":\"green\""));
    const char *indices = ask(f, "GET", "/_cat/indices?v", NULL);
    assert_int_equal(strncmp(indices, "health status index  uuid                   pri rep docs.count docs.deleted "
                                      "store.size pri.store.size\n",
                             80), 0);
    assert_non_null(strstr(indices, "green  open   logs-1 "));
    assert_non_null(strstr(ask(f, "GET", "/nope/_search", NULL), "index_not_found_exception"));
    assert_non_null(strstr(ask(f, "GET", "/_nope", NULL), "no handler found for uri [/_nope] and method [GET]"));
    assert_non_null(strstr(ask(f, "GET", "/logs-1/_close", NULL), "Incorrect HTTP method for uri [/logs-1/_close]"));
}

static void a_closed_index_takes_nothing(void **state)
{
    struct fixture *f = *state;
    assert_string_equal(ask(f, "POST", "/logs-1/_close", NULL),
                        "{\"acknowledged\":true,\"shards_acknowledged\":true,\"indices\":{\"logs-1\":{\"closed\":true}}}");
    int64_t before = documents(f);
    world_advance(f->world, world_now(f->world) + MINUTE);
    assert_int_equal(documents(f), before);
    assert_non_null(strstr(ask(f, "GET", "/logs-1/_search", NULL), "index_closed_exception"));
    ask(f, "POST", "/logs-1/_open", NULL);
    world_advance(f->world, world_now(f->world) + MINUTE);
    assert_true(documents(f) > before);
}

#define RESTORE "/_snapshot/nightly/snapshot_1401/_restore"
#define ONE_INDEX "{\"indices\": \"logs-1\", \"ignore_unavailable\": true, \"include_global_state\": false}"

static void a_restore_onto_an_open_index_is_refused(void **state)
{
    struct fixture *f = *state;
    int64_t before = documents(f);
    const char *answer = ask(f, "POST", RESTORE, ONE_INDEX);
    assert_non_null(strstr(answer, "snapshot_restore_exception"));
    assert_non_null(strstr(answer, "cannot restore index [logs-1] because an open index with same name already exists"));
    world_advance(f->world, world_now(f->world) + MINUTE);
    assert_true(documents(f) >= before);
}

static void what_came_after_the_snapshot_is_lost(void **state)
{
    struct fixture *f = *state;
    ask(f, "POST", "/logs-1/_close", NULL);
    struct step *step = record_step_begin(f->record, "playbook.md", 3, "curl .../_restore");
    assert_string_equal(ask(f, "POST", RESTORE, ONE_INDEX), "{\"accepted\":true}");
    record_step_end(f->record, step, 0);
    record_step_begin(f->record, "playbook.md", 5, "watch ...");
    assert_non_null(strstr(ask(f, "GET", "/_cat/recovery?v&h=index,stage,type,percent", NULL),
                           "index  stage type           percent\nlogs-1 index snapshot       "));
    world_advance(f->world, world_now(f->world) + MINUTE);
    assert_non_null(strstr(ask(f, "GET", "/_cat/recovery?h=index,stage,type,percent", NULL),
                           "logs-1 done snapshot       100.0%\n"));
    assert_non_null(strstr(ask(f, "GET", "/logs-1/_count", NULL), "{\"count\":")); /* open again by itself */
    world_finish(f->world);
    const struct ledger_row *row = &f->record->ledger[0];
    assert_true(row->lost > 0);
    assert_true(row->lost <= 70 * 10); /* what was written in the minute since 14:01 */
    assert_int_equal(row->n_blame, 1);
    assert_int_equal(row->blame[0].step, 1); /* the order, not whatever ran when it was carried out */
    assert_true(f->record->steps[0].n_changed >= 2);
    assert_int_equal(f->record->current_step, 2);
}

/* The only shard is broken: nobody can read what it held, so it is lost unless a snapshot brings it back. */
static void a_corrupt_index_has_lost_what_no_snapshot_holds(void **state)
{
    struct fixture *f = *state;
    int64_t held = documents(f);
    world_set(f->world, "elasticsearch.logs-1", "corrupt");
    world_advance(f->world, world_now(f->world) + 2 * SECOND);
    const char *indices = ask(f, "GET", "/_cat/indices?h=health,index,docs.count", NULL);
    assert_non_null(strstr(indices, "red   logs-1  \n")); /* no primary that could be asked for its counts */
    assert_non_null(strstr(ask(f, "GET", "/logs-1/_count", NULL), "all shards failed"));
    ask(f, "POST", "/logs-1/_close", NULL);
    record_step_begin(f->record, "playbook.md", 3, "curl .../_restore");
    ask(f, "POST", RESTORE, ONE_INDEX);
    world_advance(f->world, world_now(f->world) + MINUTE);
    assert_true(documents(f) > 100000 && documents(f) < held + 10 * 60);
    world_finish(f->world);
    const struct ledger_row *row = &f->record->ledger[0];
    assert_true(row->lost > 0 && row->lost <= 70 * 10);
    assert_int_equal(row->n_blame, 1);
    assert_int_equal(row->blame[0].step, 0); /* not the restore, which brought back what there was */
}

static void a_corrupt_index_that_stays_so_is_lost(void **state)
{
    struct fixture *f = *state;
    world_set(f->world, "elasticsearch.logs-1", "corrupt");
    world_advance(f->world, world_now(f->world) + 2 * SECOND);
    world_finish(f->world);
    const struct ledger_row *row = &f->record->ledger[0];
    assert_true(row->lost >= 100000);
    assert_true(row->recoverable >= 100000 && row->recoverable < row->lost); /* the snapshot has most of it */
}

static void unknown_names(void **state)
{
    struct fixture *f = *state;
    assert_non_null(strstr(ask(f, "POST", "/_snapshot/other/snapshot_1401/_restore", ONE_INDEX),
                           "repository_missing_exception"));
    assert_non_null(strstr(ask(f, "POST", "/_snapshot/nightly/snapshot_9999/_restore", ONE_INDEX),
                           "[nightly:snapshot_9999] snapshot does not exist"));
    assert_non_null(strstr(ask(f, "POST", RESTORE, "{"), "parse_exception"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(looking_around, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_closed_index_takes_nothing, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_restore_onto_an_open_index_is_refused, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_came_after_the_snapshot_is_lost, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_corrupt_index_has_lost_what_no_snapshot_holds, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_corrupt_index_that_stays_so_is_lost, set_up, tear_down),
        cmocka_unit_test_setup_teardown(unknown_names, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
