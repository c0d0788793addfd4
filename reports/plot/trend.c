/* The score of each quarter: the median as a line, the range of its drills as bars, the bands of
 * what is good enough. */
#include <math.h>

#include "reports/plot/axis.h"
#include "reports/plot/canvas.h"
#include "reports/trend.h"

struct chart {
    const struct trend *trend;
    struct canvas *canvas;
    struct arena *arena;
    double width, height;
    struct rect box;
    struct axis y;
    bool narrow;
};

static const struct {
    double from, to;
    const char *name, *range;
    uint32_t tint, ink;
} bands[] = {{80, 100, "On target", "80 or more", 0xE4F3EE, 0x00694D},
             {60, 80, "Needs work", "60 to 79", 0xFDF4E0, 0x7A5600},
             {0, 60, "At risk", "below 60", 0xFBEAE3, 0xA34700}};

static double x_of(const struct chart *chart, int quarter)
{
    return chart->box.x0 + (quarter + 0.5) * (chart->box.x1 - chart->box.x0) / QUARTERS;
}

static void draw_bands(struct chart *chart)
{
    for (int i = 0; i < 3; i++) {
        double y0 = axis_at(&chart->y, bands[i].from), y1 = axis_at(&chart->y, bands[i].to);
        canvas_fill(chart->canvas, (struct rect){chart->box.x0, y0, chart->box.x1, y1},
                    bands[i].tint);
        if (chart->narrow)
            continue;
        double x = chart->box.x1 + 10, y = (y0 + y1) / 2;
        canvas_text(chart->canvas, x, y + 9, ALIGN_LEFT, VALIGN_MIDDLE,
                    (struct font){SIZE_LABEL, true, bands[i].ink}, bands[i].name);
        canvas_text(chart->canvas, x, y - 7, ALIGN_LEFT, VALIGN_MIDDLE,
                    (struct font){SIZE_TICK, false, bands[i].ink}, bands[i].range);
    }
    for (int value = 0; value <= 100; value += 20) {
        double y = axis_at(&chart->y, value);
        bool edge = value == 0 || value == 60 || value == 80;
        canvas_line(chart->canvas, chart->box.x0, y, chart->box.x1, y,
                    (struct stroke){edge ? AXIS : GRID, edge ? 1 : 0.6, DASH_NONE});
        canvas_text(chart->canvas, chart->box.x0 - 7, y, ALIGN_RIGHT, VALIGN_MIDDLE,
                    (struct font){SIZE_TICK, false, MUTED},
                    arena_printf(chart->arena, "%d", value));
    }
}

/* Quarters below the axis, with a rule under each year. */
static void draw_quarters(struct chart *chart)
{
    struct font tick = {SIZE_TICK, false, TEXT}, year = {SIZE_TICK, true, TEXT},
                small = {10.5, false, MUTED};
    double y = chart->box.y0, step = (chart->box.x1 - chart->box.x0) / QUARTERS;
    for (int i = 0; i < QUARTERS; i++) {
        const struct quarter *quarter = &chart->trend->quarters[i];
        canvas_text(chart->canvas, x_of(chart, i), y - 7, ALIGN_CENTER, VALIGN_TOP, tick,
                    arena_printf(chart->arena, "Q%d", quarter->number));
        canvas_text(chart->canvas, x_of(chart, i), y - 44, ALIGN_CENTER, VALIGN_TOP, small,
                    arena_printf(chart->arena, "%s%d", chart->narrow ? "" : "n=", quarter->runs));
        int last = i;
        if (i > 0 && chart->trend->quarters[i - 1].year == quarter->year)
            continue;
        while (last + 1 < QUARTERS && chart->trend->quarters[last + 1].year == quarter->year)
            last++;
        double x0 = x_of(chart, i) - 0.4 * step, x1 = x_of(chart, last) + 0.4 * step;
        canvas_line(chart->canvas, x0, y - 23, x1, y - 23, (struct stroke){AXIS, 0.8, DASH_NONE});
        canvas_text(chart->canvas, (x0 + x1) / 2, y - 27, ALIGN_CENTER, VALIGN_TOP, year,
                    arena_printf(chart->arena, "%d", quarter->year));
    }
    canvas_text(chart->canvas, chart->box.x0 - 7, y - 44, ALIGN_RIGHT, VALIGN_TOP, small, "runs");
}

static void draw_scores(struct chart *chart)
{
    double x[QUARTERS], y[QUARTERS];
    int last = -1, first = -1;
    for (int i = 0; i < QUARTERS; i++) {
        const struct spread *score = &chart->trend->quarters[i].score;
        x[i] = x_of(chart, i);
        y[i] = NAN;
        if (!score->n)
            continue;
        y[i] = axis_at(&chart->y, score->median);
        canvas_fill(chart->canvas,
                    (struct rect){x[i] - 2.5, axis_at(&chart->y, score->min) - 1, x[i] + 2.5,
                                  axis_at(&chart->y, score->max) + 1},
                    0x8FB8D8);
        first = first < 0 ? i : first;
        last = i;
    }
    struct rect all = {0, 0, chart->width, chart->height};
    canvas_polyline(chart->canvas, all, x, y, QUARTERS, (struct stroke){BLUE, 2.2, DASH_NONE});
    for (int i = 0; i < QUARTERS; i++) {
        if (!isfinite(y[i]))
            continue;
        canvas_dot(chart->canvas, x[i], y[i], 5, BLUE, PAPER);
        if (i == first || i == last) /* outside of the line */
            canvas_text(chart->canvas, x[i] + (i == last ? 9 : -9), y[i],
                        i == last ? ALIGN_LEFT : ALIGN_RIGHT, VALIGN_MIDDLE,
                        (struct font){SIZE_LABEL, true, 0x005A8C},
                        arena_printf(chart->arena, "%.0f", chart->trend->quarters[i].score.median));
    }
}

int plot_trend(const struct trend *trend, double width, struct buf *svg)
{
    struct arena arena = {0};
    struct chart chart = {.trend = trend,
                          .arena = &arena,
                          .width = width,
                          .height = width < 600 ? 380 : 500,
                          .narrow = width < 600};
    chart.box = (struct rect){chart.narrow ? 40 : 60, 74, width - (chart.narrow ? 16 : 130),
                              chart.height - 82};
    chart.y = axis_make(0, 100, chart.box.y0, chart.box.y1);
    const char *title = arena_printf(&arena, "Drill score, %s", trend->title);
    const char *sub = chart.narrow ? "0 to 100; bars: range, line: medians"
                                   : "Out of 100. Bars are the range over the runs of a quarter, "
                                     "the line joins the medians.";
    if (*trend->document && !chart.narrow) /* which of a drill's procedures it is of */
        sub = arena_printf(&arena, "%s. Out of 100; bars: range, line: medians.", trend->document);
    chart.canvas = canvas_new(width, chart.height, title, sub);
    draw_bands(&chart);
    draw_quarters(&chart);
    draw_scores(&chart);
    double x = chart.narrow ? 12 : 24;
    struct font head = {chart.narrow ? 15 : SIZE_TITLE, true, INK},
                small = {chart.narrow ? 11 : 12.5, false, MUTED};
    canvas_text(chart.canvas, x, chart.height - 30, ALIGN_LEFT, VALIGN_BASE, head,
                text_fit(&arena, head, title, width - 2 * x));
    canvas_text(chart.canvas, x, chart.height - 50, ALIGN_LEFT, VALIGN_BASE, small,
                text_fit(&arena, small, sub, width - 2 * x));
    int problems = canvas_problems(chart.canvas, &arena, NULL);
    canvas_finish(chart.canvas, svg);
    canvas_free(chart.canvas);
    arena_release(&arena);
    return problems;
}
