/* Declared stubs and the `world` command: fakes of one's own without C. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "sim/world/store.h"
#include "tests/machine.h"

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
    "      - {args: '*--force', errors: \"flagctl: --force is not allowed\\n\", exit: 64}\n"
    "  /opt/bin/pager: {does: ['message pager \"{args}\"'], fails: {chance: 100%, errors: \"no "
    "answer\\n\", exit: 75}}\n"
    "  broken: {does: ['explode now']}\n"
    "  stuck: {hangs: true}\n"
    "  unsure: {guessed: true}\n";

static const struct {
    const char *command;
    int status;
    const char *out, *err;
} cases[] = {
    {"flagctl disable checkout", 0, "flagctl disable checkout: done\n", ""},
    {"world get flag.checkout", 0, "off\n", ""},
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

static void test_mistakes(void **state)
{
    (void)state;
    struct machine m;
    machine_init(&m, system_text, NULL, NULL);
    machine_expect(&m, "broken", 0, "", "");
    assert_int_equal(m.record->n_observations, 1);
    assert_non_null(
        strstr(m.record->observations[0].message, "the stub's effect is not understood"));
    machine_expect(&m, "unsure x", 0, "", "");
    assert_string_equal(m.record->observations[1].id, "not_simulated");
    assert_string_equal(m.record->observations[1].message,
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
        cmocka_unit_test(test_mistakes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
