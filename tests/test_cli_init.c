/* rehearse init, as a newcomer calls it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include <cmocka.h>

#include "procedures/drill/drill.h"

static int rehearse(const char *arguments, char *output, size_t size)
{
    const char *build = getenv("REHEARSE_BUILD");
    char command[600];
    size_t n;
    FILE *pipe;
    snprintf(command, sizeof command, "%s/rehearse %s 2>&1", build ? build : "build", arguments);
    pipe = popen(command, "r");
    assert_non_null(pipe);
    n = fread(output, 1, size - 1, pipe);
    output[n] = '\0';
    return WEXITSTATUS(pclose(pipe));
}

static void assert_loads(const char *path)
{
    struct drill *drill = NULL;
    struct error error;
    if (drill_load(path, &(struct drill_options){NULL, NULL}, &drill, &error) < 0)
        fail_msg("%s", error.text);
    assert_string_equal(drill->section, "Roll back");
    drill_free(drill);
}

/* The folder is relative: the drill must find the playbook from where it lies. */
static void test_init(void **state)
{
    char output[8192];
    (void)state;
    assert_int_equal(system("rm -rf build/tests/init-of-test"), 0);
    assert_int_equal(
        rehearse("init tests/data/lint.md --out ./build/tests/init-of-test", output, sizeof output),
        0);
    assert_non_null(strstr(output, "./build/tests/init-of-test/: "));
    assert_non_null(
        strstr(output, "\nNext: rehearse run ./build/tests/init-of-test/drills/first.yaml\n"));
    assert_loads("build/tests/init-of-test/drills/first.yaml");
    /* nothing that somebody wrote is lost */
    assert_int_equal(
        rehearse("init tests/data/lint.md --out ./build/tests/init-of-test", output, sizeof output),
        2);
    assert_string_equal(
        output, "rehearse: ./build/tests/init-of-test/system.yaml is there already, and nothing is "
                "overwritten; --out names another folder\n");
    assert_int_equal(system("rm -rf build/tests/init-of-test"), 0);
}

static void test_mistakes(void **state)
{
    char output[8192];
    (void)state;
    assert_int_equal(rehearse("init", output, sizeof output), 2);
    assert_int_equal(rehearse("init tests/none.md", output, sizeof output), 2);
    assert_string_equal(
        output, "rehearse: tests/none.md: cannot read the playbook: No such file or directory\n");
    assert_int_equal(rehearse("init tests/data/lint.md --section Rollback", output, sizeof output),
                     2);
    assert_string_equal(
        output,
        "rehearse: no heading 'Rollback' in tests/data/lint.md; did you mean 'Roll back'?\n");
    assert_int_equal(
        rehearse("init tests/data/lint.md --compose tests/none.yml", output, sizeof output), 2);
    assert_string_equal(output,
                        "rehearse: tests/none.yml: cannot be read: No such file or directory\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_init),
        cmocka_unit_test(test_mistakes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
