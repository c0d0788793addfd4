/* One measure over the runs of a campaign: the share of runs that had finished by then, above a
 * histogram, with the target through both. */
#include <math.h>
#include <string.h>

#include "reports/campaign.h"
#include "reports/plot/axis.h"
#include "reports/plot/canvas.h"
#include "reports/words.h"

enum { BINS_MAX = 48 };

struct chart {
    const struct campaign *campaign;
    enum measure measure;
    struct distribution all;
    struct canvas *canvas;
    struct arena *arena;
    double width, height;
    struct rect share_box, count_box;
    struct axis x, share, count;
    bool narrow;
    double bin_width;
    int bins[BINS_MAX], n_bins;
};

static struct font tick_font(uint32_t color)
{
    return (struct font){SIZE_TICK, false, color};
}

static void choose_bins(struct chart *chart, double from, double to)
{
    static const double widths[] = {1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200};
    size_t i = 0;
    while (i < sizeof widths / sizeof *widths - 1 &&
           (to - from) / widths[i] > (chart->narrow ? 20 : 36))
        i++;
    chart->bin_width = widths[i];
    double lo = floor(from / chart->bin_width) * chart->bin_width;
    chart->n_bins = (int)fmin(BINS_MAX, fmax(1, ceil((to - lo) / chart->bin_width + 1e-9)));
    chart->x = axis_make(lo, lo + chart->n_bins * chart->bin_width, chart->share_box.x0,
                         chart->share_box.x1);
    for (int k = 0; k < chart->all.n; k++) {
        int bin = (int)((chart->all.values[k] - lo) / chart->bin_width);
        chart->bins[bin < 0 ? 0 : bin >= chart->n_bins ? chart->n_bins - 1 : bin]++;
    }
}

static void lay_out(struct chart *chart)
{
    chart->narrow = chart->width < 600;
    chart->height = chart->narrow ? 470 : 560;
    double left = chart->narrow ? 52 : 84, right = chart->width - (chart->narrow ? 20 : 60),
           middle = chart->height * 0.4;
    chart->share_box = (struct rect){left, middle, right, chart->height - 92};
    chart->count_box = (struct rect){left, 66, right, middle - 34};
    double from = chart->all.values[0], to = chart->all.values[chart->all.n - 1];
    double limit = chart->all.limit;
    if (isfinite(limit) && limit > to && limit < to + 2 * (to - from) + 60)
        to = limit + (limit - from) * 0.03;
    if (isfinite(limit) && limit < from && limit > from - 2 * (to - from) - 60)
        from = limit;
    choose_bins(chart, from, to > from ? to : from + 1);
    int most = 1;
    for (int i = 0; i < chart->n_bins; i++)
        most = chart->bins[i] > most ? chart->bins[i] : most;
    chart->share = axis_make(0, 100, chart->share_box.y0, chart->share_box.y1);
    chart->count = axis_make(0, axis_round_up(most), chart->count_box.y0, chart->count_box.y1);
}

static void draw_grid(struct chart *chart, const struct rect *box, const struct axis *y, int want,
                      const char *suffix)
{
    struct tick ticks[TICKS_MAX];
    int n = axis_ticks(y, want, suffix, chart->arena, ticks);
    for (int i = 0; i < n; i++) {
        double at = axis_at(y, ticks[i].value);
        if (suffix[0] == '\0' && fabs(ticks[i].value - floor(ticks[i].value + 0.5)) > 1e-9)
            continue; /* half a run is no count */
        canvas_line(chart->canvas, box->x0, at, box->x1, at,
                    (struct stroke){i ? GRID : AXIS, i ? 0.8 : 1, DASH_NONE});
        canvas_text(chart->canvas, box->x0 - 7, at, ALIGN_RIGHT, VALIGN_MIDDLE, tick_font(MUTED),
                    *suffix ? ticks[i].label
                            : words_count(chart->arena, (int64_t)floor(ticks[i].value + 0.5)));
    }
    n = axis_time_ticks(&chart->x, chart->narrow ? 4 : 9, chart->arena, ticks);
    for (int i = 0; i < n; i++) {
        double at = axis_at(&chart->x, ticks[i].value);
        canvas_line(chart->canvas, at, box->y0, at, box->y1, (struct stroke){GRID, 0.8, DASH_NONE});
        if (box == &chart->count_box)
            canvas_text(chart->canvas, at, box->y0 - 7, ALIGN_CENTER, VALIGN_TOP, tick_font(MUTED),
                        ticks[i].label);
    }
}

static bool is_over(const struct chart *chart, double value)
{
    return isfinite(chart->all.limit) && value >= chart->all.limit;
}

static void draw_histogram(struct chart *chart)
{
    for (int i = 0; i < chart->n_bins; i++) {
        double from = chart->x.lo + i * chart->bin_width;
        if (!chart->bins[i])
            continue;
        struct rect bar = {axis_at(&chart->x, from) + 0.6, chart->count_box.y0,
                           axis_at(&chart->x, from + chart->bin_width) - 0.6,
                           axis_at(&chart->count, chart->bins[i])};
        canvas_fill(chart->canvas, bar, is_over(chart, from) ? VERMILLION : BLUE);
    }
}

/* A step at each value; the runs that never got there keep it below 100%. */
static void draw_share(struct chart *chart)
{
    int n = chart->all.n, runs = chart->campaign->n, k = 0;
    double *x = ARENA_ARRAY(chart->arena, double, 2 * n + 2),
           *y = ARENA_ARRAY(chart->arena, double, 2 * n + 2);
    x[k] = chart->share_box.x0;
    y[k++] = axis_at(&chart->share, 0);
    for (int i = 0; i < n; i++) {
        x[k] = axis_at(&chart->x, chart->all.values[i]);
        y[k] = y[k - 1];
        k++;
        x[k] = x[k - 1];
        y[k++] = axis_at(&chart->share, 100.0 * (i + 1) / runs);
    }
    x[k] = chart->share_box.x1;
    y[k] = y[k - 1];
    k++;
    struct rect clip = {chart->share_box.x0, chart->share_box.y0 - 1, chart->share_box.x1,
                        chart->share_box.y1 + 1};
    canvas_polyline(chart->canvas, clip, x, y, k, (struct stroke){BLUE, 2, DASH_NONE});
}

/* Where half and nearly all of the runs had finished; below and right of the line, where nothing
 * else is drawn. */
static void draw_quantiles(struct chart *chart)
{
    static const struct {
        double share;
        const char *name;
    } shown[] = {{0.5, "P50"}, {0.95, "P95"}};
    double lowest = INFINITY;
    for (int i = 1; i >= 0; i--) {
        double value = distribution_rank(&chart->all, shown[i].share);
        if (!isfinite(value))
            continue; /* not that many ever got there */
        double x = axis_at(&chart->x, value), y = axis_at(&chart->share, 100 * shown[i].share);
        uint32_t color = is_over(chart, value) ? VERMILLION : BLUE,
                 ink = is_over(chart, value) ? RUST : 0x005A8C;
        struct font font = {SIZE_LABEL, true, ink};
        const char *label = arena_printf(chart->arena, "%s %s", shown[i].name,
                                         words_duration(chart->arena, words_ns(value)));
        double width = text_width(font, label), y_text = fmin(y - 18, lowest - 18);
        canvas_line(chart->canvas, x, chart->count_box.y0, x, y,
                    (struct stroke){color, 0.9, DASH_DOTTED});
        canvas_dot(chart->canvas, x, y, 5, color, PAPER);
        bool left = x + 10 + width > chart->width - 4;
        double x_text = left ? x - 10 - width : x + 10;
        canvas_fill(chart->canvas,
                    (struct rect){x_text - 2, y_text - 8, x_text + width + 2, y_text + 8}, PAPER);
        canvas_text(chart->canvas, x_text, y_text, ALIGN_LEFT, VALIGN_MIDDLE, font, label);
        lowest = y_text;
    }
}

static void draw_target(struct chart *chart)
{
    if (!isfinite(chart->all.limit) || chart->all.limit < chart->x.lo ||
        chart->all.limit > chart->x.hi)
        return;
    double x = axis_at(&chart->x, chart->all.limit);
    const char *label = arena_printf(chart->arena, "target %s",
                                     words_duration(chart->arena, words_ns(chart->all.limit)));
    struct font font = {SIZE_TICK, true, INK};
    double half = text_width(font, label) / 2;
    canvas_line(chart->canvas, x, chart->count_box.y0, x, chart->share_box.y1 + 6,
                (struct stroke){INK, 1.2, DASH_DASHED});
    canvas_text(chart->canvas, fmin(fmax(x, half + 6), chart->width - half - 6),
                chart->share_box.y1 + 10, ALIGN_CENTER, VALIGN_BASE, font, label);
}

static const char *title_of(const struct chart *chart)
{
    const struct distribution *all = &chart->all;
    if (!all->judged)
        return arena_printf(chart->arena, "%s over %d runs", measure_title(chart->measure),
                            chart->campaign->n);
    const char *limit = chart->narrow
                            ? ""
                            : arena_printf(chart->arena, " of %s",
                                           words_duration(chart->arena, words_ns(all->limit)));
    return arena_printf(chart->arena, "%s: %.3g%% of runs meet the target%s",
                        measure_title(chart->measure), 100.0 * all->met / all->judged, limit);
}

static const char *subtitle_of(const struct chart *chart)
{
    const struct distribution *all = &chart->all;
    const char *never =
        all->never ? arena_printf(chart->arena, " %d never got there.", all->never) : "";
    if (chart->narrow || !all->judged)
        return arena_printf(chart->arena, "%d runs of %s.%s", chart->campaign->n,
                            chart->campaign->drill, never);
    return arena_printf(
        chart->arena, "%d runs of %s with other seeds; 95%% interval %.0f%% to %.0f%%.%s",
        chart->campaign->n, chart->campaign->drill, 100 * all->met_low, 100 * all->met_high, never);
}

static void draw_words(struct chart *chart)
{
    double x = chart->narrow ? 12 : 24, room = chart->width - 2 * x;
    struct font head = {chart->narrow ? 15 : SIZE_TITLE, true, INK},
                sub = {chart->narrow ? 11 : 12.5, false, MUTED};
    struct font label = {SIZE_LABEL, false, TEXT};
    canvas_text(chart->canvas, x, chart->height - 30, ALIGN_LEFT, VALIGN_BASE, head,
                text_fit(chart->arena, head, title_of(chart), room));
    canvas_text(chart->canvas, x, chart->height - 50, ALIGN_LEFT, VALIGN_BASE, sub,
                text_fit(chart->arena, sub, subtitle_of(chart), room));
    canvas_text(chart->canvas, (chart->count_box.x0 + chart->count_box.x1) / 2,
                chart->count_box.y0 - 26, ALIGN_CENTER, VALIGN_TOP, label,
                measure_title(chart->measure));
    if (chart->narrow)
        return;
    canvas_text_up(chart->canvas, 34, (chart->share_box.y0 + chart->share_box.y1) / 2, label,
                   "Runs finished");
    canvas_text_up(chart->canvas, 34, (chart->count_box.y0 + chart->count_box.y1) / 2, label,
                   "Runs per bin");
}

int plot_distribution(const struct campaign *campaign, enum measure measure, double width,
                      struct buf *svg)
{
    struct arena arena = {0};
    struct chart chart = {
        .campaign = campaign, .measure = measure, .arena = &arena, .width = width};
    chart.all = campaign_distribution(campaign, measure, &arena);
    int problems = -1;
    if (chart.all.n && !measure_is_count(measure)) {
        lay_out(&chart);
        chart.canvas = canvas_new(width, chart.height, title_of(&chart), subtitle_of(&chart));
        draw_grid(&chart, &chart.share_box, &chart.share, 4, "%");
        draw_grid(&chart, &chart.count_box, &chart.count, 3, "");
        draw_histogram(&chart);
        draw_target(&chart);
        draw_share(&chart);
        draw_quantiles(&chart);
        draw_words(&chart);
        problems = canvas_problems(chart.canvas, &arena, NULL);
        canvas_finish(chart.canvas, svg);
        canvas_free(chart.canvas);
    }
    arena_release(&arena);
    return problems;
}
