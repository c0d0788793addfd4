/* Every drill, changed in one place: a mistake mended or made, in the playbook or in the world,
 * changes what is found, as the tools behave. So no verdict is one that would be given anyway. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "sim/base/doc.h"
#include "tests/drill_expect.h"
#include "tests/mutations.h"
#include "tests/workspace.h"

static const struct {
    const struct mutation *at;
    const int *n;
} lists[] = {
    {mutations, &n_mutations},
    {hal9_mutations, &n_hal9_mutations},
    {hap_mutations, &n_hap_mutations},
    {hyperpage_mutations, &n_hyperpage_mutations},
    {qec_sft_mutations, &n_qec_sft_mutations},
};

/* NULL: there are no more. */
static const struct mutation *mutation_at(int i)
{
    for (size_t k = 0; k < sizeof lists / sizeof *lists; k++) {
        if (i < *lists[k].n)
            return &lists[k].at[i];
        i -= *lists[k].n;
    }
    return NULL;
}

static const char *system_of(struct arena *arena, const char *drill)
{
    return arena_printf(arena, "%.*s", (int)(strchr(drill, '/') - drill), drill);
}

static const char *file_of(struct arena *arena, const char *drill)
{
    return arena_printf(arena, "drills/%s.yaml", strchr(drill, '/') + 1);
}

/* Below a heading the first occurrence counts; the document says the same elsewhere. */
static void replace_below(struct workspace *workspace, const char *file, const char *below,
                          const struct edit *edit)
{
    struct buf text;
    buf_init(&text, 1 << 20);
    assert_int_equal(buf_read_file(&text, workspace_path(workspace, file)), 0);
    const char *start = strstr(text.at, below), *at = start ? strstr(start, edit->from) : NULL;
    if (!at)
        fail_msg("%s has no '%s' below '%s'", file, edit->from, below);
    workspace_write(workspace, file,
                    arena_printf(&workspace->arena, "%.*s%s%s", (int)(at - text.at), text.at,
                                 edit->to, at + strlen(edit->from)));
    buf_release(&text);
}

static void apply(struct workspace *workspace, const struct mutation *mutation)
{
    for (int i = 0; i < 3 && mutation->edits[i].file; i++) {
        const struct edit *edit = &mutation->edits[i];
        const char *file = edit->file[0] ? edit->file : file_of(&workspace->arena, mutation->drill);
        if (mutation->below)
            replace_below(workspace, file, mutation->below, edit);
        else
            workspace_replace(workspace, file, edit->from, edit->to);
    }
}

static bool has(const struct flown *flown, const char *id)
{
    for (int i = 0; i < flown->report.findings.n; i++) {
        if (strcmp(flown->report.findings.at[i].id, id) == 0)
            return true;
    }
    return false;
}

/* What one word is about: "pass", "fail", "met" ... in this run. */
static const char *outcome_of(const struct flown *flown, const char *what)
{
    const struct verdict *verdict = &flown->report.verdict;
    if (strcmp(what, "verdict") == 0)
        return outcome_names[verdict->outcome];
    for (int i = 0; i < GATES; i++) {
        if (strcmp(what, gate_names[i]) == 0)
            return outcome_names[verdict->gates[i].outcome];
    }
    for (int i = 0; i < verdict->n_targets; i++) {
        if (strcmp(what, measure_names[verdict->targets[i].target->measure]) == 0)
            return verdict->targets[i].outcome == OUTCOME_PASS ? "met" : "missed";
    }
    fail_msg("no gate or target is called '%s'", what);
    return "";
}

static bool expects_finding(const struct doc *expect, const char *id)
{
    const struct doc *findings = doc_get(expect, "findings");
    for (const struct doc *node = findings ? findings->first : NULL; node; node = node->next) {
        if (node->text && strcmp(node->text, id) == 0)
            return true;
    }
    return false;
}

/* Whether the drill as it stands expects otherwise. A drill that passes expects every gate and
 * target to. */
static bool contradicts(const struct doc *expect, const char *what, const char *outcome)
{
    const struct doc *gate = doc_get(doc_get(expect, "gates"), what),
                     *target = doc_get(doc_get(expect, "targets"), what);
    const struct doc *verdict = doc_get(expect, "verdict"), *said = strcmp(what, "verdict") == 0
                                                                        ? verdict
                                                                    : gate ? gate
                                                                           : target;
    if (said)
        return strcmp(said->text, outcome) != 0;
    return strcmp(verdict->text, "pass") == 0 &&
           (strcmp(outcome, "fail") == 0 || strcmp(outcome, "missed") == 0);
}

static void compare(const struct mutation *mutation, const struct flown *flown,
                    struct buf *complaints)
{
    struct arena arena = {0};
    const struct doc *expect = flown->drill->expect;
    struct str rest = str_of(mutation->expected);
    bool changed = false;
    while (rest.len) {
        const char *word = arena_str(&arena, str_cut(&rest, ' '));
        if (word[0] == '+' || word[0] == '-') {
            changed |= expects_finding(expect, word + 1) == (word[0] == '-');
            if (has(flown, word + 1) != (word[0] == '+'))
                buf_printf(complaints, "%s: %s did not come true: %s\n", mutation->drill, word,
                           mutation->why);
            continue;
        }
        struct str outcome = str_of(word);
        const char *what = arena_str(&arena, str_cut(&outcome, ':'));
        changed |= contradicts(expect, what, arena_str(&arena, outcome));
        if (!str_is(outcome, outcome_of(flown, what)))
            buf_printf(complaints, "%s: %s is %s, not %.*s: %s\n", mutation->drill, what,
                       outcome_of(flown, what), STR_ARG(outcome), mutation->why);
    }
    if (!changed)
        buf_printf(complaints, "%s: '%s' is what the drill expects anyway\n", mutation->drill,
                   mutation->expected);
    arena_release(&arena);
}

static void each_change_is_seen(void **state)
{
    (void)state;
    struct buf complaints;
    buf_init(&complaints, 1 << 20);
    const struct mutation *mutation;
    for (int i = 0; (mutation = mutation_at(i)); i++) {
        struct workspace workspace;
        struct flown flown;
        struct arena arena = {0};
        workspace_init(&workspace,
                       arena_printf(&arena, "procedures/%s", system_of(&arena, mutation->drill)));
        apply(&workspace, mutation);
        flown_init(&flown, workspace_path(&workspace, file_of(&arena, mutation->drill)), NULL);
        compare(mutation, &flown, &complaints);
        flown_release(&flown);
        workspace_release(&workspace);
        arena_release(&arena);
    }
    if (complaints.len) {
        fprintf(stderr, "%s", complaints.at); /* longer than cmocka prints */
        fail();
    }
    buf_release(&complaints);
}

static void every_drill_has_a_change(void **state)
{
    (void)state;
    static const char *const systems[] = {"hal9", "hap", "hp_ti", "hyperpage", "qec_sft"};
    struct arena arena = {0};
    for (size_t s = 0; s < sizeof systems / sizeof *systems; s++) {
        char **paths =
            drill_paths(&arena, arena_printf(&arena, "procedures/%s/drills", systems[s]));
        for (int i = 0; paths[i]; i++) {
            bool found = false;
            const struct mutation *one;
            for (int k = 0; (one = mutation_at(k)); k++)
                found |= strcmp(paths[i], arena_printf(&arena, "procedures/%s/%s",
                                                       system_of(&arena, one->drill),
                                                       file_of(&arena, one->drill))) == 0;
            if (!found)
                fail_msg("nothing shows what would change the verdict of %s", paths[i]);
        }
    }
    arena_release(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_change_is_seen),
        cmocka_unit_test(every_drill_has_a_change),
    };
    return cmocka_run_group_tests_name("mutations", tests, NULL, NULL);
}
