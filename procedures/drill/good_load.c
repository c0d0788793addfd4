/* What good means: the indicator, and the good state. */
#include <string.h>

#include "procedures/drill/load.h"

/* "status < 500 within 1s", "status < 500", "within 1s" */
static int load_rule(const struct doc *node, struct model_indicator *indicator, struct error *error)
{
    const char *text = "";
    TRY(doc_text(node, &text, error));
    struct str rest = str_trim(str_of(text));
    if (str_starts(rest, "status < 500"))
        rest = str_trim((struct str){rest.at + 12, rest.len - 12});
    if (str_starts(rest, "within ")) {
        struct str limit = str_trim((struct str){rest.at + 7, rest.len - 7});
        if (parse_duration(limit, &indicator->within_ns) && indicator->within_ns > 0)
            return 0;
    } else if (rest.len == 0 && *text) {
        return 0;
    }
    return doc_error(node, error,
                     "expected \"status < 500\", with \"within 1s\" if late answers count as bad");
}

int load_indicator(const struct doc *node, struct model *model, struct error *error)
{
    static const char *const keys[] = {"good", "target", "down_below", NULL};
    if (!node)
        return 0;
    TRY(doc_only(node, keys, error));
    if (doc_get(node, "good"))
        TRY(load_rule(doc_get(node, "good"), &model->indicator, error));
    TRY(doc_ratio(doc_get(node, "target"), &model->indicator.target, error));
    TRY(doc_ratio(doc_get(node, "down_below"), &model->indicator.down_below, error));
    if (model->indicator.down_below > model->indicator.target)
        return doc_error(doc_near(node, "down_below"), error,
                         "'down_below' must not be above 'target'");
    return 0;
}

struct goods {
    struct model_good *at;
    int n;
};

static int want_version(const struct doc *node, const struct model_service *service,
                        struct goods *goods, struct error *error)
{
    const char *version = NULL;
    TRY(doc_text(node, &version, error));
    if (version && !model_version(service, version))
        return doc_error(node, error, "service '%s' has no version '%s'", service->name, version);
    if (version)
        goods->at[goods->n++] =
            (struct model_good){.kind = GOOD_VERSION, .subject = service->name, .value = version};
    return 0;
}

static int load_good_service(const struct doc *node, const struct model_service *service,
                             struct goods *goods, struct error *error)
{
    static const char *const keys[] = {"version", "replicas", "settings", NULL};
    int64_t replicas = service->replicas;
    if (node->kind == DOC_SCALAR) {
        TRY(want_version(node, service, goods, error));
    } else {
        const struct doc *settings = doc_get(node, "settings");
        TRY(doc_only(node, keys, error));
        if (settings)
            TRY(doc_want(settings, DOC_MAPPING, error));
        EACH(child, settings)
        {
            struct model_good *good = &goods->at[goods->n++];
            *good = (struct model_good){
                .kind = GOOD_STARTED, .subject = service->name, .key = child->key};
            TRY(doc_text(child, &good->value, error));
        }
        TRY(want_version(doc_get(node, "version"), service, goods, error));
        TRY(doc_int(doc_get(node, "replicas"), 0, MODEL_REPLICAS_MAX, &replicas, error));
    }
    goods->at[goods->n++] =
        (struct model_good){.kind = GOOD_REPLICAS, .subject = service->name, .number = replicas};
    return 0;
}

static int load_good_store(const struct doc *node, const struct model_store *store,
                           struct goods *goods, struct error *error)
{
    static const char *const keys[] = {"schema", "in_service", NULL};
    bool in_service = true;
    struct model_good schema = {.kind = GOOD_SCHEMA, .subject = store->name};
    TRY(doc_only(node, keys, error));
    TRY(doc_int(doc_get(node, "schema"), 0, INT64_MAX, &schema.number, error));
    TRY(doc_bool(doc_get(node, "in_service"), &in_service, error));
    if (doc_get(node, "schema"))
        goods->at[goods->n++] = schema;
    if (in_service)
        goods->at[goods->n++] = (struct model_good){.kind = GOOD_SERVING, .subject = store->name};
    return 0;
}

static bool has_good_version(const struct goods *goods, const char *service)
{
    for (int i = 0; i < goods->n; i++)
        if (goods->at[i].kind == GOOD_VERSION && strcmp(goods->at[i].subject, service) == 0)
            return true;
    return false;
}

int load_good_state(struct arena *arena, const struct doc *node, struct model *model,
                    struct error *error)
{
    const struct doc *settings = doc_get(node, "settings");
    int n = node ? node->n * 2 + (settings ? settings->n : 0) : 0;
    EACH(child, node)
    n += doc_get(child, "settings") ? doc_get(child, "settings")->n : 0;
    struct goods goods = {.at = ARENA_ARRAY(arena, struct model_good, n + model->n_services + 1)};
    if (node)
        TRY(doc_want(node, DOC_MAPPING, error));
    EACH(child, node)
    {
        const struct model_service *service = model_service(model, child->key);
        const struct model_store *store = model_store(model, child->key);
        if (child == settings)
            continue;
        /* a name that is both: a mapping with a schema is the store's, a version the service's */
        if (store && child->kind == DOC_MAPPING &&
            (!service || doc_get(child, "schema") || doc_get(child, "in_service")))
            TRY(load_good_store(child, store, &goods, error));
        else if (service)
            TRY(load_good_service(child, service, &goods, error));
        else if (store)
            return doc_error(child, error,
                             "a store's good state is a mapping such as {schema: 41}");
        else
            TRY(need_service(model, child, child->key, error));
    }
    if (settings)
        TRY(doc_want(settings, DOC_MAPPING, error));
    EACH(child, settings)
    {
        struct model_good *good = &goods.at[goods.n++];
        *good = (struct model_good){.kind = GOOD_SETTING, .subject = child->key, .value = ""};
        TRY(doc_text(child, &good->value, error));
    }
    model->good = goods.at;
    model->n_good = goods.n;
    /* what runs at the start is what is good, unless the service says otherwise */
    for (int i = 0; i < model->n_services; i++) {
        struct model_service *service = (struct model_service *)(uintptr_t)&model->services[i];
        if (!service->version)
            service->version = service->versions[0].name;
        else
            continue;
        if (has_good_version(&goods, service->name))
            for (int j = 0; j < goods.n; j++)
                if (goods.at[j].kind == GOOD_VERSION &&
                    strcmp(goods.at[j].subject, service->name) == 0)
                    service->version = goods.at[j].value;
    }
    return 0;
}
