#include "fakes/host.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "fakes/fake.h"
#include "sim/base/xalloc.h"

enum { JOURNAL_MAX = 50000 };

struct host *host_of(struct env *env)
{
    return *env_slot(env, "host");
}

const char *host_name(struct call *call)
{
    if (call->place[0])
        return call->place;
    struct buf text;
    buf_init(&text, 256);
    int code = call_load(call, "/etc/hostname", &text);
    const char *name = code < 0 ? NULL : arena_str(call->arena, str_trim(buf_text(&text)));
    buf_release(&text);
    return name && name[0] ? name : "host";
}

void host_log(struct host *host, const char *unit, int pid, const char *text, bool is_error)
{
    if (host->n_journal == JOURNAL_MAX) {
        int half = JOURNAL_MAX / 2;
        for (int i = 0; i < half; i++)
            free(host->journal[i].text);
        memmove(host->journal, host->journal + half, (size_t)half * sizeof *host->journal);
        host->n_journal = half;
    }
    XGROW(host->journal, host->n_journal, host->cap_journal);
    host->journal[host->n_journal++] = (struct journal_line){
        .at_ns = world_now(host->env->world),
        .unit = unit,
        .pid = pid,
        .text = xstrdup(text),
        .is_error = is_error,
    };
}

struct unit *host_unit(struct host *host, const char *name)
{
    struct str wanted = str_of(name);
    if (str_ends(wanted, ".service"))
        wanted.len -= 8;
    for (int i = 0; i < host->n_units; i++) {
        if (str_is(wanted, host->units[i]->name))
            return host->units[i];
    }
    return NULL;
}

static struct unit *add_unit(struct host *host, const char *name, const char *description)
{
    struct unit *unit = ARENA_NEW(&host->env->arena, struct unit);
    *unit = (struct unit){
        .host = host,
        .name = arena_strdup(&host->env->arena, name),
        .description = description,
        .state = UNIT_ACTIVE,
        .enabled = true,
        .restarts = true,
        .stop_ns = 200 * MILLISECOND,
        .since_ns = -12 * DAY,
        .pid = host->next_pid += 37,
    };
    XGROW(host->units, host->n_units, host->cap_units);
    host->units[host->n_units++] = unit;
    return unit;
}

/* ---- units that run services of the world ---- */

static struct unit *owner_of(struct host *host, const struct instance *instance)
{
    for (int i = 0; i < host->n_units; i++) {
        if (host->units[i]->instance == instance)
            return host->units[i];
    }
    return NULL;
}

static void restart_due(struct world *world, void *ctx)
{
    (void)world;
    struct unit *unit = ctx;
    if (unit->state == UNIT_ACTIVE || unit->by_hand)
        return;
    unit_start(NULL, unit);
}

/* systemd: Restart=on-failure after 100 ms, given up after five starts within ten seconds. */
static void crashed(struct unit *unit)
{
    struct host *host = unit->host;
    struct arena *arena = &host->env->arena;
    int64_t now = world_now(host->env->world);
    unit->exit_code = instance_exit_code(unit->instance);
    unit->state = UNIT_FAILED;
    unit->since_ns = now;
    host_log(host, unit->name, 1,
             arena_printf(arena, "%s.service: Main process exited, code=exited, status=%d/FAILURE",
                          unit->name, unit->exit_code),
             true);
    host_log(host, unit->name, 1,
             arena_printf(arena, "%s.service: Failed with result 'exit-code'.", unit->name), true);
    if (!unit->restarts || unit->by_hand)
        return;
    world_at(host->env->world, now + 100 * MILLISECOND, restart_due, unit);
}

static void instance_changed(struct instance *instance, enum instance_state before, void *ctx)
{
    struct unit *unit = owner_of(ctx, instance);
    if (unit && unit->state == UNIT_ACTIVE && before != INSTANCE_STOPPED &&
        instance_state(instance) == INSTANCE_STOPPED)
        crashed(unit);
}

static void instance_logged(struct instance *instance, const char *line, bool is_error, void *ctx)
{
    struct host *host = ctx;
    struct unit *unit = owner_of(ctx, instance);
    if (unit)
        host_log(ctx, unit->name, unit->pid, line, is_error);
    const struct doc *path = doc_get(host->logs, service_name(instance_service(instance)));
    if (!path)
        return;
    int64_t unix_ns = env_unix_ns(host->env);
    int s = (int)(unix_ns / SECOND % 86400), day = (int)(unix_ns / DAY);
    char text[512];
    struct tm tm;
    time_t midnight = (time_t)day * 86400;
    gmtime_r(&midnight, &tm);
    int len = snprintf(text, sizeof text, "%04d-%02d-%02dT%02d:%02d:%02d.%03dZ %s\n",
                       tm.tm_year + 1900, tm.tm_mon + 1, tm.tm_mday, s / 3600, s / 60 % 60, s % 60,
                       (int)(unix_ns / MILLISECOND % 1000), line);
    if (len >= (int)sizeof text)
        len = (int)sizeof text - 1;
    env_append(host->env, "", path->text, (struct str){text, (size_t)len});
}

/* What the unit starts now: the version in its version_file, if that is one. */
static void choose_version(struct call *call, struct unit *unit)
{
    struct env *env = unit->host->env;
    struct buf text;
    buf_init(&text, 4096);
    if (unit->version_file) {
        int code = call ? call_load(call, unit->version_file, &text)
                        : env_load(env, "", unit->version_file, &text);
        const char *version = code < 0 ? "" : arena_str(&env->arena, str_trim(buf_text(&text)));
        if (service_has_version(instance_service(unit->instance), version))
            instance_set_version(unit->instance, version);
    }
    buf_release(&text);
}

/* systemd.unit(5): five starts within ten seconds (StartLimitBurst, StartLimitIntervalSec), whoever
 * asks for them. */
static bool too_often(struct unit *unit, int64_t now)
{
    if (now - unit->first_start_ns >= 10 * SECOND || unit->n_starts == 0) {
        unit->first_start_ns = now;
        unit->n_starts = 0;
    }
    return unit->n_starts++ >= 5;
}

bool unit_start(struct call *call, struct unit *unit)
{
    struct host *host = unit->host;
    int64_t now = world_now(host->env->world);
    if (unit->state == UNIT_ACTIVE)
        return true;
    if (too_often(unit, now)) {
        unit->state = UNIT_FAILED;
        host_log(host, unit->name, 1,
                 arena_printf(&host->env->arena, "%s.service: Start request repeated too quickly.",
                              unit->name),
                 true);
        return false;
    }
    unit->state = UNIT_ACTIVE;
    unit->since_ns = now;
    unit->by_hand = false;
    unit->pid = host->next_pid += 37;
    host_log(
        host, unit->name, 1,
        arena_printf(&host->env->arena, "Started %s.service - %s.", unit->name, unit->description),
        false);
    if (unit->instance) {
        choose_version(call, unit);
        instance_start(unit->instance);
    }
    return true;
}

int64_t unit_stop(struct unit *unit)
{
    struct host *host = unit->host;
    unit->by_hand = true;
    if (unit->state != UNIT_ACTIVE) {
        unit->state = UNIT_INACTIVE;
        return 0;
    }
    unit->state = UNIT_INACTIVE;
    unit->since_ns = world_now(host->env->world);
    if (unit->instance)
        instance_stop(unit->instance, true);
    host_log(
        host, unit->name, 1,
        arena_printf(&host->env->arena, "Stopped %s.service - %s.", unit->name, unit->description),
        false);
    return unit->stop_ns;
}

static bool deploy(struct world *world, struct service *service, const char *version, void *ctx)
{
    (void)world;
    struct host *host = ctx;
    bool done = false;
    for (int i = 0; i < host->n_units; i++) {
        struct unit *unit = host->units[i];
        if (!unit->instance || instance_service(unit->instance) != service)
            continue;
        if (unit->version_file)
            env_write(host->env, "", unit->version_file,
                      str_of(arena_printf(&host->env->arena, "%s\n", version)), 0644);
        unit_stop(unit);
        instance_set_version(unit->instance, version);
        unit_start(NULL, unit);
        done = true;
    }
    return done;
}

/* ---- the system file ---- */

static int read_unit(struct host *host, const struct doc *node, struct error *error)
{
    static const char *const keys[] = {"service", "version_file", "stop",    "restart",
                                       "reloads", "description",  "enabled", "active",
                                       "type",    "command",      "remains", NULL};
    static const char *const types[] = {"simple", "notify", "forking", "oneshot", NULL};
    int type = UNIT_SIMPLE;
    struct env *env = host->env;
    struct unit *unit = add_unit(host, node->key, node->key);
    const char *service = NULL, *restart = "on-failure";
    bool active = true;
    if (node->kind != DOC_NULL &&
        (doc_want(node, DOC_MAPPING, error) || doc_only(node, keys, error) ||
         doc_text(doc_get(node, "service"), &service, error) ||
         doc_text(doc_get(node, "version_file"), &unit->version_file, error) ||
         doc_text(doc_get(node, "description"), &unit->description, error) ||
         doc_text(doc_get(node, "restart"), &restart, error) ||
         doc_duration(doc_get(node, "stop"), &unit->stop_ns, error) ||
         doc_choice(doc_get(node, "type"), types, &type, error) ||
         doc_text(doc_get(node, "command"), &unit->command, error) ||
         doc_bool(doc_get(node, "remains"), &unit->remains, error) ||
         doc_bool(doc_get(node, "reloads"), &unit->reloads, error) ||
         doc_bool(doc_get(node, "enabled"), &unit->enabled, error) ||
         doc_bool(doc_get(node, "active"), &active, error)))
        return ERROR_INPUT;
    unit->type = (enum unit_type)type;
    if (unit->command && unit->type != UNIT_ONESHOT)
        return doc_error(doc_get(node, "command"), error,
                         "only a unit of type oneshot has a command; others have a service");
    unit->restarts = strcmp(restart, "no") != 0;
    unit->reloads = unit->reloads || strcmp(unit->name, "nginx") == 0;
    if (service) {
        struct service *of = world_service(env->world, service);
        if (!of)
            return doc_error(doc_get(node, "service"), error, "no service '%s' in this system",
                             service);
        unit->instance = instance_new(of, unit->name, service_initial_version(of));
    }
    unit->state = active ? UNIT_ACTIVE : UNIT_INACTIVE;
    if (unit->instance && active)
        instance_start(unit->instance);
    return 0;
}

static int read_disks(struct host *host, const struct doc *list, struct error *error)
{
    static const char *const keys[] = {"size", "used", "device", NULL};
    host->disks = ARENA_ARRAY(&host->env->arena, struct disk, (list ? list->n : 0) + 1);
    if (!list)
        host->disks[host->n_disks++] = (struct disk){"/", "/dev/sda1", INT64_C(80000000000), 0.41};
    for (const struct doc *node = list ? list->first : NULL; node; node = node->next) {
        struct disk *disk = &host->disks[host->n_disks++];
        *disk = (struct disk){.mount = node->key, .used = 0.41, .size_bytes = INT64_C(80000000000)};
        disk->device = arena_printf(&host->env->arena, "/dev/sd%c1",
                                    'a' + (node->index < 26 ? node->index : 25));
        if (doc_only(node, keys, error) ||
            doc_size(doc_get(node, "size"), &disk->size_bytes, error) ||
            doc_ratio(doc_get(node, "used"), &disk->used, error) ||
            doc_text(doc_get(node, "device"), &disk->device, error))
            return ERROR_INPUT;
    }
    return 0;
}

static int setup(struct env *env, const struct doc *config, struct error *error)
{
    static const char *const keys[] = {"memory",  "cpus", "sudo",   "disks", "units",
                                       "crontab", "logs", "routes", NULL};
    static const char *const sudo_words[] = {"allowed", "password", "denied", NULL};
    struct host *host = xcalloc(1, sizeof *host);
    *env_slot(env, "host") = host;
    *host = (struct host){.env = env, .memory_bytes = INT64_C(8) << 30, .cpus = 4, .next_pid = 600};
    int64_t cpus = 4;
    const char *crontab = NULL;
    if (config && doc_only(config, keys, error))
        return ERROR_INPUT;
    if (doc_size(doc_get(config, "memory"), &host->memory_bytes, error) ||
        doc_int(doc_get(config, "cpus"), 1, 1024, &cpus, error) ||
        doc_choice(doc_get(config, "sudo"), sudo_words, &host->sudo, error) ||
        doc_text(doc_get(config, "crontab"), &crontab, error) ||
        read_disks(host, doc_get(config, "disks"), error))
        return ERROR_INPUT;
    host->cpus = (int)cpus;
    host->docker_socket = true;
    host->logs = doc_get(config, "logs");
    for (const struct doc *log = host->logs ? host->logs->first : NULL; log; log = log->next) {
        if (!world_service(env->world, log->key))
            return doc_error(log, error, "no service '%s' in this system", log->key);
        if (doc_want(log, DOC_SCALAR, error) || log->text[0] != '/')
            return doc_error(log, error, "give the absolute path of a log file");
        env_write_old(env, "", log->text, (struct str){"", 0}, 0644, env->start_unix_ns - DAY);
    }
    if (crontab)
        host_cron_set(host, crontab);
    add_unit(host, "cron", "Regular background program processing daemon");
    add_unit(host, "docker", "Docker Application Container Engine");
    add_unit(host, "ssh", "OpenBSD Secure Shell server")->reloads = true;
    const struct doc *units = doc_get(config, "units");
    for (const struct doc *node = units ? units->first : NULL; node; node = node->next) {
        if (host_unit(host, node->key))
            return doc_error(node, error, "unit '%s' is there already", node->key);
        if (read_unit(host, node, error))
            return ERROR_INPUT;
    }
    const struct doc *routes = doc_get(config, "routes");
    host->routes = ARENA_ARRAY(&env->arena, struct host_route, (routes ? routes->n : 0) + 1);
    for (const struct doc *node = routes ? routes->first : NULL; node; node = node->next) {
        if (!world_service(env->world, node->key))
            return doc_error(node, error, "no service '%s' in this system", node->key);
        if (doc_want(node, DOC_SCALAR, error) || node->text[0] != '/')
            return doc_error(node, error, "give the absolute path of a configuration of nginx");
        host->routes[host->n_routes++] =
            (struct host_route){.service = node->key, .file = node->text};
    }
    host_nginx_read(host);
    world_watch_instances(env->world, instance_changed, host);
    world_watch_logs(env->world, instance_logged, host);
    world_on_deploy(env->world, deploy, host);
    return 0;
}

static void release(struct env *env)
{
    struct host *host = host_of(env);
    if (!host)
        return;
    for (int i = 0; i < host->n_journal; i++)
        free(host->journal[i].text);
    free(host->journal);
    free(host->units);
    free(host->crontab);
    free(host);
    *env_slot(env, "host") = NULL;
}

/* ---- the commands ---- */

static const struct {
    const char *name;
    int (*run)(struct call *);
} table[] = {
    {"systemctl", host_systemctl},
    {"service", host_systemctl},
    {"journalctl", host_journalctl},
    {"df", host_df},
    {"free", host_free},
    {"ps", host_ps},
    {"pgrep", host_ps},
    {"top", host_top},
    {"uptime", host_uptime},
    {"nginx", host_nginx},
    {"crontab", host_crontab},
    {"mail", host_mail},
    {"mailx", host_mail},
    {"sendmail", host_mail},
    {"sudo", host_sudo},
    {"su", host_su},
    {"ssh", host_ssh},
    {"scp", host_scp},
};

static int run(struct call *call)
{
    const char *slash = strrchr(call->argv[0], '/');
    const char *name = slash ? slash + 1 : call->argv[0];
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        if (strcmp(table[i].name, name) == 0)
            return table[i].run(call);
    }
    return 127;
}

static const char *const commands[] = {"systemctl", "service", "journalctl", "df",       "free",
                                       "ps",        "pgrep",   "top",        "uptime",   "nginx",
                                       "crontab",   "mail",    "mailx",      "sendmail", "sudo",
                                       "su",        "ssh",     "scp",        NULL};

const struct fake fake_host = {
    .name = "host",
    .commands = commands,
    .setup = setup,
    .run = run,
    .release = release,
};
