#include "procedures/drill/declared.h"

#include <string.h>

#include "sim/base/xalloc.h"

/* The default targets; NULL where a drill's file may not set the measure. */
static const struct {
    const char *key;
    enum measure measure;
    double limit;
    bool at_least;
} defaults[] = {
    {"time_to_detect", MEASURE_TIME_TO_DETECT, 300, false},
    {"time_to_decide", MEASURE_TIME_TO_DECIDE, 600, false},
    {"rollback", MEASURE_ROLLBACK, 900, false},
    {"time_to_stable", MEASURE_TIME_TO_STABLE, 1800, false},
    {"downtime", MEASURE_DOWNTIME, 300, false},
    {"records_lost", MEASURE_RECORDS_LOST, 0, false},
    {"claim_error", MEASURE_CLAIM_ERROR, 0, true},
};
enum { DEFAULTS = sizeof defaults / sizeof *defaults };

static int load_targets(const struct doc *node, struct declared *ret, struct error *error)
{
    const char *keys[DEFAULTS + 1] = {NULL};
    if (!node)
        return 0;
    for (int i = 0; i < DEFAULTS; i++)
        keys[i] = defaults[i].key;
    if (doc_want(node, DOC_MAPPING, error) < 0 || doc_only(node, keys, error) < 0)
        return ERROR_INPUT;
    for (int i = 0; i < DEFAULTS; i++) {
        const struct doc *value = doc_get(node, defaults[i].key);
        int64_t limit_ns = 0, records = 0;
        if (!value)
            continue;
        if (defaults[i].measure == MEASURE_RECORDS_LOST) {
            if (doc_int(value, 0, INT64_C(1) << 53, &records, error) < 0)
                return ERROR_INPUT;
            ret->targets[i].limit = (double)records;
        } else {
            if (doc_duration(value, &limit_ns, error) < 0)
                return ERROR_INPUT;
            ret->targets[i].limit = (double)limit_ns / 1e9;
        }
    }
    return 0;
}

static int load_assumption(const struct doc *node, struct assumption *ret, struct error *error)
{
    static const char *const keys[] = {"what", "why", "flips", NULL};
    struct doc *what = NULL, *why = NULL;
    if (doc_want(node, DOC_MAPPING, error) < 0 || doc_only(node, keys, error) < 0 ||
        doc_need(node, "what", &what, error) < 0 || doc_need(node, "why", &why, error) < 0 ||
        doc_text(what, &ret->what, error) < 0 || doc_text(why, &ret->why, error) < 0)
        return ERROR_INPUT;
    return doc_bool(doc_get(node, "flips"), &ret->flips, error);
}

static int load_assumptions(struct arena *arena, const struct doc *const nodes[2],
                            struct declared *ret, struct error *error)
{
    int n = (nodes[0] ? nodes[0]->n : 0) + (nodes[1] ? nodes[1]->n : 0);
    ret->assumed = ARENA_ARRAY(arena, struct assumption, n + 1);
    for (int i = 0; i < 2; i++) {
        if (nodes[i] && doc_want(nodes[i], DOC_SEQUENCE, error) < 0)
            return ERROR_INPUT;
        for (const struct doc *item = nodes[i] ? nodes[i]->first : NULL; item; item = item->next) {
            if (load_assumption(item, &ret->assumed[ret->n_assumed++], error) < 0)
                return ERROR_INPUT;
        }
    }
    return 0;
}

/* {finding: data_loss, until: 2025-06-30, reason: ..., file: playbook.md, line: 12} */
static int load_waiver(const struct doc *node, struct waiver *ret, struct error *error)
{
    static const char *const keys[] = {"finding", "until", "reason", "file", "line", NULL};
    struct doc *finding = NULL, *until = NULL, *reason = NULL;
    int64_t line = 0;
    if (doc_want(node, DOC_MAPPING, error) < 0 || doc_only(node, keys, error) < 0 ||
        doc_need(node, "finding", &finding, error) < 0 ||
        doc_need(node, "until", &until, error) < 0 ||
        doc_need(node, "reason", &reason, error) < 0 ||
        doc_text(finding, &ret->finding, error) < 0 ||
        doc_day(until, &ret->until_unix_ns, error) < 0 ||
        doc_text(reason, &ret->reason, error) < 0 ||
        doc_text(doc_get(node, "file"), &ret->file, error) < 0 ||
        doc_int(doc_get(node, "line"), 1, 10000000, &line, error) < 0)
        return ERROR_INPUT;
    ret->line = (int)line;
    return 0;
}

static int load_waivers(struct arena *arena, const struct doc *node, struct declared *ret,
                        struct error *error)
{
    if (!node)
        return 0;
    if (doc_want(node, DOC_SEQUENCE, error) < 0)
        return ERROR_INPUT;
    ret->waivers = ARENA_ARRAY(arena, struct waiver, node->n);
    for (const struct doc *item = node->first; item; item = item->next) {
        if (load_waiver(item, &ret->waivers[ret->n_waivers++], error) < 0)
            return ERROR_INPUT;
    }
    return 0;
}

int declared_load(struct arena *arena, const struct doc *system, const struct doc *drill,
                  struct declared *ret, struct error *error)
{
    *ret = (struct declared){.n_targets = DEFAULTS};
    for (int i = 0; i < DEFAULTS; i++)
        ret->targets[i] =
            (struct target){defaults[i].measure, defaults[i].limit, defaults[i].at_least};
    const struct doc *assume[2] = {doc_get(system, "assume"), doc_get(drill, "assume")};
    if (load_targets(doc_get(system, "targets"), ret, error) < 0 ||
        load_targets(doc_get(drill, "targets"), ret, error) < 0 ||
        load_assumptions(arena, assume, ret, error) < 0)
        return ERROR_INPUT;
    return load_waivers(arena, doc_get(drill, "waive"), ret, error);
}

void declared_note(const struct declared *declared, struct record *record)
{
    record->targets = xcalloc((size_t)declared->n_targets, sizeof *record->targets);
    memcpy(record->targets, declared->targets,
           (size_t)declared->n_targets * sizeof *record->targets);
    record->n_targets = record->cap_targets = declared->n_targets;
    for (int i = 0; i < declared->n_assumed; i++)
        record_assume(record, declared->assumed[i].what, declared->assumed[i].why,
                      declared->assumed[i].flips);
    for (int i = 0; i < declared->n_waivers; i++)
        record_waive(record, &declared->waivers[i]);
}
