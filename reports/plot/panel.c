#include "reports/plot/panel.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "sim/base/xalloc.h"

struct panel_kind {
    const char *series, *title, *suffix;
    double scale;
    bool steps, whole, zero_is_gap, is_ratio, relative;
};

static const struct panel_kind kinds[PANELS] = {
    {"indicator", "Requests served well", "%", 100, .is_ratio = true},
    {"latency_p99_seconds", "p99 latency", " ms", 1000, .zero_is_gap = true},
    {"ready_replicas", "Ready replicas", "", 1, .steps = true, .whole = true},
    {"records", "Records that came and went", "", 1, .steps = true, .whole = true,
     .relative = true},
};

static const uint32_t colors[PANEL_SERIES] = {0x0072B2, 0xD55E00, 0xB0468A, 0x007F5C};

struct range {
    double lo, hi;
    bool any;
};

static struct range range_of(const struct series *series)
{
    struct range range = {0};
    for (int i = 0; i < series->n; i++) {
        double value = series->value[i];
        if (!isfinite(value))
            continue;
        range.lo = range.any ? fmin(range.lo, value) : value;
        range.hi = range.any ? fmax(range.hi, value) : value;
        range.any = true;
    }
    return range;
}

/* "service=api" says "api". */
static const char *short_name(const char *labels)
{
    const char *equals = strchr(labels, '=');
    return equals && !strchr(equals + 1, '=') ? equals + 1 : labels;
}

/* Keeps the series that move most; of equals, the first. */
static void keep(struct panel *panel, const struct series *series)
{
    struct range range = range_of(series);
    if (!range.any)
        return;
    if (panel->n_series < PANEL_SERIES) {
        panel->series[panel->n_series++] = series;
        return;
    }
    panel->n_hidden++;
    int least = 0;
    double smallest = INFINITY;
    for (int i = 0; i < panel->n_series; i++) {
        struct range other = range_of(panel->series[i]);
        if (other.hi - other.lo < smallest) {
            smallest = other.hi - other.lo;
            least = i;
        }
    }
    if (range.hi - range.lo <= smallest)
        return;
    for (int i = least; i < panel->n_series - 1; i++)
        panel->series[i] = panel->series[i + 1];
    panel->series[panel->n_series - 1] = series;
}

static void add_limit(struct panel *panel, double value, const char *label)
{
    panel->limits[panel->n_limits].value = value;
    panel->limits[panel->n_limits++].label = label;
}

static const char *percent(struct arena *arena, const char *word, double ratio)
{
    double value = ratio * 100;
    int decimals = fabs(value - floor(value + 0.5)) < 1e-9             ? 0
                   : fabs(value * 10 - floor(value * 10 + 0.5)) < 1e-6 ? 1
                                                                       : 2;
    return arena_printf(arena, "%s %.*f%%", word, decimals, value);
}

static void add_limits(struct panel *panel, const struct run_identity *id, struct arena *arena)
{
    if (id->indicator_target > 0)
        add_limit(panel, id->indicator_target * 100,
                  percent(arena, "target", id->indicator_target));
    if (id->indicator_down_below > 0)
        add_limit(panel, id->indicator_down_below * 100,
                  percent(arena, "down below", id->indicator_down_below));
}

int panels_choose(const struct record *record, struct panel ret[PANELS], bool narrow,
                  struct arena *arena)
{
    int n = 0;
    for (int i = 0; i < PANELS; i++) {
        struct panel *panel = &ret[n];
        *panel = (struct panel){.title = kinds[i].title,
                                .suffix = kinds[i].suffix,
                                .scale = kinds[i].scale,
                                .steps = kinds[i].steps,
                                .whole = kinds[i].whole,
                                .zero_is_gap = kinds[i].zero_is_gap,
                                .is_ratio = kinds[i].is_ratio,
                                .relative = kinds[i].relative,
                                .narrow = narrow};
        for (int k = 0; k < record->n_series; k++) {
            if (strcmp(record->series[k]->name, kinds[i].series) == 0)
                keep(panel, record->series[k]);
        }
        if (panel->n_series == 0)
            continue;
        for (int k = 0; k < panel->n_series; k++) {
            const char *name = short_name(panel->series[k]->labels);
            panel->names[k] = panel->n_series == 1 ? "" : *name ? name : "all";
        }
        if (panel->is_ratio)
            add_limits(panel, &record->identity, arena);
        n++;
    }
    return n;
}

/* What is drawn of a sample, in the ticks' unit. */
static double shown_value(const struct panel *panel, int k, int i)
{
    double value = panel->series[k]->value[i];
    if (panel->zero_is_gap && !(value > 0))
        return NAN;
    return value * panel->scale - panel->base[k];
}

void panel_fit(struct panel *panel, const struct axis *time)
{
    double lo = 0, hi = 0;
    for (int k = 0; k < panel->n_series; k++) {
        const struct series *series = panel->series[k];
        bool based = false;
        panel->base[k] = 0;
        for (int i = 0; i < series->n; i++) {
            double s = (double)series->at_ns[i] / 1e9;
            if (!isfinite(shown_value(panel, k, i)) || s < time->lo || s > time->hi)
                continue;
            if (panel->relative && !based)
                panel->base[k] = series->value[i] * panel->scale;
            based = true;
            lo = fmin(lo, shown_value(panel, k, i));
            hi = fmax(hi, shown_value(panel, k, i));
        }
    }
    double room = (hi - lo) * 0.08; /* a line on the very edge is hard to see */
    panel->lo = lo < 0 ? lo - room : 0;
    panel->hi = panel->is_ratio   ? 100
                : panel->relative ? hi + room
                                  : axis_round_up(hi * (panel->steps ? 1.1 : 1.03));
    if (panel->whole && panel->hi - panel->lo < 1)
        panel->hi = panel->lo + 1;
}

static struct font tick_font(uint32_t color)
{
    return (struct font){SIZE_TICK, false, color};
}

void panel_draw_frame(struct canvas *canvas, const struct panel *panel, const struct axis *time,
                      struct arena *arena)
{
    const struct rect box = panel->box;
    struct axis axis = axis_make(panel->lo, panel->hi, box.y0, box.y1);
    struct tick ticks[TICKS_MAX];
    int n = axis_time_ticks(time, panel->narrow ? 4 : 9, arena, ticks);
    for (int i = 0; i < n; i++) {
        double x = axis_at(time, ticks[i].value);
        canvas_line(canvas, x, box.y0, x, box.y1, (struct stroke){GRID, 0.6, DASH_NONE});
    }
    n = axis_ticks(&axis, panel->whole && panel->hi - panel->lo < 3 ? 1 : 3, panel->suffix, arena,
                   ticks);
    for (int i = 0; i < n; i++) {
        double y = axis_at(&axis, ticks[i].value);
        bool base = fabs(ticks[i].value) < 1e-9;
        if (panel->whole && fabs(ticks[i].value - floor(ticks[i].value + 0.5)) > 1e-9)
            continue; /* no half replica */
        canvas_line(canvas, box.x0, y, box.x1, y,
                    (struct stroke){base ? AXIS : GRID, base ? 1 : 0.6, DASH_NONE});
        canvas_text(canvas, box.x0 - 7, y, ALIGN_RIGHT, VALIGN_MIDDLE, tick_font(MUTED),
                    ticks[i].label);
    }
    double x = panel->narrow ? 12 : 24;
    canvas_text(canvas, x, box.y1 + 10, ALIGN_LEFT, VALIGN_BASE,
                (struct font){SIZE_LABEL, true, INK}, panel->title);
    for (int i = 0; i < panel->n_limits; i++) {
        double y = axis_at(&axis, panel->limits[i].value);
        canvas_line(canvas, box.x0, y, box.x1, y, (struct stroke){TEXT, 1.2, DASH_DASHED});
        if (!panel->narrow)
            canvas_text(canvas, box.x1 + 7, y, ALIGN_LEFT, VALIGN_MIDDLE, tick_font(TEXT),
                        panel->limits[i].label);
    }
}

/* ---- series ---- */

struct points {
    double *x, *y;
    int n, cap_x, cap_y;
};

static void add_point(struct points *points, double x, double y)
{
    XGROW(points->x, points->n, points->cap_x);
    XGROW(points->y, points->n, points->cap_y);
    points->x[points->n] = x;
    points->y[points->n++] = y;
}

/* First, lowest, highest and last sample of each pixel column: no shape is lost, and no file grows
 * with the length of the run. */
static void add_column(struct points *points, const double *x, const double *y, int from, int to)
{
    int lo = from, hi = from;
    for (int i = from; i < to; i++) {
        if (y[i] < y[lo])
            lo = i;
        if (y[i] > y[hi])
            hi = i;
    }
    const int order[] = {from, lo < hi ? lo : hi, lo < hi ? hi : lo, to - 1};
    int last = -1;
    for (int i = 0; i < 4; i++) {
        if (order[i] != last)
            add_point(points, x[order[i]], y[order[i]]);
        last = order[i];
    }
}

static struct points thin_out(const double *x, const double *y, int n)
{
    struct points points = {0};
    for (int from = 0; from < n;) {
        if (!isfinite(y[from])) {
            add_point(&points, x[from], y[from]);
            from++;
            continue;
        }
        int to = from + 1;
        while (to < n && isfinite(y[to]) && floor(x[to]) <= floor(x[from]))
            to++;
        add_column(&points, x, y, from, to);
        from = to;
    }
    return points;
}

static struct points to_pixels(const struct panel *panel, int k, const struct axis *time)
{
    const struct series *series = panel->series[k];
    struct axis axis = axis_make(panel->lo, panel->hi, panel->box.y0, panel->box.y1);
    struct points points = {0};
    for (int i = 0; i < series->n; i++) {
        double x = axis_at(time, (double)series->at_ns[i] / 1e9);
        double value = shown_value(panel, k, i);
        double y = isfinite(value) ? axis_at(&axis, value) : NAN;
        if (panel->steps && points.n && isfinite(y) && isfinite(points.y[points.n - 1]))
            add_point(&points, x, points.y[points.n - 1]);
        add_point(&points, x, y);
    }
    return points;
}

/* Names at the right end of their lines, pushed apart until none covers another. */
static void draw_names(struct canvas *canvas, const struct panel *panel, const double *ends,
                       struct arena *arena)
{
    enum { APART = 13 };
    int order[PANEL_SERIES];
    double y[PANEL_SERIES];
    for (int i = 0; i < panel->n_series; i++) {
        int k = i;
        for (; k > 0 && ends[order[k - 1]] > ends[i]; k--)
            order[k] = order[k - 1];
        order[k] = i;
    }
    double low = panel->box.y0 + 2;
    for (int i = 0; i < panel->n_series; i++) {
        y[i] = fmax(ends[order[i]], low);
        low = y[i] + APART;
    }
    double high = panel->box.y1 + 4; /* and back down from the top */
    for (int i = panel->n_series - 1; i >= 0; i--) {
        y[i] = fmin(y[i], high);
        high = y[i] - APART;
    }
    for (int i = 0; i < panel->n_series; i++) {
        struct font font = {SIZE_TICK, false, colors[order[i]]};
        canvas_text(canvas, panel->box.x1 + 7, y[i], ALIGN_LEFT, VALIGN_MIDDLE, font,
                    text_fit(arena, font, panel->names[order[i]], 112));
    }
}

/* On a narrow picture, names stand in a row beside the title. */
static void draw_key(struct canvas *canvas, const struct panel *panel, struct arena *arena)
{
    double x = panel->box.x1, y = panel->box.y1 + 10;
    double stop = 12 + text_width((struct font){SIZE_LABEL, true, INK}, panel->title) + 12;
    for (int i = panel->n_series - 1; i >= 0; i--) {
        struct font font = {SIZE_TICK, false, colors[i]};
        const char *name = text_fit(arena, font, panel->names[i], 80);
        double width = text_width(font, name);
        if (x - width < stop)
            return;
        canvas_text(canvas, x, y, ALIGN_RIGHT, VALIGN_BASE, font, name);
        x -= width + 10;
    }
}

void panel_draw_series(struct canvas *canvas, const struct panel *panel, const struct axis *time,
                       struct arena *arena)
{
    double ends[PANEL_SERIES];
    struct rect clip = {panel->box.x0, panel->box.y0 - 0.5, panel->box.x1, panel->box.y1 + 0.5};
    for (int i = 0; i < panel->n_series; i++) {
        struct points all = to_pixels(panel, i, time);
        struct points thin = thin_out(all.x, all.y, all.n);
        canvas_polyline(canvas, clip, thin.x, thin.y, thin.n,
                        (struct stroke){colors[i], 1.8, DASH_NONE});
        ends[i] = panel->box.y0;
        for (int k = 0; k < all.n; k++) {
            if (isfinite(all.y[k]) && all.x[k] <= panel->box.x1 + 1)
                ends[i] = fmin(fmax(all.y[k], panel->box.y0), panel->box.y1);
        }
        free(all.x);
        free(all.y);
        free(thin.x);
        free(thin.y);
    }
    if (panel->n_series < 2)
        return;
    if (panel->narrow || panel->n_limits)
        draw_key(canvas, panel, arena);
    else
        draw_names(canvas, panel, ends, arena);
}
