/* Compose: override files, "<<", extends, include, profiles, conditions, secrets. Expectations are
 * what `docker-compose config` 1.29.2 made of the same files, and for v2 the Compose
 * specification's chapters on merge and include. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "fakes/docker.h"
#include "tests/machine.h"

static const char system_text[] = "services:\n"
                                  "  app: {versions: {v1: {}}}\n"
                                  "good_state: {app: v1}\n"
                                  "traffic: {shoppers: {to: app, rate: 5/s}}\n"
                                  "docker:\n"
                                  "  images:\n"
                                  "    img: {here: [latest]}\n"
                                  "    once: {here: [latest], ends: 3s}\n"
                                  "    failing: {here: [latest], ends: 3s, exit: 4}\n";

#define INSPECT(name) "docker inspect " name " --format "
#define ENV           "'{{range .Config.Env}}{{.}} {{end}}'"

static const struct machine_file files[] = {
    {"/opt/shop/docker-compose.yml", "x-common: &common\n"
                                     "  restart: always\n"
                                     "  environment: &env {A: one, B: two}\n"
                                     "services:\n"
                                     "  web:\n"
                                     "    <<: *common\n"
                                     "    image: img\n"
                                     "    environment: {<<: *env, B: three}\n"},
    {"/opt/shop/base.yml", "services:\n"
                           "  base:\n"
                           "    image: img\n"
                           "    environment: ['A=1', 'B=2']\n"
                           "    ports: ['80:80']\n"
                           "    volumes: ['./x:/x', './y:/y']\n"
                           "    labels: ['l=1']\n"
                           "    command: before\n"},
    {"/opt/shop/over.yml", "services:\n"
                           "  base:\n"
                           "    environment: ['B=9', 'C=1']\n"
                           "    ports: ['81:81']\n"
                           "    volumes: ['./z:/x']\n"
                           "    labels: {m: 2}\n"
                           "    command: after\n"},
    {"/opt/shop/extends.yml",
     "services:\n"
     "  plain: {image: img, environment: ['A=1', 'B=2']}\n"
     "  web: {extends: {service: plain}, environment: {B: 3}}\n"
     "  far: {extends: {file: parts/far.yml, service: far}, environment: {D: 4}}\n"},
    {"/opt/shop/parts/far.yml",
     "services:\n"
     "  far: {image: img, volumes: ['./data:/data'], environment: {C: 3}}\n"},
    {"/opt/shop/lost.yml", "services: {web: {image: img, extends: {service: nobody}}}\n"},
    {"/opt/shop/needy.yml", "services:\n"
                            "  db: {image: img}\n"
                            "  base: {image: img, depends_on: [db]}\n"
                            "  web: {extends: base}\n"},
    {"/opt/shop/include.yml",
     "include: [parts/far.yml, {path: [parts/near.yml]}]\nservices: {web: {image: img}}\n"},
    {"/opt/shop/parts/near.yml", "services: {near: {image: img, env_file: [near.env]}}\n"},
    {"/opt/shop/parts/near.env", "N=1\n"},
    {"/opt/shop/clash.yml", "include: [parts/far.yml]\nservices: {far: {image: img}}\n"},
    {"/opt/shop/profiles.yml", "services:\n"
                               "  web: {image: img}\n"
                               "  tool: {image: img, profiles: [tools]}\n"},
    {"/opt/shop/after.yml",
     "services:\n"
     "  migrate: {image: once}\n"
     "  web: {image: img, depends_on: {migrate: {condition: service_completed_successfully}}}\n"},
    {"/opt/shop/after-failed.yml",
     "services:\n"
     "  migrate: {image: failing}\n"
     "  web: {image: img, depends_on: {migrate: {condition: service_completed_successfully}}}\n"},
    {"/opt/shop/unchecked.yml",
     "services:\n"
     "  db: {image: img}\n"
     "  web: {image: img, depends_on: {db: {condition: service_healthy}}}\n"},
    {"/opt/shop/secrets.yml",
     "services: {web: {image: img, secrets: [key]}}\nsecrets: {key: {file: ./key.txt}}\n"},
    {"/opt/shop/no-secret.yml", "services: {web: {image: img, secrets: [key]}}\n"},
    {NULL, NULL},
};

struct row {
    const char *command;
    int status;
    const char *out, *err; /* must be in it; NULL: not looked at */
};

static void run_rows(const struct row *rows, size_t n)
{
    struct machine m;
    machine_init(&m, system_text, NULL, files);
    for (size_t i = 0; i < n; i++)
        machine_holds(&m, rows[i].command, rows[i].status, rows[i].out, rows[i].err);
    machine_release(&m);
}
#define RUN(rows) run_rows(rows, sizeof(rows) / sizeof *(rows))

static void test_merge_keys(void **state)
{
    (void)state;
    static const struct row rows[] = {
        {"docker-compose up -d", 0, NULL, "Creating shop_web_1 ... done"},
        {INSPECT("shop_web_1") ENV, 0, "A=one B=three \n", ""},
        {INSPECT("shop_web_1") "'{{.HostConfig.RestartPolicy.Name}}'", 0, "always\n", ""},
    };
    RUN(rows);
}

static void test_override(void **state)
{
    (void)state;
    static const struct row rows[] = {
        {"docker-compose -f base.yml -f over.yml up -d", 0, NULL, "Creating shop_base_1 ... done"},
        {INSPECT("shop_base_1") ENV, 0, "A=1 B=9 C=1 \n", ""},
        {INSPECT("shop_base_1") "'{{range .Mounts}}{{.Source}}:{{.Destination}} {{end}}'", 0,
         "/opt/shop/z:/x /opt/shop/y:/y \n", ""},
        {"docker port shop_base_1", 0, "80/tcp -> 0.0.0.0:80\n81/tcp -> 0.0.0.0:81\n", ""},
        {INSPECT("shop_base_1") "'{{join .Config.Cmd \",\"}}'", 0, "after\n", ""},
        {"docker-compose -f base.yml -f over.yml config", 0,
         "    labels:\n      l: '1'\n      m: 2\n", ""},
    };
    RUN(rows);
}

static void test_extends(void **state)
{
    (void)state;
    static const struct row rows[] = {
        {"docker-compose -f extends.yml up -d", 0, NULL, "Creating shop_web_1   ... done"},
        {INSPECT("shop_web_1") ENV, 0, "A=1 B=3 \n", ""},
        {INSPECT("shop_plain_1") ENV, 0, "A=1 B=2 \n", ""},
        {INSPECT("shop_far_1") ENV, 0, "C=3 D=4 \n", ""},
        {INSPECT("shop_far_1") "'{{(index .Mounts 0).Source}}'", 0, "/opt/shop/parts/data\n", ""},
        {"docker-compose -f lost.yml config", 1, "",
         "Cannot extend service 'nobody' in /opt/shop/lost.yml: Service not found\n"},
        {"docker compose -f lost.yml config", 14, "", "service \"nobody\" not found\n"},
        {"docker-compose -f needy.yml config", 1, "",
         "Cannot extend service 'base' in /opt/shop/needy.yml: services with 'depends_on' cannot "
         "be "
         "extended\n"},
        {"docker compose -f needy.yml config -q", 0, "", ""},
    };
    RUN(rows);
}

static void test_include(void **state)
{
    (void)state;
    static const struct row rows[] = {
        {"docker compose -f include.yml up -d", 0, NULL, "Container shop-far-1  Started"},
        {INSPECT("shop-far-1") "'{{(index .Mounts 0).Source}}'", 0, "/opt/shop/parts/data\n", ""},
        {INSPECT("shop-near-1") ENV, 0, "N=1 \n", ""},
        {"docker compose -f clash.yml config", 14, "",
         "services.far conflicts with imported resource\n"},
        {"docker-compose -f include.yml config", 1, "",
         "'include' does not match any of the regexes"},
    };
    RUN(rows);
}

static void test_profiles(void **state)
{
    (void)state;
    static const struct row rows[] = {
        {"docker compose -f profiles.yml up -d", 0, NULL, "Container shop-web-1  Started"},
        {"docker ps -a --format {{.Names}}", 0, "shop-web-1\n", ""},
        {"docker compose -f profiles.yml --profile tools up -d", 0, NULL,
         "Container shop-tool-1  Started"},
        {"docker compose -f profiles.yml config --services", 0, "web\n", ""},
        {"docker compose -f profiles.yml down", 0, NULL, "Resource is still in use"},
        {"docker ps --format {{.Names}}", 0, "shop-tool-1\n", ""},
        {"docker compose -f profiles.yml --profile tools down", 0, NULL,
         "Network shop_default  Removed"},
        {"docker-compose -f profiles.yml --profile '*' up -d", 0, NULL, ""},
        {"docker ps --format {{.Names}}", 0, "shop_web_1\n", ""}, /* "*" came with v2 */
        {"docker-compose -f profiles.yml --profile tools up -d", 0, NULL,
         "Creating shop_tool_1 ... done"},
        {"docker-compose -f profiles.yml down", 0, NULL, "Removing shop_tool_1 ... done"},
    };
    RUN(rows);
}

static void test_conditions(void **state)
{
    (void)state;
    static const struct row rows[] = {
        {"docker compose -f after.yml up -d", 0, NULL, "Container shop-web-1  Started"},
        {INSPECT("shop-migrate-1") "'{{.State.Status}} {{.State.ExitCode}}'", 0, "exited 0\n", ""},
        {"docker compose -f after.yml down", 0, NULL, NULL},
        {"docker compose -f after-failed.yml up -d", 1, NULL,
         "service \"migrate\" didn't complete successfully: exit 4\n"},
        {"docker compose -f after-failed.yml down", 0, NULL, NULL},
        {"docker-compose -f after-failed.yml up -d", 1, NULL, "exited with code 4.\n"},
        {"docker-compose -f after-failed.yml down", 0, NULL, NULL},
        {"docker-compose -f unchecked.yml up -d", 1, NULL,
         "Service \"db\" is missing a healthcheck configuration\n"},
        {"docker-compose -f unchecked.yml down", 0, NULL, NULL},
        {"docker compose -f unchecked.yml up -d", 1, NULL, "has no healthcheck configured\n"},
    };
    RUN(rows);
}

static void test_secrets(void **state)
{
    (void)state;
    static const struct row rows[] = {
        {"docker compose -f secrets.yml up -d", 0, NULL, "Container shop-web-1  Started"},
        {INSPECT("shop-web-1") "'{{range .Mounts}}{{.Source}}:{{.Destination}}:{{.RW}} {{end}}'", 0,
         "/opt/shop/key.txt:/run/secrets/key:false \n", ""},
        {"docker compose -f no-secret.yml config", 14, "",
         "service \"web\" refers to undefined secret key: invalid compose project\n"},
        {"docker-compose -f no-secret.yml config -q", 0, "", ""},
    };
    RUN(rows);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_merge_keys), cmocka_unit_test(test_override),
        cmocka_unit_test(test_extends),    cmocka_unit_test(test_include),
        cmocka_unit_test(test_profiles),   cmocka_unit_test(test_conditions),
        cmocka_unit_test(test_secrets),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
