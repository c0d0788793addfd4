/* Everything but pods' workloads. Sources: pkg/apis/{core,networking,autoscaling,policy,rbac,
 * apiextensions}/validation. */
#include <string.h>

#include "fakes/kubernetes/api/admission.h"
#include "fakes/kubernetes/api/patch.h"

/* ---- Services ---- */

static void validate_service_port(struct causes *causes, const char *path, const cJSON *port,
                                  bool needs_name)
{
    static const char *const protocols[] = {"SCTP", "TCP", "UDP", NULL};
    const char *name = json_text(port, "name");
    const cJSON *target = json_at(port, "targetPort");
    if (needs_name && (!name || !*name))
        cause_required(causes, path_at(causes, "%s.name", path), NULL);
    const char *wrong = name && *name ? name_dns_label(name) : NULL;
    if (wrong)
        cause_invalid(causes, path_at(causes, "%s.name", path), shown_text(causes, name), "%s",
                      wrong);
    check_port(causes, path_at(causes, "%s.port", path), json_at(port, "port"));
    check_choice(causes, path, port, "protocol", protocols);
    if (cJSON_IsString(target)) {
        wrong = name_port(target->valuestring);
        if (wrong)
            cause_invalid(causes, path_at(causes, "%s.targetPort", path),
                          shown_text(causes, target->valuestring), "%s", wrong);
    } else if (target) {
        check_port(causes, path_at(causes, "%s.targetPort", path), target);
    }
    int64_t node_port = json_int(port, "nodePort", 0);
    if (node_port && (node_port < 30000 || node_port > 32767))
        cause_invalid(causes, path_at(causes, "%s.nodePort", path), shown_number(causes, node_port),
                      "provided port is not in the valid range. The range of valid ports is "
                      "30000-32767");
}

static void validate_service(struct causes *causes, const cJSON *json, const cJSON *old)
{
    static const char *const types[] = {"ClusterIP", "ExternalName", "LoadBalancer", "NodePort",
                                        NULL};
    static const char *const affinities[] = {"ClientIP", "None", NULL};
    const cJSON *spec = json_at(json, "spec"), *ports = json_at(spec, "ports");
    const char *type = json_text(spec, "type"), *address = json_text(spec, "clusterIP");
    bool named = type && strcmp(type, "ExternalName") == 0;
    bool headless = address && strcmp(address, "None") == 0;
    int n = cJSON_GetArraySize(ports), i = 0;
    if (n == 0 && !headless && !named)
        cause_required(causes, "spec.ports", NULL);
    for (const cJSON *port = ports ? ports->child : NULL; port; port = port->next, i++) {
        const char *path = path_at(causes, "spec.ports[%d]", i);
        validate_service_port(causes, path, port, n > 1);
        for (const cJSON *other = ports->child; other != port; other = other->next) {
            const char *a = json_text(port, "name"), *b = json_text(other, "name");
            if (a && b && strcmp(a, b) == 0)
                cause_duplicate(causes, path_at(causes, "%s.name", path), shown_text(causes, a));
        }
    }
    validate_labels(causes, "spec.selector", json_at(spec, "selector"));
    check_choice(causes, "spec", spec, "type", types);
    check_choice(causes, "spec", spec, "sessionAffinity", affinities);
    const char *external = json_text(spec, "externalName");
    if (named && (!external || !*external))
        cause_required(causes, "spec.externalName", NULL);
    const char *was = json_text(old, "spec", "clusterIP");
    const char *was_type = json_text(old, "spec", "type");
    if (was && *was && address && strcmp(was, address) != 0 && !named && was_type &&
        strcmp(was_type, "ExternalName") != 0)
        cause_invalid(causes, "spec.clusterIPs[0]", path_at(causes, "[]string{\"%s\"}", address),
                      "may not change once set");
}

/* ---- configuration ---- */

static void validate_data(struct causes *causes, const cJSON *json, const cJSON *old)
{
    static const char *const maps[] = {"data", "binaryData"};
    bool fixed = cJSON_IsTrue(json_at(old, "immutable"));
    size_t size = 0;
    for (int i = 0; i < 2; i++) {
        const cJSON *map = cJSON_GetObjectItemCaseSensitive(json, maps[i]);
        const cJSON *was = cJSON_GetObjectItemCaseSensitive(old, maps[i]);
        for (const cJSON *item = map ? map->child : NULL; item; item = item->next) {
            const char *wrong = name_config_key(item->string);
            if (wrong)
                cause_invalid(causes, path_at(causes, "%s[%s]", maps[i], item->string),
                              shown_text(causes, item->string), "%s", wrong);
            size += item->valuestring ? strlen(item->valuestring) : 0;
        }
        if (fixed && (map || was) && (!map || !was || !json_equal(map, was)))
            cause_forbidden(causes, maps[i], "field is immutable when `immutable` is set");
    }
    if (fixed && !cJSON_IsTrue(json_at(json, "immutable")))
        cause_forbidden(causes, "immutable", "field is immutable when `immutable` is set");
    if (size > 1024 * 1024)
        cause_invalid(causes, strcmp(json_text(json, "kind"), "Secret") == 0 ? "data" : "[]",
                      "\"\"", "may not be more than 1048576 bytes");
}

static void validate_secret(struct causes *causes, const cJSON *json, const cJSON *old)
{
    static const struct {
        const char *type, *key;
    } needs[] = {
        {"kubernetes.io/tls", "tls.crt"},
        {"kubernetes.io/tls", "tls.key"},
        {"kubernetes.io/dockerconfigjson", ".dockerconfigjson"},
        {"kubernetes.io/ssh-auth", "ssh-privatekey"},
    };
    const char *type = json_text(json, "type");
    validate_data(causes, json, old);
    for (size_t i = 0; type && i < sizeof needs / sizeof *needs; i++) {
        if (strcmp(type, needs[i].type) == 0 &&
            !cJSON_GetObjectItemCaseSensitive(json_at(json, "data"), needs[i].key))
            cause_required(causes, path_at(causes, "data[%s]", needs[i].key), NULL);
    }
    if (old)
        check_same(causes, "type", json_at(json, "type"), json_at(old, "type"),
                   shown_text(causes, type));
}

/* ---- storage ---- */

static void validate_claim(struct causes *causes, const cJSON *json, const cJSON *old)
{
    static const char *const modes[] = {"ReadOnlyMany", "ReadWriteMany", "ReadWriteOnce",
                                        "ReadWriteOncePod", NULL};
    const cJSON *spec = json_at(json, "spec"), *list = json_at(spec, "accessModes");
    if (cJSON_GetArraySize(list) == 0)
        cause_required(causes, "spec.accessModes", "at least 1 access mode is required");
    for (const cJSON *mode = list ? list->child : NULL; mode; mode = mode->next) {
        bool known = false;
        for (int i = 0; modes[i] && mode->valuestring; i++)
            known = known || strcmp(modes[i], mode->valuestring) == 0;
        if (!known)
            cause_not_supported(causes, "spec.accessModes", mode->valuestring, modes);
    }
    if (!json_at(spec, "resources", "requests", "storage"))
        cause_required(causes, "spec.resources[storage]", NULL);
    if (!old)
        return;
    cJSON *is = cJSON_Duplicate(spec, true), *was = cJSON_Duplicate(json_at(old, "spec"), true);
    if (is && was) {
        static const char *const loose[] = {"resources", "volumeAttributesClassName"};
        for (int i = 0; i < 2; i++) {
            cJSON_DeleteItemFromObjectCaseSensitive(is, loose[i]);
            cJSON_DeleteItemFromObjectCaseSensitive(was, loose[i]);
        }
        if (!json_at(was, "volumeName")) /* the binder's */
            cJSON_DeleteItemFromObjectCaseSensitive(is, "volumeName");
        if (!json_equal(is, was))
            cause_forbidden(causes, "spec",
                            "spec is immutable after creation except resources.requests and "
                            "volumeAttributesClassName for bound claims");
    }
    cJSON_Delete(is);
    cJSON_Delete(was);
}

/* ---- Ingress ---- */

static void validate_backend(struct causes *causes, const char *path, const cJSON *backend)
{
    const cJSON *service = json_at(backend, "service");
    const char *name = json_text(service, "name");
    if (!service && !json_at(backend, "resource")) {
        cause_required(causes, path, "port name or number is required");
        return;
    }
    if (service && (!name || !*name))
        cause_required(causes, path_at(causes, "%s.service.name", path), NULL);
    if (service && !json_at(service, "port", "number") && !json_at(service, "port", "name"))
        cause_required(causes, path, "port name or number is required");
}

static void validate_ingress(struct causes *causes, const cJSON *spec)
{
    static const char *const types[] = {"Exact", "ImplementationSpecific", "Prefix", NULL};
    const cJSON *rules = json_at(spec, "rules");
    int i = 0;
    if (cJSON_GetArraySize(rules) == 0 && !json_at(spec, "defaultBackend"))
        cause_invalid(causes, "spec", "[]networking.IngressRule(nil)",
                      "either `defaultBackend` or `rules` must be specified");
    for (const cJSON *rule = rules ? rules->child : NULL; rule; rule = rule->next, i++) {
        const char *host = json_text(rule, "host");
        const cJSON *paths = json_at(rule, "http", "paths");
        bool wild = host && strncmp(host, "*.", 2) == 0;
        const char *wrong = host && *host && !wild ? name_dns_subdomain(host) : NULL;
        int k = 0;
        if (wrong)
            cause_invalid(causes, path_at(causes, "spec.rules[%d].host", i),
                          shown_text(causes, host), "%s", wrong);
        if (json_at(rule, "http") && cJSON_GetArraySize(paths) == 0)
            cause_required(causes, path_at(causes, "spec.rules[%d].http.paths", i), NULL);
        for (const cJSON *path = paths ? paths->child : NULL; path; path = path->next, k++) {
            const char *at = path_at(causes, "spec.rules[%d].http.paths[%d]", i, k);
            const char *text = json_text(path, "path"), *type = json_text(path, "pathType");
            if (!type)
                cause_required(causes, path_at(causes, "%s.pathType", at),
                               "pathType must be specified");
            else
                check_choice(causes, at, path, "pathType", types);
            if (type && strcmp(type, "ImplementationSpecific") != 0 && (!text || *text != '/'))
                cause_invalid(causes, path_at(causes, "%s.path", at),
                              shown_text(causes, text ? text : ""), "must be an absolute path");
            validate_backend(causes, path_at(causes, "%s.backend", at), json_at(path, "backend"));
        }
    }
}

/* ---- scaling and disruption ---- */

static void validate_autoscaler(struct causes *causes, const cJSON *spec)
{
    const cJSON *target = json_at(spec, "scaleTargetRef");
    int64_t least = json_int(spec, "minReplicas", 1), most = json_int(spec, "maxReplicas", 0);
    const char *kind = json_text(target, "kind"), *name = json_text(target, "name");
    if (least < 1)
        cause_invalid(causes, "spec.minReplicas", shown_number(causes, least),
                      "must be greater than or equal to 1");
    if (most < 1)
        cause_invalid(causes, "spec.maxReplicas", shown_number(causes, most),
                      "must be greater than 0");
    if (most < least)
        cause_invalid(causes, "spec.maxReplicas", shown_number(causes, most),
                      "must be greater than or equal to `minReplicas`");
    if (!kind || !*kind)
        cause_required(causes, "spec.scaleTargetRef.kind", NULL);
    if (!name || !*name)
        cause_required(causes, "spec.scaleTargetRef.name", NULL);
}

static void validate_budget(struct causes *causes, const cJSON *spec)
{
    static const char *const keys[] = {"minAvailable", "maxUnavailable"};
    if (json_at(spec, "minAvailable") && json_at(spec, "maxUnavailable"))
        cause_invalid(causes, "spec", "policy.PodDisruptionBudgetSpec{...}",
                      "minAvailable and maxUnavailable cannot be both set");
    for (int i = 0; i < 2; i++) {
        const cJSON *value = cJSON_GetObjectItemCaseSensitive(spec, keys[i]);
        if (cJSON_IsNumber(value) && value->valuedouble < 0)
            cause_invalid(causes, path_at(causes, "spec.%s", keys[i]), shown_value(causes, value),
                          "must be greater than or equal to 0");
        if (cJSON_IsString(value) && !strchr(value->valuestring, '%'))
            cause_invalid(causes, path_at(causes, "spec.%s", keys[i]),
                          shown_text(causes, value->valuestring),
                          "a valid percent string must be a numeric string followed by an ending "
                          "'%%' (e.g. '1%%',  or '93%%', regex used for validation is '[0-9]+%%')");
    }
    validate_selector(causes, "spec.selector", json_at(spec, "selector"));
}

/* ---- rights ---- */

static void validate_role(struct causes *causes, const cJSON *json, bool namespaced)
{
    const cJSON *rules = json_at(json, "rules");
    int i = 0;
    for (const cJSON *rule = rules ? rules->child : NULL; rule; rule = rule->next, i++) {
        const char *path = path_at(causes, "rules[%d]", i);
        bool urls = cJSON_GetArraySize(json_at(rule, "nonResourceURLs")) > 0;
        if (cJSON_GetArraySize(json_at(rule, "verbs")) == 0)
            cause_required(causes, path_at(causes, "%s.verbs", path),
                           "verbs must contain at least one value");
        if (urls && namespaced)
            cause_invalid(causes, path_at(causes, "%s.nonResourceURLs", path), "[]string{...}",
                          "namespaced rules cannot apply to non-resource URLs");
        if (urls)
            continue;
        if (cJSON_GetArraySize(json_at(rule, "apiGroups")) == 0)
            cause_required(causes, path_at(causes, "%s.apiGroups", path),
                           "resource rules must supply at least one api group");
        if (cJSON_GetArraySize(json_at(rule, "resources")) == 0)
            cause_required(causes, path_at(causes, "%s.resources", path),
                           "resource rules must supply at least one resource");
    }
}

static void validate_binding(struct causes *causes, const cJSON *json, const cJSON *old)
{
    static const char *const kinds[] = {"ClusterRole", "Role", NULL};
    static const char *const who[] = {"Group", "ServiceAccount", "User", NULL};
    const cJSON *role = json_at(json, "roleRef"), *subjects = json_at(json, "subjects");
    const char *name = json_text(role, "name");
    int i = 0;
    check_choice(causes, "roleRef", role, "kind", kinds);
    if (!json_text(role, "kind"))
        cause_not_supported(causes, "roleRef.kind", "", kinds);
    if (!name || !*name)
        cause_required(causes, "roleRef.name", NULL);
    for (const cJSON *one = subjects ? subjects->child : NULL; one; one = one->next, i++) {
        const char *path = path_at(causes, "subjects[%d]", i), *kind = json_text(one, "kind");
        const char *its = json_text(one, "name"), *ns = json_text(one, "namespace");
        if (!its || !*its)
            cause_required(causes, path_at(causes, "%s.name", path), NULL);
        check_choice(causes, path, one, "kind", who);
        if (kind && strcmp(kind, "ServiceAccount") == 0 && (!ns || !*ns))
            cause_required(causes, path_at(causes, "%s.namespace", path), NULL);
    }
    if (old && !json_equal(role, json_at(old, "roleRef")))
        cause_invalid(causes, "roleRef",
                      path_at(causes, "rbac.RoleRef{APIGroup:%s, Kind:%s, Name:%s}",
                              shown_text(causes, json_text(role, "apiGroup")),
                              shown_text(causes, json_text(role, "kind")),
                              shown_text(causes, name)),
                      "cannot change roleRef");
}

/* ---- definitions of kinds ---- */

static void validate_definition(struct causes *causes, const cJSON *json)
{
    static const char *const scopes[] = {"Cluster", "Namespaced", NULL};
    const cJSON *spec = json_at(json, "spec"), *versions = json_at(spec, "versions");
    const char *group = json_text(spec, "group"), *plural = json_text(spec, "names", "plural");
    const char *kind = json_text(spec, "names", "kind");
    const char *name = json_text(json, "metadata", "name");
    const char *wanted = path_at(causes, "%s.%s", plural ? plural : "", group ? group : "");
    int stored = 0, i = 0;
    if (name && strcmp(name, wanted) != 0)
        cause_invalid(causes, "metadata.name", shown_text(causes, name),
                      "must be spec.names.plural+\".\"+spec.group");
    if (!group || !*group)
        cause_required(causes, "spec.group", NULL);
    if (!json_text(spec, "scope"))
        cause_required(causes, "spec.scope", NULL);
    check_choice(causes, "spec", spec, "scope", scopes);
    if (!plural || !*plural)
        cause_required(causes, "spec.names.plural", NULL);
    if (!kind || !*kind)
        cause_required(causes, "spec.names.kind", NULL);
    for (const cJSON *one = versions ? versions->child : NULL; one; one = one->next, i++) {
        stored += cJSON_IsTrue(json_at(one, "storage"));
        if (!json_at(one, "schema", "openAPIV3Schema"))
            cause_required(causes, path_at(causes, "spec.versions[%d].schema.openAPIV3Schema", i),
                           "schemas are required");
    }
    if (stored != 1)
        cause_invalid(causes, "spec.versions", "[]...",
                      "must have exactly one version marked as storage version");
}

void validate_other(struct causes *causes, const struct kind *kind, const cJSON *json,
                    const cJSON *old)
{
    const cJSON *spec = json_at(json, "spec");
    const char *name = kind->name;
    if (kind->custom)
        return;
    if (strcmp(name, "Pod") == 0) {
        validate_pod_spec(causes, "spec", spec, NULL);
        if (old)
            validate_pod_update(causes, json, old);
    } else if (strcmp(name, "Service") == 0) {
        validate_service(causes, json, old);
    } else if (strcmp(name, "ConfigMap") == 0) {
        validate_data(causes, json, old);
    } else if (strcmp(name, "Secret") == 0) {
        validate_secret(causes, json, old);
    } else if (strcmp(name, "PersistentVolumeClaim") == 0) {
        validate_claim(causes, json, old);
    } else if (strcmp(name, "Ingress") == 0) {
        validate_ingress(causes, spec);
    } else if (strcmp(name, "HorizontalPodAutoscaler") == 0) {
        validate_autoscaler(causes, spec);
    } else if (strcmp(name, "PodDisruptionBudget") == 0) {
        validate_budget(causes, spec);
    } else if (strcmp(name, "Role") == 0 || strcmp(name, "ClusterRole") == 0) {
        validate_role(causes, json, kind->namespaced);
    } else if (strcmp(name, "RoleBinding") == 0 || strcmp(name, "ClusterRoleBinding") == 0) {
        validate_binding(causes, json, old);
    } else if (strcmp(name, "CustomResourceDefinition") == 0) {
        validate_definition(causes, json);
    }
}
