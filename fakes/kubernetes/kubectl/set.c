/* kubectl set: image, resources, selector, serviceaccount (k8s.io/kubectl pkg/cmd/set). */
#include "fakes/kubernetes/kubectl/set.h"

#include <string.h>

#include "fakes/kubernetes/kubectl/apply.h"

struct pair {
    const char *key, *value;
};

struct setting {
    struct pair *pairs;
    int n;
    bool *missing;          /* per pair: a container of that name was not found in something */
    const char *containers; /* -c */
    cJSON *limits, *requests;
    bool found; /* a container was chosen */
};
/* The setting of this call: a changer has no other way to it. */
static struct setting *setting_of(struct kubectl *k)
{
    return k->own;
}

/* Reads resources as all of `set` do: one that is missing, and nothing is done. -1: go on. */
static int read_resources(struct kubectl *k, struct resources *resources)
{
    if (options_has(&k->options, "local"))
        return kubectl_refuse(k, "kubectl set --local");
    int failed = kubectl_resources(k, 0, RESOURCES_FILES | RESOURCES_SELECT | RESOURCES_NEED_NAME,
                                   resources);
    if (failed)
        return failed;
    return resources->n_complaints ? kubectl_finish(k, resources) : -1;
}

/* ---- image ---- */

static bool set_images(cJSON *containers, const struct pair *pair)
{
    bool found = false, all = strcmp(pair->key, "*") == 0;
    cJSON *one;
    cJSON_ArrayForEach(one, containers)
    {
        const char *name = json_text(one, "name");
        if (!all && (!name || strcmp(name, pair->key) != 0))
            continue;
        json_set_text(one, "image", pair->value);
        found = true;
    }
    return found;
}

static const char *change_image(struct kubectl *k, const struct resource *resource, cJSON *copy)
{
    struct setting *setting = setting_of(k);
    cJSON *template = kubectl_pod_template(resource->kind, copy);
    if (!template)
        return kubectl_no_pods(k, resource->kind);
    cJSON *spec = json_child(template, "spec");
    for (int i = 0; i < setting->n; i++) {
        bool first = set_images(json_at(spec, "initContainers"), &setting->pairs[i]);
        bool then = set_images(json_at(spec, "containers"), &setting->pairs[i]);
        setting->missing[i] = setting->missing[i] || (!first && !then);
    }
    return NULL;
}

static bool read_pairs(struct kubectl *k, struct setting *setting)
{
    char **words;
    int n;
    if (!kubectl_split_pairs(k, "image", &words, &n))
        return false;
    setting->pairs = ARENA_ARRAY(k->arena, struct pair, n + 1);
    setting->missing = ARENA_ARRAY(k->arena, bool, n + 1);
    for (int i = 0; i < n; i++) {
        struct str value = str_of(words[i]);
        const char *key = arena_str(k->arena, str_cut(&value, '='));
        int at = 0;
        while (at < setting->n && strcmp(setting->pairs[at].key, key) != 0)
            at++;
        setting->pairs[at] = (struct pair){key, arena_str(k->arena, value)};
        setting->n += at == setting->n;
    }
    return true;
}

static int run_image(struct kubectl *k)
{
    struct setting setting = {0};
    struct resources resources;
    struct kubectl_changes changes = {
        .change = change_image,
        .done = "image updated",
        .failed = "failed to patch image update to pod template: ",
    };
    k->own = &setting;
    changes.cause = kubectl_change_cause(k);
    if (!kubectl_dry_run(k, &changes.dry_run) || !kubectl_can_print(k) || !read_pairs(k, &setting))
        return 1;
    int failed = read_resources(k, &resources);
    if (failed >= 0)
        return failed;
    if (setting.n == 0)
        return kubectl_error(k, "at least one image update is required");
    for (int i = 0; i < setting.n && setting.n > 1; i++)
        if (strcmp(setting.pairs[i].key, "*") == 0)
            return kubectl_error(k, "all containers are already specified by *, but saw more than "
                                    "one container_name=container_image pairs");
    kubectl_change_all(k, &resources, &changes);
    for (int i = 0; i < setting.n; i++)
        if (setting.missing[i])
            resources_complain(k, &resources, "error: unable to find container named \"%s\"",
                               setting.pairs[i].key);
    return kubectl_finish(k, &resources);
}

/* ---- resources ---- */

/* [+-]?[0-9.]+[eEinumkKMGTP]*[-+]?[0-9]* */
static bool is_quantity(const char *text)
{
    text += *text == '+' || *text == '-';
    size_t digits = strspn(text, "0123456789.");
    text += digits;
    text += strspn(text, "eEinumkKMGTP");
    text += *text == '+' || *text == '-';
    return digits && !text[strspn(text, "0123456789")];
}

/* "cpu=200m,memory=512Mi" */
static bool read_amounts(struct kubectl *k, const char *flag, cJSON **ret)
{
    struct str rest = str_of(options_value(&k->options, flag, ""));
    *ret = kubectl_keep(k, cJSON_CreateObject());
    while (rest.len) {
        struct str value = str_cut(&rest, ',');
        const char *statement = arena_str(k->arena, value);
        const char *name = arena_str(k->arena, str_cut(&value, '='));
        const char *amount = arena_str(k->arena, value);
        if (!strchr(statement, '=') || strchr(amount, '=')) {
            kubectl_error(k, "Invalid argument syntax %s, expected <resource>=<value>", statement);
            return false;
        }
        if (!is_quantity(amount)) {
            kubectl_error(k, "quantities must match the regular expression "
                             "'^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'");
            return false;
        }
        json_set_text(*ret, name, amount);
    }
    return true;
}

static void put_amounts(cJSON *container, const char *key, const cJSON *amounts)
{
    const cJSON *one;
    cJSON_ArrayForEach(one, amounts) json_set_text(
        json_child(json_child(container, "resources"), key), one->string, one->valuestring);
}

static const char *change_resources(struct kubectl *k, const struct resource *resource, cJSON *copy)
{
    static const char *const lists[] = {"containers", "initContainers"};
    struct setting *setting = setting_of(k);
    cJSON *template = kubectl_pod_template(resource->kind, copy), *one;
    if (!template)
        return kubectl_no_pods(k, resource->kind);
    for (int i = 0; i < 2; i++)
        cJSON_ArrayForEach(one, json_at(template, "spec", lists[i]))
        {
            const char *name = json_text(one, "name");
            if (!name || !kubectl_container_chosen(name, setting->containers))
                continue;
            setting->found = true;
            put_amounts(one, "limits", setting->limits);
            put_amounts(one, "requests", setting->requests);
        }
    return NULL;
}

static int run_resources(struct kubectl *k)
{
    struct setting setting = {.containers = options_value(&k->options, "containers", "*")};
    struct resources resources;
    struct kubectl_changes changes = {
        .change = change_resources,
        .done = "resource requirements updated",
        .failed = "failed to patch resources update to pod template ",
    };
    k->own = &setting;
    changes.cause = kubectl_change_cause(k);
    if (!kubectl_dry_run(k, &changes.dry_run) || !kubectl_can_print(k))
        return 1;
    int failed = read_resources(k, &resources);
    if (failed >= 0)
        return failed;
    if (!*options_value(&k->options, "limits", "") && !*options_value(&k->options, "requests", ""))
        return kubectl_error(k, "you must specify an update to requests or limits (in the form of "
                                "--requests/--limits)");
    if (!read_amounts(k, "limits", &setting.limits) ||
        !read_amounts(k, "requests", &setting.requests))
        return 1;
    kubectl_change_all(k, &resources, &changes);
    if (!setting.found && resources.n_complaints == 0 && resources.n > 0)
        resources_complain(k, &resources, "error: unable to find container named %s",
                           setting.containers);
    return kubectl_finish(k, &resources);
}

/* ---- selector, serviceaccount: the last argument is the value ---- */

static const char *last_argument(struct kubectl *k)
{
    return k->n_args ? k->args[--k->n_args] : "";
}

static const char *change_selector(struct kubectl *k, const struct resource *resource, cJSON *copy)
{
    struct setting *setting = setting_of(k);
    (void)resource;
    cJSON *selector = cJSON_CreateObject();
    for (int i = 0; i < setting->n; i++)
        json_set_text(selector, setting->pairs[i].key, setting->pairs[i].value);
    json_set(json_child(copy, "spec"), "selector", selector);
    return NULL;
}

static int run_selector(struct kubectl *k)
{
    struct setting setting = {0};
    struct resources resources;
    struct kubectl_changes changes = {
        .change = change_selector, .done = "selector updated", .failed = "", .always = true};
    const char *why = NULL;
    k->own = &setting;
    changes.cause = kubectl_change_cause(k);
    const char *typed = last_argument(k);
    struct str rest = str_of(typed);
    if (!kubectl_dry_run(k, &changes.dry_run) || !kubectl_can_print(k))
        return 1;
    int failed = read_resources(k, &resources);
    if (failed >= 0)
        return failed;
    if (!selector_labels(k->arena, typed, &why))
        return kubectl_error(k, "%s", why);
    setting.pairs = ARENA_ARRAY(k->arena, struct pair, rest.len + 1);
    while (rest.len) {
        struct str value = str_cut(&rest, ',');
        const char *key = arena_str(k->arena, str_cut(&value, '='));
        if (strpbrk(key, " !()") || !memchr(typed, '=', strlen(typed)))
            return kubectl_refuse(k, "kubectl set selector with a match expression");
        setting.pairs[setting.n++] = (struct pair){key, arena_str(k->arena, value)};
    }
    for (int i = 0; i < resources.n; i++)
        if (strcmp(resources.at[i].kind->name, "Service") != 0)
            return kubectl_error(k, "setting a selector is only supported for Services");
    kubectl_change_all(k, &resources, &changes);
    return kubectl_finish(k, &resources);
}

static const char *change_account(struct kubectl *k, const struct resource *resource, cJSON *copy)
{
    const struct setting *setting = setting_of(k);
    cJSON *template = kubectl_pod_template(resource->kind, copy);
    if (!template)
        return kubectl_no_pods(k, resource->kind);
    json_set_text(json_child(template, "spec"), "serviceAccountName", setting->pairs->value);
    json_set_text(json_child(template, "spec"), "serviceAccount", setting->pairs->value);
    return NULL;
}

static int run_account(struct kubectl *k)
{
    struct pair name = {"", ""};
    struct setting setting = {.pairs = &name, .n = 1};
    struct resources resources;
    struct kubectl_changes changes = {
        .change = change_account,
        .done = "serviceaccount updated",
        .failed = "failed to patch ServiceAccountName ",
        .always = true,
    };
    k->own = &setting;
    changes.cause = kubectl_change_cause(k);
    if (k->n_args == 0)
        return kubectl_error(k, "serviceaccount is required");
    name.value = last_argument(k);
    if (!kubectl_dry_run(k, &changes.dry_run) || !kubectl_can_print(k))
        return 1;
    int failed = read_resources(k, &resources);
    if (failed >= 0)
        return failed;
    kubectl_change_all(k, &resources, &changes);
    return kubectl_finish(k, &resources);
}

static int run_subject(struct kubectl *k)
{
    return kubectl_refuse(k, "kubectl set subject");
}

#define COMMON                                                                                     \
    " all local selector|l=" KUBECTL_FILE_FLAGS KUBECTL_DRY_RUN_FLAGS KUBECTL_PRINT_FLAGS          \
        KUBECTL_RECORD_FLAGS

const struct kubectl_command kubectl_set_commands[] = {
    {"set image", COMMON, run_image},
    {"set env", "containers|c= env|e= from= keys= list overwrite prefix= resolve" COMMON,
     kubectl_set_env},
    {"set resources", "containers|c= limits= requests=" COMMON, run_resources},
    {"set selector", "resource-version=" COMMON, run_selector},
    {"set serviceaccount", COMMON, run_account},
    {"set sa", COMMON, run_account},
    {"set subject", "role= user= group= serviceaccount=" COMMON, run_subject},
    {NULL, NULL, NULL},
};
