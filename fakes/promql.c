#include "fakes/promql.h"

#include <ctype.h>
#include <math.h>
#include <regex.h>
#include <stdlib.h>
#include <string.h>

#include "sim/base/doc.h"

#define LOOKBACK_NS (5 * MINUTE)

enum { SAMPLES_MAX = 4096 };

/* A value on its way: a number, an instant vector, or the series of a range selector. */
struct value {
    enum { SCALAR, VECTOR, RANGE } kind;
    double number;
    struct prom_sample *samples;
    const struct prom_series **ranges;
    int n;
    int64_t range_ns, offset_ns;
};

struct parser {
    struct arena *arena;
    const char *text, *at;
    const struct prom_series *series;
    int n_series;
    int64_t now_ns;
    const char *error;
    bool not_simulated;
    int depth;
};

static struct value expression(struct parser *, int level);

static void fail(struct parser *p, const char *format, const char *what)
{
    if (!p->error)
        p->error = arena_printf(p->arena, "invalid parameter \"query\": %d:%d: parse error: %s%s", 1, (int)(p->at - p->text) + 1,
                                format, what);
}

static void unknown(struct parser *p, const char *what)
{
    if (p->error)
        return;
    p->error = arena_printf(p->arena, "not simulated: %s", what);
    p->not_simulated = true;
}

static void blanks(struct parser *p)
{
    while (isspace((unsigned char)*p->at))
        p->at++;
}

static bool take(struct parser *p, const char *token)
{
    blanks(p);
    size_t n = strlen(token);
    if (strncmp(p->at, token, n) != 0)
        return false;
    if (isalpha((unsigned char)*token) && (isalnum((unsigned char)p->at[n]) || p->at[n] == '_'))
        return false;
    p->at += n;
    return true;
}

static void want(struct parser *p, const char *token)
{
    if (!take(p, token))
        fail(p, *p->at ? "unexpected character, expected " : "unexpected end of input, expected ", token);
}

static const char *word(struct parser *p)
{
    blanks(p);
    const char *start = p->at;
    while (isalnum((unsigned char)*p->at) || *p->at == '_' || *p->at == ':')
        p->at++;
    return arena_printf(p->arena, "%.*s", (int)(p->at - start), start);
}

static const char *string(struct parser *p)
{
    blanks(p);
    char quote = *p->at;
    if (quote != '"' && quote != '\'') {
        fail(p, "expected a string", "");
        return "";
    }
    const char *start = ++p->at;
    while (*p->at && *p->at != quote)
        p->at++;
    const char *text = arena_printf(p->arena, "%.*s", (int)(p->at - start), start);
    if (*p->at)
        p->at++;
    else
        fail(p, "unterminated quoted string", "");
    return text;
}

static int64_t duration(struct parser *p)
{
    blanks(p);
    const char *start = p->at;
    while (isalnum((unsigned char)*p->at))
        p->at++;
    int64_t ns = 0;
    if (!parse_duration((struct str){start, (size_t)(p->at - start)}, &ns))
        fail(p, "bad duration syntax", "");
    return ns;
}

/* ---- selectors ---- */

static const char *label_of(const char *const *labels, const char *key)
{
    for (int i = 0; labels[i]; i += 2) {
        if (strcmp(labels[i], key) == 0)
            return labels[i + 1];
    }
    return "";
}

static bool matches(const char *value, const char *op, const char *pattern)
{
    if (strcmp(op, "=") == 0 || strcmp(op, "!=") == 0)
        return (strcmp(value, pattern) == 0) == (*op == '=');
    regex_t regex;
    char *anchored = NULL;
    struct arena arena = {0};
    anchored = arena_printf(&arena, "^(%s)$", pattern);
    bool ok = regcomp(&regex, anchored, REG_EXTENDED | REG_NOSUB) == 0;
    bool found = ok && regexec(&regex, value, 0, NULL, 0) == 0;
    if (ok)
        regfree(&regex);
    arena_release(&arena);
    return found == (op[0] == '=');
}

struct matcher {
    const char *key, *op, *value;
};

static int matchers(struct parser *p, struct matcher *list)
{
    int n = 0;
    if (!take(p, "{"))
        return 0;
    while (!p->error && !take(p, "}")) {
        if (n == 16) {
            unknown(p, "more than 16 matchers");
            break;
        }
        list[n].key = word(p);
        list[n].op = take(p, "=~") ? "=~" : take(p, "!~") ? "!~" : take(p, "!=") ? "!=" : take(p, "=") ? "=" : NULL;
        if (!list[n].op) {
            fail(p, "expected label matching operator", "");
            break;
        }
        list[n++].value = string(p);
        if (!take(p, ",")) {
            want(p, "}");
            break;
        }
    }
    return n;
}

static int latest(const struct prom_series *series, int64_t at_ns)
{
    int lo = 0, hi = series->n;
    while (lo < hi) {
        int middle = (lo + hi) / 2;
        if (series->at_ns[middle] <= at_ns)
            lo = middle + 1;
        else
            hi = middle;
    }
    return lo - 1;
}

static struct value selector(struct parser *p, const char *name)
{
    struct matcher list[16];
    int n = matchers(p, list);
    struct value v = {.kind = VECTOR};
    if (take(p, "[")) {
        v.kind = RANGE;
        v.range_ns = duration(p);
        if (take(p, ":"))
            unknown(p, "subqueries");
        want(p, "]");
    }
    if (take(p, "offset"))
        v.offset_ns = duration(p);
    if (take(p, "@"))
        unknown(p, "the @ modifier");
    v.samples = ARENA_ARRAY(p->arena, struct prom_sample, p->n_series + 1);
    v.ranges = ARENA_ARRAY(p->arena, const struct prom_series *, p->n_series + 1);
    for (int i = 0; i < p->n_series && !p->error; i++) {
        const struct prom_series *series = &p->series[i];
        bool ok = !*name || strcmp(series->name, name) == 0;
        for (int k = 0; k < n && ok; k++)
            ok = matches(strcmp(list[k].key, "__name__") == 0 ? series->name : label_of(series->labels, list[k].key), list[k].op,
                         list[k].value);
        if (!ok)
            continue;
        int64_t at_ns = p->now_ns - v.offset_ns;
        int last = latest(series, at_ns);
        if (v.kind == RANGE) {
            v.ranges[v.n++] = series;
        } else if (last >= 0 && series->at_ns[last] > at_ns - LOOKBACK_NS && !isnan(series->value[last])) {
            v.samples[v.n++] = (struct prom_sample){series->name, (const char **)(uintptr_t)series->labels, series->value[last]};
        }
    }
    return v;
}

/* ---- functions over a range ---- */

static double over_time(const char *name, const struct prom_series *s, int64_t from_ns, int64_t to_ns, int64_t range_ns)
{
    int last = latest(s, to_ns), first = latest(s, from_ns) + 1, n = last - first + 1;
    if (n <= 0)
        return NAN;
    double sum = 0, low = INFINITY, high = -INFINITY, increase = 0;
    for (int i = first; i <= last; i++) {
        double x = s->value[i];
        sum += x;
        low = x < low ? x : low;
        high = x > high ? x : high;
        if (i > first) /* a counter that went down was reset */
            increase += x >= s->value[i - 1] ? x - s->value[i - 1] : x;
    }
    if (strncmp(name, "avg_", 4) == 0)
        return sum / n;
    if (strncmp(name, "sum_", 4) == 0)
        return sum;
    if (strncmp(name, "min_", 4) == 0)
        return low;
    if (strncmp(name, "max_", 4) == 0)
        return high;
    if (strncmp(name, "count_", 6) == 0)
        return n;
    if (strncmp(name, "last_", 5) == 0)
        return s->value[last];
    if (n < 2)
        return NAN;
    double covered = (double)(s->at_ns[last] - s->at_ns[first]), wanted = (double)range_ns;
    if (strcmp(name, "irate") == 0)
        return (s->value[last] - s->value[last - 1]) / ((double)(s->at_ns[last] - s->at_ns[last - 1]) * 1e-9);
    if (strcmp(name, "delta") == 0)
        return (s->value[last] - s->value[first]) * wanted / covered;
    /* extrapolatedRate() of promql/functions.go: towards the ends of the range, by at most half an interval each. */
    double interval = covered / (n - 1), head = (double)(s->at_ns[first] - from_ns), tail = (double)(to_ns - s->at_ns[last]);
    double limit = interval * 1.1;
    double zero = increase > 0 ? covered * s->value[first] / increase : INFINITY;
    if (head > zero)
        head = zero;
    covered += head < limit ? head : interval / 2;
    covered += tail < limit ? tail : interval / 2;
    double extrapolated = increase * covered / (double)(s->at_ns[last] - s->at_ns[first]);
    return strcmp(name, "increase") == 0 ? extrapolated : extrapolated / (wanted * 1e-9);
}

static struct value range_function(struct parser *p, const char *name, struct value in)
{
    struct value out = {.kind = VECTOR, .samples = ARENA_ARRAY(p->arena, struct prom_sample, in.n + 1)};
    if (in.kind != RANGE) {
        fail(p, "expected type range vector in call to function ", name);
        return out;
    }
    int64_t to_ns = p->now_ns - in.offset_ns;
    for (int i = 0; i < in.n; i++) {
        double x = over_time(name, in.ranges[i], to_ns - in.range_ns, to_ns, in.range_ns);
        if (!isnan(x))
            out.samples[out.n++] = (struct prom_sample){NULL, (const char **)(uintptr_t)in.ranges[i]->labels, x};
    }
    return out;
}

/* ---- aggregation ---- */

static struct value aggregate(struct parser *p, const char *name, const char **by, int n_by, bool without, struct value in)
{
    struct value out = {.kind = VECTOR, .samples = ARENA_ARRAY(p->arena, struct prom_sample, in.n + 1)};
    int *counts = ARENA_ARRAY(p->arena, int, in.n + 1);
    if (in.kind != VECTOR)
        fail(p, "expected type instant vector in aggregation expression", "");
    for (int i = 0; i < in.n && in.kind == VECTOR; i++) {
        const char **labels = ARENA_ARRAY(p->arena, const char *, 66);
        int n = 0;
        for (int k = 0; in.samples[i].labels[k] && n < 64; k += 2) {
            bool named = false;
            for (int b = 0; b < n_by; b++)
                named |= strcmp(by[b], in.samples[i].labels[k]) == 0;
            if (named != without) {
                labels[n++] = in.samples[i].labels[k];
                labels[n++] = in.samples[i].labels[k + 1];
            }
        }
        int g = 0;
        for (; g < out.n; g++) {
            bool same = true;
            for (int k = 0; k < n && same; k += 2)
                same = strcmp(label_of((const char *const *)out.samples[g].labels, labels[k]), labels[k + 1]) == 0;
            if (same)
                break;
        }
        double x = in.samples[i].value;
        if (g == out.n) {
            out.samples[out.n++] = (struct prom_sample){NULL, labels, strcmp(name, "count") == 0 ? 1 : x};
            counts[g] = 1;
            continue;
        }
        counts[g]++;
        double *value = &out.samples[g].value;
        if (strcmp(name, "sum") == 0 || strcmp(name, "avg") == 0)
            *value += x;
        else if (strcmp(name, "count") == 0)
            *value += 1;
        else if ((strcmp(name, "min") == 0 && x < *value) || (strcmp(name, "max") == 0 && x > *value))
            *value = x;
    }
    for (int g = 0; g < out.n && strcmp(name, "avg") == 0; g++)
        out.samples[g].value /= counts[g];
    return out;
}

static struct value aggregation(struct parser *p, const char *name)
{
    const char *by[16];
    int n_by = 0;
    bool without = false, grouped = false;
    struct value in = {.kind = VECTOR};
    for (int round = 0; round < 2; round++) { /* the grouping stands before or behind the expression */
        if (!grouped && (take(p, "by") || (without = take(p, "without")))) {
            grouped = true;
            want(p, "(");
            while (!p->error && !take(p, ")")) {
                if (n_by < 16)
                    by[n_by++] = word(p);
                if (!take(p, ",")) {
                    want(p, ")");
                    break;
                }
            }
        }
        if (round == 0) {
            want(p, "(");
            in = expression(p, 0);
            want(p, ")");
        }
    }
    return aggregate(p, name, by, n_by, without, in);
}

/* ---- other functions ---- */

static struct value call(struct parser *p, const char *name)
{
    static const char *const ranges[] = {"rate", "irate", "increase", "delta", "avg_over_time", "sum_over_time",
                                         "min_over_time", "max_over_time", "count_over_time", "last_over_time", NULL};
    static const char *const plain[] = {"absent", "abs", "round", "clamp_min", "clamp_max", "scalar", "vector", "time",
                                        "floor", "ceil", NULL};
    struct value args[4] = {{0}};
    int n = 0;
    want(p, "(");
    while (!p->error && !take(p, ")")) {
        if (n < 4)
            args[n++] = expression(p, 0);
        if (!take(p, ",")) {
            want(p, ")");
            break;
        }
    }
    for (int i = 0; ranges[i]; i++) {
        if (strcmp(name, ranges[i]) == 0)
            return range_function(p, name, args[0]);
    }
    int which = 0;
    while (plain[which] && strcmp(plain[which], name) != 0)
        which++;
    if (!plain[which])
        unknown(p, arena_printf(p->arena, "the function %s()", name));
    struct value v = args[0];
    struct value one = {.kind = VECTOR, .samples = ARENA_ARRAY(p->arena, struct prom_sample, v.n + 2)};
    static const char *no_labels[] = {NULL};
    switch (which) {
    case 0:
        if (v.n == 0)
            one.samples[one.n++] = (struct prom_sample){NULL, no_labels, 1};
        return one;
    case 5:
        return (struct value){.kind = SCALAR, .number = v.n == 1 ? v.samples[0].value : NAN};
    case 6:
        one.samples[one.n++] = (struct prom_sample){NULL, no_labels, v.number};
        return one;
    case 7:
        return (struct value){.kind = SCALAR, .number = (double)p->now_ns * 1e-9};
    default:
        break;
    }
    for (int i = 0; i < v.n && v.kind == VECTOR; i++) {
        double x = v.samples[i].value, limit = args[1].number;
        x = which == 1 ? fabs(x) : which == 2 ? floor(x + 0.5) : which == 8 ? floor(x) : which == 9 ? ceil(x)
          : which == 3 ? (x < limit ? limit : x) : (x > limit ? limit : x);
        one.samples[one.n++] = (struct prom_sample){NULL, v.samples[i].labels, x};
    }
    return one;
}

/* ---- operators ---- */

static double apply(const char *op, double a, double b)
{
    switch (*op) {
    case '+':
        return a + b;
    case '-':
        return a - b;
    case '*':
        return a * b;
    case '/':
        return a / b;
    case '%':
        return fmod(a, b);
    case '>':
        return op[1] ? a >= b : a > b;
    case '<':
        return op[1] ? a <= b : a < b;
    case '=':
        return !(a < b) && !(a > b);
    default:
        return a < b || a > b;
    }
}

static bool same_labels(const struct prom_sample *a, const struct prom_sample *b)
{
    for (int i = 0; a->labels[i]; i += 2) {
        if (strcmp(label_of((const char *const *)b->labels, a->labels[i]), a->labels[i + 1]) != 0)
            return false;
    }
    for (int i = 0; b->labels[i]; i += 2) {
        if (strcmp(label_of((const char *const *)a->labels, b->labels[i]), b->labels[i + 1]) != 0)
            return false;
    }
    return true;
}

static struct value combine(struct parser *p, const char *op, bool keep_bool, struct value a, struct value b)
{
    bool comparison = strchr("><=!", *op) != NULL;
    if (a.kind == RANGE || b.kind == RANGE) {
        fail(p, "binary expression must contain only scalar and instant vector types", "");
        return a;
    }
    if (a.kind == SCALAR && b.kind == SCALAR) {
        if (comparison && !keep_bool)
            fail(p, "comparisons between scalars must use BOOL modifier", "");
        return (struct value){.kind = SCALAR, .number = apply(op, a.number, b.number)};
    }
    int n = a.n > b.n ? a.n : b.n;
    struct value out = {.kind = VECTOR, .samples = ARENA_ARRAY(p->arena, struct prom_sample, n + 1)};
    const struct value *over = a.kind == VECTOR ? &a : &b;
    for (int i = 0; i < over->n; i++) {
        const struct prom_sample *sample = &over->samples[i];
        double x = a.kind == SCALAR ? a.number : sample->value, y = b.kind == SCALAR ? b.number : sample->value;
        if (a.kind == VECTOR && b.kind == VECTOR) {
            int k = 0;
            while (k < b.n && !same_labels(sample, &b.samples[k]))
                k++;
            if (k == b.n)
                continue;
            y = b.samples[k].value;
        }
        double result = apply(op, x, y);
        if (comparison && !keep_bool) {
            if (result > 0)
                out.samples[out.n++] = *sample;
        } else {
            out.samples[out.n++] = (struct prom_sample){NULL, sample->labels, result};
        }
    }
    return out;
}

static struct value primary(struct parser *p)
{
    static const char *const aggregates[] = {"sum", "avg", "min", "max", "count", NULL};
    blanks(p);
    if (take(p, "(")) {
        struct value v = expression(p, 0);
        want(p, ")");
        return v;
    }
    if (*p->at == '-') {
        p->at++;
        return combine(p, "*", false, (struct value){.kind = SCALAR, .number = -1}, primary(p));
    }
    if (isdigit((unsigned char)*p->at) || *p->at == '.') {
        char *end;
        double number = strtod(p->at, &end);
        p->at = end;
        return (struct value){.kind = SCALAR, .number = number};
    }
    if (*p->at == '{')
        return selector(p, "");
    if (!isalpha((unsigned char)*p->at) && *p->at != '_') {
        fail(p, *p->at ? "unexpected character" : "unexpected end of input", "");
        return (struct value){.kind = SCALAR};
    }
    const char *name = word(p);
    for (int i = 0; aggregates[i]; i++) {
        if (strcmp(name, aggregates[i]) == 0)
            return aggregation(p, name);
    }
    blanks(p);
    return *p->at == '(' ? call(p, name) : selector(p, name);
}

static struct value expression(struct parser *p, int level)
{
    static const char *const operators[3][8] = {{">=", "<=", "==", "!=", ">", "<", NULL}, {"+", "-", NULL}, {"*", "/", "%", NULL}};
    if (level == 3 || ++p->depth > 64) {
        if (p->depth > 64)
            unknown(p, "an expression this deep");
        return level == 3 ? primary(p) : (struct value){.kind = SCALAR};
    }
    struct value left = expression(p, level + 1);
    for (bool any = true; any && !p->error;) {
        any = false;
        for (int i = 0; operators[level][i] && !any; i++) {
            if (!take(p, operators[level][i]))
                continue;
            any = true;
            bool keep_bool = level == 0 && take(p, "bool");
            if (take(p, "on") || take(p, "ignoring"))
                unknown(p, "vector matching by on() and ignoring()");
            left = combine(p, operators[level][i], keep_bool, left, expression(p, level + 1));
        }
    }
    if (level == 0 && (take(p, "and") || take(p, "or") || take(p, "unless")))
        unknown(p, "set operators");
    p->depth--;
    return left;
}

struct prom_result prom_query(struct arena *arena, const char *query, const struct prom_series *series, int n_series,
                              int64_t now_ns)
{
    struct parser p = {.arena = arena, .text = query, .at = query, .series = series, .n_series = n_series, .now_ns = now_ns};
    struct prom_result result = {0};
    struct value v = expression(&p, 0);
    blanks(&p);
    if (*p.at && !p.error)
        fail(&p, "unexpected ", arena_printf(arena, "\"%.20s\"", p.at));
    if (v.kind == RANGE && !p.error)
        p.error = "invalid expression type \"range vector\" for range query, must be Scalar or instant Vector";
    result.error = p.error;
    result.not_simulated = p.not_simulated;
    result.is_scalar = v.kind == SCALAR;
    result.scalar = v.number;
    result.samples = v.samples;
    result.n = v.kind == VECTOR ? v.n : 0;
    return result;
}
