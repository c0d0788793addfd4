/* What bounds and allows, in words: budgets, quotas, limits, classes, roles. */
#include <inttypes.h>
#include <string.h>

#include "fakes/kubernetes/kubectl/description.h"
#include "fakes/kubernetes/text/go_value.h"

static const char *yes_or_no(bool yes)
{
    return yes ? "Yes" : "No";
}

static void budget(struct describe *d, const struct object *object)
{
    const cJSON *spec = json_at(object->json, "spec"), *status = json_at(object->json, "status");
    const cJSON *least = json_at(spec, "minAvailable"), *most = json_at(spec, "maxUnavailable");
    line_names(d, object);
    if (least)
        line(d, 0, "Min available:\t%s", scalar(d->arena, least));
    else if (most)
        line(d, 0, "Max unavailable:\t%s", scalar(d->arena, most));
    line(d, 0, "Selector:\t%s",
         json_at(spec, "selector") ? selector_text(d->arena, json_at(spec, "selector"))
                                   : "<unset>");
    line(d, 0, "Status:");
    line(d, 2, "Allowed disruptions:\t%" PRId64, number_at(status, "disruptionsAllowed"));
    line(d, 2, "Current:\t%" PRId64, number_at(status, "currentHealthy"));
    line(d, 2, "Desired:\t%" PRId64, number_at(status, "desiredHealthy"));
    line(d, 2, "Total:\t%" PRId64, number_at(status, "expectedPods"));
    lines_events(d, object);
}

/* ---- classes ---- */

static void storage_class(struct describe *d, const struct object *object)
{
    const cJSON *json = object->json, *annotations = json_at(json, "metadata", "annotations");
    const cJSON *expansion = json_at(json, "allowVolumeExpansion");
    const cJSON *options = json_at(json, "mountOptions");
    const char *is_default =
        text_at("", annotations, "storageclass.kubernetes.io/is-default-class");
    line(d, 0, "Name:\t%s", object->name);
    line(d, 0, "IsDefaultClass:\t%s", yes_or_no(strcmp(is_default, "true") == 0));
    line(d, 0, "Annotations:\t%s", selector_text(d->arena, annotations));
    line(d, 0, "Provisioner:\t%s", text_at("", json, "provisioner"));
    line(d, 0, "Parameters:\t%s", selector_text(d->arena, json_at(json, "parameters")));
    line(d, 0, "AllowVolumeExpansion:\t%s", expansion ? true_or_false(expansion) : "<unset>");
    line(d, 0, "MountOptions:%s", cJSON_GetArraySize(options) ? "" : "\t<none>");
    for (const cJSON *one = options ? options->child : NULL; one; one = one->next)
        line(d, 1, "%s", scalar(d->arena, one));
    line(d, 0, "ReclaimPolicy:\t%s", text_at("Delete", json, "reclaimPolicy"));
    line(d, 0, "VolumeBindingMode:\t%s", text_at("Immediate", json, "volumeBindingMode"));
    lines_events(d, object);
}

static void priority_class(struct describe *d, const struct object *object)
{
    const cJSON *json = object->json;
    line(d, 0, "Name:\t%s", object->name);
    line(d, 0, "Value:\t%" PRId64, number_at(json, "value"));
    line(d, 0, "GlobalDefault:\t%s",
         cJSON_IsTrue(json_at(json, "globalDefault")) ? "true" : "false");
    line(d, 0, "PreemptionPolicy:\t%s", text_at("PreemptLowerPriority", json, "preemptionPolicy"));
    line(d, 0, "Description:\t%s", text_at("", json, "description"));
    line(d, 0, "Annotations:\t%s",
         selector_text(d->arena, json_at(json, "metadata", "annotations")));
    lines_events(d, object);
}

/* ---- quotas and limits ---- */

static void quota_rows(struct describe *d, int level, const struct object *object)
{
    const cJSON **hard = go_value_children(d->arena, json_at(object->json, "status", "hard"));
    for (; *hard; hard++)
        line(d, level, "%s\t%s\t%s", (*hard)->string,
             text_at("0", object->json, "status", "used", (*hard)->string),
             scalar(d->arena, *hard));
}

static void quota(struct describe *d, const struct object *object)
{
    line_names(d, object);
    line(d, 0, "Resource\tUsed\tHard");
    line(d, 0, "--------\t----\t----");
    quota_rows(d, 0, object);
}

static const char *limit_text(struct describe *d, const cJSON *limit, const char *field,
                              const char *resource)
{
    const char *text = scalar(d->arena, json_at(limit, field, resource));
    return *text ? text : "-";
}

/* A row for each resource that any of the limits names. */
static void limit_rows(struct describe *d, const char *before, const struct object *object)
{
    static const char *const fields[] = {"default", "defaultRequest", "max", "maxLimitRequestRatio",
                                         "min"};
    const cJSON *limits = json_at(object->json, "spec", "limits");
    for (const cJSON *limit = limits ? limits->child : NULL; limit; limit = limit->next) {
        cJSON *names = cJSON_CreateObject();
        for (size_t i = 0; i < sizeof fields / sizeof *fields; i++) {
            const cJSON *list = json_at(limit, fields[i]);
            for (const cJSON *one = list ? list->child : NULL; one; one = one->next)
                json_set(names, one->string, cJSON_CreateTrue());
        }
        const cJSON **all = go_value_children(d->arena, names);
        for (; *all; all++) {
            const char *name = (*all)->string;
            line(d, 0, "%s%s\t%s\t%s\t%s\t%s\t%s\t%s", before, text_at("", limit, "type"), name,
                 limit_text(d, limit, "min", name), limit_text(d, limit, "max", name),
                 limit_text(d, limit, "defaultRequest", name),
                 limit_text(d, limit, "default", name),
                 limit_text(d, limit, "maxLimitRequestRatio", name));
        }
        cJSON_Delete(names);
    }
}

static void limit_headings(struct describe *d, const char *before)
{
    line(d, 0,
         "%sType\tResource\tMin\tMax\tDefault Request\tDefault Limit\tMax Limit/Request Ratio",
         before);
    line(d, 0,
         "%s----\t--------\t---\t---\t---------------\t-------------\t-----------------------",
         before);
}

static void limit_range(struct describe *d, const struct object *object)
{
    line_names(d, object);
    limit_headings(d, "");
    limit_rows(d, "", object);
}

void lines_quotas(struct describe *d, const char *ns)
{
    const struct kind *quota_kind = cluster_kind(d->cluster, "ResourceQuota", "v1");
    const struct kind *limit_kind = cluster_kind(d->cluster, "LimitRange", "v1");
    struct object **quotas = cluster_list(d->cluster, d->arena, quota_kind, ns, NULL, NULL);
    struct object **limits = cluster_list(d->cluster, d->arena, limit_kind, ns, NULL, NULL);
    line(d, 0, *quotas ? "\nResource Quotas" : "\nNo resource quota.");
    for (; *quotas; quotas++) {
        line(d, 1, "Name:\t%s", (*quotas)->name);
        line(d, 1, "Resource\tUsed\tHard");
        line(d, 1, "--------\t---\t---");
        quota_rows(d, 1, *quotas);
    }
    line(d, 0, *limits ? "\nResource Limits" : "\nNo LimitRange resource.");
    if (*limits)
        limit_headings(d, " ");
    for (; *limits; limits++)
        limit_rows(d, " ", *limits);
}

/* ---- roles ---- */

/* "deployments.apps", "pods/log", "widgets.example.test/scale". */
static const char *resource_of_group(struct arena *arena, const char *resource, const char *group)
{
    const char *slash = strchr(resource, '/');
    int len = slash ? (int)(slash - resource) : (int)strlen(resource);
    return arena_printf(arena, "%.*s%s%s%s", len, resource, *group ? "." : "", group,
                        slash ? slash : "");
}

/* One rule as a row for each of its groups and resources, as the real one takes them apart. */
static void add_rule(struct describe *d, const cJSON *rule, cJSON *rows)
{
    const cJSON *groups = json_at(rule, "apiGroups"), *resources = json_at(rule, "resources");
    const cJSON *urls = json_at(rule, "nonResourceURLs");
    const char *names = joined(d->arena, json_at(rule, "resourceNames"), NULL, " ");
    const char *verbs = joined(d->arena, json_at(rule, "verbs"), NULL, " ");
    for (const cJSON *url = urls ? urls->child : NULL; url; url = url->next)
        json_set(rows,
                 arena_printf(d->arena, "\t[%s]\t[%s]\t[%s]", scalar(d->arena, url), names, verbs),
                 cJSON_CreateTrue());
    for (const cJSON *group = groups ? groups->child : NULL; group; group = group->next) {
        for (const cJSON *one = resources ? resources->child : NULL; one; one = one->next) {
            const char *name =
                resource_of_group(d->arena, scalar(d->arena, one), scalar(d->arena, group));
            json_set(rows, arena_printf(d->arena, "%s\t[]\t[%s]\t[%s]", name, names, verbs),
                     cJSON_CreateTrue());
        }
    }
}

static void role(struct describe *d, const struct object *object)
{
    const cJSON *rules = json_at(object->json, "rules");
    cJSON *rows = cJSON_CreateObject();
    line(d, 0, "Name:\t%s", object->name);
    lines_metadata(d, object);
    line(d, 0, "PolicyRule:");
    line(d, 1, "Resources\tNon-Resource URLs\tResource Names\tVerbs");
    line(d, 1, "---------\t-----------------\t--------------\t-----");
    for (const cJSON *rule = rules ? rules->child : NULL; rule; rule = rule->next)
        add_rule(d, rule, rows);
    for (const cJSON **row = go_value_children(d->arena, rows); *row; row++)
        line(d, 1, "%s", (*row)->string);
    cJSON_Delete(rows);
}

const struct describer describe_policy[] = {
    {"PodDisruptionBudget", budget},
    {"StorageClass", storage_class},
    {"PriorityClass", priority_class},
    {"ResourceQuota", quota},
    {"LimitRange", limit_range},
    {"Role", role},
    {"ClusterRole", role},
    {NULL, NULL},
};
