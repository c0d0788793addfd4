/* Compose: up, create, scale: what brings containers into being. */
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "fakes/compose_command.h"
#include "fakes/docker_command.h"

/* ---- what is to be done with each service ---- */

enum plan { PLAN_NOTHING, PLAN_CREATE, PLAN_START, PLAN_RECREATE };

struct job {
    struct compose_service *service;
    enum plan plan;
    int scale;
    struct container **old; /* by number */
    int n_old;
    int wave; /* later than all it needs */
};

static bool diverged(struct compose_command *command, const struct compose_service *service,
                     struct container *container)
{
    const char *hash = container_label(container, "com.docker.compose.config-hash");
    const char *now = compose_hash(command->docker, &command->project, service);
    if (!hash || strcmp(hash, now) != 0)
        return true;
    struct docker_image *image =
        docker_image_here(command->docker, compose_image(&command->project, service));
    return command->edition == COMPOSE_V2 && image != container->image;
}

static bool any_stopped(const struct job *job)
{
    for (int i = 0; i < job->n_old; i++) {
        if (!container_running(job->old[i]))
            return true;
    }
    return false;
}

/* As docker-compose 1.29's convergence_plan; v2 decides alike. A service that is stopped, and whose
 * needed one is made anew, is made anew too. */
static enum plan decide(struct compose_command *command, const struct job *job, bool needed_changed)
{
    const struct options *options = &command->options;
    if (job->n_old == 0)
        return PLAN_CREATE;
    if (!options_has(options, "no-recreate")) {
        if (options_has(options, "force-recreate") || (needed_changed && any_stopped(job)))
            return PLAN_RECREATE;
        for (int i = 0; i < job->n_old; i++) {
            if (diverged(command, job->service, job->old[i]))
                return PLAN_RECREATE;
        }
    }
    if (any_stopped(job) && !options_has(options, "no-start"))
        return PLAN_START;
    return job->n_old < job->scale ? PLAN_CREATE : PLAN_NOTHING;
}

static int scale_of(struct compose_command *command, const struct compose_service *service)
{
    int scale = service->scale;
    for (int i = 0; i < command->options.n_given; i++) {
        struct str value = str_of(command->options.given[i].value);
        int64_t number;
        if (strcmp(command->options.given[i].name, "scale") == 0 &&
            str_is(str_cut(&value, '='), service->name) && str_int64(value, &number))
            scale = (int)number;
    }
    return scale;
}

static int plan_jobs(struct compose_command *command, struct compose_service **order,
                     struct job *jobs)
{
    int n = 0;
    for (; order[n]; n++) {
        struct job *job = &jobs[n];
        bool needed_changed = false;
        *job = (struct job){.service = order[n], .scale = scale_of(command, order[n])};
        job->old = compose_containers(command->docker, &command->project, order[n]->name);
        while (job->old[job->n_old])
            job->n_old++;
        for (int i = 0; i < order[n]->n_needs; i++) {
            for (int k = 0; k < n; k++) {
                if (strcmp(jobs[k].service->name, order[n]->needs[i].service) != 0)
                    continue;
                job->wave = jobs[k].wave >= job->wave ? jobs[k].wave + 1 : job->wave;
                needed_changed =
                    needed_changed || jobs[k].plan == PLAN_CREATE || jobs[k].plan == PLAN_RECREATE;
            }
        }
        job->plan = decide(command, job, needed_changed && command->edition == COMPOSE_V1);
    }
    return n;
}

/* ---- doing it ---- */

/* One container of a wave: old (recreate, start) or to be made (create). */
struct task {
    struct job *job;
    struct container *container;
    const char *name, *doing, *done, *why;
    int number;
    bool recreate;
};

static void add_task(struct compose_command *command, struct task *tasks, int *n, struct job *job,
                     struct container *container, int number, bool recreate)
{
    bool v1 = command->edition == COMPOSE_V1;
    tasks[(*n)++] = (struct task){
        .job = job,
        .container = container,
        .number = number,
        .recreate = recreate,
        .name = container ? container->name
                          : compose_container_name(&command->project, job->service, number),
        .doing = recreate    ? (v1 ? "Recreating" : "Recreate")
                 : container ? "Starting"
                             : "Creating",
        .done = recreate    ? "Recreated"
                : container ? "Started"
                            : "Created",
    };
}

static int list_tasks(struct compose_command *command, struct job *jobs, int n_jobs, int wave,
                      struct task *tasks)
{
    int n = 0;
    for (int i = 0; i < n_jobs; i++) {
        struct job *job = &jobs[i];
        if (job->wave != wave)
            continue;
        for (int k = 0; k < job->n_old && k < job->scale; k++) {
            struct container *container = job->old[k];
            if (job->plan == PLAN_RECREATE)
                add_task(command, tasks, &n, job, container, k + 1, true);
            else if (job->plan == PLAN_START && !container_running(container))
                add_task(command, tasks, &n, job, container, k + 1, false);
            else if (command->edition == COMPOSE_V1 && job->n_old == job->scale)
                compose_say(command, NULL, "%s is up-to-date", container->name);
            else if (command->edition == COMPOSE_V2)
                compose_end(command, "Running", "Running", container->name);
        }
        for (int k = job->n_old; k < job->scale; k++)
            add_task(command, tasks, &n, job, NULL, k + 1, false);
    }
    return n;
}

static void make(struct compose_command *command, struct task *task)
{
    struct container_spec spec =
        compose_spec(command->docker, &command->project, task->job->service, task->number);
    struct container *old = task->container;
    if (old)
        docker_rename(old,
                      arena_printf(docker_arena(command->docker), "%.12s_%s", old->id, old->name));
    task->container = docker_create(command->docker, &spec, &task->why);
    if (!task->container && command->edition == COMPOSE_V1)
        task->why = arena_printf(command->call->arena, "Cannot create container for service %s: %s",
                                 task->job->service->name, task->why);
    if (old && task->container) {
        old->hands_over = !options_has(&command->options, "renew-anon-volumes");
        docker_remove(old);
    }
}

/* All containers of a wave at once, as both tools do. */
static bool run_wave(struct compose_command *command, struct task *tasks, int n)
{
    struct call *call = command->call;
    bool v1 = command->edition == COMPOSE_V1, starts = !options_has(&command->options, "no-start");
    int64_t longest_ns = 0;
    bool made_any = false, ok = true;
    for (int i = 0; i < n; i++)
        compose_announce(command, tasks[i].doing, tasks[i].name);
    for (int i = 0; i < n; i++) {
        compose_begin(command, tasks[i].doing, tasks[i].name);
        made_any = made_any || tasks[i].recreate || !tasks[i].container;
        if (tasks[i].recreate) {
            int64_t takes_ns = docker_stop(tasks[i].container, compose_grace(command));
            longest_ns = takes_ns > longest_ns ? takes_ns : longest_ns;
        }
    }
    call_sleep(call, longest_ns + (made_any ? DOCKER_CREATE_NS : 0));
    for (int i = 0; i < n; i++) {
        if (tasks[i].recreate || !tasks[i].container)
            make(command, &tasks[i]);
        if (!v1 && tasks[i].container && made_any && strcmp(tasks[i].doing, "Starting") != 0)
            compose_end(command, tasks[i].doing, tasks[i].done, tasks[i].name);
        if (tasks[i].container && starts) {
            if (!v1)
                compose_begin(command, "Starting", tasks[i].name);
            tasks[i].why = docker_start(tasks[i].container);
            if (tasks[i].why)
                tasks[i].why = v1 ? arena_printf(call->arena, "Cannot start service %s: %s",
                                                 tasks[i].job->service->name, tasks[i].why)
                                  : tasks[i].why;
        }
    }
    call_sleep(call, starts ? DOCKER_START_NS : 0);
    for (int i = 0; i < n; i++) {
        if (tasks[i].why)
            compose_end_badly(command, tasks[i].doing, tasks[i].name, tasks[i].why);
        else if (v1 || starts)
            compose_end(command, tasks[i].doing, "Started", tasks[i].name);
        ok = ok && !tasks[i].why;
    }
    return ok;
}

/* Waits for one needed service; NULL, or why it will never be as it must be, in the edition's
 * words. */
static const char *wait_for(struct compose_command *command, const struct compose_dependency *need)
{
    struct arena *arena = command->call->arena;
    bool v1 = command->edition == COMPOSE_V1;
    struct container **list = compose_containers(command->docker, &command->project, need->service);
    for (; *list; list++) {
        struct container *container = *list;
        bool completes = need->condition == NEED_COMPLETED;
        if (!completes && !container->spec.health.test)
            return v1 ? arena_printf(arena, "Service \"%s\" is missing a healthcheck configuration",
                                     need->service)
                      : arena_printf(arena,
                                     "dependency failed to start: container %s has no healthcheck "
                                     "configured",
                                     container->name);
        while (container_running(container) &&
               (completes || container_health(container) == HEALTH_STARTING)) {
            if (call_sleep(command->call, 500 * MILLISECOND))
                return "interrupted";
        }
        if (completes && container->exit_code != 0)
            return v1 ? arena_printf(arena, "Container \"%.12s\" exited with code %d.",
                                     container->id, container->exit_code)
                      : arena_printf(arena, "service \"%s\" didn't complete successfully: exit %d",
                                     need->service, container->exit_code);
        if (!completes && container_health(container) == HEALTH_UNHEALTHY)
            return v1 ? arena_printf(arena, "Container \"%.12s\" is unhealthy.", container->id)
                      : arena_printf(arena, "dependency failed to start: container %s is unhealthy",
                                     container->name);
        if (!completes && !container_running(container))
            return v1 ? arena_printf(arena, "Container \"%.12s\" is unhealthy.", container->id)
                      : arena_printf(arena, "dependency failed to start: container %s exited (%d)",
                                     container->name, container->exit_code);
    }
    return NULL;
}

/* Waits for what the services of a wave need more of than that it was started. NULL, or why not,
 * and whose need it was. */
static const char *wait_needs(struct compose_command *command, struct job *jobs, int n_jobs,
                              int wave, const char **ret_service)
{
    for (int i = 0; i < n_jobs; i++) {
        const struct compose_service *service = jobs[i].service;
        for (int k = 0; jobs[i].wave == wave && k < service->n_needs; k++) {
            const struct compose_dependency *need = &service->needs[k];
            const char *why = need->condition == NEED_STARTED ? NULL : wait_for(command, need);
            *ret_service = service->name;
            if (why && !need->optional)
                return why;
        }
    }
    return NULL;
}

/* Containers beyond the scale that is asked for. */
static void downscale(struct compose_command *command, struct job *jobs, int n_jobs)
{
    for (int i = 0; i < n_jobs; i++) {
        for (int k = jobs[i].scale; k < jobs[i].n_old; k++) {
            const char *doing =
                command->edition == COMPOSE_V1 ? "Stopping and removing" : "Stopping";
            struct container *container = jobs[i].old[k];
            compose_announce(command, doing, container->name);
            compose_begin(command, doing, container->name);
            call_sleep(command->call, docker_stop(container, compose_grace(command)));
            docker_remove(container);
            compose_end(command, doing, "Removed", container->name);
        }
    }
}

static void thing_made(void *ctx, const char *kind, const char *name, const char *full_name)
{
    struct compose_command *command = ctx;
    if (command->edition == COMPOSE_V2 && kind[0] == 'n')
        call_err(command->call, " Network %s  Creating\n Network %s  Created\n", full_name,
                 full_name);
    else if (command->edition == COMPOSE_V2)
        call_err(command->call, " Volume \"%s\"  Creating\n Volume \"%s\"  Created\n", full_name,
                 full_name);
    else
        compose_say(command, NULL,
                    kind[0] == 'n' ? "Creating network \"%s\" with %s driver"
                                   : "Creating volume \"%s\" with %s driver",
                    full_name, kind[0] == 'n' ? "the default" : "default");
    (void)name;
}

/* Containers of this project whose service the file no longer names. */
static void orphans(struct compose_command *command)
{
    struct container **list = compose_containers(command->docker, &command->project, NULL);
    const char *names = "";
    for (; *list; list++) {
        const char *service = container_label(*list, "com.docker.compose.service");
        if (compose_find(&command->project, service))
            continue;
        if (options_has(&command->options, "remove-orphans")) {
            compose_announce(command, "Removing orphan container", (*list)->name);
            if (command->edition == COMPOSE_V1)
                compose_say(command, NULL, "Removing orphan container \"%s\"", (*list)->name);
            call_sleep(command->call, docker_stop(*list, -1));
            docker_remove(*list);
        } else {
            names = arena_printf(command->call->arena, "%s%s%s", names, names[0] ? ", " : "",
                                 (*list)->name);
        }
    }
    if (names[0])
        compose_say(
            command, "WARNING",
            "Found orphan containers (%s) for this project. If you removed or renamed this service "
            "in your compose file, you can run this command with the --remove-orphans flag to "
            "clean "
            "it up.",
            names);
}

/* In the foreground, until somebody presses Ctrl-C; then everything is stopped. */
static int attach(struct compose_command *command)
{
    struct container **list = compose_named(command, command->options.args);
    compose_show_logs(command, list, -1, call_now(command->call), false, true, true);
    call_err(command->call, command->edition == COMPOSE_V1
                                ? "Gracefully stopping... (press Ctrl+C again to force)\n"
                                : "Gracefully Stopping... press Ctrl+C again to force\n");
    compose_stop_all(command, list, -1);
    return command->edition == COMPOSE_V1 ? 0 : 130;
}

/* v2's --wait: until all that was named runs, and is healthy where it has a check. */
static int wait_all(struct compose_command *command)
{
    struct container **list = compose_named(command, command->options.args);
    int64_t limit_s = 0, started_ns = call_now(command->call);
    options_number(&command->options, "wait-timeout", 0, &limit_s);
    for (int i = 0; list[i]; i++)
        compose_begin(command, "Waiting", list[i]->name);
    for (int i = 0; list[i]; i++) {
        while (container_running(list[i]) && container_health(list[i]) == HEALTH_STARTING) {
            if (call_sleep(command->call, 500 * MILLISECOND))
                return 130;
            if (limit_s && call_now(command->call) - started_ns > limit_s * SECOND)
                return compose_fail(command, "application not healthy after %llds",
                                    (long long)limit_s);
        }
        if (container_health(list[i]) == HEALTH_UNHEALTHY || list[i]->state == CONTAINER_RESTARTING)
            return compose_fail(command, "container %s is unhealthy", list[i]->name);
        if (!container_running(list[i]))
            return compose_fail(command, "container %s exited (%d)", list[i]->name,
                                list[i]->exit_code);
        compose_end(command, "Waiting", "Healthy", list[i]->name);
    }
    return 0;
}

static int up(struct compose_command *command)
{
    struct call *call = command->call;
    const struct options *options = &command->options;
    if (options_has(options, "force-recreate") && options_has(options, "no-recreate"))
        return compose_fail(command, "--force-recreate and --no-recreate cannot be combined.");
    struct compose_service **order =
        compose_order(&command->project, options->args, !options_has(options, "no-deps"));
    for (const char *const *name = command->project.externals; *name; name++) {
        if (!docker_volume(command->docker, *name))
            return compose_fail(
                command,
                command->edition == COMPOSE_V1
                    ? "Volume %s declared as external, but could not be found. Please create "
                      "the volume manually using `docker volume create --name=%s` and try "
                      "again."
                    : "external volume \"%s\" not found%.0s",
                *name, *name);
    }
    compose_make_things(command->docker, &command->project, thing_made, command);
    orphans(command);
    bool pulls = strcmp(options_value(options, "pull", ""), "always") == 0;
    for (int i = 0; order[i]; i++) {
        int status = compose_ensure_image(command, order[i], options_has(options, "build"), pulls);
        if (status)
            return status;
    }
    struct job *jobs = ARENA_ARRAY(call->arena, struct job, command->project.n_services + 1);
    int n = plan_jobs(command, order, jobs), n_tasks = 0;
    downscale(command, jobs, n);
    for (int i = 0; i < n; i++)
        n_tasks += jobs[i].n_old + jobs[i].scale;
    struct task *tasks = ARENA_ARRAY(call->arena, struct task, n_tasks + 1);
    for (int wave = 0, done = 0; done < n; wave++) {
        const char *for_whom;
        const char *why = wait_needs(command, jobs, n, wave, &for_whom);
        if (why && command->edition == COMPOSE_V1) { /* compose/parallel.py */
            call_err(call, "\nERROR: for %s  %s\n", for_whom, why);
            return compose_fail(command, "Encountered errors while bringing up the project.");
        }
        if (why)
            return compose_fail(command, "%s", why);
        int n_wave = list_tasks(command, jobs, n, wave, tasks);
        if (!run_wave(command, tasks, n_wave)) {
            for (int i = 0; i < n_wave && command->edition == COMPOSE_V1; i++) {
                if (tasks[i].why)
                    call_err(call, "\nERROR: for %s  %s\n", tasks[i].job->service->name,
                             tasks[i].why);
            }
            if (command->edition == COMPOSE_V1)
                return compose_fail(command, "Encountered errors while bringing up the project.");
            return 1;
        }
        for (int i = 0; i < n; i++)
            done += jobs[i].wave == wave;
    }
    if (options_has(options, "wait"))
        return wait_all(command);
    if (options_has(options, "detach") || options_has(options, "no-start"))
        return 0;
    return attach(command);
}

static int create(struct compose_command *command)
{
    if (command->edition == COMPOSE_V1)
        compose_say(command, "WARNING",
                    "The create command is deprecated. Use the up command with the --no-start flag "
                    "instead.");
    struct option *given =
        ARENA_ARRAY(command->call->arena, struct option, command->options.n_given + 1);
    memcpy(given, command->options.given, (size_t)command->options.n_given * sizeof *given);
    given[command->options.n_given++] = (struct option){"no-start", "true"};
    command->options.given = given;
    return up(command);
}

static int scale(struct compose_command *command)
{
    struct call *call = command->call;
    int n = command->options.n_args;
    bool v1 = command->edition == COMPOSE_V1;
    struct option *given =
        ARENA_ARRAY(call->arena, struct option, command->options.n_given + n + 2);
    if (v1)
        compose_say(command, "WARNING",
                    "The scale command is deprecated. Use the up command with the --scale flag "
                    "instead.");
    char **names = ARENA_ARRAY(call->arena, char *, n + 1);
    memcpy(given, command->options.given, (size_t)command->options.n_given * sizeof *given);
    for (int i = 0; i < n; i++) {
        struct str rest = str_of(command->options.args[i]);
        int64_t number;
        names[i] = arena_str(call->arena, str_cut(&rest, '='));
        if (!strchr(command->options.args[i], '='))
            return compose_fail(command,
                                v1 ? "Arguments to scale should be in the form service=num"
                                   : "invalid scale specifier: %s",
                                command->options.args[i]);
        if (!str_int64(rest, &number))
            return compose_fail(command,
                                v1 ? "Number of containers for service \"%s\" is not a number"
                                   : "invalid scale specifier: %.0s%s",
                                names[i], command->options.args[i]);
        if (!compose_find(&command->project, names[i]))
            return compose_no_service(command, names[i]);
        given[command->options.n_given++] = (struct option){"scale", command->options.args[i]};
    }
    given[command->options.n_given++] = (struct option){"detach", "true"};
    given[command->options.n_given++] = (struct option){"no-deps", "true"};
    command->options.given = given;
    command->options.args = names;
    return up(command);
}

#define UP_WORDS                                                                                   \
    "detach|d no-deps force-recreate always-recreate-deps no-recreate no-build no-start build "    \
    "timeout|t= "                                                                                  \
    "renew-anon-volumes|V remove-orphans scale= abort-on-container-exit exit-code-from= no-color " \
    "attach-dependencies no-log-prefix quiet-pull 2:pull= 2:wait 2:wait-timeout= 2:no-attach= "    \
    "2:attach= "                                                                                   \
    "2:yes|y"

const struct compose_verb compose_up_verbs[] = {
    {"up", "up [options] [--scale SERVICE=NUM...] [SERVICE...]",
     "Builds, (re)creates, starts, and attaches to containers for a service.", UP_WORDS, true, true,
     0, -1, up},
    {"create", "create [options] [SERVICE...]", "Creates containers for a service.",
     "force-recreate no-recreate no-build build 2:pull= 2:remove-orphans 2:scale=", true, true, 0,
     -1, create},
    {"scale", "scale [options] [SERVICE=NUM...]", "Set number of containers to run for a service.",
     "1:timeout|t= 2:no-deps", true, false, 0, -1, scale},
    {0},
};
