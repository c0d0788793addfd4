/* Stores and their backups. */
#include <string.h>

#include "procedures/drill/load.h"

/* The last lines of these two are what fakes read in the same mapping. */
static const char *const store_keys[] = {
    "engine",      "service",        "schema",     "tables",       "archive", "replicas",
    "database",    "user",           "password",   "container",    "pod",     "host",
    "port",        "path",           "url",        "migrations",   "setup",   "queue",
    "persistence", "indices",        "repository", "schema_table", "columns", "views",
    "functions",   "data_directory", "config",     NULL,
};
static const char *const table_keys[] = {
    "records", "history", "columns", "create", "key", "time", "rows", "cache", NULL,
};
static const char *const backup_keys[] = {
    "store",  "every", "first",    "at",     "to",       "file", "keep",   "before_start", "place",
    "suffix", "kind",  "compress", "format", "checksum", "with", "tables", "manifest",     NULL,
};

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
static int load_followers(struct arena *arena, const struct doc *node, struct model_store *store,
                          struct error *error)
{
    static const char *const archive_keys[] = {"delay", "to", NULL}, *const replica_keys[] = {"lag",
                                                                                              NULL};
    const struct doc *archive = doc_get(node, "archive"), *replicas = doc_get(node, "replicas");
    if (archive) {
        store->archive_delay_ns = MINUTE;
        TRY(doc_only(archive, archive_keys, error));
        TRY(doc_duration(doc_get(archive, "delay"), &store->archive_delay_ns, error));
        if (store->archive_delay_ns < 1)
            return doc_error(doc_near(archive, "delay"), error,
                             "a log is archived after a while, at least 1ms");
    }
    if (!replicas)
        return 0;
    TRY(doc_want(replicas, DOC_MAPPING, error));
    struct model_replica *at = ARENA_ARRAY(arena, struct model_replica, replicas->n);
    store->replicas = at;
    EACH(child, replicas)
    {
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

int load_stores(struct arena *arena, const struct doc *node, struct model *model,
                struct error *error)
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
            return doc_error(node, error, "expected a duration such as -2h, found '%s'",
                             node->text);
        *ret_ns = -value;
        return 0;
    }
    return doc_duration(node, ret_ns, error);
}

/* What path_of() in sim/world/backup.c puts in. */
static int load_file_name(const struct doc *node, struct model_backup *backup, struct error *error)
{
    TRY(doc_text(node, &backup->file, error));
    if (node && !*backup->file)
        return doc_error(node, error, "expected a name such as \"shop_%%Y%%m%%d_%%H%%M%%S\"");
    for (const char *p = backup->file; *p; p++)
        if (*p == '%' && (!p[1] || !strchr("YmdHMSs%", *++p)))
            return doc_error(node, error,
                             "in '%s' only %%Y %%m %%d %%H %%M %%S %%s and %%%% are known",
                             backup->file);
    return 0;
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
    if (doc_get(node, "every") && backup->every_ns < 10 * SECOND)
        return doc_error(doc_near(node, "every"), error,
                         "a backup every %s is too often; at least 10s",
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
    TRY(load_file_name(doc_get(node, "file"), backup, error));
    TRY(doc_small(doc_get(node, "keep"), 1, 100000, &backup->keep, error));
    backup->before_start = backup->keep < 100 ? backup->keep : 100;
    TRY(doc_small(doc_get(node, "before_start"), 0, 1000, &backup->before_start, error));
    if (backup->every_ns > 3650 * DAY || backup->phase_ns > 3650 * DAY)
        return doc_error(node, error, "'every' and 'first' are at most 3650d");
    return 0;
}

int load_backups(struct arena *arena, const struct doc *node, struct model *model,
                 struct error *error)
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
