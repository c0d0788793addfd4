/* What a command line names: k8s.io/cli-runtime pkg/resource builder.go, visitor.go. */
#include <string.h>

#include "fakes/kubernetes/kubectl/kubectl.h"
#include "fakes/kubernetes/text/manifest.h"

struct builder {
    struct kubectl *k;
    unsigned flags;
    struct resources *ret;
    const struct selector *labels, *fields;
    const char *wrong; /* with one of them; NULL */
    int n_files;       /* read so far */
    bool all;          /* --all, or a selector: a type alone means all of it */
};

static void add(struct builder *b, const struct resource *resource)
{
    struct resources *resources = b->ret;
    struct resource *more = ARENA_ARRAY(b->k->arena, struct resource, resources->n + 1);
    if (resources->n)
        memcpy(more, resources->at, (size_t)resources->n * sizeof *more);
    more[resources->n++] = *resource;
    resources->at = more;
}

const char *resource_name(struct arena *arena, const struct resource *resource)
{
    return arena_printf(arena, "%s/%s", kind_qualified_singular(arena, resource->kind),
                        resource->name);
}

/* ---- by name and by selector ---- */

static void add_named(struct builder *b, const struct kind *kind, const char *name)
{
    struct kubectl *k = b->k;
    struct api_error error;
    struct resource resource = {.kind = kind, .ns = kind->namespaced ? k->ns : "", .name = name};
    resource.object = cluster_find(k->cluster, kind, k->ns, name);
    kubectl_request(k);
    if (resource.object || (b->flags & RESOURCES_MISSING)) {
        add(b, &resource);
        return;
    }
    api_not_found(k->cluster, &error, kind, name);
    resources_complain_server(k, b->ret, &error, NULL);
}

static void add_selected(struct builder *b, const struct kind *kind)
{
    struct kubectl *k = b->k;
    const char *ns = k->all_namespaces ? NULL : k->ns;
    kubectl_request(k);
    const char *wrong = b->wrong, *unknown = selector_unknown_field(b->fields, kind->name);
    if (!wrong && unknown)
        wrong = arena_printf(k->arena, "field label not supported: %s", unknown);
    if (wrong) {
        struct api_error error = {400, "BadRequest", wrong, NULL};
        resources_complain_server(
            k, b->ret, &error,
            arena_printf(k->arena,
                         "Unable to find \"%s/%s, Resource=%s\" that match label selector \"%s\", "
                         "field selector \"%s\"",
                         kind->group, kind->version, kind->plural,
                         options_value(&k->options, "selector", ""),
                         options_value(&k->options, "field-selector", "")));
        return;
    }
    struct object **found = cluster_list(k->cluster, k->arena, kind, ns, b->labels, b->fields);
    for (; *found; found++)
        add(b, &(struct resource){
                   .kind = kind, .ns = (*found)->ns, .name = (*found)->name, .object = *found});
}

static const struct kind *want_kind(struct builder *b, const char *typed, int *ret_exit)
{
    const struct kind *kind = cluster_resource(b->k->cluster, typed);
    if (!kind)
        *ret_exit = kubectl_error(b->k, "the server doesn't have a resource type \"%s\"", typed);
    return kind;
}

/* "pods,services" or "all", as kinds; n 0 on failure. */
static const struct kind **want_kinds(struct builder *b, const char *typed, int *ret_exit)
{
    struct cluster *cluster = b->k->cluster;
    struct arena *arena = b->k->arena;
    const struct kind **kinds =
        ARENA_ARRAY(arena, const struct kind *, cluster_kinds(cluster) + (int)strlen(typed) + 1);
    int n = 0;
    struct str rest = str_of(typed);
    while (rest.len) {
        const char *one = arena_str(arena, str_cut(&rest, ','));
        if (strcmp(one, "all") == 0) {
            for (int i = 0; i < cluster_kinds(cluster); i++)
                if (cluster_kind_at(cluster, i)->in_all)
                    kinds[n++] = cluster_kind_at(cluster, i);
        } else if (!(kinds[n++] = want_kind(b, one, ret_exit))) {
            return NULL;
        }
    }
    return kinds;
}

static bool is_pair(const char *arg)
{
    return strchr(arg, '/') != NULL;
}

/* TYPE/NAME TYPE/NAME ... */
static int take_pairs(struct builder *b, char **args, int n)
{
    struct kubectl *k = b->k;
    int exit_status = 0;
    for (int i = 0; i < n; i++) {
        if (!is_pair(args[i]))
            return kubectl_error(
                k, "there is no need to specify a resource type as a separate argument when "
                   "passing arguments in resource/name form (e.g. 'kubectl get "
                   "resource/<resource_name>' instead of 'kubectl get resource "
                   "resource/<resource_name>'");
        if (b->labels)
            return kubectl_error(k, "selectors and the all flag cannot be used when passing "
                                    "resource/name arguments");
        if (k->all_namespaces)
            return kubectl_error(k, "a resource cannot be retrieved by name across all namespaces");
    }
    for (int i = 0; i < n; i++) {
        struct str name = str_of(args[i]);
        const char *type = arena_str(k->arena, str_cut(&name, '/'));
        if (name.len && memchr(name.at, '/', name.len))
            return kubectl_error(
                k, "arguments in resource/name form may not have more than one slash");
        if (!*type || !name.len)
            return kubectl_error(
                k, "arguments in resource/name form must have a single resource and name");
        const struct kind *kind = want_kind(b, type, &exit_status);
        if (!kind)
            return exit_status;
        add_named(b, kind, arena_str(k->arena, name));
    }
    b->ret->single = n == 1;
    return 0;
}

/* TYPE NAME ... */
static int take_names(struct builder *b, const struct kind **kinds, char **names, int n)
{
    struct kubectl *k = b->k;
    for (int i = 0; i < n; i++)
        if (is_pair(names[i]))
            return kubectl_error(
                k, "there is no need to specify a resource type as a separate argument when "
                   "passing arguments in resource/name form (e.g. 'kubectl get "
                   "resource/<resource_name>' instead of 'kubectl get resource "
                   "resource/<resource_name>'");
    if (b->all)
        return kubectl_error(k, "name cannot be provided when a selector is specified");
    if (k->all_namespaces)
        return kubectl_error(k, "a resource cannot be retrieved by name across all namespaces");
    for (int i = 0; kinds[i]; i++)
        for (int j = 0; j < n; j++)
            add_named(b, kinds[i], names[j]);
    b->ret->single = n == 1 && !kinds[1];
    return 0;
}

static int take_args(struct builder *b, char **args, int n)
{
    int exit_status = 0;
    bool pairs = false;
    for (int i = 0; i < n && !pairs; i++)
        pairs = is_pair(args[i]);
    if (pairs)
        return take_pairs(b, args, n);
    const struct kind **kinds = want_kinds(b, args[0], &exit_status);
    if (!kinds)
        return exit_status;
    if (n > 1)
        return take_names(b, kinds, args + 1, n - 1);
    if (!b->all && (!(b->flags & RESOURCES_SELECT) || (b->flags & RESOURCES_NEED_NAME)))
        return kubectl_error(b->k, "resource(s) were provided, but no name was specified");
    for (int i = 0; kinds[i]; i++)
        add_selected(b, kinds[i]);
    return 0;
}

/* ---- out of files ---- */

static void add_document(struct builder *b, cJSON *document, const char *source);

/* The items of a list, which may lack a kind of their own. */
static void add_items(struct builder *b, cJSON *list, const char *source)
{
    const char *version = json_text(list, "apiVersion"), *kind = json_text(list, "kind");
    cJSON *items = cJSON_GetObjectItemCaseSensitive(list, "items");
    for (cJSON *item = items ? items->child : NULL; item; item = item->next) {
        if (strcmp(kind, "List") != 0 && cJSON_IsObject(item) && !json_at(item, "kind")) {
            json_set_text(item, "kind",
                          arena_str(b->k->arena, (struct str){kind, strlen(kind) - 4}));
            json_set_text(item, "apiVersion", version);
        }
        add_document(b, item, source);
    }
}

static void add_document(struct builder *b, cJSON *document, const char *source)
{
    struct kubectl *k = b->k;
    const char *mistake = manifest_decode_error(k->arena, document, source);
    if (mistake) {
        resources_complain(k, b->ret, "%s", mistake);
        return;
    }
    const char *kind_name = json_text(document, "kind");
    const char *version = json_text(document, "apiVersion");
    if (str_ends(str_of(kind_name), "List") && json_at(document, "items")) {
        add_items(b, document, source);
        return;
    }
    const char *name = json_text(document, "metadata", "name");
    const char *ns = json_text(document, "metadata", "namespace");
    const struct kind *kind = cluster_kind(k->cluster, kind_name, version ? version : "v1");
    if (!kind) {
        resources_complain(k, b->ret,
                           "resource mapping not found for name: \"%s\" namespace: \"%s\" from "
                           "\"%s\": no matches for kind \"%s\" in version \"%s\"\nensure CRDs are "
                           "installed first",
                           name ? name : "", ns ? ns : "", source, kind_name,
                           version ? version : "");
        return;
    }
    if (kind->namespaced && k->ns_given && ns && *ns && strcmp(ns, k->ns) != 0) {
        resources_complain(k, b->ret,
                           "the namespace from the provided object \"%s\" does not match the "
                           "namespace \"%s\". You must pass '--namespace=%s' to perform this "
                           "operation.",
                           ns, k->ns, ns);
        return;
    }
    if (b->labels && !selector_matches(b->labels, json_at(document, "metadata", "labels")))
        return;
    const char *in = arena_strdup(k->arena, !kind->namespaced ? "" : ns && *ns ? ns : k->ns);
    if (kind->namespaced)
        json_set_text(json_child(document, "metadata"), "namespace", in);
    struct resource resource = {.kind = kind,
                                .ns = in,
                                .name = name ? arena_strdup(k->arena, name) : "",
                                .json = document,
                                .source = source};
    resource.object = name ? cluster_find(k->cluster, kind, in, name) : NULL;
    add(b, &resource);
}

static void release_manifest(void *manifest)
{
    manifest_release(manifest);
}

/* The client looks at objects before it sends them, in commands that have --validate. */
static bool validates(const struct kubectl *k)
{
    const char *typed = options_value(&k->options, "validate", "strict");
    return strstr(k->command->flags, "validate=") && strcmp(typed, "false") != 0 &&
           strcmp(typed, "ignore") != 0;
}

static void add_text(struct builder *b, struct str text, const char *source)
{
    struct manifest *manifest = ARENA_NEW(b->k->arena, struct manifest);
    const char *why = manifest_read(b->k->arena, text, manifest);
    call_defer(b->k->call, release_manifest, manifest);
    for (int i = 0; i < manifest->n; i++) {
        const char *invalid =
            validates(b->k) ? manifest_invalid(b->k->arena, manifest->documents[i], source) : NULL;
        if (invalid) { /* nothing behind it is read */
            resources_complain(b->k, b->ret, "%s", invalid);
            return;
        }
        add_document(b, manifest->documents[i], source);
    }
    if (why)
        resources_complain(b->k, b->ret, "error parsing %s: %s", source, why);
}

static void release_text(void *text)
{
    buf_release(text);
}

static struct buf *new_text(struct kubectl *k)
{
    struct buf *text = ARENA_NEW(k->arena, struct buf);
    buf_init(text, 8 << 20);
    call_defer(k->call, release_text, text);
    return text;
}

static bool is_manifest_name(const char *name)
{
    return str_ends(str_of(name), ".json") || str_ends(str_of(name), ".yaml") ||
           str_ends(str_of(name), ".yml");
}

static void add_path(struct builder *b, const char *path, bool recursive, int depth)
{
    struct kubectl *k = b->k;
    int there = call_exists(k->call, path);
    char **names;
    if (there == 2 && depth < 16 && (recursive || !depth) &&
        call_list(k->call, path, &names) == 0) {
        int before = b->n_files;
        for (; *names; names++) {
            size_t len = strlen(path);
            const char *slash = len && path[len - 1] == '/' ? "" : "/";
            const char *inside = arena_printf(k->arena, "%s%s%s", path, slash, *names);
            if (is_manifest_name(*names) || (recursive && call_exists(k->call, inside) == 2))
                add_path(b, inside, recursive, depth + 1);
        }
        if (!depth && b->n_files == before)
            resources_complain(
                k, b->ret, "error reading [%s]: recognized file extensions are [.json .yaml .yml]",
                path);
    } else if (there == 1) {
        b->n_files++;
        struct buf *text = new_text(k);
        if (call_load(k->call, path, text) < 0)
            resources_complain(k, b->ret, "open %s: permission denied", path);
        else
            add_text(b, buf_text(text), path);
    } else if (!depth) {
        resources_complain(k, b->ret, "the path \"%s\" does not exist", path);
    }
}

static int take_files(struct builder *b)
{
    struct kubectl *k = b->k;
    bool recursive = options_has(&k->options, "recursive"), any = false;
    for (int i = 0; i < k->options.n_given; i++) {
        const struct option *option = &k->options.given[i];
        if (strcmp(option->name, "kustomize") == 0)
            return kubectl_refuse(k, "kustomize (-k)");
        if (strcmp(option->name, "filename") != 0)
            continue;
        struct str rest = str_of(option->value);
        while (rest.len) {
            const char *path = arena_str(k->arena, str_cut(&rest, ','));
            if (strncmp(path, "http://", 7) == 0 || strncmp(path, "https://", 8) == 0)
                return kubectl_refuse(k, "a manifest from the network (%s)", path);
            if (strcmp(path, "-") == 0) {
                struct buf *text = new_text(k);
                call_read_all(k->call, 0, text);
                add_text(b, buf_text(text), "STDIN");
            } else {
                add_path(b, path, recursive, 0);
            }
            any = true;
        }
    }
    b->ret->single = any && b->ret->n == 1;
    return 0;
}

/* ---- both ---- */

/* They are sent as they were typed: the server reads them, for each kind. */
static void read_selectors(struct builder *b)
{
    struct kubectl *k = b->k;
    const char *labels = options_value(&k->options, "selector", ""),
               *fields = options_value(&k->options, "field-selector", ""), *why = NULL;
    if (*labels && !(b->labels = selector_labels(k->arena, labels, &why)))
        b->wrong = why;
    if (*fields && !(b->fields = selector_fields(k->arena, fields, &why)))
        b->wrong = why;
    b->all = options_has(&k->options, "all") || *labels || *fields;
}

int kubectl_resources(struct kubectl *k, int first, unsigned flags, struct resources *ret)
{
    struct builder b = {.k = k, .flags = flags, .ret = ret};
    int n = k->n_args - first;
    bool files = (flags & RESOURCES_FILES) && (options_value(&k->options, "filename", NULL) ||
                                               options_has(&k->options, "kustomize"));
    *ret = (struct resources){0};
    read_selectors(&b);
    if (files && n > 0)
        return kubectl_error(k, "when paths, URLs, or stdin is provided as input, you may not "
                                "specify resource arguments as well");
    if (files)
        return take_files(&b);
    if (n <= 0)
        return kubectl_error(k, "You must provide one or more resources by argument or "
                                "filename.\nExample resource specifications include:\n   '-f "
                                "rsrc.yaml'\n   '--filename=rsrc.json'\n   '<resource> "
                                "<name>'\n   '<resource>'");
    return take_args(&b, k->args + first, n);
}
