/* sqlite3 on the file of a store, as SQLite 3.40's own shell answers. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "fakes/fake.h"
#include "procedures/drill/model_load.h"
#include "sim/world/store.h"
#include "tests/call_double.h"

static const char system_text[] =
    "format: rehearse.system/1\n"
    "name: t\n"
    "services: {app: {versions: {v1: {}}}, lite: {versions: {v1: {}}}}\n"
    "traffic: {users: {to: app, rate: 10/s, writes: {lite.users: 100%}}}\n"
    "stores:\n"
    "  lite:\n"
    "    engine: sqlite 3\n"
    "    service: lite\n"
    "    path: /data/app.db\n"
    "    container: app1\n"
    "    tables: {users: {records: 1000, history: 1d}}\n"
    "    setup: CREATE TABLE users (id integer PRIMARY KEY, created_at timestamp, name text)\n";

struct fixture {
    struct arena arena;
    struct model model;
    struct record *record;
    struct world *world;
    struct call_double d;
};

static int set_up(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);
    struct error error = {.text = ""};
    struct doc *doc;
    if (doc_read_text(&f->arena, "system.yaml", str_of(system_text), &doc, &error) < 0 ||
        (model_defaults(&f->model), model_load_system(&f->arena, doc, NULL, &f->model, &error)) < 0) {
        print_error("%s\n", error.text);
        return -1;
    }
    f->model.start_unix_ns = INT64_C(1736949600) * SECOND;
    f->record = record_new();
    f->world = world_new(&f->model, 1, f->record);
    double_init(&f->d, f->world, f->record);
    for (int i = 0; all_fakes[i]; i++) {
        if (all_fakes[i]->setup && all_fakes[i]->setup(&f->d.env, doc_get(doc, all_fakes[i]->name), &error) < 0) {
            print_error("%s\n", error.text);
            return -1;
        }
    }
    world_advance(f->world, 60 * SECOND);
    f->d.call.place = "app1";
    *state = f;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;
    for (int i = 0; all_fakes[i]; i++) {
        if (all_fakes[i]->release)
            all_fakes[i]->release(&f->d.env);
    }
    double_release(&f->d);
    world_free(f->world);
    record_free(f->record);
    arena_release(&f->arena);
    free(f);
    return 0;
}

struct row {
    const char *line, *expected;
};

static void check(struct fixture *f, const struct row *rows, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        f->d.input = STR("");
        int status = double_run(&f->d, rows[i].line);
        const char *got = arena_printf(&f->arena, "%s%s[%d]", double_out(&f->d), double_err(&f->d), status);
        if (strcmp(got, rows[i].expected) != 0)
            fail_msg("%s\n--- got\n%s\n--- want\n%s", rows[i].line, got, rows[i].expected);
    }
}

static void test_words_of_sqlite3(void **state)
{
    static const struct row rows[] = {
        {"sqlite3 /data/app.db 'SELECT 1;'", "1\n[0]"},
        {"sqlite3 /data/app.db 'SELECT COUNT(*) FROM users WHERE id < 500;'", "500\n[0]"},
        {"sqlite3 /data/app.db 'SELECT * FROM nope;'", "Error: in prepare, no such table: nope\n[1]"},
        {"sqlite3 /data/app.db 'SELEC 1'",
         "Error: in prepare, near \"SELEC\": syntax error\n  SELEC 1\n  ^--- error here\n[1]"},
        {"sqlite3 /data/app.db .tables", "users\n[0]"},
        {"sqlite3 /data/app.db 'PRAGMA integrity_check;'", "ok\n[0]"},
        {"sqlite3 -header /data/app.db 'SELECT id, length(name) AS n FROM users WHERE id = 7'", "id|n\n7|21\n[0]"},
        {"sqlite3 -json /data/app.db 'SELECT 1 AS a, NULL AS b'", "[{\"a\":1,\"b\":null}]\n[0]"},
        {"sqlite3 -header -column /data/app.db 'SELECT 1 AS id, 2 AS b'", "id  b\n--  -\n1   2\n[0]"},
        {"sqlite3 -csv /data/app.db 'SELECT 1, 2'", "1,2\r\n[0]"},
        {"sqlite3 /data/app.db .nope",
         "Error: unknown command or invalid arguments:  \"nope\". Enter \".help\" for help\n[1]"},
        {"sqlite3 /nowhere/x.db 'SELECT 1'",
         "Error: unable to open database \"/nowhere/x.db\": unable to open database file\n[1]"},
        {"sqlite3 /data/app.db \"SELECT date('now')\"", "2025-01-15\n[0]"},
        {"sqlite3 /data/app.db 'INSERT INTO users (id, name) VALUES (3, 1)'",
         "Error: stepping, UNIQUE constraint failed: users.id (19)\n[19]"},
    };
    check(*state, rows, sizeof rows / sizeof *rows);
}

static void test_the_ledger_follows(void **state)
{
    struct fixture *f = *state;
    struct store *store = world_store(f->world, "lite");
    static const struct row rows[] = {
        {"sqlite3 /data/app.db '.backup /data/old.db'", "[0]"},
        {"sqlite3 /data/app.db 'DELETE FROM users WHERE id < 100'", "[0]"},
        {"sqlite3 /data/app.db 'SELECT count(*) FROM users WHERE id < 500'", "400\n[0]"},
        {"sqlite3 /data/old.db 'SELECT count(*) FROM users WHERE id < 500'", "500\n[0]"},
    };
    check(f, rows, sizeof rows / sizeof *rows);
    assert_false(idset_has(dataset_rows(store_serving(store), "users"), 99));
    assert_true(idset_has(dataset_rows(store_serving(store), "users"), 100));
    static const struct row drop[] = {{"sqlite3 /data/app.db 'DROP TABLE users'", "[0]"}, {"sqlite3 /data/app.db .tables", "[0]"}};
    check(f, drop, 2);
    assert_false(dataset_has_table(store_serving(store), "users"));
    double_file(&f->d, "app1", "/data/text.db", "hello\n");
    static const struct row text[] = {
        {"sqlite3 /data/text.db 'SELECT * FROM x'", "Error: in prepare, file is not a database (26)\n[26]"}};
    check(f, text, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_words_of_sqlite3, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_the_ledger_follows, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
