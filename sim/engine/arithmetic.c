#include "sim/engine/arithmetic.h"

#include <math.h>
#include <stdint.h>
#include <string.h>

static uint64_t bits_of(double x)
{
    uint64_t bits;
    memcpy(&bits, &x, sizeof bits);
    return bits;
}

static double of_bits(uint64_t bits)
{
    double x;
    memcpy(&x, &bits, sizeof x);
    return x;
}

static const double LN2_HIGH =
    6.93147180369123816490e-01; /* last 32 bits zero: k * this is exact */
static const double LN2_LOW = 1.90821492927058770002e-10;

double exact_log(double x)
{
    if (!(x > 0) || x > 1.7976931348623157e308)
        return x == 0 ? -INFINITY : (x > 0 ? x : NAN);
    int k = 0;
    if (x < 2.2250738585072014e-308) { /* subnormal */
        x *= 0x1p54;
        k = -54;
    }
    uint64_t bits = bits_of(x);
    k += (int)(bits >> 52) - 1023;
    double m = of_bits((bits & 0xfffffffffffffULL) | 0x3ff0000000000000ULL); /* [1, 2) */
    if (m > 1.41421356237309504880) {
        m *= 0.5;
        k++;
    }
    /* log m = 2 atanh(s), |s| < 0.1716: the odd series, cut below 1e-17 */
    double s = (m - 1) / (m + 1), z = s * s;
    double series = 1.0 / 23;
    series = series * z + 1.0 / 21;
    series = series * z + 1.0 / 19;
    series = series * z + 1.0 / 17;
    series = series * z + 1.0 / 15;
    series = series * z + 1.0 / 13;
    series = series * z + 1.0 / 11;
    series = series * z + 1.0 / 9;
    series = series * z + 1.0 / 7;
    series = series * z + 1.0 / 5;
    series = series * z + 1.0 / 3;
    double high = 2 * s;
    return k * LN2_HIGH + (high + (high * z * series + k * LN2_LOW));
}

double exact_exp(double x)
{
    if (x != x)
        return x;
    if (x > 709.78)
        return INFINITY;
    if (x < -745.2)
        return 0;
    double scaled = x * 1.44269504088896340736;
    int k = (int)(scaled + (scaled < 0 ? -0.5 : 0.5));
    double r = (x - k * LN2_HIGH) - k * LN2_LOW; /* |r| <= 0.3466 */
    double sum = 1.0 / 6227020800.0;             /* 1 / 13! */
    sum = sum * r + 1.0 / 479001600;
    sum = sum * r + 1.0 / 39916800;
    sum = sum * r + 1.0 / 3628800;
    sum = sum * r + 1.0 / 362880;
    sum = sum * r + 1.0 / 40320;
    sum = sum * r + 1.0 / 5040;
    sum = sum * r + 1.0 / 720;
    sum = sum * r + 1.0 / 120;
    sum = sum * r + 1.0 / 24;
    sum = sum * r + 1.0 / 6;
    sum = sum * r + 1.0 / 2;
    sum = sum * r + 1;
    sum = sum * r + 1;
    if (k < -1021) /* a subnormal result: scale in two steps */
        return sum * of_bits((uint64_t)(k + 1023 + 100) << 52) * 0x1p-100;
    if (k > 1023)
        return sum * 2 * of_bits((uint64_t)(k - 1 + 1023) << 52);
    return sum * of_bits((uint64_t)(k + 1023) << 52);
}

double exact_power(double x, double y)
{
    if (y == 0)
        return 1;
    return x <= 0 ? 0 : exact_exp(y * exact_log(x));
}

double exact_sqrt(double x)
{
    return sqrt(x); /* correctly rounded by IEEE 754: one instruction, the same everywhere */
}

double exact_sine_turn(double turns)
{
    int64_t whole = (int64_t)turns;
    double t = turns - (double)whole;
    if (t < 0)
        t += 1;
    double sign = 1;
    if (t >= 0.5) {
        t -= 0.5;
        sign = -1;
    }
    if (t > 0.25)
        t = 0.5 - t;
    double x = t * 6.28318530717958647692, z = x * x, term = x, sum = x; /* x in [0, pi/2] */
    for (int i = 2; i < 24; i += 2) {
        term = -term * z / (double)(i * (i + 1));
        sum += term;
    }
    return sign * sum;
}

/* Graeme West, "Better approximations to cumulative normal functions" (2005), after Hart (1968). */
double normal_cdf(double x)
{
    double z = x < 0 ? -x : x, tail;
    if (z > 37) {
        tail = 0;
    } else {
        double e = exact_exp(-z * z / 2);
        if (z < 7.07106781186547) {
            double n = 3.52624965998911e-02 * z + 0.700383064443688;
            n = n * z + 6.37396220353165;
            n = n * z + 33.912866078383;
            n = n * z + 112.079291497871;
            n = n * z + 221.213596169931;
            n = n * z + 220.206867912376;
            double d = 8.83883476483184e-02 * z + 1.75566716318264;
            d = d * z + 16.064177579207;
            d = d * z + 86.7807322029461;
            d = d * z + 296.564248779674;
            d = d * z + 637.333633378831;
            d = d * z + 793.826512519948;
            d = d * z + 440.413735824752;
            tail = e * n / d;
        } else {
            double f = z + 0.65;
            f = z + 4 / f;
            f = z + 3 / f;
            f = z + 2 / f;
            f = z + 1 / f;
            tail = e / f / 2.506628274631;
        }
    }
    return x > 0 ? 1 - tail : tail;
}

/* Bisection on normal_cdf: slow (60 steps), exact to the last bits that matter, and used only in
 * statistics. */
double normal_quantile(double p)
{
    if (!(p > 0 && p < 1))
        return p <= 0 ? -INFINITY : INFINITY;
    double low = -40, high = 40;
    for (int i = 0; i < 70; i++) {
        double middle = (low + high) / 2;
        if (normal_cdf(middle) < p)
            low = middle;
        else
            high = middle;
    }
    return (low + high) / 2;
}

double log_factorial(double k)
{
    static const double small[] = {
        0,
        0,
        0.693147180559945309,
        1.791759469228055001,
        3.178053830347945620,
        4.787491742782045994,
        6.579251212010100995,
        8.525161361065414300,
        10.604602902745250228,
        12.801827480081469611,
    };
    if (k < 10)
        return small[(int)k];
    double x = k + 1, z = 1 / (x * x); /* Stirling's series for log gamma(k + 1) */
    double series = (1.0 / 12 - z * (1.0 / 360 - z * (1.0 / 1260 - z / 1680))) / x;
    return (x - 0.5) * exact_log(x) - x + 0.918938533204672742 + series;
}
