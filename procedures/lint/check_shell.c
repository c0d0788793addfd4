/* Rules about bash itself and about the tools that every playbook uses. */
#include <ctype.h>
#include <string.h>
#include <strings.h>

#include "procedures/lint/internal.h"

/* ---- curl ---- */

static bool reads_http_code(const struct use *use)
{
    const char *format = use_value(use, "-w", "--write-out");
    return format && (strstr(format, "http_code") || strstr(format, "response_code"));
}

/* Is the answer looked at: kept in a variable that is compared, or searched by grep -q or jq -e? */
static bool answer_is_read(const struct lint *lint, const struct use *use)
{
    const struct shell_command *next = use->command->next;
    if (use->last_stage || !next || use->command->parent->kind != SHELL_PIPELINE)
        return false;
    for (; next; next = next->next) {
        if (shell_is(next, "grep") || shell_is(next, "jq")) {
            for (int i = 1; i < next->n_words; i++) {
                const char *value = shell_value(next, i);
                if (value && value[0] == '-' && (strchr(value, 'q') || strchr(value, 'e')))
                    return true;
            }
        }
    }
    (void)lint;
    return false;
}

/* Looking for people at metrics and lists is no check of health. */
static bool checks_health(const struct use *use)
{
    static const char *const words[] = {"health", "ready", "live",  "status",
                                        "ping",   "/api",  "smoke", NULL};
    for (int i = 0; words[i]; i++)
        if (use_mentions(use, words[i]))
            return true;
    return false;
}

/* Does something hang on its exit status: an if, &&, || exit? */
static bool status_counts(const struct use *use)
{
    return use->last_stage && (use->in_condition || use->guarded);
}

static void check_curl(struct lint *lint, const struct use *use)
{
    bool fails = use_short(use, 'f') || use_has(use, "--fail") || use_has(use, "--fail-with-body");
    bool head = use_short(use, 'I') || use_short(use, 'i');
    if (strcmp(use->name, "curl"))
        return;
    if (!fails && !head && !reads_http_code(use) && !answer_is_read(lint, use) && !use->watched) {
        if (use_changes_state(use))
            lint_add_use(lint, "RB001", use,
                         "curl ends with 0 even if this request is refused; add --fail");
        else if (checks_health(use) || status_counts(use))
            lint_add_use(lint, "RB001", use, "curl ends with 0 on HTTP 500 and 503; add --fail");
    }
    if (!use->watched && !use->limited && !use_has(use, "--max-time") && !use_has(use, "-m") &&
        !use_has(use, "--connect-timeout"))
        lint_add_use(lint, "RB002", use,
                     "curl without --max-time waits as long as the server does");
}

/* ---- waiting without an end ---- */

/* And says nothing of how long it waits for them. */
static bool takes_locks(const char *sql)
{
    static const char *const words[] = {"alter table", "drop table",  "drop index",
                                        "truncate",    "vacuum full", NULL};
    for (int i = 0; sql && words[i]; i++)
        if (strcasestr(sql, words[i]))
            return !strcasestr(sql, "lock_timeout") && !strcasestr(sql, "statement_timeout");
    return false;
}

static bool assigns(const struct use *use, const char *name)
{
    for (const struct shell_assignment *at = use->command->assignments; at; at = at->next)
        if (str_is(at->name, name))
            return true;
    return false;
}

/* libpq: connect_timeout is 0, wait for ever, unless somebody says otherwise; and so is
 * lock_timeout. */
static void check_psql_limits(struct lint *lint, const struct use *use)
{
    bool elsewhere =
        use_value(use, "-h", "--host") || use_mentions(use, "://") || use_mentions(use, "host=");
    if (strcmp(use->name, "psql") || use->limited || use_mentions(use, "_timeout") ||
        assigns(use, "PGCONNECT_TIMEOUT") || assigns(use, "PGOPTIONS"))
        return;
    if (takes_locks(use_sql(lint, use)))
        lint_add_use(lint, "RB002", use,
                     "without SET lock_timeout it waits as long as anybody uses the table, and all "
                     "others wait behind it");
    else if (elsewhere && !use->remote)
        lint_add_use(lint, "RB002", use,
                     "psql without PGCONNECT_TIMEOUT waits for a host that does not answer");
}

/* `until check; do sleep 5; done`: nothing in it counts, and nothing leaves it. */
static bool loops_for_ever(const struct lint *lint, const struct use *use)
{
    static const char *const ways_out[] = {"break",   "exit",    "return", "kill",
                                           "timeout", "SECONDS", NULL};
    const struct shell_command *loop = use->command;
    const struct lint_block *block = &lint->blocks[use->block];
    struct str text;
    while (loop && loop->role != ROLE_CONDITION)
        loop = loop->parent;
    loop = loop ? loop->parent : NULL;
    if (!loop || loop->kind != SHELL_WHILE || loop->end > block->script.text.len || use->inside)
        return false;
    text = (struct str){block->script.text.at + loop->offset, loop->end - loop->offset};
    for (int i = 0; ways_out[i]; i++)
        if (str_find(text, str_of(ways_out[i])) >= 0)
            return false;
    return str_find(text, STR("((")) < 0 && str_find(text, STR("sleep")) >= 0;
}

static void check_limits(struct lint *lint, const struct use *use)
{
    check_psql_limits(lint, use);
    if (use_is(use, "argocd", "app", "wait") && !use_has(use, "--timeout") && !use->limited)
        lint_add_use(lint, "RB002", use, "argocd app wait without --timeout waits for ever");
    if (use->in_condition && use_verifies(use) && !use_compares(use) && loops_for_ever(lint, use))
        lint_add_use(lint, "RB002", use,
                     "this loop has no end if the condition never holds; count the attempts");
}

/* ---- questions ---- */

static bool reads_nothing(const struct use *use)
{
    return use->first_stage && !use->command->redirects;
}

/* "ssh host" with no command, and more lines behind it that were meant for that host. */
static bool opens_session(const struct lint *lint, const struct use *use)
{
    const struct lint_block *block = &lint->blocks[use->block];
    return !strcmp(use->name, "ssh") && !use->inside && use->n_operands == 1 && use->first_stage &&
           use->last_stage && !use->command->redirects && use != &lint->uses[block->end - 1];
}

/* -it, -t, --tty among the options of exec itself, before the command that it runs. */
static bool wants_terminal(const struct use *use)
{
    for (int i = 1, operands = 0; i < use->argc && strcmp(use->argv[i], "--") != 0; i++) {
        const char *arg = use->argv[i];
        if (!strcmp(arg, "--tty") || !strcmp(arg, "-it") || !strcmp(arg, "-ti") ||
            !strcmp(arg, "-t"))
            return true;
        operands += use->n_operands > 1 && !strcmp(arg, use->operands[1]);
        if (operands && strcmp(use->name, "kubectl") != 0)
            return false; /* behind the container's name its own command begins */
    }
    return false;
}

/* kubectl exec -it POD -- bash. With a command that ends by itself kubectl warns that there is no
 * terminal, and goes on. */
static bool runs_bare_shell(const struct use *use)
{
    static const char *const shells[] = {"sh", "bash", "/bin/sh", "/bin/bash", NULL};
    for (int i = 0; shells[i]; i++)
        if (!strcmp(use->argv[use->argc - 1], shells[i]))
            return true;
    return false;
}

/* docker-compose of version 1 takes a terminal for granted in exec, unless -T or -d is there. */
static bool assumes_terminal(const struct use *use)
{
    if (strcmp(use->argv[0], "docker-compose") != 0 || !use_is(use, "compose", "exec", NULL))
        return false;
    for (int i = 1; i < use->argc; i++) {
        const char *arg = use->argv[i];
        if (use->n_operands > 1 && !strcmp(arg, use->operands[1]))
            break; /* behind the service's name its own command begins */
        if (!strcmp(arg, "--detach") || (*arg == '-' && arg[1] != '-' && strpbrk(arg, "Td")))
            return false;
    }
    return true;
}

/* Is it asked only where somebody sits: if [ -t 0 ]; then read ...? */
static bool only_on_terminal(const struct lint *lint, const struct use *use)
{
    const struct lint_block *block = &lint->blocks[use->block];
    for (const struct shell_command *at = use->command; at; at = at->parent) {
        struct str text = {block->script.text.at + at->offset, use->command->offset - at->offset};
        if (at->kind == SHELL_IF && at->end <= block->script.text.len &&
            str_find(text, STR("-t 0")) >= 0)
            return true;
    }
    return false;
}

static bool has_input(const struct shell_command *command)
{
    for (; command; command = command->parent) {
        if (command->parent && command->parent->kind == SHELL_PIPELINE &&
            command->parent->first != command)
            return true;
        for (const struct shell_redirect *at = command->redirects; at; at = at->next)
            if (*at->operator.at == '<')
                return true;
    }
    return false;
}

static bool reads_answer(const struct lint *lint, const struct use *use)
{
    if (strcmp(use->name, "read") != 0 || use_short(use, 't') || use_short(use, 'u') ||
        use->in_condition || has_input(use->command))
        return false;
    return (use_short(use, 'p') || !use->in_loop) && !only_on_terminal(lint, use);
}

/* Tools that want a yes before they act. */
static const char *asks_first(const struct use *use)
{
    static const char *const installers[] = {"apt", "apt-get", "yum", "dnf", NULL};
    const char *verb = use->n_operands ? use->operands[0] : "";
    const char *last = use->n_operands ? use->operands[use->n_operands - 1] : "";
    for (int i = 0; installers[i]; i++)
        if (!strcmp(use->name, installers[i]) && !use_short(use, 'y') && !use_has(use, "--yes") &&
            (!strcmp(verb, "install") || !strcmp(verb, "remove") || !strcmp(verb, "upgrade")))
            return "it asks before it does anything; -y";
    if (!strcmp(use->name, "docker") && !strcmp(last, "prune") && !use_short(use, 'f') &&
        !use_has(use, "--force"))
        return "it asks before it removes anything; -f";
    if (!strcmp(use->name, "gcloud") && !use_has(use, "--quiet") && !use_short(use, 'q') &&
        (use_mentions(use, "restore") || use_mentions(use, "delete")))
        return "it asks before it does anything; --quiet";
    if ((!strcmp(use->name, "mysql") || !strcmp(use->name, "mysqldump")) && use_has(use, "-p"))
        return "-p asks for the password; use a file of options or MYSQL_PWD";
    return NULL;
}

static void check_questions(struct lint *lint, const struct use *use)
{
    static const char *const editors[] = {"vi",     "vim",  "nano", "emacs",
                                          "visudo", "less", "more", NULL};
    const char *what = NULL;
    for (int i = 0; editors[i]; i++)
        if (!strcmp(use->name, editors[i]) && use->last_stage)
            what = "it opens a screen for a person";
    if (reads_answer(lint, use))
        what = "it waits for somebody to type";
    if (opens_session(lint, use))
        what = "it opens a session on the other host; the lines behind it run here, when it ends";
    if (use_is(use, "kubectl", "edit", NULL))
        what = "it opens an editor; kubectl patch does not";
    if (use_is(use, "kubectl", "exec", NULL) && wants_terminal(use) && runs_bare_shell(use))
        what = "it opens a session for a person; -- sh -c '...' runs what is to be typed there";
    if (use_is(use, "docker", "exec", NULL) && wants_terminal(use))
        what = "-t fails without a terminal, as in CI or in cron; leave it out";
    if (assumes_terminal(use))
        what = "version 1 fails without a terminal, as in CI or in cron; exec -T";
    if (!what)
        what = asks_first(use);
    if (use_is(use, "crontab", NULL, NULL) && use_short(use, 'e'))
        what = "it opens an editor";
    if (use_is(use, "git", "rebase", NULL) && use_short(use, 'i'))
        what = "it opens an editor";
    if ((use_is(use, "terraform", "apply", NULL) || use_is(use, "terraform", "destroy", NULL)) &&
        !use_has(use, "-auto-approve") && use->n_operands < 2)
        what = "it asks before it does anything; -auto-approve, or a plan file";
    if (!strcmp(use->name, "psql") && reads_nothing(use) && !use_value(use, "-c", "--command") &&
        !use_value(use, "-f", "--file") && !use_short(use, 'l') && !use_short(use, 'V') &&
        !use->remote)
        what = "without -c or -f it waits for SQL to be typed";
    if (what)
        lint_add_use(lint, "RB021", use, "%s: %s", use->name, what);
}

static void check_sleep(struct lint *lint, const struct use *use)
{
    if (strcmp(use->name, "sleep") || use->in_loop || use->inside || use->background ||
        use->in_condition || lint->blocks[use->block].end == (int)(use - lint->uses) + 1)
        return;
    lint_add_use(lint, "RB023", use, "'sleep %s' hopes that it is enough; wait for the condition",
                 use->argc > 1 ? use->argv[1] : "");
}

static void check_never_ending(struct lint *lint, const struct use *use)
{
    int index = (int)(use - lint->uses);
    const struct lint_block *block = &lint->blocks[use->block];
    const struct use *next = NULL;
    if (!use_never_ends(use) || use->background || (use->inside && !use->remote))
        return;
    for (int i = index + 1; i < block->end && !next; i++)
        if (lint->uses[i].command != use->command && lint->uses[i].line > use->command->end_line)
            next = &lint->uses[i];
    if (next)
        lint_add_use(lint, "RB028", use,
                     "'%s' never ends, so line %d and what follows is not reached", use->name,
                     next->line);
}

/* ---- grep, git ---- */

static void check_grep(struct lint *lint, const struct use *use)
{
    if (strcmp(use->name, "grep") || use->first_stage || !use->last_stage || use->in_condition ||
        use->ignored || use->guarded || use->watched || use_short(use, 'v') || use_short(use, 'c'))
        return;
    if (use->n_operands && strcasestr(use->operands[0], "error"))
        lint_add_use(lint, "RB035", use, "grep ends with 1 when there is no error");
}

static void check_git(struct lint *lint, const struct use *use)
{
    if (use_is(use, "git", "reset", NULL) && use_has(use, "--hard"))
        lint_add_use(lint, "RB036", use, "reset --hard loses every change that is not committed");
    if (use_is(use, "git", "push", NULL) && (use_has(use, "--force") || use_has(use, "-f")))
        lint_add_use(
            lint, "RB036", use,
            "push --force loses what others pushed meanwhile; --force-with-lease does not");
}

/* ---- what is no command at all ---- */

static bool is_schedule(const struct use *use)
{
    if (use->argc < 6)
        return false;
    for (int i = 0; i < 5; i++)
        if (!*use->argv[i] || use->argv[i][strspn(use->argv[i], "0123456789*/,-")])
            return false;
    return true;
}

static void check_foreign(struct lint *lint, const struct use *use)
{
    static const char *const sql[] = {"SELECT", "INSERT",  "ALTER",    "DROP",  "CREATE",
                                      "UPDATE", "DELETE",  "TRUNCATE", "GRANT", "REVOKE",
                                      "BEGIN;", "COMMIT;", NULL};
    if (use->inside)
        return;
    for (int i = 0; sql[i]; i++)
        if (!strcmp(use->argv[0], sql[i]))
            lint_add_use(lint, "RB043", use, "this is SQL, and the shell has no command '%s'",
                         use->argv[0]);
    if (is_schedule(use))
        lint_add_use(lint, "RB043", use,
                     "this is a line of a crontab, and the shell has no command '%s'",
                     use->argv[0]);
}

static void check_mistakes(struct lint *lint, const struct lint_block *block)
{
    for (int i = 0; i < block->script.n_mistakes; i++) {
        const struct shell_mistake *mistake = &block->script.mistakes[i];
        lint_add(lint, "RB026", mistake->line, mistake->column, "%s", mistake->text);
    }
}

void lint_check_shell(struct lint *lint)
{
    for (int i = 0; i < lint->n_blocks; i++)
        check_mistakes(lint, &lint->blocks[i]);
    for (int i = 0; i < lint->n_uses; i++) {
        const struct use *use = &lint->uses[i];
        check_curl(lint, use);
        check_limits(lint, use);
        check_questions(lint, use);
        check_sleep(lint, use);
        check_never_ending(lint, use);
        check_grep(lint, use);
        check_git(lint, use);
        check_foreign(lint, use);
    }
}
