#include <string.h>

#include "fakes/postgres/translate.h"

static struct pg_query_text nothing(void)
{
    return (struct pg_query_text){.sql = "SELECT NULL WHERE 0"};
}

const char *translate_where(struct translation *t, const cJSON *node, const char *clause)
{
    const char *before = t->clause;
    t->clause = clause;
    struct pg_expr e = translate_expr(t, node);
    t->clause = before;
    if (e.type == PG_UNKNOWN)
        e = coerce(t, e, PG_BOOL, -1, COERCE_IMPLICIT, NULL);
    if (e.type != PG_BOOL)
        pg_fail(t->session, "42804", e.location, "argument of %s must be type boolean, not type %s",
                clause, pg_types[e.type].name);
    return e.sql;
}

/* ---- the target list ---- */

struct targets {
    struct pg_expr *list;
    int n, cap;
    struct translation *t;
};

static void add_target(struct targets *targets, struct pg_expr e)
{
    if (targets->n == targets->cap) {
        int cap = targets->cap ? targets->cap * 2 : 16;
        struct pg_expr *list = ARENA_ARRAY(targets->t->arena, struct pg_expr, cap);
        if (targets->n)
            memcpy(list, targets->list, sizeof *list * (size_t)targets->n);
        targets->list = list;
        targets->cap = cap;
    }
    targets->list[targets->n++] = e;
}

static void expand_star(struct targets *targets, const char *table, int location)
{
    struct translation *t = targets->t;
    bool any = false;
    for (struct pg_source *s = t->scope->sources; s; s = s->next) {
        if (table && strcmp(s->alias, table) != 0)
            continue;
        any = true;
        for (int i = 0; i < s->n_columns; i++) {
            bool merged = false;
            for (struct pg_using *u = table ? NULL : t->scope->using; u && s != t->scope->sources;
                 u = u->next)
                merged |= strcmp(u->name, s->columns[i].name) == 0;
            if (merged)
                continue;
            struct pg_used *used = ARENA_NEW(t->arena, struct pg_used);
            *used = (struct pg_used){s->alias, s->columns[i].name, location, t->used};
            t->used = used;
            add_target(targets,
                       (struct pg_expr){.sql = arena_printf(t->arena, "%s.%s",
                                                            sql_name(t->arena, s->alias),
                                                            sql_name(t->arena, s->columns[i].name)),
                                        .type = s->columns[i].type,
                                        .typmod = s->columns[i].typmod,
                                        .name = s->columns[i].name,
                                        .location = location});
        }
    }
    if (!any && table)
        pg_fail(t->session, "42P01", location, "missing FROM-clause entry for table \"%s\"", table);
    else if (!any)
        pg_fail(t->session, "42601", location, "SELECT * with no tables specified is not valid");
}

static void collect_targets(struct targets *targets, const cJSON *list)
{
    const cJSON *item;
    cJSON_ArrayForEach(item, list)
    {
        const cJSON *target = node_get(item, "ResTarget"), *value = node_get(target, "val");
        const cJSON *fields = node_get(node_get(value, "ColumnRef"), "fields");
        int n = cJSON_GetArraySize(fields);
        if (n && node_get(cJSON_GetArrayItem(fields, n - 1), "A_Star")) {
            expand_star(targets, n > 1 ? node_string(cJSON_GetArrayItem(fields, n - 2)) : NULL,
                        node_location(node_get(value, "ColumnRef")));
            continue;
        }
        struct pg_expr e = translate_expr(targets->t, value);
        if (*node_text(target, "name"))
            e.name = node_text(target, "name");
        if (e.type == PG_UNKNOWN)
            e.type = PG_TEXT;
        add_target(targets, e);
    }
}

static struct pg_query_text target_text(struct targets *targets)
{
    struct translation *t = targets->t;
    struct buf sql;
    buf_init(&sql, 4 << 20);
    struct pg_query_text result = {.n_columns = targets->n,
                                   .columns =
                                       ARENA_ARRAY(t->arena, struct pg_column, targets->n + 1)};
    for (int i = 0; i < targets->n; i++) {
        struct pg_expr *e = &targets->list[i];
        buf_printf(&sql, "%s%s AS %s", i ? ", " : "", e->sql, sql_name(t->arena, e->name));
        result.columns[i] = (struct pg_column){e->name, e->type, e->typmod};
    }
    if (targets->n == 0)
        buf_puts(&sql, "NULL");
    result.sql = translate_finish(t, &sql);
    return result;
}

struct pg_query_text translate_targets(struct translation *t, const cJSON *list)
{
    struct targets targets = {.t = t};
    collect_targets(&targets, list);
    return target_text(&targets);
}

/* ---- GROUP BY, ORDER BY ---- */

static bool is_bare_name(const cJSON *wrapper, const char **ret)
{
    const cJSON *fields = node_get(node_get(wrapper, "ColumnRef"), "fields");
    if (cJSON_GetArraySize(fields) != 1)
        return false;
    *ret = node_string(cJSON_GetArrayItem(fields, 0));
    return **ret != '\0';
}

static bool in_scope(struct translation *t, const char *name)
{
    for (struct pg_source *s = t->scope->sources; s; s = s->next) {
        for (int i = 0; i < s->n_columns; i++) {
            if (strcmp(s->columns[i].name, name) == 0)
                return true;
        }
    }
    return false;
}

/* The output column that GROUP BY or ORDER BY names by position or alias; -1: an expression of its
 * own. */
static int output_column(struct translation *t, const struct targets *targets, const cJSON *node,
                         bool names_first, const char *clause)
{
    const cJSON *constant = node_get(node, "A_Const"), *ival = node_get(constant, "ival");
    const char *name;
    if (ival) {
        const cJSON *number = node_get(ival, "ival");
        int position = number ? number->valueint : 0;
        if (position < 1 || position > targets->n) {
            pg_fail(t->session, "42P10", node_location(constant),
                    "%s position %d is not in select list", clause, position);
            return 0;
        }
        return position - 1;
    }
    if (!is_bare_name(node, &name) || (!names_first && in_scope(t, name)))
        return -1;
    for (int i = 0; i < targets->n; i++) {
        if (strcmp(targets->list[i].name, name) == 0)
            return i;
    }
    return -1;
}

static const char *sort_form(struct translation *t, struct pg_expr e)
{
    if (e.type == PG_NUMERIC)
        return arena_printf(t->arena, "CAST(%s AS NUMERIC)", e.sql);
    if (e.type == PG_INTERVAL)
        return arena_printf(t->arena, "pg_interval_us(%s)", e.sql);
    if (e.type == PG_ENUM)
        return arena_printf(t->arena, "pg_enum_order(%s, %d)", e.sql, e.typmod);
    return e.sql;
}

static const char *order_by(struct translation *t, const struct targets *targets, const cJSON *list,
                            bool positions_only)
{
    struct buf sql;
    buf_init(&sql, 1 << 20);
    const cJSON *item;
    cJSON_ArrayForEach(item, list)
    {
        const cJSON *by = node_get(item, "SortBy"), *node = node_get(by, "node");
        bool descending = strcmp(node_text(by, "sortby_dir"), "SORTBY_DESC") == 0;
        const char *nulls = node_text(by, "sortby_nulls");
        bool first = strcmp(nulls, "SORTBY_NULLS_FIRST") == 0 ||
                     (descending && strcmp(nulls, "SORTBY_NULLS_LAST") != 0);
        int column = output_column(t, targets, node, true, "ORDER BY");
        const char *text;
        if (column >= 0)
            text = sort_form(t, targets->list[column]);
        else if (positions_only) {
            pg_fail(t->session, "0A000", -1, "invalid UNION/INTERSECT/EXCEPT ORDER BY clause");
            pg_detail(t->session,
                      "Only result column names can be used, not expressions or functions.");
            text = "1";
        } else
            text = sort_form(t, translate_expr(t, node));
        /* A constant would be a position to SQLite. */
        buf_printf(&sql, "%s%s%s%s NULLS %s", sql.len ? ", " : " ORDER BY ", text,
                   !positions_only && strspn(text, "0123456789") == strlen(text) ? "+0" : "",
                   descending ? " DESC" : "", first ? "FIRST" : "LAST");
    }
    return translate_finish(t, &sql);
}

static bool grouped(struct translation *t, const struct pg_used *groups, const struct pg_used *stop,
                    const struct pg_used *used)
{
    for (const struct pg_used *g = groups; g != stop; g = g->next) {
        if (strcmp(g->alias, used->alias) != 0)
            continue;
        if (strcmp(g->column, used->column) == 0)
            return true;
        for (struct pg_source *s = t->scope->sources; s; s = s->next) {
            if (strcmp(s->alias, g->alias) == 0 && s->relation &&
                catalog_int(t->database, 0,
                            "SELECT 1 FROM pgc_constraint WHERE relation = %lld AND kind = 'p' AND "
                            "columns = %s",
                            (long long)s->relation->oid, sql_text(t->arena, g->column)))
                return true; /* the other columns depend on the primary key */
        }
    }
    return false;
}

static void check_grouping(struct translation *t, const struct pg_used *groups,
                           const struct pg_used *stop, const struct pg_used *from,
                           const struct pg_used *until)
{
    const struct pg_used *bad = NULL;
    for (const struct pg_used *u = from; u != until; u = u->next) {
        bool own = false; /* columns of an outer query are constants here */
        for (struct pg_source *s = t->scope->sources; s; s = s->next)
            own |= strcmp(s->alias, u->alias) == 0;
        if (own && !grouped(t, groups, stop, u))
            bad = u; /* the list is newest first: the last found is the first in the text */
    }
    if (bad)
        pg_fail(t->session, "42803", bad->location,
                "column \"%s.%s\" must appear in the GROUP BY clause or be used in an aggregate "
                "function",
                bad->alias, bad->column);
}

/* ---- SELECT ---- */

static struct pg_query_text values_lists(struct translation *t, const cJSON *lists)
{
    int n = cJSON_GetArraySize(node_get(node_get(cJSON_GetArrayItem(lists, 0), "List"), "items"));
    int n_rows = cJSON_GetArraySize(lists), row = 0;
    struct pg_expr *cells = ARENA_ARRAY(t->arena, struct pg_expr, n * n_rows + 1);
    const cJSON *list, *item;
    cJSON_ArrayForEach(list, lists)
    {
        const cJSON *items = node_get(node_get(list, "List"), "items");
        if (cJSON_GetArraySize(items) != n) {
            pg_fail(t->session, "42601", -1, "VALUES lists must all be the same length");
            return nothing();
        }
        int i = 0;
        cJSON_ArrayForEach(item, items) cells[row * n + i++] = translate_expr(t, item);
        row++;
    }
    struct pg_query_text result = {.n_columns = n,
                                   .columns = ARENA_ARRAY(t->arena, struct pg_column, n + 1)};
    for (int i = 0; i < n; i++) {
        enum pg_type type = PG_UNKNOWN;
        for (row = 0; row < n_rows; row++) {
            enum pg_type cell = cells[row * n + i].type;
            if (cell != PG_UNKNOWN &&
                (type == PG_UNKNOWN || (pg_type_is_number(cell) && cell > type)))
                type = cell;
        }
        result.columns[i] = (struct pg_column){arena_printf(t->arena, "column%d", i + 1),
                                               type == PG_UNKNOWN ? PG_TEXT : type, -1};
    }
    struct buf sql;
    buf_init(&sql, 64 << 20);
    for (row = 0; row < n_rows; row++) {
        buf_puts(&sql, row ? " UNION ALL SELECT " : "SELECT ");
        for (int i = 0; i < n; i++)
            buf_printf(
                &sql, "%s%s AS %s", i ? ", " : "",
                coerce(t, cells[row * n + i], result.columns[i].type, -1, COERCE_ASSIGN, NULL).sql,
                sql_name(t->arena, result.columns[i].name));
    }
    result.sql = translate_finish(t, &sql);
    return result;
}

static void limits(struct translation *t, const cJSON *select, struct buf *sql)
{
    const cJSON *limit = node_get(select, "limitCount"), *offset = node_get(select, "limitOffset");
    if (limit && !node_true(node_get(limit, "A_Const"), "isnull"))
        buf_printf(sql, " LIMIT %s", translate_expr(t, limit).sql);
    else if (offset)
        buf_puts(sql, " LIMIT -1");
    if (offset)
        buf_printf(sql, " OFFSET %s", translate_expr(t, offset).sql);
}

static enum pg_type union_type(struct translation *t, enum pg_type a, enum pg_type b,
                               const char *word)
{
    if (a == b)
        return a;
    if (pg_type_is_number(a) && pg_type_is_number(b))
        return a > b ? a : b; /* in the order of types.h a later number is a wider one */
    if (pg_type_is_text(a) && pg_type_is_text(b))
        return PG_TEXT;
    if (pg_type_is_time(a) && pg_type_is_time(b))
        return PG_TIMESTAMPTZ;
    pg_fail(t->session, "42804", -1, "%s types %s and %s cannot be matched", word, pg_types[a].name,
            pg_types[b].name);
    return a;
}

/* One side of a set operation with its columns in the common types. */
static const char *union_side(struct translation *t, const struct pg_query_text *side,
                              const struct targets *targets)
{
    struct buf sql;
    buf_init(&sql, 8 << 20);
    buf_puts(&sql, "SELECT ");
    for (int i = 0; i < side->n_columns; i++) {
        struct pg_expr e = {.sql = arena_printf(t->arena, "\"s%d\"", i),
                            .type = side->columns[i].type,
                            .typmod = -1,
                            .name = "",
                            .location = -1};
        buf_printf(&sql, "%s%s", i ? ", " : "",
                   coerce(t, e, targets->list[i].type, -1, COERCE_ASSIGN, NULL).sql);
    }
    buf_puts(&sql, " FROM (WITH \"pg_s\"(");
    for (int i = 0; i < side->n_columns; i++)
        buf_printf(&sql, "%s\"s%d\"", i ? ", " : "", i);
    buf_printf(&sql, ") AS (%s) SELECT * FROM \"pg_s\")", side->sql);
    return translate_finish(t, &sql);
}

static struct pg_query_text set_operation(struct translation *t, const cJSON *select)
{
    const char *op = node_text(select, "op");
    struct pg_query_text left = translate_select(t, node_get(select, "larg"));
    struct pg_query_text right = translate_select(t, node_get(select, "rarg"));
    const char *word = strcmp(op, "SETOP_UNION") == 0       ? "UNION"
                       : strcmp(op, "SETOP_INTERSECT") == 0 ? "INTERSECT"
                                                            : "EXCEPT";
    if (left.n_columns != right.n_columns)
        pg_fail(t->session, "42601",
                node_location(node_get(
                    cJSON_GetArrayItem(node_get(node_get(select, "rarg"), "targetList"), 0),
                    "ResTarget")),
                "each %s query must have the same number of columns", word);
    bool all = node_true(select, "all");
    if (all && *word != 'U')
        pg_not_simulated(t->session, -1, "%s ALL", word);
    if (t->session->error.set)
        return left;
    struct targets targets = {.t = t};
    for (int i = 0; i < left.n_columns; i++) {
        enum pg_type type = union_type(t, left.columns[i].type, right.columns[i].type, word);
        add_target(&targets, (struct pg_expr){.sql = arena_printf(t->arena, "\"c%d\"", i),
                                              .name = left.columns[i].name,
                                              .type = type,
                                              .typmod = -1});
        if (type != left.columns[i].type || left.columns[i].typmod != right.columns[i].typmod)
            left.columns[i].typmod = -1;
    }
    struct buf sql;
    buf_init(&sql, 8 << 20);
    buf_puts(&sql, "WITH \"pg_u\"(");
    for (int i = 0; i < left.n_columns; i++)
        buf_printf(&sql, "%s\"c%d\"", i ? ", " : "", i);
    buf_printf(&sql, ") AS (%s %s%s %s) SELECT ", union_side(t, &left, &targets), word,
               all ? " ALL" : "", union_side(t, &right, &targets));
    for (int i = 0; i < left.n_columns; i++) {
        left.columns[i].type = targets.list[i].type;
        buf_printf(&sql, "%s\"c%d\" AS %s", i ? ", " : "", i,
                   sql_name(t->arena, left.columns[i].name));
    }
    buf_printf(&sql, " FROM \"pg_u\"%s",
               order_by(t, &targets, node_get(select, "sortClause"), true));
    limits(t, select, &sql);
    left.sql = translate_finish(t, &sql);
    return left;
}

/* ---- DISTINCT ON: the first row of each group in the order of ORDER BY ---- */

/* The expressions, which ORDER BY must start with. */
static const char *distinct_keys(struct translation *t, const struct targets *targets,
                                 const cJSON *list, const cJSON *order)
{
    struct buf sql;
    buf_init(&sql, 1 << 18);
    int n = cJSON_GetArraySize(list), n_order = cJSON_GetArraySize(order);
    const char **texts = ARENA_ARRAY(t->arena, const char *, n + 1);
    for (int i = 0; i < n; i++) {
        const cJSON *item = cJSON_GetArrayItem(list, i);
        int column = output_column(t, targets, item, true, "SELECT DISTINCT ON");
        texts[i] = sort_form(t, column >= 0 ? targets->list[column] : translate_expr(t, item));
        buf_printf(&sql, "%s%s", i ? ", " : "", texts[i]);
    }
    for (int i = 0; i < n && i < n_order; i++) {
        const cJSON *by = node_get(node_get(cJSON_GetArrayItem(order, i), "SortBy"), "node");
        int column = output_column(t, targets, by, true, "ORDER BY");
        struct pg_expr e = column >= 0 ? targets->list[column] : translate_expr(t, by);
        bool found = false;
        for (int k = 0; k < n; k++)
            found |= strcmp(texts[k], sort_form(t, e)) == 0;
        if (!found)
            pg_fail(
                t->session, "42P10",
                node_location(node_get(node_get(cJSON_GetArrayItem(list, 0), "ColumnRef"), "fields")
                                  ? node_get(cJSON_GetArrayItem(list, 0), "ColumnRef")
                                  : by),
                "SELECT DISTINCT ON expressions must match initial ORDER BY expressions");
    }
    return translate_finish(t, &sql);
}

static void open_distinct(struct buf *sql, const struct targets *targets, const char *keys,
                          const char *order)
{
    struct translation *t = targets->t;
    const char *by = *order ? order : arena_printf(t->arena, " ORDER BY %s", keys);
    buf_puts(sql, "SELECT ");
    for (int i = 0; i < targets->n; i++)
        buf_printf(sql, "%s\"c%d\" AS %s", i ? ", " : "", i,
                   sql_name(t->arena, targets->list[i].name));
    buf_puts(sql, " FROM (SELECT ");
    for (int i = 0; i < targets->n; i++)
        buf_printf(sql, "%s AS \"c%d\", ", targets->list[i].sql, i);
    buf_printf(sql,
               "row_number() OVER (PARTITION BY %s%s) AS \"pg_row\", row_number() OVER (%s) AS "
               "\"pg_place\"",
               keys, by, by + 1);
}

static struct pg_query_text plain_select(struct translation *t, const cJSON *select)
{
    struct targets targets = {.t = t};
    const char *from = translate_from(t, node_get(select, "fromClause"));
    const cJSON *group = node_get(select, "groupClause"), *where = node_get(select, "whereClause");
    const char *where_sql = where ? translate_where(t, where, "WHERE") : NULL;
    bool outer_aggregate = t->has_aggregate;
    struct pg_used *outside = t->used;
    t->has_aggregate = false;
    collect_targets(&targets, node_get(select, "targetList"));
    const cJSON *having = node_get(select, "havingClause");
    const char *having_sql = having ? translate_where(t, having, "HAVING") : NULL;
    const char *order = order_by(t, &targets, node_get(select, "sortClause"), false);
    struct pg_used *in_targets = t->used;
    struct buf sql, groups;
    buf_init(&sql, 8 << 20);
    buf_init(&groups, 1 << 20);
    const cJSON *item;
    cJSON_ArrayForEach(item, group)
    {
        int column = output_column(t, &targets, item, false, "GROUP BY");
        struct pg_expr e;
        if (column >= 0) {
            e = targets.list[column];
            const cJSON *value = node_get(
                node_get(cJSON_GetArrayItem(node_get(select, "targetList"), column), "ResTarget"),
                "val");
            if (value)
                translate_expr(t, value); /* notes the columns it uses as grouped */
        } else {
            e = translate_expr(t, item);
        }
        buf_printf(&groups, "%s%s", groups.len ? ", " : " GROUP BY ", sort_form(t, e));
    }
    if (group || t->has_aggregate)
        check_grouping(t, t->used, in_targets, in_targets, outside);
    t->has_aggregate = outer_aggregate;
    t->used = outside;
    const cJSON *distinct = node_get(select, "distinctClause");
    bool on = distinct && node_tag(distinct->child, NULL)[0];
    const char *keys =
        on ? distinct_keys(t, &targets, distinct, node_get(select, "sortClause")) : NULL;
    struct pg_query_text result = target_text(&targets);
    if (on)
        open_distinct(&sql, &targets, keys, order);
    else
        buf_printf(&sql, "SELECT %s%s", distinct ? "DISTINCT " : "", result.sql);
    if (*from)
        buf_printf(&sql, " FROM %s", from);
    if (where_sql)
        buf_printf(&sql, " WHERE %s", where_sql);
    buf_str(&sql, buf_text(&groups));
    if (having_sql)
        buf_printf(&sql, " HAVING %s", having_sql);
    buf_puts(&sql, on ? ") WHERE \"pg_row\" = 1 ORDER BY \"pg_place\"" : order);
    limits(t, select, &sql);
    buf_release(&groups);
    result.sql = translate_finish(t, &sql);
    return result;
}

struct pg_query_text translate_select(struct translation *t, const cJSON *select)
{
    if (!select) {
        pg_not_simulated(t->session, -1, "this kind of query");
        return nothing();
    }
    struct pg_scope scope = {.outer = t->scope}, *outer = t->scope;
    const cJSON *windows = t->windows;
    t->windows = node_get(select, "windowClause");
    struct pg_cte *ctes = t->ctes;
    t->scope = &scope;
    struct buf with;
    buf_init(&with, 4 << 20);
    translate_with(t, node_get(select, "withClause"), &with);
    struct pg_query_text result;
    if (node_get(select, "larg"))
        result = set_operation(t, select);
    else if (node_get(select, "valuesLists"))
        result = values_lists(t, node_get(select, "valuesLists"));
    else
        result = plain_select(t, select);
    if (node_get(select, "intoClause"))
        pg_not_simulated(t->session, -1, "SELECT INTO");
    if (with.len)
        result.sql = arena_printf(t->arena, "%s%s", with.at, result.sql);
    buf_release(&with);
    t->scope = outer;
    t->ctes = ctes;
    t->windows = windows;
    return result;
}
