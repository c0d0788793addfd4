/* Manifests: what was applied to the cluster before the run, and the revisions before that. */
#include <dirent.h>
#include <stdlib.h>
#include <string.h>

#include "fakes/kubernetes/setup/setup_state.h"
#include "fakes/kubernetes/text/manifest.h"
#include "sim/base/xalloc.h"

enum { FILE_MAX = 8 << 20 };

/* One object of a manifest, with what named its file. */
struct item {
    const struct doc *node;
    const char *path;
    cJSON *json; /* owned by the list */
};

struct items {
    struct item *at;
    int n, cap;
};

static void release(struct items *items)
{
    for (int i = 0; i < items->n; i++)
        cJSON_Delete(items->at[i].json);
    free(items->at);
}

/* ---- finding and reading files ---- */

/* Relative paths lie beside the system file, absolute ones on the operator's machine. */
static bool on_machine(const struct doc *node)
{
    return node->text[0] == '/';
}

static const char *real_path(struct arena *arena, const struct doc *node, const char *path)
{
    const char *slash = node->file ? strrchr(node->file, '/') : NULL;
    if (on_machine(node) || !slash)
        return path;
    return arena_printf(arena, "%.*s/%s", (int)(slash - node->file), node->file, path);
}

static int list_entries(struct setup *setup, const struct doc *node, const char *path,
                        struct buf *entries)
{
    if (on_machine(node))
        return env_list(cluster_env(setup->cluster), "", path, entries);
    DIR *folder = opendir(path);
    if (!folder)
        return -1;
    for (struct dirent *entry; (entry = readdir(folder));) {
        buf_printf(entries, "f0644%s", entry->d_name);
        buf_putc(entries, '\0');
    }
    closedir(folder);
    return 0;
}

static int by_name(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* The manifests in a folder, as `kubectl apply -f FOLDER` takes them; NULL: it is no folder. */
static const char **names_in(struct setup *setup, struct arena *arena, const struct doc *node,
                             const char *path)
{
    struct buf entries;
    const char **names = NULL;
    int n = 0, cap = 0;
    buf_init(&entries, 1 << 20);
    if (list_entries(setup, node, path, &entries) == 0) {
        for (size_t at = 0; at < entries.len; at += strlen(entries.at + at) + 1)
            cap++;
        names = ARENA_ARRAY(arena, const char *, cap + 1);
        for (size_t at = 0; at < entries.len; at += strlen(entries.at + at) + 1) {
            struct str name = str_of(entries.at + at + 5); /* behind its kind and mode */
            if (str_ends(name, ".yaml") || str_ends(name, ".yml") || str_ends(name, ".json"))
                names[n++] = arena_str(arena, name);
        }
        qsort(names, (size_t)n, sizeof *names, by_name);
    }
    buf_release(&entries);
    return names;
}

static int take_document(struct items *items, const struct doc *node, const char *path,
                         const cJSON *json, struct error *error)
{
    const char *kind = json_text(json, "kind"), *version = json_text(json, "apiVersion");
    const cJSON *list = kind && strcmp(kind, "List") == 0 ? json_at(json, "items") : NULL;
    for (const cJSON *item = list ? list->child : NULL; item; item = item->next) {
        if (take_document(items, node, path, item, error))
            return ERROR_INPUT;
    }
    if (list)
        return 0;
    if (!kind || !version)
        return doc_error(node, error, "'%s': a document has no `%s`; is it a manifest?", path,
                         kind ? "apiVersion" : "kind");
    XGROW(items->at, items->n, items->cap);
    items->at[items->n++] = (struct item){node, path, cJSON_Duplicate(json, true)};
    return 0;
}

static int load(struct setup *setup, const struct doc *node, const char *path, struct buf *text,
                struct error *error)
{
    int code = on_machine(node) ? env_load(cluster_env(setup->cluster), "", path, text)
                                : buf_read_file(text, path);
    if (code >= 0)
        return 0;
    return on_machine(node)
               ? doc_error(node, error,
                           "cannot read '%s' on the operator's machine; put it into the folder of "
                           "files of the first host under `hosts:`",
                           path)
               : doc_error(node, error,
                           "cannot read '%s'; give the path of a manifest or of a folder of them, "
                           "beside this file or, from /, on the operator's machine",
                           path);
}

static int read_file(struct setup *setup, const struct doc *node, const char *path,
                     struct items *items, struct error *error)
{
    struct arena *arena = cluster_arena(setup->cluster);
    struct manifest manifest = {0};
    struct buf text;
    buf_init(&text, FILE_MAX);
    int code = load(setup, node, path, &text, error);
    const char *why = code ? NULL : manifest_read(arena, buf_text(&text), &manifest);
    if (why)
        code = doc_error(node, error, "'%s' is no manifest: %s", path, why);
    for (int i = 0; i < manifest.n && !code; i++)
        code = take_document(items, node, path, manifest.documents[i], error);
    manifest_release(&manifest);
    buf_release(&text);
    return code;
}

/* The files that an entry of `manifests:` stands for, NULL-terminated; NULL and the error. */
static const char **files_of(struct setup *setup, const struct doc *node, struct error *error)
{
    struct arena *arena = cluster_arena(setup->cluster);
    const char *path;
    if (doc_text(node, &path, error))
        return NULL;
    while (strlen(path) > 1 && str_ends(str_of(path), "/"))
        path = arena_str(arena, (struct str){path, strlen(path) - 1});
    path = real_path(arena, node, path);
    const char **names = names_in(setup, arena, node, path);
    if (!names) {
        names = ARENA_ARRAY(arena, const char *, 2);
        names[0] = path;
        return names;
    }
    for (int i = 0; names[i]; i++)
        names[i] = arena_printf(arena, "%s/%s", path, names[i]);
    if (!names[0])
        doc_error(node, error, "no .yaml, .yml or .json file in the folder '%s'", path);
    return names[0] ? names : NULL;
}

static int read_path(struct setup *setup, const struct doc *node, struct items *items,
                     struct error *error)
{
    const char **files = files_of(setup, node, error);
    for (int i = 0; files && files[i]; i++) {
        if (read_file(setup, node, files[i], items, error))
            return ERROR_INPUT;
    }
    return files ? 0 : ERROR_INPUT;
}

int manifests_text(struct setup *setup, const struct doc *list, const char *chart, struct buf *out,
                   struct error *error)
{
    const struct doc *first = list && list->kind == DOC_SEQUENCE ? list->first : list;
    for (const struct doc *node = first; node; node = node == list ? NULL : node->next) {
        const char **files = files_of(setup, node, error);
        for (int i = 0; files && files[i]; i++) {
            struct items items = {0};
            struct buf text;
            const char *slash = strrchr(files[i], '/');
            buf_init(&text, FILE_MAX);
            int code = load(setup, node, files[i], &text, error);
            if (!code)
                code = read_file(setup, node, files[i], &items, error); /* what is wrong, now */
            struct str content = str_trim(buf_text(&text));
            if (str_starts(content, "---"))
                (void)str_cut(&content, '\n');
            buf_printf(out, "---\n# Source: %s/templates/%s\n%.*s\n", chart,
                       slash ? slash + 1 : files[i], STR_ARG(content));
            release(&items);
            buf_release(&text);
            if (code)
                return code;
        }
        if (!files)
            return ERROR_INPUT;
    }
    return 0;
}

static int read_all(struct setup *setup, struct items *items, struct error *error)
{
    const struct doc *list = doc_get(setup->config, "manifests");
    const struct doc *first = list && list->kind == DOC_SEQUENCE ? list->first : list;
    for (const struct doc *node = first; node; node = node == list ? NULL : node->next) {
        if (read_path(setup, node, items, error))
            return ERROR_INPUT;
    }
    return 0;
}

/* ---- applying ---- */

void manifest_applied(cJSON *object)
{
    static const char *const name = "kubectl.kubernetes.io/last-applied-configuration";
    cJSON *annotations = json_child(json_child(object, "metadata"), "annotations");
    cJSON_DeleteItemFromObjectCaseSensitive(annotations, name);
    struct buf text;
    buf_init(&text, FILE_MAX);
    json_compact(&text, object);
    buf_putc(&text, '\n');
    json_set_text(annotations, name, text.at);
    buf_release(&text);
}

static const struct kind *kind_of(struct setup *setup, const struct item *item, struct error *error)
{
    const char *kind = json_text(item->json, "kind"),
               *version = json_text(item->json, "apiVersion");
    const struct kind *found = cluster_kind(setup->cluster, kind, version);
    bool own = strchr(version, '.') && !strstr(version, ".k8s.io/"); /* not Kubernetes' */
    if (!found)
        doc_error(item->node, error,
                  own ? "'%s': no matches for kind \"%s\" in version \"%s\"; a kind of one's own "
                        "needs its CustomResourceDefinition among the manifests"
                      : "'%s': kind \"%s\" in version \"%s\" is not simulated; leave it out of "
                        "these manifests, or give it in a version that 1.32 prefers",
                  item->path, kind, version);
    return found;
}

static const char *namespace_of(const struct setup *setup, const struct kind *kind,
                                const cJSON *json)
{
    const char *ns = json_text(json, "metadata", "namespace");
    return !kind->namespaced ? "" : ns && *ns ? ns : setup->ns;
}

static const char *name_of(const cJSON *json)
{
    const char *name = json_text(json, "metadata", "name");
    return name ? name : "";
}

static int refused(const struct item *item, const struct api_error *why, struct error *error)
{
    return doc_error(item->node, error, "'%s': %s '%s' is refused: %s", item->path,
                     json_text(item->json, "kind"), name_of(item->json), why->message);
}

/* Made if it is not there, else its spec, labels and annotations become these. `json` is taken. */
static bool apply(struct setup *setup, const struct kind *kind, const char *ns, cJSON *json,
                  struct api_error *why)
{
    struct object *object = cluster_find(setup->cluster, kind, ns, name_of(json));
    if (kind->namespaced)
        json_set_text(json_child(json, "metadata"), "namespace", ns);
    manifest_applied(json);
    if (!object)
        return cluster_create(setup->cluster, kind, ns, json, false, why) != NULL;
    cJSON *next = cJSON_Duplicate(object->json, true);
    for (cJSON *part = json->child, *after; part; part = after) {
        after = part->next;
        if (strcmp(part->string, "metadata") != 0 && strcmp(part->string, "status") != 0)
            json_set(next, part->string, cJSON_Duplicate(part, true));
    }
    cJSON_DeleteItemFromObjectCaseSensitive(json_at(next, "metadata", "annotations"),
                                            "kubernetes.io/change-cause"); /* of one revision */
    static const char *const parts[] = {"labels", "annotations"};
    for (int i = 0; i < 2; i++) {
        const cJSON *from = json_at(json, "metadata", parts[i]);
        for (const cJSON *item = from ? from->child : NULL; item; item = item->next)
            json_set(json_child(json_child(next, "metadata"), parts[i]), item->string,
                     cJSON_Duplicate(item, true));
    }
    cJSON_Delete(json);
    return cluster_update(setup->cluster, object, next, false, NULL, why);
}

int manifest_namespace(struct setup *setup, const char *ns)
{
    const struct kind *kind = cluster_kind(setup->cluster, "Namespace", "v1");
    struct api_error why = {0};
    if (!*ns || cluster_find(setup->cluster, kind, "", ns))
        return 0;
    cJSON *json = cJSON_CreateObject();
    json_set_text(json, "apiVersion", "v1");
    json_set_text(json, "kind", "Namespace");
    json_set_text(json_child(json, "metadata"), "name", ns);
    return cluster_create(setup->cluster, kind, "", json, false, &why) ? 0 : -1;
}

/* ---- earlier revisions ---- */

/* `history: {web: [...], shop/web: [...], statefulset/db: [...]}`. */
static const struct doc *history_of(const struct setup *setup, const char *kind, const char *ns,
                                    const char *name)
{
    struct arena scratch = {0};
    const struct doc *history = doc_get(setup->config, "history"), *found = NULL;
    char *lower = arena_strdup(&scratch, kind);
    for (char *p = lower; *p; p++)
        *p |= 0x20;
    const char *const keys[] = {name, arena_printf(&scratch, "%s/%s", lower, name),
                                arena_printf(&scratch, "%s/%s", ns, name)};
    for (size_t i = 0; i < sizeof keys / sizeof *keys && !found; i++)
        found = doc_get(history, keys[i]);
    arena_release(&scratch);
    return found;
}

static cJSON *history_container(const struct setup *setup, const char *kind, const char *ns,
                                cJSON *json)
{
    const struct workload *workload = workload_of(setup, kind, ns, name_of(json));
    return workload
               ? workload_container(workload, json)
               : cJSON_GetArrayItem(json_at(json, "spec", "template", "spec", "containers"), 0);
}

/* "v1", "1.0", or a whole reference. */
static const char *image_of_revision(struct setup *setup, const char *kind, const char *ns,
                                     const cJSON *json, const char *text)
{
    const struct workload *workload = workload_of(setup, kind, ns, name_of(json));
    if (strchr(text, ':') || strchr(text, '/') || !workload || !workload->repository)
        return text;
    return service_has_version(workload->service, text)
               ? image_reference(setup->cluster, workload->repository, workload->service, text)
               : arena_printf(cluster_arena(setup->cluster), "%s:%s", workload->repository, text);
}

static void set_env(cJSON *container, const struct doc *env)
{
    for (const struct doc *item = env ? env->first : NULL; item; item = item->next) {
        cJSON *list = cJSON_GetObjectItemCaseSensitive(container, "env"), *at = NULL;
        if (!list)
            list = cJSON_AddArrayToObject(container, "env");
        for (cJSON *has = list->child; has && !at; has = has->next) {
            const char *name = json_text(has, "name");
            at = name && strcmp(name, item->key) == 0 ? has : NULL;
        }
        if (!at) {
            at = cJSON_CreateObject();
            json_set_text(at, "name", item->key);
            cJSON_AddItemToArray(list, at);
        }
        json_set_text(at, "value", item->text ? item->text : "");
    }
}

/* The object as it was at that earlier revision; NULL and the error. */
static cJSON *earlier(struct setup *setup, const struct item *item, const struct kind *kind,
                      const char *ns, const struct doc *revision, struct error *error)
{
    static const char *const keys[] = {"version", "image", "env", "cause", NULL};
    const char *image = NULL, *cause = NULL;
    cJSON *json = cJSON_Duplicate(item->json, true);
    cJSON *container = history_container(setup, kind->name, ns, json);
    bool plain = revision->kind == DOC_SCALAR;
    if (!container)
        doc_error(revision, error, "%s '%s' has no containers", kind->name, name_of(json));
    if (!container || (!plain && doc_only(revision, keys, error)) ||
        doc_text(plain ? revision : doc_get(revision, "image"), &image, error) ||
        doc_text(doc_get(revision, "version"), &image, error) ||
        doc_text(doc_get(revision, "cause"), &cause, error)) {
        cJSON_Delete(json);
        return NULL;
    }
    if (image)
        json_set_text(container, "image", image_of_revision(setup, kind->name, ns, json, image));
    set_env(container, doc_get(revision, "env"));
    cJSON *annotations = json_child(json_child(json, "metadata"), "annotations");
    if (cause)
        json_set_text(annotations, "kubernetes.io/change-cause", cause);
    return json;
}

static int apply_history(struct setup *setup, const struct item *item, const struct kind *kind,
                         const char *ns, const struct doc *list, struct error *error)
{
    if (list->kind != DOC_SEQUENCE)
        return doc_error(list, error,
                         "a history is a list of earlier versions, oldest first: [v1, v2]");
    for (const struct doc *revision = list->first; revision; revision = revision->next) {
        struct api_error why = {0};
        cJSON *json = earlier(setup, item, kind, ns, revision, error);
        if (!json)
            return ERROR_INPUT;
        if (!apply(setup, kind, ns, json, &why))
            return doc_error(revision, error, "this revision is refused: %s", why.message);
        controllers_settle(setup->cluster);
    }
    return 0;
}

static int check_history(struct setup *setup, const struct items *items, struct error *error)
{
    const struct doc *history = doc_get(setup->config, "history");
    if (history && doc_want(history, DOC_MAPPING, error))
        return ERROR_INPUT;
    for (const struct doc *entry = history ? history->first : NULL; entry; entry = entry->next) {
        bool met = false;
        for (int i = 0; i < items->n && !met; i++) {
            const cJSON *json = items->at[i].json;
            const char *ns = json_text(json, "metadata", "namespace");
            met = json_at(json, "spec", "template") &&
                  history_of(setup, json_text(json, "kind"), ns ? ns : setup->ns, name_of(json)) ==
                      entry;
        }
        if (!met)
            return doc_error(entry, error,
                             "no Deployment, StatefulSet or DaemonSet '%s' in the manifests",
                             entry->key);
    }
    return 0;
}

/* ---- all of it ---- */

static int apply_item(struct setup *setup, const struct item *item, struct error *error)
{
    const struct kind *kind = kind_of(setup, item, error);
    struct api_error why = {0};
    if (!kind)
        return ERROR_INPUT;
    const char *ns = namespace_of(setup, kind, item->json);
    const struct doc *history = history_of(setup, kind->name, ns, name_of(item->json));
    if (manifest_namespace(setup, ns))
        return doc_error(item->node, error, "'%s': '%s' is no name of a namespace", item->path, ns);
    if (history && json_at(item->json, "spec", "template") &&
        apply_history(setup, item, kind, ns, history, error))
        return ERROR_INPUT;
    return apply(setup, kind, ns, cJSON_Duplicate(item->json, true), &why)
               ? 0
               : refused(item, &why, error);
}

/* Namespaces and definitions of kinds go before what needs them. */
static bool goes_first(const struct item *item)
{
    const char *kind = json_text(item->json, "kind");
    return strcmp(kind, "Namespace") == 0 || strcmp(kind, "CustomResourceDefinition") == 0;
}

int manifests_apply(struct setup *setup, struct error *error)
{
    struct items items = {0};
    int code = read_all(setup, &items, error);
    if (!code)
        code = check_history(setup, &items, error);
    for (int i = 0; i < items.n && !code; i++) {
        const char *ns = json_text(items.at[i].json, "metadata", "namespace");
        workloads_meet(setup, json_text(items.at[i].json, "kind"), ns ? ns : setup->ns,
                       items.at[i].json);
    }
    for (int round = 0; round < 2; round++) {
        for (int i = 0; i < items.n && !code; i++) {
            if (goes_first(&items.at[i]) == (round == 0))
                code = apply_item(setup, &items.at[i], error);
        }
    }
    release(&items);
    return code;
}
