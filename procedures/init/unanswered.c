/* Commands that nothing answers to yet: no fake, no program of the sandbox, no builtin, no function
 * of the playbook. */
#include <ctype.h>
#include <string.h>

#include "fakes/fake.h"
#include "procedures/init/facts.h"
#include "procedures/sandbox/programs.h"
#include "sim/base/xalloc.h"

static bool any_of(const char *word, const char *const *words)
{
    for (; *words; words++)
        if (!strcmp(word, *words))
            return true;
    return false;
}

static bool is_builtin(const char *name)
{
    static const char *const names[] = {
        ".",       ":",       "[",        "[[",      "alias",  "bg",     "break",     "builtin",
        "cd",      "command", "continue", "declare", "dirs",   "disown", "echo",      "enable",
        "eval",    "exec",    "exit",     "export",  "false",  "fc",     "fg",        "getopts",
        "hash",    "help",    "history",  "jobs",    "kill",   "let",    "local",     "logout",
        "mapfile", "popd",    "printf",   "pushd",   "pwd",    "read",   "readarray", "readonly",
        "return",  "set",     "shift",    "shopt",   "source", "test",   "time",      "times",
        "trap",    "true",    "type",     "typeset", "ulimit", "umask",  "unalias",   "unset",
        "wait",    NULL};
    return any_of(name, names);
}

struct function_search {
    const char *name;
    bool found;
};

static bool find_function(struct shell_command *command, void *data)
{
    struct function_search *search = data;
    search->found |= command->kind == SHELL_FUNCTION && str_is(command->name, search->name);
    return true;
}

static bool is_function(const struct facts *facts, const char *name)
{
    struct function_search search = {.name = name};
    for (int i = 0; i < facts->lint.n_blocks && !search.found; i++)
        shell_each_command(&facts->lint.blocks[i].script, find_function, &search);
    return search.found;
}

static bool answers(const struct facts *facts, const char *name)
{
    bool of_cluster = !strcmp(name, "kubectl") || !strcmp(name, "helm"); /* one is written */
    if (is_builtin(name) || fake_for(name) || of_cluster || is_function(facts, name))
        return true;
    for (const char *const *at = standard_programs; *at; at++)
        if (!strcmp(*at, name))
            return true;
    return false;
}

/* Is the word the same in every run? */
static bool is_settled(const struct shell_word *word)
{
    for (const struct shell_part *part = word->parts; part; part = part->next)
        if (part->kind == PART_PLACEHOLDER)
            return false;
    return word->value != NULL;
}

/* The arguments of one call as a pattern that fits it: expansions become "*", and what a pattern
 * would read "?". */
static const char *pattern_of(struct facts *facts, const struct use *use)
{
    char *text = arena_strdup(facts->arena, ""), *to;
    bool after_star = false;
    for (int i = 1; i < use->argc; i++)
        text = arena_printf(facts->arena, "%s%s%s", text, *text ? " " : "",
                            is_settled(use->words[i]) ? use->argv[i] : "*");
    for (char *at; (at = strstr(text, "TIMESTAMP"));) { /* a blank, whatever it is bound to */
        *at = '*';
        memmove(at + 1, at + 9, strlen(at + 9) + 1);
    }
    to = text;
    for (const char *at = text; *at; at++) {
        bool star = *at == '*';
        if (star && after_star)
            continue;
        *to++ = strchr("[]\\?\n\"", *at) ? '?' : *at;
        after_star = star;
    }
    *to = '\0';
    return text;
}

static void add_usage(struct facts *facts, struct fact_command *command, const struct use *use)
{
    const char *args = pattern_of(facts, use);
    for (int i = 0; i < command->n_usages; i++)
        if (!strcmp(command->usages[i].args, args))
            return;
    if (command->n_usages < USAGES_MAX)
        command->usages[command->n_usages++] = (struct fact_usage){args, use->line};
}

/* SQL that was typed into a shell block: no tool has such a name. */
static bool is_sql_word(const char *name)
{
    static const char *const words[] = {"SELECT", "INSERT", "UPDATE", "DELETE", "ALTER",
                                        "CREATE", "DROP",   "GRANT",  NULL};
    return any_of(name, words);
}

void facts_take_command(struct facts *facts, const struct use *use)
{
    const char *name =
        !strcmp(use->name, "compose") && strcmp(use->argv[0], "compose") ? use->argv[0] : use->name;
    struct fact_command *command;
    bool path = strchr(name, '/') != NULL;
    if (use->remote || strpbrk(name, "$<>[]*?(){}|;&\"' \n") || !*name || *name == '-' ||
        isdigit((unsigned char)*name) || is_sql_word(name) || answers(facts, name))
        return;
    if (!strcmp(name, "compose"))
        name = "docker";
    if (answers(facts, name))
        return;
    for (int i = 0; i < facts->n_commands; i++)
        if (!strcmp(facts->commands[i].name, name)) {
            facts->commands[i].uses++;
            add_usage(facts, &facts->commands[i], use);
            return;
        }
    XGROW(facts->commands, facts->n_commands, facts->cap_commands);
    command = &facts->commands[facts->n_commands++];
    *command = (struct fact_command){.name = name, .line = use->line, .uses = 1, .is_path = path};
    add_usage(facts, command, use);
}
