/* Elasticsearch over curl: indices, snapshots and the rules of a restore, from the 8.11 reference.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "fakes/elasticsearch/node.h"
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
    "  es: {engine: elasticsearch 8, service: search, repository: nightly, tables: {logs-1: "
    "{records: 100000}, logs-2: {}}}\n"
    "backups:\n"
    "  daily: {store: es, every: 1h, first: 1m, to: /backups, file: 'snapshot_%H%M', keep: 3}\n";

struct fixture {
    struct arena arena;
    struct model model;
    struct record *record;
    struct world *world;
    struct call_double d;
};

static int set_up_with(void **state, const char *text)
{
    static struct fixture f;
    struct doc *doc = NULL;
    struct error error = {""};
    f = (struct fixture){0};
    model_defaults(&f.model);
    if (doc_read_text(&f.arena, "system.yaml", str_of(text), &doc, &error) < 0 ||
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

static int set_up(void **state)
{
    return set_up_with(state, system_text);
}

static int set_up_opensearch(void **state)
{
    static const char text[] =
        "format: rehearse.system/1\n"
        "name: t\n"
        "services: {search: {versions: {'2.11.0': {}}}}\n"
        "stores: {os: {engine: opensearch 2, service: search, tables: {logs-1: {records: 10}}}}\n";
    return set_up_with(state, text);
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
    char *argv[] = {"curl",
                    "-s",
                    "-X",
                    (char *)(uintptr_t)method,
                    (char *)(uintptr_t)url,
                    "-H",
                    "Content-Type: application/json",
                    "--data-binary",
                    (char *)(uintptr_t)body,
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
    assert_int_equal(
        strncmp(indices,
                "health status index  uuid                   pri rep docs.count docs.deleted "
                "store.size pri.store.size\n",
                80),
        0);
    assert_non_null(strstr(indices, "green  open   logs-1 "));
    assert_non_null(strstr(ask(f, "GET", "/nope/_search", NULL), "index_not_found_exception"));
    assert_non_null(strstr(ask(f, "GET", "/logs-1/_nope", NULL),
                           "no handler found for uri [/logs-1/_nope] and method [GET]"));
    assert_non_null(strstr(ask(f, "GET", "/logs-1/_close", NULL),
                           "Incorrect HTTP method for uri [/logs-1/_close]"));
}

static void a_closed_index_takes_nothing(void **state)
{
    struct fixture *f = *state;
    assert_string_equal(ask(f, "POST", "/logs-1/_close", NULL),
                        "{\"acknowledged\":true,\"shards_acknowledged\":true,\"indices\":{\"logs-"
                        "1\":{\"closed\":true}}}");
    int64_t before = documents(f);
    world_advance(f->world, world_now(f->world) + MINUTE);
    assert_int_equal(documents(f), before);
    assert_non_null(strstr(ask(f, "GET", "/logs-1/_search", NULL), "index_closed_exception"));
    ask(f, "POST", "/logs-1/_open", NULL);
    world_advance(f->world, world_now(f->world) + MINUTE);
    assert_true(documents(f) > before);
}

#define RESTORE "/_snapshot/nightly/snapshot_1401/_restore"
#define ONE_INDEX                                                                                  \
    "{\"indices\": \"logs-1\", \"ignore_unavailable\": true, \"include_global_state\": false}"

static void a_restore_onto_an_open_index_is_refused(void **state)
{
    struct fixture *f = *state;
    int64_t before = documents(f);
    const char *answer = ask(f, "POST", RESTORE, ONE_INDEX);
    assert_non_null(strstr(answer, "snapshot_restore_exception"));
    assert_non_null(strstr(
        answer,
        "cannot restore index [logs-1] because an open index with same name already exists"));
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
    assert_non_null(
        strstr(ask(f, "GET", "/_cat/recovery?v&h=index,stage,type,bytes_percent", NULL),
               "index  stage type           bytes_percent\nlogs-1 index snapshot       "));
    world_advance(f->world, world_now(f->world) + MINUTE);
    assert_non_null(strstr(ask(f, "GET", "/_cat/recovery?h=index,stage,type,percent", NULL),
                           "logs-1 done snapshot\n")); /* there is no column `percent` */
    assert_non_null(
        strstr(ask(f, "GET", "/logs-1/_count", NULL), "{\"count\":")); /* open again by itself */
    world_finish(f->world);
    const struct ledger_row *row = &f->record->ledger[0];
    assert_true(row->lost > 0);
    assert_true(row->lost <= 70 * 10); /* what was written in the minute since 14:01 */
    assert_int_equal(row->n_blame, 1);
    assert_int_equal(row->blame[0].step,
                     1); /* the order, not whatever ran when it was carried out */
    assert_true(f->record->steps[0].n_changed >= 2);
    assert_int_equal(f->record->current_step, 2);
}

/* The only shard is broken: nobody can read what it held, so it is lost unless a snapshot brings it
 * back. */
static void a_corrupt_index_has_lost_what_no_snapshot_holds(void **state)
{
    struct fixture *f = *state;
    int64_t held = documents(f);
    world_set(f->world, "elasticsearch.logs-1", "corrupt");
    world_advance(f->world, world_now(f->world) + 2 * SECOND);
    const char *indices = ask(f, "GET", "/_cat/indices?h=health,index,docs.count", NULL);
    assert_non_null(
        strstr(indices, "red   logs-1  \n")); /* no primary that could be asked for its counts */
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
    assert_int_equal(row->blame[0].step,
                     0); /* not the restore, which brought back what there was */
}

static void a_corrupt_index_that_stays_so_is_lost(void **state)
{
    struct fixture *f = *state;
    world_set(f->world, "elasticsearch.logs-1", "corrupt");
    world_advance(f->world, world_now(f->world) + 2 * SECOND);
    world_finish(f->world);
    const struct ledger_row *row = &f->record->ledger[0];
    assert_true(row->lost >= 100000);
    assert_true(row->recoverable >= 100000 &&
                row->recoverable < row->lost); /* the snapshot has most of it */
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

/* ---- tests/data/elasticsearch/requests.txt: requests, and the status and body that the reference
 * gives ---- */

/* "> METHOD PATH [BODY]" ("\\n" in it are line ends), "< STATUS BODY" (* stands for anything), "+
 * SECONDS", "# words". */
static void table(void **state, const char *path)
{
    struct fixture *f = *state;
    struct buf text;
    int line_number = 0, wrong = 0, n = 0;
    const char *got = "";
    buf_init(&text, 1 << 20);
    assert_int_equal(buf_read_file(&text, path), 0);
    struct str rest = buf_text(&text);
    while (rest.len) {
        struct str line = str_cut(&rest, '\n');
        line_number++;
        if (!line.len || line.at[0] == '#')
            continue;
        struct str words = {line.at + 2, line.len - 2};
        int64_t seconds = 0;
        if (line.at[0] == '+' && str_int64(words, &seconds)) {
            int64_t until_ns = world_now(f->world) + seconds * SECOND;
            while (world_now(f->world) < until_ns)
                world_advance(f->world, until_ns);
        } else if (line.at[0] == '>') {
            struct str method = str_cut(&words, ' '), target = str_cut(&words, ' ');
            char *body = arena_str(&f->arena, words);
            size_t k = 0;
            for (size_t i = 0; body[i]; i++, k++) {
                bool newline = body[i] == '\\' && body[i + 1] == 'n' && body[i + 2] != 'n';
                body[k] = newline ? '\n' : body[i];
                i += newline;
            }
            body[k] = '\0';
            char *argv[] = {"curl",
                            "-s",
                            "-w",
                            "\n%{http_code}",
                            "-X",
                            arena_str(&f->arena, method),
                            arena_printf(&f->arena, "localhost:9200%.*s", STR_ARG(target)),
                            "-H",
                            strstr(target.at, "_bulk") ? "Content-Type: application/x-ndjson"
                                                       : "Content-Type: application/json",
                            "--data-binary",
                            body,
                            NULL};
            if (!k)
                argv[9] = NULL;
            if (str_is(method, "HEAD"))
                argv[4] = "-I", argv[5] = argv[6], argv[6] = NULL;
            int code = double_run_argv(&f->d, argv);
            got = code ? arena_printf(&f->arena, "curl ended with %d", code)
                       : arena_strdup(&f->arena, double_out(&f->d));
        } else if (line.at[0] == '<') {
            struct str pattern = words, status = str_cut(&pattern, ' ');
            const char *last = strrchr(got, '\n');
            struct str body = {got, last ? (size_t)(last - got) : 0};
            n++;
            char *one_line = arena_str(&f->arena, body);
            size_t k = 0;
            for (size_t i = 0; i < body.len; i++) {
                if (one_line[i] != '\r')
                    one_line[k++] = one_line[i] == '\n' ? '|' : one_line[i];
            }
            one_line[k] = '\0';
            if (!last || !str_is(status, last + 1) ||
                !es_matches(arena_str(&f->arena, pattern), str_of(one_line))) {
                print_error("%s:%d: want %.*s\n  got %s %s\n", path, line_number, STR_ARG(words),
                            last ? last + 1 : "", one_line);
                wrong++;
            }
        }
    }
    buf_release(&text);
    assert_true(n > 20);
    assert_int_equal(wrong, 0);
}

static void requests_as_in_the_reference(void **state)
{
    table(state, "tests/data/elasticsearch/requests.txt");
}

static void requests_to_opensearch(void **state)
{
    table(state, "tests/data/elasticsearch/opensearch.txt");
}

/* A 200 with errors inside is noted: nobody sees it who looks at the status. */
static void errors_inside_a_200_are_noted(void **state)
{
    struct fixture *f = *state;
    struct step *step = record_step_begin(f->record, "playbook.md", 3, "curl .../_bulk");
    ask(f, "POST", "/logs-2/_bulk",
        "{\"index\":{}}\n{\"id\":\"not a number\"}\n{\"index\":{}}\n{\"id\":7}\n");
    record_step_end(f->record, step, 0);
    assert_int_equal(f->record->n_observations, 1);
    assert_string_equal(f->record->observations[0].id, "silent_failure");
    assert_string_equal(
        f->record->observations[0].message,
        "a bulk request was answered with 200 although 1 of its 2 actions were refused");
}

/* What is written through the API is acknowledged: a restore of an older snapshot loses it, and the
 * step is blamed. */
static void what_was_indexed_through_the_api_is_in_the_ledger(void **state)
{
    struct fixture *f = *state;
    ask(f, "PUT", "/logs-2/_doc/a", "{\"id\":1}");
    ask(f, "PUT", "/logs-2/_doc/b", "{\"id\":2}");
    ask(f, "DELETE", "/logs-2/_doc/b", NULL);
    world_finish(f->world);
    const struct ledger_row *row = &f->record->ledger[0];
    assert_int_equal(row->lost, 1); /* b; nothing of traffic */
    assert_int_equal(row->unexpected, 0);
    assert_int_equal(row->n_blame, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(looking_around, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_closed_index_takes_nothing, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_restore_onto_an_open_index_is_refused, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_came_after_the_snapshot_is_lost, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_corrupt_index_has_lost_what_no_snapshot_holds, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_corrupt_index_that_stays_so_is_lost, set_up, tear_down),
        cmocka_unit_test_setup_teardown(unknown_names, set_up, tear_down),
        cmocka_unit_test_setup_teardown(requests_as_in_the_reference, set_up, tear_down),
        cmocka_unit_test_setup_teardown(requests_to_opensearch, set_up_opensearch, tear_down),
        cmocka_unit_test_setup_teardown(errors_inside_a_200_are_noted, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_was_indexed_through_the_api_is_in_the_ledger, set_up,
                                        tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
