/* Transactions and savepoints: SQLite's savepoint for rows and catalog, a copy of the identities
 * beside.
 *
 * Statements take no virtual time by themselves, so what others write comes between two query
 * messages: before anything is undone, and before each message, their rows are carried over into
 * the copies. Undoing keeps them. */
#include <stdlib.h>
#include <string.h>

#include "fakes/postgres/statements.h"
#include "sim/base/xalloc.h"

struct pg_savepoint {
    char *name;
    int number; /* its name in SQLite: names may come twice */
    struct dataset *before;
    struct pg_savepoint *outer;
};

/* `to` gets what `now` has and `was` has not, and loses what is gone since. */
static void carry_over(struct dataset *to, const struct dataset *was, const struct dataset *now)
{
    for (int i = 0; i < dataset_tables(now); i++) {
        const char *table = dataset_table(now, i);
        if (!dataset_has_table(was, table) || !dataset_has_table(to, table))
            continue;
        struct idset more = {0}, less = {0};
        idset_copy(&more, dataset_rows(now, table));
        idset_subtract(&more, dataset_rows(was, table));
        idset_copy(&less, dataset_rows(was, table));
        idset_subtract(&less, dataset_rows(now, table));
        dataset_insert_set(to, table, &more);
        dataset_delete_set(to, table, &less);
        idset_release(&more);
        idset_release(&less);
    }
}

void transaction_message_starts(struct pg_session *session)
{
    if (!session->seen)
        return;
    const struct dataset *now = pg_database_contents(session->database);
    if (session->before)
        carry_over(session->before, session->seen, now);
    for (struct pg_savepoint *s = session->savepoints; s; s = s->outer)
        carry_over(s->before, session->seen, now);
    dataset_free(session->seen);
    session->seen = NULL;
}

void transaction_message_ends(struct pg_session *session)
{
    if (session->state != PG_IDLE && !session->terminated && session->before)
        session->seen = dataset_copy(pg_database_contents(session->database));
}

void transaction_begin(struct pg_session *session)
{
    sqlite3_exec(session->database->sqlite, "SAVEPOINT pg", NULL, NULL, NULL);
    session->before = dataset_copy(pg_database_contents(session->database));
    session->began_us = env_unix_ns(session->server->env) / 1000;
    session->transaction_read_only = session->read_only;
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

/* Sequences stay where they are, whatever is undone. */
static void keep_sequences(struct pg_session *session)
{
    for (int i = 0; i < session->n_moved; i++)
        catalog_run(
            session->database,
            "UPDATE pgc_sequence SET last_value = %lld, is_called = %d WHERE relation = %lld",
            (long long)session->moved[i].value, session->moved[i].called,
            (long long)session->moved[i].oid);
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

static void forget_savepoint(struct pg_session *session)
{
    struct pg_savepoint *s = session->savepoints;
    session->savepoints = s->outer;
    dataset_free(s->before);
    free(s->name);
    free(s);
}

void transaction_end(struct pg_session *session, bool keep)
{
    transaction_message_starts(session);
    while (session->savepoints)
        forget_savepoint(session);
    sqlite3_exec(session->database->sqlite, keep ? "RELEASE pg" : "ROLLBACK TO pg; RELEASE pg",
                 NULL, NULL, NULL);
    if (!keep && session->before)
        put_back(pg_database_contents(session->database), session->before);
    if (!keep)
        keep_sequences(session);
    session->n_moved = 0;
    session->transaction_read_only = false;
    pg_settings_end_transaction(session);
    dataset_free(session->before);
    session->before = NULL;
    session->state = PG_IDLE;
    pg_server_changed(session->server);
}

void pg_rollback(struct pg_session *session)
{
    if (session->state != PG_IDLE)
        transaction_end(session, false);
}

void pg_begin(struct pg_session *session)
{
    if (session->state == PG_IDLE)
        transaction_begin(session);
}

void pg_commit(struct pg_session *session, bool keep)
{
    if (session->state == PG_IDLE)
        transaction_end(session, keep);
    else if (!keep)
        session->state = PG_FAILED;
}

/* ---- savepoints ---- */

static void set_savepoint(struct statement *s, const char *name)
{
    struct pg_session *session = s->session;
    struct pg_savepoint *savepoint = xcalloc(1, sizeof *savepoint);
    savepoint->name = xstrdup(name);
    savepoint->number = session->savepoints ? session->savepoints->number + 1 : 1;
    savepoint->before = dataset_copy(pg_database_contents(session->database));
    savepoint->outer = session->savepoints;
    session->savepoints = savepoint;
    catalog_run(session->database, "SAVEPOINT pg%d", savepoint->number);
    statement_done(s, "SAVEPOINT");
}

/* Those set since then are gone, too; after a rollback it is still there, after a release not. */
static void end_savepoint(struct statement *s, const char *name, bool keep)
{
    struct pg_session *session = s->session;
    struct pg_savepoint *savepoint = session->savepoints;
    while (savepoint && strcmp(savepoint->name, name) != 0)
        savepoint = savepoint->outer;
    if (!savepoint) {
        pg_fail(session, "3B001", -1, "savepoint \"%s\" does not exist", name);
        return;
    }
    while (session->savepoints != savepoint)
        forget_savepoint(session);
    catalog_run(session->database, keep ? "RELEASE pg%d" : "ROLLBACK TO pg%d", savepoint->number);
    if (keep) {
        forget_savepoint(session);
    } else {
        put_back(pg_database_contents(session->database), savepoint->before);
        keep_sequences(session);
        session->state = PG_IN_TRANSACTION;
        pg_server_changed(session->server);
    }
    statement_done(s, keep ? "RELEASE" : "ROLLBACK");
}

static bool run_savepoint(struct statement *s, const char *kind)
{
    static const struct {
        const char *kind, *words;
    } kinds[] = {{"TRANS_STMT_SAVEPOINT", "SAVEPOINT"},
                 {"TRANS_STMT_RELEASE", "RELEASE SAVEPOINT"},
                 {"TRANS_STMT_ROLLBACK_TO", "ROLLBACK TO SAVEPOINT"}};
    int i = 0;
    while (i < 3 && strcmp(kinds[i].kind, kind) != 0)
        i++;
    if (i == 3)
        return false;
    const char *name = node_text(s->node, "savepoint_name");
    if (s->session->state == PG_IDLE || s->session->implicit_block)
        pg_fail(s->session, "25P01", -1, "%s can only be used in transaction blocks",
                kinds[i].words);
    else if (i == 0)
        set_savepoint(s, name);
    else
        end_savepoint(s, name, i == 1);
    return true;
}

void transaction_modes(struct statement *s, const cJSON *options)
{
    const cJSON *item;
    cJSON_ArrayForEach(item, options)
    {
        const cJSON *option = node_get(item, "DefElem");
        const cJSON *number =
            node_get(node_get(node_get(node_get(option, "arg"), "A_Const"), "ival"), "ival");
        if (strcmp(node_text(option, "defname"), "transaction_read_only") == 0)
            s->session->transaction_read_only = number && number->valueint;
    }
}

void run_transaction(struct statement *s)
{
    const char *kind = node_text(s->node, "kind");
    struct pg_session *session = s->session;
    if (strcmp(kind, "TRANS_STMT_BEGIN") == 0 || strcmp(kind, "TRANS_STMT_START") == 0) {
        if (session->state != PG_IDLE && !session->implicit_block)
            pg_notice(session, "WARNING", "there is already a transaction in progress");
        session->implicit_block = false;
        session->state = PG_IN_TRANSACTION;
        transaction_modes(s, node_get(s->node, "options"));
        statement_done(s, kind[11] == 'B' ? "BEGIN" : "START TRANSACTION");
    } else if (strcmp(kind, "TRANS_STMT_COMMIT") == 0 || strcmp(kind, "TRANS_STMT_ROLLBACK") == 0) {
        bool commit = kind[11] == 'C' && session->state != PG_FAILED;
        if (session->state == PG_IDLE || session->implicit_block)
            pg_notice(session, "WARNING", "there is no transaction in progress");
        if (session->state != PG_IDLE)
            transaction_end(session, commit);
        statement_done(s, commit ? "COMMIT" : "ROLLBACK");
    } else if (!run_savepoint(s, kind)) {
        pg_not_simulated(session, -1, "two-phase commit");
    }
}
