/* Looking at a parsed script. */
#include <string.h>

#include "procedures/shell/shell.h"

const char *shell_value(const struct shell_command *command, int i)
{
    return i >= 0 && i < command->n_words ? command->words[i]->value : NULL;
}

bool shell_is(const struct shell_command *command, const char *name)
{
    const char *value = command->kind == SHELL_SIMPLE ? shell_value(command, 0) : NULL;
    return value && !strcmp(value, name);
}

static void each_inside(const struct shell_part *parts, bool in_quotes, shell_visit_part *visit,
                        void *data)
{
    for (; parts; parts = parts->next) {
        visit(parts, in_quotes, data);
        each_inside(parts->parts, in_quotes || parts->kind == PART_DOUBLE, visit, data);
        for (const struct shell_word *word = parts->words; word; word = word->next)
            each_inside(word->parts, in_quotes, visit, data);
    }
}

void shell_each_part(const struct shell_command *command, shell_visit_part *visit, void *data)
{
    for (const struct shell_assignment *at = command->assignments; at; at = at->next)
        each_inside(at->value->parts, false, visit, data);
    for (int i = 0; i < command->n_words; i++)
        each_inside(command->words[i]->parts, false, visit, data);
    each_inside(command->parts, false, visit, data);
    for (const struct shell_redirect *at = command->redirects; at; at = at->next) {
        each_inside(at->target->parts, false, visit, data);
        each_inside(at->body_parts, true, visit, data);
    }
}

struct walk {
    shell_visit *visit;
    void *data;
};

static void walk_commands(struct shell_command *command, struct walk *walk);

static void walk_part(const struct shell_part *part, bool in_quotes, void *data)
{
    (void)in_quotes;
    if (part->script)
        walk_commands(part->script->commands, data);
}

static void walk_commands(struct shell_command *command, struct walk *walk)
{
    for (; command; command = command->next) {
        if (!walk->visit(command, walk->data))
            continue;
        shell_each_part(command, walk_part, walk);
        walk_commands(command->first, walk);
    }
}

void shell_each_command(const struct shell_script *script, shell_visit *visit, void *data)
{
    struct walk walk = {visit, data};
    walk_commands(script->commands, &walk);
}
