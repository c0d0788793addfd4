#include <math.h>
#include <string.h>

#include "procedures/drill/load.h"
#include "procedures/drill/model_load.h"

enum { DEPTH_MAX = 16 }; /* of all and any within each other */

static int load_condition(struct arena *, const struct doc *, const struct model *, int depth,
                          struct model_condition *, struct error *);

static int check_metric(const struct doc *node, const struct model *names, const char *metric,
                        struct error *error)
{
    struct error why;
    if (!names || !metric || metric_check(names, metric, &why) == 0)
        return 0;
    return doc_error(node, error, "%s", why.text);
}

static int load_parts(struct arena *arena, const struct doc *list, const struct model *names,
                      int depth, struct model_condition *condition, struct error *error)
{
    TRY(doc_want(list, DOC_SEQUENCE, error));
    if (!list->n)
        return doc_error(list, error, "expected at least one condition");
    struct model_condition *parts = ARENA_ARRAY(arena, struct model_condition, list->n);
    condition->parts = parts;
    EACH(child, list)
    TRY(load_condition(arena, child, names, depth + 1, &parts[condition->n_parts++], error));
    return 0;
}

static int load_event(const struct doc *node, struct model_condition *condition,
                      struct error *error)
{
    static const char *const keys[] = {"event", "for", NULL};
    condition->kind = CONDITION_EVENT;
    TRY(doc_only(node, keys, error));
    TRY(doc_text(doc_get(node, "event"), &condition->metric, error));
    if (!*condition->metric)
        return doc_error(doc_get(node, "event"), error,
                         "what is seen? give it a name, such as data_corruption");
    return doc_duration(doc_get(node, "for"), &condition->for_ns, error);
}

static int load_burn_pair(const struct doc *node, struct model_burn *burn, struct error *error)
{
    TRY(doc_want(node, DOC_SEQUENCE, error));
    if (node->n != 3)
        return doc_error(node, error,
                         "expected [factor, long window, short window], such as [14.4, 1h, 5m]");
    TRY(doc_number(node->first, 0, 1e6, &burn->factor, error));
    TRY(doc_duration(node->first->next, &burn->long_ns, error));
    TRY(doc_duration(node->first->next->next, &burn->short_ns, error));
    if (!burn->short_ns || burn->short_ns > burn->long_ns)
        return doc_error(node, error,
                         "expected [factor, long window, short window]: the short one is not above "
                         "the long one");
    return 0;
}

static int load_burn(struct arena *arena, const struct doc *outer, const struct model *names,
                     struct model_condition *condition, struct error *error)
{
    static const char *const outer_keys[] = {"burn", NULL};
    static const char *const keys[] = {"err", "req", "slo", "pairs", NULL};
    struct doc *node = doc_get(outer, "burn"), *child = NULL;
    condition->kind = CONDITION_BURN;
    TRY(doc_only(outer, outer_keys, error));
    TRY(doc_only(node, keys, error));
    TRY(doc_need(node, "err", &child, error));
    TRY(doc_text(child, &condition->metric, error));
    TRY(check_metric(child, names, condition->metric, error));
    TRY(doc_need(node, "req", &child, error));
    TRY(doc_text(child, &condition->denominator, error));
    TRY(check_metric(child, names, condition->denominator, error));
    TRY(doc_need(node, "slo", &child, error));
    TRY(doc_ratio(child, &condition->slo, error));
    if (condition->slo >= 1)
        return doc_error(child, error, "an objective of 100%% leaves no budget to burn");
    TRY(doc_need(node, "pairs", &child, error));
    TRY(doc_want(child, DOC_SEQUENCE, error));
    if (!child->n)
        return doc_error(child, error, "expected at least one pair, such as [14.4, 1h, 5m]");
    struct model_burn *burns = ARENA_ARRAY(arena, struct model_burn, child->n);
    condition->burns = burns;
    EACH(pair, child)
    TRY(load_burn_pair(pair, &burns[condition->n_burns++], error));
    return 0;
}

static int load_base(const struct doc *node, const struct model *names,
                     struct model_condition *condition, struct error *error)
{
    static const char *const keys[] = {"m", "win", "off", "as", NULL};
    static const char *const kinds[] = {"x", "pct", "add",
                                        NULL}; /* as enum baseline_kind, from BASE_TIMES on */
    struct doc *as = NULL;
    int kind = 0;
    if (!node)
        return 0;
    TRY(doc_only(node, keys, error));
    TRY(doc_need(node, "as", &as, error));
    TRY(doc_choice(as, kinds, &kind, error));
    condition->baseline = (enum baseline_kind)(kind + BASE_TIMES);
    TRY(doc_text(doc_get(node, "m"), &condition->baseline_metric, error));
    TRY(check_metric(doc_get(node, "m"), names, condition->baseline_metric, error));
    TRY(doc_duration(doc_get(node, "win"), &condition->baseline_window_ns, error));
    TRY(doc_duration(doc_get(node, "off"), &condition->baseline_offset_ns, error));
    if (!condition->baseline_metric && !condition->baseline_window_ns)
        return doc_error(node, error,
                         "a baseline is a metric (m) or a window (win) at an offset (off)");
    return 0;
}

static int load_m_of_n(const struct doc *node, struct model_condition *condition,
                       struct error *error)
{
    if (!node)
        return 0;
    TRY(doc_want(node, DOC_SEQUENCE, error));
    if (node->n != 2)
        return doc_error(node, error, "expected [M, N]: M of the last N");
    TRY(doc_small(node->first, 1, 64, &condition->m, error));
    TRY(doc_small(node->first->next, 1, 64, &condition->of_n, error));
    return condition->m <= condition->of_n ? 0 : doc_error(node, error, "M must not be above N");
}

/* The level at which it clears lies on the quiet side of the threshold. */
static int check_clear(const struct doc *node, const struct model_condition *condition,
                       struct error *error)
{
    const struct doc *clear = doc_get(node, "clear");
    if (!clear)
        return 0;
    bool upwards = condition->op == OP_GREATER || condition->op == OP_AT_LEAST;
    if (!upwards && condition->op != OP_LESS && condition->op != OP_AT_MOST)
        return doc_error(clear, error,
                         "only what is above or below a threshold has a level at which it clears");
    if (upwards ? condition->clear > condition->threshold : condition->clear < condition->threshold)
        return doc_error(clear, error,
                         "the level at which it clears must not be beyond the threshold %g",
                         condition->threshold);
    return 0;
}

static int check_leaf(const struct doc *node, const struct model *names,
                      const struct model_condition *condition, struct error *error)
{
    int insists =
        (doc_get(node, "for") != NULL) + (condition->consecutive > 0) + (condition->of_n > 0);
    const struct doc *window = doc_get(node, "win");
    if (insists > 1)
        return doc_error(node, error, "only one of for, n and mn");
    if (condition->aggregate != AGG_LAST && !condition->window_ns)
        return doc_error(node, error, "'agg' needs a window: win");
    if (condition->aggregate == AGG_LAST && window)
        return doc_error(window, error, "a window of what? 'agg' is missing, such as agg: avg");
    if (window && names && condition->window_ns < names->metrics.every_ns)
        return doc_error(window, error,
                         "a window shorter than the scrape interval of %gs holds no sample, or one",
                         (double)names->metrics.every_ns / (double)SECOND);
    if (condition->aggregate == AGG_RATIO && !condition->denominator)
        return doc_error(node, error, "a ratio needs 'den', the metric below the line");
    if (condition->aggregate != AGG_RATIO && condition->denominator)
        return doc_error(doc_get(node, "den"), error,
                         "only agg: ratio has a metric below the line");
    if (doc_get(node, "every") && condition->every_ns < SECOND)
        return doc_error(doc_near(node, "every"), error, "at least 1s");
    return check_clear(node, condition, error);
}

/* A share is written as a plain number here, for not every metric is one. */
static int load_threshold(const struct doc *node, double *ret, struct error *error)
{
    double share = 0;
    if (node->kind == DOC_SCALAR && str_ends(str_of(node->text), "%") &&
        !doc_ratio(node, &share, error))
        return doc_error(node, error, "expected a number, found '%s'; write %g", node->text, share);
    return doc_number(node, -1e18, 1e18, ret, error);
}

static int load_leaf(const struct doc *node, const struct model *names,
                     struct model_condition *condition, struct error *error)
{
    static const char *const keys[] = {"m",     "agg",      "den",  "win",   "base",  "op",
                                       "thr",   "for",      "n",    "mn",    "every", "keep",
                                       "clear", "cooldown", "miss", "scope", "delay", NULL};
    static const char *const aggregates[] = {"last", "avg",  "min",   "max", "sum",
                                             "inc",  "rate", "ratio", NULL};
    static const char *const ops[] = {">", ">=", "<", "<=", "==", "!=", NULL};
    static const char *const misses[] = {"prom", "bad", "good", "hold", NULL};
    static const char *const scopes[] = {"always", "post_deploy", "post_mitigation", "canary",
                                         NULL};
    struct doc *child = NULL;
    int choice = 0;
    TRY(doc_only(node, keys, error));
    TRY(doc_text(doc_get(node, "m"), &condition->metric, error));
    TRY(check_metric(doc_get(node, "m"), names, condition->metric, error));
    TRY(doc_choice(doc_get(node, "agg"), aggregates, &choice, error));
    condition->aggregate = (enum aggregate)choice;
    TRY(doc_text(doc_get(node, "den"), &condition->denominator, error));
    TRY(check_metric(doc_get(node, "den"), names, condition->denominator, error));
    TRY(doc_duration(doc_get(node, "win"), &condition->window_ns, error));
    TRY(load_base(doc_get(node, "base"), names, condition, error));
    TRY(doc_need(node, "op", &child, error));
    TRY(doc_choice(child, ops, &choice, error));
    condition->op = (enum comparison)choice;
    TRY(doc_need(node, "thr", &child, error));
    TRY(load_threshold(child, &condition->threshold, error));
    TRY(doc_duration(doc_get(node, "for"), &condition->for_ns, error));
    TRY(doc_small(doc_get(node, "n"), 1, 100000, &condition->consecutive, error));
    TRY(load_m_of_n(doc_get(node, "mn"), condition, error));
    TRY(doc_duration(doc_get(node, "every"), &condition->every_ns, error));
    TRY(doc_duration(doc_get(node, "keep"), &condition->keep_ns, error));
    TRY(doc_number(doc_get(node, "clear"), -1e18, 1e18, &condition->clear, error));
    TRY(doc_duration(doc_get(node, "cooldown"), &condition->cooldown_ns, error));
    TRY(doc_duration(doc_get(node, "delay"), &condition->delay_ns, error));
    choice = (int)MISS_PROM;
    TRY(doc_choice(doc_get(node, "miss"), misses, &choice, error));
    condition->missing = (enum missing)choice;
    choice = (int)SCOPE_ALWAYS;
    TRY(doc_choice(doc_get(node, "scope"), scopes, &choice, error));
    condition->scope = (enum scope)choice;
    return check_leaf(node, names, condition, error);
}

static int load_condition(struct arena *arena, const struct doc *node, const struct model *names,
                          int depth, struct model_condition *condition, struct error *error)
{
    static const char *const all_keys[] = {"all", NULL}, *const any_keys[] = {"any", NULL};
    *condition = (struct model_condition){.kind = CONDITION_METRIC, .clear = NAN};
    TRY(doc_want(node, DOC_MAPPING, error));
    if (depth > DEPTH_MAX)
        return doc_error(node, error, "conditions within conditions are more than %d deep",
                         DEPTH_MAX);
    if (doc_get(node, "all")) {
        condition->kind = CONDITION_ALL;
        TRY(doc_only(node, all_keys, error));
        return load_parts(arena, doc_get(node, "all"), names, depth, condition, error);
    }
    if (doc_get(node, "any")) {
        condition->kind = CONDITION_ANY;
        TRY(doc_only(node, any_keys, error));
        return load_parts(arena, doc_get(node, "any"), names, depth, condition, error);
    }
    if (doc_get(node, "burn"))
        return load_burn(arena, node, names, condition, error);
    if (doc_get(node, "event"))
        return load_event(node, condition, error);
    if (doc_get(node, "m"))
        return load_leaf(node, names, condition, error);
    return doc_error(node, error, "expected one of m (a metric), event, all, any, burn");
}

int model_load_trigger(struct arena *arena, const struct doc *node, const struct model *names,
                       struct model_trigger *trigger, struct error *error)
{
    static const char *const keys[] = {"id",  "src",      "say",  "note", "mode",
                                       "act", "deadline", "when", "tune", NULL};
    static const char *const modes[] = {"auto", "manual", "guard", "advise", NULL};
    struct doc *child = NULL;
    int mode = (int)MODE_MANUAL;
    *trigger = (struct model_trigger){.act = ""};
    TRY(doc_only(node, keys, error));
    TRY(doc_need(node, "id", &child, error));
    TRY(doc_text(child, &trigger->id, error));
    if (!*trigger->id)
        return doc_error(child, error, "an id is made of a-z, 0-9, '.' and '_'; this one is empty");
    for (const char *p = trigger->id; *p; p++)
        if (!((*p >= 'a' && *p <= 'z') || (*p >= '0' && *p <= '9') || *p == '.' || *p == '_'))
            return doc_error(child, error, "an id is made of a-z, 0-9, '.' and '_', not '%s'",
                             trigger->id);
    TRY(doc_text(doc_get(node, "src"), &trigger->source, error));
    TRY(doc_text(doc_get(node, "say"), &trigger->say, error));
    TRY(doc_text(doc_get(node, "act"), &trigger->act, error));
    TRY(doc_choice(doc_get(node, "mode"), modes, &mode, error));
    trigger->mode = (enum trigger_mode)mode;
    TRY(doc_duration(doc_get(node, "deadline"), &trigger->deadline_ns, error));
    TRY(doc_need(node, "when", &child, error));
    return load_condition(arena, child, names, 0, &trigger->when, error);
}

static int load_list(struct arena *arena, const struct doc *list, const struct model *names,
                     struct model_triggers *triggers, struct error *error)
{
    TRY(doc_want(list, DOC_SEQUENCE, error));
    struct model_trigger *at = ARENA_ARRAY(arena, struct model_trigger, list->n);
    triggers->at = at;
    triggers->n = 0; /* a drill's list takes the place of the system's */
    EACH(child, list)
    {
        struct model_trigger *trigger = &at[triggers->n];
        TRY(model_load_trigger(arena, child, names, trigger, error));
        for (int i = 0; i < triggers->n; i++)
            if (strcmp(at[i].id, trigger->id) == 0)
                return doc_error(child, error, "a second trigger with the id '%s'", trigger->id);
        triggers->n++;
    }
    return 0;
}

int model_load_triggers(struct arena *arena, const struct doc *node, const struct model *names,
                        struct model_triggers *triggers, struct error *error)
{
    static const char *const keys[] = {"format", "v", "eval", "lookback", "triggers", NULL};
    static const char *const formats[] = {"rehearse.triggers/1", NULL};
    struct doc *list = NULL;
    int choice = 0;
    int64_t version = 1;
    if (node->kind == DOC_SEQUENCE)
        return load_list(arena, node, names, triggers, error);
    TRY(doc_only(node, keys, error));
    TRY(doc_choice(doc_get(node, "format"), formats, &choice, error));
    TRY(doc_int(doc_get(node, "v"), 1, 1, &version, error));
    TRY(doc_duration(doc_get(node, "eval"), &triggers->eval_ns, error));
    TRY(doc_duration(doc_get(node, "lookback"), &triggers->lookback_ns, error));
    if (triggers->eval_ns < SECOND || triggers->eval_ns > DAY)
        return doc_error(doc_near(node, "eval"), error, "triggers are evaluated every 1s to 24h");
    if (names && triggers->lookback_ns < names->metrics.every_ns)
        return doc_error(doc_near(node, "lookback"), error,
                         "a sample must count at least until the next one: 'lookback' is below the "
                         "scrape interval of %gs",
                         (double)names->metrics.every_ns / (double)SECOND);
    TRY(doc_need(node, "triggers", &list, error));
    return load_list(arena, list, names, triggers, error);
}
