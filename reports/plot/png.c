#include "reports/plot/png.h"

#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <zlib.h>

#include "reports/plot/glyphs.h"
#include "reports/plot/raster.h"
#include "reports/words.h"
#include "sim/base/xalloc.h"

enum { SIDE_MAX = 20000, DASHES_MAX = 4, POINTS_MAX = 1 << 20 };

/* One line of the SVG: a tag with its attributes, and what stands behind it. */
struct element {
    struct str tag;  /* "<line x1=... />" */
    struct str rest; /* the text of a <text> */
};

struct painting {
    struct raster raster;
    double height; /* of the picture, in its own units: y runs up there */
    double scale;
};

/* ---- reading ---- */

/* The value of an attribute, or the empty slice. */
static struct str attribute(const struct element *element, const char *name)
{
    char key[32];
    snprintf(key, sizeof key, " %s=\"", name);
    ptrdiff_t at = str_find(element->tag, str_of(key));
    if (at < 0)
        return (struct str){0};
    struct str rest = {element->tag.at + at + strlen(key),
                       element->tag.len - (size_t)at - strlen(key)};
    return str_cut(&rest, '"');
}

/* The next decimal number of the text, which is cut behind it; 0 if there is none. */
static double next_number(struct str *text)
{
    size_t i = 0;
    while (i < text->len && !isdigit((unsigned char)text->at[i]) && text->at[i] != '-' &&
           text->at[i] != '.')
        i++;
    bool negative = i < text->len && text->at[i] == '-';
    i += negative;
    double value = 0, unit = 1;
    for (; i < text->len && isdigit((unsigned char)text->at[i]); i++)
        value = value * 10 + (text->at[i] - '0');
    if (i < text->len && text->at[i] == '.') {
        for (i++; i < text->len && isdigit((unsigned char)text->at[i]); i++) {
            unit /= 10;
            value += unit * (text->at[i] - '0');
        }
    }
    *text = (struct str){text->at + i, text->len - i};
    return negative ? -value : value;
}

static double number(const struct element *element, const char *name, double otherwise)
{
    struct str value = attribute(element, name);
    return value.len ? next_number(&value) : otherwise;
}

/* A colour, or false for "none" and where there is none. */
static bool color(const struct element *element, const char *name, uint32_t *ret)
{
    struct str value = attribute(element, name);
    if (str_is(value, "white"))
        *ret = 0xFFFFFF;
    else if (str_is(value, "black"))
        *ret = 0;
    else if (value.len == 7 && value.at[0] == '#') {
        *ret = 0;
        for (int i = 1; i < 7; i++) {
            int c = tolower((unsigned char)value.at[i]);
            *ret = *ret << 4 | (uint32_t)(isdigit(c) ? c - '0' : c - 'a' + 10);
        }
    } else {
        return false;
    }
    return true;
}

/* ---- painting ---- */

static double to_x(const struct painting *painting, double x)
{
    return x * painting->scale;
}

static double to_y(const struct painting *painting, double y)
{
    return (painting->height - y) * painting->scale;
}

struct pen {
    uint32_t color;
    double width;
    double dashes[DASHES_MAX];
    int n_dashes;
    double along; /* how far the stroke has come in its pattern */
};

static bool pen_of(const struct element *element, struct pen *ret)
{
    *ret = (struct pen){.width = number(element, "stroke-width", 1)};
    struct str dashes = attribute(element, "stroke-dasharray");
    while (dashes.len && ret->n_dashes < DASHES_MAX)
        ret->dashes[ret->n_dashes++] = next_number(&dashes);
    return color(element, "stroke", &ret->color);
}

/* Whether the pen is down at this place of its pattern, and how far that holds. */
static bool pen_is_down(const struct pen *pen, double *ret_until)
{
    double whole = 0, at = 0;
    for (int i = 0; i < pen->n_dashes; i++)
        whole += pen->dashes[i];
    if (!(whole > 0)) {
        *ret_until = INFINITY;
        return true;
    }
    double place = pen->along - floor(pen->along / whole) * whole;
    for (int i = 0; i < pen->n_dashes; i++) {
        at += pen->dashes[i];
        if (place < at || i == pen->n_dashes - 1) {
            *ret_until = fmax(at - place, 0.01);
            return i % 2 == 0;
        }
    }
    return true;
}

static void stroke(struct painting *painting, struct pen *pen, double x0, double y0, double x1,
                   double y1)
{
    double dx = x1 - x0, dy = y1 - y0, len = sqrt(dx * dx + dy * dy), done = 0;
    while (done < len) {
        double until = 0;
        bool down = pen_is_down(pen, &until);
        double to = fmin(len, done + until);
        if (down)
            raster_stroke(&painting->raster, to_x(painting, x0 + dx * done / len),
                          to_y(painting, y0 + dy * done / len), to_x(painting, x0 + dx * to / len),
                          to_y(painting, y0 + dy * to / len), pen->width * painting->scale,
                          pen->color);
        pen->along += to - done;
        done = to;
    }
}

static void paint_line(struct painting *painting, const struct element *element)
{
    struct pen pen;
    if (pen_of(element, &pen))
        stroke(painting, &pen, number(element, "x1", 0), number(element, "y1", 0),
               number(element, "x2", 0), number(element, "y2", 0));
}

/* Segments, with a dot at each joint of a solid line: round joins. */
static void paint_polyline(struct painting *painting, const struct element *element)
{
    struct pen pen;
    struct str points = attribute(element, "points");
    if (!pen_of(element, &pen) || !points.len)
        return;
    double x = next_number(&points), y = next_number(&points);
    for (int i = 0; str_trim(points).len && i < POINTS_MAX; i++) {
        double next_x = next_number(&points), next_y = next_number(&points);
        stroke(painting, &pen, x, y, next_x, next_y);
        x = next_x;
        y = next_y;
        if (!pen.n_dashes)
            raster_dot(&painting->raster, to_x(painting, x), to_y(painting, y),
                       pen.width * painting->scale / 2, pen.color);
    }
}

static void paint_polygon(struct painting *painting, const struct element *element)
{
    struct str points = attribute(element, "points");
    uint32_t fill;
    struct pen pen;
    double first_x = 0, first_y = 0, x = 0, y = 0;
    bool filled = color(element, "fill", &fill), stroked = pen_of(element, &pen);
    struct str again = points;
    for (int i = 0; filled && str_trim(points).len && i < POINTS_MAX; i++) {
        x = next_number(&points);
        y = next_number(&points);
        if (i == 0)
            raster_move(&painting->raster, to_x(painting, x), to_y(painting, y));
        else
            raster_line(&painting->raster, to_x(painting, x), to_y(painting, y));
    }
    if (filled)
        raster_fill(&painting->raster, fill);
    for (int i = 0; stroked && str_trim(again).len && i < POINTS_MAX; i++) {
        double next_x = next_number(&again), next_y = next_number(&again);
        if (i == 0) {
            first_x = next_x;
            first_y = next_y;
        } else {
            stroke(painting, &pen, x, y, next_x, next_y);
        }
        x = next_x;
        y = next_y;
    }
    if (stroked)
        stroke(painting, &pen, x, y, first_x, first_y);
}

static void paint_rect(struct painting *painting, const struct element *element)
{
    double x0 = number(element, "x", 0), y0 = number(element, "y", 0);
    double x1 = x0 + number(element, "width", 0), y1 = y0 + number(element, "height", 0);
    uint32_t fill;
    struct pen pen;
    if (color(element, "fill", &fill)) {
        raster_move(&painting->raster, to_x(painting, x0), to_y(painting, y0));
        raster_line(&painting->raster, to_x(painting, x1), to_y(painting, y0));
        raster_line(&painting->raster, to_x(painting, x1), to_y(painting, y1));
        raster_line(&painting->raster, to_x(painting, x0), to_y(painting, y1));
        raster_fill(&painting->raster, fill);
    }
    if (!pen_of(element, &pen))
        return;
    stroke(painting, &pen, x0, y0, x1, y0);
    stroke(painting, &pen, x1, y0, x1, y1);
    stroke(painting, &pen, x1, y1, x0, y1);
    stroke(painting, &pen, x0, y1, x0, y0);
}

static void paint_circle(struct painting *painting, const struct element *element)
{
    double x = to_x(painting, number(element, "cx", 0)),
           y = to_y(painting, number(element, "cy", 0));
    double radius = number(element, "r", 0) * painting->scale;
    uint32_t fill;
    struct pen pen;
    double half = pen_of(element, &pen) ? pen.width * painting->scale / 2 : 0;
    if (half > 0)
        raster_dot(&painting->raster, x, y, radius + half, pen.color);
    if (color(element, "fill", &fill))
        raster_dot(&painting->raster, x, y, radius - half, fill);
}

/* The next character of our own XML text, entities resolved. */
static unsigned next_character(struct str *text)
{
    static const struct {
        const char *name;
        unsigned character;
    } entities[] = {{"&lt;", '<'}, {"&gt;", '>'}, {"&amp;", '&'}, {"&quot;", '"'}};
    for (size_t i = 0; i < sizeof entities / sizeof *entities; i++) {
        if (str_starts(*text, entities[i].name)) {
            text->at += strlen(entities[i].name);
            text->len -= strlen(entities[i].name);
            return entities[i].character;
        }
    }
    size_t n = words_utf8(text->at, text->len);
    const unsigned char *s = (const unsigned char *)text->at;
    unsigned value = n == 2   ? (s[0] & 0x1Fu) << 6 | (s[1] & 0x3Fu)
                     : n == 3 ? (s[0] & 0x0Fu) << 12 | (s[1] & 0x3Fu) << 6 | (s[2] & 0x3Fu)
                     : n == 4 ? 0x10000
                              : s[0];
    n = n ? n : 1;
    text->at += n;
    text->len -= n;
    return value;
}

/* The matrix of a text: along the baseline and up from it, in the picture's units. */
struct frame {
    double x, y, along_x, along_y, up_x, up_y;
};

static void add_point(struct painting *painting, const struct frame *frame, double x, double y,
                      bool move)
{
    double px = to_x(painting, frame->x + x * frame->along_x + y * frame->up_x);
    double py = to_y(painting, frame->y + x * frame->along_y + y * frame->up_y);
    if (move)
        raster_move(&painting->raster, px, py);
    else
        raster_line(&painting->raster, px, py);
}

static void add_glyph(struct painting *painting, const struct frame *frame,
                      const struct glyph *glyph, double stretch, double size, double pen_x)
{
    double k = size / 1000;
    for (const short *at = glyph->at; at < glyph->end;) {
        double x = at[1] * k * stretch + pen_x, y = at[2] * k;
        if (at[0] < 2) {
            add_point(painting, frame, x, y, at[0] == 0);
            at += 3;
            continue;
        }
        double end_x = at[3] * k * stretch + pen_x, end_y = at[4] * k;
        double control_x = to_x(painting, frame->x + x * frame->along_x + y * frame->up_x);
        double control_y = to_y(painting, frame->y + x * frame->along_y + y * frame->up_y);
        raster_curve(&painting->raster, control_x, control_y,
                     to_x(painting, frame->x + end_x * frame->along_x + end_y * frame->up_x),
                     to_y(painting, frame->y + end_x * frame->along_y + end_y * frame->up_y));
        at += 5;
    }
}

/* Stretched to the width that the layout has kept for it. */
static void paint_text(struct painting *painting, const struct element *element)
{
    struct str matrix = attribute(element, "transform");
    double m[6];
    uint32_t fill;
    if (!color(element, "fill", &fill))
        return;
    for (int i = 0; i < 6; i++)
        m[i] = next_number(&matrix);
    struct frame frame = {m[4], m[5],  m[0],
                          m[1], -m[2], -m[3]}; /* the letters' y runs up, SVG's down */
    double size = number(element, "font-size", 12), width = number(element, "textLength", 0),
           natural = 0;
    bool bold = attribute(element, "font-weight").len > 0;
    struct str text = element->rest;
    while (text.len)
        natural += glyph_of(next_character(&text), bold).advance * size / 1000;
    double stretch = natural > 0 && width > 0 ? width / natural : 1, pen_x = 0;
    text = element->rest;
    while (text.len) {
        struct glyph glyph = glyph_of(next_character(&text), bold);
        add_glyph(painting, &frame, &glyph, stretch, size, pen_x);
        pen_x += glyph.advance * size / 1000 * stretch;
    }
    raster_fill(&painting->raster, fill);
}

/* ---- the picture ---- */

static struct element element_of(struct str line)
{
    ptrdiff_t end = str_find(line, STR(">"));
    struct element element = {line, {0}};
    if (end < 0)
        return element;
    element.tag.len = (size_t)end + 1;
    element.rest = (struct str){line.at + end + 1, line.len - (size_t)end - 1};
    ptrdiff_t close = str_find(element.rest, STR("</text>"));
    if (close >= 0)
        element.rest.len = (size_t)close;
    return element;
}

static int paint_element(struct painting *painting, const struct element *element)
{
    static const struct {
        const char *start;
        void (*paint)(struct painting *, const struct element *);
    } painters[] = {{"<line ", paint_line},       {"<polyline ", paint_polyline},
                    {"<polygon ", paint_polygon}, {"<rect ", paint_rect},
                    {"<circle ", paint_circle},   {"<text ", paint_text}};
    for (size_t i = 0; i < sizeof painters / sizeof *painters; i++) {
        if (str_starts(element->tag, painters[i].start)) {
            painters[i].paint(painting, element);
            return 0;
        }
    }
    return -1;
}

static int paint(struct painting *painting, struct str svg)
{
    bool inside = false;
    while (svg.len) {
        struct str line = str_cut(&svg, '\n');
        struct element element = element_of(line);
        if (str_starts(line, "<g transform=\"matrix(1 0 0 -1 0 "))
            inside = true;
        else if (inside && str_starts(line, "</g>"))
            return 0;
        else if (inside && paint_element(painting, &element) < 0)
            return -1;
    }
    return -1;
}

/* ---- PNG (ISO 15948): signature, then chunks of length, type, bytes and checksum ---- */

static void put_32(struct buf *buf, uint32_t value)
{
    const unsigned char bytes[] = {(unsigned char)(value >> 24), (unsigned char)(value >> 16),
                                   (unsigned char)(value >> 8), (unsigned char)value};
    buf_add(buf, bytes, sizeof bytes);
}

static void put_chunk(struct buf *png, const char *type, const void *at, size_t len)
{
    put_32(png, (uint32_t)len);
    size_t start = png->len;
    buf_add(png, type, 4);
    buf_add(png, at, len);
    put_32(png, (uint32_t)crc32(0, (const Bytef *)png->at + start, (uInt)(len + 4)));
}

static int put_png(const struct raster *raster, int scale, struct buf *png)
{
    size_t line = (size_t)raster->width * 3, n = (line + 1) * (size_t)raster->height;
    unsigned char *raw = xmalloc(n);
    for (int y = 0; y < raster->height; y++) { /* each line: no filter, then its pixels */
        raw[(size_t)y * (line + 1)] = 0;
        memcpy(raw + (size_t)y * (line + 1) + 1, raster->rgb + (size_t)y * line, line);
    }
    uLongf packed_len = compressBound((uLong)n);
    unsigned char *packed = xmalloc(packed_len);
    int code = compress2(packed, &packed_len, raw, (uLong)n, 9) == Z_OK ? 0 : -1;
    struct buf head;
    buf_init(&head, 64);
    put_32(&head, (uint32_t)raster->width);
    put_32(&head, (uint32_t)raster->height);
    buf_add(&head, "\10\2\0\0\0",
            5); /* eight bits, RGB, deflate, standard filters, not interlaced */
    buf_add(png, "\211PNG\r\n\32\n", 8);
    put_chunk(png, "IHDR", head.at, head.len);
    buf_clear(&head);
    put_32(&head, (uint32_t)(scale * 3780)); /* pixels per metre: a unit is 1/96 inch */
    put_32(&head, (uint32_t)(scale * 3780));
    buf_add(&head, "\1", 1);
    put_chunk(png, "pHYs", head.at, head.len);
    put_chunk(png, "IDAT", packed, packed_len);
    put_chunk(png, "IEND", "", 0);
    buf_release(&head);
    free(packed);
    free(raw);
    return code;
}

int png_of_svg(struct str svg, int scale, struct buf *png)
{
    struct element head = element_of((struct str){svg.at, svg.len});
    double width = number(&head, "width", 0), height = number(&head, "height", 0);
    if (!str_starts(svg, "<svg ") || scale < 1 || scale > PNG_SCALE_MAX ||
        !(width >= 1 && width * scale <= SIDE_MAX) || !(height >= 1 && height * scale <= SIDE_MAX))
        return -1;
    struct painting painting = {.height = height, .scale = scale};
    raster_init(&painting.raster, (int)(width * scale), (int)(height * scale));
    int code = paint(&painting, svg);
    if (code == 0)
        code = put_png(&painting.raster, scale, png);
    raster_release(&painting.raster);
    return code;
}
