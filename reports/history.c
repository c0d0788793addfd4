#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "reports/history_db.h"
#include "reports/report.h"
#include "sim/base/xalloc.h"

enum { BUSY_MS = 30000 };

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

    /* which procedure a run ran and from which inputs; what is open is open of a procedure */
    "CREATE TABLE procedures (id INTEGER PRIMARY KEY, drill TEXT NOT NULL, playbook TEXT NOT NULL,"
    " section TEXT NOT NULL, kind TEXT NOT NULL, revision TEXT NOT NULL, own_s INTEGER);"
    "CREATE INDEX procedures_by_drill ON procedures (drill);"
    "CREATE TABLE inputs (id INTEGER PRIMARY KEY, text TEXT NOT NULL UNIQUE);"
    "INSERT INTO procedures (drill, playbook, section, kind, revision, own_s)"
    " SELECT drill, playbook, section, kind, '', max(CASE WHEN instr(replay, ' --playbook ') = 0"
    " AND instr(replay, ' --section ') = 0 THEN at_s END)"
    " FROM runs GROUP BY drill, playbook, section, kind;"
    "ALTER TABLE runs ADD COLUMN procedure INTEGER NOT NULL DEFAULT 0;"
    "ALTER TABLE runs ADD COLUMN inputs INTEGER NOT NULL DEFAULT 0;"
    "UPDATE runs SET procedure = (SELECT id FROM procedures AS p WHERE p.drill = runs.drill AND"
    " p.playbook = runs.playbook AND p.section = runs.section AND p.kind = runs.kind);"
    "CREATE INDEX runs_by_procedure ON runs (procedure, at_s, verdict);"
    "CREATE TABLE open_of (procedure INTEGER NOT NULL, id TEXT NOT NULL, file TEXT NOT NULL,"
    " message TEXT NOT NULL, severity INTEGER NOT NULL, first_s INTEGER NOT NULL,"
    " last_s INTEGER NOT NULL, seen INTEGER NOT NULL, PRIMARY KEY (procedure, id, file))"
    " WITHOUT ROWID;"
    "INSERT INTO open_of SELECT r.procedure, o.id, o.file, o.message, o.severity, o.first_s,"
    " o.last_s, o.seen FROM open_findings AS o JOIN runs AS r ON r.id = o.seen;"
    "DROP TABLE open_findings;"
    "ALTER TABLE open_of RENAME TO open_findings;",
};
enum { VERSION = sizeof migrations / sizeof *migrations };

int history_complain(const struct history *history, struct error *error)
{
    return error_set(error, ERROR_INPUT, "%s: %s", history->path,
                     history->db ? sqlite3_errmsg(history->db) : "cannot open");
}

int history_sql(struct history *history, const char *sql, struct error *error)
{
    return sqlite3_exec(history->db, sql, NULL, NULL, NULL) == SQLITE_OK
               ? 0
               : history_complain(history, error);
}

int history_prepare(struct history *history, const char *sql, sqlite3_stmt **ret,
                    struct error *error)
{
    return sqlite3_prepare_v2(history->db, sql, -1, ret, NULL) == SQLITE_OK
               ? 0
               : history_complain(history, error);
}

int history_finish(struct history *history, sqlite3_stmt *statement, int step, struct error *error)
{
    int code = step == SQLITE_DONE ? 0 : history_complain(history, error);
    sqlite3_finalize(statement);
    return code;
}

void history_bind_text(sqlite3_stmt *statement, int i, const char *text)
{
    sqlite3_bind_text(statement, i, text ? text : "", -1, SQLITE_STATIC);
}

const char *history_text(sqlite3_stmt *statement, int i)
{
    const unsigned char *text = sqlite3_column_text(statement, i);
    return text ? (const char *)text : "";
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
    int code = history_sql(history, "BEGIN IMMEDIATE", error);
    if (code)
        return code;
    int version = version_of(history);
    if (version < 0)
        code = history_complain(history, error);
    else if (version > VERSION)
        code = error_set(error, ERROR_INPUT,
                         "%s: written by a newer rehearse (history version %d, this one knows %d)",
                         history->path, version, VERSION);
    for (int i = version; code == 0 && i < VERSION; i++)
        code = history_sql(history, migrations[i], error);
    char pragma[48];
    snprintf(pragma, sizeof pragma, "PRAGMA user_version = %d", VERSION);
    if (code == 0)
        code = history_sql(history, pragma, error);
    struct error ignored;
    if (code == 0)
        return history_sql(history, "COMMIT", error);
    history_sql(history, "ROLLBACK", &ignored);
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
        code = history_complain(history, error);
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
        code = make ? history_complain(history, error)
                    : error_set(error, ERROR_INPUT,
                                "%s: no history there yet: 'rehearse run', 'rehearse check' and "
                                "'rehearse history add' keep one",
                                path);
    if (code == 0 && !read_only) {
        sqlite3_busy_timeout(history->db, BUSY_MS);
        code =
            history_sql(history, "PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL", error);
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
