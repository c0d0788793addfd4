/* init: from a playbook to files that load, with everything that the playbook says in its place. */
#include "procedures/init/init.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "procedures/drill/drill.h"

static struct arena arena;
static struct error error;

static int teardown(void **state)
{
    (void)state;
    arena_release(&arena);
    return 0;
}

static const char document[] =
    "# Shop\n"
    "## Rollback triggers\n"
    "### Automatic\n"
    "- Error rate > 5% over 10 minutes\n"     /* 4 */
    "- P99 latency > 50ms for 5 minutes\n"    /* 5 */
    "- 3 consecutive failed health checks\n"  /* 6 */
    "- Response time more than 2x baseline\n" /* 7 */
    "### Manual\n"
    "- User complaints > 10 in 1 hour\n" /* 9 */
    "- A bad feeling\n"                  /* 10 */
    "## When NOT to roll back\n"
    "- Error rate > 1%\n"
    "## Roll back\n" /* 13 */
    "```bash\n"
    "cd /srv/shop\n"
    "shopctl freeze --why \"$WHY\"\n" /* 16 */
    "docker-compose stop api\n"
    "docker pull repo/api:v2.4.1\n" /* 18 */
    "./scripts/switch.sh <env>\n"   /* 19 */
    "docker exec shop_api curl -f http://localhost:8080/health\n"
    "docker exec pg1-postgres psql -U shop -d shopdb -c 'SELECT 1 FROM orders' # \n"
    "curl -f http://localhost:8080/health\n"
    "```\n"
    "| Metric | Target |\n"
    "|---|---|\n"
    "| Detection Time | < 3 minutes |\n" /* 24 */
    "| Rollback Duration | < 10 min |\n"
    "| Data Loss | 0 records |\n";

static const char *content(const struct init_result *result, const char *path)
{
    for (int i = 0; i < result->n_files; i++)
        if (!strcmp(result->files[i].path, path))
            return result->files[i].content.at;
    fail_msg("no file %s", path);
    return NULL;
}

static void assert_says(const char *text, const char *wanted)
{
    if (!strstr(text, wanted))
        fail_msg("'%s' is not in\n%s", wanted, text);
}

static void make(const char *text, const struct init_options *options, struct init_result *ret)
{
    struct playbook playbook;
    assert_int_equal(playbook_parse(&arena, "Shop Plan.md", str_of(text), &playbook, &error), 0);
    if (init_from_playbook(&arena, &playbook, options, ret, &error) < 0)
        fail_msg("%s", error.text);
}

static void test_what_is_found(void **state)
{
    struct init_options options = {.playbook_path = "../../plan.md"};
    struct init_result result;
    const char *system, *drill;
    (void)state;
    make(document, &options, &result);
    assert_string_equal(result.name, "shop-plan");
    system = content(&result, "system.yaml");
    assert_says(system, "  api:   # line 17\n");
    assert_says(system, "      v2.4.1: {time:");
    assert_says(system, "      v2.4.2: {like: v2.4.1, errors: 30%}");
    assert_says(system,
                "  pg1-postgres:\n    engine: postgresql 15\n    database: shopdb\n    user: shop\n"
                "    container: pg1-postgres\n    tables: {orders: {}}\n");
    assert_says(system, "http:\n  api: {port: 8080}\n");
    assert_says(
        system,
        "{id: line_4, say: \"Error rate > 5% over 10 minutes\", mode: auto, act: rollback,\n"
        "     when: {m: error_ratio, op: \">\", thr: 0.05, for: 10m}}");
    assert_says(system, "when: {m: latency_p99_seconds, op: \">\", thr: 0.05, for: 5m}}");
    assert_says(system, "when: {m: health_ok, op: \"==\", thr: 0, n: 3, every: 30s}}");
    assert_says(system, "thr: 2, base: {m: latency_seconds_baseline, as: x}}}");
    assert_says(system, "mode: manual, act: rollback,\n     when: {m: user_complaints, op: \">\", "
                        "thr: 10, agg: sum, win: 1h}}");
    assert_says(system, "# line 10, not understood: A bad feeling");
    assert_null(strstr(system, "Error rate > 1%"));
    assert_says(system, "targets:\n  time_to_detect: 3m   # line 24\n  rollback: 10m   # line 24\n "
                        " records_lost: 0   # line 24\n");
    drill = content(&result, "drills/first.yaml");
    assert_says(drill, "cwd: /srv/shop\n");
    assert_says(drill, "change: {at: 10m, run: \"sed -i 's|repo/api:v2.4.1|repo/api:v2.4.2|' "
                       "docker-compose.yml && "
                       "docker-compose -f docker-compose.yml up -d\"}");
    assert_says(drill, "  playbook: \"../../plan.md\"\n  section: \"Roll back\"   # line 13\n");
    assert_says(drill,
                "    \"$WHY\": CHANGE_ME   # line 16\n    \"<env>\": production   # line 19\n");
    assert_says(system,
                "stubs:\n  shopctl:\n    takes: 1s\n    guessed: true   # take this out when "
                "it does what the real one does\n    when:\n      - {args: \"freeze "
                "--why *\", takes: 1s}   # line 16\n");
    content(&result, "host/srv/shop/scripts/switch.sh");
    assert_non_null(result.todo[0]);
}

static void write_all(const struct init_result *result, const char *folder)
{
    for (int i = 0; i < result->n_files; i++) {
        char path[600];
        FILE *out;
        snprintf(path, sizeof path, "%s/%s", folder, result->files[i].path);
        for (char *slash = strchr(path + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
            *slash = '\0';
            mkdir(path, 0755);
            *slash = '/';
        }
        out = fopen(path, "w");
        assert_non_null(out);
        fwrite(result->files[i].content.at, 1, result->files[i].content.len, out);
        fclose(out);
    }
}

/* The files are read by the loader that every drill goes through. */
static void assert_loads(const char *text, const struct init_options *given, const char *folder)
{
    struct init_options options = *given;
    struct init_result result;
    struct drill *drill = NULL;
    char path[300];
    FILE *out;
    options.playbook_path = "../plan.md";
    make(text, &options, &result);
    write_all(&result, folder);
    snprintf(path, sizeof path, "%s/plan.md", folder);
    out = fopen(path, "w");
    fputs(text, out);
    fclose(out);
    snprintf(path, sizeof path, "%s/drills/first.yaml", folder);
    if (drill_load(path, &(struct drill_options){NULL, NULL}, &drill, &error) < 0)
        fail_msg("%s", error.text);
    assert_true(drill->procedure.n_lines > 0);
    drill_free(drill);
}

static void remove_folder(const char *folder)
{
    char command[300];
    snprintf(command, sizeof command, "rm -rf '%s'", folder);
    assert_int_equal(system(command), 0);
}

static void test_result_loads(void **state)
{
    char folder[] = "/tmp/rehearse-init-XXXXXX";
    struct init_options none = {.section = NULL};
    (void)state;
    assert_non_null(mkdtemp(folder));
    assert_loads(document, &none, folder);
    assert_loads("# A\n```sh\nkubectl rollout undo deployment/web -n <namespace>\n```\n", &none,
                 folder);
    assert_loads("# A\n## B\n```sh\n#!/bin/bash\nfoo \"$1\"\n```\n# C\n## B\n```sh\nsystemctl "
                 "restart x\ny=1\nbar $y\n```\n",
                 &none, folder);
    remove_folder(folder);
}

static void test_compose_file(void **state)
{
    struct init_options options = {.playbook_path = "p.md",
                                   .compose =
                                       "services:\n  web:\n    image: repo/web:1.9.0\n    ports: "
                                       "[\"8443:443\"]\n  cache:\n    image: redis\n"};
    struct init_result result;
    (void)state;
    make("# A\n```sh\ndocker-compose up -d\n```\n", &options, &result);
    assert_says(content(&result, "system.yaml"),
                "  web:\n    runs: {compose: /opt/shop-plan/docker-compose.yml, service: web}\n    "
                "versions:\n      \"1.9.0\": {time:");
    assert_says(content(&result, "system.yaml"), "http:\n  web: {port: 8443}\n");
    assert_says(content(&result, "system.yaml"), "  cache:\n");
}

/* What a sentence says in passing; and what is no reason: a question, a text about something else.
 */
static void test_sentences(void **state)
{
    struct init_result result;
    const char *system;
    (void)state;
    make(
        "# Checkout\n"
        "It must be rolled back within 12 minutes. Roll back when the error rate is above 2.5% for "
        "5 minutes. Tell the shop.\n\n"
        "Do not roll back because of a single error.\n"
        "## Roll back\n```bash\ndocker-compose restart checkout\n```\n",
        &(struct init_options){.playbook_path = "p.md"}, &result);
    system = content(&result, "system.yaml");
    assert_says(system, "say: \"the error rate is above 2.5% for 5 minutes\", mode: manual");
    assert_says(system, "when: {m: error_ratio, op: \">\", thr: 0.025, for: 5m}}");
    assert_says(system, "targets:\n  rollback: 12m   # line 2\n");
    assert_null(strstr(system, "single error"));
}

static void test_manifests(void **state)
{
    struct init_options options = {
        .playbook_path = "p.md",
        .kubernetes = "apiVersion: v1\nkind: Service\nmetadata: {name: web-service}\nspec:\n  "
                      "selector: {app: web}\n  ports:\n"
                      "  - port: 8080\n---\nkind: Deployment\nmetadata:\n  name: web\nspec:\n  "
                      "replicas: 4\n  template:\n    spec:\n"
                      "      containers:\n      - name: c\n        image: repo/web:v3.1\n---\n# "
                      "nothing\n---\nkind: List\nitems:\n"
                      "- kind: StatefulSet\n  metadata: {name: postgres}\n  spec: {replicas: 1}\n"};
    struct init_result result;
    const char *system;
    (void)state;
    make("# A\n```sh\nkubectl rollout undo deployment/web\n```\n", &options, &result);
    system = content(&result, "system.yaml");
    assert_says(system, "  web:   # line 3\n    runs: {deployment: web}\n    replicas: 4\n    "
                        "versions:\n      v3.1: {time:");
    assert_says(system,
                "kubernetes:   # the cluster that kubectl reaches\n  manifests: kubernetes/");
    assert_string_equal(content(&result, "kubernetes/manifests.yaml"), options.kubernetes);
    assert_says(system, "      v3.2: {like: v3.1");
    assert_says(system, "http:\n  web: {port: 8080}\n");
    assert_says(system, "stores:\n  postgres:\n");
    options.kubernetes = "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: a}\nspec: {}\n"
                         "---\napiVersion: apps/v1\nkind: Deployment\nmetadata: {name: b}\n"
                         "spec: {}\n";
    /* A Service that moves between workloads: which of them is meant init cannot know. */
    make("# A\n```sh\nkubectl patch svc shop -p '{\"spec\":{\"selector\":{\"color\":\"blue\"}}}'\n"
         "kubectl patch svc shop -p '{}'\nkubectl get endpoints shop\n```\n",
         &options, &result);
    assert_says(result.todo[0], "users ask 'shop', and no manifest has a workload of that name");
}

static void test_store_and_dumps(void **state)
{
    struct init_options options = {.playbook_path = "p.md"};
    struct init_result result;
    const char *system;
    (void)state;
    make("# A\n```sh\ndocker-compose stop app\ndocker-compose exec -T db psql -U u -d d < "
         "old/dump.sql\n"
         "zcat /var/b/x.sql.gz | docker-compose exec -T db psql -U u -d d\ndocker-compose exec db "
         "psql -U u -d d < $F\n```\n",
         &options, &result);
    system = content(&result, "system.yaml");
    assert_says(system,
                "stores:\n  db:\n    engine: postgresql 15\n    database: d\n    user: u\n");
    assert_says(system,
                "backups:\n  backup_1: {store: db, at: [9m], to: /opt/shop-plan/old, file: "
                "dump.sql}   # line 4\n"
                "  backup_2: {store: db, at: [9m], to: /var/b, file: x.sql.gz}   # line 5\n");
}

/* Clients that are called where the playbook is typed find their server by the environment; what
 * pg_restore reads is an archive, what psql reads is text, whatever its name. */
static void test_bare_clients(void **state)
{
    struct init_options options = {.playbook_path = "p.md"};
    struct init_result result;
    const char *system;
    (void)state;
    make(
        "# A\n```sh\nsystemctl stop shop\npg_restore -U u -d d --clean /b/a.dump\npsql -U u -d d < "
        "/b/b.dump\nsystemctl start shop\n```\n",
        &options, &result);
    system = content(&result, "system.yaml");
    assert_says(system, "to: /b, file: a.dump, format: custom}   # line 4\n");
    assert_says(system, "to: /b, file: b.dump, suffix: \"\"}   # line 5\n");
    assert_says(system, "  ops: {files: host, env: {PGHOST: postgres}}");
    make("# A\n```sh\npsql -h db1 -U u -d d -c 'SELECT 1'\nsystemctl restart shop\n```\n", &options,
         &result);
    assert_says(content(&result, "system.yaml"), "  ops: {files: host}");
}

static void assert_silent(const char *text, const char *unwanted)
{
    if (strstr(text, unwanted))
        fail_msg("'%s' is in\n%s", unwanted, text);
}

/* A bare host: units, the file that a rollback copies over, and what it copies from. */
static void test_units_and_files(void **state)
{
    struct init_options options = {.playbook_path = "p.md"};
    struct init_result result;
    const char *system;
    (void)state;
    make("# A\n**Why**:\n\nwords\n\n**Procedure**:\n```sh\nsudo systemctl stop shopd\nsudo cp "
         "/usr/bin/shopd.old /usr/bin/shopd\ncp /etc/shop.conf.old /etc/shop.conf\nsystemctl start "
         "shopd.service\n```\n**Backup**:\n```sh\ncp /etc/shop.conf /etc/shop.conf.new\ncp "
         "/etc/shop.conf.new /tmp/x\n0 2 * * * /a/b.sh\nSELECT 1;\n```\n",
         &options, &result);
    system = content(&result, "system.yaml");
    assert_says(system, "  shopd:   # line 8\n    runs: {unit: shopd}\n");
    assert_says(system, "host:\n  units:\n    shopd: {service: shopd, version_file: "
                        "/usr/bin/shopd}");
    assert_silent(system, "replicas");
    assert_silent(system, "\"0\"");
    assert_silent(system, "SELECT");
    assert_string_equal(content(&result, "host/usr/bin/shopd.old"), "v1\n");
    content(&result, "host/etc/shop.conf.old");
    for (int i = 0; i < result.n_files; i++) /* that one the playbook makes itself */
        assert_string_not_equal(result.files[i].path, "host/etc/shop.conf.new");
    assert_says(content(&result, "drills/first.yaml"), "section: \"A > Procedure\"");
    assert_loads("# A\n```sh\nsystemctl stop shopd\ncp /usr/bin/shopd.old /usr/bin/shopd\n"
                 "systemctl start shopd\n```\n",
                 &options, "/tmp/rehearse-test-init-units");
    remove_folder("/tmp/rehearse-test-init-units");
}

/* A script that the document shows is that script; compose without -f wants the usual file, and a
 * container is no service. */
static void test_shown_scripts(void **state)
{
    struct init_options options = {.playbook_path = "p.md"};
    struct init_result result;
    const char *system;
    (void)state;
    make(
        "# A\n```sh\n#!/bin/bash\n# restore.sh\necho it is restored\n```\n# B\n```sh\n./restore.sh "
        "x\n./other.sh\ndocker compose -f staging.yml up -d web\ndocker compose up -d web\ndocker "
        "inspect shop-web-1\n```\n",
        &options, &result);
    system = content(&result, "system.yaml");
    assert_says(content(&result, "host/opt/shop-plan/restore.sh"), "echo it is restored\n");
    assert_says(content(&result, "host/opt/shop-plan/other.sh"), "only a stub");
    content(&result, "host/opt/shop-plan/docker-compose.yml");
    content(&result, "host/opt/shop-plan/staging.yml");
    assert_says(system, "file: docker-compose.yml");
    assert_silent(system, "shop-web-1:");
}

static void test_arguments(void **state)
{
    struct init_options options = {.playbook_path = "x.sh"};
    struct playbook playbook;
    struct init_result result;
    (void)state;
    assert_int_equal(playbook_parse(&arena, "x.sh", STR("#!/bin/sh\nf() { ls $3; }\nkill $1 $2\n"),
                                    &playbook, &error),
                     0);
    assert_int_equal(init_from_playbook(&arena, &playbook, &options, &result, &error), 0);
    assert_says(content(&result, "drills/first.yaml"),
                "  # arguments: what is typed behind the script's name; it reads $1 to $2\n");
    assert_non_null(strstr(result.todo[0], "(arguments)"));
}

/* A script names what it acts on in variables with defaults. */
static void test_variables(void **state)
{
    struct init_options options = {.playbook_path = "p.md"};
    struct init_result result;
    const char *system;
    (void)state;
    make("# A\n```sh\nNAMESPACE=\"${SHOP_NAMESPACE:-prod}\"\nRELEASE=shop\nNAME=${1:-web-app}\n"
         "helm status \"${RELEASE}\" -n \"$NAMESPACE\"\n"
         "kubectl rollout undo deployment/$NAME -n $NAMESPACE\n"
         "kubectl rollout undo deployment/$OTHER -n $NAMESPACE\n```\n",
         &options, &result);
    system = content(&result, "system.yaml");
    assert_says(system, "  namespace: prod   # of the context\n");
    assert_says(system, "helm:\n  shop:\n");
    assert_says(system, "    runs: {deployment: web-app}\n");
    assert_silent(system, "OTHER");
}

/* What no manifest says of the cluster that kubectl and helm reach is made up. */
static void test_makes_up_a_cluster(void **state)
{
    struct init_options options = {.playbook_path = "p.md"};
    struct init_result result;
    const char *system;
    (void)state;
    make("# A\n```sh\nkubectl rollout undo deploy/api\nkubectl rollout undo deploy/api-worker\n"
         "kubectl get pods\nkubectl rollout status deploy/api\n```\n",
         &options, &result);
    system = content(&result, "system.yaml");
    assert_silent(system, "  kubectl:");
    assert_says(system, "  api:   # line 3\n    runs: {deployment: api}\n");
    assert_says(system, "  api-worker:   # line 4\n    runs: {deployment: api-worker}\n");
    assert_says(content(&result, "kubernetes/manifests.yaml"),
                "kind: Deployment\nmetadata: {name: api, labels: {app: api}}\n");
    make("# A\n```sh\nkubectl set image deployment/web main=shop:last-good\n"
         "kubectl set image deployment/web main=repo/shop:v1.4\n```\n",
         &options, &result);
    system = content(&result, "system.yaml");
    assert_says(system, "  web:   # line 3\n    runs: {deployment: web}\n    replicas: 2\n    "
                        "versions:\n      v1.4: {time:");
    assert_silent(system, "\n  shop:"); /* the image's name is no service of its own */
    assert_says(content(&result, "kubernetes/manifests.yaml"),
                "      - name: main\n        image: repo/shop:v1.4\n");
    make("# A\n```sh\nhelm rollback shop 3 -n prod\nkubectl get pods -n prod\n```\n", &options,
         &result);
    system = content(&result, "system.yaml");
    assert_says(system, "  namespace: prod   # of the context\n");
    assert_says(system, "helm:\n  shop:\n    revisions:");
    assert_says(system, "    runs: {deployment: shop}\n");
}

/* What people keep out of their manifests, and pods do not start without; and the store that only
 * the playbook names. */
static void test_what_manifests_do_not_bring(void **state)
{
    struct init_options options = {
        .playbook_path = "p.md",
        .kubernetes =
            "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web, namespace: shop}\n"
            "spec:\n  template:\n    spec:\n      serviceAccountName: web\n      containers:\n"
            "      - name: c\n        image: repo/web:v3.1\n        env:\n"
            "        - {name: A, valueFrom: {secretKeyRef: {name: database, key: url}}}\n"
            "        - {name: B, valueFrom: {secretKeyRef: {name: database, key: user}}}\n"
            "        - {name: C, valueFrom: {configMapKeyRef: {name: brought, key: x}}}\n"
            "        - {name: D, valueFrom: {secretKeyRef: {name: no-matter, key: x, optional: "
            "true}}}\n"
            "        envFrom: [{configMapRef: {name: flags}}]\n"
            "      volumes: [{name: v, persistentVolumeClaim: {claimName: files}}]\n"
            "---\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: brought, namespace: shop}\n"
            "data: {x: \"1\"}\n"};
    struct init_result result;
    (void)state;
    make("# A\n```sh\ngunzip b.sql.gz\nkubectl exec -i postgresql-0 -n shop -- psql -U me -d "
         "postgres "
         "-c 'DROP DATABASE shop;'\nkubectl exec -i postgresql-0 -n shop -- psql -U me -d shop "
         "< b.sql\nkubectl rollout undo deployment/web -n shop\n```\n",
         &options, &result);
    const char *made_up = content(&result, "kubernetes/made-up.yaml");
    assert_says(made_up,
                "kind: Secret\nmetadata: {name: database, namespace: shop}\nstringData:\n  "
                "url: made-up\n  user: made-up\n");
    assert_says(made_up, "kind: ConfigMap\nmetadata: {name: flags, namespace: shop}\n");
    assert_says(made_up, "kind: ServiceAccount\nmetadata: {name: web, namespace: shop}\n");
    assert_says(made_up, "kind: PersistentVolumeClaim\nmetadata: {name: files, namespace: shop}\n");
    assert_says(made_up, "kind: StatefulSet\nmetadata: {name: postgresql,");
    assert_silent(made_up, "brought");
    assert_silent(made_up, "no-matter");
    const char *system = content(&result, "system.yaml");
    assert_says(system, "  postgresql:   # line 4\n    runs: {statefulset: postgresql}\n");
    assert_says(system, "    database: shop\n");
    assert_says(system, "file: b.sql.gz}"); /* it is unpacked first */
    assert_silent(system, "backup_2");
}

/* Many a document names no language: then its commands are taken for commands, and listed. */
static void test_blocks_without_a_language(void **state)
{
    struct init_options options = {.playbook_path = "p.md"};
    struct init_result result;
    (void)state;
    make("# A\n```\ndocker compose -f $COMPOSE_FILE down\n```\n\nA line of the log:\n\n```\n"
         "2026-01-15 (env=<a|b>) done\n```\n\n```\ndocker compose up -d web\n```\n",
         &options, &result);
    const char *drill = content(&result, "drills/first.yaml");
    assert_says(drill, "  untagged: [3, 13]   #");
    assert_says(drill, "    \"$COMPOSE_FILE\": docker-compose.yml");
}

static void test_what_is_asked_and_taken_back(void **state)
{
    struct init_options options = {.playbook_path = "p.md"};
    struct init_result result;
    (void)state;
    make("# A\n```bash\ngit log --oneline -3\ngit revert <bad_sha> --no-edit\ndocker-compose up -d "
         "web\ncurl -f http://localhost:8000/health/ready/\ncurl -f "
         "http://localhost:8000/livez?v=1 | "
         "jq\ncurl http://localhost:8000/users\n```\n",
         &options, &result);
    assert_says(content(&result, "drills/first.yaml"), "    \"<bad_sha>\": HEAD   #");
    const char *system = content(&result, "system.yaml");
    assert_says(system, "  web: {port: 8000, health: [/health/ready/, /livez]}\n");
    assert_says(system, "git:\n");
}

static void test_mistakes(void **state)
{
    struct playbook playbook;
    struct init_result result;
    struct init_options options = {.playbook_path = "p.md", .section = "Nowhere"};
    (void)state;
    assert_int_equal(playbook_parse(&arena, "p.md", STR("# A\nwords\n"), &playbook, &error), 0);
    assert_int_equal(init_from_playbook(&arena, &playbook, &options, &result, &error), ERROR_INPUT);
    assert_string_equal(error.text, "p.md: no commands in it; shell blocks begin with ```bash");
    assert_int_equal(
        playbook_parse(&arena, "p.md", STR("# A\n```sh\nls\n```\n"), &playbook, &error), 0);
    assert_int_equal(init_from_playbook(&arena, &playbook, &options, &result, &error), ERROR_INPUT);
    assert_string_equal(error.text, "no heading 'Nowhere' in p.md; it has 'A'");
}

static void test_owners_documents(void **state)
{
    static const char *const files[] = {"hap", "hp_ti", "qec_sft", "hal9", "hyperpage"};
    char folder[] = "/tmp/rehearse-init-XXXXXX";
    struct init_options none = {.section = NULL};
    (void)state;
    assert_non_null(mkdtemp(folder));
    for (size_t i = 0; i < 5; i++) {
        char path[100];
        struct playbook playbook;
        snprintf(path, sizeof path, "../shared/playbooks/%s.md", files[i]);
        if (playbook_read(&arena, path, &playbook, &error)) {
            remove_folder(folder);
            print_message("%s is not here\n", path);
            skip();
        }
        assert_loads(arena_str(&arena, playbook.source), &none, folder);
    }
    remove_folder(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(test_what_is_found, teardown),
        cmocka_unit_test_teardown(test_result_loads, teardown),
        cmocka_unit_test_teardown(test_compose_file, teardown),
        cmocka_unit_test_teardown(test_sentences, teardown),
        cmocka_unit_test_teardown(test_manifests, teardown),
        cmocka_unit_test_teardown(test_store_and_dumps, teardown),
        cmocka_unit_test_teardown(test_bare_clients, teardown),
        cmocka_unit_test_teardown(test_units_and_files, teardown),
        cmocka_unit_test_teardown(test_shown_scripts, teardown),
        cmocka_unit_test_teardown(test_arguments, teardown),
        cmocka_unit_test_teardown(test_variables, teardown),
        cmocka_unit_test_teardown(test_makes_up_a_cluster, teardown),
        cmocka_unit_test_teardown(test_what_manifests_do_not_bring, teardown),
        cmocka_unit_test_teardown(test_blocks_without_a_language, teardown),
        cmocka_unit_test_teardown(test_what_is_asked_and_taken_back, teardown),
        cmocka_unit_test_teardown(test_mistakes, teardown),
        cmocka_unit_test_teardown(test_owners_documents, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
