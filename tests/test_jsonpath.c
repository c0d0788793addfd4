/* kubectl's JSONPath: what kubectl 1.32 made of these templates. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "fakes/kubernetes/text/go_value.h"
#include "fakes/kubernetes/text/jsonpath.h"
#include "tests/recorded.h"

struct fixture {
    struct arena arena;
    struct buf out;
    cJSON *root;
};

static int start(void **state)
{
    static struct fixture f;
    f = (struct fixture){0};
    buf_init(&f.out, 1 << 20);
    assert_int_equal(buf_read_file(&f.out, "tests/data/kubernetes/pod.json"), 0);
    f.root = cJSON_Parse(f.out.at);
    assert_non_null(f.root);
    buf_clear(&f.out);
    *state = &f;
    return 0;
}

static int finish(void **state)
{
    struct fixture *f = *state;
    buf_release(&f->out);
    cJSON_Delete(f->root);
    arena_release(&f->arena);
    return 0;
}

static const char *ask(const char *template, void *ctx)
{
    struct fixture *f = ctx;
    buf_clear(&f->out);
    const char *error = jsonpath(&f->arena, template, f->root, &f->out);
    const char *text = error ? arena_printf(&f->arena, "error: %s", error)
                             : arena_str(&f->arena, buf_text(&f->out));
    const char *more = strstr(text, ". Printing more");
    return arena_printf(&f->arena, "%.*s\n[%d]\n", more ? (int)(more - text) : (int)strlen(text),
                        text, error != NULL);
}

static void as_kubectl_does(void **state)
{
    const struct recorded r = {
        .answers = "tests/data/kubernetes/jsonpath.txt", .ask = ask, .ctx = *state};
    assert_int_equal(recorded_compare(&r), 0);
}

/* The comparison above can fail. */
static void a_changed_answer_is_seen(void **state)
{
    assert_string_equal(ask("{.kind}", *state), "Pod\n[0]\n");
    assert_string_not_equal(ask("{.metadata.name}", *state), "Pod\n[0]\n");
}

static void an_error_shows_the_object(void **state)
{
    struct fixture *f = *state;
    cJSON *list = cJSON_Parse("{\"items\": [], \"kind\": \"List\", \"apiVersion\": \"v1\", "
                              "\"metadata\": {\"resourceVersion\": \"\"}}");
    const char *error = jsonpath(&f->arena, "{.items[0].metadata.name}", list, &f->out);
    assert_string_equal(
        error,
        "error executing jsonpath \"{.items[0].metadata.name}\": Error executing template: array "
        "index out of bounds: index 0, length 0. Printing more information for debugging the "
        "template:\n\ttemplate was:\n\t\t{.items[0].metadata.name}\n\tobject given to jsonpath "
        "engine was:\n\t\tmap[string]interface {}{\"apiVersion\":\"v1\", \"items\":[]interface "
        "{}{}, \"kind\":\"List\", \"metadata\":map[string]interface "
        "{}{\"resourceVersion\":\"\"}}\n\n");
    cJSON_Delete(list);
}

static void can_be_checked_before_it_is_run(void **state)
{
    struct fixture *f = *state;
    assert_null(jsonpath_check(&f->arena, "{.spec.list[9]}"));
    assert_string_equal(jsonpath_check(&f->arena, "{.spec.list[9}"),
                        "error parsing jsonpath {.spec.list[9}, unterminated array");
    assert_string_equal(jsonpath_check(&f->arena, "{.kind\n}"),
                        "error parsing jsonpath {.kind\n}, unclosed action");
}

static void as_json(void **state)
{
    struct fixture *f = *state;
    assert_null(jsonpath_print(&f->arena, "{.kind}{.nope}x{.spec.containers[0].ports}", f->root,
                               JSONPATH_JSON, &f->out));
    assert_string_equal(f->out.at,
                        "[\n    \"Pod\"\n]\n[]\n[\n    \"x\"\n]\n[\n    [\n        {\n            "
                        "\"containerPort\": 80\n        },\n        {\n            "
                        "\"containerPort\": 81\n        }\n    ]\n]\n");
}

static void missing_fields_can_be_errors(void **state)
{
    struct fixture *f = *state;
    const char *error =
        jsonpath_print(&f->arena, "{.spec.nope.x}", f->root, JSONPATH_STRICT, &f->out);
    assert_non_null(error);
    assert_non_null(strstr(error, "Error executing template: nope is not found. Printing more"));
}

static void relaxed(void **state)
{
    static const struct {
        const char *typed, *want;
    } cases[] = {
        {".metadata.name", "{.metadata.name}"},
        {"metadata.name", "{.metadata.name}"},
        {"{.metadata.name}", "{.metadata.name}"},
        {"{metadata.name}", "{.metadata.name}"},
        {"", ""},
        {"{.a}{.b}", NULL},
        {"{", NULL},
        {"{}", NULL},
        {"a}", NULL},
    };
    struct fixture *f = *state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const char *why = NULL, *got = jsonpath_relaxed(&f->arena, cases[i].typed, &why);
        if (cases[i].want)
            assert_string_equal(got, cases[i].want);
        else
            assert_string_equal(why, "unexpected path string, expected a 'name1.name2' or "
                                     "'.name1.name2' or '{name1.name2}' or '{.name1.name2}'");
        assert_true((got == NULL) == (cases[i].want == NULL));
    }
}

static void values(void **state)
{
    struct fixture *f = *state;
    int n;
    assert_null(
        jsonpath_values(&f->arena, "{.spec.containers[*].name}", f->root, ",", &f->out, &n));
    assert_string_equal(f->out.at, "a,b");
    assert_int_equal(n, 2);
    buf_clear(&f->out);
    assert_null(jsonpath_values(&f->arena, "{.metadata.labels}", f->root, ",", &f->out, &n));
    assert_string_equal(f->out.at, "map[a:1]");
    buf_clear(&f->out);
    assert_null(jsonpath_values(&f->arena, "{.nope}", f->root, ",", &f->out, &n));
    assert_int_equal(n, 0);
    assert_string_equal(jsonpath_values(&f->arena, "{.spec.list[9]}", f->root, ",", &f->out, NULL),
                        "array index out of bounds: index 9, length 3");
}

/* Templates that multiply end with an error, not never. */
static void is_bounded(void **state)
{
    struct fixture *f = *state;
    struct buf template;
    buf_init(&template, 1 << 20);
    for (int i = 0; i < 60; i++)
        buf_puts(&template, "{range @}");
    const char *error = jsonpath(&f->arena, template.at, f->root, &f->out);
    assert_non_null(strstr(error, "the template looks at too many values"));
    buf_clear(&template);
    for (int i = 0; i < 500; i++)
        buf_puts(&template, "[?(@.a");
    error = jsonpath(&f->arena, arena_printf(&f->arena, "{%s}", template.at), f->root, &f->out);
    assert_non_null(error);
    buf_release(&template);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(as_kubectl_does, start, finish),
        cmocka_unit_test_setup_teardown(a_changed_answer_is_seen, start, finish),
        cmocka_unit_test_setup_teardown(an_error_shows_the_object, start, finish),
        cmocka_unit_test_setup_teardown(can_be_checked_before_it_is_run, start, finish),
        cmocka_unit_test_setup_teardown(as_json, start, finish),
        cmocka_unit_test_setup_teardown(missing_fields_can_be_errors, start, finish),
        cmocka_unit_test_setup_teardown(relaxed, start, finish),
        cmocka_unit_test_setup_teardown(values, start, finish),
        cmocka_unit_test_setup_teardown(is_bounded, start, finish),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
