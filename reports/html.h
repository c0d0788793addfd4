/* html: what the HTML pages share: the style sheet, and the pieces that a page is put together
 * from.
 *
 * A table's row begins with its heading (<th scope="row">) and goes on with cells that carry the
 * name of their column, so that a narrow screen can show a row as a small card.
 */
#ifndef REHEARSE_REPORTS_HTML_H
#define REHEARSE_REPORTS_HTML_H

#include "reports/report.h"

/* The style sheet: light and dark, wide and narrow, paper. */
extern const char html_style[];

struct html_page {
    struct buf *buf;
    const struct report *report;
    const struct record *record;
    struct arena *arena;
    bool row_begins; /* the next cell is the heading of its row */
};

void html_raw(struct html_page *, const char *html);
/* One line of any bytes. */
void html_text(struct html_page *, const char *);
/* The same, its lines kept: up to `max` bytes. */
void html_block(struct html_page *, struct str, size_t max);
/* Opens a section; its caller closes it. `id` is its anchor. */
void html_heading(struct html_page *, const char *id, const char *title);

/* columns end with NULL. Numbers stay on one line; words may be broken anywhere rather than stick
 * out. A cell whose column is NULL speaks for itself: on a narrow screen it has no name before it.
 */
void html_open_table(struct html_page *, const char *caption, const char *const *columns);
void html_close_table(struct html_page *);
void html_open_row(struct html_page *, const char *id); /* NULL: nothing leads to it */
void html_close_row(struct html_page *);
void html_open_cell(struct html_page *, const char *column, bool is_number);
void html_close_cell(struct html_page *);
void html_cell(struct html_page *, const char *column, const char *text);
void html_number_cell(struct html_page *, const char *column, const char *text);

void html_link_step(struct html_page *, int n);

/* A plot twice, for wide and for narrow screens; the style shows one of them. */
void html_figure(struct html_page *,
                 int (*plot)(const struct report *, double width, struct buf *));
/* The section "Steps": the plot, and what each step said and did. */
void html_steps(struct html_page *);

#endif
