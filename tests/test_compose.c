/* docker-compose and docker compose: what the real ones print, and what they recreate and what not.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "fakes/docker.h"
#include "tests/machine.h"

static const char system_text[] =
    "services:\n"
    "  honeypot:\n"
    "    runs: {compose: docker-compose.yml, service: honeypot}\n"
    "    versions: {v1.2.2: {}, v1.2.3: {errors: 40%}}\n"
    "    calls: {postgres: 1}\n"
    "  postgres: {runs: {compose: docker-compose.yml, service: postgres}}\n"
    "good_state: {honeypot: v1.2.2}\n"
    "traffic: {attackers: {to: honeypot, rate: 5/s}}\n"
    "docker:\n"
    "  compose: {folder: /opt/hp_ti}\n";

static const char compose_text[] = "version: '3.8'\n"
                                   "services:\n"
                                   "  honeypot:\n"
                                   "    image: hp_ti/honeypot:latest\n"
                                   "    container_name: hp_ti_honeypot\n"
                                   "    restart: unless-stopped\n"
                                   "    env_file: .env\n"
                                   "    ports: ['8080:8080']\n"
                                   "    depends_on: [postgres]\n"
                                   "  postgres:\n"
                                   "    image: postgres:15\n"
                                   "    container_name: hp_ti_postgres\n"
                                   "    environment:\n"
                                   "      POSTGRES_USER: ${POSTGRES_USER:-hp_ti_user}\n"
                                   "    volumes: ['data:/var/lib/postgresql/data']\n"
                                   "volumes: {data: }\n";

static const struct machine_file files[] = {
    {"/opt/hp_ti/docker-compose.yml", compose_text},
    {"/opt/hp_ti/.env", "LOG_LEVEL=info\n# comment\nPOSTGRES_USER=hp_ti_user\n"},
    {NULL, NULL},
};

static void begin(struct machine *m, const char *system, const char *drill,
                  const struct machine_file *list)
{
    machine_init(m, system, drill, list);
    m->d.call.cwd = "/opt/hp_ti";
}

static struct container *container(struct machine *m, const char *name)
{
    struct container *found = docker_find(docker_of(&m->d.env), name);
    if (!found)
        fail_msg("no container '%s'", name);
    return found;
}

static void test_ps(void **state)
{
    (void)state;
    struct machine m;
    begin(&m, system_text, NULL, files);
    machine_expect(
        &m, "docker-compose ps", 0,
        "     Name                   Command               State           Ports         \n"
        "--------------------------------------------------------------------------------\n"
        "hp_ti_honeypot   /usr/local/bin/docker-entr ...   Up      0.0.0.0:8080->8080/tcp\n"
        "hp_ti_postgres   docker-entrypoint.sh postgres    Up                            \n",
        "");
    machine_holds(&m, "docker-compose ps --services", 0, "postgres\nhoneypot\n", NULL);
    machine_release(&m);
}

/* Scenario 2 of a real playbook: stop, then up: what was stopped starts with the image and
 * environment it has. */
static void test_stop_and_up(void **state)
{
    (void)state;
    struct machine m;
    begin(&m, system_text, NULL, files);
    machine_expect(&m, "docker-compose stop honeypot", 0, "",
                   "Stopping hp_ti_honeypot ... \r\nStopping hp_ti_honeypot ... done\r\n");
    assert_string_equal(container_state_word(container(&m, "hp_ti_honeypot")), "exited");
    assert_int_equal(service_ready(world_service(m.world, "honeypot")), 0);
    machine_expect(&m, "docker-compose stop honeypot", 0, "", "");
    machine_expect(&m, "docker-compose up -d", 0, "",
                   "hp_ti_postgres is up-to-date\nStarting hp_ti_honeypot ... \r\n"
                   "Starting hp_ti_honeypot ... done\r\n");
    machine_advance(&m, world_now(m.world) + 30 * SECOND);
    assert_int_equal(service_ready(world_service(m.world, "honeypot")), 1);
    machine_expect(&m, "docker-compose up -d", 0, "",
                   "hp_ti_postgres is up-to-date\nhp_ti_honeypot is up-to-date\n");
    machine_release(&m);
}

/* The image's ID is part of what v1 compares: a tag that moved makes `up` recreate; `restart` never
 * does. */
static void test_tag_moves(void **state)
{
    (void)state;
    struct machine m;
    begin(&m, system_text,
          "start: 2025-01-15T14:00:00Z\nchange: {at: 10m, deploy: {honeypot: v1.2.3}}\n", files);
    machine_advance(&m, 11 * MINUTE);
    struct container *bad = container(&m, "hp_ti_honeypot");
    assert_string_equal(bad->image->version, "v1.2.3");
    assert_string_equal(instance_version(bad->instance), "v1.2.3");
    machine_holds(
        &m, "docker pull hp_ti/honeypot:v1.2.2", 0,
        "Status: Image is up to date for hp_ti/honeypot:v1.2.2\ndocker.io/hp_ti/honeypot:v1.2.2\n",
        NULL);
    machine_holds(&m, "docker tag hp_ti/honeypot:v1.2.2 hp_ti/honeypot:latest", 0, NULL, NULL);
    machine_holds(&m, "docker-compose restart honeypot", 0, NULL,
                  "Restarting hp_ti_honeypot ... done");
    assert_string_equal(container(&m, "hp_ti_honeypot")->image->version, "v1.2.3");
    machine_holds(&m, "docker-compose up -d honeypot", 0, NULL,
                  "Recreating hp_ti_honeypot ... done");
    assert_string_equal(container(&m, "hp_ti_honeypot")->image->version, "v1.2.2");
    assert_string_equal(container(&m, "hp_ti_honeypot")->name, "hp_ti_honeypot");
    machine_release(&m);
}

/* A container's environment is that of its creation; `up` sees that the file says something else
 * now. */
static void test_environment(void **state)
{
    (void)state;
    struct machine m;
    begin(&m, system_text, NULL, files);
    assert_string_equal(container(&m, "hp_ti_honeypot")->env[0], "LOG_LEVEL=info");
    double_file(&m.d, "", "/opt/hp_ti/.env", "LOG_LEVEL=debug\n");
    machine_holds(&m, "docker-compose restart", 0, NULL, NULL);
    assert_string_equal(container(&m, "hp_ti_honeypot")->env[0], "LOG_LEVEL=info");
    machine_holds(&m, "docker-compose up -d", 0, NULL, "Recreating hp_ti_honeypot ... done");
    assert_string_equal(container(&m, "hp_ti_honeypot")->env[0], "LOG_LEVEL=debug");
    machine_release(&m);
}

static void test_down_and_up(void **state)
{
    (void)state;
    struct machine m;
    begin(&m, system_text, NULL, files);
    machine_expect(&m, "docker-compose down", 0, "",
                   "Stopping hp_ti_honeypot ... \r\nStopping hp_ti_postgres ... \r\n"
                   "Stopping hp_ti_honeypot ... done\r\nStopping hp_ti_postgres ... done\r\n"
                   "Removing hp_ti_honeypot ... \r\nRemoving hp_ti_postgres ... \r\n"
                   "Removing hp_ti_honeypot ... done\r\nRemoving hp_ti_postgres ... done\r\n"
                   "Removing network hp_ti_default\n");
    assert_null(docker_find(docker_of(&m.d.env), "hp_ti_postgres"));
    assert_non_null(docker_volume(docker_of(&m.d.env), "hp_ti_data"));
    machine_expect(&m, "docker-compose restart", 1, "", "No containers to restart\n1\n");
    machine_expect(&m, "docker-compose up -d", 0, "",
                   "Creating network \"hp_ti_default\" with the default driver\n"
                   "Creating hp_ti_postgres ... \r\nCreating hp_ti_postgres ... done\r\n"
                   "Creating hp_ti_honeypot ... \r\nCreating hp_ti_honeypot ... done\r\n");
    machine_holds(&m, "docker-compose down -v", 0, NULL, "Removing volume hp_ti_data\n");
    assert_null(docker_volume(docker_of(&m.d.env), "hp_ti_data"));
    machine_release(&m);
}

/* What cannot work, and how the tools say so. */
static const struct {
    const char *command;
    int status;
    const char *err;
} mistakes[] = {
    {"docker-compose up -d --no-deps honeypot:v1.2.2", 1, "No such service: honeypot:v1.2.2\n"},
    {"docker-compose -f other.yml ps", 1,
     ".FileNotFoundError: [Errno 2] No such file or directory: './other.yml'\n"},
    {"docker-compose exec honeypot ls", 1, "the input device is not a TTY\n"},
    {"docker compose up -d --no-deps honeypot:v1.2.2", 1, "no such service: honeypot:v1.2.2\n"},
    {"docker compose -f other.yml ps", 14,
     "open /opt/hp_ti/other.yml: no such file or directory\n"},
    {"docker-compose scale other=2", 1,
     "The scale command is deprecated. Use the up command with the --scale flag instead.\n"
     "No such service: other\n"},
};

static void test_mistakes(void **state)
{
    (void)state;
    struct machine m;
    begin(&m, system_text, NULL, files);
    for (size_t i = 0; i < sizeof mistakes / sizeof *mistakes; i++)
        machine_expect(&m, mistakes[i].command, mistakes[i].status, "", mistakes[i].err);
    m.d.call.cwd = "/tmp";
    machine_holds(&m, "docker-compose ps", 1, NULL,
                  "Can't find a suitable configuration file in this directory");
    machine_expect(&m, "docker compose ps", 14, "", "no configuration file provided: not found\n");
    machine_release(&m);
}

/* Broken files, one after the other in the place of the good one. */
static const struct {
    const char *text, *v1, *v2;
} broken[] = {
    {"services:\n  web: {imag: a}\n",
     "The Compose file './docker-compose.yml' is invalid because:\n"
     "Unsupported config option for services.web: 'imag'\n",
     "additional properties 'imag' not allowed"},
    {"services:\n  web: {ports: ['80:80']}\n",
     "Service web has neither an image nor a build context specified.",
     "service \"web\" has neither an image nor a build context specified"},
    {"services:\n  web: {image: a, depends_on: [db]}\n",
     "Service 'web' depends on service 'db' which is undefined.\n",
     "service \"web\" depends on undefined service"},
    {"services:\n  web: {image: 'a:${TAG:?give a tag}'}\n",
     "Missing mandatory value for \"image\" option",
     "required variable TAG is missing a value: give a tag"},
    {"services:\n  web: {image: 'a:${TAG'}\n",
     "Invalid interpolation format for \"image\" option in service \"web\"",
     "invalid interpolation format for services.web.image"},
    {"services:\n  web: {image: a, env_file: none.env}\n",
     "Couldn't find env file: /opt/hp_ti/none.env\n", "env file /opt/hp_ti/none.env not found"},
    {"services:\n  web: {image: a, volumes: ['data:/x']}\n",
     "Named volume \"data:/x\" is used in service \"web\" but no declaration was found",
     "service \"web\" refers to undefined volume data"},
    {"services:\n web:\n  image: [a\n", "yaml.scanner.ScannerError", "yaml: "},
};

/* Found by fuzzing: what is not a mapping or not a text where one must be. */
static const char *const odd[] = {
    "services:\n  web: [a]\n",
    "services:\n  web: {image: a, depends_on: [{b: c}]}\n",
    "services:\n  web: {image: a, ports: [[80]]}\n",
    "services: [a]\n",
    "- a\n",
    "services:\n  web: {image: [a]}\n",
};

static void test_odd_files(void **state)
{
    (void)state;
    struct machine m;
    begin(&m, system_text, NULL, files);
    for (size_t i = 0; i < sizeof odd / sizeof *odd; i++) {
        double_file(&m.d, "", "/opt/hp_ti/docker-compose.yml", odd[i]);
        machine_holds(&m, "docker-compose up -d", 1, "", "");
        machine_holds(&m, "docker compose up -d", 14, "", "");
    }
    machine_release(&m);
}

static void test_broken_files(void **state)
{
    (void)state;
    struct machine m;
    begin(&m, system_text, NULL, files);
    for (size_t i = 0; i < sizeof broken / sizeof *broken; i++) {
        double_file(&m.d, "", "/opt/hp_ti/docker-compose.yml", broken[i].text);
        machine_holds(&m, "docker-compose config", 1, NULL, broken[i].v1);
        machine_holds(&m, "docker compose config", 14, NULL, broken[i].v2);
    }
    machine_release(&m);
}

static void test_config(void **state)
{
    (void)state;
    struct machine m;
    begin(&m, system_text, NULL, files);
    machine_expect(&m, "docker-compose config", 0,
                   "services:\n"
                   "  honeypot:\n"
                   "    container_name: hp_ti_honeypot\n"
                   "    depends_on:\n"
                   "    - postgres\n"
                   "    environment:\n"
                   "      LOG_LEVEL: info\n"
                   "      POSTGRES_USER: hp_ti_user\n"
                   "    image: hp_ti/honeypot:latest\n"
                   "    ports:\n"
                   "    - 8080:8080\n"
                   "    restart: unless-stopped\n"
                   "  postgres:\n"
                   "    container_name: hp_ti_postgres\n"
                   "    environment:\n"
                   "      POSTGRES_USER: hp_ti_user\n"
                   "    image: postgres:15\n"
                   "    volumes:\n"
                   "    - data:/var/lib/postgresql/data\n"
                   "version: '3.8'\n"
                   "volumes:\n"
                   "  data: {}\n\n",
                   "");
    machine_expect(&m, "docker-compose config -q", 0, "", "");
    machine_expect(&m, "docker-compose config --services", 0, "postgres\nhoneypot\n", "");
    machine_release(&m);
}

static void test_unset_variable(void **state)
{
    (void)state;
    struct machine m;
    begin(&m, system_text, NULL, files);
    double_file(&m.d, "", "/opt/hp_ti/docker-compose.yml",
                "services:\n  web: {image: 'a:v$TAG'}\n");
    machine_expect(&m, "docker-compose config -q", 0, "",
                   "The TAG variable is not set. Defaulting to a blank string.\n");
    m.d.tty = true;
    machine_expect(&m, "docker-compose config -q", 0, "",
                   "WARNING: The TAG variable is not set. Defaulting to a blank string.\n");
    machine_release(&m);
}

/* v2 on the containers that v1 left: found by their labels. */
static void test_v2(void **state)
{
    (void)state;
    struct machine m;
    begin(&m, system_text, NULL, files);
    machine_expect(&m, "docker compose stop honeypot", 0, "",
                   " Container hp_ti_honeypot  Stopping\n Container hp_ti_honeypot  Stopped\n");
    machine_holds(&m, "docker compose ps", 0, "NAME             IMAGE         COMMAND", NULL);
    assert_null(strstr(double_out(&m.d), "hp_ti_honeypot")); /* v2 lists what runs */
    machine_holds(&m, "docker compose ps -a", 0, "Exited (0)", NULL);
    machine_holds(&m, "docker compose -p new up -d postgres", 1, "",
                  " Network new_default  Creating\n Network new_default  Created\n"
                  " Volume \"new_data\"  Creating\n Volume \"new_data\"  Created\n"
                  " Container hp_ti_postgres  Creating\n"
                  " Container hp_ti_postgres  Error\n"
                  "Error response from daemon: Conflict. The container name \"/hp_ti_postgres\" is "
                  "already in use by "
                  "container \"");
    machine_release(&m);
}

/* The restart policy takes effect although the container's own port is still its own. */
static void test_restart_policy(void **state)
{
    (void)state;
    struct machine m;
    begin(&m, system_text, "faults: [{at: 5s, crash: honeypot}]\n", files);
    struct container *honeypot = container(&m, "hp_ti_honeypot");
    machine_advance(&m, 5 * SECOND + 50 * MILLISECOND);
    assert_string_equal(container_state_word(honeypot), "restarting");
    machine_advance(&m, 20 * SECOND);
    assert_string_equal(container_state_word(honeypot), "running");
    assert_int_equal(service_ready(world_service(m.world, "honeypot")), 1);
    machine_release(&m);
}

/* What a step changed: a tag that moved, a restart that was called off. */
static void test_what_a_step_changed(void **state)
{
    (void)state;
    struct machine m;
    begin(&m, system_text, "faults: [{at: 5s, crash: honeypot, for: 1h}]\n", files);
    struct container *honeypot = container(&m, "hp_ti_honeypot");
    struct step *step = record_step_begin(m.record, "playbook.md", 1, "docker tag");
    machine_expect(&m, "docker tag postgres:15 hp_ti/honeypot:other", 0, "", "");
    machine_expect(&m, "docker tag postgres:15 hp_ti/honeypot:other", 0, "", "");
    assert_int_equal(step->n_changed, 1); /* the second moves nothing */
    record_step_end(m.record, step, 0);
    for (int i = 0; i < 1000 && honeypot->state != CONTAINER_RESTARTING; i++)
        machine_advance(&m, world_now(m.world) + 50 * MILLISECOND);
    step = record_step_begin(m.record, "playbook.md", 2, "docker stop");
    docker_stop(honeypot, -1);
    assert_int_equal(step->n_changed, 1);
    assert_string_equal(step->changed[0], "hp_ti_honeypot: no longer restarted");
    record_step_end(m.record, step, 0);
    machine_advance(&m, world_now(m.world) + 5 * MINUTE);
    assert_string_equal(container_state_word(honeypot), "exited");
    machine_release(&m);
}

static void test_logs(void **state)
{
    (void)state;
    struct machine m;
    begin(&m, system_text, NULL, files);
    struct container *honeypot = container(&m, "hp_ti_honeypot"),
                     *postgres = container(&m, "hp_ti_postgres");
    honeypot->n_log = postgres->n_log = 0;
    container_log(honeypot, "one", false);
    container_log(postgres, "ready", false);
    container_log(honeypot, "two", true);
    machine_expect(&m, "docker-compose logs", 0,
                   "Attaching to hp_ti_postgres, hp_ti_honeypot\n"
                   "honeypot_1  | one\nhoneypot_1  | two\npostgres_1  | ready\n",
                   "");
    machine_expect(&m, "docker-compose logs --tail=1 honeypot", 0,
                   "Attaching to hp_ti_honeypot\nhoneypot_1  | two\n", "");
    /* behind a service v1 knows services only */
    machine_holds(&m, "docker-compose logs honeypot --tail=1", 1, NULL,
                  "No such service: --tail=1\n");
    machine_holds(&m, "docker-compose up honeypot -d", 1, NULL, "No such service: -d\n");
    machine_holds(&m, "docker compose logs honeypot --tail=1", 0, "two\n", NULL);
    machine_expect(&m, "docker logs hp_ti_honeypot", 0, "one\n", "two\n");
    machine_expect(&m, "docker logs --tail 1 hp_ti_honeypot", 0, "", "two\n");
    m.d.interrupt_at_ns = world_now(m.world) + 5 * SECOND;
    machine_holds(&m, "docker logs -f --tail 0 hp_ti_honeypot", 130, "", NULL);
    machine_release(&m);
}

/* A program that ends at its start is started again and again, and in between there is nothing to
 * exec into. */
static void test_crash_loop(void **state)
{
    (void)state;
    struct machine m;
    static const char system[] =
        "services:\n"
        "  honeypot:\n"
        "    runs: {compose: docker-compose.yml, service: honeypot}\n"
        "    versions:\n"
        "      v1.2.2: {}\n"
        "      v1.2.3: {needs: {settings: {LOG_LEVEL: debug}}, unmet: crash, says: no such level}\n"
        "  postgres: {runs: {compose: docker-compose.yml, service: postgres}}\n"
        "good_state: {honeypot: v1.2.2}\n"
        "traffic: {attackers: {to: honeypot, rate: 5/s}}\n"
        "docker:\n"
        "  compose: {folder: /opt/hp_ti}\n";
    begin(&m, system,
          "start: 2025-01-15T14:00:00Z\nchange: {at: 10m, deploy: {honeypot: v1.2.3}}\n", files);
    machine_advance(&m, 30 * MINUTE);
    struct container *bad = container(&m, "hp_ti_honeypot");
    assert_true(bad->restarts > 10); /* the pause doubles from 100 ms to a minute */
    assert_true(bad->restarts < 40);
    double restarts = 0;
    assert_true(service_metric(world_service(m.world, "honeypot"), "restarts_total", &restarts));
    assert_true(restarts >= bad->restarts - 1);
    while (strcmp(container_state_word(bad), "restarting") != 0)
        machine_advance(&m, world_now(m.world) + SECOND);
    machine_holds(&m, "docker exec hp_ti_honeypot sh -c true", 1, NULL,
                  "is restarting, wait until the container is running");
    machine_holds(&m, "docker logs hp_ti_honeypot", 0, NULL, "FATAL no such level");
    machine_release(&m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_crash_loop),
        cmocka_unit_test(test_ps),
        cmocka_unit_test(test_stop_and_up),
        cmocka_unit_test(test_tag_moves),
        cmocka_unit_test(test_environment),
        cmocka_unit_test(test_down_and_up),
        cmocka_unit_test(test_mistakes),
        cmocka_unit_test(test_broken_files),
        cmocka_unit_test(test_odd_files),
        cmocka_unit_test(test_config),
        cmocka_unit_test(test_unset_variable),
        cmocka_unit_test(test_v2),
        cmocka_unit_test(test_restart_policy),
        cmocka_unit_test(test_logs),
        cmocka_unit_test(test_what_a_step_changed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
