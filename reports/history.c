#include "reports/history.h"

#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <sqlite3.h>

#include "reports/json_writer.h"
#include "sim/base/xalloc.h"

enum { BUSY_MS = 30000 };

struct history {
    sqlite3 *db;
    char *path;
};

/* Step i takes a file from version i to version i + 1. Never change one that was released: add
 * another. */
static const char *const migrations[] = {
    "CREATE TABLE runs (id INTEGER PRIMARY KEY, at_s INTEGER NOT NULL, kind TEXT NOT NULL, drill "
    "TEXT NOT NULL,"
    " system TEXT NOT NULL, playbook TEXT NOT NULL, section TEXT NOT NULL, tier TEXT NOT NULL, "
    "fingerprint TEXT NOT NULL,"
    " replay TEXT NOT NULL, seed INTEGER NOT NULL, verdict INTEGER NOT NULL, score REAL, "
    "score_possible REAL,"
    " time_to_detect_s REAL, time_to_decide_s REAL, rollback_s REAL, time_to_stable_s REAL, "
    "downtime_s REAL,"
    " records_lost REAL, claim_error_s REAL, gates TEXT NOT NULL);"
    "CREATE INDEX runs_by_drill ON runs (drill, at_s);"
    "CREATE INDEX runs_by_time ON runs (at_s);",

    /* drills that people held */
    "ALTER TABLE runs ADD COLUMN people TEXT NOT NULL DEFAULT '';",

    /* what is still open, kept up to date by every added run so that asking costs nothing */
    "CREATE TABLE open_findings (drill TEXT NOT NULL, id TEXT NOT NULL, file TEXT NOT NULL, "
    "message TEXT NOT NULL,"
    " severity INTEGER NOT NULL, first_s INTEGER NOT NULL, last_s INTEGER NOT NULL, seen INTEGER "
    "NOT NULL,"
    " PRIMARY KEY (drill, id, file)) WITHOUT ROWID;"
    "CREATE TABLE findings (run INTEGER NOT NULL REFERENCES runs (id), id TEXT NOT NULL, severity "
    "INTEGER NOT NULL,"
    " file TEXT NOT NULL, line INTEGER NOT NULL, message TEXT NOT NULL, waived TEXT);"
    "CREATE INDEX findings_by_run ON findings (run);",
};
enum { VERSION = sizeof migrations / sizeof *migrations };

#define RUN_COLUMNS                                                                                \
    "id, at_s, kind, drill, system, playbook, section, tier, fingerprint, replay, seed, verdict, " \
    "score, score_possible,"                                                                       \
    " time_to_detect_s, time_to_decide_s, rollback_s, time_to_stable_s, downtime_s, "              \
    "records_lost, claim_error_s, gates,"                                                          \
    " people"

static int complain(const struct history *history, struct error *error)
{
    return error_set(error, ERROR_INPUT, "%s: %s", history->path,
                     history->db ? sqlite3_errmsg(history->db) : "cannot open");
}

static int run_sql(struct history *history, const char *sql, struct error *error)
{
    return sqlite3_exec(history->db, sql, NULL, NULL, NULL) == SQLITE_OK ? 0
                                                                         : complain(history, error);
}

static int version_of(struct history *history)
{
    sqlite3_stmt *statement;
    int version = -1;
    if (sqlite3_prepare_v2(history->db, "PRAGMA user_version", -1, &statement, NULL) == SQLITE_OK &&
        sqlite3_step(statement) == SQLITE_ROW)
        version = sqlite3_column_int(statement, 0);
    sqlite3_finalize(statement);
    return version;
}

/* Whoever opens first migrates; the others wait, and then find the work done. */
static int migrate(struct history *history, struct error *error)
{
    if (version_of(history) == VERSION)
        return 0;
    int code = run_sql(history, "BEGIN IMMEDIATE", error);
    if (code)
        return code;
    int version = version_of(history);
    if (version < 0)
        code = complain(history, error);
    else if (version > VERSION)
        code = error_set(error, ERROR_INPUT,
                         "%s: written by a newer rehearse (history version %d, this one knows %d)",
                         history->path, version, VERSION);
    for (int i = version; code == 0 && i < VERSION; i++)
        code = run_sql(history, migrations[i], error);
    char pragma[48];
    snprintf(pragma, sizeof pragma, "PRAGMA user_version = %d", VERSION);
    if (code == 0)
        code = run_sql(history, pragma, error);
    struct error ignored;
    if (code == 0)
        return run_sql(history, "COMMIT", error);
    run_sql(history, "ROLLBACK", &ignored);
    return code;
}

/* A file that may be read and not written. SQLite reads one in WAL mode only as something that
 * nobody changes, which is so when its log is empty. */
static int open_to_read(struct history *history, struct error *error)
{
    struct buf name;
    struct stat log;
    buf_init(&name, 3 * PATH_MAX);
    buf_printf(&name, "%s-wal", history->path);
    bool settled = stat(name.at, &log) != 0 || log.st_size == 0;
    buf_clear(&name);
    buf_puts(&name, "file:");
    for (const char *at = history->path; *at; at++)
        buf_printf(&name, strchr("?#%", *at) ? "%%%02x" : "%c", *at);
    buf_puts(&name, settled ? "?immutable=1" : "?mode=ro");
    int flags = SQLITE_OPEN_READONLY | SQLITE_OPEN_URI;
    int code = 0;
    if (sqlite3_open_v2(name.at, &history->db, flags, NULL) != SQLITE_OK)
        code = complain(history, error);
    else if (version_of(history) != VERSION)
        code = error_set(error, ERROR_INPUT,
                         "%s: of another version of rehearse, and may not be written here: open it "
                         "once as its owner",
                         history->path);
    buf_release(&name);
    return code;
}

int history_open(const char *path, bool make, struct history **ret, struct error *error)
{
    struct history *history = xcalloc(1, sizeof *history);
    history->path = xstrdup(path);
    *ret = NULL;
    int flags = SQLITE_OPEN_READWRITE | (make ? SQLITE_OPEN_CREATE : 0);
    int code = 0;
    if (make)
        code = report_make_parents(path, error);
    bool read_only = !make && access(path, R_OK) == 0 && access(path, W_OK) != 0;
    if (read_only)
        code = open_to_read(history, error);
    else if (code == 0 && sqlite3_open_v2(path, &history->db, flags, NULL) != SQLITE_OK)
        code = make ? complain(history, error)
                    : error_set(error, ERROR_INPUT,
                                "%s: no history there yet: 'rehearse run', 'rehearse check' and "
                                "'rehearse history add' keep one",
                                path);
    if (code == 0 && !read_only) {
        sqlite3_busy_timeout(history->db, BUSY_MS);
        code = run_sql(history, "PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL", error);
    }
    if (code == 0 && !read_only)
        code = migrate(history, error);
    if (code) {
        history_close(history);
        return code;
    }
    *ret = history;
    return 0;
}

void history_close(struct history *history)
{
    if (!history)
        return;
    sqlite3_close(history->db);
    free(history->path);
    free(history);
}

struct history_run history_run_of(const struct summary *summary, int64_t at_s, const char *kind,
                                  const char *people)
{
    struct history_run run = {
        .at_s = at_s,
        .kind = kind,
        .drill = summary->drill,
        .system = summary->system,
        .playbook = summary->playbook,
        .section = summary->section,
        .tier = summary->tier,
        .fingerprint = summary->fingerprint,
        .replay = summary->replay,
        .people = people,
        .seed = summary->seed,
        .outcome = summary->outcome,
        .score = summary->score,
        .score_possible = summary->score_possible,
    };
    memcpy(run.measures, summary->measures, sizeof run.measures);
    for (int i = 0; i < GATES; i++)
        run.gates[i] = outcome_names[summary->gates[i]][0];
    return run;
}

/* ---- adding ---- */

static void bind_text(sqlite3_stmt *statement, int i, const char *text)
{
    sqlite3_bind_text(statement, i, text ? text : "", -1, SQLITE_STATIC);
}

static void bind_number(sqlite3_stmt *statement, int i, double value)
{
    if (isfinite(value))
        sqlite3_bind_double(statement, i, value);
    else
        sqlite3_bind_null(statement, i);
}

static int prepare(struct history *history, const char *sql, sqlite3_stmt **ret,
                   struct error *error)
{
    return sqlite3_prepare_v2(history->db, sql, -1, ret, NULL) == SQLITE_OK
               ? 0
               : complain(history, error);
}

/* Runs a statement that gives no rows, and makes it ready for its next use. */
static int step_once(struct history *history, sqlite3_stmt *statement, struct error *error)
{
    int code = sqlite3_step(statement) == SQLITE_DONE ? 0 : complain(history, error);
    sqlite3_reset(statement);
    return code;
}

static int insert_run(struct history *history, const struct history_run *run, struct error *error)
{
    sqlite3_stmt *statement;
    int code = prepare(history,
                       "INSERT INTO runs (" RUN_COLUMNS
                       ") VALUES (NULL, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, "
                       "?, ?, ?)",
                       &statement, error);
    if (code)
        return code;
    const char *const texts[] = {run->kind,    run->drill, run->system,      run->playbook,
                                 run->section, run->tier,  run->fingerprint, run->replay};
    int at = 1;
    sqlite3_bind_int64(statement, at++, run->at_s);
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        bind_text(statement, at++, texts[i]);
    sqlite3_bind_int64(statement, at++, run->seed);
    sqlite3_bind_int(statement, at++, (int)run->outcome);
    bind_number(statement, at++, run->score);
    bind_number(statement, at++, run->score_possible);
    for (int i = 0; i < MEASURES; i++)
        bind_number(statement, at++, run->measures[i]);
    bind_text(statement, at++, run->gates);
    bind_text(statement, at++, run->people);
    code = step_once(history, statement, error);
    sqlite3_finalize(statement);
    return code;
}

static int insert_findings(struct history *history, int64_t run,
                           const struct summary_finding *findings, int n, struct error *error)
{
    sqlite3_stmt *statement;
    int code =
        prepare(history, "INSERT INTO findings VALUES (?, ?, ?, ?, ?, ?, ?)", &statement, error);
    for (int i = 0; code == 0 && i < n; i++) {
        sqlite3_bind_int64(statement, 1, run);
        bind_text(statement, 2, findings[i].id);
        sqlite3_bind_int(statement, 3, (int)findings[i].severity);
        bind_text(statement, 4, findings[i].file);
        sqlite3_bind_int(statement, 5, findings[i].line);
        bind_text(statement, 6, findings[i].message);
        sqlite3_bind_text(statement, 7, findings[i].waived, -1, SQLITE_STATIC);
        code = step_once(history, statement, error);
    }
    sqlite3_finalize(statement);
    return code;
}

static int64_t newest_of(struct history *history, const char *drill)
{
    sqlite3_stmt *statement;
    int64_t newest = INT64_MIN;
    if (sqlite3_prepare_v2(history->db, "SELECT max(at_s) FROM runs WHERE drill = ?", -1,
                           &statement, NULL) == SQLITE_OK) {
        bind_text(statement, 1, drill);
        if (sqlite3_step(statement) == SQLITE_ROW &&
            sqlite3_column_type(statement, 0) != SQLITE_NULL)
            newest = sqlite3_column_int64(statement, 0);
    }
    sqlite3_finalize(statement);
    return newest;
}

/* What the newest run has is open; what it has no more is closed. */
static int update_open(struct history *history, const struct history_run *run, int64_t id,
                       const struct summary_finding *findings, int n, struct error *error)
{
    sqlite3_stmt *statement, *close;
    int code = prepare(history,
                       "INSERT INTO open_findings VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT "
                       "(drill, id, file) DO UPDATE SET "
                       "message = excluded.message, severity = min(excluded.severity, CASE WHEN "
                       "seen = excluded.seen THEN "
                       "severity ELSE 9 END), last_s = excluded.last_s, seen = excluded.seen",
                       &statement, error);
    for (int i = 0; code == 0 && i < n; i++) {
        if (findings[i].severity == SEVERITY_NOTE || findings[i].waived)
            continue;
        bind_text(statement, 1, run->drill);
        bind_text(statement, 2, findings[i].id);
        bind_text(statement, 3, findings[i].file);
        bind_text(statement, 4, findings[i].message);
        sqlite3_bind_int(statement, 5, (int)findings[i].severity);
        sqlite3_bind_int64(statement, 6, run->at_s);
        sqlite3_bind_int64(statement, 7, run->at_s);
        sqlite3_bind_int64(statement, 8, id);
        code = step_once(history, statement, error);
    }
    sqlite3_finalize(statement);
    if (code == 0)
        code = prepare(history, "DELETE FROM open_findings WHERE drill = ? AND seen <> ?", &close,
                       error);
    if (code)
        return code;
    bind_text(close, 1, run->drill);
    sqlite3_bind_int64(close, 2, id);
    code = step_once(history, close, error);
    sqlite3_finalize(close);
    return code;
}

/* Within a transaction of the caller. */
static int add(struct history *history, const struct history_run *run,
               const struct summary_finding *findings, int n, int64_t *ret_id, struct error *error)
{
    bool newest = newest_of(history, run->drill) <= run->at_s;
    int code = insert_run(history, run, error);
    int64_t id = sqlite3_last_insert_rowid(history->db);
    if (code == 0)
        code = insert_findings(history, id, findings, n, error);
    if (code == 0 && newest)
        code = update_open(history, run, id, findings, n, error);
    if (code == 0 && ret_id)
        *ret_id = id;
    return code;
}

int history_begin(struct history *history, struct error *error)
{
    return run_sql(history, "BEGIN IMMEDIATE", error);
}

int history_end(struct history *history, int code, struct error *error)
{
    struct error ignored;
    if (code == 0)
        code = run_sql(history, "COMMIT", error);
    if (code)
        run_sql(history, "ROLLBACK", &ignored);
    return code;
}

int history_add(struct history *history, const struct history_run *run,
                const struct summary_finding *findings, int n_findings, int64_t *ret_id,
                struct error *error)
{
    int code = history_begin(history, error);
    return code ? code
                : history_end(history, add(history, run, findings, n_findings, ret_id, error),
                              error);
}

int history_add_new(struct history *history, const struct history_run *run,
                    const struct summary_finding *findings, int n_findings, bool *ret_added,
                    struct error *error)
{
    sqlite3_stmt *same;
    int code = prepare(
        history, "SELECT 1 FROM runs WHERE drill = ? AND at_s = ? AND seed = ? AND fingerprint = ?",
        &same, error);
    if (code)
        return code;
    bind_text(same, 1, run->drill);
    sqlite3_bind_int64(same, 2, run->at_s);
    sqlite3_bind_int64(same, 3, run->seed);
    bind_text(same, 4, run->fingerprint);
    *ret_added = sqlite3_step(same) != SQLITE_ROW;
    sqlite3_finalize(same);
    return *ret_added ? add(history, run, findings, n_findings, NULL, error) : 0;
}

int history_forget_held(struct history *history, const struct history_run *run, struct error *error)
{
    static const char *const statements[] = {
        "DELETE FROM findings WHERE run IN (SELECT id FROM runs WHERE drill = ? AND at_s = ? AND "
        "kind = 'held')",
        "DELETE FROM runs WHERE drill = ? AND at_s = ? AND kind = 'held'",
    };
    int code = 0;
    for (int i = 0; code == 0 && i < 2; i++) {
        sqlite3_stmt *statement;
        code = prepare(history, statements[i], &statement, error);
        if (code)
            return code;
        bind_text(statement, 1, run->drill);
        sqlite3_bind_int64(statement, 2, run->at_s);
        code = step_once(history, statement, error);
        sqlite3_finalize(statement);
    }
    return code;
}

/* ---- asking ---- */

static const char *column_text(sqlite3_stmt *statement, int i)
{
    const unsigned char *text = sqlite3_column_text(statement, i);
    return text ? (const char *)text : "";
}

static double column_number(sqlite3_stmt *statement, int i)
{
    return sqlite3_column_type(statement, i) == SQLITE_NULL ? NAN
                                                            : sqlite3_column_double(statement, i);
}

static enum outcome outcome_of(int64_t value)
{
    return value == OUTCOME_PASS || value == OUTCOME_FAIL ? (enum outcome)value : OUTCOME_UNKNOWN;
}

static struct history_run run_of_row(sqlite3_stmt *row)
{
    struct history_run run = {
        .id = sqlite3_column_int64(row, 0),
        .at_s = sqlite3_column_int64(row, 1),
        .kind = column_text(row, 2),
        .drill = column_text(row, 3),
        .system = column_text(row, 4),
        .playbook = column_text(row, 5),
        .section = column_text(row, 6),
        .tier = column_text(row, 7),
        .fingerprint = column_text(row, 8),
        .replay = column_text(row, 9),
        .seed = sqlite3_column_int64(row, 10),
        .outcome = outcome_of(sqlite3_column_int64(row, 11)),
        .score = column_number(row, 12),
        .score_possible = column_number(row, 13),
    };
    for (int i = 0; i < MEASURES; i++)
        run.measures[i] = column_number(row, 14 + i);
    snprintf(run.gates, sizeof run.gates, "%s", column_text(row, 14 + MEASURES));
    run.people = column_text(row, 15 + MEASURES);
    return run;
}

int history_each(struct history *history, const char *drill, int limit, history_fn *fn, void *ctx,
                 struct error *error)
{
    sqlite3_stmt *row;
    int code =
        prepare(history,
                drill ? "SELECT " RUN_COLUMNS
                        " FROM runs WHERE drill = ?1 ORDER BY at_s DESC, id DESC LIMIT ?2"
                      : "SELECT " RUN_COLUMNS " FROM runs ORDER BY at_s DESC, id DESC LIMIT ?2",
                &row, error);
    if (code)
        return code;
    if (drill)
        bind_text(row, 1, drill);
    sqlite3_bind_int(row, 2, limit > 0 ? limit : -1);
    int step;
    while ((step = sqlite3_step(row)) == SQLITE_ROW) {
        struct history_run run = run_of_row(row);
        fn(ctx, &run);
    }
    if (step != SQLITE_DONE)
        code = complain(history, error);
    sqlite3_finalize(row);
    return code;
}

int history_points(struct history *history, const char *drill, int64_t from_s, int64_t to_s,
                   history_point_fn *fn, void *ctx, struct error *error)
{
    sqlite3_stmt *row;
    int code = prepare(history,
                       drill ? "SELECT at_s, verdict, score, time_to_detect_s, time_to_decide_s, "
                               "rollback_s, time_to_stable_s, "
                               "downtime_s, records_lost, claim_error_s FROM runs WHERE drill = ?3 "
                               "AND at_s >= ?1 AND at_s < ?2"
                             : "SELECT at_s, verdict, score, time_to_detect_s, time_to_decide_s, "
                               "rollback_s, time_to_stable_s, "
                               "downtime_s, records_lost, claim_error_s FROM runs NOT INDEXED "
                               "WHERE at_s >= ?1 AND at_s < ?2",
                       &row, error);
    if (code)
        return code;
    sqlite3_bind_int64(row, 1, from_s);
    sqlite3_bind_int64(row, 2, to_s);
    if (drill)
        bind_text(row, 3, drill);
    int step;
    while ((step = sqlite3_step(row)) == SQLITE_ROW) {
        struct history_point point = {.at_s = sqlite3_column_int64(row, 0),
                                      .outcome = outcome_of(sqlite3_column_int64(row, 1)),
                                      .score = column_number(row, 2)};
        for (int i = 0; i < MEASURES; i++)
            point.measures[i] = column_number(row, 3 + i);
        fn(ctx, &point);
    }
    if (step != SQLITE_DONE)
        code = complain(history, error);
    sqlite3_finalize(row);
    return code;
}

int history_totals(struct history *history, const char *drill, int64_t now_s, int *ret_runs,
                   int64_t *ret_last_pass_s, struct error *error)
{
    sqlite3_stmt *row;
    int code = prepare(history,
                       drill ? "SELECT count(*), max(CASE WHEN verdict = 0 AND at_s <= ?1 THEN "
                               "at_s END) FROM runs WHERE drill = ?2"
                             : "SELECT (SELECT count(*) FROM runs), (SELECT at_s FROM runs WHERE "
                               "verdict = 0 AND at_s <= ?1 "
                               "ORDER BY at_s DESC LIMIT 1)",
                       &row, error);
    if (code)
        return code;
    sqlite3_bind_int64(row, 1, now_s);
    if (drill)
        bind_text(row, 2, drill);
    if (sqlite3_step(row) == SQLITE_ROW) {
        *ret_runs = sqlite3_column_int(row, 0);
        *ret_last_pass_s =
            sqlite3_column_type(row, 1) == SQLITE_NULL ? INT64_MIN : sqlite3_column_int64(row, 1);
    } else {
        code = complain(history, error);
    }
    sqlite3_finalize(row);
    return code;
}

int history_open_findings(struct history *history, const char *drill, struct arena *arena,
                          struct open_finding **ret, int *ret_n, struct error *error)
{
    sqlite3_stmt *row;
    *ret = NULL;
    *ret_n = 0;
    int code = prepare(history,
                       "SELECT drill, id, file, message, severity, first_s, last_s, count(*) OVER "
                       "() FROM open_findings "
                       "WHERE ?1 IS NULL OR drill = ?1 ORDER BY first_s, drill, id, file",
                       &row, error);
    if (code)
        return code;
    if (drill)
        bind_text(row, 1, drill);
    int step;
    while ((step = sqlite3_step(row)) == SQLITE_ROW) {
        if (!*ret)
            *ret = ARENA_ARRAY(arena, struct open_finding, sqlite3_column_int(row, 7));
        (*ret)[(*ret_n)++] = (struct open_finding){
            .drill = arena_strdup(arena, column_text(row, 0)),
            .id = arena_strdup(arena, column_text(row, 1)),
            .file = arena_strdup(arena, column_text(row, 2)),
            .message = arena_strdup(arena, column_text(row, 3)),
            .severity =
                sqlite3_column_int(row, 4) == SEVERITY_ERROR ? SEVERITY_ERROR : SEVERITY_WARNING,
            .first_s = sqlite3_column_int64(row, 5),
            .last_s = sqlite3_column_int64(row, 6),
        };
    }
    if (step != SQLITE_DONE)
        code = complain(history, error);
    sqlite3_finalize(row);
    return code;
}

/* ---- export and import ---- */

static void put_findings(struct json_writer *json, sqlite3_stmt *findings, int64_t run)
{
    sqlite3_bind_int64(findings, 1, run);
    json_open_array(json, "findings");
    while (sqlite3_step(findings) == SQLITE_ROW) {
        int severity = sqlite3_column_int(findings, 1);
        json_open_object(json, NULL);
        json_string(json, "id", column_text(findings, 0));
        json_string(json, "severity",
                    severity_names[severity >= 0 && severity <= 2 ? severity : 2]);
        json_string(json, "file", column_text(findings, 2));
        json_integer(json, "line", sqlite3_column_int64(findings, 3));
        json_string(json, "message", column_text(findings, 4));
        if (sqlite3_column_type(findings, 5) != SQLITE_NULL)
            json_string(json, "waived", column_text(findings, 5));
        json_close_object(json);
    }
    json_close_array(json);
    sqlite3_reset(findings);
}

static void put_run(struct buf *buf, const struct history_run *run, sqlite3_stmt *findings)
{
    struct json_writer writer = {.buf = buf, .compact = true}, *json = &writer;
    json_open_object(json, NULL);
    json_string(json, "format", "rehearse.history/1");
    json_integer(json, "at_s", run->at_s);
    json_string(json, "kind", run->kind);
    json_string(json, "drill", run->drill);
    json_string(json, "system", run->system);
    json_string(json, "playbook", run->playbook);
    json_string(json, "section", run->section);
    json_string(json, "tier", run->tier);
    json_string(json, "fingerprint", run->fingerprint);
    json_string(json, "replay", run->replay);
    json_string(json, "people", run->people);
    json_integer(json, "seed", run->seed);
    json_string(json, "verdict", outcome_names[run->outcome]);
    json_number(json, "score", run->score);
    json_number(json, "score_possible", run->score_possible);
    for (int i = 0; i < MEASURES; i++)
        json_number(json, measure_names[i], run->measures[i]);
    json_string(json, "gates", run->gates);
    put_findings(json, findings, run->id);
    json_close_object(json);
}

int history_export(struct history *history, struct buf *buf, struct error *error)
{
    sqlite3_stmt *row = NULL, *findings = NULL;
    int code = run_sql(history, "BEGIN", error); /* one moment for both tables */
    if (code)
        return code;
    code = prepare(history, "SELECT " RUN_COLUMNS " FROM runs ORDER BY at_s, id", &row, error);
    if (code == 0)
        code = prepare(history,
                       "SELECT id, severity, file, line, message, waived FROM findings WHERE run = "
                       "? ORDER BY rowid",
                       &findings, error);
    int step = SQLITE_DONE;
    while (code == 0 && (step = sqlite3_step(row)) == SQLITE_ROW) {
        struct history_run run = run_of_row(row);
        put_run(buf, &run, findings);
    }
    if (code == 0 && step != SQLITE_DONE)
        code = complain(history, error);
    sqlite3_finalize(row);
    sqlite3_finalize(findings);
    return history_end(history, code, error);
}
