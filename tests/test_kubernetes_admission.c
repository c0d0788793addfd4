/* What the API server fills in and refuses. Words of decoding errors: as kubectl 1.32 said them of
 * the same documents (`kubectl set image --local -f`); of validation: k8s.io/kubernetes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "fakes/kubernetes/api/admission.h"
#include "fakes/kubernetes/text/manifest.h"
#include "tests/machine.h"

#define DEPLOYMENT(spec)                                                                           \
    "{apiVersion: apps/v1, kind: Deployment, metadata: {name: web}, spec: " spec "}"
#define CONTAINER(fields)                                                                          \
    DEPLOYMENT("{selector: {matchLabels: {a: b}}, template: {metadata: {labels: {a: b}}, "         \
               "spec: {containers: [{name: web, image: 'x:1', " fields "}]}}}")
#define PODS(spec) "{apiVersion: v1, kind: Pod, metadata: {name: p}, spec: " spec "}"

static struct machine m;

static int begin(void **state)
{
    (void)state;
    machine_init(&m, "services: {a: {}}\nkubernetes: {nodes: 1}\n", NULL, NULL);
    return 0;
}

static int end(void **state)
{
    (void)state;
    machine_release(&m);
    return 0;
}

static cJSON *read_one(const char *yaml)
{
    struct manifest manifest = {0};
    const char *text = arena_printf(&m.arena, "---\n%s", yaml); /* "{" alone would begin JSON */
    const char *why = manifest_read(&m.arena, str_of(text), &manifest);
    if (why || manifest.n != 1)
        fail_msg("%s: %s", yaml, why ? why : "not one document");
    cJSON *json = cJSON_Duplicate(manifest.documents[0], true);
    manifest_release(&manifest);
    return json;
}

static const struct kind *kind_of(const cJSON *json)
{
    const struct kind *kind =
        cluster_kind(cluster_of(&m.d.env), json_text(json, "kind"), json_text(json, "apiVersion"));
    assert_non_null(kind);
    return kind;
}

struct test_case {
    const char *yaml, *says;
};

/* ---- decoding ---- */

static void wrong_types(void **state)
{
    static const struct test_case cases[] = {
        {DEPLOYMENT("{replicas: 1.5}"),
         "json: cannot unmarshal number 1.5 into Go struct field DeploymentSpec.spec.replicas of "
         "type int32"},
        {DEPLOYMENT("{replicas: '3'}"),
         "json: cannot unmarshal string into Go struct field DeploymentSpec.spec.replicas of type "
         "int32"},
        {DEPLOYMENT("{replicas: 99999999999}"),
         "json: cannot unmarshal number 99999999999 into Go struct field "
         "DeploymentSpec.spec.replicas of type int32"},
        {DEPLOYMENT("{replicas: {}}"),
         "json: cannot unmarshal object into Go struct field DeploymentSpec.spec.replicas of type "
         "int32"},
        {DEPLOYMENT("{template: x}"),
         "json: cannot unmarshal string into Go struct field DeploymentSpec.spec.template of type "
         "v1.PodTemplateSpec"},
        {DEPLOYMENT("[]"), "json: cannot unmarshal array into Go struct field Deployment.spec of "
                           "type v1.DeploymentSpec"},
        {DEPLOYMENT("{template: {spec: {containers: {a: 1}}}}"),
         "json: cannot unmarshal object into Go struct field PodSpec.spec.template.spec.containers "
         "of type []v1.Container"},
        {DEPLOYMENT("{template: {spec: {containers: [a]}}}"),
         "json: cannot unmarshal string into Go struct field PodSpec.spec.template.spec.containers "
         "of type v1.Container"},
        {DEPLOYMENT("{selector: {matchLabels: {canary: yes}}}"),
         "json: cannot unmarshal bool into Go struct field LabelSelector.spec.selector.matchLabels "
         "of type string"},
        {DEPLOYMENT("{selector: {matchLabels: a}}"),
         "json: cannot unmarshal string into Go struct field "
         "LabelSelector.spec.selector.matchLabels of type map[string]string"},
        {DEPLOYMENT("{strategy: {type: 5}}"),
         "json: cannot unmarshal number into Go struct field DeploymentStrategy.spec.strategy.type "
         "of type v1.DeploymentStrategyType"},
        {DEPLOYMENT("{strategy: {rollingUpdate: {maxSurge: true}}}"),
         "json: cannot unmarshal bool into Go struct field "
         "RollingUpdateDeployment.spec.strategy.rollingUpdate.maxSurge of type int32"},
        {DEPLOYMENT("{template: {metadata: {labels: {canary: on}}}}"),
         "json: cannot unmarshal bool into Go struct field "
         "ObjectMeta.spec.template.metadata.labels "
         "of type string"},
        {DEPLOYMENT("{template: {metadata: {creationTimestamp: x}}}"),
         "parsing time \"x\" as \"2006-01-02T15:04:05Z07:00\": cannot parse \"x\" as \"2006\""},
        {CONTAINER("env: [{name: A, value: 5}]"),
         "json: cannot unmarshal number into Go struct field "
         "EnvVar.spec.template.spec.containers.env.value of type string"},
        {CONTAINER("env: {A: b}"), "json: cannot unmarshal object into Go struct field "
                                   "Container.spec.template.spec.containers.env of type "
                                   "[]v1.EnvVar"},
        {CONTAINER("command: sh"), "json: cannot unmarshal string into Go struct field "
                                   "Container.spec.template.spec.containers.command of type "
                                   "[]string"},
        {CONTAINER("command: [5]"), "json: cannot unmarshal number into Go struct field "
                                    "Container.spec.template.spec.containers.command of type "
                                    "string"},
        {CONTAINER("ports: [{containerPort: '80'}]"),
         "json: cannot unmarshal string into Go struct field "
         "ContainerPort.spec.template.spec.containers.ports.containerPort of type int32"},
        {CONTAINER("resources: {limits: {cpu: abc}}"),
         "quantities must match the regular expression "
         "'^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'"},
        {CONTAINER("resources: {limits: 5}"),
         "json: cannot unmarshal number into Go struct field "
         "ResourceRequirements.spec.template.spec.containers.resources.limits of type "
         "v1.ResourceList"},
        {CONTAINER("imagePullPolicy: 5"),
         "json: cannot unmarshal number into Go struct field "
         "Container.spec.template.spec.containers.imagePullPolicy of type v1.PullPolicy"},
        {CONTAINER("readinessProbe: {httpGet: {port: []}}"),
         "json: cannot unmarshal array into Go struct field "
         "HTTPGetAction.spec.template.spec.containers.readinessProbe.httpGet.port of type int32"},
        {CONTAINER("livenessProbe: {initialDelaySeconds: '5'}"),
         "json: cannot unmarshal string into Go struct field "
         "Probe.spec.template.spec.containers.livenessProbe.initialDelaySeconds of type int32"},
        {"{apiVersion: v1, kind: ConfigMap, metadata: {name: a}, data: {a: 5}}",
         "json: cannot unmarshal number into Go struct field ConfigMap.data of type string"},
        {"{apiVersion: v1, kind: ConfigMap, metadata: {name: a}, data: x}",
         "json: cannot unmarshal string into Go struct field ConfigMap.data of type "
         "map[string]string"},
        {"{apiVersion: v1, kind: Secret, metadata: {name: a}, data: {a: 'x!'}}",
         "illegal base64 data at input byte 1"},
        {"{apiVersion: v1, kind: Secret, metadata: {name: a}, data: {a: 5}}",
         "json: cannot unmarshal number into Go struct field Secret.data of type []uint8"},
        {"{apiVersion: v1, kind: Pod, metadata: {name: a, ownerReferences: [{uid: 5}]}}",
         "json: cannot unmarshal number into Go struct field "
         "OwnerReference.metadata.ownerReferences.uid of type types.UID"},
        {"{apiVersion: batch/v1, kind: CronJob, metadata: {name: a}, spec: {jobTemplate: {spec: "
         "{template: {spec: {containers: [{name: 5}]}}}}}}",
         "json: cannot unmarshal number into Go struct field "
         "Container.spec.jobTemplate.spec.template.spec.containers.name of type string"},
        {DEPLOYMENT("{replicas: null, selector: {matchLabels: {a: b}}, template: null}"), NULL},
        {CONTAINER("resources: {limits: {cpu: 500m, memory: 1.5Gi}, requests: {cpu: 0.5, memory: "
                   "1e3}}"),
         NULL},
        {"{apiVersion: v1, kind: Secret, metadata: {name: a}, data: {a: cGFzcw==, b: ''}}", NULL},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        cJSON *json = read_one(cases[i].yaml);
        const char *says = admission_wrong_type(cluster_of(&m.d.env), kind_of(json), json, false);
        if (!says != !cases[i].says || (says && strcmp(says, cases[i].says) != 0))
            fail_msg("%s\nsays: %s\nwanted: %s", cases[i].yaml, says ? says : "nothing",
                     cases[i].says ? cases[i].says : "nothing");
        cJSON_Delete(json);
    }
}

static void wrong_types_of_patches(void **state)
{
    static const struct test_case cases[] = {
        {"{apiVersion: v1, kind: Pod, metadata: {labels: {a: true}}}", "unrecognized type: string"},
        {"{apiVersion: v1, kind: Pod, metadata: {labels: {a: 5}}}",
         "cannot convert int64 to string"},
        {DEPLOYMENT("{replicas: '5'}"), "unrecognized type: int32"},
        {DEPLOYMENT("{replicas: 1.5}"), "cannot convert float64 to int32"},
        {DEPLOYMENT("{selector: {matchLabels: a}}"), "cannot restore map from string"},
        {DEPLOYMENT("{template: {spec: {containers: a}}}"), "cannot restore slice from string"},
        {DEPLOYMENT("{template: x}"), "cannot restore struct from: string"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        cJSON *json = read_one(cases[i].yaml);
        assert_string_equal(admission_wrong_type(cluster_of(&m.d.env), kind_of(json), json, true),
                            cases[i].says);
        cJSON_Delete(json);
    }
}

static void unknown_fields(void **state)
{
    (void)state;
    cJSON *json = read_one(CONTAINER("imagee: x, env: [{name: A, valu: b}]"));
    json_set_int(json_child(json, "spec"), "replica", 3);
    assert_string_equal(admission_unknown_fields(&m.arena, kind_of(json), json),
                        "unknown field \"spec.replica\", "
                        "unknown field \"spec.template.spec.containers[0].env[0].valu\", "
                        "unknown field \"spec.template.spec.containers[0].imagee\"");
    admission_prune(&m.arena, kind_of(json), json);
    assert_null(admission_unknown_fields(&m.arena, kind_of(json), json));
    assert_null(json_at(json, "spec", "replica"));
    assert_non_null(json_at(json, "spec", "template", "spec", "containers"));
    cJSON_Delete(json);
}

/* ---- defaults ---- */

static void fills_in(void **state)
{
    static const struct {
        const char *yaml, *pointer, *value;
    } cases[] = {
        {CONTAINER("ports: [{containerPort: 80}], readinessProbe: {httpGet: {port: 80}}"), "spec",
         "\"progressDeadlineSeconds\":600"},
        {CONTAINER(""), "spec", "\"revisionHistoryLimit\":10"},
        {CONTAINER(""), "spec",
         "\"strategy\":{\"rollingUpdate\":{\"maxSurge\":\"25%\",\"maxUnavailable\":\"25%\"},"
         "\"type\":\"RollingUpdate\"}"},
        {CONTAINER("ports: [{containerPort: 80}]"), "spec", "\"protocol\":\"TCP\""},
        {CONTAINER("readinessProbe: {httpGet: {port: 80}}"), "spec",
         "\"readinessProbe\":{\"failureThreshold\":3,\"httpGet\":{\"path\":\"/\",\"port\":80,"
         "\"scheme\":\"HTTP\"},\"periodSeconds\":10,\"successThreshold\":1,\"timeoutSeconds\":1}"},
        {CONTAINER(""), "spec", "\"imagePullPolicy\":\"IfNotPresent\""},
        {CONTAINER(""), "spec", "\"terminationGracePeriodSeconds\":30"},
        {PODS("{containers: [{name: a, image: web}]}"), "spec", "\"imagePullPolicy\":\"Always\""},
        {PODS("{containers: [{name: a, image: 'web:latest'}]}"), "spec",
         "\"imagePullPolicy\":\"Always\""},
        {PODS("{containers: [{name: a, image: 'web@sha256:" /* a digest */
              "0123456789012345678901234567890123456789012345678901234567890123'}]}"),
         "spec", "\"imagePullPolicy\":\"IfNotPresent\""},
        {PODS("{containers: [{name: a, image: x, resources: {limits: {cpu: 1}}}]}"), "spec",
         "\"requests\":{\"cpu\":1}"},
        {PODS("{containers: [{name: a, image: x}]}"), "spec", "\"serviceAccountName\":\"default\""},
        {PODS("{containers: [{name: a, image: x}]}"), "status", "\"qosClass\":\"BestEffort\""},
        {PODS("{containers: [{name: a, image: x}], volumes: [{name: v}, {name: c, configMap: "
              "{name: c}}]}"),
         "spec", "[{\"emptyDir\":{},\"name\":\"v\"},{\"configMap\":{\"defaultMode\":420,"},
        {"{apiVersion: v1, kind: Service, metadata: {name: s}, spec: {ports: [{port: 80}]}}",
         "spec", "\"targetPort\":80"},
        {"{apiVersion: v1, kind: Service, metadata: {name: s}, spec: {type: NodePort, ports: "
         "[{port: 80}]}}",
         "spec", "\"externalTrafficPolicy\":\"Cluster\""},
        {"{apiVersion: v1, kind: Secret, metadata: {name: s}, stringData: {a: pass}}", "data",
         "{\"a\":\"cGFzcw==\"}"},
        {"{apiVersion: v1, kind: Namespace, metadata: {name: s}}", "metadata",
         "\"kubernetes.io/metadata.name\":\"s\""},
        {"{apiVersion: v1, kind: PersistentVolumeClaim, metadata: {name: s}, spec: {accessModes: "
         "[ReadWriteOnce], resources: {requests: {storage: 1Gi}}}}",
         "spec", "\"storageClassName\":\"standard\""},
        {"{apiVersion: batch/v1, kind: Job, metadata: {name: j}, spec: {template: {spec: "
         "{restartPolicy: Never, containers: [{name: a, image: x}]}}}}",
         "spec", "\"backoffLimit\":6"},
        {"{apiVersion: autoscaling/v2, kind: HorizontalPodAutoscaler, metadata: {name: h}, spec: "
         "{scaleTargetRef: {kind: Deployment, name: web}, maxReplicas: 3}}",
         "spec", "\"minReplicas\":1"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        cJSON *json = read_one(cases[i].yaml);
        struct api_error error = {0};
        const struct kind *kind = kind_of(json);
        json_set_text(json_child(json, "metadata"), "namespace", "default");
        if (!admission(cluster_of(&m.d.env), kind, json, NULL, &error))
            fail_msg("%s: %s", cases[i].yaml, error.message);
        struct buf text;
        buf_init(&text, 1 << 20);
        json_compact(&text, cJSON_GetObjectItemCaseSensitive(json, cases[i].pointer));
        if (!strstr(text.at, cases[i].value))
            fail_msg("%s\nhas: %s\nwanted: %s", cases[i].yaml, text.at, cases[i].value);
        buf_release(&text);
        cJSON_Delete(json);
    }
}

/* ---- validation ---- */

static void check_refusal(const char *yaml, const char *old_yaml, const char *says)
{
    cJSON *json = read_one(yaml), *old = old_yaml ? read_one(old_yaml) : NULL;
    struct api_error error = {0};
    if (old)
        assert_true(admission(cluster_of(&m.d.env), kind_of(old), old, NULL, &error));
    bool fine = admission(cluster_of(&m.d.env), kind_of(json), json, old, &error);
    if (fine != !says || (says && strcmp(error.message, says) != 0))
        fail_msg("%s\nsays: %s\nwanted: %s", yaml, fine ? "nothing" : error.message,
                 says ? says : "nothing");
    cJSON_Delete(json);
    cJSON_Delete(old);
}

#define LABEL_WORDS                                                                                \
    "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and "   \
    "must start and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex "     \
    "used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')"

static void refuses(void **state)
{
    static const struct test_case cases[] = {
        {CONTAINER(""), NULL},
        {DEPLOYMENT("{replicas: -1, selector: {matchLabels: {a: b}}, template: {metadata: {labels: "
                    "{a: b}}, spec: {containers: [{name: web, image: x}]}}}"),
         "Deployment.apps \"web\" is invalid: spec.replicas: Invalid value: -1: must be greater "
         "than or equal to 0"},
        {DEPLOYMENT("{selector: {matchLabels: {app: web}}, template: {metadata: {labels: {app: "
                    "api}}, spec: {containers: [{name: web, image: x}]}}}"),
         "Deployment.apps \"web\" is invalid: spec.template.metadata.labels: Invalid value: "
         "map[string]string{\"app\":\"api\"}: `selector` does not match template `labels`"},
        {DEPLOYMENT("{selector: {matchLabels: {a: b}}, template: {metadata: {labels: {a: b}}, "
                    "spec: {containers: []}}}"),
         "Deployment.apps \"web\" is invalid: spec.template.spec.containers: Required value"},
        {DEPLOYMENT("{template: {metadata: {labels: {a: b}}, spec: {containers: [{name: web, "
                    "image: x}]}}}"),
         "Deployment.apps \"web\" is invalid: [spec.selector: Required value, "
         "spec.template.metadata.labels: Invalid value: map[string]string{\"a\":\"b\"}: `selector` "
         "does not match template `labels`]"},
        {DEPLOYMENT("{selector: {matchLabels: {a: b}}, template: {metadata: {labels: {a: b}}, "
                    "spec: {restartPolicy: Never, containers: [{name: Web_1}]}}}"),
         "Deployment.apps \"web\" is invalid: [spec.template.spec.containers[0].name: Invalid "
         "value: \"Web_1\": " LABEL_WORDS
         ", spec.template.spec.containers[0].image: Required value, "
         "spec.template.spec.restartPolicy: Unsupported value: \"Never\": supported values: "
         "\"Always\"]"},
        {CONTAINER("volumeMounts: [{name: data, mountPath: /data}]"),
         "Deployment.apps \"web\" is invalid: spec.template.spec.containers[0].volumeMounts[0]"
         ".name: Not found: \"data\""},
        {CONTAINER("resources: {limits: {memory: 1Gi}, requests: {memory: 2Gi}}"),
         "Deployment.apps \"web\" is invalid: "
         "spec.template.spec.containers[0].resources.requests: Invalid value: \"2Gi\": must be "
         "less "
         "than or equal to memory limit of 1Gi"},
        {CONTAINER("ports: [{containerPort: 70000}]"),
         "Deployment.apps \"web\" is invalid: spec.template.spec.containers[0].ports[0]"
         ".containerPort: Invalid value: 70000: must be between 1 and 65535, inclusive"},
        {CONTAINER("livenessProbe: {periodSeconds: 5}"),
         "Deployment.apps \"web\" is invalid: spec.template.spec.containers[0].livenessProbe: "
         "Required value: must specify a handler type"},
        {CONTAINER("imagePullPolicy: Sometimes"),
         "Deployment.apps \"web\" is invalid: spec.template.spec.containers[0].imagePullPolicy: "
         "Unsupported value: \"Sometimes\": supported values: \"Always\", \"IfNotPresent\", "
         "\"Never\""},
        {"{apiVersion: v1, kind: ConfigMap, metadata: {name: App_Config}}",
         "ConfigMap \"App_Config\" is invalid: metadata.name: Invalid value: \"App_Config\": a "
         "lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or "
         "'.', and must start and end with an alphanumeric character (e.g. 'example.com', regex "
         "used for validation is "
         "'[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')"},
        {"{apiVersion: v1, kind: ConfigMap, metadata: {}}",
         "ConfigMap \"\" is invalid: metadata.name: Required value: name or generateName is "
         "required"},
        {"{apiVersion: v1, kind: ConfigMap, metadata: {name: a, labels: {a: 'b c'}}}",
         "ConfigMap \"a\" is invalid: metadata.labels: Invalid value: \"b c\": a valid label must "
         "be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must "
         "start and end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or "
         "'12345', regex used for validation is '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')"},
        {"{apiVersion: v1, kind: ConfigMap, metadata: {name: a}, data: {a/b: c}}",
         "ConfigMap \"a\" is invalid: data[a/b]: Invalid value: \"a/b\": a valid config key must "
         "consist of alphanumeric characters, '-', '_' or '.' (e.g. 'key.name',  or 'KEY_NAME',  "
         "or 'key-name', regex used for validation is '[-._a-zA-Z0-9]+')"},
        {"{apiVersion: v1, kind: Service, metadata: {name: 1web}, spec: {ports: [{port: 80}]}}",
         "Service \"1web\" is invalid: metadata.name: Invalid value: \"1web\": a DNS-1035 label "
         "must consist of lower case alphanumeric characters or '-', start with an alphabetic "
         "character, and end with an alphanumeric character (e.g. 'my-name',  or 'abc-123', regex "
         "used for validation is '[a-z]([-a-z0-9]*[a-z0-9])?')"},
        {"{apiVersion: v1, kind: Service, metadata: {name: web}, spec: {}}",
         "Service \"web\" is invalid: spec.ports: Required value"},
        {"{apiVersion: v1, kind: Service, metadata: {name: web}, spec: {type: NodePort, ports: "
         "[{port: 80, nodePort: 80}]}}",
         "Service \"web\" is invalid: spec.ports[0].nodePort: Invalid value: 80: provided port is "
         "not in the valid range. The range of valid ports is 30000-32767"},
        {"{apiVersion: v1, kind: PersistentVolumeClaim, metadata: {name: d}, spec: {}}",
         "PersistentVolumeClaim \"d\" is invalid: [spec.accessModes: Required value: at least 1 "
         "access mode is required, spec.resources[storage]: Required value]"},
        {"{apiVersion: batch/v1, kind: Job, metadata: {name: j}, spec: {template: {spec: "
         "{containers: [{name: a, image: x}]}}}}",
         "Job.batch \"j\" is invalid: spec.template.spec.restartPolicy: Required value: valid "
         "values: \"OnFailure\", \"Never\""},
        {"{apiVersion: networking.k8s.io/v1, kind: Ingress, metadata: {name: i}, spec: {rules: "
         "[{host: a.b, http: {paths: [{path: /, backend: {service: {name: web, port: {number: "
         "80}}}}]}}]}}",
         "Ingress.networking.k8s.io \"i\" is invalid: spec.rules[0].http.paths[0].pathType: "
         "Required value: pathType must be specified"},
        {"{apiVersion: autoscaling/v2, kind: HorizontalPodAutoscaler, metadata: {name: h}, spec: "
         "{scaleTargetRef: {kind: Deployment, name: web}, minReplicas: 5, maxReplicas: 3}}",
         "HorizontalPodAutoscaler.autoscaling \"h\" is invalid: spec.maxReplicas: Invalid value: "
         "3: must be greater than or equal to `minReplicas`"},
        {"{apiVersion: rbac.authorization.k8s.io/v1, kind: Role, metadata: {name: r}, rules: "
         "[{resources: [pods], verbs: [get]}]}",
         "Role.rbac.authorization.k8s.io \"r\" is invalid: rules[0].apiGroups: Required value: "
         "resource rules must supply at least one api group"},
        {"{apiVersion: apiextensions.k8s.io/v1, kind: CustomResourceDefinition, metadata: {name: "
         "till}, spec: {group: shop.io, scope: Namespaced, names: {plural: tills, kind: Till}, "
         "versions: [{name: v1, served: true, storage: true, schema: {openAPIV3Schema: {}}}]}}",
         "CustomResourceDefinition.apiextensions.k8s.io \"till\" is invalid: metadata.name: "
         "Invalid value: \"till\": must be spec.names.plural+\".\"+spec.group"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        check_refusal(cases[i].yaml, NULL, cases[i].says);
}

static void keeps_what_is_fixed(void **state)
{
    static const char set[] =
        "{apiVersion: apps/v1, kind: StatefulSet, metadata: {name: db}, spec: {serviceName: db, "
        "selector: {matchLabels: {a: b}}, template: {metadata: {labels: {a: b}}, spec: "
        "{containers: [{name: db, image: 'pg:15', volumeMounts: [{name: data, mountPath: /d}]}]}}, "
        "volumeClaimTemplates: [{metadata: {name: data}, spec: {accessModes: [ReadWriteOnce], "
        "resources: {requests: {storage: %s}}}}]}}";
    (void)state;
    check_refusal(DEPLOYMENT("{selector: {matchLabels: {a: c}}, template: {metadata: {labels: {a: "
                             "c}}, spec: {containers: [{name: web, image: 'x:1'}]}}}"),
                  CONTAINER(""),
                  "Deployment.apps \"web\" is invalid: spec.selector: Invalid value: "
                  "v1.LabelSelector{MatchLabels:map[string]string{\"a\":\"c\"}, "
                  "MatchExpressions:[]v1.LabelSelectorRequirement(nil)}: field is immutable");
    check_refusal(
        arena_printf(&m.arena, set, "2Gi"), arena_printf(&m.arena, set, "1Gi"),
        "StatefulSet.apps \"db\" is invalid: spec: Forbidden: updates to statefulset spec "
        "for fields other than 'replicas', 'ordinals', 'template', 'updateStrategy', "
        "'revisionHistoryLimit', 'persistentVolumeClaimRetentionPolicy' and "
        "'minReadySeconds' are forbidden");
    check_refusal(arena_printf(&m.arena, set, "1Gi"), arena_printf(&m.arena, set, "1Gi"), NULL);
    check_refusal(
        "{apiVersion: v1, kind: ConfigMap, metadata: {name: c}, data: {a: y}, immutable: "
        "true}",
        "{apiVersion: v1, kind: ConfigMap, metadata: {name: c}, data: {a: x}, immutable: "
        "true}",
        "ConfigMap \"c\" is invalid: data: Forbidden: field is immutable when `immutable` "
        "is set");
    check_refusal(
        PODS("{containers: [{name: a, image: x, env: [{name: A, value: b}]}]}"),
        PODS("{containers: [{name: a, image: x}]}"),
        "Pod \"p\" is invalid: spec: Forbidden: pod updates may not change fields other "
        "than `spec.containers[*].image`,`spec.initContainers[*].image`,"
        "`spec.activeDeadlineSeconds`,`spec.tolerations` (only additions to existing "
        "tolerations),`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it "
        "was previously negative)");
    check_refusal(PODS("{containers: [{name: a, image: 'y:2'}]}"),
                  PODS("{containers: [{name: a, image: x}]}"), NULL);
}

/* A Service keeps its address and node port when it is written again without them. */
static void keeps_addresses(void **state)
{
    (void)state;
    struct cluster *cluster = cluster_of(&m.d.env);
    struct api_error error = {0};
    cJSON *first = read_one("{apiVersion: v1, kind: Service, metadata: {name: s, namespace: "
                            "default}, spec: {type: NodePort, ports: [{port: 80}]}}");
    cJSON *next = cJSON_Duplicate(first, true), *inner;
    assert_true(admission(cluster, kind_of(first), first, NULL, &error));
    assert_true(admission(cluster, kind_of(next), next, first, &error));
    assert_string_equal(json_text(next, "spec", "clusterIP"),
                        json_text(first, "spec", "clusterIP"));
    int64_t port = json_int(cJSON_GetArrayItem(json_at(first, "spec", "ports"), 0), "nodePort", 0);
    assert_true(port >= 30000 && port <= 32767);
    assert_int_equal(json_int(cJSON_GetArrayItem(json_at(next, "spec", "ports"), 0), "nodePort", 0),
                     port);
    inner = cJSON_Duplicate(first, true);
    json_set_text(json_child(inner, "spec"), "type", "ClusterIP");
    assert_true(admission(cluster, kind_of(inner), inner, first, &error));
    assert_int_equal(
        json_int(cJSON_GetArrayItem(json_at(inner, "spec", "ports"), 0), "nodePort", 0), 0);
    cJSON_Delete(inner);
    cJSON_Delete(next);
    cJSON_Delete(first);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(wrong_types),     cmocka_unit_test(wrong_types_of_patches),
        cmocka_unit_test(unknown_fields),  cmocka_unit_test(fills_in),
        cmocka_unit_test(refuses),         cmocka_unit_test(keeps_what_is_fixed),
        cmocka_unit_test(keeps_addresses),
    };
    return cmocka_run_group_tests(tests, begin, end);
}
