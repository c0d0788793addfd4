#include <stdlib.h>
#include <string.h>

#include "fakes/postgres/statements.h"

static const char *option_text(const cJSON *options, const char *name)
{
    const cJSON *item;
    cJSON_ArrayForEach(item, options)
    {
        const cJSON *option = node_get(item, "DefElem"), *arg = node_get(option, "arg");
        if (strcmp(node_text(option, "defname"), name) == 0)
            return node_get(arg, "String") ? node_string(arg) : "";
    }
    return NULL;
}

__attribute__((format(printf, 2, 3))) static void database_changed(struct statement *s,
                                                                   const char *format, ...)
{
    struct pg_server *server = s->session->server;
    va_list args;
    va_start(args, format);
    const char *text = arena_vprintf(s->arena, format, args);
    va_end(args);
    if (server->env->record)
        record_change(server->env->record, server->name, "%s", text);
}

/* ---- databases ---- */

static void others_detail(struct statement *s, int users)
{
    pg_detail(s->session,
              users == 1 ? "There is %d other session using the database."
                         : "There are %d other sessions using the database.",
              users);
}

static void create_database(struct statement *s)
{
    struct pg_server *server = s->session->server;
    const char *name = node_text(s->node, "dbname");
    const cJSON *options = node_get(s->node, "options");
    const char *owner = option_text(options, "owner"), *template = option_text(options, "template");
    struct pg_database *from = template && *template ? pg_database_find(server, template) : NULL;
    if (owner && *owner && !pg_role_find(server, owner)) {
        pg_fail(s->session, "42704", -1, "role \"%s\" does not exist", owner);
    } else if (pg_database_find(server, name)) {
        pg_fail(s->session, "42P04", -1, "database \"%s\" already exists", name);
    } else if (template && *template && !from) {
        pg_fail(s->session, "3D000", -1, "template database \"%s\" does not exist", template);
    } else if (from && pg_database_users(from, s->session) > 0) {
        pg_fail(s->session, "55006", -1, "source database \"%s\" is being accessed by other users",
                template);
        others_detail(s, pg_database_users(from, s->session));
    } else {
        struct pg_database *database =
            pg_database_new(server, name, owner && *owner ? owner : s->session->user);
        if (from && !from->is_template)
            pg_database_clone(database, from);
        database_changed(s, "database %s created", name);
        pg_server_changed(server);
        statement_done(s, "CREATE DATABASE");
        statement_took(s, 100 * MILLISECOND);
    }
}

static void drop_database(struct statement *s)
{
    struct pg_server *server = s->session->server;
    const char *name = node_text(s->node, "dbname");
    struct pg_database *database = pg_database_find(server, name);
    bool force = option_text(node_get(s->node, "options"), "force") != NULL;
    if (!database) {
        if (node_true(s->node, "missing_ok")) {
            pg_notice(s->session, "NOTICE", "database \"%s\" does not exist, skipping", name);
            statement_done(s, "DROP DATABASE");
        } else {
            pg_fail(s->session, "3D000", -1, "database \"%s\" does not exist", name);
        }
        return;
    }
    if (database == s->session->database) {
        pg_fail(s->session, "55006", -1, "cannot drop the currently open database");
        return;
    }
    if (database->is_template) {
        pg_fail(s->session, "42809", -1, "cannot drop a template database");
        return;
    }
    if (force) {
        for (struct pg_session *other = server->sessions; other; other = other->next)
            other->terminated |= other->database == database;
        for (int i = 0; i < server->n_clients && strcmp(name, server->serving_name) == 0; i++)
            server->clients[i].terminated_ns = world_now(server->env->world);
    }
    int users = force ? 0 : pg_database_users(database, s->session);
    if (users) {
        pg_fail(s->session, "55006", -1, "database \"%s\" is being accessed by other users", name);
        others_detail(s, users);
        return;
    }
    for (struct pg_session *other = server->sessions; other; other = other->next) {
        if (other->database == database) /* a cut session must not look at it again */
            other->terminated = true;
    }
    database_changed(s, "database %s dropped", name);
    pg_database_drop(database, s->session->reason ? s->session->reason : "DROP DATABASE");
    statement_done(s, "DROP DATABASE");
    statement_took(s, 50 * MILLISECOND);
}

static void alter_database_set(struct statement *s)
{
    struct pg_server *server = s->session->server;
    const char *name = node_text(s->node, "dbname");
    const cJSON *set = node_get(s->node, "setstmt");
    const char *setting = node_text(set, "name");
    const cJSON *arg = node_get(cJSON_GetArrayItem(node_get(set, "args"), 0), "A_Const");
    if (!pg_database_find(server, name)) {
        pg_fail(s->session, "3D000", -1, "database \"%s\" does not exist", name);
        return;
    }
    if (s->session->transaction_read_only) {
        pg_fail(s->session, "25006", -1,
                "cannot execute ALTER DATABASE in a read-only transaction");
        return;
    }
    if (strcmp(setting, "default_transaction_read_only") == 0 &&
        strcmp(name, server->serving_name) == 0) {
        const char *value = node_text(node_get(arg, "sval"), "sval");
        server->read_only = strcmp(value, "on") == 0 || strcmp(value, "true") == 0;
        if (node_get(arg, "boolval"))
            server->read_only = node_true(node_get(arg, "boolval"), "boolval");
        database_changed(
            s, server->read_only ? "database %s is read-only" : "database %s takes writes", name);
        pg_server_changed(server);
    }
    statement_done(s, "ALTER DATABASE");
}

static void alter_database(struct statement *s)
{
    const char *name = node_text(s->node, "dbname");
    struct pg_database *database = pg_database_find(s->session->server, name);
    const cJSON *item;
    if (!database) {
        pg_fail(s->session, "3D000", -1, "database \"%s\" does not exist", name);
        return;
    }
    cJSON_ArrayForEach(item, node_get(s->node, "options"))
    {
        const cJSON *option = node_get(item, "DefElem"), *arg = node_get(option, "arg");
        if (strcmp(node_text(option, "defname"), "allow_connections") == 0) {
            database->allows_connections = node_get(arg, "Boolean")
                                               ? node_true(node_get(arg, "Boolean"), "boolval")
                                               : strcmp(node_string(arg), "true") == 0;
            database_changed(s,
                             database->allows_connections ? "database %s accepts connections"
                                                          : "database %s accepts no connections",
                             name);
        }
    }
    statement_done(s, "ALTER DATABASE");
}

/* ---- roles, schemas, extensions ---- */

static void role_options(struct pg_role *role, const cJSON *options)
{
    const cJSON *item;
    cJSON_ArrayForEach(item, options)
    {
        const cJSON *option = node_get(item, "DefElem"), *arg = node_get(option, "arg");
        bool on = node_true(node_get(arg, "Boolean"), "boolval");
        if (strcmp(node_text(option, "defname"), "canlogin") == 0)
            role->cannot_login = !on;
        else if (strcmp(node_text(option, "defname"), "superuser") == 0)
            role->superuser = on;
    }
}

static void create_role(struct statement *s)
{
    const char *name = node_text(s->node, "role");
    if (pg_role_find(s->session->server, name)) {
        pg_fail(s->session, "42710", -1, "role \"%s\" already exists", name);
        return;
    }
    struct pg_role *role = pg_role_new(s->session->server, name);
    role->cannot_login = strcmp(node_text(s->node, "stmt_type"), "ROLESTMT_USER") != 0;
    role_options(role, node_get(s->node, "options"));
    statement_done(s, "CREATE ROLE");
}

static void drop_role(struct statement *s)
{
    const cJSON *item;
    struct pg_server *server = s->session->server;
    cJSON_ArrayForEach(item, node_get(s->node, "roles"))
    {
        const char *name = node_text(node_get(item, "RoleSpec"), "rolename");
        struct pg_role *role = pg_role_find(server, name), **at = &server->roles;
        if (!role && node_true(s->node, "missing_ok")) {
            pg_notice(s->session, "NOTICE", "role \"%s\" does not exist, skipping", name);
            continue;
        }
        if (!role) {
            pg_fail(s->session, "42704", -1, "role \"%s\" does not exist", name);
            return;
        }
        if (role->granted) {
            pg_not_simulated(s->session, -1, "dropping a role that has had privileges");
            return;
        }
        while (*at != role)
            at = &(*at)->next;
        *at = role->next;
        free(role->name);
        free(role->password);
        free(role);
    }
    statement_done(s, "DROP ROLE");
}

static void create_schema(struct statement *s)
{
    const char *name = node_text(s->node, "schemaname");
    if (catalog_int(s->database, 0, "SELECT count(*) FROM pgc_schema WHERE name = %s",
                    sql_text(s->arena, name))) {
        if (!node_true(s->node, "if_not_exists")) {
            pg_fail(s->session, "42P06", -1, "schema \"%s\" already exists", name);
            return;
        }
        pg_notice(s->session, "NOTICE", "schema \"%s\" already exists, skipping", name);
    } else {
        catalog_run(s->database, "INSERT INTO pgc_schema VALUES(%s, %s)", sql_text(s->arena, name),
                    sql_text(s->arena, s->session->user));
    }
    statement_done(s, "CREATE SCHEMA");
}

static void create_extension(struct statement *s)
{
    static const char *const known[] = {"plpgsql", "uuid-ossp",          "pgcrypto",
                                        "pg_trgm", "pg_stat_statements", "hstore",
                                        "citext",  "btree_gin",          NULL};
    const char *name = node_text(s->node, "extname");
    int i = 0;
    while (known[i] && strcmp(known[i], name) != 0)
        i++;
    if (!known[i]) {
        pg_fail(s->session, "0A000", -1, "extension \"%s\" is not available", name);
        pg_detail(s->session,
                  "Could not open extension control file "
                  "\"/usr/share/postgresql/15/extension/%s.control\": "
                  "No such file or directory.",
                  name);
        pg_hint(s->session,
                "The extension must first be installed on the system where PostgreSQL is running.");
        return;
    }
    if (catalog_int(s->database, 0, "SELECT count(*) FROM pgc_extension WHERE name = %s",
                    sql_text(s->arena, name))) {
        if (!node_true(s->node, "if_not_exists")) {
            pg_fail(s->session, "42710", -1, "extension \"%s\" already exists", name);
            return;
        }
        pg_notice(s->session, "NOTICE", "extension \"%s\" already exists, skipping", name);
    } else {
        catalog_run(s->database, "INSERT INTO pgc_extension VALUES(%s, '1.0', 'public')",
                    sql_text(s->arena, name));
    }
    statement_done(s, "CREATE EXTENSION");
}

/* ---- maintenance ---- */

static void lock_table(struct statement *s)
{
    const cJSON *item;
    if (s->session->state == PG_IDLE) {
        pg_fail(s->session, "25P01", -1, "LOCK TABLE can only be used in transaction blocks");
        return;
    }
    cJSON_ArrayForEach(item, node_get(s->node, "relations"))
    {
        if (!statement_relation(s, node_get(item, "RangeVar"), false))
            return;
    }
    statement_done(s, "LOCK TABLE");
}

static void vacuum(struct statement *s)
{
    const cJSON *item;
    cJSON_ArrayForEach(item, node_get(s->node, "rels"))
    {
        if (!statement_relation(s, node_get(node_get(item, "VacuumRelation"), "relation"), false))
            return;
    }
    statement_done(s, node_true(s->node, "is_vacuumcmd") ? "VACUUM" : "ANALYZE");
    statement_took(s, 100 * MILLISECOND);
}

static void alter_sequence(struct statement *s)
{
    struct pg_relation *sequence =
        statement_relation(s, node_get(s->node, "sequence"), node_true(s->node, "missing_ok"));
    const cJSON *item;
    cJSON_ArrayForEach(item, node_get(s->node, "options"))
    {
        const cJSON *option = node_get(item, "DefElem"), *arg = node_get(option, "arg");
        const cJSON *number = node_get(node_get(arg, "Integer"), "ival");
        if (sequence && strcmp(node_text(option, "defname"), "restart") == 0)
            catalog_run(
                s->database,
                "UPDATE pgc_sequence SET last_value = %lld, is_called = 0 WHERE relation = %lld",
                number ? (long long)number->valuedouble : 1, (long long)sequence->oid);
        if (sequence && strcmp(node_text(option, "defname"), "owned_by") == 0) {
            const cJSON *names = node_get(node_get(arg, "List"), "items");
            int n = cJSON_GetArraySize(names);
            struct pg_relation *table =
                n > 1 ? catalog_find(s->database, s->arena, NULL,
                                     node_string(cJSON_GetArrayItem(names, n - 2)))
                      : NULL;
            if (table)
                catalog_run(s->database,
                            "UPDATE pgc_sequence SET owner_relation = %lld, owner_column = %s "
                            "WHERE relation ="
                            " %lld",
                            (long long)table->oid,
                            sql_text(s->arena, node_string(cJSON_GetArrayItem(names, n - 1))),
                            (long long)sequence->oid);
        }
    }
    if (!s->session->error.set)
        statement_done(s, "ALTER SEQUENCE");
}

static void alter_owner(struct statement *s)
{
    const char *role = node_text(node_get(s->node, "newowner"), "rolename");
    const char *kind = node_text(s->node, "objectType");
    if (*role && !pg_role_find(s->session->server, role)) {
        pg_fail(s->session, "42704", -1, "role \"%s\" does not exist", role);
        return;
    }
    statement_done(s, "ALTER %s",
                   strcmp(kind, "OBJECT_DATABASE") == 0   ? "DATABASE"
                   : strcmp(kind, "OBJECT_FUNCTION") == 0 ? "FUNCTION"
                   : strcmp(kind, "OBJECT_SCHEMA") == 0   ? "SCHEMA"
                                                          : "TABLE");
}

static void grant(struct statement *s)
{
    const cJSON *item;
    const char *kind = node_text(s->node, "objtype");
    bool on_database = strcmp(kind, "OBJECT_DATABASE") == 0;
    bool on_relation = strcmp(kind, "OBJECT_TABLE") == 0 || strcmp(kind, "OBJECT_SEQUENCE") == 0;
    cJSON_ArrayForEach(item, node_get(s->node, "objects"))
    {
        if (on_database && !pg_database_find(s->session->server, node_string(item)))
            pg_fail(s->session, "3D000", -1, "database \"%s\" does not exist", node_string(item));
        if (on_relation && node_get(item, "RangeVar"))
            statement_relation(s, node_get(item, "RangeVar"), false);
    }
    cJSON_ArrayForEach(item, node_get(s->node, "grantees"))
    {
        const char *name = node_text(node_get(item, "RoleSpec"), "rolename");
        if (*name && !pg_role_find(s->session->server, name))
            pg_fail(s->session, "42704", -1, "role \"%s\" does not exist", name);
        else if (*name && node_true(s->node, "is_grant"))
            pg_role_find(s->session->server, name)->granted = true;
    }
    if (!s->session->error.set)
        statement_done(s, node_true(s->node, "is_grant") ? "GRANT" : "REVOKE");
}

static void grant_role(struct statement *s)
{
    static const char *const lists[][2] = {{"granted_roles", "AccessPriv"},
                                           {"grantee_roles", "RoleSpec"}};
    const cJSON *item;
    for (int i = 0; i < 2; i++) {
        cJSON_ArrayForEach(item, node_get(s->node, lists[i][0]))
        {
            const char *name = node_text(node_get(item, lists[i][1]), i ? "rolename" : "priv_name");
            if (*name && !pg_role_find(s->session->server, name))
                pg_fail(s->session, "42704", -1, "role \"%s\" does not exist", name);
        }
    }
    if (!s->session->error.set)
        statement_done(s, node_true(s->node, "is_grant") ? "GRANT ROLE" : "REVOKE ROLE");
}

static void default_privileges(struct statement *s)
{
    statement_done(s, "ALTER DEFAULT PRIVILEGES");
}

static void comment(struct statement *s)
{
    statement_done(s, "COMMENT");
}

static void checkpoint(struct statement *s)
{
    statement_done(s, "CHECKPOINT");
}

static void reindex(struct statement *s)
{
    const char *kind = node_text(s->node, "kind"),
               *name = node_text(node_get(s->node, "relation"), "relname");
    if (strcmp(kind, "REINDEX_OBJECT_INDEX") == 0) {
        if (!catalog_int(s->database, 0, "SELECT oid FROM pgc_index WHERE name = %s",
                         sql_text(s->arena, name)))
            pg_fail(s->session, "42P01", -1, "relation \"%s\" does not exist", name);
    } else if (strcmp(kind, "REINDEX_OBJECT_TABLE") == 0) {
        statement_relation(s, node_get(s->node, "relation"), false);
    } else if (strcmp(kind, "REINDEX_OBJECT_DATABASE") == 0 &&
               strcmp(node_text(s->node, "name"), s->database->name) != 0) {
        pg_fail(s->session, "0A000", -1, "can only reindex the currently open database");
    }
    if (s->session->error.set)
        return;
    statement_done(s, "REINDEX");
    statement_took(s, SECOND);
}

static void cluster(struct statement *s)
{
    if (node_get(s->node, "relation") &&
        !statement_relation(s, node_get(s->node, "relation"), false))
        return;
    statement_done(s, "CLUSTER");
    statement_took(s, SECOND);
}

static void discard(struct statement *s)
{
    statement_done(s, "DISCARD ALL");
}

static void alter_role(struct statement *s)
{
    const char *name = node_text(node_get(s->node, "role"), "rolename");
    if (*name && !pg_role_find(s->session->server, name))
        pg_fail(s->session, "42704", -1, "role \"%s\" does not exist", name);
    if (s->session->error.set)
        return;
    if (*name)
        role_options(pg_role_find(s->session->server, name), node_get(s->node, "options"));
    statement_done(s, "ALTER ROLE");
}

bool run_admin(struct statement *s)
{
    static const struct {
        const char *kind;
        void (*run)(struct statement *);
    } kinds[] = {
        {"CreatedbStmt", create_database},
        {"DropdbStmt", drop_database},
        {"AlterDatabaseSetStmt", alter_database_set},
        {"AlterDatabaseStmt", alter_database},
        {"CreateRoleStmt", create_role},
        {"DropRoleStmt", drop_role},
        {"AlterRoleStmt", alter_role},
        {"AlterRoleSetStmt", alter_role},
        {"CreateSchemaStmt", create_schema},
        {"CreateExtensionStmt", create_extension},
        {"VariableSetStmt", run_set},
        {"AlterSystemStmt", run_alter_system},
        {"LockStmt", lock_table},
        {"VacuumStmt", vacuum},
        {"AlterSeqStmt", alter_sequence},
        {"AlterOwnerStmt", alter_owner},
        {"GrantStmt", grant},
        {"GrantRoleStmt", grant_role},
        {"CommentStmt", comment},
        {"CheckPointStmt", checkpoint},
        {"ReindexStmt", reindex},
        {"ClusterStmt", cluster},
        {"DiscardStmt", discard},
        {"AlterDefaultPrivilegesStmt", default_privileges},
    };
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        if (strcmp(kinds[i].kind, s->kind) == 0) {
            kinds[i].run(s);
            return true;
        }
    }
    return false;
}
