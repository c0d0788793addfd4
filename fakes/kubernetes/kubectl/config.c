/* kubectl config: k8s.io/kubectl pkg/cmd/config. The file itself is the cluster's list of contexts:
 * what is changed holds for the run. */
#include <string.h>

#include "fakes/kubernetes/kubectl/kubectl.h"
#include "fakes/kubernetes/kubectl/printer.h"
#include "fakes/kubernetes/kubectl/tabwriter.h"
#include "fakes/kubernetes/text/jsonpath.h"
#include "fakes/kubernetes/text/manifest.h"

static struct context *find(struct kubectl *k, const char *name)
{
    struct contexts *contexts = cluster_contexts(k->cluster);
    for (int i = 0; i < contexts->n; i++) {
        if (strcmp(contexts->at[i].name, name) == 0)
            return &contexts->at[i];
    }
    return NULL;
}

/* The one that commands go by: --context, or the current one; NULL: none. */
static struct context *current(struct kubectl *k)
{
    struct contexts *contexts = cluster_contexts(k->cluster);
    const char *name = options_value(&k->options, "context", NULL);
    if (name)
        return find(k, name);
    return contexts->current >= 0 ? &contexts->at[contexts->current] : NULL;
}

static int unexpected(struct kubectl *k)
{
    const char *text = "";
    for (int i = 0; i < k->n_args; i++)
        text = arena_printf(k->arena, "%s%s%s", text, i ? " " : "", k->args[i]);
    return kubectl_error(k, "Unexpected args: [%s]", text);
}

static int current_context(struct kubectl *k)
{
    struct contexts *contexts = cluster_contexts(k->cluster);
    if (contexts->current < 0)
        return kubectl_error(k, "current-context is not set");
    call_out(k->call, "%s\n", contexts->at[contexts->current].name);
    return 0;
}

static int use_context(struct kubectl *k)
{
    struct contexts *contexts = cluster_contexts(k->cluster);
    if (k->n_args != 1)
        return unexpected(k);
    struct context *context = find(k, k->args[0]);
    if (!context)
        return kubectl_error(k, "no context exists with the name: \"%s\"", k->args[0]);
    contexts->current = (int)(context - contexts->at);
    call_out(k->call, "Switched to context \"%s\".\n", context->name);
    return 0;
}

/* ---- lists ---- */

/* Contexts in the order of their names, in the arena. */
static struct context **sorted(struct kubectl *k)
{
    struct contexts *contexts = cluster_contexts(k->cluster);
    struct context **list = ARENA_ARRAY(k->arena, struct context *, contexts->n + 1);
    for (int i = 0; i < contexts->n; i++) {
        int at = i;
        for (; at > 0 && strcmp(list[at - 1]->name, contexts->at[i].name) > 0; at--)
            list[at] = list[at - 1];
        list[at] = &contexts->at[i];
    }
    return list;
}

static void context_row(struct kubectl *k, const struct context *context, struct buf *text)
{
    struct contexts *contexts = cluster_contexts(k->cluster);
    bool is_current = context - contexts->at == contexts->current;
    buf_printf(text, "%s\t%s\t%s\t%s\t%s\n", is_current ? "*" : "", context->name, context->cluster,
               context->user, context->ns);
}

static int get_contexts(struct kubectl *k)
{
    const char *format = options_value(&k->options, "output", "");
    bool names = strcmp(format, "name") == 0, missing = false;
    struct buf *text = kubectl_buf(k), *out = kubectl_buf(k);
    struct tabwriter writer = {.arena = k->arena, .min_width = 6, .padding = 3};
    if (*format && !names)
        return kubectl_error(k, "output must be one of '' or 'name': %s", format);
    if (!names && !options_has(&k->options, "no-headers"))
        buf_puts(text, "CURRENT\tNAME\tCLUSTER\tAUTHINFO\tNAMESPACE\n");
    for (struct context **one = sorted(k); *one; one++) {
        bool wanted = k->n_args == 0;
        for (int i = 0; i < k->n_args; i++)
            wanted = wanted || strcmp(k->args[i], (*one)->name) == 0;
        if (wanted && names)
            buf_printf(text, "%s\n", (*one)->name);
        else if (wanted)
            context_row(k, *one, text);
    }
    tabwriter_flush(&writer, buf_text(text), out);
    call_write(k->call, 1, out->at, out->len);
    for (int i = 0; i < k->n_args; i++) {
        if (!find(k, k->args[i])) {
            kubectl_error(k, "context %s not found", k->args[i]);
            missing = true;
        }
    }
    return missing;
}

static int get_clusters(struct kubectl *k)
{
    call_out(k->call, "NAME\n");
    for (struct context **one = sorted(k); *one; one++)
        call_out(k->call, "%s\n", (*one)->cluster);
    return 0;
}

static int get_users(struct kubectl *k)
{
    call_out(k->call, "NAME\n");
    for (struct context **one = sorted(k); *one; one++)
        call_out(k->call, "%s\n", (*one)->user);
    return 0;
}

/* ---- changes ---- */

static struct context *add(struct kubectl *k, const char *name)
{
    struct contexts *contexts = cluster_contexts(k->cluster);
    struct arena *arena = cluster_arena(k->cluster);
    struct context *grown = ARENA_ARRAY(arena, struct context, contexts->n + 1);
    if (contexts->n)
        memcpy(grown, contexts->at, sizeof *grown * (size_t)contexts->n);
    grown[contexts->n] = (struct context){
        .name = arena_strdup(arena, name), .cluster = "", .user = "", .server = "", .ns = ""};
    contexts->at = grown;
    return &contexts->at[contexts->n++];
}

static void change(struct kubectl *k, const char *option, const char **value)
{
    const char *given = options_value(&k->options, option, NULL);
    if (given)
        *value = arena_strdup(cluster_arena(k->cluster), given);
}

static int set_context(struct kubectl *k)
{
    bool of_current = options_has(&k->options, "current");
    if (k->n_args != (of_current ? 0 : 1))
        return unexpected(k);
    struct context *context = of_current ? current(k) : find(k, k->args[0]);
    if (of_current && !context)
        return kubectl_error(k, "no current context is set");
    bool made = !context;
    if (made)
        context = add(k, k->args[0]);
    change(k, "namespace", &context->ns);
    change(k, "cluster", &context->cluster);
    change(k, "user", &context->user);
    call_out(k->call, "Context \"%s\" %s.\n", context->name, made ? "created" : "modified");
    return 0;
}

static int rename_context(struct kubectl *k)
{
    if (k->n_args != 2)
        return unexpected(k);
    struct context *context = find(k, k->args[0]);
    if (!context)
        return kubectl_error(k, "cannot rename the context \"%s\", it's not in %s", k->args[0],
                             "/root/.kube/config");
    if (find(k, k->args[1]))
        return kubectl_error(k,
                             "cannot rename the context \"%s\", the context \"%s\" already exists "
                             "in %s",
                             k->args[0], k->args[1], "/root/.kube/config");
    context->name = arena_strdup(cluster_arena(k->cluster), k->args[1]);
    call_out(k->call, "Context \"%s\" renamed to \"%s\".\n", k->args[0], k->args[1]);
    return 0;
}

static int unset(struct kubectl *k)
{
    if (k->n_args != 1 || strcmp(k->args[0], "current-context") != 0)
        return kubectl_refuse(k, "config unset of anything but current-context");
    cluster_contexts(k->cluster)->current = -1;
    call_out(k->call, "Property \"current-context\" unset.\n");
    return 0;
}

/* ---- view ---- */

static cJSON *named(cJSON *list, const char *name, const char *what)
{
    cJSON *item = cJSON_CreateObject();
    cJSON_AddItemToArray(list, item);
    json_set_text(item, "name", name);
    return cJSON_AddObjectToObject(item, what);
}

static cJSON *config(struct kubectl *k, const struct context *only, bool raw)
{
    struct contexts *contexts = cluster_contexts(k->cluster);
    const char *hidden = raw ? "cmVoZWFyc2Vk" : "DATA+OMITTED";
    cJSON *root = cJSON_CreateObject();
    json_set_text(root, "apiVersion", "v1");
    json_set_text(root, "kind", "Config");
    cJSON *clusters = cJSON_AddArrayToObject(root, "clusters");
    cJSON *list = cJSON_AddArrayToObject(root, "contexts");
    cJSON *users = cJSON_AddArrayToObject(root, "users");
    json_set_text(root, "current-context",
                  contexts->current >= 0 ? contexts->at[contexts->current].name : "");
    cJSON_AddObjectToObject(root, "preferences");
    for (struct context **one = sorted(k); *one; one++) {
        if (only && *one != only)
            continue;
        cJSON *context = named(list, (*one)->name, "context");
        json_set_text(context, "cluster", (*one)->cluster);
        if (*(*one)->ns)
            json_set_text(context, "namespace", (*one)->ns);
        json_set_text(context, "user", (*one)->user);
        if (!*(*one)->server)
            continue;
        cJSON *cluster = named(clusters, (*one)->cluster, "cluster");
        json_set_text(cluster, "certificate-authority-data", hidden);
        json_set_text(cluster, "server", (*one)->server);
        cJSON *user = named(users, (*one)->user, "user");
        json_set_text(user, "client-certificate-data", hidden);
        json_set_text(user, "client-key-data", hidden);
    }
    return root;
}

static void delete_json(void *json)
{
    cJSON_Delete(json);
}

static int view(struct kubectl *k)
{
    struct printer printer;
    bool minify = options_has(&k->options, "minify");
    const struct context *only = minify ? current(k) : NULL;
    if (minify && !only)
        return kubectl_error(k, "current-context must exist in order to minify");
    cJSON *root = config(k, only, options_has(&k->options, "raw"));
    call_defer(k->call, delete_json, root);
    if (!printer_read(k, &printer))
        return 1;
    if (printer.format == PRINTER_TABLE)
        printer.format = PRINTER_YAML;
    return printer_print(&printer, root);
}

static int refused(struct kubectl *k)
{
    return kubectl_refuse(k, "%s", k->command->words);
}

const struct kubectl_command kubectl_config_commands[] = {
    {"config current-context", "", current_context},
    {"config use-context", "", use_context},
    {"config use", "", use_context},
    {"config get-contexts", "output|o= no-headers", get_contexts},
    {"config get-clusters", "", get_clusters},
    {"config get-users", "", get_users},
    {"config set-context", "current", set_context},
    {"config rename-context", "", rename_context},
    {"config unset", "", unset},
    {"config view", "minify raw flatten merge" KUBECTL_GET_PRINT_FLAGS, view},
    {"config set", "set-raw-bytes", refused},
    {"config set-cluster", "embed-certs proxy-url=", refused},
    {"config set-credentials",
     "auth-provider= auth-provider-arg= embed-certs exec-api-version= exec-arg= exec-command= "
     "exec-env=",
     refused},
    {"config delete-context", "", refused},
    {"config delete-cluster", "", refused},
    {"config delete-user", "", refused},
    {NULL, NULL, NULL},
};
