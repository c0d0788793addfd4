/* Branching a world: every future starts from the same present and leaves it alone. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "sim/engine/branch.h"
#include "tests/world_fixture.h"

struct outcome {
    int64_t acknowledged, downtime_ns;
    uint64_t fingerprint;
};

/* The future in which somebody rolls back after i minutes. */
static void roll_back_later(int i, void *ctx, void *result)
{
    struct world_fixture *f = ctx;
    struct outcome *outcome = result;
    world_fixture_until(f, world_now(f->world) + i * MINUTE);
    struct instance *api = service_instance(world_service(f->world, "api"), 0);
    instance_stop(api, true);
    instance_set_version(api, "v1");
    instance_start(api);
    world_fixture_until(f, 40 * MINUTE);
    *outcome = (struct outcome){store_acknowledged(world_store(f->world, "db"), "t"),
                                f->record->downtime_ns, f->record->fingerprint};
}

static void test_futures_of_one_present(void **state)
{
    (void)state;
    enum { FUTURES = 10 };
    struct world_fixture f;
    struct outcome one[FUTURES], other[FUTURES];
    world_fixture_begin(&f,
                        "format: rehearse.system/1\n"
                        "services: {api: {versions: {v1: {}, v2: {errors: 90%}}}}\n"
                        "stores: {db: {tables: {t: {}}}}\n"
                        "traffic: {users: {to: api, rate: 100/s, writes: {t: 10%}}}\n",
                        "change: {at: 10m, deploy: {api: v2}}", 1);
    world_fixture_until(&f, 15 * MINUTE);
    uint64_t present = f.record->fingerprint;
    assert_int_equal(branch(FUTURES, 4, roll_back_later, &f, one, sizeof *one), FUTURES);
    assert_int_equal(branch(FUTURES, 1, roll_back_later, &f, other, sizeof *other), FUTURES);
    assert_memory_equal(one, other, sizeof one); /* however many at once */
    assert_true(world_now(f.world) == 15 * MINUTE && f.record->fingerprint == present);
    for (int i = 1; i < FUTURES;
         i++) { /* each minute later costs a minute of downtime, and records */
        assert_int_equal(one[i].downtime_ns, one[i - 1].downtime_ns + MINUTE);
        assert_true(one[i].acknowledged < one[i - 1].acknowledged);
    }
    world_fixture_end(&f);
}

static void die_in_the_middle(int i, void *ctx, void *result)
{
    (void)ctx;
    if (i == 1)
        _exit(3);
    *(int *)result = i + 10;
}

static void test_a_future_that_dies(void **state)
{
    (void)state;
    int results[3] = {7, 7, 7};
    assert_int_equal(branch(3, 2, die_in_the_middle, NULL, results, sizeof *results), 2);
    assert_int_equal(results[0], 10);
    assert_int_equal(results[1], 0);
    assert_int_equal(results[2], 12);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_futures_of_one_present),
        cmocka_unit_test(test_a_future_that_dies),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
