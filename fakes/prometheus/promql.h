/* promql: Prometheus's query language over samples in memory, as Prometheus 2.42 to 2.55 evaluates
 * it.
 *
 * Selectors, ranges (closed at both ends), offset, @, subqueries; arithmetic, comparison and set
 * operators with on(), ignoring(), group_left and group_right; aggregations; the functions of
 * promql_functions.c. What else the language has is an error of kind "not simulated". Everything
 * lives in the arena.
 */
#ifndef REHEARSE_FAKES_PROMQL_H
#define REHEARSE_FAKES_PROMQL_H

#include <stdbool.h>
#include <stdint.h>

#include "sim/base/arena.h"
#include "sim/base/buf.h"

/* One series: its name, its labels ("job", "api", ..., NULL) and its samples in order of time. */
struct prom_series {
    const char *name;
    const char *const *labels; /* key, value, key, value ..., NULL */
    const int64_t *at_ns;
    const double *value; /* NaN: no sample */
    int n;
};

struct prom_sample {
    const char **labels; /* in order of key, "__name__" among them; NULL at the end */
    double value;
};

/* A row of samples, of a range. */
struct prom_row {
    const char **labels;
    int64_t *at_ns;
    double *value;
    int n;
};

struct prom_result {
    enum { PROM_SCALAR, PROM_VECTOR, PROM_MATRIX, PROM_STRING } type;
    double scalar;
    const char *string;
    struct prom_sample *samples;
    struct prom_row *rows;
    int n;
    const char *error; /* as the API words it, or NULL */
    enum { PROM_BAD_DATA, PROM_EXECUTION, PROM_NOT_SIMULATED } error_kind;
};

/* Evaluates at that instant. `start_unix_ns`: what 0 ns is on the wall clock. */
struct prom_result prom_query(struct arena *, const char *query, const struct prom_series *series,
                              int n_series, int64_t now_ns, int64_t start_unix_ns);
/* At every step from start to end, as a matrix. */
struct prom_result prom_query_range(struct arena *, const char *query,
                                    const struct prom_series *series, int n_series, int64_t from_ns,
                                    int64_t to_ns, int64_t step_ns, int64_t start_unix_ns);
/* "resultType":...,"result":... of the API's data. */
void prom_print(struct buf *, const struct prom_result *, int64_t now_ns, int64_t start_unix_ns);
void prom_print_labels(struct buf *, const char *const *labels); /* {"a":"b"} */
void prom_print_number(struct buf *, double);                    /* in quotes */
void prom_print_string(struct buf *, const char *);
void prom_print_time(struct buf *, int64_t unix_ns); /* 1736949900.006 */
/* The value of a label; "" if there is none. */
const char *prom_label(const char *const *labels, const char *key);

#endif
