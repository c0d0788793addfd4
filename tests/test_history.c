/* The history file: adding, asking, migrating, many writers, a killed one; and trends over it. */
#include <math.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>
#include <sqlite3.h>

#include "reports/held.h"
#include "reports/trend.h"
#include "reports/words.h"
#include "sim/base/doc.h"
#include "tests/golden.h"
#include "tests/json_schema.h"
#include "tests/record_samples.h"

enum { DAY_S = 86400 };
static const int64_t now_s = 1768487400; /* 2026-01-15T14:30:00Z: the first quarter of 2026 */

static char dir[64], path[128];
static struct arena arena;
static struct summary good, bad;

static const struct trend_choice everything = {0}, undo = {.drill = "shop/undo"};

static void summarise(struct record *record, struct summary *ret)
{
    struct report report;
    report_init(&report, record);
    summary_of_report(ret, &arena, &report);
    report_release(&report);
    record_free(record);
}

static int set_up(void **state)
{
    (void)state;
    snprintf(dir, sizeof dir, "/tmp/rehearse-history-XXXXXX");
    assert_non_null(mkdtemp(dir));
    snprintf(path, sizeof path, "%s/state/history.db", dir);
    summarise(sample_good(), &good);
    summarise(sample_bad(), &bad);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    char command[160];
    snprintf(command, sizeof command, "rm -rf %s", dir);
    arena_release(&arena);
    return system(command);
}

static struct history *open_history(void)
{
    struct history *history = NULL;
    struct error error = {""};
    if (history_open(path, true, &history, &error) != 0)
        fail_msg("%s", error.text);
    return history;
}

static void add(struct history *history, const struct summary *summary, int64_t at_s)
{
    struct error error = {""};
    struct history_run run = history_run_of(summary, at_s, "simulated", "");
    if (history_add(history, &run, summary->findings, summary->n_findings, NULL, &error) != 0)
        fail_msg("%s", error.text);
}

static void list_run(void *ctx, const struct history_run *run)
{
    struct buf *buf = ctx;
    buf_printf(buf, "%lld %s %s %s %s|", (long long)run->at_s, run->kind, run->drill,
               outcome_names[run->outcome], run->gates);
    words_number(buf, run->score);
    buf_puts(buf, isnan(run->measures[MEASURE_ROLLBACK]) ? " never\n" : " back\n");
}

static void runs_are_kept_and_listed_newest_first(void **state)
{
    (void)state;
    struct history *history = open_history();
    struct error error = {""};
    add(history, &good, 100);
    add(history, &bad, 300);
    add(history, &good, 200);
    history_close(history);
    history = open_history();
    struct buf buf;
    buf_init(&buf, 4096);
    assert_int_equal(history_each(history, NULL, 0, list_run, &buf, &error), 0);
    assert_string_equal(buf.at, "300 simulated shop/restore fail fppffp|23.3 never\n"
                                "200 simulated shop/undo pass pppppp|100 back\n"
                                "100 simulated shop/undo pass pppppp|100 back\n");
    buf_clear(&buf);
    assert_int_equal(history_each(history, "shop/undo", 1, list_run, &buf, &error), 0);
    assert_string_equal(buf.at, "200 simulated shop/undo pass pppppp|100 back\n");
    buf_release(&buf);
    history_close(history);
}

static void findings_stay_open_until_a_run_has_them_not(void **state)
{
    (void)state;
    struct history *history = open_history();
    struct error error = {""};
    struct open_finding *open;
    int n;
    struct summary now = bad;
    add(history, &bad, 100);
    now.n_findings = 2; /* silent_failure and data_loss */
    add(history, &now, 200);
    add(history, &bad, 50); /* older: changes nothing that is open now */
    assert_int_equal(history_open_findings(history, &arena, &open, &n, &error), 0);
    assert_int_equal(n, 2);
    assert_string_equal(open[0].id, "data_loss");
    assert_true(open[0].first_s == 100 && open[0].last_s == 200);
    assert_int_equal(open[0].severity, SEVERITY_ERROR);
    now.n_findings = 0;
    add(history, &now, 300);
    assert_int_equal(history_open_findings(history, &arena, &open, &n, &error), 0);
    assert_int_equal(n, 0);
    history_close(history);
}

static void export_and_import_keep_everything(void **state)
{
    (void)state;
    struct history *history = open_history();
    struct error error = {""};
    struct buf first, second;
    int added = -1;
    buf_init(&first, 1 << 20);
    buf_init(&second, 1 << 20);
    add(history, &bad, 100);
    add(history, &good, 200);
    assert_int_equal(history_export(history, &first, &error), 0);
    assert_int_equal(history_import(history, "x.jsonl", buf_text(&first), &added, &error), 0);
    assert_int_equal(added, 0); /* all there already */
    history_close(history);
    snprintf(path, sizeof path, "%s/other.db", dir);
    history = open_history();
    assert_int_equal(history_import(history, "x.jsonl", buf_text(&first), &added, &error), 0);
    assert_int_equal(added, 2);
    assert_int_equal(history_export(history, &second, &error), 0);
    assert_string_equal(first.at, second.at);
    /* a broken line adds nothing of the file */
    buf_clear(&second);
    struct str rest = buf_text(&first);
    buf_str(&second, str_cut(&rest, '\n'));
    buf_puts(&second, "\n{\"format\": \"rehearse.history/1\", \"at_s\": 5}\n");
    snprintf(path, sizeof path, "%s/third.db", dir);
    history_close(history);
    history = open_history();
    assert_int_equal(history_import(history, "x.jsonl", buf_text(&second), &added, &error),
                     ERROR_INPUT);
    assert_string_equal(error.text, "x.jsonl:2: /kind: no text, expected as in rehearse.history/1");
    buf_clear(&second);
    assert_int_equal(history_export(history, &second, &error), 0);
    assert_int_equal(second.len, 0);
    history_close(history);
    buf_release(&first);
    buf_release(&second);
}

/* The file as the first version made it. */
static void an_older_file_is_migrated(void **state)
{
    (void)state;
    sqlite3 *db;
    snprintf(path, sizeof path, "%s/old.db", dir);
    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    assert_int_equal(sqlite3_exec(db,
                                  "CREATE TABLE runs (id INTEGER PRIMARY KEY, at_s INTEGER NOT "
                                  "NULL, kind TEXT NOT NULL, drill TEXT NOT NULL,"
                                  " system TEXT NOT NULL, playbook TEXT NOT NULL, section TEXT NOT "
                                  "NULL, tier TEXT NOT NULL,"
                                  " fingerprint TEXT NOT NULL, replay TEXT NOT NULL, seed INTEGER "
                                  "NOT NULL, verdict INTEGER NOT NULL,"
                                  " score REAL, score_possible REAL, time_to_detect_s REAL, "
                                  "time_to_decide_s REAL, rollback_s REAL,"
                                  " time_to_stable_s REAL, downtime_s REAL, records_lost REAL, "
                                  "claim_error_s REAL, gates TEXT NOT NULL);"
                                  "INSERT INTO runs VALUES (1, 42, 'simulated', 'old/drill', '', "
                                  "'', '', '', '', '', 1, 0, 77, 77,"
                                  " 1, 2, 3, 4, 5, 0, 6, 'pppppp'); PRAGMA user_version = 1",
                                  NULL, NULL, NULL),
                     SQLITE_OK);
    sqlite3_close(db);
    struct history *history = open_history();
    struct error error = {""};
    struct buf buf;
    buf_init(&buf, 4096);
    add(history, &good, 100);
    assert_int_equal(history_each(history, "old/drill", 0, list_run, &buf, &error), 0);
    assert_string_equal(buf.at, "42 simulated old/drill pass pppppp|77 back\n");
    buf_release(&buf);
    history_close(history);
}

static void a_newer_or_foreign_file_is_refused(void **state)
{
    (void)state;
    sqlite3 *db;
    struct history *history;
    struct error error = {""};
    snprintf(path, sizeof path, "%s/new.db", dir);
    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    assert_int_equal(sqlite3_exec(db, "PRAGMA user_version = 99", NULL, NULL, NULL), SQLITE_OK);
    sqlite3_close(db);
    assert_int_equal(history_open(path, true, &history, &error), ERROR_INPUT);
    assert_non_null(strstr(error.text, "written by a newer rehearse"));
    assert_int_equal(history_open("Makefile", true, &history, &error), ERROR_INPUT);
    assert_int_equal(history_open("/nonexistent/history.db", false, &history, &error), ERROR_INPUT);
    assert_null(history);
}

static int count_runs(void)
{
    struct history *history = open_history();
    struct error error = {""};
    int runs = 0, n;
    struct history_procedure *rows;
    assert_int_equal(history_procedures(history, INT64_MAX, &arena, &rows, &n, &error), 0);
    for (int i = 0; i < n; i++)
        runs += rows[i].runs;
    history_close(history);
    return runs;
}

static void ten_writers_lose_nothing(void **state)
{
    (void)state;
    enum { WRITERS = 10, EACH = 8 };
    for (int i = 0; i < WRITERS; i++) {
        if (fork() == 0) {
            struct history *history;
            struct error error;
            if (history_open(path, true, &history, &error) != 0)
                _exit(1);
            for (int k = 0; k < EACH; k++) {
                struct history_run run = history_run_of(&bad, 1000 * i + k, "simulated", "");
                if (history_add(history, &run, bad.findings, bad.n_findings, NULL, &error) != 0)
                    _exit(1);
            }
            history_close(history);
            _exit(0);
        }
    }
    for (int i = 0; i < WRITERS; i++) {
        int status;
        assert_true(wait(&status) > 0);
        assert_int_equal(status, 0);
    }
    assert_int_equal(count_runs(), WRITERS * EACH);
}

static void a_killed_writer_leaves_a_sound_file(void **state)
{
    (void)state;
    struct history *first = open_history(); /* stays open meanwhile */
    add(first, &good, 1);
    int pipes[2];
    assert_int_equal(pipe(pipes), 0);
    pid_t child = fork();
    if (child == 0) {
        struct history *history;
        struct error error;
        if (history_open(path, true, &history, &error) != 0 || history_begin(history, &error) != 0)
            _exit(1);
        bool added;
        struct history_run run = history_run_of(&bad, 2, "simulated", "");
        if (history_add_new(history, &run, bad.findings, bad.n_findings, &added, &error) != 0)
            _exit(1);
        if (write(pipes[1], "x", 1) != 1)
            _exit(1);
        pause(); /* in the middle of its transaction */
    }
    char byte;
    assert_int_equal(read(pipes[0], &byte, 1), 1);
    assert_int_equal(kill(child, SIGKILL), 0);
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    close(pipes[0]);
    close(pipes[1]);
    assert_int_equal(count_runs(), 1);
    sqlite3 *db;
    sqlite3_stmt *check;
    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    assert_int_equal(sqlite3_prepare_v2(db, "PRAGMA integrity_check", -1, &check, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_step(check), SQLITE_ROW);
    assert_string_equal((const char *)sqlite3_column_text(check, 0), "ok");
    sqlite3_finalize(check);
    sqlite3_close(db);
    history_close(first);
}

static void quarters_are_those_of_the_calendar(void **state)
{
    (void)state;
    static const struct {
        int64_t at_s;
        int year, number;
    } cases[] = {{0, 1970, 1},          {-1, 1969, 4},         {1767225599, 2025, 4},
                 {1767225600, 2026, 1}, {1774915200, 2026, 1}, {1775001600, 2026, 2},
                 {1709164800, 2024, 1}, {1719791999, 2024, 2}, {1719792000, 2024, 3}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        int year, number;
        quarter_of(cases[i].at_s, &year, &number);
        assert_int_equal(year, cases[i].year);
        assert_int_equal(number, cases[i].number);
    }
}

/* Two years of a drill that gets better, and a last quarter that is worse. */
static void fill(struct history *history)
{
    for (int i = 0; i < 24; i++) {
        struct summary run = good;
        bool passed = i > 8 && i < 22;
        run.outcome = passed ? OUTCOME_PASS : OUTCOME_FAIL;
        run.score = 40 + 2.5 * i - (i > 21 ? 20 : 0);
        run.measures[MEASURE_ROLLBACK] = 1500 - 40 * i + (i > 21 ? 600 : 0);
        run.measures[MEASURE_TIME_TO_STABLE] = i < 4 ? NAN : 300;
        add(history, &run, now_s - (23 - i) * 30 * DAY_S);
    }
    add(history, &bad, now_s - 10 * DAY_S);
}

static void a_trend_says_what_got_better_and_worse(void **state)
{
    (void)state;
    struct history *history = open_history();
    struct error error = {""};
    struct trend trend;
    struct buf buf;
    buf_init(&buf, 1 << 20);
    fill(history);
    assert_int_equal(trend_compute(&trend, history, &undo, now_s, &arena, &error), 0);
    assert_int_equal(trend.quarters[7].year, 2026);
    assert_int_equal(trend.quarters[7].number, 1);
    assert_int_equal(trend.quarters[0].year, 2024);
    assert_int_equal(trend.quarters[0].number, 2);
    trend_text(&trend, &buf);
    struct str rest = buf_text(&buf);
    while (rest.len)
        assert_true(str_cut(&rest, '\n').len <= 80);
    golden_check("trend.txt", buf_text(&buf));
    buf_clear(&buf);
    assert_int_equal(trend_compute(&trend, history, &everything, now_s, &arena, &error), 0);
    trend_json(&trend, &buf);
    golden_check("trend.json", buf_text(&buf));
    buf_clear(&buf);
    assert_int_equal(plot_trend(&trend, 900, &buf), 0);
    golden_check("trend.svg", buf_text(&buf));
    buf_clear(&buf);
    assert_int_equal(plot_trend(&trend, 420, &buf), 0);
    history_close(history);
    buf_release(&buf);
}

static void an_empty_history_has_a_trend_too(void **state)
{
    (void)state;
    struct history *history = open_history();
    struct error error = {""};
    struct trend trend;
    struct buf buf;
    buf_init(&buf, 1 << 20);
    assert_int_equal(trend_compute(&trend, history, &everything, now_s, &arena, &error), 0);
    assert_int_equal(trend.runs, 0);
    assert_true(trend.last_pass_s == INT64_MIN);
    trend_text(&trend, &buf);
    assert_non_null(strstr(buf.at, "0 runs, never passed"));
    buf_clear(&buf);
    assert_int_equal(plot_trend(&trend, 900, &buf), 0);
    buf_release(&buf);
    history_close(history);
}

/* A run of `summary` with this document; tried: by --playbook, and not as the drill names it. */
static void add_with(struct history *history, const struct summary *summary, const char *playbook,
                     const char *hash, bool tried, double score, int64_t at_s)
{
    struct summary run = *summary;
    run.playbook = playbook;
    run.inputs = arena_printf(&arena, "drill sha256\tdd\nplaybook sha256\t%s\n", hash);
    run.replay = tried
                     ? arena_printf(&arena, "rehearse run x.yaml --playbook %s --seed 1", playbook)
                     : "rehearse run x.yaml --seed 1";
    run.score = score;
    add(history, &run, at_s);
}

static void trend_of(struct history *history, struct trend *trend,
                     const struct trend_choice *choice)
{
    struct error error = {""};
    if (trend_compute(trend, history, choice, now_s, &arena, &error) != 0)
        fail_msg("%s", error.text);
}

/* What was tried with another document, or is another drill's, makes nothing worse. */
static void another_document_is_no_regression(void **state)
{
    (void)state;
    struct history *history = open_history();
    struct trend trend;
    add_with(history, &good, "playbook.md", "aa", false, 90, now_s - 100 * DAY_S);
    add_with(history, &good, "playbook.md", "aa", false, 90, now_s - 5 * DAY_S);
    add_with(history, &bad, "playbook.md", "aa", false, 20, now_s - 6 * DAY_S); /* another drill */
    struct summary first = bad;
    first.drill = good.drill;
    add_with(history, &first, "first.md", "bb", true, 10, now_s - 4 * DAY_S);
    trend_of(history, &trend, &undo);
    assert_string_equal(trend.document, "playbook.md, 'Database goes wrong', simulated");
    assert_int_equal(trend.runs, 2);
    assert_int_equal(trend.n_regressions, 0);
    assert_int_equal(trend.n_open, 0); /* those of the try are the try's */
    assert_int_equal(trend.n_procedures, 2);
    trend_of(history, &trend, &everything);
    assert_int_equal(trend.runs, 3);
    assert_int_equal(trend.n_regressions, 0);
    trend_of(history, &trend, &(struct trend_choice){.drill = "shop/undo", .playbook = "first.md"});
    assert_int_equal(trend.runs, 1);
    assert_true(trend.n_open > 0);
    trend_of(history, &trend, &(struct trend_choice){.playbook = "docs/playbook.md"});
    assert_int_equal(trend.runs, 3);
    struct buf buf;
    buf_init(&buf, 1 << 20);
    trend_of(history, &trend, &undo);
    trend_text(&trend, &buf);
    golden_check("trend-tried.txt", buf_text(&buf));
    buf_release(&buf);
    history_close(history);
}

/* An edit of the document is what a drill is repeated for: its trend goes on, and says so. */
static void an_edited_document_is_the_same_one(void **state)
{
    (void)state;
    struct history *history = open_history();
    struct trend trend;
    add_with(history, &good, "ops/playbook.md", "aa", false, 90, now_s - 100 * DAY_S);
    add_with(history, &good, "ops/playbook.md", "bb", false, 60, now_s - 5 * DAY_S);
    /* seen from another folder, and edited once more */
    add_with(history, &good, "../playbook.md", "cc", false, 50, now_s - 4 * DAY_S);
    trend_of(history, &trend, &undo);
    assert_int_equal(trend.runs, 3);
    assert_int_equal(trend.n_procedures, 1);
    assert_int_equal(trend.n_regressions, 1);
    assert_string_equal(trend.regressions[0].lines[0], "score: median 55, was 90 in 2025 Q4");
    assert_string_equal(trend.regressions[0].edited, "playbook");
    /* taken over by the drill after it was tried: one series, and the one that is shown */
    add_with(history, &good, "hardened.md", "dd", true, 95, now_s - 3 * DAY_S);
    trend_of(history, &trend, &undo);
    assert_int_equal(trend.runs, 3);
    add_with(history, &good, "ops/hardened.md", "dd", false, 96, now_s - 2 * DAY_S);
    trend_of(history, &trend, &undo);
    assert_string_equal(trend.document, "hardened.md, 'Database goes wrong', simulated");
    assert_int_equal(trend.runs, 2);
    assert_int_equal(trend.n_regressions, 0);
    history_close(history);
}

/* People and simulation are not compared with each other. */
static void held_and_simulated_are_told_apart(void **state)
{
    (void)state;
    struct history *history = open_history();
    struct error error = {""};
    struct trend trend;
    struct history_run held = history_run_of(&good, now_s - 100 * DAY_S, "held", "two engineers");
    held.replay = "";
    assert_int_equal(history_add(history, &held, NULL, 0, NULL, &error), 0);
    trend_of(history, &trend, &undo); /* nothing was simulated yet */
    assert_int_equal(trend.runs, 1);
    add_with(history, &good, good.playbook, "aa", false, 50, now_s - 5 * DAY_S);
    trend_of(history, &trend, &undo);
    assert_int_equal(trend.runs, 1);
    assert_int_equal(trend.n_regressions, 0);
    assert_int_equal(trend.quarters[QUARTERS - 1].runs, 1);
    trend_of(history, &trend, &(struct trend_choice){.drill = "shop/undo", .kind = "held"});
    assert_int_equal(trend.quarters[QUARTERS - 2].runs, 1);
    trend_of(history, &trend, &everything); /* a quarter's score counts, whoever made it */
    assert_int_equal(trend.runs, 2);
    assert_int_equal(trend.n_regressions, 0);
    history_close(history);
}

static void a_choice_of_nothing_is_a_mistake(void **state)
{
    (void)state;
    static const struct {
        struct trend_choice choice;
        const char *complaint;
    } cases[] = {
        {{.drill = "shop/undone"}, "no run of drill 'shop/undone' is kept"},
        {{.drill = "shop/undo", .playbook = "x.md"},
         "is kept of shop/undo; 'rehearse trend shop/undo'"},
        {{.kind = "held"}, "is kept; 'rehearse trend' lists"},
    };
    struct history *history = open_history();
    add(history, &good, now_s);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct trend trend;
        struct error error = {""};
        assert_int_equal(trend_compute(&trend, history, &cases[i].choice, now_s, &arena, &error),
                         ERROR_INPUT);
        if (!strstr(error.text, cases[i].complaint))
            fail_msg("'%s' says nothing of '%s'", error.text, cases[i].complaint);
    }
    history_close(history);
}

/* The goal is 200 ms on a quiet machine; a busy one may take longer, a mistake takes far longer. */
static void a_hundred_thousand_runs_are_no_burden(void **state)
{
    (void)state;
    struct history *history = open_history();
    struct error error = {""};
    struct trend trend;
    assert_int_equal(history_begin(history, &error), 0);
    history_end(history, 0, &error);
    history_close(history);
    sqlite3 *db;
    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    char sql[2048];
    snprintf(sql, sizeof sql,
             "WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < 49) "
             "INSERT INTO procedures SELECT i + 1, 'shop/' || i, 'playbook.md', 'Database', "
             "'simulated', '', 1 FROM n;"
             "WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < 99999) "
             "INSERT INTO runs SELECT NULL, %lld - i * 500, 'simulated', 'shop/' || (i %% 50), "
             "'shop', 'playbook.md', 'Database', 'namespaces', '0011223344556677', "
             "'rehearse run drills/x.yaml --seed 1', i, i %% 3, i %% 101, 100, i %% 300, i %% 600, "
             "i %% 900, 300, i %% 200, 0, i %% 60, 'pppppp', '', i %% 50 + 1, 0 FROM n",
             (long long)now_s);
    assert_int_equal(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
    sqlite3_close(db);
    history = open_history();
    clock_t start = clock();
    assert_int_equal(trend_compute(&trend, history, &everything, now_s, &arena, &error), 0);
    double ms = 1000.0 * (double)(clock() - start) / CLOCKS_PER_SEC;
    print_message("trend over 100,000 runs: %.0f ms\n", ms);
    assert_int_equal(trend.runs, 100000);
    int seen = 0;
    for (int i = 0; i < QUARTERS; i++)
        seen += trend.quarters[i].runs;
    assert_int_equal(seen, 100000);
    assert_true(ms < 2000);
    history_close(history);
}

static void a_drill_that_people_held_is_judged_alike(void **state)
{
    (void)state;
    struct record *record = NULL;
    struct error error = {""};
    const char *people = NULL;
    snprintf(path, sizeof path, "%s/held.yaml", dir);
    assert_int_equal(
        report_write_file(
            path,
            STR("format: rehearse.held/1\ndrill: shop/database\nstart: 2026-04-14T14:00:00Z\n"
                "playbook: playbook.md\npeople: [facilitator, two on-call engineers]\n"
                "instants: {change: 10m, impact: 11m, detect: 14m, ack: 15m, decide: 19m, "
                "claim: 29m, restore: 30m, stable: 36m}\ndowntime: 3m\nrecords_lost: {postgres: "
                "0}\n"
                "end_state: good\nactions: [{at: 15m, told: '#ops: rolling back'}]\n"
                "observed: [{finding: manual_edit, message: the flag was set by hand, line: 40}]\n"
                "targets: {rollback: 10m}\n"),
            &error),
        0);
    if (held_read(path, &record, &people, &error) != 0)
        fail_msg("%s", error.text);
    assert_string_equal(people, "facilitator, two on-call engineers");
    struct summary summary;
    summarise(record, &summary);
    assert_true(fabs(summary.measures[MEASURE_TIME_TO_DETECT] - 180) < 1e-9);
    assert_true(fabs(summary.measures[MEASURE_ROLLBACK] - 660) < 1e-9);
    assert_int_equal(summary.gates[GATE_FALSE_SUCCESS],
                     OUTCOME_FAIL); /* claimed a minute too early */
    assert_int_equal(summary.gates[GATE_END_STATE], OUTCOME_PASS);
    assert_int_equal(summary.targets[MEASURE_ROLLBACK].outcome, OUTCOME_FAIL);
    assert_string_equal(summary.tier, "people");
    bool found = false;
    for (int i = 0; i < summary.n_findings; i++)
        found = found || (strcmp(summary.findings[i].id, "manual_edit") == 0 &&
                          summary.findings[i].line == 40);
    assert_true(found);
}

static void mistakes_in_a_held_drill_are_named(void **state)
{
    (void)state;
    static const struct {
        const char *text, *complaint;
    } cases[] = {
        {"format: rehearse.run/1\n",
         "format 'rehearse.run/1' is not known, expected rehearse.held/1"},
        {"format: rehearse.held/1\nstart: 2026-04-14T14:00:00Z\n", "drill"},
        {"format: rehearse.held/1\ndrill: x\nstart: 2026-04-14T14:00:00Z\ninstants: {decided: "
         "3m}\n",
         "decide"},
        {"format: rehearse.held/1\ndrill: x\nstart: 2026-04-14T14:00:00Z\ninstants: {}\nend_state: "
         "fine\n",
         "good"},
        {"format: rehearse.held/1\ndrill: x\nstart: 2026-04-14T14:00:00Z\ninstants: {}\nactions: "
         "[{at: 3m}]\n",
         "neither"},
        {"format: rehearse.held/1\ndrill: x\nstart: 2026-04-14T14:00:00Z\ninstants: {change: 9m, "
         "detect: 3m}\n",
         "/instants/detect: 'detect' lies before 'change'"},
        {"format: rehearse.held/1\ndrill: x\nstart: 2026-04-14T14:00:00Z\ninstants: {decide: 9m, "
         "restore: 8m}\n",
         "'restore' lies before 'decide'"},
    };
    snprintf(path, sizeof path, "%s/held.yaml", dir);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct record *record;
        struct error error = {""};
        const char *people;
        assert_int_equal(report_write_file(path, str_of(cases[i].text), &error), 0);
        assert_int_equal(held_read(path, &record, &people, &error), ERROR_INPUT);
        if (!strstr(error.text, cases[i].complaint) || !strstr(error.text, "held.yaml:"))
            fail_msg("'%s' says nothing of '%s'", error.text, cases[i].complaint);
    }
}

/* What the schema allows is what the reader reads. */
static void a_held_drill_has_a_schema(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        bool valid;
    } cases[] = {
        {"{\"format\": \"rehearse.held/1\", \"drill\": \"a/b\", \"start\": "
         "\"2026-04-14T14:00:00Z\", \"instants\": {\"change\": 0, "
         "\"impact\": \"1m30s\"}, \"records_lost\": {\"db\": 3, \"queue\": \"unknown\"}, "
         "\"end_state\": \"wrong\", \"people\": [\"x\"], "
         "\"actions\": [{\"at\": \"2m\", \"did\": \"y\"}], \"observed\": [{\"finding\": \"hang\", "
         "\"message\": \"z\"}], "
         "\"targets\": {\"rollback\": \"20m\", \"records_lost\": 5}, \"downtime\": \"3m\"}",
         true},
        {"{\"format\": \"rehearse.held/1\", \"drill\": \"a/b\", \"start\": "
         "\"2026-04-14T14:00:00Z\"}",
         false},
        {"{\"format\": \"rehearse.held/1\", \"drill\": \"a/b\", \"start\": "
         "\"2026-04-14T14:00:00Z\", \"instants\": {\"t\": \"1m\"}}",
         false},
        {"{\"format\": \"rehearse.held/1\", \"drill\": \"a/b\", \"start\": "
         "\"2026-04-14T14:00:00Z\", \"instants\": {\"ack\": \"soon\"}}",
         false},
        {"{\"format\": \"rehearse.held/1\", \"drill\": \"a/b\", \"start\": "
         "\"2026-04-14T14:00:00Z\", \"instants\": {}, \"more\": 1}",
         false},
    };
    snprintf(path, sizeof path, "%s/held.json", dir);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct record *record = NULL;
        struct error error = {""};
        const char *people;
        const char *complaint = json_schema_check("reports/held.schema.json", cases[i].text);
        assert_int_equal(report_write_file(path, str_of(cases[i].text), &error), 0);
        int code = held_read(path, &record, &people, &error);
        if ((complaint == NULL) != cases[i].valid || (code == 0) != cases[i].valid)
            fail_msg("case %zu: %s; %s", i, complaint ? complaint : "valid",
                     code ? error.text : "read");
        record_free(record);
    }
}

/* Somebody else's file: read, and not written. */
static void who_may_not_write_may_read(void **state)
{
    (void)state;
    struct history *history = open_history();
    struct error error = {""};
    struct buf buf;
    buf_init(&buf, 4096);
    add(history, &good, 100);
    history_close(history);
    char folder[160];
    snprintf(folder, sizeof folder, "%s/state", dir);
    assert_int_equal(chmod(dir, 0755) | chmod(folder, 0555) | chmod(path, 0444), 0);
    pid_t pid = fork();
    if (pid == 0) {
        if (geteuid() == 0 && (setgid(65534) || setuid(65534)))
            _exit(2);
        if (history_open(path, false, &history, &error))
            _exit(3);
        int code = history_each(history, NULL, 0, list_run, &buf, &error);
        history_close(history);
        _exit(code == 0 && strncmp(buf.at, "100 simulated shop/undo pass", 28) == 0 ? 0 : 4);
    }
    int status;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(chmod(folder, 0755), 0);
    assert_int_equal(status, 0);
    buf_release(&buf);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(runs_are_kept_and_listed_newest_first),
        TEST(who_may_not_write_may_read),
        TEST(findings_stay_open_until_a_run_has_them_not),
        TEST(export_and_import_keep_everything),
        TEST(an_older_file_is_migrated),
        TEST(a_newer_or_foreign_file_is_refused),
        TEST(ten_writers_lose_nothing),
        TEST(a_killed_writer_leaves_a_sound_file),
        TEST(quarters_are_those_of_the_calendar),
        TEST(a_trend_says_what_got_better_and_worse),
        TEST(an_empty_history_has_a_trend_too),
        TEST(another_document_is_no_regression),
        TEST(an_edited_document_is_the_same_one),
        TEST(held_and_simulated_are_told_apart),
        TEST(a_choice_of_nothing_is_a_mistake),
        TEST(a_hundred_thousand_runs_are_no_burden),
        TEST(a_drill_that_people_held_is_judged_alike),
        TEST(mistakes_in_a_held_drill_are_named),
        TEST(a_held_drill_has_a_schema),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
