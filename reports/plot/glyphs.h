/* glyphs: the shapes of letters for pictures in pixels, so that these need no font of the host.
 *
 * Quadratic outlines of the printable ASCII characters in thousandths of the size, from DejaVu Sans
 * Condensed (the Bitstream Vera licence allows it under another name). An outline is a row of: 0 x
 * y (move), 1 x y (line), 2 cx cy x y (curve through a control point); contours close by themselves
 * and are filled by the non-zero winding rule.
 */
#ifndef REHEARSE_REPORTS_PLOT_GLYPHS_H
#define REHEARSE_REPORTS_PLOT_GLYPHS_H

#include <stdbool.h>

struct glyph {
    const short *at, *end;
    short advance;
};

/* Of any Unicode character; what is not in the table is shown as a letter like it, or as '?'. */
struct glyph glyph_of(unsigned character, bool bold);

#endif
