/* Colours go from light (soon) to dark (late), so that they keep their order in grey; what alarms
 * too often is hatched, and the two rules have two shapes. */
#include "reports/plot/plane.h"

#include <math.h>
#include <string.h>

#include "reports/plot/canvas.h"
#include "reports/words.h"

enum { BOUNDS_MAX = 5, LABELS_MAX = 12 };

struct chart {
    const struct plane_picture *picture;
    struct canvas *canvas;
    struct arena *arena;
    double width, height, column, row;
    struct rect box;
    bool narrow;
    double bounds_s[BOUNDS_MAX]; /* between classes of delay */
    int n_bounds;
    bool shown[BOUNDS_MAX + 2], hatched; /* which classes any cell is of */
};

static const uint32_t ramp[BOUNDS_MAX + 1] = {0xE6F2FA, 0xBBDAEE, 0x86B9DC,
                                              0x4F93C4, 0x266CA3, 0x10487A};
enum { NEVER_COLOR = 0x1B1F24, HATCH = 0xA9B3BC, ALARMS_PAPER = 0xF6F2EC };

/* ---- cells ---- */

/* The cell of a threshold, counted from the lowest. */
static const struct tune_cell *cell_at(const struct chart *chart, int d, int t)
{
    const struct tune_grid *grid = chart->picture->grid;
    return &chart->picture
                ->cells[d * grid->n_thresholds + tune_index(grid, t, chart->picture->above)];
}

static bool keeps(const struct chart *chart, const struct tune_cell *cell)
{
    return tune_keeps(cell, chart->picture->runs, chart->picture->budget);
}

static double delay_s(const struct chart *chart, const struct tune_cell *cell)
{
    return tune_mean_delay(cell, chart->picture->patience) * chart->picture->tick_s;
}

static int n_classes(const struct chart *chart)
{
    return chart->n_bounds + 1;
}

/* Spread over the ramp, whatever the number of classes. */
static uint32_t class_color(const struct chart *chart, int i)
{
    return ramp[n_classes(chart) == 1 ? 2 : i * BOUNDS_MAX / (n_classes(chart) - 1)];
}

/* -1: alarms too often; n_classes: never detects. */
static int class_of(const struct chart *chart, const struct tune_cell *cell)
{
    if (!keeps(chart, cell))
        return -1;
    if (!cell->detected)
        return n_classes(chart);
    int i = 0;
    while (i < chart->n_bounds && delay_s(chart, cell) >= chart->bounds_s[i])
        i++;
    return i;
}

static void choose_bounds(struct chart *chart)
{
    static const double round_s[] = {1,   2,   5,   10,  15,  20,   30,   45,   60,  90,
                                     120, 180, 300, 600, 900, 1200, 1800, 3600, 7200};
    enum { N = sizeof round_s / sizeof *round_s };
    const struct tune_grid *grid = chart->picture->grid;
    double low = INFINITY, high = 0, inside[N] = {0};
    int n = 0;
    for (int d = 0; d < grid->n_durations; d++) {
        for (int t = 0; t < grid->n_thresholds; t++) {
            const struct tune_cell *cell = cell_at(chart, d, t);
            if (!keeps(chart, cell))
                chart->hatched = true;
            else if (cell->detected) {
                low = fmin(low, delay_s(chart, cell));
                high = fmax(high, delay_s(chart, cell));
            }
        }
    }
    for (int i = 0; i < N; i++)
        if (round_s[i] > low && round_s[i] < high)
            inside[n++] = round_s[i];
    chart->n_bounds = n < BOUNDS_MAX ? n : BOUNDS_MAX;
    for (int i = 0; i < chart->n_bounds; i++)
        chart->bounds_s[i] = inside[n <= BOUNDS_MAX ? i : i * (n - 1) / (BOUNDS_MAX - 1)];
    for (int d = 0; d < grid->n_durations; d++) {
        for (int t = 0; t < grid->n_thresholds; t++) {
            int class = class_of(chart, cell_at(chart, d, t));
            if (class >= 0)
                chart->shown[class] = true;
        }
    }
}

static void draw_cells(struct chart *chart)
{
    const struct tune_grid *grid = chart->picture->grid;
    canvas_fill(chart->canvas, chart->box, ALARMS_PAPER);
    if (chart->hatched)
        canvas_hatch(chart->canvas, chart->box, 7, (struct stroke){HATCH, 0.8, DASH_NONE});
    for (int d = 0; d < grid->n_durations; d++) {
        for (int t = 0, end; t < grid->n_thresholds; t = end) {
            int class = class_of(chart, cell_at(chart, d, t));
            end = t + 1;
            while (end < grid->n_thresholds && class_of(chart, cell_at(chart, d, end)) == class)
                end++;
            if (class < 0)
                continue;
            /* over by a pixel, which what is painted next covers: no seam shows in between */
            struct rect run = {chart->box.x0 + t * chart->column, chart->box.y0 + d * chart->row,
                               fmin(chart->box.x0 + end * chart->column + 1, chart->box.x1),
                               fmin(chart->box.y0 + (d + 1) * chart->row + 1, chart->box.y1)};
            canvas_fill(chart->canvas, run,
                        class == n_classes(chart) ? NEVER_COLOR : class_color(chart, class));
        }
    }
    canvas_frame(chart->canvas, chart->box, (struct stroke){AXIS, 1, DASH_NONE});
}

/* ---- axes ---- */

/* The place of a value between the middles of its neighbours, in cells; NaN outside of them. */
static double place_of(const double *values, int n, double value)
{
    double slack = 1e-9 * fabs(value);
    if (value < values[0] - slack || value > values[n - 1] + slack)
        return NAN;
    for (int i = 0; i + 1 < n; i++)
        if (value < values[i + 1])
            return i + 0.5 + (value - values[i]) / (values[i + 1] - values[i]);
    return n - 0.5;
}

static void draw_thresholds(struct chart *chart)
{
    static const double steps[] = {1, 2, 5};
    const struct tune_grid *grid = chart->picture->grid;
    struct font font = {SIZE_TICK, false, MUTED};
    double y = chart->box.y0, right = -INFINITY;
    for (int i = 0; i < 3 * 24; i++) {
        double value = steps[i % 3];
        for (int k = 0; k < 12; k++) /* from 1e-12 up */
            value /= 10;
        for (int k = 0; k < i / 3; k++)
            value *= 10;
        if (grid->n_thresholds == 1)
            value = grid->thresholds[0];
        double x =
            chart->box.x0 + place_of(grid->thresholds, grid->n_thresholds, value) * chart->column;
        const char *label = arena_printf(chart->arena, "%.4g", value);
        double half = text_width(font, label) / 2;
        if (!isfinite(x) || x - half < right + 10 || x + half > chart->width - 4)
            continue;
        right = x + half;
        canvas_line(chart->canvas, x, y, x, y - 5, (struct stroke){AXIS, 1, DASH_NONE});
        canvas_text(chart->canvas, x, y - 8, ALIGN_CENTER, VALIGN_TOP, font, label);
        if (grid->n_thresholds == 1)
            break;
    }
}

static void draw_durations(struct chart *chart)
{
    static const double shown_s[] = {0,   5,   10,  15,   30,   60,   120,
                                     300, 600, 900, 1800, 3600, 7200, 14400};
    const struct tune_grid *grid = chart->picture->grid;
    double *seconds = ARENA_ARRAY(chart->arena, double, grid->n_durations), top = -INFINITY;
    for (int d = 0; d < grid->n_durations; d++)
        seconds[d] = (grid->ticks[d] - 1) * chart->picture->tick_s;
    for (size_t i = 0; i < sizeof shown_s / sizeof *shown_s; i++) {
        double y = chart->box.y0 + place_of(seconds, grid->n_durations, shown_s[i]) * chart->row;
        if (!isfinite(y) || y < top + 15)
            continue;
        top = y;
        canvas_line(chart->canvas, chart->box.x0 - 5, y, chart->box.x0, y,
                    (struct stroke){AXIS, 1, DASH_NONE});
        canvas_text(chart->canvas, chart->box.x0 - 8, y, ALIGN_RIGHT, VALIGN_MIDDLE,
                    (struct font){SIZE_TICK, false, MUTED},
                    shown_s[i] > 0 ? words_duration(chart->arena, words_ns(shown_s[i]))
                                   : "at once");
    }
}

/* ---- the two rules ---- */

static void spot_of(const struct chart *chart, int cell, double *ret_x, double *ret_y)
{
    const struct tune_grid *grid = chart->picture->grid;
    int d = cell / grid->n_thresholds,
        t = tune_index(grid, cell % grid->n_thresholds, chart->picture->above);
    *ret_x = chart->box.x0 + (t + 0.5) * chart->column;
    *ret_y = chart->box.y0 + (d + 0.5) * chart->row;
}

static void draw_now(struct chart *chart, double x, double y)
{
    canvas_diamond(chart->canvas, x, y, 9, VERMILLION, PAPER);
}

static void draw_proposed(struct chart *chart, double x, double y)
{
    canvas_dot(chart->canvas, x, y, 7.5, INK, PAPER);
    canvas_dot(chart->canvas, x, y, 3, PAPER, PAPER);
}

static bool overlap(const struct rect *a, const struct rect *b)
{
    return a->x0 < b->x1 && b->x0 < a->x1 && a->y0 < b->y1 && b->y0 < a->y1;
}

/* A word on a plate beside a spot: where it is inside of the box and on nothing that is kept clear;
 * none if there is no such place. */
static void put_plate(struct chart *chart, double x, double y, const char *word, struct rect *clear,
                      int *n_clear)
{
    struct font font = {SIZE_LABEL, true, INK};
    double width = text_width(font, word) + 10, height = 20, gap = 12;
    const struct rect places[] = {
        {x + gap, y - height / 2, x + gap + width, y + height / 2},
        {x - gap - width, y - height / 2, x - gap, y + height / 2},
        {x - width / 2, y + gap, x + width / 2, y + gap + height},
        {x - width / 2, y - gap - height, x + width / 2, y - gap},
        {x + gap, y + gap, x + gap + width, y + gap + height},
        {x - gap - width, y + gap, x - gap, y + gap + height},
        {x + gap, y - gap - height, x + gap + width, y - gap},
        {x - gap - width, y - gap - height, x - gap, y - gap},
    };
    for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
        const struct rect *at = &places[i];
        bool free = at->x0 > chart->box.x0 && at->x1 < chart->box.x1 && at->y0 > chart->box.y0 &&
                    at->y1 < chart->box.y1;
        for (int k = 0; k < *n_clear; k++)
            free = free && !overlap(at, &clear[k]);
        if (!free)
            continue;
        canvas_fill(chart->canvas, *at, PAPER);
        canvas_frame(chart->canvas, *at, (struct stroke){AXIS, 0.8, DASH_NONE});
        canvas_text(chart->canvas, (at->x0 + at->x1) / 2, (at->y0 + at->y1) / 2, ALIGN_CENTER,
                    VALIGN_MIDDLE, font, word);
        clear[(*n_clear)++] = *at;
        return;
    }
}

static void draw_rules(struct chart *chart)
{
    const struct plane_picture *picture = chart->picture;
    struct rect clear[4];
    int n = 0;
    double x[2], y[2];
    spot_of(chart, picture->now, &x[0], &y[0]);
    clear[n++] = (struct rect){x[0] - 9, y[0] - 9, x[0] + 9, y[0] + 9};
    if (picture->proposed >= 0 && picture->proposed != picture->now) {
        spot_of(chart, picture->proposed, &x[1], &y[1]);
        clear[n++] = (struct rect){x[1] - 8, y[1] - 8, x[1] + 8, y[1] + 8};
        draw_now(chart, x[0], y[0]);
        draw_proposed(chart, x[1], y[1]);
        put_plate(chart, x[0], y[0], "now", clear, &n);
        put_plate(chart, x[1], y[1], "proposed", clear, &n);
        return;
    }
    draw_now(chart, x[0], y[0]);
    put_plate(chart, x[0], y[0], picture->proposed < 0 ? "now" : "now and proposed", clear, &n);
}

static const char *rule_words(const struct chart *chart, const char *which, int at)
{
    const struct plane_picture *picture = chart->picture;
    const struct tune_grid *grid = picture->grid;
    const struct tune_cell *cell = &picture->judged[at];
    int row = at / grid->n_thresholds;
    int t = tune_index(grid, at - row * grid->n_thresholds, picture->above),
        caught = cell->detected + cell->missed, runs = picture->judged_runs;
    double held_s = (grid->ticks[row] - 1) * picture->tick_s;
    const char *held = held_s > 0 ? arena_printf(chart->arena, "for %s",
                                                 words_duration(chart->arena, words_ns(held_s)))
                                  : "at once";
    const char *delay =
        cell->detected ? arena_printf(chart->arena, "%s%s", chart->narrow ? "" : "detects after ",
                                      words_duration(chart->arena,
                                                     words_ns(floor(delay_s(chart, cell) + 0.5))))
                       : "never detects";
    return arena_printf(
        chart->arena, "%s: %s%s%s %.4g %s: %s, %.1f%% false%s, %.1f%% missed", which,
        chart->narrow ? "" : picture->metric, chart->narrow ? "" : " ", picture->comparison,
        grid->thresholds[t], held, delay, 100.0 * cell->false_alarms / (runs ? runs : 1),
        chart->narrow ? "" : " alarms", 100.0 * cell->missed / (caught ? caught : 1));
}

/* ---- words ---- */

static const char *class_label(const struct chart *chart, int i)
{
    struct arena *arena = chart->arena;
    if (!chart->n_bounds)
        return "detects";
    if (i == 0)
        return arena_printf(arena, "under %s", words_duration(arena, words_ns(chart->bounds_s[0])));
    if (i == chart->n_bounds)
        return arena_printf(arena, "%s or more",
                            words_duration(arena, words_ns(chart->bounds_s[i - 1])));
    return arena_printf(arena, "to %s", words_duration(arena, words_ns(chart->bounds_s[i])));
}

static void put_swatch(struct chart *chart, double *x, double *y, int class, const char *label)
{
    struct font font = {SIZE_TICK, false, TEXT};
    double left = chart->narrow ? 12 : chart->box.x0, need = 24 + text_width(font, label);
    if (*x + need > chart->width - 8) {
        *x = left;
        *y -= 19;
    }
    struct rect swatch = {*x, *y - 6, *x + 18, *y + 6};
    canvas_fill(chart->canvas, swatch,
                class < 0                   ? ALARMS_PAPER
                : class == n_classes(chart) ? NEVER_COLOR
                                            : class_color(chart, class));
    if (class < 0)
        canvas_hatch(chart->canvas, swatch, 5, (struct stroke){HATCH, 0.8, DASH_NONE});
    canvas_frame(chart->canvas, swatch, (struct stroke){AXIS, 0.8, DASH_NONE});
    canvas_text(chart->canvas, *x + 23, *y, ALIGN_LEFT, VALIGN_MIDDLE, font, label);
    *x += need + 14;
}

static void draw_legend(struct chart *chart)
{
    double x = chart->narrow ? 12 : chart->box.x0, y = chart->box.y0 - 62;
    for (int i = 0; i <= n_classes(chart); i++)
        if (chart->shown[i])
            put_swatch(chart, &x, &y, i,
                       i == n_classes(chart) ? "never detects" : class_label(chart, i));
    if (chart->hatched)
        put_swatch(chart, &x, &y, -1,
                   arena_printf(chart->arena, "%s to stay under %.3g%% false alarms",
                                chart->narrow ? "not shown" : "cannot be shown",
                                100 * chart->picture->budget));
}

static const char *title_of(const struct chart *chart)
{
    return arena_printf(chart->arena, "%s%s", chart->picture->trigger,
                        chart->narrow ? "" : ": how soon each rule would detect");
}

static const char *subtitle_of(const struct chart *chart)
{
    const struct plane_picture *picture = chart->picture;
    const char *miss = words_duration(chart->arena, words_ns(picture->patience * picture->tick_s));
    if (chart->narrow)
        return arena_printf(chart->arena, "Mean delay over %d runs; a miss counts as %s",
                            picture->runs, miss);
    return arena_printf(chart->arena,
                        "%s. Colour: mean time to detection over %d runs, a miss counted as %s. "
                        "The two rules: on %d other runs.",
                        picture->drill, picture->runs, miss, picture->judged_runs);
}

static void draw_words(struct chart *chart)
{
    const struct plane_picture *picture = chart->picture;
    double x = chart->narrow ? 12 : 24, room = chart->width - 2 * x, top = chart->height;
    struct font head = {chart->narrow ? 15 : SIZE_TITLE, true, INK},
                sub = {chart->narrow ? 11 : 12.5, false, MUTED},
                rule = {chart->narrow ? 11 : 12.5, false, INK}, label = {SIZE_LABEL, false, TEXT};
    canvas_text(chart->canvas, x, top - 30, ALIGN_LEFT, VALIGN_BASE, head,
                text_fit(chart->arena, head, title_of(chart), room));
    canvas_text(chart->canvas, x, top - 50, ALIGN_LEFT, VALIGN_BASE, sub,
                text_fit(chart->arena, sub, subtitle_of(chart), room));
    draw_now(chart, x + 9, top - 72);
    canvas_text(chart->canvas, x + 24, top - 72, ALIGN_LEFT, VALIGN_MIDDLE, rule,
                text_fit(chart->arena, rule, rule_words(chart, "now", picture->now), room - 24));
    if (picture->proposed >= 0)
        draw_proposed(chart, x + 9, top - 95);
    canvas_text(chart->canvas, x + 24, top - 95, ALIGN_LEFT, VALIGN_MIDDLE, rule,
                text_fit(chart->arena, rule,
                         picture->proposed >= 0 ? rule_words(chart, "proposed", picture->proposed)
                                                : "proposed: none",
                         room - 24));
    canvas_text(chart->canvas, (chart->box.x0 + chart->box.x1) / 2, chart->box.y0 - 28,
                ALIGN_CENTER, VALIGN_TOP, label,
                text_fit(chart->arena, label,
                         arena_printf(chart->arena, "Threshold in '%s %s threshold'",
                                      picture->metric, picture->comparison),
                         chart->width - 2 * x));
    if (!chart->narrow)
        canvas_text_up(chart->canvas, 26, (chart->box.y0 + chart->box.y1) / 2, label,
                       "How long it must hold");
}

int plot_plane(const struct plane_picture *picture, double width, struct buf *svg)
{
    struct arena arena = {0};
    struct chart chart = {.picture = picture,
                          .arena = &arena,
                          .width = width,
                          .narrow = width < 600,
                          .height = width < 600 ? 500 : 600};
    chart.box = (struct rect){chart.narrow ? 58 : 96, chart.narrow ? 142 : 112,
                              width - (chart.narrow ? 14 : 28), chart.height - 116};
    chart.column = (chart.box.x1 - chart.box.x0) / picture->grid->n_thresholds;
    chart.row = (chart.box.y1 - chart.box.y0) / picture->grid->n_durations;
    choose_bounds(&chart);
    chart.canvas = canvas_new(width, chart.height, title_of(&chart), subtitle_of(&chart));
    draw_cells(&chart);
    draw_thresholds(&chart);
    draw_durations(&chart);
    draw_rules(&chart);
    draw_legend(&chart);
    draw_words(&chart);
    int problems = canvas_problems(chart.canvas, &arena, NULL);
    canvas_finish(chart.canvas, svg);
    canvas_free(chart.canvas);
    arena_release(&arena);
    return problems;
}
