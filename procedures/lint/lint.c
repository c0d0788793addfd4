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

/* Says each thing once: the same rule on the same line, and rules that are said once a block. */
static bool said_already(const struct lint *lint, const struct lint_finding *kept, int n,
                         const struct lint_finding *at)
{
    int block = at->rule->once ? block_at(lint, at->line) : -1;
    for (int i = n - 1; i >= 0; i--) {
        if (kept[i].rule != at->rule)
            continue;
        if (kept[i].line == at->line &&
            (at->column == kept[i].column || !strcmp(kept[i].message, at->message)))
            return true;
        if (!strcmp(at->rule->id, "RB025") && !strcmp(kept[i].message, at->message))
            return true; /* the same blank again */
        if (block >= 0 && block_at(lint, kept[i].line) == block)
            return true;
    }
    return false;
}

static struct str line_at(struct str text, int n)
{
    struct str line = {text.at, 0};
    for (int i = 0; i < n && (i == 0 || text.len); i++)
        line = str_cut(&text, '\n');
    return line;
}

/* Columns were bytes of the block; they become characters of the document, in which the block may be indented. */
static int column_in_document(const struct lint *lint, const struct lint_finding *finding)
{
    int index = block_at(lint, finding->line), column = 1;
    struct str source = line_at(lint->playbook->source, finding->line), text = source;
    size_t byte = (size_t)finding->column - 1;
    if (index >= 0)
        text = line_at(lint->blocks[index].block->text,
                       finding->line - lint->blocks[index].block->line + 1);
    if (source.len > text.len)
        byte += source.len - text.len - (str_ends(source, "\r") && !str_ends(text, "\r"));
    for (size_t i = 0; i < byte && i < source.len; i++)
        column += (source.at[i] & 0xC0) != 0x80;
    return column;
}

static void settle(struct lint *lint, struct lint_result *ret)
{
    struct lint_finding *kept = ARENA_ARRAY(lint->arena, struct lint_finding, lint->n_findings + 1);
    int n = 0;
    for (int i = 0; i < lint->n_findings; i++)
        if (lint->findings[i].column > 0)
            lint->findings[i].column = column_in_document(lint, &lint->findings[i]);
    if (lint->n_findings)
        qsort(lint->findings, (size_t)lint->n_findings, sizeof *lint->findings, compare);
    for (int i = 0; i < lint->n_findings; i++)
        if (!said_already(lint, kept, n, &lint->findings[i]))
            kept[n++] = lint->findings[i];
    *ret = (struct lint_result){
        .findings = kept, .n_findings = n, .n_blocks = lint->n_blocks, .n_commands = lint->n_uses};
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
}
