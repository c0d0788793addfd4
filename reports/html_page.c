/* The style sheet and the pieces of the HTML pages. */
#include <string.h>

#include "reports/html.h"
#include "reports/plot/timeline.h"
#include "reports/words.h"
#include "reports/xml.h"

const char html_style[] =
    ":root{color-scheme:light "
    "dark;--ink:#1f2933;--text:#3e4c59;--muted:#5b6874;--line:#d8dee4;--paper:#fff;"
    "--card:#f6f8fa;--good:#00694d;--bad:#a33100;--unsure:#7a5600;--link:#005a8c}\n"
    "@media(prefers-color-scheme:dark){:root{--ink:#eef2f5;--text:#cdd5dc;--muted:#9fabb6;--line:#"
    "3a444d;--paper:#14181c;"
    "--card:#1d2329;--good:#5fd0ac;--bad:#ff9d6b;--unsure:#f0c04c;--link:#7cc4f0}"
    "figure svg{filter:invert(.92) hue-rotate(180deg)}}\n"
    "*{box-sizing:border-box}\n"
    "body{margin:0 auto;padding:1.5rem;max-width:66rem;background:var(--paper);color:var(--text);"
    "font:16px/1.5 system-ui,Helvetica,Arial,'Liberation Sans',sans-serif;overflow-wrap:anywhere}\n"
    "h1,h2,h3{color:var(--ink);line-height:1.25}h1{font-size:1.6rem;margin:0}h2{font-size:1.25rem;"
    "margin:2.2rem 0 .7rem}"
    "h3{font-size:1rem;margin:0}table+h3,article+h3{margin-top:1.2rem}details{margin:.4rem 0}\n"
    "a{color:var(--link)}code,pre{font-family:ui-monospace,'Liberation "
    "Mono',Menlo,monospace;font-size:.875em}\n"
    "pre,code.command{white-space:pre-wrap}\n"
    "pre{background:var(--card);border:1px solid "
    "var(--line);border-radius:4px;padding:.6rem;margin:.5rem 0}\n"
    "nav ul{display:flex;flex-wrap:wrap;gap:.2rem 1rem;padding:0;list-style:none;font-size:.9rem}\n"
    ".verdict{display:flex;flex-wrap:wrap;gap:.5rem 1.5rem;align-items:baseline;border:1px solid "
    "var(--line);"
    "border-left:.5rem solid;border-radius:4px;background:var(--card);padding:1rem;margin:1rem 0}\n"
    ".verdict strong{font-size:1.6rem}.verdict p{margin:0;color:var(--text)}\n"
    ".pass{color:var(--good)}.fail{color:var(--bad)}.unknown{color:var(--unsure)}\n"
    ".error{color:var(--bad)}.warning{color:var(--unsure)}.note{color:var(--muted)}.place{color:"
    "var(--muted)}\n"
    "table{border-collapse:collapse;width:100%;font-size:.9rem}\n"
    "th,td{text-align:left;vertical-align:top;padding:.35rem .7rem .35rem 0;border-bottom:1px "
    "solid var(--line)}\n"
    "thead th{color:var(--muted);font-weight:600;white-space:nowrap}tbody th{font-weight:400}\n"
    ".number{font-variant-numeric:tabular-nums;white-space:nowrap}.words{min-width:5rem}.words "
    "p{margin:0 0 .2rem}\n"
    "figure{margin:1rem 0}figure svg{display:block;max-width:100%;height:auto}figure "
    "svg.narrow{display:none}\n"
    "article{border:1px solid var(--line);border-left:.3rem solid;border-radius:4px;padding:.7rem "
    ".9rem;margin:.7rem 0}\n"
    "article p,article pre{color:var(--text)}article p{margin:.3rem "
    "0}summary{cursor:pointer;color:var(--text)}\n"
    "dt{color:var(--ink);font-weight:600}dd{margin:0 0 .8rem}dd p{margin:.2rem 0}\n"
    ":target{outline:2px solid var(--link);outline-offset:2px}\n"
    /* a column that can be broken anywhere would be squeezed by the others */
    "@media print,(min-width:881px){table[aria-label=Steps] "
    "td.words{width:32%}table[aria-label=Steps] td:nth-child(3){width:48%}}\n"
    /* on a narrow screen each row is a small card */
    "@media screen and (max-width:880px){body{padding:1rem}"
    "thead{position:absolute;width:1px;height:1px;overflow:hidden;clip-path:inset(50%)}"
    "table,tbody,tr,tbody th,td{display:block}tr{border-bottom:1px solid "
    "var(--line);padding:.45rem 0}"
    "th,td{border:0;padding:.1rem 0}tbody th{font-weight:600;color:var(--ink)}"
    "td.number{display:inline-block;margin-right:1.2rem}td:empty{display:none}"
    "td[data-label]::before{content:attr(data-label) ': "
    "';color:var(--muted)}th[data-label=Step]::before{content:'Step '}}\n"
    "@media screen and (max-width:640px){figure svg.wide{display:none}figure "
    "svg.narrow{display:block}}\n"
    "@media "
    "print{:root{color-scheme:light;--ink:#000;--text:#000;--muted:#444;--line:#999;--paper:#fff;--"
    "card:#fff;--link:#000}"
    "body{font-size:11px;max-width:none;padding:0}nav{display:none}article,figure,tr,dd{break-"
    "inside:avoid}"
    "h2,h3,dt{break-after:avoid}figure svg{filter:none}}\n";

void html_raw(struct html_page *page, const char *html)
{
    buf_puts(page->buf, html);
}

void html_text(struct html_page *page, const char *text)
{
    xml_put(page->buf, words_line(page->arena, str_of(text ? text : ""), 2000));
}

void html_block(struct html_page *page, struct str bytes, size_t max)
{
    struct buf clean;
    buf_init(&clean, 8 * max + 64); /* no byte takes more than eight when it is made readable */
    bool cut = bytes.len > max;
    words_block(&clean, cut ? (struct str){bytes.at, max} : bytes);
    xml_put_bytes(page->buf, buf_text(&clean));
    if (cut)
        html_raw(page, "\n[cut]");
    buf_release(&clean);
}

void html_heading(struct html_page *page, const char *id, const char *title)
{
    buf_printf(page->buf, "<section id=\"%s\" aria-labelledby=\"%s-h\">\n<h2 id=\"%s-h\">%s</h2>\n",
               id, id, id, title);
}

void html_open_table(struct html_page *page, const char *caption, const char *const *columns)
{
    buf_printf(page->buf, "<table aria-label=\"%s\">\n<thead><tr>", caption);
    for (; *columns; columns++)
        buf_printf(page->buf, "<th scope=\"col\">%s</th>", *columns);
    html_raw(page, "</tr></thead>\n<tbody>\n");
}

void html_close_table(struct html_page *page)
{
    html_raw(page, "</tbody></table>\n");
}

void html_open_row(struct html_page *page, const char *id)
{
    if (id)
        buf_printf(page->buf, "<tr id=\"%s\">", id);
    else
        html_raw(page, "<tr>");
    page->row_begins = true;
}

void html_close_row(struct html_page *page)
{
    html_raw(page, "</tr>\n");
}

void html_open_cell(struct html_page *page, const char *column, bool is_number)
{
    buf_printf(page->buf, "<%s class=\"%s\"", page->row_begins ? "th scope=\"row\"" : "td",
               is_number ? "number" : "words");
    if (column)
        buf_printf(page->buf, " data-label=\"%s\"", column);
    html_raw(page, ">");
}

void html_close_cell(struct html_page *page)
{
    html_raw(page, page->row_begins ? "</th>" : "</td>");
    page->row_begins = false;
}

void html_cell(struct html_page *page, const char *column, const char *text)
{
    html_open_cell(page, column, false);
    html_text(page, text);
    html_close_cell(page);
}

void html_number_cell(struct html_page *page, const char *column, const char *text)
{
    html_open_cell(page, column, true);
    html_text(page, text);
    html_close_cell(page);
}

void html_link_step(struct html_page *page, int n)
{
    buf_printf(page->buf, "<a href=\"#step-%d\">step %d</a>", n, n);
}

void html_figure(struct html_page *page, int (*plot)(const struct report *, double, struct buf *))
{
    static const struct {
        double width;
        const char *class;
    } sizes[] = {{PLOT_WIDE, "<svg class=\"wide\""}, {PLOT_NARROW, "<svg class=\"narrow\""}};
    html_raw(page, "<figure>\n");
    for (int i = 0; i < 2; i++) {
        struct buf svg;
        buf_init(&svg, REPORT_MAX);
        plot(page->report, sizes[i].width, &svg);
        html_raw(page, sizes[i].class);
        if (svg.len > 4)
            buf_add(page->buf, svg.at + 4, svg.len - 4); /* behind "<svg" */
        buf_release(&svg);
    }
    html_raw(page, "</figure>\n");
}
