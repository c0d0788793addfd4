/* rehearse lint and rehearse explain, as a person or a script calls them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include <cmocka.h>

#include "tests/sarif_check.h"

/* Runs `rehearse ARGUMENTS`, both streams together; the exit status comes back. */
static int rehearse(const char *arguments, char *output, size_t size)
{
    const char *build = getenv("REHEARSE_BUILD");
    char command[400];
    size_t n;
    FILE *pipe;
    snprintf(command, sizeof command, "%s/rehearse %s 2>&1", build ? build : "build", arguments);
    pipe = popen(command, "r");
    assert_non_null(pipe);
    n = fread(output, 1, size - 1, pipe);
    output[n] = '\0';
    return WEXITSTATUS(pclose(pipe));
}

static void test_text(void **state)
{
    char output[8192];
    (void)state;
    assert_int_equal(rehearse("lint tests/data/lint.md", output, sizeof output), 1);
    assert_string_equal(
        output,
        "tests/data/lint.md:4:24: RB010 error: 'FEATURE=false' is forgotten when this shell ends; "
        "the "
        "service never sees it\n"
        "tests/data/lint.md:5:1: RB001 warning: curl ends with 0 on HTTP 500 and 503; add --fail\n"
        "tests/data/lint.md:5:1: RB002 note: curl without --max-time waits as long as the server "
        "does\n"
        "1 error, 1 warning, 1 note in 1 file (4 commands)\n");
}

static void test_json(void **state)
{
    char output[8192];
    (void)state;
    assert_int_equal(
        rehearse("lint --format json --fail-on never tests/data/lint.md", output, sizeof output),
        0);
    assert_non_null(strstr(output, "\"format\": \"rehearse.lint/1\""));
    assert_non_null(strstr(output, "\"id\": \"RB010\""));
    assert_non_null(strstr(output, "\"line\": 4"));
    assert_non_null(strstr(output, "\"warning\": 1"));
    assert_non_null(strstr(output, "\"shows_as\": [\n        \"no_op\"\n      ]"));
}

static void test_sarif(void **state)
{
    static char output[1 << 17];
    const char *message;
    (void)state;
    assert_int_equal(
        rehearse("lint --format sarif --fail-on never tests/data/lint.md", output, sizeof output),
        0);
    if ((message = sarif_check(output)))
        fail_msg("%s", message);
    assert_non_null(strstr(output, "\"uri\": \"tests/data/lint.md\""));
    assert_non_null(strstr(output, "\"startLine\": 5,"));
    assert_non_null(strstr(output, "\"shows_as\": ["));
}

static void test_mistakes(void **state)
{
    char output[8192];
    (void)state;
    assert_int_equal(rehearse("lint", output, sizeof output), 2);
    assert_int_equal(rehearse("lint tests/none.md", output, sizeof output), 2);
    assert_string_equal(
        output, "rehearse: tests/none.md: cannot read the playbook: No such file or directory\n");
    assert_int_equal(rehearse("lint --fail-on bad tests/data/lint.md", output, sizeof output), 2);
    assert_int_equal(rehearse("lint --format xml tests/data/lint.md", output, sizeof output), 2);
    assert_int_equal(rehearse("explain RB999", output, sizeof output), 2);
    assert_int_equal(rehearse("explain false_sucess", output, sizeof output), 2);
    assert_string_equal(output,
                        "rehearse: no finding 'false_sucess'; did you mean 'false_success'?\n");
}

static void test_explain(void **state)
{
    char output[16384];
    (void)state;
    assert_int_equal(rehearse("explain rb010", output, sizeof output), 0);
    assert_non_null(
        strstr(output, "RB010: export inside docker exec changes nothing (error, lint)\n"));
    assert_non_null(strstr(output, "\nIn a run it shows as\n  no_op\n"));
    assert_int_equal(rehearse("explain no_op", output, sizeof output), 0);
    assert_non_null(strstr(output, "RB010"));
    assert_int_equal(rehearse("explain", output, sizeof output), 0);
    assert_non_null(strstr(output, "RB044"));
    for (char *line = output; line; line = strchr(line, '\n')) {
        line += *line == '\n';
        assert_true(strcspn(line, "\n") <= 80);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_text),    cmocka_unit_test(test_json),
        cmocka_unit_test(test_sarif),   cmocka_unit_test(test_mistakes),
        cmocka_unit_test(test_explain),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
