/* kubectl label and annotate. Sources: k8s.io/kubectl pkg/cmd/label/label.go,
 * pkg/cmd/annotate/annotate.go. */
#include <stdlib.h>
#include <string.h>

#include "fakes/kubernetes/api/patch.h"
#include "fakes/kubernetes/kubectl/apply.h"

struct pair {
    const char *key;
    const char *value; /* NULL: it is taken away */
};

struct marking {
    struct kubectl *k;
    bool annotations;
    enum dry_run dry_run;
    const char *cause;
    struct resources resources;
    struct pair *pairs;
    int n_pairs, n_set, n_removed;
};

static const char *noun(const struct marking *m)
{
    return m->annotations ? "annotation" : "label";
}

static bool is_pair(const char *arg)
{
    return (strchr(arg, '=') && arg[0] != '=') || (arg[0] && arg[strlen(arg) - 1] == '-');
}

/* One of "key=value" and "key-". NULL; or what is wrong with it. */
static const char *read_pair(struct marking *m, const char *arg)
{
    struct arena *arena = m->k->arena;
    const char *equals = strchr(arg, '=');
    struct pair *pair = &m->pairs[m->n_pairs++];
    if (!equals) {
        pair->key = arena_str(arena, (struct str){arg, strlen(arg) - 1});
        m->n_removed++;
        return NULL;
    }
    pair->key = arena_str(arena, (struct str){arg, (size_t)(equals - arg)});
    pair->value = equals + 1;
    m->n_set++;
    if (m->annotations)
        return NULL;
    if (strchr(equals + 1, '='))
        return arena_printf(arena, "invalid label spec: %s", arg);
    const char *wrong = label_value_wrong(arena, pair->value);
    return wrong ? arena_printf(arena, "invalid label value: \"%s\": %s", arg, wrong) : NULL;
}

static const char *set_and_removed(const struct marking *m)
{
    const char *both = NULL;
    for (int i = 0; i < m->n_pairs; i++) {
        for (int j = 0; j < m->n_pairs; j++) {
            if (m->pairs[i].value || !m->pairs[j].value ||
                strcmp(m->pairs[i].key, m->pairs[j].key) != 0)
                continue;
            if (!m->annotations)
                return "can not both modify and remove a label in the same command";
            both =
                both ? arena_printf(m->k->arena, "%s, %s", both, m->pairs[i].key) : m->pairs[i].key;
        }
    }
    return both ? arena_printf(m->k->arena,
                               "can not both modify and remove the following annotation(s) in the "
                               "same command: %s",
                               both)
                : NULL;
}

/* Takes the pairs off the end of the arguments. NULL; or what is wrong. */
static const char *read_pairs(struct marking *m)
{
    struct kubectl *k = m->k;
    int first = 0;
    while (first < k->n_args && !is_pair(k->args[first]))
        first++;
    m->pairs = ARENA_ARRAY(k->arena, struct pair, k->n_args + 1);
    for (int i = first; i < k->n_args; i++) {
        if (!is_pair(k->args[i]))
            return arena_printf(k->arena, "all resources must be specified before %s changes: %s",
                                noun(m), k->args[i]);
        const char *wrong = read_pair(m, k->args[i]);
        if (wrong)
            return wrong;
    }
    if (!first && !options_value(&k->options, "filename", NULL) &&
        !options_value(&k->options, "kustomize", NULL))
        return "one or more resources must be specified as <resource> <name> or <resource>/<name>";
    if (!m->n_pairs && !options_has(&k->options, "list"))
        return arena_printf(k->arena, "at least one %s update is required", noun(m));
    k->n_args = first;
    return set_and_removed(m);
}

/* What stands in the way without --overwrite; NULL: nothing. */
static const char *in_the_way(struct marking *m, const cJSON *map)
{
    const char *found = NULL;
    if (options_has(&m->k->options, "overwrite"))
        return NULL;
    for (int i = 0; i < m->n_pairs; i++) {
        const char *value = json_text(map, m->pairs[i].key);
        if (!m->pairs[i].value || !value || !strcmp(value, m->pairs[i].value))
            continue;
        const char *one =
            arena_printf(m->k->arena, "'%s' already has a value (%s)", m->pairs[i].key, value);
        if (!m->annotations)
            return arena_printf(m->k->arena, "%s, and --overwrite is false", one);
        found = found ? arena_printf(m->k->arena, "%s; %s", found, one) : one;
    }
    return found ? arena_printf(m->k->arena,
                                "--overwrite is false but found the following declared "
                                "annotation(s): %s",
                                found)
                 : NULL;
}

static int list(struct marking *m)
{
    for (int i = 0; i < m->resources.n; i++) {
        const cJSON *map = json_at(m->resources.at[i].object->json, "metadata",
                                   m->annotations ? "annotations" : "labels");
        if (m->resources.n > 1)
            call_out(m->k->call, "Listing %ss for %s:\n", noun(m),
                     resource_name(m->k->arena, &m->resources.at[i]));
        for (const cJSON *at = map ? map->child : NULL; at; at = at->next)
            call_out(m->k->call, "%s%s=%s\n", m->resources.n > 1 ? " " : "", at->string,
                     at->valuestring);
    }
    return kubectl_finish(m->k, &m->resources);
}

static const char *done(const struct marking *m, bool changed)
{
    if (m->annotations)
        return "annotated";
    if (!changed)
        return "not labeled";
    return m->n_removed && !m->n_set ? "unlabeled" : "labeled";
}

/* Changes `json` as asked, and returns the merge patch that does the same. */
static cJSON *mark(struct marking *m, cJSON *json)
{
    const char *field = m->annotations ? "annotations" : "labels";
    cJSON *map = json_child(json_child(json, "metadata"), field);
    cJSON *sent = kubectl_keep(m->k, cJSON_CreateObject());
    cJSON *changes = json_child(json_child(sent, "metadata"), field);
    for (int i = 0; i < m->n_pairs; i++) {
        const struct pair *pair = &m->pairs[i];
        if (pair->value) {
            json_set_text(map, pair->key, pair->value);
            json_set_text(changes, pair->key, pair->value);
            continue;
        }
        if (!m->annotations && !json_at(map, pair->key))
            call_out(m->k->call, "label \"%s\" not found.\n", pair->key);
        cJSON_DeleteItemFromObjectCaseSensitive(map, pair->key);
        json_set(changes, pair->key, cJSON_CreateNull());
    }
    kubectl_set_cause(json, m->cause);
    kubectl_set_cause(sent, m->cause);
    return sent;
}

static void mark_one(struct marking *m, const struct resource *r)
{
    struct kubectl *k = m->k;
    struct api_error error = {0};
    const cJSON *before = r->object ? r->object->json : r->json;
    const char *version = options_value(&k->options, "resource-version", NULL);
    const char *wrong =
        in_the_way(m, json_at(before, "metadata", m->annotations ? "annotations" : "labels"));
    if (wrong) {
        resources_complain(k, &m->resources, "%s", wrong);
        return;
    }
    cJSON *after = kubectl_keep(k, cJSON_Duplicate(before, true));
    cJSON *sent = mark(m, after);
    bool changed = !json_equal(before, after);
    const cJSON *shown = after;
    if (r->object && m->dry_run != DRY_RUN_CLIENT && !options_has(&k->options, "local")) {
        kubectl_request(k);
        if (version &&
            strcmp(version, json_text(r->object->json, "metadata", "resourceVersion")) != 0) {
            api_fail(k->cluster, &error, 409, "Conflict",
                     "Operation cannot be fulfilled on %s \"%s\": the object has been modified; "
                     "please apply your changes to the latest version and try again",
                     kind_qualified(k->arena, r->kind), r->name);
            resources_complain_server(k, &m->resources, &error, NULL);
            return;
        }
        if (!cluster_patch(k->cluster, r->object, PATCH_MERGE, kubectl_json_text(k, sent),
                           m->dry_run == DRY_RUN_SERVER, NULL, &error)) {
            resources_complain_server(k, &m->resources, &error, NULL);
            return;
        }
        if (m->dry_run == DRY_RUN_NONE)
            shown = r->object->json;
    }
    kubectl_print_done(k, r->kind, r->name, shown, m->dry_run, done(m, changed));
}

static int run(struct kubectl *k, bool annotations)
{
    struct marking *m = ARENA_NEW(k->arena, struct marking);
    bool local = options_has(&k->options, "local");
    m->k = k;
    m->annotations = annotations;
    m->cause = kubectl_change_cause(k);
    if (!kubectl_dry_run(k, &m->dry_run) || !kubectl_can_print(k))
        return 1;
    const char *wrong = read_pairs(m);
    if (!wrong && local && !options_value(&k->options, "filename", NULL))
        wrong = "can only use local files by -f pod.yaml or --filename=pod.json when --local=true "
                "is set";
    if (wrong)
        return kubectl_error(k, "%s", wrong);
    unsigned flags = RESOURCES_FILES | RESOURCES_SELECT | RESOURCES_NEED_NAME;
    int failed = kubectl_resources(k, 0, flags | (local ? RESOURCES_MISSING : 0), &m->resources);
    if (failed)
        return failed;
    if (!local)
        for (int i = 0; i < m->resources.n; i++) {
            struct api_error error = {0};
            struct resource *r = &m->resources.at[i];
            if (r->object)
                continue;
            api_not_found(k->cluster, &error, r->kind, r->name);
            resources_complain_server(k, &m->resources, &error, NULL);
            m->resources.at[i--] = m->resources.at[--m->resources.n];
        }
    if (options_has(&k->options, "list"))
        return list(m);
    for (int i = 0; i < m->resources.n; i++)
        mark_one(m, &m->resources.at[i]);
    return kubectl_finish(k, &m->resources);
}

static int run_label(struct kubectl *k)
{
    return run(k, false);
}

static int run_annotate(struct kubectl *k)
{
    return run(k, true);
}

#define MARK_FLAGS                                                                                 \
    "all all-namespaces|A field-selector= list local overwrite resource-version= "                 \
    "selector|l=" KUBECTL_RECORD_FLAGS KUBECTL_PRINT_FLAGS KUBECTL_FILE_FLAGS                      \
        KUBECTL_DRY_RUN_FLAGS

const struct kubectl_command kubectl_label_commands[] = {
    {"label", MARK_FLAGS, run_label},
    {"annotate", MARK_FLAGS, run_annotate},
    {NULL, NULL, NULL},
};
