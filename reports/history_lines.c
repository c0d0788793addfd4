/* A history as JSON Lines, and back. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include <cjson/cJSON.h>

#include "reports/history_db.h"
#include "reports/json_writer.h"

/* ---- export ---- */

static void put_findings(struct json_writer *json, sqlite3_stmt *findings, int64_t run)
{
    sqlite3_bind_int64(findings, 1, run);
    json_open_array(json, "findings");
    while (sqlite3_step(findings) == SQLITE_ROW) {
        int severity = sqlite3_column_int(findings, 1);
        json_open_object(json, NULL);
        json_string(json, "id", history_text(findings, 0));
        json_string(json, "severity",
                    severity_names[severity >= 0 && severity <= 2 ? severity : 2]);
        json_string(json, "file", history_text(findings, 2));
        json_integer(json, "line", sqlite3_column_int64(findings, 3));
        json_string(json, "message", history_text(findings, 4));
        if (sqlite3_column_type(findings, 5) != SQLITE_NULL)
            json_string(json, "waived", history_text(findings, 5));
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
    json_open_array(json, "inputs");
    struct str rest = str_of(run->inputs);
    while (rest.len) {
        struct str value = str_cut(&rest, '\n'), what = str_cut(&value, '\t');
        json_open_object(json, NULL);
        json_bytes(json, "what", what);
        json_bytes(json, "value", value);
        json_close_object(json);
    }
    json_close_array(json);
    put_findings(json, findings, run->id);
    json_close_object(json);
}

struct exporting {
    struct buf *buf;
    sqlite3_stmt *findings;
};

static void export_run(void *ctx, const struct history_run *run)
{
    struct exporting *exporting = ctx;
    put_run(exporting->buf, run, exporting->findings);
}

int history_export(struct history *history, struct buf *buf, struct error *error)
{
    struct exporting exporting = {buf, NULL};
    int code = history_sql(history, "BEGIN", error); /* one moment for both tables */
    if (code)
        return code;
    code = history_prepare(history,
                           "SELECT id, severity, file, line, message, waived FROM findings WHERE "
                           "run = ? ORDER BY rowid",
                           &exporting.findings, error);
    if (code == 0)
        code = history_rows(history, "ORDER BY at_s, id", NULL, 0, export_run, &exporting, error);
    sqlite3_finalize(exporting.findings);
    return history_end(history, code, error);
}

/* ---- import ---- */
/* One line while it is read. */
struct line {
    const char *file;
    int number;
    cJSON *json;
    struct error *error;
    int code;
};

static void complain(struct line *line, const char *key, const char *wanted)
{
    if (line->code == 0)
        line->code = error_set(line->error, ERROR_INPUT,
                               "%s:%d: /%s: no %s, expected as in rehearse.history/1", line->file,
                               line->number, key, wanted);
}

static const char *text_of(struct line *line, const cJSON *object, const char *key)
{
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(object, key);
    if (!cJSON_IsString(item))
        complain(line, key, "text");
    return cJSON_IsString(item) ? item->valuestring : "";
}

static double number_of(struct line *line, const cJSON *object, const char *key)
{
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(object, key);
    if (!cJSON_IsNumber(item) && !cJSON_IsNull(item))
        complain(line, key, "number or null");
    return cJSON_IsNumber(item) ? item->valuedouble : NAN;
}

static int64_t integer_of(struct line *line, const cJSON *object, const char *key)
{
    double value = number_of(line, object, key);
    if (!isfinite(value) || fabs(value) > 9007199254740992.0) {
        complain(line, key, "whole number");
        return 0;
    }
    return (int64_t)value;
}

static int word_of(struct line *line, const cJSON *object, const char *key,
                   const char *const *words, int n)
{
    const char *text = text_of(line, object, key);
    for (int i = 0; i < n; i++) {
        if (strcmp(text, words[i]) == 0)
            return i;
    }
    complain(line, key, "known word");
    return 0;
}

static struct history_run read_run(struct line *line)
{
    const cJSON *json = line->json;
    struct history_run run = {
        .at_s = integer_of(line, json, "at_s"),
        .kind = text_of(line, json, "kind"),
        .drill = text_of(line, json, "drill"),
        .system = text_of(line, json, "system"),
        .playbook = text_of(line, json, "playbook"),
        .section = text_of(line, json, "section"),
        .tier = text_of(line, json, "tier"),
        .fingerprint = text_of(line, json, "fingerprint"),
        .replay = text_of(line, json, "replay"),
        .people = text_of(line, json, "people"),
        .seed = integer_of(line, json, "seed"),
        .outcome = (enum outcome)word_of(line, json, "verdict", outcome_names, 3),
        .score = number_of(line, json, "score"),
        .score_possible = number_of(line, json, "score_possible"),
    };
    for (int i = 0; i < MEASURES; i++)
        run.measures[i] = number_of(line, json, measure_names[i]);
    const char *gates = text_of(line, json, "gates");
    if (strlen(gates) != GATES || strspn(gates, "pfu") != GATES)
        complain(line, "gates", "six of p, f, u");
    snprintf(run.gates, sizeof run.gates, "%s", gates);
    return run;
}

/* Histories of before this was kept have none. */
static const char *read_inputs(struct line *line, struct arena *arena)
{
    const cJSON *list = cJSON_GetObjectItemCaseSensitive(line->json, "inputs"), *item;
    const char *all = "";
    if (list && !cJSON_IsArray(list))
        complain(line, "inputs", "list");
    cJSON_ArrayForEach(item, list)
    {
        const char *what = text_of(line, item, "what"), *value = text_of(line, item, "value");
        if (strpbrk(what, "\t\n") || strchr(value, '\n'))
            complain(line, "inputs", "text of one line");
        all = arena_printf(arena, "%s%s\t%s\n", all, what, value);
    }
    return all;
}

static struct summary_finding *read_findings(struct line *line, struct arena *arena, int *ret_n)
{
    const cJSON *list = cJSON_GetObjectItemCaseSensitive(line->json, "findings"), *item;
    if (!cJSON_IsArray(list))
        complain(line, "findings", "list");
    struct summary_finding *findings =
        ARENA_ARRAY(arena, struct summary_finding, cJSON_GetArraySize(list) + 1);
    *ret_n = 0;
    cJSON_ArrayForEach(item, list)
    {
        findings[(*ret_n)++] = (struct summary_finding){
            .id = text_of(line, item, "id"),
            .severity = (enum severity)word_of(line, item, "severity", severity_names, 3),
            .file = text_of(line, item, "file"),
            .line = (int)integer_of(line, item, "line"),
            .message = text_of(line, item, "message"),
            .waived = cJSON_HasObjectItem(item, "waived") ? text_of(line, item, "waived") : NULL,
        };
    }
    return findings;
}

static int import_line(struct history *history, struct line *line, struct arena *arena,
                       int *ret_added)
{
    struct history_run run = {0};
    struct summary_finding *findings = NULL;
    int n = 0;
    bool added = false;
    if (!line->json || strcmp(text_of(line, line->json, "format"), "rehearse.history/1") != 0)
        return error_set(line->error, ERROR_INPUT,
                         "%s:%d: no line of a history, expected \"format\": \"rehearse.history/1\"",
                         line->file, line->number);
    run = read_run(line);
    run.inputs = read_inputs(line, arena);
    findings = read_findings(line, arena, &n);
    if (line->code == 0)
        line->code = history_add_new(history, &run, findings, n, &added, line->error);
    if (line->code == 0 && added)
        (*ret_added)++;
    return line->code;
}

int history_import(struct history *history, const char *file, struct str text, int *ret_added,
                   struct error *error)
{
    int code = history_begin(history, error), number = 0;
    if (code)
        return code;
    *ret_added = 0;
    while (code == 0 && text.len) {
        struct str one = str_cut(&text, '\n');
        number++;
        if (str_trim(one).len == 0)
            continue;
        struct arena arena = {0};
        struct line line = {file, number, cJSON_ParseWithLength(one.at, one.len), error, 0};
        code = import_line(history, &line, &arena, ret_added);
        cJSON_Delete(line.json);
        arena_release(&arena);
    }
    return history_end(history, code, error); /* all of the file or nothing */
}
