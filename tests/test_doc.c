/* doc: documents that people write, their values, and what is said when they are wrong. */
#include "sim/base/doc.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "sim/base/buf.h"

static struct arena arena;
static struct error error;

static int teardown(void **state)
{
    (void)state;
    arena_release(&arena);
    return 0;
}

static struct doc *read_ok(const char *text)
{
    struct doc *root = NULL;
    error.text[0] = '\0';
    if (doc_read_text(&arena, "x.yaml", str_of(text), &root, &error))
        fail_msg("%s", error.text);
    assert_non_null(root);
    return root;
}

static void assert_refused(const char *text, const char *message)
{
    struct doc *root = NULL;
    assert_int_equal(doc_read_text(&arena, "x.yaml", str_of(text), &root, &error), ERROR_INPUT);
    assert_null(root);
    assert_string_equal(error.text, message);
}

static void test_tree(void **state)
{
    struct doc *root =
                   read_ok("# c\nname: shop\nlist:\n  - a\n  - {b: 1, \"c\": [x, y]}\nempty:\n"),
               *list, *c;
    (void)state;
    assert_int_equal(root->kind, DOC_MAPPING);
    assert_int_equal(root->n, 3);
    list = doc_get(root, "list");
    assert_int_equal(list->kind, DOC_SEQUENCE);
    assert_int_equal(list->key_line, 3);
    assert_int_equal(list->line, 4);
    assert_int_equal(list->index, 1);
    c = doc_get(list->first->next, "c");
    assert_int_equal(c->line, 5);
    assert_int_equal(c->column, 17);
    assert_string_equal(c->first->next->text, "y");
    assert_ptr_equal(c->parent->parent, list);
    assert_int_equal(doc_get(root, "empty")->kind, DOC_NULL);
    assert_null(doc_get(root, "nothing"));
    assert_null(doc_get(NULL, "x"));
    assert_null(doc_get(list, "x"));
}

static void test_json(void **state)
{
    struct doc *root =
        read_ok("{\n\t\"format\":\"a/1\",\n\t\"n\":[1,2.5,true,null,\"7\"],\n\t\"u\":\"\\u00e9\\/"
                "\\n\"\n}\n");
    struct doc *n = doc_get(root, "n");
    int64_t value = 0;
    (void)state;
    assert_string_equal(doc_get(root, "format")->text, "a/1");
    assert_int_equal(n->n, 5);
    assert_int_equal(n->first->next->next->next->kind, DOC_NULL);
    assert_int_equal(doc_int(n->first, 0, 9, &value, &error), 0);
    assert_int_equal(value, 1);
    assert_int_equal(doc_int(n->first->next->next->next->next, 0, 9, &value, &error), ERROR_INPUT);
    assert_string_equal(doc_get(root, "u")->text, "\xc3\xa9/\n");
}

/* YAML 1.2 core, chapter 10.3: only true and false are truth values; the rest of 1.1's words are
 * text. */
static void test_core_schema(void **state)
{
    static const char *const text[] = {"no", "on",    "Yes",      "off",        "y",
                                       "n",  "1_000", "12:30:45", "2026-01-15", "<<"};
    bool flag = true;
    int64_t value = 7;
    (void)state;
    for (size_t i = 0; i < sizeof text / sizeof *text; i++) {
        struct doc *node = read_ok(text[i]);
        const char *as_text = NULL;
        assert_int_equal(node->kind, DOC_SCALAR);
        assert_int_equal(doc_text(node, &as_text, &error), 0);
        assert_string_equal(as_text, text[i]);
        assert_int_equal(doc_bool(node, &flag, &error), ERROR_INPUT);
        assert_int_equal(doc_int(node, 0, 9999, &value, &error), ERROR_INPUT);
    }
    assert_true(flag);
    assert_int_equal(value, 7);
    assert_int_equal(doc_bool(read_ok("false"), &flag, &error), 0);
    assert_false(flag);
    assert_int_equal(doc_bool(read_ok("'true'"), &flag, &error), ERROR_INPUT);
    assert_int_equal(doc_int(read_ok("0o17"), 0, 99, &value, &error), 0);
    assert_int_equal(value, 15);
    assert_int_equal(doc_int(read_ok("0x1F"), 0, 99, &value, &error), 0);
    assert_int_equal(value, 31);
    assert_int_equal(doc_int(read_ok("-12"), -99, 99, &value, &error), 0);
    assert_int_equal(value, -12);
    assert_int_equal(doc_int(read_ok("012"), 0, 99, &value, &error), 0); /* decimal in 1.2 */
    assert_int_equal(value, 12);
    assert_int_equal(read_ok("~")->kind, DOC_NULL);
    assert_int_equal(read_ok("\"\"")->kind, DOC_SCALAR);
    assert_int_equal(read_ok("!!str 12")->quoted, true);
}

static void test_syntax_errors(void **state)
{
    (void)state;
    assert_refused("", "x.yaml: the file is empty");
    assert_refused("# only\n", "x.yaml: the file is empty");
    assert_refused("a: 1\nb: 2\na: 3\nb: 4\n",
                   "x.yaml:3: key 'a' is there twice, first on line 1; keep one");
    assert_refused("o: {k: 1, k: 2}\n",
                   "x.yaml:1: key 'k' is there twice, first on line 1; keep one");
    assert_refused("a: 1\n---\nb: 2\n",
                   "x.yaml:2:1: a second document begins here; one file holds one document");
    assert_refused("a: *nowhere\n", "x.yaml:1:4: no anchor '&nowhere' before this alias");
    assert_refused("a: &me [*me]\n", "x.yaml:1:9: an alias inside the value that it names");
    assert_refused("a: !!binary x\n", "x.yaml:1:4: a tag (!...) has no meaning here; leave it out");
    assert_refused("[a, b]: 1\n", "x.yaml:1:1: a key must be plain text");
    assert_refused("a: \"x\\0y\"\n", "x.yaml:1:4: a NUL character in a value");
    assert_refused("a: [1, 2\nb: 3\n", "x.yaml:2:2: did not find expected ',' or ']' while parsing "
                                       "a flow sequence (begun on line 1)");
    assert_refused(
        "a:\n\t- b\n",
        "x.yaml:2:1: found character that cannot start any token while scanning for the next token "
        "(begun on line 2)");
}

static void test_limits(void **state)
{
    struct buf text;
    struct doc *root = NULL;
    (void)state;
    buf_init(&text, 8 << 20);
    for (int i = 0; i < 100; i++)
        buf_putc(&text, '[');
    assert_int_equal(doc_read_text(&arena, "x", buf_text(&text), &root, &error), ERROR_INPUT);
    assert_string_equal(error.text, "x:1:66: nested too deep (the limit is 64)");
    buf_clear(&text); /* a billion laughs */
    buf_puts(&text, "a0: &a0 [x,x,x,x,x,x,x,x,x]\n");
    for (int i = 1; i < 10; i++)
        buf_printf(&text, "a%d: &a%d [*a%d,*a%d,*a%d,*a%d,*a%d,*a%d,*a%d,*a%d,*a%d]\n", i, i, i - 1,
                   i - 1, i - 1, i - 1, i - 1, i - 1, i - 1, i - 1, i - 1);
    assert_int_equal(doc_read_text(&arena, "x", buf_text(&text), &root, &error), ERROR_INPUT);
    assert_non_null(strstr(error.text, "too many values"));
    buf_clear(&text);
    while (text.len <= 4 << 20)
        buf_puts(&text, "# long comment, long comment, long comment\n");
    assert_int_equal(doc_read_text(&arena, "x", buf_text(&text), &root, &error), ERROR_INPUT);
    assert_string_equal(error.text, "x: larger than 4 MiB");
    buf_release(&text);
    assert_int_equal(doc_read_file(&arena, "tests/no-such-file.yaml", &root, &error), ERROR_INPUT);
    assert_string_equal(error.text,
                        "tests/no-such-file.yaml: cannot read the file: No such file or directory");
}

static void test_anchor_copies(void **state)
{
    struct doc *root = read_ok("a: &x {p: [1, 2]}\nb: *x\n"), *b = doc_get(root, "b");
    (void)state;
    assert_string_equal(doc_get(b, "p")->first->next->text, "2");
    assert_ptr_equal(b->parent, root);
    assert_ptr_equal(doc_get(b, "p")->parent, b);
    assert_string_equal(b->key, "b");
}

static void test_pointer_errors(void **state)
{
    static const char *const keys[] = {"format", "procedure", "start", NULL}, *const two[] = {
                                                                                  "playbook",
                                                                                  "section", NULL};
    struct doc *root = read_ok("format: x\nprocedure:\n  playbok: p\nstart: [{a/b~c: 1}]\n"),
               *node = NULL;
    const char *text = NULL;
    int choice = 0;
    (void)state;
    assert_int_equal(doc_only(root, keys, &error), 0);
    assert_int_equal(doc_only(NULL, keys, &error), 0);
    assert_int_equal(doc_only(doc_get(root, "procedure"), two, &error), ERROR_INPUT);
    assert_string_equal(error.text,
                        "x.yaml:3: /procedure/playbok: unknown key; did you mean 'playbook'?");
    assert_int_equal(doc_only(read_ok("zebra: 1"), two, &error), ERROR_INPUT);
    assert_string_equal(error.text, "x.yaml:1: /zebra: unknown key; known here: playbook, section");
    assert_int_equal(doc_only(doc_get(root, "start"), keys, &error), ERROR_INPUT);
    assert_string_equal(error.text,
                        "x.yaml:4: /start: expected a mapping (key: value), found a list");
    node = doc_get(doc_get(root, "start")->first, "a/b~c");
    doc_error(node, &error, "is %d", 1);
    assert_string_equal(error.text, "x.yaml:4: /start/0/a~1b~0c: is 1");
    assert_int_equal(doc_need(root, "nope", &node, &error), ERROR_INPUT);
    assert_string_equal(error.text, "x.yaml:1: key 'nope' is missing");
    assert_int_equal(doc_need(doc_get(root, "procedure"), "section", &node, &error), ERROR_INPUT);
    assert_string_equal(error.text, "x.yaml:2: /procedure: key 'section' is missing");
    assert_int_equal(doc_need(root, "format", &node, &error), 0);
    assert_string_equal(node->text, "x");
    assert_int_equal(doc_text(doc_get(root, "start"), &text, &error), ERROR_INPUT);
    assert_string_equal(error.text, "x.yaml:4: /start: expected text, found a list");
    assert_int_equal(doc_choice(read_ok("a: sektion"), two, &choice, &error), ERROR_INPUT);
    assert_int_equal(doc_choice(doc_get(read_ok("a: sektion"), "a"), two, &choice, &error),
                     ERROR_INPUT);
    assert_string_equal(error.text,
                        "x.yaml:1: /a: unknown word 'sektion'; did you mean 'section'?");
    assert_int_equal(doc_choice(doc_get(read_ok("a: section"), "a"), two, &choice, &error), 0);
    assert_int_equal(choice, 1);
    assert_int_equal(doc_want(NULL, DOC_SEQUENCE, &error), ERROR_INPUT);
}

static void test_durations(void **state)
{
    static const struct {
        const char *text;
        int64_t ns;
    } good[] = {{"0", 0},
                {"15m", 15 * MINUTE},
                {"1h30m", 90 * MINUTE},
                {"250ms", 250 * MILLISECOND},
                {"1.5s", 1500 * MILLISECOND},
                {".5h", 30 * MINUTE},
                {"1h 30m", 90 * MINUTE},
                {"5 min", 5 * MINUTE},
                {"2d", 2 * DAY},
                {"1us", 1000},
                {"0.000000001s", 1},
                {"1.10s", 1100 * MILLISECOND},
                {"7ns", 7}};
    static const char *const bad[] = {"",
                                      "15",
                                      "m",
                                      "-1s",
                                      "1m1h",
                                      "1m1m",
                                      "1.s.5s",
                                      "1.5ns",
                                      "10 apples",
                                      "1e3s",
                                      "1h-",
                                      "s",
                                      "99999999999999d",
                                      "0.0000000001s"};
    int64_t ns = -7;
    (void)state;
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        if (!parse_duration(str_of(good[i].text), &ns))
            fail_msg("refused %s", good[i].text);
        assert_int_equal(ns, good[i].ns);
    }
    ns = -7;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        if (parse_duration(str_of(bad[i]), &ns))
            fail_msg("accepted '%s'", bad[i]);
    assert_int_equal(ns, -7);
    assert_int_equal(doc_duration(NULL, &ns, &error), 0);
    assert_int_equal(ns, -7);
    assert_int_equal(doc_duration(doc_get(read_ok("a: 15"), "a"), &ns, &error), ERROR_INPUT);
    assert_string_equal(
        error.text,
        "x.yaml:1: /a: expected a duration such as 250ms, 30s, 15m or 1h30m, found '15'");
    assert_int_equal(doc_duration(doc_get(read_ok("a:"), "a"), &ns, &error), ERROR_INPUT);
    assert_string_equal(
        error.text,
        "x.yaml:1: /a: expected a duration such as 250ms, 30s, 15m or 1h30m, found nothing");
}

static void test_sizes(void **state)
{
    static const struct {
        const char *text;
        int64_t bytes;
    } good[] = {{"100", 100}, {"512MiB", 512 << 20},     {"2GB", 2000000000}, {"1.5 KiB", 1536},
                {"0", 0},     {"3Gi", INT64_C(3) << 30}, {"10B", 10},         {"1kB", 1000}};
    static const char *const bad[] = {"",   "512m", "2G",     "-1",
                                      "MB", "1.5",  "0.3KiB", "99999999999TB"};
    int64_t bytes = 0;
    (void)state;
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        if (!parse_size(str_of(good[i].text), &bytes))
            fail_msg("refused %s", good[i].text);
        assert_int_equal(bytes, good[i].bytes);
    }
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        if (parse_size(str_of(bad[i]), &bytes))
            fail_msg("accepted '%s'", bad[i]);
}

static void test_ratios_rates_numbers(void **state)
{
    double value = -1;
    (void)state;
    assert_int_equal(doc_ratio(read_ok("99.5%"), &value, &error), 0);
    assert_true(value == 99.5 / 100);
    assert_int_equal(doc_ratio(read_ok("0.25"), &value, &error), 0);
    assert_true(value == 0.25);
    assert_int_equal(doc_ratio(read_ok("5"), &value, &error), ERROR_INPUT);
    assert_string_equal(
        error.text,
        "x.yaml:1: expected a share from 0% to 100%, found '5'; write the percent sign");
    assert_int_equal(doc_ratio(read_ok("101%"), &value, &error), ERROR_INPUT);
    assert_int_equal(doc_ratio(read_ok("x%"), &value, &error), ERROR_INPUT);
    assert_int_equal(doc_rate(read_ok("120/s"), &value, &error), 0);
    assert_true(value == 120);
    assert_int_equal(doc_rate(read_ok("30/m"), &value, &error), 0);
    assert_true(value == 0.5);
    assert_int_equal(doc_rate(read_ok("9 / h"), &value, &error), 0);
    assert_true(value == 9.0 / 3600);
    assert_int_equal(doc_rate(read_ok("0"), &value, &error), 0);
    assert_true(value == 0);
    assert_int_equal(doc_rate(read_ok("120"), &value, &error), ERROR_INPUT);
    assert_int_equal(doc_rate(read_ok("-1/s"), &value, &error), ERROR_INPUT);
    assert_int_equal(doc_rate(read_ok("5/fortnight"), &value, &error), ERROR_INPUT);
    assert_int_equal(doc_number(read_ok("-2.5e3"), -1e9, 1e9, &value, &error), 0);
    assert_true(value == -2500);
    assert_int_equal(doc_number(read_ok("1e400"), -1e9, 1e9, &value, &error), ERROR_INPUT);
    assert_int_equal(doc_number(read_ok("nan"), -1e9, 1e9, &value, &error), ERROR_INPUT);
    assert_int_equal(doc_number(read_ok("0x10"), -1e9, 1e9, &value, &error), ERROR_INPUT);
    assert_int_equal(doc_number(read_ok("'5'"), -1e9, 1e9, &value, &error), ERROR_INPUT);
    assert_true(value == -2500);
}

static void test_times(void **state)
{
    static const char *const bad[] = {"2026-01-15T14:30:00",   "2026-01-15",
                                      "2026-02-29T00:00:00Z",  "2026-13-01T00:00:00Z",
                                      "2026-01-15T24:00:00Z",  "2026-01-15T14:30:00+0100",
                                      "2026-01-15T14:30:00.Z", "1969-12-31T23:59:59Z",
                                      "2026-01-15T14:30:00Zx", ""};
    int64_t ns = 0;
    (void)state;
    /* date -ud @1768487400 */
    assert_true(parse_time(STR("2026-01-15T14:30:00Z"), &ns));
    assert_int_equal(ns, INT64_C(1768487400) * SECOND);
    assert_true(parse_time(STR("2026-01-15 15:30:00.25+01:00"), &ns));
    assert_int_equal(ns, INT64_C(1768487400) * SECOND + 250 * MILLISECOND);
    assert_true(parse_time(STR("2026-01-15T09:00:00-05:30"), &ns));
    assert_int_equal(ns, INT64_C(1768487400) * SECOND);
    assert_true(parse_time(STR("2024-02-29T00:00:00Z"), &ns));
    assert_int_equal(ns, INT64_C(1709164800) * SECOND);
    assert_true(parse_time(STR("1970-01-01T00:00:00Z"), &ns));
    assert_int_equal(ns, 0);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        if (parse_time(str_of(bad[i]), &ns))
            fail_msg("accepted '%s'", bad[i]);
    assert_int_equal(doc_time(doc_get(read_ok("start: 2026-01-15"), "start"), &ns, &error),
                     ERROR_INPUT);
    assert_string_equal(error.text, "x.yaml:1: /start: expected a time with its zone such as "
                                    "2026-01-15T14:30:00Z, found '2026-01-15'");
}

static void test_int_limits(void **state)
{
    int64_t value = 3;
    (void)state;
    assert_int_equal(doc_int(read_ok("12"), 1, 10, &value, &error), ERROR_INPUT);
    assert_string_equal(error.text, "x.yaml:1: expected 1 to 10, found 12");
    assert_int_equal(doc_int(read_ok("0"), 1, INT64_MAX, &value, &error), ERROR_INPUT);
    assert_string_equal(error.text, "x.yaml:1: expected 1 or more, found 0");
    assert_int_equal(doc_int(read_ok("99999999999999999999"), 1, INT64_MAX, &value, &error),
                     ERROR_INPUT);
    assert_int_equal(doc_int(read_ok("1.5"), 1, 10, &value, &error), ERROR_INPUT);
    assert_int_equal(value, 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(test_tree, teardown),
        cmocka_unit_test_teardown(test_json, teardown),
        cmocka_unit_test_teardown(test_core_schema, teardown),
        cmocka_unit_test_teardown(test_syntax_errors, teardown),
        cmocka_unit_test_teardown(test_limits, teardown),
        cmocka_unit_test_teardown(test_anchor_copies, teardown),
        cmocka_unit_test_teardown(test_pointer_errors, teardown),
        cmocka_unit_test_teardown(test_durations, teardown),
        cmocka_unit_test_teardown(test_sizes, teardown),
        cmocka_unit_test_teardown(test_ratios_rates_numbers, teardown),
        cmocka_unit_test_teardown(test_times, teardown),
        cmocka_unit_test_teardown(test_int_limits, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
