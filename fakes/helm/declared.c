/* Declared releases: their revisions before the run, and what an upgrade comes to. */
#include <ctype.h>
#include <inttypes.h>
#include <string.h>

#include "fakes/fake.h"
#include "fakes/helm/helm.h"
#include "fakes/helm/values.h"
#include "fakes/kubernetes/setup/setup_state.h"
#include "fakes/kubernetes/text/manifest.h"

enum { TEXT_MAX = 8 << 20 };
#define LAST_DEPLOYED_NS (-3 * DAY)
#define BETWEEN_NS       (7 * DAY)

static const char *const chart_keys[] = {"chart", "app_version", "manifests", "values", NULL};

/* ---- reading ---- */

/* "web-1.4.0" into its name and its version. */
static int take_chart(struct arena *arena, const struct doc *node, struct release *ret,
                      struct error *error)
{
    const char *text = NULL, *cut = NULL;
    if (doc_text(node, &text, error))
        return ERROR_INPUT;
    for (const char *c = text; c && *c; c++) {
        if (*c == '-' && isdigit((unsigned char)c[1]))
            cut = c;
    }
    if (!cut || cut == text)
        return doc_error(node, error,
                         "'%s' is no chart with its version; write for example "
                         "chart: web-1.4.0",
                         text ? text : "");
    ret->chart = arena_str(arena, (struct str){text, (size_t)(cut - text)});
    ret->chart_version = cut + 1;
    return 0;
}

static const char *compact(struct arena *arena, const cJSON *json)
{
    struct buf text;
    buf_init(&text, TEXT_MAX);
    json_compact(&text, json);
    const char *copy = arena_str(arena, buf_text(&text));
    buf_release(&text);
    return copy;
}

/* chart, app_version, manifests and values of a revision or a chart. */
static int take_content(struct setup *setup, const struct doc *node, struct release *ret,
                        struct error *error)
{
    struct arena *arena = cluster_arena(setup->cluster);
    struct doc *chart, *manifests;
    const struct doc *values = doc_get(node, "values");
    struct buf text;
    if (doc_want(node, DOC_MAPPING, error) || doc_need(node, "chart", &chart, error) ||
        doc_need(node, "manifests", &manifests, error) || take_chart(arena, chart, ret, error))
        return ERROR_INPUT;
    ret->app_version = "";
    ret->config = "{}";
    if (doc_text(doc_get(node, "app_version"), &ret->app_version, error) ||
        (values && doc_want(values, DOC_MAPPING, error)))
        return ERROR_INPUT;
    if (values) {
        cJSON *json = values_of_doc(values);
        ret->config = compact(arena, json);
        cJSON_Delete(json);
    }
    buf_init(&text, TEXT_MAX);
    int code = manifests_text(setup, manifests, ret->chart, &text, error);
    ret->manifest = arena_str(arena, buf_text(&text));
    buf_release(&text);
    return code;
}

/* ---- revisions before the run ---- */

static const char *usual_description(struct arena *arena, const struct release *release)
{
    if (strcmp(release->status, "failed") == 0)
        return arena_printf(arena, "%s \"%s\" failed: context deadline exceeded",
                            release->version == 1 ? "Release" : "Upgrade", release->name);
    if (strcmp(release->status, "pending-upgrade") == 0)
        return "Preparing upgrade";
    return release->version == 1 ? "Install complete" : "Upgrade complete";
}

static int take_status(const struct doc *node, bool is_current, struct release *ret,
                       struct error *error)
{
    static const char *const words[] = {
        "deployed",        "superseded",       "failed",      "pending-install",
        "pending-upgrade", "pending-rollback", "uninstalled", NULL};
    const struct doc *status = doc_get(node, "status");
    int at = is_current ? 0 : 1;
    if (doc_choice(status, words, &at, error))
        return ERROR_INPUT;
    ret->status = words[at];
    return 0;
}

/* The last revision that came to a good end: what is deployed. */
static const struct doc *current_of(const struct doc *list)
{
    const struct doc *current = NULL;
    for (const struct doc *node = list->first; node; node = node->next) {
        const struct doc *status = doc_get(node, "status");
        if (!status || (status->text && strcmp(status->text, "deployed") == 0))
            current = node;
    }
    return current;
}

static int make_revision(struct setup *setup, const struct doc *list, const struct doc *node,
                         struct release *next, const char *before, struct error *error)
{
    static const char *const keys[] = {"chart",  "app_version", "manifests", "values",
                                       "status", "description", NULL};
    struct arena *arena = cluster_arena(setup->cluster);
    struct api_error refused = {0};
    next->version = node->index + 1;
    next->first_ns = LAST_DEPLOYED_NS - (list->n - 1) * BETWEEN_NS;
    next->last_ns = LAST_DEPLOYED_NS - (list->n - 1 - node->index) * BETWEEN_NS;
    if (doc_want(node, DOC_MAPPING, error) || doc_only(node, keys, error) ||
        take_content(setup, node, next, error) ||
        take_status(node, node == current_of(list), next, error))
        return ERROR_INPUT;
    next->description = usual_description(arena, next);
    if (doc_text(doc_get(node, "description"), &next->description, error))
        return ERROR_INPUT;
    struct update update = {before, next->manifest, next->name, next->ns, .adopting = true};
    const char *why = helm_update(setup->cluster, arena, &update);
    if (why)
        return doc_error(node, error, "revision %" PRId64 " cannot be carried out: %s",
                         next->version, why);
    controllers_settle(setup->cluster);
    return release_keep(setup->cluster, next, 0, &refused)
               ? 0
               : doc_error(node, error, "the release cannot be kept: %s", refused.message);
}

/* Which images the workloads have in the end decides which tag is which version: before any pod
 * starts. */
static void meet(struct setup *setup, const char *ns, const char *text)
{
    struct manifest manifest = {0};
    if (!manifest_read(cluster_arena(setup->cluster), str_of(text), &manifest)) {
        for (int i = 0; i < manifest.n; i++) {
            const cJSON *json = manifest.documents[i];
            const char *own = json_text(json, "metadata", "namespace");
            const char *kind = json_text(json, "kind");
            workloads_meet(setup, kind ? kind : "", own && *own ? own : ns, json);
        }
    }
    manifest_release(&manifest);
}

static int check_sets(struct setup *setup, const struct doc *sets, struct error *error)
{
    if (sets && doc_want(sets, DOC_MAPPING, error))
        return ERROR_INPUT;
    for (const struct doc *item = sets ? sets->first : NULL; item; item = item->next) {
        const char *what;
        if (doc_text(item, &what, error))
            return ERROR_INPUT;
        const char *mistake = values_mistake(cluster_arena(setup->cluster), what);
        if (mistake)
            return doc_error(item, error, "%s", mistake);
    }
    return 0;
}

static int check_charts(struct setup *setup, const struct doc *charts, struct error *error)
{
    if (charts && doc_want(charts, DOC_MAPPING, error))
        return ERROR_INPUT;
    for (const struct doc *item = charts ? charts->first : NULL; item; item = item->next) {
        struct release ignored = {0};
        if (doc_only(item, chart_keys, error) || take_content(setup, item, &ignored, error))
            return ERROR_INPUT;
    }
    return 0;
}

static int declare(struct setup *setup, const struct doc *node, struct error *error)
{
    static const char *const keys[] = {"namespace", "revisions", "notes", "charts", "sets", NULL};
    const struct doc *list = doc_get(node, "revisions");
    struct release next = {.name = node->key, .ns = setup->ns, .notes = "", .manifest = ""};
    if (doc_want(node, DOC_MAPPING, error) || doc_only(node, keys, error) ||
        doc_text(doc_get(node, "namespace"), &next.ns, error) ||
        doc_text(doc_get(node, "notes"), &next.notes, error) ||
        check_sets(setup, doc_get(node, "sets"), error) ||
        check_charts(setup, doc_get(node, "charts"), error))
        return ERROR_INPUT;
    if (list && doc_want(list, DOC_SEQUENCE, error))
        return ERROR_INPUT;
    if (manifest_namespace(setup, next.ns))
        return doc_error(node, error, "'%s' is no name of a namespace", next.ns);
    for (const struct doc *item = list ? list->first : NULL; item; item = item->next) {
        struct release last = next;
        if (!item->next && !take_content(setup, item, &last, error))
            meet(setup, next.ns, last.manifest);
    }
    for (const struct doc *item = list ? list->first : NULL; item; item = item->next) {
        const char *before = next.manifest;
        if (make_revision(setup, list, item, &next, before, error))
            return ERROR_INPUT;
    }
    return 0;
}

int helm_declare(struct setup *setup, const struct doc *helm, struct error *error)
{
    *env_slot(cluster_env(setup->cluster), "helm") = (void *)(uintptr_t)helm;
    if (helm && doc_want(helm, DOC_MAPPING, error))
        return ERROR_INPUT;
    for (const struct doc *node = helm ? helm->first : NULL; node; node = node->next) {
        if (declare(setup, node, error))
            return ERROR_INPUT;
    }
    return 0;
}

/* ---- the next revision ---- */

static cJSON *documents_of(struct arena *arena, const char *text)
{
    struct manifest manifest = {0};
    cJSON *list = cJSON_CreateArray();
    (void)manifest_read(arena, str_of(text), &manifest);
    for (int i = 0; i < manifest.n; i++)
        cJSON_AddItemToArray(list, cJSON_Duplicate(manifest.documents[i], true));
    manifest_release(&manifest);
    return list;
}

static const char *text_of(struct arena *arena, const cJSON *documents, const char *chart)
{
    struct buf text;
    buf_init(&text, TEXT_MAX);
    for (const cJSON *one = documents->child; one; one = one->next) {
        char *kind = arena_strdup(arena, json_text(one, "kind"));
        for (char *c = kind; *c; c++)
            *c = (char)tolower((unsigned char)*c);
        buf_printf(&text, "---\n# Source: %s/templates/%s.yaml\n", chart, kind);
        yaml_write(&text, one);
    }
    const char *copy = arena_str(arena, buf_text(&text));
    buf_release(&text);
    return copy;
}

/* Carries out each value; NULL, or the key of one that nobody has said anything of. `known`: values
 * that the manifests have been rendered with. */
static const char *carry_out(struct arena *arena, cJSON *documents, const struct doc *sets,
                             const cJSON *values, const cJSON *known, const char *prefix)
{
    const char *unknown = NULL;
    for (const cJSON *one = values ? values->child : NULL; one && !unknown; one = one->next) {
        const char *key = *prefix ? arena_printf(arena, "%s.%s", prefix, one->string) : one->string;
        const struct doc *what = doc_get(sets, key);
        const cJSON *there = cJSON_GetObjectItemCaseSensitive(known, one->string);
        if (what && values_apply(arena, documents, what->text, one))
            continue;
        if (there && cJSON_Compare(there, one, true))
            continue;
        unknown = cJSON_IsObject(one) ? carry_out(arena, documents, sets, one, there, key) : key;
    }
    return unknown;
}

static const struct doc *declared(struct cluster *cluster, const char *name)
{
    return doc_get(*env_slot(cluster_env(cluster), "helm"), name);
}

static const struct doc *chart_of(struct arena *arena, const struct doc *release,
                                  const struct upgrade *upgrade)
{
    const struct doc *charts = doc_get(release, "charts"), *found = NULL;
    if (upgrade->version)
        found = doc_get(charts, arena_printf(arena, "%s@%s", upgrade->chart, upgrade->version));
    size_t len = strlen(upgrade->chart);
    if (!found)
        found = doc_get(charts, upgrade->chart);
    if (!found && len > 1 && upgrade->chart[len - 1] == '/')
        found = doc_get(charts, arena_printf(arena, "%.*s", (int)len - 1, upgrade->chart));
    return found;
}

const char *helm_render(struct cluster *cluster, struct arena *arena, const char *name,
                        const struct release *last, const struct upgrade *upgrade,
                        struct release *next)
{
    struct setup *setup = setup_of(cluster_env(cluster));
    const struct doc *release = declared(cluster, name);
    const struct doc *chart = chart_of(arena, release, upgrade);
    struct error error = {{0}};
    if (!chart)
        return arena_printf(arena,
                            "charts are not rendered: say what this one comes to under `helm: {%s: "
                            "{charts: {%s: {chart: NAME-VERSION, manifests: ...}}}}`",
                            name, upgrade->chart);
    if (take_content(setup, chart, next, &error))
        return arena_strdup(arena, error.text);
    cJSON *known = cJSON_Parse(next->config), *given = cJSON_Parse(upgrade->values);
    cJSON *values = cJSON_CreateObject();
    /* helm: the last release's values stay if none are given */
    if (last && !upgrade->reset && (upgrade->reuse || !upgrade->given)) {
        cJSON *before = cJSON_Parse(last->config);
        values_merge(values, before);
        cJSON_Delete(before);
    }
    values_merge(values, given);
    cJSON *documents = documents_of(arena, next->manifest);
    const char *unknown = carry_out(arena, documents, doc_get(release, "sets"), values, known, "");
    next->config = compact(arena, values);
    if (cJSON_GetArraySize(values) > 0)
        next->manifest = text_of(arena, documents, next->chart);
    cJSON_Delete(documents);
    cJSON_Delete(values);
    cJSON_Delete(given);
    cJSON_Delete(known);
    return unknown ? arena_printf(arena,
                                  "nobody has said what the value %s changes: add `helm: {%s: "
                                  "{sets: {%s: KIND/NAME FIELD}}}`",
                                  unknown, name, unknown)
                   : NULL;
}

/* ---- a deployment by the world ---- */

static cJSON *workload_in(cJSON *documents, const struct object *workload)
{
    for (cJSON *one = documents->child; one; one = one->next) {
        const char *kind = json_text(one, "kind"), *name = json_text(one, "metadata", "name");
        if (kind && name && strcmp(kind, workload->kind->name) == 0 &&
            strcmp(name, workload->name) == 0)
            return one;
    }
    return NULL;
}

/* The values that say the same as the new image. */
static void note_values(struct arena *arena, const struct doc *sets, const struct object *workload,
                        const char *image, cJSON *values)
{
    const char *colon = strrchr(image, ':');
    for (const struct doc *item = sets ? sets->first : NULL; item; item = item->next) {
        struct str rest = str_of(item->text), object = str_cut(&rest, ' ');
        struct str kind = str_cut(&object, '/');
        rest = str_trim(rest);
        bool tag = str_starts(rest, "tag"), whole = str_starts(rest, "image");
        if (kind.len != strlen(workload->kind->name) || !str_is(object, workload->name) ||
            (!tag && !whole))
            continue;
        (void)values_set(arena, values,
                         arena_printf(arena, "%s=%s", item->key, tag && colon ? colon + 1 : image),
                         true);
    }
}

bool helm_deploy(struct cluster *cluster, const struct object *workload, const char *container,
                 const char *image)
{
    struct arena *arena = cluster_arena(cluster);
    const cJSON *annotations = json_at(workload->json, "metadata", "annotations");
    const char *name = json_text(annotations, "meta.helm.sh/release-name");
    const char *ns = json_text(annotations, "meta.helm.sh/release-namespace");
    const struct release *last = name && ns ? release_last(cluster, arena, ns, name) : NULL;
    struct api_error error = {0};
    if (!last)
        return false;
    name = last->name; /* the object's own texts go when it changes */
    ns = last->ns;
    struct release next = *last;
    cJSON *documents = documents_of(arena, last->manifest);
    cJSON *object = workload_in(documents, workload);
    cJSON *list = object ? json_at(object, "spec", "template", "spec", "containers") : NULL;
    for (cJSON *one = list ? list->child : NULL; one; one = one->next) {
        const char *its = json_text(one, "name");
        if (container ? its && strcmp(its, container) == 0 : one == list->child)
            json_set_text(one, "image", image);
    }
    next.manifest = text_of(arena, documents, last->chart);
    cJSON_Delete(documents);
    cJSON *values = cJSON_Parse(last->config);
    note_values(arena, doc_get(declared(cluster, name), "sets"), workload, image, values);
    next.config = compact(arena, values);
    cJSON_Delete(values);
    next.version++;
    next.status = "deployed";
    next.description = "Upgrade complete";
    next.last_ns = cluster_now(cluster);
    struct update update = {last->manifest, next.manifest, name, ns, .adopting = true};
    const char *why = helm_update(cluster, arena, &update);
    if (why) {
        next.status = "failed";
        next.description = arena_printf(arena, "Upgrade \"%s\" failed: %s", name, why);
    } else {
        releases_supersede(cluster, arena, ns, name);
    }
    return release_keep(cluster, &next, HELM_HISTORY_MAX, &error);
}
