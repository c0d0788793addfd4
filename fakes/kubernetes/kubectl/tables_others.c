/* Rows of what is neither a workload nor storage. */
#include <ctype.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "fakes/kubernetes/kubectl/ages.h"
#include "fakes/kubernetes/kubectl/tables.h"

enum { LIST_MAX = 3 }; /* of a long list so many are shown */

static const char *lower(struct arena *arena, const char *text)
{
    char *copy = arena_strdup(arena, text);
    for (char *c = copy; *c; c++)
        *c = (char)tolower((unsigned char)*c);
    return copy;
}

/* ---- lists that are cut ---- */

struct cut {
    struct arena *arena;
    const char *text;
    int n;
};

static void cut_add(struct cut *cut, const char *one)
{
    if (cut->n < LIST_MAX)
        cut->text = arena_printf(cut->arena, "%s%s%s", cut->text, cut->n ? "," : "", one);
    cut->n++;
}

static const char *cut_text(struct cut *cut, const char *empty)
{
    if (cut->n > LIST_MAX)
        return arena_printf(cut->arena, "%s + %d more...", cut->text, cut->n - LIST_MAX);
    return cut->n ? cut->text : empty;
}

/* ---- services ---- */

static int by_text(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* Addresses of status.loadBalancer, sorted, each once. */
static const char *balancer(struct arena *arena, const cJSON *object)
{
    const cJSON *list = json_at(object, "status", "loadBalancer", "ingress");
    const char **all = ARENA_ARRAY(arena, const char *, cJSON_GetArraySize(list) + 1);
    size_t n = 0;
    const char *text = "";
    for (const cJSON *one = list ? list->child : NULL; one; one = one->next) {
        const char *address = text_at(text_at("", one, "hostname"), one, "ip");
        if (*address)
            all[n++] = address;
    }
    qsort(all, n, sizeof *all, by_text);
    for (size_t i = 0; i < n; i++) {
        if (i == 0 || strcmp(all[i - 1], all[i]) != 0)
            text = arena_printf(arena, "%s%s%s", text, *text ? "," : "", all[i]);
    }
    return text;
}

static const char *external_ip(struct arena *arena, const cJSON *object)
{
    const char *type = text_at("", object, "spec", "type");
    const char *given = joined(arena, json_at(object, "spec", "externalIPs"), NULL, ",");
    if (strcmp(type, "ExternalName") == 0)
        return text_at("", object, "spec", "externalName");
    if (strcmp(type, "LoadBalancer") == 0) {
        const char *address = balancer(arena, object);
        if (*address && *given)
            return arena_printf(arena, "%s,%s", address, given);
        return *address ? address : *given ? given : "<pending>";
    }
    return *given ? given : "<none>";
}

static const char *service_ports(struct arena *arena, const cJSON *object)
{
    const cJSON *ports = json_at(object, "spec", "ports");
    const char *text = "";
    for (const cJSON *port = ports ? ports->child : NULL; port; port = port->next) {
        int64_t node_port = number_at(port, "nodePort");
        text = arena_printf(arena, "%s%s%" PRId64, text, *text ? "," : "", number_at(port, "port"));
        if (node_port)
            text = arena_printf(arena, "%s:%" PRId64, text, node_port);
        text = arena_printf(arena, "%s/%s", text, text_at("TCP", port, "protocol"));
    }
    return *text ? text : "<none>";
}

static void service(struct row *row, const cJSON *object)
{
    cell_name(row, object);
    cell(row, "%s", text_at("ClusterIP", object, "spec", "type"));
    cell(row, "%s", text_at("<none>", object, "spec", "clusterIP"));
    cell(row, "%s", external_ip(row->arena, object));
    cell(row, "%s", service_ports(row->arena, object));
    cell_age(row, object);
    cell(row, "%s", selector_text(row->arena, json_at(object, "spec", "selector")));
}

static void endpoints(struct row *row, const cJSON *object)
{
    struct cut cut = {row->arena, "", 0};
    const cJSON *subsets = json_at(object, "subsets");
    for (const cJSON *one = subsets ? subsets->child : NULL; one; one = one->next) {
        const cJSON *addresses = json_at(one, "addresses"), *ports = json_at(one, "ports");
        const cJSON *port = ports ? ports->child : NULL;
        do {
            for (const cJSON *a = addresses ? addresses->child : NULL; a; a = a->next) {
                const char *ip = text_at("", a, "ip");
                cut_add(&cut,
                        port ? arena_printf(row->arena, "%s:%" PRId64, ip, number_at(port, "port"))
                             : ip);
            }
            port = port ? port->next : NULL;
        } while (port);
    }
    cell_name(row, object);
    cell(row, "%s", cut_text(&cut, subsets && subsets->child ? "" : "<none>"));
    cell_age(row, object);
}

static void endpoint_slice(struct row *row, const cJSON *object)
{
    struct cut ports = {row->arena, "", 0}, addresses = {row->arena, "", 0};
    const cJSON *list = json_at(object, "ports");
    for (const cJSON *one = list ? list->child : NULL; one; one = one->next) {
        const cJSON *port = json_at(one, "port");
        cut_add(&ports, cJSON_IsNumber(port) ? arena_printf(row->arena, "%d", port->valueint)
                                             : text_at("*", one, "name"));
    }
    list = json_at(object, "endpoints");
    for (const cJSON *one = list ? list->child : NULL; one; one = one->next) {
        const cJSON *each = json_at(one, "addresses");
        for (const cJSON *address = each ? each->child : NULL; address; address = address->next)
            cut_add(&addresses, cJSON_IsString(address) ? address->valuestring : "");
    }
    cell_name(row, object);
    cell(row, "%s", text_at("", object, "addressType"));
    cell(row, "%s", cut_text(&ports, "<unset>"));
    cell(row, "%s", cut_text(&addresses, "<unset>"));
    cell_age(row, object);
}

static void ingress(struct row *row, const cJSON *object)
{
    struct cut hosts = {row->arena, "", 0};
    const cJSON *rules = json_at(object, "spec", "rules");
    for (const cJSON *rule = rules ? rules->child : NULL; rule; rule = rule->next) {
        if (*text_at("", rule, "host"))
            cut_add(&hosts, text_at("", rule, "host"));
    }
    cell_name(row, object);
    cell(row, "%s", text_at("<none>", object, "spec", "ingressClassName"));
    cell(row, "%s", cut_text(&hosts, "*"));
    cell(row, "%s", balancer(row->arena, object));
    cell(row, "%s", cJSON_GetArraySize(json_at(object, "spec", "tls")) > 0 ? "80, 443" : "80");
    cell_age(row, object);
}

/* ---- configuration ---- */

static void config_map(struct row *row, const cJSON *object)
{
    cell_name(row, object);
    cell(row, "%d",
         cJSON_GetArraySize(json_at(object, "data")) +
             cJSON_GetArraySize(json_at(object, "binaryData")));
    cell_age(row, object);
}

static void secret(struct row *row, const cJSON *object)
{
    cell_name(row, object);
    cell(row, "%s", text_at("", object, "type"));
    cell(row, "%d", cJSON_GetArraySize(json_at(object, "data")));
    cell_age(row, object);
}

static void service_account(struct row *row, const cJSON *object)
{
    cell_name(row, object);
    cell(row, "%d", cJSON_GetArraySize(json_at(object, "secrets")));
    cell_age(row, object);
}

static void namespace_row(struct row *row, const cJSON *object)
{
    cell_name(row, object);
    cell(row, "%s", text_at("", object, "status", "phase"));
    cell_age(row, object);
}

static void network_policy(struct row *row, const cJSON *object)
{
    cell_name(row, object);
    cell(row, "%s", selector_text(row->arena, json_at(object, "spec", "podSelector")));
    cell_age(row, object);
}

/* "50%" or "1". */
static const char *int_or_text(struct arena *arena, const cJSON *value, const char *otherwise)
{
    if (cJSON_IsNumber(value))
        return arena_printf(arena, "%d", value->valueint);
    return cJSON_IsString(value) ? value->valuestring : otherwise;
}

static void disruption_budget(struct row *row, const cJSON *object)
{
    cell_name(row, object);
    cell(row, "%s", int_or_text(row->arena, json_at(object, "spec", "minAvailable"), "N/A"));
    cell(row, "%s", int_or_text(row->arena, json_at(object, "spec", "maxUnavailable"), "N/A"));
    cell(row, "%" PRId64, number_at(object, "status", "disruptionsAllowed"));
    cell_age(row, object);
}

/* ---- nodes ---- */

const char *node_roles(struct arena *arena, const cJSON *object)
{
    static const char prefix[] = "node-role.kubernetes.io/";
    const cJSON *labels = json_at(object, "metadata", "labels");
    const char **roles = ARENA_ARRAY(arena, const char *, cJSON_GetArraySize(labels) + 1);
    size_t n = 0;
    const char *text = "";
    for (const cJSON *label = labels ? labels->child : NULL; label; label = label->next) {
        const char *role = "";
        if (strncmp(label->string, prefix, sizeof prefix - 1) == 0)
            role = label->string + sizeof prefix - 1;
        else if (strcmp(label->string, "kubernetes.io/role") == 0 && cJSON_IsString(label))
            role = label->valuestring;
        if (*role)
            roles[n++] = role;
    }
    qsort(roles, n, sizeof *roles, by_text);
    for (size_t i = 0; i < n; i++)
        text = arena_printf(arena, "%s%s%s", text, i ? "," : "", roles[i]);
    return *text ? text : "<none>";
}

static const char *node_address(const cJSON *object, const char *type)
{
    const cJSON *list = json_at(object, "status", "addresses");
    for (const cJSON *one = list ? list->child : NULL; one; one = one->next) {
        if (strcmp(text_at("", one, "type"), type) == 0)
            return text_at("", one, "address");
    }
    return "<none>";
}

static void node(struct row *row, const cJSON *object)
{
    const cJSON *info = json_at(object, "status", "nodeInfo");
    const char *status = !object_condition(object, "Ready") ? "Unknown"
                         : condition_true(object, "Ready")  ? "Ready"
                                                            : "NotReady";
    bool cordoned = cJSON_IsTrue(json_at(object, "spec", "unschedulable"));
    cell_name(row, object);
    cell(row, "%s%s", status, cordoned ? ",SchedulingDisabled" : "");
    cell(row, "%s", node_roles(row->arena, object));
    cell_age(row, object);
    cell(row, "%s", text_at("", info, "kubeletVersion"));
    cell(row, "%s", node_address(object, "InternalIP"));
    cell(row, "%s", node_address(object, "ExternalIP"));
    cell(row, "%s", text_at("<unknown>", info, "osImage"));
    cell(row, "%s", text_at("<unknown>", info, "kernelVersion"));
    cell(row, "%s", text_at("<unknown>", info, "containerRuntimeVersion"));
}

/* ---- events ---- */

static void event(struct row *row, const cJSON *object)
{
    struct arena *arena = row->arena;
    const char *first = json_text(object, "firstTimestamp"),
               *last = json_text(object, "lastTimestamp");
    const cJSON *series = json_at(object, "series"), *involved = json_at(object, "involvedObject");
    int64_t count = number_at(object, "count");
    const char *component =
        text_at(text_at("", object, "reportingComponent"), object, "source", "component");
    const char *host = text_at(text_at("", object, "reportingInstance"), object, "source", "host");
    const char *name = text_at("", involved, "name");
    first = first ? first : json_text(object, "eventTime");
    last = last ? last : first;
    if (series) {
        last = json_text(series, "lastObservedTime");
        count = number_at(series, "count");
    }
    cell(row, "%s", stamp_age(row->cluster, arena, last));
    cell(row, "%s", text_at("", object, "type"));
    cell(row, "%s", text_at("", object, "reason"));
    cell(row, "%s%s%s", lower(arena, text_at("", involved, "kind")), *name ? "/" : "", name);
    cell(row, "%s", text_at("", involved, "fieldPath"));
    cell(row, "%s%s%s", component, *host ? ", " : "", host);
    cell(row, "%.*s", STR_ARG(str_trim(str_of(text_at("", object, "message")))));
    cell(row, "%s", stamp_age(row->cluster, arena, first));
    cell(row, "%" PRId64, count ? count : 1);
    cell_name(row, object);
}

/* ---- autoscaling ---- */

/* One metric's "cpu: 12%/80%". `status` may be NULL: not measured yet. */
static const char *hpa_metric(struct arena *arena, const cJSON *spec, const cJSON *status)
{
    const char *type = text_at("", spec, "type");
    char *field = arena_strdup(arena, type);
    field[0] = (char)tolower((unsigned char)field[0]);
    const cJSON *target = json_at(spec, field, "target");
    const cJSON *current = json_at(status, field, "current");
    bool resource = strcmp(type, "Resource") == 0 || strcmp(type, "ContainerResource") == 0;
    const char *average = json_text(target, "averageValue");
    if (!target)
        return "<unknown type>";
    if (!resource && !average)
        return arena_printf(arena, "%s/%s", text_at("<unknown>", current, "value"),
                            text_at("0", target, "value"));
    if (!resource)
        return arena_printf(arena, "%s/%s%s", text_at("<unknown>", current, "averageValue"),
                            average, strcmp(type, "Pods") == 0 ? "" : " (avg)");
    const char *name = text_at("", spec, field, "name");
    if (average)
        return arena_printf(arena, "%s: %s/%s", name, text_at("<unknown>", current, "averageValue"),
                            average);
    const cJSON *used = json_at(current, "averageUtilization");
    const cJSON *wanted = json_at(target, "averageUtilization");
    return arena_printf(
        arena, "%s: %s/%s", name,
        cJSON_IsNumber(used) ? arena_printf(arena, "%d%%", used->valueint) : "<unknown>",
        cJSON_IsNumber(wanted) ? arena_printf(arena, "%d%%", wanted->valueint) : "<auto>");
}

static const char *hpa_metrics(struct arena *arena, const cJSON *object)
{
    enum { SHOWN = 2 };
    const cJSON *specs = json_at(object, "spec", "metrics");
    const cJSON *statuses = json_at(object, "status", "currentMetrics");
    const char *text = "";
    int n = 0;
    for (const cJSON *spec = specs ? specs->child : NULL; spec; spec = spec->next, n++) {
        if (n < SHOWN)
            text = arena_printf(arena, "%s%s%s", text, n ? ", " : "",
                                hpa_metric(arena, spec, cJSON_GetArrayItem(statuses, n)));
    }
    if (n > SHOWN)
        return arena_printf(arena, "%s + %d more...", text, n - SHOWN);
    return n ? text : "<none>";
}

static void autoscaler(struct row *row, const cJSON *object)
{
    const cJSON *target = json_at(object, "spec", "scaleTargetRef");
    cell_name(row, object);
    cell(row, "%s/%s", text_at("", target, "kind"), text_at("", target, "name"));
    cell(row, "%s", hpa_metrics(row->arena, object));
    cell(row, "%s", int_or_text(row->arena, json_at(object, "spec", "minReplicas"), "<unset>"));
    cell(row, "%" PRId64, number_at(object, "spec", "maxReplicas"));
    cell(row, "%" PRId64, number_at(object, "status", "currentReplicas"));
    cell_age(row, object);
}

/* ---- rights and classes ---- */

static const char *subjects(struct arena *arena, const cJSON *object, const char *kind)
{
    const cJSON *list = json_at(object, "subjects");
    const char *text = "";
    for (const cJSON *one = list ? list->child : NULL; one; one = one->next) {
        if (strcmp(text_at("", one, "kind"), kind) != 0)
            continue;
        const char *ns = text_at("", one, "namespace");
        text = arena_printf(arena, "%s%s%s%s%s", text, *text ? ", " : "", ns, *ns ? "/" : "",
                            text_at("", one, "name"));
    }
    return text;
}

static void binding(struct row *row, const cJSON *object)
{
    cell_name(row, object);
    cell(row, "%s/%s", text_at("", object, "roleRef", "kind"),
         text_at("", object, "roleRef", "name"));
    cell_age(row, object);
    cell(row, "%s", subjects(row->arena, object, "User"));
    cell(row, "%s", subjects(row->arena, object, "Group"));
    cell(row, "%s", subjects(row->arena, object, "ServiceAccount"));
}

static void priority_class(struct row *row, const cJSON *object)
{
    cell_name(row, object);
    cell(row, "%" PRId64, number_at(object, "value"));
    cell(row, "%s", cJSON_IsTrue(json_at(object, "globalDefault")) ? "true" : "false");
    cell_age(row, object);
    cell(row, "%s", text_at("PreemptLowerPriority", object, "preemptionPolicy"));
}

static void controller_revision(struct row *row, const cJSON *object)
{
    const cJSON *owners = json_at(object, "metadata", "ownerReferences"), *owner = NULL;
    for (const cJSON *one = owners ? owners->child : NULL; one && !owner; one = one->next) {
        if (cJSON_IsTrue(json_at(one, "controller")))
            owner = one;
    }
    cell_name(row, object);
    if (owner) {
        struct str version = str_of(text_at("", owner, "apiVersion"));
        bool core = !memchr(version.at, '/', version.len);
        struct str group = str_cut(&version, '/');
        cell(row, "%s%s%.*s/%s", lower(row->arena, text_at("", owner, "kind")), core ? "" : ".",
             core ? 0 : (int)group.len, group.at, text_at("", owner, "name"));
    } else {
        cell(row, "<none>");
    }
    cell(row, "%" PRId64, number_at(object, "revision"));
    cell_age(row, object);
}

const struct table tables_others[] = {
    {"Service", "NAME|TYPE|CLUSTER-IP|EXTERNAL-IP|PORT(S)|AGE|+SELECTOR", service},
    {"Endpoints", "NAME|ENDPOINTS|AGE", endpoints},
    {"EndpointSlice", "NAME|ADDRESSTYPE|PORTS|ENDPOINTS|AGE", endpoint_slice},
    {"Ingress", "NAME|CLASS|HOSTS|ADDRESS|PORTS|AGE", ingress},
    {"ConfigMap", "NAME|DATA|AGE", config_map},
    {"Secret", "NAME|TYPE|DATA|AGE", secret},
    {"ServiceAccount", "NAME|SECRETS|AGE", service_account},
    {"Namespace", "NAME|STATUS|AGE", namespace_row},
    {"NetworkPolicy", "NAME|POD-SELECTOR|AGE", network_policy},
    {"PodDisruptionBudget", "NAME|MIN AVAILABLE|MAX UNAVAILABLE|ALLOWED DISRUPTIONS|AGE",
     disruption_budget},
    {"Node",
     "NAME|STATUS|ROLES|AGE|VERSION|+INTERNAL-IP|+EXTERNAL-IP|+OS-IMAGE|+KERNEL-VERSION|"
     "+CONTAINER-RUNTIME",
     node},
    {"Event", "LAST SEEN|TYPE|REASON|OBJECT|+SUBOBJECT|+SOURCE|MESSAGE|+FIRST SEEN|+COUNT|+NAME",
     event},
    {"HorizontalPodAutoscaler", "NAME|REFERENCE|TARGETS|MINPODS|MAXPODS|REPLICAS|AGE", autoscaler},
    {"RoleBinding", "NAME|ROLE|AGE|+USERS|+GROUPS|+SERVICEACCOUNTS", binding},
    {"ClusterRoleBinding", "NAME|ROLE|AGE|+USERS|+GROUPS|+SERVICEACCOUNTS", binding},
    {"PriorityClass", "NAME|VALUE|GLOBAL-DEFAULT|AGE|PREEMPTIONPOLICY", priority_class},
    {"ControllerRevision", "NAME|CONTROLLER|REVISION|AGE", controller_revision},
    {NULL, NULL, NULL},
};
