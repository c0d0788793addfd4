/* Constraints and indexes. */
#include <string.h>

#include "fakes/postgres/statements.h"

const char *expression_text(struct statement *s, const cJSON *wrapper)
{
    const cJSON *node;
    const char *tag = node_tag(wrapper, &node);
    if (strcmp(tag, "A_Const") == 0) {
        if (node_get(node, "sval"))
            return sql_text(s->arena, node_text(node_get(node, "sval"), "sval"));
        if (node_get(node, "boolval"))
            return node_true(node_get(node, "boolval"), "boolval") ? "true" : "false";
        if (node_get(node, "fval"))
            return node_text(node_get(node, "fval"), "fval");
        if (node_true(node, "isnull"))
            return "NULL";
    }
    if (strcmp(tag, "TypeCast") == 0) {
        int typmod;
        struct translation t = statement_translation(s);
        int type = translate_type(&t, node_get(node, "typeName"), &typmod, NULL);
        return arena_printf(s->arena, "%s::%s", expression_text(s, node_get(node, "arg")),
                            catalog_type(s->database, s->arena, (enum pg_type)type, typmod));
    }
    if (strcmp(tag, "FuncCall") == 0) {
        const cJSON *names = node_get(node, "funcname"), *item;
        struct buf out;
        buf_init(&out, 1 << 16);
        buf_printf(&out, "%s(",
                   node_string(cJSON_GetArrayItem(names, cJSON_GetArraySize(names) - 1)));
        bool any = false;
        cJSON_ArrayForEach(item, node_get(node, "args"))
        {
            buf_printf(&out, "%s%s", any ? ", " : "", expression_text(s, item));
            any = true;
        }
        buf_putc(&out, ')');
        const char *text = arena_str(s->arena, buf_text(&out));
        buf_release(&out);
        return text;
    }
    if (strcmp(tag, "SQLValueFunction") == 0) {
        const char *op = node_text(node, "op");
        return strcmp(op, "SVFOP_CURRENT_DATE") == 0   ? "CURRENT_DATE"
               : strcmp(op, "SVFOP_CURRENT_USER") == 0 ? "CURRENT_USER"
                                                       : "CURRENT_TIMESTAMP";
    }
    if (strcmp(tag, "ColumnRef") == 0) {
        const cJSON *fields = node_get(node, "fields");
        return pg_ident(s->arena,
                        node_string(cJSON_GetArrayItem(fields, cJSON_GetArraySize(fields) - 1)));
    }
    if (strcmp(tag, "NullTest") == 0)
        return arena_printf(
            s->arena, "(%s %s)", expression_text(s, node_get(node, "arg")),
            strcmp(node_text(node, "nulltesttype"), "IS_NULL") == 0 ? "IS NULL" : "IS NOT NULL");
    if (strcmp(tag, "A_Expr") == 0 && strcmp(node_text(node, "kind"), "AEXPR_OP") == 0 &&
        node_get(node, "lexpr"))
        return arena_printf(s->arena, "(%s %s %s)", expression_text(s, node_get(node, "lexpr")),
                            node_string(cJSON_GetArrayItem(node_get(node, "name"), 0)),
                            expression_text(s, node_get(node, "rexpr")));
    /* Anything else as it stands in the statement: from its location to the bracket that closes it.
     */
    int from = node_location(node);
    if (strcmp(tag, "A_Expr") == 0)
        from = node_location(node_get(node, "lexpr") ? node_get(node, "lexpr")->child : node);
    const char *start = s->text + (from > 0 ? from : 0), *p = start;
    for (int depth = 0; *p && !(depth == 0 && (*p == ')' || *p == ',' || *p == ';')); p++)
        depth += (*p == '(') - (*p == ')');
    return arena_str(s->arena, str_trim((struct str){start, (size_t)(p - start)}));
}

static const char *name_list(struct statement *s, const cJSON *list, bool quote)
{
    struct buf out;
    buf_init(&out, 1 << 16);
    const cJSON *item;
    cJSON_ArrayForEach(item, list)
    {
        const char *name = node_string(item);
        buf_printf(&out, "%s%s", out.len ? (quote ? ", " : ",") : "",
                   quote ? pg_ident(s->arena, name) : name);
    }
    const char *text = arena_str(s->arena, buf_text(&out));
    buf_release(&out);
    return text;
}

static const char *free_name(struct statement *s, const char *table, const char *columns,
                             const char *suffix)
{
    char *middle = arena_strdup(s->arena, columns);
    for (char *p = middle; *p; p++) {
        if (*p == ',')
            *p = '_';
    }
    const char *base = *middle ? arena_printf(s->arena, "%s_%s_%s", table, middle, suffix)
                               : arena_printf(s->arena, "%s_%s", table, suffix);
    const char *name = base;
    for (int i = 1; catalog_int(s->database, 0,
                                "SELECT (SELECT count(*) FROM pgc_constraint WHERE name = %s) +"
                                " (SELECT count(*) FROM pgc_index WHERE name = %s)",
                                sql_text(s->arena, name), sql_text(s->arena, name)) > 0;
         i++)
        name = arena_printf(s->arena, "%s%d", base, i);
    return name;
}

static const char *quoted_columns(struct statement *s, const char *columns)
{
    struct buf out;
    buf_init(&out, 1 << 16);
    struct str rest = str_of(columns);
    while (rest.len)
        buf_printf(&out, "%s%s", out.len ? ", " : "",
                   sql_name(s->arena, arena_str(s->arena, str_cut(&rest, ','))));
    const char *text = arena_str(s->arena, buf_text(&out));
    buf_release(&out);
    return text;
}

static bool columns_exist(struct statement *s, const struct pg_relation *relation,
                          const char *columns, const char *what)
{
    struct str rest = str_of(columns);
    while (rest.len) {
        const char *name = arena_str(s->arena, str_cut(&rest, ','));
        if (catalog_attribute(relation, name) < 0) {
            pg_fail(s->session, "42703", -1,
                    *what ? "column \"%s\" named in key does not exist"
                          : "column \"%s\" does not exist",
                    name);
            return false;
        }
    }
    return true;
}

static bool add_unique(struct statement *s, struct pg_relation *relation, const char *name,
                       const char *columns, int64_t constraint, const char *definition)
{
    int64_t oid = next_oid(s->database);
    if (catalog_int(s->database, 0,
                    "SELECT (SELECT count(*) FROM pgc_index WHERE name = %s) +"
                    " (SELECT count(*) FROM pgc_relation WHERE name = %s)",
                    sql_text(s->arena, name), sql_text(s->arena, name))) {
        pg_fail(s->session, "42P07", -1, "relation \"%s\" already exists", name);
        return false;
    }
    if (!relation->ledger && *columns &&
        catalog_run(s->database, "CREATE UNIQUE INDEX %s ON %s(%s)", sql_name(s->arena, name),
                    sql_name(s->arena, relation->key), quoted_columns(s, columns)) != SQLITE_OK) {
        pg_fail(s->session, "23505", -1, "could not create unique index \"%s\"", name);
        const char *pair = catalog_text(
            s->database, s->arena,
            "SELECT group_concat(v, ', ') FROM (SELECT pg_concat(%s) AS v FROM %s GROUP BY"
            " %s HAVING count(*) > 1 LIMIT 1)",
            quoted_columns(s, columns), sql_name(s->arena, relation->key),
            quoted_columns(s, columns));
        pg_detail(s->session, "Key (%s)=(%s) is duplicated.", columns, pair ? pair : "");
        return false;
    }
    catalog_run(s->database, "INSERT INTO pgc_index VALUES(%lld, %lld, %s, 1, %s, %s, %lld)",
                (long long)oid, (long long)relation->oid, sql_text(s->arena, name),
                sql_text(s->arena, columns), sql_text(s->arena, definition), (long long)constraint);
    return true;
}

static bool check_rows(struct statement *s, const struct pg_relation *relation, const char *name,
                       const char *sql)
{
    /* A ledger table may hold millions of rows: enough of them are looked at to find what is
     * common. */
    if (!catalog_int(
            s->database, 0,
            "SELECT 1 FROM (SELECT * FROM %s AS %s LIMIT 100000) AS %s WHERE NOT (%s) LIMIT 1",
            sql_name(s->arena, relation->key), sql_name(s->arena, relation->name),
            sql_name(s->arena, relation->name), sql))
        return true;
    pg_fail(s->session, "23514", -1,
            "check constraint \"%s\" of relation \"%s\" is violated by some row", name,
            relation->name);
    return false;
}

static bool add_check(struct statement *s, struct pg_relation *relation, const cJSON *node,
                      const char *column)
{
    struct translation t = statement_translation(s);
    struct pg_scope scope = {0};
    struct pg_source source = {
        .alias = relation->name, .relation = relation, .n_columns = relation->n_attributes};
    source.columns = ARENA_ARRAY(s->arena, struct pg_column, relation->n_attributes + 1);
    for (int i = 0; i < relation->n_attributes; i++)
        source.columns[i] =
            (struct pg_column){relation->attributes[i].name, relation->attributes[i].type,
                               relation->attributes[i].typmod};
    scope.sources = &source;
    t.scope = &scope;
    const char *sql = translate_where(&t, node_get(node, "raw_expr"), "CHECK");
    if (s->session->error.set)
        return false;
    const char *used = column ? column : t.used ? t.used->column : "";
    const char *name = *node_text(node, "conname") ? node_text(node, "conname")
                                                   : free_name(s, relation->name, used, "check");
    if (!node_true(node, "skip_validation") && !check_rows(s, relation, name, sql))
        return false;
    const char *expression = expression_text(s, node_get(node, "raw_expr"));
    const char *definition =
        arena_printf(s->arena, *expression == '(' ? "CHECK (%s)%s" : "CHECK ((%s))%s", expression,
                     node_true(node, "skip_validation") ? " NOT VALID" : "");
    catalog_run(s->database,
                "INSERT INTO pgc_constraint VALUES(%lld, %lld, %s, 'c', '', %s, %s, NULL, NULL)",
                (long long)next_oid(s->database), (long long)relation->oid,
                sql_text(s->arena, name), sql_text(s->arena, definition), sql_text(s->arena, sql));
    return true;
}

static bool add_foreign(struct statement *s, struct pg_relation *relation, const cJSON *node,
                        const char *columns)
{
    const cJSON *target_node = node_get(node, "pktable");
    const char *schema = node_text(target_node, "schemaname");
    struct pg_relation *target = catalog_find(s->database, s->arena, *schema ? schema : NULL,
                                              node_text(target_node, "relname"));
    if (!target) {
        pg_fail(s->session, "42P01", -1, "relation \"%s\" does not exist",
                node_text(target_node, "relname"));
        return false;
    }
    const char *target_columns = name_list(s, node_get(node, "pk_attrs"), false);
    if (!*target_columns) {
        target_columns =
            catalog_text(s->database, s->arena,
                         "SELECT columns FROM pgc_constraint WHERE relation = %lld AND kind = 'p'",
                         (long long)target->oid);
        if (!target_columns) {
            pg_fail(s->session, "42704", -1, "there is no primary key for referenced table \"%s\"",
                    target->name);
            return false;
        }
    }
    const char *name = *node_text(node, "conname") ? node_text(node, "conname")
                                                   : free_name(s, relation->name, columns, "fkey");
    const char *action = node_text(node, "fk_del_action");
    const char *on_delete = *action == 'c'   ? " ON DELETE CASCADE"
                            : *action == 'n' ? " ON DELETE SET NULL"
                                             : "";
    const char *definition = arena_printf(s->arena, "FOREIGN KEY (%s) REFERENCES %s(%s)%s", columns,
                                          target->key, target_columns, on_delete);
    catalog_run(s->database,
                "INSERT INTO pgc_constraint VALUES(%lld, %lld, %s, 'f', %s, %s, %lld, %s, '%c')",
                (long long)next_oid(s->database), (long long)relation->oid,
                sql_text(s->arena, name), sql_text(s->arena, columns),
                sql_text(s->arena, definition), (long long)target->oid,
                sql_text(s->arena, target_columns), *action ? *action : 'a');
    return true;
}

static bool add_key(struct statement *s, struct pg_relation *relation, const cJSON *node,
                    bool primary, const char *columns)
{
    if (!columns_exist(s, relation, columns, "key"))
        return false;
    if (primary &&
        catalog_int(s->database, 0,
                    "SELECT count(*) FROM pgc_constraint WHERE relation = %lld AND kind = 'p'",
                    (long long)relation->oid)) {
        pg_fail(s->session, "42P16", -1, "multiple primary keys for table \"%s\" are not allowed",
                relation->name);
        return false;
    }
    const char *name = *node_text(node, "conname") ? node_text(node, "conname")
                       : primary                   ? free_name(s, relation->name, "", "pkey")
                                                   : free_name(s, relation->name, columns, "key");
    int64_t oid = next_oid(s->database);
    struct buf shown;
    buf_init(&shown, 1 << 16);
    struct str rest = str_of(columns);
    while (rest.len) {
        const char *column = arena_str(s->arena, str_cut(&rest, ','));
        buf_printf(&shown, "%s%s", shown.len ? ", " : "", pg_ident(s->arena, column));
        if (primary) {
            catalog_run(s->database,
                        "UPDATE pgc_column SET not_null = 1 WHERE relation = %lld AND name = %s",
                        (long long)relation->oid, sql_text(s->arena, column));
            relation->attributes[catalog_attribute(relation, column)].not_null = true;
        }
    }
    const char *list = arena_str(s->arena, buf_text(&shown));
    buf_release(&shown);
    const char *definition = arena_printf(
        s->arena, "CREATE UNIQUE INDEX %s ON %s.%s USING btree (%s)", pg_ident(s->arena, name),
        relation->schema, pg_ident(s->arena, relation->name), list);
    if (!add_unique(s, relation, name, columns, oid, definition))
        return false;
    catalog_run(s->database,
                "INSERT INTO pgc_constraint VALUES(%lld, %lld, %s, '%c', %s, %s, NULL, NULL, NULL)",
                (long long)oid, (long long)relation->oid, sql_text(s->arena, name),
                primary ? 'p' : 'u', sql_text(s->arena, columns),
                sql_text(s->arena, arena_printf(s->arena, "%s (%s)",
                                                primary ? "PRIMARY KEY" : "UNIQUE", list)));
    return true;
}

bool add_constraint(struct statement *s, struct pg_relation *relation, const cJSON *node,
                    const char *column)
{
    const char *kind = node_text(node, "contype"), *name = node_text(node, "conname");
    const char *keys = column ? column : name_list(s, node_get(node, "keys"), false);
    if (*name &&
        catalog_int(s->database, 0,
                    "SELECT count(*) FROM pgc_constraint WHERE relation = %lld AND name = %s",
                    (long long)relation->oid, sql_text(s->arena, name))) {
        pg_fail(s->session, "42710", -1, "constraint \"%s\" for relation \"%s\" already exists",
                name, relation->name);
        return false;
    }
    if (strcmp(kind, "CONSTR_PRIMARY") == 0 || strcmp(kind, "CONSTR_UNIQUE") == 0)
        return add_key(s, relation, node, kind[7] == 'P', keys);
    if (strcmp(kind, "CONSTR_CHECK") == 0)
        return add_check(s, relation, node, column);
    if (strcmp(kind, "CONSTR_FOREIGN") == 0)
        return add_foreign(s, relation, node,
                           column ? column : name_list(s, node_get(node, "fk_attrs"), false));
    pg_not_simulated(s->session, node_location(node), "constraints of kind %s", kind);
    return false;
}

/* ---- indexes ---- */

void run_index(struct statement *s)
{
    struct pg_relation *relation = statement_relation(s, node_get(s->node, "relation"), false);
    if (!relation)
        return;
    struct buf columns, shown;
    buf_init(&columns, 1 << 16);
    buf_init(&shown, 1 << 16);
    const cJSON *item;
    bool expression = false;
    cJSON_ArrayForEach(item, node_get(s->node, "indexParams"))
    {
        const cJSON *element = node_get(item, "IndexElem");
        const char *column = node_text(element, "name");
        expression |= !*column;
        if (*column && catalog_attribute(relation, column) < 0)
            pg_fail(s->session, "42703", -1, "column \"%s\" does not exist", column);
        buf_printf(&columns, "%s%s", columns.len ? "," : "", column);
        buf_printf(&shown, "%s%s%s", shown.len ? ", " : "",
                   *column ? pg_ident(s->arena, column)
                           : expression_text(s, node_get(element, "expr")),
                   strcmp(node_text(element, "ordering"), "SORTBY_DESC") == 0 ? " DESC" : "");
    }
    const char *list = arena_str(s->arena, buf_text(&columns)),
               *text = arena_str(s->arena, buf_text(&shown));
    buf_release(&columns);
    buf_release(&shown);
    if (s->session->error.set)
        return;
    bool unique = node_true(s->node, "unique");
    const char *name = *node_text(s->node, "idxname")
                           ? node_text(s->node, "idxname")
                           : free_name(s, relation->name, expression ? "expr" : list, "idx");
    if (catalog_int(s->database, 0, "SELECT count(*) FROM pgc_index WHERE name = %s",
                    sql_text(s->arena, name))) {
        if (node_true(s->node, "if_not_exists")) {
            pg_notice(s->session, "NOTICE", "relation \"%s\" already exists, skipping", name);
            statement_done(s, "CREATE INDEX");
        } else {
            pg_fail(s->session, "42P07", -1, "relation \"%s\" already exists", name);
        }
        return;
    }
    const char *method =
        *node_text(s->node, "accessMethod") ? node_text(s->node, "accessMethod") : "btree";
    const char *definition =
        arena_printf(s->arena, "CREATE %sINDEX %s ON %s.%s USING %s (%s)", unique ? "UNIQUE " : "",
                     pg_ident(s->arena, name), relation->schema, pg_ident(s->arena, relation->name),
                     method, text);
    const cJSON *where = node_get(s->node, "whereClause");
    if (where) {
        struct translation t = statement_translation(s);
        struct pg_scope scope = {0};
        const char *ignored;
        t.scope = &scope;
        translate_table(&t, node_get(s->node, "relation"), &ignored);
        translate_where(&t, where, "WHERE");
        if (s->session->error.set)
            return;
        const char *condition = expression_text(s, where);
        definition = arena_printf(s->arena, *condition == '(' ? "%s WHERE %s" : "%s WHERE (%s)",
                                  definition, condition);
    }
    if (unique && (where || expression))
        record_observe(s->session->server->env->record, "not_simulated", definition,
                       "the simulated PostgreSQL keeps this index, but does not refuse rows by it");
    if (unique) {
        if (!add_unique(s, relation, name,
                        expression || node_get(s->node, "whereClause") ? "" : list, 0, definition))
            return;
    } else {
        catalog_run(s->database, "INSERT INTO pgc_index VALUES(%lld, %lld, %s, 0, %s, %s, 0)",
                    (long long)next_oid(s->database), (long long)relation->oid,
                    sql_text(s->arena, name), sql_text(s->arena, list),
                    sql_text(s->arena, definition));
    }
    statement_done(s, "CREATE INDEX");
    statement_took(s, relation_count(s->database, relation) * 1000);
}
