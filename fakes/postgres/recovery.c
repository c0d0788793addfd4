/* Base backups and recovery to a point in time.
 *
 * The archive (`archive: {delay, to}` of the store) holds one file a minute, the log up to that
 * minute's end. A server that starts on a data directory with a backup_label is a restored base
 * backup: it takes the log by restore_command, as far as the files are there, up to
 * recovery_target_time, and serves what the store held then (store_contents_at). Ordinary tables
 * and the schema are as the base backup has them. */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "fakes/postgres/catalog.h"
#include "fakes/postgres/postgres.h"
#include "sim/base/xalloc.h"

#define SEGMENT_NS MINUTE

struct pg_base {
    char *label;
    int64_t made_ns, segment;     /* the first segment that it needs */
    struct pg_database *contents; /* of the serving database */
    struct pg_base *next;
};

static const char *segment_name(struct arena *arena, int64_t segment)
{
    return arena_printf(arena, "00000001%08X%08X", (unsigned)(segment >> 8),
                        (unsigned)(segment & 0xff));
}

/* Where the server's files are: a container, or the machine. */
static const char *home_of(const struct pg_server *server)
{
    struct env *env = server->env;
    struct service *service = server->service ? world_service(env->world, server->service) : NULL;
    for (int i = 0; i < env->n_places; i++) {
        for (int k = 0; k < server->n_places; k++) {
            if (strcmp(env->places[i], server->places[k]) == 0)
                return env->places[i];
        }
        for (int k = 0; service && k < service_instances(service); k++) {
            if (env_place_is(env, env->places[i], instance_name(service_instance(service, k))))
                return env->places[i];
        }
    }
    return "";
}

/* ---- what is left behind: segments and base backups ---- */

static void archive_segment(struct world *world, void *ctx)
{
    struct pg_server *server = ctx;
    struct arena arena = {0};
    if (pg_server_runs(server)) {
        const char *path = arena_printf(&arena, "%s/%s", server->archive,
                                        segment_name(&arena, server->next_segment));
        env_write(server->env, home_of(server), path, STR("write-ahead log\n"), 0600);
    }
    server->next_segment++;
    arena_release(&arena);
    world_at(world, world_now(world) + SEGMENT_NS, archive_segment, server);
}

const char *recovery_note_base(struct pg_server *server, struct arena *arena, const char *label)
{
    struct pg_database *database = pg_database_find(server, server->serving_name);
    struct pg_base *base = xcalloc(1, sizeof *base);
    struct buf when;
    base->made_ns = world_now(server->env->world);
    base->segment = base->made_ns / SEGMENT_NS + 2;
    buf_init(&when, 64);
    pg_time_out(&when, PG_TIMESTAMP, env_unix_ns(server->env) / SECOND * 1000000);
    const char *text = arena_printf(
        arena,
        "START WAL LOCATION: 0/%llX000028 (file %s)\nCHECKPOINT LOCATION: 0/%llX000060\n"
        "BACKUP METHOD: streamed\nBACKUP FROM: primary\nSTART TIME: %s UTC\nLABEL: %s\n"
        "START TIMELINE: 1\n",
        (long long)base->segment, segment_name(arena, base->segment), (long long)base->segment,
        when.at, label);
    buf_release(&when);
    base->label = xstrdup(text);
    if (database) { /* a database of its own, that nobody can connect to */
        struct pg_database **end = &server->databases;
        base->contents = pg_database_new(server, "", server->superuser);
        while (*end != base->contents)
            end = &(*end)->next;
        *end = base->contents->next;
        base->contents->next = NULL;
        pg_database_clone(base->contents, database);
    }
    base->next = server->bases;
    server->bases = base;
    return text;
}

void recovery_release(struct pg_server *server)
{
    for (struct pg_base *base = server->bases, *next; base; base = next) {
        next = base->next;
        if (base->contents)
            pg_database_free(base->contents);
        free(base->label);
        free(base);
    }
    server->bases = NULL;
}

/* ---- what is found ---- */

/* The value of a setting in the text of a configuration file; the last one counts. NULL: not there.
 */
static const char *setting_in(struct arena *arena, struct str text, const char *name,
                              const char *otherwise)
{
    while (text.len) {
        struct str line = str_trim(str_cut(&text, '\n')), value = line, key = str_cut(&value, '=');
        key = str_trim(key);
        if (!str_is(key, name))
            continue;
        value = str_trim(value);
        if (value.len && *value.at == '\'') {
            value.at++;
            value.len--;
            const char *end = memchr(value.at, '\'', value.len);
            value.len = end ? (size_t)(end - value.at) : value.len;
        } else {
            const char *hash = memchr(value.at, '#', value.len);
            value = str_trim((struct str){value.at, hash ? (size_t)(hash - value.at) : value.len});
        }
        otherwise = arena_str(arena, value);
    }
    return otherwise;
}

struct recovery {
    struct pg_server *server;
    struct arena arena;
    const char *home;
    const char *command, *target_time, *action;
    bool signal;
};

static bool load(struct recovery *r, const char *name, struct str *ret)
{
    struct buf text;
    buf_init(&text, 1 << 20);
    bool found =
        env_load(r->server->env, r->home,
                 arena_printf(&r->arena, "%s/%s", r->server->data_directory, name), &text) >= 0;
    *ret = str_of(arena_str(&r->arena, buf_text(&text)));
    buf_release(&text);
    return found;
}

/* Up to when the log can be had: the end of the last segment in a row that restore_command would
 * find. The word of the command with %f in it is taken for the path: cp /archive/%f %p; gunzip <
 * /archive/%f.gz > %p. */
static int64_t log_until(struct recovery *r, const struct pg_base *base)
{
    const char *at = r->command ? strstr(r->command, "%f") : NULL, *start = at;
    if (!at)
        return base->made_ns;
    while (start > r->command && !strchr(" <\"'", start[-1]))
        start--;
    size_t before = (size_t)(at - start), after = strcspn(at + 2, " >\"'");
    for (int64_t segment = base->segment;; segment++) {
        const char *path = arena_printf(&r->arena, "%.*s%s%.*s", (int)before, start,
                                        segment_name(&r->arena, segment), (int)after, at + 2);
        struct buf text;
        buf_init(&text, 1 << 20);
        bool found = env_load(r->server->env, r->home, path, &text) >= 0;
        buf_release(&text);
        if (!found)
            return segment == base->segment ? base->made_ns : (segment - 1) * SEGMENT_NS;
    }
}

static void refuse(struct recovery *r, const char *why)
{
    struct pg_server *server = r->server;
    server->refuses = arena_strdup(&server->arena, "the database system is starting up");
    if (server->env->record)
        record_change(server->env->record, server->name, "PostgreSQL does not start: FATAL:  %s",
                      why);
    pg_server_changed(server);
}

static void take_over(struct recovery *r, const struct pg_base *base, int64_t at_ns)
{
    struct pg_server *server = r->server;
    struct pg_database *database = pg_database_find(server, server->serving_name);
    struct dataset *then = store_contents_at(server->store, at_ns);
    if (!then) {
        refuse(r, "not simulated: the point in time is too long ago to be remembered");
        return;
    }
    if (!database)
        database = pg_database_new(server, server->serving_name, server->superuser);
    store_because(server->store,
                  arena_printf(&server->arena, "recovery of a base backup to %llds before now",
                               (long long)((world_now(server->env->world) - at_ns) / SECOND)));
    store_serve(server->store, then);
    pg_database_load(database, base->contents);
    record_change(server->env->record, server->name,
                  "recovered from a base backup and the log to %llds before now",
                  (long long)((world_now(server->env->world) - at_ns) / SECOND));
}

static void recover(struct recovery *r, const struct pg_base *base)
{
    struct pg_server *server = r->server;
    int64_t until_ns = r->signal ? log_until(r, base) : base->made_ns, target_ns = INT64_MAX,
            target_us;
    if (r->signal && (!r->command || !*r->command)) {
        refuse(r, "must specify restore_command when standby mode is not enabled");
        return;
    }
    if (r->signal && r->target_time && *r->target_time) {
        if (!pg_time_in(r->target_time, PG_TIMESTAMPTZ, 0, &target_us)) {
            refuse(r, arena_printf(&r->arena,
                                   "invalid value for parameter \"recovery_target_time\": \"%s\"",
                                   r->target_time));
            return;
        }
        target_ns = target_us * 1000 - server->env->start_unix_ns;
    }
    if (target_ns < base->made_ns) {
        refuse(r, "requested recovery stop point is before consistent recovery point");
        return;
    }
    if (target_ns != INT64_MAX && until_ns < target_ns) {
        refuse(r, "recovery ended before configured recovery target was reached");
        return;
    }
    take_over(r, base, target_ns < until_ns ? target_ns : until_ns);
    server->in_recovery = target_ns != INT64_MAX && (!r->action || strcmp(r->action, "pause") == 0);
    if (!server->in_recovery)
        pg_promote(server);
    pg_server_changed(server);
}

void pg_promote(struct pg_server *server)
{
    struct arena arena = {0};
    server->in_recovery = false;
    env_unlink(server->env, home_of(server),
               arena_printf(&arena, "%s/recovery.signal", server->data_directory));
    arena_release(&arena);
    pg_server_changed(server);
}

static void on_start(struct instance *instance, enum instance_state before, void *ctx)
{
    struct pg_server *server = ctx;
    if (!server->service ||
        strcmp(service_name(instance_service(instance)), server->service) != 0 ||
        before != INSTANCE_STOPPED || instance_state(instance) == INSTANCE_STOPPED)
        return;
    struct recovery r = {.server = server, .home = home_of(server)};
    struct str label, text;
    server->in_recovery = false;
    server->refuses = NULL;
    if (load(&r, "backup_label", &label)) {
        const struct pg_base *base = server->bases;
        while (base && !str_is(label, base->label))
            base = base->next;
        load(&r, "postgresql.conf", &text);
        r.command = setting_in(&r.arena, text, "restore_command", NULL);
        r.target_time = setting_in(&r.arena, text, "recovery_target_time", NULL);
        r.action = setting_in(&r.arena, text, "recovery_target_action", NULL);
        load(&r, "postgresql.auto.conf", &text);
        r.command = setting_in(&r.arena, text, "restore_command", r.command);
        r.target_time = setting_in(&r.arena, text, "recovery_target_time", r.target_time);
        r.action = setting_in(&r.arena, text, "recovery_target_action", r.action);
        r.signal = load(&r, "recovery.signal", &text);
        if (load(&r, "recovery.conf", &text))
            refuse(&r, "using recovery command file \"recovery.conf\" is not supported");
        else if (!base || !base->contents)
            refuse(&r, "could not locate required checkpoint record");
        else
            recover(&r, base);
        if (!server->refuses) { /* it is done once */
            const char *path = arena_printf(&r.arena, "%s/backup_label", server->data_directory);
            env_unlink(server->env, r.home, path);
            env_write(server->env, r.home, arena_printf(&r.arena, "%s.old", path), label, 0600);
        }
    }
    arena_release(&r.arena);
}

void recovery_watch(struct pg_server *server, const char *archive)
{
    struct world *world = server->env->world;
    server->archive = archive ? arena_strdup(&server->arena, archive) : NULL;
    if (!server->store || !server->service)
        return;
    world_watch_instances(world, on_start, server);
    int64_t until_ns = store_archived_until(server->store);
    server->next_segment = 2;
    if (server->archive && until_ns != NEVER)
        world_at(world, SEGMENT_NS + world_now(world) - until_ns, archive_segment, server);
}
