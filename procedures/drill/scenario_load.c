#include <string.h>

#include "procedures/drill/load.h"
#include "procedures/drill/model_load.h"

const char *const model_drill_keys[] = {"start", "horizon", "stable_for", "change", "faults", "operator", "good_state",
                                        "triggers", "decision", NULL};

int load_delay(const struct doc *node, struct model_delay *ret, struct error *error)
{
    static const char *const keys[] = {"p50", "p95", "exponential", "uniform", NULL};
    const struct doc *exponential = doc_get(node, "exponential"), *uniform = doc_get(node, "uniform");
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
        return doc_error(node, error, "a median of 0 with a 95th percentile above it is no lognormal; use uniform");
    if (delay.p95_ns > 30 * DAY)
        return doc_error(node, error, "a person's time is at most 30d");
    *ret = delay;
    return 0;
}

/* ---- changes ---- */

static int load_pairs(struct arena *arena, const struct doc *node, const struct model_pair **ret, int *ret_n,
                      struct error *error)
{
    if (!node)
        return 0;
    TRY(doc_want(node, DOC_MAPPING, error));
    struct model_pair *at = ARENA_ARRAY(arena, struct model_pair, node->n);
    *ret = at;
    EACH(child, node) {
        struct model_pair *pair = &at[(*ret_n)++];
        *pair = (struct model_pair){child->key, ""};
        TRY(doc_want(child, DOC_SCALAR, error));
        TRY(doc_text(child, &pair->value, error));
    }
    return 0;
}

static int check_deploy(const struct doc *node, const struct model *model, struct error *error)
{
    EACH(child, node) {
        const struct model_service *service = model_service(model, child->key);
        if (!service)
            return doc_error(child, error, "no service '%s'", child->key);
        if (!model_version(service, child->text))
            return doc_error(child, error, "service '%s' has no version '%s'", child->key, child->text);
    }
    return 0;
}

static int check_migrate(const struct doc *node, const struct model *model, struct error *error)
{
    EACH(child, node) {
        int64_t number = 0;
        if (!model_store(model, child->key))
            return doc_error(child, error, "no store '%s'", child->key);
        TRY(doc_int(child, 0, INT64_MAX, &number, error));
    }
    return 0;
}

static int load_at(const struct doc *node, int64_t *ret_ns, struct error *error)
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
    EACH(child, set) {
        struct model_setting *one = &sets[change->n_sets++];
        one->key = child->key;
        if (child->kind != DOC_NULL)
            TRY(doc_text(child, &one->value, error));
    }
    TRY(doc_ratio(doc_get(node, "canary"), &change->canary, error));
    if (doc_get(node, "canary") && !change->n_deploys)
        return doc_error(doc_get(node, "canary"), error, "a canary of what? 'deploy' is missing");
    TRY(doc_text(doc_get(node, "run"), &change->run, error));
    if (!change->n_deploys && !change->n_migrates && !change->n_sets && !change->run)
        return doc_error(node, error, "a change needs one of deploy, migrate, set, run");
    return 0;
}

static int load_changes(struct arena *arena, const struct doc *node, struct model *model, struct error *error)
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

/* ---- faults ---- */

/* The key that says what kind of fault it is, and the further keys of that kind. */
static const struct fault_shape {
    enum fault_kind kind;
    const char *key;
    const char *more[8];
} fault_shapes[] = {
    {FAULT_CORRUPT, "table", {"store", "corrupt"}},
    {FAULT_SLOW, "slow", {"by", "add"}},
    {FAULT_CUT, "cut", {"from"}},
    {FAULT_ERRORS, "errors", {"ratio"}},
    {FAULT_CRASH, "crash", {"share"}},
    {FAULT_LEAK, "leak", {"grows"}},
    {FAULT_OVERLOAD, "overload", {"by"}},
    {FAULT_DISK_FULL, "disk_full", {NULL}},
    {FAULT_REGION, "region", {NULL}},
    {FAULT_SET, "set", {NULL}},
    {FAULT_BACKUP, "backup", {"damage", "existing"}},
    {FAULT_EVENT, "event", {"about"}},
    {FAULT_COMMAND, "command", {"does", "exit", "message", "add", "times"}},
    {FAULT_BLIND, "blind", {NULL}},
    {FAULT_DEPLOY, "deploy", {NULL}},
};
enum { FAULT_SHAPES = sizeof fault_shapes / sizeof *fault_shapes };

static int fault_shape(const struct doc *node, const struct fault_shape **ret, struct error *error)
{
    TRY(doc_want(node, DOC_MAPPING, error));
    for (int i = 0; i < FAULT_SHAPES; i++)
        if (doc_get(node, fault_shapes[i].key)) {
            *ret = &fault_shapes[i];
            return 0;
        }
    return doc_error(node, error,
                     "what kind of fault? one of table, slow, cut, errors, crash, leak, overload, disk_full, region, "
                     "set, backup, event, command, blind, deploy");
}

static int need_target(const struct doc *node, const struct model *model, struct model_fault *fault,
                       struct error *error)
{
    TRY(doc_text(node, &fault->target, error));
    if (!model_service(model, fault->target))
        return doc_error(node, error, "no service '%s'", fault->target);
    return 0;
}

static int load_corrupt(const struct doc *node, const struct model *model, struct model_fault *fault,
                        struct error *error)
{
    struct doc *ratio = NULL;
    int found = 0;
    TRY(doc_text(doc_get(node, "table"), &fault->table, error));
    TRY(doc_text(doc_get(node, "store"), &fault->target, error));
    TRY(doc_need(node, "corrupt", &ratio, error));
    TRY(doc_ratio(ratio, &fault->ratio, error));
    for (int i = 0; i < model->n_stores; i++)
        for (int j = 0; j < model->stores[i].n_tables; j++) {
            bool here = !doc_get(node, "store") || strcmp(fault->target, model->stores[i].name) == 0;
            if (here && strcmp(model->stores[i].tables[j].name, fault->table) == 0) {
                found++;
                fault->target = model->stores[i].name;
            }
        }
    if (found == 0)
        return doc_error(doc_near(node, "table"), error, "no store has a table '%s'", fault->table);
    if (found > 1)
        return doc_error(node, error, "several stores have a table '%s'; say which: store: NAME", fault->table);
    return 0;
}

static int load_pair_fault(const struct doc *pair, struct model_fault *fault, struct error *error)
{
    TRY(doc_want(pair, DOC_MAPPING, error));
    if (pair->n != 1)
        return doc_error(pair, error, "one at a time: expected one key with its value");
    fault->target = pair->first->key;
    return doc_text(pair->first, &fault->value, error);
}

static int load_command_fault(const struct doc *node, struct model_fault *fault, struct error *error)
{
    struct doc *does = NULL;
    int how = 0;
    TRY(doc_text(doc_get(node, "command"), &fault->pattern, error));
    TRY(doc_need(node, "does", &does, error));
    TRY(doc_choice(does, command_how_names, &how, error));
    fault->how = (enum command_how)how;
    fault->exit_status = 1;
    TRY(doc_small(doc_get(node, "exit"), 1, 255, &fault->exit_status, error));
    TRY(doc_text(doc_get(node, "message"), &fault->message, error));
    TRY(load_at(doc_get(node, "add"), &fault->add_ns, error));
    return doc_small(doc_get(node, "times"), 1, 1000000, &fault->times, error);
}

static int load_fault_of(const struct doc *node, const struct fault_shape *shape, const struct model *model,
                         struct model_fault *fault, struct error *error)
{
    const struct doc *subject = doc_get(node, shape->key);
    int64_t bytes = 0;
    int damage = (int)DAMAGE_CORRUPT;
    switch (shape->kind) {
    case FAULT_CORRUPT:
        return load_corrupt(node, model, fault, error);
    case FAULT_SLOW:
        TRY(need_target(subject, model, fault, error));
        fault->factor = 1;
        TRY(doc_number(doc_get(node, "by"), 0.001, 1e6, &fault->factor, error));
        return load_at(doc_get(node, "add"), &fault->add_ns, error);
    case FAULT_CUT:
        TRY(need_target(subject, model, fault, error));
        TRY(doc_text(doc_get(node, "from"), &fault->from, error));
        if (fault->from && !model_service(model, fault->from))
            return doc_error(doc_near(node, "from"), error, "no service '%s'", fault->from);
        return 0;
    case FAULT_ERRORS:
        fault->ratio = 1;
        TRY(need_target(subject, model, fault, error));
        return doc_ratio(doc_get(node, "ratio"), &fault->ratio, error);
    case FAULT_CRASH:
        fault->ratio = 1;
        TRY(need_target(subject, model, fault, error));
        return doc_ratio(doc_get(node, "share"), &fault->ratio, error);
    case FAULT_LEAK:
        TRY(need_target(subject, model, fault, error));
        TRY(doc_size(doc_get(node, "grows"), &bytes, error));
        fault->bytes_per_s = bytes ? (double)bytes : 1024.0 * 1024;
        return 0;
    case FAULT_OVERLOAD:
        TRY(doc_text(subject, &fault->target, error));
        if (strcmp(fault->target, "all") == 0)
            fault->target = NULL;
        else if (!model_traffic(model, fault->target))
            return doc_error(subject, error, "no traffic '%s'; name one, or write all", fault->target);
        fault->factor = 2;
        return doc_number(doc_get(node, "by"), 0, 1e6, &fault->factor, error);
    case FAULT_DISK_FULL:
        return doc_text(subject, &fault->target, error);
    case FAULT_REGION:
        TRY(doc_text(subject, &fault->target, error));
        return model_has_region(model, fault->target)
                   ? 0
                   : doc_error(subject, error, "no service or traffic is in region '%s'", fault->target);
    case FAULT_SET:
        return load_pair_fault(subject, fault, error);
    case FAULT_BACKUP:
        TRY(doc_text(subject, &fault->target, error));
        if (!model_backup(model, fault->target))
            return doc_error(subject, error, "no backup '%s'", fault->target);
        TRY(doc_choice(doc_get(node, "damage"), damage_names, &damage, error));
        fault->damage = (enum damage)damage;
        return doc_bool(doc_get(node, "existing"), &fault->existing, error);
    case FAULT_EVENT:
        TRY(doc_text(subject, &fault->target, error));
        return doc_text(doc_get(node, "about"), &fault->value, error);
    case FAULT_COMMAND:
        return load_command_fault(node, fault, error);
    case FAULT_BLIND:
        if (subject->kind == DOC_SCALAR && strcmp(subject->text, "all") == 0)
            return 0;
        return need_target(subject, model, fault, error);
    case FAULT_DEPLOY:
        TRY(load_pair_fault(subject, fault, error));
        return check_deploy(subject, model, error);
    case FAULT_KINDS:
        break;
    }
    return 0;
}

static int load_fault(const struct doc *node, const struct model *model, struct model_fault *fault,
                      struct error *error)
{
    const struct fault_shape *shape = NULL;
    TRY(fault_shape(node, &shape, error));
    const char *keys[16] = {shape->key, "at", "at_step", "for", "chance"};
    for (int i = 0; shape->more[i]; i++)
        keys[5 + i] = shape->more[i];
    TRY(doc_only(node, keys, error));
    fault->kind = shape->kind;
    TRY(load_at(doc_get(node, "at"), &fault->at_ns, error));
    TRY(doc_small(doc_get(node, "at_step"), 1, 1000000, &fault->at_step, error));
    TRY(load_at(doc_get(node, "for"), &fault->for_ns, error));
    TRY(doc_ratio(doc_get(node, "chance"), &fault->probability, error));
    if (shape->kind != FAULT_COMMAND && !doc_get(node, "at") && !doc_get(node, "at_step"))
        return doc_error(node, error, "when? give 'at' (a time since the start) or 'at_step'");
    return load_fault_of(node, shape, model, fault, error);
}

static int load_faults(struct arena *arena, const struct doc *node, struct model *model, struct error *error)
{
    if (!node)
        return 0;
    TRY(doc_want(node, DOC_SEQUENCE, error));
    if (node->n > MODEL_FAULTS_MAX)
        return doc_error(node, error, "%d faults are more than %d", node->n, MODEL_FAULTS_MAX);
    struct model_fault *at = ARENA_ARRAY(arena, struct model_fault, node->n);
    model->faults = at;
    EACH(child, node)
        TRY(load_fault(child, model, &at[model->n_faults++], error));
    return 0;
}

/* ---- the operator ---- */

static int load_operator(const struct doc *node, struct model_operator *operator, struct error *error)
{
    static const char *const profiles[] = {"automation", "on_call", "team", NULL};
    static const char *const keys[] = {"profile", "notice", "notify", "ack", "decide", "type", "read", "decide_at",
                                       "patience", "hesitation", "stops_after", "handover", NULL};
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
    TRY(load_at(doc_get(node, "patience"), &operator->patience_ns, error));
    TRY(load_at(doc_get(node, "hesitation"), &operator->hesitation_ns, error));
    TRY(doc_small(doc_get(node, "stops_after"), 1, 1000000, &operator->stops_after_step, error));
    return load_at(doc_get(node, "handover"), &operator->handover_ns, error);
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
    return doc_error(root, error, "up to %g requests a second are too many for 'grain: request' (at most %g); use flow",
                     rate * factor, MODEL_REQUEST_RATE_MAX);
}

int model_load_scenario(struct arena *arena, const struct doc *root, struct model *model, struct error *error)
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
    return load_operator(doc_get(root, "operator"), &model->operator, error);
}
