/* functions: what the SQL functions in sqlite_functions.c and numeric.c share. Their user data is
 * the database. */
#ifndef REHEARSE_FAKES_POSTGRES_FUNCTIONS_H
#define REHEARSE_FAKES_POSTGRES_FUNCTIONS_H

#include "fakes/postgres/translate.h"

static inline struct pg_database *database_of(sqlite3_context *context)
{
    return sqlite3_user_data(context);
}

static inline struct pg_session *session_of(sqlite3_context *context)
{
    return database_of(context)->active;
}

static inline const char *text_of(sqlite3_value *value)
{
    const unsigned char *text = sqlite3_value_text(value);
    return text ? (const char *)text : "";
}

static inline bool any_null(sqlite3_context *context, int n, sqlite3_value **args)
{
    for (int i = 0; i < n; i++) {
        if (sqlite3_value_type(args[i]) == SQLITE_NULL) {
            sqlite3_result_null(context);
            return true;
        }
    }
    return false;
}

static inline void result_text(sqlite3_context *context, const char *text)
{
    sqlite3_result_text(context, text, -1, SQLITE_TRANSIENT);
}

/* The session's error says what went wrong; SQLite only needs to stop. */
static inline void stop(sqlite3_context *context)
{
    sqlite3_result_error(context, "pg", -1);
}

/* Arithmetic and aggregates of decimals. */
void numeric_register(struct pg_database *);
void text_functions_register(struct pg_database *);

#endif
