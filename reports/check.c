#include "reports/check.h"

#include <string.h>

#include "reports/json_writer.h"
#include "reports/words.h"

int check_count_over(const struct summary *summary, const struct expectation *expect,
                     enum severity at_least)
{
    int over = 0;
    for (int i = 0; i < summary->n_findings; i++) {
        const struct summary_finding *finding = &summary->findings[i];
        bool expected = finding->waived != NULL;
        for (int k = 0; k < expect->n_findings && !expected; k++)
            expected = strcmp(expect->findings[k], finding->id) == 0;
        over += !expected && finding->severity <= at_least;
    }
    return over;
}

bool check_row_is_well(const struct check_row *row)
{
    return row->has_summary && !row->n_unexpected && !row->n_lapsed && !row->n_worse &&
           !row->n_over;
}

/* A drill that was expected to pass or says nothing, and could not be judged, is unknown rather
 * than missed. */
static bool is_merely_unknown(const struct check_row *row)
{
    return row->n_unexpected > 0 && row->summary.outcome == OUTCOME_UNKNOWN && !row->n_lapsed &&
           !row->n_worse && !row->n_over;
}

int check_status(const struct check *check)
{
    bool input = false, missed = check->n_missing > 0, unknown = false;
    for (int i = 0; i < check->n; i++) {
        const struct check_row *row = &check->rows[i];
        if (row->failure_code == ERROR_INTERNAL)
            return 70;
        if (!row->has_summary) {
            input = input || row->failure_code != ERROR_SEAL;
            unknown = unknown || row->failure_code == ERROR_SEAL;
        } else if (is_merely_unknown(row)) {
            unknown = true;
        } else if (!check_row_is_well(row)) {
            missed = true;
        }
    }
    return input ? 2 : missed ? 1 : unknown ? 3 : 0;
}

/* ---- table ---- */

enum { NAME_WIDTH = 44 }; /* with it a row is 78 columns wide; longer names widen all rows */

static void put_toned(struct buf *buf, bool color, const char *code, const char *text)
{
    if (color)
        buf_printf(buf, "\033[%sm%s\033[0m", code, text);
    else
        buf_puts(buf, text);
}

static void put_row(const struct check_row *row, int name_width, struct buf *buf, bool color)
{
    struct arena arena = {0};
    bool well = check_row_is_well(row);
    buf_puts(buf, "  ");
    put_toned(buf, color, well ? "32" : "1;31", well ? "ok " : "BAD");
    if (!row->has_summary) {
        buf_printf(buf, "  %s\n       %s\n", row->path, row->failure ? row->failure : "no result");
        arena_release(&arena);
        return;
    }
    struct buf score;
    buf_init(&score, 64);
    words_number(&score, row->summary.score);
    const char *name = words_line(&arena, str_of(row->summary.drill), 200);
    buf_printf(buf, "  %s%*s %-8s%6s", name, name_width - (int)words_width(name), "",
               outcome_names[row->summary.outcome], score.at);
    int counts[3] = {0};
    for (int i = 0; i < row->summary.n_findings; i++)
        counts[row->summary.findings[i].severity] += !row->summary.findings[i].waived;
    buf_printf(buf, "  %3d error%s\n", counts[SEVERITY_ERROR],
               counts[SEVERITY_ERROR] == 1 ? "" : "s");
    for (int i = 0; i < row->n_unexpected; i++)
        buf_printf(buf, "       %s\n", row->unexpected[i]);
    for (int i = 0; i < row->n_lapsed; i++)
        buf_printf(buf, "       %s\n", row->lapsed[i]);
    for (int i = 0; i < row->n_worse; i++)
        buf_printf(buf, "       worse: %s\n", row->worse[i]);
    if (row->n_over)
        buf_printf(buf, "       %d finding%s not expected; they are seen in\n         %s\n",
                   row->n_over, row->n_over == 1 ? "" : "s", row->summary.replay);
    buf_release(&score);
    arena_release(&arena);
}

void check_text(const struct check *check, struct buf *buf, bool color)
{
    int well = 0, name_width = NAME_WIDTH;
    for (int i = 0; i < check->n; i++) {
        int width = check->rows[i].has_summary ? (int)words_width(check->rows[i].summary.drill) : 0;
        name_width = width > name_width ? width : name_width;
    }
    buf_printf(buf, "       %-*s %-8s%6s\n", name_width, "Drill", "Verdict", "Score");
    for (int i = 0; i < check->n; i++) {
        put_row(&check->rows[i], name_width, buf, color);
        well += check_row_is_well(&check->rows[i]);
    }
    for (int i = 0; i < check->n_missing; i++)
        buf_printf(buf, "  BAD  %s\n", check->missing[i]);
    buf_printf(buf, "\n%d drill%s: %d as expected, %d not\n", check->n, check->n == 1 ? "" : "s",
               well, check->n - well);
}

/* ---- JSON ---- */

static void put_lines(struct json_writer *json, const char *key, const char *const *lines, int n)
{
    json_open_array(json, key);
    for (int i = 0; i < n; i++)
        json_string(json, NULL, lines[i]);
    json_close_array(json);
}

void check_json(const struct check *check, struct buf *buf)
{
    struct json_writer writer = {.buf = buf}, *json = &writer;
    int well = 0;
    json_open_object(json, NULL);
    json_string(json, "format", "rehearse.check/1");
    json_open_array(json, "drills");
    for (int i = 0; i < check->n; i++) {
        const struct check_row *row = &check->rows[i];
        well += check_row_is_well(row);
        json_open_object(json, NULL);
        json_string(json, "path", row->path);
        json_string(json, "drill", row->has_summary ? row->summary.drill : NULL);
        json_bool(json, "as_expected", check_row_is_well(row));
        json_string(json, "failure", row->failure);
        json_string(json, "verdict", row->has_summary ? outcome_names[row->summary.outcome] : NULL);
        if (row->has_summary)
            json_number(json, "score", row->summary.score);
        else
            json_null(json, "score");
        put_lines(json, "unexpected", row->unexpected, row->n_unexpected);
        put_lines(json, "lapsed", row->lapsed, row->n_lapsed);
        put_lines(json, "worse", row->worse, row->n_worse);
        json_integer(json, "findings_over", row->n_over);
        json_close_object(json);
    }
    json_close_array(json);
    put_lines(json, "missing", check->missing, check->n_missing);
    json_integer(json, "as_expected", well);
    json_integer(json, "not_as_expected", check->n - well);
    json_close_object(json);
}
