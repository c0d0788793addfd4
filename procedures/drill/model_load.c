#include "procedures/drill/model_load.h"

#include <string.h>

#include "procedures/drill/load.h"

static const char *const system_keys[] = {
    "format",  "name",       "title",    "grain",   "indicator", "services", "traffic", "stores",
    "backups", "good_state", "settings", "metrics", "triggers",  "decision", NULL,
};
static const char *const service_keys[] = {"runs",     "replicas", "region", "version",
                                           "versions", "calls",    NULL};

void model_defaults(struct model *model)
{
    *model = (struct model){
        .name = "",
        .horizon_ns = 2 * HOUR,
        .stable_window_ns = 5 * MINUTE,
        .grain = GRAIN_FLOW,
        .indicator = {.target = 0.99, .down_below = 0.5},
        .metrics = {.every_ns = 15 * SECOND},
        .triggers = {.eval_ns = 15 * SECOND, .lookback_ns = 5 * MINUTE},
    };
    model_operator_profile("on_call", &model->operator);
}

/* ---- the nearest name ---- */

typedef const char *name_at(const struct model *, int i);

static const char *service_name_at(const struct model *model, int i)
{
    return i < model->n_services ? model->services[i].name : NULL;
}

static const char *store_name_at(const struct model *model, int i)
{
    return i < model->n_stores ? model->stores[i].name : NULL;
}

static int unknown(const struct doc *node, struct error *error, const char *what, const char *name,
                   const struct model *model, name_at *names)
{
    const char *best = NULL;
    size_t distance = 4;
    for (int i = 0; names(model, i); i++) {
        size_t d = str_distance(str_of(name), str_of(names(model, i)), 10);
        if (d < distance) {
            distance = d;
            best = names(model, i);
        }
    }
    if (best)
        return doc_error(node, error, "no %s '%s'; did you mean '%s'?", what, name, best);
    return doc_error(node, error, "no %s '%s'", what, name);
}

int need_service(const struct model *model, const struct doc *node, const char *name,
                 struct error *error)
{
    return model_service(model, name)
               ? 0
               : unknown(node, error, "service", name, model, service_name_at);
}

int need_store(const struct model *model, const struct doc *node, const char *name,
               struct error *error)
{
    return model_store(model, name) ? 0 : unknown(node, error, "store", name, model, store_name_at);
}

/* ---- services ---- */

static int load_call(const struct doc *node, struct model_call *call, struct error *error)
{
    static const char *const keys[] = {"times", "timeout", "retries", "optional", NULL};
    *call = (struct model_call){.to = node->key, .per_request = 1, .timeout_ns = 5 * SECOND};
    if (node->kind == DOC_SCALAR)
        return doc_number(node, 0, 1000, &call->per_request, error);
    if (node->kind == DOC_NULL)
        return 0;
    TRY(doc_only(node, keys, error));
    TRY(doc_number(doc_get(node, "times"), 0, 1000, &call->per_request, error));
    TRY(doc_duration(doc_get(node, "timeout"), &call->timeout_ns, error));
    if (call->timeout_ns < MILLISECOND)
        return doc_error(doc_near(node, "timeout"), error, "a timeout must be at least 1ms");
    TRY(doc_small(doc_get(node, "retries"), 0, 20, &call->retries, error));
    return doc_bool(doc_get(node, "optional"), &call->optional, error);
}

static int load_service(struct arena *arena, const struct doc *node, struct model_service *service,
                        struct error *error)
{
    *service = (struct model_service){.name = node->key, .replicas = 1};
    if (node->kind != DOC_NULL)
        TRY(doc_only(node, service_keys, error));
    service->runs = doc_get(node, "runs");
    TRY(doc_small(doc_get(node, "replicas"), 0, MODEL_REPLICAS_MAX, &service->replicas, error));
    TRY(doc_text(doc_get(node, "region"), &service->region, error));
    TRY(doc_text(doc_get(node, "version"), &service->version, error));

    const struct doc *versions = doc_get(node, "versions");
    int n = versions && versions->n ? versions->n : 1;
    if (versions)
        TRY(doc_want(versions, DOC_MAPPING, error));
    EACH(child, versions)
    n += doc_get(child, "when") ? doc_get(child, "when")->n : 0;
    struct model_version *at = ARENA_ARRAY(arena, struct model_version, n);
    service->versions = at;
    EACH(child, versions)
    TRY(load_version_and_variants(arena, child, service, at, error));
    if (!service->n_versions) { /* what never changes needs no version */
        struct doc nothing = {.kind = DOC_NULL,
                              .key = service->version ? service->version : "current"};
        TRY(load_version_and_variants(arena, &nothing, service, at, error));
    }

    const struct doc *calls = doc_get(node, "calls");
    if (calls)
        TRY(doc_want(calls, DOC_MAPPING, error));
    struct model_call *call = ARENA_ARRAY(arena, struct model_call, calls ? calls->n : 0);
    service->calls = call;
    EACH(child, calls)
    TRY(load_call(child, &call[service->n_calls++], error));
    return 0;
}

static int load_services(struct arena *arena, const struct doc *node, struct model *model,
                         struct error *error)
{
    TRY(doc_want(node, DOC_MAPPING, error));
    if (node->n > MODEL_SERVICES_MAX)
        return doc_error(node, error, "%d services are more than %d", node->n, MODEL_SERVICES_MAX);
    struct model_service *at = ARENA_ARRAY(arena, struct model_service, node->n);
    model->services = at;
    EACH(child, node)
    TRY(load_service(arena, child, &at[model->n_services++], error));
    EACH(child, node)
    EACH(call, doc_get(child, "calls"))
    TRY(need_service(model, call, call->key, error));
    return 0;
}

/* Needs that name stores, services, or the only store with a schema. */
static int check_needs(const struct doc *root, struct model *model, struct error *error)
{
    const struct model_store *only = NULL;
    int with_schema = 0;
    for (int i = 0; i < model->n_stores; i++)
        if (model->stores[i].schema) {
            only = &model->stores[i];
            with_schema++;
        }
    int i = 0;
    EACH(service, doc_get(root, "services"))
    {
        const struct model_service *loaded = &model->services[i++];
        for (int v = 0; v < loaded->n_versions; v++)
            for (int k = 0; k < loaded->versions[v].n_needs; k++) {
                /* the arrays are ours and still being filled */
                struct model_need *need =
                    (struct model_need *)(uintptr_t)&loaded->versions[v].needs[k];
                const struct doc *version =
                    doc_get(doc_get(service, "versions"), loaded->versions[v].name);
                const struct doc *where =
                    doc_get(version, "needs") ? doc_get(version, "needs") : version;
                if (need->kind == NEED_SCHEMA && !need->subject) {
                    if (with_schema != 1)
                        return doc_error(
                            where, error,
                            "which store's schema? write needs: {schema: {STORE: NUMBER}}");
                    need->subject = only->name;
                }
                if (need->kind == NEED_SCHEMA)
                    TRY(need_store(model, where, need->subject, error));
                if (need->kind == NEED_UP)
                    TRY(need_service(model, where, need->subject, error));
            }
    }
    return 0;
}

/* ---- settings, metrics, decision ---- */

int load_settings(struct arena *arena, const struct doc *node, const struct model_setting **ret,
                  int *ret_n, struct error *error)
{
    if (!node)
        return 0;
    TRY(doc_want(node, DOC_MAPPING, error));
    struct model_setting *at = ARENA_ARRAY(arena, struct model_setting, node->n);
    *ret = at;
    *ret_n = 0;
    EACH(child, node)
    {
        struct model_setting *setting = &at[(*ret_n)++];
        setting->key = child->key;
        if (child->kind != DOC_NULL)
            TRY(doc_text(child, &setting->value, error));
    }
    return 0;
}

static int load_metrics(const struct doc *node, struct model *model, struct error *error)
{
    static const char *const keys[] = {"every", "lookback", NULL};
    if (!node)
        return 0;
    TRY(doc_only(node, keys, error));
    TRY(doc_duration(doc_get(node, "every"), &model->metrics.every_ns, error));
    TRY(doc_duration(doc_get(node, "lookback"), &model->triggers.lookback_ns, error));
    if (model->metrics.every_ns < SECOND || model->metrics.every_ns > DAY)
        return doc_error(doc_near(node, "every"), error, "metrics are scraped every 1s to 24h");
    if (model->triggers.lookback_ns < model->metrics.every_ns)
        return doc_error(doc_near(node, "lookback"), error,
                         "a sample must count at least until the next one: 'lookback' (%gs) is "
                         "below 'every' (%gs)",
                         (double)model->triggers.lookback_ns / (double)SECOND,
                         (double)model->metrics.every_ns / (double)SECOND);
    return 0;
}

/* A row of the matrix is about a trigger that there is, by its id or by what it asks for. */
static int check_rule(const struct doc *node, const char *trigger, const struct model *model,
                      struct error *error)
{
    const char *best = NULL;
    size_t distance = strlen(trigger) / 3 + 2;
    if (strcmp(trigger, "*") == 0)
        return 0;
    for (int i = 0; i < model->triggers.n; i++) {
        const struct model_trigger *known = &model->triggers.at[i];
        if (strcmp(trigger, known->id) == 0 || strcmp(trigger, known->act) == 0)
            return 0;
        size_t d = str_distance(str_of(trigger), str_of(known->id), distance);
        best = d < distance ? known->id : best;
        distance = d;
    }
    if (best)
        return doc_error(node, error, "no trigger has the id or the act '%s'; did you mean '%s'?",
                         trigger, best);
    return doc_error(node, error, "no trigger has the id or the act '%s'", trigger);
}

int load_decision(struct arena *arena, const struct doc *node, struct model *model,
                  struct error *error)
{
    static const char *const keys[] = {"trigger",  "severity", "authority",
                                       "response", "rollback", NULL};
    if (!node)
        return 0;
    TRY(doc_want(node, DOC_SEQUENCE, error));
    struct model_rule *at = ARENA_ARRAY(arena, struct model_rule, node->n);
    model->rules = at;
    model->n_rules = 0;
    EACH(child, node)
    {
        struct model_rule *rule = &at[model->n_rules++];
        *rule = (struct model_rule){.trigger = "*", .rollback = true};
        TRY(doc_only(child, keys, error));
        TRY(doc_text(doc_get(child, "trigger"), &rule->trigger, error));
        TRY(check_rule(doc_near(child, "trigger"), rule->trigger, model, error));
        TRY(doc_text(doc_get(child, "severity"), &rule->severity, error));
        TRY(doc_text(doc_get(child, "authority"), &rule->authority, error));
        TRY(load_delay(doc_get(child, "response"), &rule->response, error));
        TRY(doc_bool(doc_get(child, "rollback"), &rule->rollback, error));
    }
    return 0;
}

/* ---- all of it ---- */

static int check_keys(struct arena *arena, const struct doc *root, const char *const *also,
                      struct error *error)
{
    int n = 0, m = 0;
    while (also && also[n])
        n++;
    while (system_keys[m])
        m++;
    const char **keys = ARENA_ARRAY(arena, const char *, n + m + 1);
    for (int i = 0; i < m; i++)
        keys[i] = system_keys[i];
    for (int i = 0; i < n; i++)
        keys[m + i] = also[i];
    return doc_only(root, keys, error);
}

static int check_circle(const struct doc *root, const struct model *model, struct error *error)
{
    struct error inner;
    return model_check(model, &inner)
               ? doc_error(doc_near(root, "services"), error, "%s", inner.text)
               : 0;
}

int model_load_system(struct arena *arena, const struct doc *root, const char *const *also,
                      struct model *model, struct error *error)
{
    static const char *const formats[] = {"rehearse.system/1", NULL};
    static const char *const grains[] = {"flow", "request", NULL};
    struct doc *node = NULL;
    int choice = 0;
    TRY(doc_want(root, DOC_MAPPING, error));
    TRY(check_keys(arena, root, also, error));
    TRY(doc_need(root, "format", &node, error));
    TRY(doc_choice(node, formats, &choice, error));
    TRY(doc_text(doc_get(root, "name"), &model->name, error));
    if (doc_get(root, "name") && !*model->name)
        return doc_error(doc_get(root, "name"), error, "what is it called? the name is empty");
    choice = (int)model->grain;
    TRY(doc_choice(doc_get(root, "grain"), grains, &choice, error));
    model->grain = (enum grain)choice;
    TRY(doc_need(root, "services", &node, error));
    TRY(load_services(arena, node, model, error));
    TRY(load_stores(arena, doc_get(root, "stores"), model, error));
    TRY(check_needs(root, model, error));
    TRY(load_all_version_writes(arena, root, model, error));
    TRY(load_backups(arena, doc_get(root, "backups"), model, error));
    TRY(load_traffic(arena, doc_get(root, "traffic"), model, error));
    TRY(load_indicator(doc_get(root, "indicator"), model, error));
    TRY(load_good_state(arena, doc_get(root, "good_state"), model, error));
    TRY(load_settings(arena, doc_get(root, "settings"), &model->settings, &model->n_settings,
                      error));
    TRY(load_metrics(doc_get(root, "metrics"), model, error));
    if (doc_get(root, "triggers"))
        TRY(model_load_triggers(arena, doc_get(root, "triggers"), model, &model->triggers, error));
    TRY(load_decision(arena, doc_get(root, "decision"), model, error));
    return check_circle(root, model, error);
}
