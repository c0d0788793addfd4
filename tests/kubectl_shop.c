/* The cluster, and how its commands are expected to end. */
#include <stddef.h>

#include "tests/kubectl_shop.h"

static const char system_text[] = "services:\n"
                                  "  web:\n"
                                  "    runs: {deployment: web}\n"
                                  "    replicas: 3\n"
                                  "    versions:\n"
                                  "      v1: {time: {p50: 5ms, p99: 20ms}, start: 2s}\n"
                                  "      v2: {time: {p50: 5ms, p99: 20ms}, start: 2s}\n"
                                  "kubernetes:\n"
                                  "  nodes: [node-1, node-2]\n"
                                  "  manifests: [/k8s/base.yaml, /k8s/others.yaml]\n"
                                  "  registry: {missing: [\"reg/web:gone\"]}\n";

/* Beside the Deployment: what is rolled out in other ways. */
static const char others[] = "apiVersion: apps/v1\n"
                             "kind: StatefulSet\n"
                             "metadata: {name: db}\n"
                             "spec:\n"
                             "  replicas: 2\n"
                             "  serviceName: db\n"
                             "  selector: {matchLabels: {app: db}}\n"
                             "  template:\n"
                             "    metadata: {labels: {app: db}}\n"
                             "    spec: {containers: [{name: db, image: reg/db:1}]}\n"
                             "---\n"
                             "apiVersion: apps/v1\n"
                             "kind: DaemonSet\n"
                             "metadata: {name: agent}\n"
                             "spec:\n"
                             "  selector: {matchLabels: {app: agent}}\n"
                             "  template:\n"
                             "    metadata: {labels: {app: agent}}\n"
                             "    spec: {containers: [{name: agent, image: reg/agent:1}]}\n";

static const char base[] = "apiVersion: apps/v1\n"
                           "kind: Deployment\n"
                           "metadata: {name: web, labels: {app: web}}\n"
                           "spec:\n"
                           "  replicas: 3\n"
                           "  progressDeadlineSeconds: 60\n"
                           "  selector: {matchLabels: {app: web}}\n"
                           "  template:\n"
                           "    metadata: {labels: {app: web}}\n"
                           "    spec:\n"
                           "      containers:\n"
                           "      - name: web\n"
                           "        image: reg/web:v1\n"
                           "        ports: [{containerPort: 8080}]\n"
                           "        env: [{name: MODE, value: a}]\n"
                           "---\n"
                           "apiVersion: v1\n"
                           "kind: Service\n"
                           "metadata: {name: web}\n"
                           "spec: {selector: {app: web}, ports: [{port: 80, targetPort: 8080}]}\n"
                           "---\n"
                           "apiVersion: v1\n"
                           "kind: ConfigMap\n"
                           "metadata: {name: cm}\n"
                           "data: {a: x, b-c: z}\n";

struct machine shop;

int shop_begin(void **state)
{
    const struct machine_file files[] = {
        {"/k8s/base.yaml", base}, {"/k8s/others.yaml", others}, {NULL, NULL}};
    (void)state;
    machine_init(&shop, system_text, NULL, files);
    return 0;
}

int shop_end(void **state)
{
    (void)state;
    machine_release(&shop);
    return 0;
}

void ok(const char *command, const char *out)
{
    machine_expect(&shop, command, 0, out, "");
}

void fails(const char *command, const char *err)
{
    machine_expect(&shop, command, 1, "", err);
}
