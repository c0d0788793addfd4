/* The steps of the procedure in report.html: when each ran, how it ended, what it claimed and what
 * it truly changed. */
#include <string.h>

#include "reports/html.h"
#include "reports/plot/gantt.h"
#include "reports/words.h"
#include "sim/base/doc.h"

enum { OUTPUT_SHOWN = 4000, COMMAND_SHOWN = 2000, CHANGES_SHOWN = 6 };

static void put_output(struct html_page *page, const char *name, const struct buf *output)
{
    struct str bytes = buf_text(output);
    if (!bytes.len)
        return;
    buf_printf(page->buf, "<details><summary>%s</summary><pre>", name);
    html_block(page, bytes, OUTPUT_SHOWN);
    html_raw(page, output->truncated && bytes.len <= OUTPUT_SHOWN ? "\n[cut]</pre></details>"
                                                                  : "</pre></details>");
}

/* How the step ended, and what was found about it. */
static void put_result(struct html_page *page, const struct step *step)
{
    const struct findings *findings = &page->report->findings;
    bool failed = step->exit_status != 0 && !step->interrupted;
    if (step->interrupted)
        html_raw(page, "interrupted");
    else if (step->end_ns == NEVER)
        html_raw(page, "did not end");
    else
        buf_printf(page->buf, "<span class=\"%s\">exit %d</span>", failed ? "fail" : "",
                   step->exit_status);
    for (int i = 0; i < findings->n; i++) {
        const struct finding *finding = &findings->at[i];
        bool told = false; /* several of one kind are one word, which leads to the first */
        for (int k = 0; k < i && !told; k++)
            told = findings->at[k].step == step->n && strcmp(findings->at[k].id, finding->id) == 0;
        if (finding->step == step->n && !told)
            buf_printf(page->buf, "<br><a href=\"#finding-%d\">%s</a>", i + 1, finding->id);
    }
}

static void put_changes(struct html_page *page, const struct step *step)
{
    if (step->claimed && *step->claimed) {
        html_raw(page, "<p>claimed: <q>");
        html_text(page, step->claimed);
        html_raw(page, "</q></p>");
    }
    bool many =
        step->n_changed >
        CHANGES_SHOWN + 1; /* one line more is no longer than the words that would hide it */
    for (int i = 0; i < step->n_changed; i++) {
        if (many && i == CHANGES_SHOWN)
            buf_printf(page->buf, "<details><summary>and %d more</summary>",
                       step->n_changed - CHANGES_SHOWN);
        html_raw(page, "<p>");
        html_text(page, step->changed[i]);
        html_raw(page, "</p>");
    }
    html_raw(page, many ? "</details>" : "");
}

static void put_step(struct html_page *page, const struct step *step)
{
    html_open_row(page, arena_printf(page->arena, "step-%d", step->n));
    html_number_cell(page, "Step", arena_printf(page->arena, "%d", step->n));
    html_number_cell(page, "Line", arena_printf(page->arena, "%d", step->line));
    html_open_cell(page, NULL, false);
    html_raw(page, "<code class=\"command\">");
    html_block(page, str_of(step->command), COMMAND_SHOWN);
    html_raw(page, "</code>");
    put_output(page, "stdout", &step->out);
    put_output(page, "stderr", &step->err);
    html_close_cell(page);
    html_number_cell(page, "Start", words_instant(page->arena, step->start_ns));
    html_number_cell(
        page, "Took",
        step->end_ns == NEVER ? "-" : words_duration(page->arena, step->end_ns - step->start_ns));
    html_open_cell(page, "Result", true);
    put_result(page, step);
    html_close_cell(page);
    html_open_cell(page, "Claimed and truly changed", false);
    put_changes(page, step);
    html_close_cell(page);
    html_close_row(page);
}

void html_steps(struct html_page *page)
{
    static const char *const columns[] = {
        "Step", "Line", "Command", "Start", "Took", "Result", "Claimed, and truly changed", NULL};
    html_heading(page, "steps", "Steps");
    if (!page->record->n_steps) {
        html_raw(page, "<p>No step of the procedure was run.</p>\n</section>\n");
        return;
    }
    html_figure(page, plot_gantt);
    html_open_table(page, "Steps", columns);
    for (int i = 0; i < page->record->n_steps; i++)
        put_step(page, &page->record->steps[i]);
    html_close_table(page);
    html_raw(page, "</section>\n");
}
