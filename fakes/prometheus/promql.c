/* Queries evaluated: selectors, operators between vectors, and results as the API prints them
 * (promql/engine.go). */
#include "fakes/prometheus/promql.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fakes/prometheus/promql_tree.h"
#include "sim/base/doc.h"

#define LOOKBACK_NS (5 * MINUTE)
enum { STEPS_MAX = 11000 };

void prom_fail(struct prom_eval *e, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    if (!e->error)
        e->error = arena_vprintf(e->arena, format, args);
    va_end(args);
}

/* ---- labels ---- */

const char *prom_label(const char *const *labels, const char *key)
{
    for (int i = 0; labels[i]; i += 2) {
        if (strcmp(labels[i], key) == 0)
            return labels[i + 1];
    }
    return "";
}

static int count(const char *const *labels)
{
    int n = 0;
    while (labels[n])
        n++;
    return n;
}

static const char **chosen(struct arena *arena, const char *const *labels, const char *const *names,
                           int n, bool keep)
{
    const char **out = ARENA_ARRAY(arena, const char *, count(labels) + 1);
    int k = 0;
    for (int i = 0; labels[i]; i += 2) {
        bool named = false;
        for (int b = 0; b < n; b++)
            named |= strcmp(names[b], labels[i]) == 0;
        if (named == keep) {
            out[k++] = labels[i];
            out[k++] = labels[i + 1];
        }
    }
    out[k] = NULL;
    return out;
}

const char **prom_without(struct arena *arena, const char *const *labels, const char *const *names,
                          int n)
{
    return chosen(arena, labels, names, n, false);
}

const char **prom_only(struct arena *arena, const char *const *labels, const char *const *names,
                       int n)
{
    return chosen(arena, labels, names, n, true);
}

const char **prom_without_name(struct arena *arena, const char *const *labels)
{
    static const char *const name[] = {"__name__"};
    return prom_without(arena, labels, name, 1);
}

const char **prom_set_label(struct arena *arena, const char *const *labels, const char *key,
                            const char *value)
{
    const char **out = ARENA_ARRAY(arena, const char *, count(labels) + 3);
    int k = 0;
    bool done = !*value;
    for (int i = 0; labels[i]; i += 2) {
        int order = strcmp(labels[i], key);
        if (!done && order > 0) {
            out[k++] = key;
            out[k++] = value;
            done = true;
        }
        if (order == 0)
            continue;
        out[k++] = labels[i];
        out[k++] = labels[i + 1];
    }
    if (!done) {
        out[k++] = key;
        out[k++] = value;
    }
    out[k] = NULL;
    return out;
}

bool prom_same_labels(const char *const *a, const char *const *b)
{
    int i = 0;
    for (; a[i] && b[i]; i++) {
        if (strcmp(a[i], b[i]) != 0)
            return false;
    }
    return !a[i] && !b[i];
}

static int compare_labels(const char *const *a, const char *const *b)
{
    int i = 0;
    for (; a[i] && b[i]; i++) {
        int order = strcmp(a[i], b[i]);
        if (order)
            return order;
    }
    return (a[i] != NULL) - (b[i] != NULL);
}

/* ---- selectors ---- */

static bool matches(const char *value, const struct prom_matcher *m)
{
    bool positive = m->op[0] == '=', found = strcmp(value, m->value) == 0;
    if (m->op[1] == '~') {
        regex_t regex;
        struct arena arena = {0};
        bool ok = regcomp(&regex, arena_printf(&arena, "^(%s)$", m->value),
                          REG_EXTENDED | REG_NOSUB) == 0;
        found = ok && regexec(&regex, value, 0, NULL, 0) == 0;
        if (ok)
            regfree(&regex);
        arena_release(&arena);
    }
    return found == positive;
}

static bool selected(const struct prom_expr *x, const struct prom_series *series)
{
    if (*x->text && strcmp(x->text, series->name) != 0)
        return false;
    for (int i = 0; i < x->n_matchers; i++) {
        const char *value = strcmp(x->matchers[i].key, "__name__") == 0
                                ? series->name
                                : prom_label(series->labels, x->matchers[i].key);
        if (!matches(value, &x->matchers[i]))
            return false;
    }
    return true;
}

/* The index of the last sample at or before that instant; -1: none. */
static int latest(const struct prom_series *series, int64_t at_ns)
{
    int lo = 0, hi = series->n;
    while (lo < hi) {
        int middle = lo + (hi - lo) / 2;
        if (series->at_ns[middle] <= at_ns)
            lo = middle + 1;
        else
            hi = middle;
    }
    return lo - 1;
}

static const char **whole_labels(struct arena *arena, const struct prom_series *series)
{
    const char **labels = ARENA_ARRAY(arena, const char *, 1);
    labels[0] = NULL;
    for (int i = 0; series->labels[i]; i += 2)
        labels = prom_set_label(arena, (const char *const *)labels, series->labels[i],
                                series->labels[i + 1]);
    return prom_set_label(arena, (const char *const *)labels, "__name__", series->name);
}

static int64_t instant_of(const struct prom_eval *e, const struct prom_expr *x)
{
    int64_t now_ns = x->at_edge == 1   ? e->from_ns
                     : x->at_edge == 2 ? e->to_ns
                     : x->has_at       ? x->at_unix_ns - e->start_unix_ns
                                       : e->now_ns;
    return now_ns - x->offset_ns;
}

static int by_labels(const void *a, const void *b)
{
    return compare_labels((const char *const *)((const struct prom_sample *)a)->labels,
                          (const char *const *)((const struct prom_sample *)b)->labels);
}

static int rows_by_labels(const void *a, const void *b)
{
    return compare_labels((const char *const *)((const struct prom_row *)a)->labels,
                          (const char *const *)((const struct prom_row *)b)->labels);
}

static struct prom_value select_series(struct prom_eval *e, const struct prom_expr *x)
{
    int64_t at_ns = instant_of(e, x);
    struct prom_value v = {.type = x->range_ns ? PROM_T_MATRIX : PROM_T_VECTOR};
    v.samples = ARENA_ARRAY(e->arena, struct prom_sample, e->n_series + 1);
    v.rows = ARENA_ARRAY(e->arena, struct prom_row, x->range_ns ? e->n_series + 1 : 1);
    for (int i = 0; i < e->n_series; i++) {
        const struct prom_series *series = &e->series[i];
        int last = latest(series, at_ns);
        if (last < 0 || !selected(x, series))
            continue;
        if (!x->range_ns) {
            if (series->at_ns[last] > at_ns - LOOKBACK_NS && !isnan(series->value[last]))
                v.samples[v.n++] =
                    (struct prom_sample){whole_labels(e->arena, series), series->value[last]};
            continue;
        }
        int first = last;
        while (first > 0 &&
               series->at_ns[first - 1] >=
                   at_ns - x->range_ns) /* closed at its beginning, until Prometheus 3 */
            first--;
        struct prom_row row = {.at_ns = ARENA_ARRAY(e->arena, int64_t, last - first + 1),
                               .value = ARENA_ARRAY(e->arena, double, last - first + 1)};
        for (int k = first; k <= last; k++) {
            if (series->at_ns[k] < at_ns - x->range_ns || isnan(series->value[k]))
                continue;
            row.at_ns[row.n] = series->at_ns[k];
            row.value[row.n++] = series->value[k];
        }
        if (row.n == 0)
            continue;
        row.labels = whole_labels(e->arena, series);
        v.rows[v.n++] = row;
    }
    if (v.n > 1 && x->range_ns)
        qsort(v.rows, (size_t)v.n, sizeof *v.rows, rows_by_labels);
    else if (v.n > 1)
        qsort(v.samples, (size_t)v.n, sizeof *v.samples, by_labels);
    return v;
}

/* ---- an expression at many instants ---- */

struct collector {
    struct prom_row *rows;
    int n, cap;
};

static void collect(struct prom_eval *e, struct collector *c, const char **labels, double value,
                    int most)
{
    int i = 0;
    while (i < c->n &&
           !prom_same_labels((const char *const *)c->rows[i].labels, (const char *const *)labels))
        i++;
    if (i == c->cap) {
        struct prom_row *grown = ARENA_ARRAY(e->arena, struct prom_row, c->cap ? c->cap * 2 : 8);
        if (c->n)
            memcpy(grown, c->rows, sizeof *grown * (size_t)c->n);
        c->rows = grown;
        c->cap = c->cap ? c->cap * 2 : 8;
    }
    if (i == c->n)
        c->rows[c->n++] = (struct prom_row){labels, ARENA_ARRAY(e->arena, int64_t, most),
                                            ARENA_ARRAY(e->arena, double, most), 0};
    c->rows[i].at_ns[c->rows[i].n] = e->now_ns;
    c->rows[i].value[c->rows[i].n++] = value;
}

static struct prom_value at_steps(struct prom_eval *e, const struct prom_expr *x, int64_t from_ns,
                                  int64_t to_ns, int64_t step_ns)
{
    static const char *none[] = {NULL};
    struct collector c = {0};
    int64_t now_ns = e->now_ns, steps = to_ns >= from_ns ? (to_ns - from_ns) / step_ns + 1 : 0;
    if (steps > STEPS_MAX)
        prom_fail(e, "exceeded maximum resolution of 11,000 points per timeseries. Try decreasing "
                     "the query resolution (?step=XX)");
    e->steps += steps;
    if (e->steps > STEPS_MAX * 4)
        prom_fail(e, "query processing would load too many samples into memory in query execution");
    for (int64_t i = 0; i < steps && !e->error; i++) {
        e->now_ns = from_ns + i * step_ns;
        struct prom_value v = prom_evaluate(e, x);
        if (v.type == PROM_T_SCALAR)
            collect(e, &c, none, v.number, (int)steps);
        for (int k = 0; k < v.n && v.type == PROM_T_VECTOR; k++)
            collect(e, &c, v.samples[k].labels, v.samples[k].value, (int)steps);
    }
    e->now_ns = now_ns;
    if (c.n > 1)
        qsort(c.rows, (size_t)c.n, sizeof *c.rows, rows_by_labels);
    return (struct prom_value){.type = PROM_T_MATRIX, .rows = c.rows, .n = c.n};
}

static struct prom_value subquery(struct prom_eval *e, const struct prom_expr *x)
{
    int64_t at_ns = instant_of(e, x), from_ns = at_ns - x->range_ns, step_ns = x->step_ns;
    int64_t unix_from = from_ns + e->start_unix_ns,
            first = unix_from / step_ns * step_ns; /* steps lie on multiples of the step */
    if (first < unix_from)
        first += step_ns;
    return at_steps(e, x->args[0], first - e->start_unix_ns, at_ns, step_ns);
}

/* ---- operators ---- */

static double power(struct prom_eval *e, double base, double exponent)
{
    double result = 1;
    int64_t n = exponent >= -1024 && exponent <= 1024 ? (int64_t)exponent : 0;
    if ((double)n < exponent || (double)n > exponent || isnan(exponent)) {
        prom_fail(e, "not simulated: a power that is no small whole number");
        e->not_simulated = true;
        return NAN;
    }
    for (int64_t i = n < 0 ? -n : n; i > 0; i--)
        result *= base;
    return n < 0 ? 1 / result : result;
}

static double apply(struct prom_eval *e, const char *op, double a, double b)
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
    case '^':
        return power(e, a, b);
    case '>':
        return op[1] ? a >= b : a > b;
    case '<':
        return op[1] ? a <= b : a < b;
    case '=':
        return a <= b && a >= b;
    default:
        return !(a <= b && a >= b);
    }
}

static bool is_comparison(const char *op)
{
    return strchr("=!<>", *op) != NULL;
}

static struct prom_value with_scalar(struct prom_eval *e, const struct prom_expr *x,
                                     const struct prom_value *a, const struct prom_value *b)
{
    const struct prom_value *v = a->type == PROM_T_VECTOR ? a : b;
    struct prom_value out = {.type = PROM_T_VECTOR,
                             .samples = ARENA_ARRAY(e->arena, struct prom_sample, v->n + 1)};
    bool filter = is_comparison(x->text) && !x->returns_bool;
    for (int i = 0; i < v->n; i++) {
        const struct prom_sample *s = &v->samples[i];
        double result =
            apply(e, x->text, a == v ? s->value : a->number, a == v ? b->number : s->value);
        if (filter && result > 0)
            out.samples[out.n++] = *s;
        else if (!filter)
            out.samples[out.n++] = (struct prom_sample){
                prom_without_name(e->arena, (const char *const *)s->labels), result};
    }
    return out;
}

/* The labels by which samples of both sides find each other. */
static const char **signature(struct prom_eval *e, const struct prom_expr *x,
                              const struct prom_sample *s)
{
    if (x->on)
        return prom_only(e->arena, (const char *const *)s->labels, x->labels, x->n_labels);
    const char **bare = prom_without_name(e->arena, (const char *const *)s->labels);
    return prom_without(e->arena, (const char *const *)bare, x->labels, x->n_labels);
}

static const char *labels_text(struct arena *arena, const char *const *labels)
{
    struct buf out;
    buf_init(&out, 1 << 16);
    buf_putc(&out, '{');
    for (int i = 0; labels[i]; i += 2)
        buf_printf(&out, "%s%s=\"%s\"", i ? ", " : "", labels[i], labels[i + 1]);
    buf_putc(&out, '}');
    const char *text = arena_str(arena, buf_text(&out));
    buf_release(&out);
    return text;
}

static struct prom_value set_operation(struct prom_eval *e, const struct prom_expr *x,
                                       const struct prom_value *a, const struct prom_value *b)
{
    struct prom_value out = {.type = PROM_T_VECTOR,
                             .samples = ARENA_ARRAY(e->arena, struct prom_sample, a->n + b->n + 1)};
    bool is_or = strcmp(x->text, "or") == 0;
    for (int i = 0; i < a->n; i++) {
        bool found = false;
        for (int k = 0; k < b->n && !is_or && !found; k++)
            found = prom_same_labels((const char *const *)signature(e, x, &a->samples[i]),
                                     (const char *const *)signature(e, x, &b->samples[k]));
        if (is_or || found == (*x->text == 'a'))
            out.samples[out.n++] = a->samples[i];
    }
    for (int k = 0; k < b->n && is_or; k++) {
        bool found = false;
        for (int i = 0; i < a->n && !found; i++)
            found = prom_same_labels((const char *const *)signature(e, x, &a->samples[i]),
                                     (const char *const *)signature(e, x, &b->samples[k]));
        if (!found)
            out.samples[out.n++] = b->samples[k];
    }
    return out;
}

static const char **joined_labels(struct prom_eval *e, const struct prom_expr *x,
                                  const struct prom_sample *many, const struct prom_sample *one)
{
    bool drop = !is_comparison(x->text) || x->returns_bool;
    const char **labels =
        drop ? prom_without_name(e->arena, (const char *const *)many->labels) : many->labels;
    if (!x->many)
        return x->on ? prom_only(e->arena, (const char *const *)labels, x->labels, x->n_labels)
                     : prom_without(e->arena, (const char *const *)labels, x->labels, x->n_labels);
    for (int i = 0; i < x->n_include; i++)
        labels = prom_set_label(e->arena, (const char *const *)labels, x->include[i],
                                prom_label((const char *const *)one->labels, x->include[i]));
    return labels;
}

static struct prom_value between_vectors(struct prom_eval *e, const struct prom_expr *x,
                                         const struct prom_value *a, const struct prom_value *b)
{
    const struct prom_value *many = x->many == 2 ? b : a, *one = x->many == 2 ? a : b;
    struct prom_value out = {.type = PROM_T_VECTOR,
                             .samples = ARENA_ARRAY(e->arena, struct prom_sample, many->n + 1)};
    const char ***one_signature = ARENA_ARRAY(e->arena, const char **, one->n + 1);
    bool *used = ARENA_ARRAY(e->arena, bool, one->n + 1);
    for (int k = 0; k < one->n; k++) {
        one_signature[k] = signature(e, x, &one->samples[k]);
        used[k] = false;
        for (int i = 0; i < k && !e->error; i++) {
            if (prom_same_labels((const char *const *)one_signature[i],
                                 (const char *const *)one_signature[k]))
                prom_fail(e,
                          "found duplicate series for the match group %s on the %s hand-side of "
                          "the operation: [%s, %s];many-to-many matching not "
                          "allowed: matching labels must be unique on one side",
                          labels_text(e->arena, (const char *const *)one_signature[k]),
                          x->many == 2 ? "left" : "right",
                          labels_text(e->arena, (const char *const *)one->samples[k].labels),
                          labels_text(e->arena, (const char *const *)one->samples[i].labels));
        }
    }
    for (int i = 0; i < many->n && !e->error; i++) {
        const char **wanted = signature(e, x, &many->samples[i]);
        int k = 0;
        while (k < one->n && !prom_same_labels((const char *const *)one_signature[k],
                                               (const char *const *)wanted))
            k++;
        if (k == one->n)
            continue;
        double left = x->many == 2 ? one->samples[k].value : many->samples[i].value;
        double right = x->many == 2 ? many->samples[i].value : one->samples[k].value,
               result = apply(e, x->text, left, right);
        if (is_comparison(x->text) && !x->returns_bool) {
            if (result <= 0)
                continue;
            result = left;
        }
        if (!x->many && used[k]) {
            prom_fail(e, "multiple matches for labels: many-to-one matching must be explicit "
                         "(group_left/group_right)");
            break;
        }
        used[k] = true;
        out.samples[out.n++] =
            (struct prom_sample){joined_labels(e, x, &many->samples[i], &one->samples[k]), result};
        for (int d = 0; d + 1 < out.n && x->many; d++) {
            if (prom_same_labels((const char *const *)out.samples[d].labels,
                                 (const char *const *)out.samples[out.n - 1].labels))
                prom_fail(
                    e, "multiple matches for labels: grouping labels must ensure unique matches");
        }
    }
    return out;
}

static struct prom_value binary(struct prom_eval *e, const struct prom_expr *x)
{
    struct prom_value a = prom_evaluate(e, x->args[0]), b = prom_evaluate(e, x->args[1]);
    if (e->error)
        return (struct prom_value){.type = PROM_T_SCALAR};
    if (a.type == PROM_T_SCALAR && b.type == PROM_T_SCALAR)
        return (struct prom_value){.type = PROM_T_SCALAR,
                                   .number = apply(e, x->text, a.number, b.number)};
    if (a.type == PROM_T_SCALAR || b.type == PROM_T_SCALAR)
        return with_scalar(e, x, &a, &b);
    if (strchr("aou", x->text[0]))
        return set_operation(e, x, &a, &b);
    return between_vectors(e, x, &a, &b);
}

struct prom_value prom_evaluate(struct prom_eval *e, const struct prom_expr *x)
{
    struct prom_value args[PROM_ARGS_MAX];
    if (e->error)
        return (struct prom_value){.type = PROM_T_SCALAR};
    switch (x->kind) {
    case PROM_NUMBER:
        return (struct prom_value){.type = PROM_T_SCALAR, .number = x->number};
    case PROM_TEXT:
        return (struct prom_value){.type = PROM_T_STRING, .text = x->text};
    case PROM_SELECTOR:
        return select_series(e, x);
    case PROM_SUBQUERY:
        return subquery(e, x);
    case PROM_PAREN:
        return prom_evaluate(e, x->args[0]);
    case PROM_BINARY:
        return binary(e, x);
    case PROM_NEGATE:
        args[0] = prom_evaluate(e, x->args[0]);
        args[0].number = -args[0].number;
        for (int i = 0; i < args[0].n && args[0].type == PROM_T_VECTOR; i++) {
            args[0].samples[i].value = -args[0].samples[i].value;
            args[0].samples[i].labels =
                prom_without_name(e->arena, (const char *const *)args[0].samples[i].labels);
        }
        return args[0];
    case PROM_AGGREGATE:
        for (int i = 0; i < x->n_args; i++)
            args[i] = prom_evaluate(e, x->args[i]);
        return prom_aggregate(e, x, args[x->n_args - 1], x->n_args > 1 ? &args[0] : NULL);
    case PROM_CALL:
        break;
    }
    for (int i = 0; i < x->n_args; i++)
        args[i] = prom_evaluate(e, x->args[i]);
    return e->error ? (struct prom_value){.type = PROM_T_SCALAR} : prom_call(e, x, args);
}

/* ---- whole queries ---- */

static struct prom_result result_of(const struct prom_eval *e, const struct prom_value *v)
{
    struct prom_result r = {.type = v->type == PROM_T_SCALAR   ? PROM_SCALAR
                                    : v->type == PROM_T_VECTOR ? PROM_VECTOR
                                    : v->type == PROM_T_MATRIX ? PROM_MATRIX
                                                               : PROM_STRING,
                            .scalar = v->number,
                            .string = v->text,
                            .samples = v->samples,
                            .rows = v->rows,
                            .n = v->type == PROM_T_SCALAR || v->type == PROM_T_STRING ? 0 : v->n};
    if (e->error)
        r = (struct prom_result){.error = e->error,
                                 .error_kind =
                                     e->not_simulated ? PROM_NOT_SIMULATED : PROM_EXECUTION};
    return r;
}

static struct prom_expr *parsed(struct arena *arena, const char *query, struct prom_result *ret)
{
    const char *error = NULL;
    bool unknown = false;
    struct prom_expr *x = prom_parse(arena, query, &error, &unknown);
    *ret = (struct prom_result){.error = error,
                                .error_kind = unknown ? PROM_NOT_SIMULATED : PROM_BAD_DATA};
    return x;
}

struct prom_result prom_query(struct arena *arena, const char *query,
                              const struct prom_series *series, int n_series, int64_t now_ns,
                              int64_t start_unix_ns)
{
    struct prom_result r;
    struct prom_expr *x = parsed(arena, query, &r);
    struct prom_eval e = {.arena = arena,
                          .series = series,
                          .n_series = n_series,
                          .now_ns = now_ns,
                          .from_ns = now_ns,
                          .to_ns = now_ns,
                          .start_unix_ns = start_unix_ns};
    if (!x)
        return r;
    struct prom_value v = prom_evaluate(&e, x);
    return result_of(&e, &v);
}

struct prom_result prom_query_range(struct arena *arena, const char *query,
                                    const struct prom_series *series, int n_series, int64_t from_ns,
                                    int64_t to_ns, int64_t step_ns, int64_t start_unix_ns)
{
    struct prom_result r;
    struct prom_expr *x = parsed(arena, query, &r);
    struct prom_eval e = {.arena = arena,
                          .series = series,
                          .n_series = n_series,
                          .from_ns = from_ns,
                          .to_ns = to_ns,
                          .start_unix_ns = start_unix_ns};
    if (!x)
        return r;
    if (x->type > PROM_T_VECTOR)
        return (struct prom_result){
            .error = arena_printf(
                arena,
                "invalid expression type \"%s\" for range query, must be Scalar or instant Vector",
                x->type == PROM_T_MATRIX ? "range vector" : "string")};
    struct prom_value v = at_steps(&e, x, from_ns, to_ns, step_ns);
    r = result_of(&e, &v);
    if (r.error && strncmp(r.error, "exceeded maximum", 16) == 0)
        r.error_kind = PROM_BAD_DATA;
    return r;
}

/* ---- as the API prints it ---- */

void prom_print_string(struct buf *out, const char *text)
{
    buf_putc(out, '"');
    for (; *text; text++) {
        unsigned char c = (unsigned char)*text;
        if (c == '"' || c == '\\')
            buf_printf(out, "\\%c", c);
        else if (c == '\n')
            buf_puts(out, "\\n");
        else if (c < ' ' || c == '<' || c == '>' || c == '&') /* as Go's encoding/json */
            buf_printf(out, "\\u%04x", c);
        else
            buf_putc(out, (char)c);
    }
    buf_putc(out, '"');
}

/* The fewest digits that give the number back, and never an exponent (strconv.FormatFloat(x, 'f',
 * -1, 64)). */
void prom_print_number(struct buf *out, double x)
{
    char text[40];
    int digits = 0, exponent, n = 0;
    if (isnan(x) || isinf(x)) {
        buf_puts(out, isnan(x) ? "\"NaN\"" : x > 0 ? "\"+Inf\"" : "\"-Inf\"");
        return;
    }
    do
        snprintf(text, sizeof text, "%.*e", digits, x);
    while (digits++ < 16 && (strtod(text, NULL) < x || strtod(text, NULL) > x));
    char *e = strchr(text, 'e'), mantissa[24];
    exponent = (int)strtol(e + 1, NULL, 10);
    for (const char *p = text; p < e; p++) {
        if (*p >= '0' && *p <= '9')
            mantissa[n++] = *p;
    }
    while (n > 1 && mantissa[n - 1] == '0')
        n--;
    buf_puts(out, text[0] == '-' ? "\"-" : "\"");
    if (exponent < 0)
        buf_puts(out, "0.");
    for (int i = exponent; i < -1; i++)
        buf_putc(out, '0');
    for (int i = 0; i < n; i++) {
        buf_putc(out, mantissa[i]);
        if (i == exponent && i + 1 < n)
            buf_putc(out, '.');
    }
    for (int i = n; i <= exponent; i++)
        buf_putc(out, '0');
    buf_putc(out, '"');
}

void prom_print_time(struct buf *out, int64_t unix_ns)
{
    int64_t ms = unix_ns / MILLISECOND;
    buf_printf(out, "%lld", (long long)(ms / 1000));
    if (ms % 1000)
        buf_printf(out, ".%03lld", (long long)(ms % 1000));
}

void prom_print_labels(struct buf *out, const char *const *labels)
{
    buf_putc(out, '{');
    for (int i = 0; labels[i]; i += 2) {
        buf_puts(out, i ? "," : "");
        prom_print_string(out, labels[i]);
        buf_putc(out, ':');
        prom_print_string(out, labels[i + 1]);
    }
    buf_putc(out, '}');
}

static void print_point(struct buf *out, int64_t unix_ns, double value)
{
    buf_putc(out, '[');
    prom_print_time(out, unix_ns);
    buf_putc(out, ',');
    prom_print_number(out, value);
    buf_putc(out, ']');
}

void prom_print(struct buf *out, const struct prom_result *r, int64_t now_ns, int64_t start_unix_ns)
{
    static const char *const types[] = {"scalar", "vector", "matrix", "string"};
    buf_printf(out, "\"resultType\":\"%s\",\"result\":", types[r->type]);
    if (r->type == PROM_SCALAR) {
        print_point(out, now_ns + start_unix_ns, r->scalar);
        return;
    }
    buf_putc(out, '[');
    if (r->type == PROM_STRING) {
        prom_print_time(out, now_ns + start_unix_ns);
        buf_putc(out, ',');
        prom_print_string(out, r->string);
    }
    for (int i = 0; i < r->n; i++) {
        buf_printf(out, "%s{\"metric\":", i ? "," : "");
        prom_print_labels(out, (const char *const *)(r->type == PROM_VECTOR ? r->samples[i].labels
                                                                            : r->rows[i].labels));
        if (r->type == PROM_VECTOR) {
            buf_puts(out, ",\"value\":");
            print_point(out, now_ns + start_unix_ns, r->samples[i].value);
        } else {
            buf_puts(out, ",\"values\":[");
            for (int k = 0; k < r->rows[i].n; k++) {
                buf_puts(out, k ? "," : "");
                print_point(out, r->rows[i].at_ns[k] + start_unix_ns, r->rows[i].value[k]);
            }
            buf_putc(out, ']');
        }
        buf_putc(out, '}');
    }
    buf_putc(out, ']');
}
