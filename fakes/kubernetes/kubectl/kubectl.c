/* The client: finds the command, reads its flags, says what went wrong. Wording: kubectl 1.32 and
 * k8s.io/kubectl pkg/cmd/util/helpers.go. */
#include "fakes/kubernetes/kubectl/kubectl.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

static const struct kubectl_command *const all_commands[] = {
    kubectl_get_commands,     kubectl_describe_commands, kubectl_config_commands,
    kubectl_top_commands,     kubectl_apply_commands,    kubectl_create_commands,
    kubectl_delete_commands,  kubectl_label_commands,    kubectl_edit_commands,
    kubectl_rollout_commands, kubectl_set_commands,      kubectl_scale_commands,
    kubectl_wait_commands,    kubectl_logs_commands,     kubectl_exec_commands,
    kubectl_node_commands,    kubectl_info_commands,     kubectl_events_commands,
};

/* Flags that every command takes. */
static const char global_flags[] =
    " namespace|n= context= cluster= user= server|s= kubeconfig= token= as= as-group= as-uid= "
    "request-timeout= certificate-authority= client-certificate= client-key= tls-server-name= "
    "insecure-skip-tls-verify cache-dir= username= password= profile= profile-output= "
    "disable-compression match-server-version warnings-as-errors v|v= vmodule= "
    "log-flush-frequency= "
    "help|h";

/* ---- errors ---- */

int kubectl_error(struct kubectl *k, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    const char *text = arena_vprintf(k->arena, format, args);
    va_end(args);
    call_err(k->call, "error: %s\n", text);
    return 1;
}

int kubectl_usage(struct kubectl *k, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    const char *text = arena_vprintf(k->arena, format, args);
    va_end(args);
    call_err(k->call, "error: %s\nSee 'kubectl %s -h' for help and examples\n", text,
             k->command->words);
    return 1;
}

/* "The Deployment "web" is invalid: ...": checkErr's words for an object that the server refuses,
 * one cause a line if there are several. `message` begins with the kind, its group and the name. */
static const char *invalid_text(struct kubectl *k, const struct api_error *error)
{
    const char *message = error->message, *is = strstr(message, " is invalid: ");
    if (!is)
        return arena_printf(k->arena, "The request is invalid: %s", message);
    const char *what = "request", *causes = is + strlen(" is invalid: ");
    if (strncmp(message, " \"\"", 3) != 0) {
        size_t kind = strcspn(message, ". "), name = strcspn(message, " ");
        what = arena_printf(k->arena, "%.*s%.*s", (int)kind, message,
                            (int)(is - message) - (int)name, message + name);
    }
    if (!error->causes || !error->causes[0] || !error->causes[1])
        return arena_printf(k->arena, "The %s is invalid: %s", what, causes);
    const char *text = arena_printf(k->arena, "The %s is invalid: ", what);
    for (int i = 0; error->causes[i]; i++)
        text = arena_printf(k->arena, "%s\n* %s", text, error->causes[i]);
    return text;
}

/* k8s.io/kubectl pkg/cmd/util: StandardErrorMessage. */
static const char *plain_server_text(struct kubectl *k, const struct api_error *error,
                                     const char *what)
{
    return arena_printf(k->arena, "Error from server (%s): %s%s%s", error->reason, what ? what : "",
                        what ? ": " : "", error->message);
}

static const char *server_text(struct kubectl *k, const struct api_error *error, const char *what)
{
    return error->code == 422 ? invalid_text(k, error) : plain_server_text(k, error, what);
}

int kubectl_server_error(struct kubectl *k, const struct api_error *error, const char *what)
{
    call_err(k->call, "%s\n", server_text(k, error, what));
    return 1;
}

int kubectl_refuse(struct kubectl *k, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    const char *text = arena_vprintf(k->arena, format, args);
    va_end(args);
    record_observe(k->call->env->record, "not_simulated", k->call->argv[0],
                   "kubectl: %s is not simulated", text);
    call_err(k->call, "error: %s is not simulated\n", text);
    return 1;
}

static void complain(struct kubectl *k, struct resources *resources, struct complaint complaint)
{
    struct complaint *more = ARENA_ARRAY(k->arena, struct complaint, resources->n_complaints + 1);
    if (resources->n_complaints)
        memcpy(more, resources->complaints, (size_t)resources->n_complaints * sizeof *more);
    more[resources->n_complaints++] = complaint;
    resources->complaints = more;
}

void resources_complain(struct kubectl *k, struct resources *resources, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    const char *text = arena_vprintf(k->arena, format, args);
    complain(k, resources, (struct complaint){text, text, false});
    va_end(args);
}

void resources_complain_server(struct kubectl *k, struct resources *resources,
                               const struct api_error *error, const char *what)
{
    complain(
        k, resources,
        (struct complaint){server_text(k, error, what), plain_server_text(k, error, what), true});
}

/* Of one error "error: " stands in front, of several in front of none: util.MultipleErrors. */
int kubectl_finish(struct kubectl *k, const struct resources *resources)
{
    bool several = resources->n_complaints > 1;
    for (int i = 0; i < resources->n_complaints; i++) {
        const struct complaint *one = &resources->complaints[i];
        bool plain = one->server || several || strncmp(one->text, "error: ", 7) == 0;
        bool ended = !several && str_ends(str_of(one->text), "\n");
        call_err(k->call, "%s%s%s", plain ? "" : "error: ", several ? one->among : one->text,
                 ended ? "" : "\n");
    }
    return resources->n_complaints > 0;
}

/* ---- small things ---- */

void kubectl_request(struct kubectl *k)
{
    call_sleep(k->call, KUBECTL_REQUEST_NS);
}

/* Go's time.ParseDuration, for the units that people write. */
bool kubectl_duration(const char *text, int64_t *ret_ns)
{
    static const struct {
        const char *name;
        double ns;
    } units[] = {{"ms", 1e6}, {"us", 1e3}, {"ns", 1}, {"s", 1e9}, {"m", 60e9}, {"h", 3600e9}};
    bool minus = *text == '-';
    double total = 0;
    text += *text == '-' || *text == '+';
    if (strcmp(text, "0") == 0) {
        *ret_ns = 0;
        return true;
    }
    if (!*text)
        return false;
    while (*text) {
        char *end;
        if (!isdigit((unsigned char)*text) && *text != '.')
            return false;
        double value = strtod(text, &end);
        size_t unit = 0;
        while (unit < sizeof units / sizeof *units &&
               strncmp(end, units[unit].name, strlen(units[unit].name)) != 0)
            unit++;
        if (unit == sizeof units / sizeof *units)
            return false;
        total += value * units[unit].ns;
        text = end + strlen(units[unit].name);
    }
    if (total > 9e18)
        return false;
    *ret_ns = (int64_t)(minus ? -total : total);
    return true;
}

static bool bad_flag(struct kubectl *k, const char *name, const char *why)
{
    const char *typed = options_value(&k->options, name, "");
    call_err(k->call,
             "error: invalid argument \"%s\" for \"--%s\" flag: %s \"%s\"%s\nSee 'kubectl %s "
             "--help' for usage.\n",
             typed, name, why, typed, strchr(why, '.') ? ": invalid syntax" : "",
             k->command->words);
    return false;
}

bool kubectl_int_flag(struct kubectl *k, const char *name, int64_t otherwise, int64_t *ret)
{
    if (options_number(&k->options, name, otherwise, ret))
        return true;
    return bad_flag(k, name, "strconv.ParseInt: parsing");
}

bool kubectl_duration_flag(struct kubectl *k, const char *name, int64_t otherwise, int64_t *ret_ns)
{
    const char *typed = options_value(&k->options, name, NULL);
    *ret_ns = otherwise;
    if (!typed || kubectl_duration(typed, ret_ns))
        return true;
    bool number = *typed && strspn(typed, "0123456789.-+") == strlen(typed);
    return bad_flag(k, name, number ? "time: missing unit in duration" : "time: invalid duration");
}

/* ---- the command line ---- */

static bool takes_value(const char *word)
{
    if (strchr(word, '='))
        return false;
    if (word[1] != '-')
        return strchr("nsv", word[strlen(word) - 1]) != NULL && strlen(word) == 2;
    struct str rest = str_of(global_flags);
    while (rest.len) {
        struct str flag = str_cut(&rest, ' '), name = {flag.at, 0};
        while (name.len < flag.len && !strchr("|=", flag.at[name.len]))
            name.len++;
        if (str_is(name, word + 2))
            return str_ends(flag, "=");
    }
    return false;
}

/* The first word of argv that is no flag, from `at` on; 0: none. */
static int next_word(char **argv, int at)
{
    for (; argv[at]; at++) {
        if (strcmp(argv[at], "--") == 0)
            return 0;
        if (argv[at][0] != '-' || !argv[at][1])
            return at;
        if (takes_value(argv[at]) && argv[at + 1])
            at++;
    }
    return 0;
}

/* What follows may be named like a subcommand, and is none. */
static bool names_files(const char *flag)
{
    return strcmp(flag, "-f") == 0 || strcmp(flag, "--filename") == 0 || strcmp(flag, "-k") == 0 ||
           strcmp(flag, "--kustomize") == 0;
}

/* Two words if there is such a command, else one; where they stand goes to `at`. */
static const struct kubectl_command *find_command(char **argv, int at[2], bool *ret_group)
{
    const struct kubectl_command *found = NULL;
    at[0] = next_word(argv, 1);
    at[1] = at[0] ? next_word(argv, at[0] + 1) : 0;
    if (at[1] && names_files(argv[at[1] - 1]))
        at[1] = 0;
    *ret_group = false;
    if (!at[0])
        return NULL;
    size_t len = strlen(argv[at[0]]);
    for (size_t i = 0; i < sizeof all_commands / sizeof *all_commands; i++) {
        for (const struct kubectl_command *one = all_commands[i]; one->words; one++) {
            if (strncmp(one->words, argv[at[0]], len) != 0)
                continue;
            if (one->words[len] == ' ') {
                *ret_group = true;
                if (at[1] && strcmp(one->words + len + 1, argv[at[1]]) == 0)
                    return one;
            } else if (!one->words[len]) {
                found = one;
            }
        }
    }
    at[1] = 0;
    return found;
}

/* What kubectl 1.32 has and we do not. */
static bool is_not_simulated(const char *name)
{
    static const char *const names[] = {"alpha",   "certificate", "completion", "debug",
                                        "explain", "kustomize",   "options",    "plugin",
                                        "proxy",   "taint",       NULL};
    for (int i = 0; names[i]; i++)
        if (strcmp(names[i], name) == 0)
            return true;
    return false;
}

static int unknown_command(struct call *call, const char *name)
{
    static const char *const names[] = {"get",  "apply", "describe", "rollout", "set",      "scale",
                                        "logs", "exec",  "create",   "delete",  "patch",    "label",
                                        "edit", "wait",  "top",      "config",  "cordon",   "drain",
                                        "cp",   "run",   "expose",   "version", "annotate", NULL};
    const char *near = str_nearest(str_of(name), names);
    if (is_not_simulated(name)) {
        record_observe(call->env->record, "not_simulated", call->argv[0],
                       "kubectl: %s is not simulated", name);
        call_err(call, "error: %s is not simulated\n", name);
        return 1;
    }
    call_err(call, "error: unknown command \"%s\" for \"kubectl\"\n", name);
    if (near)
        call_err(call, "\nDid you mean this?\n\t%s\n", near);
    return 1;
}

static int help(struct call *call, const char *words)
{
    if (!words)
        call_out(call, "kubectl controls the Kubernetes cluster manager.\n\n Find more information "
                       "at: https://kubernetes.io/docs/reference/kubectl/\n\n");
    call_out(call,
             "Usage:\n  kubectl %s[flags] [options]\n\nUse \"kubectl %s--help\" for more "
             "information about a given command.\n",
             words ? arena_printf(call->arena, "%s ", words) : "",
             words ? arena_printf(call->arena, "%s ", words) : "<command> ");
    return 0;
}

/* "kubectl rollout", "kubectl rollout frob": DefaultSubCommandRun. */
static int unknown_in_group(struct call *call, int group)
{
    int at = next_word(call->argv, group + 1);
    if (at)
        call_err(call, "error: unknown command \"%s\"\nSee 'kubectl %s -h' for help and examples\n",
                 call->argv[at], call->argv[group]);
    else
        help(call, call->argv[group]);
    return 1;
}

/* What the client cannot do anything without: a configuration, and somebody who answers. */
static bool connect(struct kubectl *k)
{
    struct call *call = k->call;
    const struct contexts *contexts = cluster_contexts(k->cluster);
    const char *name = options_value(&k->options, "context", NULL);
    const char *state = world_setting(call->env->world, "kubernetes");
    int at = contexts->current;
    for (int i = 0; name && i <= contexts->n; i++) {
        if (i == contexts->n) {
            call_err(call,
                     "Error in configuration: context was not found for specified context: %s\n",
                     name);
            return false;
        }
        at = i;
        if (strcmp(contexts->at[i].name, name) == 0)
            break;
    }
    k->ns = at >= 0 && *contexts->at[at].ns ? contexts->at[at].ns : "default";
    if (k->ns_given)
        k->ns = options_value(&k->options, "namespace", "default");
    const char *server = at >= 0 ? contexts->at[at].server : "https://10.0.0.10:6443";
    const char *other = options_value(&k->options, "server", NULL);
    if (other && strcmp(other, server) != 0) {
        const char *host = strstr(other, "://");
        call_err(call,
                 "The connection to the server %s was refused - did you specify the right host or "
                 "port?\n",
                 host ? host + 3 : other);
        return false;
    }
    if (state && strcmp(state, "unreachable") == 0) {
        const char *host = strstr(server, "://");
        call_sleep(call, 30 * SECOND);
        call_err(call, "Unable to connect to the server: dial tcp %s: i/o timeout\n",
                 host ? host + 3 : server);
        return false;
    }
    return true;
}

/* argv without the command's words and without what stands behind "--". */
static char **own_words(struct kubectl *k, const int at[2])
{
    char **argv = k->call->argv;
    char **words = ARENA_ARRAY(k->arena, char *, k->call->argc + 1);
    int n = 0;
    for (int i = 0; argv[i]; i++) {
        if (strcmp(argv[i], "--") == 0) {
            k->behind_dashes = &argv[i + 1];
            break;
        }
        if (i == 0 || (i != at[0] && i != at[1]))
            words[n++] = argv[i];
    }
    return words;
}

int kubectl_run(struct call *call)
{
    int at[2];
    bool group;
    const struct kubectl_command *command = find_command(call->argv, at, &group);
    struct kubectl *k = ARENA_NEW(call->arena, struct kubectl);
    call_sleep(call, KUBECTL_START_NS);
    if (!at[0])
        return help(call, NULL);
    if (!command)
        return group ? unknown_in_group(call, at[0]) : unknown_command(call, call->argv[at[0]]);
    k->call = call;
    k->arena = call->arena;
    k->cluster = cluster_of(call->env);
    k->command = command;
    if (!k->cluster) { /* as without a kubeconfig */
        record_observe(call->env->record, "not_simulated", "kubectl",
                       "the system file declares no cluster: kubernetes");
        call_err(call, "The connection to the server localhost:8080 was refused - did you specify "
                       "the right host or port?\n");
        return 1;
    }
    options_parse(k->arena, OPTIONS_PFLAG,
                  arena_printf(k->arena, "%s%s", command->flags, global_flags), true,
                  own_words(k, at), &k->options);
    if (k->options.error) {
        call_err(call, "error: %s\nSee 'kubectl %s --help' for usage.\n", k->options.error,
                 command->words);
        return 1;
    }
    if (options_has(&k->options, "help"))
        return help(call, command->words);
    k->args = k->options.args;
    k->n_args = k->options.n_args;
    k->ns_given = *options_value(&k->options, "namespace", "") != '\0';
    k->all_namespaces = options_has(&k->options, "all-namespaces");
    if (strncmp(command->words, "config ", 7) == 0 ||
        (strcmp(command->words, "version") == 0 && options_has(&k->options, "client"))) {
        k->ns = "default";
        return command->run(k);
    }
    return connect(k) ? command->run(k) : 1;
}
