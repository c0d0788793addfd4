/* The commands, with the words of Redis 7.0. A list of traffic's records answers the commands of
 * lists; its elements are the identities, oldest first, and what people push comes behind them. */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "fakes/redis/redis.h"

#define WRONG_TYPE  "WRONGTYPE Operation against a key holding the wrong kind of value"
#define NOT_INTEGER "ERR value is not an integer or out of range"

/* ---- replies ---- */

static struct redis_reply *new_reply(struct redis_client *c, enum redis_reply_kind kind)
{
    struct redis_reply *reply = ARENA_NEW(c->call->arena, struct redis_reply);
    reply->kind = kind;
    return reply;
}

struct redis_reply *redis_text(struct redis_client *c, enum redis_reply_kind kind,
                               const char *format, ...)
{
    struct redis_reply *reply = new_reply(c, kind);
    va_list args;
    va_start(args, format);
    reply->text = arena_vprintf(c->call->arena, format, args);
    va_end(args);
    return reply;
}

struct redis_reply *redis_number(struct redis_client *c, int64_t number)
{
    struct redis_reply *reply = new_reply(c, REPLY_INTEGER);
    reply->number = number;
    return reply;
}

struct redis_reply *redis_list(struct redis_client *c)
{
    return new_reply(c, REPLY_ARRAY);
}

void redis_append(struct redis_client *c, struct redis_reply *list, struct redis_reply *item)
{
    if (list->n == list->cap) {
        int cap = list->cap ? list->cap * 2 : 16;
        struct redis_reply **items = ARENA_ARRAY(c->call->arena, struct redis_reply *, cap);
        if (list->n)
            memcpy(items, list->items, sizeof *items * (size_t)list->n);
        list->items = items;
        list->cap = cap;
    }
    list->items[list->n++] = item;
}

static struct redis_reply *ok(struct redis_client *c)
{
    return redis_text(c, REPLY_STATUS, "OK");
}

static struct redis_reply *nil(struct redis_client *c)
{
    return new_reply(c, REPLY_NIL);
}

static struct redis_reply *bulk(struct redis_client *c, const char *text)
{
    return text ? redis_text(c, REPLY_BULK, "%s", text) : nil(c);
}

static struct redis_reply *fail(struct redis_client *c, const char *text)
{
    return redis_text(c, REPLY_ERROR, "%s", text);
}

/* ---- values ---- */

/* The key if it has that kind; *wrong if it has another. Traffic's lists are of kind list. */
static struct redis_key *find(struct redis_client *c, const char *name, enum redis_kind kind,
                              bool *wrong)
{
    struct redis_key *key = redis_find(c->server, c->database, name);
    bool records = redis_records(c->server, c->database, name) != NULL;
    *wrong = (key && key->kind != kind) || (records && kind != REDIS_LIST);
    return *wrong ? NULL : key;
}

static struct redis_key *need(struct redis_client *c, const char *name, enum redis_kind kind,
                              bool *wrong)
{
    struct redis_key *key = find(c, name, kind, wrong);
    return key || *wrong ? key : redis_make(c->server, c->database, name, kind);
}

static bool there(struct redis_client *c, const char *name)
{
    return redis_find(c->server, c->database, name) || redis_records(c->server, c->database, name);
}

static void changed(struct redis_client *c, const char *name, const char *what)
{
    c->server->changes++;
    record_change(c->server->env->record, store_name(c->server->store), "key %s %s", name, what);
}

static const char *reason(struct redis_client *c, char **argv)
{
    return arena_printf(c->call->arena, "redis-cli %s %s", argv[0], argv[1]);
}

/* A value without items is none. */
static void drop_empty(struct redis_client *c, struct redis_key *key)
{
    if (key && key->n == 0)
        redis_remove(c->server, c->database, key->name);
}

/* ---- strings ---- */

static struct redis_reply *set(struct redis_client *c, int argc, char **argv)
{
    int64_t now_ns = world_now(c->server->env->world), expires_ns = INT64_MAX, number;
    bool nx = false, xx = false, keep = false, get = false, wrong;
    for (int i = 3; i < argc; i++) {
        int64_t unit = strcasecmp(argv[i], "EX") == 0   ? SECOND
                       : strcasecmp(argv[i], "PX") == 0 ? MILLISECOND
                                                        : 0;
        if (unit && i + 1 < argc) {
            if (!str_int64(str_of(argv[++i]), &number))
                return fail(c, NOT_INTEGER);
            if (number <= 0 || number > INT64_C(4000000000000))
                return fail(c, "ERR invalid expire time in 'set' command");
            expires_ns = now_ns + number * unit;
        } else if (strcasecmp(argv[i], "NX") == 0) {
            nx = true;
        } else if (strcasecmp(argv[i], "XX") == 0) {
            xx = true;
        } else if (strcasecmp(argv[i], "KEEPTTL") == 0) {
            keep = true;
        } else if (strcasecmp(argv[i], "GET") == 0) {
            get = true;
        } else {
            return fail(c, "ERR syntax error");
        }
    }
    struct redis_key *old = find(c, argv[1], REDIS_STRING, &wrong);
    if (get && wrong)
        return fail(c, WRONG_TYPE);
    struct redis_reply *reply = get ? bulk(c, old ? old->items[0] : NULL) : ok(c);
    if ((nx && there(c, argv[1])) || (xx && !there(c, argv[1])))
        return get ? reply : nil(c);
    if (keep && old)
        expires_ns = old->expires_ns;
    redis_drop_records(c->server, c->database ? "" : argv[1], NULL, reason(c, argv));
    struct redis_key *key = redis_make(c->server, c->database, argv[1], REDIS_STRING);
    redis_add(key, argv[2], -1);
    key->expires_ns = expires_ns;
    changed(c, argv[1], "set");
    return reply;
}

static struct redis_reply *set_ex(struct redis_client *c, int argc, char **argv)
{
    int64_t number;
    bool ms = toupper((unsigned char)argv[0][0]) == 'P';
    (void)argc;
    if (!str_int64(str_of(argv[2]), &number))
        return fail(c, NOT_INTEGER);
    if (number <= 0)
        return redis_text(c, REPLY_ERROR, "ERR invalid expire time in '%s' command",
                          ms ? "psetex" : "setex");
    char *words[] = {argv[0], argv[1], argv[3], ms ? "PX" : "EX", argv[2]};
    return set(c, 5, words);
}

static struct redis_reply *set_nx(struct redis_client *c, int argc, char **argv)
{
    (void)argc;
    if (there(c, argv[1]))
        return redis_number(c, 0);
    char *words[] = {argv[0], argv[1], argv[2]};
    set(c, 3, words);
    return redis_number(c, 1);
}

static struct redis_reply *get(struct redis_client *c, int argc, char **argv)
{
    bool wrong, removes = strcasecmp(argv[0], "GETDEL") == 0;
    struct redis_key *key = find(c, argv[1], REDIS_STRING, &wrong);
    if (wrong)
        return fail(c, WRONG_TYPE);
    struct redis_reply *reply = bulk(c, key ? key->items[0] : NULL);
    if (argc > 2) { /* GETSET */
        char *words[] = {argv[0], argv[1], argv[2]};
        set(c, 3, words);
    } else if (removes && key) {
        redis_remove(c->server, c->database, argv[1]);
        changed(c, argv[1], "deleted");
    }
    return reply;
}

static struct redis_reply *many(struct redis_client *c, int argc, char **argv)
{
    if (toupper((unsigned char)argv[0][1]) == 'S') {
        if (argc % 2 == 0)
            return fail(c, "ERR wrong number of arguments for 'mset' command");
        for (int i = 1; i < argc; i += 2) {
            char *words[] = {argv[0], argv[i], argv[i + 1]};
            set(c, 3, words);
        }
        return ok(c);
    }
    struct redis_reply *list = redis_list(c);
    for (int i = 1; i < argc; i++) {
        bool wrong;
        struct redis_key *key = find(c, argv[i], REDIS_STRING, &wrong);
        redis_append(c, list, bulk(c, key ? key->items[0] : NULL));
    }
    return list;
}

static struct redis_reply *increment(struct redis_client *c, int argc, char **argv)
{
    int64_t by = 1, value = 0;
    bool wrong, down = toupper((unsigned char)argv[0][0]) == 'D';
    if (argc > 2 && !str_int64(str_of(argv[2]), &by))
        return fail(c, NOT_INTEGER);
    struct redis_key *key = find(c, argv[1], REDIS_STRING, &wrong);
    if (wrong)
        return fail(c, WRONG_TYPE);
    if (key && !str_int64(str_of(key->items[0]), &value))
        return fail(c, NOT_INTEGER);
    if (__builtin_add_overflow(value, down ? -by : by, &value))
        return fail(c, "ERR increment or decrement would overflow");
    if (!key)
        key = redis_make(c->server, c->database, argv[1], REDIS_STRING);
    redis_cut(key, 0, key->n);
    redis_add(key, arena_printf(c->call->arena, "%lld", (long long)value), -1);
    changed(c, argv[1], "set");
    return redis_number(c, value);
}

static struct redis_reply *append(struct redis_client *c, int argc, char **argv)
{
    bool wrong;
    struct redis_key *key = find(c, argv[1], REDIS_STRING, &wrong);
    if (wrong)
        return fail(c, WRONG_TYPE);
    if (argc == 2) /* STRLEN */
        return redis_number(c, key ? (int64_t)strlen(key->items[0]) : 0);
    const char *text = arena_printf(c->call->arena, "%s%s", key ? key->items[0] : "", argv[2]);
    if (!key)
        key = redis_make(c->server, c->database, argv[1], REDIS_STRING);
    redis_cut(key, 0, key->n);
    redis_add(key, text, -1);
    changed(c, argv[1], "set");
    return redis_number(c, (int64_t)strlen(text));
}

/* ---- any key ---- */

static struct redis_reply *ping(struct redis_client *c, int argc, char **argv)
{
    if (strcasecmp(argv[0], "ECHO") == 0 || argc > 1)
        return bulk(c, argv[1]);
    return redis_text(c, REPLY_STATUS, "PONG");
}

static struct redis_reply *delete (struct redis_client *c, int argc, char **argv)
{
    int n = 0;
    for (int i = 1; i < argc; i++) {
        bool key = redis_remove(c->server, c->database, argv[i]);
        bool records =
            c->database == 0 &&
            redis_drop_records(c->server, argv[i], NULL,
                               arena_printf(c->call->arena, "redis-cli %s %s", argv[0], argv[i]));
        n += key || records;
        if (key)
            changed(c, argv[i], "deleted");
    }
    return redis_number(c, n);
}

static struct redis_reply *exists(struct redis_client *c, int argc, char **argv)
{
    int n = 0;
    for (int i = 1; i < argc; i++)
        n += there(c, argv[i]);
    return redis_number(c, n);
}

static struct redis_reply *type(struct redis_client *c, int argc, char **argv)
{
    static const char *const names[] = {"string", "list", "hash", "set", "zset"};
    struct redis_key *key = redis_find(c->server, c->database, argv[1]);
    (void)argc;
    return redis_text(c, REPLY_STATUS, "%s",
                      key                 ? names[key->kind]
                      : there(c, argv[1]) ? "list"
                                          : "none");
}

static struct redis_reply *ttl(struct redis_client *c, int argc, char **argv)
{
    struct redis_key *key = redis_find(c->server, c->database, argv[1]);
    bool ms = toupper((unsigned char)argv[0][0]) == 'P';
    (void)argc;
    if (!key || key->expires_ns == INT64_MAX)
        return redis_number(c, there(c, argv[1]) ? -1 : -2);
    int64_t left_ms = (key->expires_ns - world_now(c->server->env->world)) / MILLISECOND;
    return redis_number(c, ms ? left_ms : (left_ms + 500) / 1000);
}

static struct redis_reply *expire(struct redis_client *c, int argc, char **argv)
{
    int64_t number, now_ns = world_now(c->server->env->world);
    struct redis_key *key = redis_find(c->server, c->database, argv[1]);
    bool ms = toupper((unsigned char)argv[0][0]) == 'P',
         at = toupper((unsigned char)argv[0][strlen(argv[0]) - 1]) == 'T';
    if (!str_int64(str_of(argv[2]), &number) || number > INT64_C(4000000000) ||
        number < -INT64_C(4000000000))
        return fail(c, NOT_INTEGER);
    int64_t when_ns =
        number * (ms ? MILLISECOND : SECOND) + (at ? -c->server->env->start_unix_ns : now_ns);
    const char *how = argc > 3 ? argv[3] : "";
    bool lasting = key && key->expires_ns == INT64_MAX;
    if (argc > 3 && strcasecmp(how, "NX") && strcasecmp(how, "XX") && strcasecmp(how, "GT") &&
        strcasecmp(how, "LT"))
        return redis_text(c, REPLY_ERROR, "ERR Unsupported option %s", how);
    if (!key && there(c, argv[1]))
        return fail(c, "ERR not simulated: the expiry of a list that services write to");
    if (!key || (strcasecmp(how, "NX") == 0 && !lasting) ||
        (strcasecmp(how, "XX") == 0 && lasting) ||
        (strcasecmp(how, "GT") == 0 && when_ns <= key->expires_ns) ||
        (strcasecmp(how, "LT") == 0 && when_ns >= key->expires_ns))
        return redis_number(c, 0);
    if (when_ns <= now_ns)
        redis_remove(c->server, c->database, argv[1]);
    else
        key->expires_ns = when_ns;
    changed(c, argv[1], "expires");
    return redis_number(c, 1);
}

static struct redis_reply *persist(struct redis_client *c, int argc, char **argv)
{
    struct redis_key *key = redis_find(c->server, c->database, argv[1]);
    bool expires = key && key->expires_ns != INT64_MAX;
    (void)argc;
    if (expires)
        key->expires_ns = INT64_MAX;
    return redis_number(c, expires);
}

static struct redis_reply *rename_key(struct redis_client *c, int argc, char **argv)
{
    bool nx = argv[0][6] != '\0';
    (void)argc;
    if (!there(c, argv[1]))
        return fail(c, "ERR no such key");
    if (nx && there(c, argv[2]))
        return redis_number(c, 0);
    if (c->database == 0) {
        store_because(c->server->store, reason(c, argv));
        redis_drop_records(c->server, argv[2], NULL, reason(c, argv));
    }
    if (redis_records(c->server, c->database, argv[1])) {
        struct dataset *contents = store_serving(c->server->store);
        if (dataset_has_table(contents, argv[2]))
            dataset_drop_table(contents, argv[2]);
        dataset_rename_table(contents, argv[1], argv[2]);
        dataset_create_table(contents, argv[1]); /* the next record makes the list anew */
    }
    struct redis_key *key = redis_find(c->server, c->database, argv[1]);
    if (key) {
        struct redis_key *made = redis_make(c->server, c->database, argv[2], key->kind);
        for (int i = 0; i < key->n; i++)
            redis_add(made, key->items[i], -1);
        made->expires_ns = key->expires_ns;
        redis_remove(c->server, c->database, argv[1]);
    }
    changed(c, argv[1], arena_printf(c->call->arena, "renamed to %s", argv[2]));
    return nx ? redis_number(c, 1) : ok(c);
}

struct matching {
    struct redis_client *c;
    const char *pattern;
    struct redis_reply *list;
};

static void match(const char *name, struct redis_key *key, void *ctx)
{
    struct matching *m = ctx;
    (void)key;
    if (redis_glob(m->pattern, name))
        redis_append(m->c, m->list, bulk(m->c, name));
}

static struct redis_reply *keys(struct redis_client *c, int argc, char **argv)
{
    struct matching m = {c, argv[1], redis_list(c)};
    (void)argc;
    redis_each(c->server, c->database, match, &m);
    return m.list;
}

/* One call gives everything: a cursor of 0 is the end. */
static struct redis_reply *scan(struct redis_client *c, int argc, char **argv)
{
    int64_t cursor;
    struct matching m = {c, "*", redis_list(c)};
    if (!str_int64(str_of(argv[1]), &cursor) || cursor < 0)
        return fail(c, "ERR invalid cursor");
    for (int i = 2; i + 1 < argc; i += 2) {
        if (strcasecmp(argv[i], "MATCH") == 0)
            m.pattern = argv[i + 1];
        else if (strcasecmp(argv[i], "COUNT") != 0)
            return fail(c, "ERR syntax error");
    }
    redis_each(c->server, c->database, match, &m);
    struct redis_reply *reply = redis_list(c);
    redis_append(c, reply, bulk(c, "0"));
    redis_append(c, reply, m.list);
    return reply;
}

static struct redis_reply *database_size(struct redis_client *c, int argc, char **argv)
{
    (void)argc, (void)argv;
    return redis_number(c, redis_count(c->server, c->database, NULL));
}

static struct redis_reply *select_database(struct redis_client *c, int argc, char **argv)
{
    int64_t number;
    (void)argc;
    if (!str_int64(str_of(argv[1]), &number))
        return fail(c, NOT_INTEGER);
    if (number < 0 || number >= REDIS_DATABASES)
        return fail(c, "ERR DB index is out of range");
    c->database = (int)number;
    return ok(c);
}

static struct redis_reply *flush(struct redis_client *c, int argc, char **argv)
{
    bool all = strcasecmp(argv[0], "FLUSHALL") == 0;
    if (argc > 2 ||
        (argc == 2 && strcasecmp(argv[1], "ASYNC") != 0 && strcasecmp(argv[1], "SYNC") != 0))
        return fail(c, "ERR syntax error");
    redis_flush(c->server, all ? -1 : c->database,
                arena_printf(c->call->arena, "redis-cli %s", argv[0]));
    if (all && c->server->persistence !=
                   PERSIST_NONE) /* flushAllDataAndResetRDB(): the empty state is saved at once */
        redis_save(c->server);
    else
        c->server->changes++;
    return ok(c);
}

static struct redis_reply *random_key(struct redis_client *c, int argc, char **argv)
{
    char *all[] = {argv[0], (char *)(uintptr_t) "*"};
    (void)argc;
    struct redis_reply *list = keys(c, 2, all);
    return list->n ? list->items[0] : nil(c);
}

/* ---- lists ---- */

/* A list as a whole: records, then what people pushed. Only a window of it is ever written out. */
struct list {
    const struct idset *records;
    struct redis_key *key;
    int64_t n_records, n;
};

static bool list_of(struct redis_client *c, const char *name, struct list *list)
{
    bool wrong;
    *list = (struct list){.records = redis_records(c->server, c->database, name),
                          .key = find(c, name, REDIS_LIST, &wrong)};
    list->n_records = list->records ? idset_count(list->records) : 0;
    list->n = list->n_records + (list->key ? list->key->n : 0);
    return !wrong;
}

/* The identity at that place. */
static int64_t record_at(const struct idset *records, int64_t place)
{
    for (int i = 0; i < records->n; i++) {
        int64_t n = records->at[i].hi - records->at[i].lo;
        if (place < n)
            return records->at[i].lo + place;
        place -= n;
    }
    return -1;
}

static struct redis_reply *element(struct redis_client *c, const struct list *list, int64_t place)
{
    if (place < list->n_records)
        return redis_text(c, REPLY_BULK, "%lld", (long long)record_at(list->records, place));
    return bulk(c, list->key->items[place - list->n_records]);
}

static bool bounds(char **argv, int64_t n, int64_t *from, int64_t *to)
{
    if (!str_int64(str_of(argv[2]), from) || !str_int64(str_of(argv[3]), to))
        return false;
    *from = *from < 0 ? *from + n : *from;
    *to = *to < 0 ? *to + n : *to;
    *from = *from < 0 ? 0 : *from;
    *to = *to >= n ? n - 1 : *to;
    return true;
}

/* Elements [from, to) go. */
static void cut_list(struct redis_client *c, char **argv, const struct list *list, int64_t from,
                     int64_t to)
{
    struct idset gone = {0};
    for (int64_t i = from; i < to && i < list->n_records; i++) {
        int64_t id = record_at(list->records, i);
        idset_add(&gone, id, id + 1);
    }
    int64_t first = from > list->n_records ? from - list->n_records : 0,
            last = to - list->n_records;
    if (list->key && last > first)
        redis_cut(list->key, (int)first, (int)(last - first));
    if (gone.n)
        redis_drop_records(c->server, argv[1], &gone, reason(c, argv));
    idset_release(&gone);
    drop_empty(c, list->key);
    c->server->changes++;
}

static struct redis_reply *push(struct redis_client *c, int argc, char **argv)
{
    bool wrong, left = toupper((unsigned char)argv[0][0]) == 'L';
    struct list list;
    if (!list_of(c, argv[1], &list))
        return fail(c, WRONG_TYPE);
    if (left && list.n_records) {
        record_observe(c->server->env->record, "not_simulated", argv[0],
                       "redis: LPUSH onto a list that services write to");
        return fail(c, "ERR not simulated: LPUSH onto a list that services write to");
    }
    struct redis_key *key = need(c, argv[1], REDIS_LIST, &wrong);
    for (int i = 2; i < argc; i++)
        redis_add(key, argv[i], left ? 0 : -1);
    changed(c, argv[1], "pushed to");
    return redis_number(c, list.n_records + key->n);
}

static struct redis_reply *pop(struct redis_client *c, int argc, char **argv)
{
    bool left = toupper((unsigned char)argv[0][0]) == 'L';
    struct list list;
    int64_t count = 1;
    if (argc > 2 && (!str_int64(str_of(argv[2]), &count) || count < 0))
        return fail(c, "ERR value is out of range, must be positive");
    if (!list_of(c, argv[1], &list))
        return fail(c, WRONG_TYPE);
    if (!list.n)
        return nil(c);
    if (count > list.n)
        count = list.n;
    struct redis_reply *reply = redis_list(c);
    for (int64_t i = 0; i < count; i++)
        redis_append(c, reply, element(c, &list, left ? i : list.n - 1 - i));
    cut_list(c, argv, &list, left ? 0 : list.n - count, left ? count : list.n);
    return argc > 2 ? reply : reply->items[0];
}

static struct redis_reply *list_length(struct redis_client *c, int argc, char **argv)
{
    struct list list;
    (void)argc;
    return list_of(c, argv[1], &list) ? redis_number(c, list.n) : fail(c, WRONG_TYPE);
}

static struct redis_reply *list_range(struct redis_client *c, int argc, char **argv)
{
    struct list list;
    int64_t from, to;
    (void)argc;
    bool right = list_of(c, argv[1], &list);
    if (!bounds(argv, list.n, &from, &to))
        return fail(c, NOT_INTEGER);
    if (!right)
        return fail(c, WRONG_TYPE);
    struct redis_reply *reply = redis_list(c);
    for (; from <= to && reply->n < 100000; from++)
        redis_append(c, reply, element(c, &list, from));
    return reply;
}

static struct redis_reply *list_index(struct redis_client *c, int argc, char **argv)
{
    struct list list;
    int64_t place;
    (void)argc;
    if (!str_int64(str_of(argv[2]), &place))
        return fail(c, NOT_INTEGER);
    if (!list_of(c, argv[1], &list))
        return fail(c, WRONG_TYPE);
    place = place < 0 ? place + list.n : place;
    return place < 0 || place >= list.n ? nil(c) : element(c, &list, place);
}

static struct redis_reply *list_trim(struct redis_client *c, int argc, char **argv)
{
    struct list list;
    int64_t from, to;
    (void)argc;
    bool right = list_of(c, argv[1], &list);
    if (!bounds(argv, list.n, &from, &to))
        return fail(c, NOT_INTEGER);
    if (!right)
        return fail(c, WRONG_TYPE);
    if (from > to)
        from = to = list.n;
    else
        cut_list(c, argv, &list, to + 1, list.n);
    if (list_of(c, argv[1], &list) && from > 0)
        cut_list(c, argv, &list, 0, from < list.n ? from : list.n);
    return ok(c);
}

static struct redis_reply *list_remove(struct redis_client *c, int argc, char **argv)
{
    bool wrong;
    int64_t count;
    int removed = 0;
    (void)argc;
    if (!str_int64(str_of(argv[2]), &count))
        return fail(c, NOT_INTEGER);
    struct redis_key *key = find(c, argv[1], REDIS_LIST, &wrong);
    if (wrong)
        return fail(c, WRONG_TYPE);
    int64_t most = count == 0 ? INT64_MAX : count < 0 ? -count : count;
    for (int i = count < 0 && key ? key->n - 1 : 0;
         key && i >= 0 && i < key->n && removed < most;) {
        bool same = strcmp(key->items[i], argv[3]) == 0;
        if (same)
            redis_cut(key, i, 1);
        removed += same;
        i += count < 0 ? -1 : !same;
    }
    drop_empty(c, key);
    return redis_number(c, removed);
}

/* ---- hashes, sets, sorted sets ---- */

static struct redis_reply *hash_set(struct redis_client *c, int argc, char **argv)
{
    bool wrong;
    int added = 0;
    if (argc % 2)
        return redis_text(c, REPLY_ERROR, "ERR wrong number of arguments for '%s' command",
                          toupper((unsigned char)argv[0][1]) == 'M' ? "hmset" : "hset");
    struct redis_key *key = need(c, argv[1], REDIS_HASH, &wrong);
    if (wrong)
        return fail(c, WRONG_TYPE);
    for (int i = 2; i < argc; i += 2) {
        int at = redis_index(key, argv[i], 2);
        added += at < 0;
        if (at >= 0)
            redis_cut(key, at + 1, 1);
        else
            redis_add(key, argv[i], -1);
        redis_add(key, argv[i + 1], at >= 0 ? at + 1 : -1);
    }
    changed(c, argv[1], "set");
    return toupper((unsigned char)argv[0][1]) == 'M' ? ok(c) : redis_number(c, added);
}

static struct redis_reply *hash_get(struct redis_client *c, int argc, char **argv)
{
    bool wrong, several = toupper((unsigned char)argv[0][1]) == 'M',
                asks = toupper((unsigned char)argv[0][1]) == 'E';
    struct redis_key *key = find(c, argv[1], REDIS_HASH, &wrong);
    if (wrong)
        return fail(c, WRONG_TYPE);
    struct redis_reply *list = redis_list(c);
    for (int i = 2; i < argc; i++) {
        int at = redis_index(key, argv[i], 2);
        if (asks)
            return redis_number(c, at >= 0);
        redis_append(c, list, bulk(c, at >= 0 ? key->items[at + 1] : NULL));
    }
    return several ? list : list->items[0];
}

/* HGETALL, HKEYS, HVALS, HLEN; SMEMBERS, SCARD; ZCARD: all items, every second, or how many. */
static struct redis_reply *all_items(struct redis_client *c, int argc, char **argv)
{
    char letter = (char)toupper((unsigned char)argv[0][0]),
         what = (char)toupper((unsigned char)argv[0][1]);
    bool wrong;
    struct redis_key *key = find(c, argv[1],
                                 letter == 'H'   ? REDIS_HASH
                                 : letter == 'S' ? REDIS_SET
                                                 : REDIS_ZSET,
                                 &wrong);
    int step = letter == 'S' ? 1 : 2;
    (void)argc;
    if (wrong)
        return fail(c, WRONG_TYPE);
    if (what == 'L' || what == 'C')
        return redis_number(c, key ? key->n / step : 0);
    struct redis_reply *list = redis_list(c);
    for (int i = what == 'V'; key && i < key->n; i += what == 'K' || what == 'V' ? 2 : 1)
        redis_append(c, list, bulk(c, key->items[i]));
    return list;
}

static struct redis_reply *remove_items(struct redis_client *c, int argc, char **argv)
{
    char letter = (char)toupper((unsigned char)argv[0][0]);
    bool wrong;
    struct redis_key *key = find(c, argv[1],
                                 letter == 'H'   ? REDIS_HASH
                                 : letter == 'S' ? REDIS_SET
                                                 : REDIS_ZSET,
                                 &wrong);
    int step = letter == 'S' ? 1 : 2, removed = 0;
    if (wrong)
        return fail(c, WRONG_TYPE);
    for (int i = 2; key && i < argc; i++) {
        int at = redis_index(key, argv[i], step);
        if (at >= 0)
            redis_cut(key, at, step);
        removed += at >= 0;
    }
    drop_empty(c, key);
    if (removed)
        changed(c, argv[1], "changed");
    return redis_number(c, removed);
}

static struct redis_reply *hash_increment(struct redis_client *c, int argc, char **argv)
{
    bool wrong;
    int64_t by, value = 0;
    (void)argc;
    if (!str_int64(str_of(argv[3]), &by))
        return fail(c, NOT_INTEGER);
    struct redis_key *key = need(c, argv[1], REDIS_HASH, &wrong);
    if (wrong)
        return fail(c, WRONG_TYPE);
    int at = redis_index(key, argv[2], 2);
    if (at >= 0 && !str_int64(str_of(key->items[at + 1]), &value))
        return fail(c, "ERR hash value is not an integer");
    if (__builtin_add_overflow(value, by, &value))
        return fail(c, "ERR increment or decrement would overflow");
    char *words[] = {(char *)(uintptr_t) "HSET", argv[1], argv[2],
                     arena_printf(c->call->arena, "%lld", (long long)value)};
    hash_set(c, 4, words);
    return redis_number(c, value);
}

static bool whole_number(const char *text)
{
    int64_t n;
    return str_int64(str_of(text), &n);
}

/* A set of whole numbers is kept sorted (intset); others in the order in which they came. */
static struct redis_reply *set_add(struct redis_client *c, int argc, char **argv)
{
    bool wrong;
    int added = 0;
    struct redis_key *key = need(c, argv[1], REDIS_SET, &wrong);
    if (wrong)
        return fail(c, WRONG_TYPE);
    for (int i = 2; i < argc; i++) {
        if (redis_index(key, argv[i], 1) >= 0)
            continue;
        int at = 0;
        while (at < key->n && whole_number(argv[i]) && whole_number(key->items[at]) &&
               strtoll(key->items[at], NULL, 10) < strtoll(argv[i], NULL, 10))
            at++;
        redis_add(key, argv[i],
                  whole_number(argv[i]) && (at == key->n || whole_number(key->items[at])) ? at
                                                                                          : -1);
        added++;
    }
    if (added)
        changed(c, argv[1], "changed");
    return redis_number(c, added);
}

static struct redis_reply *set_has(struct redis_client *c, int argc, char **argv)
{
    bool wrong;
    struct redis_key *key = find(c, argv[1], REDIS_SET, &wrong);
    (void)argc;
    return wrong ? fail(c, WRONG_TYPE) : redis_number(c, redis_index(key, argv[2], 1) >= 0);
}

static struct redis_reply *sorted_add(struct redis_client *c, int argc, char **argv)
{
    bool wrong;
    int added = 0;
    if (argc % 2)
        return fail(c, "ERR syntax error");
    for (int i = 2; i < argc; i += 2) {
        char *end;
        strtod(argv[i], &end);
        if (end == argv[i] || *end)
            return fail(c, "ERR value is not a valid float");
    }
    struct redis_key *key = need(c, argv[1], REDIS_ZSET, &wrong);
    if (wrong)
        return fail(c, WRONG_TYPE);
    for (int i = 2; i < argc; i += 2) {
        int at = redis_index(key, argv[i + 1], 2);
        if (at >= 0)
            redis_cut(key, at, 2);
        added += at < 0;
        double score = strtod(argv[i], NULL), other = 0;
        for (at = 0; at < key->n; at += 2) {
            other = strtod(key->items[at + 1], NULL);
            if (other > score || (!(other < score) && strcmp(key->items[at], argv[i + 1]) > 0))
                break;
        }
        redis_add(key, argv[i + 1], at);
        redis_add(key, arena_printf(c->call->arena, "%.17g", score), at + 1);
    }
    changed(c, argv[1], "changed");
    return redis_number(c, added);
}

static struct redis_reply *sorted_score(struct redis_client *c, int argc, char **argv)
{
    bool wrong;
    struct redis_key *key = find(c, argv[1], REDIS_ZSET, &wrong);
    int at = redis_index(key, argv[2], 2);
    (void)argc;
    return wrong ? fail(c, WRONG_TYPE) : bulk(c, at >= 0 ? key->items[at + 1] : NULL);
}

static struct redis_reply *sorted_range(struct redis_client *c, int argc, char **argv)
{
    bool wrong, scores = argc == 5 && strcasecmp(argv[4], "WITHSCORES") == 0;
    int64_t from, to;
    if (argc > 4 && !scores)
        return fail(c, "ERR syntax error");
    struct redis_key *key = find(c, argv[1], REDIS_ZSET, &wrong);
    if (!bounds(argv, key ? key->n / 2 : 0, &from, &to))
        return fail(c, NOT_INTEGER);
    if (wrong)
        return fail(c, WRONG_TYPE);
    struct redis_reply *list = redis_list(c);
    for (; key && from <= to; from++) {
        redis_append(c, list, bulk(c, key->items[from * 2]));
        if (scores)
            redis_append(c, list, bulk(c, key->items[from * 2 + 1]));
    }
    return list;
}

static struct redis_reply *stream_length(struct redis_client *c, int argc, char **argv)
{
    (void)argc;
    return there(c, argv[1]) ? fail(c, WRONG_TYPE) : redis_number(c, 0);
}

/* ---- the server ---- */

static struct redis_reply *save(struct redis_client *c, int argc, char **argv)
{
    (void)argc;
    redis_save(c->server);
    record_change(c->server->env->record, store_name(c->server->store), "saved to dump.rdb");
    return strcasecmp(argv[0], "SAVE") == 0
               ? ok(c)
               : redis_text(c, REPLY_STATUS, "Background saving started");
}

static struct redis_reply *rewrite(struct redis_client *c, int argc, char **argv)
{
    (void)argc, (void)argv;
    return redis_text(c, REPLY_STATUS, "Background append only file rewriting started");
}

static struct redis_reply *last_save(struct redis_client *c, int argc, char **argv)
{
    (void)argc, (void)argv;
    return redis_number(c, (c->server->env->start_unix_ns + c->server->saved_ns) / SECOND);
}

static struct redis_reply *replica_of(struct redis_client *c, int argc, char **argv)
{
    (void)argc;
    if (strcasecmp(argv[1], "NO") == 0 && strcasecmp(argv[2], "ONE") == 0)
        return ok(c);
    record_observe(c->server->env->record, "not_simulated", argv[0],
                   "redis: replication is not simulated");
    return fail(c, "ERR not simulated: replication");
}

static struct redis_reply *role(struct redis_client *c, int argc, char **argv)
{
    struct redis_reply *list = redis_list(c);
    (void)argc, (void)argv;
    redis_append(c, list, bulk(c, "master"));
    redis_append(c, list, redis_number(c, 0));
    redis_append(c, list, redis_list(c));
    return list;
}

static struct redis_reply *shut_down(struct redis_client *c, int argc, char **argv)
{
    struct redis_server *server = c->server;
    bool no_save = argc > 1 && strcasecmp(argv[1], "NOSAVE") == 0;
    if (argc > 1 && !no_save && strcasecmp(argv[1], "SAVE") != 0)
        return fail(c, "ERR syntax error");
    server->without_saving = no_save;
    if (argc > 1 && !no_save)
        redis_save(server);
    for (int i = 0; server->service && i < service_instances(server->service); i++) {
        struct instance *instance = service_instance(server->service, i);
        if (instance_state(instance) == INSTANCE_READY)
            instance_stop(instance, true);
    }
    c->closed = true;
    return nil(c);
}

static struct redis_reply *debug(struct redis_client *c, int argc, char **argv)
{
    (void)argc, (void)argv;
    return fail(c, "ERR DEBUG command not allowed. If the enable-debug-command option is set to "
                   "\"local\", you can run it from"
                   " a local connection, otherwise you need to set this option in the "
                   "configuration file, and then restart"
                   " the server.");
}

static struct redis_reply *wait_replicas(struct redis_client *c, int argc, char **argv)
{
    (void)argc, (void)argv;
    return redis_number(c, 0);
}

static struct redis_reply *authenticate(struct redis_client *c, int argc, char **argv)
{
    if (!c->server->password && argc == 2)
        return fail(c, "ERR AUTH <password> called without any password configured for the default "
                       "user. Are you sure your"
                       " configuration is correct?");
    if (!c->server->password || strcmp(argv[argc - 1], c->server->password) != 0 ||
        (argc == 3 && strcmp(argv[1], "default") != 0))
        return fail(c, "WRONGPASS invalid username-password pair or user is disabled.");
    c->authenticated = true;
    return ok(c);
}

/* min and max: words, the name included; max 0: any number. */
static const struct command {
    const char *name;
    int min, max;
    struct redis_reply *(*run)(struct redis_client *, int argc, char **argv);
} commands[] = {
    {"PING", 1, 2, ping},
    {"ECHO", 2, 2, ping},
    {"AUTH", 2, 3, authenticate},
    {"SELECT", 2, 2, select_database},
    {"GET", 2, 2, get},
    {"GETSET", 3, 3, get},
    {"GETDEL", 2, 2, get},
    {"SET", 3, 0, set},
    {"SETNX", 3, 3, set_nx},
    {"SETEX", 4, 4, set_ex},
    {"PSETEX", 4, 4, set_ex},
    {"MGET", 2, 0, many},
    {"MSET", 3, 0, many},
    {"INCR", 2, 2, increment},
    {"DECR", 2, 2, increment},
    {"INCRBY", 3, 3, increment},
    {"DECRBY", 3, 3, increment},
    {"APPEND", 3, 3, append},
    {"STRLEN", 2, 2, append},
    {"DEL", 2, 0, delete},
    {"UNLINK", 2, 0, delete},
    {"EXISTS", 2, 0, exists},
    {"TYPE", 2, 2, type},
    {"TTL", 2, 2, ttl},
    {"PTTL", 2, 2, ttl},
    {"EXPIRE", 3, 4, expire},
    {"PEXPIRE", 3, 4, expire},
    {"EXPIREAT", 3, 4, expire},
    {"PEXPIREAT", 3, 4, expire},
    {"PERSIST", 2, 2, persist},
    {"RENAME", 3, 3, rename_key},
    {"RENAMENX", 3, 3, rename_key},
    {"KEYS", 2, 2, keys},
    {"SCAN", 2, 0, scan},
    {"DBSIZE", 1, 1, database_size},
    {"FLUSHDB", 1, 0, flush},
    {"FLUSHALL", 1, 0, flush},
    {"RANDOMKEY", 1, 1, random_key},
    {"LPUSH", 3, 0, push},
    {"RPUSH", 3, 0, push},
    {"LPOP", 2, 3, pop},
    {"RPOP", 2, 3, pop},
    {"LLEN", 2, 2, list_length},
    {"LRANGE", 4, 4, list_range},
    {"LINDEX", 3, 3, list_index},
    {"LTRIM", 4, 4, list_trim},
    {"LREM", 4, 4, list_remove},
    {"HSET", 4, 0, hash_set},
    {"HMSET", 4, 0, hash_set},
    {"HGET", 3, 3, hash_get},
    {"HMGET", 3, 0, hash_get},
    {"HEXISTS", 3, 3, hash_get},
    {"HGETALL", 2, 2, all_items},
    {"HKEYS", 2, 2, all_items},
    {"HVALS", 2, 2, all_items},
    {"HLEN", 2, 2, all_items},
    {"HDEL", 3, 0, remove_items},
    {"HINCRBY", 4, 4, hash_increment},
    {"SADD", 3, 0, set_add},
    {"SREM", 3, 0, remove_items},
    {"SMEMBERS", 2, 2, all_items},
    {"SCARD", 2, 2, all_items},
    {"SISMEMBER", 3, 3, set_has},
    {"ZADD", 4, 0, sorted_add},
    {"ZREM", 3, 0, remove_items},
    {"ZCARD", 2, 2, all_items},
    {"ZSCORE", 3, 3, sorted_score},
    {"ZRANGE", 4, 0, sorted_range},
    {"XLEN", 2, 2, stream_length},
    {"SAVE", 1, 1, save},
    {"BGSAVE", 1, 2, save},
    {"BGREWRITEAOF", 1, 1, rewrite},
    {"LASTSAVE", 1, 1, last_save},
    {"INFO", 1, 0, redis_info},
    {"CONFIG", 2, 0, redis_config},
    {"REPLICAOF", 3, 3, replica_of},
    {"SLAVEOF", 3, 3, replica_of},
    {"ROLE", 1, 1, role},
    {"SHUTDOWN", 1, 2, shut_down},
    {"DEBUG", 2, 0, debug},
    {"WAIT", 3, 3, wait_replicas},
};

/* Commands that Redis 7.0 has and the fake has not: what they would answer is not known. */
static bool redis_has(const char *name)
{
    static const char names[] =
        " ACL BITCOUNT BITFIELD BITOP BITPOS BLMOVE BLPOP BRPOP BZPOPMAX BZPOPMIN CLIENT CLUSTER "
        "COMMAND COPY DUMP EVAL EVALSHA"
        " FAILOVER FCALL FUNCTION GEOADD GEODIST GEORADIUS GEOSEARCH GETBIT GETEX GETRANGE HELLO "
        "HINCRBYFLOAT HRANDFIELD HSCAN"
        " HSETNX HSTRLEN INCRBYFLOAT LATENCY LCS LINSERT LMOVE LMPOP LOLWUT LPOS LPUSHX LSET "
        "MEMORY MIGRATE MODULE MONITOR MOVE"
        " MSETNX OBJECT PFADD PFCOUNT PFMERGE PSUBSCRIBE PSYNC PUBLISH PUBSUB QUIT READONLY "
        "READWRITE RESET RESTORE RPOPLPUSH RPUSHX"
        " SCRIPT SDIFF SDIFFSTORE SETBIT SETRANGE SINTER SINTERSTORE SLOWLOG SMISMEMBER SMOVE SORT "
        "SPOP SRANDMEMBER SSCAN SUBSCRIBE"
        " SUNION SUNIONSTORE SWAPDB SYNC TIME TOUCH UNSUBSCRIBE UNWATCH WATCH XACK XADD XDEL XINFO "
        "XRANGE XREAD XREADGROUP XTRIM"
        " ZCOUNT ZINCRBY ZINTER ZLEXCOUNT ZPOPMAX ZPOPMIN ZRANDMEMBER ZRANGEBYLEX ZRANGEBYSCORE "
        "ZRANK ZREMRANGEBYRANK"
        " ZREMRANGEBYSCORE ZREVRANGE ZREVRANGEBYSCORE ZREVRANK ZSCAN ZUNION ";
    char word[64];
    size_t n = strlen(name);
    if (n > sizeof word - 3)
        return false;
    word[0] = ' ';
    for (size_t i = 0; i < n; i++)
        word[i + 1] = (char)toupper((unsigned char)name[i]);
    word[n + 1] = ' ';
    word[n + 2] = '\0';
    return strstr(names, word) != NULL;
}

static struct redis_reply *unknown(struct redis_client *c, int argc, char **argv)
{
    struct buf shown;
    buf_init(&shown, 4096);
    for (int i = 1; i < argc && shown.len < 128; i++)
        buf_printf(&shown, "'%.*s' ", 128 - (int)shown.len, argv[i]);
    const char *list = arena_str(c->call->arena, buf_text(&shown));
    buf_release(&shown);
    if (!redis_has(argv[0]))
        return redis_text(c, REPLY_ERROR,
                          "ERR unknown command '%.128s', with args beginning with: %s", argv[0],
                          list);
    record_observe(c->server->env->record, "not_simulated", argv[0],
                   "redis: the command %s is not simulated", argv[0]);
    return redis_text(c, REPLY_ERROR, "ERR not simulated: the command %s", argv[0]);
}

static const char *lower(struct arena *arena, const char *name)
{
    char *text = arena_strdup(arena, name);
    for (char *p = text; *p; p++)
        *p = (char)tolower((unsigned char)*p);
    return text;
}

static struct redis_reply *transaction(struct redis_client *c, int argc, char **argv)
{
    bool was = c->multi, broken = c->broken;
    const char *name = argv[0];
    if (argc > 1)
        return redis_text(c, REPLY_ERROR, "ERR wrong number of arguments for '%s' command",
                          lower(c->call->arena, name));
    if (strcasecmp(name, "MULTI") == 0) {
        if (was)
            return fail(c, "ERR MULTI calls can not be nested");
        c->multi = true;
        c->broken = false;
        c->n_queued = 0;
        return ok(c);
    }
    if (!was)
        return redis_text(c, REPLY_ERROR, "ERR %s without MULTI",
                          strcasecmp(name, "EXEC") == 0 ? "EXEC" : "DISCARD");
    c->multi = false;
    if (strcasecmp(name, "DISCARD") == 0)
        return ok(c);
    if (broken)
        return fail(c, "EXECABORT Transaction discarded because of previous errors.");
    struct redis_reply *list = redis_list(c);
    for (int i = 0; i < c->n_queued; i++)
        redis_append(c, list, redis_command(c, c->queue[i].argc, c->queue[i].argv));
    return list;
}

struct redis_reply *redis_command(struct redis_client *c, int argc, char **argv)
{
    const struct command *command = NULL;
    struct redis_reply *error = NULL;
    for (size_t i = 0; i < sizeof commands / sizeof *commands && !command; i++)
        command = strcasecmp(commands[i].name, argv[0]) == 0 ? &commands[i] : NULL;
    if (strcasecmp(argv[0], "MULTI") == 0 || strcasecmp(argv[0], "EXEC") == 0 ||
        strcasecmp(argv[0], "DISCARD") == 0)
        return transaction(c, argc, argv);
    if (!command)
        error = unknown(c, argc, argv);
    else if (argc < command->min || (command->max && argc > command->max))
        error = redis_text(c, REPLY_ERROR, "ERR wrong number of arguments for '%s' command",
                           lower(c->call->arena, command->name));
    else if (c->server->password && !c->authenticated && command->run != authenticate)
        error = fail(c, "NOAUTH Authentication required.");
    if (error) {
        c->broken = true;
        return error;
    }
    if (!c->multi || c->n_queued == 256)
        return command->run(c, argc, argv);
    char **words = ARENA_ARRAY(c->call->arena, char *, argc + 1);
    for (int i = 0; i < argc; i++)
        words[i] = arena_strdup(c->call->arena, argv[i]);
    c->queue[c->n_queued].argc = argc;
    c->queue[c->n_queued++].argv = words;
    return redis_text(c, REPLY_STATUS, "QUEUED");
}
