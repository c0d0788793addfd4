/* bench_sql: SQL over a million and over ten million acknowledged rows, in processor time: a count
 * with a time predicate, a database dropped and put back by copy-on-write, and whether the ledger
 * is exact afterwards. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "fakes/fake.h"
#include "fakes/postgres/postgres.h"
#include "procedures/drill/model_load.h"

static const char system_text[] =
    "format: rehearse.system/1\n"
    "name: t\n"
    "services:\n"
    "  app: {calls: {db: 1}}\n"
    "  db: {}\n"
    "traffic: {users: {to: app, rate: 10/s, writes: {db.events: 100%%}}}\n"
    "stores:\n"
    "  db: {engine: postgresql 15, service: db, database: shop, user: owner,\n"
    "       tables: {events: {records: %d, history: 30d}}}\n";

static double used_ms(void)
{
    struct rusage used;
    getrusage(RUSAGE_SELF, &used);
    return (double)used.ru_utime.tv_sec * 1e3 + (double)used.ru_utime.tv_usec / 1e3;
}

static void query(struct pg_session *session, const char *text)
{
    if (pg_query(session, text))
        return;
    fprintf(stderr, "bench_sql: %s: %s\n", text, session->error.message);
    exit(1);
}

static const char *answer(struct pg_session *session)
{
    const struct pg_result *result = session->messages ? session->messages->result : NULL;
    return result && result->n_rows == 1 ? result->rows[0][0] : "?";
}

static struct pg_session *session_on(struct pg_server *server, const char *database)
{
    struct pg_error error;
    struct pg_session *session = pg_connect(server, database, "owner", "bench", &error);
    if (!session) {
        fprintf(stderr, "bench_sql: %s\n", error.message);
        exit(1);
    }
    return session;
}

static void measure(int records)
{
    struct arena arena = {0};
    struct error error = {""};
    struct doc *doc = NULL;
    struct model model;
    model_defaults(&model);
    if (doc_read_text(&arena, "system.yaml", str_of(arena_printf(&arena, system_text, records)),
                      &doc, &error) < 0 ||
        model_load_system(&arena, doc, NULL, &model, &error) < 0) {
        fprintf(stderr, "bench_sql: %s\n", error.text);
        exit(1);
    }
    model.start_unix_ns = INT64_C(1736949600) * SECOND; /* 2025-01-15 14:00 */
    struct record *record = record_new();
    struct world *world = world_new(&model, 1, record);
    struct env env = {.world = world, .record = record, .start_unix_ns = model.start_unix_ns};
    for (int i = 0; all_fakes[i]; i++) {
        if (all_fakes[i]->setup && strcmp(all_fakes[i]->name, "postgres") == 0 &&
            all_fakes[i]->setup(&env, NULL, &error) < 0)
            exit(1);
    }
    world_advance(world, 10 * SECOND);
    struct pg_server *server = pg_servers(&env);
    struct pg_session *session = session_on(server, "shop");
    double start = used_ms();
    query(session, "SELECT count(*) FROM events WHERE created_at > '2025-01-10 00:00:00+00'");
    double count_ms = used_ms() - start;
    const char *counted = arena_strdup(&arena, answer(session));
    pg_disconnect(session);
    /* The application's own connections would be in the way. */
    for (int i = 0; i < server->n_clients; i++)
        server->clients[i].terminated_ns = world_now(world);
    session = session_on(server, "postgres");
    start = used_ms();
    query(session, "CREATE DATABASE copy TEMPLATE shop");
    query(session, "DROP DATABASE shop");
    query(session, "ALTER DATABASE copy RENAME TO shop");
    double copy_ms = used_ms() - start;
    pg_disconnect(session);
    session = session_on(server, "shop");
    query(session, "DELETE FROM events WHERE id >= 1000 AND id < 2000");
    pg_disconnect(session);
    world_finish(world);
    int64_t lost = record->n_ledger ? record->ledger[0].lost : -1;
    printf("SQL over %d million rows: count with a time predicate (%s) %.1f ms (under 100 at one "
           "million); dropped and put back "
           "%.1f ms (under 20); ledger exact: %s\n",
           records / 1000000, counted, count_ms, copy_ms, lost == 1000 ? "yes" : "NO");
    for (int i = 0; all_fakes[i]; i++) {
        if (all_fakes[i]->release && strcmp(all_fakes[i]->name, "postgres") == 0)
            all_fakes[i]->release(&env);
    }
    world_free(world);
    record_free(record);
    arena_release(&arena);
}

int main(void)
{
    measure(1000000);
    measure(10000000);
    return 0;
}
