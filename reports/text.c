/* The scorecard for a terminal: verdict, targets, gates, findings. Tables where 80 columns are to
 * be had, else a few lines for each row. */
#include <inttypes.h>
#include <string.h>

#include "reports/report.h"
#include "reports/words.h"

enum { TITLE_MAX = 320, NOTES_SHOWN = 5 };

enum tone { TONE_PLAIN, TONE_BOLD, TONE_GOOD, TONE_BAD, TONE_UNSURE, TONE_DIM };

struct page {
    struct buf *buf;
    bool color;
    int columns;
    struct arena *arena;
};

static void put(struct page *page, enum tone tone, const char *text)
{
    static const char *const codes[] = {"",           "\033[1m",  "\033[32m",
                                        "\033[1;31m", "\033[33m", "\033[2m"};
    if (!page->color || tone == TONE_PLAIN) {
        buf_puts(page->buf, text);
        return;
    }
    buf_printf(page->buf, "%s%s\033[0m", codes[tone], text);
}

/* Padded to a width in characters, not bytes. */
static void put_cell(struct page *page, enum tone tone, const char *text, int width)
{
    put(page, tone, text);
    for (int n = (int)words_width(text); n < width; n++)
        buf_putc(page->buf, ' ');
}

/* Words wrapped between two columns; a word longer than a line stands alone. The cursor is at
 * column `at`. */
static void put_wrapped(struct page *page, enum tone tone, const char *text, int indent, int at)
{
    struct str rest = str_of(text);
    bool first = true;
    while (rest.len) {
        struct str word = str_cut(&rest, ' ');
        char *z = arena_str(page->arena, word);
        int width = (int)words_width(z);
        if (!first && at + 1 + width > page->columns) {
            buf_putc(page->buf, '\n');
            for (at = 0; at < indent; at++)
                buf_putc(page->buf, ' ');
        } else if (!first) {
            buf_putc(page->buf, ' ');
            at++;
        }
        put(page, tone, z);
        at += width;
        first = false;
    }
    buf_putc(page->buf, '\n');
}

/* The next word of a command as a shell splits it, quotes and all. */
static struct str next_word(struct str *rest)
{
    char quote = '\0';
    size_t n = 0;
    for (; n < rest->len && (quote || rest->at[n] != ' '); n++) {
        char c = rest->at[n];
        if (c == '\\' && quote != '\'' && n + 1 < rest->len)
            n++;
        else if (quote)
            quote = c == quote ? '\0' : quote;
        else if (c == '\'' || c == '"')
            quote = c;
    }
    struct str word = {rest->at, n};
    while (n < rest->len && rest->at[n] == ' ')
        n++;
    *rest = (struct str){rest->at + n, rest->len - n};
    return word;
}

/* A command over as many lines as it takes, so that it can be pasted: a line that goes on ends in a
 * backslash, and no word is broken. */
static void put_command(struct page *page, const char *command, int indent, int at)
{
    struct str rest = str_of(command);
    bool first = true;
    while (rest.len) {
        char *word = arena_str(page->arena, next_word(&rest));
        int width = (int)words_width(word);
        if (!first && at + 1 + width + (rest.len ? 2 : 0) > page->columns) {
            buf_printf(page->buf, " \\\n%*s", indent, "");
            at = indent;
        } else if (!first) {
            buf_putc(page->buf, ' ');
            at++;
        }
        buf_puts(page->buf, word);
        at += width;
        first = false;
    }
    buf_putc(page->buf, '\n');
}

static enum tone tone_of(enum outcome outcome, bool waived)
{
    if (waived)
        return TONE_UNSURE;
    return outcome == OUTCOME_PASS ? TONE_GOOD : outcome == OUTCOME_FAIL ? TONE_BAD : TONE_UNSURE;
}

static void put_header(struct page *page, const struct report *report)
{
    static const char *const words[] = {"PASS", "FAIL", "UNKNOWN"};
    const struct run_identity *id = &report->record->identity;
    const struct verdict *verdict = &report->verdict;
    struct arena *arena = page->arena;
    put(page, TONE_BOLD, words_line(arena, str_of(id->drill ? id->drill : ""), REPORT_COLUMNS));
    buf_putc(page->buf, '\n');
    if (id->title && *id->title && strcmp(id->title, id->drill ? id->drill : "") != 0)
        put_wrapped(page, TONE_PLAIN, words_line(arena, str_of(id->title), TITLE_MAX), 0, 0);
    buf_putc(page->buf, '\n');
    put(page, tone_of(verdict->outcome, false), words[verdict->outcome]);
    struct buf score;
    buf_init(&score, 256);
    buf_puts(&score, "   score ");
    words_number(&score, verdict->score);
    buf_puts(&score, " of 100");
    if (verdict->score_possible > verdict->score) {
        buf_puts(&score, " (up to ");
        words_number(&score, verdict->score_possible);
        buf_puts(&score, ", were the unknown known)");
    }
    if (verdict->n_waived)
        buf_printf(&score, "   %d waived", verdict->n_waived);
    put_wrapped(page, TONE_PLAIN, score.at, 0, (int)strlen(words[verdict->outcome]));
    buf_release(&score);
    buf_putc(page->buf, '\n');
}

static bool is_narrow(const struct page *page)
{
    return page->columns < REPORT_COLUMNS;
}

static void put_target(struct page *page, const struct verdict *verdict,
                       const struct target_result *result)
{
    enum measure measure = result->target->measure;
    const struct measured *measured = &verdict->measures[measure];
    enum tone tone = tone_of(result->outcome, result->waived);
    struct measured margin = {.known = measured->known, .value = result->margin};
    const char *target = target_words(result->target, page->arena),
               *actual = measure_words(measure, measured, page->arena);
    const char *spare = margin.known ? measure_words(measure, &margin, page->arena) : "-";
    char rating[] = {result->rating, '\0'};
    buf_puts(page->buf, "  ");
    put_cell(page, TONE_PLAIN, measure_title(measure), 18);
    if (!is_narrow(page))
        put_cell(page, TONE_PLAIN, target, 14);
    put_cell(page, tone, actual, is_narrow(page) ? 14 : 19);
    if (!is_narrow(page))
        put_cell(page, TONE_PLAIN, spare, 19);
    put(page, tone, rating);
    if (is_narrow(page))
        buf_printf(page->buf, "\n    limit %s, margin %s", target, spare);
    buf_puts(page->buf, !result->waived ? "\n" : is_narrow(page) ? "\n    waived\n" : " waived\n");
}

static void put_targets(struct page *page, const struct verdict *verdict)
{
    if (!verdict->n_targets)
        return;
    put(page, TONE_DIM,
        is_narrow(page)
            ? "  Target            Actual        Rating\n"
            : "  Target            Limit         Actual             Margin             Rating\n");
    for (int i = 0; i < verdict->n_targets; i++)
        put_target(page, verdict, &verdict->targets[i]);
    buf_putc(page->buf, '\n');
}

static void put_gates(struct page *page, const struct verdict *verdict)
{
    put(page, TONE_DIM,
        is_narrow(page) ? "  Gate                Result\n"
                        : "  Gate                Result    Why\n");
    for (int i = 0; i < GATES; i++) {
        const struct gate_result *gate = &verdict->gates[i];
        const char *why = words_line(page->arena, str_of(gate->why), 400),
                   *result = gate->waived ? "waived" : outcome_names[gate->outcome];
        buf_puts(page->buf, "  ");
        put_cell(page, TONE_PLAIN, gate_names[i], 20);
        put_cell(page, tone_of(gate->outcome, gate->waived), result, is_narrow(page) ? 0 : 10);
        if (is_narrow(page)) {
            buf_puts(page->buf, "\n    ");
            put_wrapped(page, TONE_PLAIN, why, 4, 4);
        } else {
            put_wrapped(page, TONE_PLAIN, why, 32, 32);
        }
    }
    buf_putc(page->buf, '\n');
}

static const char *place_of(const struct finding *finding, struct arena *arena)
{
    if (finding->line > 0)
        return arena_printf(arena, "%s:%d", finding->file, finding->line);
    return finding->file;
}

static void put_finding(struct page *page, const struct finding *finding)
{
    enum tone tone = finding->severity == SEVERITY_ERROR     ? TONE_BAD
                     : finding->severity == SEVERITY_WARNING ? TONE_UNSURE
                                                             : TONE_DIM;
    int indent = is_narrow(page) ? 4 : 11;
    buf_puts(page->buf, "  ");
    put_cell(page, tone, severity_names[finding->severity], 9);
    put(page, TONE_BOLD, finding->id);
    buf_printf(page->buf, is_narrow(page) ? "\n    %s%s\n" : "  %s%s\n",
               place_of(finding, page->arena), finding->waiver ? "  (waived)" : "");
    buf_printf(page->buf, "%*s", indent, "");
    put_wrapped(page, TONE_PLAIN, words_line(page->arena, str_of(finding->message), 600), indent,
                indent);
    if (finding->lint) {
        buf_printf(page->buf, "%*s", indent, "");
        put_wrapped(page, TONE_DIM,
                    arena_printf(page->arena, "lint %s",
                                 words_rule(page->arena, finding->lint->rule, finding->lint->title,
                                            finding->lint->line, finding->line)),
                    indent, indent);
    }
}

static void put_findings(struct page *page, const struct findings *findings)
{
    int counts[3] = {0}, notes = 0;
    for (int i = 0; i < findings->n; i++)
        counts[findings->at[i].severity]++;
    buf_puts(page->buf, "  ");
    put_wrapped(page, TONE_PLAIN,
                arena_printf(page->arena, "Findings: %d error%s, %d warning%s, %d note%s",
                             counts[0], counts[0] == 1 ? "" : "s", counts[1],
                             counts[1] == 1 ? "" : "s", counts[2], counts[2] == 1 ? "" : "s"),
                4, 2);
    for (int i = 0; i < findings->n; i++) {
        if (findings->at[i].severity == SEVERITY_NOTE && notes++ >= NOTES_SHOWN)
            continue;
        put_finding(page, &findings->at[i]);
    }
    if (notes > NOTES_SHOWN)
        buf_printf(page->buf, "  and %d more note%s in run.json\n", notes - NOTES_SHOWN,
                   notes - NOTES_SHOWN == 1 ? "" : "s");
    buf_putc(page->buf, '\n');
}

void report_text(const struct report *report, struct buf *buf, bool color, int columns)
{
    struct arena arena = {0};
    struct page page = {.buf = buf,
                        .color = color,
                        .columns = columns < REPORT_COLUMNS_MIN ? REPORT_COLUMNS_MIN : columns,
                        .arena = &arena};
    const struct run_identity *id = &report->record->identity;
    put_header(&page, report);
    put_targets(&page, &report->verdict);
    put_gates(&page, &report->verdict);
    put_findings(&page, &report->findings);
    if (id->replay && *id->replay) { /* people who held a drill by hand cannot be replayed */
        buf_puts(buf, "  ");
        put_wrapped(
            &page, TONE_PLAIN,
            arena_printf(&arena, "seed %" PRIu64 ", fingerprint %016" PRIx64 ", sealed by %s",
                         id->seed, report->record->fingerprint, id->tier ? id->tier : "nothing"),
            2, 2);
        buf_puts(buf, "  replay: ");
        put_command(&page, id->replay, 10, 10);
    }
    arena_release(&arena);
}
