/* Threshold times duration in one pass, against a loop that tries every rule by itself. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "reports/plot/plane.h"
#include "reports/plot/png.h"
#include "sim/engine/random.h"
#include "sim/tune/plane.h"

enum { THRESHOLDS = 40, DURATIONS = 9, TICKS = 700 };
static const int ticks[DURATIONS] = {1, 2, 3, 5, 8, 13, 30, 64, 200};

/* Restless, with plateaus, gaps and ties with the thresholds. */
static void trace(struct stream *stream, double *values)
{
    double level = 5;
    for (int k = 0; k < TICKS; k++) {
        if (stream_below(stream, 8) == 0)
            level = (double)stream_below(stream, 12);
        values[k] = stream_below(stream, 30) == 0
                        ? NAN
                        : level + (stream_below(stream, 3) == 0 ? stream_normal(stream) : 0);
    }
}

static void naive(const double *values, double threshold, bool above, int n, int *ret_first,
                  int *ret_episodes)
{
    int row = 0;
    bool fires = false;
    *ret_first = -1;
    *ret_episodes = 0;
    for (int k = 0; k < TICKS; k++) {
        bool breach = above ? values[k] > threshold : values[k] < threshold;
        row = breach ? row + 1 : 0;
        bool now = row >= n;
        if (now && !fires) {
            (*ret_episodes)++;
            if (*ret_first < 0)
                *ret_first = k;
        }
        fires = now;
    }
}

static void test_every_cell_is_what_the_rule_does(void **state)
{
    (void)state;
    double thresholds[THRESHOLDS];
    for (int t = 0; t < THRESHOLDS; t++)
        thresholds[t] = t * 0.3; /* 0, 3, 6 ... are met exactly */
    struct tune_grid grid = {thresholds, THRESHOLDS, ticks, DURATIONS};
    static double values[TICKS];
    static int16_t codes[TICKS];
    static int32_t first[THRESHOLDS * DURATIONS], episodes[THRESHOLDS * DURATIONS];
    struct stream stream;
    stream_init(&stream, 1, 0, "test", "tune");
    for (int run = 0; run < 40; run++) {
        bool above = run % 2;
        trace(&stream, values);
        tune_encode(&grid, values, TICKS, above, codes);
        tune_first(&grid, codes, TICKS, first);
        tune_episodes(&grid, codes, TICKS, episodes);
        for (int d = 0; d < DURATIONS; d++)
            for (int t = 0; t < THRESHOLDS; t++) {
                int want_first, want_episodes, at = d * THRESHOLDS + tune_index(&grid, t, above);
                naive(values, thresholds[t], above, ticks[d], &want_first, &want_episodes);
                if (first[at] != want_first || episodes[at] != want_episodes)
                    fail_msg("run %d, threshold %g, %d ticks: %d and %d, want %d and %d", run,
                             thresholds[t], ticks[d], first[at], episodes[at], want_first,
                             want_episodes);
            }
    }
}

/* Breaches with probability p at each tick: on average (1 - p^n) / (p^n (1 - p)) ticks to the first
 * n in a row. 2000 runs; five standard errors of a time that is about exponential. */
static void test_time_to_a_false_alarm(void **state)
{
    (void)state;
    const double threshold = 0.7, p = 0.3;
    const int three = 3;
    struct tune_grid grid = {&threshold, 1, &three, 1};
    struct stream stream;
    double sum = 0;
    stream_init(&stream, 1, 0, "test", "false alarms");
    for (int run = 0; run < 2000; run++) {
        static double values[2000];
        static int16_t codes[2000];
        int32_t first;
        for (int k = 0; k < 2000; k++)
            values[k] = stream_uniform(&stream);
        tune_encode(&grid, values, 2000, true, codes);
        tune_first(&grid, codes, 2000, &first);
        assert_true(first >= 2);
        sum += first + 1;
    }
    double want = (1 - p * p * p) / (p * p * p * (1 - p));
    assert_true(fabs(sum / 2000 - want) < 5 * want / sqrt(2000));
}

/* Noise around 1 with a step to 3 at tick 300: the rule chosen keeps its budget on fresh runs, and
 * is not slower than a rule that a person would have picked. */
static void test_the_choice_keeps_its_budget(void **state)
{
    (void)state;
    enum { RUNS = 400, N = 600, ONSET = 300, G = 60, D = 6 };
    static const int durations[D] = {1, 2, 3, 5, 8, 20};
    double thresholds[G];
    for (int t = 0; t < G; t++)
        thresholds[t] = 0.5 + 0.05 * t;
    struct tune_grid grid = {thresholds, G, durations, D};
    static struct tune_cell half[2][G * D];
    struct stream stream;
    stream_init(&stream, 1, 0, "test", "choice");
    for (int run = 0; run < RUNS; run++) {
        static double values[N];
        static int16_t codes[N];
        static int32_t first[G * D];
        for (int k = 0; k < N; k++)
            values[k] = (k < ONSET ? 1 : 2.2) + 0.4 * stream_normal(&stream);
        tune_encode(&grid, values, N, true, codes);
        tune_first(&grid, codes, N, first);
        tune_add(&grid, first, ONSET, half[run % 2]);
    }
    int chosen = tune_choose(&grid, half[0], RUNS / 2, 0.05, N - ONSET);
    assert_true(chosen >= 0);
    const struct tune_cell *fresh = &half[1][chosen];
    assert_true((double)fresh->false_alarms / (RUNS / 2) <=
                0.05 + 5 * sqrt(0.05 * 0.95 / (RUNS / 2)));
    assert_true(fresh->missed == 0 && tune_mean_delay(fresh, N - ONSET) < 3);
    assert_int_equal(tune_choose(&grid, half[0], 20, 0.05, N), -1); /* twenty runs show nothing */
    assert_true(tune_runs_needed(0.01) > 250 && tune_runs_needed(0.01) < 290);
}

/* A plane as a trigger has it: low thresholds and short durations alarm too often, high and long
 * ones miss, and what lies between is the later the longer. */
enum { SIDE = 41, ROWS = 30, RUNS_DRAWN = 200, PATIENCE = 160 };

struct drawn {
    double thresholds[SIDE];
    int ticks[ROWS];
    struct tune_cell cells[SIDE * ROWS];
    struct tune_grid grid;
    struct plane_picture picture;
};

static void lay_out(struct drawn *drawn, int columns, bool above, int noisy, int blind)
{
    for (int t = 0; t < columns; t++)
        drawn->thresholds[t] = 0.005 * exact_power(10, t / 20.0);
    for (int d = 0; d < ROWS; d++)
        drawn->ticks[d] = 1 + d * (d + 1) / 2;
    drawn->grid = (struct tune_grid){drawn->thresholds, columns, drawn->ticks, ROWS};
    for (int d = 0; d < ROWS; d++) {
        for (int t = 0; t < columns; t++) {
            struct tune_cell *cell = &drawn->cells[d * columns + t];
            int miss = t + d > blind ? RUNS_DRAWN : 0, alarms = t + 2 * d < noisy ? 60 : 0;
            int left = RUNS_DRAWN - alarms;
            *cell = (struct tune_cell){alarms, miss ? 0 : left, miss ? left : 0,
                                       miss ? 0 : (int64_t)left * drawn->ticks[d]};
        }
    }
    drawn->picture = (struct plane_picture){
        .drill = "shop/a-drill-with-a-rather-long-name-that-has-to-be-cut",
        .trigger = "shop.errors.of.checkout.in.all.regions",
        .metric = "http_requests_failed_ratio_5m",
        .comparison = above ? ">" : "<",
        .grid = &drawn->grid,
        .above = above,
        .cells = drawn->cells,
        .judged = drawn->cells,
        .runs = RUNS_DRAWN,
        .judged_runs = RUNS_DRAWN,
        .patience = PATIENCE,
        .budget = 0.05,
        .tick_s = 15,
        .proposed = -1,
    };
}

static void every_plane_can_be_drawn(void **state)
{
    (void)state;
    static const struct {
        int columns, noisy, blind, now, proposed;
        bool above;
    } cases[] = {
        {SIDE, 12, 45, 5 * SIDE + 20, 6 * SIDE + 21, true}, /* beside each other */
        {SIDE, 12, 45, 5 * SIDE + 20, 5 * SIDE + 20, true}, /* one */
        {SIDE, 12, 45, 0, SIDE - 1, false},                 /* in the corners */
        {SIDE, 12, 45, ROWS * SIDE - 1, (ROWS - 1) * SIDE, true},
        {SIDE, 12, 45, 3, 4, true},
        {SIDE, 999, 999, 7, -1, true}, /* all alarm */
        {SIDE, 0, -1, 7, -1, true},    /* none detects */
        {SIDE, 0, 999, 7, 7, false},   /* all detect */
        {1, 0, 20, 0, 1, true},        /* one threshold: an equality */
    };
    static const double widths[] = {900, 600, 420, 400};
    static struct drawn drawn;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        lay_out(&drawn, cases[i].columns, cases[i].above, cases[i].noisy, cases[i].blind);
        drawn.picture.now = cases[i].now;
        drawn.picture.proposed = cases[i].proposed;
        for (size_t k = 0; k < sizeof widths / sizeof *widths; k++) {
            struct buf svg, again, png;
            buf_init(&svg, 1 << 24);
            buf_init(&again, 1 << 24);
            buf_init(&png, 1 << 24);
            int problems = plot_plane(&drawn.picture, widths[k], &svg);
            if (problems)
                fail_msg("case %zu, %.0f pixels: %d labels collide", i, widths[k], problems);
            plot_plane(&drawn.picture, widths[k], &again);
            assert_string_equal(svg.at, again.at);
            assert_int_equal(png_of_svg(buf_text(&svg), 1, &png), 0);
            if (getenv("REHEARSE_KEEP_PICTURES")) {
                char path[256];
                snprintf(path, sizeof path, "%s/plane-%zu-%.0f.png",
                         getenv("REHEARSE_KEEP_PICTURES"), i, widths[k]);
                FILE *file = fopen(path, "w");
                assert_non_null(file);
                fwrite(png.at, 1, png.len, file);
                assert_int_equal(fclose(file), 0);
            }
            buf_release(&svg);
            buf_release(&again);
            buf_release(&png);
        }
    }
}

/* Where the colours change, and what the words say, at a plane that can be counted by hand. */
static void a_plane_says_what_its_cells_say(void **state)
{
    (void)state;
    static struct drawn drawn;
    struct buf svg;
    buf_init(&svg, 1 << 24);
    lay_out(&drawn, SIDE, true, 12, 45);
    drawn.picture.now = 5 * SIDE + 20;
    drawn.picture.proposed = 3 * SIDE + 6;
    assert_int_equal(plot_plane(&drawn.picture, 900, &svg), 0);
    /* 20 twentieths of a decade above 0.005; 16 ticks in a row are held for 15 of them */
    assert_non_null(
        strstr(svg.at, "&gt; 0.05 for 3 min 45 s: detects after 4 min, 0.0% false alarms"));
    assert_non_null(strstr(svg.at, "for 1 min 30 s: detects after 1 min 45 s"));
    assert_non_null(strstr(svg.at, "a miss counted as 40 min"));
    assert_non_null(strstr(svg.at, ">never detects<"));
    assert_non_null(strstr(svg.at, "cannot be shown to stay under 5% false alarms"));
    buf_release(&svg);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_cell_is_what_the_rule_does),
        cmocka_unit_test(test_time_to_a_false_alarm),
        cmocka_unit_test(test_the_choice_keeps_its_budget),
        cmocka_unit_test(every_plane_can_be_drawn),
        cmocka_unit_test(a_plane_says_what_its_cells_say),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
