#include "procedures/drill/impossible.h"

#include <inttypes.h>
#include <string.h>

#include "sim/base/doc.h"

/* Windows and thresholds give no bound: a failure may be bad enough to fill any average at once. */
static int64_t least_ns(const struct model_condition *condition, int64_t eval_ns)
{
    int64_t every_ns = condition->every_ns ? condition->every_ns : eval_ns;
    int64_t least = condition->for_ns;
    if (condition->consecutive > 1 && (condition->consecutive - 1) * every_ns > least)
        least = (condition->consecutive - 1) * every_ns;
    if (condition->m > 1 && (condition->m - 1) * every_ns > least)
        least = (condition->m - 1) * every_ns;
    int64_t parts = 0;
    for (int i = 0; i < condition->n_parts; i++) {
        int64_t part = least_ns(&condition->parts[i], eval_ns);
        bool first = i == 0;
        if (condition->kind == CONDITION_ALL)
            parts = first || part > parts ? part : parts;
        else
            parts = first || part < parts ? part : parts;
    }
    return least + parts + condition->delay_ns;
}

int64_t trigger_least_ns(const struct model_trigger *trigger, int64_t eval_ns)
{
    return least_ns(&trigger->when, eval_ns);
}

static bool raises_alarm(const struct model_trigger *trigger)
{
    return trigger->mode != MODE_GUARD;
}

static const struct model_trigger *detector(const struct model *model, const struct record *record)
{
    for (int i = 0; i < record->n_events; i++) {
        const struct event *event = &record->events[i];
        if (event->kind != EVENT_ALERT || event->at_ns != record->instants[T_DETECT] ||
            strncmp(event->text, "fires", 5) != 0)
            continue;
        for (int k = 0; k < model->triggers.n; k++) {
            if (strcmp(model->triggers.at[k].id, event->subject) == 0 &&
                raises_alarm(&model->triggers.at[k]))
                return &model->triggers.at[k];
        }
    }
    return NULL;
}

static const struct model_trigger *fastest(const struct model *model)
{
    const struct model_trigger *best = NULL;
    for (int i = 0; i < model->triggers.n; i++) {
        const struct model_trigger *trigger = &model->triggers.at[i];
        if (raises_alarm(trigger) && (!best || trigger_least_ns(trigger, model->triggers.eval_ns) <
                                                   trigger_least_ns(best, model->triggers.eval_ns)))
            best = trigger;
    }
    return best;
}

void impossible_observe(const struct model *model, struct record *record)
{
    const struct model_trigger *trigger =
        record->instants[T_DETECT] == NEVER ? fastest(model) : detector(model, record);
    if (!trigger)
        return;
    int64_t least = trigger_least_ns(trigger, model->triggers.eval_ns);
    for (int i = 0; i < record->n_targets; i++) {
        const struct target *target = &record->targets[i];
        if (target->measure != MEASURE_TIME_TO_DETECT || (double)least / 1e9 < target->limit)
            continue;
        record->current_step = 0;
        record_observe(record, "impossible_target", trigger->say ? trigger->say : trigger->id,
                       "trigger '%s' fires after %" PRId64
                       " s at the earliest, and the target for detection is %.0f s",
                       trigger->id, least / SECOND, target->limit);
    }
}
