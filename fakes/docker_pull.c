/* docker pull, tag, rmi, build, prune: images, and what may be removed of them. */
#include <stdarg.h>
#include <string.h>

#include "fakes/docker_command.h"
#include "fakes/host.h"

/* ---- pull ---- */

static const char *layer(struct call *call, const struct docker_image *image, int n)
{
    char hex[65];
    docker_hex(arena_printf(call->arena, "layer %d %s", n, image->id), hex);
    return arena_printf(call->arena, "%.12s", hex);
}

/* The answers of a world in which the registry misbehaves by a setting, for scenarios. */
static void apply_settings(struct docker *docker, const char *reference, struct pull *pull)
{
    struct arena *arena = docker_arena(docker);
    const char *registry = world_setting(docker->env->world, "docker.registry");
    bool unreachable = docker->unreachable;
    docker->unreachable = unreachable || (registry && strcmp(registry, "unreachable") == 0);
    docker_pull(docker, reference, pull);
    docker->unreachable = unreachable;
    if (registry && strcmp(registry, "slow") == 0)
        pull->download_ns *= 20;
    static const char *const keys[] = {"docker.missing", "docker.corrupt"};
    for (int i = 0; i < 2 && pull->result != PULL_FAILED; i++) {
        struct str list = str_of(world_setting(docker->env->world, keys[i]));
        while (list.len > 0) {
            if (!str_is(str_cut(&list, ' '), reference))
                continue;
            pull->result = PULL_FAILED;
            pull->why =
                i ? arena_printf(arena, "filesystem layer verification failed for digest %s",
                                 pull->image->digest)
                  : arena_printf(arena,
                                 "manifest for %s not found: manifest unknown: manifest unknown",
                                 reference);
            if (i == 0)
                pull->download_ns = 0;
            break;
        }
    }
}

/* A line of progress; fd -1: none is wanted. */
__attribute__((format(printf, 3, 4))) static void say(struct call *call, int fd, const char *format,
                                                      ...)
{
    va_list args;
    va_start(args, format);
    const char *text = arena_vprintf(call->arena, format, args);
    va_end(args);
    if (fd >= 0)
        call_write(call, fd, text, strlen(text));
}

const char *docker_pull_progress(struct call *call, struct docker *docker, const char *reference,
                                 int fd, bool *ret_daemon)
{
    const char *repository, *tag;
    struct pull pull;
    *ret_daemon = false;
    const char *why = docker_reference(call->arena, reference, &repository, &tag);
    if (why)
        return why;
    bool digest = strncmp(tag, "sha256:", 7) == 0;
    reference = arena_printf(call->arena, "%s%c%s", repository, digest ? '@' : ':', tag);
    apply_settings(docker, reference, &pull);
    call_sleep(call, pull.resolve_ns);
    *ret_daemon = pull.result == PULL_FAILED && !pull.download_ns;
    if (*ret_daemon)
        return pull.why;
    say(call, fd, "%s: Pulling from %s%s\n", tag, strchr(repository, '/') ? "" : "library/",
        repository);
    if (pull.download_ns) {
        const char *first = layer(call, pull.image, 1), *second = layer(call, pull.image, 2);
        say(call, fd, "%s: Pulling fs layer\n%s: Pulling fs layer\n", first, second);
        call_sleep(call, pull.download_ns);
        if (world_disk_full(call->env->world, host_name(call)))
            return "failed to register layer: Error processing tar file(exit status 1): write "
                   "/usr/local/lib/layer: no space left on device";
        if (pull.result == PULL_FAILED)
            return pull.why;
        say(call, fd,
            "%s: Verifying Checksum\n%s: Download complete\n%s: Verifying Checksum\n%s: Download "
            "complete\n%s: Pull complete\n%s: Pull complete\n",
            first, first, second, second, first, second);
    }
    docker_pull_done(docker, reference, &pull);
    say(call, fd, "Digest: %s\nStatus: %s %s\n", pull.image->digest,
        pull.result == PULL_NEW ? "Downloaded newer image for" : "Image is up to date for",
        reference);
    return NULL;
}

static int pull(struct docker_command *command)
{
    struct call *call = command->call;
    const char *reference = command->options.args[0];
    const char *slash = strrchr(reference, '/');
    bool quiet = options_has(&command->options, "quiet");
    bool tagged = strchr(slash ? slash : reference, ':') || strchr(reference, '@');
    const char *repository, *tag;
    if (!quiet && !tagged && !docker_reference(call->arena, reference, &repository, &tag))
        call_out(call, "Using default tag: latest\n");
    bool daemon;
    const char *why =
        docker_pull_progress(call, command->docker, reference, quiet ? -1 : 1, &daemon);
    if (why && daemon)
        return docker_daemon_error(call, "%s", why);
    if (why) {
        call_err(call, "%s\n", why);
        return 1;
    }
    docker_reference(call->arena, reference, &repository, &tag);
    bool digest = strncmp(tag, "sha256:", 7) == 0;
    call_out(call, "%s\n",
             digest ? arena_printf(call->arena, "%s@%s", repository, tag)
                    : docker_full_name(call->arena, repository, tag));
    return 0;
}

/* ---- tag ---- */

static const char *known_as(const struct docker_image *image)
{
    return image->version ? image->version : image->name;
}

static int tag(struct docker_command *command)
{
    struct call *call = command->call;
    const char *from = command->options.args[0], *to = command->options.args[1];
    const char *repository, *name;
    const char *why = docker_reference(call->arena, to, &repository, &name);
    if (why) {
        call_err(call, "Error parsing reference: \"%s\" is not a valid repository/tag: %s\n", to,
                 why);
        return 1;
    }
    struct docker_image *image = docker_image_here(command->docker, from);
    if (!image) {
        why = docker_reference(call->arena, from, &repository, &name);
        return why ? docker_daemon_error(call, "%s", why)
                   : docker_daemon_error(call, "No such image: %s:%s", repository, name);
    }
    struct docker_image *before = docker_image_here(command->docker, to);
    docker_tag(command->docker, to, image);
    if (before != image)
        record_change(command->docker->env->record, to, "now the image of %s%s%s", known_as(image),
                      before ? ", was that of " : "", before ? known_as(before) : "");
    return 0;
}

/* ---- push, login ---- */

static int push(struct docker_command *command)
{
    struct call *call = command->call;
    const char *reference = command->options.args[0], *repository, *name;
    const char *why = docker_reference(call->arena, reference, &repository, &name);
    if (why) {
        call_err(call, "%s\n", why);
        return 1;
    }
    struct docker_image *image = docker_image_here(command->docker, reference);
    const char *full = docker_full_name(call->arena, repository, name);
    struct str host = str_of(full);
    host.len -= strlen(name) + 1;
    bool quiet = options_has(&command->options, "quiet");
    if (!quiet)
        call_out(call, "The push refers to repository [%.*s]\n", STR_ARG(host));
    if (!image) {
        call_err(call, "An image does not exist locally with the tag: %s\n", repository);
        return 1;
    }
    struct pull probe;
    docker_pull(command->docker, reference, &probe); /* for whether the registry answers at all */
    call_sleep(call, probe.resolve_ns);
    if (command->docker->unreachable)
        return docker_daemon_error(call, "%s", probe.why);
    struct docker_tag *there = docker_remote(command->docker, reference);
    bool known = there && there->image == image;
    if (!known)
        call_sleep(call, (int64_t)((double)image->size_bytes /
                                   command->docker->bandwidth_bytes_per_s * 1e9));
    docker_remote_set(command->docker, reference, image)->gone = false;
    if (quiet)
        call_out(call, "%s\n", full);
    else
        call_out(call, "%s: %s\n%s: digest: %s size: 1573\n", layer(call, image, 1),
                 known ? "Layer already exists" : "Pushed", name, image->digest);
    return 0;
}

static int login(struct docker_command *command)
{
    struct call *call = command->call;
    bool from_stdin = options_has(&command->options, "password-stdin");
    const char *password = options_value(&command->options, "password", NULL);
    if (!from_stdin && !password && !call_isatty(call, 0)) {
        call_err(call, "Error: Cannot perform an interactive login from a non TTY device\n");
        return 1;
    }
    if (password)
        call_err(call,
                 "WARNING! Using --password via the CLI is insecure. Use --password-stdin.\n");
    char byte;
    while (from_stdin && call_read(call, 0, &byte, 1) > 0)
        ;
    call_sleep(call, command->docker->latency_ns);
    call_out(call, "Login Succeeded\n");
    return 0;
}

static int logout(struct docker_command *command)
{
    const char *server = command->options.args[0];
    call_out(command->call, "Removing login credentials for %s\n",
             server ? server : "https://index.docker.io/v1/");
    return 0;
}

/* ---- rmi ---- */

int docker_count_tags(struct docker *docker, const struct docker_image *image)
{
    int n = 0;
    for (int i = 0; i < docker->n_tags; i++)
        n += docker->tags[i].image == image;
    return n;
}

void docker_drop_tag(struct docker *docker, int at)
{
    docker->n_tags--;
    memmove(docker->tags + at, docker->tags + at + 1,
            (size_t)(docker->n_tags - at) * sizeof *docker->tags);
}

/* A container of that image; running ones come first. */
struct container *docker_image_user(struct docker *docker, const struct docker_image *image)
{
    struct container *found = NULL;
    for (int i = 0; i < docker->n_containers; i++) {
        struct container *container = docker->containers[i];
        if (!container->removed && container->image == image &&
            (!found || (container_running(container) && !container_running(found))))
            found = container;
    }
    return found;
}

static void delete_content(struct call *call, struct docker_image *image)
{
    char hex[65];
    image->pulled = false;
    docker_hex(image->id, hex);
    call_out(call, "Deleted: %s\nDeleted: sha256:%s\n", image->id, hex);
}

/* By name: rules of moby's ImageDelete. */
static int remove_name(struct docker_command *command, int at, bool force)
{
    struct call *call = command->call;
    struct docker *docker = command->docker;
    struct docker_image *image = docker->tags[at].image;
    const char *name =
        arena_printf(call->arena, "%s:%s", docker->tags[at].repository, docker->tags[at].tag);
    const char *by_digest =
        arena_printf(call->arena, "%s@%s", docker->tags[at].repository, image->digest);
    bool last = docker_count_tags(docker, image) == 1;
    struct container *user = docker_image_user(docker, image);
    if (last && user && !force)
        return docker_daemon_error(
            call,
            "conflict: unable to remove repository reference \"%s\" (must force) - "
            "container %.12s is using its referenced image %.12s",
            name, user->id, image->id + 7);
    docker_drop_tag(docker, at);
    record_change(docker->env->record, name, "is untagged");
    call_out(call, "Untagged: %s\n", name);
    if (!last)
        return 0;
    call_out(call, "Untagged: %s\n", by_digest);
    if (!user)
        delete_content(call, image);
    return 0;
}

static int remove_id(struct docker_command *command, struct docker_image *image, bool force)
{
    struct call *call = command->call;
    struct docker *docker = command->docker;
    struct container *user = docker_image_user(docker, image);
    if (user && container_running(user))
        return docker_daemon_error(
            call,
            "conflict: unable to delete %.12s (cannot be forced) - image is being "
            "used by running container %.12s",
            image->id + 7, user->id);
    if (docker_count_tags(docker, image) > 1 && !force)
        return docker_daemon_error(
            call,
            "conflict: unable to delete %.12s (must be forced) - image is referenced "
            "in multiple repositories",
            image->id + 7);
    if (user && !force)
        return docker_daemon_error(
            call,
            "conflict: unable to delete %.12s (must be forced) - image is being used "
            "by stopped container %.12s",
            image->id + 7, user->id);
    for (int i = docker->n_tags - 1; i >= 0; i--) {
        if (docker->tags[i].image != image)
            continue;
        call_out(call, "Untagged: %s:%s\n", docker->tags[i].repository, docker->tags[i].tag);
        docker_drop_tag(docker, i);
    }
    delete_content(call, image);
    return 0;
}

static int rmi(struct docker_command *command)
{
    struct call *call = command->call;
    struct docker *docker = command->docker;
    bool force = options_has(&command->options, "force");
    int status = 0;
    for (char **at = command->options.args; *at; at++) {
        const char *repository, *name;
        const char *why = docker_reference(call->arena, *at, &repository, &name);
        struct docker_image *image = docker_image_here(docker, *at);
        int found = -1;
        for (int i = 0; !why && i < docker->n_tags; i++) {
            if (strcmp(docker->tags[i].repository, repository) == 0 &&
                strcmp(docker->tags[i].tag, name) == 0)
                found = i;
        }
        if (why)
            status = docker_daemon_error(call, "%s", why);
        else if (found >= 0)
            status |= remove_name(command, found, force);
        else if (image)
            status |= remove_id(command, image, force);
        else /* with -f the client says so, and ends well */
            status |= docker_daemon_error(call, "No such image: %s:%s", repository, name) && !force;
    }
    call_sleep(call, 120 * MILLISECOND);
    return status;
}

const struct docker_verb docker_image_verbs[] = {
    {"pull", "pull [OPTIONS] NAME[:TAG|@DIGEST]",
     "all-tags|a disable-content-trust platform= quiet|q", true, 1, 1, pull},
    {"push", "push [OPTIONS] NAME[:TAG]",
     "all-tags|a disable-content-trust quiet|q platform=", true, 1, 1, push},
    {"login", "login [OPTIONS] [SERVER]", "username|u= password|p= password-stdin", true, 0, 1,
     login},
    {"logout", "logout [SERVER]", "", true, 0, 1, logout},
    {"tag", "tag SOURCE_IMAGE[:TAG] TARGET_IMAGE[:TAG]", "", true, 2, 2, tag},
    {"rmi", "rmi [OPTIONS] IMAGE [IMAGE...]", "force|f no-prune platform=", true, 1, -1, rmi},
    {0},
};
