/* WITH: named queries, and statements that change rows in front of the query that uses what they
 * return. */
#include <stdio.h>
#include <string.h>

#include "fakes/postgres/statements.h"

/* Whether a statement names that table anywhere but in one part. */
static bool names_table(const cJSON *node, const char *table, const cJSON *part)
{
    const cJSON *item;
    cJSON_ArrayForEach(item, node)
    {
        if (item == part)
            continue;
        if (strcmp(node_text(item, "relname"), table) == 0 ||
            (item->child && names_table(item, table, part)))
            return true;
    }
    return false;
}

static void drop_last_message(struct pg_session *session)
{
    struct pg_message **at = &session->messages;
    while (*at && (*at)->next)
        at = &(*at)->next;
    *at = NULL;
    session->last_message = at;
}

/* DELETE, UPDATE or INSERT with RETURNING runs first; its rows wait in a table of their own. In
 * PostgreSQL the rest of the statement does not see the change: where it looks at the same table,
 * the statement is refused. */
static struct pg_query_text run_modifying(struct translation *t, const cJSON *expression,
                                          int number)
{
    struct pg_query_text nothing = {.sql = "SELECT NULL WHERE 0"};
    struct pg_session *session = t->session;
    const cJSON *node;
    const char *kind = node_tag(node_get(expression, "ctequery"), &node);
    const char *table = node_text(node_get(node, "relation"), "relname");
    void (*run)(struct statement *) = strcmp(kind, "DeleteStmt") == 0   ? run_delete
                                      : strcmp(kind, "UpdateStmt") == 0 ? run_update
                                      : strcmp(kind, "InsertStmt") == 0 ? run_insert
                                                                        : NULL;
    if (!run || !t->root || names_table(t->root, table, expression)) {
        pg_not_simulated(session, node_location(expression),
                         "a WITH that changes a table which the rest looks at");
        return nothing;
    }
    if (session->transaction_read_only) {
        pg_fail(session, "25006", -1, "cannot execute SELECT in a read-only transaction");
        return nothing;
    }
    struct statement s = {.session = session,
                          .database = t->database,
                          .arena = t->arena,
                          .node = node,
                          .kind = kind,
                          .text = t->text,
                          .own = str_of(t->text)};
    run(&s);
    struct pg_message *last = session->messages;
    while (last && last->next)
        last = last->next;
    const struct pg_result *result = last ? last->result : NULL;
    if (session->error.set || !result)
        return nothing;
    drop_last_message(session);
    const char *name = arena_printf(t->arena, "temp.\"pg_with_%d\"", number);
    struct pg_query_text query = {.sql = arena_printf(t->arena, "SELECT * FROM %s", name),
                                  .n_columns = result->n_columns,
                                  .columns = result->columns};
    if (!result->has_rows || result->n_columns == 0) {
        query.sql = nothing.sql;
        return query;
    }
    catalog_run(t->database, "DROP TABLE IF EXISTS %s; CREATE TEMP TABLE \"pg_with_%d\"(%s)", name,
                number, translate_names(t, result->columns, result->n_columns));
    for (int i = 0; i < result->n_rows && !session->error.set; i++) {
        struct buf row;
        buf_init(&row, 1 << 20);
        for (int k = 0; k < result->n_columns; k++) {
            const char *text = result->rows[i][k];
            buf_printf(&row, "%s%s", k ? ", " : "",
                       text ? value_literal(session, t->arena, text, result->columns[k].type,
                                            result->columns[k].typmod, -1)
                            : "NULL");
        }
        catalog_run(t->database, "INSERT INTO %s VALUES (%s)", name, row.len ? row.at : "");
        buf_release(&row);
    }
    return query;
}

/* WITH name(a, b) AS ... */
static void name_columns(struct pg_cte *cte, const cJSON *expression)
{
    const cJSON *name;
    int k = 0;
    cJSON_ArrayForEach(name, node_get(expression, "aliascolnames"))
    {
        if (k < cte->n_columns)
            cte->columns[k++].name = node_string(name);
    }
}

void translate_with(struct translation *t, const cJSON *with, struct buf *out)
{
    if (!with)
        return;
    buf_puts(out, node_true(with, "recursive") ? "WITH RECURSIVE " : "WITH ");
    const cJSON *item;
    int i = 0;
    cJSON_ArrayForEach(item, node_get(with, "ctes"))
    {
        const cJSON *expression = node_get(item, "CommonTableExpr");
        const cJSON *select = node_get(node_get(expression, "ctequery"), "SelectStmt");
        struct pg_cte *cte = ARENA_NEW(t->arena, struct pg_cte);
        cte->name = node_text(expression, "ctename");
        struct pg_query_text query;
        if (!select) {
            query = run_modifying(t, expression, i);
            cte->n_columns = query.n_columns;
            cte->columns = query.columns;
            cte->next = t->ctes;
            t->ctes = cte;
            if (t->session->error.set)
                return;
        } else if (node_true(with, "recursive") && node_get(select, "larg")) {
            /* The columns are those of the part that does not recurse. */
            struct pg_query_text first = translate_select(t, node_get(select, "larg"));
            cte->n_columns = first.n_columns;
            cte->columns = first.columns;
            name_columns(cte, expression);
            cte->next = t->ctes;
            t->ctes = cte;
            struct pg_query_text second = translate_select(t, node_get(select, "rarg"));
            query.sql = arena_printf(t->arena, "%s UNION%s %s", first.sql,
                                     node_true(select, "all") ? " ALL" : "", second.sql);
        } else {
            query = translate_select(t, select);
            cte->n_columns = query.n_columns;
            cte->columns = query.columns;
            cte->next = t->ctes;
            t->ctes = cte;
        }
        name_columns(cte, expression);
        buf_printf(out, "%s%s(%s) AS (%s)", i++ ? ", " : "", sql_name(t->arena, cte->name),
                   translate_names(t, cte->columns, cte->n_columns), query.sql);
    }
    buf_putc(out, ' ');
}
