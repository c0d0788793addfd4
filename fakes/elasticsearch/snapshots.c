/* Repositories and snapshots. */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "fakes/elasticsearch/node.h"
#include "sim/base/xalloc.h"

static const char *part(const struct es_exchange *x, int i)
{
    return i < x->n_parts ? arena_str(x->arena, x->parts[i]) : "";
}

/* ---- repositories ---- */

static struct es_repository *find_repository(struct es_node *node, const char *name)
{
    for (struct es_repository *one = node->repositories; one; one = one->next) {
        if (one->body && strcmp(one->name, name) == 0)
            return one;
    }
    return NULL;
}

/* The repository of the path; NULL: the answer is given. */
struct es_repository *es_repository_of(struct es_exchange *x)
{
    struct es_repository *found = find_repository(x->node, part(x, 0));
    if (!found)
        es_error(x, 404, "repository_missing_exception", "[%s] missing", part(x, 0));
    return found;
}

static void get_repositories(struct es_exchange *x)
{
    const char *name = x->n_parts ? part(x, 0) : "_all";
    bool all = strcmp(name, "_all") == 0 || strcmp(name, "*") == 0;
    if (!all && !es_repository_of(x))
        return;
    cJSON *json = cJSON_CreateObject();
    for (const struct es_repository *one = x->node->repositories; one; one = one->next) {
        if (one->body && (all || strcmp(one->name, name) == 0))
            cJSON_AddItemToObject(json, one->name, cJSON_Duplicate(one->body, true));
    }
    es_answer(x, 200, json);
}

static void put_repository(struct es_exchange *x)
{
    static const char *const types[] = {"fs", "url", "s3", "gcs", "azure", "source", "hdfs", NULL};
    const cJSON *type = cJSON_GetObjectItemCaseSensitive(x->body, "type");
    const cJSON *settings = cJSON_GetObjectItemCaseSensitive(x->body, "settings");
    const cJSON *location = cJSON_GetObjectItemCaseSensitive(settings, "location");
    const char *name = part(x, 0);
    int i = 0;
    if (!x->body) {
        es_error(x, 400, "parse_exception", "request body is required");
        return;
    }
    if (!cJSON_IsString(type)) {
        es_error(x, 400, "action_request_validation_exception",
                 "Validation Failed: 1: type is missing;");
        return;
    }
    while (types[i] && strcmp(types[i], type->valuestring) != 0)
        i++;
    if (!types[i]) {
        es_error(x, 500, "repository_exception", "[%s] repository type [%s] does not exist", name,
                 type->valuestring);
        return;
    }
    if (strcmp(type->valuestring, "fs") == 0 && !cJSON_IsString(location)) {
        es_error(x, 500, "repository_exception", "[%s] missing location", name);
        return;
    }
    struct es_repository *repository = find_repository(x->node, name);
    if (!repository) {
        struct es_repository **last = &x->node->repositories;
        while (*last)
            last = &(*last)->next;
        repository = *last = ARENA_NEW(&x->node->env->arena, struct es_repository);
        repository->name = arena_strdup(&x->node->env->arena, name);
    }
    cJSON_Delete(repository->body);
    repository->body = cJSON_Duplicate(x->body, true);
    record_change(x->node->env->record, store_name(x->node->store),
                  "snapshot repository %s registered", name);
    es_acknowledge(x);
}

static void delete_repository(struct es_exchange *x)
{
    struct es_repository *repository = es_repository_of(x);
    if (!repository)
        return;
    cJSON_Delete(repository->body); /* its snapshots stay where they are, out of reach */
    repository->body = NULL;
    record_change(x->node->env->record, store_name(x->node->store),
                  "snapshot repository %s unregistered", repository->name);
    es_acknowledge(x);
}

static void verify_repository(struct es_exchange *x)
{
    if (!es_repository_of(x))
        return;
    cJSON *json = cJSON_CreateObject();
    cJSON_AddStringToObject(cJSON_AddObjectToObject(cJSON_AddObjectToObject(json, "nodes"),
                                                    es_uuid(x->arena, "node-1")),
                            "name", "node-1");
    es_answer(x, 200, json);
}

/* ---- snapshots ---- */

void es_free_snapshot(struct es_snapshot *snapshot)
{
    dataset_free(snapshot->contents);
    cJSON_Delete(snapshot->indices);
    free(snapshot->name);
    free(snapshot);
}

struct es_snapshot *es_find_snapshot(struct es_node *node, const char *repository, const char *name)
{
    for (int i = 0; i < node->n_snapshots; i++) {
        if (strcmp(node->snapshots[i]->repository, repository) == 0 &&
            strcmp(node->snapshots[i]->name, name) == 0)
            return node->snapshots[i];
    }
    return NULL;
}

/* What a snapshot keeps of its indices beside their documents. */
static cJSON *describe_indices(const struct es_node *node, const struct dataset *contents)
{
    cJSON *json = cJSON_CreateObject();
    for (int i = 0; i < node->n_indices; i++) {
        const struct es_index *index = node->indices[i];
        if (index->deleted || !dataset_has_table(contents, index->name))
            continue;
        cJSON *one = cJSON_AddObjectToObject(json, index->name);
        cJSON_AddItemToObject(one, "properties", cJSON_Duplicate(index->properties, true));
        cJSON_AddItemToObject(one, "settings", cJSON_Duplicate(index->settings, true));
        cJSON_AddItemToObject(one, "aliases", cJSON_Duplicate(index->aliases, true));
        cJSON_AddNumberToObject(one, "shards", index->shards);
        cJSON_AddNumberToObject(one, "replicas", index->replicas);
    }
    return json;
}

void es_add_snapshot(struct es_node *node, const char *repository, const char *name,
                     struct dataset *contents, bool damaged, int64_t made_ns)
{
    XGROW(node->snapshots, node->n_snapshots, node->cap_snapshots);
    struct es_snapshot *snapshot = xcalloc(1, sizeof *snapshot);
    *snapshot = (struct es_snapshot){.name = xstrdup(name),
                                     .repository = repository,
                                     .contents = contents,
                                     .damaged = damaged,
                                     .indices = describe_indices(node, contents),
                                     .began_ns = made_ns,
                                     .ended_ns = made_ns};
    node->snapshots[node->n_snapshots++] = snapshot;
}

static int64_t unix_ms(const struct es_exchange *x, int64_t at_ns)
{
    return (x->node->env->start_unix_ns + at_ns) / MILLISECOND;
}

static cJSON *describe(struct es_exchange *x, const struct es_snapshot *s)
{
    cJSON *json = cJSON_CreateObject();
    bool done = world_now(x->node->env->world) >= s->ended_ns;
    int n = dataset_tables(s->contents);
    cJSON_AddStringToObject(json, "snapshot", s->name);
    cJSON_AddStringToObject(json, "uuid", es_uuid(x->arena, s->name));
    cJSON_AddStringToObject(json, "repository", s->repository);
    cJSON_AddStringToObject(json, "version", x->node->version);
    cJSON *indices = cJSON_AddArrayToObject(json, "indices");
    for (int i = 0; i < n; i++)
        cJSON_AddItemToArray(indices, cJSON_CreateString(dataset_table(s->contents, i)));
    cJSON_AddArrayToObject(json, "data_streams");
    cJSON_AddTrueToObject(json, "include_global_state");
    cJSON_AddStringToObject(json, "state", done ? "SUCCESS" : "IN_PROGRESS");
    cJSON_AddStringToObject(json, "start_time", es_time(x->arena, x->node, s->began_ns));
    cJSON_AddNumberToObject(json, "start_time_in_millis", (double)unix_ms(x, s->began_ns));
    if (done) {
        cJSON_AddStringToObject(json, "end_time", es_time(x->arena, x->node, s->ended_ns));
        cJSON_AddNumberToObject(json, "end_time_in_millis", (double)unix_ms(x, s->ended_ns));
    }
    cJSON_AddNumberToObject(json, "duration_in_millis",
                            (double)(unix_ms(x, s->ended_ns) - unix_ms(x, s->began_ns)));
    cJSON_AddArrayToObject(json, "failures");
    cJSON_AddItemToObject(json, "shards", es_shards(done ? n : 0, done ? n : 0));
    return json;
}

static void get_snapshots(struct es_exchange *x)
{
    const struct es_repository *repository = es_repository_of(x);
    struct str rest = str_of(part(x, 1));
    if (!repository)
        return;
    cJSON *json = cJSON_CreateObject(), *list = cJSON_AddArrayToObject(json, "snapshots");
    int n = 0;
    while (rest.len && !x->answered) {
        const char *one = arena_str(x->arena, str_cut(&rest, ','));
        bool all = strcmp(one, "_all") == 0, current = strcmp(one, "_current") == 0;
        int found = 0;
        for (int i = 0; i < x->node->n_snapshots; i++) {
            const struct es_snapshot *s = x->node->snapshots[i];
            bool runs = world_now(x->node->env->world) < s->ended_ns;
            if (strcmp(s->repository, repository->name) != 0 ||
                !(current ? runs : all || es_matches(one, str_of(s->name))))
                continue;
            cJSON_AddItemToArray(list, describe(x, s));
            found++;
        }
        if (!found && !all && !current && !strchr(one, '*') &&
            !es_flag(x, "ignore_unavailable", false)) {
            es_error(x, 404, "snapshot_missing_exception", "[%s:%s] is missing", repository->name,
                     one);
            cJSON_Delete(json);
            return;
        }
        n += found;
    }
    cJSON_AddNumberToObject(json, "total", n);
    cJSON_AddNumberToObject(json, "remaining", 0);
    es_answer(x, 200, json);
}

static void snapshot_status(struct es_exchange *x)
{
    const struct es_repository *repository = es_repository_of(x);
    const struct es_snapshot *s =
        repository ? es_find_snapshot(x->node, repository->name, part(x, 1)) : NULL;
    if (!repository)
        return;
    if (!s) {
        es_error(x, 404, "snapshot_missing_exception", "[%s:%s] is missing", repository->name,
                 part(x, 1));
        return;
    }
    cJSON *json = cJSON_CreateObject(), *one = cJSON_CreateObject(), *stats;
    bool done = world_now(x->node->env->world) >= s->ended_ns;
    int n = dataset_tables(s->contents);
    cJSON_AddStringToObject(one, "snapshot", s->name);
    cJSON_AddStringToObject(one, "repository", s->repository);
    cJSON_AddStringToObject(one, "uuid", es_uuid(x->arena, s->name));
    cJSON_AddStringToObject(one, "state", done ? "SUCCESS" : "STARTED");
    stats = cJSON_AddObjectToObject(one, "shards_stats");
    cJSON_AddNumberToObject(stats, "initializing", 0);
    cJSON_AddNumberToObject(stats, "started", done ? 0 : n);
    cJSON_AddNumberToObject(stats, "finalizing", 0);
    cJSON_AddNumberToObject(stats, "done", done ? n : 0);
    cJSON_AddNumberToObject(stats, "failed", 0);
    cJSON_AddNumberToObject(stats, "total", n);
    cJSON_AddItemToArray(cJSON_AddArrayToObject(json, "snapshots"), one);
    es_answer(x, 200, json);
}

/* "a", "a,b*,-c", ["a", "b"]: whether a name is among them. Nothing means all. */
bool es_among(struct es_exchange *x, const cJSON *names, const char *name)
{
    const char *text = cJSON_IsString(names) ? names->valuestring : NULL;
    bool in = false;
    for (const cJSON *item = cJSON_IsArray(names) ? names->child : NULL; item; item = item->next)
        text = text ? arena_printf(x->arena, "%s,%s", text, item->valuestring) : item->valuestring;
    if (!text || !*text || strcmp(text, "_all") == 0)
        return true;
    struct str rest = str_of(text);
    while (rest.len) {
        const char *one = arena_str(x->arena, str_trim(str_cut(&rest, ',')));
        bool exclude = one[0] == '-';
        if (es_matches(exclude ? one + 1 : one, str_of(name)))
            in = !exclude;
    }
    return in;
}

/* The first plain name of a list that nothing of the set has; NULL: all are there. */
const char *es_missing_name(struct es_exchange *x, const cJSON *names,
                            bool (*has)(const void *, const char *), const void *set)
{
    const char *text = cJSON_IsString(names) ? names->valuestring : NULL;
    for (const cJSON *item = cJSON_IsArray(names) ? names->child : NULL; item; item = item->next)
        text = text ? arena_printf(x->arena, "%s,%s", text, item->valuestring) : item->valuestring;
    struct str rest = str_of(text);
    while (rest.len) {
        const char *one = arena_str(x->arena, str_trim(str_cut(&rest, ',')));
        if (*one && !strchr(one, '*') && one[0] != '-' && strcmp(one, "_all") != 0 &&
            !has(set, one))
            return one;
    }
    return NULL;
}

static bool node_has(const void *node, const char *name)
{
    return es_find_index((struct es_node *)(uintptr_t)node, str_of(name)) != NULL;
}

bool es_flag_in(const cJSON *body, const char *name, bool otherwise)
{
    const cJSON *value = cJSON_GetObjectItemCaseSensitive(body, name);
    if (cJSON_IsString(value))
        return strcmp(value->valuestring, "false") != 0;
    return value ? cJSON_IsTrue(value) : otherwise;
}

static const char *bad_name(struct es_exchange *x, const char *name)
{
    for (const char *p = name; *p; p++) {
        if (isupper((unsigned char)*p))
            return "must be lowercase";
        if (strchr("\\/*?\"<>| ,", *p))
            return arena_printf(
                x->arena,
                "must not contain the following characters [ , \", *, \\, <, |, ,, >, /, ?]");
        if (*p == '#')
            return "must not contain '#'";
    }
    return name[0] == '_' ? "must not start with '_'" : NULL;
}

static void create_snapshot(struct es_exchange *x)
{
    const struct es_repository *repository = es_repository_of(x);
    const char *name = part(x, 1), *wrong = repository ? bad_name(x, name) : NULL;
    const cJSON *indices = cJSON_GetObjectItemCaseSensitive(x->body, "indices");
    if (!repository)
        return;
    if (wrong || es_find_snapshot(x->node, repository->name, name)) {
        es_error(x, 400, "invalid_snapshot_name_exception",
                 "[%s:%s] Invalid snapshot name [%s], %s", repository->name, name, name,
                 wrong ? wrong : "snapshot with the same name already exists");
        return;
    }
    const char *missing = es_missing_name(x, indices, node_has, x->node);
    if (missing && !es_flag_in(x->body, "ignore_unavailable", false)) {
        es_no_such_index(x, missing);
        return;
    }
    struct dataset *contents = dataset_copy(store_serving(x->node->store));
    int64_t bytes = 0;
    for (int i = 0; i < x->node->n_indices; i++) {
        const struct es_index *index = x->node->indices[i];
        bool in = !index->deleted && !index->corrupt && es_among(x, indices, index->name);
        if (in)
            bytes += es_count(x->node, index) * ES_DOCUMENT_BYTES;
        else if (dataset_has_table(contents, index->name))
            dataset_drop_table(contents, index->name);
    }
    es_add_snapshot(x->node, repository->name, name, contents, false,
                    world_now(x->node->env->world));
    struct es_snapshot *s = x->node->snapshots[x->node->n_snapshots - 1];
    s->copy = store_keep_copy(x->node->store, name, dataset_copy(contents));
    s->kept = true;
    s->ended_ns = s->began_ns + SECOND + bytes * SECOND / ES_RESTORE_BYTES_PER_S;
    record_change(x->node->env->record, store_name(x->node->store), "snapshot %s taken", name);
    cJSON *json = cJSON_CreateObject();
    if (es_flag(x, "wait_for_completion", false)) {
        int64_t now_ended_ns = s->ended_ns;
        x->response->latency_ns += s->ended_ns - s->began_ns;
        s->ended_ns = s->began_ns; /* as it will look when the answer comes */
        cJSON *one = describe(x, s);
        s->ended_ns = now_ended_ns;
        cJSON_AddItemToObject(json, "snapshot", one);
    } else {
        cJSON_AddTrueToObject(json, "accepted");
    }
    es_answer(x, 200, json);
}

static void delete_snapshot(struct es_exchange *x)
{
    const struct es_repository *repository = es_repository_of(x);
    struct es_snapshot *s =
        repository ? es_find_snapshot(x->node, repository->name, part(x, 1)) : NULL;
    if (!repository)
        return;
    if (!s) {
        es_error(x, 404, "snapshot_missing_exception", "[%s:%s] is missing", repository->name,
                 part(x, 1));
        return;
    }
    for (int i = 0; i < x->node->n_indices; i++) {
        if (x->node->indices[i]->restoring == s) {
            es_error(x, 503, "concurrent_snapshot_execution_exception",
                     "[%s:%s] cannot delete snapshot during a restore in progress in [%s]",
                     repository->name, s->name, repository->name);
            return;
        }
        if (x->node->indices[i]->restored_from == s)
            x->node->indices[i]->restored_from = NULL;
    }
    if (s->kept)
        store_forget_copy(x->node->store, s->copy);
    record_change(x->node->env->record, store_name(x->node->store), "snapshot %s deleted", s->name);
    for (int i = 0; i < x->node->n_snapshots; i++) {
        if (x->node->snapshots[i] == s) {
            for (x->node->n_snapshots--; i < x->node->n_snapshots; i++)
                x->node->snapshots[i] = x->node->snapshots[i + 1];
        }
    }
    es_free_snapshot(s);
    es_acknowledge(x);
}

const struct es_route es_snapshot_routes[] = {
    {"GET", "_snapshot", get_repositories},
    {"GET", "_snapshot/{repository}", get_repositories},
    {"PUT POST", "_snapshot/{repository}", put_repository},
    {"DELETE", "_snapshot/{repository}", delete_repository},
    {"POST", "_snapshot/{repository}/_verify", verify_repository},
    {"GET", "_snapshot/{repository}/{snapshot}", get_snapshots},
    {"PUT POST", "_snapshot/{repository}/{snapshot}", create_snapshot},
    {"DELETE", "_snapshot/{repository}/{snapshot}", delete_snapshot},
    {"GET", "_snapshot/{repository}/{snapshot}/_status", snapshot_status},
    {NULL, NULL, NULL},
};
