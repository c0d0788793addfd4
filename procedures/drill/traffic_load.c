/* Traffic, and what requests write. */
#include "procedures/drill/load.h"

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
            return doc_error(node, error, "store '%s' has no table '%.*s'", in->name,
                             STR_ARG(rest));
        write->table = arena_str(arena, rest);
    } else {
        for (int i = 0; i < model->n_stores; i++) {
            if (!has_table(&model->stores[i], str_of(node->key)))
                continue;
            if (in)
                return doc_error(node, error,
                                 "both '%s' and '%s' have a table '%s'; write STORE.TABLE",
                                 in->name, model->stores[i].name, node->key);
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

/* What versions write, once the stores are known: one's own, else those of the version it is like.
 */
static int load_version_writes(struct arena *arena, const struct doc *node,
                               const struct model *model, const struct model_service *service,
                               const struct model_version *plain, struct model_version *version,
                               struct error *error)
{
    const char *like = NULL;
    TRY(doc_text(doc_get(node, "like"), &like, error));
    const struct model_version *other = like ? model_version(service, like) : plain;
    if (other) {
        version->writes = other->writes;
        version->n_writes = other->n_writes;
    }
    return load_writes(arena, doc_get(node, "writes"), model, &version->writes, &version->n_writes,
                       error);
}

int load_all_version_writes(struct arena *arena, const struct doc *root, const struct model *model,
                            struct error *error)
{
    int i = 0;
    EACH(child, doc_get(root, "services"))
    {
        const struct model_service *service = &model->services[i++];
        /* the arrays are ours and still being filled */
        struct model_version *version = (struct model_version *)(uintptr_t)service->versions;
        EACH(plain, doc_get(child, "versions"))
        {
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
    return load_writes(arena, doc_get(node, "writes"), model, &traffic->writes, &traffic->n_writes,
                       error);
}

int load_traffic(struct arena *arena, const struct doc *node, struct model *model,
                 struct error *error)
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
