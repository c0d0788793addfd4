/* The published schemas of what people write: every file that we ship is valid, and mistakes are
 * not. */
#include <glob.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "fakes/fake.h"
#include "sim/base/doc.h"
#include "tests/json_schema.h"

#define SYSTEM   "procedures/drill/system.schema.json"
#define DRILL    "procedures/drill/drill.schema.json"
#define TRIGGERS "procedures/drill/triggers.schema.json"

static void add_text(struct buf *json, const char *text)
{
    buf_putc(json, '"');
    for (; *text; text++) {
        if ((unsigned char)*text < 0x20)
            buf_printf(json, "\\u%04x", *text);
        else if (*text == '"' || *text == '\\')
            buf_printf(json, "\\%c", *text);
        else
            buf_putc(json, *text);
    }
    buf_putc(json, '"');
}

static void add_scalar(struct buf *json, const struct doc *node)
{
    char *end = NULL;
    bool plain = !node->quoted;
    if (plain && (strcmp(node->text, "true") == 0 || strcmp(node->text, "false") == 0)) {
        buf_puts(json, node->text);
        return;
    }
    double number = strtod(node->text, &end);
    bool digits = strspn(node->text, "0123456789.-+eE") == strlen(node->text);
    if (plain && *node->text && digits && !*end)
        buf_printf(json, "%.17g", number);
    else
        add_text(json, node->text);
}

static void add_json(struct buf *json, const struct doc *node)
{
    if (node->kind == DOC_NULL) {
        buf_puts(json, "null");
    } else if (node->kind == DOC_SCALAR) {
        add_scalar(json, node);
    } else {
        bool mapping = node->kind == DOC_MAPPING;
        buf_putc(json, mapping ? '{' : '[');
        for (const struct doc *child = node->first; child; child = child->next) {
            if (child != node->first)
                buf_putc(json, ',');
            if (mapping) {
                add_text(json, child->key);
                buf_putc(json, ':');
            }
            add_json(json, child);
        }
        buf_putc(json, mapping ? '}' : ']');
    }
}

/* NULL if it is valid, else what is wrong. */
static const char *check(const char *schema, const char *path, const char *text)
{
    struct arena arena = {0};
    struct doc *root = NULL;
    struct error error;
    struct buf json;
    int code = text ? doc_read_text(&arena, path, str_of(text), &root, &error)
                    : doc_read_file(&arena, path, &root, &error);
    if (code)
        fail_msg("%s", error.text);
    buf_init(&json, 1 << 22);
    add_json(&json, root);
    const char *complaint = json_schema_check(schema, json.at);
    buf_release(&json);
    arena_release(&arena);
    return complaint;
}

static int check_all(const char *pattern, const char *schema, int *wrong)
{
    glob_t files;
    int n = 0;
    if (glob(pattern, 0, NULL, &files))
        return 0;
    for (size_t i = 0; i < files.gl_pathc; i++, n++) {
        const char *complaint = check(schema, files.gl_pathv[i], NULL);
        if (complaint) {
            print_error("%s: %s\n", files.gl_pathv[i], complaint);
            (*wrong)++;
        }
    }
    globfree(&files);
    return n;
}

static void test_what_we_ship_is_valid(void **state)
{
    (void)state;
    int wrong = 0;
    assert_true(check_all("procedures/*/system.yaml", SYSTEM, &wrong) >= 1);
    assert_true(check_all("procedures/*/drills/*.yaml", DRILL, &wrong) >= 2);
    assert_int_equal(check_all("tests/data/shop/system.yaml", SYSTEM, &wrong), 1);
    assert_int_equal(wrong, 0);
}

static void test_mistakes_are_invalid(void **state)
{
    (void)state;
    static const struct {
        const char *schema, *text;
    } mistakes[] = {
        {SYSTEM, "{services: {}}"},
        {SYSTEM, "{format: rehearse.system/1, services: {}, trafic: {}}"},
        {SYSTEM, "{format: rehearse.system/1, services: {a: {replicas: -1}}}"},
        {SYSTEM, "{format: rehearse.system/1, services: {a: {versions: {v: {start: quickly}}}}}"},
        {SYSTEM, "{format: rehearse.system/1, services: {}, traffic: {t: {rate: 5/s}}}"},
        {SYSTEM, "{format: rehearse.system/1, services: {}, traffic: {t: {to: a, rate: 5}}}"},
        {SYSTEM, "{format: rehearse.system/1, services: {}, indicator: {target: 150%x}}"},
        {SYSTEM, "{format: rehearse.system/1, services: {}, kubernetes: {manifest: [a.yaml]}}"},
        {SYSTEM, "{format: rehearse.system/1, services: {}, kubernetes: {history: {web: v1}}}"},
        {DRILL, "{format: rehearse.drill/1}"},
        {DRILL, "{format: rehearse.drill/1, system: s, start: 2026-01-15T14:30:00Z, cwd: relative, "
                "procedure: {playbook: p}}"},
        {DRILL, "{format: rehearse.drill/1, system: s, start: 2026-01-15T14:30:00Z, cwd: /, "
                "procedure: {playbook: p},"
                " faults: [{at: 1m, explode: api}]}"},
        {TRIGGERS, "[{id: Big, when: {event: x}}]"},
        {TRIGGERS, "[{id: x, when: {m: error_ratio, op: '=>', thr: 1}}]"},
    };
    for (size_t i = 0; i < sizeof mistakes / sizeof *mistakes; i++)
        if (!check(mistakes[i].schema, "mistake", mistakes[i].text))
            fail_msg("valid, but should not be: %s", mistakes[i].text);
    assert_null(check(SYSTEM, "good",
                      "{format: rehearse.system/1, services: {web: {runs: {deployment: web}}},"
                      " kubernetes: {manifests: k8s/, context: [prod, staging], namespace: shop,"
                      " nodes: {a: {memory: 16GiB}}, images: {'reg/web:1.0': v1,"
                      " reg/job: {ends: 20s, exit: 1, does: [migrate db 42]}},"
                      " history: {web: [v0.9, {version: v1, env: {MODE: b}, cause: x}]},"
                      " registry: {bandwidth: 40MB/s, missing: ['reg/web:0.9']}}}"));
    assert_null(
        check(TRIGGERS, "good",
              "[{id: x, when: {all: [{event: a}, {any: [{m: error_ratio, op: '>', thr: 1}]}]}}]"));
}

/* Every fake may have its part in the system file. */
static void test_every_fake_has_its_key(void **state)
{
    (void)state;
    for (int i = 0; all_fakes[i]; i++) {
        struct arena arena = {0};
        const char *text = arena_printf(&arena, "{format: rehearse.system/1, services: {}, %s: {}}",
                                        all_fakes[i]->name);
        const char *complaint = check(SYSTEM, "fake", text);
        if (complaint)
            fail_msg("fake %s: %s (add it to %s)", all_fakes[i]->name, complaint, SYSTEM);
        arena_release(&arena);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_we_ship_is_valid),
        cmocka_unit_test(test_mistakes_are_invalid),
        cmocka_unit_test(test_every_fake_has_its_key),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
