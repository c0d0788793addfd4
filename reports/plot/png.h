/* png: our own pictures in pixels, for places that take no SVG.
 *
 * Reads back the SVG that a canvas wrote (and no other: an element or attribute that a canvas does
 * not write is refused) and paints it with antialiasing. No font, library or clock of the host has
 * a say in a pixel.
 */
#ifndef REHEARSE_REPORTS_PLOT_PNG_H
#define REHEARSE_REPORTS_PLOT_PNG_H

#include "sim/base/buf.h"

enum { PNG_SCALE_MAX = 4 };

/* scale: pixels per unit, 1 to PNG_SCALE_MAX. 0, or -1 if this is no picture of a canvas. */
int png_of_svg(struct str svg, int scale, struct buf *png);

#endif
