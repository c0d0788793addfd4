#include "procedures/drill/model_load.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "procedures/drill/load.h"

static const char *const system_keys[] = {
    "format", "name", "title", "grain", "indicator", "services", "traffic", "stores", "backups", "good_state",
    "settings", "metrics", "triggers", "decision", NULL,
};
static const char *const service_keys[] = {"runs", "replicas", "region", "version", "versions", "calls", NULL};
static const char *const version_keys[] = {
    "like", "time", "errors", "start", "concurrency", "queue", "memory", "cold", "crashes", "needs", "unmet", "says",
    "writes", "when", NULL,
};
/* An entry of a version's `when`: how it behaves in instances that have these settings. */
static const char *const variant_keys[] = {
    "settings", "like", "time", "errors", "start", "concurrency", "queue", "memory", "cold", "crashes", "needs", "unmet",
    "says", "writes", NULL,
};
/* The last lines of these two are what fakes read in the same mapping. */
static const char *const store_keys[] = {
    "engine", "service", "schema", "tables", "archive", "replicas",
    "database", "user", "password", "container", "pod", "host", "port", "path", "url", "migrations", "setup",
    "queue", "persistence", "indices", "repository", "schema_table", "columns", "views", "functions", NULL,
};
static const char *const table_keys[] = {
    "records", "history", "columns", "create", "key", "time", "rows", "cache", NULL,
};
static const char *const backup_keys[] = {
    "store", "every", "first", "at", "to", "file", "keep", "before_start",
    "place", "suffix", "kind", "compress", "checksum", "with", "tables", "manifest", NULL,
};

void model_defaults(struct model *model)
{
    *model = (struct model){
        .name = "",
        .horizon_ns = 2 * HOUR,
        .stable_window_ns = 5 * MINUTE,
        .grain = GRAIN_FLOW,
        .indicator = {.target = 0.99, .down_below = 0.5},
        .metrics = {.every_ns = 15 * SECOND, .lookback_ns = 5 * MINUTE},
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

static int need_service(const struct model *model, const struct doc *node, const char *name, struct error *error)
{
    return model_service(model, name) ? 0 : unknown(node, error, "service", name, model, service_name_at);
}

static int need_store(const struct model *model, const struct doc *node, const char *name, struct error *error)
{
    return model_store(model, name) ? 0 : unknown(node, error, "store", name, model, store_name_at);
}

/* ---- versions ---- */

static int load_time(const struct doc *node, struct model_version *version, struct error *error)
{
    static const char *const keys[] = {"p50", "p99", "exponential", "constant", NULL};
    const struct doc *exponential = doc_get(node, "exponential"), *constant = doc_get(node, "constant");
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
        return doc_error(node, error, "p99 must not be below p50");
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
    return 0;
}

static int load_cold(const struct doc *node, struct model_version *version, struct error *error)
{
    static const char *const keys[] = {"for", "slower", NULL};
    if (!node)
        return 0;
    TRY(doc_only(node, keys, error));
    TRY(doc_duration(doc_get(node, "for"), &version->cold_ns, error));
    return doc_number(doc_get(node, "slower"), 1, 1000, &version->cold_factor, error);
}

/* "41", or ">= 41" */
static int load_schema_number(const struct doc *node, int64_t *ret, bool *ret_at_least, struct error *error)
{
    const char *text = "";
    TRY(doc_text(node, &text, error));
    struct str rest = str_trim(str_of(text));
    *ret_at_least = str_starts(rest, ">=");
    if (*ret_at_least)
        rest = str_trim((struct str){rest.at + 2, rest.len - 2});
    if (!str_int64(rest, ret))
        return doc_error(node, error, "expected a schema number such as 41 or \">= 41\", found '%s'", text);
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
    EACH(child, node) {
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
    EACH(child, doc_get(node, "settings")) {
        struct model_need *need = &needs.at[needs.n++];
        *need = (struct model_need){.kind = NEED_SETTING, .subject = child->key, .value = ""};
        TRY(doc_text(child, &need->value, error));
    }
    const struct doc *up = doc_get(node, "up");
    if (up && up->kind == DOC_SCALAR) {
        needs.at[needs.n++] = (struct model_need){.kind = NEED_UP, .subject = up->text};
    } else {
        EACH(child, up) {
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
static int load_version(struct arena *arena, const struct doc *node, const struct model_service *service,
                        const struct model_version *plain, struct model_version *version, struct error *error)
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
    TRY(doc_small(doc_get(node, "concurrency"), 1, MODEL_CONCURRENCY_MAX, &version->concurrency, error));
    TRY(doc_small(doc_get(node, "queue"), 0, MODEL_QUEUE_MAX, &version->queue, error));
    TRY(load_memory(doc_get(node, "memory"), version, error));
    TRY(load_cold(doc_get(node, "cold"), version, error));
    TRY(doc_duration(doc_get(node, "crashes"), &version->crashes_ns, error));
    if (doc_get(node, "crashes") && (version->crashes_ns < SECOND || version->crashes_ns > 36500 * DAY))
        return doc_error(doc_get(node, "crashes"), error, "a mean time between crashes is from 1s to 36500d");
    TRY(load_needs(arena, doc_get(node, "needs"), version, error));
    int choice = (int)version->unmet;
    TRY(doc_choice(doc_get(node, "unmet"), unmet, &choice, error));
    version->unmet = (enum unmet)choice;
    return doc_text(doc_get(node, "says"), &version->says, error);
}

static int load_settings(struct arena *, const struct doc *, const struct model_setting **ret, int *ret_n,
                         struct error *);

/* The version and, right behind it, its variants. */
static int load_version_and_variants(struct arena *arena, const struct doc *node, struct model_service *service,
                                     struct model_version *at, struct error *error)
{
    const struct model_version *plain = &at[service->n_versions];
    TRY(load_version(arena, node, service, NULL, &at[service->n_versions], error));
    service->n_versions++;
    if (doc_get(node, "when"))
        TRY(doc_want(doc_get(node, "when"), DOC_SEQUENCE, error));
    EACH(child, doc_get(node, "when")) {
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
        struct doc nothing = {.kind = DOC_NULL, .key = service->version ? service->version : "current"};
        TRY(load_version(arena, &nothing, service, NULL, &at[service->n_versions++], error));
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

static int load_services(struct arena *arena, const struct doc *node, struct model *model, struct error *error)
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
    EACH(service, doc_get(root, "services")) {
        const struct model_service *loaded = &model->services[i++];
        for (int v = 0; v < loaded->n_versions; v++)
            for (int k = 0; k < loaded->versions[v].n_needs; k++) {
                /* the arrays are ours and still being filled */
                struct model_need *need = (struct model_need *)(uintptr_t)&loaded->versions[v].needs[k];
                const struct doc *version = doc_get(doc_get(service, "versions"), loaded->versions[v].name);
                const struct doc *where = doc_get(version, "needs") ? doc_get(version, "needs") : version;
                if (need->kind == NEED_SCHEMA && !need->subject) {
                    if (with_schema != 1)
                        return doc_error(where, error,
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

/* ---- stores and backups ---- */

static int load_table(const struct doc *node, struct model_table *table, struct error *error)
{
    *table = (struct model_table){.name = node->key, .history_ns = 30 * DAY};
    if (node->kind == DOC_NULL)
        return 0;
    if (node->kind == DOC_SCALAR)
        return doc_int(node, 0, (int64_t)MODEL_RECORDS_MAX, &table->records, error);
    TRY(doc_only(node, table_keys, error));
    TRY(doc_int(doc_get(node, "records"), 0, (int64_t)MODEL_RECORDS_MAX, &table->records, error));
    TRY(doc_duration(doc_get(node, "history"), &table->history_ns, error));
    if (table->history_ns < SECOND || table->history_ns > 36500 * DAY)
        return doc_error(doc_near(node, "history"), error, "a history is from 1s to 36500d long");
    return 0;
}

/* The archive of its log, and its replicas. */
static int load_followers(struct arena *arena, const struct doc *node, struct model_store *store, struct error *error)
{
    static const char *const archive_keys[] = {"delay", NULL}, *const replica_keys[] = {"lag", NULL};
    const struct doc *archive = doc_get(node, "archive"), *replicas = doc_get(node, "replicas");
    if (archive) {
        store->archive_delay_ns = MINUTE;
        TRY(doc_only(archive, archive_keys, error));
        TRY(doc_duration(doc_get(archive, "delay"), &store->archive_delay_ns, error));
        if (store->archive_delay_ns < 1)
            return doc_error(doc_near(archive, "delay"), error, "a log is archived after a while, at least 1ms");
    }
    if (!replicas)
        return 0;
    TRY(doc_want(replicas, DOC_MAPPING, error));
    struct model_replica *at = ARENA_ARRAY(arena, struct model_replica, replicas->n);
    store->replicas = at;
    EACH(child, replicas) {
        struct model_replica *replica = &at[store->n_replicas++];
        *replica = (struct model_replica){.name = child->key, .lag_ns = SECOND};
        if (child->kind != DOC_NULL)
            TRY(doc_only(child, replica_keys, error));
        TRY(doc_duration(doc_get(child, "lag"), &replica->lag_ns, error));
    }
    return 0;
}

static int load_store(struct arena *arena, const struct doc *node, const struct model *model,
                      struct model_store *store, struct error *error)
{
    *store = (struct model_store){.name = node->key, .engine = node->key, .config = node};
    if (node->kind != DOC_NULL)
        TRY(doc_only(node, store_keys, error));
    TRY(doc_text(doc_get(node, "engine"), &store->engine, error));
    TRY(doc_text(doc_get(node, "service"), &store->service, error));
    if (store->service)
        TRY(need_service(model, doc_get(node, "service"), store->service, error));
    else if (model_service(model, node->key))
        store->service = node->key; /* a service of the same name serves it */
    TRY(doc_int(doc_get(node, "schema"), 0, INT64_MAX, &store->schema, error));
    TRY(load_followers(arena, node, store, error));
    const struct doc *tables = doc_get(node, "tables");
    if (tables)
        TRY(doc_want(tables, DOC_MAPPING, error));
    struct model_table *at = ARENA_ARRAY(arena, struct model_table, tables ? tables->n : 0);
    store->tables = at;
    EACH(child, tables)
        TRY(load_table(child, &at[store->n_tables++], error));
    return 0;
}

static int load_stores(struct arena *arena, const struct doc *node, struct model *model, struct error *error)
{
    if (!node)
        return 0;
    TRY(doc_want(node, DOC_MAPPING, error));
    struct model_store *at = ARENA_ARRAY(arena, struct model_store, node->n);
    model->stores = at;
    EACH(child, node)
        TRY(load_store(arena, child, model, &at[model->n_stores++], error));
    return 0;
}

/* A duration that may be negative: "-2h". */
static int load_signed(const struct doc *node, int64_t *ret_ns, struct error *error)
{
    if (node->kind == DOC_SCALAR && node->text[0] == '-') {
        int64_t value;
        if (!parse_duration(str_of(node->text + 1), &value))
            return doc_error(node, error, "expected a duration such as -2h, found '%s'", node->text);
        *ret_ns = -value;
        return 0;
    }
    return doc_duration(node, ret_ns, error);
}

static int load_backup(struct arena *arena, const struct doc *node, const struct model *model,
                       struct model_backup *backup, struct error *error)
{
    struct doc *store = NULL;
    TRY(doc_only(node, backup_keys, error));
    *backup = (struct model_backup){.name = node->key, .keep = 7, .to = "", .config = node};
    backup->file = arena_printf(arena, "%s_%%Y%%m%%d_%%H%%M%%S", node->key);
    TRY(doc_need(node, "store", &store, error));
    TRY(doc_text(store, &backup->store, error));
    TRY(need_store(model, store, backup->store, error));
    TRY(doc_duration(doc_get(node, "every"), &backup->every_ns, error));
    if (doc_get(node, "every") && backup->every_ns < SECOND)
        return doc_error(doc_near(node, "every"), error, "a backup every %s is too often; at least 1s",
                         doc_get(node, "every")->text);
    backup->phase_ns = backup->every_ns;
    TRY(doc_duration(doc_get(node, "first"), &backup->phase_ns, error));
    const struct doc *at = doc_get(node, "at");
    int64_t *instants = ARENA_ARRAY(arena, int64_t, at && at->kind == DOC_SEQUENCE ? at->n : 1);
    backup->at_ns = instants;
    if (at && at->kind == DOC_SCALAR)
        TRY(load_signed(at, &instants[backup->n_at++], error));
    else
        EACH(child, at)
            TRY(load_signed(child, &instants[backup->n_at++], error));
    if (!backup->every_ns && !backup->n_at)
        return doc_error(node, error, "a backup needs 'every' or 'at'");
    TRY(doc_text(doc_get(node, "to"), &backup->to, error));
    TRY(doc_text(doc_get(node, "file"), &backup->file, error));
    TRY(doc_small(doc_get(node, "keep"), 1, 100000, &backup->keep, error));
    backup->before_start = backup->keep < 100 ? backup->keep : 100;
    TRY(doc_small(doc_get(node, "before_start"), 0, 1000, &backup->before_start, error));
    if (backup->every_ns > 3650 * DAY || backup->phase_ns > 3650 * DAY)
        return doc_error(node, error, "'every' and 'first' are at most 3650d");
    return 0;
}

static int load_backups(struct arena *arena, const struct doc *node, struct model *model, struct error *error)
{
    if (!node)
        return 0;
    TRY(doc_want(node, DOC_MAPPING, error));
    struct model_backup *at = ARENA_ARRAY(arena, struct model_backup, node->n);
    model->backups = at;
    EACH(child, node)
        TRY(load_backup(arena, child, model, &at[model->n_backups++], error));
    return 0;
}

/* ---- traffic ---- */

static bool has_table(const struct model_store *store, struct str table)
{
    for (int i = 0; i < store->n_tables; i++)
        if (str_is(table, store->tables[i].name))
            return true;
    return false;
}

/* "orders" or "postgres.orders" */
static int load_write(struct arena *arena, const struct doc *node, const struct model *model,
                      struct model_write *write, struct error *error)
{
    struct str rest = str_of(node->key), first = str_cut(&rest, '.');
    const struct model_store *in = NULL;
    if (rest.len && model_store(model, arena_str(arena, first))) {
        in = model_store(model, arena_str(arena, first));
        if (!has_table(in, rest))
            return doc_error(node, error, "store '%s' has no table '%.*s'", in->name, STR_ARG(rest));
        write->table = arena_str(arena, rest);
    } else {
        for (int i = 0; i < model->n_stores; i++) {
            if (!has_table(&model->stores[i], str_of(node->key)))
                continue;
            if (in)
                return doc_error(node, error, "both '%s' and '%s' have a table '%s'; write STORE.TABLE", in->name,
                                 model->stores[i].name, node->key);
            in = &model->stores[i];
        }
        if (!in)
            return doc_error(node, error, "no store has a table '%s'", node->key);
        write->table = node->key;
    }
    write->store = in->name;
    return doc_ratio(node, &write->ratio, error);
}

static int load_writes(struct arena *arena, const struct doc *node, const struct model *model,
                       const struct model_write **ret, int *ret_n, struct error *error)
{
    if (!node)
        return 0;
    TRY(doc_want(node, DOC_MAPPING, error));
    if (node->n > 64)
        return doc_error(node, error, "at most 64 tables are written to by one request");
    struct model_write *at = ARENA_ARRAY(arena, struct model_write, node->n);
    *ret = at;
    *ret_n = 0;
    EACH(child, node)
        TRY(load_write(arena, child, model, &at[(*ret_n)++], error));
    return 0;
}

/* What versions write, once the stores are known: one's own, else those of the version it is like. */
static int load_version_writes(struct arena *arena, const struct doc *node, const struct model *model,
                               const struct model_service *service, const struct model_version *plain,
                               struct model_version *version, struct error *error)
{
    const char *like = NULL;
    TRY(doc_text(doc_get(node, "like"), &like, error));
    const struct model_version *other = like ? model_version(service, like) : plain;
    if (other) {
        version->writes = other->writes;
        version->n_writes = other->n_writes;
    }
    return load_writes(arena, doc_get(node, "writes"), model, &version->writes, &version->n_writes, error);
}

static int load_all_version_writes(struct arena *arena, const struct doc *root, const struct model *model,
                                   struct error *error)
{
    int i = 0;
    EACH(child, doc_get(root, "services")) {
        const struct model_service *service = &model->services[i++];
        /* the arrays are ours and still being filled */
        struct model_version *version = (struct model_version *)(uintptr_t)service->versions;
        EACH(plain, doc_get(child, "versions")) {
            const struct model_version *base = version;
            TRY(load_version_writes(arena, plain, model, service, NULL, version++, error));
            EACH(variant, doc_get(plain, "when"))
                TRY(load_version_writes(arena, variant, model, service, base, version++, error));
        }
    }
    return 0;
}

static int load_source(struct arena *arena, const struct doc *node, const struct model *model,
                       struct model_traffic *traffic, struct error *error)
{
    static const char *const keys[] = {"to", "rate", "daily", "timeout", "region", "writes", NULL};
    struct doc *to = NULL, *rate = NULL;
    *traffic = (struct model_traffic){.name = node->key, .timeout_ns = 30 * SECOND};
    TRY(doc_only(node, keys, error));
    TRY(doc_need(node, "to", &to, error));
    TRY(doc_text(to, &traffic->to, error));
    TRY(need_service(model, to, traffic->to, error));
    TRY(doc_need(node, "rate", &rate, error));
    TRY(doc_rate(rate, &traffic->rate_per_s, error));
    if (!(traffic->rate_per_s <= MODEL_RATE_MAX))
        return doc_error(rate, error, "a rate is at most %g/s", MODEL_RATE_MAX);
    TRY(doc_bool(doc_get(node, "daily"), &traffic->daily, error));
    TRY(doc_duration(doc_get(node, "timeout"), &traffic->timeout_ns, error));
    if (traffic->timeout_ns < MILLISECOND)
        return doc_error(doc_near(node, "timeout"), error, "a timeout must be at least 1ms");
    TRY(doc_text(doc_get(node, "region"), &traffic->region, error));
    return load_writes(arena, doc_get(node, "writes"), model, &traffic->writes, &traffic->n_writes, error);
}

static int load_traffic(struct arena *arena, const struct doc *node, struct model *model, struct error *error)
{
    if (!node)
        return 0;
    TRY(doc_want(node, DOC_MAPPING, error));
    struct model_traffic *at = ARENA_ARRAY(arena, struct model_traffic, node->n);
    model->traffic = at;
    EACH(child, node)
        TRY(load_source(arena, child, model, &at[model->n_traffic++], error));
    return 0;
}

/* ---- the indicator and the good state ---- */

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
    return doc_error(node, error, "expected \"status < 500\", with \"within 1s\" if late answers count as bad");
}

static int load_indicator(const struct doc *node, struct model *model, struct error *error)
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
        return doc_error(doc_near(node, "down_below"), error, "'down_below' must not be above 'target'");
    return 0;
}

struct goods {
    struct model_good *at;
    int n;
};

static int want_version(const struct doc *node, const struct model_service *service, struct goods *goods,
                        struct error *error)
{
    const char *version = NULL;
    TRY(doc_text(node, &version, error));
    if (version && !model_version(service, version))
        return doc_error(node, error, "service '%s' has no version '%s'", service->name, version);
    if (version)
        goods->at[goods->n++] = (struct model_good){.kind = GOOD_VERSION, .subject = service->name, .value = version};
    return 0;
}

static int load_good_service(const struct doc *node, const struct model_service *service, struct goods *goods,
                             struct error *error)
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
        EACH(child, settings) {
            struct model_good *good = &goods->at[goods->n++];
            *good = (struct model_good){.kind = GOOD_STARTED, .subject = service->name, .key = child->key};
            TRY(doc_text(child, &good->value, error));
        }
        TRY(want_version(doc_get(node, "version"), service, goods, error));
        TRY(doc_int(doc_get(node, "replicas"), 0, MODEL_REPLICAS_MAX, &replicas, error));
    }
    goods->at[goods->n++] = (struct model_good){.kind = GOOD_REPLICAS, .subject = service->name, .number = replicas};
    return 0;
}

static int load_good_store(const struct doc *node, const struct model_store *store, struct goods *goods,
                           struct error *error)
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

int load_good_state(struct arena *arena, const struct doc *node, struct model *model, struct error *error)
{
    const struct doc *settings = doc_get(node, "settings");
    int n = node ? node->n * 2 + (settings ? settings->n : 0) : 0;
    EACH(child, node)
        n += doc_get(child, "settings") ? doc_get(child, "settings")->n : 0;
    struct goods goods = {.at = ARENA_ARRAY(arena, struct model_good, n + model->n_services + 1)};
    if (node)
        TRY(doc_want(node, DOC_MAPPING, error));
    EACH(child, node) {
        const struct model_service *service = model_service(model, child->key);
        const struct model_store *store = model_store(model, child->key);
        if (child == settings)
            continue;
        /* a name that is both: a mapping with a schema is the store's, a version the service's */
        if (store && child->kind == DOC_MAPPING && (!service || doc_get(child, "schema") || doc_get(child, "in_service")))
            TRY(load_good_store(child, store, &goods, error));
        else if (service)
            TRY(load_good_service(child, service, &goods, error));
        else if (store)
            return doc_error(child, error, "a store's good state is a mapping such as {schema: 41}");
        else
            TRY(need_service(model, child, child->key, error));
    }
    if (settings)
        TRY(doc_want(settings, DOC_MAPPING, error));
    EACH(child, settings) {
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
                if (goods.at[j].kind == GOOD_VERSION && strcmp(goods.at[j].subject, service->name) == 0)
                    service->version = goods.at[j].value;
    }
    return 0;
}

/* ---- settings, metrics, decision ---- */

static int load_settings(struct arena *arena, const struct doc *node, const struct model_setting **ret, int *ret_n,
                         struct error *error)
{
    if (!node)
        return 0;
    TRY(doc_want(node, DOC_MAPPING, error));
    struct model_setting *at = ARENA_ARRAY(arena, struct model_setting, node->n);
    *ret = at;
    *ret_n = 0;
    EACH(child, node) {
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
    TRY(doc_duration(doc_get(node, "lookback"), &model->metrics.lookback_ns, error));
    if (model->metrics.every_ns < SECOND || model->metrics.every_ns > DAY)
        return doc_error(doc_near(node, "every"), error, "metrics are scraped every 1s to 24h");
    return 0;
}

int load_decision(struct arena *arena, const struct doc *node, struct model *model, struct error *error)
{
    static const char *const keys[] = {"trigger", "severity", "authority", "response", "rollback", NULL};
    if (!node)
        return 0;
    TRY(doc_want(node, DOC_SEQUENCE, error));
    struct model_rule *at = ARENA_ARRAY(arena, struct model_rule, node->n);
    model->rules = at;
    model->n_rules = 0;
    EACH(child, node) {
        struct model_rule *rule = &at[model->n_rules++];
        *rule = (struct model_rule){.trigger = "*", .rollback = true};
        TRY(doc_only(child, keys, error));
        TRY(doc_text(doc_get(child, "trigger"), &rule->trigger, error));
        TRY(doc_text(doc_get(child, "severity"), &rule->severity, error));
        TRY(doc_text(doc_get(child, "authority"), &rule->authority, error));
        TRY(load_delay(doc_get(child, "response"), &rule->response, error));
        TRY(doc_bool(doc_get(child, "rollback"), &rule->rollback, error));
    }
    return 0;
}

/* ---- all of it ---- */

static int check_keys(struct arena *arena, const struct doc *root, const char *const *also, struct error *error)
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
    return model_check(model, &inner) ? doc_error(doc_near(root, "services"), error, "%s", inner.text) : 0;
}

int model_load_system(struct arena *arena, const struct doc *root, const char *const *also, struct model *model,
                      struct error *error)
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
    TRY(load_settings(arena, doc_get(root, "settings"), &model->settings, &model->n_settings, error));
    TRY(load_metrics(doc_get(root, "metrics"), model, error));
    if (doc_get(root, "triggers"))
        TRY(model_load_triggers(arena, doc_get(root, "triggers"), model, &model->triggers, error));
    TRY(load_decision(arena, doc_get(root, "decision"), model, error));
    return check_circle(root, model, error);
}
