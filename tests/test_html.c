/* report.html: nothing from outside, well-formed enough to find every link, and nothing clipped in
 * a real browser. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "reports/json_writer.h"
#include "reports/report.h"
#include "sim/base/doc.h"
#include "tests/golden.h"
#include "tests/record_samples.h"

static struct buf pages[3];

static int write_pages(void **state)
{
    (void)state;
    struct record *(*const samples[])(void) = {sample_good, sample_bad, sample_empty};
    for (int i = 0; i < 3; i++) {
        struct record *record = samples[i]();
        struct report report;
        report_init(&report, record);
        buf_init(&pages[i], REPORT_MAX);
        report_html(&report, &pages[i]);
        report_release(&report);
        record_free(record);
    }
    return 0;
}

static int free_pages(void **state)
{
    (void)state;
    for (int i = 0; i < 3; i++)
        buf_release(&pages[i]);
    return 0;
}

static void a_page_is_as_kept(void **state)
{
    (void)state;
    golden_check("report_bad.html", buf_text(&pages[1]));
}

static void nothing_comes_from_outside(void **state)
{
    (void)state;
    static const char *const forbidden[] = {"<script",  "<link",   "<img",    "<iframe",
                                            " src=",    "url(",    "@import", "href=\"http",
                                            "href=\"/", "onclick", "onload"};
    for (int i = 0; i < 3; i++) {
        for (size_t k = 0; k < sizeof forbidden / sizeof *forbidden; k++)
            assert_null(strstr(pages[i].at, forbidden[k]));
    }
}

static void every_link_has_its_evidence(void **state)
{
    (void)state;
    for (int i = 0; i < 3; i++) {
        for (const char *at = strstr(pages[i].at, "href=\"#"); at;
             at = strstr(at + 1, "href=\"#")) {
            char id[80];
            const char *name = at + strlen("href=\"#");
            snprintf(id, sizeof id, " id=\"%.*s\"", (int)strcspn(name, "\""), name);
            const char *found = strstr(pages[i].at, id);
            if (!found)
                fail_msg("page %d: nothing has%s", i, id);
            assert_null(strstr(found + 1, id)); /* and only one thing has */
        }
    }
}

static void the_bytes_of_children_stay_text(void **state)
{
    (void)state;
    assert_null(strstr(pages[1].at, "<b>&"));
    assert_null(memchr(pages[1].at, '\033', pages[1].len));
    assert_non_null(strstr(pages[1].at, "\\xff\\xfe &lt;b&gt;&amp;re"));
}

/* Opens every page in frames of three widths and asks the browser what sticks out. */
static void make_harness(struct buf *html)
{
    buf_puts(html, "<!DOCTYPE html><meta charset=utf-8><body><script>\nconst pages=[");
    for (int i = 0; i < 3; i++) {
        buf_puts(html, i ? "," : "");
        struct buf quoted;
        buf_init(&quoted, REPORT_MAX);
        json_quote(&quoted, buf_text(&pages[i]));
        for (size_t k = 0; k < quoted.len; k++) {
            if (quoted.at[k] == '<') /* "</script>" may not appear in a script */
                buf_puts(html, "\\u003c");
            else
                buf_putc(html, quoted.at[k]);
        }
        buf_release(&quoted);
    }
    buf_puts(html,
             "];\nlet left=0,out=[];\n"
             "for(const [i,page] of pages.entries())for(const width of [400,900,1400]){left++;\n"
             " const "
             "f=document.createElement('iframe');f.style.cssText='border:0;height:600px;width:'+"
             "width+'px';\n"
             " f.onload=()=>{const "
             "d=f.contentDocument;d.querySelectorAll('details').forEach(e=>e.open=true);\n"
             "  const seen=[...d.querySelectorAll('figure "
             "svg')].filter(e=>e.getBoundingClientRect().width>0).length;\n"
             "  if(seen!=d.querySelectorAll('figure').length)out.push('pictures '+i+' '+width);\n"
             "  if(d.documentElement.scrollWidth>width)out.push('page '+i+' '+width+' scrolls to "
             "'+d.documentElement.scrollWidth);\n"
             "  const lines=e=>{const g=d.createRange();g.selectNodeContents(e);return new "
             "Set([...g.getClientRects()].map(r=>r.top)).size};\n"
             "  if(width>880)for(const e of d.querySelectorAll('thead "
             "th'))if(lines(e)>1)out.push('page '+i+' '+width+' breaks '+e.textContent);\n"
             "  for(const e of "
             "d.querySelectorAll('code.command'))if(e.parentElement.clientWidth<150)out.push('page "
             "'+i+' '+width+' squeezes '+e.textContent);\n"
             "  for(const e of d.querySelectorAll('body "
             "*')){if(e.closest('thead')&&width<=880)continue;\n"
             "   const "
             "r=e.getBoundingClientRect();if(r.width&&(r.right>width+1||r.left<-1))out.push('page "
             "'+i+' '+width+' '+e.tagName+' '+r.right)}\n"
             "  if(!--left)document.body.innerHTML='<p id=result>RESULT['+out.join(';')+']</p>'};\n"
             " f.srcdoc=page;document.body.append(f)}\n"
             "</script>\n");
}

static void nothing_is_clipped_in_a_browser(void **state)
{
    (void)state;
    if (system("command -v chromium >/dev/null 2>&1") != 0) {
        print_message("no chromium here\n");
        skip();
    }
    char dir[] = "/tmp/rehearse-html-XXXXXX", path[64], command[768];
    assert_non_null(mkdtemp(dir));
    snprintf(path, sizeof path, "%s/harness.html", dir);
    struct buf html;
    buf_init(&html, REPORT_MAX);
    make_harness(&html);
    assert_int_equal(report_write_file(path, buf_text(&html), NULL), 0);
    buf_release(&html);
    snprintf(command, sizeof command,
             "timeout 60 chromium --headless --no-sandbox --disable-gpu --disable-quic "
             "--no-first-run --disable-background-networking --disable-component-update "
             "--disable-sync --window-size=1500,900 --user-data-dir=%s/profile "
             "--virtual-time-budget=5000 --enable-logging=stderr --dump-dom file://%s 2>%s/log; "
             "grep CONSOLE %s/log",
             dir, path, dir, dir);
    FILE *browser = popen(command, "r");
    assert_non_null(browser);
    char dom[4096] = "";
    size_t n = fread(dom, 1, sizeof dom - 1, browser);
    dom[n] = '\0';
    pclose(browser);
    snprintf(command, sizeof command, "rm -rf %s", dir);
    assert_int_equal(system(command), 0);
    if (!strstr(dom, "RESULT")) {
        print_message("chromium does not start here\n");
        skip();
    }
    if (!strstr(dom, "RESULT[]") || strstr(dom, "CONSOLE"))
        fail_msg("%s", dom);
}

/* The goal is 30 ms; the machine of a test may be busy, so only a mistake of another order fails.
 */
static void a_page_is_made_at_once(void **state)
{
    (void)state;
    struct record *record = sample_bad();
    struct report report;
    report_init(&report, record);
    struct buf page;
    buf_init(&page, REPORT_MAX);
    clock_t start = clock();
    for (int i = 0; i < 5; i++) {
        buf_clear(&page);
        report_html(&report, &page);
    }
    assert_true((clock() - start) / 5 < CLOCKS_PER_SEC * 3 / 10);
    buf_release(&page);
    report_release(&report);
    record_free(record);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_page_is_as_kept),
        cmocka_unit_test(nothing_comes_from_outside),
        cmocka_unit_test(every_link_has_its_evidence),
        cmocka_unit_test(the_bytes_of_children_stay_text),
        cmocka_unit_test(nothing_is_clipped_in_a_browser),
        cmocka_unit_test(a_page_is_made_at_once),
    };
    return cmocka_run_group_tests(tests, write_pages, free_pages);
}
