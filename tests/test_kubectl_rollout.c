/* kubectl rollout and set, as kubectl 1.32 words them (recorded against a real client), on the
 * cluster of a simulated world. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/kubectl_shop.h"

/* ---- rollout ---- */

static void test_status(void **state)
{
    (void)state;
    ok("kubectl rollout status deployment/web", "deployment \"web\" successfully rolled out\n");
    ok("kubectl rollout status deploy web", "deployment \"web\" successfully rolled out\n");
    ok("kubectl set image deployment/web web=reg/web:v2", "deployment.apps/web image updated\n");
    machine_holds(&shop, "kubectl rollout status deployment/web", 0,
                  "Waiting for deployment \"web\" rollout to finish: 1 out of 3 new replicas have "
                  "been updated...\n",
                  "");
    ok("kubectl rollout status deployment/web --revision=2",
       "deployment \"web\" successfully rolled out\n");
    fails("kubectl rollout status deployment/web --revision=7",
          "error: desired revision (7) is different from the running revision (2)\n");
    fails("kubectl rollout status", "error: required resource not specified\n");
    fails("kubectl rollout foo",
          "error: unknown command \"foo\"\nSee 'kubectl rollout -h' for help and examples\n");
    fails("kubectl debug web", "error: debug is not simulated\n");
    fails("kubectl rollout status svc/web",
          "error: no status viewer has been implemented for Service\n");
    fails("kubectl rollout status deployment/nope",
          "Error from server (NotFound): deployments.apps \"nope\" not found\n");
    machine_expect(&shop, "kubectl rollout status deploy -l a=b", 0, "",
                   "No resources found in default namespace.\n");
    fails("kubectl rollout status deploy/web --timeout=abc",
          "error: invalid argument \"abc\" for \"--timeout\" flag: time: invalid duration \"abc\"\n"
          "See 'kubectl rollout status --help' for usage.\n");
    fails("kubectl rollout status deploy/web --timeout=5",
          "error: invalid argument \"5\" for \"--timeout\" flag: time: missing unit in duration "
          "\"5\"\nSee 'kubectl rollout status --help' for usage.\n");
}

static void test_status_of_a_bad_rollout(void **state)
{
    (void)state;
    ok("kubectl set image deployment/web web=reg/web:gone", "deployment.apps/web image updated\n");
    machine_advance(&shop, 5 * SECOND);
    int64_t from = world_now(shop.world);
    machine_expect(&shop, "kubectl rollout status deployment/web --timeout=10s", 1,
                   "Waiting for deployment \"web\" rollout to finish: 1 out of 3 new replicas have "
                   "been updated...\n",
                   "error: timed out waiting for the condition\n");
    int64_t took = world_now(shop.world) - from;
    assert_true(took >= 10 * SECOND && took < 11 * SECOND);
    ok("kubectl rollout status deployment/web --watch=false",
       "Waiting for deployment \"web\" rollout to finish: 1 out of 3 new replicas have been "
       "updated...\n");
    machine_expect(&shop, "kubectl rollout status deployment/web", 1,
                   "Waiting for deployment \"web\" rollout to finish: 1 out of 3 new replicas have "
                   "been updated...\n",
                   "error: deployment \"web\" exceeded its progress deadline\n");
    took = world_now(shop.world);
    assert_true(took > 60 * SECOND && took < 65 * SECOND);
    ok("kubectl rollout undo deployment/web", "deployment.apps/web rolled back\n");
    machine_holds(&shop, "kubectl rollout status deployment/web", 0,
                  "deployment \"web\" successfully rolled out\n", "");
}

static void test_undo(void **state)
{
    (void)state;
    fails("kubectl rollout undo deployment/web",
          "error: no rollout history found for deployment \"web\"\n");
    ok("kubectl set env deployment/web MODE=b", "deployment.apps/web env updated\n");
    machine_advance(&shop, 30 * SECOND);
    ok("kubectl rollout history deployment/web",
       "deployment.apps/web \nREVISION  CHANGE-CAUSE\n1         <none>\n2         <none>\n\n");
    machine_holds(&shop, "kubectl rollout history deployment/web --revision=2", 0,
                  "deployment.apps/web with revision #2\nPod Template:\n  Labels:\tapp=web\n\t"
                  "pod-template-hash=",
                  "");
    machine_holds(&shop, "kubectl rollout history deployment/web --revision=2", 0,
                  "  Containers:\n   web:\n    Image:\treg/web:v1\n    Port:\t8080/TCP\n    Host "
                  "Port:\t0/TCP\n    Environment:\n      MODE:\tb\n    Mounts:\t<none>\n  "
                  "Volumes:\t<none>\n  Node-Selectors:\t<none>\n  Tolerations:\t<none>\n\n",
                  "");
    machine_holds(&shop, "kubectl rollout undo deployment/web --dry-run=client", 0,
                  "deployment.apps/web Pod Template:\n", "");
    ok("kubectl rollout undo deployment/web --dry-run=server",
       "deployment.apps/web rolled back (server dry run)\n");
    ok("kubectl set env deployment/web --list", "# Deployment web, container web\nMODE=b\n");
    ok("kubectl rollout undo deployment/web", "deployment.apps/web rolled back\n");
    ok("kubectl set env deployment/web --list", "# Deployment web, container web\nMODE=a\n");
    machine_advance(&shop, 60 * SECOND);
    /* the revision that is used again has another number */
    ok("kubectl rollout history deployment/web",
       "deployment.apps/web \nREVISION  CHANGE-CAUSE\n2         <none>\n3         <none>\n\n");
    ok("kubectl rollout undo deployment/web --to-revision=3",
       "deployment.apps/web skipped rollback (current template already matches revision 3)\n");
    fails("kubectl rollout undo deployment/web --to-revision=1",
          "error: unable to find specified revision 1 in history\n");
    fails("kubectl rollout undo deployment/web --to-revision=-1",
          "error: unable to find specified revision -1 in history\n");
    fails("kubectl rollout undo deployment/web --to-revision=abc",
          "error: invalid argument \"abc\" for \"--to-revision\" flag: strconv.ParseInt: parsing "
          "\"abc\": invalid syntax\nSee 'kubectl rollout undo --help' for usage.\n");
    fails("kubectl rollout undo deployment/web --dry-run=x",
          "error: Invalid dry-run value (x). Must be \"none\", \"server\", or \"client\".\n");
    fails("kubectl rollout undo svc/web",
          "error: error retrieving rollbacker for \"Service\", no visitor method exists for { "
          "Service}\n");
    fails("kubectl rollout history svc/web",
          "error: error retrieving history for \"Service\", no visitor method exists for { "
          "Service}\n");
    fails("kubectl rollout history rs", "no history viewer has been implemented for "
                                        "\"ReplicaSet.apps\"\nno history viewer has been "
                                        "implemented for \"ReplicaSet.apps\"\n");
    fails("kubectl rollout history deployment/web --revision=99",
          "error: unable to find the specified revision\n");
    fails("kubectl rollout history deploy/web --revision=-2",
          "error: revision must be a positive integer: -2\n");
    fails("kubectl rollout undo deployment/nope",
          "Error from server (NotFound): deployments.apps \"nope\" not found\n");
}

static void test_pause_and_restart(void **state)
{
    (void)state;
    ok("kubectl rollout pause deployment/web", "deployment.apps/web paused\n");
    fails("kubectl rollout pause deployment/web",
          "error: deployments.apps \"web\" is already paused\n");
    ok("kubectl set env deployment/web MODE=b", "deployment.apps/web env updated\n");
    machine_advance(&shop, 30 * SECOND);
    fails("kubectl rollout restart deployment/web",
          "error: deployments.apps \"web\" can't restart paused deployment (run rollout resume "
          "first)\n");
    ok("kubectl rollout resume deployment/web", "deployment.apps/web resumed\n");
    fails("kubectl rollout resume deployment/web",
          "error: deployments.apps \"web\" is not paused\n");
    machine_advance(&shop, 60 * SECOND);
    ok("kubectl rollout pause deployment/web", "deployment.apps/web paused\n");
    fails("kubectl rollout undo deployment/web",
          "error: you cannot rollback a paused deployment; resume it first with 'kubectl rollout "
          "resume' and try again\n");
    ok("kubectl rollout resume deployment/web", "deployment.apps/web resumed\n");
    machine_expect(&shop, "kubectl rollout restart deployment/web svc/web cm/cm", 1,
                   "deployment.apps/web restarted\n",
                   "error: services \"web\" restarting is not supported\n"
                   "error: configmaps \"cm\" restarting is not supported\n");
    fails("kubectl rollout restart deployment/web",
          "error: failed to create patch for web: if restart has already been triggered within the "
          "past second, please wait before attempting to trigger another\n");
    fails("kubectl rollout restart svc/web",
          "error: services \"web\" restarting is not supported\n");
    fails("kubectl rollout restart deploy/web --dry-run=client",
          "error: unknown flag: --dry-run\nSee 'kubectl rollout restart --help' for usage.\n");
}

static void test_stateful_and_daemon_sets(void **state)
{
    (void)state;
    ok("kubectl rollout status sts/db",
       "partitioned roll out complete: 2 new pods have been updated...\n");
    ok("kubectl rollout status ds/agent", "daemon set \"agent\" successfully rolled out\n");
    fails("kubectl rollout undo sts/db", "error: no last revision to roll back to\n");
    ok("kubectl set image sts/db db=reg/db:2", "statefulset.apps/db image updated\n");
    ok("kubectl set image ds/agent agent=reg/agent:2", "daemonset.apps/agent image updated\n");
    machine_holds(&shop, "kubectl rollout status sts/db", 0,
                  "partitioned roll out complete: 2 new pods have been updated...\n", "");
    machine_holds(&shop, "kubectl rollout status ds/agent", 0,
                  "daemon set \"agent\" successfully rolled out\n", "");
    ok("kubectl rollout history sts/db",
       "statefulset.apps/db \nREVISION  CHANGE-CAUSE\n1         <none>\n2         <none>\n\n");
    ok("kubectl rollout undo sts/db", "statefulset.apps/db rolled back\n");
    ok("kubectl rollout undo ds/agent", "daemonset.apps/agent rolled back\n");
    ok("kubectl get sts,ds -o 'jsonpath={.items[*].spec.template.spec.containers[0].image}'",
       "reg/db:1 reg/agent:1");
    ok("kubectl rollout undo ds/agent --to-revision=3",
       "daemonset.apps/agent skipped rollback (current template already matches revision 3)\n");
    fails("kubectl rollout undo ds/agent --to-revision=9",
          "error: unable to find specified revision 9 in history\n");
    fails("kubectl rollout pause sts/db", "error: statefulsets.apps \"db\" pausing is not "
                                          "supported\n");
    ok("kubectl rollout restart sts/db", "statefulset.apps/db restarted\n");
}

/* ---- set ---- */

static void test_set_image(void **state)
{
    (void)state;
    ok("kubectl set image deployment/web web=reg/web:v1", ""); /* as it is */
    ok("kubectl set image deployment/web '*=reg/web:v2'", "deployment.apps/web image updated\n");
    ok("kubectl set image deploy web web=reg/web:v1 --dry-run=client",
       "deployment.apps/web image updated (dry run)\n");
    ok("kubectl set image deploy web web=reg/web:v1 --dry-run=server",
       "deployment.apps/web image updated (server dry run)\n");
    ok("kubectl set image deploy/web web=reg/web:v1 -o name", "deployment.apps/web\n");
    fails("kubectl set image deployment/web nope=reg/web:2.0",
          "error: unable to find container named \"nope\"\n");
    machine_expect(&shop, "kubectl set image deploy/web web=reg/web:v2 nope=x", 1,
                   "deployment.apps/web image updated\n",
                   "error: unable to find container named \"nope\"\n");
    fails("kubectl set image deployment/nope web=reg/web:2.0",
          "Error from server (NotFound): deployments.apps \"nope\" not found\n");
    fails("kubectl set image deploy web nope web=reg/web:v1",
          "Error from server (NotFound): deployments.apps \"nope\" not found\n");
    fails("kubectl set image deploy/web", "error: at least one image update is required\n");
    fails("kubectl set image deploy web=reg/web:1.4",
          "error: resource(s) were provided, but no name was specified\n");
    ok("kubectl set image --all deploy web=reg/web:v1", "deployment.apps/web image updated\n");
    ok("kubectl set image deploy -l app=web web=reg/web:v2", "deployment.apps/web image updated\n");
    fails("kubectl set image svc/web web=x",
          "error: services/web the object is not a pod or does not have a pod template: "
          "*v1.Service\n");
    fails("kubectl set image svc/web cm/cm web=x",
          "error: services/web the object is not a pod or does not have a pod template: "
          "*v1.Service\n\nerror: configmaps/cm the object is not a pod or does not have a pod "
          "template: *v1.ConfigMap\n\n");
    fails("kubectl set image deploy/web web=x '*=y'",
          "error: all containers are already specified by *, but saw more than one "
          "container_name=container_image pairs\n");
    fails("kubectl set image deploy/web web=x foo",
          "error: all resources must be specified before image changes: foo\n");
    fails("kubectl set image deploy/web web=x -o wide",
          "error: unable to match a printer suitable for the output format \"wide\", allowed "
          "formats are: go-template,go-template-file,json,jsonpath,jsonpath-as-json,jsonpath-file,"
          "name,template,templatefile,yaml\n");
}

static void test_set_image_recorded(void **state)
{
    (void)state;
    machine_expect(&shop, "kubectl set image deploy/web web=reg/web:v2 --record", 0,
                   "deployment.apps/web image updated\n",
                   "Flag --record has been deprecated, --record will be removed in the future\n");
    machine_advance(&shop, 30 * SECOND);
    ok("kubectl rollout history deployment/web", "deployment.apps/web \nREVISION  CHANGE-CAUSE\n1  "
                                                 "       <none>\n2         kubectl set image "
                                                 "deploy/web web=reg/web:v2 --record=true\n\n");
}

static void test_set_env(void **state)
{
    (void)state;
    ok("kubectl set env deployment/web MODE=a", "");
    ok("kubectl set env deployment/web MODE- NEW=1", "deployment.apps/web env updated\n");
    ok("kubectl set env deployment/web --list", "# Deployment web, container web\nNEW=1\n");
    machine_expect(&shop, "kubectl set env deployment/web --from=configmap/cm", 0,
                   "deployment.apps/web env updated\n",
                   "Warning: key a transferred to A\nWarning: key b-c transferred to B_C\n");
    ok("kubectl set env deployment/web --list",
       "# Deployment web, container web\nNEW=1\n# A from configmap cm, key a\n"
       "# B_C from configmap cm, key b-c\n");
    ok("kubectl set env deployment/web --list --resolve",
       "# Deployment web, container web\nNEW=1\nA=x\nB_C=z\n");
    ok("kubectl set env deploy/web --env=NEW=2", "deployment.apps/web env updated\n");
    fails("kubectl set env deploy/web NEW=3 --overwrite=false",
          "error: deployments/web 'NEW' already has a value (2), and --overwrite is false\n");
    machine_expect(&shop, "kubectl set env deploy/web -c nope A=b", 0, "",
                   "Warning: Deployment/web does not have any containers matching \"nope\"\n");
    fails("kubectl set env", "error: one or more resources must be specified as <resource> <name> "
                             "or <resource>/<name>\n");
    ok("kubectl set env deploy/web", "");
    fails("kubectl set env deployment/nope A=b",
          "Error from server (NotFound): deployments.apps \"nope\" not found\n");
    fails("kubectl set env deployment/web BADARG",
          "error: there is no need to specify a resource type as a separate argument when passing "
          "arguments in resource/name form (e.g. 'kubectl get resource/<resource_name>' instead of "
          "'kubectl get resource resource/<resource_name>'\n");
    fails("kubectl set env deploy/web 1A=x",
          "error: \"1A\" is not a valid key name: a valid environment variable name must consist "
          "of alphabetic characters, digits, '_', '-', or '.', and must not start with a digit "
          "(e.g. 'my.env-name',  or 'MY_ENV.NAME',  or 'MyEnvName1', regex used for validation is "
          "'[-._a-zA-Z][-._a-zA-Z0-9]*')\n");
    fails("kubectl set env deploy/web A=b A-", "error: can not both modify and remove the same "
                                               "environment variable in the same command\n");
    fails("kubectl set env deploy/web -e A", "error: unknown environment variable: A\n");
    fails("kubectl set env deploy/web A=1 foo", "error: all resources must be specified before "
                                                "environment changes: deploy/web A=1 foo\n");
    fails("kubectl set env deploy/web B=2 --keys=a", "error: when specifying --keys, a configmap "
                                                     "or secret must be provided with --from\n");
    fails("kubectl set env deploy/web --from=svc/web",
          "error: unsupported resource specified in --from\n");
    fails("kubectl set env deploy/web --from=configmap/nope",
          "Error from server (NotFound): configmaps \"nope\" not found\n");
    fails("kubectl set env svc/web A=b",
          "error: services/web the object is not a pod or does not have a pod template: "
          "*v1.Service\n");
}

static void test_set_others(void **state)
{
    (void)state;
    ok("kubectl set resources deploy/web --limits=cpu=200m,memory=512Mi",
       "deployment.apps/web resource requirements updated\n");
    ok("kubectl set resources deploy/web --limits=cpu=200m,memory=512Mi", "");
    fails("kubectl set resources deploy/web",
          "error: you must specify an update to requests or limits (in the form of "
          "--requests/--limits)\n");
    fails("kubectl set resources deploy/web --requests=cpu=x",
          "error: quantities must match the regular expression "
          "'^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'\n");
    fails("kubectl set resources deploy/web --limits=cpu",
          "error: Invalid argument syntax cpu, expected <resource>=<value>\n");
    fails("kubectl set resources deploy/web -c nope --limits=cpu=1",
          "error: unable to find container named nope\n");
    ok("kubectl set selector svc/web app=web,tier=x", "service/web selector updated\n");
    ok("kubectl set selector svc web app=web,tier=x", "service/web selector updated\n");
    fails("kubectl set selector deploy/web a=b",
          "error: setting a selector is only supported for Services\n");
    ok("kubectl set serviceaccount deploy/web foo", "deployment.apps/web serviceaccount updated\n");
    fails("kubectl set serviceaccount deploy/web",
          "error: You must provide one or more resources by argument or filename.\nExample "
          "resource specifications include:\n   '-f rsrc.yaml'\n   '--filename=rsrc.json'\n   "
          "'<resource> <name>'\n   '<resource>'\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SHOP_TEST(test_status),
        SHOP_TEST(test_status_of_a_bad_rollout),
        SHOP_TEST(test_undo),
        SHOP_TEST(test_stateful_and_daemon_sets),
        SHOP_TEST(test_pause_and_restart),
        SHOP_TEST(test_set_image),
        SHOP_TEST(test_set_image_recorded),
        SHOP_TEST(test_set_env),
        SHOP_TEST(test_set_others),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
