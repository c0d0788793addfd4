/* lint: for each rule what it says and what it leaves alone. The reasons are the tools'
 * documentation; a case says which rule speaks on which line, and all others must be silent. */
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
#define WAIT "\nkubectl rollout status deployment/a --timeout=1m"

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
    /* libpq: connect_timeout and lock_timeout are 0, which is no limit */
    {"psql -h db -c 'SELECT 1'", "RB002@1"},
    {"psql 'host=db connect_timeout=5' -c 'SELECT 1'", ""},
    {"PGCONNECT_TIMEOUT=5 psql -h db -c 'SELECT 1'", ""},
    {"docker exec db psql -c 'SELECT 1'", ""},
    {"psql -v ON_ERROR_STOP=1 <<E\nALTER TABLE a ALTER COLUMN b TYPE text;\nE", "RB002@1"},
    {"psql -v ON_ERROR_STOP=1 <<E\nSET lock_timeout = '5s';\nALTER TABLE a ALTER COLUMN b TYPE "
     "text;\nE",
     ""},
    {"pg_dump a > b\ndocker exec db psql -c 'DROP TABLE a'", "RB002@2"},
    {"until pg_isready; do sleep 1; done", "RB002@1"},
    {"for i in 1 2 3; do pg_isready && break; sleep 1; done", ""},
    {"argocd app wait a --health", "RB002@1"},
    {"argocd app wait a --health --timeout 60", ""},
    /* RB003 */
    {"#!/bin/bash\nkubectl delete pod a", "RB003@1"},
    {"#!/bin/bash\nset -e\nkubectl delete pod a", ""},
    {"#!/bin/bash\necho nothing changes", ""},
    {"#!/bin/bash\nset -e\npg_dump a | gzip > b", "RB003@3"},
    {"#!/bin/bash\nset -euo pipefail\npg_dump a | gzip > b", ""},
    {"pg_dump a | gzip > b && a", "RB003@1"},
    {"set -o pipefail\npg_dump a | gzip > b && a", ""},
    {"pg_dump a | gzip > b", ""},
    /* bash, set -e: ignored in "part of the test following if, in any command of a && or || list"
     */
    {"#!/bin/bash\nset -e\nf() {\nkubectl delete pod a\na\n}\nif f; then a; fi", "RB003@7"},
    {"#!/bin/bash\nset -e\nf() {\nkubectl delete pod a\na\n}\nf || exit 1", "RB003@7"},
    {"#!/bin/bash\nset -e\nf() {\nkubectl delete pod a\na\n}\nf", ""},
    {"#!/bin/bash\nset -e\nf() {\nkubectl delete pod a || return 1\na\n}\nif f; then a; fi", ""},
    {"#!/bin/bash\nset -e\nf() {\na\nkubectl delete pod a\n}\nif f; then a; fi", ""},
    {"#!/bin/bash\nset -e\nf() {\nlocal x=$(kubectl get pods)\na $x\n}\nf", "RB003@4"},
    {"#!/bin/bash\nset -e\nf() {\nlocal x\nx=$(kubectl get pods)\na $x\n}\nf", ""},
    {"#!/bin/bash\nset -e\nf() {\nlocal x=$(date)\na $x\n}\nf", ""},
    /* a script that is written by a here-document */
    {"cat > x.sh <<'E'\n#!/bin/bash\nkubectl delete pod a\nE\nbash x.sh", "RB003@2"},
    {"cat > x.txt <<'E'\nkubectl delete pod a\nE", ""},
    /* RB004 */
    {"kubectl apply -f a.yaml || true" WAIT, "RB004@1"},
    {"kubectl apply -f a.yaml 2>/dev/null" WAIT, "RB004@1"},
    {"kubectl apply -f a.yaml >/dev/null 2>&1" WAIT, "RB004@1"},
    {"kubectl apply -f a.yaml >/dev/null" WAIT, ""},
    {"kubectl apply -f a.yaml || exit 1" WAIT, ""},
    {"kubectl delete pod a || true", ""},
    {"docker ps 2>/dev/null || true", ""},
    /* RB005 */
    {"d=$(cat f)\nrm -rf \"$d/x\"", "RB005@2"},
    {"d=$(cat f)\nrm -rf \"${d:?}/x\"", ""},
    {"d=/tmp/x\nrm -rf \"$d\"", ""},
    {"d=$(cat f)\n[ -n \"$d\" ] || exit 1\nrm -rf \"$d/x\"", ""},
    {"i=$(docker images -q a)\ndocker rmi $i", "RB005@2"},
    /* RB006, RB007 */
    {"kubectl patch configmap c -p '{\"data\":{\"a\":\"b\"}}'", "RB006@1"},
    {"kubectl patch configmap c -p '{\"data\":{\"a\":\"b\"}}'\nkubectl rollout restart "
     "deployment/a\n"
     "kubectl rollout status deployment/a --timeout=1m",
     ""},
    {"kubectl rollout undo deployment/a --to-revision=$r\nkubectl rollout status deployment/a "
     "--timeout=1m\n"
     "r=1\nkubectl patch cm c -p '{\"data\":{\"a\":\"b\"}}'",
     "RB007@1 RB006@4"},
    {"kubectl apply -f - <<E\nkind: ConfigMap\ndata:\n  a: b\nE", "RB006@1"},
    {"kubectl apply -f backup/app-configmap.yaml", "RB006@1"},
    {"kubectl create configmap c --from-file=f --dry-run=client -o yaml | kubectl apply -f -",
     "RB006@1"},
    {"kubectl create secret generic c --dry-run=client -o yaml | kubectl apply -f -\nkubectl "
     "rollout "
     "restart deployment/a" WAIT,
     ""},
    /* RB008 */
    {"kubectl set image deployment/a a=a:1", "RB008@1"},
    {"kubectl set image deployment/a a=a:1\nkubectl rollout status deployment/a --timeout=1m", ""},
    {"kubectl scale deployment a --replicas=3", "RB008@1"},
    {"kubectl scale deployment a --replicas=0", ""},
    {"kubectl apply -f deployment.yaml", "RB008@1"},
    {"kubectl apply -f deployment.yaml" WAIT, ""},
    {"kubectl apply -k overlays/prod", "RB008@1"},
    {"kubectl apply -f service.yaml", ""},
    {"kubectl set image deployment/b b=b:1" WAIT, "RB008@1"},
    {"kubectl set image deploy b b=b:1\nkubectl rollout status deployment/$x --timeout=1m\nx=b",
     ""},
    {"kubectl patch deployment a -p '{}'\nkubectl wait --for=condition=available deployment/a", ""},
    /* RB009: labels are map[string]string; kubectl: "cannot unmarshal bool into Go struct field ...
       of type string" */
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
    {"kubectl apply -f - <<E\nmetadata: {labels: {a: on}}\nkind: x\nE", "RB009@2"},
    {"kubectl apply -f - <<E\nkind: x\nmetadata:\n  labels:\n    version: 1.20\n    build: "
     "1.2.3\n    none: ~\nE",
     "RB009@5"},
    {"kubectl apply -f - <<E\nkind: ConfigMap\ndata:\n  a: yes\nE\nkubectl rollout restart "
     "deployment/a" WAIT,
     "RB009@4"},
    {"kubectl patch deployment a -p '{\"metadata\":{\"labels\":{\"v\":2}}}'" WAIT, "RB009@1"},
    {"kubectl patch deployment a -p '{\"spec\":{\"replicas\":2}}'" WAIT, ""},
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
    {"kubectl delete deployment api\npg_restore -c -d a b.dump", ""},
    {"kubectl delete deploy/api -n x\npg_restore -c -d a b.dump", ""},
    {"kubectl delete pod api-1\npg_restore -c -d a b.dump", "RB014@2"},
    {"./scripts/restore.sh --config-only", ""},
    {"./restore_static_files.sh", ""},
    {"mysql shop < dump.sql", "RB014@1"},
    {"redis-cli RESTORE key 0 x", "RB014@1"},
    {"psql -c 'SELECT 1'", ""},
    /* RB012 */
    {"psql -c 'SET lock_timeout=1; DROP TABLE a'", "RB012@1"},
    {"pg_dump a > b\npsql -c 'SET lock_timeout=1; DROP TABLE a'", ""},
    {"psql -c 'CREATE TABLE IF NOT EXISTS old AS SELECT * FROM a'\n"
     "psql -c 'SET lock_timeout=1; TRUNCATE a'",
     ""},
    {"psql -c 'SET lock_timeout=1; ALTER TABLE a ALTER COLUMN b TYPE varchar(8)'", "RB012@1"},
    {"psql -c 'SET lock_timeout=1; ALTER TABLE a ALTER COLUMN b TYPE text'", ""},
    {"kubectl delete pvc data-0", "RB012@1"},
    {"redis-cli FLUSHDB", "RB012@1"},
    {"redis-cli --rdb backup.rdb\nredis-cli SAVE\nredis-cli FLUSHDB", ""},
    {"psql -c 'DROP VIEW a'", ""},
    {"docker-compose down -v", "RB012@1"},
    {"alembic downgrade abc", "RB012@1"},
    {"alembic downgrade -1", "RB012@1 RB018@1"},
    /* RB013 */
    {"docker pull a:latest", "RB013@1"},
    {"docker pull a:1.2", ""},
    {"docker tag a:1.2 a:latest", "RB013@1"},
    {"docker pull registry:5000/a", "RB013@1"},
    {"docker pull registry:5000/a@sha256:12", ""},
    {"kubectl set image deployment/a a=r/a:stable" WAIT, "RB013@1"},
    {"kubectl set image deployment/a a=r/a:$v" WAIT "\nv=1", ""},
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
    {"aws ecs update-service --service a\naws ecs wait services-stable --services a && echo "
     "'Rollback completed'",
     ""},
    {"helm rollback a --wait --timeout 5m && echo 'Rollback completed'", ""},
    {"helm rollback a && echo 'Rollback completed'", "RB022@1 RB017@1"},
    {"docker compose up -d --wait && echo 'Rollback completed'", ""},
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
     "RB002@2"},
    {"kubectl delete pod a\nuntil ./health_check.sh; do ((n++ < 9)) || exit 1; sleep 1; done\necho "
     "'Rollback completed'",
     ""},
    /* whether a file is there says nothing about the service */
    {"if [ -n \"$HOME\" ]; then\nkubectl delete pod a\necho 'Rollback completed'\nfi", "RB017@3"},
    {"kubectl delete pod a\ncode=$(" CURL
     "-s -o f -w '%{http_code}' http://h/health)\nif [ \"$code\" = 200 ]; then echo 'Rollback "
     "completed'; fi",
     ""},
    {"f() {\nkubectl delete pod a\necho 'Rollback completed'\n}\nf", "RB017@3"},
    {"f() {\na\necho 'Rollback completed'\n}\nf", ""},
    {"kubectl delete pod a\nwhile ! ./health_check.sh; do ((n++ > 5)) && break; sleep 1; "
     "done\necho 'Rollback completed'",
     "RB017@3"},
    /* RB018 */
    {"kubectl create -f a.yaml", ""},
    {"kubectl create secret generic a", "RB018@1"},
    {"git revert HEAD", "RB018@1"},
    {"psql -c 'INSERT INTO a SELECT * FROM b'", "RB018@1"},
    {"psql -c 'INSERT INTO a SELECT * FROM b ON CONFLICT DO NOTHING'", ""},
    {"ln -s /opt/v1 current", "RB018@1"},
    {"ln -sfn /opt/v1 current", ""},
    {"psql -c 'UPDATE a SET n = n + 1'", "RB018@1"},
    {"psql -c 'UPDATE a SET n = 1'", ""},
    {"psql -c 'SET lock_timeout=1; TRUNCATE a; INSERT INTO a SELECT * FROM b'", "RB012@1"},
    {"psql -c 'CREATE TABLE a AS SELECT 1'", "RB018@1"},
    {"redis-cli INCR a", "RB018@1"},
    {"sed -i '/x/a y' f", "RB018@1"},
    {"sed -i s/x/y/ f", ""},
    {"git reset --hard HEAD~1", "RB018@1 RB036@1"},
    /* RB019 */
    {"ssh h 'cd /a; ./b'", "RB019@1"},
    {"ssh h 'cd /a && ./b'", ""},
    {"ssh h cd /a; ./b", "RB019@1"},
    {"ssh h cd /a\n./b", ""},
    {"ssh h 'cd /a\n./b'", "RB019@1"},
    {"docker exec c sh -c 'kubectl delete pod a; ./b'", "RB019@1"},
    {"docker exec c sh -c 'cd /a; ./b'", ""},
    {"a | xargs kubectl delete pod", "RB019@1"},
    {"a | xargs kubectl delete pod || exit 1", ""},
    {"a | xargs kubectl get pod", ""},
    {"bash <<E\na\nb\nE", "RB019@1"},
    {"bash <<E\nset -e\na\nb\nE", ""},
    /* RB021 */
    {"kubectl edit deployment a", "RB021@1"},
    {"read -p 'Sure? ' answer", "RB021@1"},
    {"kubectl exec -it p -- bash", "RB021@1"},
    {"kubectl exec p -- ls", ""},
    {"kubectl -n x exec -it p -- bash", "RB021@1"},
    {"kubectl exec p -- ls -t", ""},
    {"kubectl exec -it p -- ls", ""}, /* without a terminal it warns and goes on */
    {"docker exec c ls -t", ""},
    {"docker exec -it c ls", "RB021@1"},
    {"docker-compose exec c ls", "RB021@1"},
    {"docker-compose -f a.yml exec c ls -T", "RB021@1"},
    {"docker-compose -f a.yml exec -T c ls", ""},
    {"docker-compose exec -d c ls", ""},
    {"docker compose exec c ls", ""}, /* version 2 looks whether there is one */
    {"read -r answer", "RB021@1"},
    {"read -t 5 -r answer", ""},
    {"read -r answer < f", ""},
    {"a | while read -r line; do b; done", ""},
    {"if [ -t 0 ]; then read -p 'Sure? ' answer; fi", ""},
    {"docker system prune", "RB021@1"},
    {"docker system prune -f", ""},
    {"apt-get install a", "RB021@1"},
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
    {"a=(web --wait)\nhelm rollback \"${a[@]}\"", ""}, /* the array may hold it */
    {"helm rollback \"$@\"", ""},
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
    {"exec {fd}>log\necho x >&$fd", ""},
    {"coproc X { cat; }\necho x >&\"${X[1]}\"", ""},
    {"coproc cat\nb", ""},
    {"if [ -n \"$UNSET\" ]; then a \"$UNSET\"; fi", ""},
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
    {"anytool logs api --follow\nb", "RB028@1"},
    {"anytool logs api\nb", ""},
    {"ping h\nb", "RB028@1"},
    {"ping -c 3 h\nb", ""},
    /* RB029, RB044 */
    {"a\n\n# Edit docker-compose.yml\n\nb", "RB029@3"},
    {"a\n\n# Step 2: Update the dashboard\n\n# Step 3\nb", "RB029@3"},
    {"a\n# Or\nb", "RB044@2"},
    /* RB030: docs.docker.com, compose restart: "changes are not reflected after running this
       command" */
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
    {"docker tag a:1 a:now\ndocker compose -f f.yml down --remove-orphans\ndocker compose -f f.yml "
     "up "
     "-d",
     "RB039@2"},
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
    /* RB048 */
    {"git reset --hard x\ngit pull", "RB036@1 RB048@2"},
    {"git pull\ngit reset --hard x", "RB036@2"},
    /* RB049: alembic: "Can't locate revision identified by ..." */
    {"pg_dump a > b\ngit checkout v1\nalembic downgrade abc", "RB049@3"},
    {"pg_dump a > b\nalembic downgrade abc\ngit checkout v1", ""},
    /* RB050 */
    {"kubectl scale deployment --all --replicas=0", "RB050@1"},
    {"kubectl scale deployment a --replicas=0", ""},
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

/* Rules point to findings of a run that exist. */
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
    assert_int_equal(result.findings[0].column, 30); /* of export, in the document */
    assert_string_equal(result.findings[0].file, "x.md");
    assert_string_equal(result.findings[0].message,
                        "'A=1' is forgotten when this shell ends; the service never sees it");
}

/* Where a finding is, as an editor counts: also inside quotes, here-documents and an indented
 * block. */
static void test_columns(void **state)
{
    static const struct {
        const char *shell;
        int line, column;
    } places[] = {
        {"kubectl edit a", 1, 1},
        {"\xC3\xA9=1; kubectl edit a", 1, 6},
        {"ssh h 'kubectl edit a'", 1, 8},
        {"ssh h \"cd /a &&\nkubectl edit $x\"; x=1", 2, 1},
        {"ssh h kubectl edit a", 1, 7},
        {"ssh h <<E\nset -e\n kubectl edit a\nE", 3, 2},
        {"sudo sh -c 'ssh h \"kubectl edit a\"'", 1, 20},
        {"sh -c \"a \\\"b\\\" && kubectl edit a\"", 1, 0},
        {"docker exec c sh -c 'a && kubectl edit a'", 1, 27},
    };
    (void)state;
    for (size_t i = 0; i < sizeof places / sizeof *places; i++)
        for (int indent = 0; indent <= 3; indent += 3) {
            struct playbook playbook;
            struct lint_result result;
            struct buf text;
            const char *margin = indent ? "   " : "";
            struct str rest = str_of(places[i].shell);
            int column = places[i].column ? places[i].column + indent : 0;
            buf_init(&text, 4096);
            buf_printf(&text, "%s\n%s```sh\n", indent ? "1. Do:" : "Do:", margin);
            while (rest.len) {
                struct str line = str_cut(&rest, '\n');
                buf_printf(&text, "%s%.*s\n", margin, STR_ARG(line));
            }
            buf_printf(&text, "%s```\n", margin);
            assert_int_equal(playbook_parse(&arena, "p.md", buf_text(&text), &playbook, &error), 0);
            lint_playbook(&arena, &playbook, &result);
            if (result.n_findings != 1 || result.findings[0].line != places[i].line + 2 ||
                result.findings[0].column != column)
                fail_msg("%s, indented by %d: %d findings, %d:%d", places[i].shell, indent,
                         result.n_findings, result.n_findings ? result.findings[0].line - 2 : 0,
                         result.n_findings ? result.findings[0].column : 0);
            buf_release(&text);
        }
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

/* What would take for ever is bounded, and says so: a very long document, and YAML whose aliases
 * name each other. */
static void test_bounds(void **state)
{
    struct playbook playbook;
    struct lint_result result;
    struct buf text;
    (void)state;
    buf_init(&text, 1 << 20);
    buf_puts(&text, "```sh\n");
    for (int i = 0; i < LINT_COMMANDS_MAX + 7; i++)
        buf_puts(&text, "a; \n");
    buf_puts(&text, "```\n");
    assert_int_equal(playbook_parse(&arena, "p.md", buf_text(&text), &playbook, &error), 0);
    lint_playbook(&arena, &playbook, &result);
    assert_int_equal(result.n_commands, LINT_COMMANDS_MAX);
    assert_int_equal(result.n_left_out, 7);
    buf_clear(&text);
    buf_puts(&text, "```sh\nkubectl apply -f - <<E\nkind: x\na0: &a0 {labels: {x: true}}\n");
    for (int i = 1; i < 20; i++)
        buf_printf(&text, "a%d: &a%d [*a%d, *a%d, *a%d, *a%d, *a%d, *a%d]\n", i, i, i - 1, i - 1,
                   i - 1, i - 1, i - 1, i - 1);
    buf_puts(&text, "E\n```\n");
    assert_int_equal(playbook_parse(&arena, "p.md", buf_text(&text), &playbook, &error), 0);
    lint_playbook(&arena, &playbook, &result);
    assert_int_equal(result.n_commands, 1);
    assert_true(result.n_findings > 0);
    buf_release(&text);
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
        cmocka_unit_test_teardown(test_columns, teardown),
        cmocka_unit_test_teardown(test_hostile, teardown),
        cmocka_unit_test_teardown(test_bounds, teardown),
        cmocka_unit_test_teardown(test_owners_documents, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
