/* What becomes a finding, of what severity, and where. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "reports/blame.h"
#include "reports/command_line.h"
#include "reports/explain.h"
#include "reports/report.h"
#include "sim/base/doc.h"
#include "sim/base/xalloc.h"
#include "tests/record_samples.h"

/* One line a finding: "severity id line step". */
static const char *listing(const struct report *report)
{
    static char text[4096];
    size_t len = 0;
    text[0] = '\0';
    for (int i = 0; i < report->findings.n; i++) {
        const struct finding *finding = &report->findings.at[i];
        len += (size_t)snprintf(text + len, sizeof text - len, "%s %s %d %d\n",
                                severity_names[finding->severity], finding->id, finding->line,
                                finding->step);
    }
    return text;
}

static void assert_findings(struct record *record, const char *want)
{
    struct report report;
    report_init(&report, record);
    assert_string_equal(listing(&report), want);
    report_release(&report);
}

static void a_good_run_has_none(void **state)
{
    (void)state;
    struct record *record = sample_good();
    assert_findings(record, "");
    record_free(record);
}

static void a_bad_run_says_what_where_and_how_bad(void **state)
{
    (void)state;
    struct record *record = sample_bad();
    assert_findings(record, "error silent_failure 31 1\n"
                            "error data_loss 33 2\n"
                            "error silent_failure 33 2\n"
                            "error false_success 36 4\n"
                            "error target_missed 0 0\n"
                            "error target_missed 0 0\n"
                            "error target_missed 0 0\n"
                            "error target_missed 0 0\n"
                            "error target_missed 0 0\n"
                            "error wrong_end_state 0 0\n"
                            "note not_simulated 35 3\n"
                            "note missing_communication 0 0\n");
    record_free(record);
}

static void a_finding_names_the_rule_that_sees_it_without_a_run(void **state)
{
    (void)state;
    struct record *record = sample_bad();
    const char *file = record->steps[0].file;
    record_static_note(record, &(struct static_note){"RB030", "restart", "no_op", file, 31});
    record_static_note(record,
                       &(struct static_note){"RB011", "psql", "silent_failure", "else.md", 31});
    record_static_note(record,
                       &(struct static_note){"RB001", "curl", "hang silent_failure", file, 31});
    record_static_note(record,
                       &(struct static_note){"RB004", "thrown away", "silent_failure", file, 32});
    struct report report;
    report_init(&report, record);
    assert_int_equal(report.findings.at[0].line, 31);
    assert_string_equal(report.findings.at[0].lint->rule, "RB001");
    for (int i = 1; i < report.findings.n; i++) {
        const struct finding *finding = &report.findings.at[i];
        if (finding->line == 33 && strcmp(finding->id, "silent_failure") == 0)
            assert_string_equal(finding->lint->rule, "RB034"); /* the sample's own */
        else
            assert_null(finding->lint);
    }
    report_release(&report);
    record_free(record);
}

/* A script is one step, and a claim is wrong because of what is missing before it. */
static void a_rule_inside_a_script_or_before_a_claim_is_named_too(void **state)
{
    (void)state;
    struct record *record = sample_bad();
    const char *file = record->steps[0].file;
    int n_claims = 0, n_scripts = 0;
    record->steps[0].last_line = 32;
    record_static_note(record,
                       &(struct static_note){"RB003", "script", "silent_failure", file, 32});
    record_static_note(record,
                       &(struct static_note){"RB008", "nothing waits", "false_success", file, 35});
    record_static_note(record,
                       &(struct static_note){"RB022", "nor here", "false_success", file, 31});
    record_static_note(record,
                       &(struct static_note){"RB001", "behind it", "false_success", file, 37});
    struct report report;
    report_init(&report, record);
    for (int i = 0; i < report.findings.n; i++) {
        const struct finding *finding = &report.findings.at[i];
        if (strcmp(finding->id, "false_success") == 0) {
            assert_string_equal(finding->lint->rule, "RB008");
            n_claims++;
        }
        if (finding->line == 31) {
            assert_string_equal(finding->lint->rule, "RB003");
            n_scripts++;
        }
    }
    assert_int_equal(n_claims, 1);
    assert_int_equal(n_scripts, 1);
    report_release(&report);
    record_free(record);
}

static void a_failure_in_a_run_that_went_well_is_a_warning(void **state)
{
    (void)state;
    struct record *record = sample_good();
    record->steps[0].exit_status = 1; /* before the claim */
    assert_findings(record, "warning silent_failure 12 1\n");
    record_free(record);
}

/* The longest outage, and the step in which it began: a sample tells of the second before it. */
static void an_outage_has_the_step_in_which_it_began(void **state)
{
    static const struct {
        double values[6]; /* second by second, from 10 s on */
        int step;
        int64_t from_s, to_s;
    } cases[] = {
        {{1, 1, 1, 1, 1, 1}, 0, 0, 0},
        {{0, 0, 0, 1, 0, 1}, 0, 10, 13}, /* before the procedure */
        {{1, 0, 0, 0, 1, 0}, 1, 11, 14}, /* step 2 began in that second too, and changed nothing */
        {{0, 1, 1, 0, 0, 0}, 2, 13, 16},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct record *record = record_new();
        struct series *series = record_series(record, "indicator", "", "ratio");
        int64_t from = 0, to = 0;
        for (int k = 0; k < 6; k++)
            series_add(series, (10 + k) * SECOND, cases[i].values[k]);
        record->instants[T_END] = 16 * SECOND;
        record->identity.indicator_down_below = 0.5;
        record->now_ns = 10 * SECOND + SECOND / 2;
        struct step *step = record_step_begin(record, "p.md", 3, "docker-compose down");
        record_change(record, "web", "stopped");
        record->now_ns += SECOND / 4;
        record_step_end(record, step, 0);
        step = record_step_begin(record, "p.md", 4, "sleep 60");
        assert_int_equal(blame_outage(record, &from, &to), cases[i].step);
        assert_int_equal(from, cases[i].from_s * SECOND);
        assert_int_equal(to, cases[i].to_s * SECOND);
        record_free(record);
    }
}

/* "curl ... | jq -e .ok": what curl did not tell, the step did. */
static void a_silent_failure_that_the_step_tells_is_none(void **state)
{
    (void)state;
    struct record *record = sample_good();
    record->current_step = 1;
    record_observe(record, "silent_failure", "", "HTTP 500 and exit status 0");
    assert_findings(record, "warning silent_failure 12 1\n");
    record->steps[0].exit_status = 2;
    record->instants[T_CLAIM] = NEVER;
    assert_int_equal(record->n_observations, 1);
    struct report report;
    report_init(&report, record);
    for (int i = 0; i < report.findings.n; i++)
        assert_string_not_equal(report.findings.at[i].id, "silent_failure");
    report_release(&report);
    record->steps[0].last_line += 5; /* of a script nobody knows for what it failed */
    report_init(&report, record);
    assert_non_null(strstr(listing(&report), "silent_failure 12 1"));
    report_release(&report);
    record->steps[0].last_line -= 5;
    record->steps[0].seen_to_fail = true; /* and was run again */
    report_init(&report, record);
    for (int i = 0; i < report.findings.n; i++)
        assert_string_not_equal(report.findings.at[i].id, "failed_step");
    report_release(&report);
    record_free(record);
}

static void exit_1_of_a_question_is_an_answer(void **state)
{
    (void)state;
    static const struct {
        const char *command;
        int exit_status;
        const char *want;
    } cases[] = {
        {"docker ps | grep unhealthy", 1, ""},
        {"docker-compose logs --tail=500 | grep -i \"error\\|critical\"", 1, ""},
        {"echo 'a | grep b' | sort", 1, "warning silent_failure 21 4\n"},
        {"docker ps | grep unhealthy", 2, "warning silent_failure 21 4\n"},
        {"[ -f /tmp/x ]", 1, ""},
        {"grep x y | sort", 1, "warning silent_failure 21 4\n"},
        {"docker-compose logs --tail=500 | grep -i \"error\\|critical\"", 1, ""},
        {"grep 'a|b' x | wc -l; false", 1, "warning silent_failure 21 4\n"},
        {"diff a b", 1, ""},
        {"false", 1, "warning silent_failure 21 4\n"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct record *record = sample_good();
        sample_step(record, 21, cases[i].command, 1190, 1190, cases[i].exit_status);
        assert_findings(record, cases[i].want);
        record_free(record);
    }
}

static void a_failed_last_step_is_told_too(void **state)
{
    (void)state;
    struct record *record = sample_good();
    sample_step(record, 21, "./smoke.sh", 1195, 1200, 3); /* after the claim: not behind it */
    record->procedure_exit = 3;
    assert_findings(record, "warning failed_step 21 4\n");
    sample_step(record, 22, "true", 1201, 1201, 0); /* and here it went on */
    assert_findings(record, "warning failed_step 21 4\n");
    record_free(record);
}

static void errors_on_stderr_with_exit_0_are_silent_failures(void **state)
{
    (void)state;
    static const struct {
        const char *err, *want;
    } cases[] = {
        {"ERROR:  relation \"x\" does not exist\n", "warning silent_failure 12 1\n"},
        {"Stopping db ... done\n", ""},
        {"finished with 0 errors\n", ""},
        {"cp: cannot stat 'x': No such file or directory\n", "warning silent_failure 12 1\n"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct record *record = sample_good();
        buf_puts(&record->steps[0].err, cases[i].err);
        assert_findings(record, cases[i].want);
        record_free(record);
    }
}

/* A wrong end state says who touched it last, and what keeps it wrong. */
static void a_wrong_end_state_has_a_history(void **state)
{
    (void)state;
    struct record *record = sample_good();
    struct end_state *wrong = sample_state(record, "web", "ready replicas", "0", "1");
    wrong->why = "shop_web: schema 42 needed, postgres has 41";
    struct report report;
    record->current_step = 1;
    record_change(record, "shop_webhook", "stopped");
    record_change(record, "shop_web", "started, version v1");
    record->current_step = 2;
    record_change(record, "shop_webhook", "started, version v2");
    record->current_step = 0;
    report_init(&report, record);
    const struct finding *finding = &report.findings.at[0];
    assert_string_equal(finding->id, "wrong_end_state");
    assert_int_equal(finding->step, 1);
    assert_string_equal(finding->message, "at the end web ready replicas is 0, wanted 1: shop_web: "
                                          "schema 42 needed, postgres has 41");
    assert_string_equal(finding->evidence,
                        "the last that was done to it: shop_web: started, version v1");
    report_release(&report);
    record_free(record);
}

static void a_known_cause_is_told_once(void **state)
{
    (void)state;
    struct record *record = sample_good();
    record->steps[0].exit_status = 127;
    record->current_step = 1;
    record_observe(record, "unknown_command", "hapctl", "no command 'hapctl' is declared");
    record->current_step = 0;
    assert_findings(record, "warning unknown_command 12 1\n");
    record_free(record);
}

static void a_step_that_changed_nothing_is_a_no_op(void **state)
{
    (void)state;
    struct record *record = sample_good();
    record->steps[0].n_changed = 0;
    assert_findings(record, "warning no_op 12 1\n");
    /* and an error if what it names is what is wrong in the end */
    record->end_states[0].value = "v4.18";
    record->end_states[0].good = false;
    assert_findings(record, "error no_op 12 1\nerror wrong_end_state 0 0\n");
    record_free(record);
}

static void verbs_tell_what_means_to_change(void **state)
{
    (void)state;
    static const char *const changing[] = {
        "kubectl rollout undo deployment/api",
        "sudo systemctl restart nginx",
        "docker-compose up -d",
        "docker compose -f x.yml down",
        "FOO=1 docker restart api && echo ok",
        "./scripts/restore.sh nightly",
        "helm rollback shop 3",
        "docker exec api sh -c 'export FEATURE=off'",
        "kubectl exec deploy/api -- sh -c 'export FEATURE=off'",
        "curl -X POST http://opa:8181/v1/data/reload",
    };
    static const char *const looking[] = {
        "kubectl rollout status deployment/api",
        "kubectl get pods",
        "docker ps",
        "docker exec api restart",
        "docker-compose logs api",
        "kubectl apply --dry-run=client -f x.yml",
        "echo restart",
        "cat restore.sh",
        "curl http://x/restart",
        "./check-health.sh",
        "systemctl status nginx",
        "docker exec api sh -c 'export A=b; run it'",
        "curl http://x/reload",
        "",
    };
    for (size_t i = 0; i < sizeof changing / sizeof *changing; i++) {
        if (!command_means_change(changing[i]))
            fail_msg("'%s' means a change", changing[i]);
    }
    for (size_t i = 0; i < sizeof looking / sizeof *looking; i++) {
        if (command_means_change(looking[i]))
            fail_msg("'%s' means no change", looking[i]);
    }
}

static void what_only_looks_is_known(void **state)
{
    (void)state;
    static const char *const looking[] = {"docker-compose logs honeypot --tail=100",
                                          "docker compose ps",
                                          "docker ps | grep api",
                                          "sudo journalctl -u api -n 50",
                                          "kubectl -n shop get pods | sort",
                                          "git log --oneline",
                                          "cat /var/log/x; df -h",
                                          "docker inspect -f '{{.State.Status}}' api && echo well",
                                          "systemctl status nginx"};
    static const char *const others[] = {"docker restart api",
                                         "./health_check.sh",
                                         "curl -s http://x/health",
                                         "git checkout v1",
                                         "cat dump.sql | psql",
                                         "docker logs api > /tmp/api.log",
                                         "docker ps; docker stop api",
                                         "kubectl -n get delete pod x",
                                         "docker exec db psql",
                                         "kubectl rollout status deploy/x",
                                         "zcat x.gz | docker exec -i db psql",
                                         ""};
    for (size_t i = 0; i < sizeof looking / sizeof *looking; i++) {
        if (!command_only_looks(looking[i]))
            fail_msg("'%s' only looks", looking[i]);
    }
    for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
        if (command_only_looks(others[i]))
            fail_msg("'%s' may do more than look", others[i]);
    }
}

/* The rollback fell short, and not by what only looked, nor by what came after. */
static void an_error_is_what_a_target_fell_by(void **state)
{
    (void)state;
    static const struct {
        const char *command;
        bool after, ended;
        const char *want;
    } cases[] = {
        {"./restart.sh", false, false, "error failed_step 21 4\n"},
        {"docker ps -x", false, false, "warning failed_step 21 4\n"},
        {"docker ps -x", false, true, "error failed_step 21 4\n"}, /* and nothing ran after it */
        {"./restart.sh", true, false, "warning failed_step 21 4\n"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct record *record = sample_good();
        record->instants[T_CLAIM] = NEVER; /* nobody was told anything */
        double restore = 3000;
        record->instants[T_RESTORE] = 3000 * SECOND;
        record->instants[T_STABLE] = 3300 * SECOND;
        double at = cases[i].after ? restore + 1 : restore - 30;
        sample_step(record, 21, cases[i].command, at, at, 2);
        record->procedure_exit = cases[i].ended ? 2 : 0;
        if (!cases[i].ended)
            sample_step(record, 22, "true", at + 1, at + 1, 0);
        struct report report;
        report_init(&report, record);
        const char *line = strstr(listing(&report), cases[i].want);
        if (!line)
            fail_msg("case %zu: %s", i, listing(&report));
        report_release(&report);
        record_free(record);
    }
}

static void sql_that_does_not_arrive_is_noticed(void **state)
{
    (void)state;
    assert_true(
        command_feeds_sql("docker exec db psql -U a <<'SQL'\nALTER TABLE x DROP COLUMN y;\nSQL"));
    assert_true(command_feeds_sql("zcat /b/x.sql.gz | docker exec -i db psql"));
    assert_true(command_feeds_sql("mysql shop < /tmp/down.sql"));
    assert_false(command_feeds_sql("psql -c 'DELETE FROM x'")); /* nothing on its input */
    assert_false(command_feeds_sql("psql <<'SQL'\nSELECT 1;\nSQL"));
    struct record *record = sample_good();
    struct step *step =
        sample_step(record, 21, "docker exec db psql <<'SQL'\nDROP TABLE x;\nSQL", 1180, 1181, 0);
    assert_findings(record, "warning no_op 21 4\n");
    buf_puts(&step->out, "DROP TABLE\n");
    assert_findings(record, "");
    buf_puts(&step->out, "DELETE 0\n");
    assert_findings(record, "note no_op 21 4\n");
    record_free(record);
}

static void errors_in_logs_are_no_failures_of_the_command(void **state)
{
    (void)state;
    static const char *const showing[] = {
        "docker logs api | tail -20", "kubectl logs -f deploy/api", "docker-compose logs api",
        "tail -n 50 /var/log/x",      "sudo journalctl -u api",     "cat /var/log/x"};
    static const char *const doing[] = {"docker restart api", "psql -f logs.sql",
                                        "kubectl apply -f x.yaml", ""};
    for (size_t i = 0; i < sizeof showing / sizeof *showing; i++)
        assert_true(command_shows_logs(showing[i]));
    for (size_t i = 0; i < sizeof doing / sizeof *doing; i++)
        assert_false(command_shows_logs(doing[i]));
}

static void the_unblamed_rest_of_a_loss_is_told(void **state)
{
    (void)state;
    struct record *record = sample_bad();
    record->ledger[0].lost += 5;
    struct report report;
    report_init(&report, record);
    int n = 0;
    for (int i = 0; i < report.findings.n; i++) {
        if (strcmp(report.findings.at[i].id, "data_loss") == 0 && report.findings.at[i].step == 0) {
            assert_string_equal(
                report.findings.at[i].message,
                "5 acknowledged records of postgres are gone, and no step is to blame");
            n++;
        }
    }
    assert_int_equal(n, 1);
    report_release(&report);
    record_free(record);
}

static void a_step_that_never_ended_hangs(void **state)
{
    (void)state;
    struct record *record = sample_good();
    struct step *step = sample_step(record, 40, "kubectl edit deployment/api", 1300, 1301, -1);
    step->end_ns = NEVER;
    assert_findings(record, "warning hang 40 4\n");
    record->current_step = 4; /* who knows more has said so */
    record_observe(record, "hang", "reads its standard input", "waits for input that never comes");
    record->current_step = 0;
    assert_findings(record, "warning hang 40 4\n");
    record_free(record);
}

static void a_failure_that_only_a_person_noticed_had_no_alert(void **state)
{
    (void)state;
    struct record *record = sample_good();
    record->now_ns = record->instants[T_DETECT];
    record_event(record, EVENT_OPERATOR, "a person", "notices that something is wrong");
    assert_findings(record, "warning no_alert 0 0\n");
    record->instants[T_DETECT] += 600 * SECOND; /* later than that moment, and than the target */
    record->instants[T_DECIDE] += 600 * SECOND;
    record->events[record->n_events - 1].at_ns = record->instants[T_DETECT];
    struct report report;
    report_init(&report, record);
    assert_string_equal(report.findings.at[0].id, "no_alert");
    assert_int_equal(report.findings.at[0].severity, SEVERITY_ERROR);
    report_release(&report);
    record_free(record);
}

static void communication_is_due_after_detection(void **state)
{
    (void)state;
    struct record *record = sample_good();
    for (int i = 0; i < record->n_events; i++) {
        if (record->events[i].kind == EVENT_MESSAGE)
            record->events[i].at_ns = record->instants[T_DETECT] + 15 * MINUTE;
    }
    assert_findings(record, "");
    for (int i = 0; i < record->n_events; i++) {
        if (record->events[i].kind == EVENT_MESSAGE)
            record->events[i].at_ns += SECOND;
    }
    assert_findings(record, "note late_communication 0 0\n");
    for (int i = 0; i < record->n_events; i++) {
        if (record->events[i].kind == EVENT_MESSAGE)
            record->events[i].kind = EVENT_WORLD;
    }
    assert_findings(record, "note missing_communication 0 0\n");
    record_free(record);
}

static void a_waived_finding_says_so(void **state)
{
    (void)state;
    struct record *record = sample_bad();
    record_waive(record, &(struct waiver){"data_loss", "playbook.md", 33,
                                          record->identity.start_unix_ns + DAY, "known"});
    struct report report;
    report_init(&report, record);
    for (int i = 0; i < report.findings.n; i++) {
        bool it = strcmp(report.findings.at[i].id, "data_loss") == 0;
        assert_int_equal(report.findings.at[i].waiver != NULL, it);
    }
    report_release(&report);
    record_free(record);
}

static void every_kind_is_explained(void **state)
{
    (void)state;
    const char *before = "";
    for (const struct finding_kind *kind = finding_kinds; kind->id; kind++) {
        assert_true(strcmp(before, kind->id) < 0); /* sorted */
        before = kind->id;
        assert_true(strlen(kind->why) > 40);
        assert_true(strlen(kind->mend) > 40);
        assert_ptr_equal(finding_kind(kind->id), kind);
    }
    for (int i = 0; i < GATES; i++)
        assert_non_null(finding_kind(gate_findings[i]));
    for (int i = 0; i < MEASURES; i++)
        assert_non_null(finding_kind(target_finding((enum measure)i)));
    assert_null(finding_kind("nonsense"));
    assert_string_equal(finding_kind_near("data_los"), "data_loss");
    assert_null(finding_kind_near("qqqqqqqqqqqqqq"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_good_run_has_none),
        cmocka_unit_test(a_bad_run_says_what_where_and_how_bad),
        cmocka_unit_test(a_finding_names_the_rule_that_sees_it_without_a_run),
        cmocka_unit_test(a_failure_in_a_run_that_went_well_is_a_warning),
        cmocka_unit_test(exit_1_of_a_question_is_an_answer),
        cmocka_unit_test(a_failed_last_step_is_told_too),
        cmocka_unit_test(a_rule_inside_a_script_or_before_a_claim_is_named_too),
        cmocka_unit_test(an_outage_has_the_step_in_which_it_began),
        cmocka_unit_test(a_silent_failure_that_the_step_tells_is_none),
        cmocka_unit_test(errors_on_stderr_with_exit_0_are_silent_failures),
        cmocka_unit_test(a_wrong_end_state_has_a_history),
        cmocka_unit_test(a_known_cause_is_told_once),
        cmocka_unit_test(a_step_that_changed_nothing_is_a_no_op),
        cmocka_unit_test(verbs_tell_what_means_to_change),
        cmocka_unit_test(what_only_looks_is_known),
        cmocka_unit_test(an_error_is_what_a_target_fell_by),
        cmocka_unit_test(sql_that_does_not_arrive_is_noticed),
        cmocka_unit_test(errors_in_logs_are_no_failures_of_the_command),
        cmocka_unit_test(the_unblamed_rest_of_a_loss_is_told),
        cmocka_unit_test(a_step_that_never_ended_hangs),
        cmocka_unit_test(a_failure_that_only_a_person_noticed_had_no_alert),
        cmocka_unit_test(communication_is_due_after_detection),
        cmocka_unit_test(a_waived_finding_says_so),
        cmocka_unit_test(every_kind_is_explained),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
