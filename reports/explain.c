#include "reports/explain.h"

#include <string.h>

#define GATE(name)    (1u << GATE_##name)
#define MEASURE(name) (1u << MEASURE_##name)

const struct finding_kind finding_kinds[] = {
    {"alternatives", "alternatives in a row", SEVERITY_NOTE, 0, 0,
     "The playbook offers several ways to do one thing ('# Or ...', 'Option A', 'Option B'). "
     "Whoever pastes the "
     "whole block runs them all, and the second undoes or breaks what the first did.",
     "Put each alternative in a block and section of its own, and say when each is right. In the "
     "drill, "
     "choose one under 'alternatives'."},
    {"blank", "a blank in a report", SEVERITY_NOTE, 0, 0,
     "The step writes a report or a message whose blanks ([Reason], <version>) nobody fills in. It "
     "is kept, or sent, "
     "as it stands.",
     "Fill the blanks from variables ($REASON) that the procedure asks for or finds out, or open "
     "the file for a person "
     "at the end."},
    {"change_failed", "the bad change itself failed", SEVERITY_NOTE, 0, 0,
     "The drill's change did not go through, so the rehearsal shows a rollback of a deployment "
     "that failed halfway.",
     "If the drill means a change that succeeds and is bad, mend its change script."},
    {"data_duplicated", "records duplicated", SEVERITY_ERROR, GATE(RECORDS_DUPLICATED), 0,
     "At the end, the store that serves users holds some records more than once: a replay or a "
     "restore was "
     "applied on top of data that was already there.",
     "Empty or replace the target before restoring into it, or make the replay idempotent (insert "
     "where absent)."},
    {"data_loss", "acknowledged records lost", SEVERITY_ERROR, GATE(RECORDS_LOST),
     MEASURE(RECORDS_LOST),
     "Users were told that these records were stored. They are not in the store that serves users "
     "at the end. "
     "A copy in an old volume or backup does not help them, though it may help you to get them "
     "back.",
     "Stop writers before the backup is taken or restored, take a fresh backup right before the "
     "destructive step, "
     "and replay what was written since. Prefer to mend forward when the restore would go back "
     "past real writes."},
    {"data_unexpected", "records that nobody wrote", SEVERITY_ERROR, GATE(RECORDS_UNEXPECTED), 0,
     "At the end, the store holds records that were deleted, or never acknowledged: a restore "
     "brought them back.",
     "Restore to a point in time that includes the deletions, or apply them again after the "
     "restore."},
    {"escaped_command", "a command tried to leave the sandbox", SEVERITY_ERROR,
     GATE(ESCAPED_COMMAND), 0,
     "The command tried to reach a file, an address or a process outside the rehearsal. On a "
     "machine that can "
     "reach production it might have changed it.",
     "Find out why the step reaches there. If it must, declare a fake for what it talks to."},
    {"failed_step", "a step failed", SEVERITY_WARNING, GATE(END_STATE),
     MEASURE(ROLLBACK) | MEASURE(TIME_TO_STABLE) | MEASURE(CLAIM_ERROR),
     "The command ended with an error, and the next one ran all the same or the procedure ended "
     "there. Nothing later claimed success, so nobody was told a lie; but the rest of the playbook "
     "ran on a state that it does not expect, or did not run.",
     "Check the result of the step and say what to do when it fails."},
    {"false_success", "success was claimed and was not true", SEVERITY_ERROR, GATE(FALSE_SUCCESS),
     MEASURE(CLAIM_ERROR),
     "The playbook said that the rollback was done while the service or its state was still wrong. "
     "People stand "
     "down, close the incident, and users go on suffering.",
     "Put a check of what users see (an answer of the service, its version, a count of records) "
     "before the line "
     "that claims success, and claim only if it passes. A command that was accepted has not yet "
     "worked: wait for it."},
    {"hang", "the procedure hung", SEVERITY_WARNING, GATE(END_STATE),
     MEASURE(ROLLBACK) | MEASURE(TIME_TO_STABLE),
     "Every command was waiting for something that will never come: input, a lock, a peer. Nobody "
     "is told; the "
     "clock of the incident runs on.",
     "Give the command a time limit (timeout 60 ..., --max-time, --timeout), feed it its input, or "
     "use its "
     "non-interactive form."},
    {"impossible_target", "a target that the triggers make impossible", SEVERITY_WARNING, 0,
     MEASURE(TIME_TO_DETECT) | MEASURE(TIME_TO_DECIDE) | MEASURE(ROLLBACK) | MEASURE(DOWNTIME),
     "The trigger waits longer than the target allows, before anybody can act at all. The target "
     "cannot be met, "
     "however good the playbook is.",
     "Shorten the trigger's duration or scrape interval, add a faster trigger for severe failures, "
     "or change the "
     "target and say so."},
    {"late_communication", "people were told late", SEVERITY_NOTE, 0, 0,
     "Somebody was told, but long after the failure was known. Support and customers had to guess.",
     "Move the announcement to the front: right after the decision, before the long steps."},
    {"limit", "a limit of the rehearsal was reached", SEVERITY_WARNING, 0, 0,
     "The procedure used more processor time, output, tasks or disk than the rehearsal allows, and "
     "was cut "
     "short. What was unfinished then is unknown.",
     "Look for a loop without a pause or an end. If the step is right as it is, raise the limit in "
     "the drill."},
    {"manual_edit", "an edit by hand, written as a comment", SEVERITY_WARNING, GATE(END_STATE),
     MEASURE(ROLLBACK),
     "The step asks a person to change a file or a setting, in a comment. Whoever pastes the block "
     "skips it, and the "
     "commands after it work on the old content.",
     "Write the edit as a command (sed -i, kubectl set image, an environment variable), or ship "
     "the file ready."},
    {"missing_communication", "nobody was told", SEVERITY_NOTE, 0, 0,
     "From detection to the end of the run no message went out: no announcement, no page, no "
     "status page.",
     "Add the announcement to the playbook as a command with the text ready to send."},
    {"never_ending", "a command that never ends", SEVERITY_WARNING, 0, 0,
     "watch, logs -f, tail -f and the like run until somebody interrupts them. In a pasted block, "
     "nothing after "
     "them runs; in a script, the script stands still.",
     "Put a limit on it (timeout 60 ..., --tail without -f), or wait for a condition instead of "
     "watching."},
    {"no_alert", "no trigger saw the failure", SEVERITY_WARNING, 0,
     MEASURE(TIME_TO_DETECT) | MEASURE(DOWNTIME),
     "Users were affected and no trigger fired: a person had to notice. How long that takes "
     "depends on the hour of the "
     "day and on who complains.",
     "Add a trigger on what users see: the share of requests that fail, or their latency."},
    {"no_commands", "a procedure without a command", SEVERITY_WARNING,
     GATE(END_STATE) | GATE(FALSE_SUCCESS), MEASURE(ROLLBACK) | MEASURE(CLAIM_ERROR),
     "The section is prose, or comments in a block of shell. Whoever pastes it does nothing, and "
     "the shell says that all went "
     "well.",
     "Write each step as the command that does it, with a check behind it that can fail."},
    {"no_op", "a step that changed nothing", SEVERITY_WARNING, 0, 0,
     "By its verb the step was meant to change something, it ended without an error, and the world "
     "is as it was: a "
     "configuration that nobody reads again, an image that was not pulled, a name that matches "
     "nothing. Where the end state is wrong in what the step names, it is an error.",
     "Check what the command really acts on, and verify its effect, not its exit status. A changed "
     "ConfigMap needs a "
     "restart; a restarted container keeps its old image and environment."},
    {"not_simulated", "something that is not simulated", SEVERITY_NOTE, 0, 0,
     "The step used a command or an option that the fake does not model, so its effect here may "
     "differ from the "
     "real one. fakes/FIDELITY.md lists what is modelled.",
     "Treat what depends on it as not rehearsed, or declare its effect with a fake of your own."},
    {"placeholder", "an unbound placeholder", SEVERITY_WARNING, GATE(END_STATE),
     MEASURE(ROLLBACK) | MEASURE(CLAIM_ERROR),
     "The command still has a hole in it (<name>, [name], YYYYMMDD, a variable that nothing sets). "
     "Pasted as it is, "
     "bash reads it as a redirection, a pattern or an empty word, and does something else.",
     "Bind it in the drill, and in the playbook say where the value comes from, best as a command "
     "that finds it."},
    {"silent_failure", "a failure that nothing noticed", SEVERITY_WARNING,
     GATE(END_STATE) | GATE(FALSE_SUCCESS) | GATE(RECORDS_LOST),
     MEASURE(ROLLBACK) | MEASURE(TIME_TO_STABLE) | MEASURE(CLAIM_ERROR),
     "A command failed, or wrote errors and ended as if nothing were wrong; the procedure went on "
     "and claimed "
     "success. Whoever reads the last line believes it.",
     "Let failures stop the procedure (set -euo pipefail in a script, '|| exit 1', psql -v "
     "ON_ERROR_STOP=1, curl "
     "--fail), and verify before claiming success."},
    {"sql_skipped", "an SQL block that was not run", SEVERITY_NOTE, 0, 0,
     "The section has a block of SQL, and the drill names no command that takes it. Whoever "
     "follows the playbook would run "
     "it; here its effect is missing.",
     "Name the command that takes SQL in the drill (psql of the right database), or put the SQL "
     "into a shell block."},
    {"stopped", "the run was stopped from outside", SEVERITY_WARNING, 0, 0,
     "Somebody stopped the rehearsal before its end. What was unfinished then stays unfinished in "
     "the report.",
     "Run it again and let it end; if it takes too long, shorten the drill's horizon."},
    {"store_unreadable", "a store could not be read at the end", SEVERITY_WARNING, 0, 0,
     "The store that serves users could not be read when the run ended, so nobody knows what it "
     "still holds.",
     "See what state it was left in: stopped, without its volume, or half restored."},
    {"target_missed", "a target was missed", SEVERITY_ERROR, 0, 0,
     "A phase took longer than its target, or never ended.",
     "Look at the longest step of that phase in the step table: waits, slow starts, and commands "
     "that a person has "
     "to read and choose between."},
    {"unknown_command", "a command that nobody declared", SEVERITY_WARNING,
     GATE(END_STATE) | GATE(FALSE_SUCCESS), MEASURE(ROLLBACK) | MEASURE(CLAIM_ERROR),
     "The playbook calls a program that is neither in the sandbox nor faked. It ended with 127 "
     "(command not "
     "found), as on a machine where it is not installed.",
     "If the operator's machine has it, declare it in the system file under 'hosts: commands'; if "
     "not, the playbook "
     "has found a missing tool before the incident did."},
    {"untagged_skipped", "a block without a language that was not run", SEVERITY_NOTE, 0, 0,
     "The block does not say that it is shell, so it was not run: it may be output, a "
     "configuration or a message.",
     "Tag it as bash if people are to run it, or list it in the drill."},
    {"wrong_end_state", "the end state is not the good state", SEVERITY_ERROR, GATE(END_STATE), 0,
     "When the run ended, something was not as the good state asks: a version, a number of "
     "replicas, a flag, a "
     "schema, or the store in service.",
     "Find the step that should have put it right. Often the command names the wrong thing, or "
     "changes a file that "
     "nothing reads again."},
    {NULL, NULL, SEVERITY_NOTE, 0, 0, NULL, NULL},
};

const struct finding_kind *finding_kind(const char *id)
{
    for (const struct finding_kind *kind = finding_kinds; kind->id; kind++) {
        if (strcmp(kind->id, id) == 0)
            return kind;
    }
    return NULL;
}

const char *finding_kind_near(const char *id)
{
    const char *nearest = NULL;
    size_t best = 5; /* further away is no help */
    for (const struct finding_kind *kind = finding_kinds; kind->id; kind++) {
        size_t distance = str_distance(str_of(id), str_of(kind->id), 9);
        if (distance < best) {
            best = distance;
            nearest = kind->id;
        }
    }
    return nearest;
}
