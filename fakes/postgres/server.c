#include "fakes/postgres/postgres.h"
#include "fakes/postgres/statements.h"
#include "fakes/postgres/translate.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sim/base/xalloc.h"

/* ---- servers ---- */

void pg_database_free(struct pg_database *database)
{
    catalog_close(database);
    sqlite3_close_v2(database->sqlite);
    dataset_free(database->own);
    free(database->name);
    free(database->owner);
    free(database);
}

void pg_server_initialise(struct pg_server *server)
{
    pg_database_new(server, "postgres", server->superuser);
    pg_database_new(server, "template1", server->superuser)->is_template = true;
    struct pg_database *none = pg_database_new(server, "template0", server->superuser);
    none->is_template = true;
    none->allows_connections = false;
    if (!pg_database_find(server, server->serving_name))
        pg_database_new(server, server->serving_name, server->superuser);
}

/* The store's contents were taken away as a whole (a volume removed): what starts again is a server
 * without data. */
static void notice_new_volume(struct pg_server *server)
{
    struct pg_database *database =
        server->store ? pg_database_find(server, server->serving_name) : NULL;
    struct arena arena = {0};
    if (!database || server->starting || server->sessions)
        return;
    struct dataset *contents = store_serving(server->store);
    char **keys = catalog_rows(database, &arena, "SELECT key FROM pgc_relation WHERE ledger");
    bool gone = false;
    for (; *keys; keys++)
        gone |= !dataset_has_table(contents, *keys);
    arena_release(&arena);
    if (!gone)
        return;
    while (server->databases) {
        database = server->databases;
        server->databases = database->next;
        pg_database_free(database);
    }
    pg_server_initialise(server);
    pg_server_changed(server);
}

static bool accepts(struct store *store, const char *table, const char **why, void *ctx)
{
    struct pg_server *server = ctx;
    if (!dataset_has_table(store_serving(store), table))
        notice_new_volume(server);
    struct pg_database *database = pg_database_find(server, server->serving_name);
    if (server->refuses) {
        *why = server->refuses;
        return false;
    }
    if (!database || !database->allows_connections) {
        *why = arena_printf(&server->arena, "database \"%s\" does not exist", server->serving_name);
        return false;
    }
    if (server->read_only || server->in_recovery) {
        *why = "cannot execute INSERT in a read-only transaction";
        return false;
    }
    int i = 0;
    while (i < server->n_traffic_tables && strcmp(server->traffic_tables[i], table) != 0)
        i++;
    if (i == server->n_traffic_tables) { /* not a table of traffic when the server was made */
        struct pg_row_checks *checks;
        bool ok = pg_table_accepts(database, table, why, &checks);
        pg_row_checks_free(checks);
        return ok;
    }
    struct pg_verdict *verdict = &server->verdicts[i];
    if (verdict->generation != server->generation) {
        pg_row_checks_free(verdict->checks);
        verdict->checks = NULL;
        verdict->ok = pg_table_accepts(database, table, &verdict->why, &verdict->checks);
        verdict->generation = server->generation;
    }
    if (verdict->ok && verdict->checks)
        return pg_row_accepts(database, verdict->checks, why);
    *why = verdict->why;
    return verdict->ok;
}

struct pg_server *pg_server_new(struct env *env, const char *name)
{
    struct pg_server *server = xcalloc(1, sizeof *server);
    server->env = env;
    server->name = xstrdup(name);
    server->store = env->world ? world_store(env->world, name) : NULL;
    if (server->store) {
        server->service = store_service(server->store);
        store_set_engine(server->store, accepts, server);
    }
    server->superuser = arena_strdup(&server->arena, "postgres");
    server->serving_name = arena_strdup(&server->arena, name);
    server->version_table = arena_strdup(&server->arena, "schema_migrations");
    server->version_column = arena_strdup(&server->arena, "version");
    server->id_column = arena_strdup(&server->arena, "id");
    server->time_column = arena_strdup(&server->arena, "created_at");
    server->data_directory = arena_strdup(&server->arena, "/var/lib/postgresql/data");
    server->next_pid = 101;
    server->generation = 1;
    if (server->store) {
        struct dataset *contents = store_serving(server->store);
        server->n_traffic_tables = dataset_tables(contents);
        server->traffic_tables = ARENA_ARRAY(&server->arena, char *, server->n_traffic_tables + 1);
        server->verdicts =
            ARENA_ARRAY(&server->arena, struct pg_verdict, server->n_traffic_tables + 1);
        for (int i = 0; i < server->n_traffic_tables; i++)
            server->traffic_tables[i] = arena_strdup(&server->arena, dataset_table(contents, i));
    }
    return server;
}

void pg_server_free(struct pg_server *server)
{
    while (server->sessions)
        pg_disconnect(server->sessions);
    recovery_release(server);
    for (int i = 0; i < server->n_traffic_tables; i++)
        pg_row_checks_free(server->verdicts[i].checks);
    for (struct pg_database *d = server->databases, *next; d; d = next) {
        next = d->next;
        pg_database_free(d);
    }
    for (struct pg_role *r = server->roles, *next; r; r = next) {
        next = r->next;
        free(r->name);
        free(r->password);
        free(r);
    }
    arena_release(&server->arena);
    sqlite3_free(server->image);
    free(server->name);
    free(server->copied);
    free(server);
}

bool pg_server_runs(const struct pg_server *server)
{
    if (!server->service || !server->env->world)
        return true;
    struct service *service = world_service(server->env->world, server->service);
    return service && service_ready(service) > 0;
}

bool pg_archives(const struct pg_server *server)
{
    return server->archive != NULL;
}

bool pg_is_traffic_table(const struct pg_server *server, const char *table)
{
    for (int i = 0; i < server->n_traffic_tables; i++) {
        if (strcmp(server->traffic_tables[i], table) == 0)
            return true;
    }
    return false;
}

void pg_server_changed(struct pg_server *server)
{
    server->generation++;
    if (!server->store || server->starting || server->retired)
        return;
    struct pg_database *database = pg_database_find(server, server->serving_name);
    struct arena arena = {0};
    if (database) {
        const char *version = catalog_text(
            database, &arena, "SELECT max(CAST(%s AS INTEGER)) FROM %s",
            sql_name(&arena, server->version_column), sql_name(&arena, server->version_table));
        int64_t schema = version ? strtoll(version, NULL, 10) : 0;
        if (schema != store_schema(server->store))
            store_set_schema(server->store, schema);
    } else if (store_schema(server->store) != 0) {
        store_set_schema(server->store, 0);
    }
    arena_release(&arena);
    store_changed(server->store);
}

/* ---- databases ---- */

struct pg_database *pg_database_find(struct pg_server *server, const char *name)
{
    for (struct pg_database *d = server->databases; d; d = d->next) {
        if (strcmp(d->name, name) == 0)
            return d;
    }
    return NULL;
}

bool pg_database_serves(const struct pg_database *database)
{
    return database->server->store && !database->server->retired &&
           strcmp(database->name, database->server->serving_name) == 0;
}

void pg_server_retire(struct pg_server *server)
{
    struct pg_database *database = pg_database_find(server, server->serving_name);
    if (server->retired)
        return;
    server->retired = true;
    if (database)
        database->own = dataset_copy(store_serving(server->store));
}

void pg_server_serve(struct pg_server *server)
{
    struct pg_database *database = pg_database_find(server, server->serving_name);
    if (!server->retired)
        return;
    server->retired = false;
    store_set_engine(server->store, accepts, server);
    store_serve(server->store, database && database->own ? database->own : dataset_new());
    if (database)
        database->own = NULL;
    pg_server_changed(server);
}

struct dataset *pg_database_contents(struct pg_database *database)
{
    if (pg_database_serves(database))
        return store_serving(database->server->store);
    if (!database->own)
        database->own = dataset_new();
    return database->own;
}

struct pg_database *pg_database_new(struct pg_server *server, const char *name, const char *owner)
{
    struct pg_database *database = xcalloc(1, sizeof *database);
    database->server = server;
    database->name = xstrdup(name);
    database->owner = xstrdup(owner);
    database->allows_connections = true;
    database->next_oid = 16384;
    database->oid = 16384;
    if (sqlite3_open_v2(":memory:", &database->sqlite, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE,
                        NULL) != SQLITE_OK)
        abort();
    functions_register(database);
    catalog_functions(database);
    if (server->image) {
        unsigned char *copy = sqlite3_malloc64((sqlite3_uint64)server->image_bytes);
        if (!copy)
            abort();
        memcpy(copy, server->image, (size_t)server->image_bytes);
        sqlite3_deserialize(database->sqlite, "main", copy, server->image_bytes,
                            server->image_bytes,
                            SQLITE_DESERIALIZE_FREEONCLOSE | SQLITE_DESERIALIZE_RESIZEABLE);
        rows_register(database);
    } else {
        catalog_create(database->sqlite);
        rows_register(database);
        catalog_create_views(database);
        sqlite3_int64 bytes = 0;
        server->image = sqlite3_serialize(database->sqlite, "main", &bytes, 0);
        server->image_bytes = bytes;
    }
    struct pg_database **end = &server->databases;
    for (; *end; end = &(*end)->next)
        database->oid = (*end)->oid >= database->oid ? (*end)->oid + 1 : database->oid;
    *end = database;
    return database;
}

/* A database that served loses its tables in place: nothing of it is left to go back to. */
void pg_database_drop(struct pg_database *database, const char *because)
{
    struct pg_server *server = database->server;
    if (pg_database_serves(database)) {
        struct dataset *contents = store_serving(server->store);
        store_because(server->store, because);
        while (dataset_tables(contents) > 0)
            dataset_drop_table(contents, dataset_table(contents, 0));
    }
    struct pg_database **at = &server->databases;
    while (*at != database)
        at = &(*at)->next;
    *at = database->next;
    pg_database_free(database);
    pg_server_changed(server);
}

void pg_database_rename(struct pg_database *database, const char *to)
{
    struct pg_server *server = database->server;
    bool served = pg_database_serves(database);
    bool will_serve = server->store && strcmp(to, server->serving_name) == 0;
    if (served && !will_serve) {
        database->own = dataset_copy(store_serving(server->store));
        store_because(server->store, arena_printf(&server->arena, "ALTER DATABASE %s RENAME TO %s",
                                                  database->name, to));
        store_serve(server->store, dataset_new());
    } else if (will_serve && !served) {
        store_because(server->store, arena_printf(&server->arena, "ALTER DATABASE %s RENAME TO %s",
                                                  database->name, to));
        store_serve(server->store, database->own ? database->own : dataset_new());
        database->own = NULL;
    }
    free(database->name);
    database->name = xstrdup(to);
    pg_server_changed(server);
}

void pg_database_load(struct pg_database *to, struct pg_database *from)
{
    sqlite3_backup *backup = sqlite3_backup_init(to->sqlite, "main", from->sqlite, "main");
    if (backup)
        sqlite3_backup_step(backup, -1);
    sqlite3_backup_finish(backup);
    to->next_oid = from->next_oid;
}

int pg_database_clone(struct pg_database *to, struct pg_database *from)
{
    /* The ledger's tables are made again by hand: a copied virtual table would not know its new
     * database. */
    sqlite3_backup *backup = sqlite3_backup_init(to->sqlite, "main", from->sqlite, "main");
    if (!backup)
        return -1;
    int code = sqlite3_backup_step(backup, -1);
    sqlite3_backup_finish(backup);
    to->next_oid = from->next_oid;
    struct dataset *contents = pg_database_contents(to), *source = pg_database_contents(from);
    while (dataset_tables(contents) > 0)
        dataset_drop_table(contents, dataset_table(contents, 0));
    for (int i = 0; i < dataset_tables(source); i++) {
        const char *table = dataset_table(source, i);
        const struct idset *rows = dataset_rows(source, table);
        dataset_create_table(contents, table);
        for (int k = 0; k < rows->n; k++)
            dataset_insert(contents, table, rows->at[k].lo, rows->at[k].hi);
    }
    return code == SQLITE_DONE ? 0 : -1;
}

/* ---- roles ---- */

struct pg_role *pg_role_find(struct pg_server *server, const char *name)
{
    for (struct pg_role *r = server->roles; r; r = r->next) {
        if (strcmp(r->name, name) == 0)
            return r;
    }
    return NULL;
}

struct pg_role *pg_role_new(struct pg_server *server, const char *name)
{
    struct pg_role *role = xcalloc(1, sizeof *role);
    role->name = xstrdup(name);
    struct pg_role **end = &server->roles;
    while (*end)
        end = &(*end)->next;
    *end = role;
    return role;
}

/* ---- connections ---- */

/* A pool opens its connections again as soon as its next request needs one. */
#define RECONNECT_NS SECOND

int pg_client_count(struct pg_server *server, const struct pg_client *client)
{
    if (!server->env->world || !pg_server_runs(server))
        return 0;
    struct service *service = world_service(server->env->world, client->service);
    if (!service)
        return 0;
    if (client->terminated_ns != NEVER &&
        world_now(server->env->world) < client->terminated_ns + RECONNECT_NS)
        return 0;
    return service_ready(service) * client->per_instance;
}

int pg_database_users(struct pg_database *database, const struct pg_session *except)
{
    int n = 0;
    struct pg_server *server = database->server;
    for (const struct pg_session *s = server->sessions; s; s = s->next)
        n += s->database == database && s != except && !s->terminated;
    if (strcmp(database->name, server->serving_name) == 0) {
        for (int i = 0; i < server->n_clients; i++)
            n += pg_client_count(server, &server->clients[i]);
    }
    return n;
}

bool pg_terminate(struct pg_session *session, int pid)
{
    struct pg_server *server = session->server;
    for (struct pg_session *s = server->sessions; s; s = s->next) {
        if (s->pid == pid) {
            s->terminated = true;
            return true;
        }
    }
    for (int i = 0; i < server->n_clients; i++) {
        int first = 1000 * (i + 1), n = pg_client_count(server, &server->clients[i]);
        if (pid < first || pid >= first + 1000)
            continue;
        /* The connections of one statement go together: the pool notices when its next request
         * fails. */
        if (n > 0 || server->clients[i].terminated_ns == world_now(server->env->world)) {
            if (n > 0 && server->clients[i].terminated_ns != world_now(server->env->world))
                record_change(server->env->record, server->name, "connections of %s terminated",
                              server->clients[i].service);
            server->clients[i].terminated_ns = world_now(server->env->world);
            return true;
        }
    }
    pg_notice(session, "WARNING", "PID %d is not a PostgreSQL backend process", pid);
    return false;
}

bool pg_cancel(struct pg_session *session, int pid)
{
    struct pg_server *server = session->server;
    for (struct pg_session *s = server->sessions; s; s = s->next) {
        if (s->pid == pid)
            return true;
    }
    for (int i = 0; i < server->n_clients; i++) {
        int first = 1000 * (i + 1);
        if (pid >= first && pid < first + pg_client_count(server, &server->clients[i]))
            return true;
    }
    pg_notice(session, "WARNING", "PID %d is not a PostgreSQL backend process", pid);
    return false;
}

static bool refused(struct pg_error *error, const char *sqlstate, const char *message)
{
    *error = (struct pg_error){.set = true, .severity = "FATAL", .message = message};
    snprintf(error->sqlstate, sizeof error->sqlstate, "%s", sqlstate);
    return false;
}

static bool may_connect(struct pg_server *server, const char *database_name, const char *user,
                        struct pg_error *error)
{
    struct arena *arena = &server->arena;
    notice_new_volume(server);
    struct pg_database *database = pg_database_find(server, database_name);
    if (server->refuses)
        return refused(error, "57P03", server->refuses);
    if (!pg_role_find(server, user))
        return refused(error, "28000", arena_printf(arena, "role \"%s\" does not exist", user));
    if (pg_role_find(server, user)->cannot_login)
        return refused(error, "28000",
                       arena_printf(arena, "role \"%s\" is not permitted to log in", user));
    if (!database)
        return refused(error, "3D000",
                       arena_printf(arena, "database \"%s\" does not exist", database_name));
    if (!database->allows_connections)
        return refused(error, "55000",
                       arena_printf(arena, "database \"%s\" is not currently accepting connections",
                                    database_name));
    return true;
}

struct pg_session *pg_connect(struct pg_server *server, const char *database, const char *user,
                              const char *application, struct pg_error *error)
{
    if (!may_connect(server, database, user, error))
        return NULL;
    struct pg_session *session = xcalloc(1, sizeof *session);
    session->server = server;
    session->database = pg_database_find(server, database);
    session->user = arena_strdup(&session->arena, user);
    session->application = arena_strdup(&session->arena, application);
    session->pid = server->next_pid++;
    session->read_only = server->read_only || server->in_recovery;
    session->last_message = &session->messages;
    session->next = server->sessions;
    server->sessions = session;
    return session;
}

void pg_disconnect(struct pg_session *session)
{
    if (session->state != PG_IDLE)
        pg_rollback(session);
    struct pg_session **at = &session->server->sessions;
    while (*at != session)
        at = &(*at)->next;
    *at = session->next;
    cJSON_Delete(session->tree);
    arena_release(&session->results);
    arena_release(&session->arena);
    free(session->reason);
    free(session);
}

/* ---- errors and notices ---- */

static struct pg_message *add_message(struct pg_session *session)
{
    struct pg_message *message = ARENA_NEW(&session->results, struct pg_message);
    *session->last_message = message;
    session->last_message = &message->next;
    return message;
}

void pg_send(struct pg_session *session, const struct pg_result *result)
{
    add_message(session)->result = result;
}

void pg_fail(struct pg_session *session, const char *sqlstate, int location, const char *format,
             ...)
{
    session->explained = !session->error.set;
    if (session->error.set)
        return;
    va_list args;
    va_start(args, format);
    session->error = (struct pg_error){
        .set = true,
        .severity = "ERROR",
        .message = arena_vprintf(&session->results, format, args),
        .position = location >= 0 ? location + 1 : 0,
    };
    va_end(args);
    snprintf(session->error.sqlstate, sizeof session->error.sqlstate, "%s", sqlstate);
}

void pg_detail(struct pg_session *session, const char *format, ...)
{
    if (session->error.detail || !session->explained)
        return;
    va_list args;
    va_start(args, format);
    session->error.detail = arena_vprintf(&session->results, format, args);
    va_end(args);
}

void pg_hint(struct pg_session *session, const char *format, ...)
{
    if (session->error.hint || !session->explained)
        return;
    va_list args;
    va_start(args, format);
    session->error.hint = arena_vprintf(&session->results, format, args);
    va_end(args);
}

void pg_notice(struct pg_session *session, const char *severity, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    struct pg_error *notice = ARENA_NEW(&session->results, struct pg_error);
    *notice = (struct pg_error){.set = true,
                                .severity = severity,
                                .message = arena_vprintf(&session->results, format, args)};
    va_end(args);
    snprintf(notice->sqlstate, sizeof notice->sqlstate, "%s", *severity == 'W' ? "01000" : "00000");
    add_message(session)->notice = notice;
}

void pg_not_simulated(struct pg_session *session, int location, const char *format, ...)
{
    if (session->error.set) {
        session->explained = false;
        return;
    }
    va_list args;
    va_start(args, format);
    const char *what = arena_vprintf(&session->results, format, args);
    va_end(args);
    pg_fail(session, "0A000", location, "not simulated: %s", what);
    session->explained = false;
    if (session->server->env->record)
        record_observe(
            session->server->env->record, "not_simulated", session->query ? session->query : "",
            "the simulated PostgreSQL does not know %s; the statement was refused", what);
}

/* ---- sizes ---- */

/* A row as the heap keeps it: 24 bytes of header, 8 for a number, 32 for a text. */
int64_t pg_relation_bytes(struct pg_database *database, const struct pg_relation *relation)
{
    int64_t row = 28;
    for (int i = 0; i < relation->n_attributes; i++)
        row += pg_type_is_text(relation->attributes[i].type) ? 32 : 8;
    int64_t bytes = relation->kind == 'r' ? relation_count(database, relation) * row : 0;
    return (bytes + 8191) / 8192 * 8192;
}

int64_t pg_database_bytes(struct pg_database *database)
{
    struct arena arena = {0};
    int64_t total = 7600 * 1024;
    char **oids = catalog_rows(database, &arena,
                               "SELECT oid FROM pgc_relation WHERE kind = 'r' AND schema NOT IN"
                               " ('pg_catalog', 'information_schema')");
    for (; *oids; oids++)
        total +=
            pg_relation_bytes(database, catalog_by_oid(database, &arena, strtoll(*oids, NULL, 10)));
    arena_release(&arena);
    return total;
}
