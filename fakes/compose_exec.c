/* Compose: exec and run: a command in a service's container, or in one of its own. */
#include <string.h>

#include "fakes/compose_command.h"
#include "fakes/docker_command.h"

static const char **env_given(struct compose_command *command)
{
    const struct options *options = &command->options;
    const char **env = ARENA_ARRAY(command->call->arena, const char *, options->n_given + 1);
    int n = 0;
    for (int i = 0; i < options->n_given; i++) {
        if (strcmp(options->given[i].name, "env") == 0)
            env[n++] = options->given[i].value;
    }
    return env;
}

/* v1 always asks for a terminal unless -T; v2 only where there is one. */
static bool wants_tty(struct compose_command *command)
{
    if (options_has(&command->options, "no-TTY"))
        return false;
    return command->edition == COMPOSE_V1 || call_isatty(command->call, 1);
}

static int exec(struct compose_command *command)
{
    struct call *call = command->call;
    char **args = command->options.args;
    if (!args[0] || !args[1]) /* v2: of v1 the usage has been said */
        return compose_fail(command, "requires at least 2 arg(s), only received %d",
                            command->options.n_args);
    if (!compose_find(&command->project, args[0]))
        return compose_no_service(command, args[0]);
    const char *index = options_value(&command->options, "index", "1");
    struct container **list = compose_containers(command->docker, &command->project, args[0]);
    struct container *container = NULL;
    for (; *list; list++) {
        const char *number = container_label(*list, "com.docker.compose.container-number");
        if (container_running(*list) && number && strcmp(number, index) == 0)
            container = *list;
    }
    if (!container)
        return command->edition == COMPOSE_V1
                   ? compose_fail(command, "No container found for %s_%s", args[0], index)
                   : compose_fail(command, "service \"%s\" is not running", args[0]);
    const struct exec_options options = {
        .env = env_given(command),
        .folder = options_value(&command->options, "workdir", NULL),
        .user = options_value(&command->options, "user", NULL),
        .interactive = true,
        .tty = wants_tty(command),
    };
    return docker_exec(call, container, args + 1, &options);
}

static int start_needed(struct compose_command *command, const struct compose_service *service)
{
    struct compose_service **order =
        compose_order(&command->project,
                      (char *[]){arena_strdup(command->call->arena, service->name), NULL}, true);
    for (int i = 0; order[i]; i++) {
        int status = compose_ensure_image(command, order[i], false, false);
        if (status)
            return status;
        if (order[i] == service)
            continue;
        struct container **list =
            compose_containers(command->docker, &command->project, order[i]->name);
        const char *why = NULL;
        struct container *container = list[0];
        if (container && container_running(container))
            continue;
        const char *doing = container ? "Starting" : "Creating";
        const char *name = compose_container_name(&command->project, order[i], 1);
        compose_announce(command, doing, name);
        compose_begin(command, doing, name);
        if (!container) {
            struct container_spec spec =
                compose_spec(command->docker, &command->project, order[i], 1);
            container = docker_create(command->docker, &spec, &why);
            call_sleep(command->call, DOCKER_CREATE_NS);
        }
        why = container ? docker_start(container) : why;
        call_sleep(command->call, DOCKER_START_NS);
        if (why) {
            compose_end_badly(command, doing, name, why);
            return 1;
        }
        compose_end(command, doing, "Started", name);
    }
    return 0;
}

static int run(struct compose_command *command)
{
    struct call *call = command->call;
    struct arena *arena = call->arena;
    const struct options *options = &command->options;
    bool v1 = command->edition == COMPOSE_V1;
    if (!options->args[0])
        return compose_fail(command, "requires at least 1 arg(s), only received 0");
    struct compose_service *service = compose_find(&command->project, options->args[0]);
    if (!service)
        return compose_no_service(command, options->args[0]);
    compose_make_things(command->docker, &command->project, NULL, NULL);
    int status = options_has(options, "no-deps")
                     ? compose_ensure_image(command, service, false, false)
                     : start_needed(command, service);
    if (status)
        return status;
    char hex[65];
    docker_hex(arena_printf(arena, "run %lld", (long long)++command->docker->n_ids), hex);
    struct container_spec spec = compose_spec(command->docker, &command->project, service, 1);
    const char **labels = ARENA_ARRAY(arena, const char *, 16);
    for (int i = 0; spec.labels[i]; i++)
        labels[i] = strncmp(spec.labels[i], "com.docker.compose.oneoff=", 26) == 0
                        ? "com.docker.compose.oneoff=True"
                        : spec.labels[i];
    spec.labels = labels;
    spec.name = options_value(
        options, "name",
        v1 ? arena_printf(arena, "%s_%s_run_%.12s", command->project.name, service->name, hex)
           : arena_printf(arena, "%s-%s-run-%.12s", command->project.name, service->name, hex));
    if (!options_has(options, "service-ports"))
        spec.n_ports = 0;
    spec.restart = RESTART_NO;
    const char *why = NULL;
    if (v1)
        compose_say(command, NULL, "Creating %s_%s_run ... ", command->project.name, service->name);
    struct container *container = docker_create(command->docker, &spec, &why);
    call_sleep(call, DOCKER_CREATE_NS + DOCKER_START_NS);
    if (!container)
        return compose_fail(command, "%s", why);
    if (v1)
        compose_say(command, NULL, "Creating %s_%s_run ... done", command->project.name,
                    service->name);
    instance_free(container->instance); /* it runs the command, not the service */
    container->instance = NULL;
    docker_start(container);
    const struct exec_options exec_options = {
        .env = env_given(command),
        .folder = options_value(options, "workdir", NULL),
        .interactive = true,
        .tty = wants_tty(command),
    };
    if (options_has(options, "detach")) {
        call_out(call, "%s\n", container->name);
        return 0;
    }
    status = options->args[1] ? docker_exec(call, container, options->args + 1, &exec_options) : 0;
    docker_kill(container, 9);
    container->exit_code = status;
    if (options_has(options, "rm"))
        docker_remove(container);
    if (status && v1)
        compose_say(command, "ERROR", "%d", status);
    return status;
}

const struct compose_verb compose_exec_verbs[] = {
    {"exec", "exec [options] [-e KEY=VAL...] SERVICE COMMAND [ARGS...]",
     "Execute a command in a running container",
     "detach|d privileged user|u= no-TTY|T index= env|e= workdir|w= 2:interactive|i 2:tty|t", false,
     false, 2, -1, exec},
    {"run", "run [options] SERVICE [COMMAND] [ARGS...]", "Run a one-off command on a service.",
     "detach|d name= entrypoint= env|e= label|l= user|u= no-deps rm publish|p= service-ports "
     "use-aliases "
     "volume|v= no-TTY|T workdir|w= 2:interactive|i 2:build 2:quiet-pull",
     false, false, 1, -1, run},
    {0},
};
