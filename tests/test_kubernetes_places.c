/* What is found in pods: the stores that run there, Services by their names, roots of their own. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "fakes/http.h"
#include "fakes/kubernetes/setup/setup.h"
#include "tests/machine.h"

static const char manifests[] =
    "apiVersion: apps/v1\n"
    "kind: Deployment\n"
    "metadata: {name: web}\n"
    "spec:\n"
    "  replicas: 2\n"
    "  selector: {matchLabels: {app: web}}\n"
    "  template:\n"
    "    metadata: {labels: {app: web}}\n"
    "    spec: {containers: [{name: web, image: 'reg/web:v1', ports: [{containerPort: 8080}],\n"
    "      readinessProbe: {httpGet: {port: 8080}}}]}\n"
    "---\n"
    "apiVersion: v1\n"
    "kind: Service\n"
    "metadata: {name: shop}\n"
    "spec: {type: NodePort, selector: {app: web},\n"
    "  ports: [{port: 80, targetPort: 8080, nodePort: 30080}]}\n"
    "---\n"
    "apiVersion: v1\n"
    "kind: Service\n"
    "metadata: {name: wrong}\n"
    "spec: {selector: {app: wbe}, ports: [{port: 80}]}\n"
    "---\n"
    "apiVersion: networking.k8s.io/v1\n"
    "kind: Ingress\n"
    "metadata: {name: shop}\n"
    "spec: {rules: [{host: shop.example.test, http: {paths: [{path: /, pathType: Prefix,\n"
    "  backend: {service: {name: shop, port: {number: 80}}}}]}}]}\n"
    "---\n"
    "apiVersion: apps/v1\n"
    "kind: StatefulSet\n"
    "metadata: {name: db}\n"
    "spec:\n"
    "  serviceName: db\n"
    "  selector: {matchLabels: {app: db}}\n"
    "  template:\n"
    "    metadata: {labels: {app: db}}\n"
    "    spec: {containers: [{name: db, image: 'postgres:15', ports: [{containerPort: 5432}]}]}\n"
    "---\n"
    "apiVersion: v1\n"
    "kind: Service\n"
    "metadata: {name: db}\n"
    "spec: {clusterIP: None, selector: {app: db}, ports: [{port: 5432}]}\n";

static const struct machine_file files[] = {{"/opt/shop/k8s.yaml", manifests}, {NULL, NULL}};

static struct machine m;

static int begin(void **state)
{
    (void)state;
    machine_init(&m,
                 "services:\n"
                 "  web: {runs: {deployment: web}, versions: {v1: {}, v2: {}}}\n"
                 "  db: {runs: {statefulset: db}, versions: {'15': {}}}\n"
                 "stores: {db: {engine: postgresql 15, service: db, database: shop, user: shop,\n"
                 "              tables: {orders: {}}}}\n"
                 "kubernetes:\n"
                 "  manifests: /opt/shop/k8s.yaml\n"
                 "  images: {reg/web: {tools: [curl, psql]}}\n"
                 "http: {web: {port: 8080, health: /healthz}}\n",
                 NULL, files);
    return 0;
}

static int end(void **state)
{
    (void)state;
    machine_release(&m);
    return 0;
}

static const char *web_pod(void)
{
    struct cluster *cluster = cluster_of(&m.d.env);
    struct object **pods =
        cluster_list(cluster, &m.arena, cluster_kind(cluster, "Pod", "v1"), "default", NULL, NULL);
    while (strncmp((*pods)->name, "web-", 4) != 0)
        pods++;
    return (*pods)->name;
}

static void inside(const char *format, int status, const char *out, const char *err)
{
    machine_expect(&m, arena_printf(&m.arena, "kubectl exec -i %s -- %s", web_pod(), format),
                   status, out, err);
}

static void stores(void **state)
{
    (void)state;
    machine_expect(&m, "kubectl exec db-0 -- psql -U shop -d shop -Atc 'select 1'", 0, "1\n", "");
    machine_expect(&m, "kubectl exec db-0 -- psql -h localhost -U shop shop -Atc 'select 2'", 0,
                   "2\n", "");
    inside("psql -h db -U shop shop -Atc 'select 3'", 0, "3\n", "");
    inside("psql -h db-0.db.default.svc.cluster.local -U shop shop -Atc 'select 4'", 0, "4\n", "");
    inside("psql -h dbb -U shop shop -Atc 'select 5'", 2, "",
           "psql: error: could not translate host name \"dbb\" to address: Name or service not "
           "known\ncommand terminated with exit code 2\n");
    inside("psql -U shop shop -Atc 'select 6'", 2, "",
           "psql: error: connection to server on socket \"/var/run/postgresql/.s.PGSQL.5432\" "
           "failed: No such file or directory\n\tIs the server running locally and accepting "
           "connections on that socket?\ncommand terminated with exit code 2\n");
}

static void names_of_services(void **state)
{
    static const struct {
        const char *url, *code;
        int status;
    } cases[] = {
        {"http://shop/healthz", "200", 0},
        {"http://shop.default/healthz", "200", 0},
        {"http://shop.default.svc.cluster.local/healthz", "200", 0},
        {"http://localhost:8080/healthz", "200", 0}, /* itself */
        {"http://localhost:8081/healthz", "000", 7},
        {"http://shop.prod/healthz", "000", 6},  /* no such namespace */
        {"http://web/healthz", "000", 6},        /* no such Service: the Deployment's name */
        {"http://wrong/", "000", 7},             /* no endpoints */
        {"http://shop:8080/healthz", "000", 28}, /* a port that the Service does not have */
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const char *err =
            cases[i].status
                ? arena_printf(&m.arena, "command terminated with exit code %d\n", cases[i].status)
                : "";
        inside(
            arena_printf(&m.arena, "curl -s -m 3 -o /dev/null -w '%%{http_code}' %s", cases[i].url),
            cases[i].status, cases[i].code, err);
    }
    machine_expect(&m, "curl -s -m 3 -o /dev/null -w '%{http_code}' http://shop/healthz", 6, "000",
                   "");
    /* what listens in pods does not listen on the operator's machine */
    machine_expect(&m, "curl -s -o /dev/null -w '%{http_code}' http://localhost:8080/healthz", 7,
                   "000", "");
    machine_expect(&m, "curl -s -o /dev/null -w '%{http_code}' http://node-1:30080/healthz", 0,
                   "200", "");
    machine_expect(&m, "curl -s -o /dev/null -w '%{http_code}' http://10.0.0.12:30080/healthz", 0,
                   "200", "");
    machine_expect(&m, "curl -s -o /dev/null -w '%{http_code}' http://shop.example.test/healthz", 0,
                   "200", "");
    machine_holds(&m, "kubectl scale deployment web --replicas=0", 0, NULL, "");
    machine_advance(&m, MINUTE);
    machine_expect(&m, "curl -s -o /dev/null -w '%{http_code}' http://node-1:30080/healthz", 7,
                   "000", "");
}

/* A place is a pod's until it is gone; then another's. */
static void places(void **state)
{
    (void)state;
    struct cluster *cluster = cluster_of(&m.d.env);
    struct object *pod = cluster_find_named(cluster, "Pod", "default", "db-0");
    const char *place = pod_place(cluster, pod, "db");
    assert_non_null(place);
    assert_string_equal(pod_place(cluster, pod, "db"), place);
    assert_ptr_equal(place_pod(cluster, place), pod);
    assert_true(env_place_is(&m.d.env, place, "db-0"));
    pod_place_lost(cluster, pod, NULL);
    assert_null(place_pod(cluster, place));
    assert_false(env_place_is(&m.d.env, place, "db-0"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(stores, begin, end),
        cmocka_unit_test_setup_teardown(names_of_services, begin, end),
        cmocka_unit_test_setup_teardown(places, begin, end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
