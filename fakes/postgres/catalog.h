/* catalog: what a database knows of its own objects, kept in SQLite tables of its handle so that a
 * transaction takes them along.
 *
 *   pgc_relation(oid, schema, name, key, kind, owner, ledger, origin, id_column, time_column,
 *     definition)
 *   pgc_column(relation, number, name, type, typmod, not_null, default_pg, default_sqlite, fill)
 *   pgc_constraint(oid, relation, name, kind, columns, definition, target, target_columns,
 *     on_delete)
 *   pgc_index(relation, name, is_unique, columns, definition, constraint_oid)
 *   pgc_sequence(relation, last_value, is_called, increment, owner_relation, owner_column)
 *   pgc_type(oid, name, owner), pgc_enum(type, sort, label): enumerated types
 *   pgc_depends(view, on_relation), pgc_function, pgc_trigger, pgc_schema, pgc_extension
 *
 * A relation's key is its SQLite name: "name" in schema public, "schema.name" elsewhere. kind: r
 * table, v view, m materialized view, S sequence.
 */
#ifndef REHEARSE_FAKES_POSTGRES_CATALOG_H
#define REHEARSE_FAKES_POSTGRES_CATALOG_H

#include "fakes/postgres/server.h"

struct pg_attribute {
    const char *name;
    enum pg_type type;
    int typmod;
    bool not_null;
    const char *default_pg, *default_sqlite; /* NULL: none */
    /* of a ledger table: "g" generated, "=value" the same for all rows, NULL null */
    const char *fill;
    bool is_id, is_time; /* of a ledger table */
};

struct pg_relation {
    int64_t oid;
    const char *schema, *name, *key;
    char kind;
    const char *owner, *definition;
    bool ledger;        /* rows are identities */
    const char *origin; /* the traffic table whose identities they are */
    bool is_system;     /* a catalog view */
    int n_attributes;
    struct pg_attribute *attributes;
};

int catalog_create(sqlite3 *);
/* Before the database is closed. */
void catalog_close(struct pg_database *);
/* schema NULL: search path (pg_catalog, then public). Lives in `arena`. */
struct pg_relation *catalog_find(struct pg_database *, struct arena *, const char *schema,
                                 const char *name);
struct pg_relation *catalog_by_oid(struct pg_database *, struct arena *, int64_t oid);
int catalog_attribute(const struct pg_relation *, const char *name); /* -1 none */
/* Runs SQL built by format on the handle; 0, or the SQLite error code. */
int catalog_run(struct pg_database *, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
/* First column of the first row as text, in the arena; NULL: no row, or null. */
const char *catalog_text(struct pg_database *, struct arena *, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
int64_t catalog_int(struct pg_database *, int64_t otherwise, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* All rows, columns separated by '\x1f' in one string each; NULL-terminated, in the arena. */
char **catalog_rows(struct pg_database *, struct arena *, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* '...' quoted for SQL, in the arena. */
const char *sql_text(struct arena *, const char *text);
/* "..." quoted for SQLite, always. */
const char *sql_name(struct arena *, const char *name);
/* As PostgreSQL's quote_ident(): only where needed. */
const char *pg_ident(struct arena *, const char *name);

/* enums.c: the oid of an enumerated type, 0 none; a type's name with its modifier, as format_type()
 * has it. */
int64_t catalog_enum(struct pg_database *, const char *name);
const char *catalog_type(struct pg_database *, struct arena *, enum pg_type, int typmod);
/* False and an error where the type has no such label. */
bool enum_accepts(struct pg_session *, struct arena *, int64_t oid, const char *label,
                  int location);

/* known.c: whether a real server has a function, relation, type or setting of that name of its own
 * (schema "" for pg_catalog). */
bool pg_has_function(const char *name);
bool pg_has_relation(const char *schema, const char *name);
bool pg_has_type(const char *name);
bool pg_has_setting(const char *name);

/* The views of pg_catalog and information_schema. */
void catalog_create_views(struct pg_database *);
/* The SQL functions that they use. */
void catalog_functions(struct pg_database *);
/* Fills the SQLite table behind a system view from the server's state; no-op for others. */
void catalog_refresh(struct pg_session *, const char *view);

#endif
