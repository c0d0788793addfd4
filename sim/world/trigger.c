/* Triggers, on line, to the tick.
 *
 * Ticks t_k = k E. At each, a leaf takes the value that a monitoring system would see (latest
 * sample within the lookback), compares it, and applies exactly one way of insisting: for a
 * duration (n = ceil(D / E) + 1 ticks in a row, as Prometheus does), n in a row, m of the last n.
 * Then what holds a firing up: keep, clear level, cooldown.
 */
#include "sim/world/metrics.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "sim/base/xalloc.h"

enum { HISTORY = 64 }; /* ticks of m-of-n that are remembered; the loader refuses a longer n */

/* The state of one condition; parts of all and any have their own, in a tree that mirrors the
 * model's. */
struct watch {
    const struct model_condition *model;
    struct watch *parts;
    struct sampled *metric, *denominator, *baseline;
    int64_t in_a_row;    /* ticks that breached without a break */
    uint64_t history;    /* of breaches, newest in bit 0 */
    int64_t breached_ns; /* the latest breach */
    int64_t next_ns;     /* the next tick of its own */
    int64_t declared_ns; /* of an event */
    int64_t fired_ns;
    bool base_firing, firing;
    struct series *trace; /* or NULL */
};
struct alarm {
    const struct model_trigger *model;
    struct watch watch;
    bool firing;
};
struct triggers {
    struct alarm *at;
    int n;
    int64_t eval_ns, lookback_ns;
    bool ticking; /* else somebody has seen something between two ticks, and no metric is read */
};

/* ---- values ---- */

static int64_t window_first(const struct sampled *sampled, int64_t from_ns)
{
    return sampled_at(sampled, from_ns) + 1;
}

static double over_window(const struct sampled *sampled, enum aggregate how, int64_t from_ns,
                          int64_t to_ns)
{
    int first = (int)window_first(sampled, from_ns), last = sampled_at(sampled, to_ns);
    double sum = 0, low = NAN, high = NAN;
    int n = 0;
    for (int i = first; i <= last; i++) {
        double value = sampled->series->value[i];
        if (value != value)
            continue; /* a gap */
        if (n++ == 0)
            low = high = value;
        sum += value;
        low = value < low ? value : low;
        high = value > high ? value : high;
    }
    if (n == 0)
        return NAN;
    switch (how) {
    case AGG_AVG:
        return sum / n;
    case AGG_MIN:
        return low;
    case AGG_MAX:
        return high;
    default:
        return sum;
    }
}

/* How much a counter grew; a counter that restarts counts from zero. NaN without a sample at each
 * end. */
static double growth(const struct sampled *sampled, int64_t from_ns, int64_t to_ns,
                     int64_t lookback_ns)
{
    double then = sampled_value(sampled, from_ns, lookback_ns),
           now = sampled_value(sampled, to_ns, lookback_ns);
    return now < then ? now : now - then;
}

static double ratio_of(const struct sampled *part, const struct sampled *whole, int64_t from_ns,
                       int64_t to_ns, int64_t lookback_ns)
{
    double q = growth(whole, from_ns, to_ns, lookback_ns);
    return q != 0 ? growth(part, from_ns, to_ns, lookback_ns) / q : NAN;
}

static double aggregate(const struct watch *watch, int64_t now_ns, int64_t lookback_ns)
{
    const struct model_condition *model = watch->model;
    int64_t from_ns = now_ns - model->window_ns;
    switch (model->aggregate) {
    case AGG_LAST:
        return sampled_value(watch->metric, now_ns, lookback_ns);
    case AGG_INC:
        return growth(watch->metric, from_ns, now_ns, lookback_ns);
    case AGG_RATE:
        return growth(watch->metric, from_ns, now_ns, lookback_ns) /
               ((double)model->window_ns * 1e-9);
    case AGG_RATIO:
        return ratio_of(watch->metric, watch->denominator, from_ns, now_ns, lookback_ns);
    default:
        return over_window(watch->metric, model->aggregate, from_ns, now_ns);
    }
}

static double against_baseline(const struct watch *watch, double value, int64_t now_ns,
                               int64_t lookback_ns)
{
    const struct model_condition *model = watch->model;
    if (model->baseline == BASE_NONE)
        return value;
    int64_t at_ns = now_ns - model->baseline_offset_ns;
    double base = model->baseline_window_ns ? over_window(watch->baseline, AGG_AVG,
                                                          at_ns - model->baseline_window_ns, at_ns)
                                            : sampled_value(watch->baseline, at_ns, lookback_ns);
    if (model->baseline == BASE_ADD)
        return value - base;
    /* over a baseline of zero everything is infinitely more, and nothing is nothing (NaN), as in
     * Prometheus */
    return model->baseline == BASE_TIMES ? value / base : value / base - 1;
}

static bool compare(enum comparison op, double value, double threshold)
{
    switch (op) {
    case OP_GREATER:
        return value > threshold;
    case OP_AT_LEAST:
        return value >= threshold;
    case OP_LESS:
        return value < threshold;
    case OP_AT_MOST:
        return value <= threshold;
    case OP_EQUAL:
        return value == threshold;
    case OP_DIFFERENT:
        return value != threshold;
    }
    return false;
}

/* ---- when it counts ---- */

static bool split_traffic(const struct world *world)
{
    for (int i = 0; i < world->n_services; i++) {
        int versions = 0;
        for (int v = 0; v < world->services[i].model->n_versions; v++)
            versions += world->services[i].groups[v].instances > 0;
        if (versions > 1)
            return true;
    }
    return false;
}

static bool in_scope(const struct world *world, const struct model_condition *model)
{
    int64_t change_ns = world->record->instants[T_CHANGE];
    int64_t since_ns =
        change_ns == NEVER ? 0 : change_ns; /* probes wait after the start and after a change */
    if (world->now_ns < since_ns + model->delay_ns)
        return false;
    switch (model->scope) {
    case SCOPE_ALWAYS:
        return true;
    case SCOPE_POST_DEPLOY:
        return change_ns != NEVER;
    case SCOPE_POST_MITIGATION:
        return world->record->n_steps > 0; /* somebody has tried something */
    case SCOPE_CANARY:
        return split_traffic(world);
    }
    return true;
}

/* ---- one leaf at one of its ticks ---- */

static int64_t ticks(int64_t duration_ns, int64_t every_ns)
{
    return (duration_ns + every_ns - 1) / every_ns;
}

static bool insists(const struct watch *watch, int64_t every_ns)
{
    const struct model_condition *model = watch->model;
    if (model->of_n) {
        uint64_t mask = model->of_n >= HISTORY ? ~UINT64_C(0) : (UINT64_C(1) << model->of_n) - 1;
        return __builtin_popcountll(watch->history & mask) >= model->m;
    }
    if (model->consecutive)
        return watch->in_a_row >= model->consecutive;
    return watch->in_a_row >= (model->for_ns ? ticks(model->for_ns, every_ns) + 1 : 1);
}

static bool above_clear(const struct model_condition *model, double value)
{
    if (model->clear != model->clear || value != value)
        return false;
    bool upwards = model->op == OP_GREATER || model->op == OP_AT_LEAST;
    return upwards ? value > model->clear : value < model->clear;
}

static void leaf_tick(struct world *world, struct watch *watch, double value, int64_t every_ns)
{
    const struct model_condition *model = watch->model;
    bool known = value == value, breach = known && compare(model->op, value, model->threshold);
    if (!known && model->missing == MISS_HOLD)
        return; /* everything stays as it was */
    if (!known && model->missing == MISS_BAD)
        breach = true;
    if (!in_scope(world, model))
        breach = false;
    watch->history = watch->history << 1 | breach;
    watch->in_a_row = breach ? watch->in_a_row + 1 : 0;
    if (breach)
        watch->breached_ns = world->now_ns;
    bool fires = insists(watch, every_ns), was = watch->base_firing;
    if (!fires && was && model->keep_ns && watch->breached_ns != NEVER)
        fires = world->now_ns - watch->breached_ns <= ticks(model->keep_ns, every_ns) * every_ns;
    if (!fires && was && above_clear(model, value))
        fires = true;
    watch->base_firing = fires;
    if (fires && !was && model->cooldown_ns && watch->fired_ns != NEVER &&
        world->now_ns - watch->fired_ns < model->cooldown_ns)
        watch->base_firing = fires = false; /* merged into the firing before */
    if (fires && !was)
        watch->fired_ns = world->now_ns;
    watch->firing = fires;
}

static bool burns(const struct watch *watch, int64_t now_ns, int64_t lookback_ns)
{
    const struct model_condition *model = watch->model;
    for (int i = 0; i < model->n_burns; i++) {
        const struct model_burn *burn = &model->burns[i];
        double limit = burn->factor * (1 - model->slo);
        double slow = ratio_of(watch->metric, watch->denominator, now_ns - burn->long_ns, now_ns,
                               lookback_ns);
        double fast = ratio_of(watch->metric, watch->denominator, now_ns - burn->short_ns, now_ns,
                               lookback_ns);
        if (slow > limit && fast > limit)
            return true;
    }
    return false;
}

static bool evaluate(struct world *world, struct watch *watch);

static bool evaluate_parts(struct world *world, struct watch *watch)
{
    bool all = watch->model->kind == CONDITION_ALL, result = all;
    for (int i = 0; i < watch->model->n_parts; i++) {
        bool part = evaluate(world, &watch->parts[i]); /* every part, so that each keeps count */
        result = all ? result && part : result || part;
    }
    return result;
}

static bool evaluate(struct world *world, struct watch *watch)
{
    const struct model_condition *model = watch->model;
    const struct triggers *triggers = world->triggers;
    switch (model->kind) {
    case CONDITION_ALL:
    case CONDITION_ANY:
        return evaluate_parts(world, watch);
    case CONDITION_EVENT:
        return watch->declared_ns != NEVER && world->now_ns - watch->declared_ns >= model->for_ns;
    case CONDITION_BURN:
        return burns(watch, world->now_ns, triggers->lookback_ns);
    case CONDITION_METRIC:
        break;
    }
    int64_t every_ns = model->every_ns ? model->every_ns : triggers->eval_ns;
    if (!triggers->ticking || world->now_ns < watch->next_ns)
        return watch->firing;
    watch->next_ns += every_ns;
    double value = aggregate(watch, world->now_ns, triggers->lookback_ns);
    value = against_baseline(watch, value, world->now_ns, triggers->lookback_ns);
    if (watch->trace) /* where it does not count, there is nothing to see */
        series_add(watch->trace, world->now_ns, in_scope(world, model) ? value : NAN);
    leaf_tick(world, watch, value, every_ns);
    return watch->firing;
}

/* ---- alarms ---- */

static void look(struct world *world, struct alarm *alarm)
{
    bool fires = evaluate(world, &alarm->watch);
    if (fires == alarm->firing)
        return;
    alarm->firing = fires;
    const char *say = alarm->model->say ? alarm->model->say : alarm->model->id;
    record_event(world->record, EVENT_ALERT, alarm->model->id, "%s: %s", fires ? "fires" : "clears",
                 say);
    world_mark(world, alarm->model->id, fires);
    if (fires)
        operator_alert(world, alarm->model);
}

/* The next instant at which any trigger has a tick: the file's, or a probe's own. */
static int64_t next_tick(const struct watch *watch, int64_t soonest_ns)
{
    for (int i = 0; i < watch->model->n_parts; i++)
        soonest_ns = next_tick(&watch->parts[i], soonest_ns);
    if (watch->model->kind == CONDITION_METRIC && watch->model->every_ns &&
        watch->next_ns < soonest_ns)
        soonest_ns = watch->next_ns;
    return soonest_ns;
}

static void tick(struct world *world, void *ctx);

static void schedule_tick(struct world *world)
{
    const struct triggers *triggers = world->triggers;
    int64_t next_ns = (world->now_ns / triggers->eval_ns + 1) * triggers->eval_ns;
    for (int i = 0; i < triggers->n; i++)
        next_ns = next_tick(&triggers->at[i].watch, next_ns);
    assert(next_ns > world->now_ns);
    world_schedule(world, next_ns, PRIORITY_TRIGGER, tick, NULL);
}

/* A trigger is looked at when the file's tick or one of its own probes is due, never because of
 * another's. */
static void tick(struct world *world, void *ctx)
{
    (void)ctx;
    struct triggers *triggers = world->triggers;
    bool all = world->now_ns % triggers->eval_ns == 0;
    triggers->ticking = true;
    for (int i = 0; i < triggers->n; i++)
        if (all || next_tick(&triggers->at[i].watch, INT64_MAX) <= world->now_ns)
            look(world, &triggers->at[i]);
    triggers->ticking = false;
    schedule_tick(world);
}

/* True: something waited for it that asks for no while. */
static bool declare(struct watch *watch, const char *event, int64_t now_ns)
{
    bool at_once = false;
    for (int i = 0; i < watch->model->n_parts; i++)
        at_once = declare(&watch->parts[i], event, now_ns) || at_once;
    if (watch->model->kind != CONDITION_EVENT || watch->declared_ns != NEVER ||
        strcmp(watch->model->metric, event) != 0)
        return at_once;
    watch->declared_ns = now_ns;
    return !watch->model->for_ns;
}

void triggers_event(struct world *world, const char *event)
{
    struct triggers *triggers = world->triggers;
    for (int i = 0; i < triggers->n; i++) {
        struct alarm *alarm = &triggers->at[i];
        if (declare(&alarm->watch, event, world->now_ns))
            look(world, alarm); /* people do not wait for a tick */
    }
}

const struct model_trigger *triggers_firing(const struct world *world, int i)
{
    const struct alarm *alarm = &world->triggers->at[i];
    return alarm->firing && alarm->model->mode != MODE_GUARD ? alarm->model : NULL;
}

const char *triggers_guard(const struct world *world)
{
    for (int i = 0; i < world->triggers->n; i++)
        if (world->triggers->at[i].firing && world->triggers->at[i].model->mode == MODE_GUARD)
            return world->triggers->at[i].model->id;
    return NULL;
}

/* ---- life ---- */

static void watch_init(struct world *world, struct watch *watch,
                       const struct model_condition *model)
{
    watch->model = model;
    watch->breached_ns = watch->declared_ns = watch->fired_ns = NEVER;
    watch->parts = ARENA_ARRAY(&world->arena, struct watch, model->n_parts);
    for (int i = 0; i < model->n_parts; i++)
        watch_init(world, &watch->parts[i], &model->parts[i]);
    if (model->kind != CONDITION_METRIC && model->kind != CONDITION_BURN)
        return;
    watch->metric = metric_watch(world, model->metric);
    if (model->denominator)
        watch->denominator = metric_watch(world, model->denominator);
    if (model->baseline != BASE_NONE)
        watch->baseline =
            metric_watch(world, model->baseline_metric ? model->baseline_metric : model->metric);
    watch->next_ns = model->every_ns ? model->every_ns : world->triggers->eval_ns;
}

void triggers_init(struct world *world)
{
    const struct model_triggers *model = &world->model->triggers;
    struct triggers *triggers = world->triggers = xcalloc(1, sizeof *triggers);
    triggers->eval_ns = model->eval_ns;
    triggers->lookback_ns = model->lookback_ns;
    triggers->n = model->n;
    triggers->at = xcalloc((size_t)model->n, sizeof *triggers->at);
    for (int i = 0; i < model->n; i++) {
        triggers->at[i].model = &model->at[i];
        watch_init(world, &triggers->at[i].watch, &model->at[i].when);
        if (model->traced && strcmp(model->traced, model->at[i].id) == 0)
            triggers->at[i].watch.trace =
                record_series(world->record, "trigger_value", model->traced, "");
    }
    if (model->n)
        schedule_tick(world);
}

void triggers_release(struct world *world)
{
    free(world->triggers->at);
    free(world->triggers);
}
