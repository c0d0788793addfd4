#include <ctype.h>
#include <pg_query.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fakes/postgres/statements.h"
#include "sim/base/xalloc.h"

enum { ROWS_MAX = 200000 };

/* How long a server of ordinary size works (measured on PostgreSQL 15 on one core, rounded). */
#define STATEMENT_NS    (1 * MILLISECOND)
#define SCANNED_ROW_NS  INT64_C(100)

/* ---- transactions: SQLite's savepoint for rows and catalog, a copy of the identities beside ---- */

static void begin(struct pg_session *session)
{
    sqlite3_exec(session->database->sqlite, "SAVEPOINT pg", NULL, NULL, NULL);
    session->before = dataset_copy(pg_database_contents(session->database));
    session->began_us = env_unix_ns(session->server->env) / 1000;
}

static void put_back(struct dataset *now, const struct dataset *before)
{
    for (int i = dataset_tables(now) - 1; i >= 0; i--) {
        if (!dataset_has_table(before, dataset_table(now, i)))
            dataset_drop_table(now, dataset_table(now, i));
    }
    for (int i = 0; i < dataset_tables(before); i++) {
        const char *table = dataset_table(before, i);
        dataset_create_table(now, table);
        struct idset missing = {0}, extra = {0};
        idset_copy(&missing, dataset_rows(before, table));
        idset_subtract(&missing, dataset_rows(now, table));
        idset_copy(&extra, dataset_rows(now, table));
        idset_subtract(&extra, dataset_rows(before, table));
        dataset_insert_set(now, table, &missing);
        dataset_delete_set(now, table, &extra);
        idset_release(&missing);
        idset_release(&extra);
    }
}

static void end_transaction(struct pg_session *session, bool keep)
{
    sqlite3_exec(session->database->sqlite, keep ? "RELEASE pg" : "ROLLBACK TO pg; RELEASE pg", NULL, NULL, NULL);
    if (!keep && session->before)
        put_back(pg_database_contents(session->database), session->before);
    for (int i = 0; i < session->n_moved && !keep; i++)
        catalog_run(session->database, "UPDATE pgc_sequence SET last_value = %lld, is_called = %d WHERE relation = %lld",
                    (long long)session->moved[i].value, session->moved[i].called, (long long)session->moved[i].oid);
    session->n_moved = 0;
    dataset_free(session->before);
    session->before = NULL;
    session->state = PG_IDLE;
    pg_server_changed(session->server);
}

void pg_sequence_moved(struct pg_session *session, int64_t oid, int64_t value, bool called)
{
    int i = 0;
    while (i < session->n_moved && session->moved[i].oid != oid)
        i++;
    if (i == 32)
        return;
    session->moved[i].oid = oid;
    session->moved[i].value = value;
    session->moved[i].called = called;
    if (i == session->n_moved)
        session->n_moved++;
}

void pg_rollback(struct pg_session *session)
{
    if (session->state != PG_IDLE)
        end_transaction(session, false);
}

void pg_begin(struct pg_session *session)
{
    if (session->state == PG_IDLE)
        begin(session);
}

void pg_commit(struct pg_session *session, bool keep)
{
    if (session->state == PG_IDLE)
        end_transaction(session, keep);
    else if (!keep)
        session->state = PG_FAILED;
}

static void run_transaction(struct statement *s)
{
    const char *kind = node_text(s->node, "kind");
    struct pg_session *session = s->session;
    if (strcmp(kind, "TRANS_STMT_BEGIN") == 0 || strcmp(kind, "TRANS_STMT_START") == 0) {
        if (session->state != PG_IDLE && !session->implicit_block)
            pg_notice(session, "WARNING", "there is already a transaction in progress");
        session->implicit_block = false;
        session->state = PG_IN_TRANSACTION;
        statement_done(s, kind[11] == 'B' ? "BEGIN" : "START TRANSACTION");
    } else if (strcmp(kind, "TRANS_STMT_COMMIT") == 0 || strcmp(kind, "TRANS_STMT_ROLLBACK") == 0) {
        bool commit = kind[11] == 'C' && session->state != PG_FAILED;
        if (session->state == PG_IDLE || session->implicit_block)
            pg_notice(session, "WARNING", "there is no transaction in progress");
        if (session->state != PG_IDLE)
            end_transaction(session, commit);
        statement_done(s, commit ? "COMMIT" : "ROLLBACK");
    } else {
        pg_not_simulated(session, -1, "savepoints and two-phase commit");
    }
}

/* ---- results ---- */

void statement_done(struct statement *s, const char *format, ...)
{
    struct pg_result *result = ARENA_NEW(s->arena, struct pg_result);
    va_list args;
    va_start(args, format);
    result->tag = arena_vprintf(s->arena, format, args);
    va_end(args);
    result->took_ns = STATEMENT_NS;
    pg_send(s->session, result);
}

void statement_took(struct statement *s, int64_t ns)
{
    struct pg_message *last = s->session->messages;
    while (last && last->next)
        last = last->next;
    if (last && last->result)
        ((struct pg_result *)(uintptr_t)last->result)->took_ns += ns;
}

struct translation statement_translation(struct statement *s)
{
    return (struct translation){
        .session = s->session, .database = s->database, .arena = s->arena, .text = s->text};
}

void statement_sqlite_error(struct statement *s)
{
    if (s->session->error.set)
        return;
    const char *message = sqlite3_errmsg(s->database->sqlite);
    pg_not_simulated(s->session, -1, "this statement (%s)", message);
}

int statement_rows(struct statement *s, struct pg_query_text query, const char *tag)
{
    sqlite3_stmt *statement = NULL;
    if (s->session->error.set)
        return -1;
    if (sqlite3_prepare_v2(s->database->sqlite, query.sql, -1, &statement, NULL) != SQLITE_OK) {
        statement_sqlite_error(s);
        return -1;
    }
    const char ***rows = NULL;
    int n = 0, cap = 0, code;
    while ((code = sqlite3_step(statement)) == SQLITE_ROW && n < ROWS_MAX) {
        const char **row = ARENA_ARRAY(s->arena, const char *, query.n_columns + 1);
        for (int i = 0; i < query.n_columns; i++)
            row[i] = value_text(s->arena, sqlite3_column_value(statement, i), query.columns[i].type,
                                query.columns[i].typmod);
        XGROW(rows, n, cap);
        rows[n++] = row;
    }
    if (code == SQLITE_ROW)
        pg_not_simulated(s->session, -1, "a result of more than %d rows", ROWS_MAX);
    else if (code != SQLITE_DONE)
        statement_sqlite_error(s);
    sqlite3_finalize(statement);
    if (!s->session->error.set) {
        struct pg_result *result = ARENA_NEW(s->arena, struct pg_result);
        result->has_rows = true;
        result->n_columns = query.n_columns;
        result->columns = query.columns;
        result->n_rows = n;
        result->rows = ARENA_ARRAY(s->arena, const char **, n + 1);
        if (n)
            memcpy(result->rows, rows, sizeof *rows * (size_t)n);
        result->tag = arena_printf(s->arena, "%s %d", tag, n);
        result->took_ns = STATEMENT_NS;
        pg_send(s->session, result);
    }
    free(rows);
    return s->session->error.set ? -1 : n;
}

struct pg_relation *statement_relation(struct statement *s, const cJSON *node, bool if_exists)
{
    const char *schema = node_text(node, "schemaname"), *name = node_text(node, "relname");
    struct pg_relation *relation = catalog_find(s->database, s->arena, *schema ? schema : NULL, name);
    if (relation)
        return relation;
    if (if_exists)
        pg_notice(s->session, "NOTICE", "relation \"%s\" does not exist, skipping", name);
    else
        pg_fail(s->session, "42P01", strcmp(s->kind, "AlterTableStmt") == 0 || strcmp(s->kind, "RenameStmt") == 0 ||
                                             strcmp(s->kind, "TruncateStmt") == 0 || strcmp(s->kind, "CopyStmt") == 0 ||
                                             strcmp(s->kind, "IndexStmt") == 0
                                         ? -1
                                         : node_location(node),
                "relation \"%s%s%s\" does not exist", schema, *schema ? "." : "", name);
    return NULL;
}

void statement_changed(struct statement *s, const char *format, ...)
{
    struct record *record = s->session->server->env->record;
    va_list args;
    va_start(args, format);
    const char *text = arena_vprintf(s->arena, format, args);
    va_end(args);
    if (record && pg_database_serves(s->database) && !s->session->server->starting)
        record_change(record, s->session->server->name, "%s", text);
}

int64_t relation_count(struct pg_database *database, const struct pg_relation *relation)
{
    if (relation->ledger) {
        const struct idset *rows = rows_of(database, relation);
        return rows ? idset_count(rows) : 0;
    }
    struct arena arena = {0};
    int64_t n = catalog_int(database, 0, "SELECT count(*) FROM %s", sql_name(&arena, relation->key));
    arena_release(&arena);
    return n;
}

int64_t next_oid(struct pg_database *database)
{
    return database->next_oid++;
}

/* ---- SELECT, SHOW, EXPLAIN ---- */

/* The rows that a scan of these tables reads: what the time of a query mostly goes with. */
static int64_t scanned_rows(struct statement *s, const cJSON *node)
{
    int64_t n = 0;
    const cJSON *item;
    cJSON_ArrayForEach(item, node)
    {
        if (item->string && strcmp(item->string, "RangeVar") == 0) {
            struct pg_relation *relation = catalog_find(s->database, s->arena,
                                                        *node_text(item, "schemaname") ? node_text(item, "schemaname")
                                                                                       : NULL,
                                                        node_text(item, "relname"));
            if (relation && relation->kind == 'r' && !relation->is_system)
                n += relation_count(s->database, relation);
        } else if (item->child) {
            n += scanned_rows(s, item);
        }
    }
    return n;
}

static void run_select(struct statement *s)
{
    struct translation t = statement_translation(s);
    struct pg_query_text query = translate_select(&t, s->node);
    if (statement_rows(s, query, "SELECT") >= 0) {
        statement_took(s, scanned_rows(s, s->node) * SCANNED_ROW_NS);
        statement_took(s, (int64_t)(t.sleep_s * 1e9));
    }
}

const char *pg_setting(struct pg_session *session, const char *name)
{
    static const char *const settings[][2] = {
        {"server_version", "15.8 (Debian 15.8-1.pgdg120+1)"}, {"server_version_num", "150008"},
        {"max_connections", "100"}, {"wal_level", "replica"}, {"archive_mode", "off"}, {"timezone", "Etc/UTC"},
        {"client_encoding", "UTF8"}, {"server_encoding", "UTF8"}, {"search_path", "\"$user\", public"},
        {"statement_timeout", "0"}, {"lock_timeout", "0"}, {"port", "5432"}, {"hot_standby", "on"},
        {"synchronous_commit", "on"}, {"fsync", "on"}, {"shared_buffers", "128MB"}, {"work_mem", "4MB"},
        {"standard_conforming_strings", "on"}, {"is_superuser", "on"}, {"transaction_isolation", "read committed"},
        {"default_transaction_isolation", "read committed"}, {"log_statement", "none"},
    };
    if (strcmp(name, "data_directory") == 0)
        return session->server->data_directory;
    if (strcmp(name, "default_transaction_read_only") == 0 || strcmp(name, "transaction_read_only") == 0)
        return session->read_only ? "on" : "off";
    for (size_t i = 0; i < sizeof settings / sizeof *settings; i++) {
        if (strcasecmp(name, settings[i][0]) == 0)
            return settings[i][1];
    }
    return NULL;
}

static void run_show(struct statement *s)
{
    const char *name = node_text(s->node, "name"), *value = pg_setting(s->session, name);
    if (!value) {
        pg_fail(s->session, "42704", -1, "unrecognized configuration parameter \"%s\"", name);
        return;
    }
    struct pg_column *column = ARENA_NEW(s->arena, struct pg_column);
    *column = (struct pg_column){strcasecmp(name, "timezone") == 0 ? "TimeZone" : name, PG_TEXT, -1};
    struct pg_query_text query = {arena_printf(s->arena, "SELECT %s", sql_text(s->arena, value)), 1, column};
    if (statement_rows(s, query, "SHOW") >= 0) {
        struct pg_message *last = s->session->messages;
        while (last->next)
            last = last->next;
        ((struct pg_result *)(uintptr_t)last->result)->tag = "SHOW";
    }
}

/* ---- one statement ---- */

static const struct {
    const char *kind;
    void (*run)(struct statement *);
    bool writes;
} kinds[] = {
    {"SelectStmt", run_select, false},          {"TransactionStmt", run_transaction, false},
    {"VariableShowStmt", run_show, false},      {"InsertStmt", run_insert, true},
    {"UpdateStmt", run_update, true},           {"DeleteStmt", run_delete, true},
    {"CreateStmt", run_create_table, true},     {"CreateTableAsStmt", run_create_table_as, true},
    {"ViewStmt", run_view, true},               {"IndexStmt", run_index, true},
    {"CreateSeqStmt", run_sequence, true},      {"DropStmt", run_drop, true},
    {"TruncateStmt", run_truncate, true},       {"CreateFunctionStmt", run_function, true},
    {"CreateTrigStmt", run_trigger, true},      {"AlterTableStmt", run_alter_table, true},
    {"RenameStmt", run_rename, true},           {"CopyStmt", run_copy, false},
};

static bool is_alone(const char *kind)
{
    static const char *const alone[] = {"CreatedbStmt", "DropdbStmt", "VacuumStmt", "AlterSystemStmt", NULL};
    for (int i = 0; alone[i]; i++) {
        if (strcmp(kind, alone[i]) == 0)
            return true;
    }
    return false;
}

static const char *alone_name(const char *kind)
{
    return strcmp(kind, "CreatedbStmt") == 0   ? "CREATE DATABASE"
           : strcmp(kind, "DropdbStmt") == 0   ? "DROP DATABASE"
           : strcmp(kind, "AlterSystemStmt") == 0 ? "ALTER SYSTEM"
                                               : "VACUUM";
}

static void dispatch(struct statement *s)
{
    struct pg_session *session = s->session;
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        if (strcmp(kinds[i].kind, s->kind) != 0)
            continue;
        if (kinds[i].writes && session->read_only) {
            pg_fail(session, "25006", -1, "cannot execute %.*s in a read-only transaction",
                    (int)strcspn(s->own.at, " \t\n("), s->own.at);
            return;
        }
        kinds[i].run(s);
        return;
    }
    if (!run_admin(s))
        pg_not_simulated(session, -1, "statements of kind %s", s->kind);
}

static bool run_statement(struct pg_session *session, const cJSON *raw, const char *text)
{
    struct statement s = {.session = session, .database = session->database, .arena = &session->results, .text = text};
    s.kind = node_tag(node_get(raw, "stmt"), &s.node);
    const cJSON *at = node_get(raw, "stmt_location"), *len = node_get(raw, "stmt_len");
    s.own.at = text + (at ? at->valueint : 0);
    s.own.len = len ? (size_t)len->valueint : strlen(s.own.at);
    s.own = str_trim(s.own);
    bool is_transaction = strcmp(s.kind, "TransactionStmt") == 0;
    const char *transaction = is_transaction ? node_text(s.node, "kind") : "";
    bool ends = strcmp(transaction, "TRANS_STMT_COMMIT") == 0 || strcmp(transaction, "TRANS_STMT_ROLLBACK") == 0;
    if (session->state == PG_FAILED && !ends) {
        pg_fail(session, "25P02", -1,
                "current transaction is aborted, commands ignored until end of transaction block");
        return false;
    }
    if (is_alone(s.kind) && session->state != PG_IDLE) {
        pg_fail(session, "25001", -1, "%s cannot run inside a transaction block", alone_name(s.kind));
        return false;
    }
    bool own = session->state == PG_IDLE && !ends && !is_alone(s.kind);
    if (own)
        begin(session);
    if (session->server->store) {
        free(session->reason);
        session->reason = NULL;
        if (asprintf(&session->reason, "%s: %.*s", session->application, (int)(s.own.len < 200 ? s.own.len : 200),
                     s.own.at) > 0)
            store_because(session->server->store, session->reason);
    }
    session->database->active = session;
    dispatch(&s);
    session->database->active = NULL;
    bool ok = !session->error.set;
    if (own && session->state == PG_IDLE)
        end_transaction(session, ok);
    return ok;
}

static bool run_all(struct pg_session *session, const char *text, const cJSON *statements)
{
    const cJSON *raw;
    int n = cJSON_GetArraySize(statements);
    bool ok = true;
    session->implicit_block = false;
    cJSON_ArrayForEach(raw, statements)
    {
        if (n > 1 && session->state == PG_IDLE) {
            begin(session);
            session->state = PG_IN_TRANSACTION;
            session->implicit_block = true;
        }
        ok = run_statement(session, raw, text);
        if (!ok)
            break;
        if (session->terminated)
            break;
    }
    if (session->implicit_block && session->state != PG_IDLE)
        end_transaction(session, ok);
    else if (!ok && session->state == PG_IN_TRANSACTION)
        session->state = PG_FAILED;
    session->implicit_block = false;
    return ok;
}

bool pg_query(struct pg_session *session, const char *text)
{
    arena_release(&session->results);
    cJSON_Delete(session->tree);
    session->tree = NULL;
    session->messages = NULL;
    session->last_message = &session->messages;
    session->error = (struct pg_error){0};
    session->query = arena_strdup(&session->results, text);
    text = session->query;
    if (session->terminated) {
        pg_fail(session, "57P01", -1, "terminating connection due to administrator command");
        session->error.severity = "FATAL";
        return false;
    }
    PgQueryParseResult parsed = pg_query_parse(text);
    bool ok = false;
    if (parsed.error) {
        pg_fail(session, "42601", parsed.error->cursorpos > 0 ? parsed.error->cursorpos - 1 : -1, "%s",
                parsed.error->message);
        if (strcmp(parsed.error->message, "subquery in FROM must have an alias") == 0)
            pg_hint(session, "For example, FROM (SELECT ...) [AS] foo.");
        if (session->state == PG_IN_TRANSACTION)
            session->state = PG_FAILED;
    } else {
        session->tree = cJSON_Parse(parsed.parse_tree); /* results point into it */
        ok = run_all(session, text, node_get(session->tree, "stmts"));
    }
    pg_query_free_parse_result(parsed);
    return ok;
}
