/* kubectl config, version, cluster-info, api-resources, auth, top and events, in the words of
 * kubectl 1.32. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "tests/machine.h"

static const char system_text[] = "services:\n"
                                  "  web:\n"
                                  "    runs: {deployment: web, namespace: shop}\n"
                                  "    versions: {v1: {time: {p50: 5ms, p99: 20ms}}}\n"
                                  "kubernetes:\n"
                                  "  context: [dev, prod]\n"
                                  "  namespace: shop\n"
                                  "  nodes: [node-1]\n"
                                  "  manifests: [/k8s/base.yaml]\n";

static const char base[] =
    "apiVersion: apps/v1\n"
    "kind: Deployment\n"
    "metadata: {name: web}\n"
    "spec:\n"
    "  selector: {matchLabels: {app: web}}\n"
    "  template:\n"
    "    metadata: {labels: {app: web}}\n"
    "    spec: {containers: [{name: web, image: 'reg/web:v1'}]}\n"
    "---\n"
    "apiVersion: v1\n"
    "kind: Pod\n"
    "metadata: {name: tool, labels: {app: tool}}\n"
    "spec: {containers: [{name: a, image: reg/a}, {name: b, image: reg/b}]}\n";

static int start(void **state)
{
    static struct machine m;
    const struct machine_file files[] = {{"/k8s/base.yaml", base}, {NULL, NULL}};
    machine_init(&m, system_text,
                 "start: 2025-01-15T14:00:00Z\nchange: {at: 60s, run: 'kubectl get pods'}\n",
                 files);
    *state = &m;
    return 0;
}

static int finish(void **state)
{
    machine_release(*state);
    return 0;
}

static void contexts(void **state)
{
    struct machine *m = *state;
    machine_expect(m, "kubectl config current-context", 0, "dev\n", "");
    machine_expect(m, "kubectl config get-contexts", 0,
                   "CURRENT   NAME   CLUSTER   AUTHINFO   NAMESPACE\n"
                   "*         dev    dev       dev        shop\n"
                   "          prod   prod      prod       shop\n",
                   "");
    machine_expect(m, "kubectl config get-contexts prod nope", 1,
                   "CURRENT   NAME   CLUSTER   AUTHINFO   NAMESPACE\n"
                   "          prod   prod      prod       shop\n",
                   "error: context nope not found\n");
    machine_expect(m, "kubectl config get-contexts -o name", 0, "dev\nprod\n", "");
    machine_expect(m, "kubectl config use-context prod", 0, "Switched to context \"prod\".\n", "");
    machine_expect(m, "kubectl config current-context", 0, "prod\n", "");
    machine_expect(m, "kubectl config use-context nope", 1, "",
                   "error: no context exists with the name: \"nope\"\n");
    machine_expect(m, "kubectl config set-context --current --namespace=other", 0,
                   "Context \"prod\" modified.\n", "");
    machine_expect(m, "kubectl get pods", 0, "", "No resources found in other namespace.\n");
    machine_expect(m, "kubectl config view --minify -o jsonpath='{..namespace}'", 0, "other", "");
    machine_expect(m, "kubectl config set-context new --cluster=dev --user=dev", 0,
                   "Context \"new\" created.\n", "");
    machine_expect(m, "kubectl config rename-context new newer", 0,
                   "Context \"new\" renamed to \"newer\".\n", "");
    machine_expect(m, "kubectl config get-contexts -o name", 0, "dev\nnewer\nprod\n", "");
    machine_expect(m, "kubectl config view --minify", 0,
                   "apiVersion: v1\n"
                   "clusters:\n"
                   "- cluster:\n"
                   "    certificate-authority-data: DATA+OMITTED\n"
                   "    server: https://prod.example.test:6443\n"
                   "  name: prod\n"
                   "contexts:\n"
                   "- context:\n"
                   "    cluster: prod\n"
                   "    namespace: other\n"
                   "    user: prod\n"
                   "  name: prod\n"
                   "current-context: prod\n"
                   "kind: Config\n"
                   "preferences: {}\n"
                   "users:\n"
                   "- name: prod\n"
                   "  user:\n"
                   "    client-certificate-data: DATA+OMITTED\n"
                   "    client-key-data: DATA+OMITTED\n",
                   "");
    machine_expect(m, "kubectl config unset current-context", 0,
                   "Property \"current-context\" unset.\n", "");
    machine_expect(m, "kubectl config current-context", 1, "",
                   "error: current-context is not set\n");
    machine_holds(m, "kubectl config set clusters.dev.server x", 1, "",
                  "config set is not simulated");
}

static void servers(void **state)
{
    struct machine *m = *state;
    machine_expect(m, "kubectl version", 0,
                   "Client Version: v1.32.5\nKustomize Version: v5.5.0\nServer Version: v1.32.5\n",
                   "");
    machine_expect(m, "kubectl version --client", 0,
                   "Client Version: v1.32.5\nKustomize Version: v5.5.0\n", "");
    machine_holds(m, "kubectl version -o json", 0,
                  "  \"serverVersion\": {\n    \"major\": \"1\",\n    \"minor\": \"32\",\n", NULL);
    machine_expect(m, "kubectl cluster-info", 0,
                   "Kubernetes control plane is running at https://dev.example.test:6443\n\n"
                   "To further debug and diagnose cluster problems, use 'kubectl cluster-info "
                   "dump'.\n",
                   "");
    machine_expect(m, "kubectl api-resources --api-group=apps", 0,
                   "NAME                  SHORTNAMES   APIVERSION   NAMESPACED   KIND\n"
                   "controllerrevisions                apps/v1      true         "
                   "ControllerRevision\n"
                   "daemonsets            ds           apps/v1      true         DaemonSet\n"
                   "deployments           deploy       apps/v1      true         Deployment\n"
                   "replicasets           rs           apps/v1      true         ReplicaSet\n"
                   "statefulsets          sts          apps/v1      true         StatefulSet\n",
                   "");
    machine_expect(m, "kubectl api-resources --api-group=batch -o name", 0,
                   "cronjobs.batch\njobs.batch\n", "");
    machine_expect(m, "kubectl api-resources --verbs=nope", 0,
                   "NAME   SHORTNAMES   APIVERSION   NAMESPACED   KIND\n", "");
    machine_expect(m, "kubectl api-resources x", 1, "",
                   "error: unexpected arguments: [x]\n"
                   "See 'kubectl api-resources -h' for help and examples\n");
    machine_holds(m, "kubectl api-versions", 0, "apps/v1\nautoscaling/v2\nbatch/v1\n", NULL);
}

static void rights(void **state)
{
    struct machine *m = *state;
    machine_expect(m, "kubectl auth can-i delete pods", 0, "yes\n", "");
    machine_expect(m, "kubectl auth can-i get pods -q", 0, "", "");
    machine_expect(m, "kubectl auth can-i get nodes", 0, "yes\n",
                   "Warning: resource 'nodes' is not namespace scoped\n\n");
    machine_expect(m, "kubectl auth can-i get nopes", 0, "yes\n",
                   "Warning: the server doesn't have a resource type 'nopes'\n\n");
    machine_expect(m, "kubectl auth can-i", 1, "",
                   "error: you must specify two arguments: verb resource or verb "
                   "resource/resourceName.\nSee 'kubectl auth can-i -h' for help and examples.\n");
    /* Rights are not modelled: of somebody else nothing is claimed. */
    machine_holds(m, "kubectl auth can-i get pods --as=somebody", 1, "", "not simulated");
}

static void loads(void **state)
{
    struct machine *m = *state;
    machine_holds(m, "kubectl top pods", 0,
                  "   CPU(cores)   MEMORY(bytes)   \ntool                  ", NULL);
    machine_expect(m, "kubectl top pod tool --containers", 0,
                   "POD    NAME   CPU(cores)   MEMORY(bytes)   \n"
                   "tool   a      4m           96Mi            \n"
                   "tool   b      4m           96Mi            \n",
                   "");
    machine_expect(m, "kubectl top pods -l app=tool --no-headers", 0, "tool   8m    192Mi   \n",
                   "");
    machine_expect(m, "kubectl top pods -l app=tool --sum", 0,
                   "NAME   CPU(cores)   MEMORY(bytes)   \n"
                   "tool   8m           192Mi           \n"
                   "       ________     ________        \n"
                   "       8m           192Mi           \n",
                   "");
    machine_expect(m, "kubectl top pod nope", 1, "",
                   "Error from server (NotFound): podmetrics.metrics.k8s.io \"shop/nope\" not "
                   "found\n");
    machine_expect(m, "kubectl top pods -l app=none", 0, "",
                   "No resources found in shop namespace.\n");
    machine_expect(m, "kubectl top pods --sort-by=x", 1, "",
                   "error: --sort-by accepts only cpu or memory\n");
    machine_expect(m, "kubectl top pods a b", 1, "",
                   "error: pod [NAME | -l label]\nSee 'kubectl top pod -h' for help and "
                   "examples\n");
    machine_holds(m, "kubectl top nodes", 0,
                  "NAME     CPU(cores)   CPU(%)   MEMORY(bytes)   MEMORY(%)   \nnode-1   ", NULL);
}

static void events(void **state)
{
    struct machine *m = *state;
    machine_expect(m, "kubectl events", 0, "", "No events found in shop namespace.\n");
    assert_int_equal(double_run(&m->d, "kubectl set env deploy/web A=1"), 0);
    machine_advance(m, 60 * SECOND);
    machine_holds(m, "kubectl events --for deploy/web", 0,
                  "LAST SEEN   TYPE     REASON              OBJECT           MESSAGE\n"
                  "60s         Normal   ScalingReplicaSet   Deployment/web   Scaled up replica set "
                  "web-",
                  NULL);
    machine_expect(m, "kubectl events --for deploy/nope", 0, "",
                   "No events found in shop namespace.\n");
    machine_expect(m, "kubectl events --for nope", 1, "",
                   "error: --for must be in resource/name form\n");
    machine_expect(m, "kubectl events --types=Warning --for deploy/web", 0, "",
                   "No events found in shop namespace.\n");
}

#define WITH_MACHINE(test) cmocka_unit_test_setup_teardown(test, start, finish)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_MACHINE(contexts), WITH_MACHINE(servers), WITH_MACHINE(rights),
        WITH_MACHINE(loads),    WITH_MACHINE(events),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
