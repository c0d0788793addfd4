#include "sim/engine/random.h"

#include <assert.h>
#include <stdbool.h>

uint64_t hash_mix(uint64_t x)
{
    x += 0x9e3779b97f4a7c15ULL;
    x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9ULL;
    x = (x ^ (x >> 27)) * 0x94d049bb133111ebULL;
    return x ^ (x >> 31);
}

/* FNV-1a over the bytes and the closing NUL (so that "a","bc" and "ab","c" differ), then mixed. */
uint64_t hash_text(uint64_t start, const char *z)
{
    uint64_t hash = start ^ 0xcbf29ce484222325ULL;
    do
        hash = (hash ^ (unsigned char)*z) * 0x100000001b3ULL;
    while (*z++);
    return hash_mix(hash);
}

void stream_init(struct stream *stream, uint64_t seed, uint64_t replication, const char *entity,
                 const char *purpose)
{
    uint64_t key = hash_text(hash_mix(hash_mix(seed) ^ replication), entity);
    key = hash_text(key, purpose);
    for (int i = 0; i < 4; i++) {
        key += 0x9e3779b97f4a7c15ULL;
        stream->s[i] = hash_mix(key);
    }
}

struct ziggurat exponential_layers, normal_layers;

/* Where the tail begins, and the area of each layer and of the tail with its base. */
static const double EXPONENTIAL_EDGE = 7.69711747013104972, EXPONENTIAL_AREA = 3.949659822581572e-3;
static const double NORMAL_EDGE = 3.6541528853610088, NORMAL_AREA = 4.92867323399e-3;

static double exponential_height(double x)
{
    return exact_exp(-x);
}

static double exponential_inverse(double y)
{
    return -exact_log(y);
}

static double normal_height(double x)
{
    return exact_exp(-x * x / 2);
}

static double normal_inverse(double y)
{
    return exact_sqrt(-2 * exact_log(y));
}

static void make_layers(struct ziggurat *at, double edge, double area, double scale,
                        double (*height)(double), double (*inverse)(double))
{
    double x = edge, below = edge, base = area / height(edge);
    at->inside[0] = (uint64_t)(edge / base * scale);
    at->width[0] = base / scale;
    at->width[255] = edge / scale;
    at->height[0] = 1;
    at->height[255] = height(edge);
    for (int i = 254; i >= 1; i--) {
        x = inverse(area / x + height(x));
        at->inside[i + 1] = (uint64_t)(x / below * scale);
        below = x;
        at->height[i] = height(x);
        at->width[i] = x / scale;
    }
    at->inside[1] = 0;
}

__attribute__((constructor)) static void make_all_layers(void)
{
    make_layers(&exponential_layers, EXPONENTIAL_EDGE, EXPONENTIAL_AREA, 0x1p56, exponential_height,
                exponential_inverse);
    make_layers(&normal_layers, NORMAL_EDGE, NORMAL_AREA, 0x1p55, normal_height, normal_inverse);
}

double stream_exponential_edge(struct stream *stream, uint64_t bits)
{
    const struct ziggurat *at = &exponential_layers;
    for (;;) {
        uint64_t u = bits >> 8;
        unsigned layer = bits & 255;
        double x = (double)(int64_t)u * at->width[layer];
        if (u < at->inside[layer])
            return x;
        if (layer == 0) /* the tail has no memory: it is the whole again, further out */
            return EXPONENTIAL_EDGE - exact_log(1 - stream_uniform(stream));
        if (at->height[layer] +
                stream_uniform(stream) * (at->height[layer - 1] - at->height[layer]) <
            exact_exp(-x))
            return x;
        bits = stream_bits(stream);
    }
}

static double normal_tail(struct stream *stream)
{
    for (;;) { /* Marsaglia (1964) */
        double x = -exact_log(1 - stream_uniform(stream)) / NORMAL_EDGE;
        double y = -exact_log(1 - stream_uniform(stream));
        if (2 * y > x * x)
            return NORMAL_EDGE + x;
    }
}

double stream_normal_edge(struct stream *stream, uint64_t bits)
{
    const struct ziggurat *at = &normal_layers;
    for (;;) {
        uint64_t u = bits >> 9;
        unsigned layer = bits & 255;
        double sign = bits & 256 ? -1 : 1, x = (double)(int64_t)u * at->width[layer];
        if (u < at->inside[layer])
            return sign * x;
        if (layer == 0)
            return sign * normal_tail(stream);
        if (at->height[layer] +
                stream_uniform(stream) * (at->height[layer - 1] - at->height[layer]) <
            normal_height(x))
            return sign * x;
        bits = stream_bits(stream);
    }
}

double stream_lognormal(struct stream *stream, double mu, double sigma)
{
    return exact_exp(mu + sigma * stream_normal(stream));
}

/* Lemire's multiplication with rejection: no bias. */
int64_t stream_below(struct stream *stream, int64_t n)
{
    assert(n > 0);
    uint64_t range = (uint64_t)n;
    for (;;) {
        __extension__ typedef unsigned __int128 wide_int;
        wide_int wide = (wide_int)stream_bits(stream) * range;
        if ((uint64_t)wide >= (0 - range) % range)
            return (int64_t)(wide >> 64);
    }
}

/* PTRS: Hoermann, "The transformed rejection method for generating Poisson random variables"
 * (1993). */
static int64_t poisson_large(struct stream *stream, double mean)
{
    double b = 0.931 + 2.53 * exact_sqrt(mean), a = -0.059 + 0.02483 * b;
    double inverse_alpha = 1.1239 + 1.1328 / (b - 3.4), v_r = 0.9277 - 3.6224 / (b - 2);
    double log_mean = exact_log(mean);
    for (;;) {
        double u = stream_uniform(stream) - 0.5, v = 1 - stream_uniform(stream);
        double us = 0.5 - (u < 0 ? -u : u);
        if (us < 1e-12)
            continue;
        double x = (2 * a / us + b) * u + mean + 0.43;
        if (x < 0)
            continue;
        double k = (double)(int64_t)x;
        if (us >= 0.07 && v <= v_r)
            return (int64_t)k;
        if (us < 0.013 && v > us)
            continue;
        if (exact_log(v * inverse_alpha / (a / (us * us) + b)) <=
            -mean + k * log_mean - log_factorial(k))
            return (int64_t)k;
    }
}

int64_t stream_poisson(struct stream *stream, double mean)
{
    assert(mean >= 0 && mean <= 1e15);
    if (mean == 0)
        return 0;
    if (mean >= 10)
        return poisson_large(stream, mean);
    double u = stream_uniform(stream), p = exact_exp(-mean), sum = p; /* inversion */
    int64_t k = 0;
    while (u >= sum && k < 200) {
        k++;
        p *= mean / (double)k;
        sum += p;
    }
    return k;
}

/* BTRS: Hoermann, "The generation of binomial random variates" (1993); p <= 1/2 and n p >= 10. */
static int64_t binomial_large(struct stream *stream, int64_t n, double p)
{
    double count = (double)n, q = 1 - p, spread = exact_sqrt(count * p * q);
    double b = 1.15 + 2.53 * spread, a = -0.0873 + 0.0248 * b + 0.01 * p;
    double c = count * p + 0.5, v_r = 0.92 - 4.2 / b, alpha = (2.83 + 5.1 / b) * spread;
    double log_odds = exact_log(p / q), mode = (double)(int64_t)((count + 1) * p);
    double h = log_factorial(mode) + log_factorial(count - mode);
    for (;;) {
        double u = stream_uniform(stream) - 0.5, v = 1 - stream_uniform(stream);
        double us = 0.5 - (u < 0 ? -u : u);
        if (us < 1e-12)
            continue;
        double x = (2 * a / us + b) * u + c;
        if (x < 0)
            continue;
        double k = (double)(int64_t)x;
        if (k > count)
            continue;
        if (us >= 0.07 && v <= v_r)
            return (int64_t)k;
        if (exact_log(v * alpha / (a / (us * us) + b)) <=
            h - log_factorial(k) - log_factorial(count - k) + (k - mode) * log_odds)
            return (int64_t)k;
    }
}

static int64_t binomial_small(struct stream *stream, int64_t n, double p)
{
    double q = 1 - p, odds = p / q, u = stream_uniform(stream);
    double term = exact_exp((double)n * exact_log(q)), sum = term;
    int64_t k = 0;
    while (u >= sum && k < n && k < 400) {
        k++;
        term *= odds * (double)(n - k + 1) / (double)k;
        sum += term;
    }
    return k;
}

int64_t stream_binomial(struct stream *stream, int64_t n, double p)
{
    if (n <= 0 || !(p > 0))
        return 0;
    if (p >= 1)
        return n;
    bool flipped = p > 0.5;
    double smaller = flipped ? 1 - p : p;
    int64_t k = (double)n * smaller >= 10 ? binomial_large(stream, n, smaller)
                                          : binomial_small(stream, n, smaller);
    return flipped ? n - k : k;
}
