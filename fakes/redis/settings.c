/* What CONFIG SET changes, and the configuration file that a restart reads again.
 *
 * A server without a file (the official image, unless it is given one) starts with its defaults and
 * refuses CONFIG REWRITE. Of a file the four settings below are read; other lines are left alone.
 */
#include <string.h>
#include <strings.h>

#include "fakes/redis/redis.h"

static const char *const names[REDIS_SETTINGS] = {"appendonly", "save", "maxmemory",
                                                  "maxmemory-policy"};
static const char save_points[] = "3600 1 300 100 60 10000";

int redis_setting(const char *name)
{
    for (int i = 0; i < REDIS_SETTINGS; i++)
        if (strcasecmp(names[i], name) == 0)
            return i;
    return -1;
}

const char *redis_setting_value(const struct redis_server *s, struct arena *arena, int setting)
{
    switch ((enum redis_settings)setting) {
    case REDIS_APPENDONLY:
        return s->persistence == PERSIST_AOF ? "yes" : "no";
    case REDIS_SAVE:
        return s->persistence == PERSIST_NONE ? "" : save_points;
    case REDIS_MAXMEMORY:
        return arena_printf(arena, "%lld", (long long)s->max_memory);
    case REDIS_MAXMEMORY_POLICY:
        return s->policy;
    case REDIS_SETTINGS:
        break;
    }
    return NULL;
}

static bool bytes_of(const char *text, int64_t *ret)
{
    static const struct {
        const char *suffix;
        int64_t factor;
    } units[] = {{"kb", 1024},   {"mb", 1 << 20},   {"gb", 1 << 30}, {"k", 1000},
                 {"m", 1000000}, {"g", 1000000000}, {"b", 1},        {"", 1}};
    size_t n = strspn(text, "0123456789");
    for (size_t i = 0; n && i < 8; i++) {
        if (strcasecmp(text + n, units[i].suffix) == 0 && str_int64((struct str){text, n}, ret)) {
            *ret *= units[i].factor;
            return true;
        }
    }
    return false;
}

const char *redis_set(struct redis_server *s, int setting, const char *value)
{
    static const char *const policies[] = {"volatile-lru",   "volatile-lfu", "volatile-random",
                                           "volatile-ttl",   "allkeys-lru",  "allkeys-lfu",
                                           "allkeys-random", "noeviction",   NULL};
    bool yes = strcasecmp(value, "yes") == 0;
    switch ((enum redis_settings)setting) {
    case REDIS_APPENDONLY:
        if (!yes && strcasecmp(value, "no") != 0)
            return "argument must be 'yes' or 'no'";
        s->persistence = yes                             ? PERSIST_AOF
                         : s->persistence == PERSIST_AOF ? PERSIST_RDB
                                                         : s->persistence;
        return NULL;
    case REDIS_SAVE:
        s->persistence = !*value && s->persistence == PERSIST_RDB   ? PERSIST_NONE
                         : *value && s->persistence == PERSIST_NONE ? PERSIST_RDB
                                                                    : s->persistence;
        return NULL;
    case REDIS_MAXMEMORY:
        return bytes_of(value, &s->max_memory) ? NULL : "argument must be a memory value";
    case REDIS_MAXMEMORY_POLICY:
        for (int i = 0; policies[i]; i++) {
            if (strcasecmp(policies[i], value) == 0) {
                s->policy = policies[i];
                return NULL;
            }
        }
        return "argument(s) must be one of the following: volatile-lru, volatile-lfu, "
               "volatile-random, volatile-ttl, allkeys-lru, allkeys-lfu, allkeys-random, "
               "noeviction";
    case REDIS_SETTINGS:
        break;
    }
    return NULL;
}

/* ---- the file ---- */

/* Which setting a line of the file sets, -1 none; *ret is what it sets it to. */
static int setting_of(struct str line, struct str *ret)
{
    line = str_trim(line);
    struct str name = str_trim(str_cut(&line, ' '));
    *ret = str_trim(line);
    if (ret->len >= 2 && ret->at[0] == '"' && ret->at[ret->len - 1] == '"')
        *ret = (struct str){ret->at + 1, ret->len - 2};
    for (int i = 0; i < REDIS_SETTINGS; i++)
        if (name.len == strlen(names[i]) && strncasecmp(name.at, names[i], name.len) == 0)
            return i;
    return -1;
}

static bool load(const struct redis_server *s, struct buf *ret)
{
    buf_init(ret, 1 << 20);
    return s->config && env_load(s->env, "", s->config, ret) >= 0;
}

static void read_file(struct redis_server *s)
{
    struct buf file;
    bool there = load(s, &file);
    struct str rest = there ? buf_text(&file) : (struct str){0}, value;
    while (rest.len) {
        int setting = setting_of(str_cut(&rest, '\n'), &value);
        if (setting >= 0)
            (void)redis_set(s, setting, arena_str(&s->arena, value));
    }
    buf_release(&file);
}

void redis_read_settings(struct redis_server *s)
{
    const char *before[REDIS_SETTINGS];
    struct record *record = s->env->record;
    for (int i = 0; i < REDIS_SETTINGS; i++)
        before[i] = redis_setting_value(s, &s->arena, i);
    s->persistence = s->declared;
    s->max_memory = 0;
    s->policy = "noeviction";
    read_file(s);
    for (int i = 0; i < REDIS_SETTINGS; i++) {
        const char *now = redis_setting_value(s, &s->arena, i);
        int step = s->set_by[i], current = record->current_step;
        s->set_by[i] = 0;
        if (!step || strcmp(before[i], now) == 0)
            continue;
        record->current_step = step; /* what did not last is that step's work */
        record_observe(
            record, "no_op",
            arena_printf(&s->arena, "%s was '%s', and is '%s' again", names[i], before[i], now),
            "%s of %s did not last: the server was restarted, and CONFIG SET changes "
            "the running one alone",
            names[i], store_name(s->store));
        record->current_step = current;
    }
}

/* "maxmemory 200mb": the largest unit in which it is a whole number. */
static void put_setting(struct redis_server *s, int setting, struct buf *out)
{
    static const char *const units[] = {"", "kb", "mb", "gb"};
    const char *value = redis_setting_value(s, &s->arena, setting);
    int64_t bytes = s->max_memory;
    int unit = 0;
    if (setting == REDIS_MAXMEMORY) {
        while (bytes && bytes % 1024 == 0 && unit < 3) {
            bytes /= 1024;
            unit++;
        }
        buf_printf(out, "%s %lld%s\n", names[setting], (long long)bytes, units[unit]);
    } else {
        buf_printf(out, *value ? "%s %s\n" : "%s \"%s\"\n", names[setting], value);
    }
}

/* As redis does: a line that sets it is replaced where it stands, what the file does not say comes
 * behind. */
const char *redis_rewrite(struct redis_server *s)
{
    struct buf file, out;
    bool written[REDIS_SETTINGS] = {false};
    if (!s->config)
        return "The server is running without a config file";
    buf_init(&out, 1 << 20);
    struct str rest = load(s, &file) ? buf_text(&file) : (struct str){0};
    while (rest.len) {
        struct str line = str_cut(&rest, '\n'), value;
        int setting = setting_of(line, &value);
        if (setting < 0) {
            buf_str(&out, line);
            buf_putc(&out, '\n');
        } else if (!written[setting]) {
            put_setting(s, setting, &out);
            written[setting] = true;
        }
    }
    bool behind = false;
    for (int i = 0; i < REDIS_SETTINGS; i++) {
        if (written[i] || !s->set_by[i])
            continue;
        buf_puts(&out, behind ? "" : "\n# Generated by CONFIG REWRITE\n");
        put_setting(s, i, &out);
        behind = true;
    }
    int code = env_write(s->env, "", s->config, buf_text(&out), 0644);
    buf_release(&file);
    buf_release(&out);
    return code < 0 ? "Rewriting config file: No such file or directory" : NULL;
}
