/* JSON as Go's encoding/json reads it. The words were recorded from a program in Go (docker 28.2
 * reading a broken config.json); only the end of the text is told otherwise by json.Unmarshal. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "fakes/kubernetes/text/go_json.h"
#include "fakes/kubernetes/text/go_value.h"

static void syntax_errors_are_those_of_go(void **state)
{
    static const struct {
        const char *text, *error;
    } cases[] = {
        {"{bad", "invalid character 'b' looking for beginning of object key string"},
        {"{'a':1}", "invalid character '\\'' looking for beginning of object key string"},
        {"{\"a\":}", "invalid character '}' looking for beginning of value"},
        {"{\"a\":1,}", "invalid character '}' looking for beginning of object key string"},
        {"{\"a\":1 \"b\"}", "invalid character '\"' after object key:value pair"},
        {"{\"a\" 1}", "invalid character '1' after object key"},
        {"[1 2]", "invalid character '2' after array element"},
        {"{\"a\":tru}", "invalid character '}' in literal true (expecting 'e')"},
        {"{\"a\":01}", "invalid character '1' after object key:value pair"},
        {"{\"a\":\"x\ny\"}", "invalid character '\\n' in string literal"},
        {"{\"a\":\"\\q\"}", "invalid character 'q' in string escape code"},
        {"{\"a\":\"\\u12G4\"}", "invalid character 'G' in \\u hexadecimal character escape"},
        {"{\"a\":-}", "invalid character '}' in numeric literal"},
        {"{\"a\":1.}", "invalid character '}' after decimal point in numeric literal"},
        {"{\"a\":1e}", "invalid character '}' in exponent of numeric literal"},
        {"{\"a\":1}}", "invalid character '}' after top-level value"},
        {"{\"a\"", "unexpected end of JSON input"},
        {"[1,2", "unexpected end of JSON input"},
        {"", "unexpected end of JSON input"},
        {"{\"a\": [1, -2.5e3, \"\\u00e9\", null, true, {}], \"b\": []}", NULL},
        {" 7 ", NULL},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct arena arena = {0};
        const char *error = go_json_error(&arena, cases[i].text);
        if (cases[i].error)
            assert_string_equal(error ? error : "(no error)", cases[i].error);
        else
            assert_null(error);
        arena_release(&arena);
    }
}

/* fmt sorts the keys of a map. */
static void values_print_as_by_fmt(void **state)
{
    struct arena arena = {0};
    cJSON *json = cJSON_Parse("{\"b\":[1,\"x\",null],\"a\":{\"c\":true},\"d\":1.5}");
    (void)state;
    assert_string_equal(go_value_text(&arena, json), "map[a:map[c:true] b:[1 x <nil>] d:1.5]");
    cJSON_Delete(json);
    arena_release(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(syntax_errors_are_those_of_go),
        cmocka_unit_test(values_print_as_by_fmt),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
