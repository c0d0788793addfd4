/* Aggregations and functions (promql/functions.go, quantile.go), in the same order of operations,
 * so that the last digit is the same. */
#include <ctype.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "fakes/prometheus/promql_tree.h"
#include "sim/base/doc.h"

#define S  PROM_T_SCALAR
#define V  PROM_T_VECTOR
#define M  PROM_T_MATRIX
#define T  PROM_T_STRING
#define NO PROM_T_NONE

static const struct prom_function functions[] = {
    {"abs", {V, NO}, V, 0},
    {"absent", {V, NO}, V, 0},
    {"absent_over_time", {M, NO}, V, 0},
    {"avg_over_time", {M, NO}, V, 0},
    {"ceil", {V, NO}, V, 0},
    {"changes", {M, NO}, V, 0},
    {"clamp", {V, S, S, NO}, V, 0},
    {"clamp_max", {V, S, NO}, V, 0},
    {"clamp_min", {V, S, NO}, V, 0},
    {"count_over_time", {M, NO}, V, 0},
    {"delta", {M, NO}, V, 0},
    {"deriv", {M, NO}, V, 0},
    {"floor", {V, NO}, V, 0},
    {"histogram_quantile", {S, V, NO}, V, 0},
    {"idelta", {M, NO}, V, 0},
    {"increase", {M, NO}, V, 0},
    {"irate", {M, NO}, V, 0},
    {"label_join", {V, T, T, T, NO}, V, -1},
    {"label_replace", {V, T, T, T, T}, V, 0},
    {"last_over_time", {M, NO}, V, 0},
    {"max_over_time", {M, NO}, V, 0},
    {"min_over_time", {M, NO}, V, 0},
    {"predict_linear", {M, S, NO}, V, 0},
    {"present_over_time", {M, NO}, V, 0},
    {"quantile_over_time", {S, M, NO}, V, 0},
    {"rate", {M, NO}, V, 0},
    {"resets", {M, NO}, V, 0},
    {"round", {V, S, NO}, V, 1},
    {"scalar", {V, NO}, S, 0},
    {"sgn", {V, NO}, V, 0},
    {"sort", {V, NO}, V, 0},
    {"sort_desc", {V, NO}, V, 0},
    {"sqrt", {V, NO}, V, 0},
    {"stddev_over_time", {M, NO}, V, 0},
    {"stdvar_over_time", {M, NO}, V, 0},
    {"sum_over_time", {M, NO}, V, 0},
    {"time", {NO}, S, 0},
    {"timestamp", {V, NO}, V, 0},
    {"vector", {S, NO}, V, 0},
    {NULL, {NO}, NO, 0}, /* below: known to Prometheus, not simulated */
    {"acos", {V, NO}, V, 0},
    {"acosh", {V, NO}, V, 0},
    {"asin", {V, NO}, V, 0},
    {"asinh", {V, NO}, V, 0},
    {"atan", {V, NO}, V, 0},
    {"atanh", {V, NO}, V, 0},
    {"cos", {V, NO}, V, 0},
    {"cosh", {V, NO}, V, 0},
    {"day_of_month", {V, NO}, V, 1},
    {"day_of_week", {V, NO}, V, 1},
    {"day_of_year", {V, NO}, V, 1},
    {"days_in_month", {V, NO}, V, 1},
    {"deg", {V, NO}, V, 0},
    {"exp", {V, NO}, V, 0},
    {"histogram_count", {V, NO}, V, 0},
    {"histogram_fraction", {S, S, V, NO}, V, 0},
    {"histogram_sum", {V, NO}, V, 0},
    {"holt_winters", {M, S, S, NO}, V, 0},
    {"hour", {V, NO}, V, 1},
    {"ln", {V, NO}, V, 0},
    {"log10", {V, NO}, V, 0},
    {"log2", {V, NO}, V, 0},
    {"minute", {V, NO}, V, 1},
    {"month", {V, NO}, V, 1},
    {"pi", {NO}, S, 0},
    {"rad", {V, NO}, V, 0},
    {"sin", {V, NO}, V, 0},
    {"sinh", {V, NO}, V, 0},
    {"tan", {V, NO}, V, 0},
    {"tanh", {V, NO}, V, 0},
    {"year", {V, NO}, V, 1},
};

const struct prom_function *prom_find_function(const char *name)
{
    for (size_t i = 0; i < sizeof functions / sizeof *functions; i++) {
        if (functions[i].name && strcmp(functions[i].name, name) == 0)
            return &functions[i];
    }
    return NULL;
}

bool prom_is_simulated(const struct prom_function *f)
{
    while (f < functions + sizeof functions / sizeof *functions && f->name)
        f++;
    return f < functions + sizeof functions / sizeof *functions; /* before the mark */
}

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

double prom_quantile(double q, double *values, int n)
{
    if (n == 0 || isnan(q))
        return NAN;
    if (q < 0 || q > 1)
        return q < 0 ? -INFINITY : INFINITY;
    qsort(values, (size_t)n, sizeof *values, by_value);
    double rank = q * (n - 1), weight = rank - floor(rank);
    int lower = (int)floor(rank), upper = lower + 1 < n ? lower + 1 : n - 1;
    return values[lower] * (1 - weight) + values[upper] * weight;
}

/* Milliseconds as seconds: Prometheus's own grain of time. */
static double seconds(int64_t ns)
{
    int64_t ms = ns / MILLISECOND;
    return (double)ms / 1000;
}

/* ---- over a range ---- */

static bool is_name(const char *a, const char *b)
{
    return strcmp(a, b) == 0;
}

/* extrapolatedRate(): towards the ends of the range, by at most half an interval each. */
static bool extrapolated(const char *name, const struct prom_row *r, int64_t from_ns, int64_t to_ns,
                         double *ret)
{
    bool counter = !is_name(name, "delta");
    double result = r->n > 1 ? r->value[r->n - 1] - r->value[0] : 0;
    if (r->n < 2)
        return false;
    for (int i = 1; i < r->n && counter; i++) {
        if (r->value[i] < r->value[i - 1])
            result += r->value[i - 1];
    }
    double to_start = seconds(r->at_ns[0] - from_ns), to_end = seconds(to_ns - r->at_ns[r->n - 1]);
    double sampled = seconds(r->at_ns[r->n - 1] - r->at_ns[0]), average = sampled / (r->n - 1),
           limit = average * 1.1;
    if (counter && result > 0 && r->value[0] >= 0) {
        double to_zero = sampled * (r->value[0] / result);
        to_start = to_zero < to_start ? to_zero : to_start;
    }
    double whole = sampled;
    whole += to_start < limit ? to_start : average / 2;
    whole += to_end < limit ? to_end : average / 2;
    double factor = whole / sampled;
    if (is_name(name, "rate"))
        factor /= seconds(to_ns - from_ns);
    *ret = result * factor;
    return true;
}

/* Least squares; the intercept is at `at_ns`. */
static bool regression(const struct prom_row *r, int64_t at_ns, double *ret_slope,
                       double *ret_intercept)
{
    double n = 0, sum_x = 0, sum_y = 0, sum_xy = 0, sum_x2 = 0;
    bool constant = true;
    if (r->n < 2)
        return false;
    for (int i = 0; i < r->n; i++) {
        double x = seconds(r->at_ns[i] - at_ns), y = r->value[i];
        constant = constant && !(y < r->value[0]) && !(y > r->value[0]);
        n++;
        sum_x += x;
        sum_y += y;
        sum_xy += x * y;
        sum_x2 += x * x;
    }
    double covariance = sum_xy - sum_x * sum_y / n, variance = sum_x2 - sum_x * sum_x / n;
    *ret_slope = constant ? 0 : covariance / variance;
    *ret_intercept = constant ? r->value[0] : sum_y / n - *ret_slope * sum_x / n;
    return true;
}

static double spread(const struct prom_row *r)
{
    double n = 0, mean = 0, sum = 0;
    for (int i = 0; i < r->n; i++) {
        double delta = r->value[i] - (mean);
        n++;
        mean += delta / n;
        sum += delta * (r->value[i] - mean);
    }
    return sum / n;
}

/* One row to one value; false: none. */
static bool over_row(const char *name, const struct prom_row *r, int64_t from_ns, int64_t to_ns,
                     double parameter, double *ret)
{
    double sum = 0, low = r->value[0], high = r->value[0], mean = 0, changes = 0, resets = 0, slope,
           intercept;
    int last = r->n - 1;
    for (int i = 0; i < r->n; i++) {
        double x = r->value[i];
        sum += x;
        mean += x / (i + 1) - mean / (i + 1);
        low = x < low ? x : low;
        high = x > high ? x : high;
        changes += i > 0 && (x < r->value[i - 1] || x > r->value[i - 1]);
        resets += i > 0 && x < r->value[i - 1];
    }
    if (is_name(name, "rate") || is_name(name, "increase") || is_name(name, "delta"))
        return extrapolated(name, r, from_ns, to_ns, ret);
    if (is_name(name, "irate") || is_name(name, "idelta")) {
        if (r->n < 2)
            return false;
        bool rate = name[1] == 'r', reset = r->value[last] < r->value[last - 1];
        double difference = rate && reset ? r->value[last] : r->value[last] - r->value[last - 1];
        *ret = rate ? difference / seconds(r->at_ns[last] - r->at_ns[last - 1]) : difference;
        return true;
    }
    if (is_name(name, "deriv") || is_name(name, "predict_linear")) {
        bool predicts = name[0] == 'p';
        if (!regression(r, predicts ? to_ns : r->at_ns[0], &slope, &intercept))
            return false;
        *ret = predicts ? slope * parameter + intercept : slope;
        return true;
    }
    *ret = is_name(name, "avg_over_time")        ? mean
           : is_name(name, "sum_over_time")      ? sum
           : is_name(name, "min_over_time")      ? low
           : is_name(name, "max_over_time")      ? high
           : is_name(name, "count_over_time")    ? r->n
           : is_name(name, "last_over_time")     ? r->value[last]
           : is_name(name, "stddev_over_time")   ? sqrt(spread(r))
           : is_name(name, "stdvar_over_time")   ? spread(r)
           : is_name(name, "changes")            ? changes
           : is_name(name, "resets")             ? resets
           : is_name(name, "quantile_over_time") ? prom_quantile(parameter, r->value, r->n)
                                                 : 1;
    return true;
}

static struct prom_value over_range(struct prom_eval *e, const struct prom_expr *x,
                                    const struct prom_value *in, double parameter)
{
    struct prom_value out = {.type = V,
                             .samples = ARENA_ARRAY(e->arena, struct prom_sample, in->n + 1)};
    const struct prom_expr *range = x->args[x->args[0]->type == M ? 0 : 1];
    while (range->kind == PROM_PAREN)
        range = range->args[0];
    int64_t now_ns = range->at_edge == 1   ? e->from_ns
                     : range->at_edge == 2 ? e->to_ns
                     : range->has_at       ? range->at_unix_ns - e->start_unix_ns
                                           : e->now_ns;
    int64_t to_ns = now_ns - range->offset_ns;
    for (int i = 0; i < in->n; i++) {
        double value;
        if (in->rows[i].n &&
            over_row(x->text, &in->rows[i], to_ns - range->range_ns, to_ns, parameter, &value))
            out.samples[out.n++] = (struct prom_sample){
                is_name(x->text, "last_over_time")
                    ? in->rows[i].labels
                    : prom_without_name(e->arena, (const char *const *)in->rows[i].labels),
                value};
    }
    return out;
}

/* ---- histogram_quantile ---- */

struct bucket {
    double upper, count;
};

static int by_upper(const void *a, const void *b)
{
    double x = ((const struct bucket *)a)->upper, y = ((const struct bucket *)b)->upper;
    return (x > y) - (x < y);
}

static double bucket_quantile(double q, struct bucket *buckets, int n)
{
    if (isnan(q))
        return NAN;
    if (q < 0 || q > 1)
        return q < 0 ? -INFINITY : INFINITY;
    qsort(buckets, (size_t)n, sizeof *buckets, by_upper);
    if (n < 2 || !isinf(buckets[n - 1].upper))
        return NAN;
    for (int i = 1; i < n; i++) /* counts never fall */
        buckets[i].count =
            buckets[i].count < buckets[i - 1].count ? buckets[i - 1].count : buckets[i].count;
    double rank = q * buckets[n - 1].count, start = 0, count;
    int b = 0;
    if (!(buckets[n - 1].count > 0))
        return NAN;
    while (b < n - 1 && buckets[b].count < rank)
        b++;
    if (b == n - 1)
        return buckets[n - 2].upper;
    if (b == 0 && buckets[0].upper <= 0)
        return buckets[0].upper;
    count = buckets[b].count;
    if (b > 0) {
        start = buckets[b - 1].upper;
        count -= buckets[b - 1].count;
        rank -= buckets[b - 1].count;
    }
    return start + (buckets[b].upper - start) * (rank / count);
}

static struct prom_value histogram_quantile(struct prom_eval *e, double q,
                                            const struct prom_value *in)
{
    static const char *const le[] = {"le", "__name__"};
    struct prom_value out = {.type = V,
                             .samples = ARENA_ARRAY(e->arena, struct prom_sample, in->n + 1)};
    bool *done = ARENA_ARRAY(e->arena, bool, in->n + 1);
    struct bucket *buckets = ARENA_ARRAY(e->arena, struct bucket, in->n + 1);
    memset(done, 0, sizeof *done * (size_t)in->n);
    for (int i = 0; i < in->n; i++) {
        const char **group =
            prom_without(e->arena, (const char *const *)in->samples[i].labels, le, 2);
        int n = 0;
        for (int k = i; k < in->n && !done[i]; k++) {
            const char *upper = prom_label((const char *const *)in->samples[k].labels, "le");
            char *end;
            double number = strtod(upper, &end);
            if (!prom_same_labels((const char *const *)prom_without(
                                      e->arena, (const char *const *)in->samples[k].labels, le, 2),
                                  (const char *const *)group))
                continue;
            if (k > i)
                done[k] = true;
            if (*upper && !*end)
                buckets[n++] = (struct bucket){number, in->samples[k].value};
        }
        if (n && !done[i])
            out.samples[out.n++] = (struct prom_sample){group, bucket_quantile(q, buckets, n)};
    }
    return out;
}

/* ---- labels ---- */

static struct prom_value label_replace(struct prom_eval *e, const struct prom_value *args)
{
    struct prom_value out = args[0];
    const char *to = args[1].text, *replacement = args[2].text, *from = args[3].text;
    regex_t regex;
    bool good = isalpha((unsigned char)to[0]) || to[0] == '_';
    for (const char *p = to; *p && good; p++)
        good = isalnum((unsigned char)*p) || *p == '_';
    if (!good) {
        prom_fail(e, "invalid destination label name in label_replace(): %s", to);
        return out;
    }
    int len;
    if (prom_nested_repetition(args[4].text, &len) ||
        regcomp(&regex, arena_printf(e->arena, "^(%s)$", args[4].text), REG_EXTENDED) != 0) {
        prom_fail(e, "invalid regular expression in label_replace(): %s", args[4].text);
        return out;
    }
    for (int i = 0; i < out.n; i++) {
        const char *value = prom_label((const char *const *)out.samples[i].labels, from);
        regmatch_t at[11];
        struct buf text;
        if (regexec(&regex, value, 11, at, 0) != 0)
            continue;
        buf_init(&text, 1 << 16);
        for (const char *p = replacement; *p; p++) {
            bool braced = p[0] == '$' && p[1] == '{' && isdigit((unsigned char)p[2]) && p[3] == '}';
            bool plain = p[0] == '$' && isdigit((unsigned char)p[1]);
            if (!braced && !plain) {
                buf_putc(&text, *p);
                continue;
            }
            int group = p[braced ? 2 : 1] - '0' + 1; /* the first is the one around all */
            if (group <= 10 && at[group].rm_so >= 0)
                buf_add(&text, value + at[group].rm_so,
                        (size_t)(at[group].rm_eo - at[group].rm_so));
            p += braced ? 3 : 1;
        }
        out.samples[i].labels = prom_set_label(e->arena, (const char *const *)out.samples[i].labels,
                                               to, arena_str(e->arena, buf_text(&text)));
        buf_release(&text);
    }
    regfree(&regex);
    return out;
}

static struct prom_value label_join(struct prom_eval *e, const struct prom_expr *x,
                                    const struct prom_value *args)
{
    struct prom_value out = args[0];
    for (int i = 0; i < out.n; i++) {
        const char *text = "";
        for (int k = 3; k < x->n_args; k++)
            text =
                arena_printf(e->arena, "%s%s%s", text, k > 3 ? args[2].text : "",
                             prom_label((const char *const *)out.samples[i].labels, args[k].text));
        out.samples[i].labels = prom_set_label(e->arena, (const char *const *)out.samples[i].labels,
                                               args[1].text, text);
    }
    return out;
}

/* absent(): the labels that equality matchers of the selector name. */
static struct prom_value absent(struct prom_eval *e, const struct prom_expr *of, bool there)
{
    struct prom_value out = {.type = V, .samples = ARENA_ARRAY(e->arena, struct prom_sample, 1)};
    const char **labels = ARENA_ARRAY(e->arena, const char *, 1);
    labels[0] = NULL;
    for (int i = 0; of->kind == PROM_SELECTOR && i < of->n_matchers; i++) {
        if (is_name(of->matchers[i].op, "=") && !is_name(of->matchers[i].key, "__name__"))
            labels = prom_set_label(e->arena, (const char *const *)labels, of->matchers[i].key,
                                    of->matchers[i].value);
    }
    if (!there)
        out.samples[out.n++] = (struct prom_sample){labels, 1};
    return out;
}

/* ---- functions of an instant ---- */

static double plain(const char *name, double x, const struct prom_value *args, int n_args)
{
    if (is_name(name, "abs"))
        return fabs(x);
    if (is_name(name, "ceil"))
        return ceil(x);
    if (is_name(name, "floor"))
        return floor(x);
    if (is_name(name, "sqrt"))
        return sqrt(x);
    if (is_name(name, "sgn"))
        return x < 0 ? -1 : x > 0 ? 1 : x;
    if (is_name(name, "round")) {
        double inverse = 1 / (n_args > 1 ? args[1].number : 1);
        return floor(x * inverse + 0.5) / inverse;
    }
    double low = is_name(name, "clamp_max") ? -INFINITY : args[1].number,
           high = is_name(name, "clamp")       ? args[2].number
                  : is_name(name, "clamp_max") ? args[1].number
                                               : INFINITY;
    return x < low ? low : x > high ? high : x;
}

static int ascending(const void *a, const void *b)
{
    double x = ((const struct prom_sample *)a)->value, y = ((const struct prom_sample *)b)->value;
    return isnan(x) - isnan(y) ? isnan(x) - isnan(y) : (x > y) - (x < y);
}

static int descending(const void *a, const void *b)
{
    double x = ((const struct prom_sample *)a)->value, y = ((const struct prom_sample *)b)->value;
    return isnan(x) - isnan(y) ? isnan(x) - isnan(y) : (x < y) - (x > y);
}

struct prom_value prom_call(struct prom_eval *e, const struct prom_expr *x,
                            const struct prom_value *args)
{
    const char *name = x->text;
    struct prom_value one = {.type = V, .samples = ARENA_ARRAY(e->arena, struct prom_sample, 1)};
    static const char *none[] = {NULL};
    if (is_name(name, "time"))
        return (struct prom_value){.type = S, .number = seconds(e->now_ns + e->start_unix_ns)};
    if (is_name(name, "vector")) {
        one.samples[one.n++] = (struct prom_sample){none, args[0].number};
        return one;
    }
    if (is_name(name, "scalar"))
        return (struct prom_value){.type = S,
                                   .number = args[0].n == 1 ? args[0].samples[0].value : NAN};
    if (is_name(name, "absent") || is_name(name, "absent_over_time"))
        return absent(e, x->args[0], args[0].n > 0);
    if (is_name(name, "histogram_quantile"))
        return histogram_quantile(e, args[0].number, &args[1]);
    if (is_name(name, "label_replace"))
        return label_replace(e, args);
    if (is_name(name, "label_join"))
        return label_join(e, x, args);
    if (is_name(name, "quantile_over_time"))
        return over_range(e, x, &args[1], args[0].number);
    if (args[0].type == M)
        return over_range(e, x, &args[0], x->n_args > 1 ? args[1].number : 0);
    struct prom_value out = {.type = V,
                             .samples = ARENA_ARRAY(e->arena, struct prom_sample, args[0].n + 1)};
    bool sorts = is_name(name, "sort") || is_name(name, "sort_desc");
    for (int i = 0; i < args[0].n; i++) {
        struct prom_sample s = args[0].samples[i];
        if (is_name(name, "timestamp"))
            s.value = seconds(e->now_ns + e->start_unix_ns);
        else if (!sorts)
            s.value = plain(name, s.value, args, x->n_args);
        if (!sorts)
            s.labels = prom_without_name(e->arena, (const char *const *)s.labels);
        out.samples[out.n++] = s;
    }
    if (sorts && out.n > 1)
        qsort(out.samples, (size_t)out.n, sizeof *out.samples,
              is_name(name, "sort") ? ascending : descending);
    return out;
}

/* ---- aggregations ---- */

struct group {
    const char **labels;
    double value, mean, n;
    struct prom_sample *members;
    int n_members;
};

static const char **group_labels(struct prom_eval *e, const struct prom_expr *x,
                                 const struct prom_sample *s)
{
    if (!x->without)
        return prom_only(e->arena, (const char *const *)s->labels, x->labels, x->n_labels);
    const char **bare = prom_without_name(e->arena, (const char *const *)s->labels);
    return prom_without(e->arena, (const char *const *)bare, x->labels, x->n_labels);
}

static void add_to(struct group *g, const char *name, const struct prom_sample *s)
{
    double x = s->value, delta = x - g->mean;
    g->members[g->n_members++] = *s;
    g->n++;
    if (strcasecmp(name, "avg") == 0) {
        g->mean += x / g->n - g->mean / g->n;
    } else if (strncasecmp(name, "std", 3) == 0) {
        g->mean += delta / g->n;
        g->value += delta * (x - g->mean);
    } else if (strcasecmp(name, "sum") == 0) {
        g->value += x;
    } else if (g->n_members == 1 || (strcasecmp(name, "min") == 0 && x < g->value) ||
               (strcasecmp(name, "max") == 0 && x > g->value)) {
        g->value = x;
    }
}

static double value_of(struct prom_eval *e, const struct group *g, const char *name,
                       const struct prom_value *parameter)
{
    if (strcasecmp(name, "count") == 0)
        return g->n;
    if (strcasecmp(name, "group") == 0)
        return 1;
    if (strcasecmp(name, "avg") == 0)
        return g->mean;
    if (strcasecmp(name, "stdvar") == 0)
        return g->value / g->n;
    if (strcasecmp(name, "stddev") == 0)
        return sqrt(g->value / g->n);
    if (strcasecmp(name, "quantile") == 0) {
        double *values = ARENA_ARRAY(e->arena, double, g->n_members);
        for (int i = 0; i < g->n_members; i++)
            values[i] = g->members[i].value;
        return prom_quantile(parameter->number, values, g->n_members);
    }
    return g->value;
}

/* How often each value is there: {parameter="value"}. */
static void count_values(struct prom_eval *e, const struct group *g, const char *label,
                         struct prom_value *out)
{
    int first = out->n;
    for (int i = 0; i < g->n_members; i++) {
        struct buf text;
        buf_init(&text, 64);
        prom_print_number(&text, g->members[i].value);
        const char *value = arena_str(e->arena, (struct str){text.at + 1, text.len - 2});
        buf_release(&text);
        int k = first;
        while (k < out->n &&
               strcmp(prom_label((const char *const *)out->samples[k].labels, label), value) != 0)
            k++;
        if (k == out->n)
            out->samples[out->n++] = (struct prom_sample){
                prom_set_label(e->arena, (const char *const *)g->labels, label, value), 0};
        out->samples[k].value++;
    }
}

struct prom_value prom_aggregate(struct prom_eval *e, const struct prom_expr *x,
                                 struct prom_value of, const struct prom_value *parameter)
{
    struct prom_value out = {.type = V,
                             .samples = ARENA_ARRAY(e->arena, struct prom_sample, of.n + 1)};
    struct group *groups = ARENA_ARRAY(e->arena, struct group, of.n + 1);
    int n = 0;
    bool top = strcasecmp(x->text, "topk") == 0, bottom = strcasecmp(x->text, "bottomk") == 0;
    for (int i = 0; i < of.n && !e->error; i++) {
        const char **labels = group_labels(e, x, &of.samples[i]);
        int g = 0;
        while (g < n && !prom_same_labels((const char *const *)groups[g].labels,
                                          (const char *const *)labels))
            g++;
        if (g == n)
            groups[n++] = (struct group){
                .labels = labels, .members = ARENA_ARRAY(e->arena, struct prom_sample, of.n)};
        add_to(&groups[g], x->text, &of.samples[i]);
    }
    for (int g = 0; g < n; g++) {
        if (top || bottom) {
            struct group *group = &groups[g];
            int64_t k = !(parameter->number >= 1) ? 0
                        : parameter->number < 1e9 ? (int64_t)parameter->number
                                                  : 1000000000;
            if (group->n_members > 1)
                qsort(group->members, (size_t)group->n_members, sizeof *group->members,
                      top ? descending : ascending);
            for (int i = 0; i < group->n_members && i < k; i++)
                out.samples[out.n++] = group->members[i];
        } else if (strcasecmp(x->text, "count_values") == 0) {
            count_values(e, &groups[g], parameter->text, &out);
        } else {
            out.samples[out.n++] =
                (struct prom_sample){groups[g].labels, value_of(e, &groups[g], x->text, parameter)};
        }
    }
    return out;
}
