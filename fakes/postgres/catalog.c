#include "fakes/postgres/catalog.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sim/base/xalloc.h"

static const char schema_sql[] =
    "CREATE TABLE pgc_relation(oid INTEGER PRIMARY KEY, schema, name, key, kind, owner, ledger,"
    " origin, id_column, time_column, definition);"
    "CREATE INDEX pgc_relation_key ON pgc_relation(key);"
    "CREATE TABLE pgc_column(relation, number, name, type, typmod, not_null, default_pg, "
    "default_sqlite, fill);"
    "CREATE INDEX pgc_column_relation ON pgc_column(relation, number);"
    "CREATE TABLE pgc_constraint(oid INTEGER PRIMARY KEY, relation, name, kind, columns, "
    "definition,"
    " target, target_columns, on_delete);"
    "CREATE TABLE pgc_index(oid INTEGER PRIMARY KEY, relation, name, is_unique, columns, "
    "definition,"
    " constraint_oid);"
    "CREATE TABLE pgc_sequence(relation INTEGER PRIMARY KEY, last_value, is_called, increment,"
    " start, owner_relation, owner_column);"
    "CREATE TABLE pgc_type(oid INTEGER PRIMARY KEY, name, owner);"
    "CREATE TABLE pgc_enum(type, sort, label);"
    "CREATE TABLE pgc_depends(view, on_relation);"
    "CREATE TABLE pgc_function(oid INTEGER PRIMARY KEY, name, arguments, returns, language, body, "
    "text);"
    "CREATE TABLE pgc_trigger(oid INTEGER PRIMARY KEY, relation, name, function, definition, "
    "enabled);"
    "CREATE TABLE pgc_schema(name PRIMARY KEY, owner);"
    "INSERT INTO pgc_schema VALUES('public', 'pg_database_owner'),('pg_catalog', 'postgres'),"
    "('information_schema', 'postgres');"
    "CREATE TABLE pgc_extension(name PRIMARY KEY, version, schema);"
    "INSERT INTO pgc_extension VALUES('plpgsql', '1.0', 'pg_catalog');";

int catalog_create(sqlite3 *sqlite)
{
    return sqlite3_exec(sqlite, schema_sql, NULL, NULL, NULL);
}

__attribute__((format(printf, 1, 0))) static char *format_sql(const char *format, va_list args)
{
    char *text = NULL;
    if (vasprintf(&text, format, args) < 0)
        abort();
    return text;
}

int catalog_run(struct pg_database *database, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    char *sql = format_sql(format, args);
    va_end(args);
    int code = sqlite3_exec(database->sqlite, sql, NULL, NULL, NULL);
    free(sql);
    return code;
}

__attribute__((format(printf, 2, 0))) static sqlite3_stmt *prepare(struct pg_database *database,
                                                                   const char *format, va_list args)
{
    char *sql = format_sql(format, args);
    sqlite3_stmt *statement = NULL;
    if (sqlite3_prepare_v2(database->sqlite, sql, -1, &statement, NULL) != SQLITE_OK)
        statement = NULL;
    free(sql);
    return statement;
}

const char *catalog_text(struct pg_database *database, struct arena *arena, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    sqlite3_stmt *statement = prepare(database, format, args);
    va_end(args);
    const char *result = NULL;
    if (statement && sqlite3_step(statement) == SQLITE_ROW &&
        sqlite3_column_type(statement, 0) != SQLITE_NULL)
        result = arena_strdup(arena, (const char *)sqlite3_column_text(statement, 0));
    sqlite3_finalize(statement);
    return result;
}

int64_t catalog_int(struct pg_database *database, int64_t otherwise, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    sqlite3_stmt *statement = prepare(database, format, args);
    va_end(args);
    int64_t result = otherwise;
    if (statement && sqlite3_step(statement) == SQLITE_ROW &&
        sqlite3_column_type(statement, 0) != SQLITE_NULL)
        result = sqlite3_column_int64(statement, 0);
    sqlite3_finalize(statement);
    return result;
}

char **catalog_rows(struct pg_database *database, struct arena *arena, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    sqlite3_stmt *statement = prepare(database, format, args);
    va_end(args);
    char **list = NULL;
    int n = 0, cap = 0;
    struct buf row;
    buf_init(&row, 1 << 20);
    while (statement && sqlite3_step(statement) == SQLITE_ROW) {
        buf_clear(&row);
        for (int i = 0; i < sqlite3_column_count(statement); i++) {
            const char *text = (const char *)sqlite3_column_text(statement, i);
            if (i)
                buf_putc(&row, '\x1f');
            buf_puts(&row, text ? text : "");
        }
        XGROW(list, n, cap);
        list[n++] = arena_str(arena, buf_text(&row));
    }
    sqlite3_finalize(statement);
    buf_release(&row);
    char **result = ARENA_ARRAY(arena, char *, n + 1);
    if (n)
        memcpy(result, list, (size_t)n * sizeof *list);
    free(list);
    return result;
}

static const char *quoted(struct arena *arena, const char *text, char quote)
{
    size_t n = strlen(text), extra = 2;
    for (const char *p = text; *p; p++)
        extra += *p == quote;
    char *result = arena_alloc(arena, n + extra + 1), *to = result;
    *to++ = quote;
    for (const char *p = text; *p; p++) {
        if (*p == quote)
            *to++ = quote;
        *to++ = *p;
    }
    *to++ = quote;
    *to = '\0';
    return result;
}

const char *sql_text(struct arena *arena, const char *text)
{
    return quoted(arena, text, '\'');
}

const char *sql_name(struct arena *arena, const char *name)
{
    return quoted(arena, name, '"');
}

const char *pg_ident(struct arena *arena, const char *name)
{
    static const char reserved[] =
        " all analyse analyze and any array as asc both case cast check collate column constraint "
        "create current_user default desc distinct do else end except false fetch for foreign from "
        "grant group having in into intersect limit not null offset on only or order primary "
        "references select table then to true union unique user using when where window with ";
    bool plain = (*name >= 'a' && *name <= 'z') || *name == '_';
    for (const char *p = name; *p && plain; p++)
        plain = (*p >= 'a' && *p <= 'z') || *p == '_' || (*p >= '0' && *p <= '9');
    if (plain) {
        char *word = arena_printf(arena, " %s ", name);
        plain = !strstr(reserved, word);
    }
    return plain ? name : quoted(arena, name, '"');
}

static const char *text_at(struct arena *arena, sqlite3_stmt *statement, int column)
{
    const unsigned char *text = sqlite3_column_text(statement, column);
    return text ? arena_strdup(arena, (const char *)text) : NULL;
}

/* The questions behind pg_database.looks. */
#define RELATION                                                                                   \
    "SELECT oid, schema, name, key, kind, owner, ledger, origin, id_column, time_column, "         \
    "definition FROM pgc_relation "
enum look { BY_OID, BY_NAME, BY_SCHEMA_AND_NAME, ATTRIBUTES };
static const char *const looks[] = {
    RELATION "WHERE oid = ?1",
    RELATION "WHERE name = ?2 AND schema IN ('pg_catalog', 'public') ORDER BY schema LIMIT 1",
    RELATION "WHERE name = ?2 AND schema = ?1",
    ("SELECT name, type, typmod, not_null, default_pg, default_sqlite, fill FROM pgc_column WHERE "
     "relation = ? ORDER BY number"),
};

/* Ready to be bound and stepped; give it back with sqlite3_reset. NULL: this database has no
 * catalog. */
static sqlite3_stmt *look(struct pg_database *database, enum look which)
{
    sqlite3_stmt **statement = &database->looks[which];
    if (!*statement)
        (void)sqlite3_prepare_v3(database->sqlite, looks[which], -1, SQLITE_PREPARE_PERSISTENT,
                                 statement, NULL);
    return *statement;
}

void catalog_close(struct pg_database *database)
{
    for (size_t i = 0; i < sizeof database->looks / sizeof *database->looks; i++) {
        sqlite3_finalize(database->looks[i]);
        database->looks[i] = NULL;
    }
}

static void load_attributes(struct pg_database *database, struct arena *arena,
                            struct pg_relation *relation, const char *id, const char *time)
{
    int cap = 16;
    relation->attributes = ARENA_ARRAY(arena, struct pg_attribute, cap);
    sqlite3_stmt *statement = look(database, ATTRIBUTES);
    sqlite3_bind_int64(statement, 1, relation->oid);
    while (sqlite3_step(statement) == SQLITE_ROW) {
        if (relation->n_attributes + 1 == cap) { /* one more is kept free behind them */
            struct pg_attribute *more = ARENA_ARRAY(arena, struct pg_attribute, 2 * cap);
            memcpy(more, relation->attributes, (size_t)cap * sizeof *more);
            relation->attributes = more;
            cap *= 2;
        }
        struct pg_attribute *a = &relation->attributes[relation->n_attributes++];
        a->name = text_at(arena, statement, 0);
        a->type = (enum pg_type)sqlite3_column_int(statement, 1);
        a->typmod = sqlite3_column_int(statement, 2);
        a->not_null = sqlite3_column_int(statement, 3);
        a->default_pg = text_at(arena, statement, 4);
        a->default_sqlite = text_at(arena, statement, 5);
        a->fill = text_at(arena, statement, 6);
        a->is_id = id && strcmp(a->name, id) == 0;
        a->is_time = time && strcmp(a->name, time) == 0;
    }
    sqlite3_reset(statement);
}

static struct pg_relation *load(struct pg_database *database, struct arena *arena,
                                sqlite3_stmt *statement)
{
    struct pg_relation *relation = NULL;
    if (sqlite3_step(statement) == SQLITE_ROW) {
        relation = ARENA_NEW(arena, struct pg_relation);
        relation->oid = sqlite3_column_int64(statement, 0);
        relation->schema = text_at(arena, statement, 1);
        relation->name = text_at(arena, statement, 2);
        relation->key = text_at(arena, statement, 3);
        relation->kind = *text_at(arena, statement, 4);
        relation->owner = text_at(arena, statement, 5);
        relation->ledger = sqlite3_column_int(statement, 6);
        relation->origin = text_at(arena, statement, 7);
        const char *id = text_at(arena, statement, 8), *time = text_at(arena, statement, 9);
        relation->definition = text_at(arena, statement, 10);
        relation->is_system = strcmp(relation->schema, "pg_catalog") == 0 ||
                              strcmp(relation->schema, "information_schema") == 0;
        load_attributes(database, arena, relation, id, time);
    }
    sqlite3_reset(statement);
    return relation;
}

struct pg_relation *catalog_find(struct pg_database *database, struct arena *arena,
                                 const char *schema, const char *name)
{
    sqlite3_stmt *statement = look(database, schema ? BY_SCHEMA_AND_NAME : BY_NAME);
    if (!statement)
        return NULL;
    if (schema)
        sqlite3_bind_text(statement, 1, schema, -1, SQLITE_TRANSIENT);
    sqlite3_bind_text(statement, 2, name, -1, SQLITE_TRANSIENT);
    return load(database, arena, statement);
}

struct pg_relation *catalog_by_oid(struct pg_database *database, struct arena *arena, int64_t oid)
{
    sqlite3_stmt *statement = look(database, BY_OID);
    if (!statement)
        return NULL;
    sqlite3_bind_int64(statement, 1, oid);
    return load(database, arena, statement);
}

int catalog_attribute(const struct pg_relation *relation, const char *name)
{
    for (int i = 0; i < relation->n_attributes; i++) {
        if (strcmp(relation->attributes[i].name, name) == 0)
            return i;
    }
    return -1;
}
