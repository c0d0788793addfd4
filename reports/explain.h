/* explain: the kinds of findings: what each means, why it bites, and how to mend it. */
#ifndef REHEARSE_REPORTS_EXPLAIN_H
#define REHEARSE_REPORTS_EXPLAIN_H

#include "reports/findings.h"

struct finding_kind {
    const char *id;
    const char *title;      /* a short noun phrase */
    enum severity severity; /* where no gate and no target falls because of it */
    /* bits 1u << GATE_...: if one of these failed, a finding of this kind is an error */
    unsigned gates;
    unsigned measures; /* bits 1u << MEASURE_...: likewise for missed targets */
    const char *why;   /* why it bites */
    const char *mend;  /* how to mend it */
};

extern const struct finding_kind finding_kinds[];        /* sorted by id, ends with a NULL id */
const struct finding_kind *finding_kind(const char *id); /* NULL: no such kind */
/* The nearest known id to a mistyped one, or NULL. */
const char *finding_kind_near(const char *id);

#endif
