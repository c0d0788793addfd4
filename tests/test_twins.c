/* Each rule of lint has a twin: a run in which its mistake bites. Here the mistakes are made for
 * real, on small shops (tests/twins.h): lint names the rule at a line, the run says at that line
 * one of the findings as which the rule shows, and neither says so once the mistake is mended. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "procedures/lint/lint.h"
#include "sim/base/buf.h"
#include "tests/drill_expect.h"
#include "tests/twins.h"
#include "tests/workspace.h"

/* Lines of the shell are counted from 1; in the document it stands behind a heading and a fence. */
enum { BEFORE = 2 };

/* A script is one step, at its first line. */
static int line_of_step(const struct twin *twin)
{
    return BEFORE + (strncmp(twin->shell, "#!", 2) ? twin->line : 1);
}

/* Does lint name the rule at that line of the document (0: anywhere)? */
static bool lint_says(const char *document, const char *rule, int line, struct buf *said)
{
    struct arena arena = {0};
    struct playbook playbook;
    struct lint_result result;
    struct error error;
    bool found = false;
    assert_int_equal(playbook_parse(&arena, "playbook.md", str_of(document), &playbook, &error), 0);
    lint_playbook(&arena, &playbook, &result);
    for (int i = 0; i < result.n_findings; i++) {
        const struct lint_finding *at = &result.findings[i];
        found |= strcmp(at->rule->id, rule) == 0 && (!line || at->line == line);
        buf_printf(said, " %s@%d", at->rule->id, at->line - BEFORE);
    }
    arena_release(&arena);
    return found;
}

static bool shows_as(const struct lint_rule *rule, const char *finding)
{
    struct str twins = str_of(rule->twins);
    while (twins.len)
        if (str_is(str_cut(&twins, ' '), finding))
            return true;
    return false;
}

/* The findings at that line as which the rule shows, one a line. */
static void add_bites(const struct flown *flown, const char *rule, int line, struct buf *ret)
{
    for (int i = 0; i < flown->report.findings.n; i++) {
        const struct finding *at = &flown->report.findings.at[i];
        if (shows_as(lint_rule(rule), at->id) && at->line == line)
            buf_printf(ret, "%s\n", at->id);
    }
}

/* Does a finding of the run name the rule? */
static bool is_pointed_to(const struct flown *flown, const char *rule)
{
    for (int i = 0; i < flown->report.findings.n; i++) {
        const struct static_note *lint = flown->report.findings.at[i].lint;
        if (lint && strcmp(lint->rule, rule) == 0)
            return true;
    }
    return false;
}

static bool has_any(const struct flown *flown, struct str ids)
{
    while (ids.len) {
        struct str id = str_cut(&ids, '\n');
        for (int i = 0; i < flown->report.findings.n; i++)
            if (str_is(id, flown->report.findings.at[i].id))
                return true;
    }
    return false;
}

/* Writes the shell as the playbook, asks lint whether it names the rule at that line (0: anywhere)
 * and runs it. What both said is in `said`. */
static bool ask(struct workspace *workspace, const char *drill, const char *shell, const char *rule,
                int line, struct flown *ret, struct buf *said)
{
    struct buf text;
    bool linted;
    buf_init(&text, 1 << 16);
    buf_printf(&text, "# Roll back\n```bash\n%s\n```\n", shell);
    workspace_write(workspace, "playbook.md", text.at);
    buf_clear(said);
    buf_puts(said, "lint:");
    linted = lint_says(text.at, rule, line, said);
    buf_puts(said, "; run:");
    flown_init(ret, workspace_path(workspace, drill), &(struct drill_options){NULL, NULL});
    for (int i = 0; i < ret->report.findings.n; i++) {
        const struct finding *at = &ret->report.findings.at[i];
        buf_printf(said, " %s@%d", at->id, at->line ? at->line - BEFORE : 0);
    }
    buf_release(&text);
    return linted;
}

/* Lint and the run see the mistake at its line, and the run points to lint; once it is mended, lint
 * names the rule nowhere, and what bit is nowhere in the run. Returns 1 and says why if not. */
static int judge(struct workspace *workspace, const char *drill, const struct twin *twin,
                 struct buf *said, struct buf *bites)
{
    struct flown flown;
    bool seen, bitten, pointed;
    buf_clear(bites);
    seen = ask(workspace, drill, twin->shell, twin->rule, BEFORE + twin->line, &flown, said);
    add_bites(&flown, twin->rule, line_of_step(twin), bites);
    pointed = is_pointed_to(&flown, twin->rule);
    flown_release(&flown);
    if (!seen || !bites->len || !pointed) {
        print_error("%s at %d (%s) is not seen by %s\n  %s\n", twin->rule, twin->line, twin->why,
                    !seen         ? "lint"
                    : !bites->len ? "the run"
                                  : "the run's finding, which does not name it",
                    said->at);
        return 1;
    }
    seen = ask(workspace, drill, twin->mended, twin->rule, 0, &flown, said);
    bitten = has_any(&flown, buf_text(bites));
    flown_release(&flown);
    if (seen || bitten)
        print_error("%s mended (%s) is still seen by %s\n  %s\n%s\n", twin->rule, twin->why,
                    seen ? "lint" : "the run", said->at, twin->mended);
    return seen || bitten;
}

static void each_mistake_bites(void **state)
{
    const struct twin_shop *shop = *state;
    struct workspace workspace;
    struct buf said, bites;
    int wrong = 0;
    workspace_init(&workspace, shop->folder);
    buf_init(&said, 1 << 16);
    buf_init(&bites, 1 << 16);
    for (size_t i = 0; i < shop->n; i++)
        wrong += judge(&workspace, shop->drill, &shop->twins[i], &said, &bites);
    buf_release(&said);
    buf_release(&bites);
    workspace_release(&workspace);
    assert_int_equal(wrong, 0);
}

/* Neither lint nor the run complains, but for what nobody was told in so short a playbook. */
static void what_is_right_is_left_alone(void **state)
{
    const struct twin_shop *shop = *state;
    struct workspace workspace;
    struct buf said;
    struct flown flown;
    workspace_init(&workspace, shop->folder);
    buf_init(&said, 1 << 16);
    ask(&workspace, shop->drill, shop->right, "RB001", 0, &flown, &said);
    flown_release(&flown);
    assert_string_equal(said.at, "lint:; run: missing_communication@0");
    buf_release(&said);
    workspace_release(&workspace);
}

/* Blanks stop the run before it begins, at the line that lint names. */
static const struct blank {
    const char *rule, *document, *mended;
    int line;
} blanks[] = {
    {"RB025", "# Roll back\n```bash\ndocker-compose up -d <service>\n```\n",
     "# Roll back\n```bash\ndocker-compose up -d web\n```\n", 3},
    {"RB025", "# Roll back\n```bash\n\ndocker tag shop/web:$GOOD x\n```\n",
     "# Roll back\n```bash\nGOOD=v1\ndocker tag shop/web:$GOOD x\n```\n", 4},
    {"RB020",
     "# Before\n```bash\nGOOD=v1\n```\n# Roll back\n```bash\ndocker tag shop/web:$GOOD x\n```\n",
     "# Before\n```bash\nGOOD=v1\n```\n# Roll back\n```bash\nGOOD=v1; docker tag shop/web:$GOOD "
     "x\n```\n",
     7},
};
enum { N_BLANKS = sizeof blanks / sizeof *blanks };

/* Loads it as the playbook; -1 and an error if there is something left to fill in. */
static int load(struct workspace *workspace, const char *document, struct error *error)
{
    struct drill_options options = {.section = "Roll back"};
    struct drill *drill = NULL;
    int code;
    workspace_write(workspace, "playbook.md", document);
    code = drill_load(workspace_path(workspace, "drill.yaml"), &options, &drill, error);
    if (code == 0)
        drill_free(drill);
    return code;
}

static void each_blank_is_refused(void **state)
{
    struct workspace workspace;
    struct buf said, place;
    (void)state;
    workspace_init(&workspace, twins_compose.folder);
    buf_init(&said, 1 << 16);
    buf_init(&place, 100);
    for (int i = 0; i < N_BLANKS; i++) {
        const struct blank *blank = &blanks[i];
        struct error error = {""};
        buf_clear(&place);
        buf_printf(&place, "playbook.md:%d:", blank->line);
        if (!lint_says(blank->document, blank->rule, blank->line, &said) ||
            lint_says(blank->mended, blank->rule, 0, &said))
            fail_msg("%s: lint says%s", blank->document, said.at);
        assert_true(load(&workspace, blank->document, &error) < 0);
        if (!strstr(error.text, place.at))
            fail_msg("'%s' is not in: %s", place.at, error.text);
        if (load(&workspace, blank->mended, &error))
            fail_msg("%s: %s", blank->mended, error.text);
    }
    buf_release(&said);
    buf_release(&place);
    workspace_release(&workspace);
}

static const struct twin_shop *const shops[] = {
    &twins_compose,           &twins_compose_again, &twins_git,
    &twins_git_hotfix,        &twins_git_migration, &twins_stubs,
    &twins_kubernetes_config, &twins_kubernetes,    &twins_helm,
};
enum { N_SHOPS = sizeof shops / sizeof *shops };

/* No rule comes in without a run in which it bites. */
static void every_rule_has_its_twin(void **state)
{
    (void)state;
    for (const struct lint_rule *rule = lint_rules; rule->id; rule++) {
        int n = 0;
        for (int i = 0; i < N_SHOPS; i++)
            for (size_t k = 0; k < shops[i]->n; k++)
                n += strcmp(shops[i]->twins[k].rule, rule->id) == 0;
        for (int i = 0; i < N_BLANKS; i++)
            n += strcmp(blanks[i].rule, rule->id) == 0;
        if (!n)
            fail_msg("%s has no twin: make its mistake in a shop (tests/twins_*.c)", rule->id);
    }
}

/* A mistyped id would be a twin of nothing. */
static void twins_are_of_rules(void **state)
{
    (void)state;
    for (int i = 0; i < N_SHOPS; i++)
        for (size_t k = 0; k < shops[i]->n; k++)
            if (!lint_rule(shops[i]->twins[k].rule))
                fail_msg("%s is no rule", shops[i]->twins[k].rule);
}

int main(void)
{
    struct CMUnitTest tests[3 + 2 * N_SHOPS] = {
        cmocka_unit_test(every_rule_has_its_twin),
        cmocka_unit_test(twins_are_of_rules),
        cmocka_unit_test(each_blank_is_refused),
    };
    static char names[2 * N_SHOPS][100];
    for (int i = 0; i < 2 * N_SHOPS; i++) {
        const struct twin_shop *shop = shops[i / 2];
        snprintf(names[i], sizeof names[i], "%s: %s",
                 i % 2 ? "what_is_right_is_left_alone" : "each_mistake_bites", shop->name);
        tests[3 + i] = (struct CMUnitTest){
            .name = names[i],
            .test_func = i % 2 ? what_is_right_is_left_alone : each_mistake_bites,
            .initial_state = (void *)(uintptr_t)shop,
        };
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}
