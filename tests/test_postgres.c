/* PostgreSQL and psql: statements with their expected text and exit codes, as PostgreSQL 15 gives them, over a world whose
 * traffic writes one table. */
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
    "    tables: {events: {records: 1000000, history: 10d}}\n"
    "    setup: |\n"
    "      CREATE TABLE events (id bigserial PRIMARY KEY, created_at timestamptz NOT NULL DEFAULT now(),\n"
    "                           source inet NOT NULL, payload text NOT NULL);\n"
    "      CREATE TABLE t (a integer PRIMARY KEY, b text);\n"
    "      INSERT INTO t VALUES (1, 'a'), (2, NULL);\n"
    "backups: {nightly: {store: db, every: 6h, to: /backups, file: \"shop_%Y%m%d_%H%M%S\"}}\n";

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

/* One psql with this on its command line; all its output, stdout before stderr, and the exit code at the end. */
static const char *psql(struct fixture *f, const char *input, const char *const *words)
{
    char *argv[32] = {(char *)(uintptr_t)"psql", (char *)(uintptr_t)"-U", (char *)(uintptr_t)"owner"};
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
    z_stream z = {.next_in = (unsigned char *)(uintptr_t)packed.at, .avail_in = (unsigned)packed.len};
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
        {"select * from nope",
         "ERROR:  relation \"nope\" does not exist\nLINE 1: select * from nope\n                      ^\n[1]"},
        {"", "[0]"},
    };
    CHECK(rows);
}

/* What the owner of a playbook pastes: terminate, drop, create, restore. The traffic goes on meanwhile. */
static void test_restore_loses_what_came_after_the_backup(void **state)
{
    struct fixture *f = *state;
    struct store *store = world_store(f->world, "db");
    assert_string_equal(PSQL(NULL, "-d", "postgres", "-c", "DROP DATABASE shop"),
                        "ERROR:  database \"shop\" is being accessed by other users\n"
                        "DETAIL:  There are 2 other sessions using the database.\n[1]");
    assert_string_equal(PSQL(NULL, "-d", "postgres", "-tA", "-c",
                             "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = 'shop' AND pid <> "
                             "pg_backend_pid();", "-c", "DROP DATABASE shop", "-c", "CREATE DATABASE shop"),
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
    assert_string_equal(PSQL(text.at, "-d", "shop", "-q", "-v", "ON_ERROR_STOP=1", "-tA"), "\n999998\n[0]");
    buf_release(&gz);
    buf_release(&text);
    assert_int_equal(store_schema(store), 42);
    /* Lost is what was acknowledged between the backup and the DROP; what comes after the restore is there again. */
    assert_string_equal(sql(f, "SELECT count(*) FROM events WHERE id <= 999998"), " count  \n--------\n 999999\n(1 row)\n\n[0]");
    assert_string_equal(sql(f, "SELECT count(*) FROM events WHERE created_at > '2025-01-15 14:00:01' AND created_at < "
                               "'2025-01-15 14:01:00'"),
                        " count \n-------\n     0\n(1 row)\n\n[0]");
    world_advance(f->world, 120 * SECOND);
    assert_true(idset_count(dataset_rows(store_serving(store), "events")) > 1000000);
}

static void test_mistakes_that_playbooks_make(void **state)
{
    struct fixture *f = *state;
    assert_string_equal(PSQL("SELECT 1", "-q"),
                        "psql: error: connection to server on socket \"/var/run/postgresql/.s.PGSQL.5432\" failed: FATAL:  "
                        "database \"owner\" does not exist\n[2]");
    assert_string_equal(PSQL(NULL, "-d", "shop", "-c", "BEGIN", "-c", "COMMIT"), "BEGIN\nCOMMIT\n[0]");
    assert_string_equal(PSQL("select 1 as a;\nselect * from nope;\nselect 2 as b;\n", "-d", "shop", "-tA"),
                        "1\n2\nERROR:  relation \"nope\" does not exist\nLINE 1: select * from nope;\n"
                        "                      ^\n[0]");
    assert_string_equal(PSQL("select 1 as a;\nselect * from nope;\nselect 2 as b;\n", "-d", "shop", "-tA", "-f", "-", "-v",
                             "ON_ERROR_STOP=1"),
                        "1\npsql:<stdin>:2: ERROR:  relation \"nope\" does not exist\nLINE 1: select * from nope;\n"
                        "                      ^\n[3]");
    assert_string_equal(PSQL(NULL, "-d", "postgres", "-c", "DROP DATABASE x; CREATE DATABASE x"),
                        "ERROR:  DROP DATABASE cannot run inside a transaction block\n[1]");
    f->d.call.place = "";
    assert_string_equal(PSQL(NULL, "-d", "shop", "-c", "SELECT 1"),
                        "psql: error: connection to server on socket \"/var/run/postgresql/.s.PGSQL.5432\" failed: No such file or "
                        "directory\n\tIs the server running locally and accepting connections on that socket?\n[2]");
    assert_string_equal(PSQL(NULL, "-h", "localhost", "-d", "shop", "-c", "SELECT 1"),
                        "psql: error: connection to server at \"localhost\" (127.0.0.1), port 5432 failed: Connection refused\n"
                        "\tIs the server running on that host and accepting TCP/IP connections?\n[2]");
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
        cmocka_unit_test_setup_teardown(test_restore_loses_what_came_after_the_backup, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_mistakes_that_playbooks_make, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
