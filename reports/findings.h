/* findings: what is true and wrong about the playbook, each with its place, its evidence and the
 * command that shows it again.
 *
 * Made from a finished record and its verdict: observations of the run are taken over, the rest is
 * read off steps, ledger, end state and instants. Ids are stable (explain.h lists them). Severity:
 * an error if a gate or a target falls because of it, a warning if it would in another run, else a
 * note. Sorted by severity, place and id, so that the same run always lists the same.
 */
#ifndef REHEARSE_REPORTS_FINDINGS_H
#define REHEARSE_REPORTS_FINDINGS_H

#include "reports/score.h"

enum severity { SEVERITY_ERROR, SEVERITY_WARNING, SEVERITY_NOTE };
extern const char *const severity_names[]; /* "error", "warning", "note" */

struct finding {
    const char *id;
    enum severity severity;
    const char *file;     /* the playbook, as the user named it; never NULL */
    int line;             /* 0: about the whole file */
    int step;             /* 0: none */
    int64_t at_ns;        /* NEVER: about no instant */
    const char *message;  /* one line, in words for the owner of the playbook */
    const char *evidence; /* what was seen, may be several lines or "" */
    const char *replay;
    bool explained; /* the message names its cause */
    /* the rule of lint that sees the same at that line, in that script, or for a claim before it;
     * or NULL */
    const struct static_note *lint;
    const struct waiver *waiver; /* in force for it, or NULL */
    int measure;                 /* of a missed target: which; else -1 */
};

struct findings {
    struct finding *at;
    int n, cap;
};

/* Strings live in the arena or the record; the list itself is freed by findings_release. */
void findings_make(struct findings *, const struct record *, const struct verdict *,
                   struct arena *);
/* Takes out of the verdict every failed gate and missed target whose findings are all waived.
 * Nothing excuses an escape: then the rehearsal itself was not safe. */
void findings_waive(const struct findings *, struct verdict *);
void findings_release(struct findings *);

#endif
