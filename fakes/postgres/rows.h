/* rows: ledger tables as SQLite virtual tables over sets of identities.
 *
 * The id column is the identity, the time column the instant at which it was acknowledged; every
 * other column is computed from the identity, so that a million rows cost nothing to keep and a
 * restored row looks as it did. Ranges of id and time are pushed down. Rows come and go through
 * rows_insert and rows_delete, never through SQLite; values that statements gave a row are kept
 * beside, in pgc_override.
 */
#ifndef REHEARSE_FAKES_POSTGRES_ROWS_H
#define REHEARSE_FAKES_POSTGRES_ROWS_H

#include "fakes/postgres/catalog.h"

void rows_register(struct pg_database *);
/* Makes (or makes again, after a change of columns) the virtual table of a ledger relation. */
int rows_create(struct pg_database *, const struct pg_relation *);
void rows_drop(struct pg_database *, const char *key);
void rows_insert(struct pg_database *, const struct pg_relation *, int64_t lo, int64_t hi);
void rows_delete(struct pg_database *, const struct pg_relation *, int64_t lo, int64_t hi);
const struct idset *rows_of(struct pg_database *, const struct pg_relation *);
/* Unix microseconds at which that row was acknowledged. */
int64_t rows_time_us(struct pg_database *, const struct pg_relation *, int64_t id);
/* The value that column has for that identity when no statement gave it another, as text; NULL for
 * null. */
const char *rows_value(struct pg_database *, struct arena *, const struct pg_relation *, int column,
                       int64_t id);
/* A statement gave that row this value (in kept form). */
void rows_override(struct pg_database *, const struct pg_relation *, int64_t id, const char *column,
                   sqlite3_value *);

#endif
