#include "fakes/postgres/rows.h"

#include <stdlib.h>
#include <string.h>

#include "sim/base/xalloc.h"

struct table {
    sqlite3_vtab base;
    struct pg_database *database;
    struct arena arena;
    struct pg_relation *relation;
    int id_column, time_column; /* -1: none */
    sqlite3_stmt *override;
    bool overridden;
};

struct cursor {
    sqlite3_vtab_cursor base;
    struct idset rows;
    int interval;
    int64_t id;
};

static struct table *table_of(sqlite3_vtab *base)
{
    return (struct table *)(void *)base;
}

static int connect_table(sqlite3 *sqlite, void *aux, int argc, const char *const *argv,
                         sqlite3_vtab **ret, char **message)
{
    (void)argc, (void)message;
    struct table *table = xcalloc(1, sizeof *table);
    table->database = aux;
    int64_t oid = strtoll(argv[3], NULL, 10);
    table->relation = catalog_by_oid(table->database, &table->arena, oid);
    if (!table->relation) {
        arena_release(&table->arena);
        free(table);
        return SQLITE_ERROR;
    }
    struct buf sql;
    buf_init(&sql, 1 << 18);
    buf_puts(&sql, "CREATE TABLE x(");
    table->id_column = table->time_column = -1;
    for (int i = 0; i < table->relation->n_attributes; i++) {
        const struct pg_attribute *a = &table->relation->attributes[i];
        buf_printf(&sql, "%s%s", i ? ", " : "", sql_name(&table->arena, a->name));
        if (a->is_id)
            table->id_column = i;
        if (a->is_time)
            table->time_column = i;
    }
    if (table->relation->n_attributes == 0)
        buf_puts(&sql, "pg_none HIDDEN");
    buf_putc(&sql, ')');
    int code = sqlite3_declare_vtab(sqlite, sql.at);
    buf_release(&sql);
    *ret = &table->base;
    return code;
}

static int disconnect_table(sqlite3_vtab *base)
{
    struct table *table = table_of(base);
    sqlite3_finalize(table->override);
    arena_release(&table->arena);
    free(table);
    return SQLITE_OK;
}

/* One letter for a condition that can be pushed down: '=', 'l' and 'h' bounds of the id, 't' and
 * 'u' of the time. */
static char letter_for(const struct table *table, int column, int op)
{
    bool low = op == SQLITE_INDEX_CONSTRAINT_GT || op == SQLITE_INDEX_CONSTRAINT_GE;
    bool high = op == SQLITE_INDEX_CONSTRAINT_LT || op == SQLITE_INDEX_CONSTRAINT_LE;
    if (column == -1 || column == table->id_column)
        return op == SQLITE_INDEX_CONSTRAINT_EQ ? '=' : low ? 'l' : high ? 'h' : '\0';
    if (column == table->time_column)
        return low ? 't' : high ? 'u' : '\0';
    return '\0';
}

static int best_index(sqlite3_vtab *base, sqlite3_index_info *info)
{
    struct table *table = table_of(base);
    char order[8] = "";
    int n = 0;
    for (int i = 0; i < info->nConstraint && n < (int)sizeof order - 1; i++) {
        char letter = letter_for(table, info->aConstraint[i].iColumn, info->aConstraint[i].op);
        if (!info->aConstraint[i].usable || !letter || strchr(order, letter))
            continue;
        order[n++] = letter;
        order[n] = '\0';
        info->aConstraintUsage[i].argvIndex = n;
    }
    info->idxStr = sqlite3_mprintf("%s", order);
    info->needToFreeIdxStr = 1;
    info->estimatedRows = strchr(order, '=') ? 1 : n ? 1000 : 1000000;
    info->estimatedCost = (double)info->estimatedRows;
    if (info->nOrderBy == 1 && !info->aOrderBy[0].desc &&
        info->aOrderBy[0].iColumn == table->id_column)
        info->orderByConsumed = 1;
    return SQLITE_OK;
}

static int open_cursor(sqlite3_vtab *base, sqlite3_vtab_cursor **ret)
{
    (void)base;
    struct cursor *cursor = xcalloc(1, sizeof *cursor);
    *ret = &cursor->base;
    return SQLITE_OK;
}

static struct cursor *cursor_of(sqlite3_vtab_cursor *base)
{
    return (struct cursor *)(void *)base;
}

static int close_cursor(sqlite3_vtab_cursor *base)
{
    struct cursor *cursor = cursor_of(base);
    idset_release(&cursor->rows);
    free(cursor);
    return SQLITE_OK;
}

static int64_t to_world_ns(const struct pg_database *database, int64_t unix_us)
{
    int64_t start_us = database->server->env->start_unix_ns / 1000;
    if (unix_us > start_us + INT64_C(9000000000000000))
        return INT64_MAX;
    if (unix_us < start_us - INT64_C(9000000000000000))
        return INT64_MIN + 1;
    return unix_us * 1000 - database->server->env->start_unix_ns;
}

/* Narrows [lo, hi) to what one pushed-down condition leaves. SQLite checks every row again, so a
 * bound may be generous by one. */
static void narrow(struct table *table, char letter, sqlite3_value *value, int64_t *lo, int64_t *hi)
{
    const struct pg_server *server = table->database->server;
    const char *origin = table->relation->origin;
    int64_t v = sqlite3_value_int64(value);
    if (sqlite3_value_type(value) == SQLITE_NULL) {
        *hi = *lo;
        return;
    }
    if (sqlite3_value_type(value) == SQLITE_FLOAT || sqlite3_value_type(value) == SQLITE_TEXT)
        v = (int64_t)sqlite3_value_double(value);
    struct interval range;
    switch (letter) {
    case '=':
        if (v > *lo)
            *lo = v;
        if (v < *hi)
            *hi = v + 1;
        break;
    case 'l':
        if (v > *lo)
            *lo = v;
        break;
    case 'h':
        if (v < INT64_MAX && v + 1 < *hi)
            *hi = v + 1;
        break;
    case 't': /* rows from a microsecond before it on */
        range = store_rows_between(server->store, origin, to_world_ns(table->database, v - 1),
                                   INT64_MAX);
        if (range.lo > *lo)
            *lo = range.lo;
        if (range.lo >= range.hi)
            *hi = *lo;
        break;
    case 'u':
        range = store_rows_between(server->store, origin, INT64_MIN + 1,
                                   to_world_ns(table->database, v + 1));
        if (range.hi < *hi)
            *hi = range.hi;
        break;
    }
}

static int filter(sqlite3_vtab_cursor *base, int plan, const char *order, int argc,
                  sqlite3_value **argv)
{
    (void)plan;
    struct cursor *cursor = cursor_of(base);
    struct table *table = table_of(base->pVtab);
    int64_t lo = INT64_MIN, hi = INT64_MAX;
    for (int i = 0; i < argc; i++)
        narrow(table, order[i], argv[i], &lo, &hi);
    const struct idset *rows = rows_of(table->database, table->relation);
    idset_release(&cursor->rows);
    cursor->rows = (struct idset){0};
    for (int i = 0; rows && i < rows->n; i++) {
        int64_t from = rows->at[i].lo > lo ? rows->at[i].lo : lo;
        int64_t to = rows->at[i].hi < hi ? rows->at[i].hi : hi;
        if (from < to)
            idset_add(&cursor->rows, from, to);
    }
    cursor->interval = 0;
    cursor->id = cursor->rows.n ? cursor->rows.at[0].lo : 0;
    table->overridden =
        catalog_int(table->database, 0, "SELECT 1 FROM pgc_override WHERE relation = %lld LIMIT 1",
                    (long long)table->relation->oid);
    return SQLITE_OK;
}

static int next(sqlite3_vtab_cursor *base)
{
    struct cursor *cursor = cursor_of(base);
    if (++cursor->id >= cursor->rows.at[cursor->interval].hi && ++cursor->interval < cursor->rows.n)
        cursor->id = cursor->rows.at[cursor->interval].lo;
    return SQLITE_OK;
}

static int at_end(sqlite3_vtab_cursor *base)
{
    return cursor_of(base)->interval >= cursor_of(base)->rows.n;
}

static int row_id(sqlite3_vtab_cursor *base, sqlite3_int64 *ret)
{
    *ret = cursor_of(base)->id;
    return SQLITE_OK;
}

/* splitmix64: a well-mixed number for one cell. */
static uint64_t mix(uint64_t x)
{
    x += UINT64_C(0x9e3779b97f4a7c15);
    x = (x ^ (x >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    x = (x ^ (x >> 27)) * UINT64_C(0x94d049bb133111eb);
    return x ^ (x >> 31);
}

static uint64_t cell_hash(const char *table, const char *column, int64_t id)
{
    uint64_t h = (uint64_t)id;
    for (const char *p = table; *p; p++)
        h = mix(h ^ (unsigned char)*p);
    for (const char *p = column; *p; p++)
        h = mix(h ^ (unsigned char)*p);
    return mix(h);
}

int64_t rows_time_us(struct pg_database *database, const struct pg_relation *relation, int64_t id)
{
    const struct pg_server *server = database->server;
    int64_t ns = server->store ? store_row_time(server->store, relation->origin, id) : NEVER;
    if (ns == NEVER)
        ns = 0;
    int64_t unix_ns = server->env->start_unix_ns + ns;
    return unix_ns / 1000;
}

/* A value that an application might have written: it depends on nothing but table, column and
 * identity. */
const char *rows_value(struct pg_database *database, struct arena *arena,
                       const struct pg_relation *relation, int column, int64_t id)
{
    const struct pg_attribute *a = &relation->attributes[column];
    uint64_t h = cell_hash(relation->origin, a->name, id);
    if (a->is_id)
        return arena_printf(arena, "%lld", (long long)id);
    if (!a->fill)
        return NULL;
    if (*a->fill == '=')
        return a->fill + 1;
    if (pg_type_is_time(a->type) || a->type == PG_TIME) {
        int64_t us = rows_time_us(database, relation, id);
        return arena_printf(arena, "%lld",
                            (long long)(a->type == PG_DATE   ? us / 86400000000
                                        : a->type == PG_TIME ? us % 86400000000
                                                             : us));
    }
    switch (a->type) {
    case PG_BOOL:
        return h & 1 ? "1" : "0";
    case PG_INT2:
    case PG_INT4:
    case PG_INT8:
    case PG_OID:
        return arena_printf(arena, "%llu", (unsigned long long)(h % 1000));
    case PG_NUMERIC:
    case PG_FLOAT4:
    case PG_FLOAT8:
        return arena_printf(arena, "%llu.%02llu", (unsigned long long)(h % 1000),
                            (unsigned long long)(h >> 32) % 100);
    case PG_INET:
        return arena_printf(arena, "203.0.113.%llu", (unsigned long long)(h % 254 + 1));
    case PG_UUID:
        return arena_printf(arena, "%08llx-%04llx-4%03llx-a%03llx-%012llx",
                            (unsigned long long)(h >> 32), (unsigned long long)(h >> 16 & 0xffff),
                            (unsigned long long)(h & 0xfff), (unsigned long long)(h >> 4 & 0xfff),
                            (unsigned long long)(mix(h) >> 16));
    case PG_JSON:
    case PG_JSONB:
        return arena_printf(arena, "{\"n\": %llu}", (unsigned long long)(h % 1000));
    case PG_INTERVAL:
        return "0/0/1000000";
    case PG_TEXT_ARRAY:
    case PG_INT4_ARRAY:
        return "{}";
    default: {
        int limit = a->typmod >= 4 ? a->typmod - 4 : 64;
        return arena_printf(arena, "%.*s", limit,
                            arena_printf(arena, "%s-%016llx", a->name, (unsigned long long)h));
    }
    }
}

static void result_value(sqlite3_context *context, enum pg_type type, const char *text)
{
    char category = pg_types[type].category;
    if (!text)
        sqlite3_result_null(context);
    else if (type == PG_FLOAT4 || type == PG_FLOAT8)
        sqlite3_result_double(context, strtod(text, NULL));
    else if (type != PG_NUMERIC && (category == 'N' || category == 'D' || category == 'B'))
        sqlite3_result_int64(context, strtoll(text, NULL, 10));
    else
        sqlite3_result_text(context, text, -1, SQLITE_TRANSIENT);
}

static bool overridden(struct table *table, sqlite3_context *context, int64_t id,
                       const char *column)
{
    if (!table->override)
        sqlite3_prepare_v3(
            table->database->sqlite,
            "SELECT value FROM pgc_override WHERE relation = ? AND id = ? AND name = ?", -1,
            SQLITE_PREPARE_PERSISTENT, &table->override, NULL);
    sqlite3_reset(table->override);
    sqlite3_bind_int64(table->override, 1, table->relation->oid);
    sqlite3_bind_int64(table->override, 2, id);
    sqlite3_bind_text(table->override, 3, column, -1, SQLITE_STATIC);
    bool found = sqlite3_step(table->override) == SQLITE_ROW;
    if (found)
        sqlite3_result_value(context, sqlite3_column_value(table->override, 0));
    sqlite3_reset(table->override);
    return found;
}

static int column_value(sqlite3_vtab_cursor *base, sqlite3_context *context, int column)
{
    struct table *table = table_of(base->pVtab);
    int64_t id = cursor_of(base)->id;
    if (column < 0 || column >= table->relation->n_attributes)
        return SQLITE_OK;
    const struct pg_attribute *a = &table->relation->attributes[column];
    if (a->is_id) {
        sqlite3_result_int64(context, id);
        return SQLITE_OK;
    }
    if (table->overridden && overridden(table, context, id, a->name))
        return SQLITE_OK;
    if (a->is_time && a->type != PG_DATE) {
        sqlite3_result_int64(context, rows_time_us(table->database, table->relation, id));
        return SQLITE_OK;
    }
    struct arena arena = {0};
    result_value(context, a->type,
                 rows_value(table->database, &arena, table->relation, column, id));
    arena_release(&arena);
    return SQLITE_OK;
}

static int rename_table(sqlite3_vtab *base, const char *to)
{
    (void)base, (void)to;
    return SQLITE_OK;
}

static const sqlite3_module module = {
    .iVersion = 1,
    .xCreate = connect_table,
    .xConnect = connect_table,
    .xBestIndex = best_index,
    .xDisconnect = disconnect_table,
    .xDestroy = disconnect_table,
    .xOpen = open_cursor,
    .xClose = close_cursor,
    .xFilter = filter,
    .xNext = next,
    .xEof = at_end,
    .xColumn = column_value,
    .xRowid = row_id,
    .xRename = rename_table,
};

void rows_register(struct pg_database *database)
{
    sqlite3_create_module(database->sqlite, "ledger", &module, database);
    sqlite3_exec(database->sqlite,
                 "CREATE TABLE IF NOT EXISTS pgc_override(relation, id, name, value, PRIMARY "
                 "KEY(relation, id, name))",
                 NULL, NULL, NULL);
}

int rows_create(struct pg_database *database, const struct pg_relation *relation)
{
    rows_drop(database, relation->key);
    struct arena arena = {0};
    int code = catalog_run(database, "CREATE VIRTUAL TABLE %s USING ledger(%lld)",
                           sql_name(&arena, relation->key), (long long)relation->oid);
    arena_release(&arena);
    return code;
}

void rows_drop(struct pg_database *database, const char *key)
{
    struct arena arena = {0};
    catalog_run(database, "DROP TABLE IF EXISTS %s", sql_name(&arena, key));
    arena_release(&arena);
}

const struct idset *rows_of(struct pg_database *database, const struct pg_relation *relation)
{
    return dataset_rows(pg_database_contents(database), relation->key);
}

void rows_insert(struct pg_database *database, const struct pg_relation *relation, int64_t lo,
                 int64_t hi)
{
    dataset_insert(pg_database_contents(database), relation->key, lo, hi);
}

void rows_delete(struct pg_database *database, const struct pg_relation *relation, int64_t lo,
                 int64_t hi)
{
    dataset_delete(pg_database_contents(database), relation->key, lo, hi);
}

void rows_override(struct pg_database *database, const struct pg_relation *relation, int64_t id,
                   const char *column, sqlite3_value *value)
{
    sqlite3_stmt *statement;
    if (sqlite3_prepare_v2(database->sqlite,
                           "INSERT OR REPLACE INTO pgc_override VALUES(?, ?, ?, ?)", -1, &statement,
                           NULL) != SQLITE_OK)
        return;
    sqlite3_bind_int64(statement, 1, relation->oid);
    sqlite3_bind_int64(statement, 2, id);
    sqlite3_bind_text(statement, 3, column, -1, SQLITE_STATIC);
    sqlite3_bind_value(statement, 4, value);
    sqlite3_step(statement);
    sqlite3_finalize(statement);
}
