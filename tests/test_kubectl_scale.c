/* kubectl scale, autoscale, expose and wait, as kubectl 1.32 words them (recorded against a real
 * client), on the cluster of a simulated world. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/kubectl_shop.h"

/* ---- scale ---- */

static void test_scale(void **state)
{
    (void)state;
    ok("kubectl scale deployment/web --replicas=5", "deployment.apps/web scaled\n");
    fails("kubectl scale deployment web --replicas=5 --current-replicas=3",
          "error: Expected replicas to be 3, was 5\n");
    ok("kubectl scale deployment/web --replicas=0", "deployment.apps/web scaled\n");
    machine_advance(&shop, MINUTE);
    ok("kubectl rollout status deployment/web", "deployment \"web\" successfully rolled out\n");
    fails("kubectl scale deployment/nope --replicas=3",
          "error: no objects passed to scale deployments.apps \"nope\" not found\n");
    fails("kubectl scale deploy/a deploy/b --replicas=1",
          "error: no objects passed to scale [deployments.apps \"a\" not found, deployments.apps "
          "\"b\" not found]\n");
    fails("kubectl scale deploy -l app=none --replicas=4", "error: no objects passed to scale\n");
    machine_expect(&shop, "kubectl scale deploy web nope --replicas=3", 1,
                   "deployment.apps/web scaled\n",
                   "Error from server (NotFound): deployments.apps \"nope\" not found\n");
    fails("kubectl scale deployment/web --replicas=-1",
          "error: The --replicas=COUNT flag is required, and COUNT must be greater than or equal "
          "to 0\n");
    fails("kubectl scale deploy/web", "error: required flag(s) \"replicas\" not set\n");
    fails("kubectl scale deploy --replicas=2",
          "error: resource(s) were provided, but no name was specified\n");
    fails("kubectl scale deploy/web --replicas=x",
          "error: invalid argument \"x\" for \"--replicas\" flag: strconv.ParseInt: parsing "
          "\"x\": invalid syntax\nSee 'kubectl scale --help' for usage.\n");
    ok("kubectl scale deploy/web --replicas=2 --dry-run=client",
       "deployment.apps/web scaled (dry run)\n");
    ok("kubectl scale deploy/web --replicas=2 -o jsonpath={.spec.replicas}", "3"); /* as it was */
    ok("kubectl scale deploy --all --replicas=2", "deployment.apps/web scaled\n");
    fails("kubectl scale svc/web --replicas=2",
          "Error from server (NotFound): the server could not find the requested resource\n");
    ok("kubectl scale deploy/web --replicas=3 --timeout=1m", "deployment.apps/web scaled\n");
}

static void test_autoscale(void **state)
{
    (void)state;
    fails("kubectl autoscale deploy/web", "error: required flag(s) \"max\" not set\n");
    fails("kubectl autoscale deploy/web --max=3 --min=5",
          "error: --max=MAXPODS must be larger or equal to --min=MINPODS, max: 3, min: 5\n");
    fails("kubectl autoscale deploy/web --max=0",
          "error: --max=MAXPODS is required and must be at least 1, max: 0\n");
    ok("kubectl autoscale deploy/web --max=3 --dry-run=client --min=2 --cpu-percent=50",
       "horizontalpodautoscaler.autoscaling/web created (dry run)\n");
    ok("kubectl autoscale deploy/web --max=3 --min=2 --cpu-percent=50",
       "horizontalpodautoscaler.autoscaling/web autoscaled\n");
    fails("kubectl autoscale deploy/web --max=3",
          "Error from server (AlreadyExists): horizontalpodautoscalers.autoscaling \"web\" already "
          "exists\n");
    fails("kubectl autoscale svc/web --max=3",
          "error: cannot autoscale a Service: could not find scale subresource for /v1, "
          "Resource=services in discovery information\n");
}

static void test_expose(void **state)
{
    (void)state;
    fails("kubectl expose deploy/web --port=80",
          "Error from server (AlreadyExists): services \"web\" already exists\n");
    ok("kubectl expose deploy/web --port=80 --name=w2", "service/w2 exposed\n");
    ok("kubectl expose deploy/web --port=80 --target-port=8080 --name=w3 -o "
       "jsonpath={.spec.ports}",
       "[{\"port\":80,\"protocol\":\"TCP\",\"targetPort\":8080}]");
    ok("kubectl expose deploy/web --name=w4 -o jsonpath={.spec.ports[0].port}", "8080");
    fails("kubectl expose cm/cm --name=w5", "error: cannot expose a ConfigMap\n");
    ok("kubectl expose deploy/web --port=80,81 --name=abc --dry-run=client -o yaml",
       "apiVersion: v1\nkind: Service\nmetadata:\n  creationTimestamp: null\n  labels:\n    app: "
       "web\n  name: abc\nspec:\n"
       "  ports:\n  - name: port-1\n    port: 80\n    protocol: TCP\n    targetPort: 80\n"
       "  - name: port-2\n    port: 81\n    protocol: TCP\n    targetPort: 81\n"
       "  selector:\n    app: web\nstatus:\n  loadBalancer: {}\n");
}

/* ---- wait ---- */

static void test_wait(void **state)
{
    (void)state;
    ok("kubectl wait --for=condition=available --timeout=300s deployment/web",
       "deployment.apps/web condition met\n");
    ok("kubectl wait --for=condition=Available=True deployment/web",
       "deployment.apps/web condition met\n");
    ok("kubectl wait --for=jsonpath={.status.readyReplicas}=3 deployment/web",
       "deployment.apps/web condition met\n");
    ok("kubectl wait '--for=jsonpath={.status.conditions[?(@.type==\"Available\")].status}=True' "
       "deployment/web",
       "deployment.apps/web condition met\n");
    ok("kubectl wait deploy/web --for=jsonpath=.status.readyReplicas=3",
       "deployment.apps/web condition met\n");
    ok("kubectl wait deploy/web --for=jsonpath={.spec}", "deployment.apps/web condition met\n");
    fails("kubectl wait deploy/web --for=jsonpath={.spec}=3",
          "error: jsonpath leads to a nested object or list which is not supported\n");
    fails("kubectl wait deploy/web '--for=jsonpath={.status.conditions[*].status}=True'",
          "error: given jsonpath expression matches more than one value\n");
    int64_t from = world_now(shop.world);
    fails("kubectl wait --for=condition=progressing=false deployment/web --timeout=1s",
          "error: timed out waiting for the condition on deployments/web\n");
    int64_t took = world_now(shop.world) - from;
    assert_true(took >= SECOND && took < 2 * SECOND);
    fails("kubectl wait deploy/web --for=jsonpath={.status.nope}=1 --timeout=1s",
          "error: timed out waiting for the condition on deployments/web\n");
    fails("kubectl wait --for=condition=ready pod -l app=none --timeout=3s",
          "error: no matching resources found\n");
    fails("kubectl wait --for=condition=available --timeout=1s deployment/nope",
          "Error from server (NotFound): deployments.apps \"nope\" not found\n");
    machine_expect(&shop, "kubectl wait deploy/nope deploy/web --for=condition=available", 1,
                   "deployment.apps/web condition met\n",
                   "Error from server (NotFound): deployments.apps \"nope\" not found\n");
    fails("kubectl wait deploy/web --for=condition=nope --timeout=0",
          "error: condition not met for deployments/web\n");
    /* one time for all: behind it nothing is looked at */
    from = world_now(shop.world);
    fails("kubectl wait cm/cm deploy/web --for=condition=available --timeout=2s",
          "timed out waiting for the condition on configmaps/cm\n"
          "timed out waiting for the condition on deployments/web\n");
    took = world_now(shop.world) - from;
    assert_true(took >= 2 * SECOND && took < 3 * SECOND);
    ok("kubectl wait deploy/web --for=condition=available -o name", "deployment.apps/web\n");
    ok("kubectl wait deploy/nope --for=delete --timeout=1s", "");
    ok("kubectl wait pods -l app=none --for=delete --timeout=1s", "");
    fails("kubectl wait deploy/web --for=delete --timeout=1s",
          "error: timed out waiting for the condition on deployments/web\n");
    ok("kubectl wait deploy/web --for=create --timeout=1s", "deployment.apps/web condition met\n");
    fails("kubectl wait deploy/nope --for=create --timeout=1s",
          "error: timed out waiting for the condition\n");
}

static void test_wait_mistakes(void **state)
{
    (void)state;
    fails("kubectl wait", "error: unrecognized condition: \"\"\n");
    fails("kubectl wait deploy/web --for=foo", "error: unrecognized condition: \"foo\"\n");
    fails("kubectl wait deploy/web --for=Condition=available",
          "error: unrecognized condition: \"Condition=available\"\n");
    fails("kubectl wait deploy/web --for=delete=x",
          "error: unrecognized condition: \"delete=x\"\n");
    fails("kubectl wait deploy/web --for",
          "error: flag needs an argument: --for\nSee 'kubectl wait --help' for usage.\n");
    fails("kubectl wait deploy --for=condition=available",
          "error: resource(s) were provided, but no name was specified\n");
    fails("kubectl wait deploy/web --for=jsonpath= ",
          "error: jsonpath expression cannot be empty\n");
    fails("kubectl wait deploy/web --for=jsonpath={.status.readyReplicas}=",
          "error: jsonpath wait has to have a value after equal sign, like "
          "--for=jsonpath='{.status.readyReplicas}'=3\n");
    fails("kubectl wait deploy/web --for=jsonpath={.status.readyReplicas=3",
          "error: unexpected path string, expected a 'name1.name2' or '.name1.name2' or "
          "'{name1.name2}' or '{.name1.name2}'\n");
    fails("kubectl wait deploy/web --for=condition=available --timeout=1",
          "error: invalid argument \"1\" for \"--timeout\" flag: time: missing unit in duration "
          "\"1\"\nSee 'kubectl wait --help' for usage.\n");
    fails("kubectl wait nope/x --for=condition=available",
          "error: the server doesn't have a resource type \"nope\"\n");
}

/* A Deployment stays available while a new image cannot be pulled: to wait for that says nothing of
 * the rollout. */
static void test_wait_says_nothing_of_a_rollout(void **state)
{
    (void)state;
    ok("kubectl set image deployment/web web=reg/web:gone", "deployment.apps/web image updated\n");
    ok("kubectl wait --for=condition=available --timeout=300s deployment/web",
       "deployment.apps/web condition met\n");
    assert_true(world_now(shop.world) < 5 * SECOND);
}

static void test_flags_that_are_on_or_off(void **state)
{
    (void)state;
    fails("kubectl delete pod nope --wait=foo",
          "error: invalid argument \"foo\" for \"--wait\" flag: strconv.ParseBool: parsing "
          "\"foo\": invalid syntax\nSee 'kubectl delete --help' for usage.\n");
    fails("kubectl get pods --all-namespaces=maybe",
          "error: invalid argument \"maybe\" for \"-A, --all-namespaces\" flag: "
          "strconv.ParseBool: parsing \"maybe\": invalid syntax\n"
          "See 'kubectl get --help' for usage.\n");
    ok("kubectl get deployment web --no-headers=0 -o name", "deployment.apps/web\n");
}

/* "deployment" is a subcommand of create, and here a file. */
static void test_a_file_named_like_a_command(void **state)
{
    (void)state;
    fails("kubectl create -f deployment", "error: the path \"deployment\" does not exist\n");
    fails("kubectl create --filename deployment",
          "error: the path \"deployment\" does not exist\n");
}

/* The server takes any number; what cannot be simulated is said, and never made. */
static void test_more_pods_than_are_simulated(void **state)
{
    (void)state;
    ok("kubectl scale deployment/web --replicas=1000000000", "deployment.apps/web scaled\n");
    ok("kubectl scale statefulset/db --replicas=2147483647", "statefulset.apps/db scaled\n");
    machine_advance(&shop, world_now(shop.world) + 5 * SECOND);
    ok("kubectl get deployment web -o jsonpath={.spec.replicas}", "1000000000");
    int told = 0;
    for (int i = 0; i < shop.record->n_observations; i++)
        told += strstr(shop.record->observations[i].message,
                       "Deployment web asks for 1000000000 pods: no more than 500") != NULL;
    assert_int_equal(told, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SHOP_TEST(test_scale),
        SHOP_TEST(test_autoscale),
        SHOP_TEST(test_expose),
        SHOP_TEST(test_wait),
        SHOP_TEST(test_wait_mistakes),
        SHOP_TEST(test_wait_says_nothing_of_a_rollout),
        SHOP_TEST(test_flags_that_are_on_or_off),
        SHOP_TEST(test_a_file_named_like_a_command),
        SHOP_TEST(test_more_pods_than_are_simulated),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
