/* kubectl logs, exec, cp, run, port-forward and drain, as kubectl 1.32 words them (recorded against
 * a real client), on the cluster of a simulated world. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/kubectl_shop.h"

/* The i-th pod of the Deployment. */
static struct object *pod_at(int i)
{
    struct arena arena = {0};
    struct cluster *cluster = cluster_of(&shop.d.env);
    struct object **all =
        cluster_list(cluster, &arena, cluster_kind(cluster, "Pod", "v1"), NULL, NULL, NULL);
    while (strncmp((*all)->name, "web-", 4) != 0)
        all++;
    struct object *pod = all[i];
    arena_release(&arena);
    return pod;
}

/* The text with P for the i-th pod's name. */
static const char *with(int i, const char *text)
{
    static char out[2][4000];
    static int next;
    char *to = out[next++ % 2];
    char *start = to;
    for (; *text; text++) {
        if (*text == '@') {
            strcpy(to, pod_at(i)->name);
            to += strlen(to);
        } else {
            *to++ = *text;
        }
    }
    *to = '\0';
    return start;
}

static const char *with_pod(const char *text)
{
    return with(0, text);
}

/* ---- logs ---- */

static void test_logs(void **state)
{
    (void)state;
    struct object *pod = pod_at(0);
    machine_advance(&shop, SECOND / 2);
    for (int i = 0; i < 5; i++) {
        char line[20];
        snprintf(line, sizeof line, "line %d", i + 1);
        pod_write_log(pod, "web", line, i % 2);
    }
    ok(with_pod("kubectl logs @ --tail=2"), "line 4\nline 5\n");
    ok(with_pod("kubectl logs pod/@ --tail=1"), "line 5\n");
    ok(with_pod("kubectl logs @ web --tail=1"), "line 5\n");
    ok(with_pod("kubectl logs @ -c web --tail=1 --prefix"), with_pod("[pod/@/web] line 5\n"));
    ok(with_pod("kubectl logs @ --tail=1 --timestamps"), "2025-01-15T14:00:00.500000000Z line 5\n");
    machine_expect(&shop, "kubectl logs deployment/web --tail=1", 0, "line 5\n",
                   with_pod("Found 3 pods, using pod/@\n"));
    machine_holds(&shop, "kubectl logs -l app=web --tail=1", 0, "line 5\n", "");
    ok(with_pod("kubectl logs @ --since=1m --tail=1"), "line 5\n");
    ok("kubectl logs svc/web --all-pods --tail=0", "");
    fails(with_pod("kubectl logs @ --previous"),
          with_pod("Error from server (BadRequest): previous terminated container \"web\" in pod "
                   "\"@\" not found\n"));
    fails(with_pod("kubectl logs @ -c nope"), with_pod("error: container nope is not valid for pod "
                                                       "@\n"));
    fails("kubectl logs nopod",
          "error: error from server (NotFound): pods \"nopod\" not found in namespace "
          "\"default\"\n");
    fails("kubectl logs deployment/nope",
          "error: error from server (NotFound): deployments.apps \"nope\" not found in namespace "
          "\"default\"\n");
    fails("kubectl logs",
          "error: expected 'logs [-f] [-p] (POD | TYPE/NAME) [-c CONTAINER]'.\nPOD or TYPE/NAME is "
          "a required argument for the logs command\nSee 'kubectl logs -h' for help and "
          "examples\n");
    fails("kubectl logs x -l app=web", "error: only a selector (-l) or a POD name is allowed\nSee "
                                       "'kubectl logs -h' for help and examples\n");
    fails("kubectl logs x --tail=abc",
          "error: invalid argument \"abc\" for \"--tail\" flag: strconv.ParseInt: parsing \"abc\": "
          "invalid syntax\nSee 'kubectl logs --help' for usage.\n");
    fails("kubectl logs x --tail=-5", "error: --tail must be greater than or equal to -1\n");
    fails("kubectl logs x --since=-5s", "error: --since must be greater than 0\n");
    fails("kubectl logs x --since=1s --since-time=2020-01-01T00:00:00Z",
          "error: at most one of `sinceTime` or `sinceSeconds` may be specified\n");
    fails("kubectl logs x --all-containers -c web",
          "error: --all-containers=true should not be specified with container name web\n");
    machine_expect(&shop, "kubectl logs -l app=none", 0, "",
                   "No resources found in default namespace.\n");
    fails("kubectl logs -f -l app=web --max-log-requests=1",
          "error: you are attempting to follow 3 log streams, but maximum allowed concurrency is "
          "1, use --max-log-requests to increase the limit\n");
    fails("kubectl logs cm/cm", "error: cannot get the logs from *v1.ConfigMap: selector for "
                                "*v1.ConfigMap not implemented\n");
}

static void test_logs_of_what_does_not_start(void **state)
{
    (void)state;
    ok("kubectl set image deployment/web web=reg/web:gone", "deployment.apps/web image updated\n");
    machine_advance(&shop, 30 * SECOND);
    int i = 0;
    while (
        !strstr(json_text(json_at(pod_at(i)->json, "spec", "containers")->child, "image"), "gone"))
        i++;
    machine_holds(&shop, with(i, "kubectl logs @"), 1, NULL, "is waiting to start: ");
    machine_expect(&shop, with(i, "kubectl exec @ -- ls"), 1, "",
                   "error: Internal error occurred: unable to upgrade connection: container not "
                   "found (\"web\")\n");
}

/* ---- exec, cp ---- */

static int spawn(struct call_double *d, const char *place, char *const argv[], struct buf *capture)
{
    (void)d;
    (void)place;
    (void)argv;
    (void)capture;
    return 3;
}

static void test_exec(void **state)
{
    (void)state;
    shop.d.on_spawn = spawn;
    machine_expect(&shop, "kubectl exec deployment/web -- sh -c 'echo hello; exit 3'", 3, "",
                   "command terminated with exit code 3\n");
    assert_non_null(strstr(shop.d.spawned.at,
                           "[pod.default.web.0] /bin/sh -c exec \"$@\" </dev/null "
                           "sh sh -c echo hello; exit 3\n"));
    machine_expect(&shop, "kubectl exec -i deployment/web -- cat", 3, "",
                   "command terminated with exit code 3\n");
    assert_non_null(strstr(shop.d.spawned.at, "[pod.default.web.0] cat\n"));
    machine_expect(&shop, "kubectl exec -it deployment/web -- cat", 3, "",
                   "Unable to use a TTY - input is not a terminal or the right kind of file\n"
                   "command terminated with exit code 3\n");
    machine_holds(&shop, "kubectl exec deployment/web -- nosuchcmd", 1, "",
                  "OCI runtime exec failed: exec failed: unable to start container process: exec: "
                  "\"nosuchcmd\": executable file not found in $PATH: unknown\n");
    fails("kubectl exec nopod -- ls", "Error from server (NotFound): pods \"nopod\" not found\n");
    fails("kubectl exec deploy/nope -- ls",
          "Error from server (NotFound): deployments.apps \"nope\" not found\n");
    fails("kubectl exec deployment/web echo a",
          "error: exec [POD] [COMMAND] is not supported anymore. Use exec [POD] -- [COMMAND] "
          "instead\nSee 'kubectl exec -h' for help and examples\n");
    fails("kubectl exec deployment/web",
          "error: you must specify at least one command for the container\n");
    fails("kubectl exec -- ls", "error: pod, type/name or --filename must be specified\n");
    fails("kubectl exec cm/cm -- ls", "error: cannot attach to *v1.ConfigMap: selector for "
                                      "*v1.ConfigMap not implemented\n");
    fails("kubectl exec foo/bar/baz -- ls",
          "error: arguments in resource/name form may not have more than one slash\n");
    fails(with_pod("kubectl exec @ -c nope -- ls"),
          with_pod("Error from server (BadRequest): container nope is not valid for pod @\n"));
    ok("kubectl scale deploy/web --replicas=0", "deployment.apps/web scaled\n");
    machine_advance(&shop, 2 * MINUTE);
    int64_t from = world_now(shop.world);
    fails("kubectl exec deploy/web -- ls", "error: timed out waiting for the condition\n");
    assert_true(world_now(shop.world) - from >= MINUTE);
}

static void test_cp(void **state)
{
    (void)state;
    double_file(&shop.d, "", "/opt/shop/a.txt", "text");
    fails("kubectl cp", "error: source and destination are required\n");
    fails("kubectl cp a.txt b", "error: one of src or dest must be a remote file specification\n");
    fails("kubectl cp x:/a y:/b", "error: one of src or dest must be a local file specification\n");
    fails(with_pod("kubectl cp /nope @:/tmp/x"),
          "error: /nope doesn't exist in local filesystem\n");
    fails(with_pod("kubectl cp a.txt @:"), "error: filepath can not be empty\n");
    fails("kubectl cp a.txt a/b/c:/d",
          "error: filespec must match the canonical format: [[namespace/]pod:]file/path\n");
    fails("kubectl cp default/nopod:/a x", "Error from server (NotFound): pods \"nopod\" not "
                                           "found\n");
    machine_expect(&shop, with_pod("kubectl cp @:/etc/nope x"), 2, "",
                   "tar: Removing leading `/' from member names\n"
                   "tar: /etc/nope: Cannot stat: No such file or directory\n"
                   "tar: Exiting with failure status due to previous errors\n"
                   "command terminated with exit code 2\n");
    machine_expect(&shop, with_pod("kubectl cp a.txt @:/nope/x"), 2, "",
                   "tar: /nope: Cannot open: No such file or directory\n"
                   "tar: Error is not recoverable: exiting now\n"
                   "command terminated with exit code 2\n");
}

/* ---- run ---- */

/* Whether a change is noted: what somebody asks for is one, what a controller makes is none. */
static bool changed(const char *subject, const char *text)
{
    for (int i = 0; i < shop.record->n_events; i++) {
        const struct event *event = &shop.record->events[i];
        if (strcmp(event->subject, subject) == 0 && strstr(event->text, text))
            return true;
    }
    return false;
}

static void test_run(void **state)
{
    (void)state;
    fails("kubectl run foo", "error: required flag(s) \"image\" not set\n");
    ok("kubectl run foo --image=x:1", "pod/foo created\n");
    assert_true(changed("pod/foo", "created"));
    fails("kubectl run foo --image=x:1", "Error from server (AlreadyExists): pods \"foo\" already "
                                         "exists\n");
    ok("kubectl run foo3 --image=x:1 --restart=Never --env=A=b --labels=x=z --port=80 "
       "--dry-run=client -o yaml -- sh -c 'echo hi'",
       "apiVersion: v1\nkind: Pod\nmetadata:\n  creationTimestamp: null\n  labels:\n    x: z\n  "
       "name: foo3\nspec:\n"
       "  containers:\n  - args:\n    - sh\n    - -c\n    - echo hi\n    env:\n    - name: A\n"
       "      value: b\n    image: x:1\n    name: foo3\n    ports:\n    - containerPort: 80\n"
       "    resources: {}\n  dnsPolicy: ClusterFirst\n  restartPolicy: Never\nstatus: {}\n");
    fails("kubectl run foo6 --image=x --restart=Bad",
          "error: invalid restart policy: Bad\nSee 'kubectl run -h' for help and examples\n");
    fails("kubectl run foo7 --image=x --rm", "error: --rm should only be used for attached "
                                             "containers\nSee 'kubectl run -h' for help and "
                                             "examples\n");
    fails("kubectl run foo9 --image=x --expose", "error: --port must be set when exposing a "
                                                 "service\nSee 'kubectl run -h' for help and "
                                                 "examples\n");
    ok("kubectl run foo9 --image=x --expose --port=80", "service/foo9 created\npod/foo9 created\n");
    fails("kubectl run foo13 --image=x --env=A", "error: invalid env: A\n");
    fails("kubectl run foo5 --image='x 1'",
          "error: Invalid image name \"x 1\": invalid reference format\n");
    shop.d.on_spawn = spawn;
    machine_expect(&shop, "kubectl run tmp --rm -i --restart=Never --image=tools -- sh -c 'exit 3'",
                   3, "pod \"tmp\" deleted\n", "pod default/tmp terminated (Error)\n");
}

/* ---- nodes ---- */

static void test_nodes(void **state)
{
    (void)state;
    fails("kubectl cordon",
          "error: USAGE: cordon NODE [flags]\nSee 'kubectl cordon -h' for help and examples\n");
    ok("kubectl cordon node-1", "node/node-1 cordoned\n");
    ok("kubectl cordon node-1", "node/node-1 already cordoned\n");
    ok("kubectl uncordon node-1", "node/node-1 uncordoned\n");
    ok("kubectl uncordon node-1", "node/node-1 already uncordoned\n");
    ok("kubectl cordon node-1 --dry-run=client", "node/node-1 cordoned (dry run)\n");
    fails("kubectl cordon nope", "Error from server (NotFound): nodes \"nope\" not found\n");
    fails("kubectl drain node-1 -l a=b", "error: cannot specify both a node name and a --selector "
                                         "option\nSee 'kubectl drain -h' for help and examples\n");
    machine_holds(&shop, "kubectl drain node-1", 1, "node/node-1 cordoned\n",
                  "cannot delete DaemonSet-managed Pods (use --ignore-daemonsets to ignore): "
                  "default/agent-");
    machine_holds(&shop, "kubectl drain node-1 --dry-run=client --ignore-daemonsets", 0,
                  "evicting pod default/web-", "");
    machine_holds(&shop, "kubectl drain node-1 --ignore-daemonsets", 0, "node/node-1 drained\n",
                  "Warning: ignoring DaemonSet-managed Pods: default/agent-");
    for (int i = 0; i < 3; i++)
        assert_string_not_equal(json_text(pod_at(i)->json, "spec", "nodeName"), "node-1");
    ok("kubectl run alone --image=x:1", "pod/alone created\n");
    machine_advance(&shop, world_now(shop.world) + MINUTE);
    machine_holds(&shop, "kubectl drain node-2 --ignore-daemonsets", 1, "node/node-2 cordoned\n",
                  "error: unable to drain node \"node-2\" due to error: cannot delete Pods that "
                  "declare no controller (use --force to override): default/alone, continuing "
                  "command...\nThere are pending nodes to be drained:\n node-2\nerror: cannot "
                  "delete Pods that declare no controller (use --force to override): "
                  "default/alone\n");
}

/* A budget that allows no disruption holds a drain up until its time is over. */
static void test_drain_and_a_budget(void **state)
{
    (void)state;
    double_file(&shop.d, "", "/opt/shop/pdb.yaml",
                "apiVersion: policy/v1\nkind: PodDisruptionBudget\nmetadata: {name: web}\nspec: "
                "{minAvailable: 3, selector: {matchLabels: {app: web}}}\n");
    ok("kubectl apply -f pdb.yaml", "poddisruptionbudget.policy/web created\n");
    machine_advance(&shop, 10 * SECOND);
    machine_holds(&shop, "kubectl drain node-1 --ignore-daemonsets --timeout=12s", 1, NULL,
                  "(will retry after 5s): Cannot evict pod as it would violate the pod's "
                  "disruption budget.\n");
    machine_holds(&shop, "kubectl drain node-1 --ignore-daemonsets --timeout=12s", 1, NULL,
                  "There are pending pods in node \"node-1\" when an error occurred: global "
                  "timeout reached: 12s\npod/web-");
}

static void test_port_forward(void **state)
{
    (void)state;
    fails("kubectl port-forward svc/web",
          "error: TYPE/NAME and list of ports are required for port-forward\nSee 'kubectl "
          "port-forward -h' for help and examples\n");
    fails("kubectl port-forward nopod 80",
          "Error from server (NotFound): pods \"nopod\" not found\n");
    fails("kubectl port-forward svc/web 81",
          "error: Service web does not have a service port 81\n");
    fails(with_pod("kubectl port-forward deploy/web abc"),
          with_pod("error: Pod '@' does not have a named port 'abc'\n"));
    fails("kubectl port-forward cm/cm 80", "error: cannot attach to *v1.ConfigMap: selector for "
                                           "*v1.ConfigMap not implemented\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SHOP_TEST(test_logs),
        SHOP_TEST(test_logs_of_what_does_not_start),
        SHOP_TEST(test_exec),
        SHOP_TEST(test_cp),
        SHOP_TEST(test_run),
        SHOP_TEST(test_nodes),
        SHOP_TEST(test_drain_and_a_budget),
        SHOP_TEST(test_port_forward),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
