#include "reports/plot/gantt.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "reports/explain.h"
#include "reports/plot/axis.h"
#include "reports/plot/canvas.h"
#include "reports/words.h"
#include "sim/base/doc.h"

enum { ROWS_MAX = 40, ROW_WIDE = 27, ROW_NARROW = 42, BAR = 15 };

enum look { LOOK_DONE, LOOK_FAILED, LOOK_SILENT, LOOK_INTERRUPTED };

struct row {
    const struct step *step;
    enum look look;
    const char *note; /* beside the bar */
    double start_s, end_s;
};

struct chart {
    const struct report *report;
    const struct record *record;
    struct canvas *canvas;
    struct arena *arena;
    double width, height, left, right, top, bottom, row_height;
    bool narrow;
    struct axis time;
    struct row rows[ROWS_MAX];
    int n_rows, n_hidden;
    int64_t origin_ns;
    const char *origin; /* what the axis counts from */
    double target_s;    /* of the rollback, since the origin; NaN: none */
};

static double since_origin(const struct chart *chart, int64_t ns)
{
    return (double)(ns - chart->origin_ns) / 1e9;
}

static int64_t end_of(const struct chart *chart, const struct step *step)
{
    if (step->end_ns != NEVER)
        return step->end_ns;
    int64_t end = chart->record->instants[T_END];
    return end > step->start_ns ? end : step->start_ns;
}

/* The worst finding about this step (they are sorted by severity), or NULL. */
static const struct finding *finding_of(const struct report *report, const struct step *step)
{
    for (int i = 0; i < report->findings.n; i++) {
        const struct finding *finding = &report->findings.at[i];
        if (finding->step == step->n && finding->severity != SEVERITY_NOTE &&
            strcmp(finding->id, "target_missed") != 0)
            return finding;
    }
    return NULL;
}

static void describe(struct chart *chart, struct row *row)
{
    const struct step *step = row->step;
    const struct finding *finding = finding_of(chart->report, step);
    const struct finding_kind *kind = finding ? finding_kind(finding->id) : NULL;
    const char *took = step->end_ns == NEVER
                           ? "did not end"
                           : words_duration(chart->arena, step->end_ns - step->start_ns);
    row->look = LOOK_DONE;
    if (step->interrupted)
        row->look = LOOK_INTERRUPTED;
    else if (step->exit_status > 0 || step->end_ns == NEVER)
        row->look = LOOK_FAILED;
    else if (finding)
        row->look = LOOK_SILENT;
    const char *status = "";
    if (row->look == LOOK_FAILED && step->exit_status > 0)
        status = arena_printf(chart->arena, ", exit %d", step->exit_status);
    else if (row->look == LOOK_INTERRUPTED)
        status = ", interrupted";
    row->note = arena_printf(chart->arena, "%s%s%s%s", took, status, kind ? " - " : "",
                             kind ? kind->title : "");
}

/* A long procedure shows its longest and its troubled steps; the rest is counted. */
static bool is_worth_a_row(const struct chart *chart, const struct step *step, int64_t at_least_ns)
{
    return end_of(chart, step) - step->start_ns >= at_least_ns || step->exit_status > 0 ||
           finding_of(chart->report, step);
}

static void choose_rows(struct chart *chart)
{
    const struct record *record = chart->record;
    int64_t at_least = 0;
    int n = record->n_steps;
    while (n > ROWS_MAX && at_least < 2 * HOUR) {
        at_least = at_least ? at_least * 2 : SECOND / 4;
        n = 0;
        for (int i = 0; i < record->n_steps; i++)
            n += is_worth_a_row(chart, &record->steps[i], at_least);
    }
    for (int i = 0; i < record->n_steps; i++) {
        const struct step *step = &record->steps[i];
        if (!is_worth_a_row(chart, step, at_least) || chart->n_rows == ROWS_MAX) {
            chart->n_hidden++;
            continue;
        }
        struct row *row = &chart->rows[chart->n_rows++];
        *row = (struct row){.step = step,
                            .start_s = since_origin(chart, step->start_ns),
                            .end_s = since_origin(chart, end_of(chart, step))};
        describe(chart, row);
    }
}

static void choose_origin(struct chart *chart)
{
    int64_t decide = chart->record->instants[T_DECIDE];
    chart->origin = "Time since the decision to roll back";
    chart->origin_ns = decide;
    chart->target_s = NAN;
    if (decide == NEVER || (chart->record->n_steps && chart->record->steps[0].start_ns < decide)) {
        chart->origin = "Time since the first step";
        chart->origin_ns = chart->record->n_steps ? chart->record->steps[0].start_ns : 0;
        return;
    }
    for (int i = 0; i < chart->record->n_targets; i++) {
        if (chart->record->targets[i].measure == MEASURE_ROLLBACK)
            chart->target_s = chart->record->targets[i].limit;
    }
}

static void lay_out(struct chart *chart)
{
    chart->narrow = chart->width < 600;
    chart->row_height = chart->narrow ? ROW_NARROW : ROW_WIDE;
    chart->left = chart->narrow ? 16 : fmin(400, chart->width * 0.42);
    chart->right = chart->width - (chart->narrow ? 24 : 36);
    chart->height = 96 + chart->n_rows * chart->row_height + 96;
    chart->top = chart->height - 96;
    chart->bottom = chart->top - chart->n_rows * chart->row_height;
    double last = 1;
    for (int i = 0; i < chart->n_rows; i++)
        last = fmax(last, chart->rows[i].end_s);
    if (isfinite(chart->target_s) && chart->target_s < 3 * last)
        last = fmax(last, chart->target_s);
    else
        chart->target_s = NAN; /* far away, it would squeeze the bars to nothing */
    chart->time = axis_make(0, last * 1.04, chart->left, chart->right);
}

static struct font font_of(double size, bool bold, uint32_t color)
{
    return (struct font){size, bold, color};
}

/* Text that no grid line and no target line cuts: its row's own colour lies behind it. */
static void draw_clear(struct chart *chart, int i, double x, double y, enum align align,
                       struct font font, const char *text)
{
    double width = text_width(font, text), left = align == ALIGN_LEFT ? x : x - width;
    canvas_fill(
        chart->canvas,
        (struct rect){left - 2, y - 0.55 * font.size, left + width + 2, y + 0.55 * font.size},
        i % 2 == 0 ? STRIPE : PAPER);
    canvas_text(chart->canvas, x, y, align, VALIGN_MIDDLE, font, text);
}

static void draw_bar(struct chart *chart, int i, double y)
{
    const struct row *row = &chart->rows[i];
    static const uint32_t fills[] = {BLUE, VERMILLION, PAPER, SKY};
    double x0 = axis_at(&chart->time, row->start_s),
           x1 = fmax(axis_at(&chart->time, row->end_s), x0 + 2);
    struct rect bar = {x0, y, x1, y + BAR};
    canvas_fill(chart->canvas, bar, fills[row->look]);
    if (row->look == LOOK_FAILED)
        canvas_hatch(chart->canvas, bar, 5, (struct stroke){PAPER, 1, DASH_NONE});
    if (row->look == LOOK_SILENT) {
        canvas_hatch(chart->canvas, bar, 5, (struct stroke){PURPLE, 1.4, DASH_NONE});
        canvas_frame(chart->canvas, bar, (struct stroke){PURPLE, 1.2, DASH_NONE});
    }
    static const uint32_t inks[] = {TEXT, RUST, PURPLE, TEXT};
    bool wrong = row->look == LOOK_FAILED || row->look == LOOK_SILENT;
    struct font font = font_of(SIZE_TICK, wrong, inks[row->look]);
    double needed = text_width(font, row->note), y_text = y + BAR / 2.0;
    double room_right = chart->width - 6 - (x1 + 6), room_left = x0 - 6 - chart->left;
    if (needed <= room_right) {
        draw_clear(chart, i, x1 + 6, y_text, ALIGN_LEFT, font, row->note);
    } else if (row->look == LOOK_DONE && needed + 12 <= x1 - x0) {
        canvas_text(chart->canvas, x0 + 6, y_text, ALIGN_LEFT, VALIGN_MIDDLE,
                    font_of(SIZE_TICK, false, PAPER), row->note);
    } else if (needed + 12 <= x1 - x0) { /* on the bar, with the row's colour behind it */
        draw_clear(chart, i, x0 + 6, y_text, ALIGN_LEFT, font, row->note);
    } else if (room_left >= room_right) {
        draw_clear(chart, i, x0 - 6, y_text, ALIGN_RIGHT, font,
                   text_fit(chart->arena, font, row->note, room_left));
    } else {
        draw_clear(chart, i, x1 + 6, y_text, ALIGN_LEFT, font,
                   text_fit(chart->arena, font, row->note, room_right));
    }
}

static void draw_stripe(struct chart *chart, int i)
{
    double y1 = chart->top - i * chart->row_height, x = chart->narrow ? 12 : 24;
    if (i % 2 == 0)
        canvas_fill(chart->canvas, (struct rect){x, y1 - chart->row_height, chart->right, y1},
                    STRIPE);
}

static void draw_label(struct chart *chart, int i)
{
    const struct row *row = &chart->rows[i];
    double y1 = chart->top - i * chart->row_height, y0 = y1 - chart->row_height;
    const char *command = words_line(chart->arena, str_of(row->step->command), 200);
    const char *place =
        row->step->line ? arena_printf(chart->arena, "line %d", row->step->line) : "";
    struct font label = font_of(SIZE_LABEL, false, INK), small = font_of(SIZE_TICK, false, MUTED);
    double x = chart->narrow ? 12 : 24;
    if (chart->narrow) {
        double room = chart->right - x - 4 - text_width(small, place) - 12;
        draw_clear(chart, i, x + 4, y1 - 11, ALIGN_LEFT, label,
                   text_fit(chart->arena, label, command, room));
        draw_clear(chart, i, chart->right - 4, y1 - 11, ALIGN_RIGHT, small, place);
    } else {
        double middle = (y0 + y1) / 2, place_width = 58;
        canvas_text(chart->canvas, x + 8, middle, ALIGN_LEFT, VALIGN_MIDDLE, label,
                    text_fit(chart->arena, label, command, chart->left - x - 8 - place_width - 14));
        canvas_text(chart->canvas, chart->left - 10, middle, ALIGN_RIGHT, VALIGN_MIDDLE, small,
                    place);
    }
}

static void draw_axis(struct chart *chart)
{
    struct tick ticks[TICKS_MAX];
    int n = axis_time_ticks(&chart->time, chart->narrow ? 5 : 8, chart->arena, ticks);
    for (int i = 0; i < n; i++) {
        double x = axis_at(&chart->time, ticks[i].value);
        canvas_line(chart->canvas, x, chart->bottom, x, chart->top,
                    (struct stroke){GRID, 0.8, DASH_NONE});
        canvas_line(chart->canvas, x, chart->bottom, x, chart->bottom - 4,
                    (struct stroke){AXIS, 1, DASH_NONE});
        canvas_text(chart->canvas, x, chart->bottom - 7, ALIGN_CENTER, VALIGN_TOP,
                    font_of(SIZE_TICK, false, MUTED), ticks[i].label);
    }
    canvas_line(chart->canvas, chart->left, chart->bottom, chart->right, chart->bottom,
                (struct stroke){AXIS, 1, DASH_NONE});
    canvas_text(chart->canvas, (chart->left + chart->right) / 2, chart->bottom - 25, ALIGN_CENTER,
                VALIGN_TOP, font_of(SIZE_LABEL, false, TEXT), chart->origin);
}

static void draw_target(struct chart *chart)
{
    if (!isfinite(chart->target_s))
        return;
    double x = axis_at(&chart->time, chart->target_s);
    const char *label = arena_printf(chart->arena, "target %s",
                                     words_duration(chart->arena, words_ns(chart->target_s)));
    struct font font = font_of(SIZE_TICK, true, INK);
    double half = text_width(font, label) / 2;
    double center = fmin(x, chart->width - 6 - half);
    canvas_line(chart->canvas, x, chart->bottom, x, chart->top + 5,
                (struct stroke){INK, 1.2, DASH_DASHED});
    canvas_text(chart->canvas, center, chart->top + 9, ALIGN_CENTER, VALIGN_BASE, font, label);
}

static void draw_key(struct chart *chart)
{
    static const struct {
        const char *word;
        uint32_t fill, hatch;
    } keys[] = {{"done", BLUE, 0},
                {"failed", VERMILLION, PAPER},
                {"silently wrong", PAPER, PURPLE},
                {"interrupted", SKY, 0}};
    double x = chart->narrow ? 12 : 24, y = 22;
    for (int i = 0; i < 4; i++) {
        struct rect box = {x, y, x + 20, y + 12};
        canvas_fill(chart->canvas, box, keys[i].fill);
        if (keys[i].hatch)
            canvas_hatch(chart->canvas, box, 5, (struct stroke){keys[i].hatch, 1.2, DASH_NONE});
        if (keys[i].hatch == PURPLE)
            canvas_frame(chart->canvas, box, (struct stroke){PURPLE, 1.2, DASH_NONE});
        struct rect text = canvas_text(chart->canvas, x + 26, y + 6, ALIGN_LEFT, VALIGN_MIDDLE,
                                       font_of(SIZE_TICK, false, TEXT), keys[i].word);
        x = text.x1 + (chart->narrow ? 12 : 24);
    }
}

static const char *title_of(const struct chart *chart)
{
    const struct record *record = chart->record;
    int64_t first = NEVER, last = NEVER;
    for (int i = 0; i < record->n_steps; i++) {
        int64_t end = end_of(chart, &record->steps[i]);
        first = first == NEVER ? record->steps[i].start_ns : first;
        last = last == NEVER || end > last ? end : last;
    }
    if (first == NEVER)
        return "No step of the procedure was run";
    return arena_printf(chart->arena, "The procedure, as run: %s",
                        words_duration(chart->arena, last - first));
}

static void draw_head(struct chart *chart)
{
    double x = chart->narrow ? 12 : 24, room = chart->width - 2 * x;
    struct font title = font_of(chart->narrow ? 15 : SIZE_TITLE, true, INK);
    struct font sub = font_of(chart->narrow ? 11 : 12.5, false, MUTED);
    const char *hidden =
        chart->n_hidden
            ? arena_printf(chart->arena, "; %d short steps are not shown", chart->n_hidden)
            : "";
    const char *text = arena_printf(
        chart->arena, "%d step%s of %s%s", chart->record->n_steps,
        chart->record->n_steps == 1 ? "" : "s",
        chart->record->identity.playbook ? chart->record->identity.playbook : "the playbook",
        hidden);
    canvas_text(chart->canvas, x, chart->height - 30, ALIGN_LEFT, VALIGN_BASE, title,
                text_fit(chart->arena, title, title_of(chart), room));
    canvas_text(chart->canvas, x, chart->height - 50, ALIGN_LEFT, VALIGN_BASE, sub,
                text_fit(chart->arena, sub, text, room));
}

static const char *description_of(const struct chart *chart)
{
    struct buf text;
    buf_init(&text, 16384);
    for (int i = 0; i < chart->n_rows; i++)
        buf_printf(&text, "Line %d, %s: %s. ", chart->rows[i].step->line,
                   words_line(chart->arena, str_of(chart->rows[i].step->command), 60),
                   chart->rows[i].note);
    const char *description = arena_str(chart->arena, str_trim(buf_text(&text)));
    buf_release(&text);
    return description;
}

int plot_gantt(const struct report *report, double width, struct buf *svg)
{
    struct arena arena = {0};
    struct chart chart = {
        .report = report, .record = report->record, .arena = &arena, .width = width};
    choose_origin(&chart);
    choose_rows(&chart);
    lay_out(&chart);
    chart.canvas = canvas_new(width, chart.height, title_of(&chart), description_of(&chart));
    for (int i = 0; i < chart.n_rows; i++)
        draw_stripe(&chart, i);
    draw_axis(&chart);
    draw_target(&chart);
    for (int i = 0; i < chart.n_rows; i++) {
        draw_label(&chart, i);
        draw_bar(&chart, i,
                 chart.top - (i + 1) * chart.row_height +
                     (chart.narrow ? 6 : (ROW_WIDE - BAR) / 2));
    }
    draw_key(&chart);
    draw_head(&chart);
    int problems = canvas_problems(chart.canvas, &arena, NULL);
    canvas_finish(chart.canvas, svg);
    canvas_free(chart.canvas);
    arena_release(&arena);
    return problems;
}

void report_gantt(const struct report *report, struct buf *svg)
{
    plot_gantt(report, 900, svg);
}
