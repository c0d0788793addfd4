/* helm 3 on a cluster: what it prints, what it leaves, when it returns. Words: helm 3.17's source.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "fakes/helm/helm.h"
#include "tests/machine.h"

#define WEB(image, replicas)                                                                       \
    "apiVersion: apps/v1\n"                                                                        \
    "kind: Deployment\n"                                                                           \
    "metadata: {name: web}\n"                                                                      \
    "spec:\n"                                                                                      \
    "  replicas: " replicas "\n"                                                                   \
    "  selector: {matchLabels: {app: web}}\n"                                                      \
    "  template:\n"                                                                                \
    "    metadata: {labels: {app: web}}\n"                                                         \
    "    spec: {containers: [{name: web, image: '" image                                           \
    "', readinessProbe: {httpGet: {port: 80}}}]}\n"
#define SERVICE                                                                                    \
    "---\n"                                                                                        \
    "apiVersion: v1\n"                                                                             \
    "kind: Service\n"                                                                              \
    "metadata: {name: web}\n"                                                                      \
    "spec: {selector: {app: web}, ports: [{port: 80}]}\n"
#define CONFIG                                                                                     \
    "---\n"                                                                                        \
    "apiVersion: v1\n"                                                                             \
    "kind: ConfigMap\n"                                                                            \
    "metadata: {name: web}\n"                                                                      \
    "data: {mode: b}\n"

static const char *const system_yaml =
    "services:\n"
    "  web:\n"
    "    runs: {deployment: web, namespace: shop}\n"
    "    versions: {v1.0: {start: 5s}, v1.1: {start: 5s}, v1.2: {start: 5s},\n"
    "               v1.3: {start: 5s, needs: {settings: {never: set}}}}\n"
    "good_state: {web: v1.1}\n"
    "kubernetes: {namespace: shop}\n"
    "helm:\n"
    "  web:\n"
    "    notes: Ask the shop.\n"
    "    revisions:\n"
    "      - {chart: web-0.9.0, app_version: '1.0', manifests: /opt/shop/r1.yaml,\n"
    "         values: {image: {tag: v1.0}}}\n"
    "      - {chart: web-1.0.0, app_version: '1.1', manifests: [/opt/shop/r2.yaml],\n"
    "         values: {image: {tag: v1.1}, replicaCount: 2}}\n"
    "    charts:\n"
    "      ./chart: {chart: web-1.1.0, app_version: '1.2', manifests: /opt/shop/r3.yaml}\n"
    "    sets: {image.tag: deployment/web tag, replicaCount: deployment/web spec.replicas}\n";

static const struct machine_file files[] = {
    {"/opt/shop/r1.yaml", WEB("reg/web:v1.0", "2") SERVICE},
    {"/opt/shop/r2.yaml", WEB("reg/web:v1.1", "2") SERVICE CONFIG},
    {"/opt/shop/r3.yaml", WEB("reg/web:v1.2", "1") SERVICE},
    {"/opt/shop/chart/Chart.yaml", "name: web\nversion: 1.1.0\n"},
    {NULL, NULL},
};

static struct machine m;

static int begin(void **state)
{
    (void)state;
    machine_init(&m, system_yaml, NULL, files);
    return 0;
}

static int end(void **state)
{
    (void)state;
    machine_release(&m);
    return 0;
}

static const struct object *deployment(void)
{
    const struct object *object =
        cluster_find_named(cluster_of(&m.d.env), "Deployment", "shop", "web");
    assert_non_null(object);
    return object;
}

static const char *image(void)
{
    return json_text(cJSON_GetArrayItem(
                         json_at(deployment()->json, "spec", "template", "spec", "containers"), 0),
                     "image");
}

static bool there(const char *kind, const char *name)
{
    return cluster_find_named(cluster_of(&m.d.env), kind, "shop", name) != NULL;
}

static void lists(void **state)
{
    (void)state;
    machine_expect(
        &m, "helm list", 0,
        "NAME\tNAMESPACE\tREVISION\tUPDATED                      \tSTATUS  \tCHART    \tAPP "
        "VERSION\n"
        "web \tshop     \t2       \t2025-01-12 14:00:00 +0000 UTC\tdeployed\tweb-1.0.0\t1.1    "
        "    \n",
        "");
    machine_expect(&m, "helm ls -q -A", 0, "web\n", "");
    machine_expect(&m, "helm list -n default -o json", 0, "[]\n", "");
    machine_expect(&m, "helm list -o json", 0,
                   "[{\"name\":\"web\",\"namespace\":\"shop\",\"revision\":\"2\",\"updated\":"
                   "\"2025-01-12 14:00:00 +0000 UTC\",\"status\":\"deployed\",\"chart\":"
                   "\"web-1.0.0\",\"app_version\":\"1.1\"}]\n",
                   "");
    machine_expect(
        &m, "helm history web", 0,
        "REVISION\tUPDATED                 \tSTATUS    \tCHART    \tAPP VERSION\tDESCRIPTION     "
        "\n"
        "1       \tSun Jan  5 14:00:00 2025\tsuperseded\tweb-0.9.0\t1.0        \tInstall "
        "complete\n"
        "2       \tSun Jan 12 14:00:00 2025\tdeployed  \tweb-1.0.0\t1.1        \tUpgrade "
        "complete\n",
        "");
    machine_expect(&m, "helm status web", 0,
                   "NAME: web\nLAST DEPLOYED: Sun Jan 12 14:00:00 2025\nNAMESPACE: shop\nSTATUS: "
                   "deployed\nREVISION: 2\nTEST SUITE: None\nNOTES:\nAsk the shop.\n",
                   "");
    machine_expect(&m, "helm get values web", 0,
                   "USER-SUPPLIED VALUES:\nimage:\n  tag: v1.1\nreplicaCount: 2\n", "");
    machine_expect(&m, "helm get values web --revision 1 -o json", 0,
                   "{\"image\":{\"tag\":\"v1.0\"}}\n", "");
    machine_holds(&m, "helm get manifest web --revision 1", 0,
                  "---\n# Source: web/templates/r1.yaml\napiVersion: apps/v1\n", "");
    machine_expect(&m, "helm version --short", 0, "v3.17.3+ge4da497\n", "");
    assert_true(there("Secret", "sh.helm.release.v1.web.v2"));
}

static void mistakes(void **state)
{
    static const struct {
        const char *command, *err;
    } cases[] = {
        {"helm status api", "Error: release: not found\n"},
        {"helm status web -n default", "Error: release: not found\n"},
        {"helm history api", "Error: release: not found\n"},
        {"helm rollback api", "Error: release: not found\n"},
        {"helm rollback web 7", "Error: release has no 7 version\n"},
        {"helm rollback web last",
         "Error: could not convert revision to a number: strconv.Atoi: parsing \"last\": invalid "
         "syntax\n"},
        {"helm rollback", "Error: \"helm rollback\" requires at least 1 argument\n\nUsage:  helm "
                          "rollback <RELEASE> [REVISION] [flags]\n"},
        {"helm rollback web 1 --timeout 300",
         "Error: invalid argument \"300\" for \"--timeout\" flag: time: missing unit in duration "
         "\"300\"\n"},
        {"helm rollback web --to-revision 1", "Error: unknown flag: --to-revision\n"},
        {"helm upgrade web", "Error: \"helm upgrade\" requires 2 arguments\n\nUsage:  helm upgrade "
                             "[RELEASE] [CHART] [flags]\n"},
        {"helm upgrade api ./chart", "Error: UPGRADE FAILED: \"api\" has no deployed releases\n"},
        {"helm upgrade web ./charts", "Error: path \"./charts\" not found\n"},
        {"helm uninstall api", "Error: uninstall: Release not loaded: api: release: not found\n"},
        {"helm rolback web",
         "Error: unknown command \"rolback\" for \"helm\"\nRun 'helm --help' for usage.\n"},
        {"helm upgrade web stable/web",
         "Error: not simulated: charts are not rendered: say what this one comes to under `helm: "
         "{web: {charts: {stable/web: {chart: NAME-VERSION, manifests: ...}}}}`\n"},
        {"helm upgrade web ./chart --set resources.cpu=2",
         "Error: not simulated: nobody has said what the value resources.cpu changes: add `helm: "
         "{web: {sets: {resources.cpu: KIND/NAME FIELD}}}`\n"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        machine_expect(&m, cases[i].command, 1, "", cases[i].err);
    assert_string_equal(image(), "reg/web:v1.1");
}

/* Without --wait it returns when the manifests are sent (RB022), and the numbers go on (RB024). */
static void rolls_back(void **state)
{
    (void)state;
    struct service *service = world_service(m.world, "web");
    int64_t before_ns = world_now(m.world);
    assert_true(there("ConfigMap", "web"));
    machine_expect(&m, "helm rollback web 1", 0, "Rollback was a success! Happy Helming!\n", "");
    assert_true(world_now(m.world) - before_ns < SECOND);
    assert_string_equal(image(), "reg/web:v1.0");
    assert_false(there("ConfigMap", "web"));
    for (int i = 0; i < service_instances(service); i++) {
        if (instance_state(service_instance(service, i)) == INSTANCE_READY)
            assert_string_equal(instance_version(service_instance(service, i)), "v1.1");
    }
    machine_holds(&m, "helm history web", 0, "3       \t", NULL);
    machine_holds(&m, "helm history web", 0, "deployed  \tweb-0.9.0\t1.0        \tRollback to 1   ",
                  NULL);
    machine_expect(&m, "helm rollback web --wait", 0, "Rollback was a success! Happy Helming!\n",
                   "");
    assert_string_equal(image(), "reg/web:v1.1");
    assert_true(there("ConfigMap", "web"));
    machine_holds(&m, "helm history web", 0, "Rollback to 2   ", NULL);
    machine_holds(&m, "helm status web", 0, "REVISION: 4\n", NULL);
}

static void waits_in_vain(void **state)
{
    (void)state;
    world_deploy(m.world, world_service(m.world, "web"), "v1.3");
    machine_expect(
        &m, "helm history web", 0,
        "REVISION\tUPDATED                 \tSTATUS    \tCHART    \tAPP VERSION\tDESCRIPTION     "
        "\n"
        "1       \tSun Jan  5 14:00:00 2025\tsuperseded\tweb-0.9.0\t1.0        \tInstall "
        "complete\n"
        "2       \tSun Jan 12 14:00:00 2025\tsuperseded\tweb-1.0.0\t1.1        \tUpgrade "
        "complete\n"
        "3       \tWed Jan 15 14:00:00 2025\tdeployed  \tweb-1.0.0\t1.1        \tUpgrade "
        "complete\n",
        "");
    machine_expect(&m, "helm get values web", 0,
                   "USER-SUPPLIED VALUES:\nimage:\n  tag: v1.3\nreplicaCount: 2\n", "");
    assert_string_equal(image(), "reg/web:v1.3");
    machine_expect(&m, "helm upgrade web ./chart --set image.tag=v1.3 --wait --timeout 30s", 1, "",
                   "Error: UPGRADE FAILED: context deadline exceeded\n");
    machine_holds(&m, "helm history web", 0, "Upgrade \"web\" failed: context deadline exceeded",
                  NULL);
    machine_holds(&m, "helm list", 0, "\tfailed\t", NULL);
    machine_expect(&m, "helm rollback web 2 --wait --timeout 2m", 0,
                   "Rollback was a success! Happy Helming!\n", "");
    assert_string_equal(image(), "reg/web:v1.1");
}

static void upgrades(void **state)
{
    (void)state;
    machine_holds(&m, "helm upgrade web ./chart --dry-run", 0, "MANIFEST:\n", "");
    assert_string_equal(image(), "reg/web:v1.1");
    machine_holds(&m, "helm upgrade --install web ./chart --set image.tag=v1.2", 0,
                  "Release \"web\" has been upgraded. Happy Helming!\nNAME: web\n", "");
    assert_string_equal(image(), "reg/web:v1.2");
    /* values given once are gone when others are given: the chart's own count is 1 */
    assert_int_equal(json_int(json_at(deployment()->json, "spec"), "replicas", 0), 1);
    machine_holds(&m, "helm upgrade web ./chart --reuse-values --set replicaCount=3", 0,
                  "REVISION: 4\n", "");
    assert_int_equal(json_int(json_at(deployment()->json, "spec"), "replicas", 0), 3);
    machine_expect(&m, "helm get values web -o json", 0,
                   "{\"image\":{\"tag\":\"v1.2\"},\"replicaCount\":3}\n", "");
    machine_expect(&m, "helm upgrade web ./chart --set image.tag=v1.3 --atomic --timeout 40s", 1,
                   "",
                   "Error: UPGRADE FAILED: release web failed, and has been rolled back due to "
                   "atomic being set: context deadline exceeded\n");
    assert_string_equal(image(), "reg/web:v1.2");
    machine_holds(&m, "helm history web", 0, "Rollback to 4", NULL);
}

static void uninstalls(void **state)
{
    (void)state;
    machine_expect(&m, "helm uninstall web --keep-history", 0, "release \"web\" uninstalled\n", "");
    assert_false(there("Deployment", "web"));
    machine_expect(&m, "helm list -q", 0, "", "");
    machine_expect(&m, "helm list -q -a", 0, "web\n", "");
    machine_holds(&m, "helm rollback web 1", 0, "Rollback was a success", NULL);
    assert_true(there("Deployment", "web"));
    machine_expect(&m, "helm uninstall web", 0, "release \"web\" uninstalled\n", "");
    machine_expect(&m, "helm history web", 1, "", "Error: release: not found\n");
    assert_false(there("Secret", "sh.helm.release.v1.web.v2"));
}

/* A release that somebody left half-way: only a rollback, or its Secret's deletion, helps. */
static void pending(void **state)
{
    (void)state;
    struct cluster *cluster = cluster_of(&m.d.env);
    struct api_error error = {0};
    struct release stuck = *release_last(cluster, &m.arena, "shop", "web");
    stuck.version = 3;
    stuck.status = "pending-upgrade";
    assert_true(release_keep(cluster, &stuck, 0, &error));
    machine_expect(&m, "helm upgrade web ./chart", 1, "",
                   "Error: UPGRADE FAILED: another operation (install/upgrade/rollback) is in "
                   "progress\n");
    machine_expect(&m, "helm list -q", 0, "", "");
    machine_expect(&m, "helm list -q --pending", 0, "web\n", "");
    machine_holds(&m, "helm rollback web 2", 0, "Rollback was a success", NULL);
    machine_holds(&m, "helm status web", 0, "REVISION: 4\n", NULL);
}

/* What somebody else made is not taken over; what somebody changed by hand is put right again. */
static void meets_others(void **state)
{
    (void)state;
    struct cluster *cluster = cluster_of(&m.d.env);
    struct api_error error = {0};
    cJSON *json = cJSON_Parse("{\"metadata\":{\"name\":\"web\"}}");
    machine_holds(&m, "helm rollback web 1", 0, "Rollback was a success", NULL);
    assert_non_null(cluster_create(cluster, cluster_kind(cluster, "ConfigMap", "v1"), "shop", json,
                                   false, &error));
    machine_expect(&m, "helm rollback web 2", 1, "",
                   "Error: no ConfigMap with the name \"web\" found\n");
    machine_holds(&m, "helm history web", 0,
                  "Rollback \"web\" failed: no ConfigMap with the name \"web\" found", NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(lists, begin, end),
        cmocka_unit_test_setup_teardown(mistakes, begin, end),
        cmocka_unit_test_setup_teardown(rolls_back, begin, end),
        cmocka_unit_test_setup_teardown(waits_in_vain, begin, end),
        cmocka_unit_test_setup_teardown(upgrades, begin, end),
        cmocka_unit_test_setup_teardown(uninstalls, begin, end),
        cmocka_unit_test_setup_teardown(pending, begin, end),
        cmocka_unit_test_setup_teardown(meets_others, begin, end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
