/* redis: redis-server behind every store whose engine starts with "redis", and redis-cli.
 *
 * A table of the store is a list of that name whose elements are the acknowledged records (a queue); what people SET
 * themselves are ordinary keys. Of the store's mapping in the system file it reads:
 *   host, port     where it is reached from the operator's machine (default: nowhere; containers reach it by service)
 *   password       requirepass
 *   persistence    rdb (default; save 3600 1 300 100 60 10000), aof (everysec), none
 * A server that ends by SIGTERM saves first (unless none); one that is killed comes back with what was saved: with AOF
 * all of it, for the file is written before the reply (redis.conf, appendfsync: only a power cut loses a second).
 */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "fakes/fake.h"
#include "sim/base/xalloc.h"

enum persistence { PERSIST_RDB, PERSIST_AOF, PERSIST_NONE };

struct pair {
    char *key, *value;
    int64_t expires_ns; /* INT64_MAX never */
};

struct server {
    struct store *store;
    struct service *service; /* NULL: always up */
    const char *host, *password;
    int port;
    enum persistence persistence;
    struct pair *pairs;
    int n_pairs, cap_pairs;
    struct dataset *saved;   /* as of the last save; NULL: never saved */
    struct pair *saved_pairs;
    int n_saved_pairs, cap_saved_pairs;
    int64_t saved_ns, saved_acknowledged;
    bool lost_at_end;        /* it was killed: what was not saved is gone when it starts again */
    struct env *env;
    struct server *next;
};

struct client {
    struct call *call;
    struct server *server;
    bool fail_on_error, authenticated, failed;
};

/* ---- keys and lists ---- */

static void free_pairs(struct pair *pairs, int n)
{
    for (int i = 0; i < n; i++) {
        free(pairs[i].key);
        free(pairs[i].value);
    }
}

static struct pair *find_pair(struct server *server, const char *key)
{
    int64_t now_ns = world_now(server->env->world);
    for (int i = 0; i < server->n_pairs; i++) {
        if (strcmp(server->pairs[i].key, key) == 0)
            return server->pairs[i].expires_ns > now_ns ? &server->pairs[i] : NULL;
    }
    return NULL;
}

static void set_pair(struct server *server, const char *key, const char *value, int64_t expires_ns)
{
    struct pair *pair = find_pair(server, key);
    if (!pair) {
        XGROW(server->pairs, server->n_pairs, server->cap_pairs);
        pair = &server->pairs[server->n_pairs++];
        *pair = (struct pair){.key = xstrdup(key)};
    }
    free(pair->value);
    pair->value = xstrdup(value);
    pair->expires_ns = expires_ns;
}

static bool delete_pair(struct server *server, const char *key)
{
    struct pair *pair = find_pair(server, key);
    if (!pair)
        return false;
    free(pair->key);
    free(pair->value);
    *pair = server->pairs[--server->n_pairs];
    return true;
}

static const struct idset *list_of(struct server *server, const char *key)
{
    const struct idset *rows = dataset_rows(store_serving(server->store), key);
    return rows && rows->n ? rows : NULL;
}

static bool delete_list(struct server *server, const char *key, const char *why)
{
    const struct idset *rows = list_of(server, key);
    if (!rows)
        return false;
    struct idset copy = {0};
    idset_copy(&copy, rows);
    store_because(server->store, why);
    dataset_delete_set(store_serving(server->store), key, &copy);
    record_change(server->env->record, store_name(server->store), "list %s deleted (%lld elements)", key,
                  (long long)idset_count(&copy));
    idset_release(&copy);
    return true;
}

static int64_t count_keys(struct server *server)
{
    int64_t n = 0, now_ns = world_now(server->env->world);
    const struct dataset *contents = store_serving(server->store);
    for (int i = 0; i < dataset_tables(contents); i++)
        n += list_of(server, dataset_table(contents, i)) != NULL;
    for (int i = 0; i < server->n_pairs; i++)
        n += server->pairs[i].expires_ns > now_ns;
    return n;
}

static void flush(struct server *server, const char *why)
{
    struct dataset *contents = store_serving(server->store);
    int64_t keys = count_keys(server);
    for (int i = 0; i < dataset_tables(contents); i++)
        delete_list(server, dataset_table(contents, i), why);
    free_pairs(server->pairs, server->n_pairs);
    server->n_pairs = 0;
    record_change(server->env->record, store_name(server->store), "flushed, %lld keys", (long long)keys);
}

/* ---- persistence ---- */

static int64_t acknowledged(struct server *server)
{
    const struct dataset *contents = store_serving(server->store);
    int64_t n = 0;
    for (int i = 0; i < dataset_tables(contents); i++)
        n += store_acknowledged(server->store, dataset_table(contents, i));
    return n;
}

static void save(struct server *server)
{
    dataset_free(server->saved);
    server->saved = dataset_copy(store_serving(server->store));
    server->saved_ns = world_now(server->env->world);
    server->saved_acknowledged = acknowledged(server);
    free_pairs(server->saved_pairs, server->n_saved_pairs);
    server->n_saved_pairs = 0;
    for (int i = 0; i < server->n_pairs; i++) {
        XGROW(server->saved_pairs, server->n_saved_pairs, server->cap_saved_pairs);
        server->saved_pairs[server->n_saved_pairs++] = (struct pair){
            xstrdup(server->pairs[i].key), xstrdup(server->pairs[i].value), server->pairs[i].expires_ns};
    }
}

/* save 3600 1 300 100 60 10000: looked at once a minute. */
static void save_when_due(struct world *world, void *ctx)
{
    struct server *server = ctx;
    int64_t age_ns = world_now(world) - server->saved_ns;
    int64_t changes = acknowledged(server) - server->saved_acknowledged;
    if ((age_ns >= 60 * SECOND && changes >= 10000) || (age_ns >= 300 * SECOND && changes >= 100) ||
        (age_ns >= 3600 * SECOND && changes >= 1))
        save(server);
    world_at(world, world_now(world) + MINUTE, save_when_due, server);
}

/* What is not in the last save is gone; the ledger hears of it. */
static void load_saved(struct server *server)
{
    struct dataset *contents = store_serving(server->store);
    store_because(server->store, "redis-server started from its last save");
    for (int i = 0; i < dataset_tables(contents); i++) {
        const char *table = dataset_table(contents, i);
        struct idset gone = {0};
        const struct idset *kept = server->saved ? dataset_rows(server->saved, table) : NULL;
        idset_copy(&gone, dataset_rows(contents, table));
        if (kept)
            idset_subtract(&gone, kept);
        if (gone.n)
            dataset_delete_set(contents, table, &gone);
        idset_release(&gone);
    }
    free_pairs(server->pairs, server->n_pairs);
    server->n_pairs = 0;
    for (int i = 0; i < server->n_saved_pairs; i++)
        set_pair(server, server->saved_pairs[i].key, server->saved_pairs[i].value,
                 server->saved_pairs[i].expires_ns);
}

static struct server *servers_of(struct env *env)
{
    return *env_slot(env, "redis");
}

static void instance_changed(struct instance *instance, enum instance_state before, void *ctx)
{
    struct env *env = ctx;
    enum instance_state now = instance_state(instance);
    for (struct server *s = servers_of(env); s; s = s->next) {
        if (s->service != instance_service(instance))
            continue;
        if (now == INSTANCE_STOPPED && before != INSTANCE_STOPPED) {
            bool killed = instance_exit_code(instance) != 0;
            if (!killed && s->persistence == PERSIST_RDB)
                save(s);
            s->lost_at_end = s->persistence == PERSIST_NONE || (killed && s->persistence == PERSIST_RDB);
        } else if (now == INSTANCE_STARTING && s->lost_at_end) {
            s->lost_at_end = false;
            load_saved(s);
        }
    }
}

/* ---- commands ---- */

static void reply(struct client *c, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void reply(struct client *c, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    const char *text = arena_vprintf(c->call->arena, format, args);
    va_end(args);
    call_out(c->call, "%s\n", text);
}

/* redis-cli without a terminal: the error's text and an empty line on stdout, exit 0; with -e on stderr, exit 1. */
static void reply_error(struct client *c, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void reply_error(struct client *c, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    const char *text = arena_vprintf(c->call->arena, format, args);
    va_end(args);
    if (c->fail_on_error)
        call_err(c->call, "%s\n", text);
    else
        call_out(c->call, "%s\n\n", text);
    c->failed = true;
}

static bool glob(const char *pattern, const char *text)
{
    for (; *pattern; pattern++, text++) {
        if (*pattern == '*') {
            for (const char *t = text;; t++) {
                if (glob(pattern + 1, t))
                    return true;
                if (!*t)
                    return false;
            }
        }
        if (!*text || (*pattern != '?' && *pattern != *text))
            return false;
    }
    return !*text;
}

static void run_keys(struct client *c, const char *pattern)
{
    const struct dataset *contents = store_serving(c->server->store);
    bool any = false;
    for (int i = 0; i < dataset_tables(contents); i++) {
        const char *table = dataset_table(contents, i);
        if (list_of(c->server, table) && glob(pattern, table)) {
            reply(c, "%s", table);
            any = true;
        }
    }
    for (int i = 0; i < c->server->n_pairs; i++) {
        if (glob(pattern, c->server->pairs[i].key) && find_pair(c->server, c->server->pairs[i].key)) {
            reply(c, "%s", c->server->pairs[i].key);
            any = true;
        }
    }
    if (!any)
        reply(c, "%s", "");
}

static void run_info(struct client *c, const char *section)
{
    bool all = !section;
    if (all || strcasecmp(section, "server") == 0)
        call_out(c->call, "# Server\r\nredis_version:7.0.15\r\nredis_mode:standalone\r\nprocess_id:1\r\n"
                          "tcp_port:6379\r\n\r\n");
    if (all || strcasecmp(section, "clients") == 0)
        call_out(c->call, "# Clients\r\nconnected_clients:%d\r\n\r\n", c->server->service ? 3 : 1);
    if (all || strcasecmp(section, "persistence") == 0)
        call_out(c->call, "# Persistence\r\nloading:0\r\nrdb_changes_since_last_save:%lld\r\n"
                          "rdb_last_bgsave_status:ok\r\naof_enabled:%d\r\n\r\n",
                 (long long)(acknowledged(c->server) - c->server->saved_acknowledged),
                 c->server->persistence == PERSIST_AOF);
    if (all || strcasecmp(section, "replication") == 0)
        call_out(c->call, "# Replication\r\nrole:master\r\nconnected_slaves:0\r\n\r\n");
    if (all || strcasecmp(section, "keyspace") == 0) {
        int64_t keys = count_keys(c->server);
        call_out(c->call, "# Keyspace\r\n");
        if (keys)
            call_out(c->call, "db0:keys=%lld,expires=0,avg_ttl=0\r\n", (long long)keys);
        call_out(c->call, "\r\n");
    }
}

static void wrong_type(struct client *c)
{
    reply_error(c, "WRONGTYPE Operation against a key holding the wrong kind of value");
}

static void run_get(struct client *c, const char *key)
{
    struct pair *pair = find_pair(c->server, key);
    if (list_of(c->server, key))
        wrong_type(c);
    else
        reply(c, "%s", pair ? pair->value : "");
}

static void run_set(struct client *c, int argc, char **argv)
{
    int64_t expires_ns = INT64_MAX, seconds = 0;
    for (int i = 3; i < argc; i++) {
        if (strcasecmp(argv[i], "EX") == 0 && i + 1 < argc && str_int64(str_of(argv[i + 1]), &seconds) &&
            seconds > 0 && seconds < 1000000000) {
            expires_ns = world_now(c->server->env->world) + seconds * SECOND;
            i++;
        } else {
            reply_error(c, "ERR syntax error");
            return;
        }
    }
    delete_list(c->server, argv[1], arena_printf(c->call->arena, "redis-cli SET %s", argv[1]));
    set_pair(c->server, argv[1], argv[2], expires_ns);
    record_change(c->server->env->record, store_name(c->server->store), "key %s set", argv[1]);
    reply(c, "OK");
}

static void run_delete(struct client *c, int argc, char **argv)
{
    int n = 0;
    for (int i = 1; i < argc; i++)
        n += delete_pair(c->server, argv[i]) ||
             delete_list(c->server, argv[i], arena_printf(c->call->arena, "redis-cli %s %s", argv[0], argv[i]));
    reply(c, "%d", n);
}

static void run_config(struct client *c, int argc, char **argv)
{
    const char *what = argc > 1 ? argv[1] : "";
    static const char *const persistence_words[] = {"3600 1 300 100 60 10000", "3600 1 300 100 60 10000", ""};
    if (strcasecmp(what, "GET") == 0 && argc == 3) {
        if (strcasecmp(argv[2], "appendonly") == 0)
            reply(c, "appendonly\n%s", c->server->persistence == PERSIST_AOF ? "yes" : "no");
        else if (strcasecmp(argv[2], "save") == 0)
            reply(c, "save\n%s", persistence_words[c->server->persistence]);
        else if (strcasecmp(argv[2], "maxmemory") == 0)
            reply(c, "maxmemory\n0");
        else
            reply(c, "%s", "");
    } else if (strcasecmp(what, "SET") == 0 && argc == 4 && strcasecmp(argv[2], "appendonly") == 0) {
        c->server->persistence = strcasecmp(argv[3], "yes") == 0 ? PERSIST_AOF : PERSIST_RDB;
        record_change(c->server->env->record, store_name(c->server->store), "appendonly %s", argv[3]);
        reply(c, "OK");
    } else if (strcasecmp(what, "REWRITE") == 0) {
        reply_error(c, "ERR The server is running without a config file");
    } else {
        record_observe(c->server->env->record, "not_simulated", argv[0], "redis: CONFIG %s is not simulated", what);
        reply_error(c, "ERR Unknown option or number of arguments for CONFIG SET - '%s'", argc > 2 ? argv[2] : "");
    }
}

static void run_save(struct client *c, const char *command)
{
    save(c->server);
    record_change(c->server->env->record, store_name(c->server->store), "saved to dump.rdb");
    reply(c, strcasecmp(command, "SAVE") == 0 ? "OK" : "Background saving started");
}

static void unknown(struct client *c, int argc, char **argv)
{
    struct buf shown;
    buf_init(&shown, 4096);
    for (int i = 1; i < argc; i++)
        buf_printf(&shown, "'%s' ", argv[i]);
    record_observe(c->server->env->record, "not_simulated", argv[0], "redis: the command %s is not simulated", argv[0]);
    reply_error(c, "ERR unknown command '%s', with args beginning with: %s", argv[0], shown.at ? shown.at : "");
    buf_release(&shown);
}

static void run_words(struct client *c, int argc, char **argv)
{
    struct server *server = c->server;
    static const struct {
        const char *name;
        int min, max; /* words, the name included; max 0: any number */
    } arity[] = {
        {"PING", 1, 2}, {"GET", 2, 2}, {"SET", 3, 0}, {"DEL", 2, 0}, {"UNLINK", 2, 0}, {"EXISTS", 2, 0},
        {"KEYS", 2, 2}, {"DBSIZE", 1, 1}, {"LLEN", 2, 2}, {"TTL", 2, 2}, {"TYPE", 2, 2}, {"ECHO", 2, 2},
    };
    const char *name = argv[0];
    for (size_t i = 0; i < sizeof arity / sizeof *arity; i++) {
        if (strcasecmp(name, arity[i].name) != 0)
            continue;
        if (argc < arity[i].min || (arity[i].max && argc > arity[i].max)) {
            char *lower = arena_strdup(c->call->arena, arity[i].name);
            for (char *p = lower; *p; p++)
                *p = (char)(*p - 'A' + 'a');
            reply_error(c, "ERR wrong number of arguments for '%s' command", lower);
            return;
        }
    }
    if (server->password && !c->authenticated && strcasecmp(name, "AUTH") != 0)
        reply_error(c, "NOAUTH Authentication required.");
    else if (strcasecmp(name, "AUTH") == 0)
        reply_error(c, "ERR AUTH <password> called without any password configured for the default user. Are you sure "
                       "your configuration is correct?");
    else if (strcasecmp(name, "PING") == 0)
        reply(c, "%s", argc > 1 ? argv[1] : "PONG");
    else if (strcasecmp(name, "ECHO") == 0)
        reply(c, "%s", argv[1]);
    else if (strcasecmp(name, "GET") == 0)
        run_get(c, argv[1]);
    else if (strcasecmp(name, "SET") == 0)
        run_set(c, argc, argv);
    else if (strcasecmp(name, "DEL") == 0 || strcasecmp(name, "UNLINK") == 0)
        run_delete(c, argc, argv);
    else if (strcasecmp(name, "EXISTS") == 0)
        reply(c, "%d", find_pair(server, argv[1]) || list_of(server, argv[1]));
    else if (strcasecmp(name, "TYPE") == 0)
        reply(c, "%s", list_of(server, argv[1]) ? "list" : find_pair(server, argv[1]) ? "string" : "none");
    else if (strcasecmp(name, "TTL") == 0) {
        struct pair *pair = find_pair(server, argv[1]);
        int64_t left_ns = pair && pair->expires_ns != INT64_MAX ? pair->expires_ns - world_now(server->env->world) : 0;
        reply(c, "%lld", pair && left_ns ? (long long)(left_ns / SECOND) : pair || list_of(server, argv[1]) ? -1LL : -2LL);
    } else if (strcasecmp(name, "KEYS") == 0)
        run_keys(c, argv[1]);
    else if (strcasecmp(name, "DBSIZE") == 0)
        reply(c, "%lld", (long long)count_keys(server));
    else if (strcasecmp(name, "LLEN") == 0) {
        const struct idset *rows = list_of(server, argv[1]);
        if (find_pair(server, argv[1]))
            wrong_type(c);
        else
            reply(c, "%lld", rows ? (long long)idset_count(rows) : 0LL);
    } else if (strcasecmp(name, "FLUSHDB") == 0 || strcasecmp(name, "FLUSHALL") == 0) {
        flush(server, arena_printf(c->call->arena, "redis-cli %s", name));
        reply(c, "OK");
    } else if (strcasecmp(name, "SAVE") == 0 || strcasecmp(name, "BGSAVE") == 0)
        run_save(c, name);
    else if (strcasecmp(name, "BGREWRITEAOF") == 0)
        reply(c, "Background append only file rewriting started");
    else if (strcasecmp(name, "LASTSAVE") == 0)
        reply(c, "%lld", (long long)((server->env->start_unix_ns + server->saved_ns) / SECOND));
    else if (strcasecmp(name, "INFO") == 0)
        run_info(c, argc > 1 ? argv[1] : NULL);
    else if (strcasecmp(name, "CONFIG") == 0)
        run_config(c, argc, argv);
    else if (strcasecmp(name, "SELECT") == 0)
        reply(c, "OK");
    else
        unknown(c, argc, argv);
}

/* ---- redis-cli ---- */

/* The server at that address as seen from that place; `up` says whether it answers. */
static struct server *find_server(struct call *call, const char *host, int port, bool *up)
{
    bool local = strcmp(host, "127.0.0.1") == 0 || strcmp(host, "localhost") == 0;
    for (struct server *s = servers_of(call->env); s; s = s->next) {
        bool inside = false, by_name = call->place[0] && s->service && strcmp(host, service_name(s->service)) == 0;
        for (int i = 0; s->service && i < service_instances(s->service); i++)
            inside = inside || (call->place[0] && strcmp(instance_name(service_instance(s->service, i)), call->place) == 0);
        bool declared = !call->place[0] && s->host &&
                        (strcmp(s->host, host) == 0 || (local && strcmp(s->host, "localhost") == 0));
        if (((inside && local) || by_name || declared) && port == (declared ? s->port : 6379)) {
            *up = store_in_service(s->store);
            return s;
        }
    }
    *up = false;
    return NULL;
}

/* One line from stdin into words; "..." and '...' quote. */
static int split(struct arena *arena, struct str line, char **words, int max)
{
    int n = 0;
    size_t i = 0;
    while (n < max) {
        while (i < line.len && (line.at[i] == ' ' || line.at[i] == '\t' || line.at[i] == '\r'))
            i++;
        if (i >= line.len)
            break;
        char *word = arena_alloc(arena, line.len - i + 1), quote = 0;
        size_t len = 0;
        for (; i < line.len && (quote || (line.at[i] != ' ' && line.at[i] != '\r')); i++) {
            if (quote ? line.at[i] == quote : (line.at[i] == '"' || line.at[i] == '\''))
                quote = quote ? 0 : line.at[i];
            else
                word[len++] = line.at[i];
        }
        words[n++] = word;
    }
    return n;
}

static int run_stdin(struct client *c)
{
    struct buf *input = ARENA_NEW(c->call->arena, struct buf);
    buf_init(input, 16 << 20);
    call_defer(c->call, (void (*)(void *))buf_release, input);
    call_read_all(c->call, 0, input);
    struct str rest = buf_text(input);
    while (rest.len) {
        char *words[64];
        int n = split(c->call->arena, str_cut(&rest, '\n'), words, 64);
        if (n)
            run_words(c, n, words);
        if (c->failed && c->fail_on_error)
            return 1;
    }
    return 0;
}

static int run(struct call *call)
{
    const char *host = "127.0.0.1", *password = call_getenv(call, "REDISCLI_AUTH");
    int64_t port = 6379;
    struct client c = {.call = call};
    int i = 1;
    for (; i < call->argc && call->argv[i][0] == '-'; i++) {
        const char *word = call->argv[i], *value = i + 1 < call->argc ? call->argv[i + 1] : NULL;
        if (strcmp(word, "-e") == 0)
            c.fail_on_error = true;
        else if (strcmp(word, "--raw") == 0 || strcmp(word, "--no-raw") == 0 || strcmp(word, "--no-auth-warning") == 0 ||
                 strcmp(word, "-3") == 0)
            continue;
        else if (strcmp(word, "--version") == 0 || strcmp(word, "-v") == 0) {
            call_out(call, "redis-cli 7.0.15\n");
            return 0;
        } else if (value && strcmp(word, "-h") == 0)
            host = call->argv[++i];
        else if (value && strcmp(word, "-p") == 0) {
            if (!str_int64(str_of(call->argv[++i]), &port) || port < 0 || port > 65535) {
                call_err(call, "Invalid server port.\n");
                return 1;
            }
        } else if (value && (strcmp(word, "-a") == 0 || strcmp(word, "--pass") == 0))
            password = call->argv[++i];
        else if (value && (strcmp(word, "-n") == 0 || strcmp(word, "-r") == 0 || strcmp(word, "-i") == 0 ||
                           strcmp(word, "--user") == 0))
            i++;
        else {
            call_err(call, "Unrecognized option or bad number of args for: '%s'\n", word);
            return 1;
        }
    }
    bool up = false;
    c.server = find_server(call, host, (int)port, &up);
    if (!up) {
        call_err(call, "Could not connect to Redis at %s:%d: Connection refused\n", host, (int)port);
        return 1;
    }
    c.authenticated = c.server->password && password && strcmp(password, c.server->password) == 0;
    call_sleep(call, 2 * MILLISECOND);
    if (i == call->argc)
        return run_stdin(&c);
    run_words(&c, call->argc - i, call->argv + i);
    return c.failed && c.fail_on_error ? 1 : 0;
}

/* ---- setup ---- */

static int add_server(struct env *env, struct store *store, struct error *error)
{
    static const char *const words[] = {"rdb", "aof", "none", NULL};
    const struct doc *config = store_config(store);
    int64_t port = 6379;
    int persistence = PERSIST_RDB;
    struct server *server = xcalloc(1, sizeof *server);
    server->next = servers_of(env);
    *env_slot(env, "redis") = server;
    server->env = env;
    server->store = store;
    server->service = store_service(store) ? world_service(env->world, store_service(store)) : NULL;
    if (doc_text(doc_get(config, "host"), &server->host, error) < 0 ||
        doc_text(doc_get(config, "password"), &server->password, error) < 0 ||
        doc_int(doc_get(config, "port"), 1, 65535, &port, error) < 0 ||
        doc_choice(doc_get(config, "persistence"), words, &persistence, error) < 0)
        return ERROR_INPUT;
    if (doc_get(config, "port") && !server->host)
        server->host = "localhost";
    server->port = (int)port;
    server->persistence = (enum persistence)persistence;
    save(server);
    if (server->persistence == PERSIST_RDB)
        world_at(env->world, MINUTE, save_when_due, server);
    return 0;
}

static int setup(struct env *env, const struct doc *config, struct error *error)
{
    (void)config;
    for (int i = 0; env->world && i < world_stores(env->world); i++) {
        struct store *store = world_store_at(env->world, i);
        if (strncmp(store_engine(store), "redis", 5) == 0 && add_server(env, store, error) < 0)
            return ERROR_INPUT;
    }
    if (servers_of(env))
        world_watch_instances(env->world, instance_changed, env);
    return 0;
}

static void release(struct env *env)
{
    for (struct server *s = servers_of(env), *next; s; s = next) {
        next = s->next;
        free_pairs(s->pairs, s->n_pairs);
        free_pairs(s->saved_pairs, s->n_saved_pairs);
        free(s->pairs);
        free(s->saved_pairs);
        dataset_free(s->saved);
        free(s);
    }
    *env_slot(env, "redis") = NULL;
}

static const char *const commands[] = {"redis-cli", NULL};
const struct fake fake_redis = {
    .name = "redis",
    .commands = commands,
    .setup = setup,
    .run = run,
    .release = release,
};
