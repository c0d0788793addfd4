/* redis-cli's words without a terminal (recorded from redis-cli 7.0), and what FLUSHDB and a kill
 * do to a queue. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "procedures/drill/model_load.h"
#include "tests/call_double.h"
#include "tests/machine.h"
#include "tests/recorded.h"

extern const struct fake fake_redis;

static const char system_text[] =
    "format: rehearse.system/1\n"
    "name: t\n"
    "services:\n"
    "  app: {versions: {v1: {}}, calls: {redis: 1}}\n"
    "  redis: {versions: {'7': {}}}\n"
    "traffic: {users: {to: app, rate: 10/s, writes: {redis.jobs: 100%}}}\n"
    "stores:\n"
    "  redis: {engine: redis 7, service: redis, host: localhost, port: 6379, config: "
    "/redis/redis.conf, tables: {jobs: {records: 100}}}\n";

struct fixture {
    struct arena arena;
    struct model model;
    struct record *record;
    struct world *world;
    struct call_double d;
};

static int set_up(void **state)
{
    static struct fixture f;
    struct doc *doc = NULL;
    struct error error = {""};
    f = (struct fixture){0};
    model_defaults(&f.model);
    if (doc_read_text(&f.arena, "system.yaml", str_of(system_text), &doc, &error) < 0 ||
        model_load_system(&f.arena, doc, NULL, &f.model, &error) < 0)
        fail_msg("%s", error.text);
    f.record = record_new();
    f.world = world_new(&f.model, 1, f.record);
    double_init(&f.d, f.world, f.record);
    if (fake_redis.setup(&f.d.env, NULL, &error) < 0)
        fail_msg("%s", error.text);
    world_advance(f.world, 10 * SECOND);
    *state = &f;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;
    fake_redis.release(&f->d.env);
    double_release(&f->d);
    world_free(f->world);
    record_free(f->record);
    arena_release(&f->arena);
    return 0;
}

static void table(void **state)
{
    struct fixture *f = *state;
    static const struct {
        const char *command;
        int status;
        const char *out, *err;
    } cases[] = {
        {"redis-cli ping", 0, "PONG\n", ""},
        {"redis-cli PING hello", 0, "hello\n", ""},
        {"redis-cli -h localhost -p 6379 PING", 0, "PONG\n", ""},
        {"redis-cli SET a b", 0, "OK\n", ""},
        {"redis-cli GET a", 0, "b\n", ""},
        {"redis-cli GET nokey", 0, "\n", ""},
        {"redis-cli EXISTS a", 0, "1\n", ""},
        {"redis-cli TYPE jobs", 0, "list\n", ""},
        {"redis-cli DBSIZE", 0, "2\n", ""},
        {"redis-cli KEYS a*", 0, "a\n", ""},
        {"redis-cli DEL a", 0, "1\n", ""},
        {"redis-cli DEL a", 0, "0\n", ""},
        {"redis-cli TTL a", 0, "-2\n", ""},
        {"redis-cli GET jobs", 0,
         "WRONGTYPE Operation against a key holding the wrong kind of value\n\n", ""},
        {"redis-cli GET", 0, "ERR wrong number of arguments for 'get' command\n\n", ""},
        {"redis-cli -e GET", 1, "", "ERR wrong number of arguments for 'get' command\n"},
        {"redis-cli NOPE x", 0, "ERR unknown command 'NOPE', with args beginning with: 'x' \n\n",
         ""},
        {"redis-cli -p 9 PING", 1, "",
         "Could not connect to Redis at 127.0.0.1:9: Connection refused\n"},
        {"redis-cli CONFIG GET appendonly", 0, "appendonly\nno\n", ""},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        int status = double_run(&f->d, cases[i].command);
        if (status != cases[i].status || strcmp(double_out(&f->d), cases[i].out) != 0 ||
            strcmp(double_err(&f->d), cases[i].err) != 0)
            fail_msg("%s\nstatus %d, not %d\nout: %s\nnot: %s\nerr: %s\nnot: %s", cases[i].command,
                     status, cases[i].status, double_out(&f->d), cases[i].out, double_err(&f->d),
                     cases[i].err);
    }
}

static void stdin_is_a_script(void **state)
{
    struct fixture *f = *state;
    f->d.input = STR("SET k 'two words'\nGET k\n");
    assert_int_equal(double_run(&f->d, "redis-cli"), 0);
    assert_string_equal(double_out(&f->d), "OK\ntwo words\n");
}

static int64_t queued(struct fixture *f)
{
    return idset_count(dataset_rows(store_serving(world_store(f->world, "redis")), "jobs"));
}

static const struct ledger_row *finish(struct fixture *f)
{
    world_finish(f->world);
    assert_int_equal(f->record->n_ledger, 1);
    return &f->record->ledger[0];
}

static void flushing_a_queue_loses_it(void **state)
{
    struct fixture *f = *state;
    int64_t before = queued(f);
    assert_true(before > 100);
    assert_int_equal(double_run(&f->d, "redis-cli FLUSHDB"), 0);
    assert_int_equal(queued(f), 0);
    assert_int_equal(finish(f)->lost, before);
}

static void a_clean_stop_saves_first(void **state)
{
    struct fixture *f = *state;
    struct instance *instance = service_instance(world_service(f->world, "redis"), 0);
    int64_t before = queued(f);
    instance_stop(instance, true);
    world_advance(f->world, world_now(f->world) + 20 * SECOND);
    assert_int_equal(double_run(&f->d, "redis-cli PING"), 1);
    instance_start(instance);
    world_advance(f->world, world_now(f->world) + 20 * SECOND);
    assert_true(queued(f) >= before);
    assert_int_equal(finish(f)->lost, 0);
}

static void a_kill_loses_what_was_not_saved(void **state)
{
    struct fixture *f = *state;
    struct instance *instance = service_instance(world_service(f->world, "redis"), 0);
    int64_t before = queued(f);
    instance_stop(instance, false); /* SIGKILL: exit code 137 */
    world_advance(f->world, world_now(f->world) + SECOND);
    instance_start(instance);
    world_advance(f->world, world_now(f->world) + 20 * SECOND);
    int64_t lost = finish(f)->lost;
    assert_true(lost > 0);
    assert_true(lost <= before - 100); /* what was there at the start had been saved */
}

/* ---- the words of Redis 7.0.15, as it gave them (tests/data/redis, made by ci/check-real
 * --record) ---- */

static const char *ask(const char *line, void *ctx)
{
    struct machine *m = ctx;
    const char *input, *words = recorded_words(line, &input);
    m->d.input = str_of(input);
    int status = double_run(&m->d, arena_printf(&m->arena, "redis-cli %s", words));
    return arena_printf(&m->arena, "%s%s[%d]\n", double_out(&m->d), double_err(&m->d), status);
}

static struct recorded recorded = {"tests/data/redis/answers.txt", "tests/data/redis/refused.txt",
                                   ask, NULL};

static void begin_empty(struct machine *m)
{
    machine_init(
        m,
        "services: {redis: {versions: {'7': {}}}}\n"
        "stores: {redis: {engine: redis 7, service: redis, host: localhost, port: 6379}}\n",
        NULL, NULL);
    recorded.ctx = m;
}

static void as_redis_answers(void **state)
{
    struct machine m;
    (void)state;
    begin_empty(&m);
    assert_int_equal(recorded_compare(&recorded), 0);
    machine_release(&m);
}

/* FLUSHALL saves the empty state, FLUSHDB does not: after a kill what was flushed is back, as of
 * the last save. */
static void a_kill_undoes_a_flush_of_one_database(void **state)
{
    struct fixture *f = *state;
    struct instance *instance = service_instance(world_service(f->world, "redis"), 0);
    int64_t before = queued(f);
    assert_int_equal(double_run(&f->d, "redis-cli SAVE"), 0);
    assert_int_equal(double_run(&f->d, "redis-cli FLUSHDB"), 0);
    assert_int_equal(queued(f), 0);
    instance_stop(instance, false);
    instance_start(instance);
    assert_int_equal(queued(f), before);
    world_advance(f->world, world_now(f->world) + 20 * SECOND);
    assert_int_equal(double_run(&f->d, "redis-cli FLUSHALL"), 0);
    instance_stop(instance, false);
    instance_start(instance);
    assert_int_equal(queued(f), 0);
}

static void a_shutdown_without_saving_loses_what_came_since(void **state)
{
    struct fixture *f = *state;
    struct instance *instance = service_instance(world_service(f->world, "redis"), 0);
    assert_int_equal(double_run(&f->d, "redis-cli SHUTDOWN NOSAVE"), 0);
    world_advance(f->world, world_now(f->world) + 20 * SECOND);
    assert_int_equal(double_run(&f->d, "redis-cli PING"), 1);
    if (instance_state(instance) == INSTANCE_STOPPED)
        instance_start(instance);
    assert_int_equal(queued(f), 100);
}

static void a_queue_is_read_and_trimmed_like_a_list(void **state)
{
    struct fixture *f = *state;
    int64_t before = queued(f);
    assert_int_equal(double_run(&f->d, "redis-cli LRANGE jobs 0 1"), 0);
    assert_string_equal(double_out(&f->d), "0\n1\n");
    assert_int_equal(double_run(&f->d, "redis-cli LPOP jobs"), 0);
    assert_string_equal(double_out(&f->d), "0\n");
    assert_int_equal(queued(f), before - 1);
    assert_int_equal(double_run(&f->d, "redis-cli LTRIM jobs 0 9"), 0);
    assert_int_equal(queued(f), 10);
}

static void restart(struct fixture *f)
{
    struct instance *instance = service_instance(world_service(f->world, "redis"), 0);
    instance_stop(instance, 0);
    world_advance(f->world, world_now(f->world) + 20 * SECOND);
    if (instance_state(instance) == INSTANCE_STOPPED)
        instance_start(instance);
    world_advance(f->world, world_now(f->world) + 20 * SECOND);
}

/* What CONFIG SET changed is gone with a restart, unless CONFIG REWRITE wrote it down. The file was
 * recorded from redis-server 7.0.15 (the lines about other settings left out). */
static void a_restart_reads_the_configuration_file(void **state)
{
    struct fixture *f = *state;
    const struct observation *seen = NULL;
    double_file(&f->d, "", "/redis/redis.conf",
                "# mine\nmaxmemory 100mb\nsave 60 1\nloglevel notice\n");
    restart(f);
    record_step_begin(f->record, "playbook.md", 7, "redis-cli CONFIG SET maxmemory 200mb");
    assert_int_equal(double_run(&f->d, "redis-cli CONFIG SET maxmemory 200mb"), 0);
    record_step_begin(f->record, "playbook.md", 8, "systemctl restart redis");
    restart(f);
    assert_int_equal(double_run(&f->d, "redis-cli CONFIG GET maxmemory"), 0);
    assert_string_equal(double_out(&f->d), "maxmemory\n104857600\n");
    assert_int_equal(f->record->n_observations, 1);
    seen = &f->record->observations[0];
    assert_string_equal(seen->id, "no_op");
    assert_int_equal(seen->step, 1);
    assert_string_equal(seen->evidence, "maxmemory was '209715200', and is '104857600' again");

    double_run(&f->d, "redis-cli CONFIG SET maxmemory 200mb");
    double_run(&f->d, "redis-cli CONFIG SET maxmemory-policy allkeys-lru");
    double_run(&f->d, "redis-cli CONFIG SET save ''");
    assert_int_equal(double_run(&f->d, "redis-cli CONFIG REWRITE"), 0);
    assert_string_equal(double_out(&f->d), "OK\n");
    assert_string_equal(double_content(&f->d, "", "/redis/redis.conf"),
                        "# mine\nmaxmemory 200mb\nsave \"\"\nloglevel notice\n\n"
                        "# Generated by CONFIG REWRITE\nmaxmemory-policy allkeys-lru\n");
    restart(f);
    assert_int_equal(double_run(&f->d, "redis-cli CONFIG GET maxmemory-policy"), 0);
    assert_string_equal(double_out(&f->d), "maxmemory-policy\nallkeys-lru\n");
    assert_int_equal(f->record->n_observations, 1);
}

int main(int argc, char **argv)
{
    if (argc > 1) {
        struct machine m;
        begin_empty(&m);
        int status = recorded_main(&recorded, argc, argv);
        machine_release(&m);
        return status;
    }
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(table, set_up, tear_down),
        cmocka_unit_test_setup_teardown(stdin_is_a_script, set_up, tear_down),
        cmocka_unit_test_setup_teardown(flushing_a_queue_loses_it, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_clean_stop_saves_first, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_kill_loses_what_was_not_saved, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_kill_undoes_a_flush_of_one_database, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_shutdown_without_saving_loses_what_came_since, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_queue_is_read_and_trimmed_like_a_list, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_restart_reads_the_configuration_file, set_up, tear_down),
        cmocka_unit_test(as_redis_answers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
