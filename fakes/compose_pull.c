/* Compose: pull, build: the images of services. */
#include <string.h>

#include "fakes/compose_command.h"
#include "fakes/docker_command.h"
#include "fakes/git_repo.h"

/* ---- images ---- */

static int pull_one(struct compose_command *command, const struct compose_service *service)
{
    struct call *call = command->call;
    const char *image = compose_image(&command->project, service);
    if (command->edition == COMPOSE_V2) {
        struct pull pull;
        docker_pull(command->docker, image, &pull);
        call_err(call, " %s Pulling \n", service->name);
        call_sleep(call, pull.resolve_ns + pull.download_ns);
        if (pull.result == PULL_FAILED) {
            call_err(call, " %s Error %s\n", service->name, pull.why);
            call_err(call, "Error response from daemon: %s\n", pull.why);
            return 18;
        }
        docker_pull_done(command->docker, image, &pull);
        call_err(call, " %s Pulled \n", service->name);
        return 0;
    }
    struct pull pull;
    docker_pull(command->docker, image, &pull);
    compose_say(command, NULL, "Pulling %s (%s)...", service->name, image);
    call_sleep(call, pull.resolve_ns + pull.download_ns);
    if (pull.result == PULL_FAILED)
        return compose_fail(command, "%s", pull.why);
    docker_pull_done(command->docker, image, &pull);
    const char *repository, *tag;
    if (!docker_reference(call->arena, image, &repository, &tag))
        call_out(call,
                 "%s: Pulling from %s%s\nDigest: %s\nStatus: Downloaded newer image for %s:%s\n",
                 tag, strchr(repository, '/') ? "" : "library/", repository, pull.image->digest,
                 repository, tag);
    return 0;
}

static int build_one(struct compose_command *command, const struct compose_service *service)
{
    struct call *call = command->call;
    const char *image = compose_image(&command->project, service);
    const char *folder = compose_path(call->arena, command->project.folder, service->build);
    const struct doc *build = doc_get(service->doc, "build");
    const struct doc *given = doc_get(build, "dockerfile");
    const char *file = arena_printf(call->arena, "%s/%s", folder,
                                    given && given->text ? given->text : "Dockerfile");
    if (command->edition == COMPOSE_V1)
        compose_say(command, NULL, "Building %s", service->name);
    if (call_exists(call, folder) != 2)
        return compose_fail(
            command,
            command->edition == COMPOSE_V1
                ? "build path %s either does not exist, is not accessible, or is not a valid "
                  "URL."
                : "unable to prepare context: path \"%s\" not found",
            folder);
    if (call_exists(call, file) != 1)
        return compose_fail(
            command,
            command->edition == COMPOSE_V1
                ? "Cannot locate specified Dockerfile: %s"
                : "failed to solve: failed to read dockerfile: open %s: no such file or "
                  "directory",
            given && given->text ? given->text : "Dockerfile");
    const struct doc *given_args = doc_get(build, "args");
    const char **args = ARENA_ARRAY(
        call->arena, const char *, (given_args ? given_args->n : 0) + command->options.n_given + 1);
    int n_args = 0;
    for (int i = 0; i < command->options.n_given; i++) {
        if (strcmp(command->options.given[i].name, "build-arg") == 0)
            args[n_args++] = command->options.given[i].value;
    }
    for (const struct doc *arg = given_args ? given_args->first : NULL; arg; arg = arg->next) {
        if (arg->text)
            args[n_args++] =
                arg->key ? arena_printf(call->arena, "%s=%s", arg->key, arg->text) : arg->text;
    }
    struct dockerfile read;
    const char *error = docker_read_dockerfile(call, file, args, &read);
    static const char said[] = "dockerfile parse error on ";
    if (error && command->edition == COMPOSE_V1 && strncmp(error, said, sizeof said - 1) == 0)
        return compose_fail(command, "dockerfile parse error %s",
                            error + sizeof said - 1); /* engine 20.10 */
    if (error)
        return compose_fail(command, command->edition == COMPOSE_V1 ? "%s" : "failed to solve: %s",
                            error);
    call_sleep(call, 8 * SECOND);
    struct docker_image *made =
        docker_build_from(command->docker, image, docker_service_of(command->docker, service->name),
                          git_repo_version(call, folder), &read);
    if (!made)
        return compose_fail(command, "invalid reference format");
    if (command->edition == COMPOSE_V1)
        call_out(call, "Successfully built %.12s\nSuccessfully tagged %s%s\n", made->id + 7, image,
                 strchr(image, ':') ? "" : ":latest");
    else
        call_err(call, " %s  Built\n", service->name);
    return 0;
}

int compose_ensure_image(struct compose_command *command, const struct compose_service *service,
                         bool build, bool pull)
{
    const char *image = compose_image(&command->project, service);
    if (build && service->build)
        return build_one(command, service);
    if (docker_image_here(command->docker, image) && !pull)
        return 0;
    if (!service->build)
        return pull_one(command, service);
    int status = build_one(command, service);
    if (status == 0 && command->edition == COMPOSE_V1)
        compose_say(command, "WARNING",
                    "Image for service %s was built because it did not already exist. To rebuild "
                    "this image "
                    "you must use `docker-compose build` or `docker-compose up --build`.",
                    service->name);
    return status;
}

/* ---- the commands ---- */

/* v1 pulls all at once and shows each on lines of its own; one bandwidth is shared. */
static int pull(struct compose_command *command)
{
    struct call *call = command->call;
    struct compose_service **order = compose_order(&command->project, command->options.args,
                                                   options_has(&command->options, "include-deps"));
    bool quiet = options_has(&command->options, "quiet");
    bool lenient = options_has(&command->options, "ignore-pull-failures");
    int64_t takes_ns = 0;
    int failed = 0;
    struct pull *pulls = ARENA_ARRAY(call->arena, struct pull, command->project.n_services + 1);
    for (int i = 0; order[i]; i++)
        compose_announce(command, "Pulling", order[i]->name);
    for (int i = 0; order[i]; i++) {
        docker_pull(command->docker, compose_image(&command->project, order[i]), &pulls[i]);
        takes_ns += pulls[i].download_ns;
        if (!quiet && command->edition == COMPOSE_V1)
            compose_begin(command, "Pulling", order[i]->name);
        else if (!quiet)
            call_err(call, " %s Pulling \n", order[i]->name);
    }
    call_sleep(call, takes_ns + command->docker->latency_ns);
    for (int i = 0; order[i]; i++) {
        const char *image = compose_image(&command->project, order[i]);
        bool v1 = command->edition == COMPOSE_V1;
        if (pulls[i].result == PULL_FAILED) {
            failed++;
            if (v1)
                compose_end_badly(command, "Pulling", order[i]->name, pulls[i].why);
            else
                call_err(call, " %s Error %s\n", order[i]->name, pulls[i].why);
            continue;
        }
        docker_pull_done(command->docker, image, &pulls[i]);
        if (!quiet && v1)
            compose_end(command, "Pulling", "Pulled", order[i]->name);
        else if (!quiet)
            call_err(call, " %s Pulled \n", order[i]->name);
    }
    if (failed == 0 || lenient)
        return 0;
    for (int i = 0; order[i]; i++) {
        if (pulls[i].result == PULL_FAILED)
            return command->edition == COMPOSE_V1
                       ? compose_fail(command, "%s", pulls[i].why)
                       : (call_err(call, "Error response from daemon: %s\n", pulls[i].why), 18);
    }
    return 0;
}

static int build(struct compose_command *command)
{
    struct compose_service **order = compose_order(&command->project, command->options.args, false);
    for (int i = 0; order[i]; i++) {
        if (!order[i]->build) {
            if (command->edition == COMPOSE_V1)
                compose_say(command, NULL, "%s uses an image, skipping", order[i]->name);
            continue;
        }
        int status = build_one(command, order[i]);
        if (status)
            return status;
    }
    return 0;
}

const struct compose_verb compose_pull_verbs[] = {
    {"pull", "pull [options] [SERVICE...]",
     "Pulls images for services defined in a Compose file, but does not start the containers.",
     "ignore-pull-failures 1:parallel 1:no-parallel quiet|q include-deps 2:ignore-buildable "
     "2:policy=",
     true, true, 0, -1, pull},
    {"build", "build [options] [--build-arg key=val...] [SERVICE...]", "Build or rebuild services.",
     "build-arg= compress force-rm memory|m= no-cache no-rm parallel progress= pull quiet|q "
     "2:with-dependencies",
     true, true, 0, -1, build},
    {0},
};
