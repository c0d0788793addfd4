/* findings: what is true and wrong about the playbook, each with its place, its evidence and the command that
 * shows it again.
 *
 * Made from a finished record and its verdict: observations of the run are taken over, the rest is read off
 * steps, ledger, end state and instants. Ids are stable (explain.h lists them). Severity: an error if a gate or a
 * target falls because of it, a warning if it would in another run, else a note. Sorted by severity, place and
 * id, so that the same run always lists the same.
 */
#ifndef REHEARSE_REPORTS_FINDINGS_H
#define REHEARSE_REPORTS_FINDINGS_H

#include "reports/score.h"

enum severity { SEVERITY_ERROR, SEVERITY_WARNING, SEVERITY_NOTE };
extern const char *const severity_names[]; /* "error", "warning", "note" */

struct finding {
    const char *id;
    enum severity severity;
    const char *file;      /* the playbook, as the user named it; never NULL */
    int line;              /* 0: about the whole file */
    int step;              /* 0: none */
    int64_t at_ns;         /* NEVER: about no instant */
    const char *message;   /* one line, in words for the owner of the playbook */
    const char *evidence;  /* what was seen, may be several lines or "" */
    const char *replay;
    const struct waiver *waiver; /* in force for it, or NULL */
};

struct findings {
    struct finding *at;
    int n, cap;
};

/* Strings live in the arena or the record; the list itself is freed by findings_release. */
void findings_make(struct findings *, const struct record *, const struct verdict *, struct arena *);
void findings_release(struct findings *);

/* Whether an executed command, by its verb, meant to change something (docker restart, kubectl apply,
 * ./restore.sh ...); judged on its first simple command only. */
bool command_means_change(const char *command);

#endif
