/* random: named streams of one seed.
 *
 * stream = f(seed, replication, entity, purpose). Each name is a generator of its own, so that a
 * new draw elsewhere shifts nobody, and two runs that differ in one thing share all other chance
 * (common random numbers). Generator: xoshiro256++ (Blackman and Vigna), seeded through splitmix64.
 * Same bits everywhere.
 */
#ifndef REHEARSE_ENGINE_RANDOM_H
#define REHEARSE_ENGINE_RANDOM_H

#include <stdint.h>

#include "sim/engine/arithmetic.h"

struct stream {
    uint64_t s[4];
};

/* A hash of text that is the same everywhere; start with 0, chain by passing the last result. */
uint64_t hash_text(uint64_t start, const char *z);
/* A good 64-bit mix of one number (splitmix64's finaliser). */
uint64_t hash_mix(uint64_t x);

void stream_init(struct stream *, uint64_t seed, uint64_t replication, const char *entity,
                 const char *purpose);

static inline uint64_t stream_bits(struct stream *stream)
{
    uint64_t *s = stream->s, sum = s[0] + s[3], t = s[1] << 17;
    uint64_t result = ((sum << 23) | (sum >> 41)) + s[0];
    s[2] ^= s[0];
    s[3] ^= s[1];
    s[1] ^= s[2];
    s[0] ^= s[3];
    s[2] ^= t;
    s[3] = (s[3] << 45) | (s[3] >> 19);
    return result;
}

/* [0, 1) in steps of 2^-53. */
static inline double stream_uniform(struct stream *stream)
{
    return (double)(stream_bits(stream) >> 11) * 0x1p-53;
}

/* Marsaglia and Tsang, "The ziggurat method for generating random variables" (2000), with 256
 * layers. The tables are computed once, before main, by our own arithmetic. */
struct ziggurat {
    uint64_t inside[256]; /* draws below this lie wholly under the curve */
    double width[256], height[256];
};
extern struct ziggurat exponential_layers;
double stream_exponential_edge(struct stream *, uint64_t bits); /* the rare rest; mean 1 */

static inline double stream_exponential(struct stream *stream, double mean)
{
    uint64_t bits = stream_bits(stream), u = bits >> 8;
    unsigned layer = bits & 255;
    if (__builtin_expect(u < exponential_layers.inside[layer], 1))
        return mean * (double)(int64_t)u * exponential_layers.width[layer];
    return mean * stream_exponential_edge(stream, bits);
}

/* The same for the normal distribution (mean 0, deviation 1), by its right half. */
extern struct ziggurat normal_layers;
double stream_normal_edge(struct stream *, uint64_t bits);

static inline double stream_normal(struct stream *stream)
{
    uint64_t bits = stream_bits(stream), u = bits >> 9;
    unsigned layer = bits & 255;
    if (__builtin_expect(u < normal_layers.inside[layer], 1)) {
        double x = (double)(int64_t)u * normal_layers.width[layer];
        return bits & 256 ? -x : x;
    }
    return stream_normal_edge(stream, bits);
}

double stream_lognormal(struct stream *, double mu, double sigma); /* of the logarithm */
int64_t stream_below(struct stream *, int64_t n);     /* whole number in [0, n), no bias; n > 0 */
int64_t stream_poisson(struct stream *, double mean); /* mean in [0, 1e15] */
int64_t stream_binomial(struct stream *, int64_t n, double p);

#endif
