/* canvas: a thin layer over GNU libplot, the only place that includes <plot.h>.
 *
 * Units are CSS pixels, origin lower left, y up. The result is SVG: libplot draws shapes, and its
 * frame of 2009 (Latin-1, inches, a unit view box) and its text are replaced by ours, so any UTF-8
 * text may be drawn. Every text's width is fixed in the file (textLength), so a reader's other font
 * cannot make labels collide.
 *
 * The canvas remembers the box of every text. canvas_problems() counts texts that overlap another
 * or leave the picture; charts grow their layout until there are none. Locale and environment have
 * no influence.
 */
#ifndef REHEARSE_REPORTS_PLOT_CANVAS_H
#define REHEARSE_REPORTS_PLOT_CANVAS_H

#include <stdbool.h>
#include <stdint.h>

#include "sim/base/arena.h"
#include "sim/base/buf.h"

/* Colours are 0xRRGGBB. */
/* Okabe-Ito, green and purple darkened until they keep 3:1 on the tints. Text keeps 4.5:1 on white.
 */
#define INK        0x1F2933
#define TEXT       0x3E4C59
#define MUTED      0x66737F
#define AXIS       0x9AA5B1
#define GRID       0xD8DEE4
#define PAPER      0xFFFFFF
#define STRIPE     0xF6F8FA
#define BLUE       0x0072B2
#define ORANGE     0xE69F00
#define GREEN      0x007F5C
#define VERMILLION 0xD55E00
#define RUST       0xA34700 /* vermillion dark enough for text */
#define PURPLE     0xB0468A
#define SKY        0x56B4E9

enum { SIZE_TITLE = 18, SIZE_LABEL = 12, SIZE_TICK = 11 };

struct rect {
    double x0, y0, x1, y1;
};

enum align { ALIGN_LEFT, ALIGN_CENTER, ALIGN_RIGHT };
enum valign { VALIGN_BASE, VALIGN_MIDDLE, VALIGN_TOP, VALIGN_BOTTOM };

struct font {
    double size;
    bool bold;
    uint32_t color;
};

enum dash { DASH_NONE, DASH_DASHED, DASH_DOTTED };

struct stroke {
    uint32_t color;
    double width;
    enum dash dash;
};

struct canvas;

/* `title` and `description` are for screen readers; copied. Never NULL. */
struct canvas *canvas_new(double width, double height, const char *title, const char *description);
void canvas_free(struct canvas *);
/* Writes the SVG. 0, or -1 if libplot failed or wrote a frame that we do not know. Nothing may be
 * drawn after. */
int canvas_finish(struct canvas *, struct buf *svg);
/* Texts that overlap or are clipped; `ret_first` (may be NULL) says the first in words. */
int canvas_problems(const struct canvas *, struct arena *, const char **ret_first);
double canvas_width(const struct canvas *);
double canvas_height(const struct canvas *);

void canvas_fill(struct canvas *, struct rect, uint32_t);
void canvas_frame(struct canvas *, struct rect, struct stroke);
void canvas_line(struct canvas *, double x0, double y0, double x1, double y1, struct stroke);
void canvas_dot(struct canvas *, double x, double y, double radius, uint32_t fill, uint32_t edge);
void canvas_diamond(struct canvas *, double x, double y, double radius, uint32_t fill,
                    uint32_t edge);
void canvas_hatch(struct canvas *, struct rect, double pitch, struct stroke);
/* A line through n points (in pixels), clipped to the box; a NaN is a gap. */
void canvas_polyline(struct canvas *, struct rect box, const double *x, const double *y, int n,
                     struct stroke);
struct rect canvas_text(struct canvas *, double x, double y, enum align, enum valign, struct font,
                        const char *text);
/* Reads upwards, centred on y, its baseline at x. */
struct rect canvas_text_up(struct canvas *, double x, double y, struct font, const char *text);

/* Widths need no canvas: measure, then choose the layout. */
double text_width(struct font, const char *text);
/* The text, or as much of it as fits in max_width with "..." behind it. */
const char *text_fit(struct arena *, struct font, const char *text, double max_width);

#endif
