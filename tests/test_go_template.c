/* Go templates: what text/template makes of them (documentation of the package, and of docker's
 * --format). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "fakes/go_template.h"

static const char document[] = "{\"Name\": \"web\", \"Port\": 8080, \"Up\": true, \"None\": null, "
                               "\"List\": [\"a\", \"b\", \"c\"],"
                               " \"State\": {\"Status\": \"running\", \"Exit\": 0}, \"Labels\": "
                               "{\"b\": \"2\", \"a\": \"1\"}, \"Empty\": []}";

static const struct {
    const char *text, *want;
} cases[] = {
    {"plain", "plain"},
    {"{{.Name}}:{{.Port}}", "web:8080"},
    {"{{ .State.Status }}", "running"},
    {"{{json .State}}", "{\"Status\":\"running\",\"Exit\":0}"},
    {"{{.Labels}}", "map[a:1 b:2]"},
    {"{{.List}} {{.Up}} {{.None}}", "[a b c] true <nil>"},
    {"{{range .List}}<{{.}}>{{end}}", "<a><b><c>"},
    {"{{range $k, $v := .Labels}}{{$k}}={{$v}} {{end}}", "a=1 b=2 "},
    {"{{range $i, $v := .List}}{{$i}}{{$v}}{{end}}", "0a1b2c"},
    {"{{range .Empty}}x{{else}}nothing{{end}}", "nothing"},
    {"{{if .Up}}yes{{else}}no{{end}}", "yes"},
    {"{{if eq .State.Status \"exited\"}}a{{else if eq .Port 8080}}b{{else}}c{{end}}", "b"},
    {"{{if eq .Port 1}}a{{else if eq .Port 2}}b{{else}}c{{end}}", "c"},
    {"{{if and .Up (ne .State.Exit 1)}}ok{{end}}", "ok"},
    {"{{if not .Empty}}empty{{end}}", "empty"},
    {"{{with .State}}{{.Exit}}{{end}}", "0"},
    {"{{index .List 1}} {{index .Labels \"a\"}} {{len .List}}", "b 1 3"},
    {"{{join .List \",\"}} {{upper .Name}} {{.Name | upper | lower}}", "a,b,c WEB web"},
    {"{{(index .List 0)}}", "a"},
    {"{{printf \"%-5s|%q\" .Name .Name}}", "web  |\"web\""},
    {"{{printf \"%34444444s\" .Name}}", "web"}, /* as wide as that is a mistake */
    {"{{println .Name}}", "web\n"},
    {"{{$x := .Name}}{{$x}}{{$.Port}}", "web8080"},
    {"a  {{- /* trimmed */ -}}  b", "ab"},
    {"{{range split \"x,y\" \",\"}}[{{.}}]{{end}}", "[x][y]"},
    {"{{.Labels \"b\"}}", "2"},
};

static const struct {
    const char *text, *want;
} mistakes[] = {
    {"{{.Name", "unclosed action"},
    {"{{if .Up}}x", "unexpected EOF"},
    {"{{end}}", "unexpected {{end}}"},
    {"{{frob .Name}}", "function \"frob\" not defined"},
    {"{{.Nope}}", "map has no entry for key \"Nope\""},
    {"{{\"x}}", "unterminated quoted string"},
    {"{{}}", "missing value for command"},
    {"{{index}}", "wrong number of args for index: want at least 1 got 0"},
};

static void test_cases(void **state)
{
    (void)state;
    cJSON *dot = cJSON_Parse(document);
    assert_non_null(dot);
    struct arena arena = {0};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct buf out;
        buf_init(&out, 1 << 16);
        const char *error = go_template(&arena, cases[i].text, dot, true, &out);
        if (error || strcmp(out.at ? out.at : "", cases[i].want) != 0)
            fail_msg("%s\ngot:  %s\nwant: %s\nerror: %s", cases[i].text, out.at ? out.at : "",
                     cases[i].want, error ? error : "");
        buf_release(&out);
    }
    arena_release(&arena);
    cJSON_Delete(dot);
}

static void test_mistakes(void **state)
{
    (void)state;
    cJSON *dot = cJSON_Parse(document);
    struct arena arena = {0};
    for (size_t i = 0; i < sizeof mistakes / sizeof *mistakes; i++) {
        struct buf out;
        buf_init(&out, 1 << 16);
        const char *error = go_template(&arena, mistakes[i].text, dot, true, &out);
        if (!error || !strstr(error, mistakes[i].want))
            fail_msg("%s: %s, not: %s", mistakes[i].text, error ? error : "no error",
                     mistakes[i].want);
        buf_release(&out);
    }
    arena_release(&arena);
    cJSON_Delete(dot);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_cases),
        cmocka_unit_test(test_mistakes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
