/* rehearse run DRILL --until FILE:LINE --shell: looking around in the sealed shell before a line.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "tests/trial.h"
#include "tests/workspace.h"

static struct workspace workspace;
static char output[65536];

static int set_up(void **state)
{
    (void)state;
    workspace_init(&workspace, "procedures/hp_ti");
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    workspace_release(&workspace);
    return 0;
}

/* The drill of the database, with what is typed; both streams together. */
static int look(const char *options, const char *typed)
{
    const char *build = getenv("REHEARSE_BUILD");
    char command[2048];
    snprintf(command, sizeof command,
             "printf '%s' | %s/rehearse run %s/drills/database-migration.yaml --out %s/out "
             "--history %s/h.db %s 2>&1",
             typed, build ? build : "build", workspace.path, workspace.path, workspace.path,
             options);
    FILE *pipe = popen(command, "r");
    assert_non_null(pipe);
    size_t n = fread(output, 1, sizeof output - 1, pipe);
    output[n] = '\0';
    /* AddressSanitizer says at the first coroutine that it cannot follow them. */
    const char *second = strchr(output, '\n');
    if (strncmp(output, "==", 2) == 0 && strstr(output, "swapcontext") && second)
        memmove(output, second + 1, strlen(second));
    return WEXITSTATUS(pclose(pipe));
}

static void the_world_is_as_the_line_would_find_it(void **state)
{
    (void)state;
    if (!trial_possible())
        skip();
    /* lines 165 to 167 are one command: asking for its middle is asking for all of it */
    assert_int_equal(
        look("--until playbook.md:166 --shell", "pwd\\ndocker ps --format \"{{.Names}}\"\\n"), 0);
    assert_string_equal(
        output,
        "/opt/hp_ti\nhp_ti_elasticsearch\nhp_ti_redis\nhp_ti_postgres\n"); /* line 162 stopped the
                                                                              others */
    assert_int_equal(
        look("--until playbook.md:159 --shell", "docker ps --format \"{{.Names}}\" | wc -l\\n"), 0);
    assert_string_equal(output, "5\n");
    assert_int_equal(look("--shell", "docker ps --format \"{{.Names}}\" | wc -l\\n"), 0);
    assert_string_equal(output, "5\n");
    /* nothing is judged, and nothing kept */
    assert_int_equal(access(workspace_path(&workspace, "out"), F_OK), -1);
    assert_int_equal(access(workspace_path(&workspace, "h.db"), F_OK), -1);
}

static void it_is_a_shell(void **state)
{
    (void)state;
    if (!trial_possible())
        skip();
    assert_int_equal(
        look("--shell",
             "X=1\\nif true\\nthen echo yes $X\\nfi\\nfalse\\necho $?\\necho )\\necho still here\\n"
             "cat <<END\\ntext\\nEND\\nexit 3\\necho not any more\\n"),
        0);
    assert_non_null(strstr(output, "yes 1\n1\n"));
    assert_non_null(strstr(output, "syntax error near unexpected token `)'"));
    assert_non_null(strstr(output, "still here\ntext\n"));
    assert_null(strstr(output, "not any more"));
}

static void time_moves_with_commands_only(void **state)
{
    (void)state;
    if (!trial_possible())
        skip();
    assert_int_equal(look("--shell",
                          "a=$(date +%%s)\\nb=$(date +%%s)\\nsleep 30\\nc=$(date +%%s)\\necho "
                          "$((b-a)) $((c-b))\\n"
                          "watch -n 2 true >/dev/null\\nd=$(date +%%s)\\necho $((d-c))\\n"),
                     0);
    int typing = -1, slept = -1, watched = -1;
    assert_int_equal(sscanf(output, "%d %d %d", &typing, &slept, &watched), 3);
    assert_in_range(typing, 0, 1);
    assert_in_range(slept, 30, 31);
    assert_in_range(watched, 10, 12); /* a monitor that never ends is left after a glance */
}

static void bytes_of_children_stay_text(void **state)
{
    (void)state;
    if (!trial_possible())
        skip();
    assert_int_equal(look("--shell", "printf \"\\\\033[31mred\\\\033[2J\\\\n\"\\n"), 0);
    assert_string_equal(output, "red\\x1b[2J\n");
}

static void mistakes_are_named(void **state)
{
    (void)state;
    if (!trial_possible())
        skip();
    static const struct {
        const char *options, *complaint;
    } cases[] = {
        {"--until playbook.md:170", "add --shell"},
        {"--until 170 --shell", "expected FILE:LINE, as in playbook.md:170"},
        {"--until playbook.md:0 --shell", "expected FILE:LINE"},
        {"--until playbook.md:9999 --shell", "the procedure has lines 158 to "},
        {"--until other.md:170 --shell", "the procedure is in "},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        assert_int_equal(look(cases[i].options, ""), 2);
        if (!strstr(output, cases[i].complaint))
            fail_msg("'%s' says nothing of '%s'", output, cases[i].complaint);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_world_is_as_the_line_would_find_it),
        cmocka_unit_test(it_is_a_shell),
        cmocka_unit_test(time_moves_with_commands_only),
        cmocka_unit_test(bytes_of_children_stay_text),
        cmocka_unit_test(mistakes_are_named),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
