/* An unmodified bash in virtual time: what it prints, and when it believes it was. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "tests/trial.h"

static const struct {
    const char *name, *text, *out;
} cases[] = {
    {"sleep", "date +%T; sleep 10; date +%T\n", "14:30:00\n14:30:10\n"},
    {"seconds", "sleep 5.5; echo $SECONDS $((EPOCHSECONDS - 1768487400))\n", "5 5\n"},
    {"printf time", "sleep 61; TZ=UTC printf '%(%H:%M:%S)T\\n' -1\n", "14:31:01\n"},
    {"timeout",
     "timeout 60 sleep 100; echo $? $(date +%T); timeout 60 sleep 5; echo $? $(date +%T)\n",
     "124 14:31:00\n0 14:31:05\n"},
    {"timeout -k",
     "timeout -k 2 3 bash -c 'trap \"\" TERM; sleep 50 & wait; sleep 50' 2>/dev/null; echo $? "
     "$(date +%T)\n",
     "137 14:30:05\n"},
    {"background jobs in their order",
     "(sleep 3; echo 3 $(date +%S)) & (sleep 1; echo 1 $(date +%S)) & wait; date +%S\n",
     "1 01\n3 03\n03\n"},
    {"read -t", "read -t 7 x < <(sleep 100); echo $? $(date +%T)\n", "142 14:30:07\n"},
    {"tail -f",
     ": > /tmp/l; (for i in 1 2 3; do sleep 2; echo $i $(date +%S) >> /tmp/l; done) &\n"
     "timeout 9 tail -f /tmp/l; echo $? $(date +%S)\n",
     "1 02\n2 04\n3 06\n124 09\n"},
    {"tail -f | grep -m1",
     ": > /tmp/l; (for i in 1 2 3 4; do sleep 2; echo n$i >> /tmp/l; done) &\n"
     "tail -f /tmp/l | grep -m1 n3; date +%S\n",
     "n3\n06\n"},
    {"until", "end=$((SECONDS+5)); until (( SECONDS >= end )); do sleep 0.5; done; date +%S\n",
     "05\n"},
    {"looking at the clock is a way to wait",
     "end=$((SECONDS+2)); while (( SECONDS < end )); do :; done; date +%S\n", "02\n"},
    {"a sleeper beside one who is never idle",
     "while :; do /bin/true; done & p=$!; sleep 1; kill $p; wait $p 2>/dev/null; date +%S\n"
     "(until read x < /tmp/f; do :; done 2>/dev/null; echo got $x) & sleep 0.1; echo hi > /tmp/f; "
     "wait; date +%S\n",
     "01\ngot hi\n01\n"},
    {"fifo", "mkfifo /tmp/f; (sleep 4; echo through > /tmp/f) & cat /tmp/f; date +%S\n",
     "through\n04\n"},
    {"flock",
     "flock /tmp/k -c 'sleep 2' & sleep 1; flock -w 5 /tmp/k -c 'date +%S'; flock /tmp/k sleep 9 & "
     "sleep 0.1\n"
     "flock -w 3 /tmp/k true; echo $? $(date +%S); wait\n",
     "02\n1 05\n"},
    {"coproc",
     "coproc cat; echo hi >&${COPROC[1]}; read -u ${COPROC[0]} x; echo got $x; kill $COPROC_PID\n",
     "got hi\n"},
    {"stop and continue",
     "(sleep 1; sleep 5; echo late) > /tmp/o & p=$!; sleep 0.5; kill -STOP $p; sleep 9\n"
     "kill -CONT $p; wait $p; cat /tmp/o; date +%S\n",
     "late\n14\n"},
    {"process substitution", "diff <(echo a; sleep 2) <(echo b; sleep 1); date +%S\n",
     "1c1\n< a\n---\n> b\n02\n"},
    {"yes | head", "yes | head -2\n", "y\ny\n"},
    {"loop of a pipe", "seq 3 | while read n; do sleep $n; echo n$n $(date +%S); done\n",
     "n1 01\nn2 03\nn3 06\n"},
    {"long command lines",
     "x=$(printf '%s ' {1..20000}); /bin/echo $x | wc -w; tool $x | wc -w; touch -d @0 $(printf "
     "'/tmp/t%s ' {1..3000})\n"
     "ls /tmp/t* | wc -l; find /tmp -type f -newermt 1971-01-01 | wc -l\n",
     "20000\n20003\n3000\n0\n"},
    {"trap",
     "trap 'echo TERM $(date +%S); exit 3' TERM; (sleep 2; kill $$) & sleep 50; echo not reached\n",
     "TERM 50\n"},
    {"trap in wait",
     "trap 'echo TERM $(date +%S); exit 3' TERM; (sleep 2; kill $$) & sleep 50 & wait; echo not "
     "reached\n",
     "TERM 02\n"},
    {"time", "{ TIMEFORMAT='%R %U %S'; time sleep 2; } 2>&1\n", "2.001 0.000 0.000\n"},
    {"job control", "set -m; sleep 3 & kill %1; wait %1 2>/dev/null; echo $?\n", "143\n"},
    {"file times",
     "stat -c %y a.txt; sleep 60; echo x >> a.txt; date -r a.txt +%T; touch b; ls -t\n"
     "[ \"$(stat -c %y a.txt)\" = \"$(stat -c %z a.txt)\" ] && echo same\n"
     "[ b -nt a.txt ] && echo newer; find . -newer a.txt\n",
     "2026-01-09 23:06:40.000000000 +0000\n"
     "14:31:00\nb\na.txt\nsame\nnewer\n.\n./b\n"},
};

static void test_cases(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct trial d;
        trial_init(&d);
        assert_int_equal(trial_run(&d, cases[i].text), 0);
        buf_putc(&d.out, '\0');
        if (strcmp(d.out.at, cases[i].out) != 0)
            print_error("case '%s', stderr: %s\n", cases[i].name, d.err.len ? d.err.at : "");
        assert_string_equal(d.out.at, cases[i].out);
        trial_release(&d);
    }
}

/* The status that bash would show, once per command, and no status for the middle of one. */
static void test_steps(void **state)
{
    static const char text[] =
        "true\nfalse\nfor i in 1 2; do\n  (exit $i)\ndone\ncat <<X\nhere\nX\n"
        "f() {\n return 4\n}\nf\nexit 3\necho not reached\n";
    static const struct trial_step wanted[] = {
        {false, 0, 0}, {true, 0, 0},  {true, 1, 0},  {false, 1, 0}, {false, 1, 0},
        {true, 2, 0},  {false, 2, 0}, {false, 2, 0}, {true, 0, 0},  {false, 0, 0},
        {false, 0, 0}, {true, 0, 0},  {true, 4, 0}};
    struct trial d;
    (void)state;
    trial_init(&d);
    assert_int_equal(trial_run(&d, text), 0);
    assert_int_equal(d.n_steps, 13);
    for (int i = 0; i < d.n_steps; i++) {
        assert_int_equal(d.steps[i].executed, wanted[i].executed);
        assert_int_equal(d.steps[i].exit_status, wanted[i].exit_status);
    }
    assert_int_equal(d.result.end, END_PROCEDURE);
    assert_int_equal(d.result.exit_status, 3);
    trial_release(&d);
}

static void test_set_e(void **state)
{
    struct trial d;
    (void)state;
    trial_init(&d);
    assert_int_equal(trial_run(&d, "set -e\necho a\nfalse\necho b\n"), 0);
    buf_putc(&d.out, '\0');
    assert_string_equal(d.out.at, "a\n");
    assert_int_equal(d.n_steps, 3);
    assert_int_equal(d.result.exit_status, 1);
    trial_release(&d);
}

static void test_typing_takes_time(void **state)
{
    struct trial d;
    (void)state;
    trial_init(&d);
    d.typing_ns = INT64_C(3000000000);
    assert_int_equal(trial_run(&d, "date +%S\n(sleep 1; date +%S) &\ndate +%S; wait\n"), 0);
    buf_putc(&d.out, '\0');
    assert_string_equal(d.out.at, "03\n07\n09\n");
    trial_release(&d);
}

static void test_messages_name_the_playbook(void **state)
{
    struct trial d;
    (void)state;
    trial_init(&d);
    assert_int_equal(trial_run(&d, "echo\n\nnosuch thing\necho $LINENO $0\n"), 0);
    buf_putc(&d.err, '\0');
    buf_putc(&d.out, '\0');
    buf_putc(&d.observed, '\0');
    assert_string_equal(d.err.at, "playbook.md: line 3: nosuch: command not found\n");
    assert_string_equal(d.out.at, "\n4 playbook.md\n");
    assert_string_equal(d.observed.at, "unknown_command: nosuch\n");
    trial_release(&d);
}

/* A script with a shebang of its own is the shell too. */
static void test_missing_command_in_a_script(void **state)
{
    struct trial d;
    (void)state;
    trial_init(&d);
    assert_int_equal(
        trial_run(&d,
                  "printf '#!/bin/bash\\nnosuch\\n' >/tmp/x.sh; chmod +x /tmp/x.sh; /tmp/x.sh\n"),
        0);
    buf_putc(&d.observed, '\0');
    assert_string_equal(d.observed.at, "unknown_command: nosuch\n");
    trial_release(&d);
}

static void test_hang(void **state)
{
    struct trial d;
    (void)state;
    trial_init(&d);
    assert_int_equal(trial_run(&d, "read x\necho not reached\n"), 0);
    assert_int_equal(d.result.end, END_HANG);
    buf_putc(&d.observed, '\0');
    assert_string_equal(d.observed.at,
                        "hang: bash playbook.md: waits for input: nobody types here\n");
    trial_release(&d);
}

/* Every way to wait for ever says what it is. */
static void test_kinds_of_hang(void **state)
{
    static const struct {
        const char *text, *evidence;
    } hangs[] = {
        {"read -s -p 'Password: ' x\n", "bash playbook.md: waits for input: nobody types here"},
        {"cat > /tmp/x\n", "\ncat: waits for input: nobody types here"},
        {"mkfifo /tmp/a /tmp/b; cat /tmp/a > /tmp/b & cat /tmp/b > /tmp/a\n",
         "\nbash playbook.md: waits for the other end of a fifo"},
        {"coproc cat; read -u ${COPROC[0]} x\n",
         "bash playbook.md: waits to read from descriptor 63 (pipe)\ncat: waits to read from "
         "descriptor 0 (pipe)"},
        {"sleep infinity | yes | sleep 99999999999\n", NULL},
        {"mkfifo /tmp/f; exec 3<> /tmp/f; yes >&3\n",
         "\nyes: waits to write to descriptor 1 (/tmp/f)"},
        {"sh -c 'flock -x /tmp/l sh -c \"kill -STOP \\$\\$\"' & sleep 1; flock /tmp/l true\n",
         "\nflock /tmp/l true: waits for a file lock"},
        {"bash -c 'kill -STOP $$'\n", "stopped by a signal; nobody continues it"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof hangs / sizeof *hangs; i++) {
        struct trial d;
        trial_init(&d);
        d.spec.limits.virtual_ns = INT64_C(3600000000000);
        assert_int_equal(trial_run(&d, hangs[i].text), 0);
        buf_putc(&d.observed, '\0');
        if (d.result.end != (hangs[i].evidence ? END_HANG : END_HORIZON) ||
            (hangs[i].evidence && !strstr(d.observed.at, hangs[i].evidence)))
            print_error("%sended %d, observed %s\n", hangs[i].text, (int)d.result.end,
                        d.observed.at);
        assert_int_equal(d.result.end, hangs[i].evidence ? END_HANG : END_HORIZON);
        assert_true(!hangs[i].evidence || strstr(d.observed.at, hangs[i].evidence));
        trial_release(&d);
    }
}

static void test_interrupt(void **state)
{
    struct trial d;
    (void)state;
    trial_init(&d);
    d.interrupt_at_ns = INT64_C(7000000000);
    assert_int_equal(
        trial_run(&d,
                  "while true; do date +%S; sleep 2; done; echo no\necho next $? $(date +%S)\n"),
        0);
    buf_putc(&d.out, '\0');
    assert_string_equal(d.out.at, "00\n02\n04\n06\nnext 130 07\n");
    trial_release(&d);
}

static void test_world_writes_files(void **state)
{
    static const struct trial_event events[] = {{INT64_C(2000000000), "/var/log/app.log", "one\n"},
                                                {INT64_C(5000000000), "/var/log/app.log", "two\n"}};
    struct trial d;
    (void)state;
    trial_init(&d);
    d.events = events;
    d.n_events = 2;
    assert_int_equal(
        trial_run(&d,
                  "touch /var/log/app.log; tail -f /var/log/app.log | grep -m1 two; date +%S\n"),
        0);
    buf_putc(&d.out, '\0');
    assert_string_equal(d.out.at, "two\n05\n");
    trial_release(&d);
}

static void test_fakes(void **state)
{
    (void)state;
    trial_expect("tool a 'b c'; echo $?\n", "tool a b c in /opt/app\n7\n");
    trial_expect("slow; echo $? $(date +%S)\n", "3 10\n");
    trial_expect("echo abc | up | cat\n", "ABC\n");
    trial_expect(
        "seq 100000 | up | tail -1; seq 100000 | up | md5sum; seq 100000 | md5sum\n",
        "100000\ndea9193b768319cbb4ff1a137ac03113  -\ndea9193b768319cbb4ff1a137ac03113  -\n");
    trial_expect("logs | grep -m1 7; date +%S\n", "line 7\n16\n");
    trial_expect("sudo sh -c 'echo $0 hi; exit 5' x; echo $?; sudo nosuch; echo $?\n",
                 "x hi\n5\n127\n");
    trial_expect("cap date +%S; sleep 1; cap sh -c 'kill -9 $$'\n", "[00\n] 0\n[] 137\n");
    trial_expect("inside cat lib/x; inside sh -c 'pwd; tool; ls /opt; cat /opt/app/a.txt' 2>&1\n",
                 "in db\n/var\ntool in db:/var\ncat: /opt/app/a.txt: No such file or directory\n");
    trial_expect("become echo x; echo $?\n", "x\n0\n");
    trial_expect("save s 'a text'; cat s; echo; ls -l s; load s; load nothing; list . | sort\n",
                 "a text\n-rw-r----- 1 root root 6 Jan 15 14:30 s\na text (100640, 6, tty "
                 "0)\nerror -2\n.\n..\na.txt\ns\n");
}

static void test_killed_fake_is_undone(void **state)
{
    struct trial d;
    (void)state;
    trial_init(&d);
    assert_int_equal(
        trial_run(&d, "logs | head -1; timeout 5 logs > /dev/null; echo $?; date +%S\n"), 0);
    buf_putc(&d.out, '\0');
    assert_string_equal(d.out.at, "line 0\n124\n07\n");
    assert_int_equal(d.undone, 2);
    trial_release(&d);
}

static void test_files_persist_between_runs(void **state)
{
    struct trial d;
    struct buf text;
    (void)state;
    trial_init(&d);
    buf_init(&text, 1000);
    assert_int_equal(trial_run(&d, "echo kept > /tmp/x; sleep 1000 &\n"), 0);
    assert_int_equal(trial_run(&d, "cat /tmp/x; jobs; pgrep sleep\n"), 0);
    buf_putc(&d.out, '\0');
    assert_string_equal(d.out.at, "kept\n");
    assert_int_equal(supervisor_load(d.supervisor, "", "/tmp/x", &text), 0);
    assert_string_equal(text.at, "kept\n");
    assert_int_equal(supervisor_load(d.supervisor, "db", "/tmp/x", &text), -2);
    buf_release(&text);
    trial_release(&d);
}

static volatile int stop_now;

static bool feed_and_stop(void *ctx, bool executed, int exit_status, struct feed *ret)
{
    struct trial *d = ctx;
    (void)executed;
    (void)exit_status;
    stop_now = d->line >= 1; /* a person presses Ctrl-C at rehearse itself */
    static const char *const lines[] = {"echo one\n", "while :; do /bin/true; done\n"};
    *ret = (struct feed){.text = str_of(lines[d->line])};
    d->line++;
    return true;
}

static void test_stopped_from_outside(void **state)
{
    struct trial d;
    (void)state;
    trial_init(&d);
    stop_now = 0;
    d.owner.feed = feed_and_stop;
    d.owner.stop = &stop_now;
    assert_int_equal(trial_run(&d, ""), 0);
    assert_int_equal(d.result.end, END_STOPPED);
    assert_int_equal(d.result.exit_status, -1);
    buf_putc(&d.out, '\0');
    assert_string_equal(d.out.at, "one\n");
    trial_release(&d);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_cases),
        cmocka_unit_test(test_steps),
        cmocka_unit_test(test_set_e),
        cmocka_unit_test(test_typing_takes_time),
        cmocka_unit_test(test_messages_name_the_playbook),
        cmocka_unit_test(test_missing_command_in_a_script),
        cmocka_unit_test(test_hang),
        cmocka_unit_test(test_kinds_of_hang),
        cmocka_unit_test(test_interrupt),
        cmocka_unit_test(test_world_writes_files),
        cmocka_unit_test(test_fakes),
        cmocka_unit_test(test_killed_fake_is_undone),
        cmocka_unit_test(test_files_persist_between_runs),
        cmocka_unit_test(test_stopped_from_outside),
    };
    return trial_group(TIER_NAMESPACES, tests) + trial_group(TIER_LANDLOCK, tests);
}
