/* html: what the HTML pages share. */
#ifndef REHEARSE_REPORTS_HTML_H
#define REHEARSE_REPORTS_HTML_H

/* The style sheet: light and dark, wide and narrow, paper. */
extern const char html_style[];

#endif
