#include "fakes/kubernetes/api/selector_parse.h"

#include <stdlib.h>
#include <string.h>

/* ---- labels: pkg/util/validation ---- */

#define NAME_RULE                                                                                  \
    "must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an "    \
    "alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for "         \
    "validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')"
#define SUBDOMAIN_RULE                                                                             \
    "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or "   \
    "'.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used "  \
    "for validation is "                                                                           \
    "'[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')"
#define VALUE_RULE                                                                                 \
    "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or "    \
    "'.', and must start and end with an alphanumeric character (e.g. 'MyValue',  or 'my_value', " \
    " or '12345', regex used for validation is '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')"
enum { NAME_MAX_LEN = 63, SUBDOMAIN_MAX_LEN = 253 };

static bool alphanumeric(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

static bool is_name(const char *z)
{
    size_t len = strlen(z);
    for (size_t i = 0; i < len; i++)
        if (!alphanumeric(z[i]) && !strchr("-_.", z[i]))
            return false;
    return len && alphanumeric(z[0]) && alphanumeric(z[len - 1]);
}

static bool is_subdomain(struct str text)
{
    struct str rest = text;
    if (!text.len || text.at[text.len - 1] == '.')
        return false;
    while (rest.len) {
        struct str part = str_cut(&rest, '.');
        for (size_t i = 0; i < part.len; i++) {
            char c = part.at[i];
            bool inside = i > 0 && i + 1 < part.len;
            if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || (c == '-' && inside)))
                return false;
        }
        if (!part.len)
            return false;
    }
    return true;
}

static const char *joined(struct arena *arena, const char *a, const char *b)
{
    return a ? arena_printf(arena, "%s; %s", a, b) : b;
}

const char *label_key_wrong(struct arena *arena, const char *key)
{
    const char *wrong = NULL, *name = key, *slash = strchr(key, '/');
    if (slash && strchr(slash + 1, '/'))
        return "a qualified name " NAME_RULE
               " with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')";
    if (slash) {
        struct str prefix = {key, (size_t)(slash - key)};
        name = slash + 1;
        if (!prefix.len)
            wrong = joined(arena, wrong, "prefix part must be non-empty");
        else if (prefix.len > SUBDOMAIN_MAX_LEN)
            wrong = joined(arena, wrong, "prefix part must be no more than 253 characters");
        if (prefix.len && !is_subdomain(prefix))
            wrong = joined(arena, wrong, "prefix part " SUBDOMAIN_RULE);
    }
    if (!*name)
        wrong = joined(arena, wrong, "name part must be non-empty");
    else if (strlen(name) > NAME_MAX_LEN)
        wrong = joined(arena, wrong, "name part must be no more than 63 characters");
    if (!is_name(name))
        wrong = joined(arena, wrong, "name part " NAME_RULE);
    return wrong;
}

const char *label_value_wrong(struct arena *arena, const char *value)
{
    const char *wrong = NULL;
    if (strlen(value) > NAME_MAX_LEN)
        wrong = "must be no more than 63 characters";
    if (*value && !is_name(value))
        wrong = joined(arena, wrong, VALUE_RULE);
    return wrong;
}

/* ---- label selectors: pkg/labels ---- */

enum token {
    T_END,
    T_NAME, /* a key or a value */
    T_IN,
    T_NOT_IN,
    T_OPEN,
    T_CLOSE,
    T_COMMA,
    T_NOT,
    T_EQUALS,
    T_DOUBLE_EQUALS,
    T_NOT_EQUALS,
    T_GREATER,
    T_LESS,
    T_WRONG,
};
static const struct {
    const char *text;
    enum token token;
} symbols[] = {
    {"==", T_DOUBLE_EQUALS}, {"!=", T_NOT_EQUALS}, {"=", T_EQUALS},  {"!", T_NOT}, {"(", T_OPEN},
    {")", T_CLOSE},          {",", T_COMMA},       {">", T_GREATER}, {"<", T_LESS}};

struct parser {
    struct arena *arena;
    const char *at;
    enum token token; /* the one that comes next */
    const char *text;
    const char *why;
};

static void advance(struct parser *p)
{
    while (*p->at && strchr(" \t\r\n", *p->at))
        p->at++;
    if (!*p->at) {
        p->token = T_END;
        p->text = "";
        return;
    }
    for (size_t i = 0; i < sizeof symbols / sizeof *symbols; i++) {
        size_t len = strlen(symbols[i].text);
        if (strncmp(p->at, symbols[i].text, len) != 0)
            continue;
        p->token = symbols[i].token;
        p->text = symbols[i].text;
        p->at += len;
        return;
    }
    size_t len = strcspn(p->at, "=!(),>< \t\r\n");
    p->text = arena_str(p->arena, (struct str){p->at, len});
    p->at += len;
    p->token = !strcmp(p->text, "in") ? T_IN : !strcmp(p->text, "notin") ? T_NOT_IN : T_NAME;
}

/* Where a value may stand, "in" and "notin" are values too. */
static bool at_name(const struct parser *p)
{
    return p->token == T_NAME || p->token == T_IN || p->token == T_NOT_IN;
}

static bool fail(struct parser *p, const char *expected)
{
    p->why = arena_printf(p->arena, "found '%s', expected: %s", p->text, expected);
    return false;
}

/* Values are a set: sorted, each once. */
static void insert(struct parser *p, struct requirement *r, const char *value)
{
    int place = 0;
    while (place < r->n_values && strcmp(r->values[place], value) < 0)
        place++;
    if (place < r->n_values && !strcmp(r->values[place], value))
        return;
    const char **values = ARENA_ARRAY(p->arena, const char *, r->n_values + 1);
    for (int i = 0; i < r->n_values; i++)
        values[i + (i >= place)] = r->values[i];
    values[place] = value;
    r->values = values;
    r->n_values++;
}

static bool parse_list(struct parser *p, struct requirement *r)
{
    if (p->token != T_OPEN) {
        p->why = arena_printf(p->arena, "found '%s' expected: '('", p->text);
        return false;
    }
    advance(p);
    if (p->token == T_CLOSE) {
        insert(p, r, "");
        advance(p);
        return true;
    }
    if (!at_name(p) && p->token != T_COMMA)
        return fail(p, "',', ')' or identifier");
    for (;;) {
        if (at_name(p)) {
            insert(p, r, p->text);
            advance(p);
            if (p->token != T_COMMA && p->token != T_CLOSE)
                return fail(p, "',' or ')'");
        } else if (p->token == T_COMMA) {
            if (!r->n_values)
                insert(p, r, "");
            advance(p);
            if (p->token == T_COMMA || p->token == T_CLOSE)
                insert(p, r, "");
        } else {
            return fail(p, "',', or identifier");
        }
        if (p->token == T_CLOSE)
            break;
    }
    advance(p);
    return true;
}

static bool parse_operator(struct parser *p, struct requirement *r)
{
    static const struct {
        enum token token;
        enum compare compare;
    } operators[] = {{T_IN, OP_IN},
                     {T_NOT_IN, OP_NOT_IN},
                     {T_EQUALS, OP_EQUALS},
                     {T_DOUBLE_EQUALS, OP_DOUBLE_EQUALS},
                     {T_NOT_EQUALS, OP_NOT_EQUALS},
                     {T_GREATER, OP_GREATER},
                     {T_LESS, OP_LESS}};
    for (size_t i = 0; i < sizeof operators / sizeof *operators; i++) {
        if (p->token != operators[i].token)
            continue;
        r->compare = operators[i].compare;
        advance(p);
        return true;
    }
    return fail(p, "in, notin, =, ==, !=, gt, lt");
}

static bool check_values(struct parser *p, const struct requirement *r)
{
    int64_t number;
    const char *why = NULL;
    if (r->compare == OP_GREATER || r->compare == OP_LESS) {
        if (!str_int64(str_of(r->values[0]), &number))
            why = arena_printf(p->arena,
                               "values[0]: Invalid value: \"%s\": for 'Gt', 'Lt' operators, the "
                               "value must be an integer",
                               r->values[0]);
    }
    int n = why != NULL;
    for (int i = 0; i < r->n_values; i++) {
        const char *wrong = label_value_wrong(p->arena, r->values[i]);
        if (!wrong)
            continue;
        n++;
        wrong = arena_printf(p->arena, "values[%d][%s]: Invalid value: \"%s\": %s", i, r->key,
                             r->values[i], wrong);
        why = why ? arena_printf(p->arena, "%s, %s", why, wrong) : wrong;
    }
    if (why)
        p->why = n > 1 ? arena_printf(p->arena, "[%s]", why) : why;
    return !why;
}

static bool parse_requirement(struct parser *p, struct requirement *r)
{
    bool negated = p->token == T_NOT;
    if (negated)
        advance(p);
    if (!at_name(p))
        return fail(p, "identifier");
    r->key = p->text;
    const char *wrong = label_key_wrong(p->arena, r->key);
    if (wrong) {
        p->why = arena_printf(p->arena, "<nil>: Invalid value: \"%s\": %s", r->key, wrong);
        return false;
    }
    advance(p);
    r->compare = negated ? OP_NOT_EXISTS : OP_EXISTS;
    if (negated || p->token == T_END || p->token == T_COMMA)
        return true;
    if (!parse_operator(p, r))
        return false;
    if (r->compare == OP_IN || r->compare == OP_NOT_IN) {
        if (!parse_list(p, r))
            return false;
    } else if (p->token == T_END || p->token == T_COMMA) {
        insert(p, r, "");
    } else if (at_name(p)) {
        insert(p, r, p->text);
        advance(p);
    } else {
        return fail(p, "identifier");
    }
    return check_values(p, r);
}

void selector_sort(struct selector *selector)
{
    for (int i = 1; i < selector->n; i++) {
        struct requirement moved = selector->at[i];
        int place = i;
        for (; place > 0 && strcmp(selector->at[place - 1].key, moved.key) > 0; place--)
            selector->at[place] = selector->at[place - 1];
        selector->at[place] = moved;
    }
}

static struct selector *room(struct arena *arena, const char *text)
{
    size_t n = 1;
    for (const char *at = text; *at; at++)
        n += *at == ',';
    struct selector *selector = ARENA_NEW(arena, struct selector);
    selector->at = ARENA_ARRAY(arena, struct requirement, n);
    return selector;
}

struct selector *selector_labels(struct arena *arena, const char *text, const char **why)
{
    struct parser p = {.arena = arena, .at = text};
    struct selector *selector = room(arena, text);
    *why = NULL;
    advance(&p);
    while (p.token != T_END) {
        if (!at_name(&p) && p.token != T_NOT) {
            fail(&p, selector->n ? "identifier after ','" : "!, identifier, or 'end of string'");
            break;
        }
        if (!parse_requirement(&p, &selector->at[selector->n])) {
            p.why = arena_printf(arena, "unable to parse requirement: %s", p.why);
            break;
        }
        selector->n++;
        if (p.token == T_END)
            break;
        if (p.token != T_COMMA) {
            fail(&p, "',' or 'end of string'");
            break;
        }
        advance(&p);
        if (p.token == T_END) {
            fail(&p, "identifier after ','");
            break;
        }
    }
    *why = p.why;
    selector_sort(selector);
    return p.why ? NULL : selector;
}

/* ---- field selectors: pkg/fields ---- */

/* The length of the term at the start: up to a comma that no backslash is before. */
static size_t term_len(const char *text)
{
    size_t len = 0;
    while (text[len] && text[len] != ',')
        len += text[len] == '\\' && text[len + 1] ? 2 : 1;
    return len;
}

static const char *unescape(struct arena *arena, const char *text, const char **why)
{
    char *plain = arena_alloc(arena, strlen(text) + 1), *to = plain;
    for (const char *at = text; *at; at++) {
        if (*at == '\\') {
            at++;
            if (!*at || !strchr("\\,=", *at)) {
                *why = arena_printf(
                    arena, "invalid field selector: invalid escape sequence in value: %s", text);
                return NULL;
            }
        } else if (*at == '=') {
            *why = arena_printf(arena, "invalid field selector: unescaped character in value: %d",
                                *at);
            return NULL;
        }
        *to++ = *at;
    }
    return plain;
}

struct selector *selector_fields(struct arena *arena, const char *text, const char **why)
{
    struct selector *selector = room(arena, text);
    *why = NULL;
    for (const char *at = text; *at;) {
        size_t len = term_len(at);
        char *term = arena_str(arena, (struct str){at, len});
        at += len + (at[len] == ',');
        if (!len)
            continue;
        char *compare = strpbrk(term, "!=");
        while (compare && *compare == '!' && compare[1] != '=')
            compare = strpbrk(compare + 1, "!=");
        if (!compare) {
            *why = arena_printf(arena, "invalid selector: '%s'; can't understand '%s'", text, term);
            return NULL;
        }
        bool twice = compare[0] == '!' || compare[1] == '=';
        struct requirement *r = &selector->at[selector->n++];
        r->compare = *compare == '!' ? OP_NOT_EQUALS : OP_EQUALS;
        r->values = ARENA_ARRAY(arena, const char *, 1);
        r->values[r->n_values++] = unescape(arena, compare + (twice ? 2 : 1), why);
        if (*why)
            return NULL;
        *compare = 0;
        r->key = term;
    }
    return selector;
}
