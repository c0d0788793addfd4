#include "reports/expect.h"

#include <string.h>

#include "reports/explain.h"
#include "reports/lines.h"
#include "reports/words.h"

static const char *const outcome_words[] = {"pass", "fail", "unknown", NULL};
static const char *const result_words[] = {"met", "missed", "unknown", NULL};

/* A mapping from some of n known names to one of the words. */
static int read_words(const struct doc *node, const char *const *names, int n,
                      const char *const *words, int *ret, struct error *error)
{
    const char *known[GATES + MEASURES + 1] = {NULL};
    if (!node)
        return 0;
    memcpy(known, names, (size_t)n * sizeof *names);
    int code = doc_want(node, DOC_MAPPING, error);
    if (code == 0)
        code = doc_only(node, known, error);
    for (int i = 0; code == 0 && i < n; i++) {
        const struct doc *child = doc_get(node, names[i]);
        if (child)
            code = doc_choice(child, words, &ret[i], error);
    }
    return code;
}

static int check_id(const struct doc *node, const char *id, struct error *error)
{
    if (finding_kind(id))
        return 0;
    const char *near = finding_kind_near(id);
    if (near)
        return doc_error(node, error, "no finding has the id '%s'; did you mean '%s'?", id, near);
    return doc_error(node, error, "no finding has the id '%s'; 'rehearse explain' lists them", id);
}

static int read_ids(const struct doc *node, struct arena *arena, const char ***ret, int *ret_n,
                    struct error *error)
{
    if (!node)
        return 0;
    int code = doc_want(node, DOC_SEQUENCE, error);
    if (code)
        return code;
    *ret = ARENA_ARRAY(arena, const char *, node->n + 1);
    for (const struct doc *child = node->first; child; child = child->next) {
        const char *id;
        code = doc_text(child, &id, error);
        if (code == 0)
            code = check_id(child, id, error);
        if (code)
            return code;
        (*ret)[(*ret_n)++] = arena_strdup(arena, id);
    }
    return 0;
}

int expectation_read(struct expectation *ret, const struct doc *node, struct arena *arena,
                     struct error *error)
{
    static const char *const keys[] = {"verdict", "gates",   "targets", "findings",
                                       "absent",  "because", NULL};
    *ret = (struct expectation){.stated = node != NULL, .verdict = node ? -1 : OUTCOME_PASS};
    for (int i = 0; i < GATES; i++)
        ret->gates[i] = -1;
    for (int i = 0; i < MEASURES; i++)
        ret->targets[i] = -1;
    if (!node)
        return 0;
    int code = doc_want(node, DOC_MAPPING, error);
    if (code == 0)
        code = doc_only(node, keys, error);
    if (code == 0 && doc_get(node, "verdict"))
        code = doc_choice(doc_get(node, "verdict"), outcome_words, &ret->verdict, error);
    if (code == 0)
        code =
            read_words(doc_get(node, "gates"), gate_names, GATES, outcome_words, ret->gates, error);
    if (code == 0)
        code = read_words(doc_get(node, "targets"), measure_names, MEASURES, result_words,
                          ret->targets, error);
    if (code == 0)
        code = read_ids(doc_get(node, "findings"), arena, &ret->findings, &ret->n_findings, error);
    if (code == 0)
        code = read_ids(doc_get(node, "absent"), arena, &ret->absent, &ret->n_absent, error);
    const char *because = NULL;
    if (code == 0)
        code = doc_text(doc_get(node, "because"), &because, error);
    if (because)
        ret->because = arena_strdup(arena, because);
    return code;
}

static bool has_finding(const struct summary *summary, const char *id)
{
    for (int i = 0; i < summary->n_findings; i++) {
        if (strcmp(summary->findings[i].id, id) == 0)
            return true;
    }
    return false;
}

int expectation_compare(const struct expectation *expect, const struct summary *summary,
                        struct arena *arena, const char ***ret)
{
    struct lines lines = {.arena = arena};
    if (expect->verdict >= 0 && expect->verdict != (int)summary->outcome)
        lines_add(&lines, "verdict is %s, expected %s%s", outcome_names[summary->outcome],
                  outcome_names[expect->verdict],
                  expect->stated ? "" : " (the drill states no 'expect')");
    for (int i = 0; i < GATES; i++) {
        if (expect->gates[i] >= 0 && expect->gates[i] != (int)summary->gates[i])
            lines_add(&lines, "gate %s is %s, expected %s", gate_names[i],
                      outcome_names[summary->gates[i]], outcome_names[expect->gates[i]]);
    }
    for (int i = 0; i < MEASURES; i++) {
        int have = -1;
        for (int k = 0; k < summary->n_targets; k++) {
            if ((int)summary->targets[k].measure == i)
                have = (int)summary->targets[k].outcome;
        }
        if (expect->targets[i] >= 0 && expect->targets[i] != have)
            lines_add(&lines, "target %s is %s, expected %s", measure_names[i],
                      have < 0 ? "not set" : result_names[have], result_names[expect->targets[i]]);
    }
    for (int i = 0; i < expect->n_findings; i++) {
        if (!has_finding(summary, expect->findings[i]))
            lines_add(&lines, "finding %s is missing", expect->findings[i]);
    }
    for (int i = 0; i < expect->n_absent; i++) {
        if (has_finding(summary, expect->absent[i]))
            lines_add(&lines, "finding %s is there, expected none", expect->absent[i]);
    }
    *ret = lines.at;
    return lines.n;
}

int waivers_lapsed(const struct doc *waive, int64_t today_unix_ns, struct arena *arena,
                   const char ***ret)
{
    struct lines lines = {.arena = arena};
    for (const struct doc *item = waive ? waive->first : NULL; item; item = item->next) {
        const char *finding = "?";
        int64_t until_ns = INT64_MAX;
        if (doc_day(doc_get(item, "until"), &until_ns, NULL) < 0 || until_ns > today_unix_ns)
            continue; /* a mistake in it stops the drill itself */
        doc_text(doc_get(item, "finding"), &finding, NULL);
        lines_add(&lines, "the waiver of %s ended on %.10s: mend it, or say until when it is borne",
                  finding, words_date(arena, until_ns));
    }
    *ret = lines.at;
    return lines.n;
}
