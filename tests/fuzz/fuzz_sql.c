/* Any bytes as a query message of PostgreSQL, on a fresh database with a table of traffic and an
 * ordinary one; then a dump. */
#include <stdlib.h>

#include "fakes/fake.h"
#include "fakes/postgres/dump.h"
#include "fakes/postgres/postgres.h"
#include "procedures/drill/model_load.h"
#include "sim/world/world.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

extern const struct fake fake_postgres;

static const char system_text[] =
    "format: rehearse.system/1\n"
    "name: t\n"
    "services: {app: {versions: {v1: {}}}, db: {versions: {v1: {}}}}\n"
    "traffic: {users: {to: app, rate: 1/s, writes: {db.events: 100%}}}\n"
    "stores: {db: {engine: postgresql 15, service: db, database: shop, user: owner, tables: "
    "{events: {records: 1000}}}}\n";

static struct arena arena;
static struct model model;
static struct env env;

static void set_up(void)
{
    struct error error;
    struct doc *doc;
    model_defaults(&model);
    if (doc_read_text(&arena, "x", str_of(system_text), &doc, &error) < 0 ||
        model_load_system(&arena, doc, NULL, &model, &error) < 0)
        abort();
    env.record = record_new();
    env.world = world_new(&model, 1, env.record);
    env.start_unix_ns = INT64_C(1736949600) * SECOND;
    if (fake_postgres.setup(&env, NULL, &error) < 0)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (!env.world)
        set_up();
    if (size > 4096)
        return 0;
    struct pg_server *server = pg_servers(&env);
    struct arena text = {0};
    struct pg_error error;
    if (!pg_database_find(server, "fuzz"))
        pg_database_new(server, "fuzz", "owner");
    struct pg_session *session = pg_connect(server, "fuzz", "owner", "fuzz", &error);
    if (!session)
        abort();
    pg_query(session,
             "CREATE TABLE events (id bigserial PRIMARY KEY, created_at timestamptz, payload text);"
             "CREATE TABLE t (a integer PRIMARY KEY, b text, n numeric(8,2), d timestamptz);"
             "INSERT INTO t VALUES (1, 'x', 1.5, now()), (2, NULL, NULL, NULL); INSERT INTO events "
             "VALUES (1), (2)");
    pg_query(session, arena_str(&text, (struct str){(const char *)data, size}));
    struct pg_database *database = pg_database_find(server, "fuzz");
    if (database) {
        struct buf dump;
        struct dump_options options = {.schema = NEVER};
        buf_init(&dump, 1 << 20);
        dump_text(&dump, database, &options);
        buf_release(&dump);
    }
    pg_disconnect(session);
    database = pg_database_find(server, "fuzz");
    if (database)
        pg_database_drop(database, "fuzz");
    arena_release(&text);
    return 0;
}
