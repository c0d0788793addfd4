/* What a row must satisfy before it is written, and what the next row of traffic meets. */
#include <stdlib.h>
#include <string.h>

#include "fakes/postgres/statements.h"
#include "sim/base/xalloc.h"

static const char *row_text(struct statement *s, const struct pg_relation *relation,
                            sqlite3_value **values)
{
    struct buf out;
    buf_init(&out, 1 << 16);
    for (int i = 0; i < relation->n_attributes; i++) {
        const char *text = value_text(s->arena, values[i], relation->attributes[i].type,
                                      relation->attributes[i].typmod);
        buf_printf(&out, "%s%.64s%s", i ? ", " : "", text ? text : "null",
                   text && strlen(text) > 64 ? "..." : "");
    }
    const char *result = arena_str(s->arena, buf_text(&out));
    buf_release(&out);
    return result;
}

bool check_not_null(struct statement *s, const struct pg_relation *relation, sqlite3_value **values)
{
    for (int i = 0; i < relation->n_attributes; i++) {
        if (!relation->attributes[i].not_null || sqlite3_value_type(values[i]) != SQLITE_NULL)
            continue;
        pg_fail(s->session, "23502", -1,
                "null value in column \"%s\" of relation \"%s\" violates not-null constraint",
                relation->attributes[i].name, relation->name);
        pg_detail(s->session, "Failing row contains (%s).", row_text(s, relation, values));
        return false;
    }
    return true;
}

static sqlite3_stmt *prepare_check(struct pg_database *database, struct arena *arena,
                                   const struct pg_relation *relation, const char *check)
{
    struct buf sql;
    buf_init(&sql, 1 << 18);
    buf_printf(&sql, "SELECT (%s) IS NOT 0 FROM (SELECT ", check);
    for (int i = 0; i < relation->n_attributes; i++)
        buf_printf(&sql, "%s?%d AS %s", i ? ", " : "", i + 1,
                   sql_name(arena, relation->attributes[i].name));
    buf_printf(&sql, ") AS %s", sql_name(arena, relation->name));
    sqlite3_stmt *statement = NULL;
    sqlite3_prepare_v2(database->sqlite, sql.at, -1, &statement, NULL);
    buf_release(&sql);
    return statement;
}

bool check_checks(struct statement *s, const struct pg_relation *relation, sqlite3_value **values)
{
    char **checks = catalog_rows(s->database, s->arena,
                                 "SELECT name, target FROM pgc_constraint WHERE relation = %lld "
                                 "AND kind = 'c' ORDER BY name",
                                 (long long)relation->oid);
    for (; *checks; checks++) {
        struct str check = str_of(*checks), name = str_cut(&check, '\x1f');
        sqlite3_stmt *statement = prepare_check(s->database, s->arena, relation, check.at);
        for (int i = 0; i < relation->n_attributes; i++)
            sqlite3_bind_value(statement, i + 1, values[i]);
        bool ok = sqlite3_step(statement) != SQLITE_ROW || sqlite3_column_int(statement, 0);
        sqlite3_finalize(statement);
        if (ok)
            continue;
        pg_fail(s->session, "23514", -1,
                "new row for relation \"%s\" violates check constraint \"%.*s\"", relation->name,
                STR_ARG(name));
        pg_detail(s->session, "Failing row contains (%s).", row_text(s, relation, values));
        return false;
    }
    return true;
}

/* The rowid of a row with the same values in these columns; 0 none. */
static int64_t find_row(struct statement *s, const struct pg_relation *relation,
                        const char *columns, const struct pg_relation *from,
                        const char *from_columns, sqlite3_value **values, int64_t except,
                        const char **ret_shown)
{
    struct buf sql, shown;
    buf_init(&sql, 1 << 16);
    buf_init(&shown, 1 << 16);
    buf_printf(&sql, "SELECT rowid FROM %s WHERE rowid <> %lld", sql_name(s->arena, relation->key),
               (long long)except);
    struct str rest = str_of(columns), from_rest = str_of(from_columns);
    int bound[32], n = 0;
    bool null = false;
    while (rest.len && n < 32) {
        const char *column = arena_str(s->arena, str_cut(&rest, ','));
        int i = catalog_attribute(from, arena_str(s->arena, str_cut(&from_rest, ',')));
        if (i < 0)
            continue;
        null |= sqlite3_value_type(values[i]) == SQLITE_NULL;
        const char *text =
            value_text(s->arena, values[i], from->attributes[i].type, from->attributes[i].typmod);
        buf_printf(&shown, "%s%s", n ? ", " : "", text ? text : "null");
        bound[n++] = i;
        buf_printf(&sql, " AND %s = ?%d", sql_name(s->arena, column), n);
    }
    buf_puts(&sql, " LIMIT 1");
    *ret_shown = arena_str(s->arena, buf_text(&shown));
    int64_t found = null || n == 0 ? -1 : 0;
    sqlite3_stmt *statement = NULL;
    if (found == 0 &&
        sqlite3_prepare_v2(s->database->sqlite, sql.at, -1, &statement, NULL) == SQLITE_OK) {
        for (int i = 0; i < n; i++)
            sqlite3_bind_value(statement, i + 1, values[bound[i]]);
        if (sqlite3_step(statement) == SQLITE_ROW)
            found = sqlite3_column_int64(statement, 0);
    }
    sqlite3_finalize(statement);
    buf_release(&sql);
    buf_release(&shown);
    return found;
}

static const char *spaced(struct statement *s, const char *columns)
{
    struct buf out;
    buf_init(&out, 1 << 14);
    for (; *columns; columns++)
        buf_printf(&out, *columns == ',' ? "%c " : "%c", *columns);
    const char *text = arena_str(s->arena, buf_text(&out));
    buf_release(&out);
    return text;
}

int64_t conflicting(struct statement *s, const struct pg_relation *relation, sqlite3_value **values,
                    int64_t except, const char *only, bool report)
{
    char **keys = catalog_rows(
        s->database, s->arena,
        "SELECT name, columns FROM pgc_index WHERE relation = %lld AND is_unique ORDER BY oid",
        (long long)relation->oid);
    for (; *keys; keys++) {
        struct str columns = str_of(*keys), name = str_cut(&columns, '\x1f');
        const char *shown;
        if (*only && strcmp(only, columns.at) != 0)
            continue;
        int64_t found =
            find_row(s, relation, columns.at, relation, columns.at, values, except, &shown);
        if (found <= 0)
            continue;
        if (report) {
            pg_fail(s->session, "23505", -1,
                    "duplicate key value violates unique constraint \"%.*s\"", STR_ARG(name));
            pg_detail(s->session, "Key (%s)=(%s) already exists.", spaced(s, columns.at), shown);
        }
        return found;
    }
    return 0;
}

bool check_foreign(struct statement *s, const struct pg_relation *relation, sqlite3_value **values)
{
    char **keys = catalog_rows(
        s->database, s->arena,
        "SELECT name, columns, target, target_columns FROM pgc_constraint WHERE relation = %lld AND"
        " kind = 'f' ORDER BY name",
        (long long)relation->oid);
    for (; *keys; keys++) {
        struct str rest = str_of(*keys), name = str_cut(&rest, '\x1f'),
                   columns = str_cut(&rest, '\x1f');
        int64_t oid = strtoll(rest.at, NULL, 10);
        str_cut(&rest, '\x1f');
        struct pg_relation *target = catalog_by_oid(s->database, s->arena, oid);
        const char *shown, *own = arena_str(s->arena, columns);
        if (!target || find_row(s, target, rest.at, relation, own, values, INT64_MIN, &shown) != 0)
            continue;
        pg_fail(s->session, "23503", -1,
                "insert or update on table \"%s\" violates foreign key constraint \"%.*s\"",
                relation->name, STR_ARG(name));
        pg_detail(s->session, "Key (%s)=(%s) is not present in table \"%s\".", spaced(s, own),
                  shown, target->name);
        return false;
    }
    return true;
}

void note_triggers(struct statement *s, const struct pg_relation *relation)
{
    const char *name =
        catalog_text(s->database, s->arena,
                     "SELECT name FROM pgc_trigger WHERE relation = %lld AND enabled LIMIT 1",
                     (long long)relation->oid);
    if (name && s->session->server->env->record)
        record_observe(s->session->server->env->record, "not_simulated",
                       arena_str(s->arena, s->own),
                       "trigger %s on %s is kept but not run by the simulated PostgreSQL", name,
                       relation->name);
}

/* ---- what traffic meets ---- */

enum { ROW_CHECKS_MAX = 16 };

struct pg_row_checks {
    struct arena arena;
    struct pg_relation *relation;
    sqlite3_stmt *statements[ROW_CHECKS_MAX];
    const char *why[ROW_CHECKS_MAX];
    int n;
};

void pg_row_checks_free(struct pg_row_checks *checks)
{
    if (!checks)
        return;
    for (int i = 0; i < checks->n; i++)
        sqlite3_finalize(checks->statements[i]);
    arena_release(&checks->arena);
    free(checks);
}

static struct pg_row_checks *row_checks(struct pg_database *database, const char *table)
{
    struct pg_row_checks *checks = xcalloc(1, sizeof *checks);
    struct arena *arena = &checks->arena;
    checks->relation = catalog_find(database, arena, "public", table);
    char **rows =
        catalog_rows(database, arena,
                     "SELECT name, target FROM pgc_constraint WHERE relation = %lld AND kind = 'c'",
                     (long long)checks->relation->oid);
    for (; *rows && checks->n < ROW_CHECKS_MAX; rows++) {
        struct str check = str_of(*rows), name = str_cut(&check, '\x1f');
        checks->why[checks->n] =
            arena_printf(arena, "new row for relation \"%s\" violates check constraint \"%.*s\"",
                         table, STR_ARG(name));
        checks->statements[checks->n++] =
            prepare_check(database, arena, checks->relation, check.at);
    }
    if (checks->n)
        return checks;
    pg_row_checks_free(checks);
    return NULL;
}

bool pg_row_accepts(struct pg_database *database, const struct pg_row_checks *checks,
                    const char **why)
{
    const struct pg_relation *relation = checks->relation;
    int64_t id = store_acknowledged(database->server->store, relation->name) + 1;
    struct arena arena = {0};
    bool ok = true;
    for (int k = 0; k < checks->n && ok; k++) {
        sqlite3_stmt *statement = checks->statements[k];
        for (int i = 0; i < relation->n_attributes; i++) {
            const char *value = rows_value(database, &arena, relation, i, id);
            bool text = !pg_type_is_number(relation->attributes[i].type) &&
                        !pg_type_is_time(relation->attributes[i].type);
            if (value && text)
                sqlite3_bind_text(statement, i + 1, value, -1, SQLITE_TRANSIENT);
            else if (value)
                sqlite3_bind_double(statement, i + 1, strtod(value, NULL));
            else
                sqlite3_bind_null(statement, i + 1);
        }
        ok = sqlite3_step(statement) != SQLITE_ROW || sqlite3_column_int(statement, 0);
        sqlite3_reset(statement);
        if (!ok)
            *why = checks->why[k];
    }
    arena_release(&arena);
    return ok;
}

bool pg_table_accepts(struct pg_database *database, const char *table, const char **why,
                      struct pg_row_checks **ret_checks)
{
    struct arena *keep = &database->server->arena;
    struct arena arena = {0};
    struct pg_relation *relation = catalog_find(database, &arena, "public", table);
    bool ok = false;
    *ret_checks = NULL;
    if (!relation) {
        *why = arena_printf(keep, "relation \"%s\" does not exist", table);
        goto out;
    }
    if (!relation->ledger) {
        *why =
            arena_printf(keep, "\"%s\" is no longer the table that the application writes", table);
        goto out;
    }
    for (int i = 0; i < relation->n_attributes; i++) {
        const struct pg_attribute *a = &relation->attributes[i];
        if (a->not_null && !a->fill && !a->default_sqlite) {
            *why = arena_printf(
                keep, "null value in column \"%s\" of relation \"%s\" violates not-null constraint",
                a->name, table);
            goto out;
        }
    }
    *ret_checks = row_checks(database, table);
    ok = true;
out:
    arena_release(&arena);
    return ok;
}
