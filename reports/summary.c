#include "reports/summary.h"

#include <math.h>
#include <string.h>

#include <cjson/cJSON.h>

enum { RUN_JSON_MAX = 256 << 20 };

struct reader {
    struct arena *arena;
    const char *file;
    struct error *error;
    int code; /* of the first mistake; nothing is read after it */
};

static void complain(struct reader *reader, const char *key, const char *wanted)
{
    if (reader->code == 0)
        reader->code =
            error_set(reader->error, ERROR_INPUT, "%s: /%s: no %s, expected as in rehearse.run/1",
                      reader->file, key, wanted);
}

static const char *text_of(struct reader *reader, const cJSON *object, const char *key)
{
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(object, key);
    if (cJSON_IsString(item))
        return arena_strdup(reader->arena, item->valuestring);
    if (!cJSON_IsNull(item))
        complain(reader, key, "text");
    return "";
}

/* A number, or NaN where the document says null. */
static double number_of(struct reader *reader, const cJSON *object, const char *key)
{
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(object, key);
    if (cJSON_IsNumber(item))
        return item->valuedouble;
    if (!cJSON_IsNull(item))
        complain(reader, key, "number or null");
    return NAN;
}

static int integer_of(struct reader *reader, const cJSON *object, const char *key, int otherwise)
{
    double value = number_of(reader, object, key);
    return isfinite(value) && fabs(value) < 2e9 ? (int)value : otherwise;
}

static bool bool_of(const cJSON *object, const char *key)
{
    return cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(object, key));
}

/* Index of the word in a list of n names, or -1. */
static int index_of(const char *word, const char *const *names, int n)
{
    for (int i = 0; i < n; i++) {
        if (strcmp(word, names[i]) == 0)
            return i;
    }
    return -1;
}

static int word_of(struct reader *reader, const cJSON *object, const char *key,
                   const char *const *names, int n)
{
    int i = index_of(text_of(reader, object, key), names, n);
    if (i < 0) {
        complain(reader, key, "known word");
        return 0;
    }
    return i;
}

static const cJSON *list_of(struct reader *reader, const cJSON *root, const char *key, int *ret_n)
{
    const cJSON *list = cJSON_GetObjectItemCaseSensitive(root, key);
    if (!cJSON_IsArray(list))
        complain(reader, key, "list");
    *ret_n = cJSON_IsArray(list) ? cJSON_GetArraySize(list) : 0;
    return list;
}

static void read_targets(struct reader *reader, const cJSON *root, struct summary *ret)
{
    const cJSON *list = list_of(reader, root, "targets", &ret->n_targets), *item;
    ret->targets = ARENA_ARRAY(reader->arena, struct summary_target, ret->n_targets + 1);
    struct summary_target *target = ret->targets;
    cJSON_ArrayForEach(item, list)
    {
        *target++ = (struct summary_target){
            .measure = (enum measure)word_of(reader, item, "measure", measure_names, MEASURES),
            .comparison = text_of(reader, item, "comparison"),
            .limit = number_of(reader, item, "limit"),
            .value = number_of(reader, item, "value"),
            .margin = number_of(reader, item, "margin"),
            .outcome = (enum outcome)word_of(reader, item, "result", result_names, 3),
            .rating = text_of(reader, item, "rating"),
            .waived = bool_of(item, "waived"),
        };
    }
}

/* NULL: it is not there. */
static const char *optional_text(struct reader *reader, const cJSON *object, const char *key)
{
    return cJSON_HasObjectItem(object, key) ? text_of(reader, object, key) : NULL;
}

static void read_findings(struct reader *reader, const cJSON *root, struct summary *ret)
{
    const cJSON *list = list_of(reader, root, "findings", &ret->n_findings), *item;
    ret->findings = ARENA_ARRAY(reader->arena, struct summary_finding, ret->n_findings + 1);
    struct summary_finding *finding = ret->findings;
    cJSON_ArrayForEach(item, list)
    {
        *finding++ = (struct summary_finding){
            .id = text_of(reader, item, "id"),
            .file = text_of(reader, item, "file"),
            .message = text_of(reader, item, "message"),
            .evidence = text_of(reader, item, "evidence"),
            .replay = text_of(reader, item, "replay"),
            .severity = (enum severity)word_of(reader, item, "severity", severity_names, 3),
            .line = integer_of(reader, item, "line", 0),
            .step = integer_of(reader, item, "step", 0),
            .lint = optional_text(reader, item, "lint"),
            .lint_title = optional_text(reader, item, "lint_title"),
            .lint_line = integer_of(
                reader, item, cJSON_HasObjectItem(item, "lint_line") ? "lint_line" : "line", 0),
            .waived = optional_text(reader, item, "waived"),
        };
    }
}

static void read_steps(struct reader *reader, const cJSON *root, struct summary *ret)
{
    const cJSON *list = list_of(reader, root, "steps", &ret->n_steps), *item;
    ret->steps = ARENA_ARRAY(reader->arena, struct summary_step, ret->n_steps + 1);
    struct summary_step *step = ret->steps;
    cJSON_ArrayForEach(item, list)
    {
        *step++ = (struct summary_step){
            .n = integer_of(reader, item, "n", 0),
            .line = integer_of(reader, item, "line", 0),
            .file = text_of(reader, item, "file"),
            .command = text_of(reader, item, "command"),
            .claimed = text_of(reader, item, "claimed"),
            .start_s = number_of(reader, item, "start_s"),
            .duration_s = number_of(reader, item, "duration_s"),
            .exit_status = integer_of(reader, item, "exit", -1),
            .interrupted = bool_of(item, "interrupted"),
            .n_changed = cJSON_GetArraySize(cJSON_GetObjectItemCaseSensitive(item, "changed")),
        };
    }
}

/* As lines, for whoever keeps them. */
static const char *read_inputs(struct reader *reader, const cJSON *provenance)
{
    int n;
    const cJSON *item;
    const char *all = "";
    cJSON_ArrayForEach(item, list_of(reader, provenance, "inputs", &n))
    {
        const char *what = text_of(reader, item, "what"), *value = text_of(reader, item, "value");
        if (!strpbrk(what, "\t\n") && !strchr(value, '\n'))
            all = arena_printf(reader->arena, "%s%s\t%s\n", all, what, value);
    }
    return all;
}

static void read_run(struct reader *reader, const cJSON *root, struct summary *ret)
{
    const cJSON *provenance = cJSON_GetObjectItemCaseSensitive(root, "provenance");
    const cJSON *gates = cJSON_GetObjectItemCaseSensitive(root, "gates");
    const cJSON *measures = cJSON_GetObjectItemCaseSensitive(root, "measures");
    const cJSON *instants = cJSON_GetObjectItemCaseSensitive(root, "instants");
    ret->drill = text_of(reader, root, "drill");
    ret->fingerprint = text_of(reader, root, "fingerprint");
    ret->tier = text_of(reader, root, "tier");
    double seed = number_of(reader, root, "seed");
    if (seed >= 0 && seed <= 9007199254740991.0)
        ret->seed = (int64_t)seed;
    else
        complain(reader, "seed", "whole number below 2^53");
    ret->title = text_of(reader, provenance, "title");
    ret->system = text_of(reader, provenance, "system");
    ret->playbook = text_of(reader, provenance, "playbook");
    ret->section = text_of(reader, provenance, "section");
    ret->start = text_of(reader, provenance, "start");
    ret->replay = text_of(reader, provenance, "replay");
    ret->inputs = read_inputs(reader, provenance);
    ret->outcome = (enum outcome)word_of(reader, root, "verdict", outcome_names, 3);
    ret->score = number_of(reader, root, "score");
    ret->score_possible = number_of(reader, root, "score_possible");
    for (int i = 0; i < GATES; i++)
        ret->gates[i] = (enum outcome)word_of(reader, gates, gate_names[i], outcome_names, 3);
    for (int i = 0; i < MEASURES; i++)
        ret->measures[i] = number_of(reader, measures, measure_names[i]);
    for (int i = 0; i < INSTANTS; i++)
        ret->instants_s[i] = number_of(reader, instants, instant_names[i]);
    read_targets(reader, root, ret);
    read_findings(reader, root, ret);
    read_steps(reader, root, ret);
}

int summary_parse(struct summary *ret, struct arena *arena, const char *file, const char *text,
                  struct error *error)
{
    *ret = (struct summary){0};
    struct reader reader = {arena, file, error, 0};
    cJSON *root = cJSON_Parse(text);
    const cJSON *format = cJSON_GetObjectItemCaseSensitive(root, "format");
    if (!root)
        reader.code =
            error_set(error, ERROR_INPUT, "%s: no JSON, expected the run.json of a run", file);
    else if (!cJSON_IsString(format) || strcmp(format->valuestring, "rehearse.run/1") != 0)
        reader.code =
            error_set(error, ERROR_INPUT, "%s: /format: expected \"rehearse.run/1\"", file);
    else
        read_run(&reader, root, ret);
    cJSON_Delete(root);
    return reader.code;
}

int summary_read_file(struct summary *ret, struct arena *arena, const char *path,
                      struct error *error)
{
    struct buf text;
    buf_init(&text, RUN_JSON_MAX);
    int code = buf_read_file(&text, path);
    if (code < 0)
        code = error_set(error, ERROR_INPUT, "%s: cannot read: %s", path, strerror(-code));
    else
        code = summary_parse(ret, arena, path, text.at ? text.at : "", error);
    buf_release(&text);
    return code;
}

void summary_of_report(struct summary *ret, struct arena *arena, const struct report *report)
{
    struct buf text;
    buf_init(&text, RUN_JSON_MAX);
    report_json(report, &text);
    struct error error = {""};
    int code = summary_parse(ret, arena, "run.json", text.at, &error);
    buf_release(&text);
    if (code < 0) /* we wrote it ourselves */
        *ret = (struct summary){.drill = "", .outcome = OUTCOME_UNKNOWN};
}

/* The name without what climbs out of the folder it is seen from. */
static struct str below(const char *name)
{
    struct str path = str_of(name);
    while (str_starts(path, "./") || str_starts(path, "../"))
        (void)str_cut(&path, '/');
    return path;
}

bool summary_same_file(const char *a, const char *b)
{
    struct str longer = below(a), shorter = below(b);
    if (longer.len < shorter.len) {
        struct str swap = longer;
        longer = shorter;
        shorter = swap;
    }
    size_t more = longer.len - shorter.len;
    return shorter.len && memcmp(longer.at + more, shorter.at, shorter.len) == 0 &&
           (more == 0 || longer.at[more - 1] == '/');
}
