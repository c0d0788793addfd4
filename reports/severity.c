#include "reports/severity.h"

#include <string.h>

#include "reports/command_line.h"
#include "reports/explain.h"

/* Bits 1u << GATE_... and 1u << MEASURE_... */
struct reach {
    unsigned gates, measures;
};

static bool comes_after(const struct record *record, const struct step *step, enum instant instant)
{
    return record->instants[instant] != NEVER && step->start_ns >= record->instants[instant];
}

/* What the step can have brought down, of what its kind of finding can. */
static struct reach reach_of(const struct record *record, const struct finding_kind *kind, int step)
{
    struct reach reach = {kind->gates, kind->measures};
    if (step < 1 || step > record->n_steps || kind->severity == SEVERITY_ERROR)
        return reach;
    const struct step *at = &record->steps[step - 1];
    bool went_on = step < record->n_steps || record->procedure_exit == 0;
    if (went_on && command_only_looks(at->command)) {
        reach.gates &= 1u << GATE_FALSE_SUCCESS; /* somebody should have seen what it saw */
        reach.measures = 0;
    }
    if (went_on) /* then it was not this that kept it from saying that it was done */
        reach.measures &= ~(1u << MEASURE_CLAIM_ERROR);
    if (comes_after(record, at, T_RESTORE))
        reach.measures &= ~(1u << MEASURE_ROLLBACK);
    if (comes_after(record, at, T_STABLE))
        reach.measures &= ~(1u << MEASURE_TIME_TO_STABLE);
    return reach;
}

enum severity severity_of(const struct record *record, const struct verdict *verdict,
                          const char *id, int step)
{
    const struct finding_kind *kind = finding_kind(id);
    if (!kind)
        return SEVERITY_WARNING;
    struct reach reach = reach_of(record, kind, step);
    for (int i = 0; i < GATES; i++) {
        if ((reach.gates >> i & 1) && verdict->gates[i].outcome == OUTCOME_FAIL)
            return SEVERITY_ERROR;
    }
    for (int i = 0; i < verdict->n_targets; i++) {
        const struct target_result *target = &verdict->targets[i];
        if ((reach.measures >> target->target->measure & 1) && target->outcome == OUTCOME_FAIL)
            return SEVERITY_ERROR;
    }
    return kind->severity;
}
