/* raster: a small painter of filled outlines on an RGB picture, with antialiasing.
 *
 * Coordinates are pixels, origin upper left, y down. Coverage is exact across a pixel and sampled
 * on RASTER_LINES lines down it. Only additions, multiplications and comparisons of doubles decide
 * a pixel: the same everywhere.
 */
#ifndef REHEARSE_REPORTS_PLOT_RASTER_H
#define REHEARSE_REPORTS_PLOT_RASTER_H

#include <stdint.h>

struct raster {
    int width, height;
    unsigned char *rgb; /* width * height * 3 */
    struct raster_edge *edges;
    int n_edges, cap_edges;
    double first_x, first_y, x, y; /* of the outline that is being made */
};

void raster_init(struct raster *, int width, int height); /* white */
void raster_release(struct raster *);
/* An outline: any number of contours, closed by themselves; then painted by the non-zero winding
 * rule. */
void raster_move(struct raster *, double x, double y);
void raster_line(struct raster *, double x, double y);
void raster_curve(struct raster *, double control_x, double control_y, double x, double y);
void raster_fill(struct raster *, uint32_t color); /* and the outline is empty again */
/* A straight stroke with square ends, and a round dot; both painted at once. */
void raster_stroke(struct raster *, double x0, double y0, double x1, double y1, double width,
                   uint32_t color);
void raster_dot(struct raster *, double x, double y, double radius, uint32_t color);

#endif
