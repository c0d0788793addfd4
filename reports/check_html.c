/* index.html of a check: every drill with its result, leading to its own report. */
#include <ctype.h>
#include <string.h>

#include "reports/check.h"
#include "reports/html.h"
#include "reports/words.h"
#include "reports/xml.h"

/* A relative link to SYSTEM/NAME/report.html, whatever the name holds. */
static void put_link(struct buf *buf, const char *drill)
{
    buf_puts(buf, "<a href=\"");
    for (const char *at = drill; *at; at++) {
        if (isalnum((unsigned char)*at) || strchr("/-._~", *at))
            buf_putc(buf, *at);
        else
            buf_printf(buf, "%%%02X", (unsigned char)*at);
    }
    buf_puts(buf, "/report.html\">");
    xml_put(buf, drill);
    buf_puts(buf, "</a>");
}

static void put_problems(struct buf *buf, const struct check_row *row)
{
    for (int i = 0; i < row->n_unexpected; i++) {
        buf_puts(buf, i ? "<br>" : "");
        xml_put(buf, row->unexpected[i]);
    }
    for (int i = 0; i < row->n_lapsed; i++) {
        buf_puts(buf, row->n_unexpected || i ? "<br>" : "");
        xml_put(buf, row->lapsed[i]);
    }
    for (int i = 0; i < row->n_worse; i++) {
        buf_puts(buf, row->n_unexpected || row->n_lapsed || i ? "<br>worse: " : "worse: ");
        xml_put(buf, row->worse[i]);
    }
    if (row->n_over)
        buf_printf(buf, "%s%d findings not expected",
                   row->n_unexpected || row->n_lapsed || row->n_worse ? "<br>" : "", row->n_over);
    if (row->failure)
        xml_put(buf, row->failure);
}

static void put_row(struct buf *buf, const struct check_row *row)
{
    bool well = check_row_is_well(row);
    int counts[3] = {0};
    const char *result =
        well ? "<td class=\"number\" data-label=\"Result\"><b class=\"pass\">ok</b></td>"
             : "<td class=\"number\" data-label=\"Result\"><b class=\"fail\">not ok</b></td>";
    buf_puts(buf, "<tr><th scope=\"row\">");
    if (!row->has_summary) {
        xml_put(buf, row->path);
        buf_printf(buf, "</th>%s<td></td><td></td><td></td><td data-label=\"What\">", result);
    } else {
        for (int i = 0; i < row->summary.n_findings; i++)
            counts[row->summary.findings[i].severity] += !row->summary.findings[i].waived;
        put_link(buf, row->summary.drill);
        if (*row->summary.title && strcmp(row->summary.title, row->summary.drill) != 0) {
            buf_puts(buf, "<br><span class=\"place\">");
            xml_put(buf, row->summary.title);
            buf_puts(buf, "</span>");
        }
        buf_printf(
            buf,
            "</th>%s<td class=\"number\" data-label=\"Verdict\"><span class=\"%s\">%s</span></td>"
            "<td class=\"number\" data-label=\"Score\">",
            result, outcome_names[row->summary.outcome], outcome_names[row->summary.outcome]);
        words_number(buf, row->summary.score);
        buf_printf(
            buf, "</td><td class=\"number\" data-label=\"Errors\">%d</td><td data-label=\"What\">",
            counts[SEVERITY_ERROR]);
    }
    put_problems(buf, row);
    buf_puts(buf, "</td></tr>\n");
}

void check_html(const struct check *check, struct buf *buf)
{
    int well = 0;
    for (int i = 0; i < check->n; i++)
        well += check_row_is_well(&check->rows[i]);
    bool all = well == check->n && !check->n_missing;
    buf_printf(buf,
               "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
               "<meta name=\"viewport\" content=\"width=device-width, "
               "initial-scale=1\">\n<title>Drills: %d of %d as expected</title>\n"
               "<style>\n%s</style>\n</head>\n<body>\n<header>\n<h1>Drills</h1>\n"
               "<div class=\"verdict %s\"><strong>%d of %d</strong><p>as "
               "expected</p></div>\n</header>\n<main>\n"
               "<table aria-label=\"Drills\">\n<thead><tr><th scope=\"col\">Drill</th><th "
               "scope=\"col\">Result</th>"
               "<th scope=\"col\">Verdict</th><th scope=\"col\">Score</th><th "
               "scope=\"col\">Errors</th><th scope=\"col\">What came otherwise</th>"
               "</tr></thead>\n<tbody>\n",
               well, check->n, html_style, all ? "pass" : "fail", well, check->n);
    for (int i = 0; i < check->n; i++)
        put_row(buf, &check->rows[i]);
    buf_puts(buf, "</tbody></table>\n");
    for (int i = 0; i < check->n_missing; i++) {
        buf_puts(buf, "<p class=\"fail\">");
        xml_put(buf, check->missing[i]);
        buf_puts(buf, "</p>\n");
    }
    buf_puts(buf, "</main>\n</body>\n</html>\n");
}
