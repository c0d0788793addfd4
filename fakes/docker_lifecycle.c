/* docker start, stop, restart, kill, rm, pause, rename, wait, port, top. */
#include <stdlib.h>
#include <string.h>

#include "fakes/docker_command.h"
#include "sim/base/str.h"

static int start(struct docker_command *command)
{
    struct call *call = command->call;
    const char *failed = "";
    for (char **name = command->options.args; *name; name++) {
        struct container *container = docker_want(command, *name);
        const char *why = container ? docker_start(container) : NULL;
        if (container)
            call_sleep(call, DOCKER_START_NS);
        if (why)
            docker_daemon_error(call, "%s", why);
        else if (container)
            call_out(call, "%s\n", *name);
        if (!container || why)
            failed = arena_printf(call->arena, "%s%s%s", failed, failed[0] ? ", " : "", *name);
    }
    if (failed[0])
        call_err(call, "Error: failed to start containers: %s\n", failed);
    return failed[0] ? 1 : 0;
}

/* -t and --time as seconds; negative: the container's own. */
static bool grace(struct docker_command *command, int64_t *ret_ns)
{
    int64_t seconds = -1;
    const char *name = options_value(&command->options, "timeout", NULL) ? "timeout" : "time";
    if (!docker_number(command, name, "-t, --timeout", &seconds))
        return false;
    *ret_ns = seconds < 0 ? -1 : seconds * SECOND;
    return true;
}

/* The client stops all of them at once, and names each when it has ended. */
static int stop(struct docker_command *command)
{
    struct call *call = command->call;
    int64_t grace_ns, longest_ns = 0;
    if (!grace(command, &grace_ns))
        return 125;
    int n = command->options.n_args;
    bool *found = ARENA_ARRAY(call->arena, bool, n + 1);
    for (int i = 0; i < n; i++) {
        struct container *container = docker_find(command->docker, command->options.args[i]);
        found[i] = container != NULL;
        int64_t takes_ns = container ? docker_stop(container, grace_ns) : 0;
        longest_ns = takes_ns > longest_ns ? takes_ns : longest_ns;
    }
    call_sleep(call, longest_ns + 100 * MILLISECOND);
    int status = 0;
    for (int i = 0; i < n; i++) {
        if (found[i])
            call_out(call, "%s\n", command->options.args[i]);
        else
            status = docker_daemon_error(call, "No such container: %s", command->options.args[i]);
    }
    return status;
}

static int restart(struct docker_command *command)
{
    struct call *call = command->call;
    int64_t grace_ns;
    int status = 0;
    if (!grace(command, &grace_ns))
        return 125;
    for (char **name = command->options.args; *name; name++) {
        struct container *container = docker_want(command, *name);
        if (!container) {
            status = 1;
            continue;
        }
        int64_t takes_ns = docker_stop(container, grace_ns);
        call_sleep(call, takes_ns + 100 * MILLISECOND);
        const char *why = docker_start(container);
        call_sleep(call, DOCKER_START_NS);
        if (why)
            status = docker_daemon_error(call, "Cannot restart container %s: %s", *name, why);
        else
            call_out(call, "%s\n", *name);
    }
    return status;
}

static int signal_number(const char *name)
{
    static const struct {
        const char *name;
        int number;
    } signals[] = {{"HUP", 1},   {"INT", 2},   {"QUIT", 3},  {"KILL", 9}, {"USR1", 10},
                   {"USR2", 12}, {"TERM", 15}, {"STOP", 19}, {"CONT", 18}};
    if (strncmp(name, "SIG", 3) == 0)
        name += 3;
    for (size_t i = 0; i < sizeof signals / sizeof *signals; i++) {
        if (strcmp(signals[i].name, name) == 0)
            return signals[i].number;
    }
    int64_t number;
    return str_int64(str_of(name), &number) && number > 0 && number < 65 ? (int)number : -1;
}

static int kill_containers(struct docker_command *command)
{
    struct call *call = command->call;
    int status = 0;
    const char *name = options_value(&command->options, "signal", "KILL");
    int signal = signal_number(name);
    for (char **at = command->options.args; *at; at++) {
        struct container *container = docker_want(command, *at);
        if (!container)
            status = 1;
        else if (signal < 0)
            status = docker_daemon_error(call, "Invalid signal: %s", name);
        else if (docker_kill(container, signal))
            status = docker_daemon_error(
                call, "Cannot kill container: %s: Container %s is not running", *at, container->id);
        else
            call_out(call, "%s\n", *at);
    }
    call_sleep(call, 60 * MILLISECOND);
    return status;
}

static int remove_containers(struct docker_command *command)
{
    struct call *call = command->call;
    int status = 0;
    bool force = options_has(&command->options, "force");
    for (char **at = command->options.args; *at; at++) {
        struct container *container = docker_find(command->docker, *at);
        if (!container) {
            int failed = docker_daemon_error(call, "No such container: %s", *at);
            status = force ? status : failed;
        } else if (container_running(container) && !force) {
            status =
                docker_daemon_error(call,
                                    "You cannot remove a running container %s. Stop the container "
                                    "before attempting removal or force remove",
                                    container->id);
        } else {
            docker_remove(container);
            call_sleep(call, DOCKER_REMOVE_NS);
            call_out(call, "%s\n", *at);
        }
    }
    return status;
}

static int pause_containers(struct docker_command *command)
{
    bool pausing = !strstr(command->verb->name, "unpause");
    int status = 0;
    for (char **at = command->options.args; *at; at++) {
        struct container *container = docker_want(command, *at);
        if (!container) {
            status = 1;
        } else if (pausing && container->state != CONTAINER_RUNNING) {
            status = docker_daemon_error(command->call,
                                         container->state == CONTAINER_PAUSED
                                             ? "Container %s is already paused"
                                             : "Container %s is not running",
                                         container->id);
        } else if (!pausing && container->state != CONTAINER_PAUSED) {
            status =
                docker_daemon_error(command->call, "Container %s is not paused", container->id);
        } else {
            docker_pause(container, pausing);
            call_out(command->call, "%s\n", *at);
        }
    }
    return status;
}

static int rename_container(struct docker_command *command)
{
    const char *name = command->options.args[1];
    struct container *container = docker_want(command, command->options.args[0]);
    struct container *other = docker_find(command->docker, name);
    if (container && (!other || strcmp(other->name, name) != 0)) {
        docker_rename(container, name);
        return 0;
    }
    if (container)
        docker_daemon_error(command->call,
                            "Error when allocating new name: Conflict. The container name \"/%s\" "
                            "is already in use by container \"%s\". You have to remove (or rename) "
                            "that container to be able to reuse that name.",
                            name, other->id);
    call_err(command->call, "Error: failed to rename container named %s\n",
             command->options.args[0]);
    return 1;
}

static int wait_for(struct docker_command *command)
{
    for (char **at = command->options.args; *at; at++) {
        struct container *container = docker_want(command, *at);
        if (!container)
            return 1;
        while (container_running(container)) {
            if (call_sleep(command->call, SECOND))
                return 130;
        }
        call_out(command->call, "%d\n", container->exit_code);
    }
    return 0;
}

static int port(struct docker_command *command)
{
    struct container *container = docker_want(command, command->options.args[0]);
    const char *wanted = command->options.args[1];
    if (!container)
        return 1;
    bool found = false;
    for (int i = 0; i < container->spec.n_ports && container_running(container); i++) {
        const struct docker_port *port = &container->spec.ports[i];
        const char *name =
            arena_printf(command->call->arena, "%d/%s", port->container, port->protocol);
        if (!port->address)
            continue;
        if (!wanted)
            call_out(command->call, "%s -> %s:%d\n", name, port->address, port->host);
        else if (strcmp(wanted, name) == 0 || leading_int(wanted) == port->container) {
            call_out(command->call, "%s:%d\n", port->address, port->host);
            found = true;
        }
    }
    if (wanted && !found) {
        call_err(command->call, "Error: No public port '%s' published for %s\n",
                 strchr(wanted, '/') ? wanted
                                     : arena_printf(command->call->arena, "%s/tcp", wanted),
                 command->options.args[0]);
        return 1;
    }
    return 0;
}

static int top(struct docker_command *command)
{
    struct call *call = command->call;
    struct container *container = docker_want(command, command->options.args[0]);
    if (!container)
        return 1;
    if (container->state != CONTAINER_RUNNING)
        return docker_daemon_error(call, "Container %s is not running", container->id);
    const char *text = "";
    const char *const *words =
        container->spec.command ? container->spec.command : container->image->command;
    for (; *words; words++)
        text = arena_printf(call->arena, "%s%s%s", text, text[0] ? " " : "", *words);
    const char *const titles[] = {"UID", "PID", "PPID", "C", "STIME", "TTY", "TIME", "CMD", NULL};
    const char *const row[] = {container->spec.user ? container->spec.user : "root",
                               "2417",
                               "2396",
                               "0",
                               "00:00",
                               "?",
                               "00:00:12",
                               text,
                               NULL};
    const char *const *const rows[] = {row};
    docker_table(call, titles, rows, 1);
    return 0;
}

static int exec(struct docker_command *command)
{
    struct call *call = command->call;
    const struct options *options = &command->options;
    const char **env = ARENA_ARRAY(call->arena, const char *, options->n_given + 1);
    int n = 0;
    for (int i = 0; i < options->n_given; i++) {
        const char *value = options->given[i].value;
        if (strcmp(options->given[i].name, "env") != 0)
            continue;
        if (strchr(value, '='))
            env[n++] = value;
        else if (call_getenv(call, value))
            env[n++] = arena_printf(call->arena, "%s=%s", value, call_getenv(call, value));
    }
    const struct exec_options exec_options = {
        .env = env,
        .folder = options_value(options, "workdir", NULL),
        .user = options_value(options, "user", NULL),
        .interactive = options_has(options, "interactive"),
        .tty = options_has(options, "tty"),
        .detached = options_has(options, "detach"),
    };
    struct container *container = docker_want(command, options->args[0]);
    return container ? docker_exec(call, container, options->args + 1, &exec_options) : 1;
}

static int logs(struct docker_command *command)
{
    struct call *call = command->call;
    const struct options *options = &command->options;
    struct log_options log = {.tail = -1, .since_ns = NEVER, .until_ns = NEVER};
    const char *tail = options_value(options, "tail", "all");
    const char *since = options_value(options, "since", NULL);
    const char *until = options_value(options, "until", NULL);
    if (strcmp(tail, "all") != 0 && !str_int64(str_of(tail), &log.tail))
        log.tail = -1; /* the daemon takes anything else for all */
    if ((since && !docker_instant(call, since, &log.since_ns)) ||
        (until && !docker_instant(call, until, &log.until_ns))) {
        call_err(call,
                 "invalid value for \"%s\": failed to parse value as time or duration: \"%s\"\n",
                 since ? "since" : "until", since ? since : until);
        return 1;
    }
    log.times = options_has(options, "timestamps");
    log.follow = options_has(options, "follow");
    struct container *container = docker_want(command, options->args[0]);
    return container ? docker_logs(call, container, &log) : 1;
}

const struct docker_verb docker_container_verbs[] = {
    {"start", "start [OPTIONS] CONTAINER [CONTAINER...]", "attach|a interactive|i", true, 1, -1,
     start},
    {"stop", "stop [OPTIONS] CONTAINER [CONTAINER...]", "time= timeout|t= signal|s=", true, 1, -1,
     stop},
    {"restart", "restart [OPTIONS] CONTAINER [CONTAINER...]", "time= timeout|t= signal|s=", true, 1,
     -1, restart},
    {"kill", "kill [OPTIONS] CONTAINER [CONTAINER...]", "signal|s=", true, 1, -1, kill_containers},
    {"rm", "rm [OPTIONS] CONTAINER [CONTAINER...]", "force|f volumes|v link|l", true, 1, -1,
     remove_containers},
    {"pause", "pause CONTAINER [CONTAINER...]", "", true, 1, -1, pause_containers},
    {"unpause", "unpause CONTAINER [CONTAINER...]", "", true, 1, -1, pause_containers},
    {"rename", "rename CONTAINER NEW_NAME", "", true, 2, 2, rename_container},
    {"wait", "wait CONTAINER [CONTAINER...]", "", true, 1, -1, wait_for},
    {"port", "port CONTAINER [PRIVATE_PORT[/PROTO]]", "", true, 1, 2, port},
    {"top", "top CONTAINER [ps OPTIONS]", "", false, 1, -1, top},
    {"exec", "exec [OPTIONS] CONTAINER COMMAND [ARG...]",
     "detach|d detach-keys= env|e= env-file= interactive|i privileged tty|t user|u= workdir|w=",
     false, 2, -1, exec},
    {"logs", "logs [OPTIONS] CONTAINER", "details follow|f since= until= tail|n= timestamps|t",
     true, 1, 1, logs},
    {0},
};
