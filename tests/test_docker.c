/* docker: wording, streams and exit codes of the client (reference transcripts), rules of the
 * daemon (moby). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "fakes/docker.h"
#include "sim/world/store.h"
#include "tests/machine.h"

static const char system_text[] =
    "services:\n"
    "  web:\n"
    "    runs: {compose: docker-compose.yml, service: web}\n"
    "    versions: {v1: {}, v2: {errors: 40%}, v3: {needs: {settings: {mode: new}}, unmet: crash, "
    "start: 2s}}\n"
    "  db: {runs: {compose: docker-compose.yml, service: db}}\n"
    "good_state: {web: v1}\n"
    "stores: {db: {engine: postgresql 15, tables: {orders: {records: 1000}}}}\n"
    "traffic: {shoppers: {to: web, rate: 5/s}}\n"
    "docker:\n"
    "  compose: {folder: /opt/shop}\n"
    "  images:\n"
    "    shop/web: {size: 80MB, stop: 2s}\n"
    "    busybox:1.36: {ends: 1s, exit: 3, size: 4MB, here: ['1.36']}\n"
    "    stubborn: {stop: never, here: [latest]}\n"
    "  registry: {bandwidth: 40MB/s, missing: ['shop/web:v3']}\n";

static const struct machine_file files[] = {
    {"/opt/shop/docker-compose.yml",
     "services:\n"
     "  web:\n"
     "    image: shop/web:latest\n"
     "    container_name: web\n"
     "    restart: always\n"
     "    environment: {MODE: old, EMPTY: ''}\n"
     "    ports: ['8080:80']\n"
     "    healthcheck: {test: [CMD, curl, -f, localhost], interval: 10s, retries: 2}\n"
     "  db:\n"
     "    image: postgres:15\n"
     "    container_name: db\n"
     "    volumes: ['data:/var/lib/postgresql/data']\n"
     "volumes: {data: {}}\n"},
    {NULL, NULL},
};

struct row {
    const char *command;
    int status;
    const char *out, *err; /* NULL: not looked at; beginning with '~': must hold this */
};

static void run_rows(struct machine *m, const struct row *rows, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        const struct row *row = &rows[i];
        bool loose_out = !row->out || row->out[0] == '~',
             loose_err = !row->err || row->err[0] == '~';
        machine_holds(m, row->command, row->status, row->out ? row->out + loose_out : NULL,
                      row->err ? row->err + loose_err : NULL);
        if ((!loose_out && strcmp(double_out(&m->d), row->out) != 0) ||
            (!loose_err && strcmp(double_err(&m->d), row->err) != 0))
            fail_msg("'%s'\nstdout: %s\nwanted: %s\nstderr: %s\nwanted: %s", row->command,
                     double_out(&m->d), row->out ? row->out : "", double_err(&m->d),
                     row->err ? row->err : "");
    }
}
#define RUN(m, rows) run_rows(m, rows, sizeof(rows) / sizeof *(rows))

static struct container *container(struct machine *m, const char *name)
{
    struct container *found = docker_find(docker_of(&m->d.env), name);
    if (!found)
        fail_msg("no container '%s'", name);
    return found;
}

static void begin(struct machine *m)
{
    machine_init(m, system_text, NULL, files);
}

static void test_client(void **state)
{
    (void)state;
    struct machine m;
    begin(&m);
    static const struct row rows[] = {
        {"docker version --format '{{.Server.Version}}'", 0, "20.10.24\n", ""},
        {"docker rollback", 1, "",
         "docker: unknown command: docker rollback\n\nRun 'docker --help' for more information\n"},
        {"docker tag a", 1, "",
         "docker: 'docker tag' requires 2 arguments\n\nUsage:  docker tag SOURCE_IMAGE[:TAG] "
         "TARGET_IMAGE[:TAG]\n\n"
         "Run 'docker tag --help' for more information\n"},
        {"docker stop", 1, "", "~docker: 'docker stop' requires at least 1 argument\n"},
        {"docker ps --al", 125, "", "~unknown flag: --al\n\nUsage:  docker ps [OPTIONS]\n"},
        {"docker ps -Z", 125, "", "~unknown shorthand flag: 'Z' in -Z\n"},
        {"docker ps --filter", 125, "", "~flag needs an argument: --filter\n"},
        {"docker ps --filter colour=red", 1, "",
         "Error response from daemon: invalid filter 'colour'\n"},
        {"docker container ls -q --filter name=web", 0, NULL, ""},
        {"docker search nginx", 1, "", "docker: 'search' is not simulated here\n"},
    };
    RUN(&m, rows);
    assert_int_equal(m.record->n_observations, 1);
    assert_string_equal(m.record->observations[0].id, "not_simulated");
    machine_release(&m);
}

static void test_ps(void **state)
{
    (void)state;
    struct machine m;
    begin(&m);
    static const struct row rows[] = {
        {"docker ps --format '{{.Names}}:{{.Status}}'", 0,
         "db:Up 3 days\nweb:Up 3 days (healthy)\n", ""},
        {"docker ps -a --filter name=^web$ --format '{{.Image}} {{.Ports}} {{.State}}'", 0,
         "shop/web:latest 0.0.0.0:8080->80/tcp running\n", ""},
        {"docker ps --filter status=exited -q", 0, "", ""},
        {"docker ps --filter label=com.docker.compose.service=db --format '{{.Label "
         "\"com.docker.compose.project\"}}'",
         0, "shop\n", ""},
        {"docker ps --format 'table {{.Names}}\\t{{.Status}}'", 0,
         "NAMES   STATUS\ndb      Up 3 days\nweb     Up 3 days (healthy)\n", ""},
        {"docker ps --format '{{.Foo}}'", 1, "", "~failed to execute template: template: "},
        {"docker ps -l --format json", 0, "~\"Names\":\"db\"", ""},
    };
    RUN(&m, rows);
    machine_holds(
        &m, "docker ps", 0,
        "   IMAGE             COMMAND                  CREATED      STATUS                PORTS",
        "");
    machine_release(&m);
}

static void test_exec(void **state)
{
    (void)state;
    struct machine m;
    begin(&m);
    static const struct row rows[] = {
        {"docker exec nope ls", 1, "", "Error response from daemon: No such container: nope\n"},
        {"docker exec web psql -c x", 126,
         "OCI runtime exec failed: exec failed: unable to start container process: exec: \"psql\": "
         "executable file not "
         "found in $PATH: unknown\r\n",
         ""},
        {"docker exec web /bin/foo", 126,
         "~exec: \"/bin/foo\": stat /bin/foo: no such file or directory: unknown", ""},
        {"docker exec -it web sh", 1, "", "the input device is not a TTY\n"},
        {"docker stop web", 0, "web\n", ""},
    };
    RUN(&m, rows);
    const char *error =
        arena_printf(&m.arena, "Error response from daemon: Container %s is not running\n",
                     container(&m, "web")->id);
    machine_expect(&m, "docker exec web ls", 1, "", error);
    machine_release(&m);
}

static int spawn_shows(struct call_double *d, const char *place, char *const argv[],
                       struct buf *capture)
{
    (void)capture;
    buf_printf(&d->out, "in %s:", place);
    for (int i = 0; argv[i]; i++)
        buf_printf(&d->out, " %s", argv[i]);
    buf_putc(&d->out, '\n');
    return 7;
}

/* A shell in a container is the real one, in the container's own root, with its own environment and
 * empty stdin. */
static void test_exec_shell(void **state)
{
    (void)state;
    struct machine m;
    begin(&m);
    m.d.on_spawn = spawn_shows;
    machine_expect(&m, "docker exec -i web sh -c 'export MODE=new'", 7,
                   "in web: sh -c export MODE=new\n", "");
    machine_expect(&m, "docker exec web cat /etc/hosts", 7,
                   "in web: /bin/sh -c exec \"$@\" </dev/null sh cat /etc/hosts\n", "");
    assert_string_equal(container(&m, "web")->env[1], "MODE=old");
    machine_release(&m);
}

static void test_life(void **state)
{
    (void)state;
    struct machine m;
    begin(&m);
    static const struct row rows[] = {
        {"docker restart web", 0, "web\n", ""},
        {"docker kill web", 0, "web\n", ""},
        {"docker ps -a --filter name=web --format '{{.Status}}'", 0,
         "Exited (137) Less than a second ago\n", ""},
        {"docker start web", 0, "web\n", ""},
        {"docker rename web old", 0, "", ""},
        {"docker rename old db", 1, "",
         "~Conflict. The container name \"/db\" is already in use by container"},
        {"docker rename old web", 0, "", ""},
        {"docker pause web", 0, "web\n", ""},
        {"docker unpause web", 0, "web\n", ""},
        {"docker rm web", 1, "", "~Stop the container before attempting removal or force remove\n"},
        {"docker rm -f web nope", 0, "web\n",
         "Error response from daemon: No such container: nope\n"},
        {"docker rm nope", 1, "", "Error response from daemon: No such container: nope\n"},
        {"docker stop nope db", 1, "db\n", "Error response from daemon: No such container: nope\n"},
    };
    RUN(&m, rows);
    machine_release(&m);
}

/* SIGTERM, then ten seconds, then SIGKILL: unless the program ends. */
static void test_stop_takes_time(void **state)
{
    (void)state;
    struct machine m;
    begin(&m);
    int64_t before_ns = world_now(m.world);
    machine_holds(&m, "docker stop web", 0, "web\n", "");
    int64_t took_ns = world_now(m.world) - before_ns;
    assert_in_range(took_ns, 2 * SECOND, 3 * SECOND);
    assert_int_equal(container(&m, "web")->exit_code, 0);
    machine_holds(&m, "docker run -d --name s stubborn", 0, NULL, NULL);
    before_ns = world_now(m.world);
    machine_holds(&m, "docker stop s", 0, "s\n", "");
    took_ns = world_now(m.world) - before_ns;
    assert_in_range(took_ns, 10 * SECOND, 11 * SECOND);
    assert_int_equal(container(&m, "s")->exit_code, 137);
    machine_holds(&m, "docker start s", 0, NULL, NULL);
    machine_holds(&m, "docker stop -t 1 s", 0, "s\n", "");
    assert_int_equal(container(&m, "s")->exit_code, 137);
    machine_release(&m);
}

static void test_images(void **state)
{
    (void)state;
    struct machine m;
    begin(&m);
    static const struct row rows[] = {
        {"docker images --format '{{.Repository}}:{{.Tag}} {{.Size}}' shop/web", 0,
         "shop/web:latest 80MB\nshop/web:v1 80MB\n", ""},
        {"docker pull shop/web:v3", 1, "",
         "Error response from daemon: manifest for shop/web:v3 not found: manifest unknown: "
         "manifest unknown\n"},
        {"docker pull shop/web:v9", 1, "",
         "Error response from daemon: manifest for shop/web:v9 not found: manifest unknown: "
         "manifest unknown\n"},
        {"docker pull other/thing", 1, "Using default tag: latest\n",
         "Error response from daemon: pull access denied for other/thing, repository does not "
         "exist or may require "
         "'docker login': denied: requested access to the resource is denied\n"},
        {"docker pull Shop/Web", 1, "",
         "invalid reference format: repository name (Shop/Web) must be lowercase\n"},
        {"docker pull shop/web:v2", 0, "~v2: Pulling from shop/web\n", ""},
        {"docker pull shop/web:v2", 0,
         "~Status: Image is up to date for shop/web:v2\ndocker.io/shop/web:v2\n", ""},
        {"docker pull -q shop/web:v2", 0, "docker.io/shop/web:v2\n", ""},
        {"docker tag shop/web:v2 shop/web:latest", 0, "", ""},
        {"docker tag shop/web:none shop/web:x", 1, "",
         "Error response from daemon: No such image: shop/web:none\n"},
        {"docker rmi shop/web:v2", 0, "Untagged: shop/web:v2\n", ""},
        {"docker rmi shop/web:v1", 1, "",
         "~conflict: unable to remove repository reference \"shop/web:v1\" (must force) - "},
        {"docker rmi -f shop/web:v1", 0, "~Untagged: shop/web:v1\nUntagged: shop/web@sha256:", ""},
        {"docker rmi shop/web:latest", 0, "~Deleted: sha256:", ""},
        {"docker rmi shop/web:latest", 1, "",
         "Error response from daemon: No such image: shop/web:latest\n"},
    };
    RUN(&m, rows);
    machine_release(&m);
}

/* A container shows the name it was made from, and the image's ID once that name points elsewhere.
 */
static void test_moved_tag_shows(void **state)
{
    (void)state;
    struct machine m;
    begin(&m);
    machine_holds(&m, "docker pull shop/web:v2", 0, NULL, NULL);
    machine_holds(&m, "docker tag shop/web:v2 shop/web:latest", 0, NULL, NULL);
    struct container *web = container(&m, "web");
    const char *line = arena_printf(&m.arena, "%.12s\n", web->image->id + 7);
    machine_expect(&m, "docker ps --filter name=web --format '{{.Image}}'", 0, line, "");
    machine_expect(&m, "docker inspect web --format '{{.Config.Image}} {{.State.Status}}'", 0,
                   "shop/web:latest running\n", "");
    machine_release(&m);
}

static void test_registry_settings(void **state)
{
    (void)state;
    struct machine m;
    begin(&m);
    world_set(m.world, "docker.corrupt", "shop/web:v2");
    machine_holds(&m, "docker pull shop/web:v2", 1, NULL,
                  "filesystem layer verification failed for digest sha256:");
    world_set(m.world, "docker.corrupt", "");
    world_set(m.world, "docker.registry", "unreachable");
    machine_holds(&m, "docker pull shop/web:v2", 1, NULL,
                  "Get \"https://registry-1.docker.io/v2/\": net/http: request canceled while "
                  "waiting for connection");
    world_set(m.world, "docker.registry", "slow");
    int64_t before_ns = world_now(m.world);
    machine_holds(&m, "docker pull shop/web:v2", 0, NULL, NULL);
    assert_in_range(world_now(m.world) - before_ns, 40 * SECOND,
                    42 * SECOND); /* 80 MB at 40 MB/s, 20 times slower */
    machine_release(&m);
}

static void test_run(void **state)
{
    (void)state;
    struct machine m;
    begin(&m);
    static const struct row rows[] = {
        {"docker run --name one busybox:1.36", 3, "", ""},
        {"docker run --name one busybox:1.36", 125, "",
         "~Conflict. The container name \"/one\" is already in use by container"},
        {"docker run --name two -p 8080:80 busybox:1.36", 125, "",
         "~driver failed programming external connectivity on endpoint two ("},
        {"docker run --rm -d --name three none/none", 125, "",
         "~Unable to find image 'none/none:latest' locally\n"},
        {"docker run --restart sometimes busybox:1.36", 125, "", "~invalid restart policy"},
        {"docker wait one", 0, "3\n", ""},
        {"docker inspect -f '{{.State.ExitCode}} {{.RestartCount}}' one", 0, "3 0\n", ""},
        {"docker inspect nope", 1, "[]\n", "Error: No such object: nope\n"},
        {"docker inspect -f '{{range .Config.Env}}{{println .}}{{end}}' web", 0,
         "EMPTY=\nMODE=old\n\n", ""},
        {"docker inspect -f '{{.Nope}}' web", 1, "", "~template parsing error: template: "},
    };
    RUN(&m, rows);
    machine_release(&m);
}

/* Restart policies: on-failure counts, delays double. */
static void test_restarts(void **state)
{
    (void)state;
    struct machine m;
    begin(&m);
    machine_holds(&m, "docker run -d --name r --restart on-failure:3 busybox:1.36", 0, NULL, NULL);
    machine_advance(&m, world_now(m.world) + 30 * SECOND);
    struct container *r = container(&m, "r");
    assert_int_equal(r->restarts, 3);
    assert_string_equal(container_state_word(r), "exited");
    machine_holds(&m, "docker run -d --name a --restart always busybox:1.36", 0, NULL, NULL);
    machine_advance(&m, world_now(m.world) + 10 * MINUTE);
    struct container *a = container(&m, "a");
    assert_in_range(a->restarts, 12, 20); /* 100 ms, doubled each time up to a minute */
    machine_holds(&m, "docker stop a", 0, NULL, NULL);
    assert_string_equal(container_state_word(a), "exited");
    machine_release(&m);
}

/* A version that crashes at its start keeps restarting, and says so. */
static void test_crash_loop(void **state)
{
    (void)state;
    struct machine m;
    machine_init(&m, system_text,
                 "start: 2025-01-15T14:00:00Z\nchange: {at: 1m, deploy: {web: v3}}\n", files);
    machine_advance(&m, 10 * MINUTE);
    struct container *web = container(&m, "web");
    assert_true(web->restarts > 3);
    assert_string_equal(web->image->version, "v3");
    machine_holds(&m, "docker ps -a --filter name=web --format '{{.Status}}'", 0, NULL, NULL);
    machine_holds(&m, "docker exec web ls", web->state == CONTAINER_RUNNING ? 126 : 1, NULL, NULL);
    machine_release(&m);
}

static void test_daemon(void **state)
{
    (void)state;
    struct machine m;
    begin(&m);
    struct docker *docker = docker_of(&m.d.env);
    machine_expect(&m, "systemctl stop docker.socket docker", 0, "", "");
    machine_advance(&m, world_now(m.world) + SECOND);
    machine_expect(
        &m, "docker ps", 1, "",
        "Cannot connect to the Docker daemon at unix:///var/run/docker.sock. Is the docker daemon "
        "running?\n");
    docker_daemon_start(docker);
    machine_expect(&m, "docker ps -a --format '{{.Names}} {{.State}}'", 0,
                   "db exited\nweb running\n", "");
    machine_release(&m);
}

/* Volumes outlive containers; a volume that goes takes the store's records with it. */
static void test_volume_holds_the_data(void **state)
{
    (void)state;
    struct machine m;
    begin(&m);
    struct store *db = world_store(m.world, "db");
    static const struct row rows[] = {
        {"docker volume ls -q", 0, "shop_data\n", ""},
        {"docker volume rm shop_data", 1, "", "~remove shop_data: volume is in use - ["},
        {"docker rm -f db", 0, "db\n", ""},
    };
    RUN(&m, rows);
    assert_int_equal(idset_count(dataset_rows(store_serving(db), "orders")), 1000);
    machine_expect(&m, "docker volume rm shop_data", 0, "shop_data\n", "");
    assert_false(dataset_has_table(store_serving(db), "orders"));
    machine_release(&m);
}

static void test_small(void **state)
{
    (void)state;
    struct machine m;
    begin(&m);
    static const struct row rows[] = {
        {"docker port web", 0, "80/tcp -> 0.0.0.0:8080\n", ""},
        {"docker port web 443", 1, "", "Error: No public port '443/tcp' published for web\n"},
        {"docker network ls -q --filter name=shop", 0, NULL, ""},
        {"docker network rm shop_default", 1, "", "~has active endpoints\n"},
        {"docker network create shop_default", 1, "",
         "Error response from daemon: network with name shop_default already exists\n"},
        {"docker stats --no-stream --format '{{.Name}} {{.PIDs}}'", 0, "db 8\nweb 8\n", ""},
        {"docker logs nope", 1, "", "Error response from daemon: No such container: nope\n"},
        {"docker logs --since yesterday web", 1, "",
         "~failed to parse value as time or duration: \"yesterday\""},
        {"docker cp web:/none .", 1, "",
         "Error response from daemon: Could not find the file /none in container web\n"},
        {"docker image prune -f", 0, "Total reclaimed space: 0B\n", ""},
        {"docker system df", 0, "~TYPE            TOTAL   ACTIVE   SIZE", ""},
    };
    RUN(&m, rows);
    double_file(&m.d, "web", "/etc/app.conf", "mode=old\n");
    double_file(&m.d, "", "/tmp/other", "");
    machine_holds(&m, "docker cp web:/etc/app.conf /tmp/app.conf", 0, "", "Successfully copied");
    assert_string_equal(double_content(&m.d, "", "/tmp/app.conf"), "mode=old\n");
    machine_release(&m);
}

/* docker image prune, --filter until: what is older; the target of a rollback is often just that.
 */
static void test_prune(void **state)
{
    (void)state;
    struct machine m;
    begin(&m);
    static const struct row rows[] = {
        {"docker pull shop/web:v2", 0, NULL, ""},
        {"docker image prune -f --filter colour=red", 1, "",
         "~--filter colour=red is not simulated here\n"},
        {"docker image prune -a -f --filter until=1000h", 0, "Total reclaimed space: 0B\n", ""},
        {"docker images -q shop/web:v2", 0, "~\n", ""},
        {"docker image prune -a -f --filter until=24h", 0,
         "~untagged: shop/web:v2\ndeleted: sha256:", ""},
        {"docker images -q shop/web:v2", 0, "", ""},
        {"docker network create n1", 0, NULL, ""},
        {"docker network prune -f", 0, "Deleted Networks:\nn1\n\n", ""},
        {"docker network rm shop_default", 1, "", "~has active endpoints\nexit status 1\n"},
        {"docker run busybox:1.36", 3, NULL, NULL},
        {"docker image prune -a -f", 0, "~Total reclaimed space: ", ""},
        {"docker images -q busybox", 0, "~\n", ""}, /* its container has ended, but is there */
        {"docker container prune -f", 0, "~Deleted Containers:\n", ""},
        {"docker image prune -a -f", 0, "~untagged: busybox:1.36\n", ""},
        {"docker builder prune -f", 0, "Total reclaimed space: 0B\n", ""},
        {"docker system prune -a", 0,
         "~  - all images without at least one container associated to them\n  - all build cache\n",
         ""},
    };
    RUN(&m, rows);
    machine_release(&m);
}

static void test_push_and_login(void **state)
{
    (void)state;
    struct machine m;
    begin(&m);
    static const struct row rows[] = {
        {"docker push shop/web:none", 1, "The push refers to repository [docker.io/shop/web]\n",
         "An image does not exist locally with the tag: shop/web\n"},
        {"docker tag shop/web:v1 shop/web:rollback", 0, "", ""},
        {"docker push -q shop/web:rollback", 0, "docker.io/shop/web:rollback\n", ""},
        {"docker pull -q shop/web:rollback", 0, "docker.io/shop/web:rollback\n", ""},
        {"docker login", 1, "",
         "Error: Cannot perform an interactive login from a non TTY device\n"},
        {"docker login --password-stdin -u ci registry.local", 0, "Login Succeeded\n", ""},
    };
    RUN(&m, rows);
    machine_release(&m);
}

static void test_full_disk(void **state)
{
    (void)state;
    struct machine m;
    machine_init(&m, system_text,
                 "start: 2025-01-15T14:00:00Z\nfaults: [{at: 1m, disk_full: host}]\n", files);
    machine_advance(&m, 2 * MINUTE);
    machine_holds(&m, "docker pull shop/web:v2", 1, NULL, "no space left on device");
    machine_release(&m);
}

/* What a fake may cost in wall-clock time: the slowest of these is far below a millisecond. */
static void test_quick(void **state)
{
    (void)state;
    struct machine m;
    begin(&m);
    static const char *const commands[] = {
        "docker ps -a",         "docker images",   "docker inspect web",    "docker-compose ps",
        "docker-compose up -d", "docker stop web", "docker-compose restart"};
    enum { ROUNDS = 100 };
    for (size_t i = 0; i < sizeof commands / sizeof *commands; i++) {
        clock_t before = clock();
        for (int k = 0; k < ROUNDS; k++)
            double_run(&m.d, commands[i]);
        double each_us = (double)(clock() - before) * 1e6 / CLOCKS_PER_SEC / ROUNDS;
        if (getenv("REHEARSE_TIMES"))
            print_message("%-24s %.0f us\n", commands[i], each_us);
        assert_true(each_us <
                    20000); /* loose: sanitizers and loaded machines; the bench has the number */
    }
    machine_release(&m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_client),
        cmocka_unit_test(test_ps),
        cmocka_unit_test(test_exec),
        cmocka_unit_test(test_exec_shell),
        cmocka_unit_test(test_life),
        cmocka_unit_test(test_stop_takes_time),
        cmocka_unit_test(test_images),
        cmocka_unit_test(test_moved_tag_shows),
        cmocka_unit_test(test_registry_settings),
        cmocka_unit_test(test_run),
        cmocka_unit_test(test_restarts),
        cmocka_unit_test(test_crash_loop),
        cmocka_unit_test(test_daemon),
        cmocka_unit_test(test_volume_holds_the_data),
        cmocka_unit_test(test_small),
        cmocka_unit_test(test_prune),
        cmocka_unit_test(test_push_and_login),
        cmocka_unit_test(test_full_disk),
        cmocka_unit_test(test_quick),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
