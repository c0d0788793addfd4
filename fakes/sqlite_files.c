#include "fakes/sqlite_files.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "fakes/fake.h"
#include "fakes/postgres/server.h"
#include "sim/base/xalloc.h"
#include "sim/record.h"

enum { FILE_MAX = 256 << 20 };
#define JULIAN_DAY_OF_1970_MS INT64_C(210866760000000) /* 2440587.5 days */

struct sqlite_place {
    const char *place, *path;
};

struct sqlite_file {
    struct env *env;
    struct sqlite_place *at; /* the operator's machine first */
    int n_at;
    struct store *store;
    const char *service, *setting, *value;
    const char *before_service; /* that served the store before this file did */
    struct dataset *before;     /* its contents, where no engine of ours keeps them */
    bool serving;
    struct sqlite_file *next;
};

/* ---- databases in memory, with the simulation's clock ---- */

static _Thread_local int64_t clock_unix_ms;

static int current_time_ms(sqlite3_vfs *vfs, sqlite3_int64 *ret)
{
    (void)vfs;
    *ret = JULIAN_DAY_OF_1970_MS + clock_unix_ms;
    return SQLITE_OK;
}

static int current_time_days(sqlite3_vfs *vfs, double *ret)
{
    (void)vfs;
    *ret = (double)(JULIAN_DAY_OF_1970_MS + clock_unix_ms) / 86400000.0;
    return SQLITE_OK;
}

static const char *simulated_vfs(void)
{
    static sqlite3_vfs vfs;
    if (!sqlite3_vfs_find("simulated")) {
        vfs = *sqlite3_vfs_find(NULL);
        vfs.zName = "simulated";
        vfs.xCurrentTime = current_time_days;
        vfs.xCurrentTimeInt64 = current_time_ms;
        sqlite3_vfs_register(&vfs, 0);
    }
    return "simulated";
}

sqlite3 *sqlite_open(struct str bytes, bool read_only, int64_t unix_ns)
{
    sqlite3 *database = NULL;
    clock_unix_ms = unix_ns / MILLISECOND;
    int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE;
    if (sqlite3_open_v2(":memory:", &database, flags, simulated_vfs()) != SQLITE_OK)
        abort(); /* only for want of memory */
    if (!bytes.len && !read_only)
        return database;
    unsigned char *copy = sqlite3_malloc64(bytes.len + 1);
    if (bytes.len)
        memcpy(copy, bytes.at, bytes.len);
    unsigned how =
        SQLITE_DESERIALIZE_FREEONCLOSE |
        (unsigned)(read_only ? SQLITE_DESERIALIZE_READONLY : SQLITE_DESERIALIZE_RESIZEABLE);
    sqlite3_deserialize(database, "main", copy, (sqlite3_int64)bytes.len, (sqlite3_int64)bytes.len,
                        how);
    return database;
}

/* ---- rows of traffic in a database ---- */

static const char *quoted(struct arena *arena, const char *name)
{
    char *text = sqlite3_mprintf("\"%w\"", name);
    const char *copy = arena_strdup(arena, text);
    sqlite3_free(text);
    return copy;
}

/* The identities in that table; false: there is no such table, or it has no id. */
static bool rows_in(sqlite3 *database, const char *table, struct idset *ret)
{
    struct arena arena = {0};
    sqlite3_stmt *statement = NULL;
    const char *sql = arena_printf(&arena, "SELECT id FROM %s ORDER BY id", quoted(&arena, table));
    int code = sqlite3_prepare_v2(database, sql, -1, &statement, NULL);
    int64_t lo = 0, hi = 0;
    while (code == SQLITE_OK && sqlite3_step(statement) == SQLITE_ROW) {
        int64_t id = sqlite3_column_int64(statement, 0);
        if (id != hi || lo == hi) {
            if (lo < hi)
                idset_add(ret, lo, hi);
            lo = id;
        }
        hi = id + 1;
    }
    if (lo < hi)
        idset_add(ret, lo, hi);
    sqlite3_finalize(statement);
    arena_release(&arena);
    return code == SQLITE_OK;
}

/* INSERT for the table's columns: id and created_at are bound, what must not be empty is made up.
 */
static sqlite3_stmt *insert_into(sqlite3 *database, struct arena *arena, const char *table)
{
    sqlite3_stmt *columns = NULL, *insert = NULL;
    const char *names = "", *values = "";
    if (sqlite3_prepare_v2(database,
                           "SELECT name, type, \"notnull\", dflt_value FROM pragma_table_info(?)",
                           -1, &columns, NULL))
        return NULL;
    sqlite3_bind_text(columns, 1, table, -1, SQLITE_TRANSIENT);
    while (sqlite3_step(columns) == SQLITE_ROW) {
        const char *name = (const char *)sqlite3_column_text(columns, 0);
        bool number = strncasecmp((const char *)sqlite3_column_text(columns, 1), "INT", 3) == 0;
        const char *value =
            strcmp(name, "id") == 0           ? "?1"
            : strcmp(name, "created_at") == 0 ? "strftime('%Y-%m-%d %H:%M:%S', ?2, 'unixepoch')"
            : !sqlite3_column_int(columns, 2) || sqlite3_column_type(columns, 3) != SQLITE_NULL
                ? NULL
            : number ? "0"
                     : arena_printf(arena, "'%s ' || ?1", name);
        if (!value)
            continue;
        names = arena_printf(arena, "%s%s%s", names, *names ? ", " : "", quoted(arena, name));
        values = arena_printf(arena, "%s%s%s", values, *values ? ", " : "", value);
    }
    sqlite3_finalize(columns);
    sqlite3_prepare_v2(
        database,
        arena_printf(arena, "INSERT INTO %s (%s) VALUES (%s)", quoted(arena, table), names, values),
        -1, &insert, NULL);
    return insert;
}

static void add_rows(const struct sqlite_file *file, sqlite3 *database, const char *table,
                     const struct idset *rows)
{
    struct arena arena = {0};
    sqlite3_stmt *insert = insert_into(database, &arena, table);
    for (int i = 0; insert && i < rows->n; i++)
        for (int64_t id = rows->at[i].lo; id < rows->at[i].hi; id++) {
            int64_t at_ns = store_row_time(file->store, table, id);
            sqlite3_bind_int64(insert, 1, id);
            sqlite3_bind_int64(insert, 2,
                               (file->env->start_unix_ns + (at_ns == NEVER ? 0 : at_ns)) / SECOND);
            sqlite3_step(insert);
            sqlite3_reset(insert);
        }
    sqlite3_finalize(insert);
    arena_release(&arena);
}

void sqlite_file_bring_up(struct sqlite_file *file, sqlite3 *database)
{
    const struct dataset *served = file->serving ? store_serving(file->store) : NULL;
    if (!served || sqlite3_get_autocommit(database) == 0)
        return;
    sqlite3_exec(database, "BEGIN", NULL, NULL, NULL);
    for (int i = 0; i < dataset_tables(served); i++) {
        struct idset missing = {0}, there = {0};
        const char *table = dataset_table(served, i);
        idset_copy(&missing, dataset_rows(served, table));
        if (rows_in(database, table, &there)) {
            idset_subtract(&missing, &there);
            add_rows(file, database, table, &missing);
        }
        idset_release(&missing);
        idset_release(&there);
    }
    sqlite3_exec(database, "COMMIT", NULL, NULL, NULL);
}

/* ---- what users see ---- */

static void take_table(struct sqlite_file *file, sqlite3 *database, struct dataset *served,
                       const char *table)
{
    struct idset there = {0}, gone = {0};
    if (!rows_in(database, table, &there)) {
        dataset_drop_table(served, table);
        return;
    }
    const struct idset *rows = dataset_rows(served, table);
    idset_copy(&gone, rows);
    idset_subtract(&gone, &there);
    idset_subtract(&there, rows);
    if (gone.n)
        dataset_delete_set(served, table, &gone);
    if (there.n)
        dataset_insert_set(served, table, &there);
    if (gone.n || there.n)
        record_change(file->env->record, store_name(file->store),
                      "%lld rows of %s removed, %lld added", (long long)idset_count(&gone), table,
                      (long long)idset_count(&there));
    idset_release(&gone);
    idset_release(&there);
}

void sqlite_file_written(struct sqlite_file *file, const char *place, sqlite3 *database,
                         struct str bytes, const char *because)
{
    for (int i = 0; i < file->n_at; i++)
        if (strcmp(file->at[i].place, place) != 0)
            env_write(file->env, file->at[i].place, file->at[i].path, bytes, 0644);
    if (!file->serving)
        return;
    struct dataset *served = store_serving(file->store);
    store_because(file->store, because);
    for (int i = dataset_tables(served); i-- > 0;)
        take_table(file, database, served, dataset_table(served, i));
}

static bool accepts(struct store *store, const char *table, const char **why, void *ctx)
{
    (void)ctx;
    *why = "no such table";
    return dataset_has_table(store_serving(store), table);
}

static sqlite3 *load_file(struct sqlite_file *file)
{
    struct buf bytes;
    buf_init(&bytes, FILE_MAX);
    env_load(file->env, "", file->at[0].path, &bytes);
    sqlite3 *database = sqlite_open(buf_text(&bytes), false, env_unix_ns(file->env));
    buf_release(&bytes);
    return database;
}

static void save_file(struct sqlite_file *file, sqlite3 *database)
{
    sqlite3_int64 size = 0;
    unsigned char *bytes = sqlite3_serialize(database, "main", &size, 0);
    for (int i = 0; i < file->n_at; i++)
        env_write(file->env, file->at[i].place, file->at[i].path,
                  (struct str){(const char *)bytes, (size_t)size}, 0644);
    sqlite3_free(bytes);
}

static struct pg_server *postgres_of(const struct sqlite_file *file)
{
    for (struct pg_server *server = pg_servers(file->env); server; server = server->next)
        if (server->store == file->store)
            return server;
    return NULL;
}

static void serve(struct sqlite_file *file)
{
    struct arena arena = {0};
    struct dataset *contents = dataset_new();
    const struct dataset *served = store_serving(file->store);
    struct pg_server *postgres = postgres_of(file);
    sqlite3 *database = load_file(file);
    for (int i = 0; i < dataset_tables(served); i++) {
        struct idset rows = {0};
        if (rows_in(database, dataset_table(served, i), &rows)) {
            dataset_create_table(contents, dataset_table(served, i));
            dataset_insert_set(contents, dataset_table(served, i), &rows);
        }
        idset_release(&rows);
    }
    sqlite3_close(database);
    if (postgres)
        pg_server_retire(postgres);
    else
        file->before = dataset_copy(served);
    store_because(file->store,
                  arena_printf(&arena, "%s is served from %s", file->service, file->at[0].path));
    record_change(file->env->record, store_name(file->store), "users are served from %s",
                  file->at[0].path);
    store_serve(file->store, contents);
    file->before_service = store_service(file->store);
    store_set_service(file->store, NULL);
    store_set_engine(file->store, accepts, file);
    file->serving = true;
    arena_release(&arena);
}

static void stop_serving(struct sqlite_file *file)
{
    struct pg_server *postgres = postgres_of(file);
    sqlite3 *database = load_file(file);
    sqlite_file_bring_up(file, database);
    save_file(file, database);
    sqlite3_close(database);
    file->serving = false;
    store_set_service(file->store, file->before_service);
    store_because(file->store, "users are served by the other engine again");
    record_change(file->env->record, store_name(file->store), "users are no longer served from %s",
                  file->at[0].path);
    if (postgres) {
        pg_server_serve(postgres);
    } else {
        store_set_engine(file->store, NULL, NULL);
        store_serve(file->store, file->before);
        file->before = NULL;
    }
}

static void consider(struct sqlite_file *file, const struct instance *instance)
{
    const char *value = instance_setting(instance, file->setting);
    bool wanted = value && strcmp(value, file->value) == 0;
    if (wanted && !file->serving)
        serve(file);
    else if (!wanted && file->serving)
        stop_serving(file);
}

static void instance_changed(struct instance *instance, enum instance_state before, void *ctx)
{
    struct sqlite_file *file = ctx;
    if (before == INSTANCE_STOPPED && instance_state(instance) != INSTANCE_STOPPED &&
        strcmp(service_name(instance_service(instance)), file->service) == 0)
        consider(file, instance);
}

struct sqlite_file *sqlite_file_at(struct env *env, const char *place, const char *path)
{
    const char *real_place = place, *real_path = path;
    env_follow(env, &real_place, &real_path);
    for (struct sqlite_file *file = *env_slot(env, "sqlite files"); file; file = file->next)
        for (int i = 0; i < file->n_at; i++) {
            const struct sqlite_place *at = &file->at[i];
            if ((strcmp(at->place, place) == 0 && strcmp(at->path, path) == 0) ||
                (strcmp(at->place, real_place) == 0 && strcmp(at->path, real_path) == 0))
                return file;
        }
    return NULL;
}

/* ---- the system file ---- */

static int read_places(struct sqlite_file *file, const struct doc *node, struct error *error)
{
    const struct doc *at = doc_get(node, "at");
    if (at && doc_want(at, DOC_MAPPING, error) < 0)
        return ERROR_INPUT;
    file->at = ARENA_ARRAY(&file->env->arena, struct sqlite_place, (at ? at->n : 0) + 1);
    file->at[file->n_at++] = (struct sqlite_place){"", node->key};
    for (const struct doc *child = at ? at->first : NULL; child; child = child->next) {
        struct sqlite_place *place = &file->at[file->n_at++];
        place->place = child->key;
        if (doc_text(child, &place->path, error) < 0)
            return ERROR_INPUT;
        env_add_place(file->env, child->key);
    }
    return 0;
}

static int read_serves(struct sqlite_file *file, const struct doc *node, struct error *error)
{
    static const char *const keys[] = {"service", "setting", "value", NULL};
    struct doc *service, *setting, *value;
    if (!node)
        return 0;
    if (doc_want(node, DOC_MAPPING, error) < 0 || doc_only(node, keys, error) < 0 ||
        doc_need(node, "service", &service, error) < 0 ||
        doc_need(node, "setting", &setting, error) < 0 ||
        doc_need(node, "value", &value, error) < 0 ||
        doc_text(service, &file->service, error) < 0 ||
        doc_text(setting, &file->setting, error) < 0 || doc_text(value, &file->value, error) < 0)
        return ERROR_INPUT;
    if (!file->store)
        return doc_error(node, error, "what serves users needs 'store'");
    return world_service(file->env->world, file->service)
               ? 0
               : doc_error(service, error, "no service '%s' in this system", file->service);
}

static int fill(struct sqlite_file *file, const struct doc *node, int64_t until_ns,
                struct error *error)
{
    const char *setup = NULL;
    char *why = NULL;
    if (doc_text(doc_get(node, "setup"), &setup, error) < 0)
        return ERROR_INPUT;
    const struct dataset *served = file->store ? store_serving(file->store) : NULL;
    sqlite3 *database = sqlite_open((struct str){"", 0}, false, file->env->start_unix_ns);
    struct arena arena = {0};
    if (setup && sqlite3_exec(database, setup, NULL, NULL, &why) != SQLITE_OK) {
        doc_error(doc_get(node, "setup"), error, "%s", why);
        sqlite3_free(why);
        sqlite3_close(database);
        return ERROR_INPUT;
    }
    sqlite3_exec(database, "BEGIN", NULL, NULL, NULL);
    for (int i = 0; served && i < dataset_tables(served); i++) {
        const char *table = dataset_table(served, i);
        struct interval held = store_rows_between(file->store, table, INT64_MIN + 1, 1 - until_ns);
        struct idset rows = {0};
        idset_add(&rows, held.lo, held.hi);
        if (!setup)
            sqlite3_exec(
                database,
                arena_printf(&arena,
                             "CREATE TABLE %s(id INTEGER PRIMARY KEY, created_at TEXT NOT NULL)",
                             quoted(&arena, table)),
                NULL, NULL, NULL);
        add_rows(file, database, table, &rows);
        idset_release(&rows);
    }
    sqlite3_exec(database, "COMMIT", NULL, NULL, NULL);
    sqlite3_int64 size = 0;
    unsigned char *bytes = sqlite3_serialize(database, "main", &size, 0);
    for (int i = 0; i < file->n_at; i++)
        env_write_old(file->env, file->at[i].place, file->at[i].path,
                      (struct str){(const char *)bytes, (size_t)size}, 0644,
                      file->env->start_unix_ns - until_ns);
    sqlite3_free(bytes);
    sqlite3_close(database);
    arena_release(&arena);
    return 0;
}

static int load_one(struct env *env, const struct doc *node, struct error *error)
{
    static const char *const keys[] = {"at", "store", "until", "setup", "serves", NULL};
    struct sqlite_file *file = ARENA_NEW(&env->arena, struct sqlite_file),
                       **slot = (struct sqlite_file **)env_slot(env, "sqlite files");
    const char *store = NULL;
    int64_t until_ns = 0;
    *file = (struct sqlite_file){.env = env, .next = *slot};
    if (node->key[0] != '/')
        return doc_error(node, error, "'%s' is no absolute path", node->key);
    if (node->kind != DOC_NULL && doc_only(node, keys, error) < 0)
        return ERROR_INPUT;
    if (doc_text(doc_get(node, "store"), &store, error) < 0 ||
        doc_duration(doc_get(node, "until"), &until_ns, error) < 0)
        return ERROR_INPUT;
    if (store && !(file->store = world_store(env->world, store)))
        return doc_error(doc_get(node, "store"), error, "no store '%s' in this system", store);
    if (read_places(file, node, error) < 0 ||
        read_serves(file, doc_get(node, "serves"), error) < 0 ||
        fill(file, node, until_ns, error) < 0)
        return ERROR_INPUT;
    *slot = file;
    if (!file->service)
        return 0;
    world_watch_instances(env->world, instance_changed, file);
    struct service *service = world_service(env->world, file->service);
    for (int i = 0; i < service_instances(service); i++)
        if (instance_state(service_instance(service, i)) != INSTANCE_STOPPED)
            consider(file, service_instance(service, i));
    return 0;
}

int sqlite_files_setup(struct env *env, const struct doc *config, struct error *error)
{
    if (config && doc_want(config, DOC_MAPPING, error) < 0)
        return ERROR_INPUT;
    for (const struct doc *node = config ? config->first : NULL; node; node = node->next)
        if (load_one(env, node, error) < 0)
            return ERROR_INPUT;
    return 0;
}

void sqlite_files_release(struct env *env)
{
    for (struct sqlite_file *file = *env_slot(env, "sqlite files"); file; file = file->next)
        dataset_free(file->before);
    *env_slot(env, "sqlite files") = NULL;
}
