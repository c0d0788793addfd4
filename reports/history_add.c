/* Adding to a history: runs, their findings, the procedures they ran and what is still open. */
#include <math.h>
#include <string.h>

#include "reports/history_db.h"

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
        .inputs = summary->inputs,
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

static void bind_number(sqlite3_stmt *statement, int i, double value)
{
    if (isfinite(value))
        sqlite3_bind_double(statement, i, value);
    else
        sqlite3_bind_null(statement, i);
}

/* Runs a statement that gives no rows, and makes it ready for its next use. */
static int step_once(struct history *history, sqlite3_stmt *statement, struct error *error)
{
    int code = sqlite3_step(statement) == SQLITE_DONE ? 0 : history_complain(history, error);
    sqlite3_reset(statement);
    return code;
}

/* ---- the procedure of a run ---- */

bool history_is_own(const struct history_run *run)
{
    return !strstr(run->replay, " --playbook ") && !strstr(run->replay, " --section ");
}

/* The value of one of a run's inputs, or the empty slice. */
static struct str input_of(const char *inputs, const char *what)
{
    struct str rest = str_of(inputs);
    while (rest.len) {
        struct str value = str_cut(&rest, '\n');
        if (str_is(str_cut(&value, '\t'), what))
            return value;
    }
    return (struct str){0};
}

/* How surely the row, which has the run's drill, section and kind, is of the run's document: 0 it
 * is not. A file keeps its series when it is edited, when it is moved unchanged, and, as the
 * drill's own document, when it is named as seen from another folder. */
static int likeness(sqlite3_stmt *row, const struct history_run *run, struct str revision)
{
    const char *playbook = history_text(row, 1);
    if (strcmp(playbook, run->playbook) == 0)
        return 3;
    if (revision.len && str_is(revision, history_text(row, 2)))
        return 2;
    bool both_own = sqlite3_column_type(row, 3) != SQLITE_NULL && history_is_own(run);
    return both_own && summary_same_file(playbook, run->playbook) ? 1 : 0;
}

static int find_procedure(struct history *history, const struct history_run *run,
                          struct str revision, int64_t *ret, struct error *error)
{
    sqlite3_stmt *row;
    int best = 0, step;
    int code = history_prepare(history,
                               "SELECT id, playbook, revision, own_s FROM procedures WHERE drill = "
                               "? AND section = ? AND kind = ? ORDER BY id",
                               &row, error);
    if (code)
        return code;
    history_bind_text(row, 1, run->drill);
    history_bind_text(row, 2, run->section);
    history_bind_text(row, 3, run->kind);
    *ret = 0;
    while ((step = sqlite3_step(row)) == SQLITE_ROW) {
        int like = likeness(row, run, revision);
        if (like > best) {
            best = like;
            *ret = sqlite3_column_int64(row, 0);
        }
    }
    return history_finish(history, row, step, error);
}

/* Finds or makes the row of the run's procedure, and notes what this run says of it. */
static int procedure_of(struct history *history, const struct history_run *run, int64_t *ret,
                        struct error *error)
{
    struct str revision = input_of(run->inputs, "playbook sha256");
    sqlite3_stmt *make, *note;
    int code = find_procedure(history, run, revision, ret, error);
    if (code == 0 && *ret == 0) {
        code = history_prepare(history,
                               "INSERT INTO procedures (drill, playbook, section, kind, revision) "
                               "VALUES (?, ?, ?, ?, '')",
                               &make, error);
        if (code)
            return code;
        history_bind_text(make, 1, run->drill);
        history_bind_text(make, 2, run->playbook);
        history_bind_text(make, 3, run->section);
        history_bind_text(make, 4, run->kind);
        code = step_once(history, make, error);
        sqlite3_finalize(make);
        *ret = sqlite3_last_insert_rowid(history->db);
    }
    if (code == 0)
        code = history_prepare(history,
                               "UPDATE procedures SET revision = CASE ?1 WHEN '' THEN revision "
                               "ELSE ?1 END, own_s = CASE WHEN ?2 THEN max(ifnull(own_s, ?3), ?3) "
                               "ELSE own_s END WHERE id = ?4",
                               &note, error);
    if (code)
        return code;
    sqlite3_bind_text(note, 1, revision.len ? revision.at : "", (int)revision.len, SQLITE_STATIC);
    sqlite3_bind_int(note, 2, history_is_own(run));
    sqlite3_bind_int64(note, 3, run->at_s);
    sqlite3_bind_int64(note, 4, *ret);
    code = step_once(history, note, error);
    sqlite3_finalize(note);
    return code;
}

/* ---- the run itself ---- */

/* Many runs have the same inputs: they are kept once. */
static int keep_inputs(struct history *history, const char *inputs, struct error *error)
{
    sqlite3_stmt *statement;
    if (!*inputs)
        return 0;
    int code = history_prepare(history, "INSERT OR IGNORE INTO inputs (text) VALUES (?)",
                               &statement, error);
    if (code)
        return code;
    history_bind_text(statement, 1, inputs);
    code = step_once(history, statement, error);
    sqlite3_finalize(statement);
    return code;
}

static int insert_run(struct history *history, const struct history_run *run, int64_t procedure,
                      struct error *error)
{
    sqlite3_stmt *statement;
    int code = keep_inputs(history, run->inputs, error);
    if (code == 0)
        code = history_prepare(
            history,
            "INSERT INTO runs (procedure, at_s, kind, drill, system, playbook, section, tier,"
            " fingerprint, replay, seed, verdict, score, score_possible, time_to_detect_s,"
            " time_to_decide_s, rollback_s, time_to_stable_s, downtime_s, records_lost,"
            " claim_error_s, gates, people, inputs) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?,"
            " ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ifnull((SELECT id FROM inputs WHERE text = ?), 0))",
            &statement, error);
    if (code)
        return code;
    const char *const texts[] = {run->kind,    run->drill, run->system,      run->playbook,
                                 run->section, run->tier,  run->fingerprint, run->replay};
    int at = 1;
    sqlite3_bind_int64(statement, at++, procedure);
    sqlite3_bind_int64(statement, at++, run->at_s);
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        history_bind_text(statement, at++, texts[i]);
    sqlite3_bind_int64(statement, at++, run->seed);
    sqlite3_bind_int(statement, at++, (int)run->outcome);
    bind_number(statement, at++, run->score);
    bind_number(statement, at++, run->score_possible);
    for (int i = 0; i < MEASURES; i++)
        bind_number(statement, at++, run->measures[i]);
    history_bind_text(statement, at++, run->gates);
    history_bind_text(statement, at++, run->people);
    history_bind_text(statement, at++, run->inputs);
    code = step_once(history, statement, error);
    sqlite3_finalize(statement);
    return code;
}

static int insert_findings(struct history *history, int64_t run,
                           const struct summary_finding *findings, int n, struct error *error)
{
    sqlite3_stmt *statement;
    int code = history_prepare(history, "INSERT INTO findings VALUES (?, ?, ?, ?, ?, ?, ?)",
                               &statement, error);
    for (int i = 0; code == 0 && i < n; i++) {
        sqlite3_bind_int64(statement, 1, run);
        history_bind_text(statement, 2, findings[i].id);
        sqlite3_bind_int(statement, 3, (int)findings[i].severity);
        history_bind_text(statement, 4, findings[i].file);
        sqlite3_bind_int(statement, 5, findings[i].line);
        history_bind_text(statement, 6, findings[i].message);
        sqlite3_bind_text(statement, 7, findings[i].waived, -1, SQLITE_STATIC);
        code = step_once(history, statement, error);
    }
    sqlite3_finalize(statement);
    return code;
}

static int64_t newest_of(struct history *history, int64_t procedure)
{
    sqlite3_stmt *statement;
    int64_t newest = INT64_MIN;
    if (sqlite3_prepare_v2(history->db, "SELECT max(at_s) FROM runs WHERE procedure = ?", -1,
                           &statement, NULL) == SQLITE_OK) {
        sqlite3_bind_int64(statement, 1, procedure);
        if (sqlite3_step(statement) == SQLITE_ROW &&
            sqlite3_column_type(statement, 0) != SQLITE_NULL)
            newest = sqlite3_column_int64(statement, 0);
    }
    sqlite3_finalize(statement);
    return newest;
}

/* What the newest run of a procedure has is open; what it has no more is closed. */
static int update_open(struct history *history, const struct history_run *run, int64_t procedure,
                       int64_t id, const struct summary_finding *findings, int n,
                       struct error *error)
{
    sqlite3_stmt *statement, *close;
    int code =
        history_prepare(history,
                        "INSERT INTO open_findings VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT "
                        "(procedure, id, file) DO UPDATE SET "
                        "message = excluded.message, severity = min(excluded.severity, CASE WHEN "
                        "seen = excluded.seen THEN "
                        "severity ELSE 9 END), last_s = excluded.last_s, seen = excluded.seen",
                        &statement, error);
    for (int i = 0; code == 0 && i < n; i++) {
        if (findings[i].severity == SEVERITY_NOTE || findings[i].waived)
            continue;
        sqlite3_bind_int64(statement, 1, procedure);
        history_bind_text(statement, 2, findings[i].id);
        history_bind_text(statement, 3, findings[i].file);
        history_bind_text(statement, 4, findings[i].message);
        sqlite3_bind_int(statement, 5, (int)findings[i].severity);
        sqlite3_bind_int64(statement, 6, run->at_s);
        sqlite3_bind_int64(statement, 7, run->at_s);
        sqlite3_bind_int64(statement, 8, id);
        code = step_once(history, statement, error);
    }
    sqlite3_finalize(statement);
    if (code == 0)
        code = history_prepare(
            history, "DELETE FROM open_findings WHERE procedure = ? AND seen <> ?", &close, error);
    if (code)
        return code;
    sqlite3_bind_int64(close, 1, procedure);
    sqlite3_bind_int64(close, 2, id);
    code = step_once(history, close, error);
    sqlite3_finalize(close);
    return code;
}

/* The run with "" for what it does not say. */
static struct history_run complete(const struct history_run *run)
{
    struct history_run all = *run;
    const char **texts[] = {&all.kind, &all.drill,  &all.system, &all.playbook, &all.section,
                            &all.tier, &all.replay, &all.people, &all.inputs,   &all.fingerprint};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        *texts[i] = *texts[i] ? *texts[i] : "";
    return all;
}

/* Within a transaction of the caller. */
static int add(struct history *history, const struct history_run *given,
               const struct summary_finding *findings, int n, int64_t *ret_id, struct error *error)
{
    const struct history_run all = complete(given), *run = &all;
    int64_t procedure = 0;
    int code = procedure_of(history, run, &procedure, error);
    bool newest = newest_of(history, procedure) <= run->at_s;
    if (code == 0)
        code = insert_run(history, run, procedure, error);
    int64_t id = sqlite3_last_insert_rowid(history->db);
    if (code == 0)
        code = insert_findings(history, id, findings, n, error);
    if (code == 0 && newest)
        code = update_open(history, run, procedure, id, findings, n, error);
    if (code == 0 && ret_id)
        *ret_id = id;
    return code;
}

int history_begin(struct history *history, struct error *error)
{
    return history_sql(history, "BEGIN IMMEDIATE", error);
}

int history_end(struct history *history, int code, struct error *error)
{
    struct error ignored;
    if (code == 0)
        code = history_sql(history, "COMMIT", error);
    if (code)
        history_sql(history, "ROLLBACK", &ignored);
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
    int code = history_prepare(
        history, "SELECT 1 FROM runs WHERE drill = ? AND at_s = ? AND seed = ? AND fingerprint = ?",
        &same, error);
    if (code)
        return code;
    history_bind_text(same, 1, run->drill);
    sqlite3_bind_int64(same, 2, run->at_s);
    sqlite3_bind_int64(same, 3, run->seed);
    history_bind_text(same, 4, run->fingerprint);
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
        code = history_prepare(history, statements[i], &statement, error);
        if (code)
            return code;
        history_bind_text(statement, 1, run->drill);
        sqlite3_bind_int64(statement, 2, run->at_s);
        code = step_once(history, statement, error);
        sqlite3_finalize(statement);
    }
    return code;
}
