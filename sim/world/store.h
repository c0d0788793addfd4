/* store: where acknowledged writes live, and the ledger that knows the fate of each.
 *
 * Every write that traffic makes has an identity: a 64-bit number, unique in its table, in order of
 * acknowledgement. Contents are sets of identities (interval sets), so ten million rows cost a few
 * bytes and a copy costs nothing until it changes. What a fake database does to contents goes
 * through this file, which notes who did it; at the end the ledger compares what was acknowledged
 * with what is there, read through the contents that serve users then. A record is lost when it was
 * acknowledged and is not there.
 */
#ifndef REHEARSE_WORLD_STORE_H
#define REHEARSE_WORLD_STORE_H

#include <stdbool.h>
#include <stdint.h>

#include "sim/world/world.h"

/* ---- interval sets: sorted, disjoint, half-open [lo, hi) ---- */

struct interval {
    int64_t lo, hi;
};
struct idset {
    struct interval *at;
    int n, cap;
};
void idset_release(struct idset *);
void idset_copy(struct idset *to, const struct idset *from);
void idset_add(struct idset *, int64_t lo, int64_t hi);
void idset_remove(struct idset *, int64_t lo, int64_t hi);
bool idset_has(const struct idset *, int64_t id);
int64_t idset_count(const struct idset *);
void idset_union(struct idset *to, const struct idset *with);
void idset_subtract(struct idset *from, const struct idset *what);
void idset_intersect(struct idset *to, const struct idset *with);

/* ---- datasets: the contents of one database, index or keyspace ---- */

struct store;
struct dataset; /* named tables, each a set of identities and the count of further copies
                   (duplicates) */

struct dataset *dataset_new(void);                    /* empty */
struct dataset *dataset_copy(const struct dataset *); /* cheap: tables are shared until written */
void dataset_free(struct dataset *);

bool dataset_has_table(const struct dataset *, const char *table);
void dataset_create_table(struct dataset *, const char *table);
void dataset_drop_table(struct dataset *, const char *table);
void dataset_rename_table(struct dataset *, const char *from, const char *to);
int dataset_tables(const struct dataset *); /* how many; names in byte order: */
const char *dataset_table(const struct dataset *, int i);
const struct idset *dataset_rows(const struct dataset *,
                                 const char *table); /* NULL: no such table */
/* Adding an identity that is there already makes a duplicate. */
void dataset_insert(struct dataset *, const char *table, int64_t lo, int64_t hi);
void dataset_delete(struct dataset *, const char *table, int64_t lo, int64_t hi);
/* The same for a whole set of identities at once. */
void dataset_insert_set(struct dataset *, const char *table, const struct idset *);
void dataset_delete_set(struct dataset *, const char *table, const struct idset *);
int64_t dataset_duplicates(const struct dataset *, const char *table);
/* The identities that are there more than once; NULL: no such table. */
const struct idset *dataset_doubled(const struct dataset *, const char *table);

/* ---- stores ---- */

struct store *world_store(struct world *, const char *name); /* NULL: no such store */
/* All of them, as the system file declares them. */
int world_stores(const struct world *);
struct store *world_store_at(const struct world *, int i);
const char *store_name(const struct store *);
/* Its whole mapping in the system file, for the fake of its engine; NULL in a model made by hand.
 */
const struct doc *store_config(const struct store *);
const char *store_engine(const struct store *);  /* as declared: "postgresql 15", "redis 7" */
const char *store_service(const struct store *); /* the service that serves it, or NULL */
/* From now on that service serves it (another engine, another server); NULL: it needs none. */
void store_set_service(struct store *, const char *service);
/* The contents that serve users now. Changes made to it through dataset_* are noted in the ledger,
 * with the current step and `store_because`. */
struct dataset *store_serving(struct store *);
/* What is being done, in a few words, for the blame ("psql: DROP DATABASE hp_ti_db"); copied. */
void store_because(struct store *, const char *what);
/* From now on users are served from `contents` (takes ownership): restore, switch of engine or
 * volume. The old contents are kept by the ledger as retired: records only there are lost,
 * annotated recoverable. Returns the handle of that retired copy, for store_forget_copy when it is
 * destroyed. (To destroy contents in place, as DROP does, drop the tables of store_serving()
 * instead.) */
int store_serve(struct store *, struct dataset *contents);
/* Tells the ledger of a copy from which records could be recovered (a backup, a retired volume);
 * takes ownership. Returns its handle; store_forget_copy when it is destroyed (rm backup). */
int store_keep_copy(struct store *, const char *what, struct dataset *copy);
void store_forget_copy(struct store *, int handle);
/* The contents as they were at that instant (all of its changes included), for recovery to a point
 * in time: a base backup and the write-ahead log up to there. The caller owns it. NULL: too long
 * ago to be remembered. */
struct dataset *store_contents_at(struct store *, int64_t at_ns);
/* Up to when the write-ahead log is archived; NEVER if it is not. */
int64_t store_archived_until(const struct store *);
/* The contents of a replica, which lags behind. The caller owns it. NULL: no such replica. To
 * promote it: store_serve(store, store_replica(store, name)). */
struct dataset *store_replica(struct store *, const char *name);
/* When the write with this identity was acknowledged; NEVER if there is no such write. */
int64_t store_row_time(const struct store *, const char *table, int64_t id);
/* The identities acknowledged in [from_ns, to_ns), as a half-open range of ids. */
struct interval store_rows_between(const struct store *, const char *table, int64_t from_ns,
                                   int64_t to_ns);
/* Gives identities to n records that somebody other than traffic writes now (an operator's INSERT),
 * acknowledged at once; the caller inserts them with dataset_insert. The first identity. */
int64_t store_acknowledge(struct store *, const char *table, int64_t n);
/* How many records traffic and others have had acknowledged in that table so far. */
int64_t store_acknowledged(const struct store *, const char *table);
/* Schema version as the store's engine reports it (e.g. from schema_migrations); versions of
 * services need it. */
int64_t store_schema(const struct store *);
void store_set_schema(struct store *, int64_t version);

/* Whether it is in service: its service has a ready instance that can be reached. */
bool store_in_service(const struct store *);
/* Something that store_accepts_fn depends on has changed (a lock, a column, read-only mode). */
void store_changed(struct store *);

/* The engine's word on whether a write to that table would succeed now (table exists, columns fit,
 * not read-only, no lock); NULL hook: always. Asked once a second and after store_changed(). */
typedef bool store_accepts_fn(struct store *, const char *table, const char **why, void *ctx);
void store_set_engine(struct store *, store_accepts_fn *, void *ctx);

#endif
