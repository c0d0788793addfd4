/* A query taken apart, with the words of Prometheus's parser about what is wrong with it
 * (promql/parser). */
#include <ctype.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "fakes/prometheus/promql_tree.h"
#include "sim/base/doc.h"

enum token_kind { END, IDENTIFIER, NUMBER, DURATION, STRING, OPERATOR, PUNCTUATION };

struct token {
    enum token_kind kind;
    const char *text;
    int at, end;
};

struct parser {
    struct arena *arena;
    const char *query;
    struct token now;
    int depth, parens;
    bool in_braces, wants_duration;
    const char *error;
    bool unknown;
};

static void fail(struct parser *p, int at, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
static void fail(struct parser *p, int at, const char *format, ...)
{
    va_list args;
    int line = 1, column = 1;
    if (p->error)
        return;
    for (int i = 0; i < at && p->query[i]; i++) {
        column = p->query[i] == '\n' ? 1 : column + 1;
        line += p->query[i] == '\n';
    }
    va_start(args, format);
    p->error = arena_printf(p->arena, "invalid parameter \"query\": %d:%d: parse error: %s", line,
                            column, arena_vprintf(p->arena, format, args));
    va_end(args);
}

static void not_simulated(struct parser *p, const char *what)
{
    if (p->error)
        return;
    p->error = arena_printf(p->arena, "not simulated: %s", what);
    p->unknown = true;
}

/* ---- tokens ---- */

static void lex_string(struct parser *p, int at)
{
    char quote = p->query[at];
    struct buf text;
    int i = at + 1;
    buf_init(&text, 1 << 16);
    for (; p->query[i] && p->query[i] != quote && !(p->query[i] == '\n' && quote != '`'); i++) {
        char c = p->query[i];
        if (c == '\\' && quote != '`' && p->query[i + 1]) {
            c = p->query[++i];
            c = c == 'n' ? '\n' : c == 't' ? '\t' : c == 'r' ? '\r' : c;
        }
        buf_putc(&text, c);
    }
    if (p->query[i] != quote)
        fail(p, at, "unterminated quoted string");
    p->now =
        (struct token){STRING, arena_str(p->arena, buf_text(&text)), at, p->query[i] ? i + 1 : i};
    buf_release(&text);
}

static int number_length(const char *s)
{
    char *end;
    if (s[0] == '0' && (s[1] == 'x' || s[1] == 'X')) {
        strtoull(s, &end, 16);
        return (int)(end - s);
    }
    strtod(s, &end);
    return (int)(end - s);
}

static void lex_number(struct parser *p, int at)
{
    const char *s = p->query + at;
    int n = number_length(s), k = 0;
    while (isdigit((unsigned char)s[k]))
        k++;
    bool duration = k && isalpha((unsigned char)s[k]) && s[k] != 'e' && s[k] != 'E' &&
                    !(s[0] == '0' && (s[1] == 'x' || s[1] == 'X'));
    if (duration) {
        int whole = 0;
        while (isalnum((unsigned char)s[whole]))
            whole++;
        n = whole;
        int64_t ns;
        if (!parse_duration((struct str){s, (size_t)n}, &ns))
            fail(p, at, "bad duration syntax: \"%.*s\"", k, s);
    } else if (p->wants_duration && (s[n] == ']' || s[n] == ':')) {
        fail(p, at + n, "missing unit character in duration");
    }
    p->now = (struct token){duration ? DURATION : NUMBER, arena_printf(p->arena, "%.*s", n, s), at,
                            at + n};
}

static void next(struct parser *p)
{
    static const char *const operators[] = {"==", "!=", ">=", "<=", "=~", "!~", "+", "-",
                                            "*",  "/",  "%",  "^",  ">",  "<",  NULL};
    int at = p->now.end;
    const char *s;
    for (;;) {
        s = p->query + at;
        if (isspace((unsigned char)*s))
            at++;
        else if (*s == '#')
            at += (int)strcspn(s, "\n");
        else
            break;
    }
    p->now = (struct token){END, "", at, at};
    if (!*s) {
        if (p->in_braces)
            fail(p, at, "unexpected end of input inside braces");
        else if (p->parens > 0)
            fail(p, at, "unclosed left parenthesis");
        return;
    }
    if (isalpha((unsigned char)*s) || *s == '_' || (*s == ':' && !p->wants_duration)) {
        int n = 1;
        while (isalnum((unsigned char)s[n]) || s[n] == '_' || (s[n] == ':' && !p->in_braces))
            n++;
        p->now = (struct token){IDENTIFIER, arena_printf(p->arena, "%.*s", n, s), at, at + n};
        return;
    }
    if (*s == '"' || *s == '\'' || *s == '`') {
        lex_string(p, at);
        return;
    }
    if (isdigit((unsigned char)*s) || (*s == '.' && isdigit((unsigned char)s[1]))) {
        lex_number(p, at);
        return;
    }
    for (int i = 0; operators[i]; i++) {
        if (strncmp(s, operators[i], strlen(operators[i])) == 0) {
            p->now = (struct token){OPERATOR, operators[i], at, at + (int)strlen(operators[i])};
            return;
        }
    }
    if (strchr("()[]{},=@:", *s) && !(*s == '}' && !p->in_braces)) {
        p->parens += *s == '(' ? 1 : *s == ')' ? -1 : 0;
        p->now = (struct token){PUNCTUATION, arena_printf(p->arena, "%c", *s), at, at + 1};
        return;
    }
    fail(p, at, "unexpected character: '%c'", *s);
}

static bool is(const struct parser *p, const char *text)
{
    if (p->now.kind == IDENTIFIER)
        return strcasecmp(p->now.text, text) == 0;
    return (p->now.kind == OPERATOR || p->now.kind == PUNCTUATION) &&
           strcmp(p->now.text, text) == 0;
}

static bool take(struct parser *p, const char *text)
{
    if (p->error || !is(p, text))
        return false;
    next(p);
    return true;
}

static void unexpected(struct parser *p, const char *context, const char *expected)
{
    static const char *const keywords[] = {"and",         "or",   "unless",   "by",
                                           "without",     "on",   "ignoring", "group_left",
                                           "group_right", "bool", "offset",   NULL};
    const char *what = "end of input";
    int i = 0;
    while (keywords[i] && strcasecmp(keywords[i], p->now.text) != 0)
        i++;
    if (p->now.kind == OPERATOR)
        what = arena_printf(p->arena, "<op:%s>", p->now.text);
    else if (p->now.kind == IDENTIFIER && keywords[i])
        what = arena_printf(p->arena, i < 3 ? "<op:%s>" : "<%s>", keywords[i]);
    else if (p->now.kind == IDENTIFIER)
        what = arena_printf(p->arena, "identifier \"%s\"", p->now.text);
    else if (p->now.kind == NUMBER)
        what = arena_printf(p->arena, "number \"%s\"", p->now.text);
    else if (p->now.kind == DURATION)
        what = arena_printf(p->arena, "duration \"%s\"", p->now.text);
    else if (p->now.kind == STRING)
        what = arena_printf(p->arena, "string \"\\\"%s\\\"\"", p->now.text);
    else if (p->now.kind == PUNCTUATION)
        what = arena_printf(p->arena, "\"%s\"", p->now.text);
    fail(p, p->now.at, "unexpected %s%s%s%s%s", what, context ? " in " : "", context ? context : "",
         expected ? ", expected " : "", expected ? expected : "");
}

static void want(struct parser *p, const char *text, const char *context)
{
    if (!p->error && !take(p, text))
        unexpected(p, context, context ? arena_printf(p->arena, "\"%s\"", text) : NULL);
}

static int64_t duration(struct parser *p, const char *context)
{
    int64_t ns = 0;
    bool negative = take(p, "-");
    if (!p->error && p->now.kind != DURATION)
        unexpected(p, context, "duration");
    if (p->error)
        return 0;
    parse_duration(str_of(p->now.text), &ns);
    if (ns > 36500 * DAY)
        fail(p, p->now.at, "duration out of range");
    else if (ns <= 0 && strcmp(context, "offset") != 0)
        fail(p, p->now.at, "duration must be greater than 0");
    next(p);
    return negative ? -ns : ns;
}

/* ---- expressions ---- */

static struct prom_expr *expression(struct parser *, int level);

static struct prom_expr *make(struct parser *p, enum prom_kind kind, enum prom_type type, int at)
{
    struct prom_expr *e = ARENA_NEW(p->arena, struct prom_expr);
    e->kind = kind;
    e->type = type;
    e->at = at;
    e->text = "";
    return e;
}

/* (a, b): names of labels. */
static int label_list(struct parser *p, const char **names)
{
    int n = 0;
    want(p, "(", "grouping opts");
    while (!p->error && !is(p, ")")) {
        if (p->now.kind != IDENTIFIER || n == PROM_LABELS_MAX)
            unexpected(p, "grouping opts", "label");
        else
            names[n++] = p->now.text;
        if (!p->error)
            next(p);
        if (!take(p, ","))
            break;
    }
    want(p, ")", "grouping opts");
    return n;
}

const char *prom_nested_repetition(const char *regex, int *ret_len)
{
    const char *last = NULL; /* the repetition that ends right before */
    bool lazy = false;
    for (const char *at = regex; *at;) {
        const char *begin = at;
        if (*at == '\\' && at[1]) {
            at += 2;
        } else if (*at == '[') {
            at += at[1] == '^' ? 2 : 1;
            at += *at == ']';
            while (*at && *at != ']')
                at++;
            at += *at == ']';
        } else if (strchr("*+?", *at) || (*at == '{' && strchr(at, '}'))) {
            at = *at == '{' ? strchr(at, '}') + 1 : at + 1;
            bool wants_less = last && !lazy && *begin == '?'; /* "+?" is one repetition */
            if (last && !wants_less) {
                *ret_len = (int)(at - last);
                return last;
            }
            lazy = wants_less;
            last = last ? last : begin;
            continue;
        } else {
            at++;
        }
        last = NULL;
        lazy = false;
    }
    return NULL;
}

static void check_regex(struct parser *p, const struct prom_matcher *m, int at)
{
    int depth = 0;
    regex_t regex;
    for (const char *c = m->value; *c; c++) {
        if (*c == '\\' && c[1])
            c++;
        else
            depth += *c == '(' ? 1 : *c == ')' ? -1 : 0;
    }
    int len = 0;
    const char *nested = prom_nested_repetition(m->value, &len);
    if (depth > 0)
        fail(p, at, "error parsing regexp: missing closing ): `^(?:%s)$`", m->value);
    else if (depth < 0)
        fail(p, at, "error parsing regexp: unexpected ): `^(?:%s)$`", m->value);
    else if (nested)
        fail(p, at, "error parsing regexp: invalid nested repetition operator: `%.*s`", len,
             nested);
    else if (regcomp(&regex, arena_printf(p->arena, "^(%s)$", m->value),
                     REG_EXTENDED | REG_NOSUB) != 0)
        fail(p, at, "error parsing regexp: invalid: `^(?:%s)$`", m->value);
    else
        regfree(&regex);
}

static void matchers(struct parser *p, struct prom_expr *e)
{
    p->in_braces = true;
    next(p); /* behind the brace */
    while (!p->error && !is(p, "}")) {
        struct prom_matcher m = {.key = p->now.text};
        int at = p->now.at;
        if (p->now.kind != IDENTIFIER) {
            unexpected(p, "label matching", "identifier or \"}\"");
            break;
        }
        next(p);
        m.op = is(p, "=")    ? "="
               : is(p, "!=") ? "!="
               : is(p, "=~") ? "=~"
               : is(p, "!~") ? "!~"
                             : NULL;
        if (!p->error && !m.op)
            unexpected(p, "label matching", "label matching operator");
        if (p->error)
            break;
        next(p);
        if (!p->error && p->now.kind != STRING)
            unexpected(p, "label matching", "string");
        if (p->error)
            break;
        m.value = p->now.text;
        if (strlen(m.op) == 2 && m.op[1] == '~')
            check_regex(p, &m, at);
        if (e->n_matchers < PROM_MATCHERS_MAX)
            e->matchers[e->n_matchers++] = m;
        else
            not_simulated(p, "more than 16 matchers");
        next(p);
        if (!p->error && !is(p, "}") && !take(p, ","))
            unexpected(p, "label matching", "\",\" or \"}\"");
    }
    p->in_braces = false;
    if (!p->error)
        next(p);
}

static struct prom_expr *selector(struct parser *p, const char *name, int at)
{
    struct prom_expr *e = make(p, PROM_SELECTOR, PROM_T_VECTOR, at);
    bool some = *name != '\0';
    e->text = name;
    if (!p->error && is(p, "{"))
        matchers(p, e);
    for (int i = 0; i < e->n_matchers; i++) {
        const struct prom_matcher *m = &e->matchers[i];
        bool empty = strcmp(m->op, "=") == 0    ? !*m->value
                     : strcmp(m->op, "=~") == 0 ? !*m->value || strcmp(m->value, ".*") == 0
                     : strcmp(m->op, "!=") == 0 ? *m->value != '\0'
                                                : true;
        some |= !empty;
        if (*name && strcmp(m->key, "__name__") == 0)
            fail(p, at, "metric name must not be set twice: \"%s\" or \"%s\"", name, m->value);
    }
    if (!some)
        fail(p, at, "vector selector must contain at least one non-empty matcher");
    return e;
}

/* [5m], [5m:1m], offset, @ behind an expression. */
static struct prom_expr *suffixes(struct parser *p, struct prom_expr *e)
{
    while (!p->error) {
        if (is(p, "[")) {
            p->wants_duration = true;
            next(p);
            if (!p->error && is(p, "]"))
                fail(p, p->now.at, "missing unit character in duration");
            int64_t ns = duration(p, "subquery or range");
            bool sub = take(p, ":");
            if (sub) {
                struct prom_expr *inner = e;
                if (e->type != PROM_T_VECTOR && e->type != PROM_T_SCALAR)
                    fail(p, e->at, "subquery is only allowed on instant vector, got %s instead",
                         e->type == PROM_T_MATRIX ? "matrix" : "string");
                e = make(p, PROM_SUBQUERY, PROM_T_MATRIX, inner->at);
                e->args[e->n_args++] = inner;
                e->step_ns = !p->error && !is(p, "]") ? duration(p, "subquery selector") : MINUTE;
            } else if (e->kind != PROM_SELECTOR || e->range_ns) {
                fail(p, e->at, "ranges only allowed for vector selectors");
            }
            e->range_ns = ns;
            e->type = PROM_T_MATRIX;
            p->wants_duration = false;
            want(p, "]", NULL);
        } else if (is(p, "offset")) {
            next(p);
            e->offset_ns = duration(p, "offset");
            if (!p->error && e->kind != PROM_SELECTOR && e->kind != PROM_SUBQUERY)
                fail(p, e->at,
                     "offset modifier must be preceded by an instant vector selector or range "
                     "vector selector or a subquery");
        } else if (is(p, "@")) {
            next(p);
            e->has_at = true;
            e->at_edge = is(p, "start") ? 1 : is(p, "end") ? 2 : 0;
            if (!p->error && !e->at_edge && p->now.kind != NUMBER)
                unexpected(p, "@", "timestamp");
            double at_s = p->error || e->at_edge ? 0 : strtod(p->now.text, NULL);
            if (at_s > 9e9)
                fail(p, p->now.at, "timestamp out of bounds for @ modifier: %s", p->now.text);
            else
                e->at_unix_ns = (int64_t)(at_s * 1000) * MILLISECOND;
            next(p);
            if (e->at_edge) {
                want(p, "(", "@");
                want(p, ")", "@");
            }
        } else {
            break;
        }
    }
    return e;
}

static const char *type_name(enum prom_type type)
{
    return type == PROM_T_SCALAR   ? "scalar"
           : type == PROM_T_VECTOR ? "instant vector"
           : type == PROM_T_MATRIX ? "range vector"
                                   : "string";
}

static void arguments(struct parser *p, struct prom_expr *e)
{
    want(p, "(", NULL);
    while (!p->error && !is(p, ")")) {
        struct prom_expr *arg = expression(p, 0);
        if (p->error)
            return;
        if (e->n_args == PROM_ARGS_MAX)
            not_simulated(p, "more than 8 arguments");
        else
            e->args[e->n_args++] = arg;
        int comma = p->now.at;
        if (!take(p, ","))
            break;
        if (is(p, ")"))
            fail(p, comma, "trailing commas not allowed in function call args");
    }
    if (!p->error)
        want(p, ")", NULL);
}

static struct prom_expr *call(struct parser *p, const char *name, int at)
{
    const struct prom_function *f = prom_find_function(name);
    struct prom_expr *e = make(p, PROM_CALL, f ? f->returns : PROM_T_NONE, at);
    e->text = name;
    arguments(p, e);
    if (p->error)
        return e;
    if (!f) {
        fail(p, at, "unknown function with name \"%s\"", name);
        return e;
    }
    int n = 0;
    while (n < 5 && f->args[n] != PROM_T_NONE)
        n++;
    if (f->variadic == 0 && e->n_args != n)
        fail(p, at, "expected %d argument(s) in call to \"%s\", got %d", n, name, e->n_args);
    else if (f->variadic > 0 && e->n_args < n - f->variadic)
        fail(p, at, "expected at least %d argument(s) in call to \"%s\", got %d", n - f->variadic,
             name, e->n_args);
    else if (f->variadic > 0 && e->n_args > n)
        fail(p, at, "expected at most %d argument(s) in call to \"%s\", got %d", n, name,
             e->n_args);
    for (int i = 0; i < e->n_args && !p->error; i++) {
        enum prom_type type = f->args[i < n ? i : n - 1];
        if (e->args[i]->type != type)
            fail(p, e->args[i]->at, "expected type %s in call to function \"%s\", got %s",
                 type_name(type), name, type_name(e->args[i]->type));
    }
    if (!prom_is_simulated(f))
        not_simulated(p, arena_printf(p->arena, "the function %s()", name));
    return e;
}

static bool grouping(struct parser *p, struct prom_expr *e)
{
    if (p->error || (!is(p, "by") && !is(p, "without")))
        return false;
    e->without = is(p, "without");
    e->grouped = true;
    next(p);
    e->n_labels = label_list(p, e->labels);
    return true;
}

static struct prom_expr *aggregation(struct parser *p, const char *name, int at)
{
    static const char *const parametric[] = {"topk", "bottomk", "quantile", "count_values", NULL};
    struct prom_expr *e = make(p, PROM_AGGREGATE, PROM_T_VECTOR, at);
    int i = 0, wanted = 1;
    e->text = name;
    bool before = grouping(p, e);
    if (!p->error && !is(p, "("))
        unexpected(p, NULL, NULL);
    arguments(p, e);
    if (!before)
        grouping(p, e);
    while (parametric[i] && strcasecmp(parametric[i], name) != 0)
        i++;
    wanted += parametric[i] != NULL;
    if (!p->error && e->n_args == 0)
        fail(p, at, "no arguments for aggregate expression provided");
    if (!p->error && e->n_args != wanted)
        fail(p, at,
             "wrong number of arguments for aggregate expression provided, expected %d, got %d",
             wanted, e->n_args);
    if (!p->error && e->args[e->n_args - 1]->type != PROM_T_VECTOR)
        fail(p, e->args[e->n_args - 1]->at,
             "expected type instant vector in aggregation expression, got %s",
             type_name(e->args[e->n_args - 1]->type));
    enum prom_type type = strcasecmp(name, "count_values") == 0 ? PROM_T_STRING : PROM_T_SCALAR;
    if (!p->error && wanted == 2 && e->args[0]->type != type)
        fail(p, e->args[0]->at, "expected type %s in aggregation parameter, got %s",
             type_name(type), type_name(e->args[0]->type));
    return e;
}

static bool is_aggregation(const char *name)
{
    static const char *const names[] = {"sum",      "avg",          "min",    "max",  "count",
                                        "group",    "stddev",       "stdvar", "topk", "bottomk",
                                        "quantile", "count_values", NULL};
    int i = 0;
    while (names[i] && strcasecmp(names[i], name) != 0)
        i++;
    return names[i] != NULL;
}

static struct prom_expr *primary(struct parser *p)
{
    int at = p->now.at;
    struct prom_expr *e = NULL;
    const char *text = p->now.text;
    switch (p->now.kind) {
    case NUMBER:
        e = make(p, PROM_NUMBER, PROM_T_SCALAR, at);
        e->number = text[0] == '0' && (text[1] == 'x' || text[1] == 'X')
                        ? (double)strtoull(text, NULL, 16)
                        : strtod(text, NULL);
        next(p);
        return suffixes(p, e);
    case STRING:
        e = make(p, PROM_TEXT, PROM_T_STRING, at);
        e->text = text;
        next(p);
        return e;
    case IDENTIFIER:
        if (is(p, "group_left") || is(p, "group_right") || is(p, "on") || is(p, "ignoring") ||
            is(p, "bool")) {
            unexpected(p, NULL, NULL);
            return make(p, PROM_NUMBER, PROM_T_SCALAR, at);
        }
        next(p);
        if (strcasecmp(text, "inf") == 0 || strcasecmp(text, "nan") == 0) {
            e = make(p, PROM_NUMBER, PROM_T_SCALAR, at);
            e->number = tolower((unsigned char)text[0]) == 'i' ? INFINITY : NAN;
        } else if (is_aggregation(text)) {
            e = aggregation(p, text, at);
        } else if (!p->error && is(p, "(") && strcasecmp(text, "by") != 0) {
            e = call(p, text, at);
        } else {
            e = selector(p, text, at);
        }
        return suffixes(p, e);
    default:
        break;
    }
    if (is(p, "(")) {
        e = make(p, PROM_PAREN, PROM_T_SCALAR, at);
        next(p);
        e->args[e->n_args++] = expression(p, 0);
        e->type = e->args[0] ? e->args[0]->type : PROM_T_SCALAR;
        want(p, ")", NULL);
        return suffixes(p, e);
    }
    if (is(p, "{"))
        return suffixes(p, selector(p, "", at));
    if (!p->error)
        unexpected(p, NULL, NULL);
    return make(p, PROM_NUMBER, PROM_T_SCALAR, at);
}

/* How tightly the operator binds; 0: it is none. */
static int precedence(const struct parser *p)
{
    static const char *const levels[][8] = {
        {"or"},     {"and", "unless"},        {"==", "!=", ">=", "<=", ">", "<"},
        {"+", "-"}, {"*", "/", "%", "atan2"}, {"^"}};
    if (p->error || (p->now.kind != OPERATOR && p->now.kind != IDENTIFIER))
        return 0;
    for (int level = 0; level < 6; level++) {
        for (int i = 0; i < 8 && levels[level][i]; i++) {
            if (is(p, levels[level][i]))
                return level + 1;
        }
    }
    return 0;
}

static void matching(struct parser *p, struct prom_expr *e)
{
    e->returns_bool = take(p, "bool");
    if (is(p, "on") || is(p, "ignoring")) {
        e->on = is(p, "on");
        e->ignoring = !e->on;
        next(p);
        e->n_labels = label_list(p, e->labels);
        if (!p->error && (is(p, "group_left") || is(p, "group_right"))) {
            e->many = is(p, "group_left") ? 1 : 2;
            next(p);
            if (!p->error && is(p, "("))
                e->n_include = label_list(p, e->include);
        }
    }
}

static void check_binary(struct parser *p, const struct prom_expr *e, int op_at)
{
    const struct prom_expr *a = e->args[0], *b = e->args[1];
    bool set = strcmp(e->text, "and") == 0 || strcmp(e->text, "or") == 0 ||
               strcmp(e->text, "unless") == 0,
         comparison = strchr("=!<>", e->text[0]) != NULL;
    bool scalars = a->type == PROM_T_SCALAR && b->type == PROM_T_SCALAR;
    if (e->returns_bool && !comparison)
        fail(p, op_at, "bool modifier can only be used on comparison operators");
    else if (comparison && scalars && !e->returns_bool)
        fail(p, op_at, "comparisons between scalars must use BOOL modifier");
    else if (a->type > PROM_T_VECTOR)
        fail(p, a->at, "binary expression must contain only scalar and instant vector types");
    else if (b->type > PROM_T_VECTOR)
        fail(p, b->at, "binary expression must contain only scalar and instant vector types");
    else if (set && (a->type == PROM_T_SCALAR || b->type == PROM_T_SCALAR))
        fail(p, e->at, "set operator \"%s\" not allowed in binary scalar expression", e->text);
    else if (set && e->many)
        fail(p, e->at, "no grouping allowed for \"%s\" operation", e->text);
    else if ((e->on || e->ignoring) && (a->type != PROM_T_VECTOR || b->type != PROM_T_VECTOR) &&
             e->n_labels)
        fail(p, e->at, "vector matching only allowed between instant vectors");
}

static struct prom_expr *unary(struct parser *p)
{
    int at = p->now.at;
    if (p->error || (!is(p, "-") && !is(p, "+")))
        return primary(p);
    bool negative = is(p, "-");
    next(p);
    struct prom_expr *inner = expression(p, 6); /* binds as tightly as a product: -2^2 is -4 */
    if (!p->error && inner->type > PROM_T_VECTOR)
        fail(p, at,
             "unary expression only allowed on expressions of type scalar or instant vector, got "
             "\"%s\"",
             type_name(inner->type));
    if (!negative)
        return inner;
    struct prom_expr *e = make(p, PROM_NEGATE, inner->type, at);
    e->args[e->n_args++] = inner;
    return e;
}

/* Operators that bind at least so tightly. */
static struct prom_expr *expression(struct parser *p, int level)
{
    if (++p->depth > 100)
        not_simulated(p, "an expression this deep");
    struct prom_expr *left = p->error ? make(p, PROM_NUMBER, PROM_T_SCALAR, 0) : unary(p);
    for (int bound; !p->error && (bound = precedence(p)) > 0 && bound >= level;) {
        int op_at = p->now.at;
        struct prom_expr *e = make(p, PROM_BINARY, PROM_T_VECTOR, left->at);
        char *op = arena_strdup(p->arena, p->now.text);
        for (char *c = op; *c; c++)
            *c = (char)tolower((unsigned char)*c);
        e->text = op;
        next(p);
        matching(p, e);
        e->args[0] = left;
        e->args[1] = expression(p, bound == 6 ? bound : bound + 1);
        e->n_args = 2;
        if (p->error)
            break;
        e->type = left->type == PROM_T_SCALAR && e->args[1]->type == PROM_T_SCALAR ? PROM_T_SCALAR
                                                                                   : PROM_T_VECTOR;
        check_binary(p, e, op_at);
        if (strcmp(op, "atan2") == 0)
            not_simulated(p, "atan2");
        left = e;
    }
    p->depth--;
    return left;
}

struct prom_expr *prom_parse(struct arena *arena, const char *query, const char **ret_error,
                             bool *ret_unknown)
{
    struct parser p = {.arena = arena, .query = query};
    next(&p);
    if (!p.error && p.now.kind == END)
        fail(&p, 0, "no expression found in input");
    struct prom_expr *e = p.error ? NULL : expression(&p, 0);
    if (!p.error && p.now.kind != END)
        unexpected(&p, NULL, NULL);
    *ret_error = p.error;
    *ret_unknown = p.unknown;
    return p.error ? NULL : e;
}
