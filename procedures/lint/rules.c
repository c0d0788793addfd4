#include <string.h>
#include <strings.h>

#include "procedures/lint/lint.h"

const char *const lint_severity_names[] = {"note", "warning", "error"};

#define NOTE    LINT_NOTE
#define WARNING LINT_WARNING
#define ERROR   LINT_ERROR

const struct lint_rule lint_rules[] = {
    {"RB001", WARNING, false, "curl takes an HTTP error for success",
     "curl ends with 0 when the server answers 500 or 503, so the step passes while the service is "
     "down.",
     "Add --fail (-f), or look at the code: curl -s -o /dev/null -w '%{http_code}'.",
     "silent_failure false_success"},
    {"RB002", NOTE, true, "no time limit",
     "A peer that accepts and never answers holds the step forever, and the clock of the incident "
     "runs on.",
     "curl --max-time 10; kubectl rollout status --timeout=120s; timeout 60 COMMAND.",
     "hang target_missed"},
    {"RB003", WARNING, false, "a failure does not stop the script",
     "Without set -e a script goes on after a failed command; without pipefail a pipeline has the "
     "status of its last "
     "command only, so a failed dump piped into gzip is a success.",
     "Begin the script with: set -euo pipefail", "silent_failure failed_step"},
    {"RB004", WARNING, false, "the error of a change is thrown away",
     "'|| true', '|| echo' and 2>/dev/null on a command that changes something hide that it did "
     "not.",
     "Let it fail, or check the state afterwards and stop when it is wrong.", "silent_failure"},
    {"RB005", WARNING, false, "a destructive command with a value that may be empty",
     "When the command substitution that fills the variable fails, the variable is empty and the "
     "command acts on "
     "something else: rm -rf \"$DIR/\" becomes rm -rf /.",
     "Write ${NAME:?} where it is used: bash then stops when it is empty.",
     "placeholder failed_step silent_failure data_loss"},
    {"RB006", WARNING, false, "changed configuration that nobody reads again",
     "Pods read a ConfigMap or Secret through environment variables and subPath mounts once, when "
     "they start.",
     "kubectl rollout restart the workloads that use it, and wait with kubectl rollout status.",
     "no_op wrong_end_state"},
    {"RB007", NOTE, true, "the workload goes back, its configuration does not",
     "kubectl rollout undo restores the pod template alone. ConfigMaps, Secrets, migrations and "
     "custom resources "
     "stay as the new release left them.",
     "Roll back what changed with the release too, in an order that the old version can run with.",
     "no_op wrong_end_state"},
    {"RB008", WARNING, false, "nothing waits for the rollout",
     "kubectl returns when the request is accepted. The next step sees the old pods, or none.",
     "kubectl rollout status NAME --timeout=120s behind it, before anything is verified or "
     "announced.",
     "false_success wrong_end_state"},
    {"RB009", ERROR, false, "a value that must be text is not",
     "Labels, annotations, environment and ConfigMap values are strings. An unquoted true, no or 1 "
     "is something else, "
     "and the API server refuses the whole object.",
     "Put it in quotes: \"true\".", "failed_step silent_failure"},
    {"RB010", ERROR, false, "export inside docker exec changes nothing",
     "The variable lives in the shell that exec starts and dies with it. The service keeps the "
     "environment that it "
     "was started with.",
     "Change the compose file or .env and recreate (docker compose up -d), or kubectl set env.",
     "no_op"},
    {"RB011", WARNING, false, "psql goes on after an SQL error",
     "A file or a pipe run by psql ends with 0 although statements in it failed: a half-restored "
     "database looks "
     "restored.",
     "psql -v ON_ERROR_STOP=1 --single-transaction", "silent_failure data_loss"},
    {"RB012", WARNING, true, "data is dropped with no backup before",
     "DROP, TRUNCATE and a down migration cannot be undone; no step before it takes a backup.",
     "Take a dump right before, and check that it is there and not empty.", "data_loss"},
    {"RB013", WARNING, false, "a tag that moves is no target for a rollback",
     "':latest' names whatever was pushed last. Nodes that have it cached keep the old image.",
     "Name the version, or better the digest.", "wrong_end_state"},
    {"RB014", WARNING, false, "a restore while writers run",
     "What users write between the backup and the restore is lost, and what they write meanwhile "
     "is mixed in.",
     "Stop the writers first (compose stop, scale to 0, maintenance mode), restore, verify, start.",
     "data_loss data_unexpected"},
    {"RB015", WARNING, false, "a setting that is gone after the next restart",
     "CONFIG SET, sysctl -w and ALTER SYSTEM without reload act on the running process only, or "
     "not at all until "
     "reloaded.",
     "redis-cli CONFIG REWRITE; SELECT pg_reload_conf(); a file in /etc/sysctl.d.", "no_op"},
    {"RB016", WARNING, true, "errors inside a 200 answer",
     "Elasticsearch answers 200 while shards or items failed; the body says so, and nobody reads "
     "it.",
     "Look at the body: jq -e '.acknowledged == true', jq -e '.errors == false'.",
     "silent_failure"},
    {"RB017", WARNING, true, "success is claimed whatever happened",
     "The line is reached also when the check before it failed, or there is no check. People stand "
     "down while the "
     "service is down.",
     "Let the check stop the procedure (health_check || exit 1) before the line that claims "
     "success.",
     "false_success"},
    {"RB018", NOTE, false, "a step that cannot be run twice",
     "After a failure halfway somebody runs the block again, and this step then fails or does its "
     "work twice.",
     "Make it say the wanted state: apply in place of create, ON CONFLICT DO NOTHING, an absolute "
     "revision.",
     "data_duplicated failed_step"},
    {"RB019", WARNING, false, "only the last of several remote commands counts",
     "'ssh host \"a; b\"' has the status of b; a shell fed through a here-document goes on after "
     "errors.",
     "Join them with && or begin with set -e.", "silent_failure"},
    {"RB020", NOTE, true, "a variable from another block",
     "Whoever runs the blocks in different terminals, or starts in the middle, has an empty value "
     "there.",
     "Set it in every block that uses it, or put one block 'set these first' at the front and say "
     "so.",
     "placeholder"},
    {"RB021", WARNING, false, "it asks or wants a terminal, and there may be nobody",
     "A prompt, an editor or a terminal session stops a procedure that runs unattended. Without a "
     "terminal, as in CI, in cron and in a rehearsal, 'docker exec -it' and 'docker-compose exec' "
     "without -T fail and 'kubectl exec -it' warns and goes on; pasted by a person who has one, "
     "all "
     "work.",
     "Use the form that does not ask: -y, -auto-approve, psql -c, kubectl patch, exec without -t, "
     "docker-compose exec -T.",
     "hang failed_step silent_failure"},
    {"RB022", WARNING, false, "helm rollback returns before anything is rolled back",
     "Without --wait helm returns when the manifests are sent. The next line sees the old pods.",
     "helm rollback RELEASE REVISION --wait --timeout 5m", "false_success"},
    {"RB023", NOTE, false, "sleep in the place of a check",
     "A fixed pause is too short on the bad day and too long on all others.",
     "Wait for the condition: kubectl wait, docker compose up --wait, a loop around curl --fail "
     "with a limit.",
     "false_success target_missed"},
    {"RB024", NOTE, false, "a revision number written down",
     "Revision numbers change with every rollout, retry and rollback; the one in the document is "
     "soon another version.",
     "Look it up (rollout history, helm history) in a step before, and name the version that it "
     "must have.",
     "wrong_end_state"},
    {"RB025", WARNING, false, "a blank that somebody must fill in",
     "Pasted as it is, bash reads <name> as a redirection, [name] as a pattern, and an unset "
     "variable as nothing.",
     "Say where the value comes from, best as a command that finds it; in a drill, bind it.",
     "placeholder"},
    {"RB026", ERROR, false, "bash cannot read this",
     "The line is refused as a whole, and with it what belongs to it; the lines after it run all "
     "the same.",
     "Try the block with bash -n.", "silent_failure failed_step"},
    {"RB027", WARNING, false, "two ways to do the same, one after the other",
     "Whoever pastes the whole block does both, and the second undoes or breaks what the first "
     "did.",
     "One block for each way, under a heading that says when it is right.",
     "alternatives wrong_end_state"},
    {"RB028", WARNING, false, "a command that never ends",
     "watch, logs -f, tail -f and the like run until somebody interrupts them. What stands behind "
     "them waits.",
     "timeout 60 in front, or a condition to wait for; or put it last and say that it is to be "
     "watched.",
     "never_ending"},
    {"RB029", WARNING, false, "a step that is only a comment",
     "It asks a person to change a file or a setting by hand. Pasted, nothing happens, and the "
     "commands after it "
     "work on the old content.",
     "Write the edit as a command (sed -i, kubectl set image), or ship the file ready.",
     "manual_edit"},
    {"RB030", WARNING, false, "restart takes up no new image and no new settings",
     "docker compose restart starts the same container again: same image, same environment, same "
     "compose file.",
     "docker compose up -d, which recreates what changed.", "no_op wrong_end_state"},
    {"RB031", NOTE, false, "a checkout changes no image",
     "After git checkout, up -d changes a service only if the compose file of that commit names "
     "another image or "
     "another setting; an image built from the tree stays.",
     "If the compose file builds the image, docker compose up -d --build; if it names a finished "
     "one, name the version in that commit's compose file or in .env.",
     "no_op wrong_end_state"},
    {"RB032", WARNING, false, "the old image is pulled and not used",
     "docker pull fetches an image; the compose file still names the other tag, and up -d starts "
     "that one.",
     "Put the tag into the compose file or .env by a command before up -d.",
     "no_op wrong_end_state"},
    {"RB033", WARNING, false, "DROP DATABASE while others are connected",
     "PostgreSQL refuses it while anybody is connected; what comes next then works on the old "
     "database.",
     "DROP DATABASE name WITH (FORCE) (PostgreSQL 13 and later), or stop the clients first.",
     "silent_failure"},
    {"RB034", WARNING, false, "pg_restore on top of what is there",
     "Without --clean or --create the tables exist already: errors for each, and rows of two times "
     "mixed.",
     "pg_restore --clean --if-exists --exit-on-error, or restore into an empty database.",
     "data_unexpected silent_failure"},
    {"RB035", NOTE, false, "grep fails when all is well",
     "grep ends with 1 when it finds no error, which is the good case: under set -e, or before &&, "
     "that stops the "
     "procedure; and it looks only at the lines that are there.",
     "! grep -q error, or count: grep -c error || true", "failed_step"},
    {"RB036", WARNING, false, "history or work is thrown away",
     "git reset --hard loses what is not committed, hot fixes among it; git push --force loses "
     "what others pushed, or "
     "is refused by a protected branch.",
     "git stash first, git revert in the place of reset, --force-with-lease in the place of "
     "--force.",
     "failed_step silent_failure wrong_end_state"},
    {"RB037", WARNING, false, "nothing waits for the service",
     "aws ecs update-service returns at once; what is verified next are the old tasks.",
     "aws ecs wait services-stable behind it.", "false_success"},
    {"RB038", ERROR, false, "a compose service has no tag",
     "docker compose takes names of services. 'api:v2' is none: no such service, and nothing is "
     "started.",
     "Change the image in the compose file (or a variable in .env) and name the service without a "
     "tag.",
     "failed_step"},
    {"RB039", NOTE, false, "down before up",
     "compose down stops and removes everything, the databases too, before the old version is even "
     "fetched.",
     "up -d of the target replaces containers one by one; pull first.", "target_missed"},
    {"RB040", ERROR, false, "a patch that is not JSON",
     "Brackets do not match; kubectl refuses the patch and nothing is changed.", "Try it with jq.",
     "failed_step silent_failure"},
    {"RB041", NOTE, false, "undo goes to whatever was before",
     "The revision before may be another bad one, or only a restart or a changed variable.",
     "Look at kubectl rollout history and name the revision, or set the image to a version.",
     "wrong_end_state"},
    {"RB042", ERROR, false, "a name that Kubernetes does not allow",
     "Names of namespaces are small letters, digits and hyphens. Every command with this one "
     "fails.",
     "Write the name as kubectl get namespaces shows it.", "failed_step silent_failure"},
    {"RB043", ERROR, false, "no shell command",
     "SQL and crontab lines in a shell block are run as commands that do not exist, and their "
     "stars become file names.",
     "Put SQL into psql -c or a here-document, and schedules into a file.",
     "unknown_command silent_failure"},
    {"RB044", NOTE, true, "a choice between alternatives inside one block",
     "Comments such as '# Or ...' separate what must not be run together; a paste does not see "
     "them.",
     "One block for each alternative.", "alternatives"},
    {"RB045", ERROR, false, "a custom resource takes no strategic merge patch",
     "kubectl patch sends a strategic merge patch when no type is given. The API server knows how "
     "to merge its own kinds "
     "that way, and answers 'unsupported media type' for all others.",
     "kubectl patch --type merge -p ...", "failed_step silent_failure"},
    {"RB046", ERROR, false, "a dump that this tool cannot read",
     "pg_restore reads archives (pg_dump -Fc, -Ft, -Fd), psql reads SQL. Each refuses what is the "
     "other's, after the old "
     "database is gone.",
     "psql -v ON_ERROR_STOP=1 -f dump.sql; pg_restore -d NAME dump.dump; gunzip first.",
     "failed_step silent_failure data_loss"},
    {"RB047", WARNING, false, "a rollback that auto-sync refuses or reverts",
     "Argo CD refuses to roll back an application while auto-sync is on, and with self-heal it "
     "puts back what kubectl "
     "undid.",
     "argocd app set NAME --sync-policy none first; or revert the commit, and let it sync.",
     "failed_step silent_failure no_op"},
    {"RB048", WARNING, false, "a pull that brings the bad version back",
     "git reset --hard takes the branch back, git pull takes it to the newest commit again: the "
     "two "
     "together change nothing.",
     "Leave the pull out; fetch before the reset, and name the commit.", "no_op wrong_end_state"},
    {"RB049", WARNING, false, "the migration is taken back by a version that does not know it",
     "What a migration did is written in a file of the new version. The old version has no such "
     "file: alembic says that it can't locate the revision, and the schema stays as it is.",
     "Take the migration back first, with the new version, and then the code.",
     "failed_step silent_failure"},
    {"RB050", WARNING, false, "everything is stopped, the database too",
     "kubectl scale --all --replicas=0 stops every workload of the namespace. A dump taken next "
     "finds no database and is empty, and scaling back up needs counts that nobody wrote down.",
     "Name the workloads that write, and keep their counts: kubectl get deploy -o name.",
     "silent_failure data_loss"},
    {NULL, NOTE, false, NULL, NULL, NULL, NULL},
};

const struct lint_rule *lint_rule(const char *id)
{
    for (const struct lint_rule *rule = lint_rules; rule->id; rule++)
        if (!strcasecmp(rule->id, id))
            return rule;
    return NULL;
}
