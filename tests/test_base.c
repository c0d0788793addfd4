/* Slices, buffers, arenas, errors. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "sim/base/arena.h"
#include "sim/base/buf.h"
#include "sim/base/error.h"

static void slices(void **state)
{
    (void)state;
    struct str rest = STR("one\ntwo\n\nthree");
    assert_true(str_is(str_cut(&rest, '\n'), "one"));
    assert_true(str_is(str_cut(&rest, '\n'), "two"));
    assert_int_equal(str_cut(&rest, '\n').len, 0);
    assert_true(str_is(str_cut(&rest, '\n'), "three"));
    assert_int_equal(rest.len, 0);
    assert_true(str_is(str_trim(STR(" \t a b\r\n")), "a b"));
    assert_int_equal(str_find(STR("haystack"), STR("st")), 3);
    assert_int_equal(str_find(STR("haystack"), STR("x")), -1);
    assert_true(str_compare(STR("a"), STR("ab")) < 0);
    assert_true(str_compare(STR("b"), STR("ab")) > 0);
}

static void numbers(void **state)
{
    (void)state;
    int64_t value = 7;
    assert_true(str_int64(STR("-9223372036854775808"), &value));
    assert_true(value == INT64_MIN);
    assert_true(str_int64(STR("9223372036854775807"), &value));
    assert_true(value == INT64_MAX);
    value = 7;
    assert_false(str_int64(STR("9223372036854775808"), &value));
    assert_false(str_int64(STR(""), &value));
    assert_false(str_int64(STR("-"), &value));
    assert_false(str_int64(STR("1 "), &value));
    assert_int_equal(value, 7);
}

static void leading_numbers(void **state)
{
    (void)state;
    assert_int_equal(leading_int("80/tcp"), 80);
    assert_int_equal(leading_int(" -7"), -7);
    assert_int_equal(leading_int("x"), 0);
    assert_int_equal(leading_int(""), 0);
    assert_int_equal(leading_int("99999999999"), INT32_MAX);
}

static void distances(void **state)
{
    (void)state;
    assert_int_equal(str_distance(STR("kitten"), STR("sitting"), 9), 3);
    assert_int_equal(str_distance(STR(""), STR("abc"), 9), 3);
    assert_int_equal(str_distance(STR("abc"), STR("xyz"), 2), 2);
}

static void buffers_stop_at_their_maximum(void **state)
{
    (void)state;
    struct buf buf;
    buf_init(&buf, 5);
    buf_puts(&buf, "abc");
    assert_false(buf.truncated);
    buf_printf(&buf, "%d", 4567);
    assert_true(buf.truncated);
    assert_string_equal(buf.at, "abc45");
    buf_clear(&buf);
    assert_string_equal(buf.at, "");
    assert_false(buf.truncated);
    buf_release(&buf);
}

static void arenas_align_and_zero(void **state)
{
    (void)state;
    struct arena arena = {0};
    for (size_t size = 1; size < 100000; size = size * 3 + 1) {
        unsigned char *at = arena_alloc(&arena, size);
        assert_int_equal((uintptr_t)at % 16, 0);
        for (size_t i = 0; i < size; i++)
            assert_int_equal(at[i], 0);
        memset(at, 0xff, size);
    }
    assert_string_equal(arena_printf(&arena, "%s-%d", "a", 3), "a-3");
    arena_release(&arena);
    assert_null(arena.chunks);
}

static void errors_wrap_outward(void **state)
{
    (void)state;
    struct error error;
    assert_int_equal(error_set(&error, ERROR_INPUT, "no file '%s'", "x"), ERROR_INPUT);
    assert_int_equal(error_wrap(&error, ERROR_INPUT, "drill.yaml:%d", 3), ERROR_INPUT);
    assert_string_equal(error.text, "drill.yaml:3: no file 'x'");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(slices),
        cmocka_unit_test(numbers),
        cmocka_unit_test(leading_numbers),
        cmocka_unit_test(distances),
        cmocka_unit_test(buffers_stop_at_their_maximum),
        cmocka_unit_test(arenas_align_and_zero),
        cmocka_unit_test(errors_wrap_outward),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
