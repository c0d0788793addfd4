/* history_db: what the parts of the history share of its file; nobody else includes this. */
#ifndef REHEARSE_REPORTS_HISTORY_DB_H
#define REHEARSE_REPORTS_HISTORY_DB_H

#include <sqlite3.h>

#include "reports/history.h"

struct history {
    sqlite3 *db;
    char *path;
};

/* ERROR_INPUT with what SQLite says. */
int history_complain(const struct history *, struct error *);
int history_sql(struct history *, const char *sql, struct error *);
int history_prepare(struct history *, const char *sql, sqlite3_stmt **ret, struct error *);
/* Ends a loop over rows: finalizes, and complains where it ended with anything but SQLITE_DONE. */
int history_finish(struct history *, sqlite3_stmt *, int step, struct error *);
void history_bind_text(sqlite3_stmt *, int i, const char *text); /* NULL as the empty text */
const char *history_text(sqlite3_stmt *, int i);                 /* NULL as the empty text */
/* Calls fn for the runs that `tail` picks and orders ("WHERE drill = ?1 ORDER BY ..."); limit 0:
 * all.
 */
int history_rows(struct history *, const char *tail, const char *drill, int limit, history_fn *fn,
                 void *ctx, struct error *);

#endif
