/* elasticsearch: the REST API of a single node behind every store whose engine starts with "elasticsearch" or
 * "opensearch": indices, health, snapshots and their restore in virtual time.
 *
 * A table of the store is an index, its documents are the acknowledged records. Of the store's mapping it reads
 *   host, port     where it is reached (default localhost:9200; in containers also by the name of its service)
 *   repository     name of its snapshot repository; each backup schedule of the store writes snapshots into it,
 *                  named by the schedule's `file`
 * Wording and status codes: Elasticsearch 8.11, RestController, RestoreService, SnapshotsService.
 */
#include <cjson/cJSON.h>
#include <stdlib.h>
#include <string.h>

#include "fakes/fake.h"
#include "fakes/http.h"
#include "sim/base/xalloc.h"
#include "sim/world/model.h"

/* How fast a restore copies: documents of about 600 bytes at indices.recovery.max_bytes_per_sec, 40 MB/s. */
enum { DOCUMENT_BYTES = 600, RESTORE_BYTES_PER_S = 40 * 1000 * 1000, BODY_MAX = 4 << 20 };

struct snapshot {
    char *name;
    struct dataset *contents;
    int64_t made_ns;
    bool damaged;
    int copy; /* handle for store_forget_copy */
};

struct index {
    const char *name;
    bool closed, corrupt, deleted;
    struct snapshot *restoring;
    int64_t restore_began_ns, restore_ends_ns;
};

struct node {
    struct store *store;
    struct service *service;
    const char *repository; /* NULL: none */
    struct index **indices;
    int n_indices, cap_indices;
    struct snapshot **snapshots;
    int n_snapshots, cap_snapshots;
    struct env *env;
    struct node *next;
};

static struct node *nodes_of(struct env *env)
{
    return *env_slot(env, "elasticsearch");
}

static struct index *find_index(struct node *node, struct str name)
{
    for (int i = 0; i < node->n_indices; i++) {
        if (str_is(name, node->indices[i]->name))
            return node->indices[i]->deleted ? NULL : node->indices[i];
    }
    return NULL;
}

static struct index *add_index(struct node *node, const char *name)
{
    for (int i = 0; i < node->n_indices; i++) {
        if (strcmp(node->indices[i]->name, name) == 0) {
            node->indices[i]->deleted = false;
            return node->indices[i];
        }
    }
    XGROW(node->indices, node->n_indices, node->cap_indices);
    struct index *index = ARENA_NEW(&node->env->arena, struct index);
    index->name = arena_strdup(&node->env->arena, name);
    node->indices[node->n_indices++] = index;
    return index;
}

static int64_t documents(struct node *node, const struct index *index)
{
    const struct idset *rows = dataset_rows(store_serving(node->store), index->name);
    return rows ? idset_count(rows) : 0;
}

static bool accepts(struct store *store, const char *table, const char **why, void *ctx)
{
    (void)store;
    const struct index *index = find_index(ctx, str_of(table));
    if (index && !index->closed && !index->restoring && !index->corrupt)
        return true;
    *why = !index ? "index_not_found_exception" : index->closed ? "index_closed_exception" : "all shards failed";
    return false;
}

static const char *health_of(const struct index *index)
{
    return index->corrupt || index->restoring ? "red" : "green";
}

/* ---- answers ---- */

struct exchange {
    struct node *node;
    const struct http_request *request;
    struct http_response *response;
    struct str path, query;
    bool head;
};

static void answer_text(struct exchange *x, const char *type)
{
    x->response->status = 200;
    http_header(x->response, "X-elastic-product", "Elasticsearch");
    http_header(x->response, "content-type", type);
}

static void answer_json(struct exchange *x, int status, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
static void answer_json(struct exchange *x, int status, const char *format, ...)
{
    va_list args;
    answer_text(x, "application/json");
    x->response->status = status;
    va_start(args, format);
    buf_vprintf(&x->response->body, format, args);
    va_end(args);
}

static void answer_error(struct exchange *x, int status, const char *type, const char *reason)
{
    struct buf quoted;
    buf_init(&quoted, 4096);
    for (const char *p = reason; *p; p++) {
        if (*p == '"' || *p == '\\')
            buf_putc(&quoted, '\\');
        buf_putc(&quoted, *p);
    }
    answer_json(x, status,
                "{\"error\":{\"root_cause\":[{\"type\":\"%s\",\"reason\":\"%s\"}],\"type\":\"%s\",\"reason\":\"%s\"},"
                "\"status\":%d}",
                type, quoted.at ? quoted.at : "", type, quoted.at ? quoted.at : "", status);
    buf_release(&quoted);
}

static void no_such_index(struct exchange *x, struct str name)
{
    answer_json(x, 404,
                "{\"error\":{\"root_cause\":[{\"type\":\"index_not_found_exception\",\"reason\":\"no such index "
                "[%.*s]\",\"resource.type\":\"index_or_alias\",\"resource.id\":\"%.*s\",\"index_uuid\":\"_na_\","
                "\"index\":\"%.*s\"}],\"type\":\"index_not_found_exception\",\"reason\":\"no such index [%.*s]\","
                "\"resource.type\":\"index_or_alias\",\"resource.id\":\"%.*s\",\"index_uuid\":\"_na_\",\"index\":\"%.*s\"},"
                "\"status\":404}",
                STR_ARG(name), STR_ARG(name), STR_ARG(name), STR_ARG(name), STR_ARG(name), STR_ARG(name));
}

static bool has_parameter(struct str query, const char *name, struct str *ret)
{
    while (query.len) {
        struct str value = str_cut(&query, '&'), key = str_cut(&value, '=');
        if (str_is(key, name)) {
            if (ret)
                *ret = value;
            return true;
        }
    }
    return false;
}

/* ---- _cat: columns padded to the widest cell, the last one not ---- */

enum { COLUMNS_MAX = 16, ROWS_MAX = 512 };

struct table {
    struct arena *arena;
    const char *names[COLUMNS_MAX];
    bool right[COLUMNS_MAX];
    const char *cells[ROWS_MAX][COLUMNS_MAX];
    int n_columns, n_rows;
};

static int column(const struct table *table, struct str name)
{
    for (int c = 0; c < table->n_columns; c++) {
        if (str_is(name, table->names[c]))
            return c;
    }
    return -1;
}

/* `h` names the columns and their order. */
static void print_table(struct exchange *x, const struct table *table)
{
    struct str columns = {0};
    bool header = has_parameter(x->query, "v", NULL), all = !has_parameter(x->query, "h", &columns);
    int shown[COLUMNS_MAX], n = 0;
    for (int c = 0; all && c < table->n_columns; c++)
        shown[n++] = c;
    while (columns.len && n < COLUMNS_MAX) {
        int c = column(table, str_cut(&columns, ','));
        if (c >= 0)
            shown[n++] = c;
    }
    size_t width[COLUMNS_MAX];
    for (int i = 0; i < n; i++) {
        width[i] = header ? strlen(table->names[shown[i]]) : 0;
        for (int r = 0; r < table->n_rows; r++) {
            size_t len = strlen(table->cells[r][shown[i]]);
            width[i] = len > width[i] ? len : width[i];
        }
    }
    answer_text(x, "text/plain; charset=UTF-8");
    for (int r = header ? -1 : 0; r < table->n_rows; r++) {
        for (int i = 0; i < n; i++) {
            const char *cell = r < 0 ? table->names[shown[i]] : table->cells[r][shown[i]];
            int pad = (int)(width[i] - strlen(cell));
            bool right = table->right[shown[i]];
            buf_printf(&x->response->body, "%*s%s%*s%s", right ? pad : 0, "", cell,
                       right || i == n - 1 ? 0 : pad, "", i == n - 1 ? "\n" : " ");
        }
    }
}

static const char *size_words(struct arena *arena, int64_t bytes)
{
    if (bytes >= 1024 * 1024 * 1024)
        return arena_printf(arena, "%lld.%lldgb", (long long)(bytes >> 30), (long long)((bytes >> 20) % 1024 * 10 / 1024));
    if (bytes >= 1024 * 1024)
        return arena_printf(arena, "%lld.%lldmb", (long long)(bytes >> 20), (long long)((bytes >> 10) % 1024 * 10 / 1024));
    return arena_printf(arena, "%lld.%lldkb", (long long)(bytes >> 10), (long long)(bytes % 1024 * 10 / 1024));
}

/* 22 characters that look like an index's uuid, from its name alone. */
static const char *uuid_of(struct arena *arena, const char *name)
{
    static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    uint64_t h = UINT64_C(1469598103934665603);
    char *uuid = arena_alloc(arena, 23);
    for (int i = 0; i < 22; i++) {
        for (const char *p = name; *p; p++)
            h = (h ^ (uint64_t)(unsigned char)*p) * UINT64_C(1099511628211);
        h = (h ^ (uint64_t)i) * UINT64_C(1099511628211);
        uuid[i] = letters[h >> 58];
    }
    return uuid;
}

static void cat_indices(struct exchange *x)
{
    static const char *const names[] = {"health", "status", "index", "uuid", "pri", "rep", "docs.count", "docs.deleted",
                                        "store.size", "pri.store.size"};
    struct arena *arena = x->response->arena;
    struct table *table = ARENA_NEW(arena, struct table);
    table->n_columns = 10;
    for (int c = 0; c < 10; c++) {
        table->names[c] = names[c];
        table->right[c] = c >= 4;
    }
    for (int i = 0; i < x->node->n_indices && table->n_rows < ROWS_MAX; i++) {
        const struct index *index = x->node->indices[i];
        if (index->deleted)
            continue;
        int64_t n = documents(x->node, index);
        bool counted = !index->closed && !index->corrupt; /* without a started primary there are no figures */
        const char **row = table->cells[table->n_rows++];
        const char *size = !counted ? "" : size_words(arena, n * DOCUMENT_BYTES);
        const char *values[] = {health_of(index), index->closed ? "close" : "open", index->name,
                                uuid_of(arena, index->name), "1", "0",
                                counted ? arena_printf(arena, "%lld", (long long)n) : "",
                                counted ? "0" : "", size, size};
        memcpy(row, values, sizeof values);
    }
    print_table(x, table);
}

static int percent_of(struct exchange *x, const struct index *index)
{
    int64_t now_ns = world_now(x->node->env->world);
    int64_t whole_ns = index->restore_ends_ns - index->restore_began_ns;
    if (!index->restoring || whole_ns <= 0)
        return 1000;
    return (int)((now_ns - index->restore_began_ns) * 1000 / whole_ns);
}

static void cat_recovery(struct exchange *x)
{
    struct arena *arena = x->response->arena;
    struct table *table = ARENA_NEW(arena, struct table);
    static const char *const names[] = {"index", "shard", "time", "type", "stage", "source_host", "repository",
                                        "snapshot", "percent"};
    table->n_columns = 9;
    memcpy(table->names, names, sizeof names);
    for (int i = 0; i < x->node->n_indices && table->n_rows < ROWS_MAX; i++) {
        const struct index *index = x->node->indices[i];
        if (index->deleted)
            continue;
        bool restored = index->restore_ends_ns > 0;
        int permille = percent_of(x, index);
        int64_t end_ns = index->restoring ? world_now(x->node->env->world) : index->restore_ends_ns;
        const char **row = table->cells[table->n_rows++];
        const char *values[] = {
            index->name, "0",
            restored ? arena_printf(arena, "%.1fs", (double)(end_ns - index->restore_began_ns) / 1e9) : "312ms",
            restored ? "snapshot" : "existing_store", index->restoring ? "index" : "done", "n/a",
            restored && x->node->repository ? x->node->repository : "n/a", "n/a",
            arena_printf(arena, "%d.%d%%", permille / 10, permille % 10)};
        memcpy(row, values, sizeof values);
    }
    print_table(x, table);
}

/* ---- cluster ---- */

static const char *cluster_health(const struct node *node)
{
    for (int i = 0; i < node->n_indices; i++) {
        if (!node->indices[i]->deleted && strcmp(health_of(node->indices[i]), "red") == 0)
            return "red";
    }
    return "green";
}

static void answer_cluster_health(struct exchange *x)
{
    int open = 0;
    for (int i = 0; i < x->node->n_indices; i++)
        open += !x->node->indices[i]->deleted && strcmp(health_of(x->node->indices[i]), "green") == 0;
    answer_json(x, 200,
                "{\"cluster_name\":\"docker-cluster\",\"status\":\"%s\",\"timed_out\":false,\"number_of_nodes\":1,"
                "\"number_of_data_nodes\":1,\"active_primary_shards\":%d,\"active_shards\":%d,\"relocating_shards\":0,"
                "\"initializing_shards\":0,\"unassigned_shards\":0,\"delayed_unassigned_shards\":0,"
                "\"number_of_pending_tasks\":0,\"number_of_in_flight_fetch\":0,"
                "\"task_max_waiting_in_queue_millis\":0,\"active_shards_percent_as_number\":100.0}",
                cluster_health(x->node), open, open);
}

/* ---- indices ---- */

static void set_closed(struct exchange *x, struct index *index, bool closed)
{
    if (index->closed != closed) {
        index->closed = closed;
        record_change(x->node->env->record, index->name, closed ? "index closed" : "index opened");
        store_changed(x->node->store);
    }
    if (closed)
        answer_json(x, 200, "{\"acknowledged\":true,\"shards_acknowledged\":true,\"indices\":{\"%s\":{\"closed\":true}}}",
                    index->name);
    else
        answer_json(x, 200, "{\"acknowledged\":true,\"shards_acknowledged\":true}");
}

static bool readable(struct exchange *x, const struct index *index)
{
    if (index->closed) {
        answer_error(x, 400, "index_closed_exception", "closed");
        return false;
    }
    if (index->corrupt || index->restoring) {
        answer_error(x, 503, "search_phase_execution_exception", "all shards failed");
        return false;
    }
    return true;
}

static void search(struct exchange *x, struct index *index)
{
    int64_t size = 10, total = documents(x->node, index);
    struct str text;
    if (has_parameter(x->query, "size", &text))
        str_int64(text, &size);
    if (!readable(x, index))
        return;
    const struct idset *rows = dataset_rows(store_serving(x->node->store), index->name);
    answer_json(x, 200,
                "{\"took\":3,\"timed_out\":false,\"_shards\":{\"total\":1,\"successful\":1,\"skipped\":0,\"failed\":0},"
                "\"hits\":{\"total\":{\"value\":%lld,\"relation\":\"%s\"},\"max_score\":%s,\"hits\":[",
                (long long)(total > 10000 ? 10000 : total), total > 10000 ? "gte" : "eq", total ? "1.0" : "null");
    int shown = 0;
    for (int i = 0; rows && i < rows->n && shown < size; i++) {
        for (int64_t id = rows->at[i].lo; id < rows->at[i].hi && shown < size; id++, shown++)
            buf_printf(&x->response->body, "%s{\"_index\":\"%s\",\"_id\":\"%lld\",\"_score\":1.0,\"_source\":{\"id\":%lld}}",
                       shown ? "," : "", index->name, (long long)id, (long long)id);
    }
    buf_puts(&x->response->body, "]}}");
}

static void delete_index(struct exchange *x, struct index *index)
{
    struct idset all = {0};
    const struct idset *rows = dataset_rows(store_serving(x->node->store), index->name);
    if (rows)
        idset_copy(&all, rows);
    store_because(x->node->store, arena_printf(x->response->arena, "DELETE /%s", index->name));
    if (all.n)
        dataset_delete_set(store_serving(x->node->store), index->name, &all);
    idset_release(&all);
    index->deleted = true;
    record_change(x->node->env->record, index->name, "index deleted");
    store_changed(x->node->store);
    answer_json(x, 200, "{\"acknowledged\":true}");
}

/* ---- snapshots ---- */

static struct snapshot *find_snapshot(struct node *node, struct str name)
{
    for (int i = 0; i < node->n_snapshots; i++) {
        if (str_is(name, node->snapshots[i]->name))
            return node->snapshots[i];
    }
    return NULL;
}

struct restore {
    struct node *node;
    struct index *index;
    int step; /* of the procedure, that asked for it: what it does is that step's doing */
};

/* The index's contents become those of the snapshot; a restored index is open. */
static void restore_ends(struct world *world, void *ctx)
{
    (void)world;
    struct restore *restore = ctx;
    struct node *node = restore->node;
    struct index *index = restore->index;
    struct dataset *serving = store_serving(node->store);
    struct idset now = {0}, then = {0}, gone = {0}, back = {0};
    const struct idset *rows = dataset_rows(serving, index->name);
    const struct idset *old = dataset_rows(index->restoring->contents, index->name);
    if (rows)
        idset_copy(&now, rows);
    if (old)
        idset_copy(&then, old);
    idset_copy(&gone, &now);
    idset_subtract(&gone, &then);
    idset_copy(&back, &then);
    idset_subtract(&back, &now);
    struct record *record = node->env->record;
    int now_in = record->current_step;
    record->current_step = restore->step;
    store_because(node->store, arena_printf(&node->env->arena, "restore of %s from snapshot %s", index->name,
                                            index->restoring->name));
    if (!dataset_has_table(serving, index->name))
        dataset_create_table(serving, index->name);
    if (gone.n)
        dataset_delete_set(serving, index->name, &gone);
    if (back.n)
        dataset_insert_set(serving, index->name, &back);
    record_change(record, index->name, "restored from snapshot %s: %lld documents", index->restoring->name,
                  (long long)idset_count(&then));
    record->current_step = now_in;
    idset_release(&now);
    idset_release(&then);
    idset_release(&gone);
    idset_release(&back);
    index->restoring = NULL;
    index->closed = index->corrupt = false;
    store_changed(node->store);
}

static bool asked_for(const char *indices, const char *name)
{
    struct str rest = str_of(indices);
    if (!indices[0] || strcmp(indices, "*") == 0 || strcmp(indices, "_all") == 0)
        return true;
    while (rest.len) {
        struct str one = str_trim(str_cut(&rest, ','));
        bool prefix = one.len && one.at[one.len - 1] == '*' && strncmp(name, one.at, one.len - 1) == 0;
        if (prefix || str_is(one, name))
            return true;
    }
    return false;
}

static void begin_restore(struct exchange *x, struct snapshot *snapshot, struct index *index)
{
    struct world *world = x->node->env->world;
    const struct idset *rows = dataset_rows(snapshot->contents, index->name);
    int64_t bytes = (rows ? idset_count(rows) : 0) * DOCUMENT_BYTES;
    struct restore *restore = ARENA_NEW(&x->node->env->arena, struct restore);
    *restore = (struct restore){x->node, index, x->node->env->record->current_step};
    index->restoring = snapshot;
    index->restore_began_ns = world_now(world);
    index->restore_ends_ns = index->restore_began_ns + 2 * SECOND + bytes * SECOND / RESTORE_BYTES_PER_S;
    store_changed(x->node->store);
    record_change(x->node->env->record, index->name, "restore from snapshot %s begins", snapshot->name);
    world_at(world, index->restore_ends_ns, restore_ends, restore);
}

static void restore(struct exchange *x, const char *repository, struct snapshot *snapshot)
{
    struct arena *arena = x->response->arena;
    char *body = arena_str(arena, x->request->body);
    cJSON *json = cJSON_Parse(body);
    const cJSON *wanted_indices = json ? cJSON_GetObjectItemCaseSensitive(json, "indices") : NULL;
    const char *indices = cJSON_IsString(wanted_indices) ? arena_strdup(arena, wanted_indices->valuestring) : "";
    bool malformed = x->request->body.len && !json;
    cJSON_Delete(json);
    if (malformed) {
        answer_error(x, 400, "parse_exception", "request body is not valid JSON");
        return;
    }
    if (snapshot->damaged) {
        answer_error(x, 500, "snapshot_restore_exception",
                     arena_printf(arena, "[%s:%s/%s] failed to read snapshot metadata", repository, snapshot->name,
                                  uuid_of(arena, snapshot->name)));
        return;
    }
    for (int i = 0; i < dataset_tables(snapshot->contents); i++) {
        const char *name = dataset_table(snapshot->contents, i);
        const struct index *index = find_index(x->node, str_of(name));
        if (asked_for(indices, name) && index && !index->closed) {
            answer_error(x, 500, "snapshot_restore_exception",
                         arena_printf(arena,
                                      "[%s:%s/%s] cannot restore index [%s] because an open index with same name already exists in "
                                      "the cluster. Either close or delete the existing index or restore the index under a "
                                      "different name by providing a rename pattern and replacement name",
                                      repository, snapshot->name, uuid_of(arena, snapshot->name), name));
            return;
        }
    }
    int n = 0;
    for (int i = 0; i < dataset_tables(snapshot->contents); i++) {
        const char *name = dataset_table(snapshot->contents, i);
        if (asked_for(indices, name)) {
            begin_restore(x, snapshot, add_index(x->node, name));
            n++;
        }
    }
    if (n == 0 && indices[0] && !strstr(body, "\"ignore_unavailable\"")) {
        no_such_index(x, str_of(indices));
        return;
    }
    answer_json(x, 200, "{\"accepted\":true}");
}

static void add_snapshot(struct node *node, const char *name, struct dataset *contents, bool damaged, int64_t made_ns)
{
    XGROW(node->snapshots, node->n_snapshots, node->cap_snapshots);
    struct snapshot *snapshot = xcalloc(1, sizeof *snapshot);
    *snapshot = (struct snapshot){.name = xstrdup(name), .contents = contents, .damaged = damaged, .made_ns = made_ns};
    node->snapshots[node->n_snapshots++] = snapshot;
}

static void list_snapshots(struct exchange *x, struct str which)
{
    bool all = str_is(which, "_all") || str_is(which, "*");
    struct arena *arena = x->response->arena;
    struct buf list;
    buf_init(&list, BODY_MAX);
    int n = 0;
    for (int i = 0; i < x->node->n_snapshots; i++) {
        const struct snapshot *snapshot = x->node->snapshots[i];
        if (!all && !str_is(which, snapshot->name))
            continue;
        buf_printf(&list, "%s{\"snapshot\":\"%s\",\"uuid\":\"%s\",\"repository\":\"%s\",\"indices\":[", n++ ? "," : "",
                   snapshot->name, uuid_of(arena, snapshot->name), x->node->repository);
        for (int k = 0; k < dataset_tables(snapshot->contents); k++)
            buf_printf(&list, "%s\"%s\"", k ? "," : "", dataset_table(snapshot->contents, k));
        buf_printf(&list, "],\"state\":\"SUCCESS\",\"failures\":[]}");
    }
    if (n == 0 && !all)
        answer_error(x, 404, "snapshot_missing_exception",
                     arena_printf(arena, "[%s:%.*s] is missing", x->node->repository, STR_ARG(which)));
    else
        answer_json(x, 200, "{\"snapshots\":[%s],\"total\":%d,\"remaining\":0}", list.at ? list.at : "", n);
    buf_release(&list);
}

/* /_snapshot, /_snapshot/REPO, /_snapshot/REPO/SNAP, /_snapshot/REPO/SNAP/_restore */
static void answer_snapshot(struct exchange *x, struct str rest)
{
    struct arena *arena = x->response->arena;
    const char *method = x->request->method;
    struct str repository = str_cut(&rest, '/'), name = str_cut(&rest, '/'), action = str_cut(&rest, '/');
    if (repository.len == 0) {
        answer_json(x, 200, x->node->repository ? "{\"%s\":{\"type\":\"fs\",\"settings\":{\"location\":\"/backups\"}}}" : "{%s}",
                    x->node->repository ? x->node->repository : "");
        return;
    }
    if (!x->node->repository || !str_is(repository, x->node->repository)) {
        answer_error(x, 404, "repository_missing_exception", arena_printf(arena, "[%.*s] missing", STR_ARG(repository)));
        return;
    }
    if (name.len == 0) {
        answer_json(x, 200, "{\"%s\":{\"type\":\"fs\",\"settings\":{\"location\":\"/backups\"}}}", x->node->repository);
        return;
    }
    if (strcmp(method, "GET") == 0 && action.len == 0) {
        list_snapshots(x, name);
        return;
    }
    struct snapshot *snapshot = find_snapshot(x->node, name);
    if (strcmp(method, "PUT") == 0 && action.len == 0 && !snapshot) {
        add_snapshot(x->node, arena_str(arena, name), dataset_copy(store_serving(x->node->store)), false,
                     world_now(x->node->env->world));
        x->node->snapshots[x->node->n_snapshots - 1]->copy = store_keep_copy(
            x->node->store, arena_str(arena, name), dataset_copy(store_serving(x->node->store)));
        record_change(x->node->env->record, store_name(x->node->store), "snapshot %.*s taken", STR_ARG(name));
        answer_json(x, 200, "{\"accepted\":true}");
    } else if (!snapshot) {
        answer_error(x, 404, "snapshot_restore_exception",
                     arena_printf(arena, "[%s:%.*s] snapshot does not exist", x->node->repository, STR_ARG(name)));
    } else if (strcmp(method, "POST") == 0 && str_is(action, "_restore")) {
        restore(x, x->node->repository, snapshot);
    } else {
        answer_error(x, 400, "illegal_argument_exception",
                     arena_printf(arena, "request [%s] contains unrecognized action", x->request->target));
    }
}

/* ---- the dispatcher ---- */

static void wrong_method(struct exchange *x, const char *allowed)
{
    answer_json(x, 405, "{\"error\":\"Incorrect HTTP method for uri [%s] and method [%s], allowed: [%s]\",\"status\":405}",
                x->request->target, x->request->method, allowed);
}

static void answer_index(struct exchange *x, struct str name, struct str action)
{
    const char *method = x->request->method;
    bool post = strcmp(method, "POST") == 0;
    struct index *index = find_index(x->node, name);
    if (!index && strcmp(method, "PUT") == 0 && action.len == 0) {
        index = add_index(x->node, arena_str(x->response->arena, name));
        if (!dataset_has_table(store_serving(x->node->store), index->name))
            dataset_create_table(store_serving(x->node->store), index->name);
        record_change(x->node->env->record, index->name, "index created");
        store_changed(x->node->store);
        answer_json(x, 200, "{\"acknowledged\":true,\"shards_acknowledged\":true,\"index\":\"%s\"}", index->name);
    } else if (!index) {
        no_such_index(x, name);
    } else if (str_is(action, "_close") || str_is(action, "_open")) {
        if (!post)
            wrong_method(x, "POST");
        else
            set_closed(x, index, str_is(action, "_close"));
    } else if (str_is(action, "_search")) {
        search(x, index);
    } else if (str_is(action, "_count")) {
        if (readable(x, index))
            answer_json(x, 200, "{\"count\":%lld,\"_shards\":{\"total\":1,\"successful\":1,\"skipped\":0,\"failed\":0}}",
                        (long long)documents(x->node, index));
    } else if (str_is(action, "_refresh") || str_is(action, "_flush") || str_is(action, "_cache/clear")) {
        answer_json(x, 200, "{\"_shards\":{\"total\":1,\"successful\":1,\"failed\":0}}");
    } else if (action.len == 0 && strcmp(method, "DELETE") == 0) {
        delete_index(x, index);
    } else if (action.len == 0) {
        answer_json(x, 200, "{\"%s\":{\"aliases\":{},\"mappings\":{},\"settings\":{\"index\":{\"uuid\":\"%s\"}}}}", index->name,
                    uuid_of(x->response->arena, index->name));
    } else {
        record_observe(x->node->env->record, "not_simulated", x->request->target,
                       "elasticsearch: %s of an index is not simulated", arena_str(x->response->arena, action));
        answer_error(x, 400, "illegal_argument_exception", "not simulated here");
    }
}

static int serve(struct env *env, const struct http_request *request, struct http_response *response, void *ctx)
{
    struct exchange x = {.node = ctx, .request = request, .response = response};
    (void)env;
    if (!store_in_service(x.node->store))
        return HTTP_REFUSED;
    x.query = str_of(request->target);
    struct str rest = str_cut(&x.query, '?');
    if (rest.len && rest.at[0] == '/')
        rest = (struct str){rest.at + 1, rest.len - 1};
    while (rest.len && rest.at[rest.len - 1] == '/')
        rest.len--;
    response->latency_ns = 5 * MILLISECOND;
    struct str all = rest, first = str_cut(&rest, '/');
    if (all.len == 0)
        answer_json(&x, 200,
                    "{\"name\":\"node-1\",\"cluster_name\":\"docker-cluster\",\"version\":{\"number\":\"8.11.1\"},"
                    "\"tagline\":\"You Know, for Search\"}");
    else if (str_is(all, "_cluster/health"))
        answer_cluster_health(&x);
    else if (str_is(all, "_cat/indices"))
        cat_indices(&x);
    else if (str_is(all, "_cat/recovery"))
        cat_recovery(&x);
    else if (str_is(all, "_cat/health")) {
        answer_text(&x, "text/plain; charset=UTF-8");
        buf_printf(&response->body, "docker-cluster %s 1 1\n", cluster_health(x.node));
    } else if (str_is(all, "_cache/clear")) {
        if (strcmp(request->method, "POST") != 0)
            wrong_method(&x, "POST");
        else
            answer_json(&x, 200, "{\"_shards\":{\"total\":%d,\"successful\":%d,\"failed\":0}}", x.node->n_indices,
                        x.node->n_indices);
    } else if (str_is(first, "_snapshot"))
        answer_snapshot(&x, rest);
    else if (first.at[0] == '_') {
        record_observe(x.node->env->record, "not_simulated", request->target, "elasticsearch: /%.*s is not simulated",
                       STR_ARG(all));
        answer_json(&x, 400, "{\"error\":\"no handler found for uri [%s] and method [%s]\"}", request->target, request->method);
    } else
        answer_index(&x, first, rest);
    return 0;
}

/* ---- setup ---- */

static void backup_made(struct world *world, const struct backup *backup, void *ctx)
{
    (void)world;
    for (struct node *node = nodes_of(ctx); node; node = node->next) {
        if (node->store != backup->store)
            continue;
        const char *name = strrchr(backup->path, '/');
        if (backup->damage != DAMAGE_MISSING)
            add_snapshot(node, name ? name + 1 : backup->path, dataset_copy(backup->contents),
                         backup->damage != DAMAGE_NONE, backup->made_ns);
    }
}

/* Its only shard can be read by nobody: what it holds is gone unless a snapshot brings it back. */
static void corrupt_index(struct node *node, struct index *index)
{
    struct dataset *serving = store_serving(node->store);
    const struct idset *rows = dataset_rows(serving, index->name);
    struct record *record = node->env->record;
    struct idset all = {0};
    int now_in = record->current_step;
    index->corrupt = true;
    if (rows)
        idset_copy(&all, rows);
    record->current_step = 0; /* no command did it */
    store_because(node->store, arena_printf(&node->env->arena, "corruption of the only shard of %s", index->name));
    if (all.n)
        dataset_delete_set(serving, index->name, &all);
    record->current_step = now_in;
    idset_release(&all);
    store_changed(node->store);
}

/* A corrupt index, as a fault or a setting of the scenario: "elasticsearch.INDEX" = "corrupt". */
static void read_settings(struct world *world, void *ctx)
{
    struct node *node = ctx;
    for (int i = 0; i < node->n_indices; i++) {
        struct index *index = node->indices[i];
        const char *value = world_setting(world, arena_printf(&node->env->arena, "elasticsearch.%s", index->name));
        if (value && strcmp(value, "corrupt") == 0 && !index->corrupt && index->restore_ends_ns == 0)
            corrupt_index(node, index);
    }
}

static void every_second(struct world *world, void *ctx)
{
    read_settings(world, ctx);
    world_at(world, world_now(world) + SECOND, every_second, ctx);
}

static int add_node(struct env *env, struct store *store, struct error *error)
{
    const struct doc *config = store_config(store);
    const char *host = "localhost";
    int64_t port = 9200;
    struct node *node = xcalloc(1, sizeof *node);
    node->next = nodes_of(env);
    *env_slot(env, "elasticsearch") = node;
    node->env = env;
    node->store = store;
    node->service = store_service(store) ? world_service(env->world, store_service(store)) : NULL;
    if (doc_text(doc_get(config, "host"), &host, error) < 0 ||
        doc_int(doc_get(config, "port"), 1, 65535, &port, error) < 0 ||
        doc_text(doc_get(config, "repository"), &node->repository, error) < 0)
        return ERROR_INPUT;
    const struct dataset *contents = store_serving(store);
    for (int i = 0; i < dataset_tables(contents); i++)
        add_index(node, dataset_table(contents, i));
    store_set_engine(store, accepts, node);
    http_serve(env, host, (int)port, serve, node);
    if (node->service)
        http_serve_inside(env, service_name(node->service), (int)port, serve, node);
    if (node->n_indices)
        world_at(env->world, 0, every_second, node);
    return 0;
}

static int setup(struct env *env, const struct doc *config, struct error *error)
{
    (void)config;
    for (int i = 0; env->world && i < world_stores(env->world); i++) {
        struct store *store = world_store_at(env->world, i);
        bool ours = strncmp(store_engine(store), "elasticsearch", 13) == 0 ||
                    strncmp(store_engine(store), "opensearch", 10) == 0;
        if (ours && add_node(env, store, error) < 0)
            return ERROR_INPUT;
    }
    if (nodes_of(env))
        world_watch_backups(env->world, backup_made, env);
    return 0;
}

static void release(struct env *env)
{
    for (struct node *node = nodes_of(env), *next; node; node = next) {
        next = node->next;
        for (int i = 0; i < node->n_snapshots; i++) {
            dataset_free(node->snapshots[i]->contents);
            free(node->snapshots[i]->name);
            free(node->snapshots[i]);
        }
        free(node->snapshots);
        free(node->indices);
        free(node);
    }
    *env_slot(env, "elasticsearch") = NULL;
}

static const char *const no_commands[] = {NULL};
const struct fake fake_elasticsearch = {
    .name = "elasticsearch",
    .commands = no_commands,
    .setup = setup,
    .release = release,
};
