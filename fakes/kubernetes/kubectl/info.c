/* What the server is and knows: version, cluster-info, api-resources, api-versions, auth. */
#include <stdlib.h>
#include <string.h>

#include "fakes/kubernetes/kubectl/kubectl.h"
#include "fakes/kubernetes/kubectl/printer.h"
#include "fakes/kubernetes/kubectl/tabwriter.h"
#include "fakes/kubernetes/text/manifest.h"

/* ---- version ---- */

static void add_version(cJSON *root, const char *name, const char *commit, const char *date)
{
    cJSON *version = cJSON_AddObjectToObject(root, name);
    json_set_text(version, "major", "1");
    json_set_text(version, "minor", "32");
    json_set_text(version, "gitVersion", KUBECTL_VERSION);
    json_set_text(version, "gitCommit", commit);
    json_set_text(version, "gitTreeState", "clean");
    json_set_text(version, "buildDate", date);
    json_set_text(version, "goVersion", "go1.23.8");
    json_set_text(version, "compiler", "gc");
    json_set_text(version, "platform", "linux/amd64");
}

/* As Go marshals a struct with two blanks: fields in their own order. */
static void write_struct(struct buf *out, const cJSON *object, int depth)
{
    buf_puts(out, "{\n");
    for (const cJSON *field = object->child; field; field = field->next) {
        buf_printf(out, "%*s\"%s\": ", 2 * depth + 2, "", field->string);
        if (cJSON_IsObject(field))
            write_struct(out, field, depth + 1);
        else
            buf_printf(out, "\"%s\"", field->valuestring);
        buf_puts(out, field->next ? ",\n" : "\n");
    }
    buf_printf(out, "%*s}", 2 * depth, "");
}

static void delete_json(void *json)
{
    cJSON_Delete(json);
}

static int version(struct kubectl *k)
{
    static const char commit[] = "9894294ef13a5b32803e3ca2c0d620a088cc84d1";
    const char *format = options_value(&k->options, "output", "");
    bool client = options_has(&k->options, "client");
    if (*format && strcmp(format, "yaml") != 0 && strcmp(format, "json") != 0)
        return kubectl_error(k, "--output must be 'yaml' or 'json'");
    if (!client)
        kubectl_request(k);
    if (!*format) {
        call_out(k->call, "Client Version: %s\nKustomize Version: v5.5.0\n", KUBECTL_VERSION);
        if (!client)
            call_out(k->call, "Server Version: %s\n", KUBECTL_VERSION);
        return 0;
    }
    struct buf *out = kubectl_buf(k);
    cJSON *root = cJSON_CreateObject();
    call_defer(k->call, delete_json, root);
    add_version(root, "clientVersion", commit, "2025-05-15T09:12:10Z");
    json_set_text(root, "kustomizeVersion", "v5.5.0");
    if (!client)
        add_version(root, "serverVersion", commit, "2025-05-15T09:12:10Z");
    if (strcmp(format, "yaml") == 0)
        yaml_write(out, root);
    else
        write_struct(out, root, 0);
    buf_putc(out, '\n');
    call_write(k->call, 1, out->at, out->len);
    return 0;
}

/* ---- cluster-info ---- */

static int cluster_info(struct kubectl *k)
{
    struct contexts *contexts = cluster_contexts(k->cluster);
    const char *name = options_value(&k->options, "context", NULL), *server = "";
    if (k->n_args > 0 && strcmp(k->args[0], "dump") == 0)
        return kubectl_refuse(k, "cluster-info dump");
    for (int i = 0; i < contexts->n; i++) {
        if (name ? strcmp(contexts->at[i].name, name) == 0 : i == contexts->current)
            server = contexts->at[i].server;
    }
    kubectl_request(k);
    call_out(k->call,
             "Kubernetes control plane is running at %s\n\nTo further debug and diagnose cluster "
             "problems, use 'kubectl cluster-info dump'.\n",
             options_value(&k->options, "server", server));
    return 0;
}

/* ---- api-resources ---- */

/* The metrics server's own, which is no kind of the store. */
static const struct kind metrics[] = {
    {"NodeMetrics", "nodes", "node", "", "metrics.k8s.io", "v1beta1", false, false, false, false},
    {"PodMetrics", "pods", "pod", "", "metrics.k8s.io", "v1beta1", true, false, false, false},
};

static int by_group_and_name(const void *a, const void *b)
{
    const struct kind *x = *(const struct kind *const *)a, *y = *(const struct kind *const *)b;
    int order = strcmp(x->group, y->group);
    return order ? order : strcmp(x->plural, y->plural);
}

static int by_name(const void *a, const void *b)
{
    const struct kind *x = *(const struct kind *const *)a, *y = *(const struct kind *const *)b;
    int order = strcmp(x->plural, y->plural);
    return order ? order : strcmp(x->group, y->group);
}

static int by_kind(const void *a, const void *b)
{
    const struct kind *x = *(const struct kind *const *)a, *y = *(const struct kind *const *)b;
    int order = strcmp(x->name, y->name);
    return order ? order : by_group_and_name(a, b);
}

/* "namespaced=false" and the like: whether the flag, if given, lets the kind through. */
static bool wanted(struct kubectl *k, const struct kind *kind)
{
    static const char all_verbs[] = ",create,delete,deletecollection,get,list,patch,update,watch,";
    const char *namespaced = options_value(&k->options, "namespaced", NULL);
    const char *group = options_value(&k->options, "api-group", NULL);
    const char *categories = options_value(&k->options, "categories", "");
    bool measured = kind == &metrics[0] || kind == &metrics[1];
    struct str verbs = str_of(options_value(&k->options, "verbs", ""));
    if (namespaced && (strcmp(namespaced, "false") != 0) != kind->namespaced)
        return false;
    if (group && strcmp(group, kind->group) != 0)
        return false;
    if (*categories && (strcmp(categories, "all") != 0 || !kind->in_all))
        return false;
    while (verbs.len) {
        struct str verb = str_cut(&verbs, ',');
        const char *known = measured ? ",get,list," : all_verbs;
        if (!strstr(known, arena_printf(k->arena, ",%.*s,", STR_ARG(verb))))
            return false;
    }
    return true;
}

static void resource_row(struct kubectl *k, const struct kind *kind, bool wide, struct buf *text)
{
    char *shorts = arena_strdup(k->arena, kind->short_names);
    bool measured = kind == &metrics[0] || kind == &metrics[1];
    for (char *c = shorts; *c; c++)
        *c = *c == ' ' ? ',' : *c;
    buf_printf(text, "%s\t%s\t%s\t%s\t%s", kind->plural, shorts, kind_api_version(k->arena, kind),
               kind->namespaced ? "true" : "false", kind->name);
    if (wide)
        buf_printf(text, "\t%s\t%s",
                   measured ? "get,list"
                            : "create,delete,deletecollection,get,list,patch,update,watch",
                   kind->in_all ? "all" : "");
    buf_putc(text, '\n');
}

static int api_resources(struct kubectl *k)
{
    const char *format = options_value(&k->options, "output", "");
    const char *sort_by = options_value(&k->options, "sort-by", "");
    bool names = strcmp(format, "name") == 0, wide = strcmp(format, "wide") == 0;
    struct buf *text = kubectl_buf(k), *out = kubectl_buf(k);
    struct tabwriter writer = {.arena = k->arena, .min_width = 6, .padding = 3};
    if (k->n_args > 0)
        return kubectl_usage(k, "unexpected arguments: [%s]", k->args[0]);
    if (*format && !names && !wide)
        return kubectl_error(k, "--output %s is not available", format);
    if (*sort_by && strcmp(sort_by, "name") != 0 && strcmp(sort_by, "kind") != 0)
        return kubectl_error(k, "--sort-by accepts only name or kind");
    kubectl_request(k);
    size_t n = 0;
    const struct kind **all =
        ARENA_ARRAY(k->arena, const struct kind *, cluster_kinds(k->cluster) + 2);
    for (int i = 0; i < cluster_kinds(k->cluster); i++)
        all[n++] = cluster_kind_at(k->cluster, i);
    all[n++] = &metrics[0];
    all[n++] = &metrics[1];
    qsort(all, n, sizeof *all,
          strcmp(sort_by, "kind") == 0   ? by_kind
          : strcmp(sort_by, "name") == 0 ? by_name
                                         : by_group_and_name);
    if (!names && !options_has(&k->options, "no-headers"))
        buf_printf(text, "NAME\tSHORTNAMES\tAPIVERSION\tNAMESPACED\tKIND%s\n",
                   wide ? "\tVERBS\tCATEGORIES" : "");
    for (size_t i = 0; i < n; i++) {
        if (!wanted(k, all[i]))
            continue;
        if (names)
            buf_printf(text, "%s\n", kind_qualified(k->arena, all[i]));
        else
            resource_row(k, all[i], wide, text);
    }
    tabwriter_flush(&writer, buf_text(text), out);
    call_write(k->call, 1, out->at, out->len);
    return 0;
}

static int by_text(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static int api_versions(struct kubectl *k)
{
    size_t n = 0;
    const char **all = ARENA_ARRAY(k->arena, const char *, cluster_kinds(k->cluster) + 1);
    for (int i = 0; i < cluster_kinds(k->cluster); i++)
        all[n++] = kind_api_version(k->arena, cluster_kind_at(k->cluster, i));
    all[n++] = kind_api_version(k->arena, &metrics[0]);
    qsort(all, n, sizeof *all, by_text);
    kubectl_request(k);
    for (size_t i = 0; i < n; i++) {
        if (i == 0 || strcmp(all[i], all[i - 1]) != 0)
            call_out(k->call, "%s\n", all[i]);
    }
    return 0;
}

/* ---- auth ---- */

/* Everybody may do everything: rights are not modelled. */
static int can_i(struct kubectl *k)
{
    bool quiet = options_has(&k->options, "quiet");
    if (options_has(&k->options, "list"))
        return kubectl_refuse(k, "auth can-i --list");
    if (options_value(&k->options, "as", NULL))
        return kubectl_refuse(k, "auth can-i --as");
    if (k->n_args != 2 && k->n_args != 3) {
        call_err(k->call, "error: you must specify two arguments: verb resource or verb "
                          "resource/resourceName.\nSee 'kubectl auth can-i -h' for help and "
                          "examples.\n");
        return 1;
    }
    struct str type = str_of(k->args[1]);
    const char *name = arena_str(k->arena, str_cut(&type, '/'));
    if (*k->args[1] != '/' && strcmp(name, "*") != 0) {
        const struct kind *kind = cluster_resource(k->cluster, name);
        if (!kind)
            call_err(k->call, "Warning: the server doesn't have a resource type '%s'\n\n", name);
        else if (!kind->namespaced && !k->all_namespaces)
            call_err(k->call, "Warning: resource '%s' is not namespace scoped%s\n\n", kind->plural,
                     *kind->group ? arena_printf(k->arena, " in group '%s'", kind->group) : "");
    }
    kubectl_request(k);
    if (!quiet)
        call_out(k->call, "yes\n");
    return 0;
}

static int whoami(struct kubectl *k)
{
    kubectl_request(k);
    call_out(k->call, "ATTRIBUTE   VALUE\nUsername    kubernetes-admin\nGroups      "
                      "[system:masters system:authenticated]\n");
    return 0;
}

static int reconcile(struct kubectl *k)
{
    return kubectl_refuse(k, "auth reconcile");
}

const struct kubectl_command kubectl_info_commands[] = {
    {"version", "client output|o=", version},
    {"cluster-info", "", cluster_info},
    {"api-resources",
     "api-group= cached categories= namespaced no-headers output|o= sort-by= verbs=",
     api_resources},
    {"api-versions", "", api_versions},
    {"auth can-i", "all-namespaces|A list no-headers quiet|q subresource=", can_i},
    {"auth whoami", "", whoami},
    {"auth reconcile", "filename|f= kustomize|k= recursive|R", reconcile},
    {NULL, NULL, NULL},
};
