#include <string.h>

#include "procedures/drill/load.h"
#include "procedures/drill/model_load.h"

const char *const model_drill_keys[] = {"start",    "horizon",  "stable_for", "change",
                                        "faults",   "operator", "good_state", "triggers",
                                        "decision", NULL};

int load_delay(const struct doc *node, struct model_delay *ret, struct error *error)
{
    static const char *const keys[] = {"p50", "p95", "exponential", "uniform", NULL};
    const struct doc *exponential = doc_get(node, "exponential"),
                     *uniform = doc_get(node, "uniform");
    if (!node)
        return 0;
    struct model_delay delay = {.shape = DELAY_LOGNORMAL};
    if (node->kind == DOC_MAPPING && node->n > 1 && (exponential || uniform))
        return doc_error(node, error, "'exponential' or 'uniform' stands alone");
    if (exponential) {
        delay.shape = DELAY_EXPONENTIAL;
        TRY(doc_duration(exponential, &delay.p50_ns, error));
        delay.p95_ns = delay.p50_ns;
    } else if (uniform) {
        delay.shape = DELAY_UNIFORM;
        TRY(doc_want(uniform, DOC_SEQUENCE, error));
        if (uniform->n != 2)
            return doc_error(uniform, error, "expected [shortest, longest], such as [1m, 5m]");
        TRY(doc_duration(uniform->first, &delay.p50_ns, error));
        TRY(doc_duration(uniform->first->next, &delay.p95_ns, error));
        if (delay.p95_ns < delay.p50_ns)
            return doc_error(uniform, error, "the longest must not be below the shortest");
    } else if (node->kind == DOC_SCALAR) {
        TRY(doc_duration(node, &delay.p50_ns, error));
        delay.p95_ns = delay.p50_ns;
    } else {
        TRY(doc_only(node, keys, error));
        TRY(doc_duration(doc_get(node, "p50"), &delay.p50_ns, error));
        delay.p95_ns = delay.p50_ns;
        TRY(doc_duration(doc_get(node, "p95"), &delay.p95_ns, error));
    }
    if (delay.p95_ns < delay.p50_ns)
        return doc_error(node, error, "p95 must not be below p50");
    if (delay.shape == DELAY_LOGNORMAL && delay.p50_ns == 0 && delay.p95_ns > 0)
        return doc_error(
            node, error,
            "a median of 0 with a 95th percentile above it is no lognormal; use uniform");
    if (delay.p95_ns > 30 * DAY)
        return doc_error(node, error, "a person's time is at most 30d");
    *ret = delay;
    return 0;
}

/* ---- changes ---- */

static int load_pairs(struct arena *arena, const struct doc *node, const struct model_pair **ret,
                      int *ret_n, struct error *error)
{
    if (!node)
        return 0;
    TRY(doc_want(node, DOC_MAPPING, error));
    struct model_pair *at = ARENA_ARRAY(arena, struct model_pair, node->n);
    *ret = at;
    EACH(child, node)
    {
        struct model_pair *pair = &at[(*ret_n)++];
        *pair = (struct model_pair){child->key, ""};
        TRY(doc_want(child, DOC_SCALAR, error));
        TRY(doc_text(child, &pair->value, error));
    }
    return 0;
}

int check_deploy(const struct doc *node, const struct model *model, struct error *error)
{
    EACH(child, node)
    {
        TRY(need_service(model, child, child->key, error));
        if (!model_version(model_service(model, child->key), child->text))
            return doc_error(child, error, "service '%s' has no version '%s'", child->key,
                             child->text);
    }
    return 0;
}

static int check_migrate(const struct doc *node, const struct model *model, struct error *error)
{
    EACH(child, node)
    {
        int64_t number = 0;
        TRY(need_store(model, child, child->key, error));
        TRY(doc_int(child, 0, INT64_MAX, &number, error));
    }
    return 0;
}

int load_share(const struct doc *node, double *ret, struct error *error)
{
    TRY(doc_ratio(node, ret, error));
    return node && *ret <= 0 ? doc_error(node, error, "0%% of it is nothing; take it out") : 0;
}

int load_at(const struct doc *node, int64_t *ret_ns, struct error *error)
{
    TRY(doc_duration(node, ret_ns, error));
    if (*ret_ns > 30 * DAY)
        return doc_error(node, error, "a run and all that is in it takes at most 30d");
    return 0;
}

static int load_change(struct arena *arena, const struct doc *node, const struct model *model,
                       struct model_change *change, struct error *error)
{
    static const char *const keys[] = {"at", "deploy", "canary", "migrate", "set", "run", NULL};
    struct doc *at = NULL;
    TRY(doc_only(node, keys, error));
    TRY(doc_need(node, "at", &at, error));
    TRY(load_at(at, &change->at_ns, error));
    TRY(load_pairs(arena, doc_get(node, "deploy"), &change->deploys, &change->n_deploys, error));
    TRY(check_deploy(doc_get(node, "deploy"), model, error));
    TRY(load_pairs(arena, doc_get(node, "migrate"), &change->migrates, &change->n_migrates, error));
    TRY(check_migrate(doc_get(node, "migrate"), model, error));
    const struct doc *set = doc_get(node, "set");
    struct model_setting *sets = ARENA_ARRAY(arena, struct model_setting, set ? set->n : 0);
    change->sets = sets;
    if (set)
        TRY(doc_want(set, DOC_MAPPING, error));
    EACH(child, set)
    {
        struct model_setting *one = &sets[change->n_sets++];
        one->key = child->key;
        if (child->kind != DOC_NULL)
            TRY(doc_text(child, &one->value, error));
    }
    TRY(load_share(doc_get(node, "canary"), &change->canary, error));
    if (doc_get(node, "canary") && !change->n_deploys)
        return doc_error(doc_get(node, "canary"), error, "a canary of what? 'deploy' is missing");
    if (change->canary >= 1)
        return doc_error(doc_get(node, "canary"), error,
                         "a canary for everybody is a deployment: take 'canary' out");
    TRY(doc_text(doc_get(node, "run"), &change->run, error));
    if (!change->n_deploys && !change->n_migrates && !change->n_sets && !change->run)
        return doc_error(node, error, "a change needs one of deploy, migrate, set, run");
    return 0;
}

static int load_changes(struct arena *arena, const struct doc *node, struct model *model,
                        struct error *error)
{
    if (!node)
        return 0;
    int n = node->kind == DOC_SEQUENCE ? node->n : 1;
    struct model_change *at = ARENA_ARRAY(arena, struct model_change, n);
    model->changes = at;
    if (node->kind != DOC_SEQUENCE)
        return load_change(arena, node, model, &at[model->n_changes++], error);
    EACH(child, node)
    TRY(load_change(arena, child, model, &at[model->n_changes++], error));
    return 0;
}

/* ---- the operator ---- */

static int load_operator(const struct doc *node, struct model_operator *operator,
                         struct error * error)
{
    static const char *const profiles[] = {"automation", "on_call", "team", NULL};
    static const char *const keys[] = {
        "profile",   "notice",   "notify",     "ack",         "decide",   "type", "read",
        "decide_at", "patience", "hesitation", "stops_after", "handover", NULL};
    if (!node)
        return 0;
    int choice = 1;
    if (node->kind == DOC_SCALAR) {
        TRY(doc_choice(node, profiles, &choice, error));
        model_operator_profile(profiles[choice], operator);
        return 0;
    }
    TRY(doc_only(node, keys, error));
    TRY(doc_choice(doc_get(node, "profile"), profiles, &choice, error));
    model_operator_profile(profiles[choice], operator);
    for (int i = 0; i < DELAYS; i++)
        TRY(load_delay(doc_get(node, operator_delay_names[i]), &operator->delay[i], error));
    TRY(load_at(doc_get(node, "decide_at"), &operator->decide_at_ns, error));
    TRY(doc_small(doc_get(node, "stops_after"), 1, 1000000, &operator->stops_after_step, error));
    const struct doc *handover = doc_get(node, "handover");
    if (handover && !operator->stops_after_step)
        return doc_error(handover, error, "who hands over? 'stops_after' is missing");
    if (handover && !operator->delay[DELAY_HANDOVER].p95_ns)
        return doc_error(handover, error,
                         "a handover takes time; leave it out where nobody goes on");
    return 0;
}

/* ---- what cannot come to pass ---- */

/* When the change comes, as changes_init() of the world has it: a change, else the first fault. */
static int64_t first_change_ns(const struct model *model)
{
    int64_t first_ns = INT64_MAX;
    for (int i = 0; i < model->n_changes; i++)
        first_ns = model->changes[i].at_ns < first_ns ? model->changes[i].at_ns : first_ns;
    for (int i = 0; i < model->n_faults && !model->n_changes; i++) {
        const struct model_fault *fault = &model->faults[i];
        if (fault->kind != FAULT_COMMAND && !fault->at_step && fault->at_ns < first_ns)
            first_ns = fault->at_ns;
    }
    return first_ns == INT64_MAX ? 0 : first_ns;
}

static int check_end(const struct doc *node, int64_t at_ns, int64_t end_ns, struct error *error)
{
    if (at_ns < end_ns)
        return 0;
    return doc_error(doc_near(node, "at"), error,
                     "the run is over then: it ends at %gm, 'horizon' after the change",
                     (double)end_ns / (double)MINUTE);
}

/* What would only come when the run is over, or a decision before there is anything to decide on.
 */
static int check_times(const struct doc *root, const struct model *model, struct error *error)
{
    int64_t change_ns = first_change_ns(model), end_ns = change_ns + model->horizon_ns;
    const struct doc *decide_at = doc_get(doc_get(root, "operator"), "decide_at");
    int64_t decide_ns = model->operator.decide_at_ns;
    if (doc_get(root, "horizon") && model->horizon_ns < MINUTE)
        return doc_error(doc_get(root, "horizon"), error,
                         "a run goes on for at least 1m after the change");
    if (model->stable_window_ns >= model->horizon_ns)
        return doc_error(doc_near(root, doc_get(root, "stable_for") ? "stable_for" : "horizon"),
                         error,
                         "the run ends before anything can be stable: 'horizon' must be longer "
                         "than 'stable_for'");
    if (decide_at && (decide_ns < change_ns || decide_ns == 0 || decide_ns >= end_ns))
        return doc_error(
            decide_at, error,
            "a decision falls behind the change and before the end of the run (%gm to %gm)",
            (double)change_ns / (double)MINUTE, (double)end_ns / (double)MINUTE);
    EACH(child, doc_get(root, "faults"))
    TRY(check_end(child, model->faults[child->index].at_ns, end_ns, error));
    const struct doc *changes = doc_get(root, "change");
    EACH(child, changes && changes->kind == DOC_SEQUENCE ? changes : NULL)
    TRY(check_end(child, model->changes[child->index].at_ns, end_ns, error));
    return 0;
}

/* Every request is several events: where there would be too many, flows are the way. */
static int check_grain(const struct doc *root, const struct model *model, struct error *error)
{
    double rate = 0, factor = 1;
    for (int i = 0; i < model->n_traffic; i++)
        rate += model->traffic[i].rate_per_s * (model->traffic[i].daily ? 1.6 : 1);
    for (int i = 0; i < model->n_faults; i++)
        if (model->faults[i].kind == FAULT_OVERLOAD && model->faults[i].factor > 1)
            factor *= model->faults[i].factor;
    if (model->grain != GRAIN_REQUEST || rate * factor <= MODEL_REQUEST_RATE_MAX)
        return 0;
    return doc_error(
        root, error,
        "up to %g requests a second are too many for 'grain: request' (at most %g); use flow",
        rate * factor, MODEL_REQUEST_RATE_MAX);
}

int model_load_scenario(struct arena *arena, const struct doc *root, struct model *model,
                        struct error *error)
{
    TRY(doc_time(doc_get(root, "start"), &model->start_unix_ns, error));
    TRY(load_at(doc_get(root, "horizon"), &model->horizon_ns, error));
    TRY(load_at(doc_get(root, "stable_for"), &model->stable_window_ns, error));
    TRY(load_changes(arena, doc_get(root, "change"), model, error));
    TRY(load_faults(arena, doc_get(root, "faults"), model, error));
    TRY(check_grain(doc_near(root, "faults"), model, error));
    if (doc_get(root, "good_state"))
        TRY(load_good_state(arena, doc_get(root, "good_state"), model, error));
    if (doc_get(root, "triggers"))
        TRY(model_load_triggers(arena, doc_get(root, "triggers"), model, &model->triggers, error));
    TRY(load_decision(arena, doc_get(root, "decision"), model, error));
    TRY(load_operator(doc_get(root, "operator"), &model->operator, error));
    return check_times(root, model, error);
}
