#include "tests/drill_expect.h"

#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "reports/expect.h"

void flown_init(struct flown *flown, const char *path, const struct drill_options *options)
{
    struct error error = {""};
    *flown = (struct flown){0};
    if (drill_load(path, options, &flown->drill, &error) < 0)
        fail_msg("%s", error.text);
    struct run_options run = {.seed = 1};
    int code = drill_run(flown->drill, &run, &flown->record, &error);
    if (code == ERROR_SEAL) {
        print_message("cannot be sealed here: %s\n", error.text);
        skip();
    }
    if (code < 0)
        fail_msg("%s", error.text);
    report_init(&flown->report, flown->record);
}

void flown_release(struct flown *flown)
{
    report_release(&flown->report);
    record_free(flown->record);
    drill_free(flown->drill);
}

/* What brought the verdict down, in one line. */
static void why(const struct flown *flown, struct buf *ret)
{
    const struct verdict *verdict = &flown->report.verdict;
    struct arena arena = {0};
    for (int i = 0; i < GATES; i++) {
        if (verdict->gates[i].outcome != OUTCOME_PASS)
            buf_printf(ret, "; %s: %s", gate_names[i], verdict->gates[i].why);
    }
    for (int i = 0; i < verdict->n_targets; i++) {
        enum measure measure = verdict->targets[i].target->measure;
        if (verdict->targets[i].outcome != OUTCOME_PASS)
            buf_printf(ret, "; %s %s", measure_names[measure],
                       measure_words(measure, &verdict->measures[measure], &arena));
    }
    arena_release(&arena);
}

void flown_compare(const struct flown *flown, struct buf *complaints)
{
    struct arena arena = {0};
    struct error error = {""};
    struct expectation expectation;
    struct summary summary;
    const char **lines = NULL;
    if (expectation_read(&expectation, flown->drill->expect, &arena, &error) < 0)
        fail_msg("%s", error.text);
    summary_of_report(&summary, &arena, &flown->report);
    int n = expectation_compare(&expectation, &summary, &arena, &lines);
    for (int i = 0; i < n; i++)
        buf_printf(complaints, "%s: %s\n", flown->drill->name, lines[i]);
    if (n) {
        buf_printf(complaints, "    it is %s", outcome_names[flown->report.verdict.outcome]);
        why(flown, complaints);
        buf_printf(complaints, "\n");
    }
    arena_release(&arena);
}

const struct step *flown_step(const struct flown *flown, const char *start)
{
    for (int i = 0; i < flown->record->n_steps; i++) {
        if (strncmp(flown->record->steps[i].command, start, strlen(start)) == 0)
            return &flown->record->steps[i];
    }
    fail_msg("%s: no step '%s'", flown->drill->name, start);
    return NULL;
}

const struct ledger_row *flown_ledger(const struct flown *flown, const char *store)
{
    for (int i = 0; i < flown->record->n_ledger; i++) {
        if (strcmp(flown->record->ledger[i].store, store) == 0)
            return &flown->record->ledger[i];
    }
    fail_msg("%s: no ledger of '%s'", flown->drill->name, store);
    return NULL;
}

const char *flown_end_state(const struct flown *flown, const char *subject, const char *property)
{
    for (int i = 0; i < flown->record->n_end_states; i++) {
        const struct end_state *state = &flown->record->end_states[i];
        if (strcmp(state->subject, subject) == 0 && strcmp(state->property, property) == 0)
            return state->value;
    }
    fail_msg("%s: no %s of '%s' at the end", flown->drill->name, property, subject);
    return NULL;
}

static int is_drill(const struct dirent *entry)
{
    size_t n = strlen(entry->d_name);
    return n > 5 && strcmp(entry->d_name + n - 5, ".yaml") == 0;
}

static int by_bytes(const struct dirent **a, const struct dirent **b)
{
    return strcmp((*a)->d_name, (*b)->d_name);
}

char **drill_paths(struct arena *arena, const char *folder)
{
    struct dirent **entries = NULL;
    int n = scandir(folder, &entries, is_drill, by_bytes);
    if (n < 0)
        fail_msg("%s: cannot be listed", folder);
    char **paths = ARENA_ARRAY(arena, char *, n + 1);
    for (int i = 0; i < n; i++) {
        paths[i] = arena_printf(arena, "%s/%s", folder, entries[i]->d_name);
        free(entries[i]);
    }
    free(entries);
    return paths;
}

bool docs_same(const struct doc *a, const struct doc *b)
{
    if (!a || !b)
        return a == b;
    if (a->kind != b->kind || a->n != b->n || (a->key == NULL) != (b->key == NULL) ||
        (a->key && strcmp(a->key, b->key) != 0) ||
        (a->kind == DOC_SCALAR && strcmp(a->text, b->text) != 0))
        return false;
    const struct doc *x = a->first, *y = b->first;
    for (; x && y; x = x->next, y = y->next) {
        if (!docs_same(x, y))
            return false;
    }
    return true;
}
