/* Compose: images that are built, one-off containers, scaling, pulling: and what of it reaches what
 * runs. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "fakes/docker.h"
#include "tests/machine.h"

static const char system_text[] = "services:\n"
                                  "  api:\n"
                                  "    runs: {compose: docker-compose.yml, service: api}\n"
                                  "    versions: {v1: {}, v2: {errors: 40%}}\n"
                                  "  db: {runs: {compose: docker-compose.yml, service: db}}\n"
                                  "good_state: {api: v1}\n"
                                  "traffic: {shoppers: {to: api, rate: 5/s}}\n"
                                  "docker:\n"
                                  "  compose: {folder: /opt/shop}\n"
                                  "  images: {helper: {size: 40MB}}\n";

static const struct machine_file files[] = {
    {"/opt/shop/docker-compose.yml", "services:\n"
                                     "  api:\n"
                                     "    build: .\n"
                                     "    depends_on: {db: {condition: service_healthy}}\n"
                                     "  db:\n"
                                     "    image: postgres:15\n"
                                     "    healthcheck: {test: [CMD, pg_isready], interval: 5s}\n"
                                     "  tools:\n"
                                     "    image: helper\n"
                                     "    profiles: [tools]\n"},
    {"/opt/shop/Dockerfile", "FROM scratch\n"},
    {"/opt/shop/VERSION", "v1\n"},
    {NULL, NULL},
};

static const char *running(struct machine *m, const char *name)
{
    struct container *found = docker_find(docker_of(&m->d.env), name);
    if (!found)
        fail_msg("no container '%s'", name);
    return found->image->version;
}

/* The bad release is deployed; then the sources of the good one lie in the folder, as after a git
 * checkout. */
static void begin(struct machine *m)
{
    machine_init(m, system_text,
                 "start: 2025-01-15T14:00:00Z\nchange: {at: 1m, deploy: {api: v2}}\n", files);
    machine_advance(m, 2 * MINUTE);
    double_file(&m->d, "", "/opt/shop/VERSION", "v1\n");
    assert_string_equal(running(m, "shop_api_1"), "v2");
}

/* up without a build, restart after a build: the old image stays. Only up after a build brings the
 * new one. */
static void test_build(void **state)
{
    (void)state;
    struct machine m;
    begin(&m);
    machine_expect(&m, "docker-compose up -d", 0, "",
                   "shop_db_1 is up-to-date\nshop_api_1 is up-to-date\n");
    assert_string_equal(running(&m, "shop_api_1"), "v2");
    machine_holds(&m, "docker-compose build", 0, "Successfully tagged shop_api:latest\n",
                  "db uses an image, skipping\nBuilding api\n");
    machine_holds(&m, "docker-compose restart api", 0, "", "Restarting shop_api_1 ... done");
    assert_string_equal(running(&m, "shop_api_1"), "v2");
    machine_holds(&m, "docker-compose up -d", 0, "", "Recreating shop_api_1 ... done");
    assert_string_equal(running(&m, "shop_api_1"), "v1");
    machine_release(&m);
}

/* v2 hashes otherwise than v1, so its first `up` makes everything anew that v1 had made, whatever
 * changed. */
static void test_up_build(void **state)
{
    (void)state;
    struct machine m;
    begin(&m);
    machine_holds(&m, "docker compose up -d --build", 0, "",
                  " api  Built\n Container shop_db_1  Recreate\n");
    assert_string_equal(running(&m, "shop-api-1"), "v1");
    machine_expect(&m, "docker compose up -d", 0, "",
                   " Container shop-db-1  Running\n Container shop-api-1  Running\n");
    machine_holds(&m, "docker compose up -d --force-recreate --no-deps api", 0, "",
                  " Container shop-api-1  Recreate\n Container shop-api-1  Recreated\n"
                  " Container shop-api-1  Starting\n Container shop-api-1  Started\n");
    machine_release(&m);
}

static void test_docker_build(void **state)
{
    (void)state;
    struct machine m;
    begin(&m);
    machine_holds(&m, "docker build -t shop_api .", 0, "", "naming to shop_api done");
    machine_holds(&m, "docker-compose up -d", 0, "", "Recreating shop_api_1 ... done");
    assert_string_equal(running(&m, "shop_api_1"), "v1");
    machine_expect(&m, "docker build -t x nowhere", 1, "",
                   "ERROR: unable to prepare context: path \"nowhere\" not found\n");
    machine_release(&m);
}

static void test_scale(void **state)
{
    (void)state;
    struct machine m;
    begin(&m);
    machine_holds(&m, "docker-compose up -d --scale api=3", 0, "", "Creating shop_api_3");
    machine_advance(&m, world_now(m.world) + MINUTE);
    assert_int_equal(service_ready(world_service(m.world, "api")), 3);
    machine_holds(&m, "docker-compose scale api=1", 0, "",
                  "Stopping and removing shop_api_2 ... done");
    machine_advance(&m, world_now(m.world) + MINUTE);
    assert_int_equal(service_ready(world_service(m.world, "api")), 1);
    machine_release(&m);
}

static int on_spawn(struct call_double *d, const char *place, char *const argv[],
                    struct buf *capture)
{
    (void)capture;
    buf_printf(&d->out, "[%s] %s\n", place, argv[0]);
    return 3;
}

/* A one-off container runs its command, serves nothing, and stays behind without --rm. */
static void test_run(void **state)
{
    (void)state;
    struct machine m;
    begin(&m);
    m.d.on_spawn = on_spawn;
    int before = service_instances(world_service(m.world, "api"));
    machine_holds(&m, "docker-compose run -T --rm api sh -c 'migrate down'", 3, "[shop_api_1] sh\n",
                  "Creating shop_api_run ... done\n3\n");
    assert_int_equal(service_instances(world_service(m.world, "api")), before);
    machine_holds(&m, "docker-compose run api sh", 1, "", "the input device is not a TTY\n");
    machine_holds(&m, "docker compose run api sh", 3, "[shop_api_1] sh\n", "");
    machine_holds(
        &m, "docker ps -a --filter label=com.docker.compose.oneoff=True --format '{{.Status}}'", 0,
        "Exited (3) ", "");
    machine_release(&m);
}

static void test_profiles_and_pull(void **state)
{
    (void)state;
    struct machine m;
    begin(&m);
    assert_null(docker_find(docker_of(&m.d.env), "shop_tools_1"));
    machine_holds(&m, "docker-compose pull db", 0, "",
                  "Pulling db ... \r\nPulling db ... done\r\n");
    machine_holds(&m, "docker-compose up -d tools", 0,
                  "Status: Downloaded newer image for helper:latest\n",
                  "Pulling tools (helper)...\n");
    machine_holds(&m, "docker-compose rm -f tools", 0, "No stopped containers\n", "");
    machine_holds(&m, "docker-compose rm -fs tools", 0, "Going to remove shop_tools_1\n",
                  "Removing shop_tools_1 ... done\r\n");
    machine_holds(&m, "docker-compose kill db", 0, "", "Killing shop_db_1 ... done\r\n");
    machine_holds(&m, "docker-compose ps db", 0, "Exit 137", "");
    machine_release(&m);
}

/* condition: service_healthy: what needs it waits for the first check that succeeds. */
static void test_waits_for_health(void **state)
{
    (void)state;
    struct machine m;
    begin(&m);
    machine_holds(&m, "docker-compose down", 0, NULL, NULL);
    int64_t before_ns = world_now(m.world);
    machine_holds(&m, "docker-compose up -d", 0, "", "Creating shop_api_1 ... done");
    assert_in_range(world_now(m.world) - before_ns, 10 * SECOND,
                    15 * SECOND); /* start 5 s, checks every 5 s */
    machine_expect(&m, "docker inspect -f '{{.State.Health.Status}}' shop_db_1", 0, "healthy\n",
                   "");
    machine_release(&m);
}

/* Each edition knows its own options. */
static void test_editions(void **state)
{
    (void)state;
    struct machine m;
    begin(&m);
    /* 1.29 ends with 0 after a usage error (tests/data/docker/compose-v1.txt) */
    machine_holds(&m, "docker-compose logs --since 10m", 0, "",
                  "Usage: logs [options] [SERVICE...]\n");
    machine_holds(&m, "docker compose logs --since 10m", 0, NULL, "");
    machine_holds(&m, "docker-compose up -d --wait", 0, "", "Usage: up [options]");
    machine_holds(&m, "docker compose pull --parallel", 16, "", "unknown flag: --parallel\n");
    machine_expect(&m, "docker-compose --version", 0,
                   "docker-compose version 1.29.2, build unknown\n", "");
    machine_expect(&m, "docker compose version", 0, "Docker Compose version v2.29.7\n", "");
    machine_release(&m);
}

/* A project that v2 made: its names have hyphens. */
static void test_v2_from_the_start(void **state)
{
    (void)state;
    struct machine m;
    static const char from[] = "folder: /opt/shop}";
    const char *at = strstr(system_text, from);
    char whole[2048];
    snprintf(whole, sizeof whole, "%.*sfolder: /opt/shop, v2: true}%s", (int)(at - system_text),
             system_text, at + strlen(from));
    machine_init(&m, whole, NULL, files);
    machine_expect(&m, "docker compose up -d", 0, "",
                   " Container shop-db-1  Running\n Container shop-api-1  Running\n");
    machine_holds(&m, "docker compose up -d --wait", 0, "", " Container shop-db-1  Healthy\n");
    machine_holds(&m, "docker compose ps --format json", 0,
                  "{\"Name\":\"shop-api-1\",\"Service\":\"api\",\"State\":\"running\"", "");
    machine_release(&m);
}

/* Public images can be pulled; what would run in them here cannot be known. */
static int spawn(struct call_double *d, const char *place, char *const argv[], struct buf *capture)
{
    (void)d;
    (void)place;
    (void)argv;
    (void)capture;
    return 9;
}

/* What an image keeps of its Dockerfile, and what is wrong with one (BuildKit's parser). */
static void test_dockerfile(void **state)
{
    (void)state;
    struct machine m;
    begin(&m);
    double_file(
        &m.d, "", "/opt/shop/app/Dockerfile",
        "# syntax=docker/dockerfile:1\nARG BASE=python:3.11\nFROM ${BASE} AS build\n"
        "ENV GONE=with-its-stage\nRUN pip install \\\n  # a comment\n  -r requirements.txt\n"
        "FROM python:3.11\nARG RELEASE=none\nENV MODE=new \\\n    RELEASE=$RELEASE\n"
        "ENV OLD style value\nCOPY <<EOF /etc/x\nFOO\nEOF\nENTRYPOINT [\"/app/run\", \"now\"]\n");
    machine_holds(&m, "docker build -t made:1 -t made:latest --build-arg RELEASE=7 app", 0, "",
                  "#2 naming to made:1 done\n#2 naming to made:latest done\n");
    machine_expect(&m, "docker inspect made:1 --format '{{range .Config.Env}}{{.}} {{end}}'", 0,
                   "MODE=new RELEASE=7 OLD=style value \n", "");
    machine_holds(&m, "docker run -d --name one made:latest", 0, NULL, "");
    machine_expect(&m, "docker inspect one --format '{{.Path}} {{index .Config.Env 0}}'", 0,
                   "/app/run MODE=new\n", "");
    machine_holds(&m, "docker build -q -t made:1 app", 0, "sha256:", "");
    machine_expect(&m, "docker inspect made:1 --format '{{index .Config.Env 1}}'", 0,
                   "RELEASE=none\n", "");
    machine_expect(&m, "docker inspect made:latest --format '{{index .Config.Env 1}}'", 0,
                   "RELEASE=7\n", ""); /* the name that was not given keeps the image before */
    static const struct {
        const char *text, *error;
    } wrong[] = {
        {"FROM a\nCOPPY . .\n", "dockerfile parse error on line 2: unknown instruction: COPPY\n"},
        {"\n# nothing\n", "file with no instructions\n"},
        {"ARG A=1\nRUN make\n",
         "dockerfile parse error on line 2: no build stage in current context\n"},
        {"FROM a\nRUN\n", "dockerfile parse error on line 2: RUN requires at least one argument\n"},
    };
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        double_file(&m.d, "", "/opt/shop/app/Dockerfile", wrong[i].text);
        machine_holds(&m, "docker build -t made app", 1, "", wrong[i].error);
    }
    machine_holds(&m, "docker build -t made:BAD:x app", 1, "", "invalid tag \"made:BAD:x\"");
    machine_release(&m);
}

/* A container of its own for one command has a root of its own; there are so many at once and no
 * more. */
static void test_other_images(void **state)
{
    (void)state;
    struct machine m;
    begin(&m);
    m.d.on_spawn = spawn;
    machine_holds(&m, "docker pull alpine:3.20", 0, "docker.io/library/alpine:3.20\n", "");
    for (int i = 0; i < 3; i++)
        machine_holds(&m, "docker run --rm -v shop_data:/data alpine:3.20 tar czf /x.tgz /data", 9,
                      "", "");
    assert_non_null(
        strstr(m.d.spawned.at, "[docker-run-1] /bin/sh -c exec \"$@\" </dev/null sh tar"));
    assert_null(strstr(m.d.spawned.at, "[docker-run-2]"));
    machine_holds(&m, "docker run alpine:3.20 nmap", 127, "",
                  "exec: \"nmap\": executable file not found in $PATH: unknown\n");
    machine_holds(&m, "docker run alpine:3.20 true", 9, "", "");
    machine_holds(&m, "docker run --rm busybox true", 125, "",
                  "a command in a new container of 'busybox' is not simulated here\n");
    assert_string_equal(m.record->observations[0].id, "not_simulated");
    machine_release(&m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_build),
        cmocka_unit_test(test_up_build),
        cmocka_unit_test(test_docker_build),
        cmocka_unit_test(test_scale),
        cmocka_unit_test(test_run),
        cmocka_unit_test(test_profiles_and_pull),
        cmocka_unit_test(test_waits_for_health),
        cmocka_unit_test(test_editions),
        cmocka_unit_test(test_v2_from_the_start),
        cmocka_unit_test(test_dockerfile),
        cmocka_unit_test(test_other_images),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
