/* trial: a drill's owner reduced to a clock, for tests of the supervisor.
 *
 * trial_run() pastes a text line by line, runs the toy commands below, and keeps all that came out.
 * The clock is a number; `events` are things the world does at a time.
 *
 * Toy commands: slow (10 s, exit 3), logs (20 lines, one each 2 s), up (stdin in capitals), sudo
 * WORDS, cap WORDS (captured), inside WORDS (in the place "db"), become WORDS, load FILE, save FILE
 * TEXT, list FOLDER, hang. Any other name of `commands` prints its words and ends with 7.
 */
#ifndef REHEARSE_TESTS_TRIAL_H
#define REHEARSE_TESTS_TRIAL_H

#include "procedures/supervisor/supervisor.h"

struct trial_step {
    bool executed;
    int exit_status;
    int64_t at_ns;
};

struct trial_event {
    int64_t at_ns;
    const char *path, *text; /* appended to the operator's file */
};

struct trial {
    struct sandbox_spec spec;
    struct supervisor *supervisor;
    struct supervisor_owner owner;
    struct supervisor_result result;
    int64_t now_ns;
    const char *rest;  /* of the text to be pasted */
    int64_t typing_ns; /* before each line */
    int line;
    struct buf out, err, observed; /* observed: "id: evidence\n" */
    struct trial_step steps[256];
    int n_steps;
    const struct trial_event *events;
    int n_events, next_event;
    int64_t interrupt_at_ns; /* a person presses Ctrl-C then; 0 never */
    int undone;              /* clean-ups of calls that ran */
    struct buf toy;          /* given back by a toy's clean-up */
    struct error error;
};

extern enum tier trial_tier; /* of trial_init */

/* False, and a message, where this machine allows no sandbox: the test is to be skipped. */
bool trial_possible(void);
/* Runs a table of tests in that tier, or says that it is skipped where the tier cannot be had; the
 * number that failed. */
#define trial_group(tier, tests)                                                                   \
    (trial_tier_begins(tier) ? cmocka_run_group_tests_name(tier_names[tier], tests, NULL, NULL) : 0)
bool trial_tier_begins(enum tier);
void trial_init(struct trial *);
void trial_release(struct trial *);
/* Opens on first use. Returns what supervisor_open or supervisor_run returned. */
int trial_run(struct trial *, const char *text);
/* A new trial, one text, its stdout; compared with cmocka. */
void trial_expect(const char *text, const char *out);

#endif
