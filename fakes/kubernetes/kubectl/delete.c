/* kubectl delete. Source: k8s.io/kubectl pkg/cmd/delete/delete.go. */
#include <string.h>

#include "fakes/kubernetes/kubectl/apply.h"

#define WEEK (7 * DAY) /* what kubectl takes for no timeout */

/* ---- until it is gone ---- */

static bool owned_by(const struct object *object, const char *uid)
{
    const cJSON *owners = json_at(object->json, "metadata", "ownerReferences");
    for (const cJSON *one = owners ? owners->child : NULL; one; one = one->next) {
        const char *owner = json_text(one, "uid");
        if (owner && !strcmp(owner, uid))
            return true;
    }
    return false;
}

/* Foreground: an owner goes after all that it owns, and what that owns. */
static int wait_dependents(struct kubectl *k, const char *uid, int64_t until_ns, int depth)
{
    for (int i = 0; i < cluster_kinds(k->cluster) && depth < 4; i++) {
        struct object **found =
            cluster_list(k->cluster, k->arena, cluster_kind_at(k->cluster, i), NULL, NULL, NULL);
        for (; *found; found++) {
            if (!owned_by(*found, uid))
                continue;
            const char *own = arena_strdup(k->arena, json_text((*found)->json, "metadata", "uid"));
            int gone = kubectl_wait_gone(k, *found, until_ns - call_now(k->call));
            if (gone == 1)
                gone = wait_dependents(k, own, until_ns, depth + 1);
            if (gone != 1)
                return gone;
        }
    }
    return 1;
}

int kubectl_wait_gone(struct kubectl *k, const struct object *object, int64_t timeout_ns)
{
    int64_t until_ns = call_now(k->call) + (timeout_ns ? timeout_ns : WEEK);
    while (!object->gone) {
        int more = cluster_await(k->call, k->cluster, cluster_version(k->cluster), until_ns);
        if (more != 1)
            return object->gone ? 1 : more;
    }
    return 1;
}

int kubectl_delete_and_wait(struct kubectl *k, struct object *object, int grace_s,
                            enum cascade cascade, int64_t timeout_ns)
{
    int64_t until_ns = call_now(k->call) + (timeout_ns ? timeout_ns : WEEK);
    const char *uid = arena_strdup(k->arena, json_text(object->json, "metadata", "uid"));
    kubectl_request(k);
    cluster_delete(k->cluster, object, grace_s, cascade == CASCADE_ORPHAN);
    int gone = kubectl_wait_gone(k, object, timeout_ns);
    return gone == 1 && cascade == CASCADE_FOREGROUND ? wait_dependents(k, uid, until_ns, 0) : gone;
}

/* ---- the command ---- */

struct deleting {
    struct kubectl *k;
    struct resources resources;
    enum dry_run dry_run;
    enum cascade cascade;
    int64_t grace_s;
    int64_t timeout_ns;
    bool ignore_not_found, wait;
    struct object **waited; /* deleted, and waited for */
    const char **uids;
    int n_waited;
};

static void print(struct deleting *d, const struct resource *r)
{
    struct kubectl *k = d->k;
    const char *kind = kind_qualified_singular(k->arena, r->kind);
    if (!strcmp(options_value(&k->options, "output", ""), "name"))
        call_out(k->call, "%s/%s\n", kind, r->name);
    else
        call_out(k->call, "%s \"%s\" %sdeleted%s\n", kind, r->name, d->grace_s ? "" : "force ",
                 d->dry_run == DRY_RUN_CLIENT   ? " (dry run)"
                 : d->dry_run == DRY_RUN_SERVER ? " (server dry run)"
                                                : "");
}

/* plugin/pkg/admission/namespace/lifecycle: these stay. */
static bool is_immortal(const struct resource *r)
{
    return !strcmp(r->kind->name, "Namespace") &&
           (!strcmp(r->name, "default") || !strcmp(r->name, "kube-system") ||
            !strcmp(r->name, "kube-public"));
}

static void delete_one(struct deleting *d, struct resource *r)
{
    struct kubectl *k = d->k;
    const char *what = r->source ? kubectl_when(k, "deleting", r) : NULL;
    if (!*r->name) {
        resources_complain(k, &d->resources, "%s: resource name may not be empty", what);
        return;
    }
    if (d->dry_run == DRY_RUN_CLIENT) {
        print(d, r);
        return;
    }
    kubectl_request(k);
    struct object *object = cluster_find(k->cluster, r->kind, r->ns, r->name);
    if (!object) {
        struct api_error error = {0};
        api_not_found(k->cluster, &error, r->kind, r->name);
        if (!d->ignore_not_found)
            resources_complain_server(k, &d->resources, &error, what);
        return;
    }
    if (is_immortal(r)) {
        struct api_error error = {0};
        api_fail(k->cluster, &error, 403, "Forbidden",
                 "namespaces \"%s\" is forbidden: this namespace may not be deleted", r->name);
        resources_complain_server(k, &d->resources, &error, what);
        return;
    }
    d->uids[d->n_waited] = arena_strdup(k->arena, json_text(object->json, "metadata", "uid"));
    d->waited[d->n_waited++] = object;
    if (d->dry_run == DRY_RUN_NONE)
        cluster_delete(k->cluster, object, (int)d->grace_s, d->cascade == CASCADE_ORPHAN);
    print(d, r);
}

static int wait_for_all(struct deleting *d)
{
    struct kubectl *k = d->k;
    int64_t until_ns = call_now(k->call) + (d->timeout_ns ? d->timeout_ns : WEEK);
    for (int i = 0; i < d->n_waited; i++) {
        const struct object *object = d->waited[i];
        int64_t left = until_ns - call_now(k->call);
        int gone = kubectl_wait_gone(k, object, left > 0 ? left : 1);
        if (gone == 1 && d->cascade == CASCADE_FOREGROUND)
            gone = wait_dependents(k, d->uids[i], until_ns, 0);
        if (gone == 0)
            return kubectl_error(k, "timed out waiting for the condition on %s/%s",
                                 object->kind->plural, object->name);
        if (gone < 0)
            return 1;
    }
    return 0;
}

static bool read_flags(struct deleting *d)
{
    struct kubectl *k = d->k;
    const struct options *options = &k->options;
    const char *format = options_value(options, "output", "");
    bool force = options_has(options, "force"), all = options_has(options, "all");
    if (!kubectl_cascade_flag(k, &d->cascade) ||
        !kubectl_int_flag(k, "grace-period", -1, &d->grace_s) ||
        !kubectl_duration_flag(k, "timeout", 0, &d->timeout_ns) || !kubectl_dry_run(k, &d->dry_run))
        return false;
    const char *wrong = NULL;
    if (options_has(options, "now") && d->grace_s != -1)
        wrong = "--now and --grace-period cannot be specified together";
    else if (*format && strcmp(format, "name") != 0)
        wrong = arena_printf(k->arena, "unexpected -o output mode: %s. We only support '-o name'",
                             format);
    else if (all && *options_value(options, "selector", ""))
        wrong = "setting 'all' parameter but found a non empty selector. ";
    else if (all && *options_value(options, "field-selector", ""))
        wrong = "cannot set --all and --field-selector at the same time";
    if (options_has(options, "now"))
        d->grace_s = 1;
    if (d->grace_s == 0 && !force)
        d->grace_s = 1; /* only --force takes away a pod's time to end */
    if (force && d->grace_s < 0)
        d->grace_s = 0;
    if (!wrong && force && d->grace_s > 0)
        wrong = "--force and --grace-period greater than 0 cannot be specified together";
    if (wrong)
        kubectl_error(k, "%s", wrong);
    else if (force)
        call_err(k->call,
                 "Warning: Immediate deletion does not wait for confirmation that the running "
                 "resource has been terminated. The resource may continue to run on the cluster "
                 "indefinitely.\n");
    return !wrong;
}

/* "Are you sure" of --interactive, with what would go. */
static bool confirmed(struct deleting *d)
{
    struct kubectl *k = d->k;
    char answer = 0;
    if (!options_has(&k->options, "interactive"))
        return true;
    call_out(k->call, "You are about to delete the following %d resource(s):\n", d->resources.n);
    for (int i = 0; i < d->resources.n; i++)
        call_out(k->call, "%s/%s\n", d->resources.at[i].kind->plural, d->resources.at[i].name);
    call_out(k->call, "Do you want to continue? [y/N]: ");
    if (call_read(k->call, 0, &answer, 1) == 1 && (answer == 'y' || answer == 'Y'))
        return true;
    call_out(k->call, "deletion is cancelled\n");
    return false;
}

static int run_delete(struct kubectl *k)
{
    struct deleting *d = ARENA_NEW(k->arena, struct deleting);
    unsigned flags = RESOURCES_FILES | RESOURCES_SELECT | RESOURCES_MISSING | RESOURCES_NEED_NAME;
    d->k = k;
    if (!read_flags(d))
        return 1;
    if (options_value(&k->options, "raw", NULL))
        return kubectl_refuse(k, "delete --raw");
    bool all = options_has(&k->options, "all");
    bool selects = all || *options_value(&k->options, "selector", "") ||
                   *options_value(&k->options, "field-selector", "");
    bool files = options_value(&k->options, "filename", NULL);
    if (selects && !k->n_args && !files)
        return kubectl_error(k, "at least one resource must be specified to use a selector");
    d->ignore_not_found = options_has(&k->options, "ignore-not-found") ||
                          (all && !options_value(&k->options, "ignore-not-found", NULL));
    d->wait = strcmp(options_value(&k->options, "wait", "true"), "false") != 0;
    int failed = kubectl_resources(k, 0, flags, &d->resources);
    if (failed)
        return failed;
    if (!confirmed(d))
        return 0;
    d->waited = ARENA_ARRAY(k->arena, struct object *, d->resources.n + 1);
    d->uids = ARENA_ARRAY(k->arena, const char *, d->resources.n + 1);
    for (int i = 0; i < d->resources.n; i++)
        delete_one(d, &d->resources.at[i]);
    if (kubectl_finish(k, &d->resources))
        return 1;
    if (!d->resources.n)
        call_out(k->call, "No resources found\n");
    return d->wait && d->dry_run == DRY_RUN_NONE ? wait_for_all(d) : 0;
}

const struct kubectl_command kubectl_delete_commands[] = {
    {"delete",
     "all all-namespaces|A cascade=? field-selector= force grace-period= ignore-not-found "
     "interactive|i now output|o= raw= selector|l= timeout= wait" KUBECTL_FILE_FLAGS
         KUBECTL_DRY_RUN_FLAGS,
     run_delete},
    {NULL, NULL, NULL},
};
