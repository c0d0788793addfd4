/* ages: how long ago, as kubectl and the API server word it. Source: k8s.io/apimachinery
 * pkg/util/duration HumanDuration. */
#ifndef REHEARSE_FAKES_KUBERNETES_KUBECTL_AGES_H
#define REHEARSE_FAKES_KUBERNETES_KUBECTL_AGES_H

#include "fakes/kubernetes/cluster.h"

/* "37s", "5m3s", "94m", "3h20m", "26h", "2d3h", "8d", "3y9d"; "<invalid>" below -2 s. */
const char *human_duration(struct arena *, int64_t ns);
/* A time stamp of an object ("2026-11-20T04:11:16Z", fractions too) in ns since the start of the
 * run. False: it is NULL or none. */
bool stamp_read(const struct cluster *, const char *stamp, int64_t *ret_ns);
/* Its age now; "<unknown>" for NULL. */
const char *stamp_age(const struct cluster *, struct arena *, const char *stamp);
/* The same time as `describe` shows it: "Fri, 20 Nov 2026 04:46:25 +0000". */
const char *stamp_rfc1123(struct arena *, const char *stamp);

#endif
