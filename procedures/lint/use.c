/* Questions about one use of a command. */
#include <ctype.h>
#include <string.h>
#include <strings.h>

#include "procedures/lint/internal.h"
#include "sim/base/buf.h"

static bool any_of(const char *word, const char *const *words)
{
    for (; word && *words; words++)
        if (!strcmp(word, *words))
            return true;
    return false;
}

bool use_is(const struct use *use, const char *name, const char *operand0, const char *operand1)
{
    return !strcmp(use->name, name) &&
           (!operand0 || (use->n_operands > 0 && !strcmp(use->operands[0], operand0))) &&
           (!operand1 || (use->n_operands > 1 && !strcmp(use->operands[1], operand1)));
}

bool use_has(const struct use *use, const char *option)
{
    size_t n = strlen(option);
    for (int i = 1; i < use->argc; i++)
        if (!strncmp(use->argv[i], option, n) && (!use->argv[i][n] || use->argv[i][n] == '='))
            return true;
    return false;
}

bool use_short(const struct use *use, char letter)
{
    for (int i = 1; i < use->argc; i++)
        if (use->argv[i][0] == '-' && use->argv[i][1] != '-' && strchr(use->argv[i] + 1, letter))
            return true;
    return false;
}

const char *use_value(const struct use *use, const char *short_option, const char *long_option)
{
    size_t n = long_option ? strlen(long_option) : 0;
    for (int i = 1; i < use->argc; i++) {
        const char *arg = use->argv[i];
        if ((short_option && !strcmp(arg, short_option)) ||
            (long_option && !strcmp(arg, long_option)))
            return i + 1 < use->argc ? use->argv[i + 1] : NULL;
        if (long_option && !strncmp(arg, long_option, n) && arg[n] == '=')
            return arg + n + 1;
        if (short_option && !strncmp(arg, short_option, 2) && arg[2] == '=')
            return arg + 3;
    }
    return NULL;
}

bool use_mentions(const struct use *use, const char *text)
{
    size_t n = strlen(text);
    for (int i = 0; i < use->argc; i++)
        for (const char *at = use->argv[i]; *at; at++)
            if (!strncasecmp(at, text, n))
                return true;
    return false;
}

/* A script of the project, by the words in its name: "./deployment/scripts/health_check.sh". */
static bool is_script_about(const struct use *use, const char *const *words)
{
    const char *name = strrchr(use->argv[0], '/');
    bool script = strchr(use->argv[0], '/') || str_ends(str_of(use->argv[0]), ".sh");
    name = name ? name + 1 : use->argv[0];
    for (; script && *words; words++)
        if (strcasestr(name, *words))
            return true;
    return false;
}

static bool has_operand(const struct use *use, const char *const *words)
{
    for (int i = 0; i < use->n_operands; i++)
        if (any_of(use->operands[i], words))
            return true;
    for (int i = 1; i < use->argc; i++)
        if (!strncmp(use->argv[i], "--", 2) && any_of(use->argv[i] + 2, words))
            return true;
    return false;
}

static bool redirects_from_file(const struct use *use)
{
    for (const struct shell_redirect *at = use->command->redirects; at; at = at->next)
        if (*at->operator.at == '<')
            return true;
    return !use->first_stage;
}

/* ---- SQL ---- */

static bool is_sql_client(const struct use *use)
{
    static const char *const names[] = {"psql", "mysql", "mariadb", "sqlite3", NULL};
    return any_of(use->name, names);
}

static const char *here_document(const struct lint *lint, const struct use *use)
{
    for (const struct shell_redirect *at = use->command->redirects; at; at = at->next)
        if (at->body.len)
            return arena_str(lint->arena, at->body);
    return NULL;
}

const char *use_sql(const struct lint *lint, const struct use *use)
{
    const char *text;
    if (!is_sql_client(use))
        return NULL;
    if (!strcmp(use->name, "sqlite3"))
        return use->n_operands > 1 ? use->operands[1] : here_document(lint, use);
    text = use_value(use, *use->name == 'p' ? "-c" : "-e",
                     *use->name == 'p' ? "--command" : "--execute");
    return text ? text : here_document(lint, use);
}

static bool sql_changes(const char *sql)
{
    static const char *const words[] = {"insert ", "update ", "delete ",  "drop ",
                                        "alter ",  "create ", "truncate", "pg_terminate",
                                        "grant ",  "revoke ", NULL};
    for (int i = 0; sql && words[i]; i++)
        if (strcasestr(sql, words[i]))
            return true;
    return false;
}

/* ---- kinds of commands ---- */

static bool changes_kubernetes(const struct use *use)
{
    static const char *const verbs[] = {"apply", "create", "delete",   "patch", "set",
                                        "scale", "edit",   "replace",  "label", "annotate",
                                        "drain", "cordon", "uncordon", NULL};
    if (!use->n_operands)
        return false;
    if (!strcmp(use->operands[0], "rollout"))
        return use->n_operands > 1 && strcmp(use->operands[1], "status") &&
               strcmp(use->operands[1], "history");
    return any_of(use->operands[0], verbs);
}

static bool changes_by_curl(const struct use *use)
{
    static const char *const methods[] = {"POST", "PUT", "DELETE", "PATCH", NULL};
    const char *method = use_value(use, "-X", "--request");
    if (method)
        return any_of(method, methods);
    return use_has(use, "-d") || use_has(use, "--data") || use_has(use, "--data-binary") ||
           use_has(use, "-T");
}

static bool first_operand_in(const struct use *use, const char *const *words)
{
    return use->n_operands && any_of(use->operands[0], words);
}

bool use_changes_state(const struct use *use)
{
    static const char *const docker[] = {"stop", "start", "restart", "rm",   "rmi",
                                         "run",  "tag",   "kill",    "load", NULL};
    static const char *const compose[] = {"up", "down",  "stop", "start", "restart",
                                          "rm", "build", "pull", NULL};
    static const char *const helm[] = {"rollback",  "upgrade", "install",
                                       "uninstall", "delete",  NULL};
    static const char *const systemctl[] = {"start",  "stop",    "restart", "reload",
                                            "enable", "disable", "mask",    NULL};
    static const char *const git[] = {"checkout", "reset", "revert", "push",
                                      "pull",     "merge", "switch", NULL};
    static const char *const files[] = {"cp", "mv", "rm", "ln", "rsync", "tar", NULL};
    static const char *const restores[] = {"pg_restore", "mongorestore", "dropdb", "createdb",
                                           "kill",       "pkill",        NULL};
    static const char *const scripts[] = {"rollback", "restore",  "deploy", "migrate",
                                          "switch",   "failover", NULL};
    static const char *const verbs[] = {"rollback", "restore", "disable", "enable", "stop",
                                        "start",    "restart", "deploy",  "undo",   "downgrade",
                                        "upgrade",  "revert",  "promote", "apply",  "destroy",
                                        "pause",    "resume",  "suspend", NULL};
    if (!strcmp(use->name, "kubectl") || !strcmp(use->name, "oc"))
        return changes_kubernetes(use);
    if (!strcmp(use->name, "docker"))
        return first_operand_in(use, docker);
    if (!strcmp(use->name, "compose"))
        return first_operand_in(use, compose);
    if (!strcmp(use->name, "helm"))
        return first_operand_in(use, helm);
    if (!strcmp(use->name, "systemctl") || !strcmp(use->name, "service"))
        return has_operand(use, systemctl);
    if (!strcmp(use->name, "git"))
        return first_operand_in(use, git);
    if (!strcmp(use->name, "curl"))
        return changes_by_curl(use);
    if (!strcmp(use->name, "sed"))
        return use_short(use, 'i');
    if (is_sql_client(use))
        return use_value(use, "-f", "--file") != NULL || redirects_from_file(use) ||
               sql_changes(use_value(use, *use->name == 'p' ? "-c" : "-e", "--command"));
    if (!strcmp(use->name, "redis-cli"))
        return use_mentions(use, "FLUSH") || use_mentions(use, "CONFIG SET") ||
               has_operand(use, (const char *const[]){"SET", "DEL", "SLAVEOF", "REPLICAOF",
                                                      "RESTORE", NULL});
    if (!strcmp(use->name, "aws"))
        return use_mentions(use, "update-") || use_mentions(use, "restore-") ||
               use_mentions(use, "modify-") || use_mentions(use, "delete-") ||
               use_mentions(use, "change-");
    if (any_of(use->name, files) || any_of(use->name, restores))
        return true;
    return is_script_about(use, scripts) || has_operand(use, verbs);
}

bool use_compares(const struct use *use)
{
    return !strcmp(use->name, "[") || !strcmp(use->name, "[[") || !strcmp(use->name, "test");
}

bool use_verifies(const struct use *use)
{
    static const char *const kubernetes[] = {"get", "wait", "logs", "describe", "top", NULL};
    static const char *const docker[] = {"ps", "logs", "inspect", "stats", "images", NULL};
    static const char *const scripts[] = {"health",  "verify",  "valid",   "smoke",
                                          "check",   "test",    "monitor", "status",
                                          "measure", "compare", NULL};
    static const char *const names[] = {"pg_isready", "grep", "k6",        "diff",   "nc",
                                        "ping",       "wget", "sha256sum", "newman", NULL};
    static const char *const verbs[] = {"status",   "health",    "verify", "check",
                                        "validate", "is-active", "test",   NULL};
    if (!strcmp(use->name, "curl"))
        return !changes_by_curl(use);
    if ((!strcmp(use->name, "helm") || !strcmp(use->name, "compose")) &&
        (use_has(use, "--wait") || use_has(use, "--atomic")))
        return true; /* they end well only when what they started is ready */
    if (!strcmp(use->name, "kubectl"))
        return first_operand_in(use, kubernetes) || use_is(use, "kubectl", "rollout", "status");
    if (!strcmp(use->name, "docker") || !strcmp(use->name, "compose"))
        return first_operand_in(use, docker);
    if ((!strcmp(use->name, "aws") || !strcmp(use->name, "argocd")) && use->n_operands > 1 &&
        !strcmp(use->operands[1], "wait")) /* aws ecs wait, argocd app wait */
        return true;
    if (is_sql_client(use))
        return !use_changes_state(use);
    return any_of(use->name, names) || is_script_about(use, scripts) || has_operand(use, verbs);
}

bool use_is_backup(const struct use *use)
{
    static const char *const names[] = {"pg_dump",   "pg_dumpall",    "mysqldump",
                                        "mongodump", "pg_basebackup", NULL};
    static const char *const scripts[] = {"backup", "snapshot", "dump", NULL};
    if (any_of(use->name, names) || is_script_about(use, scripts))
        return true;
    if (!strcmp(use->name, "redis-cli"))
        return use_mentions(use, "SAVE");
    if (!strcmp(use->name, "sqlite3"))
        return use_mentions(use, ".backup");
    return (!strcmp(use->name, "cp") || !strcmp(use->name, "tar")) && use_mentions(use, "backup");
}

bool use_stops_writers(const struct use *use)
{
    if (use_is(use, "compose", "stop", NULL) || use_is(use, "compose", "down", NULL) ||
        use_is(use, "docker", "stop", NULL) || use_is(use, "systemctl", "stop", NULL))
        return true;
    if (use_is(use, "kubectl", "scale", NULL)) {
        const char *replicas = use_value(use, NULL, "--replicas");
        return replicas && !strcmp(replicas, "0");
    }
    if (use_is(use, "kubectl", "delete", NULL))
        for (int i = 1; i < use->n_operands; i++)
            if (!strncmp(use->operands[i], "deploy", 6) ||
                !strncmp(use->operands[i], "statefulset", 11))
                return true;
    return use_mentions(use, "maintenance") || use_mentions(use, "read_only") ||
           use_mentions(use, "read-only") || use_mentions(use, "_close");
}

bool use_never_ends(const struct use *use)
{
    bool follow = use_short(use, 'f') || use_has(use, "--follow");
    if (use->watched || use->limited)
        return false; /* said of the watch itself; ended by timeout */
    if (!strcmp(use->name, "watch") || !strcmp(use->name, "top") || !strcmp(use->name, "htop"))
        return !(*use->name == 't' && use_short(use, 'b'));
    if (!strcmp(use->name, "tail"))
        return use_short(use, 'f') || use_short(use, 'F') || use_has(use, "--follow");
    if (use_is(use, "docker", "logs", NULL) || use_is(use, "compose", "logs", NULL) ||
        use_is(use, "kubectl", "logs", NULL) || !strcmp(use->name, "journalctl"))
        return follow;
    if (use_is(use, "kubectl", "get", NULL))
        return use_has(use, "-w") || use_has(use, "--watch");
    if (use_is(use, "kubectl", "port-forward", NULL))
        return true;
    if (use_is(use, "docker", "stats", NULL))
        return !use_has(use, "--no-stream");
    if (use_is(use, "pm2", "logs", NULL))
        return !use_has(use, "--nostream");
    if (!strcmp(use->name, "ping"))
        return !use_short(use, 'c') && !use_short(use, 'w');
    if (!strcmp(use->name, "redis-cli"))
        return has_operand(use, (const char *const[]){"MONITOR", "monitor", "SUBSCRIBE", NULL});
    if (use_is(use, "kubectl", "proxy", NULL) || use_is(use, "docker", "events", NULL))
        return !use_has(use, "--until");
    /* any tool's "logs NAME -f", whatever the tool */
    if (has_operand(use, (const char *const[]){"logs", NULL}))
        return follow;
    return use_is(use, "compose", "up", NULL) && !use_short(use, 'd') &&
           !use_has(use, "--detach") && !use_has(use, "--no-start") && !use_has(use, "--wait");
}
