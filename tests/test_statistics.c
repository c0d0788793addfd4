/* Statistics against published values and against what sorting says. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "sim/engine/random.h"
#include "sim/engine/statistics.h"

static void assert_near(double got, double want, double within)
{
    if (!(fabs(got - want) <= within))
        fail_msg("got %.12g, want %.12g", got, want);
}

static int by_value(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

static void test_quantiles_are_within_their_error(void **state)
{
    (void)state;
    enum { N = 20000 };
    static int64_t values[N];
    static struct histogram whole, half[2];
    struct stream stream;
    stream_init(&stream, 1, 0, "test", "histogram");
    whole = half[0] = half[1] = (struct histogram){.n = 0};
    for (int i = 0; i < N; i++) {
        values[i] = (int64_t)stream_lognormal(&stream, 14, 3);
        histogram_add(&whole, values[i], 1);
        histogram_add(&half[i % 2], values[i], 1);
    }
    qsort(values, N, sizeof *values, by_value);
    for (double share = 0.001; share <= 1; share += 0.0317) {
        int64_t want = values[(int)ceil(share * N) - 1];
        assert_near((double)histogram_quantile(&whole, share), (double)want,
                    (double)want / 128 + 0.5);
    }
    histogram_merge(&half[0], &half[1]);
    for (int i = 0; i < HISTOGRAM_BUCKETS; i++)
        assert_int_equal(half[0].count[i], whole.count[i]);
    histogram_add(&whole, INT64_MAX, 1); /* the last bucket holds the largest number */
    histogram_add(&whole, -5, 1);
    assert_int_equal(histogram_quantile(&whole, 0), 0);
}

static void test_moments_merge(void **state)
{
    (void)state;
    struct moments all = {0}, part[3] = {{0}, {0}, {0}};
    for (int i = 0; i < 1000; i++) {
        double x = 1e6 + (i * 37) % 101;
        moments_add(&all, x);
        moments_add(&part[i % 3], x);
    }
    moments_merge(&part[0], &part[1]);
    moments_merge(&part[0], &part[2]);
    assert_int_equal(part[0].n, 1000);
    assert_near(part[0].mean, all.mean, 1e-6);
    assert_near(moments_variance(&part[0]), moments_variance(&all), 1e-6);
    assert_true(part[0].low == all.low && part[0].high == all.high);
}

static void test_published_values(void **state)
{
    (void)state;
    /* Student's table: 97.5% at 1, 4, 9, 30 degrees; and the normal far out */
    assert_near(student_quantile(0.975, 1), 12.7062047362, 1e-8);
    assert_near(student_quantile(0.975, 4), 2.77644510520, 1e-9);
    assert_near(student_quantile(0.975, 9), 2.26215716280, 1e-9);
    assert_near(student_quantile(0.95, 30), 1.69726088700, 1e-8);
    assert_near(student_quantile(0.975, 1e6), 1.95996, 1e-4);
    /* Wilson's score interval for 8 of 10, and for none of 20, at 95% (Newcombe 1998) */
    struct confidence_interval w = wilson_interval(8, 10, 0.95);
    assert_near(w.low, 0.4901625, 1e-6);
    assert_near(w.high, 0.9433178, 1e-6);
    w = wilson_interval(0, 20, 0.95);
    assert_near(w.low, 0, 0);
    assert_near(w.high, 0.1611252, 1e-6);
    struct moments m = {0};
    for (int i = 1; i <= 5; i++)
        moments_add(&m, i);
    struct confidence_interval s = student_interval(&m, 0.95); /* 3 +- 2.776 * sqrt(2.5 / 5) */
    assert_near(s.low, 3 - 1.96324, 1e-4);
    assert_near(s.high, 3 + 1.96324, 1e-4);
}

/* 2000 intervals at 90%: how many hold the true mean must be within 5 standard errors of 1800
 * (a false alarm once in 1.7 million). */
static void test_intervals_cover_what_they_claim(void **state)
{
    (void)state;
    struct stream stream;
    int covered = 0;
    stream_init(&stream, 1, 0, "test", "coverage");
    for (int i = 0; i < 2000; i++) {
        struct moments m = {0};
        for (int j = 0; j < 8; j++)
            moments_add(&m, 5 + 2 * stream_normal(&stream));
        struct confidence_interval interval = student_interval(&m, 0.9);
        covered += interval.low <= 5 && 5 <= interval.high;
    }
    assert_near(covered, 1800, 5 * sqrt(2000 * 0.9 * 0.1));
}

static void test_pairs_cancel_what_they_share(void **state)
{
    (void)state;
    struct stream stream;
    struct paired paired = {{0}, {0}, {0}};
    stream_init(&stream, 1, 0, "test", "pairs");
    for (int i = 0; i < 200; i++) {
        double luck = 100 * stream_normal(&stream);
        paired_add(&paired, 500 + luck, 503 + luck + stream_normal(&stream));
    }
    struct confidence_interval d = student_interval(&paired.difference, 0.999999);
    assert_true(d.low > 2 && d.high < 4); /* 3 s apart, though each varies by 100 s */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_quantiles_are_within_their_error),
        cmocka_unit_test(test_moments_merge),
        cmocka_unit_test(test_published_values),
        cmocka_unit_test(test_intervals_cover_what_they_claim),
        cmocka_unit_test(test_pairs_cancel_what_they_share),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
