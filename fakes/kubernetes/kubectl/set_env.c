/* kubectl set env: adds, changes, removes and lists what containers have in their environment
 * (k8s.io/kubectl pkg/cmd/set set_env.go and env/). */
#include <ctype.h>
#include <string.h>

#include "fakes/kubernetes/kubectl/set.h"
#include "sim/base/base64.h"

struct variables {
    cJSON *set; /* EnvVars, in order */
    char **remove;
    int n_remove;
    const char *containers; /* -c */
    bool overwrite, list, resolve;
};

static const char *text_of(const cJSON *json, const char *key)
{
    const char *text = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(json, key));
    return text ? text : "";
}

static cJSON *find(cJSON *list, const char *name)
{
    cJSON *one;
    cJSON_ArrayForEach(one, list) if (strcmp(text_of(one, "name"), name) == 0) return one;
    return NULL;
}

/* ---- what is to be set ---- */

static bool valid_name(const char *name)
{
    if (!*name || isdigit((unsigned char)*name))
        return false;
    for (; *name; name++)
        if (!isalnum((unsigned char)*name) && !strchr("-._", *name))
            return false;
    return true;
}

static void add_variable(struct variables *v, const char *name, const char *value)
{
    cJSON *variable = cJSON_CreateObject();
    cJSON_AddStringToObject(variable, "name", name);
    if (*value)
        cJSON_AddStringToObject(variable, "value", value);
    cJSON_AddItemToArray(v->set, variable);
}

/* "A=b", "A-" */
static bool read_word(struct kubectl *k, struct variables *v, const char *word)
{
    const char *equals = strchr(word, '=');
    size_t len = strlen(word);
    if (equals) {
        const char *name = arena_printf(k->arena, "%.*s", (int)(equals - word), word);
        if (!valid_name(name)) {
            kubectl_error(k,
                          "\"%s\" is not a valid key name: a valid environment variable name must "
                          "consist of alphabetic characters, digits, '_', '-', or '.', and must "
                          "not start with a digit (e.g. 'my.env-name',  or 'MY_ENV.NAME',  or "
                          "'MyEnvName1', regex used for validation is "
                          "'[-._a-zA-Z][-._a-zA-Z0-9]*')",
                          name);
            return false;
        }
        add_variable(v, name, equals + 1);
        return true;
    }
    if (len > 1 && word[len - 1] == '-') {
        v->remove[v->n_remove++] = arena_printf(k->arena, "%.*s", (int)len - 1, word);
        return true;
    }
    kubectl_error(k, "unknown environment variable: %s", word);
    return false;
}

static void release_text(void *text)
{
    buf_release(text);
}

/* "-": NAME=value lines on stdin. */
static bool read_stdin(struct kubectl *k, struct variables *v)
{
    struct buf *text = ARENA_NEW(k->arena, struct buf);
    buf_init(text, 1 << 20);
    call_defer(k->call, release_text, text);
    call_read_all(k->call, 0, text);
    struct str rest = buf_text(text);
    while (rest.len) {
        const char *line = arena_str(k->arena, str_trim(str_cut(&rest, '\n')));
        if (strchr(line, '=') && !read_word(k, v, line))
            return false;
    }
    return true;
}

static bool is_change(const char *word)
{
    return strchr(word, '=') || (*word && word[strlen(word) - 1] == '-');
}

/* Leaves the resources in k->args. */
static bool read_words(struct kubectl *k, struct variables *v)
{
    int first = 0;
    v->remove = ARENA_ARRAY(k->arena, char *, k->n_args + k->options.n_given + 1);
    while (first < k->n_args && !is_change(k->args[first]))
        first++;
    for (int i = first; i < k->n_args; i++) {
        if (is_change(k->args[i]))
            continue;
        const char *all = "";
        for (int j = 0; j < k->n_args; j++)
            all = arena_printf(k->arena, "%s%s%s", all, j ? " " : "", k->args[j]);
        kubectl_error(k, "all resources must be specified before environment changes: %s", all);
        return false;
    }
    for (int i = 0; i < k->options.n_given; i++)
        if (strcmp(k->options.given[i].name, "env") == 0 &&
            !read_word(k, v, k->options.given[i].value))
            return false;
    for (int i = first; i < k->n_args; i++)
        if (strcmp(k->args[i], "-") == 0 ? !read_stdin(k, v) : !read_word(k, v, k->args[i]))
            return false;
    for (int i = 0; i < v->n_remove; i++)
        if (find(v->set, v->remove[i])) {
            kubectl_error(k, "can not both modify and remove the same environment variable in the "
                             "same command");
            return false;
        }
    k->n_args = first;
    return true;
}

static bool is_wanted_key(struct kubectl *k, const char *key)
{
    bool any = false;
    for (int i = 0; i < k->options.n_given; i++) {
        if (strcmp(k->options.given[i].name, "keys") != 0)
            continue;
        any = true;
        struct str rest = str_of(k->options.given[i].value);
        while (rest.len)
            if (str_is(str_cut(&rest, ','), key))
                return true;
    }
    return !any;
}

/* One variable for each key of a ConfigMap or Secret. */
static void add_references(struct kubectl *k, struct variables *v, const struct resource *from)
{
    bool secret = strcmp(from->kind->name, "Secret") == 0;
    const cJSON *one;
    cJSON_ArrayForEach(one, json_at(from->object->json, "data"))
    {
        char *name = arena_strdup(k->arena, one->string);
        if (!is_wanted_key(k, one->string))
            continue;
        for (char *p = name; *p; p++)
            *p = (char)(isalnum((unsigned char)*p) || *p == '_' ? toupper((unsigned char)*p) : '_');
        if (strcmp(name, one->string) != 0)
            call_err(k->call, "Warning: key %s transferred to %s\n", one->string, name);
        cJSON *variable = cJSON_CreateObject();
        cJSON_AddStringToObject(
            variable, "name",
            arena_printf(k->arena, "%s%s", options_value(&k->options, "prefix", ""), name));
        cJSON *reference = json_child(json_child(variable, "valueFrom"),
                                      secret ? "secretKeyRef" : "configMapKeyRef");
        cJSON_AddStringToObject(reference, "key", one->string);
        cJSON_AddStringToObject(reference, "name", from->name);
        cJSON_AddItemToArray(v->set, variable);
    }
}

/* -1: go on. */
static int read_from(struct kubectl *k, struct variables *v)
{
    char *from = arena_strdup(k->arena, options_value(&k->options, "from", ""));
    char **args = k->args;
    int n_args = k->n_args;
    struct resources resources;
    if (!*from)
        return -1;
    k->args = &from;
    k->n_args = 1;
    struct options options = k->options;
    k->options.n_given = 0; /* -f and -l are not about this one */
    int failed = kubectl_resources(k, 0, 0, &resources);
    k->options = options;
    k->args = args;
    k->n_args = n_args;
    if (failed)
        return failed;
    for (int i = 0; i < resources.n; i++) {
        const char *kind = resources.at[i].kind->name;
        if (strcmp(kind, "ConfigMap") != 0 && strcmp(kind, "Secret") != 0)
            return kubectl_error(k, "unsupported resource specified in --from");
        add_references(k, v, &resources.at[i]);
    }
    return resources.n_complaints ? kubectl_finish(k, &resources) : -1;
}

/* ---- the change ---- */

static bool is_removed(const struct variables *v, const char *name)
{
    for (int i = 0; i < v->n_remove; i++)
        if (strcmp(v->remove[i], name) == 0)
            return true;
    return false;
}

/* Each in the place it has; what is new at the end, the last of several of one name. */
static void update(struct kubectl *k, const struct variables *v, cJSON *container)
{
    cJSON *before = kubectl_copy(k, json_at(container, "env")), *after = cJSON_CreateArray();
    cJSON *one;
    cJSON_ArrayForEach(one, before)
    {
        const char *name = text_of(one, "name");
        const cJSON *newer = find(v->set, name);
        if (!is_removed(v, name) && !find(after, name))
            cJSON_AddItemToArray(after, cJSON_Duplicate(newer ? newer : one, true));
    }
    cJSON_ArrayForEach(one, v->set) if (!find(after, text_of(one, "name")))
        cJSON_AddItemToArray(after, cJSON_Duplicate(one, true));
    if (after->child) {
        json_set(container, "env", after);
        return;
    }
    cJSON_Delete(after);
    cJSON_DeleteItemFromObjectCaseSensitive(container, "env");
}

/* "configmap cm, key a" */
static const char *reference_text(struct kubectl *k, const cJSON *from)
{
    const cJSON *map = json_at(from, "configMapKeyRef"), *secret = json_at(from, "secretKeyRef");
    const cJSON *field = json_at(from, "fieldRef"), *amount = json_at(from, "resourceFieldRef");
    if (map || secret)
        return arena_printf(k->arena, "%s %s, key %s", map ? "configmap" : "secret",
                            text_of(map ? map : secret, "name"),
                            text_of(map ? map : secret, "key"));
    if (field)
        return arena_printf(k->arena, "field path %s", text_of(field, "fieldPath"));
    if (amount)
        return arena_printf(k->arena, "resource %s field %s", text_of(amount, "containerName"),
                            text_of(amount, "resource"));
    return "invalid valueFrom";
}

/* What a reference stands for now; NULL: it cannot be told here. */
static const char *resolved(struct kubectl *k, const char *ns, const cJSON *from)
{
    const cJSON *map = json_at(from, "configMapKeyRef"), *secret = json_at(from, "secretKeyRef");
    const cJSON *reference = map ? map : secret;
    if (!reference)
        return NULL;
    const struct object *object = cluster_find_named(k->cluster, map ? "ConfigMap" : "Secret", ns,
                                                     text_of(reference, "name"));
    const char *value = object ? json_text(object->json, "data", text_of(reference, "key")) : NULL;
    if (!value || map)
        return value;
    struct str plain;
    return base64_decode(k->arena, str_of(value), &plain) ? plain.at : NULL;
}

static void list(struct kubectl *k, const struct resource *resource, const cJSON *container)
{
    const struct variables *v = k->own;
    const cJSON *one;
    call_out(k->call, "# %s %s, container %s\n", resource->kind->name, resource->name,
             text_of(container, "name"));
    cJSON_ArrayForEach(one, json_at(container, "env"))
    {
        const cJSON *from = json_at(one, "valueFrom");
        const char *value = from && v->resolve ? resolved(k, resource->ns, from) : NULL;
        if (!from || value)
            call_out(k->call, "%s=%s\n", text_of(one, "name"),
                     value ? value : text_of(one, "value"));
        else
            call_out(k->call, "# %s from %s\n", text_of(one, "name"), reference_text(k, from));
    }
}

static const char *change_container(struct kubectl *k, const struct resource *resource,
                                    cJSON *container)
{
    const struct variables *v = k->own;
    const cJSON *one;
    cJSON_ArrayForEach(one, v->set)
    {
        const cJSON *present = find(json_at(container, "env"), text_of(one, "name"));
        if (present && !v->overwrite)
            return arena_printf(k->arena, "'%s' already has a value (%s), and --overwrite is false",
                                text_of(one, "name"), text_of(present, "value"));
    }
    update(k, v, container);
    if (v->list)
        list(k, resource, container);
    return NULL;
}

static const char *change(struct kubectl *k, const struct resource *resource, cJSON *copy)
{
    static const char *const lists[] = {"containers", "initContainers"};
    const struct variables *v = k->own;
    cJSON *template = kubectl_pod_template(resource->kind, copy), *one;
    const char *wrong = NULL;
    bool found = false;
    if (!template)
        return kubectl_no_pods(k, resource->kind);
    for (int i = 0; i < 2; i++)
        cJSON_ArrayForEach(one, json_at(template, "spec", lists[i]))
        {
            if (!kubectl_container_chosen(text_of(one, "name"), v->containers))
                continue;
            found = true;
            wrong = wrong ? wrong : change_container(k, resource, one);
        }
    if (!found)
        call_err(k->call, "Warning: %s/%s does not have any containers matching \"%s\"\n",
                 resource->kind->name, resource->name, v->containers);
    return wrong;
}

static void list_all(struct kubectl *k, struct resources *resources)
{
    for (int i = 0; i < resources->n; i++) {
        struct resource *r = &resources->at[i];
        const char *wrong = r->object ? change(k, r, kubectl_copy(k, r->object->json)) : NULL;
        if (wrong)
            resources_complain(k, resources, "error: %s/%s %s\n", r->kind->plural, r->name, wrong);
    }
}

static void delete_json(void *json)
{
    cJSON_Delete(json);
}

int kubectl_set_env(struct kubectl *k)
{
    struct variables *v = ARENA_NEW(k->arena, struct variables);
    struct resources resources;
    struct kubectl_changes changes = {.change = change,
                                      .done = "env updated",
                                      .failed = "failed to patch env update to pod template: "};
    v->set = cJSON_CreateArray();
    call_defer(k->call, delete_json, v->set);
    v->containers = options_value(&k->options, "containers", "*");
    v->overwrite = strcmp(options_value(&k->options, "overwrite", "true"), "false") != 0;
    v->list = options_has(&k->options, "list");
    v->resolve = options_has(&k->options, "resolve");
    k->own = v;
    changes.cause = kubectl_change_cause(k);
    if (options_has(&k->options, "local"))
        return kubectl_refuse(k, "kubectl set --local");
    if (!kubectl_dry_run(k, &changes.dry_run) || !kubectl_can_print(k) || !read_words(k, v))
        return 1;
    if (k->n_args == 0 && !options_value(&k->options, "filename", NULL))
        return kubectl_error(k, "one or more resources must be specified as <resource> <name> or "
                                "<resource>/<name>");
    if (options_value(&k->options, "keys", NULL) && !*options_value(&k->options, "from", ""))
        return kubectl_error(
            k, "when specifying --keys, a configmap or secret must be provided with --from");
    int failed = read_from(k, v);
    if (failed >= 0)
        return failed;
    failed = kubectl_resources(k, 0, RESOURCES_FILES | RESOURCES_SELECT | RESOURCES_NEED_NAME,
                               &resources);
    if (failed)
        return failed;
    if (resources.n_complaints)
        return kubectl_finish(k, &resources);
    if (v->list)
        list_all(k, &resources);
    else
        kubectl_change_all(k, &resources, &changes);
    return kubectl_finish(k, &resources);
}
