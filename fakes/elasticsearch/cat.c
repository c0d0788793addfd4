/* The _cat API: text in columns for people. */
#include <stdlib.h>
#include <string.h>

#include "fakes/elasticsearch/node.h"

enum { COLUMNS_MAX = 16, ROWS_MAX = 512 };

struct column {
    const char *name, *other; /* other: a short name, or NULL */
    bool right, hidden;
};
struct table {
    struct es_exchange *x;
    const struct column *columns;
    const char *cells[ROWS_MAX][COLUMNS_MAX];
    int n_columns, n_rows;
};

static int find_column(const struct table *table, struct str name)
{
    for (int c = 0; c < table->n_columns; c++) {
        if (str_is(name, table->columns[c].name) ||
            (table->columns[c].other && str_is(name, table->columns[c].other)))
            return c;
    }
    return -1;
}

/* A number with a unit behind it is compared by what it means. */
static int compare_cells(const char *a, const char *b)
{
    static const char units[] = "bkmgt";
    double value[2];
    const char *texts[2] = {a, b};
    for (int i = 0; i < 2; i++) {
        char *end;
        value[i] = strtod(texts[i], &end);
        if (end == texts[i] || (*end && !strchr(units, *end) && strcmp(end, "%") != 0))
            return strcmp(a, b);
        for (const char *u = units; *end && *u && *u != *end; u++)
            value[i] *= 1024;
    }
    return (value[0] > value[1]) - (value[0] < value[1]);
}

/* s=column:desc,column: a stable insertion sort. */
static void sort_rows(struct table *table, const char *by)
{
    struct str rest = str_of(by);
    int keys[8], n = 0;
    bool down[8];
    while (rest.len && n < 8) {
        struct str order = str_cut(&rest, ','), name = str_cut(&order, ':');
        keys[n] = find_column(table, name);
        down[n] = str_is(order, "desc");
        if (keys[n] < 0) {
            es_error(table->x, 400, "unsupported_operation_exception",
                     "Unable to sort by unknown sort key `%.*s`", STR_ARG(name));
            return;
        }
        n++;
    }
    for (int i = 1; i < table->n_rows; i++) {
        for (int k = i; k > 0; k--) {
            int order = 0;
            for (int j = 0; j < n && order == 0; j++)
                order = compare_cells(table->cells[k - 1][keys[j]], table->cells[k][keys[j]]) *
                        (down[j] ? -1 : 1);
            if (order <= 0)
                break;
            for (int c = 0; c < table->n_columns; c++) {
                const char *cell = table->cells[k][c];
                table->cells[k][c] = table->cells[k - 1][c];
                table->cells[k - 1][c] = cell;
            }
        }
    }
}

static int choose_columns(const struct table *table, int *shown)
{
    const char *wanted = es_parameter(table->x, "h", NULL);
    struct str rest = str_of(wanted);
    int n = 0;
    for (int c = 0; !wanted && c < table->n_columns; c++) {
        if (!table->columns[c].hidden)
            shown[n++] = c;
    }
    while (rest.len && n < COLUMNS_MAX) {
        const char *one = arena_str(table->x->arena, str_trim(str_cut(&rest, ',')));
        int exact = find_column(table, str_of(one));
        for (int c = 0; c < table->n_columns && n < COLUMNS_MAX; c++) {
            if (c == exact ||
                (exact < 0 && strchr(one, '*') && es_matches(one, str_of(table->columns[c].name))))
                shown[n++] = c;
        }
    }
    return n;
}

static void print_text(const struct table *table, const int *shown, int n, struct buf *out)
{
    bool header = es_flag(table->x, "v", false);
    size_t width[COLUMNS_MAX];
    for (int i = 0; i < n; i++) {
        width[i] = header ? strlen(table->columns[shown[i]].name) : 0;
        for (int r = 0; r < table->n_rows; r++) {
            size_t len = strlen(table->cells[r][shown[i]]);
            width[i] = len > width[i] ? len : width[i];
        }
    }
    for (int r = header ? -1 : 0; r < table->n_rows && n; r++) {
        for (int i = 0; i < n; i++) {
            const char *cell = r < 0 ? table->columns[shown[i]].name : table->cells[r][shown[i]];
            int pad = (int)(width[i] - strlen(cell));
            bool right = table->columns[shown[i]].right, last = i == n - 1;
            buf_printf(out, "%*s%s%*s%s", right ? pad : 0, "", cell, right || last ? 0 : pad, "",
                       last ? "\n" : " ");
        }
    }
}

static void print_table(struct table *table)
{
    struct es_exchange *x = table->x;
    const char *by = es_parameter(x, "s", NULL), *format = es_parameter(x, "format", "text");
    int shown[COLUMNS_MAX], n;
    struct buf out;
    if (by)
        sort_rows(table, by);
    n = choose_columns(table, shown);
    if (strcmp(format, "json") == 0) {
        cJSON *all = cJSON_CreateArray();
        for (int r = 0; r < table->n_rows; r++) {
            cJSON *row = cJSON_CreateObject();
            for (int i = 0; i < n; i++)
                cJSON_AddStringToObject(row, table->columns[shown[i]].name,
                                        table->cells[r][shown[i]]);
            cJSON_AddItemToArray(all, row);
        }
        es_answer(x, 200, all);
        return;
    }
    buf_init(&out, ES_BODY_MAX);
    if (es_flag(x, "help", false)) {
        for (int c = 0; c < table->n_columns; c++)
            buf_printf(&out, "%-16s | %-8s | \n", table->columns[c].name,
                       table->columns[c].other ? table->columns[c].other : "");
    } else {
        print_text(table, shown, n, &out);
    }
    es_answer_text(x, "text/plain; charset=UTF-8", buf_text(&out));
    buf_release(&out);
}

static struct table *new_table(struct es_exchange *x, const struct column *columns)
{
    struct table *table = ARENA_NEW(x->arena, struct table);
    *table = (struct table){.x = x, .columns = columns};
    while (columns[table->n_columns].name)
        table->n_columns++;
    return table;
}

static void add_row(struct table *table, const char *const *cells)
{
    if (table->n_rows < ROWS_MAX)
        memcpy(table->cells[table->n_rows++], cells, sizeof *cells * (size_t)table->n_columns);
}

/* ?bytes=b shows plain numbers, else 12.3kb. */
static const char *size_words(struct es_exchange *x, int64_t bytes)
{
    static const char *const units[] = {"b", "kb", "mb", "gb", "tb"};
    const char *wanted = es_parameter(x, "bytes", NULL);
    int unit = 0;
    int64_t scale = 1;
    for (int i = 1; wanted && i < 5 && strcmp(wanted, "b") != 0 && strcmp(wanted, units[i]) != 0 &&
                    wanted[0] != units[i][0];
         i++)
        scale = scale * 1024;
    if (wanted)
        return arena_printf(x->arena, "%lld",
                            (long long)(bytes / (strcmp(wanted, "b") == 0 ? 1 : scale * 1024)));
    while (unit < 4 && bytes / scale >= 1024) {
        scale *= 1024;
        unit++;
    }
    if (bytes * 10 / scale % 10 == 0)
        return arena_printf(x->arena, "%lld%s", (long long)(bytes / scale), units[unit]);
    return arena_printf(x->arena, "%lld.%lld%s", (long long)(bytes / scale),
                        (long long)(bytes * 10 / scale % 10), units[unit]);
}

static bool wanted_indices(struct es_exchange *x, struct es_indices *ret)
{
    return es_resolve(x, x->n_parts ? arena_str(x->arena, x->parts[0]) : "*", true, ret);
}

static int64_t bytes_of(struct es_exchange *x, const struct es_index *index)
{
    return 225 + es_count(x->node, index) * ES_DOCUMENT_BYTES;
}

static const char *number(struct es_exchange *x, int64_t n)
{
    return arena_printf(x->arena, "%lld", (long long)n);
}

static void cat_indices(struct es_exchange *x)
{
    static const struct column columns[] = {{"health", "h", 0, 0},
                                            {"status", "s", 0, 0},
                                            {"index", "i", 0, 0},
                                            {"uuid", "id", 0, 0},
                                            {"pri", "p", true, 0},
                                            {"rep", "r", true, 0},
                                            {"docs.count", "dc", true, 0},
                                            {"docs.deleted", "dd", true, 0},
                                            {"store.size", "ss", true, 0},
                                            {"pri.store.size", NULL, true, 0},
                                            {"creation.date", "cd", true, true},
                                            {"creation.date.string", "cds", 0, true},
                                            {NULL, NULL, 0, 0}};
    struct table *table = new_table(x, columns);
    struct es_indices all;
    const char *health = es_parameter(x, "health", NULL);
    if (!wanted_indices(x, &all))
        return;
    for (int i = 0; i < all.n; i++) {
        const struct es_index *index = all.at[i];
        bool closed = index->closed && !index->restoring,
             empty = closed || index->corrupt; /* no started primary, no figures */
        const char *size = empty ? "" : size_words(x, bytes_of(x, index));
        const char *cells[] = {
            es_health_of(index),
            closed ? "close" : "open",
            index->name,
            es_uuid(x->arena, index->name),
            number(x, index->shards),
            number(x, index->replicas),
            empty ? "" : number(x, es_count(x->node, index)),
            empty ? "" : "0",
            size,
            size,
            number(x, (x->node->env->start_unix_ns + index->created_ns) / MILLISECOND),
            es_time(x->arena, x->node, index->created_ns)};
        if (!health || strcmp(health, cells[0]) == 0)
            add_row(table, cells);
    }
    print_table(table);
}

static void cat_recovery(struct es_exchange *x)
{
    static const struct column columns[] = {{"index", "i", 0, 0},
                                            {"shard", "s", 0, 0},
                                            {"time", "t", 0, 0},
                                            {"type", "ty", 0, 0},
                                            {"stage", "st", 0, 0},
                                            {"source_node", "snode", 0, 0},
                                            {"target_node", "tnode", 0, 0},
                                            {"repository", "rep", 0, 0},
                                            {"snapshot", "snap", 0, 0},
                                            {"files_percent", "fp", 0, 0},
                                            {"bytes", "b", 0, 0},
                                            {"bytes_recovered", "br", 0, 0},
                                            {"bytes_percent", "bp", 0, 0},
                                            {NULL, NULL, 0, 0}};
    struct table *table = new_table(x, columns);
    struct es_indices all;
    int64_t now_ns = world_now(x->node->env->world);
    if (!wanted_indices(x, &all))
        return;
    for (int i = 0; i < all.n; i++) {
        const struct es_index *index = all.at[i];
        const struct es_snapshot *from = index->restoring ? index->restoring : index->restored_from;
        int64_t whole_ns = index->restore_ends_ns - index->restore_began_ns,
                spent_ns = index->restoring ? now_ns - index->restore_began_ns : whole_ns;
        int64_t permille = index->restoring && whole_ns > 0 ? spent_ns * 1000 / whole_ns : 1000;
        int64_t bytes = from ? index->restore_bytes : bytes_of(x, index);
        const char *percent = arena_printf(x->arena, "%lld.%lld%%", (long long)(permille / 10),
                                           (long long)(permille % 10));
        const char *time =
            !from ? "312ms"
            : spent_ns < SECOND
                ? arena_printf(x->arena, "%lldms", (long long)(spent_ns / MILLISECOND))
            : spent_ns < MINUTE
                ? arena_printf(x->arena, "%lld.%llds", (long long)(spent_ns / SECOND),
                               (long long)(spent_ns % SECOND * 10 / SECOND))
                : arena_printf(x->arena, "%lld.%lldm", (long long)(spent_ns / MINUTE),
                               (long long)(spent_ns % MINUTE * 10 / MINUTE));
        const char *cells[] = {index->name,
                               "0",
                               time,
                               from ? "snapshot" : "existing_store",
                               index->restoring ? "index" : "done",
                               "n/a",
                               "node-1",
                               from ? from->repository : "n/a",
                               from ? from->name : "n/a",
                               percent,
                               number(x, bytes),
                               number(x, bytes * permille / 1000),
                               percent};
        if (!(es_flag(x, "active_only", false) && !index->restoring) &&
            !(index->corrupt && !index->restoring) && !(index->closed && !index->restoring))
            add_row(table, cells);
    }
    print_table(table);
}

static void cat_shards(struct es_exchange *x)
{
    static const struct column columns[] = {
        {"index", "i", 0, 0},  {"shard", "s", 0, 0},   {"prirep", "p", 0, 0},
        {"state", "st", 0, 0}, {"docs", "d", true, 0}, {"store", "sto", true, 0},
        {"ip", NULL, 0, 0},    {"node", "n", 0, 0},    {"unassigned.reason", "ur", 0, true},
        {NULL, NULL, 0, 0}};
    struct table *table = new_table(x, columns);
    struct es_indices all;
    if (!wanted_indices(x, &all))
        return;
    for (int i = 0; i < all.n; i++) {
        const struct es_index *index = all.at[i];
        for (int copy = 0; copy <= index->replicas; copy++) {
            bool here = copy == 0 && !index->corrupt;
            bool full = here && !index->restoring && !index->closed;
            const char *cells[] = {index->name,
                                   "0",
                                   copy ? "r" : "p",
                                   !here              ? "UNASSIGNED"
                                   : index->restoring ? "INITIALIZING"
                                                      : "STARTED",
                                   full ? number(x, es_count(x->node, index)) : "",
                                   full ? size_words(x, bytes_of(x, index)) : "",
                                   here ? "127.0.0.1" : "",
                                   here ? "node-1" : "",
                                   here   ? ""
                                   : copy ? "INDEX_CREATED"
                                          : "ALLOCATION_FAILED"};
            add_row(table, cells);
        }
    }
    print_table(table);
}

static void cat_health(struct es_exchange *x)
{
    static const struct column columns[] = {{"epoch", "t", 0, 0},
                                            {"timestamp", "ts", 0, 0},
                                            {"cluster", "cl", 0, 0},
                                            {"status", "st", 0, 0},
                                            {"node.total", "nt", true, 0},
                                            {"node.data", "nd", true, 0},
                                            {"shards", "t", true, 0},
                                            {"pri", "p", true, 0},
                                            {"relo", "r", true, 0},
                                            {"init", "i", true, 0},
                                            {"unassign", "u", true, 0},
                                            {"pending_tasks", "pt", true, 0},
                                            {"max_task_wait_time", "mtwt", true, 0},
                                            {"active_shards_percent", "asp", true, 0},
                                            {NULL, NULL, 0, 0}};
    struct table *table = new_table(x, columns);
    int active = 0, initializing = 0, missing = 0, worst = 0;
    for (int i = 0; i < x->node->n_indices; i++) {
        const struct es_index *index = x->node->indices[i];
        if (index->deleted)
            continue;
        const char *health = es_health_of(index);
        int level = *health == 'r' ? 2 : *health == 'y';
        worst = level > worst ? level : worst;
        active += level < 2;
        initializing += index->restoring != NULL;
        missing += (index->corrupt && !index->restoring) + index->replicas;
    }
    int total = active + initializing + missing;
    int64_t seconds = env_unix_ns(x->node->env) / SECOND;
    const char *cells[] = {
        number(x, seconds),
        arena_printf(x->arena, "%02lld:%02lld:%02lld", (long long)(seconds / 3600 % 24),
                     (long long)(seconds / 60 % 60), (long long)(seconds % 60)),
        "docker-cluster",
        worst == 2 ? "red"
        : worst    ? "yellow"
                   : "green",
        "1",
        "1",
        number(x, active),
        number(x, active),
        "0",
        number(x, initializing),
        number(x, missing),
        "0",
        "-",
        total ? arena_printf(x->arena, "%d.%d%%", active * 100 / total, active * 1000 / total % 10)
              : "100.0%"};
    add_row(table, cells);
    print_table(table);
}

static void cat_count(struct es_exchange *x)
{
    static const struct column columns[] = {
        {"epoch", "t", 0, 0}, {"timestamp", "ts", 0, 0}, {"count", "dc", 0, 0}, {NULL, NULL, 0, 0}};
    struct table *table = new_table(x, columns);
    struct es_indices all;
    int64_t n = 0, seconds = env_unix_ns(x->node->env) / SECOND;
    if (!es_resolve(x, x->n_parts ? arena_str(x->arena, x->parts[0]) : "*", false, &all))
        return;
    for (int i = 0; i < all.n; i++)
        n += es_count(x->node, all.at[i]);
    const char *cells[] = {number(x, seconds),
                           arena_printf(x->arena, "%02lld:%02lld:%02lld",
                                        (long long)(seconds / 3600 % 24),
                                        (long long)(seconds / 60 % 60), (long long)(seconds % 60)),
                           number(x, n)};
    add_row(table, cells);
    print_table(table);
}

static void cat_aliases(struct es_exchange *x)
{
    static const struct column columns[] = {{"alias", "a", 0, 0},
                                            {"index", "i", 0, 0},
                                            {"filter", "f", 0, 0},
                                            {"routing.index", "ri", 0, 0},
                                            {"routing.search", "rs", 0, 0},
                                            {"is_write_index", "w", 0, 0},
                                            {NULL, NULL, 0, 0}};
    struct table *table = new_table(x, columns);
    for (int i = 0; i < x->node->n_indices; i++) {
        const struct es_index *index = x->node->indices[i];
        for (const cJSON *alias = index->deleted ? NULL : index->aliases->child; alias;
             alias = alias->next) {
            const cJSON *write = cJSON_GetObjectItemCaseSensitive(alias, "is_write_index");
            const char *cells[] = {alias->string,
                                   index->name,
                                   cJSON_GetObjectItemCaseSensitive(alias, "filter") ? "*" : "-",
                                   "-",
                                   "-",
                                   !write ? "-" : cJSON_IsTrue(write) ? "true" : "false"};
            if (!x->n_parts || es_matches(arena_str(x->arena, x->parts[0]), str_of(alias->string)))
                add_row(table, cells);
        }
    }
    print_table(table);
}

static void cat_snapshots(struct es_exchange *x)
{
    static const struct column columns[] = {{"id", "snapshot", 0, 0},
                                            {"repository", "re", 0, 0},
                                            {"status", "s", true, 0},
                                            {"start_epoch", "ste", 0, 0},
                                            {"end_epoch", "ete", 0, 0},
                                            {"duration", "dur", true, 0},
                                            {"indices", "i", true, 0},
                                            {"successful_shards", "ss", true, 0},
                                            {"failed_shards", "fs", true, 0},
                                            {"total_shards", "ts", true, 0},
                                            {NULL, NULL, 0, 0}};
    struct table *table = new_table(x, columns);
    for (int i = 0; i < x->node->n_snapshots; i++) {
        const struct es_snapshot *s = x->node->snapshots[i];
        int n = dataset_tables(s->contents);
        bool done = world_now(x->node->env->world) >= s->ended_ns;
        const char *cells[] = {
            s->name,
            s->repository,
            done ? "SUCCESS" : "IN_PROGRESS",
            number(x, (x->node->env->start_unix_ns + s->began_ns) / SECOND),
            number(x, (x->node->env->start_unix_ns + s->ended_ns) / SECOND),
            arena_printf(x->arena, "%llds", (long long)((s->ended_ns - s->began_ns) / SECOND)),
            number(x, n),
            number(x, n),
            "0",
            number(x, n)};
        if (!x->n_parts || es_matches(arena_str(x->arena, x->parts[0]), str_of(s->repository)))
            add_row(table, cells);
    }
    print_table(table);
}

static void cat_repositories(struct es_exchange *x)
{
    static const struct column columns[] = {
        {"id", "id", 0, 0}, {"type", "t", true, 0}, {NULL, NULL, 0, 0}};
    struct table *table = new_table(x, columns);
    for (const struct es_repository *r = x->node->repositories; r; r = r->next) {
        const cJSON *type = cJSON_GetObjectItemCaseSensitive(r->body, "type");
        const char *cells[] = {r->name, cJSON_IsString(type) ? type->valuestring : "fs"};
        add_row(table, cells);
    }
    print_table(table);
}

static void cat_nodes(struct es_exchange *x)
{
    static const struct column columns[] = {{"ip", "i", 0, 0},
                                            {"heap.percent", "hp", true, 0},
                                            {"ram.percent", "rp", true, 0},
                                            {"cpu", NULL, true, 0},
                                            {"node.role", "r", 0, 0},
                                            {"master", "m", 0, 0},
                                            {"name", "n", 0, 0},
                                            {NULL, NULL, 0, 0}};
    struct table *table = new_table(x, columns);
    const char *cells[] = {"127.0.0.1", "45", "80", "4", "cdfhilmrstw", "*", "node-1"};
    add_row(table, cells);
    print_table(table);
}

const struct es_route es_cat_routes[] = {
    {"GET", "_cat/indices", cat_indices},
    {"GET", "_cat/indices/{index}", cat_indices},
    {"GET", "_cat/recovery", cat_recovery},
    {"GET", "_cat/recovery/{index}", cat_recovery},
    {"GET", "_cat/shards", cat_shards},
    {"GET", "_cat/shards/{index}", cat_shards},
    {"GET", "_cat/health", cat_health},
    {"GET", "_cat/count", cat_count},
    {"GET", "_cat/count/{index}", cat_count},
    {"GET", "_cat/aliases", cat_aliases},
    {"GET", "_cat/aliases/{name}", cat_aliases},
    {"GET", "_cat/snapshots", cat_snapshots},
    {"GET", "_cat/snapshots/{repository}", cat_snapshots},
    {"GET", "_cat/repositories", cat_repositories},
    {"GET", "_cat/nodes", cat_nodes},
    {NULL, NULL, NULL},
};
