#include "reports/held.h"

#include <string.h>

#include "reports/explain.h"
#include "sim/base/doc.h"
#include "sim/base/xalloc.h"

static const char *const instant_keys[] = {"change", "impact", "detect",   "ack",
                                           "decide", "claim",  "mitigate", "restore",
                                           "stable", "end",    NULL};
static const char *const target_keys[] = {"detect",   "decide",       "rollback",    "stable",
                                          "downtime", "records_lost", "claim_error", NULL};
static const char *const state_words[] = {"good", "wrong", "unknown", NULL};

/* What cannot come before what; an instant that is left out says nothing. */
static int check_order(const struct record *record, const struct doc *node, struct error *error)
{
    static const struct {
        enum instant before, after;
    } pairs[] = {{T_CHANGE, T_IMPACT},   {T_CHANGE, T_DETECT}, {T_DETECT, T_ACK},
                 {T_DETECT, T_DECIDE},   {T_DECIDE, T_CLAIM},  {T_DECIDE, T_RESTORE},
                 {T_IMPACT, T_MITIGATE}, {T_RESTORE, T_STABLE}};
    for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++) {
        int64_t before_ns = record->instants[pairs[i].before],
                after_ns = record->instants[pairs[i].after];
        const struct doc *after = doc_get(node, instant_keys[pairs[i].after]);
        if (after && before_ns != NEVER && after_ns < before_ns)
            return doc_error(after, error, "'%s' lies before '%s'", instant_keys[pairs[i].after],
                             instant_keys[pairs[i].before]);
    }
    return 0;
}

static int read_instants(struct record *record, const struct doc *node, struct error *error)
{
    int code = doc_want(node, DOC_MAPPING, error);
    if (code == 0)
        code = doc_only(node, instant_keys, error);
    int64_t last = 0;
    for (int i = 0; code == 0 && i < INSTANTS; i++) {
        const struct doc *child = doc_get(node, instant_keys[i]);
        if (!child)
            continue;
        code = doc_duration(child, &record->instants[i], error);
        last = record->instants[i] > last ? record->instants[i] : last;
    }
    if (code == 0)
        code = check_order(record, node, error);
    /* who writes no instant of good service knows when people were well again at the latest */
    if (record->instants[T_MITIGATE] == NEVER)
        record->instants[T_MITIGATE] = record->instants[T_RESTORE];
    if (record->instants[T_END] == NEVER)
        record->instants[T_END] = last;
    return code;
}

static int read_people(struct record *record, const struct doc *node, const char **ret,
                       struct error *error)
{
    const char *all = "";
    int code = node ? doc_want(node, DOC_SEQUENCE, error) : 0;
    for (const struct doc *child = node ? node->first : NULL; code == 0 && child;
         child = child->next) {
        const char *name = "";
        code = doc_text(child, &name, error);
        all = arena_printf(&record->arena, "%s%s%s", all, *all ? ", " : "", name);
    }
    *ret = all;
    return code;
}

static struct ledger_row *add_store(struct record *record, const char *store)
{
    XGROW(record->ledger, record->n_ledger, record->cap_ledger);
    struct ledger_row *row = &record->ledger[record->n_ledger++];
    *row = (struct ledger_row){.store = arena_strdup(&record->arena, store)};
    return row;
}

static int read_losses(struct record *record, const struct doc *node, struct error *error)
{
    if (!node || (node->kind == DOC_SCALAR && strcmp(node->text, "unknown") == 0)) {
        add_store(record, "all stores"); /* not known: nobody looked */
        return 0;
    }
    int code = 0;
    if (node->kind == DOC_SCALAR) {
        struct ledger_row *row = add_store(record, "all stores");
        row->known = true;
        return doc_int(node, 0, INT64_C(1) << 50, &row->lost, error);
    }
    code = doc_want(node, DOC_MAPPING, error);
    for (const struct doc *child = node->first; code == 0 && child; child = child->next) {
        struct ledger_row *row = add_store(record, child->key);
        row->known = !(child->kind == DOC_SCALAR && strcmp(child->text, "unknown") == 0);
        if (row->known)
            code = doc_int(child, 0, INT64_C(1) << 50, &row->lost, error);
    }
    return code;
}

static int read_end_state(struct record *record, const struct doc *node, struct error *error)
{
    int word = 2;
    int code = node ? doc_choice(node, state_words, &word, error) : 0;
    XGROW(record->end_states, record->n_end_states, record->cap_end_states);
    record->end_states[record->n_end_states++] = (struct end_state){
        "the system", "state", word == 2 ? NULL : state_words[word], "good", word == 0, NULL};
    return code;
}

static int read_actions(struct record *record, const struct doc *node, struct error *error)
{
    static const char *const keys[] = {"at", "who", "did", "told", NULL};
    int code = node ? doc_want(node, DOC_SEQUENCE, error) : 0;
    for (const struct doc *child = node ? node->first : NULL; code == 0 && child;
         child = child->next) {
        struct doc *at;
        const char *who = "people", *did = NULL, *told = NULL;
        code = doc_want(child, DOC_MAPPING, error);
        if (code == 0)
            code = doc_only(child, keys, error);
        if (code == 0)
            code = doc_need(child, "at", &at, error);
        if (code == 0)
            code = doc_duration(at, &record->now_ns, error);
        if (code == 0)
            code = doc_text(doc_get(child, "who"), &who, error);
        if (code == 0)
            code = doc_text(doc_get(child, "did"), &did, error);
        if (code == 0)
            code = doc_text(doc_get(child, "told"), &told, error);
        if (code == 0 && !did && !told)
            code = doc_error(child, error,
                             "says neither what was done ('did') nor who was told what ('told')");
        if (code == 0 && did)
            record_event(record, EVENT_OPERATOR, who, "%s", did);
        if (code == 0 && told)
            record_event(record, EVENT_MESSAGE, who, "%s", told);
    }
    return code;
}

static int read_observed(struct record *record, const struct doc *node, struct error *error)
{
    static const char *const keys[] = {"finding", "message", "line", "at", NULL};
    int code = node ? doc_want(node, DOC_SEQUENCE, error) : 0;
    for (const struct doc *child = node ? node->first : NULL; code == 0 && child;
         child = child->next) {
        struct doc *finding, *message;
        const char *id = "", *text = "";
        int64_t line = 0;
        code = doc_want(child, DOC_MAPPING, error);
        if (code == 0)
            code = doc_only(child, keys, error);
        if (code == 0)
            code = doc_need(child, "finding", &finding, error);
        if (code == 0)
            code = doc_text(finding, &id, error);
        if (code == 0 && !finding_kind(id))
            code = doc_error(finding, error,
                             "no finding has the id '%s'; 'rehearse explain' lists them", id);
        if (code == 0)
            code = doc_need(child, "message", &message, error);
        if (code == 0)
            code = doc_text(message, &text, error);
        if (code == 0)
            code = doc_int(doc_get(child, "line"), 1, 1000000, &line, error);
        if (code == 0)
            code = doc_duration(doc_get(child, "at"), &record->now_ns, error);
        if (code)
            return code;
        record_observe(record, id, "", "%s", text);
        record->observations[record->n_observations - 1].file = record->identity.playbook;
        record->observations[record->n_observations - 1].line = (int)line;
    }
    return code;
}

static int read_targets(struct record *record, const struct doc *node, struct error *error)
{
    static const struct target usual[MEASURES] = {
        {MEASURE_TIME_TO_DETECT, 300, false}, {MEASURE_TIME_TO_DECIDE, 600, false},
        {MEASURE_ROLLBACK, 900, false},       {MEASURE_TIME_TO_STABLE, 1800, false},
        {MEASURE_DOWNTIME, 300, false},       {MEASURE_RECORDS_LOST, 0, false},
        {MEASURE_CLAIM_ERROR, 0, true},
    };
    int code = node ? doc_want(node, DOC_MAPPING, error) : 0;
    if (code == 0 && node)
        code = doc_only(node, target_keys, error);
    for (int i = 0; code == 0 && i < MEASURES; i++) {
        struct target target = usual[i];
        const struct doc *child = doc_get(node, target_keys[i]);
        int64_t limit = 0;
        if (child && i == MEASURE_RECORDS_LOST)
            code = doc_int(child, 0, INT64_C(1) << 50, &limit, error);
        else if (child)
            code = doc_duration(child, &limit, error);
        if (child)
            target.limit = i == MEASURE_RECORDS_LOST ? (double)limit : (double)limit / 1e9;
        XGROW(record->targets, record->n_targets, record->cap_targets);
        record->targets[record->n_targets++] = target;
    }
    return code;
}

static int read_identity(struct record *record, const struct doc *doc, struct error *error)
{
    struct run_identity *id = &record->identity;
    struct doc *drill, *start;
    const char *format = "";
    *id = (struct run_identity){
        .title = "", .system = "", .playbook = "", .section = "", .tier = "people", .replay = ""};
    int code = doc_text(doc_get(doc, "format"), &format, error);
    if (code == 0 && strcmp(format, "rehearse.held/1") != 0)
        code = doc_error(doc, error, "format '%s' is not known, expected rehearse.held/1", format);
    if (code == 0)
        code = doc_need(doc, "drill", &drill, error);
    if (code == 0)
        code = doc_text(drill, &id->drill, error);
    if (code == 0)
        code = doc_need(doc, "start", &start, error);
    if (code == 0)
        code = doc_time(start, &id->start_unix_ns, error);
    if (code == 0)
        code = doc_text(doc_get(doc, "title"), &id->title, error);
    if (code == 0)
        code = doc_text(doc_get(doc, "system"), &id->system, error);
    if (code == 0)
        code = doc_text(doc_get(doc, "playbook"), &id->playbook, error);
    if (code == 0)
        code = doc_text(doc_get(doc, "section"), &id->section, error);
    return code;
}

int held_read(const char *path, struct record **ret, const char **ret_people, struct error *error)
{
    static const char *const keys[] = {"format",   "drill",    "start",        "title",
                                       "system",   "playbook", "section",      "people",
                                       "instants", "downtime", "records_lost", "end_state",
                                       "actions",  "observed", "targets",      NULL};
    struct record *record = record_new();
    struct doc *doc, *instants;
    *ret = NULL;
    int code = doc_read_file(&record->arena, path, &doc, error);
    if (code == 0)
        code = doc_want(doc, DOC_MAPPING, error);
    if (code == 0)
        code = doc_only(doc, keys, error);
    if (code == 0)
        code = read_identity(record, doc, error);
    if (code == 0)
        code = doc_need(doc, "instants", &instants, error);
    if (code == 0)
        code = read_instants(record, instants, error);
    if (code == 0)
        code = doc_duration(doc_get(doc, "downtime"), &record->downtime_ns, error);
    if (code == 0)
        code = read_people(record, doc_get(doc, "people"), ret_people, error);
    if (code == 0)
        code = read_losses(record, doc_get(doc, "records_lost"), error);
    if (code == 0)
        code = read_end_state(record, doc_get(doc, "end_state"), error);
    if (code == 0)
        code = read_actions(record, doc_get(doc, "actions"), error);
    if (code == 0)
        code = read_observed(record, doc_get(doc, "observed"), error);
    if (code == 0)
        code = read_targets(record, doc_get(doc, "targets"), error);
    if (code) {
        record_free(record);
        return code;
    }
    record->now_ns = record->instants[T_END];
    *ret = record;
    return 0;
}
