/* redis: redis-server behind every store whose engine starts with "redis", and redis-cli.
 *
 * A table of the store is a list in database 0 whose elements are the acknowledged records (a
 * queue; the oldest is the leftmost); what people put there themselves are ordinary values beside
 * it.
 *
 * Of the store's mapping in the system file it reads:
 *   host, port     where it is reached from the operator's machine (default: nowhere; containers
 *                  reach it by service)
 *   password       requirepass
 *   persistence    rdb (default; save 3600 1 300 100 60 10000), aof (everysec), none
 *   config         its configuration file, a path of the operator's machine (mounted with its
 *                  folder); default: it runs without one
 *
 * A server that ends by SIGTERM saves first (unless none); one that is killed comes back with what
 * was saved: with AOF all of it, for the file is written before the reply (redis.conf, appendfsync:
 * only a power cut loses a second).
 */
#ifndef REHEARSE_FAKES_REDIS_REDIS_H
#define REHEARSE_FAKES_REDIS_REDIS_H

#include "fakes/fake.h"

enum { REDIS_DATABASES = 16 };
enum redis_persistence { PERSIST_RDB, PERSIST_AOF, PERSIST_NONE };
enum redis_settings {
    REDIS_APPENDONLY,
    REDIS_SAVE,
    REDIS_MAXMEMORY,
    REDIS_MAXMEMORY_POLICY,
    REDIS_SETTINGS
};
enum redis_kind { REDIS_STRING, REDIS_LIST, REDIS_HASH, REDIS_SET, REDIS_ZSET };

/* One key. The items: of a string one, of a hash field and value in turn, of a sorted set member
 * and score in turn. */
struct redis_key {
    char *name;
    int database;
    enum redis_kind kind;
    int64_t expires_ns; /* INT64_MAX never */
    char **items;
    int n, cap;
    struct redis_key *next; /* in the order in which they were made */
};

struct redis_server {
    struct store *store;
    struct service *service; /* NULL: always up */
    const char *host, *password, *config;
    int port;
    enum redis_persistence persistence,
        declared; /* what CONFIG SET chose, and what a restart goes back to */
    struct redis_key *keys;
    struct dataset *saved; /* as of the last save; NULL: never saved */
    struct redis_key *saved_keys;
    int64_t saved_ns, saved_acknowledged, changes; /* changes of people since the last save */
    bool lost_at_end;    /* what was not saved is gone when it starts again */
    bool without_saving; /* SHUTDOWN NOSAVE */
    bool replica;
    int64_t max_memory;
    const char *policy;
    int set_by[REDIS_SETTINGS]; /* the step whose CONFIG SET is in force; 0: none's */
    struct arena arena;
    struct env *env;
    struct redis_server *next;
};

/* What the server answers. Lives in the call's arena. */
enum redis_reply_kind {
    REPLY_STATUS,
    REPLY_ERROR,
    REPLY_INTEGER,
    REPLY_BULK,
    REPLY_NIL,
    REPLY_ARRAY,
    REPLY_VERBATIM
};
struct redis_reply {
    enum redis_reply_kind kind;
    const char *text;
    int64_t number;
    int n, cap;
    struct redis_reply **items;
};

/* One connection. */
struct redis_client {
    struct call *call;
    struct redis_server *server;
    int database;
    bool authenticated, multi, broken; /* broken: an error was queued; EXEC will refuse */
    int n_queued;
    struct {
        int argc;
        char **argv;
    } queue[256];
    bool closed;
};

/* keys.c: the keyspace. Keys that have expired are not there. */
struct redis_key *redis_find(struct redis_server *, int database, const char *name);
struct redis_key *redis_make(struct redis_server *, int database, const char *name,
                             enum redis_kind);                            /* a new, empty one */
bool redis_remove(struct redis_server *, int database, const char *name); /* of people's keys */
void redis_free_keys(struct redis_key *);
struct redis_key *redis_copy_keys(const struct redis_key *);
void redis_add(struct redis_key *, const char *item, int at); /* at: its place; -1 the end */
void redis_cut(struct redis_key *, int at, int n);
int redis_index(const struct redis_key *, const char *item, int step); /* -1: not there */
/* The records of traffic under that name, or NULL (none, or another database than 0). */
const struct idset *redis_records(struct redis_server *, int database, const char *name);
bool redis_drop_records(struct redis_server *, const char *name, const struct idset *,
                        const char *why);
/* Calls for every key that is there, traffic's lists first. */
void redis_each(struct redis_server *, int database,
                void (*)(const char *name, struct redis_key *, void *ctx), void *ctx);
int64_t redis_count(struct redis_server *, int database, int64_t *ret_expiring);
void redis_flush(struct redis_server *, int database, const char *why); /* -1: all databases */

/* server.c: persistence. */
void redis_save(struct redis_server *);
int64_t redis_acknowledged(struct redis_server *);
struct redis_server *redis_servers(struct env *);

/* settings.c: what CONFIG SET may change. redis_setting: -1, if it is none of them. redis_set:
 * NULL, or why the value will not do. redis_read_settings: as a start reads them; what a CONFIG SET
 * of the procedure had made otherwise is a finding of its step. redis_rewrite: NULL, or why it
 * failed. */
int redis_setting(const char *name);
const char *redis_setting_value(const struct redis_server *, struct arena *, int setting);
const char *redis_set(struct redis_server *, int setting, const char *value);
void redis_read_settings(struct redis_server *);
const char *redis_rewrite(struct redis_server *);

/* commands.c: one command; never NULL. info.c: INFO and CONFIG. */
struct redis_reply *redis_command(struct redis_client *, int argc, char **argv);
struct redis_reply *redis_info(struct redis_client *, int argc, char **argv);
struct redis_reply *redis_config(struct redis_client *, int argc, char **argv);
struct redis_reply *redis_text(struct redis_client *, enum redis_reply_kind, const char *format,
                               ...) __attribute__((format(printf, 3, 4)));
struct redis_reply *redis_number(struct redis_client *, int64_t);
struct redis_reply *redis_list(struct redis_client *);
void redis_append(struct redis_client *, struct redis_reply *list, struct redis_reply *item);
bool redis_glob(const char *pattern, const char *text);

/* redis_cli.c */
int redis_cli(struct call *);

#endif
