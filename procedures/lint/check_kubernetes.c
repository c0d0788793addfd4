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

static bool starts_rollout(const struct use *use)
{
    const char *replicas;
    if (use_is(use, "kubectl", "rollout", "undo") || use_is(use, "kubectl", "rollout", "restart") ||
        use_is(use, "kubectl", "set", "image") || use_is(use, "kubectl", "set", "env"))
        return true;
    if (use_is(use, "kubectl", "patch", NULL))
        return use->n_operands > 1 && !strncasecmp(use->operands[1], "deploy", 6);
    replicas = use_is(use, "kubectl", "scale", NULL) ? use_value(use, NULL, "--replicas") : NULL;
    return replicas && strcmp(replicas, "0");
}

static void check_waiting(struct lint *lint, const struct use *use)
{
    if (starts_rollout(use) && !use->watched && !find_after(lint, use, waits_for_rollout))
        lint_add_use(lint, "RB008", use,
                     "'kubectl %s' returns at once, and nothing after it here waits for the pods",
                     use->operands[0]);
    if (use_is(use, "kubectl", "rollout", "status") && !use_has(use, "--timeout") &&
        !use->limited && !use->watched)
        lint_add_use(lint, "RB002", use,
                     "rollout status without --timeout waits until the progress deadline, 10 "
                     "minutes if nobody set it");
    if (use_is(use, "helm", "rollback", NULL) && !use_has(use, "--wait") &&
        !use_has(use, "--atomic"))
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

static bool changes_config(const struct use *use)
{
    if (use->n_operands < 2 || strcmp(use->name, "kubectl"))
        return false;
    if (strcmp(use->operands[0], "patch") && strcmp(use->operands[0], "edit") &&
        strcmp(use->operands[0], "replace") && strcmp(use->operands[0], "apply"))
        return false;
    return !strncasecmp(use->operands[1], "configmap", 9) || !strcmp(use->operands[1], "cm") ||
           !strncmp(use->operands[1], "cm/", 3) || !strncasecmp(use->operands[1], "secret", 6);
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
    bool undone;
    if (!changes_config(use))
        return;
    /* an undo before the change restarted the pods with the old configuration: only one behind it helps */
    if (!find_after(lint, use, restarts))
        lint_add_use(lint, "RB006", use,
                     "'%s' is changed and nothing after it here restarts the pods that read it",
                     use->n_operands > 2 ? use->operands[2] : use->operands[1]);
    undone = find_before(lint, use, undoes) || find_after(lint, use, undoes);
    if (undone)
        lint_add_use(
            lint, "RB007", use,
            "rollout undo here restores pod templates; this configuration has its own history");
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

/* Both `undo` and `undo --to-revision` of the same thing in one block: meant as a choice, run as two. */
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

static bool is_retyped(struct str value)
{
    static const char *const words[] = {"true", "false", "yes", "no", "on",
                                        "off",  "null",  "~",   NULL};
    struct str rest = value;
    size_t digits = 0;
    rest = str_trim(str_cut(&rest, '#'));
    for (int i = 0; words[i]; i++)
        if (rest.len == strlen(words[i]) && !strncasecmp(rest.at, words[i], rest.len))
            return true;
    while (digits < rest.len && isdigit((unsigned char)rest.at[digits]))
        digits++;
    return digits && digits == rest.len;
}

static size_t indentation(struct str line)
{
    size_t n = 0;
    while (n < line.len && line.at[n] == ' ')
        n++;
    return n;
}

/* The keys whose children must be strings. */
static bool wants_text(struct str key)
{
    static const char *const keys[] = {"labels",   "annotations", "matchLabels", "nodeSelector",
                                       "selector", "stringData",  NULL};
    for (int i = 0; keys[i]; i++)
        if (str_is(key, keys[i]))
            return true;
    return false;
}

/* The manifest in a here-document, line by line: enough of YAML to see "emergency: true" below "labels:". */
static void check_manifest(struct lint *lint, const struct shell_redirect *document)
{
    struct str rest = document->body;
    size_t parent_indent = 0;
    bool inside = false, environment = false, config_map = false;
    size_t environment_indent = 0;
    for (int line = document->body_line; rest.len; line++) {
        struct str text = str_cut(&rest, '\n'), content = str_trim(text), value = content, key;
        size_t indent = indentation(text);
        if (!content.len || *content.at == '#')
            continue;
        if (str_starts(content, "- ")) {
            indent += 2;
            value = content = str_trim((struct str){content.at + 2, content.len - 2});
        }
        key = str_cut(&value, ':');
        value = str_trim(value);
        if (inside && indent <= parent_indent)
            inside = false;
        if (environment && indent < environment_indent + 1 && !str_is(key, "env"))
            environment = indent == environment_indent && !value.len
                              ? false
                              : environment && indent >= environment_indent;
        if (str_is(key, "kind"))
            config_map = str_is(value, "ConfigMap");
        if (((inside && str_find(content, STR(":")) > 0) ||
             (environment && str_is(key, "value"))) &&
            is_retyped(value))
            lint_add(lint, "RB009", line, (int)(content.at - text.at) + 1,
                     "'%.*s: %.*s' is not text, and the API server refuses the object; write it in "
                     "quotes",
                     STR_ARG(key), STR_ARG(value));
        if (!value.len && (wants_text(key) || (config_map && str_is(key, "data")))) {
            inside = true;
            parent_indent = indent;
        }
        if (!value.len && str_is(key, "env")) {
            environment = true;
            environment_indent = indent;
        }
    }
}

static void check_here_documents(struct lint *lint, const struct use *use)
{
    for (const struct shell_redirect *at = use->command->redirects; at; at = at->next)
        if (at->body.len && !use->inside &&
            (str_find(at->body, STR("apiVersion:")) >= 0 || str_find(at->body, STR("kind:")) >= 0))
            check_manifest(lint, at);
}

/* Do the brackets of the JSON match, quotes apart? YAML is allowed too, so nothing else is asked. */
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
    const char *data;
    if (!patch || (*patch != '{' && *patch != '['))
        return;
    for (int i = 0; i < use->argc; i++)
        if (strstr(use->argv[i], patch) && !use->words[i]->value)
            return; /* a variable may bring the rest */
    if (!brackets_match(patch)) {
        lint_add_use(lint, "RB040", use, "the brackets of the patch do not match");
        return;
    }
    data = changes_config(use) ? strstr(patch, "\"data\"") : NULL;
    for (; data && *data && *data != '}'; data++) {
        struct str value = {data + 1, 0};
        if (*data != ':')
            continue;
        while (value.at[value.len] && !strchr(",}", value.at[value.len]))
            value.len++;
        value = str_trim(value);
        if (is_retyped(value) && *value.at != '"') {
            lint_add_use(lint, "RB009", use,
                         "the value %.*s is not text, and ConfigMaps and Secrets hold text alone",
                         STR_ARG(value));
            return;
        }
    }
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

void lint_check_kubernetes(struct lint *lint)
{
    for (int i = 0; i < lint->n_uses; i++) {
        const struct use *use = &lint->uses[i];
        check_waiting(lint, use);
        check_ecs(lint, use);
        check_config(lint, use);
        check_revision(lint, use);
        check_double_undo(lint, use);
        check_here_documents(lint, use);
        check_patch(lint, use);
        check_namespace(lint, use);
        check_custom_patch(lint, use);
        check_argo(lint, use);
    }
}
