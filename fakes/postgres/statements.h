/* statements: the kinds of statement, each carried out by one function. They report in the session:
 * an error, or a result with its command tag. */
#ifndef REHEARSE_FAKES_POSTGRES_STATEMENTS_H
#define REHEARSE_FAKES_POSTGRES_STATEMENTS_H

#include "fakes/postgres/rows.h"
#include "fakes/postgres/translate.h"

struct statement {
    struct pg_session *session;
    struct pg_database *database;
    struct arena *arena; /* of the results: lives until the next query */
    const cJSON *node;   /* inside the wrapper */
    const char *kind;    /* "SelectStmt" */
    const char *text;    /* of the whole message */
    struct str own;      /* of this statement, trimmed */
};

void statement_done(struct statement *, const char *tag_format, ...)
    __attribute__((format(printf, 2, 3)));
void statement_took(struct statement *, int64_t ns); /* adds to how long the last result took */
struct translation statement_translation(struct statement *);
/* Runs translated text and sends its rows; the number of rows, -1 on error. */
int statement_rows(struct statement *, struct pg_query_text, const char *tag);
/* What SQLite says went wrong, unless the session has an error already. */
void statement_sqlite_error(struct statement *);
/* The relation that a RangeVar names; NULL and an error (or, if_exists, a notice) if there is none.
 */
struct pg_relation *statement_relation(struct statement *, const cJSON *range_var, bool if_exists);
/* Notes a change of the world, with the statement as its reason. */
void statement_changed(struct statement *, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
int64_t relation_count(struct pg_database *, const struct pg_relation *);
int64_t next_oid(struct pg_database *);

/* transaction.c. Around each query message: what others wrote in between is theirs and stays when
 * this one is undone. */
void transaction_message_starts(struct pg_session *);
void transaction_message_ends(struct pg_session *);
void transaction_begin(struct pg_session *);
void transaction_end(struct pg_session *, bool keep);
void run_transaction(struct statement *);
/* READ ONLY holds for this transaction; isolation levels make no difference here. */
void transaction_modes(struct statement *, const cJSON *options);

/* checks.c: false, or an error with its details */
bool check_not_null(struct statement *, const struct pg_relation *, sqlite3_value **row);
bool check_checks(struct statement *, const struct pg_relation *, sqlite3_value **row);
bool check_foreign(struct statement *, const struct pg_relation *, sqlite3_value **row);
/* The row that has the same key already; 0 none. `only`: only this constraint's columns ("" any).
 */
int64_t conflicting(struct statement *, const struct pg_relation *, sqlite3_value **row,
                    int64_t except, const char *only, bool report);
/* An enabled trigger on the table would run now: noted as not simulated. */
void note_triggers(struct statement *, const struct pg_relation *);

/* dml.c */
void run_insert(struct statement *);
void run_update(struct statement *);
void run_delete(struct statement *);
/* One row for all columns of the relation; the new row's rowid, or -1 and an error. */
int64_t insert_row(struct statement *, const struct pg_relation *, sqlite3_value **values);

/* constraints.c */
void run_index(struct statement *);
/* The text of an expression as the user wrote it: from its first to the last byte that belongs to
 * it. Used to show definitions again (\d, pg_dump). */
const char *expression_text(struct statement *, const cJSON *node);
/* Adds one Constraint node to a relation; false: error. */
bool add_constraint(struct statement *, struct pg_relation *, const cJSON *constraint,
                    const char *column);

/* ddl.c, drop.c */
void run_create_table(struct statement *);
void run_create_table_as(struct statement *);
void run_refresh(struct statement *);
void run_view(struct statement *);
void run_sequence(struct statement *);
void run_drop(struct statement *);
void run_truncate(struct statement *);
void run_function(struct statement *);
void run_trigger(struct statement *);
bool add_column(struct statement *, struct pg_relation *, const cJSON *column_def, bool later);
void drop_relation(struct statement *, const struct pg_relation *);
int64_t create_sequence(struct statement *, const char *schema, const char *name, int64_t start,
                        int64_t increment);

/* enums.c */
void run_create_enum(struct statement *);
void run_alter_enum(struct statement *);
void rename_enum(struct statement *);
void drop_enum(struct statement *, const cJSON *object, bool if_exists, bool cascade);

/* alter.c */
void run_alter_table(struct statement *);
void run_rename(struct statement *);

/* settings.c */
void run_set(struct statement *);
void run_show(struct statement *);
void run_alter_system(struct statement *);

/* admin.c: databases, roles, settings and what has no effect here */
bool run_admin(struct statement *); /* false: not one of its kinds */

/* copy.c */
void run_copy(struct statement *);

#endif
