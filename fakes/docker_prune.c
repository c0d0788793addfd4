/* docker image, container, volume, network, builder and system prune. */
#include <string.h>

#include "fakes/docker_command.h"

/* ---- what is asked for ---- */

static int confirm(struct docker_command *command, const char *warning)
{
    if (options_has(&command->options, "force"))
        return 1;
    char answer[8] = "";
    call_out(command->call, "WARNING! %s\nAre you sure you want to continue? [y/N] ", warning);
    ssize_t n = call_read(command->call, 0, answer, 1);
    return n > 0 && (answer[0] == 'y' || answer[0] == 'Y');
}

/* --filter until=24h: only what is older; *ret_ns is NEVER without one. False after the message. */
static bool read_filters(struct docker_command *command, int64_t *ret_ns)
{
    *ret_ns = NEVER;
    for (int i = 0; i < command->options.n_given; i++) {
        const char *value = command->options.given[i].value;
        if (strcmp(command->options.given[i].name, "filter") != 0)
            continue;
        if (strncmp(value, "until=", 6) == 0) {
            if (docker_instant(command->call, value + 6, ret_ns))
                continue;
            docker_daemon_error(command->call, "invalid duration \"%s\"", value + 6);
            return false;
        }
        if (strncmp(value, "dangling=", 9) == 0)
            continue;
        record_observe(command->call->env->record, "not_simulated", value,
                       "'docker %s --filter %s' is not simulated", command->verb->name, value);
        call_err(command->call, "docker: --filter %s is not simulated here\n", value);
        return false;
    }
    return true;
}

/* `--filter dangling=false` asks for all of them, as -a does. */
static bool wants_all(struct docker_command *command)
{
    const char *filter = options_value(&command->options, "filter", "");
    return options_has(&command->options, "all") || strcmp(filter, "dangling=false") == 0 ||
           strcmp(filter, "dangling=0") == 0;
}

static bool is_older(int64_t created_ns, int64_t before_ns)
{
    return before_ns == NEVER || created_ns < before_ns;
}

static void title(struct docker_command *command, bool *titled, const char *text)
{
    if (!*titled)
        call_out(command->call, "%s\n", text);
    *titled = true;
}

static void end_list(struct docker_command *command, bool titled)
{
    if (titled)
        call_out(command->call, "\n");
}

/* ---- what goes ---- */

static int64_t prune_images(struct docker_command *command, bool all, int64_t before_ns)
{
    struct docker *docker = command->docker;
    int64_t bytes = 0;
    bool titled = false;
    for (int i = 0; i < docker->n_images; i++) {
        struct docker_image *image = docker->images[i];
        if (!image->pulled || docker_image_user(docker, image) ||
            !is_older(image->created_ns, before_ns) ||
            (!all && docker_count_tags(docker, image) > 0))
            continue;
        title(command, &titled, "Deleted Images:");
        for (int k = docker->n_tags - 1; k >= 0; k--) {
            if (docker->tags[k].image != image)
                continue;
            const char *name = arena_printf(command->call->arena, "%s:%s",
                                            docker->tags[k].repository, docker->tags[k].tag);
            call_out(command->call, "untagged: %s\n", name);
            record_change(docker->env->record, name, "is untagged");
            docker_drop_tag(docker, k);
        }
        call_out(command->call, "deleted: %s\n", image->id);
        image->pulled = false;
        bytes += image->size_bytes;
    }
    end_list(command, titled);
    return bytes;
}

static void prune_containers(struct docker_command *command, int64_t before_ns)
{
    bool titled = false;
    for (int i = 0; i < command->docker->n_containers; i++) {
        struct container *container = command->docker->containers[i];
        if (container->removed || container_running(container) ||
            !is_older(container->created_ns, before_ns))
            continue;
        title(command, &titled, "Deleted Containers:");
        call_out(command->call, "%s\n", container->id);
        docker_remove(container);
    }
    end_list(command, titled);
}

static void prune_volumes(struct docker_command *command, bool all)
{
    struct docker *docker = command->docker;
    bool titled = false;
    for (int i = docker->n_volumes - 1; i >= 0; i--) {
        const char *name = docker->volumes[i].name;
        bool anonymous = strlen(name) == 64 && strspn(name, "0123456789abcdef") == 64;
        if (docker_volume_user(docker, name) || (!all && !anonymous))
            continue;
        title(command, &titled, "Deleted Volumes:");
        call_out(command->call, "%s\n", name);
        docker_volume_remove(docker, name);
    }
    end_list(command, titled);
}

static bool is_in_use(struct docker *docker, const char *network)
{
    for (int i = 0; i < docker->n_containers; i++) {
        const struct container *container = docker->containers[i];
        const char *const *name = container->removed ? NULL : container->spec.networks;
        for (; name && *name; name++) {
            if (strcmp(*name, network) == 0)
                return true;
        }
    }
    return false;
}

static void prune_networks(struct docker_command *command, int64_t before_ns)
{
    struct docker *docker = command->docker;
    bool titled = false;
    for (int i = docker->n_networks - 1; i >= 0; i--) {
        const struct docker_network *network = &docker->networks[i];
        static const char *const own[] = {"bridge", "host", "none", NULL};
        bool kept = is_in_use(docker, network->name) || !is_older(network->created_ns, before_ns);
        for (int k = 0; own[k]; k++)
            kept = kept || strcmp(network->name, own[k]) == 0;
        if (kept)
            continue;
        title(command, &titled, "Deleted Networks:");
        call_out(command->call, "%s\n", network->name);
        docker_network_remove(docker, network->name);
    }
    end_list(command, titled);
}

static void reclaimed(struct docker_command *command, int64_t bytes)
{
    call_out(command->call, "Total reclaimed space: %s\n",
             docker_human_size(command->call->arena, bytes));
}

/* Before API 1.42 (Docker 23) a prune of volumes took named ones as well. */
static bool takes_named_volumes(const struct docker *docker)
{
    return leading_int(docker->server_version) < 23;
}

/* ---- the commands ---- */

static int image_prune(struct docker_command *command)
{
    bool all = wants_all(command);
    int64_t before_ns;
    if (!read_filters(command, &before_ns))
        return 1;
    if (confirm(command,
                all ? "This will remove all images without at least one container associated "
                      "to them."
                    : "This will remove all dangling images."))
        reclaimed(command, prune_images(command, all, before_ns));
    return 0;
}

static int container_prune(struct docker_command *command)
{
    int64_t before_ns;
    if (!read_filters(command, &before_ns))
        return 1;
    if (confirm(command, "This will remove all stopped containers.")) {
        prune_containers(command, before_ns);
        reclaimed(command, 0);
    }
    return 0;
}

static int volume_prune(struct docker_command *command)
{
    int64_t before_ns;
    if (!read_filters(command, &before_ns))
        return 1;
    if (confirm(command,
                "This will remove anonymous local volumes not used by at least one container.")) {
        prune_volumes(command, takes_named_volumes(command->docker) || wants_all(command));
        reclaimed(command, 0);
    }
    return 0;
}

static int network_prune(struct docker_command *command)
{
    int64_t before_ns;
    if (!read_filters(command, &before_ns))
        return 1;
    if (confirm(command,
                "This will remove all custom networks not used by at least one container."))
        prune_networks(command, before_ns);
    return 0;
}

static int builder_prune(struct docker_command *command)
{
    if (confirm(command, "This will remove all dangling build cache."))
        reclaimed(command, 0);
    return 0;
}

static int system_prune(struct docker_command *command)
{
    bool all = options_has(&command->options, "all"),
         volumes = options_has(&command->options, "volumes");
    int64_t before_ns;
    if (!read_filters(command, &before_ns))
        return 1;
    const char *warning = arena_printf(
        command->call->arena,
        "This will remove:\n  - all stopped containers\n  - all networks not used by at least one "
        "container\n%s  - %s\n  - %s build cache\n",
        volumes ? "  - all anonymous volumes not used by at least one container\n" : "",
        all ? "all images without at least one container associated to them"
            : "all dangling images",
        all ? "all" : "unused");
    if (!confirm(command, warning))
        return 0;
    prune_containers(command, before_ns);
    prune_networks(command, before_ns);
    if (volumes)
        prune_volumes(command, takes_named_volumes(command->docker));
    reclaimed(command, prune_images(command, all, before_ns));
    return 0;
}

const struct docker_verb docker_prune_verbs[] = {
    {"image prune", "image prune [OPTIONS]", "all|a force|f filter=", true, 0, 0, image_prune},
    {"container prune", "container prune [OPTIONS]", "force|f filter=", true, 0, 0,
     container_prune},
    {"volume prune", "volume prune [OPTIONS]", "all|a force|f filter=", true, 0, 0, volume_prune},
    {"network prune", "network prune [OPTIONS]", "force|f filter=", true, 0, 0, network_prune},
    {"builder prune", "builder prune", "all|a force|f filter= keep-storage=", true, 0, 0,
     builder_prune},
    {"system prune", "system prune [OPTIONS]", "all|a force|f volumes filter=", true, 0, 0,
     system_prune},
    {0},
};
