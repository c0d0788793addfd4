/* The controllers of the Kubernetes fake: who gets traffic, what probes and hooks do, what holds
 * numbers up, what follows a changed ConfigMap.
 *
 * Expectations are from Kubernetes' documentation and the sources named in the controllers' files.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/kube.h"

static const char system_text[] =
    "services:\n"
    "  web:\n"
    "    runs: {deployment: web-blue, namespace: shop}\n"
    "    replicas: 2\n"
    "    versions:\n"
    "      v1: {time: {p50: 5ms, p99: 20ms}, start: 2s}\n"
    "      v2: {time: {p50: 5ms, p99: 20ms}, start: 2s, errors: 100%}\n"
    "      sick: {time: {p50: 5ms, p99: 20ms}, start: 2s, needs: {settings: {mode: never}}}\n"
    "traffic: {users: {to: web, rate: 100/s}}\n"
    "kubernetes:\n"
    "  namespace: shop\n"
    "  nodes: [node-1]\n"
    "  manifests: [/k8s/base.yaml]\n"
    "  images: {\"reg/web\": {stop: 2s}}\n";

/* name, color, image, more of the container (12 blanks before it) */
#define DEPLOYMENT(name, color, image, more)                                                       \
    "apiVersion: apps/v1\n"                                                                        \
    "kind: Deployment\n"                                                                           \
    "metadata: {name: " name "}\n"                                                                 \
    "spec:\n"                                                                                      \
    "  replicas: 2\n"                                                                              \
    "  selector: {matchLabels: {color: " color "}}\n"                                              \
    "  template:\n"                                                                                \
    "    metadata: {labels: {app: web, color: " color "}}\n"                                       \
    "    spec:\n"                                                                                  \
    "      volumes: [{name: files, configMap: {name: files}}]\n"                                   \
    "      containers:\n"                                                                          \
    "      - name: web\n"                                                                          \
    "        image: " image "\n"                                                                   \
    "        ports: [{containerPort: 8080, name: http}]\n" more "---\n"
#define SERVICE(name, color, target)                                                               \
    "apiVersion: v1\n"                                                                             \
    "kind: Service\n"                                                                              \
    "metadata: {name: " name "}\n"                                                                 \
    "spec: {selector: {color: " color "}, ports: [{port: 80, targetPort: " target "}]}\n"          \
    "---\n"
#define CONFIG                                                                                     \
    "apiVersion: v1\n"                                                                             \
    "kind: ConfigMap\n"                                                                            \
    "metadata: {name: files}\n"                                                                    \
    "data: {a.conf: one}\n"                                                                        \
    "---\n"

static const char blue_green[] = CONFIG DEPLOYMENT("web-blue", "blue", "reg/web:v1", "")
    DEPLOYMENT("web-green", "green", "reg/web:v2", "") SERVICE("web", "blue", "http")
        SERVICE("web-blue", "blue", "http") SERVICE("web-green", "green", "http");

/* How many of each version serve. */
static const char *serving(struct kube *k)
{
    static char text[100];
    int n[2] = {0, 0};
    struct service *web = world_service(k->m.world, "web");
    for (int i = 0; i < service_instances(web); i++) {
        const struct instance *one = service_instance(web, i);
        if (instance_state(one) == INSTANCE_READY && instance_in_rotation(one))
            n[strcmp(instance_version(one), "v2") == 0]++;
    }
    snprintf(text, sizeof text, "%d v1, %d v2", n[0], n[1]);
    return text;
}

/* The traffic comes through the Service that is named like the application, not through those for
 * looking at one colour. */
static void test_blue_green(void **state)
{
    (void)state;
    struct kube k;
    kube_begin(&k, system_text, blue_green);
    assert_string_equal(serving(&k), "2 v1, 0 v2");
    kube_patch(&k, "Service", "web", "{\"spec\":{\"selector\":{\"color\":\"green\"}}}");
    kube_pass(&k, 1);
    assert_string_equal(serving(&k), "0 v1, 2 v2");
    kube_patch(&k, "Service", "web", "{\"spec\":{\"selector\":{\"color\":null,\"app\":\"web\"}}}");
    kube_pass(&k, 1);
    assert_string_equal(serving(&k), "2 v1, 2 v2");
    kube_patch(&k, "Service", "web",
               "{\"spec\":{\"ports\":[{\"port\":80,\"targetPort\":9090}]}}"); /* nobody listens */
    kube_pass(&k, 1);
    assert_string_equal(serving(&k), "0 v1, 0 v2");
    cluster_delete(k.cluster, kube_find(&k, "Service", "web"), -1, false);
    kube_pass(&k, 1);
    assert_string_equal(serving(&k), "0 v1, 0 v2");
    machine_release(&k.m);
}

static const char behind_ingress[] = CONFIG DEPLOYMENT("web-blue", "blue", "reg/web:v1", "")
    DEPLOYMENT("web-green", "green", "reg/web:v2", "") SERVICE("web-blue", "blue", "http")
        SERVICE("web-green", "green", "http") "apiVersion: networking.k8s.io/v1\n"
                                              "kind: Ingress\n"
                                              "metadata: {name: web}\n"
                                              "spec:\n"
                                              "  rules:\n"
                                              "  - host: shop.example.com\n"
                                              "    http:\n"
                                              "      paths:\n"
                                              "      - path: /\n"
                                              "        pathType: Prefix\n"
                                              "        backend: {service: {name: web-blue, "
                                              "port: {number: 80}}}\n";

/* The share of the next 100 seconds' requests that v2 gets, which answers none. */
static double green_share(struct kube *k)
{
    double requests = 0, errors = 0, requests_after = 0, errors_after = 0;
    const struct service *web = world_service(k->m.world, "web");
    assert_true(service_metric(web, "requests_total", &requests));
    assert_true(service_metric(web, "errors_total", &errors));
    kube_pass(k, 100);
    assert_true(service_metric(web, "requests_total", &requests_after));
    assert_true(service_metric(web, "errors_total", &errors_after));
    return (errors_after - errors) / (requests_after - requests);
}

/* What an Ingress leads to gets the traffic; a canary Ingress takes its share of it. */
static void test_ingress(void **state)
{
    (void)state;
    struct kube k;
    kube_begin(&k, system_text, behind_ingress);
    assert_string_equal(serving(&k), "2 v1, 0 v2");
    cJSON *canary = cJSON_Duplicate(kube_find(&k, "Ingress", "web")->json, true);
    struct api_error error = {0};
    cJSON *metadata = cJSON_CreateObject(), *notes = json_child(metadata, "annotations");
    json_set_text(metadata, "name", "web-canary");
    json_set_text(notes, "nginx.ingress.kubernetes.io/canary", "true");
    json_set_text(notes, "nginx.ingress.kubernetes.io/canary-weight", "20");
    json_set(canary, "metadata", metadata);
    cJSON *path = json_at(json_at(canary, "spec", "rules")->child, "http", "paths")->child;
    json_set_text(json_at(path, "backend", "service"), "name", "web-green");
    assert_non_null(cluster_create(k.cluster,
                                   cluster_kind(k.cluster, "Ingress", "networking.k8s.io/v1"),
                                   "shop", canary, false, &error));
    kube_pass(&k, 1);
    assert_string_equal(serving(&k), "2 v1, 2 v2");
    double share = green_share(&k);
    assert_true(share > 0.19 && share < 0.21);
    cluster_delete(k.cluster, kube_find(&k, "Ingress", "web-canary"), -1, false);
    kube_pass(&k, 1);
    assert_string_equal(serving(&k), "2 v1, 0 v2");
    kube_patch(&k, "Ingress", "web",
               "{\"spec\":{\"rules\":[{\"host\":\"shop.example.com\",\"http\":{\"paths\":[{"
               "\"path\":\"/\",\"pathType\":\"Prefix\",\"backend\":{\"service\":{\"name\":"
               "\"web-green\",\"port\":{\"number\":80}}}}]}}]}}");
    kube_pass(&k, 1);
    assert_string_equal(serving(&k), "0 v1, 2 v2");
    cluster_delete(k.cluster, kube_find(&k, "Ingress", "web"), -1, false);
    kube_pass(&k, 1);
    assert_string_equal(serving(&k), "0 v1, 0 v2");
    machine_release(&k.m);
}

static void set_image(struct kube *k, const char *tag)
{
    char text[300];
    snprintf(text, sizeof text,
             "{\"spec\":{\"template\":{\"spec\":{\"containers\":[{\"name\":\"web\",\"image\":"
             "\"reg/web:%s\"}]}}}}",
             tag);
    kube_patch(k, "Deployment", "web-blue", text);
}

/* Without a readiness probe a pod is ready as soon as it runs: a bad version is rolled out to the
 * end. */
static void test_no_probe(void **state)
{
    (void)state;
    struct kube k;
    kube_begin(&k, system_text,
               CONFIG DEPLOYMENT("web-blue", "blue", "reg/web:v1", "")
                   SERVICE("web", "blue", "http"));
    set_image(&k, "sick");
    kube_pass(&k, 30);
    struct object *web = kube_find(&k, "Deployment", "web-blue");
    assert_int_equal(kube_number(web, "updatedReplicas"), 2);
    assert_int_equal(kube_number(web, "availableReplicas"), 2);
    assert_string_equal(serving(&k), "0 v1, 0 v2");
    machine_release(&k.m);
}

/* A liveness probe that fails three times in a row, each 10 s, the first after 10 s, ends the
 * container, which takes 2 s and is started again at once. */
static void test_liveness(void **state)
{
    (void)state;
    struct kube k;
    kube_begin(&k, system_text,
               CONFIG DEPLOYMENT("web-blue", "blue", "reg/web:v1",
                                 "        livenessProbe: {httpGet: {path: /, port: http}, "
                                 "initialDelaySeconds: 10}\n") SERVICE("web", "blue", "http"));
    kube_patch(&k, "Deployment", "web-blue", "{\"spec\":{\"replicas\":1}}");
    kube_pass(&k, 10);
    set_image(&k, "sick");
    kube_watch_pods(&k, 60);
    kube_expect(&k, "  0.0 | web Running ready 0\n"
                    "  0.5 | web ContainerCreating 0 | web Running ready 0\n"
                    "  4.5 | web Running ready 0 | web Terminating ready 0\n"
                    "  6.5 | web Running ready 0 | web Terminating 0\n"
                    "  8.5 | web Running ready 0\n"
                    " 36.5 | web Completed 0\n"
                    " 38.0 | web Running ready 1\n");
    machine_release(&k.m);
}

/* A preStop hook that sleeps keeps the program going for that long; then SIGTERM. */
static void test_pre_stop(void **state)
{
    (void)state;
    struct kube k;
    kube_begin(
        &k, system_text,
        CONFIG DEPLOYMENT("web-blue", "blue", "reg/web:v1",
                          "        lifecycle: {preStop: {exec: {command: [sh, -c, sleep 10]}}}\n")
            SERVICE("web", "blue", "http"));
    kube_patch(&k, "Deployment", "web-blue", "{\"spec\":{\"replicas\":0}}");
    kube_watch_pods(&k, 20);
    kube_expect(&k, "  0.0 | web Running ready 0 | web Running ready 0\n"
                    "  0.5 | web Terminating ready 0 | web Terminating ready 0\n"
                    " 12.5 | web Terminating 0 | web Terminating 0\n"
                    " 14.5\n");
    machine_release(&k.m);
}

static const char autoscaler[] = CONFIG DEPLOYMENT("web-blue", "blue", "reg/web:v1", "")
    SERVICE("web", "blue",
            "http") "apiVersion: autoscaling/v2\n"
                    "kind: HorizontalPodAutoscaler\n"
                    "metadata: {name: web}\n"
                    "spec:\n"
                    "  scaleTargetRef: {apiVersion: apps/v1, kind: Deployment, name: web-blue}\n"
                    "  minReplicas: 2\n"
                    "  maxReplicas: 4\n"
                    "---\n"
                    "apiVersion: policy/v1\n"
                    "kind: PodDisruptionBudget\n"
                    "metadata: {name: web}\n"
                    "spec: {minAvailable: 1, selector: {matchLabels: {app: web}}}\n";

/* An autoscaler takes back what is outside of its bounds within 15 s; scaled to nothing it is off.
 */
static void test_autoscaler(void **state)
{
    (void)state;
    struct kube k;
    kube_begin(&k, system_text, autoscaler);
    struct object *budget = kube_find(&k, "PodDisruptionBudget", "web");
    assert_int_equal(kube_number(budget, "disruptionsAllowed"), 1);
    kube_patch(&k, "Deployment", "web-blue", "{\"spec\":{\"replicas\":1}}");
    kube_pass(&k, 1);
    assert_int_equal(kube_number(budget, "disruptionsAllowed"), 0);
    kube_pass(&k, 30);
    assert_string_equal(serving(&k), "2 v1, 0 v2");
    kube_patch(&k, "Deployment", "web-blue", "{\"spec\":{\"replicas\":9}}");
    kube_pass(&k, 30);
    assert_string_equal(serving(&k), "4 v1, 0 v2");
    kube_patch(&k, "Deployment", "web-blue", "{\"spec\":{\"replicas\":0}}");
    kube_pass(&k, 60);
    assert_string_equal(serving(&k), "0 v1, 0 v2");
    machine_release(&k.m);
}

/* A Job each five minutes; the limit of finished ones is kept. */
static void test_cron_job(void **state)
{
    (void)state;
    struct kube k;
    kube_begin(&k, system_text,
               CONFIG DEPLOYMENT("web-blue", "blue", "reg/web:v1", "") SERVICE(
                   "web", "blue", "http") "apiVersion: batch/v1\n"
                                          "kind: CronJob\n"
                                          "metadata: {name: report}\n"
                                          "spec:\n"
                                          "  schedule: '*/5 * * * *'\n"
                                          "  jobTemplate:\n"
                                          "    spec:\n"
                                          "      template:\n"
                                          "        spec:\n"
                                          "          restartPolicy: OnFailure\n"
                                          "          containers: [{name: r, image: r:1}]\n");
    assert_int_equal(kube_count(&k, "Job", "batch/v1"), 0);
    kube_pass(&k, 330);
    assert_int_equal(kube_count(&k, "Job", "batch/v1"), 1);
    kube_pass(&k, 1800);
    assert_int_equal(kube_count(&k, "Job", "batch/v1"), 3);
    kube_patch(&k, "CronJob", "report", "{\"spec\":{\"suspend\":true}}");
    kube_pass(&k, 600);
    assert_int_equal(kube_count(&k, "Job", "batch/v1"), 3);
    machine_release(&k.m);
}

/* A namespace goes when all in it has gone. */
static void test_namespace(void **state)
{
    (void)state;
    struct kube k;
    kube_begin(&k, system_text, blue_green);
    cluster_delete(k.cluster, cluster_find_named(k.cluster, "Namespace", "", "shop"), -1, false);
    kube_pass(&k, 2);
    assert_non_null(cluster_find_named(k.cluster, "Namespace", "", "shop"));
    kube_pass(&k, 10);
    assert_null(cluster_find_named(k.cluster, "Namespace", "", "shop"));
    assert_int_equal(kube_count(&k, "Pod", "v1"), 0);
    assert_string_equal(serving(&k), "0 v1, 0 v2");
    machine_release(&k.m);
}

/* An init container that waits for a Service waits until somebody stands behind it. */
static void test_init(void **state)
{
    (void)state;
    struct kube k;
    kube_begin(&k, system_text,
               CONFIG DEPLOYMENT("web-blue", "blue", "reg/web:v1", "")
                   SERVICE("web", "blue", "http") SERVICE("db", "none", "5432"));
    kube_patch(
        &k, "Deployment", "web-blue",
        "{\"spec\":{\"replicas\":1,\"template\":{\"spec\":{\"initContainers\":[{\"name\":"
        "\"wait\",\"image\":\"busybox\",\"command\":[\"sh\",\"-c\",\"until nc -z db 5432; do "
        "sleep 1; done\"]}]}}}}");
    kube_pass(&k, 60);
    struct object *web = kube_find(&k, "Deployment", "web-blue");
    assert_int_equal(kube_number(web, "updatedReplicas"), 1);
    assert_int_equal(kube_number(web, "readyReplicas"), 1);
    assert_int_equal(kube_number(web, "replicas"), 2);
    kube_patch(&k, "Service", "db", "{\"spec\":{\"selector\":{\"color\":\"blue\"}}}");
    kube_pass(&k, 20);
    assert_int_equal(kube_number(web, "replicas"), 1);
    assert_int_equal(kube_number(web, "readyReplicas"), 1);
    assert_string_equal(serving(&k), "1 v1, 0 v2");
    machine_release(&k.m);
}

static const char *file_in_pod(struct kube *k, const char *path)
{
    static char text[100];
    struct arena scratch = {0};
    struct buf content;
    struct env *env = &k->m.d.env;
    struct object *pod = *cluster_list(k->cluster, &scratch, cluster_kind(k->cluster, "Pod", "v1"),
                                       "shop", NULL, NULL);
    buf_init(&content, sizeof text);
    struct visit *visit = pod_enter(&k->m.d.call, pod, "web");
    const char *place = pod_place(k->cluster, pod, "web");
    bool there = visit && env_load(env, place, path, &content) == 0;
    snprintf(text, sizeof text, "%.*s", there ? (int)content.len : 7,
             there ? content.at : "nothing");
    if (visit)
        visit_end(visit);
    buf_release(&content);
    arena_release(&scratch);
    return text;
}

/* Mounted files follow a changed ConfigMap at the kubelet's next look, within a minute; a single
 * file that is mounted (subPath) never does. */
static void test_mounted_files(void **state)
{
    (void)state;
    struct kube k;
    kube_begin(&k, system_text,
               CONFIG DEPLOYMENT("web-blue", "blue", "reg/web:v1",
                                 "        volumeMounts:\n"
                                 "        - {name: files, mountPath: /etc/web}\n"
                                 "        - {name: files, mountPath: /b.conf, subPath: a.conf}\n")
                   SERVICE("web", "blue", "http"));
    assert_string_equal(file_in_pod(&k, "/etc/web/a.conf"), "one");
    assert_string_equal(file_in_pod(&k, "/b.conf"), "one");
    kube_patch(&k, "ConfigMap", "files", "{\"data\":{\"a.conf\":\"two\"}}");
    kube_pass(&k, 1);
    assert_string_equal(file_in_pod(&k, "/etc/web/a.conf"), "one");
    kube_pass(&k, 60);
    assert_string_equal(file_in_pod(&k, "/etc/web/a.conf"), "two");
    assert_string_equal(file_in_pod(&k, "/b.conf"), "one");
    const struct instance *one = service_instance(world_service(k.m.world, "web"), 0);
    assert_string_equal(instance_setting(one, "a.conf"), "one"); /* as its program read it */
    machine_release(&k.m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_blue_green), cmocka_unit_test(test_ingress),
        cmocka_unit_test(test_no_probe),   cmocka_unit_test(test_liveness),
        cmocka_unit_test(test_pre_stop),   cmocka_unit_test(test_autoscaler),
        cmocka_unit_test(test_cron_job),   cmocka_unit_test(test_namespace),
        cmocka_unit_test(test_init),       cmocka_unit_test(test_mounted_files),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
