#include <pg_query.h>
#include <string.h>

#include "fakes/postgres/statements.h"
#include "sim/base/xalloc.h"

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
    catalog_run(
        s->database,
        "INSERT INTO pgc_relation VALUES(%lld, %s, %s, %s, '%c', %s, 0, NULL, NULL, NULL, %s)",
        (long long)oid, sql_text(s->arena, schema), sql_text(s->arena, name),
        sql_text(s->arena, key_of(s, schema, name)), kind, sql_text(s->arena, s->session->user),
        definition ? sql_text(s->arena, definition) : "NULL");
    return oid;
}

int64_t create_sequence(struct statement *s, const char *schema, const char *name, int64_t start,
                        int64_t increment)
{
    int64_t oid = add_relation(s, schema, name, 'S', NULL);
    catalog_run(s->database,
                "INSERT INTO pgc_sequence VALUES(%lld, %lld, 0, %lld, %lld, NULL, NULL)",
                (long long)oid, (long long)start, (long long)increment, (long long)start);
    return oid;
}

static void draw(struct pg_session *session, int64_t oid, int64_t value)
{
    if (session->drawn && session->drawn->oid == oid) {
        session->drawn->value = value;
        return;
    }
    struct pg_drawn *drawn = ARENA_NEW(&session->arena, struct pg_drawn);
    *drawn = (struct pg_drawn){oid, value, session->drawn};
    session->drawn = drawn;
}

bool pg_sequence(struct pg_session *session, const char *name, char what, int64_t value,
                 bool called, int64_t *ret)
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
        catalog_run(
            database,
            "UPDATE pgc_sequence SET last_value = %lld, is_called = %d WHERE relation = %lld",
            (long long)value, called, oid);
        pg_sequence_moved(session, sequence->oid, value, called);
        if (called)
            draw(session, sequence->oid, value);
        *ret = value;
        return true;
    }
    int64_t last =
        catalog_int(database, 1, "SELECT last_value FROM pgc_sequence WHERE relation = %lld", oid);
    bool was_called =
        catalog_int(database, 0, "SELECT is_called FROM pgc_sequence WHERE relation = %lld", oid);
    if (what == 'c') {
        const struct pg_drawn *drawn = session->drawn;
        while (drawn && drawn->oid != sequence->oid)
            drawn = drawn->next;
        if (!drawn)
            pg_fail(session, "55000", -1,
                    "currval of sequence \"%s\" is not yet defined in this session",
                    sequence->name);
        *ret = drawn ? drawn->value : 0;
        return drawn != NULL;
    }
    *ret =
        last + (was_called
                    ? catalog_int(database, 1,
                                  "SELECT increment FROM pgc_sequence WHERE relation = %lld", oid)
                    : 0);
    catalog_run(database,
                "UPDATE pgc_sequence SET last_value = %lld, is_called = 1 WHERE relation = %lld",
                (long long)*ret, oid);
    pg_sequence_moved(session, sequence->oid, *ret, true);
    draw(session, sequence->oid, *ret);
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
    if (catalog_int(s->database, 0, "SELECT count(*) FROM pgc_schema WHERE name = %s",
                    sql_text(s->arena, schema)))
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
    create_sequence(s, schema, name, option_number(options, "start", 1),
                    option_number(options, "increment", 1));
    statement_done(s, "CREATE SEQUENCE");
}

/* ---- columns ---- */

/* default_pg and default_sqlite of a DEFAULT expression; false: error. */
static bool default_of(struct statement *s, const cJSON *raw, enum pg_type type, int typmod,
                       const char *column, const char **ret_pg, const char **ret_sqlite)
{
    struct translation t = statement_translation(s);
    t.clause = "DEFAULT";
    const cJSON *inner;
    const char *tag = node_tag(raw, &inner);
    *ret_pg = expression_text(s, raw);
    struct pg_expr e = coerce(&t, translate_expr(&t, raw), type, typmod, COERCE_ASSIGN, column);
    *ret_sqlite = e.sql;
    if (strcmp(tag, "A_Const") == 0 && node_get(inner, "sval"))
        *ret_pg = arena_printf(s->arena, "%s::%s", *ret_pg,
                               type == PG_ENUM ? catalog_type(s->database, s->arena, type, typmod)
                                               : pg_types[type].name);
    else if (strcmp(tag, "A_Const") == 0 && node_get(inner, "ival"))
        *ret_pg = catalog_text(s->database, s->arena, "SELECT CAST(%s AS TEXT)",
                               translate_expr(&t, raw).sql);
    return !s->session->error.set;
}

bool add_column(struct statement *s, struct pg_relation *relation, const cJSON *def, bool later)
{
    const char *name = node_text(def, "colname");
    if (catalog_attribute(relation, name) >= 0) {
        pg_fail(s->session, "42701", -1,
                later ? "column \"%s\" of relation \"%s\" already exists"
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
                 !default_of(s, node_get(constraint, "raw_expr"), (enum pg_type)type, typmod, name,
                             &default_pg, &default_sqlite))
            return false;
    }
    if (serial || identity) {
        const char *sequence = arena_printf(s->arena, "%s_%s_seq", relation->name, name);
        int64_t oid = create_sequence(s, relation->schema, sequence, 1, 1);
        catalog_run(s->database,
                    "UPDATE pgc_sequence SET owner_relation = %lld, owner_column = %s WHERE "
                    "relation = %lld",
                    (long long)relation->oid, sql_text(s->arena, name), (long long)oid);
        const char *key = key_of(s, relation->schema, sequence);
        default_pg = arena_printf(s->arena, "nextval('%s'::regclass)", key);
        default_sqlite = arena_printf(s->arena, "pg_nextval('%s')", key);
        not_null = true;
    }
    const char *fill = "g";
    if (later && relation->ledger) {
        const char *value = default_sqlite
                                ? catalog_text(s->database, s->arena, "SELECT %s", default_sqlite)
                                : NULL;
        fill = value ? arena_printf(s->arena, "=%s", value) : NULL;
    }
    if (later && not_null && !default_sqlite && relation_count(s->database, relation) > 0) {
        pg_fail(s->session, "23502", -1, "column \"%s\" of relation \"%s\" contains null values",
                name, relation->name);
        return false;
    }
    catalog_run(
        s->database,
        "INSERT INTO pgc_column SELECT %lld, 1 + ifnull(max(number), 0), %s, %d, %d, %d, %s, %s, %s"
        " FROM pgc_column WHERE relation = %lld",
        (long long)relation->oid, sql_text(s->arena, name), type, typmod, not_null,
        default_pg ? sql_text(s->arena, default_pg) : "NULL",
        default_sqlite ? sql_text(s->arena, default_sqlite) : "NULL",
        fill ? sql_text(s->arena, fill) : "NULL", (long long)relation->oid);
    if (later && !relation->ledger) {
        catalog_run(s->database, "ALTER TABLE %s ADD COLUMN %s", sql_name(s->arena, relation->key),
                    sql_name(s->arena, name));
        if (default_sqlite)
            catalog_run(s->database, "UPDATE %s SET %s = %s", sql_name(s->arena, relation->key),
                        sql_name(s->arena, name), default_sqlite);
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
                "INSERT INTO pgc_column SELECT %lld, number, name, type, typmod, not_null, "
                "default_pg, default_sqlite, fill"
                " FROM pgc_column WHERE relation = %lld",
                (long long)relation->oid, (long long)model->oid);
    if (model->ledger)
        catalog_run(s->database,
                    "UPDATE pgc_relation SET (ledger, origin, id_column, time_column) = (SELECT "
                    "ledger, origin, id_column,"
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
        catalog_run(
            s->database,
            "UPDATE pgc_relation SET ledger = 1, origin = name, id_column = %s, time_column = %s"
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
        buf_printf(&columns, "%s%s", i ? ", " : "",
                   sql_name(s->arena, relation->attributes[i].name));
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
    struct pg_relation relation =
        *catalog_by_oid(s->database, s->arena, add_relation(s, schema, name, 'r', NULL));
    cJSON_ArrayForEach(item, node_get(s->node, "tableElts"))
    {
        const cJSON *def = node_get(item, "ColumnDef"), *like = node_get(item, "TableLikeClause");
        if ((def && !add_column(s, &relation, def, false)) ||
            (like && !like_table(s, &relation, like)))
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
static struct pg_relation *whole_ledger(struct statement *s, const cJSON *select,
                                        const char **ret_where)
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
    struct pg_relation *relation =
        catalog_find(s->database, s->arena, *schema ? schema : NULL, node_text(range, "relname"));
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

static int64_t copy_identities(struct statement *s, const struct pg_relation *to,
                               const char *select)
{
    sqlite3_stmt *statement = NULL;
    struct idset rows = {0};
    if (s->session->error.set ||
        sqlite3_prepare_v2(s->database->sqlite, select, -1, &statement, NULL) != SQLITE_OK)
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

/* The ledger hears of the copy, so that what is lost elsewhere is known to be recoverable from
 * here. */
static void note_copy(struct statement *s, const struct pg_relation *copy, const char *origin)
{
    struct pg_server *server = s->session->server;
    if (!pg_database_serves(s->database))
        return;
    struct dataset *rows = dataset_new();
    dataset_create_table(rows, origin);
    dataset_insert_set(rows, origin, dataset_rows(pg_database_contents(s->database), copy->key));
    XGROW(server->copied, server->n_copied, server->cap_copied);
    server->copied[server->n_copied++] = (struct pg_copied){
        s->database, copy->oid,
        store_keep_copy(server->store, arena_printf(&server->arena, "table %s", copy->key), rows)};
}

static void forget_copy(struct statement *s, int64_t oid)
{
    struct pg_server *server = s->session->server;
    for (int i = 0; i < server->n_copied; i++) {
        if (server->copied[i].database != s->database || server->copied[i].oid != oid)
            continue;
        store_forget_copy(server->store, server->copied[i].handle);
        server->copied[i--] = server->copied[--server->n_copied];
    }
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
    int64_t oid = add_relation(s, schema, name, view ? 'm' : 'r',
                               view ? arena_str(s->arena, s->own) : NULL),
            n = 0;
    if (source) {
        catalog_run(s->database,
                    "INSERT INTO pgc_column SELECT %lld, number, name, type, typmod, 0, NULL, "
                    "NULL, fill FROM pgc_column"
                    " WHERE relation = %lld",
                    (long long)oid, (long long)source->oid);
        catalog_run(s->database,
                    "UPDATE pgc_relation SET (ledger, origin, id_column, time_column) = (SELECT "
                    "ledger, origin, id_column,"
                    " time_column FROM pgc_relation WHERE oid = %lld) WHERE oid = %lld",
                    (long long)source->oid, (long long)oid);
        struct pg_relation relation = *catalog_by_oid(s->database, s->arena, oid);
        make_storage(s, &relation);
        /* values that statements gave those rows go along */
        catalog_run(s->database,
                    "INSERT INTO pgc_override SELECT %lld, id, name, value FROM pgc_override WHERE "
                    "relation = %lld",
                    (long long)oid, (long long)source->oid);
        n = copy_identities(s, &relation, from);
        note_copy(s, &relation, relation.origin);
    } else {
        struct translation t = statement_translation(s);
        struct pg_query_text query = translate_select(&t, select);
        if (s->session->error.set)
            return;
        for (int i = 0; i < query.n_columns; i++)
            catalog_run(s->database,
                        "INSERT INTO pgc_column VALUES(%lld, %d, %s, %d, %d, 0, NULL, NULL, 'g')",
                        (long long)oid, i + 1, sql_text(s->arena, query.columns[i].name),
                        (int)query.columns[i].type, query.columns[i].typmod);
        struct pg_relation relation = *catalog_by_oid(s->database, s->arena, oid);
        make_storage(s, &relation);
        if (!node_true(into, "skipData") &&
            catalog_run(s->database, "INSERT INTO %s %s", sql_name(s->arena, relation.key),
                        query.sql) != SQLITE_OK) {
            statement_sqlite_error(s);
            return;
        }
        n = sqlite3_changes64(s->database->sqlite);
    }
    statement_done(s, "SELECT %lld", (long long)n);
    statement_changed(s, "table %s created with %lld rows", name, (long long)n);
}

/* REFRESH MATERIALIZED VIEW: its definition, the statement that made it, is read and run again. */
void run_refresh(struct statement *s)
{
    struct pg_relation *relation = statement_relation(s, node_get(s->node, "relation"), false);
    if (!relation)
        return;
    if (relation->kind != 'm') {
        pg_fail(s->session, "42809", -1, "\"%s\" is not a materialized view", relation->name);
        return;
    }
    if (node_true(s->node, "concurrent") &&
        !catalog_int(s->database, 0,
                     "SELECT count(*) FROM pgc_index WHERE relation = %lld AND is_unique",
                     (long long)relation->oid)) {
        pg_fail(s->session, "55000", -1, "cannot refresh materialized view \"%s.%s\" concurrently",
                relation->schema, relation->name);
        pg_hint(s->session, "Create a unique index with no WHERE clause on one or more columns of "
                            "the materialized view.");
        return;
    }
    if (relation->ledger) {
        pg_not_simulated(s->session, -1, "refreshing a view that holds a whole table of traffic");
        return;
    }
    PgQueryParseResult parsed = pg_query_parse(relation->definition);
    cJSON *tree = parsed.error ? NULL : cJSON_Parse(parsed.parse_tree);
    const cJSON *node = node_get(node_get(cJSON_GetArrayItem(node_get(tree, "stmts"), 0), "stmt"),
                                 "CreateTableAsStmt");
    struct statement own = *s;
    own.node = node;
    own.text = relation->definition;
    struct translation t = statement_translation(&own);
    struct pg_query_text query =
        translate_select(&t, node_get(node_get(node, "query"), "SelectStmt"));
    if (!s->session->error.set) {
        catalog_run(s->database, "DELETE FROM %s", sql_name(s->arena, relation->key));
        if (catalog_run(s->database, "INSERT INTO %s %s", sql_name(s->arena, relation->key),
                        query.sql) != SQLITE_OK)
            statement_sqlite_error(s);
        else
            statement_done(s, "REFRESH MATERIALIZED VIEW");
    }
    cJSON_Delete(tree);
    pg_query_free_parse_result(parsed);
}

void drop_relation(struct statement *s, const struct pg_relation *relation)
{
    long long oid = (long long)relation->oid;
    char **sequences =
        catalog_rows(s->database, s->arena,
                     "SELECT relation FROM pgc_sequence WHERE owner_relation = %lld", oid);
    for (; *sequences; sequences++) {
        catalog_run(
            s->database,
            "DELETE FROM pgc_relation WHERE oid = %s; DELETE FROM pgc_sequence WHERE relation = %s",
            *sequences, *sequences);
    }
    if (relation->kind == 'v')
        catalog_run(s->database, "DROP VIEW IF EXISTS %s", sql_name(s->arena, relation->key));
    else if (relation->kind != 'S')
        rows_drop(s->database, relation->key);
    if (relation->ledger)
        dataset_drop_table(pg_database_contents(s->database), relation->key);
    forget_copy(s, relation->oid);
    catalog_run(
        s->database,
        "DELETE FROM pgc_relation WHERE oid = %lld; DELETE FROM pgc_column WHERE relation = %lld;"
        "DELETE FROM pgc_constraint WHERE relation = %lld; DELETE FROM pgc_index WHERE relation = "
        "%lld;"
        "DELETE FROM pgc_trigger WHERE relation = %lld; DELETE FROM pgc_depends WHERE view = %lld "
        "OR"
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
            struct pg_relation *relation = catalog_find(
                s->database, s->arena, *schema ? schema : NULL, node_text(item, "relname"));
            if (relation)
                catalog_run(s->database, "INSERT INTO pgc_depends VALUES(%lld, %lld)",
                            (long long)view, (long long)relation->oid);
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
                node_true(s->node, "replace") ? "\"%s\" is not a view"
                                              : "relation \"%s\" already exists",
                name);
        return;
    }
    struct translation t = statement_translation(s);
    struct pg_query_text query = translate_select(&t, select);
    if (s->session->error.set)
        return;
    if (old)
        drop_relation(s, old);
    const char *as = strcasestr(arena_str(s->arena, s->own), " as");
    int64_t oid =
        add_relation(s, schema, name, 'v', as ? arena_str(s->arena, str_trim(str_of(as + 3))) : "");
    for (int i = 0; i < query.n_columns; i++)
        catalog_run(s->database,
                    "INSERT INTO pgc_column VALUES(%lld, %d, %s, %d, %d, 0, NULL, NULL, NULL)",
                    (long long)oid, i + 1, sql_text(s->arena, query.columns[i].name),
                    (int)query.columns[i].type, query.columns[i].typmod);
    note_dependencies(s, oid, select);
    if (catalog_run(s->database, "CREATE VIEW %s AS %s",
                    sql_name(s->arena, key_of(s, schema, name)), query.sql) != SQLITE_OK)
        statement_sqlite_error(s);
    else
        statement_done(s, "CREATE VIEW");
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
    bool old = catalog_int(s->database, 0, "SELECT count(*) FROM pgc_function WHERE name = %s",
                           sql_text(s->arena, name));
    if (old && !node_true(s->node, "replace")) {
        pg_fail(s->session, "42723", -1, "function \"%s\" already exists with same argument types",
                name);
        return;
    }
    if (old)
        catalog_run(s->database, "UPDATE pgc_function SET body = %s, text = %s WHERE name = %s",
                    sql_text(s->arena, body), sql_text(s->arena, arena_str(s->arena, s->own)),
                    sql_text(s->arena, name));
    else
        catalog_run(s->database, "INSERT INTO pgc_function VALUES(%lld, %s, '', '', %s, %s, %s)",
                    (long long)next_oid(s->database), sql_text(s->arena, name),
                    sql_text(s->arena, language), sql_text(s->arena, body),
                    sql_text(s->arena, arena_str(s->arena, s->own)));
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
    if (!catalog_int(s->database, 0, "SELECT count(*) FROM pgc_function WHERE name = %s",
                     sql_text(s->arena, function))) {
        pg_fail(s->session, "42883", -1, "function %s() does not exist", function);
        return;
    }
    if (catalog_int(s->database, 0,
                    "SELECT count(*) FROM pgc_trigger WHERE relation = %lld AND name = %s",
                    (long long)relation->oid, sql_text(s->arena, name))) {
        if (!node_true(s->node, "replace")) {
            pg_fail(s->session, "42710", -1, "trigger \"%s\" for relation \"%s\" already exists",
                    name, relation->name);
            return;
        }
    } else {
        catalog_run(s->database, "INSERT INTO pgc_trigger VALUES(%lld, %lld, %s, %s, %s, 1)",
                    (long long)next_oid(s->database), (long long)relation->oid,
                    sql_text(s->arena, name), sql_text(s->arena, function),
                    sql_text(s->arena, arena_str(s->arena, s->own)));
    }
    statement_done(s, "CREATE TRIGGER");
}
