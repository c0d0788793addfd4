/* The machine's commands: wording and exit codes of systemd 252, coreutils, procps, sudo, OpenSSH
 * on Debian 12. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "fakes/docker.h"
#include "fakes/host.h"
#include "tests/machine.h"

static const char system_text[] =
    "services:\n"
    "  api:\n"
    "    runs: {unit: shop-api}\n"
    "    versions: {v1: {}, v2: {errors: 40%}, v3: {needs: {settings: {mode: new}}, unmet: crash, "
    "start: 1s}}\n"
    "good_state: {api: v1}\n"
    "traffic: {shoppers: {to: api, rate: 5/s}}\n"
    "host:\n"
    "  logs: {api: /var/log/shop/api.log}\n"
    "  disks: {/: {size: 80GB, used: 40%}, /var/lib/docker: {size: 200GB, used: 63%}}\n"
    "  units:\n"
    "    shop-api: {service: api, version_file: /opt/shop/VERSION, description: Shop API, stop: "
    "2s}\n"
    "    nginx: {}\n";

static const struct machine_file files[] = {
    {"/opt/shop/VERSION", "v1\n"},
    {"/etc/hostname", "ops\n"},
    {"/etc/nginx/nginx.conf", "http {\n  server { listen 80; } # a }\n}\n"},
    {"/var/lib/docker/x", ""},
    {NULL, NULL},
};

static int on_spawn(struct call_double *d, const char *place, char *const argv[],
                    struct buf *capture)
{
    struct buf *out = capture ? capture : &d->out;
    buf_printf(out, "[%s]", place ? place : "");
    for (int i = 0; argv[i]; i++)
        buf_printf(out, " %s", argv[i]);
    buf_putc(out, '\n');
    return strcmp(argv[0], "missing") == 0 ? 127 : 0;
}

static void begin(struct machine *m, const char *drill)
{
    machine_init(m, system_text, drill, files);
    m->d.on_spawn = on_spawn;
}

static const struct {
    const char *command;
    int status;
    const char *out, *err;
} exact[] = {
    {"systemctl is-active shop-api", 0, "active\n", ""},
    {"systemctl is-active nothing", 3, "inactive\n", ""},
    {"systemctl is-active --quiet shop-api.service", 0, "", ""},
    {"systemctl is-failed shop-api", 1, "active\n", ""},
    {"systemctl is-enabled nginx", 0, "enabled\n", ""},
    {"systemctl restart nothing", 5, "",
     "Failed to restart nothing.service: Unit nothing.service not found.\n"},
    {"systemctl stop nothing", 5, "",
     "Failed to stop nothing.service: Unit nothing.service not loaded.\n"},
    {"systemctl status nothing", 4, "", "Unit nothing.service could not be found.\n"},
    {"systemctl reload shop-api", 1, "",
     "Failed to reload shop-api.service: Job type reload is not applicable for unit "
     "shop-api.service.\n"},
    {"systemctl reload nginx", 0, "", ""},
    {"systemctl explode", 1, "", "Unknown command verb explode.\n"},
    {"systemctl daemon-reload", 0, "", ""},
    {"systemctl show -p ActiveState --value shop-api", 0, "active\n", ""},
    {"service nothing restart", 5, "",
     "Failed to restart nothing.service: Unit nothing.service not found.\n"},
    {"journalctl -u nothing --no-pager", 0, "-- No entries --\n", ""},
    {"journalctl --since never", 1, "", "Failed to parse timestamp: never\n"},
    {"journalctl -n x", 1, "", "Failed to parse lines 'x'\n"},
    {"df -h", 0,
     "Filesystem      Size  Used Avail Use% Mounted on\n"
     "/dev/sda1        75G   30G   43G  42% /\n"
     "/dev/sdb1       187G  118G   66G  65% /var/lib/docker\n",
     ""},
    {"df -h /var/lib/docker/x", 0,
     "Filesystem      Size  Used Avail Use% Mounted on\n"
     "/dev/sdb1       187G  118G   66G  65% /var/lib/docker\n",
     ""},
    {"df /nowhere", 1, "", "df: /nowhere: No such file or directory\n"},
    {"free -q", 1, "", "free: invalid option -- 'q'\n"},
    {"nginx -t", 0, "",
     "nginx: the configuration file /etc/nginx/nginx.conf syntax is ok\n"
     "nginx: configuration file /etc/nginx/nginx.conf test is successful\n"},
    {"nginx -s reload", 0, "", ""},
    {"nginx -s explode", 1, "", "nginx: invalid option: \"-s explode\"\n"},
    {"crontab -l", 1, "", "no crontab for root\n"},
    {"sudo systemctl is-active docker", 0, "active\n", ""},
    {"sudo missing", 1, "[] missing\n", "sudo: missing: command not found\n"},
    {"sudo -u postgres ls -l", 0, "[] ls -l\n", ""},
    {"sudo MODE=new ls", 0, "[] env MODE=new ls\n", ""},
    {"su - postgres -c 'ls -l'", 0, "[] bash -c ls -l\n", ""},
    {"ssh deploy@db1 'systemctl restart api'", 255, "",
     "ssh: Could not resolve hostname db1: Name or service not known\n"},
    {"top", 1, "", "top: failed tty get\n"},
    {"pgrep -c nothing", 1, "0\n", ""},
};

static void test_words(void **state)
{
    (void)state;
    struct machine m;
    begin(&m, NULL);
    for (size_t i = 0; i < sizeof exact / sizeof *exact; i++)
        machine_expect(&m, exact[i].command, exact[i].status, exact[i].out, exact[i].err);
    machine_holds(&m, "free -h", 0, "Mem:           8.0Gi ", "");
    machine_holds(&m, "ps aux", 0, "nginx: master process", "");
    machine_holds(&m, "top -b -n 1", 0, "Tasks:   6 total,", "");
    machine_holds(&m, "uptime", 0, "load average:", "");
    machine_holds(&m, "systemctl list-units", 0,
                  "shop-api.service loaded active   running Shop API\n", "");
    machine_release(&m);
}

/* A unit starts what its version file names; a deployment by the world writes that file. */
static void test_unit_runs_a_service(void **state)
{
    (void)state;
    struct machine m;
    begin(&m, "start: 2025-01-15T14:00:00Z\nchange: {at: 1m, deploy: {api: v2}}\n");
    struct unit *unit = host_unit(host_of(&m.d.env), "shop-api");
    machine_advance(&m, 2 * MINUTE);
    assert_string_equal(double_content(&m.d, "", "/opt/shop/VERSION"), "v2\n");
    assert_string_equal(instance_version(unit->instance), "v2");
    double_file(&m.d, "", "/opt/shop/VERSION", "v1\n");
    assert_string_equal(instance_version(unit->instance), "v2"); /* a file alone changes nothing */
    int64_t before_ns = world_now(m.world);
    machine_expect(&m, "systemctl restart shop-api", 0, "", "");
    assert_in_range(world_now(m.world) - before_ns, 2 * SECOND, 3 * SECOND);
    assert_string_equal(instance_version(unit->instance), "v1");
    machine_expect(&m, "systemctl stop shop-api", 0, "", "");
    assert_int_equal(service_ready(world_service(m.world, "api")), 0);
    machine_holds(&m, "systemctl status shop-api", 3,
                  "     Active: inactive (dead) since Wed 2025-01-15 14:02:", "");
    machine_holds(&m, "journalctl -u shop-api -n 1 --no-pager", 0,
                  " ops systemd[1]: Stopped shop-api.service - Shop API.\n", "");
    machine_release(&m);
}

/* Restart=on-failure, given up after five starts in ten seconds. */
static void test_unit_gives_up(void **state)
{
    (void)state;
    struct machine m;
    begin(&m, "start: 2025-01-15T14:00:00Z\nchange: {at: 1m, deploy: {api: v3}}\n");
    machine_advance(&m, 5 * MINUTE);
    machine_expect(&m, "systemctl is-failed shop-api", 0, "failed\n", "");
    assert_non_null(
        strstr(double_content(&m.d, "", "/var/log/shop/api.log"), "2025-01-15T14:01:0"));
    machine_holds(&m, "journalctl -u shop-api", 0, "Start request repeated too quickly.", "");
    machine_release(&m);
}

static void test_docker_daemon(void **state)
{
    (void)state;
    struct machine m;
    begin(&m, NULL);
    /* Debian's and Docker's packages listen on docker.socket, which brings the daemon back for the
     * next client */
    machine_expect(&m, "sudo systemctl stop docker", 0, "",
                   "Warning: Stopping docker.service, but it can still be activated by:\n"
                   "  docker.socket\n");
    machine_expect(&m, "systemctl is-active docker", 3, "inactive\n", "");
    machine_holds(&m, "docker ps -q", 0, "", "");
    machine_expect(&m, "systemctl is-active docker docker.socket", 0, "active\nactive\n", "");
    machine_expect(&m, "sudo systemctl stop docker docker.socket", 0, "", "");
    machine_holds(&m, "docker ps", 1, "", "Cannot connect to the Docker daemon");
    machine_expect(&m, "sudo systemctl restart docker", 0, "", "");
    machine_holds(&m, "docker ps -q", 0, "", "");
    machine_release(&m);
}

/* Jobs are not run: each that becomes due is said once, at its time, if it is still in the table.
 */
static void test_cron(void **state)
{
    (void)state;
    struct machine m;
    begin(&m, NULL); /* Wednesday, 2025-01-15, 14:00 */
    double_file(
        &m.d, "", "/tmp/table",
        "MAILTO=ops\n# nothing\n*/15 * * * * quarter\n0 3 * * 0 sunday\n30 14 15 1 5 either\n"
        "@hourly hour\n5 14 * * 1-3 mid-week\n");
    machine_expect(&m, "crontab /tmp/table", 0, "", "");
    machine_advance(&m, 4 * MINUTE);
    assert_int_equal(m.record->n_observations, 0);
    machine_advance(&m, 2 * HOUR);
    static const char *const due[] = {"mid-week", "quarter", "either", "hour"};
    assert_int_equal(m.record->n_observations, 4);
    for (int i = 0; i < 4; i++) {
        assert_string_equal(m.record->observations[i].id, "not_simulated");
        assert_string_equal(m.record->observations[i].evidence, due[i]);
    }
    double_file(&m.d, "", "/tmp/table", "0 17 * * * late\n");
    machine_expect(&m, "crontab /tmp/table", 0, "", "");
    machine_expect(&m, "crontab -r", 0, "", "");
    machine_advance(&m, 4 * HOUR);
    assert_int_equal(m.record->n_observations, 4);
    machine_release(&m);
}

/* systemd.service(5), Type=; systemd.unit(5), StartLimitBurst=. */
static void test_unit_types(void **state)
{
    (void)state;
    static const char system[] =
        "services:\n"
        "  slow: {versions: {v1: {start: 8s}}}\n"
        "  broken: {versions: {v1: {needs: {settings: {mode: new}}, unmet: crash, start: 1s}}}\n"
        "good_state: {slow: v1}\n"
        "traffic: {shoppers: {to: slow, rate: 5/s}}\n"
        "host:\n"
        "  units:\n"
        "    slow: {service: slow, type: notify, active: false}\n"
        "    broken: {service: broken, type: forking, restart: 'no', active: false}\n"
        "    simple: {service: broken, restart: 'no', active: false}\n"
        "    job: {type: oneshot, command: /opt/shop/job.sh, active: false}\n"
        "    bad-job: {type: oneshot, command: missing, active: false}\n"
        "    mounted: {type: oneshot, remains: true, active: false}\n";
    struct machine m;
    machine_init(&m, system, NULL, NULL);
    m.d.on_spawn = on_spawn;
    machine_expect(&m, "systemctl start slow", 0, "", "");
    assert_in_range(world_now(m.world), 7 * SECOND, 9 * SECOND); /* until it is ready */
    machine_expect(&m, "systemctl is-active slow", 0, "active\n", "");
    machine_expect(&m, "systemctl start broken", 1, "",
                   "Job for broken.service failed because the control process exited with error "
                   "code.\nSee \"systemctl status broken.service\" and \"journalctl -xeu "
                   "broken.service\" for details.\n");
    machine_expect(&m, "systemctl is-failed broken", 0, "failed\n", "");
    machine_expect(&m, "systemctl start simple", 0, "", ""); /* as soon as it is forked */
    machine_advance(&m, world_now(m.world) + 2 * SECOND);
    machine_expect(&m, "systemctl is-active simple", 3, "failed\n", "");
    machine_expect(&m, "systemctl start job", 0, "", "");
    machine_expect(&m, "systemctl is-active job", 3, "inactive\n", "");
    machine_holds(&m, "journalctl -u job", 0, "exec 2>&1; /opt/shop/job.sh", "");
    machine_expect(&m, "systemctl start mounted", 0, "", "");
    machine_expect(&m, "systemctl show -p ActiveState,SubState --value mounted", 0,
                   "active\nexited\n", "");
    machine_advance(&m, world_now(m.world) + 20 * SECOND);
    for (int i = 0; i < 5; i++)
        machine_holds(&m, "systemctl restart slow", 0, "", "");
    machine_expect(&m, "systemctl reset-failed slow", 0, "", "");
    for (int i = 0; i < 5; i++) {
        machine_expect(&m, "systemctl stop simple", 0, "", "");
        machine_expect(&m, "systemctl start simple", 0, "", "");
    }
    machine_expect(&m, "systemctl stop simple", 0, "", "");
    machine_holds(&m, "systemctl start simple", 1, "",
                  "failed because start of the service was attempted too often.\n");
    machine_expect(&m, "systemctl reset-failed simple", 0, "", "");
    machine_expect(&m, "systemctl start simple", 0, "", "");
    machine_release(&m);
}

/* nginx sends traffic where its file said when it read it last, not where the file says now. */
static void test_nginx_routes(void **state)
{
    (void)state;
    static const char system[] =
        "services: {web: {versions: {v1: {}, v2: {}}}}\n"
        "good_state: {web: v1}\n"
        "traffic: {shoppers: {to: web, rate: 50/s}}\n"
        "docker:\n"
        "  images: {shop/web: {service: web, tags: {v1: v1, v2: v2}, here: [v1, v2]}}\n"
        "host: {units: {nginx: {}}, routes: {web: /etc/nginx/web.conf}}\n";
    static const struct machine_file blue[] = {
        {"/etc/nginx/nginx.conf", "http { include web.conf; }\n"},
        {"/etc/nginx/web.conf",
         "upstream blue { server 127.0.0.1:8001; }\nupstream green { server 127.0.0.1:8002; }\n"
         "server { location / { proxy_pass http://blue; } } # not http://green;\n"},
        {NULL, NULL},
    };
    struct machine m;
    machine_init(&m, system, NULL, blue);
    machine_holds(&m, "docker run -d --name blue -p 8001:80 shop/web:v1", 0, NULL, "");
    machine_holds(&m, "docker run -d --name green -p 8002:80 shop/web:v2", 0, NULL, "");
    machine_advance(&m, world_now(m.world) + 10 * SECOND);
    struct docker *docker = docker_of(&m.d.env);
    struct instance *first = docker_find(docker, "blue")->instance;
    struct instance *second = docker_find(docker, "green")->instance;
    assert_true(instance_in_rotation(first));
    assert_false(instance_in_rotation(second));
    double_file(&m.d, "", "/etc/nginx/web.conf",
                "upstream green {\n  server 127.0.0.1:8001 down;\n  server 127.0.0.1:8002;\n}\n"
                "server { location / { proxy_pass http://green/; } }\n");
    assert_true(instance_in_rotation(first)); /* nothing was reloaded */
    machine_expect(&m, "systemctl reload nginx", 0, "", "");
    assert_false(instance_in_rotation(first));
    assert_true(instance_in_rotation(second));
    double_file(&m.d, "", "/etc/nginx/web.conf", "upstream green { server 127.0.0.1:8001; \n");
    machine_holds(&m, "nginx -s reload", 1, "", "[emerg] unexpected end of file");
    assert_true(instance_in_rotation(second)); /* the old workers go on */
    machine_release(&m);
}

static void test_full_disk(void **state)
{
    (void)state;
    struct machine m;
    begin(&m, "start: 2025-01-15T14:00:00Z\nfaults: [{at: 1m, disk_full: ops}]\n");
    machine_advance(&m, 2 * MINUTE);
    machine_holds(&m, "df -h /", 0, "/dev/sda1        75G   75G     0 100% /\n", "");
    machine_release(&m);
}

static void test_broken_nginx(void **state)
{
    (void)state;
    struct machine m;
    begin(&m, NULL);
    double_file(&m.d, "", "/etc/nginx/nginx.conf", "http {\n  server {\n}\n");
    machine_expect(
        &m, "nginx -t", 1, "",
        "nginx: [emerg] unexpected end of file, expecting \"}\" in /etc/nginx/nginx.conf:4\n"
        "nginx: configuration file /etc/nginx/nginx.conf test failed\n");
    machine_expect(
        &m, "nginx -s reload", 1, "",
        "nginx: [emerg] unexpected end of file, expecting \"}\" in /etc/nginx/nginx.conf:4\n");
    machine_release(&m);
}

static void test_mail_and_crontab(void **state)
{
    (void)state;
    struct machine m;
    begin(&m, NULL);
    m.d.input = STR("Rolled back.\n");
    machine_expect(&m, "mail -s 'Rollback done' team@example.com", 0, "", "");
    bool sent = false;
    for (int i = 0; i < m.record->n_events; i++)
        sent = sent || (m.record->events[i].kind == EVENT_MESSAGE &&
                        strstr(m.record->events[i].text, "Rollback done"));
    assert_true(sent);
    m.d.input = STR("0 2 * * * /opt/backup.sh\n");
    machine_expect(&m, "crontab -", 0, "", "");
    machine_expect(&m, "crontab -l", 0, "0 2 * * * /opt/backup.sh\n", "");
    machine_expect(&m, "crontab -r", 0, "", "");
    machine_expect(&m, "crontab -l", 1, "", "no crontab for root\n");
    machine_release(&m);
}

static void test_other_hosts(void **state)
{
    (void)state;
    struct machine m;
    begin(&m, NULL);
    env_add_place(&m.d.env, "db1");
    machine_expect(&m, "ssh -o ConnectTimeout=5 deploy@db1 'df -h | head -1'", 0,
                   "[db1] bash -c df -h | head -1\n", "");
    double_file(&m.d, "", "/tmp/dump.sql", "data\n");
    double_file(&m.d, "db1", "/var/backups/old.sql", "old\n");
    machine_expect(&m, "scp /tmp/dump.sql root@db1:/var/backups/", 0, "", "");
    assert_string_equal(double_content(&m.d, "db1", "/var/backups/dump.sql"), "data\n");
    double_file(&m.d, "", "/opt/shop/conf/a", "a\n");
    double_file(&m.d, "", "/opt/shop/conf/d/b", "b\n");
    machine_expect(&m, "scp conf db1:/var/backups", 1, "",
                   "scp: local \"conf\" is not a regular file\n");
    machine_expect(&m, "scp -r conf db1:/var/backups", 0, "", "");
    assert_string_equal(double_content(&m.d, "db1", "/var/backups/conf/d/b"), "b\n");
    machine_expect(&m, "scp -r db1:/var/backups/conf /opt/shop/back", 0, "", "");
    assert_string_equal(double_content(&m.d, "", "/opt/shop/back/d/b"), "b\n");
    machine_expect(&m, "scp nothing db1:/tmp/x", 1, "",
                   "scp: stat local \"nothing\": No such file or directory\n");
    machine_expect(&m, "scp /tmp/dump.sql db1:/no/such/x", 1, "",
                   "scp: dest open \"/no/such/x\": No such file or directory\n");
    world_set(m.world, "host.db1", "unreachable");
    int64_t before_ns = world_now(m.world);
    machine_expect(&m, "ssh -o ConnectTimeout=5 db1 true", 255, "",
                   "ssh: connect to host db1 port 22: Connection timed out\n");
    assert_int_equal(world_now(m.world) - before_ns, 5 * SECOND);
    machine_release(&m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_words),         cmocka_unit_test(test_unit_runs_a_service),
        cmocka_unit_test(test_unit_gives_up), cmocka_unit_test(test_docker_daemon),
        cmocka_unit_test(test_cron),          cmocka_unit_test(test_unit_types),
        cmocka_unit_test(test_nginx_routes),  cmocka_unit_test(test_full_disk),
        cmocka_unit_test(test_broken_nginx),  cmocka_unit_test(test_mail_and_crontab),
        cmocka_unit_test(test_other_hosts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
