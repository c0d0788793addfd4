#include <stdlib.h>
#include <string.h>

#include "fakes/postgres/statements.h"

static bool reload(struct statement *s, struct pg_relation *relation)
{
    *relation = *catalog_by_oid(s->database, s->arena, relation->oid);
    return !relation->ledger || rows_create(s->database, relation) == SQLITE_OK;
}

static bool need_column(struct statement *s, const struct pg_relation *relation, const char *name)
{
    if (catalog_attribute(relation, name) >= 0)
        return true;
    pg_fail(s->session, "42703", -1, "column \"%s\" of relation \"%s\" does not exist", name,
            relation->name);
    return false;
}

static const char *view_on(struct statement *s, const struct pg_relation *relation,
                           const char *column)
{
    char **rows = catalog_rows(
        s->database, s->arena,
        "SELECT r.name, r.definition FROM pgc_depends d JOIN pgc_relation r ON r.oid = d.view WHERE"
        " d.on_relation = %lld",
        (long long)relation->oid);
    for (; *rows; rows++) {
        struct str definition = str_of(*rows), name = str_cut(&definition, '\x1f');
        if (str_find(definition, str_of(column)) >= 0 || str_find(definition, STR("*")) >= 0)
            return arena_str(s->arena, name);
    }
    return NULL;
}

static void drop_column(struct statement *s, struct pg_relation *relation, const cJSON *command)
{
    const char *name = node_text(command, "name");
    bool cascade = strcmp(node_text(command, "behavior"), "DROP_CASCADE") == 0;
    if (catalog_attribute(relation, name) < 0 && node_true(command, "missing_ok")) {
        pg_notice(s->session, "NOTICE", "column \"%s\" of relation \"%s\" does not exist, skipping",
                  name, relation->name);
        return;
    }
    if (!need_column(s, relation, name))
        return;
    const char *view = view_on(s, relation, name);
    if (view && !cascade) {
        pg_fail(s->session, "2BP01", -1,
                "cannot drop column %s of table %s because other objects depend on it", name,
                relation->name);
        pg_detail(s->session, "view %s depends on column %s of table %s", view, name,
                  relation->name);
        pg_hint(s->session, "Use DROP ... CASCADE to drop the dependent objects too.");
        return;
    }
    if (view) {
        pg_notice(s->session, "NOTICE", "drop cascades to view %s", view);
        drop_relation(s, catalog_find(s->database, s->arena, NULL, view));
    }
    long long oid = (long long)relation->oid;
    const char *text = sql_text(s->arena, name);
    char **indexes = catalog_rows(s->database, s->arena,
                                  "SELECT name FROM pgc_index WHERE relation = %lld AND ',' || "
                                  "columns || ',' LIKE '%%,' || %s"
                                  " || ',%%'",
                                  oid, text);
    for (; *indexes; indexes++) {
        catalog_run(s->database, "DROP INDEX IF EXISTS %s", sql_name(s->arena, *indexes));
        catalog_run(
            s->database,
            "DELETE FROM pgc_constraint WHERE relation = %lld AND name = %s; DELETE FROM pgc_index"
            " WHERE name = %s",
            oid, sql_text(s->arena, *indexes), sql_text(s->arena, *indexes));
    }
    catalog_run(
        s->database,
        "DELETE FROM pgc_constraint WHERE relation = %lld AND (columns = %s OR (kind = 'c' AND"
        " instr(target, '\".\"' || %s || '\"')));"
        "DELETE FROM pgc_column WHERE relation = %lld AND name = %s",
        oid, text, text, oid, text);
    if (!relation->ledger)
        catalog_run(s->database, "ALTER TABLE %s DROP COLUMN %s", sql_name(s->arena, relation->key),
                    sql_name(s->arena, name));
    statement_changed(s, "column %s of %s dropped", name, relation->key);
}

static void column_type(struct statement *s, struct pg_relation *relation, const cJSON *command)
{
    const char *name = node_text(command, "name");
    const cJSON *def = node_get(node_get(command, "def"), "ColumnDef");
    if (!need_column(s, relation, name))
        return;
    struct translation t = statement_translation(s);
    int typmod;
    int type = translate_type(&t, node_get(def, "typeName"), &typmod, NULL);
    const struct pg_attribute *a = &relation->attributes[catalog_attribute(relation, name)];
    const char *view = view_on(s, relation, name);
    if (view) {
        pg_fail(s->session, "0A000", -1, "cannot alter type of a column used by a view or rule");
        pg_detail(s->session, "rule _RETURN on view %s depends on column \"%s\"", view, name);
        return;
    }
    struct pg_expr e = {.sql = sql_name(s->arena, name),
                        .type = a->type,
                        .typmod = -1,
                        .name = name,
                        .location = -1};
    if (node_get(def, "raw_default")) {
        struct pg_scope scope = {0};
        struct pg_source source = {
            .alias = relation->name, .relation = relation, .n_columns = relation->n_attributes};
        source.columns = ARENA_ARRAY(s->arena, struct pg_column, relation->n_attributes + 1);
        for (int i = 0; i < relation->n_attributes; i++)
            source.columns[i] =
                (struct pg_column){relation->attributes[i].name, relation->attributes[i].type, -1};
        scope.sources = &source;
        t.scope = &scope;
        e = translate_expr(&t, node_get(def, "raw_default"));
    }
    bool automatic = (pg_type_is_number(e.type) && pg_type_is_number((enum pg_type)type)) ||
                     pg_type_is_text((enum pg_type)type) || e.type == (enum pg_type)type ||
                     (pg_type_is_time(e.type) && pg_type_is_time((enum pg_type)type)) ||
                     node_get(def, "raw_default");
    if (pg_types[e.type].category != pg_types[type].category &&
        catalog_int(s->database, 0,
                    "SELECT count(*) FROM pgc_constraint WHERE relation = %lld AND kind = 'c' AND "
                    "instr(definition,"
                    " %s)",
                    (long long)relation->oid, sql_text(s->arena, name)))
        pg_not_simulated(s->session, -1, "changing the type of a column that a CHECK looks at");
    if (!automatic) {
        pg_fail(s->session, "42804", -1, "column \"%s\" cannot be cast automatically to type %s",
                name, pg_types[type].name);
        pg_hint(s->session, "You might need to specify \"USING %s::%s\".", name,
                catalog_type(s->database, s->arena, (enum pg_type)type, typmod));
        return;
    }
    e = coerce(&t, e, (enum pg_type)type, typmod, COERCE_ASSIGN, name);
    if (s->session->error.set)
        return;
    if (!relation->ledger &&
        catalog_run(s->database, "UPDATE %s AS %s SET %s = %s", sql_name(s->arena, relation->key),
                    sql_name(s->arena, relation->name), sql_name(s->arena, name),
                    e.sql) != SQLITE_OK) {
        statement_sqlite_error(s);
        return;
    }
    catalog_run(s->database,
                "UPDATE pgc_column SET type = %d, typmod = %d WHERE relation = %lld AND name = %s",
                type, typmod, (long long)relation->oid, sql_text(s->arena, name));
    statement_took(s, relation_count(s->database, relation) * 2000);
}

static void not_null(struct statement *s, struct pg_relation *relation, const char *name, bool set)
{
    if (!need_column(s, relation, name))
        return;
    if (set && catalog_int(s->database, 0, "SELECT 1 FROM %s WHERE %s IS NULL LIMIT 1",
                           sql_name(s->arena, relation->key), sql_name(s->arena, name))) {
        pg_fail(s->session, "23502", -1, "column \"%s\" of relation \"%s\" contains null values",
                name, relation->name);
        return;
    }
    if (!set &&
        catalog_int(
            s->database, 0,
            "SELECT 1 FROM pgc_constraint WHERE relation = %lld AND kind = 'p' AND instr(',' ||"
            " columns || ',', ',' || %s || ',')",
            (long long)relation->oid, sql_text(s->arena, name))) {
        pg_fail(s->session, "42P16", -1, "column \"%s\" is in a primary key", name);
        return;
    }
    catalog_run(s->database,
                "UPDATE pgc_column SET not_null = %d WHERE relation = %lld AND name = %s", set,
                (long long)relation->oid, sql_text(s->arena, name));
}

static void column_default(struct statement *s, struct pg_relation *relation, const cJSON *command)
{
    const char *name = node_text(command, "name");
    if (!need_column(s, relation, name))
        return;
    const cJSON *def = node_get(command, "def");
    const struct pg_attribute *a = &relation->attributes[catalog_attribute(relation, name)];
    const char *pg = "NULL", *sqlite = "NULL";
    if (def) {
        struct translation t = statement_translation(s);
        t.clause = "DEFAULT";
        struct pg_expr e =
            coerce(&t, translate_expr(&t, def), a->type, a->typmod, COERCE_ASSIGN, name);
        struct str text = s->own;
        ptrdiff_t at = -1;
        for (size_t i = 0; i + 8 <= text.len; i++) {
            if (strncasecmp(text.at + i, " default ", 9) == 0)
                at = (ptrdiff_t)i + 9;
        }
        pg = sql_text(s->arena, at >= 0 ? arena_str(s->arena, (struct str){text.at + at,
                                                                           text.len - (size_t)at})
                                        : e.sql);
        sqlite = sql_text(s->arena, e.sql);
    }
    catalog_run(s->database,
                "UPDATE pgc_column SET default_pg = %s, default_sqlite = %s WHERE relation = %lld "
                "AND name = %s",
                pg, sqlite, (long long)relation->oid, sql_text(s->arena, name));
}

static void drop_constraint(struct statement *s, struct pg_relation *relation, const cJSON *command)
{
    const char *name = node_text(command, "name"), *text = sql_text(s->arena, name);
    bool cascade = strcmp(node_text(command, "behavior"), "DROP_CASCADE") == 0;
    int64_t oid = catalog_int(s->database, 0,
                              "SELECT oid FROM pgc_constraint WHERE relation = %lld AND name = %s",
                              (long long)relation->oid, text);
    if (!oid) {
        if (node_true(command, "missing_ok"))
            pg_notice(s->session, "NOTICE",
                      "constraint \"%s\" of relation \"%s\" does not exist, skipping", name,
                      relation->name);
        else
            pg_fail(s->session, "42704", -1, "constraint \"%s\" of relation \"%s\" does not exist",
                    name, relation->name);
        return;
    }
    const char *user = catalog_text(
        s->database, s->arena,
        "SELECT k.name || ' on table ' || r.name FROM pgc_constraint k JOIN pgc_relation r ON"
        " r.oid = k.relation WHERE k.kind = 'f' AND k.target = %lld AND k.target_columns ="
        " (SELECT columns FROM pgc_constraint WHERE oid = %lld) LIMIT 1",
        (long long)relation->oid, (long long)oid);
    if (user && !cascade) {
        pg_fail(s->session, "2BP01", -1,
                "cannot drop constraint %s on table %s because other objects depend on it", name,
                relation->name);
        pg_detail(s->session, "constraint %s depends on index %s", user, name);
        pg_hint(s->session, "Use DROP ... CASCADE to drop the dependent objects too.");
        return;
    }
    catalog_run(s->database,
                "DROP INDEX IF EXISTS %s; DELETE FROM pgc_constraint WHERE oid = %lld; DELETE FROM "
                "pgc_index"
                " WHERE constraint_oid = %lld",
                sql_name(s->arena, name), (long long)oid, (long long)oid);
}

static void validate(struct statement *s, struct pg_relation *relation, const char *name)
{
    const char *check = catalog_text(
        s->database, s->arena,
        "SELECT target FROM pgc_constraint WHERE relation = %lld AND name = %s AND kind = 'c'",
        (long long)relation->oid, sql_text(s->arena, name));
    if (!check)
        return;
    if (catalog_int(s->database, 0,
                    "SELECT 1 FROM (SELECT * FROM %s LIMIT 100000) AS %s WHERE NOT (%s) LIMIT 1",
                    sql_name(s->arena, relation->key), sql_name(s->arena, relation->name), check)) {
        pg_fail(s->session, "23514", -1,
                "check constraint \"%s\" of relation \"%s\" is violated by some row", name,
                relation->name);
        return;
    }
    catalog_run(s->database,
                "UPDATE pgc_constraint SET definition = replace(definition, ' NOT VALID', '') "
                "WHERE relation ="
                " %lld AND name = %s",
                (long long)relation->oid, sql_text(s->arena, name));
}

static void alter_one(struct statement *s, struct pg_relation *relation, const cJSON *command)
{
    const char *kind = node_text(command, "subtype"), *name = node_text(command, "name");
    const cJSON *def = node_get(command, "def");
    if (strcmp(kind, "AT_AddColumn") == 0) {
        const cJSON *column = node_get(def, "ColumnDef"), *item;
        if (catalog_attribute(relation, node_text(column, "colname")) >= 0 &&
            node_true(command, "missing_ok")) {
            pg_notice(s->session, "NOTICE",
                      "column \"%s\" of relation \"%s\" already exists, skipping",
                      node_text(column, "colname"), relation->name);
            return;
        }
        if (!add_column(s, relation, column, true))
            return;
        reload(s, relation);
        cJSON_ArrayForEach(item, node_get(column, "constraints"))
        {
            const cJSON *constraint = node_get(item, "Constraint");
            const char *type = node_text(constraint, "contype");
            if (strcmp(type, "CONSTR_PRIMARY") == 0 || strcmp(type, "CONSTR_UNIQUE") == 0 ||
                strcmp(type, "CONSTR_CHECK") == 0 || strcmp(type, "CONSTR_FOREIGN") == 0)
                add_constraint(s, relation, constraint, node_text(column, "colname"));
        }
        statement_changed(s, "column %s added to %s", node_text(column, "colname"), relation->key);
    } else if (strcmp(kind, "AT_DropColumn") == 0) {
        drop_column(s, relation, command);
    } else if (strcmp(kind, "AT_AlterColumnType") == 0) {
        column_type(s, relation, command);
    } else if (strcmp(kind, "AT_SetNotNull") == 0 || strcmp(kind, "AT_DropNotNull") == 0) {
        not_null(s, relation, name, kind[3] == 'S');
    } else if (strcmp(kind, "AT_ColumnDefault") == 0) {
        column_default(s, relation, command);
    } else if (strcmp(kind, "AT_AddConstraint") == 0) {
        if (add_constraint(s, relation, node_get(def, "Constraint"), NULL))
            statement_changed(s, "constraint added to %s", relation->key);
    } else if (strcmp(kind, "AT_DropConstraint") == 0) {
        drop_constraint(s, relation, command);
    } else if (strcmp(kind, "AT_ValidateConstraint") == 0) {
        validate(s, relation, name);
    } else if (strstr(kind, "Trig")) {
        bool all = strstr(kind, "All") || strstr(kind, "User");
        catalog_run(
            s->database,
            "UPDATE pgc_trigger SET enabled = %d WHERE relation = %lld AND (%d OR name = %s)",
            strstr(kind, "Enable") != NULL, (long long)relation->oid, all,
            sql_text(s->arena, name));
    } else if (strcmp(kind, "AT_ChangeOwner") == 0) {
        const cJSON *owner = node_get(command, "newowner");
        const char *role = node_text(owner, "rolename");
        if (*role && !pg_role_find(s->session->server, role))
            pg_fail(s->session, "42704", -1, "role \"%s\" does not exist", role);
        else if (*role)
            catalog_run(s->database, "UPDATE pgc_relation SET owner = %s WHERE oid = %lld",
                        sql_text(s->arena, role), (long long)relation->oid);
    } else if (strcmp(kind, "AT_ReplicaIdentity") != 0 && strcmp(kind, "AT_SetStatistics") != 0 &&
               strcmp(kind, "AT_SetRelOptions") != 0 && strcmp(kind, "AT_ClusterOn") != 0) {
        pg_not_simulated(s->session, -1, "ALTER TABLE with %s", kind);
    }
    if (!s->session->error.set)
        reload(s, relation);
}

void run_alter_table(struct statement *s)
{
    bool if_exists = node_true(s->node, "missing_ok");
    const char *kind = node_text(s->node, "objtype");
    const char *tag = strcmp(kind, "OBJECT_VIEW") == 0       ? "ALTER VIEW"
                      : strcmp(kind, "OBJECT_SEQUENCE") == 0 ? "ALTER SEQUENCE"
                      : strcmp(kind, "OBJECT_INDEX") == 0    ? "ALTER INDEX"
                                                             : "ALTER TABLE";
    struct pg_relation *relation = statement_relation(s, node_get(s->node, "relation"), if_exists);
    const cJSON *item;
    if (relation) {
        cJSON_ArrayForEach(item, node_get(s->node, "cmds"))
        {
            alter_one(s, relation, node_get(item, "AlterTableCmd"));
            if (s->session->error.set)
                return;
        }
    }
    if (!s->session->error.set)
        statement_done(s, "%s", tag);
}

/* ---- RENAME ---- */

static void rename_relation(struct statement *s, struct pg_relation *relation, const char *to)
{
    if (catalog_find(s->database, s->arena, relation->schema, to)) {
        pg_fail(s->session, "42P07", -1, "relation \"%s\" already exists", to);
        return;
    }
    const char *key = strcmp(relation->schema, "public") == 0
                          ? to
                          : arena_printf(s->arena, "%s.%s", relation->schema, to);
    catalog_run(s->database, "UPDATE pgc_relation SET name = %s, key = %s WHERE oid = %lld",
                sql_text(s->arena, to), sql_text(s->arena, key), (long long)relation->oid);
    catalog_run(s->database,
                "UPDATE pgc_constraint SET target = replace(target, %s || '.', %s || '.') WHERE "
                "relation = %lld"
                " AND kind = 'c'",
                sql_text(s->arena, sql_name(s->arena, relation->name)),
                sql_text(s->arena, sql_name(s->arena, to)), (long long)relation->oid);
    if (relation->ledger) {
        rows_drop(s->database, relation->key);
        dataset_rename_table(pg_database_contents(s->database), relation->key, key);
        struct pg_relation *renamed = catalog_by_oid(s->database, s->arena, relation->oid);
        rows_create(s->database, renamed);
    } else if (relation->kind == 'r' || relation->kind == 'm') {
        catalog_run(s->database, "ALTER TABLE %s RENAME TO %s", sql_name(s->arena, relation->key),
                    sql_name(s->arena, key));
    } else if (relation->kind == 'v') {
        pg_not_simulated(s->session, -1, "renaming a view");
        return;
    }
    statement_changed(s, "%s renamed to %s", relation->key, key);
}

static void rename_column(struct statement *s, struct pg_relation *relation, const char *from,
                          const char *to)
{
    if (catalog_attribute(relation, from) < 0) {
        pg_fail(s->session, "42703", -1, "column \"%s\" does not exist", from);
        return;
    }
    if (catalog_attribute(relation, to) >= 0) {
        pg_fail(s->session, "42701", -1, "column \"%s\" of relation \"%s\" already exists", to,
                relation->name);
        return;
    }
    catalog_run(s->database, "UPDATE pgc_column SET name = %s WHERE relation = %lld AND name = %s",
                sql_text(s->arena, to), (long long)relation->oid, sql_text(s->arena, from));
    catalog_run(
        s->database,
        "UPDATE pgc_constraint SET columns = trim(replace(',' || columns || ',', ',' || %s || ',',"
        " ',' || %s || ','), ','), target = replace(target, '\".\"' || %s || '\"', '\".\"' || %s "
        "|| '\"')"
        " WHERE relation = %lld",
        sql_text(s->arena, from), sql_text(s->arena, to), sql_text(s->arena, from),
        sql_text(s->arena, to), (long long)relation->oid);
    catalog_run(
        s->database,
        "UPDATE pgc_index SET columns = trim(replace(',' || columns || ',', ',' || %s || ',',"
        " ',' || %s || ','), ',') WHERE relation = %lld",
        sql_text(s->arena, from), sql_text(s->arena, to), (long long)relation->oid);
    catalog_run(s->database,
                "UPDATE pgc_override SET name = %s WHERE relation = %lld AND name = %s",
                sql_text(s->arena, to), (long long)relation->oid, sql_text(s->arena, from));
    if (!relation->ledger)
        catalog_run(s->database, "ALTER TABLE %s RENAME COLUMN %s TO %s",
                    sql_name(s->arena, relation->key), sql_name(s->arena, from),
                    sql_name(s->arena, to));
    reload(s, relation);
    statement_changed(s, "column %s of %s renamed to %s", from, relation->key, to);
}

static void rename_database(struct statement *s, const char *from, const char *to)
{
    struct pg_server *server = s->session->server;
    struct pg_database *database = pg_database_find(server, from);
    int users = database ? pg_database_users(database, s->session) : 0;
    if (!database) {
        pg_fail(s->session, "3D000", -1, "database \"%s\" does not exist", from);
    } else if (pg_database_find(server, to)) {
        pg_fail(s->session, "42P04", -1, "database \"%s\" already exists", to);
    } else if (database == s->session->database) {
        pg_fail(s->session, "0A000", -1, "current database cannot be renamed");
    } else if (users) {
        pg_fail(s->session, "55006", -1, "database \"%s\" is being accessed by other users", from);
        pg_detail(s->session,
                  users == 1 ? "There is %d other session using the database."
                             : "There are %d other sessions using the database.",
                  users);
    } else {
        if (server->env->record)
            record_change(server->env->record, server->name, "database %s renamed to %s", from, to);
        pg_database_rename(database, to);
        statement_done(s, "ALTER DATABASE");
    }
}

void run_rename(struct statement *s)
{
    const char *kind = node_text(s->node, "renameType"), *to = node_text(s->node, "newname");
    const char *from = node_text(s->node, "subname");
    if (strcmp(kind, "OBJECT_DATABASE") == 0) {
        rename_database(s, from, to);
        return;
    }
    if (strcmp(kind, "OBJECT_TYPE") == 0) {
        rename_enum(s);
        return;
    }
    if (strcmp(kind, "OBJECT_INDEX") == 0) {
        const char *name = node_text(node_get(s->node, "relation"), "relname");
        if (!catalog_int(s->database, 0, "SELECT oid FROM pgc_index WHERE name = %s",
                         sql_text(s->arena, name))) {
            if (node_true(s->node, "missing_ok"))
                pg_notice(s->session, "NOTICE", "relation \"%s\" does not exist, skipping", name);
            else
                pg_fail(s->session, "42P01", -1, "relation \"%s\" does not exist", name);
        }
        if (s->session->error.set)
            return;
        catalog_run(s->database, "UPDATE pgc_index SET name = %s WHERE name = %s",
                    sql_text(s->arena, to), sql_text(s->arena, name));
        statement_done(s, "ALTER INDEX");
        return;
    }
    struct pg_relation *relation =
        statement_relation(s, node_get(s->node, "relation"), node_true(s->node, "missing_ok"));
    if (relation && strcmp(kind, "OBJECT_COLUMN") == 0) {
        rename_column(s, relation, from, to);
    } else if (relation && strcmp(kind, "OBJECT_TABCONSTRAINT") == 0) {
        if (!catalog_int(s->database, 0,
                         "SELECT oid FROM pgc_constraint WHERE relation = %lld AND name = %s",
                         (long long)relation->oid, sql_text(s->arena, from)))
            pg_fail(s->session, "42704", -1, "constraint \"%s\" for table \"%s\" does not exist",
                    from, relation->name);
        catalog_run(s->database,
                    "UPDATE pgc_constraint SET name = %s WHERE relation = %lld AND name = %s",
                    sql_text(s->arena, to), (long long)relation->oid, sql_text(s->arena, from));
    } else if (relation &&
               (strcmp(kind, "OBJECT_TABLE") == 0 || strcmp(kind, "OBJECT_SEQUENCE") == 0 ||
                strcmp(kind, "OBJECT_VIEW") == 0)) {
        rename_relation(s, relation, to);
    } else if (relation) {
        pg_not_simulated(s->session, -1, "renaming %s", kind);
    }
    if (!s->session->error.set)
        statement_done(s, strcmp(kind, "OBJECT_SEQUENCE") == 0 ? "ALTER SEQUENCE" : "ALTER TABLE");
}
