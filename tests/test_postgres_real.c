/* The same statements, one psql -c each, with what PostgreSQL 15 itself answered (tests/data/postgres/statements.txt, made
 * by `make check-real`, which also asks a server of this machine again where PostgreSQL is installed). */
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

static const char system_text[] =
    "format: rehearse.system/1\n"
    "name: t\n"
    "services: {db: {versions: {\"15\": {}}}}\n"
    "stores: {db: {engine: postgresql 15, service: db, database: shop, user: owner, container: db1, schema_table: none.none}}\n";

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
        if (all_fakes[i]->setup && all_fakes[i]->setup(&f->d.env, doc_get(doc, all_fakes[i]->name), &error) < 0)
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
    char *argv[] = {"psql", "-X", "-U", "owner", "-d", "shop", "-c", (char *)(uintptr_t)statement, NULL};
    f->d.input = STR("");
    int status = double_run_argv(&f->d, argv);
    return arena_printf(&f->arena, "%s%s[%d]\n", double_out(&f->d), double_err(&f->d), status);
}

/* Statements that we refuse, one a line: they must be answered "not simulated", never with something made up. */
static bool is_refused(struct str list, const char *statement)
{
    while (list.len) {
        if (str_is(str_cut(&list, '\n'), statement))
            return true;
    }
    return false;
}

/* Runs the cases of a recorded file; with `out`, prints our own answers in the same form. The number that differ. */
static int run_cases(const char *path, FILE *out)
{
    struct fixture f;
    struct buf text;
    struct buf refused;
    int wrong = 0;
    buf_init(&text, 4 << 20);
    buf_init(&refused, 1 << 20);
    if (buf_read_file(&refused, "tests/data/postgres/refused.sql") < 0)
        fail_msg("cannot read refused.sql");
    if (buf_read_file(&text, path) < 0)
        fail_msg("cannot read %s", path);
    open_fixture(&f);
    struct str rest = buf_text(&text);
    while (rest.len) {
        struct str line = str_cut(&rest, '\n');
        if (!str_starts(line, "> "))
            continue;
        const char *statement = arena_str(&f.arena, (struct str){line.at + 2, line.len - 2});
        const char *start = rest.at;
        while (rest.len && !(rest.at[0] == '>' && rest.at[1] == ' '))
            str_cut(&rest, '\n');
        const char *want = arena_str(&f.arena, (struct str){start, (size_t)(rest.at - start)});
        const char *got = answer(&f, statement);
        if (out) {
            fprintf(out, "> %s\n%s", statement, got);
        } else if (is_refused(buf_text(&refused), statement)
                       ? !strstr(got, "ERROR:  not simulated: ")
                       : strcmp(got, want) != 0) {
            print_error("> %s\n--- fake\n%s--- PostgreSQL\n%s", statement, got, want);
            wrong++;
        }
    }
    close_fixture(&f);
    buf_release(&text);
    buf_release(&refused);
    return wrong;
}

static void test_statements_as_postgresql_answers_them(void **state)
{
    (void)state;
    assert_int_equal(run_cases("tests/data/postgres/statements.txt", NULL), 0);
}

/* ---- statements at random over a small schema: printed for ci/check-real ---- */

struct random {
    struct stream stream;
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

static const char *const numbers[] = {"a", "b", "a + b", "a * 2", "b - a", "abs(a - 5)", "coalesce(b, 0)", "n", "n * 3",
                                      "round(n, 1)", "length(t)", "a % 3", "n + a", "CASE WHEN a > 3 THEN 1 ELSE 0 END", NULL};
static const char *const texts[] = {"t", "upper(t)", "t || 'x'", "substr(t, 2)", "coalesce(t, 'none')", "a::text", "n::text",
                                    "left(t, 2)", NULL};
static const char *const times[] = {"d", "d + interval '1 day'", "date_trunc('day', d)", "d - interval '90 minutes'", NULL};
static const char *const conditions[] = {"a > 3", "b IS NULL", "t LIKE 'a%'", "n >= 1.5", "a BETWEEN 2 AND 6", "a IN (1, 4, 7)",
                                         "NOT (a = 2)", "t <> 'bolt' OR b = 1", "d > '2025-01-15'", "t IS NOT NULL AND a < 8",
                                         "a = (SELECT max(a) FROM two)", "EXISTS (SELECT 1 FROM two WHERE two.a = one.a)",
                                         "b = ANY (ARRAY[1, 2, 3])", "t ~ '[aeiou]'", "d IS NULL", NULL};
static const char *const aggregates[] = {"count(*)", "sum(a)", "avg(a)", "min(n)", "max(n)", "sum(n)", "avg(n)", "count(b)",
                                         "count(DISTINCT t)", "min(t)", "max(d)", "bool_and(a > 0)", NULL};

static void random_row(struct random *r, const char *table)
{
    static const char *const words[] = {"'anvil'", "'bolt'", "'cog'", "'axle'", "''", "NULL", "'it''s'", NULL};
    printf("INSERT INTO %s VALUES (%lld, ", table, (long long)below(r, 9));
    printf(below(r, 4) ? "%lld, " : "NULL, ", (long long)below(r, 5));
    printf("%s, ", pick(r, words));
    printf(below(r, 5) ? "%lld.%02lld, " : "NULL, ", (long long)below(r, 20), (long long)below(r, 100));
    printf(below(r, 5) ? "'2025-01-%02lld %02lld:%02lld:00+00')\n" : "NULL)\n", (long long)below(r, 28) + 1,
           (long long)below(r, 24), (long long)below(r, 60));
}

static void random_select(struct random *r)
{
    switch (below(r, 6)) {
    case 0:
        printf("SELECT %s, %s FROM one WHERE %s ORDER BY 1, 2\n", pick(r, numbers), pick(r, texts), pick(r, conditions));
        break;
    case 1:
        printf("SELECT %s, %s, %s FROM one WHERE %s\n", pick(r, aggregates), pick(r, aggregates), pick(r, aggregates),
               pick(r, conditions));
        break;
    case 2:
        printf("SELECT t, %s FROM one GROUP BY t ORDER BY t\n", pick(r, aggregates));
        break;
    case 3:
        printf("SELECT one.a, two.t FROM one %s two ON one.a = two.a ORDER BY 1, 2\n", below(r, 2) ? "JOIN" : "LEFT JOIN");
        break;
    case 4:
        printf("SELECT %s AS x, %s FROM one WHERE %s AND %s ORDER BY 1 DESC, 2 LIMIT %lld\n", pick(r, times), pick(r, numbers),
               pick(r, conditions), pick(r, conditions), (long long)below(r, 5) + 1);
        break;
    default:
        printf("SELECT %s FROM one WHERE %s UNION SELECT %s FROM one ORDER BY 1\n", pick(r, numbers), pick(r, conditions),
               pick(r, numbers));
    }
}

static void print_random(uint64_t seed, int n)
{
    struct random r;
    stream_init(&r.stream, seed, 0, "check-real", "statements");
    for (int i = 0; i < 2; i++)
        printf("CREATE TABLE %s (a integer%s, b integer CHECK (b < 4), t text, n numeric(8,2), d timestamptz)\n",
               i ? "two" : "one", below(&r, 2) ? " NOT NULL" : "");
    if (below(&r, 2))
        printf("CREATE UNIQUE INDEX one_key ON one (a, t)\n");
    for (int i = 0; i < 20; i++)
        random_row(&r, below(&r, 3) ? "one" : "two");
    for (int i = 0; i < n; i++) {
        int64_t what = below(&r, 12);
        if (what == 0)
            random_row(&r, "one");
        else if (what == 1)
            printf("UPDATE one SET b = %lld WHERE %s\n", (long long)below(&r, 4), pick(&r, conditions));
        else if (what == 2 && below(&r, 3) == 0)
            printf("DELETE FROM one WHERE %s AND %s\n", pick(&r, conditions), pick(&r, conditions));
        else
            random_select(&r);
    }
}

int main(int argc, char **argv)
{
    if (argc == 4 && strcmp(argv[1], "--random") == 0) {
        print_random(strtoull(argv[2], NULL, 10), (int)strtol(argv[3], NULL, 10));
        return 0;
    }
    if (argc > 1) {
        run_cases(argv[1], stdout);
        return 0;
    }
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_statements_as_postgresql_answers_them),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
