/* Faults that strike the rollback itself, in sealed runs: a command that fails, hangs, is slow,
 * lies, loses its reply; faults that wait for a step; people who stop halfway. The shop runs v2, of
 * which 60% are errors; the procedure brings v1 back. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "sim/base/buf.h"
#include "sim/base/doc.h"
#include "tests/drill_expect.h"
#include "tests/workspace.h"

#define HEAD                                                                                       \
    "format: rehearse.drill/1\nsystem: system.yaml\nstart: 2026-01-15T14:30:00Z\ncwd: /opt/shop\n" \
    "change: {at: 10m, run: \"sed -i s/TAG=v1/TAG=v2/ .env && docker-compose up -d\"}\n"           \
    "procedure: {playbook: playbook.md}\nhorizon: 40m\n"
#define QUICK "operator: {profile: on_call, notify: 10s, ack: 10s, decide: 10s}\n"

#define UP   "docker-compose up -d"
#define BACK "sed -i s/v2/v1/ .env\n" UP "\ndocker-compose ps\n"

static struct workspace workspace;

static void fly(struct flown *flown, const char *shell, const char *drill)
{
    struct buf text;
    buf_init(&text, 1 << 16);
    buf_printf(&text, "# Roll back\n```bash\n%s```\n", shell);
    workspace_write(&workspace, "playbook.md", text.at);
    buf_clear(&text);
    buf_printf(&text, "%s%s", HEAD, drill);
    workspace_write(&workspace, "drill.yaml", text.at);
    buf_release(&text);
    flown_init(flown, workspace_path(&workspace, "drill.yaml"),
               &(struct drill_options){NULL, NULL});
}

static const char *web_version(const struct flown *flown)
{
    return flown_end_state(flown, "web", "version");
}

static bool observed(const struct flown *flown, const char *id)
{
    for (int i = 0; i < flown->report.findings.n; i++)
        if (strcmp(flown->report.findings.at[i].id, id) == 0)
            return true;
    return false;
}

static bool restored(const struct flown *flown)
{
    return flown->record->instants[T_RESTORE] != NEVER;
}

static int64_t took(const struct step *step)
{
    return step->end_ns - step->start_ns;
}

static bool says(const struct buf *buf, const char *text)
{
    return buf->at && strstr(buf->at, text);
}

/* Without a fault: the measure for all that follows. */
static void test_none(void **state)
{
    (void)state;
    struct flown f;
    fly(&f, BACK, QUICK);
    assert_int_equal(flown_step(&f, UP)->exit_status, 0);
    assert_string_equal(web_version(&f), "v1");
    assert_true(restored(&f));
    assert_true(took(flown_step(&f, UP)) < 30 * SECOND);
    flown_release(&f);
}

static void test_fails(void **state)
{
    (void)state;
    struct flown f;
    fly(&f, BACK,
        QUICK "faults: [{command: 'docker-compose up*', at_step: 1, does: fail, exit: 7, message: "
              "no route to host}]\n");
    const struct step *up = flown_step(&f, UP);
    assert_int_equal(up->exit_status, 7);
    assert_true(says(&up->err, "no route to host\n"));
    assert_int_equal(up->n_changed, 0);
    assert_string_equal(web_version(&f), "v2");
    assert_false(restored(&f));
    flown_release(&f);
    /* only the first time */
    fly(&f, "sed -i s/v2/v1/ .env\n" UP " || " UP "\n",
        QUICK "faults: [{command: 'docker-compose up*', at_step: 1, does: fail, times: 1}]\n");
    assert_int_equal(flown_step(&f, UP)->exit_status, 0);
    assert_string_equal(web_version(&f), "v1");
    flown_release(&f);
}

static void test_hangs(void **state)
{
    (void)state;
    struct flown f;
    fly(&f, BACK, QUICK "faults: [{command: 'docker-compose up*', at_step: 1, does: hang}]\n");
    assert_true(flown_step(&f, UP)->end_ns == NEVER || flown_step(&f, UP)->interrupted);
    assert_true(observed(&f, "hang"));
    assert_string_equal(web_version(&f), "v2");
    flown_release(&f);
    /* who gives it a limit goes on */
    fly(&f, "sed -i s/v2/v1/ .env\ntimeout 30 " UP "\n" UP "\n",
        QUICK "faults: [{command: 'docker-compose up*', at_step: 1, does: hang, times: 1}]\n");
    const struct step *limited = flown_step(&f, "timeout");
    assert_int_equal(limited->exit_status, 124);
    assert_in_range(took(limited), 30 * SECOND, 31 * SECOND);
    assert_string_equal(web_version(&f), "v1");
    flown_release(&f);
}

static void test_is_slow(void **state)
{
    (void)state;
    struct flown f;
    fly(&f, BACK,
        QUICK "faults: [{command: 'docker-compose up*', at_step: 1, does: slow, add: 90s}]\n");
    const struct step *up = flown_step(&f, UP);
    assert_int_equal(up->exit_status, 0);
    assert_in_range(took(up), 90 * SECOND, 120 * SECOND);
    assert_string_equal(web_version(&f), "v1");
    assert_true(f.record->instants[T_RESTORE] >= up->start_ns + 90 * SECOND);
    flown_release(&f);
}

static void test_lies(void **state)
{
    (void)state;
    struct flown f;
    fly(&f, BACK "echo Rollback completed\n",
        QUICK "faults: [{command: 'docker-compose up*', at_step: 1, does: lie, message: Recreating "
              "shop-web ... done}]\n");
    const struct step *up = flown_step(&f, UP);
    assert_int_equal(up->exit_status, 0);
    assert_true(says(&up->out, "Recreating shop-web ... done\n"));
    assert_int_equal(up->n_changed, 0);
    assert_string_equal(web_version(&f), "v2");
    assert_true(observed(&f, "false_success"));
    flown_release(&f);
}

static void test_loses_its_reply(void **state)
{
    (void)state;
    struct flown f;
    fly(&f, BACK,
        QUICK "faults: [{command: 'docker-compose up*', at_step: 1, does: lose_reply, exit: 5}]\n");
    const struct step *up = flown_step(&f, UP);
    assert_int_equal(up->exit_status, 5); /* it seems to have failed */
    assert_true(says(&up->err, "connection lost"));
    assert_false(says(&up->err, "done"));
    assert_string_equal(web_version(&f), "v1"); /* it has not */
    assert_true(up->n_changed > 0 && restored(&f));
    flown_release(&f);
}

/* 200 tries at 30%: 60, and five standard errors of 6.5. */
static void test_by_chance(void **state)
{
    (void)state;
    struct flown f;
    int failures = -1;
    fly(&f,
        "n=0; for i in $(seq 200); do docker-compose ps >/dev/null 2>&1 || n=$((n + 1)); done; "
        "echo failures $n\n",
        QUICK "faults: [{command: 'docker-compose ps*', does: fail, chance: 30%}]\n");
    const char *said = strstr(flown_step(&f, "n=0")->out.at, "failures ");
    assert_non_null(said);
    assert_int_equal(sscanf(said, "failures %d", &failures), 1);
    assert_in_range(failures, 60 - 32, 60 + 32);
    flown_release(&f);
}

static void test_for_a_while(void **state)
{
    (void)state;
    struct flown f;
    fly(&f, "sed -i s/v2/v1/ .env\nuntil " UP "; do sleep 10; done\n",
        QUICK "faults: [{command: 'docker-compose up*', at_step: 1, for: 45s, does: fail}]\n");
    const struct step *until = flown_step(&f, "until");
    assert_in_range(until->end_ns - f.record->steps[0].start_ns, 45 * SECOND, 75 * SECOND);
    assert_string_equal(web_version(&f), "v1");
    flown_release(&f);
}

/* What breaks at a step breaks when that step starts, not before. */
static void test_at_a_step(void **state)
{
    (void)state;
    struct flown f;
    fly(&f, BACK, QUICK "faults: [{at_step: 3, crash: db}]\n");
    const struct step *third = flown_step(&f, "docker-compose ps");
    int64_t crash_ns = NEVER;
    assert_int_equal(third->n, 3);
    for (int i = 0; i < f.record->n_events && crash_ns == NEVER; i++)
        if (f.record->events[i].kind == EVENT_FAULT &&
            strcmp(f.record->events[i].subject, "db") == 0)
            crash_ns = f.record->events[i].at_ns;
    assert_int_equal(crash_ns, third->start_ns);
    assert_true(says(&third->out, "Exit 1")); /* the fake of the platform sees it too */
    flown_release(&f);
}

static void test_stopping_halfway(void **state)
{
    (void)state;
    struct flown f;
    fly(&f, BACK,
        "operator: {profile: on_call, notify: 10s, ack: 10s, decide: 10s, stops_after: 1}\n");
    assert_int_equal(f.record->n_steps, 1);
    assert_string_equal(web_version(&f), "v2");
    assert_false(restored(&f));
    flown_release(&f);
    /* somebody else goes on after twelve minutes */
    fly(&f, BACK,
        "operator: {profile: on_call, notify: 10s, ack: 10s, decide: 10s, stops_after: 1, "
        "handover: 12m}\n");
    assert_int_equal(f.record->n_steps, 3);
    assert_in_range(f.record->steps[1].start_ns - f.record->steps[0].end_ns, 12 * MINUTE,
                    13 * MINUTE);
    assert_string_equal(web_version(&f), "v1");
    flown_release(&f);
}

static int set_up(void **state)
{
    (void)state;
    workspace_init(&workspace, "tests/data/twins");
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    workspace_release(&workspace);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_none),      cmocka_unit_test(test_fails),
        cmocka_unit_test(test_hangs),     cmocka_unit_test(test_is_slow),
        cmocka_unit_test(test_lies),      cmocka_unit_test(test_loses_its_reply),
        cmocka_unit_test(test_by_chance), cmocka_unit_test(test_for_a_while),
        cmocka_unit_test(test_at_a_step), cmocka_unit_test(test_stopping_halfway),
    };
    return cmocka_run_group_tests_name("strikes", tests, set_up, tear_down);
}
