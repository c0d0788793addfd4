/* A variant laid over a document. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "procedures/drill/suppose.h"
#include "sim/base/buf.h"

static void write_down(const struct doc *node, struct buf *out)
{
    if (node->kind == DOC_SCALAR)
        buf_puts(out, node->text);
    if (node->kind != DOC_MAPPING && node->kind != DOC_SEQUENCE)
        return;
    int n = 0;
    buf_putc(out, node->kind == DOC_MAPPING ? '{' : '[');
    for (const struct doc *child = node->first; child; child = child->next) {
        assert_int_equal(child->index, n++);
        assert_ptr_equal(child->parent, node);
        buf_printf(out, "%s%s%s", child->index ? " " : "", child->key ? child->key : "",
                   child->key ? ":" : "");
        write_down(child, out);
    }
    assert_int_equal(node->n, n);
    buf_putc(out, node->kind == DOC_MAPPING ? '}' : ']');
}

static void test_table(void **state)
{
    (void)state;
    static const struct {
        const char *base, *over, *result;
    } cases[] = {
        {"{a: 1, b: 2}", "{b: 3}", "{a:1 b:3}"},
        {"{a: 1, b: 2}", "{c: {d: [x, y]}}", "{a:1 b:2 c:{d:[x y]}}"},
        {"{a: {x: 1, y: 2}, b: 2}", "{a: {y: 3, z: 4}}", "{a:{x:1 y:3 z:4} b:2}"},
        {"{a: {x: 1}, b: [1, 2]}", "{b: [3], a: flat}", "{a:flat b:[3]}"},
        {"{a: 1, b: 2, c: 3}", "{b: null}", "{a:1 c:3}"},
        {"{a: 1}", "{}", "{a:1}"},
        {"{a: 1}", "{b: null}", "over:1: /b: there is nothing of that name to take away"},
        {"{a: 1}", "[b]", NULL},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct arena arena = {0};
        struct doc *base = NULL, *over = NULL;
        struct error error = {""};
        struct buf out;
        buf_init(&out, 4096);
        assert_int_equal(doc_read_text(&arena, "base", str_of(cases[i].base), &base, &error), 0);
        assert_int_equal(doc_read_text(&arena, "over", str_of(cases[i].over), &over, &error), 0);
        if (suppose(&arena, base, over, &error) == 0)
            write_down(base, &out);
        else
            buf_puts(&out, error.text);
        if (cases[i].result)
            assert_string_equal(out.at, cases[i].result);
        else
            assert_true(error.text[0]);
        buf_release(&out);
        arena_release(&arena);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_table)};
    return cmocka_run_group_tests_name("suppose", tests, NULL, NULL);
}
