/* quantity: amounts of resources: "100m", "1Gi", "1.5", "12e6". Source: k8s.io/apimachinery
 * pkg/api/resource quantity.go. */
#ifndef REHEARSE_FAKES_KUBERNETES_API_QUANTITY_H
#define REHEARSE_FAKES_KUBERNETES_API_QUANTITY_H

#include <stdbool.h>

/* Its value in units (cores, bytes); false: it is none. */
bool quantity_read(const char *text, double *ret);

#endif
