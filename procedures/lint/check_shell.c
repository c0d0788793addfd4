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
        else if (checks_health(use))
            lint_add_use(lint, "RB001", use, "curl ends with 0 on HTTP 500 and 503; add --fail");
    }
    if (!use->watched && !use->limited && !use_has(use, "--max-time") && !use_has(use, "-m") &&
        !use_has(use, "--connect-timeout"))
        lint_add_use(lint, "RB002", use,
                     "curl without --max-time waits as long as the server does");
}

/* ---- set -e, pipefail, swallowed errors ---- */

static bool produces_data(const struct use *use)
{
    static const char *const names[] = {"pg_dump", "mysqldump", "mongodump", "pg_dumpall",
                                        "zcat",    "gunzip",    "kubectl",   "docker",
                                        "aws",     "psql",      "tar",       NULL};
    for (int i = 0; names[i]; i++)
        if (!strcmp(use->name, names[i]))
            return use_changes_state(use) || use_is_backup(use) || !strcmp(use->name, "zcat") ||
                   !strcmp(use->name, "gunzip");
    return false;
}

static void check_set_e(struct lint *lint, const struct lint_block *block)
{
    int changes = 0;
    if (!block->is_script)
        return;
    for (int i = block->first; i < block->end; i++)
        changes += use_changes_state(&lint->uses[i]);
    if (!block->set_e && changes)
        lint_add(lint, "RB003", block->block->line, 0,
                 "this script goes on after a failed command: no set -e");
    if (!block->set_e || block->pipefail)
        return;
    for (int i = block->first; i < block->end; i++) {
        const struct use *use = &lint->uses[i];
        if (!use->last_stage && !use->inside && produces_data(use)) {
            lint_add_use(lint, "RB003", use,
                         "set -e does not see '%s' fail inside a pipeline; add pipefail",
                         use->name);
            return;
        }
    }
}

static void check_swallowed(struct lint *lint, const struct use *use)
{
    static const char *const harmless[] = {"rm", "kill", "pkill", NULL};
    const char *verb = use->n_operands ? use->operands[0] : "";
    if (use->in_condition || !use_changes_state(use))
        return;
    for (int i = 0; harmless[i]; i++)
        if (!strcmp(use->name, harmless[i]))
            return;
    /* deleting what may not be there is the ordinary use of "|| true" */
    if (!strcmp(verb, "delete") || !strcmp(verb, "rm") || !strcmp(verb, "rmi") ||
        !strcmp(verb, "stop"))
        return;
    if (use->inside && !use->remote)
        return;
    if (use->ignored)
        lint_add_use(lint, "RB004", use,
                     "'%s %s' may fail, and '||' behind it makes that a success", use->name, verb);
    else if (use->silenced && !use->guarded)
        lint_add_use(lint, "RB004", use, "what '%s %s' says when it fails goes to /dev/null",
                     use->name, verb);
}

/* ---- destructive commands with values that may be empty ---- */

static bool set_from_command(const struct lint_block *block, struct str name);

struct setter {
    struct str name;
    bool found;
};

static bool find_setter(struct shell_command *command, void *data)
{
    struct setter *setter = data;
    for (const struct shell_assignment *at = command->assignments; at; at = at->next)
        if (str_eq(at->name, setter->name))
            for (const struct shell_part *part = at->value->parts; part; part = part->next)
                setter->found |= part->kind == PART_COMMAND ||
                                 (part->kind == PART_DOUBLE && part->parts &&
                                  part->parts->kind == PART_COMMAND && !part->parts->next);
    return true;
}

static bool set_from_command(const struct lint_block *block, struct str name)
{
    struct setter setter = {.name = name};
    shell_each_command(&block->script, find_setter, &setter);
    return setter.found;
}

struct bare_parameter {
    const struct lint_block *block;
    struct str name;
};

static void find_bare(const struct shell_part *part, bool in_quotes, void *data)
{
    struct bare_parameter *bare = data;
    (void)in_quotes;
    if (part->kind == PART_PARAMETER && !part->operator.len && !bare->name.len &&
                                         set_from_command(bare->block, part->name))
        bare->name = part->name;
}

static bool is_destructive(const struct use *use)
{
    return (!strcmp(use->name, "rm") && (use_short(use, 'r') || use_short(use, 'f'))) ||
           !strcmp(use->name, "dropdb") || use_is(use, "kubectl", "delete", NULL) ||
           use_is(use, "docker", "volume", "rm") || use_is(use, "git", "reset", NULL) ||
           (use_is(use, "aws", NULL, NULL) && use_mentions(use, "delete-"));
}

static void check_empty_value(struct lint *lint, const struct use *use)
{
    struct bare_parameter bare = {.block = &lint->blocks[use->block]};
    if (use->inside || !is_destructive(use))
        return;
    shell_each_part(use->command, find_bare, &bare);
    if (bare.name.len)
        lint_add_use(lint, "RB005", use,
                     "'%s' acts on $%.*s, which is empty when the command that fills it fails",
                     use->name, STR_ARG(bare.name));
}

/* ---- remote shells, questions, waits ---- */

static void check_remote(struct lint *lint, const struct use *use)
{
    bool shell =
        !strcmp(use->name, "sh") || !strcmp(use->name, "bash") || !strcmp(use->name, "ssh");
    if (!strcmp(use->name, "ssh") && use->argc > 2 && use->words[use->argc - 1]->quoted) {
        const char *text = use->argv[use->argc - 1];
        if (strchr(text, ';') && !strstr(text, "set -e") && !strstr(text, ";;") &&
            !strstr(text, "; do"))
            lint_add_use(lint, "RB019", use,
                         "only the last of the commands given to ssh is seen to fail");
    }
    for (const struct shell_redirect *at = use->command->redirects; shell && !use->inside && at;
         at = at->next)
        if (at->body.len && str_find(at->body, STR("set -e")) < 0 &&
            memchr(at->body.at, '\n', at->body.len - 1))
            lint_add_use(lint, "RB019", use,
                         "the shell that reads this here-document goes on after errors");
}

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

static void check_questions(struct lint *lint, const struct use *use)
{
    static const char *const editors[] = {"vi",     "vim",  "nano", "emacs",
                                          "visudo", "less", "more", NULL};
    bool exec = use_is(use, "kubectl", "exec", NULL) || use_is(use, "docker", "exec", NULL);
    const char *what = NULL;
    for (int i = 0; editors[i]; i++)
        if (!strcmp(use->name, editors[i]) && use->last_stage)
            what = "it opens a screen for a person";
    if (!strcmp(use->name, "read") && use_short(use, 'p') && !use->in_loop)
        what = "it waits for somebody to type";
    if (opens_session(lint, use))
        what = "it opens a session on the other host; the lines behind it run here, when it ends";
    if (use_is(use, "kubectl", "edit", NULL))
        what = "it opens an editor; kubectl patch does not";
    if (exec && use_short(use, 't') && use_short(use, 'i') && use->argc > 2 &&
        use->argv[2][0] == '-' && strlen(use->argv[2]) <= 3)
        what = "-t needs a terminal; leave it out";
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
    for (int i = 0; i < lint->n_blocks; i++) {
        check_mistakes(lint, &lint->blocks[i]);
        check_set_e(lint, &lint->blocks[i]);
    }
    for (int i = 0; i < lint->n_uses; i++) {
        const struct use *use = &lint->uses[i];
        check_curl(lint, use);
        check_swallowed(lint, use);
        check_empty_value(lint, use);
        check_remote(lint, use);
        check_questions(lint, use);
        check_sleep(lint, use);
        check_never_ending(lint, use);
        check_grep(lint, use);
        check_git(lint, use);
        check_foreign(lint, use);
    }
}
