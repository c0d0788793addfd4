/* Every format: golden files, schemas, and bytes that no reader may trip over. */
#include <locale.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cjson/cJSON.h>
#include <cmocka.h>

#include "reports/json_writer.h"
#include "reports/plot/gantt.h"
#include "reports/plot/timeline.h"
#include "reports/report.h"
#include "reports/words.h"
#include "sim/base/doc.h"
#include "tests/golden.h"
#include "tests/json_schema.h"
#include "tests/record_samples.h"

static struct record *(*const samples[])(void) = {sample_good, sample_bad, sample_empty};
static const char *const sample_names[] = {"good", "bad", "empty"};
enum { SAMPLES = 3 };

static void text_plain(const struct report *report, struct buf *buf)
{
    report_text(report, buf, false, REPORT_COLUMNS);
}

static void write_sample(int i, void (*write)(const struct report *, struct buf *), struct buf *buf)
{
    struct record *record = samples[i]();
    struct report report;
    report_init(&report, record);
    buf_init(buf, REPORT_MAX);
    write(&report, buf);
    assert_false(buf->truncated);
    report_release(&report);
    record_free(record);
}

static void formats_are_as_kept(void **state)
{
    (void)state;
    static const struct {
        const char *extension;
        void (*write)(const struct report *, struct buf *);
    } formats[] = {{"json", report_json},
                   {"txt", text_plain},
                   {"md", report_markdown},
                   {"events.jsonl", report_events},
                   {"timeline.svg", report_timeline},
                   {"steps.svg", report_gantt},
                   {"incident.md", report_incident}};
    for (int i = 0; i < SAMPLES; i++) {
        for (size_t k = 0; k < sizeof formats / sizeof *formats; k++) {
            struct buf buf;
            write_sample(i, formats[k].write, &buf);
            char name[64];
            snprintf(name, sizeof name, "report_%s.%s", sample_names[i], formats[k].extension);
            golden_check(name, buf_text(&buf));
            buf_release(&buf);
        }
    }
}

static void run_json_keeps_its_schema(void **state)
{
    (void)state;
    for (int i = 0; i < SAMPLES; i++) {
        struct buf buf;
        write_sample(i, report_json, &buf);
        const char *complaint = json_schema_check("reports/run.schema.json", buf.at);
        if (complaint)
            fail_msg("%s: %s", sample_names[i], complaint);
        buf_release(&buf);
    }
    /* and the check can fail */
    assert_non_null(
        json_schema_check("reports/run.schema.json", "{\"format\": \"rehearse.run/1\"}"));
    assert_non_null(json_schema_check("reports/run.schema.json", "[]"));
}

static void no_byte_breaks_json(void **state)
{
    (void)state;
    char all[3 * 256 + 1];
    for (int i = 0; i < 256; i++) { /* each byte between two letters */
        all[3 * i] = 'a';
        all[3 * i + 1] = (char)i;
        all[3 * i + 2] = 'b';
    }
    struct buf buf;
    buf_init(&buf, 1 << 16);
    json_quote(&buf, (struct str){all, sizeof all - 1});
    for (size_t i = 0; i < buf.len; i++)
        assert_true((unsigned char)buf.at[i] >= 0x20);
    cJSON *parsed = cJSON_Parse(buf.at + 0);
    assert_non_null(parsed);
    cJSON_Delete(parsed);
    for (size_t i = 0; i < buf.len;) { /* and it is well-formed UTF-8 throughout */
        size_t n = words_utf8(buf.at + i, buf.len - i);
        assert_true(n > 0);
        i += n;
    }
    buf_release(&buf);
}

static void malformed_utf8_is_recognised(void **state)
{
    (void)state;
    static const struct {
        const char *bytes;
        size_t n;
    } cases[] = {{"a", 1},
                 {"\xC3\xA9", 2},
                 {"\xE2\x82\xAC", 3},
                 {"\xF0\x9F\x98\x80", 4},
                 {"\xC0\xAF", 0},         /* overlong */
                 {"\xE0\x80\xAF", 0},     /* overlong */
                 {"\xED\xA0\x80", 0},     /* surrogate */
                 {"\xF4\x90\x80\x80", 0}, /* beyond U+10FFFF */
                 {"\xE2\x82", 0},         /* cut short */
                 {"\x80", 0},
                 {"\xFF", 0}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_int_equal(words_utf8(cases[i].bytes, strlen(cases[i].bytes)), cases[i].n);
}

static void numbers_are_exact_and_short(void **state)
{
    (void)state;
    struct buf buf;
    buf_init(&buf, 256);
    static const struct {
        int64_t ns;
        const char *text;
    } cases[] = {{0, "0"},
                 {SECOND, "1"},
                 {-1500 * MILLISECOND, "-1.5"},
                 {1, "0.000000001"},
                 {INT64_MAX, "9223372036.854775807"},
                 {63 * SECOND + 250 * MILLISECOND, "63.25"}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        buf_clear(&buf);
        words_seconds(&buf, cases[i].ns);
        assert_string_equal(buf.at, cases[i].text);
    }
    static const struct {
        double value;
        const char *text;
    } numbers[] = {{0.995, "0.995"},           {-0.1, "-0.1"}, {49, "49"},
                   {1e15, "1000000000000000"}, {1e-9, "0"},    {-1e-9, "0"}};
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
        buf_clear(&buf);
        words_number(&buf, numbers[i].value);
        assert_string_equal(buf.at, numbers[i].text);
    }
    buf_release(&buf);
}

static void durations_read_well(void **state)
{
    (void)state;
    struct arena arena = {0};
    static const struct {
        int64_t ns;
        const char *text;
    } cases[] = {{0, "0 s"},
                 {840 * MILLISECOND, "840 ms"},
                 {12500 * MILLISECOND, "12.5 s"},
                 {7 * MINUTE, "7 min"},
                 {7 * MINUTE + 30 * SECOND, "7 min 30 s"},
                 {2 * HOUR + 5 * MINUTE, "2 h 5 min"},
                 {-12 * SECOND, "-12 s"},
                 {NEVER, "never"}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_string_equal(words_duration(&arena, cases[i].ns), cases[i].text);
    assert_string_equal(words_instant(&arena, 3723 * SECOND + 250 * MILLISECOND), "01:02:03.250");
    assert_string_equal(words_date(&arena, INT64_C(1768487400) * SECOND), "2026-01-15T14:30:00Z");
    assert_string_equal(words_date(&arena, 0), "1970-01-01T00:00:00Z");
    assert_string_equal(words_date(&arena, -SECOND), "1969-12-31T23:59:59Z");
    assert_string_equal(words_date(&arena, INT64_C(951782400) * SECOND), "2000-02-29T00:00:00Z");
    assert_string_equal(words_count(&arena, -1234567), "-1,234,567");
    assert_string_equal(words_line(&arena, STR("a\tb\033[1;31mc\033[2J\033[0m\xff"), 99),
                        "a\\tbc\\x1b[2J\\xff");
    assert_string_equal(words_line(&arena, STR("\033[0m\033[0\033[\033]0;t\a"), 99),
                        "\\x1b[0\\x1b[\\x1b]0;t\\x07");
    assert_string_equal(words_line(&arena, STR("abcdefghij"), 8), "abcde...");
    arena_release(&arena);
}

static void the_scorecard_fits_80_columns(void **state)
{
    (void)state;
    for (int i = 0; i < SAMPLES; i++) {
        struct buf buf;
        write_sample(i, text_plain, &buf);
        struct str rest = buf_text(&buf);
        assert_null(memchr(rest.at, '\033', rest.len)); /* no colour unless asked */
        while (rest.len) {
            struct arena arena = {0};
            char *line = arena_str(&arena, str_cut(&rest, '\n'));
            if (words_width(line) > 80)
                fail_msg("%zu columns: %s", words_width(line), line);
            arena_release(&arena);
        }
        buf_release(&buf);
    }
}

/* At every width: no line is wider, but for one that is a single word; and nothing is left out in a
 * narrow one. */
static void the_scorecard_fits_its_terminal(void **state)
{
    (void)state;
    static const int widths[] = {40, 50, 66, 79, 80};
    for (size_t i = 0; i < SAMPLES * sizeof widths / sizeof *widths; i++) {
        struct record *record = samples[i % SAMPLES]();
        struct report report;
        struct buf text;
        report_init(&report, record);
        buf_init(&text, 1 << 20);
        report_text(&report, &text, false, widths[i / SAMPLES]);
        for (struct str rest = buf_text(&text); rest.len;) {
            struct str line = str_cut(&rest, '\n'), words = str_trim(line);
            char *z = arena_str(&report.arena, line);
            if ((int)words_width(z) > widths[i / SAMPLES] && memchr(words.at, ' ', words.len))
                fail_msg("wider than %d: '%s'", widths[i / SAMPLES], z);
        }
        for (int k = 0; k < report.verdict.n_targets; k++) {
            const struct target_result *result = &report.verdict.targets[k];
            assert_non_null(strstr(text.at, target_words(result->target, &report.arena)));
            assert_non_null(
                strstr(text.at, measure_words(result->target->measure,
                                              &report.verdict.measures[result->target->measure],
                                              &report.arena)));
        }
        buf_release(&text);
        report_release(&report);
        record_free(record);
    }
}

static void colour_only_paints(void **state)
{
    (void)state;
    struct record *record = sample_bad();
    struct report report;
    report_init(&report, record);
    struct buf plain, colored, stripped;
    buf_init(&plain, 1 << 20);
    buf_init(&colored, 1 << 20);
    buf_init(&stripped, 1 << 20);
    report_text(&report, &plain, false, REPORT_COLUMNS);
    report_text(&report, &colored, true, REPORT_COLUMNS);
    for (size_t i = 0; i < colored.len; i++) {
        if (colored.at[i] != '\033')
            buf_putc(&stripped, colored.at[i]);
        else
            while (colored.at[i] != 'm')
                i++;
    }
    assert_true(colored.len > plain.len);
    assert_string_equal(stripped.at, plain.at);
    buf_release(&plain);
    buf_release(&colored);
    buf_release(&stripped);
    report_release(&report);
    record_free(record);
}

static void timelines_are_clean_at_every_width(void **state)
{
    (void)state;
    for (int i = 0; i < SAMPLES; i++) {
        struct record *record = samples[i]();
        struct report report;
        report_init(&report, record);
        for (double width = PLOT_NARROW; width <= 1400; width += 120) {
            struct buf svg;
            buf_init(&svg, REPORT_MAX);
            assert_int_equal(plot_timeline(&report, width, &svg), 0);
            assert_true(svg.len > 300);
            buf_clear(&svg);
            assert_int_equal(plot_gantt(&report, width, &svg), 0);
            buf_release(&svg);
        }
        report_release(&report);
        record_free(record);
    }
}

/* Hundreds of steps with awful names, a hundred losses at once, instants that coincide. */
static void crowded_pictures_stay_clean(void **state)
{
    (void)state;
    struct record *record = sample_bad();
    for (int i = 0; i < 300; i++)
        sample_step(record, 100 + i,
                    "kubectl get pods --all-namespaces -o jsonpath='{.items[*]}' \xE2\x82\xAC | "
                    "grep \\b\\t",
                    2900 + i, 2900 + i + (i % 7) * 0.2, i % 11 == 0);
    struct ledger_row *row = &record->ledger[0];
    row->n_blame = 100;
    row->blame = ARENA_ARRAY(&record->arena, struct blame, 100);
    for (int i = 0; i < 100; i++)
        row->blame[i] = (struct blame){2, "pg_restore", (2000 + i) * SECOND, 18, 0, 1};
    record->instants[T_ACK] = record->instants[T_DETECT];
    for (int i = 0; i < 9; i++) {
        char labels[80];
        snprintf(labels, sizeof labels, "service=a-service-with-quite-a-long-name-%d", i);
        struct series *series = record_series(record, "latency_p99_seconds", labels, "seconds");
        for (int k = 0; k < 5000; k++)
            series_add(series, k * SECOND, k % 17 * 0.01 * i);
    }
    struct report report;
    report_init(&report, record);
    for (double width = PLOT_NARROW; width <= 900; width += 480) {
        struct buf svg;
        buf_init(&svg, REPORT_MAX);
        assert_int_equal(plot_timeline(&report, width, &svg), 0);
        assert_true(svg.len < 500000); /* however long the run */
        buf_clear(&svg);
        assert_int_equal(plot_gantt(&report, width, &svg), 0);
        buf_release(&svg);
    }
    report_release(&report);
    record_free(record);
}

static void no_locale_changes_a_byte(void **state)
{
    (void)state;
    struct buf before, after;
    write_sample(1, report_timeline, &before);
    setenv("BG_COLOR", "pink", 1);
    setenv("PAGESIZE", "a4", 1);
    setlocale(LC_ALL, "de_DE.UTF-8"); /* where it is installed */
    write_sample(1, report_timeline, &after);
    setlocale(LC_ALL, "C");
    assert_int_equal(before.len, after.len);
    assert_memory_equal(before.at, after.at, before.len);
    buf_release(&before);
    buf_release(&after);
}

static void long_output_is_cut_and_says_so(void **state)
{
    (void)state;
    struct record *record = sample_good();
    for (int i = 0; i < 20000; i++)
        buf_puts(&record->steps[0].out,
                 "\xC3\xA9\n"); /* two bytes and a line feed: cuts must fall between */
    struct report report;
    report_init(&report, record);
    struct buf buf;
    buf_init(&buf, REPORT_MAX);
    report_json(&report, &buf);
    assert_null(json_schema_check("reports/run.schema.json", buf.at));
    assert_non_null(strstr(buf.at, " of 60032 bytes]"));
    assert_null(strstr(buf.at, "\xEF\xBF\xBD"));
    buf_release(&buf);
    report_release(&report);
    record_free(record);
}

static void files_appear_whole_or_not_at_all(void **state)
{
    (void)state;
    char dir[] = "/tmp/rehearse-test-XXXXXX";
    assert_non_null(mkdtemp(dir));
    char out[128], path[160];
    snprintf(out, sizeof out, "%s/a/b", dir);
    struct record *record = sample_good();
    struct report report;
    report_init(&report, record);
    struct error error = {""};
    assert_int_equal(report_write_all(&report, out, WRITE_USUAL, &error), 0);
    static const char *const names[] = {"run.json",  "report.md",    "timeline.svg", "report.html",
                                        "steps.svg", "events.jsonl", "incident.md"};
    for (size_t i = 0; i < 7; i++) {
        snprintf(path, sizeof path, "%s/%s", out, names[i]);
        assert_int_equal(unlink(path), 0);
    }
    assert_int_equal(rmdir(out), 0); /* and nothing else was left */
    /* a file in the way of the directory */
    assert_int_equal(report_write_file(out, STR("x"), &error), 0);
    assert_int_equal(report_write_all(&report, out, WRITE_USUAL, &error), ERROR_INPUT);
    assert_non_null(strstr(error.text, "run.json: cannot write: "));
    assert_int_equal(unlink(out), 0);
    snprintf(path, sizeof path, "%s/a", dir);
    rmdir(path);
    rmdir(dir);
    report_release(&report);
    record_free(record);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(formats_are_as_kept),
        cmocka_unit_test(run_json_keeps_its_schema),
        cmocka_unit_test(no_byte_breaks_json),
        cmocka_unit_test(malformed_utf8_is_recognised),
        cmocka_unit_test(numbers_are_exact_and_short),
        cmocka_unit_test(durations_read_well),
        cmocka_unit_test(the_scorecard_fits_80_columns),
        cmocka_unit_test(the_scorecard_fits_its_terminal),
        cmocka_unit_test(colour_only_paints),
        cmocka_unit_test(timelines_are_clean_at_every_width),
        cmocka_unit_test(crowded_pictures_stay_clean),
        cmocka_unit_test(no_locale_changes_a_byte),
        cmocka_unit_test(long_output_is_cut_and_says_so),
        cmocka_unit_test(files_appear_whole_or_not_at_all),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
