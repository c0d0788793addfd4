/* Versions of services, and how they behave under settings. */
#include <string.h>

#include "procedures/drill/load.h"

static const char *const version_keys[] = {
    "like",    "time",  "errors", "start", "concurrency", "queue", "memory", "cold",
    "crashes", "needs", "unmet",  "says",  "writes",      "when",  NULL,
};
/* An entry of a version's `when`: how it behaves in instances that have these settings. */
static const char *const variant_keys[] = {
    "settings", "like",    "time",  "errors", "start", "concurrency", "queue", "memory",
    "cold",     "crashes", "needs", "unmet",  "says",  "writes",      NULL,
};

static int load_time(const struct doc *node, struct model_version *version, struct error *error)
{
    static const char *const keys[] = {"p50", "p99", "exponential", "constant", NULL};
    const struct doc *exponential = doc_get(node, "exponential"),
                     *constant = doc_get(node, "constant");
    if (!node)
        return 0;
    if (exponential || constant) {
        TRY(doc_only(node, keys, error));
        if (node->n != 1)
            return doc_error(node, error, "'exponential' or 'constant' stands alone");
        version->shape = exponential ? TIME_EXPONENTIAL : TIME_CONSTANT;
        TRY(doc_duration(exponential ? exponential : constant, &version->p50_ns, error));
        version->p99_ns = version->p50_ns;
    } else if (node->kind == DOC_SCALAR) {
        version->shape = TIME_LOGNORMAL;
        TRY(doc_duration(node, &version->p50_ns, error));
        version->p99_ns = version->p50_ns * 5;
    } else {
        TRY(doc_only(node, keys, error));
        version->shape = TIME_LOGNORMAL;
        int64_t before_ns = version->p50_ns;
        TRY(doc_duration(doc_get(node, "p50"), &version->p50_ns, error));
        if (version->p50_ns != before_ns && !doc_get(node, "p99"))
            version->p99_ns = version->p50_ns * 5;
        TRY(doc_duration(doc_get(node, "p99"), &version->p99_ns, error));
    }
    if (version->p50_ns < MICROSECOND || version->p99_ns > HOUR)
        return doc_error(node, error, "a service time must be from 1us to 1h");
    if (version->p99_ns < version->p50_ns)
        return doc_error(node, error, "p99 must not be below p50, which is %gms",
                         (double)version->p50_ns / (double)MILLISECOND);
    return 0;
}

static int load_memory(const struct doc *node, struct model_version *version, struct error *error)
{
    static const char *const keys[] = {"start", "limit", "grows", "per_request", NULL};
    if (!node)
        return 0;
    TRY(doc_only(node, keys, error));
    int64_t per_s = 0, per_request = 0;
    TRY(doc_size(doc_get(node, "start"), &version->memory_bytes, error));
    TRY(doc_size(doc_get(node, "limit"), &version->memory_limit_bytes, error));
    TRY(doc_size(doc_get(node, "grows"), &per_s, error));
    TRY(doc_size(doc_get(node, "per_request"), &per_request, error));
    if (doc_get(node, "grows"))
        version->memory_per_s = (double)per_s;
    if (doc_get(node, "per_request"))
        version->memory_per_request = (double)per_request;
    if (version->memory_limit_bytes && version->memory_bytes >= version->memory_limit_bytes)
        return doc_error(node, error,
                         "'start' must be below 'limit', or it is killed as soon as it starts");
    return 0;
}

static int load_cold(const struct doc *node, struct model_version *version, struct error *error)
{
    static const char *const keys[] = {"for", "slower", NULL};
    if (!node)
        return 0;
    TRY(doc_only(node, keys, error));
    TRY(doc_duration(doc_get(node, "for"), &version->cold_ns, error));
    TRY(doc_number(doc_get(node, "slower"), 1, 1000, &version->cold_factor, error));
    if (!version->cold_ns || version->cold_factor <= 0)
        return doc_error(node, error,
                         "cold for how long, and how much slower? such as {for: 60s, slower: 3}");
    return 0;
}

/* "41", or ">= 41" */
static int load_schema_number(const struct doc *node, int64_t *ret, bool *ret_at_least,
                              struct error *error)
{
    const char *text = "";
    TRY(doc_text(node, &text, error));
    struct str rest = str_trim(str_of(text));
    *ret_at_least = str_starts(rest, ">=");
    if (*ret_at_least)
        rest = str_trim((struct str){rest.at + 2, rest.len - 2});
    if (!str_int64(rest, ret))
        return doc_error(node, error,
                         "expected a schema number such as 41 or \">= 41\", found '%s'", text);
    return 0;
}

struct needs {
    struct model_need *at;
    int n;
};

static int count_needs(const struct doc *node)
{
    int n = 0;
    EACH(child, node)
    n += child->kind == DOC_SCALAR ? 1 : child->n;
    return n;
}

static int load_schema_needs(const struct doc *node, struct needs *needs, struct error *error)
{
    if (node->kind == DOC_SCALAR) {
        struct model_need *need = &needs->at[needs->n++];
        need->kind = NEED_SCHEMA; /* of the only store with a schema: named later */
        return load_schema_number(node, &need->schema, &need->at_least, error);
    }
    TRY(doc_want(node, DOC_MAPPING, error));
    EACH(child, node)
    {
        struct model_need *need = &needs->at[needs->n++];
        need->kind = NEED_SCHEMA;
        need->subject = child->key;
        TRY(load_schema_number(child, &need->schema, &need->at_least, error));
    }
    return 0;
}

static int load_needs(struct arena *arena, const struct doc *node, struct model_version *version,
                      struct error *error)
{
    static const char *const keys[] = {"schema", "settings", "up", NULL};
    if (!node)
        return 0;
    TRY(doc_only(node, keys, error));
    struct needs needs = {.at = ARENA_ARRAY(arena, struct model_need, count_needs(node))};
    if (doc_get(node, "schema"))
        TRY(load_schema_needs(doc_get(node, "schema"), &needs, error));
    if (doc_get(node, "settings"))
        TRY(doc_want(doc_get(node, "settings"), DOC_MAPPING, error));
    EACH(child, doc_get(node, "settings"))
    {
        struct model_need *need = &needs.at[needs.n++];
        *need = (struct model_need){.kind = NEED_SETTING, .subject = child->key, .value = ""};
        TRY(doc_text(child, &need->value, error));
    }
    const struct doc *up = doc_get(node, "up");
    if (up && up->kind == DOC_SCALAR) {
        needs.at[needs.n++] = (struct model_need){.kind = NEED_UP, .subject = up->text};
    } else {
        EACH(child, up)
        {
            struct model_need *need = &needs.at[needs.n++];
            need->kind = NEED_UP;
            TRY(doc_text(child, &need->subject, error));
        }
    }
    version->needs = needs.at;
    version->n_needs = needs.n;
    return 0;
}

/* `plain`: the version that this is a variant of, or NULL. */
static int load_version(struct arena *arena, const struct doc *node,
                        const struct model_service *service, const struct model_version *plain,
                        struct model_version *version, struct error *error)
{
    static const char *const unmet[] = {"fail", "crash", NULL};
    const char *like = NULL;
    *version = (struct model_version){
        .p50_ns = 10 * MILLISECOND,
        .p99_ns = 50 * MILLISECOND,
        .start_ns = 5 * SECOND,
        .concurrency = 64,
        .queue = 1000,
    };
    if (plain)
        *version = *plain;
    if (node->kind != DOC_NULL)
        TRY(doc_only(node, plain ? variant_keys : version_keys, error));
    TRY(doc_text(doc_get(node, "like"), &like, error));
    if (like) {
        const struct model_version *other = model_version(service, like);
        if (!other)
            return doc_error(doc_near(node, "like"), error, "no version '%s' above this one", like);
        *version = *other;
    }
    version->name = plain ? plain->name : node->key;
    TRY(load_time(doc_get(node, "time"), version, error));
    TRY(doc_ratio(doc_get(node, "errors"), &version->errors, error));
    TRY(doc_duration(doc_get(node, "start"), &version->start_ns, error));
    if (version->start_ns > DAY)
        return doc_error(doc_near(node, "start"), error, "a start takes at most 24h");
    TRY(doc_small(doc_get(node, "concurrency"), 1, MODEL_CONCURRENCY_MAX, &version->concurrency,
                  error));
    TRY(doc_small(doc_get(node, "queue"), 0, MODEL_QUEUE_MAX, &version->queue, error));
    TRY(load_memory(doc_get(node, "memory"), version, error));
    TRY(load_cold(doc_get(node, "cold"), version, error));
    TRY(doc_duration(doc_get(node, "crashes"), &version->crashes_ns, error));
    if (doc_get(node, "crashes") &&
        (version->crashes_ns < SECOND || version->crashes_ns > 36500 * DAY))
        return doc_error(doc_get(node, "crashes"), error,
                         "a mean time between crashes is from 1s to 36500d");
    TRY(load_needs(arena, doc_get(node, "needs"), version, error));
    int choice = (int)version->unmet;
    TRY(doc_choice(doc_get(node, "unmet"), unmet, &choice, error));
    version->unmet = (enum unmet)choice;
    return doc_text(doc_get(node, "says"), &version->says, error);
}

/* The version and, right behind it, its variants. */
int load_version_and_variants(struct arena *arena, const struct doc *node,
                              struct model_service *service, struct model_version *at,
                              struct error *error)
{
    const struct model_version *plain = &at[service->n_versions];
    TRY(load_version(arena, node, service, NULL, &at[service->n_versions], error));
    service->n_versions++;
    if (doc_get(node, "when"))
        TRY(doc_want(doc_get(node, "when"), DOC_SEQUENCE, error));
    EACH(child, doc_get(node, "when"))
    {
        struct model_version *variant = &at[service->n_versions];
        struct doc *settings = NULL;
        TRY(load_version(arena, child, service, plain, variant, error));
        TRY(doc_need(child, "settings", &settings, error));
        variant->n_when = 0;
        TRY(load_settings(arena, settings, &variant->when, &variant->n_when, error));
        if (!variant->n_when)
            return doc_error(settings, error, "name at least one setting");
        service->n_versions++;
    }
    return 0;
}
