#include "procedures/lint/lint.h"

#include <stdlib.h>
#include <string.h>

#include "procedures/lint/internal.h"
#include "sim/base/xalloc.h"

static void add_finding(struct lint *lint, const char *id, int line, int column, const char *format,
                        va_list args) __attribute__((format(printf, 5, 0)));

static void add_finding(struct lint *lint, const char *id, int line, int column, const char *format,
                        va_list args)
{
    XGROW(lint->findings, lint->n_findings, lint->cap_findings);
    lint->findings[lint->n_findings++] =
        (struct lint_finding){.rule = lint_rule(id),
                              .file = lint->playbook->file,
                              .line = line,
                              .column = column,
                              .message = arena_vprintf(lint->arena, format, args)};
}

void lint_add(struct lint *lint, const char *id, int line, int column, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    add_finding(lint, id, line, column, format, args);
    va_end(args);
}

void lint_add_use(struct lint *lint, const char *id, const struct use *use, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    add_finding(lint, id, use->line, use->column, format, args);
    va_end(args);
}

static int compare(const void *left, const void *right)
{
    const struct lint_finding *a = left, *b = right;
    int order;
    if (a->line != b->line)
        return a->line < b->line ? -1 : 1;
    if (a->column != b->column)
        return a->column < b->column ? -1 : 1;
    order = strcmp(a->rule->id, b->rule->id);
    return order ? order : strcmp(a->message, b->message);
}

/* The innermost: a script that a here-document writes comes behind the block it stands in. */
static int block_at(const struct lint *lint, int line)
{
    for (int i = lint->n_blocks - 1; i >= 0; i--)
        if (line >= lint->blocks[i].block->line &&
            line < lint->blocks[i].block->line + lint->blocks[i].block->n_lines)
            return i;
    return -1;
}

/* Says each thing once: the same rule on the same line, rules that are said once a block, and the
 * same blank. What was kept is in the order of lines, so that only the nearest need be looked at.
 */
static bool said_already(const struct lint *lint, const struct lint_finding *kept, int n,
                         const struct lint_finding *at)
{
    int block = at->rule->once ? block_at(lint, at->line) : -1;
    int first = block >= 0 ? lint->blocks[block].block->line : at->line;
    bool blank = !strcmp(at->rule->id, "RB025");
    for (int i = n - 1; i >= 0 && (blank || kept[i].line >= first); i--) {
        if (kept[i].rule != at->rule)
            continue;
        if (kept[i].line == at->line &&
            (at->column == kept[i].column || !strcmp(kept[i].message, at->message)))
            return true;
        if (blank && !strcmp(kept[i].message, at->message))
            return true;
        if (block >= 0 && block_at(lint, kept[i].line) == block)
            return true;
    }
    return false;
}

/* The lines of the document, from index 1. */
static struct str *split_lines(struct lint *lint, int *ret_n)
{
    struct str rest = lint->playbook->source, *lines;
    int n = 2;
    for (size_t i = 0; i < rest.len; i++)
        n += rest.at[i] == '\n';
    lines = ARENA_ARRAY(lint->arena, struct str, n + 1);
    for (int i = 1; i < n && rest.len; i++)
        lines[i] = str_cut(&rest, '\n');
    *ret_n = n;
    return lines;
}

/* How much of the line stands before what the block has of it: its margin, or what a quote or a
 * list puts there. */
static size_t margin_of(const struct block *block, const struct str *lines, struct str line)
{
    struct str text = block->text, first = str_cut(&text, '\n'), source = lines[block->line];
    size_t margin = source.len > first.len ? source.len - first.len : 0, blanks = 0;
    margin -= margin && str_ends(source, "\r") && !str_ends(first, "\r");
    while (blanks < line.len && (line.at[blanks] == ' ' || line.at[blanks] == '\t'))
        blanks++;
    return blanks < margin && blanks < line.len && line.at[blanks] != '>' ? blanks : margin;
}

/* Columns were bytes of the block; they become characters of the document, in which the block may
 * be indented. */
static int column_in_document(const struct lint *lint, const struct str *lines,
                              const struct lint_finding *finding)
{
    int index = block_at(lint, finding->line), column = 1;
    struct str line = lines[finding->line];
    size_t byte = (size_t)finding->column - 1;
    if (index >= 0)
        byte += margin_of(lint->blocks[index].block, lines, line);
    for (size_t i = 0; i < byte && i < line.len; i++)
        column += (line.at[i] & 0xC0) != 0x80;
    return column;
}

static void settle(struct lint *lint, struct lint_result *ret)
{
    struct lint_finding *kept = ARENA_ARRAY(lint->arena, struct lint_finding, lint->n_findings + 1);
    int n = 0, n_lines;
    const struct str *lines = split_lines(lint, &n_lines);
    for (int i = 0; i < lint->n_findings; i++)
        if (lint->findings[i].column > 0 && lint->findings[i].line < n_lines)
            lint->findings[i].column = column_in_document(lint, lines, &lint->findings[i]);
    if (lint->n_findings)
        qsort(lint->findings, (size_t)lint->n_findings, sizeof *lint->findings, compare);
    for (int i = 0; i < lint->n_findings; i++)
        if (!said_already(lint, kept, n, &lint->findings[i]))
            kept[n++] = lint->findings[i];
    *ret = (struct lint_result){.findings = kept,
                                .n_findings = n,
                                .n_blocks = lint->n_blocks,
                                .n_commands = lint->n_uses,
                                .n_left_out = lint->n_left_out};
}

void lint_playbook(struct arena *arena, const struct playbook *playbook, struct lint_result *ret)
{
    struct lint lint = {.arena = arena, .playbook = playbook};
    lint_collect(&lint);
    lint_check_shell(&lint);
    lint_check_scripts(&lint);
    lint_check_kubernetes(&lint);
    lint_check_docker(&lint);
    lint_check_database(&lint);
    lint_check_document(&lint);
    settle(&lint, ret);
    free(lint.blocks);
    free(lint.uses);
    free(lint.findings);
    free(lint.from_commands);
}
