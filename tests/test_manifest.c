/* Manifests: YAML 1.1 as kubectl 1.32 reads it, and YAML and JSON as it writes them. The expected
 * texts are what the real one printed (create configmap --from-literal --dry-run=client -o yaml,
 * apply -f -). Selectors: pkg/labels and pkg/fields. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "fakes/kubernetes/api/selector.h"
#include "fakes/kubernetes/text/manifest.h"

/* A text and the JSON it becomes; `error` behind "error parsing STDIN: ". */
static const struct {
    const char *yaml, *json, *error;
} readings[] = {
    {"a: 1\nb: x\n", "{\"a\":1,\"b\":\"x\"}", NULL},
    {"a: [yes, No, on, OFF, y, n, true, tRue, ~, null, '']\n",
     "{\"a\":[true,false,true,false,true,false,true,\"tRue\",null,null,\"\"]}", NULL},
    {"a: [010, 0x1F, 0b11, 0o17, 1_000, 08, +1, -3, 1e3, .5, 1., 1:30, '1', \"2\"]\n",
     "{\"a\":[8,31,3,15,1000,8,1,-3,1000,0.5,1,\"1:30\",\"1\",\"2\"]}", NULL},
    {"a: 5000000000\nb: 0.25\nc: 2001-01-01\nd: 1.2.3\ne: 1e21\n",
     "{\"a\":5000000000,\"b\":0.25,\"c\":\"2001-01-01\",\"d\":\"1.2.3\",\"e\":1e+21}", NULL},
    {"5: a\ntrue: b\n1.5: c\n", "{\"1.5\":\"c\",\"5\":\"a\",\"true\":\"b\"}", NULL},
    {"a: 1\na: 2\n", "{\"a\":2}", NULL},
    {"A: 1\na: 2\n", "{\"A\":1,\"a\":2}", NULL},
    {"a: &x {b: 1}\nc: *x\nd:\n  <<: *x\n  e: 2\n",
     "{\"a\":{\"b\":1},\"c\":{\"b\":1},\"d\":{\"b\":1,\"e\":2}}", NULL},
    {"a:\n  <<: [{b: 1, c: 1}, {b: 2, d: 2}]\n  c: 3\n", "{\"a\":{\"b\":1,\"c\":3,\"d\":2}}", NULL},
    {"a: |\n  l1\n  l2\nb: >-\n  x\n  y\n", "{\"a\":\"l1\\nl2\\n\",\"b\":\"x y\"}", NULL},
    {"a: !!str 5\nb: !!int \"5\"\nc: ! 5\n", "{\"a\":\"5\",\"b\":5,\"c\":\"5\"}", NULL},
    {"# only\n---\n---\n", "", NULL},
    {"a: 1\n---\n# nothing\n---\nb: 2\n--- # more\nc: 3\n", "{\"a\":1}{\"b\":2}{\"c\":3}", NULL},
    {"{\"a\": 1, \"a\": 2} {\"b\":\n\"x\\u00e9\"}", "{\"a\":2}{\"b\":\"x\xc3\xa9\"}", NULL},
    {"\xef\xbb\xbf"
     "a: 1\n",
     "{\"a\":1}", NULL},
    {"a: <&>\n", "{\"a\":\"\\u003c\\u0026\\u003e\"}", NULL},
    /* mistakes */
    {"kind: ConfigMap\nmetadata:\n  name: cmx\n data: {a: b}\n", "",
     "error converting YAML to JSON: yaml: line 3: did not find expected key"},
    {"a: 1\n---\nb: {{ image }}\n", "{\"a\":1}",
     "error converting YAML to JSON: yaml: invalid map key: map[interface {}]interface "
     "{}{\"image\":interface {}(nil)}"},
    {"data: *x\n", "", "error converting YAML to JSON: yaml: unknown anchor 'x' referenced"},
    {"data: {a: .inf}\n", "", "error converting YAML to JSON: json: unsupported value: +Inf"},
    {"a: 1\nk: v\n\tm: {name: a}\n", "",
     "error converting YAML to JSON: yaml: line 3: found a tab character that violates "
     "indentation"},
    {"a: 1\nb: 2\nm:\n  name: a\n  labels: {a: b: c}\n", "",
     "error converting YAML to JSON: yaml: line 4: did not find expected ',' or '}'"},
    {"a: 1\nb: 2\nm:\n  name: a\n  labels:\n    a: b: c\n", "",
     "error converting YAML to JSON: yaml: line 6: mapping values are not allowed in this context"},
    {"a: 1\nb: 2\nm:\n  name: \"a\n", "",
     "error converting YAML to JSON: yaml: line 5: found unexpected end of stream"},
    {"a: 1\nb: 2\nm:\n  name: @a\n", "",
     "error converting YAML to JSON: yaml: line 4: found character that cannot start any token"},
    {"a:\n  <<: 1\n", "",
     "error converting YAML to JSON: yaml: map merge requires map or sequence of maps as the "
     "value"},
    {"a: \x01\n", "", "error converting YAML to JSON: yaml: control characters are not allowed"},
    {"a: 1\n--- x\nb\n", "", "invalid Yaml document separator: x"},
    {"{\"a\":", "", "unexpected EOF"},
    {"{bad json", "",
     "json: offset 2: invalid character 'b' looking for beginning of object key string"},
    {"{\"apiVersion\":\"v1\",\"kind\":\"ConfigMap\",\"metadata\":{\"name\":\"q\"}}x",
     "{\"apiVersion\":\"v1\",\"kind\":\"ConfigMap\",\"metadata\":{\"name\":\"q\"}}",
     "json: offset 63: invalid character 'x' looking for beginning of value"},
    {"{\"apiVersion\":\"v1\",\n\"kind\":\"ConfigMap\",,\"metadata\":{\"name\":\"q\"}}", "",
     "json: offset 40: invalid character ',' looking for beginning of object key string"},
    {"{\"a\":1}\n---\n{\"b\":2}\n", "{\"a\":1}",
     "json: offset 10: invalid character '-' in numeric literal"},
    {"{a: 1}", "",
     "json: offset 2: invalid character 'a' looking for beginning of object key "
     "string"},
};

static void test_reading(void **state)
{
    (void)state;
    struct arena arena = {0};
    for (size_t i = 0; i < sizeof readings / sizeof *readings; i++) {
        struct manifest manifest;
        struct buf json;
        buf_init(&json, 65536);
        const char *error = manifest_read(&arena, str_of(readings[i].yaml), &manifest);
        for (int j = 0; j < manifest.n; j++)
            json_compact(&json, manifest.documents[j]);
        if (!error != !readings[i].error || (error && strcmp(error, readings[i].error) != 0))
            fail_msg("%s\nerror: %s\nwant:  %s", readings[i].yaml, error, readings[i].error);
        if (strcmp(json.at ? json.at : "", readings[i].json) != 0)
            fail_msg("%s\ngot:  %s\nwant: %s", readings[i].yaml, json.at, readings[i].json);
        buf_release(&json);
        manifest_release(&manifest);
    }
    arena_release(&arena);
}

/* Aliases of aliases, and lists in lists, end before they eat the machine. */
static void test_limits(void **state)
{
    (void)state;
    struct arena arena = {0};
    struct manifest manifest;
    struct buf text;
    buf_init(&text, 1 << 20);
    buf_puts(&text, "a0: &a0 [x,x,x,x,x,x,x,x,x,x]\n");
    for (int i = 1; i < 10; i++) {
        buf_printf(&text, "a%d: &a%d [", i, i);
        for (int j = 0; j < 10; j++)
            buf_printf(&text, "%s*a%d", j ? "," : "", i - 1);
        buf_puts(&text, "]\n");
    }
    assert_string_equal(manifest_read(&arena, buf_text(&text), &manifest),
                        "error converting YAML to JSON: yaml: document contains excessive "
                        "aliasing");
    manifest_release(&manifest);
    buf_clear(&text);
    for (int i = 0; i < 5000; i++)
        buf_putc(&text, '[');
    assert_non_null(manifest_read(&arena, buf_text(&text), &manifest));
    manifest_release(&manifest);
    buf_release(&text);
    arena_release(&arena);
}

/* Each as one key of a map; "yaml" is what the real one wrote behind "  ". */
static const struct {
    const char *key, *text, *yaml;
} writings[] = {
    {"A", "~", "\"~\""},
    {"B", "0x1F", "\"0x1F\""},
    {"C", "1e3", "\"1e3\""},
    {"D", ".5", "\".5\""},
    {"E", "1_000", "\"1_000\""},
    {"F", "<<", "<<"},
    {"G", "=", "="},
    {"H", "null", "\"null\""},
    {"J", "0o17", "\"0o17\""},
    {"K", "190:20:30.15", "\"190:20:30.15\""},
    {"L", "http://x:80/a", "http://x:80/a"},
    {"M", "+1", "\"+1\""},
    {"O", "?a", "?a"},
    {"P", "? a", "'? a'"},
    {"Q", "%a", "'%a'"},
    {"R", "@a", "'@a'"},
    {"S", "a,b", "a,b"},
    {"T", "[a]", "'[a]'"},
    {"U", ":a", ":a"},
    {"V", "a:", "'a:'"},
    {"W", "---", "'---'"},
    {"X", "  lead\nb", "|2-\n    lead\n  b"},
    {"Z", "a\ab", "\"a\\ab\""},
    {"a", "yes", "\"yes\""},
    {"b", "010", "\"010\""},
    {"c", "a: b", "'a: b'"},
    {"d", " lead", "' lead'"},
    {"e", "1:30", "\"1:30\""},
    {"f", "l1\nl2", "|-\n  l1\n  l2"},
    {"g", "l1\nl2\n", "|\n  l1\n  l2"},
    {"h", "\nl", "|2-\n\n  l"},
    {"j", "", "\"\""},
    {"k", "#x", "'#x'"},
    {"l", "2001-01-01", "\"2001-01-01\""},
    {"m", "a\tb", "\"a\\tb\""},
    {"nn", "\xc3\xa9\xe2\x98\x83", "\xc3\xa9\xe2\x98\x83"},
    {"o", "!x", "'!x'"},
    {"p", "'q'", "'''q'''"},
    {"q", "\"q\"", "'\"q\"'"},
    {"r", "*a", "'*a'"},
    {"s", "-", "'-'"},
    {"t", "- a", "'- a'"},
    {"u", "a #b", "'a #b'"},
    {"v", "{}", "'{}'"},
    {"w", "trail \nx ", "\"trail \\nx \""},
    {"x", "tr ", "'tr '"},
    {"xx", "a\tb\n\tc\n", "\"a\\tb\\n\\tc\\n\""},
    {"xy", "2001-01-01T", "2001-01-01T"},
    {"xz", "2001-01-01T10:00:00Z", "\"2001-01-01T10:00:00Z\""},
    {"za", "2001-1-1T1:00:00Z", "\"2001-1-1T1:00:00Z\""},
    {"zb", "2001-13-01", "2001-13-01"},
    {"zc", "2001-01-01T10:00:00", "2001-01-01T10:00:00"},
    {"zd", "2001-01-01 10:00:00", "\"2001-01-01 10:00:00\""},
    {"ze", "2001-01-01t10:00:00+02:00", "\"2001-01-01t10:00:00+02:00\""},
    {"zf", "2001-02-30", "2001-02-30"},
    {"zg", "08", "\"08\""},
    {"zh", "1_", "\"1_\""},
    {"zi", "_1", "_1"},
    {"zj", "-0b11", "\"-0b11\""},
    {"zk", "0b", "0b"},
    {"zl", "99999999999999999999", "\"99999999999999999999\""},
    {"zm", "0x1p3", "0x1p3"},
    {"zn", ".5_0", "\".5_0\""},
    {"zo", "+.inf", "\"+.inf\""},
    {"zp", "\xf0\x9f\x98\x80", "\"\\U0001F600\""},
    {"zq",
     "this is a quite long line that goes on and on over eighty columns for sure, yes it does, "
     "does it not? \"yes\" said x: it",
     "'this is a quite long line that goes on and on over eighty columns for sure, yes\n"
     "  it does, does it not? \"yes\" said x: it'"},
};

static void test_writing(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof writings / sizeof *writings; i++) {
        struct buf yaml, want;
        buf_init(&yaml, 65536);
        buf_init(&want, 65536);
        cJSON *json = cJSON_CreateObject();
        cJSON_AddStringToObject(json, writings[i].key, writings[i].text);
        yaml_write(&yaml, json);
        buf_printf(&want, "%s: %s\n", writings[i].key, writings[i].yaml);
        assert_string_equal(yaml.at, want.at);
        cJSON_Delete(json);
        buf_release(&yaml);
        buf_release(&want);
    }
}

static void test_whole_document(void **state)
{
    (void)state;
    static const char text[] =
        "{\"b\":[],\"a2\":{},\"a10\":null,\"a1\":[1,{\"x\":true,\"c\":[2.5]},[3]],\"y\":\"n\","
        "\"Z\":\"a<b\",\"n\":1e6}";
    cJSON *json = cJSON_Parse(text);
    struct buf out;
    buf_init(&out, 65536);
    yaml_write(&out, json);
    assert_string_equal(out.at, "Z: a<b\n"
                                "a1:\n"
                                "- 1\n"
                                "- c:\n"
                                "  - 2.5\n"
                                "  x: true\n"
                                "- - 3\n"
                                "a2: {}\n"
                                "a10: null\n"
                                "b: []\n"
                                "\"n\": 1000000\n"
                                "\"y\": \"n\"\n");
    buf_clear(&out);
    json_write(&out, json);
    assert_string_equal(out.at, "{\n"
                                "    \"Z\": \"a\\u003cb\",\n"
                                "    \"a1\": [\n"
                                "        1,\n"
                                "        {\n"
                                "            \"c\": [\n"
                                "                2.5\n"
                                "            ],\n"
                                "            \"x\": true\n"
                                "        },\n"
                                "        [\n"
                                "            3\n"
                                "        ]\n"
                                "    ],\n"
                                "    \"a10\": null,\n"
                                "    \"a2\": {},\n"
                                "    \"b\": [],\n"
                                "    \"n\": 1000000,\n"
                                "    \"y\": \"n\"\n"
                                "}\n");
    cJSON_Delete(json);
    buf_release(&out);
}

static void test_json_errors(void **state)
{
    (void)state;
    static const struct {
        const char *text, *error;
    } cases[] = {
        {"{\"a\": tru}", "invalid character '}' in literal true (expecting 'e')"},
        {"[1 2]", "invalid character '2' after array element"},
        {"{\"a\" 1}", "invalid character '1' after object key"},
        {"{\"a\":1 \"b\":2}", "invalid character '\"' after object key:value pair"},
        {"{'a':1}", "invalid character '\\'' looking for beginning of object key string"},
        {"[1.]", "invalid character ']' after decimal point in numeric literal"},
        {"[1e]", "invalid character ']' in exponent of numeric literal"},
        {"\"a\nb\"", "invalid character '\\n' in string literal"},
        {"\"\\x\"", "invalid character 'x' in string escape code"},
        {"\"\\u00g\"", "invalid character 'g' in \\u hexadecimal character escape"},
        {"{}}", "invalid character '}' after top-level value"},
        {"{\"a\":[1,", "unexpected end of JSON input"},
        {"", "unexpected end of JSON input"},
        {"[1,]", "invalid character ']' looking for beginning of value"},
    };
    struct arena arena = {0};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const char *why = NULL;
        assert_null(json_read(&arena, cases[i].text, &why));
        assert_string_equal(why, cases[i].error);
    }
    arena_release(&arena);
}

static const char labels_json[] = "{\"app\":\"web\",\"tier\":\"5\",\"empty\":\"\"}";
static const struct {
    const char *selector;
    bool matches;
} selections[] = {
    {"", true},
    {"app=web", true},
    {"app==web", true},
    {"app!=web", false},
    {"nope!=web", true},
    {"app in (web,x)", true},
    {"app notin (web)", false},
    {"nope notin (web)", true},
    {"app", true},
    {"!app", false},
    {"!nope", true},
    {"app=web,tier=6", false},
    {"app=web , tier in (4, 5)", true},
    {"tier>4", true},
    {"tier>5", false},
    {"tier<6,tier>4", true},
    {"app>1", false},
    {"empty=", true},
    {"empty in (,x)", true},
    {"app in ()", false},
    {"in=x", false},
    {"app in (in,notin,web)", true},
};
static const struct {
    const char *selector, *error;
} mistaken[] = {
    {"=bad", "found '=', expected: !, identifier, or 'end of string'"},
    {"a b", "unable to parse requirement: found 'b', expected: in, notin, =, ==, !=, gt, lt"},
    {"a=b c", "found 'c', expected: ',' or 'end of string'"},
    {"a,", "found '', expected: identifier after ','"},
    {"a,=", "found '=', expected: identifier after ','"},
    {"app in x", "unable to parse requirement: found 'x' expected: '('"},
    {"app in (a b)", "unable to parse requirement: found 'b', expected: ',' or ')'"},
    {"!", "unable to parse requirement: found '', expected: identifier"},
    {"a=!b", "unable to parse requirement: found '!', expected: identifier"},
    {"a>x", "unable to parse requirement: values[0]: Invalid value: \"x\": for 'Gt', 'Lt' "
            "operators, the value must be an integer"},
    {"_a=b",
     "unable to parse requirement: <nil>: Invalid value: \"_a\": name part must consist of "
     "alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric "
     "character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is "
     "'([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')"},
    {"a=_",
     "unable to parse requirement: values[0][a]: Invalid value: \"_\": a valid label must be an "
     "empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end "
     "with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for "
     "validation is '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')"},
};

static void test_label_selectors(void **state)
{
    (void)state;
    struct arena arena = {0};
    const char *why;
    cJSON *labels = cJSON_Parse(labels_json);
    for (size_t i = 0; i < sizeof selections / sizeof *selections; i++) {
        struct selector *selector = selector_labels(&arena, selections[i].selector, &why);
        if (!selector || selector_matches(selector, labels) != selections[i].matches)
            fail_msg("%s: %s", selections[i].selector, selector ? "the other way" : why);
    }
    for (size_t i = 0; i < sizeof mistaken / sizeof *mistaken; i++) {
        assert_null(selector_labels(&arena, mistaken[i].selector, &why));
        assert_string_equal(why, mistaken[i].error);
    }
    assert_true(selector_matches(selector_labels(&arena, "!app", &why), NULL));
    cJSON_Delete(labels);
    arena_release(&arena);
}

static void test_field_selectors(void **state)
{
    (void)state;
    static const struct {
        const char *selector;
        bool matches;
    } cases[] = {
        {"", true},
        {"metadata.name=web-1", true},
        {"metadata.name==web-1,status.phase!=Running", true},
        {"metadata.name!=web-1", false},
        {"spec.nodeName=", true},
        {"spec.hostNetwork=false", true},
        {"status.phase=Pending,", true},
        {"metadata.namespace=a\\,b", false},
    };
    struct arena arena = {0};
    const char *why;
    cJSON *pod = cJSON_Parse("{\"metadata\":{\"name\":\"web-1\"},\"status\":{\"phase\":"
                             "\"Pending\"}}");
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct selector *selector = selector_fields(&arena, cases[i].selector, &why);
        if (!selector || selector_matches_fields(selector, pod) != cases[i].matches)
            fail_msg("%s: %s", cases[i].selector, selector ? "the other way" : why);
        assert_null(selector_unknown_field(selector, "Pod"));
    }
    assert_null(selector_fields(&arena, "a=b,foo", &why));
    assert_string_equal(why, "invalid selector: 'a=b,foo'; can't understand 'foo'");
    assert_string_equal(
        selector_unknown_field(selector_fields(&arena, "status.phase=x", &why), "ConfigMap"),
        "status.phase");
    cJSON_Delete(pod);
    arena_release(&arena);
}

static void test_selectors_of_objects(void **state)
{
    (void)state;
    static const struct {
        const char *json, *text;
        bool matches;
    } cases[] = {
        {"{\"matchLabels\":{\"tier\":\"5\",\"app\":\"web\"}}", "app=web,tier=5", true},
        {"{\"matchLabels\":{\"app\":\"x\"}}", "app=x", false},
        {"{\"matchExpressions\":[{\"key\":\"app\",\"operator\":\"In\",\"values\":[\"z\","
         "\"web\"]},{\"key\":\"no\",\"operator\":\"DoesNotExist\"}]}",
         "app in (web,z),!no", true},
        {"{\"matchExpressions\":[{\"key\":\"app\",\"operator\":\"NotIn\",\"values\":[\"web\"]}]}",
         "app notin (web)", false},
        {"{\"app\":\"web\"}", "app=web", true},
        {"{}", "<none>", true},
        {"null", "<none>", false},
    };
    struct arena arena = {0};
    cJSON *labels = cJSON_Parse(labels_json);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        cJSON *json = cJSON_Parse(cases[i].json);
        assert_string_equal(selector_text(&arena, json), cases[i].text);
        assert_int_equal(selector_matches(selector_of(&arena, json), labels), cases[i].matches);
        cJSON_Delete(json);
    }
    cJSON_Delete(labels);
    arena_release(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_reading),         cmocka_unit_test(test_limits),
        cmocka_unit_test(test_writing),         cmocka_unit_test(test_whole_document),
        cmocka_unit_test(test_json_errors),     cmocka_unit_test(test_label_selectors),
        cmocka_unit_test(test_field_selectors), cmocka_unit_test(test_selectors_of_objects),
    };
    return cmocka_run_group_tests_name("manifest", tests, NULL, NULL);
}
