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
#include "sim/world/store.h"
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

/* Cases that we answer differently, knowingly: fakes/FIDELITY.md says why. */
static bool is_known(const char *statement)
{
    static const char *const known[] = {
        "EXPLAIN SELECT 1",
        NULL,
    };
    for (int i = 0; known[i]; i++) {
        if (strcmp(statement, known[i]) == 0)
            return true;
    }
    return false;
}

/* Runs the cases of a recorded file; with `out`, prints our own answers in the same form. The number that differ. */
static int run_cases(const char *path, FILE *out)
{
    struct fixture f;
    struct buf text;
    int wrong = 0;
    buf_init(&text, 4 << 20);
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
        } else if (strcmp(got, want) != 0 && !is_known(statement)) {
            print_error("> %s\n--- fake\n%s--- PostgreSQL\n%s", statement, got, want);
            wrong++;
        }
    }
    close_fixture(&f);
    buf_release(&text);
    return wrong;
}

static void test_statements_as_postgresql_answers_them(void **state)
{
    (void)state;
    assert_int_equal(run_cases("tests/data/postgres/statements.txt", NULL), 0);
}

int main(int argc, char **argv)
{
    if (argc > 1) {
        run_cases(argv[1], stdout);
        return 0;
    }
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_statements_as_postgresql_answers_them),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
