/* The other half of history_export: reads JSON Lines into a history. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include <cjson/cJSON.h>

#include "reports/history.h"

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
