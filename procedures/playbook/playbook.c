#include "procedures/playbook/playbook.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include <cmark-gfm-core-extensions.h>
#include <cmark-gfm.h>

#include "procedures/playbook/internal.h"
#include "sim/base/buf.h"
#include "sim/base/xalloc.h"

enum { PLAYBOOK_MAX_BYTES = 8 << 20, BOLD_LEVEL = 7 };

struct reader {
    struct arena *arena;
    struct playbook *playbook;
    int cap_headings, cap_blocks;
};

/* ---- text of nodes ---- */

/* The literals of a node and all below it, one after the other: what a person reads. */
static void add_plain(struct buf *out, cmark_node *node)
{
    cmark_iter *iter = cmark_iter_new(node);
    cmark_event_type event;
    while ((event = cmark_iter_next(iter)) != CMARK_EVENT_DONE) {
        cmark_node *at = cmark_iter_get_node(iter);
        cmark_node_type type = cmark_node_get_type(at);
        if (event != CMARK_EVENT_ENTER)
            continue;
        if (type == CMARK_NODE_TEXT || type == CMARK_NODE_CODE)
            buf_puts(out, cmark_node_get_literal(at));
        else if (type == CMARK_NODE_SOFTBREAK || type == CMARK_NODE_LINEBREAK)
            buf_putc(out, ' ');
        else if (!strcmp(cmark_node_get_type_string(at), "table_cell") && out->len)
            buf_putc(out, ' ');
    }
    cmark_iter_free(iter);
}

static const char *plain_text(struct reader *reader, cmark_node *node)
{
    struct buf out;
    const char *text;
    buf_init(&out, 1 << 20);
    add_plain(&out, node);
    text = arena_str(reader->arena, str_trim(buf_text(&out)));
    buf_release(&out);
    return text;
}

static int count_words(const char *text)
{
    int words = 0;
    bool inside = false;
    for (; *text; text++) {
        bool blank = isspace((unsigned char)*text);
        words += inside ? 0 : !blank;
        inside = !blank;
    }
    return words;
}

/* ---- building the playbook ---- */

/* Without "{#anchor}" at the end, which some renderers take for the heading's id. */
static const char *without_anchor(struct reader *reader, const char *text)
{
    struct str all = str_of(text);
    ptrdiff_t at = str_ends(all, "}") ? str_find(all, STR("{#")) : -1;
    return at > 0 ? arena_str(reader->arena, str_trim((struct str){text, (size_t)at})) : text;
}

static int add_heading(struct reader *reader, const char *text, int level, int line)
{
    struct playbook *playbook = reader->playbook;
    XGROW(playbook->headings, playbook->n_headings, reader->cap_headings);
    playbook->headings[playbook->n_headings] = (struct heading){.text = text,
                                                                .level = level,
                                                                .line = line,
                                                                .bold_line = level == BOLD_LEVEL,
                                                                .alternative_of = -1};
    return playbook->n_headings++;
}

static struct block *add_block(struct reader *reader, enum block_kind kind, int line)
{
    struct playbook *playbook = reader->playbook;
    XGROW(playbook->blocks, playbook->n_blocks, reader->cap_blocks);
    playbook->blocks[playbook->n_blocks] = (struct block){
        .kind = kind, .language = "", .line = line, .heading = playbook->n_headings - 1};
    return &playbook->blocks[playbook->n_blocks++];
}

static bool is_one_of(const char *word, const char *const *words)
{
    for (; *words; words++)
        if (!strcmp(word, *words))
            return true;
    return false;
}

static enum block_kind kind_of_language(const char *language)
{
    static const char *const shell[] = {"bash",          "sh",      "shell",        "zsh",
                                        "ksh",           "console", "shellsession", "terminal",
                                        "shell-session", NULL};
    static const char *const sql[] = {"sql",   "psql",  "postgresql", "postgres",
                                      "pgsql", "mysql", "sqlite",     NULL};
    if (!*language)
        return BLOCK_UNTAGGED;
    if (is_one_of(language, shell))
        return BLOCK_SHELL;
    return is_one_of(language, sql) ? BLOCK_SQL : BLOCK_OTHER;
}

/* The first word of the info string, in small letters; "{.bash}" and "bash title=x" are "bash". */
static const char *language_of(struct reader *reader, const char *info)
{
    char *copy;
    info += strspn(info, " \t{.");
    copy = arena_str(reader->arena, (struct str){info, strcspn(info, " \t,{}")});
    for (char *at = copy; *at; at++)
        *at = (char)tolower((unsigned char)*at);
    return copy;
}

static bool is_shell_shebang(struct str text)
{
    struct str rest = text, line = str_cut(&rest, '\n');
    return str_starts(line, "#!") && str_find(line, STR("sh")) >= 0;
}

/* Without carriage returns: what a terminal makes of a pasted CR LF. */
static struct str without_cr(struct arena *arena, struct str text)
{
    char *copy = arena_alloc(arena, text.len + 1);
    size_t n = 0;
    for (size_t i = 0; i < text.len; i++)
        if (text.at[i] != '\r' || (i + 1 < text.len && text.at[i + 1] != '\n'))
            copy[n++] = text.at[i];
    return (struct str){copy, n};
}

static int count_lines(struct str text)
{
    int n = 0;
    while (text.len) {
        str_cut(&text, '\n');
        n++;
    }
    return n;
}

/* Is there a fence on this line of the source? Indented code has none, and begins on its own line.
 */
static bool is_fenced(cmark_node *node)
{
    int length, offset;
    char character;
    return cmark_node_get_fenced(node, &length, &offset, &character);
}

static void add_code(struct reader *reader, cmark_node *node)
{
    bool fenced = is_fenced(node);
    const char *info = cmark_node_get_fence_info(node);
    const char *language = language_of(reader, info ? info : "");
    struct block *block = add_block(reader, kind_of_language(language),
                                    cmark_node_get_start_line(node) + (fenced ? 1 : 0));
    block->language = language;
    block->text = without_cr(reader->arena, str_of(cmark_node_get_literal(node)));
    block->n_lines = count_lines(block->text);
    if (block->kind == BLOCK_SHELL && is_shell_shebang(block->text))
        block->kind = BLOCK_SCRIPT;
}

/* "**Bold text**" or "**Bold text**:" and nothing else: people write headings so. */
static bool is_bold_line(cmark_node *paragraph)
{
    cmark_node *strong = cmark_node_first_child(paragraph), *rest;
    if (!strong || cmark_node_get_type(strong) != CMARK_NODE_STRONG)
        return false;
    rest = cmark_node_next(strong);
    if (!rest)
        return true;
    return cmark_node_get_type(rest) == CMARK_NODE_TEXT && !cmark_node_next(rest) &&
           str_is(str_trim(str_of(cmark_node_get_literal(rest))), ":");
}

static void add_prose(struct reader *reader, cmark_node *node, bool checklist)
{
    const char *text = plain_text(reader, node);
    struct block *block = add_block(reader, checklist ? BLOCK_CHECKLIST : BLOCK_PROSE,
                                    cmark_node_get_start_line(node));
    block->text = str_of(text);
    block->words = count_words(text);
    block->n_lines = cmark_node_get_end_line(node) - cmark_node_get_start_line(node) + 1;
}

static void add_paragraph(struct reader *reader, cmark_node *node)
{
    cmark_node *parent = cmark_node_parent(node);
    if (is_bold_line(node)) {
        struct str text = str_of(plain_text(reader, node));
        while (text.len && text.at[text.len - 1] == ':')
            text.len--;
        add_heading(reader, arena_str(reader->arena, str_trim(text)), BOLD_LEVEL,
                    cmark_node_get_start_line(node));
        return;
    }
    add_prose(reader, node, parent && !strcmp(cmark_node_get_type_string(parent), "tasklist"));
}

/* One node on the way down; true when nothing below it is to be seen any more. */
static bool add_node(struct reader *reader, cmark_node *node)
{
    cmark_node_type type = cmark_node_get_type(node);
    if (type == CMARK_NODE_HEADING)
        add_heading(reader, without_anchor(reader, plain_text(reader, node)),
                    cmark_node_get_heading_level(node), cmark_node_get_start_line(node));
    else if (type == CMARK_NODE_CODE_BLOCK)
        add_code(reader, node);
    else if (type == CMARK_NODE_PARAGRAPH)
        add_paragraph(reader, node);
    else if (!strcmp(cmark_node_get_type_string(node), "table"))
        add_prose(reader, node, false);
    else
        return false;
    return true;
}

/* The text with YAML front matter made of empty lines: Markdown would take it for a heading. */
static struct str without_front_matter(struct arena *arena, struct str text)
{
    struct str rest = text, line = str_cut(&rest, '\n');
    char *copy;
    if (!str_is(str_trim(line), "---"))
        return text;
    while (rest.len) {
        line = str_cut(&rest, '\n');
        if (str_is(str_trim(line), "---") || str_is(str_trim(line), "..."))
            break;
    }
    if (!rest.len)
        return text;
    copy = arena_str(arena, text);
    for (size_t i = 0; i < (size_t)(rest.at - text.at); i++)
        if (copy[i] != '\n')
            copy[i] = ' ';
    return (struct str){copy, text.len};
}

/* ---- alternatives among headings ---- */

static bool starts_with_word(const char *text, const char *word)
{
    size_t len = strlen(word);
    return !strncasecmp(text, word, len) && !isalpha((unsigned char)text[len]);
}

static bool is_alternative_word(const char *text)
{
    text += strspn(text, "0123456789.() ");
    return starts_with_word(text, "option") || starts_with_word(text, "method") ||
           starts_with_word(text, "alternative") || starts_with_word(text, "alternatively");
}

static bool mentions_choice(const char *text)
{
    static const char *const words[] = {"options", "alternatives", "methods", "one of", NULL};
    for (int i = 0; words[i]; i++)
        if (strcasestr(text, words[i]))
            return true;
    return false;
}

/* "A. Undo the rollout", "B) Restore" below "Rollback options" are a choice, too. */
static bool is_choice(const struct playbook *playbook, int heading)
{
    const struct heading *headings = playbook->headings;
    const char *text = headings[heading].text;
    if (is_alternative_word(text))
        return true;
    if (!(*text >= 'A' && *text <= 'F' && (text[1] == '.' || text[1] == ')') && text[2] == ' '))
        return false;
    for (int i = heading - 1; i >= 0; i--)
        if (headings[i].level < headings[heading].level)
            return mentions_choice(headings[i].text);
    return false;
}

static bool has_commands(const struct playbook *playbook, int heading)
{
    int end = playbook_section_end(playbook, heading);
    for (int i = 0; i < playbook->n_blocks; i++) {
        const struct block *block = &playbook->blocks[i];
        if (block->heading >= heading && block->heading < end &&
            (block->kind == BLOCK_SHELL || block->kind == BLOCK_SCRIPT || block->kind == BLOCK_SQL))
            return true;
    }
    return false;
}

/* What this heading is an alternative to: the first of its kind among the siblings before it
 * ("Option A" for "Option B"), or for a lone "Alternative: ..." the sibling just before it that has
 * commands. */
static int alternative_to(const struct playbook *playbook, int heading)
{
    const struct heading *headings = playbook->headings;
    int first = -1;
    if (!is_choice(playbook, heading) || !has_commands(playbook, heading))
        return -1;
    for (int i = heading - 1; i >= 0 && headings[i].level >= headings[heading].level; i--) {
        if (headings[i].level != headings[heading].level || !has_commands(playbook, i))
            continue;
        if (is_choice(playbook, i))
            return headings[i].alternative_of >= 0 ? headings[i].alternative_of : i;
        if (first < 0)
            first = i;
    }
    return starts_with_word(headings[heading].text, "alternative") ||
                   starts_with_word(headings[heading].text, "alternatively")
               ? first
               : -1;
}

/* ---- entry points ---- */

static void keep_in_arena(struct reader *reader)
{
    struct playbook *playbook = reader->playbook;
    struct heading *headings = ARENA_ARRAY(reader->arena, struct heading, playbook->n_headings + 1);
    struct block *blocks = ARENA_ARRAY(reader->arena, struct block, playbook->n_blocks + 1);
    if (playbook->n_headings)
        memcpy(headings, playbook->headings, sizeof *headings * (size_t)playbook->n_headings);
    if (playbook->n_blocks)
        memcpy(blocks, playbook->blocks, sizeof *blocks * (size_t)playbook->n_blocks);
    free(playbook->headings);
    free(playbook->blocks);
    playbook->headings = headings;
    playbook->blocks = blocks;
}

static void read_markdown(struct reader *reader)
{
    struct str text = without_front_matter(reader->arena, reader->playbook->source);
    cmark_parser *parser;
    cmark_node *document;
    cmark_iter *iter;
    cmark_event_type event;
    cmark_gfm_core_extensions_ensure_registered();
    parser = cmark_parser_new(CMARK_OPT_DEFAULT);
    cmark_parser_attach_syntax_extension(parser, cmark_find_syntax_extension("table"));
    cmark_parser_attach_syntax_extension(parser, cmark_find_syntax_extension("tasklist"));
    cmark_parser_feed(parser, text.at, text.len);
    document = cmark_parser_finish(parser);
    iter = cmark_iter_new(document);
    while ((event = cmark_iter_next(iter)) != CMARK_EVENT_DONE) {
        cmark_node *node = cmark_iter_get_node(iter);
        if (event == CMARK_EVENT_ENTER && add_node(reader, node))
            cmark_iter_reset(iter, node, CMARK_EVENT_EXIT);
    }
    cmark_iter_free(iter);
    cmark_node_free(document);
    cmark_parser_free(parser);
}

int playbook_parse(struct arena *arena, const char *name, struct str text, struct playbook *ret,
                   struct error *error)
{
    struct playbook playbook = {.file = arena_strdup(arena, name)};
    struct reader reader = {.arena = arena, .playbook = &playbook};
    if (text.len > PLAYBOOK_MAX_BYTES)
        return error_set(error, ERROR_INPUT, "%s: larger than 8 MiB", name);
    if (memchr(text.at ? text.at : "", '\0', text.len))
        return error_set(error, ERROR_INPUT, "%s: holds a NUL byte; a playbook is a text file",
                         name);
    playbook.source = (struct str){arena_str(arena, text), text.len};
    if (is_shell_shebang(text) || str_ends(str_of(name), ".sh")) {
        struct block *block = add_block(&reader, BLOCK_SCRIPT, 1);
        block->language = "sh";
        block->text = playbook.source;
        block->n_lines = count_lines(block->text);
    } else {
        read_markdown(&reader);
    }
    keep_in_arena(&reader);
    for (int i = 0; i < playbook.n_headings; i++)
        playbook.headings[i].alternative_of = alternative_to(&playbook, i);
    *ret = playbook;
    return 0;
}

int playbook_read(struct arena *arena, const char *path, struct playbook *ret, struct error *error)
{
    struct buf text;
    int r;
    buf_init(&text, PLAYBOOK_MAX_BYTES + 1);
    r = buf_read_file(&text, path);
    if (r < 0)
        r = error_set(error, ERROR_INPUT, "%s: cannot read the playbook: %s", path, strerror(-r));
    else
        r = playbook_parse(arena, path, buf_text(&text), ret, error);
    buf_release(&text);
    return r;
}
