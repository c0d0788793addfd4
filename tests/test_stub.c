/* Declared stubs and the `world` command: fakes of one's own without C. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "sim/world/store.h"
#include "tests/machine.h"

extern const struct fake fake_stubs;

static const char system_text[] =
    "services:\n"
    "  api: {versions: {v1: {}, v2: {errors: 40%}}, replicas: 2}\n"
    "  web: {runs: {compose: x, service: web}, versions: {v1: {}}}\n"
    "good_state: {api: v1}\n"
    "settings: {flag.checkout: 'on'}\n"
    "stores: {db: {engine: postgresql 15, schema: 41, tables: {orders: {records: 500}}}}\n"
    "traffic: {shoppers: {to: api, rate: 5/s}}\n"
    "stubs:\n"
    "  flagctl:\n"
    "    takes: 2s\n"
    "    prints: \"flagctl {args}: done\\n\"\n"
    "    does: ['set flag.{2} off']\n"
    "    when:\n"
    "      - {args: 'get *', prints: \"value of {2}\\n\"}\n"
    "      - {args: 'show *', settings: {flag.checkout: 'off'}, prints: \"it is off\\n\"}\n"
    "      - {args: 'show *', settings: {flag.other: 'off'}, prints: \"never set\\n\"}\n"
    "      - {args: 'show *', prints: \"it is on\\n\"}\n"
    "      - {args: '*--force', errors: \"flagctl: --force is not allowed\\n\", exit: 64}\n"
    "  /opt/bin/pager: {does: ['message pager \"{args}\"'], fails: {chance: 100%, errors: \"no "
    "answer\\n\", exit: 75}}\n"
    "  unsure: {guessed: true}\n"
    "  deploy:\n"
    "    prints: \"done\\n\"\n"
    "    fails:\n"
    "      - {calls: [1, 3], errors: \"busy\\n\", exit: 75}\n"
    "      - {calls: 4, takes: 30s, errors: \"no reply\\n\", does: ['set released {1}']}\n"
    "  half: {fails: {chance: 50%, exit: 9}}\n"
    "  sink: {reads: true}\n"
    "  stuck: {hangs: true}\n";

static const struct {
    const char *command;
    int status;
    const char *out, *err;
} cases[] = {
    {"flagctl show checkout", 0, "it is on\n", ""},
    {"flagctl disable checkout", 0, "flagctl disable checkout: done\n", ""},
    {"world get flag.checkout", 0, "off\n", ""},
    {"flagctl show checkout", 0, "it is off\n", ""},
    {"flagctl get checkout", 0, "value of checkout\n", ""},
    {"flagctl disable all --force", 64, "", "flagctl: --force is not allowed\n"},
    {"/opt/bin/pager wake up", 75, "", "no answer\n"},
    {"world get nothing", 1, "", ""},
    {"world set flag.checkout on", 0, "", ""},
    {"world get flag.checkout", 0, "on\n", ""},
    {"world version api", 0, "v1\n", ""},
    {"world ready api", 0, "2\n", ""},
    {"world schema db", 0, "41\n", ""},
    {"world schema db 42", 0, "", ""},
    {"world schema db", 0, "42\n", ""},
    {"world schema db x", 2, "", "world: a schema version is a whole number, not 'x'\n"},
    {"world rows db orders", 0, "500\n", ""},
    {"world rows db carts", 2, "", "world: this store has no table 'carts'\n"},
    {"world version apo", 2, "", "world: there is no service 'apo'\n"},
    {"world deploy api v9", 2, "", "world: this service has no version 'v9'\n"},
    {"world stop web", 2, "",
     "world: a platform runs this service; use its own commands, or deploy: 'web'\n"},
    {"world stop api", 0, "", ""},
    {"world ready api", 0, "0\n", ""},
    {"world probe api", 1, NULL, ""},
    {"world message chat Rollback done", 0, "", ""},
    {"world event data_corruption db", 0, "", ""},
};

static void test_words(void **state)
{
    (void)state;
    struct machine m;
    machine_init(&m, system_text, NULL, NULL);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        if (cases[i].out)
            machine_expect(&m, cases[i].command, cases[i].status, cases[i].out, cases[i].err);
        else
            machine_holds(&m, cases[i].command, cases[i].status, NULL, cases[i].err);
    }
    assert_in_range(world_now(m.world), 2 * SECOND,
                    2 * SECOND); /* of the one call that takes time */
    machine_holds(&m, "world", 2, NULL, "usage: world get KEY");
    machine_holds(&m, "world set onlykey", 2, NULL, "usage: world get KEY");
    machine_release(&m);
}

static void test_deploy(void **state)
{
    (void)state;
    struct machine m;
    machine_init(&m, system_text, NULL, NULL);
    machine_expect(&m, "world deploy api v2", 0, "", "");
    machine_advance(&m, MINUTE);
    machine_expect(&m, "world version api", 0, "v2\n", "");
    machine_expect(&m, "world ready api", 0, "2\n", "");
    machine_release(&m);
}

/* By the how manieth call it is; a reply that is lost leaves its effect. */
static void test_failures(void **state)
{
    (void)state;
    struct machine m;
    machine_init(&m, system_text, NULL, NULL);
    machine_expect(&m, "deploy v1", 75, "", "busy\n");
    machine_expect(&m, "deploy v2", 0, "done\n", "");
    machine_expect(&m, "deploy v3", 75, "", "busy\n");
    machine_expect(&m, "world get released", 1, "", "");
    machine_expect(&m, "deploy v4", 1, "", "no reply\n");
    assert_in_range(world_now(m.world), 30 * SECOND, 30 * SECOND);
    machine_expect(&m, "world get released", 0, "v4\n", "");
    machine_expect(&m, "deploy v5", 0, "done\n", "");
    int n_failed = 0;
    for (int i = 0; i < 200; i++) {
        char *argv[] = {"half", NULL};
        int status = double_run_argv(&m.d, argv);
        assert_true(status == 0 || status == 9);
        n_failed += status == 9;
    }
    assert_in_range(n_failed, 65, 135); /* 100, give or take five standard deviations */
    m.d.input = str_of("much\n");
    machine_expect(&m, "sink", 0, "", "");
    assert_int_equal(m.d.input.len, 0);
    machine_release(&m);
}

static void test_mistakes_in_the_file(void **state)
{
    static const struct {
        const char *stubs, *error;
    } mistakes[] = {
        {"a: {does: [explode now]}",
         "'explode now' is no line of the world command: there is no 'world explode'"},
        {"a: {does: [deploy api]}", "'deploy' takes more words than that"},
        {"a: {when: [{args: x, does: [now and then]}]}", "'now' takes fewer words than that"},
        {"a: {fails: {calls: 0}}", "0"},
        {"a: {fails: [{calls: 1, chance: 5%}]}", "calls or a chance, not both"},
        {"a: {fails: {when: 1}}", "when"},
        {"a: {exit: 256}", "256"},
        {"a: {when: [{takes: 1s}]}", "args"},
        {"bin/a: {}", "give the absolute path"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof mistakes / sizeof *mistakes; i++) {
        struct machine m;
        struct arena arena = {0};
        struct doc *doc = NULL;
        struct error error = {""};
        machine_init(&m, "services: {api: {}}\n", NULL, NULL);
        assert_int_equal(
            doc_read_text(&arena, "system.yaml", str_of(mistakes[i].stubs), &doc, &error), 0);
        assert_int_equal(fake_stubs.setup(&m.d.env, doc, &error), ERROR_INPUT);
        if (!strstr(error.text, mistakes[i].error) || !strstr(error.text, "system.yaml:1"))
            fail_msg("%s: %s", mistakes[i].stubs, error.text);
        machine_release(&m);
        arena_release(&arena);
    }
}

static void test_hanging_and_guessing(void **state)
{
    (void)state;
    struct machine m;
    machine_init(&m, system_text, NULL, NULL);
    machine_expect(&m, "unsure x", 0, "", "");
    assert_string_equal(m.record->observations[0].id, "not_simulated");
    assert_string_equal(m.record->observations[0].message,
                        "what 'unsure x' does here is a guess (stubs in the system file)");
    m.d.interrupt_at_ns = 30 * MINUTE;
    machine_expect(&m, "stuck", 130, "", "");
    assert_int_equal(world_now(m.world), 30 * MINUTE);
    machine_release(&m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_words),
        cmocka_unit_test(test_deploy),
        cmocka_unit_test(test_failures),
        cmocka_unit_test(test_mistakes_in_the_file),
        cmocka_unit_test(test_hanging_and_guessing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
