#include "reports/plot/timeline.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "reports/plot/axis.h"
#include "reports/plot/canvas.h"
#include "reports/plot/lanes.h"
#include "reports/plot/panel.h"
#include "reports/words.h"
#include "sim/base/doc.h"
#include "sim/base/xalloc.h"

enum {
    PHASES = 4,
    MARKS_MAX = 14,
    LANE_HEIGHT = 15,
    PANEL_GAP = 28,
    BAND_HEAD = 32,
    STEP_STRIP = 16,
    GROWS_MAX = 6
};

struct phase {
    const char *name;
    enum instant from, to;
    uint32_t tint, ink;
};

static const struct phase phases[PHASES] = {
    {"Detect", T_IMPACT, T_DETECT, 0xFBE7DC, 0xA34700},
    {"Decide", T_DETECT, T_DECIDE, 0xFCF1D6, 0x7A5600},
    {"Roll back", T_DECIDE, T_RESTORE, 0xDDECF6, 0x005A8C},
    {"Stabilise", T_RESTORE, T_STABLE, 0xDDF1EA, 0x00694D},
};

struct drawing {
    const struct report *report;
    const struct record *record;
    struct canvas *canvas;
    struct arena *arena;
    double width, height, left, right; /* left and right: pixels of the plot's edges */
    double marks_base;                 /* pixels: the lowest event lane's baseline */
    double bands_top, bottom;          /* pixels: of the phase bands; of the last panel */
    struct axis time;                  /* seconds since the start of the run */
    struct mark marks[MARKS_MAX];
    int n_marks;
    struct panel panels[PANELS];
    int n_panels;
    int64_t cut_after_ns; /* the run went on until then, out of the picture; NEVER: it did not */
};

static double seconds(int64_t ns)
{
    return (double)ns / 1e9;
}

/* ---- what to show ---- */

static void add_mark(struct drawing *drawing, int64_t at_ns, const char *text)
{
    if (at_ns == NEVER)
        return;
    for (int i = 0; i < drawing->n_marks; i++) { /* one leader for what happens at one instant */
        struct mark *old = &drawing->marks[i];
        if (old->at_ns == at_ns) {
            old->text = arena_printf(drawing->arena, "%s, %s", old->text, text);
            return;
        }
    }
    if (drawing->n_marks < MARKS_MAX)
        drawing->marks[drawing->n_marks++] = (struct mark){.at_ns = at_ns, .text = text};
}

static int by_time(const void *a, const void *b)
{
    const struct mark *x = a, *y = b;
    return (x->at_ns > y->at_ns) - (x->at_ns < y->at_ns);
}

static void collect_marks(struct drawing *drawing)
{
    static const struct {
        enum instant instant;
        const char *text;
    } instants[] = {
        {T_CHANGE, "bad change"},   {T_IMPACT, "users affected"}, {T_DETECT, "detected"},
        {T_ACK, "acknowledged"},    {T_DECIDE, "decided"},        {T_CLAIM, "claims success"},
        {T_MITIGATE, "users well"}, {T_RESTORE, "good state"},    {T_STABLE, "stable"}};
    const struct record *record = drawing->record;
    for (size_t i = 0; i < sizeof instants / sizeof *instants; i++)
        add_mark(drawing, record->instants[instants[i].instant], instants[i].text);
    for (int i = 0; i < record->n_ledger; i++) {
        for (int k = 0; k < record->ledger[i].n_blame; k++) {
            const struct blame *blame = &record->ledger[i].blame[k];
            add_mark(drawing, blame->at_ns,
                     arena_printf(drawing->arena, "%s records lost",
                                  words_count(drawing->arena, blame->records)));
        }
    }
    qsort(drawing->marks, (size_t)drawing->n_marks, sizeof *drawing->marks, by_time);
}

/* From a little before the change to a little after the last thing of interest. */
static void choose_span(struct drawing *drawing)
{
    const struct record *record = drawing->record;
    int64_t last = 0,
            end = record->instants[T_END] == NEVER ? record->now_ns : record->instants[T_END];
    for (int i = 0; i < drawing->n_marks; i++)
        last = drawing->marks[i].at_ns > last ? drawing->marks[i].at_ns : last;
    for (int i = 0; i < record->n_steps; i++) {
        int64_t step_end = record->steps[i].end_ns == NEVER ? end : record->steps[i].end_ns;
        last = step_end > last ? step_end : last;
    }
    bool finished = record->instants[T_STABLE] != NEVER;
    int64_t first = record->instants[T_CHANGE] == NEVER ? 0 : record->instants[T_CHANGE];
    int64_t before = (last - first) / 8;
    first = first > before ? first - before : 0;
    last += (last - first) /
            (finished ? 12 : 3); /* a run that never got well goes on: show some of it */
    if (last > end || last <= first)
        last = end;
    drawing->cut_after_ns = last < end && !finished ? end : NEVER;
    drawing->time = axis_make(seconds(first), seconds(last), drawing->left, drawing->right);
}

/* ---- layout ---- */

static struct font label_font(bool bold, uint32_t color)
{
    return (struct font){SIZE_LABEL, bold, color};
}

static struct font tick_font(uint32_t color)
{
    return (struct font){SIZE_TICK, false, color};
}

static void lay_out(struct drawing *drawing, int grow)
{
    bool narrow = drawing->width < 600;
    double panel_height = narrow ? 78 : 92;
    drawing->left = narrow ? 60 : 86;
    drawing->right = drawing->width - (narrow ? 22 : 128);
    choose_span(drawing);
    for (int i = 0; i < drawing->n_marks; i++) {
        struct mark *mark = &drawing->marks[i];
        mark->label = text_fit(drawing->arena, tick_font(INK), mark->text, narrow ? 150 : 220);
        mark->x = axis_at(&drawing->time, seconds(mark->at_ns));
        mark->width = text_width(tick_font(INK), mark->label);
    }
    int lanes = lanes_assign(drawing->marks, drawing->n_marks, drawing->width - 6);
    double head = (narrow ? 84 : 70) + 12 * grow;
    double strip = drawing->record->n_steps ? STEP_STRIP + PANEL_GAP : 0;
    drawing->height = head + lanes * LANE_HEIGHT + 10 + BAND_HEAD + 26 +
                      drawing->n_panels * (panel_height + PANEL_GAP) + strip + 44 + 8 * grow;
    drawing->marks_base = drawing->height - head - lanes * LANE_HEIGHT;
    drawing->bands_top = drawing->marks_base - 8;
    double top = drawing->bands_top - BAND_HEAD - 26;
    for (int i = 0; i < drawing->n_panels; i++) {
        drawing->panels[i].box =
            (struct rect){drawing->left, top - panel_height, drawing->right, top};
        panel_fit(&drawing->panels[i], &drawing->time);
        top -= panel_height + PANEL_GAP;
    }
    drawing->bottom = top + PANEL_GAP - strip;
}

/* ---- drawing ---- */

static const char *title_of(const struct drawing *drawing)
{
    const struct run_identity *id = &drawing->record->identity;
    const char *drill = id->drill ? id->drill : "";
    return id->title && *id->title ? id->title : drill;
}

static const char *subtitle_of(const struct drawing *drawing, bool narrow)
{
    static const char *const words[] = {"passed", "failed", "unknown"};
    const struct record *record = drawing->record;
    const struct verdict *verdict = &drawing->report->verdict;
    struct buf score;
    buf_init(&score, 64);
    words_number(&score, verdict->score);
    const char *text =
        narrow ? arena_printf(drawing->arena, "%s, score %s, seed %" PRIu64,
                              words[verdict->outcome], score.at, record->identity.seed)
               : arena_printf(drawing->arena,
                              "Drill %s %s, score %s of 100. Simulated; seed %" PRIu64 ".",
                              record->identity.drill ? record->identity.drill : "",
                              words[verdict->outcome], score.at, record->identity.seed);
    buf_release(&score);
    return text;
}

static void draw_head(struct drawing *drawing)
{
    bool narrow = drawing->width < 600;
    double x = narrow ? 12 : 24, room = drawing->width - 2 * x;
    struct font title = {narrow ? 15 : SIZE_TITLE, true, INK},
                sub = {narrow ? 11 : 12.5, false, MUTED};
    while (title.size > SIZE_LABEL + 1 && text_width(title, title_of(drawing)) > room)
        title.size -= 0.5; /* smaller before it is cut */
    canvas_text(drawing->canvas, x, drawing->height - 30, ALIGN_LEFT, VALIGN_BASE, title,
                text_fit(drawing->arena, title, title_of(drawing), room));
    canvas_text(drawing->canvas, x, drawing->height - 50, ALIGN_LEFT, VALIGN_BASE, sub,
                text_fit(drawing->arena, sub, subtitle_of(drawing, narrow), room));
}

/* Where a phase lies in pixels; one that never ended goes on to the right edge. False: it never
 * began. */
static bool phase_span(const struct drawing *drawing, const struct phase *phase, double *x0,
                       double *x1)
{
    int64_t from = drawing->record->instants[phase->from],
            to = drawing->record->instants[phase->to];
    if (from == NEVER)
        return false;
    *x0 = fmax(drawing->left, axis_at(&drawing->time, seconds(from)));
    *x1 = to == NEVER ? drawing->right : fmin(drawing->right, axis_at(&drawing->time, seconds(to)));
    return *x1 > *x0;
}

/* What the bands cover: -1 their own head, then each panel, then the steps. The titles between stay
 * on white. */
static struct rect row_of(const struct drawing *drawing, int k)
{
    if (k < 0)
        return (struct rect){drawing->left, drawing->bands_top - BAND_HEAD, drawing->right,
                             drawing->bands_top};
    if (k < drawing->n_panels)
        return drawing->panels[k].box;
    double top = drawing->bottom + (drawing->record->n_steps ? STEP_STRIP : 0);
    return (struct rect){drawing->left, drawing->bottom, drawing->right, top};
}

static void draw_bands(struct drawing *drawing)
{
    for (int i = 0; i < PHASES; i++) {
        double x0, x1;
        if (!phase_span(drawing, &phases[i], &x0, &x1))
            continue;
        for (int k = -1; k <= drawing->n_panels; k++) {
            struct rect row = row_of(drawing, k);
            canvas_fill(drawing->canvas, (struct rect){x0, row.y0, x1, row.y1}, phases[i].tint);
        }
    }
}

static void draw_band_names(struct drawing *drawing)
{
    double free_from = 0; /* an unfinished earlier phase keeps its name clear of the next one's */
    for (int i = 0; i < PHASES; i++) {
        double x0, x1;
        const struct phase *phase = &phases[i];
        if (!phase_span(drawing, phase, &x0, &x1))
            continue;
        int64_t from = drawing->record->instants[phase->from],
                to = drawing->record->instants[phase->to];
        const char *took = to == NEVER ? "never ended" : words_duration(drawing->arena, to - from);
        struct font bold = {11.5, true, phase->ink}, plain = {10.5, false, phase->ink};
        x0 = fmax(x0, free_from);
        double center = (x0 + x1) / 2, room = x1 - x0 - 6;
        bool fits = text_width(bold, phase->name) <= room;
        double half = fmax(text_width(bold, phase->name),
                           text_width(plain, took) <= room ? text_width(plain, took) : 0) /
                      2;
        if (fits) /* clear of the dotted lines */
            canvas_fill(drawing->canvas,
                        (struct rect){center - half - 3, drawing->bands_top - 30, center + half + 3,
                                      drawing->bands_top - 3},
                        phase->tint);
        if (fits)
            canvas_text(drawing->canvas, center, drawing->bands_top - 14, ALIGN_CENTER, VALIGN_BASE,
                        bold, phase->name);
        if (fits && text_width(plain, took) <= room)
            canvas_text(drawing->canvas, center, drawing->bands_top - 27, ALIGN_CENTER, VALIGN_BASE,
                        plain, took);
        free_from = x1;
    }
}

static void draw_marks(struct drawing *drawing)
{
    for (int i = 0; i < drawing->n_marks; i++) {
        const struct mark *mark = &drawing->marks[i];
        double y = drawing->marks_base + mark->lane * LANE_HEIGHT;
        for (int k = -1; k <= drawing->n_panels; k++) {
            struct rect row = row_of(drawing, k);
            canvas_line(drawing->canvas, mark->x, row.y0, mark->x, row.y1,
                        (struct stroke){TEXT, 0.9, DASH_DOTTED});
        }
        canvas_line(drawing->canvas, mark->x, drawing->bands_top, mark->x, y + 9,
                    (struct stroke){MUTED, 0.8, DASH_NONE});
        canvas_text(drawing->canvas, mark->flipped ? mark->x - 4 : mark->x + 4, y,
                    mark->flipped ? ALIGN_RIGHT : ALIGN_LEFT, VALIGN_BASE, tick_font(INK),
                    mark->label);
    }
}

static void draw_time_axis(struct drawing *drawing)
{
    struct tick ticks[TICKS_MAX];
    bool narrow = drawing->width < 600;
    int n = axis_time_ticks(&drawing->time, narrow ? 4 : 9, drawing->arena, ticks);
    canvas_line(drawing->canvas, drawing->left, drawing->bottom, drawing->right, drawing->bottom,
                (struct stroke){AXIS, 1, DASH_NONE});
    for (int i = 0; i < n; i++) {
        double x = axis_at(&drawing->time, ticks[i].value);
        canvas_line(drawing->canvas, x, drawing->bottom, x, drawing->bottom - 4,
                    (struct stroke){AXIS, 1, DASH_NONE});
        canvas_text(drawing->canvas, x, drawing->bottom - 7, ALIGN_CENTER, VALIGN_TOP,
                    tick_font(MUTED), ticks[i].label);
    }
    canvas_text(drawing->canvas, (drawing->left + drawing->right) / 2, drawing->bottom - 24,
                ALIGN_CENTER, VALIGN_TOP, label_font(false, TEXT),
                drawing->cut_after_ns == NEVER
                    ? "Time since the start of the run"
                    : arena_printf(drawing->arena,
                                   "Time since the start of the run, which ended at %s",
                                   words_duration(drawing->arena, drawing->cut_after_ns)));
}

static void draw_steps(struct drawing *drawing)
{
    const struct record *record = drawing->record;
    if (!record->n_steps)
        return;
    struct canvas *canvas = drawing->canvas;
    double y0 = drawing->bottom + 3, y1 = y0 + STEP_STRIP - 4;
    bool narrow = drawing->width < 600;
    canvas_text(canvas, narrow ? 12 : 24, y1 + 9, ALIGN_LEFT, VALIGN_BASE, label_font(true, INK),
                "Steps of the procedure");
    for (int i = 0; i < record->n_steps; i++) {
        const struct step *step = &record->steps[i];
        double x0 = axis_at(&drawing->time, seconds(step->start_ns));
        double x1 =
            step->end_ns == NEVER ? drawing->right : axis_at(&drawing->time, seconds(step->end_ns));
        x1 = fmin(fmax(x1, x0 + 1.5), drawing->right);
        x0 = fmax(x0, drawing->left);
        bool failed = step->exit_status != 0 && !step->interrupted;
        canvas_fill(canvas, (struct rect){x0, y0, x1 - (x1 - x0 > 3 ? 0.8 : 0), y1},
                    failed ? VERMILLION : BLUE);
        if (failed && x1 - x0 > 4)
            canvas_hatch(canvas, (struct rect){x0, y0, x1, y1}, 5,
                         (struct stroke){PAPER, 1, DASH_NONE});
    }
}

static void draw(struct drawing *drawing)
{
    draw_bands(drawing);
    for (int i = 0; i < drawing->n_panels; i++)
        panel_draw_frame(drawing->canvas, &drawing->panels[i], &drawing->time, drawing->arena);
    draw_marks(drawing);
    draw_band_names(drawing);
    for (int i = 0; i < drawing->n_panels; i++)
        panel_draw_series(drawing->canvas, &drawing->panels[i], &drawing->time, drawing->arena);
    draw_steps(drawing);
    draw_time_axis(drawing);
    draw_head(drawing);
}

/* What the picture says, for those who cannot see it. */
static const char *description_of(const struct drawing *drawing)
{
    struct buf text;
    buf_init(&text, 4096);
    for (int i = 0; i < PHASES; i++) {
        int64_t from = drawing->record->instants[phases[i].from],
                to = drawing->record->instants[phases[i].to];
        if (from == NEVER)
            continue;
        buf_printf(&text, "%s: from %s, %s. ", phases[i].name, words_instant(drawing->arena, from),
                   to == NEVER ? "never ended" : words_duration(drawing->arena, to - from));
    }
    for (int i = 0; i < drawing->n_marks; i++)
        buf_printf(&text, "%s %s. ", words_instant(drawing->arena, drawing->marks[i].at_ns),
                   drawing->marks[i].text);
    const char *description = arena_str(drawing->arena, str_trim(buf_text(&text)));
    buf_release(&text);
    return description;
}

int plot_timeline(const struct report *report, double width, struct buf *svg)
{
    struct arena arena = {0};
    struct drawing drawing = {
        .report = report, .record = report->record, .arena = &arena, .width = width};
    drawing.n_panels = panels_choose(report->record, drawing.panels, width < 600, &arena);
    collect_marks(&drawing);
    int problems = 1;
    for (int grow = 0; problems && grow < GROWS_MAX; grow++) {
        lay_out(&drawing, grow);
        drawing.canvas =
            canvas_new(width, drawing.height, title_of(&drawing), description_of(&drawing));
        draw(&drawing);
        problems = canvas_problems(drawing.canvas, &arena, NULL);
        if (!problems || grow == GROWS_MAX - 1)
            canvas_finish(drawing.canvas, svg);
        canvas_free(drawing.canvas);
    }
    arena_release(&arena);
    return problems;
}

void report_timeline(const struct report *report, struct buf *svg)
{
    plot_timeline(report, PLOT_WIDE, svg);
}
