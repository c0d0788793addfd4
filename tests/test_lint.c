/* lint: for each rule what it says and what it leaves alone. The reasons are the tools' documentation; a case says
 * which rule speaks on which line, and all others must be silent. */
#include "procedures/lint/lint.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "reports/explain.h"
#include "sim/base/buf.h"

static struct arena arena;
static struct error error;

static int teardown(void **state)
{
    (void)state;
    arena_release(&arena);
    return 0;
}

static const char *linted(const char *document)
{
    struct playbook playbook;
    struct lint_result result;
    struct buf out;
    const char *text;
    buf_init(&out, 1 << 16);
    if (playbook_parse(&arena, "p.md", str_of(document), &playbook, &error))
        fail_msg("%s", error.text);
    lint_playbook(&arena, &playbook, &result);
    for (int i = 0; i < result.n_findings; i++)
        buf_printf(&out, "%s%s@%d", i ? " " : "", result.findings[i].rule->id,
                   result.findings[i].line);
    text = arena_str(&arena, buf_text(&out));
    buf_release(&out);
    return text;
}

/* Lines of the shell are counted from 1 here. */
static const char *linted_shell(const char *shell)
{
    struct buf out;
    const char *text;
    buf_init(&out, 1 << 16);
    buf_printf(&out, "```bash\n%s\n```\n", shell);
    text = linted(out.at);
    buf_clear(&out);
    for (const char *at = text; *at; at++) {
        buf_putc(&out, *at);
        if (*at == '@') {
            int line = 0;
            for (; at[1] >= '0' && at[1] <= '9'; at++)
                line = line * 10 + at[1] - '0';
            buf_printf(&out, "%d", line - 1);
        }
    }
    text = arena_str(&arena, buf_text(&out));
    buf_release(&out);
    return text;
}

#define CURL "curl --max-time 5 "

static const struct {
    const char *shell, *found;
} cases[] = {
    /* RB001: an HTTP error is no failure of curl's without --fail (curl manual, EXIT CODES 22) */
    {CURL "http://h/health", "RB001@1"},
    {CURL "-sf http://h/health", ""},
    {CURL "-s -o /dev/null -w '%{http_code}' http://h/health", ""},
    {CURL "-s http://h/health | grep -q ok && a", ""},
    {CURL "-s http://h/metrics", ""},
    {CURL "-X POST http://h/switch", "RB001@1"},
    {"docker exec c " CURL "http://localhost/health", "RB001@1"},
    {"ssh host '" CURL "http://h/ready'", "RB001@1"},
    /* RB002 */
    {"curl -f http://h/x\ncurl -f http://h/y", "RB002@1"},
    {"timeout 5 curl -f http://h/x", ""},
    {"kubectl rollout status deployment/a", "RB002@1"},
    {"kubectl rollout status deployment/a --timeout=60s", ""},
    /* RB003 */
    {"#!/bin/bash\nkubectl delete pod a", "RB003@1"},
    {"#!/bin/bash\nset -e\nkubectl delete pod a", ""},
    {"#!/bin/bash\necho nothing changes", ""},
    {"#!/bin/bash\nset -e\npg_dump a | gzip > b", "RB003@3"},
    {"#!/bin/bash\nset -euo pipefail\npg_dump a | gzip > b", ""},
    /* RB004 */
    {"kubectl apply -f a.yaml || true", "RB004@1"},
    {"kubectl apply -f a.yaml 2>/dev/null", "RB004@1"},
    {"kubectl apply -f a.yaml || exit 1", ""},
    {"kubectl delete pod a || true", ""},
    {"docker ps 2>/dev/null || true", ""},
    /* RB005 */
    {"d=$(cat f)\nrm -rf \"$d/x\"", "RB005@2"},
    {"d=$(cat f)\nrm -rf \"${d:?}/x\"", ""},
    {"d=/tmp/x\nrm -rf \"$d\"", ""},
    /* RB006, RB007 */
    {"kubectl patch configmap c -p '{\"data\":{\"a\":\"b\"}}'", "RB006@1"},
    {"kubectl patch configmap c -p '{\"data\":{\"a\":\"b\"}}'\nkubectl rollout restart "
     "deployment/a\n"
     "kubectl rollout status deployment/a --timeout=1m",
     ""},
    {"kubectl rollout undo deployment/a --to-revision=$r\nkubectl rollout status deployment/a "
     "--timeout=1m\n"
     "r=1\nkubectl patch cm c -p '{\"data\":{\"a\":\"b\"}}'",
     "RB006@4 RB007@4"},
    /* RB008 */
    {"kubectl set image deployment/a a=a:1", "RB008@1"},
    {"kubectl set image deployment/a a=a:1\nkubectl rollout status deployment/a --timeout=1m", ""},
    {"kubectl scale deployment a --replicas=3", "RB008@1"},
    {"kubectl scale deployment a --replicas=0", ""},
    {"kubectl patch deployment a -p '{}'\nkubectl wait --for=condition=available deployment/a", ""},
    /* RB009: labels are map[string]string; kubectl: "cannot unmarshal bool into Go struct field ... of type string" */
    {"kubectl apply -f - <<E\napiVersion: v1\nmetadata:\n  labels:\n    a: true\n    b: \"true\"\n "
     "   c: word\n"
     "spec:\n  paused: true\n  replicas: 3\nE",
     "RB009@5"},
    {"cat <<E | kubectl apply -f -\nkind: Deployment\nspec:\n  containers:\n  - env:\n    - name: "
     "A\n      value: 1\n"
     "    - name: B\n      value: \"1\"\n    ports:\n    - containerPort: 80\nE",
     "RB009@7"},
    {"kubectl patch configmap c -p '{\"data\":{\"a\":true}}'\nkubectl rollout restart "
     "deployment/a\n"
     "kubectl rollout status deployment/a --timeout=1m",
     "RB009@1"},
    /* RB010 */
    {"docker exec c sh -c 'export A=1'", "RB010@1"},
    {"docker exec c sh -c 'export A=1; run'", ""},
    {"kubectl exec p -- bash -c \"export A=1\"", "RB010@1"},
    {"export A=1", ""},
    /* RB011, RB014 */
    {"systemctl stop app\npsql -f dump.sql", "RB011@2"},
    {"systemctl stop app\npsql -v ON_ERROR_STOP=1 -f dump.sql", ""},
    {"psql <<E\nSELECT 1;\nE", ""},
    {"systemctl stop app\npsql <<E\nUPDATE a SET b = 1;\nE", "RB011@2"},
    {"systemctl stop app\nzcat d.gz | docker exec -i c psql", "RB011@2"},
    {"psql -v ON_ERROR_STOP=1 < dump.sql", "RB014@1"},
    {"./scripts/restore.sh --database", "RB014@1"},
    {"docker-compose stop app\n./scripts/restore.sh --database", ""},
    {"./scripts/restore.sh --config-only", ""},
    {"psql -c 'SELECT 1'", ""},
    /* RB012 */
    {"psql -c 'DROP TABLE a'", "RB012@1"},
    {"pg_dump a > b\npsql -c 'DROP TABLE a'", ""},
    {"psql -c 'DROP VIEW a'", ""},
    {"docker-compose down -v", "RB012@1"},
    {"alembic downgrade abc", "RB012@1"},
    {"alembic downgrade -1", "RB012@1 RB018@1"},
    /* RB013 */
    {"docker pull a:latest", "RB013@1"},
    {"docker pull a:1.2", ""},
    {"docker tag a:1.2 a:latest", "RB013@1"},
    /* RB015 */
    {"redis-cli CONFIG SET maxmemory 1gb", "RB015@1"},
    {"redis-cli CONFIG SET maxmemory 1gb\nredis-cli CONFIG REWRITE", ""},
    {"psql -c \"ALTER SYSTEM SET a = 1\"", "RB015@1"},
    {"psql -c \"ALTER SYSTEM SET a = 1\"\npsql -c 'SELECT pg_reload_conf()'", ""},
    {"sysctl -w a=1", "RB015@1"},
    /* RB016 */
    {CURL "-f -X POST localhost:9200/_bulk --data-binary @f", "RB016@1"},
    {CURL "-f -X POST localhost:9200/_bulk --data-binary @f | jq -e '.errors == false'", ""},
    /* RB017 */
    {"kubectl delete pod a\necho 'Rollback completed'", "RB017@2"},
    {"kubectl delete pod a\n./health_check.sh\necho 'Rollback completed'", "RB017@3"},
    {"kubectl delete pod a\n./health_check.sh || exit 1\necho 'Rollback completed'", ""},
    {"kubectl delete pod a\n./health_check.sh && echo 'Rollback completed'", ""},
    {"kubectl delete pod a\nif ./health_check.sh; then echo 'Rollback completed'; fi", ""},
    {"#!/bin/bash\nset -e\nkubectl delete pod a\n./health_check.sh\necho 'Rollback completed'", ""},
    {"kubectl delete pod a\necho 'Rollback is not completed'\necho 'Starting rollback'", ""},
    {"#!/bin/bash\nset -e\nkubectl delete pod a\nif ! ./health_check.sh; then exit 1; fi\necho "
     "'Rollback completed'",
     ""},
    {"#!/bin/bash\nset -e\nkubectl delete pod a\nif [ \"$HOME\" = x ]; then a; fi\necho 'Rollback "
     "completed'",
     "RB017@5"},
    {"#!/bin/bash\nset -e\nkubectl delete pod a\nc=$(" CURL
     "-s -o f -w '%{http_code}' http://h/health)\n"
     "if [[ $c != 200 ]]; then exit 1; fi\necho 'Rollback completed'",
     ""},
    {"kubectl delete pod a\nuntil ./health_check.sh; do sleep 1; done\necho 'Rollback completed'",
     ""},
    {"kubectl delete pod a\nwhile ! ./health_check.sh; do ((n++ > 5)) && break; sleep 1; "
     "done\necho 'Rollback completed'",
     "RB017@3"},
    /* RB018 */
    {"kubectl create -f a.yaml", ""},
    {"kubectl create secret generic a", "RB018@1"},
    {"git revert HEAD", "RB018@1"},
    {"psql -c 'INSERT INTO a SELECT * FROM b'", "RB018@1"},
    {"psql -c 'INSERT INTO a SELECT * FROM b ON CONFLICT DO NOTHING'", ""},
    /* RB019 */
    {"ssh h 'cd /a; ./b'", "RB019@1"},
    {"ssh h 'cd /a && ./b'", ""},
    {"bash <<E\na\nb\nE", "RB019@1"},
    {"bash <<E\nset -e\na\nb\nE", ""},
    /* RB021 */
    {"kubectl edit deployment a", "RB021@1"},
    {"read -p 'Sure? ' answer", "RB021@1"},
    {"kubectl exec -it p -- bash", "RB021@1"},
    {"kubectl exec p -- ls", ""},
    {"ssh host\ncd /a", "RB021@1"},
    {"ssh host", ""},
    {"ssh host uptime\ncd /a", ""},
    {"vim a.conf", "RB021@1"},
    {"psql -U a", "RB021@1"},
    {"terraform apply", "RB021@1"},
    {"terraform apply -auto-approve", ""},
    /* RB022, RB024 */
    {"helm rollback a 3", "RB022@1 RB024@1"},
    {"helm rollback a --wait", ""},
    {"kubectl rollout undo deployment/a --to-revision=3\nkubectl rollout status deployment/a "
     "--timeout=1m",
     "RB024@1"},
    /* RB023 */
    {"sleep 30\na", "RB023@1"},
    {"while ! a; do sleep 1; done\nb", ""},
    /* RB025 */
    {"kubectl delete pod <name>", "RB025@1"},
    {"a \"$UNSET\"", "RB025@1"},
    {"a \"$HOME\" # <name>", ""},
    {"echo 'usage: a <name> YYYY-MM-DD'", ""},
    {"echo 'name: <name>' | kubectl apply -f -", "RB025@1"},
    {"a <name>\na <name>", "RB025@1"},
    /* RB026 */
    {"if a; then\nb", "RB026@2"},
    {"ln -sfn /a/vX(1) b\nc", "RB026@1"},
    {"echo 'open\nb", "RB026@1"},
    /* RB027 */
    {"kubectl rollout undo deployment/a\nkubectl rollout undo deployment/a --to-revision=2\n"
     "kubectl rollout status deployment/a --timeout=1m",
     "RB041@1 RB024@2 RB027@2"},
    /* RB028 */
    {"watch -n 5 a\nb", "RB028@1"},
    {"b\nwatch -n 5 a", ""},
    {"kubectl logs -f deployment/a\nb", "RB028@1"},
    {"kubectl port-forward svc/a 80:80 &\nb", ""},
    {"timeout 60 tail -f f\nb", ""},
    {"docker-compose up\nb", "RB028@1"},
    {"kubectl get pods -w\nb", "RB028@1"},
    /* RB029, RB044 */
    {"a\n\n# Edit docker-compose.yml\n\nb", "RB029@3"},
    {"a\n# Or\nb", "RB044@2"},
    /* RB030: docs.docker.com, compose restart: "changes are not reflected after running this command" */
    {"docker-compose build a\ndocker-compose restart a", "RB030@2"},
    {"docker-compose build a\ndocker-compose up -d a", ""},
    {"docker-compose restart a", ""},
    {"sed -i s/a/b/ .env\ndocker compose restart", "RB030@2"},
    /* RB031, RB032, RB039 */
    {"git checkout v1\ndocker-compose up -d", "RB031@2"},
    {"git checkout v1\ndocker-compose up -d --build", ""},
    {"docker pull a:1\ndocker-compose up -d a", "RB032@2"},
    {"docker pull a:1\ndocker tag a:1 a:now\ndocker-compose up -d a", ""},
    {"docker-compose down\ndocker-compose up -d", "RB039@1"},
    /* RB033, RB034 */
    {"pg_dump a > b\npsql -c 'DROP DATABASE a'", "RB033@2"},
    {"pg_dump a > b\npsql -c 'DROP DATABASE a WITH (FORCE)'", ""},
    {"systemctl stop app\npg_restore -d a f", "RB034@2"},
    {"systemctl stop app\npg_restore --clean -d a f", ""},
    /* RB035 */
    {"docker logs a | grep -i error", "RB035@1"},
    {"if docker logs a | grep -q error; then b; fi", ""},
    {"docker logs a | grep -c error", ""},
    /* RB036 */
    {"git reset --hard x", "RB036@1"},
    {"git push --force origin main", "RB036@1"},
    {"git push --force-with-lease origin main", ""},
    /* RB037 */
    {"aws ecs update-service --cluster c --service s", "RB037@1"},
    {"aws ecs update-service --cluster c --service s\naws ecs wait services-stable --cluster c "
     "--services s",
     ""},
    /* RB038 */
    {"docker-compose -f a.yml up -d --no-deps api:v2", "RB038@1"},
    {"docker-compose -f a.yml up -d --no-deps api", ""},
    {"docker compose pull api:v2", "RB038@1"},
    /* RB040, RB042 */
    {"kubectl patch service a -p '{\"spec\":{\"selector\":{}}'", "RB040@1"},
    {"kubectl patch service a -p '{\"spec\":{\"selector\":{}}}'", ""},
    {"kubectl get pods -n MyTeam-prod", "RB042@1"},
    {"kubectl get pods -n my-team", ""},
    /* RB045: kubectl's "application/strategic-merge-patch+json is not supported" */
    {"kubectl patch rollout a -p '{}'", "RB045@1"},
    {"kubectl patch rollout a --type merge -p '{}'", ""},
    /* RB046: pg_restore: "input file appears to be a text format dump. Please use psql." */
    {"systemctl stop a\npg_restore --clean -d a b.sql", "RB046@2"},
    {"systemctl stop a\npg_restore --clean -d a b.dump", ""},
    {"systemctl stop a\npsql -v ON_ERROR_STOP=1 -f b.sql.gz", "RB046@2"},
    {"systemctl stop a\npsql -v ON_ERROR_STOP=1 < b.dump", "RB046@2"},
    /* RB047: argo-cd: "rollback cannot be initiated when auto-sync is enabled" */
    {"argocd app rollback a 3", "RB047@1"},
    {"argocd app set a --sync-policy none\nargocd app rollback a 3", ""},
    /* RB043 */
    {"SELECT count(*) FROM a;", "RB043@1 RB026@1"},
    {"SELECT 1;", "RB043@1"},
    {"0 2 * * * /a/b.sh", "RB043@1"},
};

static void test_rules(void **state)
{
    int wrong = 0;
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const char *found = linted_shell(cases[i].shell);
        if (strcmp(found, cases[i].found) && ++wrong)
            print_error("%s\n  gave '%s', not '%s'\n", cases[i].shell, found, cases[i].found);
        arena_release(&arena);
    }
    assert_int_equal(wrong, 0);
}

static void test_documents(void **state)
{
    (void)state;
    /* RB020 across blocks; RB012 and RB018 in SQL blocks; a script is a world of its own */
    assert_string_equal(linted("# A\n```sh\nNS=a\n```\n```sh\nkubectl get pods -n $NS\n```\n"),
                        "RB020@6");
    assert_string_equal(
        linted("# A\n```sh\n#!/bin/sh\nNS=a\n```\n```sh\nkubectl get pods -n $NS\n```\n"),
        "RB025@7");
    assert_string_equal(linted("```sql\n-- why\nDROP VIEW v;\nDROP TABLE t;\n```\n"), "RB012@4");
    assert_string_equal(linted("```sh\npg_dump a > b\n```\n```sql\nDROP TABLE t;\n```\n"), "");
    assert_string_equal(linted("```sql\nSELECT 1;\nINSERT INTO a VALUES (1);\n```\n"), "RB018@3");
    /* what waits in another procedure does not count, what waits in the same does */
    assert_string_equal(linted("# A\n```sh\nkubectl set image deployment/a a=b:1\n```\n# "
                               "B\n```sh\nkubectl rollout status "
                               "deployment/a --timeout=1m\n```\n"),
                        "RB008@3");
    assert_string_equal(linted("# A\n```sh\nkubectl set image deployment/a "
                               "a=b:1\n```\n**Then**:\n```sh\nkubectl rollout "
                               "status deployment/a --timeout=1m\n```\n"),
                        "");
    /* other languages and prose are left alone */
    assert_string_equal(linted("# A\ncurl http://h/health\n```yaml\ncurl http://h/health\n```\n"),
                        "");
}

/* Every rule is shown by a case, and each case that speaks has a rule. */
static void test_every_rule_has_a_case(void **state)
{
    static const char others[] = "RB020";
    (void)state;
    for (const struct lint_rule *rule = lint_rules; rule->id; rule++) {
        bool shown = strstr(others, rule->id) != NULL;
        for (size_t i = 0; i < sizeof cases / sizeof *cases && !shown; i++)
            shown = strstr(cases[i].found, rule->id) != NULL;
        if (!shown)
            fail_msg("no case for %s", rule->id);
        assert_true(rule == lint_rules || strcmp(rule[-1].id, rule->id) < 0);
        assert_ptr_equal(lint_rule(rule->id), rule);
    }
    assert_null(lint_rule("RB999"));
    assert_non_null(lint_rule("rb001"));
}

/* Rules point to findings of a run, and these point back to rules that exist. */
static void test_twins_exist(void **state)
{
    (void)state;
    for (const struct lint_rule *rule = lint_rules; rule->id; rule++) {
        struct str rest = str_of(rule->twins);
        while (rest.len) {
            const char *twin = arena_str(&arena, str_cut(&rest, ' '));
            if (!finding_kind(twin))
                fail_msg("%s has the twin %s, which is no finding", rule->id, twin);
        }
    }
    for (const struct finding_kind *kind = finding_kinds; kind->id; kind++) {
        struct str rest = str_of(kind->lint);
        while (rest.len) {
            const char *id = arena_str(&arena, str_cut(&rest, ' '));
            if (!lint_rule(id))
                fail_msg("%s points to %s, which is no rule", kind->id, id);
        }
    }
}

static void test_places_and_messages(void **state)
{
    struct playbook playbook;
    struct lint_result result;
    (void)state;
    assert_int_equal(
        playbook_parse(
            &arena, "x.md",
            STR("1. Do:\n   ```bash\n   a && docker exec c sh -c 'export A=1'\n   ```\n"),
            &playbook, &error),
        0);
    lint_playbook(&arena, &playbook, &result);
    assert_int_equal(result.n_findings, 1);
    assert_int_equal(result.n_commands, 4);
    assert_int_equal(result.findings[0].line, 3);
    assert_string_equal(result.findings[0].file, "x.md");
    assert_string_equal(result.findings[0].message,
                        "'A=1' is forgotten when this shell ends; the service never sees it");
}

/* Pieces of anything must not crash the linter. */
static void test_hostile(void **state)
{
    static const char text[] =
        "```sh\n#!/bin/sh\nset -e; docker exec -i c sh -c \"psql -c 'DROP TABLE a' | grep error\" "
        "|| true\n"
        "kubectl patch cm c -n N -p '{\"data\":{\"a\":true' <<E\nkind: x\nlabels:\n - a: 1\nE\n"
        "ssh h 'a; b' | curl -X POST http://h/_bulk -w; watch\n# Or\nsudo timeout -k 1 5 env "
        "A=1\n```\n";
    (void)state;
    for (size_t i = 0; i < sizeof text; i++) {
        struct playbook playbook;
        struct lint_result result;
        assert_int_equal(playbook_parse(&arena, "x", (struct str){text, i}, &playbook, &error), 0);
        lint_playbook(&arena, &playbook, &result);
        assert_int_equal(playbook_parse(&arena, "x.sh", (struct str){text + i, sizeof text - 1 - i},
                                        &playbook, &error),
                         0);
        lint_playbook(&arena, &playbook, &result);
        arena_release(&arena);
    }
}

/* On the owners' documents: errors are few and each is one. */
static void test_owners_documents(void **state)
{
    static const struct {
        const char *file, *errors;
    } documents[] = {{"hap.md", "RB010@11 RB038@23 "},
                     {"hp_ti.md", ""},
                     {"qec_sft.md", ""},
                     {"hal9.md", ""},
                     {"hyperpage.md", "RB009@70 RB009@77 RB009@83 "}};
    (void)state;
    for (size_t i = 0; i < sizeof documents / sizeof *documents; i++) {
        char path[200];
        struct playbook playbook;
        struct lint_result result;
        struct buf errors;
        snprintf(path, sizeof path, "../shared/playbooks/%s", documents[i].file);
        if (playbook_read(&arena, path, &playbook, &error)) {
            print_message("%s is not here\n", documents[i].file);
            skip();
        }
        lint_playbook(&arena, &playbook, &result);
        buf_init(&errors, 4096);
        buf_puts(&errors, "");
        for (int j = 0; j < result.n_findings; j++)
            if (result.findings[j].rule->severity == LINT_ERROR)
                buf_printf(&errors, "%s@%d ", result.findings[j].rule->id, result.findings[j].line);
        assert_string_equal(arena_str(&arena, buf_text(&errors)), documents[i].errors);
        buf_release(&errors);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(test_rules, teardown),
        cmocka_unit_test_teardown(test_documents, teardown),
        cmocka_unit_test_teardown(test_every_rule_has_a_case, teardown),
        cmocka_unit_test_teardown(test_twins_exist, teardown),
        cmocka_unit_test_teardown(test_places_and_messages, teardown),
        cmocka_unit_test_teardown(test_hostile, teardown),
        cmocka_unit_test_teardown(test_owners_documents, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
