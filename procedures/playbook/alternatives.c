/* Which lines of a block are run, when its comments offer more than one way.
 *
 * A block is seen as groups: a group begins at a comment of its own line, outside any compound
 * command, that has a blank line (or nothing) before it, or that says "or", and lasts to the next
 * group. The comments at its start are its title. "# Or ...", "# Alternatively ..." and "# Option 2
 * ..." make a group an alternative to what stands before it in the block.
 */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "procedures/playbook/internal.h"
#include "procedures/shell/shell.h"
#include "sim/base/xalloc.h"

enum group_kind { GROUP_STEP, GROUP_FIRST_OPTION, GROUP_ALTERNATIVE };

struct group {
    int first, end;   /* lines, from 0 */
    struct str title; /* the first comment; empty when the block begins with commands */
    enum group_kind kind;
    bool has_commands;
};

struct groups {
    struct arena *arena;
    const struct block *block;
    struct shell_script script;
    struct group *at;
    int n, cap;
};

static bool word_is(struct str text, const char *word)
{
    size_t n = strlen(word);
    return text.len >= n && !strncasecmp(text.at, word, n) &&
           (text.len == n || !isalnum((unsigned char)text.at[n]));
}

static struct str after_word(struct str text, const char *word)
{
    size_t n = strlen(word);
    return str_trim((struct str){text.at + n, text.len - n});
}

/* Behind a number such as "2." or "2)", or "Step 2:". */
static struct str without_number(struct str text)
{
    size_t i = 0;
    if (word_is(text, "step"))
        text = after_word(text, "step");
    while (i < text.len && isdigit((unsigned char)text.at[i]))
        i++;
    if (!i || i >= text.len || !strchr(".):", text.at[i]))
        return text;
    return str_trim((struct str){text.at + i + 1, text.len - i - 1});
}

/* "Option 1", "Method A:" - and nothing that merely begins with such a word ("Option parsing"). */
static bool is_option(struct str text, bool *ret_first)
{
    static const char *const words[] = {"option", "method", "approach", "variant", NULL};
    for (int i = 0; words[i]; i++) {
        struct str label;
        if (!word_is(text, words[i]))
            continue;
        label = after_word(text, words[i]);
        if (!label.len || (label.len > 1 && isalnum((unsigned char)label.at[1])))
            return false;
        *ret_first = strchr("1aA", *label.at) != NULL;
        return isalnum((unsigned char)*label.at);
    }
    return false;
}

static enum group_kind kind_of_title(struct str title)
{
    bool first = false;
    title = without_number(title);
    if (word_is(title, "or") || word_is(title, "alternatively") || word_is(title, "alternative") ||
        word_is(title, "either or"))
        return GROUP_ALTERNATIVE;
    if (is_option(title, &first))
        return first ? GROUP_FIRST_OPTION : GROUP_ALTERNATIVE;
    return GROUP_STEP;
}

static void add_group(struct groups *groups, int first, struct str title, enum group_kind kind)
{
    if (groups->n)
        groups->at[groups->n - 1].end = first;
    XGROW(groups->at, groups->n, groups->cap);
    groups->at[groups->n++] =
        (struct group){.first = first, .end = groups->block->n_lines, .title = title, .kind = kind};
}

static bool line_is_blank(const struct block *block, int line)
{
    struct str rest = block->text;
    for (int i = 0; i < line && rest.len; i++)
        str_cut(&rest, '\n');
    return !str_trim(str_cut(&rest, '\n')).len;
}

static void mark_commands(struct groups *groups)
{
    for (const struct shell_command *at = groups->script.commands->first; at; at = at->next)
        for (int i = 0; i < groups->n; i++)
            if (at->line <= groups->at[i].end && at->end_line > groups->at[i].first)
                groups->at[i].has_commands = true;
}

/* Lines of the script are counted from 1, those of groups from 0. */
static void find_groups(struct groups *groups)
{
    int last_comment = -2;
    shell_parse(groups->arena, groups->block->text, 1, &groups->script);
    add_group(groups, 0, (struct str){"", 0}, GROUP_STEP);
    for (int i = 0; i < groups->script.n_comments; i++) {
        const struct shell_comment *comment = &groups->script.comments[i];
        int line = comment->line - 1;
        enum group_kind kind;
        if (!comment->own_line || comment->depth)
            continue;
        kind = kind_of_title(comment->text);
        if (line == 0) {
            groups->at[0].title = comment->text;
            groups->at[0].kind = kind == GROUP_ALTERNATIVE ? GROUP_STEP : kind;
        } else if (kind != GROUP_STEP ||
                   (line != last_comment + 1 && line_is_blank(groups->block, line - 1))) {
            add_group(groups, line, comment->text, kind);
        }
        last_comment = line;
    }
    mark_commands(groups);
}

/* An alternative needs something before it that it is an alternative to. */
static void settle_kinds(struct groups *groups)
{
    bool before = false;
    for (int i = 0; i < groups->n; i++) {
        struct group *group = &groups->at[i];
        if (group->kind == GROUP_ALTERNATIVE && !before)
            group->kind = GROUP_STEP;
        before |= group->has_commands;
    }
}

/* ---- steps that a person must do by hand ---- */

static bool mentions(struct str text, struct str word)
{
    for (size_t i = 0; word.len && i + word.len <= text.len; i++)
        if (!strncasecmp(text.at + i, word.at, word.len))
            return true;
    return false;
}

static bool begins_with_edit(struct str text)
{
    static const char *const words[] = {"edit",    "change",   "update", "modify", "adjust",
                                        "replace", "manually", "to:",    NULL};
    text = without_number(text);
    for (int i = 0; words[i]; i++)
        if (word_is(text, words[i]))
            return true;
    return false;
}

/* The first thing in the comment that looks like a file: "docker-compose.yml", ".env",
 * "/etc/nginx.conf". */
static struct str named_file(struct str text)
{
    while (text.len) {
        struct str word = str_cut(&text, ' ');
        const char *dot = word.len ? memrchr(word.at, '.', word.len - 1) : NULL;
        while (word.len && strchr(",;:)'\"`", word.at[word.len - 1]))
            word.len--;
        if (dot && word.len > 2 && isalpha((unsigned char)dot[1]) &&
            (size_t)(word.at + word.len - dot) <= 6)
            return word;
    }
    return (struct str){NULL, 0};
}

static void note_manual_edit(struct groups *groups, const struct group *group,
                             struct note_list *notes)
{
    for (int i = 0; i < groups->script.n_comments; i++) {
        const struct shell_comment *comment = &groups->script.comments[i];
        int line = comment->line - 1;
        struct str file;
        if (!comment->own_line || comment->depth || line < group->first || line >= group->end ||
            !begins_with_edit(comment->text))
            continue;
        if (group->has_commands) {
            struct str commands = {NULL, 0};
            file = named_file(comment->text);
            for (const struct shell_command *at = groups->script.commands->first; at;
                 at = at->next) {
                if (at->line - 1 < line || at->line - 1 >= group->end)
                    continue;
                if (!commands.len)
                    commands.at = groups->script.text.at + at->offset;
                commands.len = (size_t)(groups->script.text.at + at->end - commands.at);
            }
            if (!file.len || !commands.len || mentions(commands, file))
                continue;
        }
        add_note(notes, "manual_edit", groups->block->line + line,
                 "a person must do this by hand, no command does it: '%.*s'",
                 (int)(comment->text.len > 100 ? 100 : comment->text.len), comment->text.at);
        return; /* one note a step: "# Change: ..." and "# To: ..." belong together */
    }
}

/* ---- choosing ---- */

static bool is_chosen(const struct group *group, const char *const *choose)
{
    for (; choose && *choose; choose++) {
        struct str wanted = str_trim(str_of(*choose));
        while (wanted.len && *wanted.at == '#')
            wanted = str_trim((struct str){wanted.at + 1, wanted.len - 1});
        if (wanted.len && wanted.len == group->title.len &&
            !strncasecmp(wanted.at, group->title.at, wanted.len))
            return true;
    }
    return false;
}

static void drop(struct groups *groups, const struct group *group, bool *keep,
                 struct note_list *notes, const char *why)
{
    for (int line = group->first; line < group->end; line++)
        keep[line] = false;
    if (group->has_commands)
        add_note(notes, "alternatives", groups->block->line + group->first, "%s: '# %.*s'", why,
                 (int)(group->title.len > 100 ? 100 : group->title.len), group->title.at);
}

/* The chosen comment may mark an alternative, the step that alternatives follow, or (when no word
 * says "or") one of several ways listed under plain comments: then only the chosen ones of the
 * block run. */
static void keep_chosen(struct groups *groups, const struct procedure_options *options, bool *keep,
                        struct note_list *notes)
{
    bool any = false, any_alternative = false;
    for (int i = 0; i < groups->n; i++) {
        any |= is_chosen(&groups->at[i], options->choose);
        any_alternative |= groups->at[i].kind == GROUP_ALTERNATIVE;
    }
    for (int i = 0; i < groups->n; i++) {
        const struct group *group = &groups->at[i];
        bool in_set = group->kind != GROUP_STEP || !any_alternative ||
                      (i + 1 < groups->n && groups->at[i + 1].kind == GROUP_ALTERNATIVE);
        if (is_chosen(group, options->choose))
            continue;
        if (any ? in_set : group->kind == GROUP_ALTERNATIVE)
            drop(groups, group, keep, notes, "not run, the drill chose another way");
    }
}

void choose_lines(const struct block *block, const struct procedure_options *options, bool *keep,
                  struct note_list *notes)
{
    struct groups groups = {.arena = notes->arena, .block = block};
    for (int i = 0; i < block->n_lines; i++)
        keep[i] = true;
    if (!block->n_lines)
        return;
    find_groups(&groups);
    settle_kinds(&groups);
    if (options->alternatives == ALTERNATIVES_CHOSEN)
        keep_chosen(&groups, options, keep, notes);
    for (int i = 0; i < groups.n; i++) {
        const struct group *group = &groups.at[i];
        if (group->kind == GROUP_ALTERNATIVE && options->alternatives == ALTERNATIVES_FIRST)
            drop(&groups, group, keep, notes, "not run, the first of these alternatives is");
        else if (group->kind == GROUP_ALTERNATIVE && options->alternatives == ALTERNATIVES_ALL &&
                 group->has_commands)
            add_note(notes, "alternatives", block->line + group->first,
                     "run in a row with what it is an alternative to: '# %.*s'",
                     (int)(group->title.len > 100 ? 100 : group->title.len), group->title.at);
        if (keep[group->first] && groups.script.commands->first)
            note_manual_edit(&groups, group, notes);
    }
    free(groups.at);
}
