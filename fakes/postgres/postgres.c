#include "fakes/postgres/postgres.h"

#include <stdlib.h>
#include <string.h>

#include "fakes/fake.h"
#include "fakes/postgres/dump.h"
#include "fakes/postgres/statements.h"
#include "sim/base/xalloc.h"

/* What the fake keeps for a run. */
struct postgres {
    struct pg_server *servers;
};

static struct postgres *state_of(struct env *env)
{
    void **slot = env_slot(env, "postgres");
    if (!*slot)
        *slot = xcalloc(1, sizeof(struct postgres));
    return *slot;
}

struct pg_server *pg_servers(struct env *env)
{
    return state_of(env)->servers;
}

static bool named(char *const *list, int n, const char *name)
{
    for (int i = 0; i < n; i++) {
        if (strcmp(list[i], name) == 0)
            return true;
    }
    return false;
}

/* A container is an instance of the service; its place has its name. */
static bool is_place_of(const struct pg_server *server, const char *place)
{
    struct service *service = server->service && server->env->world
                                  ? world_service(server->env->world, server->service)
                                  : NULL;
    for (int i = 0; service && i < service_instances(service); i++) {
        if (env_place_is(server->env, place, instance_name(service_instance(service, i))))
            return true;
    }
    return false;
}

struct pg_server *pg_server_at(struct env *env, const char *place)
{
    for (struct pg_server *s = pg_servers(env); s; s = s->next) {
        if (named(s->places, s->n_places, place) || is_place_of(s, place))
            return s;
    }
    return NULL;
}

struct pg_server *pg_server_on(struct env *env, const char *host, int port)
{
    struct arena arena = {0};
    char *address = arena_printf(&arena, "%s:%d", host, port);
    struct pg_server *found = NULL;
    for (struct pg_server *s = pg_servers(env); s && !found; s = s->next) {
        if (named(s->hosts, s->n_hosts, address))
            found = s;
    }
    arena_release(&arena);
    return found;
}

/* ---- set-up ---- */

/* The session in which a server is made ready: as its superuser, on its serving database. */
static int run_setup(struct pg_server *server, const struct doc *where, const char *what,
                     const char *text, struct error *error)
{
    struct pg_error refused;
    struct pg_session *session =
        pg_connect(server, server->serving_name, server->superuser, "setup", &refused);
    if (!session)
        return error_set(error, ERROR_INTERNAL, "postgres: %s", refused.message);
    bool ok = pg_query(session, text);
    int code = 0;
    if (!ok) {
        int line = 1;
        for (int i = 0; i < session->error.position - 1 && text[i]; i++)
            line += text[i] == '\n';
        code = where ? doc_error(where, error, "%s, line %d: %s%s%s", what, line,
                                 session->error.message, session->error.detail ? ": " : "",
                                 session->error.detail ? session->error.detail : "")
                     : error_set(error, ERROR_INPUT, "%s, line %d: %s", what, line,
                                 session->error.message);
    }
    pg_disconnect(session);
    return code;
}

static const char *beside(struct pg_server *server, const struct doc *node, const char *path)
{
    const char *slash = node->file ? strrchr(node->file, '/') : NULL;
    if (*path == '/' || !slash)
        return path;
    return arena_printf(&server->arena, "%.*s/%s", (int)(slash - node->file), node->file, path);
}

static int run_file(struct pg_server *server, const struct doc *node, struct error *error)
{
    const char *path;
    struct buf text;
    if (doc_text(node, &path, error) < 0)
        return ERROR_INPUT;
    buf_init(&text, 4 << 20);
    int code = 0;
    if (buf_read_file(&text, beside(server, node, path)) < 0)
        code = doc_error(node, error,
                         "cannot read '%s'; give the path of an SQL file beside this one", path);
    else
        code = run_setup(server, node, path, text.len ? text.at : "", error);
    buf_release(&text);
    return code;
}

/* The number at the start of a migration's file name ("0043_severity.sql"); 0: none. */
static int64_t migration_number(const struct doc *node)
{
    const char *path = node->text ? node->text : "", *slash = strrchr(path, '/');
    return strtoll(slash ? slash + 1 : path, NULL, 10);
}

/* Runs the files of migrations above `from` up to `to`; those without a number run at the start
 * only (from 0). */
static int run_migrations(struct pg_server *server, const struct doc *config, int64_t from,
                          int64_t to, struct error *error)
{
    const struct doc *list = doc_get(config, "migrations");
    if (!list)
        return 0;
    for (const struct doc *item = list->kind == DOC_SEQUENCE ? list->first : list; item;
         item = item->next) {
        int64_t number = migration_number(item);
        if ((number == 0 ? from == 0 : number > from && number <= to) &&
            run_file(server, item, error) < 0)
            return ERROR_INPUT;
        if (list->kind != DOC_SEQUENCE)
            break;
    }
    return 0;
}

/* The scenario migrates the schema: by the SQL files for it, or else only the version is entered.
 */
static void on_migrate(struct world *world, struct store *store, int64_t schema, void *ctx)
{
    struct env *env = ctx;
    struct error error = {.text = ""};
    for (struct pg_server *s = pg_servers(env); s; s = s->next) {
        struct pg_database *database = pg_database_find(s, s->serving_name);
        if (s->store != store || !database)
            continue;
        int64_t before = store_schema(store);
        s->starting = true; /* the world notes the change itself */
        if (run_migrations(s, store_config(store), before, schema, &error) < 0)
            record_observe(world_record(world), "not_simulated", error.text,
                           "a migration of %s does not run in the "
                           "simulated PostgreSQL",
                           s->name);
        const char *table = sql_name(&s->arena, s->version_table),
                   *column = sql_name(&s->arena, s->version_column);
        catalog_run(database, "DELETE FROM %s WHERE CAST(%s AS INTEGER) > %lld", table, column,
                    (long long)schema);
        if (!catalog_int(database, 0, "SELECT count(*) FROM %s WHERE CAST(%s AS INTEGER) = %lld",
                         table, column, (long long)schema))
            run_setup(s, NULL, "schema table",
                      arena_printf(&s->arena, "INSERT INTO %s (%s) VALUES (%lld)",
                                   pg_ident(&s->arena, s->version_table),
                                   pg_ident(&s->arena, s->version_column), (long long)schema),
                      &error);
        s->starting = false;
        store_changed(store);
    }
}

static bool table_exists(struct pg_server *server, const char *name)
{
    struct arena arena = {0};
    bool found = catalog_find(pg_database_find(server, server->serving_name), &arena, "public",
                              name) != NULL;
    arena_release(&arena);
    return found;
}

/* The table that tells the schema's version, and the tables of traffic that no SQL has made, in
 * their plainest form. */
static int make_version_table(struct pg_server *server, struct error *error)
{
    struct arena *arena = &server->arena;
    if (table_exists(server, server->version_table))
        return 0;
    return run_setup(
        server, NULL, "schema table",
        arena_printf(arena,
                     "CREATE TABLE %s (%s bigint PRIMARY KEY, name text, applied_at timestamptz"
                     " NOT NULL DEFAULT now())",
                     pg_ident(arena, server->version_table),
                     pg_ident(arena, server->version_column)),
        error);
}

static int make_missing_tables(struct pg_server *server, struct error *error)
{
    struct arena *arena = &server->arena;
    for (int i = 0; i < server->n_traffic_tables; i++) {
        const char *table = server->traffic_tables[i];
        if (table_exists(server, table) || strcmp(table, server->version_table) == 0)
            continue;
        if (run_setup(server, NULL, table,
                      arena_printf(arena,
                                   "CREATE TABLE %s (%s bigserial PRIMARY KEY, %s timestamptz NOT "
                                   "NULL DEFAULT now(),"
                                   " data text)",
                                   pg_ident(arena, table), pg_ident(arena, server->id_column),
                                   pg_ident(arena, server->time_column)),
                      error) < 0)
            return ERROR_INPUT;
    }
    return 0;
}

/* Versions that no migration file has entered: the store's number is the truth at the start. */
static int make_version(struct pg_server *server, struct error *error)
{
    struct arena *arena = &server->arena;
    int64_t schema = server->store ? store_schema(server->store) : 0;
    struct pg_database *database = pg_database_find(server, server->serving_name);
    if (schema == 0 || catalog_int(database, 0, "SELECT count(*) FROM %s",
                                   sql_name(arena, server->version_table)) > 0)
        return 0;
    struct pg_relation *relation = catalog_find(database, arena, "public", server->version_table);
    bool has_name = relation && catalog_attribute(relation, "name") >= 0;
    struct buf sql;
    buf_init(&sql, 1 << 20);
    for (int64_t v = schema > 5 ? schema - 4 : 1; v <= schema; v++)
        buf_printf(&sql,
                   has_name ? "INSERT INTO %s (%s, name) VALUES (%lld, 'migration %lld');"
                            : "INSERT INTO %s (%s) VALUES (%lld);",
                   pg_ident(arena, server->version_table), pg_ident(arena, server->version_column),
                   (long long)v, (long long)v);
    int code = run_setup(server, NULL, "schema table", sql.at, error);
    buf_release(&sql);
    return code;
}

static int read_text(const struct doc *config, const char *key, char **ret,
                     struct pg_server *server, struct error *error)
{
    const char *text = NULL;
    const struct doc *node = doc_get(config, key);
    if (node && doc_text(node, &text, error) < 0)
        return ERROR_INPUT;
    if (text)
        *ret = arena_strdup(&server->arena, text);
    return 0;
}

static int read_list(const struct doc *node, char ***ret, int *ret_n, struct pg_server *server,
                     struct error *error)
{
    if (!node)
        return 0;
    int n = node->kind == DOC_SEQUENCE ? node->n : 1, k = *ret_n;
    char **list = ARENA_ARRAY(&server->arena, char *, k + n + 1);
    if (k)
        memcpy(list, *ret, sizeof *list * (size_t)k);
    for (const struct doc *item = node->kind == DOC_SEQUENCE ? node->first : node; item && n > 0;
         item = item->next, n--) {
        const char *text;
        if (doc_text(item, &text, error) < 0)
            return ERROR_INPUT;
        list[k++] = arena_strdup(&server->arena, text);
    }
    *ret = list;
    *ret_n = k;
    return 0;
}

static void add_address(struct pg_server *server, const char *host, int port)
{
    char **list = ARENA_ARRAY(&server->arena, char *, server->n_hosts + 2);
    if (server->n_hosts)
        memcpy(list, server->hosts, sizeof *list * (size_t)server->n_hosts);
    list[server->n_hosts++] = arena_printf(&server->arena, "%s:%d", host, port);
    server->hosts = list;
}

static int read_addresses(struct pg_server *server, const struct doc *config, struct error *error)
{
    char **hosts = NULL;
    int n_hosts = 0;
    int64_t port = 5432;
    const struct doc *node = doc_get(config, "port");
    if ((node && doc_int(node, 1, 65535, &port, error) < 0) ||
        read_list(doc_get(config, "host"), &hosts, &n_hosts, server, error) < 0)
        return ERROR_INPUT;
    for (int i = 0; i < n_hosts; i++)
        add_address(server, hosts[i], (int)port);
    add_address(server, server->name, 5432);
    if (server->service && strcmp(server->service, server->name) != 0)
        add_address(server, server->service, 5432);
    return 0;
}

/* Services that call the server's service hold connections to it: a small pool each. */
static void find_clients(struct pg_server *server)
{
    struct world *world = server->env->world;
    struct service *own = world && server->service ? world_service(world, server->service) : NULL;
    for (int i = 0; own && i < world_services(world) && server->n_clients < 16; i++) {
        struct service *other = world_service_at(world, i);
        if (service_calls(other, own))
            server->clients[server->n_clients++] = (struct pg_client){
                .service = arena_strdup(&server->arena, service_name(other)),
                .role = server->superuser,
                .per_instance = 2,
                .terminated_ns = NEVER,
            };
    }
}

static int add_server(struct env *env, const char *name, const struct doc *config,
                      struct error *error)
{
    struct postgres *state = state_of(env);
    struct pg_server *server = pg_server_new(env, name), **end = &state->servers;
    while (*end)
        end = &(*end)->next;
    *end = server;
    char *password = NULL, *schema_table = NULL;
    if (read_text(config, "database", &server->serving_name, server, error) < 0 ||
        read_text(config, "user", &server->superuser, server, error) < 0 ||
        read_text(config, "password", &password, server, error) < 0 ||
        read_text(config, "schema_table", &schema_table, server, error) < 0 ||
        read_text(config, "data_directory", &server->data_directory, server, error) < 0 ||
        read_list(doc_get(config, "container"), &server->places, &server->n_places, server, error) <
            0 ||
        read_addresses(server, config, error) < 0)
        return ERROR_INPUT;
    if (schema_table) {
        struct str column = str_of(schema_table), table = str_cut(&column, '.');
        server->version_table = arena_str(&server->arena, table);
        if (column.len)
            server->version_column = arena_str(&server->arena, column);
    }
    const struct doc *tables = doc_get(config, "tables");
    for (const struct doc *table = tables ? tables->first : NULL; table; table = table->next) {
        if (table->kind == DOC_MAPPING &&
            (read_text(table, "key", &server->id_column, server, error) < 0 ||
             read_text(table, "time", &server->time_column, server, error) < 0))
            return ERROR_INPUT;
    }
    struct pg_role *role = pg_role_new(server, server->superuser);
    role->superuser = true;
    role->password = password ? xstrdup(password) : NULL;
    pg_server_initialise(server);
    server->starting = true;
    const char *setup = NULL;
    if (make_version_table(server, error) < 0 ||
        run_migrations(server, config, 0, server->store ? store_schema(server->store) : INT64_MAX,
                       error) < 0 ||
        (doc_get(config, "setup") &&
         (doc_text(doc_get(config, "setup"), &setup, error) < 0 ||
          run_setup(server, doc_get(config, "setup"), "setup", setup, error) < 0)) ||
        make_missing_tables(server, error) < 0 || make_version(server, error) < 0)
        return ERROR_INPUT;
    server->starting = false;
    pg_server_changed(server);
    find_clients(server);
    dump_watch(server);
    const char *archive = NULL;
    if (doc_get(doc_get(config, "archive"), "to") &&
        doc_text(doc_get(doc_get(config, "archive"), "to"), &archive, error) < 0)
        return ERROR_INPUT;
    recovery_watch(server, archive);
    return 0;
}

static int setup(struct env *env, const struct doc *config, struct error *error)
{
    if (!env->world)
        return 0;
    for (int i = 0; i < world_stores(env->world); i++) {
        struct store *store = world_store_at(env->world, i);
        if (strncmp(store_engine(store), "postgres", 8) == 0 &&
            add_server(env, store_name(store), store_config(store), error) < 0)
            return ERROR_INPUT;
    }
    world_on_migrate(env->world, on_migrate, env);
    (void)config;
    return 0;
}

int pg_serve_alone(struct env *env, const char *name, const char *database, const char *user,
                   const char *place)
{
    struct error error;
    struct postgres *state = state_of(env);
    struct pg_server *server = pg_server_new(env, name);
    server->next = state->servers;
    state->servers = server;
    server->serving_name = arena_strdup(&server->arena, database);
    server->superuser = arena_strdup(&server->arena, user);
    server->places = ARENA_ARRAY(&server->arena, char *, 2);
    server->places[server->n_places++] = arena_strdup(&server->arena, place);
    add_address(server, name, 5432);
    pg_role_new(server, user)->superuser = true;
    pg_database_new(server, "postgres", user);
    pg_database_new(server, database, user);
    return make_missing_tables(server, &error);
}

static void release(struct env *env)
{
    struct postgres *state = state_of(env);
    for (struct pg_server *s = state->servers, *next; s; s = next) {
        next = s->next;
        pg_server_free(s);
    }
    free(state);
    *env_slot(env, "postgres") = NULL;
}

static int run(struct call *call)
{
    static const struct {
        const char *name;
        int (*run)(struct call *);
    } tools[] = {
        {"psql", run_psql},
        {"pg_isready", run_pg_isready},
        {"pg_dump", run_pg_dump},
        {"createdb", run_createdb},
        {"dropdb", run_dropdb},
        {"pg_restore", run_pg_restore},
        {"pg_basebackup", run_pg_basebackup},
        {"pg_ctl", run_pg_ctl},
    };
    const char *base = strrchr(call->argv[0], '/');
    base = base ? base + 1 : call->argv[0];
    for (size_t i = 0; i < sizeof tools / sizeof *tools; i++) {
        if (strcmp(tools[i].name, base) == 0)
            return tools[i].run(call);
    }
    return 127;
}

static const char *const commands[] = {"psql",          "pg_isready", "pg_dump",
                                       "createdb",      "dropdb",     "pg_restore",
                                       "pg_basebackup", "pg_ctl",     NULL};

const struct fake fake_postgres = {
    .name = "postgres",
    .commands = commands,
    .setup = setup,
    .run = run,
    .release = release,
};
