/* Pods: containers, volumes, probes. Source: pkg/apis/core/validation/validation.go. */
#include <string.h>

#include "fakes/kubernetes/api/admission.h"
#include "fakes/kubernetes/api/patch.h"

static const char *const protocols[] = {"SCTP", "TCP", "UDP", NULL};

/* ---- parts of a container ---- */

static void validate_env(struct causes *causes, const char *path, const cJSON *list)
{
    int i = 0;
    for (const cJSON *env = list ? list->child : NULL; env; env = env->next, i++) {
        const char *at = path_at(causes, "%s.env[%d]", path, i), *name = json_text(env, "name");
        const cJSON *from = json_at(env, "valueFrom");
        const char *value = json_text(env, "value");
        static const char *const sources[] = {"fieldRef", "resourceFieldRef", "configMapKeyRef",
                                              "secretKeyRef"};
        int n = 0;
        const char *wrong = name && *name ? name_env(name) : NULL;
        if (!name || !*name)
            cause_required(causes, path_at(causes, "%s.name", at), NULL);
        else if (wrong)
            cause_invalid(causes, path_at(causes, "%s.name", at), shown_text(causes, name), "%s",
                          wrong);
        for (int k = 0; from && k < 4; k++) {
            const cJSON *source = cJSON_GetObjectItemCaseSensitive(from, sources[k]);
            const char *key = json_text(source, "key");
            n += source != NULL;
            if (source && k >= 2 && (!key || !*key))
                cause_required(causes, path_at(causes, "%s.valueFrom.%s.key", at, sources[k]),
                               NULL);
        }
        if (from && n == 0)
            cause_invalid(causes, path_at(causes, "%s.valueFrom", at), "\"\"",
                          "must specify one of: `fieldRef`, `resourceFieldRef`, "
                          "`configMapKeyRef` or `secretKeyRef`");
        else if (from && value && *value)
            cause_invalid(causes, path_at(causes, "%s.valueFrom", at), "\"\"",
                          "may not be specified when `value` is not empty");
        else if (n > 1)
            cause_invalid(causes, path_at(causes, "%s.valueFrom", at), "\"\"",
                          "may not have more than one field specified at a time");
    }
}

static void validate_ports(struct causes *causes, const char *path, const cJSON *list)
{
    int i = 0;
    for (const cJSON *port = list ? list->child : NULL; port; port = port->next, i++) {
        const char *at = path_at(causes, "%s.ports[%d]", path, i), *name = json_text(port, "name");
        const char *wrong = name && *name ? name_port(name) : NULL;
        if (wrong)
            cause_invalid(causes, path_at(causes, "%s.name", at), shown_text(causes, name), "%s",
                          wrong);
        for (const cJSON *other = list->child; name && *name && other != port;
             other = other->next) {
            const char *its = json_text(other, "name");
            if (its && strcmp(its, name) == 0)
                cause_duplicate(causes, path_at(causes, "%s.name", at), shown_text(causes, name));
        }
        if (json_int(port, "containerPort", 0) == 0)
            cause_required(causes, path_at(causes, "%s.containerPort", at), NULL);
        else
            check_port(causes, path_at(causes, "%s.containerPort", at),
                       json_at(port, "containerPort"));
        check_choice(causes, at, port, "protocol", protocols);
    }
}

static void validate_handler(struct causes *causes, const char *path, const cJSON *handler)
{
    static const char *const kinds[] = {"exec", "httpGet", "tcpSocket", "grpc", "sleep"};
    int n = 0;
    for (int i = 0; i < 5; i++) {
        const cJSON *one = cJSON_GetObjectItemCaseSensitive(handler, kinds[i]);
        const char *at = path_at(causes, "%s.%s", path, kinds[i]);
        const cJSON *port = json_at(one, "port");
        n += one != NULL;
        if (n > 1 && one)
            cause_forbidden(causes, at, "may not specify more than 1 handler type");
        else if (one && i == 0 && cJSON_GetArraySize(json_at(one, "command")) == 0)
            cause_required(causes, path_at(causes, "%s.command", at), NULL);
        else if (one && i >= 1 && i <= 3 && cJSON_IsString(port)) {
            const char *wrong = name_port(port->valuestring);
            if (wrong)
                cause_invalid(causes, path_at(causes, "%s.port", at),
                              shown_text(causes, port->valuestring), "%s", wrong);
        } else if (one && i >= 1 && i <= 3) {
            check_port(causes, path_at(causes, "%s.port", at), port);
        }
    }
    if (n == 0)
        cause_required(causes, path, "must specify a handler type");
}

static void validate_probe(struct causes *causes, const char *path, const cJSON *container,
                           const char *key)
{
    static const char *const numbers[] = {"initialDelaySeconds", "timeoutSeconds", "periodSeconds",
                                          "successThreshold", "failureThreshold"};
    const cJSON *probe = cJSON_GetObjectItemCaseSensitive(container, key);
    const char *at = path_at(causes, "%s.%s", path, key);
    if (!cJSON_IsObject(probe))
        return;
    validate_handler(causes, at, probe);
    for (int i = 0; i < 5; i++)
        check_not_negative(causes, at, probe, numbers[i]);
    if (strcmp(key, "readinessProbe") != 0 && json_int(probe, "successThreshold", 1) != 1)
        cause_invalid(causes, path_at(causes, "%s.successThreshold", at),
                      shown_number(causes, json_int(probe, "successThreshold", 1)), "must be 1");
}

/* A quantity as a number, for comparisons: exact enough for what people write. */
static double quantity(const cJSON *value)
{
    static const char suffixes[] = "numkMGTPE";
    static const double scales[] = {1e-9, 1e-6, 1e-3, 1e3, 1e6, 1e9, 1e12, 1e15, 1e18};
    double number = 0, digit = 1;
    bool fraction = false;
    if (cJSON_IsNumber(value))
        return value->valuedouble;
    const char *c = value && value->valuestring ? value->valuestring : "";
    double sign = *c == '-' ? -1 : 1;
    for (c += *c == '-' || *c == '+'; (*c >= '0' && *c <= '9') || *c == '.'; c++) {
        fraction = fraction || *c == '.';
        if (*c != '.' && !fraction)
            number = number * 10 + (*c - '0');
        else if (*c != '.')
            number += (*c - '0') * (digit /= 10);
    }
    const char *at = *c ? strchr("KMGTPE", *c == 'k' ? 'K' : *c) : NULL;
    if (at && c[1] == 'i') {
        for (long i = 0; i <= at - strchr("KMGTPE", 'K'); i++)
            number *= 1024;
    } else if (*c && strchr(suffixes, *c)) {
        number *= scales[strchr(suffixes, *c) - suffixes];
    }
    return sign * number;
}

static void validate_resources(struct causes *causes, const char *path, const cJSON *resources)
{
    static const char *const sides[] = {"limits", "requests"};
    const cJSON *limits = json_at(resources, "limits");
    for (int k = 0; k < 2; k++) {
        const cJSON *map = cJSON_GetObjectItemCaseSensitive(resources, sides[k]);
        for (const cJSON *one = map ? map->child : NULL; one; one = one->next) {
            const char *at = path_at(causes, "%s.%s[%s]", path, sides[k], one->string);
            const cJSON *limit =
                k == 1 ? cJSON_GetObjectItemCaseSensitive(limits, one->string) : NULL;
            bool standard = strchr(one->string, '/') || strcmp(one->string, "cpu") == 0 ||
                            strcmp(one->string, "memory") == 0 ||
                            strcmp(one->string, "ephemeral-storage") == 0 ||
                            strncmp(one->string, "hugepages-", 10) == 0;
            if (!standard)
                cause_invalid(causes, at, shown_text(causes, one->string),
                              "must be a standard resource type or fully qualified");
            if (quantity(one) < 0)
                cause_invalid(causes, at, shown_value(causes, one),
                              "must be greater than or equal to 0");
            if (limit && quantity(one) > quantity(limit))
                cause_invalid(causes, path_at(causes, "%s.requests", path),
                              shown_value(causes, one),
                              "must be less than or equal to %s limit of %s", one->string,
                              limit->valuestring ? limit->valuestring : shown_value(causes, limit));
        }
    }
}

static bool named_in(const cJSON *list, const char *name)
{
    for (const cJSON *one = list ? list->child : NULL; one; one = one->next) {
        const char *its = json_text(one, "name");
        if (its && strcmp(its, name) == 0)
            return true;
    }
    return false;
}

static void validate_mounts(struct causes *causes, const char *path, const cJSON *list,
                            const cJSON *volumes, const cJSON *claims)
{
    int i = 0;
    for (const cJSON *mount = list ? list->child : NULL; mount; mount = mount->next, i++) {
        const char *at = path_at(causes, "%s.volumeMounts[%d]", path, i);
        const char *name = json_text(mount, "name"), *target = json_text(mount, "mountPath");
        if (!name || !*name)
            cause_required(causes, path_at(causes, "%s.name", at), NULL);
        else if (!named_in(volumes, name)) {
            bool claimed = false;
            for (const cJSON *one = claims ? claims->child : NULL; one && !claimed;
                 one = one->next) {
                const char *its = json_text(one, "metadata", "name");
                claimed = its && strcmp(its, name) == 0;
            }
            if (!claimed)
                cause_not_found(causes, path_at(causes, "%s.name", at), name);
        }
        if (!target || !*target)
            cause_required(causes, path_at(causes, "%s.mountPath", at), NULL);
        for (const cJSON *other = list->child; target && other != mount; other = other->next) {
            const char *its = json_text(other, "mountPath");
            if (its && strcmp(its, target) == 0)
                cause_invalid(causes, path_at(causes, "%s.mountPath", at),
                              shown_text(causes, target), "must be unique");
        }
    }
}

/* ---- containers ---- */

static void validate_container(struct causes *causes, const char *path, const cJSON *container,
                               const cJSON *volumes, const cJSON *claims, bool is_init)
{
    static const char *const pulls[] = {"Always", "IfNotPresent", "Never", NULL};
    static const char *const messages[] = {"FallbackToLogsOnError", "File", NULL};
    static const char *const probes[] = {"livenessProbe", "readinessProbe", "startupProbe"};
    const char *name = json_text(container, "name"), *image = json_text(container, "image");
    const char *wrong = name && *name ? name_dns_label(name) : NULL;
    if (!name || !*name)
        cause_required(causes, path_at(causes, "%s.name", path), NULL);
    else if (wrong)
        cause_invalid(causes, path_at(causes, "%s.name", path), shown_text(causes, name), "%s",
                      wrong);
    if (!image || !*image)
        cause_required(causes, path_at(causes, "%s.image", path), NULL);
    else if (*image == ' ' || image[strlen(image) - 1] == ' ')
        cause_invalid(causes, path_at(causes, "%s.image", path), shown_text(causes, image),
                      "must not have leading or trailing whitespace");
    const char *restart = json_text(container, "restartPolicy");
    for (int i = 0; i < 3; i++) {
        const cJSON *probe = cJSON_GetObjectItemCaseSensitive(container, probes[i]);
        if (probe && is_init && !restart)
            cause_forbidden(causes, path_at(causes, "%s.%s", path, probes[i]),
                            "may not be set for init containers without restartPolicy=Always");
        else
            validate_probe(causes, path, container, probes[i]);
    }
    static const char *const hooks[] = {"postStart", "preStop"};
    for (int i = 0; i < 2; i++) {
        const cJSON *hook =
            cJSON_GetObjectItemCaseSensitive(json_at(container, "lifecycle"), hooks[i]);
        if (hook)
            validate_handler(causes, path_at(causes, "%s.lifecycle.%s", path, hooks[i]), hook);
    }
    check_choice(causes, path, container, "imagePullPolicy", pulls);
    check_choice(causes, path, container, "terminationMessagePolicy", messages);
    validate_ports(causes, path, json_at(container, "ports"));
    validate_env(causes, path, json_at(container, "env"));
    validate_mounts(causes, path, json_at(container, "volumeMounts"), volumes, claims);
    validate_resources(causes, path_at(causes, "%s.resources", path),
                       json_at(container, "resources"));
}

static void validate_containers(struct causes *causes, const char *path, const cJSON *spec,
                                const char *key, const cJSON *claims)
{
    const cJSON *list = cJSON_GetObjectItemCaseSensitive(spec, key);
    bool is_init = strcmp(key, "initContainers") == 0;
    int i = 0;
    if (cJSON_GetArraySize(list) == 0) {
        if (!is_init)
            cause_required(causes, path_at(causes, "%s.%s", path, key), NULL);
        return;
    }
    for (const cJSON *one = list->child; one; one = one->next, i++) {
        const char *at = path_at(causes, "%s.%s[%d]", path, key, i), *name = json_text(one, "name");
        validate_container(causes, at, one, json_at(spec, "volumes"), claims, is_init);
        bool twice = false;
        for (const cJSON *other = list->child; name && other != one; other = other->next) {
            const char *its = json_text(other, "name");
            twice = twice || (its && strcmp(its, name) == 0);
        }
        if (twice || (name && is_init && named_in(json_at(spec, "containers"), name)))
            cause_duplicate(causes, path_at(causes, "%s.name", at), shown_text(causes, name));
    }
}

/* ---- volumes ---- */

static void validate_volume(struct causes *causes, const char *path, const cJSON *volume)
{
    const char *name = json_text(volume, "name");
    const char *wrong = name && *name ? name_dns_label(name) : NULL;
    int sources = cJSON_GetArraySize(volume) - (name != NULL);
    const cJSON *claim = json_at(volume, "persistentVolumeClaim");
    const cJSON *secret = json_at(volume, "secret"), *config = json_at(volume, "configMap");
    if (!name || !*name)
        cause_required(causes, path_at(causes, "%s.name", path), NULL);
    else if (wrong)
        cause_invalid(causes, path_at(causes, "%s.name", path), shown_text(causes, name), "%s",
                      wrong);
    if (sources > 1) {
        int k = 0;
        for (const cJSON *one = volume->child; one; one = one->next) {
            if (strcmp(one->string, "name") != 0 && k++ > 0)
                cause_forbidden(causes, path_at(causes, "%s.%s", path, one->string),
                                "may not specify more than 1 volume type");
        }
    }
    if (claim && (!json_text(claim, "claimName") || !*json_text(claim, "claimName")))
        cause_required(causes, path_at(causes, "%s.persistentVolumeClaim.claimName", path), NULL);
    if (secret && (!json_text(secret, "secretName") || !*json_text(secret, "secretName")))
        cause_required(causes, path_at(causes, "%s.secret.secretName", path), NULL);
    if (config && (!json_text(config, "name") || !*json_text(config, "name")))
        cause_required(causes, path_at(causes, "%s.configMap.name", path), NULL);
}

static void validate_volumes(struct causes *causes, const char *path, const cJSON *list)
{
    int i = 0;
    for (const cJSON *one = list ? list->child : NULL; one; one = one->next, i++) {
        const char *at = path_at(causes, "%s.volumes[%d]", path, i), *name = json_text(one, "name");
        validate_volume(causes, at, one);
        for (const cJSON *other = list->child; name && other != one; other = other->next) {
            const char *its = json_text(other, "name");
            if (its && strcmp(its, name) == 0)
                cause_duplicate(causes, path_at(causes, "%s.name", at), shown_text(causes, name));
        }
    }
}

/* ---- pods ---- */

void validate_pod_spec(struct causes *causes, const char *path, const cJSON *spec,
                       const cJSON *claims)
{
    static const char *const restarts[] = {"Always", "OnFailure", "Never", NULL};
    static const char *const dns[] = {"ClusterFirst", "ClusterFirstWithHostNet", "Default", "None",
                                      NULL};
    validate_volumes(causes, path, json_at(spec, "volumes"));
    validate_containers(causes, path, spec, "containers", claims);
    validate_containers(causes, path, spec, "initContainers", claims);
    check_choice(causes, path, spec, "restartPolicy", restarts);
    check_choice(causes, path, spec, "dnsPolicy", dns);
    check_not_negative(causes, path, spec, "terminationGracePeriodSeconds");
    validate_labels(causes, path_at(causes, "%s.nodeSelector", path),
                    json_at(spec, "nodeSelector"));
    const char *account = json_text(spec, "serviceAccountName");
    const char *wrong = account && *account ? name_dns_subdomain(account) : NULL;
    if (wrong)
        cause_invalid(causes, path_at(causes, "%s.serviceAccountName", path),
                      shown_text(causes, account), "%s", wrong);
    const char *deadline = path_at(causes, "%s.activeDeadlineSeconds", path);
    int64_t seconds = json_int(spec, "activeDeadlineSeconds", 1);
    if (seconds < 1)
        cause_invalid(causes, deadline, shown_number(causes, seconds),
                      "must be between 1 and 2147483647, inclusive");
}

static void without(cJSON *containers, const char *key)
{
    for (cJSON *one = containers ? containers->child : NULL; one; one = one->next)
        cJSON_DeleteItemFromObjectCaseSensitive(one, key);
}

void validate_pod_update(struct causes *causes, const cJSON *json, const cJSON *old)
{
    static const char *const free_keys[] = {"activeDeadlineSeconds", "tolerations", "nodeName",
                                            "schedulingGates"};
    cJSON *is = cJSON_Duplicate(json_at(json, "spec"), true);
    cJSON *was = cJSON_Duplicate(json_at(old, "spec"), true);
    if (!is || !was) {
        cJSON_Delete(is);
        cJSON_Delete(was);
        return;
    }
    int n = cJSON_GetArraySize(json_at(is, "containers"));
    bool same_number = n == cJSON_GetArraySize(json_at(was, "containers"));
    if (!same_number) {
        cause_forbidden(causes, "spec.containers", "pod updates may not add or remove containers");
    } else {
        for (int side = 0; side < 2; side++) {
            without(json_at(side ? is : was, "containers"), "image");
            without(json_at(side ? is : was, "initContainers"), "image");
            without(json_at(side ? is : was, "containers"), "imagePullPolicy");
            for (int i = 0; i < 4; i++)
                cJSON_DeleteItemFromObjectCaseSensitive(side ? is : was, free_keys[i]);
        }
        if (!json_equal(is, was))
            cause_forbidden(
                causes, "spec",
                "pod updates may not change fields other than "
                "`spec.containers[*].image`,`spec.initContainers[*].image`,"
                "`spec.activeDeadlineSeconds`,`spec.tolerations` (only additions to existing "
                "tolerations),`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it "
                "was previously negative)");
    }
    cJSON_Delete(is);
    cJSON_Delete(was);
}
