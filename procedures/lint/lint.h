/* lint: what can be said about a playbook without running it.
 *
 * Looks at the shell as bash parses it (procedures/shell), with commands inside docker exec,
 * kubectl exec, ssh, sh -c, watch and sudo looked through, and at the order in which things are
 * done. Each rule has a stable id and a dynamic twin: the ids of the findings of a run in which it
 * bites (reports/explain.c points back). Severities: an error cannot work as written; a warning
 * fails in some incident; a note is worth knowing.
 */
#ifndef REHEARSE_PROCEDURES_LINT_H
#define REHEARSE_PROCEDURES_LINT_H

#include "procedures/playbook/playbook.h"

enum lint_severity { LINT_NOTE, LINT_WARNING, LINT_ERROR };
extern const char *const lint_severity_names[]; /* "note", "warning", "error" */

struct lint_rule {
    const char *id; /* "RB001" */
    enum lint_severity severity;
    bool once;         /* at most once a block: the first place stands for all */
    const char *title; /* a short phrase */
    const char *why;   /* why it bites */
    const char *mend;  /* how to mend it */
    /* ids of findings of a run in which it bites, "silent_failure hang", or "" */
    const char *twins;
};

extern const struct lint_rule lint_rules[];        /* sorted by id, ends with a NULL id */
const struct lint_rule *lint_rule(const char *id); /* NULL: no such rule; case does not matter */

enum { LINT_COMMANDS_MAX = 5000 }; /* the order of commands is looked at pair by pair */

struct lint_finding {
    const struct lint_rule *rule;
    const char *file;
    int line, column; /* from 1, in characters; column 0: the whole line */
    const char *message;
};

struct lint_result {
    struct lint_finding *findings; /* by line, then column, then id */
    int n_findings;
    int n_blocks, n_commands; /* that were looked at */
    int n_left_out;           /* commands beyond the first LINT_COMMANDS_MAX */
};

/* Everything lives in the arena. Never fails: what bash cannot read is a finding. */
void lint_playbook(struct arena *, const struct playbook *, struct lint_result *ret);

#endif
