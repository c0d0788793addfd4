/* metrics: sampled metrics, for triggers. Inside of sim/world only. */
#ifndef REHEARSE_WORLD_METRICS_H
#define REHEARSE_WORLD_METRICS_H

#include "sim/world/parts.h"

/* One metric as it was scraped. The samples are in the run record, a gap being a NaN. */
struct sampled {
    const char *name; /* as the trigger names it */
    const char *metric;
    const struct service *service, *up_of;
    const struct store *up_store;
    int overall; /* index of a metric of the whole, or -1 */
    bool is_baseline;
    double sum, scale;
    int count;
    struct series *series;
};

/* From now on this metric is sampled. The same name gives the same samples. */
struct sampled *metric_watch(struct world *, const char *name);
/* Index of the latest sample at or before that time; -1: none. */
int sampled_at(const struct sampled *, int64_t at_ns);
/* Its value, if it is not older than the lookback; NaN otherwise. */
double sampled_value(const struct sampled *, int64_t at_ns, int64_t lookback_ns);

#endif
