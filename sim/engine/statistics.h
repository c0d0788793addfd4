/* statistics: what many runs, or many requests, say together, and how sure one may be of it.
 *
 * Everything merges: histograms hold whole counts, so merging is exact and its order does not
 * matter; means merge by Chan's formula, so merge in the order of the replications to get the same
 * bits for any number of threads.
 */
#ifndef REHEARSE_ENGINE_STATISTICS_H
#define REHEARSE_ENGINE_STATISTICS_H

#include <stdbool.h>
#include <stdint.h>

/* ---- mean and variance: Welford (1962), merged by Chan, Golub and LeVeque (1979) ---- */

struct moments {
    int64_t n;
    double mean, m2; /* m2: sum of squared distances from the mean */
    double low, high;
};
void moments_add(struct moments *, double x);
void moments_merge(struct moments *, const struct moments *with);
double moments_variance(const struct moments *); /* of the sample; 0 below two values */

/* ---- histogram of non-negative whole numbers (nanoseconds), within 1/128 of the value ---- */

enum { HISTOGRAM_STEPS = 64, HISTOGRAM_BUCKETS = HISTOGRAM_STEPS * 59 };
struct histogram {
    int64_t count[HISTOGRAM_BUCKETS];
    int64_t n;
};
void histogram_add(struct histogram *, int64_t value,
                   int64_t times); /* a negative value counts as 0 */
void histogram_merge(struct histogram *, const struct histogram *with);
/* The value below or at which that share of them lies, off by at most 1/128 of itself; 0 if it is
 * empty. */
int64_t histogram_quantile(const struct histogram *, double share);

/* ---- intervals; confidence such as 0.95, two-sided ---- */

struct confidence_interval {
    double low, high;
};
/* For the mean of independent values that are about normal (Student). n >= 2, else it is infinite.
 */
struct confidence_interval student_interval(const struct moments *, double confidence);
/* For a probability seen `hits` times in n trials (Wilson 1927). */
struct confidence_interval wilson_interval(int64_t hits, int64_t n, double confidence);
double student_quantile(double p, double degrees); /* inverse of the distribution function */

/* ---- two procedures on the same seeds: the differences, run by run, under common random numbers
 * ---- */

struct paired {
    struct moments first, second, difference; /* difference: second - first */
};
void paired_add(struct paired *, double first, double second);

#endif
