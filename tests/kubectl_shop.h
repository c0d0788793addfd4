/* kubectl_shop: a cluster for tests of kubectl: Deployment, Service and ConfigMap "web" and "cm", a
 * StatefulSet "db", a DaemonSet "agent", on two nodes; the world's service "web" runs in the
 * Deployment. reg/web:gone is not in the registry. */
#ifndef REHEARSE_TESTS_KUBECTL_SHOP_H
#define REHEARSE_TESTS_KUBECTL_SHOP_H

#include "fakes/kubernetes/kubelet/pods.h"
#include "tests/machine.h"

extern struct machine shop;

/* Set-up and tear-down of a test. */
int shop_begin(void **state);
int shop_end(void **state);
#define SHOP_TEST(name) cmocka_unit_test_setup_teardown(name, shop_begin, shop_end)

/* Exit status 0 and nothing on stderr; 1 and nothing on stdout. */
void ok(const char *command, const char *out);
void fails(const char *command, const char *err);

#endif
