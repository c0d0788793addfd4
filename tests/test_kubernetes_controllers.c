/* The controllers of the Kubernetes fake: what happens in the cluster after a change, and when.
 *
 * Expectations are from Kubernetes' documentation (Deployments, Pod lifecycle, StatefulSets, Jobs,
 * Services) and the sources named in the controllers' files. */
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
    "    runs: {deployment: web, namespace: shop}\n"
    "    replicas: 3\n"
    "    versions:\n"
    "      v1: {time: {p50: 5ms, p99: 20ms}, start: 2s}\n"
    "      v2: {time: {p50: 5ms, p99: 20ms}, start: 2s}\n"
    "      bad: {time: {p50: 5ms, p99: 20ms}, start: 2s, needs: {settings: {mode: never}},\n"
    "            unmet: fail}\n"
    "      crash: {time: {p50: 5ms, p99: 20ms}, start: 2s, needs: {settings: {mode: never}},\n"
    "              unmet: crash}\n"
    "kubernetes:\n"
    "  namespace: shop\n"
    "  nodes: [node-1, node-2]\n"
    "  manifests: [/k8s/base.yaml]\n"
    "  registry: {missing: [\"reg/web:gone\"]}\n";

static const char base[] =
    "apiVersion: apps/v1\n"
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
    "        env:\n"
    "        - name: LEVEL\n"
    "          valueFrom: {configMapKeyRef: {name: web-config, key: LEVEL}}\n"
    "        readinessProbe: {httpGet: {path: /ready, port: 8080}, periodSeconds: 5}\n"
    "---\n"
    "apiVersion: v1\n"
    "kind: Service\n"
    "metadata: {name: web}\n"
    "spec: {selector: {app: web}, ports: [{port: 80, targetPort: 8080}]}\n"
    "---\n"
    "apiVersion: v1\n"
    "kind: ConfigMap\n"
    "metadata: {name: web-config}\n"
    "data: {LEVEL: info}\n";

static void begin(struct kube *f)
{
    kube_begin(f, system_text, base);
}

static void set_image(struct kube *f, const char *tag)
{
    char text[300];
    snprintf(text, sizeof text,
             "{\"spec\":{\"template\":{\"spec\":{\"containers\":[{\"name\":\"web\",\"image\":"
             "\"reg/web:%s\"}]}}}}",
             tag);
    kube_patch(f, "Deployment", "web", text);
}

static void test_settled(void **state)
{
    (void)state;
    struct kube f;
    begin(&f);
    struct object *web = kube_find(&f, "Deployment", "web");
    assert_int_equal(kube_number(web, "replicas"), 3);
    assert_int_equal(kube_number(web, "availableReplicas"), 3);
    assert_int_equal(service_ready(world_service(f.m.world, "web")), 3);
    assert_string_equal(
        json_text(web->json, "metadata", "annotations", "deployment.kubernetes.io/revision"), "1");
    machine_release(&f.m);
}

/* One more, one less, until all are new: never fewer than three serve. A node takes 0.6 s for the
 * sandbox, 3.4 s for the first pull of 120 MB, 0.3 s to make the container; the program 2 s to
 * start, so that the probe at once fails, and the next 5 s later passes. */
static void test_rolling(void **state)
{
    (void)state;
    struct kube f;
    begin(&f);
    set_image(&f, "v2");
    kube_watch(&f, "web", 60);
    kube_expect(&f, "  0.0 3 pods, 3 new, 3 ready, 3 available, 3 serve\n"
                    "  0.5 4 pods, 1 new, 3 ready, 3 available, 3 serve\n"
                    "  9.5 4 pods, 2 new, 3 ready, 3 available, 3 serve\n"
                    " 19.0 4 pods, 3 new, 3 ready, 3 available, 3 serve\n"
                    " 25.0 3 pods, 3 new, 3 ready, 3 available, 3 serve\n");
    machine_release(&f.m);
}

static void one_replica(struct kube *f)
{
    kube_patch(f, "Deployment", "web", "{\"spec\":{\"replicas\":1}}");
    machine_advance(&f->m, world_now(f->m.world) + 10 * SECOND);
}

/* A version that never becomes ready stalls the rollout: the old pods go on serving, after the
 * deadline it is said, and nothing rolls back by itself. What is put back is used again under a new
 * revision. */
static void test_bad(void **state)
{
    (void)state;
    struct kube f;
    begin(&f);
    set_image(&f, "bad");
    kube_watch(&f, "web", 59);
    kube_expect(&f, "  0.0 3 pods, 3 new, 3 ready, 3 available, 3 serve\n"
                    "  0.5 4 pods, 1 new, 3 ready, 3 available, 3 serve\n");
    assert_string_equal(kube_reason_of(&f, "web", "Progressing"), "ReplicaSetUpdated");
    kube_watch(&f, "web", 5);
    assert_string_equal(kube_reason_of(&f, "web", "Progressing"), "ProgressDeadlineExceeded");
    assert_string_equal(kube_reason_of(&f, "web", "Available"), "MinimumReplicasAvailable");
    kube_watch(&f, "web", 600);
    f.text[0] = '\0';
    set_image(&f, "v1");
    kube_watch(&f, "web", 20);
    kube_expect(&f, "  0.0 4 pods, 1 new, 3 ready, 3 available, 3 serve\n"
                    "  0.5 3 pods, 3 new, 3 ready, 3 available, 3 serve\n");
    assert_string_equal(kube_reason_of(&f, "web", "Progressing"), "NewReplicaSetAvailable");
    assert_string_equal(kube_revision(&f, "web"), "3");
    assert_int_equal(kube_count(&f, "ReplicaSet", "apps/v1"), 2);
    machine_release(&f.m);
}

/* The first restart at once, then after 10, 20, 40 s (pkg/kubelet/kubelet.go); in between the pod
 * is in CrashLoopBackOff, and its phase stays Running. The program takes 2 s to crash. */
static void test_crash(void **state)
{
    (void)state;
    struct kube f;
    begin(&f);
    one_replica(&f);
    set_image(&f, "crash");
    kube_watch_pods(&f, 90);
    kube_expect(&f, "  0.0 | web Running ready 0\n"
                    "  0.5 | web Running ready 0 | web ContainerCreating 0\n"
                    "  4.5 | web Running ready 0 | web Running 0\n"
                    "  6.5 | web Running ready 0 | web Error 0\n"
                    "  8.0 | web Running ready 0 | web Running 1\n"
                    "  9.5 | web Running ready 0 | web Error 1\n"
                    " 10.5 | web Running ready 0 | web CrashLoopBackOff 1\n"
                    " 20.0 | web Running ready 0 | web Running 2\n"
                    " 22.0 | web Running ready 0 | web Error 2\n"
                    " 23.0 | web Running ready 0 | web CrashLoopBackOff 2\n"
                    " 42.5 | web Running ready 0 | web Running 3\n"
                    " 44.5 | web Running ready 0 | web Error 3\n"
                    " 45.5 | web Running ready 0 | web CrashLoopBackOff 3\n"
                    " 84.5 | web Running ready 0 | web Running 4\n"
                    " 86.5 | web Running ready 0 | web Error 4\n"
                    " 87.5 | web Running ready 0 | web CrashLoopBackOff 4\n");
    machine_release(&f.m);
}

/* Pulls are tried again after 10, 20, 40 s, seen at the next look of the kubelet (10 to 15 s);
 * in between ImagePullBackOff. */
static void test_no_image(void **state)
{
    (void)state;
    struct kube f;
    begin(&f);
    one_replica(&f);
    set_image(&f, "gone");
    kube_watch_pods(&f, 120);
    kube_expect(&f, "  0.0 | web Running ready 0\n"
                    "  0.5 | web Running ready 0 | web ContainerCreating 0\n"
                    "  1.5 | web Running ready 0 | web ErrImagePull 0\n"
                    " 14.0 | web Running ready 0 | web ImagePullBackOff 0\n"
                    " 26.5 | web Running ready 0 | web ErrImagePull 0\n"
                    " 39.0 | web Running ready 0 | web ImagePullBackOff 0\n"
                    " 52.0 | web Running ready 0 | web ErrImagePull 0\n"
                    " 64.5 | web Running ready 0 | web ImagePullBackOff 0\n"
                    "102.5 | web Running ready 0 | web ErrImagePull 0\n"
                    "115.0 | web Running ready 0 | web ImagePullBackOff 0\n");
    machine_release(&f.m);
}

/* All old pods are gone before the first new one starts: nobody serves meanwhile. */
static void test_recreate(void **state)
{
    (void)state;
    struct kube f;
    begin(&f);
    kube_patch(&f, "Deployment", "web",
               "{\"spec\":{\"strategy\":{\"$retainKeys\":[\"type\"],\"type\":\"Recreate\"}}}");
    set_image(&f, "v2");
    kube_watch(&f, "web", 60);
    kube_expect(&f, "  0.0 3 pods, 3 new, 3 ready, 3 available, 3 serve\n"
                    "  0.5 0 pods, 0 new, 0 ready, 0 available, 0 serve\n"
                    "  2.5 3 pods, 3 new, 0 ready, 0 available, 0 serve\n"
                    " 11.5 3 pods, 3 new, 3 ready, 3 available, 3 serve\n");
    machine_release(&f.m);
}

static const char *setting(struct kube *f, const char *key)
{
    struct service *web = world_service(f->m.world, "web");
    const char *value = instance_setting(service_instance(web, service_instances(web) - 1), key);
    return value ? value : "";
}

/* A changed ConfigMap restarts nothing, and who runs keeps the environment it was started with. */
static void test_environment(void **state)
{
    (void)state;
    struct kube f;
    begin(&f);
    assert_string_equal(setting(&f, "LEVEL"), "info");
    kube_patch(&f, "ConfigMap", "web-config", "{\"data\":{\"LEVEL\":\"debug\"}}");
    kube_pass(&f, 300);
    assert_string_equal(setting(&f, "LEVEL"), "info");
    kube_patch(&f, "Deployment", "web",
               "{\"spec\":{\"template\":{\"metadata\":{\"annotations\":{"
               "\"kubectl.kubernetes.io/restartedAt\":\"2025-01-15T14:05:00Z\"}}}}}");
    kube_pass(&f, 60);
    assert_string_equal(setting(&f, "LEVEL"), "debug");
    assert_int_equal(service_ready(world_service(f.m.world, "web")), 3);
    machine_release(&f.m);
}

/* What a container needs and does not find keeps it from being made: CreateContainerConfigError. */
static void test_missing_config(void **state)
{
    (void)state;
    struct kube f;
    begin(&f);
    one_replica(&f);
    kube_patch(
        &f, "Deployment", "web",
        "{\"spec\":{\"template\":{\"spec\":{\"containers\":[{\"name\":\"web\",\"env\":[{\"name\":"
        "\"LEVEL\",\"valueFrom\":{\"configMapKeyRef\":{\"name\":\"nope\",\"key\":\"LEVEL\"}}}]}]"
        "}}}}");
    kube_watch_pods(&f, 30);
    kube_expect(&f, "  0.0 | web Running ready 0\n"
                    "  0.5 | web Running ready 0 | web ContainerCreating 0\n"
                    "  1.0 | web Running ready 0 | web CreateContainerConfigError 0\n");
    machine_release(&f.m);
}

/* A selector that fits nobody: no error, no endpoint, no traffic; pods stay ready. */
static void test_selector(void **state)
{
    (void)state;
    struct kube f;
    begin(&f);
    kube_patch(&f, "Service", "web", "{\"spec\":{\"selector\":{\"app\":\"wbe\"}}}");
    kube_pass(&f, 1);
    assert_int_equal(service_ready(world_service(f.m.world, "web")), 0);
    assert_int_equal(kube_number(kube_find(&f, "Deployment", "web"), "readyReplicas"), 3);
    assert_int_equal(
        cJSON_GetArraySize(json_at(kube_find(&f, "Endpoints", "web")->json, "subsets")), 0);
    kube_patch(&f, "Service", "web", "{\"spec\":{\"selector\":{\"app\":\"web\"}}}");
    kube_pass(&f, 1);
    assert_int_equal(service_ready(world_service(f.m.world, "web")), 3);
    assert_int_equal(
        cJSON_GetArraySize(json_at(
            json_at(kube_find(&f, "Endpoints", "web")->json, "subsets")->child, "addresses")),
        3);
    machine_release(&f.m);
}

/* A pod is out of rotation at once and ended by SIGTERM; what ignores it is killed after the grace,
 * seen within a second, and cleared away in another. */
static void test_termination(void **state)
{
    (void)state;
    struct kube f;
    char text[4000];
    snprintf(text, sizeof text, "%s  images: {\"reg/web\": {stop: never}}\n", system_text);
    kube_begin(&f, text, base);
    one_replica(&f);
    kube_pass(&f, 60);
    kube_patch(&f, "Deployment", "web", "{\"spec\":{\"replicas\":0}}");
    kube_watch_pods(&f, 40);
    kube_expect(&f, "  0.0 | web Running ready 0\n"
                    "  0.5 | web Terminating ready 0\n"
                    " 30.5 | web Terminating 0\n"
                    " 32.5\n");
    machine_release(&f.m);
}

/* maxSurge is rounded up, maxUnavailable down: of 10, a quarter is 3 more and 2 less. */
static void test_arithmetic(void **state)
{
    (void)state;
    struct kube f;
    begin(&f);
    kube_patch(&f, "Deployment", "web", "{\"spec\":{\"replicas\":10}}");
    kube_pass(&f, 60);
    set_image(&f, "bad");
    kube_watch(&f, "web", 30);
    kube_expect(&f, "  0.0 10 pods, 10 new, 10 ready, 10 available, 10 serve\n"
                    "  0.5 13 pods, 5 new, 8 ready, 8 available, 8 serve\n");
    machine_release(&f.m);
}

/* Old ReplicaSets beyond the limit go, the oldest first: nothing to go back to. */
static void test_history_limit(void **state)
{
    (void)state;
    struct kube f;
    begin(&f);
    kube_patch(&f, "Deployment", "web", "{\"spec\":{\"revisionHistoryLimit\":1}}");
    set_image(&f, "v2");
    kube_pass(&f, 60);
    assert_int_equal(kube_count(&f, "ReplicaSet", "apps/v1"), 2);
    kube_patch(&f, "Deployment", "web",
               "{\"spec\":{\"template\":{\"metadata\":{\"labels\":{\"n\":\"3\"}}}}}");
    kube_pass(&f, 60);
    assert_int_equal(kube_count(&f, "ReplicaSet", "apps/v1"), 2);
    assert_string_equal(kube_revision(&f, "web"), "3");
    machine_release(&f.m);
}

/* A paused Deployment does not roll, and is scaled. */
static void test_paused(void **state)
{
    (void)state;
    struct kube f;
    begin(&f);
    kube_patch(&f, "Deployment", "web", "{\"spec\":{\"paused\":true}}");
    set_image(&f, "v2");
    kube_pass(&f, 60);
    assert_int_equal(kube_number(kube_find(&f, "Deployment", "web"), "updatedReplicas"), 0);
    assert_string_equal(kube_reason_of(&f, "web", "Progressing"), "DeploymentPaused");
    kube_patch(&f, "Deployment", "web", "{\"spec\":{\"replicas\":5}}");
    kube_pass(&f, 60);
    assert_int_equal(service_ready(world_service(f.m.world, "web")), 5);
    kube_patch(&f, "Deployment", "web", "{\"spec\":{\"paused\":null}}");
    kube_pass(&f, 120);
    assert_int_equal(kube_number(kube_find(&f, "Deployment", "web"), "updatedReplicas"), 5);
    machine_release(&f.m);
}

/* What a Deployment owned goes with it. */
static void test_owner_gone(void **state)
{
    (void)state;
    struct kube f;
    begin(&f);
    cluster_delete(f.cluster, kube_find(&f, "Deployment", "web"), -1, false);
    kube_pass(&f, 10);
    assert_int_equal(kube_count(&f, "ReplicaSet", "apps/v1"), 0);
    assert_int_equal(kube_count(&f, "Pod", "v1"), 0);
    assert_int_equal(service_ready(world_service(f.m.world, "web")), 0);
    machine_release(&f.m);
}

/* A pod whose label is changed leaves its ReplicaSet, which makes another, and its Service; it runs
 * on for whoever wants to look at it. */
static void test_quarantine(void **state)
{
    (void)state;
    struct kube f;
    begin(&f);
    struct arena scratch = {0};
    struct object *pod = *cluster_list(f.cluster, &scratch, cluster_kind(f.cluster, "Pod", "v1"),
                                       "shop", NULL, NULL);
    arena_release(&scratch);
    kube_patch(&f, "Pod", pod->name, "{\"metadata\":{\"labels\":{\"app\":\"sick\"}}}");
    kube_pass(&f, 1);
    assert_int_equal(service_ready(world_service(f.m.world, "web")), 2);
    kube_pass(&f, 20);
    assert_int_equal(service_ready(world_service(f.m.world, "web")), 3);
    assert_int_equal(kube_count(&f, "Pod", "v1"), 4);
    assert_null(json_at(pod->json, "metadata", "ownerReferences"));
    machine_release(&f.m);
}

/* Deleted with --cascade=orphan, its ReplicaSet and pods stay; who comes back adopts them. */
static void test_orphans(void **state)
{
    (void)state;
    struct kube f;
    begin(&f);
    struct object *web = kube_find(&f, "Deployment", "web");
    cJSON *json = cJSON_Duplicate(web->json, true), *metadata = json_at(json, "metadata");
    cluster_delete(f.cluster, web, -1, true);
    kube_pass(&f, 10);
    assert_int_equal(kube_count(&f, "Pod", "v1"), 3);
    static const char *const own[] = {"uid", "resourceVersion", "creationTimestamp", "generation",
                                      "annotations"};
    for (size_t i = 0; i < sizeof own / sizeof *own; i++)
        cJSON_DeleteItemFromObjectCaseSensitive(metadata, own[i]);
    struct api_error error = {0};
    assert_non_null(cluster_create(f.cluster, cluster_kind(f.cluster, "Deployment", "apps/v1"),
                                   "shop", json, false, &error));
    kube_pass(&f, 10);
    assert_int_equal(kube_count(&f, "ReplicaSet", "apps/v1"), 1);
    assert_int_equal(kube_count(&f, "Pod", "v1"), 3);
    assert_int_equal(kube_number(kube_find(&f, "Deployment", "web"), "availableReplicas"), 3);
    machine_release(&f.m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_settled),     cmocka_unit_test(test_rolling),
        cmocka_unit_test(test_bad),         cmocka_unit_test(test_crash),
        cmocka_unit_test(test_no_image),    cmocka_unit_test(test_recreate),
        cmocka_unit_test(test_environment), cmocka_unit_test(test_missing_config),
        cmocka_unit_test(test_selector),    cmocka_unit_test(test_termination),
        cmocka_unit_test(test_arithmetic),  cmocka_unit_test(test_history_limit),
        cmocka_unit_test(test_paused),      cmocka_unit_test(test_owner_gone),
        cmocka_unit_test(test_quarantine),  cmocka_unit_test(test_orphans),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
