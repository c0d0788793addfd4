#include "fakes/kubernetes/text/jsonpath_parse.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "sim/base/buf.h"
#include "sim/base/str.h"

enum { NESTING_MAX = 64, TEXT_MAX = 1 << 20 };

struct parser {
    struct arena *arena;
    const char *p, *start; /* the next character; where the piece at hand began */
    struct jsonpath_nodes *root;
    const char *error;
    int nesting; /* of filters and unions inside each other */
};

cJSON *jsonpath_text(struct arena *arena, const char *text)
{
    cJSON *value = ARENA_NEW(arena, cJSON);
    value->type = cJSON_String;
    value->valuestring = arena_strdup(arena, text);
    return value;
}

cJSON *jsonpath_number(struct arena *arena, double number)
{
    cJSON *value = ARENA_NEW(arena, cJSON);
    value->type = cJSON_Number;
    value->valuedouble = number;
    return value;
}

static struct jsonpath_node *append(struct parser *parser, struct jsonpath_nodes *nodes,
                                    enum jsonpath_type type)
{
    if (nodes->n == nodes->cap) {
        nodes->cap = nodes->cap ? 2 * nodes->cap : 4;
        struct jsonpath_node **at = ARENA_ARRAY(parser->arena, struct jsonpath_node *, nodes->cap);
        if (nodes->n > 0)
            memcpy(at, nodes->at, sizeof *at * (size_t)nodes->n);
        nodes->at = at;
    }
    struct jsonpath_node *node = ARENA_NEW(parser->arena, struct jsonpath_node);
    node->type = type;
    nodes->at[nodes->n++] = node;
    return node;
}

static void fail(struct parser *parser, const char *what)
{
    if (!parser->error)
        parser->error = what;
}

/* The text since the last call. */
static char *consume(struct parser *parser)
{
    struct str text = {parser->start, (size_t)(parser->p - parser->start)};
    parser->start = parser->p;
    return arena_str(parser->arena, text);
}

static void skip(struct parser *parser, size_t n)
{
    parser->p += n;
    parser->start = parser->p;
}

static bool terminator(char c)
{
    return c == '\0' || strchr(" \t\r\n.,[]$@{}", c) != NULL;
}

static bool alphanumeric(char c)
{
    return c == '_' || isalnum((unsigned char)c) || (unsigned char)c >= 0x80;
}

static void parse_inside(struct parser *parser, struct jsonpath_nodes *nodes);

/* Parses "{TEXT}" by itself; its nodes are added to `ret`. */
static void parse_action(struct parser *parser, const char *text, struct jsonpath_nodes *ret)
{
    if (parser->nesting >= NESTING_MAX) {
        fail(parser, "the template is nested too deeply");
        return;
    }
    const char *braced = arena_printf(parser->arena, "{%s}", text);
    struct jsonpath_nodes root = {0};
    struct parser inner = {.arena = parser->arena,
                           .p = braced + 1,
                           .start = braced + 1,
                           .root = &root,
                           .nesting = parser->nesting + 1};
    parse_inside(&inner, ret);
    if (inner.error)
        fail(parser, inner.error);
}

static void parse_identifier(struct parser *parser, struct jsonpath_nodes *nodes)
{
    while (!terminator(*parser->p))
        parser->p++;
    const char *word = consume(parser);
    bool is_true = strcmp(word, "true") == 0;
    if (is_true || strcmp(word, "false") == 0) {
        cJSON *value = ARENA_NEW(parser->arena, cJSON);
        value->type = is_true ? cJSON_True : cJSON_False;
        append(parser, nodes, JSONPATH_CONSTANT)->value = value;
    } else {
        append(parser, nodes, JSONPATH_IDENTIFIER)->name = word;
    }
}

static void parse_field(struct parser *parser, struct jsonpath_nodes *nodes)
{
    parser->start = parser->p;
    while (!terminator(*parser->p))
        parser->p += *parser->p == '\\' && parser->p[1] ? 2 : 1;
    char *name = consume(parser);
    if (strcmp(name, "*") == 0) {
        append(parser, nodes, JSONPATH_WILDCARD);
        return;
    }
    char *to = name;
    for (const char *from = name; *from; from++) {
        if (*from != '\\')
            *to++ = *from;
    }
    *to = '\0';
    append(parser, nodes, JSONPATH_FIELD)->name = name;
}

static void parse_recursive(struct parser *parser, struct jsonpath_nodes *nodes)
{
    if (nodes->n > 0 && nodes->at[nodes->n - 1]->type == JSONPATH_RECURSIVE) {
        fail(parser, "invalid multiple recursive descent");
        return;
    }
    skip(parser, 2);
    append(parser, nodes, JSONPATH_RECURSIVE);
    if (alphanumeric(*parser->p))
        parse_field(parser, nodes);
}

static void parse_number(struct parser *parser, struct jsonpath_nodes *nodes)
{
    if (*parser->p == '+' || *parser->p == '-')
        parser->p++;
    while (*parser->p == '.' || isdigit((unsigned char)*parser->p))
        parser->p++;
    const char *text = consume(parser);
    char *end;
    double number = strtod(text, &end);
    if (end == text || *end) {
        fail(parser, arena_printf(parser->arena, "cannot parse number %s", text));
        return;
    }
    cJSON *value = jsonpath_number(parser->arena, number);
    /* 2.0 is a float64, and cannot be compared with 2 */
    if (strchr(text, '.'))
        value->type |= JSONPATH_FLOAT;
    append(parser, nodes, JSONPATH_CONSTANT)->value = value;
}

/* One number of [from:to:step]. False: it is none. */
static bool index_number(const char *text, int64_t *ret)
{
    char *end;
    errno = 0;
    *ret = strtoll(text, &end, 10);
    return errno == 0 && end != text && !*end;
}

/* Of what stands between [ and ]: "-?digits(:-?digits)?(:-?digits)?". */
static bool looks_like_range(const char *text)
{
    int colons = 0;
    for (const char *p = text;; p++) {
        if (*p == '-')
            p++;
        while (isdigit((unsigned char)*p))
            p++;
        if (*p != ':' || ++colons > 2)
            return *p == '\0';
    }
}

static void parse_range(struct parser *parser, const char *text, struct jsonpath_nodes *nodes)
{
    if (!looks_like_range(text)) {
        fail(parser, arena_printf(parser->arena, "invalid array index %s", text));
        return;
    }
    struct jsonpath_node *node = append(parser, nodes, JSONPATH_ARRAY);
    struct str rest = str_of(text);
    int n = 0;
    for (bool more = true; more; n++) {
        more = memchr(rest.at, ':', rest.len) != NULL;
        const char *number = arena_str(parser->arena, str_cut(&rest, ':'));
        if (!*number)
            continue;
        node->range[n].known = true;
        if (!index_number(number, &node->range[n].value)) {
            fail(parser, arena_printf(parser->arena, "array index %s is not a number", number));
            return;
        }
    }
    if (n == 1) {
        node->range[1].known = node->range[1].derived = true;
        node->range[1].value = node->range[0].value + 1;
    }
}

/* Behind "[". */
static void parse_array(struct parser *parser, struct jsonpath_nodes *nodes)
{
    size_t len = strcspn(parser->p, "]\n");
    if (parser->p[len] != ']') {
        fail(parser, "unterminated array");
        return;
    }
    struct str text = {parser->p, len};
    skip(parser, len + 1);
    if (str_is(text, "*"))
        text = STR(":");
    if (memchr(text.at, ',', text.len)) {
        struct jsonpath_node *node = append(parser, nodes, JSONPATH_UNION);
        for (bool more = true; more && !parser->error;) {
            more = memchr(text.at, ',', text.len) != NULL;
            struct str part = str_cut(&text, ',');
            while (part.len > 0 && part.at[0] == ' ')
                part = (struct str){part.at + 1, part.len - 1};
            while (part.len > 0 && part.at[part.len - 1] == ' ')
                part.len--;
            parse_action(parser, arena_printf(parser->arena, "[%.*s]", STR_ARG(part)),
                         &append(parser, &node->inside, JSONPATH_LIST)->inside);
        }
    } else if (text.len >= 2 && text.at[0] == '\'' && text.at[text.len - 1] == '\'' &&
               !memchr(text.at + 1, '\'', text.len - 2)) {
        parse_action(parser, arena_printf(parser->arena, ".%.*s", (int)text.len - 2, text.at + 1),
                     nodes);
    } else {
        parse_range(parser, arena_str(parser->arena, text), nodes);
    }
}

/* "left operator right" apart: the operator is all of !<>= there is, but for the last character of
 * the text. False: there is none. */
static bool split_filter(const char *text, size_t *ret_left, size_t *ret_operator)
{
    *ret_left = strcspn(text, "!<>=");
    size_t operator= strspn(text + *ret_left, "!<>=");
    if (operator> 0 && !text[*ret_left + operator])
        operator--;
    *ret_operator = operator;
    return *ret_left > 0 && operator> 0;
}

/* At "[?(". */
static void parse_filter(struct parser *parser, struct jsonpath_nodes *nodes)
{
    skip(parser, 3);
    char pair = '\0';
    bool closed = false;
    for (;; parser->p++) {
        char c = *parser->p;
        if (c == '\0' || c == '\n') {
            fail(parser, "unterminated filter");
            return;
        }
        if (c == ')' && (!pair || closed))
            break;
        if ((c == '"' || c == '\'') && !pair)
            pair = c;
        else if (pair && c == pair && parser->p[-1] != '\\')
            closed = true;
    }
    char *text = consume(parser);
    if (parser->p[1] != ']') {
        fail(parser, "unclosed array expect ]");
        return;
    }
    skip(parser, 2);
    struct jsonpath_node *node = append(parser, nodes, JSONPATH_FILTER);
    size_t left, operator;
    if (!split_filter(text, &left, &operator)) {
        node->name = "exists";
        parse_action(parser, text, &node->inside);
        return;
    }
    node->name = arena_str(parser->arena, (struct str){text + left, operator});
    parse_action(parser, arena_str(parser->arena, (struct str){text, left}), &node->inside);
    parse_action(parser, text + left + operator, & node->right);
}

static void add_rune(struct buf *out, unsigned rune)
{
    if (rune < 0x80) {
        buf_putc(out, (char)rune);
    } else if (rune < 0x800) {
        buf_putc(out, (char)(0xc0 | rune >> 6));
        buf_putc(out, (char)(0x80 | (rune & 0x3f)));
    } else if (rune < 0x10000) {
        buf_putc(out, (char)(0xe0 | rune >> 12));
        buf_putc(out, (char)(0x80 | (rune >> 6 & 0x3f)));
        buf_putc(out, (char)(0x80 | (rune & 0x3f)));
    } else {
        buf_putc(out, (char)(0xf0 | rune >> 18));
        buf_putc(out, (char)(0x80 | (rune >> 12 & 0x3f)));
        buf_putc(out, (char)(0x80 | (rune >> 6 & 0x3f)));
        buf_putc(out, (char)(0x80 | (rune & 0x3f)));
    }
}

/* One escape of Go (strconv.UnquoteChar), behind the backslash; false: it is none. */
static bool unescape(const char **p, char quote, struct buf *out)
{
    static const char names[] = "abfnrtv\\", values[] = "\a\b\f\n\r\t\v\\";
    char c = *(*p)++;
    const char *name = c ? strchr(names, c) : NULL;
    if (name || c == quote) {
        buf_putc(out, name ? values[name - names] : quote);
        return true;
    }
    bool octal = c >= '0' && c <= '7';
    size_t n = octal ? 3 : c == 'x' ? 2 : c == 'u' ? 4 : c == 'U' ? 8 : 0;
    if (octal)
        (*p)--;
    char digits[9] = "";
    for (size_t i = 0; i < n; i++) {
        if (!(octal ? **p >= '0' && **p <= '7' : isxdigit((unsigned char)**p) != 0))
            return false;
        digits[i] = *(*p)++;
    }
    unsigned long rune = strtoul(digits, NULL, octal ? 8 : 16);
    if (n == 0 || (octal && rune > 255) || rune > 0x10ffff || (rune >= 0xd800 && rune < 0xe000))
        return false;
    if (octal || c == 'x')
        buf_putc(out, (char)rune);
    else
        add_rune(out, (unsigned)rune);
    return true;
}

/* At the quote. */
static void parse_quote(struct parser *parser, struct jsonpath_nodes *nodes)
{
    char quote = *parser->p++;
    while (*parser->p && *parser->p != '\n' && (*parser->p != quote || parser->p[-1] == '\\'))
        parser->p++;
    if (*parser->p != quote) {
        fail(parser, "unterminated quoted string");
        return;
    }
    parser->p++;
    char *text = consume(parser);
    const char *end = text + strlen(text) - 1;
    struct buf out;
    buf_init(&out, TEXT_MAX);
    bool well = true;
    for (const char *p = text + 1; well && p < end;) {
        if (*p == quote) {
            well = false;
        } else if (*p == '\\') {
            p++;
            well = p < end && unescape(&p, quote, &out) && p <= end;
        } else {
            buf_putc(&out, *p++);
        }
    }
    if (well)
        append(parser, nodes, JSONPATH_TEXT)->value =
            jsonpath_text(parser->arena, out.len > 0 ? out.at : "");
    else
        fail(parser, arena_printf(parser->arena, "unquote string %s error invalid syntax", text));
    buf_release(&out);
}

static void unrecognized(struct parser *parser)
{
    unsigned char c = (unsigned char)*parser->p;
    const char *shown = c > 0x20 && c < 0x7f ? arena_printf(parser->arena, " '%c'", c) : "";
    fail(parser,
         arena_printf(parser->arena, "unrecognized character in action: U+%04X%s", c, shown));
}

/* Behind "{", until behind its "}". */
static void parse_inside(struct parser *parser, struct jsonpath_nodes *nodes)
{
    while (!parser->error) {
        char c = *parser->p;
        if (c == '}') {
            skip(parser, 1);
            return;
        } else if (c == '\0' || c == '\r' || c == '\n') {
            fail(parser, "unclosed action");
        } else if (strncmp(parser->p, "[?(", 3) == 0) {
            parse_filter(parser, nodes);
        } else if (strncmp(parser->p, "..", 2) == 0) {
            parse_recursive(parser, nodes);
        } else if (c == ' ' || c == '@' || c == '$') {
            skip(parser, 1);
        } else if (c == '[') {
            skip(parser, 1);
            parse_array(parser, nodes);
        } else if (c == '"' || c == '\'') {
            parse_quote(parser, nodes);
        } else if (c == '.') {
            skip(parser, 1);
            parse_field(parser, nodes);
        } else if (c == '+' || c == '-' || isdigit((unsigned char)c)) {
            parse_number(parser, nodes);
        } else if (alphanumeric(c)) {
            parse_identifier(parser, nodes);
        } else {
            unrecognized(parser);
        }
    }
}

const char *jsonpath_parse(struct arena *arena, const char *text, struct jsonpath_nodes *ret)
{
    struct parser parser = {.arena = arena, .p = text, .start = text, .root = ret};
    *ret = (struct jsonpath_nodes){0};
    while (!parser.error && *parser.p) {
        parser.p += strcspn(parser.p, "{");
        if (parser.p > parser.start)
            append(&parser, ret, JSONPATH_TEXT)->value = jsonpath_text(arena, consume(&parser));
        if (*parser.p) {
            skip(&parser, 1);
            parse_inside(&parser, &append(&parser, ret, JSONPATH_LIST)->inside);
        }
    }
    return parser.error;
}
