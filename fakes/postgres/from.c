/* FROM: tables, joins, subqueries, functions; and the texts that all parts of a query are made of.
 */
#include <string.h>

#include "fakes/postgres/translate.h"

const char *translate_finish(struct translation *t, struct buf *sql)
{
    const char *text = arena_str(t->arena, buf_text(sql));
    if (sql->truncated)
        pg_fail(t->session, "54000", -1, "statement is too complex");
    buf_release(sql);
    return text;
}

const char *translate_names(struct translation *t, const struct pg_column *columns, int n)
{
    struct buf sql;
    buf_init(&sql, 1 << 18);
    for (int i = 0; i < n; i++)
        buf_printf(&sql, "%s%s", i ? ", " : "", sql_name(t->arena, columns[i].name));
    return translate_finish(t, &sql);
}

static struct pg_source *add_source(struct translation *t, const char *alias, int n)
{
    struct pg_source *source = ARENA_NEW(t->arena, struct pg_source);
    source->alias = alias;
    source->n_columns = n;
    source->columns = ARENA_ARRAY(t->arena, struct pg_column, n + 1);
    struct pg_source **end = &t->scope->sources;
    for (; *end; end = &(*end)->next) {
        if (strcmp((*end)->alias, alias) == 0)
            pg_fail(t->session, "42712", -1, "table name \"%s\" specified more than once", alias);
    }
    *end = source;
    return source;
}

static void rename_columns(struct translation *t, struct pg_source *source, const cJSON *alias)
{
    const cJSON *name;
    int i = 0;
    (void)t;
    cJSON_ArrayForEach(name, node_get(alias, "colnames"))
    {
        if (i < source->n_columns)
            source->columns[i++].name = node_string(name);
    }
}

/* FROM (query) AS alias(a, b): SQLite has no column aliases there, a named query has. */
static const char *subquery_sql(struct translation *t, const char *sql,
                                const struct pg_source *source)
{
    return arena_printf(t->arena, "(WITH \"pg_q\"(%s) AS (%s) SELECT * FROM \"pg_q\") AS %s",
                        translate_names(t, source->columns, source->n_columns), sql,
                        sql_name(t->arena, source->alias));
}

struct pg_source *translate_table(struct translation *t, const cJSON *node, const char **ret_sql)
{
    const char *schema = node_text(node, "schemaname"), *name = node_text(node, "relname");
    const cJSON *alias = node_get(node, "alias");
    const char *as = alias ? node_text(alias, "aliasname") : name;
    *ret_sql = "(SELECT NULL)";
    for (struct pg_cte *cte = *schema ? NULL : t->ctes; cte; cte = cte->next) {
        if (strcmp(cte->name, name) != 0)
            continue;
        struct pg_source *source = add_source(t, as, cte->n_columns);
        memcpy(source->columns, cte->columns, sizeof *cte->columns * (size_t)cte->n_columns);
        *ret_sql =
            arena_printf(t->arena, "%s AS %s", sql_name(t->arena, name), sql_name(t->arena, as));
        return source;
    }
    struct pg_relation *relation =
        catalog_find(t->database, t->arena, *schema ? schema : NULL, name);
    if (!relation && pg_has_relation(schema, name)) {
        pg_not_simulated(t->session, node_location(node), "%s%s%s", schema, *schema ? "." : "",
                         name);
        return NULL;
    }
    if (!relation) {
        pg_fail(t->session, "42P01", node_location(node), "relation \"%s%s%s\" does not exist",
                schema, *schema ? "." : "", name);
        return NULL;
    }
    if (relation->kind == 'S') {
        struct pg_source *source = add_source(t, as, 3);
        source->columns[0] = (struct pg_column){"last_value", PG_INT8, -1};
        source->columns[1] = (struct pg_column){"log_cnt", PG_INT8, -1};
        source->columns[2] = (struct pg_column){"is_called", PG_BOOL, -1};
        *ret_sql = arena_printf(
            t->arena,
            "(SELECT last_value, 0 AS log_cnt, is_called FROM pgc_sequence WHERE relation = %lld)"
            " AS %s",
            (long long)relation->oid, sql_name(t->arena, as));
        return source;
    }
    if (relation->is_system)
        catalog_refresh(t->session, relation->key);
    struct pg_source *source = add_source(t, as, relation->n_attributes);
    source->relation = relation;
    for (int i = 0; i < relation->n_attributes; i++) {
        source->columns[i].name = relation->attributes[i].name;
        source->columns[i].type = relation->attributes[i].type;
        source->columns[i].typmod = relation->attributes[i].typmod;
    }
    /* Small tables are read in the order of their rows, as PostgreSQL does, and not in that of an
     * index. */
    *ret_sql = arena_printf(t->arena,
                            relation->kind == 'r' && !relation->ledger && !relation->is_system
                                ? "%s AS %s NOT INDEXED"
                                : "%s AS %s",
                            sql_name(t->arena, relation->key), sql_name(t->arena, as));
    return source;
}

static const char *from_item(struct translation *t, const cJSON *wrapper);

static const char *from_subselect(struct translation *t, const cJSON *node)
{
    const cJSON *alias = node_get(node, "alias");
    if (!alias) {
        pg_fail(t->session, "42601", -1, "subquery in FROM must have an alias");
        pg_hint(t->session, "For example, FROM (SELECT ...) [AS] foo.");
        return "";
    }
    struct pg_used *used = t->used;
    bool has_aggregate = t->has_aggregate;
    struct pg_query_text query =
        translate_select(t, node_get(node_get(node, "subquery"), "SelectStmt"));
    t->used = used;
    t->has_aggregate = has_aggregate;
    struct pg_source *source = add_source(t, node_text(alias, "aliasname"), query.n_columns);
    memcpy(source->columns, query.columns, sizeof *query.columns * (size_t)query.n_columns);
    rename_columns(t, source, alias);
    return subquery_sql(t, query.sql, source);
}

static const char *series_sql(struct translation *t, const cJSON *args, struct pg_column *column)
{
    struct pg_expr from = translate_expr(t, cJSON_GetArrayItem(args, 0));
    struct pg_expr to = translate_expr(t, cJSON_GetArrayItem(args, 1));
    const cJSON *third = cJSON_GetArrayItem(args, 2);
    const char *next;
    column->type = from.type == PG_UNKNOWN ? to.type : from.type;
    column->typmod = -1;
    if (pg_type_is_time(column->type) && third) {
        struct pg_expr step =
            coerce(t, translate_expr(t, third), PG_INTERVAL, -1, COERCE_IMPLICIT, NULL);
        if (column->type == PG_DATE)
            column->type = PG_TIMESTAMPTZ;
        from = coerce(t, from, column->type, -1, COERCE_EXPLICIT, NULL);
        to = coerce(t, to, column->type, -1, COERCE_EXPLICIT, NULL);
        next = arena_printf(t->arena, "pg_plus(\"x\", %s, 1)", step.sql);
    } else {
        next = arena_printf(t->arena, "\"x\" + %s", third ? translate_expr(t, third).sql : "1");
    }
    const cJSON *step_const = node_get(third, "A_Const");
    const char *order = third && step_const && translate_expr(t, third).sql[0] == '(' ? ">=" : "<=";
    return arena_printf(
        t->arena,
        "WITH RECURSIVE \"pg_s\"(\"x\") AS (SELECT %s WHERE %s %s %s UNION ALL SELECT %s FROM "
        "\"pg_s\" WHERE %s %s %s) SELECT \"x\" FROM \"pg_s\"",
        from.sql, from.sql, order, to.sql, next, next, order, to.sql);
}

static const char *from_function(struct translation *t, const cJSON *node)
{
    const cJSON *item = cJSON_GetArrayItem(
        node_get(node_get(cJSON_GetArrayItem(node_get(node, "functions"), 0), "List"), "items"), 0);
    const cJSON *call = node_get(item, "FuncCall");
    const cJSON *names = node_get(call, "funcname"), *alias = node_get(node, "alias");
    const char *name = node_string(cJSON_GetArrayItem(names, cJSON_GetArraySize(names) - 1));
    const char *as = alias ? node_text(alias, "aliasname") : name;
    struct pg_column column = {.name = as};
    const char *sql;
    if (call && strcmp(name, "generate_series") == 0) {
        sql = series_sql(t, node_get(call, "args"), &column);
    } else if (call) { /* any function that gives one value is a table of one row */
        struct pg_expr e = translate_function(t, call);
        column.type = e.type;
        column.typmod = e.typmod;
        sql = arena_printf(t->arena, "SELECT %s", e.sql);
    } else {
        pg_not_simulated(t->session, node_location(node), "this item in FROM");
        return "";
    }
    struct pg_source *source = add_source(t, as, 1);
    source->columns[0] = column;
    rename_columns(t, source, alias);
    return subquery_sql(t, sql, source);
}

static bool has_column(const struct pg_source *from, const struct pg_source *until,
                       const char *name)
{
    for (const struct pg_source *s = from; s && s != until; s = s->next) {
        for (int i = 0; i < s->n_columns; i++) {
            if (strcmp(s->columns[i].name, name) == 0)
                return true;
        }
    }
    return false;
}

static void merge_column(struct translation *t, const char *name, struct buf *sql)
{
    struct pg_using *using = ARENA_NEW(t->arena, struct pg_using);
    using->name = name;
    using->next = t->scope->using;
    t->scope->using = using;
    buf_printf(sql, "%s%s", sql->at[sql->len - 1] == '(' ? "" : ", ", sql_name(t->arena, name));
}

static void join_using(struct translation *t, const cJSON *list, struct pg_source *first_right,
                       struct buf *sql)
{
    const cJSON *item;
    buf_puts(sql, " USING (");
    cJSON_ArrayForEach(item, list)
    {
        const char *name = node_string(item);
        if (!has_column(first_right, NULL, name))
            pg_fail(t->session, "42703", -1,
                    "column \"%s\" specified in USING clause does not exist in right table", name);
        merge_column(t, name, sql);
    }
    buf_putc(sql, ')');
}

/* NATURAL: by all columns whose names both sides have; by none it is a cross join. */
static void join_natural(struct translation *t, struct pg_source *first_left,
                         struct pg_source *first_right, struct buf *sql)
{
    struct buf names;
    buf_init(&names, 1 << 16);
    buf_puts(&names, " USING (");
    size_t empty = names.len;
    for (struct pg_source *s = first_left; s && s != first_right; s = s->next) {
        for (int i = 0; i < s->n_columns; i++) {
            if (has_column(first_right, NULL, s->columns[i].name))
                merge_column(t, s->columns[i].name, &names);
        }
    }
    buf_putc(&names, ')');
    if (names.len > empty + 1)
        buf_str(sql, buf_text(&names));
    buf_release(&names);
}

static const char *from_join(struct translation *t, const cJSON *node)
{
    const char *kind = node_text(node, "jointype");
    const char *left = from_item(t, node_get(node, "larg"));
    struct pg_source *last = t->scope->sources;
    while (last && last->next)
        last = last->next;
    const char *right = from_item(t, node_get(node, "rarg"));
    const cJSON *quals = node_get(node, "quals"), *using = node_get(node, "usingClause");
    struct buf sql;
    buf_init(&sql, 4 << 20);
    const char *word = strcmp(kind, "JOIN_LEFT") == 0    ? "LEFT JOIN"
                       : strcmp(kind, "JOIN_RIGHT") == 0 ? "RIGHT JOIN"
                       : strcmp(kind, "JOIN_FULL") == 0  ? "FULL JOIN"
                                                         : "JOIN";
    buf_printf(&sql, "%s %s %s", left, word, right);
    if (node_true(node, "isNatural"))
        join_natural(t, t->scope->sources, last ? last->next : NULL, &sql);
    else if (using)
        join_using(t, using, last ? last->next : NULL, &sql);
    else if (quals)
        buf_printf(&sql, " ON %s", translate_where(t, quals, "JOIN/ON"));
    return translate_finish(t, &sql);
}

static const char *from_item(struct translation *t, const cJSON *wrapper)
{
    const cJSON *node;
    const char *tag = node_tag(wrapper, &node), *sql = "(SELECT NULL)";
    if (strcmp(tag, "RangeVar") == 0) {
        struct pg_source *source = translate_table(t, node, &sql);
        if (source && node_get(node_get(node, "alias"), "colnames"))
            pg_not_simulated(t->session, node_location(node), "column aliases of a table");
        return sql;
    }
    if (strcmp(tag, "JoinExpr") == 0)
        return from_join(t, node);
    if (strcmp(tag, "RangeSubselect") == 0)
        return from_subselect(t, node);
    if (strcmp(tag, "RangeFunction") == 0)
        return from_function(t, node);
    pg_not_simulated(t->session, node_location(node), "an item of kind %s in FROM", tag);
    return sql;
}

const char *translate_from(struct translation *t, const cJSON *list)
{
    struct buf sql;
    buf_init(&sql, 4 << 20);
    const cJSON *item;
    cJSON_ArrayForEach(item, list)
        buf_printf(&sql, "%s%s", sql.len ? ", " : "", from_item(t, item));
    return translate_finish(t, &sql);
}
