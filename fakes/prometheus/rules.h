/* rules: Prometheus's configuration file and its rule files, as a reload reads them, and what the
 * rules say now. */
#ifndef REHEARSE_FAKES_PROMETHEUS_RULES_H
#define REHEARSE_FAKES_PROMETHEUS_RULES_H

#include "fakes/env.h"
#include "fakes/prometheus/promql.h"

struct prom_rules;

/* Reads the file of the operator's machine and the rule files it names. NULL and *ret, in the env's
 * arena; or Prometheus's words on why not, and *ret stays. */
const char *prom_load_rules(struct env *, const char *path, const struct prom_rules **ret);
/* The API's `data`: {"groups":[...]}, or {"alerts":[...]} of those that are pending or firing.
 * `rules` may be NULL. */
void prom_print_rules(struct buf *, struct arena *, const struct prom_rules *,
                      const struct prom_series *, int n_series, int64_t now_ns,
                      int64_t start_unix_ns, bool only_alerts);

#endif
