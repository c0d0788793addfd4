/* describe: parts of `kubectl describe` that other commands print too. */
#ifndef REHEARSE_FAKES_KUBERNETES_DESCRIBE_H
#define REHEARSE_FAKES_KUBERNETES_DESCRIBE_H

#include <cjson/cJSON.h>

#include "sim/base/arena.h"
#include "sim/base/buf.h"

/* "Pod Template:\n  Labels:\tapp=web\n ...": fields parted by tabs, which `describe` aligns and
 * `rollout history --revision` leaves (pkg/describe DescribePodTemplate). */
void describe_pod_template(struct arena *, const cJSON *template, struct buf *out);

#endif
