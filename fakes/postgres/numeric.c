#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "fakes/postgres/functions.h"
#include "sim/base/xalloc.h"

/* ---- numbers: decimals of up to 38 digits as whole number and scale ---- */

__extension__ typedef __int128 wide;

struct decimal {
    wide value;
    int scale;
    bool ok;
};

static struct decimal decimal_of(sqlite3_value *v)
{
    struct decimal d = {0, 0, true};
    char *own = NULL;
    const char *p = text_of(v);
    if (sqlite3_value_type(v) == SQLITE_FLOAT) {
        own = sqlite3_mprintf("%!.15g", sqlite3_value_double(v));
        p = own;
    }
    bool negative = *p == '-', point = false;
    if (*p == '-' || *p == '+')
        p++;
    for (; isdigit((unsigned char)*p) || (*p == '.' && !point); p++) {
        if (*p == '.') {
            point = true;
            continue;
        }
        if (d.value > ((wide)1 << 120))
            break;
        d.value = d.value * 10 + (*p - '0');
        d.scale += point;
    }
    if (*p)
        d.ok = false;
    if (negative)
        d.value = -d.value;
    sqlite3_free(own);
    return d;
}

static wide power10(int n)
{
    wide p = 1;
    while (n-- > 0)
        p *= 10;
    return p;
}

static struct decimal rescale(struct decimal d, int scale)
{
    if (scale >= d.scale) {
        d.value *= power10(scale - d.scale);
    } else {
        wide unit = power10(d.scale - scale), half = unit / 2;
        d.value = (d.value + (d.value < 0 ? -half : half)) / unit;
    }
    d.scale = scale;
    return d;
}

static void result_decimal(sqlite3_context *context, struct decimal d)
{
    char digits[64], *p = digits + sizeof digits;
    wide value = d.value < 0 ? -d.value : d.value;
    int n = 0;
    *--p = '\0';
    do {
        if (n == d.scale && d.scale > 0)
            *--p = '.';
        *--p = (char)('0' + (int)(value % 10));
        value /= 10;
        n++;
    } while (value > 0 || n <= d.scale);
    if (d.value < 0)
        *--p = '-';
    if (d.scale == 0 && n < 18)
        sqlite3_result_int64(context, (int64_t)d.value);
    else
        result_text(context, p);
}

/* The first digit in base 10000, as numeric keeps its digits, and its weight. */
static int first_digit(wide value, int scale, int *ret_weight)
{
    int digits = 0;
    for (wide v = value; v > 0; v /= 10)
        digits++;
    int whole = digits - scale; /* decimal digits in front of the point */
    *ret_weight = digits == 0 ? 0 : whole > 0 ? (whole + 3) / 4 - 1 : -(-whole / 4) - 1;
    int exponent = *ret_weight * 4 + scale;
    return (int)(exponent >= 0 ? value / power10(exponent) : value * power10(-exponent));
}

/* The scale of a quotient, as select_div_scale() of PostgreSQL's numeric.c: at least 16 significant
 * digits. */
static struct decimal divide(struct decimal a, struct decimal b)
{
    wide x = a.value < 0 ? -a.value : a.value, y = b.value < 0 ? -b.value : b.value;
    int weight_a, weight_b, first_a = first_digit(x, a.scale, &weight_a),
                            first_b = first_digit(y, b.scale, &weight_b);
    int weight = weight_a - weight_b - (first_a <= first_b);
    int scale = 16 - weight * 4;
    if (scale < a.scale)
        scale = a.scale;
    if (scale < b.scale)
        scale = b.scale;
    struct decimal result = {0, scale, true};
    wide numerator = x, remainder = 0;
    int shift = scale + b.scale - a.scale;
    /* Long division, so that nothing overflows. */
    wide quotient = numerator / y;
    remainder = numerator % y;
    for (; shift > 0; shift--) {
        remainder *= 10;
        quotient = quotient * 10 + remainder / y;
        remainder %= y;
    }
    if (remainder * 2 >= y)
        quotient++;
    result.value = (a.value < 0) != (b.value < 0) ? -quotient : quotient;
    return result;
}

static void division_by_zero(sqlite3_context *context)
{
    pg_fail(session_of(context), "22012", -1, "division by zero");
    stop(context);
}

static void f_numeric(sqlite3_context *context, int n, sqlite3_value **args)
{
    (void)n;
    sqlite3_value *sides[] = {args[0], args[2]};
    if (any_null(context, 2, sides))
        return;
    struct decimal a = decimal_of(args[0]), b = decimal_of(args[2]);
    char op = *text_of(args[1]);
    if (!a.ok || !b.ok) {
        double x = sqlite3_value_double(args[0]), y = sqlite3_value_double(args[2]);
        sqlite3_result_double(context, op == '+'   ? x + y
                                       : op == '-' ? x - y
                                       : op == '*' ? x * y
                                                   : x / y);
        return;
    }
    int scale = a.scale > b.scale ? a.scale : b.scale;
    if ((op == '/' || op == '%') && b.value == 0) {
        division_by_zero(context);
    } else if (op == '*') {
        result_decimal(context, (struct decimal){a.value * b.value, a.scale + b.scale, true});
    } else if (op == '/') {
        result_decimal(context, divide(a, b));
    } else {
        a = rescale(a, scale);
        b = rescale(b, scale);
        a.value = op == '+' ? a.value + b.value : op == '-' ? a.value - b.value : a.value % b.value;
        result_decimal(context, a);
    }
}

static void f_round(sqlite3_context *context, int n, sqlite3_value **args)
{
    if (any_null(context, n, args))
        return;
    struct decimal d = decimal_of(args[0]);
    int scale = sqlite3_value_int(args[1]);
    if (!d.ok)
        sqlite3_result_double(context, sqlite3_value_double(args[0]));
    else
        result_decimal(context, rescale(d, scale < 0 ? 0 : scale));
}

static void f_truncate(sqlite3_context *context, int n, sqlite3_value **args)
{
    if (any_null(context, n, args))
        return;
    struct decimal d = decimal_of(args[0]);
    int scale = sqlite3_value_int(args[1]);
    if (scale < d.scale && scale >= 0) {
        d.value /= power10(d.scale - scale);
        d.scale = scale;
    }
    result_decimal(context, d);
}

static void f_floor(sqlite3_context *context, int n, sqlite3_value **args)
{
    if (any_null(context, n, args))
        return;
    struct decimal d = decimal_of(args[0]);
    wide unit = power10(d.scale), value = d.value / unit;
    if (d.value < 0 && d.value % unit != 0)
        value--;
    result_decimal(context, (struct decimal){value, 0, true});
}

static void f_divisor(sqlite3_context *context, int n, sqlite3_value **args)
{
    (void)n;
    if (sqlite3_value_type(args[0]) != SQLITE_NULL && sqlite3_value_double(args[0]) >= 0 &&
        sqlite3_value_double(args[0]) <= 0)
        division_by_zero(context);
    else
        sqlite3_result_value(context, args[0]);
}

struct sum {
    struct decimal total;
    int64_t n;
    double real;
    bool is_real;
};

/* A row enters the window (sign 1) or leaves it (-1). */
static void sum_move(sqlite3_context *context, sqlite3_value *value, int sign)
{
    struct sum **kept = sqlite3_aggregate_context(context, sizeof *kept);
    if (!kept || sqlite3_value_type(value) == SQLITE_NULL)
        return;
    if (!*kept)
        *kept = xcalloc(1, sizeof **kept); /* SQLite's own memory is not aligned for it */
    struct sum *sum = *kept;
    sum->n += sign;
    if (sqlite3_value_type(value) == SQLITE_FLOAT)
        sum->is_real = true;
    sum->real += sign * sqlite3_value_double(value);
    struct decimal d = decimal_of(value);
    int scale = d.scale > sum->total.scale ? d.scale : sum->total.scale;
    d = rescale(d, scale);
    sum->total = rescale(sum->total, scale);
    sum->total.value += sign * d.value;
}

static void sum_step(sqlite3_context *context, int n, sqlite3_value **args)
{
    (void)n;
    sum_move(context, args[0], 1);
}

static void sum_inverse(sqlite3_context *context, int n, sqlite3_value **args)
{
    (void)n;
    sum_move(context, args[0], -1);
}

static struct sum *sum_of(sqlite3_context *context)
{
    struct sum **kept = sqlite3_aggregate_context(context, 0);
    return kept ? *kept : NULL;
}

static void sum_value(sqlite3_context *context)
{
    struct sum *sum = sum_of(context);
    if (!sum || sum->n == 0)
        sqlite3_result_null(context);
    else if (sum->is_real)
        sqlite3_result_double(context, sum->real);
    else
        result_decimal(context, sum->total);
}

static void sum_end(sqlite3_context *context)
{
    sum_value(context);
    free(sum_of(context));
}

static void avg_value(sqlite3_context *context)
{
    struct sum *sum = sum_of(context);
    if (!sum || sum->n == 0)
        sqlite3_result_null(context);
    else if (sum->is_real)
        sqlite3_result_double(context, sum->real / (double)sum->n);
    else
        result_decimal(context, divide(sum->total, (struct decimal){sum->n, 0, true}));
}

static void avg_end(sqlite3_context *context)
{
    avg_value(context);
    free(sum_of(context));
}

/* min and max of numerics, which may be text: by value, kept as written. */
struct extreme {
    sqlite3_value *best;
};

static void extreme_step(sqlite3_context *context, sqlite3_value *value, int sign)
{
    struct extreme *e = sqlite3_aggregate_context(context, sizeof *e);
    if (!e || sqlite3_value_type(value) == SQLITE_NULL)
        return;
    if (e->best && (sqlite3_value_double(value) - sqlite3_value_double(e->best)) * sign <= 0)
        return;
    sqlite3_value_free(e->best);
    e->best = sqlite3_value_dup(value);
}

static void min_step(sqlite3_context *context, int n, sqlite3_value **args)
{
    (void)n;
    extreme_step(context, args[0], -1);
}

static void max_step(sqlite3_context *context, int n, sqlite3_value **args)
{
    (void)n;
    extreme_step(context, args[0], 1);
}

static void extreme_end(sqlite3_context *context)
{
    struct extreme *e = sqlite3_aggregate_context(context, 0);
    if (e && e->best) {
        sqlite3_result_value(context, e->best);
        sqlite3_value_free(e->best);
    }
}

void numeric_register(struct pg_database *database)
{
    static const struct {
        const char *name;
        int n;
        void (*run)(sqlite3_context *, int, sqlite3_value **);
    } list[] = {{"pg_numeric", 3, f_numeric},
                {"pg_round", 2, f_round},
                {"pg_floor", 1, f_floor},
                {"pg_truncate", 2, f_truncate},
                {"pg_divisor", 1, f_divisor}};
    for (size_t i = 0; i < sizeof list / sizeof *list; i++)
        sqlite3_create_function(database->sqlite, list[i].name, list[i].n,
                                SQLITE_UTF8 | SQLITE_DETERMINISTIC, database, list[i].run, NULL,
                                NULL);
    sqlite3_create_window_function(database->sqlite, "pg_sum", 1, SQLITE_UTF8, database, sum_step,
                                   sum_end, sum_value, sum_inverse, NULL);
    sqlite3_create_window_function(database->sqlite, "pg_avg", 1, SQLITE_UTF8, database, sum_step,
                                   avg_end, avg_value, sum_inverse, NULL);
    sqlite3_create_function(database->sqlite, "pg_min", 1, SQLITE_UTF8, database, NULL, min_step,
                            extreme_end);
    sqlite3_create_function(database->sqlite, "pg_max", 1, SQLITE_UTF8, database, NULL, max_step,
                            extreme_end);
}
