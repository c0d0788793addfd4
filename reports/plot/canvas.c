#include "reports/plot/canvas.h"

#include <locale.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <plot.h>

#include "reports/words.h"
#include "sim/base/xalloc.h"

struct text_item {
    struct rect box;
    double x, y, width; /* start of the baseline */
    struct font font;
    bool upwards;
    char *text;
};

struct canvas {
    plPlotter *plotter;
    FILE *memory;
    char *raw;
    size_t raw_len;
    double width, height;
    char *title, *description;
    struct text_item *texts;
    int n_texts, cap_texts;
    locale_t own_locale, old_locale;
    bool finished;
};

/* libplot takes every parameter that is not set from the environment: so all of them are. */
static plPlotterParams *parameters(double width, double height)
{
    plPlotterParams *params = pl_newplparams();
    char page[96];
    snprintf(page, sizeof page, "letter,xsize=%.5fin,ysize=%.5fin", width / 96, height / 96);
    char white[] = "white", zero[] = "0", no[] = "no", yes[] = "yes", huge[] = "1000000";
    pl_setplparam(params, "PAGESIZE", page);
    pl_setplparam(params, "BG_COLOR", white);
    pl_setplparam(params, "ROTATION", zero);
    pl_setplparam(params, "EMULATE_COLOR", no);
    pl_setplparam(params, "MAX_LINE_LENGTH", huge);
    pl_setplparam(params, "VANISH_ON_DELETE", yes);
    return params;
}

struct canvas *canvas_new(double width, double height, const char *title, const char *description)
{
    struct canvas *canvas = xcalloc(1, sizeof *canvas);
    canvas->width = width;
    canvas->height = height;
    canvas->title = xstrdup(title);
    canvas->description = xstrdup(description);
    /* it formats with printf and reads sizes with scanf: a decimal comma would ruin both */
    canvas->own_locale = newlocale(LC_ALL_MASK, "C", (locale_t)0);
    canvas->old_locale = uselocale(canvas->own_locale);
    plPlotterParams *params = parameters(width, height);
    canvas->memory = open_memstream(&canvas->raw, &canvas->raw_len);
    if (canvas->memory)
        canvas->plotter = pl_newpl_r("svg", NULL, canvas->memory, stderr, params);
    pl_deleteplparams(params);
    if (canvas->plotter && pl_openpl_r(canvas->plotter) < 0) {
        pl_deletepl_r(canvas->plotter);
        canvas->plotter = NULL;
    }
    if (canvas->plotter) {
        pl_fspace_r(canvas->plotter, 0, 0, width, height);
        pl_joinmod_r(canvas->plotter, "round");
        pl_capmod_r(canvas->plotter, "butt");
    }
    return canvas;
}

static void close_plotter(struct canvas *canvas)
{
    if (canvas->plotter) {
        pl_closepl_r(canvas->plotter);
        pl_deletepl_r(canvas->plotter);
        canvas->plotter = NULL;
    }
    if (canvas->memory) {
        fclose(canvas->memory);
        canvas->memory = NULL;
    }
    if (canvas->own_locale) {
        uselocale(canvas->old_locale);
        freelocale(canvas->own_locale);
        canvas->own_locale = (locale_t)0;
    }
}

void canvas_free(struct canvas *canvas)
{
    if (!canvas)
        return;
    close_plotter(canvas);
    for (int i = 0; i < canvas->n_texts; i++)
        free(canvas->texts[i].text);
    free(canvas->texts);
    free(canvas->title);
    free(canvas->description);
    free(canvas->raw);
    free(canvas);
}

double canvas_width(const struct canvas *canvas)
{
    return canvas->width;
}

double canvas_height(const struct canvas *canvas)
{
    return canvas->height;
}

/* ---- shapes ---- */

/* One of the three channels, from 8 bits to the 16 that libplot takes. */
static int channel(uint32_t color, int shift)
{
    return (int)(color >> shift & 255) * 257;
}

static void use_fill(struct canvas *canvas, uint32_t color)
{
    pl_fillcolor_r(canvas->plotter, channel(color, 16), channel(color, 8), channel(color, 0));
    pl_filltype_r(canvas->plotter, 1);
}

static void use_stroke(struct canvas *canvas, struct stroke stroke)
{
    static const double dashed[] = {5, 4}, dotted[] = {1.2, 2.6};
    pl_filltype_r(canvas->plotter, 0);
    pl_pencolor_r(canvas->plotter, channel(stroke.color, 16), channel(stroke.color, 8),
                  channel(stroke.color, 0));
    pl_pentype_r(canvas->plotter, 1);
    pl_flinewidth_r(canvas->plotter, stroke.width);
    if (stroke.dash == DASH_NONE)
        pl_linemod_r(canvas->plotter, "solid");
    else
        pl_flinedash_r(canvas->plotter, 2, stroke.dash == DASH_DASHED ? dashed : dotted, 0);
}

void canvas_fill(struct canvas *canvas, struct rect r, uint32_t color)
{
    if (!canvas->plotter || !isfinite(r.x0 + r.y0 + r.x1 + r.y1))
        return;
    use_fill(canvas, color);
    pl_pentype_r(canvas->plotter, 0);
    pl_fbox_r(canvas->plotter, r.x0, r.y0, r.x1, r.y1);
    pl_endpath_r(canvas->plotter);
    pl_pentype_r(canvas->plotter, 1);
}

void canvas_frame(struct canvas *canvas, struct rect r, struct stroke stroke)
{
    if (!canvas->plotter || !isfinite(r.x0 + r.y0 + r.x1 + r.y1))
        return;
    use_stroke(canvas, stroke);
    pl_fbox_r(canvas->plotter, r.x0, r.y0, r.x1, r.y1);
    pl_endpath_r(canvas->plotter);
}

void canvas_line(struct canvas *canvas, double x0, double y0, double x1, double y1,
                 struct stroke stroke)
{
    if (!canvas->plotter || !isfinite(x0 + y0 + x1 + y1))
        return;
    use_stroke(canvas, stroke);
    pl_fline_r(canvas->plotter, x0, y0, x1, y1);
    pl_endpath_r(canvas->plotter);
}

void canvas_dot(struct canvas *canvas, double x, double y, double radius, uint32_t fill,
                uint32_t edge)
{
    if (!canvas->plotter || !isfinite(x + y))
        return;
    use_stroke(canvas, (struct stroke){edge, 1.2, DASH_NONE});
    use_fill(canvas, fill);
    pl_fcircle_r(canvas->plotter, x, y, radius);
    pl_endpath_r(canvas->plotter);
}

void canvas_diamond(struct canvas *canvas, double x, double y, double radius, uint32_t fill,
                    uint32_t edge)
{
    if (!canvas->plotter || !isfinite(x + y))
        return;
    use_stroke(canvas, (struct stroke){edge, 1.2, DASH_NONE});
    use_fill(canvas, fill);
    pl_fmove_r(canvas->plotter, x - radius, y);
    pl_fcont_r(canvas->plotter, x, y + radius);
    pl_fcont_r(canvas->plotter, x + radius, y);
    pl_fcont_r(canvas->plotter, x, y - radius);
    pl_fcont_r(canvas->plotter, x - radius, y); /* closed by hand: libplot then writes a polygon */
    pl_endpath_r(canvas->plotter);
}

void canvas_hatch(struct canvas *canvas, struct rect r, double pitch, struct stroke stroke)
{
    double height = r.y1 - r.y0;
    for (double x = r.x0 - height + pitch / 2; x < r.x1; x += pitch) {
        double x0 = x, x1 = x + height, y0 = r.y0, y1 = r.y1;
        if (x0 < r.x0) {
            y0 += r.x0 - x0;
            x0 = r.x0;
        }
        if (x1 > r.x1) {
            y1 -= x1 - r.x1;
            x1 = r.x1;
        }
        if (x0 < x1)
            canvas_line(canvas, x0, y0, x1, y1, stroke);
    }
}

/* Liang and Barsky: cuts the segment a-b to the box; false if nothing is left. libplot has no clip
 * path. */
static bool clip(struct rect box, double a[2], double b[2])
{
    double dx = b[0] - a[0], dy = b[1] - a[1], t0 = 0, t1 = 1;
    const double p[] = {-dx, dx, -dy, dy};
    const double q[] = {a[0] - box.x0, box.x1 - a[0], a[1] - box.y0, box.y1 - a[1]};
    for (int i = 0; i < 4; i++) {
        if (fabs(p[i]) < 1e-12) {
            if (q[i] < 0)
                return false;
            continue;
        }
        double t = q[i] / p[i];
        if (p[i] < 0)
            t0 = fmax(t0, t);
        else
            t1 = fmin(t1, t);
    }
    if (t0 > t1)
        return false;
    double from[] = {a[0], a[1]};
    b[0] = from[0] + t1 * dx;
    b[1] = from[1] + t1 * dy;
    a[0] = from[0] + t0 * dx;
    a[1] = from[1] + t0 * dy;
    return true;
}

void canvas_polyline(struct canvas *canvas, struct rect box, const double *x, const double *y,
                     int n, struct stroke stroke)
{
    if (!canvas->plotter)
        return;
    use_stroke(canvas, stroke);
    bool open = false;
    double last[2] = {0, 0};
    for (int i = 1; i < n; i++) {
        if (!isfinite(x[i - 1] + y[i - 1] + x[i] + y[i]))
            continue;
        double a[] = {x[i - 1], y[i - 1]}, b[] = {x[i], y[i]};
        if (!clip(box, a, b))
            continue;
        if (!open || fabs(a[0] - last[0]) > 1e-9 || fabs(a[1] - last[1]) > 1e-9) {
            if (open)
                pl_endpath_r(canvas->plotter);
            pl_fmove_r(canvas->plotter, a[0], a[1]);
            open = true;
        }
        pl_fcont_r(canvas->plotter, b[0], b[1]);
        last[0] = b[0];
        last[1] = b[1];
    }
    if (open)
        pl_endpath_r(canvas->plotter);
}

/* ---- text ---- */

/* Only a mark in libplot's output that says where in the drawing order our text belongs. */
static void add_text(struct canvas *canvas, struct text_item item, const char *text)
{
    XGROW(canvas->texts, canvas->n_texts, canvas->cap_texts);
    item.text = xstrdup(text);
    canvas->texts[canvas->n_texts++] = item;
    if (!canvas->plotter)
        return;
    pl_fmove_r(canvas->plotter, item.x, item.y);
    pl_ffontsize_r(canvas->plotter, 10);
    pl_alabel_r(canvas->plotter, 'l', 'x', "x");
}

struct rect canvas_text(struct canvas *canvas, double x, double y, enum align align,
                        enum valign valign, struct font font, const char *text)
{
    double width = text_width(font, text);
    double left = align == ALIGN_LEFT ? x : align == ALIGN_RIGHT ? x - width : x - width / 2;
    double base = y;
    if (valign == VALIGN_MIDDLE)
        base = y - 0.36 * font.size;
    else if (valign == VALIGN_TOP)
        base = y - 0.74 * font.size;
    else if (valign == VALIGN_BOTTOM)
        base = y + 0.20 * font.size;
    struct rect box = {left, base - 0.20 * font.size, left + width, base + 0.74 * font.size};
    if (*text && isfinite(left + base))
        add_text(canvas, (struct text_item){box, left, base, width, font, false, NULL}, text);
    return box;
}

struct rect canvas_text_up(struct canvas *canvas, double x, double y, struct font font,
                           const char *text)
{
    double width = text_width(font, text);
    struct rect box = {x - 0.74 * font.size, y - width / 2, x + 0.20 * font.size, y + width / 2};
    if (*text && isfinite(x + y))
        add_text(canvas, (struct text_item){box, x, y - width / 2, width, font, true, NULL}, text);
    return box;
}

static bool overlap(struct rect a, struct rect b)
{
    return a.x0 < b.x1 && b.x0 < a.x1 && a.y0 < b.y1 && b.y0 < a.y1;
}

int canvas_problems(const struct canvas *canvas, struct arena *arena, const char **ret_first)
{
    int n = 0;
    const char *first = "";
    for (int i = 0; i < canvas->n_texts; i++) {
        const struct text_item *a = &canvas->texts[i];
        if (a->box.x0 < 2 || a->box.y0 < 2 || a->box.x1 > canvas->width - 2 ||
            a->box.y1 > canvas->height - 2) {
            if (n++ == 0)
                first = arena_printf(arena, "clipped: \"%s\"", a->text);
        }
        for (int k = i + 1; k < canvas->n_texts; k++) {
            const struct text_item *b = &canvas->texts[k];
            if (overlap(a->box, b->box) && n++ == 0)
                first = arena_printf(arena, "overlap: \"%s\" and \"%s\"", a->text, b->text);
        }
    }
    if (ret_first)
        *ret_first = first;
    return n;
}

/* ---- the frame ---- */

static void put_xml(struct buf *buf, const char *text)
{
    for (size_t left = strlen(text); left > 0;) {
        size_t n = words_utf8(text, left);
        unsigned char c = (unsigned char)*text;
        if (n == 0 || (n == 1 && (c < 0x20 || c == 0x7F)))
            buf_puts(buf, c == '\n' || c == '\t' ? " " : "?");
        else if (c == '<')
            buf_puts(buf, "&lt;");
        else if (c == '>')
            buf_puts(buf, "&gt;");
        else if (c == '&')
            buf_puts(buf, "&amp;");
        else if (c == '"')
            buf_puts(buf, "&quot;");
        else
            buf_add(buf, text, n);
        text += n ? n : 1;
        left -= n ? n : 1;
    }
}

static void put_number(struct buf *buf, double value)
{
    words_number(buf, floor(value * 100 + 0.5) / 100);
}

static void put_text(struct buf *svg, const struct text_item *item)
{
    uint32_t color = item->font.color;
    buf_puts(svg, item->upwards ? "<text transform=\"matrix(0 1 1 0 "
                                : "<text transform=\"matrix(1 0 0 -1 ");
    put_number(svg, item->x);
    buf_putc(svg, ' ');
    put_number(svg, item->y);
    buf_puts(svg, ")\" font-size=\"");
    put_number(svg, item->font.size);
    buf_printf(svg, "\"%s stroke=\"none\" fill=\"#%06x\" textLength=\"",
               item->font.bold ? " font-weight=\"bold\"" : "", color);
    put_number(svg, item->width);
    buf_puts(svg, "\" lengthAdjust=\"spacingAndGlyphs\">");
    put_xml(svg, item->text);
    buf_puts(svg, "</text>\n");
}

static void put_head(struct buf *svg, const struct canvas *canvas)
{
    buf_printf(svg,
               "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%.0f\" height=\"%.0f\" "
               "viewBox=\"0 0 %.0f %.0f\" role=\"img\">\n<title>",
               canvas->width, canvas->height, canvas->width, canvas->height);
    put_xml(svg, canvas->title);
    buf_puts(svg, "</title>\n<desc>");
    put_xml(svg, canvas->description);
    buf_printf(svg,
               "</desc>\n<rect width=\"%.0f\" height=\"%.0f\" fill=\"#ffffff\"/>\n"
               "<g transform=\"matrix(1 0 0 -1 0 %.0f)\" stroke=\"#000000\" "
               "stroke-linejoin=\"round\" fill=\"none\" "
               "font-family=\"Helvetica,Arial,'Liberation Sans','Nimbus Sans',sans-serif\" "
               "xml:space=\"preserve\">\n",
               canvas->width, canvas->height, canvas->height);
}

/* libplot writes one element a line: shapes are taken over, each text is replaced by ours. */
static int put_body(struct buf *svg, const struct canvas *canvas)
{
    struct str rest = {canvas->raw, canvas->raw_len};
    int n_texts = 0;
    bool inside = false;
    while (rest.len) {
        struct str line = str_cut(&rest, '\n');
        if (!inside) {
            inside = str_starts(line, "<g id=\"content\" ");
        } else if (str_starts(line, "</g>")) {
            return n_texts == canvas->n_texts ? 0 : -1;
        } else if (str_starts(line, "<text ")) {
            if (n_texts == canvas->n_texts)
                return -1;
            put_text(svg, &canvas->texts[n_texts++]);
        } else {
            buf_str(svg, line);
            buf_putc(svg, '\n');
        }
    }
    return -1;
}

int canvas_finish(struct canvas *canvas, struct buf *svg)
{
    bool drawn = canvas->plotter != NULL;
    close_plotter(canvas);
    canvas->finished = true;
    if (!drawn || !canvas->raw)
        return -1;
    put_head(svg, canvas);
    if (put_body(svg, canvas) < 0)
        return -1;
    buf_puts(svg, "</g>\n</svg>\n");
    return 0;
}
