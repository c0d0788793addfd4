/* The views of pg_catalog and information_schema: SQLite views over the catalog's tables where they
 * show the database's own objects, and tables filled when a statement reads them where they show
 * the server. */
#include <stdlib.h>
#include <string.h>

#include "fakes/postgres/rows.h"

struct system_view {
    const char *schema, *name;
    const char *columns; /* "name type, ..." */
    const char *select;  /* NULL: filled by catalog_refresh */
};

#define USER_RELATION " r.schema NOT IN ('pg_catalog', 'information_schema')"

static const struct system_view views[] = {
    {"pg_catalog", "pg_class",
     "oid oid, relname name, relnamespace oid, relkind char, relowner oid, reltuples float4, "
     "relpages int4,"
     " relhasindex bool, relispartition bool",
     "SELECT r.oid, r.name, (SELECT s.rowid FROM pgc_schema s WHERE s.name = r.schema), r.kind, "
     "10, -1, 0,"
     " EXISTS (SELECT 1 FROM pgc_index i WHERE i.relation = r.oid), 0 FROM pgc_relation r"
     " UNION ALL SELECT i.oid, i.name, 1, 'i', 10, -1, 0, 0, 0 FROM pgc_index i"},
    {"pg_catalog", "pg_namespace", "oid oid, nspname name, nspowner oid",
     "SELECT rowid, name, 10 FROM pgc_schema"},
    {"pg_catalog", "pg_tables",
     "schemaname name, tablename name, tableowner name, tablespace name, hasindexes bool, hasrules "
     "bool,"
     " hastriggers bool, rowsecurity bool",
     "SELECT r.schema, r.name, r.owner, NULL, EXISTS (SELECT 1 FROM pgc_index i WHERE i.relation = "
     "r.oid), 0,"
     " EXISTS (SELECT 1 FROM pgc_trigger t WHERE t.relation = r.oid), 0 FROM pgc_relation r WHERE "
     "r.kind = 'r'"},
    {"pg_catalog", "pg_views", "schemaname name, viewname name, viewowner name, definition text",
     "SELECT r.schema, r.name, r.owner, r.definition FROM pgc_relation r WHERE r.kind = 'v' "
     "AND" USER_RELATION},
    {"pg_catalog", "pg_matviews",
     "schemaname name, matviewname name, matviewowner name, definition text",
     "SELECT r.schema, r.name, r.owner, r.definition FROM pgc_relation r WHERE r.kind = 'm'"},
    {"pg_catalog", "pg_indexes",
     "schemaname name, tablename name, indexname name, tablespace name, indexdef text",
     "SELECT r.schema, r.name, i.name, NULL, i.definition FROM pgc_index i JOIN pgc_relation r ON "
     "r.oid = i.relation"},
    {"pg_catalog", "pg_sequences",
     "schemaname name, sequencename name, sequenceowner name, last_value int8",
     "SELECT r.schema, r.name, r.owner, CASE WHEN s.is_called THEN s.last_value END FROM "
     "pgc_sequence s"
     " JOIN pgc_relation r ON r.oid = s.relation"},
    {"pg_catalog", "pg_extension", "oid oid, extname name, extversion text",
     "SELECT rowid, name, version FROM pgc_extension"},
    {"pg_catalog", "pg_proc", "oid oid, proname name, pronamespace oid, prosrc text",
     "SELECT oid, name, 1, body FROM pgc_function"},
    {"pg_catalog", "pg_trigger",
     "oid oid, tgname name, tgrelid oid, tgenabled char, tgisinternal bool",
     "SELECT oid, name, relation, CASE WHEN enabled THEN 'O' ELSE 'D' END, 0 FROM pgc_trigger"},
    {"pg_catalog", "pg_attribute",
     "attrelid oid, attname name, attnum int2, attnotnull bool, atthasdef bool, attisdropped bool, "
     "atttypmod int4",
     "SELECT relation, name, number, not_null, default_pg NOTNULL, 0, typmod FROM pgc_column"},
    {"pg_catalog", "pg_index",
     "indexrelid oid, indrelid oid, indisunique bool, indisprimary bool, indisvalid bool, "
     "indisready bool",
     "SELECT i.oid, i.relation, i.is_unique, EXISTS (SELECT 1 FROM pgc_constraint k WHERE k.oid = "
     "i.constraint_oid AND k.kind"
     " = 'p'), 1, 1 FROM pgc_index i"},
    {"pg_catalog", "pg_replication_slots",
     "slot_name name, plugin name, slot_type text, active bool", "SELECT 1, 1, 1, 1 WHERE 0"},
    {"pg_catalog", "pg_type", "oid oid, typname name, typnamespace oid, typtype char",
     "SELECT oid, name, 1, 'e' FROM pgc_type"},
    {"pg_catalog", "pg_enum", "enumtypid oid, enumsortorder float4, enumlabel name",
     "SELECT type, sort, label FROM pgc_enum"},
    {"pg_catalog", "pg_constraint", "oid oid, conname name, contype char, conrelid oid",
     "SELECT oid, name, kind, relation FROM pgc_constraint"},
    {"pg_catalog", "pg_database",
     "oid oid, datname name, datdba oid, encoding int4, datallowconn bool, datistemplate bool, "
     "datconnlimit int4",
     NULL},
    {"pg_catalog", "pg_roles",
     "oid oid, rolname name, rolsuper bool, rolcanlogin bool, rolcreatedb bool", NULL},
    {"pg_catalog", "pg_user", "usename name, usesuper bool, usecreatedb bool", NULL},
    {"pg_catalog", "pg_stat_activity",
     "datid oid, datname name, pid int4, leader_pid int4, usesysid oid, usename name, "
     "application_name text, client_addr inet,"
     " client_hostname text, client_port int4, backend_start timestamptz, xact_start timestamptz, "
     "query_start timestamptz,"
     " state_change timestamptz, wait_event_type text, wait_event text, state text, backend_xid "
     "text, backend_xmin text,"
     " query_id int8, query text, backend_type text",
     NULL},
    {"pg_catalog", "pg_stat_user_tables",
     "relid oid, schemaname name, relname name, seq_scan int8, n_tup_ins int8, n_live_tup int8, "
     "n_dead_tup int8,"
     " last_vacuum timestamptz, last_autovacuum timestamptz, last_analyze timestamptz",
     NULL},
    {"pg_catalog", "pg_stat_database",
     "datid oid, datname name, numbackends int4, xact_commit int8, xact_rollback int8, deadlocks "
     "int8",
     NULL},
    {"pg_catalog", "pg_stat_replication",
     "pid int4, usename name, application_name text, client_addr inet, state text, replay_lsn "
     "pg_lsn, sync_state text",
     NULL},
    {"pg_catalog", "pg_locks",
     "locktype text, database oid, relation oid, pid int4, mode text, granted bool", NULL},
    {"pg_catalog", "pg_settings",
     "name text, setting text, unit text, category text, short_desc text", NULL},
    {"information_schema", "tables",
     "table_catalog name, table_schema name, table_name name, table_type varchar",
     "SELECT pg_current_database(), r.schema, r.name, CASE WHEN r.kind = 'v' OR r.schema <> "
     "'public' THEN"
     " CASE WHEN r.kind = 'v' THEN 'VIEW' ELSE 'BASE TABLE' END ELSE 'BASE TABLE' END FROM "
     "pgc_relation r"
     " WHERE r.kind IN ('r', 'v')"},
    {"information_schema", "columns",
     "table_catalog name, table_schema name, table_name name, column_name name, ordinal_position "
     "int4,"
     " column_default varchar, is_nullable varchar, data_type varchar, character_maximum_length "
     "int4, udt_name name",
     "SELECT pg_current_database(), r.schema, r.name, c.name, c.number, c.default_pg, CASE WHEN "
     "c.not_null THEN 'NO'"
     " ELSE 'YES' END, CASE WHEN c.type = 29 THEN 'USER-DEFINED' ELSE pg_type_name(c.type) END, "
     "CASE WHEN c.type IN (9, 10) AND c.typmod >= 4 THEN c.typmod - 4 END,"
     " CASE WHEN c.type = 29 THEN (SELECT t.name FROM pgc_type t WHERE t.oid = c.typmod) ELSE "
     "pg_type_internal(c.type) END"
     " FROM pgc_column c JOIN pgc_relation r ON r.oid = c.relation"},
    {"information_schema", "views",
     "table_catalog name, table_schema name, table_name name, view_definition varchar",
     "SELECT pg_current_database(), r.schema, r.name, r.definition FROM pgc_relation r WHERE "
     "r.kind = 'v' AND" USER_RELATION},
    {"information_schema", "schemata", "catalog_name name, schema_name name, schema_owner name",
     "SELECT pg_current_database(), name, owner FROM pgc_schema"},
    {"information_schema", "table_constraints",
     "constraint_catalog name, constraint_schema name, constraint_name name, table_schema name, "
     "table_name name,"
     " constraint_type varchar",
     "SELECT pg_current_database(), r.schema, k.name, r.schema, r.name, CASE k.kind WHEN 'p' THEN "
     "'PRIMARY KEY' WHEN 'u'"
     " THEN 'UNIQUE' WHEN 'f' THEN 'FOREIGN KEY' ELSE 'CHECK' END FROM pgc_constraint k JOIN "
     "pgc_relation r"
     " ON r.oid = k.relation"},
    {"information_schema", "key_column_usage",
     "constraint_catalog name, constraint_schema name, constraint_name name, table_schema name, "
     "table_name name,"
     " column_name name, ordinal_position int4",
     "SELECT pg_current_database(), r.schema, k.name, r.schema, r.name, j.value, j.key + 1 FROM "
     "pgc_constraint k JOIN"
     " pgc_relation r ON r.oid = k.relation, json_each('[\"' || replace(k.columns, ',', '\",\"') "
     "|| '\"]') j WHERE k.kind IN"
     " ('p', 'u', 'f')"},
    {"information_schema", "triggers",
     "trigger_catalog name, trigger_schema name, trigger_name name, event_object_table name",
     "SELECT pg_current_database(), r.schema, t.name, r.name FROM pgc_trigger t JOIN pgc_relation "
     "r ON r.oid = t.relation"},
    {"information_schema", "routines",
     "routine_catalog name, routine_schema name, routine_name name, routine_type varchar",
     "SELECT pg_current_database(), 'public', name, 'FUNCTION' FROM pgc_function"},
    {"information_schema", "sequences",
     "sequence_catalog name, sequence_schema name, sequence_name name",
     "SELECT pg_current_database(), r.schema, r.name FROM pgc_relation r WHERE r.kind = 'S'"},
};

static void f_type_name(sqlite3_context *context, int n, sqlite3_value **args)
{
    (void)n;
    int type = sqlite3_value_int(args[0]);
    if (type >= 0 && type < PG_TYPES)
        sqlite3_result_text(context, pg_types[type].name, -1, SQLITE_STATIC);
}

static void f_type_internal(sqlite3_context *context, int n, sqlite3_value **args)
{
    (void)n;
    int type = sqlite3_value_int(args[0]);
    if (type >= 0 && type < PG_TYPES)
        sqlite3_result_text(context, pg_types[type].internal, -1, SQLITE_STATIC);
}

static void create_view(struct pg_database *database, const struct system_view *view, int oid,
                        struct buf *sql, struct arena *arena)
{
    bool in_catalog = strcmp(view->schema, "pg_catalog") == 0;
    const char *key =
        in_catalog ? view->name : arena_printf(arena, "%s.%s", view->schema, view->name);
    struct buf names;
    buf_init(&names, 1 << 14);
    buf_printf(sql,
               "INSERT INTO pgc_relation VALUES(%d, '%s', '%s', '%s', 'v', 'postgres', 0, NULL, "
               "NULL, NULL, '');",
               oid, view->schema, view->name, key);
    struct str rest = str_of(view->columns);
    for (int i = 1; rest.len; i++) {
        struct str column = str_trim(str_cut(&rest, ','));
        struct str name = str_cut(&column, ' ');
        int type = pg_type_of(arena_str(arena, column));
        buf_printf(sql,
                   "INSERT INTO pgc_column VALUES(%d, %d, '%.*s', %d, -1, 0, NULL, NULL, NULL);",
                   oid, i, STR_ARG(name), type < 0 ? PG_TEXT : type);
        buf_printf(&names, "%s\"%.*s\"", i > 1 ? ", " : "", STR_ARG(name));
    }
    if (view->select)
        buf_printf(sql, "CREATE VIEW \"%s\"(%s) AS %s;", key, names.at, view->select);
    else
        buf_printf(sql, "CREATE TABLE \"%s\"(%s);", key, names.at);
    buf_release(&names);
    (void)database;
}

void catalog_functions(struct pg_database *database)
{
    sqlite3_create_function(database->sqlite, "pg_type_name", 1, SQLITE_UTF8, NULL, f_type_name,
                            NULL, NULL);
    sqlite3_create_function(database->sqlite, "pg_type_internal", 1, SQLITE_UTF8, NULL,
                            f_type_internal, NULL, NULL);
}

void catalog_create_views(struct pg_database *database)
{
    struct arena arena = {0};
    struct buf sql;
    buf_init(&sql, 1 << 20);
    buf_puts(&sql, "BEGIN;");
    for (size_t i = 0; i < sizeof views / sizeof *views; i++)
        create_view(database, &views[i], 12000 + (int)i, &sql, &arena);
    buf_puts(&sql, "COMMIT;");
    char *message = NULL;
    if (sqlite3_exec(database->sqlite, sql.at, NULL, NULL, &message) != SQLITE_OK)
        abort(); /* the text above is wrong */
    buf_release(&sql);
    arena_release(&arena);
}

/* ---- what shows the server ---- */

static void fill_databases(struct pg_session *session, struct buf *sql, struct arena *arena)
{
    for (struct pg_database *d = session->server->databases; d; d = d->next)
        buf_printf(sql, "INSERT INTO pg_database VALUES(%d, %s, 10, 6, %d, %d, -1);", d->oid,
                   sql_text(arena, d->name), d->allows_connections, d->is_template);
}

static void fill_roles(struct pg_session *session, struct buf *sql, struct arena *arena)
{
    int oid = 10;
    for (struct pg_role *r = session->server->roles; r; r = r->next)
        buf_printf(sql, "INSERT INTO pg_roles VALUES(%d, %s, %d, 1, %d);", oid++,
                   sql_text(arena, r->name), r->superuser, r->superuser);
}

static void fill_users(struct pg_session *session, struct buf *sql, struct arena *arena)
{
    for (struct pg_role *r = session->server->roles; r; r = r->next)
        buf_printf(sql, "INSERT INTO pg_user VALUES(%s, %d, %d);", sql_text(arena, r->name),
                   r->superuser, r->superuser);
}

static void fill_activity(struct pg_session *session, struct buf *sql, struct arena *arena)
{
    struct pg_server *server = session->server;
    int64_t now_us = env_unix_ns(server->env) / 1000,
            start_us = server->env->start_unix_ns / 1000 - 86400000000;
    static const char *const background[] = {"checkpointer", "background writer", "walwriter",
                                             "autovacuum launcher", "logical replication launcher"};
    for (int i = 0; i < 5; i++)
        buf_printf(sql,
                   "INSERT INTO pg_stat_activity VALUES(NULL, NULL, %d, NULL, NULL, NULL, '', "
                   "NULL, NULL, NULL,"
                   " %lld, NULL, NULL, NULL, 'Activity', NULL, NULL, NULL, NULL, NULL, '', '%s');",
                   27 + i, (long long)start_us, background[i]);
    struct pg_database *serving = pg_database_find(server, server->serving_name);
    for (int i = 0; serving && i < server->n_clients; i++) {
        struct pg_client *client = &server->clients[i];
        int n = pg_client_count(server, client);
        for (int k = 0; k < n && k < 1000; k++)
            buf_printf(
                sql,
                "INSERT INTO pg_stat_activity VALUES(%d, %s, %d, NULL, 16385, %s, %s, "
                "'172.18.0.%d', NULL, 54321,"
                " %lld, NULL, %lld, %lld, 'Client', 'ClientRead', '%s', NULL, NULL, NULL, 'COMMIT',"
                " 'client backend');",
                serving->oid, sql_text(arena, serving->name), 1000 * (i + 1) + k,
                sql_text(arena, client->role ? client->role : server->superuser),
                sql_text(arena, client->service), 5 + i, (long long)start_us,
                (long long)now_us - 50000, (long long)now_us - 49000,
                client->idle_in_transaction ? "idle in transaction" : "idle");
    }
    for (struct pg_session *s = server->sessions; s; s = s->next) {
        if (!s->terminated)
            buf_printf(sql,
                       "INSERT INTO pg_stat_activity VALUES(%d, %s, %d, NULL, 10, %s, %s, NULL, "
                       "NULL, -1, %lld, %lld, %lld,"
                       " %lld, NULL, NULL, '%s', NULL, NULL, NULL, %s, 'client backend');",
                       s->database->oid, sql_text(arena, s->database->name), s->pid,
                       sql_text(arena, s->user), sql_text(arena, s->application),
                       (long long)now_us - 10000, (long long)s->began_us, (long long)now_us,
                       (long long)now_us,
                       s == session                    ? "active"
                       : s->state == PG_FAILED         ? "idle in transaction (aborted)"
                       : s->state == PG_IN_TRANSACTION ? "idle in transaction"
                                                       : "idle",
                       sql_text(arena, s->query ? s->query : ""));
    }
}

static void fill_tables(struct pg_session *session, struct buf *sql, struct arena *arena)
{
    char **oids = catalog_rows(session->database, arena,
                               "SELECT oid FROM pgc_relation WHERE kind = 'r' AND schema NOT IN"
                               " ('pg_catalog', 'information_schema')");
    for (; *oids; oids++) {
        struct pg_relation *relation =
            catalog_by_oid(session->database, arena, strtoll(*oids, NULL, 10));
        int64_t n = 0;
        if (relation->ledger) {
            const struct idset *rows = rows_of(session->database, relation);
            n = rows ? idset_count(rows) : 0;
        } else {
            n = catalog_int(session->database, 0, "SELECT count(*) FROM %s",
                            sql_name(arena, relation->key));
        }
        buf_printf(sql,
                   "INSERT INTO pg_stat_user_tables VALUES(%lld, %s, %s, 0, %lld, %lld, 0, NULL, "
                   "NULL, NULL);",
                   (long long)relation->oid, sql_text(arena, relation->schema),
                   sql_text(arena, relation->name), (long long)n, (long long)n);
    }
}

static void fill_stat_databases(struct pg_session *session, struct buf *sql, struct arena *arena)
{
    for (struct pg_database *d = session->server->databases; d; d = d->next)
        buf_printf(sql, "INSERT INTO pg_stat_database VALUES(%d, %s, %d, 0, 0, 0);", d->oid,
                   sql_text(arena, d->name), pg_database_users(d, NULL));
}

static void fill_settings(struct pg_session *session, struct buf *sql, struct arena *arena)
{
    static const char *const names[] = {"archive_mode",
                                        "data_directory",
                                        "default_transaction_read_only",
                                        "max_connections",
                                        "server_version",
                                        "wal_level",
                                        NULL};
    for (int i = 0; names[i]; i++)
        buf_printf(sql, "INSERT INTO pg_settings VALUES('%s', %s, NULL, '', '');", names[i],
                   sql_text(arena, pg_setting(session, names[i])));
}

void catalog_refresh(struct pg_session *session, const char *view)
{
    static const struct {
        const char *name;
        void (*fill)(struct pg_session *, struct buf *, struct arena *);
    } fills[] = {
        {"pg_database", fill_databases},
        {"pg_roles", fill_roles},
        {"pg_user", fill_users},
        {"pg_stat_activity", fill_activity},
        {"pg_stat_user_tables", fill_tables},
        {"pg_stat_database", fill_stat_databases},
        {"pg_settings", fill_settings},
    };
    for (size_t i = 0; i < sizeof fills / sizeof *fills; i++) {
        if (strcmp(view, fills[i].name) != 0)
            continue;
        struct arena arena = {0};
        struct buf sql;
        buf_init(&sql, 4 << 20);
        buf_printf(&sql, "DELETE FROM \"%s\";", view);
        fills[i].fill(session, &sql, &arena);
        sqlite3_exec(session->database->sqlite, sql.at, NULL, NULL, NULL);
        buf_release(&sql);
        arena_release(&arena);
        return;
    }
}
