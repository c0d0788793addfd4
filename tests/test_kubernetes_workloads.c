/* The controllers of the Kubernetes fake, other workloads than Deployments: StatefulSets and what
 * their volumes keep, Jobs, DaemonSets, nodes.
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

/* ---- stores ---- */

static const char store_system[] =
    "services:\n"
    "  db:\n"
    "    runs: {statefulset: db, namespace: shop}\n"
    "    replicas: 1\n"
    "    versions: {'15': {time: {p50: 1ms, p99: 5ms}, start: 2s}}\n"
    "stores:\n"
    "  db: {engine: postgresql 15, service: db, tables: {orders: {records: 100}}}\n"
    "kubernetes:\n"
    "  namespace: shop\n"
    "  nodes: [node-1, node-2]\n"
    "  manifests: [/k8s/base.yaml]\n";

#define STATEFUL_SET                                                                               \
    "apiVersion: apps/v1\n"                                                                        \
    "kind: StatefulSet\n"                                                                          \
    "metadata: {name: db}\n"                                                                       \
    "spec:\n"                                                                                      \
    "  serviceName: db\n"                                                                          \
    "  replicas: 1\n"                                                                              \
    "  selector: {matchLabels: {app: db}}\n"                                                       \
    "  template:\n"                                                                                \
    "    metadata: {labels: {app: db}}\n"                                                          \
    "    spec:\n"                                                                                  \
    "      containers:\n"                                                                          \
    "      - name: db\n"                                                                           \
    "        image: postgres:15\n"                                                                 \
    "        ports: [{containerPort: 5432}]\n"

static const char on_claim[] = STATEFUL_SET
    "        volumeMounts: [{name: data, mountPath: /var/lib/postgresql/data}]\n"
    "  volumeClaimTemplates:\n"
    "  - metadata: {name: data}\n"
    "    spec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 10Gi}}}\n";

static const char on_empty_dir[] =
    STATEFUL_SET "        volumeMounts: [{name: data, mountPath: /var/lib/postgresql/data}]\n"
                 "      volumes: [{name: data, emptyDir: {}}]\n";

static int64_t rows(struct kube *k)
{
    const struct idset *orders =
        dataset_rows(store_serving(world_store(k->m.world, "db")), "orders");
    return orders ? idset_count(orders) : 0;
}

/* No pod, no database; what a claim holds is there again with the next pod. */
static void test_claim_keeps(void **state)
{
    (void)state;
    struct kube k;
    kube_begin(&k, store_system, on_claim);
    struct store *db = world_store(k.m.world, "db");
    assert_true(store_in_service(db));
    assert_int_equal(rows(&k), 100);
    kube_patch(&k, "StatefulSet", "db", "{\"spec\":{\"replicas\":0}}");
    kube_pass(&k, 10);
    assert_false(store_in_service(db));
    kube_patch(&k, "StatefulSet", "db", "{\"spec\":{\"replicas\":1}}");
    kube_pass(&k, 10);
    assert_true(store_in_service(db));
    assert_int_equal(rows(&k), 100);
    assert_string_equal(
        json_text(kube_find(&k, "PersistentVolumeClaim", "data-db-0")->json, "status", "phase"),
        "Bound");
    machine_release(&k.m);
}

/* A claim in use is kept until its pod has gone; then its volume is deleted with all in it. */
static void test_claim_deleted(void **state)
{
    (void)state;
    struct kube k;
    kube_begin(&k, store_system, on_claim);
    cluster_delete(k.cluster, kube_find(&k, "PersistentVolumeClaim", "data-db-0"), -1, false);
    kube_pass(&k, 30);
    assert_int_equal(rows(&k), 100);
    kube_find(&k, "PersistentVolumeClaim", "data-db-0");
    kube_patch(&k, "StatefulSet", "db", "{\"spec\":{\"replicas\":0}}");
    kube_pass(&k, 10);
    assert_int_equal(rows(&k), 0);
    machine_release(&k.m);
}

/* An emptyDir outlives a crash of its container, and goes with its pod. */
static void test_empty_dir_loses(void **state)
{
    (void)state;
    struct kube k;
    kube_begin(&k, store_system, on_empty_dir);
    pod_kill(kube_find(&k, "Pod", "db-0"), "db", 137);
    kube_pass(&k, 10);
    assert_int_equal(rows(&k), 100);
    cluster_delete(k.cluster, kube_find(&k, "Pod", "db-0"), -1, false);
    kube_pass(&k, 10);
    assert_true(store_in_service(world_store(k.m.world, "db")));
    assert_int_equal(rows(&k), 0);
    machine_release(&k.m);
}

/* Without any volume the data goes with the container. */
static void test_layer_loses(void **state)
{
    (void)state;
    struct kube k;
    kube_begin(&k, store_system, STATEFUL_SET);
    pod_kill(kube_find(&k, "Pod", "db-0"), "db", 137);
    kube_pass(&k, 10);
    assert_int_equal(rows(&k), 0);
    machine_release(&k.m);
}

/* ---- in order, to the end, everywhere ---- */

static const char plain_system[] =
    "services:\n"
    "  web: {versions: {v1: {time: {p50: 5ms, p99: 20ms}}}}\n"
    "kubernetes:\n"
    "  namespace: shop\n"
    "  nodes: [node-1, node-2]\n"
    "  manifests: [/k8s/base.yaml]\n"
    "  registry: {missing: [\"no_such/image:1\"]}\n"
    "  images: {migrate: {ends: 5s, does: [\"set migrated yes\"]}}\n";

/* From 0 up, each when the one before is ready. node-2 pulls the image first (3.4 s). */
static void test_stateful_set(void **state)
{
    (void)state;
    struct kube k;
    kube_begin(&k, plain_system, STATEFUL_SET);
    kube_patch(&k, "StatefulSet", "db", "{\"spec\":{\"replicas\":3}}");
    kube_watch_pods(&k, 15);
    kube_expect(&k, "  0.0 | db-0 Running ready 0\n"
                    "  0.5 | db-0 Running ready 0 | db-1 ContainerCreating 0\n"
                    "  4.5 | db-0 Running ready 0 | db-1 Running ready 0 | db-2 ContainerCreating "
                    "0\n"
                    "  5.5 | db-0 Running ready 0 | db-1 Running ready 0 | db-2 Running ready 0\n");
    machine_release(&k.m);
}

/* Changed from the highest down, each gone and ready again before the next; ended likewise. */
static void test_stateful_set_changed(void **state)
{
    (void)state;
    struct kube k;
    kube_begin(&k, plain_system, STATEFUL_SET);
    kube_patch(&k, "StatefulSet", "db", "{\"spec\":{\"replicas\":2}}");
    kube_pass(&k, 15);
    kube_patch(&k, "StatefulSet", "db",
               "{\"spec\":{\"template\":{\"metadata\":{\"labels\":{\"n\":\"2\"}}}}}");
    kube_watch_pods(&k, 20);
    kube_expect(&k, "  0.0 | db-0 Running ready 0 | db-1 Running ready 0\n"
                    "  0.5 | db-0 Running ready 0 | db-1 Terminating 0\n"
                    "  2.5 | db-0 Running ready 0 | db-1 ContainerCreating 0\n"
                    "  3.0 | db-0 Terminating ready 0 | db-1 Running ready 0\n"
                    "  3.5 | db-0 Terminating 0 | db-1 Running ready 0\n"
                    "  5.5 | db-0 ContainerCreating 0 | db-1 Running ready 0\n"
                    "  6.0 | db-0 Running ready 0 | db-1 Running ready 0\n");
    kube_patch(&k, "StatefulSet", "db", "{\"spec\":{\"replicas\":0}}");
    kube_watch_pods(&k, 20);
    kube_expect(&k, "  0.0 | db-0 Running ready 0 | db-1 Running ready 0\n"
                    "  0.5 | db-0 Running ready 0 | db-1 Terminating 0\n"
                    "  2.5 | db-0 Terminating 0\n"
                    "  4.5\n");
    machine_release(&k.m);
}

/* A pod that never becomes ready stops a StatefulSet for good: putting the old template back does
 * not replace it. Somebody has to delete it (StatefulSets, "Forced rollback"). */
static void test_stuck_stateful_set(void **state)
{
    (void)state;
    struct kube k;
    kube_begin(&k, plain_system, STATEFUL_SET);
    kube_patch(&k, "StatefulSet", "db",
               "{\"spec\":{\"template\":{\"spec\":{\"containers\":[{\"name\":\"db\",\"image\":"
               "\"no_such/image:1\"}]}}}}");
    kube_patch(&k, "StatefulSet", "db", "{\"spec\":{\"replicas\":1}}");
    kube_pass(&k, 30);
    struct object *set = kube_find(&k, "StatefulSet", "db");
    assert_int_equal(kube_number(set, "readyReplicas"), 0);
    kube_patch(&k, "StatefulSet", "db",
               "{\"spec\":{\"template\":{\"spec\":{\"containers\":[{\"name\":\"db\",\"image\":"
               "\"postgres:15\"}]}}}}");
    kube_pass(&k, 300);
    assert_int_equal(kube_number(set, "readyReplicas"), 0);
    cluster_delete(k.cluster, kube_find(&k, "Pod", "db-0"), -1, false);
    kube_pass(&k, 30);
    assert_int_equal(kube_number(set, "readyReplicas"), 1);
    machine_release(&k.m);
}

#define JOB(script)                                                                                \
    "apiVersion: batch/v1\n"                                                                       \
    "kind: Job\n"                                                                                  \
    "metadata: {name: report, namespace: shop}\n"                                                  \
    "spec:\n"                                                                                      \
    "  backoffLimit: 1\n"                                                                          \
    "  template:\n"                                                                                \
    "    spec:\n"                                                                                  \
    "      restartPolicy: Never\n"                                                                 \
    "      containers: [{name: report, image: busybox, command: [sh, -c, \"" script "\"]}]\n"

static const char *job_state(struct kube *k)
{
    static char text[200];
    const struct object *job = kube_find(k, "Job", "report");
    const cJSON *all = json_at(job->json, "status", "conditions"), *last = NULL;
    for (const cJSON *one = all ? all->child : NULL; one; one = one->next)
        last = one;
    const char *type = json_text(last, "type"), *reason = json_text(last, "reason");
    snprintf(text, sizeof text, "%d active, %d succeeded, %d failed, %s %s",
             kube_number(job, "active"), kube_number(job, "succeeded"), kube_number(job, "failed"),
             type ? type : "-", reason ? reason : "-");
    return text;
}

/* What was there before the run is over. */
static void test_old_job(void **state)
{
    (void)state;
    struct kube k;
    kube_begin(&k, plain_system, JOB("sleep 20"));
    assert_string_equal(job_state(&k), "0 active, 1 succeeded, 0 failed, Complete "
                                       "CompletionsReached");
    machine_release(&k.m);
}

static void make_job(struct kube *k, const char *script)
{
    char text[1000];
    struct api_error error = {0};
    snprintf(text, sizeof text,
             "{\"metadata\":{\"name\":\"report\"},\"spec\":{\"backoffLimit\":1,\"template\":{"
             "\"spec\":{\"restartPolicy\":\"Never\",\"containers\":[{\"name\":\"report\",\"image\":"
             "\"busybox\",\"command\":[\"sh\",\"-c\",\"%s\"]}]}}}}",
             script);
    if (!cluster_create(k->cluster, cluster_kind(k->cluster, "Job", "batch/v1"), "shop",
                        cJSON_Parse(text), false, &error))
        fail_msg("%s", error.message);
}

static void test_job(void **state)
{
    (void)state;
    struct kube k;
    kube_begin(&k, plain_system, "");
    make_job(&k, "sleep 20");
    kube_pass(&k, 20);
    assert_string_equal(job_state(&k), "1 active, 0 succeeded, 0 failed, - -");
    kube_pass(&k, 10);
    assert_string_equal(job_state(&k), "0 active, 1 succeeded, 0 failed, Complete "
                                       "CompletionsReached");
    machine_release(&k.m);
}

/* What an image says that its program does happens when it ends with 0. */
static void test_effect(void **state)
{
    (void)state;
    struct kube k;
    kube_begin(&k, plain_system, "");
    struct api_error error = {0};
    assert_non_null(cluster_create(
        k.cluster, cluster_kind(k.cluster, "Job", "batch/v1"), "shop",
        cJSON_Parse("{\"metadata\":{\"name\":\"report\"},\"spec\":{\"template\":{\"spec\":{"
                    "\"restartPolicy\":\"OnFailure\",\"containers\":[{\"name\":\"m\",\"image\":"
                    "\"migrate\"}]}}}}"),
        false, &error));
    kube_pass(&k, 5);
    assert_null(world_setting(k.m.world, "migrated"));
    kube_pass(&k, 10);
    assert_string_equal(world_setting(k.m.world, "migrated"), "yes");
    assert_string_equal(job_state(&k), "0 active, 1 succeeded, 0 failed, Complete "
                                       "CompletionsReached");
    machine_release(&k.m);
}

/* One more pod after 10 s, and no third: the limit of failures is passed. */
static void test_failing_job(void **state)
{
    (void)state;
    struct kube k;
    kube_begin(&k, plain_system, "");
    make_job(&k, "echo no; exit 1");
    kube_pass(&k, 8);
    assert_string_equal(job_state(&k), "0 active, 0 succeeded, 1 failed, - -");
    kube_pass(&k, 20);
    assert_string_equal(job_state(&k), "0 active, 0 succeeded, 2 failed, Failed "
                                       "BackoffLimitExceeded");
    machine_release(&k.m);
}

static const char daemon_set[] = "apiVersion: apps/v1\n"
                                 "kind: DaemonSet\n"
                                 "metadata: {name: agent}\n"
                                 "spec:\n"
                                 "  selector: {matchLabels: {app: agent}}\n"
                                 "  template:\n"
                                 "    metadata: {labels: {app: agent}}\n"
                                 "    spec: {containers: [{name: agent, image: agent:1}]}\n";

/* One on each node; a change replaces one after the other. */
static void test_daemon_set(void **state)
{
    (void)state;
    struct kube k;
    kube_begin(&k, plain_system, daemon_set);
    struct object *set = kube_find(&k, "DaemonSet", "agent");
    assert_int_equal(kube_number(set, "numberReady"), 2);
    kube_patch(&k, "DaemonSet", "agent",
               "{\"spec\":{\"template\":{\"metadata\":{\"labels\":{\"n\":\"2\"}}}}}");
    kube_pass(&k, 1);
    assert_int_equal(kube_number(set, "numberReady"), 1);
    kube_pass(&k, 20);
    assert_int_equal(kube_number(set, "numberReady"), 2);
    assert_int_equal(kube_number(set, "updatedNumberScheduled"), 2);
    assert_int_equal(kube_count(&k, "ControllerRevision", "apps/v1"), 2);
    machine_release(&k.m);
}

/* ---- nodes and volumes ---- */

#define SHARED(class)                                                                              \
    "apiVersion: v1\n"                                                                             \
    "kind: PersistentVolumeClaim\n"                                                                \
    "metadata: {name: files}\n"                                                                    \
    "spec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 1Gi}},\n"                \
    "  storageClassName: " class "}\n"                                                             \
                                 "---\n"                                                           \
                                 "apiVersion: apps/v1\n"                                           \
                                 "kind: Deployment\n"                                              \
                                 "metadata: {name: app}\n"                                         \
                                 "spec:\n"                                                         \
                                 "  replicas: 1\n"                                                 \
                                 "  selector: {matchLabels: {app: app}}\n"                         \
                                 "  template:\n"                                                   \
                                 "    metadata: {labels: {app: app}}\n"                            \
                                 "    spec:\n"                                                     \
                                 "      containers:\n"                                             \
                                 "      - {name: app, image: app:1, volumeMounts: [{name: files, " \
                                 "mountPath: /files}]}\n"                                          \
                                 "      volumes: [{name: files, persistentVolumeClaim: "           \
                                 "{claimName: files}}]\n"

static const char *event_about(struct kube *k, const char *reason)
{
    static char text[1000];
    struct arena scratch = {0};
    text[0] = '\0';
    struct object **all = cluster_list(k->cluster, &scratch,
                                       cluster_kind(k->cluster, "Event", "v1"), "shop", NULL, NULL);
    for (; *all; all++) {
        if (strcmp(json_text((*all)->json, "reason"), reason) == 0)
            snprintf(text, sizeof text, "%s", json_text((*all)->json, "message"));
    }
    arena_release(&scratch);
    return text;
}

static const char fast_disks[] = "apiVersion: storage.k8s.io/v1\n"
                                 "kind: StorageClass\n"
                                 "metadata: {name: fast}\n"
                                 "provisioner: ebs.csi.aws.com\n"
                                 "---\n" SHARED("fast");

/* A volume for one node, and a rollout that wants the new pod before the old one goes: on another
 * node it never starts. */
static void test_multi_attach(void **state)
{
    (void)state;
    struct kube k;
    kube_begin(&k, plain_system, fast_disks);
    kube_patch(&k, "Deployment", "app",
               "{\"spec\":{\"template\":{\"metadata\":{\"labels\":{\"n\":\"2\"}}}}}");
    kube_pass(&k, 60);
    struct object *app = kube_find(&k, "Deployment", "app");
    assert_int_equal(kube_number(app, "updatedReplicas"), 1);
    assert_int_equal(kube_number(app, "readyReplicas"), 1);
    assert_non_null(strstr(event_about(&k, "FailedAttachVolume"), "Multi-Attach error for volume"));
    machine_release(&k.m);
}

static void cordon(struct kube *k, const char *name)
{
    struct api_error error = {0};
    if (!cluster_patch(k->cluster, cluster_find_named(k->cluster, "Node", "", name),
                       PATCH_STRATEGIC, "{\"spec\":{\"unschedulable\":true}}", false, NULL, &error))
        fail_msg("%s", error.message);
}

/* A disk of one node keeps all its pods there: the new one starts beside the old one; with the node
 * closed it waits. */
static void test_local_disk(void **state)
{
    (void)state;
    struct kube k;
    kube_begin(&k, plain_system, SHARED("standard"));
    kube_patch(&k, "Deployment", "app",
               "{\"spec\":{\"template\":{\"metadata\":{\"labels\":{\"n\":\"2\"}}}}}");
    kube_pass(&k, 60);
    assert_int_equal(kube_number(kube_find(&k, "Deployment", "app"), "updatedReplicas"), 1);
    assert_int_equal(kube_number(kube_find(&k, "Deployment", "app"), "replicas"), 1);
    cordon(&k, "node-1");
    kube_patch(&k, "Deployment", "app",
               "{\"spec\":{\"template\":{\"metadata\":{\"labels\":{\"n\":\"3\"}}}}}");
    kube_pass(&k, 60);
    assert_string_equal(event_about(&k, "FailedScheduling"),
                        "0/2 nodes are available: 1 node(s) had volume node affinity conflict, 1 "
                        "node(s) were unschedulable. preemption: 0/2 nodes are available: 2 "
                        "Preemption is not helpful for scheduling.");
    machine_release(&k.m);
}

static void test_unschedulable(void **state)
{
    (void)state;
    struct kube k;
    kube_begin(&k, plain_system, STATEFUL_SET);
    cordon(&k, "node-1");
    cordon(&k, "node-2");
    kube_patch(&k, "StatefulSet", "db", "{\"spec\":{\"replicas\":2}}");
    kube_pass(&k, 10);
    assert_string_equal(json_text(kube_find(&k, "Pod", "db-1")->json, "status", "phase"),
                        "Pending");
    assert_string_equal(event_about(&k, "FailedScheduling"),
                        "0/2 nodes are available: 2 node(s) were unschedulable. preemption: 0/2 "
                        "nodes are available: 2 Preemption is not helpful for scheduling.");
    machine_release(&k.m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_claim_keeps),
        cmocka_unit_test(test_claim_deleted),
        cmocka_unit_test(test_empty_dir_loses),
        cmocka_unit_test(test_layer_loses),
        cmocka_unit_test(test_stateful_set),
        cmocka_unit_test(test_stateful_set_changed),
        cmocka_unit_test(test_old_job),
        cmocka_unit_test(test_stuck_stateful_set),
        cmocka_unit_test(test_job),
        cmocka_unit_test(test_failing_job),
        cmocka_unit_test(test_effect),
        cmocka_unit_test(test_daemon_set),
        cmocka_unit_test(test_multi_attach),
        cmocka_unit_test(test_local_disk),
        cmocka_unit_test(test_unschedulable),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
