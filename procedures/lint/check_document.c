/* Rules about the playbook as a document: blanks, claims, alternatives, steps by hand, blocks that
 * lean on others. */
#include <ctype.h>
#include <string.h>
#include <strings.h>

#include "procedures/lint/internal.h"
#include "procedures/playbook/internal.h"
#include "procedures/playbook/placeholder.h"

/* ---- blanks and variables ---- */

static bool set_in(const struct lint *lint, int block, struct str name)
{
    struct placeholders found;
    bool set;
    placeholders_init(&found, lint->arena);
    placeholders_scan(&found, &lint->blocks[block].script, 1);
    set = placeholders_is_set(&found, name);
    placeholders_release(&found);
    return set;
}

/* The nearest pasted block before this one that sets the variable, or -1. */
static int earlier_setter(const struct lint *lint, int block, struct str name)
{
    for (int i = block - 1; i >= 0; i--)
        if (!lint->blocks[i].is_script && set_in(lint, i, name))
            return i;
    return -1;
}

static void report_variable(struct lint *lint, int block, const struct placeholder *at)
{
    struct str name = {at->text.at + 1, at->text.len - 1};
    int setter = lint->blocks[block].is_script ? -1 : earlier_setter(lint, block, name);
    if (setter >= 0)
        lint_add(lint, "RB020", at->line, at->column, "$%.*s is set in the block at line %d",
                 STR_ARG(name), lint->blocks[setter].block->line);
    else
        lint_add(lint, "RB025", at->line, at->column, "nothing here sets $%.*s", STR_ARG(name));
}

struct asked {
    struct str name;
    bool found;
};

/* [ -n "$X" ], [[ -z $X ]] */
static bool find_question(struct shell_command *command, void *data)
{
    struct asked *asked = data;
    bool test = command->kind == SHELL_TEST || shell_is(command, "[") || shell_is(command, "test");
    for (int i = 0; test && i + 1 < command->n_words; i++) {
        const char *option = shell_value(command, i);
        const struct shell_part *part = command->words[i + 1]->parts;
        if (!option || (strcmp(option, "-n") != 0 && strcmp(option, "-z") != 0))
            continue;
        if (part && part->kind == PART_DOUBLE)
            part = part->parts;
        asked->found |= part && part->kind == PART_PARAMETER && str_eq(part->name, asked->name);
    }
    return true;
}

/* Does the script itself ask whether the variable is set? Then it knows what to do without. */
static bool asks_if_set(const struct shell_script *script, struct str name)
{
    struct asked asked = {.name = name};
    shell_each_command(script, find_question, &asked);
    return asked.found;
}

static void check_blanks(struct lint *lint, int block)
{
    struct placeholders found;
    placeholders_init(&found, lint->arena);
    placeholders_scan(&found, &lint->blocks[block].script, lint->blocks[block].block->line);
    for (int i = 0; i < found.n; i++) {
        const struct placeholder *at = &found.at[i];
        struct str name = {at->text.at + 1, at->text.len - 1};
        if (at->is_blank)
            continue;
        if (!at->is_variable)
            lint_add(lint, "RB025", at->line, at->column, "'%.*s' waits for a value",
                     STR_ARG(at->text));
        else if (!found.sources && !placeholders_is_set(&found, name) &&
                 !asks_if_set(&lint->blocks[block].script, name))
            report_variable(lint, block, at);
    }
    placeholders_release(&found);
}

/* ---- alternatives and steps by hand: what the picking of a procedure sees ---- */

static void check_notes(struct lint *lint, int index)
{
    const struct block *block = lint->blocks[index].block;
    struct procedure_options options = {.alternatives = ALTERNATIVES_FIRST};
    struct note_list notes = {.arena = lint->arena};
    bool *keep = ARENA_ARRAY(lint->arena, bool, block->n_lines + 1);
    if (lint->blocks[index].is_script)
        return;
    choose_lines(block, &options, keep, &notes);
    for (int i = 0; i < notes.n; i++) {
        if (!strcmp(notes.at[i].id, "alternatives"))
            lint_add(lint, "RB044", notes.at[i].line, 0,
                     "this is an alternative to what stands above it in the same block");
        else if (!strcmp(notes.at[i].id, "manual_edit"))
            lint_add(lint, "RB029", notes.at[i].line, 0, "%s", notes.at[i].message);
    }
    note_list_release(&notes);
}

/* ---- claims ---- */

static bool has_word(const char *text, const char *word)
{
    size_t n = strlen(word);
    for (const char *at = text; (at = strcasestr(at, word)); at++)
        if ((at == text || !isalpha((unsigned char)at[-1])) && !isalpha((unsigned char)at[n]))
            return true;
    return false;
}

/* Does the line say that the work is done? Not that one check passed, and not what is still to
 * come. */
static bool claims_success(const struct use *use)
{
    static const char *const claims[] = {"complete",  "completed", "successful", "successfully",
                                         "succeeded", "finished",  NULL};
    static const char *const subjects[] = {"rollback", "rolled",     "restore", "restored",
                                           "recovery", "deployment", "revert",  "reverted",
                                           "failover", NULL};
    static const char *const not_yet[] = {"if",   "when",    "until",  "not",  "failed",
                                          "wait", "waiting", "before", "once", NULL};
    bool claim = false, subject = false;
    if (strcmp(use->name, "echo") && strcmp(use->name, "printf") && !strstr(use->name, "log") &&
        !strstr(use->name, "success") && !strstr(use->name, "info"))
        return false;
    for (int i = 1; i < use->argc; i++) {
        for (int w = 0; claims[w]; w++)
            claim |= has_word(use->argv[i], claims[w]);
        for (int w = 0; subjects[w]; w++)
            subject |= has_word(use->argv[i], subjects[w]);
        for (int w = 0; not_yet[w]; w++)
            if (has_word(use->argv[i], not_yet[w]))
                return false;
    }
    return claim && subject;
}

/* Would a failure of this check keep bash from reaching what stands behind it? */
static bool can_stop(const struct lint *lint, const struct use *use)
{
    const struct shell_command *at = use->command;
    bool set_e = lint->blocks[use->block].set_e;
    if (use->guarded)
        return true;
    for (; at && at->role != ROLE_CONDITION; at = at->parent)
        ;
    if (at) { /* if check; then ... else exit 1; fi */
        const struct shell_command *parent = at->parent;
        const char *start = lint->blocks[use->block].script.text.at;
        struct str text = {start + parent->offset, parent->end - parent->offset};
        if (parent->end > lint->blocks[use->block].script.text.len)
            return false;                /* in a text of its own, such as sh -c: too far away */
        if (parent->kind == SHELL_WHILE) /* until it passes; unless the loop has another way out */
            return str_find(text, STR("break")) < 0;
        return str_find(text, STR("exit")) >= 0 || str_find(text, STR("return")) >= 0;
    }
    return set_e && !use->ignored && use->last_stage;
}

static const struct shell_command *function_of(const struct shell_command *command)
{
    while (command && command->kind != SHELL_FUNCTION)
        command = command->parent;
    return command;
}

/* Is the condition before this body a question to the service, and not whether a file or a value is
 * there? */
static bool condition_checks(const struct lint *lint, const struct use *claim,
                             const struct shell_command *body)
{
    const struct shell_command *from = body->parent;
    for (const struct use *at = claim - 1; at >= lint->uses; at--) {
        if (at->block != claim->block || at->command->offset < from->offset)
            break;
        if (!at->in_condition || at->command->offset >= body->offset)
            continue;
        if (!use_compares(at))
            return true;
        for (int i = 1; i < at->argc; i++)
            if (!strcmp(at->argv[i], "=") || !strcmp(at->argv[i], "==") ||
                !strcmp(at->argv[i], "!=") || !strcmp(at->argv[i], "=~") ||
                (at->argv[i][0] == '-' && strlen(at->argv[i]) == 3 && strcmp(at->argv[i], "-nt")))
                return true;
    }
    return false;
}

static bool said_on_condition(const struct lint *lint, const struct use *claim)
{
    for (const struct shell_command *at = claim->command; at; at = at->parent)
        if (at->role == ROLE_BODY && at->parent && at->parent->kind == SHELL_IF &&
            condition_checks(lint, claim, at))
            return true;
    return false;
}

static void check_claim(struct lint *lint, const struct use *claim)
{
    const struct shell_command *function = function_of(claim->command);
    const struct use *check = NULL;
    bool changed = false, compared = false;
    if (!claims_success(claim) || claim->in_condition || claim->inside ||
        said_on_condition(lint, claim))
        return;
    for (const struct use *at = claim - 1; at >= lint->uses && same_scope(lint, claim, at); at--) {
        if (function_of(at->command) != function)
            continue;
        if (use_changes_state(at) && !use_verifies(at)) {
            changed = true;
            break;
        }
        if (use_verifies(at) && !check)
            check = at;
        compared |= use_compares(at) && can_stop(lint, at);
        if (use_verifies(at) && (compared || can_stop(lint, at)))
            return;
    }
    /* inside a function, what was checked before it was called is not seen: only what it changed
     * itself is sure */
    if (function && !changed)
        return;
    if (check)
        lint_add_use(lint, "RB017", claim, "reached also when the check on line %d fails",
                     check->line);
    else if (changed)
        lint_add_use(lint, "RB017", claim, "said without any check behind the last change");
}

void lint_check_document(struct lint *lint)
{
    for (int i = 0; i < lint->n_blocks; i++) {
        check_blanks(lint, i);
        check_notes(lint, i);
    }
    for (int i = 0; i < lint->n_uses; i++)
        check_claim(lint, &lint->uses[i]);
}
