/* sqlite3: the words and exit codes of version 3.40, taken from the real program, and files that
 * serve users. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "sim/world/store.h"
#include "tests/machine.h"
#include "tests/recorded.h"

static const char system_text[] = "services:\n"
                                  "  app:\n"
                                  "    versions:\n"
                                  "      v1:\n"
                                  "        needs: {up: [db]}\n"
                                  "        when: [{settings: {ENGINE: sqlite}, needs: {}}]\n"
                                  "  db: {}\n"
                                  "traffic: {users: {to: app, rate: 2/s, writes: {notes: 100%}}}\n"
                                  "stores:\n"
                                  "  data:\n"
                                  "    engine: postgresql 15\n"
                                  "    service: db\n"
                                  "    database: app\n"
                                  "    user: app\n"
                                  "    host: db\n"
                                  "    tables: {notes: {records: 1000, history: 10d}}\n"
                                  "sqlite:\n"
                                  "  /srv/data/app.db:\n"
                                  "    store: data\n"
                                  "    until: 5d\n"
                                  "    setup: CREATE TABLE notes (id INTEGER PRIMARY KEY, "
                                  "created_at TEXT NOT NULL, body TEXT NOT NULL)\n"
                                  "    serves: {service: app, setting: ENGINE, value: sqlite}\n";

static const struct machine_file files[] = {
    {"/root/i.csv", "3,three\n4,\"four, or so\"\n"},
    {"/root/bad.csv", "3,again\n5\n"},
    {"/root/garbage.db",
     "garbage, and no database at all: long enough for a header or two, which are a hundred bytes"},
    {NULL, NULL},
};

static void begin(struct machine *m)
{
    machine_init(m, system_text, NULL, files);
    m->d.call.cwd = "/root";
}

static void test_words(void **state)
{
    (void)state;
    static const struct {
        const char *command, *input;
        int code;
        const char *out, *err;
    } cases[] = {
        {"sqlite3 t.db \"create table a(id integer primary key, b text); insert into a "
         "values(1,'x'),(2,null);\"",
         NULL, 0, "", ""},
        {"sqlite3 t.db 'select * from a'", NULL, 0, "1|x\n2|\n", ""},
        {"sqlite3 t.db 'select * from a; select * from nope'", NULL, 1, "1|x\n2|\n",
         "Error: in prepare, no such table: nope\n"},
        {"sqlite3 t.db 'selec 1'", NULL, 1, "",
         "Error: in prepare, near \"selec\": syntax error\n  selec 1\n  ^--- error here\n"},
        {"sqlite3 t.db", "select 1;\nselect * from nope;\nselect 2;\n", 1, "1\n2\n",
         "Parse error near line 2: no such table: nope\n"},
        {"sqlite3 -bail t.db", "select * from nope;\nselect 2;\n", 1, "",
         "Parse error near line 1: no such table: nope\n"},
        {"sqlite3 t.db", "select 1", 0, "1\n", ""},
        {"sqlite3 -header -column t.db 'select * from a'", NULL, 0, "id  b\n--  -\n1   x\n2    \n",
         ""},
        {"sqlite3 -line t.db 'select * from a'", NULL, 0,
         "   id = 1\n    b = x\n\n   id = 2\n    b = \n", ""},
        {"sqlite3 -json t.db 'select * from a'", NULL, 0,
         "[{\"id\":1,\"b\":\"x\"},\n{\"id\":2,\"b\":null}]\n", ""},
        {"sqlite3 -csv t.db \"select 'a,b',1\"", NULL, 0, "\"a,b\",1\n", ""},
        {"sqlite3 t.db .tables", NULL, 0, "a\n", ""},
        {"sqlite3 t.db .schema", NULL, 0, "CREATE TABLE a(id integer primary key, b text);\n", ""},
        {"sqlite3 t.db .dump", NULL, 0,
         "PRAGMA foreign_keys=OFF;\nBEGIN TRANSACTION;\nCREATE TABLE a(id integer primary key, b "
         "text);\n"
         "INSERT INTO a VALUES(1,'x');\nINSERT INTO a VALUES(2,NULL);\nCOMMIT;\n",
         ""},
        {"sqlite3 /nope/x.db 'select 1'", NULL, 1, "",
         "Error: unable to open database \"/nope/x.db\": unable to open database file\n"},
        {"sqlite3 -foo x", NULL, 1, "",
         "sqlite3: Error: unknown option: -foo\nUse -help for a list of options.\n"},
        {"sqlite3 t.db .foo", NULL, 1, "",
         "Error: unknown command or invalid arguments:  \"foo\". Enter \".help\" for help\n"},
        {"sqlite3 t.db '.mode csv' '.import i.csv a'", NULL, 0, "", ""},
        {"sqlite3 t.db 'select b from a where id > 2'", NULL, 0, "three\nfour, or so\n", ""},
        {"sqlite3 t.db '.import --csv bad.csv a'", NULL, 0, "",
         "bad.csv:1: INSERT failed: UNIQUE constraint failed: a.id\n"
         "bad.csv:2: expected 2 columns but found 1 - filling the rest with NULL\n"},
        {"sqlite3 t.db \"insert into a values(1,'y')\"", NULL, 19, "",
         "Error: stepping, UNIQUE constraint failed: a.id (19)\n"},
        {"sqlite3 t.db", "insert into a values(1,'y');\n", 1, "",
         "Runtime error near line 1: UNIQUE constraint failed: a.id (19)\n"},
        {"sqlite3 t.db 'pragma integrity_check'", NULL, 0, "ok\n", ""},
        {"sqlite3 garbage.db 'select * from a'", NULL, 26, "",
         "Error: in prepare, file is not a database (26)\n"},
        {"sqlite3 t.db '.backup b.db'", NULL, 0, "", ""},
        {"sqlite3 b.db 'select count(*) from a' 'select 5'", NULL, 0, "5\n5\n", ""},
        {"sqlite3 t.db", ".headers on\nselect * from a limit 1;\n.quit\nselect 7;\n", 0,
         "id|b\n1|x\n", ""},
        {"sqlite3 -readonly t.db 'delete from a'", NULL, 8, "",
         "Error: stepping, attempt to write a readonly database (8)\n"},
        {"sqlite3 t.db 'begin; delete from a'", NULL, 0, "", ""}, /* never committed */
        {"sqlite3 t.db 'select count(*) from a'", NULL, 0, "5\n", ""},
        {"sqlite3 :memory: \"select datetime('now')\"", NULL, 0, "2025-01-15 14:00:00\n", ""},
    };
    struct machine m;
    begin(&m);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        m.d.input = str_of(cases[i].input);
        int code = double_run(&m.d, cases[i].command);
        if (code != cases[i].code || strcmp(double_out(&m.d), cases[i].out) != 0 ||
            strcmp(double_err(&m.d), cases[i].err) != 0)
            fail_msg("%s\nexit %d\n%s%s", cases[i].command, code, double_out(&m.d),
                     double_err(&m.d));
    }
    machine_release(&m);
}

static int64_t held(struct machine *m)
{
    return idset_count(dataset_rows(store_serving(world_store(m->world, "data")), "notes"));
}

static void restart_with(struct machine *m, const char *engine)
{
    struct instance *instance = service_instance(world_service(m->world, "app"), 0);
    instance_set_setting(instance, "ENGINE", engine);
    instance_stop(instance, true);
    instance_start(instance);
    machine_advance(m, world_now(m->world) + 30 * SECOND);
}

/* What was written since the file was left behind is not in it: lost for users, kept by the other
 * engine. */
static void test_switch_of_engines(void **state)
{
    (void)state;
    struct machine m;
    begin(&m);
    machine_holds(&m, "sqlite3 /srv/data/app.db 'select count(*), max(id) from notes'", 0,
                  "500|499\n", NULL);
    machine_advance(&m, MINUTE);
    int64_t before = held(&m);
    assert_true(before > 1060 && before < 1180);
    restart_with(&m, "sqlite");
    assert_true(held(&m) >= 500 && held(&m) < 600);
    machine_holds(&m, "psql -h db -U app -d app -tAc 'SELECT count(*) > 1060 FROM notes'", 0, "t\n",
                  NULL);

    /* without its other engine the application goes on; what it writes is in the file when somebody
     * looks */
    instance_stop(service_instance(world_service(m.world, "db"), 0), true);
    machine_advance(&m, world_now(m.world) + MINUTE);
    assert_int_equal(service_ready(world_service(m.world, "app")), 1);
    int64_t now = held(&m);
    assert_true(now > 600);
    machine_holds(&m, "sqlite3 /srv/data/app.db 'select count(*) >= 600 from notes'", 0, "1\n",
                  NULL);
    machine_holds(&m, "sqlite3 /srv/data/app.db 'select body from notes where id = 3'", 0,
                  "body 3\n", NULL);

    /* a statement of the operator is what users see */
    machine_holds(&m, "sqlite3 /srv/data/app.db 'delete from notes where id < 100'", 0, "", NULL);
    assert_true(held(&m) <= now - 100 + 10);
    assert_int_equal(dataset_rows(store_serving(world_store(m.world, "data")), "notes")->at[0].lo,
                     100);

    /* and back: what PostgreSQL had is there again, what SQLite had is not */
    instance_start(service_instance(world_service(m.world, "db"), 0));
    machine_advance(&m, world_now(m.world) + MINUTE);
    restart_with(&m, "postgresql");
    assert_true(held(&m) >= before);
    assert_int_equal(dataset_rows(store_serving(world_store(m.world, "data")), "notes")->at[0].lo,
                     0);
    machine_release(&m);
}

/* What is carried over by id is the same record: nothing is lost and nothing is there twice. */
static void test_carried_over(void **state)
{
    (void)state;
    struct machine m;
    begin(&m);
    machine_advance(&m, MINUTE);
    m.d.input = str_of(NULL);
    assert_int_equal(double_run(&m.d, "psql -h db -U app -d app -tA -F, -c 'SELECT id, created_at, "
                                      "data FROM notes WHERE id > 499'"),
                     0);
    struct buf rows;
    buf_init(&rows, 1 << 20);
    buf_puts(&rows, double_out(&m.d));
    m.d.input = buf_text(&rows);
    assert_int_equal(double_run(&m.d, "sqlite3 /srv/data/app.db '.import --csv /dev/stdin notes'"),
                     0);
    buf_release(&rows);
    m.d.input = str_of(NULL);
    restart_with(&m, "sqlite");
    world_finish(m.world);
    const struct ledger_row *ledger = &m.record->ledger[0];
    assert_int_equal(ledger->duplicated, 0);
    assert_int_equal(ledger->unexpected, 0);
    assert_true(ledger->lost < 60); /* written between the copy and the switch */
    machine_release(&m);
}

/* The last record is as old as the start: a file that holds all holds it, too. */
static void test_up_to_date(void **state)
{
    (void)state;
    struct machine m;
    struct arena arena = {0};
    const char *at = strstr(system_text, "until: 5d");
    machine_init(&m,
                 arena_printf(&arena, "%.*suntil: 0d%s", (int)(at - system_text), system_text,
                              at + strlen("until: 5d")),
                 NULL, NULL);
    m.d.call.cwd = "/root";
    machine_holds(&m, "sqlite3 /srv/data/app.db 'select count(*), max(id) from notes'", 0,
                  "1000|999\n", NULL);
    machine_release(&m);
    arena_release(&arena);
}

/* ---- the words of sqlite3 3.40, as it gave them (tests/data/sqlite, made by ci/check-real
 * --record) ---- */

static const char *ask(const char *line, void *ctx)
{
    struct machine *m = ctx;
    const char *input, *words = recorded_words(line, &input);
    m->d.input = str_of(input);
    int status = double_run(&m->d, arena_printf(&m->arena, "sqlite3 %s", words));
    return arena_printf(&m->arena, "%s%s[%d]\n", double_out(&m->d), double_err(&m->d), status);
}

static struct recorded recorded = {"tests/data/sqlite/answers.txt", "tests/data/sqlite/refused.txt",
                                   ask, NULL};

static void test_as_sqlite_answers(void **state)
{
    struct machine m;
    (void)state;
    begin(&m);
    recorded.ctx = &m;
    assert_int_equal(recorded_compare(&recorded), 0);
    machine_release(&m);
}

int main(int argc, char **argv)
{
    if (argc > 1) {
        struct machine m;
        begin(&m);
        recorded.ctx = &m;
        int status = recorded_main(&recorded, argc, argv);
        machine_release(&m);
        return status;
    }
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_words),
        cmocka_unit_test(test_switch_of_engines),
        cmocka_unit_test(test_up_to_date),
        cmocka_unit_test(test_carried_over),
        cmocka_unit_test(test_as_sqlite_answers),
    };
    return cmocka_run_group_tests_name("sqlite", tests, NULL, NULL);
}
