/* The engine: arithmetic against libm, streams against their moments, the queue against its order.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "sim/engine/arithmetic.h"
#include "sim/engine/queue.h"
#include "sim/engine/random.h"

static void assert_close(double got, double want, double relative)
{
    double scale = fabs(want) > 1e-300 ? fabs(want) : 1;
    if (!(fabs(got - want) <= relative * scale))
        fail_msg("got %.17g, want %.17g", got, want);
}

static void test_arithmetic_agrees_with_libm(void **state)
{
    (void)state;
    struct stream stream;
    stream_init(&stream, 1, 0, "test", "arithmetic");
    for (int i = 0; i < 20000; i++) {
        double u = stream_uniform(&stream), x = exp((u - 0.5) * 1200);
        assert_close(exact_log(x), log(x), 1e-14);
        double y = (u - 0.5) * 1400;
        assert_close(exact_exp(y), exp(y), 1e-14 * (1 + fabs(y)));
        double z = (u - 0.5) * 16;
        assert_true(fabs(normal_cdf(z) - 0.5 * erfc(-z / sqrt(2))) < 1e-14);
        assert_true(fabs(exact_sine_turn(u * 7) - sin(u * 7 * 2 * 3.14159265358979323846)) < 1e-13);
    }
    for (double k = 0; k < 3000; k += 7)
        assert_close(log_factorial(k), lgamma(k + 1), 1e-12);
    assert_close(normal_quantile(0.975), 1.9599639845400545, 1e-12);
    assert_close(exact_power(2, 10), 1024, 1e-13);
    assert_true(exact_log(0) == -INFINITY && isnan(exact_log(-1)) && exact_exp(-1000) == 0);
}

/* Mean and variance of n draws must lie within 5 standard errors: a false alarm once in 1.7 million
 * checks each. */
static void check_moments(const char *what, double sum, double squares, int n, double mean,
                          double variance)
{
    double m = sum / n, v = squares / n - m * m;
    if (fabs(m - mean) > 5 * sqrt(variance / n))
        fail_msg("%s: mean %g, want %g", what, m, mean);
    /* the variance of these variances is at most a few times that of a normal one: 12 covers the
     * exponential */
    if (fabs(v - variance) > 5 * variance * sqrt(12.0 / n))
        fail_msg("%s: variance %g, want %g", what, v, variance);
}

#define MOMENTS(what, draw, mean, variance)                                                        \
    do {                                                                                           \
        double sum = 0, squares = 0;                                                               \
        for (int i = 0; i < 100000; i++) {                                                         \
            double x = (double)(draw);                                                             \
            sum += x;                                                                              \
            squares += x * x;                                                                      \
        }                                                                                          \
        check_moments(what, sum, squares, 100000, mean, variance);                                 \
    } while (0)

static void test_streams_have_their_moments(void **state)
{
    (void)state;
    struct stream s;
    stream_init(&s, 1, 0, "test", "moments");
    MOMENTS("uniform", stream_uniform(&s), 0.5, 1.0 / 12);
    MOMENTS("exponential", stream_exponential(&s, 3), 3, 9);
    MOMENTS("normal", stream_normal(&s), 0, 1);
    MOMENTS("below", stream_below(&s, 10), 4.5, 8.25);
    static const double means[] = {0.3, 4, 9.99, 10, 50, 192, 5000};
    for (size_t k = 0; k < sizeof means / sizeof *means; k++)
        MOMENTS("poisson", stream_poisson(&s, means[k]), means[k], means[k]);
    static const struct {
        int64_t n;
        double p;
    } trials[] = {{1, 0.3},     {192, 0.05},   {192, 0.9995}, {30, 0.5},
                  {1000, 0.02}, {100000, 0.7}, {40, 0.999}};
    for (size_t k = 0; k < sizeof trials / sizeof *trials; k++) {
        double n = (double)trials[k].n, p = trials[k].p;
        MOMENTS("binomial", stream_binomial(&s, trials[k].n, p), n * p, n * p * (1 - p));
    }
}

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* Kolmogorov and Smirnov: the largest distance between the draws and the distribution, times
 * sqrt(n), is above 2.8 once in three million times. */
static void check_shape(const char *what, double *x, int n, double (*cdf)(double))
{
    double worst = 0;
    qsort(x, (size_t)n, sizeof *x, by_value);
    for (int i = 0; i < n; i++) {
        double above = (i + 1.0) / n - cdf(x[i]), below = cdf(x[i]) - (double)i / n;
        worst = above > worst ? above : worst;
        worst = below > worst ? below : worst;
    }
    if (worst * sqrt(n) > 2.8)
        fail_msg("%s: distance %g", what, worst * sqrt(n));
}

static double exponential_cdf(double x)
{
    return 1 - exp(-x);
}

static void test_shapes(void **state)
{
    (void)state;
    enum { N = 400000 };
    static double x[N];
    struct stream s;
    stream_init(&s, 3, 0, "test", "shapes");
    for (int i = 0; i < N; i++)
        x[i] = stream_normal(&s);
    check_shape("normal", x, N, normal_cdf);
    for (int i = 0; i < N; i++)
        x[i] = stream_exponential(&s, 1);
    check_shape("exponential", x, N, exponential_cdf);
    int far =
        0; /* beyond the last layer: 0.0454% of the exponential's draws, 5 standard errors of 182 */
    for (int i = 0; i < N; i++)
        far += x[i] > 7.69711747013104972;
    assert_true(abs(far - 182) < 68);
}

static void test_streams_do_not_shift_each_other(void **state)
{
    (void)state;
    struct stream a, b, c;
    stream_init(&a, 1, 0, "api", "latency");
    stream_init(&b, 1, 0, "api", "latency");
    stream_init(&c, 1, 0, "api", "errors");
    uint64_t first = stream_bits(&a);
    assert_true(first == stream_bits(&b));
    assert_true(first != stream_bits(&c));
    stream_init(&c, 1, 1, "api", "latency");
    assert_true(first != stream_bits(&c));
    stream_init(&c, 2, 0, "api", "latency");
    assert_true(first != stream_bits(&c));
    /* fixed for ever: a change here changes every result that anybody has kept */
    assert_true(first == UINT64_C(0xdfa5d5b6bb2c2f65));
}

static void nothing(void)
{
}

static void test_queue_keeps_the_total_order(void **state)
{
    (void)state;
    struct queue queue;
    struct queued event;
    queue_init(&queue);
    int a, b, c, d;
    queue_push(&queue, 5, 1, nothing, &c);
    queue_push(&queue, 5, 1, nothing, &d);
    queue_push(&queue, 5, 0, nothing, &b);
    queue_push(&queue, 4, 9, nothing, &a);
    void *order[] = {&a, &b, &c, &d};
    assert_int_equal(queue_next(&queue), 4);
    for (int i = 0; i < 4; i++) {
        assert_true(queue_pop(&queue, &event));
        assert_ptr_equal(event.ctx, order[i]);
    }
    assert_false(queue_pop(&queue, &event));
    assert_true(queue_next(&queue) == INT64_MAX);
    queue_release(&queue);
}

static void test_queue_cancels(void **state)
{
    (void)state;
    enum { N = 20000 };
    struct queue queue;
    struct queued event;
    static uint64_t handles[N];
    queue_init(&queue);
    for (int64_t i = 0; i < N; i++)
        handles[i] = queue_push(&queue, (i * 7919) % N, 0, nothing, NULL);
    for (int i = 0; i < N; i++)
        if (i % 4) {
            assert_true(queue_cancel(&queue, handles[i]));
            assert_false(queue_cancel(&queue, handles[i]));
        }
    assert_int_equal(queue_count(&queue), N / 4);
    int64_t last = -1;
    int popped = 0;
    while (queue_pop(&queue, &event)) {
        assert_true(event.at_ns > last);
        last = event.at_ns;
        popped++;
    }
    assert_int_equal(popped, N / 4);
    assert_false(queue_cancel(&queue, handles[0])); /* it ran */
    assert_false(queue_cancel(&queue, 0));
    queue_release(&queue);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_arithmetic_agrees_with_libm),
        cmocka_unit_test(test_streams_have_their_moments),
        cmocka_unit_test(test_shapes),
        cmocka_unit_test(test_streams_do_not_shift_each_other),
        cmocka_unit_test(test_queue_keeps_the_total_order),
        cmocka_unit_test(test_queue_cancels),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
