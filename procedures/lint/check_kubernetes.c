/* Rules about Kubernetes, Helm and the like. */
#include <ctype.h>
#include <string.h>
#include <strings.h>

#include "procedures/lint/internal.h"

/* The first use behind `use` in the same procedure that `wanted` accepts, or NULL. */
typedef bool use_test(const struct use *);

static const struct use *find_after(const struct lint *lint, const struct use *use,
                                    use_test *wanted)
{
    for (const struct use *at = use + 1; at < lint->uses + lint->n_uses; at++)
        if (same_scope(lint, use, at) && wanted(at))
            return at;
    return NULL;
}

static const struct use *find_before(const struct lint *lint, const struct use *use,
                                     use_test *wanted)
{
    for (const struct use *at = use - 1; at >= lint->uses; at--)
        if (same_scope(lint, use, at) && wanted(at))
            return at;
    return NULL;
}

/* ---- waiting for a rollout ---- */

static bool waits_for_rollout(const struct use *use)
{
    if (use_is(use, "kubectl", "rollout", "status") || use_is(use, "kubectl", "wait", NULL))
        return true;
    /* a loop that asks for the number of ready replicas waits too */
    return use_is(use, "kubectl", "get", NULL) &&
           (use_mentions(use, "readyReplicas") || use_mentions(use, "ready"));
}

/* The name of the workload, behind its kind or joined to it ("deployment/api", "deploy api"); or
 * NULL if it is no plain name. `i` is the operand that holds the kind. */
static const char *workload(const struct use *use, int i)
{
    const char *slash = i < use->n_operands ? strchr(use->operands[i], '/') : NULL;
    const char *name = slash ? slash + 1 : i + 1 < use->n_operands ? use->operands[i + 1] : NULL;
    return name && *name && !strpbrk(name, "$<{[`\"=") ? name : NULL;
}

static const char *started_workload(const struct use *use)
{
    bool verb2 = use_is(use, "kubectl", "rollout", NULL) || use_is(use, "kubectl", "set", NULL);
    return use_mentions(use, "--all") ? NULL : workload(use, verb2 ? 2 : 1);
}

/* A wait that names another workload, in so many words, is none for this one. */
static bool waits_for_another(const struct use *wait, const char *name)
{
    const char *other = use_is(wait, "kubectl", "rollout", "status") ? workload(wait, 2) : NULL;
    return name && other && strcmp(name, other) != 0;
}

/* Manifests that hold no pods, by what their files are called. */
static bool names_no_workload(const char *file)
{
    static const char *const words[] = {"config", "secret", "service.", "svc",     "ingress",
                                        "rbac",   "role",   "crd",      "pvc",     "namespace",
                                        "policy", "rule",   "alert",    "monitor", NULL};
    for (int i = 0; words[i]; i++)
        if (strcasestr(file, words[i]))
            return true;
    return false;
}

static bool applies_workload(const struct use *use)
{
    const char *file = use_value(use, "-f", "--filename");
    if (use_mentions(use, "--dry-run"))
        return false;
    if (use_value(use, "-k", "--kustomize"))
        return true;
    return file && strcmp(file, "-") != 0 && !names_no_workload(file);
}

static bool starts_rollout(const struct use *use)
{
    const char *replicas;
    if (use_is(use, "kubectl", "rollout", "undo") || use_is(use, "kubectl", "rollout", "restart") ||
        use_is(use, "kubectl", "set", "image") || use_is(use, "kubectl", "set", "env"))
        return true;
    if (use_is(use, "kubectl", "patch", NULL))
        return use->n_operands > 1 && (!strncasecmp(use->operands[1], "deploy", 6) ||
                                       !strncasecmp(use->operands[1], "statefulset", 11) ||
                                       !strncasecmp(use->operands[1], "sts", 3) ||
                                       !strncasecmp(use->operands[1], "daemonset", 9));
    if (use_is(use, "kubectl", "apply", NULL) || use_is(use, "kubectl", "replace", NULL))
        return applies_workload(use);
    replicas = use_is(use, "kubectl", "scale", NULL) ? use_value(use, NULL, "--replicas") : NULL;
    return replicas && strcmp(replicas, "0") != 0;
}

static bool is_waited_for(const struct lint *lint, const struct use *use)
{
    bool files = use_is(use, "kubectl", "apply", NULL) || use_is(use, "kubectl", "replace", NULL);
    const char *name = files ? NULL : started_workload(use);
    for (const struct use *at = use + 1; at < lint->uses + lint->n_uses; at++)
        if (same_scope(lint, use, at) && waits_for_rollout(at) && !waits_for_another(at, name))
            return true;
    return false;
}

/* Arguments that an array or "$@" brings may hold the option that is looked for. */
static bool has_list(const struct use *use)
{
    for (int i = 1; i < use->argc; i++)
        if (strstr(use->argv[i], "[@]") || strstr(use->argv[i], "[*]") ||
            strstr(use->argv[i], "$@") || strstr(use->argv[i], "${@"))
            return true;
    return false;
}

static void check_waiting(struct lint *lint, const struct use *use)
{
    if (starts_rollout(use) && !use->watched && !is_waited_for(lint, use)) {
        const char *name = started_workload(use);
        if (name && find_after(lint, use, waits_for_rollout))
            lint_add_use(lint, "RB008", use,
                         "'kubectl %s' returns at once, and what waits after it here waits for "
                         "others, not for '%s'",
                         use->operands[0], name);
        else
            lint_add_use(lint, "RB008", use,
                         "'kubectl %s' returns at once, and nothing after it here waits for the "
                         "pods",
                         use->operands[0]);
    }
    if (use_is(use, "kubectl", "rollout", "status") && !use_has(use, "--timeout") &&
        !use->limited && !use->watched)
        lint_add_use(lint, "RB002", use,
                     "rollout status without --timeout waits until the progress deadline, 10 "
                     "minutes if nobody set it");
    if (use_is(use, "helm", "rollback", NULL) && !use_has(use, "--wait") &&
        !use_has(use, "--atomic") && !use_has(use, "--wait-for-jobs") && !has_list(use))
        lint_add_use(lint, "RB022", use,
                     "without --wait it returns before anything is rolled back");
}

static bool waits_for_ecs(const struct use *use)
{
    return use_is(use, "aws", "ecs", "wait");
}

static void check_ecs(struct lint *lint, const struct use *use)
{
    if (use_is(use, "aws", "ecs", "update-service") && !find_after(lint, use, waits_for_ecs))
        lint_add_use(lint, "RB037", use,
                     "nothing after it here waits for the service (aws ecs wait services-stable)");
}

/* ---- configuration ---- */

static bool is_config_kind(const char *kind)
{
    return !strncasecmp(kind, "configmap", 9) || !strcmp(kind, "cm") || !strncmp(kind, "cm/", 3) ||
           !strncasecmp(kind, "secret", 6);
}

/* kubectl create configmap ... --dry-run=client -o yaml | kubectl apply -f - */
static bool creates_piped_config(const struct use *use)
{
    return use_is(use, "kubectl", "create", NULL) && use->n_operands > 1 &&
           is_config_kind(use->operands[1]) && use_mentions(use, "--dry-run") && !use->last_stage;
}

static bool holds_config(const struct use *use)
{
    for (const struct shell_redirect *at = use->command->redirects; at; at = at->next)
        if (str_find(at->body, STR("kind: ConfigMap")) >= 0 ||
            str_find(at->body, STR("kind: Secret")) >= 0)
            return str_find(at->body, STR("kind: Deployment")) < 0;
    return false;
}

static bool applies_config(const struct use *use)
{
    const char *file = use_value(use, "-f", "--filename");
    bool apply = use_is(use, "kubectl", "apply", NULL) || use_is(use, "kubectl", "replace", NULL);
    return apply && file &&
           (!strcmp(file, "-") ? holds_config(use)
                               : strcasestr(file, "configmap") || strcasestr(file, "secret"));
}

static bool changes_config(const struct use *use)
{
    static const char *const verbs[] = {"patch", "edit", "replace", NULL};
    bool changes = false;
    if (strcmp(use->name, "kubectl") != 0)
        return false;
    if (applies_config(use) || creates_piped_config(use))
        return true;
    for (int i = 0; use->n_operands > 1 && verbs[i]; i++)
        changes |= !strcmp(use->operands[0], verbs[i]) && is_config_kind(use->operands[1]);
    return changes;
}

/* What to call it: the name of the object, or the file it is in. */
static const char *config_name(const struct use *use)
{
    const char *file = use_value(use, "-f", "--filename");
    if (use->n_operands > 2)
        return use->operands[2];
    if (use->n_operands > 1)
        return use->operands[1];
    return file && strcmp(file, "-") != 0 ? file : "the configuration";
}

static bool restarts(const struct use *use)
{
    return use_is(use, "kubectl", "rollout", "restart") ||
           use_is(use, "kubectl", "rollout", "undo") ||
           (use_is(use, "kubectl", "delete", NULL) && use->n_operands > 1 &&
            !strncmp(use->operands[1], "pod", 3)) ||
           use_is(use, "kubectl", "set", NULL) || use_is(use, "kubectl", "scale", NULL) ||
           use_mentions(use, "reload");
}

static bool undoes(const struct use *use)
{
    return use_is(use, "kubectl", "rollout", "undo");
}

static void check_config(struct lint *lint, const struct use *use)
{
    /* an undo before the change restarted the pods with the old configuration: only one behind it
     * helps */
    if (changes_config(use) && !find_after(lint, use, restarts))
        lint_add_use(lint, "RB006", use,
                     "'%s' is changed and nothing after it here restarts the pods that read it",
                     config_name(use));
}

/* Said at the undo, which is what promises too much. */
static void check_undo(struct lint *lint, const struct use *use)
{
    const struct use *changed = NULL;
    if (!undoes(use))
        return;
    changed = find_before(lint, use, changes_config);
    if (!changed)
        changed = find_after(lint, use, changes_config);
    if (changed)
        lint_add_use(lint, "RB007", use,
                     "it restores the pod template; '%s', changed on line %d, has a history of its "
                     "own",
                     config_name(changed), changed->line);
}

/* ---- revisions ---- */

static bool shows_history(const struct use *use)
{
    return use_is(use, "kubectl", "rollout", "history") || use_is(use, "helm", "history", NULL);
}

static bool is_number(const char *text)
{
    return text && *text && !text[strspn(text, "0123456789")];
}

static void check_revision(struct lint *lint, const struct use *use)
{
    if (undoes(use)) {
        const char *revision = use_value(use, NULL, "--to-revision");
        if (is_number(revision) && strcmp(revision, "0"))
            lint_add_use(lint, "RB024", use,
                         "revision %s is another version after the next rollout%s", revision,
                         find_before(lint, use, shows_history) ? "; take it from the history above"
                                                               : "");
        else if (!revision)
            lint_add_use(lint, "RB041", use, "it goes to the revision before, whatever that was");
    }
    if (use_is(use, "helm", "rollback", NULL) && use->n_operands > 2 && is_number(use->operands[2]))
        lint_add_use(lint, "RB024", use, "revision %s is another version after the next upgrade",
                     use->operands[2]);
}

/* Both `undo` and `undo --to-revision` of the same thing in one block: meant as a choice, run as
 * two. */
static void check_double_undo(struct lint *lint, const struct use *use)
{
    bool to_revision = use_has(use, "--to-revision");
    if (!undoes(use))
        return;
    for (const struct use *at = use - 1; at >= lint->uses && at->block == use->block; at--)
        if (undoes(at) && use_has(at, "--to-revision") != to_revision && at->n_operands > 2 &&
            use->n_operands > 2 && !strcmp(at->operands[2], use->operands[2]) &&
            !at->in_condition && at->command->parent == use->command->parent) {
            lint_add_use(
                lint, "RB027", use,
                "'%s' was undone on line %d already; run in a row, the second goes elsewhere",
                use->operands[2], at->line);
            return;
        }
}

/* ---- what the API server refuses ---- */

static void check_here_documents(struct lint *lint, const struct use *use)
{
    for (const struct shell_redirect *at = use->command->redirects; at; at = at->next)
        if (at->body.len && !use->inside &&
            (str_find(at->body, STR("apiVersion:")) >= 0 || str_find(at->body, STR("kind:")) >= 0))
            lint_check_manifest(lint, at->body, at->body_line);
}

/* Do the brackets of the JSON match, quotes apart? YAML is allowed too, so nothing else is asked.
 */
static bool brackets_match(const char *text)
{
    char stack[64];
    int depth = 0;
    bool quoted = false;
    for (; *text; text++) {
        if (*text == '\\' && text[1])
            text++;
        else if (*text == '"')
            quoted = !quoted;
        else if (!quoted && (*text == '{' || *text == '[')) {
            if (depth == 64)
                return true;
            stack[depth++] = *text == '{' ? '}' : ']';
        } else if (!quoted && (*text == '}' || *text == ']')) {
            if (!depth || stack[--depth] != *text)
                return false;
        }
    }
    return !depth && !quoted;
}

static void check_patch(struct lint *lint, const struct use *use)
{
    const char *patch =
        use_is(use, "kubectl", "patch", NULL) ? use_value(use, "-p", "--patch") : NULL;
    if (!patch || (*patch != '{' && *patch != '['))
        return;
    for (int i = 0; i < use->argc; i++)
        if (strstr(use->argv[i], patch) && !use->words[i]->value)
            return; /* a variable may bring the rest */
    if (!brackets_match(patch)) {
        lint_add_use(lint, "RB040", use, "the brackets of the patch do not match");
        return;
    }
    lint_check_patch(lint, use, patch, changes_config(use));
}

/* Kinds that come with the operators people use; the server merges only its own. */
static bool is_custom_resource(const char *kind)
{
    static const char *const kinds[] = {"rollout",
                                        "rollouts",
                                        "virtualservice",
                                        "virtualservices",
                                        "destinationrule",
                                        "application",
                                        "applications",
                                        "helmrelease",
                                        "kustomization",
                                        "certificate",
                                        "trafficsplit",
                                        "scaledobject",
                                        "ingressroute",
                                        "prometheusrule",
                                        "servicemonitor",
                                        "canary",
                                        NULL};
    size_t len = strcspn(kind, "/.");
    for (int i = 0; kinds[i]; i++)
        if (strlen(kinds[i]) == len && !strncasecmp(kinds[i], kind, len))
            return true;
    return false;
}

static void check_custom_patch(struct lint *lint, const struct use *use)
{
    if (use_is(use, "kubectl", "patch", NULL) && use->n_operands > 1 &&
        is_custom_resource(use->operands[1]) && !use_has(use, "--type"))
        lint_add_use(lint, "RB045", use, "'%s' is a custom resource; add --type merge",
                     use->operands[1]);
}

static bool stops_auto_sync(const struct use *use)
{
    return use_is(use, "argocd", "app", "set") && use_mentions(use, "sync-policy");
}

static void check_argo(struct lint *lint, const struct use *use)
{
    if (use_is(use, "argocd", "app", "rollback") && !find_before(lint, use, stops_auto_sync))
        lint_add_use(lint, "RB047", use,
                     "refused while auto-sync is on, and nothing before it here turns it off");
}

static void check_namespace(struct lint *lint, const struct use *use)
{
    const char *name = !strcmp(use->name, "kubectl") || !strcmp(use->name, "helm")
                           ? use_value(use, "-n", "--namespace")
                           : NULL;
    if (name && !strpbrk(name, "$<[`{") && strpbrk(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZ_") &&
        strpbrk(name, "abcdefghijklmnopqrstuvwxyz"))
        lint_add_use(lint, "RB042", use, "no namespace can be called '%s'", name);
}

/* Every deployment of the namespace to nothing: the database is one of them, and nobody wrote down
 * how many there were. */
static void check_scale_all(struct lint *lint, const struct use *use)
{
    const char *replicas =
        use_is(use, "kubectl", "scale", NULL) ? use_value(use, NULL, "--replicas") : NULL;
    if (replicas && !strcmp(replicas, "0") && use_has(use, "--all"))
        lint_add_use(lint, "RB050", use,
                     "--all stops the databases of the namespace too, and forgets how many "
                     "replicas each had");
}

void lint_check_kubernetes(struct lint *lint)
{
    for (int i = 0; i < lint->n_uses; i++) {
        const struct use *use = &lint->uses[i];
        check_waiting(lint, use);
        check_ecs(lint, use);
        check_config(lint, use);
        check_undo(lint, use);
        check_revision(lint, use);
        check_double_undo(lint, use);
        check_here_documents(lint, use);
        check_patch(lint, use);
        check_namespace(lint, use);
        check_custom_patch(lint, use);
        check_argo(lint, use);
        check_scale_all(lint, use);
    }
}
