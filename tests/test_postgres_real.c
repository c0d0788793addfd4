/* The same statements, one psql -c each, with what PostgreSQL 15 itself answered
 * (tests/data/postgres/statements.txt, made by `make check-real`, which also asks a server of this
 * machine again where PostgreSQL is installed). */
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
#include "sim/engine/random.h"
#include "tests/call_double.h"
#include "tests/recorded.h"

static const char system_text[] = "format: rehearse.system/1\n"
                                  "name: t\n"
                                  "services: {db: {versions: {\"15\": {}}}}\n"
                                  "stores: {db: {engine: postgresql 15, service: db, database: "
                                  "shop, user: owner, container: db1, schema_table: none.none}}\n";

struct fixture {
    struct arena arena;
    struct model model;
    struct record *record;
    struct world *world;
    struct call_double d;
};

static void open_fixture(struct fixture *f)
{
    struct error error = {.text = ""};
    struct doc *doc;
    *f = (struct fixture){.model = {0}};
    if (doc_read_text(&f->arena, "system.yaml", str_of(system_text), &doc, &error) < 0)
        fail_msg("%s", error.text);
    model_defaults(&f->model);
    if (model_load_system(&f->arena, doc, NULL, &f->model, &error) < 0)
        fail_msg("%s", error.text);
    f->model.start_unix_ns = INT64_C(1736949600) * SECOND;
    f->record = record_new();
    f->world = world_new(&f->model, 1, f->record);
    double_init(&f->d, f->world, f->record);
    for (int i = 0; all_fakes[i]; i++) {
        if (all_fakes[i]->setup &&
            all_fakes[i]->setup(&f->d.env, doc_get(doc, all_fakes[i]->name), &error) < 0)
            fail_msg("%s", error.text);
    }
    f->d.call.place = "db1";
    char *drop[] = {"psql", "-q", "-U", "owner", "-d", "shop", "-c", "DROP TABLE none", NULL};
    double_run_argv(&f->d, drop);
}

static void close_fixture(struct fixture *f)
{
    for (int i = 0; all_fakes[i]; i++) {
        if (all_fakes[i]->release)
            all_fakes[i]->release(&f->d.env);
    }
    double_release(&f->d);
    world_free(f->world);
    record_free(f->record);
    arena_release(&f->arena);
}

static char *answer(struct fixture *f, const char *statement)
{
    char *argv[] = {"psql", "-X", "-U", "owner", "-d", "shop", "-c", (char *)(uintptr_t)statement,
                    NULL};
    f->d.input = STR("");
    int status = double_run_argv(&f->d, argv);
    return arena_printf(&f->arena, "%s%s[%d]\n", double_out(&f->d), double_err(&f->d), status);
}

static const char *ask(const char *statement, void *ctx)
{
    return answer(ctx, statement);
}

static struct recorded recorded = {"tests/data/postgres/statements.txt",
                                   "tests/data/postgres/refused.sql", ask, NULL};

static void test_statements_as_postgresql_answers_them(void **state)
{
    struct fixture f;
    (void)state;
    open_fixture(&f);
    recorded.ctx = &f;
    assert_int_equal(recorded_compare(&recorded), 0);
    close_fixture(&f);
}

/* ---- statements at random over a small schema: printed for ci/check-real ---- */

/* Every seed has a schema of its own: two or three tables of two to six columns of random types,
 * with random keys, checks, defaults and references; then rows, changes and queries over whatever
 * came out. */
enum { TABLES_MAX = 3, COLUMNS_MAX = 6 };
enum kind {
    KIND_INTEGER,
    KIND_BIGINT,
    KIND_TEXT,
    KIND_NUMERIC,
    KIND_TIME,
    KIND_DATE,
    KIND_BOOLEAN,
    KINDS
};

struct random {
    struct stream stream;
    int n_tables;
    struct {
        int n;
        enum kind kinds[COLUMNS_MAX];
        bool key; /* c0 is the primary key */
    } tables[TABLES_MAX];
};

static int64_t below(struct random *r, int64_t n)
{
    return stream_below(&r->stream, n);
}

static const char *pick(struct random *r, const char *const *list)
{
    int n = 0;
    while (list[n])
        n++;
    return list[below(r, n)];
}

static void print_value(struct random *r, enum kind kind)
{
    static const char *const words[] = {"'anvil'", "'bolt'",  "'cog'",    "'axle'",
                                        "''",      "'it''s'", "'Bolt 9'", NULL};
    switch (kind) {
    case KIND_INTEGER:
    case KIND_BIGINT:
        printf("%lld", (long long)below(r, 9));
        break;
    case KIND_TEXT:
        printf("%s", pick(r, words));
        break;
    case KIND_NUMERIC:
        printf("%lld.%02lld", (long long)below(r, 20), (long long)below(r, 100));
        break;
    case KIND_TIME:
        printf("'2025-01-%02lld %02lld:%02lld:00+00'", (long long)below(r, 28) + 1,
               (long long)below(r, 24), (long long)below(r, 60));
        break;
    case KIND_DATE:
        printf("'2025-0%lld-%02lld'", (long long)below(r, 3) + 1, (long long)below(r, 28) + 1);
        break;
    default:
        printf("%s", below(r, 2) ? "true" : "false");
    }
}

static void print_table_statement(struct random *r, int t)
{
    static const char *const types[KINDS] = {"integer",     "bigint", "text",   "numeric(8,2)",
                                             "timestamptz", "date",   "boolean"};
    int n = r->tables[t].n = 2 + (int)below(r, COLUMNS_MAX - 1);
    r->tables[t].key = below(r, 2);
    printf("CREATE TABLE t%d (", t);
    for (int i = 0; i < n; i++) {
        enum kind kind = r->tables[t].kinds[i] = i == 0 ? KIND_INTEGER : (enum kind)below(r, KINDS);
        printf("%sc%d %s", i ? ", " : "", i, types[kind]);
        if (i == 0 && r->tables[t].key)
            printf(" PRIMARY KEY");
        else if (below(r, 5) == 0)
            printf(" NOT NULL");
        else if (kind == KIND_INTEGER && below(r, 4) == 0)
            printf(" CHECK (c%d < %lld)", i, (long long)below(r, 5) + 4);
        if (i && below(r, 4) == 0) {
            printf(" DEFAULT ");
            print_value(r, kind);
        }
    }
    if (t && r->tables[0].key && below(r, 2))
        printf(", FOREIGN KEY (c0) REFERENCES t0%s", below(r, 2) ? " ON DELETE CASCADE" : "");
    printf(")\n");
    if (below(r, 3) == 0)
        printf("CREATE %sINDEX t%d_i ON t%d (c%lld)\n", below(r, 4) ? "" : "UNIQUE ", t, t,
               (long long)below(r, n));
}

static int random_column(struct random *r, int t)
{
    return (int)below(r, r->tables[t].n);
}

static void print_condition(struct random *r, int t)
{
    static const char *const operators[] = {"=", "<>", "<", ">", "<=", ">=", NULL};
    int c = random_column(r, t);
    enum kind kind = r->tables[t].kinds[c];
    switch (below(r, 6)) {
    case 0:
        printf("c%d IS %sNULL", c, below(r, 2) ? "NOT " : "");
        break;
    case 1:
        printf("c%d IN (", c);
        print_value(r, kind);
        printf(", ");
        print_value(r, kind);
        printf(")");
        break;
    case 2:
        printf("NOT (c%d = ", c);
        print_value(r, kind);
        printf(")");
        break;
    case 3:
        printf("c0 IN (SELECT c0 FROM t%d)", (int)below(r, r->n_tables));
        break;
    default:
        printf("c%d %s ", c, pick(r, operators));
        print_value(r, kind);
    }
    if (below(r, 4) == 0) {
        printf(" %s ", below(r, 2) ? "AND" : "OR");
        print_condition(r, t);
    }
}

static void print_expression(struct random *r, int t)
{
    static const char *const numbers[] = {"c%d + 1", "c%d * 2", "coalesce(c%d, 0)", "abs(c%d - 5)",
                                          "c%d",     "-c%d",    "c%d::text",        NULL};
    static const char *const decimals[] = {"round(c%d, 1)", "c%d * 3",    "c%d", "c%d / 7",
                                           "c%d::integer",  "trunc(c%d)", NULL};
    static const char *const texts[] = {"upper(c%d)",
                                        "length(c%d)",
                                        "c%d || 'x'",
                                        "substr(c%d, 2)",
                                        "coalesce(c%d, 'none')",
                                        "left(c%d, 2)",
                                        "lpad(c%d, 6, '.')",
                                        "c%d ~ '[aeiou]'",
                                        "c%d",
                                        NULL};
    static const char *const times[] = {"c%d + interval '1 day'",
                                        "date_trunc('day', c%d)",
                                        "c%d - interval '90 minutes'",
                                        "c%d::date",
                                        "extract(hour FROM c%d)",
                                        "c%d",
                                        NULL};
    static const char *const dates[] = {"c%d + 30", "c%d - '2025-01-01'::date",
                                        "extract(month FROM c%d)", "c%d", NULL};
    static const char *const booleans[] = {"NOT c%d", "c%d", "CASE WHEN c%d THEN 1 ELSE 0 END",
                                           NULL};
    static const char *const *const of[KINDS] = {numbers, numbers, texts,   decimals,
                                                 times,   dates,   booleans};
    int c = random_column(r, t), n = 0;
    const char *const *list = of[r->tables[t].kinds[c]];
    while (list[n])
        n++;
    const char *form = list[below(r, n)], *at = strstr(form, "%d");
    printf("%.*sc", (int)(at - form) - 1, form);
    printf("%d%s", c, at + 2);
}

static void print_aggregate(struct random *r, int t)
{
    static const char *const any[] = {"count(c%d)", "min(c%d)", "max(c%d)", "count(DISTINCT c%d)",
                                      NULL};
    static const char *const number[] = {"sum(c%d)", "avg(c%d)", "min(c%d)", "max(c%d)", NULL};
    int c = random_column(r, t);
    enum kind kind = r->tables[t].kinds[c];
    if (kind == KIND_BOOLEAN) {
        printf("%s(c%d)", below(r, 2) ? "bool_or" : "count", c);
        return;
    }
    const char *form = pick(r, kind <= KIND_BIGINT || kind == KIND_NUMERIC ? number : any),
               *at = strstr(form, "%d");
    printf("%.*s%d%s", (int)(at - form), form, c, at + 2);
}

static void print_insert(struct random *r, int t)
{
    printf("INSERT INTO t%d VALUES (", t);
    for (int i = 0; i < r->tables[t].n; i++) {
        printf("%s", i ? ", " : "");
        if (i && below(r, 6) == 0)
            printf(below(r, 2) ? "NULL" : "DEFAULT");
        else
            print_value(r, r->tables[t].kinds[i]);
    }
    printf(")%s\n", below(r, 5) == 0 ? " ON CONFLICT DO NOTHING" : "");
}

static void print_select(struct random *r, int t)
{
    int other = (int)below(r, r->n_tables), c = random_column(r, t);
    switch (below(r, 9)) {
    case 0:
        printf("SELECT ");
        print_expression(r, t);
        printf(" AS x, ");
        print_expression(r, t);
        printf(" AS y FROM t%d WHERE ", t);
        print_condition(r, t);
        printf(" ORDER BY 1, 2\n");
        break;
    case 1:
        printf("SELECT ");
        print_aggregate(r, t);
        printf(", ");
        print_aggregate(r, t);
        printf(", count(*) FROM t%d WHERE ", t);
        print_condition(r, t);
        printf("\n");
        break;
    case 2:
        printf("SELECT c%d, ", c);
        print_aggregate(r, t);
        printf(" FROM t%d GROUP BY c%d ORDER BY c%d\n", t, c, c);
        break;
    case 3:
        printf("SELECT a.c0, b.c%d FROM t%d a %sJOIN t%d b ON a.c0 = b.c0 ORDER BY 1, 2\n",
               random_column(r, other), t, below(r, 2) ? "LEFT " : "", other);
        break;
    case 4:
        printf("SELECT DISTINCT ON (c%d) c%d, c0 FROM t%d ORDER BY c%d, c0, ", c, c, t, c);
        printf("c%d\n", random_column(r, t));
        break;
    case 5:
        printf("SELECT c0, row_number() OVER (ORDER BY c0, c%d), sum(c0) OVER (ORDER BY c0) FROM "
               "t%d ORDER BY 1, 2\n",
               c, t);
        break;
    case 6:
        printf("SELECT c0 FROM t%d %s SELECT c0 FROM t%d ORDER BY 1\n", t,
               below(r, 3) == 0 ? "EXCEPT"
               : below(r, 2)    ? "UNION"
                                : "INTERSECT",
               other);
        break;
    case 7:
        printf("WITH q AS (SELECT c0, c%d FROM t%d WHERE ", c, t);
        print_condition(r, t);
        printf(") SELECT count(*), max(c0) FROM q\n");
        break;
    default:
        printf("SELECT * FROM t%d WHERE ", t);
        print_condition(r, t);
        printf(" ORDER BY ");
        for (int i = 0; i < r->tables[t].n; i++)
            printf("%sc%d%s", i ? ", " : "", i, i == 0 && below(r, 2) ? " DESC" : "");
        printf(" LIMIT %lld\n", (long long)below(r, 8) + 1);
    }
}

static void print_change(struct random *r, int t)
{
    int c = random_column(r, t);
    switch (below(r, 6)) {
    case 0:
        printf("DELETE FROM t%d WHERE ", t);
        print_condition(r, t);
        printf("\n");
        break;
    case 1:
        printf("BEGIN; DELETE FROM t%d; SAVEPOINT s; INSERT INTO t%d DEFAULT VALUES; ROLLBACK; "
               "SELECT count(*) FROM t%d\n",
               t, t, t);
        break;
    case 2:
        printf("BEGIN; SAVEPOINT s; DELETE FROM t%d WHERE c0 < 3; ROLLBACK TO s; COMMIT\n", t);
        break;
    default:
        printf("UPDATE t%d SET c%d = ", t, c);
        print_value(r, r->tables[t].kinds[c]);
        printf(" WHERE ");
        print_condition(r, t);
        printf("\n");
    }
}

static void print_random(uint64_t seed, int n)
{
    struct random r = {.n_tables = 0};
    stream_init(&r.stream, seed, 0, "check-real", "statements");
    r.n_tables = 2 + (int)below(&r, 2);
    for (int t = 0; t < r.n_tables; t++)
        print_table_statement(&r, t);
    for (int i = 0; i < 25; i++)
        print_insert(&r, (int)below(&r, r.n_tables));
    for (int i = 0; i < n; i++) {
        int t = (int)below(&r, r.n_tables);
        int64_t what = below(&r, 12);
        if (what == 0)
            print_insert(&r, t);
        else if (what == 1)
            print_change(&r, t);
        else
            print_select(&r, t);
    }
}

int main(int argc, char **argv)
{
    if (argc == 4 && strcmp(argv[1], "--random") == 0) {
        print_random(strtoull(argv[2], NULL, 10), (int)strtol(argv[3], NULL, 10));
        return 0;
    }
    if (argc > 1) {
        struct fixture f;
        open_fixture(&f);
        recorded.ctx = &f;
        int status = recorded_main(&recorded, argc, argv);
        close_fixture(&f);
        return status;
    }
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_statements_as_postgresql_answers_them),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
