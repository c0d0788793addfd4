/* The operator: who hears of the failure, acknowledges, and decides to roll back.
 *
 * Sources of the default times (medians and 95th percentiles):
 *  - acknowledgement, on call: Google's "Site Reliability Engineering" (2016), chapter 11, asks for
 *    a response within 5 minutes for services that users see; we take that as the 95th percentile.
 *  - typing or pasting a command: the keystroke-level model (Card, Moran and Newell 1980): about
 *    1.35 s to think, 1.1 s to point, 0.4 s to move hands, some keys: 5 s a pasted command.
 *  - reading: 238 words a minute (Brysbaert 2019), about twelve words a line: 3 s.
 *  - noticing, deciding, patience, hesitation: no good source; assumed, and meant to be set by the
 *    drill. Nobody takes over unless the drill says so.
 */
#include "sim/world/parts.h"

#include <stdlib.h>
#include <string.h>

#include "sim/base/xalloc.h"

const char *const operator_delay_names[DELAYS] = {
    [DELAY_NOTICE] = "notice",     [DELAY_NOTIFY] = "notify",
    [DELAY_ACK] = "ack",           [DELAY_DECIDE] = "decide",
    [DELAY_TYPE] = "type",         [DELAY_READ] = "read",
    [DELAY_PATIENCE] = "patience", [DELAY_HESITATION] = "hesitation",
    [DELAY_HANDOVER] = "handover",
};

/* median, 95th percentile */
#define LOGNORMAL(p50, p95)                                                                        \
    {                                                                                              \
        p50, p95, DELAY_LOGNORMAL                                                                  \
    }
#define ALWAYS(time)                                                                               \
    {                                                                                              \
        time, time, DELAY_LOGNORMAL                                                                \
    }

static const struct model_operator profiles[] = {
    {.profile = "automation",
     .delay = {[DELAY_NOTICE] = LOGNORMAL(10 * MINUTE, 30 * MINUTE),
               [DELAY_PATIENCE] = ALWAYS(5 * MINUTE),
               [DELAY_HESITATION] = ALWAYS(10 * MINUTE)}},
    {.profile = "on_call",
     .delay = {[DELAY_NOTICE] = LOGNORMAL(10 * MINUTE, 30 * MINUTE),
               [DELAY_NOTIFY] = LOGNORMAL(15 * SECOND, 60 * SECOND),
               [DELAY_ACK] = LOGNORMAL(2 * MINUTE, 5 * MINUTE),
               [DELAY_DECIDE] = LOGNORMAL(4 * MINUTE, 10 * MINUTE),
               [DELAY_TYPE] = LOGNORMAL(5 * SECOND, 12 * SECOND),
               [DELAY_READ] = LOGNORMAL(3 * SECOND, 6 * SECOND),
               [DELAY_PATIENCE] = ALWAYS(15 * MINUTE),
               [DELAY_HESITATION] = ALWAYS(10 * MINUTE)}},
    {.profile = "team",
     .delay = {[DELAY_NOTICE] = LOGNORMAL(8 * MINUTE, 25 * MINUTE),
               [DELAY_NOTIFY] = LOGNORMAL(15 * SECOND, 60 * SECOND),
               [DELAY_ACK] = LOGNORMAL(2 * MINUTE, 5 * MINUTE),
               [DELAY_DECIDE] = LOGNORMAL(10 * MINUTE, 25 * MINUTE),
               [DELAY_TYPE] = LOGNORMAL(6 * SECOND, 15 * SECOND),
               [DELAY_READ] = LOGNORMAL(3 * SECOND, 6 * SECOND),
               [DELAY_PATIENCE] = ALWAYS(30 * MINUTE),
               [DELAY_HESITATION] = ALWAYS(20 * MINUTE)}},
};

bool model_operator_profile(const char *name, struct model_operator *ret)
{
    for (size_t i = 0; i < sizeof profiles / sizeof *profiles; i++)
        if (strcmp(profiles[i].profile, name) == 0) {
            *ret = profiles[i];
            return true;
        }
    return false;
}

struct operator
{
    const struct model_trigger *trigger; /* that was heard first; NULL: a person noticed */
    const struct model_rule *rule;       /* of the matrix, once acknowledged; NULL: none fits */
    bool heard, noticing, left;
    int64_t held_since_ns, hesitation_ns;
    int64_t patience_ns;
};

static int64_t draw(struct world *world, const struct model_delay *delay, const char *purpose)
{
    struct stream *stream = world_stream(world, "operator", purpose);
    double low = (double)delay->p50_ns, high = (double)delay->p95_ns;
    if (delay->shape == DELAY_UNIFORM)
        return (int64_t)(low + (high - low) * stream_uniform(stream));
    if (delay->p50_ns <= 0)
        return 0;
    if (delay->shape == DELAY_EXPONENTIAL)
        return (int64_t)stream_exponential(stream, low);
    if (delay->p95_ns <= delay->p50_ns)
        return delay->p50_ns;
    double sigma = exact_log(high / low) / 1.6448536269514722;
    double factor = stream_lognormal(stream, 0, sigma);
    return (int64_t)((double)delay->p50_ns * (factor < 20 ? factor : 20));
}

static int64_t draw_named(struct world *world, enum operator_delay which)
{
    return draw(world, &world->model->operator.delay[which], operator_delay_names[which]);
}

/* ---- the decision ---- */

/* The first row that fits a trigger (NULL: what a person noticed), or NULL. */
static const struct model_rule *rule_for(const struct world *world,
                                         const struct model_trigger *trigger)
{
    for (int i = 0; i < world->model->n_rules; i++) {
        const struct model_rule *rule = &world->model->rules[i];
        if (strcmp(rule->trigger, "*") == 0 ||
            (trigger &&
             (strcmp(rule->trigger, trigger->id) == 0 || strcmp(rule->trigger, trigger->act) == 0)))
            return rule;
    }
    return NULL;
}

/* Who acknowledges looks at every alarm that fires, not only at the one that woke them: of the rows
 * that fit these, the highest that says to roll back counts, and only where each says not to is
 * nothing done. False: nothing is to be done. */
static bool consult(struct world *world)
{
    struct operator* operator= world->operator;
    const struct model_rule *best = rule_for(world, operator->trigger);
    bool decided = !best || best->rollback; /* without a row nothing stands against it */
    for (int i = 0; i < world->model->triggers.n; i++) {
        const struct model_trigger *trigger = triggers_firing(world, i);
        const struct model_rule *rule = trigger ? rule_for(world, trigger) : NULL;
        if (!rule || !rule->rollback || (decided && best && best <= rule))
            continue;
        best = rule;
        decided = true;
    }
    operator->rule = best;
    return decided;
}

static void decide(struct world *world, void *ctx)
{
    (void)ctx;
    struct operator* operator= world->operator;
    int64_t *instants = world->record->instants;
    if (instants[T_DECIDE] != NEVER)
        return;
    const char *guard = triggers_guard(world);
    if (guard) {
        if (operator->held_since_ns == NEVER) {
            operator->held_since_ns = world->now_ns;
            operator->hesitation_ns = draw_named(world, DELAY_HESITATION);
            record_event(world->record, EVENT_OPERATOR, guard,
                         "a reason not to roll back holds: the decision waits");
        }
        if (world->now_ns - operator->held_since_ns<operator->hesitation_ns) {
            world_schedule(world, world->now_ns + 15 * SECOND, PRIORITY_OPERATOR, decide, NULL);
            return;
        }
    }
    instants[T_DECIDE] = world->now_ns;
    /* a decision that the drill sets comes from people who know already */
    for (int i = T_DETECT; i <= T_ACK; i++)
        if (instants[i] == NEVER && instants[T_CHANGE] != NEVER)
            instants[i] = world->now_ns;
    if (world->model->operator.decide_at_ns)
        (void)consult(world); /* it is decided whatever the matrix says; who decides stands there */
    const struct model_rule *rule = operator->rule;
    record_event(world->record, EVENT_OPERATOR,
                 rule && rule->authority ? rule->authority : "operator", "decides to roll back%s%s",
                 rule && rule->severity ? ", " : "", rule && rule->severity ? rule->severity : "");
    world_mark(world, "decide", 1);
    world_touch_outside(world);
}

static bool by_automation(const struct world *world)
{
    const struct model_trigger *trigger = world->operator->trigger;
    return strcmp(world->model->operator.profile, "automation") == 0 && trigger &&
           trigger->mode == MODE_AUTO;
}

static void acknowledge(struct world *world, void *ctx)
{
    (void)ctx;
    if (world->record->instants[T_ACK] == NEVER)
        world->record->instants[T_ACK] = world->now_ns;
    record_event(world->record, EVENT_OPERATOR, world->model->operator.profile, "acknowledges");
    bool decided = consult(world);
    const struct model_rule *rule = world->operator->rule;
    if (!decided) {
        record_event(world->record, EVENT_OPERATOR, rule->trigger,
                     "the decision rules say: no rollback");
        world->operator->heard = false; /* another alarm starts anew */
        world->operator->trigger = NULL;
        return;
    }
    if (world->model->operator.decide_at_ns)
        return; /* the drill has set it */
    int64_t wait_ns = draw_named(world, DELAY_DECIDE);
    if (rule && rule->response.p50_ns)
        wait_ns = draw(world, &rule->response, "response");
    world_schedule(world, world->now_ns + wait_ns, PRIORITY_OPERATOR, decide, NULL);
}

static void hear(struct world *world)
{
    struct operator* operator= world->operator;
    if (operator->heard)
        return;
    operator->heard = true;
    int64_t wait_ns =
        by_automation(world) ? 0 : draw_named(world, DELAY_NOTIFY) + draw_named(world, DELAY_ACK);
    world_schedule(world, world->now_ns + wait_ns, PRIORITY_OPERATOR, acknowledge, NULL);
}

/* ---- detection ---- */

void operator_alert(struct world *world, const struct model_trigger *trigger)
{
    int64_t *instants = world->record->instants;
    if (trigger->mode == MODE_GUARD || instants[T_CHANGE] == NEVER)
        return; /* a guard is no alarm, and before the change every alarm is a false one */
    if (instants[T_DETECT] == NEVER)
        instants[T_DETECT] = world->now_ns;
    if (!world->operator->heard)
        world->operator->trigger = trigger;
    hear(world);
}

static void notice(struct world *world, void *ctx)
{
    (void)ctx;
    int64_t *instants = world->record->instants;
    if (instants[T_DETECT] != NEVER)
        return;
    if (world->judge.in_target && instants[T_MITIGATE] != NEVER) {
        world->operator->noticing = false; /* it was over before anybody looked */
        return;
    }
    instants[T_DETECT] = world->now_ns;
    record_event(world->record, EVENT_OPERATOR, "a person", "notices that something is wrong");
    hear(world);
}

void operator_impact(struct world *world)
{
    if (world->operator->noticing)
        return;
    world->operator->noticing = true;
    world_schedule(world, world->now_ns + draw_named(world, DELAY_NOTICE), PRIORITY_OPERATOR,
                   notice, NULL);
}

/* ---- at the keyboard ---- */

int64_t world_typing_ns(struct world *world, size_t command_bytes)
{
    return command_bytes ? draw_named(world, DELAY_TYPE) : 0; /* pasted, whatever its length */
}

int64_t world_reading_ns(struct world *world, int lines)
{
    int64_t one_ns = lines > 0 ? draw_named(world, DELAY_READ) : 0;
    return one_ns * (lines < 1000 ? lines : 1000);
}

int64_t world_patience_ns(const struct world *world)
{
    return world->operator->patience_ns;
}

bool world_goes_on(struct world *world, int n, int64_t *ret_resume_ns)
{
    const struct model_operator *model = &world->model->operator;
    if (!model->stops_after_step || n <= model->stops_after_step || world->operator->left)
        return true;
    world->operator->left = true;
    int64_t handover_ns = draw_named(world, DELAY_HANDOVER);
    *ret_resume_ns = handover_ns ? world->now_ns + handover_ns : NEVER;
    record_event(world->record, EVENT_OPERATOR, model->profile, "leaves before step %d%s", n,
                 handover_ns ? "; somebody else takes over" : "");
    return false;
}

/* ---- life ---- */

void operator_init(struct world *world)
{
    world->operator= xcalloc(1, sizeof *world->operator);
    world->operator->held_since_ns = NEVER;
    world->operator->patience_ns = draw_named(world, DELAY_PATIENCE);
    if (world->model->operator.decide_at_ns)
        world_schedule(world, world->model->operator.decide_at_ns, PRIORITY_OPERATOR, decide, NULL);
}

void operator_release(struct world *world)
{
    free(world->operator);
}
