/* record_samples: small run records made by hand, for tests of reports. All are freed with
 * record_free. */
#ifndef REHEARSE_TESTS_RECORD_SAMPLES_H
#define REHEARSE_TESTS_RECORD_SAMPLES_H

#include "sim/record.h"

/* Nothing happened: identity and the default targets, no instant, no store, no step. */
struct record *sample_empty(void);
/* A rollback that went well: every target met, every gate passed. */
struct record *sample_good(void);
/* A restore that lost records, a step that failed and was not noticed, a claim that was never true.
 * Output has invalid UTF-8, control characters and markup. */
struct record *sample_bad(void);

void sample_target(struct record *, enum measure, double limit, bool at_least);
struct ledger_row *sample_store(struct record *, const char *store, int64_t acknowledged,
                                int64_t lost);
struct end_state *sample_state(struct record *, const char *subject, const char *property,
                               const char *value, const char *wanted);
/* A step from start to end (seconds) with that exit status. */
struct step *sample_step(struct record *, int line, const char *command, double start_s,
                         double end_s, int exit_status);

#endif
