#include "reports/plot/raster.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "sim/base/xalloc.h"

enum { RASTER_LINES = 5, CURVE_PARTS = 6, DOT_PARTS = 24 };

struct raster_edge {
    double x0, y0, x1, y1; /* y0 < y1 */
    int direction;
};

void raster_init(struct raster *raster, int width, int height)
{
    *raster = (struct raster){.width = width, .height = height};
    raster->rgb = xmalloc((size_t)width * (size_t)height * 3);
    memset(raster->rgb, 255, (size_t)width * (size_t)height * 3);
}

void raster_release(struct raster *raster)
{
    free(raster->rgb);
    free(raster->edges);
    *raster = (struct raster){0};
}

/* ---- outlines ---- */

static void add_edge(struct raster *raster, double x0, double y0, double x1, double y1)
{
    if (!isfinite(x0 + y0 + x1 + y1) || fabs(y1 - y0) < 1e-9)
        return;
    XGROW(raster->edges, raster->n_edges, raster->cap_edges);
    raster->edges[raster->n_edges++] = y0 < y1 ? (struct raster_edge){x0, y0, x1, y1, 1}
                                               : (struct raster_edge){x1, y1, x0, y0, -1};
}

static void close_contour(struct raster *raster)
{
    add_edge(raster, raster->x, raster->y, raster->first_x, raster->first_y);
}

void raster_move(struct raster *raster, double x, double y)
{
    close_contour(raster);
    raster->first_x = raster->x = x;
    raster->first_y = raster->y = y;
}

void raster_line(struct raster *raster, double x, double y)
{
    add_edge(raster, raster->x, raster->y, x, y);
    raster->x = x;
    raster->y = y;
}

void raster_curve(struct raster *raster, double control_x, double control_y, double x, double y)
{
    double from_x = raster->x, from_y = raster->y;
    for (int i = 1; i <= CURVE_PARTS; i++) {
        double t = (double)i / CURVE_PARTS, u = 1 - t;
        raster_line(raster, u * u * from_x + 2 * u * t * control_x + t * t * x,
                    u * u * from_y + 2 * u * t * control_y + t * t * y);
    }
}

/* ---- painting ---- */

struct crossing {
    double x;
    int direction;
};

static int by_x(const void *a, const void *b)
{
    double x = ((const struct crossing *)a)->x, y = ((const struct crossing *)b)->x;
    return (x > y) - (x < y);
}

/* Adds how much of each pixel of the row the span covers. */
static void cover(double *row, int width, double x0, double x1)
{
    x0 = fmax(x0, 0);
    x1 = fmin(x1, width);
    if (x1 <= x0)
        return;
    int first = (int)x0, last = (int)x1;
    if (first == last) {
        row[first] += x1 - x0;
        return;
    }
    row[first] += first + 1 - x0;
    for (int i = first + 1; i < last; i++)
        row[i] += 1;
    if (last < width)
        row[last] += x1 - last;
}

static void cover_line(const struct raster *raster, double y, struct crossing *crossings,
                       double *row)
{
    int n = 0, winding = 0;
    for (int i = 0; i < raster->n_edges; i++) {
        const struct raster_edge *edge = &raster->edges[i];
        if (y < edge->y0 || y >= edge->y1)
            continue;
        double x = edge->x0 + (y - edge->y0) / (edge->y1 - edge->y0) * (edge->x1 - edge->x0);
        crossings[n++] = (struct crossing){x, edge->direction};
    }
    if (n > 1)
        qsort(crossings, (size_t)n, sizeof *crossings, by_x);
    for (int i = 0; i + 1 < n; i++) {
        winding += crossings[i].direction;
        if (winding)
            cover(row, raster->width, crossings[i].x, crossings[i + 1].x);
    }
}

static void blend(unsigned char *pixel, uint32_t color, double share)
{
    share = fmin(share, 1);
    for (int i = 0; i < 3; i++) {
        double under = pixel[i], over = color >> (16 - 8 * i) & 255;
        pixel[i] = (unsigned char)(under + (over - under) * share + 0.5);
    }
}

void raster_fill(struct raster *raster, uint32_t color)
{
    close_contour(raster);
    raster->first_x = raster->x = raster->first_y = raster->y = 0;
    double top = raster->height, bottom = 0;
    for (int i = 0; i < raster->n_edges; i++) {
        top = fmin(top, raster->edges[i].y0);
        bottom = fmax(bottom, raster->edges[i].y1);
    }
    int first = top > 0 ? (int)top : 0,
        last = bottom < raster->height ? (int)bottom : raster->height - 1;
    double *row = xcalloc((size_t)raster->width + 1, sizeof *row);
    struct crossing *crossings = xcalloc((size_t)raster->n_edges + 1, sizeof *crossings);
    for (int y = first; y <= last && raster->n_edges; y++) {
        memset(row, 0, (size_t)raster->width * sizeof *row);
        for (int k = 0; k < RASTER_LINES; k++)
            cover_line(raster, y + (k + 0.5) / RASTER_LINES, crossings, row);
        for (int x = 0; x < raster->width; x++) {
            if (row[x] > 0)
                blend(raster->rgb + 3 * ((size_t)y * (size_t)raster->width + (size_t)x), color,
                      row[x] / RASTER_LINES);
        }
    }
    free(crossings);
    free(row);
    raster->n_edges = 0;
}

void raster_stroke(struct raster *raster, double x0, double y0, double x1, double y1, double width,
                   uint32_t color)
{
    double dx = x1 - x0, dy = y1 - y0, len = sqrt(dx * dx + dy * dy);
    if (!(len > 0))
        return;
    double ox = -dy / len * width / 2, oy = dx / len * width / 2;
    raster_move(raster, x0 + ox, y0 + oy);
    raster_line(raster, x1 + ox, y1 + oy);
    raster_line(raster, x1 - ox, y1 - oy);
    raster_line(raster, x0 - ox, y0 - oy);
    raster_fill(raster, color);
}

/* The points of a circle, from the angle of one part, whose sine and cosine are written out: libm's
 * differ between processors. */
void raster_dot(struct raster *raster, double x, double y, double radius, uint32_t color)
{
    static const double cosine = 0.96592582628906831,
                        sine = 0.25881904510252074; /* of 2 pi / DOT_PARTS */
    double dx = radius, dy = 0;
    raster_move(raster, x + dx, y + dy);
    for (int i = 1; i < DOT_PARTS; i++) {
        double next = dx * cosine - dy * sine;
        dy = dx * sine + dy * cosine;
        dx = next;
        raster_line(raster, x + dx, y + dy);
    }
    raster_fill(raster, color);
}
