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

#include "fakes/kubernetes/cluster.h"
#include "fakes/kubernetes/pods.h"
#include "tests/machine.h"

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

struct fixture {
    struct machine m;
    struct cluster *cluster;
    char text[65536];
};

static void begin_with(struct fixture *f, const char *system, const char *manifest)
{
    const struct machine_file files[] = {{"/k8s/base.yaml", manifest}, {NULL, NULL}};
    memset(f, 0, sizeof *f);
    machine_init(&f->m, system, NULL, files);
    f->cluster = cluster_of(&f->m.d.env);
}

static void begin(struct fixture *f)
{
    begin_with(f, system_text, base);
}

static struct object *find(struct fixture *f, const char *kind, const char *name)
{
    struct object *object = cluster_find_named(f->cluster, kind, "shop", name);
    if (!object)
        fail_msg("no %s %s", kind, name);
    return object;
}

static void patch(struct fixture *f, const char *kind, const char *name, const char *text)
{
    struct api_error error = {0};
    if (!cluster_patch(f->cluster, find(f, kind, name), PATCH_STRATEGIC, text, false, NULL, &error))
        fail_msg("%s", error.message);
}

static void set_image(struct fixture *f, const char *tag)
{
    char text[300];
    snprintf(text, sizeof text,
             "{\"spec\":{\"template\":{\"spec\":{\"containers\":[{\"name\":\"web\",\"image\":"
             "\"reg/web:%s\"}]}}}}",
             tag);
    patch(f, "Deployment", "web", text);
}

static int number(const struct object *object, const char *key)
{
    return (int)json_int(json_at(object->json, "status"), key, 0);
}

static void note(struct fixture *f, const char *line)
{
    size_t n = strlen(f->text);
    snprintf(f->text + n, sizeof f->text - n, "%s\n", line);
}

/* Lets time pass and writes down each new state of a Deployment. */
static void watch(struct fixture *f, const char *name, int64_t seconds)
{
    int64_t from = world_now(f->m.world);
    char last[200] = "", line[200];
    for (int64_t t = 0; t <= seconds * 2; t++) {
        machine_advance(&f->m, from + t * SECOND / 2);
        struct object *d = find(f, "Deployment", name);
        snprintf(line, sizeof line, "%d pods, %d new, %d ready, %d available, %d serve",
                 number(d, "replicas"), number(d, "updatedReplicas"), number(d, "readyReplicas"),
                 number(d, "availableReplicas"), service_ready(world_service(f->m.world, name)));
        if (strcmp(line, last) != 0) {
            char timed[300];
            snprintf(timed, sizeof timed, "%5.1f %s", (double)t / 2, line);
            note(f, timed);
        }
        strcpy(last, line);
    }
}

static void expect_text(struct fixture *f, const char *wanted)
{
    if (strcmp(f->text, wanted) != 0)
        fail_msg("got:\n%s\nwanted:\n%s", f->text, wanted);
    f->text[0] = '\0';
}

static void test_settled(void **state)
{
    (void)state;
    struct fixture f;
    begin(&f);
    struct object *web = find(&f, "Deployment", "web");
    assert_int_equal(number(web, "replicas"), 3);
    assert_int_equal(number(web, "availableReplicas"), 3);
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
    struct fixture f;
    begin(&f);
    set_image(&f, "v2");
    watch(&f, "web", 60);
    expect_text(&f, "  0.0 3 pods, 3 new, 3 ready, 3 available, 3 serve\n"
                    "  0.5 4 pods, 1 new, 3 ready, 3 available, 3 serve\n"
                    "  9.5 4 pods, 2 new, 3 ready, 3 available, 3 serve\n"
                    " 19.0 4 pods, 3 new, 3 ready, 3 available, 3 serve\n"
                    " 25.0 3 pods, 3 new, 3 ready, 3 available, 3 serve\n");
    machine_release(&f.m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_settled),
        cmocka_unit_test(test_rolling),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
