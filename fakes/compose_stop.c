/* Compose: stop, start, restart, down, rm, kill, pause: containers that exist already. */
#include <string.h>

#include "fakes/compose_command.h"
#include "fakes/docker_command.h"

int64_t compose_grace(const struct compose_command *command)
{
    int64_t seconds;
    if (!options_number(&command->options, "timeout", -1, &seconds) || seconds < 0)
        return -1;
    return seconds * SECOND;
}

struct container **compose_named(struct compose_command *command, char *const *names)
{
    struct container **all = compose_containers(command->docker, &command->project, NULL);
    int n = 0;
    for (int i = 0; all[i]; i++) {
        const char *service = container_label(all[i], "com.docker.compose.service");
        const struct compose_service *known = compose_find(&command->project, service);
        /* v2 leaves out what no active profile has; v1 does so in `up` alone */
        bool hidden = known && known->profiled && command->edition == COMPOSE_V2;
        bool named = (!names || !names[0]) && known && !hidden;
        for (int k = 0; names && names[k] && !named; k++)
            named = strcmp(names[k], service) == 0;
        if (named)
            all[n++] = all[i];
    }
    all[n] = NULL;
    return all;
}

static struct container **only(struct compose_command *command, struct container **list,
                               bool running)
{
    int n = 0;
    while (list[n])
        n++;
    struct container **kept = ARENA_ARRAY(command->call->arena, struct container *, n + 1);
    for (int i = 0, k = 0; list[i]; i++) {
        if (container_running(list[i]) == running)
            kept[k++] = list[i];
    }
    return kept;
}

/* How many services stand between it and one that nothing depends on: those stop first. */
static int depth_of(struct compose_command *command, const char *name, int limit)
{
    int depth = 0;
    for (int i = 0; i < command->project.n_services && limit > 0; i++) {
        const struct compose_service *service = &command->project.services[i];
        for (int k = 0; k < service->n_needs; k++) {
            if (strcmp(service->needs[k].service, name) != 0)
                continue;
            int below = depth_of(command, service->name, limit - 1) + 1;
            depth = below > depth ? below : depth;
        }
    }
    return depth;
}

/* What depends on others stops before them; everything else at once. */
bool compose_stop_all(struct compose_command *command, struct container **list, int64_t grace_ns)
{
    struct container **running = only(command, list, true);
    int n = 0, deepest = 0;
    for (; running[n]; n++)
        compose_announce(command, "Stopping", running[n]->name);
    int *depths = ARENA_ARRAY(command->call->arena, int, n + 1);
    for (int i = 0; i < n; i++) {
        depths[i] = depth_of(command, container_label(running[i], "com.docker.compose.service"),
                             command->project.n_services);
        deepest = depths[i] > deepest ? depths[i] : deepest;
        if (command->edition == COMPOSE_V1)
            compose_begin(command, "Stopping", running[i]->name);
    }
    for (int depth = 0; depth <= deepest; depth++) {
        int64_t longest_ns = -1;
        for (int i = 0; i < n; i++) {
            if (depths[i] != depth)
                continue;
            if (command->edition == COMPOSE_V2)
                compose_begin(command, "Stopping", running[i]->name);
            int64_t takes_ns = docker_stop(running[i], grace_ns);
            longest_ns = takes_ns > longest_ns ? takes_ns : longest_ns;
        }
        if (longest_ns >= 0)
            call_sleep(command->call, longest_ns + 100 * MILLISECOND);
        for (int i = 0; i < n; i++) {
            if (depths[i] == depth)
                compose_end(command, "Stopping", "Stopped", running[i]->name);
        }
    }
    return n > 0;
}

/* v1 logs what it exits with after the message; the number stands on a line of its own. */
static int nothing_to(struct compose_command *command, const char *what)
{
    if (command->edition == COMPOSE_V2) {
        compose_say(command, NULL, "service has no container to %s", what);
        return 1;
    }
    compose_say(command, "ERROR", "No containers to %s", what);
    compose_say(command, "ERROR", "1");
    return 1;
}

static int stop(struct compose_command *command)
{
    compose_stop_all(command, compose_named(command, command->options.args),
                     compose_grace(command));
    return 0;
}

/* v1 names services here, not containers. */
static int start(struct compose_command *command)
{
    struct container **list = compose_named(command, command->options.args);
    struct container **stopped = only(command, list, false);
    bool v1 = command->edition == COMPOSE_V1, failed = false;
    if (!list[0]) {
        struct compose_service **order =
            compose_order(&command->project, command->options.args, false);
        for (int i = 0; order[i] && v1; i++)
            compose_announce(command, "Starting", order[i]->name);
        for (int i = 0; order[i] && v1; i++)
            compose_begin(command, "Starting", order[i]->name);
        for (int i = 0; order[i] && v1; i++)
            compose_failed(command, "Starting", order[i]->name);
        return nothing_to(command, "start");
    }
    const char *last = "";
    for (int i = 0; list[i] && v1; i++)
        compose_announce(command, "Starting",
                         container_label(list[i], "com.docker.compose.service"));
    for (int i = 0; list[i] && v1; i++) {
        const char *service = container_label(list[i], "com.docker.compose.service");
        if (strcmp(service, last) != 0)
            compose_begin(command, "Starting", service);
        last = service;
    }
    const char **why =
        ARENA_ARRAY(command->call->arena, const char *, command->docker->n_containers + 1);
    for (int i = 0; stopped[i]; i++) {
        if (!v1)
            compose_begin(command, "Starting", stopped[i]->name);
        why[i] = docker_start(stopped[i]);
        failed = failed || why[i];
    }
    if (stopped[0])
        call_sleep(command->call, DOCKER_START_NS);
    last = "";
    for (int i = 0; list[i] && v1; i++) {
        const char *service = container_label(list[i], "com.docker.compose.service");
        const char *error = NULL;
        for (int k = 0; stopped[k]; k++)
            error = stopped[k] == list[i] ? why[k] : error;
        if (error)
            compose_end_badly(
                command, "Starting", service,
                arena_printf(command->call->arena, "Cannot start service %s: %s", service, error));
        else if (strcmp(service, last) != 0)
            compose_end(command, "Starting", "Started", service);
        last = service;
    }
    for (int i = 0; stopped[i] && !v1; i++) {
        if (why[i])
            compose_end_badly(command, "Starting", stopped[i]->name, why[i]);
        else
            compose_end(command, "Starting", "Started", stopped[i]->name);
    }
    return failed ? 1 : 0;
}

/* Keeps image, environment and everything else: nothing of the file is read into the containers. */
static int restart(struct compose_command *command)
{
    struct container **list = compose_named(command, command->options.args);
    int64_t longest_ns = 0, grace_ns = compose_grace(command);
    bool failed = false;
    if (!list[0])
        return nothing_to(command, "restart");
    for (int i = 0; list[i]; i++)
        compose_announce(command, "Restarting", list[i]->name);
    for (int i = 0; list[i]; i++) {
        compose_begin(command, "Restarting", list[i]->name);
        int64_t takes_ns = docker_stop(list[i], grace_ns);
        longest_ns = takes_ns > longest_ns ? takes_ns : longest_ns;
    }
    call_sleep(command->call, longest_ns + 100 * MILLISECOND);
    const char **why =
        ARENA_ARRAY(command->call->arena, const char *, command->docker->n_containers + 1);
    for (int i = 0; list[i]; i++) {
        why[i] = docker_start(list[i]);
        failed = failed || why[i];
    }
    call_sleep(command->call, DOCKER_START_NS);
    for (int i = 0; list[i]; i++) {
        if (why[i])
            compose_end_badly(command, "Restarting", list[i]->name,
                              arena_printf(command->call->arena, "Cannot restart container %s: %s",
                                           list[i]->id, why[i]));
        else
            compose_end(command, "Restarting", command->edition == COMPOSE_V1 ? "done" : "Started",
                        list[i]->name);
    }
    return failed ? 1 : 0;
}

static void remove_list(struct compose_command *command, struct container **list)
{
    for (int i = 0; list[i]; i++)
        compose_announce(command, "Removing", list[i]->name);
    for (int i = 0; list[i]; i++)
        compose_begin(command, "Removing", list[i]->name);
    if (list[0])
        call_sleep(command->call, DOCKER_REMOVE_NS);
    for (int i = 0; list[i]; i++) {
        docker_remove(list[i]);
        compose_end(command, "Removing", "Removed", list[i]->name);
    }
}

static void remove_network(struct compose_command *command, const char *name)
{
    bool v1 = command->edition == COMPOSE_V1;
    if (v1)
        compose_say(command, NULL, "Removing network %s", name);
    else if (docker_network(command->docker, name))
        call_err(command->call, " Network %s  Removing\n", name);
    call_sleep(command->call, 120 * MILLISECOND);
    if (!docker_network_remove(command->docker, name)) {
        if (v1)
            compose_say(command, "WARNING", "Network %s not found.", name);
    } else if (!v1) {
        call_err(command->call, " Network %s  Removed\n", name);
    }
}

static void remove_volume(struct compose_command *command, const char *name)
{
    bool v1 = command->edition == COMPOSE_V1;
    if (v1)
        compose_say(command, NULL, "Removing volume %s", name);
    else if (docker_volume(command->docker, name))
        call_err(command->call, " Volume %s  Removing\n", name);
    if (!docker_volume_remove(command->docker, name)) {
        if (v1)
            compose_say(command, "WARNING", "Volume %s not found.", name);
    } else if (!v1) {
        call_err(command->call, " Volume %s  Removed\n", name);
    }
}

static void remove_images(struct compose_command *command, const char *kind)
{
    struct docker *docker = command->docker;
    for (int i = 0; i < command->project.n_services; i++) {
        const struct compose_service *service = &command->project.services[i];
        const char *image = compose_image(&command->project, service), *repository, *tag;
        if (strcmp(kind, "local") == 0 && service->image)
            continue;
        if (command->edition == COMPOSE_V1)
            compose_say(command, NULL, "Removing image %s", image);
        if (docker_reference(command->call->arena, image, &repository, &tag))
            continue;
        for (int k = docker->n_tags - 1; k >= 0; k--) {
            if (strcmp(docker->tags[k].repository, repository) != 0 ||
                strcmp(docker->tags[k].tag, tag) != 0)
                continue;
            docker->tags[k].image->pulled = false;
            docker->n_tags--;
            memmove(docker->tags + k, docker->tags + k + 1,
                    (size_t)(docker->n_tags - k) * sizeof *docker->tags);
        }
    }
}

static int down(struct compose_command *command)
{
    const struct options *options = &command->options;
    const char *images = options_value(options, "rmi", NULL);
    if (images && strcmp(images, "all") != 0 && strcmp(images, "local") != 0)
        return compose_fail(command,
                            command->edition == COMPOSE_V1 ? "--rmi flag must be one of: all, local"
                                                           : "invalid value for --rmi: %s",
                            images);
    bool orphans = options_has(options, "remove-orphans");
    struct container **list = orphans ? compose_containers(command->docker, &command->project, NULL)
                                      : compose_named(command, command->options.args);
    compose_stop_all(command, list, compose_grace(command));
    remove_list(command, list);
    for (const char *const *name = command->project.networks; *name; name++) {
        if (!docker_network_user(command->docker, *name)) {
            remove_network(command, *name);
        } else if (command->edition == COMPOSE_V2) {
            call_err(command->call, " Network %s  Resource is still in use\n", *name);
        } else { /* an orphan, or something foreign, is still in it */
            compose_say(command, NULL, "Removing network %s", *name);
            return compose_fail(
                command, "error while removing network: network %s id %s has active endpoints",
                *name, docker_network(command->docker, *name)->id);
        }
    }
    for (const char *const *name = command->project.volumes;
         *name && options_has(options, "volumes"); name++)
        remove_volume(command, *name);
    if (images)
        remove_images(command, images);
    return 0;
}

static int rm(struct compose_command *command)
{
    struct call *call = command->call;
    struct container **list = compose_named(command, command->options.args);
    if (options_has(&command->options, "stop"))
        compose_stop_all(command, list, -1);
    list = only(command, list, false);
    if (!list[0]) {
        call_write(call, command->edition == COMPOSE_V1 ? 1 : 2, "No stopped containers\n", 22);
        return 0;
    }
    const char *names = "";
    for (int i = 0; list[i]; i++) /* the newest first */
        names = arena_printf(call->arena, "%s%s%s", list[i]->name, names[0] ? ", " : "", names);
    if (!options_has(&command->options, "force")) {
        char answer = 0;
        call_out(call,
                 command->edition == COMPOSE_V1 ? "Going to remove %s\nAre you sure? [yN] "
                                                : "? Going to remove %s (y/N) ",
                 names);
        if (call_read(call, 0, &answer, 1) < 1 || (answer != 'y' && answer != 'Y'))
            return 0;
    } else if (command->edition == COMPOSE_V1) {
        call_out(call, "Going to remove %s\n", names);
    }
    remove_list(command, list);
    return 0;
}

static int kill_all(struct compose_command *command)
{
    struct container **list = only(command, compose_named(command, command->options.args), true);
    const char *name = options_value(&command->options, "signal", "SIGKILL");
    int signal = strstr(name, "TERM") ? 15 : strstr(name, "HUP") ? 1 : strstr(name, "INT") ? 2 : 9;
    for (int i = 0; list[i]; i++)
        compose_announce(command, "Killing", list[i]->name);
    for (int i = 0; list[i]; i++)
        compose_begin(command, "Killing", list[i]->name);
    call_sleep(command->call, 60 * MILLISECOND);
    for (int i = 0; list[i]; i++) {
        docker_kill(list[i], signal);
        compose_end(command, "Killing", "Killed", list[i]->name);
    }
    return 0;
}

static int pause_all(struct compose_command *command, bool pausing)
{
    struct container **list = only(command, compose_named(command, command->options.args), true);
    const char *doing = pausing ? "Pausing" : "Unpausing";
    for (int i = 0; list[i]; i++)
        compose_announce(command, doing, list[i]->name);
    for (int i = 0; list[i]; i++) {
        compose_begin(command, doing, list[i]->name);
        docker_pause(list[i], pausing);
        compose_end(command, doing, pausing ? "Paused" : "Unpaused", list[i]->name);
    }
    return 0;
}

static int pause_them(struct compose_command *command)
{
    return pause_all(command, true);
}

static int unpause_them(struct compose_command *command)
{
    return pause_all(command, false);
}

const struct compose_verb compose_stop_verbs[] = {
    {"stop", "stop [options] [SERVICE...]", "Stop running containers without removing them.",
     "timeout|t=", true, true, 0, -1, stop},
    {"start", "start [SERVICE...]", "Start existing containers.", "", true, true, 0, -1, start},
    {"restart", "restart [options] [SERVICE...]", "Restart running containers.",
     "timeout|t= 2:no-deps", true, true, 0, -1, restart},
    {"down", "down [options] [SERVICE...]",
     "Stops containers and removes containers, networks, volumes, and images",
     "rmi= volumes|v remove-orphans timeout|t=", true, true, 0, 0, down},
    {"rm", "rm [options] [SERVICE...]", "Removes stopped service containers.",
     "force|f stop|s v all|a 2:volumes", true, true, 0, -1, rm},
    {"kill", "kill [options] [SERVICE...]", "Force stop service containers.", "signal|s=", true,
     true, 0, -1, kill_all},
    {"pause", "pause [SERVICE...]", "Pause services.", "", true, true, 0, -1, pause_them},
    {"unpause", "unpause [SERVICE...]", "Unpause services.", "", true, true, 0, -1, unpause_them},
    {0},
};
