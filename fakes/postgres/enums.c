/* Enumerated types. A value is kept as its label; its type is PG_ENUM with the type's oid as
 * modifier (pgc_type, pgc_enum). */
#include <stdlib.h>
#include <string.h>

#include "fakes/postgres/statements.h"

int64_t catalog_enum(struct pg_database *database, const char *name)
{
    struct arena arena = {0};
    int64_t oid = catalog_int(database, 0, "SELECT oid FROM pgc_type WHERE name = %s",
                              sql_text(&arena, name));
    arena_release(&arena);
    return oid;
}

const char *catalog_type(struct pg_database *database, struct arena *arena, enum pg_type type,
                         int typmod)
{
    const char *name = NULL;
    if (type == PG_ENUM)
        name = catalog_text(database, arena, "SELECT name FROM pgc_type WHERE oid = %d", typmod);
    return name ? pg_ident(arena, name) : pg_type_format(arena, type, typmod);
}

static bool has_label(struct pg_database *database, struct arena *arena, int64_t oid,
                      const char *label)
{
    return catalog_int(database, 0,
                       "SELECT count(*) FROM pgc_enum WHERE type = %lld AND label = %s",
                       (long long)oid, sql_text(arena, label)) > 0;
}

bool enum_accepts(struct pg_session *session, struct arena *arena, int64_t oid, const char *label,
                  int location)
{
    if (oid < 0 || has_label(session->database, arena, oid, label))
        return true;
    pg_fail(session, "22P02", location, "invalid input value for enum %s: \"%s\"",
            catalog_type(session->database, arena, PG_ENUM, (int)oid), label);
    return false;
}

void run_create_enum(struct statement *s)
{
    const cJSON *names = node_get(s->node, "typeName"), *item;
    const char *name = node_string(cJSON_GetArrayItem(names, cJSON_GetArraySize(names) - 1));
    if (catalog_enum(s->database, name) || catalog_find(s->database, s->arena, NULL, name)) {
        pg_fail(s->session, "42710", -1, "type \"%s\" already exists", name);
        return;
    }
    int64_t oid = next_oid(s->database);
    int i = 0;
    catalog_run(s->database, "INSERT INTO pgc_type VALUES(%lld, %s, %s)", (long long)oid,
                sql_text(s->arena, name), sql_text(s->arena, s->session->user));
    cJSON_ArrayForEach(item, node_get(s->node, "vals"))
    {
        if (has_label(s->database, s->arena, oid, node_string(item)))
            pg_fail(s->session, "23505", -1,
                    "duplicate key value violates unique constraint \"pg_enum_typid_label_index\"");
        catalog_run(s->database, "INSERT INTO pgc_enum VALUES(%lld, %d, %s)", (long long)oid, ++i,
                    sql_text(s->arena, node_string(item)));
    }
    if (!s->session->error.set)
        statement_done(s, "CREATE TYPE");
}

static int64_t named_enum(struct statement *s, const cJSON *names)
{
    const char *name = node_string(cJSON_GetArrayItem(names, cJSON_GetArraySize(names) - 1));
    int64_t oid = catalog_enum(s->database, name);
    if (!oid)
        pg_fail(s->session, "42704", -1, "type \"%s\" does not exist", name);
    return oid;
}

/* ADD VALUE: at the end, or BEFORE or AFTER another. */
static void add_label(struct statement *s, int64_t oid, const char *label)
{
    const char *neighbour = node_text(s->node, "newValNeighbor");
    bool after = node_true(s->node, "newValIsAfter");
    const char *type = catalog_type(s->database, s->arena, PG_ENUM, (int)oid);
    if (has_label(s->database, s->arena, oid, label)) {
        if (node_true(s->node, "skipIfNewValExists"))
            pg_notice(s->session, "NOTICE", "enum label \"%s\" already exists, skipping", label);
        else
            pg_fail(s->session, "42710", -1, "enum label \"%s\" already exists", label);
        return;
    }
    if (*neighbour && !has_label(s->database, s->arena, oid, neighbour)) {
        pg_fail(s->session, "22023", -1, "\"%s\" is not an existing enum label", neighbour);
        return;
    }
    int64_t at = catalog_int(
        s->database, 0,
        *neighbour ? "SELECT sort + %d FROM pgc_enum WHERE type = %lld AND label = %s"
                   : "SELECT max(sort) + 1 + 0 * %d FROM pgc_enum WHERE type = %lld"
                     " AND %s IS NOT NULL",
        after ? 1 : 0, (long long)oid, sql_text(s->arena, *neighbour ? neighbour : label));
    catalog_run(s->database,
                "UPDATE pgc_enum SET sort = sort + 1 WHERE type = %lld AND sort >= %lld;"
                "INSERT INTO pgc_enum VALUES(%lld, %lld, %s)",
                (long long)oid, (long long)at, (long long)oid, (long long)at,
                sql_text(s->arena, label));
    statement_changed(s, "type %s has the value %s", type, label);
}

/* Every column of that type, "table.column" with the keys of their relations. */
static char **columns_of(struct statement *s, int64_t oid)
{
    return catalog_rows(s->database, s->arena,
                        "SELECT r.oid, r.key, c.name FROM pgc_column c JOIN pgc_relation r ON "
                        "r.oid = c.relation WHERE"
                        " c.type = %d AND c.typmod = %lld ORDER BY r.oid, c.number",
                        (int)PG_ENUM, (long long)oid);
}

static void rename_label(struct statement *s, int64_t oid, const char *from, const char *to)
{
    if (!has_label(s->database, s->arena, oid, from)) {
        pg_fail(s->session, "22023", -1, "\"%s\" is not an existing enum label", from);
        return;
    }
    if (has_label(s->database, s->arena, oid, to)) {
        pg_fail(s->session, "42710", -1, "enum label \"%s\" already exists", to);
        return;
    }
    catalog_run(s->database, "UPDATE pgc_enum SET label = %s WHERE type = %lld AND label = %s",
                sql_text(s->arena, to), (long long)oid, sql_text(s->arena, from));
    for (char **columns = columns_of(s, oid); *columns; columns++) {
        struct str rest = str_of(*columns);
        struct pg_relation *relation =
            catalog_by_oid(s->database, s->arena, strtoll(*columns, NULL, 10));
        str_cut(&rest, '\x1f');
        str_cut(&rest, '\x1f');
        if (relation->kind == 'r' && !relation->ledger)
            catalog_run(s->database, "UPDATE %s SET %s = %s WHERE %s = %s",
                        sql_name(s->arena, relation->key), sql_name(s->arena, rest.at),
                        sql_text(s->arena, to), sql_name(s->arena, rest.at),
                        sql_text(s->arena, from));
    }
}

void run_alter_enum(struct statement *s)
{
    int64_t oid = named_enum(s, node_get(s->node, "typeName"));
    const char *from = node_text(s->node, "oldVal"), *to = node_text(s->node, "newVal");
    if (oid && *from)
        rename_label(s, oid, from, to);
    else if (oid)
        add_label(s, oid, to);
    if (!s->session->error.set)
        statement_done(s, "ALTER TYPE");
}

void rename_enum(struct statement *s)
{
    const char *to = node_text(s->node, "newname");
    int64_t oid = named_enum(s, node_get(node_get(node_get(s->node, "object"), "List"), "items"));
    if (oid && catalog_enum(s->database, to))
        pg_fail(s->session, "42710", -1, "type \"%s\" already exists", to);
    if (s->session->error.set)
        return;
    catalog_run(s->database, "UPDATE pgc_type SET name = %s WHERE oid = %lld",
                sql_text(s->arena, to), (long long)oid);
    statement_done(s, "ALTER TYPE");
}

void drop_enum(struct statement *s, const cJSON *object, bool if_exists, bool cascade)
{
    const cJSON *names = node_get(node_get(object, "TypeName"), "names");
    const char *name = node_string(cJSON_GetArrayItem(names, cJSON_GetArraySize(names) - 1));
    int64_t oid = catalog_enum(s->database, name);
    if (!oid && if_exists)
        pg_notice(s->session, "NOTICE", "type \"%s\" does not exist, skipping", name);
    else if (!oid)
        pg_fail(s->session, "42704", -1, "type \"%s\" does not exist", name);
    if (!oid)
        return;
    struct buf detail;
    buf_init(&detail, 1 << 16);
    int n = 0;
    for (char **columns = columns_of(s, oid); *columns; columns++, n++) {
        struct str rest = str_of(*columns);
        str_cut(&rest, '\x1f');
        struct str key = str_cut(&rest, '\x1f');
        buf_printf(&detail, "%scolumn %s of table %.*s depends on type %s", n ? "\n" : "", rest.at,
                   STR_ARG(key), name);
    }
    if (n && cascade) {
        pg_not_simulated(s->session, -1, "DROP TYPE ... CASCADE of a type that columns have");
    } else if (n) {
        pg_fail(s->session, "2BP01", -1, "cannot drop type %s because other objects depend on it",
                name);
        pg_detail(s->session, "%s", detail.at);
        pg_hint(s->session, "Use DROP ... CASCADE to drop the dependent objects too.");
    } else {
        catalog_run(s->database,
                    "DELETE FROM pgc_type WHERE oid = %lld; DELETE FROM pgc_enum WHERE type = %lld",
                    (long long)oid, (long long)oid);
    }
    buf_release(&detail);
}
