/* kubectl apply, create, delete, label, annotate, patch, replace: what kubectl 1.32 printed
 * (recorded transcripts, and the same commands given to it once more), with the server's own words
 * from k8s.io/apiserver where the recording server had none. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "fakes/kubernetes/cluster.h"
#include "tests/machine.h"

static const char config[] = "apiVersion: v1\n"
                             "kind: ConfigMap\n"
                             "metadata: {name: cm1}\n"
                             "data: {a: \"1\"}\n";
#define WEB(image, replicas)                                                                       \
    "apiVersion: apps/v1\n"                                                                        \
    "kind: Deployment\n"                                                                           \
    "metadata: {name: web, labels: {app: web}}\n"                                                  \
    "spec:\n"                                                                                      \
    "  replicas: " replicas "\n"                                                                   \
    "  selector: {matchLabels: {app: web}}\n"                                                      \
    "  template:\n"                                                                                \
    "    metadata: {labels: {app: web}}\n"                                                         \
    "    spec:\n"                                                                                  \
    "      containers:\n"                                                                          \
    "      - {name: web, image: \"" image "\", env: [{name: MODE, value: a}]}\n"

static const struct machine_file files[] = {
    {"/opt/shop/base.yaml", "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: cm1}\ndata: {a: "
                            "\"1\"}\n---\n" WEB("reg/web:1.0", "1")},
    {"/opt/shop/cm.yaml", config},
    {"/opt/shop/cm2.yaml",
     "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: cm1}\ndata: {b: \"2\"}\n"},
    {"/opt/shop/web4.yaml", WEB("reg/web:1.0", "4")},
    {"/opt/shop/bool.yaml", "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: x, labels: {canary: "
                            "true}}\ndata: {a: b}\n"},
    {"/opt/shop/data.yaml",
     "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: cmx}\ndata: {flag: true, n: 5}\n"},
    {"/opt/shop/typo.yaml", "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: w8}\nspec:\n  "
                            "replicsa: 3\n  selector: {matchLabels: {app: w}}\n  template:\n    "
                            "metadata: {labels: {app: w}}\n    spec: {containers: [{name: a, "
                            "image: b}]}\n"},
    {"/opt/shop/broken.yaml",
     "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: cmx\n data: {a: b}\n"},
    {"/opt/shop/empty.yaml", ""},
    {"/opt/shop/foo.yaml", "kind: Foo\napiVersion: nope/v1\nmetadata: {name: a}\n"},
    {"/opt/shop/half.yaml", "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: h1}\n---\nkind: "
                            "X\n---\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: h2}\n"},
    {"/opt/shop/nameless.yaml", "apiVersion: v1\nkind: ConfigMap\n"},
    {"/opt/shop/prefix.yaml", "apiVersion: v1\nkind: ConfigMap\nmetadata: {generateName: x-}\n"},
    {"/opt/shop/elsewhere.yaml",
     "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: x, namespace: other}\n"},
    {"/opt/shop/d/a.yaml", config},
    {"/opt/shop/d/notes.txt", "no: manifest\n"},
    {"/opt/shop/none/notes.txt", "no: manifest\n"},
    {"/opt/shop/envs", "A=1\n\n# x\nB=\"q\"\nC\n  D=2 \nE=a=b\n"},
    {"/opt/shop/p.json", "{\"data\":{\"p\":\"q\"}}"},
    {"/opt/shop/crd.yaml",
     "apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nmetadata: {name: "
     "rollouts.argoproj.io}\nspec:\n  group: argoproj.io\n  scope: Namespaced\n  names: {plural: "
     "rollouts, singular: rollout, kind: Rollout}\n  versions:\n  - {name: v1alpha1, served: true, "
     "storage: true, schema: {openAPIV3Schema: {type: object, "
     "x-kubernetes-preserve-unknown-fields: true}}}\n---\napiVersion: "
     "argoproj.io/v1alpha1\nkind: Rollout\nmetadata: {name: web}\nspec: {replicas: 2}\n"},
    {NULL, NULL},
};

struct line {
    const char *command;
    int status;
    const char *out, *err;
};

/* All lines are run, and all that is different is shown. */
static void walk(const struct line *lines, size_t n)
{
    struct machine m;
    int n_wrong = 0;
    machine_init(&m, "services: {web: {}}\nkubernetes: {}\n", NULL, files);
    for (size_t i = 0; i < n; i++) {
        int status = double_run(&m.d, lines[i].command);
        const char *out = double_out(&m.d), *err = double_err(&m.d);
        if (status == lines[i].status && !strcmp(out, lines[i].out) && !strcmp(err, lines[i].err))
            continue;
        n_wrong++;
        print_error("'%s': exit %d, wanted %d\nstdout: %s\nwanted: %s\nstderr: %s\nwanted: %s\n",
                    lines[i].command, status, lines[i].status, out, lines[i].out, err,
                    lines[i].err);
    }
    machine_release(&m);
    assert_int_equal(n_wrong, 0);
}
#define WALK(steps) walk((steps), sizeof(steps) / sizeof *(steps))

static void test_apply(void **state)
{
    static const struct line steps[] = {
        {"kubectl apply -f base.yaml", 0, "configmap/cm1 created\ndeployment.apps/web created\n",
         ""},
        {"kubectl apply -f base.yaml", 0,
         "configmap/cm1 unchanged\ndeployment.apps/web unchanged\n", ""},
        {"kubectl apply -f web4.yaml", 0, "deployment.apps/web configured\n", ""},
        {"kubectl apply -f base.yaml -l app=web", 0, "deployment.apps/web configured\n", ""},
        {"kubectl apply -f base.yaml --dry-run=client", 0,
         "configmap/cm1 configured (dry run)\ndeployment.apps/web configured (dry run)\n", ""},
        {"kubectl apply -f base.yaml --dry-run=server", 0,
         "configmap/cm1 unchanged (server dry run)\ndeployment.apps/web unchanged (server dry "
         "run)\n",
         ""},
        {"kubectl apply -f web4.yaml --dry-run=server", 0,
         "deployment.apps/web configured (server dry run)\n", ""},
        {"kubectl apply -f web4.yaml --dry-run=server -o jsonpath={.spec.replicas}", 0, "4", ""},
        {"kubectl apply -f base.yaml -o name", 0, "configmap/cm1\ndeployment.apps/web\n", ""},
        {"kubectl apply -f d", 0, "configmap/cm1 unchanged\n", ""},
        {"kubectl apply -f cm.yaml -f cm.yaml", 0,
         "configmap/cm1 unchanged\nconfigmap/cm1 unchanged\n", ""},
        /* what is no longer in the file goes, what others put there stays */
        {"kubectl label configmap cm1 by=hand", 0, "configmap/cm1 labeled\n", ""},
        {"kubectl apply -f cm2.yaml -o jsonpath={.data}{.metadata.labels}", 0,
         "{\"b\":\"2\"}{\"by\":\"hand\"}", ""},
        {"kubectl apply view-last-applied cm/cm1", 0,
         "apiVersion: v1\ndata:\n  b: \"2\"\nkind: ConfigMap\nmetadata:\n  annotations: {}\n  "
         "name: "
         "cm1\n  namespace: default\n",
         ""},
        {"kubectl apply -f web4.yaml --record -o "
         "jsonpath={.metadata.annotations.kubernetes\\.io/change-cause}",
         0,
         "kubectl apply --filename=web4.yaml --record=true "
         "--output=jsonpath={.metadata.annotations.kubernetes\\.io/change-cause}",
         "Flag --record has been deprecated, --record will be removed in the future\n"},
        {"kubectl create configmap p1 --from-literal=a=b", 0, "configmap/p1 created\n", ""},
        {"kubectl apply view-last-applied cm/p1", 0, "", ""},
        {"kubectl apply --server-side -f base.yaml", 0,
         "configmap/cm1 serverside-applied\ndeployment.apps/web serverside-applied\n", ""},
        {"kubectl apply --server-side -f cm2.yaml", 0, "configmap/cm1 serverside-applied\n", ""},
        {"kubectl apply --server-side -f cm2.yaml -o jsonpath={.data}", 0, "{\"b\":\"2\"}", ""},
    };
    (void)state;
    WALK(steps);
}

static void test_apply_refused(void **state)
{
    static const struct line steps[] = {
        {"kubectl apply", 1, "", "error: must specify one of -f and -k\n"},
        {"kubectl apply x", 1, "",
         "error: Unexpected args: [x]\nSee 'kubectl apply -h' for help and examples\n"},
        {"kubectl apply -f base.yaml --prune", 1, "",
         "error: all resources selected for prune without explicitly passing --all. To prune all "
         "resources, pass the --all flag. If you did not mean to prune all resources, specify a "
         "label selector\n"},
        {"kubectl apply -f base.yaml --prune --all", 1, "",
         "error: apply --prune is not simulated\n"},
        {"kubectl apply -f base.yaml --dry-run=foo", 1, "",
         "error: Invalid dry-run value (foo). Must be \"none\", \"server\", or \"client\".\n"},
        {"kubectl apply -f base.yaml --force-conflicts", 1, "",
         "error: --force-conflicts only works with --server-side\n"},
        {"kubectl apply -f base.yaml --server-side --dry-run=client", 1, "",
         "error: --dry-run=client doesn't work with --server-side (did you mean --dry-run=server "
         "instead?)\n"},
        {"kubectl apply -f base.yaml --timeout=5", 1, "",
         "error: invalid argument \"5\" for \"--timeout\" flag: time: missing unit in duration "
         "\"5\"\nSee 'kubectl apply --help' for usage.\n"},
        {"kubectl apply -f base.yaml --validate=foo", 1, "",
         "error: invalid - validate option \"foo\"; must be one of: strict (or true), warn, ignore "
         "(or false)\n"},
        {"kubectl apply -f /nope.yaml", 1, "", "error: the path \"/nope.yaml\" does not exist\n"},
        {"kubectl apply -f none", 1, "",
         "error: error reading [none]: recognized file extensions are [.json .yaml .yml]\n"},
        {"kubectl apply -f empty.yaml", 1, "", "error: no objects passed to apply\n"},
        {"kubectl apply -f broken.yaml", 1, "",
         "error: error parsing broken.yaml: error converting YAML to JSON: yaml: line 4: did not "
         "find expected key\n"},
        {"kubectl apply -f foo.yaml", 1, "",
         "error: resource mapping not found for name: \"a\" namespace: \"\" from \"foo.yaml\": no "
         "matches for kind \"Foo\" in version \"nope/v1\"\nensure CRDs are installed first\n"},
        {"kubectl apply -f bool.yaml", 1, "",
         "error: unable to decode \"bool.yaml\": json: cannot unmarshal bool into Go struct field "
         "ObjectMeta.metadata.labels of type string\n"},
        {"kubectl apply --server-side -f bool.yaml", 1, "",
         "error: unable to decode \"bool.yaml\": json: cannot unmarshal bool into Go struct field "
         "ObjectMeta.metadata.labels of type string\n"},
        {"kubectl create -f bool.yaml", 1, "",
         "error: unable to decode \"bool.yaml\": json: cannot unmarshal bool into Go struct field "
         "ObjectMeta.metadata.labels of type string\n"},
        {"kubectl apply -f data.yaml", 1, "",
         "Error from server (BadRequest): error when creating \"data.yaml\": ConfigMap in version "
         "\"v1\" cannot be handled as a ConfigMap: json: cannot unmarshal number into Go struct "
         "field "
         "ConfigMap.data of type string\n"}, /* of "n", which is the key "false", and so the first
                                              */
        {"kubectl apply -f nameless.yaml", 1, "",
         "error: error when retrieving current configuration of:\nResource: \"/v1, "
         "Resource=configmaps\", GroupVersionKind: \"/v1, Kind=ConfigMap\"\nName: \"\", Namespace: "
         "\"default\"\nfrom server for: \"nameless.yaml\": resource name may not be empty\n"},
        {"kubectl apply -f prefix.yaml", 1, "",
         "error: from x-: cannot use generate name with apply\n"},
        {"kubectl apply -f half.yaml", 1, "configmap/h1 created\n",
         "error: error validating \"half.yaml\": error validating data: apiVersion not set; if you "
         "choose to ignore these errors, turn validation off with --validate=false\n"},
        {"kubectl delete -f half.yaml --dry-run=client", 1,
         "configmap \"h1\" deleted (dry run)\n"
         "configmap \"h2\" deleted (dry run)\n",
         "error: resource mapping not found for name: \"\" namespace: \"\" from \"half.yaml\": no "
         "matches for kind \"X\" in version \"\"\nensure CRDs are installed first\n"},
        {"kubectl apply -f elsewhere.yaml", 1, "",
         "Error from server (NotFound): error when creating \"elsewhere.yaml\": namespaces "
         "\"other\" not found\n"},
        {"kubectl apply -n default -f elsewhere.yaml", 1, "",
         "error: the namespace from the provided object \"other\" does not match the namespace "
         "\"default\". You must pass '--namespace=other' to perform this operation.\n"},
        {"kubectl apply -f cm.yaml -o bad", 1, "",
         "error: unable to match a printer suitable for the output format \"bad\", allowed formats "
         "are: go-template,go-template-file,json,jsonpath,jsonpath-as-json,jsonpath-file,name,"
         "template,templatefile,yaml\n"},
    };
    (void)state;
    WALK(steps);
}

/* Fields that the server does not know: fieldValidation=Strict of apply, create and replace. */
static void test_unknown_fields(void **state)
{
    static const struct line steps[] = {
        {"kubectl apply -f typo.yaml", 1, "",
         "Error from server (BadRequest): error when creating \"typo.yaml\": Deployment in version "
         "\"v1\" cannot be handled as a Deployment: strict decoding error: unknown field "
         "\"spec.replicsa\"\n"},
        {"kubectl create -f typo.yaml", 1, "",
         "Error from server (BadRequest): error when creating \"typo.yaml\": Deployment in version "
         "\"v1\" cannot be handled as a Deployment: strict decoding error: unknown field "
         "\"spec.replicsa\"\n"},
        {"kubectl apply -f typo.yaml --validate=warn", 0, "deployment.apps/w8 created\n",
         "Warning: unknown field \"spec.replicsa\"\n"},
        {"kubectl patch deployment w8 -p '{\"spec\":{\"foo\":1}}'", 0,
         "deployment.apps/w8 patched (no change)\n", "Warning: unknown field \"spec.foo\"\n"},
        {"kubectl delete deployment w8 --wait=false", 0, "deployment.apps \"w8\" deleted\n", ""},
    };
    (void)state;
    WALK(steps);
}

static void test_create(void **state)
{
    static const struct line steps[] = {
        {"kubectl create", 1, "", "error: must specify one of -f and -k\n"},
        {"kubectl create x", 1, "",
         "error: Unexpected args: [x]\nSee 'kubectl create -h' for help and examples\n"},
        {"kubectl create -f cm.yaml", 0, "configmap/cm1 created\n", ""},
        {"kubectl create -f cm.yaml", 1, "",
         "Error from server (AlreadyExists): error when creating \"cm.yaml\": configmaps \"cm1\" "
         "already exists\n"},
        {"kubectl create -f cm.yaml --dry-run=server", 1, "",
         "Error from server (AlreadyExists): error when creating \"cm.yaml\": configmaps \"cm1\" "
         "already exists\n"},
        {"kubectl create -f empty.yaml", 1, "", "error: no objects passed to create\n"},
        {"kubectl create configmap", 1, "",
         "error: exactly one NAME is required, got 0\nSee 'kubectl create configmap -h' for help "
         "and examples\n"},
        {"kubectl create configmap c2 --from-literal=a=b", 0, "configmap/c2 created\n", ""},
        {"kubectl create configmap c2 --from-literal=a=b", 1, "",
         "error: failed to create configmap: configmaps \"c2\" already exists\n"},
        {"kubectl create configmap c3 --from-literal=a=b --dry-run=server", 0,
         "configmap/c3 created (server dry run)\n", ""},
        {"kubectl create configmap c3 --from-literal=a=b -o name --dry-run=client", 0,
         "configmap/c3\n", ""},
        {"kubectl create configmap c3 --from-literal=a", 1, "",
         "error: invalid literal source a, expected key=value\n"},
        {"kubectl create configmap c3 --from-literal=a=1 --from-literal=a=2", 1, "",
         "error: cannot add key \"a\", another key by that name already exists in Data for "
         "ConfigMap \"c3\"\n"},
        {"kubectl create configmap c3 --from-literal=a/b=1", 1, "",
         "error: \"a/b\" is not a valid key name for a ConfigMap: a valid config key must consist "
         "of alphanumeric characters, '-', '_' or '.' (e.g. 'key.name',  or 'KEY_NAME',  or "
         "'key-name', regex used for validation is '[-._a-zA-Z0-9]+')\n"},
        {"kubectl create configmap c3 --from-file=/nope", 1, "",
         "error: error reading /nope: no such file or directory\n"},
        {"kubectl create configmap c3 --from-file=k=cm.yaml --dry-run=client -o yaml", 0,
         "apiVersion: v1\ndata:\n  k: |\n    apiVersion: v1\n    kind: ConfigMap\n    metadata: "
         "{name: cm1}\n    data: {a: \"1\"}\nkind: ConfigMap\nmetadata:\n  creationTimestamp: "
         "null\n  name: c3\n",
         ""},
        {"kubectl create configmap c3 --from-env-file=envs --dry-run=client -o yaml", 0,
         "apiVersion: v1\ndata:\n  A: \"1\"\n  B: '\"q\"'\n  D: '2 '\n  E: a=b\nkind: "
         "ConfigMap\nmetadata:\n  creationTimestamp: null\n  name: c3\n",
         ""},
        {"kubectl create secret generic s1 --from-literal=p=q --dry-run=client -o yaml", 0,
         "apiVersion: v1\ndata:\n  p: cQ==\nkind: Secret\nmetadata:\n  creationTimestamp: null\n  "
         "name: s1\n",
         ""},
        {"kubectl create secret generic s1 --from-literal=p=q", 0, "secret/s1 created\n", ""},
        {"kubectl create secret generic s1 --from-literal=p=q", 1, "",
         "error: failed to create secret secrets \"s1\" already exists\n"},
        {"kubectl create secret docker-registry d --docker-username=u --docker-password=p "
         "--dry-run=client -o jsonpath={.data}",
         0,
         "{\".dockerconfigjson\":"
         "\"eyJhdXRocyI6eyJodHRwczovL2luZGV4LmRvY2tlci5pby92MS8iOnsidXNlcm5hbWUiOiJ1IiwicGFzc3dvc"
         "mQiOiJwIiwiYXV0aCI6ImRUcHcifX19\"}",
         ""},
        {"kubectl create namespace foo", 0, "namespace/foo created\n", ""},
        {"kubectl create ns foo", 1, "",
         "Error from server (AlreadyExists): namespaces \"foo\" already exists\n"},
        {"kubectl create deployment nginx --image=nginx:1.2 --dry-run=client -o yaml", 0,
         "apiVersion: apps/v1\nkind: Deployment\nmetadata:\n  creationTimestamp: null\n  labels:\n "
         "   app: nginx\n  name: nginx\nspec:\n  replicas: 1\n  selector:\n    matchLabels:\n      "
         "app: nginx\n  strategy: {}\n  template:\n    metadata:\n      creationTimestamp: null\n  "
         "    labels:\n        app: nginx\n    spec:\n      containers:\n      - image: "
         "nginx:1.2\n        name: nginx\n        resources: {}\nstatus: {}\n",
         ""},
        {"kubectl create deployment nginx", 1, "", "error: required flag(s) \"image\" not set\n"},
        {"kubectl create deployment nginx --image=reg/nginx", 0, "deployment.apps/nginx created\n",
         ""},
        {"kubectl create job j", 1, "", "error: either --image or --from must be specified\n"},
        {"kubectl create service clusterip s --tcp=80:8080 --dry-run=client -o yaml", 0,
         "apiVersion: v1\nkind: Service\nmetadata:\n  creationTimestamp: null\n  labels:\n    app: "
         "s\n  name: s\nspec:\n  ports:\n  - name: 80-8080\n    port: 80\n    protocol: TCP\n    "
         "targetPort: 8080\n  selector:\n    app: s\n  type: ClusterIP\nstatus:\n  loadBalancer: "
         "{}\n",
         ""},
        {"kubectl create service clusterip s", 1, "",
         "error: at least one tcp port specifier must be provided\n"},
    };
    (void)state;
    WALK(steps);
}

static void test_delete(void **state)
{
    static const struct line steps[] = {
        {"kubectl apply -f base.yaml", 0, "configmap/cm1 created\ndeployment.apps/web created\n",
         ""},
        {"kubectl delete", 1, "",
         "error: You must provide one or more resources by argument or filename.\nExample resource "
         "specifications include:\n   '-f rsrc.yaml'\n   '--filename=rsrc.json'\n   '<resource> "
         "<name>'\n   '<resource>'\n"},
        {"kubectl delete configmap", 1, "",
         "error: resource(s) were provided, but no name was specified\n"},
        {"kubectl delete --all", 1, "",
         "error: at least one resource must be specified to use a selector\n"},
        {"kubectl delete cm cm1 --all", 1, "",
         "error: name cannot be provided when a selector is specified\n"},
        {"kubectl delete cm --all -l a=b", 1, "",
         "error: setting 'all' parameter but found a non empty selector. \n"},
        {"kubectl delete cm -l app=zzz", 0, "No resources found\n", ""},
        {"kubectl delete deployment/web --dry-run=client", 0,
         "deployment.apps \"web\" deleted (dry run)\n", ""},
        {"kubectl delete deployment/web --dry-run=server", 0,
         "deployment.apps \"web\" deleted (server dry run)\n", ""},
        {"kubectl delete cm cm1 -o json", 1, "",
         "error: unexpected -o output mode: json. We only support '-o name'\n"},
        {"kubectl delete cm cm1 --cascade=foo", 1, "",
         "error: invalid cascade value (foo). Must be \"background\", \"foreground\", or "
         "\"orphan\"\n"},
        {"kubectl delete cm cm1 --now --grace-period=3", 1, "",
         "error: --now and --grace-period cannot be specified together\n"},
        {"kubectl delete cm cm1 --force --grace-period=2", 1, "",
         "error: --force and --grace-period greater than 0 cannot be specified together\n"},
        {"kubectl delete nosuch x", 1, "",
         "error: the server doesn't have a resource type \"nosuch\"\n"},
        {"kubectl delete cm nope cm1", 1, "configmap \"cm1\" deleted\n",
         "Error from server (NotFound): configmaps \"nope\" not found\n"},
        {"kubectl delete cm nope --ignore-not-found", 0, "", ""},
        {"kubectl delete -f base.yaml", 1, "deployment.apps \"web\" deleted\n",
         "Error from server (NotFound): error when deleting \"base.yaml\": configmaps \"cm1\" not "
         "found\n"},
        {"kubectl apply -f base.yaml", 0, "configmap/cm1 created\ndeployment.apps/web created\n",
         ""},
        {"kubectl delete -f base.yaml --force", 0,
         "configmap \"cm1\" force deleted\ndeployment.apps \"web\" force deleted\n",
         "Warning: Immediate deletion does not wait for confirmation that the running resource has "
         "been terminated. The resource may continue to run on the cluster indefinitely.\n"},
        {"kubectl delete -f base.yaml --ignore-not-found", 0, "", ""},
        {"kubectl delete ns default", 1, "",
         "Error from server (Forbidden): namespaces \"default\" is forbidden: this namespace may "
         "not "
         "be deleted\n"},
        {"kubectl delete -f nameless.yaml", 1, "",
         "error: error when deleting \"nameless.yaml\": resource name may not be empty\n"},
    };
    (void)state;
    WALK(steps);
}

/* The server reads selectors, for each kind that is asked for. */
static void test_selectors(void **state)
{
    static const struct line steps[] = {
        {"kubectl delete cm -l 'a b'", 1, "",
         "Error from server (BadRequest): Unable to find \"/v1, Resource=configmaps\" that match "
         "label selector \"a b\", field selector \"\": unable to parse requirement: found 'b', "
         "expected: in, notin, =, ==, !=, gt, lt\n"},
        {"kubectl get deploy --field-selector a=b", 1, "",
         "Error from server (BadRequest): Unable to find \"apps/v1, Resource=deployments\" that "
         "match label selector \"\", field selector \"a=b\": field label not supported: a\n"},
        {"kubectl get pods --field-selector status.phase=Running", 0, "",
         "No resources found in default namespace.\n"},
    };
    (void)state;
    WALK(steps);
}

static void test_stdin(void **state)
{
    struct machine m;
    (void)state;
    machine_init(&m, "services: {web: {}}\nkubernetes: {}\n", NULL, files);
    m.d.input = str_of("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a, labels: {x: yes}}\n");
    machine_expect(&m, "kubectl apply -f -", 1, "",
                   "error: unable to decode \"STDIN\": json: cannot unmarshal bool into Go struct "
                   "field ObjectMeta.metadata.labels of type string\n");
    machine_expect(&m, "kubectl apply -f -", 1, "", "error: no objects passed to apply\n");
    /* what "create --dry-run=client -o yaml" writes is another each time: creationTimestamp: null
     */
    for (int i = 0; i < 2; i++) {
        m.d.input = str_of("apiVersion: v1\ndata:\n  a: c\nkind: ConfigMap\nmetadata:\n  "
                           "creationTimestamp: null\n  name: cx\n");
        machine_expect(&m, "kubectl apply -f -", 0,
                       i ? "configmap/cx configured\n" : "configmap/cx created\n", "");
    }
    /* a last label taken away leaves no empty map */
    machine_expect(&m, "kubectl label cm cx a=b", 0, "configmap/cx labeled\n", "");
    machine_expect(&m, "kubectl label cm cx a-", 0, "configmap/cx unlabeled\n", "");
    machine_expect(&m, "kubectl get cm cx -o jsonpath={.metadata.labels}", 0, "", "");
    machine_release(&m);
}

/* Who applies what "get -o yaml" saved names its resourceVersion: once anything has changed since,
 * that is a conflict, which kubectl tries five times; replace fails at once. Deleted and made anew,
 * the object has another uid. */
static void test_saved_objects(void **state)
{
    struct machine m;
    (void)state;
    machine_init(&m, "services: {web: {}}\nkubernetes: {}\n", NULL, files);
    machine_expect(&m, "kubectl apply -f cm.yaml", 0, "configmap/cm1 created\n", "");
    machine_holds(&m, "kubectl get cm cm1 -o yaml", 0, "resourceVersion: ", NULL);
    double_file(&m.d, "", "/opt/shop/saved.yaml", double_out(&m.d));
    machine_expect(&m, "kubectl replace -f saved.yaml", 0, "configmap/cm1 replaced\n", "");
    machine_expect(&m, "kubectl patch cm cm1 --patch-file=p.json", 0, "configmap/cm1 patched\n",
                   "");
    machine_expect(
        &m, "kubectl replace -f saved.yaml", 1, "",
        "Error from server (Conflict): error when replacing \"saved.yaml\": Operation "
        "cannot be fulfilled on configmaps \"cm1\": the object has been modified; please "
        "apply your changes to the latest version and try again\n");
    int64_t before = world_now(m.world);
    machine_holds(
        &m, "kubectl apply -f saved.yaml", 1, "",
        "for: \"saved.yaml\": error when patching \"saved.yaml\": Operation cannot be "
        "fulfilled on configmaps \"cm1\": the object has been modified; please apply your "
        "changes to the latest version and try again\n");
    assert_true(world_now(m.world) - before >= 4 * SECOND);
    machine_expect(&m, "kubectl apply -f saved.yaml --force", 0, "configmap/cm1 configured\n", "");
    machine_holds(&m, "kubectl replace -f saved.yaml", 1, "", "the object has been modified");
    machine_expect(&m, "kubectl delete cm cm1", 0, "configmap \"cm1\" deleted\n", "");
    machine_expect(&m, "kubectl apply -f saved.yaml", 0, "configmap/cm1 created\n", "");
    machine_expect(&m, "kubectl delete cm cm1", 0, "configmap \"cm1\" deleted\n", "");
    machine_expect(&m, "kubectl create -f saved.yaml", 0, "configmap/cm1 created\n", "");
    machine_release(&m);
}

static void test_label(void **state)
{
    static const struct line steps[] = {
        {"kubectl apply -f base.yaml", 0, "configmap/cm1 created\ndeployment.apps/web created\n",
         ""},
        {"kubectl label", 1, "",
         "error: one or more resources must be specified as <resource> <name> or "
         "<resource>/<name>\n"},
        {"kubectl label deployment web", 1, "", "error: at least one label update is required\n"},
        {"kubectl label deployment web tier=front", 0, "deployment.apps/web labeled\n", ""},
        {"kubectl label deployment web tier=front", 0, "deployment.apps/web not labeled\n", ""},
        {"kubectl label deployment web tier=back", 1, "",
         "error: 'tier' already has a value (front), and --overwrite is false\n"},
        {"kubectl label deployment web tier=back --overwrite", 0, "deployment.apps/web labeled\n",
         ""},
        {"kubectl label deployment web tier-", 0, "deployment.apps/web unlabeled\n", ""},
        {"kubectl label deployment web tier-", 0,
         "label \"tier\" not found.\ndeployment.apps/web not labeled\n", ""},
        {"kubectl label deployment web a=1 b-", 0,
         "label \"b\" not found.\ndeployment.apps/web labeled\n", ""},
        {"kubectl label deployment web a=1 a-", 1, "",
         "error: can not both modify and remove a label in the same command\n"},
        {"kubectl label deployment web a=b=c", 1, "", "error: invalid label spec: a=b=c\n"},
        {"kubectl label deployment web a=1 web2", 1, "",
         "error: all resources must be specified before label changes: web2\n"},
        {"kubectl label deployment nope a=1", 1, "",
         "Error from server (NotFound): deployments.apps \"nope\" not found\n"},
        {"kubectl label deployment a=1", 1, "",
         "error: resource(s) were provided, but no name was specified\n"},
        {"kubectl label deployment --all z=1", 0, "deployment.apps/web labeled\n", ""},
        {"kubectl label deployment/web configmap/cm1 q=2 --overwrite", 0,
         "deployment.apps/web labeled\nconfigmap/cm1 labeled\n", ""},
        {"kubectl label deployment web l=1 --dry-run=server", 0,
         "deployment.apps/web labeled (server dry run)\n", ""},
        {"kubectl label deployment web l=1 --local", 1, "",
         "error: can only use local files by -f pod.yaml or --filename=pod.json when --local=true "
         "is set\n"},
        {"kubectl annotate deployment web a=b", 0, "deployment.apps/web annotated\n", ""},
        {"kubectl annotate deployment web a=b", 0, "deployment.apps/web annotated\n", ""},
        {"kubectl annotate deployment web a=c", 1, "",
         "error: --overwrite is false but found the following declared annotation(s): 'a' already "
         "has a value (b)\n"},
        {"kubectl annotate deployment web x=1 x-", 1, "",
         "error: can not both modify and remove the following annotation(s) in the same command: "
         "x\n"},
        {"kubectl annotate deployment web a-", 0, "deployment.apps/web annotated\n", ""},
        {"kubectl annotate deployment web", 1, "",
         "error: at least one annotation update is required\n"},
    };
    (void)state;
    WALK(steps);
}

static void test_patch(void **state)
{
    static const struct line steps[] = {
        {"kubectl apply -f base.yaml", 0, "configmap/cm1 created\ndeployment.apps/web created\n",
         ""},
        {"kubectl patch deployment web", 1, "",
         "error: must specify --patch or --patch-file containing the contents of the patch\n"},
        {"kubectl patch deployment web -p {bad", 1, "",
         "Error from server (BadRequest): invalid character 'b' looking for beginning of object "
         "key "
         "string\n"},
        {"kubectl patch deployment web -p '{\"spec\":{\"replicas\":2}'", 1, "",
         "Error from server (BadRequest): unexpected end of JSON input\n"},
        {"kubectl patch deployment web -p '[{bad'", 1, "",
         "error: unable to parse \"[{bad\": yaml: line 1: did not find expected ',' or '}'\n"},
        {"kubectl patch deployment web --type=json -p "
         "'[{\"op\":\"replace\",\"path\":\"/spec/replicas\",\"value\":1}'",
         1, "",
         "error: unable to parse \"[{\\\"op\\\":\\\"replace\\\",\\\"path\\\":\\\"/spec/"
         "replicas\\\",\\\"value\\\":1}\": yaml: line 1: did not find expected ',' or ']'\n"},
        {"kubectl patch deployment web --type=json -p "
         "'[{\"op\":\"replace\",\"path\":\"/spec/nope\",\"value\":1}]'",
         1, "",
         "The request is invalid: the server rejected our request due to an error in our "
         "request\n"},
        {"kubectl patch deployment web --type=foo -p {}", 1, "",
         "error: --type must be one of [json merge strategic], not \"foo\"\n"},
        {"kubectl patch deployment nope -p {}", 1, "",
         "Error from server (NotFound): deployments.apps \"nope\" not found\n"},
        {"kubectl patch deployment -p {}", 1, "",
         "error: resource(s) were provided, but no name was specified\n"},
        {"kubectl patch deployment web -p '{\"spec\":{\"replicas\":2}}'", 0,
         "deployment.apps/web patched\n", ""},
        {"kubectl patch deployment web -p '{\"spec\":{\"replicas\":2}}'", 0,
         "deployment.apps/web patched (no change)\n", ""},
        {"kubectl patch deployment web -p 'spec: {replicas: 3}' -o jsonpath={.spec.replicas}", 0,
         "3", ""},
        {"kubectl patch deployment web --type=json -p "
         "'[{\"op\":\"replace\",\"path\":\"/spec/replicas\",\"value\":1}]'",
         0, "deployment.apps/web patched\n", ""},
        {"kubectl patch deployment web -p '{\"metadata\":{\"labels\":{\"canary\":true}}}'", 1, "",
         "The request is invalid: patch: Invalid value: "
         "\"map[metadata:map[labels:map[canary:true]]]"
         "\": unrecognized type: string\n"},
        {"kubectl patch cm cm1 --patch-file=/nope", 1, "",
         "error: unable to read patch file: open /nope: no such file or directory\n"},
        {"kubectl patch cm cm1 --patch-file=p.json", 0, "configmap/cm1 patched\n", ""},
        {"kubectl patch cm cm1 -p {} --patch-file=p.json", 1, "",
         "error: cannot specify --patch and --patch-file together\n"},
        {"kubectl patch deployment web -p '{\"spec\":{\"replicas\":9}}' --dry-run=server", 0,
         "deployment.apps/web patched (server dry run)\n", ""},
        {"kubectl patch deployment web -p '{\"spec\":{\"replicas\":9}}' --dry-run=client", 0,
         "deployment.apps/web patched (dry run)\n", ""},
        {"kubectl patch deployment web -p '{\"spec\":{\"replicas\":1}}'", 0,
         "deployment.apps/web patched (no change)\n", ""},
        {"kubectl patch deployment --all -p {}", 1, "",
         "error: unknown flag: --all\nSee 'kubectl patch --help' for usage.\n"},
    };
    (void)state;
    WALK(steps);
}

/* A custom resource takes merge patches, and no strategic ones: k8s.io/apiextensions-apiserver. */
static void test_custom_resource(void **state)
{
    static const struct line steps[] = {
        {"kubectl apply -f crd.yaml", 1,
         "customresourcedefinition.apiextensions.k8s.io/rollouts.argoproj.io created\n",
         "error: resource mapping not found for name: \"web\" namespace: \"\" from \"crd.yaml\": "
         "no "
         "matches for kind \"Rollout\" in version \"argoproj.io/v1alpha1\"\nensure CRDs are "
         "installed first\n"},
        {"kubectl apply -f crd.yaml", 0,
         "customresourcedefinition.apiextensions.k8s.io/rollouts.argoproj.io "
         "unchanged\nrollout.argoproj.io/web created\n",
         ""},
        {"kubectl patch rollout web -p '{\"spec\":{\"replicas\":3}}'", 1, "",
         "Error from server (UnsupportedMediaType): the body of the request was in an unknown "
         "format - accepted media types include: application/json-patch+json, "
         "application/merge-patch+json, application/apply-patch+yaml\n"},
        {"kubectl patch rollout web --type=merge -p '{\"spec\":{\"replicas\":3}}'", 0,
         "rollout.argoproj.io/web patched\n", ""},
        {"kubectl apply -f crd.yaml", 0,
         "customresourcedefinition.apiextensions.k8s.io/rollouts.argoproj.io "
         "unchanged\nrollout.argoproj.io/web configured\n",
         ""},
    };
    (void)state;
    WALK(steps);
}

static void test_replace(void **state)
{
    static const struct line steps[] = {
        {"kubectl replace", 1, "", "error: must specify one of -f and -k\n"},
        {"kubectl replace -f cm.yaml", 1, "",
         "Error from server (NotFound): error when replacing \"cm.yaml\": configmaps \"cm1\" not "
         "found\n"},
        {"kubectl replace -f cm.yaml --force --dry-run=client", 1, "",
         "error: --dry-run can not be used when --force is set\n"},
        {"kubectl replace -f cm.yaml --grace-period=1", 1, "",
         "error: --grace-period must have --force specified\n"},
        {"kubectl replace -f cm.yaml --force", 0, "configmap/cm1 replaced\n", ""},
        {"kubectl replace -f cm.yaml --force", 0,
         "configmap \"cm1\" deleted\nconfigmap/cm1 replaced\n", ""},
        {"kubectl label cm cm1 by=hand", 0, "configmap/cm1 labeled\n", ""},
        {"kubectl replace -f cm2.yaml --dry-run=server -o jsonpath={.data}", 0, "{\"b\":\"2\"}",
         ""},
        {"kubectl replace -f cm2.yaml", 0, "configmap/cm1 replaced\n", ""},
        {"kubectl label cm cm1 --list", 0, "", ""},
        {"kubectl create configmap cm1 --from-literal=a=d --dry-run=client -o name", 0,
         "configmap/cm1\n", ""},
    };
    (void)state;
    WALK(steps);
}

/* An editor that does what `edits` says: a text, and what it becomes. */
static const char *edits[2];
static char seen[4096];

static int editor(struct call_double *d, const char *place, char *const argv[], struct buf *capture)
{
    (void)place, (void)capture;
    const char *path = argv[1], *text = double_content(d, "", path);
    if (strcmp(argv[0], "ed") != 0 || !text)
        return 127;
    snprintf(seen, sizeof seen, "%s", text);
    const char *at = edits[0] && !strstr(text, edits[1]) ? strstr(text, edits[0]) : NULL;
    if (!at)
        return 0;
    struct buf changed;
    buf_init(&changed, 1 << 16);
    buf_add(&changed, text, (size_t)(at - text));
    buf_puts(&changed, edits[1]);
    buf_puts(&changed, at + strlen(edits[0]));
    double_file(d, "", path, changed.at);
    buf_release(&changed);
    return 0;
}

static void edit(struct machine *m, const char *from, const char *to, int status, const char *out,
                 const char *err)
{
    edits[0] = from;
    edits[1] = to;
    machine_expect(m, "kubectl edit cm cm1", status, out, err);
}

static void test_edit(void **state)
{
    struct machine m;
    static char *environment[] = {"EDITOR=ed", NULL};
    (void)state;
    machine_init(&m, "services: {web: {}}\nkubernetes: {}\n", NULL, files);
    m.d.on_spawn = editor;
    m.d.call.envp = environment;
    machine_expect(&m, "kubectl create -f cm.yaml", 0, "configmap/cm1 created\n", "");
    edit(&m, NULL, NULL, 0, "", "Edit cancelled, no changes made.\n");
    assert_ptr_equal(strstr(seen, "# Please edit the object below. Lines beginning with a '#' will "
                                  "be ignored,\n# and an empty file will abort the edit."),
                     seen);
    edit(&m, "a: \"1\"", "a: \"2\"", 0, "configmap/cm1 edited\n", "");
    machine_expect(&m, "kubectl patch cm cm1 -p {} -o jsonpath={.data.a}", 0, "2", "");
    edit(&m, "kind: ConfigMap\n", "kind: ConfigMap\n  x: y: z\n", 1, "",
         "error: configmaps \"cm1\" is invalid\n"
         "A copy of your changes has been stored to \"/tmp/kubectl-edit-1.yaml\"\n"
         "error: Edit cancelled, no valid changes were saved.\n");
    environment[0] = "EDITOR=nosuch";
    edit(&m, NULL, NULL, 1, "", "error: unable to launch the editor \"nosuch\"\n");
    environment[0] = "EDITOR=ed";
    machine_release(&m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_apply),
        cmocka_unit_test(test_apply_refused),
        cmocka_unit_test(test_unknown_fields),
        cmocka_unit_test(test_create),
        cmocka_unit_test(test_delete),
        cmocka_unit_test(test_label),
        cmocka_unit_test(test_saved_objects),
        cmocka_unit_test(test_selectors),
        cmocka_unit_test(test_stdin),
        cmocka_unit_test(test_patch),
        cmocka_unit_test(test_custom_resource),
        cmocka_unit_test(test_replace),
        cmocka_unit_test(test_edit),
    };
    return cmocka_run_group_tests_name("kubectl apply", tests, NULL, NULL);
}
