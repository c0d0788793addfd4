/* kubectl get: k8s.io/kubectl pkg/cmd/get get.go. */
#include "fakes/kubernetes/kubectl/get.h"

#include <string.h>

#include "fakes/kubernetes/text/jsonpath.h"

/* What was typed as types, for a "TYPE,TYPE" or "all": how many there are, and whether all of them
 * have namespaces. */
struct typed {
    int n;
    bool namespaced;
};

static struct typed typed_kinds(struct kubectl *k, const struct resources *resources)
{
    struct typed typed = {0, true};
    const struct kind *last = NULL;
    bool by_type = k->n_args > 0 && !strchr(k->args[0], '/');
    struct str rest = str_of(by_type ? k->args[0] : "");
    while (rest.len) {
        const char *one = arena_str(k->arena, str_cut(&rest, ','));
        const struct kind *kind = cluster_resource(k->cluster, one);
        if (strcmp(one, "all") == 0)
            typed.n += 2;
        else if (kind && kind != last)
            typed.n++;
        typed.namespaced = typed.namespaced && (!kind || kind->namespaced);
        last = kind ? kind : last;
    }
    for (int i = 0; !by_type && i < resources->n; i++) {
        const struct kind *kind = resources->at[i].kind;
        bool seen = false;
        for (int j = 0; j < i && !seen; j++)
            seen = resources->at[j].kind == kind;
        typed.n += !seen;
        typed.namespaced = typed.namespaced && kind->namespaced;
    }
    return typed;
}

/* The objects there are, in their order. */
static const cJSON **objects_of(struct kubectl *k, const struct resources *resources, int *ret_n)
{
    const cJSON **objects = ARENA_ARRAY(k->arena, const cJSON *, resources->n + 1);
    *ret_n = 0;
    for (int i = 0; i < resources->n; i++) {
        if (resources->at[i].object)
            objects[(*ret_n)++] = resources->at[i].object->json;
    }
    return objects;
}

/* ---- -o json and the like ---- */

static int cannot_sort(struct get *get, const char *why)
{
    if (!get->fatal)
        return kubectl_error(get->k, "%s", why);
    call_err(get->k->call, "%s\n", why);
    return 1;
}

static int print_generic(struct get *get, struct resources *resources)
{
    struct kubectl *k = get->k;
    int n;
    if (resources->single && resources->n_complaints)
        return kubectl_finish(k, resources);
    if (!printer_read(k, &get->printer))
        return 1;
    const cJSON **objects = objects_of(k, resources, &n);
    const char *why = get->sort_by && n > 1 ? get_sort(get, objects, n, false) : NULL;
    if (why)
        return cannot_sort(get, why);
    if (resources->single && n == 0)
        return 0;
    const cJSON *object = resources->single ? objects[0] : printer_list(k, objects, n);
    return printer_print(&get->printer, object) | kubectl_finish(k, resources);
}

/* ---- tables ---- */

/* Consecutive resources of one kind are one table. */
static void print_tables(struct get *get, const struct resources *resources)
{
    const cJSON **objects = ARENA_ARRAY(get->k->arena, const cJSON *, resources->n + 1);
    int n = 0;
    for (int i = 0; i < resources->n; i++) {
        const struct resource *one = &resources->at[i];
        if (one->object)
            objects[n++] = one->object->json;
        if (i + 1 == resources->n || resources->at[i + 1].kind != one->kind) {
            get_table(get, one->kind, objects, n, NULL);
            n = 0;
        }
    }
}

/* What --sort-by does to tables: those of one list are sorted, and its mistakes leave nothing to
 * print; several lists or names are sorted as if the tables were the objects, which has no field
 * that people sort by. */
static const char *sort_tables(struct get *get, struct resources *resources, struct typed typed)
{
    struct kubectl *k = get->k;
    bool one_list = typed.n == 1 && k->n_args == 1 && !strchr(k->args[0], '/');
    if (!one_list && resources->n > 1)
        return arena_printf(k->arena,
                            "couldn't find any field with path \"%s\" in the list of objects",
                            get->sort_by);
    if (!one_list || resources->n < 2)
        return NULL;
    int n;
    const cJSON **objects = objects_of(k, resources, &n);
    const char *why = get_sort(get, objects, n, true);
    if (why) {
        resources->n = 0;
        return get->fatal ? why : NULL;
    }
    get_table(get, resources->at[0].kind, objects, n, NULL);
    resources->n = 0;
    return NULL;
}

static int print_human(struct get *get, struct resources *resources)
{
    struct kubectl *k = get->k;
    struct typed typed = typed_kinds(k, resources);
    get->show_kind = get->show_kind || typed.n > 1;
    if (!printer_read(k, &get->printer))
        return 1;
    const char *why = get->sort_by ? sort_tables(get, resources, typed) : NULL;
    if (why)
        return cannot_sort(get, why);
    print_tables(get, resources);
    if (!get->wrote && !resources->n_complaints && !options_has(&k->options, "ignore-not-found")) {
        if (k->all_namespaces || !typed.namespaced)
            call_err(k->call, "No resources found\n");
        else
            call_err(k->call, "No resources found in %s namespace.\n", k->ns);
    }
    return kubectl_finish(k, resources);
}

/* ---- the command ---- */

static int no_type(struct kubectl *k)
{
    call_err(k->call,
             "You must specify the type of resource to get. Use \"kubectl api-resources\" for a "
             "complete list of supported resources.\n\nerror: Required resource not "
             "specified.\nUse \"kubectl explain <resource>\" for a detailed description of that "
             "resource (e.g. kubectl explain pods).\nSee 'kubectl get -h' for help and examples\n");
    return 1;
}

static int raw(struct kubectl *k, const char *path)
{
    kubectl_request(k);
    if (strcmp(path, "/healthz") == 0 || strcmp(path, "/readyz") == 0 ||
        strcmp(path, "/livez") == 0) {
        call_out(k->call, "ok");
        return 0;
    }
    return kubectl_refuse(k, "get --raw %s", path);
}

/* All values of a flag that may be given several times, joined by ",". */
static const char *all_values(struct kubectl *k, const char *name)
{
    const char *text = "";
    for (int i = 0; i < k->options.n_given; i++) {
        if (strcmp(k->options.given[i].name, name) == 0)
            text =
                arena_printf(k->arena, "%s%s%s", text, *text ? "," : "", k->options.given[i].value);
    }
    return text;
}

/* False: what is asked for cannot be had, which has been said (*ret_exit). */
static bool read_flags(struct get *get, int *ret_exit)
{
    struct kubectl *k = get->k;
    const char *sort_by = options_value(&k->options, "sort-by", "");
    bool watches = options_has(&k->options, "watch") || options_has(&k->options, "watch-only");
    get->show_kind = options_has(&k->options, "show-kind");
    get->show_labels = options_has(&k->options, "show-labels");
    get->show_event = options_has(&k->options, "output-watch-events");
    get->label_columns = str_of(all_values(k, "label-columns"));
    if (get->show_event && !watches)
        *ret_exit = kubectl_error(
            k, "--output-watch-events option can only be used with --watch or --watch-only");
    else if (get->show_labels && !printer_is_table(k))
        *ret_exit = kubectl_error(
            k, "--show-labels option cannot be used with %s printer",
            options_value(&k->options, "output", options_value(&k->options, "template", "")));
    else if (options_value(&k->options, "subresource", NULL))
        *ret_exit = kubectl_refuse(k, "get --subresource");
    else if (strcmp(options_value(&k->options, "server-print", "true"), "false") == 0)
        *ret_exit = kubectl_refuse(k, "get --server-print=false");
    else if (*sort_by)
        get->sort_by = sort_by;
    return *ret_exit == 0;
}

static int run_get(struct kubectl *k)
{
    struct get *get = ARENA_NEW(k->arena, struct get);
    struct resources resources;
    int status = 0;
    const char *path = options_value(&k->options, "raw", NULL), *why = NULL;
    get->k = k;
    if (path)
        return raw(k, path);
    if (!read_flags(get, &status))
        return status;
    if (k->n_args == 0 && !options_value(&k->options, "filename", NULL) &&
        !options_has(&k->options, "kustomize"))
        return no_type(k);
    unsigned missing = options_has(&k->options, "ignore-not-found") ? RESOURCES_MISSING : 0;
    bool watches = options_has(&k->options, "watch") || options_has(&k->options, "watch-only");
    if (watches && k->n_args && (strchr(k->args[0], ',') || strcmp(k->args[0], "all") == 0))
        return kubectl_error(k, "you may only specify a single resource type");
    status = kubectl_resources(k, 0, RESOURCES_FILES | RESOURCES_SELECT | missing, &resources);
    if (status)
        return status;
    if (get->sort_by && !(get->sort_by = jsonpath_relaxed(k->arena, get->sort_by, &why))) {
        /* in front of a table the mistake is lost, and nothing is printed */
        if (!printer_is_table(k))
            return kubectl_error(k, "%s", why);
        resources.n = 0;
    }
    if (watches)
        return get_watch(get, &resources);
    return printer_is_table(k) ? print_human(get, &resources) : print_generic(get, &resources);
}

const struct kubectl_command kubectl_get_commands[] = {
    {"get",
     "all-namespaces|A chunk-size= field-selector= filename|f= ignore-not-found kustomize|k= "
     "label-columns|L= output-watch-events raw= recursive|R selector|l= server-print show-kind "
     "show-labels sort-by= subresource= watch|w watch-only" KUBECTL_GET_PRINT_FLAGS,
     run_get},
    {NULL, NULL, NULL},
};
