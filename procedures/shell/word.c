/* From characters to words: quoting and substitutions. */
#include <ctype.h>
#include <string.h>

#include "procedures/shell/internal.h"
#include "sim/base/buf.h"
#include "sim/base/xalloc.h"

static bool is_name_start(char c)
{
    return isalpha((unsigned char)c) || c == '_';
}

static bool is_name_char(char c)
{
    return isalnum((unsigned char)c) || c == '_';
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

static bool ends_word(char c)
{
    return !c || is_blank(c) || strchr("\n;&|<>()", c);
}

static struct str slice(const struct shell_parser *parser, size_t from, size_t to)
{
    return (struct str){parser->text.at + from, to - from};
}

/* ---- blanks, comments, lines ---- */

static void take_comment(struct shell_parser *parser)
{
    size_t start = parser->pos, line_start = start;
    struct shell_comment *comment;
    while (parser->pos < parser->end && shell_peek(parser, 0) != '\n')
        parser->pos++;
    while (line_start > 0 && is_blank(parser->text.at[line_start - 1]))
        line_start--;
    XGROW(parser->comments, parser->n_comments, parser->cap_comments);
    comment = &parser->comments[parser->n_comments++];
    *comment = (struct shell_comment){
        .line = shell_line(parser, start),
        .column = shell_column(parser, start),
        .offset = start,
        .text = str_trim(slice(parser, start + 1, parser->pos)),
        .own_line = line_start == 0 || parser->text.at[line_start - 1] == '\n',
        .depth = parser->depth,
    };
}

void shell_skip_blanks(struct shell_parser *parser)
{
    for (;;) {
        char c = shell_peek(parser, 0);
        if (is_blank(c))
            parser->pos++;
        else if (c == '\\' && shell_peek(parser, 1) == '\n')
            parser->pos += 2;
        else
            break;
    }
    if (shell_peek(parser, 0) == '#')
        take_comment(parser);
}

static bool is_end_line(struct str line, const char *end, bool tabs)
{
    while (tabs && line.len && *line.at == '\t')
        line = (struct str){line.at + 1, line.len - 1};
    return str_is(line, end);
}

static void take_here_document(struct shell_parser *parser, struct shell_redirect *redirect)
{
    bool tabs = str_is(redirect->operator, "<<-");
    const char *end = redirect->target->value;
    size_t start = parser->pos;
    redirect->body_offset = start;
    redirect->body_line = shell_line(parser, start);
    while (parser->pos < parser->end) {
        size_t line = parser->pos, stop = line;
        while (stop < parser->end && parser->text.at[stop] != '\n')
            stop++;
        parser->pos = stop < parser->end ? stop + 1 : stop;
        if (is_end_line(slice(parser, line, stop), end, tabs)) {
            redirect->body = slice(parser, start, line);
            return;
        }
    }
    redirect->body = slice(parser, start, parser->end);
    shell_fail(parser, redirect->target->offset,
               arena_printf(parser->arena, "the here-document has no line '%s' at its end", end));
}

void shell_newline(struct shell_parser *parser)
{
    int n = parser->n_pending;
    parser->pos++;
    parser->n_pending = 0;
    for (int i = 0; i < n; i++) {
        struct shell_redirect *redirect = parser->pending[i];
        take_here_document(parser, redirect);
        if (!redirect->body_literal) {
            size_t after = parser->pos;
            parser->pos = redirect->body_offset;
            redirect->body_parts =
                shell_expansions(parser, redirect->body_offset + redirect->body.len);
            parser->pos = after;
        }
    }
}

void shell_skip_lines(struct shell_parser *parser)
{
    for (;;) {
        shell_skip_blanks(parser);
        if (shell_peek(parser, 0) != '\n' || parser->pos >= parser->end)
            return;
        shell_newline(parser);
    }
}

/* ---- placeholders ---- */

static size_t angle_placeholder(struct str text, size_t at, size_t end)
{
    size_t i = at + 1;
    bool file_like = false;
    if (i >= end || !isalpha((unsigned char)text.at[i]))
        return 0;
    for (; i < end && i - at < 64 && text.at[i] != '>'; i++) {
        char c = text.at[i];
        if (!isalnum((unsigned char)c) && !strchr(" _-./:,+'|", c))
            return 0;
        file_like |= c == '.' || c == '/';
    }
    if (i >= end || text.at[i] != '>' || text.at[i - 1] == ' ')
        return 0;
    /* "sort <in.txt>out.txt" is two redirections */
    if (file_like && i + 1 < end && is_name_char(text.at[i + 1]))
        return 0;
    if (i + 1 < end && (text.at[i + 1] == '>' || text.at[i + 1] == '&' || text.at[i + 1] == '('))
        return 0;
    return i + 1 - at;
}

/* "[a-z]", "[[:alpha:]]" and "[Yy]" are globs; "[timestamp]" and "[Previous Version]" wait for a
 * person. Three letters or more, and no range of single characters. */
static size_t bracket_placeholder(struct str text, size_t at, size_t end)
{
    size_t i = at + 1, run = 0, longest = 0;
    if (at > 0 && (text.at[at - 1] == '[' || text.at[at - 1] == '$'))
        return 0;
    if (i >= end || !isalpha((unsigned char)text.at[i]))
        return 0;
    for (; i < end && i - at < 64 && text.at[i] != ']'; i++) {
        char c = text.at[i];
        if (!isalnum((unsigned char)c) && !strchr(" _-./", c))
            return 0;
        run = isalpha((unsigned char)c) ? run + 1 : 0;
        if (run > longest)
            longest = run;
        if (c == '-' && i >= 2 && !isalnum((unsigned char)text.at[i - 2]))
            return 0; /* a range */
    }
    if (i >= end || text.at[i] != ']' || text.at[i - 1] == ' ')
        return 0;
    if (i + 1 < end && (text.at[i + 1] == ']' || text.at[i + 1] == '='))
        return 0; /* an element of an array, or the end of [[ ... ]] */
    if (longest < 3 && !(i - at == 6 && !memcmp(text.at + at + 1, "X.Y.Z", 5)))
        return 0;
    return i + 1 - at;
}

size_t shell_placeholder(struct str text, size_t at, size_t end)
{
    if (at < end && text.at[at] == '<')
        return angle_placeholder(text, at, end);
    return at < end && text.at[at] == '[' ? bracket_placeholder(text, at, end) : 0;
}

/* ---- parts ---- */

struct part_list {
    struct shell_part *first, **tail;
};

static struct shell_part *add_part(struct shell_parser *parser, struct part_list *list,
                                   enum shell_part_kind kind, size_t start)
{
    struct shell_part *part = ARENA_NEW(parser->arena, struct shell_part);
    part->kind = kind;
    part->offset = start;
    if (!list->tail)
        list->tail = &list->first;
    *list->tail = part;
    list->tail = &part->next;
    return part;
}

static void finish_part(struct shell_parser *parser, struct shell_part *part, size_t inside_start,
                        size_t inside_end)
{
    part->text = slice(parser, part->offset, parser->pos);
    if (inside_end < inside_start)
        inside_end = inside_start;
    part->inside = slice(parser, inside_start, inside_end);
}

static void take_dollar(struct shell_parser *, struct part_list *);
static void take_double(struct shell_parser *, struct part_list *);
static void take_backquotes(struct shell_parser *, struct part_list *);

/* Characters that stand for themselves, up to one of `stops`; joined to a text part just before. */
static void take_text(struct shell_parser *parser, struct part_list *list, size_t n)
{
    struct shell_part *part = add_part(parser, list, PART_TEXT, parser->pos);
    parser->pos += n;
    finish_part(parser, part, part->offset, parser->pos);
}

static void take_single(struct shell_parser *parser, struct part_list *list)
{
    struct shell_part *part = add_part(parser, list, PART_SINGLE, parser->pos);
    bool escapes = shell_peek(parser, 0) == '$';
    size_t start;
    parser->pos += escapes ? 2 : 1;
    start = parser->pos;
    while (parser->pos < parser->end && shell_peek(parser, 0) != '\'')
        parser->pos += escapes && shell_peek(parser, 0) == '\\' ? 2 : 1;
    if (parser->pos >= parser->end) {
        parser->pos = parser->end;
        shell_fail(parser, part->offset, "the single quote that opens here is never closed");
    } else {
        parser->pos++;
    }
    finish_part(parser, part, start, parser->pos > start ? parser->pos - 1 : start);
}

/* Inside double quotes, or what acts like it: stops at `close` (not taken) or at the end. */
static void take_quoted_parts(struct shell_parser *parser, struct part_list *list, char close)
{
    size_t start = parser->pos;
    if (parser->depth >= SHELL_DEPTH_MAX) {
        shell_fail(parser, parser->pos, "nested too deep (the limit is 100)");
        return;
    }
    parser->depth++;
#define FLUSH()                                                                                    \
    do {                                                                                           \
        if (parser->pos > start) {                                                                 \
            size_t stop_at = parser->pos;                                                          \
            parser->pos = start;                                                                   \
            take_text(parser, list, stop_at - start);                                              \
        }                                                                                          \
    } while (0)
    while (parser->pos < parser->end && !parser->failed) {
        char c = shell_peek(parser, 0);
        if (c == close)
            break;
        if (c == '\\' && parser->pos + 1 < parser->end) {
            parser->pos += 2;
            continue;
        }
        if (c != '$' && c != '`' && (close != '}' || c != '"') &&
            (close != '}' || c != '\'' || parser->quotes)) {
            parser->pos++;
            continue;
        }
        FLUSH();
        if (c == '"')
            take_double(parser, list);
        else if (c == '\'')
            take_single(parser, list);
        else if (c == '$')
            take_dollar(parser, list);
        else
            take_backquotes(parser, list);
        start = parser->pos;
    }
    FLUSH();
    parser->depth--;
#undef FLUSH
}

static void take_double(struct shell_parser *parser, struct part_list *list)
{
    struct shell_part *part = add_part(parser, list, PART_DOUBLE, parser->pos);
    struct part_list inner = {NULL, NULL};
    size_t start;
    parser->pos += shell_peek(parser, 0) == '$' ? 2 : 1;
    start = parser->pos;
    parser->quotes++;
    take_quoted_parts(parser, &inner, '"');
    parser->quotes--;
    part->parts = inner.first;
    if (parser->pos >= parser->end) {
        if (!parser->failed)
            shell_fail(parser, part->offset, "the double quote that opens here is never closed");
        finish_part(parser, part, start, parser->pos);
        return;
    }
    if (shell_peek(parser, 0) == '"')
        parser->pos++;
    finish_part(parser, part, start, parser->pos - 1);
}

static void take_backquotes(struct shell_parser *parser, struct part_list *list)
{
    struct shell_part *part = add_part(parser, list, PART_COMMAND, parser->pos);
    size_t start = parser->pos + 1, stop = start, outer_end = parser->end;
    while (stop < parser->end && parser->text.at[stop] != '`')
        stop += parser->text.at[stop] == '\\' ? 2 : 1;
    if (stop >= parser->end) {
        shell_fail(parser, part->offset, "the backquote that opens here is never closed");
        parser->pos = parser->end;
        finish_part(parser, part, start, parser->pos);
        return;
    }
    parser->pos = start;
    parser->end = stop;
    part->script = shell_substitution(parser);
    parser->end = outer_end;
    parser->pos = stop + 1;
    finish_part(parser, part, start, stop);
}

/* At "((" (already stepped over): the offset of the closing "))", or 0 when these are two
 * subshells. */
static size_t arithmetic_end(const struct shell_parser *parser)
{
    int depth = 0;
    char quote = 0;
    for (size_t i = parser->pos; i + 1 < parser->end; i++) {
        char c = parser->text.at[i];
        if (c == '\\')
            i++;
        else if (quote)
            quote = c == quote ? 0 : quote;
        else if (c == '\'' || c == '"')
            quote = c;
        else if (c == '(')
            depth++;
        else if (c == ')' && depth)
            depth--;
        else if (c == ')')
            return parser->text.at[i + 1] == ')' ? i : 0;
    }
    return 0;
}

/* "(...)" or "<(...)" whose parenthesis is at pos + skip - 1. */
static void take_substitution(struct shell_parser *parser, struct part_list *list,
                              enum shell_part_kind kind, size_t skip)
{
    struct shell_part *part = add_part(parser, list, kind, parser->pos);
    size_t start = parser->pos + skip, stop;
    int quotes = parser->quotes;
    parser->pos = start;
    parser->quotes = 0;
    part->script = shell_substitution(parser);
    parser->quotes = quotes;
    stop = parser->pos;
    if (shell_peek(parser, 0) == ')')
        parser->pos++;
    else if (!parser->failed)
        shell_fail(parser, part->offset, "the parenthesis that opens here is never closed");
    finish_part(parser, part, start, stop);
}

static void take_arithmetic(struct shell_parser *parser, struct part_list *list, size_t stop)
{
    struct shell_part *part = add_part(parser, list, PART_ARITHMETIC, parser->pos - 3);
    size_t start = parser->pos;
    part->parts = shell_expansions(parser, stop);
    parser->pos = stop + 2;
    finish_part(parser, part, start, stop);
}

/* "${...}": the name, the operator and the operand's parts. */
static void take_braced(struct shell_parser *parser, struct part_list *list)
{
    struct shell_part *part = add_part(parser, list, PART_PARAMETER, parser->pos);
    struct part_list inner = {NULL, NULL};
    size_t start = parser->pos + 2, at;
    parser->pos = start;
    while (shell_peek(parser, 0) == '#' || shell_peek(parser, 0) == '!') {
        if (shell_peek(parser, 1) == '}')
            break;
        parser->pos++;
    }
    at = parser->pos;
    if (is_name_start(shell_peek(parser, 0)))
        while (is_name_char(shell_peek(parser, 0)))
            parser->pos++;
    else
        while (isdigit((unsigned char)shell_peek(parser, 0)))
            parser->pos++;
    if (parser->pos == at && parser->pos < parser->end && shell_peek(parser, 0) != '}')
        parser->pos++; /* a special parameter */
    part->name = slice(parser, at, parser->pos);
    if (shell_peek(parser, 0) == '[')
        while (parser->pos < parser->end && shell_peek(parser, 0) != ']' &&
               shell_peek(parser, 0) != '}')
            parser->pos++;
    if (shell_peek(parser, 0) == ']')
        parser->pos++;
    at = parser->pos;
    while (shell_peek(parser, 0) && strchr(":-=?+#%/^,@", shell_peek(parser, 0)))
        parser->pos++;
    part->operator= slice(parser, at, parser->pos);
    take_quoted_parts(parser, &inner, '}');
    part->parts = inner.first;
    at = parser->pos;
    if (shell_peek(parser, 0) == '}')
        parser->pos++;
    else if (!parser->failed)
        shell_fail(parser, part->offset, "the brace that opens here is never closed");
    finish_part(parser, part, start, at);
}

static void take_dollar(struct shell_parser *parser, struct part_list *list)
{
    char c = shell_peek(parser, 1);
    if (c == '(' && shell_peek(parser, 2) == '(') {
        size_t stop;
        parser->pos += 3;
        if ((stop = arithmetic_end(parser))) {
            take_arithmetic(parser, list, stop);
            return;
        }
        parser->pos -= 3;
    }
    if (c == '(') {
        take_substitution(parser, list, PART_COMMAND, 2);
    } else if (c == '{') {
        take_braced(parser, list);
    } else if (is_name_start(c) || isdigit((unsigned char)c) || (c && strchr("@*#?$!-", c))) {
        struct shell_part *part = add_part(parser, list, PART_PARAMETER, parser->pos);
        size_t start = ++parser->pos;
        parser->pos++;
        while (is_name_start(c) && is_name_char(shell_peek(parser, 0)))
            parser->pos++;
        part->name = slice(parser, start, parser->pos);
        finish_part(parser, part, start, parser->pos);
    } else {
        take_text(parser, list, 1);
    }
}

struct shell_part *shell_expansions(struct shell_parser *parser, size_t end)
{
    struct part_list list = {NULL, NULL};
    size_t outer_end = parser->end;
    parser->end = end;
    take_quoted_parts(parser, &list, '\0');
    parser->end = outer_end;
    return list.first;
}

/* ---- words ---- */

/* "name", "name+" or "name[...]" just before the "=" that ends the slice? */
static bool is_assignment_prefix(struct str text)
{
    size_t i = 0;
    if (!text.len || !is_name_start(*text.at))
        return false;
    while (i < text.len && is_name_char(text.at[i]))
        i++;
    if (i < text.len && text.at[i] == '[')
        while (i < text.len && text.at[i++] != ']')
            ;
    if (i < text.len && text.at[i] == '+')
        i++;
    return i + 1 == text.len && text.at[i] == '=';
}

static void take_array(struct shell_parser *parser, struct part_list *list)
{
    struct shell_part *part = add_part(parser, list, PART_ARRAY, parser->pos);
    struct shell_word **tail = &part->words;
    size_t start = ++parser->pos, stop;
    if (parser->depth >= SHELL_DEPTH_MAX) {
        shell_fail(parser, part->offset, "nested too deep (the limit is 100)");
        return;
    }
    parser->depth++;
    for (;;) {
        shell_skip_lines(parser);
        if (shell_peek(parser, 0) == ')' || parser->failed)
            break;
        *tail = shell_word(parser);
        if (!*tail)
            break;
        tail = &(*tail)->next;
    }
    parser->depth--;
    stop = parser->pos;
    if (shell_peek(parser, 0) == ')')
        parser->pos++;
    else if (!parser->failed)
        shell_fail(parser, part->offset, "the array that opens here is never closed");
    finish_part(parser, part, start, stop);
}

/* "@(a|b)" and its kin, with everything up to the closing parenthesis as text. */
static bool take_extended_glob(struct shell_parser *parser, struct part_list *list)
{
    size_t i = parser->pos + 1;
    int depth = 0;
    for (; i < parser->end; i++) {
        if (parser->text.at[i] == '(')
            depth++;
        else if (parser->text.at[i] == ')' && !--depth)
            break;
    }
    if (i >= parser->end || parser->text.at[i] != ')')
        return false;
    take_text(parser, list, i + 1 - parser->pos);
    return true;
}

static void add_value(struct buf *out, const struct shell_part *part, bool *is_static)
{
    switch (part->kind) {
    case PART_TEXT:
    case PART_SINGLE:
    case PART_PLACEHOLDER:
        buf_str(out, part->kind == PART_SINGLE ? part->inside : part->text);
        break;
    case PART_ESCAPED:
        buf_str(out, part->inside);
        break;
    case PART_DOUBLE:
        for (const struct shell_part *inner = part->parts; inner; inner = inner->next) {
            if (inner->kind != PART_TEXT) {
                *is_static = false;
                continue;
            }
            for (size_t i = 0; i < inner->text.len; i++) {
                if (inner->text.at[i] == '\\' && i + 1 < inner->text.len &&
                    strchr("$`\"\\\n", inner->text.at[i + 1]))
                    i++;
                if (inner->text.at[i] != '\n' || i == 0 || inner->text.at[i - 1] != '\\')
                    buf_putc(out, inner->text.at[i]);
            }
        }
        break;
    default:
        *is_static = false;
    }
}

static struct shell_word *new_word(struct shell_parser *parser, size_t start,
                                   struct shell_part *parts)
{
    struct shell_word *word = ARENA_NEW(parser->arena, struct shell_word);
    struct buf value;
    bool is_static = true;
    buf_init(&value, 1 << 20);
    for (const struct shell_part *part = parts; part; part = part->next) {
        add_value(&value, part, &is_static);
        word->quoted |=
            part->kind == PART_ESCAPED || part->kind == PART_SINGLE || part->kind == PART_DOUBLE;
    }
    word->line = shell_line(parser, start);
    word->column = shell_column(parser, start);
    word->offset = start;
    word->text = slice(parser, start, parser->pos);
    word->parts = parts;
    if (is_static)
        word->value = arena_str(parser->arena, buf_text(&value));
    buf_release(&value);
    return word;
}

/* One part of an unquoted word; false at the word's end. */
static bool take_part(struct shell_parser *parser, struct part_list *list, size_t start)
{
    char c = shell_peek(parser, 0), following = shell_peek(parser, 1);
    size_t length;
    if (parser->pos >= parser->end)
        return false;
    if ((length = shell_placeholder(parser->text, parser->pos, parser->end))) {
        struct shell_part *part = add_part(parser, list, PART_PLACEHOLDER, parser->pos);
        parser->pos += length;
        finish_part(parser, part, part->offset + 1, parser->pos - 1);
    } else if (c == '\\' && following == '\n') {
        parser->pos += 2;
    } else if (c == '\\') {
        struct shell_part *part = add_part(parser, list, PART_ESCAPED, parser->pos);
        parser->pos += parser->pos + 1 < parser->end ? 2 : 1;
        finish_part(parser, part, part->offset + 1, parser->pos);
    } else if (c == '\'' || (c == '$' && following == '\'')) {
        take_single(parser, list);
    } else if (c == '"' || (c == '$' && following == '"')) {
        take_double(parser, list);
    } else if (c == '$') {
        take_dollar(parser, list);
    } else if (c == '`') {
        take_backquotes(parser, list);
    } else if ((c == '<' || c == '>') && following == '(') {
        take_substitution(parser, list, PART_PROCESS, 2);
    } else if (c == '(' && is_assignment_prefix(slice(parser, start, parser->pos))) {
        take_array(parser, list);
    } else if (c && strchr("?*+@!", c) && following == '(') {
        return take_extended_glob(parser, list);
    } else if (ends_word(c)) {
        return false;
    } else {
        size_t n = 1;
        while (parser->pos + n < parser->end && !ends_word(shell_peek(parser, n)) &&
               !strchr("\\'\"$`[?*+@!", shell_peek(parser, n)))
            n++;
        take_text(parser, list, n);
    }
    return true;
}

struct shell_word *shell_word(struct shell_parser *parser)
{
    struct part_list list = {NULL, NULL};
    size_t start = parser->pos;
    while (!parser->failed && take_part(parser, &list, start))
        ;
    return list.first ? new_word(parser, start, list.first) : NULL;
}

struct shell_word *shell_regex(struct shell_parser *parser)
{
    struct part_list list = {NULL, NULL};
    size_t start = parser->pos;
    int depth = 0;
    while (parser->pos < parser->end && !parser->failed) {
        char c = shell_peek(parser, 0);
        if (c == '\n' || (is_blank(c) && depth <= 0))
            break;
        depth += c == '(' ? 1 : c == ')' ? -1 : 0;
        if (c == '\'')
            take_single(parser, &list);
        else if (c == '"')
            take_double(parser, &list);
        else if (c == '$' && !ends_word(shell_peek(parser, 1)))
            take_dollar(parser, &list);
        else
            take_text(parser, &list, c == '\\' && parser->pos + 1 < parser->end ? 2 : 1);
    }
    return list.first ? new_word(parser, start, list.first) : NULL;
}
