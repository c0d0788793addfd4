#include "sim/engine/statistics.h"

#include <math.h>

#include "sim/engine/arithmetic.h"

/* ---- moments ---- */

void moments_add(struct moments *moments, double x)
{
    double before = x - moments->mean;
    if (moments->n == 0)
        moments->low = moments->high = x;
    moments->low = x < moments->low ? x : moments->low;
    moments->high = x > moments->high ? x : moments->high;
    moments->n++;
    moments->mean += before / (double)moments->n;
    moments->m2 += before * (x - moments->mean);
}

void moments_merge(struct moments *moments, const struct moments *with)
{
    if (with->n == 0)
        return;
    if (moments->n == 0) {
        *moments = *with;
        return;
    }
    double n = (double)moments->n, m = (double)with->n, apart = with->mean - moments->mean;
    moments->mean += apart * m / (n + m);
    moments->m2 += with->m2 + apart * apart * n * m / (n + m);
    moments->n += with->n;
    moments->low = with->low < moments->low ? with->low : moments->low;
    moments->high = with->high > moments->high ? with->high : moments->high;
}

double moments_variance(const struct moments *moments)
{
    return moments->n < 2 ? 0 : moments->m2 / (double)(moments->n - 1);
}

/* ---- histogram: the first 64 values one by one, then 64 steps for every doubling ---- */

static int bucket_of(int64_t value)
{
    if (value < HISTOGRAM_STEPS)
        return value < 0 ? 0 : (int)value;
    int shift = 63 - __builtin_clzll((uint64_t)value) - 6; /* leaves 64 .. 127 */
    return HISTOGRAM_STEPS * shift + (int)(value >> shift);
}

/* The middle of a bucket. */
static int64_t value_of(int bucket)
{
    if (bucket < 2 * HISTOGRAM_STEPS)
        return bucket;
    int shift = bucket / HISTOGRAM_STEPS - 1;
    int64_t low = (int64_t)(bucket - HISTOGRAM_STEPS * shift) << shift;
    return low + (INT64_C(1) << shift) / 2;
}

void histogram_add(struct histogram *histogram, int64_t value, int64_t times)
{
    histogram->count[bucket_of(value)] += times;
    histogram->n += times;
}

void histogram_merge(struct histogram *histogram, const struct histogram *with)
{
    for (int i = 0; i < HISTOGRAM_BUCKETS; i++)
        histogram->count[i] += with->count[i];
    histogram->n += with->n;
}

int64_t histogram_quantile(const struct histogram *histogram, double share)
{
    if (histogram->n == 0)
        return 0;
    double exact = share * (double)histogram->n;
    int64_t rank = (int64_t)exact;
    rank += (double)rank < exact; /* rounded up: that many lie at or below */
    rank = rank < 1 ? 1 : rank > histogram->n ? histogram->n : rank;
    int64_t seen = 0;
    for (int i = 0; i < HISTOGRAM_BUCKETS; i++) {
        seen += histogram->count[i];
        if (seen >= rank)
            return value_of(i);
    }
    return 0;
}

/* ---- Student's distribution ---- */

/* log gamma by Stirling's series, moved up to where it is exact enough. */
static double log_gamma(double x)
{
    double moved = 0;
    while (x < 20) {
        moved += exact_log(x);
        x += 1;
    }
    double z = 1 / (x * x), series = (1.0 / 12 - z * (1.0 / 360 - z * (1.0 / 1260 - z / 1680))) / x;
    return (x - 0.5) * exact_log(x) - x + 0.918938533204672742 + series - moved;
}

/* Continued fraction of the incomplete beta function, by Lentz's method (DLMF 8.17.22). */
static double beta_fraction(double x, double a, double b)
{
    const double tiny = 1e-300;
    double c = 1, d = 1 - (a + b) * x / (a + 1), result;
    d = 1 / (fabs(d) < tiny ? tiny : d);
    result = d;
    for (int m = 1; m < 500; m++) {
        double even = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m));
        double odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1)), last = result;
        d = 1 + even * d;
        c = 1 + even / c;
        d = 1 / (fabs(d) < tiny ? tiny : d);
        result *= d * c;
        d = 1 + odd * d;
        c = 1 + odd / c;
        d = 1 / (fabs(d) < tiny ? tiny : d);
        result *= d * c;
        if (fabs(result - last) <= 1e-15 * fabs(result))
            break;
    }
    return result;
}

static double incomplete_beta(double x, double a, double b)
{
    if (x <= 0 || x >= 1)
        return x <= 0 ? 0 : 1;
    double front = exact_exp(log_gamma(a + b) - log_gamma(a) - log_gamma(b) + a * exact_log(x) +
                             b * exact_log(1 - x));
    if (x < (a + 1) / (a + b + 2))
        return front * beta_fraction(x, a, b) / a;
    return 1 - front * beta_fraction(1 - x, b, a) / b;
}

static double student_cdf(double t, double degrees)
{
    double tail = incomplete_beta(degrees / (degrees + t * t), degrees / 2, 0.5) / 2;
    return t > 0 ? 1 - tail : tail;
}

double student_quantile(double p, double degrees)
{
    double low = -1, high = 1;
    while (student_cdf(low, degrees) > p && low > -1e9)
        low *= 2;
    while (student_cdf(high, degrees) < p && high < 1e9)
        high *= 2;
    for (int i = 0; i < 80; i++) {
        double middle = (low + high) / 2;
        if (student_cdf(middle, degrees) < p)
            low = middle;
        else
            high = middle;
    }
    return (low + high) / 2;
}

struct confidence_interval student_interval(const struct moments *moments, double confidence)
{
    if (moments->n < 2)
        return (struct confidence_interval){-INFINITY, INFINITY};
    double error = exact_sqrt(moments_variance(moments) / (double)moments->n);
    double t = student_quantile((1 + confidence) / 2, (double)(moments->n - 1));
    return (struct confidence_interval){moments->mean - t * error, moments->mean + t * error};
}

struct confidence_interval wilson_interval(int64_t hits, int64_t n, double confidence)
{
    if (n <= 0)
        return (struct confidence_interval){0, 1};
    double z = normal_quantile((1 + confidence) / 2), trials = (double)n, p = (double)hits / trials;
    double scale = 1 + z * z / trials, middle = (p + z * z / (2 * trials)) / scale;
    double half = z / scale * exact_sqrt(p * (1 - p) / trials + z * z / (4 * trials * trials));
    return (struct confidence_interval){hits == 0 ? 0 : middle - half,
                                        hits == n ? 1 : middle + half};
}

void paired_add(struct paired *paired, double first, double second)
{
    moments_add(&paired->first, first);
    moments_add(&paired->second, second);
    moments_add(&paired->difference, second - first);
}
