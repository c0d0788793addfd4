#include <string.h>

#include "fakes/postgres/statements.h"

/* ---- sequences ---- */

static const char *key_of(struct statement *s, const char *schema, const char *name)
{
    return strcmp(schema, "public") == 0 ? name : arena_printf(s->arena, "%s.%s", schema, name);
}

static const char *schema_of(const cJSON *range_var)
{
    const char *schema = node_text(range_var, "schemaname");
    return *schema ? schema : "public";
}

static int64_t add_relation(struct statement *s, const char *schema, const char *name, char kind,
                            const char *definition)
{
    int64_t oid = next_oid(s->database);
    catalog_run(s->database, "INSERT INTO pgc_relation VALUES(%lld, %s, %s, %s, '%c', %s, 0, NULL, NULL, NULL, %s)",
                (long long)oid, sql_text(s->arena, schema), sql_text(s->arena, name),
                sql_text(s->arena, key_of(s, schema, name)), kind, sql_text(s->arena, s->session->user),
                definition ? sql_text(s->arena, definition) : "NULL");
    return oid;
}

int64_t create_sequence(struct statement *s, const char *schema, const char *name, int64_t start, int64_t increment)
{
    int64_t oid = add_relation(s, schema, name, 'S', NULL);
    catalog_run(s->database, "INSERT INTO pgc_sequence VALUES(%lld, %lld, 0, %lld, %lld, NULL, NULL)", (long long)oid,
                (long long)start, (long long)increment, (long long)start);
    return oid;
}

bool pg_sequence(struct pg_session *session, const char *name, char what, int64_t value, bool called, int64_t *ret)
{
    struct pg_database *database = session->database;
    const char *point = strrchr(name, '.');
    struct arena *arena = &session->results;
    const char *schema = point ? arena_printf(arena, "%.*s", (int)(point - name), name) : NULL;
    struct pg_relation *sequence = catalog_find(database, arena, schema, point ? point + 1 : name);
    if (!sequence || sequence->kind != 'S') {
        if (!sequence)
            pg_fail(session, "42P01", -1, "relation \"%s\" does not exist", name);
        else
            pg_fail(session, "42809", -1, "\"%s\" is not a sequence", name);
        return false;
    }
    long long oid = (long long)sequence->oid;
    if (what == 's') {
        catalog_run(database, "UPDATE pgc_sequence SET last_value = %lld, is_called = %d WHERE relation = %lld",
                    (long long)value, called, oid);
        pg_sequence_moved(session, sequence->oid, value, called);
        *ret = value;
        return true;
    }
    int64_t last = catalog_int(database, 1, "SELECT last_value FROM pgc_sequence WHERE relation = %lld", oid);
    bool was_called = catalog_int(database, 0, "SELECT is_called FROM pgc_sequence WHERE relation = %lld", oid);
    if (what == 'c') {
        if (!was_called)
            pg_fail(session, "55000", -1, "currval of sequence \"%s\" is not yet defined in this session",
                    sequence->name);
        *ret = last;
        return was_called;
    }
    *ret = last + (was_called ? catalog_int(database, 1, "SELECT increment FROM pgc_sequence WHERE relation = %lld", oid)
                              : 0);
    catalog_run(database, "UPDATE pgc_sequence SET last_value = %lld, is_called = 1 WHERE relation = %lld",
                (long long)*ret, oid);
    pg_sequence_moved(session, sequence->oid, *ret, true);
    return true;
}

static int64_t option_number(const cJSON *options, const char *name, int64_t otherwise)
{
    const cJSON *item;
    cJSON_ArrayForEach(item, options)
    {
        const cJSON *option = node_get(item, "DefElem"), *arg = node_get(option, "arg");
        if (strcmp(node_text(option, "defname"), name) != 0)
            continue;
        const cJSON *number = node_get(node_get(arg, "Integer"), "ival");
        return number ? (int64_t)number->valuedouble : otherwise;
    }
    return otherwise;
}

static bool exists(struct statement *s, const char *schema, const char *name, bool if_not_exists)
{
    if (!catalog_find(s->database, s->arena, schema, name))
        return false;
    if (if_not_exists)
        pg_notice(s->session, "NOTICE", "relation \"%s\" already exists, skipping", name);
    else
        pg_fail(s->session, "42P07", -1, "relation \"%s\" already exists", name);
    return true;
}

static bool schema_exists(struct statement *s, const char *schema, int location)
{
    if (catalog_int(s->database, 0, "SELECT count(*) FROM pgc_schema WHERE name = %s", sql_text(s->arena, schema)))
        return true;
    pg_fail(s->session, "3F000", location, "schema \"%s\" does not exist", schema);
    return false;
}

void run_sequence(struct statement *s)
{
    const cJSON *range = node_get(s->node, "sequence"), *options = node_get(s->node, "options");
    const char *schema = schema_of(range), *name = node_text(range, "relname");
    if (exists(s, schema, name, node_true(s->node, "if_not_exists"))) {
        if (!s->session->error.set)
            statement_done(s, "CREATE SEQUENCE");
        return;
    }
    create_sequence(s, schema, name, option_number(options, "start", 1), option_number(options, "increment", 1));
    statement_done(s, "CREATE SEQUENCE");
}

/* ---- columns and constraints ---- */

/* The text of an expression as the user wrote it: from its first to the last byte that belongs to it. Used to show
 * definitions again (\d, pg_dump). */
static const char *expression_text(struct statement *s, const cJSON *wrapper)
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
                            pg_type_format(s->arena, (enum pg_type)type, typmod));
    }
    if (strcmp(tag, "FuncCall") == 0) {
        const cJSON *names = node_get(node, "funcname"), *item;
        struct buf out;
        buf_init(&out, 1 << 16);
        buf_printf(&out, "%s(", node_string(cJSON_GetArrayItem(names, cJSON_GetArraySize(names) - 1)));
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
        return pg_ident(s->arena, node_string(cJSON_GetArrayItem(fields, cJSON_GetArraySize(fields) - 1)));
    }
    if (strcmp(tag, "A_Expr") == 0 && strcmp(node_text(node, "kind"), "AEXPR_OP") == 0 && node_get(node, "lexpr"))
        return arena_printf(s->arena, "(%s %s %s)", expression_text(s, node_get(node, "lexpr")),
                            node_string(cJSON_GetArrayItem(node_get(node, "name"), 0)),
                            expression_text(s, node_get(node, "rexpr")));
    /* Anything else as it stands in the statement: from its location to the bracket that closes it. */
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
        buf_printf(&out, "%s%s", out.len ? (quote ? ", " : ",") : "", quote ? pg_ident(s->arena, name) : name);
    }
    const char *text = arena_str(s->arena, buf_text(&out));
    buf_release(&out);
    return text;
}

static const char *free_name(struct statement *s, const char *table, const char *columns, const char *suffix)
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
        buf_printf(&out, "%s%s", out.len ? ", " : "", sql_name(s->arena, arena_str(s->arena, str_cut(&rest, ','))));
    const char *text = arena_str(s->arena, buf_text(&out));
    buf_release(&out);
    return text;
}

static bool columns_exist(struct statement *s, const struct pg_relation *relation, const char *columns,
                          const char *what)
{
    struct str rest = str_of(columns);
    while (rest.len) {
        const char *name = arena_str(s->arena, str_cut(&rest, ','));
        if (catalog_attribute(relation, name) < 0) {
            pg_fail(s->session, "42703", -1,
                    *what ? "column \"%s\" named in key does not exist" : "column \"%s\" does not exist", name);
            return false;
        }
    }
    return true;
}

static bool add_unique(struct statement *s, struct pg_relation *relation, const char *name, const char *columns,
                       int64_t constraint, const char *definition)
{
    int64_t oid = next_oid(s->database);
    if (catalog_int(s->database, 0, "SELECT (SELECT count(*) FROM pgc_index WHERE name = %s) +"
                                    " (SELECT count(*) FROM pgc_relation WHERE name = %s)",
                    sql_text(s->arena, name), sql_text(s->arena, name))) {
        pg_fail(s->session, "42P07", -1, "relation \"%s\" already exists", name);
        return false;
    }
    if (!relation->ledger && *columns &&
        catalog_run(s->database, "CREATE UNIQUE INDEX %s ON %s(%s)", sql_name(s->arena, name),
                    sql_name(s->arena, relation->key), quoted_columns(s, columns)) != SQLITE_OK) {
        pg_fail(s->session, "23505", -1, "could not create unique index \"%s\"", name);
        const char *pair = catalog_text(s->database, s->arena,
                                        "SELECT group_concat(v, ', ') FROM (SELECT pg_concat(%s) AS v FROM %s GROUP BY"
                                        " %s HAVING count(*) > 1 LIMIT 1)",
                                        quoted_columns(s, columns), sql_name(s->arena, relation->key),
                                        quoted_columns(s, columns));
        pg_detail(s->session, "Key (%s)=(%s) is duplicated.", columns, pair ? pair : "");
        return false;
    }
    catalog_run(s->database, "INSERT INTO pgc_index VALUES(%lld, %lld, %s, 1, %s, %s, %lld)", (long long)oid,
                (long long)relation->oid, sql_text(s->arena, name), sql_text(s->arena, columns),
                sql_text(s->arena, definition), (long long)constraint);
    return true;
}

static bool check_rows(struct statement *s, const struct pg_relation *relation, const char *name, const char *sql)
{
    /* A ledger table may hold millions of rows: enough of them are looked at to find what is common. */
    if (!catalog_int(s->database, 0, "SELECT 1 FROM (SELECT * FROM %s AS %s LIMIT 100000) AS %s WHERE NOT (%s) LIMIT 1",
                     sql_name(s->arena, relation->key), sql_name(s->arena, relation->name),
                     sql_name(s->arena, relation->name), sql))
        return true;
    pg_fail(s->session, "23514", -1, "check constraint \"%s\" of relation \"%s\" is violated by some row", name,
            relation->name);
    return false;
}

static bool add_check(struct statement *s, struct pg_relation *relation, const cJSON *node, const char *column)
{
    struct translation t = statement_translation(s);
    struct pg_scope scope = {0};
    struct pg_source source = {.alias = relation->name, .relation = relation, .n_columns = relation->n_attributes};
    source.columns = ARENA_ARRAY(s->arena, struct pg_column, relation->n_attributes + 1);
    for (int i = 0; i < relation->n_attributes; i++)
        source.columns[i] = (struct pg_column){relation->attributes[i].name, relation->attributes[i].type,
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
    const char *definition = arena_printf(s->arena, *expression == '(' ? "CHECK (%s)%s" : "CHECK ((%s))%s", expression,
                                          node_true(node, "skip_validation") ? " NOT VALID" : "");
    catalog_run(s->database, "INSERT INTO pgc_constraint VALUES(%lld, %lld, %s, 'c', '', %s, %s, NULL, NULL)",
                (long long)next_oid(s->database), (long long)relation->oid, sql_text(s->arena, name),
                sql_text(s->arena, definition), sql_text(s->arena, sql));
    return true;
}

static bool add_foreign(struct statement *s, struct pg_relation *relation, const cJSON *node, const char *columns)
{
    const cJSON *target_node = node_get(node, "pktable");
    const char *schema = node_text(target_node, "schemaname");
    struct pg_relation *target = catalog_find(s->database, s->arena, *schema ? schema : NULL,
                                              node_text(target_node, "relname"));
    if (!target) {
        pg_fail(s->session, "42P01", -1, "relation \"%s\" does not exist", node_text(target_node, "relname"));
        return false;
    }
    const char *target_columns = name_list(s, node_get(node, "pk_attrs"), false);
    if (!*target_columns) {
        target_columns = catalog_text(s->database, s->arena,
                                      "SELECT columns FROM pgc_constraint WHERE relation = %lld AND kind = 'p'",
                                      (long long)target->oid);
        if (!target_columns) {
            pg_fail(s->session, "42704", -1, "there is no primary key for referenced table \"%s\"", target->name);
            return false;
        }
    }
    const char *name = *node_text(node, "conname") ? node_text(node, "conname")
                                                   : free_name(s, relation->name, columns, "fkey");
    const char *action = node_text(node, "fk_del_action");
    const char *on_delete = *action == 'c' ? " ON DELETE CASCADE" : *action == 'n' ? " ON DELETE SET NULL" : "";
    const char *definition =
        arena_printf(s->arena, "FOREIGN KEY (%s) REFERENCES %s(%s)%s", columns, target->key, target_columns, on_delete);
    catalog_run(s->database, "INSERT INTO pgc_constraint VALUES(%lld, %lld, %s, 'f', %s, %s, %lld, %s, '%c')",
                (long long)next_oid(s->database), (long long)relation->oid, sql_text(s->arena, name),
                sql_text(s->arena, columns), sql_text(s->arena, definition), (long long)target->oid,
                sql_text(s->arena, target_columns), *action ? *action : 'a');
    return true;
}

static bool add_key(struct statement *s, struct pg_relation *relation, const cJSON *node, bool primary,
                    const char *columns)
{
    if (!columns_exist(s, relation, columns, "key"))
        return false;
    if (primary && catalog_int(s->database, 0, "SELECT count(*) FROM pgc_constraint WHERE relation = %lld AND kind = 'p'",
                               (long long)relation->oid)) {
        pg_fail(s->session, "42P16", -1, "multiple primary keys for table \"%s\" are not allowed", relation->name);
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
            catalog_run(s->database, "UPDATE pgc_column SET not_null = 1 WHERE relation = %lld AND name = %s",
                        (long long)relation->oid, sql_text(s->arena, column));
            relation->attributes[catalog_attribute(relation, column)].not_null = true;
        }
    }
    const char *list = arena_str(s->arena, buf_text(&shown));
    buf_release(&shown);
    const char *definition = arena_printf(s->arena, "CREATE UNIQUE INDEX %s ON %s.%s USING btree (%s)",
                                          pg_ident(s->arena, name), relation->schema, pg_ident(s->arena, relation->name),
                                          list);
    if (!add_unique(s, relation, name, columns, oid, definition))
        return false;
    catalog_run(s->database, "INSERT INTO pgc_constraint VALUES(%lld, %lld, %s, '%c', %s, %s, NULL, NULL, NULL)",
                (long long)oid, (long long)relation->oid, sql_text(s->arena, name), primary ? 'p' : 'u',
                sql_text(s->arena, columns),
                sql_text(s->arena, arena_printf(s->arena, "%s (%s)", primary ? "PRIMARY KEY" : "UNIQUE", list)));
    return true;
}

bool add_constraint(struct statement *s, struct pg_relation *relation, const cJSON *node, const char *column)
{
    const char *kind = node_text(node, "contype"), *name = node_text(node, "conname");
    const char *keys = column ? column : name_list(s, node_get(node, "keys"), false);
    if (*name && catalog_int(s->database, 0, "SELECT count(*) FROM pgc_constraint WHERE relation = %lld AND name = %s",
                             (long long)relation->oid, sql_text(s->arena, name))) {
        pg_fail(s->session, "42710", -1, "constraint \"%s\" for relation \"%s\" already exists", name, relation->name);
        return false;
    }
    if (strcmp(kind, "CONSTR_PRIMARY") == 0 || strcmp(kind, "CONSTR_UNIQUE") == 0)
        return add_key(s, relation, node, kind[7] == 'P', keys);
    if (strcmp(kind, "CONSTR_CHECK") == 0)
        return add_check(s, relation, node, column);
    if (strcmp(kind, "CONSTR_FOREIGN") == 0)
        return add_foreign(s, relation, node, column ? column : name_list(s, node_get(node, "fk_attrs"), false));
    pg_not_simulated(s->session, node_location(node), "constraints of kind %s", kind);
    return false;
}

/* default_pg and default_sqlite of a DEFAULT expression; false: error. */
static bool default_of(struct statement *s, const cJSON *raw, enum pg_type type, int typmod, const char *column,
                       const char **ret_pg, const char **ret_sqlite)
{
    struct translation t = statement_translation(s);
    t.clause = "DEFAULT";
    const cJSON *inner;
    const char *tag = node_tag(raw, &inner);
    *ret_pg = expression_text(s, raw);
    struct pg_expr e = coerce(&t, translate_expr(&t, raw), type, typmod, COERCE_ASSIGN, column);
    *ret_sqlite = e.sql;
    if (strcmp(tag, "A_Const") == 0 && node_get(inner, "sval"))
        *ret_pg = arena_printf(s->arena, "%s::%s", *ret_pg, pg_types[type].name);
    else if (strcmp(tag, "A_Const") == 0 && node_get(inner, "ival"))
        *ret_pg = catalog_text(s->database, s->arena, "SELECT CAST(%s AS TEXT)", translate_expr(&t, raw).sql);
    return !s->session->error.set;
}

bool add_column(struct statement *s, struct pg_relation *relation, const cJSON *def, bool later)
{
    const char *name = node_text(def, "colname");
    if (catalog_attribute(relation, name) >= 0) {
        pg_fail(s->session, "42701", -1, later ? "column \"%s\" of relation \"%s\" already exists"
                                               : "column \"%s\" specified more than once",
                name, relation->name);
        return false;
    }
    struct translation t = statement_translation(s);
    int typmod;
    bool serial, not_null = false;
    int type = translate_type(&t, node_get(def, "typeName"), &typmod, &serial);
    if (s->session->error.set)
        return false;
    const char *default_pg = NULL, *default_sqlite = NULL;
    const cJSON *item;
    bool identity = false;
    cJSON_ArrayForEach(item, node_get(def, "constraints"))
    {
        const cJSON *constraint = node_get(item, "Constraint");
        const char *kind = node_text(constraint, "contype");
        if (strcmp(kind, "CONSTR_NOTNULL") == 0 || strcmp(kind, "CONSTR_PRIMARY") == 0)
            not_null = true;
        else if (strcmp(kind, "CONSTR_IDENTITY") == 0)
            identity = not_null = true;
        else if (strcmp(kind, "CONSTR_DEFAULT") == 0 &&
                 !default_of(s, node_get(constraint, "raw_expr"), (enum pg_type)type, typmod, name, &default_pg,
                             &default_sqlite))
            return false;
    }
    if (serial || identity) {
        const char *sequence = arena_printf(s->arena, "%s_%s_seq", relation->name, name);
        int64_t oid = create_sequence(s, relation->schema, sequence, 1, 1);
        catalog_run(s->database, "UPDATE pgc_sequence SET owner_relation = %lld, owner_column = %s WHERE relation = %lld",
                    (long long)relation->oid, sql_text(s->arena, name), (long long)oid);
        const char *key = key_of(s, relation->schema, sequence);
        default_pg = arena_printf(s->arena, "nextval('%s'::regclass)", key);
        default_sqlite = arena_printf(s->arena, "pg_nextval('%s')", key);
        not_null = true;
    }
    const char *fill = "g";
    if (later && relation->ledger) {
        const char *value = default_sqlite ? catalog_text(s->database, s->arena, "SELECT %s", default_sqlite) : NULL;
        fill = value ? arena_printf(s->arena, "=%s", value) : NULL;
    }
    if (later && not_null && !default_sqlite && relation_count(s->database, relation) > 0) {
        pg_fail(s->session, "23502", -1, "column \"%s\" of relation \"%s\" contains null values", name, relation->name);
        return false;
    }
    catalog_run(s->database, "INSERT INTO pgc_column SELECT %lld, 1 + ifnull(max(number), 0), %s, %d, %d, %d, %s, %s, %s"
                             " FROM pgc_column WHERE relation = %lld",
                (long long)relation->oid, sql_text(s->arena, name), type, typmod, not_null,
                default_pg ? sql_text(s->arena, default_pg) : "NULL",
                default_sqlite ? sql_text(s->arena, default_sqlite) : "NULL", fill ? sql_text(s->arena, fill) : "NULL",
                (long long)relation->oid);
    if (later && !relation->ledger) {
        catalog_run(s->database, "ALTER TABLE %s ADD COLUMN %s", sql_name(s->arena, relation->key),
                    sql_name(s->arena, name));
        if (default_sqlite)
            catalog_run(s->database, "UPDATE %s SET %s = %s", sql_name(s->arena, relation->key), sql_name(s->arena, name),
                        default_sqlite);
    }
    *relation = *catalog_by_oid(s->database, s->arena, relation->oid);
    return true;
}

static bool column_constraints(struct statement *s, struct pg_relation *relation, const cJSON *def)
{
    const cJSON *item;
    cJSON_ArrayForEach(item, node_get(def, "constraints"))
    {
        const cJSON *constraint = node_get(item, "Constraint");
        const char *kind = node_text(constraint, "contype");
        if (strcmp(kind, "CONSTR_NOTNULL") == 0 || strcmp(kind, "CONSTR_NULL") == 0 ||
            strcmp(kind, "CONSTR_DEFAULT") == 0 || strcmp(kind, "CONSTR_IDENTITY") == 0)
            continue;
        if (!add_constraint(s, relation, constraint, node_text(def, "colname")))
            return false;
    }
    return true;
}

/* ---- tables ---- */

static bool like_table(struct statement *s, struct pg_relation *relation, const cJSON *clause)
{
    struct pg_relation *model = statement_relation(s, node_get(clause, "relation"), false);
    if (!model)
        return false;
    catalog_run(s->database,
                "INSERT INTO pgc_column SELECT %lld, number, name, type, typmod, not_null, default_pg, default_sqlite, fill"
                " FROM pgc_column WHERE relation = %lld",
                (long long)relation->oid, (long long)model->oid);
    if (model->ledger)
        catalog_run(s->database,
                    "UPDATE pgc_relation SET (ledger, origin, id_column, time_column) = (SELECT ledger, origin, id_column,"
                    " time_column FROM pgc_relation WHERE oid = %lld) WHERE oid = %lld",
                    (long long)model->oid, (long long)relation->oid);
    *relation = *catalog_by_oid(s->database, s->arena, relation->oid);
    return true;
}

static void make_storage(struct statement *s, struct pg_relation *relation)
{
    struct pg_server *server = s->session->server;
    if (strcmp(relation->schema, "public") == 0 && pg_is_traffic_table(server, relation->name) &&
        catalog_attribute(relation, server->id_column) >= 0)
        catalog_run(s->database, "UPDATE pgc_relation SET ledger = 1, origin = name, id_column = %s, time_column = %s"
                                 " WHERE oid = %lld",
                    sql_text(s->arena, server->id_column), sql_text(s->arena, server->time_column),
                    (long long)relation->oid);
    *relation = *catalog_by_oid(s->database, s->arena, relation->oid);
    if (relation->ledger) {
        dataset_create_table(pg_database_contents(s->database), relation->key);
        rows_create(s->database, relation);
        return;
    }
    struct buf columns;
    buf_init(&columns, 1 << 18);
    for (int i = 0; i < relation->n_attributes; i++)
        buf_printf(&columns, "%s%s", i ? ", " : "", sql_name(s->arena, relation->attributes[i].name));
    catalog_run(s->database, "CREATE TABLE %s(%s)", sql_name(s->arena, relation->key),
                columns.len ? columns.at : "pg_none");
    buf_release(&columns);
}

void run_create_table(struct statement *s)
{
    const cJSON *range = node_get(s->node, "relation"), *item;
    const char *schema = schema_of(range), *name = node_text(range, "relname");
    if (!schema_exists(s, schema, node_location(range)))
        return;
    if (exists(s, schema, name, node_true(s->node, "if_not_exists"))) {
        if (!s->session->error.set)
            statement_done(s, "CREATE TABLE");
        return;
    }
    if (node_get(s->node, "partspec") || node_get(s->node, "inhRelations")) {
        pg_not_simulated(s->session, node_location(range), "partitioned and inherited tables");
        return;
    }
    struct pg_relation relation = *catalog_by_oid(s->database, s->arena, add_relation(s, schema, name, 'r', NULL));
    cJSON_ArrayForEach(item, node_get(s->node, "tableElts"))
    {
        const cJSON *def = node_get(item, "ColumnDef"), *like = node_get(item, "TableLikeClause");
        if ((def && !add_column(s, &relation, def, false)) || (like && !like_table(s, &relation, like)))
            return;
    }
    make_storage(s, &relation);
    cJSON_ArrayForEach(item, node_get(s->node, "tableElts"))
    {
        const cJSON *def = node_get(item, "ColumnDef"), *constraint = node_get(item, "Constraint");
        if ((def && !column_constraints(s, &relation, def)) ||
            (constraint && !add_constraint(s, &relation, constraint, NULL)))
            return;
    }
    statement_done(s, "CREATE TABLE");
    statement_changed(s, "table %s created", relation.key);
}

/* CREATE TABLE copy AS SELECT * FROM ledger: the copy holds the same identities. */
static struct pg_relation *whole_ledger(struct statement *s, const cJSON *select, const char **ret_where)
{
    const cJSON *from = node_get(select, "fromClause"), *targets = node_get(select, "targetList");
    const cJSON *range = node_get(cJSON_GetArrayItem(from, 0), "RangeVar");
    const cJSON *value = node_get(node_get(cJSON_GetArrayItem(targets, 0), "ResTarget"), "val");
    const cJSON *fields = node_get(node_get(value, "ColumnRef"), "fields");
    if (!range || cJSON_GetArraySize(from) != 1 || cJSON_GetArraySize(targets) != 1 ||
        !node_get(cJSON_GetArrayItem(fields, 0), "A_Star") || node_get(select, "groupClause") ||
        node_get(select, "limitCount"))
        return NULL;
    const char *schema = node_text(range, "schemaname");
    struct pg_relation *relation = catalog_find(s->database, s->arena, *schema ? schema : NULL, node_text(range, "relname"));
    if (!relation || !relation->ledger)
        return NULL;
    struct translation t = statement_translation(s);
    struct pg_scope scope = {0};
    t.scope = &scope;
    const char *table;
    translate_table(&t, range, &table);
    const cJSON *where = node_get(select, "whereClause");
    *ret_where = arena_printf(s->arena, "SELECT rowid FROM %s%s%s", table, where ? " WHERE " : "",
                              where ? translate_where(&t, where, "WHERE") : "");
    return relation;
}

static int64_t copy_identities(struct statement *s, const struct pg_relation *to, const char *select)
{
    sqlite3_stmt *statement = NULL;
    struct idset rows = {0};
    if (s->session->error.set || sqlite3_prepare_v2(s->database->sqlite, select, -1, &statement, NULL) != SQLITE_OK)
        return 0;
    while (sqlite3_step(statement) == SQLITE_ROW) {
        int64_t id = sqlite3_column_int64(statement, 0);
        idset_add(&rows, id, id + 1);
    }
    sqlite3_finalize(statement);
    dataset_insert_set(pg_database_contents(s->database), to->key, &rows);
    int64_t n = idset_count(&rows);
    idset_release(&rows);
    return n;
}

void run_create_table_as(struct statement *s)
{
    const cJSON *into = node_get(s->node, "into"), *range = node_get(into, "rel");
    const cJSON *select = node_get(node_get(s->node, "query"), "SelectStmt");
    const char *schema = schema_of(range), *name = node_text(range, "relname"), *from;
    bool view = strcmp(node_text(s->node, "objtype"), "OBJECT_MATVIEW") == 0;
    if (!select)
        pg_not_simulated(s->session, -1, "CREATE TABLE AS of this");
    if (!select || !schema_exists(s, schema, node_location(range)))
        return;
    if (exists(s, schema, name, node_true(s->node, "if_not_exists"))) {
        if (!s->session->error.set)
            statement_done(s, "CREATE TABLE AS");
        return;
    }
    struct pg_relation *source = whole_ledger(s, select, &from);
    if (s->session->error.set)
        return;
    int64_t oid = add_relation(s, schema, name, view ? 'm' : 'r', view ? arena_str(s->arena, s->own) : NULL), n = 0;
    if (source) {
        catalog_run(s->database,
                    "INSERT INTO pgc_column SELECT %lld, number, name, type, typmod, 0, NULL, NULL, fill FROM pgc_column"
                    " WHERE relation = %lld",
                    (long long)oid, (long long)source->oid);
        catalog_run(s->database,
                    "UPDATE pgc_relation SET (ledger, origin, id_column, time_column) = (SELECT ledger, origin, id_column,"
                    " time_column FROM pgc_relation WHERE oid = %lld) WHERE oid = %lld",
                    (long long)source->oid, (long long)oid);
        struct pg_relation relation = *catalog_by_oid(s->database, s->arena, oid);
        make_storage(s, &relation);
        /* values that statements gave those rows go along */
        catalog_run(s->database,
                    "INSERT INTO pgc_override SELECT %lld, id, name, value FROM pgc_override WHERE relation = %lld",
                    (long long)oid, (long long)source->oid);
        n = copy_identities(s, &relation, from);
    } else {
        struct translation t = statement_translation(s);
        struct pg_query_text query = translate_select(&t, select);
        if (s->session->error.set)
            return;
        for (int i = 0; i < query.n_columns; i++)
            catalog_run(s->database, "INSERT INTO pgc_column VALUES(%lld, %d, %s, %d, %d, 0, NULL, NULL, 'g')",
                        (long long)oid, i + 1, sql_text(s->arena, query.columns[i].name), (int)query.columns[i].type,
                        query.columns[i].typmod);
        struct pg_relation relation = *catalog_by_oid(s->database, s->arena, oid);
        make_storage(s, &relation);
        if (!node_true(into, "skipData") &&
            catalog_run(s->database, "INSERT INTO %s %s", sql_name(s->arena, relation.key), query.sql) != SQLITE_OK) {
            statement_sqlite_error(s);
            return;
        }
        n = sqlite3_changes64(s->database->sqlite);
    }
    statement_done(s, "SELECT %lld", (long long)n);
    statement_changed(s, "table %s created with %lld rows", name, (long long)n);
}

void drop_relation(struct statement *s, const struct pg_relation *relation)
{
    long long oid = (long long)relation->oid;
    char **sequences = catalog_rows(s->database, s->arena, "SELECT relation FROM pgc_sequence WHERE owner_relation = %lld",
                                    oid);
    for (; *sequences; sequences++) {
        catalog_run(s->database, "DELETE FROM pgc_relation WHERE oid = %s; DELETE FROM pgc_sequence WHERE relation = %s",
                    *sequences, *sequences);
    }
    if (relation->kind == 'v')
        catalog_run(s->database, "DROP VIEW IF EXISTS %s", sql_name(s->arena, relation->key));
    else if (relation->kind != 'S')
        rows_drop(s->database, relation->key);
    if (relation->ledger)
        dataset_drop_table(pg_database_contents(s->database), relation->key);
    catalog_run(s->database,
                "DELETE FROM pgc_relation WHERE oid = %lld; DELETE FROM pgc_column WHERE relation = %lld;"
                "DELETE FROM pgc_constraint WHERE relation = %lld; DELETE FROM pgc_index WHERE relation = %lld;"
                "DELETE FROM pgc_trigger WHERE relation = %lld; DELETE FROM pgc_depends WHERE view = %lld OR"
                " on_relation = %lld; DELETE FROM pgc_sequence WHERE relation = %lld;"
                "DELETE FROM pgc_override WHERE relation = %lld",
                oid, oid, oid, oid, oid, oid, oid, oid, oid);
}

/* ---- views ---- */

static void note_dependencies(struct statement *s, int64_t view, const cJSON *node)
{
    const cJSON *item;
    cJSON_ArrayForEach(item, node)
    {
        if (item->string && strcmp(item->string, "RangeVar") == 0) {
            const char *schema = node_text(item, "schemaname");
            struct pg_relation *relation = catalog_find(s->database, s->arena, *schema ? schema : NULL,
                                                        node_text(item, "relname"));
            if (relation)
                catalog_run(s->database, "INSERT INTO pgc_depends VALUES(%lld, %lld)", (long long)view,
                            (long long)relation->oid);
        } else if (item->child) {
            note_dependencies(s, view, item);
        }
    }
}

void run_view(struct statement *s)
{
    const cJSON *range = node_get(s->node, "view");
    const cJSON *select = node_get(node_get(s->node, "query"), "SelectStmt");
    const char *schema = schema_of(range), *name = node_text(range, "relname");
    struct pg_relation *old = catalog_find(s->database, s->arena, schema, name);
    if (old && (!node_true(s->node, "replace") || old->kind != 'v')) {
        pg_fail(s->session, old->kind == 'v' ? "42P07" : "42809", -1,
                node_true(s->node, "replace") ? "\"%s\" is not a view" : "relation \"%s\" already exists", name);
        return;
    }
    struct translation t = statement_translation(s);
    struct pg_query_text query = translate_select(&t, select);
    if (s->session->error.set)
        return;
    if (old)
        drop_relation(s, old);
    const char *as = strcasestr(arena_str(s->arena, s->own), " as");
    int64_t oid = add_relation(s, schema, name, 'v', as ? arena_str(s->arena, str_trim(str_of(as + 3))) : "");
    for (int i = 0; i < query.n_columns; i++)
        catalog_run(s->database, "INSERT INTO pgc_column VALUES(%lld, %d, %s, %d, %d, 0, NULL, NULL, NULL)",
                    (long long)oid, i + 1, sql_text(s->arena, query.columns[i].name), (int)query.columns[i].type,
                    query.columns[i].typmod);
    note_dependencies(s, oid, select);
    if (catalog_run(s->database, "CREATE VIEW %s AS %s", sql_name(s->arena, key_of(s, schema, name)), query.sql) !=
        SQLITE_OK)
        statement_sqlite_error(s);
    else
        statement_done(s, "CREATE VIEW");
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
                   *column ? pg_ident(s->arena, column) : expression_text(s, node_get(element, "expr")),
                   strcmp(node_text(element, "ordering"), "SORTBY_DESC") == 0 ? " DESC" : "");
    }
    const char *list = arena_str(s->arena, buf_text(&columns)), *text = arena_str(s->arena, buf_text(&shown));
    buf_release(&columns);
    buf_release(&shown);
    if (s->session->error.set)
        return;
    bool unique = node_true(s->node, "unique");
    const char *name = *node_text(s->node, "idxname") ? node_text(s->node, "idxname")
                                                      : free_name(s, relation->name, expression ? "expr" : list, "idx");
    if (catalog_int(s->database, 0, "SELECT count(*) FROM pgc_index WHERE name = %s", sql_text(s->arena, name))) {
        if (node_true(s->node, "if_not_exists")) {
            pg_notice(s->session, "NOTICE", "relation \"%s\" already exists, skipping", name);
            statement_done(s, "CREATE INDEX");
        } else {
            pg_fail(s->session, "42P07", -1, "relation \"%s\" already exists", name);
        }
        return;
    }
    const char *method = *node_text(s->node, "accessMethod") ? node_text(s->node, "accessMethod") : "btree";
    const char *definition = arena_printf(s->arena, "CREATE %sINDEX %s ON %s.%s USING %s (%s)", unique ? "UNIQUE " : "",
                                          pg_ident(s->arena, name), relation->schema,
                                          pg_ident(s->arena, relation->name), method, text);
    if (unique) {
        if (!add_unique(s, relation, name, expression || node_get(s->node, "whereClause") ? "" : list, 0, definition))
            return;
    } else {
        catalog_run(s->database, "INSERT INTO pgc_index VALUES(%lld, %lld, %s, 0, %s, %s, 0)",
                    (long long)next_oid(s->database), (long long)relation->oid, sql_text(s->arena, name),
                    sql_text(s->arena, list), sql_text(s->arena, definition));
    }
    statement_done(s, "CREATE INDEX");
    statement_took(s, relation_count(s->database, relation) * 1000);
}

/* ---- functions and triggers: kept and shown, not run ---- */

void run_function(struct statement *s)
{
    const cJSON *names = node_get(s->node, "funcname"), *item;
    const char *name = node_string(cJSON_GetArrayItem(names, cJSON_GetArraySize(names) - 1));
    const char *language = "sql", *body = "";
    cJSON_ArrayForEach(item, node_get(s->node, "options"))
    {
        const cJSON *option = node_get(item, "DefElem"), *arg = node_get(option, "arg");
        if (strcmp(node_text(option, "defname"), "language") == 0)
            language = node_string(arg);
        if (strcmp(node_text(option, "defname"), "as") == 0)
            body = node_string(cJSON_GetArrayItem(node_get(node_get(arg, "List"), "items"), 0));
    }
    bool procedure = node_true(s->node, "is_procedure");
    bool old = catalog_int(s->database, 0, "SELECT count(*) FROM pgc_function WHERE name = %s", sql_text(s->arena, name));
    if (old && !node_true(s->node, "replace")) {
        pg_fail(s->session, "42723", -1, "function \"%s\" already exists with same argument types", name);
        return;
    }
    if (old)
        catalog_run(s->database, "UPDATE pgc_function SET body = %s, text = %s WHERE name = %s", sql_text(s->arena, body),
                    sql_text(s->arena, arena_str(s->arena, s->own)), sql_text(s->arena, name));
    else
        catalog_run(s->database, "INSERT INTO pgc_function VALUES(%lld, %s, '', '', %s, %s, %s)",
                    (long long)next_oid(s->database), sql_text(s->arena, name), sql_text(s->arena, language),
                    sql_text(s->arena, body), sql_text(s->arena, arena_str(s->arena, s->own)));
    statement_done(s, procedure ? "CREATE PROCEDURE" : "CREATE FUNCTION");
}

void run_trigger(struct statement *s)
{
    struct pg_relation *relation = statement_relation(s, node_get(s->node, "relation"), false);
    if (!relation)
        return;
    const char *name = node_text(s->node, "trigname");
    const cJSON *names = node_get(s->node, "funcname");
    const char *function = node_string(cJSON_GetArrayItem(names, cJSON_GetArraySize(names) - 1));
    if (!catalog_int(s->database, 0, "SELECT count(*) FROM pgc_function WHERE name = %s", sql_text(s->arena, function))) {
        pg_fail(s->session, "42883", -1, "function %s() does not exist", function);
        return;
    }
    if (catalog_int(s->database, 0, "SELECT count(*) FROM pgc_trigger WHERE relation = %lld AND name = %s",
                    (long long)relation->oid, sql_text(s->arena, name))) {
        if (!node_true(s->node, "replace")) {
            pg_fail(s->session, "42710", -1, "trigger \"%s\" for relation \"%s\" already exists", name, relation->name);
            return;
        }
    } else {
        catalog_run(s->database, "INSERT INTO pgc_trigger VALUES(%lld, %lld, %s, %s, %s, 1)",
                    (long long)next_oid(s->database), (long long)relation->oid, sql_text(s->arena, name),
                    sql_text(s->arena, function), sql_text(s->arena, arena_str(s->arena, s->own)));
    }
    statement_done(s, "CREATE TRIGGER");
}
