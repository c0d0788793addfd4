/* Asking a history. */
#include <math.h>
#include <stdio.h>

#include "reports/history_db.h"

#define RUN_COLUMNS                                                                                \
    "id, at_s, kind, drill, system, playbook, section, tier, fingerprint, replay, seed, verdict, " \
    "score, score_possible, time_to_detect_s, time_to_decide_s, rollback_s, time_to_stable_s,"     \
    " downtime_s, records_lost, claim_error_s, gates, people,"                                     \
    " (SELECT text FROM inputs WHERE inputs.id = runs.inputs)"

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
        .kind = history_text(row, 2),
        .drill = history_text(row, 3),
        .system = history_text(row, 4),
        .playbook = history_text(row, 5),
        .section = history_text(row, 6),
        .tier = history_text(row, 7),
        .fingerprint = history_text(row, 8),
        .replay = history_text(row, 9),
        .seed = sqlite3_column_int64(row, 10),
        .outcome = outcome_of(sqlite3_column_int64(row, 11)),
        .score = column_number(row, 12),
        .score_possible = column_number(row, 13),
    };
    for (int i = 0; i < MEASURES; i++)
        run.measures[i] = column_number(row, 14 + i);
    snprintf(run.gates, sizeof run.gates, "%s", history_text(row, 14 + MEASURES));
    run.people = history_text(row, 15 + MEASURES);
    run.inputs = history_text(row, 16 + MEASURES);
    return run;
}

int history_rows(struct history *history, const char *tail, const char *drill, int limit,
                 history_fn *fn, void *ctx, struct error *error)
{
    sqlite3_stmt *row;
    char sql[768];
    snprintf(sql, sizeof sql, "SELECT " RUN_COLUMNS " FROM runs %s LIMIT ?2", tail);
    int code = history_prepare(history, sql, &row, error);
    if (code)
        return code;
    if (drill)
        history_bind_text(row, 1, drill);
    sqlite3_bind_int(row, 2, limit > 0 ? limit : -1);
    int step;
    while ((step = sqlite3_step(row)) == SQLITE_ROW) {
        struct history_run run = run_of_row(row);
        fn(ctx, &run);
    }
    return history_finish(history, row, step, error);
}

int history_each(struct history *history, const char *drill, int limit, history_fn *fn, void *ctx,
                 struct error *error)
{
    return history_rows(history,
                        drill ? "WHERE drill = ?1 ORDER BY at_s DESC, id DESC"
                              : "ORDER BY at_s DESC, id DESC",
                        drill, limit, fn, ctx, error);
}

#define POINT_COLUMNS                                                                              \
    "procedure, at_s, verdict, score, time_to_detect_s, time_to_decide_s, rollback_s,"             \
    " time_to_stable_s, downtime_s, records_lost, claim_error_s"

int history_points(struct history *history, int64_t procedure, int64_t from_s, int64_t to_s,
                   history_point_fn *fn, void *ctx, struct error *error)
{
    sqlite3_stmt *row;
    /* most rows of a file are wanted at once: faster without going through an index */
    int code = history_prepare(history,
                               procedure ? "SELECT " POINT_COLUMNS " FROM runs WHERE procedure = "
                                           "?3 AND at_s >= ?1 AND at_s < ?2"
                                         : "SELECT " POINT_COLUMNS " FROM runs NOT INDEXED WHERE "
                                           "at_s >= ?1 AND at_s < ?2",
                               &row, error);
    if (code)
        return code;
    sqlite3_bind_int64(row, 1, from_s);
    sqlite3_bind_int64(row, 2, to_s);
    if (procedure)
        sqlite3_bind_int64(row, 3, procedure);
    int step;
    while ((step = sqlite3_step(row)) == SQLITE_ROW) {
        struct history_point point = {.procedure = sqlite3_column_int64(row, 0),
                                      .at_s = sqlite3_column_int64(row, 1),
                                      .outcome = outcome_of(sqlite3_column_int64(row, 2)),
                                      .score = column_number(row, 3)};
        for (int i = 0; i < MEASURES; i++)
            point.measures[i] = column_number(row, 4 + i);
        fn(ctx, &point);
    }
    return history_finish(history, row, step, error);
}

static int64_t column_instant(sqlite3_stmt *row, int i)
{
    return sqlite3_column_type(row, i) == SQLITE_NULL ? INT64_MIN : sqlite3_column_int64(row, i);
}

int history_procedures(struct history *history, int64_t now_s, struct arena *arena,
                       struct history_procedure **ret, int *ret_n, struct error *error)
{
    sqlite3_stmt *row;
    *ret = NULL;
    *ret_n = 0;
    int code = history_prepare(
        history,
        "SELECT p.id, drill, playbook, section, kind, own_s, n, passed, last_s, pass_s, count(*) "
        "OVER () FROM procedures AS p JOIN (SELECT procedure, count(*) AS n, sum(verdict = 0) AS "
        "passed, max(at_s) AS last_s, max(CASE WHEN verdict = 0 AND at_s <= ?1 THEN at_s END) AS "
        "pass_s FROM runs GROUP BY procedure) ON procedure = p.id ORDER BY drill, p.id",
        &row, error);
    if (code)
        return code;
    sqlite3_bind_int64(row, 1, now_s);
    int step;
    while ((step = sqlite3_step(row)) == SQLITE_ROW) {
        if (!*ret)
            *ret = ARENA_ARRAY(arena, struct history_procedure, sqlite3_column_int(row, 10));
        (*ret)[(*ret_n)++] = (struct history_procedure){
            .id = sqlite3_column_int64(row, 0),
            .drill = arena_strdup(arena, history_text(row, 1)),
            .playbook = arena_strdup(arena, history_text(row, 2)),
            .section = arena_strdup(arena, history_text(row, 3)),
            .kind = arena_strdup(arena, history_text(row, 4)),
            .own_s = column_instant(row, 5),
            .runs = sqlite3_column_int(row, 6),
            .passed = sqlite3_column_int(row, 7),
            .last_s = column_instant(row, 8),
            .last_pass_s = column_instant(row, 9),
        };
    }
    return history_finish(history, row, step, error);
}

int history_inputs(struct history *history, int64_t procedure, int64_t before_s,
                   struct arena *arena, const char **ret, struct error *error)
{
    sqlite3_stmt *row;
    *ret = "";
    int code = history_prepare(history,
                               "SELECT (SELECT text FROM inputs WHERE inputs.id = runs.inputs) "
                               "FROM runs WHERE procedure = ? AND at_s < ? ORDER BY at_s DESC, id "
                               "DESC LIMIT 1",
                               &row, error);
    if (code)
        return code;
    sqlite3_bind_int64(row, 1, procedure);
    sqlite3_bind_int64(row, 2, before_s);
    int step;
    while ((step = sqlite3_step(row)) == SQLITE_ROW)
        *ret = arena_strdup(arena, history_text(row, 0));
    return history_finish(history, row, step, error);
}

int history_open_findings(struct history *history, struct arena *arena, struct open_finding **ret,
                          int *ret_n, struct error *error)
{
    sqlite3_stmt *row;
    *ret = NULL;
    *ret_n = 0;
    int code = history_prepare(history,
                               "SELECT procedure, drill, o.id, file, message, severity, first_s, "
                               "last_s, count(*) OVER () FROM open_findings AS o JOIN procedures "
                               "AS p ON p.id = procedure ORDER BY first_s, drill, procedure, o.id, "
                               "file",
                               &row, error);
    if (code)
        return code;
    int step;
    while ((step = sqlite3_step(row)) == SQLITE_ROW) {
        if (!*ret)
            *ret = ARENA_ARRAY(arena, struct open_finding, sqlite3_column_int(row, 8));
        (*ret)[(*ret_n)++] = (struct open_finding){
            .procedure = sqlite3_column_int64(row, 0),
            .drill = arena_strdup(arena, history_text(row, 1)),
            .id = arena_strdup(arena, history_text(row, 2)),
            .file = arena_strdup(arena, history_text(row, 3)),
            .message = arena_strdup(arena, history_text(row, 4)),
            .severity =
                sqlite3_column_int(row, 5) == SEVERITY_ERROR ? SEVERITY_ERROR : SEVERITY_WARNING,
            .first_s = sqlite3_column_int64(row, 6),
            .last_s = sqlite3_column_int64(row, 7),
        };
    }
    return history_finish(history, row, step, error);
}
