#include <stdlib.h>
#include <string.h>

#include "fakes/postgres/statements.h"
#include "sim/base/xalloc.h"

/* Rows that a statement works on, collected before the first of them changes. */
struct batch {
    int64_t *ids;
    sqlite3_value **values; /* n * width */
    int n, cap, width;
};

enum { BATCH_MAX = 2000000 };

static void batch_release(struct batch *batch)
{
    for (int i = 0; i < batch->n * batch->width; i++)
        sqlite3_value_free(batch->values[i]);
    free(batch->values);
    free(batch->ids);
}

/* Runs a query whose first column is the rowid (if with_ids) and whose others are values. */
static bool batch_fill(struct statement *s, struct batch *batch, const char *sql, bool with_ids,
                       int width)
{
    sqlite3_stmt *statement = NULL;
    int skip = with_ids ? 1 : 0, code;
    *batch = (struct batch){.width = width};
    if (s->session->error.set)
        return false;
    if (sqlite3_prepare_v2(s->database->sqlite, sql, -1, &statement, NULL) != SQLITE_OK) {
        statement_sqlite_error(s);
        return false;
    }
    while ((code = sqlite3_step(statement)) == SQLITE_ROW) {
        if (batch->n >= BATCH_MAX) {
            pg_not_simulated(s->session, -1, "a change of more than %d rows, row by row",
                             BATCH_MAX);
            break;
        }
        if (batch->n == batch->cap) {
            batch->cap = batch->cap ? batch->cap * 2 : 64;
            batch->ids = xrealloc(batch->ids, sizeof *batch->ids * (size_t)batch->cap);
            batch->values =
                xrealloc(batch->values, sizeof *batch->values * (size_t)(batch->cap * width + 1));
        }
        batch->ids[batch->n] = with_ids ? sqlite3_column_int64(statement, 0) : 0;
        for (int i = 0; i < width; i++)
            batch->values[batch->n * width + i] =
                sqlite3_value_dup(sqlite3_column_value(statement, i + skip));
        batch->n++;
    }
    if (code != SQLITE_DONE && code != SQLITE_ROW)
        statement_sqlite_error(s);
    sqlite3_finalize(statement);
    if (!s->session->error.set)
        return true;
    batch_release(batch);
    *batch = (struct batch){0};
    return false;
}

/* ---- INSERT ---- */

static int64_t store_row(struct statement *s, const struct pg_relation *relation,
                         sqlite3_value **values)
{
    struct buf sql;
    buf_init(&sql, 1 << 18);
    buf_printf(&sql, "INSERT INTO %s VALUES(", sql_name(s->arena, relation->key));
    for (int i = 0; i < relation->n_attributes; i++)
        buf_printf(&sql, "%s?%d", i ? "," : "", i + 1);
    buf_puts(&sql, relation->n_attributes ? ")" : "NULL)");
    sqlite3_stmt *statement = NULL;
    int64_t id = -1;
    if (sqlite3_prepare_v2(s->database->sqlite, sql.at, -1, &statement, NULL) == SQLITE_OK) {
        for (int i = 0; i < relation->n_attributes; i++)
            sqlite3_bind_value(statement, i + 1, values[i]);
        if (sqlite3_step(statement) == SQLITE_DONE)
            id = sqlite3_last_insert_rowid(s->database->sqlite);
    }
    if (id < 0)
        statement_sqlite_error(s);
    sqlite3_finalize(statement);
    buf_release(&sql);
    return id;
}

/* A row of a ledger table written by hand. Its identity is its id; what differs from the computed
 * row is kept. */
static int64_t store_identity(struct statement *s, const struct pg_relation *relation,
                              sqlite3_value **values)
{
    int64_t id = -1;
    for (int i = 0; i < relation->n_attributes; i++) {
        if (relation->attributes[i].is_id)
            id = sqlite3_value_int64(values[i]);
    }
    rows_insert(s->database, relation, id, id + 1);
    for (int i = 0; i < relation->n_attributes; i++) {
        const struct pg_attribute *a = &relation->attributes[i];
        if (a->is_id)
            continue;
        const char *own = rows_value(s->database, s->arena, relation, i, id);
        const char *given = (const char *)sqlite3_value_text(values[i]);
        if ((own == NULL) != (given == NULL) || (own && strcmp(own, given) != 0))
            rows_override(s->database, relation, id, a->name, values[i]);
    }
    return id;
}

int64_t insert_row(struct statement *s, const struct pg_relation *relation, sqlite3_value **values)
{
    if (!check_not_null(s, relation, values) || !check_checks(s, relation, values) ||
        conflicting(s, relation, values, INT64_MIN, "", true) ||
        !check_foreign(s, relation, values))
        return -1;
    return relation->ledger ? store_identity(s, relation, values) : store_row(s, relation, values);
}

/* The next id of a ledger table: traffic and people draw from one sequence. */
static const char *next_identity(struct statement *s, const struct pg_relation *relation)
{
    struct pg_server *server = s->session->server;
    if (server->store && pg_database_serves(s->database) &&
        strcmp(relation->key, relation->origin) == 0)
        return arena_printf(s->arena, "%lld",
                            (long long)store_acknowledge(server->store, relation->origin, 1));
    const struct idset *rows = rows_of(s->database, relation);
    return arena_printf(s->arena, "%lld",
                        (long long)(rows && rows->n ? rows->at[rows->n - 1].hi : 1));
}

static const char *default_sql(struct statement *s, const struct pg_relation *relation, int i)
{
    const struct pg_attribute *a = &relation->attributes[i];
    if (relation->ledger && a->is_id)
        return next_identity(s, relation);
    return a->default_sqlite ? a->default_sqlite : "NULL";
}

/* Which attribute each given column is; false: error. */
static bool target_columns(struct statement *s, const struct pg_relation *relation,
                           const cJSON *list, int *map, int *ret_n)
{
    const cJSON *item;
    int n = 0;
    if (!list) {
        for (; n < relation->n_attributes; n++)
            map[n] = n;
        *ret_n = n;
        return true;
    }
    cJSON_ArrayForEach(item, list)
    {
        const cJSON *target = node_get(item, "ResTarget");
        map[n] = catalog_attribute(relation, node_text(target, "name"));
        if (map[n++] < 0) {
            pg_fail(s->session, "42703", node_location(target),
                    "column \"%s\" of relation \"%s\" does not exist", node_text(target, "name"),
                    relation->name);
            return false;
        }
    }
    *ret_n = n;
    return true;
}

/* SELECT of whole rows of the relation, in its order of columns, for INSERT. NULL: error. */
static const char *insert_source(struct statement *s, struct translation *t,
                                 const struct pg_relation *relation, const int *map, int n_map,
                                 bool explicit_columns)
{
    const cJSON *select = node_get(node_get(s->node, "selectStmt"), "SelectStmt"), *row, *item;
    const cJSON *lists = node_get(select, "valuesLists");
    struct buf sql;
    buf_init(&sql, 64 << 20);
    int n = relation->n_attributes;
    const char **cells = ARENA_ARRAY(s->arena, const char *, n + 1);
    if (!select) {
        buf_puts(&sql, "SELECT ");
        for (int i = 0; i < n; i++)
            buf_printf(&sql, "%s%s", i ? ", " : "", default_sql(s, relation, i));
    } else if (lists) {
        cJSON_ArrayForEach(row, lists)
        {
            const cJSON *items = node_get(node_get(row, "List"), "items");
            int given = cJSON_GetArraySize(items), k = 0;
            if (given > n_map || (explicit_columns && given < n_map)) {
                const cJSON *inner;
                if (given > n_map)
                    node_tag(cJSON_GetArrayItem(items, n_map), &inner);
                else
                    inner =
                        node_get(cJSON_GetArrayItem(node_get(s->node, "cols"), given), "ResTarget");
                pg_fail(s->session, "42601", node_location(inner),
                        given > n_map ? "INSERT has more expressions than target columns"
                                      : "INSERT has more target columns than expressions");
                break;
            }
            memset(cells, 0, sizeof *cells * (size_t)n);
            cJSON_ArrayForEach(item, items)
            {
                const struct pg_attribute *a = &relation->attributes[map[k]];
                if (!node_get(item, "SetToDefault"))
                    cells[map[k]] = coerce(t, translate_expr(t, item), a->type, a->typmod,
                                           COERCE_ASSIGN, a->name)
                                        .sql;
                k++;
            }
            buf_puts(&sql, sql.len ? " UNION ALL SELECT " : "SELECT ");
            for (int i = 0; i < n; i++)
                buf_printf(&sql, "%s%s", i ? ", " : "",
                           cells[i] ? cells[i] : default_sql(s, relation, i));
        }
    } else {
        struct pg_query_text query = translate_select(t, select);
        if (query.n_columns > n_map || (explicit_columns && query.n_columns < n_map))
            pg_fail(s->session, "42601", -1,
                    query.n_columns > n_map ? "INSERT has more expressions than target columns"
                                            : "INSERT has more target columns than expressions");
        for (int i = 0; i < query.n_columns && !s->session->error.set; i++) {
            const struct pg_attribute *a = &relation->attributes[map[i]];
            struct pg_expr e = {.sql = arena_printf(s->arena, "\"c%d\"", i),
                                .type = query.columns[i].type,
                                .typmod = -1,
                                .name = query.columns[i].name,
                                .location = -1};
            cells[map[i]] = coerce(t, e, a->type, a->typmod, COERCE_ASSIGN, a->name).sql;
        }
        buf_puts(&sql, "WITH \"pg_i\"(");
        for (int i = 0; i < query.n_columns; i++)
            buf_printf(&sql, "%s\"c%d\"", i ? ", " : "", i);
        buf_printf(&sql, ") AS (%s) SELECT ", query.sql);
        for (int i = 0; i < n; i++)
            buf_printf(&sql, "%s%s", i ? ", " : "",
                       cells[i] ? cells[i] : default_sql(s, relation, i));
        buf_puts(&sql, " FROM \"pg_i\"");
    }
    const char *text = sql.truncated ? NULL : arena_str(s->arena, buf_text(&sql));
    buf_release(&sql);
    return s->session->error.set ? NULL : text;
}

/* INSERT INTO a SELECT * FROM b [WHERE ...] between tables of the same identities: as sets. 1: done
 * or failed. */
static bool insert_identities(struct statement *s, const struct pg_relation *relation,
                              const cJSON *conflict, int64_t *ret_n)
{
    const cJSON *select = node_get(node_get(s->node, "selectStmt"), "SelectStmt");
    const cJSON *from = node_get(select, "fromClause"), *targets = node_get(select, "targetList"),
                *item;
    const cJSON *range = node_get(cJSON_GetArrayItem(from, 0), "RangeVar");
    if (!relation->ledger || !range || cJSON_GetArraySize(from) != 1 ||
        node_get(select, "groupClause") || node_get(select, "distinctClause") ||
        node_get(select, "larg"))
        return false;
    const char *schema = node_text(range, "schemaname");
    struct pg_relation *source =
        catalog_find(s->database, s->arena, *schema ? schema : NULL, node_text(range, "relname"));
    if (!source || !source->ledger || strcmp(source->origin, relation->origin) != 0)
        return false;
    const char *alias =
        node_get(range, "alias") ? node_text(node_get(range, "alias"), "aliasname") : source->name;
    int k = 0;
    const cJSON *cols = node_get(s->node, "cols");
    cJSON_ArrayForEach(item, targets)
    {
        const cJSON *value = node_get(node_get(item, "ResTarget"), "val");
        const cJSON *fields = node_get(node_get(value, "ColumnRef"), "fields");
        const cJSON *last = cJSON_GetArrayItem(fields, cJSON_GetArraySize(fields) - 1);
        const cJSON *to = cols ? node_get(cJSON_GetArrayItem(cols, k), "ResTarget") : NULL;
        if (!last || (!node_get(last, "A_Star") &&
                      (!to || strcmp(node_string(last), node_text(to, "name")) != 0)))
            return false;
        k++;
    }
    (void)alias;
    struct translation t = statement_translation(s);
    struct pg_scope scope = {0};
    t.scope = &scope;
    const char *table;
    struct pg_source *entry = translate_table(&t, range, &table);
    const cJSON *where = node_get(select, "whereClause"), *limit = node_get(select, "limitCount");
    const char *condition = where ? translate_where(&t, where, "WHERE") : "1";
    const char *sql =
        arena_printf(s->arena, "SELECT %s.rowid FROM %s WHERE %s%s%s",
                     sql_name(s->arena, entry ? entry->alias : ""), table, condition,
                     limit ? " LIMIT " : "", limit ? translate_expr(&t, limit).sql : "");
    struct batch batch;
    struct idset rows = {0}, both = {0};
    if (batch_fill(s, &batch, sql, true, 0)) {
        for (int i = 0; i < batch.n; i++)
            idset_add(&rows, batch.ids[i], batch.ids[i] + 1);
        const struct idset *there = rows_of(s->database, relation);
        idset_copy(&both, &rows);
        if (there)
            idset_intersect(&both, there);
        const char *key =
            catalog_text(s->database, s->arena,
                         "SELECT name FROM pgc_index WHERE relation = %lld AND is_unique"
                         " LIMIT 1",
                         (long long)relation->oid);
        if (conflict) {
            idset_subtract(&rows, &both);
        } else if (both.n && key) {
            pg_fail(s->session, "23505", -1,
                    "duplicate key value violates unique constraint \"%s\"", key);
            pg_detail(s->session, "Key (%s)=(%lld) already exists.", s->session->server->id_column,
                      (long long)both.at[0].lo);
        }
        if (!s->session->error.set) {
            dataset_insert_set(pg_database_contents(s->database), relation->key, &rows);
            *ret_n = idset_count(&rows);
        }
    }
    idset_release(&rows);
    idset_release(&both);
    batch_release(&batch);
    return true;
}

static const char *conflict_columns(struct statement *s, const struct pg_relation *relation,
                                    const cJSON *clause)
{
    struct buf out;
    buf_init(&out, 1 << 14);
    const cJSON *item, *infer = node_get(clause, "infer");
    cJSON_ArrayForEach(item, node_get(infer, "indexElems")) buf_printf(
        &out, "%s%s", out.len ? "," : "", node_text(node_get(item, "IndexElem"), "name"));
    const char *text = arena_str(s->arena, buf_text(&out));
    buf_release(&out);
    if (*node_text(infer, "conname"))
        text = catalog_text(s->database, s->arena, "SELECT columns FROM pgc_index WHERE name = %s",
                            sql_text(s->arena, node_text(infer, "conname")));
    if (text && *text &&
        !catalog_int(s->database, 0,
                     "SELECT count(*) FROM pgc_index WHERE relation = %lld AND is_unique AND"
                     " columns = %s",
                     (long long)relation->oid, sql_text(s->arena, text)))
        pg_fail(
            s->session, "42P10", -1,
            "there is no unique or exclusion constraint matching the ON CONFLICT specification");
    return text ? text : "";
}

static int64_t apply_update(struct statement *s, const struct pg_relation *relation, int64_t id,
                            sqlite3_value **values, const bool *set);

/* SET list of UPDATE and ON CONFLICT DO UPDATE as whole rows: "expr, expr, ...". */
static const char *set_list(struct statement *s, struct translation *t,
                            const struct pg_relation *relation, const char *alias,
                            const cJSON *targets, bool *set)
{
    const char **cells = ARENA_ARRAY(s->arena, const char *, relation->n_attributes + 1);
    const cJSON *item;
    cJSON_ArrayForEach(item, targets)
    {
        const cJSON *target = node_get(item, "ResTarget"), *value = node_get(target, "val");
        int i = catalog_attribute(relation, node_text(target, "name"));
        if (i < 0) {
            pg_fail(s->session, "42703", node_location(target),
                    "column \"%s\" of relation \"%s\" does not exist", node_text(target, "name"),
                    relation->name);
            return "NULL";
        }
        const struct pg_attribute *a = &relation->attributes[i];
        if (node_get(value, "MultiAssignRef"))
            pg_not_simulated(s->session, node_location(target), "SET (a, b) = ...");
        else
            cells[i] = node_get(value, "SetToDefault")
                           ? default_sql(s, relation, i)
                           : coerce(t, translate_expr(t, value), a->type, a->typmod, COERCE_ASSIGN,
                                    a->name)
                                 .sql;
        set[i] = true;
    }
    struct buf sql;
    buf_init(&sql, 4 << 20);
    for (int i = 0; i < relation->n_attributes; i++) {
        buf_puts(&sql, i ? ", " : "");
        if (cells[i])
            buf_puts(&sql, cells[i]);
        else
            buf_printf(&sql, "%s.%s", sql_name(s->arena, alias),
                       sql_name(s->arena, relation->attributes[i].name));
    }
    const char *text = arena_str(s->arena, buf_text(&sql));
    buf_release(&sql);
    return text;
}

static struct pg_source *source_for(struct statement *s, const struct pg_relation *relation,
                                    const char *alias)
{
    struct pg_source *source = ARENA_NEW(s->arena, struct pg_source);
    source->alias = alias;
    source->relation = relation;
    source->n_columns = relation->n_attributes;
    source->columns = ARENA_ARRAY(s->arena, struct pg_column, relation->n_attributes + 1);
    for (int i = 0; i < relation->n_attributes; i++)
        source->columns[i] =
            (struct pg_column){relation->attributes[i].name, relation->attributes[i].type,
                               relation->attributes[i].typmod};
    return source;
}

static int64_t update_conflict(struct statement *s, const struct pg_relation *relation,
                               const cJSON *clause, int64_t id, sqlite3_value **values)
{
    struct translation t = statement_translation(s);
    struct pg_scope scope = {0};
    scope.sources = source_for(s, relation, relation->name);
    scope.sources->next = source_for(s, relation, "excluded");
    t.scope = &scope;
    bool *set = ARENA_ARRAY(s->arena, bool, relation->n_attributes + 1);
    const char *list =
        set_list(s, &t, relation, relation->name, node_get(clause, "targetList"), set);
    const cJSON *where = node_get(clause, "whereClause");
    struct buf sql;
    buf_init(&sql, 4 << 20);
    buf_printf(&sql, "SELECT %s FROM %s AS %s, (SELECT ", list, sql_name(s->arena, relation->key),
               sql_name(s->arena, relation->name));
    for (int i = 0; i < relation->n_attributes; i++)
        buf_printf(&sql, "%s?%d AS %s", i ? ", " : "", i + 1,
                   sql_name(s->arena, relation->attributes[i].name));
    buf_printf(&sql, ") AS \"excluded\" WHERE %s.rowid = %lld AND %s",
               sql_name(s->arena, relation->name), (long long)id,
               where ? translate_where(&t, where, "WHERE") : "1");
    sqlite3_stmt *statement = NULL;
    int64_t updated = -1;
    if (!s->session->error.set &&
        sqlite3_prepare_v2(s->database->sqlite, sql.at, -1, &statement, NULL) == SQLITE_OK) {
        for (int i = 0; i < relation->n_attributes; i++)
            sqlite3_bind_value(statement, i + 1, values[i]);
        if (sqlite3_step(statement) == SQLITE_ROW) {
            sqlite3_value **row =
                ARENA_ARRAY(s->arena, sqlite3_value *, relation->n_attributes + 1);
            for (int i = 0; i < relation->n_attributes; i++)
                row[i] = sqlite3_value_dup(sqlite3_column_value(statement, i));
            sqlite3_reset(statement);
            updated = apply_update(s, relation, id, row, set);
            for (int i = 0; i < relation->n_attributes; i++)
                sqlite3_value_free(row[i]);
        }
    }
    sqlite3_finalize(statement);
    buf_release(&sql);
    return updated;
}

static void returning(struct statement *s, const struct pg_relation *relation, const char *alias,
                      const cJSON *list, const int64_t *ids, int n, const char *tag)
{
    struct translation t = statement_translation(s);
    struct pg_scope scope = {.sources = source_for(s, relation, alias)};
    t.scope = &scope;
    struct pg_query_text query = translate_targets(&t, list);
    struct buf sql;
    buf_init(&sql, 64 << 20);
    buf_printf(&sql, "SELECT %s FROM %s AS %s WHERE %s.rowid IN (", query.sql,
               sql_name(s->arena, relation->key), sql_name(s->arena, alias),
               sql_name(s->arena, alias));
    for (int i = 0; i < n; i++)
        buf_printf(&sql, "%s%lld", i ? "," : "", (long long)ids[i]);
    buf_puts(&sql, ")");
    query.sql = arena_str(s->arena, buf_text(&sql));
    buf_release(&sql);
    if (statement_rows(s, query, tag) >= 0) {
        struct pg_message *last = s->session->messages;
        while (last->next)
            last = last->next;
        ((struct pg_result *)(uintptr_t)last->result)->tag =
            arena_printf(s->arena, "%s %d", tag, n);
    }
}

static bool writable(struct statement *s, const struct pg_relation *relation)
{
    if (relation->kind == 'r' && !relation->is_system)
        return true;
    if (relation->is_system)
        pg_fail(s->session, "42501", -1, "permission denied: \"%s\" is a system catalog",
                relation->name);
    else
        pg_not_simulated(s->session, -1, "writing through the view %s", relation->name);
    return false;
}

void run_insert(struct statement *s)
{
    struct pg_relation *relation = statement_relation(s, node_get(s->node, "relation"), false);
    const cJSON *conflict = node_get(s->node, "onConflictClause"),
                *list = node_get(s->node, "returningList");
    if (!relation || !writable(s, relation))
        return;
    struct buf with;
    buf_init(&with, 4 << 20);
    struct translation t = statement_translation(s);
    struct pg_scope scope = {0};
    t.scope = &scope;
    translate_with(&t, node_get(s->node, "withClause"), &with);
    int *map = ARENA_ARRAY(
        s->arena, int, relation->n_attributes + 1 + cJSON_GetArraySize(node_get(s->node, "cols")));
    int n_map;
    int64_t done = 0;
    if (!target_columns(s, relation, node_get(s->node, "cols"), map, &n_map) ||
        s->session->error.set)
        goto out;
    if (insert_identities(s, relation, conflict, &done)) {
        if (!s->session->error.set) {
            statement_done(s, "INSERT 0 %lld", (long long)done);
            statement_took(s, done * 5000);
            statement_changed(s, "%lld rows inserted into %s", (long long)done, relation->key);
        }
        goto out;
    }
    const char *source =
        insert_source(s, &t, relation, map, n_map, node_get(s->node, "cols") != NULL);
    struct batch batch;
    if (source && with.len && str_starts(str_of(source), "WITH ")) /* one WITH for both */
        source = arena_printf(s->arena, "%s, %s", with.at, source + 5);
    else if (source && with.len)
        source = arena_printf(s->arena, "%s%s", with.at, source);
    if (!source || !batch_fill(s, &batch, source, false, relation->n_attributes))
        goto out;
    note_triggers(s, relation);
    const char *only = conflict ? conflict_columns(s, relation, conflict) : "";
    int64_t *ids = ARENA_ARRAY(s->arena, int64_t, batch.n + 1);
    bool nothing = conflict && strcmp(node_text(conflict, "action"), "ONCONFLICT_NOTHING") == 0;
    for (int i = 0; i < batch.n && !s->session->error.set; i++) {
        sqlite3_value **row = &batch.values[i * batch.width];
        if (conflict && (!check_not_null(s, relation, row) || !check_checks(s, relation, row)))
            break;
        int64_t other = conflict ? conflicting(s, relation, row, INT64_MIN, only, false) : 0;
        if (other && nothing)
            continue;
        if (other) {
            other = update_conflict(s, relation, conflict, other, row);
            if (other >= 0)
                ids[done++] = other;
            continue;
        }
        int64_t id = insert_row(s, relation, row);
        if (id >= 0)
            ids[done++] = id;
    }
    batch_release(&batch);
    if (s->session->error.set)
        goto out;
    if (list)
        returning(s, relation, relation->name, list, ids, (int)done, "INSERT 0");
    else
        statement_done(s, "INSERT 0 %lld", (long long)done);
    statement_took(s, done * 5000);
    if (done)
        statement_changed(s, "%lld row%s inserted into %s", (long long)done, done == 1 ? "" : "s",
                          relation->key);
out:
    buf_release(&with);
}

/* ---- UPDATE ---- */

/* The row's new rowid: as in PostgreSQL's heap, its new version stands behind all others. */
static int64_t apply_update(struct statement *s, const struct pg_relation *relation, int64_t id,
                            sqlite3_value **values, const bool *set)
{
    if (!check_not_null(s, relation, values) || !check_checks(s, relation, values) ||
        conflicting(s, relation, values, id, "", true) || !check_foreign(s, relation, values))
        return id;
    if (relation->ledger) {
        for (int i = 0; i < relation->n_attributes; i++) {
            if (set[i] && relation->attributes[i].is_id && sqlite3_value_int64(values[i]) != id)
                pg_not_simulated(s->session, -1, "changing the id of a row that traffic wrote");
            else if (set[i] && !relation->attributes[i].is_id)
                rows_override(s->database, relation, id, relation->attributes[i].name, values[i]);
        }
        return id;
    }
    struct buf sql;
    buf_init(&sql, 1 << 18);
    buf_printf(&sql, "UPDATE %s SET ", sql_name(s->arena, relation->key));
    for (int i = 0; i < relation->n_attributes; i++)
        buf_printf(&sql, "%s%s = ?%d", i ? ", " : "",
                   sql_name(s->arena, relation->attributes[i].name), i + 1);
    int64_t last = catalog_int(s->database, id, "SELECT max(rowid) FROM %s",
                               sql_name(s->arena, relation->key));
    buf_printf(&sql, ", rowid = %lld WHERE rowid = %lld", (long long)last + 1, (long long)id);
    sqlite3_stmt *statement = NULL;
    if (sqlite3_prepare_v2(s->database->sqlite, sql.at, -1, &statement, NULL) == SQLITE_OK) {
        for (int i = 0; i < relation->n_attributes; i++)
            sqlite3_bind_value(statement, i + 1, values[i]);
        if (sqlite3_step(statement) != SQLITE_DONE)
            statement_sqlite_error(s);
    } else {
        statement_sqlite_error(s);
    }
    sqlite3_finalize(statement);
    buf_release(&sql);
    return last + 1;
}

/* "table AS alias[, FROM items]" and the condition, for UPDATE and DELETE. */
static const char *affected(struct statement *s, struct translation *t, const cJSON *others,
                            const char **ret_alias)
{
    const char *table;
    struct pg_source *source = translate_table(t, node_get(s->node, "relation"), &table);
    if (!source)
        return NULL;
    *ret_alias = source->alias;
    const char *from = others ? translate_from(t, others) : "";
    return arena_printf(s->arena, "%s%s%s", table, *from ? ", " : "", from);
}

/* WITH in front of UPDATE and DELETE: "" if there is none. */
static const char *with_of(struct statement *s, struct translation *t)
{
    struct buf with;
    buf_init(&with, 4 << 20);
    translate_with(t, node_get(s->node, "withClause"), &with);
    return translate_finish(t, &with);
}

void run_update(struct statement *s)
{
    struct pg_relation *relation = statement_relation(s, node_get(s->node, "relation"), false);
    if (!relation || !writable(s, relation))
        return;
    struct translation t = statement_translation(s);
    struct pg_scope scope = {0};
    t.scope = &scope;
    const char *with = with_of(s, &t), *alias = NULL,
               *from = affected(s, &t, node_get(s->node, "fromClause"), &alias);
    if (!from)
        return;
    bool *set = ARENA_ARRAY(s->arena, bool, relation->n_attributes + 1);
    const char *list = set_list(s, &t, relation, alias, node_get(s->node, "targetList"), set);
    const cJSON *where = node_get(s->node, "whereClause");
    const char *sql = arena_printf(s->arena, "%sSELECT %s.rowid, %s FROM %s WHERE %s", with,
                                   sql_name(s->arena, alias), list, from,
                                   where ? translate_where(&t, where, "WHERE") : "1");
    struct batch batch;
    if (!batch_fill(s, &batch, sql, true, relation->n_attributes))
        return;
    if (batch.n)
        note_triggers(s, relation);
    for (int i = 0; i < batch.n && !s->session->error.set; i++)
        batch.ids[i] = apply_update(s, relation, batch.ids[i], &batch.values[i * batch.width], set);
    if (!s->session->error.set) {
        if (node_get(s->node, "returningList"))
            returning(s, relation, alias, node_get(s->node, "returningList"), batch.ids, batch.n,
                      "UPDATE");
        else
            statement_done(s, "UPDATE %d", batch.n);
        statement_took(s, (int64_t)batch.n * 10000);
        if (batch.n)
            statement_changed(s, "%d row%s of %s updated", batch.n, batch.n == 1 ? "" : "s",
                              relation->key);
    }
    batch_release(&batch);
}

/* ---- DELETE ---- */

static bool delete_rows(struct statement *s, const struct pg_relation *relation, const int64_t *ids,
                        int n, int depth);

/* Rows of other tables that point to one that goes: an error, or they follow. */
static bool follow_references(struct statement *s, const struct pg_relation *relation, int64_t id,
                              int depth)
{
    char **keys = catalog_rows(
        s->database, s->arena,
        "SELECT k.name, k.columns, k.target_columns, k.relation, k.on_delete FROM pgc_constraint k"
        " WHERE k.kind = 'f' AND k.target = %lld ORDER BY k.oid",
        (long long)relation->oid);
    for (; *keys; keys++) {
        struct str rest = str_of(*keys), name = str_cut(&rest, '\x1f'),
                   columns = str_cut(&rest, '\x1f');
        struct str targets = str_cut(&rest, '\x1f');
        int64_t oid = strtoll(rest.at, NULL, 10);
        str_cut(&rest, '\x1f');
        struct pg_relation *other = catalog_by_oid(s->database, s->arena, oid);
        const char *column = arena_str(s->arena, columns), *target = arena_str(s->arena, targets);
        if (!other || strchr(column, ','))
            continue;
        struct batch batch;
        const char *sql = arena_printf(
            s->arena, "SELECT rowid FROM %s WHERE %s = (SELECT %s FROM %s WHERE rowid = %lld)",
            sql_name(s->arena, other->key), sql_name(s->arena, column), sql_name(s->arena, target),
            sql_name(s->arena, relation->key), (long long)id);
        if (!batch_fill(s, &batch, sql, true, 0))
            return false;
        bool ok = true;
        if (batch.n && str_is(rest, "c") && depth < 8) {
            ok = delete_rows(s, other, batch.ids, batch.n, depth + 1);
        } else if (batch.n && str_is(rest, "n")) {
            for (int i = 0; i < batch.n; i++)
                catalog_run(s->database, "UPDATE %s SET %s = NULL WHERE rowid = %lld",
                            sql_name(s->arena, other->key), sql_name(s->arena, column),
                            (long long)batch.ids[i]);
        } else if (batch.n) {
            const char *value = catalog_text(
                s->database, s->arena, "SELECT %s FROM %s WHERE rowid = %lld",
                sql_name(s->arena, target), sql_name(s->arena, relation->key), (long long)id);
            pg_fail(s->session, "23503", -1,
                    "update or delete on table \"%s\" violates foreign key constraint \"%.*s\" on "
                    "table \"%s\"",
                    relation->name, STR_ARG(name), other->name);
            pg_detail(s->session, "Key (%s)=(%s) is still referenced from table \"%s\".", target,
                      value ? value : "", other->name);
            ok = false;
        }
        batch_release(&batch);
        if (!ok)
            return false;
    }
    return true;
}

static bool delete_rows(struct statement *s, const struct pg_relation *relation, const int64_t *ids,
                        int n, int depth)
{
    bool referenced =
        catalog_int(s->database, 0,
                    "SELECT count(*) FROM pgc_constraint WHERE kind = 'f' AND target = %lld",
                    (long long)relation->oid) > 0;
    for (int i = 0; i < n && referenced; i++) {
        if (!follow_references(s, relation, ids[i], depth))
            return false;
    }
    if (relation->ledger) {
        struct idset gone = {0};
        for (int i = 0; i < n; i++)
            idset_add(&gone, ids[i], ids[i] + 1);
        dataset_delete_set(pg_database_contents(s->database), relation->key, &gone);
        idset_release(&gone);
        return true;
    }
    sqlite3_stmt *statement = NULL;
    const char *sql =
        arena_printf(s->arena, "DELETE FROM %s WHERE rowid = ?", sql_name(s->arena, relation->key));
    sqlite3_prepare_v2(s->database->sqlite, sql, -1, &statement, NULL);
    for (int i = 0; i < n; i++) {
        sqlite3_bind_int64(statement, 1, ids[i]);
        sqlite3_step(statement);
        sqlite3_reset(statement);
    }
    sqlite3_finalize(statement);
    return true;
}

void run_delete(struct statement *s)
{
    struct pg_relation *relation = statement_relation(s, node_get(s->node, "relation"), false);
    if (!relation || !writable(s, relation))
        return;
    struct translation t = statement_translation(s);
    struct pg_scope scope = {0};
    t.scope = &scope;
    const char *with = with_of(s, &t), *alias = NULL,
               *from = affected(s, &t, node_get(s->node, "usingClause"), &alias);
    if (!from)
        return;
    const cJSON *where = node_get(s->node, "whereClause");
    const char *sql =
        arena_printf(s->arena, "%sSELECT %s%s.rowid FROM %s WHERE %s", with,
                     node_get(s->node, "usingClause") ? "DISTINCT " : "", sql_name(s->arena, alias),
                     from, where ? translate_where(&t, where, "WHERE") : "1");
    struct batch batch;
    if (!batch_fill(s, &batch, sql, true, 0))
        return;
    if (batch.n)
        note_triggers(s, relation);
    const cJSON *list = node_get(s->node, "returningList");
    if (list) /* what goes is shown as it was */
        returning(s, relation, alias, list, batch.ids, batch.n, "DELETE");
    if (!s->session->error.set && delete_rows(s, relation, batch.ids, batch.n, 0)) {
        if (!list)
            statement_done(s, "DELETE %d", batch.n);
        statement_took(s, (int64_t)batch.n * 2000);
        if (batch.n)
            statement_changed(s, "%d row%s deleted from %s", batch.n, batch.n == 1 ? "" : "s",
                              relation->key);
    }
    batch_release(&batch);
}
