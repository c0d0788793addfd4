/* Every system: its drills against their expectations, what a hardened edition may change, and the
 * owner's documents. Expectations stand in the drills, with the source that each follows from. */
#include <ftw.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "sim/base/doc.h"
#include "tests/coverage.h"
#include "tests/drill_expect.h"
#include "tests/workspace.h"

static const char *const systems[] = {"hal9", "hap", "hp_ti", "hyperpage", "qec_sft"};
enum { SYSTEMS = sizeof systems / sizeof *systems };

/* What a corrupt index without a replica held since its last snapshot is nowhere in the world. */
static const char *const cannot_pass[] = {"/elasticsearch-index-hardened.yaml",
                                          "/elasticsearch-snapshot-missing-hardened.yaml"};

static char **drills_of(struct arena *arena, const char *system)
{
    return drill_paths(arena, arena_printf(arena, "procedures/%s/drills", system));
}

static const char *text_at(const struct doc *doc, const char *first, const char *second)
{
    const struct doc *node = doc_get(doc_get(doc, first), second);
    return node && node->text ? node->text : "";
}

static const struct doc *read_drill(struct arena *arena, const char *path)
{
    struct doc *doc = NULL;
    struct error error = {""};
    if (doc_read_file(arena, path, &doc, &error) < 0)
        fail_msg("%s", error.text);
    return doc;
}

/* "NAME.yaml" of "NAME-hardened.yaml"; NULL for what is no hardened edition. */
static const char *first_edition(struct arena *arena, const char *path)
{
    const char *at = strstr(path, "-hardened.yaml");
    return at ? arena_printf(arena, "%.*s.yaml", (int)(at - path), path) : NULL;
}

static bool may_fail(const char *path)
{
    for (size_t i = 0; i < sizeof cannot_pass / sizeof *cannot_pass; i++) {
        if (strstr(path, cannot_pass[i]))
            return true;
    }
    return false;
}

/* ---- flown ---- */

static const struct event *message_with(const struct record *record, const char *word)
{
    for (int i = 0; i < record->n_events; i++) {
        if (record->events[i].kind == EVENT_MESSAGE && strcasestr(record->events[i].text, word))
            return &record->events[i];
    }
    return NULL;
}

/* The owners' documents ask for two messages. The first goes out before anything is changed, the
 * second when it is true. */
static void check_messages(const struct flown *flown, struct buf *complaints)
{
    const struct record *record = flown->record;
    const struct event *first = NULL, *last = message_with(record, "complete");
    int n_changes_before = 0;
    for (int i = 0; i < record->n_events && !first; i++) {
        if (record->events[i].kind == EVENT_MESSAGE)
            first = &record->events[i];
    }
    for (int i = 0; first && i + 1 < first->step; i++)
        n_changes_before += record->steps[i].n_changed;
    if (!first)
        buf_printf(complaints, "%s: nobody is told\n", flown->drill->name);
    else if (n_changes_before || strstr(first->text, "omplete"))
        buf_printf(complaints, "%s: something is changed before anybody is told\n",
                   flown->drill->name);
    if (!last)
        buf_printf(complaints, "%s: nobody is told that it is over\n", flown->drill->name);
    else if (last->at_ns < record->instants[T_RESTORE])
        buf_printf(complaints, "%s: '%s' is sent before it is true\n", flown->drill->name,
                   last->text);
    for (int i = 0; i < record->n_events; i++) {
        if (record->events[i].kind == EVENT_MESSAGE && strpbrk(record->events[i].text, "$<>"))
            buf_printf(complaints, "%s: a blank was sent: %s\n", flown->drill->name,
                       record->events[i].text);
    }
}

static void every_drill_has_its_verdict(void **state)
{
    (void)state;
    struct arena arena = {0};
    struct buf complaints;
    buf_init(&complaints, 1 << 20);
    for (int s = 0; s < SYSTEMS; s++) {
        char **paths = drills_of(&arena, systems[s]);
        assert_non_null(paths[0]);
        for (int i = 0; paths[i]; i++) {
            struct flown flown;
            flown_init(&flown, paths[i], NULL);
            flown_compare(&flown, &complaints);
            if (first_edition(&arena, paths[i]))
                check_messages(&flown, &complaints);
            flown_release(&flown);
        }
    }
    if (complaints.len)
        fail_msg("\n%s", complaints.at);
    buf_release(&complaints);
    arena_release(&arena);
}

/* ---- what a hardened edition may change ---- */

/* How it is told, what is done, who watches and who decides. Everything else is the world, what
 * goes wrong with it, what is good and what is asked for. */
static bool may_change(const char *key)
{
    static const char *const keys[] = {"title",    "procedure", "triggers",
                                       "decision", "operator",  "expect"};
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
        if (strcmp(keys[i], key) == 0)
            return true;
    }
    return false;
}

/* Keys of `a` that `b` has otherwise or not at all. */
static void compare_keys(const char *path, const struct doc *a, const struct doc *b,
                         struct buf *complaints)
{
    for (const struct doc *node = a->first; node; node = node->next) {
        bool claims =
            strcmp(node->key, "claims") == 0; /* what success sounds like is part of the document */
        if (!may_change(node->key) && !claims && !docs_same(node, doc_get(b, node->key)))
            buf_printf(complaints, "%s: '%s' is not that of the first edition\n", path, node->key);
    }
}

static void a_hardened_edition_has_the_same_world(void **state)
{
    (void)state;
    struct arena arena = {0};
    struct buf complaints;
    buf_init(&complaints, 1 << 20);
    int n_hardened = 0;
    for (int s = 0; s < SYSTEMS; s++) {
        char **paths = drills_of(&arena, systems[s]);
        for (int i = 0; paths[i]; i++) {
            const char *first_path = first_edition(&arena, paths[i]);
            if (!first_path)
                continue;
            const struct doc *hardened = read_drill(&arena, paths[i]),
                             *first = read_drill(&arena, first_path);
            compare_keys(paths[i], first, hardened, &complaints);
            compare_keys(paths[i], hardened, first, &complaints);
            assert_string_equal(text_at(hardened, "procedure", "playbook"), "../hardened.md");
            if (may_fail(paths[i]) != (strcmp(text_at(hardened, "expect", "verdict"), "pass") != 0))
                buf_printf(&complaints, "%s: it does not pass\n", paths[i]);
            n_hardened++;
        }
    }
    if (complaints.len)
        fail_msg("\n%s", complaints.at);
    assert_true(n_hardened >= 35);
    buf_release(&complaints);
    arena_release(&arena);
}

static int is_script(const char *path, const struct stat *info, int kind, struct FTW *walk)
{
    (void)info;
    (void)walk;
    bool script = strstr(path, "/deployment/scripts/") || strstr(path, "/migrations/down/");
    if (kind == FTW_F && !script)
        fail_msg("%s is laid over the world", path);
    return 0;
}

/* What a hardened procedure brings along takes the place of scripts, never of the world's files. */
static void a_hardened_edition_brings_scripts_only(void **state)
{
    (void)state;
    struct arena arena = {0};
    for (int s = 0; s < SYSTEMS; s++) {
        char **paths = drills_of(&arena, systems[s]);
        for (int i = 0; paths[i]; i++) {
            const char *files = text_at(read_drill(&arena, paths[i]), "procedure", "files");
            if (!first_edition(&arena, paths[i]) || !files[0])
                continue;
            assert_int_equal(
                nftw(arena_printf(&arena, "procedures/%s/drills/%s", systems[s], files), is_script,
                     8, FTW_PHYS),
                0);
        }
    }
    arena_release(&arena);
}

static void whatever_fails_has_a_hardened_edition(void **state)
{
    (void)state;
    struct arena arena = {0};
    struct buf complaints;
    buf_init(&complaints, 1 << 20);
    for (int s = 0; s < SYSTEMS; s++) {
        char **paths = drills_of(&arena, systems[s]);
        for (int i = 0; paths[i]; i++) {
            const struct doc *doc = read_drill(&arena, paths[i]);
            if (!strchr(text_at(doc, "expect", "because"),
                        '(')) /* where the tool's behaviour is written down */
                buf_printf(&complaints, "%s: 'because' names no source\n", paths[i]);
            if (strcmp(text_at(doc, "expect", "verdict"), "fail") != 0 ||
                first_edition(&arena, paths[i]))
                continue;
            const char *wanted = arena_printf(&arena, "%.*s-hardened.yaml",
                                              (int)(strlen(paths[i]) - strlen(".yaml")), paths[i]);
            bool found = false;
            for (int k = 0; paths[k]; k++)
                found |= strcmp(paths[k], wanted) == 0;
            if (!found)
                buf_printf(&complaints, "no %s\n", wanted);
        }
    }
    if (complaints.len)
        fail_msg("\n%s", complaints.at);
    buf_release(&complaints);
    arena_release(&arena);
}

/* ---- the owners' documents ---- */

static void the_copies_are_the_owners_documents(void **state)
{
    (void)state;
    struct arena arena = {0};
    for (int s = 0; s < SYSTEMS; s++) {
        const char *path = owners_playbook(&arena, arena_printf(&arena, "%s.md", systems[s]));
        if (!path) {
            print_message("no owners' documents beside the repository\n");
            arena_release(&arena);
            skip();
        }
        struct buf ours, theirs;
        buf_init(&ours, 1 << 20);
        buf_init(&theirs, 1 << 20);
        assert_int_equal(
            buf_read_file(&ours, arena_printf(&arena, "procedures/%s/playbook.md", systems[s])), 0);
        assert_int_equal(buf_read_file(&theirs, path), 0);
        assert_int_equal(ours.len, theirs.len);
        assert_memory_equal(ours.at, theirs.at, ours.len);
        buf_release(&ours);
        buf_release(&theirs);
    }
    arena_release(&arena);
}

/* With --playbook every drill of the first edition takes the same lines, of the same numbers, from
 * the owner's file. */
static void the_owners_documents_section_by_section(void **state)
{
    (void)state;
    struct arena arena = {0};
    for (int s = 0; s < SYSTEMS; s++) {
        char **paths = drills_of(&arena, systems[s]);
        struct drill_options options = {
            .playbook = owners_playbook(&arena, arena_printf(&arena, "%s.md", systems[s]))};
        if (!options.playbook) {
            arena_release(&arena);
            skip();
        }
        for (int i = 0; paths[i]; i++) {
            struct drill *ours = NULL, *theirs = NULL;
            struct error error = {""};
            if (strcmp(text_at(read_drill(&arena, paths[i]), "procedure", "playbook"),
                       "../playbook.md") != 0)
                continue;
            if (drill_load(paths[i], NULL, &ours, &error) < 0 ||
                drill_load(paths[i], &options, &theirs, &error) < 0)
                fail_msg("%s", error.text);
            assert_int_equal(ours->procedure.n_lines, theirs->procedure.n_lines);
            for (int k = 0; k < theirs->procedure.n_lines; k++) {
                const struct procedure_line *line = &theirs->procedure.lines[k];
                assert_string_equal(line->file, options.playbook);
                assert_int_equal(line->line, ours->procedure.lines[k].line);
                assert_true(str_eq(line->text, ours->procedure.lines[k].text));
            }
            drill_free(ours);
            drill_free(theirs);
        }
    }
    arena_release(&arena);
}

/* And with the same verdict; every section was run so by hand, these are the ones with most to say.
 */
static void the_owners_documents_have_the_same_verdicts(void **state)
{
    static const char *const drills[][2] = {
        {"hp_ti", "application-code"},        {"hp_ti", "elasticsearch-index"},
        {"hp_ti", "database-rollback-fails"}, {"hap", "full-rollback"},
        {"hap", "database-rollback"},         {"qec_sft", "policy-repository"},
        {"hyperpage", "emergency-script"},    {"hyperpage", "cluster-planned"},
        {"hal9", "state-migration"},          {"hal9", "ramp-pasted"},
    };
    (void)state;
    struct arena arena = {0};
    struct buf complaints;
    buf_init(&complaints, 1 << 20);
    for (size_t i = 0; i < sizeof drills / sizeof *drills; i++) {
        struct drill_options options = {
            .playbook = owners_playbook(&arena, arena_printf(&arena, "%s.md", drills[i][0]))};
        if (!options.playbook) {
            arena_release(&arena);
            skip();
        }
        struct flown flown;
        flown_init(&flown,
                   arena_printf(&arena, "procedures/%s/drills/%s.yaml", drills[i][0], drills[i][1]),
                   &options);
        flown_compare(&flown, &complaints);
        assert_true(flown.record->n_steps > 0);
        assert_string_equal(flown.record->steps[0].file, options.playbook);
        flown_release(&flown);
    }
    if (complaints.len)
        fail_msg("\n%s", complaints.at);
    buf_release(&complaints);
    arena_release(&arena);
}

/* HAP's and HP_TI's are compared with the triggers that their own tests make fire. */
static void the_coverage_table_is_true(void **state)
{
    static const char *const no_triggers[] = {NULL};
    (void)state;
    coverage_check("procedures/qec_sft", no_triggers);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_drill_has_its_verdict),
        cmocka_unit_test(a_hardened_edition_has_the_same_world),
        cmocka_unit_test(a_hardened_edition_brings_scripts_only),
        cmocka_unit_test(whatever_fails_has_a_hardened_edition),
        cmocka_unit_test(the_coverage_table_is_true),
        cmocka_unit_test(the_copies_are_the_owners_documents),
        cmocka_unit_test(the_owners_documents_section_by_section),
        cmocka_unit_test(the_owners_documents_have_the_same_verdicts),
    };
    return cmocka_run_group_tests_name("systems", tests, NULL, NULL);
}
