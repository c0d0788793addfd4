/* systemctl start, stop, restart, reload: jobs, and when they are done. Words: systemd 252. */
#include <string.h>

#include "fakes/docker.h"
#include "fakes/host_systemctl.h"

static bool is_docker(const struct unit *unit)
{
    return strcmp(unit->name, "docker") == 0;
}

static void stop_one(struct systemctl *s, struct unit *unit)
{
    struct docker *docker = docker_of(s->call->env);
    int64_t takes_ns = unit_stop(unit);
    if (is_docker(unit) && docker && docker->daemon_running)
        takes_ns += docker_daemon_stop(docker);
    call_sleep(s->call, takes_ns);
}

static int job_failed(struct systemctl *s, const struct unit *unit, const char *why)
{
    call_err(s->call,
             "Job for %s.service failed because %s.\nSee \"systemctl status %s.service\" and "
             "\"journalctl -xeu %s.service\" for details.\n",
             unit->name, why, unit->name, unit->name);
    return 1;
}

/* A oneshot's command runs to its end before the job is done; what it writes goes to the journal.
 */
static int run_oneshot(struct systemctl *s, struct unit *unit)
{
    struct call *call = s->call;
    static char sh[] = "/bin/sh", flag[] = "-c";
    char *line = arena_printf(call->arena, "exec 2>&1; %s", unit->command ? unit->command : ":");
    struct buf *out = ARENA_NEW(call->arena, struct buf);
    buf_init(out, 1 << 20);
    call_defer(call, (void (*)(void *))buf_release, out);
    int status = call_capture(call, (char *[]){sh, flag, line, NULL}, out);
    struct str rest = buf_text(out);
    while (rest.len > 0)
        host_log(s->host, unit->name, unit->pid, arena_str(call->arena, str_cut(&rest, '\n')),
                 false);
    unit->exit_code = status;
    unit->since_ns = call_now(call);
    unit->state = status ? UNIT_FAILED : unit->remains ? UNIT_ACTIVE : UNIT_INACTIVE;
    if (status)
        host_log(s->host, unit->name, 1,
                 arena_printf(&call->env->arena,
                              "%s.service: Main process exited, code=exited, status=%d/FAILURE",
                              unit->name, status),
                 true);
    return status ? job_failed(s, unit, "the control process exited with error code") : 0;
}

/* notify and forking: the job is done when the program says that it is ready (TimeoutStartSec 90
 * s). */
static int wait_ready(struct systemctl *s, struct unit *unit)
{
    int64_t since_ns = call_now(s->call);
    while (unit->state == UNIT_ACTIVE && instance_state(unit->instance) == INSTANCE_STARTING) {
        if (call_now(s->call) - since_ns >= 90 * SECOND) {
            unit_stop(unit);
            unit->state = UNIT_FAILED;
            return job_failed(s, unit, "a timeout was exceeded");
        }
        if (call_sleep(s->call, 100 * MILLISECOND))
            return 130;
    }
    return unit->state == UNIT_ACTIVE && instance_state(unit->instance) != INSTANCE_STOPPED
               ? 0
               : job_failed(s, unit, "the control process exited with error code");
}

static bool is_nginx(const struct unit *unit)
{
    return strcmp(unit->name, "nginx") == 0;
}

/* Its unit tests the configuration first (ExecStartPre); what it says goes to the journal. A
 * machine of whose nginx there are no files is not judged. */
static bool nginx_refuses(struct systemctl *s, const struct unit *unit)
{
    struct call *call = s->call;
    if (call_exists(call, "/etc/nginx/nginx.conf") != 1)
        return false;
    const char *complaint = host_nginx_complaint(call, NULL);
    if (complaint)
        host_log(s->host, unit->name, unit->pid,
                 arena_printf(&call->env->arena, "nginx: [emerg] %s", complaint), true);
    return complaint != NULL;
}

static int start_one(struct systemctl *s, struct unit *unit)
{
    struct docker *docker = docker_of(s->call->env);
    if (unit->state == UNIT_ACTIVE)
        return 0;
    if (is_nginx(unit) && nginx_refuses(s, unit)) {
        unit->state = UNIT_FAILED;
        unit->since_ns = call_now(s->call);
        return job_failed(s, unit, "the control process exited with error code");
    }
    if (is_nginx(unit))
        host_nginx_read(s->host);
    if (!unit_start(s->call, unit)) {
        job_failed(s, unit, "start of the service was attempted too often");
        call_err(
            s->call,
            "To force a start use \"systemctl reset-failed %s.service\"\nfollowed by \"systemctl "
            "start %s.service\" again.\n",
            unit->name, unit->name);
        return 1;
    }
    call_sleep(s->call, 60 * MILLISECOND);
    if (is_docker(unit) && docker)
        call_sleep(s->call, docker_daemon_start(docker));
    if (unit->type == UNIT_ONESHOT)
        return run_oneshot(s, unit);
    return unit->type != UNIT_SIMPLE && unit->instance ? wait_ready(s, unit) : 0;
}

/* What the verb does to one unit that exists; 0 or an exit status. */
int unit_act(struct systemctl *s, const char *verb, struct unit *unit)
{
    struct call *call = s->call;
    if (unit->masked && strcmp(verb, "stop") != 0) {
        call_err(call, "Failed to %s %s.service: Unit %s.service is masked.\n", verb, unit->name,
                 unit->name);
        return 1;
    }
    if (strcmp(verb, "reload") == 0 || (strcmp(verb, "reload-or-restart") == 0 && unit->reloads)) {
        if (!unit->reloads) {
            call_err(call,
                     "Failed to reload %s.service: Job type reload is not applicable for unit "
                     "%s.service.\n",
                     unit->name, unit->name);
            return 1;
        }
        if (unit->state != UNIT_ACTIVE) {
            call_err(call, "%s.service is not active, cannot reload.\n", unit->name);
            return 1;
        }
        if (is_nginx(unit) && nginx_refuses(s, unit)) /* the old workers go on */
            return job_failed(s, unit, "the control process exited with error code");
        if (is_nginx(unit)) {
            record_change(call->env->record, "nginx", "configuration is loaded again");
            host_nginx_read(s->host);
        }
        host_log(s->host, unit->name, 1,
                 arena_printf(&call->env->arena, "Reloaded %s.service - %s.", unit->name,
                              unit->description),
                 false);
        return 0;
    }
    bool only_if_active = strncmp(verb, "try-", 4) == 0 || strcmp(verb, "condrestart") == 0;
    if (only_if_active && unit->state != UNIT_ACTIVE)
        return 0;
    if (strcmp(verb, "start") != 0)
        stop_one(s, unit);
    if (strcmp(verb, "stop") == 0 && is_docker(unit) && s->host->docker_socket)
        call_err(call, "Warning: Stopping docker.service, but it can still be activated by:\n"
                       "  docker.socket\n");
    return strcmp(verb, "stop") == 0 ? 0 : start_one(s, unit);
}

bool unit_is_socket(const char *name)
{
    return strcmp(name, "docker.socket") == 0;
}

/* docker.socket: who listens for the daemon that is not there. */
static int change_socket(struct systemctl *s, const char *verb)
{
    s->host->docker_socket = strcmp(verb, "stop") != 0;
    return 0;
}

int units_change(struct systemctl *s, const char *verb, char **names)
{
    int status = 0;
    if (!*names) {
        call_err(s->call, "Too few arguments.\n");
        return 1;
    }
    bool socket_too = false;
    for (char **name = names; *name; name++)
        socket_too = socket_too || unit_is_socket(*name);
    if (socket_too) /* first: what stops together is not warned of */
        status = change_socket(s, verb);
    for (; *names; names++) {
        struct unit *unit = host_unit(s->host, *names);
        if (unit_is_socket(*names))
            continue;
        if (unit) {
            int code = unit_act(s, verb, unit);
            status = code ? code : status;
            continue;
        }
        const char *name = unit_full_name(s->call, *names);
        call_err(s->call,
                 strcmp(verb, "stop") == 0 ? "Failed to %s %s: Unit %s not loaded.\n"
                                           : "Failed to %s %s: Unit %s not found.\n",
                 verb, name, name);
        status = 5;
    }
    return status;
}
