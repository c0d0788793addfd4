/* docker: files of containers, in the real sandbox: mounts, copies, and what a container made anew
 * has lost. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "procedures/drill/run.h"
#include "reports/score.h"
#include "sim/world/store.h"
#include "sim/world/world.h"
#include "tests/machine.h"
#include "tests/trial.h"

static void fly(enum tier tier)
{
    struct drill *drill = NULL;
    struct record *record = NULL;
    struct error error = {""};
    struct verdict verdict;
    struct arena arena = {0};
    const struct run_options options = {.seed = 1, .tier = tier};
    if (drill_load("tests/data/docker/files/drill.yaml", NULL, &drill, &error) < 0)
        fail_msg("%s", error.text);
    if (drill_run(drill, &options, &record, &error) < 0)
        fail_msg("%s", error.text);
    verdict_compute(&verdict, record, &arena);
    if (record->procedure_exit != 0)
        fail_msg("the script ended with %d: %s", record->procedure_exit,
                 record->n_steps && record->steps[0].err.at ? record->steps[0].err.at : "");
    assert_int_equal(record->n_observations, 0);
    assert_int_equal(verdict.outcome, OUTCOME_PASS);
    record_free(record);
    drill_free(drill);
    arena_release(&arena);
}

static void test_namespaces(void **state)
{
    (void)state;
    if (!trial_possible())
        skip();
    fly(TIER_NAMESPACES);
}

static void test_landlock(void **state)
{
    (void)state;
    if (!trial_possible())
        skip();
    fly(TIER_LANDLOCK);
}

/* What a database's container holds on no volume of its own goes with it: which data folders the
 * official images declare as volumes (their Dockerfiles), and that Compose hands those on when it
 * recreates a container, unless -V (Compose reference, up), and not from down to up (Compose
 * reference, down). */
static const struct {
    const char *engine, *volumes, *command;
    bool kept;
} removals[] = {
    {"postgresql 15", "[]", "docker rm -f db", false},
    {"postgresql 15", "[]", "docker-compose down", false},
    {"postgresql 15", "[]", "docker-compose up -d --force-recreate db", true},
    {"postgresql 15", "[]", "docker-compose up -d --force-recreate -V db", false},
    {"postgresql 15", "[]", "docker-compose restart db", true},
    {"postgresql 15", "[]", "docker run -d --rm --name other db:latest", true},
    {"postgresql 15", "['./postgresql.conf:/etc/postgresql/postgresql.conf']", "docker rm -f db",
     false},
    {"postgresql 15", "['data:/var/lib/postgresql/data']", "docker-compose down", true},
    {"postgresql 15", "['/srv/db:/var/lib/postgresql']", "docker rm -f db",
     true}, /* the folder above it */
    {"redis 7", "[]", "docker-compose up -d --force-recreate db", true},
    {"redis 7", "['data:/data']", "docker rm -f db", true},
    {"redis 7", "[]", "docker rm -f db", false},
    {"elasticsearch 8", "[]", "docker-compose up -d --force-recreate db", false},
    {"elasticsearch 8", "['data:/usr/share/elasticsearch/data']", "docker-compose down", true},
};

static void test_data_outside_of_volumes(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof removals / sizeof *removals; i++) {
        struct machine m;
        struct arena arena = {0};
        const char *system = arena_printf(
            &arena,
            "services: {db: {runs: {compose: docker-compose.yml, service: db}, versions: {latest: "
            "{}}}}\n"
            "stores: {db: {engine: %s, service: db, tables: {orders: {records: 1000}}}}\n"
            "docker: {compose: {folder: /opt/shop}}\n",
            removals[i].engine);
        const struct machine_file project[] = {
            {"/opt/shop/docker-compose.yml",
             arena_printf(&arena,
                          "version: '3.8'\nservices:\n  db:\n    image: db:latest\n    "
                          "container_name: db\n    volumes: %s\n"
                          "volumes: {data: {}}\n",
                          removals[i].volumes)},
            {NULL, NULL},
        };
        machine_init(&m, system, NULL, project);
        machine_holds(&m, removals[i].command, 0, NULL, NULL);
        if (strstr(removals[i].command, "other")) /* one that came and went beside it */
            machine_holds(&m, "docker stop other", 0, NULL, NULL);
        bool kept = dataset_has_table(store_serving(world_store(m.world, "db")), "orders");
        if (kept != removals[i].kept)
            fail_msg("%s, volumes: %s, %s: data is %s", removals[i].engine, removals[i].volumes,
                     removals[i].command, kept ? "there" : "gone");
        machine_release(&m);
        arena_release(&arena);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_namespaces),
        cmocka_unit_test(test_landlock),
        cmocka_unit_test(test_data_outside_of_volumes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
