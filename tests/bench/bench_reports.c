/* bench_reports: what people wait for beside the runs themselves. Times are processor time of the
 * best of some rounds; the share of `check` is its own against that of its runs. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <sqlite3.h>

#include "procedures/drill/run.h"
#include "procedures/lint/lint.h"
#include "reports/report.h"
#include "reports/trend.h"

enum { ROUNDS = 9, RUNS = 100000, LINES = 1000 };

static double cpu_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (double)now.tv_sec * 1e3 + (double)now.tv_nsec / 1e6;
}

static void fail(const char *what)
{
    fprintf(stderr, "bench_reports: %s\n", what);
    exit(1);
}

/* ---- report.html ---- */

static void bench_html(void)
{
    struct error error = {""};
    struct drill *drill = NULL;
    struct record *record = NULL;
    if (drill_load("procedures/hp_ti/drills/database-migration.yaml", NULL, &drill, &error) ||
        drill_run(drill, &(struct run_options){.seed = 1}, &record, &error))
        fail(error.text);
    double best = 1e9;
    size_t bytes = 0;
    for (int i = 0; i < ROUNDS; i++) {
        struct report report;
        struct buf html;
        buf_init(&html, REPORT_MAX);
        double start = cpu_ms();
        report_init(&report, record);
        report_html(&report, &html);
        double took = cpu_ms() - start;
        best = took < best ? took : best;
        bytes = html.len;
        report_release(&report);
        buf_release(&html);
    }
    printf("  a run judged and written as HTML  %6.1f ms (at most 30; %zu kB)\n", best,
           bytes / 1024);
    record_free(record);
    drill_free(drill);
}

/* ---- lint ---- */

static void bench_lint(void)
{
    struct buf text, page;
    struct error error = {""};
    buf_init(&text, 1 << 20);
    buf_init(&page, 1 << 20);
    if (buf_read_file(&page, "procedures/hp_ti/playbook.md") < 0)
        fail("the playbook cannot be read");
    int lines = 0;
    while (lines < LINES) { /* the same document until there are enough lines */
        struct str rest = buf_text(&page);
        for (; rest.len && lines < LINES; lines++) {
            buf_str(&text, str_cut(&rest, '\n'));
            buf_putc(&text, '\n');
        }
    }
    double best = 1e9;
    int findings = 0;
    for (int i = 0; i < ROUNDS; i++) {
        struct arena arena = {0};
        struct playbook playbook;
        struct lint_result result;
        double start = cpu_ms();
        if (playbook_parse(&arena, "long.md", buf_text(&text), &playbook, &error))
            fail(error.text);
        lint_playbook(&arena, &playbook, &result);
        double took = cpu_ms() - start;
        best = took < best ? took : best;
        findings = result.n_findings;
        arena_release(&arena);
    }
    printf("  lint of %d lines, %d findings   %6.1f ms (at most 50)\n", LINES, findings, best);
    buf_release(&text);
    buf_release(&page);
}

/* ---- trend ---- */

static void fill_history(const char *path)
{
    sqlite3 *db;
    char sql[2048];
    snprintf(sql, sizeof sql,
             "WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < 49) "
             "INSERT INTO procedures SELECT i + 1, 'shop/' || i, 'playbook.md', 'Database', "
             "'simulated', '', 1 FROM n;"
             "WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < %d) "
             "INSERT INTO runs SELECT NULL, 1768487400 - i * 500, 'simulated', 'shop/' || (i %% 50)"
             ", 'shop', 'playbook.md', 'Database', 'namespaces', '0011223344556677', 'rehearse run "
             "drills/x.yaml --seed 1', i, i %% 3, i %% 101, 100, i %% 300, i %% 600, i %% 900, 300,"
             " i %% 200, 0, i %% 60, 'pppppp', '', i %% 50 + 1, 0 FROM n",
             RUNS - 1);
    if (sqlite3_open(path, &db) != SQLITE_OK ||
        sqlite3_exec(db, sql, NULL, NULL, NULL) != SQLITE_OK)
        fail(sqlite3_errmsg(db));
    sqlite3_close(db);
}

static void bench_trend(const char *folder)
{
    static const struct trend_choice choices[] = {{0}, {.drill = "shop/7"}};
    static const char *const names[] = {"all drills", "one drill "};
    struct history *history = NULL;
    struct error error = {""};
    char path[256];
    snprintf(path, sizeof path, "%s/history.db", folder);
    if (history_open(path, true, &history, &error))
        fail(error.text);
    history_close(history);
    fill_history(path);
    for (int k = 0; k < 2; k++) {
        double best = 1e9;
        for (int i = 0; i < ROUNDS; i++) {
            struct arena arena = {0};
            struct trend trend;
            double start = cpu_ms();
            if (history_open(path, false, &history, &error) ||
                trend_compute(&trend, history, &choices[k], 1768487400, &arena, &error))
                fail(error.text);
            history_close(history);
            double took = cpu_ms() - start;
            best = took < best ? took : best;
            arena_release(&arena);
        }
        printf("  trend over 100,000 runs, %s %5.1f ms (at most 200)\n", names[k], best);
    }
}

/* ---- check ---- */

/* Processor time of a process that has ended and was not waited for: its own, and that of the
 * children that it waited for; in clock ticks. */
static void ticks_of(pid_t pid, long ret[2])
{
    char path[64], text[1024] = "";
    snprintf(path, sizeof path, "/proc/%d/stat", (int)pid);
    FILE *file = fopen(path, "r");
    size_t n = file ? fread(text, 1, sizeof text - 1, file) : 0;
    if (file)
        fclose(file);
    text[n] = '\0';
    const char *at = strrchr(text, ')');
    long field[15] = {0}; /* from the state, which is field 3 */
    for (int i = 0; at && i < 15; i++) {
        at = strchr(at + 1, ' ');
        if (at && i > 0)
            field[i] = strtol(at, NULL, 10);
    }
    ret[0] = field[11] + field[12]; /* utime, stime */
    ret[1] = field[13] + field[14]; /* cutime, cstime */
}

static void bench_check(const char *folder)
{
    long ticks[2];
    char paths[5][256];
    static const char *const names[] = {"out", "j.xml", "s.sarif", "m.csv", "m.txt"};
    for (int i = 0; i < 5; i++)
        snprintf(paths[i], sizeof paths[i], "%s/%s", folder, names[i]);
    char history[256];
    snprintf(history, sizeof history, "%s/check.db", folder);
    fflush(NULL);
    pid_t pid = fork();
    if (pid == 0) {
        int null = open("/dev/null", O_WRONLY);
        dup2(null, STDOUT_FILENO);
        dup2(null, STDERR_FILENO);
        execl("./rehearse", "rehearse", "check", "procedures/hp_ti", "-j", "1", "--out", paths[0],
              "--junit", paths[1], "--sarif", paths[2], "--csv", paths[3], "--metrics", paths[4],
              "--history", history, (char *)NULL);
        _exit(70);
    }
    siginfo_t info;
    if (pid < 0 || waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT))
        fail("check cannot be run");
    ticks_of(pid, ticks);
    int status;
    waitpid(pid, &status, 0);
    printf("  check of a folder outside of its runs %4.1f %% of %.1f s (at most 5)\n",
           100.0 * (double)ticks[0] / (double)(ticks[0] + ticks[1] ? ticks[0] + ticks[1] : 1),
           (double)(ticks[0] + ticks[1]) / (double)sysconf(_SC_CLK_TCK));
}

int main(void)
{
    char folder[] = "/tmp/rehearse-bench-XXXXXX", command[128];
    if (!mkdtemp(folder))
        return 1;
    bench_html();
    bench_lint();
    bench_trend(folder);
    bench_check(folder);
    snprintf(command, sizeof command, "rm -rf %s", folder);
    return system(command) != 0;
}
