/* tabwriter: columns of text as Go's text/tabwriter aligns them.
 *
 * Cells end in a tab; what stands behind the last tab of a line belongs to no column. A column is
 * as wide as its widest cell in consecutive lines that have it, plus the padding, and at least
 * `min_width`. Tables of `get` and `top`: 6, 3, remembering (github.com/liggitt/tabwriter);
 * `describe`: 0, 2.
 */
#ifndef REHEARSE_FAKES_KUBERNETES_KUBECTL_TABWRITER_H
#define REHEARSE_FAKES_KUBERNETES_KUBECTL_TABWRITER_H

#include <stdbool.h>

#include "sim/base/arena.h"
#include "sim/base/buf.h"

struct tabwriter {
    struct arena *arena;
    int min_width, padding;
    bool remember; /* columns never get narrower from one flush to the next */
    int *widths;   /* remembered */
    int n_widths;
};

/* Aligns a text of whole lines and adds it to `out`. */
void tabwriter_flush(struct tabwriter *, struct str text, struct buf *out);

#endif
