/* The client: finds the command, reads its flags, says what went wrong; and the fake's table entry.
 * Wording: helm 3.17, github.com/spf13/cobra, helm cmd/helm/require. */
#include <string.h>

#include "fakes/fake.h"
#include "fakes/helm/helm.h"
#include "fakes/kubernetes/kubectl/kubectl.h"

static const char global_flags[] =
    " namespace|n= kube-context= kubeconfig= debug kube-as-group= kube-as-user= kube-apiserver= "
    "kube-token= kube-ca-file= kube-insecure-skip-tls-verify kube-tls-server-name= burst-limit= "
    "qps= registry-config= repository-cache= repository-config= help|h";

static const struct helm_command *const all_commands[] = {helm_show_commands, helm_change_commands};

int helm_error(struct helm *helm, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    const char *text = arena_vprintf(helm->arena, format, args);
    va_end(args);
    call_err(helm->call, "Error: %s\n", text);
    return 1;
}

int helm_refuse(struct helm *helm, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    const char *text = arena_vprintf(helm->arena, format, args);
    va_end(args);
    record_observe(helm->call->env->record, "not_simulated", helm->words, "%s", text);
    call_err(helm->call, "Error: not simulated: %s\n", text);
    return 1;
}

bool helm_timeout(struct helm *helm, int64_t *ret_ns)
{
    const char *text = options_value(&helm->options, "timeout", "5m0s");
    if (kubectl_duration(text, ret_ns))
        return true;
    bool number = strspn(text, "0123456789") == strlen(text) && *text;
    helm_error(helm, "invalid argument \"%s\" for \"--timeout\" flag: time: %s duration \"%s\"",
               text, number ? "missing unit in" : "invalid", text);
    return false;
}

/* ---- which command ---- */

/* argv's words that are neither flags nor their values, up to two. */
static int find_words(char **argv, int at[2])
{
    int n = 0;
    at[0] = at[1] = 0;
    for (int i = 1; argv[i] && n < 2; i++) {
        if (argv[i][0] == '-') {
            static const char *const with_value[] = {"-n", "--namespace", "--kube-context",
                                                     "--kubeconfig"};
            for (size_t k = 0; k < sizeof with_value / sizeof *with_value; k++) {
                if (strcmp(argv[i], with_value[k]) == 0 && argv[i + 1]) {
                    i++;
                    break;
                }
            }
            continue;
        }
        at[n++] = i;
    }
    return n;
}

static const struct helm_command *find_command(const char *first, const char *second,
                                               bool *ret_group)
{
    static const char *const aliases[][2] = {{"ls", "list"},
                                             {"hist", "history"},
                                             {"delete", "uninstall"},
                                             {"del", "uninstall"},
                                             {"un", "uninstall"}};
    *ret_group = false;
    for (size_t i = 0; i < sizeof aliases / sizeof *aliases; i++)
        first = strcmp(first, aliases[i][0]) == 0 ? aliases[i][1] : first;
    for (size_t k = 0; k < sizeof all_commands / sizeof *all_commands; k++) {
        for (const struct helm_command *one = all_commands[k]; one->words; one++) {
            struct str rest = str_of(one->words), word = str_cut(&rest, ' ');
            if (!str_is(word, first))
                continue;
            if (!rest.len || (second && str_is(rest, second)))
                return one;
            *ret_group = true;
        }
    }
    return NULL;
}

static char **without_words(struct helm *helm, const int at[2], int n)
{
    char **argv = helm->call->argv,
         **words = ARENA_ARRAY(helm->arena, char *, helm->call->argc + 1);
    int k = 0;
    for (int i = 0; argv[i]; i++) {
        if (i == 0 || ((n < 1 || i != at[0]) && (n < 2 || i != at[1])))
            words[k++] = argv[i];
    }
    return words;
}

/* ---- the cluster ---- */

static bool connect(struct helm *helm)
{
    struct call *call = helm->call;
    const char *name = options_value(&helm->options, "kube-context", NULL);
    const char *state = world_setting(call->env->world, "kubernetes");
    helm->cluster = cluster_of(call->env);
    const struct contexts *contexts = cluster_contexts(helm->cluster);
    int at = contexts->current;
    for (int i = 0; name && i <= contexts->n; i++) {
        if (i == contexts->n) {
            call_err(call, "Error: Kubernetes cluster unreachable: context \"%s\" does not exist\n",
                     name);
            return false;
        }
        at = i;
        if (strcmp(contexts->at[i].name, name) == 0)
            break;
    }
    const char *ns = at >= 0 && *contexts->at[at].ns ? contexts->at[at].ns : "default";
    const char *given = options_value(&helm->options, "namespace", "");
    const char *variable = call_getenv(call, "HELM_NAMESPACE");
    helm->ns = *given ? given : variable && *variable ? variable : ns;
    if (state && strcmp(state, "unreachable") == 0) {
        const char *server = at >= 0 ? contexts->at[at].server : "https://10.0.0.10:6443";
        const char *host = strstr(server, "://");
        call_sleep(call, 30 * SECOND);
        call_err(call,
                 "Error: Kubernetes cluster unreachable: Get \"%s/version\": dial tcp %s: i/o "
                 "timeout\n",
                 server, host ? host + 3 : server);
        return false;
    }
    return true;
}

/* ---- one invocation ---- */

static int usage(struct helm *helm, const struct helm_command *command, const char *what)
{
    return helm_error(helm, "\"helm %s\" %s\n\nUsage:  %s", command->words, what, command->usage);
}

static bool count_fits(struct helm *helm, const struct helm_command *command)
{
    int n = helm->n_args, least = command->least, most = command->most;
    const char *s = least == 1 ? "" : "s";
    if (n >= least && (most < 0 || n <= most))
        return true;
    if (most == 0)
        usage(helm, command, "accepts no arguments");
    else if (least == most)
        usage(helm, command, arena_printf(helm->arena, "requires %d argument%s", least, s));
    else if (n < least)
        usage(helm, command,
              arena_printf(helm->arena, "requires at least %d argument%s", least, s));
    else
        usage(
            helm, command,
            arena_printf(helm->arena, "accepts at most %d argument%s", most, most == 1 ? "" : "s"));
    return false;
}

static int unknown(struct helm *helm, const char *word)
{
    static const char *const real[] = {
        "completion", "create",   "dependency", "env",    "lint", "package",  "plugin", "pull",
        "push",       "registry", "repo",       "search", "show", "template", "test",   "verify"};
    for (size_t i = 0; i < sizeof real / sizeof *real; i++) {
        if (strcmp(real[i], word) == 0)
            return helm_refuse(helm, "helm %s", word);
    }
    return helm_error(helm, "unknown command \"%s\" for \"helm\"\nRun 'helm --help' for usage.",
                      word);
}

static int run(struct call *call)
{
    struct helm *helm = ARENA_NEW(call->arena, struct helm);
    int at[2], n = find_words(call->argv, at);
    bool group;
    *helm = (struct helm){.call = call, .arena = call->arena, .words = "helm"};
    call_sleep(call, HELM_START_NS);
    if (n == 0) {
        call_out(call, "The Kubernetes package manager\n\nUsage:\n  helm [command]\n\nUse \"helm "
                       "[command] --help\" for more information about a command.\n");
        return 0;
    }
    const char *second = n > 1 ? call->argv[at[1]] : NULL;
    const struct helm_command *command = find_command(call->argv[at[0]], second, &group);
    if (!command && group)
        return helm_refuse(helm, "helm %s %s", call->argv[at[0]], second ? second : "");
    if (!command)
        return unknown(helm, call->argv[at[0]]);
    helm->words = command->words;
    options_parse(helm->arena, OPTIONS_PFLAG,
                  arena_printf(helm->arena, "%s%s", command->flags, global_flags), true,
                  without_words(helm, at, strchr(command->words, ' ') ? 2 : 1), &helm->options);
    if (helm->options.error)
        return helm_error(helm, "%s", helm->options.error);
    if (options_has(&helm->options, "help")) {
        call_out(call, "Usage:\n  %s\n", command->usage);
        return 0;
    }
    helm->args = helm->options.args;
    helm->n_args = helm->options.n_args;
    if (!count_fits(helm, command))
        return 1;
    if (strcmp(command->words, "version") != 0 && !connect(helm))
        return 1;
    return command->run(helm);
}

extern const struct fake fake_helm;

/* Releases are read with the cluster, which needs them; helm is there where a cluster is. */
static int setup(struct env *env, const struct doc *config, struct error *error)
{
    if (config && !cluster_of(env))
        return doc_error(
            config, error,
            "there is no cluster to install releases in; add `kubernetes: {nodes: 3}`");
    if (cluster_of(env))
        env_add_command(env, "helm", NULL, &fake_helm);
    return 0;
}

static const char *const no_commands[] = {NULL};
const struct fake fake_helm = {.name = "helm", .commands = no_commands, .setup = setup, .run = run};
