/* PostgreSQL and psql: statements with their expected text and exit codes, as PostgreSQL 15 gives
 * them, over a world whose traffic writes one table. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include <cmocka.h>

#include "fakes/fake.h"
#include "procedures/drill/model_load.h"
#include "sim/world/store.h"
#include "tests/call_double.h"

static const char system_text[] =
    "format: rehearse.system/1\n"
    "name: t\n"
    "services:\n"
    "  app: {versions: {v1: {time: {p50: 10ms, p99: 20ms}}}, calls: {db: 1}}\n"
    "  db: {versions: {\"15\": {time: {p50: 1ms, p99: 2ms}, start: 2s}}}\n"
    "traffic: {users: {to: app, rate: 10/s, writes: {db.events: 100%}}}\n"
    "stores:\n"
    "  db:\n"
    "    engine: postgresql 15\n"
    "    service: db\n"
    "    database: shop\n"
    "    user: owner\n"
    "    container: db1\n"
    "    schema: 42\n"
    "    archive: {delay: 1m, to: /archive}\n"
    "    tables: {events: {records: 1000000, history: 10d}}\n"
    "    setup: |\n"
    "      CREATE TABLE events (id bigserial PRIMARY KEY, created_at timestamptz NOT NULL DEFAULT "
    "now(),\n"
    "                           source inet NOT NULL, payload text NOT NULL);\n"
    "      CREATE TABLE t (a integer PRIMARY KEY, b text);\n"
    "      INSERT INTO t VALUES (1, 'a'), (2, NULL);\n"
    "backups: {nightly: {store: db, every: 6h, to: /backups, file: \"shop_%Y%m%d_%H%M%S\"},\n"
    "          once: {store: db, at: [1s], to: /backups, file: shop.dump, format: custom}}\n";

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
        (model_defaults(&f->model), model_load_system(&f->arena, doc, NULL, &f->model, &error)) <
            0) {
        print_error("%s\n", error.text);
        return -1;
    }
    f->model.start_unix_ns = INT64_C(1736949600) * SECOND;
    f->record = record_new();
    f->world = world_new(&f->model, 1, f->record);
    double_init(&f->d, f->world, f->record);
    for (int i = 0; all_fakes[i]; i++) {
        if (all_fakes[i]->setup &&
            all_fakes[i]->setup(&f->d.env, doc_get(doc, all_fakes[i]->name), &error) < 0) {
            print_error("%s\n", error.text);
            return -1;
        }
    }
    world_advance(f->world, 60 * SECOND);
    f->d.call.place = "db1";
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

/* One psql with this on its command line; all its output, stdout before stderr, and the exit code
 * at the end. */
static const char *psql(struct fixture *f, const char *input, const char *const *words)
{
    char *argv[32] = {(char *)(uintptr_t) "psql", (char *)(uintptr_t) "-U",
                      (char *)(uintptr_t) "owner"};
    int n = 3;
    for (; *words; words++)
        argv[n++] = (char *)(uintptr_t)*words;
    f->d.input = str_of(input ? input : "");
    int status = double_run_argv(&f->d, argv);
    return arena_printf(&f->arena, "%s%s[%d]", double_out(&f->d), double_err(&f->d), status);
}
#define PSQL(input, ...) psql(f, input, (const char *const[]){__VA_ARGS__, NULL})

static const char *sql(struct fixture *f, const char *text)
{
    return PSQL(NULL, "-d", "shop", "-c", text);
}

struct row {
    const char *sql, *expected;
};

static void gunzip(struct buf *out, struct str packed)
{
    z_stream z = {.next_in = (unsigned char *)(uintptr_t)packed.at,
                  .avail_in = (unsigned)packed.len};
    unsigned char block[4096];
    assert_int_equal(inflateInit2(&z, 15 + 16), Z_OK);
    int code;
    do {
        z.next_out = block;
        z.avail_out = sizeof block;
        code = inflate(&z, Z_NO_FLUSH);
        buf_add(out, block, sizeof block - z.avail_out);
    } while (code == Z_OK);
    inflateEnd(&z);
}

static void check(struct fixture *f, const struct row *rows, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        const char *got = sql(f, rows[i].sql);
        if (strcmp(got, rows[i].expected) != 0)
            fail_msg("%s\n--- got\n%s\n--- want\n%s", rows[i].sql, got, rows[i].expected);
    }
}
#define CHECK(rows) check(*state, rows, sizeof(rows) / sizeof *(rows))

static void test_words_of_psql(void **state)
{
    static const struct row rows[] = {
        {"select * from t", " a | b \n---+---\n 1 | a\n 2 | \n(2 rows)\n\n[0]"},
        {"update t set b = 'x' where a = 2", "UPDATE 1\n[0]"},
        {"select * from nope", "ERROR:  relation \"nope\" does not exist\nLINE 1: select * from "
                               "nope\n                      ^\n[1]"},
        {"", "[0]"},
    };
    CHECK(rows);
}

/* What the owner of a playbook pastes: terminate, drop, create, restore. The traffic goes on
 * meanwhile. */
static void test_restore_loses_what_came_after_the_backup(void **state)
{
    struct fixture *f = *state;
    struct store *store = world_store(f->world, "db");
    assert_string_equal(PSQL(NULL, "-d", "postgres", "-c", "DROP DATABASE shop"),
                        "ERROR:  database \"shop\" is being accessed by other users\n"
                        "DETAIL:  There are 2 other sessions using the database.\n[1]");
    assert_string_equal(PSQL(NULL, "-d", "postgres", "-tA", "-c",
                             "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname "
                             "= 'shop' AND pid <> "
                             "pg_backend_pid();",
                             "-c", "DROP DATABASE shop", "-c", "CREATE DATABASE shop"),
                        "t\nt\nDROP DATABASE\nCREATE DATABASE\n[0]");
    assert_int_equal(store_schema(store), 0);
    const char *path = "/backups/shop_20250115_140000.sql.gz";
    const char *packed = double_content(&f->d, "", path);
    assert_non_null(packed);
    struct buf gz, text;
    buf_init(&gz, 1 << 20);
    buf_init(&text, 4 << 20);
    f->d.call.place = "";
    assert_int_equal(call_load(&f->d.call, path, &gz), 0);
    f->d.call.place = "db1";
    gunzip(&text, buf_text(&gz));
    assert_string_equal(PSQL(text.at, "-d", "shop", "-q", "-v", "ON_ERROR_STOP=1", "-tA"),
                        "\n999998\n[0]");
    buf_release(&gz);
    buf_release(&text);
    assert_int_equal(store_schema(store), 42);
    /* Lost is what was acknowledged between the backup and the DROP; what comes after the restore
     * is there again. */
    assert_string_equal(sql(f, "SELECT count(*) FROM events WHERE id <= 999998"),
                        " count  \n--------\n 999999\n(1 row)\n\n[0]");
    assert_string_equal(
        sql(f,
            "SELECT count(*) FROM events WHERE created_at > '2025-01-15 14:00:01' AND created_at < "
            "'2025-01-15 14:01:00'"),
        " count \n-------\n     0\n(1 row)\n\n[0]");
    world_advance(f->world, 120 * SECOND);
    assert_true(idset_count(dataset_rows(store_serving(store), "events")) > 1000000);
}

/* A copied table holds what statements gave its rows, and a restore from it takes what is missing,
 * once. */
static void test_a_copy_of_a_table_and_back(void **state)
{
    static const struct row rows[] = {
        {"UPDATE events SET payload = CASE id % 2 WHEN 0 THEN 'even' ELSE 'odd' END WHERE id < 10",
         "UPDATE 10\n[0]"},
        {"CREATE TABLE kept AS SELECT * FROM events WHERE id < 10", "SELECT 10\n[0]"},
        {"SELECT payload, count(*) FROM kept GROUP BY 1 ORDER BY 1",
         " payload | count \n---------+-------\n even    |     5\n odd     |     5\n(2 "
         "rows)\n\n[0]"},
        {"DELETE FROM events WHERE id BETWEEN 3 AND 9 AND payload = 'odd'", "DELETE 4\n[0]"},
        {"INSERT INTO events SELECT * FROM kept WHERE payload != 'even'",
         "ERROR:  duplicate key value violates unique constraint \"events_pkey\"\nDETAIL:  Key "
         "(id)=(1) already exists.\n[1]"},
        {"INSERT INTO events SELECT * FROM kept k WHERE NOT EXISTS (SELECT 1 FROM events e WHERE "
         "e.id = k.id)",
         "INSERT 0 4\n[0]"},
        {"SELECT payload, count(*) FROM events WHERE id < 10 GROUP BY 1 ORDER BY 1",
         " payload | count \n---------+-------\n even    |     5\n odd     |     5\n(2 "
         "rows)\n\n[0]"},
    };
    struct fixture *f = *state;
    sql(f, "DELETE FROM events WHERE id >= 10");
    CHECK(rows);
    assert_string_equal(
        PSQL("\\set ON_ERROR_STOP on\nBEGIN;\nDELETE FROM events WHERE id = 1;\nCOMMIT;\n", "-d",
             "shop"),
        "BEGIN\nDELETE 1\nCOMMIT\n[0]");
}

/* Rows that no backup has are recoverable from a copied table, as long as it is there. */
static void test_a_copy_is_something_to_recover_from(void **state)
{
    struct fixture *f = *state;
    assert_string_equal(
        sql(f, "CREATE TABLE fresh AS SELECT * FROM events WHERE id BETWEEN 1000300 AND 1000309"),
        "SELECT 10\n[0]");
    assert_string_equal(
        sql(f, "CREATE TABLE twice AS SELECT * FROM events WHERE id BETWEEN 1000305 AND 1000314"),
        "SELECT 10\n[0]");
    assert_string_equal(sql(f, "DROP TABLE twice"), "DROP TABLE\n[0]");
    sql(f, "DELETE FROM events WHERE id >= 1000200");
    world_finish(f->world);
    assert_true(f->record->ledger[0].lost > 300);
    assert_int_equal(f->record->ledger[0].recoverable, 10);
}

static void test_mistakes_that_playbooks_make(void **state)
{
    struct fixture *f = *state;
    assert_string_equal(PSQL("SELECT 1", "-q"),
                        "psql: error: connection to server on socket "
                        "\"/var/run/postgresql/.s.PGSQL.5432\" failed: FATAL:  "
                        "database \"owner\" does not exist\n[2]");
    assert_string_equal(PSQL(NULL, "-d", "shop", "-c", "BEGIN", "-c", "COMMIT"),
                        "BEGIN\nCOMMIT\n[0]");
    assert_string_equal(
        PSQL("select 1 as a;\nselect * from nope;\nselect 2 as b;\n", "-d", "shop", "-tA"),
        "1\n2\nERROR:  relation \"nope\" does not exist\nLINE 1: select * from nope;\n"
        "                      ^\n[0]");
    assert_string_equal(
        PSQL("select 1 as a;\nselect * from nope;\nselect 2 as b;\n", "-d", "shop", "-tA", "-f",
             "-", "-v", "ON_ERROR_STOP=1"),
        "1\npsql:<stdin>:2: ERROR:  relation \"nope\" does not exist\nLINE 1: select * from nope;\n"
        "                      ^\n[3]");
    assert_string_equal(PSQL(NULL, "-d", "postgres", "-c", "DROP DATABASE x; CREATE DATABASE x"),
                        "ERROR:  DROP DATABASE cannot run inside a transaction block\n[1]");
    f->d.call.place = "";
    assert_string_equal(PSQL(NULL, "-d", "shop", "-c", "SELECT 1"),
                        "psql: error: connection to server on socket "
                        "\"/var/run/postgresql/.s.PGSQL.5432\" failed: No such file or "
                        "directory\n\tIs the server running locally and accepting connections on "
                        "that socket?\n[2]");
    assert_string_equal(
        PSQL(NULL, "-h", "localhost", "-d", "shop", "-c", "SELECT 1"),
        "psql: error: connection to server at \"localhost\" (127.0.0.1), port 5432 failed: "
        "Connection refused\n"
        "\tIs the server running on that host and accepting TCP/IP connections?\n[2]");
}

/* A command line in the server's container: stdout, stderr, [exit]. */
static const char *run(struct fixture *f, const char *line)
{
    int status = double_run(&f->d, line);
    return arena_printf(&f->arena, "%s%s[%d]", double_out(&f->d), double_err(&f->d), status);
}

/* A scheduled backup as pg_dump -Fc writes it is pg_restore's, and under its own name. */
static void test_a_backup_in_custom_format(void **state)
{
    struct fixture *f = *state;
    f->d.call.place = "";
    assert_non_null(strstr(run(f, "pg_restore --list /backups/shop.dump"), "TABLE public events"));
    assert_int_equal(double_run(&f->d, "pg_restore -h db -U owner -d shop --clean "
                                       "--if-exists /backups/shop.dump"),
                     0);
}

static void test_the_other_tools(void **state)
{
    struct fixture *f = *state;
    static const struct row rows[] = {
        {"pg_isready", "/var/run/postgresql:5432 - accepting connections\n[0]"},
        {"pg_isready -U owner -d shop", "/var/run/postgresql:5432 - accepting connections\n[0]"},
        {"pg_isready -h db -q", "[0]"},
        {"createdb -U owner copy", "[0]"},
        {"createdb -U owner copy", "createdb: error: database creation failed: ERROR:  database "
                                   "\"copy\" already exists\n[1]"},
        {"pg_dump -U owner -Fc -f /tmp/shop.dump shop", "[0]"},
        {"pg_dump -U owner -f /tmp/shop.sql shop", "[0]"},
        {"pg_dump -U owner none",
         "pg_dump: error: connection to server on socket \"/var/run/postgresql/.s.PGSQL.5432\" "
         "failed: FATAL:  database \"none\" "
         "does not exist\n[1]"},
        {"pg_restore -U owner -d copy /tmp/shop.sql",
         "pg_restore: error: input file appears to be a text format dump. Please use psql.\n[1]"},
        {"pg_restore -U owner -d copy /tmp/none", "pg_restore: error: could not open input file "
                                                  "\"/tmp/none\": No such file or directory\n[1]"},
        {"pg_restore --target-time=2025-01-15 /tmp/shop.dump",
         "pg_restore: unrecognized option '--target-time=2025-01-15'\n"
         "pg_restore: hint: Try \"pg_restore --help\" for more information.\n[1]"},
        {"pg_restore /tmp/shop.dump",
         "pg_restore: error: one of -d/--dbname and -f/--file must be specified\n[1]"},
        {"pg_restore -U owner -d copy /tmp/shop.dump", "[0]"},
        {"psql -U owner -d copy -tA -c 'SELECT (SELECT count(*) > 1000000 FROM events), (SELECT "
         "count(*) FROM t), max(version) "
         "FROM schema_migrations'",
         "t|2|42\n[0]"},
        {"psql -U owner -d copy -f /tmp/shop.dump",
         "The input is a PostgreSQL custom-format dump.\n"
         "Use the pg_restore command-line client to restore this dump to a database.\n[1]"},
        {"dropdb -U owner copy", "[0]"},
        {"dropdb -U owner copy",
         "dropdb: error: database removal failed: ERROR:  database \"copy\" does not exist\n[1]"},
        {"dropdb -U owner --if-exists copy",
         "NOTICE:  database \"copy\" does not exist, skipping\n[0]"},
        {"pg_basebackup -D /backup -F tar -z -P",
         "pg_basebackup: error: connection to server on socket "
         "\"/var/run/postgresql/.s.PGSQL.5432\" failed: FATAL:  role \"root\" "
         "does not exist\n[1]"},
        {"pg_basebackup -D /tmp -F tar -U owner",
         "pg_basebackup: error: directory \"/tmp\" exists but is not empty\n[1]"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const char *got = run(f, rows[i].sql);
        if (strcmp(got, rows[i].expected) != 0)
            fail_msg("%s\n--- got\n%s\n--- want\n%s", rows[i].sql, got, rows[i].expected);
    }
    /* Into a database that has it all already: every command fails, the restore goes on, the exit
     * code tells. */
    const char *again = run(f, "pg_restore -U owner -d shop /tmp/shop.dump");
    assert_non_null(strstr(again, "pg_restore: error: could not execute query: ERROR:  relation "
                                  "\"events\" already exists\n"));
    assert_non_null(strstr(again, "Command was: CREATE TABLE public.events ("));
    assert_non_null(strstr(again, "CONTEXT:  COPY events, line 1"));
    assert_non_null(strstr(again, "pg_restore: warning: errors ignored on restore: "));
    assert_string_equal(again + strlen(again) - 3, "[1]");
    assert_string_equal(run(f, "pg_basebackup -D /backup -F tar -z -U owner"), "[0]");
    assert_non_null(double_content(&f->d, "db1", "/backup/base.tar.gz"));
    assert_non_null(double_content(&f->d, "db1", "/backup/pg_wal.tar.gz"));
}

/* A dump that ends in the middle of a row: that COPY fails as a whole, what came before it is
 * there, psql says 0. */
static void test_a_truncated_dump_restores_a_part(void **state)
{
    struct fixture *f = *state;
    assert_string_equal(run(f, "pg_dump -U owner -f /tmp/shop.sql shop"), "[0]");
    const char *whole = double_content(&f->d, "db1", "/tmp/shop.sql");
    const char *cut = strstr(whole, "COPY public.t (a, b) FROM stdin;\n1\ta\n2");
    assert_non_null(cut);
    const char *part = arena_printf(&f->arena, "%.*s", (int)(strchr(cut, '\n') + 6 - whole), whole);
    run(f, "createdb -U owner copy");
    assert_string_equal(
        PSQL(part, "-d", "copy", "-q", "-tA"),
        "\nERROR:  missing data for column \"b\"\nCONTEXT:  COPY t, line 2: \"2\"\n[0]");
    assert_string_equal(PSQL(NULL, "-d", "copy", "-tA", "-c",
                             "SELECT (SELECT count(*) FROM events) > 1000000, count(*) FROM t"),
                        "t|0\n[0]");
    const char *second = strstr(strstr(whole, "\\identities ") + 1, "\\identities ");
    const char *middle = arena_printf(&f->arena, "%.*s", (int)(second + 5 - whole), whole);
    run(f, "dropdb -U owner copy");
    run(f, "createdb -U owner copy");
    assert_non_null(strstr(PSQL(middle, "-d", "copy", "-q", "-tA"),
                           "ERROR:  missing data for column \"created_at\"\n"));
    assert_string_equal(PSQL(NULL, "-d", "copy", "-tA", "-c", "SELECT count(*) FROM events"),
                        "0\n[0]");
}

/* What statements do to identities, as the ledger sees it. */
static void test_the_ledger_follows_statements(void **state)
{
    struct fixture *f = *state;
    struct store *store = world_store(f->world, "db");
    static const struct row rows[] = {
        {"CREATE TABLE keep AS SELECT * FROM events WHERE id < 5000", "SELECT 5000\n[0]"},
        {"DELETE FROM events WHERE id < 10000", "DELETE 10000\n[0]"},
        {"INSERT INTO events SELECT * FROM keep", "INSERT 0 5000\n[0]"},
        {"INSERT INTO events SELECT * FROM keep",
         "ERROR:  duplicate key value violates unique constraint \"events_pkey\"\nDETAIL:  Key "
         "(id)=(0) already exists.\n[1]"},
        {"INSERT INTO events SELECT * FROM keep ON CONFLICT DO NOTHING", "INSERT 0 0\n[0]"},
        {"SELECT count(*) FROM events WHERE id < 10000",
         " count \n-------\n  5000\n(1 row)\n\n[0]"},
        {"ALTER TABLE events DROP COLUMN payload", "ALTER TABLE\n[0]"},
        {"TRUNCATE keep", "TRUNCATE TABLE\n[0]"},
    };
    CHECK(rows);
    const struct idset *there = dataset_rows(store_serving(store), "events");
    assert_true(idset_has(there, 4999));
    assert_false(idset_has(there, 5000));
    assert_false(idset_has(there, 9999));
    assert_true(idset_has(there, 10000));
}

/* A CHECK that the application's rows do not pass stops its writes; the world hears of it. */
static int64_t lost(struct fixture *f)
{
    world_finish(f->world);
    int64_t n = 0;
    for (int i = 0; i < f->record->n_ledger; i++)
        n += f->record->ledger[i].lost;
    return n;
}

/* What others commit while a transaction is open is theirs: undoing it, in whole or to a savepoint,
 * leaves their rows. */
static void test_a_rollback_undoes_its_own_work_only(void **state)
{
    struct fixture *f = *state;
    const char *out =
        PSQL("BEGIN;\nDELETE FROM events WHERE id < 10;\nSELECT pg_sleep(30);\nSAVEPOINT a;\n"
             "DELETE FROM events WHERE id < 20;\nSELECT pg_sleep(30);\nROLLBACK TO a;\nSELECT "
             "pg_sleep(30);\n"
             "ROLLBACK;\n",
             "-d", "shop", "-q");
    assert_non_null(strstr(out, "[0]"));
    assert_string_equal(
        PSQL(NULL, "-d", "shop", "-tAc", "SELECT count(*) FROM events WHERE id < 20"), "20\n[0]");
    assert_true(world_now(f->world) > 150 * SECOND);
    assert_int_equal(lost(f), 0);
}

static void test_a_savepoint_keeps_what_came_before_it(void **state)
{
    struct fixture *f = *state;
    PSQL("BEGIN;\nDELETE FROM events WHERE id < 10;\nSAVEPOINT a;\nDELETE FROM events WHERE id < "
         "20;\nSELECT pg_sleep(30);\n"
         "ROLLBACK TO a;\nCOMMIT;\n",
         "-d", "shop", "-q");
    assert_int_equal(lost(f), 10);
}

/* -1: BEGIN and COMMIT are sent behind the scenes, as psql 15.20 does, and a failure undoes all. */
static void test_a_single_transaction_says_nothing_of_itself(void **state)
{
    struct fixture *f = *state;
    double_file(&f->d, "db1", "/bad.sql",
                "CREATE TABLE one (a int);\nSELECT nope;\nCREATE TABLE two (a int);\n");
    assert_string_equal(PSQL(NULL, "-d", "shop", "-1", "-c", "CREATE TABLE three (a int)"),
                        "CREATE TABLE\n[0]");
    assert_string_equal(PSQL(NULL, "-d", "shop", "-1", "-v", "ON_ERROR_STOP=1", "-f", "/bad.sql"),
                        "CREATE TABLE\npsql:/bad.sql:2: ERROR:  column \"nope\" does not "
                        "exist\nLINE 1: SELECT nope;\n"
                        "               ^\n[3]");
    assert_string_equal(PSQL(NULL, "-d", "shop", "-1", "-f", "/bad.sql"),
                        "CREATE TABLE\npsql:/bad.sql:2: ERROR:  column \"nope\" does not "
                        "exist\nLINE 1: SELECT nope;\n"
                        "               ^\npsql:/bad.sql:3: ERROR:  current transaction is "
                        "aborted, commands ignored until end of"
                        " transaction block\n[0]");
    assert_string_equal(
        PSQL(NULL, "-d", "shop", "-tAc", "SELECT to_regclass('one'), to_regclass('three')"),
        "|three\n[0]");
}

static void test_a_statement_that_takes_too_long_is_undone(void **state)
{
    struct fixture *f = *state;
    int64_t before_ns = world_now(f->world);
    assert_string_equal(PSQL(NULL, "-d", "shop", "-q", "-c", "SET statement_timeout = '5s'", "-c",
                             "SELECT pg_sleep(60)"),
                        "ERROR:  canceling statement due to statement timeout\n[1]");
    assert_true(world_now(f->world) - before_ns >= 5 * SECOND &&
                world_now(f->world) - before_ns < 6 * SECOND);
    /* A million rows at 2 us each: two seconds. */
    assert_string_equal(PSQL(NULL, "-d", "shop", "-q", "-c", "SET statement_timeout = '1s'", "-c",
                             "DELETE FROM events"),
                        "ERROR:  canceling statement due to statement timeout\n[1]");
    assert_int_equal(lost(f), 0);
}

/* ---- recovery to a point in time ---- */

static const char data_folder[] = "/var/lib/postgresql/data";

/* A base backup after a minute; at 5 minutes somebody deletes; ten minutes have passed. */
static void lose_some(struct fixture *f)
{
    env_add_place(&f->d.env, "db1");
    assert_int_equal(double_run(&f->d, "pg_basebackup -U owner -D /base -l nightly"), 0);
    assert_non_null(strstr(double_content(&f->d, "db1", "/base/backup_label"), "LABEL: nightly\n"));
    world_advance(f->world, 5 * MINUTE);
    assert_string_equal(sql(f, "DELETE FROM events WHERE id < 1000"), "DELETE 1000\n[0]");
    world_advance(f->world, 10 * MINUTE);
}

/* The server stops, its data directory is replaced by the base backup with these settings, and it
 * starts. */
static void restore(struct fixture *f, const char *settings, bool signal)
{
    struct instance *db = service_instance(world_service(f->world, "db"), 0);
    instance_stop(db, true);
    world_advance(f->world, world_now(f->world) + 20 * SECOND);
    static const char *const names[] = {"PG_VERSION", "backup_label"};
    for (int i = 0; i < 2; i++)
        double_file(&f->d, "db1", arena_printf(&f->arena, "%s/%s", data_folder, names[i]),
                    double_content(&f->d, "db1", arena_printf(&f->arena, "/base/%s", names[i])));
    double_file(&f->d, "db1", arena_printf(&f->arena, "%s/postgresql.auto.conf", data_folder),
                settings);
    if (signal)
        double_file(&f->d, "db1", arena_printf(&f->arena, "%s/recovery.signal", data_folder), "");
    instance_start(db);
    world_advance(f->world, world_now(f->world) + 20 * SECOND);
}

static int64_t rows_now(struct fixture *f)
{
    return idset_count(dataset_rows(store_serving(world_store(f->world, "db")), "events"));
}

static void test_recovery_to_a_point_in_time(void **state)
{
    struct fixture *f = *state;
    lose_some(f);
    /* 14:04:30 is half a minute before the deletion; promoted by itself. */
    restore(
        f,
        "restore_command = 'cp /archive/%f %p'\nrecovery_target_time = '2025-01-15 14:04:30+00'\n"
        "recovery_target_action = 'promote'\n",
        true);
    assert_string_equal(
        PSQL(NULL, "-d", "shop", "-tAc",
             "SELECT (SELECT min(id) FROM events), count(*) FROM events WHERE created_at >"
             " '2025-01-15 14:04:30+00' AND created_at < '2025-01-15 14:10:00+00'"),
        "0|0\n[0]");
    assert_null(double_content(&f->d, "db1", "/var/lib/postgresql/data/recovery.signal"));
    assert_non_null(double_content(&f->d, "db1", "/var/lib/postgresql/data/backup_label.old"));
    int64_t gone = lost(f); /* what came between the target and the stop */
    assert_true(gone > 2000 && gone < 4500);
}

static void test_recovery_pauses_at_its_target(void **state)
{
    struct fixture *f = *state;
    lose_some(f);
    restore(
        f,
        "restore_command = 'cp /archive/%f %p'\nrecovery_target_time = '2025-01-15 14:04:30+00'\n",
        true);
    assert_string_equal(PSQL(NULL, "-d", "shop", "-tAc", "SELECT pg_is_in_recovery()"), "t\n[0]");
    assert_string_equal(sql(f, "DELETE FROM events"),
                        "ERROR:  cannot execute DELETE in a read-only transaction\n[1]");
    int64_t before = rows_now(f);
    world_advance(f->world, world_now(f->world) + MINUTE);
    assert_int_equal(rows_now(f), before); /* the application cannot write */
    assert_int_equal(double_run(&f->d, "pg_ctl -D /var/lib/postgresql/data promote"), 0);
    assert_string_equal(double_out(&f->d),
                        "waiting for server to promote.... done\nserver promoted\n");
    assert_int_equal(double_run(&f->d, "pg_ctl -D /var/lib/postgresql/data promote"), 1);
    world_advance(f->world, world_now(f->world) + MINUTE);
    assert_true(rows_now(f) > before);
}

static void test_a_base_backup_without_its_log_is_its_own_moment(void **state)
{
    struct fixture *f = *state;
    lose_some(f);
    restore(f, "", false);
    assert_string_equal(
        PSQL(NULL, "-d", "shop", "-tAc",
             "SELECT (SELECT min(id) FROM events), count(*) FROM events WHERE created_at >"
             " '2025-01-15 14:02:00+00' AND created_at < '2025-01-15 14:10:00+00'"),
        "0|0\n[0]");
}

static void test_recovery_that_cannot_be(void **state)
{
    struct fixture *f = *state;
    static const char *const settings[] = {
        "recovery_target_time = '2025-01-15 14:04:30+00'\n", /* no restore_command */
        "restore_command = 'cp /archive/%f %p'\nrecovery_target_time = '2025-01-15 "
        "15:00:00+00'\n", /* the log ends before */
        "restore_command = 'cp /archive/%f %p'\nrecovery_target_time = '2025-01-15 "
        "13:00:00+00'\n", /* before the backup */
        "restore_command = 'cp /elsewhere/%f %p'\nrecovery_target_time = '2025-01-15 "
        "14:04:30+00'\n",
    };
    lose_some(f);
    for (size_t i = 0; i < sizeof settings / sizeof *settings; i++) {
        restore(f, settings[i], true);
        const char *out = sql(f, "SELECT 1");
        if (!strstr(out, "[2]"))
            fail_msg("%s: %s", settings[i], out);
    }
}

static void test_traffic_meets_the_schema(void **state)
{
    struct fixture *f = *state;
    struct store *store = world_store(f->world, "db");
    sql(f, "ALTER TABLE events ADD CONSTRAINT short CHECK (length(payload) <= 3) NOT VALID");
    int64_t before = store_acknowledged(store, "events");
    world_advance(f->world, world_now(f->world) + 30 * SECOND);
    assert_int_equal(store_acknowledged(store, "events"), before);
    sql(f, "ALTER TABLE events DROP CONSTRAINT short");
    world_advance(f->world, world_now(f->world) + 30 * SECOND);
    assert_true(store_acknowledged(store, "events") > before);
    before = store_acknowledged(store, "events");
    sql(f, "ALTER TABLE events RENAME TO old_events");
    world_advance(f->world, world_now(f->world) + 30 * SECOND);
    assert_int_equal(store_acknowledged(store, "events"), before);
}

/* `docker volume rm`: the store is served from nothing, and the server that starts on it has no
 * tables. */
static void test_a_new_volume_is_an_empty_server(void **state)
{
    struct fixture *f = *state;
    struct store *store = world_store(f->world, "db");
    store_serve(store, dataset_new());
    world_advance(f->world, world_now(f->world) + 10 * SECOND);
    int64_t before = store_acknowledged(store, "events");
    assert_string_equal(PSQL(NULL, "-d", "shop", "-c", "\\dt"), "Did not find any relations.\n[0]");
    world_advance(f->world, world_now(f->world) + 10 * SECOND);
    assert_int_equal(store_acknowledged(store, "events"), before);
}

int main(int argc, char **argv)
{
    if (argc > 1) { /* any statement, for a look */
        void *state = NULL;
        if (set_up(&state))
            return 1;
        for (int i = 1; i < argc; i++)
            printf("%s\n", sql(state, argv[i])), fflush(stdout);
        tear_down(&state);
        return 0;
    }
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_words_of_psql, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_restore_loses_what_came_after_the_backup, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(test_a_copy_of_a_table_and_back, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_a_copy_is_something_to_recover_from, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(test_mistakes_that_playbooks_make, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_the_other_tools, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_a_backup_in_custom_format, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_a_truncated_dump_restores_a_part, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_the_ledger_follows_statements, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_a_rollback_undoes_its_own_work_only, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(test_a_savepoint_keeps_what_came_before_it, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(test_a_single_transaction_says_nothing_of_itself, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(test_a_statement_that_takes_too_long_is_undone, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(test_recovery_to_a_point_in_time, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_recovery_pauses_at_its_target, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_a_base_backup_without_its_log_is_its_own_moment,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_recovery_that_cannot_be, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_traffic_meets_the_schema, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_a_new_volume_is_an_empty_server, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
