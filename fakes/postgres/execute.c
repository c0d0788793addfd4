#include <ctype.h>
#include <pg_query.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fakes/postgres/statements.h"
#include "sim/base/xalloc.h"

enum { ROWS_MAX = 200000 };

/* How long a server of ordinary size works (measured on PostgreSQL 15 on one core, rounded). */
#define STATEMENT_NS   (1 * MILLISECOND)
#define SCANNED_ROW_NS INT64_C(100)

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
    return (struct translation){.session = s->session,
                                .database = s->database,
                                .arena = s->arena,
                                .text = s->text,
                                .root = s->node};
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
    struct pg_relation *relation =
        catalog_find(s->database, s->arena, *schema ? schema : NULL, name);
    if (relation)
        return relation;
    if (if_exists)
        pg_notice(s->session, "NOTICE", "relation \"%s\" does not exist, skipping", name);
    else
        pg_fail(s->session, "42P01",
                strcmp(s->kind, "AlterTableStmt") == 0 || strcmp(s->kind, "RenameStmt") == 0 ||
                        strcmp(s->kind, "TruncateStmt") == 0 || strcmp(s->kind, "CopyStmt") == 0 ||
                        strcmp(s->kind, "IndexStmt") == 0 || strcmp(s->kind, "VacuumStmt") == 0 ||
                        strcmp(s->kind, "ReindexStmt") == 0 || strcmp(s->kind, "GrantStmt") == 0
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
    int64_t n =
        catalog_int(database, 0, "SELECT count(*) FROM %s", sql_name(&arena, relation->key));
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
            struct pg_relation *relation =
                catalog_find(s->database, s->arena,
                             *node_text(item, "schemaname") ? node_text(item, "schemaname") : NULL,
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

/* ---- one statement ---- */

static const struct {
    const char *kind;
    void (*run)(struct statement *);
    bool writes;
} kinds[] = {
    {"SelectStmt", run_select, false},
    {"TransactionStmt", run_transaction, false},
    {"VariableShowStmt", run_show, false},
    {"InsertStmt", run_insert, true},
    {"UpdateStmt", run_update, true},
    {"DeleteStmt", run_delete, true},
    {"RefreshMatViewStmt", run_refresh, true},
    {"CreateStmt", run_create_table, true},
    {"CreateTableAsStmt", run_create_table_as, true},
    {"ViewStmt", run_view, true},
    {"IndexStmt", run_index, true},
    {"CreateSeqStmt", run_sequence, true},
    {"DropStmt", run_drop, true},
    {"TruncateStmt", run_truncate, true},
    {"CreateFunctionStmt", run_function, true},
    {"CreateTrigStmt", run_trigger, true},
    {"AlterTableStmt", run_alter_table, true},
    {"CreateEnumStmt", run_create_enum, true},
    {"AlterEnumStmt", run_alter_enum, true},
    {"RenameStmt", run_rename, true},
    {"CopyStmt", run_copy, false},
};

/* The name of a statement that takes no transaction around it; NULL for all others. */
static const char *alone_name(const char *kind, const cJSON *node)
{
    static const char *const alone[][2] = {{"CreatedbStmt", "CREATE DATABASE"},
                                           {"DropdbStmt", "DROP DATABASE"},
                                           {"AlterSystemStmt", "ALTER SYSTEM"}};
    for (size_t i = 0; i < sizeof alone / sizeof *alone; i++) {
        if (strcmp(kind, alone[i][0]) == 0)
            return alone[i][1];
    }
    if (strcmp(kind, "VacuumStmt") == 0)
        return node_true(node, "is_vacuumcmd") ? "VACUUM" : NULL;
    if (strcmp(kind, "IndexStmt") == 0)
        return node_true(node, "concurrent") ? "CREATE INDEX CONCURRENTLY" : NULL;
    if (strcmp(kind, "DropStmt") == 0)
        return node_true(node, "concurrent") ? "DROP INDEX CONCURRENTLY" : NULL;
    if (strcmp(kind, "ReindexStmt") == 0 &&
        strcmp(node_text(node, "kind"), "REINDEX_OBJECT_DATABASE") == 0)
        return "REINDEX DATABASE";
    return NULL;
}

/* "cannot execute CREATE TABLE ...": the command's tag is its first word in capitals, of DDL the
 * second, too. */
static void read_only(struct statement *s)
{
    struct str rest = s->own;
    struct buf tag;
    buf_init(&tag, 256);
    for (int i = 0; i < 2; i++) {
        size_t n = 0;
        while (n < rest.len && isalpha((unsigned char)rest.at[n]))
            buf_putc(&tag, (char)toupper((unsigned char)rest.at[n++]));
        rest = str_trim((struct str){rest.at + n, rest.len - n});
        if (i == 0 && strcmp(tag.at, "TRUNCATE") == 0)
            buf_puts(&tag, " TABLE");
        if (i == 1 || strcmp(s->kind, "InsertStmt") == 0 || strcmp(s->kind, "UpdateStmt") == 0 ||
            strcmp(s->kind, "DeleteStmt") == 0 || strcmp(s->kind, "TruncateStmt") == 0)
            break;
        buf_putc(&tag, ' ');
    }
    pg_fail(s->session, "25006", -1, "cannot execute %s in a read-only transaction", tag.at);
    buf_release(&tag);
}

static void dispatch(struct statement *s)
{
    struct pg_session *session = s->session;
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        if (strcmp(kinds[i].kind, s->kind) != 0)
            continue;
        if (kinds[i].writes && session->transaction_read_only) {
            read_only(s);
            return;
        }
        kinds[i].run(s);
        return;
    }
    static const char *const harmless[] = {"VariableSetStmt", "LockStmt",    "VacuumStmt",
                                           "CheckPointStmt",  "DiscardStmt", NULL};
    int i = 0;
    while (harmless[i] && strcmp(harmless[i], s->kind) != 0)
        i++;
    if (!harmless[i] && session->transaction_read_only)
        read_only(s);
    else if (!run_admin(s))
        pg_not_simulated(session, -1, "statements of kind %s", s->kind);
}

/* statement_timeout: the last statement's work is undone, and the time until then has passed. */
static void cancel_what_takes_too_long(struct pg_session *session)
{
    int64_t limit_ns = pg_setting_ns(session, "statement_timeout");
    struct pg_message **at = &session->messages;
    while (*at && (*at)->next)
        at = &(*at)->next;
    if (!limit_ns || session->error.set || !*at || !(*at)->result ||
        (*at)->result->took_ns <= limit_ns)
        return;
    *at = NULL;
    session->last_message = at;
    session->waited_ns = limit_ns;
    pg_fail(session, "57014", -1, "canceling statement due to statement timeout");
}

static bool run_statement(struct pg_session *session, const cJSON *raw, const char *text)
{
    struct statement s = {.session = session,
                          .database = session->database,
                          .arena = &session->results,
                          .text = text};
    s.kind = node_tag(node_get(raw, "stmt"), &s.node);
    const cJSON *at = node_get(raw, "stmt_location"), *len = node_get(raw, "stmt_len");
    s.own.at = text + (at ? at->valueint : 0);
    s.own.len = len ? (size_t)len->valueint : strlen(s.own.at);
    s.own = str_trim(s.own);
    bool is_transaction = strcmp(s.kind, "TransactionStmt") == 0;
    const char *transaction = is_transaction ? node_text(s.node, "kind") : "";
    bool ends = strcmp(transaction, "TRANS_STMT_COMMIT") == 0 ||
                strncmp(transaction, "TRANS_STMT_ROLLBACK", 19) == 0;
    if (session->state == PG_FAILED && !ends) {
        pg_fail(session, "25P02", -1,
                "current transaction is aborted, commands ignored until end of transaction block");
        return false;
    }
    const char *alone = alone_name(s.kind, s.node);
    if (alone && session->state != PG_IDLE) {
        pg_fail(session, "25001", -1, "%s cannot run inside a transaction block", alone);
        return false;
    }
    bool database_wide = strcmp(s.kind, "CreatedbStmt") == 0 || strcmp(s.kind, "DropdbStmt") == 0;
    bool own = session->state == PG_IDLE && !ends && !database_wide;
    if (own)
        transaction_begin(session);
    if (session->server->store) {
        free(session->reason);
        session->reason = NULL;
        if (asprintf(&session->reason, "%s: %.*s", session->application,
                     (int)(s.own.len < 200 ? s.own.len : 200), s.own.at) > 0)
            store_because(session->server->store, session->reason);
    }
    session->database->active = session;
    dispatch(&s);
    session->database->active = NULL;
    cancel_what_takes_too_long(session);
    bool ok = !session->error.set;
    if (own && session->state == PG_IDLE)
        transaction_end(session, ok);
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
            transaction_begin(session);
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
        transaction_end(session, ok);
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
    session->waited_ns = 0;
    session->query = arena_strdup(&session->results, text);
    text = session->query;
    if (session->terminated) {
        pg_fail(session, "57P01", -1, "terminating connection due to administrator command");
        session->error.severity = "FATAL";
        return false;
    }
    transaction_message_starts(session);
    PgQueryParseResult parsed = pg_query_parse(text);
    bool ok = false;
    if (parsed.error) {
        pg_fail(session, "42601", parsed.error->cursorpos > 0 ? parsed.error->cursorpos - 1 : -1,
                "%s", parsed.error->message);
        if (strcmp(parsed.error->message, "subquery in FROM must have an alias") == 0)
            pg_hint(session, "For example, FROM (SELECT ...) [AS] foo.");
        if (session->state == PG_IN_TRANSACTION)
            session->state = PG_FAILED;
    } else {
        session->tree = cJSON_Parse(parsed.parse_tree); /* results point into it */
        ok = run_all(session, text, node_get(session->tree, "stmts"));
    }
    pg_query_free_parse_result(parsed);
    transaction_message_ends(session);
    return ok;
}
