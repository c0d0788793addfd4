/* translate: PostgreSQL's parse tree to SQLite's text, with PostgreSQL's names, types and errors.
 *
 * One translation per statement. Errors are set in the session (first one wins) and work goes on to
 * the end of the tree; the caller looks at session->error.set before it uses the text.
 */
#ifndef REHEARSE_FAKES_POSTGRES_TRANSLATE_H
#define REHEARSE_FAKES_POSTGRES_TRANSLATE_H

#include <cjson/cJSON.h>

#include "fakes/postgres/catalog.h"

struct pg_expr {
    const char *sql;
    enum pg_type type;
    int typmod;
    const char *name;    /* as an unnamed output column is called */
    const char *literal; /* text of a quoted constant (type PG_UNKNOWN) */
    bool is_null;        /* the constant NULL */
    int location;
};

/* One entry of FROM. */
struct pg_source {
    const char *alias;
    const struct pg_relation *relation; /* NULL: subquery, function */
    int n_columns;
    struct pg_column *columns;
    struct pg_source *next;
};

struct pg_scope {
    struct pg_scope *outer;
    struct pg_source *sources;
    struct pg_using *using; /* merged columns of JOIN ... USING */
};

struct pg_using {
    const char *name;
    const char *sql;
    struct pg_using *next;
};

struct pg_cte {
    const char *name;
    int n_columns;
    struct pg_column *columns;
    struct pg_cte *next;
};

/* A column used outside of an aggregate: must be in GROUP BY if the query has one. */
struct pg_used {
    const char *alias, *column;
    int location;
    struct pg_used *next;
};

struct translation {
    struct pg_session *session;
    struct pg_database *database;
    struct arena *arena;
    const char *text;  /* of the whole query message; locations point into it */
    const cJSON *root; /* the statement */
    struct pg_scope *scope;
    struct pg_cte *ctes;
    const cJSON *windows; /* the WINDOW clause of the query */
    bool has_aggregate;
    int aggregate_depth;
    struct pg_used *used;
    int n_aliases;
    const char *clause; /* where aggregates are refused: "WHERE", or NULL */
    bool sleeps;        /* pg_sleep is in it */
    double sleep_s;
    bool writes; /* has a function with an effect: nextval, pg_terminate_backend */
};

struct pg_query_text {
    const char *sql;
    int n_columns;
    struct pg_column *columns;
};

/* Node helpers: the only key of a wrapper {"SelectStmt": {...}} and its value. */
const char *node_tag(const cJSON *wrapper, const cJSON **ret_inner);
const cJSON *node_get(const cJSON *, const char *key);
const char *node_text(const cJSON *, const char *key); /* "" if missing */
bool node_true(const cJSON *, const char *key);
int node_location(const cJSON *);
const char *node_string(const cJSON *wrapper); /* {"String":{"sval":"x"}} */

struct pg_expr translate_expr(struct translation *, const cJSON *node);
struct pg_query_text translate_select(struct translation *, const cJSON *select);
/* Target list over the sources in scope, for SELECT and RETURNING: "a, b" and the columns. */
struct pg_query_text translate_targets(struct translation *, const cJSON *list);
/* Adds one table to the scope (reports a missing relation); NULL on error. */
struct pg_source *translate_table(struct translation *, const cJSON *range_var,
                                  const char **ret_sql);
/* FROM items, joined by commas; "" if none. */
const char *translate_from(struct translation *, const cJSON *list);
/* The text that was built, in the arena; releases the buffer. */
const char *translate_finish(struct translation *, struct buf *);
/* "a", "b" ... */
const char *translate_names(struct translation *, const struct pg_column *, int n);
void translate_with(struct translation *, const cJSON *with_clause, struct buf *out);
/* A condition: boolean or an error. */
const char *translate_where(struct translation *, const cJSON *node, const char *clause);

/* Converts to a type; `assign`: for storing into a column of that name (else an explicit cast or
 * implicit). */
enum coercion { COERCE_IMPLICIT, COERCE_ASSIGN, COERCE_EXPLICIT };
struct pg_expr coerce(struct translation *, struct pg_expr, enum pg_type, int typmod, enum coercion,
                      const char *column);
/* A date or timestamp as another of them, in kept form. */
const char *translate_time(struct translation *, struct pg_expr, enum pg_type to);
/* Type of a TypeName node; -1 and an error if there is none. serial: it is one of the serial types.
 */
int translate_type(struct translation *, const cJSON *type_name, int *ret_typmod, bool *ret_serial);

/* functions.c */
struct pg_expr translate_function(struct translation *, const cJSON *call);
void functions_register(struct pg_database *);

/* value.c: a kept value as text; NULL stays NULL. In the arena. */
const char *value_text(struct arena *, sqlite3_value *, enum pg_type, int typmod);
/* Text to the kept form, as an SQL literal; NULL and an error if malformed. */
const char *value_literal(struct pg_session *, struct arena *, const char *text, enum pg_type,
                          int typmod, int location);

#endif
