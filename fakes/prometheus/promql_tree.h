/* promql_tree: a query taken apart, for promql_parse.c, promql.c and promql_functions.c. */
#ifndef REHEARSE_FAKES_PROMQL_TREE_H
#define REHEARSE_FAKES_PROMQL_TREE_H

#include <regex.h>

#include "fakes/prometheus/promql.h"

enum prom_type { PROM_T_SCALAR, PROM_T_VECTOR, PROM_T_MATRIX, PROM_T_STRING, PROM_T_NONE };
enum { PROM_MATCHERS_MAX = 16, PROM_LABELS_MAX = 16, PROM_ARGS_MAX = 8 };

struct prom_matcher {
    const char *key, *op, *value;
};

struct prom_expr {
    enum prom_kind {
        PROM_NUMBER,
        PROM_TEXT,
        PROM_SELECTOR,
        PROM_SUBQUERY,
        PROM_CALL,
        PROM_AGGREGATE,
        PROM_BINARY,
        PROM_NEGATE,
        PROM_PAREN
    } kind;
    enum prom_type type;
    int at; /* where it begins in the query */
    double number;
    const char *text; /* of a string; name of a selector, a function, an aggregation; an operator */
    struct prom_matcher matchers[PROM_MATCHERS_MAX];
    int n_matchers;
    int64_t range_ns, step_ns, offset_ns; /* range_ns 0: an instant */
    bool has_at;
    int64_t at_unix_ns;
    int at_edge;                           /* 1: start(), 2: end() */
    struct prom_expr *args[PROM_ARGS_MAX]; /* operands, arguments */
    int n_args;
    bool returns_bool, on, ignoring, grouped, without; /* grouped: by () or without () */
    int many;                                          /* group_left 1, group_right 2 */
    const char *labels[PROM_LABELS_MAX], *include[PROM_LABELS_MAX];
    int n_labels, n_include;
};

/* NULL, and *ret_error as the API words it; *ret_unknown: it exists in Prometheus and is not
 * simulated. */
struct prom_expr *prom_parse(struct arena *, const char *query, const char **ret_error,
                             bool *ret_unknown);

struct prom_value {
    enum prom_type type;
    double number;
    const char *text;
    struct prom_sample *samples;
    struct prom_row *rows;
    int n;
};

struct prom_eval {
    struct arena *arena;
    const struct prom_series *series;
    int n_series;
    int64_t now_ns, from_ns, to_ns, start_unix_ns; /* from, to: of a range query */
    int64_t steps;                                 /* evaluated so far, over all subqueries */
    const char *error;
    bool not_simulated;
};
struct prom_value prom_evaluate(struct prom_eval *, const struct prom_expr *);
/* A function's value from its arguments. */
struct prom_value prom_call(struct prom_eval *, const struct prom_expr *,
                            const struct prom_value *args);
struct prom_value prom_aggregate(struct prom_eval *, const struct prom_expr *, struct prom_value of,
                                 const struct prom_value *parameter);

struct prom_function {
    const char *name;
    enum prom_type args[5], returns;
    int variadic; /* how many of the last may be left out; -1: any number more */
};
const struct prom_function *
prom_find_function(const char *name); /* NULL: Prometheus has none of that name */
bool prom_is_simulated(const struct prom_function *);

/* Labels without some, or only some; in the arena. */
const char **prom_without(struct arena *, const char *const *labels, const char *const *names,
                          int n);
const char **prom_only(struct arena *, const char *const *labels, const char *const *names, int n);
const char **prom_without_name(struct arena *, const char *const *labels);
const char **prom_set_label(struct arena *, const char *const *labels, const char *key,
                            const char *value); /* "" takes it away */
bool prom_same_labels(const char *const *a, const char *const *b);
double prom_quantile(double q, double *values, int n); /* sorts them */
/* The first repetition of a repetition ("++"), which RE2 refuses and POSIX multiplies out; NULL:
 * none. Escapes and brackets are looked through. Fills in its length. */
const char *prom_nested_repetition(const char *regex, int *ret_len);
void prom_fail(struct prom_eval *, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
