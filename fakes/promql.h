/* promql: the part of Prometheus's query language that health checks use, over samples in memory.
 *
 * Selectors with =, !=, =~, !~ and a range; offset; + - * / and comparisons (filtering, with a scalar or between vectors
 * of the same labels); sum avg min max count with by(); rate irate increase delta avg_over_time max_over_time
 * min_over_time sum_over_time count_over_time last_over_time absent abs round clamp_min clamp_max scalar vector time. Anything else is
 * an error of kind "not simulated".
 */
#ifndef REHEARSE_FAKES_PROMQL_H
#define REHEARSE_FAKES_PROMQL_H

#include <stdbool.h>
#include <stdint.h>

#include "sim/base/arena.h"

/* One series: its name, its labels ("job", "api", ..., NULL) and its samples in order of time. */
struct prom_series {
    const char *name;
    const char *const *labels; /* key, value, key, value ..., NULL */
    const int64_t *at_ns;
    const double *value;
    int n;
};

struct prom_sample {
    const char *name; /* NULL once a function or an operator was applied */
    const char **labels;
    double value;
};

struct prom_result {
    bool is_scalar;
    double scalar;
    struct prom_sample *samples;
    int n;
    const char *error; /* as the API words it, or NULL */
    bool not_simulated;
};

/* Evaluates at that instant; everything lives in the arena. */
struct prom_result prom_query(struct arena *, const char *query, const struct prom_series *series, int n_series,
                              int64_t now_ns);

#endif
