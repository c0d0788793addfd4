/* Rules about what becomes of failures: set -e and pipefail, errors thrown away, empty values, one
 * status for several commands. */
#include <ctype.h>
#include <string.h>
#include <strings.h>

#include "procedures/lint/internal.h"
#include "sim/base/xalloc.h"

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

/* Does the status of this pipeline decide something, so that only its last stage is asked? */
static bool status_decides(const struct use *use)
{
    const struct shell_command *pipeline = use->command->parent;
    const struct shell_command *next = pipeline->next;
    bool chained = pipeline->parent && pipeline->parent->kind == SHELL_AND_OR && next;
    return chained || use->in_condition;
}

static bool pipefail_before(const struct lint *lint, const struct lint_block *block)
{
    for (int i = 0; i < lint->n_blocks && &lint->blocks[i] != block; i++)
        if (!lint->blocks[i].is_script && lint->blocks[i].pipefail)
            return true;
    return false;
}

/* pg_dump a | gzip > b && psql -c 'DROP ...' in a pasted block: && asks gzip alone. */
static void check_pasted_pipe(struct lint *lint, const struct lint_block *block)
{
    if (block->is_script || block->pipefail || pipefail_before(lint, block))
        return;
    for (int i = block->first; i < block->end; i++) {
        const struct use *use = &lint->uses[i];
        if (!use->last_stage && !use->inside && produces_data(use) && status_decides(use))
            lint_add_use(lint, "RB003", use,
                         "what is joined behind this pipeline does not see '%s' fail; set -o "
                         "pipefail",
                         use->name);
    }
}

/* ---- set -e that is off ---- */

/* The calls of a function in a place where bash ignores set -e inside it: if f, f ||, f &&, ! f. */
static bool ignores_errors(const struct shell_command *command)
{
    for (const struct shell_command *at = command; at; at = at->parent) {
        if (at->kind == SHELL_FUNCTION || at->kind == SHELL_SUBSHELL)
            return false;
        if (at->role == ROLE_CONDITION || at->negated)
            return true;
        if (at->parent && at->parent->kind == SHELL_AND_OR && at->next)
            return true;
    }
    return false;
}

static const struct shell_command *function_around(const struct shell_command *command)
{
    while (command && command->kind != SHELL_FUNCTION)
        command = command->parent;
    return command;
}

/* A change in that function that may fail with others behind it, and nobody asks. */
static const struct use *unasked_change(const struct lint *lint, const struct lint_block *block,
                                        struct str name)
{
    for (int i = block->first; i < block->end; i++) {
        const struct use *use = &lint->uses[i];
        const struct shell_command *function = function_around(use->command);
        if (!function || !str_eq(function->name, name) || use->inside || use->ignored ||
            use->guarded || ignores_errors(use->command) || !use_changes_state(use))
            continue;
        for (int next = i + 1; next < block->end; next++)
            if (function_around(lint->uses[next].command) == function)
                return use;
    }
    return NULL;
}

static void check_errors_ignored(struct lint *lint, const struct lint_block *block)
{
    for (int i = block->first; block->set_e && i < block->end; i++) {
        const struct use *use = &lint->uses[i], *change;
        if (use->inside || !ignores_errors(use->command))
            continue;
        change = unasked_change(lint, block, str_of(use->argv[0]));
        if (change)
            lint_add_use(lint, "RB003", use,
                         "set -e is off inside '%s' when it is called like this: line %d may fail, "
                         "and it goes on",
                         use->argv[0], change->line);
    }
}

/* local x=$(grep ...): the status is that of local, which is 0. */
static void check_masked(struct lint *lint, const struct lint_block *block)
{
    static const char *const can_fail[] = {"grep", "curl",      "kubectl", "docker", "compose",
                                           "psql", "aws",       "helm",    "git",    "jq",
                                           "ssh",  "redis-cli", NULL};
    for (int i = block->first; block->set_e && i < block->end; i++) {
        const struct use *use = &lint->uses[i];
        const struct shell_command *at = use->command;
        bool declared = !strcmp(use->name, "local") || !strcmp(use->name, "export") ||
                        !strcmp(use->name, "declare") || !strcmp(use->name, "readonly");
        if (!declared || use->inside)
            continue;
        for (int next = i + 1; next < block->end; next++) {
            const struct use *inner = &lint->uses[next];
            bool mine = inner->command->offset >= at->offset && inner->command->end <= at->end &&
                        inner->command != at;
            for (int k = 0; mine && can_fail[k]; k++)
                if (!strcmp(inner->name, can_fail[k]) && !inner->ignored) {
                    lint_add_use(lint, "RB003", use,
                                 "set -e does not see '%s' fail behind '%s': declare first, then "
                                 "assign",
                                 inner->name, use->name);
                    mine = false;
                    next = block->end;
                }
        }
    }
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

struct setters {
    struct lint *lint;
    int block;
};

static bool find_setter(struct shell_command *command, void *data)
{
    struct setters *setters = data;
    struct lint *lint = setters->lint;
    for (const struct shell_assignment *at = command->assignments; at; at = at->next) {
        bool found = false;
        for (const struct shell_part *part = at->value->parts; part; part = part->next)
            found |= part->kind == PART_COMMAND ||
                     (part->kind == PART_DOUBLE && part->parts &&
                      part->parts->kind == PART_COMMAND && !part->parts->next);
        if (!found)
            continue;
        XGROW(lint->from_commands, lint->n_from_commands, lint->cap_from_commands);
        lint->from_commands[lint->n_from_commands++] =
            (struct from_command){at->name, setters->block};
    }
    return true;
}

/* In this block, or in one pasted before it into the same shell. */
static bool set_from_command(const struct lint *lint, int block, struct str name)
{
    for (int i = 0; i < lint->n_from_commands; i++) {
        const struct from_command *at = &lint->from_commands[i];
        bool pasted = !lint->blocks[at->block].is_script && !lint->blocks[block].is_script;
        if (str_eq(at->name, name) && (at->block == block || (at->block < block && pasted)))
            return true;
    }
    return false;
}

/* Does a test before it look at the variable: [ -z "$X" ] && exit, if [ -d "$X" ]? */
static bool is_tested(const struct lint *lint, const struct use *use, struct str name)
{
    const char *plain = arena_printf(lint->arena, "$%.*s", STR_ARG(name));
    const char *braces = arena_printf(lint->arena, "${%.*s", STR_ARG(name));
    for (const struct use *at = use - 1; at >= lint->uses && same_scope(lint, use, at); at--)
        if (use_compares(at) && (use_mentions(at, plain) || use_mentions(at, braces)))
            return true;
    return false;
}

struct bare_parameter {
    const struct lint *lint;
    int block;
    struct str name;
};

static void find_bare(const struct shell_part *part, bool in_quotes, void *data)
{
    struct bare_parameter *bare = data;
    (void)in_quotes;
    if (part->kind == PART_PARAMETER && !part->operator.len && !bare->name.len &&
                                         set_from_command(bare->lint, bare->block, part->name))
        bare->name = part->name;
}

static bool drops(const struct lint *lint, const struct use *use)
{
    const char *sql = use_sql(lint, use);
    return sql && (strcasestr(sql, "drop database") || strcasestr(sql, "drop schema") ||
                   strcasestr(sql, "truncate "));
}

static bool is_destructive(const struct lint *lint, const struct use *use)
{
    return (!strcmp(use->name, "rm") && (use_short(use, 'r') || use_short(use, 'f'))) ||
           !strcmp(use->name, "dropdb") || use_is(use, "kubectl", "delete", NULL) ||
           use_is(use, "docker", "volume", "rm") || use_is(use, "docker", "rmi", NULL) ||
           use_is(use, "git", "reset", NULL) || drops(lint, use) ||
           (use_is(use, "aws", NULL, NULL) && use_mentions(use, "delete-"));
}

static void check_empty_value(struct lint *lint, const struct use *use)
{
    struct bare_parameter bare = {.lint = lint, .block = use->block};
    if (use->inside || !is_destructive(lint, use))
        return;
    shell_each_part(use->command, find_bare, &bare);
    if (bare.name.len && !is_tested(lint, use, bare.name))
        lint_add_use(lint, "RB005", use,
                     "'%s' acts on $%.*s, which is empty when the command that fills it fails",
                     use->name, STR_ARG(bare.name));
}

/* ---- several commands, one status ---- */

/* ssh host cd /app; ./rollback.sh: the shell here takes the ';', and runs the rest itself. */
static bool splits_here(const struct lint *lint, const struct use *use)
{
    const struct lint_block *block = &lint->blocks[use->block];
    const struct shell_command *next = use->command->next;
    const struct shell_word *last = use->words[use->argc - 1];
    size_t end = use->command->end;
    while (end < block->script.text.len && block->script.text.at[end] == ' ')
        end++;
    return !use->inside && use->n_operands > 1 && next && !last->quoted &&
           next->line == use->command->end_line && use->command->parent->kind == SHELL_LIST &&
           end < block->script.text.len && block->script.text.at[end] == ';' &&
           next->offset > end && !shell_is(next, "echo") && !shell_is(next, "ssh") &&
           !shell_is(next, "done") && !shell_is(next, "sleep");
}

/* The command of the list that makes up the whole text given to that shell. */
static const struct shell_command *in_list(const struct shell_command *at)
{
    while (at->parent && at->parent->parent)
        at = at->parent;
    return at;
}

/* ssh host 'a; b', docker exec C sh -c 'a; b': a may fail, and b decides. Does the text hold
 * several commands, one of which, not the last, changes something (or any, if `any`)? */
static bool hides_failures(const struct lint *lint, const struct use *use, bool any)
{
    const struct shell_command *last = NULL;
    int index = (int)(use - lint->uses);
    for (int i = index + 1; i < lint->blocks[use->block].end; i++) {
        const struct use *inner = &lint->uses[i];
        const struct shell_command *command = in_list(inner->command);
        if (!inner->inside || inner->line > use->command->end_line)
            break;
        if (inner->command == use->command)
            continue;
        if (shell_is(command, "set"))
            return false;
        if (last && command != last && any)
            return true;
        any |= use_changes_state(inner) && !inner->ignored && !inner->guarded;
        last = command;
    }
    return false;
}

/* xargs goes on after a command that failed, and says so with its own status, 123. */
static bool xargs_unasked(const struct lint *lint, const struct use *use)
{
    return use->by_xargs && use_changes_state(use) && !use->guarded && !use->in_condition &&
           !(lint->blocks[use->block].set_e && use->last_stage && !use->ignored);
}

static void check_remote(struct lint *lint, const struct use *use)
{
    bool shell =
        !strcmp(use->name, "sh") || !strcmp(use->name, "bash") || !strcmp(use->name, "ssh");
    if (!strcmp(use->name, "ssh") && use->argc > 2 && use->words[use->argc - 1]->quoted &&
        hides_failures(lint, use, true))
        lint_add_use(lint, "RB019", use,
                     "only the last of the commands given to ssh is seen to fail");
    for (const struct shell_redirect *at = use->command->redirects; shell && !use->inside && at;
         at = at->next)
        if (at->body.len && str_find(at->body, STR("set -e")) < 0 &&
            memchr(at->body.at, '\n', at->body.len - 1))
            lint_add_use(lint, "RB019", use,
                         "the shell that reads this here-document goes on after errors");
    if (!strcmp(use->name, "ssh") && splits_here(lint, use))
        lint_add_use(lint, "RB019", use,
                     "the ';' ends the ssh: what stands behind it runs here, not on that host; "
                     "put it all in quotes");
    if ((use_is(use, "docker", "exec", NULL) || use_is(use, "kubectl", "exec", NULL) ||
         use_is(use, "compose", "exec", NULL)) &&
        !use->inside && hides_failures(lint, use, false))
        lint_add_use(lint, "RB019", use,
                     "only the last of the commands given to that shell is seen to fail");
    if (xargs_unasked(lint, use))
        lint_add_use(lint, "RB019", use,
                     "xargs goes on after a '%s' that failed and ends with 123; nobody asks",
                     use->name);
}

void lint_check_scripts(struct lint *lint)
{
    for (int i = 0; i < lint->n_blocks; i++) {
        struct setters setters = {lint, i};
        shell_each_command(&lint->blocks[i].script, find_setter, &setters);
        check_set_e(lint, &lint->blocks[i]);
        check_pasted_pipe(lint, &lint->blocks[i]);
        check_errors_ignored(lint, &lint->blocks[i]);
        check_masked(lint, &lint->blocks[i]);
    }
    for (int i = 0; i < lint->n_uses; i++) {
        const struct use *use = &lint->uses[i];
        check_swallowed(lint, use);
        check_empty_value(lint, use);
        check_remote(lint, use);
    }
}
