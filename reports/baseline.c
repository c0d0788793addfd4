#include "reports/baseline.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <cjson/cJSON.h>

#include "reports/json_writer.h"
#include "reports/lines.h"
#include "sim/base/xalloc.h"

enum { BASELINE_MAX = 64 << 20 };

struct baseline {
    cJSON *root;
};

/* ---- writing ---- */

static bool counts(const struct summary_finding *finding)
{
    return finding->severity != SEVERITY_NOTE && !finding->waived;
}

/* "data_loss playbook.md": what makes a finding the same finding when lines move. */
static const char *key_of(struct arena *arena, const struct summary_finding *finding)
{
    return arena_printf(arena, "%s %s", finding->id, finding->file);
}

/* How many findings of the summary share the key of its i-th; 0 if an earlier one has it too. */
static int count_same(const struct summary *summary, int i)
{
    int n = 0;
    for (int k = 0; k < summary->n_findings; k++) {
        const struct summary_finding *a = &summary->findings[i], *b = &summary->findings[k];
        if (!counts(b) || strcmp(a->id, b->id) != 0 || strcmp(a->file, b->file) != 0)
            continue;
        if (k < i)
            return 0;
        n++;
    }
    return n;
}

static void put_drill(struct json_writer *json, const struct summary *summary, struct arena *arena)
{
    json_open_object(json, summary->drill);
    json_string(json, "playbook", summary->playbook);
    json_string(json, "section", summary->section);
    json_integer(json, "seed", summary->seed);
    json_string(json, "verdict", outcome_names[summary->outcome]);
    json_number(json, "score", summary->score);
    json_open_object(json, "gates");
    for (int i = 0; i < GATES; i++)
        json_string(json, gate_names[i], outcome_names[summary->gates[i]]);
    json_close_object(json);
    json_open_object(json, "measures");
    for (int i = 0; i < MEASURES; i++)
        json_number(json, measure_names[i], summary->measures[i]);
    json_close_object(json);
    json_open_object(json, "targets");
    for (int i = 0; i < summary->n_targets; i++)
        json_string(json, measure_names[summary->targets[i].measure],
                    result_names[summary->targets[i].outcome]);
    json_close_object(json);
    json_open_object(json, "findings");
    for (int i = 0; i < summary->n_findings; i++) {
        int n = counts(&summary->findings[i]) ? count_same(summary, i) : 0;
        if (n)
            json_integer(json, key_of(arena, &summary->findings[i]), n);
    }
    json_close_object(json);
    json_close_object(json);
}

void baseline_write(const struct summary *summaries, int n, struct buf *buf)
{
    struct arena arena = {0};
    struct json_writer json = {.buf = buf};
    json_open_object(&json, NULL);
    json_string(&json, "format", "rehearse.baseline/1");
    json_open_object(&json, "drills");
    for (int i = 0; i < n; i++)
        put_drill(&json, &summaries[i], &arena);
    json_close_object(&json);
    json_close_object(&json);
    arena_release(&arena);
}

/* ---- reading ---- */

int baseline_read(const char *path, struct baseline **ret, struct error *error)
{
    struct buf text;
    buf_init(&text, BASELINE_MAX);
    *ret = NULL;
    cJSON *root = NULL;
    int code = buf_read_file(&text, path);
    if (code < 0) {
        code = error_set(error, ERROR_INPUT, "%s: cannot read: %s; '--write-baseline %s' makes it",
                         path, strerror(-code), path);
        goto out;
    }
    root = cJSON_Parse(text.at ? text.at : "");
    const cJSON *format = cJSON_GetObjectItemCaseSensitive(root, "format");
    if (!cJSON_IsString(format) || strcmp(format->valuestring, "rehearse.baseline/1") != 0 ||
        !cJSON_IsObject(cJSON_GetObjectItemCaseSensitive(root, "drills"))) {
        code = error_set(
            error, ERROR_INPUT,
            "%s: no baseline, expected \"format\": \"rehearse.baseline/1\" and \"drills\"", path);
        goto out;
    }
    *ret = xcalloc(1, sizeof **ret);
    (*ret)->root = root;
    root = NULL;
out:
    cJSON_Delete(root);
    buf_release(&text);
    return code;
}

void baseline_free(struct baseline *baseline)
{
    if (!baseline)
        return;
    cJSON_Delete(baseline->root);
    free(baseline);
}

/* ---- comparing ---- */

static bool said(const cJSON *object, const char *key, const char *word)
{
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(object, key);
    return cJSON_IsString(item) && strcmp(item->valuestring, word) == 0;
}

/* Higher is worse for every measure but the claim error, whose sign the gate judges. */
static void compare_measure(struct lines *lines, const cJSON *old, enum measure measure, double now)
{
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(old, measure_names[measure]);
    if (measure == MEASURE_CLAIM_ERROR || !cJSON_IsNumber(item))
        return;
    double before = item->valuedouble;
    struct measured a = {.known = true, .value = before},
                    b = {.known = isfinite(now), .value = now};
    bool worse = measure_is_count(measure) ? now > before : now > before * 1.1 && now > before + 5;
    if (!isfinite(now))
        lines_add(lines, "%s was %s and has no value now", measure_names[measure],
                  measure_words(measure, &a, lines->arena));
    else if (worse)
        lines_add(lines, "%s went from %s to %s", measure_names[measure],
                  measure_words(measure, &a, lines->arena),
                  measure_words(measure, &b, lines->arena));
}

static void compare_findings(struct lines *lines, const cJSON *old, const struct summary *summary)
{
    for (int i = 0; i < summary->n_findings; i++) {
        const struct summary_finding *finding = &summary->findings[i];
        int n = counts(finding) ? count_same(summary, i) : 0;
        const cJSON *before = cJSON_GetObjectItemCaseSensitive(old, key_of(lines->arena, finding));
        int known = cJSON_IsNumber(before) ? before->valueint : 0;
        if (n > known)
            lines_add(lines, "%d new finding%s %s in %s: %s", n - known, n - known == 1 ? "" : "s",
                      finding->id, finding->file, finding->message);
    }
}

/* What the baseline's run ran where it was another document, or NULL; files that say nothing of it
 * are older than this. */
static const char *other_document(const cJSON *old, const struct summary *summary,
                                  struct arena *arena)
{
    const cJSON *playbook = cJSON_GetObjectItemCaseSensitive(old, "playbook"),
                *section = cJSON_GetObjectItemCaseSensitive(old, "section");
    if (!cJSON_IsString(playbook) || !cJSON_IsString(section))
        return NULL;
    bool same = summary_same_file(playbook->valuestring, summary->playbook) &&
                strcmp(section->valuestring, summary->section) == 0;
    return same ? NULL
                : arena_printf(arena, "%s, '%s'", playbook->valuestring, section->valuestring);
}

int baseline_compare(const struct baseline *baseline, const struct summary *summary,
                     struct arena *arena, const char ***ret)
{
    struct lines lines = {.arena = arena};
    const cJSON *drills = cJSON_GetObjectItemCaseSensitive(baseline->root, "drills");
    const cJSON *old = cJSON_GetObjectItemCaseSensitive(drills, summary->drill);
    *ret = NULL;
    if (!old)
        return 0;
    if (said(old, "verdict", "pass") && summary->outcome != OUTCOME_PASS)
        lines_add(&lines, "the verdict was pass and is %s", outcome_names[summary->outcome]);
    const cJSON *gates = cJSON_GetObjectItemCaseSensitive(old, "gates");
    for (int i = 0; i < GATES; i++) {
        if (said(gates, gate_names[i], "pass") && summary->gates[i] != OUTCOME_PASS)
            lines_add(&lines, "gate %s was pass and is %s", gate_names[i],
                      outcome_names[summary->gates[i]]);
    }
    const cJSON *targets = cJSON_GetObjectItemCaseSensitive(old, "targets");
    for (int i = 0; i < summary->n_targets; i++) {
        const struct summary_target *target = &summary->targets[i];
        if (said(targets, measure_names[target->measure], "met") && target->outcome != OUTCOME_PASS)
            lines_add(&lines, "target %s was met and is %s", measure_names[target->measure],
                      result_names[target->outcome]);
    }
    const char *other = other_document(old, summary, arena);
    if (other && lines.n)
        lines_add(&lines, "it ran %s then, and runs %s, '%s' now", other, summary->playbook,
                  summary->section);
    for (int i = 0; !other && i < MEASURES; i++)
        compare_measure(&lines, cJSON_GetObjectItemCaseSensitive(old, "measures"), (enum measure)i,
                        summary->measures[i]);
    if (!other)
        compare_findings(&lines, cJSON_GetObjectItemCaseSensitive(old, "findings"), summary);
    *ret = lines.at;
    return lines.n;
}

int baseline_missing(const struct baseline *baseline, const struct summary *summaries, int n,
                     struct arena *arena, const char ***ret)
{
    struct lines lines = {.arena = arena};
    const cJSON *drill;
    cJSON_ArrayForEach(drill, cJSON_GetObjectItemCaseSensitive(baseline->root, "drills"))
    {
        bool found = false;
        for (int i = 0; i < n && !found; i++)
            found = strcmp(summaries[i].drill, drill->string) == 0;
        if (!found)
            lines_add(&lines, "drill %s is in the baseline and was not run", drill->string);
    }
    *ret = lines.at;
    return lines.n;
}
