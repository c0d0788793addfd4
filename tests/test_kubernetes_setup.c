/* What system.yaml says of a cluster: manifests, images, workloads, history, and its mistakes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "fakes/kubernetes/setup/setup_state.h"
#include "procedures/drill/model_load.h"
#include "tests/machine.h"

#define SERVICES                                                                                   \
    "services:\n"                                                                                  \
    "  web:\n"                                                                                     \
    "    runs: {deployment: web, namespace: shop}\n"                                               \
    "    versions: {v1.0: {}, v1.1: {}, v1.2: {}}\n"                                               \
    "good_state: {web: v1.1}\n"

static const char web[] = "apiVersion: apps/v1\n"
                          "kind: Deployment\n"
                          "metadata: {name: web, namespace: shop, labels: {app: web}}\n"
                          "spec:\n"
                          "  replicas: 2\n"
                          "  selector: {matchLabels: {app: web}}\n"
                          "  template:\n"
                          "    metadata: {labels: {app: web}}\n"
                          "    spec: {containers: [{name: web, image: 'reg/web:1.1'}]}\n"
                          "---\n"
                          "apiVersion: v1\n"
                          "kind: Service\n"
                          "metadata: {name: web, namespace: shop}\n"
                          "spec: {selector: {app: web}, ports: [{port: 80, targetPort: 8080}]}\n";

static const struct machine_file files[] = {{"/opt/shop/k8s/web.yaml", web}, {NULL, NULL}};

static const char *image_of(struct machine *m)
{
    struct cluster *cluster = cluster_of(&m->d.env);
    struct object *object = cluster_find_named(cluster, "Deployment", "shop", "web");
    assert_non_null(object);
    return json_text(
        cJSON_GetArrayItem(json_at(object->json, "spec", "template", "spec", "containers"), 0),
        "image");
}

static void applies_manifests(void **state)
{
    struct machine m;
    (void)state;
    machine_init(&m, SERVICES "kubernetes: {manifests: /opt/shop/k8s, namespace: shop}\n", NULL,
                 files);
    struct cluster *cluster = cluster_of(&m.d.env);
    assert_non_null(cluster);
    assert_string_equal(image_of(&m), "reg/web:1.1");
    assert_non_null(cluster_find_named(cluster, "Service", "shop", "web"));
    assert_non_null(cluster_find_named(cluster, "Namespace", "", "shop"));
    assert_non_null(cluster_find_named(cluster, "Namespace", "", "kube-system"));
    assert_non_null(cluster_find_named(cluster, "Node", "", "node-3"));
    assert_int_equal(cluster_contexts(cluster)->n, 1);
    assert_string_equal(cluster_contexts(cluster)->at[0].ns, "shop");
    struct object *object = cluster_find_named(cluster, "Deployment", "shop", "web");
    assert_non_null(strstr(json_text(json_at(object->json, "metadata", "annotations"),
                                     "kubectl.kubernetes.io/last-applied-configuration"),
                           "\"image\":\"reg/web:1.1\""));
    machine_release(&m);
}

static void maps_images_to_versions(void **state)
{
    struct machine m;
    (void)state;
    machine_init(&m,
                 SERVICES
                 "kubernetes:\n"
                 "  manifests: [/opt/shop/k8s/web.yaml]\n"
                 "  images: {reg/web:stable: v1.0, reg/old-web: {tags: {a: v1.0}},\n"
                 "           reg/tool: {ends: 5s, exit: 3}}\n"
                 "  registry: {missing: ['reg/web:1.2'], bandwidth: 120MB/s, latency: 1s}\n",
                 NULL, files);
    struct cluster *cluster = cluster_of(&m.d.env);
    struct service *service = world_service(m.world, "web");
    static const struct {
        const char *reference, *version, *message;
    } cases[] = {
        {"reg/web:1.1", "v1.1", NULL},
        {"reg/web:v1.1", "v1.1", NULL},
        {"reg/web:stable", "v1.0", NULL},
        {"reg/old-web:a", "v1.0", NULL},
        {"reg/old-web:b", NULL,
         "rpc error: code = NotFound desc = failed to pull and unpack image "
         "\"docker.io/reg/old-web:b\": failed to resolve reference \"docker.io/reg/old-web:b\": "
         "docker.io/reg/old-web:b: not found"},
        {"reg/web:1.2", NULL, "docker.io/reg/web:1.2: not found"},
        {"reg/wbe:1.1", NULL, "docker.io/reg/wbe:1.1: not found"},
        {"reg/Web:1.1", NULL,
         "Failed to apply default image tag \"reg/Web:1.1\": couldn't parse image name "
         "\"reg/Web:1.1\": invalid reference format: repository name (reg/Web) must be lowercase"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct image_pull pull;
        image_pull(cluster, cases[i].reference, service, &pull);
        if (cases[i].message) {
            assert_non_null(pull.reason);
            if (!strstr(pull.message, cases[i].message))
                fail_msg("%s: %s", cases[i].reference, pull.message);
            continue;
        }
        if (pull.reason)
            fail_msg("%s: %s", cases[i].reference, pull.message);
        assert_string_equal(pull.image.version, cases[i].version);
        assert_int_equal(pull.takes_ns, 2 * SECOND); /* 120 MB, and the answer */
    }
    struct image_pull pull;
    image_pull(cluster, "reg/tool:7", NULL, &pull);
    assert_null(pull.reason);
    assert_int_equal(pull.image.ends_ns, 5 * SECOND);
    assert_int_equal(pull.image.ends_exit, 3);
    world_set(m.world, "kubernetes.registry", "unreachable");
    image_pull(cluster, "reg/web:1.1", service, &pull);
    assert_non_null(strstr(pull.message, "i/o timeout"));
    assert_string_equal(image_reference(cluster, "reg/web", service, "v1.2"), "reg/web:1.2");
    assert_string_equal(image_reference(cluster, "reg/web", service, "v1.0"), "reg/web:stable");
    machine_release(&m);
}

static void deploys(void **state)
{
    struct machine m;
    (void)state;
    machine_init(&m, SERVICES "kubernetes: {manifests: [/opt/shop/k8s/web.yaml]}\n",
                 "start: 2025-01-15T14:00:00Z\nchange: {at: 1m, deploy: {web: v1.2}}\n", files);
    assert_string_equal(image_of(&m), "reg/web:1.1");
    machine_advance(&m, 2 * MINUTE);
    assert_string_equal(image_of(&m), "reg/web:1.2");
    machine_release(&m);
}

/* Earlier revisions are real ones: there is somewhere to go back to. */
static void has_a_history(void **state)
{
    struct machine m;
    (void)state;
    machine_init(&m,
                 SERVICES
                 "kubernetes:\n"
                 "  manifests: /opt/shop/k8s\n"
                 "  namespace: shop\n"
                 "  history: {web: [v1.0, {version: v1.2, env: {MODE: a}, cause: trial}]}\n",
                 NULL, files);
    assert_string_equal(image_of(&m), "reg/web:1.1");
    machine_expect(&m, "kubectl rollout history deployment/web", 0,
                   "deployment.apps/web \nREVISION  CHANGE-CAUSE\n1         <none>\n2         "
                   "trial\n3         <none>\n\n",
                   "");
    machine_holds(&m, "kubectl rollout history deployment/web --revision=2", 0, "MODE:\ta", "");
    machine_expect(&m, "kubectl rollout undo deployment/web --to-revision=1", 0,
                   "deployment.apps/web rolled back\n", "");
    assert_string_equal(image_of(&m), "reg/web:1.0");
    machine_expect(&m, "kubectl rollout undo deployment/web", 0,
                   "deployment.apps/web rolled back\n", "");
    assert_string_equal(image_of(&m), "reg/web:1.1");
    machine_release(&m);
}

/* ---- mistakes ---- */

static void refuses(const char *system, const char *message)
{
    struct machine m = {0};
    struct doc *root = NULL;
    struct error error = {{0}};
    static const char *const also[] = {"kubernetes", "docker", NULL};
    model_defaults(&m.model);
    const char *text = arena_printf(&m.arena, "format: rehearse.system/1\nname: test\n%s", system);
    assert_int_equal(doc_read_text(&m.arena, "tests/system.yaml", str_of(text), &root, &error), 0);
    if (model_load_system(&m.arena, root, also, &m.model, &error))
        fail_msg("%s", error.text);
    m.record = record_new();
    m.world = world_new(&m.model, 1, m.record);
    double_init(&m.d, m.world, m.record);
    double_file(&m.d, "", "/opt/shop/k8s/web.yaml", web);
    double_file(&m.d, "", "/opt/shop/bad.yaml", "a: [\n");
    double_file(&m.d, "", "/opt/shop/none.yaml", "a: 1\n");
    double_file(&m.d, "", "/opt/shop/old.yaml",
                "apiVersion: batch/v1beta1\nkind: CronJob\nmetadata: {name: a}\n");
    double_file(&m.d, "", "/opt/shop/crd.yaml",
                "apiVersion: shop.io/v1\nkind: Till\nmetadata: {name: a}\n");
    extern const struct fake fake_kubernetes;
    int code = fake_kubernetes.setup(&m.d.env, doc_get(root, "kubernetes"), &error);
    if (code != ERROR_INPUT || !strstr(error.text, message))
        fail_msg("%s\nsaid: %s\nwanted: %s", system, code ? error.text : "nothing", message);
    fake_kubernetes.release(&m.d.env);
    double_release(&m.d);
    world_free(m.world);
    record_free(m.record);
    arena_release(&m.arena);
}

static void says_what_is_wrong(void **state)
{
    (void)state;
    refuses(SERVICES, "tests/system.yaml:5: /services/web/runs: 'web' runs in Kubernetes, and "
                      "there is no cluster; add `kubernetes: {manifests: [...]}`");
    refuses(SERVICES "kubernetes: {}\n",
            "no Deployment 'web' in namespace 'shop'; add its manifest");
    refuses("services: {web: {runs: {deployment: api, namespace: shop}}}\n"
            "kubernetes: {manifests: /opt/shop/k8s/}\n",
            "no Deployment 'api' in namespace 'shop'; there is shop/web; add its manifest");
    refuses("services: {web: {runs: {deployment: web, namespace: shop, container: app}}}\n"
            "kubernetes: {manifests: /opt/shop/k8s/}\n",
            "no container 'app' in the pods of Deployment 'web'");
    refuses("services: {web: {runs: {deployment: web, statefulset: web}}}\nkubernetes: {}\n",
            "a service runs in one workload: either deployment or statefulset");
    refuses("services: {a: {}}\nkubernetes: {manifest: [x]}\n", "did you mean 'manifests'");
    refuses("services: {a: {}}\nkubernetes: {manifests: [/opt/nowhere.yaml]}\n",
            "tests/system.yaml:4: /kubernetes/manifests/0: cannot read '/opt/nowhere.yaml' on the "
            "operator's machine");
    refuses("services: {a: {}}\nkubernetes: {manifests: [nowhere.yaml]}\n",
            "cannot read 'tests/nowhere.yaml'; give the path of a manifest");
    refuses("services: {a: {}}\nkubernetes: {manifests: [/opt/shop/bad.yaml]}\n",
            "'/opt/shop/bad.yaml' is no manifest: ");
    refuses("services: {a: {}}\nkubernetes: {manifests: [/opt/shop/none.yaml]}\n",
            "'/opt/shop/none.yaml': a document has no `kind`; is it a manifest?");
    refuses("services: {a: {}}\nkubernetes: {manifests: [/opt/shop/crd.yaml]}\n",
            "no matches for kind \"Till\" in version \"shop.io/v1\"; a kind of one's own needs its "
            "CustomResourceDefinition");
    refuses("services: {a: {}}\nkubernetes: {manifests: [/opt/shop/old.yaml]}\n",
            "kind \"CronJob\" in version \"batch/v1beta1\" is not simulated");
    refuses(SERVICES "kubernetes: {manifests: /opt/shop/k8s, images: {reg/web:1.0: v9}}\n",
            "no service that runs in Kubernetes has a version 'v9'");
    refuses(SERVICES "kubernetes: {manifests: /opt/shop/k8s, images: {reg/web: v1.0}}\n",
            "which tag is 'v1.0'? write reg/web:TAG: VERSION");
    refuses(SERVICES "kubernetes: {manifests: /opt/shop/k8s, images: {Reg/Web: {}}}\n",
            "must be lowercase");
    refuses(SERVICES "kubernetes: {manifests: /opt/shop/k8s, history: {wbe: [v1.0]}}\n",
            "no Deployment, StatefulSet or DaemonSet 'wbe' in the manifests");
    refuses(SERVICES "kubernetes: {manifests: /opt/shop/k8s, history: {web: v1.0}}\n",
            "a history is a list of earlier versions, oldest first: [v1, v2]");
    refuses(SERVICES "kubernetes: {manifests: /opt/shop/k8s, registry: {bandwidth: fast}}\n",
            "'fast' is no bandwidth; write for example 40MB/s");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(applies_manifests),
        cmocka_unit_test(maps_images_to_versions),
        cmocka_unit_test(deploys),
        cmocka_unit_test(has_a_history),
        cmocka_unit_test(says_what_is_wrong),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
