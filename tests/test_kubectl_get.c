/* kubectl get and its tables, in the words of kubectl 1.32 and of the API server's printers
 * (kubernetes pkg/printers/internalversion). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "fakes/kubernetes/kubectl/ages.h"
#include "fakes/kubernetes/kubectl/tables.h"
#include "fakes/kubernetes/kubectl/tabwriter.h"
#include "tests/machine.h"

static const char system_text[] = "services:\n"
                                  "  web:\n"
                                  "    runs: {deployment: web, namespace: shop}\n"
                                  "    replicas: 3\n"
                                  "    versions:\n"
                                  "      v1: {time: {p50: 5ms, p99: 20ms}, start: 2s}\n"
                                  "      v2: {time: {p50: 5ms, p99: 20ms}, start: 2s}\n"
                                  "kubernetes:\n"
                                  "  namespace: shop\n"
                                  "  nodes: [node-1, node-2]\n"
                                  "  manifests: [/k8s/base.yaml]\n";

static const char base[] =
    "apiVersion: apps/v1\n"
    "kind: Deployment\n"
    "metadata: {name: web, labels: {app: web, tier: front}}\n"
    "spec:\n"
    "  replicas: 3\n"
    "  selector: {matchLabels: {app: web}}\n"
    "  template:\n"
    "    metadata: {labels: {app: web}}\n"
    "    spec:\n"
    "      containers:\n"
    "      - {name: web, image: 'reg/web:v1', ports: [{containerPort: 8080}]}\n"
    "---\n"
    "apiVersion: v1\n"
    "kind: Service\n"
    "metadata: {name: web}\n"
    "spec:\n"
    "  clusterIP: 10.96.0.10\n"
    "  clusterIPs: [10.96.0.10]\n"
    "  selector: {app: web}\n"
    "  ports: [{port: 80, protocol: TCP, targetPort: 8080}]\n"
    "---\n"
    "apiVersion: v1\n"
    "kind: ConfigMap\n"
    "metadata: {name: c9, labels: {rank: '9'}}\n"
    "data: {a: '1', b: '2'}\n"
    "---\n"
    "apiVersion: v1\n"
    "kind: ConfigMap\n"
    "metadata: {name: c10, labels: {rank: '10', example.test/tier: back}}\n";

static int start(void **state)
{
    static struct machine m;
    const struct machine_file files[] = {
        {"/k8s/base.yaml", base},
        {"/opt/shop/columns", "NAME  RANK\n.metadata.name  .metadata.labels.rank\n"},
        {"/opt/shop/short", "NAME RANK\n.metadata.name\n"},
        {"/opt/shop/path", "{.kind}"},
        {NULL, NULL}};
    machine_init(&m, system_text, NULL, files);
    *state = &m;
    return 0;
}

static int finish(void **state)
{
    machine_release(*state);
    return 0;
}

/* ---- ages ---- */

static void ages_are_worded_as_kubectl_does(void **state)
{
    static const struct {
        int64_t s;
        const char *want;
    } cases[] = {
        {-5, "<invalid>"},
        {-1, "0s"},
        {0, "0s"},
        {119, "119s"},
        {120, "2m"},
        {121, "2m1s"},
        {599, "9m59s"},
        {600, "10m"},
        {10799, "179m"},
        {10800, "3h"},
        {3 * 3600 + 60, "3h1m"},
        {8 * 3600 - 1, "7h59m"},
        {8 * 3600 + 60, "8h"},
        {48 * 3600 - 1, "47h"},
        {48 * 3600, "2d"},
        {49 * 3600, "2d1h"},
        {192 * 3600 - 1, "7d23h"},
        {192 * 3600, "8d"},
        {729 * 86400, "729d"},
        {730 * 86400, "2y"},
        {731 * 86400, "2y1d"},
        {8 * 365 * 86400, "8y"},
    };
    struct arena arena = {0};
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_string_equal(human_duration(&arena, cases[i].s * SECOND), cases[i].want);
    assert_string_equal(human_duration(&arena, -500 * MILLISECOND), "0s");
    arena_release(&arena);
}

/* ---- columns ---- */

static void columns_grow_with_what_stands_in_consecutive_lines(void **state)
{
    struct arena arena = {0};
    struct buf out;
    struct tabwriter get = {.arena = &arena, .min_width = 6, .padding = 3, .remember = true};
    struct tabwriter describe = {.arena = &arena, .padding = 2};
    (void)state;
    buf_init(&out, 1 << 16);
    tabwriter_flush(&get, STR("A\tLONGER\tC\na\tb\tc\n"), &out);
    tabwriter_flush(&get, STR("much longer\tb\tc\n"), &out);
    tabwriter_flush(&get, STR("x\tb\t\n"), &out);
    assert_string_equal(out.at, "A     LONGER   C\n"
                                "a     b        c\n"
                                "much longer   b        c\n"
                                "x             b        \n");
    buf_clear(&out);
    tabwriter_flush(&describe,
                    STR("Name:\tweb\nLabels:\tapp=web\n\ttier=x\nContainers:\n  a:\n    Image:\ti\n"
                        "Long heading:\tüß\tx\nB:\t1\ty\n"),
                    &out);
    assert_string_equal(out.at,
                        "Name:    web\nLabels:  app=web\n         tier=x\nContainers:\n  a:\n"
                        "    Image:     i\nLong heading:  üß  x\nB:             1   y\n");
    buf_release(&out);
    arena_release(&arena);
}

/* ---- rows of objects in all states ---- */

#define POD(status) "{\"kind\": \"Pod\", \"metadata\": {\"name\": \"p\"}, " status "}"
#define ONE         "\"spec\": {\"containers\": [{\"name\": \"a\"}]}, "
#define TWO         "\"spec\": {\"containers\": [{\"name\": \"a\"}, {\"name\": \"b\"}]}, "
#define RUNS        "\"state\": {\"running\": {}}, \"ready\": true, \"restartCount\": "

static const struct {
    const char *kind, *json, *want;
} rows[] = {
    {"Pod", POD(ONE "\"status\": {\"phase\": \"Pending\"}"),
     "p|0/1|Pending|0|<unknown>|<none>|<none>|<none>|<none>"},
    {"Pod",
     POD(TWO "\"status\": {\"phase\": \"Running\", \"podIP\": \"10.1.0.2\", "
             "\"containerStatuses\": [{\"name\": \"a\", " RUNS "2, \"lastState\": {\"terminated\": "
             "{\"finishedAt\": \"2025-01-15T13:55:00Z\"}}}, {\"name\": \"b\", " RUNS "1}]}"),
     "p|2/2|Running|3 (5m ago)|<unknown>|10.1.0.2|<none>|<none>|<none>"},
    {"Pod",
     POD(ONE "\"status\": {\"phase\": \"Running\", \"containerStatuses\": [{\"name\": \"a\", "
             "\"restartCount\": 4, \"ready\": false, \"state\": {\"waiting\": {\"reason\": "
             "\"CrashLoopBackOff\"}}, \"lastState\": {\"terminated\": {\"finishedAt\": "
             "\"2025-01-15T13:59:19Z\"}}}]}"),
     "p|0/1|CrashLoopBackOff|4 (41s ago)|<unknown>|<none>|<none>|<none>|<none>"},
    {"Pod",
     POD(ONE "\"status\": {\"phase\": \"Failed\", \"containerStatuses\": [{\"name\": \"a\", "
             "\"restartCount\": 0, \"state\": {\"terminated\": {\"exitCode\": 3}}}]}"),
     "p|0/1|ExitCode:3|0|<unknown>|<none>|<none>|<none>|<none>"},
    {"Pod",
     POD(ONE "\"status\": {\"phase\": \"Failed\", \"containerStatuses\": [{\"name\": \"a\", "
             "\"state\": {\"terminated\": {\"exitCode\": 137, \"signal\": 9}}}]}"),
     "p|0/1|Signal:9|0|<unknown>|<none>|<none>|<none>|<none>"},
    {"Pod", POD(ONE "\"status\": {\"phase\": \"Failed\", \"reason\": \"Evicted\"}"),
     "p|0/1|Evicted|0|<unknown>|<none>|<none>|<none>|<none>"},
    {"Pod",
     POD("\"spec\": {\"containers\": [{\"name\": \"a\"}], \"initContainers\": [{\"name\": \"i\"}, "
         "{\"name\": \"j\"}]}, \"status\": {\"phase\": \"Pending\", \"initContainerStatuses\": "
         "[{\"name\": \"i\", \"restartCount\": 0, \"state\": {\"terminated\": {\"exitCode\": 0}}}, "
         "{\"name\": \"j\", \"restartCount\": 0, \"state\": {\"running\": {}}}]}"),
     "p|0/1|Init:1/2|0|<unknown>|<none>|<none>|<none>|<none>"},
    {"Pod",
     POD("\"spec\": {\"containers\": [{\"name\": \"a\"}], \"initContainers\": [{\"name\": "
         "\"i\"}]}, "
         "\"status\": {\"phase\": \"Pending\", \"initContainerStatuses\": [{\"name\": \"i\", "
         "\"restartCount\": 2, \"state\": {\"terminated\": {\"exitCode\": 1, \"reason\": "
         "\"Error\"}}}]}"),
     "p|0/1|Init:Error|2|<unknown>|<none>|<none>|<none>|<none>"},
    {"Pod",
     POD(TWO
         "\"status\": {\"phase\": \"Running\", \"conditions\": [{\"type\": \"Ready\", "
         "\"status\": \"False\"}], \"containerStatuses\": [{\"name\": \"a\", \"state\": "
         "{\"terminated\": {\"exitCode\": 0, \"reason\": \"Completed\"}}}, {\"name\": \"b\", " RUNS
         "0}]}"),
     "p|1/2|NotReady|0|<unknown>|<none>|<none>|<none>|<none>"},
    {"Pod",
     "{\"metadata\": {\"name\": \"p\", \"deletionTimestamp\": \"2025-01-15T14:00:30Z\"}, \"spec\": "
     "{\"containers\": [{\"name\": \"a\"}], \"nodeName\": \"node-1\"}, \"status\": {\"phase\": "
     "\"Running\", \"containerStatuses\": [{\"name\": \"a\", " RUNS "0}]}}",
     "p|1/1|Terminating|0|<unknown>|<none>|node-1|<none>|<none>"},
    {"Service",
     "{\"metadata\": {\"name\": \"s\"}, \"spec\": {\"type\": \"LoadBalancer\", \"clusterIP\": "
     "\"10.0.0.1\", \"ports\": [{\"port\": 80, \"nodePort\": 30080, \"protocol\": \"TCP\"}, "
     "{\"port\": 53, \"protocol\": \"UDP\"}]}}",
     "s|LoadBalancer|10.0.0.1|<pending>|80:30080/TCP,53/UDP|<unknown>|<none>"},
    {"Service",
     "{\"metadata\": {\"name\": \"s\"}, \"spec\": {\"type\": \"ExternalName\", \"externalName\": "
     "\"db.example.test\"}}",
     "s|ExternalName|<none>|db.example.test|<none>|<unknown>|<none>"},
    {"Endpoints", "{\"metadata\": {\"name\": \"e\"}}", "e|<none>|<unknown>"},
    {"Endpoints",
     "{\"metadata\": {\"name\": \"e\"}, \"subsets\": [{\"addresses\": [{\"ip\": \"1.1.1.1\"}, "
     "{\"ip\": \"1.1.1.2\"}, {\"ip\": \"1.1.1.3\"}, {\"ip\": \"1.1.1.4\"}], \"ports\": "
     "[{\"port\": 80}]}]}",
     "e|1.1.1.1:80,1.1.1.2:80,1.1.1.3:80 + 1 more...|<unknown>"},
    {"Endpoints", "{\"metadata\": {\"name\": \"e\"}, \"subsets\": [{\"notReadyAddresses\": []}]}",
     "e||<unknown>"},
    {"Job",
     "{\"metadata\": {\"name\": \"j\"}, \"spec\": {\"completions\": 1, \"template\": {\"spec\": "
     "{\"containers\": [{\"name\": \"c\", \"image\": \"i\"}]}}}, \"status\": {\"succeeded\": 1, "
     "\"startTime\": \"2025-01-15T13:50:00Z\", \"completionTime\": \"2025-01-15T13:50:31Z\", "
     "\"conditions\": [{\"type\": \"Complete\", \"status\": \"True\"}]}}",
     "j|Complete|1/1|31s|<unknown>|c|i|<none>"},
    {"Job", "{\"metadata\": {\"name\": \"j\"}, \"spec\": {\"parallelism\": 3}}",
     "j|Running|0/1 of 3||<unknown>|||<none>"},
    {"CronJob",
     "{\"metadata\": {\"name\": \"c\"}, \"spec\": {\"schedule\": \"0 3 * * *\", \"suspend\": "
     "false}, \"status\": {\"lastScheduleTime\": \"2025-01-15T03:00:00Z\"}}",
     "c|0 3 * * *|<none>|False|0|11h|<unknown>|||<none>"},
    {"StatefulSet",
     "{\"metadata\": {\"name\": \"s\"}, \"spec\": {\"replicas\": 2}, \"status\": "
     "{\"readyReplicas\": 1}}",
     "s|1/2|<unknown>||"},
    {"DaemonSet",
     "{\"metadata\": {\"name\": \"d\"}, \"spec\": {\"template\": {\"spec\": {\"nodeSelector\": "
     "{\"disk\": \"ssd\"}}}}, \"status\": {\"desiredNumberScheduled\": 3, "
     "\"currentNumberScheduled\": 3, \"numberReady\": 2, \"updatedNumberScheduled\": 1, "
     "\"numberAvailable\": 2}}",
     "d|3|3|2|1|2|disk=ssd|<unknown>|||<none>"},
    {"Node",
     "{\"metadata\": {\"name\": \"n\", \"labels\": {\"node-role.kubernetes.io/control-plane\": "
     "\"\"}}, \"spec\": {\"unschedulable\": true}, \"status\": {\"conditions\": [{\"type\": "
     "\"Ready\", \"status\": \"False\"}], \"nodeInfo\": {\"kubeletVersion\": \"v1.32.4\"}}}",
     "n|NotReady,SchedulingDisabled|control-plane|<unknown>|v1.32.4|<none>|<none>|<unknown>|"
     "<unknown>|<unknown>"},
    {"PersistentVolumeClaim",
     "{\"metadata\": {\"name\": \"c\"}, \"spec\": {\"volumeName\": \"pv-1\", \"storageClassName\": "
     "\"fast\", \"volumeMode\": \"Filesystem\"}, \"status\": {\"phase\": \"Bound\", \"capacity\": "
     "{\"storage\": \"1Gi\"}, \"accessModes\": [\"ReadWriteMany\", \"ReadWriteOnce\"]}}",
     "c|Bound|pv-1|1Gi|RWO,RWX|fast|<unset>|<unknown>|Filesystem"},
    {"PersistentVolume",
     "{\"metadata\": {\"name\": \"pv-1\"}, \"spec\": {\"capacity\": {\"storage\": \"1Gi\"}, "
     "\"accessModes\": [\"ReadWriteOnce\"], \"persistentVolumeReclaimPolicy\": \"Delete\", "
     "\"claimRef\": {\"namespace\": \"shop\", \"name\": \"c\"}}, \"status\": {\"phase\": "
     "\"Bound\"}}",
     "pv-1|1Gi|RWO|Delete|Bound|shop/c||<unset>||<unknown>|<unset>"},
    {"Event",
     "{\"metadata\": {\"name\": \"p.1\"}, \"involvedObject\": {\"kind\": \"Pod\", \"name\": "
     "\"p\"}, "
     "\"type\": \"Warning\", \"reason\": \"BackOff\", \"message\": \"Back-off\\n\", \"count\": 4, "
     "\"firstTimestamp\": \"2025-01-15T13:00:00Z\", \"lastTimestamp\": \"2025-01-15T13:59:00Z\", "
     "\"source\": {\"component\": \"kubelet\", \"host\": \"node-1\"}}",
     "60s|Warning|BackOff|pod/p||kubelet, node-1|Back-off|60m|4|p.1"},
    {"HorizontalPodAutoscaler",
     "{\"metadata\": {\"name\": \"h\"}, \"spec\": {\"scaleTargetRef\": {\"kind\": \"Deployment\", "
     "\"name\": \"web\"}, \"minReplicas\": 1, \"maxReplicas\": 3, \"metrics\": [{\"type\": "
     "\"Resource\", \"resource\": {\"name\": \"cpu\", \"target\": {\"type\": \"Utilization\", "
     "\"averageUtilization\": 80}}}]}}",
     "h|Deployment/web|cpu: <unknown>/80%|1|3|0|<unknown>"},
    {"PodDisruptionBudget",
     "{\"metadata\": {\"name\": \"b\"}, \"spec\": {\"minAvailable\": \"50%\"}, \"status\": "
     "{\"disruptionsAllowed\": 1}}",
     "b|50%|N/A|1|<unknown>"},
    {"Ingress",
     "{\"metadata\": {\"name\": \"i\"}, \"spec\": {\"ingressClassName\": \"nginx\", \"rules\": "
     "[{\"host\": \"a.example.test\"}], \"tls\": [{}]}, \"status\": {\"loadBalancer\": "
     "{\"ingress\": [{\"ip\": \"10.0.0.9\"}, {\"hostname\": \"lb.example.test\"}]}}}",
     "i|nginx|a.example.test|10.0.0.9,lb.example.test|80, 443|<unknown>"},
    {"ResourceQuota",
     "{\"metadata\": {\"name\": \"q\"}, \"status\": {\"hard\": {\"pods\": \"10\", \"limits.cpu\": "
     "\"4\", \"cpu\": \"2\"}, \"used\": {\"pods\": \"3\", \"cpu\": \"1\", \"limits.cpu\": \"2\"}}}",
     "q|cpu: 1/2, pods: 3/10|limits.cpu: 2/4|<unknown>"},
    {"Role", "{\"metadata\": {\"name\": \"r\", \"creationTimestamp\": \"2025-01-15T13:00:00Z\"}}",
     "r|2025-01-15T13:00:00Z"},
    {"RoleBinding",
     "{\"metadata\": {\"name\": \"r\"}, \"roleRef\": {\"kind\": \"ClusterRole\", \"name\": "
     "\"view\"}, \"subjects\": [{\"kind\": \"User\", \"name\": \"u\"}, {\"kind\": "
     "\"ServiceAccount\", \"name\": \"a\", \"namespace\": \"n\"}]}",
     "r|ClusterRole/view|<unknown>|u||n/a"},
    {"ControllerRevision",
     "{\"metadata\": {\"name\": \"r\", \"ownerReferences\": [{\"apiVersion\": \"apps/v1\", "
     "\"kind\": \"StatefulSet\", \"name\": \"db\", \"controller\": true}]}, \"revision\": 2}",
     "r|statefulset.apps/db|2|<unknown>"},
};

static void rows_say_what_the_api_server_says(void **state)
{
    struct machine *m = *state;
    struct arena arena = {0};
    struct cluster *cluster = cluster_of(&m->d.env);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const struct kind *kind = cluster_resource(cluster, rows[i].kind);
        cJSON *json = cJSON_Parse(rows[i].json);
        struct row row = {.cluster = cluster, .arena = &arena};
        const char *got = "";
        assert_non_null(kind);
        assert_non_null(json);
        table_row(&row, kind, json);
        for (int k = 0; k < row.n; k++)
            got = arena_printf(&arena, "%s%s%s", got, k ? "|" : "", row.cells[k]);
        assert_string_equal(got, rows[i].want);
        int columns = 1;
        for (const char *p = table_columns(cluster, &arena, kind); *p; p++)
            columns += *p == '|';
        assert_int_equal(row.n, columns);
        cJSON_Delete(json);
    }
    arena_release(&arena);
}

/* ---- the command ---- */

static void lists_and_names(void **state)
{
    struct machine *m = *state;
    machine_expect(m, "kubectl get cm", 0,
                   "NAME   DATA   AGE\n"
                   "c10    0      3d\n"
                   "c9     2      3d\n",
                   "");
    machine_expect(m, "kubectl get deploy web", 0,
                   "NAME   READY   UP-TO-DATE   AVAILABLE   AGE\n"
                   "web    3/3     3            3           3d\n",
                   "");
    machine_expect(m, "kubectl get deploy/web svc/web", 0,
                   "NAME                  READY   UP-TO-DATE   AVAILABLE   AGE\n"
                   "deployment.apps/web   3/3     3            3           3d\n"
                   "\n"
                   "NAME          TYPE        CLUSTER-IP   EXTERNAL-IP   PORT(S)   AGE\n"
                   "service/web   ClusterIP   10.96.0.10   <none>        80/TCP    3d\n",
                   "");
    machine_expect(m, "kubectl get deploy,svc --no-headers", 0,
                   "deployment.apps/web   3/3   3     3     3d\n"
                   "service/web   ClusterIP   10.96.0.10   <none>   80/TCP   3d\n",
                   "");
    machine_expect(m, "kubectl get cm -A", 0,
                   "NAMESPACE   NAME   DATA   AGE\n"
                   "shop        c10    0      3d\n"
                   "shop        c9     2      3d\n",
                   "");
    machine_expect(m, "kubectl get cm c9 --show-kind --show-labels -L rank -L example.test/tier", 0,
                   "NAME           DATA   AGE   RANK   TIER   LABELS\n"
                   "configmap/c9   2      3d    9             rank=9\n",
                   "");
    machine_expect(
        m, "kubectl get deploy -o wide", 0,
        "NAME   READY   UP-TO-DATE   AVAILABLE   AGE   CONTAINERS   IMAGES       SELECTOR\n"
        "web    3/3     3            3           3d    web          reg/web:v1   app=web\n",
        "");
}

static void what_is_not_there(void **state)
{
    struct machine *m = *state;
    machine_expect(m, "kubectl get deploy nope", 1, "",
                   "Error from server (NotFound): deployments.apps \"nope\" not found\n");
    machine_expect(m, "kubectl get deploy nope --ignore-not-found", 0, "", "");
    machine_expect(m, "kubectl get cm c9 nope", 1,
                   "NAME   DATA   AGE\n"
                   "c9     2      3d\n",
                   "Error from server (NotFound): configmaps \"nope\" not found\n");
    machine_expect(m, "kubectl get cm -n nowhere", 0, "",
                   "No resources found in nowhere namespace.\n");
    machine_expect(m, "kubectl get cm -A -l a=b", 0, "", "No resources found\n");
    machine_expect(m, "kubectl get nodes -l a=b", 0, "", "No resources found\n");
    machine_expect(m, "kubectl get cm -l a=b -o name", 0, "", "");
    machine_expect(m, "kubectl get nonsense", 1, "",
                   "error: the server doesn't have a resource type \"nonsense\"\n");
    machine_expect(
        m, "kubectl get", 1, "",
        "You must specify the type of resource to get. Use \"kubectl api-resources\" for "
        "a complete list of supported resources.\n\n"
        "error: Required resource not specified.\n"
        "Use \"kubectl explain <resource>\" for a detailed description of that resource "
        "(e.g. kubectl explain pods).\n"
        "See 'kubectl get -h' for help and examples\n");
    machine_expect(m, "kubectl get cm --output-watch-events", 1, "",
                   "error: --output-watch-events option can only be used with --watch or "
                   "--watch-only\n");
    machine_expect(m, "kubectl get --nope pods", 1, "",
                   "error: unknown flag: --nope\nSee 'kubectl get --help' for usage.\n");
}

static void formats(void **state)
{
    struct machine *m = *state;
    machine_expect(m, "kubectl get cm -o name", 0, "configmap/c10\nconfigmap/c9\n", "");
    machine_expect(m, "kubectl get deploy web -o jsonpath='{.spec.replicas}/{.kind}{\"\\n\"}'", 0,
                   "3/Deployment\n", "");
    machine_expect(m, "kubectl get cm -o jsonpath='{.kind} {.items[*].kind} {.metadata}'", 0,
                   "List ConfigMap ConfigMap {\"resourceVersion\":\"\"}", "");
    machine_expect(m, "kubectl get cm -o jsonpath-as-json='{.items[*].metadata.name}'", 0,
                   "[\n    \"c10\",\n    \"c9\"\n]\n", "");
    machine_expect(m, "kubectl get cm c9 -o jsonpath-file=path", 0, "ConfigMap", "");
    machine_expect(m, "kubectl get cm c9 -o go-template='{{.data.a}}{{.nope}}'", 0, "1<no value>",
                   "");
    machine_expect(m, "kubectl get cm c9 --template='{{.kind}}'", 0, "ConfigMap", "");
    machine_expect(
        m, "kubectl get cm -o custom-columns=N:.metadata.name,X:.nope,L:.metadata.labels", 0,
        "N     X        L\n"
        "c10   <none>   map[example.test/tier:back rank:10]\n"
        "c9    <none>   map[rank:9]\n",
        "");
    machine_expect(m, "kubectl get cm -o custom-columns-file=columns --no-headers", 0,
                   "c10   10\nc9    9\n", "");
    machine_expect(m, "kubectl get cm -l a=b -o json", 0,
                   "{\n    \"apiVersion\": \"v1\",\n    \"items\": [],\n    \"kind\": \"List\",\n"
                   "    \"metadata\": {\n        \"resourceVersion\": \"\"\n    }\n}\n",
                   "");
    machine_expect(m, "kubectl get cm -l a=b -o yaml", 0,
                   "apiVersion: v1\nitems: []\nkind: List\nmetadata:\n  resourceVersion: \"\"\n",
                   "");
}

static void formats_that_are_none(void **state)
{
    struct machine *m = *state;
    machine_expect(
        m, "kubectl get cm -o bad", 1, "",
        "error: unable to match a printer suitable for the output format \"bad\", allowed "
        "formats are: custom-columns,custom-columns-file,go-template,go-template-file,"
        "json,jsonpath,jsonpath-as-json,jsonpath-file,name,template,templatefile,wide,"
        "yaml\n");
    machine_expect(m, "kubectl get cm -o jsonpath", 1, "",
                   "error: template format specified but no template given\n");
    machine_expect(m, "kubectl get cm -o jsonpath='{.a'", 1, "",
                   "error: error parsing jsonpath {.a, unclosed action\n");
    machine_expect(m, "kubectl get cm nope -o jsonpath='{.a'", 1, "",
                   "Error from server (NotFound): configmaps \"nope\" not found\n");
    machine_expect(m, "kubectl get cm -o custom-columns=", 1, "",
                   "error: custom-columns format specified but no custom columns given\n");
    machine_expect(
        m, "kubectl get cm -o custom-columns=A", 1, "",
        "error: unexpected custom-columns spec: A, expected <header>:<json-path-expr>\n");
    machine_expect(m, "kubectl get cm -o custom-columns-file=short", 1, "",
                   "error: number of headers (2) and field specifications (1) don't match\n");
    machine_expect(m, "kubectl get cm -o go-template-file=nowhere", 1, "",
                   "error: error reading --template nowhere, open nowhere: no such file or "
                   "directory\n");
    machine_holds(m, "kubectl get cm -l a=b -o jsonpath='{.items[0].metadata.name}'", 1, "",
                  "error: error executing jsonpath \"{.items[0].metadata.name}\": Error executing "
                  "template: array index out of bounds: index 0, length 0. ");
}

static void sorted(void **state)
{
    struct machine *m = *state;
    machine_expect(m, "kubectl get cm --sort-by=.metadata.labels.rank", 0,
                   "NAME   DATA   AGE\n"
                   "c9     2      3d\n"
                   "c10    0      3d\n",
                   "");
    machine_expect(m, "kubectl get cm --sort-by='{.metadata.name}' -o name", 0,
                   "configmap/c9\nconfigmap/c10\n", ""); /* numbers count as numbers */
    machine_expect(m, "kubectl get cm --sort-by=.nope -o name", 1, "",
                   "error: couldn't find any field with path \"{.nope}\" in the list of objects\n");
    /* Of a table the mistake is lost. */
    machine_expect(m, "kubectl get cm --sort-by=.nope", 0, "",
                   "No resources found in shop namespace.\n");
    machine_holds(
        m, "kubectl get cm --sort-by=.metadata.labels", 1, NULL,
        " sorter.go:375] Field {.metadata.labels} in [][][]reflect.Value is an unsortable "
        "type: interface, err: unsortable type: map[string]interface {}\n");
    machine_expect(m, "kubectl get cm,deploy --sort-by=.metadata.name", 1, "",
                   "error: couldn't find any field with path \"{.metadata.name}\" in the list of "
                   "objects\n");
}

/* Columns remember their width, and only grow. The API server ends the watch after a while. */
static void watched(void **state)
{
    struct machine m;
    (void)state;
    const struct machine_file files[] = {{"/k8s/base.yaml", base}, {NULL, NULL}};
    machine_init(&m, system_text,
                 "start: 2025-01-15T14:00:00Z\nchange: {at: 10s, deploy: {web: v2}}\n", files);
    assert_int_equal(double_run(&m.d, "kubectl get deploy web -w"), 0);
    const char *first = "NAME   READY   UP-TO-DATE   AVAILABLE   AGE\n"
                        "web    3/3     3            3           3d\n"
                        "web    3/3     3            3           3d\n";
    if (strncmp(double_out(&m.d), first, strlen(first)) != 0)
        fail_msg("%s", double_out(&m.d));
    assert_non_null(strstr(double_out(&m.d), "\nweb    4/3     1            4           3d\n"));
    assert_true(world_now(m.world) > 44 * MINUTE && world_now(m.world) < 46 * MINUTE);
    machine_release(&m);
    machine_init(&m, system_text,
                 "start: 2025-01-15T14:00:00Z\nchange: {at: 10s, deploy: {web: v2}}\n", files);
    assert_int_equal(double_run(&m.d, "kubectl get pods -w"), 0);
    static const char *const parts[] = {
        "   READY   STATUS    RESTARTS   AGE\n",
        "   1/1     Running   0          3d\n",
        "   0/1     ContainerCreating   0          0s\n",
        "   1/1     Running             0          4s\n",
        "   1/1     Terminating         0          3d\n",
    };
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
        if (!strstr(double_out(&m.d), parts[i]))
            fail_msg("no '%s' in\n%s", parts[i], double_out(&m.d));
    }
    machine_expect(&m, "kubectl get pods,svc -w", 1, "",
                   "error: you may only specify a single resource type\n");
    machine_expect(&m, "kubectl get cm c9 -w -o name", 0, "configmap/c9\n", "");
    machine_expect(&m, "kubectl get cm c9 --watch-only", 0, "", "");
    machine_expect(&m, "kubectl get cm c9 -w --output-watch-events --no-headers", 0,
                   "ADDED      c9    2     3d2h\n", "");
    machine_expect(&m, "kubectl get cm c9 c10 -w", 1,
                   "NAME   DATA   AGE\n"
                   "c9     2      3d3h\n"
                   "c10    0      3d3h\n",
                   "error: you may only watch a single resource or type of resource at a time\n");
    machine_release(&m);
}

static void another_cell_is_seen(void **state)
{
    struct machine *m = *state;
    assert_int_equal(double_run(&m->d, "kubectl get cm"), 0);
    assert_null(strstr(double_out(&m->d), "c11"));
    assert_non_null(strstr(double_out(&m->d), "c10    0      3d"));
}

#define WITH_MACHINE(test) cmocka_unit_test_setup_teardown(test, start, finish)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ages_are_worded_as_kubectl_does),
        cmocka_unit_test(columns_grow_with_what_stands_in_consecutive_lines),
        WITH_MACHINE(rows_say_what_the_api_server_says),
        WITH_MACHINE(lists_and_names),
        WITH_MACHINE(what_is_not_there),
        WITH_MACHINE(formats),
        WITH_MACHINE(formats_that_are_none),
        WITH_MACHINE(sorted),
        cmocka_unit_test(watched),
        WITH_MACHINE(another_cell_is_seen),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
