/* watch: which commands run when, and when it ends. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "tests/machine.h"

static const char system_text[] = "services: {api: {}}\ntraffic: {t: {to: api, rate: 1/s}}\n";

static int times;

static int on_spawn(struct call_double *d, const char *place, char *const argv[],
                    struct buf *capture)
{
    (void)place;
    assert_string_equal(argv[0], "sh");
    assert_string_equal(argv[1], "-c");
    times++;
    const char *text = times < 4 ? "same\n" : "other\n";
    if (capture)
        buf_puts(capture, text);
    else
        buf_puts(&d->out, text);
    return strcmp(argv[2], "false") == 0;
}

static void test_until_interrupted(void **state)
{
    (void)state;
    struct machine m;
    machine_init(&m, system_text, NULL, NULL);
    m.d.on_spawn = on_spawn;
    times = 0;
    m.d.interrupt_at_ns = 95 * SECOND;
    machine_holds(&m, "watch -n 30 './health_check.sh --all | head'", 130,
                  "Every 30.0s: ./health_check.sh --all | head             Wed Jan 15 14:00:00 "
                  "2025\n\nsame\n",
                  "");
    assert_int_equal(times, 4); /* at 0, 30, 60 and 90 s */
    assert_non_null(strstr(double_out(&m.d), "Wed Jan 15 14:01:30 2025\n\nother\n"));
    machine_release(&m);
}

static void test_ends_by_itself(void **state)
{
    (void)state;
    struct machine m;
    machine_init(&m, system_text, NULL, NULL);
    m.d.on_spawn = on_spawn;
    times = 0;
    machine_expect(&m, "watch -t -g -n1 true", 0, "same\n\nsame\n\nsame\n\nother\n", "");
    machine_holds(&m, "watch -t -e false", 8, NULL, NULL);
    machine_release(&m);
}

static void test_mistakes(void **state)
{
    (void)state;
    struct machine m;
    machine_init(&m, system_text, NULL, NULL);
    machine_holds(&m, "watch", 1, "", "Usage:\n watch [options] command\n");
    machine_expect(&m, "watch -n x true", 1, "", "watch: failed to parse argument: 'x'\n");
    machine_holds(&m, "watch -Z true", 1, "", "watch: invalid option -- 'Z'\n");
    machine_release(&m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_until_interrupted),
        cmocka_unit_test(test_ends_by_itself),
        cmocka_unit_test(test_mistakes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
